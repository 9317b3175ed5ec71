//! Records that a doubly configured logger prints twice, the second time with `"message"` among the data.

use std::borrow::Cow;
use std::sync::LazyLock;

use memchr::memmem::Finder;
use serde::Deserialize;

use super::above::{Above, Snapshot};
use super::payload::Split;
use crate::record::Account;
use crate::text::Text;
use crate::vocabulary::Level;

/// The key of the data that makes a copy.
static MESSAGE: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b"\"message\":"));

/// An event that may have been printed twice.
#[derive(Debug, Clone, Copy)]
pub(super) struct Original<'a> {
    /// The batch before it.
    pub before: Snapshot,
    /// Where the bytes before it went.
    pub account: Account,
    /// Behind its last line and the blank ones below.
    pub end: usize,
    /// Its level.
    pub level: Level,
    /// The run it is relayed from.
    pub run_id: &'a [u8],
    /// Its logger.
    pub logger: &'a [u8],
    /// Its message.
    pub message: Text<'a>,
}

#[derive(Deserialize)]
struct Data<'a> {
    #[serde(borrow)]
    message: Cow<'a, str>,
}

/// Whether an event with this logger and text repeats `original`.
pub(super) fn is_copy(original: &Original<'_>, above: &Above<'_>, logger: &[u8], split: &Split<'_>) -> bool {
    let Some(payload) = split.payload else { return false };
    if original.level != above.anchor.level
        || original.run_id != above.run_id()
        || original.logger != logger
        || MESSAGE.find(payload.raw).is_none()
    {
        return false;
    }
    let text = original.message.decode();
    let document = payload.decode();
    let data: Option<Data<'_>> = serde_json::from_str(&document).ok();
    data.is_some_and(|data| data.message.trim_end() == text.trim_end()) && split.message.decode() == text
}

/// Whether a line may belong to a copy.
pub(super) fn may_be_copy(line: &[u8]) -> bool {
    MESSAGE.find(line).is_some()
}
