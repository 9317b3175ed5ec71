//! One element of a log: a `[timestamp, message]` tuple, or Pages' `{ts, line}`.

use super::model::json_text;
use super::scan::{Cursor, Escapes, Inside, Scalar, string_end};
use crate::time::{self, Micros};

/// What an element holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Element<'a> {
    pub(super) stamp: Stamp,
    pub(super) message: Inside<'a>,
}

/// An element's timestamp.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stamp {
    At(Micros),
    /// It says that it has none.
    None,
    /// It has one that cannot be read.
    Bad,
}

/// Digits that cannot overflow an `i64`.
const MAX_DIGITS: usize = 18;

/// The tuple at `at` and where it ends, if it is written as the API writes it:
/// `"[" 1*18digit "," [" "] string "]"`. Anything else is left to [`read`].
#[expect(clippy::inline_always, reason = "the loop over tuples is twice as slow around a call")]
#[inline(always)]
pub(super) fn tuple(bytes: &[u8], at: usize) -> Option<(Element<'_>, usize)> {
    let rest = bytes.get(at..)?;
    let (ts, quote) = match millis(rest) {
        Some(ts) => (ts, 15),
        None => number_head(rest)?,
    };
    let start = at + quote + 1;
    let (end, escapes) = string_end(bytes, start)?;
    let message = Inside { raw: bytes.get(start..end)?, escapes };
    let element = Element { stamp: Stamp::At(ts), message };
    (bytes.get(end + 1) == Some(&b']')).then_some((element, end + 2))
}

/// `"[" 13digit ",\""`, what nearly all tuples start with: milliseconds since 2001.
#[expect(clippy::inline_always, reason = "the loop over tuples is twice as slow around a call")]
#[inline(always)]
fn millis(bytes: &[u8]) -> Option<Micros> {
    let &[b'[', ref digits @ .., b',', b'"'] = bytes.first_chunk::<16>()? else { return None };
    let (head, tail): (_, &[u8; 8]) = (digits.first_chunk::<8>()?, digits.last_chunk::<8>()?);
    // The two overlap by three digits.
    let millis = eight(*head)? / 1000 * 100_000_000 + eight(*tail)?;
    (digits.first() != Some(&b'0')).then_some(millis * 1000)
}

/// The instant that a tuple starts with, and how many bytes stand before the quote of its message.
fn number_head(bytes: &[u8]) -> Option<(Micros, usize)> {
    let digits = bytes.strip_prefix(b"[")?;
    let (mut number, mut len) = (0, 0);
    for byte in digits.iter().take(MAX_DIGITS) {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            break;
        }
        number = number * 10 + i64::from(digit);
        len += 1;
    }
    let has_leading_zero = len > 1 && digits.first() == Some(&b'0');
    if len == 0 || has_leading_zero {
        return None;
    }
    let quote = match digits.get(len..len + 3)? {
        [b',', b'"', _] => len + 2,
        [b',', b' ', b'"'] => len + 3,
        _ => return None,
    };
    Some((time::epoch(number)?, quote))
}

/// Eight times `0`.
const ZEROES: u64 = 0x3030_3030_3030_3030;

/// The number that eight digits mean, all of them looked at together.
#[expect(clippy::inline_always, reason = "the loop over tuples is twice as slow around a call")]
#[inline(always)]
fn eight(digits: [u8; 8]) -> Option<i64> {
    let chunk = u64::from_le_bytes(digits);
    let values = chunk.wrapping_sub(ZEROES);
    // A byte that is no digit sets its high half, by itself or once six is added to it.
    if (values | values.wrapping_add(0x0606_0606_0606_0606)) & 0xf0f0_f0f0_f0f0_f0f0 != 0 {
        return None;
    }
    // Neighbours are added pairwise: eight digits, four of two, two of four, one of eight.
    let pairs = (values.wrapping_mul(10) + (values >> 8)) & 0x00ff_00ff_00ff_00ff;
    let fours = (pairs.wrapping_mul(100) + (pairs >> 16)) & 0x0000_ffff_0000_ffff;
    let all = (fours.wrapping_mul(10_000) + (fours >> 32)) & 0xffff_ffff;
    i64::try_from(all).ok()
}

/// The element that `bytes` are, a complete JSON value.
///
/// ```text
/// tuple     = "[" timestamp "," message *("," value) "]"
/// entry     = "{" members among which "ts" | "timestamp" and "line" | "message" "}"
/// timestamp = number | string of a number | RFC 3339 string | null
/// message   = string | number | null
/// ```
pub(super) fn read(bytes: &[u8]) -> Option<Element<'_>> {
    let mut cursor = Cursor::new(bytes);
    if cursor.take(b'[') {
        let stamp = stamp(cursor.scalar().ok()??);
        cursor.expect(b',', "`,`").ok()?;
        let message = message(cursor.scalar().ok()??)?;
        return Some(Element { stamp, message });
    }
    entry(cursor)
}

fn entry(mut cursor: Cursor<'_>) -> Option<Element<'_>> {
    cursor.expect(b'{', "`{`").ok()?;
    let (mut at, mut said) = (None, None);
    while cursor.next_token() == Some(b'"') {
        let key = cursor.string().ok()?.raw;
        cursor.expect(b':', "`:`").ok()?;
        match key {
            b"ts" | b"timestamp" => at = Some(stamp(cursor.scalar().ok()??)),
            b"line" | b"message" => said = message(cursor.scalar().ok()??),
            _ => cursor.skip().ok()?,
        }
        cursor.take(b',');
    }
    Some(Element { stamp: at?, message: said? })
}

fn message(scalar: Scalar<'_>) -> Option<Inside<'_>> {
    match scalar {
        Scalar::String(inside) => Some(inside),
        Scalar::Number(raw) => Some(Inside { raw, escapes: Escapes::None }),
        Scalar::Word(b"null") => Some(Inside { raw: b"", escapes: Escapes::None }),
        Scalar::Word(_) => None,
    }
}

fn stamp(scalar: Scalar<'_>) -> Stamp {
    let ts = match scalar {
        Scalar::Word(b"null") => return Stamp::None,
        Scalar::Word(_) => None,
        Scalar::Number(digits) => std::str::from_utf8(digits).ok().and_then(number),
        Scalar::String(inside) => instant(&json_text(inside.raw)),
    };
    ts.map_or(Stamp::Bad, Stamp::At)
}

/// A number of seconds, milliseconds, microseconds or nanoseconds.
fn number(text: &str) -> Option<Micros> {
    match text.parse::<i64>() {
        Ok(number) => time::epoch(number),
        Err(_) => text.parse::<f64>().ok().and_then(time::epoch_f64),
    }
}

/// An instant as text: RFC 3339, or a number.
pub(super) fn instant(text: &str) -> Option<Micros> {
    let text = text.trim();
    time::rfc3339(text)
        .or_else(|| if text.starts_with(|c: char| c.is_ascii_digit()) { number(text) } else { None })
}

/// Appends the messages of consecutive elements, joined by newlines.
pub(super) fn join(elements: &[u8], joined: &mut String) {
    let mut cursor = Cursor::new(elements);
    joined.reserve(elements.len());
    let mut separator = "";
    while cursor.next_token().is_some() {
        let start = cursor.at;
        if cursor.skip().is_err() {
            break;
        }
        if let Some(element) = elements.get(start..cursor.at).and_then(read) {
            joined.push_str(separator);
            joined.push_str(&json_text(element.message.raw));
            separator = "\n";
        }
        cursor.take(b',');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(json: &str, expect: Option<(Stamp, &str)>) {
        let read = read(json.as_bytes());
        let found = read.map(|e| (e.stamp, json_text(e.message.raw).into_owned()));
        assert_eq!(found, expect.map(|(stamp, text)| (stamp, text.to_owned())), "{json}");
        if let Some((fast, end)) = tuple(json.as_bytes(), 0) {
            assert_eq!(Some(fast), read, "{json}");
            assert_eq!(end, json.len(), "{json}");
        }
    }

    /// 2023-11-14T22:13:20Z.
    const INSTANT: Stamp = Stamp::At(1_700_000_000_000_000);

    #[test]
    fn stamps_of_every_unit() {
        for stamp in [
            "1700000000",
            "1700000000000",
            "1700000000000000",
            "1700000000000000000",
            "1700000000.0",
            "\"1700000000000\"",
            "\"2023-11-14T22:13:20Z\"",
            "\"2023-11-14T22:13:20.000000000Z\"",
            "1.7e9",
        ] {
            check(&format!("[{stamp},\"x\"]"), Some((INSTANT, "x")));
            check(&format!("[ {stamp} , \"x\" ]"), Some((INSTANT, "x")));
            check(&format!("{{\"line\":\"x\",\"ts\":{stamp}}}"), Some((INSTANT, "x")));
        }
    }

    #[test]
    fn odd_elements() {
        check("[1700000000,1636472400]", Some((INSTANT, "1636472400")));
        check("[1700000000,null]", Some((INSTANT, "")));
        check("[null,\"x\"]", Some((Stamp::None, "x")));
        check("[1e400,\"x\"]", Some((Stamp::Bad, "x")));
        check("[-5,\"x\"]", Some((Stamp::Bad, "x")));
        check("[\"yesterday\",\"x\"]", Some((Stamp::Bad, "x")));
        check("[1700000000,\"x\",3]", Some((INSTANT, "x")));
        check("[1700000000,[\"x\"]]", None);
        check("[1700000000,true]", None);
        check("[1700000000]", None);
        check("[]", None);
        check("{\"ts\":1700000000}", None);
        check("\"x\"", None);
        check("[99999999999999999999,\"x\"]", Some((Stamp::Bad, "x")));
    }

    #[test]
    fn elements_are_joined() {
        let raw = br#"[1,"a\n"], [2,"b"],{"ts":3,"line":"c"}"#;
        let mut joined = String::from("x");
        join(raw, &mut joined);
        assert_eq!(joined, "xa\n\nb\nc");
    }

    #[test]
    fn milliseconds_are_read_together() {
        for (json, expect) in [
            ("[1784052295481,\"x\"]", Some(1_784_052_295_481_000)),
            ("[9999999999999,\"x\"]", Some(9_999_999_999_999_000)),
            ("[1000000000000,\"x\"]", Some(1_000_000_000_000_000)),
            ("[0784052295481,\"x\"]", None),
            ("[178405229548:,\"x\"]", None),
            ("[1784052/95481,\"x\"]", None),
            ("[178405229548,\"xx\"]", None),
            ("[17840522954812,\"\"]", None),
        ] {
            assert_eq!(millis(json.as_bytes()), expect, "{json}");
        }
    }

    #[test]
    fn the_fast_path_declines_what_it_does_not_know() {
        for json in ["[01,\"x\"]", "[,\"x\"]", "[1,\"x\"", "[1,\"x\" ]", "[1.5,\"x\"]", "[1,2]", "[", ""] {
            assert_eq!(tuple(json.as_bytes(), 0), None, "{json}");
        }
        assert!(tuple(br#"[1784052295481, "x"]"#, 0).is_some());
    }
}
