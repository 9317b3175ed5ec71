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
    let last_start = memrchr(b'\n', raw).map_or(0, |newline| newline + 1);
    let last = raw.get(last_start..).unwrap_or_default();
    let text_start = last_start + head_len(last);
    let text = raw.get(text_start..).unwrap_or_default();
    if let found @ Found::Object { start, .. } = last_object(text) {
        let payload = found.slice(text).map(Text::plain);
        return behind_lines(raw, first, text_start + start, payload);
    }
    let first_found = last_object(first);
    if let Found::Unclosed(start) = first_found
        && let Some(len) = wrapped_object(raw.get(start..).unwrap_or_default())
    {
        let payload = raw.get(start..start + len).map(|raw| Text { raw, codec: Codec::Lines(head_len) });
        return behind_lines(raw, first, start, payload);
    }
    let message = match first_found {
        Found::Object { .. } => Text { raw, codec: Codec::Joined(without_first_payload) },
        Found::Unclosed(_) | Found::Nothing => Text { raw, codec: Codec::Lines(head_len) },
    };
    let first_line = match first_found {
        Found::Object { start, .. } => message_before(first, start),
        Found::Unclosed(_) | Found::Nothing => first,
    };
    Split { first_line, message, payload: first_found.slice(first).map(Text::plain), extent: first_found.extent() }
}

/// What is in front of a payload that starts at `start`, on the lines before it or on its own.
fn behind_lines<'a>(raw: &'a [u8], first: &'a [u8], start: usize, payload: Option<Text<'a>>) -> Split<'a> {
    let message = trim_lines(message_before(raw, start));
    let first_line = first.get(..message.len()).unwrap_or(first);
    let codec = if memchr(b'\n', message).is_some() { Codec::Lines(head_len) } else { Codec::Plain };
    Split { first_line, message: Text { raw: message, codec }, payload, extent: Closed::Yes }
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
        [.., b'}'] => text.len(),
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
        Parsed::Whole(len) if len == end - start && is_closed && is_candidate(text, start) => Found::Object { start, end },
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
        Some(Err(error)) if error.is_eof() => Parsed::Unclosed,
        _ => Parsed::Broken,
    }
}

/// Length of the object that is spread over all the lines of `raw`.
fn wrapped_object(raw: &[u8]) -> Option<usize> {
    let len = raw.strip_suffix(b")").unwrap_or(raw).len();
    let raw = raw.get(..len).filter(|raw| raw.ends_with(b"}"))?;
    let text = Text { raw, codec: Codec::Lines(head_len) }.decode();
    matches!(object_len(text.as_bytes()), Parsed::Whole(whole) if whole == text.len()).then_some(len)
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
    let Some(at) = memrchr(ESC, text.get(from..).unwrap_or_default()).map(|at| from + at) else { return text };
    if at + escape_len(text.get(at..).unwrap_or_default()) == text.len() { text.get(..at).unwrap_or_default() } else { text }
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
