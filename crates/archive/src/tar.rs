//! Tar archives: headers from before POSIX on, GNU's and pax's long names, what is no file.
//!
//! Reads headers forward; what stands between them is passed over by whoever hands out the bytes.

use std::io;

use crate::fault::Fault;

/// Size of a header, and what members are padded to.
pub const BLOCK_BYTES: u64 = 512;
/// A name longer than this is cut, and an extended header longer than this is passed over.
const MAX_EXTENDED_BYTES: u64 = 64 << 10;

/// Bytes that are read from front to back.
pub trait Forward {
    /// Offset of the next byte.
    fn at(&self) -> u64;

    /// Fills the buffer; fewer bytes only at the end.
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize>;

    /// Passes bytes over, up to the end.
    fn skip(&mut self, len: u64) -> io::Result<()>;
}

/// A member that is a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its path.
    pub name: String,
    /// Its length.
    pub len: u64,
    /// Why it cannot be read, if it cannot.
    pub fault: Option<Fault>,
}

/// Whether these bytes begin as a tar archive does.
pub fn begins(head: &[u8]) -> bool {
    match head.get(..512) {
        Some(block) => Header(block).is_sound() && block.first() != Some(&0),
        None => head.get(257..262) == Some(b"ustar"),
    }
}

/// One block that claims to be a header.
struct Header<'a>(&'a [u8]);

impl<'a> Header<'a> {
    fn field(&self, start: usize, len: usize) -> &'a [u8] {
        self.0.get(start..start + len).unwrap_or_default()
    }

    /// Whether the sum of its bytes is what it says; old programs summed them up as signed.
    fn is_sound(&self) -> bool {
        let Some(stated) = number(self.field(148, 8)) else { return false };
        let bytes = || {
            let blanked = |(at, byte): (usize, &u8)| if (148..156).contains(&at) { b' ' } else { *byte };
            self.0.iter().enumerate().map(blanked)
        };
        let unsigned: u64 = bytes().map(u64::from).sum();
        let signed: i64 = bytes().map(|byte| i64::from(byte.cast_signed())).sum();
        stated == unsigned || i64::try_from(stated) == Ok(signed)
    }

    fn name(&self) -> Vec<u8> {
        let name = text(self.field(0, 100));
        let prefix = text(self.field(345, 155));
        // GNU keeps other things where POSIX has the prefix.
        if self.field(257, 6) == b"ustar\0" && !prefix.is_empty() {
            [prefix, b"/", name].concat()
        } else {
            name.to_vec()
        }
    }

    fn size(&self) -> Option<u64> {
        number(self.field(124, 12))
    }

    fn kind(&self) -> u8 {
        self.0.get(156).copied().unwrap_or(0)
    }
}

/// What stands before the first NUL.
fn text(field: &[u8]) -> &[u8] {
    field.split(|byte| *byte == 0).next().unwrap_or_default()
}

/// An octal number, or a binary one where the first bit is set.
fn number(field: &[u8]) -> Option<u64> {
    if let Some((first, rest)) = field.split_first().filter(|(first, _)| **first & 0x80 != 0) {
        let start = u64::from(first & 0x3f);
        return rest.iter().try_fold(start, |sum, byte| {
            sum.checked_mul(256).and_then(|sum| sum.checked_add(u64::from(*byte)))
        });
    }
    let digits = field.trim_ascii_start();
    let end = digits.iter().position(|byte| !(b'0'..=b'7').contains(byte)).unwrap_or(digits.len());
    let (digits, rest) = digits.split_at_checked(end)?;
    if digits.is_empty() || !rest.iter().all(|byte| matches!(byte, 0 | b' ')) {
        return None;
    }
    digits.iter().try_fold(0_u64, |sum, digit| sum.checked_mul(8)?.checked_add(u64::from(digit - b'0')))
}

/// What extended headers say of the next member.
#[derive(Default)]
struct Extended {
    name: Option<Vec<u8>>,
    size: Option<u64>,
    is_sparse: bool,
}

/// Calls `visit` with each file and the bytes at its first byte. Whatever `visit` leaves of them is
/// passed over.
///
/// # Errors
///
/// The errors of the bytes, and a [`Fault`] where the archive ends or is damaged between members.
pub fn each<F: Forward>(
    bytes: &mut F,
    mut visit: impl FnMut(Entry, &mut F) -> io::Result<()>,
) -> io::Result<()> {
    let mut extended = Extended::default();
    let mut after_zeros = false;
    loop {
        let at = bytes.at();
        let mut block = [0; 512];
        match bytes.read(&mut block)? {
            0 if after_zeros => return Ok(()),
            512 => {}
            0 => return Err(no_end(at).into()),
            _ => return Err(cut_header(at).into()),
        }
        if block.iter().all(|byte| *byte == 0) {
            after_zeros = true;
            continue;
        }
        let header = Header(&block);
        let size = header.size().filter(|_| header.is_sound());
        let Some(size) = size else {
            // Whatever stands behind the end is not the archive's.
            return if after_zeros { Ok(()) } else { Err(damaged_header(at, &block).into()) };
        };
        after_zeros = false;
        one(bytes, &header, size, &mut extended, &mut visit)?;
    }
}

/// Some programs leave the end out; but a download that stopped between two members looks the same.
fn no_end(at: u64) -> Fault {
    Fault::truncated(format!("expected another tar header or blocks of zeros at byte {at}, found the end"))
}

fn cut_header(at: u64) -> Fault {
    Fault::truncated(format!("expected a tar header of 512 bytes at byte {at}, found the end"))
}

fn damaged_header(at: u64, block: &[u8]) -> Fault {
    let found = block.get(..8).unwrap_or_default().escape_ascii();
    Fault::corrupt(format!("expected a tar header at byte {at}, found `{found}` and a wrong checksum"))
}

fn one<F: Forward>(
    bytes: &mut F,
    header: &Header<'_>,
    size: u64,
    extended: &mut Extended,
    visit: &mut impl FnMut(Entry, &mut F) -> io::Result<()>,
) -> io::Result<()> {
    let start = bytes.at();
    match header.kind() {
        b'L' => extended.name = Some(text(&short(bytes, size)?).to_vec()),
        b'x' | b'X' => pax(&short(bytes, size)?, extended),
        // Names of links and what is said of all members; links, devices, folders and labels, whose
        // size says nothing; parts of other volumes and lists of names.
        b'K' | b'g' => {}
        b'1'..=b'6' | b'V' => {
            *extended = Extended::default();
            return Ok(());
        }
        b'M' | b'N' | b'D' => *extended = Extended::default(),
        kind => {
            let extended = std::mem::take(extended);
            let name = extended.name.unwrap_or_else(|| header.name());
            let size = extended.size.unwrap_or(size);
            let is_sparse = kind == b'S' || extended.is_sparse;
            if kind == b'S' {
                sparse_headers(bytes, header)?;
            }
            let start = bytes.at();
            // Before POSIX a folder was a file whose name ends so.
            if !name.ends_with(b"/") {
                let fault = is_sparse.then(|| {
                    let what = "expected a file stored whole, found a sparse one; store it without --sparse";
                    Fault::new(crate::FaultKind::Unsupported, what)
                });
                visit(Entry { name: String::from_utf8_lossy(&name).into_owned(), len: size, fault }, bytes)?;
            }
            return pass(bytes, start, size);
        }
    }
    pass(bytes, start, size)
}

/// Goes on to the header behind a member of `size` bytes from `start`.
fn pass<F: Forward>(bytes: &mut F, start: u64, size: u64) -> io::Result<()> {
    let padded = size.checked_next_multiple_of(BLOCK_BYTES).unwrap_or(u64::MAX);
    let end = start.saturating_add(padded);
    bytes.skip(end.saturating_sub(bytes.at()))
}

/// The content of an extended header; nothing if it is longer than any name.
fn short<F: Forward>(bytes: &mut F, size: u64) -> io::Result<Vec<u8>> {
    let len = if size <= MAX_EXTENDED_BYTES { usize::try_from(size).unwrap_or(0) } else { 0 };
    let mut content = vec![0; len];
    let at = bytes.at();
    if bytes.read(&mut content)? < len {
        return Err(cut_header(at).into());
    }
    Ok(content)
}

/// Old sparse files have further headers with the list of what is stored.
fn sparse_headers<F: Forward>(bytes: &mut F, header: &Header<'_>) -> io::Result<()> {
    let mut goes_on = header.0.get(482).is_some_and(|byte| *byte != 0);
    while goes_on {
        let at = bytes.at();
        let mut block = [0; 512];
        if bytes.read(&mut block)? < block.len() {
            return Err(cut_header(at).into());
        }
        goes_on = block.get(504).is_some_and(|byte| *byte != 0);
    }
    Ok(())
}

/// Records of a pax header: `length key=value newline`, the length counting all of it.
fn pax(mut records: &[u8], extended: &mut Extended) {
    while let Some(blank) = records.iter().position(|byte| *byte == b' ') {
        let len = records.get(..blank).and_then(|len| std::str::from_utf8(len).ok()?.parse::<usize>().ok());
        let Some((record, rest)) =
            len.filter(|len| *len > blank).and_then(|len| records.split_at_checked(len))
        else {
            return;
        };
        records = rest;
        let record = record.get(blank + 1..).unwrap_or_default();
        let record = record.strip_suffix(b"\n").unwrap_or(record);
        let Some(equals) = record.iter().position(|byte| *byte == b'=') else { continue };
        let (key, value) = record.split_at_checked(equals).unwrap_or_default();
        let value = value.get(1..).unwrap_or_default();
        match key {
            b"path" => extended.name = Some(value.to_vec()),
            b"size" => extended.size = std::str::from_utf8(value).ok().and_then(|size| size.parse().ok()),
            _ if key.starts_with(b"GNU.sparse.") => {
                extended.is_sparse = true;
                if key == b"GNU.sparse.name" {
                    extended.name = Some(value.to_vec());
                }
            }
            _ => {}
        }
    }
}
