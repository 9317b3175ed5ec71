//! Records: what a format found in a window, borrowed from it.
//!
//! Owns the record and the byte account of a batch. The marks that records carry
//! are in [`crate::mark`], the problems in [`crate::issue`].

use crate::issue::Issue;
use crate::mark::{Mark, Marked};
use crate::text::Text;
use crate::time::Micros;
use crate::vocabulary::{Class, Level};

/// A stretch of a window, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Span {
    /// First byte, counted from the start of the window.
    pub start: usize,
    /// First byte behind it.
    pub end: usize,
}

impl Span {
    /// Length in bytes.
    #[must_use]
    pub const fn len(self) -> usize {
        self.end - self.start
    }

    /// Whether it holds no byte.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.start == self.end
    }
}

/// One event: one thing said at one instant, with all its physical lines.
#[derive(Debug, Clone, Copy)]
pub struct Record<'a> {
    /// Where the event stands, first byte to last newline.
    pub span: Span,
    /// Lines of the window before the event's first line.
    pub line: u32,
    /// Physical lines of the event; 0 when it starts on the line of the record before it (JSON).
    pub n_lines: u32,
    /// Events told by this record, as a rule 1. Where a format is asked for [`Wants::Counts`], it may tell events
    /// that follow each other as one: of one line, level and class each, without marks, their stamps `ts` to `until`
    /// not stepping back. Logger, message and payload are then the first one's.
    pub n_events: u32,
    /// First stamp present.
    pub ts: Option<Micros>,
    /// Latest stamp of its lines, of its copies and of the blank lines behind it, where a source stamps
    /// every line: until then the log was being written.
    pub until: Option<Micros>,
    /// Time of day in microseconds, where a paste has kept the time and lost the date. Differences of
    /// such times give durations; the instant stays unknown.
    pub clock: Option<Micros>,
    /// Level at the anchored position.
    pub level: Level,
    /// What the event says.
    pub class: Class,
    /// Logger prefix, connector id or tool; empty where none stands.
    pub logger: &'a [u8],
    /// The message, without stamps, level, logger and payload.
    pub message: Text<'a>,
    /// The trailing JSON object (or the source's own data), if there is one.
    pub payload: Option<Text<'a>>,
    /// Whose event it is: 0 for the file's own run, else the n-th of [`Batch::streams`].
    pub stream: u32,
    /// What was odd about it.
    pub flags: Flags,
    /// What the event shows about the kind of run it belongs to.
    pub evidence: Evidence,
}

/// Oddities of a record, as a set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Flags(u8);

impl Flags {
    /// Nothing odd.
    pub const NONE: Self = Self(0);
    /// Its bytes are not valid UTF-8; decoding replaces some.
    pub const LOSSY: Self = Self(1);
    /// One of its lines has no stamp where others have one.
    pub const UNSTAMPED: Self = Self(2);
    /// It is not all there: an unclosed payload, or cut at a size limit.
    pub const TRUNCATED: Self = Self(4);

    /// Whether all of `other` is set.
    #[must_use]
    pub const fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Both sets together.
    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// What a record shows about the kind of run it belongs to, as a set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Evidence(u8);

impl Evidence {
    /// Nothing.
    pub const NONE: Self = Self(0);
    /// It belongs to a run.
    pub const RUN: Self = Self(1);
    /// It belongs to a build.
    pub const BUILD: Self = Self(2);

    /// Whether all of `other` is set.
    #[must_use]
    pub const fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Both sets together.
    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// A run whose log is relayed inside another's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stream<'a> {
    /// Name of the relayed program.
    pub name: &'a [u8],
    /// Its run id.
    pub run_id: &'a [u8],
}

/// A quantity of input: bytes and physical lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Amount {
    /// Bytes.
    pub bytes: u64,
    /// Physical lines.
    pub lines: u64,
}

impl Amount {
    /// Adds `bytes` and `lines`.
    pub const fn add(&mut self, bytes: usize, lines: u32) {
        self.bytes += bytes as u64;
        self.lines += lines as u64;
    }
}

/// Where every byte and every line of the parsed input went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Account {
    /// First lines of events, or the elements that are events.
    pub record: Amount,
    /// Further lines of events.
    pub continuation: Amount,
    /// Blank lines, byte order marks, JSON punctuation, keys and fields that are no event.
    pub structure: Amount,
    /// Repetitions: replays, repeated pages, doubled records.
    pub duplicate: Amount,
    /// What could not be read as anything.
    pub rejected: Amount,
}

impl Account {
    /// The sum of all parts.
    #[must_use]
    pub const fn total(&self) -> Amount {
        let Self { record, continuation, structure, duplicate, rejected } = *self;
        Amount {
            bytes: record.bytes + continuation.bytes + structure.bytes + duplicate.bytes + rejected.bytes,
            lines: record.lines + continuation.lines + structure.lines + duplicate.lines + rejected.lines,
        }
    }

    /// Adds another account to this one.
    pub const fn merge(&mut self, other: &Self) {
        self.record.bytes += other.record.bytes;
        self.record.lines += other.record.lines;
        self.continuation.bytes += other.continuation.bytes;
        self.continuation.lines += other.continuation.lines;
        self.structure.bytes += other.structure.bytes;
        self.structure.lines += other.structure.lines;
        self.duplicate.bytes += other.duplicate.bytes;
        self.duplicate.lines += other.duplicate.lines;
        self.rejected.bytes += other.rejected.bytes;
        self.rejected.lines += other.rejected.lines;
    }
}

/// What the caller is going to use; a format may leave the rest out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Wants {
    /// Records, and of the marks those that cost nothing.
    Records,
    /// As [`Wants::Runs`], but of an event that is no warning, no error and no mark's the message may still
    /// have its payload at its end, and one record may stand for several of them.
    Counts,
    /// Everything that tables of runs need; no marks about single requests, no metric marks.
    Runs,
    /// All but metric marks.
    Requests,
    /// All marks.
    Everything,
}

/// Everything a format found in one window. Owned by the caller and reused.
#[derive(Debug)]
pub struct Batch<'a> {
    /// Events in the order they stand in the input; of a document whose own order means nothing, in the
    /// order they happened. Their spans never overlap.
    pub records: Vec<Record<'a>>,
    /// Marks, ordered by the record they belong to.
    pub marks: Vec<Marked<'a>>,
    /// Runs relayed inside this one; a record's `stream` n is entry n − 1.
    pub streams: Vec<Stream<'a>>,
    /// Problems, ordered by where they stand.
    pub issues: Vec<Issue>,
    /// Where the consumed bytes and lines went.
    pub account: Account,
    /// What the caller is going to use.
    pub wants: Wants,
}

impl<'a> Batch<'a> {
    /// An empty batch.
    #[must_use]
    pub fn new(wants: Wants) -> Self {
        Self {
            records: Vec::new(),
            marks: Vec::new(),
            streams: Vec::new(),
            issues: Vec::new(),
            account: Account::default(),
            wants,
        }
    }

    /// Empties the batch and lends its buffers to the next window.
    #[must_use]
    pub fn recycle<'b>(self) -> Batch<'b> {
        Batch {
            records: reuse(self.records),
            marks: reuse(self.marks),
            streams: reuse(self.streams),
            issues: reuse(self.issues),
            account: Account::default(),
            wants: self.wants,
        }
    }

    /// Attaches a mark to the record that will be pushed next, at that record's instant.
    pub fn mark(&mut self, mark: Mark<'a>) {
        let record = self.records.len();
        self.marks.push(Marked { record, mark });
    }
}

/// Records that wait at least before they leave a batch early: few enough for a processor's cache. Tests are
/// built so that every chance to leave is taken.
const PART_RECORDS: usize = if cfg!(debug_assertions) { 1 } else { 2048 };

/// When the records of a document leave the batch. A large document has more of them than any cache holds,
/// and writing and reading them there takes longer than finding them.
pub enum Delivery<'p> {
    /// All at its end.
    AtEnd,
    /// With their marks whenever there are many, at a place where no later byte changes anything about them.
    /// Issues and account stay behind.
    InParts(&'p mut dyn FnMut(&Batch<'_>)),
}

impl Delivery<'_> {
    /// Hands records and marks over, if it is time for that and no mark waits for a record to come.
    pub(crate) fn offer(&mut self, out: &mut Batch<'_>) {
        if let Self::InParts(take) = self
            && out.records.len() >= PART_RECORDS
            && out.marks.last().is_none_or(|marked| marked.record < out.records.len())
        {
            let (issues, account) = (std::mem::take(&mut out.issues), std::mem::take(&mut out.account));
            take(out);
            (out.issues, out.account) = (issues, account);
            out.records.clear();
            out.marks.clear();
        }
    }
}

impl std::fmt::Debug for Delivery<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if matches!(self, Self::AtEnd) { "AtEnd" } else { "InParts" })
    }
}

/// The allocation of an emptied vector, for elements that differ in lifetime only.
/// (`into_iter().map().collect()` works in place; the vector is empty, so nothing moves.)
fn reuse<A, B>(mut vector: Vec<A>) -> Vec<B> {
    vector.clear();
    vector.into_iter().filter_map(|_| None).collect()
}
