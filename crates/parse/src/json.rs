//! Reading JSON that cannot be trusted: cut, damaged, 100,000 levels deep.
//!
//! Nothing here recurses, and nothing here knows a platform.
//!
//! * [`Reader`] reads strictly and fast, and says where it stopped;
//! * [`Layout`] says whether documents or lines are to be read;
//! * [`Tokens`] looks into a head that may be cut anywhere;
//! * [`Elements`] splits arrays by brackets alone, so that a damaged
//!   element costs only itself;
//! * [`Collect`] goes through arrays and envelopes of objects;
//! * [`Guesses`] says where a large array may be divided;
//! * [`Findings`] keeps problems until they can be reported in order;
//! * [`Newlines`] counts lines, of which each belongs to the first element on it;
//! * [`Ledger`] gives every element its bytes and lines, and structure the rest.
//!
//! Keys are compared as they stand: no encoder escapes the letters of a key.

mod collect;
mod findings;
mod layout;
mod ledger;
mod nesting;
mod newlines;
mod reader;
mod scalar;
mod seams;
mod split;
mod tokens;

pub use collect::{
    Collect, Tail, close_envelope, collect_array, collect_elements, is_lines, members_end, reject_line,
    reject_object, trimmed,
};
pub use findings::{Fate, Findings};
pub use layout::{Layout, lines};
pub use ledger::{Claim, Ledger};
pub use newlines::{Newlines, Place as LinePlace};
pub use reader::{Fault, Members, Reader, Visit, member};
pub use scalar::{Instant, instant, is_truthy, text, whole_number};
pub use seams::{GLANCE_BYTES, Guess, Guesses, glance};
pub use split::{Completeness, Element, Elements, balanced_end, element_end};
pub use tokens::{Token, Tokens, ValueKind};

/// Where `part`, which was borrowed from `document`, starts in it; `None` if it was not.
#[must_use]
pub fn offset_of(document: &[u8], part: &[u8]) -> Option<usize> {
    let offset = part.as_ptr().addr().checked_sub(document.as_ptr().addr())?;
    (offset.checked_add(part.len())? <= document.len()).then_some(offset)
}

/// First byte at or after `at` that is no JSON blank.
#[must_use]
pub fn skip_blanks(bytes: &[u8], at: usize) -> usize {
    let rest = bytes.get(at..).unwrap_or_default();
    at + rest.iter().take_while(|byte| is_blank(**byte)).count()
}

/// Whether the byte is one of JSON's four blanks.
#[must_use]
pub const fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\n' | b'\r' | b'\t')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_of_borrowed_parts() {
        let document = br#"{"a":"bcd"}"#;
        assert_eq!(offset_of(document, &document[6..9]), Some(6));
        assert_eq!(offset_of(document, &document[11..]), Some(11));
        assert_eq!(offset_of(&document[..8], &document[6..9]), None);
        assert_eq!(offset_of(&document[3..], &document[1..2]), None);
    }
}
