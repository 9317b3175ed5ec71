//! What logs state about themselves: crawlers' figures over time, and every metric summed up.

use std::collections::{BTreeMap, BTreeSet};

use logmill_analyze::model::Metric;
use logmill_parse::{Micros, Platform};

use crate::axis::{Tick, TimeAxis, durations_above, linear};
use crate::chart::{self, Point, Slot};
use crate::figures::{count, counted, measured, round, round_percent};
use crate::markup::{Markup, put};
use crate::outcome::Tally;
use crate::table::{Column, Table, more};
use crate::view::View;

/// Drawings.
const MAX_DRAWN: usize = 9;
/// Rows of the table.
const MAX_ROWS: usize = 60;
/// Stretches of time in a drawing.
const BINS: i64 = 40;
/// Stretches with values that make a drawing.
const MIN_BINS: usize = 4;

/// What crawlers say of themselves, in the order people ask; these are drawn before any other.
const OF_CRAWLERS: [&str; 10] = [
    "requests_finished_per_minute",
    "requests_failed_per_minute",
    "request_avg_finished_ms",
    "request_avg_failed_ms",
    "current_concurrency",
    "desired_concurrency",
    "cpu_ratio",
    "mem_ratio",
    "event_loop_ratio",
    "memory_used_bytes",
];

/// Values of one metric.
struct Series<'a> {
    platform: Platform,
    name: &'a str,
    unit: &'static str,
    values: Vec<&'a Metric>,
}

/// Drawings of what changes, and the table of all.
pub fn section(view: &View<'_>, out: &mut Markup) {
    let mut by_name: BTreeMap<(Platform, &str, &'static str), Vec<&Metric>> = BTreeMap::new();
    let rows: Vec<Metric> = view.report.metrics.iter().collect();
    for metric in &rows {
        let Some(run) = view.report.runs.get(metric.run) else { continue };
        if metric.value.is_finite() {
            by_name.entry((run.platform, &metric.what.name, metric.what.unit)).or_default().push(metric);
        }
    }
    let series: Vec<Series<'_>> = by_name
        .into_iter()
        .map(|((platform, name, unit), values)| Series { platform, name, unit, values })
        .collect();
    drawings(view, &series, out);
    table(&series, out);
}

fn drawings(view: &View<'_>, series: &[Series<'_>], out: &mut Markup) {
    let rank =
        |one: &Series<'_>| OF_CRAWLERS.iter().position(|name| *name == one.name).unwrap_or(OF_CRAWLERS.len());
    let mut order: Vec<(&Series<'_>, Vec<Bin>)> =
        series.iter().map(|one| (one, bins(one))).filter(|(_, bins)| tells(bins)).collect();
    order.sort_by_key(|(one, _)| (rank(one), std::cmp::Reverse(one.values.len()), one.platform, one.name));
    if order.is_empty() {
        return;
    }
    put!(
        out,
        "<p class=\"note\">Dots are medians of a stretch of time over all runs, bars reach from the 10th to the 90th percentile.</p>\n<div class=\"cards three\">"
    );
    for (one, bins) in order.iter().take(MAX_DRAWN) {
        drawing(view, one, bins, out);
    }
    put!(out, "</div>\n");
}

/// The values of a stretch of time.
struct Bin {
    start: Micros,
    end: Micros,
    n: usize,
    low: f64,
    median: f64,
    high: f64,
}

/// A drawing says something if it has a few points and is not flat.
fn tells(bins: &[Bin]) -> bool {
    bins.len() >= MIN_BINS
        && bins.iter().any(|bin| bin.low < bin.high || Some(bin.median) != bins.first().map(|one| one.median))
}

fn bins(series: &Series<'_>) -> Vec<Bin> {
    let timed = || series.values.iter().filter_map(|metric| Some((metric.ts?, metric.value)));
    let (Some(first), Some(last)) = (timed().map(|(ts, _)| ts).min(), timed().map(|(ts, _)| ts).max()) else {
        return Vec::new();
    };
    let width = (last.saturating_sub(first) / BINS).saturating_add(1);
    let mut by_bin: BTreeMap<i64, Vec<f64>> = BTreeMap::new();
    for (ts, value) in timed() {
        by_bin.entry(ts.saturating_sub(first) / width).or_default().push(value);
    }
    let bin = |(bin, mut values): (i64, Vec<f64>)| {
        values.sort_by(f64::total_cmp);
        let start = first.saturating_add(bin.saturating_mul(width));
        Some(Bin {
            start,
            end: start.saturating_add(width),
            n: values.len(),
            low: rank(&values, 10)?,
            median: rank(&values, 50)?,
            high: rank(&values, 90)?,
        })
    };
    by_bin.into_iter().filter_map(bin).collect()
}

/// The nearest-rank percentile of ascending values.
fn rank(sorted: &[f64], percent: usize) -> Option<f64> {
    sorted.get((percent * sorted.len()).div_ceil(100).max(1) - 1).copied()
}

fn drawing(view: &View<'_>, series: &Series<'_>, bins: &[Bin], out: &mut Markup) {
    let (Some(first), Some(last)) = (bins.first(), bins.last()) else { return };
    let axis = TimeAxis { start: first.start, end: last.end };
    let most = bins.iter().map(|bin| bin.high).fold(0.0_f64, f64::max);
    let (end, rows) = vertical(series.unit, most);
    let point = |bin: &Bin| Point {
        slot: Slot { start: bin.start, end: bin.end, tally: Tally::default() },
        value: bin.median.max(0.0),
        interval: Some((bin.low.max(0.0), bin.high.max(0.0))),
        title: format!(
            "{}: {} ({} to {}, n {})",
            view.clock.second(bin.start),
            measured(bin.median, series.unit),
            measured(bin.low, series.unit),
            measured(bin.high, series.unit),
            count(bin.n as u64)
        ),
    };
    let points: Vec<Point> = bins.iter().map(point).collect();
    let mut drawing = Markup::default();
    chart::rates(&points, ("step", end), axis, &mut drawing);
    let mut caption = Markup::default();
    put!(
        &mut caption,
        "<b>{}</b> <small>{}, {} in {}</small>",
        spelt(series.name),
        series.platform.as_str(),
        counted(series.values.len() as u64, ("value", "values")),
        counted(runs(series), ("run", "runs"))
    );
    let label = format!("{} of {} over time", spelt(series.name), series.platform);
    chart::frame(&caption, &label, (&rows, &axis.ticks(view.clock)), &drawing, out);
}

/// The vertical axis, in the unit whose figures are short.
fn vertical(unit: &str, most: f64) -> (f64, Vec<Tick>) {
    match unit {
        "ms" => durations_above(most),
        "ratio" => linear(most, 0.01, round_percent),
        "bytes" => {
            let sizes = [(1_073_741_824.0, "GiB"), (1_048_576.0, "MiB"), (1024.0, "KiB")];
            let (size, name) = sizes.into_iter().find(|(size, _)| most >= *size).unwrap_or((1.0, "B"));
            let (end, ticks) = linear(most / size, 0.0, |value| format!("{}\u{a0}{name}", round(value)));
            (end * size, ticks)
        }
        "count" | "requests" => linear(most, 1.0, round),
        _ => linear(most, 0.0, round),
    }
}

/// The metric's name as words; its unit stands at its figures.
fn spelt(name: &str) -> String {
    let name = name.strip_suffix("_ms").or_else(|| name.strip_suffix("_bytes")).unwrap_or(name);
    name.replace('_', " ")
}

fn runs(series: &Series<'_>) -> u64 {
    series.values.iter().map(|metric| metric.run).collect::<BTreeSet<_>>().len() as u64
}

fn table(series: &[Series<'_>], out: &mut Markup) {
    let columns = [
        Column::Text("Metric"),
        Column::Text("Platform"),
        Column::Figure("Runs"),
        Column::Figure("Values"),
        Column::Figure("Min"),
        Column::Figure("p50"),
        Column::Figure("p95"),
        Column::Figure("Max"),
    ];
    let mut table = Table::new("Metrics", &columns);
    for one in series.iter().take(MAX_ROWS) {
        let mut sorted: Vec<f64> = one.values.iter().map(|metric| metric.value).collect();
        sorted.sort_by(f64::total_cmp);
        table.row(|row| {
            row.name(one.name);
            row.text(one.platform.as_str());
            row.count(runs(one));
            row.figure(sorted.len() as f64, &count(sorted.len() as u64));
            for value in [rank(&sorted, 0), rank(&sorted, 50), rank(&sorted, 95), rank(&sorted, 100)] {
                row.maybe(value, |value| measured(value, one.unit));
            }
        });
    }
    if !series.is_empty() {
        put!(out, "<h3>All metrics</h3>\n");
    }
    table.finish(out);
    more(series.len(), MAX_ROWS, ("metric", "metrics"), "convert --table metrics -o OUT", out);
}
