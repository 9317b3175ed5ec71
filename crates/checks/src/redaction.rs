//! Masked secrets: done once is done, and nothing that was masked comes back.

use logmill_analyze::Redactor;

/// Any text, and a token planted in the middle of it.
pub fn check(bytes: &[u8]) {
    let redactor = Redactor::new(b"");
    let text = String::from_utf8_lossy(bytes);
    let once = redactor.text(&text).into_owned();
    assert_eq!(redactor.text(&once), once, "masking what is masked changes it");
    let middle = (0..=text.len() / 2).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    let (before, behind) = text.split_at(middle);
    let planted = format!("{before} {TOKEN} {behind}");
    assert!(!redactor.text(&planted).contains(TOKEN), "{planted:?}");
}

/// In the form of an Apify API token.
const TOKEN: &str = "apify_api_A1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q7r8";
