//! Events of several parts, told in the order of their bytes, handed on in the order of the parts.
//!
//! The events of the part at hand go straight through; those of later parts are kept until it is
//! their turn. A share's events are bounded, and so is what is kept of them.

use std::ops::Range;

use logmill_parse::{Codec, Record, Text};

use super::EventPlan;
use super::owners::Owners;
use crate::assemble::{Extent, RunDraft};
use crate::model::{EventRow, Run};

/// The parts of a share, and what has been found of them.
pub struct Feed<'a> {
    plan: &'a EventPlan<'a>,
    runs: Vec<Planned<'a>>,
    parts: Vec<Part>,
    /// The part at hand: all before it are over.
    next: usize,
    push: &'a mut dyn FnMut(&EventRow<'_>),
}

/// A run whose events are handed on.
struct Planned<'a> {
    draft: &'a RunDraft,
    run: Run,
    owners: Owners,
}

/// A run's events in one stretch of an input.
struct Part {
    /// Index into [`Feed::runs`].
    run: usize,
    extent: Extent,
    /// Events handed on.
    taken: u64,
    /// Events found.
    found: u64,
    /// Whether its input will tell no more of it.
    is_over: bool,
    kept: Kept,
}

/// Events that wait, each with its line and byte, and the bytes they speak of.
#[derive(Default)]
struct Kept {
    bytes: Vec<u8>,
    rows: Vec<(KeptRecord, u64, u64)>,
}

/// A record whose texts stand in [`Kept::bytes`] one after the other: logger, message, payload.
struct KeptRecord {
    /// Everything but the texts.
    record: Record<'static>,
    start: usize,
    logger_len: usize,
    message_len: usize,
    payload: Option<(Codec, usize)>,
}

impl<'a> Feed<'a> {
    /// A feed of the given runs' extents, in the order of the table.
    pub fn new(
        plan: &'a EventPlan<'a>,
        parts: &[(usize, Extent)],
        push: &'a mut dyn FnMut(&EventRow<'_>),
    ) -> Self {
        let mut feed = Self { plan, runs: Vec::new(), parts: Vec::with_capacity(parts.len()), next: 0, push };
        for of_run in parts.chunk_by(|a, b| a.0 == b.0) {
            let draft = of_run.first().and_then(|(index, _)| plan.runs.get(*index));
            let run = feed.runs.len();
            feed.runs.extend(draft.map(|draft| Planned::new(plan, draft, &events(of_run))));
            feed.parts.extend(of_run.iter().map(|(_, extent)| Part {
                run,
                extent: *extent,
                taken: 0,
                found: 0,
                is_over: false,
                kept: Kept::default(),
            }));
        }
        feed
    }

    /// Takes an event of a part, which stands in this line (from 1) and at this byte.
    pub fn take(&mut self, index: usize, record: &Record<'_>, line: u64, byte: u64) {
        let Some(part) = self.parts.get_mut(index) else { return };
        part.found += 1;
        if part.found > part.extent.n_events {
            return;
        }
        if index != self.next {
            part.kept.push(record, line, byte);
            return;
        }
        hand_on(self.plan, &mut self.runs, part, record, (line, byte), self.push);
        if part.taken == part.extent.n_events {
            self.advance();
        }
    }

    /// Says that the input of these parts has been read. Whether it told of them what it had told
    /// when the runs were assembled.
    pub fn close(&mut self, parts: &[usize]) -> Told {
        let mut told = Told::Same;
        for index in parts {
            let Some(part) = self.parts.get_mut(*index) else { continue };
            part.is_over = true;
            if part.found != part.extent.n_events {
                told = Told::Other;
            }
        }
        self.advance();
        told
    }

    /// Goes on to the next part that is not over, handing on what is kept.
    fn advance(&mut self) {
        while let Some(part) = self.parts.get_mut(self.next) {
            let kept = std::mem::take(&mut part.kept);
            for (record, line, byte) in &kept.rows {
                hand_on(
                    self.plan,
                    &mut self.runs,
                    part,
                    &record.lend(&kept.bytes),
                    (*line, *byte),
                    self.push,
                );
            }
            if !part.is_over && part.taken < part.extent.n_events {
                return;
            }
            self.next += 1;
        }
    }
}

/// What an input tells when it is read again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Told {
    /// The same events.
    Same,
    /// Fewer or more.
    Other,
}

/// The numbers of the events of a run that stand in these places, and of those between.
fn events(of_run: &[(usize, Extent)]) -> Range<u64> {
    let starts = of_run.iter().map(|(_, extent)| extent.seq);
    let ends = of_run.iter().map(|(_, extent)| extent.seq + extent.n_events);
    starts.min().unwrap_or(0)..ends.max().unwrap_or(0)
}

fn hand_on(
    plan: &EventPlan<'_>,
    runs: &mut [Planned<'_>],
    part: &mut Part,
    record: &Record<'_>,
    (line, byte_offset): (u64, u64),
    push: &mut dyn FnMut(&EventRow<'_>),
) {
    let Some(Planned { draft, run, owners }) = runs.get_mut(part.run) else { return };
    let before = part.extent.seq + part.taken;
    let step = owners
        .at(before)
        .and_then(|index| Some((u32::try_from(index + 1).ok()?, &*draft.steps.get(index)?.name)));
    part.taken += 1;
    let (source, member) = plan.survey.name(part.extent.input);
    let row = EventRow { run, seq: before + 1, record, step, source, member, line, byte_offset };
    match plan.survey.redactor() {
        Some(redactor) => redactor.event(&row, push),
        None => push(&row),
    }
}

impl<'a> Planned<'a> {
    fn new(plan: &EventPlan<'_>, draft: &'a RunDraft, events: &Range<u64>) -> Self {
        let mut run = plan.survey.run(draft);
        if let Some(redactor) = plan.survey.redactor() {
            redactor.run(&mut run);
        }
        Self { draft, run, owners: Owners::new(&draft.steps, events) }
    }
}

impl Kept {
    fn push(&mut self, record: &Record<'_>, line: u64, byte: u64) {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(record.logger);
        self.bytes.extend_from_slice(record.message.raw);
        if let Some(payload) = record.payload {
            self.bytes.extend_from_slice(payload.raw);
        }
        let kept = KeptRecord {
            record: without_texts(record),
            start,
            logger_len: record.logger.len(),
            message_len: record.message.raw.len(),
            payload: record.payload.map(|payload| (payload.codec, payload.raw.len())),
        };
        self.rows.push((kept, line, byte));
    }
}

impl KeptRecord {
    fn lend<'a>(&self, bytes: &'a [u8]) -> Record<'a> {
        let message = self.start + self.logger_len;
        let payload = message + self.message_len;
        let of = |from: usize, len: usize| bytes.get(from..from + len).unwrap_or_default();
        Record {
            logger: of(self.start, self.logger_len),
            message: Text { raw: of(message, self.message_len), codec: self.record.message.codec },
            payload: self.payload.map(|(codec, len)| Text { raw: of(payload, len), codec }),
            ..self.record
        }
    }
}

/// The record without what it borrows; how its message is to be read stays.
const fn without_texts(record: &Record<'_>) -> Record<'static> {
    let Record {
        span, line, n_lines, n_events, ts, until, clock, level, class, stream, flags, evidence, ..
    } = *record;
    Record {
        span,
        line,
        n_lines,
        n_events,
        ts,
        until,
        clock,
        level,
        class,
        logger: b"",
        message: Text { raw: b"", codec: record.message.codec },
        payload: None,
        stream,
        flags,
        evidence,
    }
}
