//! How runs ended, in the five ways the page tells apart, and what each looks like.

use logmill_analyze::model::{Rate, Run};
use logmill_analyze::rates::wilson;
use logmill_parse::Status;

/// How a run or step ended. What went wrong comes first: in a stack it stands on the base line,
/// where heights can be compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// It failed.
    Failed,
    /// It was stopped at its time limit.
    TimedOut,
    /// It was aborted or skipped.
    Aborted,
    /// It is running, or nothing says how it ended.
    Unknown,
    /// It ended well.
    Succeeded,
}

impl Outcome {
    /// All of them, in the order of a stack.
    pub const ALL: [Self; 5] = [Self::Failed, Self::TimedOut, Self::Aborted, Self::Unknown, Self::Succeeded];

    /// The outcome a status stands for.
    pub const fn of(status: Status) -> Self {
        match status {
            Status::Succeeded => Self::Succeeded,
            Status::Failed => Self::Failed,
            Status::TimedOut => Self::TimedOut,
            Status::Aborted | Status::Skipped => Self::Aborted,
            Status::Running | Status::Unknown => Self::Unknown,
        }
    }

    /// What it is called.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Failed => "failed",
            Self::TimedOut => "timed out",
            Self::Aborted => "aborted or skipped",
            Self::Unknown => "running or unknown",
            Self::Succeeded => "succeeded",
        }
    }

    /// The same in one word or two, where a legend is near.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Failed => "failed",
            Self::TimedOut => "timed out",
            Self::Aborted => "aborted",
            Self::Unknown => "unknown",
            Self::Succeeded => "succeeded",
        }
    }

    /// The class that gives it its colour.
    pub const fn class(self) -> &'static str {
        match self {
            Self::Failed => "ko",
            Self::TimedOut => "to",
            Self::Aborted => "ab",
            Self::Unknown => "un",
            Self::Succeeded => "ok",
        }
    }
}

/// Runs by outcome, and their events.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Tally {
    /// Runs by [`Outcome::ALL`].
    by_outcome: [u64; 5],
    /// Events.
    pub n_events: u64,
    /// Errors among them.
    pub n_errors: u64,
}

impl Tally {
    /// Adds a row of rates.
    pub fn add(&mut self, rate: &Rate) {
        let counts = [rate.n_failed, rate.n_timed_out, rate.n_aborted, rate.n_unknown, rate.n_succeeded];
        for (sum, n) in self.by_outcome.iter_mut().zip(counts) {
            *sum += n;
        }
        self.n_events += rate.n_events;
        self.n_errors += rate.n_errors;
    }

    /// Adds a run.
    pub fn add_run(&mut self, run: &Run) {
        let outcome = Outcome::of(run.status);
        for (sum, one) in self.by_outcome.iter_mut().zip(Outcome::ALL) {
            *sum += u64::from(one == outcome);
        }
        self.n_events += run.n_events;
        self.n_errors += run.n_errors;
    }

    /// Adds another tally.
    pub fn join(&mut self, other: &Self) {
        for (sum, n) in self.by_outcome.iter_mut().zip(other.by_outcome) {
            *sum += n;
        }
        self.n_events += other.n_events;
        self.n_errors += other.n_errors;
    }

    /// Runs with each outcome that occurs, in the order of a stack.
    pub fn parts(&self) -> impl Iterator<Item = (Outcome, u64)> + '_ {
        Outcome::ALL.into_iter().zip(self.by_outcome).filter(|(_, n)| *n > 0)
    }

    /// All runs.
    pub fn n_runs(&self) -> u64 {
        self.by_outcome.iter().sum()
    }

    /// Runs that failed or timed out, and runs that did or succeeded.
    pub fn failures(&self) -> (u64, u64) {
        let [failed, timed_out, _, _, succeeded] = self.by_outcome;
        (failed + timed_out, failed + timed_out + succeeded)
    }

    /// What share of the runs failed.
    pub fn failure_rate(&self) -> Option<Share> {
        let (hits, of) = self.failures();
        Share::of(hits, of)
    }

    /// What share of the events are errors.
    pub fn error_rate(&self) -> Option<f64> {
        (self.n_events > 0).then(|| self.n_errors as f64 / self.n_events as f64)
    }
}

/// A share of a number of trials, with its Wilson interval at 95 %.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Share {
    /// What was counted.
    pub hits: u64,
    /// Of how many.
    pub of: u64,
    /// The share.
    pub value: f64,
    /// Lower end of the interval.
    pub low: f64,
    /// Its upper end.
    pub high: f64,
}

impl Share {
    /// `None` where there is nothing to divide.
    pub fn of(hits: u64, of: u64) -> Option<Self> {
        let (low, high) = wilson(hits, of)?;
        Some(Self { hits, of, value: hits as f64 / of as f64, low, high })
    }
}
