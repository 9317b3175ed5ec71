//! What the tests of faults have in common: tools that may be missing, folders that must be clean, and a dump
//! that takes a moment to write.

use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::LazyLock;

use logmill_generate::{Amount, FormatId, Plan, stream};

use crate::support::Folder;

/// Says that a test is skipped, and why.
pub fn skip(why: &str) {
    eprintln!("skipped: {why}");
}

/// Whether a command runs here at all.
pub fn works(program: &str, args: &[&str]) -> bool {
    let silent = Command::new(program)
        .args(args)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    silent.is_ok_and(|status| status.success())
}

/// Whether the tests run as root.
pub fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output();
    id.is_ok_and(|output| output.stdout == b"0\n")
}

/// A log of a few thousand events.
pub static LOG: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let mut log = Vec::new();
    let plan = Plan::new(FormatId::ApifyLog, 7, Amount::Bytes(2 << 20));
    stream(&plan, "all", &mut log).expect("writing to memory");
    log
});

/// A folder with that log, `dump/all.log`.
pub fn with_log() -> (Folder, String) {
    let folder = Folder::new();
    let log = folder.write("dump/all.log", LOG.as_slice());
    (folder, log)
}

/// Names in a folder, hidden ones included; none where it does not exist.
pub fn names(folder: &Path) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut names: Vec<String> =
        entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}
