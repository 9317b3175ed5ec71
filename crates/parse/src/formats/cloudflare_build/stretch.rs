//! Physical lines of a part of the input.

use crate::record::Span;

/// A build's part of the window.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stretch<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) start: usize,
    pub(super) end: usize,
    /// Lines before it.
    pub(super) line: u32,
}

/// One physical line.
#[derive(Debug, Clone, Copy)]
pub(super) struct Physical<'a> {
    /// With its line end.
    pub(super) span: Span,
    /// Without it.
    pub(super) text: &'a [u8],
    /// Lines of the window before it.
    pub(super) line: u32,
}

pub(super) struct Physicals<'a> {
    stretch: Stretch<'a>,
    newlines: memchr::Memchr<'a>,
    at: usize,
}

impl<'a> Physicals<'a> {
    pub(super) fn new(stretch: Stretch<'a>) -> Self {
        let bytes = stretch.bytes.get(stretch.start..stretch.end).unwrap_or_default();
        Self { stretch, newlines: memchr::memchr_iter(b'\n', bytes), at: stretch.start }
    }
}

impl<'a> Iterator for Physicals<'a> {
    type Item = Physical<'a>;

    fn next(&mut self) -> Option<Physical<'a>> {
        if self.at >= self.stretch.end {
            return None;
        }
        let end = self.newlines.next().map_or(self.stretch.end, |at| self.stretch.start + at + 1);
        let span = Span { start: self.at, end };
        let text = self.stretch.bytes.get(span.start..span.end).unwrap_or_default();
        let text = text.strip_suffix(b"\n").unwrap_or(text);
        let text = text.strip_suffix(b"\r").unwrap_or(text);
        let line = self.stretch.line;
        self.stretch.line += 1;
        self.at = end;
        Some(Physical { span, text, line })
    }
}
