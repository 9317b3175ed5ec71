//! Whether an input is a build log, told by its first bytes.

use super::cuts;
use super::element::{self, Stamp};
use super::marks::{self, Mark};
use super::outcome;
use super::scan::Cursor;
use super::stamps::{self, Kind};
use crate::format::{CERTAIN, Extent, Head, Match, Shape};
use crate::json::is_lines;
use crate::text;
use crate::time::StampReader;

/// How the input matches, if it does.
pub(super) fn detect(head: Head<'_>) -> Option<Match> {
    if is_json(head.bytes) {
        return json(head.bytes).map(|score| Match { score, shape: shape(head.bytes) });
    }
    text(head).map(|score| Match { score, shape: Shape::Sequence })
}

/// Lines of answers are read in windows where builds begin with their pages.
fn shape(bytes: &[u8]) -> Shape {
    if is_lines(bytes) && cuts::begins_with_build(bytes) { Shape::Windows } else { Shape::Document }
}

/// Whether the input starts like JSON. `[prerender] …` and `[0.06ms] …` are lines of text.
pub(super) fn is_json(bytes: &[u8]) -> bool {
    let mut cursor = Cursor::new(bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes));
    if cursor.take(b'{') {
        return matches!(cursor.next_token(), None | Some(b'"' | b'}'));
    }
    if !cursor.take(b'[') {
        return false;
    }
    match cursor.next_token() {
        None | Some(b'[' | b'{' | b']') => true,
        _ => matches!(cursor.scalar(), Ok(Some(_))) && cursor.next_token() == Some(b','),
    }
}

fn json(bytes: &[u8]) -> Option<u8> {
    let mut cursor = Cursor::new(bytes);
    if cursor.next_token() == Some(b'{') {
        return object(cursor);
    }
    let outer = cursor;
    cursor.take(b'[');
    match cursor.next_token()? {
        b'{' => object(cursor),
        b'[' => tuple(cursor).map(|message| if message == Message::Text { 75 } else { 30 }),
        b']' => None,
        _ => (tuple(outer)? == Message::Text).then_some(60),
    }
}

/// What a page turned out to hold.
#[derive(Debug, Clone, Copy, Default)]
struct Seen {
    lines: Option<u8>,
    paged: bool,
    envelope: bool,
    nothing: bool,
}

fn object(cursor: Cursor<'_>) -> Option<u8> {
    if is_entry(cursor) {
        return Some(60);
    }
    let mut seen = Seen::default();
    fields(cursor, Place::Outer, &mut seen);
    let empty_answer = seen.envelope && seen.nothing;
    seen.lines.or(if seen.paged {
        Some(60)
    } else if empty_answer {
        Some(40)
    } else {
        None
    })
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Outer,
    Result,
}

/// Looks at the fields as far as the head goes.
fn fields(mut cursor: Cursor<'_>, place: Place, seen: &mut Seen) -> Option<()> {
    cursor.take(b'{');
    while cursor.next_token() == Some(b'"') {
        let key = cursor.string().ok()?.raw;
        cursor.expect(b':', "`:`").ok()?;
        let token = cursor.next_token()?;
        match (key, token) {
            (b"result", b'{') if place == Place::Outer => {
                fields(cursor, Place::Result, seen);
            }
            (b"result", b'n') => seen.nothing = true,
            (b"success", b't') => seen.envelope = true,
            (b"cursor", _) if place == Place::Result => seen.paged = true,
            (b"truncated", b't' | b'f') => seen.paged = true,
            (b"lines", b'[') => seen.lines = lines(cursor, place),
            (b"data", b'[') => seen.lines = data(cursor),
            _ => {}
        }
        if seen.lines == Some(CERTAIN) {
            break;
        }
        cursor.skip().ok()?;
        cursor.take(b',');
    }
    Some(())
}

fn lines(mut cursor: Cursor<'_>, place: Place) -> Option<u8> {
    cursor.take(b'[');
    match cursor.next_token() {
        Some(b']') if place == Place::Result => Some(90),
        Some(b'[') => {
            let mut inner = cursor;
            let is_cut = inner.skip().is_err();
            match tuple(cursor) {
                Some(Message::Text) if place == Place::Result => Some(CERTAIN),
                found => (is_cut || found.is_some()).then_some(95),
            }
        }
        Some(b'{') => is_entry(cursor).then_some(90),
        None => Some(70),
        _ => None,
    }
}

/// Pages' `data`: `[{"ts": …, "line": …}]`.
fn data(mut cursor: Cursor<'_>) -> Option<u8> {
    cursor.take(b'[');
    (cursor.next_token() == Some(b'{') && is_entry(cursor)).then_some(85)
}

/// Whether the object here has both a `ts` and a `line`.
fn is_entry(mut cursor: Cursor<'_>) -> bool {
    let (mut stamped, mut spoken) = (false, false);
    cursor.take(b'{');
    while cursor.next_token() == Some(b'"') && !(stamped && spoken) {
        let Ok(key) = cursor.string() else { break };
        stamped |= key.raw == b"ts";
        spoken |= key.raw == b"line";
        if cursor.expect(b':', "`:`").and_then(|()| cursor.skip()).is_err() {
            break;
        }
        cursor.take(b',');
    }
    stamped && spoken
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Message {
    Text,
    Number,
}

/// 2001-09-09T01:46:40Z: smaller numbers are no instants of a build.
const EARLIEST_US: i64 = 1_000_000_000_000_000;

/// What the tuple or entry at the cursor holds, if it starts with an instant.
fn tuple(cursor: Cursor<'_>) -> Option<Message> {
    let mut behind = cursor;
    behind.skip().ok()?;
    let read = element::read(cursor.bytes.get(cursor.at..behind.at)?)?;
    let Stamp::At(EARLIEST_US..) = read.stamp else { return None };
    let mut inner = cursor;
    inner.take(b'[');
    inner.skip().ok()?;
    inner.take(b',');
    let is_text = inner.next_token() == Some(b'"');
    Some(if is_text { Message::Text } else { Message::Number })
}

/// What was counted over the lines of the head.
#[derive(Debug, Clone, Copy, Default)]
struct Lines {
    spoken: usize,
    stamped: usize,
    tabbed: usize,
    platform: usize,
    tools: usize,
}

fn text(head: Head<'_>) -> Option<u8> {
    let bytes = match head.extent {
        Extent::Whole => head.bytes,
        Extent::Part => head.bytes.get(..memchr::memrchr(b'\n', head.bytes)?)?,
    };
    let mut lines = Lines::default();
    let mut reader = StampReader::new();
    for line in text::lines(bytes) {
        let stamp = stamps::stamp(line, &mut reader);
        let rest = line.get(stamp.map_or(0, |stamp| stamp.len)..).unwrap_or_default();
        let is_instant = stamp.is_some_and(|stamp| stamp.kind == Kind::Instant);
        lines.stamped += usize::from(stamp.is_some());
        lines.tabbed += usize::from(is_instant && rest.first() == Some(&b'\t'));
        let text = rest.trim_ascii();
        let text = text.strip_prefix(b"|").map_or(text, <[u8]>::trim_ascii_start);
        lines.spoken += usize::from(!text.is_empty());
        if text.starts_with(b"ACTOR: ") {
            return None;
        }
        lines.platform += usize::from(is_platform(text));
        lines.tools += usize::from(is_tool(text));
        if lines.is_certain() {
            break;
        }
    }
    score(lines)
}

/// Lines that are enough where all of them are written as the dashboard's download has them.
const FEW_LINES: usize = 8;

impl Lines {
    /// Whether every line so far has an instant and a TAB, and two of them are the platform's.
    fn is_certain(self) -> bool {
        self.spoken >= FEW_LINES && self.tabbed == self.spoken && self.platform >= 2
    }
}

fn score(lines: Lines) -> Option<u8> {
    let Lines { spoken, stamped, tabbed, platform, tools } = lines;
    match platform {
        _ if lines.is_certain() => Some(CERTAIN),
        2.. if stamped > 0 => Some(95),
        1 if stamped > 0 => Some(80),
        // Without stamps a single phrase may be a quotation, unless there is hardly anything else.
        2.. if platform * 20 >= spoken => Some(80),
        1 if spoken <= 20 => Some(60),
        _ if tabbed > 0 && tabbed * 2 >= spoken => Some(60),
        _ if tools > 0 && stamped > 0 => Some(50),
        _ => None,
    }
}

/// Whether nobody else says this.
fn is_platform(line: &[u8]) -> bool {
    match marks::mark(line) {
        None | Some(Mark::Finished | Mark::ToolInstall | Mark::Other) => false,
        Some(Mark::Failed) => outcome::verdict(Mark::Failed, line, None, false).failure_class.is_some(),
        Some(_) => true,
    }
}

/// Whether the deploying tool says this.
fn is_tool(line: &[u8]) -> bool {
    line.starts_with("✘ [ERROR] A request to the Cloudflare API".as_bytes())
        || (line.starts_with("🪵".as_bytes()) && memchr::memmem::find(line, b"wrangler").is_some())
        || line.starts_with("⛅".as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(input: &str, expect: Option<(u8, Shape)>) {
        for extent in [Extent::Whole, Extent::Part] {
            let input = if extent == Extent::Part && !is_json(input.as_bytes()) {
                format!("{input}\n")
            } else {
                input.to_owned()
            };
            let found = detect(Head { bytes: input.as_bytes(), extent });
            assert_eq!(found.map(|m| (m.score, m.shape)), expect, "{input}");
        }
    }

    #[test]
    fn json_shapes() {
        let document = |score| Some((score, Shape::Document));
        check(
            r#"{"result":{"lines":[[1784052295481,"Initializing"]],"cursor":"x"},"success":true}"#,
            document(CERTAIN),
        );
        check(r#"{"result":{"lines":[[1784052295481,"Initia"#, document(95));
        check(r#"{"result":{"cursor":"x","truncated":false,"lines":[]}}"#, document(90));
        check(r#"{"lines":[[1784052295481,"x"]]}"#, document(95));
        check(r#"[[1784052295481,"x"],[1784052295482,"y"]]"#, document(75));
        check(r#"[{"success":true,"result":{"lines":[[1784052295481,"x"]]}}]"#, document(CERTAIN));
        check(r#"[1784052295481,"x"]"#, document(60));
        check(r#"{"data":[{"ts":"2021-04-20T19:35:29.0749819Z","line":"x"}],"total":1}"#, document(85));
        check(r#"{"result":{"data":[{"ts":"2021-04-20T19:35:29.0749819Z","line":"x"}]}}"#, document(85));
        check(r#"{"result":null,"success":true,"errors":[]}"#, document(40));
    }

    #[test]
    fn other_json_is_not_claimed() {
        for json in [
            r#"{"data":[{"executionId":"e","steps":[]}]}"#,
            r#"{"data":[{"message":"m","level":"INFO","createdAt":"2020-01-01T00:00:00Z"}]}"#,
            r#"{"data":[]}"#,
            "[]",
            "{}",
            "[[1,2],[3,4]]",
            r#"{"result":[],"success":true,"errors":[],"messages":[]}"#,
            r#"{"result":{"trigger_uuid":"t"},"success":true,"errors":[]}"#,
            r#"{"errors":[{"code":12000,"message":"Not found"}],"result":null,"success":false}"#,
            r#"{"error":{"type":"record-not-found","message":"x"}}"#,
            r#"{"timestamp":"2020-01-01T00:00:00Z","message":"x","level":"info"}"#,
        ] {
            check(json, None);
        }
    }

    #[test]
    fn text_shapes() {
        let sequence = |score| Some((score, Shape::Sequence));
        check(
            "2026-07-08T02:59:50.337Z\tInitializing build environment...\n2026-07-08T02:59:53.441Z\tSuccess: Finished initializing build environment",
            sequence(95),
        );
        let download = "2026-07-08T02:59:50.337Z\tCloning repository...\n".repeat(8);
        check(&download, sequence(CERTAIN));
        check("07:04:08.713 | Initializing build environment...\n-- | --", sequence(80));
        check("15:54:24  Build failed to initialize and was timed out", sequence(80));
        check("[prerender] Crawling: /\nAn internal error occurred. Please retry your build.", sequence(60));
        check("2026-07-08T02:59:50.337Z\tanything\n2026-07-08T02:59:50.338Z\tat all", sequence(60));
        check("22:15:12.705 | ✘ [ERROR] A request to the Cloudflare API (/x) failed.", sequence(50));
    }

    #[test]
    fn other_text_is_not_claimed() {
        check("2026-07-08T02:59:50.337Z ACTOR: Pulling container image", None);
        check("2026-07-08T02:59:50.337Z INFO  System info", None);
        check("", None);
        check("<!DOCTYPE html><html></html>", None);
        check("hello\nworld", None);
    }
}
