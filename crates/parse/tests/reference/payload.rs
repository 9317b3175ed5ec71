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
    if begins_and_goes_on(text) {
        return Parted { message: text.to_owned(), payload: None, unclosed: true };
    }
    // What a further line began and did not close does not matter to the last one.
    let last = text.rfind('\n').map_or(0, |newline| newline + 1);
    if let Some((message, payload)) = at_end(&text[last..]) {
        let message = format!("{}{message}", &text[..last]).trim_end().to_owned();
        return Parted { message, payload: Some(payload), unclosed: false };
    }
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

/// The object that ends the text, and what stands before it. One that stands inside of another that is
/// not closed is none.
fn at_end(text: &str) -> Option<(String, String)> {
    for (at, _) in text.match_indices('{') {
        let (before, rest) = text.split_at(at);
        if !stands_apart(before) || !rest[1..].starts_with(['"', '}']) {
            continue;
        }
        let grouped = before.strip_suffix('(');
        let object = if grouped.is_some() { rest.strip_suffix(')').unwrap_or("") } else { rest };
        if is_object(object) {
            return Some((grouped.unwrap_or(before).to_owned(), object.to_owned()));
        }
        if is_open(rest) {
            return None;
        }
    }
    None
}

/// Whether the first line begins an object that all further lines go on with, and none closes.
fn begins_and_goes_on(text: &str) -> bool {
    let first = text.lines().next().unwrap_or_default();
    let begun = first
        .match_indices("{\"")
        .map(|(at, _)| at)
        .find(|at| stands_apart(&first[..*at]) && is_open(&first[*at..]));
    begun.is_some_and(|at| is_open(&text[at..]))
}

/// Whether an object may begin behind this text: a blank, a line's start, or a parenthesis behind those.
fn stands_apart(before: &str) -> bool {
    let before = before.strip_suffix('(').unwrap_or(before);
    before.is_empty() || before.ends_with([' ', '\t', '\n'])
}

fn is_object(text: &str) -> bool {
    serde_json::from_str::<Value>(text).is_ok_and(|value| value.is_object())
}

fn is_open(text: &str) -> bool {
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<Value>();
    matches!(values.next(), Some(Err(error)) if error.is_eof())
}

/// Whether an object is begun that its line does not close, or a group of Python's: on the first line or the
/// last.
fn opens(text: &str) -> bool {
    text.lines().take(1).chain(text.lines().last()).any(|line| {
        line.match_indices("{\"").any(|(at, _)| {
            let (before, rest) = line.split_at(at);
            stands_apart(before) && (is_open(rest) || (before.ends_with('(') && is_object(rest)))
        })
    })
}
