//! Marks: what a format knows about the run around a record, as data.
//!
//! A format says "here the phase `create` starts", "here the source says the run failed";
//! `logmill-analyze` assembles runs and steps from such marks and knows no platform.
//! Everything particular to a platform, names of phases and reasons included, comes in
//! through these values.

use std::borrow::Cow;

use crate::time::Micros;
use crate::vocabulary::{Kind, Status, StepKind};

/// A mark and the record it belongs to.
#[derive(Debug, Clone, PartialEq)]
pub struct Marked<'a> {
    /// Index of the record in the batch. The mark takes effect before that record is counted;
    /// an index behind the last record stands at the end of the batch.
    pub record: usize,
    /// The mark.
    pub mark: Mark<'a>,
}

/// Something the log says about the run, its steps, its requests or its figures.
///
/// Unless it says otherwise, a mark happens at the instant of its record and in its stream.
#[derive(Debug, Clone, PartialEq)]
pub enum Mark<'a> {
    /// The next run of the source begins here; everything up to the next `Run` belongs to it.
    Run(Box<RunHead<'a>>),
    /// An opening phase begins here: a run that starts, or starts again.
    Opening(Opening<'a>),
    /// A phase begins here and ends the one before it at the same depth. Naming the phase
    /// that is already open continues it.
    StepStart(StepStart<'a>),
    /// A phase ends here.
    StepEnd(StepEnd<'a>),
    /// A step the source delimits itself; the record is its event.
    Step(Box<Step<'a>>),
    /// The program is ready: its start-up is over.
    Ready,
    /// The last of these ends the work of the run; what follows is its closing, unless a crawl goes on there.
    Progress,
    /// The run ended, or the log says how.
    Outcome(Outcome<'a>),
    /// A fact about the run.
    Fact(Fact, Cow<'a, str>),
    /// A batch of requests begins.
    CrawlStart,
    /// Figures about requests. They are cumulative within a crawl.
    CrawlStats(CrawlStats),
    /// A batch of requests has come to its end.
    CrawlEnd,
    /// A request was retried or given up.
    Request(Request<'a>),
    /// A value the log states.
    Metric(Metric<'a>),
    /// The log of this run is not all there: which part is missing, and why.
    Incomplete(Missing, &'static str),
}

/// Which part of a log is missing. A further part of the same log (a page, a dump) may have it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Missing {
    /// Its beginning: an earlier part may have it.
    Head,
    /// Something in between.
    Middle,
    /// Its end: a later part may have it.
    Tail,
}

/// A run that the source itself delimits.
#[derive(Debug, Clone, PartialEq)]
pub struct RunHead<'a> {
    /// What kind of run.
    pub kind: Kind,
    /// Where its id comes from.
    pub id: RunId<'a>,
    /// Its start and stop, where the source states them; else its records' first and last stamps.
    pub bounds: Bounds,
}

/// Where the id of a run comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RunId<'a> {
    /// The source states it.
    Stated(Cow<'a, str>),
    /// The file's own id, `@`, and this.
    Within(Cow<'a, str>),
    /// The file's own id.
    File,
}

/// Start and stop of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bounds {
    /// First and last stamp of its records.
    Records,
    /// As the source states them.
    Stated {
        /// Start, if stated.
        started_at: Option<Micros>,
        /// Stop, if stated.
        stopped_at: Option<Micros>,
    },
}

/// The opening phases of a run come in a fixed order (`rank`). An opening whose rank does not
/// rise above the one before it, or that follows other output, starts a new run or segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opening<'a> {
    /// Place in the opening sequence.
    pub rank: u8,
    /// Name of the phase it begins.
    pub name: &'static str,
    /// What is being started (a build id): a second start of the same thing may be a restart.
    pub fingerprint: Option<Cow<'a, str>>,
    /// How the rest of the run is named, on the last opening of the sequence.
    pub lifecycle: Option<&'static Lifecycle>,
}

/// Names of the phases that follow the last opening phase, which itself ends at the first
/// record that is not of class `platform`.
#[derive(Debug, PartialEq, Eq)]
pub struct Lifecycle {
    /// From the first output to [`Mark::Ready`], where that comes later.
    pub init: &'static str,
    /// From there to the last [`Mark::Progress`] behind which no crawl begins or goes on, else to the last
    /// record.
    pub work: &'static str,
    /// From the last [`Mark::Progress`] to the last record.
    pub shutdown: &'static str,
    /// Name of the metric that says how long the program took from its start to [`Mark::Ready`].
    pub ready_metric: &'static str,
    /// The opening phase that fetches what is started, and how long in milliseconds it takes at
    /// most where nothing had to be fetched.
    pub fetch: (&'static str, i64),
}

/// A phase that begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepStart<'a> {
    /// Its name.
    pub name: Cow<'a, str>,
    /// Phase or sub-step.
    pub kind: StepKind,
    /// 0 for phases of the run, 1 for parts of a phase.
    pub depth: u8,
    /// Tells interleaved sub-steps apart; those with a key end only at a `StepEnd` with it.
    pub key: Option<Cow<'a, str>>,
}

/// A phase that ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepEnd<'a> {
    /// Depth of the phase.
    pub depth: u8,
    /// Key of the sub-step, where it started with one.
    pub key: Option<Cow<'a, str>>,
    /// How it ended.
    pub status: Status,
    /// What went wrong, if the log says.
    pub error: Option<Cow<'a, str>>,
}

/// A step the source delimits itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step<'a> {
    /// Its name.
    pub name: Cow<'a, str>,
    /// Step or phase.
    pub kind: StepKind,
    /// What performed it.
    pub connector_id: Option<Cow<'a, str>>,
    /// Start, if stated.
    pub started_at: Option<Micros>,
    /// Stop, if stated.
    pub stopped_at: Option<Micros>,
    /// How it ended.
    pub status: Status,
    /// HTTP status it states, if any.
    pub status_code: Option<i64>,
    /// What went wrong, if anything.
    pub error: Option<Cow<'a, str>>,
}

/// Evidence for how a run ended. The heaviest stands; of equal weight, the last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome<'a> {
    /// The verdict.
    pub status: Status,
    /// The evidence, in a word or the source's own words.
    pub reason: Cow<'a, str>,
    /// Class of the failure, where the platform distinguishes them.
    pub failure_class: Option<&'static str>,
    /// Which evidence stands when there are several.
    pub weight: u8,
    /// What takes the evidence back.
    pub revoked_by: Revocation,
}

/// What takes an [`Outcome`] back. A new segment always does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Revocation {
    /// Nothing.
    Never,
    /// A later record that has a level: the program went on.
    Level,
    /// A later record of class `platform`: the platform went on.
    Platform,
}

/// What a [`Mark::Fact`] is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fact {
    /// Build that was run.
    BuildId,
    /// Version of the crawler or deployment tool.
    ToolVersion,
    /// Branch that was built.
    Branch,
    /// Commit that was built.
    Commit,
}

/// Figures about the requests of one crawl so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CrawlStats {
    /// Requests handled well.
    pub finished: Option<u64>,
    /// Requests given up.
    pub failed: Option<u64>,
    /// Requests that needed at least one retry.
    pub retried: Option<u64>,
    /// Retries in all.
    pub retries: Option<u64>,
    /// Requests counted by the retry histogram.
    pub counted: Option<u64>,
    /// Whether these are the crawl's last figures.
    pub stage: CrawlStage,
}

/// Whether figures are the crawl's last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CrawlStage {
    /// There will be more.
    #[default]
    Running,
    /// The crawl is over.
    Final,
}

/// A request that did not go well.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request<'a> {
    /// Its URL, where stated.
    pub url: Option<Cow<'a, str>>,
    /// Its id, where stated.
    pub id: Option<Cow<'a, str>>,
    /// Retries so far, where stated.
    pub retry_count: Option<u32>,
    /// What became of it.
    pub fate: Fate,
}

/// What became of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It will be tried again.
    Retried,
    /// It was given up.
    Lost,
}

/// A value the log states.
#[derive(Debug, Clone, PartialEq)]
pub struct Metric<'a> {
    /// What is measured, `snake_case`.
    pub name: Cow<'static, str>,
    /// The value.
    pub value: f64,
    /// Its unit: `ms`, `bytes`, `requests`, `1/min`, `ratio`, `count` or empty.
    pub unit: &'static str,
    /// Which one, where there are several (a crawler, a tool).
    pub label: Cow<'a, str>,
}
