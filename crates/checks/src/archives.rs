//! Compressed files and archives: any bytes are listed and read within limits, and whether they are
//! kept in memory or walked again changes nothing.

use std::io::{self, Read};
use std::sync::Arc;

use logmill_archive::{Fault, Limits, Member, Opened, Place, ReadAt, list};

const LIMITS: Limits =
    Limits { total_bytes: 1 << 20, member_bytes: 1 << 18, members: 100, shelf_bytes: 1 << 20 };

#[derive(Debug)]
struct Memory(Arc<Vec<u8>>);

impl Place for Memory {
    fn open(&self) -> io::Result<Arc<dyn ReadAt>> {
        Ok(Arc::clone(&self.0) as Arc<dyn ReadAt>)
    }
}

/// Members that are whole have the same names and bytes with and without memory to keep them in;
/// nothing is larger than it may be, and every error is a fault of the bytes.
pub fn check(bytes: &[u8]) {
    let (_, bytes) = crate::choice(bytes);
    let place = Arc::new(Memory(Arc::new(bytes.to_vec())));
    let [kept, walked] = [LIMITS.shelf_bytes, 0].map(|shelf_bytes| {
        let contents =
            list(Arc::clone(&place) as Arc<dyn Place>, Limits { shelf_bytes, ..LIMITS }, &|_| true);
        contents.expect("memory can be read").members
    });
    assert!(kept.len() <= LIMITS.members && walked.len() <= LIMITS.members);
    for member in &kept {
        let (read, fault) = read(member);
        assert!(read.len() <= bytes.len().max(1 << 18), "{} bytes of {member:?}", read.len());
        let again = walked.iter().filter(|it| it.name == member.name).any(|it| self::read(it).0 == read);
        let is_nested = walked.iter().any(|it| is_inside(member, it));
        assert!(again || is_nested || fault.is_some(), "{member:?} differs when it is walked");
    }
}

/// Archives in compressed archives are only read where there is memory for them.
fn is_inside(member: &Member, archive: &Member) -> bool {
    match (&member.name, &archive.name) {
        (Some(member), Some(archive)) => member.starts_with(archive.as_str()),
        (Some(_), None) => true,
        (None, _) => false,
    }
}

fn read(member: &Member) -> (Vec<u8>, Option<Fault>) {
    let mut bytes = Vec::new();
    let error = match member.open() {
        Ok(Opened::Stream(mut stream)) => stream.read_to_end(&mut bytes).err(),
        Ok(Opened::Random(content)) => {
            let mut block = [0; 4096];
            while let n @ 1.. = content.read_at(bytes.len() as u64, &mut block).expect("memory can be read") {
                bytes.extend_from_slice(&block[..n]);
            }
            assert_eq!(bytes.len() as u64, content.size());
            None
        }
        Err(error) => Some(error),
    };
    (bytes, error.map(|error| Fault::of(&error).cloned().expect("memory can be read")))
}
