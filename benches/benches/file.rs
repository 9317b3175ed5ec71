//! All of it: files on disk to a Parquet file of their events.

use std::path::Path;

use logmill_analyze::{Engine, EventsError, Selection};
use logmill_bench::input::{OnDisk, borrowed, engine};
use logmill_bench::{Corpus, rung};
use logmill_frame::{CsvText, EventChunk, Existing, FileFormat, PendingFile, Table, TableWriter};

fn main() {
    rung("file", prepare, |_, (engine, disk)| convert(engine, disk));
}

fn prepare(corpus: &Corpus) -> (Engine, OnDisk) {
    let (engine, disk) = (engine(), OnDisk::new(corpus));
    assert!(convert(&engine, &disk) > 0, "{} has events", corpus.id());
    (engine, disk)
}

/// Writes the events to a temporary file, which is then dropped instead of synchronised: how long a disk takes
/// for that is no property of the program. Says how many rows were written.
fn convert(engine: &Engine, disk: &OnDisk) -> u64 {
    let inputs = borrowed(disk.files());
    let survey = engine.survey(&inputs);
    let selection = Selection::default();
    let plan = survey.event_plan(&selection);
    let mut writer = writer(&disk.output("events.parquet"));
    let encoder = writer.encoder().clone();
    let seal = |mut chunk: EventChunk| {
        chunk.seal();
        chunk
    };
    let take = |chunk| {
        writer.write_chunk(chunk).expect("room for the output");
        Ok(())
    };
    let result: Result<(), EventsError> =
        engine.events(&plan, &inputs, || EventChunk::new(&encoder), EventChunk::push, seal, take);
    result.expect("inputs that do not change");
    let (_file, n_rows) = writer.finish().expect("room for the output");
    n_rows
}

fn writer(path: &Path) -> TableWriter<PendingFile> {
    let file = PendingFile::create(path, Existing::Refuse).expect("a folder that can be written to");
    TableWriter::new(file, Table::Events, FileFormat::Parquet, CsvText::Exact).expect("a table of the schema")
}
