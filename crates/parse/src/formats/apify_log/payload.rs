//! The data behind a message: where it starts, and what is left of the message without it.
//!
//! ```text
//! payload := object | "({" … "})"          the braces belong to it, the parentheses do not
//! ```
//! It stands behind a blank or at the start of a line, and closes the last line of the event; or
//! the first one, where an exception follows it. Only what parses as a JSON object is a payload.
//! Every byte is looked at a bounded number of times, whatever stands there.

use memchr::{memchr, memchr_iter, memrchr};
use serde::de::IgnoredAny;
use serde_json::Deserializer;

use super::line::{head_len, trim_end};
use crate::text::{Codec, Text, escape_len, leading_ansi_len};

/// Places that are tried as the start of a payload in one line.
const MAX_CANDIDATES: usize = 4;
const ESC: u8 = 0x1b;

/// A message and its payload.
#[derive(Debug, Clone, Copy)]
pub(super) struct Split<'a> {
    /// The first line of the message.
    pub first_line: &'a [u8],
    /// All of it.
    pub message: Text<'a>,
    /// The payload.
    pub payload: Option<Text<'a>>,
    /// Whether all of the payload is there.
    pub extent: Closed,
}

/// Whether a payload is closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Closed {
    /// It is, or there is none.
    Yes,
    /// The text ends inside it.
    No,
}

/// Splits the text of an event of one line.
pub(super) fn split_line(raw: &[u8]) -> Split<'_> {
    let raw = trim_coloured(raw);
    let found = last_object(raw);
    let message = match found {
        Found::Object { start, .. } => message_before(raw, start),
        Found::Unclosed(_) | Found::Nothing => raw,
    };
    Split {
        first_line: message,
        message: Text::plain(message),
        payload: found.slice(raw).map(Text::plain),
        extent: found.extent(),
    }
}

/// Splits the text of an event of several lines, heads included.
pub(super) fn split_lines(raw: &[u8]) -> Split<'_> {
    let raw = trim_coloured(raw);
    let first_end = memchr(b'\n', raw).unwrap_or(raw.len());
    let first = trim_coloured(raw.get(..first_end).unwrap_or_default());
    let first_found = last_object(first);
    let (start, payload) = match wrapped(raw, first, first_found) {
        Wrapped::Object { start, len } => {
            let payload = raw.get(start..start + len).unwrap_or_default();
            return behind_lines(raw, first, start, Text { raw: payload, codec: Codec::Lines(head_len) });
        }
        Wrapped::Unclosed => return around(raw, first, Found::Nothing, Closed::No),
        Wrapped::Nothing => last_line(raw),
    };
    match last_object(payload) {
        found @ Found::Object { start: at, .. } => {
            let payload = found.slice(payload).unwrap_or_default();
            behind_lines(raw, first, start + at, Text::plain(payload))
        }
        Found::Unclosed(_) if !matches!(first_found, Found::Object { .. }) => {
            around(raw, first, first_found, Closed::No)
        }
        Found::Unclosed(_) | Found::Nothing => around(raw, first, first_found, first_found.extent()),
    }
}

/// Where the text of the last line starts, and that text.
fn last_line(raw: &[u8]) -> (usize, &[u8]) {
    let line = memrchr(b'\n', raw).map_or(0, |newline| newline + 1);
    let start = line + head_len(raw.get(line..).unwrap_or_default());
    (start, raw.get(start..).unwrap_or_default())
}

/// An event whose first line may have a payload, with more lines behind it.
fn around<'a>(raw: &'a [u8], first: &'a [u8], found: Found, extent: Closed) -> Split<'a> {
    let (first_line, codec): (_, Codec) = match found {
        Found::Object { start, .. } => (message_before(first, start), Codec::Joined(without_first_payload)),
        Found::Unclosed(_) | Found::Nothing => (first, Codec::Lines(head_len)),
    };
    let message = Text { raw, codec };
    Split { first_line, message, payload: found.slice(first).map(Text::plain), extent }
}

/// An object that is spread over lines.
enum Wrapped {
    Object {
        start: usize,
        len: usize,
    },
    /// The event ends inside it.
    Unclosed,
    Nothing,
}

/// The object that begins on a line that does not close it, and ends with the event.
fn wrapped(raw: &[u8], first: &[u8], first_found: Found) -> Wrapped {
    if let Found::Unclosed(start) = first_found {
        return wrapped_object(raw, start);
    }
    let is_closing = matches!(raw, [.., b'}'] | [.., b'}', b')']);
    let (last, text) = last_line(raw);
    if !is_closing || !matches!(last_object(text), Found::Nothing) {
        return Wrapped::Nothing;
    }
    let mut at = first.len();
    let mut left = MAX_CANDIDATES;
    while let Some(start) = memchr(b'{', raw.get(at..last).unwrap_or_default()).map(|brace| at + brace) {
        let rest = raw.get(start..).unwrap_or_default();
        let line = rest.get(..memchr(b'\n', rest).unwrap_or(rest.len())).unwrap_or_default();
        at = start + line.len();
        let line_start =
            memrchr(b'\n', raw.get(..start).unwrap_or_default()).map_or(0, |newline| newline + 1);
        let line = trim_coloured(raw.get(line_start..at).unwrap_or_default());
        let text_start = head_len(line);
        if let Found::Unclosed(open) = last_object(line.get(text_start..).unwrap_or_default()) {
            match wrapped_object(raw, line_start + text_start + open) {
                Wrapped::Nothing if left > 0 => left -= 1,
                found => return found,
            }
        }
    }
    Wrapped::Nothing
}

/// What is in front of a payload that starts at `start`, on the lines before it or on its own.
fn behind_lines<'a>(raw: &'a [u8], first: &'a [u8], start: usize, payload: Text<'a>) -> Split<'a> {
    let message = trim_lines(message_before(raw, start));
    let first_line = first.get(..message.len()).unwrap_or(first);
    let codec = if memchr(b'\n', message).is_some() { Codec::Lines(head_len) } else { Codec::Plain };
    Split { first_line, message: Text { raw: message, codec }, payload: Some(payload), extent: Closed::Yes }
}

/// `raw` without lines at its end that hold nothing but their head.
fn trim_lines(raw: &[u8]) -> &[u8] {
    let mut rest = trim_coloured(raw);
    while let Some(newline) = memrchr(b'\n', rest) {
        let line = rest.get(newline + 1..).unwrap_or_default();
        let text = line.get(head_len(line)..).unwrap_or_default();
        if !trim_coloured(text).is_empty() {
            break;
        }
        rest = trim_coloured(rest.get(..newline).unwrap_or_default());
    }
    rest
}

/// The lines of an event joined, without the payload at the end of the first one.
fn without_first_payload(raw: &[u8]) -> String {
    let first_end = memchr(b'\n', raw).unwrap_or(raw.len());
    let (first, rest) = raw.split_at(first_end);
    let first = split_line(first).first_line;
    let rest = Text { raw: rest, codec: Codec::Lines(head_len) };
    String::from_utf8_lossy(first).into_owned() + &rest.decode()
}

/// What stands at the end of a line.
#[derive(Debug, Clone, Copy)]
enum Found {
    /// An object.
    Object { start: usize, end: usize },
    /// An object that the line does not close.
    Unclosed(usize),
    /// None.
    Nothing,
}

impl Found {
    fn slice(self, text: &[u8]) -> Option<&[u8]> {
        match self {
            Self::Object { start, end } => text.get(start..end),
            Self::Unclosed(_) | Self::Nothing => None,
        }
    }

    const fn extent(self) -> Closed {
        match self {
            Self::Unclosed(_) => Closed::No,
            Self::Object { .. } | Self::Nothing => Closed::Yes,
        }
    }
}

/// The object that closes `text`, which has no blanks or ANSI at its end.
fn last_object(text: &[u8]) -> Found {
    let end = match text {
        [.., b'}', b')'] => text.len() - 1,
        _ => text.len(),
    };
    let mut from = 0;
    for _ in 0..MAX_CANDIDATES {
        let Some(start) = next_candidate(text, from) else { return Found::Nothing };
        let is_grouped = is_after_parenthesis(text, start);
        let end = if is_grouped { end } else { text.len() };
        match object_len(text.get(start..end).unwrap_or_default()) {
            Parsed::Whole(len) if len == end - start && is_grouped && end == text.len() => {
                return Found::Unclosed(start);
            }
            Parsed::Whole(len) if len == end - start => return Found::Object { start, end },
            Parsed::Whole(len) => from = start + len,
            Parsed::Unclosed => return Found::Unclosed(start),
            Parsed::Broken => from = start + 1,
        }
    }
    closing_object(text, end)
}

/// The object whose brace closes `text[..end]`, found from behind.
fn closing_object(text: &[u8], end: usize) -> Found {
    let Some(start) = opening_brace(text.get(..end).unwrap_or_default()) else { return Found::Nothing };
    let is_closed = is_after_parenthesis(text, start) == (end < text.len());
    match object_len(text.get(start..end).unwrap_or_default()) {
        Parsed::Whole(len) if len == end - start && is_closed && is_candidate(text, start) => {
            Found::Object { start, end }
        }
        _ => Found::Nothing,
    }
}

/// Where the brace stands that the last byte closes, if `text` ends in well-formed JSON: there, a quote
/// outside of a string can only be one's end.
fn opening_brace(text: &[u8]) -> Option<usize> {
    let mut depth = 0_usize;
    let mut at = text.strip_suffix(b"}").map(|_| text.len())?;
    while let Some(before) = at.checked_sub(1) {
        at = before;
        match text.get(at)? {
            b'}' => depth += 1,
            b'{' if depth == 1 => return Some(at),
            b'{' => depth = depth.checked_sub(1)?,
            b'"' => at = opening_quote(text.get(..at)?)?,
            _ => {}
        }
    }
    None
}

/// The last quote of `text` that is not escaped.
fn opening_quote(text: &[u8]) -> Option<usize> {
    let mut rest = text;
    loop {
        let quote = memrchr(b'"', rest)?;
        rest = rest.get(..quote)?;
        let slashes = rest.iter().rev().take_while(|byte| **byte == b'\\').count();
        if slashes % 2 == 0 {
            return Some(quote);
        }
    }
}

fn next_candidate(text: &[u8], from: usize) -> Option<usize> {
    let rest = text.get(from..)?;
    memchr_iter(b'{', rest).map(|at| from + at).find(|at| is_candidate(text, *at))
}

/// A brace that may open a payload: a key or its end follows; a blank, a parenthesis or a colour goes before.
fn is_candidate(text: &[u8], brace: usize) -> bool {
    if !matches!(text.get(brace + 1), Some(b'"' | b'}')) {
        return false;
    }
    let before = text.get(..brace).unwrap_or_default();
    let before = before.strip_suffix(b"(").unwrap_or(before);
    matches!(without_colour(before), [] | [.., b' ' | b'\t' | b'\n' | b'\r'])
}

fn is_after_parenthesis(text: &[u8], brace: usize) -> bool {
    text.get(..brace).is_some_and(|before| before.ends_with(b"("))
}

enum Parsed {
    /// An object of this length.
    Whole(usize),
    /// The beginning of one.
    Unclosed,
    /// None.
    Broken,
}

fn object_len(text: &[u8]) -> Parsed {
    let mut values = Deserializer::from_slice(text).into_iter::<IgnoredAny>();
    match values.next() {
        Some(Ok(_)) => Parsed::Whole(values.byte_offset()),
        Some(Err(error)) if error.is_eof() || is_cut_number(text, &error) => Parsed::Unclosed,
        _ => Parsed::Broken,
    }
}

/// Whether the text ends inside of a number where no number may end: the parser calls that wrong, not cut.
fn is_cut_number(text: &[u8], error: &serde_json::Error) -> bool {
    let line = memrchr(b'\n', text).map_or(0, |newline| newline + 1);
    matches!(text.last(), Some(b'.' | b'e' | b'E' | b'-' | b'+'))
        && error.column() >= text.len() - line
        && error.line() == memchr_iter(b'\n', text).count() + 1
}

/// The object that begins at `start` and is spread over all the lines behind.
fn wrapped_object(raw: &[u8], start: usize) -> Wrapped {
    let open = raw.get(start..).unwrap_or_default();
    let is_grouped = is_after_parenthesis(raw, start);
    let object = if is_grouped { open.strip_suffix(b")").unwrap_or_default() } else { open };
    let text = Text { raw: open, codec: Codec::Lines(head_len) }.decode();
    match object_len(text.as_bytes()) {
        Parsed::Unclosed => Wrapped::Unclosed,
        Parsed::Whole(len) if !object.is_empty() && len + open.len() - object.len() == text.len() => {
            Wrapped::Object { start, len: object.len() }
        }
        Parsed::Whole(_) | Parsed::Broken => Wrapped::Nothing,
    }
}

/// The message in front of a payload that starts at `start`.
fn message_before(text: &[u8], start: usize) -> &[u8] {
    let before = text.get(..start).unwrap_or_default();
    trim_coloured(before.strip_suffix(b"(").unwrap_or(before))
}

/// `text` without blanks, line breaks aside, and ANSI at its end.
pub(super) fn trim_coloured(text: &[u8]) -> &[u8] {
    let mut rest = trim_end(text);
    loop {
        let shorter = trim_end(without_colour(rest));
        if shorter.len() == rest.len() {
            return rest;
        }
        rest = shorter;
    }
}

/// `text` without the ANSI sequence at its end, if there is one of the usual length.
fn without_colour(text: &[u8]) -> &[u8] {
    const MAX_SEQUENCE: usize = 24;
    if !matches!(text.last(), Some(b'm' | b'K' | b'G' | b'J')) {
        return text;
    }
    let from = text.len().saturating_sub(MAX_SEQUENCE);
    let Some(at) = memrchr(ESC, text.get(from..).unwrap_or_default()).map(|at| from + at) else {
        return text;
    };
    if at + escape_len(text.get(at..).unwrap_or_default()) == text.len() {
        text.get(..at).unwrap_or_default()
    } else {
        text
    }
}

/// Whether a text holds nothing but blanks and ANSI.
pub(super) fn is_blank(text: &[u8]) -> bool {
    let mut rest = text;
    loop {
        rest = match rest {
            [] => return true,
            [b' ' | b'\t' | b'\r', after @ ..] => after,
            [ESC, ..] => rest.get(leading_ansi_len(rest)..).unwrap_or_default(),
            _ => return false,
        }
    }
}

#[cfg(test)]
#[path = "payload_tests.rs"]
mod tests;
