//! The data behind a message: where it starts, and what is left of the message without it.
//!
//! ```text
//! payload := object | "({" … "})"          the braces belong to it, the parentheses do not
//! ```
//! It stands behind a blank or at the start of a line, and closes the last line of the event; or
//! the first one, where an exception follows it. Only what parses as a JSON object is a payload.
//! Every byte is looked at a bounded number of times, whatever stands there.

use memchr::{memchr, memrchr};

use super::colour::trim_coloured;
use super::line::head_len;
use super::object::{Found, MAX_CANDIDATES, Parsed, is_after_parenthesis, last_object, object_len};
use crate::text::{Codec, Text, lossy};

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

/// Whether the text of an event of one line may be told without its payload, which must be closed, if there is
/// one, and no statistics, told by the colon in front of them. `raw` has no blanks and no colours at its end.
pub(super) fn is_closed(raw: &[u8]) -> bool {
    let Some(brace) = memchr(b'{', raw) else { return true };
    let before = raw.get(..brace).unwrap_or_default();
    if is_behind_colon(before) {
        // Statistics, nearly always; whatever else it is, it loses nothing.
        return false;
    }
    if is_surely_closed(raw, brace) {
        return true;
    }
    match last_object(raw) {
        Found::Object { start, .. } => message_before(raw, start).last() != Some(&b':'),
        Found::Unclosed(_) => false,
        Found::Nothing => true,
    }
}

/// Whether what stands behind `before` stands behind a colon, a blank and a parenthesis aside.
fn is_behind_colon(before: &[u8]) -> bool {
    let before = before.strip_suffix(b"(").unwrap_or(before);
    before.strip_suffix(b" ").unwrap_or(before).last() == Some(&b':')
}

/// Whether no payload can be open at the end of a text whose first brace is given; `false` where it takes more to
/// tell.
///
/// The brace at the end closes an object, or is an error, unless it stands in a string: the last quote would
/// have to open it, which an opening quote can do only behind a blank, an opening bracket, a comma or a colon.
fn is_surely_closed(raw: &[u8], brace: usize) -> bool {
    let (before, object) = raw.split_at(brace);
    let is_grouped = before.last() == Some(&b'(');
    let object = if is_grouped { object.strip_suffix(b")").unwrap_or_default() } else { object };
    let Some(inside) = object.get(1..) else { return false };
    if inside.last() != Some(&b'}') || memchr(b'{', inside).is_some() {
        return false;
    }
    match memrchr(b'"', inside) {
        None => true,
        Some(quote) => {
            let before = quote.checked_sub(1).and_then(|at| inside.get(at));
            !matches!(before, None | Some(b' ' | b'\t' | b'\r' | b'\n' | b'[' | b',' | b':' | b'\\'))
        }
    }
}

/// Splits the text of an event of several lines, heads included.
pub(super) fn split_lines(raw: &[u8]) -> Split<'_> {
    let raw = trim_coloured(raw);
    let first_end = memchr(b'\n', raw).unwrap_or(raw.len());
    let first = trim_coloured(raw.get(..first_end).unwrap_or_default());
    if memchr(b'{', raw).is_none() {
        return around(raw, first, Found::Nothing, Closed::Yes);
    }
    let first_found = last_object(first);
    let (start, last) = last_line(raw);
    let last_found = last_object(last);
    match wrapped(raw, first.len(), first_found, start, last_found) {
        Wrapped::Object { start, len } => {
            let payload = raw.get(start..start + len).unwrap_or_default();
            return behind_lines(raw, first, start, Text { raw: payload, codec: Codec::Lines(head_len) });
        }
        Wrapped::Unclosed => return around(raw, first, Found::Nothing, Closed::No),
        Wrapped::Nothing => {}
    }
    match last_found {
        Found::Object { start: at, .. } => {
            let payload = last_found.slice(last).unwrap_or_default();
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

/// The object that begins on a line that does not close it, and ends with the event, whose last line has its text
/// at `last`.
fn wrapped(raw: &[u8], first_len: usize, first_found: Found, last: usize, last_found: Found) -> Wrapped {
    if let Found::Unclosed(start) = first_found {
        return wrapped_object(raw, start);
    }
    let is_closing = matches!(raw, [.., b'}'] | [.., b'}', b')']);
    if !is_closing || !matches!(last_found, Found::Nothing) {
        return Wrapped::Nothing;
    }
    let mut at = first_len;
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
fn without_first_payload(raw: &[u8], out: &mut String) {
    let first_end = memchr(b'\n', raw).unwrap_or(raw.len());
    let (first, rest) = raw.split_at(first_end);
    out.push_str(&lossy(split_line(first).first_line));
    Text { raw: rest, codec: Codec::Lines(head_len) }.decode_into(out);
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

#[cfg(test)]
#[path = "payload_tests.rs"]
mod tests;
