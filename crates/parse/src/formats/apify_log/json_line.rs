//! Lines of the logger's JSON format (`APIFY_LOG_FORMAT=JSON`).
//!
//! ```text
//! line := {"time":…,"level":"INFO","msg":"Prefix: message", …data, "exception":{…}}
//! ```
//! Time and level may be absent. The whole object is the payload, its `msg` the message.

use memchr::memchr;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::event::Style;
use super::levels::{Anchor, level_word, prefix_of_message};
use super::line::{head_len, trim_end};
use crate::json::offset_of;
use crate::record::Span;
use crate::text::{Codec, Text, unescape};
use crate::time::{Micros, rfc3339};
use crate::vocabulary::Level;

#[derive(Deserialize)]
struct Fields<'a> {
    #[serde(borrow)]
    time: Option<&'a RawValue>,
    #[serde(borrow)]
    level: Option<&'a RawValue>,
    #[serde(borrow)]
    msg: &'a RawValue,
}

/// The head of such a line and where its `msg` ends, if `text` is one.
pub(super) fn read(text: &[u8]) -> Option<(Anchor, Span)> {
    const HEADS: [&[u8]; 3] = [b"{\"time\":", b"{\"level\":", b"{\"msg\":"];
    if !HEADS.iter().any(|head| text.starts_with(head)) {
        return None;
    }
    let fields: Fields<'_> = serde_json::from_slice(text).ok()?;
    let msg = inside(fields.msg)?.as_bytes();
    let start = offset_of(text, msg)?;
    let prefix = prefix_of_message(msg);
    let level = fields.level.and_then(inside).map_or(Level::None, |word| level_word(word.as_bytes()));
    let ts: Option<Micros> = fields.time.and_then(inside).and_then(rfc3339);
    let logger = Span { start: start + prefix.logger.start, end: start + prefix.logger.end };
    let message = start + prefix.message;
    Some((
        Anchor { style: Style::Json, level, logger, message, ts },
        Span { start: message, end: start + msg.len() },
    ))
}

/// The message of such a line, and the lines below it.
pub(super) fn joined(raw: &[u8], out: &mut String) {
    let (first, rest) = raw.split_at(memchr(b'\n', raw).unwrap_or(raw.len()));
    let message = read(trim_end(first)).and_then(|(_, msg)| first.get(msg.start..msg.end)).unwrap_or(first);
    out.push_str(&unescape(message));
    Text { raw: rest, codec: Codec::Lines(head_len) }.decode_into(out);
}

/// The inside of a JSON string.
fn inside(value: &RawValue) -> Option<&str> {
    value.get().strip_prefix('"')?.strip_suffix('"')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expect: Option<(Level, &str, &str, Option<Micros>)>) {
        let found = read(text.as_bytes()).map(|(anchor, msg)| {
            let Anchor { level, logger, ts, .. } = anchor;
            (
                level,
                text.get(logger.start..logger.end).unwrap_or("?"),
                text.get(msg.start..msg.end).unwrap_or("?"),
                ts,
            )
        });
        assert_eq!(found, expect, "{text}");
    }

    #[test]
    fn lines() {
        check(r#"{"level":"INFO","msg":"A:B: x","n":1}"#, Some((Level::Info, "A:B", "x", None)));
        check(
            r#"{"time":"1970-01-01T00:00:02.000Z","level":"SOFT_FAIL","msg":"x \"y\""}"#,
            Some((Level::SoftFail, "", r#"x \"y\""#, Some(2_000_000))),
        );
        check(r#"{"time":1,"msg":"x"}"#, Some((Level::None, "", "x", None)));
        check(r#"{"msg":"x"}"#, Some((Level::None, "", "x", None)));
        check(r#"{"level":"INFO"}"#, None);
        check(r#"{"level":"INFO","msg":1}"#, None);
        check(r#"{"level":"INFO","msg":"x""#, None);
        check(r#"{"id":1,"level":"INFO","msg":"x"}"#, None);
    }
}
