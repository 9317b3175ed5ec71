//! Instants: from the bytes of a stamp to microseconds since the Unix epoch.
//!
//! Owns the fixed-position reader for the stamp that makes up nearly all input
//! (`2025-01-31T23:59:59.123Z`) and the slower readers for everything else.
//! Time zones and calendars are chrono's.

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, Timelike};

/// Microseconds since 1970-01-01T00:00:00Z.
pub type Micros = i64;

/// Microseconds in a day.
pub const DAY_US: i64 = 86_400_000_000;

/// First instant accepted, 1970-01-01T00:00:00Z.
const MIN_US: Micros = 0;
/// First instant past the accepted range, 10000-01-01T00:00:00Z (four-digit years only).
const MAX_US: Micros = 253_402_300_800_000_000;

/// Reads stamps, remembering the last day seen: consecutive lines nearly always share it.
#[derive(Debug, Clone, Copy, Default)]
pub struct StampReader {
    day: [u8; 10],
    day_us: Micros,
}

/// A stamp and how many bytes it takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp {
    /// The instant.
    pub ts: Micros,
    /// Length of its text in bytes.
    pub len: usize,
}

impl StampReader {
    /// A reader that has seen no day yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The stamp at the start of `bytes`: `YYYY-MM-DD"T"HH:MM:SS["."d{1,9}]"Z"`.
    ///
    /// Only this shape is taken: no offset, no lower case, no leap second, no
    /// date that does not exist. Digits past the microsecond are dropped.
    pub fn read(&mut self, bytes: &[u8]) -> Option<Stamp> {
        let fixed = bytes.first_chunk::<20>()?;
        let (ts_seconds_us, separator) = self.seconds(fixed)?;
        if separator == b'Z' {
            return Some(Stamp { ts: ts_seconds_us, len: 20 });
        }
        if separator != b'.' {
            return None;
        }
        // The overwhelmingly common case: exactly three digits and `Z`.
        if let Some(&[a, b, c, b'Z']) = bytes.get(20..24).and_then(|s| s.first_chunk::<4>())
            && a.is_ascii_digit()
            && b.is_ascii_digit()
            && c.is_ascii_digit()
        {
            let ms = i64::from(a - b'0') * 100 + i64::from(b - b'0') * 10 + i64::from(c - b'0');
            return Some(Stamp { ts: ts_seconds_us + ms * 1000, len: 24 });
        }
        let fraction = bytes.get(20..)?;
        let digits = fraction.iter().take(10).take_while(|b| b.is_ascii_digit()).count();
        if digits == 0 || digits > 9 || fraction.get(digits) != Some(&b'Z') {
            return None;
        }
        Some(Stamp { ts: ts_seconds_us + fraction_us(fraction.get(..digits)?), len: 20 + digits + 1 })
    }

    /// Date and time of day of the 19 bytes before the fraction, and the byte behind them.
    fn seconds(&mut self, fixed: &[u8; 20]) -> Option<(Micros, u8)> {
        let [y0, y1, y2, y3, d0, m0, m1, d1, e0, e1, t, h0, h1, c0, i0, i1, c1, s0, s1, separator] = *fixed;
        if (d0, d1, t, c0, c1) != (b'-', b'-', b'T', b':', b':') {
            return None;
        }
        let day = [y0, y1, y2, y3, d0, m0, m1, d1, e0, e1];
        if day != self.day {
            let year = i32::try_from(two(y0, y1)? * 100 + two(y2, y3)?).ok()?;
            let date = NaiveDate::from_ymd_opt(
                year,
                u32::try_from(two(m0, m1)?).ok()?,
                u32::try_from(two(e0, e1)?).ok()?,
            )?;
            self.day_us = in_range(date.and_time(NaiveTime::MIN).and_utc().timestamp_micros())?;
            self.day = day;
        }
        let (hour, minute, second) = (two(h0, h1)?, two(i0, i1)?, two(s0, s1)?);
        if hour > 23 || minute > 59 || second > 59 {
            return None;
        }
        Some((self.day_us + ((hour * 60 + minute) * 60 + second) * 1_000_000, separator))
    }
}

fn two(tens: u8, ones: u8) -> Option<i64> {
    (tens.is_ascii_digit() && ones.is_ascii_digit())
        .then(|| i64::from(tens - b'0') * 10 + i64::from(ones - b'0'))
}

/// A time of day at the start of `bytes`, `HH:MM:SS["."d{1,9}]`, as microseconds since midnight.
#[must_use]
pub fn time_of_day(bytes: &[u8]) -> Option<Stamp> {
    let &[h0, h1, b':', m0, m1, b':', s0, s1] = bytes.first_chunk::<8>()? else { return None };
    let (hour, minute, second) = (two(h0, h1)?, two(m0, m1)?, two(s0, s1)?);
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let ts = ((hour * 60 + minute) * 60 + second) * 1_000_000;
    if bytes.get(8) != Some(&b'.') {
        return Some(Stamp { ts, len: 8 });
    }
    let fraction = bytes.get(9..)?;
    let digits = fraction.iter().take(10).take_while(|b| b.is_ascii_digit()).count();
    let us = fraction.get(..digits).filter(|digits| (1..=9).contains(&digits.len())).map(fraction_us)?;
    Some(Stamp { ts: ts + us, len: 9 + digits })
}

/// One to nine fraction digits as microseconds, cut (not rounded) at the sixth.
fn fraction_us(digits: &[u8]) -> i64 {
    let mut us = 0;
    for position in 0..6 {
        us = us * 10 + digits.get(position).map_or(0, |d| i64::from(d - b'0'));
    }
    us
}

fn in_range(ts: Micros) -> Option<Micros> {
    (MIN_US..MAX_US).contains(&ts).then_some(ts)
}

/// A whole text that is an RFC 3339 instant: any offset, any number of fraction digits up to nine.
///
/// A leap second (`:60`) is refused: chrono would take it at any minute.
#[must_use]
pub fn rfc3339(text: &str) -> Option<Micros> {
    let stamp = DateTime::parse_from_rfc3339(text).ok()?;
    (stamp.nanosecond() < 1_000_000_000).then_some(())?;
    in_range(stamp.timestamp_micros())
}

/// A whole text that is a local date and time, `YYYY-MM-DD HH:MM:SS[.fff]`, read as UTC.
#[must_use]
pub fn civil(text: &str) -> Option<Micros> {
    let stamp = NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S%.f").ok()?;
    (stamp.nanosecond() < 1_000_000_000).then_some(())?;
    in_range(stamp.and_utc().timestamp_micros())
}

/// An epoch number whose unit is told by its size: seconds below 1e11, then ms, µs, ns.
///
/// The bounds leave seconds until the year 5138 and milliseconds from 1973 on.
#[must_use]
pub fn epoch(number: i64) -> Option<Micros> {
    let ts = match number.unsigned_abs() {
        0..100_000_000_000 => number.checked_mul(1_000_000)?,
        100_000_000_000..100_000_000_000_000 => number.checked_mul(1000)?,
        100_000_000_000_000..100_000_000_000_000_000 => number,
        _ => number / 1000,
    };
    in_range(ts)
}

/// `epoch` for a number with a fraction (`1636472400.5`).
#[must_use]
pub fn epoch_f64(number: f64) -> Option<Micros> {
    // Neither an infinity nor what is no number is in the range.
    if !(0.0..9.2e18).contains(&number) {
        return None;
    }
    let scale = match number {
        n if n < 1e11 => 1e6,
        n if n < 1e14 => 1e3,
        n if n < 1e17 => 1.0,
        _ => 1e-3,
    };
    #[expect(clippy::cast_possible_truncation, reason = "bounded by the comparisons above")]
    in_range((number * scale).round() as i64)
}

/// A duration in whole milliseconds as the tables define it: floor of each end, then the difference.
#[must_use]
pub const fn duration_ms(start: Micros, stop: Micros) -> i64 {
    stop.div_euclid(1000) - start.div_euclid(1000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expect: Option<(Micros, usize)>) {
        let stamp = StampReader::new().read(text.as_bytes());
        assert_eq!(stamp.map(|s| (s.ts, s.len)), expect, "{text}");
    }

    #[test]
    fn fixed_stamps() {
        // 1_700_000_000 is 2023-11-14T22:13:20Z (date -u -d @1700000000).
        check("2023-11-14T22:13:20.000Z x", Some((1_700_000_000_000_000, 24)));
        check("2023-11-14T22:13:20Z", Some((1_700_000_000_000_000, 20)));
        check("2023-11-14T22:13:20.1234567Z", Some((1_700_000_000_123_456, 28)));
        check("2023-11-14T22:13:20.123456789Z", Some((1_700_000_000_123_456, 30)));
        check("2024-02-29T00:00:00.001Z", Some((1_709_164_800_001_000, 24)));
    }

    #[test]
    fn refused_stamps() {
        for text in [
            "",
            "2023",
            "2023-02-29T00:00:00.000Z",
            "2023-11-14 22:13:20.000Z",
            "2023-11-14T24:00:00.000Z",
            "2023-11-14T22:60:20.000Z",
            "2023-11-14T22:13:60.000Z",
            "2023-11-14T22:13:20.Z",
            "2023-11-14T22:13:20.1234567890Z",
            "2023-11-14T22:13:20.000+02:00",
            "1969-12-31T23:59:59.999Z",
            "2023-11-14T22:13:2\u{660}.000Z",
            "+1202-11-14T22:13:20.000Z",
        ] {
            check(text, None);
        }
    }

    #[test]
    fn day_is_cached_without_leaking() {
        let mut reader = StampReader::new();
        assert!(reader.read(b"2023-11-14T22:13:20.000Z").is_some());
        assert!(reader.read(b"2023-13-14T22:13:20.000Z").is_none());
        assert_eq!(reader.read(b"2023-11-15T22:13:20.000Z").map(|s| s.ts), Some(1_700_086_400_000_000));
    }

    #[test]
    fn agrees_with_chrono_on_every_fraction_length() {
        for digits in 1..=9 {
            let text = format!("2026-07-31T01:02:03.{}Z", &"987654321"[..digits]);
            let expect = DateTime::parse_from_rfc3339(&text).map(|d| d.timestamp_micros()).ok();
            assert_eq!(StampReader::new().read(text.as_bytes()).map(|s| s.ts), expect, "{text}");
            assert_eq!(rfc3339(&text), expect, "{text}");
        }
    }

    #[test]
    fn epochs_by_magnitude() {
        for number in [1_700_000_000, 1_700_000_000_000, 1_700_000_000_000_000, 1_700_000_000_000_000_000] {
            assert_eq!(epoch(number), Some(1_700_000_000_000_000), "{number}");
        }
        assert_eq!(epoch(-1), None);
        assert_eq!(epoch(i64::MIN), None);
        assert_eq!(epoch_f64(1_700_000_000.5), Some(1_700_000_000_500_000));
        assert_eq!(epoch_f64(f64::NAN), None);
        assert_eq!(epoch_f64(1e300), None);
    }

    #[test]
    fn times_of_day() {
        let read = |text: &str| time_of_day(text.as_bytes()).map(|stamp| (stamp.ts, stamp.len));
        assert_eq!(read("00:00:00 x"), Some((0, 8)));
        assert_eq!(read("23:59:59.5 x"), Some((DAY_US - 500_000, 10)));
        assert_eq!(read("01:02:03.123456789"), Some((3_723_123_456, 18)));
        for text in
            ["24:00:00", "12:60:00", "12:00:60", "1:00:00", "12:00", "12:00:00.", "12:00:00.1234567890"]
        {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn durations_floor_both_ends() {
        assert_eq!(duration_ms(1_999, 3_000), 2);
        assert_eq!(duration_ms(3_000, 1_999), -2);
    }

    #[test]
    fn leap_seconds_are_refused() {
        assert_eq!(rfc3339("2016-12-31T23:59:60Z"), None);
        assert_eq!(rfc3339("2020-07-12T17:09:16.740+02:00"), Some(1_594_566_556_740_000));
        assert_eq!(civil("2016-12-31 23:59:60"), None);
        assert_eq!(civil("1970-01-02 00:00:00.5"), Some(DAY_US + 500_000));
    }
}
