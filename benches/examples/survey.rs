//! What a report over files on disk takes, for profilers: no tables are written and polars is not built.
//!
//! `cargo run -p logmill-bench --no-default-features --release --example survey -- [--everything]
//! [--threads N] [--window BYTES] [--rows FILE] PATH…`
//!
//! Prints the wall time and the peak of resident memory (where /proc tells it) after the survey and after
//! the report. `--rows` writes every row of the report in Rust's debug notation, to compare two states.

use std::error::Error;
use std::fs;
use std::io::{self, BufWriter, Write};
use std::path::PathBuf;
use std::time::Instant;

use logmill_analyze::{Buckets, Detail, Engine, Options, Selection};
use logmill_bench::input::{DiskFile, borrowed};

fn main() -> Result<(), Box<dyn Error>> {
    let mut options = Options { detail: Detail::Runs, ..Options::default() };
    let (mut rows, mut files) = (None, Vec::new());
    let mut args = std::env::args().skip(1);
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--everything" => options.detail = Detail::Everything,
            "--threads" => options.threads = args.next().and_then(|n| n.parse().ok()),
            "--window" => options.window_bytes = args.next().and_then(|n| n.parse().ok()).unwrap_or(1 << 20),
            "--rows" => rows = args.next(),
            path => collect(PathBuf::from(path), &mut files)?,
        }
    }
    let inputs = borrowed(&files);
    let engine = Engine::new(options)?;
    let start = Instant::now();
    let survey = engine.survey(&inputs);
    told("survey", start);
    let report = survey.report(&Selection::default(), Buckets::default())?;
    told("report", start);
    println!(
        "runs {} metrics {} requests {}",
        report.runs.len(),
        report.metrics.len(),
        report.requests.len()
    );
    if let Some(rows) = rows {
        let mut out = BufWriter::new(fs::File::create(rows)?);
        write!(out, "{report:#?}")?;
    }
    Ok(())
}

fn told(what: &str, start: Instant) {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or("").trim();
    println!("{what}: {:.3} s, peak {peak}", start.elapsed().as_secs_f64());
}

fn collect(path: PathBuf, files: &mut Vec<DiskFile>) -> io::Result<()> {
    if path.is_dir() {
        let mut below: Vec<PathBuf> =
            fs::read_dir(&path)?.map(|entry| Ok(entry?.path())).collect::<io::Result<_>>()?;
        below.sort();
        return below.into_iter().try_for_each(|path| collect(path, files));
    }
    files.push(DiskFile::of(path)?);
    Ok(())
}
