//! What one stretch of one input comes down to: counts, marks and messages per scope.
//!
//! A shard is made by one thread from the batches of one stretch and knows nothing of the
//! stretches around it. Its scopes are joined to runs in [`crate::assemble`].

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use logmill_parse::mark::{
    CrawlStats, Fate, Lifecycle, Mark, Marked, Missing, Opening, Outcome, RunHead, Step, StepEnd, StepStart,
};
use logmill_parse::time::DAY_US;
use logmill_parse::{
    Account, Batch, Class, Code, Codec, Evidence, Issue, Level, Micros, Record, Status, StepKind,
};

use crate::group::body::count_newlines;
use crate::mask::{headline, mask_again};
use crate::model::Measure;
use crate::name::Name;
use crate::pipeline::{Detail, Options};
use crate::redact::{Redactor, without_digits};

/// Issues of one code that one input lists; the rest is only counted.
const MAX_ISSUES_PER_CODE: u64 = 100;
/// Distinct masked messages told apart; more are counted as [`OTHER`]. No window of a text holds
/// so many, so that where a text is cut decides nothing.
pub const MAX_TEMPLATES: usize = 100_000;
/// The template of what is too much to tell apart.
pub const OTHER: &str = "(other)";
/// Characters of an example message.
const MAX_EXAMPLE_CHARS: usize = 500;
/// Bytes of an issue's raw prefix.
const MAX_PREFIX_BYTES: usize = 80;

/// Everything one stretch comes down to.
#[derive(Debug, Default)]
pub struct Shard {
    /// First byte behind what has been added.
    pub end: u64,
    /// Stretches of runs, in the order in which they begin.
    pub scopes: Vec<Scope>,
    /// Messages, told apart by class and template.
    pub templates: Vec<Template>,
    /// What its values are values of.
    pub measures: Vec<Arc<Measure>>,
    /// Problems.
    pub issues: IssueLog,
    /// Where the bytes and lines went.
    pub account: Account,
    /// Records.
    pub n_events: u64,
    /// Newlines in the bytes, counted apart from what the format says.
    pub n_newlines: u64,
    /// Whether the last byte closes a line; `None` where there is none.
    pub last_line: Option<LastLine>,
    /// Earliest and latest stamp.
    pub span: Option<(Micros, Micros)>,
}

/// Whether the last byte of a stretch closes a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LastLine {
    /// It is a newline.
    Closed,
    /// It is not.
    Open,
}

/// A stretch of a shard that belongs to one run.
#[derive(Debug)]
pub struct Scope {
    /// The relayed run it belongs to; `None` for the input's own.
    pub stream: Option<StreamKey>,
    /// What opens it, if something does.
    pub boundary: Option<Boundary>,
    /// Stamp of its first event.
    pub first_ts: Option<Micros>,
    /// What its stamps are.
    pub times: Times,
    /// Counts.
    pub tally: Tally,
    /// Marks, with the number of the scope's events before each.
    pub marks: Vec<ScopeMark>,
    /// Error and warning messages, by index into [`Shard::templates`].
    pub messages: BTreeMap<u32, MessageUse>,
    /// Requests that did not go well.
    pub requests: Vec<RequestUse>,
    /// Values, in the order stated.
    pub metrics: Vec<MetricValue>,
    /// First byte of its first record.
    pub start: u64,
    /// First byte behind its last record.
    pub end: u64,
    /// Lines of the shard before `start`.
    pub line: u64,
    /// Records of the shard before its first.
    pub record: u64,
    /// Where the stretch begins that may be read by itself.
    pub anchor: Anchor,
    /// Marks about crawls in it so far.
    crawl_marks: u32,
}

/// A place between two windows: what stands behind it can be read without what stands before it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Anchor {
    /// Byte.
    pub offset: u64,
    /// Lines before it: of the shard, or of the input once it has been assembled.
    pub lines: u64,
}

/// A relayed run.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct StreamKey {
    /// Its run id.
    pub run_id: String,
    /// Its program.
    pub name: String,
}

/// What the stamps of a scope or run are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Times {
    /// Instants.
    #[default]
    Instants,
    /// Times of day: their differences are true, their dates made up.
    OfDay,
}

/// The record's instant; `None` where it is made up.
fn instant(record: &Record<'_>) -> Option<Micros> {
    if record.clock.is_some() { None } else { record.ts }
}

/// What opens a scope.
#[derive(Debug, Clone)]
pub enum Boundary {
    /// The source delimits runs itself.
    Run(RunHead<'static>),
    /// A program starts, perhaps again.
    Opening(Opening<'static>),
}

/// A mark as it waits to be assembled.
#[derive(Debug)]
pub struct ScopeMark {
    /// Events of the scope before it.
    pub seq: u64,
    /// Its instant.
    pub ts: Option<Micros>,
    /// The mark.
    pub mark: PendingMark,
}

/// A step the source delimits itself, with what many of them have in common held once.
#[derive(Debug)]
pub struct StepUse {
    /// Its name.
    pub name: Name,
    /// Step or phase.
    pub kind: StepKind,
    /// What performed it.
    pub connector_id: Option<Arc<str>>,
    /// Start.
    pub started_at: Option<Micros>,
    /// Stop.
    pub stopped_at: Option<Micros>,
    /// How it ended.
    pub status: Status,
    /// HTTP status.
    pub status_code: Option<i64>,
    /// What went wrong.
    pub error: Option<String>,
}

/// The marks that are assembled later. Others are counted on the spot.
#[derive(Debug)]
pub enum PendingMark {
    /// See [`Mark::StepStart`].
    StepStart(StepStart<'static>),
    /// See [`Mark::StepEnd`].
    StepEnd(StepEnd<'static>),
    /// See [`Mark::Step`].
    Step(Box<StepUse>),
    /// See [`Mark::Ready`].
    Ready,
    /// See [`Mark::Progress`].
    Progress,
    /// See [`Mark::Outcome`].
    Outcome(Outcome<'static>),
    /// See [`Mark::Fact`].
    Fact(logmill_parse::mark::Fact, String),
    /// See [`Mark::CrawlStart`].
    CrawlStart,
    /// See [`Mark::CrawlStats`].
    CrawlStats(CrawlStats),
    /// See [`Mark::CrawlEnd`].
    CrawlEnd,
    /// See [`Mark::Incomplete`].
    Incomplete(Missing, &'static str),
}

impl PendingMark {
    /// Whether it begins, describes or ends a crawl.
    #[must_use]
    pub const fn is_about_crawls(&self) -> bool {
        matches!(self, Self::CrawlStart | Self::CrawlStats(_) | Self::CrawlEnd)
    }
}

/// Counts of a scope.
#[derive(Debug, Clone, Default)]
pub struct Tally {
    /// Physical lines of its events.
    pub n_lines: u64,
    /// Events.
    pub n_events: u64,
    /// Errors.
    pub n_errors: u64,
    /// Warnings.
    pub n_warnings: u64,
    /// Retries.
    pub n_retries: u64,
    /// Earliest and latest stamp.
    pub span: Option<(Micros, Micros)>,
    /// First stamped event.
    pub first_stamp: Option<StampedAt>,
    /// Stamp of the last stamped event.
    pub last_ts: Option<Micros>,
    /// Stamps that step back.
    pub backward: Backward,
    /// First stamped event that is not the platform's: number of events before it, and stamp.
    pub first_output: Option<(u64, Option<Micros>)>,
    /// Number of events before the last one that has a level.
    pub last_level: Option<u64>,
    /// Number of events before the last one of class platform.
    pub last_platform: Option<u64>,
    /// Kinds of run its events show.
    pub evidence: Evidence,
    /// First line of the first error; of a crash the one that says what happened.
    pub first_error: Option<String>,
    /// Bytes of its events.
    pub bytes: u64,
}

/// A stamp and where it stands: lines of the shard before it, and byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StampedAt {
    /// The stamp.
    pub ts: Micros,
    /// Lines before it.
    pub line: u64,
    /// Its event's first byte.
    pub offset: u64,
}

/// Stamps that are earlier than the one before them in the same run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Backward {
    /// How many.
    pub n: u64,
    /// The first of them.
    pub first: Option<StampedAt>,
}

impl Backward {
    /// Takes in a stamp that follows another.
    pub fn step(&mut self, before: Option<Micros>, stamp: StampedAt) {
        if before.is_some_and(|before| stamp.ts < before) {
            self.n += 1;
            self.first.get_or_insert(stamp);
        }
    }
}

/// A message told apart by class and template.
#[derive(Debug, Clone)]
pub struct Template {
    /// Class of its events.
    pub class: Class,
    /// Masked message.
    pub text: Arc<str>,
}

/// How often a scope says a message.
#[derive(Debug, Clone)]
pub struct MessageUse {
    /// Events.
    pub n: u64,
    /// Most serious level.
    pub level: Level,
    /// Earliest and latest stamp.
    pub span: Option<(Micros, Micros)>,
    /// Lines of the shard before the first of them.
    pub line: u64,
    /// The first of them, cut.
    pub example: Arc<str>,
}

/// Failed attempts of one request within one crawl.
#[derive(Debug, Clone)]
pub struct RequestUse {
    /// How many of the scope's marks about crawls stand before the attempts.
    pub crawl_marks: u32,
    /// URL.
    pub url: Option<Arc<str>>,
    /// Id.
    pub id: Option<Arc<str>>,
    /// Retries.
    pub retried: u64,
    /// Times it was given up.
    pub lost: u64,
    /// First line of the last error.
    pub last_error: Arc<str>,
    /// First and last failed attempt.
    pub span: Option<(Micros, Micros)>,
}

/// A value a log states.
#[derive(Debug, Clone, PartialEq)]
pub struct MetricValue {
    /// When.
    pub ts: Option<Micros>,
    /// How much.
    pub value: f64,
    /// Of what, by index into [`Shard::measures`].
    pub of: u32,
}

/// Texts that are held once, however often they are said.
#[derive(Debug, Default)]
pub struct Texts {
    said: BTreeSet<Arc<str>>,
    /// Masks secrets before a message is cut or becomes a template.
    redactor: Option<Redactor>,
}

/// Texts held once; further ones are held as often as they are said.
const MAX_TEXTS: usize = 10_000;

impl Texts {
    fn text(&mut self, text: &str) -> Arc<str> {
        if let Some(known) = self.said.get(text) {
            return Arc::clone(known);
        }
        let new: Arc<str> = Arc::from(text);
        if self.said.len() < MAX_TEXTS {
            self.said.insert(Arc::clone(&new));
        }
        new
    }

    /// The text as it is held already, if it is.
    pub fn share(&mut self, text: &Arc<str>) -> Arc<str> {
        if let Some(known) = self.said.get(text) {
            return Arc::clone(known);
        }
        if self.said.len() < MAX_TEXTS {
            self.said.insert(Arc::clone(text));
        }
        Arc::clone(text)
    }
}

/// What is measured, each measure once.
#[derive(Debug, Default)]
pub struct Measures {
    /// The measures, by number.
    pub list: Vec<Arc<Measure>>,
    known: BTreeMap<Arc<Measure>, u32>,
    /// The measure that was asked for after each, the last time. Logs state the same ones over and over.
    next: Vec<u32>,
    last: usize,
}

impl Measures {
    /// The number of a measure.
    pub fn number(&mut self, name: &str, unit: &'static str, label: &str) -> u32 {
        let expected = self.next.get(self.last).copied().unwrap_or(0);
        let is_it = |known: &Arc<Measure>| known.name == name && known.label == label && known.unit == unit;
        let number = match self.list.get(expected as usize).filter(|known| is_it(known)) {
            Some(_) => expected,
            None => self.look_up(Measure { name: name.to_owned(), unit, label: label.to_owned() }),
        };
        if let Some(next) = self.next.get_mut(self.last) {
            *next = number;
        }
        self.last = number as usize;
        number
    }

    fn look_up(&mut self, measure: Measure) -> u32 {
        if let Some(known) = self.known.get(&measure) {
            return *known;
        }
        let number = u32::try_from(self.list.len()).unwrap_or(u32::MAX);
        let new = Arc::new(measure);
        self.list.push(Arc::clone(&new));
        self.next.push(number);
        self.known.insert(new, number);
        number
    }

    /// The numbers here of all measures of another list.
    pub fn numbers(&mut self, others: &[Arc<Measure>]) -> Vec<u32> {
        others.iter().map(|other| self.number(&other.name, other.unit, &other.label)).collect()
    }
}

/// Issues of one stretch or input, at most a fixed number of each code.
#[derive(Debug, Default)]
pub struct IssueLog {
    /// The listed ones.
    pub listed: Vec<ListedIssue>,
    /// How many of each code there were in all.
    pub counts: BTreeMap<Code, u64>,
}

/// A listed issue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedIssue {
    /// Code.
    pub code: Code,
    /// Lines before it.
    pub line: Option<u64>,
    /// Byte.
    pub offset: Option<u64>,
    /// Message.
    pub message: String,
    /// What stands there.
    pub raw_prefix: String,
    /// Bytes it concerns; 0 where it is a single place or the input as a whole.
    pub n_bytes: u64,
}

impl IssueLog {
    /// Lists or counts an issue.
    pub fn push(&mut self, issue: ListedIssue) {
        let count = self.counts.entry(issue.code).or_insert(0);
        *count += 1;
        if *count <= listed_of(issue.code) {
            self.listed.push(issue);
        }
    }

    /// An issue about the input as a whole.
    pub fn push_whole(&mut self, code: Code, message: impl Into<String>) {
        self.push(ListedIssue {
            code,
            line: None,
            offset: None,
            message: message.into(),
            raw_prefix: String::new(),
            n_bytes: 0,
        });
    }

    /// Forgets the issues of one code.
    pub fn withdraw(&mut self, code: Code) {
        self.counts.remove(&code);
        self.listed.retain(|issue| issue.code != code);
    }

    /// Adds the issues of a later stretch, `lines` further down.
    pub fn append(&mut self, other: Self, lines: u64) {
        let mut unlisted = other.counts;
        for mut issue in other.listed {
            if let Some(count) = unlisted.get_mut(&issue.code) {
                *count -= 1;
            }
            issue.line = issue.line.map(|line| line + lines);
            self.push(issue);
        }
        for (code, count) in unlisted {
            *self.counts.entry(code).or_insert(0) += count;
        }
    }

    /// The listed issues, and one more for each code of which some are not listed.
    #[must_use]
    pub fn rows(&self) -> Vec<ListedIssue> {
        let unlisted = self
            .counts
            .iter()
            .filter(|(code, count)| **code != Code::DuplicateRecord && **count > MAX_ISSUES_PER_CODE);
        let note = |(code, count): (&Code, &u64)| ListedIssue {
            code: Code::TooManyIssues,
            line: None,
            offset: None,
            message: format!("{} more issues of code {}", count - MAX_ISSUES_PER_CODE, code.as_str()),
            raw_prefix: String::new(),
            n_bytes: 0,
        };
        self.listed.iter().cloned().chain(unlisted.map(note)).collect()
    }
}

/// Issues of a code that one input lists. Formats tell of doubled records once per window, and
/// one note about an input says it all.
const fn listed_of(code: Code) -> u64 {
    match code {
        Code::DuplicateRecord => 1,
        _ => MAX_ISSUES_PER_CODE,
    }
}

/// Makes a shard from the batches of one stretch.
#[derive(Debug)]
pub struct Collector {
    shard: Shard,
    templates: BTreeMap<Class, BTreeMap<Arc<str>, u32>>,
    /// Open scope of the input's own run, then of the relayed runs by key.
    own: Option<usize>,
    relayed: BTreeMap<StreamKey, usize>,
    /// Records seen, those left out included.
    n_records: u64,
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
            n_records: 0,
            scratch: Scratch::default(),
            detail: options.detail,
            anchor: Anchor { offset: start, lines: 0 },
            made_up: None,
            texts: Texts { redactor: options.redactor.clone(), ..Texts::default() },
            measures: Measures::default(),
        }
    }

    /// Adds what a format found in `bytes`, the next part of the stretch. The first `skipped`
    /// records repeat an earlier part of the log and count as duplicate.
    pub fn add(&mut self, batch: &Batch<'_>, bytes: &[u8], consumed: usize, skipped: usize) {
        let at = self.records(batch, skipped);
        for issue in &batch.issues {
            self.issue(issue, bytes, at);
        }
        self.account(batch, skipped);
        let taken = bytes.get(..consumed).unwrap_or_default();
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
            self.n_records += u64::from(record.n_events);
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

    fn issue(&mut self, issue: &Issue, bytes: &[u8], at: At) {
        let end = issue.end.max(issue.start + 1).min(bytes.len());
        let raw_prefix = if let Some(redactor) = &self.texts.redactor {
            redactor.prefix(bytes, issue.start, end, MAX_PREFIX_BYTES)
        } else {
            let end = end.min(issue.start + MAX_PREFIX_BYTES);
            bytes.get(issue.start..end).unwrap_or_default().to_vec()
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
            scope.record = self.n_records;
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
            record: self.n_records,
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

/// Where a batch stands in its shard.
#[derive(Debug, Clone, Copy)]
struct At {
    offset: u64,
    lines: u64,
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

impl Tally {
    /// Counts a record and says whether it is an error.
    fn count(&mut self, record: &Record<'_>, at: At) -> bool {
        let before = self.n_events;
        self.n_events += u64::from(record.n_events);
        self.n_lines += u64::from(record.n_lines);
        widen_by(&mut self.span, bounds(record.ts, record.until));
        if let Some(ts) = record.ts {
            let offset = at.offset + record.span.start as u64;
            let stamp = StampedAt { ts, line: at.lines + u64::from(record.line), offset };
            self.backward.step(self.last_ts, stamp);
            self.first_stamp.get_or_insert(stamp);
            // The stamps of several events do not step back.
            self.last_ts = if record.n_events > 1 { record.until } else { record.ts };
        }
        let last = before + u64::from(record.n_events.saturating_sub(1));
        if record.class == Class::Platform {
            self.last_platform = Some(last);
        } else if self.first_output.is_none() && record.ts.is_some() {
            self.first_output = Some((before, record.ts));
        }
        if record.level != Level::None {
            self.last_level = Some(last);
        }
        self.evidence = self.evidence.with(record.evidence);
        self.bytes += record.span.len() as u64;
        let is_retry = record.class == Class::Retry;
        let is_error = is_error(record.class, record.level);
        self.n_errors += u64::from(is_error);
        self.n_retries += u64::from(is_retry);
        self.n_warnings += u64::from(record.level == Level::Warn && !is_retry);
        is_error
    }
}

/// Whether an event counts as an error: a failure or a crash whatever its level, or an
/// error level on anything but a retry.
#[must_use]
pub const fn is_error(class: Class, level: Level) -> bool {
    matches!(class, Class::Failure | Class::Crash) || (level.is_error() && !matches!(class, Class::Retry))
}

/// Widens a span of time by one instant.
pub fn widen(span: &mut Option<(Micros, Micros)>, ts: Option<Micros>) {
    let Some(ts) = ts else { return };
    *span = Some(span.map_or((ts, ts), |(min, max)| (min.min(ts), max.max(ts))));
}

/// Widens a span of time by another.
pub fn widen_by(span: &mut Option<(Micros, Micros)>, other: Option<(Micros, Micros)>) {
    let Some((from, to)) = other else { return };
    *span = Some(span.map_or((from, to), |(min, max)| (min.min(from), max.max(to))));
}

/// The span of a record's stamps.
fn bounds(ts: Option<Micros>, until: Option<Micros>) -> Option<(Micros, Micros)> {
    match (ts, until) {
        (Some(ts), Some(until)) => Some((ts.min(until), ts.max(until))),
        (one, other) => one.or(other).map(|ts| (ts, ts)),
    }
}

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

fn own(value: &str) -> std::borrow::Cow<'static, str> {
    std::borrow::Cow::Owned(value.to_owned())
}

fn own_option(value: Option<&std::borrow::Cow<'_, str>>) -> Option<std::borrow::Cow<'static, str>> {
    value.map(|value| own(value))
}

fn own_head(head: &RunHead<'_>) -> RunHead<'static> {
    use logmill_parse::mark::RunId;
    let id = match &head.id {
        RunId::Stated(id) => RunId::Stated(own(id)),
        RunId::Within(id) => RunId::Within(own(id)),
        RunId::File => RunId::File,
    };
    RunHead { kind: head.kind, id, bounds: head.bounds }
}

fn own_opening(opening: &Opening<'_>) -> Opening<'static> {
    let lifecycle: Option<&'static Lifecycle> = opening.lifecycle;
    Opening {
        rank: opening.rank,
        name: opening.name,
        fingerprint: own_option(opening.fingerprint.as_ref()),
        lifecycle,
    }
}

fn own_start(start: &StepStart<'_>) -> StepStart<'static> {
    StepStart {
        name: own(&start.name),
        kind: start.kind,
        depth: start.depth,
        key: own_option(start.key.as_ref()),
    }
}

fn own_end(end: &StepEnd<'_>) -> StepEnd<'static> {
    StepEnd {
        depth: end.depth,
        key: own_option(end.key.as_ref()),
        status: end.status,
        error: own_option(end.error.as_ref()),
    }
}

impl StepUse {
    fn new(step: &Step<'_>, texts: &mut Texts) -> Self {
        let connector_id = step.connector_id.as_ref().map(|id| texts.text(id));
        let name = match &connector_id {
            Some(id) if **id == *step.name => Arc::clone(id),
            _ => texts.text(&step.name),
        };
        Self {
            name: name.into(),
            kind: step.kind,
            connector_id,
            started_at: step.started_at,
            stopped_at: step.stopped_at,
            status: step.status,
            status_code: step.status_code,
            error: step.error.as_deref().map(str::to_owned),
        }
    }
}

fn own_outcome(outcome: &Outcome<'_>) -> Outcome<'static> {
    Outcome {
        status: outcome.status,
        reason: own(&outcome.reason),
        failure_class: outcome.failure_class,
        weight: outcome.weight,
        revoked_by: outcome.revoked_by,
    }
}
