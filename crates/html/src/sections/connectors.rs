//! What external services took and how often they failed, by the connectors that called them.

use std::collections::BTreeMap;

use logmill_analyze::durations::{is_failed, nearest_rank};
use logmill_analyze::model::Step;

use super::steps::length;
use crate::markup::{Markup, put};
use crate::outcome::Share;
use crate::table::{Column, Table};

/// Rows of the table.
const MAX_ROWS: usize = 30;

#[derive(Default)]
struct Use<'a> {
    n: u64,
    n_failed: u64,
    durations_ms: Vec<i64>,
    /// What went wrong, and how often.
    errors: BTreeMap<&'a str, u64>,
}

impl<'a> Use<'a> {
    fn add(&mut self, step: &'a Step) {
        self.n += 1;
        self.n_failed += u64::from(is_failed(step.status));
        self.durations_ms.extend(step.duration_ms);
        if is_failed(step.status)
            && let Some(error) = &step.error
        {
            *self.errors.entry(error).or_default() += 1;
        }
    }

    fn total_ms(&self) -> i64 {
        self.durations_ms.iter().fold(0, |sum, ms| sum.saturating_add(*ms))
    }

    /// The error there was most often; of several the first by its text.
    fn main_error(&self) -> &'a str {
        let by_frequency = |(a, n): &(&&str, &u64), (b, m): &(&&str, &u64)| n.cmp(m).then_with(|| b.cmp(a));
        self.errors.iter().max_by(by_frequency).map_or("", |(error, _)| *error)
    }
}

/// The connectors that took the most time.
pub fn section(view: &crate::view::View<'_>, out: &mut Markup) {
    let mut uses: BTreeMap<&str, Use<'_>> = BTreeMap::new();
    for step in &view.report.steps {
        if let Some(connector) = &step.connector_id {
            uses.entry(connector).or_default().add(step);
        }
    }
    if uses.is_empty() {
        return;
    }
    let mut rows: Vec<(&str, Use<'_>)> = uses.into_iter().collect();
    rows.sort_by_key(|(_, used)| std::cmp::Reverse(used.total_ms()));
    let most = rows.first().map_or(1, |(_, used)| used.total_ms()).max(1) as f64;
    let columns = [
        Column::Text("Connector"),
        Column::Figure("Calls"),
        Column::Figure("Failed"),
        Column::Figure("Failure rate"),
        Column::Drawing("0 to 100 %"),
        Column::Figure("p50"),
        Column::Figure("p95"),
        Column::Figure("Max"),
        Column::Figure("Total"),
        Column::Drawing("Total time"),
        Column::Text("Most frequent error"),
    ];
    put!(
        out,
        "<p class=\"note\">Every step that names a connector, whatever became of its run, by the time taken together.</p>\n"
    );
    let mut table = Table::new("Connectors by time", &columns);
    let total = rows.len();
    for (connector, used) in rows.iter_mut().take(MAX_ROWS) {
        used.durations_ms.sort_unstable();
        let sorted = used.durations_ms.as_slice();
        let mut drawing = Markup::default();
        length(used.total_ms() as f64 / most, &mut drawing);
        table.row(|row| {
            row.name(connector);
            row.count(used.n);
            row.count(used.n_failed);
            row.share(Share::of(used.n_failed, used.n));
            for ms in [
                nearest_rank(sorted, 50),
                nearest_rank(sorted, 95),
                sorted.last().copied(),
                Some(used.total_ms()),
            ] {
                row.duration(ms);
            }
            row.drawing(used.total_ms() as f64, &drawing);
            row.long(used.main_error());
        });
    }
    table.finish(out);
    crate::table::more(total, MAX_ROWS, ("connector", "connectors"), "steps", out);
}
