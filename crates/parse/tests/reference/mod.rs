//! The rules for joining the lines of an Apify log into events, as plainly as they can be written:
//! the whole file at once, in strings, one decision after the other. Slow, and meant to be right.
//!
//! Written from the description of the format, not from the reader it is compared with.

pub mod fragments;
mod head;
mod line;
mod payload;
mod shape;

use line::Line;
use shape::Above;

/// One event.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// Line of its beginning, from 1.
    pub line: u64,
    /// Its physical lines.
    pub n_lines: u32,
    /// First stamp present; of a relayed event the innermost.
    pub ts: Option<i64>,
    /// Level.
    pub level: String,
    /// Logger.
    pub logger: String,
    /// Message.
    pub message: String,
    /// Payload.
    pub payload: Option<String>,
    /// Run id of the relayed run it belongs to, or empty.
    pub run_id: String,
    /// `lossy`, `unstamped`, `truncated`.
    pub flags: Vec<&'static str>,
}

/// Flag of an event that was printed once more; such are taken out in the end.
const COPY: &str = "copy";

/// Flag of an event behind which another run said something, if only a blank line.
const APART: &str = "apart";

/// An event that may still grow.
struct Pending {
    line: u64,
    lines: Vec<Line>,
    above: Above,
}

/// All events of a log.
pub fn events(bytes: &[u8]) -> Vec<Event> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let bytes = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    let lines: Vec<Line> = bytes.split(|byte| *byte == b'\n').map(Line::read).collect();
    let mut events: Vec<Event> = Vec::new();
    let mut pending: Option<Pending> = None;
    let mut blanks: Vec<Line> = Vec::new();
    let mut behind_end = false;
    for (index, line) in lines.iter().enumerate() {
        if line.is_blank() && !line.status {
            if pending
                .as_ref()
                .is_some_and(|open| !line.run_id.is_empty() && line.run_id != open.above.run_id)
            {
                // Another run said nothing: what comes next does not go on with this event.
                close(pending.take(), Some(line), &mut events);
                if let Some(event) = events.last_mut() {
                    event.flags.push(APART);
                }
            }
            // Whether it belongs to the event above is decided by what comes next.
            blanks.push(line.clone());
            continue;
        }
        if let Some(open) = &mut pending {
            if !line.stamped && (behind_end || open.above.is_end()) {
                behind_end = true;
                continue;
            }
            let below = lines.get(index + 1).map_or("", |line| line.text.as_str());
            if !behind_end && open.above.takes(line, below) {
                for line in blanks.drain(..).chain([line.clone()]) {
                    open.above.add(&line);
                    open.lines.push(line);
                }
                continue;
            }
        }
        blanks.clear();
        behind_end = false;
        close(pending.take(), Some(line), &mut events);
        pending =
            Some(Pending { line: index as u64 + 1, lines: vec![line.clone()], above: Above::new(line) });
    }
    close(pending, None, &mut events);
    events.retain(|event| !event.flags.contains(&COPY));
    for event in &mut events {
        event.flags.retain(|flag| *flag != APART);
    }
    events
}

/// Finishes an event, and flags it where it is a copy of the one before. `next` is the line below it.
fn close(pending: Option<Pending>, next: Option<&Line>, events: &mut Vec<Event>) {
    let Some(Pending { line, lines, above }) = pending else { return };
    let first = lines.first();
    let mut text = above.head.message.clone();
    for line in lines.iter().skip(1) {
        text.push('\n');
        text.push_str(&line.text);
    }
    let whole = first.map_or("", |line| line.text.trim_end());
    let parted = match (above.head.json, above.is_platform() || first.is_some_and(|line| line.status)) {
        (true, _) => payload::Parted { message: text, payload: Some(whole.to_owned()), unclosed: false },
        (false, true) => {
            payload::Parted { message: text.trim_end().to_owned(), payload: None, unclosed: false }
        }
        (false, false) => payload::part(&text),
    };
    let own_stamp = first.and_then(|line| line.ts).or(above.head.stamp);
    let ts = own_stamp.or_else(|| lines.iter().find_map(|line| line.ts));
    let is_head = line == 1 && !above.stamped && next.is_some_and(|line| line.stamped);
    let flags = [
        ("lossy", lines.iter().any(|line| line.lossy)),
        (
            "unstamped",
            is_head || (above.stamped && lines.iter().any(|line| !line.stamped && !line.is_blank())),
        ),
        ("truncated", parted.unclosed),
    ];
    let event = Event {
        line,
        n_lines: u32::try_from(lines.len()).unwrap_or(u32::MAX),
        ts,
        level: above.head.level.to_owned(),
        logger: above.head.logger,
        message: parted.message,
        payload: parted.payload,
        run_id: above.run_id,
        flags: flags.iter().filter(|(_, set)| *set).map(|(name, _)| *name).collect(),
    };
    let is_copy = events.last().is_some_and(|before| is_copy(&event, before));
    events.push(event);
    if is_copy && let Some(copy) = events.last_mut() {
        copy.flags.push(COPY);
    }
}

/// A doubly configured logger prints each record twice, the copy with its text as the extra `message`.
/// What comes behind such a pair is no further copy.
fn is_copy(event: &Event, before: &Event) -> bool {
    let extra =
        event.payload.as_deref().and_then(|text| serde_json::from_str::<serde_json::Value>(text).ok());
    let said = extra.as_ref().and_then(|extra| extra.get("message")).and_then(serde_json::Value::as_str);
    said == Some(event.message.as_str())
        && !before.flags.iter().any(|flag| [COPY, APART].contains(flag))
        && (&event.logger, &event.level, &event.message, &event.run_id)
            == (&before.logger, &before.level, &before.message, &before.run_id)
}
