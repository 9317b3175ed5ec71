//! From the inputs that belong together to drafts of their runs.
//!
//! Inputs belong together when their paths hold the same id: pages and dumps of one log, and
//! the metadata beside it.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::convert::Infallible;
use std::io::{self, Read};

use logmill_parse::detect::{Verdict, detect};
use logmill_parse::encoding::{self, Transcoder};
use logmill_parse::{
    Account, Class, Code, End, Extent as HeadExtent, Format, Head, Metadata, Micros, Shape, limits, overlap,
};

use crate::assemble::{Assembler, Place, RunDraft};
use crate::identity::PathIdentity;
use crate::input::{Content, Input, ReadAt, ReadError};
use crate::pipeline::{self, Options};
use crate::read::{self, CommonPrefix, Document, DocumentShard, Range, Stretch};
use crate::shard::{Collector, IssueLog, LastLine, ListedIssue, Shard, Template, widen_by};

/// Metadata and error answers are smaller.
const MAX_METADATA_BYTES: u64 = 16 << 20;
/// A text of more windows than this is read by several threads.
const MANY_WINDOWS: u64 = 2;

/// What a group of inputs comes down to.
#[derive(Debug, Default)]
pub struct GroupResult {
    /// Every input of the group.
    pub files: Vec<FileDraft>,
    /// The runs in them.
    pub runs: Vec<RunDraft>,
    /// Messages by template.
    pub templates: Vec<Template>,
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
    for input in members {
        match group.recognise(*input) {
            Ok(Recognised::Log(log)) => logs.push(log),
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
    templates: BTreeMap<(Class, String), u32>,
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
    content: Body,
}

impl Log {
    /// Whether it is a large text that is read in windows, by all threads.
    fn is_windowed(&self) -> bool {
        self.reading.shape == Shape::Windows && matches!(self.content, Body::Random(..))
    }

    /// What another log has in common with this one, where both can be read at any place.
    fn common_prefix(&self, other: &Self) -> Option<CommonPrefix> {
        read::common_prefix(self.content.random()?, other.content.random()?).ok()
    }
}

/// An opened input behind its head.
enum Body {
    /// All of it, in memory.
    Whole(Vec<u8>),
    /// Any place can be read; its size.
    Random(Box<dyn ReadAt>, u64),
    /// The rest comes from a stream; its head has been read already.
    Stream(Vec<u8>, Box<dyn Read + Send>),
}

impl Body {
    fn head(&self) -> io::Result<(Cow<'_, [u8]>, HeadExtent)> {
        Ok(match self {
            Self::Whole(bytes) => {
                (Cow::Borrowed(bytes.get(..limits::HEAD_BYTES).unwrap_or(bytes)), extent(bytes))
            }
            Self::Random(content, size) => {
                let mut head = vec![0; limits::HEAD_BYTES];
                let n = read::read_full(content.as_ref(), 0, &mut head)?;
                head.truncate(n);
                (Cow::Owned(head), if n as u64 == *size { HeadExtent::Whole } else { HeadExtent::Part })
            }
            Self::Stream(head, _) => (Cow::Borrowed(head), extent_of_stream(head)),
        })
    }
}

fn extent(bytes: &[u8]) -> HeadExtent {
    if bytes.len() <= limits::HEAD_BYTES { HeadExtent::Whole } else { HeadExtent::Part }
}

/// A head that is shorter than asked for is all there is.
fn extent_of_stream(head: &[u8]) -> HeadExtent {
    if head.len() < limits::HEAD_BYTES { HeadExtent::Whole } else { HeadExtent::Part }
}

impl Group<'_> {
    fn open(&self, input: usize) -> io::Result<Body> {
        let Some(input) = self.inputs.get(input) else { return Err(io::ErrorKind::NotFound.into()) };
        let body = match input.open()? {
            Content::Random(content) => {
                let size = content.size();
                if size <= self.options.window_bytes as u64 * MANY_WINDOWS {
                    let mut bytes = vec![0; usize::try_from(size).unwrap_or(0)];
                    let n = read::read_full(content.as_ref(), 0, &mut bytes)?;
                    bytes.truncate(n);
                    Body::Whole(bytes)
                } else {
                    Body::Random(content, size)
                }
            }
            Content::Stream(stream) => stream_body(stream)?,
        };
        utf8(body)
    }

    /// Opens an input and says what it is.
    fn recognise(&mut self, input: usize) -> io::Result<Recognised> {
        let content = self.open(input)?;
        let (head, extent) = content.head()?;
        let bom = encoding::bom_len(&head);
        let bytes = head.get(bom..).unwrap_or_default();
        let verdict = match self.options.from {
            Some(format) => {
                let found = format.detect(Head { bytes, extent });
                let shape = found.map_or_else(|| shape_by_first_byte(bytes), |found| found.shape);
                Verdict::Log { format, shape }
            }
            None => detect_whole(Head { bytes, extent }, &content)?,
        };
        let (label, code, message) = match verdict {
            Verdict::Log { format, shape } => {
                let reading = Reading { format, shape, bom: bom as u64 };
                return Ok(Recognised::Log(Log { input, reading, content }));
            }
            Verdict::Metadata(metadata) => {
                self.passed_over(input, "metadata", size_of(content)?, None);
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
        self.passed_over(input, label, size_of(content)?, code.map(|code| (code, message)));
        Ok(Recognised::Nothing)
    }

    /// Notes an input that makes no run: all of its bytes are structure, or rejected if it was refused.
    fn passed_over(
        &mut self,
        input: usize,
        label: &'static str,
        size: (u64, u64),
        issue: Option<(Code, String)>,
    ) {
        let mut file = FileDraft::new(input, label, None);
        file.bytes = size.0;
        let refused = matches!(label, "unknown" | "error-body");
        let part = if refused { &mut file.account.rejected } else { &mut file.account.structure };
        (part.bytes, part.lines) = size;
        if let Some((code, message)) = issue {
            file.issues.push_whole(code, message);
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
    fn read_logs(&mut self, logs: Vec<Log>, path: &PathIdentity) {
        let Some(first) = logs.first() else { return };
        let about = first.reading.format.about();
        let mut assembler = Assembler::new(about, path.clone(), self.options.split);
        let parts = self.sort_parts(logs);
        match parts.as_slice() {
            [(log, _)] if log.is_windowed() => {
                for (log, _) in parts {
                    self.read_windowed(log, &mut assembler);
                }
            }
            _ => self.read_parts(parts, &mut assembler),
        }
        let runs = assembler.finish();
        let places: BTreeMap<usize, usize> =
            (0..).zip(&self.result.files).map(|(place, file)| (file.input, place)).collect();
        for run in &runs {
            self.note(run, &places);
        }
        self.result.runs.extend(runs);
    }

    /// Reads the parts of one log and assembles them.
    fn read_parts(&mut self, parts: Vec<(Log, CommonPrefix)>, assembler: &mut Assembler) {
        let options = self.options;
        let n_parts = parts.len();
        let read = pipeline::map(parts, |(log, prefix)| {
            let (input, reading) = (log.input, log.reading);
            (input, reading, read_log(log, prefix, options))
        });
        let mut seen = Vec::new();
        for (index, (input, reading, mut part)) in read.into_iter().enumerate() {
            if n_parts > 1 && !part.prints.is_empty() {
                self.leave_out_repeated(input, reading, &mut part, &mut seen);
            }
            if index + 1 < n_parts {
                part.withdraw(Code::MissingPage);
            }
            if index > 0 {
                assembler.next_part();
            }
            self.assemble(input, reading, part, assembler);
        }
    }

    /// Reads the only log of a group, a large text, and assembles what the threads have found while they
    /// read on: what is kept of it does not grow with its size, but with its runs.
    fn read_windowed(&mut self, log: Log, assembler: &mut Assembler) {
        let Log { input, reading, content: Body::Random(content, size) } = log else { return };
        let (format, options, start) = (reading.format, self.options, reading.bom);
        let mut part = ReadLog { bytes: size, ..ReadLog::default() };
        part.account.structure.bytes = start;
        let mut file = OpenFile::new(input, reading, &part);
        let stretch = Windowed { format, content: content.as_ref(), start, size };
        part.failure = stretch.read(options, |shard| self.assemble_shard(&mut file, shard, assembler));
        part.chars = chars_near_limit(format, content.as_ref(), size);
        self.close(file, &part, assembler);
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
            });
        }
    }

    /// Puts the parts of one log in order, each with what it has in common with the longest dump.
    ///
    /// Parts follow each other in the natural order of their paths; but a text that begins as the
    /// longest one does is an earlier or shorter dump of it, and stands behind it.
    fn sort_parts(&self, mut logs: Vec<Log>) -> Vec<(Log, CommonPrefix)> {
        let source = |log: &Log| self.inputs.get(log.input).map_or("", |input| input.source());
        logs.sort_by(|a, b| natural_order(source(a), source(b)).then(a.input.cmp(&b.input)));
        let none = CommonPrefix { bytes: 0, lines: 0 };
        let is_paged = logs.iter().any(|log| log.reading.shape == Shape::Document);
        // Of several that are equally long, the first.
        let longest = logs.iter().enumerate().rev().max_by_key(|(_, log)| log.content.size());
        let prefixes: Vec<(usize, CommonPrefix)> = match longest {
            Some((longest, dump)) if logs.len() > 1 && !is_paged => {
                let others = logs.iter().enumerate();
                let common = |(index, log): (usize, &Log)| {
                    let prefix = if index == longest { None } else { dump.common_prefix(log) };
                    match prefix.filter(|prefix| prefix.bytes > 0) {
                        Some(prefix) => (longest, prefix),
                        None => (index, none),
                    }
                };
                others.map(common).collect()
            }
            _ => (0..logs.len()).map(|index| (index, none)).collect(),
        };
        let mut parts: Vec<((usize, CommonPrefix), Log)> = prefixes.into_iter().zip(logs).collect();
        parts.sort_by_key(|((place, prefix), _)| (*place, prefix.bytes > 0));
        parts.into_iter().map(|((_, prefix), log)| (log, prefix)).collect()
    }

    /// Leaves out what an earlier page has already, which takes reading the page again.
    fn leave_out_repeated(
        &mut self,
        input: usize,
        reading: Reading,
        part: &mut ReadLog,
        seen: &mut Vec<u64>,
    ) {
        let skipped = overlap::repeated(seen, &part.prints).end;
        seen.extend(part.prints.iter().skip(skipped));
        if skipped == 0 {
            return;
        }
        let again = self
            .open(input)
            .and_then(|content| read_document(Log { input, reading, content }, skipped, self.options));
        if let Ok(again) = again {
            *part = again;
        }
    }

    fn assemble(&mut self, input: usize, reading: Reading, mut part: ReadLog, assembler: &mut Assembler) {
        let mut file = OpenFile::new(input, reading, &part);
        for shard in std::mem::take(&mut part.shards) {
            self.assemble_shard(&mut file, shard, assembler);
        }
        self.close(file, &part, assembler);
    }

    fn assemble_shard(&mut self, open: &mut OpenFile, shard: Shard, assembler: &mut Assembler) {
        let file = &mut open.file;
        open.n_lines += shard.n_newlines;
        open.last_line = shard.last_line.unwrap_or(open.last_line);
        let lines = file.account.total().lines;
        let templates = self.intern(shard.templates);
        for scope in shard.scopes {
            assembler.add(scope, Place { input: file.input, lines }, &templates);
        }
        file.issues.append(shard.issues, lines);
        file.account.merge(&shard.account);
        file.n_events += shard.n_events;
        widen_by(&mut file.span, shard.span);
    }

    /// Says what is wrong with an input as a whole when all of its shards have been assembled.
    fn close(&mut self, open: OpenFile, part: &ReadLog, assembler: &mut Assembler) {
        let OpenFile { mut file, n_lines, last_line } = open;
        let limit = file.reading.and_then(|reading| reading.format.about().limit_chars);
        if limit.is_some_and(|limit| part.chars.is_some_and(|chars| near(chars, limit))) {
            file.incomplete = Some("size_limit");
            file.issues.push_whole(Code::TruncatedLog, "the log is as long as the platform lets a log be");
            assembler.incomplete("size_limit");
        }
        match &part.failure {
            Some(error) => {
                let error = ReadError::of(error);
                file.incomplete = Some(reason_of(error.code));
                file.issues.push_whole(error.code, error.message);
            }
            None => file.check_account(n_lines + u64::from(last_line == LastLine::Open)),
        }
        self.result.files.push(file);
    }

    /// The group's indices of a shard's templates.
    fn intern(&mut self, templates: Vec<Template>) -> Vec<u32> {
        let intern = |template: Template| {
            let known = &mut self.result.templates;
            *self.templates.entry((template.class, template.text.clone())).or_insert_with(|| {
                known.push(template);
                u32::try_from(known.len() - 1).unwrap_or(u32::MAX)
            })
        };
        templates.into_iter().map(intern).collect()
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
    fn new(input: usize, reading: Reading, part: &ReadLog) -> Self {
        let mut file = FileDraft::new(input, reading.format.about().id, Some(reading));
        file.bytes = part.bytes;
        file.account = part.account;
        Self { file, n_lines: part.account.total().lines, last_line: LastLine::Closed }
    }
}

/// Looks at the head; a JSON document that might be metadata is looked at whole.
fn detect_whole(head: Head<'_>, content: &Body) -> io::Result<Verdict> {
    let verdict = detect(head);
    if let Verdict::Log { format, shape: Shape::Document } = verdict {
        let shape = shape_by_first_line(format, head, content)?;
        return Ok(Verdict::Log { format, shape });
    }
    if !matches!(verdict, Verdict::Unknown(_)) || head.extent == HeadExtent::Whole {
        return Ok(verdict);
    }
    let loaded = match content {
        Body::Whole(bytes) => return Ok(detect_document(bytes)),
        Body::Random(random, size) if *size <= MAX_METADATA_BYTES => {
            let mut bytes = vec![0; usize::try_from(*size).unwrap_or(0)];
            let n = read::read_full(random.as_ref(), 0, &mut bytes)?;
            bytes.truncate(n);
            bytes
        }
        Body::Random(..) | Body::Stream(..) => return Ok(verdict),
    };
    Ok(detect_document(&loaded))
}

/// Bytes within which the first line of a large document must end for its lines to be told apart.
const MAX_FIRST_LINE_BYTES: usize = 4 << 20;
/// Bytes by which a head is made longer.
const LONGER_HEAD_BYTES: usize = 256 << 10;

/// How a large document is read whose first line is longer than a head: it may be one of many.
fn shape_by_first_line(format: &'static dyn Format, head: Head<'_>, content: &Body) -> io::Result<Shape> {
    let Body::Random(content, size) = content else { return Ok(Shape::Document) };
    if head.extent == HeadExtent::Whole || memchr::memchr(b'\n', head.bytes).is_some() {
        return Ok(Shape::Document);
    }
    let mut bytes = Vec::new();
    while bytes.len() < MAX_FIRST_LINE_BYTES && (bytes.len() as u64) < *size {
        let known = bytes.len();
        bytes.resize(known + LONGER_HEAD_BYTES, 0);
        let n = read::read_full(content.as_ref(), known as u64, bytes.get_mut(known..).unwrap_or_default())?;
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
        }
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

/// What reading one log gives.
#[derive(Debug, Default)]
struct ReadLog {
    shards: Vec<Shard>,
    /// Bytes and lines that no format has seen.
    account: Account,
    bytes: u64,
    prints: Vec<u64>,
    failure: Option<io::Error>,
    /// Characters, where they might reach the platform's limit.
    chars: Option<u64>,
}

fn read_log(log: Log, prefix: CommonPrefix, options: &Options) -> ReadLog {
    if log.reading.shape == Shape::Document {
        return read_document(log, 0, options)
            .unwrap_or_else(|error| ReadLog { failure: Some(error), ..ReadLog::default() });
    }
    read_text(log, prefix, options)
}

fn read_document(log: Log, skipped: usize, options: &Options) -> io::Result<ReadLog> {
    let Reading { format, bom, .. } = log.reading;
    let bytes = match log.content {
        Body::Whole(bytes) => bytes,
        Body::Random(content, size) => {
            let take = size.min(read::MAX_DOCUMENT_BYTES + 1);
            let mut bytes = vec![0; usize::try_from(take).unwrap_or(0)];
            let n = read::read_full(content.as_ref(), 0, &mut bytes)?;
            bytes.truncate(n);
            bytes
        }
        Body::Stream(head, stream) => {
            let mut bytes = head;
            stream.take(read::MAX_DOCUMENT_BYTES).read_to_end(&mut bytes)?;
            bytes
        }
    };
    let mut result = ReadLog { bytes: bytes.len() as u64, ..ReadLog::default() };
    if bytes.len() as u64 > read::MAX_DOCUMENT_BYTES {
        result.account.rejected.bytes = bytes.len() as u64;
        result.account.rejected.lines = count_lines(&bytes);
        let mut collector = Collector::new(0, options.detail);
        collector.issue_at_end(Code::DocumentTooLarge, "expected at most 1 GiB of JSON in one document");
        result.shards.push(collector.finish());
        return Ok(result);
    }
    result.account.structure.bytes = bom;
    let rest = usize::try_from(bom).ok().and_then(|bom| bytes.get(bom..)).unwrap_or_default();
    let document = Document { bytes: rest, start: bom };
    let DocumentShard { shard, prints } = read::read_document(format, &document, options.detail, skipped);
    result.shards.push(shard);
    result.prints = prints;
    Ok(result)
}

fn read_text(log: Log, prefix: CommonPrefix, options: &Options) -> ReadLog {
    let Reading { format, shape, bom } = log.reading;
    let mut result = ReadLog::default();
    result.account.duplicate.bytes = prefix.bytes;
    result.account.duplicate.lines = prefix.lines;
    let start = if prefix.bytes == 0 { bom } else { prefix.bytes };
    result.account.structure.bytes = start - prefix.bytes;
    let limit = format.about().limit_chars;
    match log.content {
        Body::Whole(bytes) => {
            result.bytes = bytes.len() as u64;
            let rest = usize::try_from(start).ok().and_then(|start| bytes.get(start..)).unwrap_or_default();
            result.stretch(
                Stretch { format, bytes: &mut &*rest, start, len: Some(rest.len() as u64), end: End::Input },
                options,
            );
            result.chars =
                limit.filter(|limit| result.bytes * 100 >= limit * 99).map(|_| count_chars(&bytes));
        }
        Body::Random(content, size) => {
            result.bytes = size;
            let content = content.as_ref();
            if shape == Shape::Windows {
                let stretch = Windowed { format, content, start, size };
                result.failure = stretch.read(options, |shard| result.shards.push(shard));
            } else {
                let mut range = Range { content, start, end: size };
                result.stretch(
                    Stretch { format, bytes: &mut range, start, len: Some(size - start), end: End::Input },
                    options,
                );
            }
            result.chars = chars_near_limit(format, content, size);
        }
        Body::Stream(head, stream) => {
            let skip = usize::try_from(start).unwrap_or(0).min(head.len());
            let mut bytes = head.get(skip..).unwrap_or_default().chain(stream);
            result.stretch(Stretch { format, bytes: &mut bytes, start, len: None, end: End::Input }, options);
            result.bytes = start + result.shards.iter().map(|shard| shard.account.total().bytes).sum::<u64>();
        }
    }
    result
}

impl ReadLog {
    /// Takes back what a further part of the log has answered.
    fn withdraw(&mut self, code: Code) {
        for shard in &mut self.shards {
            shard.issues.withdraw(code);
        }
    }

    /// Reads one stretch.
    fn stretch(&mut self, stretch: Stretch<'_>, options: &Options) {
        let mut collector = Collector::new(stretch.start, options.detail);
        let result =
            read::read_stretch(stretch, options.window_bytes, options.detail.wants(), &mut collector);
        self.failure = self.failure.take().or(result.err());
        self.shards.push(collector.finish());
    }
}

/// A large text.
struct Windowed<'a> {
    format: &'static dyn Format,
    content: &'a dyn ReadAt,
    /// Its first byte behind a byte order mark or behind what another dump has, too.
    start: u64,
    size: u64,
}

impl Windowed<'_> {
    /// Reads it in windows, by all threads, and hands on what they come down to, in order.
    fn read(&self, options: &Options, mut take: impl FnMut(Shard) + Send) -> Option<io::Error> {
        let (stretches, mut failure) = self.stretches(options.window_bytes as u64);
        let read = |&(from, to): &(u64, u64)| {
            let mut part = ReadLog::default();
            let mut range = Range { content: self.content, start: from, end: to };
            let end = if to == self.size { End::Input } else { End::Cut };
            let stretch =
                Stretch { format: self.format, bytes: &mut range, start: from, len: Some(to - from), end };
            part.stretch(stretch, options);
            part
        };
        let done = pipeline::in_order(&stretches, SHARDS_PER_THREAD, read, |part| {
            part.shards.into_iter().for_each(&mut take);
            failure = failure.take().or(part.failure);
            Ok::<(), Infallible>(())
        });
        match done {
            Ok(()) => failure,
        }
    }

    /// Where the windows start and end.
    fn stretches(&self, window_bytes: u64) -> (Vec<(u64, u64)>, Option<io::Error>) {
        let Self { format, content, start, size } = *self;
        let window = window_bytes.max(1);
        let nominal: Vec<u64> =
            (1..size.saturating_sub(start).div_ceil(window)).map(|n| start + n * window).collect();
        let cuts = pipeline::map(nominal, |at| read::find_cut(format, content, at, size));
        let (mut borders, mut failure) = (vec![start], None);
        for cut in cuts {
            match cut {
                Ok(cut) if borders.last().is_some_and(|last| *last < cut) && cut < size => borders.push(cut),
                Ok(_) => {}
                Err(error) => failure = failure.or(Some(error)),
            }
        }
        let ends: Vec<u64> = borders.iter().copied().skip(1).chain([size]).collect();
        (borders.into_iter().zip(ends).collect(), failure)
    }
}

/// Shards of one input that wait to be assembled, for each thread: enough that threads seldom wait for the
/// slowest among them.
const SHARDS_PER_THREAD: usize = 32;

/// Characters of a log that may be as long as the platform lets a log be.
fn chars_near_limit(format: &'static dyn Format, content: &dyn ReadAt, size: u64) -> Option<u64> {
    let limit = format.about().limit_chars?;
    (size * 100 >= limit * 99 && size <= limit * 4).then(|| count_chars_of(content).ok()).flatten()
}

impl Body {
    fn size(&self) -> u64 {
        match self {
            Self::Whole(bytes) => bytes.len() as u64,
            Self::Random(_, size) => *size,
            Self::Stream(head, _) => head.len() as u64,
        }
    }

    fn random(&self) -> Option<&dyn ReadAt> {
        match self {
            Self::Whole(bytes) => Some(bytes),
            Self::Random(content, _) => Some(content.as_ref()),
            Self::Stream(..) => None,
        }
    }
}

/// Opens an input again, so that any place of it can be read. One in UTF-16 is turned into
/// UTF-8 first, and a stream is read to its end.
///
/// # Errors
///
/// Whatever the operating system says.
pub fn reopen(input: &dyn Input) -> io::Result<Box<dyn ReadAt>> {
    let body = match input.open()? {
        Content::Random(content) => {
            let size = content.size();
            utf8(Body::Random(content, size))?
        }
        Content::Stream(stream) => utf8(stream_body(stream)?)?,
    };
    Ok(match body {
        Body::Whole(bytes) => Box::new(bytes),
        Body::Random(content, _) => content,
        Body::Stream(head, mut stream) => {
            let mut bytes = head;
            stream.read_to_end(&mut bytes)?;
            Box::new(bytes)
        }
    })
}

/// Bytes and lines of an input that is passed over.
fn size_of(content: Body) -> io::Result<(u64, u64)> {
    match content {
        Body::Whole(bytes) => Ok((bytes.len() as u64, count_lines(&bytes))),
        Body::Random(content, size) => {
            let mut last = [b'\n'];
            read::read_full(content.as_ref(), size.saturating_sub(1), &mut last)?;
            let open_line = u64::from(last != *b"\n");
            Ok((size, sum_over(content.as_ref(), count_newlines)? + open_line))
        }
        Body::Stream(head, mut stream) => {
            let (mut bytes, mut lines) = (head.len() as u64, count_newlines(&head));
            let mut block = vec![0; 1 << 16];
            loop {
                match stream.read(&mut block)? {
                    0 => return Ok((bytes, lines)),
                    n => {
                        bytes += n as u64;
                        lines += count_newlines(block.get(..n).unwrap_or_default());
                    }
                }
            }
        }
    }
}

/// Whether a length is within one per cent of a limit.
const fn near(chars: u64, limit: u64) -> bool {
    chars * 100 >= limit * 99 && chars * 100 <= limit * 101
}

fn count_newlines(bytes: &[u8]) -> u64 {
    memchr::memchr_iter(b'\n', bytes).count() as u64
}

/// Lines, a last one without a newline included.
fn count_lines(bytes: &[u8]) -> u64 {
    count_newlines(bytes) + u64::from(bytes.last().is_some_and(|last| *last != b'\n'))
}

fn count_chars(bytes: &[u8]) -> u64 {
    // Sums of so few fit a byte, which lets the compiler add up many at once.
    let count = |sum: u8, byte: &u8| sum.wrapping_add(u8::from(!matches!(byte, 0x80..=0xbf)));
    let sum_of = |few: &[u8]| few.iter().fold(0, count);
    bytes.chunks(128).map(|few| u64::from(sum_of(few))).sum()
}

fn count_chars_of(content: &dyn ReadAt) -> io::Result<u64> {
    sum_over(content, count_chars)
}

fn sum_over(content: &dyn ReadAt, count: fn(&[u8]) -> u64) -> io::Result<u64> {
    let mut block = vec![0; 1 << 18];
    let (mut at, mut sum) = (0, 0);
    loop {
        let n = read::read_full(content, at, &mut block)?;
        sum += count(block.get(..n).unwrap_or_default());
        at += n as u64;
        if n < block.len() {
            return Ok(sum);
        }
    }
}

/// The head of a stream, and the rest of it.
fn stream_body(mut stream: Box<dyn Read + Send>) -> io::Result<Body> {
    let mut head = Vec::new();
    stream.by_ref().take(limits::HEAD_BYTES as u64).read_to_end(&mut head)?;
    Ok(Body::Stream(head, stream))
}

/// A body in UTF-16 becomes a stream of UTF-8; any other stays as it is.
fn utf8(body: Body) -> io::Result<Body> {
    let (head, _) = body.head()?;
    let Some((order, bom)) = encoding::utf16(&head) else { return Ok(body) };
    let bytes: Box<dyn Read + Send> = match body {
        Body::Whole(bytes) => Box::new(io::Cursor::new(bytes)),
        Body::Random(content, _) => Box::new(OwnedRange { content, at: 0 }),
        Body::Stream(head, stream) => Box::new(io::Cursor::new(head).chain(stream)),
    };
    let mut reader =
        Utf16Reader { bytes, transcoder: Some(Transcoder::new(order)), ready: Vec::new(), at: 0 };
    io::copy(&mut reader.bytes.by_ref().take(bom as u64), &mut io::sink())?;
    stream_body(Box::new(reader))
}

struct OwnedRange {
    content: Box<dyn ReadAt>,
    at: u64,
}

impl Read for OwnedRange {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.content.read_at(self.at, buffer)?;
        self.at += n as u64;
        Ok(n)
    }
}

/// UTF-16 read as UTF-8. Offsets and sizes of such an input count the UTF-8.
struct Utf16Reader {
    bytes: Box<dyn Read + Send>,
    transcoder: Option<Transcoder>,
    ready: Vec<u8>,
    at: usize,
}

impl Read for Utf16Reader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.at == self.ready.len() {
            let Some(transcoder) = &mut self.transcoder else { return Ok(0) };
            self.ready.clear();
            self.at = 0;
            let mut block = [0; 4096];
            let n = self.bytes.read(&mut block)?;
            if n == 0 {
                transcoder.finish(&mut self.ready);
                self.transcoder = None;
            } else {
                transcoder.push(block.get(..n).unwrap_or_default(), &mut self.ready);
            }
        }
        let n = self.ready.get(self.at..).unwrap_or_default().read(buffer)?;
        self.at += n;
        Ok(n)
    }
}

/// JSON where the user names a format that does not recognise its input.
fn shape_by_first_byte(head: &[u8]) -> Shape {
    match head.iter().find(|byte| !byte.is_ascii_whitespace()) {
        Some(b'{' | b'[') => Shape::Document,
        _ => Shape::Sequence,
    }
}

/// Compares texts with runs of digits as numbers: `page-2` before `page-10`.
#[must_use]
pub fn natural_order(left: &str, right: &str) -> std::cmp::Ordering {
    let (mut left, mut right) = (left.as_bytes(), right.as_bytes());
    loop {
        let (left_number, right_number) = (digits(left), digits(right));
        let order = if left_number.is_empty() || right_number.is_empty() {
            match (left.split_first(), right.split_first()) {
                (Some((left_byte, left_rest)), Some((right_byte, right_rest))) => {
                    (left, right) = (left_rest, right_rest);
                    left_byte.cmp(right_byte)
                }
                (left_rest, right_rest) => return left_rest.is_some().cmp(&right_rest.is_some()),
            }
        } else {
            left = left.get(left_number.len()..).unwrap_or_default();
            right = right.get(right_number.len()..).unwrap_or_default();
            numeric_order(left_number, right_number)
        };
        if order.is_ne() {
            return order;
        }
    }
}

/// Compares numbers of any length; of equal ones that with fewer leading zeros comes first.
fn numeric_order(left: &[u8], right: &[u8]) -> std::cmp::Ordering {
    let (left_value, right_value) = (trim_zeros(left), trim_zeros(right));
    let by_size = left_value.len().cmp(&right_value.len());
    by_size.then_with(|| left_value.cmp(right_value)).then(left.len().cmp(&right.len()))
}

/// The digits that `bytes` begins with.
fn digits(bytes: &[u8]) -> &[u8] {
    let end = bytes.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(bytes.len());
    bytes.get(..end).unwrap_or_default()
}

fn trim_zeros(digits: &[u8]) -> &[u8] {
    let zeros = digits.iter().take_while(|byte| **byte == b'0').count();
    digits.get(zeros..).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cmp::Ordering;

    #[test]
    fn pages_in_natural_order() {
        assert_eq!(natural_order("page-2.json", "page-10.json"), Ordering::Less);
        assert_eq!(natural_order("page-002", "page-2"), Ordering::Greater);
        assert_eq!(natural_order("a", "a"), Ordering::Equal);
        assert_eq!(natural_order("a", "ab"), Ordering::Less);
        assert_eq!(natural_order("b1", "a2"), Ordering::Greater);
    }
}
