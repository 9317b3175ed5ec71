//! The second pass: every event of the selected runs, in the order of the tables.
//!
//! The survey knows where the events of each run stand; here those places are read again and
//! their records handed on, with run, seq and step. Nothing is kept.

use std::collections::{BTreeMap, BinaryHeap};
use std::io;

use logmill_parse::{Batch, Code, End, Record, Shape, Wants};

use crate::assemble::{DraftOrigin, Extent, RunDraft};
use crate::group::{self, Reading};
use crate::input::{Input, ReadAt};
use crate::model::{EventRow, Run};
use crate::phases::StepDraft;
use crate::pipeline::Options;
use crate::read::{self, Range, Sink, Stretch};
use crate::report::Selection;
use crate::survey::Survey;

/// The events of the selected runs, as work that can be done piece by piece.
#[derive(Debug)]
pub struct EventPlan<'s> {
    survey: &'s Survey,
    runs: Vec<Planned<'s>>,
    shares: Vec<Vec<Piece>>,
    readings: BTreeMap<usize, Reading>,
}

/// A run whose events are handed on.
#[derive(Debug)]
struct Planned<'s> {
    draft: &'s RunDraft,
    run: Run,
    owners: Vec<(u64, Option<usize>)>,
}

/// A piece of the second pass.
#[derive(Debug, Clone)]
pub struct Piece {
    input: usize,
    /// Run (index into the plan's) and where its events stand.
    parts: Vec<(usize, Extent)>,
}

/// Inputs that could not be read again as they had been read before. The events of all others have
/// been handed on.
#[derive(Debug)]
pub struct EventsError {
    /// What is wrong with which input, each input once.
    pub inputs: Vec<Unread>,
}

/// An input that no longer holds what the survey found there.
#[derive(Debug)]
pub enum Unread {
    /// It cannot be read.
    Unreadable {
        /// The input.
        source: String,
        /// What the operating system says.
        error: io::Error,
    },
    /// It holds other events than before.
    Changed {
        /// The input.
        source: String,
    },
}

impl Unread {
    /// The input.
    #[must_use]
    pub fn source(&self) -> &str {
        match self {
            Self::Unreadable { source, .. } | Self::Changed { source } => source,
        }
    }
}

impl std::fmt::Display for Unread {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Unreadable { source, error } => write!(f, "cannot read {source} again: {error}"),
            Self::Changed { source } => write!(f, "{source} changed while it was read"),
        }
    }
}

impl EventsError {
    /// The error for what went wrong, if anything did.
    pub(crate) fn of(unread: Vec<Unread>) -> Result<(), Self> {
        let mut inputs: Vec<Unread> = Vec::new();
        for one in unread {
            if inputs.iter().all(|known| known.source() != one.source()) {
                inputs.push(one);
            }
        }
        if inputs.is_empty() { Ok(()) } else { Err(Self { inputs }) }
    }
}

impl std::fmt::Display for EventsError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (index, input) in self.inputs.iter().enumerate() {
            let separator = if index == 0 { "" } else { "; " };
            write!(f, "{separator}{input}")?;
        }
        Ok(())
    }
}

impl std::error::Error for EventsError {}

impl Survey {
    /// Plans the second pass over the selected runs.
    #[must_use]
    pub fn event_plan<'s>(&'s self, selection: &'s Selection) -> EventPlan<'s> {
        let plan = |draft| Planned { draft, run: self.run(draft), owners: owners(&draft.steps) };
        let runs: Vec<Planned<'_>> = self.selected(selection).map(plan).collect();
        let readings: BTreeMap<usize, Reading> =
            self.files.iter().filter_map(|file| Some((file.input, file.reading?))).collect();
        let mut pieces: Vec<Piece> = Vec::new();
        for (run, planned) in runs.iter().enumerate() {
            for extent in &planned.draft.extents {
                let shape = readings.get(&extent.input).map(|reading| reading.shape);
                let joins = |piece: &&mut Piece| piece.input == extent.input && piece.takes(shape, *extent);
                match pieces.last_mut().filter(joins) {
                    Some(piece) => piece.parts.push((run, *extent)),
                    None => pieces.push(Piece { input: extent.input, parts: vec![(run, *extent)] }),
                }
            }
        }
        EventPlan { survey: self, runs, shares: share(pieces), readings }
    }
}

impl Piece {
    /// Whether a further extent of its input may be read along. What can only be read whole is read
    /// once for all runs that follow each other in it; but what is read window by window is handed on
    /// as it comes, so that there the runs must stand in the order of the table.
    fn takes(&self, shape: Option<Shape>, extent: Extent) -> bool {
        match shape {
            Some(Shape::Document) => true,
            Some(Shape::Sequence) => self.parts.last().is_some_and(|(_, last)| last.end <= extent.start),
            Some(Shape::Windows) | None => false,
        }
    }
}

/// Bytes of input that one chunk of events is made from: some hundred thousand events.
const SHARE_BYTES: u64 = 12 << 20;

fn share(pieces: Vec<Piece>) -> Vec<Vec<Piece>> {
    let mut shares: Vec<Vec<Piece>> = Vec::new();
    let mut bytes = 0;
    for piece in pieces {
        let size: u64 = piece.parts.iter().map(|(_, extent)| extent.end - extent.start).sum();
        if let Some(share) = shares.last_mut().filter(|_| bytes + size <= SHARE_BYTES) {
            share.push(piece);
        } else {
            shares.push(vec![piece]);
            bytes = 0;
        }
        bytes += size;
    }
    shares
}

impl EventPlan<'_> {
    /// The pieces in the order of the table, in shares of about the same size.
    #[must_use]
    pub fn shares(&self) -> &[Vec<Piece>] {
        &self.shares
    }

    /// Reads one piece and hands its events to `push`, in the order of the table.
    ///
    /// # Errors
    ///
    /// If the input cannot be read again or has changed.
    pub fn read(
        &self,
        piece: &Piece,
        inputs: &[&dyn Input],
        options: &Options,
        push: &mut dyn FnMut(&EventRow<'_>),
    ) -> Result<(), Unread> {
        let (source, _) = self.survey.name(piece.input);
        let unreadable = |error| Unread::Unreadable { source: source.to_owned(), error };
        let (Some(input), Some(reading)) = (inputs.get(piece.input), self.readings.get(&piece.input)) else {
            return Err(unreadable(io::ErrorKind::NotFound.into()));
        };
        let mut rows = Rows::new(self, piece, reading.bom);
        let content = group::reopen(*input).map_err(unreadable)?;
        match (reading.shape, piece.parts.as_slice()) {
            (Shape::Windows, [(_, extent)]) => {
                whole_lines(content.as_ref(), reading.bom, *extent).and_then(|range| {
                    rows.skip_to(range.0);
                    read_range(content.as_ref(), *reading, range, options, &mut rows, push)
                })
            }
            (Shape::Document, _) => {
                let mut bytes = vec![0; usize::try_from(content.size()).unwrap_or(0)];
                read::read_full(content.as_ref(), 0, &mut bytes).and_then(|n| {
                    bytes.truncate(n);
                    let range = (reading.bom, n as u64);
                    read_range(&bytes, *reading, range, options, &mut rows, push)
                })
            }
            _ => read_range(
                content.as_ref(),
                *reading,
                (reading.bom, content.size()),
                options,
                &mut rows,
                push,
            ),
        }
        .map_err(unreadable)?;
        if rows.is_complete() { Ok(()) } else { Err(Unread::Changed { source: source.to_owned() }) }
    }
}

/// The extent, widened to whole lines: events of a line of JSON begin and end inside of it, and a
/// window begins where a line does. `floor` is where the first line starts.
fn whole_lines(content: &dyn ReadAt, floor: u64, extent: Extent) -> io::Result<(u64, u64)> {
    let mut block = vec![0; LINE_BLOCK_BYTES];
    let mut start = extent.start;
    while start > floor {
        let from = start.saturating_sub(LINE_BLOCK_BYTES as u64).max(floor);
        let len = usize::try_from(start - from).unwrap_or(LINE_BLOCK_BYTES);
        let n = read::read_full(content, from, block.get_mut(..len).unwrap_or_default())?;
        if let Some(newline) = memchr::memrchr(b'\n', block.get(..n).unwrap_or_default()) {
            start = from + newline as u64 + 1;
            break;
        }
        start = from;
    }
    let mut end = extent.end.max(start + 1) - 1;
    loop {
        let n = read::read_full(content, end, &mut block)?;
        match memchr::memchr(b'\n', block.get(..n).unwrap_or_default()) {
            Some(newline) => return Ok((start, end + newline as u64 + 1)),
            None if n < block.len() => return Ok((start, content.size().max(start))),
            None => end += n as u64,
        }
    }
}

/// Bytes looked at to find the start or the end of a line.
const LINE_BLOCK_BYTES: usize = 4 << 10;

fn read_range(
    content: &dyn ReadAt,
    reading: Reading,
    (start, end): (u64, u64),
    options: &Options,
    rows: &mut Rows<'_>,
    push: &mut dyn FnMut(&EventRow<'_>),
) -> io::Result<()> {
    let mut range = Range { content, start, end };
    let stop = if end == content.size() { End::Input } else { End::Cut };
    // A document is one window.
    let window = if reading.shape == Shape::Document { usize::MAX / 4 } else { options.window_bytes };
    let stretch =
        Stretch { format: reading.format, bytes: &mut range, start, len: Some(end - start), end: stop };
    let mut sink = RowSink { rows, push };
    read::read_stretch(stretch, window, Wants::Runs, &mut sink)
}

/// Picks the events of a piece's runs from the records of its input.
struct Rows<'a> {
    plan: &'a EventPlan<'a>,
    input: usize,
    parts: Vec<Part<'a>>,
    /// Records seen.
    record: u64,
    /// Lines seen, counted from the start of what is read.
    lines: u64,
    offset: u64,
}

/// A run's share of a piece.
struct Part<'a> {
    run: usize,
    extent: Extent,
    /// Id of the relayed run; `None` for the input's own.
    relayed: Option<&'a str>,
    taken: u64,
}

struct RowSink<'a, 'p> {
    rows: &'a mut Rows<'p>,
    push: &'a mut dyn FnMut(&EventRow<'_>),
}

impl Sink for RowSink<'_, '_> {
    fn batch(&mut self, batch: &Batch<'_>, _bytes: &[u8], consumed: usize) {
        self.rows.batch(batch, self.push);
        self.rows.offset += consumed as u64;
        self.rows.lines += batch.account.total().lines;
    }

    fn issue(&mut self, _code: Code, _message: &str) {}
}

impl<'a> Rows<'a> {
    /// `offset` is where the first record may stand: behind the byte order mark.
    fn new(plan: &'a EventPlan<'a>, piece: &Piece, offset: u64) -> Self {
        let part = |(run, extent): &(usize, Extent)| {
            let draft = plan.runs.get(*run).map(|planned| planned.draft);
            Part {
                run: *run,
                extent: *extent,
                relayed: draft
                    .filter(|draft| draft.origin == DraftOrigin::Relayed)
                    .map(|draft| draft.run_id.as_str()),
                taken: 0,
            }
        };
        Self {
            plan,
            input: piece.input,
            parts: piece.parts.iter().map(part).collect(),
            record: 0,
            lines: 0,
            offset,
        }
    }

    /// Says that reading begins at this byte, the start of the line of the only part's first record.
    fn skip_to(&mut self, offset: u64) {
        self.offset = offset;
        if let Some(part) = self.parts.first() {
            self.record = part.extent.record;
            self.lines = part.extent.lines;
        }
    }

    fn is_complete(&self) -> bool {
        self.parts.iter().all(|part| part.taken == part.extent.n_events)
    }

    /// The events of each part in turn: runs follow each other in the order of the table, which
    /// need not be the order in which they stand in the input.
    fn batch(&mut self, batch: &Batch<'_>, push: &mut dyn FnMut(&EventRow<'_>)) {
        let first = self.record;
        self.record += batch.records.len() as u64;
        for index in 0..self.parts.len() {
            let Some(part) = self.parts.get(index) else { continue };
            let from = usize::try_from(part.extent.record.saturating_sub(first)).unwrap_or(usize::MAX);
            for record in batch.records.iter().skip(from) {
                let Some(part) = self.parts.get_mut(index) else { continue };
                if part.taken == part.extent.n_events {
                    break;
                }
                // A line of JSON may hold records of other runs before those of this one.
                let is_before = self.offset + (record.span.start as u64) < part.extent.start;
                if !is_before && relayed(batch, record) == part.relayed.map(str::as_bytes) {
                    self.row(index, record, push);
                }
            }
        }
    }

    fn row(&mut self, index: usize, record: &Record<'_>, push: &mut dyn FnMut(&EventRow<'_>)) {
        let Some(part) = self.parts.get_mut(index) else { return };
        let Some(Planned { draft, run, owners }) = self.plan.runs.get(part.run) else { return };
        let before = part.extent.seq + part.taken;
        let step = owner_at(owners, before)
            .and_then(|index| Some((u32::try_from(index + 1).ok()?, &*draft.steps.get(index)?.name)));
        let seq = before + 1;
        part.taken += 1;
        let (source, member) = self.plan.survey.name(self.input);
        push(&EventRow {
            run,
            seq,
            record,
            step,
            source,
            member,
            line: self.lines + u64::from(record.line) + 1,
            byte_offset: self.offset + record.span.start as u64,
        });
    }
}

fn relayed<'a>(batch: &Batch<'a>, record: &Record<'_>) -> Option<&'a [u8]> {
    let index = (record.stream as usize).checked_sub(1)?;
    batch.streams.get(index).map(|stream| stream.run_id)
}

/// Which step the events of a run fall in, the deepest and of those the last: where another one
/// begins, as the number of events before it.
///
/// Takes time and room for the steps alone, however many events they share.
fn owners(steps: &[StepDraft]) -> Vec<(u64, Option<usize>)> {
    let holds = |step: &StepDraft| step.events.0 < step.events.1;
    let mut starts: Vec<(u64, usize)> = (0..)
        .zip(steps)
        .filter(|(_, step)| holds(step))
        .map(|(index, step)| (step.events.0, index))
        .collect();
    starts.sort_unstable();
    let mut borders: Vec<u64> =
        steps.iter().filter(|step| holds(step)).flat_map(|step| [step.events.0, step.events.1]).collect();
    borders.sort_unstable();
    borders.dedup();
    let mut starts = starts.into_iter().peekable();
    let mut open: BinaryHeap<(u8, usize)> = BinaryHeap::new();
    let mut owners: Vec<(u64, Option<usize>)> = Vec::new();
    for at in borders {
        while let Some((_, index)) = starts.next_if(|(start, _)| *start <= at) {
            open.push((steps.get(index).map_or(0, |step| step.depth), index));
        }
        let is_over = |index: usize| steps.get(index).is_none_or(|step| step.events.1 <= at);
        while open.peek().is_some_and(|(_, index)| is_over(*index)) {
            open.pop();
        }
        let owner = open.peek().map(|(_, index)| *index);
        if owners.last().is_none_or(|(_, last)| *last != owner) {
            owners.push((at, owner));
        }
    }
    owners
}

/// The step of the event with so many before it.
fn owner_at(owners: &[(u64, Option<usize>)], before: u64) -> Option<usize> {
    let behind = owners.partition_point(|(from, _)| *from <= before);
    owners.get(behind.checked_sub(1)?)?.1
}

#[cfg(test)]
mod tests {
    use super::*;
    use logmill_parse::{Status, StepKind};

    fn step(depth: u8, events: (u64, u64)) -> StepDraft {
        StepDraft {
            name: "".into(),
            kind: StepKind::Phase,
            depth,
            parent: None,
            connector_id: None,
            started_at: None,
            stopped_at: None,
            status: Status::Unknown,
            status_code: None,
            error: None,
            events,
        }
    }

    #[test]
    fn an_event_falls_in_the_deepest_step_and_of_those_in_the_last() {
        let steps =
            [step(0, (1, 8)), step(1, (2, 5)), step(1, (4, 6)), step(0, (8, 8)), step(0, (9, u64::MAX))];
        let owners = owners(&steps);
        let found: Vec<Option<usize>> = (0..11).map(|before| owner_at(&owners, before)).collect();
        let at = |range: std::ops::Range<usize>| found.get(range).unwrap_or_default().to_vec();
        assert_eq!(at(0..4), [None, Some(0), Some(1), Some(1)]);
        assert_eq!(at(4..8), [Some(2), Some(2), Some(0), Some(0)]);
        assert_eq!(at(8..11), [None, Some(4), Some(4)]);
    }
}
