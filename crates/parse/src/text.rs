//! Text as it stands in the input, decoded only when a column or a human asks.
//!
//! Owns the ways a message can be encoded (plain, spread over stamped lines,
//! JSON-escaped) and the ANSI stripper. Where a message starts and ends is
//! decided in `formats/`.

use std::borrow::Cow;

use memchr::{memchr, memchr2};

/// Bytes of the input together with how to read them.
#[derive(Debug, Clone, Copy)]
pub struct Text<'a> {
    /// The bytes as they stand in the input.
    pub raw: &'a [u8],
    /// How they turn into text.
    pub codec: Codec,
}

/// How the bytes of a [`Text`] turn into text. Every way ends with ANSI removed.
#[derive(Debug, Clone, Copy)]
pub enum Codec {
    /// As it stands.
    Plain,
    /// Several physical lines, each after the first carrying a head (stamp, relay
    /// prefix) that the function measures, in bytes, for one line without its newline.
    Lines(fn(&[u8]) -> usize),
    /// The inside of a JSON string, escapes and all, without its quotes.
    JsonString,
    /// Several elements or lines that the function reads, joins by newlines and appends to a text.
    Joined(fn(&[u8], &mut String)),
}

impl<'a> Text<'a> {
    /// No text.
    pub const EMPTY: Text<'static> = Text { raw: b"", codec: Codec::Plain };

    /// Text that stands in the input as it is.
    #[must_use]
    pub const fn plain(raw: &'a [u8]) -> Self {
        Text { raw, codec: Codec::Plain }
    }

    /// The inside of a JSON string.
    #[must_use]
    pub const fn json_string(raw: &'a [u8]) -> Self {
        Text { raw, codec: Codec::JsonString }
    }

    /// The text, borrowed where nothing had to be taken away.
    ///
    /// Invalid UTF-8 and lone surrogates become U+FFFD.
    #[must_use]
    pub fn decode(&self) -> Cow<'a, str> {
        match self.codec {
            Codec::Plain => strip_ansi(lossy(self.raw)),
            Codec::Lines(head) => {
                let mut joined = String::with_capacity(self.raw.len());
                join_lines(self.raw, head, &mut joined);
                strip_ansi(Cow::Owned(joined))
            }
            Codec::JsonString => strip_ansi(unescape(self.raw)),
            Codec::Joined(read) => {
                let mut joined = String::new();
                read(self.raw, &mut joined);
                strip_ansi(Cow::Owned(joined))
            }
        }
    }

    /// Its lines, where they stand in the input as they are read.
    pub(crate) fn lines(&self) -> Option<impl Iterator<Item = &'a [u8]> + use<'a>> {
        match self.codec {
            Codec::Lines(head) if memchr(ESC, self.raw).is_none() => Some(headless_lines(self.raw, head)),
            _ => None,
        }
    }

    /// The bytes, where they stand in the input as the text is: nothing is taken away, and what is no UTF-8
    /// is all that is replaced.
    #[must_use]
    pub fn as_it_stands(&self) -> Option<&'a [u8]> {
        (matches!(self.codec, Codec::Plain) && memchr(ESC, self.raw).is_none()).then_some(self.raw)
    }

    /// Appends the decoded text to `out`.
    pub fn decode_into(&self, out: &mut String) {
        match self.codec {
            Codec::Plain if memchr(ESC, self.raw).is_none() => out.push_str(&lossy(self.raw)),
            Codec::Lines(head) if memchr(ESC, self.raw).is_none() => join_lines(self.raw, head, out),
            Codec::Joined(read) => {
                let start = out.len();
                read(self.raw, out);
                let joined = out.get(start..).unwrap_or_default();
                if memchr(ESC, joined.as_bytes()).is_some() {
                    let stripped = strip_ansi(Cow::Owned(joined.to_owned()));
                    out.truncate(start);
                    out.push_str(&stripped);
                }
            }
            _ => out.push_str(&self.decode()),
        }
    }
}

/// Text in which what is not UTF-8 is replaced. Nearly all of it is, which the standard library's
/// check of whole slices finds several times as fast as its search for what is not.
pub(crate) fn lossy(bytes: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => String::from_utf8_lossy(bytes),
    }
}

/// What stands between newlines, as `bytes.split(|byte| *byte == b'\n')` has it, but several times as fast.
pub(crate) fn lines(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = Some(bytes);
    std::iter::from_fn(move || {
        let text = rest?;
        let newline = memchr(b'\n', text);
        rest = newline.and_then(|newline| text.get(newline + 1..));
        newline.map_or(Some(text), |newline| text.get(..newline))
    })
}

/// The physical lines of a text, each after the first without its head, all without a final `\r`.
fn headless_lines(raw: &[u8], head: fn(&[u8]) -> usize) -> impl Iterator<Item = &[u8]> {
    lines(raw).enumerate().map(move |(number, line)| {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let start = if number == 0 { 0 } else { head(line) };
        line.get(start..).unwrap_or_default()
    })
}

/// Appends the lines of `raw` to `joined` with `\n` between them.
fn join_lines(raw: &[u8], head: fn(&[u8]) -> usize, joined: &mut String) {
    for (number, line) in headless_lines(raw, head).enumerate() {
        if number > 0 {
            joined.push('\n');
        }
        joined.push_str(&lossy(line));
    }
}

/// The value of the inside of a JSON string; lone surrogates become U+FFFD.
#[must_use]
pub fn unescape(raw: &[u8]) -> Cow<'_, str> {
    if memchr(b'\\', raw).is_none() {
        return lossy(raw);
    }
    let mut out = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some(at) = memchr(b'\\', rest) {
        let (before, escape) = rest.split_at(at);
        out.push_str(&lossy(before));
        let (decoded, len) = read_escape(escape);
        out.push(decoded);
        rest = escape.get(len..).unwrap_or_default();
    }
    out.push_str(&lossy(rest));
    Cow::Owned(out)
}

/// The character of the escape at the start of `escape` (a backslash) and its length in bytes.
pub(crate) fn read_escape(escape: &[u8]) -> (char, usize) {
    let simple = |c| (c, 2);
    match escape.get(1) {
        Some(b'n') => simple('\n'),
        Some(b't') => simple('\t'),
        Some(b'r') => simple('\r'),
        Some(b'b') => simple('\u{8}'),
        Some(b'f') => simple('\u{c}'),
        Some(b'u') => read_unicode_escape(escape),
        Some(&byte) if byte.is_ascii() => simple(char::from(byte)),
        _ => (char::REPLACEMENT_CHARACTER, 1),
    }
}

fn read_unicode_escape(escape: &[u8]) -> (char, usize) {
    let Some(first) = hex4(escape.get(2..6)) else { return (char::REPLACEMENT_CHARACTER, 2) };
    if (0xD800..0xDC00).contains(&first)
        && escape.get(6..8) == Some(b"\\u")
        && let Some(second @ 0xDC00..0xE000) = hex4(escape.get(8..12))
    {
        let code = 0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00);
        return (char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER), 12);
    }
    (char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER), 6)
}

fn hex4(digits: Option<&[u8]>) -> Option<u32> {
    let digits = digits?;
    if !digits.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    u32::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}

const ESC: u8 = 0x1b;

/// `text` without ANSI escape sequences: CSI (`ESC [ … letter`), OSC (`ESC ] … BEL` or `ESC \`) and
/// two-byte escapes. An unfinished sequence is removed up to where it stops being one.
#[must_use]
pub fn strip_ansi(text: Cow<'_, str>) -> Cow<'_, str> {
    if memchr(ESC, text.as_bytes()).is_none() {
        return text;
    }
    let mut out = String::with_capacity(text.len());
    let mut rest: &str = &text;
    while let Some(at) = memchr(ESC, rest.as_bytes()) {
        out.push_str(rest.get(..at).unwrap_or_default());
        let tail = rest.get(at..).unwrap_or_default();
        rest = tail.get(escape_len(tail.as_bytes())..).unwrap_or_default();
    }
    out.push_str(rest);
    Cow::Owned(out)
}

/// Length in bytes of the escape sequence at the start of `bytes` (an ESC). Always at least 1
/// and always a character boundary of valid UTF-8.
#[must_use]
pub fn escape_len(bytes: &[u8]) -> usize {
    match bytes.get(1) {
        Some(b'[') => {
            let body = bytes.get(2..).unwrap_or_default();
            let parameters = body.iter().take_while(|b| matches!(b, 0x20..=0x3f)).count();
            let has_final = matches!(body.get(parameters), Some(0x40..=0x7e));
            2 + parameters + usize::from(has_final)
        }
        Some(b']') => osc_len(bytes),
        Some(0x20..=0x7e) => 2,
        _ => 1,
    }
}

fn osc_len(bytes: &[u8]) -> usize {
    match memchr2(0x07, ESC, bytes.get(2..).unwrap_or_default()).map(|at| at + 2) {
        Some(at) if bytes.get(at) == Some(&0x07) => at + 1,
        Some(at) if bytes.get(at + 1) == Some(&b'\\') => at + 2,
        Some(at) => at,
        None => 2,
    }
}

/// `bytes` with a leading run of ANSI sequences skipped: how many bytes they take.
#[must_use]
pub fn leading_ansi_len(bytes: &[u8]) -> usize {
    let mut len = 0;
    while bytes.get(len) == Some(&ESC) {
        len += escape_len(bytes.get(len..).unwrap_or_default());
    }
    len
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_what_stands_between_newlines() {
        for text in ["", "\n", "\n\n", "one", "one\n", "one\n\ntwo", "\r\n\u{fffd}\nthree\r\n"] {
            let split: Vec<&[u8]> = text.as_bytes().split(|byte| *byte == b'\n').collect();
            assert_eq!(lines(text.as_bytes()).collect::<Vec<_>>(), split, "{text:?}");
        }
    }

    #[track_caller]
    fn check_ansi(raw: &str, expect: &str) {
        assert_eq!(strip_ansi(Cow::Borrowed(raw)), expect, "{raw:?}");
    }

    #[test]
    fn ansi_is_removed() {
        check_ansi("plain", "plain");
        check_ansi("\x1b[32mINFO\x1b[39m \x1b[33m CheerioCrawler:\x1b[39m x", "INFO  CheerioCrawler: x");
        check_ansi("\x1b[31m✘ \x1b[41;31m[\x1b[41;97mERROR\x1b[41;31m]\x1b[0m bad", "✘ [ERROR] bad");
        check_ansi("a\x1b]8;;http://x\x07link\x1b]8;;\x1b\\b", "alinkb");
        check_ansi("cut\x1b[3", "cut");
        check_ansi("cut\x1b", "cut");
        check_ansi("\x1b\u{e9}", "\u{e9}");
        check_ansi("\x1b[31\u{e9}", "\u{e9}");
        check_ansi("\x1b]no end", "no end");
    }

    #[track_caller]
    fn check_unescape(raw: &str) {
        let quoted = format!("\"{raw}\"");
        let expect: String = serde_json::from_str(&quoted).expect("valid JSON string");
        assert_eq!(unescape(raw.as_bytes()), expect, "{raw}");
    }

    #[test]
    fn unescape_agrees_with_serde_json() {
        for raw in ["", "plain", r"a\nb\tc\rd", r#"\"q\" \\ \/"#, r"\u00e9\u20AC", r"\ud83d\ude00!", r"\b\f"]
        {
            check_unescape(raw);
        }
    }

    #[test]
    fn lone_surrogates_are_replaced() {
        assert_eq!(unescape(br"a\ud800b"), "a\u{fffd}b");
        assert_eq!(unescape(br"\ud800\u0041"), "\u{fffd}A");
        assert_eq!(unescape(br"\u12"), "\u{fffd}12");
        assert_eq!(unescape(b"end\\"), "end\u{fffd}");
    }

    #[test]
    fn lines_lose_their_heads() {
        let text = Text { raw: b"first\r\n>>second\n>>", codec: Codec::Lines(|line| line.len().min(2)) };
        assert_eq!(text.decode(), "first\nsecond\n");
    }
}
