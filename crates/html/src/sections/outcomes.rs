//! How runs ended: the headline figures, and both rates over time.

use logmill_parse::Status;

use crate::axis::{TimeAxis, linear, round_duration};
use crate::chart::{self, Point, Slot};
use crate::figures::{count, counted, duration, percent, round_percent};
use crate::markup::{Markup, Own, put};
use crate::outcome::{Outcome, Share};
use crate::table::{Column, Table};
use crate::view::{Species, View};

/// The figures at the top, and a row for each kind of run.
pub fn headline(view: &View<'_>, out: &mut Markup) {
    if view.report.runs.is_empty() {
        return;
    }
    tiles(view, out);
    let tally = view.tally();
    chart::bar(&tally, out);
    chart::legend(&tally, out);
    if view.species.len() > 1 {
        by_species(view, out);
    }
}

fn tiles(view: &View<'_>, out: &mut Markup) {
    let (runs, tally) = (&view.report.runs, view.tally());
    put!(out, "<ul class=\"tiles\">");
    let incomplete = runs.iter().filter(|run| !run.complete).count() as u64;
    let note = if incomplete == 0 {
        "all of them complete".to_owned()
    } else {
        format!("{} incomplete", count(incomplete))
    };
    tile("figure-runs", runs.len() as f64, ("Runs", &count(runs.len() as u64)), &note, out);
    if let Some(share) = tally.failure_rate() {
        tile(
            "figure-failure-rate",
            share.value,
            ("Run failure rate", &percent(share.value)),
            &chart::interval(share),
            out,
        );
    }
    if let Some(rate) = tally.error_rate() {
        let note = format!(
            "{} of {}",
            counted(tally.n_errors, ("error", "errors")),
            counted(tally.n_events, ("event", "events"))
        );
        tile("figure-error-rate", rate, ("Error rate", &percent(rate)), &note, out);
    }
    let durations: Vec<i64> = runs.iter().filter_map(|run| run.duration_ms).collect();
    if !durations.is_empty() {
        let total = durations.iter().fold(0_i64, |sum, ms| sum.saturating_add(*ms));
        let note = format!("in {}", counted(durations.len() as u64, ("run", "runs")));
        tile("figure-total-time", total as f64, ("Total run time", &duration(total)), &note, out);
    }
    let sum = |figure: fn(&logmill_analyze::model::Run) -> Option<u64>| {
        runs.iter().filter_map(figure).fold(0_u64, u64::saturating_add)
    };
    let failed = sum(|run| run.requests_failed);
    if let Some(share) = Share::of(failed, failed.saturating_add(sum(|run| run.requests_finished))) {
        let note = format!("{} of {} requests given up", count(share.hits), count(share.of));
        tile(
            "figure-request-failure-rate",
            share.value,
            ("Request failure rate", &percent(share.value)),
            &note,
            out,
        );
    }
    put!(out, "</ul>\n");
}

/// `key` is the figure in full, for whoever reads the page by program.
fn tile(id: &'static str, key: f64, (what, figure): (&'static str, &str), note: &str, out: &mut Markup) {
    put!(
        out,
        "<li><span class=\"what\">{}</span><b id=\"{}\" data-v=\"{}\">{}</b><span>{}</span></li>",
        Own(what),
        Own(id),
        crate::markup::Key(key),
        figure,
        note
    );
}

fn by_species(view: &View<'_>, out: &mut Markup) {
    let columns = [
        Column::Text("Runs of"),
        Column::Figure("Runs"),
        Column::Drawing("Outcome"),
        Column::Figure("Succeeded"),
        Column::Figure("Failed"),
        Column::Figure("Timed out"),
        Column::Figure("Other"),
        Column::Figure("Failure rate"),
        Column::Drawing("0 to 100 %"),
        Column::Figure("Error rate"),
    ];
    let mut table = Table::new("Runs by platform and kind", &columns);
    for species in &view.species {
        let tally = &species.tally;
        let with = |status: Status| {
            let of = |run: &&logmill_analyze::model::Run| {
                run.platform == species.platform && run.kind == species.kind && run.status == status
            };
            view.report.runs.iter().filter(of).count() as u64
        };
        let known = [Status::Succeeded, Status::Failed, Status::TimedOut].map(with);
        let mut drawing = Markup::default();
        chart::bar(tally, &mut drawing);
        table.row(|row| {
            row.name(&species.name());
            row.count(tally.n_runs());
            row.drawing(tally.failure_rate().map_or(-1.0, |share| share.value), &drawing);
            for n in known {
                row.count(n);
            }
            row.count(tally.n_runs().saturating_sub(known.iter().sum()));
            row.share(tally.failure_rate());
            row.percent(tally.error_rate());
        });
    }
    table.finish(out);
}

/// Outcomes and rates of each kind of run by bucket.
pub fn over_time(view: &View<'_>, out: &mut Markup) {
    let shown: Vec<&Species> = view.species.iter().filter(|species| species.slots.len() > 1).collect();
    if shown.is_empty() {
        return;
    }
    put!(
        out,
        "<p class=\"note\">A run stands where it started. Bars on the rates are 95&#160;% intervals.</p>\n"
    );
    let occurs =
        |outcome: &Outcome| shown.iter().any(|species| species.tally.parts().any(|(one, _)| one == *outcome));
    let seen: Vec<Outcome> = Outcome::ALL.into_iter().filter(occurs).collect();
    chart::keys(&seen, out);
    for species in &shown {
        let (Some(first), Some(last)) = (species.slots.first(), species.slots.last()) else { continue };
        let axis = TimeAxis { start: first.start, end: last.end };
        put!(out, "<div class=\"cards three\">");
        outcomes(view, species, axis, out);
        failure_rates(view, species, axis, out);
        error_rates(view, species, axis, out);
        put!(out, "</div>\n");
    }
    figures(view, &shown, out);
}

fn outcomes(view: &View<'_>, species: &Species, axis: TimeAxis, out: &mut Markup) {
    let most = species.slots.iter().map(|slot| slot.tally.n_runs()).max().unwrap_or(0);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "ticks of counts are whole numbers below the largest count"
    )]
    let (end, rows) = linear(most as f64, 1.0, |value| count(value.round() as u64));
    let mut drawing = Markup::default();
    chart::stacks(&species.slots, end, axis, view.clock, &mut drawing);
    let mut caption = Markup::default();
    let width_ms = species.slots.first().map_or(0, |slot| slot.end.saturating_sub(slot.start) / 1000);
    put!(
        &mut caption,
        "<b>{}</b> <small>runs by outcome, each {}</small>",
        species.name(),
        round_duration(width_ms)
    );
    let label =
        format!("{}: runs by outcome over time; the figures stand in the table below", species.name());
    chart::frame(&caption, &label, (&rows, &axis.ticks(view.clock)), &drawing, out);
}

fn failure_rates(view: &View<'_>, species: &Species, axis: TimeAxis, out: &mut Markup) {
    let point = |slot: &Slot| {
        let share = slot.tally.failure_rate()?;
        let title = format!(
            "{}: {} failed, {}",
            view.clock.minute(slot.start),
            percent(share.value),
            chart::interval(share)
        );
        Some(Point { slot: *slot, value: share.value, interval: Some((share.low, share.high)), title })
    };
    let points: Vec<Point> = species.slots.iter().filter_map(point).collect();
    rates((view, species), "run failure rate", ("ko", &points), axis, out);
}

fn error_rates(view: &View<'_>, species: &Species, axis: TimeAxis, out: &mut Markup) {
    let point = |slot: &Slot| {
        let rate = slot.tally.error_rate()?;
        let title = format!(
            "{}: {} of {} events are errors, {}",
            view.clock.minute(slot.start),
            count(slot.tally.n_errors),
            count(slot.tally.n_events),
            percent(rate)
        );
        Some(Point { slot: *slot, value: rate, interval: None, title })
    };
    let points: Vec<Point> = species.slots.iter().filter_map(point).collect();
    rates((view, species), "error rate of events", ("ab", &points), axis, out);
}

fn rates(
    (view, species): (&View<'_>, &Species),
    what: &'static str,
    (class, points): (&'static str, &[Point]),
    axis: TimeAxis,
    out: &mut Markup,
) {
    if points.len() < 2 {
        return;
    }
    let most = reach(points);
    let (end, rows) = linear(most.min(1.0), 0.005, round_percent);
    let mut drawing = Markup::default();
    chart::rates(points, (class, end), axis, &mut drawing);
    let mut caption = Markup::default();
    put!(&mut caption, "<b>{}</b> <small>{}</small>", species.name(), Own(what));
    let label = format!("{}: {what} over time; the figures stand in the table below", species.name());
    chart::frame(&caption, &label, (&rows, &axis.ticks(view.clock)), &drawing, out);
}

/// How high the axis must be: over every rate and nine in ten of the intervals. A few wide ones, of
/// buckets with hardly a run, may leave the drawing at its top.
fn reach(points: &[Point]) -> f64 {
    let mut highs: Vec<f64> = points.iter().filter_map(|point| Some(point.interval?.1)).collect();
    highs.sort_by(f64::total_cmp);
    let nine_in_ten = highs.get((highs.len() * 9).div_ceil(10).saturating_sub(1)).copied().unwrap_or(0.0);
    points.iter().map(|point| point.value).fold(nine_in_ten, f64::max)
}

/// What the drawings show, as a table.
fn figures(view: &View<'_>, shown: &[&Species], out: &mut Markup) {
    let columns = [
        Column::Text("Bucket"),
        Column::Text("Runs of"),
        Column::Figure("Runs"),
        Column::Figure("Failed or timed out"),
        Column::Figure("Failure rate"),
        Column::Figure("Events"),
        Column::Figure("Errors"),
        Column::Figure("Error rate"),
    ];
    let mut table = Table::new("Rates by bucket", &columns);
    for species in shown {
        let name = species.name();
        for slot in species.slots.iter().filter(|slot| slot.tally.n_runs() > 0) {
            table.row(|row| {
                row.words(&view.clock.minute(slot.start));
                row.words(&name);
                row.count(slot.tally.n_runs());
                row.count(slot.tally.failures().0);
                row.percent(slot.tally.failure_rate().map(|share| share.value));
                row.count(slot.tally.n_events);
                row.count(slot.tally.n_errors);
                row.percent(slot.tally.error_rate());
            });
        }
    }
    put!(out, "<details class=\"data\"><summary>Figures by bucket</summary>\n");
    table.finish(out);
    put!(out, "</details>\n");
}
