//! `report` on the demo: tables, manifest and summary say what the generator knows to be true.

use std::collections::BTreeMap;

use logmill_generate::{Demo, demo};
use serde_json::Value;

use crate::support::{DEMO, Folder, run, well};

const TABLES: [&str; 9] =
    ["durations", "errors", "files", "issues", "metrics", "rates", "requests", "runs", "steps"];

/// Runs of the demo by status, as the generator made them.
fn by_status(demo: &Demo) -> BTreeMap<String, u64> {
    let mut counts = BTreeMap::new();
    for run in &demo.truth.runs {
        let status = serde_json::to_value(run.status).expect("a word");
        *counts.entry(status.as_str().expect("a word").to_owned()).or_default() += 1;
    }
    counts
}

fn number(row: &Value, name: &str) -> u64 {
    row[name].as_u64().unwrap_or_else(|| panic!("{name} in {row}"))
}

#[test]
fn nine_tables_and_a_manifest() {
    let folder = Folder::new();
    let said = well(["report", DEMO, "-o", &folder.arg("out")]);
    assert!(said.err.contains("wrote 9 tables (9 files) and manifest.json to "), "{}", said.err);
    let names: Vec<String> = folder.files("out").into_iter().map(|(name, _)| name).collect();
    let mut expect: Vec<String> = TABLES.iter().map(|table| format!("{table}.parquet")).collect();
    expect.push("manifest.json".to_owned());
    expect.sort();
    assert_eq!(names, expect);
    for (name, bytes) in folder.files("out").iter().filter(|(name, _)| name.ends_with(".parquet")) {
        assert!(bytes.starts_with(b"PAR1") && bytes.ends_with(b"PAR1"), "{name}");
    }
}

#[test]
fn the_manifest_counts_rows_and_inputs() {
    let folder = Folder::new();
    well(["report", DEMO, "-o", &folder.arg("out"), "--to", "ndjson", "--to", "csv"]);
    let files: BTreeMap<String, Vec<u8>> = folder.files("out").into_iter().collect();
    assert_eq!(files.len(), 2 * TABLES.len() + 1);
    let manifest: Value = serde_json::from_slice(&files["manifest.json"]).expect("JSON");
    let listed = manifest["files"].as_array().expect("a list");
    assert_eq!(listed.len(), 2 * TABLES.len());
    for file in listed {
        let name = file["file"].as_str().expect("a name");
        let bytes = &files[name];
        assert_eq!(number(file, "bytes"), bytes.len() as u64, "{name}");
        if name.ends_with(".ndjson") {
            let lines = bytes.split(|byte| *byte == b'\n').count() - 1;
            assert_eq!(number(file, "rows"), lines as u64, "{name}");
        }
    }
    let inputs = manifest["inputs"].as_array().expect("a list");
    assert_eq!(inputs.len() as u64, demo().truth.n_files);
    let bytes: u64 = inputs.iter().map(|input| number(input, "bytes")).sum();
    assert_eq!(bytes, demo().truth.n_bytes);
}

#[test]
fn the_summary_as_json_is_true() {
    let said = well(["report", DEMO, "--json"]);
    let summary: Value = serde_json::from_str(&said.out).expect("JSON");
    let demo = demo();
    assert_eq!(number(&summary, "files"), demo.truth.n_files);
    assert_eq!(number(&summary, "bytes"), demo.truth.n_bytes);
    assert_eq!(number(&summary, "runs"), demo.truth.runs.len() as u64);
    let events: u64 = demo.truth.runs.iter().map(|run| run.n_events).sum();
    assert_eq!(number(&summary, "events"), events);
    let incomplete = demo.truth.runs.iter().filter(|run| !run.complete).count();
    assert_eq!(number(&summary, "incomplete_runs"), incomplete as u64);
    let statuses: BTreeMap<String, u64> =
        serde_json::from_value(summary["runs_by_status"].clone()).expect("counts");
    assert_eq!(statuses, by_status(&demo));
}

#[test]
fn the_summary_for_people_is_true() {
    let said = well(["report", DEMO]);
    let demo = demo();
    let files = format!("{} files, ", demo.truth.n_files);
    assert!(said.out.starts_with(&files), "{}", said.out);
    let runs = format!(" events in {} runs", demo.truth.runs.len());
    assert!(said.out.lines().next().expect("a line").ends_with(&runs), "{}", said.out);
    for heading in [
        "Runs by outcome",
        "Durations by group",
        "Where the time goes",
        "Over time",
        "Top error groups",
        "Incomplete or unreadable",
    ] {
        assert!(said.out.lines().any(|line| line == heading), "{heading}\n{}", said.out);
    }
    let mut printed: BTreeMap<String, u64> = BTreeMap::new();
    let outcomes = said.out.lines().skip_while(|line| *line != "Runs by outcome").skip(1);
    for line in outcomes.take_while(|line| !line.is_empty()) {
        let parts = line.trim().rsplit("  ").next().expect("counts");
        for part in parts.split(" · ") {
            let (n, status) = part.trim().split_once(' ').expect("a count and a status");
            *printed.entry(status.to_owned()).or_default() += n.parse::<u64>().expect("a count");
        }
    }
    assert_eq!(printed, by_status(&demo));
}

/// Errors, retries and requests of every run, from the table on disk.
#[test]
fn the_table_of_runs_is_true() {
    let folder = Folder::new();
    well(["report", DEMO, "-o", &folder.arg("out"), "--to", "ndjson"]);
    let text = std::fs::read_to_string(folder.at("out/runs.ndjson")).expect("a table");
    let rows: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let demo = demo();
    assert_eq!(rows.len(), demo.truth.runs.len());
    for truth in &demo.truth.runs {
        let is_it = |row: &&Value| row["run_id"] == truth.run_id && row["platform"] == truth.platform;
        let row = rows.iter().find(is_it).unwrap_or_else(|| panic!("no run {}", truth.run_id));
        for (name, expect) in [
            ("n_events", truth.n_events),
            ("n_errors", truth.n_errors),
            ("n_warnings", truth.n_warnings),
            ("n_retries", truth.n_retries),
        ] {
            assert_eq!(number(row, name), expect, "{name} of {}", truth.run_id);
        }
        assert_eq!(row["duration_ms"].as_i64(), truth.duration_ms, "{}", truth.run_id);
        assert_eq!(row["requests_failed"].as_u64(), truth.requests_failed, "{}", truth.run_id);
        // A relayed child is of the group that its parent's log names.
        if truth.source.contains(&truth.run_id) {
            assert_eq!(row["group"], truth.group, "{}", truth.run_id);
        }
    }
}

#[test]
fn every_byte_is_accounted_for() {
    for file in well(["detect", DEMO, "--json"]).rows() {
        let sum: u64 = ["record", "continuation", "structure", "duplicate", "rejected"]
            .iter()
            .map(|part| number(&file, &format!("bytes_{part}")))
            .sum();
        assert_eq!(sum, number(&file, "bytes"), "{file}");
    }
}

/// A folder of tables inside the dump is not read as input the next time.
#[test]
fn own_outputs_are_passed_over() {
    let folder = Folder::new();
    folder.write("dumps/my-actor/aB3dE6gH9jK2mN5pQ.log", crate::support::SHORT_LOG);
    let report =
        ["report", &folder.arg("dumps"), "-o", &folder.arg("dumps/out"), "--to", "csv", "--overwrite"];
    let first = well(report);
    let second = well(report);
    assert_eq!(first.out, second.out);
    assert_eq!(first.err, second.err);
}

#[test]
fn demo_writes_what_stands_in_the_repository() {
    let folder = Folder::new();
    well(["demo", &folder.arg("demo")]);
    for (path, bytes) in demo().files {
        assert_eq!(
            std::fs::read(folder.at("demo").join(&path)).expect("a file"),
            bytes,
            "{}",
            path.display()
        );
    }
    let here = well(["report", &folder.arg("demo"), "--json"]).out;
    let there = well(["report", DEMO, "--json"]).out;
    assert_eq!(here.replace(&folder.arg("demo"), DEMO), there);
}

/// What the page says is tested with the crate that makes it; here, that it gets where it should.
#[test]
fn the_page_is_one_file_that_is_not_replaced_unasked() {
    let folder = Folder::new();
    let page = folder.arg("report.html");
    let said = well(["report", DEMO, "--html", &page, "--bucket", "1d"]);
    assert!(said.err.contains(&format!("to {page}")), "{}", said.err);
    assert_eq!(said.out, well(["report", DEMO, "--bucket", "1d"]).out, "the summary is there as well");
    let html = String::from_utf8(folder.files("").pop().expect("a file").1).expect("text");
    assert!(html.starts_with("<!DOCTYPE html>") && html.ends_with("</html>\n"));
    assert!(
        html.contains(&format!("<h1>Report of {DEMO}</h1>")) && html.contains("<code>--bucket 1d</code>")
    );
    let runs = format!("id=\"figure-runs\" data-v=\"{}\"", demo().truth.runs.len());
    assert!(html.contains(&runs), "{runs}");
    let refused = run(["report", DEMO, "--html", &page]);
    assert_eq!(refused.code, Some(3), "{refused:?}");
    assert!(refused.err.contains("--overwrite replaces what is there"), "{}", refused.err);
    let tables = folder.arg("out");
    let said = well(["report", DEMO, "--html", &page, "--overwrite", "-o", &tables]);
    assert!(said.err.contains("wrote 9 tables") && said.err.contains(&format!("to {page}")), "{}", said.err);
    assert_eq!(run(["report", DEMO, "--html", "-"]).code, Some(2));
}

/// What the manifest says of its files, others find as well.
#[test]
fn a_manifest_can_be_checked() {
    use std::io::Write;
    let folder = Folder::new();
    let args =
        ["report", DEMO, "--to", "csv", "--to", "ndjson", "--group", "docs-site", "--since", "2025-11-01"];
    well(args.into_iter().chain(["-o", &folder.arg("out")]));
    let bytes = std::fs::read(folder.at("out/manifest.json")).expect("a manifest");
    let manifest: Value = serde_json::from_slice(&bytes).expect("JSON");
    let files = manifest["files"].as_array().expect("files");
    assert_eq!(files.len(), 18, "nine tables, twice");
    let mut sums = Vec::new();
    for file in files {
        let name = file["file"].as_str().expect("a name");
        let bytes = std::fs::read(folder.at("out").join(name)).expect("a table");
        assert_eq!(file["bytes"].as_u64(), Some(bytes.len() as u64), "{name}");
        if name.ends_with(".ndjson") {
            let lines = bytes.split_inclusive(|byte| *byte == b'\n').count();
            assert_eq!(file["rows"].as_u64(), Some(lines as u64), "{name}");
        }
        writeln!(sums, "{}  {name}", file["sha256"].as_str().expect("a checksum")).expect("memory");
    }
    assert_eq!(
        manifest["inputs"].as_array().map(Vec::len),
        Some(well(["detect", DEMO, "--json"]).rows().len())
    );
    assert_eq!(manifest["options"]["group"], "docs-site");
    assert_eq!(manifest["options"]["since"], "2025-11-01T00:00:00Z");
    let mut check = std::process::Command::new("sha256sum");
    check.args(["--check", "--quiet", "-"]).current_dir(folder.at("out")).stdin(std::process::Stdio::piped());
    match check.spawn() {
        Ok(mut child) => {
            child.stdin.take().expect("a pipe").write_all(&sums).expect("it reads");
            assert!(child.wait().expect("it ends").success(), "{}", sums.escape_ascii());
        }
        Err(_) => eprintln!("skipped: there is no sha256sum here"),
    }
}
