//! What whole Apify logs come down to: cases in which single lines are read right and the run
//! could still come out wrong.

use logmill_analyze::model::{Report, Run};
use logmill_analyze::{Buckets, Bytes, Engine, Input, Options, Selection};

/// Lines given by their seconds into a minute and their text.
fn log(lines: &[(&str, &str)]) -> String {
    let stamped = lines.iter().map(|(second, text)| format!("2025-03-01T10:00:{second}Z {text}\n"));
    stamped.collect::<Vec<_>>().concat()
}

fn report(text: &str) -> Report {
    let input = Bytes::new("logs/shop.log".to_owned(), text.as_bytes().to_vec());
    let engine = Engine::new(Options::default()).expect("threads");
    let survey = engine.survey(&[&input as &dyn Input]);
    survey.report(&Selection::default(), Buckets::default()).expect("buckets")
}

fn only_run(report: &Report) -> &Run {
    assert_eq!(report.runs.len(), 1, "one run");
    &report.runs[0]
}

fn steps(report: &Report) -> Vec<(&str, Option<i64>)> {
    report.steps.iter().map(|step| (&*step.name, step.duration_ms)).collect()
}

const START: [(&str, &str); 4] = [
    ("00.000", "ACTOR: Pulling container image of build aB3dE5gH7jK9mN1pQ from registry."),
    ("00.100", "ACTOR: Creating container."),
    ("00.140", "ACTOR: Starting container."),
    ("01.000", "INFO  System info {\"crawleeVersion\":\"3.15.3\"}"),
];
const BEGIN: &str = "INFO  CheerioCrawler: Starting the crawler.";
const RUNNING: &str = "INFO  CheerioCrawler:Statistics: CheerioCrawler request statistics: {\"requestsTotal\":3,\"retryHistogram\":[3]}";
const POOL: &str = "INFO  CheerioCrawler:AutoscaledPool: state {\"currentConcurrency\":1}";
const FINAL: &str = "INFO  CheerioCrawler: Final request statistics: {\"requestsFinished\":5,\"requestsFailed\":0,\"retryHistogram\":[5]}";

#[test]
fn a_crawl_that_goes_on_is_no_shutdown() {
    let cut = report(&log(&[
        &START[..],
        &[("02.000", BEGIN), ("10.000", RUNNING), ("10.010", POOL), ("20.000", "INFO  Opening page 7")],
    ]
    .concat()));
    assert_eq!(
        steps(&cut),
        [("pull", Some(100)), ("create", Some(40)), ("boot", Some(860)), ("work", Some(19_000))]
    );
    let second = report(&log(&[
        &START[..],
        &[("02.000", BEGIN), ("10.000", FINAL), ("12.000", BEGIN), ("30.000", "INFO  Opening page 8")],
    ]
    .concat()));
    assert_eq!(steps(&second).last(), Some(&("work", Some(29_000))));
    let over = report(&log(&[
        &START[..],
        &[("02.000", BEGIN), ("10.000", RUNNING), ("14.000", FINAL), ("15.500", "Results are stored.")],
    ]
    .concat()));
    assert_eq!(steps(&over)[3..], [("work", Some(13_000)), ("shutdown", Some(1500))]);
}

#[test]
fn figures_on_the_way_are_no_result() {
    let table = [
        ("02.000", "[crawler] INFO  Current request statistics:"),
        ("02.001", "┌───────────────────┬───┐"),
        ("02.002", "│ requests_finished │ 0 │"),
        ("02.003", "│ requests_failed   │ 0 │"),
        ("02.004", "└───────────────────┴───┘"),
        ("09.000", "[crawler] INFO  Final request statistics:"),
    ];
    let report = report(&log(&[&START[..], &table].concat()));
    let run = only_run(&report);
    assert_eq!((run.status.as_str(), run.status_reason.as_str()), ("succeeded", "crawls_finished"));
    assert_eq!((run.requests_finished, run.requests_failed), (None, None));
}

#[test]
fn the_first_error_says_what_happened() {
    let node = report(&log(&[
        &START[..],
        &[
            ("02.000", "file:///usr/src/app/src/main.js:12"),
            ("02.001", "    throw new RangeError(`${n} is too many`);"),
            ("02.002", "          ^"),
            ("02.003", ""),
            ("02.004", "RangeError: 7 is too many"),
            ("02.005", "    at main (file:///usr/src/app/src/main.js:12:11)"),
        ],
    ]
    .concat()));
    assert_eq!(only_run(&node).first_error.as_deref(), Some("RangeError: 7 is too many"));
    let python = report(&log(&[
        &START[..],
        &[
            ("02.000", "Item 3 of 40"),
            ("02.001", "Traceback (most recent call last):"),
            ("02.002", "  File \"/usr/src/app/src/main.py\", line 31, in main"),
            ("02.003", "    price = item['price']"),
            ("02.004", "KeyError: 'price'"),
        ],
    ]
    .concat()));
    let run = only_run(&python);
    assert_eq!(run.first_error.as_deref(), Some("KeyError: 'price'"));
    assert_eq!((run.status.as_str(), run.status_reason.as_str(), run.n_events), ("failed", "crash", 6));
}

/// Every line has a stamp, and the last one counts, whatever stands on that line.
#[test]
fn a_run_lasts_to_its_last_stamp() {
    let copied = report(&log(&[
        ("01.000", "[apify] INFO  Exiting Actor ({\"exit_code\": 0})"),
        ("01.001", "[apify] INFO  Exiting Actor ({\"exit_code\": 0, \"message\": \"Exiting Actor\"})"),
        ("07.500", ""),
    ]));
    assert_eq!(only_run(&copied).duration_ms, Some(6500));
    let exit = report(&log(&[
        &START[..],
        &[
            ("02.000", "[apify] INFO  Exiting Actor ({\"exit_code\": 0})"),
            ("02.001", "[apify] INFO  Exiting Actor ({\"exit_code\": 0, \"message\": \"Exiting Actor\"})"),
        ],
    ]
    .concat()));
    assert_eq!(only_run(&exit).duration_ms, Some(2001));
    assert_eq!(steps(&exit).last(), Some(&("work", Some(1001))), "nothing follows the exit");
}

#[test]
fn a_log_without_its_start_is_not_all_there() {
    let plain = report(&log(&[("01.000", "Item 3 of 40"), ("02.000", "Item 4 of 40")]));
    let run = only_run(&plain);
    assert_eq!((run.kind, run.incomplete_reason.as_deref()), (None, Some("no_start")));
    let child = report(&log(&[
        &START[..],
        &[("02.000", "[apify.shop runId:Zq3LtY7uVb2NcX5Rk] -> 2025-03-01T10:00:01.900Z INFO  Page 7")],
    ]
    .concat()));
    let complete: Vec<_> = child.runs.iter().map(|run| (run.run_id.as_str(), run.complete)).collect();
    assert_eq!(complete, [("shop", true), ("Zq3LtY7uVb2NcX5Rk", false)]);
    let build = report(&log(&[("01.000", "ACTOR: Building container image (cache enabled).")]));
    assert!(only_run(&build).complete, "builds have begun in several ways");
}

/// The API keeps 10,485,760 characters; which end it cuts off is not known.
#[test]
fn a_log_as_large_as_may_be_is_not_all_there() {
    let text = "é".repeat(4000);
    let head = log(&START);
    let large = |lines: usize| head.clone() + &log(&vec![("09.000", text.as_str()); lines]);
    for (lines, expect) in [(2500, None), (2604, Some("size_limit"))] {
        let report = report(&large(lines));
        assert_eq!(only_run(&report).incomplete_reason.as_deref(), expect, "{lines} lines");
    }
}

/// Figures of complete logs that people posted, by hand: span, `pull`, `create`, `boot` in milliseconds.
/// The logs are not part of the repository; where they do not lie beside it, nothing is checked.
#[test]
#[expect(clippy::disallowed_methods, reason = "the test reads the samples, where they are")]
fn complete_logs_of_others() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/samples/apify");
    for (name, expect) in [
        ("01_run_cheerio_instagram_2024_complete.log", [471_700, 105, 33, 2666]),
        ("03_run_playwright_inmate_2026_complete.log", [143_382, 651, 39, 238]),
        ("04_run_cheerio_sothebys_2025_complete.log", [3829, 578, 74, 1634]),
        ("05_run_python_bluesky_2025_complete.log", [10_273, 3563, 86, 4421]),
        ("45_run_python_stdlogging_2025_complete.log", [1603, 3, 68, 1282]),
    ] {
        let Some(text) =
            std::fs::read(folder.join(name)).ok().and_then(|bytes| String::from_utf8(bytes).ok())
        else {
            continue;
        };
        let report = report(&text);
        let found: Vec<Option<i64>> = std::iter::once(only_run(&report).duration_ms)
            .chain(steps(&report).into_iter().take(3).map(|(_, duration)| duration))
            .collect();
        assert_eq!(found, expect.map(Some), "{name}");
        let names: Vec<&str> = steps(&report).into_iter().take(3).map(|(name, _)| name).collect();
        assert_eq!(names, ["pull", "create", "boot"], "{name}");
    }
}

#[test]
fn a_request_known_by_its_id_takes_its_url_from_whichever_crawl_tells_it() {
    let lost = "ERROR CheerioCrawler: Request failed and reached maximum retries. boom";
    let retried = "WARN  CheerioCrawler: Reclaiming failed request back to the list or queue. boom";
    let report = report(&log(&[
        &START[..],
        &[
            ("02.000", BEGIN),
            ("03.000", &format!("{retried} {{\"id\":\"aB3dE6gH9jK2mN5\",\"retryCount\":1}}")),
            ("10.000", FINAL),
            ("12.000", BEGIN),
            ("13.000", &format!("{lost} {{\"id\":\"aB3dE6gH9jK2mN5\",\"url\":\"https://example.com/7\"}}")),
        ],
    ]
    .concat()));
    let found: Vec<_> = report.requests.iter().map(|row| (row.url.as_deref(), row.attempts)).collect();
    assert_eq!(found, [(Some("https://example.com/7"), 2)]);
}
