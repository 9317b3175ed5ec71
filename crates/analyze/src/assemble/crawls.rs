//! What a run's log says about its crawls: which there were, how they ended, and what that says of the run.

use logmill_parse::mark::{CrawlStage, CrawlStats};

/// The crawls of a run, in their order.
#[derive(Debug, Default)]
pub struct Crawls {
    list: Vec<Crawl>,
    /// Those of earlier segments.
    settled: usize,
}

/// One batch of requests.
#[derive(Debug, Default)]
struct Crawl {
    stats: CrawlStats,
    ended: bool,
}

impl Crawls {
    /// Whether there were some and all of them ended.
    pub fn have_ended(&self) -> bool {
        !self.list.is_empty() && self.list.iter().all(|crawl| crawl.ended)
    }

    /// A further segment begins.
    pub const fn settle(&mut self) {
        self.settled = self.list.len();
    }

    /// The crawl that has begun and not ended, if there is one.
    fn at_hand(&self) -> Option<usize> {
        let last = self.list.len().checked_sub(1)?;
        self.list.get(last).filter(|crawl| !crawl.ended).map(|_| last)
    }

    /// The number of one that has not begun yet.
    pub const fn next(&self) -> usize {
        self.list.len()
    }

    /// The crawl at hand, or else the next one: older crawlers say nothing before their first figures.
    pub fn to_come(&self) -> usize {
        self.at_hand().unwrap_or(self.next())
    }

    /// A crawl begins, or goes on: counters persist over a restart, so that the crawl which the
    /// segment before left open continues.
    pub fn begin(&mut self) {
        match self.at_hand() {
            Some(interrupted) if interrupted < self.settled => self.settled = interrupted,
            _ => self.list.push(Crawl::default()),
        }
    }

    /// The crawl at hand states its figures.
    pub fn state(&mut self, stats: CrawlStats) {
        let is_open = self.list.iter().skip(self.settled).last().is_some_and(|crawl| !crawl.ended);
        if !is_open {
            self.begin();
        }
        let crawl = self.current();
        if stats.stage == CrawlStage::Final {
            // What the crawl said on its way is not its result, even where the last figures are cut off.
            crawl.stats = CrawlStats::default();
        }
        let known = &mut crawl.stats;
        known.finished = stats.finished.or(known.finished);
        known.failed = stats.failed.or(known.failed);
        known.retried = stats.retried.or(known.retried);
        known.retries = stats.retries.or(known.retries);
        known.counted = stats.counted.or(known.counted);
        crawl.ended |= stats.stage == CrawlStage::Final;
    }

    /// The crawl at hand ends.
    pub fn end(&mut self) {
        self.current().ended = true;
    }

    /// The crawl begun last; one is made up where a log begins in the middle of it.
    fn current(&mut self) -> &mut Crawl {
        if self.list.is_empty() {
            self.list.push(Crawl::default());
        }
        let last = self.list.len() - 1;
        &mut self.list[last]
    }

    /// A run succeeded when its last segment began at least one crawl and every one it began ended.
    pub fn verdict(&self) -> Option<&'static str> {
        let last = self.list.get(self.settled..)?;
        if last.is_empty() || last.iter().any(|crawl| !crawl.ended) {
            return None;
        }
        let some = |figure: fn(&CrawlStats) -> Option<u64>| {
            last.iter().filter_map(|crawl| figure(&crawl.stats)).any(|n| n > 0)
        };
        let has_failed_only = some(|stats| stats.failed) && !some(|stats| stats.finished);
        Some(if has_failed_only { "all_requests_failed" } else { "crawls_finished" })
    }

    /// Of each crawl whether it left no request open: every retry the log shows, of which there are so many by
    /// crawl, is one of a request that the final figures count.
    pub fn drained(&self, retries_seen: &[u64]) -> Vec<bool> {
        let is_drained = |(crawl, seen): (&Crawl, &u64)| crawl.ended && crawl.stats.retries == Some(*seen);
        self.list.iter().zip(retries_seen).map(is_drained).collect()
    }

    /// The final figures of all crawls that came to their end. What others said last is in the metrics.
    pub fn sum(&self) -> CrawlStats {
        let mut sum = CrawlStats::default();
        for crawl in self.list.iter().filter(|crawl| crawl.ended) {
            add(&mut sum.finished, crawl.stats.finished);
            add(&mut sum.failed, crawl.stats.failed);
            add(&mut sum.retried, crawl.stats.retried);
            add(&mut sum.retries, crawl.stats.retries);
            add(&mut sum.counted, crawl.stats.counted);
        }
        sum
    }
}

fn add(sum: &mut Option<u64>, value: Option<u64>) {
    if let Some(value) = value {
        *sum = Some(sum.unwrap_or(0).saturating_add(value));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_that_do_not_add_up_are_no_fault() {
        let mut crawls = Crawls::default();
        for _ in 0..2 {
            let (finished, failed) = (Some(u64::MAX), Some(u64::MAX));
            crawls.state(CrawlStats { finished, failed, stage: CrawlStage::Final, ..CrawlStats::default() });
        }
        assert_eq!(crawls.verdict(), Some("crawls_finished"));
        assert_eq!(crawls.sum().failed, Some(u64::MAX));
        assert_eq!(crawls.drained(&[0, 0]), [false, false], "no figures about retries");
    }

    #[test]
    fn a_restart_goes_on_with_the_crawl_it_interrupted() {
        let mut crawls = Crawls::default();
        crawls.begin();
        crawls.settle();
        crawls.begin();
        assert_eq!((crawls.to_come(), crawls.next()), (0, 1));
        assert_eq!(crawls.verdict(), None, "it has not ended");
        crawls.end();
        assert_eq!((crawls.to_come(), crawls.verdict()), (1, Some("crawls_finished")));
    }
}
