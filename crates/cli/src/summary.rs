//! What a person wants first: runs by outcome, durations, slow steps, errors over time, the top
//! error groups, and what could not be read.

use std::collections::BTreeMap;
use std::fmt::Write;

use logmill_analyze::Report;
use logmill_analyze::model::{ErrorGroup, OutcomeFilter, Rate};
use logmill_parse::{Class, Kind, Severity, Status};

use crate::terminal::{
    Paint, count, counted, duration, instant, percent, safe, shortened, size, sparkline, width_of_stdout,
};

/// Rows of each part of the summary.
const MAX_ROWS: usize = 10;

/// The summary as text.
#[must_use]
pub fn text(report: &Report, paint: Paint) -> String {
    let mut out = String::new();
    inputs(report, paint, &mut out);
    if !report.runs.is_empty() {
        outcomes(report, paint, &mut out);
        groups(report, paint, &mut out);
        slowest_steps(report, paint, &mut out);
        over_time(report, paint, &mut out);
        errors(report, paint, &mut out);
    }
    unread(report, paint, &mut out);
    out
}

/// Characters of a group's name: fewer where the terminal is narrow.
fn name_width() -> usize {
    width_of_stdout().map_or(MAX_NAME, |width| width.saturating_sub(FIGURES).clamp(MIN_NAME, MAX_NAME))
}

/// Characters of a group's name, and those that the figures beside it take.
const MAX_NAME: usize = 28;
const MIN_NAME: usize = 10;
const FIGURES: usize = 70;

fn heading(paint: Paint, text: &str, out: &mut String) {
    let _ = writeln!(out, "\n{}", paint.bold(text));
}

fn inputs(report: &Report, paint: Paint, out: &mut String) {
    let bytes: u64 = report.files.iter().map(|file| file.bytes).sum();
    let lines: u64 = report.files.iter().map(|file| file.n_lines).sum();
    let events: u64 = report.files.iter().map(|file| file.n_events).sum();
    let _ = writeln!(
        out,
        "{}",
        paint.bold(&format!(
            "{}, {}, {} → {} in {}",
            counted(report.files.len() as u64, "file", "files"),
            size(bytes),
            counted(lines, "line", "lines"),
            counted(events, "event", "events"),
            counted(report.runs.len() as u64, "run", "runs")
        ))
    );
    let first = report.runs.iter().filter_map(|run| run.started_at).min();
    let last = report.runs.iter().filter_map(|run| run.stopped_at.or(run.started_at)).max();
    if let (Some(first), Some(last)) = (first, last) {
        let _ = writeln!(out, "{}", paint.dim(&format!("{} – {} UTC", instant(first), instant(last))));
    }
}

fn outcomes(report: &Report, paint: Paint, out: &mut String) {
    heading(paint, "Runs by outcome", out);
    let mut counts: BTreeMap<(&str, Option<Kind>), BTreeMap<Status, u64>> = BTreeMap::new();
    for run in &report.runs {
        *counts.entry((run.platform.as_str(), run.kind)).or_default().entry(run.status).or_default() += 1;
    }
    for ((platform, kind), by_status) in counts {
        let total: u64 = by_status.values().sum();
        let parts: Vec<String> = by_status
            .iter()
            .map(|(status, n)| {
                let text = format!("{} {status}", count(*n));
                match status {
                    Status::Succeeded => paint.green(&text),
                    Status::Failed | Status::TimedOut => paint.red(&text),
                    _ => paint.dim(&text),
                }
            })
            .collect();
        let what = format!("{platform} {}", kind.map_or("?", Kind::as_str));
        let _ = writeln!(out, "  {what:<22} {:>7}   {}", count(total), parts.join(" · "));
    }
}

fn groups(report: &Report, paint: Paint, out: &mut String) {
    heading(paint, "Durations by group", out);
    let mut rows: Vec<_> = report
        .durations
        .iter()
        .filter(|row| row.step.is_none() && row.outcome == OutcomeFilter::All)
        .collect();
    rows.sort_by_key(|row| std::cmp::Reverse(row.total_ms));
    let names = name_width();
    let head = format!(
        "  {:<names$} {:<10} {:>6} {:>9} {:>9} {:>9} {:>9} {:>9}",
        "group", "kind", "runs", "p50", "p95", "max", "total", "failed"
    );
    let _ = writeln!(out, "{}", paint.dim(&head));
    for row in rows.iter().take(MAX_ROWS) {
        let ms = |value: Option<i64>| value.map_or("–".to_owned(), duration);
        let failed = failure_rate(report, &row.group, row.kind).map_or("–".to_owned(), percent);
        let _ = writeln!(
            out,
            "  {:<names$} {:<10} {:>6} {:>9} {:>9} {:>9} {:>9} {:>9}",
            shortened(&safe(&row.group), names),
            row.kind.map_or("?", Kind::as_str),
            count(row.n + row.n_incomplete),
            ms(row.p50_ms),
            ms(row.p95_ms),
            ms(row.max_ms),
            ms(row.total_ms),
            failed
        );
    }
    more(rows.len(), ("group", "groups"), "durations", paint, out);
}

/// Failed and timed out runs of a group over those whose end is known.
fn failure_rate(report: &Report, group: &str, kind: Option<Kind>) -> Option<f64> {
    let of_group = |row: &&Rate| row.group == group && row.kind == kind;
    let sum = |figure: fn(&Rate) -> u64| report.rates.iter().filter(of_group).map(figure).sum::<u64>();
    let bad = sum(|row| row.n_failed + row.n_timed_out);
    let known = bad + sum(|row| row.n_succeeded);
    (known > 0).then(|| bad as f64 / known as f64)
}

fn slowest_steps(report: &Report, paint: Paint, out: &mut String) {
    let mut rows: Vec<_> = report
        .durations
        .iter()
        .filter(|row| row.step.is_some() && row.outcome == OutcomeFilter::All && row.n > 0)
        .collect();
    if rows.is_empty() {
        return;
    }
    rows.sort_by_key(|row| std::cmp::Reverse(row.total_ms));
    heading(paint, "Where the time goes", out);
    let names = name_width();
    let head = format!(
        "  {:<names$} {:<18} {:>6} {:>9} {:>9} {:>9} {:>9}",
        "group", "step", "n", "p50", "p95", "max", "total"
    );
    let _ = writeln!(out, "{}", paint.dim(&head));
    for row in rows.iter().take(MAX_ROWS) {
        let ms = |value: Option<i64>| value.map_or("–".to_owned(), duration);
        let _ = writeln!(
            out,
            "  {:<names$} {:<18} {:>6} {:>9} {:>9} {:>9} {:>9}",
            shortened(&safe(&row.group), names),
            shortened(&safe(row.step.as_deref().unwrap_or_default()), 18),
            count(row.n),
            ms(row.p50_ms),
            ms(row.p95_ms),
            ms(row.max_ms),
            ms(row.total_ms)
        );
    }
    more(rows.len(), ("step", "steps"), "durations", paint, out);
}

/// What of how many went wrong in a bucket: errors of events, failures of runs.
#[derive(Default)]
struct Sums {
    errors: (u64, u64),
    failures: (u64, u64),
}

fn over_time(report: &Report, paint: Paint, out: &mut String) {
    let mut buckets: BTreeMap<i64, Sums> = BTreeMap::new();
    for row in &report.rates {
        let Some(start) = row.bucket_start else { continue };
        let sums = buckets.entry(start).or_default();
        sums.errors.0 += row.n_errors;
        sums.errors.1 += row.n_events;
        sums.failures.0 += row.n_failed + row.n_timed_out;
        sums.failures.1 += row.n_failed + row.n_timed_out + row.n_succeeded;
    }
    let (Some((first, _)), Some((last, _))) = (buckets.first_key_value(), buckets.last_key_value()) else {
        return;
    };
    let line = |part: fn(&Sums) -> (u64, u64)| {
        let rates: Vec<Option<f64>> = buckets
            .values()
            .map(|sums| {
                let (hits, of) = part(sums);
                (of > 0).then(|| hits as f64 / of as f64)
            })
            .collect();
        let max = rates.iter().flatten().copied().fold(0.0_f64, f64::max);
        (sparkline(&rates), max)
    };
    heading(paint, "Over time", out);
    let (errors, max_errors) = line(|sums| sums.errors);
    let (failures, max_failures) = line(|sums| sums.failures);
    let _ = writeln!(out, "  error rate of events   {errors}  max {}", percent(max_errors));
    let _ = writeln!(out, "  failure rate of runs   {failures}  max {}", percent(max_failures));
    let _ = writeln!(out, "{}", paint.dim(&format!("  {} … {}", instant(*first), instant(*last))));
}

fn errors(report: &Report, paint: Paint, out: &mut String) {
    let rows: Vec<&ErrorGroup> = report.errors.iter().filter(|group| is_bad(group)).collect();
    if rows.is_empty() {
        return;
    }
    heading(paint, "Top error groups", out);
    for group in rows.iter().take(MAX_ROWS) {
        let class = match group.class {
            Class::Failure | Class::Crash => paint.red(group.class.as_str()),
            _ => paint.yellow(group.class.as_str()),
        };
        let template = shortened(&safe(group.template.lines().next().unwrap_or_default()), 88);
        let _ = writeln!(
            out,
            "  {:>6}× in {} {}  {class}  {template}",
            count(group.n_events),
            count(group.n_runs),
            runs(group.n_runs)
        );
        let _ = writeln!(
            out,
            "{}",
            paint.dim(&format!("          {}:{}", safe(&group.example_source), group.example_line))
        );
    }
    more(rows.len(), ("error group", "error groups"), "errors", paint, out);
}

fn runs(n: u64) -> &'static str {
    if n == 1 { "run" } else { "runs" }
}

/// Retries and errors; plain warnings are in the table only.
fn is_bad(group: &ErrorGroup) -> bool {
    group.level.is_error() || matches!(group.class, Class::Failure | Class::Crash | Class::Retry)
}

fn unread(report: &Report, paint: Paint, out: &mut String) {
    let incomplete = report.runs.iter().filter(|run| !run.complete).count();
    let mut by_code: BTreeMap<(Severity, &str), (u64, &str, Option<u64>)> = BTreeMap::new();
    for issue in &report.issues {
        let entry = by_code.entry((issue.severity, issue.code)).or_insert((0, &issue.source, issue.line));
        entry.0 += 1;
    }
    let problems: Vec<_> = by_code.iter().filter(|((severity, _), _)| *severity != Severity::Info).collect();
    if incomplete == 0 && problems.is_empty() {
        return;
    }
    heading(paint, "Incomplete or unreadable", out);
    if incomplete > 0 {
        let mut reasons: BTreeMap<&str, u64> = BTreeMap::new();
        for run in report.runs.iter().filter(|run| !run.complete) {
            *reasons.entry(run.incomplete_reason.as_deref().unwrap_or("?")).or_default() += 1;
        }
        let reasons: Vec<String> = reasons.iter().map(|(reason, n)| format!("{n} {reason}")).collect();
        let _ = writeln!(
            out,
            "  {:>6} incomplete {}: {}",
            count(incomplete as u64),
            runs(incomplete as u64),
            reasons.join(", ")
        );
    }
    for ((_, code), (n, source, line)) in problems {
        let place = line.map_or_else(|| safe(source).into_owned(), |line| format!("{}:{line}", safe(source)));
        let _ = writeln!(out, "  {:>6} {code}, first at {place}", count(*n));
    }
}

fn more(total: usize, (one, several): (&str, &str), command: &str, paint: Paint, out: &mut String) {
    if total > MAX_ROWS {
        let rest = (total - MAX_ROWS) as u64;
        let what = if rest == 1 { one } else { several };
        let line = format!("  … {} more {what}: logmill {command} PATHS", count(rest));
        let _ = writeln!(out, "{}", paint.dim(&line));
    }
}

/// The summary as one JSON object: the report tables that are small by nature, whole.
#[must_use]
pub fn json(report: &Report) -> String {
    let mut by_status: BTreeMap<&str, u64> = BTreeMap::new();
    for run in &report.runs {
        *by_status.entry(run.status.as_str()).or_default() += 1;
    }
    let durations: Vec<serde_json::Value> = report
        .durations
        .iter()
        .filter(|row| row.outcome == OutcomeFilter::All)
        .map(|row| {
            serde_json::json!({
                "platform": row.platform.as_str(), "kind": row.kind.map(Kind::as_str), "group": row.group, "step": row.step,
                "n": row.n, "n_incomplete": row.n_incomplete, "p50_ms": row.p50_ms, "p95_ms": row.p95_ms,
                "max_ms": row.max_ms, "total_ms": row.total_ms,
            })
        })
        .collect();
    let errors: Vec<serde_json::Value> = report
        .errors
        .iter()
        .filter(|group| is_bad(group))
        .take(MAX_ROWS)
        .map(|group| {
            serde_json::json!({
                "group_id": group.group_id, "template": group.template, "class": group.class.as_str(),
                "n_events": group.n_events, "n_runs": group.n_runs,
                "example_source": group.example_source, "example_line": group.example_line,
            })
        })
        .collect();
    let summary = serde_json::json!({
        "files": report.files.len(),
        "bytes": report.files.iter().map(|file| file.bytes).sum::<u64>(),
        "lines": report.files.iter().map(|file| file.n_lines).sum::<u64>(),
        "events": report.files.iter().map(|file| file.n_events).sum::<u64>(),
        "runs": report.runs.len(),
        "runs_by_status": by_status,
        "incomplete_runs": report.runs.iter().filter(|run| !run.complete).count(),
        "durations": durations,
        "top_errors": errors,
        "issues": report.issues.len(),
    });
    format!("{summary}\n")
}
