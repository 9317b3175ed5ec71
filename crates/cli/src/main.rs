//! The command line of logmill: the only place that opens inputs, prints and exits.

mod args;
mod charts;
mod commands;
mod excerpt;
mod failure;
mod inputs;
mod nearest;
mod notes;
mod positioned;
mod progress;
mod quarantine;
mod rows;
mod session;
mod signals;
mod summary;
mod terminal;
mod when;
mod write;

use std::ffi::OsString;
use std::io::{self, IsTerminal};
use std::process::ExitCode;

use clap::FromArgMatches;
use clap::error::{ContextKind, ContextValue};

use crate::args::{Cli, Length};

fn main() -> ExitCode {
    signals::install();
    let args: Vec<OsString> = std::env::args_os().collect();
    let done = if args.len() < 2 && io::stdout().is_terminal() {
        commands::welcome()
    } else {
        match parse(args) {
            Ok(cli) => {
                let redactor = session::redactor(cli.command.is_redacted());
                commands::run(cli.command).map_err(|failure| match &redactor {
                    Some(redactor) => failure.masked(redactor),
                    None => failure,
                })
            }
            Err(error) => return refuse(&error),
        }
    };
    match done {
        Ok(done) => done.exit_code(),
        Err(failure) => failure.report(),
    }
}

fn parse(args: Vec<OsString>) -> Result<Cli, clap::Error> {
    let mut command = args::command(Length::asked_for(&args));
    let matches = command.try_get_matches_from_mut(args)?;
    Cli::from_arg_matches(&matches).map_err(|error| error.format(&mut command))
}

/// Prints what is wrong with the command line, or the help it asks for.
fn refuse(error: &clap::Error) -> ExitCode {
    if is_left_out(error) {
        return failure::Failure::Usage(LEFT_OUT.to_owned()).report();
    }
    match error.print() {
        Ok(()) => ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2)),
        Err(error) => failure::Failure::System(error.into()).report(),
    }
}

const LEFT_OUT: &str = "this build holds no network code, and so no `fetch`; \
    `cargo install --path crates/cli --locked --features fetch` makes one that has it";

/// Whether the command is one that another build has.
fn is_left_out(error: &clap::Error) -> bool {
    let unknown = error.get(ContextKind::InvalidSubcommand);
    cfg!(not(feature = "fetch")) && matches!(unknown, Some(ContextValue::String(name)) if name == "fetch")
}
