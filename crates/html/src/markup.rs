//! Text on its way into the page: whatever stands in a log can only ever be text there.
//!
//! [`put!`] escapes every argument unless its type says that it needs none, so that forgetting to
//! escape is not possible: a plain string is always taken for something from outside.

use std::borrow::Cow;
use std::fmt::{self, Display, Formatter, Write};

/// Appends a format string, which is a literal, with its arguments escaped.
///
/// Names of variables cannot stand in the literal (`concat!` forbids that), so no argument gets
/// past [`Shown`].
macro_rules! put {
    ($out:expr, $format:literal $(, $argument:expr)* $(,)?) => {
        $crate::markup::append($out, format_args!(concat!($format), $($crate::markup::Shown(&$argument)),*))
    };
}
pub(crate) use put;

/// Appends to markup; a string never refuses.
pub fn append(out: &mut Markup, what: fmt::Arguments<'_>) {
    let _ = out.0.write_fmt(what);
}

/// Finished markup. Only [`put!`] adds to it.
#[derive(Debug, Default)]
pub struct Markup(String);

impl Markup {
    /// The page.
    pub fn into_string(self) -> String {
        self.0
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Characters of any one text: what stands in logs must not decide how large a page is.
const MAX_CHARS: usize = 600;

/// An argument of [`put!`].
pub struct Shown<'a, T: Show + ?Sized>(pub &'a T);

impl<T: Show + ?Sized> Display for Shown<'_, T> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.0.show(f)
    }
}

/// How a value stands in text and in quoted attributes alike.
pub trait Show {
    /// Writes it, escaped.
    fn show(&self, f: &mut Formatter<'_>) -> fmt::Result;
}

impl Show for str {
    fn show(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.chars().take(MAX_CHARS).try_for_each(|c| match c {
            '\n' => f.write_str("⏎"),
            '\t' => f.write_char(' '),
            c => escaped(c, f),
        })?;
        if self.chars().nth(MAX_CHARS).is_some() { f.write_str("…") } else { Ok(()) }
    }
}

impl Show for String {
    fn show(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.as_str().show(f)
    }
}

impl Show for Cow<'_, str> {
    fn show(&self, f: &mut Formatter<'_>) -> fmt::Result {
        (**self).show(f)
    }
}

impl<T: Show + ?Sized> Show for &T {
    fn show(&self, f: &mut Formatter<'_>) -> fmt::Result {
        (**self).show(f)
    }
}

impl Show for Markup {
    fn show(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Text whose lines are kept, for `<pre>`.
pub struct Lines<'a>(pub &'a str);

impl Show for Lines<'_> {
    fn show(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.0.chars().take(MAX_CHARS).try_for_each(|c| match c {
            '\n' | '\t' => f.write_char(c),
            c => escaped(c, f),
        })?;
        if self.0.chars().nth(MAX_CHARS).is_some() { f.write_str("…") } else { Ok(()) }
    }
}

/// Markup of this crate's own, known when it is compiled.
pub struct Own(pub &'static str);

impl Show for Own {
    fn show(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

/// A coordinate or a percentage of a width, to the tenth, without needless digits.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Px(pub f64);

impl Show for Px {
    fn show(&self, f: &mut Formatter<'_>) -> fmt::Result {
        // A figure that is none would be markup no browser can use.
        let value = if self.0.is_finite() { self.0.clamp(-9999.0, 9999.0) } else { 0.0 };
        let text = format!("{value:.1}");
        let short = text.strip_suffix(".0").unwrap_or(&text);
        f.write_str(if short == "-0" { "0" } else { short })
    }
}

/// A figure for programs: what a column is sorted by, and what the headline says.
pub struct Key(pub f64);

impl Show for Key {
    fn show(&self, f: &mut Formatter<'_>) -> fmt::Result {
        // What differs by less than a millionth looks the same to whoever sorts.
        let value = if self.0.abs() < 1e9 { (self.0 * 1e6).round() / 1e6 } else { self.0 };
        if value.is_finite() { write!(f, "{value}") } else { Ok(()) }
    }
}

macro_rules! shown_as_they_are {
    ($($number:ty),+) => {
        $(impl Show for $number {
            fn show(&self, f: &mut Formatter<'_>) -> fmt::Result {
                Display::fmt(self, f)
            }
        })+
    };
}
shown_as_they_are!(u32, u64, usize, i32, i64);

fn escaped(c: char, f: &mut Formatter<'_>) -> fmt::Result {
    match c {
        '&' => f.write_str("&amp;"),
        '<' => f.write_str("&lt;"),
        '>' => f.write_str("&gt;"),
        '"' => f.write_str("&quot;"),
        '\'' => f.write_str("&#39;"),
        c if is_unseen(c) => write!(f, "{}", c.escape_unicode()),
        c => f.write_char(c),
    }
}

/// Characters that act instead of showing: controls, those that turn the direction of writing
/// around, those without width, tags, and what no document may hold.
fn is_unseen(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}')
        || matches!(c, '\u{ad}' | '\u{34f}' | '\u{180e}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
        || u32::from(c) & 0xfffe == 0xfffe
        || matches!(c, '\u{fdd0}'..='\u{fdef}')
}

/// At most `width` characters; the last one an ellipsis where some are missing.
pub fn shortened(text: &str, width: usize) -> String {
    if text.chars().nth(width).is_none() {
        return text.to_owned();
    }
    text.chars().take(width.saturating_sub(1)).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(value: &(impl Show + ?Sized)) -> String {
        let mut out = Markup::default();
        put!(&mut out, "{}", value);
        out.into_string()
    }

    #[test]
    fn text_cannot_become_markup() {
        assert_eq!(
            shown("</style><b x='1' y=\"2\">&amp;"),
            "&lt;/style&gt;&lt;b x=&#39;1&#39; y=&quot;2&quot;&gt;&amp;amp;"
        );
        assert_eq!(shown("plain é 😀 עברית"), "plain é 😀 עברית");
    }

    #[test]
    fn what_acts_is_shown_instead() {
        assert_eq!(shown("a\0b\u{1b}[31mc\u{7f}\u{9b}"), "a\\u{0}b\\u{1b}[31mc\\u{7f}\\u{9b}");
        assert_eq!(shown("x\u{202e}y\u{2066}z\u{200b}\u{feff}"), "x\\u{202e}y\\u{2066}z\\u{200b}\\u{feff}");
        assert_eq!(shown("\u{fffe}\u{1ffff}\u{fdd0}\u{e0041}"), "\\u{fffe}\\u{1ffff}\\u{fdd0}\\u{e0041}");
        assert_eq!(shown("a\r\n\tb"), "a\\u{d}⏎ b");
        assert_eq!(shown(&Lines("a\r\n\tb<")), "a\\u{d}\n\tb&lt;");
    }

    #[test]
    fn numbers_are_short_and_always_numbers() {
        for (value, expect) in [
            (1.0, "1"),
            (1.04, "1"),
            (12.345, "12.3"),
            (100.0, "100"),
            (-0.001, "0"),
            (f64::NAN, "0"),
            (1e300, "9999"),
        ] {
            assert_eq!(shown(&Px(value)), expect);
        }
        assert_eq!(shown(&Key(0.1)), "0.1");
        assert_eq!(shown(&Key(1.0 / 3.0)), "0.333333");
        assert_eq!(shown(&Key(f64::INFINITY)), "");
    }

    #[test]
    fn cutting_counts_characters() {
        assert_eq!(shortened("äöüß", 4), "äöüß");
        assert_eq!(shortened("äöüßx", 4), "äöü…");
    }
}
