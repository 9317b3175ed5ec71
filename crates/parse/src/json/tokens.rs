//! A look into the beginning of a document that may be cut anywhere.

use super::nesting::{Container, Nesting};
use super::reader::Reader;
use super::{is_blank, skip_blanks};

/// What kind of value it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ValueKind {
    /// `{…}`
    Object,
    /// `[…]`
    Array,
    /// `"…"`
    String,
    /// Digits.
    Number,
    /// `true`, `false` or `null`.
    Literal,
}

/// A value seen in a document, at its first byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Token<'a> {
    /// Containers around it.
    pub depth: usize,
    /// Its key as it stands, where it is a member of an object.
    pub key: Option<&'a [u8]>,
    /// What it is.
    pub kind: ValueKind,
    /// The inside of a string, a number or a literal, as far as it is there; empty for containers.
    pub text: &'a [u8],
    /// Its first byte.
    pub at: usize,
}

/// The values of a document, containers before their members, as far as it can be read.
/// Several documents in a row are read as one.
#[derive(Debug, Clone)]
pub struct Tokens<'a> {
    bytes: &'a [u8],
    at: usize,
    nesting: Nesting,
}

impl<'a> Tokens<'a> {
    /// The values of `bytes`.
    #[must_use]
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0, nesting: Nesting::default() }
    }

    /// The byte behind what has been read.
    #[must_use]
    pub const fn at(&self) -> usize {
        self.at
    }

    /// Consumes blanks, commas and closing brackets up to the next member.
    fn next_member(&mut self) -> Option<u8> {
        loop {
            self.at = skip_blanks(self.bytes, self.at);
            let byte = *self.bytes.get(self.at)?;
            match byte {
                b',' => {}
                b']' | b'}' => {
                    self.nesting.innermost()?;
                    self.nesting.pop();
                }
                _ => return Some(byte),
            }
            self.at += 1;
        }
    }

    fn key(&mut self) -> Option<&'a [u8]> {
        let mut reader = Reader::new(self.bytes, self.at);
        let key = reader.string().ok()?;
        if !reader.eat(b':') {
            return None;
        }
        reader.peek();
        self.at = reader.at();
        Some(key)
    }

    fn string(&mut self) -> &'a [u8] {
        let mut reader = Reader::new(self.bytes, self.at);
        let rest = self.bytes.get(self.at + 1..).unwrap_or_default();
        if let Ok(text) = reader.string() {
            self.at = reader.at();
            return text;
        }
        self.at = self.bytes.len();
        rest
    }

    fn atom(&mut self) -> &'a [u8] {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let len = rest.iter().take_while(|b| !is_blank(**b) && !matches!(b, b',' | b']' | b'}')).count();
        self.at += len;
        rest.get(..len).unwrap_or_default()
    }

    fn open(&mut self, container: Container) -> &'a [u8] {
        self.nesting.push(container);
        self.at += 1;
        b""
    }
}

impl<'a> Iterator for Tokens<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        self.next_member()?;
        let key = match self.nesting.innermost() {
            Some(Container::Object) => Some(self.key()?),
            _ => None,
        };
        let (depth, at) = (self.nesting.depth(), self.at);
        let (kind, text) = match self.bytes.get(at)? {
            b'{' => (ValueKind::Object, self.open(Container::Object)),
            b'[' => (ValueKind::Array, self.open(Container::Array)),
            b'"' => (ValueKind::String, self.string()),
            b'-' | b'0'..=b'9' => (ValueKind::Number, self.atom()),
            b't' | b'f' | b'n' => (ValueKind::Literal, self.atom()),
            _ => return None,
        };
        Some(Token { depth, key, kind, text, at })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn brief(bytes: &str) -> Vec<String> {
        Tokens::new(bytes.as_bytes())
            .map(|token| {
                let key = token.key.map_or(String::new(), |key| format!("{}=", String::from_utf8_lossy(key)));
                format!("{} {key}{:?} {}", token.depth, token.kind, String::from_utf8_lossy(token.text))
            })
            .collect()
    }

    #[test]
    fn a_head_cut_inside_a_string() {
        assert_eq!(
            brief(r#"{"data":[{"id":"x","n":-1.5,"ok":true},{"id":"cu"#),
            [
                "0 Object ",
                "1 data=Array ",
                "2 Object ",
                "3 id=String x",
                "3 n=Number -1.5",
                "3 ok=Literal true",
                "2 Object ",
                "3 id=String cu",
            ]
        );
    }

    #[test]
    fn stops_at_what_is_no_json() {
        assert_eq!(brief("hello"), [""; 0]);
        assert_eq!(brief("[1] ]"), ["0 Array ", "1 Number 1"]);
        assert_eq!(brief("{\"a\" 1}"), ["0 Object "]);
        assert_eq!(brief("{\"a\":"), ["0 Object "]);
        assert_eq!(Tokens::new("[".repeat(100_000).as_bytes()).count(), 100_000);
    }
}
