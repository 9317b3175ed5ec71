//! Tests over whole inputs: the account, any cut, hostile inputs, and a plain reading of the JSON
//! by `serde_json` that must say the same.

use std::fmt::Write as _;

use super::CloudflareBuild;
use crate::format::{Carry, End, Format, Window};
use crate::issue::Code;
use crate::record::{Account, Batch, Delivery, Wants};

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
                "{start}..{end} {}+{} {:?} {:?} {} {} {:?} {:?}",
                record.line + line,
                record.n_lines,
                record.ts,
                record.until,
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
    let newlines = memchr::memchr_iter(b'\n', bytes).count() as u64;
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
        let consumed = CloudflareBuild.parse(window, &mut Carry::default(), &mut out, Delivery::AtEnd);
        assert!(consumed <= end - start);
        assert!(consumed > 0 || out.records.is_empty(), "records without progress");
        let line = u32::try_from(memchr::memchr_iter(b'\n', &bytes[..start]).count()).unwrap();
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
    assert_eq!(CloudflareBuild.parse(window, &mut Carry::default(), &mut out, Delivery::AtEnd), bytes.len());
    let total = out.account.total();
    assert_eq!(total.bytes, bytes.len() as u64, "{:?}", out.account);
    assert_eq!(total.lines, lines_of(bytes), "{:?}", out.account);
    let mut at = 0;
    for record in &out.records {
        assert!(record.span.start >= at && record.span.end <= bytes.len() && !record.span.is_empty());
        at = record.span.end;
        let before = memchr::memchr_iter(b'\n', &bytes[..record.span.start]).count();
        assert_eq!(record.line as usize, before);
    }
    let spans: usize = out.records.iter().map(|record| record.span.len()).sum();
    assert!(spans as u64 >= out.account.record.bytes + out.account.continuation.bytes);
    assert!(out.marks.is_sorted_by_key(|marked| marked.record));
    assert!(out.issues.is_sorted_by_key(|issue| issue.start));
    out
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
    assert_eq!(out.issues[1].message, "expected `,` or `]`, found `\\\"`");
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

#[test]
fn events_have_a_longest_length() {
    let mut text = String::from("2026-07-08T02:59:50.337Z\tfirst\n");
    let mut json = String::from("[[1784052295481,\"npm error code 1\"]");
    for line in 0..25_000 {
        let _ = writeln!(text, "more {line}");
        let _ = write!(json, ",\n[1784052295481,\"npm error {line}\"]");
    }
    json.push(']');
    for (input, elements) in [(&text, 25_001), (&json, 25_001)] {
        let out = parse(input.as_bytes());
        let sizes: Vec<u32> = out.records.iter().map(|record| record.n_lines).collect();
        assert_eq!(sizes, [10_000, 10_000, elements - 20_000]);
        let full = out.issues.iter().filter(|issue| issue.code == Code::EventTooLong).count();
        assert_eq!(full, 2);
    }
}

#[test]
fn an_event_lasts_to_its_last_stamp() {
    // The log is cut inside the error: it was still being written at its third line.
    let input = "2026-09-21T14:13:20.000Z\tnpm error code ENOENT\n\
                 2026-09-21T14:13:20.004Z\tnpm error path /x\n\
                 2026-09-21T14:13:20.007Z\tnpm error errno -2\n";
    let out = parse(input.as_bytes());
    // 2026-09-21T14:13:20Z is 1_790_000_000.
    let found: Vec<_> = out.records.iter().map(|record| (record.n_lines, record.ts, record.until)).collect();
    assert_eq!(found, [(3, Some(1_790_000_000_000_000), Some(1_790_000_000_007_000))]);
}

/// Builds of one page are reported as soon as they end, unless a clock may follow: both ways give the same.
#[test]
fn builds_of_one_page_are_told_apart_on_the_way() {
    let mut lines: Vec<(i64, &str)> = Vec::new();
    let at = 1_784_052_000_000;
    for build in 0..4 {
        let start = at + build * 100_000;
        lines.push((start, "Initializing build environment..."));
        if build == 1 {
            lines.push((start, "Initializing build environment..."));
        }
        lines.push((start + 10, "Cloning repository..."));
        lines.push((start + 20, "Executing user build command: npm run build"));
        lines.push((start + 30, "npm error code ERESOLVE"));
        lines.push((start + 40, "npm error while resolving"));
        if build == 2 {
            lines.push((start + 10, "Cloning repository..."));
            lines.push((start + 20, "Executing user build command: npm run build"));
        }
        if build != 3 {
            lines.push((start + 50, "Failed: error occurred while running build command"));
        }
    }
    // Behind an end line a clone starts a build as well.
    lines.push((at + 500_000, "✨ Success! Build completed."));
    lines.push((at + 500_010, "Cloning repository..."));
    lines.push((at + 500_020, "  indented"));
    let lines = serde_json::to_string(&lines).unwrap();
    let next = r#"{"lines":[[1784052500020,"  indented"],[1784052500030,"Finished"]],"truncated":true}"#;
    for (page, n_runs) in [
        (format!(r#"{{"lines":{lines}"#), 5),
        (format!(r#"{{"success":true,"result":{{"truncated":true,"lines":{lines},"cursor":"x"}}"#), 5),
    ] {
        let on_the_way = read(format!("[{page}{}}},{next}]", " ".repeat(11)).as_bytes());
        let at_the_end = read(format!("[{page},\"events\":0}},{next}]").as_bytes());
        assert_eq!(on_the_way.events, at_the_end.events);
        assert_eq!(on_the_way.issues.len(), at_the_end.issues.len());
        assert_eq!(on_the_way.marks, at_the_end.marks);
        let runs = on_the_way.marks.iter().filter(|mark| mark.contains("RunHead")).count();
        assert_eq!(runs, n_runs);
    }
}

#[test]
fn a_clock_of_an_earlier_build_is_not_the_next_ones() {
    let events = r#""events":[{"type":"initializing","started_on":"2020-01-01T00:00:00Z"}]"#;
    let page = |lines: &str, rest: &str| format!(r#"{{"result":{{"lines":[{lines}],{rest}}}}}"#);
    let opening =
        |seconds: u32| format!(r#"[{}000,"Initializing build environment..."]"#, 1_762_000_000 + seconds);
    let pages = [
        page(&opening(0), events),
        page(r#"[1762000001000,"more"]"#, events),
        // Both builds of this page are told when it ends.
        page(&format!("{},{}", opening(500), opening(900)), r#""cursor":null"#),
    ];
    for text in [pages.join("\n"), format!("[{}]", pages.join(","))] {
        let out = parse(text.as_bytes());
        let mismatches = out.issues.iter().filter(|issue| issue.code == Code::ClockMismatch).count();
        let runs = out.marks.iter().filter(|marked| matches!(marked.mark, crate::Mark::Run(_))).count();
        assert_eq!((runs, mismatches), (3, 1), "{text}");
    }
}
