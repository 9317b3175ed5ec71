//! An opened input: in memory, at any place, or from start to end.
//!
//! Owns how bytes get here and what becomes of an input that fails on the way: what came before the
//! failure stays, and the failure waits behind it.

use std::borrow::Cow;
use std::cell::Cell;
use std::io::{self, Read};

use logmill_parse::encoding::{self, Transcoder};
use logmill_parse::{Code, Extent, limits};

use crate::input::{self, Content, ReadAt, ReadError};
use crate::pipeline;

/// Bytes that come one after the other.
pub type Stream = Box<dyn Read + Send>;

/// An opened input behind its head.
pub enum Body {
    /// All of it, in memory; why it ends early, if it does.
    Whole(Vec<u8>, Option<io::Error>),
    /// Any place can be read; its size.
    Random(Box<dyn ReadAt>, u64),
    /// The rest comes from a stream; its head has been read already.
    Stream(Vec<u8>, Stream),
}

impl Body {
    /// The opened input in UTF-8. One of at most `most` bytes is read at once.
    pub fn new(content: Content, most: u64) -> Self {
        match content {
            Content::Random(content) => {
                let size = content.size();
                if size <= most {
                    let (bytes, failure) = read_all(content.as_ref(), size);
                    return Self::whole(bytes, failure);
                }
                let mut mark = [0; 4];
                match content.read_full(0, &mut mark) {
                    Ok(n) if encoding::utf16(mark.get(..n).unwrap_or_default()).is_some() => {
                        Self::stream(Box::new(OwnedRange { content, at: 0, size }))
                    }
                    _ => Self::Random(content, size),
                }
            }
            Content::Stream(stream) => Self::stream(stream),
        }
    }

    fn whole(bytes: Vec<u8>, failure: Option<io::Error>) -> Self {
        if encoding::utf16(&bytes).is_none() {
            return Self::Whole(bytes, failure);
        }
        match failure {
            Some(failure) => Self::stream(Box::new(io::Cursor::new(bytes).chain(Failed(failure)))),
            None => Self::stream(Box::new(io::Cursor::new(bytes))),
        }
    }

    fn stream(stream: Stream) -> Self {
        let mut stream = match in_utf8(stream) {
            Ok(stream) => stream,
            Err(failure) => return Self::Whole(Vec::new(), Some(failure)),
        };
        let mut head = Vec::new();
        match stream.by_ref().take(limits::HEAD_BYTES as u64).read_to_end(&mut head) {
            Ok(_) => Self::Stream(head, stream),
            Err(failure) => Self::Whole(head, Some(failure)),
        }
    }

    /// The first bytes, and whether that is all of them.
    ///
    /// # Errors
    ///
    /// Whatever the operating system says.
    pub fn head(&self) -> io::Result<(Cow<'_, [u8]>, Extent)> {
        Ok(match self {
            Self::Whole(bytes, failure) => {
                let is_whole = bytes.len() <= limits::HEAD_BYTES && failure.is_none();
                (Cow::Borrowed(bytes.get(..limits::HEAD_BYTES).unwrap_or(bytes)), extent(is_whole))
            }
            Self::Random(content, size) => {
                let mut head = vec![0; limits::HEAD_BYTES];
                let n = content.read_full(0, &mut head)?;
                head.truncate(n);
                (Cow::Owned(head), extent(n as u64 == *size))
            }
            // A head that is shorter than asked for is all there is.
            Self::Stream(head, _) => (Cow::Borrowed(head), extent(head.len() < limits::HEAD_BYTES)),
        })
    }

    /// Size in bytes, where it is known before all has been read.
    pub fn size(&self) -> Option<u64> {
        match self {
            Self::Whole(bytes, _) => Some(bytes.len() as u64),
            Self::Random(_, size) => Some(*size),
            Self::Stream(..) => None,
        }
    }

    /// The content, where any place of it can be read.
    pub fn random(&self) -> Option<&dyn ReadAt> {
        match self {
            Self::Whole(bytes, _) => Some(bytes),
            Self::Random(content, _) => Some(content.as_ref()),
            Self::Stream(..) => None,
        }
    }

    /// The bytes, up to so many of them, and why they end early, if they do.
    pub fn into_bytes(self, most: u64) -> (Vec<u8>, Option<io::Error>) {
        match self {
            Self::Whole(bytes, failure) => (bytes, failure),
            Self::Random(content, size) if size <= most => read_all(content.as_ref(), size),
            Self::Random(content, _) => read_up_to(content.as_ref(), most),
            Self::Stream(mut bytes, stream) => {
                let failure = stream.take(most.saturating_sub(bytes.len() as u64)).read_to_end(&mut bytes);
                (bytes, failure.err())
            }
        }
    }

    /// The bytes, one after the other.
    pub fn into_stream(self) -> Stream {
        match self {
            Self::Whole(bytes, None) => Box::new(io::Cursor::new(bytes)),
            Self::Whole(bytes, Some(failure)) => Box::new(io::Cursor::new(bytes).chain(Failed(failure))),
            Self::Random(content, size) => Box::new(OwnedRange { content, at: 0, size }),
            Self::Stream(head, stream) => Box::new(io::Cursor::new(head).chain(stream)),
        }
    }

    /// Bytes and lines of an input that is passed over, and why they end early, if they do.
    pub fn measure(self) -> (u64, u64, Option<io::Error>) {
        match self {
            Self::Whole(bytes, failure) => (bytes.len() as u64, count_lines(&bytes), failure),
            Self::Random(content, size) => measure(&mut OwnedRange { content, at: 0, size }),
            Self::Stream(head, stream) => measure(&mut head.as_slice().chain(stream)),
        }
    }
}

const fn extent(is_whole: bool) -> Extent {
    if is_whole { Extent::Whole } else { Extent::Part }
}

fn measure(bytes: &mut dyn Read) -> (u64, u64, Option<io::Error>) {
    let mut block = vec![0; 1 << 16];
    let (mut n_bytes, mut n_lines, mut is_open) = (0, 0, false);
    let failure = loop {
        match bytes.read(&mut block) {
            Ok(0) => break None,
            Ok(n) => {
                let read = block.get(..n).unwrap_or(&block);
                n_bytes += read.len() as u64;
                n_lines += count_newlines(read);
                is_open = read.last() != Some(&b'\n');
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => break Some(error),
        }
    };
    (n_bytes, n_lines + u64::from(is_open), failure)
}

thread_local! {
    /// The memory of the last small input that this thread is done with, its bytes still in it: tens of
    /// thousands of files need not each ask for memory, and have it cleared.
    static SPARE: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// Takes back the memory of an input that was read at once.
pub fn give_back(bytes: Vec<u8>) {
    if bytes.capacity() <= MAX_SPARE_BYTES {
        SPARE.set(bytes);
    }
}

/// Memory of a larger input is given back to the system.
const MAX_SPARE_BYTES: usize = 4 << 20;

/// All of an input that said it had so many bytes.
fn read_all(content: &dyn ReadAt, size: u64) -> (Vec<u8>, Option<io::Error>) {
    let (bytes, failure) = read_up_to(content, size);
    let failure = failure.or_else(|| changed(content, bytes.len() as u64, size));
    (bytes, failure)
}

fn read_up_to(content: &dyn ReadAt, most: u64) -> (Vec<u8>, Option<io::Error>) {
    let len = usize::try_from(most).unwrap_or(0);
    let mut bytes = if len > MAX_SPARE_BYTES {
        // Memory that is not written to here comes from the system when it is read into, by whichever thread does.
        vec![0; len]
    } else {
        let mut spare = SPARE.take();
        spare.resize(len, 0);
        spare
    };
    let stretches = bytes.chunks_mut(STRETCH_BYTES).zip((0_u64..).step_by(STRETCH_BYTES)).collect();
    let read = pipeline::map(stretches, |(space, at): (&mut [u8], u64)| input::fill(content, at, space));
    let (mut filled, mut failure) = (0, None);
    for (n, error) in read {
        filled += n;
        failure = error;
        if failure.is_some() || n < STRETCH_BYTES {
            break;
        }
    }
    bytes.truncate(filled);
    (bytes, failure)
}

/// Bytes of a large input that one thread reads at once.
const STRETCH_BYTES: usize = 4 << 20;

/// The error of an input that has another size than it had when it was opened, if it has.
pub fn changed(content: &dyn ReadAt, read: u64, size: u64) -> Option<io::Error> {
    if read < size {
        return Some(shrunk(read, size));
    }
    match content.read_at(size, &mut [0]) {
        Ok(0) | Err(_) => None,
        Ok(_) => Some(
            ReadError::new(
                Code::ChangedInput,
                format!("expected {size} bytes, found more while reading them"),
            )
            .into(),
        ),
    }
}

/// The error of an input that ended before its end.
pub fn shrunk(read: u64, size: u64) -> io::Error {
    ReadError::new(Code::ChangedInput, format!("expected {size} bytes, found the end at byte {read}")).into()
}

/// The bytes of an opened input in UTF-8, one after the other.
///
/// # Errors
///
/// Whatever the operating system says.
pub fn utf8_of(content: Content) -> io::Result<Stream> {
    in_utf8(match content {
        Content::Random(content) => {
            let size = content.size();
            Box::new(OwnedRange { content, at: 0, size })
        }
        Content::Stream(stream) => stream,
    })
}

/// A stream in UTF-16 becomes one of UTF-8; any other stays as it is.
fn in_utf8(stream: Stream) -> io::Result<Stream> {
    let mut stream: Stream = Box::new(Modest(stream));
    let mut mark = Vec::new();
    let failure = stream.by_ref().take(4).read_to_end(&mut mark).err();
    if mark.is_empty()
        && let Some(failure) = failure
    {
        return Err(failure);
    }
    let found = encoding::utf16(&mark);
    let rest = mark.split_off(found.map_or(0, |(_, bom)| bom.min(mark.len())));
    let bytes: Stream = match failure {
        Some(failure) => Box::new(io::Cursor::new(rest).chain(Failed(failure))),
        None => Box::new(io::Cursor::new(rest).chain(stream)),
    };
    Ok(match found {
        Some((order, _)) => Box::new(Utf16Reader {
            bytes,
            transcoder: Some(Transcoder::new(order)),
            ready: Vec::new(),
            at: 0,
            failure: None,
        }),
        None => bytes,
    })
}

/// A reader that says of no more bytes that it read them than there was room for.
struct Modest(Stream);

impl Read for Modest {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        Ok(self.0.read(buffer)?.min(buffer.len()))
    }
}

/// Says again and again why there is no more.
struct Failed(io::Error);

impl Read for Failed {
    fn read(&mut self, _buffer: &mut [u8]) -> io::Result<usize> {
        Err(again(&self.0))
    }
}

fn again(error: &io::Error) -> io::Error {
    match error.raw_os_error() {
        Some(code) => io::Error::from_raw_os_error(code),
        None => ReadError::of(error).into(),
    }
}

struct OwnedRange {
    content: Box<dyn ReadAt>,
    at: u64,
    size: u64,
}

impl Read for OwnedRange {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.size - self.at).unwrap_or(usize::MAX).min(buffer.len());
        let Some(space) = buffer.get_mut(..left).filter(|space| !space.is_empty()) else { return Ok(0) };
        let n = self.content.read_at(self.at, space)?.min(left);
        self.at += n as u64;
        if n == 0 { Err(shrunk(self.at, self.size)) } else { Ok(n) }
    }
}

/// UTF-16 read as UTF-8. Offsets and sizes of such an input count the UTF-8.
struct Utf16Reader {
    bytes: Stream,
    transcoder: Option<Transcoder>,
    ready: Vec<u8>,
    at: usize,
    failure: Option<io::Error>,
}

impl Read for Utf16Reader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.at == self.ready.len() {
            let Some(transcoder) = &mut self.transcoder else {
                return self.failure.as_ref().map_or(Ok(0), |failure| Err(again(failure)));
            };
            self.ready.clear();
            self.at = 0;
            let mut block = [0; 4096];
            match self.bytes.read(&mut block) {
                Ok(n) if n > 0 => transcoder.push(block.get(..n).unwrap_or(&block), &mut self.ready),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                end => {
                    transcoder.finish(&mut self.ready);
                    self.transcoder = None;
                    self.failure = end.err();
                }
            }
        }
        let n = self.ready.get(self.at..).unwrap_or_default().read(buffer)?;
        self.at += n;
        Ok(n)
    }
}

pub fn count_newlines(bytes: &[u8]) -> u64 {
    count(bytes, |byte| byte == b'\n')
}

/// Lines, a last one without a newline included.
pub fn count_lines(bytes: &[u8]) -> u64 {
    count_newlines(bytes) + u64::from(bytes.last().is_some_and(|last| *last != b'\n'))
}

pub fn count_chars(bytes: &[u8]) -> u64 {
    count(bytes, |byte| !matches!(byte, 0x80..=0xbf))
}

/// Bytes that are looked at together.
const LANES: usize = 64;

/// How many of `bytes` are wanted. Each lane counts for itself, in a byte that 255 of its bytes cannot overflow:
/// the compiler turns that into few instructions.
fn count(bytes: &[u8], is_wanted: impl Fn(u8) -> bool) -> u64 {
    let count_in = |block: &[u8]| {
        let (rows, rest) = block.as_chunks::<LANES>();
        let mut sums = [0_u8; LANES];
        for row in rows {
            for (sum, byte) in sums.iter_mut().zip(row) {
                *sum = sum.wrapping_add(u8::from(is_wanted(*byte)));
            }
        }
        let in_rest = rest.iter().filter(|byte| is_wanted(**byte)).count() as u64;
        sums.iter().map(|sum| u64::from(*sum)).sum::<u64>() + in_rest
    };
    bytes.chunks(255 * LANES).map(count_in).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An input that cannot be read in its second stretch, from the first byte of that or a later one on.
    struct Holed {
        bytes: Vec<u8>,
        good: usize,
    }

    impl ReadAt for Holed {
        fn size(&self) -> u64 {
            self.bytes.len() as u64
        }

        fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
            let at = usize::try_from(offset).unwrap_or(usize::MAX);
            if (self.good..2 * STRETCH_BYTES).contains(&at) {
                return Err(io::Error::other("a bad sector"));
            }
            let to = if at < self.good { self.good } else { self.bytes.len() };
            let rest = self.bytes.get(at..to).unwrap_or_default();
            let n = rest.len().min(buffer.len());
            buffer[..n].copy_from_slice(&rest[..n]);
            Ok(n)
        }
    }

    #[test]
    fn bytes_read_side_by_side_are_those_before_the_failure() {
        let len = 2 * STRETCH_BYTES + 1000;
        let bytes: Vec<u8> = (0_u32..).flat_map(u32::to_le_bytes).take(len).collect();
        for good in [STRETCH_BYTES, STRETCH_BYTES + 7, 2 * STRETCH_BYTES] {
            let holed = Holed { bytes: bytes.clone(), good };
            let (read, failure) = read_up_to(&holed, len as u64 + 5);
            let is_whole = good == 2 * STRETCH_BYTES;
            assert!(read == bytes[..if is_whole { len } else { good }], "{good}: {}", read.len());
            assert_eq!(failure.is_none(), is_whole);
        }
    }

    #[test]
    fn lanes_count_what_stands_there() {
        for len in [0, 1, LANES - 1, LANES, LANES + 1, 255 * LANES - 1, 255 * LANES, 255 * LANES + 1, 100_000]
        {
            assert_eq!(count_newlines(&vec![b'\n'; len]), len as u64);
            assert_eq!(count_newlines(&vec![b'x'; len]), 0);
            let every_third: Vec<u8> = b"a\xc3\n".iter().copied().cycle().take(len).collect();
            assert_eq!(count_newlines(&every_third), len as u64 / 3);
            assert_eq!(count_lines(&every_third), len.div_ceil(3) as u64);
        }
        assert_eq!(count_chars("größer ✘".as_bytes()), 8);
    }
}
