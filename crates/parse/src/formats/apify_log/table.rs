//! The box tables in which the Python crawlers print their figures.
//!
//! A box may be cut off at any row; a value longer than the box ends in `...` and says nothing.

use super::figures::{Figures, decimal, duration_ms};

/// Rows of a box that are read.
const MAX_ROWS: usize = 64;

/// The figures of a message of several lines.
///
/// ```text
/// row := "│" name "│" value "│"
/// ```
pub(super) fn figures(message: &str) -> Figures<'_> {
    let mut figures = Figures::default();
    for (name, value) in message.lines().take(MAX_ROWS).filter_map(row) {
        set(&mut figures, name, value);
    }
    figures
}

fn row(line: &str) -> Option<(&str, &str)> {
    let mut cells = line.trim().strip_prefix('│')?.strip_suffix('│')?.split('│');
    let row = (cells.next()?.trim(), cells.next()?.trim());
    cells.next().is_none().then_some(row)
}

fn set<'t>(figures: &mut Figures<'t>, name: &str, value: &'t str) {
    match name {
        "requests_finished" => figures.finished = value.parse().ok(),
        "requests_failed" => figures.failed = value.parse().ok(),
        "requests_total" => figures.total = value.parse().ok(),
        "retry_histogram" => figures.histogram = Some(value),
        "request_avg_finished_duration" => figures.average_finished_ms = duration_ms(value),
        "request_avg_failed_duration" => figures.average_failed_ms = duration_ms(value),
        "requests_finished_per_minute" => figures.finished_per_minute = decimal(value),
        "requests_failed_per_minute" => figures.failed_per_minute = decimal(value),
        "request_total_duration" => figures.total_duration_ms = duration_ms(value),
        "crawler_runtime" => figures.runtime_ms = duration_ms(value),
        _ => {}
    }
}
