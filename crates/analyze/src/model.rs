//! The rows of the tables, as plain data.
//!
//! Owns what a run, a step, an error group and so on consist of. How columns are named,
//! typed and documented is `logmill-frame`'s; how rows come about is told in the modules
//! that fill them.

use std::sync::Arc;

use crate::metrics::Metrics;
pub use crate::name::Name;
use logmill_parse::{Class, Kind, Level, Micros, Platform, Record, Severity, Status, StepKind};

/// One run: an Apify run or build, a Cloudflare build, an Alloy execution, a schedule's firing.
#[derive(Debug, Clone, PartialEq)]
pub struct Run {
    /// Platform.
    pub platform: Platform,
    /// Kind of run; `None` where the log does not show it.
    pub kind: Option<Kind>,
    /// What it is a run of: actor, worker, workflow, schedule.
    pub group: String,
    /// Its id, unique per platform.
    pub run_id: String,
    /// First input it was read from.
    pub source: String,
    /// First instant.
    pub started_at: Option<Micros>,
    /// Last instant.
    pub stopped_at: Option<Micros>,
    /// From start to stop, in whole milliseconds; `None` where one of them is missing.
    pub duration_ms: Option<i64>,
    /// From the last step's stop to the run's stop; closes the sum of steps and gaps.
    pub tail_gap_ms: Option<i64>,
    /// How it ended.
    pub status: Status,
    /// The evidence.
    pub status_reason: String,
    /// Class of failure, where the platform distinguishes them.
    pub failure_class: Option<String>,
    /// Physical lines of its events.
    pub n_lines: u64,
    /// Events.
    pub n_events: u64,
    /// Events of class failure or crash, and error-level events that are not retries.
    pub n_errors: u64,
    /// Warn-level events that are not retries.
    pub n_warnings: u64,
    /// Events of class retry.
    pub n_retries: u64,
    /// Rows of `steps`.
    pub n_steps: u64,
    /// Those that failed.
    pub n_failed_steps: u64,
    /// Requests handled well, by the crawlers' own figures.
    pub requests_finished: Option<u64>,
    /// Requests given up.
    pub requests_failed: Option<u64>,
    /// Retries of counted requests.
    pub request_retries: Option<u64>,
    /// First line of the first error's message.
    pub first_error: Option<String>,
    /// Build that was run.
    pub build_id: Option<String>,
    /// Version of the crawler or deployment tool.
    pub tool_version: Option<String>,
    /// Branch that was built.
    pub branch: Option<String>,
    /// Commit that was built.
    pub commit: Option<String>,
    /// Whether all of its log is there, as far as can be told.
    pub complete: bool,
    /// Why not.
    pub incomplete_reason: Option<String>,
}

impl Run {
    /// `n_errors / n_events`; `None` for a run without events.
    #[must_use]
    pub fn error_rate(&self) -> Option<f64> {
        (self.n_events > 0).then(|| self.n_errors as f64 / self.n_events as f64)
    }
}

/// Index of a run in [`Report::runs`].
pub type RunIndex = usize;

/// One step of a run.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// Its run.
    pub run: RunIndex,
    /// Place among the run's steps, from 1, in order of appearance.
    pub seq: u32,
    /// The step it is part of.
    pub parent_seq: Option<u32>,
    /// 0 for steps that with the gaps add up to the run.
    pub depth: u8,
    /// How it is delimited.
    pub step_kind: StepKind,
    /// Its name.
    pub name: Name,
    /// What performed it (Alloy).
    pub connector_id: Option<Arc<str>>,
    /// Start.
    pub started_at: Option<Micros>,
    /// Stop.
    pub stopped_at: Option<Micros>,
    /// From start to stop, in whole milliseconds.
    pub duration_ms: Option<i64>,
    /// Depth 0 only: from the previous stop (the first one: the run's start) to its start; negative on overlap.
    pub gap_before_ms: Option<i64>,
    /// `duration_ms` over the run's; `None` where either is missing or the run's is 0.
    pub share: Option<f64>,
    /// How it ended.
    pub status: Status,
    /// HTTP status it states.
    pub status_code: Option<i64>,
    /// What went wrong.
    pub error: Option<String>,
}

/// Error and warning events with the same masked message.
#[derive(Debug, Clone, PartialEq)]
pub struct ErrorGroup {
    /// Platform.
    pub platform: Platform,
    /// Kind of run, if all its events are of one kind of run.
    pub kind: Option<Kind>,
    /// Group, if all its events are of one group.
    pub group: Option<String>,
    /// Run of the example.
    pub run_id: String,
    /// Sixteen hex digits that depend on platform, class and template only.
    pub group_id: String,
    /// The masked message.
    pub template: String,
    /// Most serious level among its events.
    pub level: Level,
    /// Class of its events.
    pub class: Class,
    /// Class of failure of the runs, if all of them ended with the same one.
    pub failure_class: Option<String>,
    /// Events.
    pub n_events: u64,
    /// Runs that hold one.
    pub n_runs: u64,
    /// Earliest instant.
    pub first_seen: Option<Micros>,
    /// Latest instant.
    pub last_seen: Option<Micros>,
    /// A message as it stands in the log, cut at 500 characters.
    pub example: String,
    /// Input the example stands in.
    pub example_source: String,
    /// Line the example stands on, from 1.
    pub example_line: u64,
}

/// What became of a request that did not go well at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum RequestOutcome {
    /// Given up.
    Lost,
    /// Retried, and the crawl ended with every retried request handled.
    Recovered,
    /// Retried, and the log does not say what became of it.
    Open,
}

impl RequestOutcome {
    /// The spelling used in tables.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Lost => "lost",
            Self::Recovered => "recovered",
            Self::Open => "open",
        }
    }
}

/// A request that was retried or lost.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// Its run.
    pub run: RunIndex,
    /// URL, where the log states it.
    pub url: Option<Arc<str>>,
    /// Id, where the log states it.
    pub request_id: Option<Arc<str>>,
    /// Failed attempts seen.
    pub attempts: u64,
    /// What became of it.
    pub outcome: RequestOutcome,
    /// First line of the last attempt's error.
    pub last_error: Arc<str>,
    /// First failed attempt.
    pub first_seen: Option<Micros>,
    /// Last failed attempt.
    pub last_seen: Option<Micros>,
}

/// Figures of one group in one time bucket. A run belongs to the bucket it started in, with
/// all its events, requests and steps.
#[derive(Debug, Clone, PartialEq)]
pub struct Rate {
    /// Platform.
    pub platform: Platform,
    /// Kind of run.
    pub kind: Option<Kind>,
    /// Group.
    pub group: String,
    /// Start of the bucket; `None` gathers the runs without a start.
    pub bucket_start: Option<Micros>,
    /// Runs.
    pub n_runs: u64,
    /// Runs that succeeded.
    pub n_succeeded: u64,
    /// Runs that failed.
    pub n_failed: u64,
    /// Runs that timed out.
    pub n_timed_out: u64,
    /// Runs that were aborted or skipped.
    pub n_aborted: u64,
    /// Runs that are running or whose end is unknown.
    pub n_unknown: u64,
    /// (failed + timed out) / (succeeded + failed + timed out).
    pub run_failure_rate: Option<f64>,
    /// Lower end of its Wilson 95 % interval.
    pub run_failure_rate_low: Option<f64>,
    /// Upper end.
    pub run_failure_rate_high: Option<f64>,
    /// Events.
    pub n_events: u64,
    /// Errors.
    pub n_errors: u64,
    /// `n_errors / n_events`.
    pub error_rate: Option<f64>,
    /// Requests finished and failed.
    pub n_requests: u64,
    /// Failed / (finished + failed).
    pub request_failure_rate: Option<f64>,
    /// Steps at depth 0.
    pub n_steps: u64,
    /// Failed ones among them.
    pub step_failure_rate: Option<f64>,
    /// Median duration of the runs that ended.
    pub p50_ms: Option<i64>,
    /// 95th percentile.
    pub p95_ms: Option<i64>,
}

/// Which runs or steps a row of `durations` looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum OutcomeFilter {
    /// Every one that has a duration and belongs to a complete run with a known end.
    All,
    /// Those that succeeded.
    Succeeded,
    /// Those that failed or timed out.
    Failed,
}

impl OutcomeFilter {
    /// The spelling used in tables.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
        }
    }
}

/// Durations of one group's runs, or of one of their steps.
#[derive(Debug, Clone, PartialEq)]
pub struct Duration {
    /// Platform.
    pub platform: Platform,
    /// Kind of run.
    pub kind: Option<Kind>,
    /// Group.
    pub group: String,
    /// Name of the step; `None` for whole runs.
    pub step: Option<String>,
    /// Which of them.
    pub outcome: OutcomeFilter,
    /// How many durations the figures are of.
    pub n: u64,
    /// How many were left out, because the run is incomplete, has no known end, or has no duration.
    pub n_incomplete: u64,
    /// Shortest.
    pub min_ms: Option<i64>,
    /// Median, nearest rank.
    pub p50_ms: Option<i64>,
    /// 90th percentile, nearest rank.
    pub p90_ms: Option<i64>,
    /// 95th percentile, nearest rank.
    pub p95_ms: Option<i64>,
    /// 99th percentile, nearest rank.
    pub p99_ms: Option<i64>,
    /// Longest.
    pub max_ms: Option<i64>,
    /// Mean.
    pub mean_ms: Option<f64>,
    /// Sum.
    pub total_ms: Option<i64>,
}

/// A value a log states.
#[derive(Debug, Clone, PartialEq)]
pub struct Metric {
    /// Its run.
    pub run: RunIndex,
    /// When.
    pub ts: Option<Micros>,
    /// How much.
    pub value: f64,
    /// Of what.
    pub what: Arc<Measure>,
}

/// What a metric measures.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Measure {
    /// Its name.
    pub name: String,
    /// Its unit.
    pub unit: &'static str,
    /// Which one, where there are several.
    pub label: String,
}

/// Something that could not be read as expected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IssueRow {
    /// Code, to be explained by `logmill explain`.
    pub code: &'static str,
    /// How much it matters.
    pub severity: Severity,
    /// Input.
    pub source: String,
    /// Archive member.
    pub member: Option<String>,
    /// Line, from 1; `None` where the input as a whole is meant.
    pub line: Option<u64>,
    /// Byte, from 0.
    pub byte_offset: Option<u64>,
    /// What was expected and what was found.
    pub message: String,
    /// First bytes of what it concerns, escaped, at most 80.
    pub raw_prefix: String,
}

/// One input file or archive member.
#[derive(Debug, Clone, PartialEq)]
pub struct FileRow {
    /// Input.
    pub source: String,
    /// Archive member.
    pub member: Option<String>,
    /// Platform, where the format is known.
    pub platform: Option<Platform>,
    /// Format id; `metadata`, `error-body`, `empty`, `own-output` or `unknown` where it is no log.
    pub format: String,
    /// Decompressed size.
    pub bytes: u64,
    /// Physical lines.
    pub n_lines: u64,
    /// Events.
    pub n_events: u64,
    /// First lines of events.
    pub bytes_record: u64,
    /// Further lines of events.
    pub bytes_continuation: u64,
    /// Blank lines, byte order marks, JSON punctuation, keys.
    pub bytes_structure: u64,
    /// Repetitions.
    pub bytes_duplicate: u64,
    /// What could not be read.
    pub bytes_rejected: u64,
    /// Earliest stamp.
    pub min_ts: Option<Micros>,
    /// Latest stamp.
    pub max_ts: Option<Micros>,
    /// Whether everything was read and nothing says that some is missing.
    pub complete: bool,
    /// Why not.
    pub incomplete_reason: Option<String>,
}

/// All report tables.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Report {
    /// Runs by platform, group, start (nulls last), id.
    pub runs: Vec<Run>,
    /// Steps by run and seq.
    pub steps: Vec<Step>,
    /// Error groups by events (most first), then id.
    pub errors: Vec<ErrorGroup>,
    /// Requests by run, first seen, URL and id.
    pub requests: Vec<Request>,
    /// Rates by platform, kind, group and bucket.
    pub rates: Vec<Rate>,
    /// Durations by platform, kind, group, step (whole runs first) and outcome.
    pub durations: Vec<Duration>,
    /// Metrics by run, in the order they stand in the log.
    pub metrics: Metrics,
    /// Issues by source, place and code.
    pub issues: Vec<IssueRow>,
    /// Inputs by source and member.
    pub files: Vec<FileRow>,
}

/// One event on its way to a sink.
#[derive(Debug, Clone, Copy)]
pub struct EventRow<'a> {
    /// Its run.
    pub run: &'a Run,
    /// Place among the run's events, from 1.
    pub seq: u64,
    /// The record.
    pub record: &'a Record<'a>,
    /// The step it falls in: seq and name.
    pub step: Option<(u32, &'a str)>,
    /// Input.
    pub source: &'a str,
    /// Archive member.
    pub member: Option<&'a str>,
    /// Line, from 1.
    pub line: u64,
    /// Byte, from 0.
    pub byte_offset: u64,
}
