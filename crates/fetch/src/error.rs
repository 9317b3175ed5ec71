//! What can go wrong, in words for people.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

/// What stops a fetch before or while it works.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The address given for the endpoints is not one.
    #[error("{0}")]
    Origin(String),
    /// The certificates given are not usable.
    #[error("expected PEM certificates in the file of authorities, found {0}")]
    Roots(String),
    /// The proxy of the environment is not usable.
    #[error("{0}")]
    Proxy(String),
    /// Another process fetches into the same folder.
    #[error("expected {} to be free, found that another fetch is writing to it", .0.display())]
    Busy(PathBuf),
    /// The disk refused.
    #[error("cannot write {}: {source}", path.display())]
    Store {
        /// Where.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// Why a request, or what it was made for, failed. May hold what a server repeated: shown through
/// `Session::say` alone.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Fault {
    /// The server refused.
    #[error("the server answered {status}{}", in_parentheses(.said.as_ref()))]
    Status {
        /// The HTTP status.
        status: u16,
        /// The platform's type and message.
        said: Option<String>,
        /// How long to wait, if it says so.
        retry_after: Option<Duration>,
    },
    /// The answer says in its body that it is none.
    #[error("the platform answered: {0}")]
    Refused(String),
    /// Something took too long.
    #[error("timed out while {0}")]
    Timeout(&'static str),
    /// The connection broke, or the answer was cut or malformed.
    #[error("{0}")]
    Broken(String),
    /// The host cannot be reached.
    #[error("{0}")]
    Unreachable(String),
    /// The other side is not who it should be.
    #[error("expected a certificate for this host by a known authority, found a TLS error: {0}")]
    Tls(String),
    /// A redirect that is not followed.
    #[error("{0}")]
    Redirect(String),
    /// A body beyond the bound.
    #[error("expected at most {max_bytes} bytes, found more; nothing of it is kept")]
    TooLarge {
        /// The bound.
        max_bytes: u64,
    },
    /// A body that would have to be unpacked.
    #[error("expected the body as it is, found content-encoding `{0}`, which was not asked for")]
    Encoded(String),
    /// An answer of another shape.
    #[error("{0}")]
    Unexpected(String),
    /// Pages that do not end.
    #[error("{0}")]
    Endless(String),
    /// The disk refused.
    #[error(transparent)]
    Store(#[from] Error),
    /// The fetch was stopped before.
    #[error("not asked for: {0}")]
    Stopped(String),
}

fn in_parentheses(text: Option<&String>) -> String {
    text.map_or_else(String::new, |text| format!(" ({text})"))
}

impl Fault {
    /// Whether the same request may go better later.
    #[must_use]
    pub(crate) const fn may_pass(&self) -> bool {
        match self {
            Self::Status { status, .. } => matches!(status, 408 | 425 | 429 | 500..=599),
            Self::Timeout(_) | Self::Broken(_) | Self::Unreachable(_) => true,
            _ => false,
        }
    }

    /// Whether no other request can go better: the token is refused, the host cannot be reached or is
    /// another, or the disk is full.
    #[must_use]
    pub(crate) const fn stops_all(&self) -> bool {
        matches!(
            self,
            Self::Status { status: 401, .. } | Self::Store(_) | Self::Tls(_) | Self::Unreachable(_)
        )
    }
}
