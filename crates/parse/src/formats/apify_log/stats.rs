//! What crawlers say about the requests they handled, periodically and at their end.

use std::borrow::Cow;

use memchr::memmem;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::event::Body;
use super::figures::{Figures, Metrics, duration_ms, number};
use super::meaning::Said;
use super::table;
use crate::mark::{CrawlStage, Mark};
use crate::record::{Batch, Wants};
use crate::vocabulary::Class;

/// A line that ends with `request statistics:`, with figures as payload, as a box, or not at all.
pub(super) fn requests<'a>(said: Said<'_, 'a>, out: &mut Batch<'a>) -> Class {
    if out.wants == Wants::Records {
        return Class::Statistics;
    }
    let (crawler, stage) = head(said);
    if let Some(payload) = said.event.payload {
        let document = payload.decode();
        let stated = serde_json::from_str::<Stated<'_>>(&document).ok();
        stated.map(|stated| stated.figures()).unwrap_or_default().emit(stage, crawler, out);
    } else if said.event.body == Body::Table {
        let message = said.event.message;
        if let Some(lines) = message.lines() {
            table::figures(lines, out.wants).emit(stage, crawler, out);
        } else {
            table::figures(message.decode().lines().map(str::as_bytes), out.wants).emit(stage, crawler, out);
        }
    } else {
        Figures::default().emit(stage, crawler, out);
    }
    Class::Statistics
}

/// Crawler and stage. The periodic line names the crawler in its text, the final one in its logger.
///
/// ```text
/// line := ( crawler | "Crawler" | "Current" | "Final" | "Crawler final" ) " request statistics:"
/// ```
fn head<'a>(said: Said<'_, 'a>) -> (Cow<'a, str>, CrawlStage) {
    const WORDS: &[u8] = b" request statistics:";
    let name = said.line.strip_suffix(WORDS);
    // A line that is cut off inside its payload has that behind the words.
    let cut = || said.line.get(..memmem::find(said.line, WORDS)?);
    match name.filter(|name| name.len() < WORDS.len()).or_else(cut).unwrap_or_default() {
        b"Final" | b"Crawler final" => (said.crawler(), CrawlStage::Final),
        b"" | b"Current" | b"Crawler" => (said.crawler(), CrawlStage::Running),
        name => (said.text(name), CrawlStage::Running),
    }
}

/// Figures in JSON: the names of the SDK for JavaScript since 0.22, of those before, of Python.
#[derive(Deserialize)]
struct Stated<'j> {
    #[serde(borrow, rename = "requestsFinished", alias = "finished", alias = "requests_finished")]
    finished: Option<&'j RawValue>,
    #[serde(borrow, rename = "requestsFailed", alias = "failed", alias = "requests_failed")]
    failed: Option<&'j RawValue>,
    #[serde(borrow, rename = "requestsTotal", alias = "requests_total")]
    total: Option<&'j RawValue>,
    #[serde(borrow, rename = "retryHistogram", alias = "retry_histogram")]
    histogram: Option<&'j RawValue>,
    #[serde(borrow, rename = "requestAvgFinishedDurationMillis", alias = "avgDurationMillis")]
    average_finished: Option<&'j RawValue>,
    #[serde(borrow, rename = "requestAvgFailedDurationMillis")]
    average_failed: Option<&'j RawValue>,
    #[serde(
        borrow,
        rename = "requestsFinishedPerMinute",
        alias = "perMinute",
        alias = "requests_finished_per_minute"
    )]
    finished_per_minute: Option<&'j RawValue>,
    #[serde(borrow, rename = "requestsFailedPerMinute", alias = "requests_failed_per_minute")]
    failed_per_minute: Option<&'j RawValue>,
    #[serde(borrow, rename = "requestTotalDurationMillis")]
    total_duration: Option<&'j RawValue>,
    #[serde(borrow, rename = "crawlerRuntimeMillis")]
    runtime: Option<&'j RawValue>,
    #[serde(borrow)]
    request_avg_finished_duration: Option<&'j RawValue>,
    #[serde(borrow)]
    request_avg_failed_duration: Option<&'j RawValue>,
    #[serde(borrow)]
    request_total_duration: Option<&'j RawValue>,
    #[serde(borrow)]
    crawler_runtime: Option<&'j RawValue>,
}

impl<'j> Stated<'j> {
    fn figures(&self) -> Figures<'j> {
        Figures {
            finished: self.finished.and_then(count),
            failed: self.failed.and_then(count),
            total: self.total.and_then(count),
            histogram: self.histogram.map(RawValue::get),
            average_finished_ms: milliseconds(self.average_finished, self.request_avg_finished_duration),
            average_failed_ms: milliseconds(self.average_failed, self.request_avg_failed_duration),
            finished_per_minute: self.finished_per_minute.and_then(number),
            failed_per_minute: self.failed_per_minute.and_then(number),
            total_duration_ms: milliseconds(self.total_duration, self.request_total_duration),
            runtime_ms: milliseconds(self.runtime, self.crawler_runtime),
        }
    }
}

fn count(value: &RawValue) -> Option<u64> {
    value.get().parse().ok()
}

/// A duration in JavaScript's milliseconds or else in Python's notation, quoted or not.
fn milliseconds(ms: Option<&RawValue>, python: Option<&RawValue>) -> Option<f64> {
    ms.and_then(number).or_else(|| duration_ms(python?.get().trim_matches('"')))
}

/// `Finished! Total N requests: X succeeded, Y failed.`: the last word of a crawl.
pub(super) fn finished<'a>(said: Said<'_, 'a>, out: &mut Batch<'a>) -> Option<Class> {
    let rest = said.line.strip_prefix(b"Finished! Total ")?;
    if !rest.first()?.is_ascii_digit() {
        return None;
    }
    out.mark(Mark::Progress);
    out.mark(Mark::CrawlEnd);
    Some(Class::Statistics)
}

/// Counts of the errors of a crawl.
#[derive(Deserialize)]
struct Errors<'j> {
    #[serde(borrow, rename = "totalErrors")]
    total: Option<&'j RawValue>,
    #[serde(borrow, rename = "uniqueErrors")]
    unique: Option<&'j RawValue>,
}

/// `Error analysis: {"totalErrors":…,"uniqueErrors":…,"mostCommonErrors":[…]}`
pub(super) fn error_analysis<'a>(said: Said<'_, 'a>, out: &mut Batch<'a>) -> Option<Class> {
    let rest = said.line.strip_prefix(b"Error analysis:")?.trim_ascii_start();
    if !(rest.is_empty() || rest.starts_with(b"{")) {
        return None;
    }
    out.mark(Mark::Progress);
    if let Some(mut metrics) = Metrics::wanted(said.crawler(), out)
        && let Some(payload) = said.event.payload
        && let Ok(errors) = serde_json::from_str::<Errors<'_>>(&payload.decode())
    {
        metrics.add("errors_total", errors.total.and_then(number), "count");
        metrics.add("errors_unique", errors.unique.and_then(number), "count");
    }
    Some(Class::Statistics)
}

#[cfg(test)]
#[path = "stats_tests.rs"]
mod tests;
