//! Templates of messages masked before. Programs say the same thing many times over.

use std::cell::RefCell;

use logmill_parse::overlap::quick_print;

/// Messages that are remembered, a power of two.
const SLOTS: usize = 512;
/// Bytes of a message that is remembered.
const MAX_MESSAGE_BYTES: usize = 4096;

thread_local! {
    static RECENT: RefCell<Recent> = RefCell::default();
}

/// As [`super::mask`]; what this thread has masked lately is looked up.
pub fn mask_again(message: &str, template: &mut String) {
    RECENT.with_borrow_mut(|recent| recent.mask(message, template));
}

/// The last messages masked, each at a place that follows from its text.
#[derive(Debug, Default)]
struct Recent {
    slots: Vec<Option<Masked>>,
}

/// A message and its template.
#[derive(Debug)]
struct Masked {
    message: Box<str>,
    template: Box<str>,
}

impl Recent {
    /// Replaces the contents of `template` by the template of `message`.
    fn mask(&mut self, message: &str, template: &mut String) {
        if message.len() > MAX_MESSAGE_BYTES {
            return super::mask(message, template);
        }
        if self.slots.is_empty() {
            self.slots.resize_with(SLOTS, || None);
        }
        #[expect(clippy::cast_possible_truncation, reason = "the remainder is less than the number of slots")]
        let place = quick_print(message.as_bytes()) as usize % SLOTS;
        let Some(slot) = self.slots.get_mut(place) else { return super::mask(message, template) };
        match slot {
            Some(known) if *known.message == *message => {
                template.clear();
                template.push_str(&known.template);
            }
            _ => {
                super::mask(message, template);
                *slot = Some(Masked { message: message.into(), template: template.as_str().into() });
            }
        }
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
                } else {
                    format!("item {} of \"{n}\" is lost\n  at f (a.js:{n}:2)", n % 5)
                };
                let (mut found, mut expect) = (String::from("left over"), String::new());
                recent.mask(&message, &mut found);
                super::super::mask(&message, &mut expect);
                assert_eq!(found, expect, "{round}: {message}");
            }
        }
    }
}
