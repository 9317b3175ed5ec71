//! Going through arrays and envelopes of objects so that each damaged piece costs only itself.

use memchr::memchr;

use super::reader::{Fault, Reader};
use super::split::{balanced_end, element_end};
use super::{Fate, Findings, skip_blanks};
use crate::issue::Code;
use crate::record::Span;

/// Takes the objects of a document one by one.
pub trait Collect<'a> {
    /// What is said about a value that is none of its objects.
    const EXPECTED: &'static str;

    /// Takes the object whose opening brace is at `at` and says where it ends. Whatever it is, it is consumed.
    fn object(&mut self, document: &'a [u8], at: usize) -> usize;

    /// Where problems go.
    fn findings(&mut self) -> &mut Findings;
}

/// What the bytes of an array end with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tail {
    /// Its bracket.
    Closed,
    /// A comma between two of its elements.
    Comma,
    /// Neither: it is cut.
    Missing,
}

/// Takes the objects of the array whose bracket is at `at`, and says where it ends.
pub fn collect_array<'a, C: Collect<'a>>(collector: &mut C, document: &'a [u8], at: usize) -> (usize, Tail) {
    collect_elements(collector, document, at + 1)
}

/// Takes the objects of an array from `at` on, where an element may begin, and says where it ends.
pub fn collect_elements<'a, C: Collect<'a>>(
    collector: &mut C,
    document: &'a [u8],
    at: usize,
) -> (usize, Tail) {
    let (mut at, mut tail) = (at, Tail::Missing);
    loop {
        at = skip_blanks(document, at);
        match document.get(at) {
            None => return (at, tail),
            Some(b',') => {
                at += 1;
                tail = Tail::Comma;
                continue;
            }
            Some(b']' | b'}') => return (at + 1, Tail::Closed),
            Some(b'{') => {
                let end = collector.object(document, at);
                at = reject_stray(collector.findings(), document, end);
            }
            Some(_) => at = reject_element::<C>(collector.findings(), document, at),
        }
        tail = Tail::Missing;
    }
}

/// What stands between an element and the comma behind it.
fn reject_stray(findings: &mut Findings, document: &[u8], at: usize) -> usize {
    let start = skip_blanks(document, at);
    if matches!(document.get(start), None | Some(b',' | b']' | b'}')) {
        return at;
    }
    let fault = Fault { at: start, expected: "`,` or `]`" };
    if document.get(start) == Some(&b'{') {
        // Only the comma is missing: the next element need not pay for it.
        findings.reject(document, Span { start, end: start }, fault);
        return start;
    }
    let end = element_end(document, start).unwrap_or(document.len());
    findings.reject(document, trimmed(document, start, end), fault);
    end
}

/// An array element that is no object.
fn reject_element<'a, C: Collect<'a>>(findings: &mut Findings, document: &[u8], at: usize) -> usize {
    let end = element_end(document, at).unwrap_or(document.len());
    let mut reader = Reader::new(document, at);
    let fault = match reader.skip() {
        Ok(span) if span.end == end => {
            findings.push(Code::UnexpectedShape, span, Fate::Rejected, C::EXPECTED);
            return end;
        }
        Ok(_) => Fault { at: reader.at(), expected: "`,` or `]`" },
        Err(fault) => fault,
    };
    findings.reject(document, trimmed(document, at, end), fault);
    end
}

/// Passes over an object of which nothing is taken, and says where it ends.
pub fn reject_object<'a, C: Collect<'a>>(findings: &mut Findings, document: &[u8], at: usize) -> usize {
    let mut reader = Reader::new(document, at);
    match reader.skip() {
        Ok(span) => {
            // An empty body says nothing and is nothing.
            if span.len() > 2 {
                findings.push(Code::UnexpectedShape, span, Fate::Rejected, C::EXPECTED);
            }
            span.end
        }
        Err(fault) => {
            let end = balanced_end(document, at).unwrap_or(document.len());
            findings.reject(document, trimmed(document, at, end), fault);
            end
        }
    }
}

/// Passes over what is neither object nor array, up to the end of its line.
pub fn reject_line(findings: &mut Findings, document: &[u8], at: usize) -> usize {
    let rest = document.get(at..).unwrap_or_default();
    let end = at + memchr(b'\n', rest).unwrap_or(rest.len());
    let fault = Fault { at, expected: "an object or an array" };
    findings.reject(document, trimmed(document, at, end), fault);
    end
}

/// The end of the envelope at `at`, one of whose values ends at `value_end`: what stands behind that
/// value is only checked for being JSON.
pub fn close_envelope(findings: &mut Findings, document: &[u8], at: usize, value_end: usize) -> usize {
    let fault = match members_end(document, value_end) {
        Ok(end) => return end,
        Err(fault) => fault,
    };
    let end = balanced_end(document, at).unwrap_or(document.len()).max(value_end);
    let span = trimmed(document, fault.at.clamp(value_end, end), end);
    // Where an element was cut off by the end of the input, that has been said already.
    let told = findings.last_end().is_some_and(|last| skip_blanks(document, last) >= document.len());
    if !(span.is_empty() && told) {
        findings.reject(document, span, fault);
    }
    end
}

/// The end of an object of which a value ends at `at`, if all of it is sound.
///
/// # Errors
///
/// Where it is not.
pub fn members_end(document: &[u8], at: usize) -> Result<usize, Fault> {
    let mut reader = Reader::new(document, at);
    while reader.eat(b',') {
        reader.string()?;
        if !reader.eat(b':') {
            return Err(Fault { at: reader.at(), expected: "`:`" });
        }
        reader.skip()?;
    }
    if reader.eat(b'}') { Ok(reader.at()) } else { Err(Fault { at: reader.at(), expected: "`,` or `}`" }) }
}

/// `start..end` without blanks at its end.
#[must_use]
pub fn trimmed(document: &[u8], start: usize, end: usize) -> Span {
    let bytes = document.get(start..end).unwrap_or_default();
    Span { start, end: start + bytes.trim_ascii_end().len() }
}

/// Whether a head is one of lines of JSON: its first value ends on its line, and another one follows below.
#[must_use]
pub fn is_lines(head: &[u8]) -> bool {
    let start = skip_blanks(head, 0);
    let rest = head.get(start..).unwrap_or_default();
    let Some(newline) = memchr(b'\n', rest) else { return false };
    // The line may be long, so what is below it is looked at first.
    if !matches!(rest.get(skip_blanks(rest, newline)), Some(b'{' | b'[')) {
        return false;
    }
    let line = rest.get(..newline).unwrap_or_default();
    balanced_end(line, 0).is_some_and(|end| skip_blanks(line, end) == line.len())
}
