//! Dumps of all four formats, drawn at random from a seed, with the truth about them beside them.
//!
//! The same plan gives the same bytes and the same truth on every machine: an own random number
//! generator, integers only, no clock. Nothing is read or written here; finished pieces are handed to a
//! writer ([`stream`]) or to a callback ([`files`]), so memory holds one run and the truth of the
//! finished ones.
//!
//! The logs are modelled on what real ones look like, surprises included, as long as the rules
//! of the design page leave no doubt what is true of them. Hostile input is not drawn at random;
//! it stands in `testdata/`.

mod alloy;
mod apify;
mod cloudflare;
mod demo;
mod put;
mod rng;
mod schedule;
mod truth;
mod words;

use std::io::{self, Write};
use std::path::Path;

pub use demo::{Demo, demo};
pub use truth::{Levels, Truth, TruthClass, TruthLevel, TruthRun, TruthStatus, TruthStep, TruthTemplate};

/// The formats, by the ids the command line uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FormatId {
    /// `apify-log`.
    ApifyLog,
    /// `apify-schedule`.
    ApifySchedule,
    /// `cloudflare-build`.
    CloudflareBuild,
    /// `alloy-execution`.
    AlloyExecution,
}

impl FormatId {
    /// All of them.
    pub const ALL: [Self; 4] =
        [Self::ApifyLog, Self::ApifySchedule, Self::CloudflareBuild, Self::AlloyExecution];

    /// Its spelling.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ApifyLog => "apify-log",
            Self::ApifySchedule => "apify-schedule",
            Self::CloudflareBuild => "cloudflare-build",
            Self::AlloyExecution => "alloy-execution",
        }
    }

    /// The format with this id.
    #[must_use]
    pub fn from_id(id: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.as_str() == id)
    }
}

/// How much is to be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Amount {
    /// At least so many bytes; writing stops at the end of the run that reaches them.
    Bytes(u64),
    /// So many runs (relayed children not counted).
    Runs(u64),
}

/// How much of the truth is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Detail {
    /// Every run.
    #[default]
    Runs,
    /// Totals and message templates only: [`Truth::runs`] of a stream stays empty, and memory flat
    /// whatever its size. (A schedule's run takes 80 bytes of text and several hundred of truth.)
    Totals,
}

/// What is to be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plan {
    /// The format.
    pub format: FormatId,
    /// The seed.
    pub seed: u64,
    /// How much.
    pub amount: Amount,
    /// First instant, in milliseconds since 1970.
    pub start_ms: u64,
    /// What [`stream`] keeps of the truth; [`files`] keeps every run.
    pub detail: Detail,
}

impl Plan {
    /// A plan whose first run starts on 1 November 2025.
    #[must_use]
    pub const fn new(format: FormatId, seed: u64, amount: Amount) -> Self {
        Self { format, seed, amount, start_ms: 1_761_955_200_000, detail: Detail::Runs }
    }
}

/// Takes the files of a dump one by one: path relative to the dump (with `/`), and content.
pub type Sink<'a> = dyn FnMut(&Path, &[u8]) -> io::Result<()> + 'a;

/// Writes a dump as one stream and returns the truth about it.
///
/// `stem` is the name the file will have, without its extension: readers derive ids from it.
/// Apify: the logs of many runs one after the other. Schedule: one entry per line. Cloudflare: one
/// answer of the API per line, each with a whole build. Alloy: one execution per line.
///
/// # Errors
/// What the writer says.
pub fn stream(plan: &Plan, stem: &str, out: &mut dyn Write) -> io::Result<Truth> {
    match plan.format {
        FormatId::ApifyLog => apify::stream(plan, stem, out),
        FormatId::ApifySchedule => schedule::stream(plan, stem, out),
        FormatId::CloudflareBuild => cloudflare::stream(plan, stem, out),
        FormatId::AlloyExecution => alloy::stream(plan, stem, out),
    }
}

/// Writes a dump as the files a download would leave and returns the truth about it:
/// `apify/<actor>/<runId>.log`, `apify-schedules/<id>.json`,
/// `cloudflare/<worker>/<build_uuid>/page-0001.json`, `alloy/<workflowId>/page-0000.json`.
///
/// # Errors
/// What the callback says.
pub fn files(plan: &Plan, sink: &mut Sink<'_>) -> io::Result<Truth> {
    let mut truth = Truth::default();
    match plan.format {
        FormatId::ApifyLog => apify::files(plan, sink, &mut truth)?,
        FormatId::ApifySchedule => schedule::files(plan, sink, &mut truth)?,
        FormatId::CloudflareBuild => cloudflare::files(plan, sink, &mut truth)?,
        FormatId::AlloyExecution => alloy::files(plan, sink, &mut truth)?,
    }
    Ok(truth)
}
