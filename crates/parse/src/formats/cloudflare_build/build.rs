//! From the lines of one build to its records and marks.
//!
//! Joins lines into events, drops replays, gives levels and classes, and leaves phases and
//! outcome as marks. What the lines were read from makes no difference here.

use std::borrow::Cow;

use memchr::memmem;

use super::join::{self, Open};
use super::marks::{self, Mark, Prefix};
use super::model::{self, Form, Line, Writing};
use super::needle::Words;
use super::outcome;
use super::phases::{InitClock, Phase, Phases};
use super::replay::Replays;
use super::telemetry;
use crate::issue::{Code, Issue};
use crate::mark::{Bounds, Mark as Annotation, Marked, Missing, Outcome, Revocation, RunHead, RunId, Step};
use crate::record::{Batch, Evidence, Record, Wants};
use crate::time::Micros;
use crate::vocabulary::{Class, Kind, Level, Status};

/// One build of a file.
#[derive(Debug, Clone)]
pub(super) struct Build<'l, 'a> {
    /// The window.
    pub(super) bytes: &'a [u8],
    /// Its lines.
    pub(super) lines: &'l [Line<'a>],
    /// How their messages are written.
    pub(super) writing: Writing,
    /// Whether it starts here or goes on from the window before.
    pub(super) beginning: Beginning,
    /// The platform's own clock of the init phase, where it was believed.
    pub(super) init: Option<InitEvent>,
    /// Whether more lines were promised than there are.
    pub(super) rest: Rest,
}

/// Whether a build starts with the lines at hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Beginning {
    /// It does.
    Here,
    /// The window before was cut inside it.
    Before,
}

/// Whether all lines of a build are there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rest {
    /// Nothing says otherwise.
    Given,
    /// The last page says that more follow.
    Missing,
}

/// The `initializing` entry of `events[]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct InitEvent {
    pub(super) started_at: Option<Micros>,
    pub(super) stopped_at: Option<Micros>,
}

/// Appends the records and marks of `build` to `out`.
pub(super) fn report<'a>(build: &Build<'_, 'a>, out: &mut Batch<'a>) {
    let Some((first, last)) = build.lines.first().zip(build.lines.last()) else { return };
    if build.beginning == Beginning::Here {
        let head = RunHead { kind: Kind::Build, id: RunId::File, bounds: Bounds::Records };
        out.mark(Annotation::Run(Box::new(head)));
    }
    let stretch = build.bytes.get(first.span.start..last.span.end).unwrap_or_default();
    let mut reporter = Reporter::new(build, stretch, first.span.start, out.wants);
    let mut replays = Replays::default();
    let mut at = 0;
    while let Some(line) = build.lines.get(at) {
        let len = if at == 1 || runs_back(line, reporter.clock) { replays.len(build.lines, at) } else { 0 };
        match len {
            0 => {
                reporter.take(line, at, out);
                reporter.clock = line.clock;
                at += 1;
            }
            len => {
                reporter.clock = build.lines.get(at + len - 1).and_then(|line| line.clock);
                reporter.drop_replay(build.lines.get(at..at + len).unwrap_or_default(), out);
                at += len;
            }
        }
    }
    reporter.finish(out);
}

/// Whether the clock of `line` is behind that of the line before.
fn runs_back(line: &Line<'_>, before: Option<i64>) -> bool {
    line.clock.zip(before).is_some_and(|(clock, before)| clock < before)
}

/// The end line that counts so far.
#[derive(Debug)]
struct End {
    /// Where its outcome stands among the marks.
    mark: usize,
    /// Line.
    at: usize,
    /// First line of the phase that was open.
    since: Option<usize>,
    status: Status,
    /// How that phase ends here.
    closing: Option<crate::mark::StepEnd<'static>>,
}

/// Turns the lines of one build into records.
pub(super) struct Reporter<'b, 'l, 'a> {
    pub(super) build: &'b Build<'l, 'a>,
    scratch: Vec<u8>,
    phases: Phases,
    pub(super) open: Open,
    /// First line of the last record.
    pub(super) since: usize,
    /// Clock of the last line, replays included.
    clock: Option<i64>,
    end: Option<End>,
    init: Option<InitEvent>,
    words: Words<'a>,
}

impl<'b, 'l, 'a> Reporter<'b, 'l, 'a> {
    fn new(build: &'b Build<'l, 'a>, stretch: &'a [u8], offset: usize, wants: Wants) -> Self {
        let clock = if build.init.is_some() { InitClock::Events } else { InitClock::Lines };
        Self {
            build,
            scratch: Vec::new(),
            phases: Phases::new(clock),
            open: Open::Closed,
            since: 0,
            clock: None,
            end: None,
            init: build.init,
            words: Words::new(stretch, offset, wants),
        }
    }

    /// Takes one line that is no replay.
    fn take(&mut self, line: &Line<'a>, at: usize, out: &mut Batch<'a>) {
        if line.form == Form::Literal && line.n_lines <= 1 {
            // Most lines say nothing to us, and their first byte tells.
            if self.open == Open::Closed && marks::is_dull(line.message) && self.words.are_behind(line) {
                self.since = at;
                return self.record(line, Level::Info, Class::Plain, out);
            }
            if self.open == Open::Closed || !self.joins(line, at, line.message, out) {
                self.begin(line, at, line.message, out);
            }
            return;
        }
        let mut scratch = std::mem::take(&mut self.scratch);
        let head = model::head(line, self.build.writing.single, &mut scratch);
        if !self.joins(line, at, head, out) {
            self.begin(line, at, head, out);
        }
        self.scratch = scratch;
    }

    /// Starts an event with `line`.
    fn begin(&mut self, line: &Line<'a>, at: usize, head: &[u8], out: &mut Batch<'a>) {
        let mark = marks::mark(head).filter(|&mark| mark != Mark::Finished || self.phases.awaits_finished());
        let (level, class) = match mark {
            Some(mark) => self.platform(mark, line, at, head, out),
            None => self.tool(line, head, out),
        };
        if !matches!(self.open, Open::Block { blanks: 1.. }) {
            self.since = at;
        }
        self.record(line, level, class, out);
    }

    fn record(&mut self, line: &Line<'a>, level: Level, class: Class, out: &mut Batch<'a>) {
        out.records.push(Record {
            span: line.span,
            line: line.number,
            n_lines: line.n_lines,
            n_events: 1,
            ts: line.ts(),
            until: None,
            clock: line.time_of_day(),
            level,
            class,
            logger: b"",
            message: self.build.writing.text(line),
            payload: None,
            stream: 0,
            flags: line.flags,
            evidence: Evidence::NONE,
        });
        let (bytes, n_lines) = join::first_physical(self.build, line);
        out.account.record.add(bytes, n_lines);
        if n_lines < line.n_lines {
            out.account.continuation.add(line.span.len() - bytes, line.n_lines - n_lines);
        }
    }

    /// What a line of the platform means.
    fn platform(
        &mut self,
        mark: Mark,
        line: &Line<'a>,
        at: usize,
        head: &[u8],
        out: &mut Batch<'a>,
    ) -> (Level, Class) {
        self.open = Open::Closed;
        if mark == Mark::InitStart {
            self.init_step(out);
        }
        self.phases.take(mark, at, out);
        match mark {
            Mark::Tools if out.wants == Wants::Everything => {
                telemetry::tools(&self.build.writing.decode(line), out);
            }
            Mark::Restored if out.wants == Wants::Everything => telemetry::restored(head, out),
            _ => {}
        }
        if mark.is_end() {
            self.ends(mark, line, at, out);
        }
        match mark {
            Mark::UploadFailed | Mark::RestoreFailed => (Level::Warn, Class::Platform),
            mark if mark.is_failure() => (Level::Error, Class::Failure),
            _ => (Level::Info, Class::Platform),
        }
    }

    /// What a line of a tool means.
    fn tool(&mut self, line: &Line<'a>, head: &[u8], out: &mut Batch<'a>) -> (Level, Class) {
        telemetry::tell(head, out);
        let words = self.words.find(line);
        if words.modules {
            telemetry::modules(&self.build.writing.decode(line), out);
        }
        if words.built {
            telemetry::built_in(&self.build.writing.decode(line), out);
        }
        let coloured = line.form == Form::Coloured && memmem::find(head, b"error TS").is_some();
        let mut prefix = marks::prefix(head);
        if (words.typescript || coloured) && prefix == Prefix::No {
            prefix = Prefix::Plain(Level::Error);
        }
        if !matches!(self.open, Open::Block { .. }) || prefix != Prefix::No {
            self.open = match prefix {
                Prefix::No => Open::Closed,
                Prefix::Block(_) => Open::Block { blanks: 0 },
                Prefix::NpmError => Open::NpmError,
                Prefix::Pnpm | Prefix::Plain(_) => Open::Indented,
            };
        }
        (prefix.level(), Class::Plain)
    }

    /// The init phase by the platform's own clock, before the first record it could belong to.
    fn init_step(&mut self, out: &mut Batch<'a>) {
        let Some(InitEvent { started_at, stopped_at }) = self.init.take() else { return };
        out.mark(Annotation::Step(Box::new(Step {
            name: Cow::Borrowed(Phase::Init.name()),
            kind: crate::vocabulary::StepKind::Step,
            connector_id: None,
            started_at,
            stopped_at,
            status: if stopped_at.is_some() { Status::Succeeded } else { Status::Unknown },
            status_code: None,
            error: None,
        })));
    }

    /// Notes the end line; which one counts is known when the last line has been read.
    fn ends(&mut self, mark: Mark, line: &Line<'a>, at: usize, out: &mut Batch<'a>) {
        let reason = first_line(self.build.writing.decode(line));
        let verdict = outcome::verdict(mark, reason.as_bytes(), self.phases.open(), self.phases.pages);
        let closing = self.phases.closing(verdict.status, None);
        self.end = Some(End {
            mark: out.marks.len(),
            at,
            since: self.phases.open_since(),
            status: verdict.status,
            closing,
        });
        out.mark(Annotation::Outcome(Outcome {
            status: verdict.status,
            reason,
            failure_class: verdict.failure_class,
            weight: 1,
            revoked_by: Revocation::Never,
        }));
    }

    fn drop_replay(&mut self, lines: &[Line<'a>], out: &mut Batch<'a>) {
        self.open = Open::Closed;
        for line in lines {
            out.account.duplicate.add(line.span.len(), line.n_lines);
        }
        if let Some((first, last)) = lines.first().zip(lines.last()) {
            let message = format!("expected a new line, found {} shown before", lines.len());
            out.issues.push(Issue {
                code: Code::ReplayedLines,
                start: first.span.start,
                end: last.span.end,
                line: first.number,
                message: Cow::Owned(message),
            });
        }
    }

    /// Completes the end line that counts and says what is missing.
    fn finish(mut self, out: &mut Batch<'a>) {
        if let Some(end) = self.end.take() {
            self.close(end, out);
        } else if self.build.rest == Rest::Given {
            out.mark(Annotation::Incomplete(Missing::Tail, "no_end"));
        }
        if self.build.rest == Rest::Missing {
            out.mark(Annotation::Incomplete(Missing::Tail, "missing_page"));
        }
        if !self.phases.began && self.build.beginning == Beginning::Here {
            out.mark(Annotation::Incomplete(Missing::Head, "no_start"));
        }
        self.init_step(out);
    }

    /// Gives the end line its cause and ends the phase that was open there.
    fn close(&self, end: End, out: &mut Batch<'a>) {
        let since = end.since.unwrap_or(end.at);
        let lines = self.build.lines.get(since..end.at).unwrap_or_default();
        let cause = match end.status {
            Status::Failed => outcome::cause(lines, self.build.writing, self.build.bytes),
            _ => None,
        };
        let Some(marked) = out.marks.get_mut(end.mark) else { return };
        let record = marked.record;
        if let (Annotation::Outcome(outcome), Some(cause)) = (&mut marked.mark, &cause) {
            outcome.reason = Cow::Owned(cause.clone());
        }
        if let Some(mut closing) = end.closing {
            closing.error = cause.map(Cow::Owned);
            out.marks.insert(end.mark, Marked { record, mark: Annotation::StepEnd(closing) });
        }
    }
}

fn first_line(text: Cow<'_, str>) -> Cow<'_, str> {
    let cut = text.find('\n').unwrap_or(text.len());
    match text {
        Cow::Borrowed(text) => Cow::Borrowed(text.get(..cut).unwrap_or(text).trim_end()),
        Cow::Owned(text) => Cow::Owned(text.get(..cut).unwrap_or(&text).trim_end().to_owned()),
    }
}

pub(super) fn issue(code: Code, line: &Line<'_>, message: &'static str) -> Issue {
    Issue {
        code,
        start: line.span.start,
        end: line.span.end,
        line: line.number,
        message: Cow::Borrowed(message),
    }
}
