//! Content that would break a careless reader: exit 0, an issue where something could not be read as expected,
//! and every byte accounted for.

use serde_json::{Value, json};

use crate::support::{Folder, well};

const LOG: &str = "aB3dE6gH9jK2mN5pQ.log";
const BUILD: &str = "7d2e4d4c-8e24-4bfa-a4de-0c1a2b3c4d5e.json";
const PAGE: &str = "6ea3a38278ee86e89ce41f7e/page-0000.json";
const HEAD: &str = "2026-03-01T10:00:00.000Z ACTOR: Starting Docker container.\n";

/// What comes of a file with these bytes: events, and the codes of the issues, each once.
#[track_caller]
fn check(name: &str, bytes: impl AsRef<[u8]>, n_events: usize, codes: &[&str]) -> Vec<Value> {
    let folder = Folder::new();
    folder.write(&format!("dumps/{name}"), &bytes);
    let out = folder.arg("out");
    well(["convert", &folder.arg("dumps"), "--table", "all", "--to", "ndjson", "--quiet", "-o", &out]);
    let rows = |table: &str| -> Vec<Value> {
        let text = std::fs::read_to_string(folder.at(&format!("out/{table}.ndjson"))).expect("a table");
        text.lines().map(|line| serde_json::from_str(line).expect("a row")).collect()
    };
    let issues = rows("issues");
    let mut found: Vec<&str> = issues.iter().filter_map(|issue| issue["code"].as_str()).collect();
    found.sort_unstable();
    found.dedup();
    assert_eq!(found, codes, "{issues:#?}");
    for code in codes {
        well(["explain", code]);
    }
    let events = rows("events");
    assert_eq!(events.len(), n_events, "{issues:#?}");
    let file = &rows("files")[0];
    let parts = ["record", "continuation", "structure", "duplicate", "rejected"];
    let sum: u64 = parts.iter().filter_map(|part| file[format!("bytes_{part}")].as_u64()).sum();
    assert_eq!(sum, bytes.as_ref().len() as u64, "{file}");
    events
}

fn log(lines: &str) -> String {
    format!("{HEAD}{lines}2026-03-01T10:00:09.000Z INFO  after\n")
}

fn page(started: &str, stopped: &str, duration: &str, data: &str) -> String {
    format!(
        r#"{{"data":[{{"executionId":"x1","startedAt":{started},"stoppedAt":{stopped},"finished":true,"results":[{{"connectorId":"a","duration":{duration},"data":{data}}}]}}]}}"#
    )
}

const START: &str = "\"2026-03-01T10:00:00Z\"";
const STOP: &str = "\"2026-03-01T10:00:05Z\"";

#[test]
fn deep_json() {
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    check(PAGE, page(START, STOP, "1", &deep), 1, &[]);
    check(BUILD, &deep, 0, &["unknown-format"]);
    let object = format!("{}1{}", "{\"a\":".repeat(100_000), "}".repeat(100_000));
    check(LOG, log(&format!("2026-03-01T10:00:01.000Z ERROR deep {object}\n")), 3, &[]);
}

#[test]
fn lines_without_end() {
    let events = check(
        LOG,
        log(&format!("2026-03-01T10:00:01.000Z ERROR {}\n", "long words ".repeat(400_000))),
        3,
        &["line-too-long"],
    );
    assert_eq!(events[2]["message"], "after", "reading goes on at the next line");
    assert!(events[1]["message"].as_str().is_some_and(|text| text.len() <= 1 << 20));
}

#[test]
fn text_that_is_none() {
    let events = check(LOG, log("2026-03-01T10:00:01.000Z ERROR nul \0 here\0\n"), 3, &[]);
    assert_eq!(events[1]["message"], "nul \0 here\0");
    let bytes = [HEAD.as_bytes(), b"2026-03-01T10:00:01.000Z ERROR \xff\xfe bad\n"].concat();
    let events = check(LOG, bytes, 2, &["invalid-utf8"]);
    assert_eq!((&events[1]["message"], &events[1]["lossy"]), (&json!("\u{fffd}\u{fffd} bad"), &json!(true)));
    check(PAGE, page(START, STOP, "1", r#"{"t":"\ud800 lone"}"#), 1, &[]);
    let build = r#"{"success":true,"result":{"lines":[[1767000000000,"Initializing build environment..."],[1767000001000,"half \ud83d"]]}}"#;
    let events = check(BUILD, build, 2, &["invalid-utf8"]);
    assert_eq!(events[1]["message"], "half \u{fffd}");
}

#[test]
fn numbers_beyond_all_bounds() {
    for number in ["1e400", "-1e400", "123456789012345678901234567890", "-0.000000000000000000000000001e-999"]
    {
        check(PAGE, page(START, STOP, number, number), 1, &[]);
    }
    let build = r#"{"success":true,"result":{"lines":[[1767000000000,"Initializing build environment..."],[1e400,"a"],[99999999999999999999,"b"],[-99999999999999999999,"c"],[1767000001000,"d"]]}}"#;
    let events = check(BUILD, build, 5, &["bad-timestamp"]);
    let stamps: Vec<bool> = events.iter().map(|event| event["ts"].is_string()).collect();
    assert_eq!(stamps, [true, false, false, false, true]);
}

#[test]
fn times_out_of_range() {
    check(PAGE, page("\"9999-01-01T00:00:00Z\"", "\"9999-12-31T23:59:59Z\"", "1", "1"), 1, &[]);
    for stamp in ["\"0000-01-01T00:00:00Z\"", "\"+292277026596-12-04T15:30:08Z\"", "\"2026-02-30T10:00:00Z\""]
    {
        check(PAGE, page(stamp, STOP, "1", "1"), 1, &["bad-timestamp"]);
    }
    check(PAGE, page("292277026596000000", "-9223372036854775808", "1", "1"), 1, &["bad-timestamp"]);
    let lines = "9999-01-01T00:00:00.000Z INFO  a\n9999-12-31T23:59:59.999Z ERROR b\n";
    let events = check(LOG, lines, 2, &[]);
    assert_eq!(events[1]["ts"], "9999-12-31T23:59:59.999000Z");
}

#[test]
fn clocks_that_step_back() {
    let lines = "2026-03-01T10:00:05.000Z INFO  later\n2026-03-01T10:00:02.000Z INFO  earlier\n";
    let events = check(LOG, log(lines), 4, &["backward-clock"]);
    assert_eq!(events[2]["message"], "earlier", "nothing is sorted");
    check(PAGE, page(STOP, START, "1", "1"), 1, &[]);
}

#[test]
fn keys_that_come_twice() {
    let page = r#"{"data":[{"executionId":"x1","executionId":"x2","startedAt":"2026-03-01T10:00:00Z","stoppedAt":"2026-03-01T10:00:05Z","finished":true,"results":[{"connectorId":"a","connectorId":"b","data":1}]}]}"#;
    check(PAGE, page, 1, &[]);
}
