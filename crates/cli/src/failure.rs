//! How a command ends: exit codes, and the message that goes with them.

use std::io::{self, Write};
use std::process::ExitCode;

use logmill_analyze::Redactor;

use crate::terminal::safe;

/// A command that did what it was asked to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Done {
    /// All of it.
    Well,
    /// All outputs are there, but a named input could not be read, or `--strict` objects.
    WithComplaints,
    /// What could be fetched is there; something is missing, and it was said what.
    #[cfg(feature = "fetch")]
    Missing,
}

impl Done {
    /// 0, 1 or, for a fetch, 4.
    #[must_use]
    pub fn exit_code(self) -> ExitCode {
        match self {
            Self::Well => ExitCode::SUCCESS,
            Self::WithComplaints => ExitCode::from(1),
            #[cfg(feature = "fetch")]
            Self::Missing => ExitCode::from(4),
        }
    }
}

/// A command that could not do what it was asked to.
#[derive(Debug)]
pub enum Failure {
    /// The words of the command line do not go together.
    Usage(String),
    /// The system refused, or an output is in the way.
    System(anyhow::Error),
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        Self::System(error)
    }
}

impl Failure {
    /// The failure with its message masked.
    #[must_use]
    pub fn masked(self, redactor: &Redactor) -> Self {
        match self {
            Self::Usage(message) => Self::Usage(redactor.text(&message).into_owned()),
            Self::System(error) if is_broken_pipe(&error) => Self::System(error),
            Self::System(error) => {
                Self::System(anyhow::Error::msg(redactor.text(&format!("{error:#}")).into_owned()))
            }
        }
    }

    /// Prints the message and says with which code to exit. Whoever reads our output may stop
    /// reading at any time: a broken pipe is not an error.
    #[must_use]
    pub fn report(self) -> ExitCode {
        match self {
            Self::Usage(message) => {
                complain(&format!("error: {message}\n\nFor more information, try '--help'."));
                ExitCode::from(2)
            }
            Self::System(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
            Self::System(error) => {
                complain(&format!("error: {}", safe(&format!("{error:#}"))));
                ExitCode::from(3)
            }
        }
    }
}

/// Prints to standard error. Where that is closed, too, nobody is left to tell.
fn complain(message: &str) {
    let _ = writeln!(io::stderr(), "{message}");
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        let of_frame = cause.downcast_ref::<logmill_frame::Error>().and_then(logmill_frame::Error::io_kind);
        let of_io = cause.downcast_ref::<io::Error>().map(io::Error::kind);
        of_frame.or(of_io) == Some(io::ErrorKind::BrokenPipe)
    })
}
