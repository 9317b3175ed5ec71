//! Nothing that stands in a log, or in its name, acts on the terminal.

use crate::support::{Folder, Said, run, well};

/// A title, a link, a clipboard, colours, a bell, a carriage return, directions, C1, DEL.
const HOSTILE: &str = "\x1b]0;title\x07\x1b]8;;http://example.com\x1b\\link\x1b]52;c;aGk=\x07\x1b[2J\x08\
                       \u{202e}evil\u{2066}\u{9b}31m\u{7f}\u{200f}";

fn is_active(c: char) -> bool {
    (c.is_control() && !matches!(c, '\n' | '\t'))
        || matches!(c, '\u{200e}' | '\u{200f}' | '\u{061c}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[track_caller]
fn is_harmless(said: &Said) {
    for text in [&said.out, &said.err] {
        let found: Vec<String> =
            text.lines().filter(|line| line.contains(is_active)).map(|line| format!("{line:?}")).collect();
        assert!(found.is_empty(), "{found:#?}");
    }
}

/// A dump in which everything that is shown somewhere is hostile.
fn dump() -> Folder {
    let folder = Folder::new();
    let log = format!(
        "2026-03-01T10:00:00.000Z ACTOR: Starting Docker container.\n\
         2026-03-01T10:00:01.000Z ERROR {HOSTILE} failed\n\
         2026-03-01T10:00:01.500Z {HOSTILE}\n\
         2026-03-01T10:00:02.000Z WARN  PuppeteerCrawler: Reclaiming failed request back to the list or queue. {HOSTILE} {{\"id\":\"x\",\"url\":\"https://example.com/{HOSTILE}\",\"retryCount\":1}}\n\
         2026-03-01T10:00:03.000Z ACTOR: Sending Docker container SIGTERM signal. {HOSTILE}\n"
    );
    folder.write("dumps/my-actor/aB3dE6gH9jK2mN5pQ.log", log);
    let text = serde_json::to_string(HOSTILE).expect("a string");
    let page = format!(
        r#"{{"data":[{{"executionId":{text},"startedAt":"2026-03-01T10:00:00Z","stoppedAt":"2026-03-01T10:00:05Z","status":{text},"error":{{"message":{text}}},"results":[{{"blockId":"1","connectorId":{text},"action":{text},"startedAt":"2026-03-01T10:00:00Z","stoppedAt":"2026-03-01T10:00:05Z","error":{{"message":{text}}}}}]}}]}}"#
    );
    folder.write("dumps/alloy/6ea3a38278ee86e89ce41f7e/page-0000.json", page);
    let body = format!(r#"{{"error":{{"type":"not-found","message":{text}}}}}"#);
    folder.write("dumps/my-actor/error.log", body);
    if cfg!(unix) {
        folder.write(&format!("dumps/{}/b.log", HOSTILE.replace('/', "_")), "just words\n");
    }
    folder
}

#[test]
fn every_command_is_harmless() {
    let folder = dump();
    let dumps = folder.arg("dumps");
    for args in [
        &["report"][..],
        &["report", "--json"],
        &["detect"],
        &["detect", "--json"],
        &["runs"],
        &["runs", "--json"],
        &["steps"],
        &["steps", "--json"],
        &["errors"],
        &["errors", "--json"],
        &["requests"],
        &["requests", "--json"],
        &["durations"],
        &["rates"],
    ] {
        let said = well(args.iter().copied().chain([dumps.as_str()]));
        assert!(!said.out.is_empty(), "{args:?}");
        is_harmless(&said);
    }
    is_harmless(&well(["show", "aB3dE6gH9jK2mN5pQ", &dumps]));
    is_harmless(&run(["show", "\x1b", &dumps]));
    is_harmless(&run(["runs", "no-such-\x1b[31m-file"]));
    is_harmless(&run(["runs", &dumps, "--sort", "\x1b[31m"]));
    is_harmless(&run(["report", &dumps, "-o", "/dev/null/\x1b[31m"]));
}

#[test]
fn what_it_says_is_still_there() {
    let folder = dump();
    let rows = well(["runs", &folder.arg("dumps"), "--json", "--group", "my-actor"]).rows();
    let error = rows[0]["first_error"].as_str().expect("an error");
    assert!(error.contains("evil") && error.contains('\u{202e}'), "JSON says the same, escaped: {error:?}");
    let tsv = well(["runs", &folder.arg("dumps"), "--group", "my-actor"]).out;
    assert!(tsv.contains("\\u{202e}evil"), "{tsv}");
}

#[test]
fn colour_when_asked_for() {
    let folder = dump();
    let dumps = folder.arg("dumps");
    assert!(well(["report", &dumps, "--color", "always"]).out.contains("\x1b[1m"));
    assert!(!well(["report", &dumps, "--color", "never"]).out.contains('\x1b'));
}

#[test]
fn quiet_says_nothing_but_errors() {
    let folder = dump();
    let dumps = folder.arg("dumps");
    assert_eq!(well(["runs", &dumps, "--quiet"]).err, "");
    assert_eq!(well(["report", &dumps, "--quiet", "-o", &folder.arg("out")]).err, "");
    assert!(run(["runs", "no-such-file", "--quiet"]).err.starts_with("error: no-such-file"));
}
