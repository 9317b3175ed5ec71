//! Targets on a few threads.

use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use crate::error::Fault;
use crate::observe::{Event, Observer};
use crate::platform::{Done, Target, Work};
use crate::session::{Asking, Session};
use crate::store::Store;

/// A target that could not be fetched, or not all of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missing {
    /// Endpoint and id.
    pub target: String,
    /// Why.
    pub reason: String,
}

/// What came of a fetch.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Summary {
    /// Targets of which something was stored.
    pub n_fetched: u64,
    /// Targets that were there already.
    pub n_kept: u64,
    /// Files that were stored.
    pub n_files: u64,
    /// Their bytes.
    pub n_bytes: u64,
    /// What is missing, in the order it was asked for.
    pub missing: Vec<Missing>,
}

/// Fetches all targets and joins what came of them in their order.
pub(crate) fn run(
    session: &Session,
    targets: &[Target],
    jobs: NonZeroUsize,
    store: &Store,
    observer: &dyn Observer,
) -> Summary {
    let next = AtomicUsize::new(0);
    let results = Mutex::new(Vec::new());
    let work = || {
        while let Some((index, target)) = take(&next, targets) {
            let result = one(session, target, store, observer);
            results.lock().unwrap_or_else(PoisonError::into_inner).push((index, target.name(), result));
        }
    };
    thread::scope(|scope| {
        for _ in 1..jobs.get().min(targets.len()) {
            scope.spawn(work);
        }
        work();
    });
    let mut results = results.into_inner().unwrap_or_else(PoisonError::into_inner);
    results.sort_by_key(|(index, ..)| *index);
    let mut summary = Summary::default();
    for (_, target, (done, reason)) in results {
        add(&mut summary, target, done, reason);
    }
    summary
}

fn take<'t>(next: &AtomicUsize, targets: &'t [Target]) -> Option<(usize, &'t Target)> {
    let index = next.fetch_add(1, Ordering::Relaxed);
    targets.get(index).map(|target| (index, target))
}

/// Fetches one target: what was stored, and what went wrong.
fn one(session: &Session, target: &Target, store: &Store, observer: &dyn Observer) -> (Done, Option<String>) {
    if let Some(reason) = session.stopped() {
        return (Done::default(), Some(session.say(&Fault::Stopped(reason))));
    }
    let name = target.name();
    observer.on(Event::Started(&name));
    let asking = Asking { session, observer, name: &name };
    let mut work = Work { asking, store, done: Done::default() };
    let result = target.fetch(&mut work);
    let done = work.done;
    match &result {
        Ok(()) if done.n_files == 0 => observer.on(Event::Kept(&name)),
        Ok(()) => observer.on(Event::Finished(&name)),
        Err(fault) => {
            let reason = session.say(fault);
            observer.on(Event::Failed { target: &name, reason: &reason });
            if fault.stops_all() {
                session.stop(format!("{name} failed: {reason}"));
            }
            return (done, Some(reason));
        }
    }
    (done, None)
}

fn add(summary: &mut Summary, target: String, done: Done, reason: Option<String>) {
    summary.n_files += done.n_files;
    summary.n_bytes += done.n_bytes;
    match reason {
        Some(reason) => summary.missing.push(Missing { target, reason }),
        None if done.n_files == 0 => summary.n_kept += 1,
        None => summary.n_fetched += 1,
    }
}
