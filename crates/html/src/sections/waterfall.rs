//! Single runs from start to stop: their steps, one below the other, and the gaps between them.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use logmill_analyze::durations::counted;
use logmill_analyze::model::{OutcomeFilter, Run, Step};
use logmill_parse::time::duration_ms;
use logmill_parse::{Kind, Platform, Status};

use crate::axis::durations;
use crate::chart::feet;
use crate::figures::{counted as number_of, duration};
use crate::markup::{Markup, Own, Px, put, shortened};
use crate::outcome::Outcome;
use crate::view::{View, species_name};

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
    let mut groups: Vec<_> = view
        .report
        .durations
        .iter()
        .filter(|row| row.step.is_none() && row.outcome == OutcomeFilter::All && row.max_ms > Some(0))
        .collect();
    groups.sort_by_key(|row| Reverse((row.total_ms, row.n)));
    let medians: BTreeMap<(Platform, Option<Kind>, &str), i64> = view
        .report
        .durations
        .iter()
        .filter(|row| row.step.is_none() && row.outcome == OutcomeFilter::Succeeded)
        .filter_map(|row| Some(((row.platform, row.kind, row.group.as_str()), row.p50_ms?)))
        .collect();
    let mut cards = Markup::default();
    let mut n_shown = 0;
    for row in groups {
        if n_shown == MAX_TYPICAL {
            break;
        }
        let median = medians.get(&(row.platform, row.kind, row.group.as_str())).copied();
        let status = median.map(|_| Status::Succeeded);
        let Some(median_ms) = median.or(row.p50_ms) else { continue };
        let of_group =
            |run: &Run| run.platform == row.platform && run.kind == row.kind && run.group == row.group;
        let candidates = view.report.runs.iter().enumerate().filter(|(_, run)| {
            of_group(run)
                && status.is_none_or(|status| run.status == status)
                && counted(run, run.duration_ms).is_some()
        });
        let near = candidates
            .filter(|(index, _)| !view.steps(*index).is_empty())
            .min_by_key(|(index, run)| (run.duration_ms.map(|ms| ms.abs_diff(median_ms)), *index));
        if let Some((index, run)) = near {
            card(view, (run, view.steps(index)), &mut cards);
            n_shown += 1;
        }
    }
    if n_shown > 0 {
        put!(
            out,
            "<p class=\"note\">For each of the groups that took the most time, the run with the median duration of those that succeeded, or of all where none did. Hatched: gaps between steps.</p>\n<div class=\"cards\">{}</div>\n",
            cards
        );
    }
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
    let mut of_group: BTreeMap<(Platform, Option<Kind>, &str), usize> = BTreeMap::new();
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
    let total_ms = run.duration_ms.unwrap_or(0).max(1);
    let bars = bars(run, steps);
    let chosen = chosen(&bars);
    let rows: Vec<&Bar<'_>> =
        bars.iter().enumerate().filter(|(index, _)| chosen.contains(index)).map(|(_, bar)| bar).collect();
    let height = rows.len() as f64 * ROW_PX + 22.0;
    caption(view, run, out);
    put!(
        out,
        "<div class=\"plot\"><svg class=\"gutter\" width=\"136\" height=\"{}\" aria-hidden=\"true\">",
        Px(height)
    );
    for (row, bar) in rows.iter().enumerate() {
        let indent = f64::from(bar.step.depth.min(3)) * 10.0;
        put!(
            out,
            "<text class=\"lab\" x=\"{}\" y=\"{}\">{}<title>{}</title></text>",
            Px(indent),
            Px(row as f64 * ROW_PX + 14.0),
            shortened(&bar.step.name, NAME_CHARS - usize::from(bar.step.depth.min(3))),
            bar.step.name
        );
    }
    put!(
        out,
        "</svg><svg width=\"100%\" height=\"{}\" role=\"img\" aria-label=\"{}\">",
        Px(height),
        spoken(run, &rows)
    );
    let ticks = durations(total_ms);
    for tick in &ticks {
        let at = Px(tick.at * 100.0);
        put!(
            out,
            "<line class=\"grid\" x1=\"{}%\" x2=\"{}%\" y1=\"0\" y2=\"{}\"/>",
            at,
            at,
            Px(height - 18.0)
        );
    }
    for (row, bar) in rows.iter().enumerate() {
        draw(bar, row as f64 * ROW_PX, total_ms, out);
    }
    feet(&ticks, height - 4.0, 20, out);
    put!(out, "</svg></div>");
    let rest = steps.len() - rows.len().min(steps.len());
    if rest > 0 {
        put!(out, "<p class=\"more\">and {}</p>", number_of(rest as u64, ("more step", "more steps")));
    }
    put!(out, "</figure>\n");
}

fn caption(view: &View<'_>, run: &Run, out: &mut Markup) {
    let outcome = Outcome::of(run.status);
    put!(
        out,
        "<figure class=\"chart\"><figcaption><b>{}</b> <small>{}</small><br/><span class=\"pill {}\">{}</span> in <b>{}</b> <small>{} · <code>{}</code></small></figcaption>",
        run.group,
        species_name(run.platform, run.kind),
        outcome.class(),
        run.status.as_str(),
        duration(run.duration_ms.unwrap_or(0)),
        view.clock.second_or_none(run.started_at),
        run.run_id
    );
}

/// The drawing in words.
fn spoken(run: &Run, rows: &[&Bar<'_>]) -> String {
    let steps: Vec<String> =
        rows.iter().map(|bar| format!("{} {}", bar.step.name, duration(bar.ms))).collect();
    format!("steps of run {}: {}", run.run_id, steps.join(", "))
}

fn draw(bar: &Bar<'_>, top: f64, total_ms: i64, out: &mut Markup) {
    let share = |ms: i64| (ms as f64 / total_ms as f64).clamp(0.0, 1.0);
    let (left, right) = (share(bar.from_ms), share(bar.from_ms.saturating_add(bar.ms)));
    if let Some(gap_ms) = bar.step.gap_before_ms.filter(|gap| *gap > 0) {
        let from = share(bar.from_ms.saturating_sub(gap_ms));
        put!(
            out,
            "<rect class=\"gap\" x=\"{}%\" width=\"{}%\" y=\"{}\" height=\"8\"><title>gap of {} before {}</title></rect>",
            Px(from * 100.0),
            Px((left - from) * 100.0),
            Px(top + 6.0),
            duration(gap_ms),
            bar.step.name
        );
    }
    let class = match Outcome::of(bar.step.status) {
        bad @ (Outcome::Failed | Outcome::TimedOut | Outcome::Aborted) => bad.class(),
        _ if bar.step.depth == 0 => "step",
        _ => "deep",
    };
    put!(
        out,
        "<g class=\"h\"><title>{}: {} from {}, {}</title><rect class=\"{}\" x=\"{}%\" width=\"{}%\" y=\"{}\" height=\"{}\"/></g>",
        bar.step.name,
        duration(bar.ms),
        duration(bar.from_ms),
        bar.step.status.as_str(),
        class,
        Px(left * 100.0),
        Px(((right - left) * 100.0).max(0.3)),
        Px(top + 3.0),
        Px(14.0)
    );
    // The figure stands behind the bar where there is room, else before it, else on it.
    let (at, aside, anchor) = if right < 0.8 {
        (right, 5, "lab")
    } else if left > 0.2 {
        (left, -5, "lab e")
    } else {
        (right, -5, "on e")
    };
    put!(
        out,
        "<text class=\"{}\" x=\"{}%\" dx=\"{}\" y=\"{}\">{}</text>",
        Own(anchor),
        Px(at * 100.0),
        aside,
        Px(top + 14.5),
        duration(bar.ms)
    );
}
