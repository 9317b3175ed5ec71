//! The columns of every table, one list per table.

use logmill_analyze::model::{OutcomeFilter, RequestOutcome};
use logmill_parse::{Class, Kind, Level, Platform, Severity, Status, StepKind};

use super::{Column, Dtype, Values};

const fn column(dtype: Dtype, name: &'static str, meaning: &'static str) -> Column {
    Column { name, dtype, unit: "", values: Values::Any, meaning, null_means: None }
}

const fn text(name: &'static str, meaning: &'static str) -> Column {
    column(Dtype::Str, name, meaning)
}

const fn int(name: &'static str, meaning: &'static str) -> Column {
    column(Dtype::Int, name, meaning)
}

const fn float(name: &'static str, meaning: &'static str) -> Column {
    column(Dtype::Float, name, meaning)
}

const fn flag(name: &'static str, meaning: &'static str) -> Column {
    column(Dtype::Bool, name, meaning)
}

const fn instant(name: &'static str, meaning: &'static str) -> Column {
    column(Dtype::Instant, name, meaning)
}

/// Whole milliseconds: floor of the stop less floor of the start.
const fn millis(name: &'static str, meaning: &'static str) -> Column {
    int(name, meaning).unit("ms")
}

const fn bytes(name: &'static str, meaning: &'static str) -> Column {
    int(name, meaning).unit("bytes")
}

const fn ratio(name: &'static str, meaning: &'static str) -> Column {
    float(name, meaning).unit("0..=1")
}

impl Column {
    const fn unit(self, unit: &'static str) -> Self {
        Self { unit, ..self }
    }

    const fn values(self, values: &'static [&'static str]) -> Self {
        Self { values: Values::Words(values), ..self }
    }

    const fn null(self, means: &'static str) -> Self {
        Self { null_means: Some(means), ..self }
    }

    const fn meaning(self, meaning: &'static str) -> Self {
        Self { meaning, ..self }
    }
}

/// The spellings of a list of words, at compile time.
macro_rules! spelt {
    ($words:expr) => {
        &{
            let mut spelt = [""; $words.len()];
            let mut at = 0;
            while at < spelt.len() {
                spelt[at] = $words[at].as_str();
                at += 1;
            }
            spelt
        }
    };
}

const PLATFORMS: &[&str] = spelt!(Platform::ALL);
const KINDS: &[&str] = spelt!(Kind::ALL);
const LEVELS: &[&str] = spelt!(Level::ALL);
const CLASSES: &[&str] = spelt!(Class::ALL);
const STATUSES: &[&str] = spelt!(Status::ALL);
const STEP_KINDS: &[&str] = spelt!(StepKind::ALL);
const SEVERITIES: &[&str] = spelt!([Severity::Error, Severity::Warning, Severity::Info]);
const REQUEST_OUTCOMES: &[&str] =
    spelt!([RequestOutcome::Lost, RequestOutcome::Recovered, RequestOutcome::Open]);
const OUTCOMES: &[&str] = spelt!([OutcomeFilter::All, OutcomeFilter::Succeeded, OutcomeFilter::Failed]);

/// What an input is that is no log.
const NO_LOGS: &[&str] = &["metadata", "error-body", "empty", "own-output", "unknown"];

const PLATFORM: Column = text("platform", "platform the log comes from").values(PLATFORMS);
const KIND: Column =
    text("kind", "kind of run").values(KINDS).null("the log does not show what kind of run it is");
const GROUP: Column = text("group", "what it is a run of: actor, worker, workflow, schedule");
const RUN_ID: Column = text("run_id", "id of the run, unique per platform");

const NO_STAMP: &str = "no record of it has a stamp with a date";
const NO_ENDS: &str = "start or stop is unknown";
const NO_DURATIONS: &str = "there is no duration to take it of (n = 0)";
const NOT_STATED: &str = "the log does not state it";
const NOTHING_TO_DIVIDE: &str = "there is nothing to divide by";
const NO_MEMBER: &str = "the input is not an archive";
const WHOLE_INPUT: &str = "the input as a whole is meant";
const COMPLETE: &str = "nothing is known to be missing";

/// Path of an input as it was given, whatever the system's separator.
const SOURCE: Column = text("source", "path of the input as given, with `/`");
const MEMBER: Column = text("member", "name of the archive member").null(NO_MEMBER);
const LINE: &str = "line in the decompressed input, from 1";
const OFFSET: &str = "place of its first byte in the decompressed input, from 0";

pub(super) const RUNS: &[Column] = &[
    PLATFORM,
    KIND,
    GROUP,
    RUN_ID,
    SOURCE.meaning("path of the first input the run was read from, as given, with `/`"),
    instant("started_at", "first instant of the run").null(NO_STAMP),
    instant("stopped_at", "last instant of the run").null(NO_STAMP),
    millis("duration_ms", "from started_at to stopped_at").null(NO_ENDS),
    millis(
        "tail_gap_ms",
        "from the stop of the last depth-0 step to stopped_at; closes the sum of steps and gaps",
    )
    .null("the run has no depth-0 step with a stop, or no stop itself"),
    text("status", "how the run ended, as far as the log or the metadata beside it says").values(STATUSES),
    text("status_reason", "the evidence for the status, in a word or the source's own words"),
    text("failure_class", "class of the failure, where the platform distinguishes them")
        .null("the run did not fail, or the platform does not say"),
    int("n_lines", "physical lines of its events"),
    int("n_events", "events"),
    int(
        "n_errors",
        "events of class failure or crash, and error-level events (critical, error, soft_fail) that are not retries",
    ),
    int("n_warnings", "warn-level events that are not retries"),
    int("n_retries", "events of class retry, whatever their level"),
    ratio("error_rate", "n_errors / n_events").null(NOTHING_TO_DIVIDE),
    int("n_steps", "rows of `steps` that belong to it"),
    int("n_failed_steps", "those among them that failed or timed out"),
    int("requests_finished", "requests handled well, by the crawlers' own figures").null(NOT_STATED),
    int("requests_failed", "requests given up, by the crawlers' own figures").null(NOT_STATED),
    int("request_retries", "retries of counted requests, by the crawlers' own figures").null(NOT_STATED),
    text(
        "first_error",
        "first line of the first error's message; of a crash with the line that says what happened",
    )
    .null("it has no error"),
    text("build_id", "build that was run").null(NOT_STATED),
    text("tool_version", "version of the crawler or deployment tool").null(NOT_STATED),
    text("branch", "branch that was built").null(NOT_STATED),
    text("commit", "commit that was built").null(NOT_STATED),
    flag("complete", "whether all of its log is there, as far as can be told"),
    text("incomplete_reason", "why it is known to be incomplete").null(COMPLETE),
];

pub(super) const STEPS: &[Column] = &[
    PLATFORM,
    KIND,
    GROUP,
    RUN_ID,
    int("seq", "place among the run's steps, from 1, in order of appearance"),
    int("parent_seq", "seq of the step it is part of").null("it stands directly in the run"),
    int("depth", "0 for the steps that, with the gaps before them, add up to the run; deeper ones lie inside those"),
    text("step_kind", "how it is delimited").values(STEP_KINDS),
    text("name", "its name"),
    text("connector_id", "connector that performed it (Alloy)").null(NOT_STATED),
    instant("started_at", "its start").null(NOT_STATED),
    instant("stopped_at", "its stop").null(NOT_STATED),
    millis("duration_ms", "from started_at to stopped_at").null(NO_ENDS),
    millis("gap_before_ms", "from the stop of the step before it (for the first one: the start of the run) to its start; negative where they overlap")
        .null("it stands deeper than 0, or one of the two ends is unknown"),
    float("share", "its duration over the run's; above 1 where it outlasts the run")
        .unit("ratio")
        .null("one of the two durations is unknown, or the run's is 0"),
    text("status", "how it ended").values(STATUSES),
    int("status_code", "HTTP status it states").null(NOT_STATED),
    text("error", "what went wrong").null("nothing, or the log does not say"),
];

pub(super) const EVENTS: &[Column] = &[
    PLATFORM,
    KIND,
    GROUP,
    RUN_ID,
    int("seq", "place among the run's events, from 1"),
    instant("ts", "first stamp present").null("none of its lines has a stamp that could be read"),
    text("level", "how serious the source says it is; `none` where the line carries no level").values(LEVELS),
    text("class", "what the event says, whatever its level").values(CLASSES),
    text("logger", "logger prefix, connector or tool; empty where none stands"),
    text("message", "the joined text, without stamps, level, logger, payload and terminal colours"),
    text("payload", "the JSON behind the message, or the source's own data, as it stands")
        .null("there is none"),
    int("step_seq", "seq of the step it falls in").null("it falls in none"),
    text("step", "name of the step it falls in").null("it falls in none"),
    SOURCE,
    MEMBER,
    int("line", LINE),
    bytes("byte_offset", OFFSET),
    int("n_lines", "its physical lines; 0 where it starts on the line of the event before it (JSON)"),
    bytes("n_bytes", "its length in the decompressed input, newlines included"),
    flag("lossy", "whether bytes of it are not UTF-8 and were replaced by U+FFFD"),
];

pub(super) const ERRORS: &[Column] = &[
    PLATFORM,
    KIND.meaning("kind of run, if all its events come from one kind")
        .null("they come from several, or the logs do not show it"),
    GROUP.meaning("group, if all its events come from one").null("they come from several"),
    RUN_ID.meaning("run of the example"),
    text(
        "group_id",
        "sixteen hex digits that depend on platform, class and template only, hence stay from dump to dump",
    ),
    text("template", "the message with numbers, ids, URLs, paths and quoted values masked"),
    text("level", "most serious level among its events").values(LEVELS),
    text("class", "class of its events; `retry` was tried again, `failure` and `crash` were lost for good")
        .values(CLASSES),
    text("failure_class", "class of failure, if all runs that hold it ended with the same one")
        .null("they did not, or the platform does not distinguish classes"),
    int("n_events", "events"),
    int("n_runs", "runs that hold one"),
    instant("first_seen", "earliest of its instants").null(NO_STAMP),
    instant("last_seen", "latest of its instants").null(NO_STAMP),
    text("example", "one of its messages as it stands in the log, cut at 500 characters"),
    text("example_source", "path of the input the example stands in; `ARCHIVE!MEMBER` in an archive"),
    int("example_line", "line the example stands on, from 1"),
];

pub(super) const REQUESTS: &[Column] = &[
    PLATFORM,
    KIND,
    GROUP,
    RUN_ID,
    text("url", "its URL").null(NOT_STATED),
    text("request_id", "its id").null(NOT_STATED),
    int("attempts", "failed attempts seen in the log"),
    text(
        "outcome",
        "what became of it: given up; retried in a crawl that handled every retried request; not told",
    )
    .values(REQUEST_OUTCOMES),
    text("last_error", "first line of the last attempt's error"),
    instant("first_seen", "first failed attempt").null(NO_STAMP),
    instant("last_seen", "last failed attempt").null(NO_STAMP),
];

pub(super) const RATES: &[Column] = &[
    PLATFORM,
    KIND,
    GROUP,
    instant("bucket_start", "start of the time bucket").null("gathers the runs without a start"),
    int("n_runs", "runs"),
    int("n_succeeded", "runs that succeeded"),
    int("n_failed", "runs that failed"),
    int("n_timed_out", "runs that timed out"),
    int("n_aborted", "runs that were aborted or skipped"),
    int("n_unknown", "runs that are running or whose end is unknown"),
    ratio("run_failure_rate", "(n_failed + n_timed_out) / (n_succeeded + n_failed + n_timed_out)")
        .null(NOTHING_TO_DIVIDE),
    ratio("run_failure_rate_low", "lower end of its Wilson 95 % interval").null(NOTHING_TO_DIVIDE),
    ratio("run_failure_rate_high", "upper end of its Wilson 95 % interval").null(NOTHING_TO_DIVIDE),
    int("n_events", "events"),
    int("n_errors", "errors, as in `runs`"),
    ratio("error_rate", "n_errors / n_events").null(NOTHING_TO_DIVIDE),
    int("n_requests", "requests finished and failed, by the crawlers' own figures"),
    ratio("request_failure_rate", "requests failed / n_requests").null(NOTHING_TO_DIVIDE),
    int("n_steps", "steps at depth 0"),
    ratio("step_failure_rate", "those that failed or timed out / n_steps").null(NOTHING_TO_DIVIDE),
    millis("p50_ms", "median duration of the runs that ended, nearest rank").null("none of the runs has one"),
    millis("p95_ms", "95th percentile of the same durations, nearest rank").null("none of the runs has one"),
];

pub(super) const DURATIONS: &[Column] = &[
    PLATFORM,
    KIND,
    GROUP,
    text("step", "name of the step").null("the figures are of whole runs"),
    text("outcome", "which runs or steps the figures are of; `failed` includes those that timed out")
        .values(OUTCOMES),
    int("n", "durations the figures are of"),
    int("n_incomplete", "left out, because the run is incomplete, has no known end, or has no duration"),
    millis("min_ms", "shortest").null(NO_DURATIONS),
    millis("p50_ms", "median, nearest rank").null(NO_DURATIONS),
    millis("p90_ms", "90th percentile, nearest rank").null(NO_DURATIONS),
    millis("p95_ms", "95th percentile, nearest rank").null(NO_DURATIONS),
    millis("p99_ms", "99th percentile, nearest rank").null(NO_DURATIONS),
    millis("max_ms", "longest").null(NO_DURATIONS),
    float("mean_ms", "mean").unit("ms").null(NO_DURATIONS),
    millis("total_ms", "sum").null(NO_DURATIONS),
];

pub(super) const METRICS: &[Column] = &[
    PLATFORM,
    KIND,
    GROUP,
    RUN_ID,
    instant("ts", "instant of the event that states it").null("the event has no stamp"),
    text("name", "what is measured, in snake case"),
    float("value", "how much").unit("see `unit`").null("the log states no finite number"),
    text("unit", "unit of the value: `ms`, `bytes`, `requests`, `1/min`, `ratio`, `count`, or empty"),
    text("label", "which one, where there are several (a crawler, a tool, a file); else empty"),
];

pub(super) const ISSUES: &[Column] = &[
    text("code", "what kind of problem; `logmill explain CODE` tells more"),
    text("severity", "how much it matters").values(SEVERITIES),
    SOURCE,
    MEMBER,
    int("line", LINE).null(WHOLE_INPUT),
    bytes("byte_offset", OFFSET).null(WHOLE_INPUT),
    text("message", "what was expected and what was found"),
    text("raw_prefix", "first bytes of what it concerns, escaped, at most 80"),
];

pub(super) const FILES: &[Column] = &[
    PLATFORM.null("the format is not known, or the input is no log"),
    SOURCE,
    MEMBER,
    Column {
        values: Values::Format(NO_LOGS),
        ..text("format", "id of its format, or what it is instead of a log")
    },
    bytes("bytes", "its decompressed size; the five columns that follow n_events add up to it"),
    int("n_lines", "physical lines"),
    int("n_events", "events"),
    bytes("bytes_record", "first lines of events, or the elements that are events"),
    bytes("bytes_continuation", "further lines of events"),
    bytes("bytes_structure", "blank lines, byte order marks, JSON punctuation, keys"),
    bytes("bytes_duplicate", "repetitions: replays, repeated pages, doubled records"),
    bytes("bytes_rejected", "what could not be read"),
    instant("min_ts", "earliest stamp").null("no stamp was read"),
    instant("max_ts", "latest stamp").null("no stamp was read"),
    flag("complete", "whether everything was read and nothing says that some is missing"),
    text("incomplete_reason", "why it is not complete").null(COMPLETE),
];
