//! How fast requests follow each other, over all threads.

use std::sync::atomic::AtomicBool;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::clock;

/// Gives out places in time, evenly spaced.
#[derive(Debug)]
pub(crate) struct Pace {
    interval: Duration,
    next: Mutex<Option<Instant>>,
}

impl Pace {
    /// At most one request in `interval`.
    pub fn new(interval: Duration) -> Self {
        Self { interval, next: Mutex::new(None) }
    }

    /// Waits for the next free place.
    pub fn wait(&self, stop: &AtomicBool) {
        let now = clock::now();
        let place = {
            let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
            let place = next.map_or(now, |next| next.max(now));
            *next = Some(place + self.interval);
            place
        };
        clock::wait(place.saturating_duration_since(now), stop);
    }

    /// Nobody asks before `time` has passed: the server said that it has enough.
    pub fn hold(&self, time: Duration) {
        let until = clock::now() + time;
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        *next = Some(next.map_or(until, |next| next.max(until)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Only what is too fast is wrong: a busy machine is slower.
    #[test]
    fn requests_keep_their_distance() {
        let (pace, stop, begin) =
            (Pace::new(Duration::from_millis(20)), AtomicBool::new(false), clock::now());
        for _ in 0..4 {
            pace.wait(&stop);
        }
        assert!(clock::now() - begin >= Duration::from_millis(60));
        pace.hold(Duration::from_millis(50));
        pace.wait(&stop);
        assert!(clock::now() - begin >= Duration::from_millis(110));
    }

    #[test]
    fn nobody_waits_when_all_is_called_off() {
        let pace = Pace::new(Duration::from_hours(1));
        let stop = AtomicBool::new(true);
        pace.wait(&stop);
        pace.wait(&stop);
    }
}
