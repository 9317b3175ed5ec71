//! Dumps are the same for the same seed, and what is said about them is true of their bytes.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use logmill_generate::{Amount, Demo, Detail, FormatId, Plan, Truth, TruthRun, demo, files, stream};

fn streamed(format: FormatId, seed: u64, bytes: u64) -> (Vec<u8>, Truth) {
    let mut out = Vec::new();
    let truth = stream(&Plan::new(format, seed, Amount::Bytes(bytes)), "dump", &mut out).unwrap();
    (out, truth)
}

type Files = BTreeMap<PathBuf, Vec<u8>>;

fn filed(format: FormatId, seed: u64, amount: Amount) -> (Files, Truth) {
    let mut out = BTreeMap::new();
    let plan = Plan::new(format, seed, amount);
    let truth = files(&plan, &mut |path, bytes| {
        assert!(out.insert(path.to_path_buf(), bytes.to_vec()).is_none(), "{} twice", path.display());
        Ok(())
    })
    .unwrap();
    (out, truth)
}

#[test]
fn the_seed_decides_everything() {
    for format in FormatId::ALL {
        let first = streamed(format, 3, 200_000);
        assert!(first == streamed(format, 3, 200_000), "{}", format.as_str());
        assert!(first.0 != streamed(format, 4, 200_000).0, "{}", format.as_str());
        assert!(filed(format, 3, Amount::Bytes(100_000)) == filed(format, 3, Amount::Bytes(100_000)));
    }
}

#[test]
fn totals_are_the_same_without_the_runs() {
    for format in FormatId::ALL {
        let (text, mut truth) = streamed(format, 3, 100_000);
        let mut out = Vec::new();
        let plan = Plan { detail: Detail::Totals, ..Plan::new(format, 3, Amount::Bytes(100_000)) };
        let totals = stream(&plan, "dump", &mut out).unwrap();
        truth.runs.clear();
        assert!(out == text && totals == truth, "{}", format.as_str());
    }
}

#[test]
fn sizes_are_reached_and_hardly_passed() {
    for format in FormatId::ALL {
        let (bytes, truth) = streamed(format, 5, 2_000_000);
        assert_eq!(truth.n_bytes, bytes.len() as u64);
        assert!((2_000_000..3_000_000).contains(&bytes.len()), "{} {}", format.as_str(), bytes.len());
        let (files, truth) = filed(format, 5, Amount::Bytes(500_000));
        let sum: usize = files.values().map(Vec::len).sum();
        assert_eq!((truth.n_bytes, truth.n_files), (sum as u64, files.len() as u64));
        assert!((500_000..1_500_000).contains(&sum), "{} {sum}", format.as_str());
    }
    let (files, truth) = filed(FormatId::ApifyLog, 1, Amount::Runs(7));
    assert_eq!(files.len(), 7);
    assert!(truth.runs.len() >= 7);
}

#[test]
fn lines_are_counted_and_short() {
    for format in FormatId::ALL {
        let (bytes, truth) = streamed(format, 6, 1_500_000);
        let lines: Vec<&[u8]> = bytes.split_inclusive(|&byte| byte == b'\n').collect();
        assert_eq!(truth.n_lines, lines.len() as u64, "{}", format.as_str());
        if format == FormatId::ApifyLog {
            assert!(lines.iter().all(|line| line.len() < 64 * 1024));
        }
        assert!(std::str::from_utf8(&bytes).is_ok());
    }
}

/// The same stamp rules, spelt out once more: digits where digits belong, and values in range.
fn is_stamp(text: &[u8]) -> bool {
    let shape = b"0000-00-00T00:00:00.000Z";
    let number = |from: usize, to: usize| {
        text[from..to].iter().fold(0_u32, |sum, digit| sum * 10 + u32::from(digit - b'0'))
    };
    text.len() == shape.len()
        && text
            .iter()
            .zip(shape)
            .all(|(&byte, &form)| if form == b'0' { byte.is_ascii_digit() } else { byte == form })
        && (1..=12).contains(&number(5, 7))
        && (1..=31).contains(&number(8, 10))
        && number(11, 13) < 24
        && number(14, 16) < 60
        && number(17, 19) < 60
}

#[test]
fn every_apify_line_is_stamped_and_time_goes_forward() {
    let (bytes, _) = streamed(FormatId::ApifyLog, 7, 3_000_000);
    let mut before: &[u8] = b"";
    for line in bytes.split_inclusive(|&byte| byte == b'\n') {
        let (stamp, rest) = line.split_at(24);
        assert!(is_stamp(stamp), "{}", String::from_utf8_lossy(line));
        assert!(rest == b"\n" || rest.starts_with(b" "), "{}", String::from_utf8_lossy(line));
        assert!(before <= stamp, "{}", String::from_utf8_lossy(line));
        before = stamp;
    }
}

#[track_caller]
fn check_sums(run: &TruthRun) {
    let levels = run.levels;
    let by_level = levels.critical
        + levels.error
        + levels.soft_fail
        + levels.warn
        + levels.info
        + levels.perf
        + levels.debug
        + levels.none;
    assert_eq!(by_level, run.n_events, "{}", run.run_id);
    assert!(run.n_errors + run.n_warnings + run.n_retries <= run.n_events, "{}", run.run_id);
    let depth_0 = || run.steps.iter().filter(|step| step.depth == 0);
    if let (Some(duration), Some(tail)) = (run.duration_ms, run.tail_gap_ms) {
        let inside: i64 = depth_0().map(|step| step.duration_ms.unwrap() + step.gap_before_ms.unwrap()).sum();
        assert_eq!(inside + tail, duration, "{}", run.run_id);
    }
    assert!(run.steps.iter().all(|step| step.duration_ms.is_none_or(|ms| ms >= 0)), "{}", run.run_id);
    let lines = run.n_lines.or(run.n_tuples).unwrap_or(u64::MAX);
    assert!(run.n_events + run.n_blank_lines <= lines, "{}", run.run_id);
}

#[test]
fn truth_adds_up() {
    for format in FormatId::ALL {
        let (_, truth) = streamed(format, 8, 2_000_000);
        truth.runs.iter().for_each(check_sums);
        let mut ids: Vec<&str> = truth.runs.iter().map(|run| run.run_id.as_str()).collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), truth.runs.len(), "{}", format.as_str());
    }
    demo().truth.runs.iter().for_each(check_sums);
}

/// Counts lines that begin (behind the stamp) with a text.
fn beginning(bytes: &[u8], text: &str) -> u64 {
    let lines = bytes.split(|&byte| byte == b'\n').filter(|line| line.len() > 25);
    lines.filter(|line| line[25..].starts_with(text.as_bytes())).count() as u64
}

fn containing(bytes: &[u8], text: &str) -> u64 {
    bytes
        .split(|&byte| byte == b'\n')
        .filter(|line| line.windows(text.len()).any(|part| part == text.as_bytes()))
        .count() as u64
}

#[test]
fn apify_truth_agrees_with_the_text() {
    let (bytes, truth) = streamed(FormatId::ApifyLog, 9, 2_000_000);
    let sum = |count: fn(&TruthRun) -> u64| truth.runs.iter().map(count).sum::<u64>();
    assert_eq!(sum(|run| run.n_lines.unwrap()), beginning(&bytes, "") + containing_blank(&bytes));
    assert_eq!(sum(|run| run.n_platform.unwrap()), containing(&bytes, " ACTOR: "));
    let retries = containing(&bytes, "eclaiming failed request back to the list")
        + containing(&bytes, " WARN  Retrying request to ");
    assert_eq!(sum(|run| run.n_retries), retries);
    assert_eq!(sum(|run| run.n_failures), containing(&bytes, "failed and reached maximum retries"));
    assert_eq!(sum(|run| run.n_overloads), containing(&bytes, "Memory is critically overloaded."));
    assert_eq!(sum(|run| run.requests_lost), sum(|run| run.n_failures));
    let own = truth.runs.iter().filter(|run| run.run_id.starts_with("dump")).count() as u64;
    let starts = beginning(&bytes, "ACTOR: Starting ");
    let n_segments = |run: &TruthRun| run.steps.iter().filter(|step| step.name == "segment").count() as u64;
    let restarts = truth.runs.iter().map(|run| n_segments(run).saturating_sub(1)).sum::<u64>();
    assert_eq!(starts, own + restarts);
    assert!(restarts > 0 && own > 20, "{own} {restarts}");
}

fn containing_blank(bytes: &[u8]) -> u64 {
    bytes.split(|&byte| byte == b'\n').filter(|line| line.len() == 24).count() as u64
}

#[test]
fn json_is_json_and_pages_hold_what_is_said() {
    for format in [FormatId::ApifySchedule, FormatId::CloudflareBuild, FormatId::AlloyExecution] {
        let (files, _) = filed(format, 10, Amount::Bytes(400_000));
        for (path, bytes) in &files {
            let document: serde_json::Value = serde_json::from_slice(bytes).unwrap();
            assert!(document.is_object(), "{}", path.display());
        }
    }
    let (files, truth) = filed(FormatId::CloudflareBuild, 11, Amount::Bytes(3_000_000));
    let mut overlaps = 0;
    for run in &truth.runs {
        let folder = Path::new(&run.source).parent().unwrap();
        let mut tuples: Vec<serde_json::Value> = Vec::new();
        for bytes in files.iter().filter(|(path, _)| path.starts_with(folder)).map(|(_, bytes)| bytes) {
            let page: serde_json::Value = serde_json::from_slice(bytes).unwrap();
            let lines = page["result"]["lines"].as_array().unwrap();
            let known = (0..=lines.len().min(tuples.len()))
                .rev()
                .find(|&known| tuples.ends_with(&lines[..known]))
                .unwrap_or(0);
            overlaps += known;
            tuples.extend_from_slice(&lines[known..]);
        }
        assert_eq!(run.n_tuples, Some(tuples.len() as u64), "{}", run.run_id);
    }
    assert!(overlaps > 0);
}

#[test]
fn alloy_pages_repeat_but_runs_do_not() {
    let (files, truth) = filed(FormatId::AlloyExecution, 12, Amount::Runs(400));
    let mut n_executions = 0;
    for bytes in files.values() {
        let page: serde_json::Value = serde_json::from_slice(bytes).unwrap();
        let executions = page["data"].as_array().unwrap();
        assert!(executions.len() <= 30);
        n_executions += executions.len();
    }
    assert!(n_executions > truth.runs.len());
}

fn demo_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/demo")
}

#[expect(clippy::disallowed_methods, reason = "what is in testdata can only be read from there")]
fn on_disk(folder: &Path, root: &Path, out: &mut Vec<(PathBuf, Vec<u8>)>) {
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            on_disk(&path, root, out);
        } else {
            out.push((path.strip_prefix(root).unwrap().to_path_buf(), fs::read(&path).unwrap()));
        }
    }
}

/// `LOGMILL_ACCEPT=1` writes the demo anew.
#[test]
#[expect(clippy::disallowed_methods, reason = "accepting a change writes testdata")]
fn the_demo_in_testdata_is_the_generated_one() {
    let Demo { files, truth } = demo();
    let size: usize = files.iter().map(|(_, bytes)| bytes.len()).sum();
    assert!((200 * 1024..400 * 1024).contains(&size), "{size}");
    assert_eq!((truth.n_files, truth.n_bytes), (files.len() as u64, size as u64));
    let folder = demo_folder();
    if std::env::var_os("LOGMILL_ACCEPT").is_some_and(|value| value == "1") {
        let _ = fs::remove_dir_all(&folder);
        for (path, bytes) in &files {
            let path = folder.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, bytes).unwrap();
        }
    }
    let mut found = Vec::new();
    on_disk(&folder, &folder, &mut found);
    found.sort();
    let names = |files: &[(PathBuf, Vec<u8>)]| files.iter().map(|(path, _)| path.clone()).collect::<Vec<_>>();
    assert_eq!(names(&found), names(&files));
    for ((path, found), (_, expected)) in found.iter().zip(&files) {
        assert!(found == expected, "{} differs", path.display());
    }
}
