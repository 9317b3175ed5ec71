//! JSON objects at the end of a line, found in linear time whatever stands before them.

use memchr::{memchr_iter, memrchr};
use serde::de::IgnoredAny;
use serde_json::Deserializer;

use super::colour::without_colour;
use super::payload::Closed;
use crate::json::Reader;

/// Places that are tried as the start of a payload in one line.
pub(super) const MAX_CANDIDATES: usize = 4;

/// What stands at the end of a line.
#[derive(Debug, Clone, Copy)]
pub(super) enum Found {
    /// An object.
    Object { start: usize, end: usize },
    /// An object that the line does not close.
    Unclosed(usize),
    /// None.
    Nothing,
}

impl Found {
    pub(super) fn slice(self, text: &[u8]) -> Option<&[u8]> {
        match self {
            Self::Object { start, end } => text.get(start..end),
            Self::Unclosed(_) | Self::Nothing => None,
        }
    }

    pub(super) const fn extent(self) -> Closed {
        match self {
            Self::Unclosed(_) => Closed::No,
            Self::Object { .. } | Self::Nothing => Closed::Yes,
        }
    }
}

/// The object that closes `text`, which has no blanks or ANSI at its end.
pub(super) fn last_object(text: &[u8]) -> Found {
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

pub(super) fn is_after_parenthesis(text: &[u8], brace: usize) -> bool {
    text.get(..brace).is_some_and(|before| before.ends_with(b"("))
}

pub(super) enum Parsed {
    /// An object of this length.
    Whole(usize),
    /// The beginning of one.
    Unclosed,
    /// None.
    Broken,
}

/// How long the object is that `text` begins with. Nearly all of them are whole; what is wrong with the
/// others `serde_json` says.
pub(super) fn object_len(text: &[u8]) -> Parsed {
    if text.first() == Some(&b'{')
        && let Ok(object) = Reader::new(text, 0).skip()
    {
        return Parsed::Whole(object.end);
    }
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
