//! How often runs, events, requests and steps go wrong, per group and time bucket.
//!
//! Owns the time buckets and the Wilson interval. A run belongs to the bucket it started in,
//! with everything in it; which durations enter percentiles is told in [`crate::durations`].

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, LocalResult, NaiveDate, NaiveDateTime, NaiveTime, Offset, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;
use logmill_parse::time::DAY_US;
use logmill_parse::{Kind, Micros, Platform, Status};

use crate::durations::{counted, is_failed, nearest_rank};
use crate::model::{Rate, Run, Step};

/// Rows a rates table may have; a narrow bucket over a long time is refused beyond it.
pub const MAX_ROWS: u64 = 100_000;

/// Buckets that [`Bucket::Auto`] stays within.
const AUTO_BUCKETS: u64 = 60;

const DAY_MINUTES: u32 = 1440;
const MINUTE_US: i64 = 60_000_000;

/// 1970-01-05 was the first Monday of the epoch; whole-day buckets are counted from it.
const FIRST_MONDAY: i64 = 4;

/// Widths that `Auto` tries, in minutes, until the buckets are few enough; then it doubles the last.
const AUTO_MINUTES: [u32; 10] = [1, 5, 15, 30, 60, 180, 360, 720, DAY_MINUTES, 7 * DAY_MINUTES];

/// The widest `Auto` goes; it holds the whole accepted range of stamps a few times over.
const MAX_MINUTES: u32 = 7 * DAY_MINUTES * (1 << 17);

/// How wide the time buckets are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Bucket {
    /// The narrowest of 1m 5m 15m 30m 1h 3h 6h 12h 1d 1w 2w 4w … that needs no more than 60
    /// buckets, fewer where there are very many groups.
    #[default]
    Auto,
    /// This width.
    Width(Width),
}

/// A bucket width: minutes or hours that divide a day, or whole days.
///
/// Part-day buckets start at the wall clock's multiples of the width, so a 3 h bucket of a day
/// with a clock change holds two or four hours; widths up to an hour count a repeated hour
/// twice. Days start at local midnight, weeks on Monday; `Nd` and `Nw` count from Monday,
/// 5 January 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Width {
    minutes: u32,
}

/// A bucket width that could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BucketError {
    /// Not `auto` and not a number with a unit.
    Unreadable(String),
    /// Minutes or hours of which no whole number makes a day.
    Uneven(String),
}

impl fmt::Display for BucketError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable(found) => {
                write!(f, "expected auto or a width such as 15m, 1h, 1d or 1w, found {found:?}")
            }
            Self::Uneven(found) => write!(
                f,
                "expected minutes or hours that divide a day evenly (5m, 15m, 30m, 1h, 3h, 6h, 12h, …), found {found:?}"
            ),
        }
    }
}

impl std::error::Error for BucketError {}

/// The asked-for buckets would make too large a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooManyRows {
    /// Rows there would be, about.
    pub rows: u64,
    /// The width asked for.
    pub width: Width,
}

impl fmt::Display for TooManyRows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "expected at most {MAX_ROWS} rows of rates, found about {} with buckets of {}; take a wider bucket or auto",
            self.rows, self.width
        )
    }
}

impl std::error::Error for TooManyRows {}

/// `"auto" | [1-9][0-9]* ("m" | "h" | "d" | "w")`, without regard to case.
impl FromStr for Bucket {
    type Err = BucketError;

    fn from_str(text: &str) -> Result<Self, BucketError> {
        if text.eq_ignore_ascii_case("auto") {
            return Ok(Self::Auto);
        }
        let unreadable = || BucketError::Unreadable(text.chars().take(40).collect());
        let unit = match text.bytes().last().map(|unit| unit.to_ascii_lowercase()) {
            Some(b'm') => 1,
            Some(b'h') => 60,
            Some(b'd') => DAY_MINUTES,
            Some(b'w') => 7 * DAY_MINUTES,
            _ => return Err(unreadable()),
        };
        let digits = text.get(..text.len() - 1).filter(|d| d.bytes().all(|byte| byte.is_ascii_digit()));
        let count: u32 = digits.and_then(|digits| digits.parse().ok()).ok_or_else(unreadable)?;
        let minutes = count.checked_mul(unit).filter(|minutes| (1..=MAX_MINUTES).contains(minutes));
        let minutes = minutes.ok_or_else(unreadable)?;
        if !minutes.is_multiple_of(DAY_MINUTES) && !DAY_MINUTES.is_multiple_of(minutes) {
            return Err(BucketError::Uneven(text.to_owned()));
        }
        Ok(Self::Width(Width { minutes }))
    }
}

impl fmt::Display for Bucket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => f.write_str("auto"),
            Self::Width(width) => width.fmt(f),
        }
    }
}

impl fmt::Display for Width {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let units = [(7 * DAY_MINUTES, 'w'), (DAY_MINUTES, 'd'), (60, 'h'), (1, 'm')];
        let (unit, letter) =
            units.into_iter().find(|(unit, _)| self.minutes.is_multiple_of(*unit)).unwrap_or((1, 'm'));
        write!(f, "{}{letter}", self.minutes / unit)
    }
}

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
    let starts = starts(runs, bucket, zone, groups.len() as u64)?;
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

/// Where the buckets start, ascending, from the one of the first run to the one of the last.
fn starts(runs: &[Run], bucket: Bucket, zone: Tz, n_groups: u64) -> Result<Vec<Micros>, TooManyRows> {
    let times = || runs.iter().filter_map(|run| run.started_at);
    let (Some(first), Some(last)) = (times().min(), times().max()) else { return Ok(Vec::new()) };
    match bucket {
        Bucket::Auto => Ok(auto_starts((first, last), zone, n_groups)),
        Bucket::Width(width) => {
            let rows = width.least_buckets(first, last).saturating_mul(n_groups);
            if rows > MAX_ROWS {
                return Err(TooManyRows { rows, width });
            }
            let starts = width.starts(first, last, zone);
            let rows = (starts.len() as u64).saturating_mul(n_groups);
            if rows > MAX_ROWS { Err(TooManyRows { rows, width }) } else { Ok(starts) }
        }
    }
}

/// Where the buckets of [`Bucket::Auto`] start, ascending, from the one that holds `first` to the
/// one that holds `last`; fewer of them where there are very many groups.
#[must_use]
pub fn auto_starts((first, last): (Micros, Micros), zone: Tz, n_groups: u64) -> Vec<Micros> {
    let most = (MAX_ROWS / n_groups.max(1)).clamp(1, AUTO_BUCKETS);
    let doubled = std::iter::successors(Some(14 * DAY_MINUTES), |minutes| minutes.checked_mul(2));
    let mut widths = AUTO_MINUTES.into_iter().chain(doubled).map(|minutes| Width { minutes });
    loop {
        let width = widths.next().unwrap_or(Width { minutes: MAX_MINUTES });
        if width.minutes < MAX_MINUTES && width.least_buckets(first, last) > most {
            continue;
        }
        let starts = width.starts(first, last, zone);
        if width.minutes >= MAX_MINUTES || starts.len() as u64 <= most {
            return starts;
        }
    }
}

impl Width {
    /// About how many buckets the stretch takes: never more than there will be by more than a few
    /// short ones around clock changes. Cheap, so that nothing absurd is ever laid out.
    fn least_buckets(self, first: Micros, last: Micros) -> u64 {
        let width_us = i64::from(self.minutes) * MINUTE_US;
        u64::try_from(last.saturating_sub(first) / width_us).unwrap_or(0)
    }

    fn starts(self, first: Micros, last: Micros, zone: Tz) -> Vec<Micros> {
        let (first_day, last_day) = (local_day(first, zone), local_day(last, zone));
        let mut starts = if self.minutes >= DAY_MINUTES {
            let days = i64::from(self.minutes / DAY_MINUTES);
            let from = (first_day - FIRST_MONDAY).div_euclid(days) * days + FIRST_MONDAY;
            instants(from, last_day, days, &[0], zone, Repeated::Once)
        } else {
            let step = self.minutes.try_into().unwrap_or(1);
            let marks: Vec<u32> = (0..DAY_MINUTES).step_by(step).collect();
            let repeated = if self.minutes <= 60 { Repeated::Twice } else { Repeated::Once };
            instants(first_day, last_day, 1, &marks, zone, repeated)
        };
        starts.sort_unstable();
        starts.dedup();
        let before = starts.partition_point(|&start| start <= first).saturating_sub(1);
        starts.truncate(starts.partition_point(|&start| start <= last).max(1));
        starts.split_off(before.min(starts.len()))
    }
}

/// What becomes of a wall-clock time that occurs twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Repeated {
    /// A bucket starts at its first occurrence only.
    Once,
    /// A bucket starts at each.
    Twice,
}

/// The instants of the `marks` (minutes of the day) on every `stride`-th day.
fn instants(from: i64, to: i64, stride: i64, marks: &[u32], zone: Tz, repeated: Repeated) -> Vec<Micros> {
    let mut instants = Vec::new();
    let mut day = from;
    while day <= to {
        for &mark in marks {
            if let Some(local) = civil_time(day, mark) {
                add_instants(local, zone, repeated, &mut instants);
            }
        }
        day = day.saturating_add(stride);
    }
    instants
}

/// A time the clock jumps over becomes what it would have been by the clock before the jump:
/// the jump itself for a time at its start, an instant that is a mark anyway for the others.
fn add_instants(local: NaiveDateTime, zone: Tz, repeated: Repeated, instants: &mut Vec<Micros>) {
    match zone.from_local_datetime(&local) {
        LocalResult::Single(at) => instants.push(at.timestamp_micros()),
        LocalResult::Ambiguous(one, other) => {
            let (one, other) = (one.timestamp_micros(), other.timestamp_micros());
            instants.push(one.min(other));
            if repeated == Repeated::Twice {
                instants.push(one.max(other));
            }
        }
        LocalResult::None => {
            let day_before = local.checked_sub_signed(TimeDelta::days(1)).unwrap_or(local);
            let offset_s = zone.offset_from_utc_datetime(&day_before).fix().local_minus_utc();
            instants.push(local.and_utc().timestamp_micros() - i64::from(offset_s) * 1_000_000);
        }
    }
}

/// The day of an instant in the zone, counted from 1970-01-01.
fn local_day(at: Micros, zone: Tz) -> i64 {
    let offset_s = DateTime::<Utc>::from_timestamp_micros(at)
        .map_or(0, |utc| zone.offset_from_utc_datetime(&utc.naive_utc()).fix().local_minus_utc());
    at.saturating_add(i64::from(offset_s) * 1_000_000).div_euclid(DAY_US)
}

fn civil_time(day: i64, minute: u32) -> Option<NaiveDateTime> {
    let epoch = NaiveDate::default().and_time(NaiveTime::MIN);
    epoch.checked_add_signed(TimeDelta::try_days(day)? + TimeDelta::minutes(i64::from(minute)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{run, step};
    use chrono_tz::Europe::Prague;

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

    /// The bucket starts that runs at `times` get, by the zone's wall clock.
    fn local_starts(times: &[&str], width: &str, zone: Tz) -> Vec<String> {
        let runs: Vec<Run> = times.iter().map(|time| at(time, Status::Succeeded)).collect();
        let rows = rates(&runs, &[], bucket(width), zone).expect("few rows");
        let show = |start: Micros| {
            let utc = DateTime::<Utc>::from_timestamp_micros(start).expect("in range");
            utc.with_timezone(&zone).format("%m-%dT%H:%M%:z").to_string()
        };
        rows.iter().filter_map(|row| row.bucket_start.map(show)).collect()
    }

    #[track_caller]
    fn close(found: Option<f64>, expect: f64) {
        let found = found.expect("a rate");
        assert!((found - expect).abs() < 5e-5, "{found} is not {expect}");
    }

    #[test]
    fn widths_are_read_and_written() {
        for text in ["auto", "1m", "5m", "15m", "30m", "1h", "3h", "6h", "12h", "1d", "3d", "1w", "4w"] {
            assert_eq!(bucket(text).to_string(), text);
        }
        assert_eq!(bucket("60m"), bucket("1h"));
        assert_eq!(bucket("7D"), bucket("1W"));
        assert_eq!(bucket("24h"), bucket("1d"));
    }

    #[test]
    fn bad_widths_are_named() {
        for text in
            ["", "m", "0m", "1", "-1h", "+1h", "1.5h", "1s", "1mo", "99999999999w", "4294967295w", "1é", "é"]
        {
            let error = text.parse::<Bucket>().expect_err(text);
            assert_eq!(
                error.to_string(),
                format!("expected auto or a width such as 15m, 1h, 1d or 1w, found {text:?}")
            );
        }
        for text in ["7m", "5h", "36h", "1441m"] {
            let error = text.parse::<Bucket>().expect_err(text).to_string();
            assert!(error.starts_with("expected minutes or hours that divide a day evenly"), "{error}");
        }
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
    fn days_have_23_and_25_hours_in_prague() {
        let spring = local_starts(&["2024-03-30T12:00:00Z", "2024-04-01T12:00:00Z"], "1d", Prague);
        assert_eq!(spring, ["03-30T00:00+01:00", "03-31T00:00+01:00", "04-01T00:00+02:00"]);
        let autumn = local_starts(&["2024-10-26T22:00:00Z", "2024-10-27T23:00:00Z"], "1d", Prague);
        assert_eq!(autumn, ["10-27T00:00+02:00", "10-28T00:00+01:00"]);
        // 23:30 local on the short day still belongs to it.
        let late = local_starts(&["2024-03-31T21:30:00Z"], "1d", Prague);
        assert_eq!(late, ["03-31T00:00+01:00"]);
    }

    #[test]
    fn hours_around_clock_changes_in_prague() {
        let spring = local_starts(&["2024-03-31T00:10:00Z", "2024-03-31T02:10:00Z"], "1h", Prague);
        assert_eq!(spring, ["03-31T01:00+01:00", "03-31T03:00+02:00", "03-31T04:00+02:00"]);
        let autumn = local_starts(&["2024-10-27T00:10:00Z", "2024-10-27T02:10:00Z"], "1h", Prague);
        assert_eq!(autumn, ["10-27T02:00+02:00", "10-27T02:00+01:00", "10-27T03:00+01:00"]);
        let wide = local_starts(&["2024-10-26T22:10:00Z", "2024-10-27T03:10:00Z"], "3h", Prague);
        assert_eq!(wide, ["10-27T00:00+02:00", "10-27T03:00+01:00"]);
        // 02:00 does not exist: the bucket that would start there starts at the jump.
        let gap = local_starts(&["2024-03-30T23:10:00Z", "2024-03-31T02:10:00Z"], "2h", Prague);
        assert_eq!(gap, ["03-31T00:00+01:00", "03-31T03:00+02:00", "03-31T04:00+02:00"]);
    }

    #[test]
    fn weeks_start_on_monday() {
        // 2026-03-01 was a Sunday.
        let weeks = local_starts(&["2026-03-01T12:00:00Z", "2026-03-02T12:00:00Z"], "1w", Tz::UTC);
        assert_eq!(weeks, ["02-23T00:00+00:00", "03-02T00:00+00:00"]);
        let prague = local_starts(&["2026-03-01T22:59:59Z", "2026-03-01T23:00:00Z"], "1w", Prague);
        assert_eq!(prague, ["02-23T00:00+01:00", "03-02T00:00+01:00"]);
        let epoch = local_starts(&["1970-01-01T00:00:00Z"], "1w", Tz::UTC);
        assert_eq!(epoch, ["12-29T00:00+00:00"]);
    }

    #[test]
    fn hours_follow_the_clock_of_zones_off_by_half_an_hour() {
        let kolkata = local_starts(&["2026-03-01T00:20:00Z"], "1h", chrono_tz::Asia::Kolkata);
        assert_eq!(kolkata, ["03-01T05:00+05:30"]);
    }

    #[test]
    fn a_day_that_was_skipped_makes_no_bucket() {
        // Samoa had no 30 December 2011.
        let apia =
            local_starts(&["2011-12-29T12:00:00Z", "2011-12-30T12:00:00Z"], "1d", chrono_tz::Pacific::Apia);
        assert_eq!(apia, ["12-29T00:00-10:00", "12-31T00:00+14:00"]);
    }

    #[test]
    fn auto_stays_within_sixty_buckets() {
        let first = us("2024-01-01T00:00:00Z");
        for (span_s, expect) in [
            (0, "1m"),
            (59 * 60, "1m"),
            (60 * 60, "5m"),
            (59 * 3600, "1h"),
            (60 * 3600, "3h"),
            (59 * 86400, "1d"),
            (60 * 86400, "1w"),
            (500 * 86400, "2w"),
            (8000 * 86_400_i64, "32w"),
        ] {
            let mut last = run(Status::Succeeded, None);
            last.started_at = Some(first + span_s * 1_000_000);
            let runs = [Run { started_at: Some(first), ..last.clone() }, last];
            let auto = rates(&runs, &[], Bucket::Auto, Tz::UTC).expect("rows");
            assert_eq!(auto, rates(&runs, &[], bucket(expect), Tz::UTC).expect("rows"), "{span_s} s");
            assert!(auto.len() <= 60, "{span_s} s: {}", auto.len());
        }
        let runs = [at("1970-01-01T00:00:00Z", Status::Failed), at("9999-12-31T23:59:59Z", Status::Failed)];
        let rows = rates(&runs, &[], Bucket::Auto, Prague).expect("rows");
        assert!((2..=60).contains(&rows.len()), "{}", rows.len());
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
