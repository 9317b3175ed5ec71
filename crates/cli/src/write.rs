//! Tables on their way to files.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use anyhow::{Context, Error};
use logmill_analyze::model::{EventRow, FileRow};
use logmill_analyze::{EventsError, Input, Report, Selection, Unread};
use logmill_frame::manifest::{self, Manifest};
use logmill_frame::{
    CsvText, Error as FrameError, EventChunk, Existing, FileFormat, OutputSet, PendingFile, Table,
    TableWriter, tables,
};
use logmill_parse::Level;

use crate::args::WriteArgs;
use crate::failure::Failure;
use crate::inputs::{Origin, Source};
use crate::session::Session;

/// What is written, and from what.
#[derive(Clone, Copy)]
pub struct Job<'a> {
    /// The inputs.
    pub session: &'a Session,
    /// Their report.
    pub report: &'a Report,
    /// The runs whose events are written.
    pub select: &'a Selection,
    /// The least serious level of events that are written.
    pub level: Option<Level>,
    /// How CSV is written.
    pub text: CsvText,
}

/// How CSV is to be written.
#[must_use]
pub const fn csv_text(write: &WriteArgs) -> CsvText {
    if write.csv_safe { CsvText::Safe } else { CsvText::Exact }
}

/// Endings of files that a table is not written as, and hardly a folder's.
const OTHER_FILES: &[&str] = &[
    "arrow", "bz2", "db", "duckdb", "feather", "gz", "htm", "html", "json", "log", "ods", "orc", "pq",
    "sqlite", "tar", "tsv", "txt", "xls", "xlsx", "xz", "yaml", "yml", "zip", "zst",
];

/// Whether the output is a folder, or is said to be one by a slash at its end.
#[must_use]
pub fn is_folder(output: &Path) -> bool {
    output.is_dir() || output.to_string_lossy().ends_with(std::path::is_separator)
}

/// Whether who named this output wants a file of a kind that is not written, rather than a folder.
#[must_use]
pub fn looks_like_a_file(output: &Path) -> bool {
    let ending =
        output.extension().and_then(|ending| ending.to_str()).unwrap_or_default().to_ascii_lowercase();
    !is_folder(output) && OTHER_FILES.contains(&ending.as_str())
}

/// Whether tables may be written to a folder, as far as can be told without touching it: asked
/// before the inputs are read, which may take long.
///
/// # Errors
///
/// If a set of tables is there that may not be replaced, or something that is no folder.
pub fn check_folder(folder: &Path, write: &WriteArgs) -> Result<(), Failure> {
    if fs::metadata(folder).is_ok_and(|it| !it.is_dir()) {
        return refused(format!("{} is not a folder", folder.display()));
    }
    in_the_way(&folder.join(manifest::MANIFEST), write)
}

/// Whether a file may be written, likewise.
///
/// # Errors
///
/// If it exists and may not be replaced, or its folder does not exist.
pub fn check_file(path: &Path, write: &WriteArgs) -> Result<(), Failure> {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() && !folder.exists() => refused(format!(
            "cannot write {}: the folder {} does not exist",
            path.display(),
            folder.display()
        )),
        _ => in_the_way(path, write),
    }
}

fn in_the_way(path: &Path, write: &WriteArgs) -> Result<(), Failure> {
    match fs::metadata(path) {
        Ok(it) if !it.is_file() => refused(not_a_file(path)),
        Ok(_) if !write.overwrite => refused(exists(path)),
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(Failure::System(Error::new(error).context(format!("cannot write {}", path.display()))))
        }
        _ => Ok(()),
    }
}

fn refused(message: String) -> Result<(), Failure> {
    Err(Failure::System(Error::msg(message)))
}

fn exists(path: &Path) -> String {
    format!("{} exists; --overwrite replaces what is there", path.display())
}

fn not_a_file(path: &Path) -> String {
    format!("{} is not a regular file; `-o -` writes to standard output", path.display())
}

/// The error about an output, with what may be done about it.
#[must_use]
pub fn about(path: &Path, error: FrameError) -> Error {
    match error {
        FrameError::Exists(path) => Error::msg(exists(&path)),
        FrameError::NotAFile(path) => Error::msg(not_a_file(&path)),
        FrameError::Io { path: ref named, .. } if named == path => Error::new(error),
        error => Error::new(error).context(format!("cannot write {}", path.display())),
    }
}

/// Refuses an output that is an input, by whatever name. What this program wrote into a folder of logs earlier, and
/// what was passed over there, is none.
///
/// # Errors
///
/// If it is one.
pub fn refuse_input(session: &Session, report: &Report, output: &Path) -> Result<(), Failure> {
    let Ok(it) = fs::metadata(output) else { return Ok(()) };
    // Opening a pipe would wait for somebody at its other end.
    let Some(output_file) = it.is_file().then(|| same_file::Handle::from_path(output).ok()).flatten() else {
        return Ok(());
    };
    match input_that_is(session, &output_file, it.len()) {
        Some(source) if is_passed_over(session, report, source) => Ok(()),
        Some(source) => {
            refused(format!("{} is an input ({}); give another output", output.display(), source.source()))
        }
        None => Ok(()),
    }
}

/// Whether the input is an output of this program that nobody named.
fn is_passed_over(session: &Session, report: &Report, source: &Source) -> bool {
    let name = session.masked(source.source());
    let is_own = |file: &FileRow| file.source == name && file.format == "own-output";
    source.origin == Origin::Found && report.files.iter().any(is_own)
}

fn input_that_is<'s>(session: &'s Session, file: &same_file::Handle, len: u64) -> Option<&'s Source> {
    session.sources().find(|source| {
        source.path().is_some_and(|path| {
            fs::metadata(path).is_ok_and(|it| it.is_file() && it.len() == len)
                && same_file::Handle::from_path(path).is_ok_and(|input| input == *file)
        })
    })
}

/// Writes the tables to a folder, with a manifest. Says which inputs could not be read again.
///
/// # Errors
///
/// If something is in the way or the system refuses.
pub fn write_set(
    job: Job<'_>,
    folder: &Path,
    chosen: &[Table],
    write: &WriteArgs,
    options: BTreeMap<String, String>,
) -> Result<(Manifest, Vec<Unread>), Failure> {
    let existing = if write.overwrite { Existing::Replace } else { Existing::Refuse };
    let formats: Vec<FileFormat> =
        if write.to.is_empty() { vec![FileFormat::Parquet] } else { unique(&write.to) };
    let files: Vec<(Table, FileFormat)> =
        chosen.iter().flat_map(|table| formats.iter().map(|format| (*table, *format))).collect();
    let path_of = |table: Table, format: FileFormat| folder.join(format!("{table}.{format}"));
    for (table, format) in &files {
        refuse_input(job.session, job.report, &path_of(*table, *format))?;
    }
    let mut unread = Vec::new();
    let mut set = OutputSet::create(folder, existing).map_err(|error| about(folder, error))?;
    for (table, format) in files {
        let about = |error| about(&path_of(table, format), error);
        let writer = set.writer(table, format, job.text).map_err(about)?;
        let (writer, mut missed) = job.fill(writer).map_err(about)?;
        unread.append(&mut missed);
        set.add(writer).map_err(about)?;
    }
    let inputs = job
        .report
        .files
        .iter()
        .map(|file| manifest::Input {
            source: file.source.clone(),
            member: file.member.clone(),
            bytes: file.bytes,
        })
        .collect();
    let mut options = options;
    if job.session.redactor().is_some() {
        options.insert("redact".to_owned(), "true".to_owned());
    }
    let options = options.into_iter().map(|(name, value)| (name, job.session.masked(&value).into_owned()));
    let manifest = Manifest::new(env!("CARGO_PKG_VERSION"), inputs, options.collect());
    let manifest = set.commit(manifest).map_err(|error| about(folder, error))?;
    Ok((manifest, unread))
}

/// Writes one table to one file, or to standard output. Says how many rows there are, and which inputs
/// could not be read again.
///
/// # Errors
///
/// If something is in the way or the system refuses.
pub fn write_file(
    job: Job<'_>,
    path: &Path,
    table: Table,
    format: FileFormat,
    write: &WriteArgs,
) -> Result<(u64, Vec<Unread>), Failure> {
    if path == Path::new("-") {
        let about = |error| about(Path::new("standard output"), error);
        let sink = BufWriter::new(io::stdout());
        let writer = TableWriter::new(sink, table, format, job.text).map_err(about)?;
        let (writer, unread) = job.fill(writer).map_err(about)?;
        let (mut sink, rows) = writer.finish().map_err(about)?;
        sink.flush().context("cannot write to standard output")?;
        return Ok((rows, unread));
    }
    refuse_input(job.session, job.report, path)?;
    let about = |error| about(path, error);
    let existing = if write.overwrite { Existing::Replace } else { Existing::Refuse };
    let file = PendingFile::create(path, existing).map_err(about)?;
    let writer = TableWriter::new(file, table, format, job.text).map_err(about)?;
    let (writer, unread) = job.fill(writer).map_err(about)?;
    let (file, rows) = writer.finish().map_err(about)?;
    file.commit().map_err(about)?;
    Ok((rows, unread))
}

impl Job<'_> {
    /// Writes all rows of the writer's table, and says which inputs could not be read again for it.
    fn fill<W: Write + Send>(
        self,
        mut writer: TableWriter<W>,
    ) -> Result<(TableWriter<W>, Vec<Unread>), FrameError> {
        let table = writer.encoder().table();
        if table != Table::Events {
            for frame in tables::frames(self.report, table) {
                writer.write(frame?)?;
            }
            return Ok((writer, Vec::new()));
        }
        let encoder = writer.encoder().clone();
        let plan = self.session.survey.event_plan(self.select);
        let inputs = self.session.inputs();
        let level = self.level.unwrap_or(Level::None);
        let push = |chunk: &mut EventChunk, row: &EventRow<'_>| {
            if row.record.level <= level {
                chunk.push(row);
            }
        };
        let seal = |mut chunk: EventChunk| {
            chunk.seal();
            chunk
        };
        let _writing = self.session.again("writing events");
        let take = |chunk| writer.write_chunk(chunk).map_err(Stopped::Writing);
        match self.session.engine.events(&plan, &inputs, || EventChunk::new(&encoder), push, seal, take) {
            Ok(()) => Ok((writer, Vec::new())),
            Err(Stopped::Writing(error)) => Err(error),
            Err(Stopped::Reading(error)) => Ok((writer, error.inputs)),
        }
    }
}

/// Why the stream of events stopped.
enum Stopped {
    Reading(EventsError),
    Writing(FrameError),
}

impl From<EventsError> for Stopped {
    fn from(error: EventsError) -> Self {
        Self::Reading(error)
    }
}

/// Each kind of file once, in the order given.
fn unique(formats: &[FileFormat]) -> Vec<FileFormat> {
    let mut once = Vec::new();
    for format in formats {
        if !once.contains(format) {
            once.push(*format);
        }
    }
    once
}
