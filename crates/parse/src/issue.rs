//! Issues: what could not be read as expected, and the catalogue of their codes.

use std::borrow::Cow;

/// How much an issue matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Something was lost or refused.
    Error,
    /// Something was read, but not as the format documents it.
    Warning,
    /// Worth knowing.
    Info,
}

impl Severity {
    /// The spelling used in tables.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Info => "info",
        }
    }
}

/// Declares the catalogue: variant, code, severity, title, explanation.
macro_rules! catalogue {
    ($($variant:ident, $id:literal, $severity:ident, $title:literal, $text:literal;)+) => {
        /// Code of an issue: one entry of the catalogue.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Code { $(#[doc = $title] $variant,)+ }

        impl Code {
            /// Every code, in catalogue order.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The kebab-case id.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $id,)+ }
            }

            /// How much it matters.
            #[must_use]
            pub const fn severity(self) -> Severity {
                match self { $(Self::$variant => Severity::$severity,)+ }
            }

            /// One line that says what it is.
            #[must_use]
            pub const fn title(self) -> &'static str {
                match self { $(Self::$variant => $title,)+ }
            }

            /// What happened to the input, what the tables then hold, and what to do.
            #[must_use]
            pub const fn explanation(self) -> &'static str {
                match self { $(Self::$variant => $text,)+ }
            }
        }
    };
}

catalogue! {
    UnknownFormat, "unknown-format", Error, "the input is none of the formats read here",
        "Nothing of the input was read. The message says what it looks like. Name the format with --from if you know better.";
    EmptyInput, "empty-input", Info, "the input is empty, its format undetermined",
        "An empty file, or an empty JSON body that several formats share. It makes no run.";
    ErrorBody, "error-body", Warning, "the input is an API's error answer saved as a log",
        "The request that should have saved a log was refused, and its answer was saved instead. The message shows the platform's error type and text. Download the log again.";
    UnreadableInput, "unreadable-input", Error, "the input could not be opened or read",
        "The operating system refused. What had been read before the error is in the tables; the rest is not.";
    TruncatedArchive, "truncated-archive", Error, "compressed or archived bytes that end too early",
        "The file or the member is cut off, as a download is that stopped half-way. What could be unpacked before that place is in the tables; the offset counts decompressed bytes, the message names the place in the compressed ones. Where no member is named, further members may be missing. Download it again.";
    CorruptArchive, "corrupt-archive", Error, "compressed or archived bytes that are damaged",
        "The bytes are not what their headers or checksums say. What was unpacked before the damage was noticed is in the tables, and the last of it may be damaged too. Download it again.";
    DecompressionLimit, "decompression-limit", Error, "more decompressed bytes than are allowed",
        "The file or member unpacks to more than --max-decompressed or --max-member allow, or an archive inside another is too large to be held in memory. What was unpacked before the limit is in the tables. If you trust the file, raise the limit.";
    NestedTooDeep, "nested-too-deep", Error, "an archive in an archive in an archive",
        "Archives and compressed files inside an archive are read one level deep. Nothing of this one was read. Unpack the outermost archive and name what was in it.";
    EncryptedMember, "encrypted-member", Error, "an archive member that needs a password",
        "Nothing of the member was read. Unpack it with its password and name the file.";
    UnsupportedCompression, "unsupported-compression", Error, "a member stored in a way that is not read",
        "Read are stored, deflate, deflate64, bzip2, zstd and xz; not read are other methods, sparse files in tar, and windows larger than 160 MiB. Nothing of the member was read. Unpack it with the program that made it.";
    ChangedInput, "changed-input", Warning, "the input changed while it was read",
        "Its size or its content differed between two reads. The tables hold what stood there at the time of reading. Read it again when it is no longer written to.";
    InvalidUtf8, "invalid-utf8", Warning, "bytes that are not UTF-8",
        "The bytes were replaced by U+FFFD in the message; the event has lossy = true. Other lines are untouched.";
    LineTooLong, "line-too-long", Warning, "a line longer than the limit",
        "The first mebibyte of the line was kept as an event; the rest of the line was rejected, and reading went on at the next line.";
    EventTooLong, "event-too-long", Warning, "an event longer than the limit",
        "An event takes at most 10,000 lines and 1 MiB. What followed became an event of its own.";
    WindowTooLarge, "window-too-large", Warning, "no place to cut for too long a stretch",
        "The reader found no start of an event within its largest window and cut there. One event may have been split in two.";
    DocumentTooLarge, "document-too-large", Error, "a JSON document larger than the limit",
        "A JSON document is held in memory whole, and this one is larger than the limit. It was rejected. Save the pages as separate files.";
    InvalidJson, "invalid-json", Error, "JSON that cannot be parsed",
        "The document, page or element was rejected from the place the message names; what stood before it was read.";
    UnexpectedShape, "unexpected-shape", Error, "an element of another shape than documented",
        "The element was rejected; its neighbours were read.";
    BadTimestamp, "bad-timestamp", Warning, "a time that cannot be read",
        "The event was kept with ts = null.";
    UnstampedLine, "unstamped-line", Warning, "a line without a stamp among stamped ones",
        "The line was joined to the event above it.";
    TextAfterEnd, "text-after-end", Info, "text after the end of the log",
        "Lines without a stamp behind the log's end mark: output of a command line tool or the footer of a page. They were rejected.";
    TruncatedPayload, "truncated-payload", Warning, "a payload that is not closed",
        "The JSON behind the message stops in the middle; it was left in the message.";
    TruncatedLog, "truncated-log", Warning, "the log has been cut",
        "The log is as long as the platform's limit, or lacks its head. Its run has complete = false.";
    DuplicateRecord, "duplicate-record", Info, "records printed twice by a doubly configured logger",
        "The copies were left out of all counts; their bytes are counted as duplicate.";
    ReplayedLines, "replayed-lines", Info, "lines repeated by the dashboard",
        "The block repeats earlier lines, stamps included. It was left out of all counts; its bytes are counted as duplicate.";
    OverlappingPage, "overlapping-page", Info, "a page that repeats part of another",
        "The repeated elements were left out of all counts; their bytes are counted as duplicate.";
    MissingPage, "missing-page", Warning, "a page of the log is missing",
        "The last page says that more lines follow, and no such page is in the dump. The run has complete = false.";
    ClockMismatch, "clock-mismatch", Warning, "two clocks of one log disagree",
        "The platform's phase clock lies outside the lines' own time span. The lines were believed.";
    BackwardClock, "backward-clock", Info, "stamps that step back",
        "A later line carries an earlier stamp. Nothing was sorted; gaps below zero stay as they are.";
    TooManyIssues, "too-many-issues", Info, "more issues of one kind than are listed",
        "At most 100 issues of one code are listed for one input. The message says how many more there were.";
    TooManyTemplates, "too-many-templates", Warning, "more distinct error messages than are kept apart",
        "Further messages were counted in the group `(other)`.";
    Accounting, "accounting", Error, "bytes or lines of the input are unaccounted for",
        "This is an error in the program, not in your input. Please report it with the input.";
}

impl Code {
    /// The code spelt `id`.
    #[must_use]
    pub fn from_id(id: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|code| code.as_str() == id)
    }
}

/// Something that could not be read as expected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issue {
    /// What kind of problem.
    pub code: Code,
    /// Byte of the window it concerns.
    pub start: usize,
    /// First byte behind what it concerns; `start` where it is a single place.
    pub end: usize,
    /// Lines of the window before it.
    pub line: u32,
    /// What was expected and what was found.
    pub message: Cow<'static, str>,
}
