//! Whether an input is an Apify log.
//!
//! A platform log is told by its stamps together with what only Apify's loggers write; a local log by
//! several of its loggers' lines. Stamps alone are weak evidence, and lines of other platforms with the
//! same stamps, JSON documents, web pages and prose are none.

use std::sync::LazyLock;

use memchr::memmem::{self, Finder};
use memchr::{memchr, memchr3};

use super::event::Style;
use super::levels::{Anchor, anchor};
use super::line::{Line, Stamping};
use super::{json_line, shape};
use crate::format::{CERTAIN, Extent, Head, Match, Shape};
use crate::text::{self, strip_ansi};
use crate::time::StampReader;
use crate::vocabulary::Level;

/// Lines that are looked at.
const MAX_LINES: usize = 400;
/// Lines that are enough where all of them carry the platform's stamp.
const FEW_LINES: usize = 8;

/// Says how sure it is that the input is an Apify log, and how to read it.
pub(super) fn detect(head: Head<'_>) -> Option<Match> {
    if is_other(head.bytes) {
        return None;
    }
    let counts = Counts::of(head);
    let score = counts.score()?;
    let shape = if counts.stamped > 0 { Shape::Windows } else { Shape::Sequence };
    Some(Match { score, shape })
}

/// Whether the first byte or the first words are those of a web page or of a JSON document.
fn is_other(head: &[u8]) -> bool {
    let head = head.trim_ascii_start();
    match head.first() {
        None | Some(b'<') => true,
        Some(b'[') => {
            matches!(head.get(1..).map(<[u8]>::trim_ascii_start), Some([b'{' | b'[' | b'"' | b']', ..] | []))
        }
        Some(b'{') => {
            let line = text::lines(head).next().unwrap_or_default();
            !is_levelled_json(line.trim_ascii_end())
        }
        Some(_) => false,
    }
}

/// What the lines of a head are, by number.
#[derive(Debug, Default)]
struct Counts {
    lines: usize,
    stamped: usize,
    /// Stamped with milliseconds, as the platform does.
    platform_stamps: usize,
    actor: usize,
    relayed: usize,
    levelled: usize,
    /// Lines in the JavaScript logger's padding or in the Python logger's brackets.
    typical: usize,
    named: usize,
    json: usize,
    /// Stamped as log shippers and other platforms do.
    foreign: usize,
    /// Words that only Cloudflare's builds begin with.
    cloudflare: usize,
    docker: usize,
}

impl Counts {
    fn of(head: Head<'_>) -> Self {
        let mut counts = Self::default();
        let mut stamps = StampReader::new();
        let mut lines = text::lines(head.bytes).peekable();
        let mut left = MAX_LINES;
        while let Some(line) = lines.next() {
            let is_cut = lines.peek().is_none() && head.extent == Extent::Part;
            if left == 0 || (is_cut && counts.lines > 0) || counts.is_certain() {
                break;
            }
            if !line.trim_ascii().is_empty() {
                left -= 1;
                counts.add(line, &mut stamps);
            }
        }
        counts
    }

    fn add(&mut self, bytes: &[u8], stamps: &mut StampReader) {
        self.lines += 1;
        if has_foreign_stamp(bytes) {
            self.foreign += 1;
            return;
        }
        let line = Line::read(bytes, stamps);
        self.cloudflare += usize::from(is_cloudflare(line.text()));
        if line.stamping == Stamping::Stamped {
            self.stamped += 1;
            self.platform_stamps += usize::from(bytes.get(23) == Some(&b'Z'));
        }
        self.relayed += usize::from(line.relay.is_some());
        let text = text::lossy(line.text().get(..1024).unwrap_or(line.text()));
        let text = strip_ansi(text);
        let text = text.trim_end();
        let Anchor { style, logger, .. } = anchor(text.as_bytes());
        match style {
            Style::Platform => self.actor += 1,
            Style::Padded | Style::Python => self.typical += 1,
            Style::Colon | Style::Stdlib => self.levelled += 1,
            Style::Bare | Style::Json | Style::RelayedStatus if text.starts_with('{') => {
                self.json += usize::from(is_levelled_json(line.text()));
            }
            Style::Bare | Style::Json | Style::RelayedStatus => {
                self.docker += usize::from(is_build_output(text));
            }
        }
        // One is enough, and many words are looked for.
        if self.named == 0 {
            self.named += usize::from(is_known_logger(text.as_bytes(), style, logger.start..logger.end));
        }
    }

    /// Whether every line so far carries the platform's stamp, and one of them is the platform's own or
    /// that of a logger of its libraries: nothing that follows could make it another log.
    fn is_certain(&self) -> bool {
        let is_stamped = self.platform_stamps == self.lines && self.stamped == self.lines;
        let is_apify = self.actor > 0 || (self.typical > 0 && self.named > 0);
        self.lines >= FEW_LINES && is_stamped && is_apify && self.cloudflare == 0
    }

    fn score(&self) -> Option<u8> {
        if self.is_certain() {
            return Some(CERTAIN);
        }
        if self.foreign * 4 > self.lines || (self.cloudflare > 0 && self.actor == 0) {
            return None;
        }
        let styled = self.typical + self.json;
        if self.platform_stamps * 2 >= self.lines || self.stamped * 2 >= self.lines {
            return Some(match () {
                () if self.actor > 0 || self.relayed > 0 => 95,
                () if styled > 0 => 90,
                () if self.levelled > 0 || self.docker > 0 => 80,
                () if self.platform_stamps * 10 >= self.lines * 9 => 50,
                () => return None,
            });
        }
        if self.actor > 0 && self.actor * 10 >= self.lines {
            return Some(85);
        }
        if self.stamped > 0 && styled + self.levelled > 0 && self.lines <= 8 {
            return Some(60);
        }
        match styled + self.levelled {
            lines if self.named > 0 && lines * 8 >= self.lines => Some(80),
            lines if lines >= 2 && styled >= 2 && lines * 4 >= self.lines => Some(60),
            _ => None,
        }
    }
}

/// A line of the JSON format that states a level: without one, it could be anybody's.
fn is_levelled_json(line: &[u8]) -> bool {
    json_line::read(line).is_some_and(|(anchor, _)| anchor.level != Level::None)
}

/// An ISO stamp with another zone, with a fraction that is not milliseconds, or with a tab behind it.
fn has_foreign_stamp(line: &[u8]) -> bool {
    let digits = line.iter().take(4).filter(|byte| byte.is_ascii_digit()).count();
    if digits != 4 || line.get(10) != Some(&b'T') {
        return false;
    }
    let head = line.get(..40).unwrap_or(line);
    let zone = memchr3(b'Z', b' ', b'\t', head);
    let bar = memchr(b'|', head.get(..zone.unwrap_or(head.len())).unwrap_or(head));
    let zone = bar.or(zone);
    zone.is_none_or(|at| line.get(at) != Some(&b'Z') || at != 23 || line.get(at + 1) == Some(&b'\t'))
}

fn is_cloudflare(text: &[u8]) -> bool {
    let text = text.trim_ascii();
    text.starts_with(b"Initializing build environment") || text == b"Cloning repository..."
}

/// Lines that only Docker writes.
fn is_build_output(text: &str) -> bool {
    text.starts_with(" ---> ")
        || text.starts_with("Cloning into '/tmp/apify-job")
        || text.starts_with("Will run command: ")
}

/// Loggers and messages of Apify's own libraries.
const WORDS: [&[u8]; 8] = [
    b"System info {",
    b"System info ({",
    b"Crawler",
    b"crawlee.",
    b"apify",
    b"Apify.main()",
    b"AutoscaledPool",
    b"request statistics",
];

/// What stands in every one of those words: fewer searches for the lines that have none.
static ROOTS: LazyLock<[Finder<'static>; 5]> = LazyLock::new(|| {
    const ROOTS: [&str; 5] = ["System info ", "rawle", "pify", "AutoscaledPool", "request statistics"];
    ROOTS.map(Finder::new)
});

/// Whether one of the words stands in the name of the logger or near the start of the text.
fn is_known_logger(text: &[u8], style: Style, logger: std::ops::Range<usize>) -> bool {
    if style == Style::Bare {
        return shape::is_box(text);
    }
    let head = text.get(..96).unwrap_or(text);
    let is_within = logger.end <= head.len();
    has_word(head) || (!is_within && text.get(logger).is_some_and(has_word))
}

fn has_word(text: &[u8]) -> bool {
    ROOTS.iter().any(|root| root.find(text).is_some())
        && WORDS.iter().any(|word| memmem::find(text, word).is_some())
}

#[cfg(test)]
#[path = "detect_tests.rs"]
mod tests;
