//! What an input is, told by its first bytes.

use crate::format::{ALL, Extent, Format, Head, Metadata, Shape};

/// What an input is.
pub enum Verdict {
    /// A log.
    Log {
        /// Its format.
        format: &'static dyn Format,
        /// How it is read.
        shape: Shape,
    },
    /// Nothing, or a JSON body without content that several formats share.
    Empty,
    /// An API's error answer; its type and text.
    ErrorBody(String),
    /// A description of a run rather than its log.
    Metadata(Box<Metadata>),
    /// An output of this program.
    OwnOutput,
    /// None of these; what it looks like.
    Unknown(String),
}

/// Says what the input with this head is.
#[must_use]
pub fn detect(head: Head<'_>) -> Verdict {
    let trimmed = head.bytes.trim_ascii();
    if head.extent == Extent::Whole && matches!(trimmed, b"" | b"[]" | b"{}") {
        return Verdict::Empty;
    }
    let mut best = None;
    for format in ALL {
        if let Some(found) = format.detect(head) {
            let better = best.is_none_or(|(_, score, _)| found.score > score);
            if better {
                best = Some((*format, found.score, found.shape));
            }
        }
    }
    if let Some((format, _, shape)) = best {
        return Verdict::Log { format, shape };
    }
    if head.extent == Extent::Whole {
        if let Some(text) = ALL.iter().find_map(|format| format.error_body(head.bytes)) {
            return Verdict::ErrorBody(text);
        }
        if let Some(metadata) = ALL.iter().find_map(|format| format.metadata(head.bytes)) {
            return Verdict::Metadata(Box::new(metadata));
        }
    }
    Verdict::Unknown("something else".to_owned())
}
