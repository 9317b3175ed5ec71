//! Printing for people: nothing that stands in a log may act on the terminal.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::io::{self, IsTerminal};

use crate::args::Color;

/// `text` with everything escaped that a terminal acts upon: control characters of both
/// ranges, DEL, and the characters that turn the direction of writing around.
#[must_use]
pub fn safe(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_active) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            '\n' => out.push('⏎'),
            '\t' => out.push(' '),
            c if is_active(c) => out.extend(c.escape_unicode()),
            c => out.push(c),
        }
    }
    Cow::Owned(out)
}

/// JSON with the same characters escaped as JSON does it; what it says stays the same. They stand
/// in strings only, and serde has escaped those below U+0020; the line's own end stays.
#[must_use]
pub fn safe_json(json: &str) -> Cow<'_, str> {
    if !json.chars().any(is_active) {
        return Cow::Borrowed(json);
    }
    let mut out = String::with_capacity(json.len() + 16);
    for c in json.chars() {
        if is_active(c) && c != '\n' {
            let _ = write!(out, "\\u{:04x}", u32::from(c));
        } else {
            out.push(c);
        }
    }
    Cow::Owned(out)
}

fn is_active(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{061c}')
        || matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}')
}

/// At most `width` characters of the text; the last one an ellipsis where some are missing.
#[must_use]
pub fn shortened(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    text.chars().take(width.saturating_sub(1)).chain(['…']).collect()
}

/// Colours, or none.
#[derive(Debug, Clone, Copy)]
pub struct Paint {
    on: bool,
}

impl Paint {
    /// Colours for standard output: as `--color`, `NO_COLOR` and `CLICOLOR_FORCE` ask for and as it can show them.
    #[must_use]
    pub fn for_stdout(color: Color) -> Self {
        Self::when(color, io::stdout().is_terminal())
    }

    /// Colours for standard error.
    #[must_use]
    pub fn for_stderr(color: Color) -> Self {
        Self::when(color, io::stderr().is_terminal())
    }

    fn when(color: Color, is_terminal: bool) -> Self {
        let is_set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty() && value != "0");
        let is_refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let is_dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        Self {
            on: match color {
                Color::Always => true,
                Color::Never => false,
                Color::Auto if is_refused => false,
                Color::Auto => is_set("CLICOLOR_FORCE") || (is_terminal && !is_dumb),
            },
        }
    }

    /// Whether there are any.
    #[must_use]
    pub const fn is_on(self) -> bool {
        self.on
    }

    fn paint(self, code: &str, text: &str) -> String {
        if self.on { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }

    /// For headings.
    #[must_use]
    pub fn bold(self, text: &str) -> String {
        self.paint("1", text)
    }

    /// For what matters less.
    #[must_use]
    pub fn dim(self, text: &str) -> String {
        self.paint("2", text)
    }

    /// For what went wrong.
    #[must_use]
    pub fn red(self, text: &str) -> String {
        self.paint("31", text)
    }

    /// For what went well.
    #[must_use]
    pub fn green(self, text: &str) -> String {
        self.paint("32", text)
    }

    /// For what needs a look.
    #[must_use]
    pub fn yellow(self, text: &str) -> String {
        self.paint("33", text)
    }
}

/// Columns of a terminal that does not say how many it has, as a serial line does not.
const USUAL_WIDTH: usize = 80;

/// Columns of the terminal that standard error is, if it is one.
#[must_use]
pub fn width_of_stderr() -> Option<usize> {
    let stated = terminal_size::terminal_size_of(io::stderr());
    io::stderr().is_terminal().then(|| stated.map_or(USUAL_WIDTH, |(width, _)| usize::from(width.0)))
}

/// Columns of the terminal that standard output is, if it is one.
#[must_use]
pub fn width_of_stdout() -> Option<usize> {
    let stated = terminal_size::terminal_size_of(io::stdout());
    io::stdout().is_terminal().then(|| stated.map_or(USUAL_WIDTH, |(width, _)| usize::from(width.0)))
}

/// `text` as the terminal that standard output is can show it; unchanged for files and pipes.
#[must_use]
pub fn for_stdout(text: &str) -> Cow<'_, str> {
    if io::stdout().is_terminal() { shown_by(knows_blocks(), text) } else { Cow::Borrowed(text) }
}

/// The same for standard error.
#[must_use]
pub fn for_stderr(text: &str) -> Cow<'_, str> {
    if io::stderr().is_terminal() { shown_by(knows_blocks(), text) } else { Cow::Borrowed(text) }
}

/// What a terminal can show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Glyphs {
    All,
    Ascii,
}

/// ASCII on terminals that are dumb, or whose locale says that they know nothing else. Where no
/// locale is set, most terminals know more all the same.
fn knows_blocks() -> Glyphs {
    let variable = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
    let is_dumb = variable("TERM").is_some_and(|term| term == "dumb");
    let locale = variable("LC_ALL").or_else(|| variable("LC_CTYPE")).or_else(|| variable("LANG"));
    let is_other = locale.is_some_and(|locale| {
        let locale = locale.to_lowercase();
        !(locale.contains("utf-8") || locale.contains("utf8"))
    });
    if is_dumb || is_other { Glyphs::Ascii } else { Glyphs::All }
}

/// With what charts and punctuation are made of put into ASCII, one character for one.
fn shown_by(glyphs: Glyphs, text: &str) -> Cow<'_, str> {
    if glyphs == Glyphs::All || text.is_ascii() {
        return Cow::Borrowed(text);
    }
    let plain = |c| match c {
        '▁' => '_',
        '▂' | '░' | '·' => '.',
        '▃' => ':',
        '▄' | '–' => '-',
        '▅' => '=',
        '▆' => '+',
        '▇' => '*',
        '█' => '#',
        '▏' | '│' | '⏎' => '|',
        '…' => '~',
        '→' => '>',
        '×' => 'x',
        c => c,
    };
    Cow::Owned(text.chars().map(plain).collect())
}

/// A duration in milliseconds as people write it: `83 ms`, `1.24 s`, `7m 51s`, `3h 05m`.
#[must_use]
pub fn duration(ms: i64) -> String {
    let sign = if ms < 0 { "-" } else { "" };
    let ms = ms.unsigned_abs();
    let seconds = ms / 1000;
    match ms {
        0..1000 => format!("{sign}{ms} ms"),
        1000..60_000 => format!("{sign}{seconds}.{:02} s", ms % 1000 / 10),
        60_000..3_600_000 => format!("{sign}{}m {:02}s", seconds / 60, seconds % 60),
        3_600_000..172_800_000 => format!("{sign}{}h {:02}m", seconds / 3600, seconds / 60 % 60),
        _ => format!("{sign}{}d {:02}h", seconds / 86_400, seconds / 3600 % 24),
    }
}

/// A size as people write it: `713 B`, `4.2 KiB`, `1.0 GiB`.
#[must_use]
pub fn size(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["KiB", "MiB", "GiB", "TiB", "PiB"];
    if bytes < 1024 {
        return format!("{bytes} B");
    }
    let mut value = bytes as f64 / 1024.0;
    let mut unit = 0;
    while value >= 1023.95 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    format!("{value:.1} {}", UNITS.get(unit).unwrap_or(&"?"))
}

/// A rate as a percentage.
#[must_use]
pub fn percent(rate: f64) -> String {
    let percent = rate * 100.0;
    if percent > 0.0 && percent < 0.1 { "<0.1 %".to_owned() } else { format!("{percent:.1} %") }
}

/// A number with thin groups: `1 234 567`.
#[must_use]
pub fn count(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(' ');
        }
        out.push(digit);
    }
    out
}

/// A number of things: `1 error`, `2 errors`.
#[must_use]
pub fn counted(n: u64, one: &str, several: &str) -> String {
    format!("{} {}", count(n), if n == 1 { one } else { several })
}

/// A line of bars, one per value, scaled to the largest; a value that is not there is a dot.
#[must_use]
pub fn sparkline(values: &[Option<f64>]) -> String {
    const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let max = values.iter().flatten().copied().fold(0.0_f64, f64::max);
    let bar = |value: &Option<f64>| match value {
        None => '·',
        Some(value) if max <= 0.0 || *value <= 0.0 => BARS[0],
        Some(value) => {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and 7")]
            let index = ((value / max * 7.0).ceil() as usize).min(7);
            BARS.get(index).copied().unwrap_or('█')
        }
    };
    values.iter().map(bar).collect()
}

/// The name of an input: `ARCHIVE!MEMBER` where it is a member.
#[must_use]
pub fn input_name(source: &str, member: Option<&str>) -> String {
    let source = safe(source);
    member.map_or_else(|| source.to_string(), |member| format!("{source}!{}", safe(member)))
}

/// An instant to the second.
#[must_use]
pub fn instant(ts: logmill_parse::Micros) -> String {
    chrono::DateTime::from_timestamp_micros(ts)
        .map_or_else(String::new, |at| at.format("%Y-%m-%d %H:%M:%S").to_string())
}

/// An instant to the microsecond, as tables have it.
#[must_use]
pub fn rfc3339(ts: logmill_parse::Micros) -> String {
    chrono::DateTime::from_timestamp_micros(ts)
        .map_or_else(|| ts.to_string(), |at| at.to_rfc3339_opts(chrono::SecondsFormat::Micros, true))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_reaches_the_terminal_raw() {
        assert_eq!(safe("plain é 😀"), "plain é 😀");
        assert_eq!(safe("\x1b[31mred\x07"), "\\u{1b}[31mred\\u{7}");
        assert_eq!(safe_json("\"a\u{202e}b\u{9b}\u{7f}é\""), "\"a\\u202eb\\u009b\\u007fé\"");
        assert_eq!(safe("a\u{202e}b\u{9b}c\nd\te"), "a\\u{202e}b\\u{9b}c⏎d e");
    }

    #[test]
    fn durations_and_sizes() {
        for (ms, expect) in [
            (0, "0 ms"),
            (999, "999 ms"),
            (1000, "1.00 s"),
            (59_999, "59.99 s"),
            (60_000, "1m 00s"),
            (471_700, "7m 51s"),
            (3_600_000, "1h 00m"),
            (172_800_000, "2d 00h"),
            (-5, "-5 ms"),
        ] {
            assert_eq!(duration(ms), expect);
        }
        for (bytes, expect) in
            [(0, "0 B"), (1023, "1023 B"), (1024, "1.0 KiB"), (1 << 30, "1.0 GiB"), (1_048_570, "1.0 MiB")]
        {
            assert_eq!(size(bytes), expect);
        }
    }

    #[test]
    fn numbers() {
        assert_eq!(count(0), "0");
        assert_eq!(count(1_234_567), "1\u{202f}234\u{202f}567".replace('\u{202f}', " "));
        assert_eq!(
            (counted(1, "retry", "retries"), counted(0, "retry", "retries")),
            ("1 retry".into(), "0 retries".into())
        );
        assert_eq!(percent(0.0), "0.0 %");
        assert_eq!(percent(0.0004), "<0.1 %");
        assert_eq!(sparkline(&[None, Some(0.0), Some(0.5), Some(1.0)]), "·▁▅█");
        assert_eq!(shortened("abcdef", 4), "abc…");
    }

    #[test]
    fn charts_in_ascii() {
        assert_eq!(shown_by(Glyphs::Ascii, "·▁▂▃▄▅▆▇█ 3× a→b … é"), "._.:-=+*# 3x a>b ~ é");
        assert_eq!(shown_by(Glyphs::All, "▁▂▃"), "▁▂▃");
    }
}
