//! `logmill show`: one run, its steps, and its errors with the events around them.

use std::collections::VecDeque;
use std::fmt::Write as _;

use logmill_analyze::model::{EventRow, Report, Run, Step};
use logmill_analyze::{Detail, EventsError, Selection};
use logmill_frame::Table;
use logmill_parse::{Class, Kind, Level, Micros};

use super::{everything, print};
use crate::args::ShowArgs;
use crate::failure::{Done, Failure};
use crate::session::{Ending, Session};
use crate::terminal::{
    Paint, count, counted, duration, input_name, instant, percent, rfc3339, safe, safe_json, shortened,
};
use crate::{nearest, rows};

/// Errors shown with what stands around them.
const MAX_ERRORS: usize = 20;
/// Characters of a message.
const MAX_MESSAGE_CHARS: usize = 160;
/// Width of a step's bar.
const BAR: usize = 30;

/// Prints one run.
///
/// # Errors
///
/// If no run or several have the id, or its log cannot be read again.
pub fn run(args: &ShowArgs) -> Result<Done, Failure> {
    let session = Session::open(&args.input, &args.notes, Detail::Runs)?;
    let (select, time) = everything();
    let report = session.report(&select, &time)?;
    let index = find(&report, &session.masked(&args.run_id))?;
    let Some(run) = report.runs.get(index) else { return Ok(Done::WithComplaints) };
    let excerpts = errors(&session, run, args.context)?;
    if args.json {
        print(&json(&report, index, &excerpts)?)?;
    } else {
        let paint = Paint::for_stdout(args.notes.color);
        let mut out = head(run, paint);
        let steps: Vec<&Step> = report.steps.iter().filter(|step| step.run == index).collect();
        timeline(run, &steps, paint, &mut out);
        print_errors(run, &excerpts, paint, &mut out);
        print(&out)?;
    }
    session.conclude(
        &report,
        &args.notes,
        &Ending::next("`logmill errors PATHS` shows what goes wrong in other runs"),
    )
}

/// The run whose id is given, or begins with what is given.
fn find(report: &Report, id: &str) -> Result<usize, Failure> {
    let exact = report.runs.iter().position(|run| run.run_id == id);
    let begins = |run: &&Run| run.run_id.starts_with(id);
    let mut candidates = report.runs.iter().filter(begins);
    match (exact, candidates.next(), candidates.next()) {
        (Some(index), ..) => Ok(index),
        (None, Some(run), None) => Ok(report.runs.iter().position(|other| other == run).unwrap_or(0)),
        (None, Some(_), Some(_)) => {
            let ids: Vec<String> = report
                .runs
                .iter()
                .filter(begins)
                .take(10)
                .map(|run| safe(&run.run_id).into_owned())
                .collect();
            Err(Failure::Usage(format!("expected the id of one run, found several: {}", ids.join(", "))))
        }
        (None, None, _) => Err(Failure::Usage(format!(
            "expected the id of a run, found none that begins with `{}`{}; `logmill runs` lists them",
            id.escape_debug(),
            nearest::tip(id, report.runs.iter().map(|run| run.run_id.as_str()))
        ))),
    }
}

fn head(run: &Run, paint: Paint) -> String {
    let mut out = String::new();
    let kind = run.kind.map_or("?", Kind::as_str);
    let _ = writeln!(
        out,
        "{}",
        paint.bold(&format!("{} {kind} {} of {}", run.platform, safe(&run.run_id), safe(&run.group)))
    );
    let status = format!("{} ({})", run.status, safe(&run.status_reason));
    let _ = writeln!(out, "  status    {status}");
    let _ = writeln!(out, "  started   {}", run.started_at.map_or_else(|| "–".to_owned(), instant));
    let _ = writeln!(out, "  duration  {}", run.duration_ms.map_or_else(|| "–".to_owned(), duration));
    let _ = writeln!(
        out,
        "  events    {} in {}: {}, {}, {}",
        count(run.n_events),
        counted(run.n_lines, "line", "lines"),
        counted(run.n_errors, "error", "errors"),
        counted(run.n_warnings, "warning", "warnings"),
        counted(run.n_retries, "retry", "retries")
    );
    if let (Some(finished), Some(failed)) = (run.requests_finished, run.requests_failed) {
        let _ = writeln!(out, "  requests  {} finished, {} failed", count(finished), count(failed));
    }
    for (name, value) in [
        ("build", &run.build_id),
        ("tool", &run.tool_version),
        ("branch", &run.branch),
        ("commit", &run.commit),
        ("missing", &run.incomplete_reason),
    ] {
        if let Some(value) = value {
            let _ = writeln!(out, "  {name:<9} {}", safe(value));
        }
    }
    let _ = writeln!(out, "  source    {}", safe(&run.source));
    out
}

/// The steps as bars on the run's own scale.
fn timeline(run: &Run, steps: &[&Step], paint: Paint, out: &mut String) {
    if steps.is_empty() {
        return;
    }
    let _ = writeln!(out, "\n{}", paint.bold("Steps"));
    for step in steps {
        let bar = bar(run.started_at, run.duration_ms, step);
        let name = format!("{}{}", "  ".repeat(usize::from(step.depth)), safe(&step.name));
        let share = step.share.map_or_else(String::new, percent);
        let error =
            step.error.as_deref().map_or_else(String::new, |error| paint.red(&shortened(&safe(error), 60)));
        let connector = step.connector_id.as_deref().map_or_else(String::new, |id| format!("{} ", safe(id)));
        let line = format!(
            "  {:<24} {} {:>10} {:>8}  {connector}{error}",
            shortened(&name, 24),
            paint.dim(&bar),
            step.duration_ms.map_or_else(|| "–".to_owned(), duration),
            share,
        );
        let _ = writeln!(out, "{}", line.trim_end());
    }
    if let Some(gap) = run.tail_gap_ms.filter(|gap| *gap != 0) {
        let _ = writeln!(out, "  {:<24} {} {:>10}", "(after the last step)", " ".repeat(BAR), duration(gap));
    }
}

fn bar(run_start: Option<Micros>, run_ms: Option<i64>, step: &Step) -> String {
    let (Some(origin), Some(total), Some(start), Some(length)) =
        (run_start, run_ms, step.started_at, step.duration_ms)
    else {
        return " ".repeat(BAR);
    };
    if total <= 0 {
        return " ".repeat(BAR);
    }
    let scale = |ms: i64| {
        let cells = i128::from(ms.max(0)) * BAR as i128 / i128::from(total);
        usize::try_from(cells).unwrap_or(BAR).min(BAR)
    };
    let from = scale((start - origin).div_euclid(1000)).min(BAR - 1);
    let len = scale(length).clamp(1, BAR - from);
    format!("{}{}{}", " ".repeat(from), "█".repeat(len), " ".repeat(BAR - from - len))
}

/// One event, as far as it is shown.
struct Shown {
    ts: Option<Micros>,
    level: Level,
    class: Class,
    message: String,
    source: String,
    member: Option<String>,
    /// Line, from 1.
    line: u64,
}

impl Shown {
    fn of(row: &EventRow<'_>) -> Self {
        let message = row.record.message.decode();
        let is_bad = is_bad(row.record.class, row.record.level);
        let kept = if is_bad {
            message.lines().take(12).collect::<Vec<_>>().join("\n")
        } else {
            message.lines().next().unwrap_or_default().to_owned()
        };
        Self {
            ts: row.record.ts,
            level: row.record.level,
            class: row.record.class,
            message: kept,
            source: row.source.to_owned(),
            member: row.member.map(str::to_owned),
            line: row.line,
        }
    }

    fn json(&self) -> serde_json::Value {
        serde_json::json!({
            "ts": self.ts.map(rfc3339), "level": self.level.as_str(), "class": self.class.as_str(),
            "message": self.message, "source": self.source, "member": self.member, "line": self.line,
        })
    }

    fn print(&self, paint: Paint, out: &mut String) {
        let at = self.ts.map_or_else(|| " ".repeat(19), instant);
        let is_bad = is_bad(self.class, self.level);
        for (index, line) in self.message.lines().enumerate() {
            let text = shortened(&safe(line), MAX_MESSAGE_CHARS);
            let head = if index == 0 { format!("{at} {:<8}", self.level.as_str()) } else { " ".repeat(28) };
            let text = if is_bad { paint.red(&text) } else { paint.dim(&text) };
            let _ = writeln!(out, "  {head} {text}");
        }
    }
}

fn is_bad(class: Class, level: Level) -> bool {
    matches!(class, Class::Failure | Class::Crash) || (level.is_error() && class != Class::Retry)
}

/// An error with the events around it.
struct Excerpt {
    before: Vec<Shown>,
    error: Shown,
    after: Vec<Shown>,
}

/// The first errors of the run.
fn errors(session: &Session, run: &Run, context: usize) -> Result<Vec<Excerpt>, Failure> {
    if run.n_errors == 0 {
        return Ok(Vec::new());
    }
    let select = Selection { runs: vec![run.run_id.clone()], ..Selection::default() };
    let plan = session.survey.event_plan(&select);
    let mut window: VecDeque<Shown> = VecDeque::new();
    let mut excerpts: Vec<Excerpt> = Vec::new();
    let take = |lines: Vec<Shown>| -> Result<(), EventsError> {
        for line in lines {
            if is_bad(line.class, line.level) && excerpts.len() < MAX_ERRORS {
                let before = window.drain(..).collect();
                excerpts.push(Excerpt { before, error: line, after: Vec::new() });
            } else if let Some(open) = excerpts.last_mut().filter(|last| last.after.len() < context) {
                open.after.push(line);
            } else {
                window.push_back(line);
                if window.len() > context {
                    window.pop_front();
                }
            }
        }
        Ok(())
    };
    let push = |lines: &mut Vec<Shown>, row: &EventRow<'_>| lines.push(Shown::of(row));
    session
        .engine
        .events(&plan, &session.inputs(), Vec::new, push, |lines| lines, take)
        .map_err(|error| Failure::System(error.into()))?;
    Ok(excerpts)
}

fn print_errors(run: &Run, excerpts: &[Excerpt], paint: Paint, out: &mut String) {
    if run.n_errors == 0 {
        return;
    }
    let _ = writeln!(out, "\n{}", paint.bold("Errors"));
    for Excerpt { before, error, after } in excerpts {
        let place = format!("{}:{}", input_name(&error.source, error.member.as_deref()), error.line);
        let _ = writeln!(out, "  {}", paint.dim(&place));
        for line in before.iter().chain([error]).chain(after) {
            line.print(paint, out);
        }
    }
    if run.n_errors > MAX_ERRORS as u64 {
        let rest = counted(run.n_errors - MAX_ERRORS as u64, "more error", "more errors");
        let _ = writeln!(out, "{}", paint.dim(&format!("  … {rest}")));
    }
}

/// The run, its steps and its first errors, as one object.
fn json(report: &Report, index: usize, excerpts: &[Excerpt]) -> Result<String, Failure> {
    let run = rows::rows(report, Table::Runs)?.into_iter().nth(index);
    let steps = rows::rows(report, Table::Steps)?.into_iter().zip(&report.steps);
    let steps: Vec<_> = steps.filter(|(_, step)| step.run == index).map(|(row, _)| row).collect();
    let lines = |lines: &[Shown]| lines.iter().map(Shown::json).collect::<Vec<_>>();
    let excerpt = |excerpt: &Excerpt| {
        let mut event = excerpt.error.json();
        event["before"] = lines(&excerpt.before).into();
        event["after"] = lines(&excerpt.after).into();
        event
    };
    let errors: Vec<serde_json::Value> = excerpts.iter().map(excerpt).collect();
    let object = serde_json::json!({ "run": run, "steps": steps, "errors": errors });
    Ok(format!("{}\n", safe_json(&object.to_string())))
}
