//! Records and marks as compact text that does not change: the notation of `testdata/README.md`.

use std::fmt::Write;

use chrono::{DateTime, SecondsFormat};
use logmill_parse::mark::{Bounds, CrawlStage, CrawlStats, Fact, Fate, Mark, Revocation, RunId};
use logmill_parse::{Evidence, Flags, Micros, Record};

/// What an event says, apart from where it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Fields {
    /// RFC 3339, milliseconds, or microseconds where there are any.
    pub ts: Option<String>,
    /// Level.
    pub level: &'static str,
    /// Class.
    pub class: &'static str,
    /// Logger, decoded.
    pub logger: String,
    /// Message, decoded.
    pub message: String,
    /// Payload, decoded.
    pub payload: Option<String>,
    /// Flags and evidence, by name.
    pub flags: Vec<&'static str>,
}

/// The fields of a record.
pub fn fields(record: &Record<'_>) -> Fields {
    let named = [
        (record.flags.has(Flags::LOSSY), "lossy"),
        (record.flags.has(Flags::UNSTAMPED), "unstamped"),
        (record.flags.has(Flags::TRUNCATED), "truncated"),
        (record.evidence.has(Evidence::RUN), "run"),
        (record.evidence.has(Evidence::BUILD), "build"),
    ];
    Fields {
        ts: record.ts.map(stamp),
        level: record.level.as_str(),
        class: record.class.as_str(),
        logger: String::from_utf8_lossy(record.logger).into_owned(),
        message: record.message.decode().into_owned(),
        payload: record.payload.map(|payload| payload.decode().into_owned()),
        flags: named.iter().filter(|(set, _)| *set).map(|(_, name)| *name).collect(),
    }
}

/// An instant: RFC 3339 with milliseconds, or microseconds where there are any.
pub fn stamp(ts: Micros) -> String {
    let format = if ts % 1000 == 0 { SecondsFormat::Millis } else { SecondsFormat::Micros };
    DateTime::from_timestamp_micros(ts).expect("an instant in range").to_rfc3339_opts(format, true)
}

fn bounds(start: Option<Micros>, stop: Option<Micros>) -> String {
    let end = |ts: Option<Micros>| ts.map_or_else(|| "?".to_owned(), stamp);
    format!("{}..{}", end(start), end(stop))
}

/// Words joined by blanks: a fixed part, then `name=value` for what is there.
pub struct Words(pub String);

impl Words {
    /// The fixed part.
    pub fn new(head: String) -> Self {
        Self(head)
    }

    /// A word, where there is a value.
    pub fn with<T: std::fmt::Display>(mut self, name: &str, value: Option<T>) -> Self {
        if let Some(value) = value {
            write!(self.0, " {name}={value}").expect("writing to a string");
        }
        self
    }

    /// Free text stands last in quotes, so that it cannot be mistaken for a word.
    fn quoted(mut self, name: &str, value: Option<&str>) -> Self {
        if let Some(value) = value {
            write!(self.0, " {name}={value:?}").expect("writing to a string");
        }
        self
    }
}

/// One mark in one line.
pub fn mark(mark: &Mark<'_>) -> String {
    match mark {
        Mark::Run(run) => {
            let id = match &run.id {
                RunId::Stated(id) => format!("stated({id})"),
                RunId::Within(id) => format!("within({id})"),
                RunId::File => "file".to_owned(),
            };
            let bounds = match run.bounds {
                Bounds::Records => "records".to_owned(),
                Bounds::Stated { started_at, stopped_at } => bounds(started_at, stopped_at),
            };
            format!("run {} {id} {bounds}", run.kind)
        }
        Mark::Opening(opening) => {
            let lifecycle = opening.lifecycle.map(|l| format!("{}/{}/{}", l.init, l.work, l.shutdown));
            Words::new(format!("opening {} {}", opening.rank, opening.name))
                .with("lifecycle", lifecycle)
                .quoted("fingerprint", opening.fingerprint.as_deref())
                .0
        }
        Mark::StepStart(step) => {
            Words::new(format!("step-start {} {}", step.kind, step.name))
                .with("depth", (step.depth > 0).then_some(step.depth))
                .with("key", step.key.as_deref())
                .0
        }
        Mark::StepEnd(step) => {
            Words::new(format!("step-end {}", step.status))
                .with("depth", (step.depth > 0).then_some(step.depth))
                .with("key", step.key.as_deref())
                .quoted("error", step.error.as_deref())
                .0
        }
        Mark::Step(step) => {
            let bounds = bounds(step.started_at, step.stopped_at);
            Words::new(format!("{} {} {bounds} {}", step.kind, step.name, step.status))
                .with("connector", step.connector_id.as_deref())
                .with("code", step.status_code)
                .quoted("error", step.error.as_deref())
                .0
        }
        Mark::Ready => "ready".to_owned(),
        Mark::Progress => "progress".to_owned(),
        Mark::Outcome(outcome) => {
            let revoked_by = match outcome.revoked_by {
                Revocation::Never => None,
                Revocation::Level => Some("level"),
                Revocation::Platform => Some("platform"),
            };
            Words::new(format!("outcome {} weight={}", outcome.status, outcome.weight))
                .with("class", outcome.failure_class)
                .with("revoked-by", revoked_by)
                .quoted("reason", Some(&outcome.reason))
                .0
        }
        Mark::Fact(fact, value) => {
            let fact = match fact {
                Fact::BuildId => "build-id",
                Fact::ToolVersion => "tool-version",
                Fact::Branch => "branch",
                Fact::Commit => "commit",
            };
            format!("fact {fact}={value:?}")
        }
        Mark::CrawlStart => "crawl-start".to_owned(),
        Mark::CrawlStats(stats) => crawl_stats(stats),
        Mark::CrawlEnd => "crawl-end".to_owned(),
        Mark::Request(request) => {
            let fate = match request.fate {
                Fate::Retried => "retried",
                Fate::Lost => "lost",
            };
            Words::new(format!("request {fate}"))
                .with("retries", request.retry_count)
                .with("id", request.id.as_deref())
                .with("url", request.url.as_deref())
                .0
        }
        Mark::Metric(metric) => {
            Words::new(format!("metric {}={}{}", metric.name, metric.value, metric.unit))
                .quoted("label", (!metric.label.is_empty()).then_some(&*metric.label))
                .0
        }
        Mark::Incomplete(_, reason) => format!("incomplete {reason}"),
    }
}

fn crawl_stats(stats: &CrawlStats) -> String {
    let stage = match stats.stage {
        CrawlStage::Running => "running",
        CrawlStage::Final => "final",
    };
    Words::new(format!("crawl-stats {stage}"))
        .with("finished", stats.finished)
        .with("failed", stats.failed)
        .with("retried", stats.retried)
        .with("retries", stats.retries)
        .with("counted", stats.counted)
        .0
}
