//! Statistics, pool states and overload warnings.

use super::super::log::{Log, event, more};
use super::{Crawl, Generation, STATISTICS_EVERY_MS, Stage, python_logger};
use crate::put::{Put, Thousandths, put};
use crate::truth::{TruthClass, TruthLevel};

impl Crawl {
    /// Statistics, pool state and overload warnings that fall due before `due`.
    pub(super) fn periodic(&mut self, log: &mut Log<'_>, due: u64) {
        while self.next_statistics <= due {
            log.advance_to(self.next_statistics);
            self.next_statistics += STATISTICS_EVERY_MS;
            self.statistics(log, Stage::Running);
            log.now += log.rng.range(4, 90);
            self.pool(log);
        }
        if self.browser && self.next_overload <= due && log.rng.chance(12) {
            self.next_overload = log.now + 10_000;
            self.overload(log);
        }
    }

    fn overload(&mut self, log: &mut Log<'_>) {
        let used = log.rng.range(985, 1100);
        let template = "Memory is critically overloaded. Using {} MB of {} MB ({}%). Consider increasing available memory.";
        log.open(TruthLevel::Warn, TruthClass::Overload);
        if self.generation == Generation::Python {
            put!(log.out, "[crawlee._autoscaling.snapshotter] WARN  ");
        } else {
            put!(log.out, "WARN  ", self.crawler, ":AutoscaledPool:Snapshotter: ");
        }
        put!(
            log.out,
            "Memory is critically overloaded. Using ",
            used,
            " MB of 1024 MB (",
            used * 100 / 1024,
            "%). Consider increasing available memory."
        );
        log.close();
        log.template(template, TruthLevel::Warn, TruthClass::Overload);
    }

    pub(super) fn pool(&mut self, log: &mut Log<'_>) {
        self.concurrency = (self.concurrency + log.rng.below(5)).saturating_sub(2).clamp(1, 40);
        let current = self.concurrency.min(self.total).saturating_sub(log.rng.below(2));
        let [memory, event_loop, cpu] = [80, 90, 450].map(|most| log.rng.below(most));
        if self.generation == Generation::Python {
            event!(
                log,
                Info,
                Statistics,
                "[crawlee._autoscaling.autoscaled_pool] INFO  current_concurrency = ",
                current,
                "; desired_concurrency = ",
                self.concurrency,
                "; cpu = ",
                Thousandths(cpu),
                "; mem = 0.0; event_loop = ",
                Thousandths(event_loop),
                "; client_info = 0.0"
            );
        } else {
            event!(
                log,
                Info,
                Statistics,
                "INFO  ",
                self.crawler,
                ":AutoscaledPool: state {\"currentConcurrency\":",
                current,
                ",\"desiredConcurrency\":",
                self.concurrency,
                ",\"systemStatus\":{\"isSystemIdle\":",
                cpu < 400,
                ",\"memInfo\":{\"isOverloaded\":false,\"limitRatio\":0.2,\"actualRatio\":",
                Thousandths(memory),
                "},\"eventLoopInfo\":{\"isOverloaded\":false,\"limitRatio\":0.6,\"actualRatio\":",
                Thousandths(event_loop),
                "},\"cpuInfo\":{\"isOverloaded\":",
                cpu >= 400,
                ",\"limitRatio\":0.4,\"actualRatio\":",
                Thousandths(cpu),
                "},\"clientInfo\":{\"isOverloaded\":false,\"limitRatio\":0.3,\"actualRatio\":0}}}"
            );
        }
    }

    pub(super) fn statistics(&self, log: &mut Log<'_>, stage: Stage) {
        let last = stage == Stage::Final;
        if self.generation == Generation::Python {
            self.table(log, if last { "Final" } else { "Current" });
            return;
        }
        log.open(TruthLevel::Info, TruthClass::Statistics);
        let crawler = self.crawler;
        match (self.generation, last) {
            (_, true) => put!(
                log.out,
                "INFO  ",
                crawler,
                ": Final request statistics: {\"requestsFinished\":",
                self.finished,
                ",\"requestsFailed\":",
                self.failed,
                ","
            ),
            (Generation::Sdk2, false) => {
                put!(log.out, "INFO  Statistics: ", crawler, " request statistics: {");
            }
            (_, false) => {
                put!(log.out, "INFO  ", crawler, ":Statistics: ", crawler, " request statistics: {");
            }
        }
        if last {
            self.histogram_json(log.out);
            log.out.push(b',');
        }
        let runtime = log.now.saturating_sub(self.started).max(1);
        put!(
            log.out,
            "\"requestAvgFailedDurationMillis\":",
            average(self.failed_ms, self.failed),
            ",\"requestAvgFinishedDurationMillis\":",
            average(self.finished_ms, self.finished),
            ",\"requestsFinishedPerMinute\":",
            (self.finished * 60_000 + runtime / 2) / runtime,
            ",\"requestsFailedPerMinute\":",
            self.failed * 60_000 / runtime,
            ",\"requestTotalDurationMillis\":",
            self.finished_ms + self.failed_ms,
            ",\"requestsTotal\":",
            self.finished + self.failed,
            ",\"crawlerRuntimeMillis\":",
            runtime
        );
        if !last {
            log.out.push(b',');
            self.histogram_json(log.out);
        }
        log.out.push(b'}');
        log.close();
        if last {
            log.progress();
        } else {
            log.resume();
        }
    }

    /// JavaScript's array is sparse: a number of retries nobody needed is `null`.
    fn histogram_json(&self, out: &mut Vec<u8>) {
        put!(out, "\"retryHistogram\":[");
        let used = self.histogram.iter().rposition(|&count| count > 0).map_or(0, |last| last + 1);
        for (index, &count) in self.histogram[..used].iter().enumerate() {
            put!(out, if index > 0 { "," } else { "" }, Some(count).filter(|&count| count > 0));
        }
        out.push(b']');
    }

    /// Python's box: its histogram is dense.
    pub(super) fn table(&self, log: &mut Log<'_>, which: &str) {
        event!(
            log,
            Info,
            Statistics,
            "[",
            python_logger(self.crawler),
            "] INFO  ",
            which,
            " request statistics:"
        );
        if which == "Final" {
            log.progress();
        } else {
            log.resume();
        }
        let runtime = log.now.saturating_sub(self.started);
        let used = self.histogram.iter().rposition(|&count| count > 0).map_or(1, |last| last + 1);
        let histogram: Vec<String> = self.histogram[..used].iter().map(ToString::to_string).collect();
        let minute = |count: u64| (count * 60_000).checked_div(runtime).unwrap_or(0).to_string();
        let mean = |sum: u64, count: u64| average(sum, count).map_or_else(|| "None".to_owned(), seconds);
        let rows = [
            ("requests_finished", self.finished.to_string()),
            ("requests_failed", self.failed.to_string()),
            ("retry_histogram", format!("[{}]", histogram.join(", "))),
            ("request_avg_failed_duration", mean(self.failed_ms, self.failed)),
            ("request_avg_finished_duration", mean(self.finished_ms, self.finished)),
            ("requests_finished_per_minute", minute(self.finished)),
            ("requests_failed_per_minute", minute(self.failed)),
            ("request_total_duration", seconds(self.finished_ms + self.failed_ms)),
            ("requests_total", (self.finished + self.failed).to_string()),
            ("crawler_runtime", seconds(runtime)),
        ];
        let width = rows.iter().map(|(_, value)| value.len()).max().unwrap_or(0);
        let rule = "─".repeat(width + 2);
        more!(log, "┌───────────────────────────────┬", rule, "┐");
        for (name, value) in rows {
            more!(
                log,
                "│ ",
                name,
                &"                             "[name.len()..],
                " │ ",
                value,
                " ".repeat(width - value.len()),
                " │"
            );
        }
        more!(log, "└───────────────────────────────┴", rule, "┘");
    }

    pub(super) fn finished_line(&self, log: &mut Log<'_>) {
        if self.failed > 0 {
            event!(
                log,
                Info,
                Statistics,
                "INFO  ",
                self.crawler,
                ": Error analysis: {\"totalErrors\":",
                self.failed,
                ",\"uniqueErrors\":1,\"mostCommonErrors\":[\"",
                self.failed,
                "x: Request blocked - received 403 status code. (file:///usr/src/app/dist/src/routes.js:277:15)\"]}"
            );
        }
        event!(
            log,
            Info,
            Statistics,
            "INFO  ",
            self.crawler,
            ": Finished! Total ",
            self.finished + self.failed,
            " requests: ",
            self.finished,
            " succeeded, ",
            self.failed,
            " failed. {\"terminal\":true}"
        );
        log.progress();
    }
}

/// Mean in whole milliseconds; a crawler's mean over nothing is infinite and prints as `null`.
fn average(sum: u64, count: u64) -> Option<u64> {
    (sum + count / 2).checked_div(count)
}

/// Milliseconds as the bare seconds of older Python crawlers.
fn seconds(ms: u64) -> String {
    let mut out = Vec::new();
    Thousandths(ms).put(&mut out);
    if ms.is_multiple_of(1000) {
        out.extend_from_slice(b".0");
    }
    String::from_utf8_lossy(&out).into_owned()
}
