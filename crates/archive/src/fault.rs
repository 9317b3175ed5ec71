//! What is wrong with compressed or archived bytes.

use std::fmt;
use std::io;

/// What kind of thing is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FaultKind {
    /// The bytes end too early.
    Truncated,
    /// The bytes are not what they claim to be.
    Corrupt,
    /// More bytes come out than are allowed.
    Limit,
    /// An archive in an archive in an archive.
    TooDeep,
    /// A password would be needed.
    Encrypted,
    /// A method that is not read here.
    Unsupported,
}

/// Why compressed or archived bytes end before their end. It travels inside an [`io::Error`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// What kind of thing is wrong.
    pub kind: FaultKind,
    /// What was expected and what was found, and where in the compressed bytes.
    pub message: String,
}

impl Fault {
    /// A fault of this kind.
    #[must_use]
    pub fn new(kind: FaultKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into() }
    }

    /// The fault inside an error, if it is one and not the operating system's.
    #[must_use]
    pub fn of(error: &io::Error) -> Option<&Self> {
        error.get_ref().and_then(|inner| inner.downcast_ref())
    }

    pub(crate) fn truncated(message: impl Into<String>) -> Self {
        Self::new(FaultKind::Truncated, message)
    }

    pub(crate) fn corrupt(message: impl Into<String>) -> Self {
        Self::new(FaultKind::Corrupt, message)
    }

    pub(crate) fn limit(message: impl Into<String>) -> Self {
        Self::new(FaultKind::Limit, message)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Fault {}

impl From<Fault> for io::Error {
    fn from(fault: Fault) -> Self {
        Self::other(fault)
    }
}
