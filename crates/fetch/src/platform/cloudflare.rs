//! Cloudflare: logs of builds, page by page, and lists of builds.

use std::collections::BTreeSet;
use std::time::SystemTime;

use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::Value;

use super::{Work, json};
use crate::answer;
use crate::error::Fault;
use crate::id::{AccountId, BuildUuid, Tag, WorkerName};
use crate::note::{Note, Page};
use crate::request::Request;
use crate::session::Asking;
use crate::store::Refresh;

/// Builds in one answer; the endpoint gives up to 200.
const LIST_LIMIT: usize = 100;

/// The log of a build.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Build {
    /// Whose.
    pub account: AccountId,
    /// Of which worker: the folder it goes to.
    pub worker: Option<WorkerName>,
    /// Which.
    pub uuid: BuildUuid,
    /// Whether the build record is stored beside it.
    pub has_record: bool,
}

/// The envelope of every answer; whether it is one is decided by `success`.
#[derive(Deserialize)]
struct Envelope<T> {
    success: Option<bool>,
    result: Option<T>,
}

/// A page of lines, as far as it leads on.
#[derive(Deserialize, Default)]
struct Lines {
    cursor: Option<String>,
    truncated: Option<bool>,
}

#[derive(Deserialize)]
struct Record {
    status: Option<String>,
}

impl Build {
    pub(super) fn name(&self) -> String {
        format!("cloudflare-build {}", self.uuid)
    }

    fn path(&self) -> String {
        format!("/client/v4/accounts/{}/builds/builds/{}", self.account, self.uuid)
    }

    /// `GET …/builds/builds/{build_uuid}/logs[?cursor=]`
    fn request(&self, cursor: Option<&str>) -> Request {
        let request = Request::new(format!("{}/logs", self.path()));
        match cursor {
            Some(cursor) => request.with("cursor", cursor),
            None => request,
        }
    }

    fn folder(&self) -> String {
        let worker = self.worker.as_ref().map_or("_", WorkerName::as_str);
        format!("cloudflare/{worker}/{}/", self.uuid)
    }

    pub(super) fn plan(&self) -> Vec<(Request, String)> {
        let folder = self.folder();
        let record = self.has_record.then(|| (Request::new(self.path()), format!("{folder}build.json")));
        record.into_iter().chain([(self.request(None), format!("{folder}page-0001.json"))]).collect()
    }

    pub(super) fn fetch(&self, work: &mut Work<'_>) -> Result<(), Fault> {
        let folder = self.folder();
        let mut note = self.noted(work, &folder);
        if note.complete && note.finished != Some(false) {
            return Ok(());
        }
        if self.has_record {
            note.finished = self.fetch_record(work, &folder)?;
        }
        note.complete = false;
        let result = self.fetch_pages(work, &folder, &mut note);
        note.complete = result.is_ok();
        note.incomplete_reason = result.as_ref().err().map(|fault| work.asking.session.say(fault));
        if !note.pages.is_empty() {
            work.store.put(&format!("{folder}fetch.json"), &note.bytes())?;
        }
        result
    }

    /// What is there: a chain of pages that begins with the first and has no gap.
    fn noted(&self, work: &Work<'_>, folder: &str) -> Note {
        let note = work.store.note(&format!("{folder}fetch.json"));
        note.filter(|note| {
            work.store.refresh() == Refresh::Missing
                && note.id == self.uuid.as_str()
                && work.store.holds(folder, note)
        })
        .unwrap_or_else(|| Note::new("cloudflare-build", self.uuid.as_str(), String::new()))
    }

    /// The pages that are missing. There are more only while the answer says `truncated`; the cursor
    /// comes back on the last page, too.
    fn fetch_pages(&self, work: &mut Work<'_>, folder: &str, note: &mut Note) -> Result<(), Fault> {
        // A build that was not over may have written more on what was its last page then.
        if note.pages.last().is_some_and(|page| page.truncated != Some(true)) {
            note.pages.pop();
        }
        let mut cursors: BTreeSet<Option<String>> =
            note.pages.iter().map(|page| page.cursor.clone()).collect();
        let mut cursor = next(note.pages.last())?;
        loop {
            if !cursors.insert(cursor.clone()) {
                return Err(Fault::Endless(
                    "expected a new cursor, found one that was followed before".to_owned(),
                ));
            }
            let page = self.fetch_page(work, folder, note.pages.len() + 1, cursor)?;
            let is_last = page.truncated != Some(true);
            note.pages.push(page);
            work.store.put(&format!("{folder}fetch.json"), &note.bytes())?;
            if is_last {
                return Ok(());
            }
            if note.pages.len() as u64 >= u64::from(work.asking.session.policy().max_pages) {
                return Err(Fault::Endless(format!(
                    "expected a last page, found none among {}",
                    note.pages.len()
                )));
            }
            cursor = next(note.pages.last())?;
        }
    }

    fn fetch_page(
        &self,
        work: &mut Work<'_>,
        folder: &str,
        number: usize,
        cursor: Option<String>,
    ) -> Result<Page, Fault> {
        let request = self.request(cursor.as_deref());
        let (body, received) = work.asking.body(&request)?;
        let lines: Lines = result(&body, "a page of a build's log")?.unwrap_or_default();
        let file = format!("page-{number:04}.json");
        work.put(&format!("{folder}{file}"), &body)?;
        let page = work.page(&file, &request, received);
        Ok(Page { cursor, next_cursor: lines.cursor, truncated: lines.truncated, ..page })
    }

    /// Stores the build record; whether it says that the build is over.
    fn fetch_record(&self, work: &mut Work<'_>, folder: &str) -> Result<Option<bool>, Fault> {
        let (body, _) = work.asking.body(&Request::new(self.path()))?;
        let record: Option<Record> = result(&body, "a build record")?;
        work.put(&format!("{folder}build.json"), &body)?;
        Ok(record.and_then(|record| record.status).map(|status| status == "stopped"))
    }
}

/// The cursor of the page after `page`.
fn next(page: Option<&Page>) -> Result<Option<String>, Fault> {
    let Some(page) = page else { return Ok(None) };
    let missing = || {
        Fault::Unexpected("expected a cursor, as the answer says that there is more, found none".to_owned())
    };
    page.next_cursor.clone().map(Some).ok_or_else(missing)
}

/// `result` of an answer that is one; an answer that is none says so in `success`, whatever its status.
fn result<'de, T: Deserialize<'de>>(body: &'de [u8], expected: &str) -> Result<Option<T>, Fault> {
    let envelope: Envelope<T> = json(body, expected)?;
    if envelope.success == Some(false) {
        let said = serde_json::from_slice::<Value>(body).ok().as_ref().and_then(answer::cloudflare);
        return Err(Fault::Refused(said.unwrap_or_else(|| "no success, and no reason".to_owned())));
    }
    Ok(envelope.result)
}

/// All builds of a worker, with their records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Builds {
    /// Whose.
    pub account: AccountId,
    /// Of which worker.
    pub worker: WorkerName,
    /// Those created at or after.
    pub since: Option<SystemTime>,
}

#[derive(Deserialize)]
struct Script {
    id: String,
    tag: Option<String>,
}

#[derive(Deserialize)]
struct Item {
    build_uuid: String,
    created_on: Option<String>,
}

impl Builds {
    pub(super) fn name(&self) -> String {
        format!("builds of {}", self.worker)
    }

    /// `GET …/workers/scripts`, which tells the tag of a name.
    pub(super) fn plan(&self) -> Request {
        Request::new(format!("/client/v4/accounts/{}/workers/scripts", self.account))
    }

    /// `GET …/builds/workers/{tag}/builds?page&per_page`
    fn request(&self, tag: &Tag, page: u32) -> Request {
        Request::new(format!("/client/v4/accounts/{}/builds/workers/{}/builds", self.account, tag.as_str()))
            .with("page", page.to_string())
            .with("per_page", LIST_LIMIT.to_string())
    }

    pub(super) fn targets(&self, asking: &Asking<'_>) -> Result<Vec<Build>, Fault> {
        let tag = self.tag(asking)?;
        let (mut seen, mut builds) = (BTreeSet::new(), Vec::new());
        for page in 1..=asking.session.policy().max_pages {
            let (body, _) = asking.body(&self.request(&tag, page))?;
            let items: Vec<Item> = result(&body, "a list of builds")?.unwrap_or_default();
            let (n_seen, n_items) = (seen.len(), items.len());
            for item in items {
                let uuid: BuildUuid =
                    item.build_uuid.parse().map_err(|error| Fault::Unexpected(format!("{error}")))?;
                if seen.insert(uuid.clone()) && self.is_wanted(item.created_on.as_deref()) {
                    builds.push(self.build(uuid));
                }
            }
            if seen.len() == n_seen || n_items < LIST_LIMIT {
                return Ok(builds);
            }
        }
        Err(Fault::Endless(format!(
            "expected the end of the list of builds, found none in {} builds",
            seen.len()
        )))
    }

    fn tag(&self, asking: &Asking<'_>) -> Result<Tag, Fault> {
        let (body, _) = asking.body(&self.plan())?;
        let scripts: Vec<Script> = result(&body, "a list of scripts")?.unwrap_or_default();
        let found = scripts
            .into_iter()
            .find(|script| script.id == self.worker.as_str())
            .and_then(|script| script.tag);
        let tag = found.ok_or_else(|| {
            Fault::Unexpected(format!("expected a worker named {} in the account, found none", self.worker))
        })?;
        tag.parse().map_err(|error| Fault::Unexpected(format!("{error}")))
    }

    /// The order of the list is not documented, so a date chooses and does not end it.
    fn is_wanted(&self, created_on: Option<&str>) -> bool {
        let created_on = created_on.and_then(|text| DateTime::parse_from_rfc3339(text).ok());
        match (self.since, created_on) {
            (Some(since), Some(created_on)) => created_on >= DateTime::<Utc>::from(since),
            _ => true,
        }
    }

    fn build(&self, uuid: BuildUuid) -> Build {
        Build { account: self.account.clone(), worker: Some(self.worker.clone()), uuid, has_record: true }
    }
}
