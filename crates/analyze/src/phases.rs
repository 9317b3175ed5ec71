//! Phases and steps of one run: where they start, where they stop, what lies inside what.
//!
//! Three kinds of sources meet here: the opening phases with the lifecycle behind them, phases
//! and sub-steps named by marks, and steps the source delimits itself. A run that was
//! restarted has a `segment` step for each incarnation, with its phases below it.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use logmill_parse::mark::{Lifecycle, Opening, StepEnd, StepStart};
use logmill_parse::time::duration_ms;
use logmill_parse::{Micros, Status, StepKind};

use crate::name::Name;
use crate::shard::{StepUse, Tally};

/// A step being built, and then as it is.
#[derive(Debug, Clone, PartialEq)]
pub struct StepDraft {
    /// Name; that of a phase is mostly one of the format's own.
    pub name: Name,
    /// How it is delimited.
    pub kind: StepKind,
    /// Depth.
    pub depth: u8,
    /// Index of the step it is part of.
    pub parent: Option<usize>,
    /// What performed it.
    pub connector_id: Option<Arc<str>>,
    /// Start.
    pub started_at: Option<Micros>,
    /// Stop.
    pub stopped_at: Option<Micros>,
    /// How it ended.
    pub status: Status,
    /// HTTP status.
    pub status_code: Option<i64>,
    /// What went wrong.
    pub error: Option<String>,
    /// Events of the run before it, and before what follows it.
    pub events: (u64, u64),
}

impl StepDraft {
    /// A step from one moment to another of which nothing more is known.
    pub fn new(name: impl Into<Name>, kind: StepKind, depth: u8, from: Moment, to: Moment) -> Self {
        Self {
            name: name.into(),
            kind,
            depth,
            parent: None,
            connector_id: None,
            started_at: from.1,
            stopped_at: to.1,
            status: Status::Unknown,
            status_code: None,
            error: None,
            events: (from.0, to.0),
        }
    }
}

/// Steps of a run, built mark by mark.
#[derive(Debug, Default)]
pub struct Phases {
    steps: Vec<StepDraft>,
    /// Open phase per depth.
    open: [Option<usize>; 2],
    /// Open sub-steps that have a key.
    keyed: BTreeMap<String, usize>,
    /// Finished segments: first step, first event.
    segments: Vec<Segment>,
    segment: Segment,
    startups: Vec<Startup>,
}

/// What one start of a program cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Startup {
    /// When the program was started.
    pub at: Micros,
    /// From there to its first output.
    pub first_output_ms: Option<i64>,
    /// From there to its being ready, and what that is called.
    pub ready_ms: Option<(&'static str, i64)>,
    /// How long fetching it took, what that is called, and whether it was there already.
    pub fetch_ms: Option<(&'static str, i64, &'static str)>,
}

/// One incarnation of the run.
#[derive(Debug, Default)]
struct Segment {
    first_step: usize,
    first_event: u64,
    last_rank: Option<u8>,
    /// Names of what follows the opening, and the opening's last phase.
    lifecycle: Option<(&'static Lifecycle, usize)>,
    first_output: Option<Moment>,
    ready: Option<Moment>,
    progress: Option<Moment>,
    last_ts: Option<Micros>,
    start_ts: Option<Micros>,
}

fn named(name: Cow<'static, str>) -> Name {
    match name {
        Cow::Borrowed(name) => Name::Static(name),
        Cow::Owned(name) => name.into(),
    }
}

/// A place in the run: events before it, and its stamp.
pub type Moment = (u64, Option<Micros>);

impl Phases {
    /// Whether an opening of this rank continues the opening sequence at hand.
    pub fn continues_opening(&self, rank: u8) -> bool {
        self.segment.first_output.is_none() && self.segment.last_rank.is_none_or(|last| rank > last)
    }

    /// Closes the segment at hand; what follows belongs to the next one.
    pub fn restart(&mut self, seq: u64) {
        let last_ts = self.segment.last_ts;
        self.close_segment(seq, last_ts);
        let next = Segment { first_step: self.steps.len(), first_event: seq, ..Segment::default() };
        self.segments.push(std::mem::replace(&mut self.segment, next));
    }

    /// An opening phase begins.
    pub fn open(&mut self, opening: &Opening<'_>, seq: u64, ts: Option<Micros>) {
        let start = StepStart { name: opening.name.into(), kind: StepKind::Phase, depth: 0, key: None };
        self.start(start, seq, ts);
        if self.segment.last_rank.is_none() {
            // What was said before the first start is not the output of what starts.
            self.segment.first_output = None;
        }
        self.segment.last_rank = Some(opening.rank);
        self.segment.start_ts = self.segment.start_ts.or(ts);
        if let (Some(lifecycle), Some(index)) = (opening.lifecycle, self.open[0]) {
            self.segment.lifecycle = Some((lifecycle, index));
        }
    }

    /// A phase begins.
    pub fn start(&mut self, start: StepStart<'static>, seq: u64, ts: Option<Micros>) {
        let depth = usize::from(start.depth.min(1));
        let open = match &start.key {
            Some(key) => self.keyed.get(key.as_ref()).copied(),
            None => self.open.get(depth).copied().flatten(),
        };
        let continues = open
            .and_then(|index| self.steps.get(index))
            .is_some_and(|step| start.key.is_some() || *step.name == *start.name);
        if continues {
            return;
        }
        if start.key.is_none() {
            self.close_from(depth, seq, ts);
        }
        let parent = if depth == 1 { self.open[0] } else { None };
        let index = self.steps.len();
        self.steps.push(StepDraft {
            parent,
            ..StepDraft::new(named(start.name), start.kind, start.depth.min(1), (seq, ts), (u64::MAX, None))
        });
        match start.key {
            Some(key) => drop(self.keyed.insert(key.into_owned(), index)),
            None => {
                if let Some(slot) = self.open.get_mut(depth) {
                    *slot = Some(index);
                }
            }
        }
    }

    /// A phase ends, its last event being the one at `seq`.
    pub fn end(&mut self, end: &StepEnd<'_>, seq: u64, ts: Option<Micros>) {
        let index = if let Some(key) = &end.key {
            self.keyed.remove(key.as_ref())
        } else {
            let depth = usize::from(end.depth.min(1));
            if depth == 0 {
                self.close_from(1, seq + 1, ts);
            }
            self.open.get_mut(depth).and_then(Option::take)
        };
        let Some(step) = index.and_then(|index| self.steps.get_mut(index)) else { return };
        step.stopped_at = ts;
        step.events.1 = seq + 1;
        step.status = end.status;
        step.error = end.error.as_ref().map(ToString::to_string);
    }

    /// A step the source delimits; its event is the one at `seq`.
    pub fn step(&mut self, step: StepUse, seq: u64) {
        let (from, to) = ((seq, step.started_at), (seq + 1, step.stopped_at));
        self.steps.push(StepDraft {
            connector_id: step.connector_id,
            status: step.status,
            status_code: step.status_code,
            error: step.error,
            ..StepDraft::new(step.name, step.kind, 0, from, to)
        });
    }

    /// The program is ready.
    pub fn ready(&mut self, seq: u64, ts: Option<Micros>) {
        self.segment.ready.get_or_insert((seq, ts));
    }

    /// The work went on up to here.
    pub fn progress(&mut self, seq: u64, ts: Option<Micros>) {
        self.segment.progress = Some((seq, ts));
    }

    /// A crawl begins or goes on: the work was not over.
    pub fn resume(&mut self) {
        self.segment.progress = None;
    }

    /// Takes the stamps of a scope that begins after `base` events.
    pub fn output(&mut self, tally: &Tally, base: u64) {
        if self.segment.first_output.is_none() {
            self.segment.first_output = tally.first_output.map(|(seq, ts)| (base + seq, ts));
        }
        self.segment.last_ts = self.segment.last_ts.max(tally.span.map(|(_, last)| last));
    }

    /// All steps and what the starts cost. `n_events` and `stop` are the run's.
    pub fn finish(mut self, n_events: u64, stop: Option<Micros>) -> (Vec<StepDraft>, Vec<Startup>) {
        let last_ts = if self.segments.is_empty() { stop } else { self.segment.last_ts.or(stop) };
        self.close_segment(n_events, last_ts);
        if !self.segments.is_empty() {
            self.segments.push(std::mem::take(&mut self.segment));
            self.nest_segments(n_events);
        }
        self.steps.shrink_to_fit();
        self.startups.shrink_to_fit();
        (self.steps, self.startups)
    }

    fn close_segment(&mut self, seq: u64, last_ts: Option<Micros>) {
        self.follow_lifecycle(seq, last_ts);
        self.close_from(0, seq, last_ts);
        for (_, index) in std::mem::take(&mut self.keyed) {
            if let Some(step) = self.steps.get_mut(index) {
                step.stopped_at = last_ts;
                step.events.1 = seq;
            }
        }
    }

    /// Closes the open phases at this depth and below.
    fn close_from(&mut self, depth: usize, seq: u64, ts: Option<Micros>) {
        for slot in self.open.iter_mut().skip(depth) {
            if let Some(step) = slot.take().and_then(|index| self.steps.get_mut(index)) {
                step.stopped_at = ts;
                step.events.1 = seq;
            }
        }
    }

    /// The phases behind the opening: `init` where the program became ready after its first
    /// output, `work`, and `shutdown` where something follows the last progress.
    fn follow_lifecycle(&mut self, end: u64, end_ts: Option<Micros>) {
        let Some((lifecycle, boot)) = self.segment.lifecycle else { return };
        self.startups.extend(self.startup(lifecycle, boot));
        if self.open[0] != Some(boot) {
            return;
        }
        let Some(output) = self.segment.first_output else { return };
        self.close_from(0, output.0, output.1);
        let mut at = output;
        if let Some(ready) = self.segment.ready.filter(|ready| ready.0 > output.0) {
            self.closed(lifecycle.init, at, ready);
            at = ready;
        }
        let is_followed =
            |progress: &Moment| progress.0 >= at.0 && progress.0 + 1 < end && progress.1 < end_ts;
        let progress = self.segment.progress.filter(is_followed);
        match progress {
            Some((seq, ts)) => {
                self.closed(lifecycle.work, at, (seq + 1, ts));
                self.closed(lifecycle.shutdown, (seq + 1, ts), (end, end_ts));
            }
            None => self.closed(lifecycle.work, at, (end, end_ts)),
        }
    }

    fn startup(&self, lifecycle: &'static Lifecycle, boot: usize) -> Option<Startup> {
        let at = self.steps.get(boot)?.started_at?;
        let since = |moment: Option<Moment>| Some(duration_ms(at, moment?.1?));
        let (name, cached_below) = lifecycle.fetch;
        let fetch = self.steps.get(self.segment.first_step..boot)?.iter().find(|step| step.name == name);
        let fetch_ms = fetch.and_then(|step| Some(duration_ms(step.started_at?, step.stopped_at?)));
        Some(Startup {
            at,
            first_output_ms: since(self.segment.first_output),
            ready_ms: since(self.segment.ready).map(|ms| (lifecycle.ready_metric, ms)),
            fetch_ms: fetch_ms.map(|ms| (name, ms, if ms < cached_below { "cached" } else { "cold" })),
        })
    }

    fn closed(&mut self, name: &'static str, from: Moment, to: Moment) {
        self.steps.push(StepDraft::new(name, StepKind::Phase, 0, from, to));
    }

    /// Puts every segment's steps below a step of its own.
    fn nest_segments(&mut self, n_events: u64) {
        let flat = std::mem::take(&mut self.steps);
        let segments = std::mem::take(&mut self.segments);
        let mut ends: Vec<(usize, u64)> =
            segments.iter().skip(1).map(|segment| (segment.first_step, segment.first_event)).collect();
        ends.push((flat.len(), n_events));
        let mut flat = flat.into_iter();
        let mut taken = 0;
        for (segment, (end_step, end_event)) in segments.iter().zip(ends) {
            let top = self.steps.len();
            // The flat index `i` of a step of this segment becomes `i + shift`.
            let shift = top + 1 - taken;
            self.steps.push(segment_step(segment, end_event));
            for mut step in flat.by_ref().take(end_step - taken) {
                step.parent = Some(step.parent.map_or(top, |parent| parent + shift));
                step.depth += 1;
                self.steps.push(step);
            }
            taken = end_step;
        }
    }
}

fn segment_step(segment: &Segment, end_event: u64) -> StepDraft {
    let (from, to) = ((segment.first_event, segment.start_ts), (end_event, segment.last_ts));
    StepDraft::new("segment", StepKind::Segment, 0, from, to)
}
