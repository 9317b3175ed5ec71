//! Splitting by brackets alone: strings are skipped, kinds of brackets are not compared, nothing is
//! validated. What is found is then read strictly, piece by piece.

use memchr::memchr2;

use super::{is_blank, skip_blanks};
use crate::record::Span;

/// A piece of a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Element {
    /// Its bytes, without blanks around it.
    pub span: Span,
    /// Whether its end was seen.
    pub completeness: Completeness,
}

/// Whether all of a piece is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Completeness {
    /// Its end was seen.
    Whole,
    /// The input ends inside it.
    Cut,
}

/// First byte behind the value that starts at `at`, or `None` if the input ends inside it.
///
/// A number or literal ends before a comma, a closing bracket, a blank, or the input.
#[must_use]
pub fn balanced_end(bytes: &[u8], at: usize) -> Option<usize> {
    match bytes.get(at)? {
        b'{' | b'[' => container_end(bytes, at),
        b'"' => string_end(bytes, at),
        _ => Some(at + atom_len(bytes.get(at..).unwrap_or_default()).max(1)),
    }
}

fn container_end(bytes: &[u8], at: usize) -> Option<usize> {
    let mut depth = 0_usize;
    let mut at = at;
    loop {
        match bytes.get(at)? {
            b'"' => {
                at = string_end(bytes, at)?;
                continue;
            }
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth -= 1,
            _ => {}
        }
        at += 1;
        if depth == 0 {
            return Some(at);
        }
    }
}

/// First byte behind the string whose opening quote is at `at`.
fn string_end(bytes: &[u8], at: usize) -> Option<usize> {
    let mut at = at + 1;
    loop {
        at += memchr2(b'"', b'\\', bytes.get(at..)?)?;
        match bytes.get(at) {
            Some(b'"') => return Some(at + 1),
            _ => at += 2,
        }
    }
}

fn atom_len(bytes: &[u8]) -> usize {
    bytes.iter().take_while(|b| !is_blank(**b) && !matches!(b, b',' | b']' | b'}' | b'[' | b'{')).count()
}

/// The elements of an array, however damaged they are.
#[derive(Debug, Clone)]
pub struct Elements<'a> {
    bytes: &'a [u8],
    at: usize,
    end: Option<usize>,
}

impl<'a> Elements<'a> {
    /// The elements of the array whose opening bracket is at `at`.
    #[must_use]
    pub const fn new(bytes: &'a [u8], at: usize) -> Self {
        Self { bytes, at: at + 1, end: None }
    }

    /// Once all elements have been taken: the byte behind the closing bracket, if it was there.
    #[must_use]
    pub const fn end(&self) -> Option<usize> {
        self.end
    }
}

/// The end of the array element at `start`, whatever it is: before the next comma or closing bracket
/// outside of values. `None` if the input ends before that.
#[must_use]
pub fn element_end(bytes: &[u8], start: usize) -> Option<usize> {
    let mut end = start;
    loop {
        let at = skip_blanks(bytes, end);
        match bytes.get(at)? {
            b',' | b']' | b'}' => return Some(end),
            _ => end = balanced_end(bytes, at)?,
        }
    }
}

impl Iterator for Elements<'_> {
    type Item = Element;

    fn next(&mut self) -> Option<Element> {
        if self.end.is_some() {
            return None;
        }
        loop {
            self.at = skip_blanks(self.bytes, self.at);
            match self.bytes.get(self.at)? {
                b',' => self.at += 1,
                b']' | b'}' => {
                    self.end = Some(self.at + 1);
                    return None;
                }
                _ => break,
            }
        }
        let start = self.at;
        let (end, completeness) = match element_end(self.bytes, start) {
            Some(end) => (end, Completeness::Whole),
            None => (trimmed_end(self.bytes, start), Completeness::Cut),
        };
        self.at = if completeness == Completeness::Whole { end } else { self.bytes.len() };
        Some(Element { span: Span { start, end }, completeness })
    }
}

/// The end of `bytes` without trailing blanks, at least `start`.
fn trimmed_end(bytes: &[u8], start: usize) -> usize {
    let rest = bytes.get(start..).unwrap_or_default();
    start + rest.trim_ascii_end().len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check<I: Iterator<Item = Element>>(text: &str, pieces: I, expect: &[&str]) {
        let found: Vec<String> = pieces
            .map(|piece| {
                let cut = if piece.completeness == Completeness::Cut { "…" } else { "" };
                format!("{}{cut}", &text[piece.span.start..piece.span.end])
            })
            .collect();
        assert_eq!(found, expect, "{text}");
    }

    #[track_caller]
    fn check_elements(text: &str, expect: &[&str], end: Option<usize>) {
        let mut elements = Elements::new(text.as_bytes(), 0);
        check(text, elements.by_ref(), expect);
        assert_eq!(elements.end(), end, "{text}");
    }

    #[test]
    fn elements_of_sound_and_damaged_arrays() {
        check_elements("[]", &[], Some(2));
        check_elements("[1, \"a,]\\\"\" ,{\"b\":[2]}] ", &["1", "\"a,]\\\"\"", "{\"b\":[2]}"], Some(23));
        check_elements(
            "[{\"a\" 1}, {\"b\":}, nonsense here, [}]",
            &["{\"a\" 1}", "{\"b\":}", "nonsense here", "[}"],
            Some(36),
        );
        check_elements("[1,{\"a\":[2 ", &["1", "{\"a\":[2…"], None);
        check_elements("[1,\"x", &["1", "\"x…"], None);
        check_elements("[1,,2,]", &["1", "2"], Some(7));
        check_elements("[", &[], None);
    }

    #[test]
    fn depth_costs_no_stack() {
        let deep = "[".repeat(100_000) + &"]".repeat(99_999);
        assert_eq!(balanced_end(deep.as_bytes(), 0), None);
        assert_eq!(balanced_end(deep.as_bytes(), 1), Some(199_999));
    }
}
