//! Help: every command has examples, every example works, and what there is to name is named.

use std::path::Path;

use logmill_parse::format;
use serde_json::Value;

use crate::support::{DEMO, Folder, SHORT_LOG, finish, logmill, run, well};

/// The commands, as `--help` lists them.
pub fn commands() -> Vec<String> {
    let help = well(["--help"]).out;
    let list = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    let names =
        list.take_while(|line| line.starts_with("  ")).filter_map(|line| line.split_whitespace().next());
    names.filter(|name| *name != "help").map(str::to_owned).collect()
}

/// What stands under "Examples:", without the remarks beside it.
fn examples(help: &str) -> Vec<String> {
    let lines = help.lines().skip_while(|line| *line != "Examples:").skip(1);
    let lines = lines.filter(|line| line.starts_with("  logmill "));
    lines.map(|line| line.trim().split("   ").next().unwrap_or_default().to_owned()).collect()
}

#[test]
fn every_command_has_examples_and_every_option_a_word() {
    let commands = commands();
    assert_eq!(commands.len(), 17, "{commands:?}");
    for command in &commands {
        let help = well([command.as_str(), "--help"]).out;
        assert!(!examples(&help).is_empty(), "{command}\n{help}");
        for example in examples(&help) {
            assert!(example.starts_with(&format!("logmill {command}")), "{example}");
        }
        assert!(well([command.as_str(), "-h"]).out.contains("Examples:"), "{command}");
    }
    assert_eq!(examples(&well(["--help"]).out).len(), 5);
}

/// `-h` is one screen of 80 columns that begins with examples.
#[test]
fn short_help_fits_one_screen() {
    let names = commands();
    let pages = names.iter().map(|name| vec![name.as_str(), "-h"]).chain([vec!["-h"]]);
    for args in pages {
        let said = finish(logmill().env("COLUMNS", "80").args(&args));
        assert_eq!(said.code, Some(0), "{said:?}");
        let lines: Vec<&str> = said.out.lines().collect();
        assert!(lines.len() <= 30, "{args:?}: {} lines\n{}", lines.len(), said.out);
        let wide: Vec<&&str> = lines.iter().filter(|line| line.chars().count() > 80).collect();
        assert!(wide.is_empty(), "{args:?}: {wide:?}");
        assert_eq!(lines.get(2), Some(&"Examples:"), "{args:?}: {}", said.out);
        // Every option takes one line: none is wrapped.
        let options = lines.iter().filter(|line| line.trim_start().starts_with('-')).count();
        let after = lines.iter().skip_while(|line| **line != "Options:").skip(1);
        assert_eq!(after.take_while(|line| !line.is_empty()).count(), options, "{args:?}: {}", said.out);
    }
}

/// `--help` ends with examples, and has every option that `-h` has.
#[test]
fn full_help_ends_with_examples() {
    for name in commands() {
        let full = well([name.as_str(), "--help"]).out;
        let last = full.trim_end().rsplit("\n\n").next().unwrap_or_default();
        assert!(last.starts_with("Examples:\n"), "{name}: {full}");
        assert_eq!(well(["help", &name]).out, full);
        for line in well([name.as_str(), "-h"]).out.lines() {
            let flag = line.split_whitespace().find(|word| word.starts_with("--"));
            if let Some(flag) = flag.filter(|_| line.starts_with("  ")) {
                assert!(full.contains(flag), "{name} {flag}");
            }
        }
    }
}

/// Copies the demo to where the examples look for it.
fn dumps(folder: &Folder) {
    for (path, bytes) in logmill_generate::demo().files {
        folder.write(&format!("dumps/{}", path.display()), bytes);
    }
    folder.write("dumps/my-actor/aB3dE6gH9jK2mN5pQ.log", SHORT_LOG);
    folder.write("some.log", SHORT_LOG);
}

fn clear(folder: &Path) {
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() && !path.ends_with("dumps") {
            std::fs::remove_dir_all(path).expect("it goes");
        } else if path.is_file() && !path.ends_with("some.log") {
            std::fs::remove_file(path).expect("it goes");
        }
    }
}

#[test]
fn every_example_works() {
    let folder = Folder::new();
    dumps(&folder);
    let mut pages: Vec<String> =
        commands().iter().map(|command| well([command.as_str(), "--help"]).out).collect();
    pages.push(well(["--help"]).out);
    for example in pages.iter().flat_map(|page| examples(page)) {
        clear(folder.path());
        for part in example.split(" && ") {
            let args = part.split_whitespace().skip(1);
            let said = finish(logmill().current_dir(folder.path()).args(args));
            assert_eq!(said.code, Some(0), "{example}\n{said:?}");
            assert!(!said.out.is_empty() || !said.err.is_empty(), "{example}");
        }
    }
}

#[test]
fn nothing_to_do_is_answered_with_help() {
    let said = run::<&str>([]);
    assert_eq!(said.code, Some(2));
    assert!(said.err.contains("Examples:"), "{}", said.err);
}

/// The default build says how to get what it leaves out.
#[cfg(not(feature = "fetch"))]
#[test]
fn fetch_is_another_build() {
    for args in [&["fetch"][..], &["fetch", "apify-log", "x", "--raw"], &["fetch", "--help"]] {
        let said = run(args);
        assert_eq!((said.code, said.out.as_str()), (Some(2), ""));
        assert!(said.err.contains("--features fetch"), "{}", said.err);
    }
}

#[test]
fn a_slip_of_the_finger_is_answered_with_the_nearest_name() {
    assert!(run(["reprot", DEMO]).err.contains("'report'"));
    assert!(run(["report", DEMO, "--sinc", "7d"]).err.contains("'--since'"));
    for (args, expect) in [
        (&["runs", DEMO, "--from", "apify-lgo"][..], "'apify-log'"),
        (&["runs", DEMO, "--status", "fialed"], "'failed'"),
        (&["errors", DEMO, "--level", "eror"], "'error'"),
        (&["convert", DEMO, "-o", "x.csv", "--table", "erorrs"], "'errors'"),
        (&["report", DEMO, "--to", "parket"], "'parquet'"),
        (&["schema", "stpes"], "'steps'"),
        (&["runs", DEMO, "--sort", "-duraton"], "`duration_ms`"),
        (&["rates", DEMO, "--time-zone", "prague"], "`Europe/Prague`"),
        (&["rates", DEMO, "--time-zone", "Europ/Vienna"], "`Europe/Vienna`"),
        (&["rates", DEMO, "--color", "alway"], "'always'"),
    ] {
        let said = run(args);
        assert_eq!(said.code, Some(2), "{said:?}");
        assert!(said.err.contains(expect), "{expect} in {}", said.err);
    }
    assert_eq!(run(["rates", DEMO, "--time-zone", "europe/prague"]).code, Some(0), "case does not matter");
}

#[test]
fn schema_covers_every_table() {
    let all: Value = serde_json::from_str(&well(["schema", "--json"]).out).expect("JSON");
    let text = all.to_string();
    let markdown = well(["schema"]).out;
    for table in
        ["runs", "steps", "events", "errors", "requests", "rates", "durations", "metrics", "issues", "files"]
    {
        assert!(text.contains(&format!("\"{table}\"")), "{table}");
        assert!(markdown.contains(&format!("## {table}\n")), "{table}");
        let one = well(["schema", table]).out;
        assert!(markdown.contains(one.trim_end()), "{table}");
    }
}

#[test]
fn formats_covers_every_format() {
    let text = well(["formats"]).out;
    let rows = well(["formats", "--json"]).rows();
    assert_eq!(rows.len(), format::ALL.len());
    for (format, row) in format::ALL.iter().zip(rows) {
        let about = format.about();
        assert!(
            text.contains(&format!("## {}\n\n{}, from {}\n", about.id, about.title, about.endpoint)),
            "{text}"
        );
        assert!(about.shapes.iter().all(|shape| text.contains(&format!("- {shape}\n"))), "{}", about.id);
        assert_eq!((row["id"].as_str(), row["title"].as_str()), (Some(about.id), Some(about.title)));
        assert_eq!(row["shapes"].as_array().map(Vec::len), Some(about.shapes.len()));
    }
}
