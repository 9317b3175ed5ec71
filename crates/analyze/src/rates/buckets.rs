//! Time buckets: how wide they are, and where they start by the clock of a zone.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, LocalResult, NaiveDate, NaiveDateTime, NaiveTime, Offset, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;
use logmill_parse::Micros;
use logmill_parse::time::DAY_US;

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

/// Where the buckets start, ascending, from the one that holds `first` to the one that holds `last`.
///
/// # Errors
///
/// With an explicit width of which the table of so many groups would have more than [`MAX_ROWS`] rows.
pub fn starts(
    bucket: Bucket,
    (first, last): (Micros, Micros),
    zone: Tz,
    n_groups: u64,
) -> Result<Vec<Micros>, TooManyRows> {
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
    use chrono_tz::Europe::Prague;

    #[track_caller]
    fn us(text: &str) -> Micros {
        logmill_parse::time::rfc3339(text).expect("a stamp")
    }

    #[track_caller]
    fn bucket(text: &str) -> Bucket {
        text.parse().expect("a width")
    }

    /// The buckets from the first to the last of `times`, by the zone's wall clock.
    fn local_starts(times: &[&str], width: &str, zone: Tz) -> Vec<String> {
        let times: Vec<Micros> = times.iter().map(|time| us(time)).collect();
        let span = (times[0], times[times.len() - 1]);
        let show = |start: Micros| {
            let utc = DateTime::<Utc>::from_timestamp_micros(start).expect("in range");
            utc.with_timezone(&zone).format("%m-%dT%H:%M%:z").to_string()
        };
        starts(bucket(width), span, zone, 1).expect("few rows").into_iter().map(show).collect()
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
            let span = (first, first + span_s * 1_000_000);
            let auto = starts(Bucket::Auto, span, Tz::UTC, 1).expect("few rows");
            assert_eq!(auto, starts(bucket(expect), span, Tz::UTC, 1).expect("few rows"), "{span_s} s");
            assert!(auto.len() <= 60, "{span_s} s: {}", auto.len());
        }
        let ages = (us("1970-01-01T00:00:00Z"), us("9999-12-31T23:59:59Z"));
        let auto = starts(Bucket::Auto, ages, Prague, 1).expect("few rows");
        assert!((2..=60).contains(&auto.len()), "{}", auto.len());
    }
}
