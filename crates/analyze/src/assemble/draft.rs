//! A run as one group of inputs tells it, before the survey finishes it.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Arc;

use logmill_parse::mark::{CrawlStats, Fact};
use logmill_parse::{About, Kind, Micros, Status};

use super::{Numbers, Place};
use crate::metrics::Values;
use crate::phases::{Startup, StepDraft};
use crate::shard::{Anchor, RequestUse, StampedAt, Times, widen_by};

/// A run as one group of inputs tells it.
#[derive(Debug)]
pub struct RunDraft {
    /// Format it was read by.
    pub about: &'static About,
    /// Kind of run.
    pub kind: Option<Kind>,
    /// Group.
    pub group: String,
    /// Id.
    pub run_id: String,
    /// Where the id comes from.
    pub origin: DraftOrigin,
    /// Start and stop.
    pub bounds: (Option<Micros>, Option<Micros>),
    /// Verdict and evidence.
    pub verdict: Verdict,
    /// Counts.
    pub counts: Counts,
    /// Steps at all depths.
    pub steps: Vec<StepDraft>,
    /// Figures about requests, summed over crawls.
    pub crawls: CrawlStats,
    /// Requests that did not go well.
    pub requests: Vec<RequestDraft>,
    /// Facts.
    pub facts: Facts,
    /// Values, of measures of the group and later of the survey.
    pub metrics: Arc<Values>,
    /// What its starts cost.
    pub startups: Vec<Startup>,
    /// Messages with their templates, of the group and later of the survey, in the order of these.
    pub messages: Vec<(u32, MessageDraft)>,
    /// First line of the first error.
    pub first_error: Option<String>,
    /// Why its log is not all there.
    pub incomplete: Option<&'static str>,
    /// Where its events stand.
    pub extents: Vec<Extent>,
    /// Input it was first found in.
    pub home: usize,
    /// What its bounds and the stamps of its steps are.
    pub times: Times,
    /// When it was asked for, if metadata says.
    pub queued_at: Option<Micros>,
    /// Stamps that step back: how many, and the first with its input.
    pub backward: Option<(u64, (usize, StampedAt))>,
}

impl RunDraft {
    /// Makes lines, records and numbers of a run those of its group: it was assembled from a shard alone, which
    /// stands at `place`.
    pub fn settle(&mut self, place: Place, numbers: &Numbers) {
        for extent in &mut self.extents {
            extent.lines += place.lines;
            extent.record += place.record;
            extent.anchor.lines += place.lines;
        }
        for (_, message) in &mut self.messages {
            message.place.1 += place.lines;
        }
        if let Some((_, (_, first))) = &mut self.backward {
            first.line += place.lines;
        }
        let messages = std::mem::take(&mut self.messages);
        self.messages = renumbered(messages, |index| numbers.templates.get(index as usize).copied());
        if let Some(values) = Arc::get_mut(&mut self.metrics) {
            values.renumber(&numbers.measures);
        }
    }
}

/// Facts about a run, of which there are few.
#[derive(Debug, Default)]
pub struct Facts(Vec<(Fact, String)>);

impl Facts {
    /// What is known.
    #[must_use]
    pub fn get(&self, fact: Fact) -> Option<&str> {
        self.0.iter().find(|(known, _)| *known == fact).map(|(_, value)| value.as_str())
    }

    /// Takes in what overrules whatever is known.
    pub fn insert(&mut self, fact: Fact, value: String) {
        self.0.retain(|(known, _)| *known != fact);
        self.0.push((fact, value));
    }

    /// Takes in what counts unless something is known already.
    pub fn insert_first(&mut self, fact: Fact, value: String) {
        if self.get(fact).is_none() {
            self.0.reserve_exact(1);
            self.0.push((fact, value));
        }
    }
}

/// Where the id of a draft comes from; a better one wins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum DraftOrigin {
    /// The source states it.
    Stated,
    /// The path holds an id.
    Path,
    /// The path has only a stem.
    Stem,
    /// Another run's log relays it.
    Relayed,
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// Status.
    pub status: Status,
    /// Evidence.
    pub reason: String,
    /// Class of failure.
    pub failure_class: Option<&'static str>,
}

/// Sums over the scopes of a run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Physical lines.
    pub n_lines: u64,
    /// Events.
    pub n_events: u64,
    /// Errors.
    pub n_errors: u64,
    /// Warnings.
    pub n_warnings: u64,
    /// Retries.
    pub n_retries: u64,
    /// Bytes.
    pub bytes: u64,
}

/// One template's events in one run.
#[derive(Debug, Clone)]
pub struct MessageDraft {
    /// Events.
    pub n: u64,
    /// Most serious level.
    pub level: logmill_parse::Level,
    /// Earliest and latest stamp.
    pub span: Option<(Micros, Micros)>,
    /// Input and line of the first.
    pub place: (usize, u64),
    /// The first, cut.
    pub example: Arc<str>,
}

impl MessageDraft {
    /// Adds further events of the same template.
    pub fn add(&mut self, other: &Self) {
        self.n += other.n;
        self.level = self.level.min(other.level);
        widen_by(&mut self.span, other.span);
        if other.place < self.place {
            self.place = other.place;
            self.example = Arc::clone(&other.example);
        }
    }
}

/// The messages of a run under other numbers of their templates; those whose templates have become one are
/// joined.
pub fn renumbered(
    messages: Vec<(u32, MessageDraft)>,
    mut number: impl FnMut(u32) -> Option<u32>,
) -> Vec<(u32, MessageDraft)> {
    let known = messages.into_iter().filter_map(|(template, message)| Some((number(template)?, message)));
    let mut messages: Vec<(u32, MessageDraft)> = known.collect();
    messages.sort_by_key(|(template, _)| *template);
    messages.dedup_by(|(template, message), (before, known)| {
        let is_same = template == before;
        if is_same {
            known.add(message);
        }
        is_same
    });
    messages
}

/// Adds a template's events to those of the same template.
pub fn join_message(messages: &mut BTreeMap<u32, MessageDraft>, template: u32, message: MessageDraft) {
    match messages.entry(template) {
        Entry::Vacant(slot) => drop(slot.insert(message)),
        Entry::Occupied(mut slot) => slot.get_mut().add(&message),
    }
}

/// Drafts of runs, which are sorted and handed on, and too large to be moved about.
pub type Drafts = Vec<Box<RunDraft>>;

/// One request in one crawl of a run.
#[derive(Debug, Clone)]
pub struct RequestDraft {
    /// What the scopes said.
    pub used: RequestUse,
    /// Whether its crawl ended with every retried request handled.
    pub drained: bool,
}

/// A stretch of an input in which events of a run stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Extent {
    /// Index of the input.
    pub input: usize,
    /// First byte.
    pub start: u64,
    /// First byte behind it.
    pub end: u64,
    /// Lines of the input before `start`.
    pub lines: u64,
    /// Events of the run before it.
    pub seq: u64,
    /// Events of the run in it.
    pub n_events: u64,
    /// Records of the input before the first of them.
    pub record: u64,
    /// Bytes of those events.
    pub bytes: u64,
    /// Physical lines of those events.
    pub n_lines: u64,
    /// Where reading may begin, of an input that cannot be read from any event on.
    pub anchor: Anchor,
}
