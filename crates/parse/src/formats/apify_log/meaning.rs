//! What a joined event means: its class, the kind of run it shows, and its marks.
//!
//! Owns the dispatch on style, level and first byte, so that an ordinary line costs a few
//! comparisons. What the single kinds of lines say is in the modules beside this one.

use std::borrow::Cow;

use memchr::{memchr, memmem};

use super::event::{Body, Event, Style};
use super::{docker, load, outcome, platform, requests, stats};
use crate::json::offset_of;
use crate::mark::{Fact, Mark};
use crate::record::{Batch, Evidence, Flags};
use crate::text::{lossy, strip_ansi, unescape};
use crate::vocabulary::Class;

/// What an event says, marks aside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Meaning {
    /// What it says, whatever its level.
    pub class: Class,
    /// What it shows about the kind of run.
    pub evidence: Evidence,
}

impl Meaning {
    /// An event that shows nothing about the kind of run.
    pub(super) const fn of(class: Class) -> Self {
        Self { class, evidence: Evidence::NONE }
    }

    /// An event of a run.
    pub(super) const fn run(class: Class) -> Self {
        Self { class, evidence: Evidence::RUN }
    }

    /// An event of a build.
    pub(super) const fn build(class: Class) -> Self {
        Self { class, evidence: Evidence::BUILD }
    }
}

/// An event and its first line as it is read: without ANSI, without JSON's escapes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Said<'e, 'a> {
    /// The event.
    pub event: &'e Event<'a>,
    /// Its first line.
    pub line: &'e [u8],
}

impl<'a> Said<'_, 'a> {
    /// A part of the line as text, borrowed from the input if the line is.
    pub(super) fn text(&self, part: &[u8]) -> Cow<'a, str> {
        let whole = self.event.first_line;
        let borrowed = offset_of(whole, part).and_then(|start| whole.get(start..start + part.len()));
        match borrowed {
            Some(part) => lossy(part),
            None => Cow::Owned(String::from_utf8_lossy(part).into_owned()),
        }
    }

    /// The crawler an event is about: the first part of its logger.
    pub(super) fn crawler(&self) -> Cow<'a, str> {
        let logger = self.event.logger;
        let first = memchr(b':', logger).and_then(|end| logger.get(..end)).unwrap_or(logger);
        strip_ansi(lossy(first))
    }

    /// Whether the line is one of a JavaScript logger that names its crawler.
    fn is_named_javascript(&self) -> bool {
        matches!(self.event.style, Style::Padded | Style::Colon | Style::Json)
            && !self.event.logger.is_empty()
    }
}

/// Says what `event` means and attaches its marks to the record that is pushed next.
#[inline]
pub(super) fn interpret<'a>(event: &Event<'a>, out: &mut Batch<'a>) -> Meaning {
    let line = event.first_line;
    if is_escaped(event) || (event.has_colour && memchr(0x1b, line).is_some()) {
        return interpret_encoded(event, out);
    }
    by_style(Said { event, line }, out)
}

fn is_escaped(event: &Event<'_>) -> bool {
    matches!(event.style, Style::Json) && memchr(b'\\', event.first_line).is_some()
}

fn interpret_encoded<'a>(event: &Event<'a>, out: &mut Batch<'a>) -> Meaning {
    let line = event.first_line;
    let text = if is_escaped(event) { unescape(line) } else { lossy(line) };
    let text = strip_ansi(text);
    let line = text.lines().next().unwrap_or_default().trim_ascii();
    by_style(Said { event, line: line.as_bytes() }, out)
}

fn by_style<'a>(said: Said<'_, 'a>, out: &mut Batch<'a>) -> Meaning {
    match said.event.style {
        Style::Platform => platform::interpret(said, out),
        Style::RelayedStatus => outcome::relayed_status(said, out),
        Style::Bare => bare(said, out),
        Style::Padded | Style::Colon | Style::Python | Style::Stdlib | Style::Json => {
            Meaning::run(levelled(said, out))
        }
    }
}

/// A line without a level: output of the program, or of Docker in a build.
fn bare<'a>(said: Said<'_, 'a>, out: &mut Batch<'a>) -> Meaning {
    if is_crash(said.event) {
        return Meaning::of(outcome::crash(out));
    }
    match said.line.first() {
        Some(b'#') => docker::build_kit(said, out),
        Some(b'S') => docker::classic(said, out),
        Some(b'T') => docker::classic_error(said, out),
        _ => Meaning::of(Class::Plain),
    }
}

fn is_crash(event: &Event<'_>) -> bool {
    match event.body {
        Body::NodeCrash => true,
        Body::Traceback => outcome::is_uncaught(event),
        Body::Text | Body::Table => false,
    }
}

/// A line with a level. The level decides nothing: the same retry is an error in one version of
/// the SDK and a warning in the next.
fn levelled<'a>(said: Said<'_, 'a>, out: &mut Batch<'a>) -> Class {
    let line = said.line;
    if is_crash(said.event) {
        return outcome::crash(out);
    }
    if line.last() == Some(&b':') && line.ends_with(b"request statistics:") {
        return stats::requests(said, out);
    }
    if said.event.flags.has(Flags::TRUNCATED) && memmem::find(line, b"request statistics: {").is_some() {
        return stats::requests(said, out);
    }
    let class = match line.first() {
        Some(b'A') => letter_a(said, out),
        Some(b'E') => letter_e(said, out),
        Some(b'F') => stats::finished(said, out),
        Some(b'I') => initializing(said, out),
        Some(b'M') => load::overload(said, out),
        Some(b'R') => requests::letter_r(said, out),
        Some(b'S') => letter_s(said, out),
        Some(b'T') => outcome::main_threw(said, out),
        Some(b'[') => outcome::status_message(said, out),
        Some(b'c') => load::python_pool(said, out),
        Some(b's') => load::pool(said, out),
        _ => None,
    };
    class.or_else(|| requests::reclaimed(said, out)).unwrap_or(Class::Plain)
}

/// What a line of this style, neither a warning nor an error, means where nobody wants metrics: if its first letters
/// are none of those that [`interpret`] knows, or begin what leaves no mark. What ends in a colon may be a title of
/// statistics.
#[inline]
pub(super) fn ordinary(style: Style, line: &[u8]) -> Option<Meaning> {
    let head = (line.first().copied().unwrap_or_default(), line.get(1).copied().unwrap_or_default());
    match style {
        Style::Padded | Style::Colon | Style::Python | Style::Stdlib => {
            let mut class = Class::Plain;
            let is_known = match head.0 {
                b'A' => matches!(head.1, b'P' | b'c' | b'n' | b'u'),
                b'E' => matches!(head.1, b'n' | b'r' | b'x'),
                b'F' => head.1 == b'i',
                b'I' => head.1 == b'n',
                b'M' | b'R' => head.1 == b'e',
                b'S' => matches!(head.1, b't' | b'y'),
                b'T' => head.1 == b'h',
                b'[' if line.starts_with(b"[Status message]:") => {
                    class = Class::Status;
                    false
                }
                b'[' => matches!(head.1, b'S' | b'T'),
                b'c' if line.starts_with(b"current_concurrency = ") => {
                    class = Class::Statistics;
                    false
                }
                b'c' => head.1 == b'u',
                b's' => head.1 == b't',
                _ => false,
            };
            (!is_known && line.last() != Some(&b':')).then_some(Meaning::run(class))
        }
        Style::Bare => {
            let is_known = matches!(head, (b'#', _) | (b'S', b't') | (b'T', b'h'));
            (!is_known).then_some(Meaning::of(Class::Plain))
        }
        Style::Platform | Style::RelayedStatus | Style::Json => None,
    }
}

fn letter_a<'a>(said: Said<'_, 'a>, out: &mut Batch<'a>) -> Option<Class> {
    outcome::actor_failed(said, out)
        .or_else(|| load::pool(said, out))
        .or_else(|| requests::api_call(said))
        .or_else(|| requests::terminated(said))
}

fn letter_e<'a>(said: Said<'_, 'a>, out: &mut Batch<'a>) -> Option<Class> {
    outcome::exiting(said, out)
        .or_else(|| stats::error_analysis(said, out))
        .or_else(|| requests::session_rotated(said, out))
}

fn letter_s<'a>(said: Said<'_, 'a>, out: &mut Batch<'a>) -> Option<Class> {
    match said.line {
        b"Starting the crawler." | b"Starting the crawler" | b"Starting the crawl"
            if said.is_named_javascript() =>
        {
            out.mark(Mark::CrawlStart);
            Some(Class::Plain)
        }
        line => ready(said, line.strip_prefix(b"System info")?, out),
    }
}

fn initializing<'a>(said: Said<'_, 'a>, out: &mut Batch<'a>) -> Option<Class> {
    let rest = said.line.strip_prefix(b"Initializing ")?;
    let rest = rest.strip_prefix(b"Actor").or_else(|| rest.strip_prefix(b"actor"))?;
    ready(said, rest, out)
}

/// `System info` and `Initializing Actor`, with `...` or a payload that may be cut off, or alone.
fn ready<'a>(said: Said<'_, 'a>, rest: &[u8], out: &mut Batch<'a>) -> Option<Class> {
    let rest = rest.trim_ascii_start();
    if !(rest.is_empty()
        || rest == b"..."
        || rest == b"."
        || rest.starts_with(b"{")
        || rest.starts_with(b"({"))
    {
        return None;
    }
    out.mark(Mark::Ready);
    if let Some(version) = tool_version(said) {
        out.mark(Mark::Fact(Fact::ToolVersion, Cow::Owned(version)));
    }
    Some(Class::Plain)
}

/// Version of the crawler, else of the SDK. Keys are looked for as text, since the line may be cut off.
fn tool_version(said: Said<'_, '_>) -> Option<String> {
    const KEYS: [(&[u8], &str); 4] = [
        (b"\"crawleeVersion\"", "crawlee"),
        (b"\"crawlee_version\"", "crawlee"),
        (b"\"apifyVersion\"", "apify"),
        (b"\"apify_sdk_version\"", "apify"),
    ];
    let document = said.event.payload.map_or(said.line, |payload| payload.raw);
    KEYS.iter().find_map(|(key, tool)| {
        let after = document.get(memmem::find(document, key)? + key.len()..)?.trim_ascii_start();
        let value = after.strip_prefix(b":")?.trim_ascii_start().strip_prefix(b"\"")?;
        let value = value.get(..memchr(b'"', value)?)?;
        let is_version = !value.is_empty() && value.len() <= 64 && value.iter().all(u8::is_ascii_graphic);
        is_version.then(|| format!("{tool} {}", String::from_utf8_lossy(value)))
    })
}

#[cfg(test)]
#[path = "meaning_tests.rs"]
mod tests;
