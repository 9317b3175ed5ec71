//! What other libraries make of the same bytes, where they can be asked for the same thing.
//!
//! Everybody states three [`Facts`] about a corpus, and the bench holds that they agree. A peer's work is the
//! least that gives them: it knows no levels, phases, outcomes, joined events, repetitions or damaged input,
//! all of which our records hold.

use std::borrow::Cow;

use chrono::DateTime;
use logmill_parse::{Level, Mark, Micros};
use regex::bytes::Regex;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::corpus::Corpus;
use crate::read;

/// What everybody finds out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Facts {
    /// Earliest instant of an event.
    pub first: Micros,
    /// Latest instant of an event.
    pub last: Micros,
    /// Errors of `apify-log`, entries of `apify-schedule`, builds of `cloudflare-build`, steps of
    /// `alloy-execution`. `None` from a peer that only reads stamps.
    pub n: Option<u64>,
}

impl Facts {
    const NONE: Self = Self { first: Micros::MAX, last: Micros::MIN, n: Some(0) };

    fn see(&mut self, ts: Option<Micros>) {
        let Some(ts) = ts else { return };
        self.first = self.first.min(ts);
        self.last = self.last.max(ts);
    }

    fn count(&mut self, n: usize) {
        self.n = self.n.map(|known| known + n as u64);
    }

    /// Whether two say the same, as far as both say something.
    #[must_use]
    pub fn agree(self, other: Self) -> bool {
        let counted = self.n.zip(other.n).is_none_or(|(one, two)| one == two);
        counted && (self.first, self.last) == (other.first, other.last)
    }
}

/// One way of reading a corpus.
pub struct Peer {
    /// Its name.
    pub name: &'static str,
    /// Reads all of it.
    pub read: fn(&Corpus) -> Facts,
}

const fn peer(name: &'static str, read: fn(&Corpus) -> Facts) -> Peer {
    Peer { name, read }
}

/// Everybody who reads the logs of a format, ourselves first.
#[must_use]
pub fn peers(format: &str) -> Vec<Peer> {
    let theirs = match format {
        "apify-log" => vec![peer("regex", apify_regex), peer("chrono", apify_chrono)],
        "apify-schedule" => vec![
            peer("serde_json", |corpus| {
                documents(corpus, |text, facts| entries(serde_json::from_slice(text), facts))
            }),
            peer("serde_json Value", |corpus| documents(corpus, entries_of_value)),
            peer("sonic-rs", |corpus| {
                documents(corpus, |text, facts| entries(sonic_rs::from_slice(text), facts))
            }),
            peer("simd-json", |corpus| {
                copies(corpus, |text, facts| entries(simd_json::from_slice(text), facts))
            }),
        ],
        "cloudflare-build" => vec![
            peer("serde_json", |corpus| {
                documents(corpus, |text, facts| page(serde_json::from_slice(text), facts))
            }),
            peer("serde_json Value", |corpus| documents(corpus, page_of_value)),
            peer("sonic-rs", |corpus| {
                documents(corpus, |text, facts| page(sonic_rs::from_slice(text), facts))
            }),
            peer("simd-json", |corpus| {
                copies(corpus, |text, facts| page(simd_json::from_slice(text), facts))
            }),
        ],
        "alloy-execution" => vec![
            peer("serde_json", |corpus| {
                documents(corpus, |text, facts| {
                    executions::<&RawValue, _>(serde_json::from_slice(text), facts);
                })
            }),
            peer("serde_json Value", |corpus| documents(corpus, executions_of_value)),
            peer("sonic-rs", |corpus| {
                documents(corpus, |text, facts| {
                    executions::<IgnoredAny, _>(sonic_rs::from_slice(text), facts);
                })
            }),
            peer("simd-json", |corpus| {
                copies(corpus, |text, facts| executions::<IgnoredAny, _>(simd_json::from_slice(text), facts))
            }),
        ],
        _ => Vec::new(),
    };
    let ours = peer("logmill-parse", ours);
    std::iter::once(ours).chain(theirs).collect()
}

/// All records with all marks, as the bench `records` reads them.
fn ours(corpus: &Corpus) -> Facts {
    let mut facts = Facts::NONE;
    let is_alloy = corpus.format.about().id == "alloy-execution";
    read::batches(corpus, &mut |batch| {
        if is_alloy {
            // A failed execution has an event of its own, which is no step.
            for marked in &batch.marks {
                if let Mark::Step(step) = &marked.mark {
                    facts.see(step.stopped_at.or(step.started_at));
                    facts.count(1);
                }
            }
            return;
        }
        for record in &batch.records {
            facts.see(record.ts);
            let counts = match corpus.format.about().id {
                "apify-log" => record.level == Level::Error,
                "cloudflare-build" => record.message.raw.starts_with(OPENING.as_bytes()),
                _ => true,
            };
            facts.count(usize::from(counts));
        }
    });
    facts
}

/// Every document of a corpus: its files, or the lines of its stream.
fn documents(corpus: &Corpus, read: impl Fn(&[u8], &mut Facts)) -> Facts {
    let mut facts = Facts::NONE;
    for file in &corpus.files {
        if corpus.name == "stream" {
            let lines = file.bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
            lines.for_each(|line| read(line, &mut facts));
        } else {
            read(&file.bytes, &mut facts);
        }
    }
    facts
}

/// Every document, copied: some readers write into what they read.
fn copies(corpus: &Corpus, read: impl Fn(&mut [u8], &mut Facts)) -> Facts {
    let copy = std::cell::RefCell::new(Vec::new());
    documents(corpus, |text, facts| {
        let mut copy = copy.borrow_mut();
        copy.clear();
        copy.extend_from_slice(text);
        read(&mut copy, facts);
    })
}

fn instant(text: &str) -> Option<Micros> {
    Some(DateTime::parse_from_rfc3339(text).ok()?.timestamp_micros())
}

/// Line by line: stamp, level, logger and message by one expression, the stamp to a number.
fn apify_regex(corpus: &Corpus) -> Facts {
    let pattern = concat!(
        r"^(?-u)(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z) (?:\[[^\]]+\] -> (?:\S+Z )?)*",
        r"(?:\x1b\[[0-9;]*m)*(?:\[([^\]]+)\] )?",
        r"(?:(DEBUG|INFO|WARN|WARNING|ERROR|CRITICAL)(?:\x1b\[[0-9;]*m)*:? +)?(?:([A-Za-z]+): )?(.*)$",
    );
    let line = Regex::new(pattern).expect("an expression");
    lines(corpus, |text, facts| {
        let Some(found) = line.captures(text) else { return };
        let group = |index| found.get(index).map_or(b"".as_slice(), |part| part.as_bytes());
        facts.see(std::str::from_utf8(group(1)).ok().and_then(instant));
        facts.count(usize::from(group(3) == b"ERROR" && !group(5).is_empty()));
    })
}

/// Nothing but the stamps.
fn apify_chrono(corpus: &Corpus) -> Facts {
    let facts = lines(corpus, |text, facts| {
        let stamp = text.get(..24).and_then(|stamp| std::str::from_utf8(stamp).ok());
        facts.see(stamp.and_then(instant));
    });
    Facts { n: None, ..facts }
}

fn lines(corpus: &Corpus, mut read: impl FnMut(&[u8], &mut Facts)) -> Facts {
    let mut facts = Facts::NONE;
    for file in &corpus.files {
        let mut start = 0;
        for end in memchr::memchr_iter(b'\n', &file.bytes).chain([file.bytes.len()]) {
            read(file.bytes.get(start..end).unwrap_or_default(), &mut facts);
            start = end + 1;
        }
    }
    facts
}

/// An entry, or a page of them: whatever is not there stays empty.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Entry<'a> {
    #[serde(borrow)]
    created_at: Option<Cow<'a, str>>,
    #[serde(borrow)]
    message: Option<Cow<'a, str>>,
    #[serde(borrow)]
    level: Option<Cow<'a, str>>,
    #[serde(borrow)]
    data: Vec<Entry<'a>>,
}

fn entries<E: std::fmt::Debug>(read: Result<Entry<'_>, E>, facts: &mut Facts) {
    let entry = read.expect("generated JSON");
    for entry in entry.data.iter().chain([&entry]) {
        facts.count(usize::from(entry.message.is_some() && entry.level.is_some()));
        facts.see(entry.created_at.as_deref().and_then(instant));
    }
}

fn entries_of_value(text: &[u8], facts: &mut Facts) {
    let value: Value = serde_json::from_slice(text).expect("generated JSON");
    for entry in list(&value, "data").iter().chain([&value]) {
        facts.count(usize::from(entry.get("message").is_some() && entry.get("level").is_some()));
        let created_at = entry.get("createdAt").and_then(Value::as_str);
        facts.see(created_at.and_then(instant));
    }
}

fn list<'v>(of: &'v Value, key: &str) -> &'v [Value] {
    of.get(key).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// What a build begins with; the dashboard may show it twice.
const OPENING: &str = "Initializing build environment";

#[derive(Deserialize)]
struct Page<'a> {
    #[serde(borrow)]
    result: Lines<'a>,
}

#[derive(Deserialize)]
struct Lines<'a> {
    #[serde(borrow)]
    lines: Vec<(i64, Cow<'a, str>)>,
}

fn page<E: std::fmt::Debug>(read: Result<Page<'_>, E>, facts: &mut Facts) {
    let lines = read.expect("generated JSON").result.lines;
    tuples(lines.iter().map(|(ts, text)| (*ts, &**text)), facts);
}

fn page_of_value(text: &[u8], facts: &mut Facts) {
    let value: Value = serde_json::from_slice(text).expect("generated JSON");
    let lines = value.pointer("/result/lines").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let tuple = |line: &'_ Value| Some((line.get(0)?.as_i64()?, line.get(1)?.as_str()?.to_owned()));
    let read: Vec<(i64, String)> = lines.iter().filter_map(tuple).collect();
    tuples(read.iter().map(|(ts, text)| (*ts, text.as_str())), facts);
}

fn tuples<'a>(lines: impl Iterator<Item = (i64, &'a str)>, facts: &mut Facts) {
    let mut opened = None;
    for (ms, text) in lines {
        facts.see(Some(ms * 1000));
        if text.starts_with(OPENING) {
            facts.count(usize::from(opened != Some(ms)));
            opened = Some(ms);
        }
    }
}

/// An execution, or a page of them. `R` is what stands for a value that is not looked into.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", default, bound(deserialize = "R: Deserialize<'de>"))]
struct Execution<'a, R> {
    #[serde(borrow)]
    #[serde(rename = "executionId")]
    id: Option<Cow<'a, str>>,
    finished: Option<bool>,
    #[serde(borrow)]
    results: Vec<Step<'a, R>>,
    error: Option<R>,
    #[serde(borrow)]
    data: Vec<Execution<'a, R>>,
}

impl<R> Default for Execution<'_, R> {
    fn default() -> Self {
        Self { id: None, finished: None, results: Vec::new(), error: None, data: Vec::new() }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", bound(deserialize = "R: Deserialize<'de>"))]
struct Step<'a, R> {
    #[serde(borrow)]
    started_at: Option<Cow<'a, str>>,
    #[serde(borrow)]
    stopped_at: Option<Cow<'a, str>>,
    #[serde(borrow)]
    connector_id: Option<Cow<'a, str>>,
    data: Option<R>,
    error: Option<R>,
}

fn executions<R, E: std::fmt::Debug>(read: Result<Execution<'_, R>, E>, facts: &mut Facts) {
    let read = read.expect("generated JSON");
    for execution in read.data.iter().chain([&read]) {
        for step in &execution.results {
            let ts = step.stopped_at.as_deref().or(step.started_at.as_deref()).and_then(instant);
            facts.see(ts);
            std::hint::black_box((&step.connector_id, &step.data, &step.error));
        }
        facts.count(execution.results.len());
        std::hint::black_box((&execution.id, execution.finished, &execution.error));
    }
}

fn executions_of_value(text: &[u8], facts: &mut Facts) {
    let value: Value = serde_json::from_slice(text).expect("generated JSON");
    for execution in list(&value, "data").iter().chain([&value]) {
        for step in list(execution, "results") {
            let at = |key| step.get(key).and_then(Value::as_str).and_then(instant);
            facts.see(at("stoppedAt").or_else(|| at("startedAt")));
            facts.count(1);
        }
    }
}
