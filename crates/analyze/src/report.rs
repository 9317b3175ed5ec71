//! From a finished survey to the rows of the report tables.

use std::collections::BTreeMap;

use logmill_parse::mark::Fact;
use logmill_parse::time::duration_ms;
use logmill_parse::{Class, Kind, Level, Micros, Platform, Status};

use crate::assemble::{MessageDraft, RunDraft};
use crate::derived;
use crate::durations::durations;
use crate::metrics::Metrics;
use crate::model::{ErrorGroup, FileRow, IssueRow, Metric, Report, Request, RequestOutcome, Run, Step};
use crate::phases::StepDraft;
use crate::pipeline::Detail;
use crate::rates::{Bucket, TooManyRows, rates};
use crate::redact::Redactor;
use crate::shard::{RequestUse, Times, widen_by};
use crate::survey::Survey;

/// Which runs are looked at. Nothing here changes how a run is put together.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selection {
    /// Runs that started at or after this instant.
    pub since: Option<Micros>,
    /// Runs that started before this instant.
    pub until: Option<Micros>,
    /// Runs with these ids; with any when empty.
    pub runs: Vec<String>,
    /// Runs of these groups; of all when empty.
    pub groups: Vec<String>,
    /// Runs with these statuses; with any when empty.
    pub statuses: Vec<Status>,
}

impl Selection {
    /// Whether a run is looked at. A run without a start is, unless an instant is asked for.
    ///
    /// Where secrets are masked, masked names are names as well: they are all that has been shown.
    fn takes(&self, run: &RunDraft, redactor: Option<&Redactor>) -> bool {
        let started = run.instants().0;
        let in_time = match (self.since, self.until) {
            (None, None) => true,
            (since, until) => {
                started.is_some_and(|at| since.is_none_or(|s| at >= s) && until.is_none_or(|u| at < u))
            }
        };
        in_time
            && names(&self.runs, &run.run_id, redactor)
            && names(&self.groups, &run.group, redactor)
            && (self.statuses.is_empty() || self.statuses.contains(&run.verdict.status))
    }
}

/// Whether one of the names is meant, or none was given.
fn names(wanted: &[String], name: &str, redactor: Option<&Redactor>) -> bool {
    let is_masked = |wanted: &String| redactor.is_some_and(|redactor| redactor.text(name) == *wanted);
    wanted.is_empty() || wanted.iter().any(|wanted| wanted == name || is_masked(wanted))
}

/// How rates are cut into buckets.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Buckets {
    /// Width.
    pub width: Bucket,
    /// Zone in which days and weeks begin.
    pub zone: chrono_tz::Tz,
}

impl Default for Buckets {
    fn default() -> Self {
        Self { width: Bucket::Auto, zone: chrono_tz::UTC }
    }
}

impl Survey {
    /// The report tables of the selected runs, as far as the survey is good for them; issues and files are those of
    /// all inputs.
    ///
    /// # Errors
    ///
    /// If the buckets are too narrow for the time the runs span.
    pub fn report(&self, selection: &Selection, buckets: Buckets) -> Result<Report, TooManyRows> {
        let drafts: Vec<&RunDraft> = self.selected(selection).collect();
        let (runs, steps) =
            self.threads.both(|| drafts.iter().map(|draft| self.run(draft)).collect(), || step_rows(&drafts));
        let mut report =
            Report { runs, steps, issues: self.issues(), files: self.file_rows(), ..Report::default() };
        if self.detail > Detail::Events {
            self.tell(&mut report, &drafts, buckets)?;
        }
        if let Some(redactor) = self.redactor() {
            redactor.report(&mut report);
        }
        Ok(report)
    }

    /// Fills the tables that tell more of the runs than they and their steps do.
    fn tell(&self, report: &mut Report, drafts: &[&RunDraft], buckets: Buckets) -> Result<(), TooManyRows> {
        report.errors = self.errors(drafts);
        report.requests.reserve_exact(drafts.iter().map(|draft| draft.requests.len()).sum());
        for (run, draft) in drafts.iter().enumerate() {
            report.requests.extend(requests(run, draft));
        }
        if self.detail == Detail::Everything {
            report.metrics = metrics(drafts, report, Metrics::of(self.measures.list.as_slice().into()));
        }
        let (runs, steps) = (report.runs.as_slice(), report.steps.as_slice());
        let (rates, durations) =
            self.threads.both(|| rates(runs, steps, buckets.width, buckets.zone), || durations(runs, steps));
        (report.rates, report.durations) = (rates?, durations);
        Ok(())
    }

    /// The selected runs in the order of the table.
    pub(crate) fn selected<'s>(&'s self, selection: &'s Selection) -> impl Iterator<Item = &'s RunDraft> {
        self.runs.iter().map(|run| &**run).filter(|run| selection.takes(run, self.redactor()))
    }

    /// The row of a run.
    pub(crate) fn run(&self, draft: &RunDraft) -> Run {
        let (started_at, stopped_at) = draft.instants();
        let is_timed =
            |step: &&StepDraft| step.depth == 0 && between(step.started_at, step.stopped_at).is_some();
        let last_stop = draft.steps.iter().rev().find(is_timed).and_then(|step| step.stopped_at);
        let fact = |fact| draft.facts.get(fact).map(str::to_owned);
        Run {
            platform: draft.about.platform,
            kind: draft.kind,
            group: draft.group.clone(),
            run_id: draft.run_id.clone(),
            source: self.name(draft.home).0.to_owned(),
            started_at,
            stopped_at,
            duration_ms: between(draft.bounds.0, draft.bounds.1),
            tail_gap_ms: between(last_stop, draft.bounds.1),
            status: draft.verdict.status,
            status_reason: draft.verdict.reason.clone(),
            failure_class: draft.verdict.failure_class.map(str::to_owned),
            n_lines: draft.counts.n_lines,
            n_events: draft.counts.n_events,
            n_errors: draft.counts.n_errors,
            n_warnings: draft.counts.n_warnings,
            n_retries: draft.counts.n_retries,
            n_steps: draft.steps.len() as u64,
            n_failed_steps: draft.steps.iter().filter(|step| is_failed(step.status)).count() as u64,
            requests_finished: draft.crawls.finished,
            requests_failed: draft.crawls.failed,
            request_retries: draft.crawls.retries,
            first_error: draft.first_error.clone(),
            build_id: fact(Fact::BuildId),
            tool_version: fact(Fact::ToolVersion),
            branch: fact(Fact::Branch),
            commit: fact(Fact::Commit),
            complete: draft.incomplete.is_none(),
            incomplete_reason: draft.incomplete.map(str::to_owned),
        }
    }

    fn errors(&self, drafts: &[&RunDraft]) -> Vec<ErrorGroup> {
        let mut groups: BTreeMap<u32, GroupDraft<'_>> = BTreeMap::new();
        for draft in drafts {
            for (template, message) in &draft.messages {
                let group = groups.entry(*template).or_insert_with(|| GroupDraft::new(draft, message));
                group.add(draft, message);
            }
        }
        let mut rows: Vec<ErrorGroup> =
            groups.iter().filter_map(|(template, group)| self.error_row(*template, group)).collect();
        rows.sort_by(|a, b| b.n_events.cmp(&a.n_events).then_with(|| a.group_id.cmp(&b.group_id)));
        rows
    }

    fn error_row(&self, template: u32, group: &GroupDraft<'_>) -> Option<ErrorGroup> {
        let template = self.templates.get(template as usize)?;
        Some(ErrorGroup {
            platform: template.platform,
            kind: group.kind.get().flatten(),
            group: group.group.get().map(str::to_owned),
            run_id: group.example_run.to_owned(),
            group_id: group_id(template.platform, template.class, &template.text),
            template: template.text.to_string(),
            level: group.message.level,
            class: template.class,
            failure_class: group.failure_class.get().flatten().map(str::to_owned),
            n_events: group.message.n,
            n_runs: group.n_runs,
            first_seen: group.message.span.map(|(first, _)| first),
            last_seen: group.message.span.map(|(_, last)| last),
            example: group.message.example.to_string(),
            example_source: self.full_name(group.message.place.0),
            example_line: group.message.place.1 + 1,
        })
    }

    fn issues(&self) -> Vec<IssueRow> {
        let mut rows: Vec<IssueRow> = Vec::new();
        for file in &self.files {
            let (source, member) = self.name(file.input);
            rows.extend(file.issues.rows().iter().map(|issue| IssueRow {
                code: issue.code.as_str(),
                severity: issue.code.severity(),
                source: source.to_owned(),
                member: member.map(str::to_owned),
                line: issue.line.map(|line| line + 1),
                byte_offset: issue.offset,
                message: issue.message.clone(),
                raw_prefix: issue.raw_prefix.clone(),
            }));
        }
        rows.sort_by(|a, b| {
            (&a.source, &a.member, a.byte_offset, a.code, &a.message).cmp(&(
                &b.source,
                &b.member,
                b.byte_offset,
                b.code,
                &b.message,
            ))
        });
        rows
    }

    fn file_rows(&self) -> Vec<FileRow> {
        let mut rows: Vec<FileRow> = self
            .files
            .iter()
            .map(|file| {
                let (source, member) = self.name(file.input);
                let account = &file.account;
                FileRow {
                    source: source.to_owned(),
                    member: member.map(str::to_owned),
                    platform: file.reading.map(|reading| reading.format.about().platform),
                    format: file.label.to_owned(),
                    bytes: file.bytes,
                    n_lines: account.total().lines,
                    n_events: file.n_events,
                    bytes_record: account.record.bytes,
                    bytes_continuation: account.continuation.bytes,
                    bytes_structure: account.structure.bytes,
                    bytes_duplicate: account.duplicate.bytes,
                    bytes_rejected: account.rejected.bytes,
                    min_ts: file.span.map(|(min, _)| min),
                    max_ts: file.span.map(|(_, max)| max),
                    complete: file.incomplete.is_none(),
                    incomplete_reason: file.incomplete.map(str::to_owned),
                }
            })
            .collect();
        rows.sort_by(|a, b| (&a.source, &a.member).cmp(&(&b.source, &b.member)));
        rows
    }
}

/// What the logs state, and behind it, run by run, what no log states.
fn metrics(drafts: &[&RunDraft], report: &Report, mut metrics: Metrics) -> Metrics {
    let mut steps = report.steps.as_slice();
    let mut regularity = derived::regularity(&report.runs);
    // Of a run in the order in which they were found.
    regularity.sort_by_key(|metric| metric.run);
    let mut regularity = regularity.into_iter().peekable();
    for (index, (draft, run)) in drafts.iter().zip(&report.runs).enumerate() {
        let n = steps.iter().take_while(|step| step.run == index).count();
        let (own, others) = steps.split_at(n);
        steps = others;
        metrics.state(index, &draft.metrics);
        let is_instant = draft.times == Times::Instants;
        let mut rows: Vec<Metric> = derived::startup(index, &draft.startups)
            .into_iter()
            .map(|metric| Metric { ts: metric.ts.filter(|_| is_instant), ..metric })
            .collect();
        rows.extend(derived::overhead(index, run, own));
        rows.extend(std::iter::from_fn(|| regularity.next_if(|metric| metric.run == index)));
        rows.shrink_to_fit();
        metrics.derive(rows);
    }
    metrics
}

/// One error group being summed up.
struct GroupDraft<'a> {
    message: MessageDraft,
    n_runs: u64,
    kind: Common<Option<Kind>>,
    group: Common<&'a str>,
    failure_class: Common<Option<&'a str>>,
    example_run: &'a str,
}

impl<'a> GroupDraft<'a> {
    fn new(run: &'a RunDraft, message: &MessageDraft) -> Self {
        Self {
            message: MessageDraft { n: 0, span: None, level: Level::None, ..message.clone() },
            n_runs: 0,
            kind: Common::Unknown,
            group: Common::Unknown,
            failure_class: Common::Unknown,
            example_run: &run.run_id,
        }
    }

    fn add(&mut self, run: &'a RunDraft, message: &MessageDraft) {
        if message.place < self.message.place {
            self.example_run = &run.run_id;
        }
        self.message.add(message);
        self.n_runs += 1;
        self.kind.add(run.kind);
        self.group.add(&run.group);
        self.failure_class.add(run.verdict.failure_class);
    }
}

/// What the runs of a group have in common.
#[derive(Debug, Clone, Copy)]
enum Common<T> {
    /// There is no run yet.
    Unknown,
    /// The same in all.
    One(T),
    /// Not the same in all.
    Different,
}

impl<T: Copy + Eq> Common<T> {
    fn add(&mut self, value: T) {
        *self = match *self {
            Self::Unknown => Self::One(value),
            Self::One(known) if known == value => Self::One(known),
            Self::One(_) | Self::Different => Self::Different,
        };
    }

    const fn get(self) -> Option<T> {
        if let Self::One(value) = self { Some(value) } else { None }
    }
}

/// Sixteen hex digits that stand for a group on every machine and in every run of the program.
fn group_id(platform: Platform, class: Class, template: &str) -> String {
    let key = format!("{platform}\0{class}\0{template}");
    format!("{:016x}", logmill_parse::overlap::fingerprint(key.as_bytes()))
}

fn is_failed(status: Status) -> bool {
    matches!(status, Status::Failed | Status::TimedOut)
}

fn between(start: Option<Micros>, stop: Option<Micros>) -> Option<i64> {
    Some(duration_ms(start?, stop?))
}

/// The rows of all steps.
fn step_rows(drafts: &[&RunDraft]) -> Vec<Step> {
    let mut rows = Vec::with_capacity(drafts.iter().map(|draft| draft.steps.len()).sum());
    for (run, draft) in drafts.iter().enumerate() {
        rows.extend(steps(run, draft));
    }
    rows
}

/// The rows of a run's steps.
///
/// At depth 0 every step's `gap_before_ms` counts from the stop before it, wherever that lies,
/// so that gaps, durations and the run's tail gap add up to its duration.
fn steps(run: usize, draft: &RunDraft) -> impl Iterator<Item = Step> {
    let run_ms = between(draft.bounds.0, draft.bounds.1).filter(|ms| *ms != 0);
    let is_instant = draft.times == Times::Instants;
    let mut last_stop = draft.bounds.0;
    let row = move |(index, step): (usize, &StepDraft)| {
        let duration = between(step.started_at, step.stopped_at);
        let is_within = step.started_at >= draft.bounds.0;
        let mut gap = None;
        if step.depth == 0 && duration.is_some() {
            gap = between(last_stop, step.started_at);
            last_stop = step.stopped_at;
        }
        Step {
            run,
            seq: seq_of(index),
            parent_seq: step.parent.map(seq_of),
            depth: step.depth,
            step_kind: step.kind,
            name: step.name.clone(),
            connector_id: step.connector_id.clone(),
            started_at: step.started_at.filter(|_| is_instant),
            stopped_at: step.stopped_at.filter(|_| is_instant),
            duration_ms: duration,
            gap_before_ms: gap,
            share: duration.zip(run_ms).filter(|_| is_within).map(|(step, run)| step as f64 / run as f64),
            status: step.status,
            status_code: step.status_code,
            error: step.error.clone(),
        }
    };
    draft.steps.iter().enumerate().map(row)
}

fn seq_of(index: usize) -> u32 {
    u32::try_from(index + 1).unwrap_or(u32::MAX)
}

/// Id of a request, or its URL where it has none.
type RequestKey<'a> = (Option<&'a str>, Option<&'a str>);

/// The rows of a run's requests: those of its crawls joined by id, else by URL.
fn requests(run: usize, draft: &RunDraft) -> Vec<Request> {
    let mut joined: BTreeMap<RequestKey<'_>, (RequestUse, bool)> = BTreeMap::new();
    for request in &draft.requests {
        let used = &request.used;
        let url = if used.id.is_some() { None } else { used.url.as_deref() };
        let (known, open) = joined
            .entry((used.id.as_deref(), url))
            .or_insert_with(|| (RequestUse { retried: 0, lost: 0, span: None, ..used.clone() }, false));
        known.retried += used.retried;
        known.lost += used.lost;
        known.last_error.clone_from(&used.last_error);
        known.url = known.url.take().or_else(|| used.url.clone());
        widen_by(&mut known.span, used.span);
        *open |= !request.drained;
    }
    let mut rows: Vec<Request> = joined
        .into_values()
        .map(|(used, open)| Request {
            run,
            outcome: match (used.lost > 0, open) {
                (true, _) => RequestOutcome::Lost,
                (false, true) => RequestOutcome::Open,
                (false, false) => RequestOutcome::Recovered,
            },
            url: used.url,
            request_id: used.id,
            attempts: used.retried + used.lost,
            last_error: used.last_error,
            first_seen: used.span.map(|(first, _)| first),
            last_seen: used.span.map(|(_, last)| last),
        })
        .collect();
    rows.sort_by(|a, b| (a.first_seen, &a.url, &a.request_id).cmp(&(b.first_seen, &b.url, &b.request_id)));
    rows
}
