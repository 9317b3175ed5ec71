//! Marks as they wait to be assembled, with texts of their own.

use std::borrow::Cow;
use std::sync::Arc;

use logmill_parse::mark::{
    CrawlStats, Lifecycle, Missing, Opening, Outcome, RunHead, Step, StepEnd, StepStart,
};
use logmill_parse::{Micros, Status, StepKind};

use super::texts::Texts;
use crate::name::Name;

/// A mark as it waits to be assembled.
#[derive(Debug)]
pub struct ScopeMark {
    /// Events of the scope before it.
    pub seq: u64,
    /// Its instant.
    pub ts: Option<Micros>,
    /// The mark.
    pub mark: PendingMark,
}

/// A step the source delimits itself, with what many of them have in common held once.
#[derive(Debug)]
pub struct StepUse {
    /// Its name.
    pub name: Name,
    /// Step or phase.
    pub kind: StepKind,
    /// What performed it.
    pub connector_id: Option<Arc<str>>,
    /// Start.
    pub started_at: Option<Micros>,
    /// Stop.
    pub stopped_at: Option<Micros>,
    /// How it ended.
    pub status: Status,
    /// HTTP status.
    pub status_code: Option<i64>,
    /// What went wrong.
    pub error: Option<String>,
}

/// The marks that are assembled later. Others are counted on the spot.
#[derive(Debug)]
pub enum PendingMark {
    /// See [`logmill_parse::Mark::StepStart`].
    StepStart(StepStart<'static>),
    /// See [`logmill_parse::Mark::StepEnd`].
    StepEnd(StepEnd<'static>),
    /// See [`logmill_parse::Mark::Step`].
    Step(Box<StepUse>),
    /// See [`logmill_parse::Mark::Ready`].
    Ready,
    /// See [`logmill_parse::Mark::Progress`].
    Progress,
    /// See [`logmill_parse::Mark::Outcome`].
    Outcome(Outcome<'static>),
    /// See [`logmill_parse::Mark::Fact`].
    Fact(logmill_parse::mark::Fact, String),
    /// See [`logmill_parse::Mark::CrawlStart`].
    CrawlStart,
    /// See [`logmill_parse::Mark::CrawlStats`].
    CrawlStats(CrawlStats),
    /// See [`logmill_parse::Mark::CrawlEnd`].
    CrawlEnd,
    /// See [`logmill_parse::Mark::Incomplete`].
    Incomplete(Missing, &'static str),
}

impl PendingMark {
    /// Whether it begins, describes or ends a crawl.
    #[must_use]
    pub const fn is_about_crawls(&self) -> bool {
        matches!(self, Self::CrawlStart | Self::CrawlStats(_) | Self::CrawlEnd)
    }
}

fn own(value: &str) -> Cow<'static, str> {
    Cow::Owned(value.to_owned())
}

fn own_option(value: Option<&Cow<'_, str>>) -> Option<Cow<'static, str>> {
    value.map(|value| own(value))
}

pub(super) fn own_head(head: &RunHead<'_>) -> RunHead<'static> {
    use logmill_parse::mark::RunId;
    let id = match &head.id {
        RunId::Stated(id) => RunId::Stated(own(id)),
        RunId::Within(id) => RunId::Within(own(id)),
        RunId::File => RunId::File,
    };
    RunHead { kind: head.kind, id, bounds: head.bounds }
}

pub(super) fn own_opening(opening: &Opening<'_>) -> Opening<'static> {
    let lifecycle: Option<&'static Lifecycle> = opening.lifecycle;
    Opening {
        rank: opening.rank,
        name: opening.name,
        fingerprint: own_option(opening.fingerprint.as_ref()),
        lifecycle,
    }
}

pub(super) fn own_start(start: &StepStart<'_>) -> StepStart<'static> {
    StepStart {
        name: own(&start.name),
        kind: start.kind,
        depth: start.depth,
        key: own_option(start.key.as_ref()),
    }
}

pub(super) fn own_end(end: &StepEnd<'_>) -> StepEnd<'static> {
    StepEnd {
        depth: end.depth,
        key: own_option(end.key.as_ref()),
        status: end.status,
        error: own_option(end.error.as_ref()),
    }
}

impl StepUse {
    pub(super) fn new(step: &Step<'_>, texts: &mut Texts) -> Self {
        let connector_id = step.connector_id.as_ref().map(|id| texts.text(id));
        let name = match &connector_id {
            Some(id) if **id == *step.name => Arc::clone(id),
            _ => texts.text(&step.name),
        };
        Self {
            name: name.into(),
            kind: step.kind,
            connector_id,
            started_at: step.started_at,
            stopped_at: step.stopped_at,
            status: step.status,
            status_code: step.status_code,
            error: step.error.as_deref().map(str::to_owned),
        }
    }
}

pub(super) fn own_outcome(outcome: &Outcome<'_>) -> Outcome<'static> {
    Outcome {
        status: outcome.status,
        reason: own(&outcome.reason),
        failure_class: outcome.failure_class,
        weight: outcome.weight,
        revoked_by: outcome.revoked_by,
    }
}
