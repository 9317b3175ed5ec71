//! One line of one input, as the format read it: for whoever asks why.
//!
//! The input is read once more, from its first byte, and what stands on the line is handed on as the
//! format left it, marks included. Where it ended up (run, seq, step) the second pass tells.

use std::io::{self, Read};

use logmill_parse::{Batch, Code, End, Extent, Head, Mark, Record, Shape, Stream, Wants, format, limits};

use crate::events::Unread;
use crate::input::Input;
use crate::pipeline::Options;
use crate::read::{self, Sink, Stretch};
use crate::reopen::Reopened;
use crate::survey::Survey;

/// Bytes of a line that are kept to be shown.
const MAX_SHOWN_BYTES: usize = 4096;

/// What stands on a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trace {
    /// Id of the format that reads the input.
    pub format: &'static str,
    /// How the input is read.
    pub shape: Shape,
    /// The formats that recognise the input by its head, with their scores, highest first.
    pub claims: Vec<(&'static str, u8)>,
    /// Physical lines of the input.
    pub n_lines: u64,
    /// The line, if there is one: at most 4 KiB of it.
    pub text: Option<Vec<u8>>,
    /// Byte at which the line starts.
    pub byte_offset: u64,
    /// What could not be read as expected on the line.
    pub issues: Vec<(Code, String)>,
}

/// An event that stands on the line, at least in part.
#[derive(Debug, Clone)]
pub struct Seen<'a> {
    /// The record.
    pub record: &'a Record<'a>,
    /// The marks the format left at it.
    pub marks: Vec<&'a Mark<'a>>,
    /// The run that is relayed there, if it is not the input's own.
    pub stream: Option<&'a Stream<'a>>,
    /// Its first line, from 1.
    pub line: u64,
    /// Its last line.
    pub last_line: u64,
    /// Its first byte, from 0.
    pub byte_offset: u64,
    /// Its first line as it stands in the input: at most 4 KiB of it.
    pub first_line: &'a [u8],
}

impl Survey {
    /// Reads an input again and hands every event on its `line` (from 1) to `see`. `None` where the
    /// input is no log.
    ///
    /// # Errors
    ///
    /// If the input cannot be read again.
    pub fn trace(
        &self,
        inputs: &[&dyn Input],
        input: usize,
        line: u64,
        options: &Options,
        see: &mut dyn FnMut(&Seen<'_>),
    ) -> Result<Option<Trace>, Unread> {
        let file = self.files.iter().find(|file| file.input == input);
        let reading = file.and_then(|file| Some((file.reading?, file.bytes)));
        let (Some((reading, size)), Some(source)) = (reading, inputs.get(input)) else { return Ok(None) };
        let unreadable = |error| Unread::Unreadable { source: source.source().to_owned(), error };
        let mut content = Reopened::open(*source).map_err(unreadable)?;
        content.seek_line(reading.bom, reading.bom).map_err(unreadable)?;
        let mut content = content.take(size.saturating_sub(reading.bom));
        let mut head = Vec::new();
        let first = content.by_ref().take(limits::HEAD_BYTES as u64).read_to_end(&mut head);
        let n = first.map_err(unreadable)?;
        let extent = if reading.bom + n as u64 == size { Extent::Whole } else { Extent::Part };
        let trace = Trace {
            format: reading.format.about().id,
            shape: reading.shape,
            claims: claims(Head { bytes: &head, extent }),
            n_lines: 0,
            text: None,
            byte_offset: 0,
            issues: Vec::new(),
        };
        let target = line.saturating_sub(1);
        let mut sink = LineSink { target, newlines: 0, offset: reading.bom, ends_open: false, trace, see };
        let stretch = Stretch {
            format: reading.format,
            bytes: &mut head.as_slice().chain(content),
            start: reading.bom,
            len: Some(size.saturating_sub(reading.bom)),
            end: End::Input,
        };
        let window = if reading.shape == Shape::Document { usize::MAX / 4 } else { options.window_bytes };
        let result: io::Result<()> = read::read_stretch(stretch, window, Wants::Everything, &mut sink);
        result.map_err(unreadable)?;
        let mut trace = sink.trace;
        trace.n_lines = sink.newlines + u64::from(sink.ends_open);
        Ok(Some(trace))
    }
}

/// The formats that take the input for theirs, the surest first.
fn claims(head: Head<'_>) -> Vec<(&'static str, u8)> {
    let claim = |format: &&'static dyn format::Format| Some((format.about().id, format.detect(head)?.score));
    let mut claims: Vec<(&'static str, u8)> = format::ALL.iter().filter_map(claim).collect();
    claims.sort_by_key(|(_, score)| std::cmp::Reverse(*score));
    claims
}

/// Picks what stands on one line from the batches of its input.
struct LineSink<'s> {
    /// Lines before it.
    target: u64,
    /// Line ends seen.
    newlines: u64,
    /// Bytes seen.
    offset: u64,
    /// Whether the last line seen has no end yet.
    ends_open: bool,
    trace: Trace,
    see: &'s mut dyn FnMut(&Seen<'_>),
}

impl Sink for LineSink<'_> {
    fn batch(&mut self, batch: &Batch<'_>, bytes: &[u8], consumed: usize) {
        let bytes = bytes.get(..consumed).unwrap_or_default();
        let newlines = memchr::memchr_iter(b'\n', bytes).count() as u64;
        if self.newlines <= self.target && self.target <= self.newlines + newlines {
            self.look(batch, bytes);
        }
        self.newlines += newlines;
        self.offset += bytes.len() as u64;
        self.ends_open = bytes.last().map_or(self.ends_open, |last| *last != b'\n');
    }

    fn issue(&mut self, _code: Code, _message: &str) {}
}

impl LineSink<'_> {
    /// Looks for the line in a window that holds it, or the start or the rest of it.
    fn look(&mut self, batch: &Batch<'_>, bytes: &[u8]) {
        let before = usize::try_from(self.target - self.newlines).unwrap_or(usize::MAX);
        let start = before
            .checked_sub(1)
            .map_or(Some(0), |nth| memchr::memchr_iter(b'\n', bytes).nth(nth).map(|newline| newline + 1));
        let Some(rest) = start.and_then(|start| bytes.get(start..)).filter(|rest| !rest.is_empty()) else {
            return;
        };
        let start = bytes.len() - rest.len();
        let line = line_of(rest);
        let end = start + line.len();
        if self.trace.text.is_none() {
            self.trace.text = Some(shown(line).to_vec());
            self.trace.byte_offset = self.offset + start as u64;
        }
        // Issues may state one place, which is as good as one byte there.
        let issues =
            batch.issues.iter().filter(|issue| issue.start < end && issue.end.max(issue.start + 1) > start);
        self.trace.issues.extend(issues.map(|issue| (issue.code, issue.message.clone().into_owned())));
        for (index, record) in batch.records.iter().enumerate() {
            if record.span.start < end && record.span.end > start {
                self.tell(batch, bytes, index, record);
            }
        }
    }

    fn tell(&mut self, batch: &Batch<'_>, bytes: &[u8], index: usize, record: &Record<'_>) {
        let event = bytes.get(record.span.start..record.span.end).unwrap_or_default();
        let line = self.newlines + u64::from(record.line) + 1;
        let inside = event.strip_suffix(b"\n").unwrap_or(event);
        let stream = (record.stream as usize).checked_sub(1).and_then(|index| batch.streams.get(index));
        (self.see)(&Seen {
            record,
            marks: batch.marks.iter().filter(|mark| mark.record == index).map(|mark| &mark.mark).collect(),
            stream,
            line,
            last_line: line + memchr::memchr_iter(b'\n', inside).count() as u64,
            byte_offset: self.offset + record.span.start as u64,
            first_line: shown(line_of(event)),
        });
    }
}

/// Up to the first line end, with it.
fn line_of(bytes: &[u8]) -> &[u8] {
    let end = memchr::memchr(b'\n', bytes).map_or(bytes.len(), |newline| newline + 1);
    bytes.get(..end).unwrap_or_default()
}

/// As much of a line as is shown, without its end.
fn shown(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    line.get(..line.len().min(MAX_SHOWN_BYTES)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Bytes, Engine};

    const LOG: &str = "2026-01-31T10:00:00.000Z INFO  one\n\
                       2026-01-31T10:00:01.000Z ERROR two\n    at a\n    at b\n\n\
                       2026-01-31T10:00:02.000Z INFO  three";

    /// What stands on a line: first and last line and first byte of each event.
    fn seen(log: &str, line: u64, window_bytes: usize) -> (Trace, Vec<(u64, u64, u64)>) {
        let log = Bytes::new("my-actor/aB3dE6gH9jK2mN5pQ.log", log);
        let inputs: [&dyn Input; 1] = [&log];
        let engine = Engine::new(Options { window_bytes, ..Options::default() }).expect("threads");
        let survey = engine.survey(&inputs);
        let mut events = Vec::new();
        let trace = survey
            .trace(&inputs, 0, line, engine.options(), &mut |seen| {
                events.push((seen.line, seen.last_line, seen.byte_offset));
            })
            .expect("it can be read again");
        (trace.expect("a log"), events)
    }

    #[test]
    fn lines_belong_to_events_however_the_input_is_cut() {
        for window in [16, 64, 1 << 20] {
            for (line, expect) in [
                (1, vec![(1, 1, 0)]),
                (2, vec![(2, 4, 35)]),
                (4, vec![(2, 4, 35)]),
                (5, vec![]),
                (6, vec![(6, 6, 89)]),
                (7, vec![]),
            ] {
                let (trace, events) = seen(LOG, line, window);
                assert_eq!(events, expect, "line {line}, window {window}");
                assert_eq!((trace.format, trace.n_lines), ("apify-log", 6));
                let text = LOG.lines().nth(usize::try_from(line).expect("small") - 1);
                assert_eq!(trace.text.as_deref(), text.map(str::as_bytes), "line {line}, window {window}");
            }
        }
    }

    #[test]
    fn the_format_is_the_surest_claim() {
        let (trace, _) = seen(LOG, 1, 1 << 20);
        assert_eq!(trace.claims.first().map(|(id, _)| *id), Some("apify-log"));
        assert!(trace.claims.is_sorted_by_key(|(_, score)| std::cmp::Reverse(*score)));
    }
}
