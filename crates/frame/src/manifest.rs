//! The manifest: what a folder of tables was made of and consists of.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::encode::FileFormat;
use crate::schema::Table;

/// Name of the manifest in its folder. It is written last: a folder that has one is complete.
pub const MANIFEST: &str = "manifest.json";

/// Name of the program in its manifests.
pub const TOOL: &str = "logmill";

/// What a folder of tables was made of and consists of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// What wrote it.
    pub tool: Tool,
    /// What was read, in the order of the table `files`.
    pub inputs: Vec<Input>,
    /// Options that were given and matter to the contents, by name.
    pub options: BTreeMap<String, String>,
    /// The files of the set, in the order they were written.
    pub files: Vec<File>,
}

/// The program that wrote a manifest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tool {
    /// [`TOOL`].
    pub name: String,
    /// Its version.
    pub version: String,
}

/// An input file, or a member of an archive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Input {
    /// Path as given, with `/`.
    pub source: String,
    /// Member of the archive.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub member: Option<String>,
    /// Size in bytes, unpacked.
    pub bytes: u64,
}

/// A file of the set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct File {
    /// Name in the folder.
    pub file: String,
    /// The table it holds.
    pub table: String,
    /// Rows.
    pub rows: u64,
    /// Size in bytes.
    pub bytes: u64,
    /// SHA-256 of its bytes, in hex.
    pub sha256: String,
}

impl Manifest {
    /// A manifest of files yet to come, written by `version` of this program.
    #[must_use]
    pub fn new(version: &str, inputs: Vec<Input>, options: BTreeMap<String, String>) -> Self {
        let tool = Tool { name: TOOL.to_owned(), version: version.to_owned() };
        Self { tool, inputs, options, files: Vec::new() }
    }

    /// The manifest in `bytes`, if it is one of ours.
    #[must_use]
    pub fn read(bytes: &[u8]) -> Option<Self> {
        serde_json::from_slice(bytes).ok().filter(|manifest: &Self| manifest.tool.name == TOOL)
    }

    /// The manifest as it is written, indented, with a newline at the end.
    #[must_use]
    pub fn to_json(&self) -> String {
        // Strings, numbers and maps with string keys: nothing in there can fail to serialise.
        let mut json = serde_json::to_string_pretty(self).unwrap_or_default();
        json.push('\n');
        json
    }

    /// Names of the files of the set that this program may have written: `<table>.<format>` and nothing else,
    /// so that a manifest made by hand cannot name a file elsewhere.
    pub(crate) fn own_files(&self) -> impl Iterator<Item = &str> {
        self.files.iter().map(|file| file.file.as_str()).filter(|name| {
            name.split_once('.').is_some_and(|(table, format)| {
                Table::from_word(table).is_some() && FileFormat::ALL.iter().any(|it| it.as_str() == format)
            })
        })
    }
}
