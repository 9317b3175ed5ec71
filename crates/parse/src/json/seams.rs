//! Guessing where elements of a large array begin, without reading what stands before them.
//!
//! Elements of one array mostly begin alike: with the same key, after the same blanks. What looks like that may
//! stand inside of an element or of a string, too, so that whoever divides a document by it has to look whether
//! reading the part before arrives there.

use memchr::memmem;

use super::is_blank;
use super::reader::Reader;
use crate::format::{Carry, Depth, LineState, Seam};

/// Places looked at before a stretch is given up.
const MAX_GUESSES: usize = 64;
/// Bytes of an element that are looked at to see what it is.
pub const GLANCE_BYTES: usize = 64 << 10;

/// A document up to `bytes` of its element at `at`: no more of that is looked at.
#[must_use]
pub fn glance(document: &[u8], at: usize, bytes: usize) -> &[u8] {
    document.get(..at.saturating_add(bytes)).unwrap_or(document)
}

/// A place where an element seems to begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Guess {
    /// Its brace.
    pub element: usize,
    /// Where the document may be divided before it: where its line begins, if the line begins with it.
    pub at: usize,
    /// Whether the line has been counted with the element before.
    pub line: LineState,
}

/// Looks for elements that begin as the first one does.
#[derive(Debug)]
pub struct Guesses<'d> {
    document: &'d [u8],
    opening: memmem::Finder<'d>,
}

impl<'d> Guesses<'d> {
    /// Looks for objects with the first key of the one whose brace is at `first`.
    #[must_use]
    pub fn like(document: &'d [u8], first: usize) -> Option<Self> {
        let mut reader = Reader::new(glance(document, first, GLANCE_BYTES), first);
        if !reader.eat(b'{') {
            return None;
        }
        reader.string().ok()?;
        let opening = memmem::Finder::new(document.get(first..reader.at())?);
        Some(Self { document, opening })
    }

    /// A place about every `bytes`: of the guesses in so many bytes the one that `choose` takes, `depth` deep.
    pub fn seams(&self, bytes: usize, depth: Depth, choose: impl Fn(&[Guess]) -> Option<Guess>) -> Vec<Seam> {
        let mut seams = Vec::new();
        let bytes = bytes.max(1);
        let mut nominal = bytes;
        while nominal < self.document.len() {
            if let Some(guess) = choose(&self.within(nominal, bytes)) {
                let carry = Carry { line: guess.line, depth, ..Carry::default() };
                seams.push(Seam { at: guess.at, carry });
                nominal = guess.element;
            }
            nominal += bytes;
        }
        seams
    }

    /// The first ones whose braces are among the `bytes` bytes from `from` on.
    fn within(&self, from: usize, bytes: usize) -> Vec<Guess> {
        let rest = self.document.get(from..).unwrap_or_default();
        let len = bytes.saturating_add(self.opening.needle().len() - 1);
        let stretch = rest.get(..len).unwrap_or(rest);
        let places = self.opening.find_iter(stretch).take(MAX_GUESSES);
        places.filter_map(|place| guess(self.document, from + place)).collect()
    }
}

/// A place to divide before the brace at `element`, if an object and a comma stand before it.
fn guess(document: &[u8], element: usize) -> Option<Guess> {
    let (comma, newline) = before(document, element)?;
    let (brace, lone_comma) = before(document, comma)?;
    if (document.get(comma), document.get(brace)) != (Some(&b','), Some(&b'}')) {
        return None;
    }
    match (newline, lone_comma) {
        (Some(newline), _) => Some(Guess { element, at: newline + 1, line: LineState::Start }),
        (None, None) => Some(Guess { element, at: element, line: LineState::Counted }),
        // The line belongs to neither of the two.
        (None, Some(_)) => None,
    }
}

/// The last byte before `at` that is no blank, and the last newline behind that.
fn before(document: &[u8], at: usize) -> Option<(usize, Option<usize>)> {
    let bytes = document.get(..at)?;
    let blanks = bytes.iter().rev().take_while(|byte| is_blank(**byte)).count();
    let last = at.checked_sub(blanks + 1)?;
    let newline = memchr::memrchr(b'\n', bytes.get(last..)?).map(|newline| last + newline);
    Some((last, newline))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(document: &str, expect: &[(usize, LineState)]) {
        let first = document.find('{').expect("an object");
        let guesses = Guesses::like(document.as_bytes(), first).expect("a key");
        let found: Vec<_> =
            guesses.within(0, usize::MAX).iter().map(|guess| (guess.at, guess.line)).collect();
        assert_eq!(found, expect, "{document}");
    }

    #[test]
    fn elements_begin_like_the_first() {
        use LineState::{Counted, Start};
        check(r#"[{"a":1},{"a":2}, {"b":3},{"a":4}]"#, &[(9, Counted), (26, Counted)]);
        check("[\n {\"a\":1},\n {\"a\":2},\r\n\n {\"a\":3}]", &[(12, Start), (24, Start)]);
        check("[{\"a\":1},\n  {\"a\":2}]", &[(10, Start)]);
        // The comma begins the line, which no element has touched yet.
        check("[{\"a\":1}\n,{\"a\":2}]", &[]);
        check("[{\"a\":1}\n,\n{\"a\":2}]", &[(11, Start)]);
        check(r#"[{"a":[{"a":1}]},{"a":","}]"#, &[(17, Counted)]);
        check(r#"[{"a":1} {"a":2}"#, &[]);
        // A guess is no more than that.
        check(r#"[{"a":1,"b":[{"a":2},{"a":3}]}]"#, &[(21, Counted)]);
    }
}
