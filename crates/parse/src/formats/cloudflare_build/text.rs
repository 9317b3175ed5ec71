//! The text reader: the dashboard's download and what people paste from it.
//!
//! Finds the builds of a file and their lines. What the lines mean is decided in [`super::build`].

use super::build::{self, Beginning, Build, Rest};
use super::lines::Reader;
use super::marks::{self, Mark};
use super::split::Splitter;
use super::stamps::{self, Dialect, IsMark, Survey};
use super::stretch::{Physical, Physicals, Stretch};
use crate::format::{Carry, End, RunState, Window};
use crate::record::{Amount, Batch};
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
pub(super) fn parse<'a>(window: Window<'a>, carry: &mut Carry, out: &mut Batch<'a>) -> Amount {
    let complete = match window.end {
        End::More => memchr::memrchr(b'\n', window.bytes).map_or(0, |at| at + 1),
        End::Cut | End::Seam | End::Input => window.bytes.len(),
    };
    let bytes = window.bytes.get(..complete).unwrap_or_default();
    let starts = starts(bytes);
    let n_builds = if window.end == End::More { starts.len().saturating_sub(1) } else { starts.len() };
    for (index, &(start, line)) in starts.iter().enumerate().take(n_builds) {
        let end = starts.get(index + 1).map_or(complete, |&(start, _)| start);
        let beginning =
            if index == 0 && carry.run == RunState::Inside { Beginning::Before } else { Beginning::Here };
        report(Stretch { bytes, start, end, line }, beginning, out);
    }
    carry.run = if window.end == End::Cut { RunState::Inside } else { RunState::Start };
    let consumed =
        if window.end == End::More { starts.get(n_builds).map_or(0, |start| start.0) } else { complete };
    let read = bytes.get(..consumed).unwrap_or_default();
    let newlines = memchr::memchr_iter(b'\n', read).count() as u64;
    let lines = newlines + u64::from(read.last().is_some_and(|&byte| byte != b'\n'));
    Amount { bytes: read.len() as u64, lines }
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

/// The mark of a line, after a look at its first byte.
pub(super) fn quick_mark(text: &[u8]) -> Option<Mark> {
    let may_mark = matches!(text.first(), Some(b'I' | b'C' | b'S' | b'F' | b'B' | b'A' | b'E' | 0xE2));
    if may_mark { marks::mark(text) } else { None }
}
