//! What is counted of the events of a scope, and the times they span.

use logmill_parse::{Class, Evidence, Level, Micros, Record};

/// What the stamps of a scope or run are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Times {
    /// Instants.
    #[default]
    Instants,
    /// Times of day: their differences are true, their dates made up.
    OfDay,
}

/// The record's instant; `None` where it is made up.
pub(super) fn instant(record: &Record<'_>) -> Option<Micros> {
    if record.clock.is_some() { None } else { record.ts }
}

/// Counts of a scope.
#[derive(Debug, Clone, Default)]
pub struct Tally {
    /// Physical lines of its events.
    pub n_lines: u64,
    /// Events.
    pub n_events: u64,
    /// Errors.
    pub n_errors: u64,
    /// Warnings.
    pub n_warnings: u64,
    /// Retries.
    pub n_retries: u64,
    /// Earliest and latest stamp.
    pub span: Option<(Micros, Micros)>,
    /// First stamped event.
    pub first_stamp: Option<StampedAt>,
    /// Stamp of the last stamped event.
    pub last_ts: Option<Micros>,
    /// Stamps that step back.
    pub backward: Backward,
    /// First stamped event that is not the platform's: number of events before it, and stamp.
    pub first_output: Option<(u64, Option<Micros>)>,
    /// Number of events before the last one that has a level.
    pub last_level: Option<u64>,
    /// Number of events before the last one of class platform.
    pub last_platform: Option<u64>,
    /// Kinds of run its events show.
    pub evidence: Evidence,
    /// First line of the first error; of a crash the one that says what happened.
    pub first_error: Option<String>,
    /// Bytes of its events.
    pub bytes: u64,
}

/// A stamp and where it stands: lines of the shard before it, and byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StampedAt {
    /// The stamp.
    pub ts: Micros,
    /// Lines before it.
    pub line: u64,
    /// Its event's first byte.
    pub offset: u64,
}

/// Stamps that are earlier than the one before them in the same run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Backward {
    /// How many.
    pub n: u64,
    /// The first of them.
    pub first: Option<StampedAt>,
}

impl Backward {
    /// Takes in a stamp that follows another.
    pub fn step(&mut self, before: Option<Micros>, stamp: StampedAt) {
        if before.is_some_and(|before| stamp.ts < before) {
            self.n += 1;
            self.first.get_or_insert(stamp);
        }
    }
}

/// Where a batch stands in its shard.
#[derive(Debug, Clone, Copy)]
pub(super) struct At {
    pub offset: u64,
    pub lines: u64,
}

impl Tally {
    /// Counts a record and says whether it is an error.
    pub(super) fn count(&mut self, record: &Record<'_>, at: At) -> bool {
        let before = self.n_events;
        self.n_events += u64::from(record.n_events);
        self.n_lines += u64::from(record.n_lines);
        widen_by(&mut self.span, bounds(record.ts, record.until));
        if let Some(ts) = record.ts {
            let offset = at.offset + record.span.start as u64;
            let stamp = StampedAt { ts, line: at.lines + u64::from(record.line), offset };
            self.backward.step(self.last_ts, stamp);
            self.first_stamp.get_or_insert(stamp);
            // The stamps of several events do not step back.
            self.last_ts = if record.n_events > 1 { record.until } else { record.ts };
        }
        let last = before + u64::from(record.n_events.saturating_sub(1));
        if record.class == Class::Platform {
            self.last_platform = Some(last);
        } else if self.first_output.is_none() && record.ts.is_some() {
            self.first_output = Some((before, record.ts));
        }
        if record.level != Level::None {
            self.last_level = Some(last);
        }
        self.evidence = self.evidence.with(record.evidence);
        self.bytes += record.span.len() as u64;
        let is_retry = record.class == Class::Retry;
        let is_error = is_error(record.class, record.level);
        self.n_errors += u64::from(is_error);
        self.n_retries += u64::from(is_retry);
        self.n_warnings += u64::from(record.level == Level::Warn && !is_retry);
        is_error
    }
}

/// Whether an event counts as an error: a failure or a crash whatever its level, or an
/// error level on anything but a retry.
#[must_use]
pub const fn is_error(class: Class, level: Level) -> bool {
    matches!(class, Class::Failure | Class::Crash) || (level.is_error() && !matches!(class, Class::Retry))
}

/// Widens a span of time by one instant.
pub fn widen(span: &mut Option<(Micros, Micros)>, ts: Option<Micros>) {
    let Some(ts) = ts else { return };
    *span = Some(span.map_or((ts, ts), |(min, max)| (min.min(ts), max.max(ts))));
}

/// Widens a span of time by another.
pub fn widen_by(span: &mut Option<(Micros, Micros)>, other: Option<(Micros, Micros)>) {
    let Some((from, to)) = other else { return };
    *span = Some(span.map_or((from, to), |(min, max)| (min.min(from), max.max(to))));
}

/// The span of a record's stamps.
pub(super) fn bounds(ts: Option<Micros>, until: Option<Micros>) -> Option<(Micros, Micros)> {
    match (ts, until) {
        (Some(ts), Some(until)) => Some((ts.min(until), ts.max(until))),
        (one, other) => one.or(other).map(|ts| (ts, ts)),
    }
}
