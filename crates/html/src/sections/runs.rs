//! Runs one by one: all of them where they are few, else those that went wrong, the latest first.

use std::cmp::Reverse;

use logmill_analyze::model::Run;
use logmill_parse::Status;

use crate::markup::{Markup, put};
use crate::outcome::Outcome;
use crate::table::{Column, Table, more};
use crate::view::{View, species_name};

/// Rows of the table.
const MAX_ROWS: usize = 100;

/// The table of runs.
pub fn section(view: &View<'_>, out: &mut Markup) {
    let runs = &view.report.runs;
    if runs.is_empty() {
        return;
    }
    let mut rows: Vec<&Run> = runs.iter().collect();
    if rows.len() > MAX_ROWS {
        rows.sort_by_key(|run| {
            (rank(run), Reverse(run.started_at), run.platform, run.group.as_str(), run.run_id.as_str())
        });
        put!(
            out,
            "<p class=\"note\">What failed or timed out first, then what has no known end, then the others; the latest first.</p>\n"
        );
    }
    let columns = [
        Column::Text("Group"),
        Column::Text("Runs of"),
        Column::Text("Run"),
        Column::Text("Status"),
        Column::Text("Evidence"),
        Column::Text("Started"),
        Column::Figure("Duration"),
        Column::Figure("Events"),
        Column::Figure("Errors"),
        Column::Figure("Retries"),
        Column::Text("First error"),
    ];
    let mut table = Table::new("Runs", &columns);
    for run in rows.iter().take(MAX_ROWS) {
        table.row(|row| {
            row.name(&run.group);
            row.words(&species_name(run.platform, run.kind));
            row.name(&run.run_id);
            row.outcome(Outcome::of(run.status), run.status.as_str());
            row.text(&run.status_reason);
            row.words(&view.clock.second_or_none(run.started_at));
            row.duration(run.duration_ms);
            row.count(run.n_events);
            row.count(run.n_errors);
            row.count(run.n_retries);
            row.long(run.first_error.as_deref().unwrap_or_default());
        });
    }
    table.finish(out);
    more(rows.len(), MAX_ROWS, ("run", "runs"), "runs", out);
}

/// What went wrong comes first.
const fn rank(run: &Run) -> u8 {
    match run.status {
        Status::Failed | Status::TimedOut => 0,
        Status::Aborted | Status::Running | Status::Unknown => 1,
        Status::Succeeded | Status::Skipped => 2,
    }
}
