//! From the bytes of a schedule log to its entries.

use std::borrow::Cow;

use crate::issue::Code;
use crate::json::{
    Claim, Collect, Fate, Fault, Findings, Instant, Reader, Tokens, ValueKind, balanced_end, close_envelope,
    collect_array, instant, reject_line, reject_object, text, trimmed,
};
use crate::record::Span;
use crate::text::Text;
use crate::time::{Micros, StampReader};
use crate::vocabulary::Level;

/// What a firing says.
const INVOKED: &str = "schedule invoked";
/// Name of an invocation whose instant is not stated.
const UNDATED: &str = "undated";

/// One entry.
#[derive(Debug)]
pub struct Entry<'a> {
    pub span: Span,
    pub claim: Claim,
    pub ts: Option<Micros>,
    /// Where it stands among the others.
    pub order: Option<Micros>,
    /// `createdAt` as it stands.
    created_at: Option<Text<'a>>,
    pub level: Level,
    pub message: Text<'a>,
    /// Whether it says that the schedule fired.
    pub is_invoked: bool,
    /// The entry itself, where it has members that are not documented.
    pub payload: Option<Text<'a>>,
    pub is_lossy: bool,
}

impl<'a> Entry<'a> {
    /// `createdAt` as it is written.
    pub fn created_text(&self) -> Cow<'a, str> {
        self.created_at.map_or(Cow::Borrowed(UNDATED), |created_at| created_at.decode())
    }

    /// The message without the id of what could not be started, so that equal reasons are equal texts.
    ///
    /// ```text
    /// "Cannot start Actor task " quote id quote ":" …        quote := `"` | `\"`
    /// ```
    /// The documentation's own example has literal backslashes before the quotes.
    pub fn reason(&self) -> Cow<'a, str> {
        let message = self.message.decode();
        match quoted_id(&message) {
            Some((start, end)) => {
                let (before, behind) = (message.get(..start), message.get(end..));
                Cow::Owned([before.unwrap_or_default().trim_end(), behind.unwrap_or_default()].concat())
            }
            None => message,
        }
    }
}

/// Where the first quoted text stands, quotes included, if it is an id or a name and a colon follows.
fn quoted_id(message: &str) -> Option<(usize, usize)> {
    let quote_at = message.find('"')?;
    let start = if message.get(..quote_at)?.ends_with('\\') { quote_at - 1 } else { quote_at };
    let inside = message.get(quote_at + 1..)?;
    let len = inside.bytes().take_while(|b| b.is_ascii_alphanumeric() || b"~/_.-".contains(b)).count();
    let behind = inside.get(len..)?;
    let close = if behind.starts_with('\\') { 2 } else { 1 };
    let is_id = len > 0 && behind.get(..close)?.ends_with('"') && behind.get(close..)?.starts_with(':');
    is_id.then_some((start, quote_at + 1 + len + close))
}

/// What has been read of a log.
#[derive(Debug)]
pub struct Log<'a> {
    pub entries: Vec<Entry<'a>>,
    pub findings: Findings,
    stamps: StampReader,
    encoding: Encoding,
}

/// Whether all of a window is UTF-8, which one look at all of it tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Encoding {
    Utf8,
    Mixed,
}

impl<'a> Log<'a> {
    /// A log of which nothing has been read, and which stands in `window`.
    pub fn new(window: &[u8]) -> Self {
        let is_utf8 = simdutf8::basic::from_utf8(window).is_ok();
        let encoding = if is_utf8 { Encoding::Utf8 } else { Encoding::Mixed };
        Self { entries: Vec::new(), findings: Findings::default(), stamps: StampReader::new(), encoding }
    }

    /// Reads the value at byte `at` and says where it ends. Whatever it is, it is consumed.
    ///
    /// ```text
    /// value := "{" … "data" ":" "[" entry* "]" … "}" | "[" entry* "]" | entry
    /// entry := "{" ("message" | "level" | "createdAt" | …)* "}"
    /// ```
    pub fn value(&mut self, document: &'a [u8], at: usize) -> usize {
        match document.get(at) {
            Some(b'[') => collect_array(self, document, at).0,
            Some(b'{') => match outline(document, at) {
                Outline::Envelope(data) => {
                    let (end, _) = collect_array(self, document, data);
                    close_envelope(&mut self.findings, document, at, end)
                }
                Outline::Entry => self.object(document, at),
                Outline::Other => reject_object::<Self>(&mut self.findings, document, at),
            },
            _ => reject_line(&mut self.findings, document, at),
        }
    }

    fn entry(&mut self, document: &'a [u8], at: usize) -> Result<Entry<'a>, Fault> {
        let mut entry = Entry {
            span: Span::default(),
            claim: Claim { line: 0, n_lines: 0 },
            ts: None,
            order: None,
            created_at: None,
            level: Level::None,
            message: Text::EMPTY,
            is_invoked: false,
            payload: None,
            is_lossy: false,
        };
        let mut reader = Reader::new(document, at);
        let mut members = reader.object()?;
        let mut has_more = false;
        while let Some(key) = members.key(&mut reader)? {
            match key {
                b"message" => {
                    let span = reader.skip()?;
                    entry.message = text(document, span);
                    entry.is_invoked = is_invoked(entry.message);
                }
                b"level" => {
                    let span = reader.skip()?;
                    entry.level = level(text(document, span));
                }
                b"createdAt" => {
                    reader.peek();
                    let start = reader.at();
                    entry.ts = self.instant(&mut reader)?;
                    let said = text(document, Span { start, end: reader.at() });
                    entry.created_at = Some(said).filter(|said| said.raw != b"null");
                }
                _ => {
                    reader.skip()?;
                    has_more = true;
                }
            }
        }
        entry.span = Span { start: at, end: reader.at() };
        let raw = reader.slice(entry.span);
        entry.payload = has_more.then_some(Text::plain(raw));
        entry.is_lossy = self.encoding == Encoding::Mixed && std::str::from_utf8(raw).is_err();
        Ok(entry)
    }

    fn instant(&mut self, reader: &mut Reader<'a>) -> Result<Option<Micros>, Fault> {
        let found = instant(reader, &mut self.stamps)?;
        if let Instant::Unreadable(span) = found {
            self.findings.push(Code::BadTimestamp, span, Fate::Kept, "expected an RFC 3339 instant");
        }
        Ok(found.micros())
    }
}

impl<'a> Collect<'a> for Log<'a> {
    const EXPECTED: &'static str = "expected an entry of message, level and createdAt, found something else";

    fn object(&mut self, document: &'a [u8], at: usize) -> usize {
        let n_findings = self.findings.len();
        match self.entry(document, at) {
            Ok(entry) => {
                let end = entry.span.end;
                if entry.message.raw.is_empty() && entry.created_at.is_none() {
                    self.findings.forget(n_findings);
                    self.findings.push(Code::UnexpectedShape, entry.span, Fate::Rejected, Self::EXPECTED);
                } else {
                    if entry.is_lossy {
                        self.findings.push(Code::InvalidUtf8, entry.span, Fate::Kept, "expected UTF-8");
                    }
                    self.entries.push(entry);
                }
                end
            }
            Err(fault) => {
                self.findings.forget(n_findings);
                let end = balanced_end(document, at).unwrap_or(document.len());
                self.findings.reject(document, trimmed(document, at, end), fault);
                end
            }
        }
    }

    fn findings(&mut self) -> &mut Findings {
        &mut self.findings
    }
}

/// What the object at `at` is, told by the first telling key.
enum Outline {
    /// An envelope; where its array starts.
    Envelope(usize),
    Entry,
    Other,
}

fn outline(document: &[u8], at: usize) -> Outline {
    const ENTRIES: [&[u8]; 3] = [b"{\"message\":", b"{\"level\":", b"{\"createdAt\":"];
    let rest = document.get(at..).unwrap_or_default();
    if ENTRIES.iter().any(|start| rest.starts_with(start)) {
        return Outline::Entry;
    }
    let tokens = Tokens::new(rest);
    for token in tokens.take_while(|token| token.depth > 0 || token.at == 0).filter(|token| token.depth == 1)
    {
        match (token.key.unwrap_or_default(), token.kind) {
            (b"data", ValueKind::Array) => return Outline::Envelope(at + token.at),
            (b"message" | b"level" | b"createdAt", _) => return Outline::Entry,
            _ => {}
        }
    }
    Outline::Other
}

/// Whether a message says that the schedule fired.
fn is_invoked(message: Text<'_>) -> bool {
    // It is nearly always spelt like this.
    if message.raw.starts_with(b"Schedule invoked") {
        return true;
    }
    let said = message.decode();
    said.trim_ascii_start().get(..INVOKED.len()).is_some_and(|head| head.eq_ignore_ascii_case(INVOKED))
}

fn level(text: Text<'_>) -> Level {
    match text.raw {
        b"INFO" => Level::Info,
        b"ERROR" => Level::Error,
        _ => level_word(&text.decode()),
    }
}

/// INFO and ERROR are documented; the rest are the levels the platform's other logs have.
fn level_word(word: &str) -> Level {
    const LEVELS: [(&str, Level); 11] = [
        ("INFO", Level::Info),
        ("ERROR", Level::Error),
        ("WARNING", Level::Warn),
        ("WARN", Level::Warn),
        ("DEBUG", Level::Debug),
        ("CRITICAL", Level::Critical),
        ("FATAL", Level::Critical),
        ("SOFT_FAIL", Level::SoftFail),
        ("SFAIL", Level::SoftFail),
        ("PERF", Level::Perf),
        ("TRACE", Level::Debug),
    ];
    let known = LEVELS.iter().find(|(name, _)| name.eq_ignore_ascii_case(word.trim()));
    known.map_or(Level::None, |(_, level)| *level)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_id(message: &str, expect: &str) {
        let rest = quoted_id(message).map_or(message.to_owned(), |(start, end)| {
            [message[..start].trim_end(), &message[end..]].concat()
        });
        assert_eq!(rest, expect, "{message}");
    }

    #[test]
    fn ids_are_left_out_of_reasons() {
        check_id("Cannot start Actor task \"aB3\": no \"input\"", "Cannot start Actor task: no \"input\"");
        check_id(
            "Cannot start Actor task \\\"aB3\\\": got \\\"x\\\".",
            "Cannot start Actor task: got \\\"x\\\".",
        );
        check_id("Cannot start Actor \"jane~my-actor\": gone", "Cannot start Actor: gone");
        check_id("Input \"string\" is wrong: sorry", "Input \"string\" is wrong: sorry");
        check_id("Said \"not an id\": x", "Said \"not an id\": x");
        check_id("\"", "\"");
        check_id("\\\"a\\", "\\\"a\\");
    }

    #[test]
    fn levels_in_any_case() {
        assert_eq!(level_word("error"), Level::Error);
        assert_eq!(level_word(" Warning"), Level::Warn);
        assert_eq!(level_word("NOTICE"), Level::None);
    }

    #[test]
    fn what_is_nearly_always_written_is_told_from_its_bytes() {
        for word in ["INFO", "ERROR", "info", "INFO ", "\\u0049NFO"] {
            let text = Text::json_string(word.as_bytes());
            assert_eq!(level(text), level_word(&text.decode()), "{word}");
        }
        for (message, expect) in [
            ("Schedule invoked", true),
            ("Schedule invoked by hand", true),
            (" schedule INVOKED", true),
            ("\\u0053chedule invoked", true),
            ("Schedule", false),
            ("", false),
        ] {
            assert_eq!(is_invoked(Text::json_string(message.as_bytes())), expect, "{message}");
        }
    }
}
