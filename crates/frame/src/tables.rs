//! The tables of a report, as data frames.
//!
//! One function per table names the values of one row, in the order of the schema.

use std::ops::Range;

use logmill_analyze::model::{
    Duration, ErrorGroup, FileRow, IssueRow, Metric, Rate, Report, Request, Run, Step,
};
use logmill_parse::{Kind, Micros, Platform};
use polars::prelude::DataFrame;

use crate::columns::{Builder, Cell, assemble};
use crate::error::Error;
use crate::schema::Table;

/// Rows of one frame of [`frames`].
pub const FRAME_ROWS: usize = 1 << 16;

/// A whole table of a report; no rows where `table` is the events, which a report does not hold.
///
/// # Errors
/// Only where rows and schema disagree, which is an error in the program.
pub fn frame(report: &Report, table: Table) -> Result<DataFrame, Error> {
    part(report, table, 0..n_rows(report, table))
}

/// A table of a report in frames of at most [`FRAME_ROWS`] rows, so that a writer need not hold all of it twice.
/// There is at least one frame.
///
/// # Errors
/// As [`frame`].
pub fn frames(report: &Report, table: Table) -> impl Iterator<Item = Result<DataFrame, Error>> {
    let n_rows = n_rows(report, table);
    (0..n_rows.max(1))
        .step_by(FRAME_ROWS)
        .map(move |start| part(report, table, start..n_rows.min(start + FRAME_ROWS)))
}

/// How many rows a table of a report has.
#[must_use]
pub fn n_rows(report: &Report, table: Table) -> usize {
    match table {
        Table::Runs => report.runs.len(),
        Table::Steps => report.steps.len(),
        Table::Events => 0,
        Table::Errors => report.errors.len(),
        Table::Requests => report.requests.len(),
        Table::Rates => report.rates.len(),
        Table::Durations => report.durations.len(),
        Table::Metrics => report.metrics.len(),
        Table::Issues => report.issues.len(),
        Table::Files => report.files.len(),
    }
}

fn part(report: &Report, table: Table, range: Range<usize>) -> Result<DataFrame, Error> {
    let mut rows = Rows::new(table);
    let runs = &report.runs;
    match table {
        Table::Runs => rows.fill(runs, range, run),
        Table::Steps => rows.fill(&report.steps, range, |row, it| step(row, runs.get(it.run), it)),
        Table::Events => {}
        Table::Errors => rows.fill(&report.errors, range, error_group),
        Table::Requests => rows.fill(&report.requests, range, |row, it| request(row, runs.get(it.run), it)),
        Table::Rates => rows.fill(&report.rates, range, rate),
        Table::Durations => rows.fill(&report.durations, range, duration),
        Table::Metrics => {
            for it in report.metrics.range(range) {
                rows.push(|row| metric(row, runs.get(it.run), &it));
            }
        }
        Table::Issues => rows.fill(&report.issues, range, issue),
        Table::Files => rows.fill(&report.files, range, file),
    }
    rows.finish()
}

fn run(row: &mut Row<'_>, run: &Run) {
    row.key(Some(run));
    row.text(&run.source).instant(run.started_at).instant(run.stopped_at);
    row.int(run.duration_ms).int(run.tail_gap_ms);
    row.text(run.status.as_str()).text(&run.status_reason).opt_text(run.failure_class.as_deref());
    row.count(run.n_lines).count(run.n_events);
    row.count(run.n_errors).count(run.n_warnings).count(run.n_retries).float(run.error_rate());
    row.count(run.n_steps).count(run.n_failed_steps);
    row.opt_count(run.requests_finished).opt_count(run.requests_failed).opt_count(run.request_retries);
    row.opt_text(run.first_error.as_deref());
    row.opt_text(run.build_id.as_deref()).opt_text(run.tool_version.as_deref());
    row.opt_text(run.branch.as_deref()).opt_text(run.commit.as_deref());
    row.flag(run.complete).opt_text(run.incomplete_reason.as_deref());
}

fn step(row: &mut Row<'_>, run: Option<&Run>, step: &Step) {
    row.key(run);
    row.int(Some(step.seq.into())).int(step.parent_seq.map(i64::from)).int(Some(step.depth.into()));
    row.text(step.step_kind.as_str()).text(&step.name).opt_text(step.connector_id.as_deref());
    row.instant(step.started_at).instant(step.stopped_at);
    row.int(step.duration_ms).int(step.gap_before_ms).float(step.share);
    row.text(step.status.as_str()).int(step.status_code).opt_text(step.error.as_deref());
}

fn error_group(row: &mut Row<'_>, group: &ErrorGroup) {
    row.platform(Some(group.platform)).kind(group.kind).opt_text(group.group.as_deref()).text(&group.run_id);
    row.text(&group.group_id).text(&group.template);
    row.text(group.level.as_str()).text(group.class.as_str()).opt_text(group.failure_class.as_deref());
    row.count(group.n_events).count(group.n_runs);
    row.instant(group.first_seen).instant(group.last_seen);
    row.text(&group.example).text(&group.example_source).count(group.example_line);
}

fn request(row: &mut Row<'_>, run: Option<&Run>, request: &Request) {
    row.key(run);
    row.opt_text(request.url.as_deref()).opt_text(request.request_id.as_deref());
    row.count(request.attempts).text(request.outcome.as_str()).text(&request.last_error);
    row.instant(request.first_seen).instant(request.last_seen);
}

fn rate(row: &mut Row<'_>, rate: &Rate) {
    row.platform(Some(rate.platform)).kind(rate.kind).text(&rate.group).instant(rate.bucket_start);
    row.count(rate.n_runs).count(rate.n_succeeded).count(rate.n_failed).count(rate.n_timed_out);
    row.count(rate.n_aborted).count(rate.n_unknown);
    row.float(rate.run_failure_rate).float(rate.run_failure_rate_low).float(rate.run_failure_rate_high);
    row.count(rate.n_events).count(rate.n_errors).float(rate.error_rate);
    row.count(rate.n_requests).float(rate.request_failure_rate);
    row.count(rate.n_steps).float(rate.step_failure_rate);
    row.int(rate.p50_ms).int(rate.p95_ms);
}

fn duration(row: &mut Row<'_>, duration: &Duration) {
    row.platform(Some(duration.platform)).kind(duration.kind).text(&duration.group);
    row.opt_text(duration.step.as_deref()).text(duration.outcome.as_str());
    row.count(duration.n).count(duration.n_incomplete);
    row.int(duration.min_ms).int(duration.p50_ms).int(duration.p90_ms).int(duration.p95_ms);
    row.int(duration.p99_ms).int(duration.max_ms).float(duration.mean_ms).int(duration.total_ms);
}

fn metric(row: &mut Row<'_>, run: Option<&Run>, metric: &Metric) {
    row.key(run);
    let what = &metric.what;
    row.instant(metric.ts).text(&what.name).float(Some(metric.value)).text(what.unit).text(&what.label);
}

fn issue(row: &mut Row<'_>, issue: &IssueRow) {
    row.text(issue.code).text(issue.severity.as_str());
    row.text(&issue.source).opt_text(issue.member.as_deref());
    row.opt_count(issue.line).opt_count(issue.byte_offset);
    row.text(&issue.message).text(&issue.raw_prefix);
}

fn file(row: &mut Row<'_>, file: &FileRow) {
    row.platform(file.platform).text(&file.source).opt_text(file.member.as_deref()).text(&file.format);
    row.count(file.bytes).count(file.n_lines).count(file.n_events);
    row.count(file.bytes_record).count(file.bytes_continuation).count(file.bytes_structure);
    row.count(file.bytes_duplicate).count(file.bytes_rejected);
    row.instant(file.min_ts).instant(file.max_ts);
    row.flag(file.complete).opt_text(file.incomplete_reason.as_deref());
}

/// A table being filled row by row.
struct Rows {
    table: Table,
    builders: Vec<Builder>,
    n: usize,
    /// The first value that had no column of its type to go to: its column's place.
    misfit: Option<usize>,
}

impl Rows {
    fn new(table: Table) -> Self {
        let builders = table.columns().iter().map(|column| Builder::new(column.dtype)).collect();
        Self { table, builders, n: 0, misfit: None }
    }

    fn fill<T>(&mut self, items: &[T], range: Range<usize>, write: impl Fn(&mut Row<'_>, &T)) {
        for item in items.get(range).unwrap_or_default() {
            self.push(|row| write(row, item));
        }
    }

    fn push(&mut self, write: impl FnOnce(&mut Row<'_>)) {
        let mut row = Row { builders: &mut self.builders, at: 0, misfit: &mut self.misfit };
        write(&mut row);
        self.n += 1;
    }

    fn finish(self) -> Result<DataFrame, Error> {
        let Self { table, builders, n, misfit } = self;
        if let Some(column) = misfit {
            let expected = table.columns().get(column).map_or("no such column", |column| column.name);
            let found = format!("a value of another type for column {column}");
            return Err(Error::Schema { table, expected: expected.to_owned(), found });
        }
        let columns =
            builders.into_iter().zip(table.columns()).map(|(builder, column)| builder.finish(column.name));
        assemble(table, n, columns.collect())
    }
}

/// One row: each value goes to the next column.
struct Row<'a> {
    builders: &'a mut [Builder],
    at: usize,
    misfit: &'a mut Option<usize>,
}

impl Row<'_> {
    fn push(&mut self, cell: Cell<'_>) -> &mut Self {
        let fits = self.builders.get_mut(self.at).is_some_and(|builder| builder.push(cell));
        if !fits && self.misfit.is_none() {
            *self.misfit = Some(self.at);
        }
        self.at += 1;
        self
    }

    /// Platform, kind, group and id of a run.
    fn key(&mut self, run: Option<&Run>) -> &mut Self {
        self.platform(run.map(|run| run.platform)).kind(run.and_then(|run| run.kind));
        self.opt_text(run.map(|run| run.group.as_str())).opt_text(run.map(|run| run.run_id.as_str()))
    }

    fn platform(&mut self, platform: Option<Platform>) -> &mut Self {
        self.opt_text(platform.map(Platform::as_str))
    }

    fn kind(&mut self, kind: Option<Kind>) -> &mut Self {
        self.opt_text(kind.map(Kind::as_str))
    }

    fn text(&mut self, value: &str) -> &mut Self {
        self.push(Cell::Text(Some(value)))
    }

    fn opt_text(&mut self, value: Option<&str>) -> &mut Self {
        self.push(Cell::Text(value))
    }

    fn int(&mut self, value: Option<i64>) -> &mut Self {
        self.push(Cell::Int(value))
    }

    fn count(&mut self, value: u64) -> &mut Self {
        self.opt_count(Some(value))
    }

    fn opt_count(&mut self, value: Option<u64>) -> &mut Self {
        self.push(Cell::Int(value.map(saturated)))
    }

    fn float(&mut self, value: Option<f64>) -> &mut Self {
        self.push(Cell::Float(value))
    }

    fn flag(&mut self, value: bool) -> &mut Self {
        self.push(Cell::Bool(value))
    }

    fn instant(&mut self, value: Option<Micros>) -> &mut Self {
        self.push(Cell::Instant(value))
    }
}

/// A count as the signed number every reader of tables understands.
pub(crate) fn saturated(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
