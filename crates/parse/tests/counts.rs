//! What a format may leave out where only counts are wanted: payloads of events that nobody looks at, and what
//! tells such events apart that follow each other; and where only records are wanted: marks. All else is the same.

#[expect(dead_code, reason = "other tests use the rest")]
#[path = "support/random.rs"]
mod random;
#[expect(dead_code, reason = "other tests use the rest")]
mod support;

use std::fmt::Write as _;

use logmill_generate::{Amount, FormatId, Plan, stream};
use logmill_parse::{
    Batch, Carry, Class, Code, Delivery, End, Flags, Format, Issue, Level, Marked, Record, Span, Stream,
    Wants, Window, format,
};
use random::Random;

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
    let (mut n_payloads, mut n_in_rows) = (0, 0);
    for left in inputs.iter().map(|bytes| check(apify, bytes)) {
        n_payloads += left.payloads;
        n_in_rows += left.rows;
    }
    assert!(n_payloads > 100, "{n_payloads} payloads are left where they stand");
    assert!(n_in_rows > 5000, "{n_in_rows} events are told together with others");
}

#[test]
fn counts_are_the_same_in_windows_of_any_size() {
    let apify = format::by_id("apify-log").expect("in the registry");
    let mut n_in_rows = 0;
    for seed in 1..=60 {
        let text = entangled(&mut Random(seed));
        let runs = read(apify, text.as_bytes(), Wants::Runs);
        n_in_rows += check_read(&runs, &read(apify, text.as_bytes(), Wants::Counts)).rows;
        for size in [40, 101, 256, 700] {
            check_read(&runs, &read_in_windows(apify, text.as_bytes(), Wants::Counts, size));
        }
    }
    assert!(n_in_rows > 2000, "{n_in_rows} events are told together with others");
}

/// Lines in no order of ordinary events, of what may join them, of copies and of what is no event.
fn entangled(random: &mut Random) -> String {
    const LINES: [&str; 39] = [
        "INFO  A: x",
        "INFO  A: x",
        "INFO  A: x {\"a\":1}",
        "INFO  A: x {\"message\":\"x\"}",
        "INFO  [Status message]: x",
        "INFO  Please check the following:",
        "INFO  Enabled things:",
        "INFO  A: request statistics:",
        "INFO  x {\"a\":",
        "DEBUG A: x",
        "WARN  A: x",
        "[a] INFO  x",
        "[a] INFO  x",
        "[a] INFO  x",
        "[a] INFO  x {\"message\":\"x\"}",
        "[a] INFO  x ({\"message\":\"x\"})",
        "[a] INFO  Enabled things:",
        "[a] DEBUG x",
        "[a] WARN  x",
        "[a] INFO: x",
        "[a] INFO: Enabled things:",
        "INFO:a:x",
        "INFO:a:x {\"message\":\"x\"}",
        "INFO: x",
        "[apify.b runId:B1] -> 2026-01-31T10:00:00.100Z INFO  A: x",
        "[apify.b runId:B1] -> x",
        " {\"message\":\"x\"}",
        " at f (a.js:1:2)",
        "at f (a.js:1:2)",
        "Traceback (most recent call last):",
        "ValueError: x",
        "['scrapy.x']",
        "- one",
        "│ a │ 1 │",
        "file:///a.js:1",
        "^",
        "",
        "ACTOR: x",
        "{\"level\":\"INFO\",\"msg\":\"x\"}",
    ];
    let (mut text, mut ms) = (String::new(), 0);
    for _ in 0..200 {
        let line = LINES[random.below(LINES.len())];
        for _ in 0..=random.below(5).saturating_sub(2) {
            ms = (ms + random.below(7)) % 1000;
            match random.below(30) {
                0 => writeln!(text, "{line}"),
                1 => writeln!(text, "2026-01-31T10:00:00.{ms:03}Z {line} \r"),
                _ => writeln!(text, "2026-01-31T10:00:00.{ms:03}Z {line}"),
            }
            .expect("memory takes everything");
        }
    }
    text
}

#[test]
fn records_are_the_same_without_marks() {
    for format in format::ALL {
        let folder = support::testdata().join(format.about().id);
        let mut inputs: Vec<Vec<u8>> =
            support::inputs(&folder).into_iter().map(|input| input.bytes).collect();
        inputs.push(hostile().into_bytes());
        for bytes in &inputs {
            let (runs, records) = (read(*format, bytes, Wants::Runs), read(*format, bytes, Wants::Records));
            assert_eq!(format!("{:?}", runs.records), format!("{:?}", records.records));
            assert_eq!(runs.account, records.account);
            assert_eq!(runs.streams, records.streams);
        }
    }
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
    let (mut text, mut ms) = (String::new(), 0);
    for head in &heads {
        for tail in tails.iter().chain(&more) {
            // Stamps that step back now and then.
            ms = (ms + 7) % 1000;
            let _ = writeln!(text, "2026-01-31T10:00:00.{ms:03}Z {head} {tail}");
            let below = "2026-01-31T10:00:00.000Z     at f (a.js:1:2)";
            let _ = writeln!(text, "2026-01-31T10:00:00.{ms:03}Z {head}: {tail}\n{below}");
        }
    }
    text
}

/// Compares what is found both ways, and says how many payloads are left in their messages and how many events
/// are told together with others.
fn check(format: &dyn Format, bytes: &[u8]) -> Left {
    check_read(&read(format, bytes, Wants::Runs), &read(format, bytes, Wants::Counts))
}

fn check_read(runs: &Batch<'_>, counts: &Batch<'_>) -> Left {
    assert_eq!(runs.account, counts.account);
    assert_eq!(runs.streams, counts.streams);
    assert_eq!(format!("{:?}", runs.issues), format!("{:?}", counts.issues));
    let mut left = Left::default();
    let (mut events, mut starts) = (runs.records.as_slice(), Vec::new());
    for count in &counts.records {
        starts.push(runs.records.len() - events.len());
        let (row, rest) = events.split_at(count.n_events as usize);
        events = rest;
        if let [run] = row {
            left.payloads += usize::from(check_event(run, count));
        } else {
            left.rows += row.len();
            check_row(row, count);
        }
    }
    assert!(events.is_empty());
    starts.push(runs.records.len());
    let marks = counts.marks.iter().map(|marked| (starts.get(marked.record), &marked.mark));
    let expected = runs.marks.iter().map(|marked| (Some(&marked.record), &marked.mark));
    assert_eq!(format!("{:?}", expected.collect::<Vec<_>>()), format!("{:?}", marks.collect::<Vec<_>>()));
    left
}

/// What is left out where only counts are wanted.
#[derive(Default)]
struct Left {
    payloads: usize,
    rows: usize,
}

/// Compares one event, and says whether its payload is left in its message.
fn check_event(run: &Record<'_>, count: &Record<'_>) -> bool {
    assert_eq!(rest_of(run), rest_of(count));
    let means_nothing = matches!(run.class, Class::Plain | Class::Status | Class::Statistics);
    let is_looked_at = run.level.is_error() || run.level == Level::Warn || !means_nothing;
    let (message, left) = (run.message.decode(), count.message.decode());
    let is_left = run.payload.is_some() && count.payload.is_none();
    if is_looked_at || !is_left {
        assert_eq!(message, left);
        assert_eq!(format!("{:?}", run.payload), format!("{:?}", count.payload));
    } else {
        assert!(left.starts_with(message.as_ref()), "{left}");
    }
    is_left
}

/// Compares several events with the record that stands for them.
fn check_row(row: &[Record<'_>], count: &Record<'_>) {
    let (first, last) = (row.first().expect("two or more"), row.last().expect("two or more"));
    let n = u32::try_from(row.len()).expect("few");
    let expected = Record {
        span: Span { start: first.span.start, end: last.span.end },
        n_lines: n,
        n_events: n,
        until: last.ts,
        ..*first
    };
    assert_eq!(rest_of(&expected), rest_of(count));
    for (at, event) in row.iter().enumerate() {
        // Each is like the first but for its place and its instant, and takes its line up to the next one.
        let next = row.get(at + 1).map_or(last.span.end, |next| next.span.start);
        let alike = Record {
            span: Span { end: next, ..event.span },
            line: first.line + u32::try_from(at).expect("few"),
            until: event.ts,
            clock: None,
            stream: 0,
            flags: Flags::NONE,
            ..*event
        };
        assert_eq!(rest_of(event), rest_of(&alike));
        assert_eq!(
            (event.n_lines, event.level, event.class, event.evidence),
            (1, first.level, first.class, first.evidence)
        );
        assert!(event.level != Level::Warn && !event.level.is_error() && event.ts.is_some());
    }
    assert!(row.is_sorted_by_key(|event| event.ts));
}

/// All but message and payload.
fn rest_of(record: &Record<'_>) -> String {
    let Record {
        span,
        line,
        n_lines,
        n_events,
        ts,
        until,
        clock,
        level,
        class,
        logger,
        stream,
        flags,
        evidence,
        ..
    } = record;
    let place = (span, line, n_lines, n_events, stream);
    format!("{:?}", (place, ts, until, clock, level, class, logger, flags, evidence))
}

fn read<'a>(format: &dyn Format, bytes: &'a [u8], wants: Wants) -> Batch<'a> {
    let mut batch = Batch::new(wants);
    let window = Window { bytes, offset: 0, end: End::Input };
    assert_eq!(format.parse(window, &mut Carry::default(), &mut batch, Delivery::AtEnd), bytes.len());
    batch
}

/// Reads the input in windows of `size` bytes that grow where nothing can be consumed, and tells of what is found
/// as one window would.
fn read_in_windows<'a>(format: &dyn Format, bytes: &'a [u8], wants: Wants, size: usize) -> Batch<'a> {
    let mut all = Batch::new(wants);
    let (mut offset, mut len, mut carry) = (0, size, Carry::default());
    while offset < bytes.len() {
        let stop = bytes.len().min(offset + len);
        let end = if stop == bytes.len() { End::Input } else { End::More };
        let mut part = Batch::new(wants);
        let window = Window { bytes: &bytes[offset..stop], offset: offset as u64, end };
        let consumed = format.parse(window, &mut carry, &mut part, Delivery::AtEnd);
        append(&mut all, part, offset);
        len = if consumed == 0 { len * 2 } else { size };
        offset += consumed;
    }
    all
}

/// Adds what was found in a window that begins at `offset`.
fn append<'a>(all: &mut Batch<'a>, part: Batch<'a>, offset: usize) {
    let lines = u32::try_from(all.account.total().lines).expect("few");
    let streams: Vec<u32> = part.streams.iter().map(|stream| number_of(stream, &mut all.streams)).collect();
    for marked in part.marks {
        all.marks.push(Marked { record: all.records.len() + marked.record, ..marked });
    }
    for record in part.records {
        let span = Span { start: offset + record.span.start, end: offset + record.span.end };
        let stream = record.stream.checked_sub(1).map_or(0, |stream| streams[stream as usize]);
        all.records.push(Record { span, line: lines + record.line, stream, ..record });
    }
    for issue in part.issues {
        // Each window tells of copies once.
        let is_told =
            issue.code == Code::DuplicateRecord && all.issues.iter().any(|told| told.code == issue.code);
        if !is_told {
            let (start, end) = (offset + issue.start, offset + issue.end);
            all.issues.push(Issue { start, end, line: lines + issue.line, ..issue });
        }
    }
    all.account.merge(&part.account);
}

/// The number of a stream, counted from 1.
fn number_of<'a>(stream: &Stream<'a>, known: &mut Vec<Stream<'a>>) -> u32 {
    let at = known.iter().position(|known| known.run_id == stream.run_id).unwrap_or(known.len());
    if at == known.len() {
        known.push(*stream);
    }
    u32::try_from(at + 1).expect("few")
}
