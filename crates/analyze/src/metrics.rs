//! Values that logs state, packed: dumps state them by the million.
//!
//! Owns how the values of a run are held from its assembly to the rows of the table. A value takes twelve
//! bytes and the instant it shares with those beside it; rows are made while they are read.

use std::ops::Range;
use std::sync::Arc;

use logmill_parse::Micros;

use crate::model::{Measure, Metric, RunIndex};

/// The values of one run, in the order stated.
#[derive(Debug, Default, PartialEq)]
pub struct Values {
    /// Instants, each with the number of values up to its last one.
    stamps: Vec<(Option<Micros>, usize)>,
    figures: Vec<f64>,
    /// What each is a value of, as an index into a list of measures.
    of: Vec<u32>,
}

impl Values {
    /// Adds a value.
    pub fn push(&mut self, ts: Option<Micros>, value: f64, of: u32) {
        self.figures.push(value);
        self.of.push(of);
        match self.stamps.last_mut() {
            Some((last, end)) if *last == ts => *end = self.figures.len(),
            _ => self.stamps.push((ts, self.figures.len())),
        }
    }

    /// Gives back what is allocated and not used.
    pub fn shrink(&mut self) {
        self.stamps.shrink_to_fit();
        self.figures.shrink_to_fit();
        self.of.shrink_to_fit();
    }

    /// Changes the list of measures.
    pub fn renumber(&mut self, numbers: &[u32]) {
        for of in &mut self.of {
            *of = numbers.get(*of as usize).copied().unwrap_or(u32::MAX);
        }
    }

    /// How many there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.figures.len()
    }

    /// Instant, value and measure of one of them.
    fn get(&self, index: usize) -> Option<(Option<Micros>, f64, u32)> {
        let (value, of) = (*self.figures.get(index)?, *self.of.get(index)?);
        let stamp = self.stamps.partition_point(|(_, end)| *end <= index);
        Some((self.stamps.get(stamp)?.0, value, of))
    }
}

/// The rows of the table of metrics.
#[derive(Clone, Default, PartialEq)]
pub struct Metrics {
    parts: Vec<Part>,
    measures: Arc<[Arc<Measure>]>,
}

/// Rows of one run.
#[derive(Debug, Clone, PartialEq)]
struct Part {
    /// Rows before it.
    start: usize,
    rows: Rows,
}

#[derive(Debug, Clone, PartialEq)]
enum Rows {
    /// What its log states, shared with the survey.
    Stated(RunIndex, Arc<Values>),
    /// What follows from other rows.
    Derived(Vec<Metric>),
}

impl Rows {
    fn len(&self) -> usize {
        match self {
            Self::Stated(_, values) => values.len(),
            Self::Derived(rows) => rows.len(),
        }
    }
}

impl Metrics {
    /// No rows; those to come state values of these measures.
    #[must_use]
    pub fn of(measures: Arc<[Arc<Measure>]>) -> Self {
        Self { parts: Vec::new(), measures }
    }

    /// Adds what the log of a run states.
    pub fn state(&mut self, run: RunIndex, values: &Arc<Values>) {
        self.push(Rows::Stated(run, Arc::clone(values)));
    }

    /// Adds rows.
    pub fn derive(&mut self, rows: Vec<Metric>) {
        self.push(Rows::Derived(rows));
    }

    fn push(&mut self, rows: Rows) {
        if rows.len() > 0 {
            self.parts.push(Part { start: self.len(), rows });
        }
    }

    /// Changes what the values are values of, wherever `of` has something else to say.
    pub(crate) fn rename(&mut self, of: impl Fn(&Measure) -> Option<Measure>) {
        let renamed = |what: &Arc<Measure>| of(what).map_or_else(|| Arc::clone(what), Arc::new);
        self.measures = self.measures.iter().map(renamed).collect();
        for part in &mut self.parts {
            if let Rows::Derived(rows) = &mut part.rows {
                for row in rows {
                    row.what = renamed(&row.what);
                }
            }
        }
    }

    /// How many rows there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.parts.last().map_or(0, |last| last.start + last.rows.len())
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    /// All rows.
    pub fn iter(&self) -> impl Iterator<Item = Metric> {
        self.range(0..self.len())
    }

    /// The rows in a range of places.
    pub fn range(&self, range: Range<usize>) -> impl Iterator<Item = Metric> {
        let first = self.parts.partition_point(|part| part.start + part.rows.len() <= range.start);
        let parts = self.parts.iter().skip(first).take_while(move |part| part.start < range.end);
        parts.flat_map(move |part| {
            let from = range.start.saturating_sub(part.start);
            let to = part.rows.len().min(range.end - part.start);
            (from..to).filter_map(|index| self.row(&part.rows, index))
        })
    }

    fn row(&self, rows: &Rows, index: usize) -> Option<Metric> {
        match rows {
            Rows::Derived(rows) => rows.get(index).cloned(),
            Rows::Stated(run, values) => {
                let (ts, value, of) = values.get(index)?;
                let what = Arc::clone(self.measures.get(of as usize)?);
                Some(Metric { run: *run, ts, value, what })
            }
        }
    }
}

impl std::fmt::Debug for Metrics {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

impl FromIterator<Metric> for Metrics {
    fn from_iter<T: IntoIterator<Item = Metric>>(rows: T) -> Self {
        let mut metrics = Self::default();
        metrics.derive(rows.into_iter().collect());
        metrics
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measure(name: &str) -> Arc<Measure> {
        Arc::new(Measure { name: name.to_owned(), unit: "count", label: String::new() })
    }

    #[test]
    fn rows_are_told_from_any_place() {
        let mut values = Values::default();
        for (ts, value, of) in [(None, 0.0, 1), (Some(5), 1.0, 0), (Some(5), 2.0, 1), (Some(6), 3.0, 0)] {
            values.push(ts, value, of);
        }
        values.renumber(&[1, 0]);
        let mut metrics = Metrics::of(Arc::from([measure("b"), measure("a")]));
        metrics.derive(Vec::new());
        metrics.state(2, &Arc::new(values));
        metrics.derive(vec![Metric { run: 2, ts: None, value: 4.0, what: measure("c") }]);
        let all: Vec<Metric> = metrics.iter().collect();
        let told: Vec<_> = all.iter().map(|it| (it.run, it.ts, it.value, it.what.name.as_str())).collect();
        let expect = [
            (2, None, 0.0, "b"),
            (2, Some(5), 1.0, "a"),
            (2, Some(5), 2.0, "b"),
            (2, Some(6), 3.0, "a"),
            (2, None, 4.0, "c"),
        ];
        assert_eq!(told, expect);
        assert_eq!(metrics.len(), 5);
        for (from, to) in (0..7).flat_map(|from| (from..8).map(move |to| (from, to))) {
            let expect: Vec<Metric> = all.iter().take(to).skip(from).cloned().collect();
            assert_eq!(metrics.range(from..to).collect::<Vec<_>>(), expect, "{from}..{to}");
        }
    }
}
