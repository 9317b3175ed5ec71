//! What a format is, and the registry of all formats.
//!
//! A fifth format is one file in `formats/` and one line in [`ALL`].

use std::borrow::Cow;

use crate::formats::{alloy_execution, apify_log, apify_schedule, cloudflare_build};
use crate::record::{Batch, Delivery};
use crate::time::Micros;
use crate::vocabulary::{Kind, Platform, Status};

/// Every format, in the order help and documentation list them.
pub static ALL: &[&dyn Format] = &[
    &apify_log::ApifyLog,
    &apify_schedule::ApifySchedule,
    &cloudflare_build::CloudflareBuild,
    &alloy_execution::AlloyExecution,
];

/// The format with the given id.
#[must_use]
pub fn by_id(id: &str) -> Option<&'static dyn Format> {
    ALL.iter().copied().find(|format| format.about().id == id)
}

/// One kind of log.
///
/// Implementations hold no state: a format is its grammar. Nothing here fails or panics;
/// what cannot be read becomes an issue in the batch.
pub trait Format: Sync {
    /// Names and documentation.
    fn about(&self) -> &'static About;

    /// Whether the input whose head is given is of this format.
    fn detect(&self, head: Head<'_>) -> Option<Match>;

    /// The first byte at or after `from` where an event starts whatever stands before it,
    /// so that a window may be cut there. `bytes` may begin and end anywhere.
    ///
    /// `None` if there is no such place in `bytes`. Never called for [`Shape::Document`].
    fn cut(&self, bytes: &[u8], from: usize) -> Option<usize>;

    /// Appends the records of `window` to `out` and says how many bytes were consumed.
    ///
    /// All of them at the end of the input. Elsewhere the rest begins where an event begins,
    /// and is handed in again, with more behind it: an event is never reported before its
    /// end has been seen. Consuming nothing asks for a larger window.
    ///
    /// Of a document, or of what stands between two seams of one, all is consumed. A format that has
    /// [`Format::seams`] reads on from `carry`, and leaves there what the bytes end with: behind the last part, and
    /// behind a document that is read as one, that is [`Depth::Outside`]. Its records may leave the batch by
    /// `delivery`; issues and account stay, and are those of all of it.
    fn parse<'a>(
        &self,
        window: Window<'a>,
        carry: &mut Carry,
        out: &mut Batch<'a>,
        delivery: Delivery<'_>,
    ) -> usize;

    /// Places inside of a document where it may be divided, in order, about every `bytes`, and what must be carried
    /// to each. None by default: then it is read as one.
    ///
    /// They may be guessed: what stands between two of them is read by itself, and counts only if
    /// [`Format::parse`] leaves, at the end of each part, the carry of the next seam. Where it does, the
    /// parts must hold the same records, marks, issues and account as the document. Parts that state the id of the
    /// same run are read once more, as one.
    fn seams(&self, _document: &[u8], _bytes: usize) -> Vec<Seam> {
        Vec::new()
    }

    /// What a whole file that is no log but describes one says about it (a run object,
    /// a build record), if it is such a file of this format's platform.
    fn metadata(&self, document: &[u8]) -> Option<Metadata>;

    /// What a whole file says that is an error answer of this format's API.
    fn error_body(&self, document: &[u8]) -> Option<String>;
}

/// Names and documentation of a format.
#[derive(Debug)]
pub struct About {
    /// Kebab-case id.
    pub id: &'static str,
    /// The platform.
    pub platform: Platform,
    /// Kind of run where nothing in the source says otherwise.
    pub kind: Option<Kind>,
    /// One line for listings.
    pub title: &'static str,
    /// The shapes that are read, one per line.
    pub shapes: &'static [&'static str],
    /// Where such logs come from: the documented endpoint.
    pub endpoint: &'static str,
    /// Length in characters at which the platform cuts its logs, if it does.
    pub limit_chars: Option<u64>,
    /// Why a run of kind `run` is incomplete when it has no [`crate::Mark::Opening`], if it is.
    pub no_opening: Option<&'static str>,
}

/// The first bytes of an input.
#[derive(Debug, Clone, Copy)]
pub struct Head<'a> {
    /// At most [`crate::limits::HEAD_BYTES`], or all up to the second line, without a byte order mark.
    pub bytes: &'a [u8],
    /// Whether that is the whole input.
    pub extent: Extent,
}

/// How much of an input is at hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// All of it.
    Whole,
    /// Its beginning.
    Part,
}

/// The score of an input that can be nothing else, whatever follows: no other format is asked.
pub const CERTAIN: u8 = 100;

/// How an input matches a format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Match {
    /// 1 (could be) to [`CERTAIN`]; the highest wins, a tie leaves the format undetermined.
    pub score: u8,
    /// How it is to be read.
    pub shape: Shape,
}

/// How an input is to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// In windows, cut where [`Format::cut`] says.
    Windows,
    /// From start to end in growing windows, never cut ahead.
    Sequence,
    /// As one unit, unless it can be divided at [`Format::seams`].
    Document,
}

/// A stretch of one input, handed to a format to be parsed.
#[derive(Debug, Clone, Copy)]
pub struct Window<'a> {
    /// The bytes. Always starts where an event starts, unless [`Carry`] says otherwise.
    pub bytes: &'a [u8],
    /// Offset of the first byte in the decompressed input.
    pub offset: u64,
    /// What comes behind the last byte.
    pub end: End,
}

/// What comes behind the last byte of a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// More of the stretch being read: events at the end may be unfinished.
    More,
    /// A cut: the next byte of the input starts an event.
    Cut,
    /// A place of [`Format::seams`]: an array that is still open goes on behind it.
    Seam,
    /// The end of the input.
    Input,
}

/// What must be remembered from one window to the next when a stretch is read in several.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Carry {
    /// Whether the next window begins inside a line, and what has become of the head of that.
    pub line: LineState,
    /// Whether the next window begins inside a run, for formats that tell where runs begin by what stands before.
    pub run: RunState,
    /// How deep in a document the next window begins.
    pub depth: Depth,
}

/// A place where a document may be divided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seam {
    /// The first byte behind it.
    pub at: usize,
    /// What reading all that stands before leaves, if the document may be divided here.
    pub carry: Carry,
}

/// How deep in a document the next window begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Depth {
    /// Outside of all values.
    #[default]
    Outside,
    /// Between two elements of the array that the document is, behind the comma.
    Array,
    /// The same, of an array that is a member of the object that the document is.
    Member,
    /// Reading could not tell without the bytes before the window. No seam has it, so the document is read as one.
    Unknown,
}

/// Where in a run the next window begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RunState {
    /// Where one begins.
    #[default]
    Start,
    /// Inside of one: the window before was cut although its last run went on.
    Inside,
}

/// Where the next window begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LineState {
    /// At the start of a line.
    #[default]
    Start,
    /// Inside a line that is too long: its head was taken, and its rest is to be rejected.
    Overlong,
    /// Inside a line that counts as one of the window before; elements of the next window that stand on it add none.
    Counted,
}

/// What metadata beside a log says about its run. Whatever is there decides over the log.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Metadata {
    /// Id of the run it describes, where it states one.
    pub run_id: Option<String>,
    /// Group it belongs to (actor, worker), where it states one.
    pub group: Option<String>,
    /// Kind of run.
    pub kind: Option<Kind>,
    /// How the run ended.
    pub status: Option<Status>,
    /// The source's own word for it.
    pub status_reason: Option<Cow<'static, str>>,
    /// When it was asked for (start of a queue).
    pub created_at: Option<Micros>,
    /// When it started.
    pub started_at: Option<Micros>,
    /// When it stopped.
    pub stopped_at: Option<Micros>,
    /// Build that was run.
    pub build_id: Option<String>,
    /// Branch that was built.
    pub branch: Option<String>,
    /// Commit that was built.
    pub commit: Option<String>,
}
