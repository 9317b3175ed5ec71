//! How long runs and their steps took: exact order statistics per group, step and outcome.
//!
//! Owns the rule which durations count and the nearest-rank percentile. How a run and its
//! steps come about is the assembly's business, time buckets are those of [`crate::rates`].

use std::collections::BTreeMap;

use logmill_parse::{Kind, Platform, Status};

use crate::model::{Duration, OutcomeFilter, Run, Step};

/// Platform, kind and group; the order of the table's rows.
type GroupKey<'a> = (Platform, Option<Kind>, &'a str);

/// Whose durations a row tells: the step (`None` = the whole run) of which group.
type Key<'a> = (GroupKey<'a>, Option<&'a str>);

fn group_key(run: &Run) -> GroupKey<'_> {
    (run.platform, run.kind, run.group.as_str())
}

/// The durations of a group's runs and of their steps by name.
#[derive(Debug, Default)]
struct Group<'a> {
    runs: Sample,
    steps: BTreeMap<&'a str, Sample>,
}

impl<'a> Group<'a> {
    fn rows(self, key: GroupKey<'a>) -> impl Iterator<Item = Duration> {
        let steps = self.steps.into_iter().map(|(name, sample)| (Some(name), sample));
        std::iter::once((None, self.runs))
            .chain(steps)
            .flat_map(move |(step, sample)| sample.rows((key, step)))
    }
}

/// Durations per platform, kind and group: of whole runs, then of each step name at depth 0.
///
/// A duration counts if its run is complete and has a known end (any status but `running` and
/// `unknown`) and both of its instants are known; every other one is in `n_incomplete`. A step
/// that stands several times in a run counts each time. Whether a step belongs to `succeeded`
/// or `failed` is told by its own status, or by its run's where its own is unknown; `failed`
/// includes what timed out, and what was aborted or skipped is in `all` only.
///
/// Durations are taken as they are: zero is a duration, and a negative one (a source whose stop
/// lies before its start) is the smallest. Every key has its three rows, with `n` = 0 and nulls
/// where nothing counts.
#[must_use]
pub fn durations(runs: &[Run], steps: &[Step]) -> Vec<Duration> {
    let mut groups: BTreeMap<GroupKey<'_>, Group<'_>> = BTreeMap::new();
    for run in runs {
        let group = groups.entry(group_key(run)).or_default();
        group.runs.add(run.status, counted(run, run.duration_ms));
    }
    for steps in steps.chunk_by(|one, next| one.run == next.run) {
        let Some(run) = steps.first().and_then(|step| runs.get(step.run)) else { continue };
        let group = groups.entry(group_key(run)).or_default();
        for step in steps.iter().filter(|step| step.depth == 0) {
            let status = if is_known(step.status) { step.status } else { run.status };
            group.steps.entry(&*step.name).or_default().add(status, counted(run, step.duration_ms));
        }
    }
    groups.into_iter().flat_map(|(key, group)| group.rows(key)).collect()
}

/// `duration_ms` if it may enter percentiles: its run is complete and has a known end.
#[must_use]
pub fn counted(run: &Run, duration_ms: Option<i64>) -> Option<i64> {
    duration_ms.filter(|_| run.complete && is_known(run.status))
}

/// Whether the status says how it ended.
const fn is_known(status: Status) -> bool {
    !matches!(status, Status::Running | Status::Unknown)
}

/// Whether a run or step of this status counts as failed in rates and durations.
#[must_use]
pub const fn is_failed(status: Status) -> bool {
    matches!(status, Status::Failed | Status::TimedOut)
}

/// The durations of one key, by outcome.
#[derive(Debug, Default)]
struct Sample {
    all: Outcome,
    succeeded: Outcome,
    failed: Outcome,
}

#[derive(Debug, Default)]
struct Outcome {
    durations_ms: Vec<i64>,
    n_incomplete: u64,
}

impl Sample {
    fn add(&mut self, status: Status, duration_ms: Option<i64>) {
        self.all.add(duration_ms);
        if status == Status::Succeeded {
            self.succeeded.add(duration_ms);
        } else if is_failed(status) {
            self.failed.add(duration_ms);
        }
    }

    fn rows(self, key: Key<'_>) -> [Duration; 3] {
        [
            self.all.row(key, OutcomeFilter::All),
            self.succeeded.row(key, OutcomeFilter::Succeeded),
            self.failed.row(key, OutcomeFilter::Failed),
        ]
    }
}

impl Outcome {
    fn add(&mut self, duration_ms: Option<i64>) {
        match duration_ms {
            Some(duration_ms) => self.durations_ms.push(duration_ms),
            None => self.n_incomplete += 1,
        }
    }

    fn row(mut self, key: Key<'_>, outcome: OutcomeFilter) -> Duration {
        let ((platform, kind, group), step) = key;
        self.durations_ms.sort_unstable();
        let sorted = self.durations_ms.as_slice();
        let total: i128 = sorted.iter().map(|&duration_ms| i128::from(duration_ms)).sum();
        Duration {
            platform,
            kind,
            group: group.to_owned(),
            step: step.map(str::to_owned),
            outcome,
            n: sorted.len() as u64,
            n_incomplete: self.n_incomplete,
            min_ms: sorted.first().copied(),
            p50_ms: nearest_rank(sorted, 50),
            p90_ms: nearest_rank(sorted, 90),
            p95_ms: nearest_rank(sorted, 95),
            p99_ms: nearest_rank(sorted, 99),
            max_ms: sorted.last().copied(),
            mean_ms: (!sorted.is_empty()).then(|| total as f64 / sorted.len() as f64),
            total_ms: (!sorted.is_empty()).then(|| saturated(total)),
        }
    }
}

/// A sum of durations as the table holds it; past 292 million years it stays at the bound.
fn saturated(total: i128) -> i64 {
    i64::try_from(total).unwrap_or(if total < 0 { i64::MIN } else { i64::MAX })
}

/// The value of rank ⌈percent · n / 100⌉, counted from 1, of an ascending slice.
///
/// In integers, so that no rounding of `0.95 * n` can pick the neighbour.
#[must_use]
pub fn nearest_rank(sorted: &[i64], percent: usize) -> Option<i64> {
    let rank = (percent * sorted.len()).div_ceil(100).max(1);
    sorted.get(rank - 1).copied()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{run, step};

    fn find<'a>(rows: &'a [Duration], step: Option<&str>, outcome: OutcomeFilter) -> &'a Duration {
        rows.iter().find(|row| row.step.as_deref() == step && row.outcome == outcome).expect("row")
    }

    #[test]
    fn nothing_gives_no_rows() {
        assert_eq!(durations(&[], &[]), []);
        assert_eq!(
            durations(&[], &[step(0, "pull", Status::Succeeded, Some(5))]),
            [],
            "a step without its run"
        );
    }

    #[test]
    fn percentiles_are_order_statistics() {
        // 1..=20 shuffled: ranks 10, 18, 19, ⌈19.8⌉ = 20.
        let runs: Vec<Run> = (1..=20).map(|i| run(Status::Succeeded, Some(i * 8 % 21))).collect();
        let rows = durations(&runs, &[]);
        let all = find(&rows, None, OutcomeFilter::All);
        assert_eq!((all.n, all.min_ms, all.max_ms), (20, Some(1), Some(20)));
        assert_eq!((all.p50_ms, all.p90_ms), (Some(10), Some(18)));
        assert_eq!((all.p95_ms, all.p99_ms), (Some(19), Some(20)));
        assert_eq!((all.total_ms, all.mean_ms), (Some(210), Some(10.5)));
        assert_eq!(rows.len(), 3, "one key, three outcomes");
    }

    #[test]
    fn ranks_need_no_floating_point() {
        // 0.95 * 100 in floating point may be 95.00000000000001, whose ceiling is 96.
        let hundred: Vec<i64> = (1..=100).collect();
        for percent in [50, 90, 95, 99] {
            assert_eq!(nearest_rank(&hundred, percent), i64::try_from(percent).ok());
        }
        assert_eq!(nearest_rank(&[], 50), None);
        assert_eq!(nearest_rank(&[3, 9], 50), Some(3));
        assert_eq!(nearest_rank(&[3, 9], 90), Some(9));
    }

    #[test]
    fn a_single_run_is_its_own_percentile() {
        let rows = durations(&[run(Status::TimedOut, Some(4200))], &[]);
        for outcome in [OutcomeFilter::All, OutcomeFilter::Failed] {
            let row = find(&rows, None, outcome);
            assert_eq!((row.n, row.min_ms, row.p50_ms, row.p99_ms), (1, Some(4200), Some(4200), Some(4200)));
        }
        let none = find(&rows, None, OutcomeFilter::Succeeded);
        assert_eq!(
            (none.n, none.n_incomplete, none.min_ms, none.mean_ms, none.total_ms),
            (0, 0, None, None, None)
        );
    }

    #[test]
    fn what_does_not_count_is_counted_apart() {
        let cut = Run { complete: false, ..run(Status::Failed, Some(50)) };
        let runs = [
            run(Status::Succeeded, Some(10)),
            run(Status::Running, Some(20)),
            run(Status::Unknown, Some(30)),
            run(Status::Succeeded, None),
            cut,
            run(Status::Aborted, Some(60)),
            run(Status::Skipped, Some(0)),
        ];
        let rows = durations(&runs, &[]);
        let all = find(&rows, None, OutcomeFilter::All);
        assert_eq!((all.n, all.n_incomplete, all.total_ms), (3, 4, Some(70)));
        let succeeded = find(&rows, None, OutcomeFilter::Succeeded);
        assert_eq!((succeeded.n, succeeded.n_incomplete, succeeded.total_ms), (1, 1, Some(10)));
        let failed = find(&rows, None, OutcomeFilter::Failed);
        assert_eq!((failed.n, failed.n_incomplete, failed.p50_ms), (0, 1, None));
    }

    #[test]
    fn zero_and_negative_durations_are_durations() {
        let runs = [-5, 0, 0].map(|duration_ms| run(Status::Succeeded, Some(duration_ms)));
        let rows = durations(&runs, &[]);
        let all = find(&rows, None, OutcomeFilter::All);
        assert_eq!(
            (all.min_ms, all.p50_ms, all.max_ms, all.total_ms),
            (Some(-5), Some(0), Some(0), Some(-5))
        );
        assert_eq!(all.mean_ms, Some(-5.0 / 3.0));
    }

    #[test]
    fn sums_stay_at_their_bound() {
        let runs = [i64::MAX, i64::MAX].map(|duration_ms| run(Status::Succeeded, Some(duration_ms)));
        assert_eq!(find(&durations(&runs, &[]), None, OutcomeFilter::All).total_ms, Some(i64::MAX));
    }

    #[test]
    fn steps_count_each_time_and_by_their_own_status() {
        let runs = [run(Status::Failed, Some(100)), run(Status::Unknown, Some(100))];
        let deep = Step { depth: 1, ..step(0, "deep", Status::Succeeded, Some(1)) };
        let steps = [
            step(0, "fetch", Status::Succeeded, Some(10)),
            step(0, "fetch", Status::Succeeded, Some(30)),
            step(0, "fetch", Status::Failed, Some(20)),
            step(0, "store", Status::Unknown, Some(7)),
            step(0, "store", Status::Unknown, None),
            step(1, "store", Status::Succeeded, Some(9)),
            deep,
        ];
        let rows = durations(&runs, &steps);
        let names: Vec<_> = rows.iter().map(|row| row.step.as_deref()).collect();
        let expect = [[None; 3], [Some("fetch"); 3], [Some("store"); 3]].concat();
        assert_eq!(names, expect, "whole runs first, nothing from below depth 0");
        let fetch = |outcome| find(&rows, Some("fetch"), outcome);
        assert_eq!((fetch(OutcomeFilter::All).n, fetch(OutcomeFilter::All).p50_ms), (3, Some(20)));
        assert_eq!(fetch(OutcomeFilter::Succeeded).total_ms, Some(40));
        assert_eq!(fetch(OutcomeFilter::Failed).total_ms, Some(20));
        // The unknown step takes its run's failure; the run of unknown end takes its step along.
        let store = |outcome| find(&rows, Some("store"), outcome);
        assert_eq!((store(OutcomeFilter::All).n, store(OutcomeFilter::All).n_incomplete), (1, 2));
        assert_eq!((store(OutcomeFilter::Failed).n, store(OutcomeFilter::Failed).n_incomplete), (1, 1));
        assert_eq!((store(OutcomeFilter::Succeeded).n, store(OutcomeFilter::Succeeded).n_incomplete), (0, 1));
    }

    #[test]
    fn groups_and_kinds_stay_apart_and_sorted() {
        let of = |platform, kind, group: &str| Run {
            platform,
            kind,
            group: group.to_owned(),
            ..run(Status::Succeeded, Some(1))
        };
        let runs = [
            of(Platform::Cloudflare, Some(Kind::Build), "a"),
            of(Platform::Apify, Some(Kind::Run), "b"),
            of(Platform::Apify, Some(Kind::Build), "b"),
            of(Platform::Apify, Some(Kind::Run), "a"),
            of(Platform::Apify, None, "z"),
        ];
        let keys: Vec<_> = durations(&runs, &[])
            .iter()
            .filter(|row| row.outcome == OutcomeFilter::All)
            .map(|row| (row.platform, row.kind, row.group.clone()))
            .collect();
        let mut sorted = keys.clone();
        sorted.sort();
        assert_eq!(keys, sorted);
        assert_eq!(keys.len(), 5);
    }
}
