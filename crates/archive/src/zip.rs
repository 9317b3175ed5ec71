//! Zip archives: the directory at their end, or, where that is missing, the members one by one.
//!
//! Says where the members' bytes are and how they are compressed; reads none of them.

use std::io;

use crate::fault::{Fault, FaultKind};
use crate::kind::Codec;
use crate::store::{ReadAt, read_full};

/// A directory is looked for this far from the end: a comment takes at most 64 KiB.
const MAX_END_BYTES: u64 = (64 << 10) + 22;
/// Size of a local header without its name.
pub const LOCAL_BYTES: usize = 30;

/// A member that is a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its path.
    pub name: String,
    /// Offset of its local header.
    pub header: u64,
    /// Compressed size.
    pub packed: u64,
    /// Size.
    pub size: u64,
    /// Checksum of its bytes.
    pub crc: u32,
    /// How it is compressed.
    pub method: Method,
}

/// How a member is compressed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Method {
    /// Not at all.
    Stored,
    /// In one of the ways that are read here.
    Packed(Codec),
    /// In a way that is not read.
    Refused(Fault),
}

impl Method {
    fn new(method: u16, flags: u16) -> Self {
        // Bit 0: encrypted; bit 6: strongly; bit 13: the header is hidden. 99: AES.
        if flags & 0x2041 != 0 || method == 99 {
            let what = "expected a member without a password, found an encrypted one";
            return Self::Refused(Fault::new(FaultKind::Encrypted, what));
        }
        Self::Packed(match method {
            0 => return Self::Stored,
            8 => Codec::Deflate,
            9 => Codec::Deflate64,
            12 => Codec::Bzip2,
            20 | 93 => Codec::Zstd,
            95 => Codec::Xz,
            _ => {
                let what = format!("expected deflate, deflate64, bzip2, zstd or xz, found method {method}");
                return Self::Refused(Fault::new(FaultKind::Unsupported, what));
            }
        })
    }
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..)?.first_chunk().map(|it| u16::from_le_bytes(*it))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk().map(|it| u32::from_le_bytes(*it))
}

fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    bytes.get(at..)?.first_chunk().map(|it| u64::from_le_bytes(*it))
}

/// Where the directory is.
struct Directory {
    start: u64,
    size: u64,
    entries: u64,
    /// What stands before the archive: offsets do not count it.
    shift: u64,
}

/// The directory that the archive's last bytes name, `None` if there is none.
fn directory(store: &dyn ReadAt) -> io::Result<Option<Directory>> {
    let start = store.size().saturating_sub(MAX_END_BYTES);
    let mut tail = vec![0; usize::try_from(store.size() - start).unwrap_or(0)];
    let n = read_full(store, start, &mut tail)?;
    let tail = tail.get(..n).unwrap_or_default();
    for at in (0..tail.len().saturating_sub(21)).rev() {
        let Some(end) = tail.get(at..).filter(|end| end.starts_with(b"PK\x05\x06")) else { continue };
        // A comment may hold anything, but it reaches to the end or is followed by padding.
        if u16_at(end, 20).is_some_and(|comment| usize::from(comment) + 22 <= end.len())
            && let Some(found) = directory_of(store, start + at as u64, end)?
        {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

/// What an end record at `at` says, if the directory it names is there.
fn directory_of(store: &dyn ReadAt, at: u64, end: &[u8]) -> io::Result<Option<Directory>> {
    let (Some(entries), Some(size), Some(start)) = (u16_at(end, 10), u32_at(end, 12), u32_at(end, 16)) else {
        return Ok(None);
    };
    let mut found = (u64::from(entries), u64::from(size), u64::from(start));
    let mut behind = at;
    if entries == u16::MAX || size == u32::MAX || start == u32::MAX {
        match large_end(store, at)? {
            Some(large) => (found, behind) = ((large.entries, large.size, large.start), large.at),
            None if size == u32::MAX || start == u32::MAX => return Ok(None),
            None => {}
        }
    }
    let (entries, size, start) = found;
    // The directory stands right before its end record; what it says of its place may count from elsewhere.
    let Some(actual) = behind.checked_sub(size) else { return Ok(None) };
    let Some(shift) = actual.checked_sub(start) else { return Ok(None) };
    Ok(Some(Directory { start: actual, size, entries, shift }))
}

/// What the end record of zip64 says of the directory, and where it stands itself.
struct LargeEnd {
    entries: u64,
    size: u64,
    start: u64,
    at: u64,
}

/// The end record of zip64, whose locator stands before the usual one.
fn large_end(store: &dyn ReadAt, at: u64) -> io::Result<Option<LargeEnd>> {
    let mut locator = [0; 20];
    let Some(locator_at) = at.checked_sub(20) else { return Ok(None) };
    read_full(store, locator_at, &mut locator)?;
    if !locator.starts_with(b"PK\x06\x07") {
        return Ok(None);
    }
    let stated = u64_at(&locator, 8).unwrap_or(u64::MAX);
    // With bytes before the archive the stated place is too low; the usual size of the record tells it.
    for place in [Some(stated), locator_at.checked_sub(56)].into_iter().flatten() {
        let mut record = [0; 56];
        if place < at
            && read_full(store, place, &mut record)? == record.len()
            && record.starts_with(b"PK\x06\x06")
        {
            let field = |at| u64_at(&record, at).unwrap_or(u64::MAX);
            return Ok(Some(LargeEnd { entries: field(32), size: field(40), start: field(48), at: place }));
        }
    }
    Ok(None)
}

/// Calls `visit` with each file of the archive, in the order of its directory.
///
/// # Errors
///
/// The errors of the bytes, and a [`Fault`] where the directory is damaged or missing.
pub fn each(store: &dyn ReadAt, mut visit: impl FnMut(Entry) -> io::Result<()>) -> io::Result<()> {
    let Some(directory) = directory(store)? else {
        return Err(Fault::truncated("expected a zip directory at the end, found none").into());
    };
    let (mut at, end) = (directory.start, directory.start + directory.size);
    let mut buffer = Vec::new();
    for n in 0..directory.entries {
        let fixed = take(store, at, end, 46, &mut buffer)?;
        let entry = fixed.filter(|fixed| fixed.starts_with(b"PK\x01\x02"));
        let Some(lens) =
            entry.map(|fixed| [28, 30, 32].map(|at| usize::from(u16_at(fixed, at).unwrap_or(0))))
        else {
            let entries = directory.entries;
            return Err(Fault::corrupt(format!(
                "expected entry {} of {entries} of the zip directory at byte {at}, found damage",
                n + 1
            ))
            .into());
        };
        let len = 46 + lens.iter().sum::<usize>();
        let Some(record) = take(store, at, end, len, &mut buffer)? else {
            return Err(
                Fault::corrupt(format!("expected a zip directory of {len} more bytes at byte {at}")).into()
            );
        };
        if let Some(entry) = central(record, lens, directory.shift) {
            visit(entry)?;
        }
        at += len as u64;
    }
    Ok(())
}

/// Bytes `at..at + len` of the directory, if it has so many.
fn take<'b>(
    store: &dyn ReadAt,
    at: u64,
    end: u64,
    len: usize,
    buffer: &'b mut Vec<u8>,
) -> io::Result<Option<&'b [u8]>> {
    if at.saturating_add(len as u64) > end {
        return Ok(None);
    }
    buffer.resize(len, 0);
    let n = read_full(store, at, buffer)?;
    Ok(buffer.get(..len).filter(|_| n == len))
}

/// An entry of the directory, if it is a file.
fn central(record: &[u8], lens: [usize; 3], shift: u64) -> Option<Entry> {
    let [name_len, extra_len, _] = lens;
    let name = record.get(46..46 + name_len)?;
    let extra = record.get(46 + name_len..46 + name_len + extra_len)?;
    let (flags, method) = (u16_at(record, 8)?, u16_at(record, 10)?);
    let [packed, size] = [20, 24].map(|at| u32_at(record, at).unwrap_or(0));
    let [packed, size, header] = large(extra, [size, packed, u32_at(record, 42)?])?;
    let host = record.get(5).copied().unwrap_or(0);
    // The upper half of a Unix entry's attributes is the file's mode; 0o12 stands for links.
    let mode = u32_at(record, 38)? >> 28;
    if name.ends_with(b"/") || (host == 3 && mode == 0o12) {
        return None;
    }
    Some(Entry {
        name: path(name, host),
        header: header.saturating_add(shift),
        packed,
        size,
        crc: u32_at(record, 16)?,
        method: Method::new(method, flags),
    })
}

/// Packed size, size and place; where 32 bits are too few they stand in the extra fields. The
/// fields there are those that are needed, size first.
fn large(extra: &[u8], small: [u32; 3]) -> Option<[u64; 3]> {
    let [size, packed, header] = small;
    let mut rest = extra;
    let mut wide: &[u8] = &[];
    while let (Some(id), Some(len)) = (u16_at(rest, 0), u16_at(rest, 2)) {
        let body = rest.get(4..4 + usize::from(len)).unwrap_or_default();
        if id == 1 {
            wide = body;
        }
        rest = rest.get(4 + usize::from(len)..).unwrap_or_default();
    }
    let mut next = |small: u32| {
        if small != u32::MAX || wide.is_empty() {
            return Some(u64::from(small));
        }
        let value = u64_at(wide, 0)?;
        wide = wide.get(8..).unwrap_or_default();
        Some(value)
    };
    let (size, packed, header) = (next(size)?, next(packed)?, next(header)?);
    Some([packed, size, header])
}

/// The path of a member. Some programs on Windows write `\`.
fn path(name: &[u8], host: u8) -> String {
    let path = String::from_utf8_lossy(name);
    if host == 0 && !path.contains('/') { path.replace('\\', "/") } else { path.into_owned() }
}

/// Bytes of the local header at `at`, its name and its extra fields; `None` if there is none.
pub fn local_len(header: &[u8]) -> Option<u64> {
    if !header.starts_with(b"PK\x03\x04") {
        return None;
    }
    let (name, extra) = (u16_at(header, 26)?, u16_at(header, 28)?);
    Some(LOCAL_BYTES as u64 + u64::from(name) + u64::from(extra))
}

/// A member as its local header tells it.
pub struct Local {
    /// What the header says; sizes and checksum are only known where `is_open` is not set.
    pub entry: Entry,
    /// Whether sizes and checksum stand behind the member.
    pub is_open: bool,
    /// Whether it is a file.
    pub is_file: bool,
    /// Offset of its first byte.
    pub start: u64,
    /// Bytes of what stands behind it because sizes and checksum were not known before.
    pub descriptor: u64,
}

/// The member whose local header stands at `at`; `None` if none stands there whole.
pub fn local(store: &dyn ReadAt, at: u64) -> io::Result<Option<Local>> {
    let mut fixed = [0; LOCAL_BYTES];
    let n = read_full(store, at, &mut fixed)?;
    let Some(len) = local_len(&fixed).filter(|_| n == fixed.len()) else { return Ok(None) };
    let mut whole = vec![0; usize::try_from(len).unwrap_or(0)];
    if read_full(store, at, &mut whole)? < whole.len() {
        return Ok(None);
    }
    Ok(local_of(&whole, at))
}

fn local_of(header: &[u8], at: u64) -> Option<Local> {
    let name_len = usize::from(u16_at(header, 26)?);
    let name = header.get(LOCAL_BYTES..LOCAL_BYTES + name_len)?;
    let extra = header.get(LOCAL_BYTES + name_len..)?;
    let (flags, method) = (u16_at(header, 6)?, u16_at(header, 8)?);
    let [packed, size, _] = large(extra, [u32_at(header, 22)?, u32_at(header, 18)?, 0])?;
    let entry = Entry {
        name: path(name, if name.contains(&b'\\') { 0 } else { 3 }),
        header: at,
        packed,
        size,
        crc: u32_at(header, 14)?,
        method: Method::new(method, flags),
    };
    Some(Local {
        entry,
        is_open: flags & 8 != 0,
        is_file: !name.ends_with(b"/"),
        start: at + header.len() as u64,
        descriptor: 0,
    })
}

/// Size of the record of sizes behind a member whose header leaves them open, as it stands there.
pub fn descriptor_len(bytes: &[u8], packed: u64, size: u64) -> Option<u64> {
    let marked = bytes.strip_prefix(b"PK\x07\x08");
    let (body, mark) = marked.map_or((bytes, 0), |body| (body, 4));
    let narrow = (u32_at(body, 4).map(u64::from), u32_at(body, 8).map(u64::from));
    let wide = (u64_at(body, 4), u64_at(body, 12));
    if wide == (Some(packed), Some(size)) {
        return Some(mark + 20);
    }
    (narrow == (Some(packed & 0xffff_ffff), Some(size & 0xffff_ffff))).then_some(mark + 12)
}
