//! `convert`: one table to a file or to standard output, several to a folder; the same bytes for
//! any number of threads.

use std::fmt::Write;

use logmill_generate::{Amount, FormatId, Plan, stream};
use serde_json::Value;

use crate::support::{DEMO, Folder, SHORT_LOG, piped, run, well};

#[test]
fn one_file_with_every_event() {
    let folder = Folder::new();
    let said = well(["convert", DEMO, "-o", &folder.arg("events.ndjson")]);
    let text = std::fs::read_to_string(folder.at("events.ndjson")).expect("a table");
    let events: u64 = logmill_generate::demo().truth.runs.iter().map(|run| run.n_events).sum();
    assert_eq!(text.lines().count() as u64, events);
    assert!(said.err.contains("rows of events to "), "{}", said.err);
    let first: Value = serde_json::from_str(text.lines().next().expect("a line")).expect("JSON");
    assert_eq!(first["seq"], 1);
}

#[test]
fn the_suffix_decides() {
    let folder = Folder::new();
    let log = folder.write("my-actor/aB3dE6gH9jK2mN5pQ.log", SHORT_LOG);
    well(["convert", &log, "-o", &folder.arg("events.parquet")]);
    assert!(std::fs::read(folder.at("events.parquet")).expect("a file").starts_with(b"PAR1"));
    well(["convert", &log, "-o", &folder.arg("runs.csv"), "--table", "runs"]);
    assert!(
        std::fs::read(folder.at("runs.csv")).expect("a file").starts_with(b"platform,kind,group,run_id,")
    );
    well(["convert", &log, "-o", &folder.arg("also.csv"), "--table", "runs", "--to", "csv"]);
    assert_eq!(std::fs::read(folder.at("also.csv")).ok(), std::fs::read(folder.at("runs.csv")).ok());
}

#[test]
fn what_does_not_go_together() {
    let folder = Folder::new();
    let log = folder.write("my-actor/aB3dE6gH9jK2mN5pQ.log", SHORT_LOG);
    let csv = folder.arg("events.csv");
    for args in [
        &["convert", &log, "-o", &csv, "--to", "parquet"][..],
        &["convert", &log, "-o", &csv, "--to", "csv", "--to", "parquet"],
        &["convert", &log, "-o", &csv, "--table", "runs", "--table", "steps"],
        &["convert", &log, "-o", &csv, "--table", "all"],
        &["convert", &log, "-o", "-", "--to", "csv", "--to", "ndjson"],
        &["convert", &log],
    ] {
        let said = run(args);
        assert_eq!(said.code, Some(2), "{args:?} {said:?}");
    }
    assert!(!folder.at("events.csv").exists());
}

#[test]
fn standard_output_holds_data_only() {
    let folder = Folder::new();
    let log = folder.write("my-actor/aB3dE6gH9jK2mN5pQ.log", SHORT_LOG);
    let said =
        well(["convert", &log, "missing-*.log", "-o", "-"].into_iter().filter(|arg| !arg.contains('*')));
    assert_eq!(said.rows().len(), 6);
    assert_eq!(said.err, "");
    let csv = well(["convert", &log, "-o", "-", "--to", "csv", "--table", "steps"]);
    let names: Vec<&str> = csv.out.lines().skip(1).filter_map(|line| line.split(',').nth(8)).collect();
    assert_eq!(names, ["pull", "create", "boot", "work"]);
}

#[test]
fn a_folder_of_tables() {
    let folder = Folder::new();
    well(["convert", DEMO, "-o", &folder.arg("some"), "--table", "runs", "--table", "errors", "--to", "csv"]);
    let names: Vec<String> = folder.files("some").into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["errors.csv", "manifest.json", "runs.csv"]);
    well(["convert", DEMO, "-o", &folder.arg("all"), "--table", "all"]);
    assert_eq!(folder.files("all").len(), 11, "ten tables and the manifest");
}

#[test]
fn a_level_and_all_more_serious_ones() {
    let all = well(["convert", DEMO, "-o", "-"]).rows();
    let errors = well(["convert", DEMO, "-o", "-", "--level", "error"]).rows();
    let is_error = |row: &&Value| matches!(row["level"].as_str(), Some("critical" | "error"));
    assert!(!errors.is_empty() && errors.iter().all(|row| is_error(&row)));
    assert_eq!(errors.len(), all.iter().filter(is_error).count());
}

#[test]
fn csv_for_spreadsheets() {
    let folder = Folder::new();
    let log = folder.write(
        "aB3dE6gH9jK2mN5pQ.log",
        "2026-03-01T10:00:00.000Z ERROR =HYPERLINK(\"http://example.com\")\n",
    );
    let convert = ["convert", &log, "-o", "-", "--to", "csv"];
    assert!(well(convert).out.contains("\"=HYPERLINK("));
    assert!(well(convert.into_iter().chain(["--csv-safe"])).out.contains("\"'=HYPERLINK("));
}

/// Every table but for the manifest, which says when and by which version it was made.
#[track_caller]
fn tables(input: &str, threads: &str) -> Vec<(String, Vec<u8>)> {
    let folder = Folder::new();
    let out = folder.arg("out");
    well([
        "convert",
        input,
        "-o",
        &out,
        "--table",
        "all",
        "--to",
        "csv",
        "--to",
        "ndjson",
        "--threads",
        threads,
    ]);
    folder.files("out")
}

#[test]
fn threads_change_nothing() {
    for input in [DEMO, "testdata/apify-log", "testdata/cloudflare-build", "testdata/alloy-execution"] {
        let one = tables(input, "1");
        assert_eq!(one.len(), 21);
        for (one, four) in one.iter().zip(tables(input, "4")) {
            assert_eq!(one.0, four.0);
            assert!(one.1 == four.1, "{input}: {} differs between 1 and 4 threads", one.0);
        }
    }
}

/// A log of several windows, cut by the threads, read from a file and through a pipe.
#[test]
fn pipes_and_threads_change_nothing() {
    let mut log = Vec::new();
    let plan = Plan::new(FormatId::ApifyLog, 7, Amount::Bytes(3 << 20));
    let truth = stream(&plan, "all", &mut log).expect("writing to memory");
    let args = |path: &'static str, threads: &'static str, to: &'static str| {
        ["convert", path, "-o", "-", "--to", to, "--threads", threads]
    };
    for to in ["csv", "ndjson"] {
        let one = piped(&log, args("-", "1", to));
        assert_eq!(one.code, Some(0), "{}", one.err);
        let four = piped(&log, args("-", "4", to));
        assert!(one.out == four.out, "{to} differs between 1 and 4 threads");
        if to == "ndjson" {
            let events: u64 = truth.runs.iter().map(|run| run.n_events).sum();
            assert_eq!(one.out.lines().count() as u64, events);
        }
    }
    let folder = Folder::new();
    let file = folder.write("all.log", &log);
    let named = well(["convert", &file, "-o", "-"]).rows();
    let from_pipe = piped(&log, args("-", "2", "ndjson")).rows();
    assert_eq!(named.len(), from_pipe.len());
    for (named, from_pipe) in named.iter().zip(&from_pipe) {
        for column in ["seq", "ts", "level", "class", "message", "step", "line", "byte_offset"] {
            assert_eq!(named[column], from_pipe[column], "{column} of {named}");
        }
    }
}

/// One stream of each format, as one file: concatenated logs, lines of JSON.
#[test]
fn one_file_of_many_runs() {
    for format in
        [FormatId::ApifyLog, FormatId::ApifySchedule, FormatId::CloudflareBuild, FormatId::AlloyExecution]
    {
        let mut bytes = Vec::new();
        let truth = stream(&Plan::new(format, 11, Amount::Runs(40)), "all", &mut bytes).expect("memory");
        let folder = Folder::new();
        let file = folder.write("all.log", &bytes);
        let rows = well(["convert", &file, "-o", "-", "--threads", "2"]).rows();
        for run in &truth.runs {
            let n = rows.iter().filter(|row| row["run_id"] == run.run_id).count();
            assert_eq!(n as u64, run.n_events, "{format:?} {}", run.run_id);
        }
        assert_eq!(rows.len() as u64, truth.runs.iter().map(|run| run.n_events).sum::<u64>());
    }
}

/// Several executions on one line, the newest first, as the API hands them out.
#[test]
fn lines_of_pages() {
    let execution = |n: usize| {
        format!(
            r#"{{"executionId":"x{n}","startedAt":"2026-03-01T10:0{n}:00Z","stoppedAt":"2026-03-01T10:0{n}:05Z","finished":true,"results":[{{"connectorId":"a{n}","stoppedAt":"2026-03-01T10:0{n}:01Z"}},{{"connectorId":"b{n}","stoppedAt":"2026-03-01T10:0{n}:02Z"}}]}}"#
        )
    };
    let page = |numbers: [usize; 3]| format!("{{\"data\":[{}]}}\n", numbers.map(execution).join(","));
    let folder = Folder::new();
    let file = folder.write("6ea3a38278ee86e89ce41f7e/all.ndjson", page([6, 5, 4]) + &page([3, 2, 1]));
    let rows = well(["convert", &file, "-o", "-"]).rows();
    let said: Vec<(&str, &str, u64)> = rows
        .iter()
        .map(|row| {
            let text = |name: &str| row[name].as_str().unwrap_or_default();
            (text("run_id"), text("logger"), row["line"].as_u64().unwrap_or_default())
        })
        .collect();
    let expect = [
        ("x1", "a1", 2),
        ("x1", "b1", 2),
        ("x2", "a2", 2),
        ("x2", "b2", 2),
        ("x3", "a3", 2),
        ("x3", "b3", 2),
        ("x4", "a4", 1),
        ("x4", "b4", 1),
        ("x5", "a5", 1),
        ("x5", "b5", 1),
        ("x6", "a6", 1),
        ("x6", "b6", 1),
    ];
    assert_eq!(said, expect);
}

/// Offsets are those of the file, a byte order mark included.
#[test]
fn offsets_count_from_the_first_byte() {
    let folder = Folder::new();
    let build = "2026-03-01T10:00:00.000Z\tInitializing build environment...\n\
                 2026-03-01T10:00:01.000Z\tCloning repository...\n";
    for (name, bytes) in [("aB3dE6gH9jK2mN5pQ.log", SHORT_LOG), ("build.log", build)] {
        for mark in ["", "\u{feff}"] {
            let text = format!("{mark}{bytes}");
            let file = folder.write(name, &text);
            for row in well(["convert", &file, "-o", "-"]).rows() {
                let at = usize::try_from(row["byte_offset"].as_u64().expect("a number")).expect("small");
                let line = usize::try_from(row["line"].as_u64().expect("a number")).expect("small");
                let starts = text.get(at..).expect("inside").starts_with("2026-03-01T10:00:0");
                assert!(starts, "{name} {row}");
                assert_eq!(line, 1 + text.get(..at).expect("inside").matches('\n').count(), "{name} {row}");
            }
        }
    }
}

/// Builds pasted one after the other, the newest first, in more than one window: events come in the
/// order of the table all the same.
#[test]
fn order_does_not_depend_on_windows() {
    let build = |day: u32| {
        let mut log = format!("2026-03-0{day}T10:00:00.000Z\tInitializing build environment...\n");
        for line in 0..14_000 {
            let (minute, second) = (line / 600, line / 10 % 60);
            let _ = writeln!(
                log,
                "2026-03-0{day}T10:{minute:02}:{second:02}.000Z\tline {line} of a build that says the same thing for a very long time, as builds do"
            );
        }
        log
    };
    let folder = Folder::new();
    let log = build(9) + &build(2);
    assert!(log.len() > 2 << 20, "more than is read at once");
    let file = folder.write("builds.log", log);
    let rows = well(["convert", &file, "-o", "-"]).rows();
    assert_eq!(rows.len(), 2 * 14_001);
    let days: Vec<&str> = rows.iter().filter_map(|row| row["ts"].as_str()?.get(..10)).collect();
    assert!(days.is_sorted(), "the build of the 2nd comes first");
    let runs: Vec<&str> = rows.iter().filter_map(|row| row["run_id"].as_str()).collect();
    assert_eq!(runs.chunk_by(|a, b| a == b).count(), 2);
}
