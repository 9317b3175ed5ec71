//! What is true of a generated dump: written down by the generator as it writes.
//!
//! Owns the plain structs and the counting rules, which are those of the design page. Nothing
//! here reads a log back.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use serde::Serialize;

use crate::{Detail, Plan, Sink};

/// Everything known about a dump.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Truth {
    /// Files written.
    pub n_files: u64,
    /// Bytes written.
    pub n_bytes: u64,
    /// Physical lines written: newlines, and one more per file that does not end with one.
    pub n_lines: u64,
    /// Every run, in the order of writing.
    pub runs: Vec<TruthRun>,
    /// Every kind of warning or error message that occurs, by template and level.
    pub error_templates: Vec<TruthTemplate>,
}

/// How a run or step ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum TruthStatus {
    /// It ended well.
    Succeeded,
    /// It ended badly.
    Failed,
    /// It was stopped.
    Aborted,
    /// It was stopped at a time limit.
    TimedOut,
    /// It had not ended.
    Running,
    /// The log does not say.
    Unknown,
}

/// Levels as the tables spell them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the words of the level column; the parser documents them")]
pub enum TruthLevel {
    Critical,
    Error,
    SoftFail,
    Warn,
    Info,
    Perf,
    Debug,
    None,
}

/// Classes as the tables spell them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the words of the class column; the parser documents them")]
pub enum TruthClass {
    Platform,
    Retry,
    Failure,
    Crash,
    Overload,
    Statistics,
    Status,
    Plain,
}

/// Events by level. On every platform the sum is `n_events`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "one counter per word of the level column")]
pub struct Levels {
    pub critical: u64,
    pub error: u64,
    pub soft_fail: u64,
    pub warn: u64,
    pub info: u64,
    pub perf: u64,
    pub debug: u64,
    pub none: u64,
}

impl Levels {
    /// Counts one event.
    pub(crate) fn count(&mut self, level: TruthLevel) {
        let counter = match level {
            TruthLevel::Critical => &mut self.critical,
            TruthLevel::Error => &mut self.error,
            TruthLevel::SoftFail => &mut self.soft_fail,
            TruthLevel::Warn => &mut self.warn,
            TruthLevel::Info => &mut self.info,
            TruthLevel::Perf => &mut self.perf,
            TruthLevel::Debug => &mut self.debug,
            TruthLevel::None => &mut self.none,
        };
        *counter += 1;
    }
}

/// One run.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TruthRun {
    /// `apify`, `cloudflare` or `alloy`.
    pub platform: &'static str,
    /// `run`, `build`, `invocation` or `execution`.
    pub kind: &'static str,
    /// The folder that names the group; empty in a single stream, where the path decides. A
    /// relayed child has its parent's.
    pub group: String,
    /// Its id. In a single Apify or Cloudflare stream `<stem>`, then `<stem>#2`, …; a relayed child has its own
    /// everywhere; a schedule's invocation is `<schedule>@<createdAt>`, with `#2` when doubled.
    pub run_id: String,
    /// File it stands in, relative to the dump; empty in a single stream.
    pub source: String,
    /// How it ended.
    ///
    /// Apify run: the timeout line → `timed_out`; a platform line about aborting → `aborted`; a
    /// crash, an exception of the main function or a non-zero exit code → `failed`; exit code 0, or final
    /// statistics of every crawl of the last segment → `succeeded`; a child: as its parent prints
    /// it; otherwise `unknown`. Where an API object lies beside the log, its status.
    pub status: TruthStatus,
    /// `no_end_marker` or `all_requests_failed`, where the design names such a reason.
    pub status_reason: Option<&'static str>,
    /// Cloudflare: class of the failure.
    pub failure_class: Option<&'static str>,
    /// First stamp, in microseconds since 1970.
    ///
    /// Apify: of any physical line of the run (blank ones included; in a relayed child the inner
    /// stamps of lines that have one). Cloudflare: of any tuple. Schedule: `createdAt`. Alloy:
    /// `startedAt`. With an API object, its `startedAt`.
    pub started_at_us: Option<i64>,
    /// Last stamp, likewise.
    pub stopped_at_us: Option<i64>,
    /// `floor_ms(stopped) - floor_ms(started)`.
    pub duration_ms: Option<i64>,
    /// From the stop of the last step of depth 0 to the end of the run; null without steps.
    pub tail_gap_ms: Option<i64>,
    /// Phases and steps. Depth 0 first to last, those of depth 1 behind the one they are part of.
    pub steps: Vec<TruthStep>,
    /// Apify: physical lines; null for the other platforms, whose records are no lines.
    pub n_lines: Option<u64>,
    /// Cloudflare: distinct tuples (one repeated by an overlapping page counts once); else null.
    pub n_tuples: Option<u64>,
    /// Apify: of these, blank ones that stand between events and are no part of one.
    pub n_blank_lines: u64,
    /// Events. Apify: physical lines joined by shape. Cloudflare: tuples, blank ones included, that are
    /// not joined (indented lines under an error or warning with the blank ones between them, runs of
    /// `npm error`). Alloy: one per result
    /// and one per top-level error. Schedule: one per entry.
    pub n_events: u64,
    /// Events of class failure or crash, plus events of level critical, error or `soft_fail` that are not retries.
    pub n_errors: u64,
    /// Events of level warn that are not retries.
    pub n_warnings: u64,
    /// Events of class retry, whatever their level.
    pub n_retries: u64,
    /// Events of class crash.
    pub n_crashes: u64,
    /// Events of class failure.
    pub n_failures: u64,
    /// Events of class overload.
    pub n_overloads: u64,
    /// Events of class platform; null where the platform's own lines are not told apart here.
    pub n_platform: Option<u64>,
    /// Events by level.
    pub levels: Levels,
    /// Requests handled well: the sum over the crawls that reached their final statistics; null if none did.
    pub requests_finished: Option<u64>,
    /// Requests given up, likewise.
    pub requests_failed: Option<u64>,
    /// Retries by the final histograms (sum of `i * histogram[i]`), likewise.
    pub request_retries: Option<u64>,
    /// Distinct requests that the log says were given up.
    pub requests_lost: u64,
    /// Distinct requests retried at least once, not given up, in a crawl that came to its end.
    pub requests_recovered: u64,
    /// Distinct requests retried at least once whose end the log does not show.
    pub requests_open: u64,
    /// Build that was run.
    pub build_id: Option<String>,
    /// Whether the log is all there. Apify: its last line is. Cloudflare: its end line is.
    pub complete: bool,
}

impl Truth {
    /// Takes in what is true of runs of a stream.
    pub(crate) fn add_runs(&mut self, plan: &Plan, runs: impl IntoIterator<Item = TruthRun>) {
        if plan.detail == Detail::Runs {
            self.runs.extend(runs);
        }
    }

    /// Hands a finished file to the sink and takes in what is true of it.
    pub(crate) fn add_file(
        &mut self,
        path: &Path,
        bytes: &[u8],
        runs: &mut Vec<TruthRun>,
        sink: &mut Sink<'_>,
    ) -> io::Result<()> {
        self.n_files += 1;
        self.n_bytes += u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        let lines = bytes.split_inclusive(|&byte| byte == b'\n').count();
        self.n_lines += u64::try_from(lines).unwrap_or(u64::MAX);
        for run in &mut *runs {
            run.source = path.to_string_lossy().into_owned();
        }
        self.runs.append(runs);
        sink(path, bytes)
    }
}

impl TruthRun {
    /// A run of which nothing is known but its names.
    pub(crate) fn new(platform: &'static str, kind: &'static str, group: &str, run_id: String) -> Self {
        Self {
            platform,
            kind,
            group: group.to_owned(),
            run_id,
            source: String::new(),
            status: TruthStatus::Unknown,
            status_reason: None,
            failure_class: None,
            started_at_us: None,
            stopped_at_us: None,
            duration_ms: None,
            tail_gap_ms: None,
            steps: Vec::new(),
            n_lines: None,
            n_tuples: None,
            n_blank_lines: 0,
            n_events: 0,
            n_errors: 0,
            n_warnings: 0,
            n_retries: 0,
            n_crashes: 0,
            n_failures: 0,
            n_overloads: 0,
            n_platform: None,
            levels: Levels::default(),
            requests_finished: None,
            requests_failed: None,
            request_retries: None,
            requests_lost: 0,
            requests_recovered: 0,
            requests_open: 0,
            build_id: None,
            complete: true,
        }
    }

    /// Counts one event.
    pub(crate) fn count(&mut self, level: TruthLevel, class: TruthClass) {
        self.n_events += 1;
        self.levels.count(level);
        let lost = matches!(class, TruthClass::Failure | TruthClass::Crash);
        let grave = matches!(level, TruthLevel::Critical | TruthLevel::Error | TruthLevel::SoftFail);
        let retry = class == TruthClass::Retry;
        self.n_errors += u64::from(lost || (grave && !retry));
        self.n_warnings += u64::from(level == TruthLevel::Warn && !retry);
        self.n_retries += u64::from(retry);
        self.n_crashes += u64::from(class == TruthClass::Crash);
        self.n_failures += u64::from(class == TruthClass::Failure);
        self.n_overloads += u64::from(class == TruthClass::Overload);
        if let Some(n_platform) = &mut self.n_platform {
            *n_platform += u64::from(class == TruthClass::Platform);
        }
    }

    /// Sets start, stop and duration, given in milliseconds since 1970.
    pub(crate) fn bounds(&mut self, started_ms: Option<u64>, stopped_ms: Option<u64>) {
        self.started_at_us = started_ms.map(micros);
        self.stopped_at_us = stopped_ms.map(micros);
        self.duration_ms =
            self.started_at_us.zip(self.stopped_at_us).map(|(start, stop)| (stop - start) / 1000);
        self.close_steps();
    }

    /// Works out the gaps before the steps and behind the last one.
    fn close_steps(&mut self) {
        let mut before = self.started_at_us;
        for step in self.steps.iter_mut().filter(|step| step.depth == 0) {
            step.gap_before_ms = before.zip(step.started_at_us).map(|(stop, start)| (start - stop) / 1000);
            before = step.stopped_at_us.or(before);
        }
        let any = self.steps.iter().any(|step| step.depth == 0);
        self.tail_gap_ms =
            before.zip(self.stopped_at_us).filter(|_| any).map(|(stop, end)| (end - stop) / 1000);
    }
}

/// A stretch inside a run.
///
/// Apify run, per segment: `pull` (pull line to create line), `create` (to start line), `boot` (to
/// the first event that is not of class platform), `init` (from there to the event `System info` or
/// `Initializing Actor`, when that comes later), `work` (from there to the last final statistics,
/// `Finished!` or `Exiting Actor` behind which no crawl begins or goes on, else to the last event),
/// `shutdown` (from there to the last event; left out when there is none behind). Runs with several segments have a
/// step `segment` for each at depth 0, from its first line to its last, and the phases at depth 1.
/// Apify build: `clone`, `prepare`, `build`, `push`, with Docker's own steps at depth 1 of `build`.
/// Cloudflare: `init`, `clone`, `prepare`, `tool_install`, `install`, `build`, `deploy`,
/// `cache_upload`. Alloy: one per result, named by its connector.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TruthStep {
    /// Its name.
    pub name: String,
    /// Start in microseconds since 1970.
    pub started_at_us: Option<i64>,
    /// Stop in microseconds since 1970.
    pub stopped_at_us: Option<i64>,
    /// Whole milliseconds.
    pub duration_ms: Option<i64>,
    /// From the stop of the step before it at depth 0 (for the first: from the run's start); null below depth 0.
    pub gap_before_ms: Option<i64>,
    /// How it ended, where the source says so itself (Alloy); null for phases.
    pub status: Option<TruthStatus>,
    /// 0, or 1 for a part of a step.
    pub depth: u8,
}

impl TruthStep {
    /// A phase from and to an instant given in milliseconds since 1970.
    pub(crate) fn phase(name: &str, started_ms: u64, stopped_ms: u64, depth: u8) -> Self {
        Self::timed(name.to_owned(), Some(started_ms), Some(stopped_ms), None, depth)
    }

    /// A step whose bounds may be missing.
    pub(crate) fn timed(
        name: String,
        started_ms: Option<u64>,
        stopped_ms: Option<u64>,
        status: Option<TruthStatus>,
        depth: u8,
    ) -> Self {
        let (started_at_us, stopped_at_us) = (started_ms.map(micros), stopped_ms.map(micros));
        let duration_ms = started_at_us.zip(stopped_at_us).map(|(start, stop)| (stop - start) / 1000);
        Self { name, started_at_us, stopped_at_us, duration_ms, gap_before_ms: None, status, depth }
    }
}

/// A kind of warning or error message, with what varies in it left open.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TruthTemplate {
    /// The head of the message; `{}` stands for numbers, ids and URLs.
    pub template: &'static str,
    /// Its level.
    pub level: TruthLevel,
    /// Its class.
    pub class: TruthClass,
    /// Events.
    pub n_events: u64,
    /// Runs in which it occurs.
    pub n_runs: u64,
}

/// Counts of templates, by template, level and class.
#[derive(Debug, Clone, Default)]
pub struct Templates {
    counts: BTreeMap<(&'static str, TruthLevel, TruthClass), Count>,
    run: u64,
}

#[derive(Debug, Clone, Copy, Default)]
struct Count {
    n_events: u64,
    n_runs: u64,
    last_run: u64,
}

impl Templates {
    /// A number for the next run.
    pub(crate) fn next_run(&mut self) -> u64 {
        self.run += 1;
        self.run
    }

    /// Counts an event.
    pub(crate) fn count(&mut self, run: u64, template: &'static str, level: TruthLevel, class: TruthClass) {
        let count = self.counts.entry((template, level, class)).or_default();
        count.n_events += 1;
        count.n_runs += u64::from(count.last_run != run);
        count.last_run = run;
    }

    /// Adds the counts of other runs.
    pub(crate) fn merge(&mut self, other: &Self) {
        for (&key, more) in &other.counts {
            let count = self.counts.entry(key).or_default();
            count.n_events += more.n_events;
            count.n_runs += more.n_runs;
        }
    }

    /// All of them, ordered by template.
    pub(crate) fn list(&self) -> Vec<TruthTemplate> {
        self.counts
            .iter()
            .map(|(&(template, level, class), count)| TruthTemplate {
                template,
                level,
                class,
                n_events: count.n_events,
                n_runs: count.n_runs,
            })
            .collect()
    }
}

/// Milliseconds as microseconds.
pub(crate) fn micros(ms: u64) -> i64 {
    i64::try_from(ms).unwrap_or(i64::MAX / 1000) * 1000
}
