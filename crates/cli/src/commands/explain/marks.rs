//! The marks of a format, in words.

use logmill_parse::Mark;
use logmill_parse::mark::{CrawlStage, Fact, Fate, Missing, Opening, Outcome, Revocation, RunId};

use crate::terminal::shortened;

/// Characters of what a mark quotes from the log.
const MAX_QUOTED_CHARS: usize = 100;

/// What the format says with the mark.
#[must_use]
pub fn in_words(mark: &Mark<'_>) -> String {
    match mark {
        Mark::Run(head) => {
            let id = match &head.id {
                RunId::Stated(id) => format!("with the id {}", quoted(id)),
                RunId::Within(id) => format!("with the file's id and {}", quoted(id)),
                RunId::File => "with the file's id".to_owned(),
            };
            format!("run: one of kind `{}` begins, {id}", head.kind)
        }
        Mark::Opening(opening) => of_opening(opening),
        Mark::StepStart(step) => {
            format!("step: the {} {} begins, at depth {}", step.kind, quoted(&step.name), step.depth)
        }
        Mark::StepEnd(step) => format!("step: one at depth {} ends, {}", step.depth, step.status),
        Mark::Step(step) => {
            format!("step: the event is the {} {}, {}", step.kind, quoted(&step.name), step.status)
        }
        Mark::Ready => "ready: the start-up of the program is over".to_owned(),
        Mark::Progress => "progress: the work goes on up to here".to_owned(),
        Mark::Outcome(outcome) => of_outcome(outcome),
        Mark::Fact(fact, value) => format!("fact: the {} is {}", of_fact(*fact), quoted(value)),
        Mark::CrawlStart => "crawl: a batch of requests begins".to_owned(),
        Mark::CrawlStats(stats) => {
            let stage = if stats.stage == CrawlStage::Final { "final figures" } else { "figures so far" };
            let figures = [
                ("finished", stats.finished),
                ("failed", stats.failed),
                ("retried", stats.retried),
                ("retries", stats.retries),
                ("counted", stats.counted),
            ];
            let stated = figures.iter().filter_map(|(name, value)| Some(format!("{} {name}", (*value)?)));
            format!("crawl: {stage}: {}", stated.collect::<Vec<_>>().join(", "))
        }
        Mark::CrawlEnd => "crawl: a batch of requests is over".to_owned(),
        Mark::Request(request) => {
            let fate = if request.fate == Fate::Lost { "given up" } else { "to be tried again" };
            let which = request.url.as_ref().or(request.id.as_ref());
            let which = which.map_or_else(|| "one that is not named".to_owned(), |which| quoted(which));
            let count = request.retry_count.map_or_else(String::new, |n| format!(", retries so far: {n}"));
            format!("request: {which}, {fate}{count}")
        }
        Mark::Metric(metric) => {
            let label = if metric.label.is_empty() {
                String::new()
            } else {
                format!(" of {}", quoted(&metric.label))
            };
            format!("metric: {}{label} is {} {}", metric.name, metric.value, metric.unit)
                .trim_end()
                .to_owned()
        }
        Mark::Incomplete(missing, reason) => {
            let part = match missing {
                Missing::Head => "beginning",
                Missing::Middle => "middle",
                Missing::Tail => "end",
            };
            format!("incomplete: the {part} of the log is missing ({reason})")
        }
    }
}

fn of_opening(opening: &Opening<'_>) -> String {
    let what = opening.fingerprint.as_ref().map_or_else(String::new, |id| format!(" of {}", quoted(id)));
    format!("opening: a run starts or starts again{what}, with the phase `{}`", opening.name)
}

fn of_outcome(outcome: &Outcome<'_>) -> String {
    let revoked = match outcome.revoked_by {
        Revocation::Never => "",
        Revocation::Level => ", unless a line with a level follows",
        Revocation::Platform => ", unless a line of the platform follows",
    };
    format!(
        "outcome: {}, because of {} (weight {}{revoked})",
        outcome.status,
        quoted(&outcome.reason),
        outcome.weight
    )
}

const fn of_fact(fact: Fact) -> &'static str {
    match fact {
        Fact::BuildId => "build",
        Fact::ToolVersion => "version of the tool",
        Fact::Branch => "branch",
        Fact::Commit => "commit",
    }
}

fn quoted(text: &str) -> String {
    format!("`{}`", shortened(text, MAX_QUOTED_CHARS))
}
