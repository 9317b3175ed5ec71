//! What a format may leave out where only counts are wanted: payloads of events that nobody looks at. All else
//! is the same.

#[expect(dead_code, reason = "other tests use the rest")]
mod support;

use std::fmt::Write as _;

use logmill_generate::{Amount, FormatId, Plan, stream};
use logmill_parse::{Batch, Carry, Class, End, Format, Level, Record, Wants, Window, format};

#[test]
fn counts_differ_in_nothing_but_messages_of_ordinary_events() {
    let apify = format::by_id("apify-log").expect("in the registry");
    let mut inputs = vec![hostile().into_bytes()];
    inputs
        .extend(support::inputs(&support::testdata().join("apify-log")).into_iter().map(|input| input.bytes));
    for seed in 1..=3 {
        let plan = Plan::new(FormatId::from_id("apify-log").expect("a format"), seed, Amount::Bytes(1 << 20));
        let mut bytes = Vec::new();
        stream(&plan, "dump", &mut bytes).expect("memory takes everything");
        inputs.push(bytes);
    }
    let n_left: usize = inputs.iter().map(|bytes| check(apify, bytes)).sum();
    assert!(n_left > 1000, "{n_left} payloads are left where they stand");
}

/// Lines that begin like statistics, like data that is cut off, like copies.
fn hostile() -> String {
    let levels = [
        "INFO  A: ",
        "WARN  A: ",
        "ERROR ",
        "DEBUG ",
        "PERF  A:B: ",
        "INFO: A: ",
        "[a] INFO  ",
        "INFO:a:",
        "",
    ];
    let words = [
        "Crawled",
        "A request statistics:",
        "Final request statistics:",
        "x",
        "x:",
        "Actor failed with an exception",
        "AutoscaledPool state",
        "API request failed 4 times. Max attempts: 9",
        "state",
        "An exception occurred during handling of failed request.",
        "Exiting Actor",
        "Error analysis:",
        "Encountered \"x\", rotating session and retrying",
        "Finished! Total 5 requests",
        "Initializing Actor",
        "Memory is critically overloaded.",
        "Reclaiming failed request back to the list or queue.",
        "Retrying request to u due to: x",
        "Request failed and reached maximum retries.",
        "System info",
        "Retry failed 5 times and will be repeated in 9ms",
        "Starting the crawler.",
        "[Status message]: x",
        "The function passed to Apify.main() threw an exception:",
        "[Terminal status message]: x",
        "current_concurrency = 1; cpu = 0.5",
        "Step 1/2 : RUN",
        "#5 [1/2] x",
        "#5 DONE 0.3s",
        "The command 'x' returned a non-zero code: 1",
        "Traceback (most recent call last):",
        "node:internal/a:1",
    ];
    let heads = levels.into_iter().flat_map(|level| words.map(|words| format!("{level}{words}")));
    let heads: Vec<String> = heads.collect();
    let tails = ["", r#"{"a":1}"#, r#"{"requestsFinished":5}"#, r#"({"a":1})"#, r#"({"a":1}"#, r#"{"a":"b""#];
    let more =
        [r#"{"a":"}"#, r#"{"a":{"b":[]}}"#, r#"{"message":"x"}"#, r#"{"a":"b"} {"c":1}"#, "{}", "{", "}"];
    let mut text = String::new();
    for head in &heads {
        for tail in tails.iter().chain(&more) {
            let _ = writeln!(text, "2026-01-31T10:00:00.000Z {head} {tail}");
            let below = "2026-01-31T10:00:00.000Z     at f (a.js:1:2)";
            let _ = writeln!(text, "2026-01-31T10:00:00.000Z {head}: {tail}\n{below}");
        }
    }
    text
}

/// Compares what is found both ways, and says how many payloads are left in their messages.
fn check(format: &dyn Format, bytes: &[u8]) -> usize {
    let (runs, counts) = (read(format, bytes, Wants::Runs), read(format, bytes, Wants::Counts));
    assert_eq!(runs.account, counts.account);
    assert_eq!(runs.streams, counts.streams);
    assert_eq!(format!("{:?}", runs.issues), format!("{:?}", counts.issues));
    assert_eq!(format!("{:?}", runs.marks), format!("{:?}", counts.marks));
    assert_eq!(runs.records.len(), counts.records.len());
    let mut n_left = 0;
    for (run, count) in runs.records.iter().zip(&counts.records) {
        assert_eq!(rest_of(run), rest_of(count));
        let is_looked_at = run.level.is_error() || run.level == Level::Warn || run.class != Class::Plain;
        let (message, left) = (run.message.decode(), count.message.decode());
        let is_left = run.payload.is_some() && count.payload.is_none();
        n_left += usize::from(is_left);
        if is_looked_at || !is_left {
            assert_eq!(message, left);
            assert_eq!(format!("{:?}", run.payload), format!("{:?}", count.payload));
        } else {
            assert!(left.starts_with(message.as_ref()), "{left}");
        }
    }
    n_left
}

/// All but message and payload.
fn rest_of(record: &Record<'_>) -> String {
    let Record {
        span, line, n_lines, ts, until, clock, level, class, logger, stream, flags, evidence, ..
    } = record;
    format!("{:?}", (span, line, n_lines, ts, until, clock, level, class, logger, stream, flags, evidence))
}

fn read<'a>(format: &dyn Format, bytes: &'a [u8], wants: Wants) -> Batch<'a> {
    let mut batch = Batch::new(wants);
    let window = Window { bytes, offset: 0, end: End::Input };
    assert_eq!(format.parse(window, &mut Carry::default(), &mut batch), bytes.len());
    batch
}
