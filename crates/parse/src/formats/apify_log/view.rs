//! The beginning of a text without its ANSI sequences, with the way back to the input.

use memchr::memchr;

use crate::text::escape_len;

const ESC: u8 = 0x1b;
/// Bytes of a coloured text that are looked at.
const VIEW_BYTES: usize = 512;

/// A text as levels and shapes are looked for in it. Has no blanks at its end.
pub(super) enum View<'v> {
    /// It holds no ANSI.
    Plain(&'v [u8]),
    /// Its first bytes with the ANSI taken out.
    Stripped(&'v Scratch),
}

/// Where a coloured text is stripped; reused from line to line.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    bytes: Vec<u8>,
    /// Where each byte stood.
    origin: Vec<usize>,
    /// Where the first byte that is not looked at stands.
    end: usize,
}

impl Scratch {
    /// A view of `text`.
    pub(super) fn view<'v>(&'v mut self, text: &'v [u8]) -> View<'v> {
        if memchr(ESC, text).is_none() {
            return View::Plain(text);
        }
        self.strip(text);
        View::Stripped(self)
    }

    fn strip(&mut self, text: &[u8]) {
        self.bytes.clear();
        self.origin.clear();
        let mut at = 0;
        while let Some(&byte) = text.get(at) {
            if byte == ESC {
                at += escape_len(text.get(at..).unwrap_or_default());
            } else if self.bytes.len() == VIEW_BYTES {
                break;
            } else {
                self.bytes.push(byte);
                self.origin.push(at);
                at += 1;
            }
        }
        self.end = at;
    }
}

impl View<'_> {
    /// The bytes to look at.
    pub(super) fn bytes(&self) -> &[u8] {
        match self {
            Self::Plain(text) => text,
            Self::Stripped(scratch) => super::line::trim_end(&scratch.bytes),
        }
    }

    /// Where byte `at` of the view stands in the text.
    pub(super) fn origin(&self, at: usize) -> usize {
        match self {
            Self::Plain(_) => at,
            Self::Stripped(scratch) => scratch.origin.get(at).copied().unwrap_or(scratch.end),
        }
    }

    /// Where the bytes before `at` end in the text.
    pub(super) fn origin_end(&self, at: usize) -> usize {
        match at.checked_sub(1) {
            Some(last) => self.origin(last) + 1,
            None => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_back() {
        let text = b"\x1b[32mINFO\x1b[39m \x1b[33m A:\x1b[39m x";
        let mut scratch = Scratch::default();
        let view = scratch.view(text);
        assert_eq!(view.bytes(), b"INFO  A: x");
        assert_eq!(text.get(view.origin(6)..view.origin_end(7)), Some(&b"A"[..]));
        assert_eq!(text.get(view.origin(9)..), Some(&b"x"[..]));
        assert_eq!(view.origin(10), text.len());
        assert!(matches!(Scratch::default().view(b"plain"), View::Plain(b"plain")));
    }

    #[test]
    fn long_texts_are_seen_in_part() {
        let text = [b"\x1b[1m".as_slice(), &[b'a'; 600]].concat();
        assert_eq!(Scratch::default().view(&text).bytes().len(), VIEW_BYTES);
    }
}
