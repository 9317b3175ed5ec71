//! Instants as people type them: `2026-01-31`, `2026-01-31 10:00`, `2026-01-31T10:00:00Z`, `-3h`, `7d`, `yesterday`.

use std::str::FromStr;

use chrono::{DateTime, Days, NaiveDate, NaiveDateTime, TimeDelta, TimeZone, Utc};
use logmill_parse::Micros;
use logmill_parse::time::rfc3339;

/// An instant, perhaps relative to now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// This instant.
    At(Micros),
    /// This date and time of day.
    Local(NaiveDateTime),
    /// Midnight that begins this day.
    Day(NaiveDate),
    /// Midnight that begins the day so many days before today.
    DaysAgo(u64),
    /// So long before now.
    Ago(TimeDelta),
}

impl FromStr for When {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let days_ago = match text {
            "today" => Some(0),
            "yesterday" => Some(1),
            _ => None,
        };
        if let Some(days) = days_ago {
            return Ok(Self::DaysAgo(days));
        }
        rfc3339(text)
            .map(Self::At)
            .or_else(|| local(text).map(Self::Local))
            .or_else(|| NaiveDate::parse_from_str(text, "%Y-%m-%d").ok().map(Self::Day))
            .or_else(|| ago(text.strip_prefix('-').unwrap_or(text)).map(Self::Ago))
            .ok_or_else(|| {
                "expected a time like 2026-01-31T10:00:00Z, a date like 2026-01-31, a span before now like 3h or 7d, `today` or `yesterday`".to_owned()
            })
    }
}

/// A time without a zone, as the summary prints it.
fn local(text: &str) -> Option<NaiveDateTime> {
    ["%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%dT%H:%M"]
        .iter()
        .find_map(|format| NaiveDateTime::parse_from_str(text, format).ok())
}

/// `30s`, `15m`, `3h`, `7d`, `2w`.
fn ago(text: &str) -> Option<TimeDelta> {
    let unit_at = text.find(|c: char| !c.is_ascii_digit())?;
    let (number, unit) = text.split_at(unit_at);
    let seconds: i64 = match unit {
        "s" => 1,
        "m" | "min" => 60,
        "h" => 3600,
        "d" => 86_400,
        "w" => 604_800,
        _ => return None,
    };
    TimeDelta::try_seconds(number.parse::<i64>().ok()?.checked_mul(seconds)?)
}

impl When {
    /// The instant, with `now` for what is relative, and days and times of day in `zone`.
    #[must_use]
    pub fn resolve(self, now: DateTime<Utc>, zone: chrono_tz::Tz) -> Option<Micros> {
        let there = |local: NaiveDateTime| {
            let at =
                zone.from_local_datetime(&local).earliest().unwrap_or_else(|| zone.from_utc_datetime(&local));
            at.timestamp_micros()
        };
        let midnight = |day: NaiveDate| day.and_hms_opt(0, 0, 0).map(there);
        match self {
            Self::At(instant) => Some(instant),
            Self::Local(local) => Some(there(local)),
            Self::Day(day) => midnight(day),
            Self::DaysAgo(days) => {
                midnight(now.with_timezone(&zone).date_naive().checked_sub_days(Days::new(days))?)
            }
            Self::Ago(span) => Some(now.checked_sub_signed(span)?.timestamp_micros()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, zone: chrono_tz::Tz, expect: &str) {
        let now = DateTime::parse_from_rfc3339("2026-03-30T01:30:00Z").expect("a time").to_utc();
        let when: When = text.parse().expect(text);
        let expect = DateTime::parse_from_rfc3339(expect).expect("a time").timestamp_micros();
        assert_eq!(when.resolve(now, zone), Some(expect), "{text}");
    }

    #[test]
    fn instants() {
        check("2026-01-31T10:00:00+01:00", chrono_tz::UTC, "2026-01-31T09:00:00Z");
        check("2026-01-31 10:00:00", chrono_tz::UTC, "2026-01-31T10:00:00Z");
        check("2026-01-31T10:00", chrono_tz::Europe::Prague, "2026-01-31T09:00:00Z");
        check("2026-01-31", chrono_tz::Europe::Prague, "2026-01-30T23:00:00Z");
        check("-3h", chrono_tz::UTC, "2026-03-29T22:30:00Z");
        check("7d", chrono_tz::UTC, "2026-03-23T01:30:00Z");
        check("yesterday", chrono_tz::UTC, "2026-03-29T00:00:00Z");
        // In Prague it is 03:30 of the 30th; clocks changed on the 29th at 02:00.
        check("yesterday", chrono_tz::Europe::Prague, "2026-03-28T23:00:00Z");
        check("today", chrono_tz::Europe::Prague, "2026-03-29T22:00:00Z");
    }

    #[test]
    fn refused() {
        for text in
            ["", "h", "3", "3y", "2026-02-30", "tomorrow", "99999999999999999999d", "2026-01-31T10:00:60Z"]
        {
            assert!(text.parse::<When>().is_err(), "{text}");
        }
    }
}
