//! The anchored head of a text: who speaks, at which level, through which logger.
//!
//! ```text
//! head     := [ civil " " ] ( platform | padded | colon | python | stdlib )
//! platform := "ACTOR:" | "[actor-runtime] "
//! padded   := LEVEL blanks prefix            four-letter levels are padded to five
//! colon    := LEVEL ": " prefix
//! python   := "[" logger "] " LEVEL blanks
//! stdlib   := LEVEL ":" logger ":" | "[" logger "] " LEVEL ": "
//! civil    := YYYY-MM-DD HH:MM:SS[(.|,)mmm]
//! ```
//! A level anywhere else is text.

use memchr::memchr;

use super::event::Style;
use crate::record::Span;
use crate::time::{Micros, civil};
use crate::vocabulary::Level;

/// Bytes within which a logger's name must end.
const MAX_LOGGER_BYTES: usize = 256;

/// The head of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Anchor {
    /// How it is written.
    pub style: Style,
    /// Its level.
    pub level: Level,
    /// Where the logger stands; empty where none does.
    pub logger: Span,
    /// Where the message starts.
    pub message: usize,
    /// The logger's own stamp.
    pub ts: Option<Micros>,
}

impl Anchor {
    /// A text without a level.
    pub(super) const BARE: Self = Self::at(0, Style::Bare, Level::None);

    const fn at(message: usize, style: Style, level: Level) -> Self {
        Self { style, level, logger: Span { start: 0, end: 0 }, message, ts: None }
    }

    const fn named(self, start: usize, end: usize) -> Self {
        Self { logger: Span { start, end }, ..self }
    }

    const fn moved(self, by: usize) -> Self {
        let Span { start, end } = self.logger;
        Self { logger: Span { start: start + by, end: end + by }, message: self.message + by, ..self }
    }
}

/// The head of `text`, which has no ANSI in it. [`Anchor::BARE`] where there is none.
#[inline]
pub(super) fn anchor(text: &[u8]) -> Anchor {
    let found = match text.first() {
        Some(b'A'..=b'Z') => words(text),
        Some(b'[') => bracket(text),
        Some(b'0'..=b'9') => dated(text),
        _ => None,
    };
    found.unwrap_or(Anchor::BARE)
}

/// The head of a text at the level that most have, as [`anchor`] finds it, if it is one of the usual ways to write
/// that.
#[inline]
pub(super) fn informative(text: &[u8]) -> Option<Anchor> {
    match text {
        [b'I', b'N', b'F', b'O', b' ', b' ', _, ..] => {
            Some(prefixed(text, Anchor::at(6, Style::Padded, Level::Info)))
        }
        [b'I', b'N', b'F', b'O', b':', b' ', ..] => colon(text, Level::Info, 4),
        [b'I', b'N', b'F', b'O', b':', ..] => stdlib(text, Level::Info, 4),
        [b'[', ..] => bracket(text).filter(|found| found.level == Level::Info),
        _ => None,
    }
}

fn words(text: &[u8]) -> Option<Anchor> {
    if text.starts_with(b"ACTOR:") {
        return Some(Anchor::at(0, Style::Platform, Level::None));
    }
    let (level, len) = level(text)?;
    match text.get(len)? {
        b' ' => padded(text, level, len),
        b':' if text.get(len + 1) == Some(&b' ') => colon(text, level, len),
        b':' => stdlib(text, level, len),
        _ => None,
    }
}

/// The level at the start of `text` and its length.
#[inline]
fn level(text: &[u8]) -> Option<(Level, usize)> {
    // Words of known length are compared without a call.
    let (is_whole, len, level) = match text.first_chunk::<4>()? {
        b"INFO" => (true, 4, Level::Info),
        b"WARN" if text.get(4) == Some(&b'I') => (text.starts_with(b"WARNING"), 7, Level::Warn),
        b"WARN" => (true, 4, Level::Warn),
        b"ERRO" => (text.starts_with(b"ERROR"), 5, Level::Error),
        b"DEBU" => (text.starts_with(b"DEBUG"), 5, Level::Debug),
        b"SFAI" => (text.starts_with(b"SFAIL"), 5, Level::SoftFail),
        b"SOFT" => (text.starts_with(b"SOFT_FAIL"), 9, Level::SoftFail),
        b"PERF" => (true, 4, Level::Perf),
        b"CRIT" => (text.starts_with(b"CRITICAL"), 8, Level::Critical),
        _ => return None,
    };
    let ends = !matches!(text.get(len), Some(b'A'..=b'Z' | b'_'));
    (is_whole && ends).then_some((level, len))
}

/// A four-letter level is one only with its padding: `WARN ` and `WARN tar` are pieces of npm's output.
/// Something must follow.
fn padded(text: &[u8], level: Level, len: usize) -> Option<Anchor> {
    let width = match text.get(..len)? {
        b"SOFT_FAIL" => return None,
        _ if len == 4 => 6,
        _ => len + 1,
    };
    if text.get(len..width)?.iter().any(|byte| *byte != b' ') || is_blank(text.get(width..)?) {
        return None;
    }
    Some(prefixed(text, Anchor::at(width, Style::Padded, level)))
}

fn colon(text: &[u8], level: Level, len: usize) -> Option<Anchor> {
    let is_old_level = !matches!(text.get(..len)?, b"WARN" | b"SFAIL");
    (is_old_level && !is_blank(text.get(len + 2..)?))
        .then(|| prefixed(text, Anchor::at(len + 2, Style::Colon, level)))
}

/// `LEVEL:logger:message`, without a blank.
fn stdlib(text: &[u8], level: Level, len: usize) -> Option<Anchor> {
    if !matches!(text.get(..len)?, b"DEBUG" | b"INFO" | b"WARNING" | b"ERROR" | b"CRITICAL") {
        return None;
    }
    let rest = text.get(len + 1..)?;
    let name = rest
        .iter()
        .take(MAX_LOGGER_BYTES)
        .take_while(|byte| byte.is_ascii_graphic() && **byte != b':')
        .count();
    if name == 0 || rest.get(name) != Some(&b':') {
        return None;
    }
    let end = len + 1 + name;
    Some(Anchor::at(end + 1, Style::Stdlib, level).named(len + 1, end))
}

/// `[logger] LEVEL`. Levels that are not padded are taken too: formatters other than the SDK's write them.
fn bracket(text: &[u8]) -> Option<Anchor> {
    if text.starts_with(b"[actor-runtime] ") {
        return Some(Anchor::at(0, Style::Platform, Level::None));
    }
    let close = memchr(b']', text.get(..MAX_LOGGER_BYTES).unwrap_or(text))?;
    let rest = text.get(close + 1..)?.strip_prefix(b" ")?;
    if close == 1 || !matches!(rest.first(), Some(b'A'..=b'Z')) {
        return None;
    }
    let (level, len) = level(rest)?;
    let start = close + 2 + len;
    let (style, message) = match rest.get(len..)? {
        [] => (Style::Python, start),
        [b' ', b' ', ..] if len == 4 => (Style::Python, start + 2),
        [b' ', ..] => (Style::Python, start + 1),
        [b':', b' ', ..] => (Style::Stdlib, start + 2),
        [b':'] => (Style::Stdlib, start + 1),
        _ => return None,
    };
    Some(Anchor::at(message, style, level).named(1, close))
}

/// A logger's own date and time, which is taken off if it has milliseconds as the JavaScript logger
/// writes them, or if a level follows.
fn dated(text: &[u8]) -> Option<Anchor> {
    let head = text.first_chunk::<20>()?;
    if (head[4], head[7], head[10], head[13], head[16]) != (b'-', b'-', b' ', b':', b':') {
        return None;
    }
    let fraction = match head[19] {
        b'.' | b',' => text.get(20..23).filter(|digits| digits.iter().all(u8::is_ascii_digit))?,
        b' ' => b"",
        _ => return None,
    };
    let end = if fraction.is_empty() { 19 } else { 23 };
    let rest = text.get(end..)?.strip_prefix(b" ")?;
    let ts = civil(std::str::from_utf8(&head[..19]).ok()?)? + micros(fraction);
    let behind = anchor_undated(rest);
    (head[19] == b'.' || behind.style != Style::Bare)
        .then(|| Anchor { ts: Some(ts), ..behind.moved(end + 1) })
}

fn anchor_undated(text: &[u8]) -> Anchor {
    if matches!(text.first(), Some(b'0'..=b'9')) { Anchor::BARE } else { anchor(text) }
}

fn micros(milliseconds: &[u8]) -> Micros {
    milliseconds.iter().fold(0, |sum, digit| sum * 10 + Micros::from(digit - b'0')) * 1000
}

/// ```text
/// prefix := name { ":" name } ": "
/// name   := (letter | "_" | "$") { letter | digit | "_" | "$" | "-" } [ "(" … ")" ]
/// ```
/// with at most one argument list. No prefix if it ends in `Error` or `Exception`, if nothing
/// or `//` follows, or if anything else is in doubt.
fn prefixed(text: &[u8], anchor: Anchor) -> Anchor {
    match prefix_end(text, anchor.message) {
        Some(end) => Anchor { message: end + 2, ..anchor.named(anchor.message, end) },
        None => anchor,
    }
}

fn prefix_end(text: &[u8], start: usize) -> Option<usize> {
    let text = text.get(..start + MAX_LOGGER_BYTES).unwrap_or(text);
    let mut at = start;
    let mut has_arguments = false;
    loop {
        if !matches!(text.get(at)?, b'A'..=b'Z' | b'a'..=b'z' | b'_' | b'$') {
            return None;
        }
        at += text.get(at..)?.iter().take_while(|byte| is_name(**byte)).count();
        if text.get(at) == Some(&b'(') && !has_arguments {
            has_arguments = true;
            at += memchr(b')', text.get(at..)?)? + 1;
        }
        if *text.get(at)? != b':' {
            return None;
        }
        if text.get(at + 1) == Some(&b' ') {
            break;
        }
        at += 1;
    }
    let name = text.get(start..at)?;
    let rest = text.get(at + 2..)?;
    let is_message = name.ends_with(b"Error") || name.ends_with(b"Exception") || rest.starts_with(b"//");
    (!is_message && !is_blank(rest)).then_some(at)
}

/// Which bytes may stand inside of a name.
const NAME: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0_u8;
    while byte < 0x80 {
        table[byte as usize] = byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$' | b'-');
        byte += 1;
    }
    table
};

fn is_name(byte: u8) -> bool {
    NAME.get(usize::from(byte)).copied().unwrap_or(false)
}

fn is_blank(text: &[u8]) -> bool {
    text.iter().all(|byte| matches!(byte, b' ' | b'\t' | b'\r'))
}

/// Where logger and message stand in the raw inside of a JSON `msg`.
pub(super) fn prefix_of_message(message: &[u8]) -> Anchor {
    prefixed(message, Anchor::at(0, Style::Json, Level::None))
}

/// The level spelt out as JSON logs do.
pub(super) fn level_word(word: &[u8]) -> Level {
    level(word).filter(|(_, len)| *len == word.len()).map_or(Level::None, |(level, _)| level)
}

#[cfg(test)]
#[path = "levels_tests.rs"]
mod tests;
