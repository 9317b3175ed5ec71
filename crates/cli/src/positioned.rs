//! Reading a file at a place, which every operating system spells differently.

use std::fs::File;
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
