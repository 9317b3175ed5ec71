//! What complete logs of the wild come down to. Skipped where the samples are not at hand.

use std::collections::BTreeMap;
use std::path::Path;

use logmill_parse::mark::{CrawlStage, Fate, Mark};
use logmill_parse::{Batch, Carry, Class, Delivery, End, Evidence, Wants, Window, format};

/// The facts of a log that its records and marks add up to.
#[derive(Debug, Default, PartialEq)]
struct Facts {
    classes: BTreeMap<&'static str, usize>,
    /// Finished, failed, retries of each crawl.
    crawls: Vec<(Option<u64>, Option<u64>, Option<u64>)>,
    /// Retried, of which with an id, with a second retry; lost.
    requests: [usize; 4],
    outcomes: Vec<String>,
    stated: Vec<String>,
    openings: usize,
    steps: Vec<String>,
    evidence: Evidence,
}

fn facts(bytes: &[u8]) -> Facts {
    let format = format::by_id("apify-log").expect("a known format");
    let mut out = Batch::new(Wants::Everything);
    let window = Window { bytes, offset: 0, end: End::Input };
    let consumed = format.parse(window, &mut Carry::default(), &mut out, Delivery::AtEnd);
    assert_eq!(consumed, bytes.len());
    let mut facts = Facts::default();
    for record in &out.records {
        *facts.classes.entry(record.class.as_str()).or_default() += 1;
        facts.evidence = facts.evidence.with(record.evidence);
    }
    facts.classes.remove(Class::Plain.as_str());
    for marked in &out.marks {
        let stream = out.records.get(marked.record).map_or(0, |record| record.stream);
        facts.add(&marked.mark, stream);
    }
    facts
}

impl Facts {
    fn add(&mut self, mark: &Mark<'_>, stream: u32) {
        match mark {
            Mark::CrawlStats(stats) if stats.stage == CrawlStage::Final => {
                self.crawls.push((stats.finished, stats.failed, stats.retries));
            }
            Mark::Request(request) if request.fate == Fate::Retried => {
                self.requests[0] += 1;
                self.requests[1] += usize::from(request.id.is_some());
                self.requests[2] += usize::from(request.retry_count == Some(2));
            }
            Mark::Request(_) => self.requests[3] += 1,
            Mark::Outcome(outcome) => {
                self.outcomes.push(format!("{stream} {} {}", outcome.status, outcome.reason));
            }
            Mark::Fact(_, value) => self.stated.push(value.to_string()),
            Mark::Opening(_) => self.openings += 1,
            Mark::StepStart(step) => self.steps.push(step.name.to_string()),
            _ => {}
        }
    }
}

#[track_caller]
#[expect(clippy::disallowed_methods, reason = "tests read files")]
fn check(file: &str, check: impl FnOnce(&Facts)) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/samples/apify");
    let Ok(bytes) = std::fs::read(folder.join(file)) else { return };
    check(&facts(&bytes));
}

#[test]
fn two_crawls_one_after_the_other() {
    check("01_run_cheerio_instagram_2024_complete.log", |facts| {
        assert_eq!(facts.crawls, [(Some(65), Some(0), Some(7)), (Some(990), Some(0), Some(65))]);
        assert_eq!(facts.requests, [78, 71, 6, 0], "7 of the first crawl without ids");
        let (platform, periodic, pools, ends) = (3, 7, 7, 4);
        assert_eq!(facts.classes["platform"], platform);
        assert_eq!(facts.classes["statistics"], periodic + pools + ends);
        assert_eq!((facts.classes["retry"], facts.classes["status"]), (78, 5));
        assert_eq!(facts.stated, ["6sOStSkN5Nfea7vRE", "crawlee 3.12.1"]);
        assert_eq!((facts.openings, facts.outcomes.len()), (3, 0));
    });
}

#[test]
fn a_request_that_was_lost() {
    check("03_run_playwright_inmate_2026_complete.log", |facts| {
        assert_eq!(facts.crawls, [(Some(0), Some(1), Some(3))]);
        assert_eq!(facts.requests, [3, 3, 1, 1]);
        assert_eq!((facts.classes["retry"], facts.classes["failure"]), (3, 1));
    });
}

#[test]
fn python_tables_and_exit_codes() {
    check("05_run_python_bluesky_2025_complete.log", |facts| {
        assert_eq!(facts.crawls, [(Some(4), Some(0), Some(0))]);
        assert_eq!(facts.outcomes, ["0 succeeded exit_code_0"], "its copy does not count");
        assert_eq!(facts.stated, ["vLcoOOsp6wO72UmMl", "crawlee 0.5.4"]);
    });
    check("45_run_python_stdlogging_2025_complete.log", |facts| {
        assert_eq!(facts.outcomes, ["0 failed actor_failed_with_exception"]);
        assert_eq!(facts.classes["crash"], 1);
    });
}

#[test]
fn crashes_without_a_level() {
    for file in [
        "14_run_twitter_throw_2022_fragment.log",
        "28_run_uncaught_timeout_2023.log",
        "35_run_camoufox_2025_crash.log",
    ] {
        check(file, |facts| assert_eq!(facts.outcomes, ["0 failed crash"], "{file}"));
    }
}

#[test]
fn builds() {
    check("48_build_seoaudit_2019_failed_head.log", |facts| {
        assert_eq!(
            facts.steps.first_chunk(),
            Some(&["clone", "prepare", "prepare", "build"].map(str::to_owned))
        );
        assert_eq!((facts.steps.len(), facts.evidence), (7, Evidence::BUILD));
    });
    check("52_build_modern_2026_tail.log", |facts| {
        assert_eq!(facts.steps, ["build", "push"]);
        assert_eq!(facts.outcomes, ["0 succeeded build_finished"]);
    });
    check("54_build_failed_schema_2025.log", |facts| {
        assert_eq!(facts.outcomes, ["0 failed platform_error"]);
        assert_eq!(facts.evidence, Evidence::BUILD);
    });
}
