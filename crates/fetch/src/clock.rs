//! The one place that asks for the time and waits.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use chrono::{DateTime, SecondsFormat, Utc};

/// The longest a wait goes on after the work was called off.
const SLICE: Duration = Duration::from_millis(50);

/// Now, for measuring.
#[must_use]
pub(crate) fn now() -> Instant {
    Instant::now()
}

/// Now, on the calendar.
#[must_use]
pub(crate) fn wall() -> SystemTime {
    SystemTime::now()
}

/// An instant as notes show it: RFC 3339 in UTC, whole seconds.
#[must_use]
pub(crate) fn stamp(at: SystemTime) -> String {
    DateTime::<Utc>::from(at).to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// Waits, but no longer than until `stop` is set.
pub(crate) fn wait(time: Duration, stop: &AtomicBool) {
    let end = now() + time;
    while !stop.load(Ordering::Relaxed) {
        let Some(left) = end.checked_duration_since(now()).filter(|left| !left.is_zero()) else { return };
        thread::sleep(left.min(SLICE));
    }
}
