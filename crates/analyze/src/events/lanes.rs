//! Which part of a share a record of an input belongs to.
//!
//! The records of one stream (the input's own, or one relayed run's) belong to one part after the
//! other, so that a stream has its parts in a row and a search in the row finds the right one.

use std::collections::BTreeMap;

use crate::assemble::Extent;

/// How a record is found in a row of parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// By its byte: in texts, whose events stand in the order of their bytes.
    Offset,
    /// By its number in the input: in a document, which may tell its events in another order.
    Record,
}

/// The parts of one input, by stream.
#[derive(Debug)]
pub struct Lanes<'a> {
    by: By,
    rows: Vec<Lane>,
    /// Lane of each relayed run.
    relayed: BTreeMap<&'a [u8], usize>,
    /// Lane of the input's own run.
    own: Option<usize>,
    /// What is known of each stream of the batch at hand.
    known: Vec<Known>,
}

/// Whether a stream has a lane.
#[derive(Debug, Clone, Copy)]
enum Known {
    /// Nobody has asked yet.
    Nothing,
    /// It has this one.
    Lane(usize),
    /// It has none: no part is of this stream.
    NoLane,
}

/// The parts of one stream, in order.
#[derive(Debug, Default)]
struct Lane {
    stretches: Vec<Stretch>,
    last: usize,
}

/// Where a part's records are, and which part it is.
#[derive(Debug)]
struct Stretch {
    from: u64,
    to: u64,
    part: usize,
}

impl<'a> Lanes<'a> {
    /// The lanes of parts with these relayed runs (`None` for the input's own) and extents.
    pub fn new(by: By, parts: impl Iterator<Item = (usize, Option<&'a str>, Extent)>) -> Self {
        let mut lanes = Self { by, rows: Vec::new(), relayed: BTreeMap::new(), own: None, known: Vec::new() };
        for (part, relayed, extent) in parts {
            let next = lanes.rows.len();
            let lane = match relayed {
                Some(run_id) => *lanes.relayed.entry(run_id.as_bytes()).or_insert(next),
                None => *lanes.own.get_or_insert(next),
            };
            if lane == next {
                lanes.rows.push(Lane::default());
            }
            let (from, to) = match by {
                By::Offset => (extent.start, extent.end),
                By::Record => (extent.record, extent.record + extent.n_events),
            };
            if let Some(lane) = lanes.rows.get_mut(lane) {
                lane.stretches.push(Stretch { from, to, part });
            }
        }
        for lane in &mut lanes.rows {
            lane.stretches.sort_by_key(|stretch| stretch.from);
        }
        lanes
    }

    /// Says that another batch begins, with so many relayed streams.
    pub fn next_batch(&mut self, streams: usize) {
        self.known.clear();
        self.known.resize(streams + 1, Known::Nothing);
    }

    /// The part of the record at this byte, with this number, of this stream of the batch. `run_id`
    /// tells the id of a relayed stream.
    pub fn part<'b>(
        &mut self,
        (offset, record): (u64, u64),
        stream: u32,
        run_id: impl Fn() -> Option<&'b [u8]>,
    ) -> Option<usize> {
        let slot = self.known.get_mut(stream as usize)?;
        if matches!(slot, Known::Nothing) {
            let lane = if stream == 0 { self.own } else { self.relayed.get(run_id()?).copied() };
            *slot = lane.map_or(Known::NoLane, Known::Lane);
        }
        let Known::Lane(lane) = *slot else { return None };
        let at = match self.by {
            By::Offset => offset,
            By::Record => record,
        };
        self.rows.get_mut(lane)?.part(at)
    }
}

impl Lane {
    fn part(&mut self, at: u64) -> Option<usize> {
        // Most often the same as for the record before.
        let next = self.stretches.get(self.last + 1);
        let is_last = self.stretches.get(self.last).is_some_and(|last| last.from <= at)
            && next.is_none_or(|next| at < next.from);
        if !is_last {
            self.last = self.stretches.partition_point(|stretch| stretch.from <= at).checked_sub(1)?;
        }
        self.stretches.get(self.last).filter(|stretch| at < stretch.to).map(|stretch| stretch.part)
    }
}
