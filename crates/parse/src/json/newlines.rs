//! Lines of a JSON document, counted on the way through its bytes.

use memchr::memchr;

use crate::format::LineState;

/// Each line belongs to the first element that touches it.
#[derive(Debug, Clone)]
pub struct Newlines<'a> {
    bytes: &'a [u8],
    /// No newline that has not been counted stands before this place.
    next: usize,
    line: u32,
    owned: u32,
    /// Lines that the bytes begin in: 1 if that has an owner before them.
    n_counted: u32,
}

/// A place among the lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// Lines before it.
    pub line: u32,
    /// 1 if its line is nobody's yet, else 0.
    free: u32,
}

/// Bytes of an element and lines it owns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Owned {
    pub len: usize,
    pub n_lines: u32,
}

/// Bytes that are looked through at once.
const AHEAD_BYTES: usize = 16 << 10;

impl<'a> Newlines<'a> {
    /// The lines of `bytes`, none of them owned but the one they begin in, where that has been counted.
    #[must_use]
    pub fn new(bytes: &'a [u8], line: LineState) -> Self {
        let n_counted = u32::from(line == LineState::Counted);
        Self { bytes, next: 0, line: 0, owned: n_counted, n_counted }
    }

    /// Looks all the way to the first newline, which need not be looked for again. To be called before all else.
    pub fn find_first(&mut self) -> Option<usize> {
        let first = memchr(b'\n', self.bytes);
        self.next = first.unwrap_or(self.bytes.len());
        first
    }

    /// The place of the byte `at`. Places must be asked for in order.
    #[inline]
    pub fn locate(&mut self, at: usize) -> Place {
        if self.next < at {
            self.count_to(at);
        }
        Place { line: self.line, free: u32::from(self.line >= self.owned) }
    }

    /// Counts the newlines before byte `at`, and looks a little ahead for the next one: as far as the bytes
    /// that will be read soon.
    #[inline(never)]
    fn count_to(&mut self, at: usize) {
        while self.next < at.min(self.bytes.len()) {
            self.line += u32::from(self.bytes.get(self.next) == Some(&b'\n'));
            let rest = self.bytes.get(self.next + 1..).unwrap_or_default();
            let ahead = rest.get(..AHEAD_BYTES).unwrap_or(rest);
            self.next += 1 + memchr(b'\n', ahead).unwrap_or(ahead.len());
        }
    }

    /// Lines of the first `len` bytes, a last one without its newline included, and how the last one is left.
    #[must_use]
    pub fn total(mut self, len: usize) -> (u64, LineState) {
        self.count_to(len);
        let bytes = self.bytes.get(..len).unwrap_or(self.bytes);
        let is_open = bytes.last().is_some_and(|&byte| byte != b'\n');
        let lines = (u64::from(self.line) + u64::from(is_open)).saturating_sub(u64::from(self.n_counted));
        (lines, if is_open && self.owned > self.line { LineState::Counted } else { LineState::Start })
    }

    /// The line of the element from `start` to `end`, and what it takes.
    #[inline]
    pub fn amount(&mut self, start: usize, end: usize) -> (u32, Owned) {
        let place = self.locate(start);
        self.amount_from(place, start, end)
    }

    /// As [`Self::amount`], for an element whose start was located before.
    #[inline]
    pub fn amount_from(&mut self, start: Place, from: usize, end: usize) -> (u32, Owned) {
        if end <= from {
            return (start.line, Owned { len: 0, n_lines: 0 });
        }
        let last = self.locate(end - 1).line;
        self.owned = last + 1;
        (start.line, Owned { len: end - from, n_lines: last - start.line + start.free })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_newline_is_no_other_when_it_was_looked_for() {
        let of = |text: &'static str| Newlines::new(text.as_bytes(), LineState::Start);
        for text in ["", "\n", "\n[1]\n", "[1]\n\n[2]", "[1]"] {
            let (mut told, mut found) = (of(text), of(text));
            assert_eq!(told.find_first(), text.find('\n'), "{text:?}");
            for at in 0..text.len() {
                assert_eq!(told.amount(at, at + 1), found.amount(at, at + 1), "{text:?} {at}");
            }
            assert_eq!(told.total(text.len()), found.total(text.len()), "{text:?}");
        }
    }

    #[test]
    fn lines_have_one_owner() {
        let text = b"[1,2,\n[3\n4],5]\n";
        let mut newlines = Newlines::new(text, LineState::Start);
        let mut check = |start, end, line, n_lines| {
            let expect = (line, Owned { len: end - start, n_lines });
            assert_eq!(newlines.amount(start, end), expect, "{start}..{end}");
        };
        check(1, 2, 0, 1);
        check(3, 4, 0, 0);
        check(6, 11, 1, 2);
        check(12, 13, 2, 0);
        assert_eq!(newlines.total(text.len()), (3, LineState::Start));
        let total = |text: &[u8], len| Newlines::new(text, LineState::Start).total(len).0;
        assert_eq!(total(b"a\nb", 3), 2);
        assert_eq!(total(b"a\nb\nc", 3), 2, "of the first three bytes");
        assert_eq!(total(b"", 0), 0);
    }

    #[test]
    fn a_line_is_counted_where_it_begins() {
        let mut newlines = Newlines::new(b"[1],\n[2],", LineState::Counted);
        assert_eq!(newlines.amount(0, 3), (0, Owned { len: 3, n_lines: 0 }));
        assert_eq!(newlines.amount(5, 8), (1, Owned { len: 3, n_lines: 1 }));
        assert_eq!(newlines.total(9), (1, LineState::Counted));
        assert_eq!(Newlines::new(b"[1],", LineState::Start).total(4), (1, LineState::Start), "nobody has it");
    }
}
