//! The line of a build log, whatever it was read from.
//!
//! Both readers (JSON tuples, text) end here; everything behind them sees lines only.

use std::borrow::Cow;

use crate::record::{Flags, Span};
use crate::text::{Codec, Text, escape_len, read_escape, unescape};
use crate::time::Micros;

/// One tuple of the JSON, or one stamped line of the text with the un-stamped lines behind it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Line<'a> {
    /// The whole element or the physical lines, in bytes of the window.
    pub(super) span: Span,
    /// Lines of the window before it.
    pub(super) number: u32,
    /// Physical lines it owns.
    pub(super) n_lines: u32,
    /// Its instant, or its time of day where the date is missing, in microseconds.
    pub(super) clock: Option<i64>,
    /// Which of the two.
    pub(super) dated: Dated,
    /// The message as it stands in the input; further physical lines included.
    pub(super) message: &'a [u8],
    /// Whether the message must be decoded before it is compared (escapes, ANSI).
    pub(super) form: Form,
    /// Whether it may be joined to the line before it.
    pub(super) joint: Joint,
    /// What was odd about it.
    pub(super) flags: Flags,
}

impl Line<'_> {
    /// Its instant, if it states one.
    pub(super) fn ts(&self) -> Option<Micros> {
        if self.dated == Dated::Yes { self.clock } else { None }
    }

    /// Its time of day, if that is all it states.
    pub(super) fn time_of_day(&self) -> Option<Micros> {
        if self.dated == Dated::Yes { None } else { self.clock }
    }
}

/// Whether a clock is an instant or a time of day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dated {
    /// An instant.
    Yes,
    /// A time of day.
    No,
}

/// Whether the bytes of a message are its text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// They are.
    Literal,
    /// They hold escapes of JSON.
    Escaped,
    /// They hold ANSI sequences, escaped or not.
    Coloured,
}

/// Whether a line may belong to the event before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Joint {
    /// If it looks like it.
    Open,
    /// Never: a page starts here, or something was left out in between.
    Closed,
}

/// How the messages of a build are written.
#[derive(Debug, Clone, Copy)]
pub(super) struct Writing {
    /// One message on one line.
    pub(super) single: Codec,
    /// One message over several physical lines.
    pub(super) several: Codec,
    /// Several messages, from the first byte of the first to the last byte of the last.
    pub(super) joined: Codec,
    /// What `joined` starts from.
    pub(super) origin: Origin,
}

/// Where the bytes of a joined event start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    /// At the first message.
    Message,
    /// At the first element.
    Element,
}

impl Writing {
    /// The text of one line.
    pub(super) fn text<'a>(&self, line: &Line<'a>) -> Text<'a> {
        // An element of a JSON document is one message however many lines it takes.
        let codec =
            if self.origin == Origin::Message && line.n_lines > 1 { self.several } else { self.single };
        Text { raw: line.message, codec }
    }

    /// The text of one line, decoded.
    pub(super) fn decode<'a>(&self, line: &Line<'a>) -> Cow<'a, str> {
        self.text(line).decode()
    }
}

/// Bytes of a message that are decoded to recognise it. No mark is longer than a few dozen.
const HEAD_BYTES: usize = 64;
/// As many where some of them are ANSI sequences.
const COLOURED_HEAD_BYTES: usize = 512;

/// The first physical line of a message as text without ANSI, in `scratch` if it has to be decoded.
pub(super) fn head<'h>(line: &Line<'h>, single: Codec, scratch: &'h mut Vec<u8>) -> &'h [u8] {
    if line.form == Form::Literal {
        // Only a line that takes several physical ones can hold a newline as it stands.
        return if line.n_lines > 1 { first_line(line.message) } else { line.message };
    }
    let len = if line.form == Form::Coloured { COLOURED_HEAD_BYTES } else { HEAD_BYTES };
    let raw = line.message.get(..len).unwrap_or(line.message);
    scratch.clear();
    match single {
        Codec::JsonString => unescape_into(raw, scratch),
        _ => scratch.extend_from_slice(raw),
    }
    strip_in_place(scratch);
    first_line(scratch)
}

fn first_line(bytes: &[u8]) -> &[u8] {
    let line = memchr::memchr(b'\n', bytes).and_then(|at| bytes.get(..at)).unwrap_or(bytes);
    line.strip_suffix(b"\r").unwrap_or(line)
}

fn unescape_into(raw: &[u8], out: &mut Vec<u8>) {
    let mut at = 0;
    while let Some(&byte) = raw.get(at) {
        if byte == b'\\' {
            let (decoded, len) = read_escape(raw.get(at..).unwrap_or_default());
            if decoded == '\n' {
                // Only the first line is asked for, but that there are others must show.
                return out.push(b'\n');
            }
            out.extend_from_slice(decoded.encode_utf8(&mut [0; 4]).as_bytes());
            at += len;
        } else {
            out.push(byte);
            at += 1;
        }
    }
}

/// Removes ANSI sequences without a second buffer.
fn strip_in_place(bytes: &mut Vec<u8>) {
    let Some(first) = memchr::memchr(0x1b, bytes) else { return };
    let (mut from, mut to) = (first, first);
    while let Some(&byte) = bytes.get(from) {
        if byte == 0x1b {
            from += escape_len(bytes.get(from..).unwrap_or_default());
        } else {
            if let Some(slot) = bytes.get_mut(to) {
                *slot = byte;
            }
            to += 1;
            from += 1;
        }
    }
    bytes.truncate(to);
}

/// The text of the inside of a JSON string, ANSI kept.
pub(super) fn json_text(inside: &[u8]) -> Cow<'_, str> {
    unescape(inside)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_head(message: &str, codec: Codec, expect: &str) {
        let line = Line {
            span: Span::default(),
            number: 0,
            n_lines: 1,
            clock: None,
            dated: Dated::No,
            message: message.as_bytes(),
            form: Form::Coloured,
            joint: Joint::Open,
            flags: Flags::NONE,
        };
        let mut scratch = Vec::new();
        assert_eq!(String::from_utf8_lossy(head(&line, codec, &mut scratch)), expect);
    }

    #[test]
    fn heads_are_decoded() {
        check_head(r"\u001b[31m\u2718 [ERROR]\u001b[0m bad\nnext", Codec::JsonString, "✘ [ERROR] bad");
        check_head(
            "\u{1b}[31m✘ \u{1b}[41;31m[\u{1b}[41;97mERROR\u{1b}[41;31m]\u{1b}[0m x\r\ny",
            Codec::Plain,
            "✘ [ERROR] x",
        );
        check_head(r"\ttab", Codec::JsonString, "\ttab");
    }
}
