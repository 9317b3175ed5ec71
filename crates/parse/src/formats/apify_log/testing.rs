//! Events made by hand, and marks in a notation that fits on a line.

use super::event::{Body, Event, Style};
use super::meaning::{Meaning, interpret};
use crate::mark::{CrawlStage, CrawlStats, Fate, Mark};
use crate::record::{Batch, Flags, Wants};
use crate::text::Text;
use crate::vocabulary::{Class, Level};

/// An event of one line.
pub(super) fn event<'a>(style: Style, level: Level, logger: &'a str, line: &'a str) -> Event<'a> {
    Event {
        ts: None,
        level,
        style,
        logger: logger.as_bytes(),
        first_line: line.as_bytes(),
        message: Text::plain(line.as_bytes()),
        payload: None,
        body: Body::Text,
        flags: Flags::NONE,
        has_colour: true,
    }
}

/// A line of the platform.
pub(super) fn platform(line: &str) -> Event<'_> {
    event(Style::Platform, Level::None, "", line)
}

/// Output of a program that has no logger.
pub(super) fn bare(line: &str) -> Event<'_> {
    event(Style::Bare, Level::None, "", line)
}

/// A line of the JavaScript logger.
pub(super) fn javascript<'a>(level: Level, logger: &'a str, line: &'a str) -> Event<'a> {
    event(Style::Padded, level, logger, line)
}

/// A line of the Python logger.
pub(super) fn python<'a>(level: Level, logger: &'a str, line: &'a str) -> Event<'a> {
    event(Style::Python, level, logger, line)
}

impl<'a> Event<'a> {
    /// The event with a payload.
    pub(super) fn with(self, payload: &'a str) -> Self {
        Self { payload: Some(Text::plain(payload.as_bytes())), ..self }
    }

    /// The event with further lines.
    pub(super) fn of_lines(self, body: Body, message: &'a str) -> Self {
        Self { message: Text::plain(message.as_bytes()), body, ..self }
    }
}

/// Checks the class and the marks of an event.
#[track_caller]
pub(super) fn check(event: Event<'_>, class: Class, marks: &[&str]) -> Meaning {
    check_wanting(Wants::Requests, event, class, marks)
}

/// Checks the class and all marks of an event, metrics included.
#[track_caller]
pub(super) fn check_all(event: Event<'_>, class: Class, marks: &[&str]) -> Meaning {
    check_wanting(Wants::Everything, event, class, marks)
}

#[track_caller]
fn check_wanting(wants: Wants, event: Event<'_>, class: Class, marks: &[&str]) -> Meaning {
    let mut out = Batch::new(wants);
    let meaning = interpret(&event, &mut out);
    let line = String::from_utf8_lossy(event.first_line);
    let found: Vec<String> = out.marks.iter().map(|marked| describe(&marked.mark)).collect();
    assert_eq!((meaning.class, found), (class, marks.iter().map(ToString::to_string).collect()), "{line}");
    assert!(out.records.is_empty() && out.marks.iter().all(|marked| marked.record == 0), "{line}");
    meaning
}

fn describe(mark: &Mark<'_>) -> String {
    let text = |text: &Option<std::borrow::Cow<'_, str>>| text.as_deref().unwrap_or("-").to_owned();
    match mark {
        Mark::Opening(opening) => {
            let lifecycle = if opening.lifecycle.is_some() { " lifecycle" } else { "" };
            format!("open {} {} {}{lifecycle}", opening.rank, opening.name, text(&opening.fingerprint))
        }
        Mark::StepStart(step) => format!("start {} {} {}", step.depth, text(&step.key), step.name),
        Mark::StepEnd(step) => {
            format!("end {} {} {} {}", step.depth, text(&step.key), step.status, text(&step.error))
        }
        Mark::Ready => "ready".to_owned(),
        Mark::Progress => "progress".to_owned(),
        Mark::Outcome(end) => {
            format!("{} {} {} {:?}", end.status, end.reason, end.weight, end.revoked_by).to_lowercase()
        }
        Mark::Fact(fact, value) => format!("{fact:?} {value}"),
        Mark::CrawlStart => "crawl".to_owned(),
        Mark::CrawlStats(stats) => crawl_stats(stats),
        Mark::CrawlEnd => "crawl-end".to_owned(),
        Mark::Request(request) => {
            let fate = if request.fate == Fate::Lost { "lost" } else { "retried" };
            let count = request.retry_count.map_or("-".to_owned(), |count| count.to_string());
            format!("{fate} {} {} {count}", text(&request.id), text(&request.url))
        }
        Mark::Metric(metric) => {
            let unit = if metric.unit.is_empty() { "-" } else { metric.unit };
            format!("{}[{}] = {} {unit}", metric.name, metric.label, metric.value)
        }
        other => format!("{other:?}"),
    }
}

/// Finished, failed, retried, retries, counted.
fn crawl_stats(stats: &CrawlStats) -> String {
    let all = [stats.finished, stats.failed, stats.retried, stats.retries, stats.counted];
    let all = all.map(|count| count.map_or("-".to_owned(), |count| count.to_string()));
    let stage = if stats.stage == CrawlStage::Final { "final" } else { "stats" };
    format!("{stage} {}", all.join(" "))
}
