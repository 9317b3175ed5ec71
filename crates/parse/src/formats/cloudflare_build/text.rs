//! The text reader: the dashboard's download and what people paste from it.
//!
//! Finds the builds of a file and their lines. What the lines mean is decided in [`super::build`].

use std::borrow::Cow;

use super::build::{self, Beginning, Build, Rest};
use super::marks::{self, Mark};
use super::model::{self, Dated, Form, Joint, Line};
use super::split::Splitter;
use super::stamps::{self, Dialect, IsMark, Layout, Survey};
use crate::format::{End, Window};
use crate::issue::{Code, Issue};
use crate::limits::{MAX_EVENT_BYTES, MAX_EVENT_LINES, MAX_LINE_BYTES};
use crate::record::{Amount, Batch, Flags, Span};
use crate::text::Codec;
use crate::time::StampReader;

/// Reads the builds of the window; the last one only if nothing follows the window.
///
/// ```text
/// file      = *build
/// build     = *(line | continuation | foreign)
/// line      = *8" " stamp separator message NEWLINE | stamp NEWLINE message NEWLINE
/// stamp     = instant | HH:MM:SS["."1*9digit]
/// separator = TAB | 0*4" " | " | "
/// foreign   = "-- | --" | conflict marker | text before the first and behind the last line
/// ```
pub(super) fn parse<'a>(window: Window<'a>, out: &mut Batch<'a>) -> Amount {
    let complete = match window.end {
        End::More => memchr::memrchr(b'\n', window.bytes).map_or(0, |at| at + 1),
        End::Cut | End::Input => window.bytes.len(),
    };
    let bytes = window.bytes.get(..complete).unwrap_or_default();
    let starts = starts(bytes);
    let n_builds = if window.end == End::More { starts.len().saturating_sub(1) } else { starts.len() };
    for (index, &(start, line)) in starts.iter().enumerate().take(n_builds) {
        let end = starts.get(index + 1).map_or(complete, |&(start, _)| start);
        let beginning = if index == 0 && window.offset > 0 { Beginning::Before } else { Beginning::Here };
        report(Stretch { bytes, start, end, line }, beginning, out);
    }
    let consumed =
        if window.end == End::More { starts.get(n_builds).map_or(0, |start| start.0) } else { complete };
    let read = bytes.get(..consumed).unwrap_or_default();
    let newlines = memchr::memchr_iter(b'\n', read).count() as u64;
    let lines = newlines + u64::from(read.last().is_some_and(|&byte| byte != b'\n'));
    Amount { bytes: read.len() as u64, lines }
}

/// A build's part of the window.
#[derive(Debug, Clone, Copy)]
struct Stretch<'a> {
    bytes: &'a [u8],
    start: usize,
    end: usize,
    /// Lines before it.
    line: u32,
}

fn report<'a>(stretch: Stretch<'a>, beginning: Beginning, out: &mut Batch<'a>) {
    let dialect = survey(stretch);
    let mut reader = Reader::new(stretch, dialect, out);
    for physical in Physicals::new(stretch) {
        reader.take(physical);
    }
    let Reader { lines, .. } = reader;
    let starts_here = beginning == Beginning::Here
        || lines.first().is_some_and(|line| {
            matches!(marks::mark(line.message), Some(Mark::InitStart | Mark::CloneStart))
        });
    let beginning = if starts_here { Beginning::Here } else { Beginning::Before };
    let build = Build {
        bytes: stretch.bytes,
        lines: &lines,
        writing: dialect.writing(),
        beginning,
        init: None,
        rest: Rest::Given,
    };
    build::report(&build, out);
}

/// One physical line.
#[derive(Debug, Clone, Copy)]
struct Physical<'a> {
    /// With its line end.
    span: Span,
    /// Without it.
    text: &'a [u8],
    /// Lines of the window before it.
    line: u32,
}

struct Physicals<'a> {
    stretch: Stretch<'a>,
    newlines: memchr::Memchr<'a>,
    at: usize,
}

impl<'a> Physicals<'a> {
    fn new(stretch: Stretch<'a>) -> Self {
        let bytes = stretch.bytes.get(stretch.start..stretch.end).unwrap_or_default();
        Self { stretch, newlines: memchr::memchr_iter(b'\n', bytes), at: stretch.start }
    }
}

impl<'a> Iterator for Physicals<'a> {
    type Item = Physical<'a>;

    fn next(&mut self) -> Option<Physical<'a>> {
        if self.at >= self.stretch.end {
            return None;
        }
        let end = self.newlines.next().map_or(self.stretch.end, |at| self.stretch.start + at + 1);
        let span = Span { start: self.at, end };
        let text = self.stretch.bytes.get(span.start..span.end).unwrap_or_default();
        let text = text.strip_suffix(b"\n").unwrap_or(text);
        let text = text.strip_suffix(b"\r").unwrap_or(text);
        let line = self.stretch.line;
        self.stretch.line += 1;
        self.at = end;
        Some(Physical { span, text, line })
    }
}

/// Where builds start: offsets and line numbers. The first is that of the window.
fn starts(bytes: &[u8]) -> Vec<(usize, u32)> {
    let mut starts = vec![(0, 0)];
    let mut splitter = Splitter::default();
    let mut reader = StampReader::new();
    let mut silent: Option<(usize, u32, i64)> = None;
    // The line before, as long as it is the first of its build.
    let mut first: Option<&[u8]> = None;
    let mut n_lines = 0;
    for physical in Physicals::new(Stretch { bytes, start: 0, end: bytes.len(), line: 0 }) {
        let stamp = stamps::stamp(physical.text, &mut reader);
        let text = loose_text(physical.text, stamp.map_or(0, |stamp| stamp.len));
        let above = silent.take();
        if text.is_empty() {
            silent = stamp.map(|stamp| (physical.span.start, physical.line, stamp.clock));
            continue;
        }
        let (start, line, clock) = match (stamp, above) {
            (Some(stamp), _) => (physical.span.start, physical.line, Some(stamp.clock)),
            (None, Some((start, line, clock))) => (start, line, Some(clock)),
            (None, None) => (physical.span.start, physical.line, None),
        };
        let identity = clock.map(|clock| (clock, text));
        if splitter.starts(quick_mark(text), identity, text, first) {
            starts.push((start, line));
            n_lines = 0;
        }
        first = (n_lines == 0).then_some(text);
        n_lines += 1;
    }
    starts
}

/// The message of a line before its dialect is known: without stamp, separator and blanks.
fn loose_text(line: &[u8], stamp_len: usize) -> &[u8] {
    let rest = line.get(stamp_len..).unwrap_or_default().trim_ascii();
    if stamp_len > 0 { rest.strip_prefix(b"|").unwrap_or(rest).trim_ascii_start() } else { rest }
}

fn quick_mark(text: &[u8]) -> Option<Mark> {
    let may_mark = matches!(text.first(), Some(b'I' | b'C' | b'S' | b'F' | b'B' | b'A' | b'E' | 0xE2));
    if may_mark { marks::mark(text) } else { None }
}

fn survey(stretch: Stretch<'_>) -> Dialect {
    let mut survey = Survey::default();
    let mut reader = StampReader::new();
    for Physical { text, .. } in Physicals::new(stretch) {
        match stamps::stamp(text, &mut reader) {
            Some(stamp) => survey.stamped(stamp.kind, text.get(stamp.len..).unwrap_or_default()),
            None if text.trim_ascii().is_empty() => {}
            None => survey.bare(if quick_mark(text).is_some() { IsMark::Yes } else { IsMark::No }),
        }
    }
    survey.dialect()
}

/// Makes lines of the physical lines of one build.
struct Reader<'a, 'o> {
    bytes: &'a [u8],
    dialect: Dialect,
    stamps: StampReader,
    valid_utf8: bool,
    lines: Vec<Line<'a>>,
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
    fn new(stretch: Stretch<'a>, dialect: Dialect, out: &'o mut Batch<'a>) -> Self {
        let Stretch { bytes, start, end, .. } = stretch;
        let last_end = if dialect.layout == Layout::Bare { last_end(stretch) } else { usize::MAX };
        Self {
            bytes,
            dialect,
            stamps: StampReader::new(),
            valid_utf8: std::str::from_utf8(bytes.get(start..end).unwrap_or_default()).is_ok(),
            lines: Vec::new(),
            last_end,
            before: Before::Line,
            joint: Joint::Open,
            out,
        }
    }

    fn take(&mut self, physical: Physical<'a>) {
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
            line.form = form(message);
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
