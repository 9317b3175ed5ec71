//! What is said again and again, held once: texts, and what is measured.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::model::Measure;
use crate::redact::Redactor;

/// Texts that are held once, however often they are said.
#[derive(Debug, Default)]
pub struct Texts {
    said: BTreeSet<Arc<str>>,
    /// Masks secrets before a message is cut or becomes a template.
    pub(super) redactor: Option<Redactor>,
}

/// Texts held once; further ones are held as often as they are said.
const MAX_TEXTS: usize = 10_000;

impl Texts {
    /// No texts, and what masks those of a log.
    pub(super) fn masked_by(redactor: Option<Redactor>) -> Self {
        Self { redactor, ..Self::default() }
    }

    /// The text as it is held already, or from now on.
    pub(super) fn text(&mut self, text: &str) -> Arc<str> {
        if let Some(known) = self.said.get(text) {
            return Arc::clone(known);
        }
        let new: Arc<str> = Arc::from(text);
        if self.said.len() < MAX_TEXTS {
            self.said.insert(Arc::clone(&new));
        }
        new
    }

    /// The text as it is held already, if it is.
    pub fn share(&mut self, text: &Arc<str>) -> Arc<str> {
        if let Some(known) = self.said.get(text) {
            return Arc::clone(known);
        }
        if self.said.len() < MAX_TEXTS {
            self.said.insert(Arc::clone(text));
        }
        Arc::clone(text)
    }
}

/// What is measured, each measure once.
#[derive(Debug, Default)]
pub struct Measures {
    /// The measures, by number.
    pub list: Vec<Arc<Measure>>,
    known: BTreeMap<Arc<Measure>, u32>,
    /// The measure that was asked for after each, the last time. Logs state the same ones over and over.
    next: Vec<u32>,
    last: usize,
}

impl Measures {
    /// The number of a measure.
    pub fn number(&mut self, name: &str, unit: &'static str, label: &str) -> u32 {
        let expected = self.next.get(self.last).copied().unwrap_or(0);
        let is_it = |known: &Arc<Measure>| known.name == name && known.label == label && known.unit == unit;
        let number = match self.list.get(expected as usize).filter(|known| is_it(known)) {
            Some(_) => expected,
            None => self.look_up(Measure { name: name.to_owned(), unit, label: label.to_owned() }),
        };
        if let Some(next) = self.next.get_mut(self.last) {
            *next = number;
        }
        self.last = number as usize;
        number
    }

    fn look_up(&mut self, measure: Measure) -> u32 {
        if let Some(known) = self.known.get(&measure) {
            return *known;
        }
        let number = u32::try_from(self.list.len()).unwrap_or(u32::MAX);
        let new = Arc::new(measure);
        self.list.push(Arc::clone(&new));
        self.next.push(number);
        self.known.insert(new, number);
        number
    }

    /// The numbers here of all measures of another list.
    pub fn numbers(&mut self, others: &[Arc<Measure>]) -> Vec<u32> {
        others.iter().map(|other| self.number(&other.name, other.unit, &other.label)).collect()
    }
}
