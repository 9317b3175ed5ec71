//! What a program prints about requests that went well.

use super::super::log::{Log, event, more};
use super::{Crawl, Generation, Request, python_logger};
use crate::put::Hundredths;
use crate::truth::{TruthClass, TruthLevel};
use crate::words::{PRINTS, TITLES};

impl Crawl {
    /// The lines of a request that went well.
    pub(super) fn handled(&mut self, log: &mut Log<'_>, request: &Request) {
        let crawler = self.crawler;
        if self.generation == Generation::Python {
            handled_python(log, crawler, request);
            return;
        }
        let debug = if self.chatty { 90 } else { 0 };
        let noun = request.site.noun;
        match log.rng.weighted(&[400, 250, 100, 80, 40, 30, 10, debug, 1]) {
            0 => scraped(log, crawler, request),
            1 => {
                let links = log.rng.range(2, 60);
                event!(log, Info, Plain, "INFO  [", noun, "] Enqueued ", links, " links --- ", request);
            }
            2 => event!(log, None, Plain, log.rng.pick(PRINTS)),
            3 => {
                let (done, total) = (self.finished, self.total);
                event!(log, Info, Status, "INFO  [Status message]: Scraped ", done, "/", total, " pages.");
            }
            4 => event!(log, None, Plain, "Saved ", noun, " ", request.number, " to the dataset"),
            5 if self.mute => event!(log, None, Plain, "Item ", request.number, " has several variants"),
            5 => variants(log, request),
            6 => {
                event!(log, Warn, Plain, "WARN  The ", noun, " has no description --- ", request);
                log.template("The {} has no description --- {}", TruthLevel::Warn, TruthClass::Plain);
            }
            7 => self.debug(log, request),
            _ => {
                event!(
                    log,
                    SoftFail,
                    Plain,
                    "SFAIL Screenshot of ",
                    noun,
                    " could not be stored --- ",
                    request
                );
                let template = "Screenshot of {} could not be stored --- {}";
                log.template(template, TruthLevel::SoftFail, TruthClass::Plain);
            }
        }
    }

    /// What a run with debug logging prints besides.
    fn debug(&self, log: &mut Log<'_>, request: &Request) {
        let crawler = self.crawler;
        if log.rng.chance(500) {
            let took = log.rng.range(20, 900);
            event!(
                log,
                Perf,
                Plain,
                "PERF  ",
                crawler,
                ": Handler took ",
                took,
                " ms {\"url\":\"",
                request,
                "\"}"
            );
            return;
        }
        let (done, total, failed) = (self.finished + self.failed, self.total, self.failed);
        event!(
            log,
            Debug,
            Plain,
            format_args!("DEBUG {crawler}: Crawled {done}/{total} pages, {failed} failed requests, "),
            "desired concurrency ",
            self.concurrency,
            "."
        );
    }
}

fn scraped(log: &mut Log<'_>, crawler: &str, request: &Request) {
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
        !price.is_multiple_of(3),
        "}"
    );
}

/// `console.log` with line breaks: the further lines are indented.
fn variants(log: &mut Log<'_>, request: &Request) {
    event!(log, None, Plain, "Item ", request.number, " has several variants:");
    for variant in 0..log.rng.range(2, 4) {
        let price = Hundredths(log.rng.range(99, 9_999));
        more!(log, "  - variant ", variant + 1, ": ", price, " EUR");
    }
}

/// The lines of a request that went well, in Python.
fn handled_python(log: &mut Log<'_>, crawler: &str, request: &Request) {
    let noun = request.site.noun;
    match log.rng.weighted(&[700, 250, 40, 8, 2]) {
        0 => event!(log, Info, Plain, "[", python_logger(crawler), "] INFO  Processing ", request, " ..."),
        1 => {
            let price = Hundredths(log.rng.range(199, 250_000));
            event!(
                log,
                Info,
                Plain,
                "[apify] INFO  Pushed ",
                noun,
                " ({\"url\": \"",
                request,
                "\", \"price\": ",
                price,
                "})"
            );
        }
        2 => event!(log, None, Plain, log.rng.pick(PRINTS)),
        3 => {
            event!(log, Warn, Plain, "[apify] WARN  No price found on ", request);
            log.template("No price found on {}", TruthLevel::Warn, TruthClass::Plain);
        }
        _ => {
            event!(log, Critical, Plain, "[apify] CRITICAL Quota of the dataset is nearly used up");
            log.template("Quota of the dataset is nearly used up", TruthLevel::Critical, TruthClass::Plain);
        }
    }
}
