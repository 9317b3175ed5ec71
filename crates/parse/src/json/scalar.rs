//! Single values: instants, truth, whole numbers, texts.

use super::reader::{Fault, Reader};
use crate::record::Span;
use crate::text::{Text, unescape};
use crate::time::{self, Micros, StampReader};

/// What stands where an instant is expected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Instant {
    /// Nothing, or null.
    Missing,
    /// An instant: RFC 3339 with any offset, or an epoch number, whose unit is told by its size.
    At(Micros),
    /// Something else, and where.
    Unreadable(Span),
}

impl Instant {
    /// The instant, if there is one.
    #[must_use]
    pub const fn micros(self) -> Option<Micros> {
        match self {
            Self::At(ts) => Some(ts),
            Self::Missing | Self::Unreadable(_) => None,
        }
    }
}

/// Consumes a value where an instant is expected.
///
/// # Errors
/// Where it is no well-formed JSON.
pub fn instant(reader: &mut Reader<'_>, stamps: &mut StampReader) -> Result<Instant, Fault> {
    match reader.peek() {
        Some(b'"') => {
            let start = reader.at();
            if let Some(ts) = reader.stamp(stamps) {
                return Ok(Instant::At(ts));
            }
            let inside = reader.string()?;
            let unreadable = Instant::Unreadable(Span { start, end: reader.at() });
            Ok(time::rfc3339(&unescape(inside)).map_or(unreadable, Instant::At))
        }
        Some(b'n') => reader.skip().map(|_| Instant::Missing),
        _ => {
            let span = reader.skip()?;
            let number = std::str::from_utf8(reader.slice(span)).unwrap_or_default();
            let whole = number.parse().ok().and_then(time::epoch);
            let ts = whole.or_else(|| number.parse().ok().and_then(time::epoch_f64));
            Ok(ts.map_or(Instant::Unreadable(span), Instant::At))
        }
    }
}

/// Whether the well-formed value at byte `at` is true as scripting languages see it:
/// everything but `false`, `null`, zero and the empty string.
#[must_use]
pub fn is_truthy(document: &[u8], at: usize) -> bool {
    let rest = document.get(at..).unwrap_or_default();
    match rest.first() {
        None | Some(b'n' | b'f') => false,
        Some(b'"') => rest.get(1) != Some(&b'"'),
        Some(b'-' | b'0'..=b'9') => {
            let mantissa = rest.iter().take_while(|byte| matches!(byte, b'-' | b'.' | b'0'..=b'9'));
            mantissa.into_iter().any(|byte| matches!(byte, b'1'..=b'9'))
        }
        Some(_) => true,
    }
}

/// The whole number at byte `at`, bare or in quotes; `None` for anything else.
#[must_use]
pub fn whole_number(document: &[u8], at: usize) -> Option<i64> {
    let rest = document.get(at..).unwrap_or_default();
    let digits = rest.strip_prefix(b"\"").unwrap_or(rest);
    let len = digits.iter().take(18).take_while(|byte| byte.is_ascii_digit()).count();
    let ends_there = match digits.get(len) {
        Some(b'"') => digits.len() < rest.len(),
        Some(b'.' | b'e' | b'E' | b'0'..=b'9') => false,
        _ => digits.len() == rest.len(),
    };
    let digits = digits.get(..len).filter(|digits| !digits.is_empty() && ends_there)?;
    std::str::from_utf8(digits).ok()?.parse().ok()
}

/// A well-formed value as text: the inside of a string, or else the JSON as it stands.
#[must_use]
pub fn text(document: &[u8], span: Span) -> Text<'_> {
    let raw = document.get(span.start..span.end).unwrap_or_default();
    match raw.strip_prefix(b"\"").and_then(|rest| rest.strip_suffix(b"\"")) {
        Some(inside) => Text::json_string(inside),
        None => Text::plain(raw),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_instant(document: &str, expect: Instant) {
        let found = instant(&mut Reader::new(document.as_bytes(), 0), &mut StampReader::new());
        assert_eq!(found, Ok(expect), "{document}");
    }

    #[test]
    fn instants() {
        // 1_700_000_000 is 2023-11-14T22:13:20Z.
        let at = Instant::At(1_700_000_000_000_000);
        check_instant("\"2023-11-14T22:13:20.000Z\"", at);
        check_instant("\"2023-11-14T23:13:20+01:00\"", at);
        check_instant("\"2023-11-14\\u005422:13:20Z\"", at);
        check_instant("1700000000", at);
        check_instant("1700000000000", at);
        check_instant("1700000000.0", at);
        check_instant("null", Instant::Missing);
        check_instant("\"\"", Instant::Unreadable(Span { start: 0, end: 2 }));
        check_instant("\"2023-11-14T22:13:20.000Zx\"", Instant::Unreadable(Span { start: 0, end: 27 }));
        check_instant(" {\"a\":1}", Instant::Unreadable(Span { start: 1, end: 8 }));
        check_instant("true", Instant::Unreadable(Span { start: 0, end: 4 }));
    }

    #[test]
    fn truth() {
        for value in ["null", "false", "0", "0.00", "-0", "0e5", "\"\"", ""] {
            assert!(!is_truthy(value.as_bytes(), 0), "{value}");
        }
        for value in ["true", "1", "0.01", "-2", "\"0\"", "{}", "[]", "10e0"] {
            assert!(is_truthy(value.as_bytes(), 0), "{value}");
        }
    }

    #[test]
    fn whole_numbers() {
        let number = |text: &str| whole_number(text.as_bytes(), 0);
        assert_eq!(number("404,"), Some(404));
        assert_eq!(number("\"404\","), Some(404));
        assert_eq!(number("404"), Some(404));
        for text in ["404.5", "\"404", "404\"", "\"4xx\"", "-1", "null", "\"\"", "9999999999999999999", "4e2"]
        {
            assert_eq!(number(text), None, "{text}");
        }
    }
}
