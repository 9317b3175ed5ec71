//! Text into a byte buffer without the formatting machinery: dumps of gigabytes are written here.

use crate::rng::Token;

/// Something that can be appended to a line.
pub trait Put {
    /// Appends it.
    fn put(&self, out: &mut Vec<u8>);
}

/// Appends several things to a buffer, one after the other.
macro_rules! put {
    ($out:expr, $($part:expr),+ $(,)?) => {{
        let out: &mut Vec<u8> = $out;
        $($crate::put::Put::put(&$part, out);)+
    }};
}
pub(crate) use put;

impl<T: Put + ?Sized> Put for &T {
    fn put(&self, out: &mut Vec<u8>) {
        (**self).put(out);
    }
}

impl Put for str {
    fn put(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.as_bytes());
    }
}

impl Put for String {
    fn put(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.as_bytes());
    }
}

/// For lines that are rare: slower, but easier to read.
impl Put for std::fmt::Arguments<'_> {
    fn put(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.to_string().as_bytes());
    }
}

impl<const N: usize> Put for Token<N> {
    fn put(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.0);
    }
}

impl Put for u64 {
    fn put(&self, out: &mut Vec<u8>) {
        let mut digits = [0_u8; 20];
        let mut at = digits.len();
        let mut left = *self;
        loop {
            at -= 1;
            digits[at] = digit(left);
            left /= 10;
            if left == 0 {
                break;
            }
        }
        out.extend_from_slice(&digits[at..]);
    }
}

impl Put for usize {
    fn put(&self, out: &mut Vec<u8>) {
        u64::try_from(*self).unwrap_or(u64::MAX).put(out);
    }
}

/// A number given in thousandths, written as JavaScript writes it: `0`, `0.2`, `1.234`.
#[derive(Debug, Clone, Copy)]
pub struct Thousandths(pub u64);

impl Put for Thousandths {
    fn put(&self, out: &mut Vec<u8>) {
        (self.0 / 1000).put(out);
        let rest = self.0 % 1000;
        if rest > 0 {
            let digits = [digit(rest / 100), digit(rest / 10), digit(rest)];
            let kept = digits.iter().rposition(|&byte| byte != b'0').map_or(0, |last| last + 1);
            out.push(b'.');
            out.extend_from_slice(&digits[..kept]);
        }
    }
}

/// A number given in hundredths with both decimals: `12.50`.
#[derive(Debug, Clone, Copy)]
pub struct Hundredths(pub u64);

impl Put for Hundredths {
    fn put(&self, out: &mut Vec<u8>) {
        (self.0 / 100).put(out);
        out.extend_from_slice(&[b'.', digit(self.0 / 10), digit(self.0)]);
    }
}

/// A number, or `null` where there is none.
impl Put for Option<u64> {
    fn put(&self, out: &mut Vec<u8>) {
        match self {
            Some(number) => number.put(out),
            None => "null".put(out),
        }
    }
}

impl Put for bool {
    fn put(&self, out: &mut Vec<u8>) {
        (if *self { "true" } else { "false" }).put(out);
    }
}

/// The last decimal digit of a number, as a character.
pub fn digit(number: u64) -> u8 {
    b"0123456789"[usize::try_from(number % 10).unwrap_or(0)]
}

/// Writes RFC 3339 stamps with milliseconds; remembers the second it wrote last.
#[derive(Debug, Clone)]
pub struct Stamps {
    second: u64,
    text: [u8; 19],
}

impl Stamps {
    /// A writer that has written nothing.
    pub fn new() -> Self {
        Self { second: u64::MAX, text: [b'0'; 19] }
    }

    /// Appends the stamp of the instant `at_ms` (milliseconds since 1970), 24 characters.
    pub fn put(&mut self, at_ms: u64, out: &mut Vec<u8>) {
        let (second, ms) = (at_ms / 1000, at_ms % 1000);
        if second != self.second {
            self.second = second;
            self.text = civil(second);
        }
        out.extend_from_slice(&self.text);
        out.extend_from_slice(&[b'.', digit(ms / 100), digit(ms / 10), digit(ms), b'Z']);
    }
}

/// The stamp of an instant as a text of its own.
#[derive(Debug, Clone, Copy)]
pub struct Iso(pub u64);

impl Put for Iso {
    fn put(&self, out: &mut Vec<u8>) {
        Stamps::new().put(self.0, out);
    }
}

impl std::fmt::Display for Iso {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut out = Vec::with_capacity(24);
        self.put(&mut out);
        f.write_str(&String::from_utf8_lossy(&out))
    }
}

/// `YYYY-MM-DDTHH:MM:SS` of a second since 1970 (Gregorian calendar, years of four digits).
fn civil(second: u64) -> [u8; 19] {
    let (mut day, time) = (second / 86_400, second % 86_400);
    let mut year = 1970;
    while day >= year_days(year) {
        day -= year_days(year);
        year += 1;
    }
    let mut month = 1;
    for days in month_days(year) {
        if day < days {
            break;
        }
        day -= days;
        month += 1;
    }
    day += 1;
    let (hour, minute, second) = (time / 3600, time / 60 % 60, time % 60);
    [
        digit(year / 1000),
        digit(year / 100),
        digit(year / 10),
        digit(year),
        b'-',
        digit(month / 10),
        digit(month),
        b'-',
        digit(day / 10),
        digit(day),
        b'T',
        digit(hour / 10),
        digit(hour),
        b':',
        digit(minute / 10),
        digit(minute),
        b':',
        digit(second / 10),
        digit(second),
    ]
}

fn leap(year: u64) -> bool {
    year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
}

fn year_days(year: u64) -> u64 {
    if leap(year) { 366 } else { 365 }
}

fn month_days(year: u64) -> [u64; 12] {
    [31, if leap(year) { 29 } else { 28 }, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
}

/// Text inside a JSON string.
#[derive(Debug, Clone, Copy)]
pub struct Json<'a>(pub &'a [u8]);

impl Put for Json<'_> {
    fn put(&self, out: &mut Vec<u8>) {
        for &byte in self.0 {
            match byte {
                b'"' | b'\\' => out.extend_from_slice(&[b'\\', byte]),
                b'\n' => out.extend_from_slice(b"\\n"),
                b'\t' => out.extend_from_slice(b"\\t"),
                _ => out.push(byte),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(part: impl Put, expect: &str) {
        let mut out = Vec::new();
        part.put(&mut out);
        assert_eq!(String::from_utf8(out).unwrap(), expect);
    }

    #[test]
    fn numbers() {
        check(0_u64, "0");
        check(u64::MAX, "18446744073709551615");
        check(Thousandths(0), "0");
        check(Thousandths(200), "0.2");
        check(Thousandths(1050), "1.05");
        check(Hundredths(1205), "12.05");
        check(None, "null");
        check(Json(b"a\"b\\c\n"), "a\\\"b\\\\c\\n");
    }

    #[test]
    fn stamps() {
        check(Iso(0), "1970-01-01T00:00:00.000Z");
        check(Iso(951_782_400_000), "2000-02-29T00:00:00.000Z");
        check(Iso(1_735_689_599_999), "2024-12-31T23:59:59.999Z");
        check(Iso(1_709_251_200_007), "2024-03-01T00:00:00.007Z");
    }
}
