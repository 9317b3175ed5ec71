//! From shards to runs: boundaries, segments, phases, crawls and outcomes.
//!
//! Everything here follows from marks; which line of which platform means what is decided in
//! `logmill-parse`. Drafts are finished (ids made unique, metadata applied) in [`crate::survey`].

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Arc;

use logmill_parse::mark::{
    Bounds, CrawlStage, CrawlStats, Fact, Missing, Opening, Outcome, Revocation, RunHead, RunId,
};
use logmill_parse::{About, Evidence, Kind, Micros, Status};

use crate::identity::{Origin, PathIdentity};
use crate::metrics::Values;
use crate::phases::{Phases, Startup, StepDraft};
use crate::shard::{
    Anchor, Backward, Boundary, MetricValue, PendingMark, RequestUse, Scope, ScopeMark, StampedAt, Tally,
    Texts, Times, widen_by,
};

/// Whether a further start in one input begins another run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SplitRuns {
    /// In an input whose path names one run it begins a segment; elsewhere it begins a run,
    /// unless it restarts the same thing and nothing says that the run before it had ended.
    #[default]
    Auto,
    /// Always another run.
    Always,
    /// Always a segment.
    Never,
}

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
    fn insert_first(&mut self, fact: Fact, value: String) {
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
fn join_message(messages: &mut BTreeMap<u32, MessageDraft>, template: u32, message: MessageDraft) {
    match messages.entry(template) {
        Entry::Vacant(slot) => drop(slot.insert(message)),
        Entry::Occupied(mut slot) => slot.get_mut().add(&message),
    }
}

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
    /// Records of the input's shard before the first of them.
    pub record: u64,
    /// Bytes of those events.
    pub bytes: u64,
    /// Physical lines of those events.
    pub n_lines: u64,
    /// Where reading may begin, of an input that cannot be read from any event on.
    pub anchor: Anchor,
}

/// Joins the scopes of one group of inputs to runs.
#[derive(Debug)]
pub struct Assembler {
    about: &'static About,
    split: SplitRuns,
    path: PathIdentity,
    own: Option<Builder>,
    relayed: BTreeMap<String, Builder>,
    /// Runs begun with the file's own id.
    own_runs: usize,
    /// Whether the next run of the source continues the one before (a further page of it).
    continues: bool,
    finished: Vec<RunDraft>,
    /// Messages that several shards say.
    texts: Texts,
}

/// The group's numbers of what a shard counts on its own.
#[derive(Debug)]
pub struct Numbers {
    /// Of its templates.
    pub templates: Vec<u32>,
    /// Of its measures.
    pub measures: Vec<u32>,
}

/// Where a shard stands.
#[derive(Debug, Clone, Copy)]
pub struct Place {
    /// Index of the input.
    pub input: usize,
    /// Lines of the input before the shard.
    pub lines: u64,
}

impl Assembler {
    /// An assembler for the inputs that `path` identifies.
    #[must_use]
    pub fn new(about: &'static About, path: PathIdentity, split: SplitRuns) -> Self {
        Self {
            about,
            split,
            path,
            own: None,
            relayed: BTreeMap::new(),
            own_runs: 0,
            continues: false,
            finished: Vec::new(),
            texts: Texts::default(),
        }
    }

    /// Says that the next scope comes from a further part of the same log.
    pub fn next_part(&mut self) {
        self.continues = self.own.is_some();
        if let Some(own) = &mut self.own {
            own.has_earlier_part = true;
            own.incomplete = own.incomplete.filter(|(missing, _)| *missing != Missing::Tail);
        }
    }

    /// Adds the next scope.
    pub fn add(&mut self, mut scope: Scope, place: Place, numbers: &Numbers) {
        for used in scope.messages.values_mut() {
            used.example = self.texts.share(&used.example);
        }
        let builder = match &scope.stream {
            Some(key) => {
                let builder = self
                    .relayed
                    .entry(key.run_id.clone())
                    .or_insert_with(|| Builder::relayed(key.run_id.clone(), key.name.clone()));
                if let Some(Boundary::Opening(opening)) = &scope.boundary {
                    builder.open_or_restart(opening, &scope);
                }
                builder
            }
            None => self.own_builder(&scope),
        };
        builder.append(scope, place, numbers);
    }

    /// Says that the log of the run at hand is not all there.
    pub fn incomplete(&mut self, reason: &'static str) {
        if let Some(own) = &mut self.own {
            own.lacks(Missing::Middle, reason);
        }
    }

    /// The runs, in the order in which they began.
    #[must_use]
    pub fn finish(mut self) -> Vec<RunDraft> {
        self.finish_own();
        for (_, builder) in std::mem::take(&mut self.relayed) {
            self.finished.push(builder.finish(self.about));
        }
        self.finished
    }

    fn own_builder(&mut self, scope: &Scope) -> &mut Builder {
        match &scope.boundary {
            Some(Boundary::Run(head)) if !(self.continues && head.id == RunId::File) => {
                self.finish_own();
                self.own = Some(self.build(Some(head)));
            }
            Some(Boundary::Opening(opening)) => {
                if self.own.as_ref().is_some_and(|own| self.begins_run(own, opening, scope)) {
                    self.finish_own();
                }
                self.current().open_or_restart(opening, scope);
            }
            _ => {}
        }
        self.continues = false;
        self.current()
    }

    /// The run at hand; the next one of the file where there is none.
    fn current(&mut self) -> &mut Builder {
        let own = match self.own.take() {
            Some(own) => own,
            None => self.build(None),
        };
        self.own.insert(own)
    }

    fn build(&mut self, head: Option<&RunHead<'static>>) -> Builder {
        if head.is_none_or(|head| head.id == RunId::File) {
            self.own_runs += 1;
        }
        Builder::own(&self.path, head, self.own_runs)
    }

    fn finish_own(&mut self) {
        if let Some(own) = self.own.take() {
            self.finished.push(own.finish(self.about));
        }
    }

    /// Whether an opening begins another run than the one being built.
    fn begins_run(&self, own: &Builder, opening: &Opening<'_>, scope: &Scope) -> bool {
        if !own.is_restart(opening) {
            return false;
        }
        match self.split {
            SplitRuns::Always => true,
            SplitRuns::Never => false,
            SplitRuns::Auto => {
                let same = opening.fingerprint.is_some() && opening.fingerprint == own.fingerprint;
                let forward = match (own.span, scope.tally.span) {
                    (Some((_, last)), Some((first, _))) => first >= last,
                    _ => true,
                };
                self.path.origin == Origin::Stem && !(same && forward && !own.has_ended())
            }
        }
    }
}

/// A run being built.
#[derive(Debug)]
struct Builder {
    kind: Option<Kind>,
    group: String,
    run_id: String,
    origin: DraftOrigin,
    bounds: Bounds,
    counts: Counts,
    span: Option<(Micros, Micros)>,
    phases: Phases,
    fingerprint: Option<std::borrow::Cow<'static, str>>,
    crawls: Vec<Crawl>,
    /// Crawls of earlier segments.
    settled_crawls: usize,
    outcomes: Vec<(u64, Outcome<'static>)>,
    last_level: Option<u64>,
    last_platform: Option<u64>,
    evidence: Evidence,
    facts: Facts,
    metrics: Values,
    messages: BTreeMap<u32, MessageDraft>,
    requests: BTreeMap<RequestKey, RequestUse>,
    first_error: Option<String>,
    incomplete: Option<(Missing, &'static str)>,
    has_earlier_part: bool,
    has_opening: bool,
    times: Times,
    last_ts: Option<Micros>,
    n_backward: u64,
    first_backward: Option<(usize, StampedAt)>,
    extents: Vec<Extent>,
    home: usize,
}

/// Crawl, id, and URL where there is no id.
type RequestKey = (usize, Option<Arc<str>>, Option<Arc<str>>);

/// One batch of requests.
#[derive(Debug, Default)]
struct Crawl {
    stats: CrawlStats,
    ended: bool,
}

impl Builder {
    fn new(run_id: String, group: String, origin: DraftOrigin) -> Self {
        Self {
            kind: None,
            group,
            run_id,
            origin,
            bounds: Bounds::Records,
            counts: Counts::default(),
            span: None,
            phases: Phases::default(),
            fingerprint: None,
            crawls: Vec::new(),
            settled_crawls: 0,
            outcomes: Vec::new(),
            last_level: None,
            last_platform: None,
            evidence: Evidence::NONE,
            facts: Facts::default(),
            metrics: Values::default(),
            messages: BTreeMap::new(),
            requests: BTreeMap::new(),
            first_error: None,
            incomplete: None,
            has_earlier_part: false,
            has_opening: false,
            times: Times::Instants,
            last_ts: None,
            n_backward: 0,
            first_backward: None,
            extents: Vec::new(),
            home: usize::MAX,
        }
    }

    /// The `n`-th run (from 1) of an input, or one that the source delimits.
    fn own(path: &PathIdentity, head: Option<&RunHead<'static>>, n: usize) -> Self {
        let origin = match path.origin {
            Origin::Id => DraftOrigin::Path,
            Origin::Stem => DraftOrigin::Stem,
        };
        let numbered = || if n > 1 { format!("{}#{n}", path.run_id) } else { path.run_id.clone() };
        let (run_id, group, origin) = match head.map(|head| &head.id) {
            None | Some(RunId::File) => (numbered(), path.group.clone(), origin),
            Some(RunId::Stated(id)) => (id.to_string(), path.folder.clone(), DraftOrigin::Stated),
            Some(RunId::Within(id)) => (format!("{}@{id}", path.run_id), path.run_id.clone(), origin),
        };
        let mut builder = Self::new(run_id, group, origin);
        if let Some(head) = head {
            builder.kind = Some(head.kind);
            builder.bounds = head.bounds;
        }
        builder
    }

    fn relayed(run_id: String, name: String) -> Self {
        let mut builder = Self::new(run_id, name, DraftOrigin::Relayed);
        builder.kind = Some(Kind::Run);
        builder
    }

    /// Whether an opening does not continue the opening sequence at hand.
    fn is_restart(&self, opening: &Opening<'_>) -> bool {
        if self.has_opening {
            return !self.phases.continues_opening(opening.rank);
        }
        // Status lines of a relayed run come before its first line, without a stamp of their own.
        opening.rank == 0 && self.span.is_some()
    }

    /// Whether something says that the run had ended.
    fn has_ended(&self) -> bool {
        !self.outcomes.is_empty() || (!self.crawls.is_empty() && self.crawls.iter().all(|crawl| crawl.ended))
    }

    /// Takes an opening: the next phase of the opening sequence, or a new segment.
    fn open_or_restart(&mut self, opening: &Opening<'static>, scope: &Scope) {
        if self.is_restart(opening) {
            self.phases.restart(self.counts.n_events);
            self.outcomes.clear();
            self.settled_crawls = self.crawls.len();
        }
        self.has_opening = true;
        self.fingerprint = opening.fingerprint.clone().or(self.fingerprint.take());
        self.phases.open(opening, self.counts.n_events, scope.first_ts);
    }

    fn append(&mut self, scope: Scope, place: Place, numbers: &Numbers) {
        self.home = self.home.min(place.input);
        if scope.times == Times::OfDay {
            self.times = Times::OfDay;
        }
        let base = self.counts.n_events;
        // The crawl at hand before the scope's first mark about crawls, and after each of them;
        // where there is none, the next one.
        let mut crawls = vec![self.crawl_to_come()];
        for mark in scope.marks {
            let is_about_crawls = mark.mark.is_about_crawls();
            self.mark(mark, base);
            if is_about_crawls {
                crawls.push(self.crawl_to_come());
            }
        }
        self.phases.output(&scope.tally, base);
        let tally = scope.tally;
        self.last_level = tally.last_level.map(|seq| base + seq).or(self.last_level);
        self.last_platform = tally.last_platform.map(|seq| base + seq).or(self.last_platform);
        self.clock(&tally, place);
        widen_by(&mut self.span, tally.span);
        self.evidence = self.evidence.with(tally.evidence);
        self.first_error = self.first_error.take().or(tally.first_error);
        if tally.n_events > 0 {
            if self.extents.is_empty() {
                // Most runs stand in one place.
                self.extents.reserve_exact(1);
            }
            self.extents.push(Extent {
                input: place.input,
                start: scope.start,
                end: scope.end,
                lines: place.lines + scope.line,
                seq: base,
                n_events: tally.n_events,
                record: scope.record,
                bytes: tally.bytes,
                n_lines: tally.n_lines,
                anchor: Anchor { offset: scope.anchor.offset, lines: place.lines + scope.anchor.lines },
            });
        }
        self.counts.n_lines += tally.n_lines;
        self.counts.n_events += tally.n_events;
        self.counts.n_errors += tally.n_errors;
        self.counts.n_warnings += tally.n_warnings;
        self.counts.n_retries += tally.n_retries;
        self.counts.bytes += tally.bytes;
        for MetricValue { ts, value, of } in scope.metrics {
            self.metrics.push(ts, value, numbers.measures.get(of as usize).copied().unwrap_or(u32::MAX));
        }
        for (index, used) in scope.messages {
            let Some(template) = numbers.templates.get(index as usize) else { continue };
            let place = (place.input, place.lines + used.line);
            let message =
                MessageDraft { n: used.n, level: used.level, span: used.span, place, example: used.example };
            join_message(&mut self.messages, *template, message);
        }
        for used in scope.requests {
            let crawl = crawls.get(used.crawl_marks as usize).copied();
            self.request(used, crawl.unwrap_or(self.crawls.len()));
        }
    }

    /// Takes note of stamps that step back, within the scope and from the one before it.
    fn clock(&mut self, tally: &Tally, place: Place) {
        let mut backward = Backward::default();
        if let Some(first) = tally.first_stamp {
            backward.step(self.last_ts, first);
        }
        self.last_ts = tally.last_ts.or(self.last_ts);
        self.n_backward += backward.n + tally.backward.n;
        if let Some(first) = backward.first.or(tally.backward.first) {
            let first = StampedAt { line: place.lines + first.line, ..first };
            self.first_backward.get_or_insert((place.input, first));
        }
    }

    /// The log lacks something, unless an earlier part has it.
    fn lacks(&mut self, missing: Missing, reason: &'static str) {
        if !(missing == Missing::Head && self.has_earlier_part) {
            self.incomplete.get_or_insert((missing, reason));
        }
    }

    /// The crawl that has begun and not ended, if there is one.
    fn crawl_at_hand(&self) -> Option<usize> {
        let last = self.crawls.len().checked_sub(1)?;
        self.crawls.get(last).filter(|crawl| !crawl.ended).map(|_| last)
    }

    /// The crawl at hand, or else the next one: older crawlers say nothing before their first figures.
    fn crawl_to_come(&self) -> usize {
        self.crawl_at_hand().unwrap_or(self.crawls.len())
    }

    /// Joins an attempt to the others of its request in the same crawl.
    fn request(&mut self, used: RequestUse, crawl: usize) {
        let url = if used.id.is_some() { None } else { used.url.clone() };
        match self.requests.entry((crawl, used.id.clone(), url)) {
            Entry::Vacant(slot) => drop(slot.insert(used)),
            Entry::Occupied(mut slot) => {
                let known = slot.get_mut();
                known.retried += used.retried;
                known.lost += used.lost;
                known.last_error = used.last_error;
                known.url = known.url.take().or(used.url);
                widen_by(&mut known.span, used.span);
            }
        }
    }

    fn mark(&mut self, mark: ScopeMark, base: u64) {
        let seq = base + mark.seq;
        match mark.mark {
            PendingMark::StepStart(start) => self.phases.start(start, seq, mark.ts),
            PendingMark::StepEnd(end) => self.phases.end(&end, seq, mark.ts),
            PendingMark::Step(step) => self.phases.step(*step, seq),
            PendingMark::Ready => self.phases.ready(seq, mark.ts),
            PendingMark::Progress => self.phases.progress(seq, mark.ts),
            PendingMark::Outcome(outcome) => self.outcomes.push((seq, outcome)),
            PendingMark::Fact(fact, value) => self.facts.insert_first(fact, value),
            PendingMark::CrawlStart => {
                self.phases.resume();
                self.begin_crawl();
            }
            PendingMark::CrawlStats(stats) => {
                if stats.stage == CrawlStage::Running {
                    self.phases.resume();
                }
                self.crawl_stats(stats);
            }
            PendingMark::CrawlEnd => self.current_crawl().ended = true,
            PendingMark::Incomplete(missing, reason) => self.lacks(missing, reason),
        }
    }

    /// A crawl begins, or goes on: counters persist over a restart, so that the crawl which the
    /// segment before left open continues.
    fn begin_crawl(&mut self) {
        match self.crawl_at_hand() {
            Some(interrupted) if interrupted < self.settled_crawls => self.settled_crawls = interrupted,
            _ => self.crawls.push(Crawl::default()),
        }
    }

    fn crawl_stats(&mut self, stats: CrawlStats) {
        let is_open = self.crawls.iter().skip(self.settled_crawls).last().is_some_and(|crawl| !crawl.ended);
        if !is_open {
            self.begin_crawl();
        }
        let crawl = self.current_crawl();
        if stats.stage == CrawlStage::Final {
            // What the crawl said on its way is not its result, even where the last figures are cut off.
            crawl.stats = CrawlStats::default();
        }
        let known = &mut crawl.stats;
        known.finished = stats.finished.or(known.finished);
        known.failed = stats.failed.or(known.failed);
        known.retried = stats.retried.or(known.retried);
        known.retries = stats.retries.or(known.retries);
        known.counted = stats.counted.or(known.counted);
        crawl.ended |= stats.stage == CrawlStage::Final;
    }

    /// The crawl begun last; one is made up where a log begins in the middle of it.
    fn current_crawl(&mut self) -> &mut Crawl {
        if self.crawls.is_empty() {
            self.crawls.push(Crawl::default());
        }
        let last = self.crawls.len() - 1;
        &mut self.crawls[last]
    }

    fn finish(mut self, about: &'static About) -> RunDraft {
        self.extents.shrink_to_fit();
        self.metrics.shrink();
        let verdict = self.verdict();
        let bounds = match self.bounds {
            Bounds::Records => (self.span.map(|(first, _)| first), self.span.map(|(_, last)| last)),
            Bounds::Stated { started_at, stopped_at } => (started_at, stopped_at),
        };
        let kind = self.kind.or(about.kind).or_else(|| kind_of(self.evidence));
        // A log that shows neither a start nor a build is a piece of one.
        if matches!(kind, None | Some(Kind::Run))
            && !self.has_opening
            && let Some(reason) = about.no_opening
        {
            self.lacks(Missing::Head, reason);
        }
        let stop = bounds.1.or(self.span.map(|(_, last)| last));
        let (steps, startups) = self.phases.finish(self.counts.n_events, stop);
        let requests = drained(self.requests, &self.crawls);
        RunDraft {
            about,
            kind,
            group: self.group,
            run_id: self.run_id,
            origin: self.origin,
            bounds,
            verdict,
            counts: self.counts,
            steps,
            crawls: sum_crawls(&self.crawls),
            requests,
            facts: self.facts,
            metrics: Arc::new(self.metrics),
            startups,
            messages: self.messages.into_iter().collect(),
            first_error: self.first_error,
            incomplete: self.incomplete.map(|(_, reason)| reason),
            extents: self.extents,
            home: self.home,
            times: self.times,
            queued_at: None,
            // Steps that the source delimits may overlap, and are told in any order.
            backward: if self.bounds == Bounds::Records {
                self.first_backward.map(|first| (self.n_backward, first))
            } else {
                None
            },
        }
    }

    /// The heaviest outcome that nothing took back; else what the crawls say; else unknown.
    fn verdict(&self) -> Verdict {
        let stands = |seq: u64, outcome: &Outcome<'_>| match outcome.revoked_by {
            Revocation::Never => true,
            Revocation::Level => self.last_level.is_none_or(|last| last <= seq),
            Revocation::Platform => self.last_platform.is_none_or(|last| last <= seq),
        };
        let heaviest = self
            .outcomes
            .iter()
            .filter(|(seq, outcome)| stands(*seq, outcome))
            .max_by_key(|(seq, outcome)| (outcome.weight, *seq));
        if let Some((_, outcome)) = heaviest {
            return Verdict {
                status: outcome.status,
                reason: outcome.reason.to_string(),
                failure_class: outcome.failure_class,
            };
        }
        let reason = self.crawl_verdict();
        Verdict {
            status: if reason.is_some() { Status::Succeeded } else { Status::Unknown },
            reason: reason.unwrap_or("no_end_marker").to_owned(),
            failure_class: None,
        }
    }

    /// A run succeeded when its last segment began at least one crawl and every one it began ended.
    fn crawl_verdict(&self) -> Option<&'static str> {
        let last = self.crawls.get(self.settled_crawls..)?;
        if last.is_empty() || last.iter().any(|crawl| !crawl.ended) {
            return None;
        }
        let finished: u64 = last.iter().filter_map(|crawl| crawl.stats.finished).sum();
        let failed: u64 = last.iter().filter_map(|crawl| crawl.stats.failed).sum();
        Some(if finished == 0 && failed > 0 { "all_requests_failed" } else { "crawls_finished" })
    }
}

impl Crawl {
    /// Whether every retry the log shows is one of a request that the final figures count.
    fn is_drained(&self, retries_seen: u64) -> bool {
        self.ended && self.stats.retries == Some(retries_seen)
    }
}

/// The requests of a run, each with whether its crawl left none open.
fn drained(requests: BTreeMap<RequestKey, RequestUse>, crawls: &[Crawl]) -> Vec<RequestDraft> {
    let mut retries_seen = vec![0; crawls.len() + 1];
    for ((crawl, ..), used) in &requests {
        if let Some(sum) = retries_seen.get_mut(*crawl) {
            *sum += used.retried;
        }
    }
    let is_drained = |crawl: usize| {
        let seen = retries_seen.get(crawl).copied().unwrap_or(0);
        crawls.get(crawl).is_some_and(|crawl| crawl.is_drained(seen))
    };
    requests
        .into_iter()
        .map(|((crawl, ..), used)| RequestDraft { drained: is_drained(crawl), used })
        .collect()
}

fn kind_of(evidence: Evidence) -> Option<Kind> {
    if evidence.has(Evidence::BUILD) {
        Some(Kind::Build)
    } else if evidence.has(Evidence::RUN) {
        Some(Kind::Run)
    } else {
        None
    }
}

/// The final figures of all crawls that came to their end. What others said last is in the metrics.
fn sum_crawls(crawls: &[Crawl]) -> CrawlStats {
    let mut sum = CrawlStats::default();
    for crawl in crawls.iter().filter(|crawl| crawl.ended) {
        add(&mut sum.finished, crawl.stats.finished);
        add(&mut sum.failed, crawl.stats.failed);
        add(&mut sum.retried, crawl.stats.retried);
        add(&mut sum.retries, crawl.stats.retries);
        add(&mut sum.counted, crawl.stats.counted);
    }
    sum
}

fn add(sum: &mut Option<u64>, value: Option<u64>) {
    if let Some(value) = value {
        *sum = Some(sum.unwrap_or(0).saturating_add(value));
    }
}
