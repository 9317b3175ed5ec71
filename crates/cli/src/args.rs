//! The command line: every command and option, and what their values mean.

mod about;
#[cfg(feature = "fetch")]
pub mod fetch;
mod help;
mod values;

use std::ffi::OsStr;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use clap::{Args, FromArgMatches, Parser, Subcommand};
use logmill_analyze::{Bucket, Layout};
use logmill_frame::FileFormat;
use logmill_parse::{Level, Status};

use crate::failure::Failure;
use crate::inputs::Bounds;
use crate::when::When;
pub use about::{CompletionsArgs, ExplainArgs, FormatsArgs, ManArgs, SchemaArgs};
pub use help::{Length, command, definition};
pub use values::{Color, FromFormat, Generated, Split, Tables};

/// Mills logs of automation platforms into tables: durations, error rates, events
#[derive(Debug, Parser)]
#[command(name = "logmill", version, arg_required_else_help = true, max_term_width = 100)]
#[command(after_help = EXAMPLES)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

const EXAMPLES: &str = "\
Examples:
  logmill demo demo                          writes an example dump to try it on
  logmill report dumps/                      a summary of all logs below dumps/
  logmill report dumps/ -o out/              the same, and tables as Parquet
  logmill show aB3dE6gH9jK2mN5pQ dumps/      one run: its steps and its errors
  logmill convert dumps/ -o events.parquet   every event";

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Summarise runs, durations and errors; write every report table
    #[command(
        after_help = "Examples:\n  logmill report dumps/\n  logmill report dumps/ -o out/ --to csv --to parquet\n  logmill report dumps/ --html report.html\n  logmill report dumps/ --since 7d --bucket 1d"
    )]
    Report(ReportArgs),
    /// Write one or more full tables
    #[command(
        after_help = "Examples:\n  logmill convert dumps/ -o events.parquet\n  logmill convert dumps/ -o runs.csv --table runs\n  logmill convert dumps/ -o out/ --table all --to ndjson"
    )]
    Convert(ConvertArgs),
    /// Say what is here: formats, sizes, times, what is incomplete
    #[command(after_help = "Examples:\n  logmill detect dumps/\n  logmill detect some.log --json")]
    Detect(DetectArgs),
    /// List runs
    #[command(
        after_help = "Examples:\n  logmill runs dumps/ --status failed\n  logmill runs dumps/ --sort duration_ms --limit 5"
    )]
    Runs(TableArgs),
    /// List steps of runs
    #[command(
        after_help = "Examples:\n  logmill steps dumps/ --sort duration_ms --limit 10\n  logmill steps dumps/ --group my-worker --json"
    )]
    Steps(TableArgs),
    /// List error groups, most frequent first
    #[command(
        after_help = "Examples:\n  logmill errors dumps/\n  logmill errors dumps/ --since yesterday --level error"
    )]
    Errors(TableArgs),
    /// List requests that were retried or lost
    #[command(
        after_help = "Examples:\n  logmill requests dumps/ --sort attempts\n  logmill requests dumps/ --group my-actor --json"
    )]
    Requests(TableArgs),
    /// List percentiles of durations by group and step
    #[command(after_help = "Examples:\n  logmill durations dumps/\n  logmill durations dumps/ --sort p95_ms")]
    Durations(TableArgs),
    /// List failure and error rates by group and time
    #[command(
        after_help = "Examples:\n  logmill rates dumps/ --bucket 1d\n  logmill rates dumps/ --bucket 1h --time-zone Europe/Prague"
    )]
    Rates(TableArgs),
    /// Show one run: its steps, and its errors with the lines around them
    #[command(
        after_help = "Examples:\n  logmill show aB3dE6gH9jK2mN5pQ dumps/\n  logmill show aB3dE6gH9jK2mN5pQ dumps/ --context 5"
    )]
    Show(ShowArgs),
    /// Measure how fast logs are read here, by format and stage
    #[command(
        after_help = "Examples:\n  logmill bench dumps/\n  logmill bench --generate 1M apify-log\n  logmill bench --generate 1M all --json"
    )]
    Bench(BenchArgs),
    /// List the formats that are read
    #[command(after_help = "Examples:\n  logmill formats\n  logmill formats --json")]
    Formats(FormatsArgs),
    /// Describe the tables and their columns
    #[command(
        after_help = "Examples:\n  logmill schema\n  logmill schema runs\n  logmill schema runs --json"
    )]
    Schema(SchemaArgs),
    /// Explain a code of the table `issues`, or how a line was read
    #[command(
        after_help = "Examples:\n  logmill explain\n  logmill explain truncated-log\n  logmill explain some.log:5"
    )]
    Explain(ExplainArgs),
    /// Write a small example dump
    #[command(after_help = "Examples:\n  logmill demo demo/ && logmill report demo/")]
    Demo(DemoArgs),
    /// Download logs from the platforms
    #[cfg(feature = "fetch")]
    #[command(
        after_help = "Examples:\n  logmill fetch apify-log aB3dE6gH9jK2mN5pQ\n  logmill fetch apify-log --actor janedoe~shop --since 7d -o dumps && logmill report dumps"
    )]
    Fetch(fetch::FetchArgs),
    /// Print what makes a shell complete commands and options
    #[command(
        after_help = "Examples:\n  logmill completions bash\n  logmill completions zsh\n  logmill completions fish"
    )]
    Completions(CompletionsArgs),
    /// Print the manual page, or write one per command
    #[command(after_help = "Examples:\n  logmill man\n  logmill man man1/")]
    Man(ManArgs),
}

impl Command {
    /// Whether secrets are masked in what it says.
    #[must_use]
    pub const fn is_redacted(&self) -> bool {
        match self {
            Self::Report(args) => args.input.redact,
            Self::Convert(args) => args.input.redact,
            Self::Detect(args) => args.input.redact,
            Self::Runs(args)
            | Self::Steps(args)
            | Self::Errors(args)
            | Self::Requests(args)
            | Self::Durations(args)
            | Self::Rates(args) => args.input.redact,
            Self::Show(args) => args.input.redact,
            Self::Explain(args) => args.redact,
            _ => false,
        }
    }
}

/// What to read, and how.
#[derive(Debug, Args)]
#[command(next_help_heading = "Input")]
pub struct InputArgs {
    /// Files, folders, globs, or `-` for standard input
    ///
    /// Folders are walked; hidden files and tables that logmill wrote are passed over.
    #[arg(required = true, value_name = "PATHS")]
    pub paths: Vec<PathBuf>,
    /// Format of all inputs, instead of recognising each by its content
    #[arg(long, value_name = "FORMAT", default_value = "auto", value_parser = values::format())]
    pub from: FromFormat,
    /// How paths name runs and groups, e.g. `{group}/{run_id}.log`
    #[arg(long, value_name = "PATTERN")]
    pub layout: Option<Layout>,
    /// Whether a further start in one file begins another run
    #[arg(long, value_name = "WHEN", default_value = "auto")]
    pub split_runs: Split,
    /// Most decompressed bytes of one compressed file or archive, such as `200GiB`
    #[arg(long, value_name = "SIZE", default_value = "64GiB", value_parser = values::size)]
    pub max_decompressed: u64,
    /// Most decompressed bytes of one member of an archive
    #[arg(long, value_name = "SIZE", default_value = "16GiB", value_parser = values::size)]
    pub max_member: u64,
    /// Threads [default: all cores]
    #[arg(long, value_name = "N")]
    pub threads: Option<NonZeroUsize>,
    /// Mask secrets and e-mail addresses in every output
    ///
    /// Tokens, passwords, signatures, private keys and addresses become pseudonyms: <secret:9f3a6c21>. The same
    /// secret has the same one everywhere, so that who guesses a secret can confirm the guess, unless the
    /// environment variable `LOGMILL_REDACT_KEY` holds a key that is not told.
    #[arg(long, help_heading = "Output")]
    pub redact: bool,
}

impl InputArgs {
    /// How much may come out of compressed files.
    #[must_use]
    pub const fn bounds(&self) -> Bounds {
        Bounds { total_bytes: self.max_decompressed, member_bytes: self.max_member }
    }

    /// One file, read as is usual.
    ///
    /// # Errors
    ///
    /// If the options of inputs have no defaults.
    pub fn of(path: &Path) -> Result<Self, Failure> {
        let command = Self::augment_args(clap::Command::new("input").no_binary_name(true));
        let matches = command.try_get_matches_from([OsStr::new("--"), path.as_os_str()]);
        matches
            .and_then(|matches| Self::from_arg_matches(&matches))
            .map_err(|error| Failure::Usage(error.to_string()))
    }
}

/// Which runs.
#[derive(Debug, Args, Default)]
#[command(next_help_heading = "Selection")]
pub struct SelectArgs {
    /// Runs that started since then: 2026-01-31, 7d, yesterday
    ///
    /// A time like 2026-01-31T10:00:00Z, a date, a span before now like 3h, 7d or 2w, `today`, `yesterday`. Days, and
    /// times without a zone as in `2026-01-31 10:00`, are of UTC, or of the zone that --time-zone names.
    #[arg(long, value_name = "WHEN", allow_hyphen_values = true)]
    pub since: Option<When>,
    /// Runs that started before then
    ///
    /// As for --since.
    #[arg(long, value_name = "WHEN", allow_hyphen_values = true)]
    pub until: Option<When>,
    /// Runs of this actor, worker, workflow …; repeatable
    #[arg(long, value_name = "NAME")]
    pub group: Vec<String>,
    /// Runs that ended so: failed, succeeded …; repeatable
    #[arg(long, value_name = "STATUS", value_parser = values::status())]
    pub status: Vec<Status>,
}

/// How time is cut up.
#[derive(Debug, Args)]
#[command(next_help_heading = "Time")]
pub struct TimeArgs {
    /// Width of time buckets: auto, 15m, 1h, 1d, 1w …
    #[arg(long, value_name = "WIDTH", default_value = "auto")]
    pub bucket: Bucket,
    /// Zone in which days and weeks begin
    #[arg(long, value_name = "ZONE", default_value = "UTC", value_parser = values::time_zone)]
    pub time_zone: chrono_tz::Tz,
}

/// What is said on the way.
#[derive(Debug, Args)]
#[command(next_help_heading = "Diagnostics")]
pub struct NoteArgs {
    /// Say nothing on standard error but errors
    #[arg(long, short)]
    pub quiet: bool,
    /// Show every place that was not read as expected
    ///
    /// At most 100 of them, on standard error; the table `issues` has them all.
    #[arg(long, short, conflicts_with = "quiet")]
    pub verbose: bool,
    /// When to use colour
    #[arg(long, value_name = "WHEN", default_value = "auto")]
    pub color: Color,
    /// Exit with 1 when anything could not be read as expected
    #[arg(long)]
    pub strict: bool,
    /// Exit with 1 when more lines or records were rejected: 100, or 0.5%
    ///
    /// Outputs are written all the same.
    #[arg(long, value_name = "N|PCT", value_parser = values::max_bad)]
    pub max_bad: Option<MaxBad>,
    /// Keep the raw bytes of what could not be read in this folder
    #[arg(long, value_name = "DIR")]
    pub quarantine: Option<PathBuf>,
}

/// Value of `--max-bad`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum MaxBad {
    /// So many.
    Count(u64),
    /// So many of a hundred.
    Percent(f64),
}

impl MaxBad {
    /// Whether `bad` of `all` are too many.
    #[must_use]
    pub fn is_exceeded(self, (bad, all): (u64, u64)) -> bool {
        match self {
            Self::Count(most) => bad > most,
            Self::Percent(most) => bad as f64 * 100.0 > most * all as f64,
        }
    }
}

/// How tables are written.
#[derive(Debug, Args)]
#[command(next_help_heading = "Output")]
pub struct WriteArgs {
    /// Kind of file: parquet, csv, ndjson; may be repeated
    ///
    /// Without it what the suffix of -o says, and else parquet.
    #[arg(long, value_name = "KIND", value_parser = values::file_format())]
    pub to: Vec<FileFormat>,
    /// Replace outputs that exist
    #[arg(long)]
    pub overwrite: bool,
    /// In CSV, put `'` before text that a spreadsheet would take for a formula
    #[arg(long)]
    pub csv_safe: bool,
}

/// `logmill report`
#[derive(Debug, Args)]
pub struct ReportArgs {
    #[command(flatten)]
    pub input: InputArgs,
    /// Folder for the tables and their manifest
    ///
    /// Without it only the summary is printed.
    #[arg(short, long, value_name = "DIR", help_heading = "Output")]
    pub output: Option<PathBuf>,
    /// File for the report as one HTML page
    ///
    /// It needs nothing else: no network, no other file.
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub html: Option<PathBuf>,
    #[command(flatten)]
    pub write: WriteArgs,
    /// Print the summary as JSON
    #[arg(long, help_heading = "Output")]
    pub json: bool,
    #[command(flatten)]
    pub select: SelectArgs,
    #[command(flatten)]
    pub time: TimeArgs,
    #[command(flatten)]
    pub notes: NoteArgs,
}

/// `logmill convert`
#[derive(Debug, Args)]
pub struct ConvertArgs {
    #[command(flatten)]
    pub input: InputArgs,
    /// File for one table, folder for several, `-` for a pipe
    #[arg(short, long, value_name = "OUT", help_heading = "Output")]
    pub output: PathBuf,
    /// Table to write, or `all`; may be repeated
    #[arg(long, value_name = "TABLE", default_value = "events", value_parser = values::tables(), help_heading = "Output")]
    pub table: Vec<Tables>,
    #[command(flatten)]
    pub write: WriteArgs,
    #[command(flatten)]
    pub select: SelectArgs,
    /// Events at this level or worse
    #[arg(long, value_name = "LEVEL", value_parser = values::level(), help_heading = "Selection")]
    pub level: Option<Level>,
    #[command(flatten)]
    pub time: TimeArgs,
    #[command(flatten)]
    pub notes: NoteArgs,
}

/// `logmill detect`
#[derive(Debug, Args)]
pub struct DetectArgs {
    #[command(flatten)]
    pub input: InputArgs,
    /// One JSON object per file instead of a table
    #[arg(long, help_heading = "Output")]
    pub json: bool,
    #[command(flatten)]
    pub notes: NoteArgs,
}

/// `logmill runs`, `steps`, `errors` …
#[derive(Debug, Args)]
pub struct TableArgs {
    #[command(flatten)]
    pub input: InputArgs,
    #[command(flatten)]
    pub select: SelectArgs,
    /// Error groups at this level or worse
    #[arg(long, value_name = "LEVEL", value_parser = values::level(), help_heading = "Selection")]
    pub level: Option<Level>,
    /// Rows to show; 0 shows all
    ///
    /// Without it 20 on a terminal, and all of them elsewhere.
    #[arg(long, value_name = "N", help_heading = "Output")]
    pub limit: Option<usize>,
    /// Column to sort by, largest first; -COLUMN reverses
    ///
    /// `logmill schema` lists the columns of every table.
    #[arg(long, value_name = "COLUMN", allow_hyphen_values = true, help_heading = "Output")]
    pub sort: Option<String>,
    /// One JSON object per row, with every column
    #[arg(long, help_heading = "Output")]
    pub json: bool,
    #[command(flatten)]
    pub time: TimeArgs,
    #[command(flatten)]
    pub notes: NoteArgs,
}

/// `logmill show`
#[derive(Debug, Args)]
pub struct ShowArgs {
    /// Id of the run, or its beginning
    #[arg(value_name = "RUN_ID")]
    pub run_id: String,
    #[command(flatten)]
    pub input: InputArgs,
    /// Events shown before and after each error
    #[arg(long, short = 'C', value_name = "N", default_value_t = 2, help_heading = "Output")]
    pub context: usize,
    /// One JSON object: the run, its steps, its first errors
    #[arg(long, help_heading = "Output")]
    pub json: bool,
    #[command(flatten)]
    pub notes: NoteArgs,
}

/// `logmill bench`
#[derive(Debug, Args)]
pub struct BenchArgs {
    /// Files, folders (walked), globs, or `-` for standard input
    #[arg(value_name = "PATHS", required_unless_present = "generate", help_heading = "Input")]
    pub paths: Vec<PathBuf>,
    /// A generated dump of about this size (`64M`, `1G`) and this format (or `all`), made in a temporary folder
    #[arg(long, num_args = 2, value_names = ["SIZE", "FORMAT"], help_heading = "Input")]
    pub generate: Option<Vec<String>>,
    /// Threads beside one [default: all cores]
    #[arg(long, value_name = "N", help_heading = "Input")]
    pub threads: Option<NonZeroUsize>,
    /// Repetitions of every stage
    #[arg(long, value_name = "N", default_value = "5", help_heading = "Output")]
    pub repeat: NonZeroUsize,
    /// Print the figures as JSON
    #[arg(long, help_heading = "Output")]
    pub json: bool,
    #[command(flatten)]
    pub notes: NoteArgs,
}

/// `logmill demo`
#[derive(Debug, Args)]
pub struct DemoArgs {
    /// Folder to write to; must not exist or be empty
    #[arg(value_name = "DIR")]
    pub folder: PathBuf,
}
