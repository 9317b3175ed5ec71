//! The second pass reads each place about once, whatever stands there and in whatever order the
//! table wants it. Bytes are counted, never seconds.

use std::fmt::Write as _;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use logmill_analyze::model::EventRow;
use logmill_analyze::{Buckets, Bytes, Detail, Engine, EventsError, Input, Options, Selection, SplitRuns};

use crate::support::{Access, Asked, Counted, events, lines, read, survey};

fn options(threads: usize, window_bytes: usize) -> Options {
    Options { threads: NonZeroUsize::new(threads), window_bytes, ..Options::default() }
}

/// Bytes that the first and the second pass read of an input, and the events.
fn passes(input: &Counted, options: Options) -> (u64, u64, Vec<String>) {
    let inputs: [&dyn Input; 1] = [input];
    let engine = Engine::new(options).expect("threads");
    let survey = survey(&engine, &inputs);
    let first = input.asked.take_bytes();
    let (events, unread) = events(&engine, &survey, &inputs);
    assert!(unread.is_empty(), "{unread:?}");
    (first, input.asked.take_bytes(), events)
}

/// A parent's log of so many bytes that relays other runs, all of them from the first minute to the last.
fn parent(children: usize, bytes: usize) -> String {
    let mut log = String::new();
    let mut n = 0;
    while log.len() < bytes {
        let (minute, second) = (n / 60_000, n / 1000 % 60);
        let child = n * 7919 % children;
        let _ = writeln!(
            log,
            "2025-03-01T10:{minute:02}:{second:02}.{:03}Z [apify.child runId:run{child:014}] -> \
             2025-03-01T10:{minute:02}:{second:02}.000Z INFO  item {n}",
            n % 1000
        );
        n += 1;
    }
    log
}

#[test]
fn thousands_of_interleaved_runs_cost_one_reading() {
    // Megabytes where the optimiser has been, and a tenth of all sizes where it has not.
    let scale = if cfg!(debug_assertions) { 10 } else { 1 };
    let log = parent(4000, 10_000_000 / scale);
    let size = log.len() as u64;
    let input = Counted::new("actor/parent.log", log.as_str(), Access::Random);
    let (_, second, events) = passes(&input, options(2, (1 << 20) / scale));
    assert_eq!(events.len(), log.lines().count());
    assert!(second < size + size / 10, "{second} bytes of {size}");
    // In the order of the table: run by run, and in each its events in the order in which they happened.
    let mut expect: Vec<(usize, usize)> = (0..events.len()).map(|n| (n * 7919 % 4000, n)).collect();
    expect.sort_unstable();
    let mut firsts: Vec<usize> = Vec::new();
    let mut found: Vec<(usize, usize)> = Vec::new();
    for event in &events {
        let (run, rest) = event.split_once(' ').expect("a run");
        let run: usize = run.trim_start_matches("run").parse().expect("a number");
        if firsts.last() != Some(&run) {
            firsts.push(run);
        }
        let n: usize = rest.rsplit_once(' ').and_then(|(_, n)| n.parse().ok()).expect("a number");
        let line: usize = rest
            .split_once(".log:")
            .and_then(|(_, rest)| rest.split_once(' ')?.0.parse().ok())
            .expect("a line");
        assert_eq!(line, n + 1);
        found.push((run, n));
    }
    assert_eq!(firsts.len(), 4000, "no run is torn apart");
    found.sort_unstable();
    assert_eq!(found, expect);
}

#[test]
fn a_survey_for_events_tells_the_same_events_and_runs() {
    let mut log = lines(0..40);
    for second in 40..60 {
        let _ = writeln!(log, "2025-03-01T10:00:{second}.000Z ERROR step {second} failed");
        let _ = writeln!(log, "2025-03-01T10:00:{second}.000Z WARN  slow");
    }
    let input = Counted::new("actor/a.log", log.as_str(), Access::Random);
    let inputs: [&dyn Input; 1] = [&input];
    let told = |detail| {
        let engine = Engine::new(Options { detail, ..Options::default() }).expect("threads");
        let survey = survey(&engine, &inputs);
        let mut report = survey.report(&Selection::default(), Buckets::default()).expect("buckets");
        let first_error = report.runs.iter_mut().find_map(|run| run.first_error.take());
        let groups: Vec<u64> = report.errors.iter().map(|group| group.n_events).collect();
        (events(&engine, &survey, &inputs).0, report.runs, report.files, first_error, groups)
    };
    let (all, for_events) = (told(Detail::Everything), told(Detail::Events));
    assert_eq!((all.3.as_deref(), all.4.as_slice()), (Some("step 40 failed"), [20, 20].as_slice()));
    assert_eq!((for_events.3.as_deref(), for_events.4.as_slice()), (None, [].as_slice()));
    assert_eq!(all.0.len(), 80);
    assert_eq!((all.0, all.1, all.2), (for_events.0, for_events.1, for_events.2));
}

/// Executions on one line.
const EXECUTIONS: u32 = 1000;

#[test]
fn a_thousand_executions_on_one_line_cost_one_reading() {
    let mut line = String::from("{\"data\":[");
    for n in 0..EXECUTIONS {
        let comma = if n == 0 { "" } else { "," };
        // The table sorts by start, the line is sorted the other way round.
        let second = EXECUTIONS - n;
        let at = |plus: u32| {
            let second = second + plus;
            format!("2025-03-01T{:02}:{:02}:{:02}.000Z", 10 + second / 3600, second / 60 % 60, second % 60)
        };
        let _ = write!(
            line,
            "{comma}{{\"executionId\":\"e{n:05}\",\"status\":\"COMPLETED\",\"start\":\"{}\",\"stop\":\"{}\",\
             \"results\":[{{\"connectorId\":\"c\",\"status\":\"COMPLETED\",\"start\":\"{}\",\"stop\":\"{}\"}}]}}",
            at(0),
            at(1),
            at(0),
            at(1)
        );
    }
    line.push_str("]}");
    let two_lines = format!("{line}\n{}\n", line.replace("\"e0", "\"f0"));
    for (name, text) in [("wf/page.json", line), ("wf/pages.ndjson", two_lines)] {
        for access in [Access::Random, Access::Stream] {
            let input = Counted::new(name, text.as_str(), access);
            let (first, second, events) = passes(&input, options(2, 1 << 16));
            assert_eq!(events.len() % EXECUTIONS as usize, 0, "{name}");
            assert!(events.len() >= EXECUTIONS as usize, "{name}");
            let size = text.len() as u64;
            assert!(
                first <= size * 5 && second <= size + 10_000,
                "{name} {access:?}: {first} {second} of {size}"
            );
        }
    }
}

/// Several runs in a text of lines without stamps, which can only be read from its start.
#[test]
fn runs_that_stand_in_another_order_than_the_table_cost_one_reading() {
    // Runs are sorted by their start; those in the input begin with the last.
    let mut log = String::new();
    for run in (0..50).rev() {
        let _ = writeln!(
            log,
            "2025-03-01T{:02}:{:02}:00.000Z ACTOR: Pulling container image of build x",
            10 + run / 60,
            run % 60
        );
        let _ = writeln!(log, "2025-03-01T{:02}:{:02}:01.000Z INFO  run {run}", 10 + run / 60, run % 60);
        for n in 0..40 {
            let _ = writeln!(
                log,
                "2025-03-01T{:02}:{:02}:02.000Z INFO  {n} {}",
                10 + run / 60,
                run % 60,
                "x".repeat(100)
            );
        }
    }
    for access in [Access::Random, Access::Stream] {
        let input = Counted::new("actor/all.log", log.as_str(), access);
        let split = Options { split: SplitRuns::Always, ..options(2, 4096) };
        let (_, second, events) = passes(&input, split);
        assert_eq!(events.len(), log.lines().count());
        let runs: Vec<&str> = events
            .iter()
            .filter(|event| event.contains("INFO  run") || event.contains(" run "))
            .map(String::as_str)
            .collect();
        assert_eq!(runs.len(), 50);
        assert!(second <= log.len() as u64 + 10_000, "{access:?}: {second} of {}", log.len());
    }
}

/// One run of several shares: each goes on where another has stopped.
#[test]
fn a_stream_is_not_read_again_for_each_share() {
    let filler = "y".repeat(1000);
    let log: String = lines(0..6000).lines().fold(String::new(), |mut log, line| {
        let _ = writeln!(log, "{line} {filler}");
        log
    });
    let size = log.len() as u64;
    assert!(size > 6_000_000);
    for threads in [1, 2] {
        let input = Counted::new("actor/aB3dE6gH9jK2mN5pQ.log", log.as_str(), Access::Stream);
        let (first, second, events) = passes(&input, options(threads, 1 << 16));
        assert_eq!(events.len(), 6000);
        assert!(events.last().is_some_and(|last| last.starts_with("aB3dE6gH9jK2mN5pQ 6000 ")));
        assert_eq!(first, size);
        // A thread has a place of its own in the stream, and may leave one behind.
        assert!(second <= size * (threads as u64 + 1), "{threads} threads: {second} of {size}");
    }
}

#[test]
fn few_inputs_are_open_at_a_time() {
    // One folder of many parts of one run, and many runs of one file each.
    let asked = Arc::new(Asked::default());
    let line = |n: u32| lines(n..n + 1);
    let part = |n: u32| format!("actor/aB3dE6gH9jK2mN5pQ/page-{n:04}.log");
    let parts = (0..500).map(|n| Counted::new(&part(n), line(n), Access::Random).asking(&asked));
    let runs = (0..500).map(|n| {
        Counted::new(&format!("actor/{n:05}aB3dE6gH9jK2.log"), line(n), Access::Stream).asking(&asked)
    });
    let inputs: Vec<Counted> = parts.chain(runs).collect();
    let inputs: Vec<&dyn Input> = inputs.iter().map(|input| input as &dyn Input).collect();
    let found = read(&inputs, options(2, 1 << 16));
    assert_eq!((found.report.runs.len(), found.events.len()), (501, 1000));
    let most = asked.most_open.load(Ordering::Relaxed);
    assert!(most < 100, "{most} of 1000 inputs were open at a time");
}

/// What stands behind the events of a selected run in one document belongs to nobody.
#[test]
fn runs_of_one_document_are_chosen() {
    let execution = |id: &str, finished: bool| {
        format!(
            r#"{{"executionId":"{id}","startedAt":"2025-05-01T08:00:00.000Z","stoppedAt":"2025-05-01T08:00:01.000Z","finished":{finished},"results":[{{"connectorId":"c","startedAt":"2025-05-01T08:00:00.100Z","stoppedAt":"2025-05-01T08:00:00.200Z","data":null}}]}}"#
        )
    };
    let executions = ["a", "b", "c", "d"].map(|id| execution(id, true)).join(",");
    let input = Bytes::new("page.json", format!("{{\"data\":[{executions}]}}"));
    let inputs: [&dyn Input; 1] = [&input];
    let engine = Engine::new(options(1, 1 << 20)).expect("a thread");
    let survey = engine.survey(&inputs);
    let select = Selection { runs: vec!["b".to_owned()], ..Selection::default() };
    let mut events = Vec::new();
    let push =
        |rows: &mut Vec<String>, row: &EventRow<'_>| rows.push(format!("{} {}", row.run.run_id, row.seq));
    let take = |rows: Vec<String>| -> Result<(), EventsError> {
        events.extend(rows);
        Ok(())
    };
    let told = engine.events(&survey.event_plan(&select), &inputs, Vec::new, push, |rows| rows, take);
    assert!(told.is_ok(), "{told:?}");
    assert_eq!(events, ["b 1"]);
}
