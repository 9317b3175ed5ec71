//! How often runs, events, requests and steps go wrong, per group and time bucket.
//!
//! Owns the counts and the Wilson interval; where the buckets start is told in `rates/buckets.rs`. A run belongs to
//! the bucket it started in, with everything in it; which durations enter percentiles is told in
//! [`crate::durations`].

mod buckets;

use std::collections::BTreeMap;

use chrono_tz::Tz;
use logmill_parse::{Kind, Micros, Platform, Status};

pub use self::buckets::{Bucket, BucketError, MAX_ROWS, TooManyRows, Width, auto_starts};
use crate::durations::{counted, is_failed, nearest_rank};
use crate::model::{Rate, Run, Step};

/// Rates per platform, kind and group for every bucket from the first run of all to the last.
///
/// A group without runs in a bucket has a row of zeros and nulls there. Runs without a start
/// stand in a last row of their group, whose `bucket_start` is `None`; it is there only if the
/// group has such runs. Rates are null where there is nothing to divide; aborted, skipped,
/// running and unknown runs are in no rate. A failed step is one that failed or timed out, over
/// all steps at depth 0. Counts are integers until the one division.
///
/// # Errors
/// With an explicit width of which the table would have more than [`MAX_ROWS`] rows.
pub fn rates(runs: &[Run], steps: &[Step], bucket: Bucket, zone: Tz) -> Result<Vec<Rate>, TooManyRows> {
    let groups = groups(runs);
    let starts = match span(runs) {
        Some(span) => buckets::starts(bucket, span, zone, groups.len() as u64)?,
        None => Vec::new(),
    };
    let mut cells: Vec<Cell> = Vec::new();
    cells.resize_with(groups.len() * (starts.len() + 1), Cell::default);
    let places: Vec<usize> = runs.iter().map(|run| place(run, &groups, &starts)).collect();
    for (run, &place) in runs.iter().zip(&places) {
        if let Some(cell) = cells.get_mut(place) {
            cell.add_run(run);
        }
    }
    for step in steps.iter().filter(|step| step.depth == 0) {
        if let Some(cell) = places.get(step.run).and_then(|&place| cells.get_mut(place)) {
            cell.add_step(step);
        }
    }
    Ok(rows(&groups, &starts, &mut cells))
}

/// Platform, kind and group; the order of the table's rows.
type Key<'a> = (Platform, Option<Kind>, &'a str);

fn key(run: &Run) -> Key<'_> {
    (run.platform, run.kind, run.group.as_str())
}

/// Every key with its place in the order.
fn groups(runs: &[Run]) -> BTreeMap<Key<'_>, usize> {
    let mut groups: BTreeMap<Key<'_>, usize> = runs.iter().map(|run| (key(run), 0)).collect();
    for (index, place) in groups.values_mut().enumerate() {
        *place = index;
    }
    groups
}

/// Where a run's cell is: group by group, each with its buckets and one more for runs without a start.
fn place(run: &Run, groups: &BTreeMap<Key<'_>, usize>, starts: &[Micros]) -> usize {
    let column = match run.started_at {
        Some(at) => starts.partition_point(|&start| start <= at).saturating_sub(1),
        None => starts.len(),
    };
    groups.get(&key(run)).map_or(usize::MAX, |group| group * (starts.len() + 1) + column)
}

fn rows(groups: &BTreeMap<Key<'_>, usize>, starts: &[Micros], cells: &mut [Cell]) -> Vec<Rate> {
    let columns = starts.len() + 1;
    let mut rows = Vec::with_capacity(cells.len());
    for (key, cells) in groups.keys().zip(cells.chunks_mut(columns)) {
        for (column, cell) in cells.iter_mut().enumerate() {
            let bucket_start = starts.get(column).copied();
            if bucket_start.is_some() || cell.n_runs > 0 {
                rows.push(cell.row(*key, bucket_start));
            }
        }
    }
    rows
}

/// What is counted for one group in one bucket.
#[derive(Debug, Default)]
struct Cell {
    n_runs: u64,
    n_succeeded: u64,
    n_failed: u64,
    n_timed_out: u64,
    n_aborted: u64,
    n_unknown: u64,
    n_events: u64,
    n_errors: u64,
    n_requests: u64,
    n_failed_requests: u64,
    n_steps: u64,
    n_failed_steps: u64,
    durations_ms: Vec<i64>,
}

impl Cell {
    fn add_run(&mut self, run: &Run) {
        self.n_runs += 1;
        *match run.status {
            Status::Succeeded => &mut self.n_succeeded,
            Status::Failed => &mut self.n_failed,
            Status::TimedOut => &mut self.n_timed_out,
            Status::Aborted | Status::Skipped => &mut self.n_aborted,
            Status::Running | Status::Unknown => &mut self.n_unknown,
        } += 1;
        self.n_events += run.n_events;
        self.n_errors += run.n_errors;
        // Figures a log states are not to be trusted to add up; a sum that overflows stays at its bound.
        let failed = run.requests_failed.unwrap_or(0);
        let all = run.requests_finished.unwrap_or(0).saturating_add(failed);
        self.n_failed_requests = self.n_failed_requests.saturating_add(failed);
        self.n_requests = self.n_requests.saturating_add(all);
        self.durations_ms.extend(counted(run, run.duration_ms));
    }

    fn add_step(&mut self, step: &Step) {
        self.n_steps += 1;
        self.n_failed_steps += u64::from(is_failed(step.status));
    }

    fn row(&mut self, (platform, kind, group): Key<'_>, bucket_start: Option<Micros>) -> Rate {
        self.durations_ms.sort_unstable();
        let n_bad = self.n_failed + self.n_timed_out;
        let n_ended = self.n_succeeded + n_bad;
        let interval = wilson(n_bad, n_ended);
        Rate {
            platform,
            kind,
            group: group.to_owned(),
            bucket_start,
            n_runs: self.n_runs,
            n_succeeded: self.n_succeeded,
            n_failed: self.n_failed,
            n_timed_out: self.n_timed_out,
            n_aborted: self.n_aborted,
            n_unknown: self.n_unknown,
            run_failure_rate: ratio(n_bad, n_ended),
            run_failure_rate_low: interval.map(|(low, _)| low),
            run_failure_rate_high: interval.map(|(_, high)| high),
            n_events: self.n_events,
            n_errors: self.n_errors,
            error_rate: ratio(self.n_errors, self.n_events),
            n_requests: self.n_requests,
            request_failure_rate: ratio(self.n_failed_requests, self.n_requests),
            n_steps: self.n_steps,
            step_failure_rate: ratio(self.n_failed_steps, self.n_steps),
            p50_ms: nearest_rank(&self.durations_ms, 50),
            p95_ms: nearest_rank(&self.durations_ms, 95),
        }
    }
}

fn ratio(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

/// The Wilson score interval at 95 % for `hits` of `n`; `None` for no trials.
///
/// (2k + z² ± z·√(z² + 4k(n − k)/n)) / 2(n + z²), Wilson 1927. The ends that are exactly 0 and
/// 1 by the formula are set, because the square root of z² may miss z by a bit.
#[must_use]
pub fn wilson(hits: u64, n: u64) -> Option<(f64, f64)> {
    const Z: f64 = 1.959_963_984_540_054;
    if n == 0 || hits > n {
        return None;
    }
    let spread = (4 * u128::from(hits) * u128::from(n - hits)) as f64 / n as f64;
    let half = Z * (Z * Z + spread).sqrt();
    let (middle, below) = ((2 * u128::from(hits)) as f64 + Z * Z, 2.0 * (n as f64 + Z * Z));
    let low = if hits == 0 { 0.0 } else { (middle - half) / below };
    let high = if hits == n { 1.0 } else { (middle + half) / below };
    Some((low, high))
}

/// When the first and the last run started.
fn span(runs: &[Run]) -> Option<(Micros, Micros)> {
    let times = || runs.iter().filter_map(|run| run.started_at);
    Some((times().min()?, times().max()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{run, step};

    #[track_caller]
    fn us(text: &str) -> Micros {
        logmill_parse::time::rfc3339(text).expect("a stamp")
    }

    fn at(text: &str, status: Status) -> Run {
        Run { started_at: Some(us(text)), ..run(status, Some(1000)) }
    }

    #[track_caller]
    fn bucket(text: &str) -> Bucket {
        text.parse().expect("a width")
    }

    #[track_caller]
    fn close(found: Option<f64>, expect: f64) {
        let found = found.expect("a rate");
        assert!((found - expect).abs() < 5e-5, "{found} is not {expect}");
    }

    #[test]
    fn wilson_matches_published_values() {
        // Newcombe 1998, table I, and the usual textbook figures to four places.
        for (hits, n, low, high) in [
            (0, 10, 0.0, 0.2775),
            (5, 10, 0.2366, 0.7634),
            (10, 10, 0.7225, 1.0),
            (81, 263, 0.2553, 0.3662),
            (15, 148, 0.0624, 0.1605),
            (0, 20, 0.0, 0.1611),
            (1, 29, 0.0061, 0.1718),
        ] {
            let (found_low, found_high) = wilson(hits, n).expect("trials");
            close(Some(found_low), low);
            close(Some(found_high), high);
        }
        assert_eq!(wilson(0, 10).map(|(low, _)| low), Some(0.0), "exactly");
        assert_eq!(wilson(10, 10).map(|(_, high)| high), Some(1.0), "exactly");
        assert_eq!(wilson(0, 0), None);
        assert!(wilson(u64::MAX / 2, u64::MAX).is_some(), "no overflow");
    }

    #[test]
    fn nothing_gives_no_rows() {
        assert_eq!(rates(&[], &[], Bucket::Auto, Tz::UTC), Ok(Vec::new()));
    }

    #[test]
    fn outcomes_are_counted_apart() {
        let statuses = [
            Status::Succeeded,
            Status::Succeeded,
            Status::Succeeded,
            Status::Failed,
            Status::TimedOut,
            Status::Aborted,
            Status::Skipped,
            Status::Running,
            Status::Unknown,
        ];
        let runs: Vec<Run> = statuses
            .iter()
            .zip(1..)
            .map(|(&status, ms)| Run {
                n_events: 10,
                n_errors: 1,
                requests_finished: Some(6),
                requests_failed: Some(2),
                ..run(status, Some(ms * 100))
            })
            .collect();
        let steps = [
            step(0, "a", Status::Succeeded, None),
            step(3, "a", Status::Failed, None),
            step(4, "a", Status::TimedOut, None),
            step(5, "a", Status::Unknown, None),
            Step { depth: 1, ..step(3, "b", Status::Failed, None) },
            step(99, "no such run", Status::Failed, None),
        ];
        let rows = rates(&runs, &steps, bucket("1h"), Tz::UTC).expect("one row");
        let [row] = rows.as_slice() else { panic!("one row, found {}", rows.len()) };
        assert_eq!((row.bucket_start, row.n_runs), (Some(0), 9));
        assert_eq!((row.n_succeeded, row.n_failed, row.n_timed_out), (3, 1, 1));
        assert_eq!((row.n_aborted, row.n_unknown), (2, 2));
        assert_eq!(row.run_failure_rate, Some(0.4));
        // 2 of 5: centre (4 + 3.8415) / (2 · 8.8415) = 0.4434, half 1.96 · √(3.8415 + 4.8) / 17.683 = 0.3258.
        close(row.run_failure_rate_low, 0.1176);
        close(row.run_failure_rate_high, 0.7693);
        assert_eq!((row.n_events, row.n_errors, row.error_rate), (90, 9, Some(0.1)));
        assert_eq!((row.n_requests, row.request_failure_rate), (72, Some(0.25)));
        assert_eq!((row.n_steps, row.step_failure_rate), (4, Some(0.5)));
        // Durations 100..=700 count; running and unknown do not.
        assert_eq!((row.p50_ms, row.p95_ms), (Some(400), Some(700)));
    }

    #[test]
    fn all_failed_is_one_and_none_ended_is_null() {
        let rows = rates(&[run(Status::Failed, None)], &[], Bucket::Auto, Tz::UTC).expect("rows");
        assert_eq!(rows.iter().map(|row| row.run_failure_rate).collect::<Vec<_>>(), [Some(1.0)]);
        assert_eq!(rows.first().and_then(|row| row.p50_ms), None);
        let rows = rates(&[run(Status::Unknown, Some(1))], &[], Bucket::Auto, Tz::UTC).expect("rows");
        let row = rows.first().expect("a row");
        assert_eq!((row.run_failure_rate, row.run_failure_rate_low, row.error_rate), (None, None, None));
        assert_eq!((row.request_failure_rate, row.step_failure_rate, row.p95_ms), (None, None, None));
    }

    #[test]
    fn quiet_buckets_are_rows_of_every_group() {
        let other = Run { group: "h".to_owned(), ..at("2026-03-02T10:30:00Z", Status::Failed) };
        let runs = [at("2026-03-02T08:59:59.999999Z", Status::Succeeded), other];
        let rows = rates(&runs, &[], bucket("1h"), Tz::UTC).expect("rows");
        let found: Vec<_> = rows.iter().map(|r| (r.group.as_str(), r.bucket_start, r.n_runs)).collect();
        let hours = ["2026-03-02T08:00:00Z", "2026-03-02T09:00:00Z", "2026-03-02T10:00:00Z"].map(us);
        let expect: Vec<_> = [("g", [1, 0, 0]), ("h", [0, 0, 1])]
            .into_iter()
            .flat_map(|(group, n)| hours.into_iter().zip(n).map(move |(hour, n)| (group, Some(hour), n)))
            .collect();
        assert_eq!(found, expect);
        assert_eq!(rows.get(1).and_then(|row| row.run_failure_rate), None);
    }

    #[test]
    fn a_run_without_start_stands_last() {
        let lost = Run { started_at: None, ..run(Status::Failed, None) };
        let runs = [lost.clone(), at("2026-03-02T08:00:00Z", Status::Succeeded)];
        let rows = rates(&runs, &[], bucket("1d"), Tz::UTC).expect("rows");
        let found: Vec<_> = rows.iter().map(|row| (row.bucket_start, row.n_runs)).collect();
        assert_eq!(found, [(Some(us("2026-03-02T00:00:00Z")), 1), (None, 1)]);
        let rows = rates(&[lost], &[], Bucket::Auto, Tz::UTC).expect("rows");
        assert_eq!(rows.iter().map(|row| row.bucket_start).collect::<Vec<_>>(), [None]);
    }

    #[test]
    fn auto_has_fewer_buckets_for_many_groups() {
        let runs: Vec<Run> = (0..5000)
            .map(|i| Run {
                group: i.to_string(),
                started_at: Some(i * 3_600_000_000),
                ..run(Status::Failed, None)
            })
            .collect();
        let rows = rates(&runs, &[], Bucket::Auto, Tz::UTC).expect("rows");
        assert!(rows.len() as u64 <= MAX_ROWS, "{}", rows.len());
        assert_eq!(rows.iter().map(|row| row.n_runs).sum::<u64>(), 5000);
    }

    #[test]
    fn too_narrow_a_width_is_refused() {
        let runs = [at("1970-01-01T00:00:00Z", Status::Failed), at("2026-12-31T23:59:59Z", Status::Failed)];
        let error = rates(&runs, &[], bucket("1m"), Tz::UTC).expect_err("29 million rows");
        assert!(error.rows > 29_000_000, "{error}");
        assert!(error.to_string().ends_with("with buckets of 1m; take a wider bucket or auto"), "{error}");
        assert!(rates(&runs, &[], bucket("1d"), Tz::UTC).is_ok());
    }
}
