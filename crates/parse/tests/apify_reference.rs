//! The reader of Apify logs against a plain one, event by event: over the collected samples, the inputs of
//! `testdata/`, and thousands of logs made by shuffling, doubling, dropping and cutting their lines.

#[path = "support/random.rs"]
#[expect(dead_code, reason = "no single bytes are drawn here")]
mod random;
mod reference;
mod support;

use std::fmt::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use logmill_parse::Format;
use logmill_parse::formats::apify_log::ApifyLog;
use random::Random;
use reference::Event;
use reference::fragments::{RELAYS, STAMPS, TEXTS};
use support::Input;

fn logs() -> Vec<Input> {
    let samples: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/samples/apify");
    let testdata = support::testdata();
    let folders = [samples, testdata.join("apify-log"), testdata.join("demo/apify")];
    let is_log = |input: &Input| input.path.extension().is_some_and(|ext| ext == "log" || ext == "txt");
    folders.iter().flat_map(|folder| support::inputs(folder)).filter(is_log).collect()
}

/// What the format under test reads, in the reference's terms.
fn actual(bytes: &[u8]) -> Vec<Event> {
    let shape = support::shape(&ApifyLog, bytes);
    let reading = support::whole(&ApifyLog, bytes, shape);
    let odd = |flag: &&'static str| matches!(*flag, "lossy" | "unstamped" | "truncated");
    reading
        .events
        .into_iter()
        .map(|event| Event {
            line: event.line,
            n_lines: event.n_lines,
            ts: event.fields.ts.and_then(|ts| logmill_parse::time::rfc3339(&ts)),
            level: event.fields.level.to_owned(),
            logger: event.fields.logger,
            message: without_blanks(&event.fields.message),
            payload: event.fields.payload,
            run_id: event.stream,
            flags: event.fields.flags.into_iter().filter(odd).collect(),
        })
        .collect()
}

/// A message whose blank lines and end hold no blanks: what those are made of says nothing.
fn without_blanks(message: &str) -> String {
    let lines = message.split('\n').map(|line| if line.trim().is_empty() { "" } else { line });
    lines.collect::<Vec<_>>().join("\n").trim_end().to_owned()
}

/// The first disagreement about `bytes`, with the lines it is about.
fn disagreement(bytes: &[u8]) -> Option<String> {
    let mut expected = reference::events(bytes);
    for event in &mut expected {
        event.message = without_blanks(&event.message);
    }
    let Ok(found) = catch_unwind(AssertUnwindSafe(|| actual(bytes))) else {
        return Some("the reader panics, or breaks one of the checks made on every read".to_owned());
    };
    let index = (0..expected.len().max(found.len())).find(|at| expected.get(*at) != found.get(*at))?;
    let (expected, found) = (expected.get(index), found.get(index));
    let line = expected.into_iter().chain(found).map(|event| event.line).min().unwrap_or(1);
    let mut report =
        format!("line {line}, event {}\n  expected {expected:?}\n  found    {found:?}\n", index + 1);
    let last = expected
        .into_iter()
        .chain(found)
        .map(|event| event.line + u64::from(event.n_lines))
        .max()
        .unwrap_or(1);
    for (at, raw) in bytes.split(|byte| *byte == b'\n').enumerate().map(|(at, raw)| (at as u64 + 1, raw)) {
        if (line.saturating_sub(2)..=last + 1).contains(&at) {
            let cut = raw.get(..160).unwrap_or(raw);
            writeln!(report, "  {at:5} | {}", String::from_utf8_lossy(cut).escape_debug())
                .expect("writing to a string");
        }
    }
    Some(report)
}

/// Whether there is a reader to compare with yet.
fn is_there() -> bool {
    !ApifyLog.about().title.is_empty()
}

#[test]
fn agrees_on_every_log() {
    if !is_there() {
        return;
    }
    let wrong: Vec<String> = logs()
        .iter()
        .filter_map(|input| Some(format!("{}: {}", input.path.display(), disagreement(&input.bytes)?)))
        .collect();
    assert!(wrong.is_empty(), "{} logs differ:\n\n{}", wrong.len(), wrong.join("\n"));
}

/// Some lines from all logs, in stretches, with a few of them moved, doubled, dropped or cut.
fn mutated(lines: &[Vec<u8>], random: &mut Random) -> Vec<u8> {
    let mut chosen: Vec<Vec<u8>> = Vec::new();
    for _ in 0..=random.below(4) {
        let start = random.below(lines.len());
        let len = 1 + random.below(12);
        chosen.extend(lines.iter().skip(start).take(len).cloned());
    }
    for _ in 0..random.below(4) {
        let at = random.below(chosen.len());
        let other = random.below(chosen.len());
        match random.below(4) {
            0 => chosen.swap(at, other),
            1 => chosen.insert(at, chosen[other].clone()),
            2 if chosen.len() > 1 => drop(chosen.remove(at)),
            _ => {
                let mut len = random.below(chosen[at].len() + 1);
                // Half of a box drawing character is something else to every reader.
                while chosen[at].get(len).is_some_and(|byte| byte & 0xc0 == 0x80) {
                    len -= 1;
                }
                chosen[at].truncate(len);
            }
        }
    }
    let mut log = chosen.join(&b'\n');
    if random.below(4) > 0 {
        log.push(b'\n');
    }
    log
}

#[test]
fn agrees_on_mutated_logs() {
    if !is_there() {
        return;
    }
    let lines: Vec<Vec<u8>> = logs()
        .iter()
        .flat_map(|input| input.bytes.split(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect::<Vec<_>>())
        .collect();
    let mut random = Random(0x6c6f_676d_696c_6c21);
    let mut wrong = Vec::new();
    for round in 0..4000 {
        let log = mutated(&lines, &mut random);
        if let Some(difference) = disagreement(&log) {
            wrong.push(format!("round {round}: {difference}"));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of 4000 logs differ, the first:\n{}",
        wrong.len(),
        wrong[..wrong.len().min(12)].join("\n")
    );
}

/// A log put together from fragments.
fn generated(random: &mut Random) -> Vec<u8> {
    let mut log = String::new();
    for _ in 0..=random.below(12) {
        log.push_str(STAMPS[random.below(STAMPS.len())]);
        log.push_str(RELAYS[random.below(RELAYS.len())]);
        log.push_str(TEXTS[random.below(TEXTS.len())]);
        log.push_str(if random.below(40) == 0 { "\r\n" } else { "\n" });
    }
    if random.below(8) == 0 {
        log.pop();
    }
    log.into_bytes()
}

#[test]
fn agrees_on_generated_logs() {
    if !is_there() {
        return;
    }
    let mut random = Random(0x6170_6966_7921_2121);
    let mut wrong = Vec::new();
    for round in 0..8000 {
        let log = generated(&mut random);
        if let Some(difference) = disagreement(&log) {
            wrong.push(format!("round {round}: {difference}"));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of 8000 logs differ, the first:\n{}",
        wrong.len(),
        wrong[..wrong.len().min(12)].join("\n")
    );
}
