//! What the tests of all formats share: finding inputs, reading them in any division, and describing
//! what was read in the notation of `testdata/README.md`.

#![expect(clippy::disallowed_methods, reason = "tests read files")]

pub mod describe;

use std::fs;
use std::path::{Path, PathBuf};

use logmill_parse::{Account, Batch, Carry, Delivery, End, Extent, Format, Head, Shape, Wants, Window};
use logmill_parse::{encoding, limits};

/// One input file.
#[derive(Debug, Clone)]
pub struct Input {
    /// The file.
    pub path: PathBuf,
    /// Its bytes, as UTF-8 where it says it is UTF-16.
    pub bytes: Vec<u8>,
}

/// The repository's folder of inputs.
pub fn testdata() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata")
}

/// All inputs under `folder`, in the order of their paths; none if there is no such folder.
pub fn inputs(folder: &Path) -> Vec<Input> {
    let mut paths = Vec::new();
    collect(folder, &mut paths);
    paths.sort();
    paths.into_iter().map(|path| Input { bytes: load(&path), path }).collect()
}

fn collect(folder: &Path, paths: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for path in entries.map(|entry| entry.expect("a readable folder").path()) {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if path.is_dir() {
            collect(&path, paths);
        } else if !name.ends_with(".expect.json") && !name.ends_with(".md") {
            paths.push(path);
        }
    }
}

fn load(path: &Path) -> Vec<u8> {
    let bytes = fs::read(path).expect("a readable file");
    match encoding::utf16(&bytes) {
        Some((order, bom)) => {
            let mut text = Vec::new();
            let mut transcoder = encoding::Transcoder::new(order);
            transcoder.push(&bytes[bom..], &mut text);
            transcoder.finish(&mut text);
            text
        }
        None => bytes,
    }
}

/// How `format` says the input is to be read; as windows where it does not know it.
pub fn shape(format: &dyn Format, bytes: &[u8]) -> Option<Shape> {
    format.detect(head(bytes)).map(|found| found.shape)
}

/// The head of an input, as detection sees it.
pub fn head(bytes: &[u8]) -> Head<'_> {
    let bytes = &bytes[encoding::bom_len(bytes)..];
    let extent = if bytes.len() <= limits::HEAD_BYTES { Extent::Whole } else { Extent::Part };
    Head { bytes: &bytes[..bytes.len().min(limits::HEAD_BYTES)], extent }
}

/// Everything read from an input, independent of how it was divided: offsets, lines and streams are the file's.
#[derive(Debug, Default, PartialEq)]
pub struct Reading {
    /// The events.
    pub events: Vec<Event>,
    /// Marks behind the last event.
    pub end_marks: Vec<String>,
    /// Code, line (from 1), byte and message of every issue.
    pub issues: Vec<(&'static str, u64, u64, String)>,
    /// Where the bytes and lines went.
    pub account: Account,
}

/// One event.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// First byte and first byte behind.
    pub span: (usize, usize),
    /// Line, from 1.
    pub line: u64,
    /// Lines.
    pub n_lines: u32,
    /// Everything else, described.
    pub fields: describe::Fields,
    /// Run id of the relayed run it belongs to, or empty.
    pub stream: String,
    /// The marks before it.
    pub marks: Vec<String>,
}

impl Reading {
    /// Adds what one parse found in `bytes[offset..offset + consumed]`, and checks it against the window.
    pub fn add(
        &mut self,
        bytes: &[u8],
        offset: usize,
        consumed: usize,
        shape: Option<Shape>,
        batch: &Batch<'_>,
    ) {
        let window = &bytes[offset..offset + consumed];
        check(window, offset + consumed == bytes.len(), shape, batch);
        self.add_part(bytes, offset, batch);
    }

    /// As [`Reading::add`], for some of the records of a window, or for what is left of it.
    pub fn add_part(&mut self, bytes: &[u8], offset: usize, batch: &Batch<'_>) {
        let lines_before = Newlines::of(&bytes[..offset]).0.len() as u64;
        let mut pending = std::mem::take(&mut self.end_marks);
        let mut marks = batch.marks.iter().peekable();
        for (index, record) in batch.records.iter().enumerate() {
            while let Some(mark) = marks.next_if(|mark| mark.record <= index) {
                pending.push(describe::mark(&mark.mark));
            }
            self.events.push(Event {
                span: (offset + record.span.start, offset + record.span.end),
                line: lines_before + u64::from(record.line) + 1,
                n_lines: record.n_lines,
                fields: describe::fields(record),
                stream: stream(batch, record.stream),
                marks: std::mem::take(&mut pending),
            });
        }
        pending.extend(marks.map(|mark| describe::mark(&mark.mark)));
        self.end_marks = pending;
        for issue in &batch.issues {
            let line = lines_before + u64::from(issue.line) + 1;
            let start = (offset + issue.start) as u64;
            self.issues.push((issue.code.as_str(), line, start, issue.message.to_string()));
        }
        self.account.merge(&batch.account);
    }
}

fn stream(batch: &Batch<'_>, number: u32) -> String {
    match number.checked_sub(1) {
        None => String::new(),
        Some(index) => String::from_utf8_lossy(batch.streams[index as usize].run_id).into_owned(),
    }
}

/// Where the newlines of some bytes are.
struct Newlines(Vec<usize>);

impl Newlines {
    fn of(bytes: &[u8]) -> Self {
        Self(memchr::memchr_iter(b'\n', bytes).collect())
    }

    /// How many there are before byte `at`.
    fn before(&self, at: usize) -> u64 {
        self.0.partition_point(|newline| *newline < at) as u64
    }
}

/// The first property: spans are inside the window, in order (in documents: apart), lines are true,
/// marks are in order, and the account holds every byte and every line.
fn check(window: &[u8], at_end: bool, shape: Option<Shape>, batch: &Batch<'_>) {
    let newlines = Newlines::of(window);
    let mut spans: Vec<_> = batch.records.iter().map(|record| (record.span.start, record.span.end)).collect();
    for record in &batch.records {
        assert!(record.span.start <= record.span.end && record.span.end <= window.len(), "{record:?}");
        assert_eq!(u64::from(record.line), newlines.before(record.span.start), "line of {record:?}");
        let touched = newlines.before(record.span.end) - newlines.before(record.span.start) + 1;
        assert!(u64::from(record.n_lines) <= touched, "lines of {record:?}");
        assert!(record.stream as usize <= batch.streams.len(), "stream of {record:?}");
    }
    // What a format does not recognise and is made to read comes as one document.
    let is_document = !matches!(shape, Some(Shape::Windows | Shape::Sequence));
    if is_document {
        spans.sort_unstable();
    }
    assert!(spans.is_sorted_by(|a, b| a.1 <= b.0), "spans overlap or are out of order: {spans:?}");
    assert!(batch.marks.is_sorted_by_key(|mark| mark.record), "marks are out of order");
    assert!(
        batch.issues.is_sorted_by_key(|issue| issue.start),
        "issues are out of order: {:?}",
        batch.issues
    );
    for issue in &batch.issues {
        assert!(issue.start <= issue.end && issue.end <= window.len(), "{issue:?}");
        assert_eq!(u64::from(issue.line), newlines.before(issue.start), "line of {issue:?}");
    }
    let open_line = at_end && window.last().is_some_and(|byte| *byte != b'\n');
    let total = batch.account.total();
    assert_eq!(total.bytes, window.len() as u64, "bytes of {:?}", batch.account);
    assert_eq!(
        total.lines,
        newlines.before(window.len()) + u64::from(open_line),
        "lines of {:?}",
        batch.account
    );
    let event_bytes: usize = spans.iter().map(|(start, end)| end - start).sum();
    let event_lines: u64 = batch.records.iter().map(|record| u64::from(record.n_lines)).sum();
    let Account { record, continuation, .. } = batch.account;
    if is_document {
        // Punctuation between the elements of one event is structure.
        assert!(record.bytes + continuation.bytes <= event_bytes as u64, "bytes of events");
    } else {
        assert_eq!(record.bytes + continuation.bytes, event_bytes as u64, "bytes of events");
    }
    assert_eq!(record.lines + continuation.lines, event_lines, "lines of events");
}

/// Reads the input in one go.
pub fn whole(format: &dyn Format, bytes: &[u8], shape: Option<Shape>) -> Reading {
    let mut reading = Reading::default();
    let mut batch = Batch::new(Wants::Everything);
    let window = Window { bytes, offset: 0, end: End::Input };
    let consumed = format.parse(window, &mut Carry::default(), &mut batch, Delivery::AtEnd);
    assert_eq!(consumed, bytes.len(), "everything is consumed at the end of the input");
    reading.add(bytes, 0, consumed, shape, &batch);
    reading
}
