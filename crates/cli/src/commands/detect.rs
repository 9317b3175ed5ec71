//! `logmill detect`: what is here.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use logmill_analyze::Detail;
use logmill_analyze::model::FileRow;
use logmill_frame::Table;
use logmill_parse::Micros;

use super::{everything, print};
use crate::args::DetectArgs;
use crate::failure::{Done, Failure};
use crate::rows;
use crate::session::{Ending, Session};
use crate::terminal::{Paint, count, instant, safe, size};

/// Prints what the inputs are.
///
/// # Errors
///
/// If standard output is closed.
pub fn run(args: &DetectArgs) -> Result<Done, Failure> {
    let session = Session::open(&args.input, &args.notes, Detail::Runs)?;
    let (select, time) = everything();
    let report = session.report(&select, &time)?;
    if args.json {
        rows::print_json(&report, Table::Files)?;
    } else {
        print(&text(&report.files, Paint::for_stdout(args.notes.color)))?;
    }
    session.conclude(&report, &args.notes, &Ending::next("`logmill report PATHS` sums up what is in them"))
}

#[derive(Default)]
struct OfFormat {
    files: u64,
    bytes: u64,
    lines: u64,
    events: u64,
    incomplete: u64,
    span: Option<(Micros, Micros)>,
}

fn text(files: &[FileRow], paint: Paint) -> String {
    let mut formats: BTreeMap<&str, OfFormat> = BTreeMap::new();
    for file in files {
        let sums = formats.entry(&file.format).or_default();
        sums.files += 1;
        sums.bytes += file.bytes;
        sums.lines += file.n_lines;
        sums.events += file.n_events;
        sums.incomplete += u64::from(!file.complete);
        if let (Some(min), Some(max)) = (file.min_ts, file.max_ts) {
            sums.span = Some(sums.span.map_or((min, max), |(a, b)| (a.min(min), b.max(max))));
        }
    }
    let mut out = String::new();
    let head = format!(
        "{:<18} {:>7} {:>11} {:>11} {:>11} {:>11}  time (UTC)",
        "format", "files", "size", "lines", "events", "incomplete"
    );
    let _ = writeln!(out, "{}", paint.dim(&head));
    for (format, sums) in &formats {
        let span = sums
            .span
            .map_or_else(|| "–".to_owned(), |(min, max)| format!("{} – {}", instant(min), instant(max)));
        let _ = writeln!(
            out,
            "{format:<18} {:>7} {:>11} {:>11} {:>11} {:>11}  {span}",
            count(sums.files),
            size(sums.bytes),
            count(sums.lines),
            count(sums.events),
            count(sums.incomplete)
        );
    }
    for file in files.iter().filter(|file| !file.complete) {
        let reason = file.incomplete_reason.as_deref().unwrap_or("incomplete");
        let member = file.member.as_ref().map(|member| format!("!{}", safe(member))).unwrap_or_default();
        let _ = writeln!(out, "{} {}{member}", paint.yellow(reason), safe(&file.source));
    }
    out
}
