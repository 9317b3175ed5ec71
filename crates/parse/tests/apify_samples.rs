//! Figures counted by hand in complete logs that people posted: lines, spans, start-up times, levels, retries.
//!
//! The logs are not part of the repository; where they do not lie beside it, nothing is checked.

mod support;

use std::collections::BTreeSet;

use logmill_parse::formats::apify_log::ApifyLog;
use logmill_parse::{Format, time};
use support::{Event, Reading};

/// What was counted in one log. Times are milliseconds.
struct Counted {
    file: &'static str,
    /// Physical lines.
    lines: u64,
    /// From the first stamp to the last one of a record that is not a copy.
    span_ms: i64,
    pull_ms: i64,
    create_ms: i64,
    /// From the container's start to the first line that is not the platform's.
    first_output_ms: i64,
    /// From the container's start to `System info`.
    system_info_ms: i64,
    /// Events of each level; each has exactly one physical line that carries it.
    levels: &'static [(&'static str, usize)],
    /// Blank lines.
    blank: u64,
    /// Copies of a doubly configured logger.
    copies: u64,
    retries: usize,
    failures: usize,
}

fn read(file: &str) -> Option<Reading> {
    if ApifyLog.about().title.is_empty() {
        return None;
    }
    let folder = support::testdata().join("../../shared/samples/apify");
    let input = support::inputs(&folder).into_iter().find(|input| input.path.ends_with(file))?;
    let shape = support::shape(&ApifyLog, &input.bytes);
    assert!(shape.is_some(), "{file} is recognised");
    Some(support::whole(&ApifyLog, &input.bytes, shape))
}

fn ms(event: &Event) -> i64 {
    let ts = event.fields.ts.as_deref().and_then(time::rfc3339).expect("every event here is stamped");
    ts.div_euclid(1000)
}

fn starting_with<'a>(reading: &'a Reading, text: &str) -> &'a Event {
    reading
        .events
        .iter()
        .find(|event| event.fields.message.starts_with(text))
        .expect("an event with that text")
}

fn of_class(reading: &Reading, class: &str) -> usize {
    reading.events.iter().filter(|event| event.fields.class == class).count()
}

#[track_caller]
fn check(counted: &Counted) {
    let Some(reading) = read(counted.file) else { return };
    let is_platform = |event: &&Event| event.fields.class == "platform";
    let start = ms(starting_with(&reading, "ACTOR: Starting"));
    let pull = ms(starting_with(&reading, "ACTOR: Pulling"));
    let create = ms(starting_with(&reading, "ACTOR: Creating"));
    let first = reading.events.iter().find(|event| !is_platform(event)).map(ms).expect("output");
    let (head, last) = (reading.events.first().map(ms), reading.events.last().map(ms));
    assert_eq!(reading.account.total().lines, counted.lines, "lines");
    assert_eq!(last.zip(head).map(|(last, head)| last - head), Some(counted.span_ms), "span");
    assert_eq!(create - pull, counted.pull_ms, "pull");
    assert_eq!(start - create, counted.create_ms, "create");
    assert_eq!(first - start, counted.first_output_ms, "first output");
    let system_info = reading.events.iter().find(|event| event.fields.message.starts_with("System info"));
    assert_eq!(system_info.map(ms).map(|ts| ts - start), Some(counted.system_info_ms), "system info");
    assert_eq!(reading.events.iter().filter(is_platform).count(), 3, "platform lines");
    for (level, n) in counted.levels {
        let found = reading.events.iter().filter(|event| event.fields.level == *level).count();
        assert_eq!(found, *n, "events of level {level}");
    }
    let levelled: usize = counted.levels.iter().map(|(_, n)| n).sum();
    let without = reading.events.iter().filter(|event| event.fields.level == "none").count();
    assert_eq!(levelled + without, reading.events.len(), "no other level occurs");
    assert_eq!(reading.account.structure.lines, counted.blank, "blank lines");
    assert_eq!(reading.account.duplicate.lines, counted.copies, "copies");
    assert_eq!(reading.account.rejected.lines, 0, "rejected lines");
    assert_eq!(of_class(&reading, "retry"), counted.retries, "retries");
    assert_eq!(of_class(&reading, "failure"), counted.failures, "failures");
}

#[test]
fn complete_run_with_two_crawls() {
    check(&Counted {
        file: "01_run_cheerio_instagram_2024_complete.log",
        lines: 186,
        span_ms: 471_700,
        pull_ms: 105,
        create_ms: 33,
        first_output_ms: 2666,
        system_info_ms: 2666,
        levels: &[("info", 32), ("warn", 78)],
        blank: 0,
        copies: 0,
        retries: 78,
        failures: 0,
    });
}

#[test]
fn complete_run_with_one_lost_request() {
    check(&Counted {
        file: "03_run_playwright_inmate_2026_complete.log",
        lines: 48,
        span_ms: 143_382,
        pull_ms: 651,
        create_ms: 39,
        first_output_ms: 238,
        system_info_ms: 2328,
        levels: &[("info", 10), ("warn", 3), ("error", 1)],
        blank: 2,
        copies: 0,
        retries: 3,
        failures: 1,
    });
}

#[test]
fn complete_short_run() {
    check(&Counted {
        file: "04_run_cheerio_sothebys_2025_complete.log",
        lines: 19,
        span_ms: 3829,
        pull_ms: 578,
        create_ms: 74,
        first_output_ms: 1634,
        system_info_ms: 1634,
        levels: &[("info", 7)],
        blank: 0,
        copies: 0,
        retries: 0,
        failures: 0,
    });
}

/// The last physical line, 1 ms behind, is a copy: 12 lines say `INFO`, 11 of them are events.
#[test]
fn complete_python_run() {
    check(&Counted {
        file: "05_run_python_bluesky_2025_complete.log",
        lines: 39,
        span_ms: 10_272,
        pull_ms: 3563,
        create_ms: 86,
        first_output_ms: 4421,
        system_info_ms: 4424,
        levels: &[("info", 11)],
        blank: 0,
        copies: 1,
        retries: 0,
        failures: 0,
    });
}

#[test]
fn complete_failed_python_run() {
    check(&Counted {
        file: "45_run_python_stdlogging_2025_complete.log",
        lines: 16,
        span_ms: 1603,
        pull_ms: 3,
        create_ms: 68,
        first_output_ms: 1282,
        system_info_ms: 1406,
        levels: &[("info", 5), ("error", 1)],
        blank: 0,
        copies: 0,
        retries: 0,
        failures: 0,
    });
    let Some(reading) = read("45_run_python_stdlogging_2025_complete.log") else { return };
    assert_eq!(of_class(&reading, "crash"), 1);
}

/// A word of a mark, e.g. the id of `request retried retries=1 id=abc`.
fn word<'a>(mark: &'a str, name: &str) -> Option<&'a str> {
    mark.split(' ').find_map(|word| word.strip_prefix(name)?.strip_prefix('='))
}

/// 78 retries: 65 payloads on the next line, 8 behind a stack frame, 5 on the same line; 7 in the first crawl
/// and 71 in the second, of 65 requests, 6 of which were tried again twice.
#[test]
fn retries_of_two_crawls() {
    let Some(reading) = read("01_run_cheerio_instagram_2024_complete.log") else { return };
    let retries: Vec<&Event> = reading.events.iter().filter(|event| event.fields.class == "retry").collect();
    let glued = |event: &&&Event| event.fields.message.contains("\n    at ");
    let same_line = |event: &&&Event| event.n_lines == 1;
    assert_eq!(retries.iter().filter(same_line).count(), 5, "on the same line");
    assert_eq!(retries.iter().filter(glued).count(), 8, "behind a stack frame");
    assert!(retries.iter().all(|event| event.fields.payload.is_some()), "every payload is found");

    let starts: Vec<u64> = reading
        .events
        .iter()
        .filter(|event| event.fields.message == "Starting the crawler.")
        .map(|event| event.line)
        .collect();
    assert_eq!(starts.len(), 2);
    let (first, second): (Vec<&Event>, Vec<&Event>) =
        retries.iter().partition(|event| event.line < starts[1]);
    assert_eq!((first.len(), second.len()), (7, 71));

    let marks: Vec<&str> = second
        .iter()
        .flat_map(|event| &event.marks)
        .map(String::as_str)
        .filter(|mark| mark.starts_with("request retried"))
        .collect();
    assert_eq!(marks.len(), 71);
    let ids: BTreeSet<&str> = marks.iter().filter_map(|mark| word(mark, "id")).collect();
    assert_eq!(ids.len(), 65);
    assert_eq!(marks.iter().filter(|mark| word(mark, "retries") == Some("2")).count(), 6);
}
