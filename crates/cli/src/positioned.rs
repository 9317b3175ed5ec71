//! Reading a file at a place and telling files apart, which every operating system spells differently.

use std::fs::{File, Metadata};
use std::io;

/// Reads some bytes at `offset`; 0 only at the end.
///
/// # Errors
///
/// Whatever the operating system says.
#[cfg(unix)]
pub fn read_at(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    std::os::unix::fs::FileExt::read_at(file, buffer, offset)
}

/// Reads some bytes at `offset`; 0 only at the end.
///
/// # Errors
///
/// Whatever the operating system says.
#[cfg(windows)]
pub fn read_at(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    std::os::windows::fs::FileExt::seek_read(file, buffer, offset)
}

/// What tells two files apart, whatever they are called: device and number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct FileId(u64, u64);

/// What tells a file apart, where the operating system has such a thing.
#[cfg(unix)]
#[expect(clippy::unnecessary_wraps, reason = "other operating systems have none")]
#[must_use]
pub fn file_id(metadata: &Metadata) -> Option<FileId> {
    use std::os::unix::fs::MetadataExt;
    Some(FileId(metadata.dev(), metadata.ino()))
}

/// What tells a file apart, where the operating system has such a thing.
#[cfg(not(unix))]
#[must_use]
pub fn file_id(_metadata: &Metadata) -> Option<FileId> {
    None
}
