//! `explain`: codes, and lines of logs.

use std::collections::BTreeSet;

use logmill_parse::Code;
use serde_json::Value;

use crate::support::{DEMO, Folder, run, well};

#[test]
fn explain_covers_every_code() {
    let all = well(["explain"]).out;
    for code in Code::ALL {
        let one = well(["explain", code.as_str()]).out;
        assert!(one.starts_with(code.as_str()), "{one}");
        assert!(one.lines().count() >= 2, "{one}");
        assert!(all.contains(&one), "{}", code.as_str());
    }
    let json = well(["explain", "--json"]).rows();
    let codes: Vec<&str> = json.iter().filter_map(|row| row["code"].as_str()).collect();
    assert_eq!(codes, Code::ALL.iter().map(|code| code.as_str()).collect::<Vec<_>>());
}

const TRACEBACK: &str = "\
2026-03-01T10:00:00.000Z ACTOR: Pulling Docker image of build bU1ldAbCdEfGh2345 from registry.
2026-03-01T10:00:00.500Z ACTOR: Creating Docker container.
2026-03-01T10:00:01.000Z ACTOR: Starting Docker container.
2026-03-01T10:00:02.000Z INFO  Hello from the actor
2026-03-01T10:00:03.000Z ERROR CheerioCrawler: Request failed and reached maximum retries. Error: no
2026-03-01T10:00:03.000Z     at load (/usr/src/app/main.js:5:9)
2026-03-01T10:00:03.001Z     at main (/usr/src/app/main.js:9:1)

2026-03-01T10:00:04.000Z INFO  The status message
";

/// The value of a field of the text.
fn field<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let name = format!("  {name:<8} ");
    text.lines().find_map(|line| line.strip_prefix(&name))
}

#[test]
fn a_line_is_explained_by_the_event_it_was_joined_to() {
    let folder = Folder::new();
    let log = folder.write("my-actor/aB3dE6gH9jK2mN5pQ.log", TRACEBACK);
    let text = well(["explain", &format!("{log}:7")]).out;
    assert!(field(&text, "format").expect("a format").starts_with("apify-log, by the file's"), "{text}");
    // Lines 5 to 7 are 101, 64 and 64 bytes long and stand behind 95 + 59 + 59 + 52.
    assert_eq!(
        field(&text, "event"),
        Some("lines 5–7, 229 bytes from byte 265; this line was joined to"),
        "{text}"
    );
    assert!(
        text.contains("       5 | 2026-03-01T10:00:03.000Z ERROR CheerioCrawler: Request failed"),
        "{text}"
    );
    assert_eq!(field(&text, "ts"), Some("2026-03-01T10:00:03.000000Z"));
    assert_eq!(field(&text, "level"), Some("error"));
    assert_eq!(field(&text, "class"), Some("failure"));
    assert_eq!(field(&text, "logger"), Some("CheerioCrawler"));
    assert!(field(&text, "run").expect("a run").starts_with("apify run aB3dE6gH9jK2mN5pQ of my-actor, "));
    assert!(field(&text, "step").expect("a step").ends_with("event 5 of 6 of the run"), "{text}");
    assert_eq!(field(&text, "issues"), Some("none"));

    let opening = well(["explain", &format!("{log}:3")]).out;
    assert!(opening.contains("  mark     opening: "), "{opening}");
    let blank = well(["explain", &format!("{log}:8")]).out;
    assert_eq!(field(&blank, "event"), Some("none: the line is blank"), "{blank}");
}

/// What is said of every line is what stands in the table of events.
#[test]
fn lines_agree_with_the_events() {
    let log = format!("{DEMO}/apify/job-board-monitor/ESVU4foELcAVoeypg.log");
    let folder = Folder::new();
    well(["convert", &log, "-o", &folder.arg("events.ndjson")]);
    let text = std::fs::read_to_string(folder.at("events.ndjson")).expect("a table");
    let rows: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    for line in [1, 9, 26, 27, 29, 31, 32, 60] {
        let said = well(["explain", &format!("{log}:{line}"), "--json"]).rows().remove(0);
        let is_on = |row: &&Value| {
            let first = row["line"].as_u64().expect("a line");
            (first..first + row["n_lines"].as_u64().expect("lines")).contains(&line)
        };
        let on_line: Vec<&Value> = rows.iter().filter(is_on).collect();
        let events = said["events"].as_array().expect("events");
        assert_eq!(events.len(), on_line.len(), "line {line}: {said}");
        for (event, row) in events.iter().zip(on_line) {
            for name in [
                "run_id",
                "group",
                "seq",
                "ts",
                "level",
                "class",
                "logger",
                "message",
                "payload",
                "step_seq",
                "step",
                "byte_offset",
                "n_bytes",
            ] {
                assert_eq!(event[name], row[name], "{name} of line {line}");
            }
        }
    }
}

#[test]
fn a_column_chooses_one_of_several_events_of_a_line() {
    let folder = Folder::new();
    let body = r#"{"data":[{"message":"Schedule invoked","level":"INFO","createdAt":"2026-03-01T06:00:00.685Z"},{"message":"Cannot start","level":"ERROR","createdAt":"2026-03-01T06:00:01.000Z"}]}"#;
    let log = folder.write("schedules/poESMqicnOhK0JqTV.json", body);
    let all = well(["explain", &format!("{log}:1"), "--json"]).rows().remove(0);
    let events = |said: &Value| said["events"].as_array().map_or(0, Vec::len);
    assert_eq!(events(&all), 2, "{all}");
    // The second element begins behind `{"data":[`, 84 bytes of the first element and a comma.
    for (column, expect) in
        [(9, None), (10, Some("info")), (93, Some("info")), (94, None), (95, Some("error"))]
    {
        let one = well(["explain", &format!("{log}:1:{column}"), "--json"]).rows().remove(0);
        assert_eq!(one["events"][0]["level"].as_str(), expect, "column {column}: {one}");
        assert_eq!(events(&one), usize::from(expect.is_some()), "column {column}");
    }
}

#[test]
fn what_is_no_log_is_said() {
    let folder = Folder::new();
    let text = folder.write("letter.txt", "Dear reader,\nhello\n");
    let said = run(["explain", &format!("{text}:1")]);
    assert_eq!(said.code, Some(1), "{said:?}");
    assert!(said.out.contains("unknown-format"), "{said:?}");
    for (what, expect) in [
        (format!("{DEMO}/apify/job-board-monitor/ESVU4foELcAVoeypg.log:61"), "a line from 1 to 60"),
        (text.clone(), ".txt:1`"),
        (format!("{DEMO}:1"), "expected one file"),
        ("trunacted-log".to_owned(), "did you mean `truncated-log`?"),
        ("nonsense".to_owned(), "FILE:LINE, found `nonsense`"),
    ] {
        let said = run(["explain", &what]);
        assert_eq!(said.code, Some(2), "{said:?}");
        assert!(said.err.contains(expect), "{said:?}");
    }
    assert_eq!(run(["explain", "no/such/file.log:3"]).code, Some(1));
}

/// Whatever shape a log has, lines of it can be explained, and JSON has the same names.
#[test]
fn every_shape() {
    let names = |value: &Value| -> BTreeSet<String> {
        value.as_object().map(|object| object.keys().cloned().collect()).unwrap_or_default()
    };
    for file in well(["detect", DEMO, "--json"]).rows() {
        let source = file["source"].as_str().expect("a path");
        let is_log = file["n_events"].as_u64() > Some(0);
        if !is_log && file["format"] != "unknown" {
            continue;
        }
        let said = run(["explain", &format!("{source}:1"), "--json"]);
        assert_eq!(said.code, Some(i32::from(!is_log)), "{said:?}");
        let object = said.rows().remove(0);
        let expect =
            ["byte_offset", "claims", "events", "format", "issues", "line", "shape", "source", "text"];
        assert_eq!(names(&object).into_iter().collect::<Vec<_>>(), expect, "{source}");
        assert_eq!(object["format"], file["format"]);
    }
}

/// A member of an archive is named behind `!`, and explained like a file.
#[cfg(unix)]
#[test]
fn lines_in_archives() {
    let folder = Folder::new();
    let log = folder.write("my-actor/aB3dE6gH9jK2mN5pQ.log", TRACEBACK);
    folder.write("my-actor/bC4eF7hJ1kL3nP6qR.log", TRACEBACK);
    if !crate::archives::shell(
        folder.path(),
        &["tar"],
        "tar cf all.tar my-actor && gzip -c my-actor/a*.log > one.gz",
    ) {
        return;
    }
    let events = |what: String| well(["explain", &what, "--json"]).rows().remove(0)["events"].clone();
    let mut plain = events(format!("{log}:7"));
    assert_eq!(events(format!("{}!my-actor/aB3dE6gH9jK2mN5pQ.log:7", folder.arg("all.tar"))), plain);
    // Under another name it is another run.
    let mut packed = events(format!("{}:7", folder.arg("one.gz")));
    for event in [&mut plain[0], &mut packed[0]] {
        for name in ["run_id", "group"] {
            event[name] = Value::Null;
        }
    }
    assert_eq!(packed, plain);
    let several = run(["explain", &format!("{}:7", folder.arg("all.tar"))]);
    assert_eq!(several.code, Some(2));
    assert!(several.err.contains("ARCHIVE!MEMBER:LINE"), "{}", several.err);
}
