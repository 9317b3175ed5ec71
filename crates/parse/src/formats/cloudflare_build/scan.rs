//! A cursor over JSON that borrows strings, skips what nobody asked for and never recurses.

use memchr::memchr2;

/// What was expected where the JSON is broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Broken(pub(super) &'static str);

/// The inside of a JSON string.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Inside<'a> {
    /// Without its quotes, escapes and all.
    pub(super) raw: &'a [u8],
    /// Which escapes it holds.
    pub(super) escapes: Escapes,
}

/// Which escapes a string holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Escapes {
    /// None.
    None,
    /// Some.
    Some,
    /// One that is the start of an ANSI sequence.
    Ansi,
    /// One that may be half of a surrogate pair.
    Surrogates,
}

/// A scalar, or the start of something that is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scalar<'a> {
    /// A string.
    String(Inside<'a>),
    /// A number, as it stands there.
    Number(&'a [u8]),
    /// `true`, `false` or `null`.
    Word(&'a [u8]),
}

/// A place in some JSON.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cursor<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) at: usize,
}

impl<'a> Cursor<'a> {
    pub(super) const fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// The byte here.
    #[inline]
    pub(super) fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    /// The byte at the next place that is no blank.
    #[inline]
    pub(super) fn next_token(&mut self) -> Option<u8> {
        loop {
            match self.peek() {
                Some(b' ' | b'\t' | b'\n' | b'\r') => self.at += 1,
                byte => return byte,
            }
        }
    }

    /// Steps over `byte` if it is the next token.
    #[inline]
    pub(super) fn take(&mut self, byte: u8) -> bool {
        let is_there = self.next_token() == Some(byte);
        self.at += usize::from(is_there);
        is_there
    }

    /// Steps over `byte` or says that it is missing.
    pub(super) fn expect(&mut self, byte: u8, what: &'static str) -> Result<(), Broken> {
        if self.take(byte) { Ok(()) } else { Err(Broken(what)) }
    }

    /// The string that starts here with its quote.
    #[expect(clippy::inline_always, reason = "the loop over tuples is twice as slow around a call")]
    #[inline(always)]
    pub(super) fn string(&mut self) -> Result<Inside<'a>, Broken> {
        let start = self.at + 1;
        let (end, escapes) = string_end(self.bytes, start).ok_or(STRING)?;
        self.at = end + 1;
        Ok(Inside { raw: self.bytes.get(start..end).ok_or(STRING)?, escapes })
    }

    /// The scalar at the next token, or nothing if an array or object starts there.
    pub(super) fn scalar(&mut self) -> Result<Option<Scalar<'a>>, Broken> {
        match self.next_token() {
            Some(b'"') => self.string().map(|inside| Some(Scalar::String(inside))),
            Some(b'[' | b'{') => Ok(None),
            Some(b'-' | b'0'..=b'9') => Ok(Some(Scalar::Number(self.token()?))),
            Some(b't' | b'f' | b'n') => match self.token()? {
                word @ (b"true" | b"false" | b"null") => Ok(Some(Scalar::Word(word))),
                _ => Err(VALUE),
            },
            _ => Err(VALUE),
        }
    }

    fn token(&mut self) -> Result<&'a [u8], Broken> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'+' | b'.');
        let len = rest.iter().take_while(|byte| is_part(byte)).count();
        self.at += len;
        rest.get(..len).filter(|token| !token.is_empty()).ok_or(VALUE)
    }

    /// Steps over the value at the next token, however deep it is.
    ///
    /// Brackets are balanced by kind; what stands between them is not checked further.
    pub(super) fn skip(&mut self) -> Result<(), Broken> {
        if self.scalar()?.is_some() {
            return Ok(());
        }
        let mut nesting = Nesting::default();
        while let Some(byte) = self.peek() {
            match byte {
                b'"' => {
                    self.string()?;
                    continue;
                }
                b'[' | b'{' => nesting.open(byte),
                b']' | b'}' if !nesting.close(byte) => return Err(Broken("a bracket that matches")),
                _ => {}
            }
            self.at += 1;
            if nesting.depth == 0 {
                return Ok(());
            }
        }
        Err(Broken("the end of an array or object"))
    }
}

/// Where the string ends whose inside starts at `start`, and which escapes it holds: no more than what is handed
/// back in registers, since waiting for it to come from memory takes as long as finding it.
#[expect(clippy::inline_always, reason = "the loop over tuples is twice as slow around a call")]
#[inline(always)]
pub(super) fn string_end(bytes: &[u8], start: usize) -> Option<(usize, Escapes)> {
    let at = start + memchr2(b'"', b'\\', bytes.get(start..)?)?;
    if bytes.get(at) == Some(&b'"') { Some((at, Escapes::None)) } else { escaped_end(bytes, at) }
}

/// The same for a string that holds an escape at `at`, the first one.
#[inline(never)]
fn escaped_end(bytes: &[u8], mut at: usize) -> Option<(usize, Escapes)> {
    let mut escapes = Escapes::None;
    while bytes.get(at) != Some(&b'"') {
        let kind = match bytes.get(at + 1..at + 4) {
            Some([b'u', b'd' | b'D', b'8'..=b'9' | b'a'..=b'f' | b'A'..=b'F']) => Escapes::Surrogates,
            Some(b"u00") if matches!(bytes.get(at + 4..at + 6), Some([b'1', b'b' | b'B'])) => Escapes::Ansi,
            _ => Escapes::Some,
        };
        escapes = escapes.max(kind);
        at += 2 + memchr2(b'"', b'\\', bytes.get(at + 2..)?)?;
    }
    Some((at, escapes))
}

const STRING: Broken = Broken("the end of a string");
const VALUE: Broken = Broken("a value");

/// The kinds of the open brackets, one bit each.
#[derive(Debug, Default)]
struct Nesting {
    depth: usize,
    kinds: Vec<u64>,
}

impl Nesting {
    fn open(&mut self, bracket: u8) {
        let (word, bit) = (self.depth / 64, self.depth % 64);
        if word == self.kinds.len() {
            self.kinds.push(0);
        }
        if let Some(kinds) = self.kinds.get_mut(word) {
            *kinds = (*kinds & !(1 << bit)) | (u64::from(bracket == b'{') << bit);
        }
        self.depth += 1;
    }

    fn close(&mut self, bracket: u8) -> bool {
        let Some(depth) = self.depth.checked_sub(1) else { return false };
        self.depth = depth;
        let kinds = self.kinds.get(depth / 64).copied().unwrap_or(0);
        (kinds >> (depth % 64)) & 1 == u64::from(bracket == b'}')
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_skip(json: &str, expect: Result<usize, &'static str>) {
        let mut cursor = Cursor::new(json.as_bytes());
        let result = cursor.skip();
        assert_eq!(result.map(|()| cursor.at).map_err(|Broken(what)| what), expect, "{json}");
    }

    #[test]
    fn values_are_skipped() {
        check_skip("12,", Ok(2));
        check_skip(r#" "a\"]" ]"#, Ok(7));
        check_skip(r#"{"a":[1,{"b":"}"}]} x"#, Ok(19));
        check_skip("[1}", Err("a bracket that matches"));
        check_skip("[1", Err("the end of an array or object"));
        check_skip(r#""a\"#, Err("the end of a string"));
        check_skip("nul", Err("a value"));
        check_skip("", Err("a value"));
    }

    #[test]
    fn depth_is_no_danger() {
        let deep = 100_000;
        let json = "[{\"a\":".repeat(deep) + "1" + &"}]".repeat(deep);
        check_skip(&json, Ok(json.len()));
        check_skip(&"[".repeat(deep), Err("the end of an array or object"));
    }

    #[test]
    fn escapes_are_classified() {
        let escapes = |json: &'static str| Cursor::new(json.as_bytes()).string().map(|inside| inside.escapes);
        assert_eq!(escapes(r#""plain""#), Ok(Escapes::None));
        assert_eq!(escapes(r#""a\nb""#), Ok(Escapes::Some));
        assert_eq!(escapes(r#""\u001b[0m""#), Ok(Escapes::Ansi));
        assert_eq!(escapes(r#""\ud83e\udeb5""#), Ok(Escapes::Surrogates));
    }
}
