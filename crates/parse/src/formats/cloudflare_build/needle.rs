//! Words that may stand anywhere in a line, found in one pass over all lines of a build.

use memchr::memmem::{self, FindIter};

use super::model::Line;
use crate::record::Wants;

/// The words that are looked for.
pub(super) struct Words<'a> {
    typescript: Needle<'a>,
    modules: Needle<'a>,
    built: Needle<'a>,
    /// Offset of the next of them.
    next: usize,
}

/// Which of the words stand in a line.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Found {
    /// `error TS`.
    pub(super) typescript: bool,
    /// ` modules transformed`.
    pub(super) modules: bool,
    /// `built in `.
    pub(super) built: bool,
}

impl<'a> Words<'a> {
    /// The words in `stretch`, which starts at `offset`. Words of figures are not looked for unless `wants` them.
    pub(super) fn new(stretch: &'a [u8], offset: usize, wants: Wants) -> Self {
        let figures = if wants == Wants::Everything { stretch } else { &[] };
        let mut words = Self {
            typescript: Needle::new(stretch, b"error TS", offset),
            modules: Needle::new(figures, b" modules transformed", offset),
            built: Needle::new(figures, b"built in ", offset),
            next: 0,
        };
        words.look_ahead();
        words
    }

    /// Whether `line` stands before all that is left of them.
    #[inline]
    pub(super) fn are_behind(&self, line: &Line<'_>) -> bool {
        line.span.end <= self.next
    }

    /// Which of them stand in `line`. Lines must be asked for in order.
    #[inline]
    pub(super) fn find(&mut self, line: &Line<'_>) -> Found {
        if self.are_behind(line) {
            return Found::default();
        }
        let found = Found {
            typescript: self.typescript.stands_in(line),
            modules: self.modules.stands_in(line),
            built: self.built.stands_in(line),
        };
        self.look_ahead();
        found
    }

    fn look_ahead(&mut self) {
        self.next = self.typescript.at().min(self.modules.at()).min(self.built.at());
    }
}

/// Lines in which one of some words stands.
pub(super) struct AnyOf<'a, const N: usize> {
    needles: [Needle<'a>; N],
    /// Offset of the next of them.
    next: usize,
}

impl<'a, const N: usize> AnyOf<'a, N> {
    /// The words in `stretch`, which starts at `offset`.
    pub(super) fn new(stretch: &'a [u8], offset: usize, words: [&'static [u8]; N]) -> Self {
        let needles = words.map(|word| Needle::new(stretch, word, offset));
        let mut any = Self { needles, next: 0 };
        any.look_ahead();
        any
    }

    /// Whether one of them stands in `line`. Lines must be asked for in order.
    pub(super) fn stands_in(&mut self, line: &Line<'_>) -> bool {
        if line.span.end <= self.next {
            return false;
        }
        // One that is not asked catches up later.
        let found = self.needles.iter_mut().any(|needle| needle.stands_in(line));
        self.look_ahead();
        found
    }

    fn look_ahead(&mut self) {
        self.next = self.needles.iter().map(Needle::at).min().unwrap_or(usize::MAX);
    }
}

/// The places of one word.
struct Needle<'a> {
    found: FindIter<'a, 'static>,
    offset: usize,
    next: Option<usize>,
}

impl<'a> Needle<'a> {
    fn new(stretch: &'a [u8], word: &'static [u8], offset: usize) -> Self {
        let mut found = memmem::find_iter(stretch, word);
        let next = found.next();
        Self { found, offset, next }
    }

    fn at(&self) -> usize {
        self.next.map_or(usize::MAX, |next| next + self.offset)
    }

    /// Whether the word stands in `line`. Lines must be asked for in order.
    fn stands_in(&mut self, line: &Line<'_>) -> bool {
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
