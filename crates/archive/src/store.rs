//! Bytes of which any place can be read, and stretches of them.

use std::fmt;
use std::io::{self, Read};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::fault::Fault;

/// Positioned reads.
pub trait ReadAt: Send + Sync {
    /// Size in bytes.
    fn size(&self) -> u64;

    /// Reads some bytes at `offset`; 0 only at the end.
    ///
    /// # Errors
    ///
    /// Whatever the operating system says.
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize>;
}

/// Where bytes are. They are opened for as long as they are being read, so that a long list of
/// archives holds no file open.
pub trait Place: Send + Sync + fmt::Debug {
    /// Opens them.
    ///
    /// # Errors
    ///
    /// Whatever the operating system says.
    fn open(&self) -> io::Result<Arc<dyn ReadAt>>;
}

/// A place that stays open for a while, and is opened for each reader afterwards.
#[derive(Debug)]
pub struct Pinned {
    place: Arc<dyn Place>,
    open: Mutex<Held>,
}

/// What is held open, if anything.
#[derive(Default)]
struct Held(Option<Arc<dyn ReadAt>>);

impl fmt::Debug for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "open" } else { "closed" })
    }
}

impl Pinned {
    /// Opens a place and holds it.
    pub fn new(place: Arc<dyn Place>) -> io::Result<Self> {
        let open = Mutex::new(Held(Some(place.open()?)));
        Ok(Self { place, open })
    }

    /// Lets go of it.
    pub fn release(&self) {
        self.held().0 = None;
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Place for Pinned {
    fn open(&self) -> io::Result<Arc<dyn ReadAt>> {
        let held = self.held().0.clone();
        held.map_or_else(|| self.place.open(), Ok)
    }
}

impl ReadAt for Vec<u8> {
    fn size(&self) -> u64 {
        self.len() as u64
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let rest = usize::try_from(offset).ok().and_then(|at| self.get(at..)).unwrap_or_default();
        let n = rest.len().min(buffer.len());
        if let (Some(to), Some(from)) = (buffer.get_mut(..n), rest.get(..n)) {
            to.copy_from_slice(from);
        }
        Ok(n)
    }
}

/// Fills the buffer from `offset`; fewer bytes only at the end.
pub fn read_full(store: &dyn ReadAt, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while let Some(space) = buffer.get_mut(filled..).filter(|space| !space.is_empty()) {
        match store.read_at(offset.saturating_add(filled as u64), space) {
            Ok(0) => break,
            Ok(n) => filled += n,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

/// A stretch of a place.
#[derive(Debug, Clone)]
pub struct Span {
    /// Where it is.
    pub place: Arc<dyn Place>,
    /// Its first byte.
    pub start: u64,
    /// Its length.
    pub len: u64,
    /// Why it ends before its end, if it does.
    pub cut: Option<Fault>,
}

impl Span {
    /// Its bytes as a store of their own.
    pub fn open(&self) -> io::Result<Window> {
        Ok(Window { store: self.place.open()?, start: self.start, len: self.len })
    }

    /// Its bytes from first to last.
    pub fn reader(&self) -> io::Result<SpanReader> {
        Ok(SpanReader { window: self.open()?, at: 0, cut: self.cut.clone() })
    }

    /// A part of it, which may reach beyond its end: then it is cut there.
    pub fn part(&self, start: u64, len: u64, what: &str) -> Self {
        let there = self.len.saturating_sub(start).min(len);
        let cut = (there < len).then(|| {
            let missing = len - there;
            self.cut.clone().unwrap_or_else(|| {
                Fault::truncated(format!("expected {missing} more bytes of {what}, found the end"))
            })
        });
        Self { place: Arc::clone(&self.place), start: self.start.saturating_add(start), len: there, cut }
    }
}

/// A stretch of a store, as a store.
pub struct Window {
    store: Arc<dyn ReadAt>,
    start: u64,
    len: u64,
}

impl ReadAt for Window {
    fn size(&self) -> u64 {
        self.len
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.len.saturating_sub(offset)).unwrap_or(usize::MAX);
        let len = left.min(buffer.len());
        match buffer.get_mut(..len) {
            Some(space) if len > 0 => self.store.read_at(self.start.saturating_add(offset), space),
            _ => Ok(0),
        }
    }
}

/// Reads a span from its first byte to its last, and then says why it ends if it should not.
pub struct SpanReader {
    window: Window,
    at: u64,
    cut: Option<Fault>,
}

impl Read for SpanReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.window.read_at(self.at, buffer)?;
        self.at += n as u64;
        match &self.cut {
            Some(fault) if n == 0 && !buffer.is_empty() => Err(fault.clone().into()),
            _ => Ok(n),
        }
    }
}
