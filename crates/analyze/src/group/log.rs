//! Reading one log into shards, by one thread or by all of them.
//!
//! Owns the account of the bytes that came, so that it can be held against what the formats say they
//! found, and what happens where reading ends early: all records in front of that place are kept,
//! nothing behind it, however many threads there were.

use std::cell::Cell;
use std::io::{self, Read};

use logmill_parse::{Account, Amount, Batch, Code, End, Format, Shape, Wants, Window};

use super::Reading;
use super::body::{self, Body, Stream, count_chars, count_lines};
use crate::assemble;
use crate::document::{self, Document, DocumentShard, Part};
use crate::identity::PathIdentity;
use crate::input::ReadAt;
use crate::pipeline::{self, Options};
use crate::read::{self, CommonPrefix, Prints, Range, Sink, Stretch};
use crate::shard::{Boundary, Collector, Shard};

/// Windows that are cut and read before the next ones are: some GiB.
const WINDOWS_AT_ONCE: u64 = 1024;
/// Shards of one input that wait to be assembled, for each thread: enough that threads seldom wait for the
/// slowest among them.
const SHARDS_PER_THREAD: usize = 32;
/// Windows that a scope holds before a further one is opened.
const WINDOWS_OF_SCOPE: u64 = 8;
/// Fingerprints that are kept of one log; one of more records is not compared with others.
const MAX_PRINTS: usize = 4 << 20;

/// What reading one log gives beside its shards.
#[derive(Debug, Default)]
pub struct ReadLog {
    /// Bytes and lines of the log that no format has seen, beside those of [`unseen`].
    pub account: Account,
    /// Bytes that were read.
    pub bytes: u64,
    /// How it begins.
    pub begins: Begins,
    /// Fingerprints of the records, where they were wanted and not too many.
    pub prints: Vec<u64>,
    /// Whether there are too many of them.
    has_too_many: bool,
    /// Whether a shard with events has been handed on.
    has_events: bool,
    /// Why it ends early.
    pub failure: Option<io::Error>,
    /// Characters, where they might reach the platform's limit.
    pub chars: Option<u64>,
}

/// How a log begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Begins {
    /// As a run does.
    Run,
    /// Not as runs do: it may be a further part of one.
    #[default]
    Anywhere,
}

/// What is to be read, and what for.
#[derive(Clone, Copy)]
pub struct Task<'t> {
    /// How it is read.
    pub reading: Reading,
    /// What it has in common with another dump.
    pub prefix: CommonPrefix,
    /// Records that stand in other parts, of a document.
    pub skipped: usize,
    /// Whether fingerprints are needed.
    pub prints: Prints,
    /// How everything is read.
    pub options: &'t Options,
    /// Whose it is, if no other input has to do with it.
    pub alone: Option<Alone<'t>>,
}

/// The only input of a group.
#[derive(Clone, Copy)]
pub struct Alone<'t> {
    /// What its path tells.
    pub path: &'t PathIdentity,
    /// Its index.
    pub input: usize,
}

/// The bytes and lines in front of the first that a format sees: the byte order mark, or what another
/// dump has, too.
pub fn unseen(task: &Task<'_>) -> Account {
    let mut account = Account::default();
    if task.prefix == CommonPrefix::NONE {
        account.structure.bytes = task.reading.bom;
    } else {
        account.duplicate = Amount { bytes: task.prefix.bytes, lines: task.prefix.lines };
    }
    account
}

/// Takes the shards of a log, in order.
pub type Take<'t> = &'t mut (dyn FnMut(Shard) + Send);

/// Reads a log and hands on its shards.
pub fn read_log(body: Body, task: Task<'_>, take: Take<'_>) -> ReadLog {
    match task.reading.shape {
        Shape::Document => read_document(body, task, take),
        Shape::Windows | Shape::Sequence => read_text(body, task, take),
    }
}

fn read_document(body: Body, task: Task<'_>, take: Take<'_>) -> ReadLog {
    let Task { reading: Reading { format, bom, .. }, skipped, prints, options, alone, .. } = task;
    if body.size().is_some_and(|size| size > document::MAX_DOCUMENT_BYTES) {
        return too_large(body.measure(), &task, take);
    }
    let is_random = matches!(body, Body::Random(..));
    let (bytes, failure) = body.into_bytes(document::MAX_DOCUMENT_BYTES + 1);
    if bytes.len() as u64 > document::MAX_DOCUMENT_BYTES {
        return too_large((bytes.len() as u64, count_lines(&bytes), failure), &task, take);
    }
    let rest = usize::try_from(bom).ok().and_then(|bom| bytes.get(bom..)).unwrap_or_default();
    let document = Document { bytes: rest, start: bom };
    let mut result = ReadLog { bytes: bom, ..ReadLog::default() };
    // What is compared with other documents is compared whole.
    let parts = alone.and_then(|Alone { path, input }| {
        document::read_in_parts(format, document, options, |shard| {
            assemble::named_runs(format.about(), path, input, shard);
        })
    });
    if let Some(parts) = parts {
        // Of parts that were all joined, one is left, which is the document.
        let is_divided = is_random && parts.len() > 1;
        for Part { carry, bytes, mut shard, .. } in parts {
            shard.part = is_divided.then_some((result.bytes, carry));
            result.join(Stretched { shard, bytes, prints: Vec::new(), failure: None }, take);
        }
        result.failure = failure;
    } else {
        let DocumentShard { shard, prints } =
            document::read_whole(format, document, options, skipped, prints);
        result.join(Stretched { shard, bytes: rest.len() as u64, prints, failure }, take);
    }
    body::give_back(bytes);
    result
}

/// A document that is not read, of so many bytes and lines.
fn too_large(
    (bytes, lines, failure): (u64, u64, Option<io::Error>),
    task: &Task<'_>,
    take: Take<'_>,
) -> ReadLog {
    let bom = task.reading.bom;
    let mut result = ReadLog { bytes: bytes.max(bom), failure, ..ReadLog::default() };
    result.account.rejected = Amount { bytes: bytes.saturating_sub(bom), lines };
    let mut collector = Collector::new(0, task.options);
    collector.issue_at_end(Code::DocumentTooLarge, "expected at most 1 GiB of JSON in one document");
    take(collector.finish());
    result
}

fn read_text(body: Body, task: Task<'_>, take: Take<'_>) -> ReadLog {
    let Reading { format, shape, bom } = task.reading;
    let start = if task.prefix == CommonPrefix::NONE { bom } else { task.prefix.bytes };
    let mut result = ReadLog { bytes: start, ..ReadLog::default() };
    let limit = format.about().limit_chars;
    let reader = Reader { format, limit, prints: task.prints, options: task.options };
    match body {
        Body::Whole(bytes, failure) => {
            let rest = usize::try_from(start).ok().and_then(|start| bytes.get(start..)).unwrap_or_default();
            result.join(reader.read_whole(rest, start), take);
            result.failure = result.failure.take().or(failure);
            result.chars = reader.chars(&bytes);
            body::give_back(bytes);
        }
        Body::Random(content, size) => {
            let content = content.as_ref();
            if shape == Shape::Windows {
                reader.windows(content, start, size, &mut result, take);
            } else {
                let mut range = Range { content, start, end: size.max(start) };
                let len = Some(size.saturating_sub(start));
                result.join(reader.read(&mut range, start, len, End::Input), take);
            }
            if result.failure.is_none() {
                result.failure = body::changed(content, size, size);
            }
            result.chars = reader.chars_of(content, size);
        }
        Body::Stream(head, stream) => {
            let skip = usize::try_from(start).unwrap_or(usize::MAX).min(head.len());
            let n_chars = Cell::new(count_chars(head.get(..skip).unwrap_or_default()));
            let bytes = head.get(skip..).unwrap_or_default().chain(stream);
            let mut bytes = CountChars { bytes, n_chars: &n_chars };
            result.join(reader.read(&mut bytes, start, None, End::Input), take);
            result.chars = limit.map(|_| n_chars.get());
        }
    }
    result
}

/// Leaves out all of a log, whose shards are given: another part has it already.
pub fn leave_out(shards: Vec<Shard>) -> Shard {
    let mut all = Shard::default();
    let mut n_events = 0;
    for shard in shards {
        all.account.merge(&shard.account);
        all.n_newlines += shard.n_newlines;
        all.last_line = shard.last_line.or(all.last_line);
        n_events += shard.n_events;
    }
    let Account { record, continuation, duplicate, .. } = &mut all.account;
    for part in [record, continuation] {
        duplicate.bytes += part.bytes;
        duplicate.lines += part.lines;
        *part = Amount::default();
    }
    all.issues.push_whole(
        Code::OverlappingPage,
        format!("all of its {n_events} records stand in another part of the log already"),
    );
    all
}

/// A stretch that has been read.
struct Stretched {
    shard: Shard,
    bytes: u64,
    prints: Vec<u64>,
    failure: Option<io::Error>,
}

impl ReadLog {
    /// A log that could not be opened.
    pub fn failed(failure: io::Error) -> Self {
        Self { failure: Some(failure), ..Self::default() }
    }

    /// Adds the next stretch; none follows one that ended early.
    fn join(&mut self, mut next: Stretched, take: Take<'_>) {
        if self.failure.is_some() {
            return;
        }
        self.bytes += next.bytes;
        self.has_too_many |= self.prints.len() + next.prints.len() > MAX_PRINTS;
        if self.has_too_many {
            self.prints = Vec::new();
        } else {
            self.prints.append(&mut next.prints);
        }
        self.failure = next.failure;
        let first = next.shard.scopes.iter().find(|scope| scope.tally.n_events > 0);
        if let Some(first) = first.filter(|_| !self.has_events) {
            self.has_events = true;
            if let Some(Boundary::Opening(opening)) = &first.boundary
                && opening.rank == 0
            {
                self.begins = Begins::Run;
            }
        }
        take(next.shard);
    }
}

/// What stands in a text in front of its record with this number, counted behind `prefix`: `None` if
/// it has no such record any more.
pub fn prefix_of(body: Body, task: &Task<'_>, number: usize) -> Option<CommonPrefix> {
    let Task { reading, prefix, options, .. } = *task;
    let start = if prefix.bytes == 0 { reading.bom } else { prefix.bytes };
    let found = Cell::new(None);
    let mut place = PlaceSink { left: number, bytes: start, lines: prefix.lines, found: &found };
    let mut bytes = Until { bytes: body.into_stream(), found: &found };
    io::copy(&mut bytes.by_ref().take(start), &mut io::sink()).ok()?;
    let stretch = Stretch { format: reading.format, bytes: &mut bytes, start, len: None, end: End::Input };
    // Reading may end in an error behind the record.
    let _ = read::read_stretch(stretch, options.window_bytes, Wants::Runs, &mut place);
    found.get()
}

/// Looks for a record by its number.
struct PlaceSink<'p> {
    left: usize,
    bytes: u64,
    lines: u64,
    found: &'p Cell<Option<CommonPrefix>>,
}

impl Sink for PlaceSink<'_> {
    fn batch(&mut self, batch: &Batch<'_>, _bytes: &[u8], consumed: usize) {
        if self.found.get().is_some() {
            return;
        }
        if let Some(record) = batch.records.get(self.left) {
            let (bytes, lines) = (record.span.start as u64, u64::from(record.line));
            self.found.set(Some(CommonPrefix { bytes: self.bytes + bytes, lines: self.lines + lines }));
        }
        self.left = self.left.saturating_sub(batch.records.len());
        self.bytes += consumed as u64;
        self.lines += batch.account.total().lines;
    }

    fn issue(&mut self, _code: Code, _message: &str) {}
}

/// A stream that ends when a record has been found.
struct Until<'u> {
    bytes: Stream,
    found: &'u Cell<Option<CommonPrefix>>,
}

impl Read for Until<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.found.get().is_some() { Ok(0) } else { self.bytes.read(buffer) }
    }
}

/// How the stretches of a log are read.
#[derive(Clone, Copy)]
struct Reader<'r> {
    format: &'static dyn Format,
    /// Characters at which the platform cuts its logs.
    limit: Option<u64>,
    prints: Prints,
    options: &'r Options,
}

impl Reader<'_> {
    /// What the format is asked for. A fingerprint is one of the whole message, without its payload.
    const fn wants(&self) -> Wants {
        match (self.options.detail.wants(), self.prints) {
            (Wants::Runs, Prints::Unwanted) => Wants::Counts,
            (wants, _) => wants,
        }
    }

    /// What collects a stretch that begins at `start`.
    fn sink(&self, start: u64) -> ShardSink {
        ShardSink {
            collector: Collector::new(start, self.options),
            scope_bytes: self.options.window_bytes as u64 * WINDOWS_OF_SCOPE,
            wanted: self.prints,
            prints: Vec::new(),
        }
    }

    /// Reads a text that is in memory, which begins at `start`, where it stands.
    fn read_whole(&self, bytes: &[u8], start: u64) -> Stretched {
        let mut sink = self.sink(start);
        let window = Window { bytes, offset: start, end: End::Input };
        read::read_window(self.format, window, self.wants(), &mut sink);
        Stretched {
            shard: sink.collector.finish(),
            bytes: bytes.len() as u64,
            prints: sink.prints,
            failure: None,
        }
    }

    /// Reads one stretch, which begins at `start` and has `len` bytes, where that is known.
    fn read(&self, bytes: &mut dyn Read, start: u64, len: Option<u64>, end: End) -> Stretched {
        let n_bytes = Cell::new(0);
        let mut bytes = Count { bytes, n_bytes: &n_bytes };
        let mut sink = self.sink(start);
        let stretch = Stretch { format: self.format, bytes: &mut bytes, start, len, end };
        let result = read::read_stretch(stretch, self.options.window_bytes, self.wants(), &mut sink);
        let read = n_bytes.get();
        let is_short = |len: &u64| read < *len;
        let short = || len.filter(is_short).map(|len| body::shrunk(start + read, start + len));
        Stretched {
            shard: sink.collector.finish(),
            bytes: read,
            prints: sink.prints,
            failure: result.err().or_else(short),
        }
    }

    /// Reads a large text in windows, by all threads. What they come down to is handed on in order, while
    /// others are read.
    fn windows(&self, content: &dyn ReadAt, start: u64, size: u64, result: &mut ReadLog, take: Take<'_>) {
        let window = (self.options.window_bytes as u64).max(1);
        let (mut from, mut nominal) = (start, start);
        while from < size && result.failure.is_none() {
            let last = nominal.saturating_add(window.saturating_mul(WINDOWS_AT_ONCE)).min(size);
            let mut borders = self.borders(content, (from, nominal, last), size);
            // Sizes may be lies: where nothing stands, there is nothing to be divided.
            let is_void =
                || borders.len() == 1 && matches!(content.read_at(last - 1, &mut [0]), Ok(0) | Err(_));
            nominal = if last >= size || is_void() { size } else { last };
            if nominal == size {
                borders.push(size);
            }
            from = borders.last().copied().unwrap_or(size);
            let stretches: Vec<(u64, u64)> =
                borders.iter().copied().zip(borders.iter().copied().skip(1)).collect();
            let read = |&(from, to): &(u64, u64)| {
                let end = if to == size { End::Input } else { End::Cut };
                self.read(&mut Range { content, start: from, end: to }, from, Some(to - from), end)
            };
            let join = |part| {
                result.join(part, take);
                // Nothing behind a failure is read for nothing.
                if result.failure.is_some() { Err(()) } else { Ok(()) }
            };
            let _ = pipeline::in_order(&stretches, SHARDS_PER_THREAD, read, join);
        }
    }

    /// Where the windows between two nominal places start, the first at `from`.
    fn borders(&self, content: &dyn ReadAt, (from, nominal, last): (u64, u64, u64), size: u64) -> Vec<u64> {
        let window = (self.options.window_bytes as u64).max(1);
        let place = |n| nominal.saturating_add(window.saturating_mul(n));
        let places: Vec<u64> =
            (1..=WINDOWS_AT_ONCE).map(place).take_while(|at| *at <= last && *at < size).collect();
        // Where no place to cut can be found, none is needed: the stretch goes on.
        let cuts = pipeline::map(places, |at| {
            read::find_cut(self.format, content, at, at.saturating_add(window).min(size)).ok().flatten()
        });
        let mut borders = vec![from];
        for cut in cuts.into_iter().flatten() {
            if borders.last().is_some_and(|last| *last < cut) && cut < size {
                borders.push(cut);
            }
        }
        borders
    }

    /// Characters of a text that is about as long as the platform lets a log be.
    fn chars(&self, bytes: &[u8]) -> Option<u64> {
        self.limit.filter(|limit| bytes.len() as u64 * 100 >= limit * 99).map(|_| count_chars(bytes))
    }

    fn chars_of(&self, content: &dyn ReadAt, size: u64) -> Option<u64> {
        let limit = self.limit?;
        if size > limit * 4 || size * 100 < limit * 99 {
            return None;
        }
        let n_chars = Cell::new(0);
        let mut bytes = CountChars { bytes: Range { content, start: 0, end: size }, n_chars: &n_chars };
        io::copy(&mut bytes, &mut io::sink()).ok().map(|_| n_chars.get())
    }
}

/// Collects a stretch into a shard.
struct ShardSink {
    collector: Collector,
    /// Bytes that a scope holds before a further one is opened.
    scope_bytes: u64,
    wanted: Prints,
    prints: Vec<u64>,
}

impl Sink for ShardSink {
    fn batch(&mut self, batch: &Batch<'_>, bytes: &[u8], consumed: usize) {
        self.collector.add(batch, bytes, consumed, 0);
        self.collector.split_behind(self.scope_bytes);
        if self.wanted == Prints::Wanted {
            self.prints.extend(read::fingerprints(batch));
            if self.prints.len() > MAX_PRINTS {
                self.wanted = Prints::Unwanted;
            }
        }
    }

    fn issue(&mut self, code: Code, message: &str) {
        self.collector.issue_at_end(code, message);
    }
}

/// Counts the bytes that are read.
struct Count<'c> {
    bytes: &'c mut dyn Read,
    n_bytes: &'c Cell<u64>,
}

impl Read for Count<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.bytes.read(buffer)?.min(buffer.len());
        self.n_bytes.set(self.n_bytes.get() + n as u64);
        Ok(n)
    }
}

/// Counts the characters that are read.
struct CountChars<'c, R> {
    bytes: R,
    n_chars: &'c Cell<u64>,
}

impl<R: Read> Read for CountChars<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.bytes.read(buffer)?;
        self.n_chars.set(self.n_chars.get() + count_chars(buffer.get(..n).unwrap_or_default()));
        Ok(n)
    }
}
