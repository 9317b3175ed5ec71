//! A crawler's figures about its requests, and the marks they become.
//!
//! Owns what the figures mean; how they are written is in [`super::stats`] (JSON) and
//! [`super::table`] (boxes). Averages over nothing are infinite and print as `null` or `None`.

use std::borrow::Cow;

use crate::mark::{CrawlStage, CrawlStats, Mark, Metric};
use crate::record::{Batch, Wants};

/// Entries of a retry histogram that become metrics.
const MAX_HISTOGRAM_METRICS: usize = 64;

/// Figures as one statistic states them.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Figures<'t> {
    /// Requests handled well.
    pub finished: Option<u64>,
    /// Requests given up.
    pub failed: Option<u64>,
    /// Requests done with.
    pub total: Option<u64>,
    /// Requests by the number of retries they needed, as it is written: `[929, null, 4]`.
    pub histogram: Option<&'t str>,
    /// Mean duration of the last attempt of a finished request.
    pub average_finished_ms: Option<f64>,
    /// Mean duration of the last attempt of a failed request.
    pub average_failed_ms: Option<f64>,
    /// Requests handled well, per minute of the crawler's time.
    pub finished_per_minute: Option<f64>,
    /// Requests given up, per minute of the crawler's time.
    pub failed_per_minute: Option<f64>,
    /// Durations of the last attempts, summed over concurrent requests.
    pub total_duration_ms: Option<f64>,
    /// The crawler's time.
    pub runtime_ms: Option<f64>,
}

impl Figures<'_> {
    /// Attaches the figures to the record that is pushed next.
    pub(super) fn emit<'a>(&self, stage: CrawlStage, crawler: Cow<'a, str>, out: &mut Batch<'a>) {
        out.mark(Mark::Progress);
        out.mark(Mark::CrawlStats(self.crawl_stats(stage)));
        if out.wants == Wants::Everything {
            self.metrics(&crawler, out);
        }
    }

    fn crawl_stats(&self, stage: CrawlStage) -> CrawlStats {
        let mut stats =
            CrawlStats { finished: self.finished, failed: self.failed, stage, ..CrawlStats::default() };
        let Some(entries) = self.histogram.and_then(histogram) else { return stats };
        let (mut retried, mut retries, mut counted) = (0_u64, 0_u64, 0_u64);
        for (needed, requests) in (0_u64..).zip(entries) {
            let Some(requests) = requests else { return stats };
            counted = counted.saturating_add(requests);
            retries = retries.saturating_add(requests.saturating_mul(needed));
            retried = retried.saturating_add(if needed > 0 { requests } else { 0 });
        }
        stats.retried = Some(retried);
        stats.retries = Some(retries);
        stats.counted = Some(counted);
        stats
    }

    fn metrics<'a>(&self, crawler: &Cow<'a, str>, out: &mut Batch<'a>) {
        let count = |value: Option<u64>| value.map(|value| value as f64);
        let all = [
            ("requests_finished", count(self.finished), "requests"),
            ("requests_failed", count(self.failed), "requests"),
            ("requests_total", count(self.total), "requests"),
            ("request_avg_finished_ms", self.average_finished_ms, "ms"),
            ("request_avg_failed_ms", self.average_failed_ms, "ms"),
            ("requests_finished_per_minute", self.finished_per_minute, "1/min"),
            ("requests_failed_per_minute", self.failed_per_minute, "1/min"),
            ("request_total_duration_ms", self.total_duration_ms, "ms"),
            ("crawler_runtime_ms", self.runtime_ms, "ms"),
        ];
        for (name, value, unit) in all {
            metric(name, value, unit, crawler, out);
        }
        let entries = self.histogram.and_then(histogram);
        for (needed, requests) in entries.into_iter().flatten().take(MAX_HISTOGRAM_METRICS).enumerate() {
            metric("retry_histogram", count(requests), "requests", &Cow::Owned(needed.to_string()), out);
        }
    }
}

/// Attaches a value, if there is one.
pub(super) fn metric<'a>(
    name: &'static str,
    value: Option<f64>,
    unit: &'static str,
    label: &Cow<'a, str>,
    out: &mut Batch<'a>,
) {
    if let Some(value) = value.filter(|value| value.is_finite()) {
        out.mark(Mark::Metric(Metric { name: Cow::Borrowed(name), value, unit, label: label.clone() }));
    }
}

/// The entries of `[929, 57, null]`. JavaScript's array is sparse and prints its holes as `null`, which
/// count nothing; an entry that is no whole number is `None`.
fn histogram(text: &str) -> Option<impl Iterator<Item = Option<u64>>> {
    let inside = text.trim().strip_prefix('[')?.strip_suffix(']')?.trim();
    let entries = inside.split(',').map(|entry| match entry.trim() {
        "null" | "None" => Some(0),
        entry => entry.parse().ok(),
    });
    Some(entries.take(if inside.is_empty() { 0 } else { usize::MAX }))
}

/// A duration as Python writes it, in milliseconds.
///
/// ```text
/// duration := seconds | { number unit }       unit := "h" "min" "s" "ms" "μs"
/// ```
/// Seconds without a unit are how the crawlers before 1.0 write it.
pub(super) fn duration_ms(text: &str) -> Option<f64> {
    if let Some(seconds) = decimal(text) {
        return Some(seconds * 1000.0);
    }
    let mut sum = None;
    for part in text.split_ascii_whitespace() {
        let at = part.find(|c: char| !(c.is_ascii_digit() || c == '.'))?;
        let (number, unit) = part.split_at_checked(at)?;
        let unit_ms = match unit {
            "h" => 3_600_000.0,
            "min" => 60_000.0,
            "s" => 1000.0,
            "ms" => 1.0,
            "μs" | "µs" | "us" => 0.001,
            _ => return None,
        };
        sum = Some(sum.unwrap_or(0.0) + decimal(number)? * unit_ms);
    }
    sum
}

/// A number in digits, with a point or an exponent; not `inf`, `nan` or `+1`.
pub(super) fn decimal(text: &str) -> Option<f64> {
    text.starts_with(|c: char| c.is_ascii_digit() || c == '-').then(|| text.parse().ok()).flatten()
}
