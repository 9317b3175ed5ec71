//! Every format over any bytes: what it reads does not depend on how the input was divided, spans
//! lie inside of it, and every byte and line is accounted for.

use logmill_parse::detect::detect;
use logmill_parse::{Format, Shape, format};

use crate::divide::{self, FOLDED};
use crate::support::{self, Reading};

/// The first byte chooses a format and the size of the windows, the rest is the input.
pub fn check(bytes: &[u8]) {
    let (choice, input) = super::choice(bytes);
    let Some(format) = format::ALL.get(choice % format::ALL.len()).copied() else { return };
    let size = 64 + 37 * (choice / format::ALL.len());
    let _ = detect(support::head(input));
    let _ = (format.metadata(input), format.error_body(input));
    check_format(format, input, size);
}

fn check_format(format: &dyn Format, input: &[u8], size: usize) {
    let shape = support::shape(format, input);
    let whole = support::whole(format, input, shape);
    if matches!(shape, Some(Shape::Windows | Shape::Sequence)) {
        same(&whole, &divide::windows(format, input, shape, size), "in windows");
    }
    if shape == Some(Shape::Windows) {
        same(&whole, &divide::pieces(format, input, shape, size), "in pieces");
    }
    if matches!(shape, None | Some(Shape::Document))
        && let Some(divided) = divide::divided(format, input, size)
    {
        same(&whole, &divided, "divided");
    }
}

#[track_caller]
fn same(whole: &Reading, divided: &Reading, how: &str) {
    for (one, other) in whole.events.iter().zip(&divided.events) {
        assert_eq!(one, other, "{how}");
    }
    assert_eq!(whole.events.len(), divided.events.len(), "events {how}");
    assert_eq!(whole.end_marks, divided.end_marks, "marks at the end {how}");
    assert_eq!(whole.account, divided.account, "account {how}");
    let issues = |reading: &Reading| -> Vec<(&'static str, u64, u64)> {
        let folded = |code: &str| FOLDED.iter().any(|folded| folded.as_str() == code);
        let of = |(code, line, start, _): &(&'static str, u64, u64, String)| (*code, *line, *start);
        reading.issues.iter().map(of).filter(|(code, ..)| !folded(code)).collect()
    };
    assert_eq!(issues(whole), issues(divided), "issues {how}");
}
