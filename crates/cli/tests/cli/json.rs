//! `--json`: it parses, its names are those of docs/json.md, and threads change nothing.

use std::collections::BTreeSet;

use logmill_frame::Table;
use serde_json::Value;

use crate::help::commands;
use crate::support::{DEMO, Said, root, well};

/// Every command that has `--json`, with arguments.
const COMMANDS: [(&str, &[&str]); 15] = [
    ("report", &["report", DEMO]),
    ("show", &["show", "eeI83dbif", DEMO]),
    ("explain FILE:LINE", &["explain", "testdata/demo/apify/job-board-monitor/ESVU4foELcAVoeypg.log:27"]),
    ("explain", &["explain", "truncated-log"]),
    ("explain", &["explain"]),
    ("formats", &["formats"]),
    ("bench", &["bench", "testdata/demo/apify-schedules", "--repeat", "1"]),
    ("detect", &["detect", DEMO]),
    ("runs", &["runs", DEMO]),
    ("steps", &["steps", DEMO]),
    ("errors", &["errors", DEMO]),
    ("requests", &["requests", DEMO]),
    ("durations", &["durations", DEMO]),
    ("rates", &["rates", DEMO]),
    ("schema", &["schema", "runs"]),
];

fn said(args: &[&str], more: &[&str]) -> Said {
    well(args.iter().chain(&["--json", "--quiet"][..=usize::from(has_quiet(args))]).chain(more))
}

fn has_quiet(args: &[&str]) -> bool {
    !matches!(args[0], "formats" | "schema" | "bench")
}

/// The keys that the page states for a command.
fn documented(command: &str) -> BTreeSet<String> {
    let page = std::fs::read_to_string(root().join("docs/json.md")).expect("the page");
    let row = page.lines().find(|line| line.starts_with(&format!("| `{command}")));
    let keys = row.and_then(|row| row.split('|').nth(3)).unwrap_or_else(|| panic!("{command} is not there"));
    if let Some((_, table)) = keys.split_once("tables.md#") {
        let table = Table::from_word(table.trim_end().trim_end_matches(')')).expect("a table");
        return table.columns().iter().map(|column| column.name.to_owned()).collect();
    }
    let part = page.split("\n## ").find(|part| part.starts_with(&format!("{command}\n")));
    let text = part.map_or(keys, |part| part.split_once("|---|---|\n").expect("a list of keys").1);
    let list = text.split("\n\n").next().unwrap_or_default();
    let names: Vec<&str> = if part.is_some() {
        list.lines().filter_map(|line| line.split('`').nth(1)).collect()
    } else {
        list.split('`').skip(1).step_by(2).collect()
    };
    names.into_iter().map(str::to_owned).collect()
}

fn keys(value: &Value) -> BTreeSet<String> {
    value.as_object().map(|object| object.keys().cloned().collect()).unwrap_or_default()
}

#[test]
fn keys_are_those_of_the_page() {
    for (command, args) in COMMANDS {
        let said = said(args, &[]);
        let rows: Vec<Value> = if command == "schema" {
            serde_json::from_str(&said.out).expect("an array")
        } else {
            said.rows()
        };
        assert!(!rows.is_empty(), "{command}");
        for row in &rows {
            assert_eq!(keys(row), documented(command), "{command}: {row}");
        }
        let is_one = matches!(command, "report" | "show" | "explain FILE:LINE" | "bench");
        assert!(!is_one || rows.len() == 1, "{command}");
        assert!(!said.out.contains('\x1b') && said.out.ends_with('\n'), "{command}");
    }
}

/// No command has `--json` and is not looked at here, and on the page.
#[test]
fn every_command_is_looked_at() {
    for command in commands() {
        let has_json = well([command.as_str(), "--help"]).out.contains("--json");
        assert_eq!(COMMANDS.iter().any(|(_, args)| args[0] == command), has_json, "{command}");
    }
}

#[test]
fn threads_change_nothing() {
    for (command, args) in COMMANDS {
        if matches!(command, "bench" | "schema" | "formats") || command.starts_with("explain") {
            continue;
        }
        let (one, two) = (said(args, &["--threads", "1"]), said(args, &["--threads", "2"]));
        assert_eq!(one.out, two.out, "{command}");
    }
}

/// `show --json` is made of what the tables hold.
#[test]
fn a_run_shown_is_the_run_of_the_tables() {
    let shown = said(&["show", "eeI83dbif", DEMO, "--context", "1"], &[]).rows().remove(0);
    let is_it = |row: &Value| row["run_id"] == "eeI83dbifnRn32GWF";
    let of_table = |table| {
        let rows = said(&[table, DEMO], &[]).rows();
        rows.into_iter().filter(is_it).collect::<Vec<Value>>()
    };
    assert_eq!(vec![shown["run"].clone()], of_table("runs"));
    assert_eq!(shown["steps"].as_array(), Some(&of_table("steps")));
    let errors = shown["errors"].as_array().expect("errors");
    let n_errors = shown["run"]["n_errors"].as_u64().expect("a number");
    assert!(n_errors > 0 && errors.len() as u64 == n_errors.min(20), "{shown}");
    for error in errors {
        let expect = ["after", "before", "class", "level", "line", "member", "message", "source", "ts"];
        assert_eq!(keys(error).into_iter().collect::<Vec<_>>(), expect);
        assert!(error["before"].as_array().expect("events").len() <= 1);
    }
}
