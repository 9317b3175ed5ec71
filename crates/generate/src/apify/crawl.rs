//! Crawls: requests that are handled, retried and given up, and the statistics crawlers print
//! about them. What the statistics say and what the lines show is the same thing.

use std::collections::VecDeque;

use super::log::{Log, event, more};
use crate::put::{Hundredths, Put, Thousandths, put};
use crate::rng::{ALPHANUMERIC, Rng, Token};
use crate::truth::{TruthClass, TruthLevel};
use crate::words::{FRAMES, OLD_FRAMES, PRINTS, SITES, Site, THROWN, TIMEOUTS, TITLES, TRANSPORT};

/// Retries before a request is given up.
const MAX_RETRIES: usize = 3;
/// Crawlers print their figures once a minute.
const STATISTICS_EVERY_MS: u64 = 60_000;

/// Which generation of crawlers writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Generation {
    /// SDK 1 and 2: a retry is an ERROR.
    Sdk2,
    /// crawlee 3: a retry is a WARN.
    Crawlee3,
    /// crawlee for Python: tables.
    Python,
}

/// One request.
#[derive(Debug, Clone, Copy)]
struct Request {
    id: Token<15>,
    site: Site,
    number: u64,
    retries: usize,
}

impl Put for Request {
    fn put(&self, out: &mut Vec<u8>) {
        put!(out, self.site.origin, self.site.item, self.number, self.site.tail);
    }
}

/// One crawl.
#[derive(Debug)]
pub struct Crawl {
    generation: Generation,
    crawler: &'static str,
    site: Site,
    total: u64,
    started: u64,
    pace_ms: u64,
    trouble: u64,
    chatty: bool,
    browser: bool,
    mute: bool,
    next_statistics: u64,
    next_overload: u64,
    drawn: u64,
    pending: VecDeque<Request>,
    retried_finished: u64,
    histogram: [u64; MAX_RETRIES + 1],
    finished: u64,
    failed: u64,
    finished_ms: u64,
    failed_ms: u64,
    concurrency: u64,
}

impl Crawl {
    /// A crawl of `total` requests by `crawler`.
    pub fn new(generation: Generation, crawler: &'static str, total: u64, log: &mut Log<'_>) -> Self {
        let rng = &mut log.rng;
        let browser = crawler.starts_with('P');
        Self {
            generation,
            crawler,
            site: rng.pick(SITES),
            total,
            started: 0,
            pace_ms: if browser { rng.range(700, 2500) } else { rng.range(60, 700) },
            trouble: rng.pick(&[0, 4, 10, 15, 30, 60, 150]),
            chatty: rng.chance(120),
            browser,
            mute: false,
            next_statistics: 0,
            next_overload: 0,
            drawn: rng.range(1_000, 9_000_000),
            pending: VecDeque::new(),
            retried_finished: 0,
            histogram: [0; MAX_RETRIES + 1],
            finished: 0,
            failed: 0,
            finished_ms: 0,
            failed_ms: 0,
            concurrency: rng.range(2, 12),
        }
    }

    /// A relayed child prints no event of several lines.
    pub fn single_lines(mut self) -> Self {
        self.mute = true;
        self
    }

    /// Every request fails.
    pub fn hopeless(mut self) -> Self {
        self.trouble = 1000;
        self
    }

    /// Starts the clock of the crawl, or goes on with it in a new segment.
    pub fn start(&mut self, log: &mut Log<'_>) {
        let crawler = self.crawler;
        match self.generation {
            Generation::Crawlee3 => event!(log, Info, Plain, "INFO  ", crawler, ": Starting the crawler."),
            Generation::Sdk2 => {
                event!(log, Info, Plain, "INFO  ", crawler, ": Starting the crawl of ", self.site.origin);
            }
            Generation::Python => {}
        }
        if self.started == 0 {
            self.started = log.now;
        }
        self.next_statistics = log.now + STATISTICS_EVERY_MS;
        if self.generation == Generation::Python {
            self.table(log, "Current");
            self.pool(log);
        }
    }

    /// Handles requests until `share` percent of them are done.
    pub fn work(&mut self, log: &mut Log<'_>, share: u64) {
        let until = self.total * share / 100;
        while self.finished + self.failed < until {
            let due = log.now + log.rng.about(self.pace_ms);
            self.periodic(log, due);
            log.advance_to(due);
            let again = !self.pending.is_empty()
                && (self.drawn_all() || log.rng.chance(300 + 100 * u64::from(self.pending.len() > 4)));
            let request = match self.pending.pop_front() {
                Some(request) if again => request,
                other => {
                    self.pending.extend(other);
                    self.pending.rotate_right(usize::from(other.is_some()));
                    self.draw(&mut log.rng)
                }
            };
            self.attempt(log, request);
        }
    }

    fn drawn_all(&self) -> bool {
        let waiting = u64::try_from(self.pending.len()).unwrap_or(0);
        self.finished + self.failed + waiting >= self.total
    }

    fn draw(&mut self, rng: &mut Rng) -> Request {
        self.drawn += 1 + rng.below(7);
        Request { id: rng.token(ALPHANUMERIC), site: self.site, number: self.drawn, retries: 0 }
    }

    fn attempt(&mut self, log: &mut Log<'_>, request: Request) {
        let took = 200 + log.rng.about(self.pace_ms * self.concurrency);
        let fails = log.rng.chance(if request.retries == 0 { self.trouble } else { 250.max(self.trouble) });
        if !fails {
            self.finished += 1;
            self.finished_ms += took;
            self.histogram[request.retries] += 1;
            self.retried_finished += u64::from(request.retries > 0);
            self.handled(log, &request);
        } else if request.retries < MAX_RETRIES {
            let request = Request { retries: request.retries + 1, ..request };
            self.retry(log, &request);
            self.pending.push_back(request);
        } else {
            self.failed += 1;
            self.failed_ms += took;
            self.histogram[request.retries] += 1;
            log.truth.requests_lost += 1;
            self.give_up(log, &request);
        }
    }

    /// The lines of a request that went well.
    fn handled(&mut self, log: &mut Log<'_>, request: &Request) {
        let crawler = self.crawler;
        if self.generation == Generation::Python {
            event!(log, Info, Plain, "[", python_logger(crawler), "] INFO  Processing ", request, " ...");
            return;
        }
        match log.rng.weighted(&[40, 25, 10, 8, 5, 3, 1]) {
            0 => {
                let title = log.rng.pick(TITLES);
                let price = log.rng.range(199, 250_000);
                event!(
                    log,
                    Info,
                    Plain,
                    "INFO  ",
                    crawler,
                    ": Scraped ",
                    request.site.noun,
                    " {\"url\":\"",
                    request,
                    "\",\"title\":\"",
                    title,
                    "\",\"price\":",
                    Hundredths(price),
                    ",\"inStock\":",
                    price % 3 > 0,
                    "}"
                );
            }
            1 => event!(
                log,
                Info,
                Plain,
                "INFO  [",
                request.site.noun,
                "] Enqueued ",
                log.rng.range(2, 60),
                " links --- ",
                request
            ),
            2 => event!(log, None, Plain, log.rng.pick(PRINTS)),
            3 => {
                event!(
                    log,
                    Info,
                    Status,
                    "INFO  [Status message]: Scraped ",
                    self.finished,
                    "/",
                    self.total,
                    " pages."
                );
            }
            4 if self.chatty => event!(
                log,
                Debug,
                Plain,
                "DEBUG ",
                crawler,
                ": Crawled ",
                self.finished + self.failed,
                "/",
                self.total,
                " pages, ",
                self.failed,
                " failed requests, desired concurrency ",
                self.concurrency,
                "."
            ),
            4 => {
                event!(log, None, Plain, "Saved ", request.site.noun, " ", request.number, " to the dataset")
            }
            5 if !self.mute => {
                event!(log, None, Plain, "Item ", request.number, " has several variants:");
                for variant in 0..log.rng.range(2, 4) {
                    more!(
                        log,
                        "  - variant ",
                        variant + 1,
                        ": ",
                        Hundredths(log.rng.range(99, 9_999)),
                        " EUR"
                    );
                }
            }
            5 => event!(log, None, Plain, "Item ", request.number, " has several variants"),
            _ => {
                let level = TruthLevel::Warn;
                event!(
                    log,
                    Warn,
                    Plain,
                    "WARN  The ",
                    request.site.noun,
                    " has no description --- ",
                    request
                );
                log.template("The {} has no description --- {}", level, TruthClass::Plain);
            }
        }
    }

    fn retry(&mut self, log: &mut Log<'_>, request: &Request) {
        match self.generation {
            Generation::Crawlee3 => self.retry_crawlee3(log, request),
            Generation::Sdk2 => self.retry_sdk2(log, request),
            Generation::Python => self.retry_python(log, request),
        }
    }

    /// The three places a payload stands in, and Playwright's call log before two of them.
    fn retry_crawlee3(&mut self, log: &mut Log<'_>, request: &Request) {
        let shape =
            if self.mute { 0 } else { log.rng.weighted(&[3, 5, 4, if self.browser { 8 } else { 0 }]) };
        let (message, template) = match shape {
            0 => log.rng.pick(TIMEOUTS),
            1 => log.rng.pick(TRANSPORT),
            2 => log.rng.pick(THROWN),
            _ => (
                "page.waitForSelector: Timeout 30000ms exceeded.",
                "Reclaiming failed request back to the list or queue. page.waitForSelector: Timeout {}ms exceeded.",
            ),
        };
        log.open(TruthLevel::Warn, TruthClass::Retry);
        log.template(template, TruthLevel::Warn, TruthClass::Retry);
        put!(
            log.out,
            "WARN  ",
            self.crawler,
            ": Reclaiming failed request back to the list or queue. ",
            message
        );
        match shape {
            0 => log.out.push(b' '),
            1 => {
                log.close();
                more_open(log, " ");
            }
            2 => {
                log.close();
                more_open(log, "    ");
                put!(log.out, log.rng.pick(FRAMES), " ");
            }
            _ => {
                log.close();
                call_log(log);
                if log.rng.chance(300) {
                    log.blank_inside();
                    more_open(log, " ");
                } else {
                    more_open(log, "    ");
                    put!(log.out, log.rng.pick(FRAMES), " ");
                }
            }
        }
        retry_payload(log.out, request);
        log.close();
    }

    fn retry_sdk2(&mut self, log: &mut Log<'_>, request: &Request) {
        event!(
            log,
            Error,
            Retry,
            "ERROR ",
            self.crawler,
            ": handleRequestFunction failed, reclaiming failed request back to the list or queue {\"url\":\"",
            request,
            "\",\"retryCount\":",
            request.retries,
            ",\"id\":\"",
            request.id,
            "\"}"
        );
        log.template(
            "handleRequestFunction failed, reclaiming failed request back to the list or queue",
            TruthLevel::Error,
            TruthClass::Retry,
        );
        exception(log);
    }

    fn retry_python(&mut self, log: &mut Log<'_>, request: &Request) {
        let logger = python_logger(self.crawler);
        if self.browser {
            event!(
                log,
                Warn,
                Retry,
                "[",
                logger,
                "] WARN  Retrying request to ",
                request,
                " due to: Page.goto: Timeout 30000ms exceeded."
            );
            more!(log, "Call log:");
            more!(log, "  - navigating to \"", request, "\", waiting until \"load\"");
            log.blank_inside();
            more!(
                log,
                "File \"/usr/local/lib/python3.13/site-packages/playwright/_impl/_connection.py\", line 132, in _inner_send,     result = next(iter(done)).result()"
            );
            log.template(
                "Retrying request to {} due to: Page.goto: Timeout {}ms exceeded.",
                TruthLevel::Warn,
                TruthClass::Retry,
            );
        } else {
            event!(
                log,
                Warn,
                Retry,
                "[",
                logger,
                "] WARN  Retrying request to ",
                request,
                " due to: Request blocked: status code 429. File \"/usr/src/app/src/main.py\", line 48, in handler,     raise SessionError(message)"
            );
            log.template(
                "Retrying request to {} due to: Request blocked: status code {}.",
                TruthLevel::Warn,
                TruthClass::Retry,
            );
        }
    }

    fn give_up(&mut self, log: &mut Log<'_>, request: &Request) {
        let template = match self.generation {
            Generation::Crawlee3 => {
                log.open(TruthLevel::Error, TruthClass::Failure);
                put!(
                    log.out,
                    "ERROR ",
                    self.crawler,
                    ": Request failed and reached maximum retries. Request blocked - received 403 status code."
                );
                if self.mute {
                    log.out.push(b' ');
                } else {
                    log.close();
                    more!(log, "    ", log.rng.pick(FRAMES));
                    more_open(
                        log,
                        "    at async wrap (/usr/src/app/node_modules/@apify/timeout/cjs/index.cjs:54:21) ",
                    );
                }
                failure_payload(log.out, request);
                log.close();
                "Request failed and reached maximum retries. Request blocked - received {} status code."
            }
            Generation::Sdk2 => {
                log.open(TruthLevel::Error, TruthClass::Failure);
                put!(log.out, "ERROR ", self.crawler, ": Request failed and reached maximum retries ");
                failure_payload(log.out, request);
                log.close();
                exception(log);
                "Request failed and reached maximum retries"
            }
            Generation::Python => {
                event!(
                    log,
                    Error,
                    Failure,
                    "[",
                    python_logger(self.crawler),
                    "] ERROR Request to ",
                    request,
                    " failed and reached maximum retries"
                );
                more!(log, "      Traceback (most recent call last):");
                more!(
                    log,
                    "        File \"/usr/local/lib/python3.13/site-packages/crawlee/crawlers/_basic/_context_pipeline.py\", line 68, in __call__"
                );
                more!(log, "          await final_context_consumer(crawling_context)");
                more!(log, "        File \"/usr/src/app/src/main.py\", line 48, in handler");
                more!(log, "          raise SessionError(message)");
                more!(log, "      crawlee.errors.SessionError: Request blocked: status code 429");
                "Request to {} failed and reached maximum retries"
            }
        };
        log.template(template, TruthLevel::Error, TruthClass::Failure);
    }

    /// Statistics, pool state and overload warnings that fall due before `due`.
    fn periodic(&mut self, log: &mut Log<'_>, due: u64) {
        while self.next_statistics <= due {
            log.advance_to(self.next_statistics);
            self.next_statistics += STATISTICS_EVERY_MS;
            self.statistics(log, false);
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

    fn pool(&mut self, log: &mut Log<'_>) {
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
        log.progress();
    }

    fn statistics(&self, log: &mut Log<'_>, last: bool) {
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
                put!(log.out, "INFO  Statistics: ", crawler, " request statistics: {")
            }
            (_, false) => {
                put!(log.out, "INFO  ", crawler, ":Statistics: ", crawler, " request statistics: {")
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
        log.progress();
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
    fn table(&self, log: &mut Log<'_>, which: &str) {
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
        log.progress();
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

    /// The lines of a crawl that came to its end, and its figures.
    pub fn end(mut self, log: &mut Log<'_>) {
        self.work(log, 100);
        let crawler = self.crawler;
        match self.generation {
            Generation::Crawlee3 => event!(
                log,
                Info,
                Plain,
                "INFO  ",
                crawler,
                ": All requests from the queue have been processed, the crawler will shut down."
            ),
            Generation::Sdk2 => event!(
                log,
                Info,
                Plain,
                "INFO  ",
                crawler,
                ": All the requests from request list and/or request queue have been processed, the crawler will shut down."
            ),
            Generation::Python => event!(
                log,
                Info,
                Plain,
                "[crawlee._autoscaling.autoscaled_pool] INFO  Waiting for remaining tasks to finish"
            ),
        }
        log.now += log.rng.range(20, 900);
        self.statistics(log, true);
        if self.generation == Generation::Crawlee3 {
            self.finished_line(log);
        }
        let truth = &mut log.truth;
        *truth.requests_finished.get_or_insert(0) += self.finished;
        *truth.requests_failed.get_or_insert(0) += self.failed;
        let retries = (0_u64..).zip(self.histogram).map(|(index, count)| index * count).sum::<u64>();
        *truth.request_retries.get_or_insert(0) += retries;
        truth.requests_recovered += self.retried_finished;
    }

    fn finished_line(&self, log: &mut Log<'_>) {
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

    /// The crawl was cut off: no line says what became of the requests that were retried.
    pub fn abandon(self, log: &mut Log<'_>) {
        log.truth.requests_open += self.retried_finished + u64::try_from(self.pending.len()).unwrap_or(0);
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

fn python_logger(crawler: &str) -> &'static str {
    if crawler.starts_with('P') {
        "crawlee.crawlers._playwright._playwright_crawler"
    } else {
        "crawlee.crawlers._abstract_http._abstract_http_crawler"
    }
}

/// Begins a further line of the event above.
fn more_open(log: &mut Log<'_>, indent: &str) {
    log.stamp();
    log.out.push(b' ');
    indent.put(log.out);
}

fn call_log(log: &mut Log<'_>) {
    more!(log, "=========================== logs ===========================");
    more!(log, "waiting for locator('.search-results > li') to be visible");
    more!(log, "============================================================");
}

/// What the older SDK prints below an error.
fn exception(log: &mut Log<'_>) {
    let message = log.rng.pick(&[
        "TimeoutError: waiting for function failed: timeout 15000ms exceeded",
        "Error: Page didn't load properly with login, retrying...",
        "Error: net::ERR_TUNNEL_CONNECTION_FAILED at https://shop.example.com/en/",
    ]);
    more!(log, "  ", message);
    for frame in OLD_FRAMES {
        more!(log, "      ", frame);
    }
}

fn retry_payload(out: &mut Vec<u8>, request: &Request) {
    put!(out, "{\"id\":\"", request.id, "\",\"url\":\"", request, "\",\"retryCount\":", request.retries, "}");
}

fn failure_payload(out: &mut Vec<u8>, request: &Request) {
    put!(
        out,
        "{\"id\":\"",
        request.id,
        "\",\"url\":\"",
        request,
        "\",\"method\":\"GET\",\"uniqueKey\":\"",
        request,
        "\"}"
    );
}
