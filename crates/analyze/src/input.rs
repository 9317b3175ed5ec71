//! Where bytes come from: the traits that whoever opens files implements.

use std::io::{self, Read};

/// One input: a file, an archive member, standard input.
pub trait Input: Sync {
    /// The path as given, with `/`.
    fn source(&self) -> &str;

    /// Name of the archive member, if it is one.
    fn member(&self) -> Option<&str> {
        None
    }

    /// Size in bytes, as far as known without opening; only used to start big inputs first.
    fn size_hint(&self) -> u64 {
        0
    }

    /// Opens it. May be called more than once; every call starts at the first byte.
    ///
    /// # Errors
    ///
    /// Whatever the operating system says.
    fn open(&self) -> io::Result<Content>;
}

/// An opened input.
pub enum Content {
    /// Any place of it can be read, by several threads at once.
    Random(Box<dyn ReadAt>),
    /// It can only be read from start to end.
    Stream(Box<dyn Read + Send>),
}

impl std::fmt::Debug for Content {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Random(_) => "Content::Random",
            Self::Stream(_) => "Content::Stream",
        })
    }
}

/// Positioned reads.
pub trait ReadAt: Send + Sync {
    /// Size in bytes when it was opened.
    fn size(&self) -> u64;

    /// Reads some bytes at `offset`; 0 only at the end.
    ///
    /// # Errors
    ///
    /// Whatever the operating system says.
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize>;
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

/// An input that is already in memory.
#[derive(Debug, Clone)]
pub struct Bytes {
    source: String,
    bytes: Vec<u8>,
}

impl Bytes {
    /// The bytes under a name.
    #[must_use]
    pub fn new(source: impl Into<String>, bytes: impl Into<Vec<u8>>) -> Self {
        Self { source: source.into(), bytes: bytes.into() }
    }
}

impl Input for Bytes {
    fn source(&self) -> &str {
        &self.source
    }

    fn size_hint(&self) -> u64 {
        self.bytes.len() as u64
    }

    fn open(&self) -> io::Result<Content> {
        Ok(Content::Random(Box::new(self.bytes.clone())))
    }
}
