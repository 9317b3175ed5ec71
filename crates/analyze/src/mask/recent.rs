//! Templates of messages masked before. Programs say the same thing many times over, or once and never again: what
//! is said for the first time is not remembered, and takes no place of what is said often.

use std::cell::RefCell;
use std::mem;
use std::sync::Arc;

use logmill_parse::overlap::quick_print;

/// Messages that are remembered, a power of two.
const SLOTS: usize = 512;
/// Bytes of a message that is remembered.
const MAX_MESSAGE_BYTES: usize = 4096;

thread_local! {
    static RECENT: RefCell<Recent> = RefCell::default();
}

/// As [`super::mask`]; what this thread has masked twice lately is looked up. Returns the message, to be shared,
/// where it is remembered.
pub fn mask_again(message: &str, template: &mut String) -> Option<Arc<str>> {
    RECENT.with_borrow_mut(|recent| recent.mask(message, template))
}

/// Messages masked lately, each at a place that follows from its text.
#[derive(Debug, Default)]
struct Recent {
    slots: Vec<Masked>,
}

/// A message and its template.
#[derive(Debug)]
struct Masked {
    message: Arc<str>,
    template: String,
    /// Fingerprint of the last other message that belongs here: said again, it takes the place.
    other: u64,
}

impl Recent {
    /// Replaces the contents of `template` by the template of `message`.
    fn mask(&mut self, message: &str, template: &mut String) -> Option<Arc<str>> {
        if message.len() > MAX_MESSAGE_BYTES {
            super::mask(message, template);
            return None;
        }
        if self.slots.is_empty() {
            // The template of no message is no text.
            let none = || Masked { message: Arc::from(""), template: String::new(), other: 0 };
            self.slots.resize_with(SLOTS, none);
        }
        let print = quick_print(message.as_bytes());
        #[expect(clippy::cast_possible_truncation, reason = "the remainder is less than the number of slots")]
        let slot = self.slots.get_mut(print as usize % SLOTS)?;
        if *slot.message == *message {
            template.clear();
            template.push_str(&slot.template);
            return Some(Arc::clone(&slot.message));
        }
        super::mask(message, template);
        if mem::replace(&mut slot.other, print) != print {
            return None;
        }
        slot.message = Arc::from(message);
        slot.template.clone_from(template);
        Some(Arc::clone(&slot.message))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_remembered_is_what_would_be_masked() {
        let mut recent = Recent::default();
        let long = "x 1 ".repeat(MAX_MESSAGE_BYTES / 2);
        for round in 0..3 {
            for n in 0..2 * SLOTS {
                let message = if n == 7 {
                    long.clone()
                } else if n == 8 {
                    String::new()
                } else {
                    format!("item {} of \"{n}\" is lost\n  at f (a.js:{n}:2)", n % 5)
                };
                let (mut found, mut expect) = (String::from("left over"), String::new());
                let shared = recent.mask(&message, &mut found);
                assert!(shared.is_none_or(|shared| *shared == *message && n != 7));
                super::super::mask(&message, &mut expect);
                assert_eq!(found, expect, "{round}: {message}");
            }
        }
    }

    #[test]
    fn what_is_said_twice_is_shared_whatever_is_said_once_in_between() {
        let mut recent = Recent::default();
        let mut template = String::new();
        let mut mask = |message: &str| recent.mask(message, &mut template);
        assert_eq!(mask("again").as_deref(), None);
        assert_eq!(mask("again").as_deref(), Some("again"));
        for n in 0..10 * SLOTS {
            assert_eq!(mask(&format!("item {n} is lost")).as_deref(), None);
        }
        assert_eq!(mask("again").as_deref(), Some("again"));
    }
}
