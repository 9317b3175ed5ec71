//! Templates of error messages: bounded, one line, and the same for the same message.

use logmill_analyze::mask::{TEMPLATE_CHARS, headline, mask};

/// A message of any kind.
pub fn check(bytes: &[u8]) {
    let message = String::from_utf8_lossy(bytes);
    let mut template = String::from("what was there before");
    mask(&message, &mut template);
    assert!(template.chars().count() <= TEMPLATE_CHARS, "{template:?} is too long");
    assert!(!template.contains('\n'), "{template:?} is one line");
    let mut again = String::new();
    mask(&message, &mut again);
    assert_eq!(template, again, "the same message, another template");
    assert!(!headline(&message).contains('\n'), "a headline is one line");
}
