//! Unpacks files and says how much came out of each, how fast, and with how much memory: for those
//! who measure. `cargo run --release -p logmill-archive --example unpack -- FILES`

#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::disallowed_macros,
    reason = "an example opens, prints and looks at the clock"
)]

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::FileExt;
use std::sync::Arc;
use std::time::Instant;

use logmill_archive::{Limits, Opened, Place, ReadAt, list};

#[derive(Debug)]
struct OnDisk(Arc<File>);

struct Open(Arc<File>, u64);

impl Place for OnDisk {
    fn open(&self) -> io::Result<Arc<dyn ReadAt>> {
        Ok(Arc::new(Open(Arc::clone(&self.0), self.0.metadata()?.len())))
    }
}

impl ReadAt for Open {
    fn size(&self) -> u64 {
        self.1
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read_at(buffer, offset)
    }
}

fn unpack(path: &str, limits: Limits) -> io::Result<()> {
    let start = Instant::now();
    let contents = list(Arc::new(OnDisk(Arc::new(File::open(path)?))), limits, &|_| true)?;
    let listed = start.elapsed();
    let (mut bytes, mut faults) =
        (0, contents.fault.into_iter().map(|fault| fault.message).collect::<Vec<_>>());
    let mut block = vec![0; 1 << 20];
    for member in &contents.members {
        match member.open() {
            Ok(Opened::Random(content)) => {
                let mut at = 0;
                loop {
                    match content.read_at(at, &mut block)? {
                        0 => break,
                        n => at += n as u64,
                    }
                }
                bytes += at;
            }
            Ok(Opened::Stream(mut stream)) => loop {
                match stream.read(&mut block) {
                    Ok(0) => break,
                    Ok(n) => bytes += n as u64,
                    Err(error) => {
                        faults.push(error.to_string());
                        break;
                    }
                }
            },
            Err(error) => faults.push(error.to_string()),
        }
    }
    println!(
        "{path}: {} members, {bytes} bytes, listed in {listed:.2?}, all in {:.2?}",
        contents.members.len(),
        start.elapsed()
    );
    for fault in faults.iter().take(3) {
        println!("  {fault}");
    }
    Ok(())
}

fn main() -> io::Result<()> {
    let shelf_bytes = std::env::var("SHELF").ok().and_then(|it| it.parse().ok()).unwrap_or(256 << 20);
    let limits = Limits { total_bytes: 64 << 30, member_bytes: 16 << 30, members: 1 << 20, shelf_bytes };
    for path in std::env::args().skip(1) {
        unpack(&path, limits)?;
    }
    let status = std::fs::read_to_string("/proc/self/status")?;
    for line in status.lines().filter(|line| line.starts_with("VmHWM")) {
        println!("{line}");
    }
    Ok(())
}
