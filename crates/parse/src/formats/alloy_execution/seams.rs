//! Guessing where a large page may be divided: between two executions.

use super::read::{Outline, outline};
use super::{are_lines, head};
use crate::format::{Depth, Seam};
use crate::json::{GLANCE_BYTES, Guess, Guesses, Reader, glance, skip_blanks};

/// Places before executions of the first array of `document`, about every `bytes`.
pub fn guess(document: &[u8], bytes: usize) -> Vec<Seam> {
    let Some((depth, first)) = first_execution(document) else { return Vec::new() };
    let Some(guesses) = Guesses::like(document, first) else { return Vec::new() };
    let is_right = |guess: &Guess| is_execution(document, guess.element);
    guesses.seams(bytes, depth, |guesses| guesses.iter().copied().find(is_right))
}

/// How deep the executions of a document stand that is one array of them, and where the first begins.
fn first_execution(document: &[u8]) -> Option<(Depth, usize)> {
    if are_lines(head(document)) {
        return None;
    }
    let start = skip_blanks(document, 0);
    let (depth, array) = match document.get(start)? {
        b'[' => (Depth::Array, start),
        b'{' => match outline(glance(document, start, GLANCE_BYTES), start) {
            Outline::Page(data) => (Depth::Member, data),
            _ => return None,
        },
        _ => return None,
    };
    let first = skip_blanks(document, array + 1);
    (document.get(array) == Some(&b'[')).then_some((depth, first))
}

/// Whether the object at `at` has a member that only executions have.
fn is_execution(document: &[u8], at: usize) -> bool {
    let mut reader = Reader::new(glance(document, at, GLANCE_BYTES), at);
    let Ok(mut members) = reader.object() else { return false };
    while let Ok(Some(key)) = members.key(&mut reader) {
        if matches!(key, b"executionId" | b"results") {
            return true;
        }
        if reader.skip().is_err() {
            return false;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::LineState;

    fn places(document: &str, bytes: usize) -> Vec<(usize, Depth, LineState)> {
        let place = |seam: Seam| (seam.at, seam.carry.depth, seam.carry.line);
        guess(document.as_bytes(), bytes).into_iter().map(place).collect()
    }

    #[test]
    fn a_page_is_divided_between_executions() {
        let execution = r#"{"startedAt":1,"results":[{"startedAt":1},{"startedAt":1}]}"#;
        let array = format!("[{execution},{execution},{execution}]");
        let second = 1 + execution.len() + 1;
        let third = second + execution.len() + 1;
        let inner = (second, Depth::Array, LineState::Counted);
        // Results begin as executions do, but have no results.
        assert_eq!(places(&array, 10), [inner, (third, Depth::Array, LineState::Counted)]);
        assert_eq!(places(&array, third), [(third, Depth::Array, LineState::Counted)]);
        assert_eq!(places(&array, array.len()), []);
        let page = format!("{{\"next\":null,\"data\":[\n{execution},\n{execution}\n]}}");
        let second = page.rfind("{\"startedAt\":1,\"results\"").expect("an execution");
        assert_eq!(places(&page, 30), [(second, Depth::Member, LineState::Start)]);
    }

    #[test]
    fn other_documents_are_read_as_one() {
        let lines = "{\"executionId\":\"a\",\"results\":[]}\n{\"executionId\":\"b\",\"results\":[]}\n";
        for document in [lines, "[1,2,3]", "", "[", "{}", r#"{"data":{"executionId":"a"}}"#, "[[[[[["] {
            assert_eq!(places(document, 4), [], "{document}");
        }
    }
}
