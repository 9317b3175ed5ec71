//! The fast readers of small things against slow ones that cannot be wrong in the same way.

use std::borrow::Cow;

use chrono::{DateTime, Datelike, Timelike, Utc};
use logmill_parse::encoding::{ByteOrder, Transcoder};
use logmill_parse::text::{escape_len, strip_ansi, unescape};
use logmill_parse::time::StampReader;

/// Stamps, one per line, by one reader, since it remembers the day before. What it takes, chrono takes
/// for the same instant; of what chrono takes it declines leap seconds and years before 1970 only.
pub fn stamps(bytes: &[u8]) {
    let mut reader = StampReader::new();
    for line in bytes.split(|byte| *byte == b'\n') {
        let fast = reader.read(line);
        if let Some(stamp) = fast {
            let text = line.get(..stamp.len).and_then(|text| std::str::from_utf8(text).ok());
            let slow = text.and_then(|text| DateTime::parse_from_rfc3339(text).ok());
            let slow = slow.expect("chrono takes it as well").timestamp_micros();
            assert_eq!(stamp.ts, slow, "{text:?}");
        } else if let Some(slow) = slow_stamp(line) {
            let is_left_out = slow.year() < 1970 || slow.nanosecond() >= 1_000_000_000;
            assert!(is_left_out, "{} is declined", line.escape_ascii());
        }
    }
}

/// The stamp in the one shape that the fast reader is for, up to the first `Z`.
fn slow_stamp(line: &[u8]) -> Option<DateTime<Utc>> {
    let end = line.iter().position(|byte| *byte == b'Z')? + 1;
    let text = std::str::from_utf8(line.get(..end)?).ok()?;
    let is_shape =
        text.len() <= 30 && text.as_bytes().get(10) == Some(&b'T') && !text.starts_with(['+', '-']);
    let digits = text
        .get(20..)
        .is_none_or(|fraction| fraction.trim_end_matches('Z').bytes().all(|b| b.is_ascii_digit()));
    // Second 60 of any minute is a leap second to chrono, which may come out as the next one.
    let is_leap = text.get(17..19) == Some("60");
    let parsed = DateTime::parse_from_rfc3339(text).ok()?.with_timezone(&Utc);
    (is_shape && digits && !is_leap).then_some(parsed)
}

/// The inside of a JSON string: where `serde_json` finds a string, the same one.
pub fn escapes(bytes: &[u8]) {
    let ours = unescape(bytes);
    let quoted = [b"\"", bytes, b"\""].concat();
    if let Ok(theirs) = serde_json::from_slice::<String>(&quoted) {
        assert_eq!(ours, theirs);
    }
}

/// What is left without escape sequences is what is left when every one is cut out on its own.
pub fn ansi(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let mut kept = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((first, behind)) = rest.split_first() {
        if *first == 0x1b {
            let len = escape_len(rest);
            assert!((1..=rest.len()).contains(&len), "an escape sequence ends inside the text");
            rest = rest.get(len..).unwrap_or_default();
        } else {
            kept.push(*first);
            rest = behind;
        }
    }
    let slow = String::from_utf8(kept).expect("whole characters are left");
    assert_eq!(strip_ansi(Cow::Borrowed(&text)), slow);
}

/// UTF-16 in chunks of any size, either byte order, against the standard library's reader of all of it.
pub fn utf16(bytes: &[u8]) {
    let (choice, input) = super::choice(bytes);
    let (order, unit): (ByteOrder, fn([u8; 2]) -> u16) = match choice % 2 {
        0 => (ByteOrder::Little, u16::from_le_bytes),
        _ => (ByteOrder::Big, u16::from_be_bytes),
    };
    let mut transcoder = Transcoder::new(order);
    let mut ours = Vec::new();
    for chunk in input.chunks(1 + choice / 2) {
        transcoder.push(chunk, &mut ours);
    }
    transcoder.finish(&mut ours);
    let (pairs, odd) = input.as_chunks::<2>();
    let units: Vec<u16> = pairs.iter().copied().map(unit).collect();
    let mut theirs = String::from_utf16_lossy(&units);
    if !odd.is_empty() {
        theirs.push(char::REPLACEMENT_CHARACTER);
    }
    assert_eq!(String::from_utf8(ours).expect("UTF-8 comes out"), theirs);
}
