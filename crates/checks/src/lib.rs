//! What must hold for any bytes whatsoever, as functions that panic where it does not.
//!
//! The tests here run every check over the inputs of `testdata/` and seeded mutants of them; the
//! workspace `fuzz/` runs the same functions on what a coverage-guided fuzzer comes up with. A
//! check compares the fast way with a slow and obvious one, or one division of the input with
//! another. This package is used by nothing that is shipped.
//!
//! - `formats`: every format of the registry, whole against divided, and the account of its bytes.
//! - `engine`: the whole analysis with different windows and threads.
//! - `text`: stamps against chrono, escapes against `serde_json`, ANSI and UTF-16 against the slow way.
//! - `archives`: compressed files and archives, with memory to keep them in and without.
//! - `masking`: templates of error messages; `redaction`: secrets.
//! - `tables`: text through CSV and NDJSON and back. It needs polars, hence the feature of that name.

mod archives;
#[path = "../../parse/tests/support/divide.rs"]
#[expect(dead_code, reason = "what the tests of parse share; not all of it is needed here")]
mod divide;
mod engine;
mod formats;
mod masking;
mod redaction;
#[path = "../../parse/tests/support/mod.rs"]
#[expect(dead_code, reason = "what the tests of parse share; not all of it is needed here")]
mod support;
#[cfg(feature = "tables")]
mod tables;
mod text;

/// A property of some code, checked on bytes.
#[derive(Debug, Clone, Copy)]
pub struct Check {
    /// Name, which is also that of the fuzz target.
    pub name: &'static str,
    /// Panics if the property does not hold for these bytes.
    pub run: fn(&[u8]),
}

/// Every check there is.
pub const ALL: &[Check] = &[
    Check { name: "formats", run: formats::check },
    Check { name: "engine", run: engine::check },
    Check { name: "stamps", run: text::stamps },
    Check { name: "escapes", run: text::escapes },
    Check { name: "ansi", run: text::ansi },
    Check { name: "utf16", run: text::utf16 },
    Check { name: "archives", run: archives::check },
    Check { name: "masking", run: masking::check },
    Check { name: "redaction", run: redaction::check },
    #[cfg(feature = "tables")]
    Check { name: "tables", run: tables::check },
];

/// Runs the check of this name.
///
/// # Panics
///
/// If there is none, or the bytes do not have the property.
pub fn run(name: &str, bytes: &[u8]) {
    let check = ALL.iter().find(|check| check.name == name).expect("the name of a check");
    (check.run)(bytes);
}

/// The first byte, which chooses among variants of a check, and the rest.
fn choice(bytes: &[u8]) -> (usize, &[u8]) {
    bytes.split_first().map_or((0, bytes), |(first, rest)| (usize::from(*first), rest))
}
