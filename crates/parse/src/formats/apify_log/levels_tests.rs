//! Heads that are ones, and heads that only look like ones.

use super::*;

/// Style, level, logger and message of a text.
#[track_caller]
fn check(text: &str, expect: (Style, Level, &str, &str)) {
    let found = anchor(text.as_bytes());
    let slice = |start: usize, end: usize| text.get(start..end).expect("a character boundary");
    let logger = slice(found.logger.start, found.logger.end);
    assert_eq!((found.style, found.level, logger, slice(found.message, text.len())), expect, "{text}");
}

#[track_caller]
fn check_bare(text: &str) {
    check(text, (Style::Bare, Level::None, "", text));
}

#[test]
fn padded() {
    use Style::Padded;
    check("INFO  System info {}", (Padded, Level::Info, "", "System info {}"));
    check("WARN  A:B: x", (Padded, Level::Warn, "A:B", "x"));
    check("ERROR A: x", (Padded, Level::Error, "A", "x"));
    check("SFAIL x", (Padded, Level::SoftFail, "", "x"));
    check("PERF  x", (Padded, Level::Perf, "", "x"));
    check("DEBUG RequestQueue(a1, no-name): x", (Padded, Level::Debug, "RequestQueue(a1, no-name)", "x"));
    check("CRITICAL x", (Padded, Level::Critical, "", "x"));
    check("2024-01-02 03:04:05.678 INFO  x", (Padded, Level::Info, "", "x"));
}

#[test]
fn false_prefixes() {
    use Style::Padded;
    for message in [
        "https://example.com: Finished",
        "docs.rs: Rust docs",
        "TimeoutError: waiting",
        "MyException: x",
        "Web host name: example.com",
        "Playwright Utils: x",
        "404: not found",
        "Crawled: //example.com",
        "A:B",
        "A(b)(c): x",
        "[Status message]: x",
        "Title:",
    ] {
        check(&format!("INFO  {message}"), (Padded, Level::Info, "", message));
    }
}

#[test]
fn older_and_other_styles() {
    check("INFO: System info {}", (Style::Colon, Level::Info, "", "System info {}"));
    check("ERROR: BasicCrawler: x", (Style::Colon, Level::Error, "BasicCrawler", "x"));
    check("SOFT_FAIL: x", (Style::Colon, Level::SoftFail, "", "x"));
    check("WARNING: x", (Style::Colon, Level::Warn, "", "x"));
    check("INFO:apify:Exiting actor", (Style::Stdlib, Level::Info, "apify", "Exiting actor"));
    check("ERROR:a.b_c:", (Style::Stdlib, Level::Error, "a.b_c", ""));
    check(
        "2020-04-17 23:51:22 [scrapy.utils.log] INFO: x",
        (Style::Stdlib, Level::Info, "scrapy.utils.log", "x"),
    );
    check("2020-04-17 23:51:22,123 INFO:root:x", (Style::Stdlib, Level::Info, "root", "x"));
}

#[test]
fn python() {
    use Style::Python;
    check("[apify] INFO  Initializing Actor...", (Python, Level::Info, "apify", "Initializing Actor..."));
    check("[apify] WARNING some", (Python, Level::Warn, "apify", "some"));
    check("[apify] INFO multi", (Python, Level::Info, "apify", "multi"));
    check("[a.b] ERROR x: y", (Python, Level::Error, "a.b", "x: y"));
    check("[a b] CRITICAL x", (Python, Level::Critical, "a b", "x"));
    check("[apify] ERROR", (Python, Level::Error, "apify", ""));
}

#[test]
fn platform() {
    check("ACTOR: ERROR: x", (Style::Platform, Level::None, "", "ACTOR: ERROR: x"));
    check("ACTOR:...", (Style::Platform, Level::None, "", "ACTOR:..."));
    check("[actor-runtime] x", (Style::Platform, Level::None, "", "[actor-runtime] x"));
}

#[test]
fn no_levels() {
    for text in [
        "",
        "WARN",
        "WARN ",
        "WARN  ",
        "WARN tar ENOENT",
        "INFO",
        "INFOS  x",
        "ERROR",
        "npm WARN x",
        "_XSERVTransmkdir: ERROR: euid != 0",
        "Error downloading x",
        "[POST] Starting",
        "[] ({\"a\": 1})",
        "[a]INFO  x",
        "[ERROR] x",
        "INFO:x",
        "INFO::x",
        "ERROR:",
        "2024-01-02 03:04:05 plain",
        "2024-13-02 03:04:05.678 INFO  x",
        "2024-01-02 03:04:05.678 2024-01-02",
    ] {
        if text.starts_with("2024-01-02 03:04:05.678") {
            check(text, (Style::Bare, Level::None, "", "2024-01-02"));
        } else {
            check_bare(text);
        }
    }
}

#[test]
fn own_stamps() {
    let ts = |text: &str| anchor(text.as_bytes()).ts;
    assert_eq!(ts("1970-01-01 00:00:01.002 INFO  x"), Some(1_002_000));
    assert_eq!(ts("1970-01-01 00:00:01 [a] INFO: x"), Some(1_000_000));
    assert_eq!(ts("INFO  x"), None);
}
