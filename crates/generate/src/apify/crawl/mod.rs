//! Crawls: requests that are handled, retried and given up, and the statistics crawlers print
//! about them. What the statistics say and what the lines show is the same thing.

mod handled;
mod statistics;
mod trouble;

use std::collections::VecDeque;

use super::log::{Log, event};
use crate::put::{Put, put};
use crate::rng::{ALPHANUMERIC, Rng, Token};
use crate::words::{SITES, Site};

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

/// Whether statistics are a crawl's last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// There will be more.
    Running,
    /// The crawl is over.
    Final,
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
            Generation::Crawlee3 => {
                event!(log, Info, Plain, "INFO  ", crawler, ": Starting the crawler.");
                log.resume();
            }
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
        self.statistics(log, Stage::Final);
        if self.generation == Generation::Crawlee3 {
            self.finished_line(log);
        }
        let truth = &mut log.truth;
        *truth.requests_finished.get_or_insert(0) += self.finished;
        *truth.requests_failed.get_or_insert(0) += self.failed;
        let retries = (0_u64..).zip(self.histogram).map(|(index, count)| index * count).sum::<u64>();
        *truth.request_retries.get_or_insert(0) += retries;
        log.truth.requests_recovered += self.retried_finished;
    }

    /// The crawl was cut off: no line says what became of the requests that were retried.
    pub fn abandon(self, log: &mut Log<'_>) {
        log.truth.requests_open += self.retried_finished + u64::try_from(self.pending.len()).unwrap_or(0);
    }
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
