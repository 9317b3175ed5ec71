//! Single runs from start to stop: their steps, one below the other, and the gaps between them.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use logmill_analyze::durations::counted;
use logmill_analyze::model::{OutcomeFilter, Run, Step};
use logmill_parse::Status;
use logmill_parse::time::duration_ms;

use crate::axis::durations;
use crate::chart::feet;
use crate::figures::{counted as number_of, duration};
use crate::markup::{Markup, Own, Px, put, shortened};
use crate::outcome::Outcome;
use crate::view::{GroupKey, View, species_name};

/// Typical runs that are drawn, one for each group.
const MAX_TYPICAL: usize = 12;
/// Slowest runs that are drawn, and how many of one group.
const MAX_SLOWEST: usize = 8;
const MAX_OF_A_GROUP: usize = 2;
/// Rows of a drawing.
const MAX_ROWS: usize = 14;
const ROW_PX: f64 = 20.0;
/// Characters of a step's name.
const NAME_CHARS: usize = 18;

/// For each group the run whose duration is the median of those that succeeded.
pub fn typical(view: &View<'_>, out: &mut Markup) {
    let whole = |outcome: OutcomeFilter| {
        view.report.durations.iter().filter(move |row| row.step.is_none() && row.outcome == outcome)
    };
    let mut groups: Vec<_> = whole(OutcomeFilter::All).filter(|row| row.max_ms > Some(0)).collect();
    groups.sort_by_key(|row| Reverse((row.total_ms, row.n)));
    let medians: BTreeMap<GroupKey<'_>, i64> = whole(OutcomeFilter::Succeeded)
        .filter_map(|row| Some(((row.platform, row.kind, row.group.as_str()), row.p50_ms?)))
        .collect();
    let candidates = candidates(view);
    let mut cards = Markup::default();
    let mut n_shown = 0;
    for row in groups {
        let key = (row.platform, row.kind, row.group.as_str());
        let median_ms = medians.get(&key).copied();
        let Some(near) = candidates.get(&key).and_then(|runs| nearest(runs, median_ms, row.p50_ms)) else {
            continue;
        };
        if n_shown == MAX_TYPICAL {
            break;
        }
        let Some(run) = view.report.runs.get(near) else { continue };
        card(view, (run, view.steps(near)), &mut cards);
        n_shown += 1;
    }
    if n_shown > 0 {
        put!(
            out,
            "<p class=\"note\">For each of the groups that took the most time, the run with the median duration of those that succeeded, or of all where none did. Hatched: gaps between steps.</p>\n<div class=\"cards\">{}</div>\n",
            cards
        );
    }
}

/// The runs of each group that percentiles are of and that have steps, by their places.
fn candidates<'a>(view: &View<'a>) -> BTreeMap<GroupKey<'a>, Vec<(usize, &'a Run)>> {
    let mut groups: BTreeMap<GroupKey<'a>, Vec<(usize, &'a Run)>> = BTreeMap::new();
    for (index, run) in view.report.runs.iter().enumerate() {
        if counted(run, run.duration_ms).is_some() && !view.steps(index).is_empty() {
            groups.entry((run.platform, run.kind, &run.group)).or_default().push((index, run));
        }
    }
    groups
}

/// The run whose duration is nearest to the median of those that succeeded, or else of all.
fn nearest(runs: &[(usize, &Run)], of_succeeded: Option<i64>, of_all: Option<i64>) -> Option<usize> {
    let median_ms = of_succeeded.or(of_all)?;
    let fits = |run: &Run| of_succeeded.is_none() || run.status == Status::Succeeded;
    runs.iter()
        .filter(|(_, run)| fits(run))
        .min_by_key(|(index, run)| (run.duration_ms.map(|ms| ms.abs_diff(median_ms)), *index))
        .map(|(index, _)| *index)
}

/// The runs that took longest.
pub fn slowest(view: &View<'_>, out: &mut Markup) {
    let mut runs: Vec<(usize, &Run)> = view
        .report
        .runs
        .iter()
        .enumerate()
        .filter(|(index, run)| run.duration_ms > Some(0) && !view.steps(*index).is_empty())
        .collect();
    runs.sort_by_key(|(index, run)| (Reverse(run.duration_ms), *index));
    let mut of_group: BTreeMap<GroupKey<'_>, usize> = BTreeMap::new();
    runs.retain(|(_, run)| {
        let n = of_group.entry((run.platform, run.kind, &run.group)).or_default();
        *n += 1;
        *n <= MAX_OF_A_GROUP
    });
    if runs.is_empty() {
        return;
    }
    put!(
        out,
        "<p class=\"note\">At most two of each group. Hatched: gaps between steps.</p>\n<div class=\"cards\">"
    );
    for (index, run) in runs.iter().take(MAX_SLOWEST) {
        card(view, (run, view.steps(*index)), out);
    }
    put!(out, "</div>\n");
}

/// A step on the run's time line, in milliseconds from its start.
struct Bar<'a> {
    step: &'a Step,
    from_ms: i64,
    ms: i64,
}

/// Where the steps with a duration stand. Without instants, steps at depth 0 follow from their gaps.
fn bars<'a>(run: &Run, steps: &'a [Step]) -> Vec<Bar<'a>> {
    let mut reached = 0_i64;
    let mut bars = Vec::new();
    for step in steps {
        let Some(ms) = step.duration_ms else { continue };
        let after_gap = reached.saturating_add(step.gap_before_ms.unwrap_or(0));
        let from_ms = match (run.started_at, step.started_at) {
            (Some(start), Some(at)) => duration_ms(start, at),
            _ if step.depth == 0 => after_gap,
            _ => continue,
        };
        if step.depth == 0 {
            reached = after_gap.saturating_add(ms);
        }
        bars.push(Bar { step, from_ms, ms });
    }
    bars
}

/// The rows that fit: steps at depth 0 before deeper ones, longer before shorter ones, in their order.
fn chosen(bars: &[Bar<'_>]) -> BTreeSet<usize> {
    let mut order: Vec<usize> = (0..bars.len()).collect();
    order.sort_by_key(|index| bars.get(*index).map(|bar| (bar.step.depth, Reverse(bar.ms), bar.step.seq)));
    order.into_iter().take(MAX_ROWS).collect()
}

fn card(view: &View<'_>, (run, steps): (&Run, &[Step]), out: &mut Markup) {
    let bars = bars(run, steps);
    let chosen = chosen(&bars);
    let rows: Vec<&Bar<'_>> =
        bars.iter().enumerate().filter(|(index, _)| chosen.contains(index)).map(|(_, bar)| bar).collect();
    caption(view, run, out);
    put!(out, "<div class=\"plot\">");
    names(run, &rows, out);
    time_line(run, &rows, out);
    put!(out, "</div>");
    let rest = steps.len() - rows.len().min(steps.len());
    if rest > 0 {
        put!(out, "<p class=\"more\">and {}</p>", number_of(rest as u64, ("more step", "more steps")));
    }
    put!(out, "</figure>\n");
}

/// What follows the last step, where it is long enough to be seen.
fn tail_ms(run: &Run) -> Option<i64> {
    run.tail_gap_ms.filter(|gap_ms| gap_ms.saturating_mul(50) > run.duration_ms.unwrap_or(0))
}

fn height(run: &Run, rows: &[&Bar<'_>]) -> f64 {
    (rows.len() + usize::from(tail_ms(run).is_some())) as f64 * ROW_PX + 22.0
}

fn names(run: &Run, rows: &[&Bar<'_>], out: &mut Markup) {
    put!(
        out,
        "<svg class=\"gutter\" width=\"136\" height=\"{}\" aria-hidden=\"true\">",
        Px(height(run, rows))
    );
    let baseline = |row: usize| Px(row as f64 * ROW_PX + 14.0);
    for (row, bar) in rows.iter().enumerate() {
        let depth = bar.step.depth.min(3);
        put!(
            out,
            "<text class=\"lab\" x=\"{}\" y=\"{}\">{}<title>{}</title></text>",
            Px(f64::from(depth) * 10.0),
            baseline(row),
            shortened(&bar.step.name, NAME_CHARS - usize::from(depth)),
            *bar.step.name
        );
    }
    if tail_ms(run).is_some() {
        put!(out, "<text x=\"0\" y=\"{}\">after the steps</text>", baseline(rows.len()));
    }
    put!(out, "</svg>");
}

fn time_line(run: &Run, rows: &[&Bar<'_>], out: &mut Markup) {
    let total_ms = run.duration_ms.unwrap_or(0).max(1);
    let height = height(run, rows);
    put!(
        out,
        "<svg width=\"100%\" height=\"{}\" role=\"img\" aria-label=\"{}\"><g class=\"grid\">",
        Px(height),
        spoken(run, rows)
    );
    let ticks = durations(total_ms);
    for tick in &ticks {
        let at = Px(tick.at * 100.0);
        put!(out, "<line x1=\"{}%\" x2=\"{}%\" y2=\"{}\"/>", at, at, Px(height - 18.0));
    }
    put!(out, "</g>");
    for (row, bar) in rows.iter().enumerate() {
        draw(bar, row as f64 * ROW_PX, total_ms, out);
    }
    if let Some(gap_ms) = tail_ms(run) {
        let from = share(total_ms.saturating_sub(gap_ms), total_ms);
        let top = rows.len() as f64 * ROW_PX;
        gap((from, 1.0), top, &format!("{} after the last step", duration(gap_ms)), out);
        label((from, 1.0), top, gap_ms, out);
    }
    feet(&ticks, height - 4.0, 20, out);
    put!(out, "</svg>");
}

fn caption(view: &View<'_>, run: &Run, out: &mut Markup) {
    put!(
        out,
        "<figure class=\"chart\"><figcaption><b>{}</b> <small>{}</small><br/><span class=\"pill {}\">{}</span> in <b>{}</b> <small>",
        run.group,
        species_name(run.platform, run.kind),
        Outcome::of(run.status).class(),
        run.status.as_str(),
        duration(run.duration_ms.unwrap_or(0))
    );
    if let Some(at) = run.started_at {
        put!(out, "{} · ", view.clock.second(at));
    }
    put!(out, "<code>{}</code></small></figcaption>", run.run_id);
}

/// The drawing in words.
fn spoken(run: &Run, rows: &[&Bar<'_>]) -> String {
    let steps: Vec<String> =
        rows.iter().map(|bar| format!("{} {}", bar.step.name, duration(bar.ms))).collect();
    format!("steps of run {}: {}", run.run_id, steps.join(", "))
}

fn share(ms: i64, total_ms: i64) -> f64 {
    (ms as f64 / total_ms as f64).clamp(0.0, 1.0)
}

fn draw(bar: &Bar<'_>, top: f64, total_ms: i64, out: &mut Markup) {
    let ends = (share(bar.from_ms, total_ms), share(bar.from_ms.saturating_add(bar.ms), total_ms));
    if let Some(gap_ms) = bar.step.gap_before_ms.filter(|gap| *gap > 0) {
        let from = share(bar.from_ms.saturating_sub(gap_ms), total_ms);
        let title = format!("gap of {} before {}", duration(gap_ms), shortened(&bar.step.name, 80));
        gap((from, ends.0), top, &title, out);
    }
    let class = match Outcome::of(bar.step.status) {
        bad @ (Outcome::Failed | Outcome::TimedOut | Outcome::Aborted) => bad.class(),
        _ if bar.step.depth == 0 => "step",
        _ => "deep",
    };
    put!(
        out,
        "<rect class=\"{}\" x=\"{}%\" width=\"{}%\" y=\"{}\" height=\"14\"><title>{}: {} from {}, {}</title></rect>",
        class,
        Px(ends.0 * 100.0),
        Px(((ends.1 - ends.0) * 100.0).max(0.3)),
        Px(top + 3.0),
        *bar.step.name,
        duration(bar.ms),
        duration(bar.from_ms),
        bar.step.status.as_str()
    );
    label(ends, top, bar.ms, out);
}

fn gap((left, right): (f64, f64), top: f64, title: &str, out: &mut Markup) {
    put!(
        out,
        "<rect class=\"gap\" x=\"{}%\" width=\"{}%\" y=\"{}\" height=\"8\"><title>{}</title></rect>",
        Px(left * 100.0),
        Px((right - left) * 100.0),
        Px(top + 6.0),
        title
    );
}

/// The figure stands behind its bar where there is room, else before it, else on it.
fn label((left, right): (f64, f64), top: f64, ms: i64, out: &mut Markup) {
    let (at, aside, class) = if right < 0.8 {
        (right, 5, "lab")
    } else if left > 0.2 {
        (left, -5, "lab e")
    } else {
        (right, -5, "on e")
    };
    put!(
        out,
        "<text class=\"{}\" x=\"{}%\" dx=\"{}\" y=\"{}\">{}</text>",
        Own(class),
        Px(at * 100.0),
        aside,
        Px(top + 14.5),
        duration(ms)
    );
}
