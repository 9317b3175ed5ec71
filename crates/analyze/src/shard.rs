//! What one stretch of one input comes down to: counts, marks and messages per scope.
//!
//! A shard is made by one thread from the batches of one stretch and knows nothing of the
//! stretches around it. Its scopes are joined to runs in [`crate::assemble`].

mod collector;
mod issues;
mod pending;
mod tally;
mod texts;

use std::collections::BTreeMap;
use std::sync::Arc;

use logmill_parse::mark::{Opening, RunHead};
use logmill_parse::{Account, Carry, Class, Level, Micros};

pub use self::collector::Collector;
pub use self::issues::{IssueLog, ListedIssue};
pub use self::pending::{PendingMark, ScopeMark, StepUse};
pub use self::tally::{Backward, StampedAt, Tally, Times, widen_by};
pub use self::texts::{Measures, Texts};
use crate::assemble::Drafts;
use crate::model::Measure;

/// Distinct masked messages told apart; more are counted as [`OTHER`]. No window of a text holds
/// so many, so that where a text is cut decides nothing.
pub const MAX_TEMPLATES: usize = 100_000;

/// The template of what is too much to tell apart.
pub const OTHER: &str = "(other)";

/// Everything one stretch comes down to.
#[derive(Debug, Default)]
pub struct Shard {
    /// First byte behind what has been added.
    pub end: u64,
    /// Stretches of runs, in the order in which they begin.
    pub scopes: Vec<Scope>,
    /// Runs that have been assembled already, instead of scopes: see [`crate::assemble::named_runs`].
    pub runs: Drafts,
    /// Messages, told apart by class and template.
    pub templates: Vec<Template>,
    /// What its values are values of.
    pub measures: Vec<Arc<Measure>>,
    /// Problems.
    pub issues: IssueLog,
    /// Where the bytes and lines went.
    pub account: Account,
    /// Events.
    pub n_events: u64,
    /// Newlines in the bytes, counted apart from what the format says.
    pub n_newlines: u64,
    /// Whether the last byte closes a line; `None` where there is none.
    pub last_line: Option<LastLine>,
    /// Earliest and latest stamp.
    pub span: Option<(Micros, Micros)>,
    /// Where it begins and what was carried there, of a document that is to be read in such parts again.
    pub part: Option<(u64, Carry)>,
}

/// Whether the last byte of a stretch closes a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LastLine {
    /// It is a newline.
    Closed,
    /// It is not.
    Open,
}

/// A stretch of a shard that belongs to one run.
#[derive(Debug)]
pub struct Scope {
    /// The relayed run it belongs to; `None` for the input's own.
    pub stream: Option<StreamKey>,
    /// What opens it, if something does.
    pub boundary: Option<Boundary>,
    /// Stamp of its first event.
    pub first_ts: Option<Micros>,
    /// What its stamps are.
    pub times: Times,
    /// Counts.
    pub tally: Tally,
    /// Marks, with the number of the scope's events before each.
    pub marks: Vec<ScopeMark>,
    /// Error and warning messages, by index into [`Shard::templates`].
    pub messages: BTreeMap<u32, MessageUse>,
    /// Requests that did not go well.
    pub requests: Vec<RequestUse>,
    /// Values, in the order stated.
    pub metrics: Vec<MetricValue>,
    /// First byte of its first record.
    pub start: u64,
    /// First byte behind its last record.
    pub end: u64,
    /// Lines of the shard before `start`.
    pub line: u64,
    /// Events of the shard before its first, those left out included: as many as records where none tells several.
    pub record: u64,
    /// Where the stretch begins that may be read by itself.
    pub anchor: Anchor,
    /// Marks about crawls in it so far.
    crawl_marks: u32,
}

/// A place between two windows: what stands behind it can be read without what stands before it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Anchor {
    /// Byte.
    pub offset: u64,
    /// Lines before it: of the shard, or of the input once it has been assembled.
    pub lines: u64,
}

/// A relayed run.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct StreamKey {
    /// Its run id.
    pub run_id: String,
    /// Its program.
    pub name: String,
}

/// What opens a scope.
#[derive(Debug, Clone)]
pub enum Boundary {
    /// The source delimits runs itself.
    Run(RunHead<'static>),
    /// A program starts, perhaps again.
    Opening(Opening<'static>),
}

/// A message told apart by class and template.
#[derive(Debug, Clone)]
pub struct Template {
    /// Class of its events.
    pub class: Class,
    /// Masked message.
    pub text: Arc<str>,
}

/// How often a scope says a message.
#[derive(Debug, Clone)]
pub struct MessageUse {
    /// Events.
    pub n: u64,
    /// Most serious level.
    pub level: Level,
    /// Earliest and latest stamp.
    pub span: Option<(Micros, Micros)>,
    /// Lines of the shard before the first of them.
    pub line: u64,
    /// The first of them, cut.
    pub example: Arc<str>,
}

/// Failed attempts of one request within one crawl.
#[derive(Debug, Clone)]
pub struct RequestUse {
    /// How many of the scope's marks about crawls stand before the attempts.
    pub crawl_marks: u32,
    /// URL.
    pub url: Option<Arc<str>>,
    /// Id.
    pub id: Option<Arc<str>>,
    /// Retries.
    pub retried: u64,
    /// Times it was given up.
    pub lost: u64,
    /// First line of the last error.
    pub last_error: Arc<str>,
    /// First and last failed attempt.
    pub span: Option<(Micros, Micros)>,
}

/// A value a log states.
#[derive(Debug, Clone, PartialEq)]
pub struct MetricValue {
    /// When.
    pub ts: Option<Micros>,
    /// How much.
    pub value: f64,
    /// Of what, by index into [`Shard::measures`].
    pub of: u32,
}
