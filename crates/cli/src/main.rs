//! The command line of logmill: the only place that opens inputs, prints and exits.

mod args;
mod commands;
mod failure;
mod inputs;
mod nearest;
mod positioned;
mod rows;
mod session;
mod summary;
mod terminal;
mod when;
mod write;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    let cli = match args::Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            let code = error.exit_code();
            return match error.print() {
                Ok(()) => ExitCode::from(u8::try_from(code).unwrap_or(2)),
                Err(error) => failure::Failure::System(error.into()).report(),
            };
        }
    };
    match commands::run(cli.command) {
        Ok(done) => done.exit_code(),
        Err(failure) => failure.report(),
    }
}
