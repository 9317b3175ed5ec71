//! Rows of ordinary events: events of one line that mean nothing, one below the other. Most of a log is that,
//! and where only counts are wanted a whole row is told as one record.
//!
//! The last line of a row may still turn out to be the first of several: then it is taken out again, and
//! [`super::read`] puts it together as it does all others.

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
    /// Where the last one starts.
    last_at: usize,
    /// Stamp of the one before it.
    before_last: Micros,
    /// The last one.
    last: Ordinary<'a>,
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

/// The last line of a row, to be read again.
#[derive(Debug, Clone, Copy)]
pub(super) struct Last {
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
        Self { record, last_at: span.start, before_last: ts, last: ordinary }
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
            self.before_last = self.last.ts;
            self.last_at = span.start;
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

    /// Reports all but the last event, and says where that stands.
    pub(super) fn close_before_last(&self, out: &mut Batch<'a>) -> Last {
        let Record { span, line, n_lines, .. } = self.record;
        if n_lines > 1 {
            let before = Record {
                span: Span { start: span.start, end: self.last_at },
                n_lines: n_lines - 1,
                n_events: n_lines - 1,
                until: Some(self.before_last),
                ..self.record
            };
            Self { record: before, ..*self }.close(out);
        }
        Last { at: self.last_at, line: line + n_lines - 1, end: span.end }
    }
}
