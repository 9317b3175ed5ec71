//! Build logs that people posted: what they are taken for, how they end, and their phases.
//!
//! That they may be read in windows of any size is a property of all formats, held elsewhere.
//! The logs are not part of the repository; where they do not lie beside it, nothing is checked.
#![expect(clippy::disallowed_methods, reason = "tests read files")]

use std::path::PathBuf;

use logmill_parse::formats::cloudflare_build::CloudflareBuild;
use logmill_parse::limits::HEAD_BYTES;
use logmill_parse::time::duration_ms;
use logmill_parse::{
    Batch, Carry, Code, Delivery, End, Extent, Format, Head, Mark, Shape, Status, Wants, Window,
};

fn parse(bytes: &[u8]) -> Batch<'_> {
    let mut out = Batch::new(Wants::Everything);
    let window = Window { bytes, offset: 0, end: End::Input };
    assert_eq!(CloudflareBuild.parse(window, &mut Carry::default(), &mut out, Delivery::AtEnd), bytes.len());
    assert_eq!(out.account.total().bytes, bytes.len() as u64);
    out
}

/// A phase as a plain reading of the marks gives it.
#[derive(Debug, PartialEq)]
struct Phase {
    name: String,
    depth: u8,
    duration_ms: Option<i64>,
}

/// The phases of every run in the batch: a start closes what is open at its depth or deeper,
/// the end of the run closes the rest.
fn phases(out: &Batch<'_>) -> Vec<Vec<Phase>> {
    let mut runs: Vec<Vec<Phase>> = Vec::new();
    let mut open: Vec<(String, u8, Option<i64>)> = Vec::new();
    let ts_at = |record: usize| out.records.get(record).or(out.records.last()).and_then(|record| record.ts);
    let close =
        |runs: &mut Vec<Vec<Phase>>, open: &mut Vec<(String, u8, Option<i64>)>, depth, at: Option<i64>| {
            while open.last().is_some_and(|&(_, d, _)| d >= depth) {
                let (name, depth, start) = open.pop().unwrap();
                let duration_ms = start.zip(at).map(|(start, at)| duration_ms(start, at));
                runs.last_mut().expect("a run").push(Phase { name, depth, duration_ms });
            }
        };
    for marked in &out.marks {
        let at = ts_at(marked.record);
        match &marked.mark {
            Mark::Run(_) => {
                let last = marked.record.checked_sub(1).and_then(ts_at);
                close(&mut runs, &mut open, 0, last);
                runs.push(Vec::new());
            }
            Mark::StepStart(step) if open.last().is_none_or(|(name, ..)| *name != step.name) => {
                close(&mut runs, &mut open, step.depth, at);
                open.push((step.name.to_string(), step.depth, at));
            }
            Mark::StepEnd(step) => close(&mut runs, &mut open, step.depth, at),
            _ => {}
        }
    }
    let last = out.records.last().and_then(|record| record.ts);
    close(&mut runs, &mut open, 0, last);
    runs
}

fn outcomes(out: &Batch<'_>) -> Vec<(Status, Option<&'static str>, String)> {
    let mut found = Vec::new();
    for marked in &out.marks {
        match &marked.mark {
            Mark::Run(_) => found.push((Status::Unknown, None, String::new())),
            Mark::Outcome(outcome) => {
                *found.last_mut().expect("a run") =
                    (outcome.status, outcome.failure_class, outcome.reason.to_string());
            }
            _ => {}
        }
    }
    found
}

fn samples(folder: &str) -> Vec<(String, Vec<u8>)> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/samples").join(folder);
    let Ok(entries) = std::fs::read_dir(path) else { return Vec::new() };
    let mut files: Vec<_> = entries
        .map(|entry| entry.unwrap().path())
        .map(|path| (path.file_name().unwrap().to_string_lossy().into_owned(), std::fs::read(&path).unwrap()))
        .collect();
    files.sort();
    files
}

fn detect(bytes: &[u8]) -> Option<(u8, Shape)> {
    let head = bytes.get(..HEAD_BYTES).unwrap_or(bytes);
    let extent = if head.len() == bytes.len() { Extent::Whole } else { Extent::Part };
    CloudflareBuild.detect(Head { bytes: head, extent }).map(|found| (found.score, found.shape))
}

/// Number in the file name, then status and failure class of each build, as the list of samples has them.
const EXPECTED: &[(&str, &[(&str, &str)])] = &[
    ("01", &[("failed", "build_command")]),
    ("02", &[("failed", "deploy_command")]),
    ("03", &[("failed", "build_command")]),
    ("05", &[("failed", "deploy_command")]),
    ("06", &[("failed", "deploy_command")]),
    ("07", &[("failed", "deploy_command")]),
    ("09", &[("failed", "functions_bundle")]),
    ("10", &[("failed", "tools_or_dependencies")]),
    ("11", &[("failed", "functions_bundle")]),
    ("13", &[("failed", "build_command")]),
    ("14", &[("failed", "build_command")]),
    ("15", &[("succeeded", "")]),
    ("16", &[("unknown", "")]),
    ("17", &[("failed", "deploy_command")]),
    ("18", &[("failed", "deploy_command")]),
    ("19", &[("failed", "build_command")]),
    ("21", &[("failed", "deploy_command")]),
    ("22", &[("failed", "build_command")]),
    ("23", &[("failed", "deploy_command")]),
    ("25", &[("failed", "build_command")]),
    ("26", &[("succeeded", "")]),
    ("27", &[("succeeded", "")]),
    ("29", &[("failed", "build_command")]),
    ("30", &[("succeeded", "")]),
    ("31", &[("succeeded", ""), ("succeeded", "")]),
    ("32", &[("failed", "output_directory")]),
    ("34", &[("failed", "deploy_command")]),
    ("36", &[("failed", "build_command")]),
    ("37", &[("failed", "deploy_command")]),
    ("38", &[("failed", "build_command")]),
    ("39", &[("unknown", "")]),
    ("40", &[("unknown", "")]),
    ("41", &[("failed", "build_token")]),
    ("43", &[("timed_out", "init_timeout")]),
    ("44", &[("failed", "tools_or_dependencies")]),
    ("45", &[("failed", "root_directory")]),
    ("46", &[("failed", "tools_or_dependencies")]),
    ("47", &[("succeeded", "")]),
    ("48", &[("failed", "build_command")]),
    ("49", &[("unknown", "")]),
    ("50", &[("unknown", "")]),
    ("51", &[("unknown", "")]),
    ("52", &[("succeeded", "")]),
    ("53", &[("failed", "build_command")]),
    ("55", &[("failed", "build_command")]),
    ("56", &[("failed", "submodules")]),
    ("57", &[("failed", "internal")]),
    ("58", &[("failed", "internal")]),
    // It ends without an end line: the green mark beside it is not in the log.
    ("59", &[("unknown", "")]),
    ("61", &[("failed", "deploy_command")]),
    ("63", &[("succeeded", "")]),
];

#[test]
fn samples_end_as_they_ended() {
    for (name, bytes) in samples("cloudflare") {
        let out = parse(&bytes);
        let (_, expect) = EXPECTED.iter().find(|(number, _)| name.starts_with(number)).expect(&name);
        let found: Vec<(&str, &str)> = outcomes(&out)
            .into_iter()
            .map(|(status, class, _)| (status.as_str(), class.unwrap_or_default()))
            .collect();
        assert_eq!(found, *expect, "{name}");
        let ends = memchr::memmem::find(&bytes, "✨ Success! Build completed.".as_bytes()).is_some()
            || memchr::memmem::find(&bytes, b"Success: Your site was deployed!").is_some();
        assert_eq!(found.iter().any(|&(status, _)| status == "succeeded"), ends, "{name}");
    }
}

#[test]
fn samples_are_detected() {
    for (name, bytes) in samples("cloudflare") {
        let found = detect(&bytes);
        assert!(
            found.is_some_and(|(score, shape)| score >= 50 && shape == Shape::Sequence),
            "{name} {found:?}"
        );
    }
    for (name, bytes) in samples("json") {
        let is_log = name.starts_with("cf_logs");
        assert_eq!(detect(&bytes).is_some(), is_log, "{name}");
    }
    for (name, bytes) in samples("apify") {
        assert_eq!(detect(&bytes), None, "{name}");
    }
}

#[test]
fn phases_of_samples_are_not_negative() {
    for (name, bytes) in samples("cloudflare") {
        let out = parse(&bytes);
        for phase in phases(&out).iter().flatten() {
            assert!(phase.duration_ms.is_none_or(|ms| ms >= 0), "{name} {phase:?}");
        }
        assert!(!out.issues.iter().any(|issue| issue.code == Code::BackwardClock), "{name}");
    }
}
