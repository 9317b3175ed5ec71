//! Issues, put in the order of the places they are about.

use std::borrow::Cow;

use super::above::Above;
use crate::issue::{Code, Issue};
use crate::record::Batch;

/// An issue about an event as a whole, put before those about its further lines.
pub(super) fn report(out: &mut Batch<'_>, above: &Above<'_>, code: Code, message: &'static str) {
    let at = out.issues.len().min(above.before.issues);
    let (start, line) = (above.before.at, above.before.line);
    let issue = Issue { code, start, end: above.end, line, message: Cow::Borrowed(message) };
    out.issues.insert(at, issue);
}

/// An event that had to be cut.
pub(super) fn long_event(out: &mut Batch<'_>, above: &Above<'_>) {
    report(out, above, Code::EventTooLong, "expected at most 10,000 lines and 1 MiB, found more");
}

/// A line that had to be cut.
pub(super) fn long_line(out: &mut Batch<'_>, above: &Above<'_>) {
    report(out, above, Code::LineTooLong, "expected at most 1 MiB, found a longer line");
}

/// A line that was joined because it has no stamp.
pub(super) fn unstamped_line(out: &mut Batch<'_>, start: usize, end: usize, line: u32) {
    let message = Cow::Borrowed("expected a stamp as on the lines before, found none");
    out.issues.push(Issue { code: Code::UnstampedLine, start, end, line, message });
}

/// Lines behind an event that ends the log.
pub(super) fn text_after_end(out: &mut Batch<'_>, above: &Above<'_>) {
    let message = "expected nothing behind the last line of the log, found lines without a stamp";
    out.issues.push(Issue {
        code: Code::TextAfterEnd,
        start: above.rejected_at.start,
        end: above.rejected_at.end,
        line: above.rejected_line,
        message: Cow::Borrowed(message),
    });
}
