//! Templates of messages masked before. Programs say the same thing many times over.

use std::cell::RefCell;
use std::sync::Arc;

use logmill_parse::overlap::quick_print;

/// Messages that are remembered, a power of two.
const SLOTS: usize = 512;
/// Bytes of a message that is remembered.
const MAX_MESSAGE_BYTES: usize = 4096;

thread_local! {
    static RECENT: RefCell<Recent> = RefCell::default();
}

/// As [`super::mask`]; what this thread has masked lately is looked up. Returns the message, to be shared, where
/// it is remembered.
pub fn mask_again(message: &str, template: &mut String) -> Option<Arc<str>> {
    RECENT.with_borrow_mut(|recent| recent.mask(message, template))
}

/// The last messages masked, each at a place that follows from its text.
#[derive(Debug, Default)]
struct Recent {
    slots: Vec<Masked>,
}

/// A message and its template.
#[derive(Debug)]
struct Masked {
    message: Arc<str>,
    template: String,
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
            let none = || Masked { message: Arc::from(""), template: String::new() };
            self.slots.resize_with(SLOTS, none);
        }
        #[expect(clippy::cast_possible_truncation, reason = "the remainder is less than the number of slots")]
        let place = quick_print(message.as_bytes()) as usize % SLOTS;
        let slot = self.slots.get_mut(place)?;
        if *slot.message == *message {
            template.clear();
            template.push_str(&slot.template);
        } else {
            super::mask(message, template);
            slot.message = Arc::from(message);
            slot.template.clone_from(template);
        }
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
                assert_eq!(shared.as_deref(), (n != 7).then_some(message.as_str()));
                super::super::mask(&message, &mut expect);
                assert_eq!(found, expect, "{round}: {message}");
            }
        }
    }
}
