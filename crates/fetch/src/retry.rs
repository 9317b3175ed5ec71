//! When to ask again.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use chrono::{DateTime, NaiveDateTime, Utc};

use crate::clock;
use crate::error::Fault;
use crate::policy::Policy;

/// Waits that differ from client to client, so that those who failed together do not return together.
pub(crate) struct Backoff {
    state: AtomicU64,
}

impl Backoff {
    pub fn new() -> Self {
        let nanos = clock::wall().duration_since(UNIX_EPOCH).map_or(0, |it| u64::from(it.subsec_nanos()));
        Self { state: AtomicU64::new(nanos ^ u64::from(std::process::id()) << 32) }
    }

    /// How long to wait after the attempt number `attempt` (from 1) ended with `fault`.
    ///
    /// What the server asks for is done, up to a bound. Otherwise the wait doubles each time, and
    /// between half and all of it is taken.
    pub fn wait(&self, attempt: u32, fault: &Fault, policy: &Policy) -> Duration {
        let doubled = policy.backoff.saturating_mul(1_u32 << attempt.saturating_sub(1).min(16));
        let chosen = doubled.min(policy.max_backoff);
        let half = chosen / 2;
        let chosen = half + half.mul_f64(self.fraction());
        match fault {
            Fault::Status { retry_after: Some(asked), .. } => {
                (*asked).min(policy.max_retry_after).max(chosen)
            }
            _ => chosen,
        }
    }

    /// A number in 0..1 (splitmix64).
    fn fraction(&self) -> f64 {
        let seed = self.state.fetch_add(0x9E37_79B9_7F4A_7C15, Ordering::Relaxed);
        let mut mixed = (seed ^ (seed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((mixed ^ (mixed >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }
}

/// What `Retry-After` asks for, from now.
pub(crate) fn after(value: &str) -> Option<Duration> {
    after_at(value, clock::wall())
}

/// Seconds, or a date in one of the three forms of RFC 9110, section 5.6.7. A date that has passed
/// asks for no wait.
fn after_at(value: &str, now: SystemTime) -> Option<Duration> {
    let value = value.trim();
    if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(Duration::from_secs(value.parse().unwrap_or(u64::MAX)));
    }
    let date = DateTime::parse_from_rfc2822(value).map(|it| it.to_utc()).ok().or_else(|| {
        let forms = ["%A, %d-%b-%y %H:%M:%S GMT", "%a %b %e %H:%M:%S %Y"];
        forms.iter().find_map(|form| NaiveDateTime::parse_from_str(value, form).ok()).map(|it| it.and_utc())
    })?;
    Some((date - DateTime::<Utc>::from(now)).to_std().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(value: &str, expect_s: Option<u64>) {
        // 784 111 777 is Sun, 06 Nov 1994 08:49:37 GMT (date -u -d @784111777); ten seconds earlier.
        let now = UNIX_EPOCH + Duration::from_secs(784_111_767);
        assert_eq!(after_at(value, now), expect_s.map(Duration::from_secs), "{value}");
    }

    #[test]
    fn forms_of_retry_after() {
        check("7", Some(7));
        check(" 0 ", Some(0));
        check("Sun, 06 Nov 1994 08:49:37 GMT", Some(10));
        check("Sunday, 06-Nov-94 08:49:37 GMT", Some(10));
        check("Sun Nov  6 08:49:37 1994", Some(10));
        check("Sun, 06 Nov 1994 08:49:27 GMT", Some(0));
        check("Sat, 05 Nov 1994 08:49:27 GMT", Some(0));
        check("99999999999999999999999", Some(u64::MAX));
        for value in ["", "-1", "1.5", "soon"] {
            check(value, None);
        }
    }

    #[test]
    fn waits_grow_and_are_bounded() {
        let backoff = Backoff::new();
        let policy = Policy::default();
        let fault = Fault::Broken(String::new());
        for (attempt, low_ms, high_ms) in
            [(1, 250, 500), (2, 500, 1_000), (4, 2_000, 4_000), (40, 15_000, 30_000)]
        {
            for _ in 0..100 {
                let wait = backoff.wait(attempt, &fault, &policy).as_millis();
                assert!((low_ms..=high_ms).contains(&wait), "attempt {attempt}: {wait}");
            }
        }
        let status =
            |secs| Fault::Status { status: 429, said: None, retry_after: Some(Duration::from_secs(secs)) };
        assert_eq!(backoff.wait(1, &status(9), &policy), Duration::from_secs(9));
        assert_eq!(backoff.wait(1, &status(86_400), &policy), policy.max_retry_after);
    }
}
