//! How long runs took, group by group, on one axis that all of them share.

use std::collections::BTreeMap;

use logmill_analyze::durations::counted;
use logmill_analyze::model::{Duration, OutcomeFilter};

use crate::axis::{LogAxis, Tick};
use crate::chart::{column, feet};
use crate::figures::{count, duration, duration_or_none};
use crate::markup::{Markup, Px, put};
use crate::outcome::{Outcome, Share, Tally};
use crate::table::{Column, Table, more};
use crate::view::{GroupKey, View, species_name};

/// Groups that are drawn.
const MAX_DRAWN: usize = 14;
/// Groups in the table.
const MAX_ROWS: usize = 40;
/// Bars of a histogram.
const BINS: usize = 42;
/// Height of a histogram.
const HEIGHT_PX: f64 = 34.0;

/// Histograms and the table of percentiles.
pub fn section(view: &View<'_>, out: &mut Markup) {
    let mut rows: Vec<&Duration> = view
        .report
        .durations
        .iter()
        .filter(|row| row.step.is_none() && row.outcome == OutcomeFilter::All && row.n > 0)
        .collect();
    rows.sort_by_key(|row| std::cmp::Reverse((row.total_ms, row.n)));
    let drawn: Vec<&Duration> =
        rows.iter().copied().filter(|row| row.max_ms > Some(0)).take(MAX_DRAWN).collect();
    let durations = by_group(view);
    let of_drawn = || drawn.iter().filter_map(|row| durations.get(&key(row))).flatten().map(|(ms, _)| *ms);
    let Some(axis) = LogAxis::of(of_drawn().filter(|ms| *ms > 0)) else { return };
    put!(
        out,
        "<p class=\"note\">The groups that took the most time; complete runs with a known end. The axis is logarithmic; heights are relative to the fullest bar of the group. Solid line: p50, half of the runs were faster. Dashed line: p95.</p>\n"
    );
    legend(&drawn, &durations, out);
    let ticks = axis.ticks();
    scale(&ticks, out);
    for row in &drawn {
        let runs = durations.get(&key(row)).map(Vec::as_slice).unwrap_or_default();
        histogram(row, runs, (axis, &ticks), out);
    }
    scale(&ticks, out);
    let groups =
        view.report.durations.iter().filter(|row| row.step.is_none() && row.outcome == OutcomeFilter::All);
    let mut groups: Vec<&Duration> = groups.collect();
    groups.sort_by_key(|row| std::cmp::Reverse((row.total_ms, row.n + row.n_incomplete)));
    percentiles(view, &groups, out);
}

fn key(row: &Duration) -> GroupKey<'_> {
    (row.platform, row.kind, row.group.as_str())
}

/// The durations that the percentiles are of, with how the runs ended.
fn by_group<'a>(view: &View<'a>) -> BTreeMap<GroupKey<'a>, Vec<(i64, Outcome)>> {
    let mut groups: BTreeMap<GroupKey<'a>, Vec<(i64, Outcome)>> = BTreeMap::new();
    for run in &view.report.runs {
        if let Some(ms) = counted(run, run.duration_ms) {
            let key = (run.platform, run.kind, run.group.as_str());
            groups.entry(key).or_default().push((ms, Outcome::of(run.status)));
        }
    }
    groups
}

fn legend(drawn: &[&Duration], durations: &BTreeMap<GroupKey<'_>, Vec<(i64, Outcome)>>, out: &mut Markup) {
    let mut seen: Vec<Outcome> = Vec::new();
    for row in drawn {
        seen.extend(durations.get(&key(row)).into_iter().flatten().map(|(_, outcome)| *outcome));
        seen.sort_unstable();
        seen.dedup();
    }
    crate::chart::keys(&seen, out);
}

/// How many runs of each outcome fell into each stretch of the axis.
fn binned(runs: &[(i64, Outcome)], axis: LogAxis) -> BTreeMap<usize, BTreeMap<Outcome, u64>> {
    let mut bins: BTreeMap<usize, BTreeMap<Outcome, u64>> = BTreeMap::new();
    for (ms, outcome) in runs {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and BINS")]
        let bin = ((axis.at(*ms) * BINS as f64) as usize).min(BINS - 1);
        *bins.entry(bin).or_default().entry(*outcome).or_default() += 1;
    }
    bins
}

/// The axis, above and below the groups.
fn scale(ticks: &[Tick], out: &mut Markup) {
    put!(
        out,
        "<div class=\"spread feet\"><div></div><svg width=\"100%\" height=\"18\" aria-hidden=\"true\">"
    );
    feet(ticks, 13.0, 36, out);
    put!(out, "</svg><div></div></div>\n");
}

fn histogram(row: &Duration, runs: &[(i64, Outcome)], (axis, ticks): (LogAxis, &[Tick]), out: &mut Markup) {
    let bins = binned(runs, axis);
    let most = bins.values().map(|bin| bin.values().sum::<u64>()).max().unwrap_or(1).max(1) as f64;
    let (p50, p95) = (duration_or_none(row.p50_ms), duration_or_none(row.p95_ms));
    put!(
        out,
        "<div class=\"spread\"><div class=\"who\">{} <small>{}</small></div><svg width=\"100%\" height=\"{}\" role=\"img\" aria-label=\"{}: {} durations from {} to {}, p50 {}, p95 {}\"><line class=\"grid\" x2=\"100%\" y1=\"{}\" y2=\"{}\"/>",
        row.group,
        species_name(row.platform, row.kind),
        Px(HEIGHT_PX),
        row.group,
        count(row.n),
        duration_or_none(row.min_ms),
        duration_or_none(row.max_ms),
        p50,
        p95,
        Px(HEIGHT_PX),
        Px(HEIGHT_PX)
    );
    put!(out, "<g class=\"grid\">");
    for tick in ticks {
        let at = Px(tick.at * 100.0);
        put!(out, "<line x1=\"{}%\" x2=\"{}%\" y2=\"{}\"/>", at, at, Px(HEIGHT_PX));
    }
    put!(out, "</g>");
    let width = 1.0 / BINS as f64;
    for (bin, by_outcome) in &bins {
        let from = |bin: usize| duration(axis.value(bin as f64 / BINS as f64));
        let words: Vec<String> =
            by_outcome.iter().map(|(outcome, n)| format!("{} {}", count(*n), outcome.word())).collect();
        let title = format!("{} to {}: {}", from(*bin), from(bin + 1), words.join(", "));
        let heights = by_outcome.iter().map(|(outcome, n)| (*outcome, *n as f64 / most * (HEIGHT_PX - 4.0)));
        column((*bin as f64 * width + 0.001, width - 0.002), &title, heights, HEIGHT_PX, out);
    }
    for (class, ms) in [("p50", row.p50_ms), ("p95", row.p95_ms)] {
        let Some(ms) = ms else { continue };
        let at = Px(axis.at(ms) * 100.0);
        put!(
            out,
            "<line class=\"{}\" x1=\"{}%\" x2=\"{}%\" y1=\"0\" y2=\"{}\"><title>{} {}</title></line>",
            class,
            at,
            at,
            Px(HEIGHT_PX),
            class,
            duration(ms)
        );
    }
    put!(
        out,
        "</svg><div class=\"what\">p50 {} · p95 {}<br/>{} counted</div></div>\n",
        p50,
        p95,
        count(row.n)
    );
}

fn percentiles(view: &View<'_>, rows: &[&Duration], out: &mut Markup) {
    let columns = [
        Column::Text("Group"),
        Column::Text("Runs of"),
        Column::Figure("Runs"),
        Column::Figure("Failure rate"),
        Column::Drawing("0 to 100 %"),
        Column::Figure("Error rate"),
        Column::Figure("p50"),
        Column::Figure("p95"),
        Column::Figure("Max"),
        Column::Figure("Total"),
        Column::Figure("Not counted"),
    ];
    let tallies = tallies(view);
    let mut table = Table::new("Runs by group", &columns);
    for row in rows.iter().take(MAX_ROWS) {
        let tally = tallies.get(&key(row)).copied().unwrap_or_default();
        let (hits, of) = tally.failures();
        table.row(|cells| {
            cells.name(&row.group);
            cells.words(&species_name(row.platform, row.kind));
            cells.count(tally.n_runs());
            cells.share(Share::of(hits, of));
            cells.percent(tally.error_rate());
            for ms in [row.p50_ms, row.p95_ms, row.max_ms, row.total_ms] {
                cells.duration(ms);
            }
            cells.count(row.n_incomplete);
        });
    }
    put!(out, "<h3>Groups</h3>\n");
    table.finish(out);
    more(rows.len(), MAX_ROWS, ("group", "groups"), "durations", out);
}

/// Runs of each group over all buckets.
fn tallies<'a>(view: &View<'a>) -> BTreeMap<GroupKey<'a>, Tally> {
    let mut tallies: BTreeMap<GroupKey<'a>, Tally> = BTreeMap::new();
    for rate in &view.report.rates {
        tallies.entry((rate.platform, rate.kind, rate.group.as_str())).or_default().add(rate);
    }
    tallies
}
