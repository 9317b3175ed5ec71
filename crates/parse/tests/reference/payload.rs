//! The payload of a joined text: the JSON object at its end, or at the end of its first line.

use serde_json::Value;

/// A text parted into message and payload.
#[derive(Debug, Clone, PartialEq)]
pub struct Parted {
    /// What is left of the text, without blanks at its end.
    pub message: String,
    /// The object as it stands.
    pub payload: Option<String>,
    /// Whether an object is begun and not closed.
    pub unclosed: bool,
}

/// Parts the joined text of an event.
pub fn part(text: &str) -> Parted {
    let text = text.trim_end();
    if let Some((message, payload)) = at_end(text) {
        return Parted { message: message.trim_end().to_owned(), payload: Some(payload), unclosed: false };
    }
    if let Some((first, rest)) = text.split_once('\n')
        && let Some((message, payload)) = at_end(first.trim_end())
    {
        let message = format!("{}\n{rest}", message.trim_end());
        return Parted { message, payload: Some(payload), unclosed: false };
    }
    Parted { message: text.to_owned(), payload: None, unclosed: opens(text) }
}

/// The object that ends the text, and what stands before it.
fn at_end(text: &str) -> Option<(String, String)> {
    let (body, python) = match text.strip_suffix("})") {
        Some(body) => (format!("{body}}}"), true),
        None if text.ends_with('}') => (text.to_owned(), false),
        None => return None,
    };
    let opening = if python { "({" } else { "{" };
    for (at, _) in body.match_indices(opening) {
        let before = &body[..at];
        let object = &body[at + opening.len() - 1..];
        if (before.is_empty() || before.ends_with([' ', '\n'])) && is_object(object) {
            return Some((before.to_owned(), object.to_owned()));
        }
    }
    None
}

fn is_object(text: &str) -> bool {
    serde_json::from_str::<Value>(text).is_ok_and(|value| value.is_object())
}

/// Whether an object `{"…` is begun that the text does not close.
fn opens(text: &str) -> bool {
    text.match_indices("{\"").any(|(at, _)| {
        let before = text[..at].strip_suffix('(').unwrap_or(&text[..at]);
        let stands_apart = before.is_empty() || before.ends_with([' ', '\n']);
        let end = serde_json::from_str::<Value>(&text[at..]).map_err(|error| error.is_eof());
        stands_apart && end == Err(true)
    })
}
