//! What is generated is fresh. `LOGMILL_ACCEPT=1 cargo test -p logmill generated` rewrites it.

use std::fs;

use crate::support::{DEMO, Folder, finish, logmill, root, well};

const ABOUT_TABLES: &str = "\
# Tables

This page is what `logmill schema` prints; `LOGMILL_ACCEPT=1 cargo test -p logmill generated` rewrites it.
What the words mean (run, event, error, retry, rate, …) is in [definitions.md](definitions.md).

Instants are microseconds in UTC, durations whole milliseconds, rates lie between 0 and 1. In CSV a null is
nothing at all and an empty text is `\"\"`. `seq` and `line` count from 1, offsets from 0.

";

#[track_caller]
fn is_fresh(path: &str, expect: &str) {
    let path = root().join(path);
    if std::env::var_os("LOGMILL_ACCEPT").is_some() {
        fs::write(&path, expect).expect("it can be written");
    }
    let found = fs::read_to_string(&path).unwrap_or_default();
    assert!(found == expect, "{} is not what the program says; LOGMILL_ACCEPT=1 rewrites it", path.display());
}

#[test]
fn tables() {
    is_fresh("docs/tables.md", &format!("{ABOUT_TABLES}{}", well(["schema"]).out));
}

const ABOUT_FORMATS: &str = "\
# Formats

This page is what `logmill formats` prints; `LOGMILL_ACCEPT=1 cargo test -p logmill generated` rewrites it.
Each is recognised by its content. [CONTRIBUTING.md](../CONTRIBUTING.md) says how to add one.

";

#[test]
fn formats() {
    is_fresh("docs/formats.md", &format!("{ABOUT_FORMATS}{}", well(["formats"]).out));
}

/// What the README shows of `report`: of each part the first lines, and the last one where that says how
/// many more there are.
fn shortened(text: &str) -> String {
    let part = |part: &str| {
        let lines: Vec<&str> = part.lines().collect();
        let Some((head, rest)) = lines.split_at_checked(LINES_SHOWN).filter(|(_, rest)| rest.len() > 1)
        else {
            return lines.join("\n");
        };
        let last = rest.last().filter(|line| line.starts_with("  …")).map(|line| format!("\n{line}"));
        format!("{}\n  ⋮{}", head.join("\n"), last.unwrap_or_default())
    };
    text.trim_end().split("\n\n").map(part).collect::<Vec<_>>().join("\n\n")
}

/// Lines shown of each part, its heading included.
const LINES_SHOWN: usize = 7;

#[test]
fn transcript() {
    let folder = Folder::new();
    let out = folder.arg("out");
    let said = well(["report", DEMO, "-o", &out]);
    let shown = format!("{}\n\n{}", shortened(&said.out), said.err.replace(&out, "out"));
    let readme = fs::read_to_string(root().join("README.md")).expect("a README");
    let (before, rest) = readme
        .split_once("<!-- transcript: report testdata/demo -o out -->\n```text\n")
        .expect("the transcript's place");
    let (_, after) = rest.split_once("```\n").expect("its end");
    is_fresh(
        "README.md",
        &format!("{before}<!-- transcript: report testdata/demo -o out -->\n```text\n{shown}```\n{after}"),
    );
}

/// Every table is in the README, with what a row of it is.
#[test]
fn list_of_tables() {
    let readme = fs::read_to_string(root().join("README.md")).expect("a README");
    for table in logmill_frame::Table::ALL {
        let row = format!("| [`{table}`](docs/tables.md#{table}) | {} |\n", table.row());
        assert!(readme.contains(&row), "{row}");
    }
}

/// Every example of the README's table of commands works, and every command has one.
#[test]
fn list_of_commands() {
    let folder = Folder::new();
    for (path, bytes) in logmill_generate::demo().files {
        folder.write(&format!("{DEMO}/{}", path.display()), bytes);
    }
    let readme = fs::read_to_string(root().join("README.md")).expect("a README");
    let examples: Vec<&str> = readme
        .lines()
        .filter_map(|line| line.strip_prefix("| `logmill ")?.split_once("` |"))
        .map(|(example, _)| example)
        .collect();
    let commands = crate::help::commands();
    let mut named: Vec<&str> = examples.iter().filter_map(|example| example.split(' ').next()).collect();
    named.dedup();
    assert_eq!(named, commands);
    for example in examples {
        let said = finish(logmill().current_dir(folder.path()).args(example.split(' ')));
        assert_eq!(said.code, Some(0), "{example}\n{said:?}");
    }
}
