//! Makes a page of everything below some paths: `cargo run -p logmill-html --example page -- FILE PATHS…`.

#![expect(clippy::disallowed_methods, reason = "examples open their own inputs")]

use std::fs;
use std::path::{Path, PathBuf};

use logmill_analyze::{Buckets, Bytes, Engine, Input, Options, Selection};
use logmill_html::{Page, page};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let target = arguments.next().ok_or("expected FILE and PATHS")?;
    let mut paths = Vec::new();
    for argument in arguments {
        walk(Path::new(&argument), &mut paths)?;
    }
    paths.sort();
    let inputs = paths
        .iter()
        .map(|path| Ok(Bytes::new(path.to_string_lossy().into_owned(), fs::read(path)?)))
        .collect::<std::io::Result<Vec<Bytes>>>()?;
    let inputs: Vec<&dyn Input> = inputs.iter().map(|input| input as &dyn Input).collect();
    let survey = Engine::new(Options::default())?.survey(&inputs);
    let report = survey.report(&Selection::default(), Buckets::default())?;
    let about = Page { version: env!("CARGO_PKG_VERSION"), ..Page::titled("Report") };
    fs::write(&target, page(&report, &about))?;
    Ok(())
}

fn walk(path: &Path, found: &mut Vec<PathBuf>) -> std::io::Result<()> {
    if path.is_dir() {
        for entry in fs::read_dir(path)? {
            walk(&entry?.path(), found)?;
        }
    } else {
        found.push(path.to_owned());
    }
    Ok(())
}
