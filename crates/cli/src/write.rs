//! Tables on their way to files.

use std::collections::BTreeMap;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use anyhow::Context;
use logmill_analyze::model::EventRow;
use logmill_analyze::{EventsError, Report, Selection, Unread};
use logmill_frame::manifest::{self, Manifest};
use logmill_frame::{
    CsvText, EventChunk, Existing, FileFormat, OutputSet, PendingFile, Table, TableWriter, tables,
};
use logmill_parse::Level;

use crate::args::WriteArgs;
use crate::failure::Failure;
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

/// Whether tables may be written to a folder, as far as can be told without touching it: asked
/// before the inputs are read, which may take long.
///
/// # Errors
///
/// If a set of tables is there that may not be replaced, or something that is no folder.
pub fn check_folder(folder: &Path, write: &WriteArgs) -> Result<(), Failure> {
    if folder.exists() && !folder.is_dir() {
        return Err(Failure::System(anyhow::anyhow!("{} is not a folder", folder.display())));
    }
    in_the_way(&folder.join(manifest::MANIFEST), write)
}

/// Whether a file may be written, likewise.
///
/// # Errors
///
/// If it exists and may not be replaced.
pub fn check_file(path: &Path, write: &WriteArgs) -> Result<(), Failure> {
    in_the_way(path, write)
}

fn in_the_way(path: &Path, write: &WriteArgs) -> Result<(), Failure> {
    if path.exists() && !write.overwrite {
        return Err(Failure::System(anyhow::anyhow!(
            "{} exists; --overwrite replaces what is there",
            path.display()
        )));
    }
    Ok(())
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
    let in_the_way = || format!("cannot write to {}; --overwrite replaces what is there", folder.display());
    let mut unread = Vec::new();
    let mut set = OutputSet::create(folder, existing).with_context(in_the_way)?;
    for table in chosen {
        for format in &formats {
            let writer = set.writer(*table, *format, job.text).with_context(in_the_way)?;
            let (writer, mut missed) = job.fill(writer)?;
            unread.append(&mut missed);
            set.add(writer).with_context(|| format!("cannot write the table {table}"))?;
        }
    }
    let inputs = job
        .report
        .files
        .iter()
        .map(|file| manifest::Input { source: file.source.clone(), bytes: file.bytes })
        .collect();
    let manifest = Manifest::new(env!("CARGO_PKG_VERSION"), inputs, options);
    let manifest = set.commit(manifest).with_context(|| format!("cannot finish {}", folder.display()))?;
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
    let context = || format!("cannot write {}", path.display());
    if path == Path::new("-") {
        let sink = BufWriter::new(io::stdout());
        let writer = TableWriter::new(sink, table, format, job.text).with_context(context)?;
        let (writer, unread) = job.fill(writer)?;
        let (mut sink, rows) = writer.finish().with_context(context)?;
        sink.flush().with_context(context)?;
        return Ok((rows, unread));
    }
    let existing = if write.overwrite { Existing::Replace } else { Existing::Refuse };
    let file = PendingFile::create(path, existing).with_context(context)?;
    let writer = TableWriter::new(file, table, format, job.text).with_context(context)?;
    let (writer, unread) = job.fill(writer)?;
    let (file, rows) = writer.finish().with_context(context)?;
    file.commit().with_context(context)?;
    Ok((rows, unread))
}

impl Job<'_> {
    /// Writes all rows of the writer's table, and says which inputs could not be read again for it.
    fn fill<W: Write + Send>(
        self,
        mut writer: TableWriter<W>,
    ) -> Result<(TableWriter<W>, Vec<Unread>), Failure> {
        let table = writer.encoder().table();
        let context = || format!("cannot write the table {table}");
        if table != Table::Events {
            for frame in tables::frames(self.report, table) {
                writer.write(frame.with_context(context)?).with_context(context)?;
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
        let take = |chunk| writer.write_chunk(chunk).map_err(|error| Stopped::Writing(error.into()));
        match self.session.engine.events(&plan, &inputs, || EventChunk::new(&encoder), push, seal, take) {
            Ok(()) => Ok((writer, Vec::new())),
            Err(Stopped::Writing(error)) => Err(Failure::System(error.context(context()))),
            Err(Stopped::Reading(error)) => Ok((writer, error.inputs)),
        }
    }
}

/// Why the stream of events stopped.
enum Stopped {
    Reading(EventsError),
    Writing(anyhow::Error),
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
