//! Pages of a log: what an envelope says about the lines in it, and where two pages overlap.

use std::borrow::Cow;

use serde_json::Value;

use super::build::{InitEvent, Rest};
use super::element;
use super::model::Line;
use crate::issue::{Code, Issue};
use crate::overlap;
use crate::record::{Batch, Span};
use crate::time::{self, Micros};

/// What one object of the input said.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Page {
    /// Index of its first line.
    pub(super) first_line: usize,
    /// Index of the first line behind it.
    pub(super) end_line: usize,
    /// Whether more lines follow on another page.
    pub(super) truncated: bool,
    /// The platform's clock of the init phase.
    pub(super) event: Option<InitEvent>,
    /// Where that stands: first byte, first byte behind, lines before.
    pub(super) event_span: (usize, usize, u32),
    notes: u8,
}

/// Something seen in an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Note {
    /// Lines, or what belongs to a page of lines.
    Log = 1,
    /// A timestamp field.
    Stamp = 2,
    /// A message field.
    Message = 4,
    /// The mark of another answer of the same API, or of none.
    Other = 8,
}

impl Page {
    /// A page whose first line will be the line with that index.
    pub(super) fn at(first_line: usize) -> Self {
        Self { first_line, ..Self::default() }
    }

    pub(super) fn note(&mut self, note: Note) {
        self.notes |= note as u8;
    }

    pub(super) fn has(&self, note: Note) -> bool {
        self.notes & note as u8 != 0
    }

    /// Whether the object is no page but one line.
    pub(super) fn is_entry(&self) -> bool {
        self.has(Note::Stamp) && self.has(Note::Message) && !self.has(Note::Log)
    }
}

/// The lines of earlier pages, as fingerprints. Nothing is computed before there is a second page.
#[derive(Debug, Default)]
pub(super) struct Seen {
    fingerprints: Vec<u64>,
}

impl Seen {
    /// How many of the lines from `first` on repeat the end of those before it.
    pub(super) fn repeated(&mut self, lines: &[Line<'_>], first: usize) -> usize {
        let next = lines.get(first..).unwrap_or_default();
        if first == 0 || next.is_empty() {
            return 0;
        }
        // Pages are handed out in order; looking back a bounded way keeps many small pages linear.
        let back = next.len().saturating_mul(16).saturating_add(1024);
        let before = lines.get(first.saturating_sub(back)..first).unwrap_or_default();
        if !next.first().is_some_and(|line| stands_in(line, before)) {
            return 0;
        }
        let covered = self.fingerprints.len();
        self.fingerprints.extend(lines.iter().take(first).skip(covered).map(fingerprint));
        let next: Vec<u64> = next.iter().map(fingerprint).collect();
        let from = self.fingerprints.len().saturating_sub(back);
        overlap::repeated(self.fingerprints.get(from..).unwrap_or_default(), &next).len()
    }
}

impl Seen {
    /// Forgets the first lines: their build has been reported.
    pub(super) fn let_go(&mut self, lines: usize) {
        self.fingerprints.drain(..lines.min(self.fingerprints.len()));
    }
}

/// Whether `line` is one of `lines`, which it nearly never is: then their messages need not be looked at.
fn stands_in(line: &Line<'_>, lines: &[Line<'_>]) -> bool {
    line.ts()
        .is_some_and(|ts| lines.iter().any(|other| other.ts() == Some(ts) && other.message == line.message))
}

/// Stamp and message as one number. A line without a stamp equals none.
fn fingerprint(line: &Line<'_>) -> u64 {
    let text = overlap::quick_print(line.message);
    let salt = line.ts().map_or(!(line.span.start as u64), i64::unsigned_abs);
    (text ^ salt).wrapping_mul(0x0100_0000_01b3)
}

/// The `initializing` entry of an `events` array.
pub(super) fn init_event(events: &[u8]) -> Option<InitEvent> {
    let events: Vec<Value> = serde_json::from_slice(events).ok()?;
    let event =
        events.iter().find(|event| event.get("type").and_then(Value::as_str) == Some("initializing"))?;
    let instant = |key| event.get(key).and_then(instant);
    let event = InitEvent { started_at: instant("started_on"), stopped_at: instant("ended_on") };
    (event.started_at.is_some() || event.stopped_at.is_some()).then_some(event)
}

/// An instant as JSON: RFC 3339, or a number of seconds, milliseconds, ….
pub(super) fn instant(value: &Value) -> Option<Micros> {
    match value {
        Value::String(text) => element::instant(text),
        Value::Number(number) => {
            number.as_i64().map_or_else(|| number.as_f64().and_then(time::epoch_f64), time::epoch)
        }
        _ => None,
    }
}

/// How far the platform's clock may lie outside the span of the lines.
const CLOCK_TOLERANCE_US: i64 = 60_000_000;

/// The platform's clock of the init phase, where it agrees with the lines. Each counts for one build.
pub(super) fn take_event(pages: &mut [Page], lines: &[Line<'_>], out: &mut Batch<'_>) -> Option<InitEvent> {
    let page = pages.iter_mut().find(|page| page.event.is_some())?;
    let event = page.event.take()?;
    let stamps = || lines.iter().filter_map(Line::ts);
    let (Some(first), Some(last)) = (stamps().min(), stamps().max()) else { return Some(event) };
    let span = first.saturating_sub(CLOCK_TOLERANCE_US)..=last.saturating_add(CLOCK_TOLERANCE_US);
    let is_near = |at: Option<Micros>| at.is_none_or(|at| span.contains(&at));
    let in_order = event.started_at.zip(event.stopped_at).is_none_or(|(start, stop)| start <= stop);
    if is_near(event.started_at) && is_near(event.stopped_at) && in_order {
        return Some(event);
    }
    let (start, end, line) = page.event_span;
    let message = Cow::Borrowed("expected the phase clock within a minute of the lines, found it elsewhere");
    out.issues.push(Issue { code: Code::ClockMismatch, start, end, line, message });
    None
}

/// Says that the last page of a build promises more lines than there are.
pub(super) fn missing(lines: &[Line<'_>], out: &mut Batch<'_>) -> Rest {
    let (span, line) = lines.last().map_or((Span::default(), 0), |last| (last.span, last.number));
    let message = Cow::Borrowed("expected a page behind one that says `truncated`, found none");
    out.issues.push(Issue { code: Code::MissingPage, start: span.start, end: span.end, line, message });
    Rest::Missing
}

#[cfg(test)]
mod tests {
    use super::super::model::{Dated, Form, Joint};
    use super::*;
    use crate::record::Flags;

    /// A line whose letter tells all of it: the upper case of two has the same stamp, `z` has none.
    fn line((index, letter): (usize, char)) -> Line<'static> {
        Line {
            span: Span { start: index, end: index + 1 },
            number: 0,
            n_lines: 0,
            clock: (letter != 'z').then(|| i64::from(letter.to_ascii_lowercase() as u32)),
            dated: Dated::Yes,
            message: if letter.is_ascii_uppercase() { b"one" } else { b"another" },
            form: Form::Literal,
            joint: Joint::Open,
            flags: Flags::NONE,
        }
    }

    #[test]
    fn repeated_lines_are_those_that_fingerprints_tell() {
        let texts = (0..=6).fold(vec![String::new()], |texts, _| {
            let longer = |text: &String| ['a', 'A', 'b', 'z'].map(|letter| format!("{text}{letter}"));
            texts.iter().flat_map(longer).collect()
        });
        for text in texts {
            let lines: Vec<Line<'_>> = text.chars().enumerate().map(line).collect();
            let prints: Vec<u64> = lines.iter().map(fingerprint).collect();
            for first in 1..lines.len() {
                let (seen, next) = prints.split_at(first);
                let expect = overlap::repeated(seen, next).len();
                assert_eq!(Seen::default().repeated(&lines, first), expect, "{text} {first}");
            }
        }
    }
}
