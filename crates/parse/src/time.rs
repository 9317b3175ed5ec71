//! Instants: from the bytes of a stamp to microseconds since the Unix epoch.
//!
//! Owns the fixed-position reader for the stamp that makes up nearly all input
//! (`2025-01-31T23:59:59.123Z`) and the slower readers for everything else.
//! Time zones, and calendars beyond the day of such a stamp, are chrono's.

use chrono::{DateTime, NaiveDateTime, Timelike};

/// Microseconds since 1970-01-01T00:00:00Z.
pub type Micros = i64;

/// Microseconds in a day.
pub const DAY_US: i64 = 86_400_000_000;

/// First instant accepted, 1970-01-01T00:00:00Z.
const MIN_US: Micros = 0;
/// First instant past the accepted range, 10000-01-01T00:00:00Z (four-digit years only).
const MAX_US: Micros = 253_402_300_800_000_000;

/// Reads stamps, remembering the last minute seen: consecutive lines nearly always share it.
#[derive(Debug, Clone, Copy)]
pub struct StampReader {
    minute: [u8; 16],
    minute_us: Micros,
}

impl Default for StampReader {
    fn default() -> Self {
        Self { minute: *b"1970-01-01T00:00", minute_us: 0 }
    }
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
    /// A reader that has seen no stamp yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The stamp at the start of `bytes`: `YYYY-MM-DD"T"HH:MM:SS["."d{1,9}]"Z"`.
    ///
    /// Only this shape is taken: no offset, no lower case, no leap second, no
    /// date that does not exist. Digits past the microsecond are dropped.
    #[inline]
    pub fn read(&mut self, bytes: &[u8]) -> Option<Stamp> {
        match self.read_common(bytes) {
            Some(ts) => Some(Stamp { ts, len: 24 }),
            None => self.read_other(bytes),
        }
    }

    /// The overwhelmingly common case: a stamp with exactly three digits of a second, 24 bytes in all.
    #[expect(
        clippy::inline_always,
        reason = "once for every line of the common platform; a call costs a tenth"
    )]
    #[inline(always)]
    pub fn read_common(&mut self, bytes: &[u8]) -> Option<Micros> {
        let (minute, behind) = bytes.first_chunk::<24>()?.split_first_chunk::<16>()?;
        let ms = seconds_and_ms(*behind.first_chunk::<8>()?)?;
        Some(self.minute_us(minute)? + ms * 1000)
    }

    /// A stamp with another number of fraction digits.
    fn read_other(&mut self, bytes: &[u8]) -> Option<Stamp> {
        let (minute, behind) = bytes.first_chunk::<19>()?.split_first_chunk::<16>()?;
        let &[b':', tens, ones] = behind else { return None };
        let second = two(tens, ones).filter(|second| *second < 60)?;
        let ts_seconds_us = self.minute_us(minute)? + second * 1_000_000;
        match bytes.get(19)? {
            b'Z' => return Some(Stamp { ts: ts_seconds_us, len: 20 }),
            b'.' => {}
            _ => return None,
        }
        let fraction = bytes.get(20..)?;
        let digits = fraction.iter().take(10).take_while(|b| b.is_ascii_digit()).count();
        if digits == 0 || digits > 9 || fraction.get(digits) != Some(&b'Z') {
            return None;
        }
        Some(Stamp { ts: ts_seconds_us + fraction_us(fraction.get(..digits)?), len: 20 + digits + 1 })
    }

    /// Where the minute `YYYY-MM-DDTHH:MM` begins.
    #[expect(clippy::inline_always, reason = "all that reading a stamp is")]
    #[inline(always)]
    fn minute_us(&mut self, minute: &[u8; 16]) -> Option<Micros> {
        if *minute != self.minute {
            self.turn_to(minute)?;
        }
        Some(self.minute_us)
    }

    #[inline(never)]
    fn turn_to(&mut self, minute: &[u8; 16]) -> Option<()> {
        let (day, time) = minute.split_first_chunk::<10>()?;
        let &[b'T', h0, h1, b':', m0, m1] = time else { return None };
        let seconds = clock_seconds([h0, h1, b':', m0, m1, b':', b'0', b'0'])?;
        self.minute_us = day_us(day)? + seconds * 1_000_000;
        self.minute = *minute;
        Some(())
    }
}

/// Whether `bytes` begin with a stamp of the common shape that needs no calendar: of this century, and of a
/// day that every month has. [`StampReader::read_common`] takes it, too.
#[inline]
pub(crate) fn is_usual_stamp(bytes: &[u8]) -> bool {
    let Some((minute, behind)) = bytes.split_first_chunk::<16>() else { return false };
    let (&[b'2', b'0', y2, y3, b'-', m0, m1, b'-', d0, d1, b'T', h0, h1, b':', n0, n1], Some(tail)) =
        (minute, behind.first_chunk::<8>())
    else {
        return false;
    };
    let is_month = matches!((m0, m1), (b'0', b'1'..=b'9') | (b'1', b'0'..=b'2'));
    let is_day = matches!((d0, d1), (b'0', b'1'..=b'9') | (b'1', b'0'..=b'9') | (b'2', b'0'..=b'8'));
    let is_clock = clock_seconds([h0, h1, b':', n0, n1, b':', b'0', b'0']).is_some();
    let is_year = y2.is_ascii_digit() && y3.is_ascii_digit();
    is_year && is_month && is_day && is_clock && seconds_and_ms(*tail).is_some()
}

/// Midnight of `YYYY-MM-DD`.
fn day_us(day: &[u8; 10]) -> Option<Micros> {
    let &[y0, y1, y2, y3, b'-', m0, m1, b'-', d0, d1] = day else { return None };
    let (year, month, day) = (two(y0, y1)? * 100 + two(y2, y3)?, two(m0, m1)?, two(d0, d1)?);
    in_range(days_since_epoch(year, month, day)? * DAY_US)
}

/// Days from 1970-01-01 to a day of the Gregorian calendar that exists. Every line of an event that has
/// several asks for its day anew, which is what chrono is too slow for.
fn days_since_epoch(year: i64, month: i64, day: i64) -> Option<i64> {
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days_in_month = match month {
        4 | 6 | 9 | 11 => 30,
        2 => 28 + i64::from(is_leap),
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        _ => return None,
    };
    if !(1..=days_in_month).contains(&day) {
        return None;
    }
    // Years are taken to begin in March, so that the day that is not always there is their last one; the
    // months from there on are 31, 30, 31, 30, 31 days long, over and over: 153 days in five of them.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let leap_days = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    Some(year * 365 + leap_days + (month * 153 + 2) / 5 + day - 1 - DAYS_BEFORE_EPOCH)
}

/// Days from 0000-03-01 to 1970-01-01.
const DAYS_BEFORE_EPOCH: i64 = 719_468;

/// The seconds of `HH:MM:SS`.
#[inline]
fn clock_seconds(clock: [u8; 8]) -> Option<i64> {
    let [hour, _, _, minute, _, _, second, _] = pairs(clock, *b"00:00:00")?.map(i64::from);
    (hour < 24 && minute < 60 && second < 60).then_some((hour * 60 + minute) * 60 + second)
}

/// The milliseconds of `:SS.mmmZ`.
#[inline]
fn seconds_and_ms(tail: [u8; 8]) -> Option<i64> {
    let [_, second, _, _, _, below_hundred, _, _] = pairs(tail, *b":00.000Z")?.map(i64::from);
    let hundreds = i64::from(tail[4].wrapping_sub(b'0'));
    (second < 60).then_some(second * 1000 + hundreds * 100 + below_hundred)
}

/// Each byte of `text` as a digit, times ten, and the digit behind it; all eight looked at as one number. `None`
/// where something else stands than in `shape`, in which zeros stand for any digit.
#[inline]
fn pairs(text: [u8; 8], shape: [u8; 8]) -> Option<[u8; 8]> {
    const ABOVE_NINE: u64 = u64::from_le_bytes([0x76; 8]);
    const TOP_BITS: u64 = u64::from_le_bytes([0x80; 8]);
    let separators = u64::from_le_bytes(shape.map(|byte| if byte == b'0' { 0 } else { 0xff }));
    let digits = u64::from_le_bytes(text) ^ u64::from_le_bytes(shape);
    // 0x76 added to ten or more reaches the top bit; what has it already is no digit either.
    if digits & TOP_BITS != 0 || (digits + ABOVE_NINE) & TOP_BITS != 0 || digits & separators != 0 {
        return None;
    }
    Some((digits * 10 + (digits >> 8)).to_le_bytes())
}

fn two(tens: u8, ones: u8) -> Option<i64> {
    (tens.is_ascii_digit() && ones.is_ascii_digit())
        .then(|| i64::from(tens - b'0') * 10 + i64::from(ones - b'0'))
}

/// A time of day at the start of `bytes`, `HH:MM:SS["."d{1,9}]`, as microseconds since midnight.
#[must_use]
pub fn time_of_day(bytes: &[u8]) -> Option<Stamp> {
    let ts = clock_seconds(*bytes.first_chunk::<8>()?)? * 1_000_000;
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
    fn minute_is_cached_without_leaking() {
        let mut reader = StampReader::new();
        assert_eq!(reader.read(b"1970-01-01T00:00:01.002Z").map(|s| s.ts), Some(1_002_000));
        assert!(reader.read(b"1970-01-01T00:61:01.002Z").is_none());
        assert_eq!(reader.read(b"1970-01-01T00:01:01.002Z").map(|s| s.ts), Some(61_002_000));
        assert!(reader.read(b"2023-11-14T22:13:20.000Z").is_some());
        assert!(reader.read(b"2023-13-14T22:13:20.000Z").is_none());
        assert_eq!(reader.read(b"2023-11-15T22:13:20.000Z").map(|s| s.ts), Some(1_700_086_400_000_000));
    }

    #[test]
    fn days_agree_with_chrono() {
        for year in (1970..2110).chain([2400, 9999]) {
            for (month, day) in (0..14).flat_map(|month| (0..33).map(move |day| (month, day))) {
                let expect = chrono::NaiveDate::from_ymd_opt(year, month, day)
                    .map(|date| date.signed_duration_since(chrono::NaiveDate::default()).num_days());
                let found = days_since_epoch(year.into(), month.into(), day.into());
                assert_eq!(found, expect, "{year}-{month}-{day}");
            }
        }
    }

    #[test]
    fn clocks_take_digits_only() {
        let good = *b"23:59:58";
        assert_eq!(clock_seconds(good), Some(86_398));
        for (at, byte) in (0..8).flat_map(|at| (0..=255).map(move |byte| (at, byte))) {
            let mut clock = good;
            clock[at] = byte;
            let text = String::from_utf8_lossy(&clock).into_owned();
            let expect = chrono::NaiveTime::parse_from_str(&text, "%H:%M:%S").ok();
            let is_digits = clock
                .iter()
                .enumerate()
                .all(|(at, byte)| if at == 2 || at == 5 { *byte == b':' } else { byte.is_ascii_digit() });
            let expect = expect.filter(|time| is_digits && time.nanosecond() < 1_000_000_000);
            let expect = expect.map(|time| i64::from(time.num_seconds_from_midnight()));
            assert_eq!(clock_seconds(clock), expect, "{text:?}");
        }
    }

    #[test]
    fn seconds_take_digits_only() {
        let good = *b":59.987Z";
        assert_eq!(seconds_and_ms(good), Some(59_987));
        for (at, byte) in (0..8).flat_map(|at| (0..=255).map(move |byte| (at, byte))) {
            let mut tail = good;
            tail[at] = byte;
            let digits = [1, 2, 4, 5, 6].map(|at| i64::from(tail[at]) - 48);
            let [tens, ones, rest @ ..] = digits;
            let is_good = (tail[0], tail[3], tail[7]) == (b':', b'.', b'Z')
                && digits.iter().all(|digit| (0..10).contains(digit))
                && tens < 6;
            let expect = is_good.then(|| rest.iter().fold(tens * 10 + ones, |sum, digit| sum * 10 + digit));
            assert_eq!(seconds_and_ms(tail), expect, "{tail:?}");
        }
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
