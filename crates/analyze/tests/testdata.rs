//! Over all of `testdata/`: every byte and line is accounted for, steps and gaps add up, and
//! neither threads nor windows change anything.

use std::num::NonZeroUsize;
use std::path::Path;

use logmill_analyze::model::EventRow;
use logmill_analyze::{Buckets, Bytes, Engine, EventsError, Input, Options, Report, Selection};

fn inputs() -> Vec<Bytes> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata");
    let mut inputs = Vec::new();
    collect(&root, "testdata", &mut inputs);
    assert!(inputs.len() > 100, "testdata is there");
    inputs
}

#[expect(clippy::disallowed_methods, reason = "the test reads testdata")]
fn collect(folder: &Path, name: &str, inputs: &mut Vec<Bytes>) {
    let entries = std::fs::read_dir(folder).expect("a folder");
    let mut paths: Vec<_> = entries.map(|entry| entry.expect("an entry").path()).collect();
    paths.sort();
    for path in paths {
        let name = format!("{name}/{}", path.file_name().expect("a name").to_string_lossy());
        if path.is_dir() {
            collect(&path, &name, inputs);
        } else if !name.ends_with(".expect.json") {
            inputs.push(Bytes::new(name, std::fs::read(&path).expect("a file")));
        }
    }
}

/// The report, and every event as one line of text.
fn analyze(inputs: &[Bytes], options: Options) -> (Report, Vec<String>) {
    let inputs: Vec<&dyn Input> = inputs.iter().map(|input| input as &dyn Input).collect();
    let engine = Engine::new(options).expect("threads");
    let survey = engine.survey(&inputs);
    let select = Selection::default();
    let mut events = Vec::new();
    let push = |lines: &mut Vec<String>, row: &EventRow<'_>| lines.push(line(row));
    let plan = survey.event_plan(&select);
    let take = |lines: Vec<String>| -> Result<(), EventsError> {
        events.extend(lines);
        Ok(())
    };
    engine.events(&plan, &inputs, Vec::new, push, |lines| lines, take).expect("memory can be read again");
    (survey.report(&select, Buckets::default()).expect("buckets"), events)
}

fn line(row: &EventRow<'_>) -> String {
    let record = row.record;
    format!(
        "{} {} {} {}:{} @{} {:?} {} {} {:?} {:?} {:?} {}+{}",
        row.run.run_id,
        row.seq,
        row.step.map_or("-", |(_, name)| name),
        row.source,
        row.line,
        row.byte_offset,
        record.ts,
        record.level,
        record.class,
        String::from_utf8_lossy(record.logger),
        record.message.decode(),
        record.payload.map(|payload| payload.decode()),
        record.n_lines,
        record.span.len(),
    )
}

#[test]
fn every_byte_and_line_is_accounted_for() {
    let (report, events) = analyze(&inputs(), Options::default());
    for file in &report.files {
        let parts = [
            file.bytes_record,
            file.bytes_continuation,
            file.bytes_structure,
            file.bytes_duplicate,
            file.bytes_rejected,
        ];
        assert_eq!(parts.iter().sum::<u64>(), file.bytes, "{}", file.source);
    }
    let accounting: Vec<_> = report.issues.iter().filter(|issue| issue.code == "accounting").collect();
    assert!(accounting.is_empty(), "{accounting:?}");
    let of_runs: u64 = report.runs.iter().map(|run| run.n_events).sum();
    let of_files: u64 = report.files.iter().map(|file| file.n_events).sum();
    assert_eq!((of_runs, of_files), (events.len() as u64, events.len() as u64));
}

#[test]
fn steps_and_gaps_add_up_to_the_run() {
    let (report, _) = analyze(&inputs(), Options::default());
    let mut checked = 0;
    for (index, run) in report.runs.iter().enumerate() {
        let steps = || report.steps.iter().filter(move |step| step.run == index && step.depth == 0);
        let (Some(duration), Some(tail)) = (run.duration_ms, run.tail_gap_ms) else { continue };
        let sum: i64 = steps().filter_map(|step| Some(step.duration_ms? + step.gap_before_ms?)).sum();
        assert_eq!(sum + tail, duration, "{} {}", run.source, run.run_id);
        checked += 1;
    }
    assert!(checked > 100, "only {checked} runs have steps");
}

#[test]
fn threads_and_windows_change_nothing() {
    let inputs = inputs();
    let (report, events) = analyze(&inputs, Options::default());
    for (threads, window_bytes) in [(1, 64), (2, 256), (8, 4096), (2, 4 << 20)] {
        let options = Options { threads: NonZeroUsize::new(threads), window_bytes, ..Options::default() };
        let (other, other_events) = analyze(&inputs, options);
        let what = format!("{threads} threads, windows of {window_bytes} bytes");
        for (a, b) in events.iter().zip(&other_events) {
            assert_eq!(a, b, "{what}");
        }
        assert_eq!(events.len(), other_events.len(), "{what}");
        for (a, b) in report.files.iter().zip(&other.files) {
            assert_eq!(a, b, "{what}");
        }
        for (a, b) in report.issues.iter().zip(&other.issues) {
            assert_eq!(a, b, "{what}");
        }
        assert!(report == other, "{what}: the reports differ");
    }
}
