//! What can go wrong between a row and a file.

use std::io;
use std::path::{Path, PathBuf};

use polars::prelude::PolarsError;

use crate::schema::Table;

/// What can go wrong between a row and a file. What the system said is the error's source.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The operating system refused something about a file or a folder.
    #[error("cannot {action} {}", path.display())]
    Io {
        /// What was tried: `create`, `write`, `rename` …
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The sink of a table refused bytes; a full disk shows here.
    #[error("cannot write the table {table}")]
    Sink {
        /// The table.
        table: Table,
        /// What the sink said.
        source: io::Error,
    },
    /// The output is there already and may not be replaced.
    #[error("{} exists", .0.display())]
    Exists(PathBuf),
    /// The output exists and is no regular file (a device, a pipe, a folder).
    #[error("{} is not a regular file", .0.display())]
    NotAFile(PathBuf),
    /// A data frame is not of the table it was given for. An error in the program.
    #[error("table {table}: expected {expected}, found {found}")]
    Schema {
        /// The table.
        table: Table,
        /// What the schema says.
        expected: String,
        /// What the frame holds.
        found: String,
    },
    /// polars refused. An error in the program.
    #[error("cannot make the table {table}")]
    Polars {
        /// The table.
        table: Table,
        /// What polars said.
        source: PolarsError,
    },
}

impl Error {
    /// The kind of the operating system's error, if it was one: a full disk, a broken pipe.
    #[must_use]
    pub fn io_kind(&self) -> Option<io::ErrorKind> {
        match self {
            Self::Io { source, .. } | Self::Sink { source, .. } => Some(source.kind()),
            _ => None,
        }
    }

    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { action, path: path.to_owned(), source }
    }

    pub(crate) fn polars(table: Table) -> impl Fn(PolarsError) -> Self {
        move |source| Self::Polars { table, source }
    }

    pub(crate) fn sink(table: Table) -> impl Fn(io::Error) -> Self {
        move |source| Self::Sink { table, source }
    }
}
