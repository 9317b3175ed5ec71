//! From an event whose end has been seen to a record: account, payload, copies, meaning.

use std::collections::BTreeMap;

use memchr::memchr;

use super::above::Above;
use super::copies::{Original, is_copy};
use super::event::{Event, Style};
use super::line::{Stamping, head_len};
use super::payload::{Closed, Split, split_line, split_lines};
use super::report::{report, text_after_end};
use super::{json_line, meaning};
use crate::format::Window;
use crate::issue::Code;
use crate::mark::Mark;
use crate::record::{Amount, Batch, Flags, Record, Span, Stream};
use crate::text::{Codec, Text};

const ESC: u8 = 0x1b;

/// What comes behind an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// A line that does not belong to it.
    Line(Stamping),
    /// A place where the input was cut.
    Cut,
    /// The end of the input.
    End,
}

/// Turns events into records.
pub(super) struct Finish<'a> {
    bytes: &'a [u8],
    /// Whether ANSI stands anywhere in them.
    pub(super) has_colour: bool,
    /// Where the first event of the input starts, if it starts in this window.
    input_start: Option<usize>,
    /// All bytes before this one are valid UTF-8.
    pub(super) valid_to: usize,
    /// The event before, if it may have been printed twice.
    original: Option<Original<'a>>,
    reported: Reported,
    /// Numbers of the relayed runs seen, by id.
    streams: BTreeMap<&'a [u8], usize>,
}

/// Whether something has been reported for this window that is reported once.
#[derive(Debug, Clone, Copy, Default)]
struct Reported {
    copies: bool,
}

impl<'a> Finish<'a> {
    pub(super) fn new(window: Window<'a>, bom: usize) -> Self {
        let valid_to = simdutf8::compat::from_utf8(window.bytes)
            .map_or_else(|error| error.valid_up_to(), |_| usize::MAX);
        Self {
            bytes: window.bytes,
            has_colour: memchr(ESC, window.bytes).is_some(),
            input_start: (window.offset == 0).then_some(bom),
            valid_to,
            original: None,
            reported: Reported::default(),
            streams: BTreeMap::new(),
        }
    }

    /// Reports an event, or drops it as the copy of the one before.
    pub(super) fn event(&mut self, above: &Above<'a>, next: Next, out: &mut Batch<'a>) {
        let (split, mut flags) = (self.split(above), above.flags);
        if let Some(original) = &self.original
            && original.end == above.before.at
            && above.n_lines > 0
            && is_copy(original, above, self.logger(above), &split)
        {
            self.original = None;
            self.copy(above, out);
            return;
        }
        self.original = None;
        flags = flags.with(self.oddities(above, next, &split, out));
        let event = self.describe(above, &split, flags);
        let is_python = matches!(event.style, Style::Python | Style::Stdlib);
        let before = is_python.then_some(out.account);
        account(above, out);
        let stream = self.stream(above, out);
        if self.input_start == Some(above.before.at)
            && event.flags.has(Flags::UNSTAMPED)
            && is_headless(above, next)
        {
            out.mark(Mark::Incomplete(crate::mark::Missing::Head, "unstamped_head"));
        }
        if split.extent == Closed::No && next == Next::End {
            out.mark(Mark::Incomplete(crate::mark::Missing::Tail, "truncated_payload"));
        }
        let meaning = meaning::interpret(&event, out);
        let span = Span { start: above.before.at, end: above.end };
        if let Some(account) = before {
            let Event { level, logger, message, .. } = event;
            let (before, end, run_id) = (above.before, above.end_with_blanks(), above.run_id());
            self.original = Some(Original { before, account, end, level, run_id, logger, message });
        }
        out.records.push(Record {
            span,
            line: above.before.line,
            n_lines: above.n_lines,
            n_events: 1,
            ts: event.ts,
            until: above.until,
            clock: if event.ts.is_none() { above.clock } else { None },
            level: event.level,
            class: meaning.class,
            logger: event.logger,
            message: event.message,
            payload: event.payload,
            stream,
            flags,
            evidence: meaning.evidence,
        });
    }

    /// The state before the event that `above` may be a copy of.
    pub(super) fn original_of(&self, above: &Above<'a>) -> Option<&Original<'a>> {
        self.original.as_ref().filter(|original| original.end == above.before.at)
    }

    /// Nothing that comes next is a copy.
    pub(super) fn forget(&mut self) {
        self.original = None;
    }

    /// Whether the event that ends at `at` may have been printed twice, as far as that is known.
    pub(super) fn has_original_before(&self, at: usize) -> bool {
        self.original.as_ref().is_some_and(|original| original.end == at)
    }

    /// Some bytes of the window.
    pub(super) fn slice(&self, start: usize, end: usize) -> &'a [u8] {
        self.bytes.get(start..end).unwrap_or_default()
    }

    fn logger(&self, above: &Above<'a>) -> &'a [u8] {
        self.slice(above.anchor.logger.start, above.anchor.logger.end)
    }

    fn split(&self, above: &Above<'a>) -> Split<'a> {
        let raw = self.slice(above.anchor.message, above.text_end);
        match (above.anchor.style, above.n_lines) {
            (Style::Json, 0 | 1) => {
                let message = self.slice(above.msg.start, above.msg.end);
                Split {
                    first_line: message,
                    message: Text::json_string(message),
                    payload: Some(Text::plain(above.last)),
                    extent: Closed::Yes,
                }
            }
            (Style::Json, _) => {
                let start = above.text_start;
                let message = self.slice(above.msg.start, above.msg.end);
                let raw = self.slice(start, above.text_end);
                let object = self.slice(start, above.first_end);
                Split {
                    first_line: message,
                    message: Text { raw, codec: Codec::Joined(json_line::joined) },
                    payload: Some(Text::plain(object)),
                    extent: Closed::Yes,
                }
            }
            (Style::Platform | Style::RelayedStatus, 0 | 1) => {
                Split { first_line: raw, message: Text::plain(raw), payload: None, extent: Closed::Yes }
            }
            (Style::Platform | Style::RelayedStatus, _) => Split {
                first_line: self.slice(above.anchor.message, above.first_end),
                message: Text { raw, codec: Codec::Lines(head_len) },
                payload: None,
                extent: Closed::Yes,
            },
            (_, 0 | 1) => split_line(raw),
            _ => split_lines(raw),
        }
    }

    fn describe(&self, above: &Above<'a>, split: &Split<'a>, flags: Flags) -> Event<'a> {
        Event {
            ts: above.ts,
            level: above.anchor.level,
            style: above.anchor.style,
            logger: self.logger(above),
            first_line: split.first_line,
            message: split.message,
            payload: split.payload,
            body: above.shapes.body,
            flags,
            has_colour: self.has_colour,
        }
    }

    /// What is odd about an event, reported.
    fn oddities(&self, above: &Above<'a>, next: Next, split: &Split<'a>, out: &mut Batch<'a>) -> Flags {
        let mut flags = Flags::NONE;
        if split.extent == Closed::No {
            flags = flags.with(Flags::TRUNCATED);
            report(
                out,
                above,
                Code::TruncatedPayload,
                "expected the end of the JSON object, found the end of the event",
            );
        }
        let is_mixed = above.head == Stamping::Unstamped && above.stamping == Stamping::Stamped;
        if is_mixed || (self.input_start == Some(above.before.at) && is_headless(above, next)) {
            flags = flags.with(Flags::UNSTAMPED);
            report(out, above, Code::UnstampedLine, "expected a stamp as on the next line, found none");
        }
        if above.end > self.valid_to && std::str::from_utf8(self.slice(above.before.at, above.end)).is_err() {
            flags = flags.with(Flags::LOSSY);
            report(out, above, Code::InvalidUtf8, "expected UTF-8, found other bytes");
        }
        if above.rejected.lines > 0 {
            text_after_end(out, above);
        }
        flags
    }

    /// Accounts for an event that has been printed twice.
    fn copy(&mut self, above: &Above<'a>, out: &mut Batch<'a>) {
        out.issues.truncate(above.before.issues);
        out.account.duplicate.add(above.end - above.before.at, above.n_lines);
        if let Some(original) = out.records.last_mut() {
            original.until = original.until.max(above.until);
        }
        merge(&mut out.account.structure, above.blanks);
        merge(&mut out.account.rejected, above.rejected);
        if !self.reported.copies {
            self.reported.copies = true;
            report(
                out,
                above,
                Code::DuplicateRecord,
                "the event before, printed once more with its message as data",
            );
        }
    }

    /// Number of the run an event is relayed from.
    fn stream(&mut self, above: &Above<'a>, out: &mut Batch<'a>) -> u32 {
        let Some(relay) = above.relay else { return 0 };
        let is_it = |index: &usize| out.streams.get(*index).is_some_and(|known| known.run_id == relay.run_id);
        // Lines of one run mostly follow each other; a rollback may have taken a run back.
        let known = out.streams.len().checked_sub(1).filter(is_it);
        let index =
            known.or_else(|| self.streams.get(relay.run_id).copied().filter(is_it)).unwrap_or_else(|| {
                out.streams.push(Stream { ..relay });
                self.streams.insert(relay.run_id, out.streams.len() - 1);
                out.streams.len() - 1
            });
        u32::try_from(index + 1).unwrap_or(0)
    }
}

/// Whether an event lacks the stamp that one of its lines, or the line behind it, has.
fn is_headless(above: &Above<'_>, next: Next) -> bool {
    above.head == Stamping::Unstamped
        && (above.stamping == Stamping::Stamped || next == Next::Line(Stamping::Stamped))
}

fn account(above: &Above<'_>, out: &mut Batch<'_>) {
    let first_lines = above.n_lines.min(1);
    out.account.record.add(above.first_len, first_lines);
    out.account.continuation.add(above.end - above.before.at - above.first_len, above.n_lines - first_lines);
    merge(&mut out.account.structure, above.blanks);
    merge(&mut out.account.rejected, above.rejected);
}

const fn merge(sum: &mut Amount, part: Amount) {
    sum.bytes += part.bytes;
    sum.lines += part.lines;
}
