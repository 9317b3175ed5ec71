//! Alloy Embedded: executions of workflows, page by page.
//!
//! Pages have no total and no cursor: they are asked for from 0 until one is empty. With the newest
//! first, executions that arrive meanwhile push others to later pages, so nothing is skipped and some
//! are seen twice. Pages are stored as they came; a page that brings nothing new is not stored.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;

use super::{Work, json};
use crate::error::Fault;
use crate::id::{UserId, WorkflowId};
use crate::note::{Note, Page, Pass, Until};
use crate::request::Request;
use crate::store::Refresh;

/// The version of the API that is asked, which the endpoint requires.
const API_VERSION: &str = "2025-09";

/// The most executions on a page.
pub const MAX_LIMIT: u8 = 30;

/// How often the same page may come in a row before the server is taken to ignore its number.
const MAX_SAME_PAGES: u32 = 3;

/// The order of executions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Order {
    /// The oldest first.
    Asc,
    /// The newest first.
    #[default]
    Desc,
}

impl Order {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Asc => "asc",
            Self::Desc => "desc",
        }
    }
}

/// The executions of a workflow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Executions {
    /// Of which.
    pub workflow: WorkflowId,
    /// Of one user alone.
    pub user: Option<UserId>,
    /// In which order.
    pub order: Order,
    /// Executions on a page, up to [`MAX_LIMIT`].
    pub limit: u8,
}

#[derive(Deserialize)]
struct Answer {
    data: Vec<Execution>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Execution {
    execution_id: Option<Value>,
    stopped_at: Option<IgnoredAny>,
}

/// An execution in one of its two states: one that was running is news again when it has stopped.
type Key = (String, bool);

impl Answer {
    fn keys(&self) -> Vec<Key> {
        let key = |it: &Execution| Some((it.execution_id.as_ref()?.to_string(), it.stopped_at.is_some()));
        self.data.iter().filter_map(key).collect()
    }

    /// Whether it holds an execution that cannot be told from others.
    fn has_nameless(&self) -> bool {
        self.data.iter().any(|it| it.execution_id.is_none())
    }
}

impl Executions {
    pub(super) fn name(&self) -> String {
        format!("alloy-execution {}", self.workflow)
    }

    /// `GET /workflows/{workflowId}/logs?userId&page&limit&order`
    fn request(&self, page: u32) -> Request {
        let mut request = Request::new(format!("/workflows/{}/logs", self.workflow));
        if let Some(user) = &self.user {
            request = request.with("userId", user.as_str());
        }
        request
            .with("page", page.to_string())
            .with("limit", self.limit.to_string())
            .with("order", self.order.as_str())
            .header("x-api-version", API_VERSION)
    }

    fn folder(&self) -> String {
        format!("alloy/{}/", self.workflow)
    }

    pub(super) fn plan(&self) -> Vec<(Request, String)> {
        vec![(self.request(0), format!("{}page-0000.json", self.folder()))]
    }

    /// What makes one chain of pages.
    fn query(&self) -> String {
        let user = self.user.as_ref().map_or("", UserId::as_str);
        format!("userId={user}&limit={}&order={}", self.limit, self.order.as_str())
    }

    pub(super) fn fetch(&self, work: &mut Work<'_>) -> Result<(), Fault> {
        let mut note = self.noted(work);
        let result = self.fetch_passes(work, &mut note);
        note.complete = result.is_ok();
        note.incomplete_reason = result.as_ref().err().map(|fault| work.asking.session.say(fault));
        if !note.pages.is_empty() || result.is_ok() {
            self.put_note(work, &note)?;
        }
        result
    }

    fn put_note(&self, work: &Work<'_>, note: &Note) -> Result<(), Fault> {
        Ok(work.store.put(&format!("{}fetch.json", self.folder()), &note.bytes())?)
    }

    /// What is there. Pages of another query stay, and what is on them is known.
    fn noted(&self, work: &Work<'_>) -> Note {
        let folder = self.folder();
        let fresh = || Note::new("alloy-execution", self.workflow.as_str(), self.query());
        let Some(mut note) = work.store.note(&format!("{folder}fetch.json")) else { return fresh() };
        if work.store.refresh() == Refresh::All || !work.store.holds(&folder, &note) {
            return fresh();
        }
        if note.query != self.query() {
            note.query = self.query();
            note.complete = false;
            note.pass = None;
        }
        note
    }

    /// The pass that was not ended, and then what has come since.
    fn fetch_passes(&self, work: &mut Work<'_>, note: &mut Note) -> Result<(), Fault> {
        let last = note.pages.last().and_then(|page| page.page);
        match (note.pass, last, self.order) {
            (Some(pass), Some(last), Order::Desc) if note.pages.len() > pass.first => {
                self.pass(work, note, pass, last.saturating_add(1))?;
                self.begin(work, note, Until::Known, 0)
            }
            (Some(_), Some(last), Order::Asc) => self.begin(work, note, Until::Empty, last),
            (None, Some(_), Order::Desc) if note.complete => self.begin(work, note, Until::Known, 0),
            (None, Some(last), Order::Asc) if note.complete => self.begin(work, note, Until::Empty, last),
            (Some(pass), ..) => self.begin(work, note, pass.until, 0),
            _ => self.begin(work, note, Until::Empty, 0),
        }
    }

    fn begin(&self, work: &mut Work<'_>, note: &mut Note, until: Until, page: u32) -> Result<(), Fault> {
        self.pass(work, note, Pass { until, first: note.pages.len() }, page)
    }

    /// Asks for pages from `page` on.
    fn pass(&self, work: &mut Work<'_>, note: &mut Note, pass: Pass, page: u32) -> Result<(), Fault> {
        note.pass = Some(pass);
        note.complete = false;
        let (before, since) = note.pages.split_at(pass.first.min(note.pages.len()));
        let old = self.known(work, before)?;
        let mut seen: BTreeSet<Key> = old.union(&self.known(work, since)?).cloned().collect();
        let mut last: (Vec<Key>, u32) = (Vec::new(), 0);
        for page in page..work.asking.session.policy().max_pages {
            let request = self.request(page);
            let (body, received) = work.asking.body(&request)?;
            let answer: Answer = json(&body, "a page of executions")?;
            let keys = answer.keys();
            let is_known = !answer.has_nameless() && keys.iter().all(|key| old.contains(key));
            if answer.data.is_empty() || (pass.until == Until::Known && is_known) {
                note.pass = None;
                return Ok(());
            }
            let same = if keys == last.0 { last.1 + 1 } else { 0 };
            if same >= MAX_SAME_PAGES {
                return Err(Fault::Endless(format!(
                    "expected other executions on page {page}, found those of the page before"
                )));
            }
            let is_new = keys.iter().any(|key| !seen.contains(key)) || (answer.has_nameless() && same == 0);
            if is_new {
                let file = format!("page-{:04}.json", note.pages.len());
                work.put(&format!("{}{file}", self.folder()), &body)?;
                note.pages.push(Page { page: Some(page), ..work.page(&file, &request, received) });
                self.put_note(work, note)?;
            }
            seen.extend(keys.iter().cloned());
            last = (keys, same);
        }
        Err(Fault::Endless(format!(
            "expected an empty page, found none among {}",
            work.asking.session.policy().max_pages
        )))
    }

    /// The executions on pages that are there.
    fn known(&self, work: &Work<'_>, pages: &[Page]) -> Result<BTreeSet<Key>, Fault> {
        let mut known = BTreeSet::new();
        for page in pages {
            let body =
                work.store.read(&format!("{}{}", self.folder(), page.file), page.bytes).unwrap_or_default();
            known.extend(json::<Answer>(&body, "a page of executions that was stored earlier")?.keys());
        }
        Ok(known)
    }
}
