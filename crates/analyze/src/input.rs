//! Where bytes come from: the traits that whoever opens files implements.

use std::io::{self, Read};

use logmill_parse::Code;

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

    /// Fills the buffer from `offset`; fewer bytes only at the end.
    ///
    /// # Errors
    ///
    /// As [`read_at`](Self::read_at), but for interruptions, after which it goes on.
    fn read_full(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        match fill(self, offset, buffer) {
            (n, None) => Ok(n),
            (_, Some(error)) => Err(error),
        }
    }
}

/// As [`ReadAt::read_full`], with the bytes in front of an error: how many there are, and the error.
pub(crate) fn fill(
    content: &(impl ReadAt + ?Sized),
    offset: u64,
    buffer: &mut [u8],
) -> (usize, Option<io::Error>) {
    let mut filled = 0;
    while let Some(space) = buffer.get_mut(filled..).filter(|space| !space.is_empty()) {
        let len = space.len();
        match content.read_at(offset.saturating_add(filled as u64), space) {
            Ok(0) => break,
            Ok(n) => filled += n.min(len),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return (filled, Some(error)),
        }
    }
    (filled, None)
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

/// Why an input ends before its end, where the error has a code of its own: an archive member that
/// is cut off or damaged, a bound on decompressed bytes, archives nested too deep.
///
/// Whoever implements [`Input`], [`ReadAt`] or the reader of a [`Content::Stream`] wraps one into an
/// [`io::Error`] and returns it from `open`, `read` or `read_at`:
///
/// ```
/// use logmill_analyze::ReadError;
/// use logmill_parse::Code;
///
/// let cut_off = ReadError::new(Code::UnreadableInput, "expected 4096 more bytes, found the end");
/// let error: std::io::Error = cut_off.into();
/// assert_eq!(error.to_string(), "expected 4096 more bytes, found the end");
/// ```
///
/// The engine keeps every record in front of the error, lists one issue with this code, this
/// message and the offset and line at which reading ended, and says of the input and of the run at
/// that place that they are incomplete. An error of any other kind has the code
/// [`Code::UnreadableInput`]. A reader should first hand on all bytes it has, then return the error,
/// and go on returning it when asked again: the second pass meets the same error in the same place,
/// and there it is expected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadError {
    /// Which entry of the catalogue explains it.
    pub code: Code,
    /// What was expected and what was found, for people; without the name of the input.
    pub message: String,
}

impl ReadError {
    /// An error of the given code.
    #[must_use]
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }

    /// Code and message of any error of an input: those of the [`ReadError`] inside of it, or else
    /// [`Code::UnreadableInput`] and what the operating system says.
    #[must_use]
    pub fn of(error: &io::Error) -> Self {
        let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<Self>());
        inner.cloned().unwrap_or_else(|| Self::new(Code::UnreadableInput, error.to_string()))
    }
}

impl std::fmt::Display for ReadError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for ReadError {}

impl From<ReadError> for io::Error {
    fn from(error: ReadError) -> Self {
        Self::other(error)
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
