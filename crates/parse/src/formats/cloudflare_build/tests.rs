//! Tests over whole inputs: the account, any cut, the sample logs where they are at hand,
//! and a plain reading of the JSON by `serde_json` that must say the same.

use std::fmt::Write as _;
use std::path::PathBuf;

use super::CloudflareBuild;
use crate::format::{Carry, End, Extent, Format, Head, Shape, Window};
use crate::issue::Code;
use crate::limits::HEAD_BYTES;
use crate::mark::Mark;
use crate::record::{Account, Batch, Wants};
use crate::time::duration_ms;
use crate::vocabulary::{Class, Status};

/// Everything a file gives, as text that can be compared whatever window it came from.
#[derive(Debug, Default, PartialEq)]
struct Reading {
    events: Vec<String>,
    marks: Vec<String>,
    issues: Vec<String>,
    account: Account,
}

impl Reading {
    fn add(&mut self, out: &Batch<'_>, offset: usize, line: u32) {
        let events = self.events.len();
        for record in &out.records {
            let (start, end) = (record.span.start + offset, record.span.end + offset);
            self.events.push(format!(
                "{start}..{end} {}+{} {:?} {} {} {:?} {:?}",
                record.line + line,
                record.n_lines,
                record.ts,
                record.level,
                record.class,
                record.flags,
                record.message.decode(),
            ));
        }
        self.marks
            .extend(out.marks.iter().map(|marked| format!("{} {:?}", marked.record + events, marked.mark)));
        self.issues.extend(out.issues.iter().map(|issue| {
            format!(
                "{} {}..{} {}",
                issue.code.as_str(),
                issue.start + offset,
                issue.end + offset,
                issue.line + line
            )
        }));
        self.account.merge(&out.account);
    }
}

fn lines_of(bytes: &[u8]) -> u64 {
    let newlines = bytes.iter().filter(|&&byte| byte == b'\n').count() as u64;
    newlines + u64::from(bytes.last().is_some_and(|&byte| byte != b'\n'))
}

/// Reads a file as the reader of `Sequence` inputs does, the windows growing by `step` bytes.
fn read_in_steps(bytes: &[u8], step: usize) -> Reading {
    let mut reading = Reading::default();
    let (mut start, mut len) = (0, step);
    loop {
        let end = (start + len).min(bytes.len());
        let is_last = end == bytes.len();
        let window = Window {
            bytes: &bytes[start..end],
            offset: start as u64,
            end: if is_last { End::Input } else { End::More },
        };
        let mut out = Batch::new(Wants::Everything);
        let consumed = CloudflareBuild.parse(window, &mut Carry::default(), &mut out);
        assert!(consumed <= end - start);
        assert!(consumed > 0 || out.records.is_empty(), "records without progress");
        let line = u32::try_from(bytes[..start].iter().filter(|&&byte| byte == b'\n').count()).unwrap();
        reading.add(&out, start, line);
        start += consumed;
        len = if consumed == 0 { len + step } else { step };
        if is_last {
            assert_eq!(start, bytes.len(), "all is consumed at the end");
            return reading;
        }
    }
}

fn read(bytes: &[u8]) -> Reading {
    read_in_steps(bytes, bytes.len().max(1))
}

/// Parses and checks what must hold of any input.
fn parse(bytes: &[u8]) -> Batch<'_> {
    let mut out = Batch::new(Wants::Everything);
    let window = Window { bytes, offset: 0, end: End::Input };
    assert_eq!(CloudflareBuild.parse(window, &mut Carry::default(), &mut out), bytes.len());
    let total = out.account.total();
    assert_eq!(total.bytes, bytes.len() as u64, "{:?}", out.account);
    assert_eq!(total.lines, lines_of(bytes), "{:?}", out.account);
    let mut at = 0;
    for record in &out.records {
        assert!(record.span.start >= at && record.span.end <= bytes.len() && !record.span.is_empty());
        at = record.span.end;
        let before = bytes[..record.span.start].iter().filter(|&&byte| byte == b'\n').count();
        assert_eq!(record.line as usize, before);
    }
    let spans: usize = out.records.iter().map(|record| record.span.len()).sum();
    assert!(spans as u64 >= out.account.record.bytes + out.account.continuation.bytes);
    assert!(out.marks.is_sorted_by_key(|marked| marked.record));
    assert!(out.issues.is_sorted_by_key(|issue| issue.start));
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
            Mark::StepStart(step) => {
                if open.last().is_none_or(|(name, ..)| *name != step.name) {
                    close(&mut runs, &mut open, step.depth, at);
                    open.push((step.name.to_string(), step.depth, at));
                }
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

#[test]
fn samples_may_be_read_in_any_steps() {
    for (name, bytes) in samples("cloudflare") {
        let whole = read(&bytes);
        for step in [64, 1000, 20_000] {
            assert_eq!(read_in_steps(&bytes, step), whole, "{name} {step}");
        }
    }
}

/// What the samples give, for a look by eye: `cargo test -p logmill-parse -- --ignored --nocapture dump`.
#[test]
#[ignore = "prints"]
fn dump_samples() {
    for folder in ["cloudflare", "json"] {
        for (name, bytes) in samples(folder) {
            if folder == "json" && !name.starts_with("cf_") {
                continue;
            }
            let out = parse(&bytes);
            println!("== {name} {:?}", detect(&bytes));
            for outcome in outcomes(&out) {
                println!("   {outcome:?}");
            }
            for run in phases(&out) {
                let shown = run.iter().fold(String::new(), |mut shown, phase| {
                    let _ = write!(
                        shown,
                        " {}{}={:?}",
                        ">".repeat(phase.depth.into()),
                        phase.name,
                        phase.duration_ms
                    );
                    shown
                });
                println!("  {shown}");
            }
            for marked in &out.marks {
                if let Mark::Metric(_) | Mark::Fact(..) | Mark::Incomplete(..) | Mark::Step(_) = &marked.mark
                {
                    println!("     @{} {:?}", marked.record, marked.mark);
                }
            }
            for issue in &out.issues {
                println!("   ! {} line {} {}", issue.code.as_str(), issue.line + 1, issue.message);
            }
            for record in &out.records {
                let odd = record.level.is_error() || record.class != Class::Plain || record.n_lines > 1;
                if odd || record.level == crate::vocabulary::Level::Warn {
                    println!(
                        "     {}+{} {} {} {:?}",
                        record.line + 1,
                        record.n_lines,
                        record.level,
                        record.class,
                        record.message.decode()
                    );
                }
            }
        }
    }
}

/// The same lines, read by `serde_json` without any cleverness.
#[derive(serde::Deserialize)]
struct PlainPage {
    result: PlainResult,
}

#[derive(serde::Deserialize)]
struct PlainResult {
    lines: Vec<(i64, String)>,
}

/// A page of `n` lines as builds print them; a tenth of them hold escapes.
fn page(n: usize) -> String {
    const LINES: &[&str] = &[
        "Fetching packages for the workspace root and twelve members",
        "npm warn deprecated glob@7.2.3: Glob versions prior to v9 are no longer supported",
        "dist/assets/index-B2O6lZ2R.css   39.97 kB │ gzip:  6.87 kB",
        "",
        "   Generating static pages (2/5)",
        "> shop@0.1.0 build",
        "src/pages/index.tsx compiled in 38 ms, 12 modules, no warnings at all to speak of",
        "07:05:49   ├─ /tea/sencha/index.html (+43ms)",
        "+ tailwindcss@4.3.0",
        "Using \"default\" settings\nfrom C:\\config",
    ];
    let mut json = String::from("{\"result\":{\"cursor\":\"WzAsMzRd\",\"truncated\":false,\"lines\":[");
    let mut ts = 1_784_052_295_481_i64;
    for (index, line) in LINES.iter().cycle().take(n).enumerate() {
        let comma = if index == 0 { "" } else { "," };
        let line = serde_json::to_string(line).unwrap();
        let _ = write!(json, "{comma}[{ts},{line}]");
        ts += 7;
    }
    json.push_str("]},\"success\":true,\"errors\":[],\"messages\":[]}");
    json
}

#[test]
fn lines_agree_with_serde_json() {
    let json = page(1000);
    let plain: PlainPage = serde_json::from_str(&json).unwrap();
    let out = parse(json.as_bytes());
    let mut lines = plain.result.lines.iter();
    for record in &out.records {
        let expect: Vec<&(i64, String)> = lines.by_ref().take(record_elements(record.message.raw)).collect();
        assert_eq!(record.ts, crate::time::epoch(expect[0].0));
        let text: Vec<&str> = expect.iter().map(|(_, text)| text.as_str()).collect();
        assert_eq!(record.message.decode(), text.join("\n"));
    }
    assert_eq!(lines.next(), None);
}

/// How many tuples a message was joined from.
fn record_elements(raw: &[u8]) -> usize {
    let text = std::str::from_utf8(raw).unwrap();
    if text.starts_with('[') {
        serde_json::from_str::<Vec<(i64, String)>>(&format!("[{text}]")).unwrap().len()
    } else {
        1
    }
}

/// Throughput beside `serde_json`: `cargo test --release -p logmill-parse --lib -- --ignored --nocapture throughput`.
#[test]
#[ignore = "measures"]
fn throughput() {
    use std::borrow::Cow;
    use std::time::Instant;

    #[derive(serde::Deserialize)]
    struct Page<'a> {
        #[serde(borrow)]
        result: Lines<'a>,
    }
    #[derive(serde::Deserialize)]
    struct Lines<'a> {
        #[serde(borrow)]
        lines: Vec<(i64, Cow<'a, str>)>,
    }
    #[derive(serde::Deserialize)]
    struct Borrowed<'a>(i64, #[serde(borrow)] Cow<'a, str>);
    #[derive(serde::Deserialize)]
    struct BorrowedPage<'a> {
        #[serde(borrow)]
        result: BorrowedLines<'a>,
    }
    #[derive(serde::Deserialize)]
    struct BorrowedLines<'a> {
        #[serde(borrow)]
        lines: Vec<Borrowed<'a>>,
    }

    fn best(bytes: usize, mut work: impl FnMut() -> usize) -> f64 {
        let seconds = (0..7)
            .map(|_| {
                let start = Instant::now();
                std::hint::black_box(work());
                start.elapsed().as_secs_f64()
            })
            .fold(f64::INFINITY, f64::min);
        bytes as f64 / 1e6 / seconds
    }

    for n in [1000, 400_000] {
        let json = page(n);
        let repeats = 400_000 / n;
        let bytes = json.len() * repeats;
        let owned = best(bytes, || {
            (0..repeats)
                .map(|_| serde_json::from_slice::<Page<'_>>(json.as_bytes()).unwrap().result.lines.len())
                .sum()
        });
        let borrowed = best(bytes, || {
            let read = || serde_json::from_slice::<BorrowedPage<'_>>(json.as_bytes()).unwrap().result.lines;
            (0..repeats).map(|_| read().iter().filter(|line| line.0 > 0 && line.1.len() < 1000).count()).sum()
        });
        for wants in [Wants::Runs, Wants::Everything] {
            let mut out = Batch::new(wants);
            let ours = best(bytes, || {
                let mut records = 0;
                for _ in 0..repeats {
                    let mut batch = std::mem::replace(&mut out, Batch::new(wants)).recycle();
                    let window = Window { bytes: json.as_bytes(), offset: 0, end: End::Input };
                    CloudflareBuild.parse(window, &mut Carry::default(), &mut batch);
                    records += batch.records.len();
                    out = batch.recycle();
                }
                records
            });
            println!(
                "{n} lines {wants:?}: {ours:.0} MB/s, serde_json owned {owned:.0}, borrowed {borrowed:.0}: {:.2}, {:.2}",
                ours / owned,
                ours / borrowed
            );
        }
    }
}

#[track_caller]
fn check_issues(input: &str, expect: &[Code]) -> usize {
    let out = parse(input.as_bytes());
    let found: Vec<Code> = out.issues.iter().map(|issue| issue.code).collect();
    assert_eq!(found, expect, "{:?}", out.issues);
    out.records.len()
}

#[test]
fn hostile_json_costs_what_is_broken() {
    let deep = "[".repeat(100_000);
    assert_eq!(
        check_issues(&format!(r#"{{"result":{{"lines":[[1784052295481,"a"],{deep}"#), &[Code::InvalidJson]),
        1
    );
    let balanced = format!("{deep}{}", "]".repeat(100_000));
    assert_eq!(
        check_issues(
            &format!(r#"{{"lines":[[1784052295481,"a"],{balanced},[1784052295482,"b"]]}}"#),
            &[Code::UnexpectedShape]
        ),
        2
    );
    assert_eq!(check_issues(r#"[[1784052295481,"a"],[1784052295482,"b"#, &[Code::InvalidJson]), 1);
    assert_eq!(
        check_issues(
            r#"[[1e400,"a"],[1784052295482,"\ud800"],[1784052295483,"c"]]"#,
            &[Code::BadTimestamp, Code::InvalidUtf8]
        ),
        3
    );
    assert_eq!(
        check_issues(r#"[[1784052295482,"\ud83e\udeb5 b"],[1784052295483,"\ud800"]]"#, &[Code::InvalidUtf8]),
        2
    );
    assert_eq!(
        check_issues(
            r#"{"lines":[[1784052295481,"a"],7,{"x":1},[1784052295482,{"b":1}],[1784052295483,"c"]]}"#,
            &[Code::UnexpectedShape; 3]
        ),
        2
    );
    assert_eq!(
        check_issues(
            "[[1784052295481,\"a\"],[1784052295482,\"b\"}]\n[[1784052295483,\"c\"]]",
            &[Code::InvalidJson]
        ),
        2
    );
    assert_eq!(check_issues("{\"result\":null,\"success\":true,\"errors\":[]}", &[]), 0);
    assert_eq!(check_issues("[]", &[]), 0);
    assert_eq!(check_issues("[[1784052295481,\"a\"]] trailing", &[Code::InvalidJson]), 1);
}

#[test]
fn broken_json_is_placed() {
    let input = r#"{"lines":[[1784052295481,"a"],7 "b"]}"#;
    let out = parse(input.as_bytes());
    let at = input.find(" \"b\"").unwrap() + 1;
    assert_eq!(out.issues[1].message, format!("expected `,` or `]`, found `\\\"` at byte {at}"));
    assert_eq!(out.issues[1].start, at);
}

/// Every beginning and every single-byte change of an input is read without a panic, and accounted for.
#[test]
fn mutilated_inputs_are_read() {
    let json = r#"{"result":{"cursor":"WzAsMzRd","truncated":true,"lines":[[1784052295481,"Initializing build environment..."],[1784052295482,"\u001b[31m\u2718 \ud83e\udeb5 [ERROR]\u001b[0m x"],["2026-08-13T02:34:29Z","  y"],[null,null],{"ts":"2021-04-20T19:35:29.0749819Z","line":"z"}],"events":[{"type":"initializing","started_on":"2026-08-13T02:34:29.793Z","ended_on":null}]},"success":true,"errors":[]}"#;
    let text = "2026-07-08T02:59:50.337Z\tInitializing build environment...\r\n\nx\n 2026-07-08T02:59:50.338Z\t\u{1b}[31m✘ [ERROR] a\n2026-07-08T02:59:50.339Z\t\n2026-07-08T02:59:50.339Z\t  b\n07:04:08.713 | c\n-- | --\n2026-07-08T02:59:50.337Z\tInitializing build environment...\n2026-07-08T02:59:51Z\tFailed: x\nfooter\n2026-07-08T03:00:00Z Initializing build environment...\n";
    for input in [json, text] {
        let bytes = input.as_bytes();
        for end in 0..bytes.len() {
            parse(&bytes[..end]);
        }
        for at in 0..bytes.len() {
            for byte in [b'"', b'\\', b'[', b'}', b'\n', b'0', 0, 0xff] {
                let mut bytes = bytes.to_vec();
                bytes[at] = byte;
                parse(&bytes);
            }
        }
        for step in 1..40 {
            if input == text {
                assert_eq!(read_in_steps(bytes, step), read(bytes), "{step}");
            }
        }
    }
}

#[test]
fn replays_by_the_thousand_stay_cheap() {
    let mut text = String::new();
    for round in 0..3000 {
        for line in 0..10 {
            let ms = if round % 2 == 0 { line } else { 500 - line };
            let _ = writeln!(text, "2026-07-08T02:59:50.{ms:03}Z\tline {line}");
        }
    }
    let out = parse(text.as_bytes());
    assert!(out.account.duplicate.lines > 20_000, "{:?}", out.account);
}
