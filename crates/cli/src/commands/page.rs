//! `report --html`: the page, what it says was asked for, and its way to a file.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;

use anyhow::Context;
use logmill_analyze::{Bucket, Buckets, Report, Selection};
use logmill_frame::{Existing, PendingFile};
use logmill_html::Page;

use crate::args::ReportArgs;
use crate::failure::Failure;
use crate::session::Session;
use crate::terminal::{safe, size};
use crate::write;

/// Paths that the heading names.
const MAX_NAMED: usize = 3;

/// Whether a page may be written, as far as can be told before anything is read.
///
/// # Errors
///
/// If something is in the way, or the target is no file.
pub fn check(path: &Path, args: &ReportArgs) -> Result<(), Failure> {
    if path == Path::new("-") {
        return Err(Failure::Usage(
            "expected a file for --html, found `-`; the summary is on standard output".to_owned(),
        ));
    }
    write::check_file(path, &args.write)
}

/// Writes the page of a report. Says what was written.
///
/// # Errors
///
/// If something is in the way or the system refuses.
pub fn write(
    session: &Session,
    report: &Report,
    select: &Selection,
    (path, args): (&Path, &ReportArgs),
) -> Result<String, Failure> {
    write::refuse_input(session, report, path)?;
    let title = title(args);
    let mut options = options(args, select);
    for value in options.values_mut() {
        *value = session.masked(value).into_owned();
    }
    let about = Page {
        title: &session.masked(&title),
        version: env!("CARGO_PKG_VERSION"),
        options,
        buckets: Buckets { width: args.time.bucket, zone: args.time.time_zone },
    };
    let html = logmill_html::page(report, &about);
    let existing = if args.write.overwrite { Existing::Replace } else { Existing::Refuse };
    let about = |error| write::about(path, error);
    let mut file = PendingFile::create(path, existing).map_err(about)?;
    file.write_all(html.as_bytes()).with_context(|| format!("cannot write {}", path.display()))?;
    file.commit().map_err(about)?;
    Ok(format!("wrote {} to {}", size(html.len() as u64), safe(&path.to_string_lossy())))
}

fn title(args: &ReportArgs) -> String {
    let paths = &args.input.paths;
    let mut names: Vec<String> =
        paths.iter().take(MAX_NAMED).map(|path| path.to_string_lossy().into_owned()).collect();
    if paths.len() > MAX_NAMED {
        names.push(format!("{} more", paths.len() - MAX_NAMED));
    }
    format!("Report of {}", names.join(", "))
}

/// The options that decide what the figures are of, where they are not as they are by default.
fn options(args: &ReportArgs, select: &Selection) -> BTreeMap<String, String> {
    let mut options = super::given(select);
    if let Some(format) = args.input.from.0 {
        options.insert("from".to_owned(), format.about().id.to_owned());
    }
    if args.time.bucket != Bucket::Auto {
        options.insert("bucket".to_owned(), args.time.bucket.to_string());
    }
    options
}
