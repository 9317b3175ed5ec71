//! What an input is: a log of one of the formats, something that belongs beside a log, or neither.
//!
//! Asks every format of the registry and knows none of them. What nobody claims gets a hint of what it
//! looks like, because "unknown" alone helps nobody.

use std::fmt;

use memchr::{memchr_iter, memmem};

use crate::format::{self, Extent, Format, Head, Metadata, Shape};
use crate::json::{Reader, Tokens, ValueKind, is_lines};
use crate::text::strip_ansi;

/// What an input is.
#[derive(Clone)]
pub enum Verdict {
    /// A log of a format.
    Log {
        /// The format.
        format: &'static dyn Format,
        /// How it is to be read.
        shape: Shape,
    },
    /// Nothing, or a body that is as empty in several formats.
    Empty,
    /// An API's error answer: what it says.
    ErrorBody(String),
    /// A description of a run or build rather than its log: what it says.
    Metadata(Box<Metadata>),
    /// A table or manifest that this program wrote, or its note beside what it fetched.
    OwnOutput,
    /// None of these, and what it looks like.
    Unknown(Hint),
}

impl fmt::Debug for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Log { format, shape } => write!(f, "Log({}, {shape:?})", format.about().id),
            Self::Empty => f.write_str("Empty"),
            Self::ErrorBody(text) => write!(f, "ErrorBody({text:?})"),
            Self::Metadata(metadata) => write!(f, "Metadata({:?})", metadata.run_id),
            Self::OwnOutput => f.write_str("OwnOutput"),
            Self::Unknown(hint) => write!(f, "Unknown({hint:?})"),
        }
    }
}

/// Declares the things an unknown input may look like, each with the line a human is told.
macro_rules! hints {
    ($($variant:ident, $text:literal;)+) => {
        /// What an unknown input looks like.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Hint { $(#[doc = $text] $variant,)+ }

        impl fmt::Display for Hint {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl Hint {
            /// One line for a human.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)+ }
            }
        }
    };
}

hints! {
    Html, "an HTML page, perhaps an error page saved instead of a log";
    Xml, "XML";
    Gzip, "gzip data";
    Zip, "a zip archive (or an Office document)";
    Zstd, "zstd data";
    Bzip2, "bzip2 data";
    Xz, "xz data";
    Parquet, "a Parquet file, a table rather than a log";
    Pdf, "a PDF document";
    Image, "an image";
    Executable, "a program";
    Database, "a database file";
    Utf32, "UTF-32 text; convert it to UTF-8";
    Binary, "binary data";
    AccessLog, "a web server's access log";
    Syslog, "a syslog or journal";
    Logfmt, "logfmt lines (key=value)";
    JsonLines, "JSON lines of another logger";
    Json, "JSON of another kind";
    BrokenJson, "JSON that cannot be parsed";
    Csv, "a CSV or TSV table";
    StampedText, "a text log of another program, with times";
    Text, "text without anything a log of these formats has";
    Ambiguous, "equally like several formats; name one with --from";
}

/// What the input is whose head is given (decompressed, as UTF-8, without a byte order mark).
///
/// Error bodies, metadata and empty bodies are only recognised where the head is the whole input.
#[must_use]
pub fn detect(head: Head<'_>) -> Verdict {
    if let Some(hint) = magic(head.bytes) {
        return Verdict::Unknown(hint);
    }
    if head.extent == Extent::Whole {
        if is_empty(head.bytes) {
            return Verdict::Empty;
        }
        if let Some(verdict) = whole(head.bytes) {
            return verdict;
        }
    }
    log(head).unwrap_or_else(|| {
        if is_own_output(head.bytes) { Verdict::OwnOutput } else { Verdict::Unknown(hint(head)) }
    })
}

/// Bytes that tell most logs. Twenty thousand small files are recognised faster than they are read only
/// because hardly any of them is looked at further than this.
const PEEK_BYTES: usize = 4 << 10;

/// The format that is certain of it, or else the one with the highest score; a tie is undecided.
fn log(head: Head<'_>) -> Option<Verdict> {
    certain(head).or_else(|| best(head))
}

/// The format whose first few lines or keys nothing else has. How JSON is read may take more of the head;
/// of a text nothing behind those lines is looked at.
fn certain(head: Head<'_>) -> Option<Verdict> {
    let peek = Head { bytes: head.bytes.get(..PEEK_BYTES)?, extent: Extent::Part };
    let is_certain = |found: &format::Match| found.score == format::CERTAIN;
    let mut formats = format::ALL.iter().copied();
    let (format, found) =
        formats.find_map(|format| Some((format, format.detect(peek).filter(is_certain)?)))?;
    let is_json = matches!(peek.bytes.trim_ascii_start().first(), None | Some(b'{' | b'['));
    let found = if is_json { format.detect(head)? } else { found };
    Some(Verdict::Log { format, shape: found.shape })
}

fn best(head: Head<'_>) -> Option<Verdict> {
    let mut best: Option<(&'static dyn Format, format::Match)> = None;
    let mut is_tie = false;
    for format in format::ALL.iter().copied() {
        let Some(found) = format.detect(head) else { continue };
        if found.score == format::CERTAIN {
            return Some(Verdict::Log { format, shape: found.shape });
        }
        let score = best.map_or(0, |(_, best)| best.score);
        is_tie = found.score == score || (is_tie && found.score < score);
        if found.score > score {
            best = Some((format, found));
        }
    }
    let (format, found) = best?;
    Some(if is_tie { Verdict::Unknown(Hint::Ambiguous) } else { Verdict::Log { format, shape: found.shape } })
}

/// Small JSON objects that are no log.
fn whole(document: &[u8]) -> Option<Verdict> {
    if document.trim_ascii_start().first() != Some(&b'{') {
        return None;
    }
    let error = format::ALL.iter().find_map(|format| format.error_body(document));
    let metadata = || format::ALL.iter().find_map(|format| format.metadata(document));
    error.map(Verdict::ErrorBody).or_else(|| metadata().map(|metadata| Verdict::Metadata(Box::new(metadata))))
}

/// Blank, or a JSON body without anything in it: `{}`, `[]`, `null`, or `{"data":[]}`, whose only content is an
/// empty list under one name.
fn is_empty(document: &[u8]) -> bool {
    let text = document.trim_ascii();
    if text.is_empty() || text == b"null" {
        return true;
    }
    let mut tokens = Tokens::new(text);
    let Some(outer) = tokens.next() else { return false };
    let holds_nothing = match (outer.kind, tokens.next(), tokens.next()) {
        (ValueKind::Object | ValueKind::Array, None, _) => true,
        (ValueKind::Object, Some(inner), None) => {
            inner.key == Some(b"data") && inner.kind == ValueKind::Array
        }
        _ => false,
    };
    // Tokens end where JSON is broken, too. All of it is only read where it seems to be short.
    let mut reader = Reader::new(text, 0);
    holds_nothing && reader.skip().is_ok() && reader.peek().is_none()
}

/// Formats told by their first bytes.
fn magic(bytes: &[u8]) -> Option<Hint> {
    const MAGIC: [(&[u8], Hint); 17] = [
        (b"\x1f\x8b", Hint::Gzip),
        (b"PK\x03\x04", Hint::Zip),
        (b"PK\x05\x06", Hint::Zip),
        (b"\x28\xb5\x2f\xfd", Hint::Zstd),
        (b"BZh", Hint::Bzip2),
        (b"\xfd7zXZ\0", Hint::Xz),
        (b"PAR1", Hint::Parquet),
        (b"%PDF-", Hint::Pdf),
        (b"\x89PNG", Hint::Image),
        (b"\xff\xd8\xff", Hint::Image),
        (b"GIF8", Hint::Image),
        (b"\x7fELF", Hint::Executable),
        (b"MZ\x90\0", Hint::Executable),
        (b"\xcf\xfa\xed\xfe", Hint::Executable),
        (b"SQLite format 3\0", Hint::Database),
        (b"\xff\xfe\0\0", Hint::Utf32),
        (b"\0\0\xfe\xff", Hint::Utf32),
    ];
    MAGIC.iter().find(|(start, _)| bytes.starts_with(start)).map(|(_, hint)| *hint)
}

/// Column names that only our own tables have side by side, or our manifest's own name for itself.
fn is_own_output(bytes: &[u8]) -> bool {
    let text = bytes.trim_ascii_start();
    let mut top = Tokens::new(text).take(8);
    let is_manifest = text.starts_with(b"{")
        && top.any(|token| token.depth == 1 && token.key == Some(b"tool"))
        && top.any(|token| token.depth == 2 && token.key == Some(b"name") && token.text == b"logmill");
    let starts = [
        "platform,kind,group,",
        "platform,group,",
        "code,severity,source,member,",
        "platform,source,member,format,",
    ];
    let is_csv = starts.iter().any(|columns| text.starts_with(columns.as_bytes()));
    let mut row =
        Tokens::new(text).filter(|token| token.depth == 1).map(|token| token.key.unwrap_or_default());
    let first_keys = [row.next(), row.next(), row.next()].map(Option::unwrap_or_default);
    let is_row = matches!(
        first_keys,
        [b"platform", b"kind", b"group"]
            | [b"code", b"severity", b"source"]
            | [b"platform", b"source", b"member"]
    );
    is_manifest || is_csv || (text.starts_with(b"{") && is_row) || is_note(text) || is_page(text)
}

/// The page of `report --html` names what made it in its head, before anything that stands in a log.
fn is_page(text: &[u8]) -> bool {
    const MADE_BY: &[u8] = b"<meta name=\"generator\" content=\"logmill\"/>";
    let start = text.get(..text.len().min(160)).unwrap_or_default();
    start.starts_with(b"<!DOCTYPE html>") && memmem::find(start, MADE_BY).is_some()
}

/// The note that `logmill fetch` leaves beside what it fetched names itself in its first key.
fn is_note(text: &[u8]) -> bool {
    let first = text.strip_prefix(b"{").unwrap_or_default().trim_ascii_start();
    first.starts_with(b"\"logmill_fetch\"")
}

/// What an input that is no log looks like.
fn hint(head: Head<'_>) -> Hint {
    let text = head.bytes.trim_ascii_start();
    match text.first() {
        Some(b'<') => markup(text),
        Some(b'{' | b'[') if json_follows(text) => json(head),
        _ if is_binary(head.bytes) => Hint::Binary,
        _ => lines(text),
    }
}

fn markup(text: &[u8]) -> Hint {
    let start = text.get(..text.len().min(1024)).unwrap_or_default().to_ascii_lowercase();
    let is_html = [b"<!doctype html".as_slice(), b"<html", b"<head", b"<body"]
        .iter()
        .any(|tag| memmem::find(&start, tag).is_some());
    if is_html {
        Hint::Html
    } else if is_priority(text) {
        Hint::Syslog
    } else {
        Hint::Xml
    }
}

/// `<34>` and the like.
fn is_priority(text: &[u8]) -> bool {
    let digits = text.iter().skip(1).take_while(|byte| byte.is_ascii_digit()).count();
    (1..=3).contains(&digits) && text.get(digits + 1) == Some(&b'>')
}

/// A bracket also opens lines of text (`[2025-01-01 …]`, `[INFO] …`).
fn json_follows(text: &[u8]) -> bool {
    let next = text.get(1..).unwrap_or_default().trim_ascii_start().first();
    match text.first() {
        Some(b'{') => matches!(next, None | Some(b'"' | b'}')),
        _ => matches!(next, None | Some(b'{' | b'[' | b'"' | b']')),
    }
}

fn json(head: Head<'_>) -> Hint {
    if is_lines(head.bytes) {
        return Hint::JsonLines;
    }
    let mut reader = Reader::new(head.bytes, 0);
    match (head.extent, reader.skip()) {
        (Extent::Whole, Ok(_)) if reader.peek().is_none() => Hint::Json,
        (Extent::Part, Err(fault)) if fault.at + 16 >= head.bytes.len() => Hint::Json,
        _ => Hint::BrokenJson,
    }
}

/// A zero byte, or more than one control character in eight bytes. Escape, tab, newline and return are text.
fn is_binary(bytes: &[u8]) -> bool {
    let sample = bytes.get(..bytes.len().min(4096)).unwrap_or_default();
    let zeros = memchr_iter(0, sample).count();
    let controls = sample.iter().filter(|byte| matches!(byte, 0..=8 | 11 | 14..=26 | 28..=31)).count();
    zeros * 64 > sample.len() || controls * 8 > sample.len()
}

/// What most of the first lines look like.
fn lines(text: &[u8]) -> Hint {
    type Test = fn(&str) -> bool;
    const TESTS: [(Test, Hint); 5] = [
        (is_access, Hint::AccessLog),
        (is_syslog, Hint::Syslog),
        (is_logfmt, Hint::Logfmt),
        (is_json_line, Hint::JsonLines),
        (is_stamped, Hint::StampedText),
    ];
    let sample = String::from_utf8_lossy(text.get(..text.len().min(16 << 10)).unwrap_or_default());
    let sample = strip_ansi(sample);
    let lines: Vec<&str> = sample.lines().filter(|line| !line.trim().is_empty()).take(50).collect();
    let most = |test: &Test| lines.iter().filter(|line| test(line)).count() * 2 > lines.len();
    let found = TESTS.iter().find(|(test, _)| most(test)).map(|(_, hint)| *hint);
    found.unwrap_or_else(|| if is_table(&lines) { Hint::Csv } else { Hint::Text })
}

/// `host ident user [10/Oct/2000:13:55:36 -0700] "GET / HTTP/1.0" 200 2326`
fn is_access(line: &str) -> bool {
    let request = line.split('"').nth(1).unwrap_or_default();
    line.contains(" [") && (request.contains(" HTTP/") || request == "-")
}

/// `Oct 11 22:14:15 host program[123]: …` or `<34>…`
fn is_syslog(line: &str) -> bool {
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    if line.starts_with('<') {
        return is_priority(line.as_bytes());
    }
    let mut words = line.split_ascii_whitespace();
    let month = words.next().is_some_and(|word| MONTHS.contains(&word));
    let day = words.next().is_some_and(|word| word.parse::<u8>().is_ok());
    month && day && words.next().is_some_and(|word| word.matches(':').count() == 2)
}

/// `level=info ts=… msg="…"`: at least three names with a value, the first word being one.
fn is_logfmt(line: &str) -> bool {
    let is_pair = |word: &str| {
        word.split_once('=').is_some_and(|(name, _)| {
            !name.is_empty()
                && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte))
        })
    };
    let mut words = line.split_ascii_whitespace();
    words.next().is_some_and(is_pair) && words.filter(|word| is_pair(word)).count() >= 2
}

fn is_json_line(line: &str) -> bool {
    line.trim().starts_with("{\"") && line.trim().ends_with('}')
}

/// A date and a time of day near the start of the line.
fn is_stamped(line: &str) -> bool {
    let start: String = line.chars().take(40).collect();
    start.matches(':').count() >= 2 && start.bytes().filter(u8::is_ascii_digit).count() >= 6
}

/// The same number of commas, semicolons or tabs, at least one, on all of two or more lines.
fn is_table(lines: &[&str]) -> bool {
    let Some((first, rest)) = lines.split_first() else { return false };
    [',', ';', '\t'].iter().any(|separator| {
        let n_columns = first.matches(*separator).count();
        n_columns > 0
            && rest.len() > 1
            && rest.iter().all(|line| line.matches(*separator).count() == n_columns)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(input: &str, expect: &str) {
        check_bytes(input.as_bytes(), expect);
    }

    #[track_caller]
    fn check_bytes(bytes: &[u8], expect: &str) {
        let verdict = detect(Head { bytes, extent: Extent::Whole });
        assert_eq!(format!("{verdict:?}"), expect, "{}", bytes.escape_ascii());
    }

    #[test]
    fn bodies_without_anything() {
        for body in ["", " \r\n\t", "[]", "{}", " {\"data\": [ ]}\n", "null", "{\"data\":[]}"] {
            check(body, "Empty");
        }
        check("{\"items\":[]}", "Unknown(Json)");
        check("{\"data\":[]", "Unknown(BrokenJson)");
    }

    #[test]
    fn executions_and_schedules() {
        let execution = r#"{"executionId":"x","startedAt":"2025-01-01T00:00:00.000Z","results":[]}"#;
        check(execution, "Log(alloy-execution, Document)");
        check(&format!("{{\"data\":[{execution}]}}"), "Log(alloy-execution, Document)");
        check(&format!("[{execution}]"), "Log(alloy-execution, Document)");
        check(&format!("{execution}\n{execution}\n"), "Log(alloy-execution, Windows)");
        let entry = r#"{"message":"Schedule invoked","level":"INFO","createdAt":"2025-01-01T00:00:00.370Z"}"#;
        check(&format!("{{\"data\":[{entry}]}}"), "Log(apify-schedule, Document)");
        check(&format!("[{entry}]"), "Log(apify-schedule, Document)");
        check(&format!("{entry}\n{entry}\n"), "Log(apify-schedule, Document)");
    }

    #[test]
    fn a_certain_beginning_is_enough() {
        let stamp = "2025-01-01T00:00:00.000Z";
        let lines = format!("{stamp} ACTOR: Pulling container image of build x.\n").repeat(8);
        let prose = "neither stamped nor anybody's\n".repeat(500);
        check(&format!("{lines}{prose}"), "Log(apify-log, Windows)");
        check(&prose, "Unknown(Text)");
        let download = "2026-07-08T02:59:50.337Z\tCloning repository...\n".repeat(120);
        check(&format!("{download}{prose}"), "Log(cloudflare-build, Sequence)");
        // What follows decides how it is read, but not what it is.
        let entry = r#"{"message":"Schedule invoked","level":"INFO","createdAt":"2025-01-01T00:00:00.370Z"}"#;
        check(
            &format!("[{entry}{}]", ",{\"executionId\":\"x\",\"results\":[]}".repeat(200)),
            "Log(apify-schedule, Document)",
        );
    }

    #[test]
    fn relatives_are_not_taken_for_executions() {
        let n8n =
            r#"{"data":[{"id":"1","finished":true,"mode":"manual","startedAt":"2025-01-01T00:00:00.000Z"}]}"#;
        check(n8n, "Unknown(Json)");
    }

    #[test]
    fn notes_of_fetch() {
        let note = r#"{
  "logmill_fetch": 1,
  "endpoint": "cloudflare-build",
  "id": "4f6c1f2e-8a53-4b0e-9d53-2a1f0c9f7e11",
  "complete": true,
  "pages": [{"file": "page-0001.json", "url": "https://api.cloudflare.com/x", "status": 200, "bytes": 9,
             "cursor": "WzAsMV0=", "truncated": false}]
}"#;
        check(note, "OwnOutput");
        check(r#"{"message":"logmill_fetch","logmill_fetch":1}"#, "Unknown(Json)");
    }

    #[test]
    fn error_answers() {
        check(r#"{"message":"Unauthorized"}"#, "ErrorBody(\"Unauthorized\")");
    }

    #[test]
    fn hints() {
        check("<!DOCTYPE html><html><body>502</body></html>", "Unknown(Html)");
        check("<?xml version=\"1.0\"?><a/>", "Unknown(Xml)");
        check_bytes(b"\x1f\x8b\x08\0", "Unknown(Gzip)");
        check_bytes(b"PK\x03\x04rest", "Unknown(Zip)");
        check_bytes(b"PAR1rest", "Unknown(Parquet)");
        check_bytes(b"\0\x01\x02\x03 binary", "Unknown(Binary)");
        let access = "192.0.2.1 - - [10/Oct/2024:13:55:36 +0000] \"GET /a HTTP/1.1\" 200 12\n";
        check(&access.repeat(3), "Unknown(AccessLog)");
        check(
            "Oct 11 22:14:15 web1 sshd[77]: Accepted\nOct 11 22:14:16 web1 cron[1]: x\n",
            "Unknown(Syslog)",
        );
        check("<34>1 2024-10-11T22:14:15Z web1 app - - - hi\n", "Unknown(Syslog)");
        check("level=info ts=1 msg=\"a b\"\nlevel=warn ts=2 msg=c\n", "Unknown(Logfmt)");
        check("{\"event\":\"login\",\"user\":1}\n{\"event\":\"logout\",\"user\":2}\n", "Unknown(JsonLines)");
        check("{\"name\":\"a\",\"version\":\"1.0.0\"}", "Unknown(Json)");
        check("{\"name\":\"a\",", "Unknown(BrokenJson)");
        check("id,name,age\n1,Ada,36\n2,Grace,45\n", "Unknown(Csv)");
        check("Dear reader,\nthis is a letter.\nYours, X\n", "Unknown(Text)");
    }

    #[test]
    fn outputs_of_this_program() {
        check("platform,kind,group,run_id,source\napify,run,a,b,c\n", "OwnOutput");
        check("{\"platform\":\"apify\",\"kind\":\"run\",\"group\":\"g\",\"run_id\":\"r\"}\n", "OwnOutput");
        check(
            "{\n  \"tool\": {\n    \"name\": \"logmill\",\n    \"version\": \"0.1.0\"\n  },\n  \"files\": []\n}",
            "OwnOutput",
        );
        let head = "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"/>\n";
        check(&format!("{head}<meta name=\"generator\" content=\"logmill\"/>"), "OwnOutput");
        check(&format!("{head}<meta name=\"generator\" content=\"another\"/>"), "Unknown(Html)");
    }
}
