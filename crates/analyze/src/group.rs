//! From the inputs that belong together to drafts of their runs.
//!
//! Inputs belong together when their paths hold the same id: pages and dumps of one log, and
//! the metadata beside it. How they are opened, read and put in order, which of them repeat each
//! other and which are runs of their own is decided in the modules below; here it is put together.

pub mod body;
mod log;
mod order;
mod repeats;
mod runs;

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

use logmill_parse::detect::{Verdict, detect};
use logmill_parse::{
    Account, Class, Code, Extent as HeadExtent, Format, Head, Metadata, Micros, Shape, encoding, limits,
};

use self::body::Body;
use self::log::{Alone, ReadLog, Task};
use self::repeats::Fate;
use self::runs::Candidate;
use crate::assemble::{Assembler, Drafts, Numbers, Place, RunDraft};
use crate::document::PartPlace;
use crate::identity::PathIdentity;
use crate::input::{Input, ReadError};
use crate::pipeline::{self, Options};
use crate::read::{CommonPrefix, Prints};
use crate::shard::{IssueLog, LastLine, ListedIssue, Measures, Shard, Template, widen_by};

/// Metadata and error answers are smaller.
const MAX_METADATA_BYTES: u64 = 16 << 20;
/// A text of more windows than this is read by several threads.
const MANY_WINDOWS: u64 = 2;
/// Inputs of a group that stay open from being recognised to being read, and bytes of them that are
/// kept in memory; others are opened again.
const MAX_HELD: Held = Held { inputs: 32, bytes: 16 << 20 };

/// What a group of inputs comes down to.
#[derive(Debug, Default)]
pub struct GroupResult {
    /// Every input of the group.
    pub files: Vec<FileDraft>,
    /// The runs in them.
    pub runs: Drafts,
    /// Messages by template.
    pub templates: Vec<Template>,
    /// What the values of the runs are values of.
    pub measures: Measures,
    /// Metadata found beside the logs, with the id its path tells.
    pub metadata: Vec<(String, Metadata)>,
}

/// What is known of an input.
#[derive(Debug)]
pub struct FileDraft {
    /// Index of the input.
    pub input: usize,
    /// Format id, or what it is instead of a log.
    pub label: &'static str,
    /// How it is read, if it is a log.
    pub reading: Option<Reading>,
    /// Size.
    pub bytes: u64,
    /// Where the bytes and lines went.
    pub account: Account,
    /// Events.
    pub n_events: u64,
    /// Earliest and latest stamp.
    pub span: Option<(Micros, Micros)>,
    /// Problems.
    pub issues: IssueLog,
    /// Why it is not all there.
    pub incomplete: Option<&'static str>,
    /// The parts in which it is to be read again, if it is a divided document.
    pub parts: Vec<PartPlace>,
}

/// How a log is read.
#[derive(Clone, Copy)]
pub struct Reading {
    /// Format.
    pub format: &'static dyn Format,
    /// Shape.
    pub shape: Shape,
    /// Bytes of the byte order mark.
    pub bom: u64,
}

impl std::fmt::Debug for Reading {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} as {:?}", self.format.about().id, self.shape)
    }
}

/// Reads all members of a group.
#[must_use]
pub fn read_group(
    inputs: &[&dyn Input],
    members: &[usize],
    path: &PathIdentity,
    options: &Options,
) -> GroupResult {
    let mut group = Group { inputs, options, result: GroupResult::default(), templates: BTreeMap::new() };
    let mut logs = Vec::new();
    let mut held = Held::default();
    for input in members {
        match group.recognise(*input) {
            Ok(Recognised::Log(log)) => logs.push(held.take(log)),
            Ok(Recognised::Metadata(metadata)) => {
                group.result.metadata.push((path.run_id.clone(), *metadata));
            }
            Ok(Recognised::Nothing) => {}
            Err(error) => group.unreadable(*input, &error),
        }
    }
    for format in logmill_parse::format::ALL {
        let of_format = |log: &Log| log.reading.format.about().id == format.about().id;
        let (these, others) = logs.into_iter().partition(of_format);
        group.read_logs(these, path);
        logs = others;
    }
    group.result.files.sort_by_key(|file| file.input);
    group.result
}

struct Group<'a> {
    inputs: &'a [&'a dyn Input],
    options: &'a Options,
    result: GroupResult,
    /// Numbers of the result's templates, once there are those of a second shard.
    templates: BTreeMap<(Class, Arc<str>), u32>,
}

enum Recognised {
    Log(Log),
    Metadata(Box<Metadata>),
    Nothing,
}

/// A log that is about to be read.
struct Log {
    input: usize,
    reading: Reading,
    /// Size, where it is known before all has been read.
    size: Option<u64>,
    /// The opened input, if it is still open.
    body: Option<Body>,
}

/// What inputs of a group are held open.
#[derive(Debug, Clone, Copy, Default)]
struct Held {
    inputs: usize,
    bytes: u64,
}

impl Held {
    /// Closes a log that is one too many.
    fn take(&mut self, log: Log) -> Log {
        let bytes = match &log.body {
            Some(Body::Whole(bytes, _) | Body::Stream(bytes, _)) => bytes.len() as u64,
            Some(Body::Random(..)) | None => 0,
        };
        if self.inputs >= MAX_HELD.inputs || self.bytes + bytes > MAX_HELD.bytes {
            return Log { body: None, ..log };
        }
        self.inputs += 1;
        self.bytes += bytes;
        log
    }
}

/// A part of a log that has been read.
struct Part<'t> {
    input: usize,
    task: Task<'t>,
    shards: Vec<Shard>,
    log: ReadLog,
}

impl<'t> Part<'t> {
    fn read(input: usize, body: io::Result<Body>, task: Task<'t>) -> Self {
        let mut shards = Vec::new();
        let log = match body {
            Ok(body) => log::read_log(body, task, &mut |shard| shards.push(shard)),
            Err(failure) => ReadLog::failed(failure),
        };
        Self { input, task, shards, log }
    }

    /// Takes back what a further part of the log has answered.
    fn withdraw(&mut self, code: Code) {
        for shard in &mut self.shards {
            shard.issues.withdraw(code);
        }
    }
}

/// An input some of whose shards have been assembled.
struct OpenFile {
    file: FileDraft,
    /// Lines closed by a newline.
    n_lines: u64,
    last_line: LastLine,
}

impl OpenFile {
    fn new(input: usize, task: &Task<'_>) -> Self {
        let reading = task.reading;
        let mut file = FileDraft::new(input, reading.format.about().id, Some(reading));
        file.account = log::unseen(task);
        let n_lines = file.account.total().lines;
        Self { file, n_lines, last_line: LastLine::Closed }
    }
}

impl<'a> Group<'a> {
    fn open(&self, input: usize) -> io::Result<Body> {
        let Some(input) = self.inputs.get(input) else { return Err(io::ErrorKind::NotFound.into()) };
        Ok(Body::new(input.open()?, (self.options.window_bytes as u64).saturating_mul(MANY_WINDOWS)))
    }

    /// Opens an input and says what it is.
    fn recognise(&mut self, input: usize) -> io::Result<Recognised> {
        let mut body = self.open(input)?;
        if body.head().is_err() {
            // What came before the error may be enough to tell what it is.
            let (bytes, failure) = body.into_bytes(limits::HEAD_BYTES as u64);
            body = Body::Whole(bytes, failure);
        }
        if let Body::Whole(bytes, Some(failure)) = &body
            && bytes.is_empty()
        {
            return Err(ReadError::of(failure).into());
        }
        let (head, extent) = body.head()?;
        let bom = encoding::bom_len(&head);
        let bytes = head.get(bom..).unwrap_or_default();
        let verdict = match self.options.from {
            Some(format) => {
                let found = format.detect(Head { bytes, extent });
                let shape = found.map_or_else(|| shape_by_first_byte(bytes), |found| found.shape);
                Verdict::Log { format, shape }
            }
            None => detect_whole(Head { bytes, extent }, &body)?,
        };
        drop(head);
        let (label, code, message) = match verdict {
            Verdict::Log { format, shape } => {
                let reading = Reading { format, shape, bom: bom as u64 };
                let size = body.size();
                return Ok(Recognised::Log(Log { input, reading, size, body: Some(body) }));
            }
            Verdict::Metadata(metadata) => {
                self.passed_over(input, "metadata", body, None);
                return Ok(Recognised::Metadata(metadata));
            }
            Verdict::OwnOutput => ("own-output", None, String::new()),
            Verdict::Empty => ("empty", Some(Code::EmptyInput), Code::EmptyInput.title().to_owned()),
            Verdict::ErrorBody(text) => ("error-body", Some(Code::ErrorBody), text),
            Verdict::Unknown(hint) => (
                "unknown",
                Some(Code::UnknownFormat),
                format!("expected one of the formats of `logmill formats`, found {hint}"),
            ),
        };
        self.passed_over(input, label, body, code.map(|code| (code, message)));
        Ok(Recognised::Nothing)
    }

    /// Notes an input that makes no run: all of its bytes are structure, or rejected if it was refused.
    fn passed_over(&mut self, input: usize, label: &'static str, body: Body, issue: Option<(Code, String)>) {
        let mut file = FileDraft::new(input, label, None);
        let (bytes, lines, failure) = body.measure();
        file.bytes = bytes;
        let refused = matches!(label, "unknown" | "error-body");
        let part = if refused { &mut file.account.rejected } else { &mut file.account.structure };
        (part.bytes, part.lines) = (bytes, lines);
        if let Some((code, message)) = issue {
            file.issues.push_whole(code, message);
        }
        if let Some(failure) = failure {
            file.fails(&failure, lines);
        }
        self.result.files.push(file);
    }

    fn unreadable(&mut self, input: usize, error: &io::Error) {
        let mut file = FileDraft::new(input, "unknown", None);
        let error = ReadError::of(error);
        file.incomplete = Some(reason_of(error.code));
        file.issues.push_whole(error.code, error.message);
        self.result.files.push(file);
    }

    /// Reads the logs of one format and assembles their runs.
    fn read_logs(&mut self, mut logs: Vec<Log>, path: &PathIdentity) {
        let runs = match (logs.pop(), logs.is_empty()) {
            (None, _) => return,
            (Some(log), true) => self.read_alone(log, path),
            (Some(log), false) => {
                logs.push(log);
                self.read_together(logs, path)
            }
        };
        let places: BTreeMap<usize, usize> =
            (0..).zip(&self.result.files).map(|(place, file)| (file.input, place)).collect();
        for run in &runs {
            self.note(run, &places);
        }
        self.result.runs.extend(runs);
    }

    /// Reads the only log of a group. What it comes down to is assembled while threads read on: what is
    /// kept of it does not grow with its size, but with its runs.
    fn read_alone(&mut self, log: Log, path: &PathIdentity) -> Drafts {
        let Log { input, reading, body, .. } = log;
        let about = reading.format.about();
        let mut assembler = Assembler::new(about, path.clone(), self.options.split);
        let alone = Some(Alone { path, input });
        let task = Task { alone, ..self.task(reading, CommonPrefix::NONE, Prints::Unwanted) };
        let mut file = OpenFile::new(input, &task);
        let log = match body.map_or_else(|| self.open(input), Ok) {
            Ok(body) => {
                let mut take = |shard| self.assemble(&mut file, shard, Some(&mut assembler));
                log::read_log(body, task, &mut take)
            }
            Err(failure) => ReadLog::failed(failure),
        };
        self.close(file, log, Some(&mut assembler));
        assembler.finish()
    }

    /// Reads the parts of one log, or logs that look like such parts.
    fn read_together(&mut self, logs: Vec<Log>, path: &PathIdentity) -> Drafts {
        let mut parts = in_order_of_records(self.read_parts(logs));
        let fates = self.leave_out_repeated(&mut parts);
        let candidate = |(part, fate): (&Part<'_>, &Fate)| Candidate {
            source: self.source(part.input),
            fate: *fate,
            begins: part.log.begins,
        };
        let targets = runs::targets(&parts.iter().zip(&fates).map(candidate).collect::<Vec<_>>(), path);
        let last_kept = fates.iter().rposition(|fate| *fate != Fate::Repeated);
        let mut assemblers: BTreeMap<usize, Assembler> = BTreeMap::new();
        for (index, (mut part, target)) in parts.into_iter().zip(targets).enumerate() {
            if last_kept.is_some_and(|last| index < last) {
                part.withdraw(Code::MissingPage);
            }
            let about = part.task.reading.format.about();
            let mut assembler = target.first.map(|first| {
                assemblers
                    .entry(first)
                    .and_modify(Assembler::next_part)
                    .or_insert_with(|| Assembler::new(about, target.path, self.options.split))
            });
            let mut file = OpenFile::new(part.input, &part.task);
            for shard in part.shards {
                self.assemble(&mut file, shard, assembler.as_deref_mut());
            }
            self.close(file, part.log, assembler);
        }
        assemblers.into_values().flat_map(Assembler::finish).collect()
    }

    const fn task(&self, reading: Reading, prefix: CommonPrefix, prints: Prints) -> Task<'a> {
        Task { reading, prefix, skipped: 0, prints, options: self.options, alone: None }
    }

    fn source(&self, input: usize) -> &str {
        self.inputs.get(input).map_or("", |input| input.member().unwrap_or_else(|| input.source()))
    }

    /// Reads the logs, in the order in which they follow each other.
    fn read_parts(&self, logs: Vec<Log>) -> Vec<Part<'a>> {
        pipeline::map(self.sort_parts(logs), |(log, prefix)| {
            let Log { input, reading, body, .. } = log;
            let body = body.map_or_else(|| self.open(input), Ok);
            Part::read(input, body, self.task(reading, prefix, Prints::Wanted))
        })
    }

    /// Notes at the inputs of a run what is wrong with it as a whole. `places` says where they stand.
    fn note(&mut self, run: &RunDraft, places: &BTreeMap<usize, usize>) {
        let files = &mut self.result.files;
        let place_of = |input: usize| places.get(&input).copied();
        let last = run.extents.last().and_then(|extent| place_of(extent.input));
        if let (Some(reason), Some(file)) = (run.incomplete, last.and_then(|place| files.get_mut(place))) {
            file.incomplete = file.incomplete.or(Some(reason));
        }
        let Some((n, (input, first))) = run.backward else { return };
        if let Some(file) = place_of(input).and_then(|place| files.get_mut(place)) {
            file.issues.push(ListedIssue {
                code: Code::BackwardClock,
                line: Some(first.line),
                offset: Some(first.offset),
                message: format!("{n} stamps of run {} are earlier than the one before", run.run_id),
                raw_prefix: String::new(),
                n_bytes: 0,
            });
        }
    }

    /// Puts the parts of one log in order, each with what it has in common with the longest dump.
    ///
    /// Parts follow each other in the natural order of their paths; but a text that begins as the
    /// longest one does is an earlier or shorter dump of it, and stands behind it.
    fn sort_parts(&self, mut logs: Vec<Log>) -> Vec<(Log, CommonPrefix)> {
        logs.sort_by(|a, b| {
            let by_path = order::natural_order(self.source(a.input), self.source(b.input));
            by_path.then(a.input.cmp(&b.input))
        });
        let prefixes = self.prefixes(&logs);
        let mut parts: Vec<((usize, CommonPrefix), Log)> = prefixes.into_iter().zip(logs).collect();
        parts.sort_by_key(|((place, prefix), _)| (*place, prefix.bytes > 0));
        parts.into_iter().map(|((_, prefix), log)| (log, prefix)).collect()
    }

    /// Of each log which one it stands behind, and what it has in common with that one.
    fn prefixes(&self, logs: &[Log]) -> Vec<(usize, CommonPrefix)> {
        let is_paged = logs.iter().any(|log| log.reading.shape == Shape::Document);
        // Of several that are equally long, the first.
        let longest = logs
            .iter()
            .enumerate()
            .rev()
            .filter(|(_, log)| log.size.is_some())
            .max_by_key(|(_, log)| log.size);
        let own = |index| (index, CommonPrefix::NONE);
        match longest {
            Some((longest, dump)) if logs.len() > 1 && !is_paged => {
                let Some(dump) = self.lend(dump) else { return (0..logs.len()).map(own).collect() };
                let common = |(index, log): (usize, &Log)| {
                    if index == longest || log.size.is_none() {
                        return own(index);
                    }
                    let other = self.lend(log);
                    let prefix = other.and_then(|other| dump.common_prefix(&other));
                    prefix.filter(|prefix| prefix.bytes > 0).map_or(own(index), |prefix| (longest, prefix))
                };
                logs.iter().enumerate().map(common).collect()
            }
            _ => (0..logs.len()).map(own).collect(),
        }
    }

    /// The opened input of a log; it is opened for a moment if it is not open.
    fn lend<'l>(&self, log: &'l Log) -> Option<Lent<'l>> {
        match &log.body {
            Some(body) => Some(Lent::Held(body)),
            None => self.open(log.input).ok().map(Lent::Opened),
        }
    }

    /// Leaves out what stands in another part already, which may take reading a part again.
    fn leave_out_repeated(&self, parts: &mut [Part<'a>]) -> Vec<Fate> {
        let prints: Vec<&[u64]> = parts.iter().map(|part| part.log.prints.as_slice()).collect();
        let fates = repeats::fates(&prints);
        for (part, fate) in parts.iter_mut().zip(&fates) {
            match *fate {
                Fate::Kept => {}
                Fate::Repeated => {
                    part.shards = vec![log::leave_out(std::mem::take(&mut part.shards))];
                    part.log.chars = None;
                }
                Fate::Head(skipped) => self.read_behind(part, skipped),
            }
        }
        fates
    }

    /// Reads a part again, behind its first `skipped` records.
    fn read_behind(&self, part: &mut Part<'a>, skipped: usize) {
        let mut task = Task { prints: Prints::Unwanted, ..part.task };
        if task.reading.shape == Shape::Document {
            task.skipped = skipped;
        } else if let Some(prefix) =
            self.open(part.input).ok().and_then(|body| log::prefix_of(body, &task, skipped))
        {
            task.prefix = prefix;
        } else {
            return;
        }
        let begins = part.log.begins;
        *part = Part::read(part.input, self.open(part.input), task);
        part.log.begins = begins;
    }

    fn assemble(&mut self, open: &mut OpenFile, shard: Shard, assembler: Option<&mut Assembler>) {
        let file = &mut open.file;
        let (lines, record) = (open.n_lines, file.n_events);
        let place = Place { input: file.input, lines, record };
        open.n_lines += shard.n_newlines;
        open.last_line = shard.last_line.unwrap_or(open.last_line);
        let part = shard.part.map(|(offset, carry)| PartPlace { offset, lines, record, carry });
        file.parts.extend(part);
        let numbers = Numbers {
            templates: self.intern(shard.templates),
            measures: self.result.measures.numbers(&shard.measures),
        };
        if let Some(assembler) = assembler {
            for scope in shard.scopes {
                assembler.add(scope, place, &numbers);
            }
            assembler.append(shard.runs, place, &numbers);
        }
        file.issues.append(shard.issues, lines);
        file.account.merge(&shard.account);
        file.n_events += shard.n_events;
        widen_by(&mut file.span, shard.span);
    }

    /// Says what is wrong with an input as a whole when all of its shards have been assembled.
    fn close(&mut self, open: OpenFile, log: ReadLog, mut assembler: Option<&mut Assembler>) {
        let OpenFile { mut file, mut n_lines, last_line } = open;
        file.bytes = log.bytes;
        file.account.merge(&log.account);
        n_lines += log.account.total().lines;
        let limit = file.reading.and_then(|reading| reading.format.about().limit_chars);
        if limit.is_some_and(|limit| log.chars.is_some_and(|chars| near(chars, limit))) {
            file.incomplete = Some("size_limit");
            file.issues.push_whole(Code::TruncatedLog, "the log is as long as the platform lets a log be");
            if let Some(assembler) = &mut assembler {
                assembler.incomplete("size_limit");
            }
        }
        if let Some(failure) = log.failure {
            let reason = file.fails(&failure, n_lines);
            if let Some(assembler) = assembler {
                assembler.incomplete(reason);
            }
        }
        file.check_account(n_lines + u64::from(last_line == LastLine::Open));
        self.result.files.push(file);
    }

    /// The group's indices of a shard's templates.
    fn intern(&mut self, templates: Vec<Template>) -> Vec<u32> {
        let known = &mut self.result.templates;
        if known.is_empty() {
            // Most groups have a single shard, of which no template need be looked up.
            *known = templates;
            return (0..).take(known.len()).collect();
        }
        if self.templates.is_empty() {
            let key = |template: &Template| (template.class, Arc::clone(&template.text));
            self.templates = known.iter().map(key).zip(0..).collect();
        }
        let intern = |template: Template| {
            *self.templates.entry((template.class, Arc::clone(&template.text))).or_insert_with(|| {
                known.push(template);
                u32::try_from(known.len() - 1).unwrap_or(u32::MAX)
            })
        };
        templates.into_iter().map(intern).collect()
    }
}

/// Puts parts that overlap in the order that their records tell, whatever their names are.
fn in_order_of_records(parts: Vec<Part<'_>>) -> Vec<Part<'_>> {
    let prints: Vec<&[u64]> = parts.iter().map(|part| part.log.prints.as_slice()).collect();
    let order = repeats::order(&prints);
    let mut parts: Vec<Option<Part<'_>>> = parts.into_iter().map(Some).collect();
    order.into_iter().filter_map(|index| parts.get_mut(index)?.take()).collect()
}

/// An opened input.
enum Lent<'l> {
    Held(&'l Body),
    Opened(Body),
}

impl Lent<'_> {
    const fn body(&self) -> &Body {
        match self {
            Self::Held(body) => body,
            Self::Opened(body) => body,
        }
    }

    /// What another log has in common with this one, where both can be read at any place.
    fn common_prefix(&self, other: &Self) -> Option<CommonPrefix> {
        crate::read::common_prefix(self.body().random()?, other.body().random()?).ok()
    }
}

/// Looks at the head; a JSON document that might be metadata is looked at whole.
fn detect_whole(head: Head<'_>, body: &Body) -> io::Result<Verdict> {
    let verdict = detect(head);
    if let Verdict::Log { format, shape: Shape::Document } = verdict {
        let shape = shape_by_first_line(format, head, body)?;
        return Ok(Verdict::Log { format, shape });
    }
    if !matches!(verdict, Verdict::Unknown(_)) || head.extent == HeadExtent::Whole {
        return Ok(verdict);
    }
    let Some(content) = body.random().filter(|content| content.size() <= MAX_METADATA_BYTES) else {
        return Ok(verdict);
    };
    let mut bytes = vec![0; usize::try_from(content.size()).unwrap_or(0)];
    let n = content.read_full(0, &mut bytes)?;
    bytes.truncate(n);
    Ok(detect_document(&bytes))
}

/// Bytes within which the first line of a large document must end for its lines to be told apart.
const MAX_FIRST_LINE_BYTES: usize = 4 << 20;
/// Bytes by which a head is made longer.
const LONGER_HEAD_BYTES: usize = 256 << 10;

/// How a large document is read whose first line is longer than a head: it may be one of many.
fn shape_by_first_line(format: &'static dyn Format, head: Head<'_>, body: &Body) -> io::Result<Shape> {
    let Body::Random(content, size) = body else { return Ok(Shape::Document) };
    if head.extent == HeadExtent::Whole || memchr::memchr(b'\n', head.bytes).is_some() {
        return Ok(Shape::Document);
    }
    let mut bytes = Vec::new();
    while bytes.len() < MAX_FIRST_LINE_BYTES && (bytes.len() as u64) < *size {
        let known = bytes.len();
        bytes.resize(known + LONGER_HEAD_BYTES, 0);
        let space = bytes.get_mut(known..).unwrap_or_default();
        let n = content.read_full(known as u64, space)?;
        bytes.truncate(known + n);
        // What stands below the line tells, too.
        let line = memchr::memchr(b'\n', bytes.get(known..).unwrap_or_default());
        if n == 0 || line.is_some_and(|line| line + 1 < n) {
            break;
        }
    }
    let text = bytes.get(encoding::bom_len(&bytes)..).unwrap_or_default();
    let found = format.detect(Head { bytes: text, extent: HeadExtent::Part });
    Ok(found.map_or(Shape::Document, |found| found.shape))
}

fn detect_document(bytes: &[u8]) -> Verdict {
    let bytes = bytes.get(encoding::bom_len(bytes)..).unwrap_or_default();
    detect(Head { bytes, extent: HeadExtent::Whole })
}

/// Why an input is incomplete of which reading ended with an error of this code.
const fn reason_of(code: Code) -> &'static str {
    match code {
        Code::UnreadableInput => "unreadable",
        Code::ChangedInput => "changed",
        other => other.as_str(),
    }
}

impl FileDraft {
    fn new(input: usize, label: &'static str, reading: Option<Reading>) -> Self {
        Self {
            input,
            label,
            reading,
            bytes: 0,
            account: Account::default(),
            n_events: 0,
            span: None,
            issues: IssueLog::default(),
            incomplete: None,
            parts: Vec::new(),
        }
    }

    /// Notes why reading ended early, behind so many line ends, and returns the reason in a word.
    fn fails(&mut self, failure: &io::Error, lines: u64) -> &'static str {
        let ReadError { code, message } = ReadError::of(failure);
        let reason = reason_of(code);
        self.incomplete = Some(reason);
        self.issues.push(ListedIssue {
            code,
            line: Some(lines),
            offset: Some(self.bytes),
            message,
            raw_prefix: String::new(),
            n_bytes: 0,
        });
        reason
    }

    /// Every byte and every line must have gone somewhere.
    fn check_account(&mut self, n_lines: u64) {
        let accounted = self.account.total();
        if (accounted.bytes, accounted.lines) != (self.bytes, n_lines) {
            let message = format!(
                "expected {} bytes in {n_lines} lines, found {} in {} accounted for",
                self.bytes, accounted.bytes, accounted.lines
            );
            self.issues.push_whole(Code::Accounting, message);
        }
    }
}

/// Whether a length is within one per cent of a limit.
const fn near(chars: u64, limit: u64) -> bool {
    chars * 100 >= limit * 99 && chars * 100 <= limit * 101
}

/// JSON where the user names a format that does not recognise its input.
fn shape_by_first_byte(head: &[u8]) -> Shape {
    match head.iter().find(|byte| !byte.is_ascii_whitespace()) {
        Some(b'{' | b'[') => Shape::Document,
        _ => Shape::Sequence,
    }
}
