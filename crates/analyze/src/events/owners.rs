//! Which step the events of a run fall in: the deepest, and of those the last.

use std::collections::BinaryHeap;
use std::ops::Range;

use crate::phases::StepDraft;

/// The steps of some of a run's events, to be asked for one event after the other.
///
/// Takes room for the steps of those events alone, however many these are and however many steps the run has: a
/// large run is told in many shares.
#[derive(Debug)]
pub struct Owners {
    /// Where another step begins, as the number of events before it.
    borders: Vec<(u64, Option<usize>)>,
    /// The border before the event that was asked for last.
    last: usize,
}

impl Owners {
    /// Of these events, by number, of a run with these steps.
    pub fn new(steps: &[StepDraft], events: &Range<u64>) -> Self {
        Self { borders: borders(steps, events), last: 0 }
    }

    /// The step of the event with so many before it.
    pub fn at(&mut self, before: u64) -> Option<usize> {
        // Most often the same as for the event before.
        let next = self.borders.get(self.last + 1);
        let is_last = self.borders.get(self.last).is_some_and(|(from, _)| *from <= before)
            && next.is_none_or(|(from, _)| before < *from);
        if !is_last {
            self.last = self.borders.partition_point(|(from, _)| *from <= before).checked_sub(1)?;
        }
        self.borders.get(self.last)?.1
    }
}

fn borders(steps: &[StepDraft], events: &Range<u64>) -> Vec<(u64, Option<usize>)> {
    let holds = |step: &StepDraft| step.events.0.max(events.start) < step.events.1.min(events.end);
    let mut starts: Vec<(u64, usize)> = (0..)
        .zip(steps)
        .filter(|(_, step)| holds(step))
        .map(|(index, step)| (step.events.0, index))
        .collect();
    starts.sort_unstable();
    let mut places: Vec<u64> =
        steps.iter().filter(|step| holds(step)).flat_map(|step| [step.events.0, step.events.1]).collect();
    places.sort_unstable();
    places.dedup();
    let mut starts = starts.into_iter().peekable();
    let mut open: BinaryHeap<(u8, usize)> = BinaryHeap::new();
    let mut borders: Vec<(u64, Option<usize>)> = Vec::new();
    for at in places {
        while let Some((_, index)) = starts.next_if(|(start, _)| *start <= at) {
            open.push((steps.get(index).map_or(0, |step| step.depth), index));
        }
        let is_over = |index: usize| steps.get(index).is_none_or(|step| step.events.1 <= at);
        while open.peek().is_some_and(|(_, index)| is_over(*index)) {
            open.pop();
        }
        let owner = open.peek().map(|(_, index)| *index);
        if borders.last().is_none_or(|(_, last)| *last != owner) {
            borders.push((at, owner));
        }
    }
    borders
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
        let mut owners = Owners::new(&steps, &(0..11));
        let found: Vec<Option<usize>> = (0..11).map(|before| owners.at(before)).collect();
        let at = |range: Range<usize>| found.get(range).unwrap_or_default().to_vec();
        assert_eq!(at(0..4), [None, Some(0), Some(1), Some(1)]);
        assert_eq!(at(4..8), [Some(2), Some(2), Some(0), Some(0)]);
        assert_eq!(at(8..11), [None, Some(4), Some(4)]);
        for (from, to) in (0..=11).flat_map(|from| (from..=11).map(move |to| (from, to))) {
            let mut some = Owners::new(&steps, &(from as u64..to as u64));
            let some: Vec<Option<usize>> = (from as u64..to as u64).map(|before| some.at(before)).collect();
            assert_eq!(some, at(from..to), "those of events {from} to {to}");
        }
    }

    #[test]
    fn events_may_be_asked_for_in_any_order() {
        let mut owners = Owners::new(&[step(0, (1, 3)), step(0, (3, 6))], &(0..7));
        assert_eq!(
            [4, 0, 2, 5, 1, 6, 3].map(|before| owners.at(before)),
            [Some(1), None, Some(0), Some(1), Some(0), None, Some(1)]
        );
        assert_eq!(Owners::new(&[], &(0..1)).at(0), None);
    }
}
