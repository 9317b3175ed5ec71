//! Apify: logs of runs and builds, logs of schedules, lists of runs.

use std::collections::BTreeSet;
use std::time::SystemTime;

use chrono::{DateTime, Utc};
use serde::Deserialize;

use super::{Work, json};
use crate::clock;
use crate::error::Fault;
use crate::id::{ActorId, LogId, ScheduleId};
use crate::note::Note;
use crate::observe::Event;
use crate::request::Request;
use crate::session::Asking;
use crate::store::{Pending, Refresh};
use crate::transport::{QUIET, Received, Sink};

/// Runs in one answer; the most that the endpoint gives.
const LIST_LIMIT: usize = 1000;

/// Whether colours are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Form {
    /// As the platform cleans them.
    #[default]
    Plain,
    /// With ANSI codes (`raw=1`).
    Raw,
}

/// Whether to wait for the rest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Transfer {
    /// What is there now.
    #[default]
    Snapshot,
    /// Until the run ends (`stream=1`).
    Follow,
}

/// The log of a run or build.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Log {
    /// Of what.
    pub id: LogId,
    /// Whose run it is: the folder it goes to.
    pub actor: Option<ActorId>,
    /// Whether colours are kept.
    pub form: Form,
    /// Whether to wait for the rest.
    pub transfer: Transfer,
    /// Whether the run or build object is stored beside it.
    pub has_record: bool,
}

impl Log {
    pub(super) fn name(&self) -> String {
        format!("apify-log {}", self.id)
    }

    /// `GET /v2/logs/:buildOrRunId`
    fn request(&self) -> Request {
        let mut request = Request::new(format!("/v2/logs/{}", self.id));
        if self.transfer == Transfer::Follow {
            request = request.with("stream", "1").live();
        }
        if self.form == Form::Raw {
            request = request.with("raw", "1");
        }
        request
    }

    /// `GET /v2/actor-runs/:runId`, or `/v2/actor-builds/:buildId`
    fn record(&self, kind: &str) -> Request {
        Request::new(format!("/v2/actor-{kind}/{}", self.id))
    }

    fn folder(&self) -> String {
        format!("apify/{}/", self.actor.as_ref().map_or("_", ActorId::as_str))
    }

    pub(super) fn plan(&self) -> Vec<(Request, String)> {
        let record =
            self.has_record.then(|| (self.record("runs"), format!("{}{}.json", self.folder(), self.id)));
        let log = (self.request(), format!("{}{}.log", self.folder(), self.id));
        record.into_iter().chain([log]).collect()
    }

    pub(super) fn fetch(&self, work: &mut Work<'_>) -> Result<(), Fault> {
        let folder = self.folder();
        let note_place = format!("{folder}{}.fetch.json", self.id);
        let query = if self.form == Form::Raw { "raw=1" } else { "" };
        let is_there = work.store.note(&note_place).is_some_and(|note| {
            note.complete
                && note.finished != Some(false)
                && note.query == query
                && work.store.holds(&folder, &note)
        });
        if is_there && work.store.refresh() == Refresh::Missing {
            return Ok(());
        }
        let mut note = Note::new("apify-log", self.id.as_str(), query.to_owned());
        if self.has_record {
            note.finished = self.fetch_record(work, &folder)?;
        }
        let request = self.request();
        let file = format!("{}.log", self.id);
        let place = format!("{folder}{file}");
        let pending = work.store.begin(&place)?;
        let received = match self.transfer {
            Transfer::Snapshot => {
                let mut pending = pending;
                let received = work.asking.ask(&request, &mut pending)?;
                pending.commit()?;
                received
            }
            Transfer::Follow => {
                let received = follow(&work.asking, &request, pending)?;
                // The stream ends when the run does.
                note.finished = Some(true);
                received
            }
        };
        work.stored(&place, received.n_bytes);
        note.complete = true;
        note.pages.push(work.page(&file, &request, received));
        Ok(work.store.put(&note_place, &note.bytes())?)
    }

    /// Stores the run or build object; whether it says that the run is over.
    fn fetch_record(&self, work: &mut Work<'_>, folder: &str) -> Result<Option<bool>, Fault> {
        let body = match work.asking.body(&self.record("runs")) {
            Err(Fault::Status { status: 404, .. }) => work.asking.body(&self.record("builds"))?.0,
            body => body?.0,
        };
        let Answer { data } = json::<Answer<Record>>(&body, "a run or build object")?;
        work.put(&format!("{folder}{}.json", self.id), &body)?;
        Ok(data
            .status
            .map(|status| !matches!(status.as_str(), "READY" | "RUNNING" | "TIMING-OUT" | "ABORTING")))
    }
}

/// Reads a log until the server ends it. A connection that breaks is made again: the log then comes
/// from its beginning, and what was seen is not shown twice.
fn follow(asking: &Asking<'_>, request: &Request, pending: Pending) -> Result<Received, Fault> {
    let end = clock::now() + asking.session.policy().timeouts.follow;
    let mut sink = Tee { pending, asking, place: 0, seen: 0 };
    let (mut attempt, mut seen_before) = (1, 0);
    loop {
        let fault = match asking.once(request, &mut sink) {
            Ok(received) => {
                sink.pending.commit()?;
                return Ok(received);
            }
            Err(fault) => fault,
        };
        if clock::now() >= end {
            return Err(Fault::Timeout("following the log"));
        }
        if sink.seen > seen_before {
            (attempt, seen_before) = (1, sink.seen);
        }
        let is_quiet = matches!(fault, Fault::Timeout(QUIET));
        if !fault.may_pass() || (!is_quiet && attempt >= asking.session.policy().max_attempts) {
            return Err(fault);
        }
        asking.pause(attempt, &fault);
        attempt += u32::from(!is_quiet);
    }
}

/// To the file, and to whoever watches.
struct Tee<'a> {
    pending: Pending,
    asking: &'a Asking<'a>,
    place: u64,
    seen: u64,
}

impl Sink for Tee<'_> {
    fn restart(&mut self) -> Result<(), Fault> {
        self.place = 0;
        self.pending.restart()
    }

    fn take(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        let known = usize::try_from(self.seen.saturating_sub(self.place)).unwrap_or(usize::MAX);
        self.place += bytes.len() as u64;
        self.seen = self.seen.max(self.place);
        if let Some(bytes) = bytes.get(known..).filter(|bytes| !bytes.is_empty()) {
            self.asking.observer.on(Event::Followed { target: self.asking.name, bytes });
        }
        self.pending.take(bytes)
    }
}

#[derive(Deserialize)]
struct Answer<T> {
    data: T,
}

#[derive(Deserialize)]
struct Record {
    status: Option<String>,
}

/// The log of a schedule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule {
    /// Which.
    pub id: ScheduleId,
}

impl Schedule {
    pub(super) fn name(&self) -> String {
        format!("apify-schedule {}", self.id)
    }

    /// `GET /v2/schedules/:id/log`
    fn request(&self) -> Request {
        Request::new(format!("/v2/schedules/{}/log", self.id))
    }

    pub(super) fn plan(&self) -> Vec<(Request, String)> {
        vec![(self.request(), format!("apify-schedules/{}.json", self.id))]
    }

    /// A schedule's log is never over: it is asked for each time.
    pub(super) fn fetch(&self, work: &mut Work<'_>) -> Result<(), Fault> {
        let (request, file) = (self.request(), format!("{}.json", self.id));
        let (body, received) = work.asking.body(&request)?;
        json::<Answer<Vec<serde::de::IgnoredAny>>>(&body, "the log of a schedule")?;
        work.put(&format!("apify-schedules/{file}"), &body)?;
        let mut note = Note::new("apify-schedule", self.id.as_str(), String::new());
        note.complete = true;
        note.pages.push(work.page(&file, &request, received));
        Ok(work.store.put(&format!("apify-schedules/{}.fetch.json", self.id), &note.bytes())?)
    }
}

/// Whose runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RunsOf {
    /// An actor's.
    Actor(ActorId),
    /// A task's.
    Task(ActorId),
}

/// All runs of an actor or task, with their objects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Runs {
    /// Whose.
    pub of: RunsOf,
    /// Those that started at or after.
    pub since: Option<SystemTime>,
    /// Whether colours are kept.
    pub form: Form,
}

#[derive(Deserialize)]
struct List {
    items: Vec<Item>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Item {
    id: String,
    started_at: Option<String>,
}

impl Item {
    /// Whether it started before.
    fn is_before(&self, since: DateTime<Utc>) -> bool {
        let started_at = self.started_at.as_deref().and_then(|text| DateTime::parse_from_rfc3339(text).ok());
        started_at.is_some_and(|started_at| started_at < since)
    }
}

impl Runs {
    fn owner(&self) -> &ActorId {
        match &self.of {
            RunsOf::Actor(id) | RunsOf::Task(id) => id,
        }
    }

    pub(super) fn name(&self) -> String {
        format!("runs of {}", self.owner())
    }

    /// `GET /v2/actors/:actorId/runs` or `/v2/actor-tasks/:actorTaskId/runs`, the newest first.
    fn request(&self, offset: usize) -> Request {
        let path = match &self.of {
            RunsOf::Actor(id) => format!("/v2/actors/{id}/runs"),
            RunsOf::Task(id) => format!("/v2/actor-tasks/{id}/runs"),
        };
        Request::new(path)
            .with("offset", offset.to_string())
            .with("limit", LIST_LIMIT.to_string())
            .with("desc", "1")
    }

    pub(super) fn plan(&self) -> Request {
        self.request(0)
    }

    /// The newest come first, so that a date ends the list; runs that start meanwhile move others to
    /// the next page, where they are seen twice and taken once.
    pub(super) fn targets(&self, asking: &Asking<'_>) -> Result<Vec<Log>, Fault> {
        let since = self.since.map(DateTime::<Utc>::from);
        let (mut seen, mut logs, mut offset) = (BTreeSet::new(), Vec::new(), 0);
        for _ in 0..asking.session.policy().max_pages {
            let (body, _) = asking.body(&self.request(offset))?;
            let Answer { data } = json::<Answer<List>>(&body, "a list of runs")?;
            let n_seen = seen.len();
            offset += data.items.len();
            for item in data.items {
                if since.is_some_and(|since| item.is_before(since)) {
                    return Ok(logs);
                }
                let id: LogId = item.id.parse().map_err(|error| Fault::Unexpected(format!("{error}")))?;
                if seen.insert(id.clone()) {
                    logs.push(self.log(id));
                }
            }
            if seen.len() == n_seen {
                return Ok(logs);
            }
        }
        Err(Fault::Endless(format!("expected the end of the list of runs, found none in {offset} runs")))
    }

    fn log(&self, id: LogId) -> Log {
        let actor = Some(self.owner().clone());
        Log { id, actor, form: self.form, transfer: Transfer::Snapshot, has_record: true }
    }
}
