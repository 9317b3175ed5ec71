//! Members: recipes for their bytes, which can be opened any number of times.

use std::fmt;
use std::io::{self, Read};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use crate::decode::{Decoder, again};
use crate::fault::{Fault, FaultKind};
use crate::kind::Codec;
use crate::shelf::{Filling, OnShelf, Shelf};
use crate::store::{ReadAt, Span};

/// Decompressed bytes up to this many are handed out in memory and forgotten afterwards.
const TRANSIENT_BYTES: u64 = 16 << 20;
/// Readers kept at their places in archives that can only be read forward.
const MAX_CURSORS: usize = 16;

/// Something that turns bytes into others.
#[derive(Debug, Clone)]
pub enum Layer {
    /// Decompresses.
    Decode(Codec),
    /// Compares what comes with what an archive's directory says of it.
    Check {
        /// The size it says.
        size: u64,
        /// The checksum it says.
        crc: u32,
    },
    /// Ends with a fault behind so many bytes.
    Limit(u64),
}

/// Where a member's bytes come from.
#[derive(Debug, Clone)]
pub enum Base {
    /// A stretch of something that can be read anywhere.
    Span(Span),
    /// A stretch of something that can only be read forward.
    Walk(Arc<Walk>, u64, u64),
    /// Nowhere.
    Fault(Fault),
}

/// A file in an archive, or what a compressed file holds.
pub struct Member {
    /// Its path in the archive; `None` for what a compressed file holds.
    pub name: Option<String>,
    /// Its size as far as it is known: that of its compressed bytes otherwise.
    pub size_hint: u64,
    pub(crate) base: Base,
    pub(crate) layers: Vec<Layer>,
    /// Bytes of memory it may keep.
    pub(crate) shelf_bytes: u64,
    pub(crate) kept: OnceLock<Kept>,
}

/// What the first opening of a large member led to.
pub enum Kept {
    /// It is kept.
    Shelf(Arc<Shelf>),
    /// It takes more memory than it may keep.
    TooLarge,
}

/// The opened bytes of a member.
pub enum Opened {
    /// Any place of them can be read.
    Random(Box<dyn ReadAt>),
    /// They can only be read from start to end.
    Stream(Box<dyn Read + Send>),
}

impl fmt::Debug for Member {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {:?} through {:?}", self.name, self.base, self.layers)
    }
}

impl Member {
    pub(crate) fn new(name: Option<String>, base: Base, layers: Vec<Layer>, size_hint: u64) -> Self {
        Self { name, size_hint, base, layers, shelf_bytes: 0, kept: OnceLock::new() }
    }

    /// Whether it can be reached without reading what stands before it.
    #[must_use]
    pub const fn is_anywhere(&self) -> bool {
        !matches!(self.base, Base::Walk(..))
    }

    /// Opens it at its first byte.
    ///
    /// # Errors
    ///
    /// The operating system's, and a [`Fault`] if nothing of it can be read. A fault behind its
    /// first bytes is an error of the stream.
    pub fn open(&self) -> io::Result<Opened> {
        if let (Base::Span(span), []) = (&self.base, self.layers.as_slice()) {
            return Ok(match span.cut {
                None => Opened::Random(Box::new(span.open()?)),
                Some(_) => Opened::Stream(Box::new(span.reader()?)),
            });
        }
        match self.kept.get() {
            Some(Kept::Shelf(blocks)) => return Ok(on_shelf(blocks)),
            Some(Kept::TooLarge) => return Ok(Opened::Stream(self.reader()?)),
            None => {}
        }
        let mut reader = self.reader()?;
        let (head, error) = read_some(&mut reader, TRANSIENT_BYTES + 1);
        if let Some(error) = error {
            return if head.is_empty() {
                Err(error)
            } else {
                Ok(Opened::Stream(Box::new(Broken { head, at: 0, error })))
            };
        }
        if head.len() as u64 <= TRANSIENT_BYTES {
            return Ok(Opened::Random(Box::new(head)));
        }
        if self.shelf_bytes == 0 {
            return Ok(Opened::Stream(Box::new(io::Cursor::new(head).chain(reader))));
        }
        self.keep(&head, reader)
    }

    /// Keeps a large member, if it fits.
    fn keep(&self, head: &[u8], mut reader: Box<dyn Read + Send>) -> io::Result<Opened> {
        let kept = match fill(head, &mut reader, self.shelf_bytes)? {
            Filled::Shelf(blocks, _) => Kept::Shelf(Arc::new(blocks)),
            Filled::TooLarge => Kept::TooLarge,
        };
        // Of several that had the same idea at once, one is right and the others forget theirs.
        match self.kept.get_or_init(|| kept) {
            Kept::Shelf(blocks) => Ok(on_shelf(blocks)),
            Kept::TooLarge => Ok(Opened::Stream(self.reader()?)),
        }
    }

    /// Its bytes from first to last.
    pub(crate) fn reader(&self) -> io::Result<Box<dyn Read + Send>> {
        let mut reader: Box<dyn Read + Send> = match &self.base {
            Base::Span(span) => Box::new(span.reader()?),
            Base::Walk(walk, start, len) => walk.reader(*start, *len)?,
            Base::Fault(fault) => return Err(fault.clone().into()),
        };
        for layer in &self.layers {
            reader = layer.over(reader);
        }
        Ok(reader)
    }
}

fn on_shelf(shelf: &Arc<Shelf>) -> Opened {
    let span = Span {
        place: Arc::new(OnShelf(Arc::clone(shelf))),
        start: 0,
        len: shelf.size(),
        cut: shelf.fault.clone(),
    };
    // A shelf is in memory: opening it cannot fail.
    match (span.open(), span.reader()) {
        (Ok(window), Ok(_)) if span.cut.is_none() => Opened::Random(Box::new(window)),
        (_, Ok(reader)) => Opened::Stream(Box::new(reader)),
        (_, Err(error)) => Opened::Stream(Box::new(Broken { head: Vec::new(), at: 0, error })),
    }
}

/// What came of putting bytes on a shelf.
pub enum Filled {
    /// The shelf, and what it takes.
    Shelf(Shelf, u64),
    /// They take more than is allowed.
    TooLarge,
}

/// Puts `head` and all of `reader` on a shelf that may take `allowed` bytes. A fault ends the shelf;
/// an error of the operating system is one here.
pub fn fill(head: &[u8], reader: &mut dyn Read, allowed: u64) -> io::Result<Filled> {
    let mut filling = Filling::new(allowed)?;
    let mut is_room = filling.push(head)?;
    let mut block = vec![0; 64 << 10];
    let mut fault = None;
    while is_room {
        match reader.read(&mut block) {
            Ok(0) => break,
            Ok(n) => is_room = filling.push(block.get(..n).unwrap_or_default())?,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => match Fault::of(&error) {
                Some(found) => {
                    fault = Some(found.clone());
                    break;
                }
                None => return Err(error),
            },
        }
    }
    if !is_room {
        return Ok(Filled::TooLarge);
    }
    let used = filling.used();
    Ok(filling.finish(fault)?.map_or(Filled::TooLarge, |shelf| Filled::Shelf(shelf, used)))
}

/// Up to `limit` bytes, and why there are not more, if reading failed.
pub fn read_some(reader: &mut dyn Read, limit: u64) -> (Vec<u8>, Option<io::Error>) {
    let mut bytes = Vec::new();
    let error = reader.take(limit).read_to_end(&mut bytes).err();
    (bytes, error)
}

/// Bytes and the error behind them.
struct Broken {
    head: Vec<u8>,
    at: usize,
    error: io::Error,
}

impl Read for Broken {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.head.get(self.at..).unwrap_or_default().read(buffer)?;
        self.at += n;
        if n == 0 && !buffer.is_empty() { Err(again(&self.error)) } else { Ok(n) }
    }
}

impl Layer {
    fn over(&self, reader: Box<dyn Read + Send>) -> Box<dyn Read + Send> {
        match self {
            Self::Decode(codec) => Box::new(Decoder::new(*codec, reader)),
            Self::Check { size, crc } => Box::new(Checked {
                reader,
                expected: (*size, *crc),
                size: 0,
                crc: crc32fast::Hasher::new(),
                fault: None,
            }),
            Self::Limit(limit) => Box::new(Limited { reader, limit: *limit, left: *limit }),
        }
    }
}

/// Bytes that must be those an archive's directory speaks of.
struct Checked {
    reader: Box<dyn Read + Send>,
    expected: (u64, u32),
    size: u64,
    crc: crc32fast::Hasher,
    fault: Option<Fault>,
}

impl Checked {
    /// What is wrong with bytes that have come to their end.
    fn verdict(&self) -> Option<Fault> {
        let (size, crc) = self.expected;
        if self.size < size {
            let found = self.size;
            return Some(Fault::truncated(format!(
                "expected {size} bytes as the archive says, found {found}"
            )));
        }
        let found = self.crc.clone().finalize();
        (found != crc)
            .then(|| Fault::corrupt(format!("expected bytes with the checksum {crc:08x}, found {found:08x}")))
    }
}

impl Read for Checked {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if let Some(fault) = &self.fault {
            return Err(fault.clone().into());
        }
        let left = self.expected.0.saturating_sub(self.size);
        // One byte more than there may be tells whether there are more.
        let len = usize::try_from(left).unwrap_or(usize::MAX).saturating_add(1).min(buffer.len());
        let n = self.reader.read(buffer.get_mut(..len).unwrap_or_default())?;
        let good = usize::try_from(left).unwrap_or(usize::MAX).min(n);
        self.crc.update(buffer.get(..good).unwrap_or_default());
        self.size += good as u64;
        if n > good {
            let size = self.expected.0;
            self.fault =
                Some(Fault::corrupt(format!("expected {size} bytes as the archive says, found more")));
        } else if n == 0 && !buffer.is_empty() {
            self.fault = self.verdict();
        }
        match &self.fault {
            Some(fault) if good == 0 => Err(fault.clone().into()),
            _ => Ok(good),
        }
    }
}

/// Bytes of which there may not be too many.
struct Limited {
    reader: Box<dyn Read + Send>,
    limit: u64,
    left: u64,
}

impl Read for Limited {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        let len = usize::try_from(self.left).unwrap_or(usize::MAX).min(buffer.len());
        if len == 0 {
            return match self.reader.read(&mut [0])? {
                0 => Ok(0),
                _ => Err(over(self.limit).into()),
            };
        }
        let n = self.reader.read(buffer.get_mut(..len).unwrap_or_default())?;
        self.left -= n as u64;
        Ok(n)
    }
}

/// The fault of something that unpacks to more than it may.
pub fn over(limit: u64) -> Fault {
    Fault::new(FaultKind::Limit, format!("expected at most {limit} decompressed bytes, found more"))
}

/// Readers that nobody is using, at some places of some archives that can only be read forward; those
/// that were used last stand last. Few, because each holds a file open.
static IDLE: Mutex<Vec<Cursor>> = Mutex::new(Vec::new());
/// Tells archives apart whose readers wait there.
static WALKS: AtomicU64 = AtomicU64::new(0);

/// An archive that can only be read forward.
pub struct Walk {
    /// The archive itself.
    pub archive: Member,
    number: u64,
}

/// A reader at its place.
struct Cursor {
    walk: u64,
    reader: Box<dyn Read + Send>,
    at: u64,
}

impl fmt::Debug for Walk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Walk of {:?}", self.archive)
    }
}

impl Walk {
    /// A walk that has not begun.
    pub fn new(archive: Member) -> Self {
        Self { archive, number: WALKS.fetch_add(1, Ordering::Relaxed) }
    }

    /// The nearest reader that has not yet passed `start`, brought there.
    fn reader(self: &Arc<Self>, start: u64, len: u64) -> io::Result<Box<dyn Read + Send>> {
        let mut cursor = self.nearest(start)?;
        let passed = io::copy(&mut (&mut cursor.reader).take(start - cursor.at), &mut io::sink())?;
        cursor.at += passed;
        if cursor.at < start {
            return Err(Fault::truncated("expected a member further on in the archive, found the end").into());
        }
        Ok(Box::new(WalkReader { cursor: Some(cursor), left: len }))
    }

    fn nearest(&self, start: u64) -> io::Result<Cursor> {
        let mut idle = IDLE.lock().unwrap_or_else(PoisonError::into_inner);
        let is_before = |cursor: &Cursor| cursor.walk == self.number && cursor.at <= start;
        let before = idle.iter().enumerate().filter(|(_, cursor)| is_before(cursor));
        if let Some((place, _)) = before.max_by_key(|(_, cursor)| cursor.at) {
            return Ok(idle.remove(place));
        }
        drop(idle);
        Ok(Cursor { walk: self.number, reader: self.archive.reader()?, at: 0 })
    }
}

impl Drop for Walk {
    fn drop(&mut self) {
        let mut idle = IDLE.lock().unwrap_or_else(PoisonError::into_inner);
        idle.retain(|cursor| cursor.walk != self.number);
    }
}

/// Reads one member of a walk.
struct WalkReader {
    cursor: Option<Cursor>,
    left: u64,
}

impl Read for WalkReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let Some(cursor) = &mut self.cursor else { return Ok(0) };
        let len = usize::try_from(self.left).unwrap_or(usize::MAX).min(buffer.len());
        if len == 0 {
            return Ok(0);
        }
        let n = cursor.reader.read(buffer.get_mut(..len).unwrap_or_default())?;
        if n == 0 {
            let left = self.left;
            return Err(
                Fault::truncated(format!("expected {left} more bytes of the member, found the end")).into()
            );
        }
        cursor.at += n as u64;
        self.left -= n as u64;
        Ok(n)
    }
}

impl Drop for WalkReader {
    fn drop(&mut self) {
        let Some(cursor) = self.cursor.take() else { return };
        let mut idle = IDLE.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() >= MAX_CURSORS {
            idle.remove(0);
        }
        idle.push(cursor);
    }
}
