//! Pages of one log that overlap: what stands in two of them counts once, in the runs, in the
//! events and in the account of bytes.

use logmill_analyze::{Buckets, Bytes, Engine, EventsError, Input, Options, Report, Selection};

/// A page of a Cloudflare build, of `[milliseconds, message]`.
fn page(lines: &[(u64, &str)], truncated: bool) -> String {
    let lines: Vec<String> = lines
        .iter()
        .map(|(ms, text)| format!("[{},\"{}\"]", 1_762_000_000_000 + ms, text.replace('"', "\\\"")))
        .collect();
    format!(
        r#"{{"result":{{"truncated":{truncated},"lines":[{}]}},"success":true,"errors":[],"messages":[]}}"#,
        lines.join(",")
    )
}

/// An event as the table shows it: seq, page, message.
type Row = (u64, String, String);

#[track_caller]
fn read(pages: &[String]) -> (Report, Vec<Row>) {
    let name = |index| format!("worker/010de706-67f8-4f99-89ef-0d2c5c5b10d1/page-{index}.json");
    let inputs: Vec<Bytes> =
        pages.iter().enumerate().map(|(index, page)| Bytes::new(name(index + 1), page.as_str())).collect();
    let inputs: Vec<&dyn Input> = inputs.iter().map(|input| input as &dyn Input).collect();
    let engine = Engine::new(Options::default()).expect("threads");
    let survey = engine.survey(&inputs);
    let selection = Selection::default();
    let report = survey.report(&selection, Buckets::default()).expect("buckets");
    let mut rows: Vec<Row> = Vec::new();
    engine
        .events(
            &survey.event_plan(&selection),
            &inputs,
            Vec::new,
            |rows: &mut Vec<Row>, row| {
                let page = row.source.rsplit('/').next().unwrap_or_default().to_owned();
                rows.push((row.seq, page, row.record.message.decode().into_owned()));
            },
            |rows| rows,
            |mut chunk| {
                rows.append(&mut chunk);
                Ok::<(), EventsError>(())
            },
        )
        .expect("unchanged inputs");
    for file in &report.files {
        let parts = file.bytes_record
            + file.bytes_continuation
            + file.bytes_structure
            + file.bytes_duplicate
            + file.bytes_rejected;
        assert_eq!(parts, file.bytes, "{}", file.source);
    }
    (report, rows)
}

const HEAD: &[(u64, &str)] = &[
    (0, "Initializing build environment..."),
    (2000, "Success: Finished initializing build environment"),
    (2500, "Executing user build command: npm run build"),
    (3000, "vite v7.1.2 building for production..."),
];
const TROUBLE: &[(u64, &str)] =
    &[(4000, "npm error code ERESOLVE"), (4000, "npm error could not resolve"), (4001, "npm error")];
const END: (u64, &str) = (5000, "Failed: error occurred while running build command");

#[test]
fn the_events_of_a_page_begin_behind_what_is_left_out() {
    let second = [&HEAD[2..], TROUBLE, &[END]].concat();
    let (report, rows) = read(&[page(HEAD, true), page(&second, false)]);
    let run = &report.runs[0];
    assert_eq!((report.runs.len(), run.n_events, run.n_errors), (1, 6, 2));
    let texts: Vec<(u64, &str, &str)> =
        rows.iter().map(|(seq, page, text)| (*seq, page.as_str(), text.as_str())).collect();
    assert_eq!(
        texts[3..],
        [
            (4, "page-1.json", "vite v7.1.2 building for production..."),
            (5, "page-2.json", "npm error code ERESOLVE\nnpm error could not resolve\nnpm error"),
            (6, "page-2.json", "Failed: error occurred while running build command"),
        ]
    );
}

#[test]
fn a_joined_event_that_is_left_out_takes_its_elements_along() {
    let first = [HEAD, TROUBLE].concat();
    let second = [&HEAD[3..], TROUBLE, &[END]].concat();
    let (report, rows) = read(&[page(&first, true), page(&second, false)]);
    assert_eq!((report.runs[0].n_events, rows.len()), (6, 6));
    let file = &report.files[1];
    let end = format!("[{},\"{}\"]", 1_762_000_005_000_u64, END.1).len() as u64;
    assert_eq!((file.n_events, file.bytes_record, file.bytes_continuation), (1, end, 0));
    // From the first element that is left out to the last, the two commas inside the event included.
    let element = |(ms, text): &(u64, &str)| format!("[{},\"{text}\"]", 1_762_000_000_000 + ms).len() as u64;
    let repeated: u64 = HEAD[3..].iter().chain(TROUBLE).map(element).sum();
    assert_eq!(file.bytes_duplicate, repeated + 2);
}

#[test]
fn parts_of_a_text_follow_each_other_by_name_and_dumps_stand_behind_the_longest() {
    let line = |second: u32| format!("2025-03-01T10:00:{second:02}.000Z INFO  step {second}\n");
    let text = |seconds: std::ops::Range<u32>| seconds.map(line).collect::<String>();
    // The second part is the longer one; the third is a shorter dump of it.
    let (report, rows) = read(&[text(0..3), text(3..12), text(3..5)]);
    let run = &report.runs[0];
    assert_eq!((report.runs.len(), run.n_events, run.duration_ms), (1, 12, Some(11_000)));
    let steps: Vec<&str> = rows.iter().map(|(_, _, message)| message.as_str()).collect();
    assert_eq!((steps[0], steps[3], steps[11]), ("step 0", "step 3", "step 11"));
    assert!(report.issues.iter().all(|issue| issue.code != "backward-clock"), "{:?}", report.issues);
    let duplicate: Vec<u64> = report.files.iter().map(|file| file.bytes_duplicate).collect();
    assert_eq!(duplicate, [0, 0, text(3..5).len() as u64]);
}
