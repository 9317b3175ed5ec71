//! Inputs that count, stream, fail and lie, and what is read from them.

use std::fmt::Write as _;
use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use logmill_analyze::model::EventRow;
use logmill_analyze::{
    Buckets, Content, Engine, EventsError, Input, Options, ReadAt, Report, Selection, Survey, Unread,
};

/// What has been asked of an input.
#[derive(Debug, Default)]
pub struct Asked {
    /// Bytes that were read.
    pub bytes: AtomicU64,
    /// Times it was opened.
    pub opened: AtomicU64,
    /// Openings that have not been closed yet, and the most there ever were.
    open: AtomicU64,
    pub most_open: AtomicU64,
}

impl Asked {
    fn open(&self) {
        self.opened.fetch_add(1, Ordering::Relaxed);
        let open = self.open.fetch_add(1, Ordering::Relaxed) + 1;
        self.most_open.fetch_max(open, Ordering::Relaxed);
    }

    fn close(&self) {
        self.open.fetch_sub(1, Ordering::Relaxed);
    }

    /// Bytes read since this was asked last.
    pub fn take_bytes(&self) -> u64 {
        self.bytes.swap(0, Ordering::Relaxed)
    }
}

/// How an input can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    Random,
    Stream,
}

/// An input in memory that counts what is asked of it.
pub struct Counted {
    source: String,
    bytes: Arc<Vec<u8>>,
    access: Access,
    pub asked: Arc<Asked>,
}

impl Counted {
    pub fn new(source: &str, bytes: impl Into<Vec<u8>>, access: Access) -> Self {
        Self { source: source.to_owned(), bytes: Arc::new(bytes.into()), access, asked: Arc::default() }
    }

    pub fn asking(mut self, asked: &Arc<Asked>) -> Self {
        self.asked = Arc::clone(asked);
        self
    }
}

impl Input for Counted {
    fn source(&self) -> &str {
        &self.source
    }

    fn size_hint(&self) -> u64 {
        self.bytes.len() as u64
    }

    fn open(&self) -> io::Result<Content> {
        self.asked.open();
        let opened = Opened { bytes: Arc::clone(&self.bytes), at: 0, asked: Arc::clone(&self.asked) };
        Ok(match self.access {
            Access::Random => Content::Random(Box::new(opened)),
            Access::Stream => Content::Stream(Box::new(opened)),
        })
    }
}

struct Opened {
    bytes: Arc<Vec<u8>>,
    at: u64,
    asked: Arc<Asked>,
}

impl Drop for Opened {
    fn drop(&mut self) {
        self.asked.close();
    }
}

impl ReadAt for Opened {
    fn size(&self) -> u64 {
        self.bytes.len() as u64
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.bytes.read_at(offset, buffer)?;
        self.asked.bytes.fetch_add(n as u64, Ordering::Relaxed);
        Ok(n)
    }
}

impl Read for Opened {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        // Streams hand out what they have, not what is asked for.
        let len = buffer.len().min(1000);
        let n = self.read_at(self.at, &mut buffer[..len])?;
        self.at += n as u64;
        Ok(n)
    }
}

/// What is read from inputs.
pub struct Found {
    pub report: Report,
    /// Run, seq, source, line, byte and message of every event.
    pub events: Vec<String>,
    pub unread: Vec<Unread>,
}

pub fn survey(engine: &Engine, inputs: &[&dyn Input]) -> Survey {
    engine.survey(inputs)
}

pub fn events(engine: &Engine, survey: &Survey, inputs: &[&dyn Input]) -> (Vec<String>, Vec<Unread>) {
    let selection = Selection::default();
    let mut events = Vec::new();
    let push = |lines: &mut Vec<String>, row: &EventRow<'_>| {
        lines.push(format!(
            "{} {} {}:{} @{} {}",
            row.run.run_id,
            row.seq,
            row.source,
            row.line,
            row.byte_offset,
            row.record.message.decode()
        ));
    };
    let take = |mut lines: Vec<String>| {
        events.append(&mut lines);
        Ok::<(), EventsError>(())
    };
    let plan = survey.event_plan(&selection);
    let result = engine.events(&plan, inputs, Vec::new, push, |lines| lines, take);
    (events, result.err().map(|error| error.inputs).unwrap_or_default())
}

/// Reads everything and checks that every byte went somewhere.
#[track_caller]
pub fn read(inputs: &[&dyn Input], options: Options) -> Found {
    let engine = Engine::new(options).expect("threads");
    let survey = survey(&engine, inputs);
    let report = survey.report(&Selection::default(), Buckets::default()).expect("buckets");
    for file in &report.files {
        let parts = file.bytes_record
            + file.bytes_continuation
            + file.bytes_structure
            + file.bytes_duplicate
            + file.bytes_rejected;
        assert_eq!(parts, file.bytes, "{}", file.source);
    }
    let accounting: Vec<_> = report.issues.iter().filter(|issue| issue.code == "accounting").collect();
    assert!(accounting.is_empty(), "{accounting:?}");
    let (events, unread) = events(&engine, &survey, inputs);
    Found { report, events, unread }
}

/// Lines of an Apify log, one a second.
pub fn lines(seconds: std::ops::Range<u32>) -> String {
    seconds.fold(String::new(), |mut log, n| {
        let (hour, minute, second) = (10 + n / 3600, n / 60 % 60, n % 60);
        let _ = writeln!(log, "2025-03-01T{hour:02}:{minute:02}:{second:02}.000Z INFO  step {n}");
        log
    })
}
