//! Instants as text: RFC 3339, microseconds, `Z`.

use chrono::{DateTime, SecondsFormat};
use logmill_parse::Micros;
use logmill_parse::time::DAY_US;

/// Writes instants, remembering the last day: neighbours nearly always share it.
#[derive(Default)]
pub(crate) struct InstantText {
    day: Option<i64>,
    text: String,
}

/// Length of `2025-01-31T`.
const DATE_LEN: usize = 11;

impl InstantText {
    /// `2025-01-31T23:59:59.123456Z`; `None` for an instant no calendar reaches.
    pub(crate) fn write(&mut self, ts: Micros) -> Option<&str> {
        let (day, time_us) = (ts.div_euclid(DAY_US), ts.rem_euclid(DAY_US));
        if self.day != Some(day) {
            self.text = DateTime::from_timestamp_micros(ts)?.to_rfc3339_opts(SecondsFormat::Micros, true);
            // Years of more than four digits are longer, and are written out anew each time.
            self.day = (self.text.len() == DATE_LEN + 16).then_some(day);
            return Some(&self.text);
        }
        self.text.truncate(DATE_LEN);
        let seconds = time_us / 1_000_000;
        self.two(seconds / 3600, ':');
        self.two(seconds / 60 % 60, ':');
        self.two(seconds % 60, '.');
        let mut scale = 100_000;
        while scale > 0 {
            self.digit(time_us / scale % 10);
            scale /= 10;
        }
        self.text.push('Z');
        Some(&self.text)
    }

    fn two(&mut self, number: i64, then: char) {
        self.digit(number / 10);
        self.digit(number % 10);
        self.text.push(then);
    }

    fn digit(&mut self, digit: i64) {
        let digit = u32::try_from(digit).ok().and_then(|digit| char::from_digit(digit, 10));
        self.text.push(digit.unwrap_or('?'));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_told_by_hand() {
        let mut text = InstantText::default();
        // 1_700_000_000 is 2023-11-14T22:13:20Z.
        assert_eq!(text.write(1_700_000_000_000_001), Some("2023-11-14T22:13:20.000001Z"));
        assert_eq!(text.write(1_700_000_009_123_450), Some("2023-11-14T22:13:29.123450Z"));
        assert_eq!(text.write(1_700_006_399_999_999), Some("2023-11-14T23:59:59.999999Z"));
        assert_eq!(text.write(1_700_006_400_000_000), Some("2023-11-15T00:00:00.000000Z"));
        assert_eq!(text.write(-1), Some("1969-12-31T23:59:59.999999Z"));
        assert_eq!(text.write(0), Some("1970-01-01T00:00:00.000000Z"));
        assert_eq!(text.write(1_000_000), Some("1970-01-01T00:00:01.000000Z"));
    }

    #[test]
    fn agrees_with_chrono_far_out() {
        let mut text = InstantText::default();
        for ts in (-200..200).map(|n| n * 1_234_567_890_123_457) {
            for ts in [ts, ts + 1, ts + 3_600_000_000] {
                let expect = DateTime::from_timestamp_micros(ts)
                    .map(|at| at.to_rfc3339_opts(SecondsFormat::Micros, true));
                assert_eq!(text.write(ts), expect.as_deref(), "{ts}");
            }
        }
        assert_eq!(text.write(i64::MIN), None);
        assert_eq!(text.write(i64::MAX), None);
    }
}
