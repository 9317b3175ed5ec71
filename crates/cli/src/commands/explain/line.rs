//! One line of an input: the format that read it, the event it belongs to, and where that falls.

use std::path::{Path, PathBuf};

use logmill_analyze::model::EventRow;
use logmill_analyze::{Detail, EventsError, Redactor, Seen, Selection, Trace};
use logmill_parse::{Flags, Kind, Micros};

use super::{Spot, marks, shown};
use crate::args::{ExplainArgs, InputArgs};
use crate::commands::{everything, print};
use crate::failure::{Done, Failure};
use crate::session::{Ending, Session};
use crate::terminal::{Paint, counted, safe};

/// An event on the line.
pub struct Event {
    pub line: u64,
    pub last_line: u64,
    pub byte_offset: u64,
    pub n_bytes: u64,
    pub ts: Option<Micros>,
    /// Time of day, where the date is lost.
    pub clock: Option<Micros>,
    pub level: &'static str,
    pub class: &'static str,
    pub logger: String,
    pub message: String,
    pub payload: Option<String>,
    pub flags: Vec<&'static str>,
    pub relayed: Option<String>,
    pub marks: Vec<String>,
    pub first_line: String,
    pub home: Option<Home>,
}

/// Where an event ended up.
pub struct Home {
    pub platform: &'static str,
    pub kind: Option<&'static str>,
    pub group: String,
    pub run_id: String,
    pub status: &'static str,
    pub seq: u64,
    pub n_events: u64,
    pub step: Option<(u32, String)>,
}

/// Explains one line.
///
/// # Errors
///
/// If there is no such line, or the file cannot be read.
pub fn run(spot: &Spot, args: &ExplainArgs) -> Result<Done, Failure> {
    let (path, member) = split(&spot.path);
    let mut input = InputArgs::of(&path)?;
    (input.from, input.layout, input.redact) = (args.from, args.layout.clone(), args.redact);
    let session = Session::open(&input, &args.notes, Detail::Everything)?;
    let (select, time) = everything();
    let report = session.report(&select, &time)?;
    let index = find(&session, spot, member.as_deref())?;
    let spot = &Spot { path: session.masked(&spot.path).into_owned(), ..*spot };
    let mut events = Vec::new();
    let trace = session
        .survey
        .trace(&session.inputs(), index, spot.line, session.engine.options(), &mut |seen| {
            events.push(Event::of(seen));
        })
        .map_err(|error| Failure::System(anyhow::anyhow!("{error}")))?;
    let out = match trace {
        Some(mut trace) => {
            in_range(spot, &trace)?;
            if let Some(redactor) = session.redactor() {
                mask(redactor, &mut trace, &mut events);
            }
            if let Some(column) = spot.column {
                let at = trace.byte_offset + column - 1;
                events.retain(|event| event.byte_offset <= at && at < event.byte_offset + event.n_bytes);
            }
            settle(&session, index, &select, &mut events)?;
            if args.json {
                shown::json(spot, &trace, &events)
            } else {
                shown::text(spot, &trace, &events, Paint::for_stdout(args.notes.color))
            }
        }
        None => shown::no_log(spot, &report, args),
    };
    print(&out)?;
    let next =
        "`logmill explain CODE` explains an issue, `logmill show RUN_ID PATHS` shows the run around it";
    session.conclude(&report, &args.notes, &Ending::next(next))
}

/// Path of the file, and the member of the archive it may be.
fn split(path: &str) -> (PathBuf, Option<String>) {
    match path.split_once('!') {
        Some((archive, member)) if !Path::new(path).exists() => (archive.into(), Some(member.to_owned())),
        _ => (path.into(), None),
    }
}

fn find(session: &Session, spot: &Spot, member: Option<&str>) -> Result<usize, Failure> {
    let inputs = session.inputs();
    let found = inputs.iter().position(|input| input.member() == member);
    match found.filter(|_| member.is_some() || inputs.len() == 1) {
        Some(index) => Ok(index),
        None => Err(Failure::Usage(format!(
            "expected one file, found {} in {}; name one of them, as in FILE:LINE or ARCHIVE!MEMBER:LINE",
            counted(inputs.len() as u64, "input", "inputs"),
            safe(&spot.path)
        ))),
    }
}

fn in_range(spot: &Spot, trace: &Trace) -> Result<(), Failure> {
    if trace.text.is_some() {
        return Ok(());
    }
    Err(Failure::Usage(format!(
        "expected a line from 1 to {}, the last one of {}, found {}",
        trace.n_lines,
        safe(&spot.path),
        spot.line
    )))
}

/// Masks what is shown of the line and of its events.
fn mask(redactor: &Redactor, trace: &mut Trace, events: &mut [Event]) {
    if let Some(text) = &mut trace.text {
        *text = redactor.bytes(text).into_owned();
    }
    trace.issues.iter_mut().for_each(|(_, message)| redactor.mask(message));
    for event in events {
        let Event { logger, message, payload, relayed, marks, first_line, .. } = event;
        let texts = [logger, message, first_line].into_iter().chain(payload).chain(relayed).chain(marks);
        texts.for_each(|text| redactor.mask(text));
    }
}

/// Finds out where the events ended up.
fn settle(session: &Session, index: usize, select: &Selection, events: &mut [Event]) -> Result<(), Failure> {
    let plan = session.survey.event_plan(select);
    let inputs = session.inputs();
    let masked = |text| session.masked(text);
    let name = inputs.get(index).map(|input| (masked(input.source()), input.member().map(masked)));
    let is_there = |row: &EventRow<'_>| {
        name.as_ref().is_some_and(|(source, member)| row.source == source && row.member == member.as_deref())
    };
    let offsets: Vec<u64> = events.iter().map(|event| event.byte_offset).collect();
    let push = |homes: &mut Vec<(u64, Home)>, row: &EventRow<'_>| {
        if is_there(row) && offsets.contains(&row.byte_offset) {
            homes.push((row.byte_offset, Home::of(row)));
        }
    };
    let take = |homes: Vec<(u64, Home)>| -> Result<(), EventsError> {
        for (offset, home) in homes {
            if let Some(event) = events.iter_mut().find(|event| event.byte_offset == offset) {
                event.home = Some(home);
            }
        }
        Ok(())
    };
    session
        .engine
        .events(&plan, &inputs, Vec::new, push, |homes| homes, take)
        .map_err(|error| Failure::System(error.into()))
}

impl Event {
    fn of(seen: &Seen<'_>) -> Self {
        let record = seen.record;
        let flags =
            [(Flags::LOSSY, "lossy"), (Flags::UNSTAMPED, "unstamped"), (Flags::TRUNCATED, "truncated")];
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Self {
            line: seen.line,
            last_line: seen.last_line,
            byte_offset: seen.byte_offset,
            n_bytes: record.span.len() as u64,
            ts: record.ts,
            clock: record.clock,
            level: record.level.as_str(),
            class: record.class.as_str(),
            logger: text(record.logger),
            message: record.message.decode().into_owned(),
            payload: record.payload.map(|payload| payload.decode().into_owned()),
            flags: flags.iter().filter(|(flag, _)| record.flags.has(*flag)).map(|(_, word)| *word).collect(),
            relayed: seen.stream.map(|stream| text(stream.run_id)),
            marks: seen.marks.iter().map(|mark| marks::in_words(mark)).collect(),
            first_line: text(seen.first_line),
            home: None,
        }
    }
}

impl Home {
    fn of(row: &EventRow<'_>) -> Self {
        Self {
            platform: row.run.platform.as_str(),
            kind: row.run.kind.map(Kind::as_str),
            group: row.run.group.clone(),
            run_id: row.run.run_id.clone(),
            status: row.run.status.as_str(),
            seq: row.seq,
            n_events: row.run.n_events,
            step: row.step.map(|(seq, name)| (seq, name.to_owned())),
        }
    }
}
