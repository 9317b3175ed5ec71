//! What every command that reads inputs does first: collect them, read them, say what was odd.

use std::collections::BTreeMap;
use std::io::Write;

use anyhow::Context;
use chrono::Utc;
use logmill_analyze::{Bucket, Buckets, Engine, Input, Options, Report, Selection, Survey};
use logmill_parse::Wants;

use crate::args::{InputArgs, NoteArgs, SelectArgs, TimeArgs};
use crate::failure::{Done, Failure};
use crate::inputs::{self, Source};
use crate::terminal::{Paint, safe};

/// Inputs that have been read.
#[derive(Debug)]
pub struct Session {
    /// The inputs.
    pub sources: Vec<Source>,
    /// The threads.
    pub engine: Engine,
    /// What was read.
    pub survey: Survey,
}

impl Session {
    /// Collects and reads the inputs.
    ///
    /// # Errors
    ///
    /// If the threads cannot be started.
    pub fn open(input: &InputArgs, wants: Wants) -> Result<Self, Failure> {
        let sources = inputs::collect(&input.paths);
        let options = Options {
            threads: input.threads,
            from: input.from.0,
            layout: input.layout.clone(),
            split: input.split_runs.into(),
            wants,
            ..Options::default()
        };
        let engine = Engine::new(options).context("cannot start reading")?;
        let list: Vec<&dyn Input> = sources.iter().map(|source| source as &dyn Input).collect();
        let survey = engine.survey(&list, &|_bytes| {});
        Ok(Self { sources, engine, survey })
    }

    /// The inputs as the engine wants them.
    #[must_use]
    pub fn inputs(&self) -> Vec<&dyn Input> {
        self.sources.iter().map(|source| source as &dyn Input).collect()
    }

    /// The report of the selected runs.
    ///
    /// # Errors
    ///
    /// If the time buckets are too narrow.
    pub fn report(&self, select: &Selection, time: &TimeArgs) -> Result<Report, Failure> {
        let buckets = Buckets { width: time.bucket, zone: time.time_zone };
        self.survey.report(select, buckets).map_err(|error| Failure::Usage(error.to_string()))
    }

    /// Says on standard error what could not be read, and whether that spoils the exit code:
    /// it does where an input was named, and with `--strict`.
    ///
    /// # Errors
    ///
    /// If standard error is closed.
    pub fn conclude(&self, report: &Report, notes: &NoteArgs, next: &str) -> Result<Done, Failure> {
        let paint = Paint::for_stderr(notes.color);
        let named: BTreeMap<&str, bool> =
            self.sources.iter().map(|source| (source.source(), source.is_named)).collect();
        let mut done = Done::Well;
        let mut lines = Vec::new();
        for issue in report
            .issues
            .iter()
            .filter(|issue| matches!(issue.code, "unreadable-input" | "unknown-format" | "error-body"))
        {
            let is_named = named.get(issue.source.as_str()).copied().unwrap_or(false);
            let is_fatal = is_named && issue.code != "error-body";
            if is_fatal {
                done = Done::WithComplaints;
            }
            let word = if is_fatal { paint.red("error") } else { paint.yellow("warning") };
            lines.push(format!("{word}: {}: {}", safe(&issue.source), safe(&issue.message)));
        }
        if notes.strict && report.issues.iter().any(|issue| issue.severity != logmill_parse::Severity::Info) {
            done = Done::WithComplaints;
        }
        let mut stderr = std::io::stderr().lock();
        let shown = if notes.quiet {
            lines.len().min(usize::from(done != Done::Well) * lines.len())
        } else {
            lines.len()
        };
        for line in lines.iter().take(shown.min(MAX_LINES)) {
            writeln!(stderr, "{line}").context("cannot write to standard error")?;
        }
        if shown > MAX_LINES {
            writeln!(stderr, "… and {} more; all are in the table `issues`", shown - MAX_LINES)
                .context("cannot write to standard error")?;
        }
        if !notes.quiet && !next.is_empty() {
            writeln!(stderr, "{}", paint.dim(next)).context("cannot write to standard error")?;
        }
        Ok(done)
    }
}

/// Lines about inputs that could not be read.
const MAX_LINES: usize = 20;

/// The selection the options stand for. This is the one place where the clock is read.
#[must_use]
pub fn selection(select: &SelectArgs, zone: chrono_tz::Tz) -> Selection {
    let now = Utc::now();
    Selection {
        since: select.since.and_then(|when| when.resolve(now, zone)),
        until: select.until.and_then(|when| when.resolve(now, zone)),
        runs: Vec::new(),
        groups: select.group.clone(),
        statuses: select.status.clone(),
    }
}

/// Time buckets of commands that show none.
#[must_use]
pub const fn any_time() -> TimeArgs {
    TimeArgs { bucket: Bucket::Auto, time_zone: chrono_tz::UTC }
}
