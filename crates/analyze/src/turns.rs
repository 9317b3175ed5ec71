//! Work done by several threads whose results are handed on in the order of the work.
//!
//! No thread waits for the others to finish a round: whoever is done begins the next item, unless too many results
//! wait already. The result whose turn it is is handed on by whichever thread comes by first. The threads
//! themselves are started by [`crate::pipeline`].

use std::collections::BTreeMap;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// Items to be worked on, and where their results go.
pub struct Turns<'w, T, R, E, F> {
    items: &'w [T],
    /// Items begun whose results have not been handed on, at most.
    at_once: usize,
    state: Mutex<State<R, E>>,
    take: Mutex<F>,
    /// Signalled whenever a thread may find something to do.
    moved: Condvar,
}

struct State<R, E> {
    /// Items begun.
    begun: usize,
    /// Results handed on.
    taken: usize,
    /// Results that wait for their turn.
    ready: BTreeMap<usize, R>,
    /// Whether a thread is handing a result on.
    is_taking: bool,
    /// Whether nothing more is to be begun or handed on.
    is_over: bool,
    outcome: Result<(), E>,
}

/// What a thread does next.
enum Step<R> {
    Take(R),
    Work(usize),
    Stop,
}

impl<'w, T, R, E, F> Turns<'w, T, R, E, F>
where
    T: Sync,
    R: Send,
    E: Send,
    F: FnMut(R) -> Result<(), E> + Send,
{
    /// The items, of which at most so many are begun and not handed on at a time.
    pub fn new(items: &'w [T], at_once: usize, take: F) -> Self {
        let state = State {
            begun: 0,
            taken: 0,
            ready: BTreeMap::new(),
            is_taking: false,
            is_over: false,
            outcome: Ok(()),
        };
        Self {
            items,
            at_once: at_once.max(1),
            state: Mutex::new(state),
            take: Mutex::new(take),
            moved: Condvar::new(),
        }
    }

    /// Works until nothing is left to begin and to hand on. To be called by every thread.
    pub fn run(&self, work: impl Fn(&T) -> R) {
        let _leaving = Leaving(self);
        loop {
            match self.next() {
                Step::Take(result) => self.hand_on(result),
                Step::Work(index) => {
                    let Some(item) = self.items.get(index) else { return };
                    let result = work(item);
                    self.state().ready.insert(index, result);
                }
                Step::Stop => return,
            }
            self.moved.notify_all();
        }
    }

    /// What came of it.
    ///
    /// # Errors
    ///
    /// The first error of `take`.
    pub fn finish(self) -> Result<(), E> {
        self.state.into_inner().unwrap_or_else(PoisonError::into_inner).outcome
    }

    fn next(&self) -> Step<R> {
        let mut state = self.state();
        loop {
            let turn = state.taken;
            if state.is_over || turn == self.items.len() {
                return Step::Stop;
            }
            if !state.is_taking
                && let Some(result) = state.ready.remove(&turn)
            {
                state.is_taking = true;
                return Step::Take(result);
            }
            let index = state.begun;
            if index < self.items.len() && index < turn + self.at_once {
                state.begun += 1;
                return Step::Work(index);
            }
            state = self.moved.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn hand_on(&self, result: R) {
        let taken = (self.take.lock().unwrap_or_else(PoisonError::into_inner))(result);
        let mut state = self.state();
        state.taken += 1;
        state.is_taking = false;
        if taken.is_err() {
            state.is_over = true;
            state.outcome = taken;
        }
    }
}

impl<T, R, E, F> Turns<'_, T, R, E, F> {
    fn state(&self) -> MutexGuard<'_, State<R, E>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A thread that stops, or unwinds: then nobody may wait for what it will not hand on.
struct Leaving<'t, 'w, T, R, E, F>(&'t Turns<'w, T, R, E, F>);

impl<T, R, E, F> Drop for Leaving<'_, '_, T, R, E, F> {
    fn drop(&mut self) {
        self.0.state().is_over = true;
        self.0.moved.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use crate::pipeline::{Engine, Options};

    /// What is handed on of items that take longer the earlier they stand, by so many threads, until `stop`.
    fn handed_on(threads: usize, n: usize, stop: usize) -> (Vec<usize>, Result<(), usize>) {
        let threads = std::num::NonZeroUsize::new(threads);
        let engine = Engine::new(Options { threads, ..Options::default() }).expect("threads");
        let items: Vec<usize> = (0..n).collect();
        let mut taken = Vec::new();
        let spin =
            |item: &usize| (0..(n - item) * 1000).fold(*item, |sum, i| std::hint::black_box(sum ^ i ^ i));
        let outcome = engine.in_order(&items, spin, |item| {
            taken.push(item);
            if item == stop { Err(item) } else { Ok(()) }
        });
        (taken, outcome)
    }

    #[test]
    fn results_come_in_order() {
        for threads in [1, 2, 5] {
            for n in [0, 1, 2, 100] {
                assert_eq!(handed_on(threads, n, n), ((0..n).collect(), Ok(())), "{threads} threads");
            }
        }
    }

    #[test]
    fn nothing_is_handed_on_after_an_error() {
        for threads in [1, 2, 5] {
            assert_eq!(handed_on(threads, 100, 40), ((0..=40).collect(), Err(40)), "{threads} threads");
        }
    }

    #[test]
    fn few_items_are_begun_ahead() {
        let begun = std::sync::atomic::AtomicUsize::new(0);
        let engine = Engine::new(Options::default()).expect("threads");
        let at_once = engine.threads() * 2;
        let items = [(); 200];
        let start = |(): &()| begun.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        let mut taken = 0;
        let outcome = engine.in_order(&items, start, |_| {
            let ahead = begun.load(std::sync::atomic::Ordering::SeqCst) - taken;
            taken += 1;
            if ahead > at_once { Err(ahead) } else { Ok(()) }
        });
        assert_eq!(outcome, Ok(()));
    }

    #[test]
    fn a_panic_ends_the_work() {
        let engine = Engine::new(Options::default()).expect("threads");
        let items: Vec<usize> = (0..100).collect();
        let work = |item: &usize| assert_ne!(*item, 30, "on purpose");
        let ended = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            let _: Result<(), ()> = engine.in_order(&items, work, |()| Ok(()));
        }));
        assert!(ended.is_err());
    }
}
