//! Dumps of one log that look different byte by byte count once.

use logmill_analyze::{Input, Options};

use crate::support::{Access, Counted, Found, lines, read};

const RUN: &str = "aB3dE6gH9jK2mN5pQ";

#[track_caller]
fn read_dumps(dumps: &[(&str, Vec<u8>, Access)]) -> Found {
    let inputs: Vec<Counted> = dumps
        .iter()
        .map(|(name, bytes, access)| Counted::new(&format!("actor/{name}"), bytes.clone(), *access))
        .collect();
    let inputs: Vec<&dyn Input> = inputs.iter().map(|input| input as &dyn Input).collect();
    let mut found: Vec<Found> = [64, 4096, 1 << 20]
        .iter()
        .map(|window| read(&inputs, Options { window_bytes: *window, ..Options::default() }))
        .collect();
    let last = found.remove(2);
    for other in found {
        assert_eq!(last.events, other.events);
        assert!(last.report == other.report);
    }
    assert!(last.unread.is_empty(), "{:?}", last.unread);
    last
}

/// Checks that a run of so many steps was found, and how many bytes of each dump are duplicate.
#[track_caller]
fn check(dumps: &[(&str, Vec<u8>, Access)], steps: u64, duplicate: &[u64]) {
    let found = read_dumps(dumps);
    assert_eq!(found.report.runs.len(), 1);
    let run = &found.report.runs[0];
    assert_eq!((run.run_id.as_str(), run.n_events, found.events.len() as u64), (RUN, steps, steps));
    let found: Vec<u64> = found.report.files.iter().map(|file| file.bytes_duplicate).collect();
    assert_eq!(found, duplicate);
}

fn name(ending: &str) -> String {
    format!("{RUN}{ending}")
}

#[test]
fn a_tail_beside_the_whole() {
    let (whole, tail) = (lines(0..500), lines(400..500));
    let whole_bytes = whole.clone().into_bytes();
    // Whichever comes first, the whole one stays.
    let (one, two) = (name(".1.log"), name(".2.log"));
    check(
        &[(&one, whole_bytes.clone(), Access::Random), (&two, tail.clone().into(), Access::Random)],
        500,
        &[0, tail.len() as u64],
    );
    check(
        &[(&one, tail.clone().into(), Access::Random), (&two, whole_bytes, Access::Random)],
        500,
        &[tail.len() as u64, 0],
    );
    // One that begins inside of a line.
    let cut = tail[30..].to_owned();
    let found = read_dumps(&[(&one, whole.into(), Access::Random), (&two, cut.into(), Access::Random)]);
    assert_eq!((found.report.runs[0].n_events, found.report.files[1].n_events), (500, 0));
}

#[test]
fn windows_line_ends_and_colours() {
    let plain = lines(0..500);
    let crlf = plain.replace('\n', "\r\n");
    let coloured = plain.replace("INFO ", "\u{1b}[32mINFO\u{1b}[39m ");
    let (one, two) = (name(".log"), name(".raw.log"));
    for other in [crlf, coloured] {
        let n = other.len() as u64;
        let dumps = [(&*one, plain.clone().into(), Access::Random), (&*two, other.into(), Access::Random)];
        check(&dumps, 500, &[0, n]);
    }
}

#[test]
fn a_compressed_copy_beside_the_plain_one() {
    let log = lines(0..500);
    let n = log.len() as u64;
    let (one, two) = (name(".log"), name(".log.gz"));
    check(
        &[(&one, log.clone().into(), Access::Random), (&two, log.clone().into(), Access::Stream)],
        500,
        &[0, n],
    );
    check(&[(&one, log.clone().into(), Access::Stream), (&two, log.into(), Access::Stream)], 500, &[0, n]);
    // An earlier one that was cut inside of a line.
    let cut = lines(0..300);
    let cut = &cut[..cut.len() - 3];
    let whole = lines(0..500);
    check(
        &[(&one, cut.into(), Access::Stream), (&two, whole.into(), Access::Random)],
        500,
        &[cut.len() as u64, 0],
    );
}

#[test]
fn parts_that_overlap() {
    let (one, two, three) = (name(".1.log"), name(".2.log"), name(".3.log"));
    let dumps = [
        (&*one, lines(0..200).into(), Access::Random),
        (&*two, lines(150..400).replace('\n', "\r\n").into(), Access::Stream),
        (&*three, lines(390..500).into(), Access::Random),
    ];
    let duplicate = [0, lines(150..200).len() as u64 + 50, lines(390..400).len() as u64];
    check(&dumps, 500, &duplicate);
}

#[test]
fn parts_that_overlap_in_the_other_order_of_their_names() {
    let (one, two) = (name(".1.log"), name(".2.log"));
    let dumps =
        [(&*one, lines(150..400).into(), Access::Random), (&*two, lines(0..200).into(), Access::Random)];
    check(&dumps, 400, &[lines(150..200).len() as u64, 0]);
    let found = read_dumps(&dumps);
    assert!(found.events[0].ends_with("step 0") && found.events[399].ends_with("step 399"));
    assert!(found.report.issues.iter().all(|issue| issue.code != "backward-clock"));
}

#[test]
fn what_only_looks_alike_counts_twice() {
    let (one, two) = (name(".1.log"), name(".2.log"));
    check(
        &[(&one, lines(0..200).into(), Access::Random), (&two, lines(200..400).into(), Access::Random)],
        400,
        &[0, 0],
    );
}

#[test]
fn hundreds_of_equal_pages_take_no_time_to_speak_of() {
    let names: Vec<String> = (0..400).map(|n| format!("{RUN}/page-{n:04}.log")).collect();
    let inputs: Vec<Counted> =
        names.iter().map(|name| Counted::new(name, lines(0..50), Access::Random)).collect();
    let inputs: Vec<&dyn Input> = inputs.iter().map(|input| input as &dyn Input).collect();
    let found = read(&inputs, Options::default());
    assert_eq!((found.report.runs.len(), found.events.len()), (1, 50));
}

/// Of two copies of a run that the source names itself the more complete one stays, and what is left
/// out is charged to the files it stands in.
#[test]
fn the_more_complete_of_two_runs_stays() {
    let execution = |id: &str, steps: usize| {
        let result = r#"{"connectorId":"c","status":"COMPLETED","start":"2025-03-01T10:00:00.000Z","stop":"2025-03-01T10:00:01.000Z"}"#;
        format!(
            r#"{{"executionId":"{id}","status":"COMPLETED","start":"2025-03-01T10:00:00.000Z","stop":"2025-03-01T10:00:05.000Z","results":[{}]}}"#,
            vec![result; steps].join(",")
        )
    };
    let page = |executions: &[String]| format!(r#"{{"data":[{}]}}"#, executions.join(","));
    let short = page(&[execution("x", 2), execution("y", 1)]);
    let long = page(&[execution("x", 5)]);
    let inputs = [
        Counted::new("wf/page-1.json", short, Access::Random),
        Counted::new("wf/page-2.json", long, Access::Random),
    ];
    let inputs: Vec<&dyn Input> = inputs.iter().map(|input| input as &dyn Input).collect();
    let found = read(&inputs, Options::default());
    let runs: Vec<(&str, u64)> =
        found.report.runs.iter().map(|run| (run.run_id.as_str(), run.n_events)).collect();
    assert_eq!(runs, [("x", 5), ("y", 1)]);
    let n_events: Vec<u64> = found.report.files.iter().map(|file| file.n_events).collect();
    assert_eq!(n_events, [1, 5]);
    let duplicate: Vec<bool> = found.report.files.iter().map(|file| file.bytes_duplicate > 0).collect();
    assert_eq!(duplicate, [true, false]);
}
