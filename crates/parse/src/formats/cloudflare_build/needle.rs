//! Words that may stand anywhere in a line, found in one pass over all lines of a build.

use memchr::memmem::{self, FindIter};

use super::model::Line;

/// The places of one word.
pub(super) struct Needle<'a> {
    found: FindIter<'a, 'static>,
    offset: usize,
    next: Option<usize>,
}

impl<'a> Needle<'a> {
    pub(super) fn new(stretch: &'a [u8], word: &'static [u8], offset: usize) -> Self {
        let mut found = memmem::find_iter(stretch, word);
        let next = found.next();
        Self { found, offset, next }
    }

    /// Whether the word stands in `line`. Lines must be asked for in order.
    pub(super) fn stands_in(&mut self, line: &Line<'_>) -> bool {
        while let Some(next) = self.next {
            let at = next + self.offset;
            if at >= line.span.start {
                return at < line.span.end;
            }
            self.next = self.found.next();
        }
        false
    }
}
