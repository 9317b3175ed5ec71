//! Axes: where ticks stand and what they say, in units people think in.

use chrono::{Datelike, Timelike};
use logmill_parse::Micros;

use crate::figures::{Clock, duration};

/// A mark on an axis.
#[derive(Debug, Clone, PartialEq)]
pub struct Tick {
    /// Where it stands, from 0 at the start of the axis to 1 at its end.
    pub at: f64,
    /// What it says.
    pub label: String,
}

/// The smallest of 1, 2, 5, 10, 20, … that `value` fits under; 1 for what is no positive number.
fn round_up(value: f64) -> f64 {
    if !value.is_finite() || value <= 0.0 {
        return 1.0;
    }
    let power = 10_f64.powf(value.log10().floor());
    [1.0, 2.0, 5.0, 10.0]
        .into_iter()
        .map(|step| step * power)
        .find(|step| *step >= value * 0.999_999)
        .unwrap_or(value)
}

/// An axis from zero to at least `max`: its end, and ticks at three or four round values.
pub fn linear(max: f64, least_step: f64, label: impl Fn(f64) -> String) -> (f64, Vec<Tick>) {
    let step = round_up(max / 3.0).max(least_step);
    let steps = (max / step).ceil().clamp(1.0, 10.0);
    let end = step * steps;
    let mut ticks = Vec::new();
    let mut value = 0.0;
    while value <= end * 1.000_001 {
        ticks.push(Tick { at: value / end, label: label(value) });
        value += step;
    }
    (end, ticks)
}

/// Widths in milliseconds at which ticks of a duration axis stand.
const STEPS_MS: [i64; 26] = [
    1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 30_000, 60_000, 120_000,
    300_000, 600_000, 1_200_000, 1_800_000, 3_600_000, 7_200_000, 18_000_000, 43_200_000, 86_400_000,
];

/// Ticks of a duration axis from zero to `end_ms`, at most five of them.
pub fn durations(end_ms: i64) -> Vec<Tick> {
    let end_ms = end_ms.max(1);
    let doubled = std::iter::successors(Some(172_800_000_i64), |step| step.checked_mul(2));
    let step = STEPS_MS.into_iter().chain(doubled).find(|step| end_ms / step <= 4).unwrap_or(end_ms);
    (0..=end_ms / step)
        .map(|n| n * step)
        .map(|ms| Tick { at: ms as f64 / end_ms as f64, label: round_duration(ms) })
        .collect()
}

/// An axis of durations from zero to at least `max_ms`: its end, and up to four ticks.
pub fn durations_above(max_ms: f64) -> (f64, Vec<Tick>) {
    let doubled = std::iter::successors(Some(172_800_000_i64), |step| step.checked_mul(2));
    let step =
        STEPS_MS.into_iter().chain(doubled).find(|step| max_ms / *step as f64 <= 3.0).unwrap_or(i64::MAX / 4);
    #[expect(clippy::cast_possible_truncation, reason = "between 1 and 3")]
    let steps = (max_ms / step as f64).ceil().clamp(1.0, 3.0) as i64;
    let tick = |n: i64| Tick { at: n as f64 / steps as f64, label: round_duration(step.saturating_mul(n)) };
    ((step as f64) * steps as f64, (0..=steps).map(tick).collect())
}

/// A duration that is a round number of one unit: `500 ms`, `2 s`, `1 h`.
pub fn round_duration(ms: i64) -> String {
    let units = [(86_400_000, "d"), (3_600_000, "h"), (60_000, "min"), (1_000, "s"), (1, "ms")];
    if ms == 0 {
        return "0".to_owned();
    }
    units
        .into_iter()
        .find(|(unit, _)| ms % unit == 0)
        .map_or_else(|| duration(ms), |(unit, name)| format!("{}\u{a0}{name}", ms / unit))
}

/// A logarithmic axis of durations.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LogAxis {
    low: f64,
    high: f64,
}

impl LogAxis {
    /// One that holds all of the durations, with a little room; what is below a millisecond
    /// stands at a millisecond. `None` without durations.
    pub fn of(durations_ms: impl Iterator<Item = i64>) -> Option<Self> {
        let (mut min, mut max) = (i64::MAX, i64::MIN);
        for ms in durations_ms {
            (min, max) = (min.min(ms), max.max(ms));
        }
        if min > max {
            return None;
        }
        let (low, high) = ((min.max(1) as f64).log10(), (max.max(1) as f64).log10());
        let room = ((high - low) * 0.04).max(0.1);
        Some(Self { low: (low - room).max(-0.1), high: high + room })
    }

    /// Where a duration stands, from 0 to 1.
    pub fn at(self, ms: i64) -> f64 {
        (((ms.max(1) as f64).log10() - self.low) / (self.high - self.low)).clamp(0.0, 1.0)
    }

    /// The duration that stands at a place.
    pub fn value(self, at: f64) -> i64 {
        let ms = 10_f64.powf(self.low + at * (self.high - self.low));
        #[expect(clippy::cast_possible_truncation, reason = "a float that is too large stays at the bound")]
        let ms = ms.round() as i64;
        ms
    }

    /// Ticks at round durations, at most eight.
    pub fn ticks(self) -> Vec<Tick> {
        const COARSE: [i64; 12] = [
            1,
            10,
            100,
            1_000,
            10_000,
            60_000,
            600_000,
            3_600_000,
            36_000_000,
            86_400_000,
            864_000_000,
            8_640_000_000,
        ];
        let within = |ms: &i64| {
            let at = ((*ms as f64).log10() - self.low) / (self.high - self.low);
            (0.0..=1.0).contains(&at)
        };
        let fine: Vec<i64> = STEPS_MS.into_iter().chain(COARSE.into_iter().skip(10)).filter(within).collect();
        let chosen = if fine.len() <= 8 { fine } else { COARSE.into_iter().filter(within).collect() };
        chosen.into_iter().map(|ms| Tick { at: self.at(ms), label: round_duration(ms) }).collect()
    }
}

/// A stretch of calendar time.
#[derive(Debug, Clone, Copy)]
pub struct TimeAxis {
    /// Where it begins.
    pub start: Micros,
    /// Where it ends; after `start`.
    pub end: Micros,
}

impl TimeAxis {
    /// Where an instant stands, from 0 to 1.
    pub fn at(self, ts: Micros) -> f64 {
        let width = self.end.saturating_sub(self.start).max(1) as f64;
        (ts.saturating_sub(self.start) as f64 / width).clamp(0.0, 1.0)
    }

    /// Ticks at round instants of the zone's clock, at most six, each as short as it can be said.
    pub fn ticks(self, clock: Clock) -> Vec<Tick> {
        let span_s = self.end.saturating_sub(self.start) / 1_000_000;
        let step = STEPS_S.into_iter().find(|step| span_s / step <= 5).unwrap_or(i64::MAX);
        if step >= MONTH_S {
            return self.months(clock, span_s);
        }
        let offset_s = clock
            .at(self.start)
            .map_or(0, |at| i64::from(chrono::Offset::fix(at.offset()).local_minus_utc()));
        // Weeks begin on Mondays; the epoch was a Thursday.
        let shift = if step % 604_800 == 0 { 4 * 86_400 } else { 0 };
        let first =
            (self.start.div_euclid(1_000_000) + offset_s - shift).div_euclid(step) * step + shift - offset_s;
        let instants = (0..8).map(|n| (first + n * step).saturating_mul(1_000_000));
        let mut ticks: Vec<Tick> = Vec::new();
        for ts in instants.filter(|ts| (self.start..=self.end).contains(ts)) {
            ticks.push(Tick { at: self.at(ts), label: clock_label(clock, ts, step) });
        }
        ticks
    }

    /// Ticks at the first of some months.
    fn months(self, clock: Clock, span_s: i64) -> Vec<Tick> {
        let months = span_s / MONTH_S;
        let step =
            [1, 2, 3, 6, 12, 24, 60, 120, 600].into_iter().find(|step| months / step <= 5).unwrap_or(1200);
        let Some(first) = clock.at(self.start) else { return Vec::new() };
        let from = i64::from(first.year()) * 12 + i64::from(first.month0());
        let from = from.div_euclid(step) * step;
        (0..8)
            .filter_map(|n| {
                let month = from + n * step;
                let year = i32::try_from(month.div_euclid(12)).ok()?;
                let day =
                    chrono::NaiveDate::from_ymd_opt(year, u32::try_from(month.rem_euclid(12)).ok()? + 1, 1)?;
                let at = day.and_hms_opt(0, 0, 0)?.and_local_timezone(clock.0).earliest()?;
                let ts = at.timestamp_micros();
                let label = if step >= 12 { at.format("%Y") } else { at.format("%b %Y") };
                (self.start..=self.end)
                    .contains(&ts)
                    .then(|| Tick { at: self.at(ts), label: label.to_string() })
            })
            .collect()
    }
}

/// About a month.
const MONTH_S: i64 = 28 * 86_400;

/// Widths between ticks in seconds; the last stands for months.
const STEPS_S: [i64; 21] = [
    1,
    5,
    10,
    30,
    60,
    300,
    600,
    1_800,
    3_600,
    7_200,
    10_800,
    21_600,
    43_200,
    86_400,
    172_800,
    259_200,
    432_000,
    604_800,
    1_209_600,
    MONTH_S,
    i64::MAX,
];

/// Midnights are said by their date; other instants by the time, to the second only where needed.
fn clock_label(clock: Clock, ts: Micros, step: i64) -> String {
    let Some(at) = clock.at(ts) else { return String::new() };
    let is_midnight = at.num_seconds_from_midnight() == 0;
    let pattern = if step >= 86_400 || is_midnight {
        "%-d %b"
    } else if step >= 60 {
        "%H:%M"
    } else {
        "%H:%M:%S"
    };
    at.format(pattern).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono_tz::Tz;

    fn labels(ticks: &[Tick]) -> Vec<String> {
        ticks.iter().map(|tick| tick.label.replace('\u{a0}', " ")).collect()
    }

    #[test]
    fn counts_have_round_whole_ticks() {
        let (end, ticks) = linear(7.0, 1.0, |value| format!("{value}"));
        assert_eq!((end, labels(&ticks)), (10.0, vec!["0".into(), "5".into(), "10".into()]));
        let (end, _) = linear(1.0, 1.0, |value| format!("{value}"));
        assert!((end - 1.0).abs() < 1e-9, "a single run needs no half");
        let (end, ticks) = linear(0.0, 1.0, |value| format!("{value}"));
        assert!(end >= 1.0 && ticks.len() == 2);
    }

    #[test]
    fn durations_stand_at_sensible_units() {
        assert_eq!(labels(&durations(875)), ["0", "200 ms", "400 ms", "600 ms", "800 ms"]);
        assert_eq!(labels(&durations(9_000_000)), ["0", "1 h", "2 h"]);
        assert_eq!(labels(&durations(0)), ["0", "1 ms"]);
        assert!(durations(i64::MAX).len() <= 6);
    }

    #[test]
    fn logarithms_hold_what_they_are_made_of() {
        let axis = LogAxis::of([0, 20, 3_000, 7_200_000].into_iter()).expect("durations");
        assert!(axis.at(0) >= 0.0 && axis.at(7_200_000) < 1.0 && axis.at(20) < axis.at(3_000));
        assert_eq!(
            labels(&axis.ticks()),
            ["1 ms", "10 ms", "100 ms", "1 s", "10 s", "1 min", "10 min", "1 h"]
        );
        let near = axis.value(axis.at(3_000));
        assert!((2_990..=3_010).contains(&near), "{near}");
        assert_eq!(LogAxis::of(std::iter::empty()), None);
        let single = LogAxis::of([1_500].into_iter()).expect("one");
        assert!((0.3..0.7).contains(&single.at(1_500)));
    }

    #[test]
    fn calendars_follow_the_zone() {
        let day = 86_400_000_000;
        let axis = TimeAxis { start: 1_762_124_400_000_000, end: 1_762_124_400_000_000 + day };
        // 2025-11-02T23:00Z is midnight of the 3rd in Prague.
        assert_eq!(
            labels(&axis.ticks(Clock(Tz::Europe__Prague))),
            ["3 Nov", "06:00", "12:00", "18:00", "4 Nov"]
        );
        let year = TimeAxis { start: axis.start, end: axis.start + 860 * day };
        assert_eq!(
            labels(&year.ticks(Clock(Tz::UTC))),
            ["Jan 2026", "Jul 2026", "Jan 2027", "Jul 2027", "Jan 2028"]
        );
        let second = TimeAxis { start: 0, end: 20_000_000 };
        assert_eq!(
            labels(&second.ticks(Clock(Tz::UTC)))[1..],
            ["00:00:05", "00:00:10", "00:00:15", "00:00:20"]
        );
    }
}
