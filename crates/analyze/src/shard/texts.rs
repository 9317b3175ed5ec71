//! What is said again and again, held once: texts, and what is measured.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Arc;

use logmill_parse::overlap::quick_print;

use crate::model::Measure;
use crate::redact::Redactor;

/// Texts that are held once, however often they are said.
#[derive(Debug, Default)]
pub struct Texts {
    /// By fingerprint, since most texts begin alike. Where two have the same one, the first is held.
    said: BTreeMap<u64, Arc<str>>,
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
        self.held(text, || Arc::from(text))
    }

    /// The text as it is held already, if it is.
    pub fn share(&mut self, text: &Arc<str>) -> Arc<str> {
        self.held(text, || Arc::clone(text))
    }

    fn held(&mut self, text: &str, new: impl FnOnce() -> Arc<str>) -> Arc<str> {
        let is_full = self.said.len() >= MAX_TEXTS;
        match self.said.entry(quick_print(text.as_bytes())) {
            Entry::Occupied(held) if **held.get() == *text => Arc::clone(held.get()),
            Entry::Vacant(place) if !is_full => Arc::clone(place.insert(new())),
            Entry::Occupied(_) | Entry::Vacant(_) => new(),
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_held_once() {
        let mut texts = Texts::default();
        let first = texts.text("item 1 is lost");
        let other: Arc<str> = Arc::from("item 1 is lost");
        assert!(Arc::ptr_eq(&first, &texts.share(&other)));
        assert!(Arc::ptr_eq(&first, &texts.text("item 1 is lost")));
        for n in 0..2 * MAX_TEXTS {
            let text = format!("item {n} is lost");
            assert_eq!(*texts.text(&text), text);
        }
        assert_eq!(texts.said.len(), MAX_TEXTS);
        assert!(Arc::ptr_eq(&first, &texts.share(&other)));
    }
}
