//! The second pass: every event of the selected runs, in the order of the tables.
//!
//! The survey knows where the events of each run stand; here those places are read again and
//! their records handed on, with run, seq and step. Nothing is kept.
//!
//! The work is divided into shares: runs, or stretches of one, that follow each other in the table and
//! whose events together are of a bounded size. A share reads each place of its inputs once, however
//! many of its runs have events there ([`lanes`]), and puts them in order ([`feed`]).

mod feed;
mod lanes;
mod owners;

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use logmill_parse::{Batch, Carry, Code, Delivery, End, Shape, Wants, Window};

use self::feed::{Feed, Told};
use self::lanes::{By, Lanes};
use crate::assemble::{DraftOrigin, Extent, RunDraft};
use crate::document::PartPlace;
use crate::group::{FileDraft, Reading};
use crate::input::Input;
use crate::model::EventRow;
use crate::pipeline::Options;
use crate::read::{self, Sink, Stretch};
use crate::reopen::{Cursors, Reopened};
use crate::report::Selection;
use crate::shard::Anchor;
use crate::survey::Survey;

/// The events of the selected runs, as work that is done share by share.
#[derive(Debug)]
pub struct EventPlan<'s> {
    survey: &'s Survey,
    runs: Vec<&'s RunDraft>,
    shares: Vec<Share>,
    /// How each input is read again.
    logs: BTreeMap<usize, Log<'s>>,
}

/// How an input is read again.
#[derive(Debug, Clone, Copy)]
struct Log<'s> {
    reading: Reading,
    size: u64,
    /// The parts of a divided document.
    parts: &'s [PartPlace],
    /// What of it fits into a share.
    most: Most,
}

/// A share of the second pass.
#[derive(Debug, Clone, Default)]
pub struct Share {
    /// Run (index into the plan's) and where its events stand, in the order of the table.
    parts: Vec<(usize, Extent)>,
    /// Bytes of those events.
    bytes: u64,
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
        let mut known: BTreeSet<String> = BTreeSet::new();
        let mut is_new = |one: &Unread| known.insert(one.source().to_owned());
        let inputs: Vec<Unread> = unread.into_iter().filter(&mut is_new).collect();
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
        let runs: Vec<&RunDraft> = self.selected(selection).collect();
        let log = |file: &'s FileDraft| {
            let (reading, size, parts) = (file.reading?, file.bytes, &*file.parts);
            Some((file.input, Log { reading, size, parts, most: self.most_of(reading.shape, parts, size) }))
        };
        let logs = self.files.iter().filter_map(log).collect();
        let mut plan = EventPlan { survey: self, runs, shares: Vec::new(), logs };
        plan.shares = plan.share_out();
        plan
    }

    /// What of an input of `size` bytes fits into a share. Of a divided document a share holds a whole part at a
    /// time, and may as well hold as many events.
    fn most_of(&self, shape: Shape, parts: &[PartPlace], size: u64) -> Most {
        let windows = |n| MIN_SHARE_BYTES.max(self.window_bytes.saturating_mul(n));
        let ends = parts.iter().skip(1).map(|part| part.offset).chain([size]);
        let largest = parts.iter().zip(ends).map(|(part, end)| end.saturating_sub(part.offset)).max();
        match (shape, largest) {
            (Shape::Document, Some(bytes)) => Most::Bytes(windows(PARTS_OF_SHARE).max(bytes)),
            (Shape::Document, None) => Most::Input(windows(WINDOWS_OF_SHARE)),
            (Shape::Windows | Shape::Sequence, _) => Most::Bytes(windows(WINDOWS_OF_SHARE)),
        }
    }
}

impl EventPlan<'_> {
    fn share_out(&self) -> Vec<Share> {
        let mut shares: Vec<Share> = Vec::new();
        for (run, draft) in self.runs.iter().enumerate() {
            for extent in &draft.extents {
                let fits = |last: &Share| {
                    self.logs.get(&extent.input).is_some_and(|log| last.takes(extent, log.most))
                };
                if !shares.last().is_some_and(fits) {
                    shares.push(Share::default());
                }
                if let Some(last) = shares.last_mut() {
                    last.add(run, *extent);
                }
            }
        }
        shares
    }
}

/// Windows that the events of one share would fill, of the usual size some hundred thousand events.
const WINDOWS_OF_SHARE: u64 = 12;
/// The same for documents in parts. Where the table has another order than the document, a share reads nearly all
/// of the parts, so that there should be few shares.
const PARTS_OF_SHARE: u64 = 48;
/// Bytes of a share however small the windows.
const MIN_SHARE_BYTES: u64 = 1 << 20;
/// Bytes between two places of an input that are read along rather than passed over.
const GAP_BYTES: u64 = 16 << 10;

/// What fits into a share.
#[derive(Debug, Clone, Copy)]
enum Most {
    /// Events of so many bytes.
    Bytes(u64),
    /// So many bytes, or all runs that follow each other in one input: it can only be read whole.
    Input(u64),
}

impl Share {
    /// Whether a further extent belongs to this share.
    fn takes(&self, extent: &Extent, most: Most) -> bool {
        let is_same = || self.parts.last().is_some_and(|(_, last)| last.input == extent.input);
        match most {
            Most::Input(_) if is_same() => true,
            Most::Input(bytes) | Most::Bytes(bytes) => self.bytes + extent.bytes <= bytes,
        }
    }

    fn add(&mut self, run: usize, extent: Extent) {
        self.parts.push((run, extent));
        self.bytes += extent.bytes;
    }

    /// The inputs, in the order in which the table comes to them, each with its parts.
    fn inputs(&self) -> Vec<(usize, Vec<usize>)> {
        let mut places: BTreeMap<usize, usize> = BTreeMap::new();
        let mut inputs: Vec<(usize, Vec<usize>)> = Vec::new();
        for (index, (_, extent)) in self.parts.iter().enumerate() {
            let place = *places.entry(extent.input).or_insert(inputs.len());
            match inputs.get_mut(place) {
                Some((_, parts)) => parts.push(index),
                None => inputs.push((extent.input, vec![index])),
            }
        }
        inputs
    }
}

impl EventPlan<'_> {
    /// The shares in the order of the table, of about the same size.
    #[must_use]
    pub(crate) fn shares(&self) -> &[Share] {
        &self.shares
    }

    /// Reads a share and hands its events to `push`, in the order of the table. Returns the inputs that
    /// cannot be read again or have changed; of those, the events that were found are handed on.
    pub(crate) fn read(
        &self,
        share: &Share,
        inputs: &[&dyn Input],
        cursors: &Cursors,
        options: &Options,
        push: &mut dyn FnMut(&EventRow<'_>),
    ) -> Vec<Unread> {
        let mut feed = Feed::new(self, &share.parts, push);
        let mut unread = Vec::new();
        for (input, parts) in share.inputs() {
            let work = Work { plan: self, share, parts: &parts, input, cursors, options };
            let result = work.read(inputs, &mut feed);
            let told = feed.close(&parts);
            let source = || self.survey.name(input).0.to_owned();
            match (result, told) {
                (Err(error), _) => unread.push(Unread::Unreadable { source: source(), error }),
                (Ok(()), Told::Other) => unread.push(Unread::Changed { source: source() }),
                (Ok(()), Told::Same) => {}
            }
        }
        unread
    }
}

/// One input of a share.
struct Work<'w> {
    plan: &'w EventPlan<'w>,
    share: &'w Share,
    parts: &'w [usize],
    input: usize,
    cursors: &'w Cursors,
    options: &'w Options,
}

impl Work<'_> {
    fn read(&self, inputs: &[&dyn Input], feed: &mut Feed<'_>) -> io::Result<()> {
        let (Some(input), Some(log)) = (inputs.get(self.input), self.plan.logs.get(&self.input)) else {
            return Err(io::ErrorKind::NotFound.into());
        };
        let Log { reading, size, parts, .. } = *log;
        let by = if reading.shape == Shape::Document { By::Record } else { By::Offset };
        let mut taker = Taker { feed, lanes: self.lanes(by), record: 0, lines: 0, offset: reading.bom };
        if reading.shape == Shape::Document {
            let reopened = self.cursors.open(self.input, *input, 0)?;
            if !parts.is_empty() {
                return self.parts(log, &reopened, &mut taker);
            }
            let bytes = reopened.whole(size)?;
            let bytes =
                usize::try_from(reading.bom).ok().and_then(|bom| bytes.get(bom..)).unwrap_or_default();
            taker.document(reading, bytes, Carry::default(), End::Input);
            return Ok(());
        }
        let ranges = self.ranges(reading.shape);
        let Some((first, _)) = ranges.first() else { return Ok(()) };
        let mut reopened = self.cursors.open(self.input, *input, first.offset)?;
        for (from, end) in ranges {
            let range = (from, end, size);
            read_range(&mut reopened, reading, range, self.options.window_bytes, &mut taker)?;
        }
        if reopened.at() < size {
            self.cursors.put(self.input, reopened);
        }
        Ok(())
    }

    /// Reads the parts of a divided document in which the share has events.
    fn parts(&self, log: &Log<'_>, reopened: &Reopened, taker: &mut Taker<'_, '_>) -> io::Result<()> {
        let Log { reading, size, parts, .. } = *log;
        let part_of = |extent: Extent| parts.partition_point(|part| part.record <= extent.record);
        let wanted: BTreeSet<usize> = self.extents().map(|(_, _, extent)| part_of(extent)).collect();
        let mut bytes = Vec::new();
        for next in wanted {
            let Some(part) = next.checked_sub(1).and_then(|at| parts.get(at)) else { continue };
            let end = parts.get(next).map(|part| part.offset);
            reopened.stretch(part.offset, end.unwrap_or(size), &mut bytes)?;
            (taker.offset, taker.lines, taker.record) = (part.offset, part.lines, part.record);
            taker.document(reading, &bytes, part.carry, end.map_or(End::Input, |_| End::Seam));
        }
        Ok(())
    }

    fn extents(&self) -> impl Iterator<Item = (usize, usize, Extent)> {
        let part = |index: &usize| Some((*index, self.share.parts.get(*index)?));
        self.parts.iter().filter_map(part).map(|(index, (run, extent))| (index, *run, *extent))
    }

    fn lanes(&self, by: By) -> Lanes<'_> {
        let relayed = |run: usize| {
            let draft = self.plan.runs.get(run)?;
            (draft.origin == DraftOrigin::Relayed).then_some(draft.run_id.as_str())
        };
        Lanes::new(by, self.extents().map(|(index, run, extent)| (index, relayed(run), extent)))
    }

    /// Where to read from and to, in the order of the bytes, each place once.
    fn ranges(&self, shape: Shape) -> Vec<(Anchor, u64)> {
        let from = |extent: &Extent| match shape {
            Shape::Windows => Anchor { offset: extent.start, lines: extent.lines },
            Shape::Sequence | Shape::Document => extent.anchor,
        };
        let mut all: Vec<(Anchor, u64)> =
            self.extents().map(|(_, _, extent)| (from(&extent), extent.end)).collect();
        all.sort_by_key(|(from, end)| (from.offset, *end));
        let mut ranges: Vec<(Anchor, u64)> = Vec::new();
        for (from, end) in all {
            match ranges.last_mut().filter(|(_, last)| from.offset <= *last + GAP_BYTES) {
                Some((_, last)) => *last = end.max(*last),
                None => ranges.push((from, end)),
            }
        }
        ranges
    }
}

fn read_range(
    reopened: &mut Reopened,
    reading: Reading,
    (from, end, size): (Anchor, u64, u64),
    window_bytes: usize,
    taker: &mut Taker<'_, '_>,
) -> io::Result<()> {
    taker.offset = reopened.seek_line(from.offset, reading.bom)?;
    taker.lines = from.lines;
    let stop = if end == size { End::Input } else { End::Cut };
    let start = taker.offset;
    let mut lines = reopened.lines_until(end, size);
    let stretch = Stretch { format: reading.format, bytes: &mut lines, start, len: None, end: stop };
    read::read_stretch(stretch, window_bytes, Wants::Records, taker)
}

/// Takes the records of an input to the parts they belong to.
struct Taker<'t, 'f> {
    feed: &'t mut Feed<'f>,
    lanes: Lanes<'t>,
    /// Records, lines and bytes of the input before the batch at hand.
    record: u64,
    lines: u64,
    offset: u64,
}

impl Taker<'_, '_> {
    /// Takes the records of a document or of a part of one, which are told all at once.
    fn document(&mut self, reading: Reading, bytes: &[u8], mut carry: Carry, end: End) {
        read::with_buffers(Wants::Records, |_, batch| {
            let mut batch = batch.recycle();
            let window = Window { bytes, offset: self.offset, end };
            let consumed = reading.format.parse(window, &mut carry, &mut batch, Delivery::AtEnd);
            self.batch(&batch, bytes, consumed);
            ((), batch.recycle())
        });
    }
}

impl Sink for Taker<'_, '_> {
    fn batch(&mut self, batch: &Batch<'_>, _bytes: &[u8], consumed: usize) {
        self.lanes.next_batch(batch.streams.len());
        for record in &batch.records {
            let byte = self.offset + record.span.start as u64;
            let index = (record.stream as usize).checked_sub(1);
            let run_id = || index.and_then(|index| batch.streams.get(index)).map(|stream| stream.run_id);
            if let Some(part) = self.lanes.part((byte, self.record), record.stream, run_id) {
                self.feed.take(part, record, self.lines + u64::from(record.line) + 1, byte);
            }
            self.record += 1;
        }
        self.offset += consumed as u64;
        self.lines += batch.account.total().lines;
    }

    fn issue(&mut self, _code: Code, _message: &str) {}
}
