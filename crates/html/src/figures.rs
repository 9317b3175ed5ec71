//! Figures as people read them: counts, shares, durations, sizes and instants.

use chrono::{DateTime, TimeZone};
use chrono_tz::Tz;
use logmill_parse::Micros;

/// What stands where there is no figure.
pub const NONE: &str = "–";

/// A number in groups of three, which no line break parts: `1 234 567`.
pub fn count(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::with_capacity(digits.len() + 8);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push('\u{202f}');
        }
        out.push(digit);
    }
    out
}

/// A number of things: `1 run`, `2 runs`.
pub fn counted(n: u64, (one, several): (&str, &str)) -> String {
    format!("{}\u{a0}{}", count(n), if n == 1 { one } else { several })
}

/// A share of one as a percentage: `33.3 %`.
pub fn percent(share: f64) -> String {
    let percent = share * 100.0;
    if percent > 0.0 && percent < 0.1 {
        "<0.1\u{a0}%".to_owned()
    } else if (99.95..100.0).contains(&percent) {
        ">99.9\u{a0}%".to_owned()
    } else if percent == 0.0 || percent >= 100.0 {
        format!("{percent:.0}\u{a0}%")
    } else {
        format!("{percent:.1}\u{a0}%")
    }
}

/// A percentage at an axis, with no digit too many: `50 %`, `2.5 %`.
pub fn round_percent(share: f64) -> String {
    format!("{}\u{a0}%", round(share * 100.0))
}

/// A round number at an axis: `0.5`, `20`.
pub fn round(value: f64) -> String {
    let text = format!("{value:.4}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// A duration in milliseconds: `83 ms`, `1.24 s`, `7m 51s`, `3h 05m`.
pub fn duration(ms: i64) -> String {
    let sign = if ms < 0 { "−" } else { "" };
    let ms = ms.unsigned_abs();
    let seconds = ms / 1000;
    match ms {
        0..1000 => format!("{sign}{ms}\u{a0}ms"),
        1000..60_000 => format!("{sign}{seconds}.{:02}\u{a0}s", ms % 1000 / 10),
        60_000..3_600_000 => format!("{sign}{}m\u{a0}{:02}s", seconds / 60, seconds % 60),
        3_600_000..172_800_000 => format!("{sign}{}h\u{a0}{:02}m", seconds / 3600, seconds / 60 % 60),
        _ => format!("{sign}{}d\u{a0}{:02}h", seconds / 86_400, seconds / 3600 % 24),
    }
}

/// A duration that may be missing.
pub fn duration_or_none(ms: Option<i64>) -> String {
    ms.map_or_else(|| NONE.to_owned(), duration)
}

/// A size in bytes: `713 B`, `4.2 KiB`, `1.0 GiB`.
pub fn size(bytes: f64) -> String {
    const UNITS: [&str; 5] = ["KiB", "MiB", "GiB", "TiB", "PiB"];
    if bytes.abs() < 1024.0 {
        return format!("{bytes:.0}\u{a0}B");
    }
    let mut value = bytes / 1024.0;
    let mut unit = 0;
    while value.abs() >= 1023.95 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    format!("{value:.1}\u{a0}{}", UNITS.get(unit).unwrap_or(&"?"))
}

/// A plain number with as many digits as tell something: `0.031`, `4.2`, `1 234`.
pub fn number(value: f64) -> String {
    let size = value.abs();
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 1000 and 2^53")]
    let grouped = |size: f64| count(size.round() as u64);
    if size >= 9_007_199_254_740_992.0 || !value.is_finite() {
        format!("{value:.3e}")
    } else if size >= 999.5 {
        format!("{}{}", if value < 0.0 { "−" } else { "" }, grouped(size))
    } else {
        let digits = if size >= 99.5 || size.fract() == 0.0 {
            0
        } else if size >= 9.95 {
            1
        } else if size >= 0.995 {
            2
        } else {
            3
        };
        format!("{value:.digits$}").replace('-', "−")
    }
}

/// A value of a metric in its unit.
pub fn measured(value: f64, unit: &str) -> String {
    match unit {
        #[expect(clippy::cast_possible_truncation, reason = "a float that is too large stays at the bound")]
        "ms" => duration(value.round() as i64),
        "bytes" => size(value),
        "ratio" => percent(value),
        "count" => number(value),
        "1/min" => format!("{}\u{a0}/\u{a0}min", number(value)),
        _ => format!("{}\u{a0}{unit}", number(value)),
    }
}

/// Instants as the clock on the wall of a zone shows them.
#[derive(Debug, Clone, Copy)]
pub struct Clock(pub Tz);

impl Clock {
    /// The instant there; `None` outside of what calendars know.
    pub fn at(self, ts: Micros) -> Option<DateTime<Tz>> {
        DateTime::from_timestamp_micros(ts).map(|at| self.0.from_utc_datetime(&at.naive_utc()))
    }

    /// To the second: `2025-11-03 08:00:00`.
    pub fn second(self, ts: Micros) -> String {
        self.format(ts, "%Y-%m-%d %H:%M:%S")
    }

    /// To the minute: `2025-11-03 08:00`.
    pub fn minute(self, ts: Micros) -> String {
        self.format(ts, "%Y-%m-%d %H:%M")
    }

    /// To the second, where there is an instant.
    pub fn second_or_none(self, ts: Option<Micros>) -> String {
        ts.map_or_else(|| NONE.to_owned(), |ts| self.second(ts))
    }

    /// By a pattern of chrono's.
    pub fn format(self, ts: Micros, pattern: &str) -> String {
        self.at(ts).map_or_else(|| NONE.to_owned(), |at| at.format(pattern).to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_and_shares() {
        assert_eq!(count(0), "0");
        assert_eq!(count(1_234_567), "1\u{202f}234\u{202f}567");
        assert_eq!(counted(1, ("run", "runs")), "1\u{a0}run");
        for (share, expect) in
            [(0.0, "0 %"), (0.0004, "<0.1 %"), (1.0 / 3.0, "33.3 %"), (0.9999, ">99.9 %"), (1.0, "100 %")]
        {
            assert_eq!(percent(share).replace('\u{a0}', " "), expect);
        }
    }

    #[test]
    fn durations_change_their_unit() {
        for (ms, expect) in [
            (0, "0 ms"),
            (999, "999 ms"),
            (59_999, "59.99 s"),
            (471_700, "7m 51s"),
            (-5, "−5 ms"),
            (i64::MIN, "−106751991167d 07h"),
        ] {
            assert_eq!(duration(ms).replace('\u{a0}', " "), expect);
        }
    }

    #[test]
    fn numbers_keep_what_tells() {
        for (value, expect) in [
            (0.0, "0"),
            (0.0312, "0.031"),
            (4.25, "4.25"),
            (42.04, "42.0"),
            (1234.5, "1235"),
            (-3.0, "−3"),
            (1e300, "1.000e300"),
        ] {
            assert_eq!(number(value).replace('\u{202f}', ""), expect);
        }
        assert_eq!(measured(1536.0, "bytes").replace('\u{a0}', " "), "1.5 KiB");
        assert_eq!(measured(61_000.0, "ms").replace('\u{a0}', " "), "1m 01s");
    }

    #[test]
    fn instants_follow_the_zone() {
        let at = 1_762_156_800_000_000; // 2025-11-03T08:00:00Z
        assert_eq!(Clock(Tz::UTC).second(at), "2025-11-03 08:00:00");
        assert_eq!(Clock(Tz::Europe__Prague).minute(at), "2025-11-03 09:00");
        assert_eq!(Clock(Tz::UTC).second(i64::MAX), NONE);
    }
}
