//! One physical line: its stamps, the relays it came through, and where its text starts.
//!
//! ```text
//! line   := [ stamp " " ] { relay } text
//! stamp  := YYYY-MM-DD"T"HH:MM:SS["."d{1,9}]"Z" | HH:MM:SS["."d{1,6}] | "(timestamp)"
//! relay  := "[" name " runId:" id "] -> " [ stamp " " ]
//! ```
//! The last two stamps are what pastes and documentation make of the first: they tell that a line
//! has been stamped, but no instant. ANSI sequences may stand before each part.

use memchr::{memchr, memmem};

use crate::record::Stream;
use crate::text::leading_ansi_len;
use crate::time::{Micros, StampReader, is_usual_stamp, time_of_day};

/// Relays that are looked through; text behind deeper ones is text.
const MAX_RELAYS: usize = 16;
/// Length of a relay's `[name runId:id]` that is looked at.
const MAX_RELAY_BYTES: usize = 512;

const ESC: u8 = 0x1b;

/// One physical line without its newline.
#[derive(Debug, Clone, Copy)]
pub(super) struct Line<'a> {
    /// The line, without `\r` and blanks at its end.
    pub bytes: &'a [u8],
    /// Where its text starts.
    pub text_at: usize,
    /// Innermost stamp.
    pub ts: Option<Micros>,
    /// Time of day, where the stamp states nothing more.
    pub clock: Option<Micros>,
    /// Whether any stamp or relay shows that the platform wrote it.
    pub stamping: Stamping,
    /// The innermost run it is relayed from.
    pub relay: Option<Stream<'a>>,
}

/// Whether a line has been stamped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stamping {
    /// It has a stamp, or a relay wrote it.
    Stamped,
    /// It has none.
    Unstamped,
}

impl<'a> Line<'a> {
    /// Reads the heads of a line given without its newline.
    #[inline]
    pub(super) fn read(line: &'a [u8], stamps: &mut StampReader) -> Self {
        let bytes = trim_end(line);
        // Nearly every line: a stamp of the common length, a blank, and text that is no relay.
        if let Some((head, text)) = bytes.split_at_checked(25)
            && head.ends_with(b"Z ")
            && (!matches!(text.first(), None | Some(&(b'[' | ESC))) || is_bracketed_logger(text))
            && let Some(ts) = stamps.read_common(head)
        {
            let stamped = Head { text_at: 25, ts: Some(ts), ..Head::STAMPED };
            return stamped.of(bytes);
        }
        Self::read_any(bytes, stamps)
    }

    #[inline(never)]
    fn read_any(bytes: &'a [u8], stamps: &mut StampReader) -> Self {
        let mut head = match stamps.read(bytes) {
            Some(stamp) => match behind(bytes, stamp.len) {
                Some(text_at) => Head { text_at, ts: Some(stamp.ts), ..Head::STAMPED },
                None => Head::NONE,
            },
            None => unusual(bytes, stamps),
        };
        if matches!(bytes.get(head.text_at), Some(&(b'[' | ESC))) {
            head.relays(bytes, stamps);
        }
        head.of(bytes)
    }

    /// The text behind all heads.
    #[inline]
    pub(super) fn text(&self) -> &'a [u8] {
        self.bytes.get(self.text_at..).unwrap_or_default()
    }

    /// Run id of the innermost relay, empty where there is none.
    pub(super) fn run_id(&self) -> &'a [u8] {
        self.relay.map_or(b"", |relay| relay.run_id)
    }
}

/// Whether `text` begins with a name in brackets and a level, and so with no relay.
#[inline]
fn is_bracketed_logger(text: &[u8]) -> bool {
    let close = memchr(b']', text.get(..MAX_RELAY_BYTES).unwrap_or(text));
    let behind = close.and_then(|close| text.get(close + 1..));
    text.first() == Some(&b'[') && matches!(behind, Some([b' ', b'A'..=b'Z', ..]))
}

/// How many bytes of a physical line, given without its newline, stand before its text: all of a blank line.
pub(super) fn head_len(line: &[u8]) -> usize {
    // Nearly every line; every line of an event comes here anew, with no day to remember.
    let bytes = trim_end(line);
    if let Some(&[b' ', first]) = bytes.get(24..26).and_then(<[u8]>::first_chunk::<2>)
        && !matches!(first, b'[' | ESC)
        && is_usual_stamp(bytes)
    {
        return 25;
    }
    let read = Line::read(line, &mut StampReader::new());
    if read.text().is_empty() { line.len() } else { read.text_at }
}

/// `bytes` without blanks, tabs and carriage returns at the end.
#[inline]
pub(super) fn trim_end(bytes: &[u8]) -> &[u8] {
    let mut rest = bytes;
    while let [before @ .., b' ' | b'\t' | b'\r'] = rest {
        rest = before;
    }
    rest
}

/// Where the text begins behind a stamp that ends at `at`: one blank on, or at the end of the line.
fn behind(bytes: &[u8], at: usize) -> Option<usize> {
    match bytes.get(at) {
        Some(b' ') => Some(at + 1),
        None => Some(at),
        Some(_) => None,
    }
}

struct Head<'a> {
    text_at: usize,
    ts: Option<Micros>,
    clock: Option<Micros>,
    stamping: Stamping,
    relay: Option<Stream<'a>>,
}

impl<'a> Head<'a> {
    const NONE: Head<'static> =
        Head { text_at: 0, ts: None, clock: None, stamping: Stamping::Unstamped, relay: None };
    const STAMPED: Head<'static> = Head { stamping: Stamping::Stamped, ..Head::NONE };

    #[inline]
    fn of(self, bytes: &'a [u8]) -> Line<'a> {
        let Head { text_at, ts, clock, stamping, relay } = self;
        Line { bytes, text_at, ts, clock, stamping, relay }
    }

    /// Takes off relay prefixes with the stamps behind them. A stamp counts only for the innermost
    /// relay: the outer ones lag behind, and a status line has none of its own.
    fn relays(&mut self, bytes: &'a [u8], stamps: &mut StampReader) {
        for _ in 0..MAX_RELAYS {
            let at = skip_ansi(bytes, self.text_at);
            let Some((relay, len)) = relay(bytes.get(at..).unwrap_or_default()) else { return };
            let inner = skip_ansi(bytes, at + len);
            let rest = bytes.get(inner..).unwrap_or_default();
            let stamp = stamps.read(rest).and_then(|stamp| Some((stamp.ts, behind(rest, stamp.len)?)));
            self.relay = Some(relay);
            self.stamping = Stamping::Stamped;
            (self.ts, self.clock) = (stamp.map(|(ts, _)| ts), None);
            self.text_at = inner + stamp.map_or(0, |(_, text_at)| text_at);
        }
    }
}

/// `"[" name " runId:" id "] -> "` at the start of `bytes`, and its length. A line that was trimmed
/// may end at the arrow.
fn relay(bytes: &[u8]) -> Option<(Stream<'_>, usize)> {
    let inside = bytes.strip_prefix(b"[")?;
    let close = memchr(b']', inside.get(..MAX_RELAY_BYTES).unwrap_or(inside))?;
    let arrow = inside.get(close + 1..)?.strip_prefix(b" ->")?;
    let inside = inside.get(..close)?;
    let key = memmem::rfind(inside, b" runId:")?;
    let run_id =
        inside.get(key + 7..).filter(|id| !id.is_empty() && id.iter().all(u8::is_ascii_alphanumeric))?;
    let name = inside.get(..key)?;
    let name = name.strip_prefix(b"apify.").unwrap_or(name);
    let blank = match arrow.first() {
        Some(b' ') => 1,
        None | Some(&ESC) => 0,
        Some(_) => return None,
    };
    Some((Stream { name, run_id }, close + 2 + 3 + blank))
}

/// Stamps that are no instants, and stamps behind a colour.
fn unusual<'a>(bytes: &[u8], stamps: &mut StampReader) -> Head<'a> {
    let stamped = |ts, text_at| Head { text_at, ts, ..Head::STAMPED };
    match bytes.first() {
        Some(b'0'..=b'9') => time_of_day(bytes).and_then(|stamp| {
            let text_at = behind(bytes, stamp.len)?;
            Some(Head { text_at, clock: Some(stamp.ts), ..Head::STAMPED })
        }),
        Some(b'(') => bytes
            .starts_with(b"(timestamp)")
            .then(|| behind(bytes, b"(timestamp)".len()))
            .flatten()
            .map(|at| stamped(None, at)),
        Some(&ESC) => {
            let at = leading_ansi_len(bytes);
            let rest = bytes.get(at..).unwrap_or_default();
            stamps.read(rest).and_then(|stamp| Some(stamped(Some(stamp.ts), at + behind(rest, stamp.len)?)))
        }
        _ => None,
    }
    .unwrap_or(Head::NONE)
}

/// First byte at or after `at` that is no ANSI sequence.
fn skip_ansi(bytes: &[u8], at: usize) -> usize {
    if bytes.get(at) == Some(&ESC) { at + leading_ansi_len(bytes.get(at..).unwrap_or_default()) } else { at }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Stamp in milliseconds of 2025-07-14, run id and text of a line.
    #[track_caller]
    fn check(line: &str, ts: Option<i64>, run_id: &str, text: &str) {
        let found = Line::read(line.as_bytes(), &mut StampReader::new());
        let ms = found.ts.map(|ts| ts / 1000 - 1_752_451_200_000);
        assert_eq!(ms, ts, "{line}");
        assert_eq!(String::from_utf8_lossy(found.run_id()), run_id, "{line}");
        assert_eq!(String::from_utf8_lossy(found.text()), text, "{line}");
    }

    #[test]
    fn stamps() {
        check("2025-07-14T00:00:01.002Z  at x", Some(1002), "", " at x");
        check("2025-07-14T00:00:01.002Z", Some(1002), "", "");
        check("2025-07-14T00:00:01.002Z \r", Some(1002), "", "");
        check("2025-07-14T00:00:01.0021Z INFO", Some(1002), "", "INFO");
        check("2025-07-14T00:00:01.002Z\tx", None, "", "2025-07-14T00:00:01.002Z\tx");
        check("\x1b[0m2025-07-14T00:00:01.002Z x", Some(1002), "", "x");
        check("13:34:36.399 ACTOR: x", None, "", "ACTOR: x");
        check("23:59:59 x", None, "", "x");
        check("24:00:00 x", None, "", "24:00:00 x");
        check("(timestamp) ACTOR: x", None, "", "ACTOR: x");
        check("2025-07-14 00:00:01.002 x", None, "", "2025-07-14 00:00:01.002 x");
    }

    #[test]
    fn relays() {
        let (outer, inner) = ("2025-07-14T00:00:09.000Z", "2025-07-14T00:00:03.000Z");
        check(&format!("{outer} [apify.a runId:A1] -> {inner} hi"), Some(3000), "A1", "hi");
        check(&format!("[apify.a runId:A1] -> {inner} hi"), Some(3000), "A1", "hi");
        check(
            &format!("{outer} [apify.a runId:A1] -> Status: RUNNING, Message: "),
            None,
            "A1",
            "Status: RUNNING, Message:",
        );
        let nested =
            format!("{outer} [apify.a runId:A1] -> {inner} [apify.b runId:B2] -> 2025-07-14T00:00:02.000Z x");
        check(&nested, Some(2000), "B2", "x");
        check(&format!("{outer} \x1b[36m[apify.a runId:A1] -> \x1b[39m{inner} hi"), Some(3000), "A1", "hi");
        check(&format!("{outer} [apify.a runId:A1] -> {inner}"), Some(3000), "A1", "");
        check(&format!("{outer} [apify] INFO  x -> y"), Some(9000), "", "[apify] INFO  x -> y");
        check(&format!("{outer} [apify.a runId:] -> x"), Some(9000), "", "[apify.a runId:] -> x");
    }

    #[test]
    fn relays_are_bounded() {
        let line = "[a runId:A] -> ".repeat(17) + "x";
        check(&line, None, "A", "[a runId:A] -> x");
    }
}
