//! What is generated is fresh. `LOGMILL_ACCEPT=1 cargo test -p logmill generated` rewrites it.

use std::fs;

use crate::support::{root, well};

const ABOUT_TABLES: &str = "\
# Tables

This page is what `logmill schema` prints; `LOGMILL_ACCEPT=1 cargo test -p logmill generated` rewrites it.
What the words mean (run, event, error, retry, rate, …) is in [definitions.md](definitions.md).

Instants are microseconds in UTC, durations whole milliseconds, rates lie between 0 and 1. In CSV a null is
nothing at all and an empty text is `\"\"`. `seq` and `line` count from 1, offsets from 0.

";

#[track_caller]
fn is_fresh(path: &str, expect: &str) {
    let path = root().join(path);
    if std::env::var_os("LOGMILL_ACCEPT").is_some() {
        fs::write(&path, expect).expect("it can be written");
    }
    let found = fs::read_to_string(&path).unwrap_or_default();
    assert!(found == expect, "{} is not what the program says; LOGMILL_ACCEPT=1 rewrites it", path.display());
}

#[test]
fn tables() {
    is_fresh("docs/tables.md", &format!("{ABOUT_TABLES}{}", well(["schema"]).out));
}
