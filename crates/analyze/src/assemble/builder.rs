//! One run being built from its scopes, in their order: counts, phases, crawls, and the verdict.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Arc;

use logmill_parse::mark::{Bounds, CrawlStage, Missing, Opening, Outcome, Revocation, RunHead, RunId};
use logmill_parse::{About, Evidence, Kind, Micros, Status};

use super::crawls::Crawls;
use super::draft::{
    Counts, DraftOrigin, Extent, Facts, MessageDraft, RequestDraft, RunDraft, Verdict, join_message,
};
use super::{Numbers, Place};
use crate::identity::{Origin, PathIdentity};
use crate::metrics::Values;
use crate::phases::Phases;
use crate::shard::{
    Anchor, Backward, MetricValue, PendingMark, RequestUse, Scope, ScopeMark, StampedAt, Tally, Times,
    widen_by,
};

/// A run being built.
#[derive(Debug)]
pub struct Builder {
    kind: Option<Kind>,
    group: String,
    run_id: String,
    origin: DraftOrigin,
    bounds: Bounds,
    counts: Counts,
    span: Option<(Micros, Micros)>,
    phases: Phases,
    fingerprint: Option<std::borrow::Cow<'static, str>>,
    crawls: Crawls,
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
            crawls: Crawls::default(),
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
    pub fn own(path: &PathIdentity, head: Option<&RunHead<'static>>, n: usize) -> Self {
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

    /// A run that another run's log relays.
    pub fn relayed(run_id: String, name: String) -> Self {
        let mut builder = Self::new(run_id, name, DraftOrigin::Relayed);
        builder.kind = Some(Kind::Run);
        builder
    }

    /// Whether an opening does not continue the opening sequence at hand.
    pub fn is_restart(&self, opening: &Opening<'_>) -> bool {
        if self.has_opening {
            return !self.phases.continues_opening(opening.rank);
        }
        // Status lines of a relayed run come before its first line, without a stamp of their own.
        opening.rank == 0 && self.span.is_some()
    }

    /// Whether an opening restarts the same thing, later, and nothing says that the run had ended.
    pub fn goes_on(&self, opening: &Opening<'_>, span: Option<(Micros, Micros)>) -> bool {
        let same = opening.fingerprint.is_some() && opening.fingerprint == self.fingerprint;
        let forward = match (self.span, span) {
            (Some((_, last)), Some((first, _))) => first >= last,
            _ => true,
        };
        same && forward && !self.has_ended()
    }

    /// Whether something says that the run had ended.
    fn has_ended(&self) -> bool {
        !self.outcomes.is_empty() || self.crawls.have_ended()
    }

    /// Takes an opening: the next phase of the opening sequence, or a new segment.
    pub fn open_or_restart(&mut self, opening: &Opening<'static>, scope: &Scope) {
        if self.is_restart(opening) {
            self.phases.restart(self.counts.n_events);
            self.outcomes.clear();
            self.crawls.settle();
        }
        self.has_opening = true;
        self.fingerprint = opening.fingerprint.clone().or(self.fingerprint.take());
        self.phases.open(opening, self.counts.n_events, scope.first_ts);
    }

    /// Adds the next scope of the run.
    pub fn append(&mut self, scope: Scope, place: Place, numbers: &Numbers) {
        self.home = self.home.min(place.input);
        if scope.times == Times::OfDay {
            self.times = Times::OfDay;
        }
        let base = self.counts.n_events;
        // The crawl at hand before the scope's first mark about crawls, and after each of them;
        // where there is none, the next one.
        let mut crawls = vec![self.crawls.to_come()];
        for mark in scope.marks {
            let is_about_crawls = mark.mark.is_about_crawls();
            self.mark(mark, base);
            if is_about_crawls {
                crawls.push(self.crawls.to_come());
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
                record: place.record + scope.record,
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
            self.request(used, crawl.unwrap_or_else(|| self.crawls.next()));
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

    /// What follows comes from a further part of the same log.
    pub fn next_part(&mut self) {
        self.has_earlier_part = true;
        self.incomplete = self.incomplete.filter(|(missing, _)| *missing != Missing::Tail);
    }

    /// The log lacks something, unless an earlier part has it.
    pub fn lacks(&mut self, missing: Missing, reason: &'static str) {
        if !(missing == Missing::Head && self.has_earlier_part) {
            self.incomplete.get_or_insert((missing, reason));
        }
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
                self.crawls.begin();
            }
            PendingMark::CrawlStats(stats) => {
                if stats.stage == CrawlStage::Running {
                    self.phases.resume();
                }
                self.crawls.state(stats);
            }
            PendingMark::CrawlEnd => self.crawls.end(),
            PendingMark::Incomplete(missing, reason) => self.lacks(missing, reason),
        }
    }

    /// The run.
    pub fn finish(mut self, about: &'static About) -> RunDraft {
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
            crawls: self.crawls.sum(),
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
        let reason = self.crawls.verdict();
        Verdict {
            status: if reason.is_some() { Status::Succeeded } else { Status::Unknown },
            reason: reason.unwrap_or("no_end_marker").to_owned(),
            failure_class: None,
        }
    }
}

/// The requests of a run, each with whether its crawl left none open.
fn drained(requests: BTreeMap<RequestKey, RequestUse>, crawls: &Crawls) -> Vec<RequestDraft> {
    let mut retries_seen = vec![0; crawls.next()];
    for ((crawl, ..), used) in &requests {
        if let Some(sum) = retries_seen.get_mut(*crawl) {
            *sum += used.retried;
        }
    }
    let drained = crawls.drained(&retries_seen);
    requests
        .into_iter()
        .map(|((crawl, ..), used)| RequestDraft { drained: drained.get(crawl) == Some(&true), used })
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
