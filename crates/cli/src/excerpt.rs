//! The place an issue is about: file, line and column, the line itself, and a caret under what it means.

use logmill_analyze::model::IssueRow;
use logmill_analyze::{Content, Input, ReadAt};

use crate::terminal::{Paint, input_name, safe};

/// Bytes looked at behind the place.
const AHEAD: usize = 1024;
/// Bytes read at a time to find where the line starts.
const BLOCK: usize = 64 << 10;
/// A line that starts further back has no column.
const MAX_BACK: u64 = 64 << 20;
/// Bytes looked through for the first one that is not UTF-8.
const MAX_EVENT: usize = 1 << 20;

/// The lines that show where an issue is, as far as that can be found out.
#[must_use]
pub fn of(issue: &IssueRow, input: Option<&dyn Input>, width: usize, paint: Paint) -> Vec<String> {
    let name = input_name(&issue.source, issue.member.as_deref());
    let found = input.and_then(|input| find(issue, input));
    let Some(line) = found.as_ref().map(|found| found.line).or(issue.line) else {
        return vec![format!(" {} {name}", paint.dim("-->"))];
    };
    let number = line.to_string();
    let pad = " ".repeat(number.len());
    let bar = paint.dim("|");
    let width = width.saturating_sub(number.len() + 4).max(20);
    let (place, text, caret, marked) = match &found {
        Some(found) => {
            let (text, caret, marked) = found.shown(width);
            (format!("{name}:{line}:{}", found.column), text, caret, marked)
        }
        // What cannot be read a second time is shown as it was noted.
        None if !issue.raw_prefix.is_empty() => {
            (format!("{name}:{line}"), issue.raw_prefix.chars().take(width).collect(), 0, 1)
        }
        None => return vec![format!("{pad}{} {name}:{line}", paint.dim("-->"))],
    };
    vec![
        format!("{pad}{} {place}", paint.dim("-->")),
        format!("{pad} {bar}"),
        format!("{} {bar} {text}", paint.dim(&number)).trim_end().to_owned(),
        format!("{pad} {bar} {}{}", " ".repeat(caret), paint.yellow(&"^".repeat(marked))),
    ]
}

/// A place in a line.
struct Found {
    /// From 1.
    line: u64,
    /// From 1, in characters.
    column: u64,
    /// The end of what stands before it on its line.
    before: Vec<u8>,
    /// What stands there: what is meant, and the rest of the line.
    meant: Vec<u8>,
    rest: Vec<u8>,
}

/// Finds the place again. `None` where the input cannot be read at any place, or no longer holds what
/// was noted.
fn find(issue: &IssueRow, input: &dyn Input) -> Option<Found> {
    let (mut line, mut offset) = (issue.line?, issue.byte_offset?);
    let Content::Random(content) = input.open().ok()? else { return None };
    let mut ahead = read(content.as_ref(), offset, AHEAD)?;
    let mut n_meant = noted(&ahead, &issue.raw_prefix)?;
    if issue.code == "invalid-utf8" {
        // The event is meant; its first byte that is not UTF-8 says more.
        let event = read(content.as_ref(), offset, MAX_EVENT)?;
        let error = std::str::from_utf8(&event).err()?;
        let valid = event.get(..error.valid_up_to())?;
        line += valid.split(|byte| *byte == b'\n').count() as u64 - 1;
        offset += valid.len() as u64;
        ahead = event.get(valid.len()..)?.iter().copied().take(AHEAD).collect();
        n_meant = error.error_len().unwrap_or(1);
    }
    let end = ahead.iter().position(|byte| *byte == b'\n').unwrap_or(ahead.len());
    ahead.truncate(end);
    let rest = ahead.split_off(n_meant.min(end));
    let (column, before) = start_of_line(content.as_ref(), offset)?;
    Some(Found { line, column, before, meant: ahead, rest })
}

/// How many bytes the noted ones are, if they are what stands there.
fn noted(ahead: &[u8], raw_prefix: &str) -> Option<usize> {
    let mut left = raw_prefix.as_bytes();
    for (n, byte) in ahead.iter().enumerate() {
        if left.is_empty() {
            return Some(n);
        }
        let escaped: Vec<u8> = std::ascii::escape_default(*byte).collect();
        left = left.strip_prefix(escaped.as_slice())?;
    }
    left.is_empty().then_some(ahead.len())
}

/// The column of the byte, and the last of what stands before it on its line.
fn start_of_line(content: &dyn ReadAt, offset: u64) -> Option<(u64, Vec<u8>)> {
    let (mut end, mut column) = (offset, 1);
    let mut before: Vec<u8> = Vec::new();
    while end > 0 && offset - end < MAX_BACK {
        let start = end.saturating_sub(BLOCK as u64);
        let block = read(content, start, usize::try_from(end - start).ok()?)?;
        let newline = block.iter().rposition(|byte| *byte == b'\n').map(|newline| newline + 1);
        let of_line = block.get(newline.unwrap_or(0)..)?;
        // Bytes that go on with a character are no characters of their own.
        column += of_line.iter().filter(|byte| **byte & 0xc0 != 0x80).count() as u64;
        if before.len() < AHEAD {
            before.splice(0..0, of_line.iter().copied());
        }
        if newline.is_some() {
            return Some((column, before));
        }
        end = start;
    }
    (end == 0).then_some((column, before))
}

fn read(content: &dyn ReadAt, offset: u64, len: usize) -> Option<Vec<u8>> {
    let mut bytes = vec![0; len];
    let n = content.read_full(offset, &mut bytes).ok()?;
    bytes.truncate(n);
    Some(bytes)
}

impl Found {
    /// The line, or the part of it around the place; where the caret stands, and how wide it is.
    fn shown(&self, width: usize) -> (String, usize, usize) {
        let before: Vec<char> = readable(&self.before).chars().collect();
        let room = width * 2 / 3;
        let is_cut = before.len() > room || before.len() as u64 + 1 < self.column;
        let kept = before.get(before.len().saturating_sub(room)..).unwrap_or_default();
        let before: String =
            if is_cut { ['…'].iter().chain(kept.iter().skip(1)).collect() } else { kept.iter().collect() };
        let caret = before.chars().count();
        let meant = readable(&self.meant);
        let marked = meant.chars().count().clamp(1, width.saturating_sub(caret).max(1));
        let after: Vec<char> = meant.chars().chain(readable(&self.rest).chars()).collect();
        let room = width.saturating_sub(caret);
        let after: String = if after.len() > room {
            after.iter().take(room.saturating_sub(1)).chain(&['…']).collect()
        } else {
            after.iter().collect()
        };
        (before + &after, caret, marked)
    }
}

/// Text that does not act on a terminal, with bytes that are none as `\xff`.
fn readable(bytes: &[u8]) -> String {
    let mut out = String::new();
    for chunk in bytes.utf8_chunks() {
        out.push_str(&safe(chunk.valid()));
        out.push_str(&chunk.invalid().escape_ascii().to_string());
    }
    out
}

#[cfg(test)]
mod tests {
    use logmill_analyze::Bytes;
    use logmill_parse::Severity;

    use super::*;
    use crate::args::Color;

    fn check(
        input: &[u8],
        code: &'static str,
        at: (u64, u64),
        raw_prefix: &str,
        width: usize,
        expect: &[&str],
    ) {
        let bytes = Bytes::new("a.log", input);
        let issue = IssueRow {
            code,
            severity: Severity::Warning,
            source: "a.log".to_owned(),
            member: None,
            line: Some(at.0),
            byte_offset: Some(at.1),
            message: String::new(),
            raw_prefix: raw_prefix.to_owned(),
        };
        let found = of(&issue, Some(&bytes), width, Paint::for_stdout(Color::Never));
        assert_eq!(found, expect);
    }

    #[test]
    fn the_caret_stands_under_what_is_meant() {
        let log = "one\nzwei é [x] drei\n".as_bytes();
        let expect = [" --> a.log:2:8", "  |", "2 | zwei é [x] drei", "  |        ^^^"];
        check(log, "bad-timestamp", (2, 12), "[x]", 80, &expect);
        let expect = [" --> a.log:1:4", "  |", "1 | one", "  |    ^"];
        check(log, "truncated-payload", (1, 3), "", 80, &expect);
        // What was noted may go on behind the line.
        let expect = [" --> a.log:1:1", "  |", "1 | one", "  | ^^^"];
        check(log, "truncated-payload", (1, 0), "one\\nzwei", 80, &expect);
        // Another content than was noted: the place is told, and what was noted.
        let expect = [" --> a.log:1", "  |", "1 | two", "  | ^"];
        check(log, "truncated-payload", (1, 0), "two", 80, &expect);
    }

    #[test]
    fn bytes_that_are_no_text_are_found_and_escaped() {
        let log = b"one\ntwo \x1b[1m\xff\xfe!\n";
        let expect = [" --> a.log:2:9", "  |", "2 | two \\u{1b}[1m\\xff\\xfe!", "  |              ^^^^"];
        check(log, "invalid-utf8", (1, 0), "one\\ntwo", 80, &expect);
    }

    #[test]
    fn long_lines_are_shown_around_the_place() {
        let line = format!("{}HERE{}\n", "a".repeat(100_000), "b".repeat(100_000));
        let (before, after) = ("a".repeat(15), "b".repeat(3));
        let text = format!("1 | …{before}HERE{after}…");
        let caret = format!("  | {}^^^^", " ".repeat(16));
        let expect = [" --> a.log:1:100001", "  |", text.as_str(), caret.as_str()];
        check(line.as_bytes(), "bad-timestamp", (1, 100_000), "HERE", 29, &expect);
    }
}
