//! From the batches of one stretch to a shard.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use logmill_parse::mark::{Fate, Mark, Marked};
use logmill_parse::time::DAY_US;
use logmill_parse::{Account, Batch, Class, Code, Codec, Issue, Level, Micros, Record};

use super::issues::ListedIssue;
use super::pending::{
    PendingMark, ScopeMark, StepUse, own_end, own_head, own_opening, own_outcome, own_start,
};
use super::tally::{At, Tally, Times, bounds, instant, widen, widen_by};
use super::texts::{Measures, Texts};
use super::{
    Anchor, Boundary, LastLine, MAX_TEMPLATES, MessageUse, MetricValue, OTHER, RequestUse, Scope, Shard,
    StreamKey, Template,
};
use crate::group::body::count_newlines;
use crate::mask::{headline, mask_again};
use crate::pipeline::{Detail, Options};
use crate::redact::without_digits;

/// Characters of an example message.
const MAX_EXAMPLE_CHARS: usize = 500;

/// Bytes of an issue's raw prefix.
const MAX_PREFIX_BYTES: usize = 80;

/// Makes a shard from the batches of one stretch.
#[derive(Debug)]
pub struct Collector {
    shard: Shard,
    templates: BTreeMap<Class, BTreeMap<Arc<str>, u32>>,
    /// Open scope of the input's own run, then of the relayed runs by key.
    own: Option<usize>,
    relayed: BTreeMap<StreamKey, usize>,
    /// Events seen, those left out included.
    n_seen: u64,
    scratch: Scratch,
    detail: Detail,
    /// Where the scopes that are open now may begin.
    anchor: Anchor,
    /// The last made-up instant.
    made_up: Option<Micros>,
    /// Texts that are said again and again.
    texts: Texts,
    /// What is measured.
    measures: Measures,
}

#[derive(Debug, Default)]
struct Scratch {
    message: String,
    template: String,
    /// Scope of each stream of the batch at hand.
    scopes: Vec<Option<usize>>,
}

impl Collector {
    /// A collector for the stretch that starts at `start`.
    #[must_use]
    pub fn new(start: u64, options: &Options) -> Self {
        Self {
            shard: Shard { end: start, ..Shard::default() },
            templates: BTreeMap::new(),
            own: None,
            relayed: BTreeMap::new(),
            n_seen: 0,
            scratch: Scratch::default(),
            detail: options.detail,
            anchor: Anchor { offset: start, lines: 0 },
            made_up: None,
            texts: Texts::masked_by(options.redactor.clone()),
            measures: Measures::default(),
        }
    }

    /// Adds what a format found in `bytes`, the next part of the stretch. The first `skipped`
    /// records repeat an earlier part of the log and count as duplicate.
    pub fn add(&mut self, batch: &Batch<'_>, bytes: &[u8], consumed: usize, skipped: usize) {
        self.add_within(batch, bytes, 0..consumed, skipped);
    }

    /// As [`Self::add`], where the part is a `range` of `bytes`.
    pub fn add_within(&mut self, batch: &Batch<'_>, bytes: &[u8], range: Range<usize>, skipped: usize) {
        let at = self.records(batch, skipped);
        for issue in &batch.issues {
            self.issue(issue, bytes, range.start, at);
        }
        self.account(batch, skipped);
        let consumed = range.len();
        let taken = bytes.get(range).unwrap_or_default();
        self.shard.n_newlines += count_newlines(taken);
        if let Some(last) = taken.last() {
            self.shard.last_line = Some(if *last == b'\n' { LastLine::Closed } else { LastLine::Open });
        }
        self.shard.end += consumed as u64;
    }

    /// Adds records and marks of a document that is still being read.
    pub fn add_part(&mut self, batch: &Batch<'_>) {
        self.records(batch, 0);
    }

    /// Adds records and marks, and says where their window begins.
    fn records(&mut self, batch: &Batch<'_>, skipped: usize) -> At {
        let offset = self.shard.end;
        let lines = self.shard.account.total().lines;
        self.scratch.scopes.clear();
        self.scratch.scopes.resize(batch.streams.len() + 1, None);
        let mut marks = batch.marks.iter();
        let mut marked_at = next_mark(&marks);
        for (index, record) in batch.records.iter().enumerate() {
            let placed;
            let record = if record.clock.is_some() {
                placed = self.place_in_time(record);
                &placed
            } else {
                record
            };
            while marked_at <= index
                && let Some(marked) = marks.next()
            {
                if index >= skipped || matches!(marked.mark, Mark::Run(_)) {
                    self.mark(batch, &marked.mark, Some(record), At { offset, lines });
                }
                marked_at = next_mark(&marks);
            }
            if index >= skipped {
                self.record(batch, record, At { offset, lines });
            }
            self.n_seen += u64::from(record.n_events);
        }
        for marked in marks {
            self.mark(batch, &marked.mark, None, At { offset, lines });
        }
        At { offset, lines }
    }

    /// Lets what follows open further scopes where the open ones hold so many bytes already, so that
    /// no scope of a long stretch is larger than what the second pass can hold.
    pub fn split_behind(&mut self, bytes: u64) {
        if self.shard.end - self.anchor.offset >= bytes {
            self.anchor = Anchor { offset: self.shard.end, lines: self.shard.account.total().lines };
            self.own = None;
            self.relayed.clear();
        }
    }

    /// The record with a made-up instant: its time of day on the day that brings it nearest to the
    /// record before it. Only differences of such instants are ever told.
    fn place_in_time<'r>(&mut self, record: &Record<'r>) -> Record<'r> {
        let ts = record.clock.map(|clock| {
            let before = self.made_up.unwrap_or(clock);
            let near = before.div_euclid(DAY_US) * DAY_US + clock;
            let days = [near - DAY_US, near, near + DAY_US];
            days.into_iter().min_by_key(|at| (at - before).abs()).unwrap_or(near)
        });
        self.made_up = ts.or(self.made_up);
        Record { ts, ..*record }
    }

    /// Adds a problem of the stretch itself.
    pub fn issue_at_end(&mut self, code: Code, message: &str) {
        let (offset, lines) = (self.shard.end, self.shard.account.total().lines);
        let issue = ListedIssue {
            code,
            line: Some(lines),
            offset: Some(offset),
            message: message.to_owned(),
            raw_prefix: String::new(),
            n_bytes: 0,
        };
        self.shard.issues.push(issue);
    }

    /// The shard.
    #[must_use]
    pub fn finish(self) -> Shard {
        Shard { measures: self.measures.list, ..self.shard }
    }

    fn account(&mut self, batch: &Batch<'_>, skipped: usize) {
        let mut account = batch.account;
        repeat(&mut account, &batch.records, skipped);
        self.shard.account.merge(&account);
    }

    /// Adds a problem of a part that begins at `from` in `bytes`.
    fn issue(&mut self, issue: &Issue, bytes: &[u8], from: usize, at: At) {
        let start = from + issue.start;
        let end = (from + issue.end).max(start + 1).min(bytes.len());
        let raw_prefix = if let Some(redactor) = &self.texts.redactor {
            redactor.prefix(bytes, start, end, MAX_PREFIX_BYTES)
        } else {
            bytes.get(start..end.min(start + MAX_PREFIX_BYTES)).unwrap_or_default().to_vec()
        };
        self.shard.issues.push(ListedIssue {
            code: issue.code,
            line: Some(at.lines + u64::from(issue.line)),
            offset: Some(at.offset + issue.start as u64),
            message: issue.message.clone().into_owned(),
            raw_prefix: raw_prefix.escape_ascii().to_string(),
            n_bytes: issue.end.saturating_sub(issue.start) as u64,
        });
    }

    fn record(&mut self, batch: &Batch<'_>, record: &Record<'_>, at: At) {
        let index = self.scope_of(batch, record, at);
        self.shard.n_events += u64::from(record.n_events);
        widen_by(&mut self.shard.span, bounds(instant(record), record.until));
        let Some(scope) = self.shard.scopes.get_mut(index) else { return };
        if record.clock.is_some() {
            scope.times = Times::OfDay;
        }
        if scope.tally.n_events == 0 {
            // It may have been opened by a mark on a record that is left out.
            scope.record = self.n_seen;
        }
        let is_error = scope.tally.count(record, at);
        scope.start = scope.start.min(at.offset + record.span.start as u64);
        scope.end = scope.end.max(at.offset + record.span.end as u64);
        let is_told = is_error || record.level == Level::Warn || record.class == Class::Retry;
        if is_told && self.detail > Detail::Events {
            self.message(index, record, at, is_error);
        }
    }

    /// Counts an error or warning message under its template.
    fn message(&mut self, index: usize, record: &Record<'_>, at: At, is_error: bool) {
        let Self { shard, templates, scratch, texts, .. } = self;
        let Scratch { message, template, .. } = scratch;
        message.clear();
        record.message.decode_into(message);
        let remembered = if let Some(redactor) = &texts.redactor {
            redactor.mask(message);
            mask_again(&without_digits(message), template);
            None
        } else {
            mask_again(message, template)
        };
        let Some(scope) = shard.scopes.get_mut(index) else { return };
        if is_error && scope.tally.first_error.is_none() {
            let headline = if record.class == Class::Crash {
                first_line(&headline(message))
            } else {
                first_line(message)
            };
            scope.tally.first_error = Some(headline);
        }
        let known = templates.entry(record.class).or_default();
        let id = if let Some(id) = known.get(template.as_str()) {
            *id
        } else {
            let full = shard.templates.len() >= MAX_TEMPLATES;
            let text: Arc<str> = Arc::from(if full { OTHER } else { template.as_str() });
            *known.entry(Arc::clone(&text)).or_insert_with(|| {
                shard.templates.push(Template { class: record.class, text });
                u32::try_from(shard.templates.len() - 1).unwrap_or(u32::MAX)
            })
        };
        let example = || match remembered {
            Some(message) if message.len() <= MAX_EXAMPLE_CHARS => message,
            _ => texts.text(cut_at(message, MAX_EXAMPLE_CHARS)),
        };
        let used = scope.messages.entry(id).or_insert_with(|| MessageUse {
            n: 0,
            level: record.level,
            span: None,
            line: at.lines + u64::from(record.line),
            example: example(),
        });
        used.n += 1;
        used.level = used.level.min(record.level);
        widen(&mut used.span, instant(record));
    }

    /// The open scope of the record's stream; opens one if there is none.
    #[inline]
    fn scope_of(&mut self, batch: &Batch<'_>, record: &Record<'_>, at: At) -> usize {
        match self.scratch.scopes.get(record.stream as usize) {
            Some(Some(index)) => *index,
            _ => self.find_scope(batch, record, at),
        }
    }

    #[inline(never)]
    fn find_scope(&mut self, batch: &Batch<'_>, record: &Record<'_>, at: At) -> usize {
        let slot = record.stream as usize;
        let stream = slot_key(batch, slot);
        let open = match &stream {
            None => self.own,
            Some(key) => self.relayed.get(key).copied(),
        };
        let index = open.unwrap_or_else(|| self.open(stream, None, Some(record), at));
        if let Some(cached) = self.scratch.scopes.get_mut(slot) {
            *cached = Some(index);
        }
        index
    }

    fn open(
        &mut self,
        stream: Option<StreamKey>,
        boundary: Option<Boundary>,
        record: Option<&Record<'_>>,
        at: At,
    ) -> usize {
        let index = self.shard.scopes.len();
        match &stream {
            None => self.own = Some(index),
            Some(key) => drop(self.relayed.insert(key.clone(), index)),
        }
        let start = at.offset + record.map_or(0, |record| record.span.start as u64);
        let line = at.lines + record.map_or(0, |record| u64::from(record.line));
        self.shard.scopes.push(Scope {
            stream,
            boundary,
            first_ts: record.and_then(|record| record.ts),
            times: Times::Instants,
            tally: Tally::default(),
            marks: Vec::new(),
            messages: BTreeMap::new(),
            requests: Vec::new(),
            metrics: Vec::new(),
            start,
            end: start,
            line,
            record: self.n_seen,
            anchor: self.anchor,
            crawl_marks: 0,
        });
        index
    }

    fn mark(&mut self, batch: &Batch<'_>, mark: &Mark<'_>, record: Option<&Record<'_>>, at: At) {
        let boundary = match mark {
            Mark::Run(head) => Some(Boundary::Run(own_head(head))),
            Mark::Opening(opening) => Some(Boundary::Opening(own_opening(opening))),
            _ => None,
        };
        let stream = record.map_or(0, |record| record.stream as usize);
        if let Some(boundary) = boundary {
            let key = slot_key(batch, stream);
            let index = self.open(key, Some(boundary), record, at);
            if let Some(slot) = self.scratch.scopes.get_mut(stream) {
                *slot = Some(index);
            }
            return;
        }
        let index = match record {
            Some(record) => self.scope_of(batch, record, at),
            None => self.own.unwrap_or_else(|| self.open(None, None, None, at)),
        };
        let Some(scope) = self.shard.scopes.get_mut(index) else { return };
        match mark {
            Mark::Request(_) if self.detail < Detail::Requests => {}
            Mark::Request(request) => scope.request(request, record, &mut self.texts),
            Mark::Metric(metric) => {
                let of = self.measures.number(&metric.name, metric.unit, &metric.label);
                scope.metrics.push(MetricValue { ts: record.and_then(instant), value: metric.value, of });
            }
            mark => scope.mark(mark, record, &mut self.texts),
        }
    }
}

/// Moves the first `skipped` of `records` to the account's duplicates, byte for byte.
///
/// A joined event's elements have punctuation between them, which the account has as structure.
/// How its bytes divide is known if all joined events are left out, or none; else they are
/// taken to divide as those of all joined events do.
fn repeat(account: &mut Account, records: &[Record<'_>], skipped: usize) {
    if skipped == 0 {
        return;
    }
    let joined_bytes = |records: &[Record<'_>]| -> u64 {
        let joined = records.iter().filter(|record| matches!(record.message.codec, Codec::Joined(_)));
        joined.map(|record| record.span.len() as u64).sum()
    };
    let span_bytes =
        |records: &[Record<'_>]| -> u64 { records.iter().map(|record| record.span.len() as u64).sum() };
    let gone = records.get(..skipped).unwrap_or(records);
    let (joined, joined_gone) = (joined_bytes(records), joined_bytes(gone));
    let share = |bytes: u64| {
        let share = u128::from(bytes) * u128::from(joined_gone) / u128::from(joined.max(1));
        u64::try_from(share).unwrap_or(bytes).min(bytes)
    };
    let between = span_bytes(records).saturating_sub(account.record.bytes + account.continuation.bytes);
    let (further, between) = (share(account.continuation.bytes), share(between));
    let mut left = span_bytes(gone);
    account.duplicate.bytes += left;
    for (part, most) in [
        (&mut account.continuation, further),
        (&mut account.structure, between),
        (&mut account.record, u64::MAX),
    ] {
        let moved = most.min(left).min(part.bytes);
        part.bytes -= moved;
        left -= moved;
    }
    account.duplicate.bytes -= left;
    for record in gone {
        let (lines, first) = (u64::from(record.n_lines), u64::from(record.n_lines.min(1)));
        account.record.lines = account.record.lines.saturating_sub(first);
        account.continuation.lines = account.continuation.lines.saturating_sub(lines - first);
        account.duplicate.lines += lines;
    }
}

/// The record that the next mark belongs to; none when there is no further mark.
fn next_mark(marks: &std::slice::Iter<'_, Marked<'_>>) -> usize {
    marks.as_slice().first().map_or(usize::MAX, |marked| marked.record)
}

fn slot_key(batch: &Batch<'_>, slot: usize) -> Option<StreamKey> {
    let stream = batch.streams.get(slot.checked_sub(1)?)?;
    Some(StreamKey {
        run_id: String::from_utf8_lossy(stream.run_id).into_owned(),
        name: String::from_utf8_lossy(stream.name).into_owned(),
    })
}

impl Scope {
    fn mark(&mut self, mark: &Mark<'_>, record: Option<&Record<'_>>, texts: &mut Texts) {
        let ts = record.and_then(|record| record.ts);
        let pending = match mark {
            Mark::Run(_) | Mark::Opening(_) | Mark::Request(_) | Mark::Metric(_) => return,
            Mark::StepStart(start) => PendingMark::StepStart(own_start(start)),
            Mark::StepEnd(end) => PendingMark::StepEnd(own_end(end)),
            Mark::Step(step) => PendingMark::Step(Box::new(StepUse::new(step, texts))),
            Mark::Ready => PendingMark::Ready,
            Mark::Progress => PendingMark::Progress,
            Mark::Outcome(outcome) => PendingMark::Outcome(own_outcome(outcome)),
            Mark::Fact(fact, value) => PendingMark::Fact(*fact, value.clone().into_owned()),
            Mark::CrawlStart => PendingMark::CrawlStart,
            Mark::CrawlStats(stats) => PendingMark::CrawlStats(*stats),
            Mark::CrawlEnd => PendingMark::CrawlEnd,
            Mark::Incomplete(missing, reason) => PendingMark::Incomplete(*missing, reason),
        };
        self.crawl_marks += u32::from(pending.is_about_crawls());
        let same_as_last = |last: &ScopeMark| {
            matches!((&last.mark, &pending), (PendingMark::Progress, PendingMark::Progress))
        };
        let seq = self.tally.n_events;
        if let Some(last) = self.marks.last_mut()
            && same_as_last(last)
        {
            (last.seq, last.ts) = (seq, ts);
            return;
        }
        self.marks.push(ScopeMark { seq, ts, mark: pending });
    }

    fn request(
        &mut self,
        request: &logmill_parse::mark::Request<'_>,
        record: Option<&Record<'_>>,
        texts: &mut Texts,
    ) {
        let ts = record.and_then(instant);
        let error = record.map_or_else(
            || Arc::from(""),
            |record| {
                let message = record.message.decode();
                let masked = texts.redactor.as_ref().map(|redactor| redactor.text(&message));
                let line = first_line(masked.as_deref().unwrap_or(&message));
                texts.text(&line)
            },
        );
        let crawl_marks = self.crawl_marks;
        let (retried, lost) = match request.fate {
            Fate::Retried => (1, 0),
            Fate::Lost => (0, 1),
        };
        let same = |used: &&mut RequestUse| {
            used.crawl_marks == crawl_marks
                && match (&used.id, &request.id) {
                    (Some(a), Some(b)) => **a == **b,
                    _ => used.url.as_deref() == request.url.as_deref(),
                }
        };
        if let Some(used) = self.requests.iter_mut().rev().take(REQUEST_LOOK_BACK).find(same) {
            used.retried += retried;
            used.lost += lost;
            used.last_error = error;
            widen(&mut used.span, ts);
            return;
        }
        self.requests.push(RequestUse {
            crawl_marks,
            url: request.url.as_deref().map(Arc::from),
            id: request.id.as_deref().map(Arc::from),
            retried,
            lost,
            last_error: error,
            span: ts.map(|ts| (ts, ts)),
        });
    }
}

/// Requests of a scope that are compared with the next one; those further back are joined at the end.
const REQUEST_LOOK_BACK: usize = 64;

/// The text up to its so many characters.
fn cut_at(text: &str, chars: usize) -> &str {
    // Characters need no counting where there are as many bytes.
    if text.len() <= chars {
        return text;
    }
    if let Some((head, _)) = text.split_at_checked(chars)
        && head.is_ascii()
    {
        return head;
    }
    text.char_indices().nth(chars).and_then(|(at, _)| text.get(..at)).unwrap_or(text)
}

/// First line of a message that is not blank, cut at a column's worth.
fn first_line(message: &str) -> String {
    let line = message.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
    line.trim_end().chars().take(300).collect()
}
