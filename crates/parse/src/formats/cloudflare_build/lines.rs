//! From the physical lines of one build's text to its lines.
//!
//! A line is a stamp with its message and the un-stamped lines that belong to it. What is no part
//! of the log (ruler, conflict markers, text around it) is told apart here.

use std::borrow::Cow;

use super::marks::{self, Mark};
use super::model::{self, Dated, Form, Joint, Line};
use super::stamps::{self, Dialect, Layout};
use super::stretch::{Physical, Physicals, Stretch};
use super::text::quick_mark;
use crate::issue::{Code, Issue};
use crate::limits::{MAX_EVENT_BYTES, MAX_EVENT_LINES, MAX_LINE_BYTES};
use crate::record::{Batch, Flags, Span};
use crate::text::Codec;
use crate::time::StampReader;

/// Makes lines of the physical lines of one build.
pub(super) struct Reader<'a, 'o> {
    bytes: &'a [u8],
    dialect: Dialect,
    stamps: StampReader,
    valid_utf8: bool,
    pub(super) lines: Vec<Line<'a>>,
    /// Offset of the last end line of a log without stamps: what follows it is no log.
    last_end: usize,
    /// What became of the physical line before.
    before: Before,
    joint: Joint,
    out: &'o mut Batch<'a>,
}

/// What became of the physical line before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Before {
    /// A line, or a part of one.
    Line,
    /// A stamp whose message stands below it.
    Stamp,
    /// Blank lines that belong to the line above if more of it follows.
    Blank,
    /// Something that was rejected.
    Rejected(Code),
}

impl<'a, 'o> Reader<'a, 'o> {
    pub(super) fn new(stretch: Stretch<'a>, dialect: Dialect, out: &'o mut Batch<'a>) -> Self {
        let Stretch { bytes, start, end, .. } = stretch;
        let last_end = if dialect.layout == Layout::Bare { last_end(stretch) } else { usize::MAX };
        Self {
            bytes,
            dialect,
            stamps: StampReader::new(),
            valid_utf8: simdutf8::basic::from_utf8(bytes.get(start..end).unwrap_or_default()).is_ok(),
            lines: Vec::new(),
            last_end,
            before: Before::Line,
            joint: Joint::Open,
            out,
        }
    }

    pub(super) fn take(&mut self, physical: Physical<'a>) {
        let text = physical.text;
        if physical.span.start == 0 && text.starts_with(b"\xef\xbb\xbf") {
            let span = Span { start: 3, ..physical.span };
            return self.take(Physical { span, text: text.get(3..).unwrap_or_default(), ..physical });
        }
        if let Some(stamp) = self.dialect.stamp(text, &mut self.stamps) {
            let rest = text.get(stamp.len..).unwrap_or_default();
            let message = rest.get(self.dialect.separator_len(rest)..).unwrap_or_default();
            self.push(physical, message, Some(stamp.clock));
            self.before = if self.dialect.layout == Layout::Below { Before::Stamp } else { Before::Line };
        } else if text.trim_ascii().is_empty() && (text.is_empty() || self.before != Before::Stamp) {
            self.blank();
        } else if is_ruler(text) && self.dialect.layout == Layout::Table {
            self.joint = Joint::Closed;
        } else if is_conflict_marker(text) {
            self.reject(
                physical,
                Code::UnexpectedShape,
                "expected a log line, found a merge conflict marker",
            );
        } else if self.dialect.layout == Layout::Bare {
            self.bare(physical);
        } else {
            self.unstamped(physical);
        }
    }

    /// A blank line is structure, unless it stands inside a message.
    fn blank(&mut self) {
        match self.before {
            Before::Line | Before::Stamp if self.dialect.layout != Layout::Bare => {
                self.before = Before::Blank;
            }
            _ => {}
        }
        self.joint = Joint::Closed;
    }

    /// A line of a log without stamps.
    fn bare(&mut self, physical: Physical<'a>) {
        if physical.span.start > self.last_end {
            self.reject(physical, Code::TextAfterEnd, AFTER_END);
        } else {
            self.push(physical, physical.text, None);
            self.before = Before::Line;
        }
    }

    /// A line without a stamp in a log that has some.
    fn unstamped(&mut self, physical: Physical<'a>) {
        if self.before == Before::Stamp && physical.span.len() <= MAX_LINE_BYTES {
            self.complete(physical);
        } else if self.lines.is_empty() {
            self.headless(physical);
        } else if self.is_behind_end() {
            self.reject(physical, Code::TextAfterEnd, AFTER_END);
        } else if let Before::Rejected(_) = self.before {
            self.reject(physical, Code::UnexpectedShape, "expected a stamped line, found text");
        } else {
            self.extend(physical);
        }
    }

    /// The first line may have lost its stamp; anything else before the first stamp is no log.
    fn headless(&mut self, physical: Physical<'a>) {
        let text = physical.text.strip_prefix(b"\t").unwrap_or(physical.text);
        if text.len() < physical.text.len() || quick_mark(text).is_some() {
            self.push(physical, text, None);
            self.flag(Flags::UNSTAMPED);
            self.issue(physical, Code::UnstampedLine, "expected a stamp, found a line that lost it");
            self.before = Before::Line;
        } else {
            self.reject(physical, Code::UnexpectedShape, "expected a stamped line, found text");
        }
    }

    fn is_behind_end(&self) -> bool {
        let Some(last) = self.lines.last() else { return false };
        marks::mark(model::head(last, Codec::Plain, &mut Vec::new())).is_some_and(Mark::is_end)
    }

    /// The message of the stamp on the line above.
    fn complete(&mut self, physical: Physical<'a>) {
        let lossy = self.is_lossy(physical);
        if let Some(line) = self.lines.last_mut() {
            line.span.end = physical.span.end;
            line.n_lines += 1;
            line.message = physical.text;
            line.form = form(physical.text);
            line.flags = line.flags.with(lossy);
        }
        self.before = Before::Line;
    }

    /// Adds a physical line to the line above, blank ones between them included.
    fn extend(&mut self, physical: Physical<'a>) {
        let Some(last) = self.lines.last().copied() else { return };
        let n_lines = physical.line + 1 - last.number;
        let is_full = n_lines > MAX_EVENT_LINES || physical.span.end - last.span.start > MAX_EVENT_BYTES;
        if is_full || last.flags.has(Flags::TRUNCATED) {
            self.push(physical, physical.text, None);
            self.flag(Flags::UNSTAMPED);
            self.issue(physical, Code::EventTooLong, "expected the end of the event, found more of it");
            self.before = Before::Line;
            return;
        }
        let lossy = self.is_lossy(physical);
        if !last.flags.has(Flags::UNSTAMPED) {
            self.issue(physical, Code::UnstampedLine, "expected a stamp, found more of the message above");
        }
        let start = last.span.end - end_len(self.bytes, last.span) - last.message.len();
        let message = self.bytes.get(start..physical.span.start + physical.text.len()).unwrap_or_default();
        if let Some(line) = self.lines.last_mut() {
            line.span.end = physical.span.end;
            line.n_lines = n_lines;
            line.message = message;
            if line.form == Form::Literal {
                line.form = form(physical.text);
            }
            line.flags = line.flags.with(Flags::UNSTAMPED).with(lossy);
        }
        self.joint = Joint::Open;
        self.before = Before::Line;
    }

    fn push(&mut self, physical: Physical<'a>, message: &'a [u8], clock: Option<i64>) {
        let lossy = self.is_lossy(physical);
        let joint = std::mem::replace(&mut self.joint, Joint::Open);
        let mut line = Line {
            span: physical.span,
            number: physical.line,
            n_lines: 1,
            clock,
            dated: if self.dialect.kind == stamps::Kind::Instant { Dated::Yes } else { Dated::No },
            message,
            form: form(message),
            joint,
            flags: lossy,
        };
        if physical.span.len() > MAX_LINE_BYTES {
            self.shorten(&mut line);
        }
        self.lines.push(line);
    }

    /// Keeps the first part of a line that is too long.
    fn shorten(&mut self, line: &mut Line<'a>) {
        let end = line.span.start + MAX_LINE_BYTES;
        let head = line.span.len() - end_len(self.bytes, line.span) - line.message.len();
        self.out.account.rejected.add(line.span.end - end, 0);
        self.out.issues.push(Issue {
            code: Code::LineTooLong,
            start: line.span.start,
            end: line.span.end,
            line: line.number,
            message: Cow::Owned(format!(
                "expected at most {MAX_LINE_BYTES} bytes, found {}",
                line.span.len()
            )),
        });
        line.message = line.message.get(..MAX_LINE_BYTES.saturating_sub(head)).unwrap_or(line.message);
        line.span.end = end;
        line.flags = line.flags.with(Flags::TRUNCATED);
        self.joint = Joint::Closed;
    }

    /// Whether a line holds bytes that are no text; says so if it does.
    fn is_lossy(&mut self, physical: Physical<'_>) -> Flags {
        if self.valid_utf8 || std::str::from_utf8(physical.text).is_ok() {
            return Flags::NONE;
        }
        self.issue(physical, Code::InvalidUtf8, "expected UTF-8, found other bytes");
        Flags::LOSSY
    }

    fn flag(&mut self, flag: Flags) {
        if let Some(line) = self.lines.last_mut() {
            line.flags = line.flags.with(flag);
        }
    }

    /// Rejects a line; of several in a row, the first is reported.
    fn reject(&mut self, physical: Physical<'_>, code: Code, message: &'static str) {
        self.out.account.rejected.add(physical.span.len(), 1);
        if self.before != Before::Rejected(code) {
            self.issue(physical, code, message);
        }
        self.before = Before::Rejected(code);
        self.joint = Joint::Closed;
    }

    fn issue(&mut self, physical: Physical<'_>, code: Code, message: &'static str) {
        let Span { start, end } = physical.span;
        self.out.issues.push(Issue {
            code,
            start,
            end,
            line: physical.line,
            message: Cow::Borrowed(message),
        });
    }
}

const AFTER_END: &str = "expected nothing behind the end of the build, found text";

fn form(message: &[u8]) -> Form {
    if memchr::memchr(0x1b, message).is_some() { Form::Coloured } else { Form::Literal }
}

/// Length of the line end of the last physical line of `span`.
fn end_len(bytes: &[u8], span: Span) -> usize {
    match bytes.get(span.start..span.end).unwrap_or_default() {
        [.., b'\r', b'\n'] => 2,
        [.., b'\n' | b'\r'] => 1,
        _ => 0,
    }
}

/// Offset of the last line that says how the build ended.
fn last_end(stretch: Stretch<'_>) -> usize {
    let ends = Physicals::new(stretch).filter(|physical| quick_mark(physical.text).is_some_and(Mark::is_end));
    ends.last().map_or(usize::MAX, |physical| physical.span.start)
}

/// The line below the head of a table: dashes, bars, colons and blanks.
fn is_ruler(line: &[u8]) -> bool {
    line.iter().all(|byte| matches!(byte, b'-' | b'|' | b' ' | b':')) && memchr::memchr(b'-', line).is_some()
}

/// `<<<<<<< HEAD`, `=======`, `>>>>>>> branch`.
fn is_conflict_marker(line: &[u8]) -> bool {
    line.starts_with(b"<<<<<<< ") || line.starts_with(b">>>>>>> ") || line == b"======="
}
