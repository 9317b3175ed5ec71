//! The note beside what was fetched: what was asked, what came, and whether anything is missing.
//!
//! It holds no secret, and begins with [`MARKER`], by which readers of dumps know it.

use serde::{Deserialize, Serialize};

/// The first key of every note; its value is the version of the form.
pub const MARKER: &str = "logmill_fetch";

/// The version written here.
const VERSION: u32 = 1;

/// What is known of one target.
#[derive(Debug, Clone, Serialize, Deserialize, PartialEq, Eq)]
pub struct Note {
    /// Version of the form.
    #[serde(rename = "logmill_fetch")]
    version: u32,
    /// Which endpoint.
    pub endpoint: String,
    /// Of what.
    pub id: String,
    /// Whether everything that there was has been stored.
    pub complete: bool,
    /// What is missing.
    pub incomplete_reason: Option<String>,
    /// Whether what the log is about was over when it was asked for; null where nobody said.
    pub finished: Option<bool>,
    /// What was asked for besides the page or cursor; another query is another chain of pages.
    pub query: String,
    /// The pass over pages that was begun and not ended.
    pub pass: Option<Pass>,
    /// The files, in the order of the chain.
    pub pages: Vec<Page>,
}

/// A pass over pages.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, PartialEq, Eq)]
pub struct Pass {
    /// Where it ends.
    pub until: Until,
    /// The first of `pages` that it stored.
    pub first: usize,
}

/// Where a pass over pages ends.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum Until {
    /// At a page with nothing on it.
    Empty,
    /// At a page on which everything was known before the pass began.
    Known,
}

/// One file.
#[derive(Debug, Clone, Serialize, Deserialize, PartialEq, Eq, Default)]
pub struct Page {
    /// Its name beside the note.
    pub file: String,
    /// What was asked for.
    pub url: String,
    /// When, in UTC.
    pub fetched_at: String,
    /// The HTTP status.
    pub status: u16,
    /// Its size.
    pub bytes: u64,
    /// The number of the page.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub page: Option<u32>,
    /// The cursor that was sent.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub cursor: Option<String>,
    /// The cursor that came back.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub next_cursor: Option<String>,
    /// Whether the answer says that there is more.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub truncated: Option<bool>,
}

impl Note {
    /// A note about something of which nothing is there yet.
    pub(crate) fn new(endpoint: &str, id: &str, query: String) -> Self {
        Self {
            version: VERSION,
            endpoint: endpoint.to_owned(),
            id: id.to_owned(),
            complete: false,
            incomplete_reason: None,
            finished: None,
            query,
            pass: None,
            pages: Vec::new(),
        }
    }

    /// A note that was written earlier; `None` if it is none of this version.
    pub(crate) fn read(bytes: &[u8]) -> Option<Self> {
        serde_json::from_slice(bytes).ok().filter(|note: &Self| note.version == VERSION)
    }

    /// The note as it is written.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        // Strings, numbers and lists of them cannot fail to be written.
        let mut bytes = serde_json::to_vec_pretty(self).unwrap_or_default();
        bytes.push(b'\n');
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notes_begin_with_the_marker() {
        let note = Note::new("apify-log", "x", String::new());
        let text = String::from_utf8(note.bytes()).expect("UTF-8");
        assert!(text.starts_with(&format!("{{\n  \"{MARKER}\": 1,")), "{text}");
        assert_eq!(Note::read(text.as_bytes()), Some(note));
        assert_eq!(Note::read(text.replace("\": 1", "\": 2").as_bytes()), None);
        assert_eq!(Note::read(b"{}"), None);
    }
}
