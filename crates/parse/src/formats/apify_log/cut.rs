//! Places where a window may be cut.

use memchr::{memchr, memrchr};

use super::copies::may_be_copy;
use super::event::Style;
use super::levels::{Anchor, anchor};
use super::line::{Line, Stamping};
use crate::limits::MAX_LINE_BYTES;
use crate::text::strip_ansi;
use crate::time::StampReader;

/// The first line at or behind `from` that starts an event whatever stands before it: it is stamped and
/// has a level or is the platform's, and so is no continuation; the line before it is stamped too, so
/// that the event before knows that it stands among stamped lines; and it cannot be a record's copy,
/// whose `"message"` may stand on a later line.
pub(super) fn cut(bytes: &[u8], from: usize) -> Option<usize> {
    let mut stamps = StampReader::new();
    let before = bytes.get(..from)?;
    let mut at = match memrchr(b'\n', before) {
        Some(newline) => newline + 1,
        None => next_line(bytes, 0)?,
    };
    // Whether the line before `at` is stamped; a line whose beginning is out of sight says nothing.
    let mut is_stamped = memrchr(b'\n', before.get(..at.saturating_sub(1)).unwrap_or_default())
        .is_some_and(|newline| is_stamped_line(bytes.get(newline + 1..).unwrap_or_default(), &mut stamps));
    loop {
        let rest = bytes.get(at..)?;
        let end = memchr(b'\n', rest)?;
        let line = Line::read(rest.get(..end)?, &mut stamps);
        if at >= from
            && is_stamped
            && end <= MAX_LINE_BYTES
            && starts(&line, rest.get(end + 1..)?, &mut stamps)
        {
            return Some(at);
        }
        is_stamped = line.stamping == Stamping::Stamped;
        at += end + 1;
    }
}

fn next_line(bytes: &[u8], at: usize) -> Option<usize> {
    memchr(b'\n', bytes.get(at..)?).map(|newline| at + newline + 1)
}

fn is_stamped_line(rest: &[u8], stamps: &mut StampReader) -> bool {
    let end = memchr(b'\n', rest).unwrap_or(rest.len());
    Line::read(rest.get(..end).unwrap_or_default(), stamps).stamping == Stamping::Stamped
}

/// Whether `line`, before `rest`, starts an event that is no copy.
fn starts(line: &Line<'_>, rest: &[u8], stamps: &mut StampReader) -> bool {
    if line.stamping == Stamping::Unstamped {
        return false;
    }
    match head(line).style {
        Style::Platform | Style::Padded | Style::Colon => true,
        Style::Python | Style::Stdlib if may_be_copy(line.text()) => false,
        Style::Python | Style::Stdlib => {
            let Some(end) = memchr(b'\n', rest) else { return false };
            let below = Line::read(rest.get(..end).unwrap_or_default(), stamps);
            below.stamping == Stamping::Stamped && head(&below).style != Style::Bare
        }
        Style::Json | Style::RelayedStatus | Style::Bare => false,
    }
}

fn head(line: &Line<'_>) -> Anchor {
    const HEAD_BYTES: usize = 512;
    let text = line.text();
    if memchr(0x1b, text).is_none() {
        return anchor(text);
    }
    let text = String::from_utf8_lossy(text.get(..HEAD_BYTES).unwrap_or(text));
    anchor(strip_ansi(text).trim_end().as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    const S: &str = "2025-01-01T00:00:00.000Z ";

    /// Number of the line at which `lines`, behind the end of another, are cut from the start of line `from` on.
    #[track_caller]
    fn check(lines: &[String], from: usize, expect: Option<usize>) {
        let text: String = std::iter::once("rest\n".to_owned())
            .chain(lines.iter().map(|line| format!("{line}\n")))
            .collect();
        let start = |line: usize| 5 + lines.iter().take(line).map(|line| line.len() + 1).sum::<usize>();
        assert_eq!(cut(text.as_bytes(), start(from)), expect.map(start), "{text}");
        if from + 1 < lines.len() && expect.is_none_or(|line| line > from) {
            assert_eq!(cut(text.as_bytes(), start(from) + 1), expect.map(start), "{text}");
        }
    }

    fn stamped(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|text| format!("{S}{text}")).collect()
    }

    #[test]
    fn only_where_an_event_starts_for_certain() {
        check(&stamped(&["x", "INFO  a", "INFO  b"]), 1, Some(1));
        check(&stamped(&["INFO  a", "x", "  y", "at z (q)", "ACTOR: b"]), 1, Some(4));
        check(&stamped(&["x", "y", "z"]), 1, None);
        check(&stamped(&["x", "[apify] INFO  a ({\"message\": \"a\"})", "WARN  b"]), 1, Some(2));
        check(&stamped(&["x", "[apify] INFO  a", "  ({\"message\": \"a\"})", "WARN  b"]), 1, Some(3));
        check(&stamped(&["x", "[apify] INFO  a", "[apify] INFO  b"]), 1, Some(1));
        check(&stamped(&["x", "[apify.a runId:A1] -> 2025-01-01T00:00:00.000Z INFO  x"]), 1, Some(1));
        check(&stamped(&["x", "\x1b[32mINFO\x1b[39m  x"]), 1, Some(1));
    }

    #[test]
    fn not_beside_lines_without_stamp() {
        let lines = ["ACTOR: a".to_owned(), format!("{S}ACTOR: b"), format!("{S}ACTOR: c")];
        check(&lines, 1, Some(2));
        check(&["INFO  a".to_owned(), "INFO  b".to_owned(), "INFO  c".to_owned()], 1, None);
        assert_eq!(cut(b"", 0), None);
        assert_eq!(cut(b"x", 5), None);
    }
}
