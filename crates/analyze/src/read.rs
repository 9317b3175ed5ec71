//! Reading one stretch of one input into a shard, by one thread.
//!
//! Owns the window loop, the search for places to cut, and the comparison of two dumps of one
//! log. Which stretches there are, and who reads them, is decided in [`crate::group`].

use std::cell::RefCell;
use std::io::{self, Read};

use logmill_parse::overlap::quick_print;
use logmill_parse::{Batch, Carry, Code, Codec, Delivery, End, Format, Text, Wants, Window};

use crate::input::ReadAt;
use crate::shard::Collector;

/// Largest window of a text, in bytes; a stretch without any place to cut is cut there.
const MAX_WINDOW_BYTES: usize = 64 << 20;
/// Bytes looked at to find a place to cut, at first.
const CUT_BLOCK_BYTES: usize = 16 << 10;

thread_local! {
    static BUFFERS: RefCell<Buffers> = RefCell::new(Buffers::default());
}

/// Buffers that a thread keeps from one stretch to the next.
#[derive(Default)]
struct Buffers {
    bytes: Vec<u8>,
    batch: Option<Batch<'static>>,
}

/// Whether the records' fingerprints are needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Prints {
    /// To compare them with those of other parts of the log.
    Wanted,
    /// The log has no other parts.
    Unwanted,
}

/// What is read from where.
pub struct Stretch<'a> {
    /// The format that reads it.
    pub format: &'static dyn Format,
    /// Its bytes, from the first to the last.
    pub bytes: &'a mut dyn Read,
    /// Offset of its first byte.
    pub start: u64,
    /// Its length, where known.
    pub len: Option<u64>,
    /// What stands behind its last byte: [`End::Cut`] or [`End::Input`].
    pub end: End,
}

/// What to do with the batches of a stretch.
pub trait Sink {
    /// Takes what the format found in `bytes`, of which it consumed the given number.
    fn batch(&mut self, batch: &Batch<'_>, bytes: &[u8], consumed: usize);

    /// Takes note of a problem at the place reached.
    fn issue(&mut self, code: Code, message: &str);
}

impl Sink for Collector {
    fn batch(&mut self, batch: &Batch<'_>, bytes: &[u8], consumed: usize) {
        self.add(batch, bytes, consumed, 0);
    }

    fn issue(&mut self, code: Code, message: &str) {
        self.issue_at_end(code, message);
    }
}

/// Reads a stretch window by window.
///
/// # Errors
///
/// Whatever the reader says; what came before has been handed to the sink.
pub fn read_stretch(
    stretch: Stretch<'_>,
    window_bytes: usize,
    wants: Wants,
    sink: &mut dyn Sink,
) -> io::Result<()> {
    with_buffers(wants, |bytes, mut batch| {
        let result = windows(stretch, window_bytes, bytes, &mut batch, sink);
        (result, batch)
    })
}

/// Reads a text that is in memory as one window, where it stands.
pub fn read_window(format: &'static dyn Format, window: Window<'_>, wants: Wants, sink: &mut dyn Sink) {
    with_buffers(wants, |_, mut batch| {
        parse(format, window, &mut Carry::default(), &mut batch, sink);
        ((), batch)
    });
}

/// Lends this thread's buffers to `work`.
pub fn with_buffers<T>(
    wants: Wants,
    work: impl FnOnce(&mut Vec<u8>, Batch<'static>) -> (T, Batch<'static>),
) -> T {
    let mut buffers = BUFFERS.with(RefCell::take);
    let mut batch = buffers.batch.take().unwrap_or_else(|| Batch::new(wants));
    batch.wants = wants;
    let (result, batch) = work(&mut buffers.bytes, batch);
    buffers.batch = Some(batch);
    if buffers.bytes.len() > MAX_KEPT_BYTES {
        buffers.bytes = Vec::new();
    }
    BUFFERS.with(|slot| *slot.borrow_mut() = buffers);
    result
}

/// A buffer larger than this is given back when its stretch is done.
const MAX_KEPT_BYTES: usize = 8 << 20;

fn windows(
    stretch: Stretch<'_>,
    window_bytes: usize,
    buffer: &mut Vec<u8>,
    batch: &mut Batch<'static>,
    sink: &mut dyn Sink,
) -> io::Result<()> {
    let Stretch { format, bytes: reader, mut start, len, end } = stretch;
    let stop = len.map(|len| start + len);
    let mut capacity = first_capacity(window_bytes, len);
    let (mut filled, mut carry) = (0, Carry::default());
    loop {
        if buffer.len() < capacity {
            buffer.resize(capacity, 0);
        }
        let (ended, failure) = fill(reader, buffer.get_mut(..capacity).unwrap_or_default(), &mut filled);
        let at_end = ended || stop == Some(start + filled as u64);
        let forced = !at_end && filled >= MAX_WINDOW_BYTES.max(window_bytes);
        // What ends too early has nothing behind it.
        let is_short = stop.is_some_and(|stop| start + (filled as u64) < stop);
        let window_end = match (at_end, is_short) {
            (false, _) => End::More,
            (true, false) => end,
            (true, true) => End::Input,
        };
        let bytes = buffer.get(..filled).unwrap_or_default();
        let mut consumed =
            parse(format, Window { bytes, offset: start, end: window_end }, &mut carry, batch, sink);
        if consumed == 0 && forced {
            sink.issue(Code::WindowTooLarge, "expected the start of an event within 64 MiB, found none");
            consumed = parse(format, Window { bytes, offset: start, end: End::Cut }, &mut carry, batch, sink);
        }
        if let Some(failure) = failure {
            return Err(failure);
        }
        if at_end {
            return Ok(());
        }
        start += consumed as u64;
        buffer.copy_within(consumed..filled, 0);
        filled -= consumed;
        if consumed == 0 {
            capacity = capacity.saturating_mul(2).min(MAX_WINDOW_BYTES.max(window_bytes));
        }
    }
}

/// One read for a stretch that is hardly longer than a window.
fn first_capacity(window_bytes: usize, len: Option<u64>) -> usize {
    match len.and_then(|len| usize::try_from(len).ok()) {
        Some(len) if len < window_bytes.saturating_mul(2) => len.max(1),
        _ => window_bytes.max(1),
    }
}

/// Fills the buffer behind its first `filled` bytes. At the end of the input, or when reading
/// fails, says so.
fn fill(reader: &mut dyn Read, buffer: &mut [u8], filled: &mut usize) -> (bool, Option<io::Error>) {
    while let Some(space) = buffer.get_mut(*filled..).filter(|space| !space.is_empty()) {
        let len = space.len();
        match reader.read(space) {
            Ok(0) => return (true, None),
            Ok(n) => *filled += n.min(len),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return (true, Some(error)),
        }
    }
    // A full buffer may be all there is: one more byte would tell, but there is no room for it.
    (false, None)
}

fn parse(
    format: &'static dyn Format,
    window: Window<'_>,
    carry: &mut Carry,
    slot: &mut Batch<'static>,
    sink: &mut dyn Sink,
) -> usize {
    let mut batch = std::mem::replace(slot, Batch::new(slot.wants)).recycle();
    let consumed = format.parse(window, carry, &mut batch, Delivery::AtEnd).min(window.bytes.len());
    if consumed > 0 || window.end != End::More {
        sink.batch(&batch, window.bytes, consumed);
    }
    *slot = batch.recycle();
    consumed
}

/// What every record looks like: its stamp in the upper half, 0 where there is none, and its message
/// as people read it in the lower one.
#[must_use]
pub fn fingerprints(batch: &Batch<'_>) -> Vec<u64> {
    let mut message = String::new();
    let mut print = |record: &logmill_parse::Record<'_>| {
        let text = if let Some(raw) = plain(&record.message) {
            quick_print(raw)
        } else {
            message.clear();
            record.message.decode_into(&mut message);
            quick_print(message.as_bytes())
        };
        let stamp = record.ts.map_or(0, |ts| fold(quick_print(&ts.to_le_bytes())).max(1));
        stamp << 32 | fold(text)
    };
    batch.records.iter().map(&mut print).collect()
}

/// The bytes of a message that reads as it stands.
fn plain<'a>(message: &Text<'a>) -> Option<&'a [u8]> {
    let is_plain = match message.codec {
        Codec::Plain => memchr::memchr(b'\x1b', message.raw).is_none(),
        Codec::JsonString => memchr::memchr(b'\\', message.raw).is_none(),
        Codec::Lines(_) | Codec::Joined(_) => false,
    };
    is_plain.then_some(message.raw)
}

/// The two halves of a fingerprint as one.
const fn fold(print: u64) -> u64 {
    (print >> 32) ^ (print & 0xffff_ffff)
}

/// The first place at or after `nominal` where the format lets a window start, looked for up to
/// `limit` or a little further; `None` if there is none.
///
/// # Errors
///
/// Whatever the reader says.
pub fn find_cut(
    format: &'static dyn Format,
    content: &dyn ReadAt,
    nominal: u64,
    limit: u64,
) -> io::Result<Option<u64>> {
    let mut block = vec![0; CUT_BLOCK_BYTES];
    // The byte before `nominal` tells whether a line starts there.
    let mut at = nominal.saturating_sub(1);
    let mut from = usize::try_from(nominal - at).unwrap_or(0);
    while at < limit {
        let n = content.read_full(at, &mut block)?;
        let bytes = block.get(..n).unwrap_or_default();
        if let Some(cut) = format.cut(bytes, from) {
            return Ok(Some(at + cut as u64));
        }
        let end = at + n as u64;
        // The last line of the block may have been cut: look at it again, with more behind it.
        let last_line = memchr::memrchr(b'\n', bytes).filter(|line| *line > 0);
        match last_line {
            _ if n < block.len() || (end >= limit && last_line.is_none()) => return Ok(None),
            Some(line) => {
                at += line as u64;
                from = 1;
            }
            None if block.len() < MAX_WINDOW_BYTES => {
                let wanted =
                    usize::try_from(limit - at).unwrap_or(usize::MAX).saturating_add(CUT_BLOCK_BYTES);
                block.resize((block.len() * 4).min(wanted.max(block.len() + 1)), 0);
            }
            None => {
                at = end - 1;
                from = 1;
            }
        }
    }
    Ok(None)
}

/// The bytes `start..end` of an input, from first to last.
pub struct Range<'a> {
    /// The input.
    pub content: &'a dyn ReadAt,
    /// Next byte to be read.
    pub start: u64,
    /// First byte not to be read.
    pub end: u64,
}

impl Read for Range<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.end - self.start).unwrap_or(usize::MAX);
        let len = left.min(buffer.len());
        let n = match buffer.get_mut(..len) {
            Some(space) if len > 0 => self.content.read_at(self.start, space)?.min(len),
            _ => 0,
        };
        self.start += n as u64;
        Ok(n)
    }
}

/// What two dumps of one log have in common at their start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CommonPrefix {
    /// Bytes, up to the end of a line or of the shorter dump.
    pub bytes: u64,
    /// Lines in them.
    pub lines: u64,
}

impl CommonPrefix {
    /// Nothing in common.
    pub const NONE: Self = Self { bytes: 0, lines: 0 };
}

/// Compares two dumps from their first byte.
///
/// # Errors
///
/// Whatever the reader says.
pub fn common_prefix(a: &dyn ReadAt, b: &dyn ReadAt) -> io::Result<CommonPrefix> {
    let (mut left, mut right) = (vec![0; 1 << 16], vec![0; 1 << 16]);
    let mut prefix = CommonPrefix { bytes: 0, lines: 0 };
    let (mut at, mut since_line) = (0_u64, 0_u64);
    loop {
        let (n_left, n_right) = (a.read_full(at, &mut left)?, b.read_full(at, &mut right)?);
        let pairs = left.iter().take(n_left).zip(right.iter().take(n_right));
        let same = pairs.take_while(|(one, other)| one == other).count();
        let common = left.get(..same).unwrap_or_default();
        let newlines = memchr::memchr_iter(b'\n', common).count() as u64;
        if let Some(last) = memchr::memrchr(b'\n', common) {
            prefix = CommonPrefix { bytes: at + last as u64 + 1, lines: prefix.lines + newlines };
            since_line = (same - last - 1) as u64;
        } else {
            since_line += same as u64;
        }
        at += same as u64;
        if same < left.len() || n_left == 0 {
            // The shorter dump may end inside a line of the longer one.
            if at == a.size().min(b.size()) && since_line > 0 {
                prefix = CommonPrefix { bytes: at, lines: prefix.lines + 1 };
            }
            return Ok(prefix);
        }
    }
}
