//! Rows of ordinary events: events of one line that mean nothing, one below the other. Most of a log is that,
//! and where only counts are wanted a whole row is told as one record.
//!
//! The last line of a row may still turn out to be the first of several, which may repeat the event before it: then
//! both are taken out again, and [`super::read`] puts them together as it does all others.

use super::copies::may_be_copy;
use super::event::Style;
use super::join::Shapes;
use super::levels::Anchor;
use super::meaning::{self, Meaning};
use super::payload::is_closed;
use crate::record::{Batch, Flags, Record, Span};
use crate::text::Text;
use crate::time::Micros;
use crate::vocabulary::Level;

/// Events of one line, level and class whose stamps do not step back; no other bytes lie between them.
#[derive(Debug, Clone, Copy)]
pub(super) struct Row<'a> {
    /// All of them as one record.
    record: Record<'a>,
    /// The last one.
    last: Ordinary<'a>,
    /// Where that is taken out.
    last_place: Place,
    /// Where the one before it is taken out, if a copy of that could follow.
    original: Option<Place>,
}

/// Where a row is divided.
#[derive(Debug, Clone, Copy)]
struct Place {
    /// Where the event behind it starts.
    at: usize,
    /// Stamp of the event in front of it.
    before: Micros,
}

/// What is known of an ordinary event.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ordinary<'a> {
    /// Its instant.
    ts: Micros,
    /// How its level is written.
    style: Style,
    /// Its level.
    level: Level,
    /// Its message, which may have data at its end.
    message: &'a [u8],
    /// What it means.
    meaning: Meaning,
    /// What could join it.
    pub shapes: Shapes,
}

/// A line of a row that is to be read again.
#[derive(Debug, Clone, Copy)]
pub(super) struct Again {
    /// Where it starts.
    pub at: usize,
    /// Lines of the window before it.
    pub line: u32,
    /// Behind its newline.
    pub end: usize,
}

impl<'a> Ordinary<'a> {
    /// An event of one line, if it is an ordinary one: its level is none that is counted, and its message, which
    /// has no blanks at its end, means nothing.
    #[inline]
    pub(super) fn of(ts: Micros, anchor: &Anchor, message: &'a [u8]) -> Option<Self> {
        let Anchor { style, level, .. } = *anchor;
        if level.is_error() || level == Level::Warn {
            return None;
        }
        let meaning = meaning::ordinary(style, message)?;
        let shapes = Shapes::begin(style, level, message);
        (shapes.is_closed() && is_closed(message)).then_some(Self {
            ts,
            style,
            level,
            message,
            meaning,
            shapes,
        })
    }

    /// Whether the event below it may be a copy of it.
    const fn may_be_original(&self) -> bool {
        matches!(self.style, Style::Python | Style::Stdlib)
    }
}

impl<'a> Row<'a> {
    /// A row of one event.
    #[inline]
    pub(super) fn begin(ordinary: Ordinary<'a>, logger: &'a [u8], span: Span, line: u32) -> Self {
        let Ordinary { ts, level, message, meaning, .. } = ordinary;
        let record = Record {
            span,
            line,
            n_lines: 1,
            n_events: 1,
            ts: Some(ts),
            until: Some(ts),
            clock: None,
            level,
            class: meaning.class,
            logger,
            message: Text::plain(message),
            payload: None,
            stream: 0,
            flags: Flags::NONE,
            evidence: meaning.evidence,
        };
        Self { record, last: ordinary, last_place: Place { at: span.start, before: ts }, original: None }
    }

    /// Adds the event that stands in `span`, unless it differs.
    #[inline]
    pub(super) fn add(&mut self, next: &Ordinary<'a>, span: Span) -> bool {
        let record = &mut self.record;
        let is_alike = next.level == record.level
            && next.meaning.class == record.class
            && next.meaning.evidence == record.evidence
            && next.ts >= self.last.ts
            && record.span.end == span.start;
        if is_alike {
            record.span.end = span.end;
            record.n_lines += 1;
            record.n_events += 1;
            record.until = Some(next.ts);
            self.original = self.last.may_be_original().then_some(self.last_place);
            self.last_place = Place { at: span.start, before: self.last.ts };
            self.last = *next;
        }
        is_alike
    }

    /// What is open in its last event, and the message of that event.
    pub(super) const fn open(&self) -> (Shapes, &'a [u8]) {
        (self.last.shapes, self.last.message)
    }

    /// Whether `line` may be a copy of the last event.
    #[inline]
    pub(super) fn may_be_copied(&self, line: &[u8]) -> bool {
        self.last.may_be_original() && may_be_copy(line)
    }

    /// Reports all of the row.
    pub(super) fn close(&self, out: &mut Batch<'a>) {
        out.account.record.add(self.record.span.len(), self.record.n_lines);
        out.records.push(self.record);
    }

    /// Reports all but the last event and, if the last one could turn out to be its copy, the one before it. Says
    /// where these two stand.
    pub(super) fn close_before_last(&self, out: &mut Batch<'a>) -> (Option<Again>, Again) {
        let Record { span, line, n_lines, .. } = self.record;
        let last = Again { at: self.last_place.at, line: line + n_lines - 1, end: span.end };
        let original = self.original.map(|place| Again { at: place.at, line: last.line - 1, end: last.at });
        self.close_before(
            self.original.unwrap_or(self.last_place),
            n_lines - 1 - u32::from(original.is_some()),
            out,
        );
        (original, last)
    }

    /// Reports the first `n` events, up to a place.
    fn close_before(&self, place: Place, n: u32, out: &mut Batch<'a>) {
        if n > 0 {
            let span = Span { start: self.record.span.start, end: place.at };
            let record = Record { span, n_lines: n, n_events: n, until: Some(place.before), ..self.record };
            Self { record, ..*self }.close(out);
        }
    }
}
