//! One platform, one set of options: requests that are paced, bounded and made again.

use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::clock;
use crate::error::{Error, Fault};
use crate::observe::{Event, Observer};
use crate::origin::Origin;
use crate::pace::Pace;
use crate::platform::{Listing, Platform, Target};
use crate::policy::Policy;
use crate::pool::{self, Missing, Summary};
use crate::request::Request;
use crate::retry::Backoff;
use crate::secret::Credentials;
use crate::store::Store;
use crate::transport::{Memory, Received, Sink, Transport};

/// Which authorities may vouch for a server.
#[derive(Debug, Clone, Default)]
pub enum Roots {
    /// Those of the web, as Mozilla lists them.
    #[default]
    Web,
    /// Those of a PEM file, and no others.
    Pem(Vec<u8>),
}

/// Which proxy.
#[derive(Clone, Default)]
pub enum ProxyChoice {
    /// What `ALL_PROXY`, `HTTPS_PROXY` and `HTTP_PROXY` say, unless `NO_PROXY` names the host.
    #[default]
    Environment,
    /// None.
    Direct,
    /// This one; may hold a password, so it is never shown.
    Url(String),
}

/// How to ask.
#[derive(Clone, Default)]
pub struct Options {
    /// Another origin than the platform's own.
    pub origin: Option<Origin>,
    /// Who asks.
    pub credentials: Credentials,
    /// The bounds.
    pub policy: Policy,
    /// Which authorities may vouch for the server.
    pub roots: Roots,
    /// Which proxy.
    pub proxy: ProxyChoice,
    /// The time between two requests, instead of the platform's.
    pub interval: Option<Duration>,
    /// How many targets are fetched at the same time, instead of the platform's number.
    pub jobs: Option<NonZeroUsize>,
}

/// A platform that is being asked.
pub struct Session {
    platform: Platform,
    credentials: Credentials,
    transport: Transport,
    pace: Pace,
    backoff: Backoff,
    policy: Policy,
    jobs: NonZeroUsize,
    stop: AtomicBool,
    stopped_by: Mutex<Option<String>>,
}

impl Session {
    /// Makes ready to ask a platform; nothing is sent yet.
    ///
    /// # Errors
    ///
    /// If certificates or proxy are not usable.
    pub fn new(platform: Platform, options: &Options) -> Result<Self, Error> {
        let origin = options.origin.clone().unwrap_or_else(|| platform.origin());
        Ok(Self {
            platform,
            credentials: options.credentials.clone(),
            transport: Transport::new(origin, options)?,
            pace: Pace::new(options.interval.unwrap_or(platform.interval())),
            backoff: Backoff::new(),
            policy: options.policy,
            jobs: options.jobs.unwrap_or(platform.jobs()),
            stop: AtomicBool::new(false),
            stopped_by: Mutex::new(None),
        })
    }

    /// Where requests go.
    #[must_use]
    pub fn origin(&self) -> &Origin {
        self.transport.origin()
    }

    /// Asks a list for its targets.
    ///
    /// # Errors
    ///
    /// If the list cannot be had as a whole.
    pub fn list(&self, listing: &Listing, observer: &dyn Observer) -> Result<Vec<Target>, Missing> {
        let name = listing.name();
        observer.on(Event::Started(&name));
        let found = listing.targets(&Asking { session: self, observer, name: &name });
        found.map_err(|fault| {
            let reason = self.say(&fault);
            observer.on(Event::Failed { target: &name, reason: &reason });
            Missing { target: name, reason }
        })
    }

    /// Fetches all targets. What cannot be fetched is in the summary.
    ///
    /// # Errors
    ///
    /// If the folder cannot be written to at all.
    pub fn fetch(
        &self,
        targets: &[Target],
        store: &Store,
        observer: &dyn Observer,
    ) -> Result<Summary, Error> {
        let _lock = store.lock(self.platform.folder())?;
        Ok(pool::run(self, targets, self.jobs, store, observer))
    }

    /// What went wrong, in words that may be shown: without what a server may have repeated.
    pub(crate) fn say(&self, fault: &Fault) -> String {
        self.credentials.scrub(&fault.to_string())
    }

    pub(crate) fn policy(&self) -> &Policy {
        &self.policy
    }

    /// Why nothing more is asked, if so.
    pub(crate) fn stopped(&self) -> Option<String> {
        self.stopped_by.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Nothing more is asked.
    pub(crate) fn stop(&self, reason: String) {
        self.stopped_by.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(reason);
        self.stop.store(true, Ordering::Relaxed);
    }
}

/// Requests on behalf of one target.
pub(crate) struct Asking<'a> {
    pub session: &'a Session,
    pub observer: &'a dyn Observer,
    pub name: &'a str,
}

impl Asking<'_> {
    /// Asks once, at the platform's pace.
    pub fn once(&self, request: &Request, sink: &mut dyn Sink) -> Result<Received, Fault> {
        self.session.pace.wait(&self.session.stop);
        if let Some(reason) = self.session.stopped() {
            return Err(Fault::Stopped(reason));
        }
        let mut on_bytes = |n_bytes| self.observer.on(Event::Received { target: self.name, n_bytes });
        self.session.transport.get(request, sink, &mut on_bytes)
    }

    /// Asks until it goes well, fails for good, or was tried often enough.
    pub fn ask(&self, request: &Request, sink: &mut dyn Sink) -> Result<Received, Fault> {
        let mut attempt = 1;
        loop {
            match self.once(request, sink) {
                Err(fault) if fault.may_pass() && attempt < self.session.policy.max_attempts => {
                    self.pause(attempt, &fault);
                    attempt += 1;
                }
                result => return result,
            }
        }
    }

    /// Waits before another attempt.
    pub fn pause(&self, attempt: u32, fault: &Fault) {
        let wait = self.session.backoff.wait(attempt, fault, &self.session.policy);
        self.observer.on(Event::Retrying { target: self.name, reason: &self.session.say(fault), wait });
        if matches!(fault, Fault::Status { status: 429, .. }) {
            self.session.pace.hold(wait);
        } else {
            clock::wait(wait, &self.session.stop);
        }
    }

    /// A whole body, in memory.
    pub fn body(&self, request: &Request) -> Result<(Vec<u8>, Received), Fault> {
        let mut memory = Memory::default();
        let received = self.ask(request, &mut memory)?;
        Ok((memory.0, received))
    }

    /// The URL of a request.
    pub fn url(&self, request: &Request) -> String {
        request.url(self.session.origin())
    }
}
