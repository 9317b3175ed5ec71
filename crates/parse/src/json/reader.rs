//! A strict reader: RFC 8259 to the letter, except that strings may hold any bytes above the controls
//! and lone surrogates, and numbers have no limits. Both are well-formed and somebody's data.

use super::nesting::{Container, Nesting};
use super::{is_blank, skip_blanks};
use crate::record::Span;
use crate::time::{Micros, StampReader};

/// Where strict reading stopped, and what should have stood there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fault {
    /// Byte of the document.
    pub at: usize,
    /// What was expected.
    pub expected: &'static str,
}

/// Is shown the keys of a value while it is skipped.
pub trait Visit {
    /// An object that stands in no other object opens, `depth` containers deep.
    fn outermost_object(&mut self, depth: usize);

    /// A key, `objects` objects and `depth` containers deep; its value starts at byte `value_at`.
    fn key(&mut self, key: &[u8], objects: usize, depth: usize, value_at: usize);
}

/// Sees nothing.
struct Blind;

impl Visit for Blind {
    fn outermost_object(&mut self, _depth: usize) {}
    fn key(&mut self, _key: &[u8], _objects: usize, _depth: usize, _value_at: usize) {}
}

/// Reads one document from front to back.
#[derive(Debug, Clone)]
pub struct Reader<'a> {
    document: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    /// A reader of `document` that begins at byte `at`.
    #[must_use]
    pub const fn new(document: &'a [u8], at: usize) -> Self {
        Self { document, at }
    }

    /// The byte to be read next.
    #[must_use]
    pub const fn at(&self) -> usize {
        self.at
    }

    /// Bytes of the document.
    #[must_use]
    pub fn slice(&self, span: Span) -> &'a [u8] {
        self.document.get(span.start..span.end).unwrap_or_default()
    }

    /// The next byte that is no blank; it is not consumed, the blanks are.
    #[inline]
    pub fn peek(&mut self) -> Option<u8> {
        let byte = *self.document.get(self.at)?;
        if !is_blank(byte) {
            return Some(byte);
        }
        self.at = skip_blanks(self.document, self.at);
        self.document.get(self.at).copied()
    }

    /// Consumes `byte` if it comes next.
    #[inline]
    pub fn eat(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    fn fault<T>(&self, expected: &'static str) -> Result<T, Fault> {
        Err(Fault { at: self.at, expected })
    }

    /// Opens an object; [`Members::key`] then reads it.
    ///
    /// # Errors
    /// Where the next value is no object.
    pub fn object(&mut self) -> Result<Members, Fault> {
        if self.eat(b'{') { Ok(Members { state: MembersState::Opened }) } else { self.fault("an object") }
    }

    /// Opens an array; [`Members::element`] then reads it.
    ///
    /// # Errors
    /// Where the next value is no array.
    pub fn array(&mut self) -> Result<Members, Fault> {
        if self.eat(b'[') { Ok(Members { state: MembersState::Opened }) } else { self.fault("an array") }
    }

    /// Consumes a string and gives its inside as it stands.
    ///
    /// # Errors
    /// Where no string comes next, or it is not closed, or holds a control character or a bad escape.
    #[inline]
    pub fn string(&mut self) -> Result<&'a [u8], Fault> {
        if self.peek() == Some(b'"') { self.open_string() } else { self.fault("a string") }
    }

    /// Consumes the string whose opening quote comes next.
    #[expect(
        clippy::inline_always,
        reason = "most of a document is strings; a call per string costs a tenth"
    )]
    #[inline(always)]
    fn open_string(&mut self) -> Result<&'a [u8], Fault> {
        let rest = self.document.get(self.at + 1..).unwrap_or_default();
        let mut len = plain_len(rest);
        if rest.get(len) != Some(&b'"') {
            len = string_len(rest, len).map_err(|fault| Fault { at: self.at + 1 + fault.at, ..fault })?;
        }
        self.at += len + 2;
        Ok(rest.get(..len).unwrap_or_default())
    }

    /// Consumes a string that is nothing but a stamp of the common shape, if one comes next.
    pub(super) fn stamp(&mut self, stamps: &mut StampReader) -> Option<Micros> {
        let inside = self.document.get(self.at..)?.strip_prefix(b"\"")?;
        let stamp = stamps.read(inside).filter(|stamp| inside.get(stamp.len) == Some(&b'"'))?;
        self.at += stamp.len + 2;
        Some(stamp.ts)
    }

    /// Consumes any value.
    ///
    /// # Errors
    /// Where it is no well-formed JSON.
    pub fn skip(&mut self) -> Result<Span, Fault> {
        self.walk(&mut Blind)
    }

    /// Consumes any value and shows its keys to `visit`.
    ///
    /// # Errors
    /// Where it is no well-formed JSON.
    #[inline]
    pub fn walk<V: Visit>(&mut self, visit: &mut V) -> Result<Span, Fault> {
        self.peek();
        let start = self.at;
        let mut nesting = Nesting::default();
        let mut objects = 0;
        let mut container = None;
        loop {
            if container == Some(Container::Object) {
                self.member_key(visit, objects, nesting.depth())?;
            }
            match self.peek() {
                Some(b'"') => {
                    self.open_string()?;
                }
                Some(b'{') => {
                    self.at += 1;
                    if !self.eat(b'}') {
                        container = Some(Container::Object);
                        nesting.push(Container::Object);
                        objects += 1;
                        if objects == 1 {
                            visit.outermost_object(nesting.depth());
                        }
                        continue;
                    }
                }
                Some(b'[') => {
                    self.at += 1;
                    if !self.eat(b']') {
                        container = Some(Container::Array);
                        nesting.push(Container::Array);
                        continue;
                    }
                }
                first => self.atom(first)?,
            }
            // A value has ended, and perhaps containers with it.
            while let Some(open) = container {
                match (self.peek(), open) {
                    (Some(b','), _) => {
                        self.at += 1;
                        break;
                    }
                    (Some(b']'), Container::Array) => {}
                    (Some(b'}'), Container::Object) => objects -= 1,
                    (_, Container::Array) => return self.fault("`,` or `]`"),
                    (_, Container::Object) => return self.fault("`,` or `}`"),
                }
                self.at += 1;
                nesting.pop();
                container = nesting.innermost();
            }
            if container.is_none() {
                return Ok(Span { start, end: self.at });
            }
        }
    }

    #[expect(clippy::inline_always, reason = "the other half of the loop that reads most bytes")]
    #[inline(always)]
    fn member_key<V: Visit>(&mut self, visit: &mut V, objects: usize, depth: usize) -> Result<(), Fault> {
        let key = self.string()?;
        if !self.eat(b':') {
            return self.fault("`:`");
        }
        self.peek();
        visit.key(key, objects, depth, self.at);
        Ok(())
    }

    /// Consumes a number or a literal that begins with `first`.
    #[inline]
    fn atom(&mut self, first: Option<u8>) -> Result<(), Fault> {
        let rest = self.document.get(self.at..).unwrap_or_default();
        let len = match first {
            Some(b'-' | b'0'..=b'9') => number_len(rest),
            Some(b't') => rest.starts_with(b"true").then_some(4),
            Some(b'f') => rest.starts_with(b"false").then_some(5),
            Some(b'n') => rest.starts_with(b"null").then_some(4),
            _ => None,
        };
        match len {
            Some(len) => {
                self.at += len;
                Ok(())
            }
            None => self.fault("a value"),
        }
    }
}

/// The place inside a container that is being read member by member.
#[derive(Debug)]
pub struct Members {
    state: MembersState,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum MembersState {
    Opened,
    Within,
}

impl Members {
    /// The next key, the reader then standing before its value, or `None` behind the object.
    ///
    /// # Errors
    /// Where neither a member nor the end follows.
    #[inline]
    pub fn key<'a>(&mut self, reader: &mut Reader<'a>) -> Result<Option<&'a [u8]>, Fault> {
        if !self.advance(reader, b'}', "`,` or `}`")? {
            return Ok(None);
        }
        let key = reader.string()?;
        if reader.eat(b':') { Ok(Some(key)) } else { reader.fault("`:`") }
    }

    /// Whether another element follows, the reader then standing before it, or else behind the array.
    ///
    /// # Errors
    /// Where neither an element nor the end follows.
    #[inline]
    pub fn element(&mut self, reader: &mut Reader<'_>) -> Result<bool, Fault> {
        self.advance(reader, b']', "`,` or `]`")
    }

    #[inline]
    fn advance(&mut self, reader: &mut Reader<'_>, close: u8, expected: &'static str) -> Result<bool, Fault> {
        if self.state == MembersState::Opened {
            self.state = MembersState::Within;
            return Ok(!reader.eat(close));
        }
        if reader.eat(b',') {
            return Ok(true);
        }
        if reader.eat(close) { Ok(false) } else { reader.fault(expected) }
    }
}

/// Where the value of the first member named `key` of an object starts. What stands behind it is not read.
#[must_use]
pub fn member(object: &[u8], key: &[u8]) -> Option<usize> {
    let mut reader = Reader::new(object, 0);
    let mut members = reader.object().ok()?;
    while let Some(found) = members.key(&mut reader).ok()? {
        if found == key {
            reader.peek()?;
            return Some(reader.at());
        }
        reader.skip().ok()?;
    }
    None
}

/// Length of the inside of a string, of which `len` bytes are known to be plain.
#[inline(never)]
fn string_len(inside: &[u8], mut len: usize) -> Result<usize, Fault> {
    loop {
        match inside.get(len) {
            Some(b'"') => return Ok(len),
            Some(b'\\') => len = escape_end(inside, len)?,
            Some(_) => return Err(Fault { at: len, expected: "no control character in a string" }),
            None => return Err(Fault { at: len, expected: "the end of a string" }),
        }
        len += plain_len(inside.get(len..).unwrap_or_default());
    }
}

/// Length of the run of bytes that are no quote, no backslash and no control character; eight at a time.
#[inline]
fn plain_len(bytes: &[u8]) -> usize {
    let mut rest = bytes;
    while let Some((chunk, tail)) = rest.split_first_chunk::<8>() {
        let special = special_bytes(u64::from_le_bytes(*chunk));
        if special != 0 {
            return bytes.len() - rest.len() + (special.trailing_zeros() / 8) as usize;
        }
        rest = tail;
    }
    bytes.len() - rest.len() + rest.iter().take_while(|byte| !matches!(byte, b'"' | b'\\' | 0..0x20)).count()
}

/// The high bit of every byte of `word` that ends a plain run. Bytes above the lowest hit may be
/// reported falsely (borrows run upwards), so only the lowest counts.
#[inline]
const fn special_bytes(word: u64) -> u64 {
    const ONES: u64 = u64::MAX / 255;
    const HIGHS: u64 = ONES << 7;
    let quote = word ^ (ONES * b'"' as u64);
    let backslash = word ^ (ONES * b'\\' as u64);
    let below = word.wrapping_sub(ONES * 0x20) | quote.wrapping_sub(ONES) | backslash.wrapping_sub(ONES);
    below & !word & HIGHS
}

/// First byte behind the escape that starts at `at`.
fn escape_end(bytes: &[u8], at: usize) -> Result<usize, Fault> {
    match bytes.get(at + 1) {
        Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => Ok(at + 2),
        Some(b'u') if bytes.get(at + 2..at + 6).is_some_and(|hex| hex.iter().all(u8::is_ascii_hexdigit)) => {
            Ok(at + 6)
        }
        _ => Err(Fault { at, expected: "an escape" }),
    }
}

/// `["-"] ("0" | 1-9 digits) ["." digits] [("e"|"E") ["+"|"-"] digits]`
fn number_len(bytes: &[u8]) -> Option<usize> {
    let digits = |from: usize| {
        let count =
            bytes.get(from..).unwrap_or_default().iter().take_while(|byte| byte.is_ascii_digit()).count();
        (count > 0).then_some(from + count)
    };
    let integer = usize::from(bytes.first() == Some(&b'-'));
    let mut len = if bytes.get(integer) == Some(&b'0') { integer + 1 } else { digits(integer)? };
    if bytes.get(len) == Some(&b'.') {
        len = digits(len + 1)?;
    }
    if matches!(bytes.get(len), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(bytes.get(len + 1), Some(b'+' | b'-')));
        len = digits(len + 1 + sign)?;
    }
    Some(len)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Strictness must be that of `serde_json`: a document it takes is taken, one it refuses is refused.
    #[track_caller]
    fn check(document: &str) {
        let mut reader = Reader::new(document.as_bytes(), 0);
        let ours = reader.skip().is_ok_and(|_| reader.peek().is_none());
        let theirs = serde_json::from_str::<serde::de::IgnoredAny>(document).is_ok();
        assert_eq!(ours, theirs, "{document}");
    }

    #[test]
    fn agrees_with_serde_json() {
        for document in [
            "",
            " ",
            "0",
            "-",
            "-0",
            "01",
            "1.",
            "1.5e",
            "1.5e+",
            "1.5e+3",
            "1e400",
            "+1",
            ".5",
            "nul",
            "null",
            "true",
            "falsey",
            "\"a",
            "\"a\"",
            "\"\\x\"",
            "\"\\u12\"",
            "\"\\u12zz\"",
            "\"\\ud800\"",
            "\"\t\"",
            "[",
            "]",
            "[]",
            "[1,]",
            "[,1]",
            "[1 2]",
            "[1,2]x",
            "{}",
            "{\"a\"}",
            "{\"a\":}",
            "{\"a\":1,}",
            "{\"a\":1 \"b\":2}",
            "{\"a\":1,\"b\":[{},[],{\"c\":null}]}",
            "{a:1}",
            "[1}",
            "{\"a\":1]",
            "[[[]]]",
            " [ 1 , { \"k\" : \"v\" } ] ",
            "\"long enough for a chunk \\n and then some more text\"",
            "\"é 漢字 😀 long enough\"",
            "\"1234567\u{1f}\"",
            "\"12345678\u{7f}\"",
            "NaN",
            "{\"a\":1}}",
        ] {
            check(document);
        }
    }

    #[test]
    fn nesting_costs_no_stack() {
        for document in ["[".repeat(100_000), "{\"a\":".repeat(100_000)] {
            assert!(Reader::new(document.as_bytes(), 0).skip().is_err());
        }
        let closed = "[".repeat(100_000) + &"]".repeat(100_000);
        assert_eq!(Reader::new(closed.as_bytes(), 0).skip(), Ok(Span { start: 0, end: 200_000 }));
    }

    #[test]
    fn members_of_the_outermost_object() {
        let document = br#" {"a":{"b":1},"c": [2],"b":"x","b":3"#;
        assert_eq!(member(document, b"c"), Some(19));
        assert_eq!(member(document, b"b"), Some(27));
        assert_eq!(member(document, b"d"), None);
        assert_eq!(member(b"[{\"a\":1}]", b"a"), None);
        assert_eq!(member(b"{\"a\":", b"a"), None);
    }

    #[test]
    fn faults_say_where() {
        let fault = Reader::new(br#"{"a": [1, tru]}"#, 0).skip();
        assert_eq!(fault, Err(Fault { at: 10, expected: "a value" }));
    }

    #[derive(Default)]
    struct Keys(Vec<(String, usize, usize, usize)>);

    impl Visit for Keys {
        fn outermost_object(&mut self, depth: usize) {
            self.0.push((String::new(), 1, depth, 0));
        }
        fn key(&mut self, key: &[u8], objects: usize, depth: usize, value_at: usize) {
            self.0.push((String::from_utf8_lossy(key).into_owned(), objects, depth, value_at));
        }
    }

    #[test]
    fn visits_keys_with_their_depths() {
        let mut keys = Keys::default();
        assert!(Reader::new(br#"[[{"a": 1,"b":[{"c":2}]},{"d":3}]]"#, 0).walk(&mut keys).is_ok());
        let expect =
            [("", 1, 3, 0), ("a", 1, 3, 8), ("b", 1, 3, 14), ("c", 2, 5, 20), ("", 1, 3, 0), ("d", 1, 3, 30)];
        assert_eq!(keys.0, expect.map(|(key, objects, depth, at)| (key.to_owned(), objects, depth, at)));
    }

    #[test]
    fn members_and_elements() {
        let mut reader = Reader::new(br#" {"a" : [1, 2] , "b":"x"} "#, 0);
        let mut members = reader.object().expect("an object");
        assert_eq!(members.key(&mut reader), Ok(Some(b"a".as_slice())));
        let mut elements = reader.array().expect("an array");
        let mut spans = Vec::new();
        while elements.element(&mut reader).expect("well-formed") {
            spans.push(reader.skip().expect("well-formed"));
        }
        assert_eq!(spans, [Span { start: 9, end: 10 }, Span { start: 12, end: 13 }]);
        assert_eq!(members.key(&mut reader), Ok(Some(b"b".as_slice())));
        assert_eq!(reader.string(), Ok(b"x".as_slice()));
        assert_eq!(members.key(&mut reader), Ok(None));
        assert_eq!(reader.peek(), None);
    }
}
