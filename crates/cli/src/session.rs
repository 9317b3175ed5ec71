//! What every command that reads inputs does first: collect them, read them, say what was odd.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::{IsTerminal, Write};
use std::sync::Arc;

use anyhow::Context;
use chrono::Utc;
use logmill_analyze::model::IssueRow;
use logmill_analyze::{
    Bucket, Buckets, Detail, Engine, Input, Options, Redactor, Report, Selection, Survey, Unread,
};

use crate::args::{InputArgs, NoteArgs, SelectArgs, TimeArgs};
use crate::failure::{Done, Failure};
use crate::inputs::{self, Collecting, Origin, Source};
use crate::progress::{Audience, Meter, Metered, Quiet, Running};
use crate::terminal::{Paint, count, counted, for_stderr, safe};
use crate::{nearest, notes, quarantine};

/// Inputs that have been read.
#[derive(Debug)]
pub struct Session {
    sources: Vec<Metered>,
    meter: Arc<Meter>,
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
    pub fn open(input: &InputArgs, notes: &NoteArgs, detail: Detail) -> Result<Self, Failure> {
        if let Some(folder) = &notes.quarantine {
            quarantine::check(folder, &input.paths)?;
        }
        let quiet = if notes.quiet { Quiet::Yes } else { Quiet::No };
        let meter = Arc::new(Meter::new(Audience::unless(quiet)));
        let options = Options {
            threads: input.threads,
            from: input.from.0,
            layout: input.layout.clone(),
            split: input.split_runs.into(),
            detail,
            redactor: redactor(input.redact),
            ..Options::default()
        };
        let engine = Engine::new(options).context("cannot start reading")?;
        let (sources, survey) = read(input, &engine, &meter);
        Ok(Self { sources, meter, engine, survey })
    }

    /// The inputs as they were collected.
    pub fn sources(&self) -> impl Iterator<Item = &Source> {
        self.sources.iter().map(|input| &input.source)
    }

    /// What masks secrets, if they are to be masked.
    #[must_use]
    pub const fn redactor(&self) -> Option<&Redactor> {
        self.engine.options().redactor.as_ref()
    }

    /// The text as it may be shown.
    #[must_use]
    pub fn masked<'t>(&self, text: &'t str) -> Cow<'t, str> {
        self.redactor().map_or(Cow::Borrowed(text), |redactor| redactor.text(text))
    }

    /// The inputs as the engine wants them.
    #[must_use]
    pub fn inputs(&self) -> Vec<&dyn Input> {
        self.sources.iter().map(|source| source as &dyn Input).collect()
    }

    /// Shows on a terminal how far reading the inputs again has come, until what this returns goes.
    pub fn again(&self, what: &'static str) -> Running<'_> {
        let bytes = self.sources.iter().map(Input::size_hint).sum();
        self.meter.begin(what, bytes, self.sources.len() as u64)
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

    /// Says on standard error what could not be read and how things ended, and whether that spoils
    /// the exit code: it does where an input was named, and with `--strict`.
    ///
    /// # Errors
    ///
    /// If standard error is closed.
    pub fn conclude(&self, report: &Report, notes: &NoteArgs, end: &Ending) -> Result<Done, Failure> {
        let paint = Paint::for_stderr(notes.color);
        let (named, found) = self.unread(report);
        let complaints = self.complaints(report, notes, end, paint);
        let is_spoilt = named.iter().any(|issue| notes::is_fatal(issue)) || !complaints.is_empty();
        let kept = notes.quarantine.as_ref().map(|folder| quarantine::write(self, folder)).transpose()?;
        let mut lines: Vec<String> = Vec::new();
        if is_spoilt || !notes.quiet {
            if notes.verbose {
                lines.extend(notes::one_by_one(report, &self.shown(), paint));
            }
            lines.extend(self.of_named(&named, paint));
            lines.extend(complaints);
        }
        if !notes.quiet {
            lines.extend(notes::of_found(&found, paint));
            lines.extend(self.remarks(report, notes, end, paint));
            if let (Some(n), Some(folder)) = (kept, &notes.quarantine) {
                let pieces = counted(n as u64, "piece", "pieces");
                let folder = folder.to_string_lossy();
                lines.push(format!("kept {pieces} that could not be read in {}", safe(&folder)));
            }
            lines.extend(end.said.clone());
            if std::io::stderr().is_terminal() {
                lines.extend(end.next.as_ref().map(|next| paint.dim(&format!("next: {next}"))));
            }
        }
        let mut stderr = std::io::stderr().lock();
        for line in lines {
            writeln!(stderr, "{}", for_stderr(&self.masked(&line)))
                .context("cannot write to standard error")?;
        }
        Ok(if is_spoilt { Done::WithComplaints } else { Done::Well })
    }

    /// What is wrong with the inputs that were named, as far as it is told one by one.
    fn of_named(&self, named: &[&IssueRow], paint: Paint) -> Vec<String> {
        let of_named = |issue: &&IssueRow| notes::of_named(issue, self.input_of(issue), paint);
        let mut lines: Vec<String> = named.iter().take(MAX_UNREAD).map(of_named).collect();
        if let Some(more) = named.len().checked_sub(MAX_UNREAD).filter(|more| *more > 0) {
            let more = count(more as u64);
            lines.push(format!("{}: and {more} more like these (table `issues`)", paint.red("error")));
        }
        lines
    }

    /// What spoils the exit code, but for inputs that were named: those that could not be read again, and
    /// more that is wrong than the options allow.
    fn complaints(&self, report: &Report, notes: &NoteArgs, end: &Ending, paint: Paint) -> Vec<String> {
        let mut lines: Vec<String> =
            end.unread.iter().take(MAX_UNREAD).map(|unread| safe(&unread.to_string()).into_owned()).collect();
        let rejected = self.survey.rejected();
        if notes.max_bad.is_some_and(|most| most.is_exceeded(rejected)) {
            let (bad, all) = rejected;
            let what = format!("{} of {} lines or records were rejected", count(bad), count(all));
            lines.push(format!("{what}, more than --max-bad allows"));
        }
        let objects = |issue: &&IssueRow| issue.severity != logmill_parse::Severity::Info;
        let objections = report.issues.iter().filter(objects).count() as u64;
        if notes.strict && objections > 0 {
            let what = counted(objections, "issue is", "issues are");
            lines.push(format!("{what} more than --strict allows"));
        }
        lines.iter().map(|line| format!("{}: {line}", paint.red("error"))).collect()
    }

    /// What is worth knowing and spoils nothing.
    fn remarks(&self, report: &Report, notes: &NoteArgs, end: &Ending, paint: Paint) -> Vec<String> {
        let how =
            if notes.verbose { "`logmill explain CODE` explains them" } else { "--verbose shows where" };
        let issues = notes::in_one_line(report).map(|issues| format!("{issues}; {how}"));
        let remarks = issues.into_iter().chain(self.of_nothing(report, end));
        remarks.map(|remark| format!("{}: {remark}", paint.dim("note"))).collect()
    }

    /// The inputs whose lines may be shown as they stand there: none where secrets are masked, for a line that
    /// is cut does not tell what is one.
    fn shown(&self) -> Vec<&dyn Input> {
        if self.redactor().is_some() { Vec::new() } else { self.inputs() }
    }

    fn input_of(&self, issue: &IssueRow) -> Option<&dyn Input> {
        if self.redactor().is_some() {
            return None;
        }
        let is_it =
            |input: &&Metered| input.source() == issue.source && input.member() == issue.member.as_deref();
        self.sources.iter().find(is_it).map(|input| input as &dyn Input)
    }

    /// Why there is nothing to show, where there is nothing.
    fn of_nothing(&self, report: &Report, end: &Ending) -> Option<String> {
        if report.files.is_empty() {
            let why = "no file found; hidden ones are passed over, and so are tables written by this program";
            return Some(why.to_owned());
        }
        if !report.runs.is_empty() || report.files.iter().all(|file| file.n_events == 0) {
            return None;
        }
        let groups = self.survey.groups();
        let unknown: Vec<String> = end
            .groups
            .iter()
            .filter(|group| !groups.contains(group.as_str()))
            .map(|group| {
                format!(
                    "; no group is called `{}`{}",
                    safe(group),
                    nearest::tip(group, groups.iter().copied())
                )
            })
            .collect();
        Some(format!("no run matches --since, --until, --group and --status{}", unknown.concat()))
    }

    /// What says that an input is no log or cannot be read: of inputs that were named, and of those
    /// found by walking.
    fn unread<'r>(&self, report: &'r Report) -> (Vec<&'r IssueRow>, Vec<&'r IssueRow>) {
        let origins: BTreeMap<(Cow<'_, str>, Option<Cow<'_, str>>), Origin> = self
            .sources()
            .map(|source| {
                let member = source.member().map(|member| self.masked(member));
                ((self.masked(source.source()), member), source.origin)
            })
            .collect();
        let origin = |issue: &'r IssueRow| {
            let member = issue.member.as_deref().map(Cow::Borrowed);
            origins.get(&(Cow::Borrowed(issue.source.as_str()), member)).copied()
        };
        let is_named = |issue: &&'r IssueRow| match origin(issue) {
            Some(Origin::Named) => true,
            // Whoever names an archive expects to see all of it, but not that everything in it is a log.
            Some(Origin::InNamed) => notes::is_unread(issue),
            Some(Origin::Found | Origin::InFound) | None => false,
        };
        report.issues.iter().filter(|issue| notes::is_about_the_input(issue)).partition(is_named)
    }
}

/// Collects the inputs and reads them: twice where one is packed whose name says that it is not.
fn read(input: &InputArgs, engine: &Engine, meter: &Arc<Meter>) -> (Vec<Metered>, Survey) {
    let how = Collecting { bounds: input.bounds(), threads: input.threads, meter };
    let metered = |sources: Vec<Source>| -> Vec<Metered> {
        sources.into_iter().map(|source| Metered::new(source, meter)).collect()
    };
    let mut sources = metered(inputs::collect(&input.paths, how));
    let first = survey(&sources, engine, meter);
    if sources.iter().any(|input| input.source.is_misnamed()) {
        // Two surveys would take twice the memory.
        drop(first);
        let found = sources.into_iter().map(|input| input.source).collect();
        let sources = metered(inputs::look_into_all(found, how));
        let survey = survey(&sources, engine, meter);
        return (sources, survey);
    }
    for input in &mut sources {
        input.source.settle();
    }
    (sources, first)
}

/// Reads all inputs, and shows how far it is.
fn survey(sources: &[Metered], engine: &Engine, meter: &Meter) -> Survey {
    let list: Vec<&dyn Input> = sources.iter().map(|source| source as &dyn Input).collect();
    let bytes = list.iter().map(|input| input.size_hint()).sum();
    let _reading = meter.begin("reading", bytes, list.len() as u64);
    engine.survey(&list)
}

/// How a command ends, on standard error.
#[derive(Debug, Default)]
pub struct Ending {
    /// What was done.
    pub said: Option<String>,
    /// What may be done next; only people are told.
    pub next: Option<String>,
    /// Inputs whose events are not all there.
    pub unread: Vec<Unread>,
    /// Groups that were asked for.
    pub groups: Vec<String>,
}

impl Ending {
    /// Says what may be done next.
    #[must_use]
    pub fn next(next: impl Into<String>) -> Self {
        Self { next: Some(next.into()), ..Self::default() }
    }

    /// Remembers which groups were asked for: there may be none of the name.
    #[must_use]
    pub fn asked(self, select: &Selection) -> Self {
        Self { groups: select.groups.clone(), ..self }
    }
}

/// Inputs named one by one that could not be read, or not again.
const MAX_UNREAD: usize = 20;

/// The selection the options stand for; `7d` means seven days before now.
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

/// What masks secrets where that is asked for, with the key of the environment.
#[must_use]
pub fn redactor(is_wanted: bool) -> Option<Redactor> {
    let key = || std::env::var_os("LOGMILL_REDACT_KEY").unwrap_or_default();
    is_wanted.then(|| Redactor::new(key().as_encoded_bytes()))
}
