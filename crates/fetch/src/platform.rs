//! What can be fetched: the platforms, their endpoints, and what leads from one request to the next.

use std::num::NonZeroUsize;
use std::time::Duration;

use crate::clock;
use crate::error::{Error, Fault};
use crate::note::Page;
use crate::observe::Event;
use crate::origin::Origin;
use crate::request::Request;
use crate::session::Asking;
use crate::store::Store;
use crate::transport::Received;

pub mod alloy;
pub mod apify;
pub mod cloudflare;

/// A platform.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Platform {
    /// Apify.
    Apify,
    /// Cloudflare.
    Cloudflare,
    /// Alloy Embedded.
    Alloy,
}

impl Platform {
    /// Where its endpoints are.
    #[must_use]
    pub fn origin(self) -> Origin {
        Origin::https(match self {
            Self::Apify => "api.apify.com",
            Self::Cloudflare => "api.cloudflare.com",
            Self::Alloy => "production.runalloy.com",
        })
    }

    /// The time between two requests. Apify allows 60 requests a second for one resource, Cloudflare
    /// 1,200 in five minutes; Alloy publishes no number.
    #[must_use]
    pub const fn interval(self) -> Duration {
        match self {
            Self::Apify => Duration::from_millis(50),
            Self::Cloudflare => Duration::from_millis(280),
            Self::Alloy => Duration::from_millis(500),
        }
    }

    /// How many targets are fetched at the same time.
    #[must_use]
    pub fn jobs(self) -> NonZeroUsize {
        let jobs = match self {
            Self::Apify => 4,
            Self::Cloudflare | Self::Alloy => 2,
        };
        NonZeroUsize::new(jobs).unwrap_or(NonZeroUsize::MIN)
    }

    /// The folder of a store that holds its lock: one process at a time fetches from the platform.
    pub(crate) const fn folder(self) -> &'static str {
        match self {
            Self::Apify => "apify",
            Self::Cloudflare => "cloudflare",
            Self::Alloy => "alloy",
        }
    }
}

/// Something to fetch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// The log of an Apify run or build.
    Log(apify::Log),
    /// The log of an Apify schedule.
    Schedule(apify::Schedule),
    /// The log of a Cloudflare build.
    Build(cloudflare::Build),
    /// The executions of an Alloy workflow.
    Executions(alloy::Executions),
}

impl Target {
    /// Endpoint and id.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::Log(log) => log.name(),
            Self::Schedule(schedule) => schedule.name(),
            Self::Build(build) => build.name(),
            Self::Executions(executions) => executions.name(),
        }
    }

    /// Whom it is asked of.
    #[must_use]
    pub const fn platform(&self) -> Platform {
        match self {
            Self::Log(_) | Self::Schedule(_) => Platform::Apify,
            Self::Build(_) => Platform::Cloudflare,
            Self::Executions(_) => Platform::Alloy,
        }
    }

    /// The requests that are certain, each with the file its answer goes to.
    #[must_use]
    pub fn plan(&self) -> Vec<(Request, String)> {
        match self {
            Self::Log(log) => log.plan(),
            Self::Schedule(schedule) => schedule.plan(),
            Self::Build(build) => build.plan(),
            Self::Executions(executions) => executions.plan(),
        }
    }

    pub(crate) fn fetch(&self, work: &mut Work<'_>) -> Result<(), Fault> {
        match self {
            Self::Log(log) => log.fetch(work),
            Self::Schedule(schedule) => schedule.fetch(work),
            Self::Build(build) => build.fetch(work),
            Self::Executions(executions) => executions.fetch(work),
        }
    }
}

/// Something that has to be asked for what there is to fetch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Listing {
    /// Runs of an Apify actor or task.
    Runs(apify::Runs),
    /// Builds of a Cloudflare worker.
    Builds(cloudflare::Builds),
}

impl Listing {
    /// What is listed.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::Runs(runs) => runs.name(),
            Self::Builds(builds) => builds.name(),
        }
    }

    /// Whom it is asked of.
    #[must_use]
    pub const fn platform(&self) -> Platform {
        match self {
            Self::Runs(_) => Platform::Apify,
            Self::Builds(_) => Platform::Cloudflare,
        }
    }

    /// The first request.
    #[must_use]
    pub fn plan(&self) -> Request {
        match self {
            Self::Runs(runs) => runs.plan(),
            Self::Builds(builds) => builds.plan(),
        }
    }

    pub(crate) fn targets(&self, asking: &Asking<'_>) -> Result<Vec<Target>, Fault> {
        match self {
            Self::Runs(runs) => Ok(runs.targets(asking)?.into_iter().map(Target::Log).collect()),
            Self::Builds(builds) => Ok(builds.targets(asking)?.into_iter().map(Target::Build).collect()),
        }
    }
}

/// What was stored of a target.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Done {
    pub n_files: u64,
    pub n_bytes: u64,
}

/// Requests and files of one target.
pub(crate) struct Work<'a> {
    pub asking: Asking<'a>,
    pub store: &'a Store,
    pub done: Done,
}

impl Work<'_> {
    /// Stores a body and counts it.
    pub fn put(&mut self, place: &str, bytes: &[u8]) -> Result<(), Error> {
        self.store.put(place, bytes)?;
        self.stored(place, bytes.len() as u64);
        Ok(())
    }

    /// Counts a file that has its name.
    pub fn stored(&mut self, place: &str, n_bytes: u64) {
        self.done.n_files += 1;
        self.done.n_bytes += n_bytes;
        self.asking.observer.on(Event::Stored(place));
    }

    /// What a note says of a file.
    pub fn page(&self, file: &str, request: &Request, received: Received) -> Page {
        Page {
            file: file.to_owned(),
            url: self.asking.url(request),
            fetched_at: clock::stamp(clock::wall()),
            status: received.status,
            bytes: received.n_bytes,
            ..Page::default()
        }
    }
}

/// A body as JSON of the expected shape.
pub(crate) fn json<'de, T: serde::Deserialize<'de>>(body: &'de [u8], expected: &str) -> Result<T, Fault> {
    serde_json::from_slice(body).map_err(|error| {
        if body.trim_ascii_start().first() == Some(&b'<') {
            Fault::Unexpected(format!("expected {expected}, found a page for people (a proxy or a login?)"))
        } else {
            Fault::Unexpected(format!("expected {expected}, found something else: {error}"))
        }
    })
}
