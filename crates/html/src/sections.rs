//! The parts of the page, in their order.

use crate::Page;
use crate::figures::{counted, size};
use crate::markup::{Markup, put};
use crate::view::View;

mod connectors;
mod errors;
mod metrics;
mod outcomes;
mod runs;
mod spread;
mod steps;
mod unread;
mod waterfall;

/// A part of the page.
pub struct Section {
    /// What links lead to.
    pub id: &'static str,
    /// Its heading.
    pub title: &'static str,
    /// What stands in it; nothing where there is nothing to show.
    pub body: Markup,
    /// Why there would be nothing, as the end of a sentence.
    pub why_empty: &'static str,
}

type Fill = fn(&View<'_>, &mut Markup);

/// Every part: its id, heading, what fills it, and why there would be nothing.
const ALL: &[(&str, &str, Fill, &str)] = &[
    ("outcomes", "Outcomes", outcomes::headline, "there are no runs"),
    ("over-time", "Over time", outcomes::over_time, "no runs with a start in different buckets of time"),
    ("durations", "Durations", spread::section, "no complete run has a duration"),
    ("steps", "Where the time goes", steps::section, "no run has steps"),
    ("typical", "Typical runs", waterfall::typical, "no run with steps has a duration"),
    ("slowest", "Slowest runs", waterfall::slowest, "no run with steps has a duration"),
    ("connectors", "Connectors", connectors::section, "no step names a connector"),
    ("errors", "Errors", errors::section, "no event is an error or a retry"),
    ("metrics", "Metrics", metrics::section, "no log states any"),
    ("runs", "Runs", runs::section, "there are none"),
    ("unread", "Incomplete and unread", unread::section, "everything was read, and nothing is missing"),
];

/// All parts.
pub fn all(view: &View<'_>) -> Vec<Section> {
    let section = |&(id, title, fill, why_empty): &(&'static str, &'static str, Fill, &'static str)| {
        let mut body = Markup::default();
        fill(view, &mut body);
        Section { id, title, body, why_empty }
    };
    ALL.iter().map(section).collect()
}

/// Heading, what was read, and when it was.
pub fn banner(view: &View<'_>, about: &Page<'_>, out: &mut Markup) {
    let report = view.report;
    put!(out, "<header><h1>{}</h1>\n", about.title);
    let first = report.runs.iter().filter_map(|run| run.started_at).min();
    let last = report.runs.iter().filter_map(|run| run.stopped_at.or(run.started_at)).max();
    if let (Some(first), Some(last)) = (first, last) {
        let (first, last) = (view.clock.minute(first), view.clock.minute(last));
        put!(out, "<p class=\"about\">{} to {}, {}", first, last, about.buckets.zone.name());
    } else {
        put!(out, "<p class=\"about\">No instants known");
    }
    let sum =
        |figure: fn(&logmill_analyze::model::FileRow) -> u64| report.files.iter().map(figure).sum::<u64>();
    put!(
        out,
        " · {}, {}, {}, {}</p>\n",
        counted(report.files.len() as u64, ("file", "files")),
        size(sum(|file| file.bytes) as f64),
        counted(sum(|file| file.n_lines), ("line", "lines")),
        counted(sum(|file| file.n_events), ("event", "events"))
    );
    if !about.options.is_empty() {
        put!(out, "<p class=\"about\">Asked for:");
        for (name, value) in &about.options {
            put!(out, " <code>--{} {}</code>", name, value);
        }
        put!(out, "</p>\n");
    }
    put!(out, "</header>\n");
    patterns(out);
}

/// Hatchings that several drawings use.
fn patterns(out: &mut Markup) {
    put!(
        out,
        "<svg width=\"0\" height=\"0\" aria-hidden=\"true\"><defs><pattern id=\"hatch\" width=\"5\" height=\"5\" patternUnits=\"userSpaceOnUse\" patternTransform=\"rotate(45)\"><rect class=\"hatch-bg\" width=\"5\" height=\"5\"/><line class=\"hatch-line\" x1=\"1.5\" x2=\"1.5\" y1=\"0\" y2=\"5\"/></pattern><pattern id=\"gap\" width=\"6\" height=\"6\" patternUnits=\"userSpaceOnUse\" patternTransform=\"rotate(45)\"><line class=\"gap-line\" x1=\"1\" x2=\"1\" y1=\"0\" y2=\"6\"/></pattern></defs></svg>\n"
    );
}

/// What the words mean, and what made the page.
pub fn footer(about: &Page<'_>, out: &mut Markup) {
    put!(
        out,
        "<footer><p><b>Failure rate</b>: runs that failed or timed out, over those and the ones that succeeded; what was aborted, skipped, is running or unknown is in neither. \
         <b>Error rate</b>: errors over events; what is retried is no error. \
         <b>95&#160;% interval</b>: Wilson score interval. \
         <b>p50, p95</b>: nearest-rank percentiles of complete runs with a known end. \
         A run belongs to the bucket of time it started in.</p>\n<p>Made by logmill {}. This file loads nothing and sends nothing.</p></footer>\n",
        about.version
    );
}
