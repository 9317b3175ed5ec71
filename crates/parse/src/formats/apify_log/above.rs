//! The event being put together.

use super::event::Style;
use super::join::Shapes;
use super::levels::Anchor;
use super::line::{Line, Stamping};
use crate::limits::{MAX_EVENT_BYTES, MAX_EVENT_LINES};
use crate::record::{Amount, Batch, Flags, Span, Stream};
use crate::time::Micros;

/// The event whose end has not been seen. Positions are the window's.
#[derive(Debug, Clone, Copy)]
pub(super) struct Above<'a> {
    /// The batch before it, to which a window that ends too early returns.
    pub before: Snapshot,
    /// Behind the last line that belongs to it.
    pub end: usize,
    /// Behind the text of that line.
    pub text_end: usize,
    /// Length of its first line, newline included.
    pub first_len: usize,
    /// Behind the text of its first line.
    pub first_end: usize,
    /// Where the text of its first line starts.
    pub text_start: usize,
    /// Physical lines.
    pub n_lines: u32,
    /// Level, style, logger and start of the message.
    pub anchor: Anchor,
    /// The message of a JSON line.
    pub msg: Span,
    /// First stamp present.
    pub ts: Option<Micros>,
    /// First line's time of day, where that is all its stamp states.
    pub clock: Option<Micros>,
    /// Latest stamp of its lines and of the blank lines behind it.
    pub until: Option<Micros>,
    /// Where it is relayed from.
    pub relay: Option<Stream<'a>>,
    /// Text of the last line.
    pub last: &'a [u8],
    /// What is open in it.
    pub shapes: Shapes,
    /// Whether its first line has been stamped.
    pub head: Stamping,
    /// Whether any of its lines has.
    pub stamping: Stamping,
    /// Oddities.
    pub flags: Flags,
    /// Blank lines behind it, which belong to it if another of its lines follows.
    pub blanks: Amount,
    /// First stamp of those lines.
    blank_ts: Option<Micros>,
    /// Whether any of them has one.
    blank_stamping: Stamping,
    /// Lines behind it that are none of the log's.
    pub rejected: Amount,
    /// Where those lie.
    pub rejected_at: Span,
    /// Lines of the window before the first of them.
    pub rejected_line: u32,
}

/// A state of a batch, its account aside: an event is accounted for when its end has been seen.
#[derive(Debug, Clone, Copy)]
pub(super) struct Snapshot {
    /// Bytes of the window read.
    pub at: usize,
    /// Lines of the window read.
    pub line: u32,
    records: usize,
    marks: usize,
    streams: usize,
    pub(super) issues: usize,
}

impl Snapshot {
    /// The batch as it is after `at` bytes and `line` lines.
    #[inline]
    pub(super) fn of(out: &Batch<'_>, at: usize, line: u32) -> Self {
        Self {
            at,
            line,
            records: out.records.len(),
            marks: out.marks.len(),
            streams: out.streams.len(),
            issues: out.issues.len(),
        }
    }

    /// Takes back all records, marks and issues that came since.
    pub(super) fn restore(&self, out: &mut Batch<'_>) {
        out.records.truncate(self.records);
        out.marks.truncate(self.marks);
        out.streams.truncate(self.streams);
        out.issues.truncate(self.issues);
    }
}

impl<'a> Above<'a> {
    /// An event that begins with `line`, which ends at `end`.
    #[inline]
    pub(super) fn begin(
        before: Snapshot,
        end: usize,
        line: &Line<'a>,
        head: (Anchor, Span),
        shapes: Shapes,
    ) -> Self {
        let (anchor, msg) = head;
        let text_end = before.at + line.bytes.len();
        Self {
            before,
            end,
            text_end,
            first_len: end - before.at,
            first_end: text_end,
            text_start: before.at + line.text_at,
            n_lines: 1,
            anchor,
            msg,
            ts: line.ts.or(anchor.ts),
            clock: line.clock,
            until: line.ts.or(anchor.ts),
            relay: line.relay,
            last: line.text(),
            shapes,
            head: line.stamping,
            stamping: line.stamping,
            flags: Flags::NONE,
            blanks: Amount::default(),
            blank_ts: None,
            blank_stamping: Stamping::Unstamped,
            rejected: Amount::default(),
            rejected_at: Span::default(),
            rejected_line: 0,
        }
    }

    /// Keeps a blank line of `len` bytes until it is clear whose it is.
    pub(super) fn blank(&mut self, len: usize, line: &Line<'a>) {
        self.blanks.add(len, 1);
        self.blank_ts = self.blank_ts.or(line.ts);
        if line.run_id() == self.run_id() {
            self.until = self.until.max(line.ts);
        }
        if line.stamping == Stamping::Stamped {
            self.blank_stamping = Stamping::Stamped;
        }
    }

    /// Adds a line that starts at `start` and ends at `end`, and the blank lines before it.
    pub(super) fn join(&mut self, start: usize, end: usize, line: &Line<'a>) {
        self.n_lines = self.n_lines.saturating_add(self.blank_lines()).saturating_add(1);
        self.blanks = Amount::default();
        self.end = end;
        self.until = self.until.max(line.ts);
        self.text_end = start + line.bytes.len();
        self.last = line.text();
        let is_stamped = line.stamping == Stamping::Stamped || self.blank_stamping == Stamping::Stamped;
        if is_stamped && self.stamping == Stamping::Unstamped {
            self.stamping = Stamping::Stamped;
            self.flags = self.flags.with(Flags::UNSTAMPED);
        }
        if line.stamping == Stamping::Unstamped && self.stamping == Stamping::Stamped {
            self.flags = self.flags.with(Flags::UNSTAMPED);
        }
        self.ts = self.ts.or(self.blank_ts.take()).or(line.ts);
        self.blank_stamping = Stamping::Unstamped;
    }

    /// Whether a line that ends at `end` would make it longer than an event may be.
    pub(super) fn is_full(&self, end: usize) -> bool {
        end - self.before.at > MAX_EVENT_BYTES
            || self.n_lines.saturating_add(self.blank_lines()) >= MAX_EVENT_LINES
    }

    /// Whether what lies behind it is as long as an event may be.
    pub(super) fn is_followed_too_far(&self, end: usize) -> bool {
        let lines = self.blanks.lines + self.rejected.lines + u64::from(self.n_lines);
        end - self.before.at > MAX_EVENT_BYTES || lines > u64::from(MAX_EVENT_LINES)
    }

    /// Behind the blank lines behind it.
    pub(super) fn end_with_blanks(&self) -> usize {
        usize::try_from(self.blanks.bytes).map_or(self.end, |blanks| self.end + blanks)
    }

    /// Run id of the relay it came through.
    pub(super) fn run_id(&self) -> &'a [u8] {
        self.relay.map_or(b"", |relay| relay.run_id)
    }

    /// Whether lines without a stamp below it are not the log's: `ACTOR: Build finished.` and
    /// `ACTOR: ERROR…` end it.
    pub(super) fn is_end(&self) -> bool {
        let rest = self.last.strip_prefix(b"ACTOR: ").unwrap_or_default();
        self.anchor.style == Style::Platform
            && self.stamping == Stamping::Stamped
            && self.n_lines == 1
            && (rest.starts_with(b"Build finished") || rest.starts_with(b"ERROR"))
    }

    fn blank_lines(&self) -> u32 {
        u32::try_from(self.blanks.lines).unwrap_or(u32::MAX)
    }
}
