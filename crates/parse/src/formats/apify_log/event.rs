//! A joined event on its way from the joiner to a record.
//!
//! [`super::join`] makes it from physical lines; [`super::meaning`] says what it means.

use crate::record::Flags;
use crate::text::Text;
use crate::time::Micros;
use crate::vocabulary::Level;

/// One event: its lines are joined, what it means is not decided yet.
#[derive(Debug, Clone, Copy)]
pub(super) struct Event<'a> {
    /// First stamp present; of a relayed event the innermost one.
    pub ts: Option<Micros>,
    /// Level at the anchored position.
    pub level: Level,
    /// How level and logger are written.
    pub style: Style,
    /// Logger prefix, e.g. `CheerioCrawler:AutoscaledPool` or `crawlee.storages._request_queue`.
    pub logger: &'a [u8],
    /// First physical line of the message, without level, logger and trailing blanks, ANSI as it
    /// stands; a payload on the same line is cut off.
    pub first_line: &'a [u8],
    /// The whole message without payload.
    pub message: Text<'a>,
    /// The trailing JSON object (or the inside of Python's `({…})`, braces included).
    pub payload: Option<Text<'a>>,
    /// What the joiner found while joining.
    pub body: Body,
    /// Oddities.
    pub flags: Flags,
    /// Whether ANSI may stand in it.
    pub has_colour: bool,
}

/// How level and logger of an event are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    /// `ACTOR: …` (or `[actor-runtime] …`): the platform speaks. `first_line` starts at these words.
    Platform,
    /// `INFO  Name: …`: the JavaScript logger since 0.20.
    Padded,
    /// `INFO: …`: the JavaScript logger before.
    Colon,
    /// `[logger] INFO  …`: the Python logger.
    Python,
    /// `INFO:logger:…` or `date [logger] INFO: …`: Python's standard library and Scrapy's defaults.
    Stdlib,
    /// `{"level":"INFO","msg":"…"}`.
    Json,
    /// A relayed status line: `-> Status: RUNNING, Message: …` (`first_line` starts at `Status:`).
    RelayedStatus,
    /// No level: `console.log`, `print`, tools.
    Bare,
}

/// What an event's further lines are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Body {
    /// Nothing in particular: a single line, indented text, stack frames below a message.
    Text,
    /// The box table of the Python crawlers' statistics.
    Table,
    /// A Python traceback stands in it.
    Traceback,
    /// Node's report of an uncaught exception.
    NodeCrash,
}
