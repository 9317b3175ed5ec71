use super::*;
use crate::formats::apify_log::event::Style;
use crate::formats::apify_log::testing::{check, check_all, event, javascript, python};
use crate::record::Flags;
use crate::vocabulary::Level;

#[test]
fn final_figures_of_crawlee() {
    let payload = r#"{"requestsFinished":65,"requestsFailed":0,"retryHistogram":[58,7],"requestAvgFailedDurationMillis":null,"requestAvgFinishedDurationMillis":2948,"requestsFinishedPerMinute":133,"requestsFailedPerMinute":0,"requestTotalDurationMillis":191651,"requestsTotal":65,"crawlerRuntimeMillis":29256}"#;
    let event = javascript(Level::Info, "CheerioCrawler", "Final request statistics:").with(payload);
    check(event, Class::Statistics, &["progress", "final 65 0 7 7 65"]);
    let marks = [
        "progress",
        "final 65 0 7 7 65",
        "requests_finished[CheerioCrawler] = 65 requests",
        "requests_failed[CheerioCrawler] = 0 requests",
        "requests_total[CheerioCrawler] = 65 requests",
        "request_avg_finished_ms[CheerioCrawler] = 2948 ms",
        "requests_finished_per_minute[CheerioCrawler] = 133 1/min",
        "requests_failed_per_minute[CheerioCrawler] = 0 1/min",
        "request_total_duration_ms[CheerioCrawler] = 191651 ms",
        "crawler_runtime_ms[CheerioCrawler] = 29256 ms",
        "retry_histogram[0] = 58 requests",
        "retry_histogram[1] = 7 requests",
    ];
    check_all(event, Class::Statistics, &marks);
}

#[test]
fn periodic_figures_name_the_crawler_in_their_text() {
    let payload = r#"{"requestsTotal":0,"crawlerRuntimeMillis":60387,"retryHistogram":[null,null,1]}"#;
    let marks = [
        "stats - - 1 2 1",
        "requests_total[PlaywrightCrawler] = 0 requests",
        "crawler_runtime_ms[PlaywrightCrawler] = 60387 ms",
        "retry_histogram[0] = 0 requests",
        "retry_histogram[1] = 0 requests",
        "retry_histogram[2] = 1 requests",
    ];
    let line = "PlaywrightCrawler request statistics:";
    for logger in ["PlaywrightCrawler:Statistics", "Statistics", ""] {
        check_all(javascript(Level::Info, logger, line).with(payload), Class::Statistics, &marks);
    }
}

#[test]
fn figures_of_the_first_sdks() {
    let payload =
        r#"{"avgDurationMillis":250,"perMinute":12,"finished":3,"failed":1,"retryHistogram":[2,null,2]}"#;
    let old = |line| event(Style::Colon, Level::Info, "", line).with(payload);
    let marks = ["stats 3 1 2 4 4"];
    check(old("Crawler request statistics:"), Class::Statistics, &marks);
    check(old("PuppeteerCrawler request statistics:"), Class::Statistics, &marks);
    check(old("Crawler final request statistics:"), Class::Statistics, &["progress", "final 3 1 2 4 4"]);
    let marks = [
        "progress",
        "final 3 1 2 4 4",
        "requests_finished[] = 3 requests",
        "requests_failed[] = 1 requests",
        "request_avg_finished_ms[] = 250 ms",
        "requests_finished_per_minute[] = 12 1/min",
        "retry_histogram[0] = 2 requests",
        "retry_histogram[1] = 0 requests",
        "retry_histogram[2] = 2 requests",
    ];
    check_all(old("Crawler final request statistics:"), Class::Statistics, &marks);
}

#[test]
fn python_in_one_line() {
    let payload = r#"{"requests_finished": 4, "requests_failed": 0, "retry_histogram": [4], "request_avg_failed_duration": null, "request_avg_finished_duration": 0.25, "request_total_duration": "1.5s", "crawler_runtime": 2.5}"#;
    let event = python(Level::Info, "ParselCrawler", "Final request statistics:").with(payload);
    let marks = [
        "progress",
        "final 4 0 0 0 4",
        "requests_finished[ParselCrawler] = 4 requests",
        "requests_failed[ParselCrawler] = 0 requests",
        "request_avg_finished_ms[ParselCrawler] = 250 ms",
        "request_total_duration_ms[ParselCrawler] = 1500 ms",
        "crawler_runtime_ms[ParselCrawler] = 2500 ms",
        "retry_histogram[0] = 4 requests",
    ];
    check_all(event, Class::Statistics, &marks);
}

#[test]
fn damaged_figures() {
    let line = "Final request statistics:";
    let damaged = |payload| javascript(Level::Info, "C", line).with(payload);
    check(damaged("{"), Class::Statistics, &["progress", "final - - - - -"]);
    let payload = r#"{"requestsFinished":1e400,"requestsFailed":-1,"retryHistogram":{"0":1}}"#;
    check_all(damaged(payload), Class::Statistics, &["progress", "final - - - - -"]);
    let payload = r#"{"requestsFinished":"7","requestsFailed":null,"retryHistogram":[1,"2"]}"#;
    let marks = ["progress", "final - - - - -", "retry_histogram[0] = 1 requests"];
    check_all(damaged(payload), Class::Statistics, &marks);
    let mut cut =
        javascript(Level::Info, "", "PuppeteerCrawler request statistics: {\"avgDurationMillis\":106");
    check(cut, Class::Plain, &[]);
    cut.flags = Flags::TRUNCATED;
    check(cut, Class::Statistics, &["stats - - - - -"]);
}

#[test]
fn the_last_word_of_a_crawl() {
    let finished = |line| javascript(Level::Info, "CheerioCrawler", line).with(r#"{"terminal":true}"#);
    let line = "Finished! Total 65 requests: 65 succeeded, 0 failed.";
    check(finished(line), Class::Statistics, &["progress", "crawl-end"]);
    check(finished("Finished with https://example.com"), Class::Plain, &[]);
    check(finished("Finished! Total of all"), Class::Plain, &[]);
    check(finished("Finished! Total "), Class::Plain, &[]);
}

#[test]
fn error_analyses() {
    let payload = r#"{"totalErrors":3,"uniqueErrors":1,"mostCommonErrors":["3x: Login (a.js:1:2)"]}"#;
    let event = javascript(Level::Info, "CheerioCrawler", "Error analysis:").with(payload);
    check(event, Class::Statistics, &["progress"]);
    let marks =
        ["progress", "errors_total[CheerioCrawler] = 3 count", "errors_unique[CheerioCrawler] = 1 count"];
    check_all(event, Class::Statistics, &marks);
}
