//! A crawler's figures about its requests, and the marks they become.
//!
//! Owns what the figures mean; how they are written is in [`super::stats`] (JSON) and
//! [`super::table`] (boxes). Averages over nothing are infinite and print as `null` or `None`.

use std::borrow::Cow;

use serde_json::value::RawValue;

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
        if stage == CrawlStage::Final {
            out.mark(Mark::Progress);
        }
        out.mark(Mark::CrawlStats(self.crawl_stats(stage)));
        if let Some(mut metrics) = Metrics::wanted(crawler, out) {
            self.metrics(&mut metrics);
        }
    }

    fn crawl_stats(&self, stage: CrawlStage) -> CrawlStats {
        let mut stats =
            CrawlStats { finished: self.finished, failed: self.failed, stage, ..CrawlStats::default() };
        let Some(entries) = self.histogram.and_then(histogram) else { return stats };
        let (mut counted, mut retries, mut again) = (0_u64, 0_u64, 0_u64);
        for (needed, requests) in (0_u64..).zip(entries) {
            let Some(requests) = requests else { return stats };
            counted = counted.saturating_add(requests);
            retries = retries.saturating_add(requests.saturating_mul(needed));
            again = again.saturating_add(if needed > 0 { requests } else { 0 });
        }
        stats.retried = Some(again);
        stats.retries = Some(retries);
        stats.counted = Some(counted);
        stats
    }

    fn metrics(&self, metrics: &mut Metrics<'_, '_>) {
        let count = |value: Option<u64>| value.map(|value| value as f64);
        metrics.add("requests_finished", count(self.finished), "requests");
        metrics.add("requests_failed", count(self.failed), "requests");
        metrics.add("requests_total", count(self.total), "requests");
        metrics.add("request_avg_finished_ms", self.average_finished_ms, "ms");
        metrics.add("request_avg_failed_ms", self.average_failed_ms, "ms");
        metrics.add("requests_finished_per_minute", self.finished_per_minute, "1/min");
        metrics.add("requests_failed_per_minute", self.failed_per_minute, "1/min");
        metrics.add("request_total_duration_ms", self.total_duration_ms, "ms");
        metrics.add("crawler_runtime_ms", self.runtime_ms, "ms");
        let entries = self.histogram.and_then(histogram).into_iter().flatten();
        for (needed, requests) in entries.take(MAX_HISTOGRAM_METRICS).enumerate() {
            metrics.label = Cow::Owned(needed.to_string());
            metrics.add("retry_histogram", count(requests), "requests");
        }
    }
}

/// Takes the values that one line states.
#[derive(Debug)]
pub(super) struct Metrics<'o, 'a> {
    /// Whose values they are.
    label: Cow<'a, str>,
    out: &'o mut Batch<'a>,
}

impl<'o, 'a> Metrics<'o, 'a> {
    /// Takes values, if somebody wants them.
    pub(super) fn wanted(label: Cow<'a, str>, out: &'o mut Batch<'a>) -> Option<Self> {
        (out.wants == Wants::Everything).then_some(Self { label, out })
    }

    /// Attaches a value to the record that is pushed next, if there is one.
    pub(super) fn add(&mut self, name: &'static str, value: Option<f64>, unit: &'static str) {
        if let Some(value) = value.filter(|value| value.is_finite()) {
            let label = self.label.clone();
            self.out.mark(Mark::Metric(Metric { name: Cow::Borrowed(name), value, unit, label }));
        }
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
        return Some(to_nanosecond(seconds * 1000.0));
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
    sum.map(to_nanosecond)
}

/// Milliseconds without what the change of unit added: `0.010014` seconds are 10.014 of them.
fn to_nanosecond(ms: f64) -> f64 {
    (ms * 1e6).round() / 1e6
}

/// A JSON number.
pub(super) fn number(value: &RawValue) -> Option<f64> {
    decimal(value.get())
}

/// A number in digits, with a point or an exponent; not `inf`, `nan` or `+1`.
pub(super) fn decimal(text: &str) -> Option<f64> {
    text.starts_with(|c: char| c.is_ascii_digit() || c == '-').then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, retried_retries_counted: Option<(u64, u64, u64)>) {
        let stats = Figures { histogram: Some(text), ..Figures::default() }.crawl_stats(CrawlStage::Final);
        let found = stats.retried.zip(stats.retries).zip(stats.counted).map(|((a, b), c)| (a, b, c));
        assert_eq!(found, retried_retries_counted, "{text}");
    }

    #[test]
    fn histograms() {
        check("[]", Some((0, 0, 0)));
        check("[0]", Some((0, 0, 0)));
        check("[58,7]", Some((7, 7, 65)));
        check("[929,57,4]", Some((61, 65, 990)));
        check("[929, 57, 4]", Some((61, 65, 990)));
        check("[null,null,null,1]", Some((1, 3, 1)));
        check("[5,null,1]", Some((1, 2, 6)));
        check("[18446744073709551615,18446744073709551615,9]", Some((u64::MAX, u64::MAX, u64::MAX)));
        for text in
            ["", "[", "5", "[1, 2, ...", "[1, 2, ...]", "[-1]", "[1.5]", "[[1],2]", "[1,]", "null", "[1e3]"]
        {
            check(text, None);
        }
        check(&format!("[1{}]", ",1".repeat(100_000)), Some((100_000, 5_000_050_000, 100_001)));
    }

    #[track_caller]
    fn check_duration(text: &str, ms: Option<f64>) {
        let found = duration_ms(text);
        let is_equal = match (found, ms) {
            (Some(found), Some(ms)) => (found - ms).abs() < 1e-6,
            (found, ms) => found.is_none() && ms.is_none(),
        };
        assert!(is_equal, "{text}: {found:?}");
    }

    #[test]
    fn durations() {
        check_duration("0.76266", Some(762.66));
        check_duration("60.036887", Some(60_036.887));
        check_duration("0.0", Some(0.0));
        check_duration("0s", Some(0.0));
        check_duration("42.7ms", Some(42.7));
        check_duration("812.0μs", Some(0.812));
        check_duration("812.0\u{b5}s", Some(0.812));
        check_duration("1.23s", Some(1230.0));
        check_duration("2min 3.4s", Some(123_400.0));
        check_duration("1h 2min 3.0s", Some(3_723_000.0));
        for text in ["None", "", "...", "0.3089...", "1.2.3s", "5 parsecs", "inf", "NaN", "s", "é"] {
            check_duration(text, None);
        }
    }
}
