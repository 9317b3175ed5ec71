//! One physical line: its stamps, the relays it came through, and its text.

use chrono::{DateTime, NaiveDateTime};
use logmill_parse::text::strip_ansi;

/// A physical line without newline, carriage return at its end and ANSI sequences.
#[derive(Debug, Clone)]
pub struct Line {
    /// Whether a stamp stands in front, or a relay wrote the line.
    pub stamped: bool,
    /// The instant that counts: the innermost stamp, else the one in front.
    pub ts: Option<i64>,
    /// Run id of the innermost relayed run, or empty.
    pub run_id: String,
    /// Whether it is a relayed status line.
    pub status: bool,
    /// What stands behind all stamps and prefixes.
    pub text: String,
    /// Whether decoding replaced something.
    pub lossy: bool,
}

impl Line {
    /// Reads a line without its newline.
    pub fn read(bytes: &[u8]) -> Self {
        let decoded = String::from_utf8_lossy(bytes);
        let lossy = std::str::from_utf8(bytes).is_err();
        let without_return = decoded.strip_suffix('\r').unwrap_or(&decoded).to_owned();
        let whole = strip_ansi(without_return.into()).into_owned();
        let (stamp, rest) = take_stamp(&whole);
        let mut line = Self {
            stamped: stamp != Stamp::Missing,
            ts: stamp.ts(),
            run_id: String::new(),
            status: false,
            text: rest,
            lossy,
        };
        while let Some((run_id, inside)) = take_relay(&line.text) {
            let (stamp, rest) = take_stamp(&inside);
            line.stamped = true;
            line.run_id = run_id;
            line.status = stamp == Stamp::Missing && rest.starts_with("Status: ");
            line.ts = stamp.ts();
            line.text = rest;
        }
        line
    }

    /// Whether nothing but white space stands behind the stamps.
    pub fn is_blank(&self) -> bool {
        self.text.trim().is_empty()
    }
}

/// What stands where a line's stamp belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stamp {
    /// Nothing.
    Missing,
    /// The word documentation puts there, or the time of day that is left of it in some pastes.
    Placeholder,
    /// A stamp.
    At(i64),
}

impl Stamp {
    fn ts(self) -> Option<i64> {
        match self {
            Self::At(ts) => Some(ts),
            Self::Missing | Self::Placeholder => None,
        }
    }
}

/// A leading platform stamp (or a documentation's placeholder for one) and the text behind it and its blank.
fn take_stamp(text: &str) -> (Stamp, String) {
    let placeholder = text.strip_prefix("(timestamp)").or_else(|| clock(text));
    let (stamp, rest) = match (placeholder, platform_stamp(text)) {
        (Some(rest), _) => (Stamp::Placeholder, rest),
        (None, Some((ts, rest))) => (Stamp::At(ts), rest),
        (None, None) => return (Stamp::Missing, text.to_owned()),
    };
    match rest.strip_prefix(' ') {
        Some(rest) => (stamp, rest.to_owned()),
        None if rest.is_empty() => (stamp, String::new()),
        None => (Stamp::Missing, text.to_owned()),
    }
}

/// What stands behind `HH:MM:SS[.mmm]`.
fn clock(text: &str) -> Option<&str> {
    let time = text.get(..8)?;
    chrono::NaiveTime::parse_from_str(time, "%H:%M:%S")
        .ok()
        .filter(|_| !time.contains([' ', '+', '-']) && !time.ends_with("60"))?;
    let rest = text.get(8..)?;
    match rest.strip_prefix('.') {
        Some(fraction) => {
            let digits = fraction.bytes().take_while(u8::is_ascii_digit).count();
            (1..=6).contains(&digits).then(|| fraction.get(digits..))?
        }
        None => Some(rest),
    }
}

/// `YYYY-MM-DDTHH:MM:SS.mmmZ`: 24 characters, always UTC.
fn platform_stamp(text: &str) -> Option<(i64, &str)> {
    let stamp = text.get(..24)?;
    let shape: String = stamp.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
    if shape != "0000-00-00T00:00:00.000Z" || stamp.get(17..19) == Some("60") {
        return None;
    }
    let instant = DateTime::parse_from_rfc3339(stamp).ok()?;
    Some((instant.timestamp_micros(), text.get(24..)?))
}

/// A logger's own stamp, `YYYY-MM-DD HH:MM:SS[.mmm|,mmm] `, and what stands behind it.
pub fn logger_stamp(text: &str) -> Option<(i64, &str)> {
    for (len, pattern) in
        [(23, "%Y-%m-%d %H:%M:%S%.3f"), (23, "%Y-%m-%d %H:%M:%S,%3f"), (19, "%Y-%m-%d %H:%M:%S")]
    {
        if let (Some(stamp), Some(rest)) = (text.get(..len), text.get(len..))
            && let Ok(instant) = NaiveDateTime::parse_from_str(stamp, pattern)
            && let Some(rest) = rest.strip_prefix(' ')
        {
            return Some((instant.and_utc().timestamp_micros(), rest));
        }
    }
    None
}

/// `[<name> runId:<id>] -> ` and what stands behind it.
fn take_relay(text: &str) -> Option<(String, String)> {
    let (head, rest) = text.strip_prefix('[')?.split_once("] -> ").or_else(|| {
        // Editors eat the blank behind the arrow of an empty line.
        text.strip_prefix('[')?.strip_suffix("] ->").map(|head| (head, ""))
    })?;
    let (name, run_id) = head.split_once(" runId:")?;
    let plain = |word: &str| !word.is_empty() && !word.contains([' ', '[', ']']);
    (plain(name) && plain(run_id)).then(|| (run_id.to_owned(), rest.to_owned()))
}
