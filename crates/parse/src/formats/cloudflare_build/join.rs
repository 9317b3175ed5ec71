//! Which lines are one event.
//!
//! Joined are indented lines under an error or a warning (with blank lines between them under
//! `✘ [ERROR]` and `▲ [WARNING]`) and runs of `npm error`. Lines without a stamp were joined before,
//! by the reader of the text.

use super::build::{self, Build, Reporter};
use super::marks::{self, Prefix};
use super::model::{Joint, Line, Origin};
use super::telemetry;
use crate::issue::Code;
use crate::limits::{MAX_EVENT_BYTES, MAX_EVENT_LINES};
use crate::record::Batch;
use crate::text::Text;

/// The event that further lines may be joined to: the last record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Open {
    /// None.
    Closed,
    /// Indented lines right below belong to it.
    Indented,
    /// Indented lines below belong to it, blank lines between them; so many blank ones have been seen.
    Block { blanks: usize },
    /// Further lines with the same prefix belong to it.
    NpmError,
}

impl<'a> Reporter<'_, '_, 'a> {
    /// Joins `line` to the event before it if it belongs there.
    pub(super) fn joins(&mut self, line: &Line<'a>, at: usize, head: &[u8], out: &mut Batch<'a>) -> bool {
        if self.open == Open::Closed {
            return false;
        }
        if line.joint == Joint::Closed {
            self.open = Open::Closed;
            return false;
        }
        let is_indented = matches!(head.first(), Some(b' ' | b'\t')) && !telemetry::is_banner(head);
        let is_blank = line.message.len() <= head.len() && head.trim_ascii().is_empty();
        let belongs = match self.open {
            Open::Block { blanks } if is_blank => {
                self.open = Open::Block { blanks: blanks + 1 };
                return false;
            }
            Open::Block { .. } | Open::Indented => {
                is_indented && !is_blank && marks::prefix(head) != Prefix::Pnpm
            }
            Open::NpmError => marks::prefix(head) == Prefix::NpmError,
            Open::Closed => false,
        };
        if belongs {
            self.extend(at, out)
        } else {
            self.open = Open::Closed;
            false
        }
    }

    /// Makes the lines from the last event's first to `at` one event, unless that would be too long.
    fn extend(&mut self, at: usize, out: &mut Batch<'a>) -> bool {
        let blanks = if let Open::Block { blanks } = &mut self.open { std::mem::take(blanks) } else { 0 };
        let lines = self.build.lines;
        let (Some(first), Some(last)) = (lines.get(self.since), lines.get(at)) else { return false };
        if at - self.since >= MAX_EVENT_LINES as usize || last.span.end - first.span.start > MAX_EVENT_BYTES {
            self.open = Open::Closed;
            let message = "expected the end of the event, found more of it";
            out.issues.push(build::issue(Code::EventTooLong, last, message));
            return false;
        }
        // The blank lines in between were events of their own until now.
        out.records.truncate(out.records.len().saturating_sub(blanks));
        for blank in lines.get(at - blanks..at).unwrap_or_default() {
            let (bytes, n_lines) = first_physical(self.build, blank);
            out.account.record.bytes -= bytes as u64;
            out.account.record.lines -= u64::from(n_lines);
            out.account.continuation.add(bytes, n_lines);
        }
        out.account.continuation.add(last.span.len(), last.n_lines);
        if let Some(record) = out.records.last_mut() {
            for line in lines.get(at - blanks..=at).unwrap_or_default() {
                record.n_lines += line.n_lines;
                record.flags = record.flags.with(line.flags);
            }
            record.span.end = last.span.end;
            record.until = record.until.or(record.ts).max(last.ts());
            record.message = joined_text(self.build, first, last);
        }
        true
    }
}

/// Bytes and lines of the first physical line of `line`. An element of a document counts as one.
pub(super) fn first_physical(build: &Build<'_, '_>, line: &Line<'_>) -> (usize, u32) {
    if build.writing.origin == Origin::Element || line.n_lines <= 1 {
        return (line.span.len(), line.n_lines);
    }
    let bytes = build.bytes.get(line.span.start..line.span.end).unwrap_or_default();
    memchr::memchr(b'\n', bytes).map_or((bytes.len(), line.n_lines), |at| (at + 1, 1))
}

/// The text of an event of several lines.
fn joined_text<'a>(build: &Build<'_, 'a>, first: &Line<'a>, last: &Line<'a>) -> Text<'a> {
    let start = match build.writing.origin {
        Origin::Element => first.span.start,
        // The message is a part of the window: its place in it is known from the span's end.
        Origin::Message => message_start(build.bytes, first),
    };
    let raw = build.bytes.get(start..last.span.end).unwrap_or_default();
    let raw = raw.strip_suffix(b"\n").unwrap_or(raw);
    let raw = raw.strip_suffix(b"\r").unwrap_or(raw);
    Text { raw, codec: build.writing.joined }
}

/// Where the message of a text line starts: it ends where the line does, but for the line's end.
fn message_start(bytes: &[u8], line: &Line<'_>) -> usize {
    let span = bytes.get(line.span.start..line.span.end).unwrap_or_default();
    let trimmed = span.strip_suffix(b"\n").unwrap_or(span);
    let trimmed = trimmed.strip_suffix(b"\r").unwrap_or(trimmed);
    line.span.start + trimmed.len().saturating_sub(line.message.len())
}
