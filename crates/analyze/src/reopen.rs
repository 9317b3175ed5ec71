//! Inputs that are opened once more, for the second pass.
//!
//! Where any place can be read, one is opened for each share and closed behind it, so that few are
//! open at a time. What can only be read from start to end is opened as seldom as possible: a share
//! leaves its place in the stream to the next one ([`Cursors`]), and the memory it takes is that of a
//! window and of the longest line.

use std::io::{self, Read};
use std::sync::Mutex;

use logmill_parse::encoding;

use crate::document::MAX_DOCUMENT_BYTES;
use crate::group::body::{Stream, utf8_of};
use crate::input::{Content, Input, ReadAt};

/// Streams that are kept open between shares, all inputs together.
const MAX_CURSORS: usize = 16;
/// Bytes looked at to find the start or the end of a line.
const LINE_BLOCK_BYTES: usize = 4 << 10;
/// Bytes of a line that a stream keeps to begin with its start.
const MAX_LINE_BYTES: usize = 64 << 20;

/// Places in streams at which shares have stopped reading, and from which others go on.
#[derive(Debug, Default)]
pub struct Cursors {
    /// Input and place; the one that was used last stands last.
    idle: Mutex<Vec<(usize, Reopened)>>,
}

impl Cursors {
    /// The input, not behind `at`: the stream that is nearest to it, or else opened anew.
    ///
    /// # Errors
    ///
    /// Whatever the operating system says.
    pub fn open(&self, index: usize, input: &dyn Input, at: u64) -> io::Result<Reopened> {
        match self.take(index, at) {
            Some(reopened) => Ok(reopened),
            None => Reopened::open(input),
        }
    }

    fn take(&self, index: usize, at: u64) -> Option<Reopened> {
        let mut idle = self.idle.lock().ok()?;
        let fits = idle.iter().enumerate().filter(|(_, (input, it))| *input == index && it.at <= at);
        let (nearest, _) = fits.max_by_key(|(_, (_, it))| it.at)?;
        Some(idle.remove(nearest).1)
    }

    /// Keeps a stream for a later share; anything else is closed.
    pub fn put(&self, index: usize, reopened: Reopened) {
        if let (Source::Stream(_), Ok(mut idle)) = (&reopened.source, self.idle.lock()) {
            idle.push((index, reopened));
            if idle.len() > MAX_CURSORS {
                idle.remove(0);
            }
        }
    }
}

/// An input that is read again, at a place of it where a line starts. One in UTF-16 is turned into
/// UTF-8 on the way.
pub struct Reopened {
    source: Source,
    /// Offset of the next byte.
    at: u64,
    /// Bytes that have come from the stream already, the next one first.
    ahead: io::Cursor<Vec<u8>>,
}

enum Source {
    Random(Box<dyn ReadAt>),
    Stream(Stream),
}

impl std::fmt::Debug for Reopened {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Reopened at {}", self.at)
    }
}

impl Reopened {
    /// Opens it anew, at its first byte.
    ///
    /// # Errors
    ///
    /// Whatever the operating system says.
    pub fn open(input: &dyn Input) -> io::Result<Self> {
        let source = match input.open()? {
            Content::Random(content) => {
                let mut mark = [0; 4];
                let n = content.read_full(0, &mut mark)?;
                match encoding::utf16(mark.get(..n).unwrap_or_default()) {
                    Some(_) => Source::Stream(utf8_of(Content::Random(content))?),
                    None => Source::Random(content),
                }
            }
            stream @ Content::Stream(_) => Source::Stream(utf8_of(stream)?),
        };
        Ok(Self { source, at: 0, ahead: io::Cursor::default() })
    }

    /// Offset of the next byte.
    pub const fn at(&self) -> u64 {
        self.at
    }

    /// The first `size` bytes of the input, from one that nothing has been read of.
    ///
    /// # Errors
    ///
    /// Whatever the operating system says.
    pub fn whole(mut self, size: u64) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::with_capacity(usize::try_from(size.min(MAX_DOCUMENT_BYTES)).unwrap_or(0));
        (&mut self as &mut dyn Read).take(size).read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    /// Reads the bytes from `from` up to `to` of an input of which any place can be read: fewer where it has become
    /// shorter.
    ///
    /// # Errors
    ///
    /// Whatever the operating system says.
    pub fn stretch(&self, from: u64, to: u64, bytes: &mut Vec<u8>) -> io::Result<()> {
        let Source::Random(content) = &self.source else { return Err(io::ErrorKind::NotSeekable.into()) };
        bytes.resize(usize::try_from(to.saturating_sub(from)).unwrap_or(0), 0);
        let n = content.read_full(from, bytes)?;
        bytes.truncate(n);
        Ok(())
    }

    /// Goes to the start of the line in which `offset` stands, and says where that is. No line
    /// starts before `floor`.
    ///
    /// # Errors
    ///
    /// Whatever the operating system says.
    pub fn seek_line(&mut self, offset: u64, floor: u64) -> io::Result<u64> {
        match &self.source {
            Source::Random(content) => self.at = line_start(content.as_ref(), offset, floor)?,
            Source::Stream(_) => self.skip_to_line(offset, floor)?,
        }
        Ok(self.at)
    }

    /// Reads on to `offset` and then steps back to where its line starts.
    fn skip_to_line(&mut self, offset: u64, floor: u64) -> io::Result<()> {
        if self.at < floor {
            let skipped = floor - self.at;
            io::copy(&mut (&mut *self as &mut dyn Read).take(skipped), &mut io::sink())?;
        }
        let mut line: Vec<u8> = Vec::new();
        let mut block = vec![0; 1 << 16];
        while self.at < offset {
            let len = usize::try_from(offset - self.at).unwrap_or(usize::MAX).min(block.len());
            let n = self.read(block.get_mut(..len).unwrap_or_default())?;
            if n == 0 {
                break;
            }
            let bytes = block.get(..n).unwrap_or_default();
            let rest = memchr::memrchr(b'\n', bytes).map(|newline| newline + 1);
            if rest.is_some() || line.len() > MAX_LINE_BYTES {
                line.clear();
            }
            line.extend_from_slice(bytes.get(rest.unwrap_or(0)..).unwrap_or_default());
        }
        self.put_back(&line);
        Ok(())
    }

    /// Takes back the last bytes that were read.
    fn put_back(&mut self, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        self.at -= bytes.len() as u64;
        if matches!(self.source, Source::Stream(_)) {
            let mut ahead = bytes.to_vec();
            ahead.extend_from_slice(self.rest_ahead());
            self.ahead = io::Cursor::new(ahead);
        }
    }

    fn rest_ahead(&self) -> &[u8] {
        let used = usize::try_from(self.ahead.position()).unwrap_or(usize::MAX);
        self.ahead.get_ref().get(used..).unwrap_or_default()
    }

    /// What stands from here to the end of the line with the last byte before `end`, but not behind
    /// `size`.
    pub const fn lines_until(&mut self, end: u64, size: u64) -> Lines<'_> {
        Lines { input: self, end, size, is_over: false }
    }
}

impl Read for Reopened {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = if self.rest_ahead().is_empty() {
            match &mut self.source {
                Source::Random(content) => content.read_at(self.at, buffer)?,
                Source::Stream(stream) => stream.read(buffer)?,
            }
        } else {
            self.ahead.read(buffer)?
        };
        let n = n.min(buffer.len());
        self.at += n as u64;
        Ok(n)
    }
}

/// Where the line of `offset` starts.
fn line_start(content: &dyn ReadAt, offset: u64, floor: u64) -> io::Result<u64> {
    let mut block = vec![0; LINE_BLOCK_BYTES];
    let mut start = offset;
    while start > floor {
        let from = start.saturating_sub(LINE_BLOCK_BYTES as u64).max(floor);
        let len = usize::try_from(start - from).unwrap_or(LINE_BLOCK_BYTES);
        let n = content.read_full(from, block.get_mut(..len).unwrap_or_default())?;
        if let Some(newline) = memchr::memrchr(b'\n', block.get(..n).unwrap_or_default()) {
            return Ok(from + newline as u64 + 1);
        }
        start = from;
    }
    Ok(floor)
}

/// Whole lines of an input that is read again.
pub struct Lines<'r> {
    input: &'r mut Reopened,
    end: u64,
    size: u64,
    is_over: bool,
}

impl Read for Lines<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let at = self.input.at;
        // Up to the end there is no need to look; behind it the line ends soon, if it has not yet.
        let wanted = if at < self.end { self.end - at } else { LINE_BLOCK_BYTES as u64 };
        let wanted = wanted.min(self.size.saturating_sub(at));
        let len = usize::try_from(wanted).unwrap_or(usize::MAX).min(buffer.len());
        if self.is_over || len == 0 {
            return Ok(0);
        }
        let n = self.input.read(buffer.get_mut(..len).unwrap_or_default())?;
        let last = usize::try_from(self.end.saturating_sub(at + 1)).unwrap_or(usize::MAX);
        let bytes = buffer.get(..n).unwrap_or_default();
        let Some(newline) = bytes.get(last..).and_then(|rest| memchr::memchr(b'\n', rest)) else {
            return Ok(n);
        };
        self.is_over = true;
        let taken = last + newline + 1;
        self.input.put_back(bytes.get(taken..).unwrap_or_default());
        Ok(taken)
    }
}
