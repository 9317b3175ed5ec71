//! Drawings as inline SVG: frames with axes, stacks over time, rates with their intervals.
//!
//! Horizontal places are percentages and vertical ones pixels, so a drawing fills any width while
//! its text keeps its size. Colours are classes of the page's style sheet.

use logmill_parse::Micros;

use crate::axis::{Tick, TimeAxis};
use crate::figures::{Clock, percent};
use crate::markup::{Markup, Own, Px, put};
use crate::outcome::{Outcome, Share, Tally};

/// Height of what is drawn between the axes.
const PLOT_PX: f64 = 120.0;
/// Room for the highest label.
const TOP_PX: f64 = 8.0;
/// Room for the labels of the horizontal axis.
const FOOT_PX: f64 = 20.0;

/// Percentages of the width.
fn across(at: f64) -> Px {
    Px(at * 100.0)
}

/// From the share of the height to pixels from the top.
fn up(share: f64) -> f64 {
    TOP_PX + PLOT_PX * (1.0 - share.clamp(0.0, 1.0))
}

/// A drawing with both axes. `label` says to those who do not see it what it shows.
pub fn frame(
    caption: &Markup,
    label: &str,
    (rows, columns): (&[Tick], &[Tick]),
    drawing: &Markup,
    out: &mut Markup,
) {
    let height = TOP_PX + PLOT_PX + FOOT_PX;
    put!(out, "<figure class=\"chart\"><figcaption>{}</figcaption><div class=\"plot\">", caption);
    put!(out, "<svg class=\"gutter\" width=\"56\" height=\"{}\" aria-hidden=\"true\">", Px(height));
    for tick in rows {
        put!(out, "<text x=\"50\" y=\"{}\" class=\"e\">{}</text>", Px(up(tick.at) + 4.0), tick.label);
    }
    put!(out, "</svg><svg width=\"100%\" height=\"{}\" role=\"img\" aria-label=\"{}\">", Px(height), label);
    for tick in rows {
        put!(out, "<line class=\"grid\" x2=\"100%\" y1=\"{}\" y2=\"{}\"/>", Px(up(tick.at)), Px(up(tick.at)));
    }
    put!(out, "{}", drawing);
    feet(columns, height - 4.0, 36, out);
    put!(out, "</svg></div></figure>\n");
}

/// Labels of a horizontal axis; those at the ends stay inside. Where it is narrow and they are longer
/// than `room` characters together, every other one is left out.
pub fn feet(ticks: &[Tick], y: f64, room: usize, out: &mut Markup) {
    let is_long = ticks.iter().map(|tick| tick.label.chars().count()).sum::<usize>() > room;
    for (index, tick) in ticks.iter().enumerate() {
        let is_spare = is_long && index % 2 == 1;
        let anchor = match (tick.at, is_spare) {
            (..0.05, false) => "s",
            (0.93.., false) => "e",
            (_, false) => "m",
            (..0.05, true) => "s spare",
            (0.93.., true) => "e spare",
            (_, true) => "m spare",
        };
        put!(
            out,
            "<text x=\"{}%\" y=\"{}\" class=\"{}\">{}</text>",
            across(tick.at),
            Px(y),
            anchor,
            tick.label
        );
    }
}

/// A time bucket and what fell into it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Slot {
    /// Where it begins.
    pub start: Micros,
    /// Where the next one begins.
    pub end: Micros,
    /// Its runs.
    pub tally: Tally,
}

impl Slot {
    /// Where it stands on an axis: left end and width.
    fn place(&self, axis: TimeAxis) -> (f64, f64) {
        let left = axis.at(self.start);
        (left, (axis.at(self.end) - left).max(0.001))
    }
}

/// Runs by outcome as stacks over time.
pub fn stacks(slots: &[Slot], end: f64, axis: TimeAxis, clock: Clock, out: &mut Markup) {
    for slot in slots.iter().filter(|slot| slot.tally.n_runs() > 0) {
        let (left, width) = slot.place(axis);
        let parts: Vec<String> = slot
            .tally
            .parts()
            .map(|(outcome, n)| format!("{} {}", crate::figures::count(n), outcome.word()))
            .collect();
        let title = format!("{}: {}", clock.minute(slot.start), parts.join(", "));
        let heights = slot.tally.parts().map(|(outcome, n)| (outcome, n as f64 / end * PLOT_PX));
        column((left + width * 0.07, width * 0.86), &title, heights, up(0.0), out);
    }
}

/// Parts of a whole, one on the other, from the left end on and as wide as told; heights are in pixels.
pub fn column(
    (left, width): (f64, f64),
    title: &str,
    parts: impl Iterator<Item = (Outcome, f64)>,
    bottom: f64,
    out: &mut Markup,
) {
    put!(
        out,
        "<svg class=\"h\" x=\"{}%\" width=\"{}%\"><title>{}</title>",
        across(left),
        across(width),
        title
    );
    let mut top = bottom;
    for (outcome, height) in parts {
        // A single failure among thousands of runs is still to be seen.
        let height = height.max(1.5);
        top = (top - height).max(0.0);
        put!(out, "<rect class=\"{}\" y=\"{}\" height=\"{}\"/>", outcome.class(), Px(top), Px(height));
    }
    put!(out, "</svg>");
}

/// A rate in a time bucket.
pub struct Point {
    /// Its bucket.
    pub slot: Slot,
    /// The rate, and its interval where there is one.
    pub value: f64,
    /// Ends of the interval.
    pub interval: Option<(f64, f64)>,
    /// What it says when pointed at.
    pub title: String,
}

/// Rates over time: dots on their intervals; those without one are joined where their buckets are
/// neighbours.
pub fn rates(points: &[Point], (class, end): (&'static str, f64), axis: TimeAxis, out: &mut Markup) {
    put!(out, "<g class=\"band {}\">", Own(class));
    for point in points {
        if let Some(interval) = point.interval {
            band(interval, (point.middle(axis), point.slot.place(axis).1), end, out);
        }
    }
    put!(out, "</g><g class=\"line {}\">", Own(class));
    for (one, next) in points.iter().zip(points.iter().skip(1)).filter(|(one, next)| one.joins(next)) {
        put!(
            out,
            "<line x1=\"{}%\" y1=\"{}\" x2=\"{}%\" y2=\"{}\"/>",
            across(one.middle(axis)),
            Px(up(one.value / end)),
            across(next.middle(axis)),
            Px(up(next.value / end))
        );
    }
    put!(out, "</g><g class=\"dots {}\">", Own(class));
    for point in points {
        put!(
            out,
            "<circle cx=\"{}%\" cy=\"{}\" r=\"3\"><title>{}</title></circle>",
            across(point.middle(axis)),
            Px(up(point.value / end)),
            point.title
        );
    }
    put!(out, "</g>");
}

impl Point {
    fn middle(&self, axis: TimeAxis) -> f64 {
        let (left, width) = self.slot.place(axis);
        left + width / 2.0
    }

    fn joins(&self, next: &Self) -> bool {
        self.interval.is_none() && self.slot.end == next.slot.start
    }
}

fn band((low, high): (f64, f64), (middle, width): (f64, f64), end: f64, out: &mut Markup) {
    let wide = width.min(0.02) * 0.6;
    put!(
        out,
        "<rect x=\"{}%\" width=\"{}%\" y=\"{}\" height=\"{}\"/>",
        across(middle - wide / 2.0),
        across(wide),
        Px(up(high / end)),
        Px((up(low / end) - up(high / end)).max(1.0))
    );
}

/// A share on a line from 0 to 100 %, with its interval, for a cell of a table.
pub fn whisker(share: Share, out: &mut Markup) {
    let title = interval(share);
    put!(
        out,
        "<svg class=\"cell\" width=\"100%\" height=\"14\" role=\"img\"><title>{}</title><line class=\"grid\" x2=\"100%\" y1=\"7\" y2=\"7\"/><rect class=\"band ko\" x=\"{}%\" width=\"{}%\" y=\"3\" height=\"8\"/><rect class=\"{}\" x=\"{}%\" width=\"2\" y=\"1\" height=\"12\"/></svg>",
        title,
        across(share.low),
        across((share.high - share.low).max(0.005)),
        Own(if share.hits > 0 { "ko" } else { "ok" }),
        across(share.value.min(0.985))
    );
}

/// What stands behind a share: `3 of 12; 95 % interval 8.9 % to 53.2 %`.
pub fn interval(share: Share) -> String {
    format!(
        "{} of {}; 95\u{a0}% interval {} to {}",
        crate::figures::count(share.hits),
        crate::figures::count(share.of),
        percent(share.low),
        percent(share.high)
    )
}

/// All runs as one bar.
pub fn bar(tally: &Tally, out: &mut Markup) {
    let total = tally.n_runs().max(1) as f64;
    let words: Vec<String> = tally
        .parts()
        .map(|(outcome, n)| format!("{} {}", crate::figures::count(n), outcome.name()))
        .collect();
    put!(
        out,
        "<svg class=\"bar\" width=\"100%\" height=\"14\" role=\"img\"><title>{}</title>",
        words.join(", ")
    );
    let mut left = 0.0;
    for (outcome, n) in tally.parts() {
        let width = n as f64 / total;
        put!(
            out,
            "<rect class=\"{}\" x=\"{}%\" width=\"{}%\" y=\"0\" height=\"14\"/>",
            outcome.class(),
            across(left),
            across(width)
        );
        left += width;
    }
    put!(out, "</svg>");
}

/// What the colours stand for: the outcomes that occur.
pub fn legend(tally: &Tally, out: &mut Markup) {
    put!(out, "<ul class=\"legend\">");
    for (outcome, n) in tally.parts() {
        key(outcome, &crate::figures::count(n), out);
    }
    put!(out, "</ul>\n");
}

fn key(outcome: Outcome, n: &str, out: &mut Markup) {
    put!(
        out,
        "<li><svg class=\"key\" width=\"12\" height=\"12\" aria-hidden=\"true\"><rect class=\"{}\" width=\"12\" height=\"12\"/></svg>{} {}</li>",
        outcome.class(),
        n,
        outcome.name()
    );
}

/// What the colours stand for, without figures.
pub fn keys(outcomes: &[Outcome], out: &mut Markup) {
    put!(out, "<ul class=\"legend\">");
    for outcome in outcomes {
        key(*outcome, "", out);
    }
    put!(out, "</ul>\n");
}
