//! From the bytes of automation-platform logs to borrowed records with marks.
//!
//! No I/O, no threads, no clock. A [`Format`] appends the [`Record`]s of a [`Window`] to a
//! reused [`Batch`] and never fails: what cannot be read becomes an [`Issue`]. What a format
//! knows about the run around a record it leaves as a [`Mark`]; `logmill-analyze` assembles
//! runs from them.

pub mod detect;
pub mod encoding;
pub mod format;
pub mod formats;
pub mod issue;
pub mod json;
pub mod limits;
pub mod mark;
pub mod overlap;
pub mod record;
pub mod text;
pub mod time;
pub mod vocabulary;

pub use format::{
    About, Carry, Depth, End, Extent, Format, Head, LineState, Match, Metadata, RunState, Seam, Shape, Window,
};
pub use issue::{Code, Issue, Severity};
pub use mark::{Mark, Marked};
pub use record::{Account, Amount, Batch, Delivery, Evidence, Flags, Record, Span, Stream, Wants};
pub use text::{Codec, Text};
pub use time::Micros;
pub use vocabulary::{Class, Kind, Level, Platform, Status, StepKind};
