//! 0 done, 1 done with complaints, 2 usage, 3 output or system. Bad lines change nothing.

use std::process::Stdio;

use crate::support::{DEMO, Folder, SHORT_LOG, finish, logmill, piped, run, well};

#[test]
fn what_was_named_must_be_readable() {
    let said = run(["runs", "no/such/file.log"]);
    assert_eq!(said.code, Some(1), "{said:?}");
    assert!(said.err.contains("error: no/such/file.log: "), "{}", said.err);
    let said = run(["runs", "no/such/*.log"]);
    assert_eq!(said.code, Some(1), "{said:?}");
    assert_eq!(said.err, "error: no/such/*.log: expected files that match the pattern, found none\n");

    let folder = Folder::new();
    let photo = folder.write("photo.png", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR");
    let said = run(["report", &photo]);
    assert_eq!(said.code, Some(1), "{said:?}");
    assert!(said.err.contains("error: "), "{}", said.err);
}

#[test]
fn outputs_are_written_all_the_same() {
    let folder = Folder::new();
    let log = folder.write("my-actor/aB3dE6gH9jK2mN5pQ.log", SHORT_LOG);
    let said = run(["convert", &log, "missing.log", "-o", &folder.arg("runs.csv"), "--table", "runs"]);
    assert_eq!(said.code, Some(1), "{said:?}");
    assert!(std::fs::read_to_string(folder.at("runs.csv")).expect("a file").contains("aB3dE6gH9jK2mN5pQ"));
}

#[test]
fn what_was_found_by_walking_may_be_anything() {
    let folder = Folder::new();
    folder.write("dumps/my-actor/aB3dE6gH9jK2mN5pQ.log", SHORT_LOG);
    folder.write("dumps/photo.png", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR");
    folder.write("dumps/README.txt", "Some words of ours.\n");
    folder.write("dumps/notes.txt", "More words of ours.\n");
    let said = well(["report", &folder.arg("dumps")]);
    let about: Vec<&str> = said.err.lines().collect();
    assert_eq!(about.len(), 1, "one line for all of them: {about:?}");
    assert!(about[0].starts_with("note: 3 files are no logs: "), "{about:?}");
    assert_eq!(run(["report", &folder.arg("dumps"), "--strict"]).code, Some(1));
}

#[cfg(unix)]
#[test]
fn what_was_found_by_walking_may_be_unreadable() {
    let folder = Folder::new();
    folder.write("dumps/my-actor/aB3dE6gH9jK2mN5pQ.log", SHORT_LOG);
    std::os::unix::fs::symlink("nowhere", folder.at("dumps/dangling.log")).expect("a link");
    let said = well(["report", &folder.arg("dumps")]);
    assert!(said.err.starts_with("warning: 1 file could not be read: "), "{}", said.err);
}

#[test]
fn bad_lines_do_not_matter_unless_strict() {
    let folder = Folder::new();
    let log = folder
        .write("aB3dE6gH9jK2mN5pQ.log", [SHORT_LOG.as_bytes(), b"2026-03-01T10:00:05.000Z \xff\n"].concat());
    well(["report", &log]);
    let said = run(["report", &log, "--strict", "--quiet"]);
    assert_eq!(said.code, Some(1));
    assert_eq!(said.err, "error: 1 issue is more than --strict allows\n");
}

#[test]
fn an_error_answer_is_read_as_what_it_is() {
    let folder = Folder::new();
    let body = r#"{"error":{"type":"record-not-found","message":"Actor run was not found"}}"#;
    let log = folder.write("aB3dE6gH9jK2mN5pQ.log", body);
    let said = well(["runs", "--json", &log]);
    assert_eq!(said.out, "");
    assert!(said.err.contains("record-not-found"), "{}", said.err);
}

#[test]
fn usage() {
    for args in [
        &["no-such-command"][..],
        &["report"],
        &["report", DEMO, "--no-such-option"],
        &["report", DEMO, "--from", "no-such-format"],
        &["report", DEMO, "--bucket", "7h"],
        &["report", DEMO, "--bucket", "1m", "--since", "gestern"],
        &["report", DEMO, "--time-zone", "Mars/Olympus"],
        &["report", DEMO, "--threads", "0"],
        &["report", DEMO, "-o", "report.html"],
        &["report", DEMO, "-o", "runs.csv"],
        &["convert", DEMO, "-o", "events.csv.gz"],
        &["convert", DEMO, "-o", "events.xlsx"],
        &["runs", DEMO, "--sort", "no_such_column"],
        &["runs", DEMO, "--status", "fine"],
        &["runs", DEMO, "--level", "error"],
        &["schema", "no_such_table"],
        &["explain", "no-such-code"],
    ] {
        let said = run(args);
        assert_eq!(said.code, Some(2), "{args:?} {said:?}");
        assert_eq!(said.out, "", "{args:?}");
        assert!(said.err.starts_with("error: "), "{args:?} {}", said.err);
    }
}

#[test]
fn outputs_that_exist_stay() {
    let folder = Folder::new();
    let log = folder.write("my-actor/aB3dE6gH9jK2mN5pQ.log", SHORT_LOG);
    let file = folder.write("runs.csv", "mine");
    let convert = ["convert", &log, "-o", &file, "--table", "runs"];
    let said = run(convert);
    assert_eq!(said.code, Some(3), "{said:?}");
    assert!(said.err.contains("--overwrite"), "{}", said.err);
    assert_eq!(std::fs::read(folder.at("runs.csv")).expect("a file"), b"mine");
    well(convert.into_iter().chain(["--overwrite"]));
    assert_ne!(std::fs::read(folder.at("runs.csv")).expect("a file"), b"mine");

    let out = folder.arg("out");
    well(["report", &log, "-o", &out, "--to", "csv"]);
    let before = folder.files("out");
    let said = run(["report", &log, "-o", &out]);
    assert_eq!(said.code, Some(3), "{said:?}");
    assert!(said.err.contains("--overwrite"), "{}", said.err);
    assert_eq!(folder.files("out"), before);
    // As a set: the CSV files of the earlier one go.
    well(["report", &log, "-o", &out, "--overwrite"]);
    let names: Vec<String> = folder.files("out").into_iter().map(|(name, _)| name).collect();
    assert_eq!(names.len(), 10, "{names:?}");
    assert!(!names.contains(&"runs.csv".to_owned()), "{names:?}");
}

#[test]
fn a_folder_that_cannot_be() {
    let folder = Folder::new();
    let log = folder.write("my-actor/aB3dE6gH9jK2mN5pQ.log", SHORT_LOG);
    assert_eq!(run(["report", &log, "-o", &log]).code, Some(3));
    assert_eq!(run(["convert", &log, "-o", &folder.arg("no/such/folder/events.csv")]).code, Some(3));
    assert_eq!(run(["demo", folder.path().to_str().expect("UTF-8")]).code, Some(3));
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk() {
    let full = || std::fs::File::options().write(true).open("/dev/full").expect("/dev/full");
    for args in [
        &["report", DEMO][..],
        &["report", DEMO, "--json"],
        &["runs", DEMO],
        &["convert", DEMO, "-o", "-"],
        &["convert", DEMO, "-o", "-", "--to", "parquet"],
        &["detect", DEMO],
        &["schema"],
        &["formats"],
        &["--help"],
    ] {
        let said = finish(logmill().args(args).stdout(Stdio::from(full())).stderr(Stdio::piped()));
        assert_eq!(said.code, Some(3), "{args:?} {said:?}");
        assert!(said.err.contains("error: "), "{args:?} {}", said.err);
    }
}

#[test]
fn a_reader_that_stops_is_no_error() {
    for args in [&["convert", DEMO, "-o", "-"][..], &["steps", DEMO], &["schema"], &["--help"]] {
        let (reader, writer) = std::io::pipe().expect("a pipe");
        drop(reader);
        let said = finish(logmill().args(args).stdout(writer).stderr(Stdio::piped()));
        assert_eq!(said.code, Some(0), "{args:?} {said:?}");
        assert!(!said.err.contains("error"), "{args:?} {}", said.err);
    }
}

#[test]
fn nobody_listens_at_all() {
    let (reader, writer) = std::io::pipe().expect("a pipe");
    drop(reader);
    let said = finish(logmill().args(["runs", DEMO, "--sort", "nonsense"]).stderr(writer));
    assert_eq!(said.code, Some(2), "{said:?}");
}

#[test]
fn standard_input() {
    let said = piped(SHORT_LOG.as_bytes(), ["runs", "-", "--json"]);
    assert_eq!(said.code, Some(0), "{said:?}");
    let rows = said.rows();
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0]["source"], "-");
    assert_eq!(rows[0]["duration_ms"], 4000);
    assert_eq!(piped(b"", ["runs", "-", "--json"]).code, Some(0), "an empty input is empty");
}

/// A message says what, where, and what to do; a file that is not there, which one may be meant.
#[test]
fn what_is_wrong_with_an_input_is_shown() {
    let folder = Folder::new();
    let letter = folder.write("letter.txt", "Dear reader,\nhello\n");
    let said = run(["runs", &letter]);
    assert_eq!(
        said.err,
        format!(
            "error: {letter}: expected one of the formats of `logmill formats`, found text without anything a log \
             of these formats has\n  |\n1 | Dear reader,\n  | ^\n  = help: if it is one of them all the same, name \
             it with --from\n"
        )
    );
    let said = run(["runs", &folder.arg("leter.txt")]);
    assert!(said.err.contains(&format!("= help: there is `{letter}` beside it")), "{}", said.err);
}

/// `--verbose` shows every place that was not read as expected, with its line and a caret.
#[test]
fn issues_are_shown_where_they_are() {
    let folder = Folder::new();
    let mut log = SHORT_LOG.as_bytes().to_vec();
    log.extend_from_slice(b"2026-03-01T10:00:05.000Z INFO  caf\xc3\xa9 \xff!\n");
    let log = folder.write("my-actor/aB3dE6gH9jK2mN5pQ.log", log);
    let brief = well(["runs", &log]);
    assert_eq!(brief.err, "note: 1 issue: 1 invalid-utf8; --verbose shows where\n");
    let every = well(["runs", &log, "--verbose"]);
    assert_eq!(every.out, brief.out);
    // 31 characters, `café `, and then the byte.
    let expect = format!(
        "warning[invalid-utf8]: expected UTF-8, found other bytes\n --> {log}:7:37\n  |\n\
         7 | 2026-03-01T10:00:05.000Z INFO  café \\xff!\n  | {}^^^^\n\n\
         note: 1 issue: 1 invalid-utf8; `logmill explain CODE` explains them\n",
        " ".repeat(36)
    );
    assert_eq!(every.err, expect);
    assert_eq!(run(["runs", &log, "--verbose", "--quiet"]).code, Some(2));
}

/// However many there are, a hundred are shown.
#[test]
fn shown_issues_are_bounded() {
    let folder = Folder::new();
    let line = "{\"message\":\"x\",\"level\":\"INFO\",\"createdAt\":\"2026-13-01T06:00:00.685Z\"}";
    let good = line.replace("-13-", "-12-");
    for file in 0..3 {
        let body = format!("{{\"data\":[{good},{}]}}", vec![line; 60].join(","));
        folder.write(&format!("dumps/poESMqicnOhK0JqT{file}.json"), body);
    }
    let said = well(["runs", &folder.arg("dumps"), "--verbose"]);
    assert_eq!(said.err.matches("warning[bad-timestamp]").count(), 100);
    assert!(said.err.contains("… 80 more issues: "), "{}", said.err);
}
