//! The report as the sections look at it: runs by platform and kind, and their buckets.

use std::collections::BTreeMap;

use logmill_analyze::model::{Run, Step};
use logmill_analyze::rates::auto_starts;
use logmill_analyze::{Bucket, Buckets, Report};
use logmill_parse::{Kind, Micros, Platform};

use crate::chart::Slot;
use crate::figures::Clock;
use crate::outcome::Tally;

/// Bars of a drawing; more buckets than that are joined.
const MAX_SLOTS: usize = 100;

/// The report and what several sections need of it.
pub struct View<'a> {
    /// The report.
    pub report: &'a Report,
    /// The clock that instants follow.
    pub clock: Clock,
    /// Runs by platform and kind, in that order.
    pub species: Vec<Species>,
}

/// The runs of one platform and kind.
pub struct Species {
    /// Platform.
    pub platform: Platform,
    /// Kind of run.
    pub kind: Option<Kind>,
    /// All of them.
    pub tally: Tally,
    /// Those with a start, by time; every bucket is there.
    pub slots: Vec<Slot>,
}

impl Species {
    /// What they are called.
    pub fn name(&self) -> String {
        species_name(self.platform, self.kind)
    }
}

/// Platform, kind and group.
pub type GroupKey<'a> = (Platform, Option<Kind>, &'a str);

/// What runs of a platform and kind are called: `apify run`.
pub fn species_name(platform: Platform, kind: Option<Kind>) -> String {
    format!("{platform} {}", kind.map_or("run of unknown kind", Kind::as_str))
}

impl<'a> View<'a> {
    /// Looks at a report that was made with these buckets.
    pub fn of(report: &'a Report, buckets: Buckets) -> Self {
        let mut by_species: BTreeMap<(Platform, Option<Kind>), Tally> = BTreeMap::new();
        for rate in &report.rates {
            by_species.entry((rate.platform, rate.kind)).or_default().add(rate);
        }
        let species = by_species
            .into_iter()
            .map(|((platform, kind), tally)| {
                let runs =
                    || report.runs.iter().filter(move |run| run.platform == platform && run.kind == kind);
                Species { platform, kind, tally, slots: slots(runs, report, buckets) }
            })
            .collect();
        Self { report, clock: Clock(buckets.zone), species }
    }

    /// All runs.
    pub fn tally(&self) -> Tally {
        let mut all = Tally::default();
        for species in &self.species {
            all.join(&species.tally);
        }
        all
    }

    /// The steps of a run. They stand in the order of the runs.
    pub fn steps(&self, run: usize) -> &'a [Step] {
        let steps = self.report.steps.as_slice();
        let from = steps.partition_point(|step| step.run < run);
        let to = steps.partition_point(|step| step.run <= run);
        steps.get(from..to).unwrap_or_default()
    }
}

/// The buckets from the first of some runs to the last. Those that were asked for are the report's;
/// where the choice is free they suit these runs, whatever time the others span.
fn slots<'a, I>(runs: impl Fn() -> I, report: &Report, buckets: Buckets) -> Vec<Slot>
where
    I: Iterator<Item = &'a Run>,
{
    let instants = || runs().filter_map(|run| run.started_at);
    let (Some(first), Some(last)) = (instants().min(), instants().max()) else { return Vec::new() };
    let mut starts = match buckets.width {
        Bucket::Auto => auto_starts((first, last), buckets.zone, 1),
        Bucket::Width(_) => report.rates.iter().filter_map(|rate| rate.bucket_start).collect(),
    };
    starts.sort_unstable();
    starts.dedup();
    let from = starts.partition_point(|start| *start <= first).saturating_sub(1);
    let to = starts.partition_point(|start| *start <= last);
    // The bucket after the last one tells where that ends; else it is as long as the one before it.
    let width = |starts: &[Micros]| match starts {
        [.., one, last] => last.saturating_sub(*one),
        _ => 1,
    };
    let after = starts.get(to).copied();
    let starts = starts.get(from..to).unwrap_or_default();
    let end = after.or_else(|| starts.last().map(|last| last.saturating_add(width(starts))));
    let ends = starts.iter().skip(1).copied().chain(end);
    let mut slots: Vec<Slot> =
        starts.iter().zip(ends).map(|(&start, end)| Slot { start, end, tally: Tally::default() }).collect();
    for run in runs() {
        let Some(at) = run.started_at else { continue };
        let place = starts.partition_point(|start| *start <= at).saturating_sub(1);
        if let Some(slot) = slots.get_mut(place) {
            slot.tally.add_run(run);
        }
    }
    let at_once = slots.len().div_ceil(MAX_SLOTS).max(1);
    slots.chunks(at_once).filter_map(joined).collect()
}

/// One bucket of several.
fn joined(slots: &[Slot]) -> Option<Slot> {
    let (first, last) = (slots.first()?, slots.last()?);
    let mut tally = Tally::default();
    for slot in slots {
        tally.join(&slot.tally);
    }
    Some(Slot { start: first.start, end: last.end, tally })
}
