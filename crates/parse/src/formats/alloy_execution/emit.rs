//! From executions and results to records and marks.

use std::borrow::Cow;
use std::ops::Range;

use super::failure::Failure;
use super::read::{Execution, Page, Purity, StepResult};
use crate::issue::Code;
use crate::json::{Completeness, Fate, Ledger};
use crate::mark::{Bounds, Mark, Outcome, Revocation, RunHead, RunId, Step};
use crate::record::{Batch, Delivery, Evidence, Flags, Record, Span};
use crate::text::Text;
use crate::vocabulary::{Class, Kind, Level, Status, StepKind};

/// Name of a step whose connector is not stated.
const UNNAMED: &str = "(no connector)";

/// Appends what `page` holds to `out` and empties it.
pub fn emit<'a>(
    page: &mut Page<'a>,
    window: &'a [u8],
    ledger: &mut Ledger<'a>,
    delivery: &mut Delivery<'_>,
    out: &mut Batch<'a>,
) {
    let best = best_of_each(&page.executions);
    for index in 0..page.executions.len() {
        let Some(execution) = page.executions.get(index) else { continue };
        if best.get(index) == Some(&Repetition::Worse) {
            let message = "the page repeats this execution; its most complete copy was read";
            page.findings.push(Code::OverlappingPage, execution.span, Fate::Kept, message);
        }
    }
    let purity = std::mem::replace(&mut page.purity, Purity::Utf8);
    if purity == Purity::Mixed {
        report_invalid(page, window);
    }
    page.findings.sort();
    for (execution, repetition) in page.executions.iter().zip(&best) {
        let Span { start, end } = execution.span;
        page.findings.claim_before(start, ledger, &mut out.account.rejected);
        match repetition {
            Repetition::Worse => {
                ledger.claim(execution.span, &mut out.account.duplicate);
                page.findings.pass(end);
            }
            Repetition::Best => {
                let range = execution.first_result..execution.first_result + execution.n_results;
                let results = page.results.get(range).unwrap_or_default();
                run_marks(execution, results, out);
                let mut events = Events { window, purity, execution, results, at: 0..results.len() };
                while let Some(event) = events.next_event() {
                    page.findings.claim_before(event.span.start, ledger, &mut out.account.rejected);
                    push(event, ledger, out);
                }
                delivery.offer(out);
            }
        }
    }
    page.findings.claim_before(usize::MAX, ledger, &mut out.account.rejected);
    page.executions.clear();
    page.results.clear();
}

/// Whether an execution is the one to be read among those with its id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Repetition {
    Best,
    Worse,
}

/// Pages shift while new executions arrive, so one may stand twice, and the later copy may know more:
/// the one that has stopped stands, then the finished one, then the one with most results, then the first.
fn best_of_each(executions: &[Execution<'_>]) -> Vec<Repetition> {
    let mut verdicts = vec![Repetition::Best; executions.len()];
    let mut order: Vec<usize> = (0..executions.len()).collect();
    let print = |index: &usize| executions.get(*index).map(|execution| execution.id_print);
    let id = |index: &usize| executions.get(*index).and_then(|execution| Some(execution.id.as_ref()?.raw));
    let rank = |index: &usize| executions.get(*index).map(completeness_rank);
    order.retain(|index| id(index).is_some());
    order.sort_unstable_by(|a, b| {
        let by_id = print(a).cmp(&print(b)).then_with(|| id(a).cmp(&id(b)));
        by_id.then_with(|| rank(a).cmp(&rank(b))).then_with(|| a.cmp(b))
    });
    for pair in order.windows(2) {
        if let [better, worse] = pair
            && print(better) == print(worse)
            && id(better) == id(worse)
            && let Some(verdict) = verdicts.get_mut(*worse)
        {
            *verdict = Repetition::Worse;
        }
    }
    verdicts
}

/// Less is more complete.
fn completeness_rank(execution: &Execution<'_>) -> (bool, bool, bool, std::cmp::Reverse<usize>) {
    (
        execution.completeness == Some(Completeness::Cut),
        execution.stopped_at.is_none(),
        execution.finished != Some(true),
        std::cmp::Reverse(execution.n_results),
    )
}

/// One issue per event that is not UTF-8.
fn report_invalid(page: &mut Page<'_>, window: &[u8]) {
    let errors = page.executions.iter().filter_map(|execution| execution.error).map(|(span, _)| span);
    let events = page.results.iter().map(|result| result.span).chain(errors);
    let places: Vec<Span> = events.filter_map(|span| first_invalid(window, span)).collect();
    for place in places {
        page.findings.push(Code::InvalidUtf8, place, Fate::Kept, "expected UTF-8");
    }
}

fn first_invalid(window: &[u8], span: Span) -> Option<Span> {
    let bytes = window.get(span.start..span.end).unwrap_or_default();
    let error = std::str::from_utf8(bytes).err()?;
    let start = span.start + error.valid_up_to();
    Some(Span { start, end: (start + error.error_len().unwrap_or(1)).min(span.end) })
}

fn run_marks<'a>(execution: &Execution<'a>, results: &[StepResult<'a>], out: &mut Batch<'a>) {
    let id = match (&execution.id, execution.started_text) {
        (Some(id), _) => RunId::Stated(id.text.clone()),
        (None, Some(started)) => RunId::Within(started.decode()),
        (None, None) => RunId::File,
    };
    let Execution { started_at, stopped_at, .. } = *execution;
    let bounds = Bounds::Stated { started_at, stopped_at };
    out.mark(Mark::Run(Box::new(RunHead { kind: Kind::Execution, id, bounds })));
    if execution.completeness == Some(Completeness::Cut) {
        out.mark(Mark::Incomplete(crate::mark::Missing::Middle, "truncated"));
    }
    let (status, reason) = outcome(execution, results);
    out.mark(Mark::Outcome(Outcome {
        status,
        reason: Cow::Borrowed(reason),
        failure_class: None,
        weight: 1,
        revoked_by: Revocation::Never,
    }));
}

/// How the execution ended. The source has no word for it, so it follows from what it states:
/// an error of its own, the last step (by its stop), `finished`, and whether it stopped.
fn outcome(execution: &Execution<'_>, results: &[StepResult<'_>]) -> (Status, &'static str) {
    let last = results.iter().max_by_key(|result| result.stopped_at.or(result.started_at));
    let any_failed = results.iter().any(|result| result.failure.is_some());
    if execution.error.is_some() {
        return (Status::Failed, "top_level_error");
    }
    if last.is_some_and(|last| last.failure.is_some()) {
        return (Status::Failed, "last_step_failed");
    }
    match (execution.finished, execution.stopped_at) {
        (Some(true), _) if any_failed => (Status::Succeeded, "finished_after_failed_step"),
        (Some(true), _) => (Status::Succeeded, "finished"),
        (Some(false), None) => (Status::Running, "not_finished"),
        (Some(false), Some(_)) => (Status::Unknown, "stopped_unfinished"),
        (None, _) => (Status::Unknown, "not_stated"),
    }
}

/// The events of one execution in the order they stand: its results, and its error before, between or behind them.
struct Events<'e, 'a> {
    window: &'a [u8],
    purity: Purity,
    execution: &'e Execution<'a>,
    results: &'e [StepResult<'a>],
    /// Results still to come; once past the end, the error has been given too.
    at: Range<usize>,
}

/// An event about to become a record.
struct Event<'a> {
    span: Span,
    record: Record<'a>,
    step: Option<Box<Step<'a>>>,
}

impl<'a> Events<'_, 'a> {
    fn next_event(&mut self) -> Option<Event<'a>> {
        let next = self.results.get(self.at.start);
        let error = self.execution.error.filter(|_| self.at.end == self.results.len());
        match (next, error) {
            (Some(result), error) if error.is_none_or(|(span, _)| result.span.start < span.start) => {
                self.at.start += 1;
                Some(self.step(result))
            }
            (_, Some((span, failure))) => {
                self.at.end = usize::MAX;
                Some(self.error(span, failure))
            }
            _ => None,
        }
    }

    fn blank(&self, span: Span) -> Record<'a> {
        let lossy = self.purity == Purity::Mixed && first_invalid(self.window, span).is_some();
        Record {
            span,
            line: 0,
            n_lines: 0,
            n_events: 1,
            ts: None,
            until: None,
            clock: None,
            level: Level::None,
            class: Class::Plain,
            logger: b"",
            message: Text::EMPTY,
            payload: None,
            stream: 0,
            flags: if lossy { Flags::LOSSY } else { Flags::NONE },
            evidence: Evidence::NONE,
        }
    }

    fn step(&self, result: &StepResult<'a>) -> Event<'a> {
        let mut record = self.blank(result.span);
        record.ts = result.stopped_at.or(result.started_at);
        record.logger = result.connector.as_ref().map_or(b"", |connector| connector.raw);
        record.payload = result.data.map(Text::plain);
        record.level = Level::Info;
        if let Some(failure) = result.failure {
            (record.level, record.class, record.message) = (Level::Error, Class::Failure, failure.text);
        }
        let connector_id = result.connector.as_ref().map(|connector| connector.text.clone());
        let error = result.failure.map(|failure| failure.text.decode()).filter(|text| !text.is_empty());
        let step = Step {
            name: connector_id.clone().unwrap_or(Cow::Borrowed(UNNAMED)),
            kind: StepKind::Step,
            connector_id,
            started_at: result.started_at,
            stopped_at: result.stopped_at,
            status: step_status(self.execution, result),
            status_code: result.code,
            error,
        };
        Event { span: result.span, record, step: Some(Box::new(step)) }
    }

    fn error(&self, span: Span, failure: Failure<'a>) -> Event<'a> {
        let mut record = self.blank(span);
        record.ts = self.execution.stopped_at.or(self.execution.started_at);
        record.payload =
            self.window.get(span.start..span.end).filter(|raw| raw.starts_with(b"{")).map(Text::plain);
        (record.level, record.class, record.message) = (Level::Error, Class::Failure, failure.text);
        Event { span, record, step: None }
    }
}

/// A step without a stop is done if its execution is, and under way if that is.
fn step_status(execution: &Execution<'_>, result: &StepResult<'_>) -> Status {
    match (result.failure, result.stopped_at, execution.finished) {
        (Some(_), ..) => Status::Failed,
        (None, Some(_), _) | (None, None, Some(true)) => Status::Succeeded,
        (None, None, Some(false)) if execution.stopped_at.is_none() => Status::Running,
        _ => Status::Unknown,
    }
}

fn push<'a>(event: Event<'a>, ledger: &mut Ledger<'a>, out: &mut Batch<'a>) {
    let Event { span, mut record, step } = event;
    let claim = ledger.claim(span, &mut out.account.record);
    (record.line, record.n_lines) = (claim.line, claim.n_lines);
    if let Some(step) = step {
        out.mark(Mark::Step(step));
    }
    out.records.push(record);
}
