//! Which steps of which groups took the time.

use logmill_analyze::model::{Duration, OutcomeFilter};

use crate::markup::{Markup, Px, put};
use crate::table::{Column, Table, more};
use crate::view::{View, species_name};

/// Rows of the table.
const MAX_ROWS: usize = 40;

/// The steps that took the most time.
pub fn section(view: &View<'_>, out: &mut Markup) {
    let is_step = |row: &&Duration| row.step.is_some() && row.outcome == OutcomeFilter::All && row.n > 0;
    let mut rows: Vec<&Duration> = view.report.durations.iter().filter(is_step).collect();
    rows.sort_by_key(|row| std::cmp::Reverse((row.total_ms, row.n)));
    let most = rows.first().and_then(|row| row.total_ms).unwrap_or(0).max(1) as f64;
    let columns = [
        Column::Text("Step"),
        Column::Text("Group"),
        Column::Text("Runs of"),
        Column::Figure("Times"),
        Column::Figure("p50"),
        Column::Figure("p95"),
        Column::Figure("Max"),
        Column::Figure("Total"),
        Column::Drawing("Total time"),
    ];
    let mut table = Table::new("Steps by time", &columns);
    for row in rows.iter().take(MAX_ROWS) {
        let total = row.total_ms.unwrap_or(0).max(0) as f64;
        let mut drawing = Markup::default();
        length(total / most, &mut drawing);
        table.row(|cells| {
            cells.name(row.step.as_deref().unwrap_or_default());
            cells.name(&row.group);
            cells.words(&species_name(row.platform, row.kind));
            cells.count(row.n);
            for ms in [row.p50_ms, row.p95_ms, row.max_ms, row.total_ms] {
                cells.duration(ms);
            }
            cells.drawing(total, &drawing);
        });
    }
    if !rows.is_empty() {
        put!(out, "<p class=\"note\">Steps of complete runs, by the time they took together.</p>\n");
    }
    table.finish(out);
    more(rows.len(), MAX_ROWS, ("step", "steps"), "durations", out);
}

/// A bar for a cell, as long as a share of its width.
pub fn length(share: f64, out: &mut Markup) {
    put!(
        out,
        "<svg class=\"cell\" width=\"100%\" height=\"12\" aria-hidden=\"true\"><rect class=\"step\" x=\"0\" y=\"1\" width=\"{}%\" height=\"10\"/></svg>",
        Px((share * 100.0).clamp(0.3, 100.0))
    );
}
