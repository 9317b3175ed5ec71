//! Values of options: what is accepted, and what is said to those who mistype it.

use clap::ValueEnum;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use logmill_analyze::SplitRuns;
use logmill_frame::{FileFormat, Table};
use logmill_generate::FormatId;
use logmill_parse::{Format, Level, Status};

use crate::args::MaxBad;
use crate::nearest::{nearest, tip};

/// Value of `--from`.
#[derive(Clone, Copy)]
pub struct FromFormat(pub Option<&'static dyn Format>);

impl std::fmt::Debug for FromFormat {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0.map_or("auto", |format| format.about().id))
    }
}

/// Value of `--table`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tables {
    /// One.
    One(Table),
    /// Every one.
    All,
}

/// Value of `--split-runs`.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum Split {
    /// As the path and the log tell.
    Auto,
    /// Yes.
    Always,
    /// No: it begins a segment of the same run.
    Never,
}

impl From<Split> for SplitRuns {
    fn from(split: Split) -> Self {
        match split {
            Split::Auto => Self::Auto,
            Split::Always => Self::Always,
            Split::Never => Self::Never,
        }
    }
}

/// Value of `--color`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// On a terminal that has it; `NO_COLOR` and `CLICOLOR_FORCE` are heeded.
    Auto,
    /// Yes.
    Always,
    /// No.
    Never,
}

/// Value of `--generate`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Generated {
    /// Bytes in all.
    pub bytes: u64,
    /// Formats that share them.
    pub formats: Vec<FormatId>,
}

impl Generated {
    /// Reads `SIZE FORMAT`.
    ///
    /// # Errors
    ///
    /// What was expected, and what was found.
    pub fn of(words: &[String]) -> Result<Self, String> {
        let [size, format] = words else { return Err("expected SIZE FORMAT for --generate".to_owned()) };
        let formats = match format.as_str() {
            "all" => FormatId::ALL.to_vec(),
            id => vec![FormatId::from_id(id).ok_or_else(|| {
                let ids: Vec<&str> =
                    FormatId::ALL.iter().map(|format| format.as_str()).chain(["all"]).collect();
                let found = id.escape_debug();
                format!("expected one of {}, found `{found}`{}", ids.join(", "), tip(id, ids.iter().copied()))
            })?],
        };
        Ok(Self { bytes: self::size(size)?, formats })
    }
}

/// One of a closed list of words: help and completions list them, a slip is answered with the nearest.
fn one_of<T: Clone + Send + Sync + 'static>(
    words: Vec<&'static str>,
    find: fn(&str) -> Option<T>,
) -> impl TypedValueParser<Value = T> {
    PossibleValuesParser::new(words)
        .try_map(move |word| find(&word).ok_or_else(|| format!("`{}` is unknown", word.escape_debug())))
}

/// `--from`
pub fn format() -> impl TypedValueParser<Value = FromFormat> {
    let ids = logmill_parse::format::ALL.iter().map(|format| format.about().id);
    one_of(std::iter::once("auto").chain(ids).collect(), |text| match text {
        "auto" => Some(FromFormat(None)),
        id => logmill_parse::format::by_id(id).map(|format| FromFormat(Some(format))),
    })
}

/// `--status`
pub fn status() -> impl TypedValueParser<Value = Status> {
    one_of(Status::ALL.iter().map(|status| status.as_str()).collect(), Status::from_word)
}

/// `--level`
pub fn level() -> impl TypedValueParser<Value = Level> {
    one_of(Level::ALL.iter().map(|level| level.as_str()).collect(), Level::from_word)
}

/// `--to`
pub fn file_format() -> impl TypedValueParser<Value = FileFormat> {
    one_of(FileFormat::ALL.iter().map(|format| format.as_str()).collect(), FileFormat::from_word)
}

/// `logmill schema TABLE`
pub fn table() -> impl TypedValueParser<Value = Table> {
    one_of(Table::ALL.iter().map(|table| table.as_str()).collect(), Table::from_word)
}

/// `--table`
pub fn tables() -> impl TypedValueParser<Value = Tables> {
    let names = Table::ALL.iter().map(|table| table.as_str());
    one_of(names.chain(["all"]).collect(), |text| match text {
        "all" => Some(Tables::All),
        name => Table::from_word(name).map(Tables::One),
    })
}

/// `--time-zone`: a name of the time zone database, in whatever case.
pub fn time_zone(text: &str) -> Result<chrono_tz::Tz, String> {
    let names = || chrono_tz::TZ_VARIANTS.iter().map(|zone| zone.name());
    let known = chrono_tz::TZ_VARIANTS.iter().find(|zone| zone.name().eq_ignore_ascii_case(text));
    known.copied().ok_or_else(|| {
        // People type the city alone, with a blank where the name has an underscore.
        let city = text.replace(' ', "_").to_lowercase();
        let of_city = names().find(|name| name.to_lowercase().rsplit('/').next() == Some(city.as_str()));
        let nearest = of_city.or_else(|| nearest(text, names()));
        let tip = nearest.map_or_else(String::new, |name| format!("; did you mean `{name}`?"));
        format!("expected a time zone like UTC or Europe/Prague, found `{}`{tip}", text.escape_debug())
    })
}

/// A number of bytes: `1048576`, `512KiB`, `10MB`, `64GiB`.
///
/// # Errors
///
/// If it is none.
pub fn size(text: &str) -> Result<u64, String> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (digits, unit) = text.split_at(end);
    let factor = match unit.trim().to_ascii_lowercase().as_str() {
        "" | "b" => Some(1),
        "k" | "kib" => Some(1 << 10),
        "m" | "mib" => Some(1 << 20),
        "g" | "gib" => Some(1 << 30),
        "t" | "tib" => Some(1 << 40),
        "kb" => Some(1000),
        "mb" => Some(1_000_000),
        "gb" => Some(1_000_000_000),
        "tb" => Some(1_000_000_000_000_u64),
        _ => None,
    };
    digits
        .parse::<u64>()
        .ok()
        .zip(factor)
        .and_then(|(number, factor)| number.checked_mul(factor))
        .ok_or_else(|| format!("expected a size such as 512MiB, 10GB or 1048576, found `{text}`"))
}

/// `100` or `0.5%`
///
/// # Errors
///
/// If it is neither.
pub fn max_bad(text: &str) -> Result<MaxBad, String> {
    let expected = || {
        format!(
            "expected a number such as 100, or a percentage such as 0.5%, found `{}`",
            text.escape_debug()
        )
    };
    match text.strip_suffix('%') {
        Some(percent) => match percent.trim().parse::<f64>() {
            Ok(percent) if (0.0..=100.0).contains(&percent) => Ok(MaxBad::Percent(percent)),
            _ => Err(expected()),
        },
        None => text.parse().map(MaxBad::Count).map_err(|_| expected()),
    }
}
