//! The schema of every table: names, types, units, meanings, what null says.
//!
//! Everything that describes tables derives from these lists: the data frames, the writers, `logmill schema`
//! and the tests. How rows become columns is in [`crate::tables`] and [`crate::events`].

mod columns;
mod print;

pub use print::{json, markdown};

/// A table of the report, or the table of events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Table {
    /// One row per run.
    Runs,
    /// One row per step of a run.
    Steps,
    /// One row per event.
    Events,
    /// One row per group of errors.
    Errors,
    /// One row per request that was retried or lost.
    Requests,
    /// One row per group and time bucket.
    Rates,
    /// One row per group, step and outcome.
    Durations,
    /// One row per value a log states.
    Metrics,
    /// One row per thing that could not be read as expected.
    Issues,
    /// One row per input file or archive member.
    Files,
}

impl Table {
    /// Every table, in the order they are documented and written in.
    pub const ALL: &'static [Self] = &[
        Self::Runs,
        Self::Steps,
        Self::Events,
        Self::Errors,
        Self::Requests,
        Self::Rates,
        Self::Durations,
        Self::Metrics,
        Self::Issues,
        Self::Files,
    ];

    /// Its name, which is also the stem of its file.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Runs => "runs",
            Self::Steps => "steps",
            Self::Events => "events",
            Self::Errors => "errors",
            Self::Requests => "requests",
            Self::Rates => "rates",
            Self::Durations => "durations",
            Self::Metrics => "metrics",
            Self::Issues => "issues",
            Self::Files => "files",
        }
    }

    /// The table called `name`, if there is one.
    #[must_use]
    pub fn from_word(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|table| table.as_str() == name)
    }

    /// Every table of a report: all but the events, which are streamed.
    pub fn of_report() -> impl Iterator<Item = Self> {
        Self::ALL.iter().copied().filter(|&table| table != Self::Events)
    }

    /// What one row stands for, to follow "one row per".
    #[must_use]
    pub const fn row(self) -> &'static str {
        match self {
            Self::Runs => {
                "run: an Apify run or build, a Cloudflare build, an Alloy execution, a firing of an Apify schedule"
            }
            Self::Steps => "step of a run",
            Self::Events => "event: one thing said at one instant, with all its lines",
            Self::Errors => {
                "group of error and warning events whose messages differ in numbers, ids and names only"
            }
            Self::Requests => "crawler request that was retried or lost",
            Self::Rates => {
                "group and time bucket; a run counts, with all it holds, in the bucket it started in"
            }
            Self::Durations => "group, step (null: the whole run) and outcome",
            Self::Metrics => "value a log states",
            Self::Issues => "thing that could not be read as expected",
            Self::Files => "input file or archive member",
        }
    }

    /// How rows are ordered, to follow "ordered by".
    #[must_use]
    pub const fn order(self) -> &'static str {
        match self {
            Self::Runs => "platform, group, started_at (nulls last), run_id",
            Self::Steps => "run (as in `runs`), seq",
            Self::Events => "run, seq",
            Self::Errors => "n_events (most first), group_id",
            Self::Requests => "run (as in `runs`), first_seen, url, request_id",
            Self::Rates => "platform, kind, group, bucket_start",
            Self::Durations => {
                "platform, kind, group, step (whole runs first), outcome (all, succeeded, failed)"
            }
            Self::Metrics => "run (as in `runs`), place in the log",
            Self::Issues => "source, place in it, code",
            Self::Files => "source, member",
        }
    }

    /// Its columns, in order.
    #[must_use]
    pub const fn columns(self) -> &'static [Column] {
        match self {
            Self::Runs => columns::RUNS,
            Self::Steps => columns::STEPS,
            Self::Events => columns::EVENTS,
            Self::Errors => columns::ERRORS,
            Self::Requests => columns::REQUESTS,
            Self::Rates => columns::RATES,
            Self::Durations => columns::DURATIONS,
            Self::Metrics => columns::METRICS,
            Self::Issues => columns::ISSUES,
            Self::Files => columns::FILES,
        }
    }
}

impl std::fmt::Display for Table {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.as_str())
    }
}

/// One column of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: &'static str,
    /// Its type.
    pub dtype: Dtype,
    /// Unit of its numbers: `ms`, `bytes`, `0..=1`, or empty.
    pub unit: &'static str,
    /// The values it takes.
    pub values: Values,
    /// What it says.
    pub meaning: &'static str,
    /// What null says; `None` where it is never null.
    pub null_means: Option<&'static str>,
}

/// The values of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Values {
    /// Any.
    Any,
    /// One of these words.
    Words(&'static [&'static str]),
    /// The id of a format, or one of these words where the input is no log.
    Format(&'static [&'static str]),
}

impl Values {
    /// The only values there are; empty where anything may stand.
    #[must_use]
    pub fn words(self) -> Vec<&'static str> {
        match self {
            Self::Any => Vec::new(),
            Self::Words(words) => words.to_vec(),
            Self::Format(words) => {
                let ids = logmill_parse::format::ALL.iter().map(|format| format.about().id);
                ids.chain(words.iter().copied()).collect()
            }
        }
    }
}

/// Type of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dtype {
    /// UTF-8 text.
    Str,
    /// Signed, 64 bits.
    Int,
    /// Floating point, 64 bits; always finite.
    Float,
    /// True or false.
    Bool,
    /// Microseconds since 1970-01-01T00:00:00Z.
    Instant,
}

impl Dtype {
    /// The name used in documentation, which is Arrow's.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Str => "string",
            Self::Int => "int64",
            Self::Float => "float64",
            Self::Bool => "bool",
            Self::Instant => "timestamp[us, UTC]",
        }
    }
}
