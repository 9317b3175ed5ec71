//! The commands that print one table, and those that look at a single run or at what is here.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::support::{DEMO, Folder, SHORT_LOG, run, well};

fn texts<'a>(rows: &'a [Value], name: &str) -> Vec<&'a str> {
    rows.iter().filter_map(|row| row[name].as_str()).collect()
}

#[test]
fn runs_sorted_and_limited() {
    let all = well(["runs", DEMO, "--json"]).rows();
    assert_eq!(all.len(), logmill_generate::demo().truth.runs.len());
    let longest = well(["runs", DEMO, "--json", "--sort", "duration_ms", "--limit", "3"]).rows();
    let ms: Vec<i64> = longest.iter().filter_map(|row| row["duration_ms"].as_i64()).collect();
    let mut expect: Vec<i64> = all.iter().filter_map(|row| row["duration_ms"].as_i64()).collect();
    expect.sort_unstable();
    assert_eq!(ms, expect.iter().rev().take(3).copied().collect::<Vec<_>>());
    let shortest = well(["runs", DEMO, "--json", "--sort", "-duration_ms", "--limit", "3"]).rows();
    let ms: Vec<i64> = shortest.iter().filter_map(|row| row["duration_ms"].as_i64()).collect();
    assert_eq!(ms, expect.iter().take(3).copied().collect::<Vec<_>>());
    let said = well(["runs", DEMO, "--limit", "3"]);
    assert_eq!(said.out.lines().count(), 4, "a header and three rows");
    assert!(said.err.contains("3 of "), "{}", said.err);
    assert_eq!(well(["runs", DEMO, "--limit", "0", "--json"]).rows(), all);
}

#[test]
fn runs_selected() {
    let all = well(["runs", DEMO, "--json"]).rows();
    let failed = well(["runs", DEMO, "--json", "--status", "failed", "--status", "timed_out"]).rows();
    let is_failed = |row: &&Value| matches!(row["status"].as_str(), Some("failed" | "timed_out"));
    assert_eq!(failed, all.iter().filter(is_failed).cloned().collect::<Vec<_>>());
    assert!(!failed.is_empty());

    let group = well(["runs", DEMO, "--json", "--group", "docs-site"]).rows();
    assert!(!group.is_empty() && group.iter().all(|row| row["group"] == "docs-site"));

    let since = "2025-11-10";
    let late = well(["runs", DEMO, "--json", "--since", since]).rows();
    let early = well(["runs", DEMO, "--json", "--until", since]).rows();
    assert!(texts(&late, "started_at").iter().all(|at| *at >= since), "{late:?}");
    assert!(texts(&early, "started_at").iter().all(|at| *at < since), "{early:?}");
    let with_start = all.iter().filter(|row| row["started_at"].is_string()).count();
    assert_eq!(late.len() + early.len(), with_start);
    assert!(!late.is_empty() && !early.is_empty());

    let said = well(["runs", DEMO, "--group", "no-such-group"]);
    assert!(said.err.contains("no run matches"), "{}", said.err);
    let slip = well(["runs", DEMO, "--group", "docs-sight"]);
    assert!(slip.err.contains("no group is called `docs-sight`; did you mean `docs-site`?"), "{}", slip.err);
}

/// Days begin where the time zone says.
#[test]
fn days_begin_in_a_zone() {
    let folder = Folder::new();
    let log = folder.write("aB3dE6gH9jK2mN5pQ.log", SHORT_LOG.replace("T10:", "T23:"));
    let rows = |day, zone| well(["runs", &log, "--json", "--since", day, "--time-zone", zone]).rows().len();
    assert_eq!(rows("2026-03-02", "UTC"), 0);
    assert_eq!(rows("2026-03-02", "Europe/Prague"), 1);
}

/// A selection never changes how a run is put together.
#[test]
fn a_selected_run_is_the_same_run() {
    let all = well(["runs", DEMO, "--json"]).rows();
    for group in texts(&all, "group").into_iter().collect::<BTreeSet<_>>() {
        let of_group = well(["runs", DEMO, "--json", "--group", group]).rows();
        let expect: Vec<Value> = all.iter().filter(|row| row["group"] == group).cloned().collect();
        assert_eq!(of_group, expect, "{group}");
    }
}

#[test]
fn every_table_is_printed_as_rows_and_as_json() {
    for table in ["runs", "steps", "errors", "requests", "durations", "rates"] {
        let json = well([table, DEMO, "--json"]).rows();
        let tsv = well([table, DEMO]).out;
        let mut lines = tsv.lines();
        let header: Vec<&str> = lines.next().expect("a header").split('\t').collect();
        assert_eq!(lines.clone().count(), json.len(), "{table}");
        assert!(lines.all(|line| line.split('\t').count() == header.len()), "{table}");
        let schema: Value = serde_json::from_str(&well(["schema", table, "--json"]).out).expect("JSON");
        let text = schema.to_string();
        for name in header {
            assert!(text.contains(&format!("\"{name}\"")), "{table}.{name} in {text}");
        }
    }
}

#[test]
fn rates_by_day() {
    let rows = well(["rates", DEMO, "--bucket", "1d", "--group", "docs-site", "--json"]).rows();
    assert!(texts(&rows, "bucket_start").iter().all(|at| at.contains("T00:00:00")), "{rows:?}");
    let n: u64 = rows.iter().filter_map(|row| row["n_runs"].as_u64()).sum();
    assert_eq!(n, 7);
    let said = run(["rates", DEMO, "--bucket", "1m"]);
    assert_eq!(said.code, Some(2), "ten days of minutes in all groups are too many rows: {}", said.err);
}

#[test]
fn errors_by_level() {
    let errors = well(["errors", DEMO, "--level", "error", "--json"]).rows();
    assert!(!errors.is_empty());
    assert!(texts(&errors, "level").iter().all(|level| matches!(*level, "critical" | "error")));
    let n: Vec<u64> = errors.iter().filter_map(|row| row["n_events"].as_u64()).collect();
    assert!(n.is_sorted_by(|a, b| a >= b), "{n:?}");
}

#[test]
fn show_finds_a_run_by_the_beginning_of_its_id() {
    let whole = well(["show", "ESVU4foELcAVoeypg", DEMO]);
    assert!(whole.out.starts_with("apify run ESVU4foELcAVoeypg of job-board-monitor\n"), "{}", whole.out);
    assert_eq!(well(["show", "ESVU4", DEMO]).out, whole.out);

    let several = run(["show", "e", DEMO]);
    assert_eq!(several.code, Some(2));
    for id in ["eeI83dbifnRn32GWF", "e7cadiK8G01kMAKRh"] {
        assert!(several.err.contains(id), "{}", several.err);
    }
    let none = run(["show", "zzzz", DEMO]);
    assert_eq!(none.code, Some(2));
    assert!(none.err.contains("`zzzz`") && none.err.contains("logmill runs"), "{}", none.err);
    let slip = run(["show", "ESVU4foELcAVoeygp", DEMO]);
    assert!(slip.err.contains("did you mean `ESVU4foELcAVoeypg`?"), "{}", slip.err);
}

#[test]
fn show_prints_errors_with_what_stands_around_them() {
    let folder = Folder::new();
    let log = folder.write("my-actor/aB3dE6gH9jK2mN5pQ.log", SHORT_LOG);
    let said = well(["show", "aB3d", &log, "--context", "1"]);
    let errors = said.out.split("Errors\n").nth(1).expect("a part about errors");
    let lines: Vec<&str> = errors.lines().collect();
    assert_eq!(lines.len(), 4, "{errors}");
    assert!(lines[0].ends_with("aB3dE6gH9jK2mN5pQ.log:5"), "{errors}");
    assert!(lines[1].contains("Hello from the actor"), "{errors}");
    assert!(lines[2].contains("error") && lines[2].contains("Could not save the item 17"), "{errors}");
    assert!(lines[3].contains("The status message"), "{errors}");
    for step in ["pull", "create", "boot", "work"] {
        assert!(said.out.contains(&format!("\n  {step} ")), "{step}\n{}", said.out);
    }
}

#[test]
fn detect_tells_what_is_here() {
    let rows = well(["detect", DEMO, "--json"]).rows();
    assert_eq!(rows.len() as u64, logmill_generate::demo().truth.n_files);
    let formats: BTreeSet<&str> = texts(&rows, "format").into_iter().collect();
    let expect = [
        "alloy-execution",
        "apify-log",
        "apify-schedule",
        "cloudflare-build",
        "error-body",
        "metadata",
        "unknown",
    ];
    assert_eq!(formats.into_iter().collect::<Vec<_>>(), expect);
    let text = well(["detect", DEMO]).out;
    for format in expect {
        assert!(text.lines().any(|line| line.starts_with(format)), "{format}\n{text}");
    }
}

#[test]
fn a_layout_names_runs_and_groups() {
    let folder = Folder::new();
    folder.write("dumps/2026/nightly.log", SHORT_LOG);
    let rows = well(["runs", &folder.arg("dumps"), "--json", "--layout", "{run_id}/{group}.log"]).rows();
    assert_eq!((rows[0]["run_id"].as_str(), rows[0]["group"].as_str()), (Some("2026"), Some("nightly")));
}

#[test]
fn globs_and_repeated_paths() {
    let folder = Folder::new();
    let log = folder.write("my-actor/aB3dE6gH9jK2mN5pQ.log", SHORT_LOG);
    folder.write("my-actor/bC4eF7hJ1kL3nP6qR.log", SHORT_LOG);
    let glob = folder.arg("my-actor/*.log");
    assert_eq!(well(["runs", &glob, "--json"]).rows().len(), 2);
    assert_eq!(well(["runs", &glob, &log, &log, "--json"]).rows().len(), 2, "a file counts once");
    assert_eq!(run(["runs", &folder.arg("nothing-*.log")]).code, Some(1), "a glob that finds nothing");
}
