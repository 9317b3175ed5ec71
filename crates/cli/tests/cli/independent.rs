//! What programs in Python find out, where there is one with what they need: the recipes of the guides, asked
//! of `DuckDB` and polars (`LOGMILL_ACCEPT=1` writes their results into the pages), and suites that nobody here wrote.

use std::process::Command;

use crate::support::{DEMO, Folder, root, well};

/// Pages with recipes.
const PAGES: &[&str] = &["docs/apify.md", "docs/cloudflare.md", "docs/alloy.md"];
/// What they exit with where something is not installed or cannot be fetched.
const NOT_THERE: i32 = 77;

#[test]
fn recipes_have_the_results_they_show() {
    let folder = Folder::new();
    well(["convert", DEMO, "-o", &folder.arg("out"), "--table", "all"]);
    let mut python = Command::new("python3");
    python.arg(root().join("crates/cli/tests/independent/recipes.py"));
    if std::env::var_os("LOGMILL_ACCEPT").is_some() {
        python.arg("--accept");
    }
    python
        .arg(folder.arg("out"))
        .args(PAGES.iter().map(|page| root().join(page).canonicalize().expect("a page")));
    succeeds(&mut python);
}

#[test]
fn suites_of_others_pass() {
    let suites = root().join("crates/cli/tests/independent/suites.py");
    let mut python = Command::new("python3");
    succeeds(python.arg(suites).arg(env!("CARGO_BIN_EXE_logmill")).arg(root().join("testdata")));
}

#[track_caller]
fn succeeds(python: &mut Command) {
    let Ok(output) = python.output() else {
        println!("skipped: there is no python3");
        return;
    };
    let said = String::from_utf8_lossy(&output.stdout);
    let complaints = String::from_utf8_lossy(&output.stderr);
    if output.status.code() == Some(NOT_THERE) {
        println!("skipped: {said}");
    } else {
        assert!(output.status.success(), "{said}{complaints}");
    }
}
