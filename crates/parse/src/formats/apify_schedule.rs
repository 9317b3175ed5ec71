//! Apify schedule logs: JSON entries `{message, level, createdAt}`, one "Schedule invoked" per firing and the errors
//! of what it could not start.
//!
//! Read here: `{"data":[…]}`, a bare array, lines of entries; always as one document, because the order of the
//! entries is not documented. Records are therefore emitted in the order of `createdAt`, whatever stands
//! first in the file; their spans and lines stay true, so spans of one batch are apart, but not ascending.
//!
//! An entry that is not "Schedule invoked" belongs to the invocation of the ten seconds before it. A later error
//! is an invocation of its own: its firing left no other trace.

mod entry;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Range;

use entry::{Entry, Log};

use crate::encoding::bom_len;
use crate::format::{About, CERTAIN, Carry, Format, Head, LineState, Match, Metadata, Shape, Window};
use crate::json::{Ledger, Token, Tokens, ValueKind, is_lines, lines, skip_blanks};
use crate::limits::HEAD_BYTES;
use crate::mark::{Bounds, Mark, Metric, Outcome, Revocation, RunHead, RunId};
use crate::record::{Batch, Delivery, Evidence, Flags, Record, Wants};
use crate::time::Micros;
use crate::vocabulary::{Class, Kind, Level, Platform, Status};

/// How long after its start an invocation takes entries.
const REACH_US: Micros = 10_000_000;
/// Schedules fire on whole minutes.
const MINUTE_US: Micros = 60_000_000;

/// The format.
#[derive(Debug)]
pub struct ApifySchedule;

static ABOUT: About = About {
    id: "apify-schedule",
    platform: Platform::Apify,
    kind: Some(Kind::Invocation),
    title: "Apify schedule logs (JSON)",
    shapes: &[
        "the API's answer, {\"data\":[{message,level,createdAt}]}",
        "a bare array of entries",
        "lines of entries (NDJSON)",
    ],
    endpoint: "GET https://api.apify.com/v2/schedules/:scheduleId/log",
    limit_chars: None,
    no_opening: None,
};

impl Format for ApifySchedule {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    /// The first object that has an entry's keys decides: all three are this log's own set.
    fn detect(&self, head: Head<'_>) -> Option<Match> {
        if is_documented(head.bytes) {
            return Some(Match { score: CERTAIN, shape: Shape::Document });
        }
        let mut depth = None;
        let (mut message, mut level, mut created_at) = (false, false, false);
        for token in Tokens::new(head.bytes) {
            let key = token.key.unwrap_or_default();
            let telling = matches!(key, b"message" | b"level" | b"createdAt");
            if depth.is_some_and(|depth| token.depth < depth) || (message && level && created_at) {
                break;
            }
            if telling && (1..=3).contains(&token.depth) && *depth.get_or_insert(token.depth) == token.depth {
                message |= key == b"message";
                level |= key == b"level";
                created_at |= key == b"createdAt";
            }
        }
        let score = match (message, level, created_at) {
            (true, true, true) => 95,
            (true, false, true) => 30,
            _ => return None,
        };
        Some(Match { score, shape: Shape::Document })
    }

    fn cut(&self, _bytes: &[u8], _from: usize) -> Option<usize> {
        None
    }

    fn parse<'a>(
        &self,
        window: Window<'a>,
        _carry: &mut Carry,
        out: &mut Batch<'a>,
        delivery: Delivery<'_>,
    ) -> usize {
        let bytes = window.bytes;
        let bom = bom_len(bytes);
        let mut log = Log::new(bytes);
        let head = bytes.get(bom..).unwrap_or_default();
        if is_lines(head.get(..HEAD_BYTES).unwrap_or(head)) {
            for line in lines(bytes, bom) {
                read_values(&mut log, bytes.get(..line.end).unwrap_or_default(), line.start);
            }
        } else {
            read_values(&mut log, bytes, bom);
        }
        emit(&mut log, bytes, delivery, out);
        bytes.len()
    }

    fn metadata(&self, _document: &[u8]) -> Option<Metadata> {
        None
    }

    /// Apify's error answers are those of the run logs, and recognised there.
    fn error_body(&self, _document: &[u8]) -> Option<String> {
        None
    }
}

/// Whether the head is what the documentation shows: the API's answer, an array or a line, whose first entry
/// begins with its three members.
fn is_documented(head: &[u8]) -> bool {
    use ValueKind::{Array, Object};
    let tokens: Vec<Token<'_>> = Tokens::new(head).take(6).collect();
    let kind = |at: usize| tokens.get(at).map(|token| token.kind);
    let entry_at = match (kind(0), kind(1), kind(2)) {
        (Some(Object), Some(Array), Some(Object)) if tokens.iter().any(|it| it.key == Some(b"data")) => 3,
        (Some(Array), Some(Object), _) => 2,
        (Some(Object), ..) => 1,
        _ => return false,
    };
    let members = tokens.get(entry_at..entry_at + 3).unwrap_or_default();
    let mut keys: Vec<&[u8]> = members
        .iter()
        .filter(|member| member.kind == ValueKind::String)
        .filter_map(|member| member.key)
        .collect();
    keys.sort_unstable();
    keys == [b"createdAt".as_slice(), b"level", b"message"]
}

fn read_values<'a>(log: &mut Log<'a>, document: &'a [u8], at: usize) {
    let mut at = skip_blanks(document, at);
    while at < document.len() {
        let end = log.value(document, at);
        at = skip_blanks(document, end.max(at + 1));
    }
}

fn emit<'a>(log: &mut Log<'a>, window: &'a [u8], mut delivery: Delivery<'_>, out: &mut Batch<'a>) {
    claim(log, window, out);
    sort(&mut log.entries);
    let mut names = Names::default();
    let mut rest = 0..log.entries.len();
    while let Some(invocation) = next_invocation(&log.entries, &mut rest) {
        let entries = log.entries.get(invocation).unwrap_or_default();
        open_invocation(entries, &mut names, out);
        for entry in entries {
            push(entry, out);
        }
        delivery.offer(out);
    }
}

/// Gives every entry its bytes and lines, in the order they stand.
fn claim<'a>(log: &mut Log<'a>, window: &'a [u8], out: &mut Batch<'a>) {
    let (mut ledger, mut lines) =
        (Ledger::new(window, LineState::Start), Ledger::new(window, LineState::Start));
    log.findings.sort();
    for entry in &mut log.entries {
        log.findings.claim_before(entry.span.start, &mut ledger, &mut out.account.rejected);
        entry.claim = ledger.claim(entry.span, &mut out.account.record);
    }
    log.findings.claim_before(usize::MAX, &mut ledger, &mut out.account.rejected);
    log.findings.report(&mut lines, out);
    ledger.close(window.len(), &mut out.account);
}

/// By instant; what has none stays behind its neighbour above. Equal instants keep their order, or,
/// where the log runs backwards, turn it round.
fn sort(entries: &mut [Entry<'_>]) {
    let mut last = None;
    for entry in entries.iter_mut() {
        last = entry.ts.or(last);
        entry.order = last;
    }
    let first = entries.iter().find_map(|entry| entry.ts);
    if first > last {
        entries.reverse();
    }
    entries.sort_by_key(|entry| entry.order);
}

/// Takes the entries of the next invocation off `rest`.
fn next_invocation(entries: &[Entry<'_>], rest: &mut Range<usize>) -> Option<Range<usize>> {
    let start = rest.next()?;
    let began = entries.get(start)?.order;
    let mut end = start + 1;
    while let Some(entry) = entries.get(end) {
        let is_late = entry.order.zip(began).is_some_and(|(ts, began)| ts - began > REACH_US);
        if entry.is_invoked || (is_late && entry.level.is_error()) {
            break;
        }
        end += 1;
    }
    rest.start = end;
    Some(start..end)
}

/// The marks before the first of an invocation's entries.
fn open_invocation<'a>(entries: &[Entry<'a>], names: &mut Names<'a>, out: &mut Batch<'a>) {
    let Some(first) = entries.first() else { return };
    let id = RunId::Within(names.unique(first));
    out.mark(Mark::Run(Box::new(RunHead { kind: Kind::Invocation, id, bounds: Bounds::Records })));
    let error = entries.iter().find(|entry| entry.level.is_error());
    let (status, reason) = match error {
        Some(error) => (Status::Failed, error.reason()),
        None if first.is_invoked => (Status::Succeeded, Cow::Borrowed("invoked")),
        None => (Status::Unknown, Cow::Borrowed("not_invoked")),
    };
    let revoked_by = Revocation::Never;
    out.mark(Mark::Outcome(Outcome { status, reason, failure_class: None, weight: 1, revoked_by }));
}

/// Names of invocations and how often they have been used.
///
/// Invocations come in the order of their instants, and equal names mean equal instants: only those of the
/// instant at hand can be used again, and those without one.
#[derive(Debug, Default)]
struct Names<'a> {
    instant: Option<Micros>,
    /// The only name of the instant so far; nearly all have no other.
    only: Option<Cow<'a, str>>,
    dated: BTreeMap<Cow<'a, str>, u32>,
    undated: BTreeMap<Cow<'a, str>, u32>,
}

impl<'a> Names<'a> {
    /// `createdAt` of an invocation's first entry, with `#2`, `#3`, … from its second use on.
    fn unique(&mut self, first: &Entry<'a>) -> Cow<'a, str> {
        let name = first.created_text();
        if first.ts.is_some() && first.ts != self.instant {
            self.instant = first.ts;
            self.only = Some(name.clone());
            self.dated.clear();
            return name;
        }
        let names = if first.ts.is_some() { &mut self.dated } else { &mut self.undated };
        if let Some(only) = self.only.take_if(|_| first.ts.is_some()) {
            names.insert(only, 1);
        }
        let uses = names.entry(name.clone()).or_insert(0);
        *uses += 1;
        if *uses == 1 { name } else { Cow::Owned(format!("{name}#{uses}")) }
    }
}

fn push<'a>(entry: &Entry<'a>, out: &mut Batch<'a>) {
    if let Some(ts) = entry.ts.filter(|_| entry.is_invoked && out.wants == Wants::Everything) {
        let value = (ts.rem_euclid(MINUTE_US) / 1000) as f64;
        let name = Cow::Borrowed("lateness_ms");
        out.mark(Mark::Metric(Metric { name, value, unit: "ms", label: Cow::Borrowed("") }));
    }
    let class = match entry.level {
        level if level.is_error() => Class::Failure,
        Level::Info if entry.is_invoked => Class::Platform,
        _ => Class::Plain,
    };
    out.records.push(Record {
        span: entry.span,
        line: entry.claim.line,
        n_lines: entry.claim.n_lines,
        n_events: 1,
        ts: entry.ts,
        until: None,
        clock: None,
        level: entry.level,
        class,
        logger: b"",
        message: entry.message,
        payload: entry.payload,
        stream: 0,
        flags: if entry.is_lossy { Flags::LOSSY } else { Flags::NONE },
        evidence: Evidence::NONE,
    });
}
