//! Where tokens come from: the environment, a file that only its owner can read, or standard input.
//!
//! Never from the command line, which every process of the machine can read.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use anyhow::Context;
use logmill_fetch::{Credentials, Secret};

use crate::args::fetch::HowArgs;
use crate::failure::Failure;
use crate::terminal::safe;

/// The largest file of a token.
const MAX_BYTES: u64 = 8 << 10;

/// Whether it goes without.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Needs {
    /// It does.
    Nothing,
    /// It does not.
    Token,
}

/// `APIFY_TOKEN`
pub fn apify(how: &HowArgs, needs: Needs) -> Result<Credentials, Failure> {
    match (bearer(how, "APIFY_TOKEN")?, needs) {
        (None, Needs::Token) => Err(none("APIFY_TOKEN")),
        (found, _) => Ok(found.unwrap_or_default()),
    }
}

/// `CLOUDFLARE_API_TOKEN`, or `CLOUDFLARE_EMAIL` with `CLOUDFLARE_API_KEY`
pub fn cloudflare(how: &HowArgs) -> Result<Credentials, Failure> {
    if let Some(found) = bearer(how, "CLOUDFLARE_API_TOKEN")? {
        return Ok(found);
    }
    match (variable("CLOUDFLARE_EMAIL")?, variable("CLOUDFLARE_API_KEY")?) {
        (Some(email), Some(key)) => Ok(Credentials::EmailAndKey { email, key }),
        _ => Err(none("CLOUDFLARE_API_TOKEN (or CLOUDFLARE_EMAIL and CLOUDFLARE_API_KEY)")),
    }
}

/// `ALLOY_API_KEY`
pub fn alloy(how: &HowArgs) -> Result<Credentials, Failure> {
    bearer(how, "ALLOY_API_KEY")?.ok_or_else(|| none("ALLOY_API_KEY"))
}

fn none(names: &str) -> Failure {
    Failure::Usage(format!("expected a token in {names}, found none; --token-file reads it from a file"))
}

fn bearer(how: &HowArgs, name: &str) -> Result<Option<Credentials>, Failure> {
    let secret = match &how.token_file {
        Some(path) => Some(of_file(path)?),
        None => variable(name)?,
    };
    Ok(secret.map(Credentials::Bearer))
}

/// A token of the environment; an empty one is none.
fn variable(name: &str) -> Result<Option<Secret>, Failure> {
    let Some(value) = std::env::var_os(name).filter(|value| !value.is_empty()) else { return Ok(None) };
    let secret = Secret::new(&value.to_string_lossy());
    secret.map(Some).map_err(|error| Failure::Usage(format!("{error} in {name}")))
}

fn of_file(path: &Path) -> Result<Secret, Failure> {
    let mut bytes = Vec::new();
    let context = || format!("cannot read the token from {}", path.display());
    if path == Path::new("-") {
        io::stdin().lock().take(MAX_BYTES).read_to_end(&mut bytes).with_context(context)?;
    } else {
        let file = File::open(path).with_context(context)?;
        check_mode(path, &file)?;
        file.take(MAX_BYTES).read_to_end(&mut bytes).with_context(context)?;
    }
    let secret = Secret::new(&String::from_utf8_lossy(&bytes));
    secret.map_err(|error| Failure::Usage(format!("{error} in {}", safe(&path.to_string_lossy()))))
}

/// A file that others can read is refused: the token in it is theirs as well.
#[cfg(unix)]
fn check_mode(path: &Path, file: &File) -> Result<(), Failure> {
    use std::os::unix::fs::PermissionsExt;
    let mode =
        file.metadata().with_context(|| format!("cannot read {}", path.display()))?.permissions().mode();
    match mode & 0o077 {
        0 => Ok(()),
        _ => Err(Failure::Usage(format!(
            "expected {path} to be readable by its owner alone, found mode {:04o}; chmod 600 {path}",
            mode & 0o7777,
            path = safe(&path.to_string_lossy())
        ))),
    }
}

/// Other systems say in other ways who may read a file.
#[cfg(not(unix))]
fn check_mode(_: &Path, _: &File) -> Result<(), Failure> {
    Ok(())
}
