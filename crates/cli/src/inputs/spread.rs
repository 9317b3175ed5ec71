//! Work on many files, spread over threads before the engine has any.

use std::num::NonZeroUsize;
use std::panic::resume_unwind;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Files for which it is worth starting a thread.
const FILES_PER_THREAD: usize = 256;
/// Times that a thread comes back for more, on average.
const TURNS: usize = 16;

/// All cores, or as many as are wanted.
pub fn cores(wanted: Option<NonZeroUsize>) -> usize {
    wanted.or_else(|| std::thread::available_parallelism().ok()).map_or(1, NonZeroUsize::get)
}

/// As many as are worth starting for a short look at so many files.
pub fn threads(wanted: Option<NonZeroUsize>, files: usize) -> usize {
    cores(wanted).min(files.div_ceil(FILES_PER_THREAD))
}

/// `work` on each item, by some threads; one result for each, in the order of the items. A panic goes on to
/// the caller.
pub fn map<T: Sync, R: Send>(items: &[T], threads: usize, work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    if threads <= 1 || items.len() <= 1 {
        return items.iter().map(work).collect();
    }
    let turns: Vec<&[T]> = items.chunks(items.len().div_ceil(threads * TURNS)).collect();
    let next = AtomicUsize::new(0);
    let some = || {
        let mut done: Vec<(usize, Vec<R>)> = Vec::new();
        loop {
            let turn = next.fetch_add(1, Ordering::Relaxed);
            let Some(items) = turns.get(turn) else { return done };
            done.push((turn, items.iter().map(&work).collect()));
        }
    };
    let mut results: Vec<(usize, Vec<R>)> = std::thread::scope(|scope| {
        let others: Vec<_> = (1..threads.min(turns.len())).map(|_| scope.spawn(some)).collect();
        let own = some();
        let others = others.into_iter().map(|other| other.join().unwrap_or_else(|it| resume_unwind(it)));
        others.flatten().chain(own).collect()
    });
    results.sort_by_key(|(turn, _)| *turn);
    results.into_iter().flat_map(|(_, results)| results).collect()
}
