//! Row groups, blocks made elsewhere, and sinks that refuse.

use std::io::{self, Cursor, Write};

use crate::common::{record, report, run};
use logmill_analyze::model::{EventRow, Run};
use logmill_frame::events::BLOCK_ROWS;
use logmill_frame::row_groups::{MAX_BYTES, MAX_ROWS};
use logmill_frame::{
    CsvText, DataFrame, Encoder, Error, EventChunk, EventColumns, FileFormat, Table, TableWriter, tables,
};
use logmill_parse::{Level, Record};
use polars::prelude::{ParquetReader, SerReader};
use polars_parquet::read::RowGroupMetadata;

/// `n` events whose messages are a little longer than `length` bytes.
fn events(n: usize, first_seq: usize, length: usize) -> DataFrame {
    let run = run("r1");
    let mut columns = EventColumns::new();
    for seq in first_seq..first_seq + n {
        let message = format!("{seq}{}", "x".repeat(length));
        let record = record(message.as_bytes(), None);
        columns.push(&row(&run, &record, seq));
    }
    columns.into_frame().expect("the schema of events")
}

fn row<'a>(run: &'a Run, record: &'a Record<'a>, seq: usize) -> EventRow<'a> {
    let seq = seq as u64;
    EventRow { run, seq, record, step: None, source: "a.log", member: None, line: 1, byte_offset: 0 }
}

/// Rows of each row group.
fn group_rows(bytes: &[u8]) -> Vec<usize> {
    let mut reader = ParquetReader::new(Cursor::new(bytes));
    let metadata = reader.get_metadata().expect("a footer");
    metadata.row_groups.iter().map(RowGroupMetadata::num_rows).collect()
}

fn parquet(frames: impl IntoIterator<Item = DataFrame>) -> Vec<u8> {
    let mut writer =
        TableWriter::new(Vec::new(), Table::Events, FileFormat::Parquet, CsvText::Exact).expect("a writer");
    for frame in frames {
        writer.write(frame).expect("a Vec takes everything");
    }
    writer.finish().expect("a Vec takes everything").0
}

#[track_caller]
fn check_seq(bytes: Vec<u8>, n: usize) {
    let read = ParquetReader::new(Cursor::new(bytes)).finish().expect("a Parquet file");
    let seq = read.column("seq").expect("seq").i64().expect("numbers").clone();
    assert!(seq.iter().flatten().eq((1..).take(n)), "all rows, in order");
}

#[test]
fn small_frames_become_one_row_group() {
    let bytes = parquet((0..100).map(|n| events(7, 1 + n * 7, 20)));
    assert_eq!(group_rows(&bytes), [700]);
    check_seq(bytes, 700);
}

#[test]
fn a_large_frame_is_cut_by_rows() {
    let bytes = parquet([events(2 * MAX_ROWS + 5, 1, 1)]);
    assert_eq!(group_rows(&bytes), [MAX_ROWS, MAX_ROWS, 5]);
    check_seq(bytes, 2 * MAX_ROWS + 5);
}

#[test]
fn frames_are_cut_by_bytes() {
    // 300 rows of one MiB: at most 63 of them fit beside their other columns.
    let bytes = parquet((0..30).map(|n| events(10, 1 + n * 10, 1 << 20)));
    let rows = group_rows(&bytes);
    assert_eq!(rows.iter().sum::<usize>(), 300);
    assert!(rows.iter().all(|&rows| rows << 20 <= MAX_BYTES), "{rows:?}");
    assert!(rows.len() <= 6, "{rows:?}");
    check_seq(bytes, 300);
}

#[test]
fn a_row_larger_than_a_row_group_is_written() {
    let mut frame = events(2, 1, 10);
    frame.vstack_mut(&events(1, 3, MAX_BYTES + 1)).expect("the same schema");
    frame.vstack_mut(&events(2, 4, 10)).expect("the same schema");
    let bytes = parquet([frame]);
    assert!(group_rows(&bytes).len() >= 2);
    check_seq(bytes, 5);
}

#[test]
fn blocks_made_elsewhere_make_the_same_rows() {
    for &format in FileFormat::ALL {
        let frames: Vec<DataFrame> = (0..4).map(|n| events(1000, 1 + n * 1000, 30)).collect();
        let writer =
            || TableWriter::new(Vec::new(), Table::Events, format, CsvText::Exact).expect("a writer");
        let encoder: Encoder = writer().encoder().clone();
        let blocks = std::thread::scope(|scope| {
            let threads: Vec<_> = frames
                .iter()
                .map(|frame| {
                    let (encoder, frame) = (encoder.clone(), frame.clone());
                    scope.spawn(move || encoder.encode(frame).expect("a frame of events"))
                })
                .collect();
            threads.into_iter().map(|thread| thread.join().expect("no panic")).collect::<Vec<_>>()
        });
        let mut elsewhere = writer();
        for block in blocks {
            elsewhere.write_block(block).expect("a Vec takes everything");
        }
        let (elsewhere, n_rows) = elsewhere.finish().expect("a Vec takes everything");
        assert_eq!(n_rows, 4000);
        if format == FileFormat::Parquet {
            assert_eq!(group_rows(&elsewhere), [1000; 4]);
            check_seq(elsewhere, 4000);
        } else {
            let mut here = writer();
            for frame in frames {
                here.write(frame).expect("a Vec takes everything");
            }
            assert_eq!(elsewhere, here.finish().expect("a Vec takes everything").0);
        }
    }
}

/// A chunk of `n` events, sealed by the thread that filled it or not.
fn chunk(encoder: &Encoder, n: usize, first_seq: usize) -> EventChunk {
    let run = run("r1");
    let mut chunk = EventChunk::new(encoder);
    for seq in first_seq..first_seq + n {
        let record = record(b"short", None);
        chunk.push(&row(&run, &record, seq));
    }
    if n.is_multiple_of(2) {
        chunk.seal();
    }
    chunk
}

#[test]
fn chunks_stand_in_the_order_they_are_handed_over() {
    // Small ones are joined; BLOCK_ROWS and more are cut where they are filled; then the rest.
    let sizes = [1, 2, BLOCK_ROWS + 3, 5, 0, 20_000, 4];
    for &format in FileFormat::ALL {
        let mut writer =
            TableWriter::new(Vec::new(), Table::Events, format, CsvText::Exact).expect("a writer");
        let encoder = writer.encoder().clone();
        let mut first_seq = 1;
        for n in sizes {
            writer.write_chunk(chunk(&encoder, n, first_seq)).expect("a Vec takes everything");
            first_seq += n;
        }
        let (bytes, n_rows) = writer.finish().expect("a Vec takes everything");
        assert_eq!(n_rows, first_seq as u64 - 1);
        if format == FileFormat::Parquet {
            assert_eq!(group_rows(&bytes), [3, BLOCK_ROWS, 8, 20_000, 4]);
            check_seq(bytes, first_seq - 1);
        } else {
            let lines = String::from_utf8(bytes).expect("UTF-8").lines().count();
            assert_eq!(lines, first_seq - 1 + usize::from(format == FileFormat::Csv));
        }
    }
}

/// Event number `n` (from 0) of a chunk in which every column changes at its own pace.
fn varied<'a>(runs: &'a [Run], n: usize, message: &'a str) -> (Record<'a>, &'a Run, Option<(u32, &'a str)>) {
    let loggers: [&[u8]; 4] = [b"", b"crawlee", b"\x1b[33mcrawlee\x1b[39m", b"caf\xff"];
    let record = Record {
        ts: stamp(n),
        level: if n.is_multiple_of(3) { Level::Error } else { Level::Info },
        logger: loggers[n / 2 % 4],
        n_lines: 1,
        ..record(message.as_bytes(), (n % 4 == 1).then_some(br#"{\"n\":1}"#.as_slice()))
    };
    (record, &runs[n / 100], (n < 50).then_some((7, "boot")))
}

/// The first five have none, and the others do not grow.
fn stamp(n: usize) -> Option<i64> {
    let ms = [40, 20, 0, 60, 20, 10, 5].get(n % 7)?;
    (n >= 5).then_some(1_000_000 + ms * 1_000)
}

/// What is read of a text column, with `-` for null.
fn texts(frame: &DataFrame, name: &str) -> Vec<String> {
    let column = frame.column(name).expect("a column").str().expect("text").clone();
    column.iter().map(|text| text.unwrap_or("-").to_owned()).collect()
}

#[test]
fn a_chunk_of_one_row_group_holds_what_was_pushed() {
    const N: usize = 20_000;
    let runs: Vec<Run> = (0..N / 100).map(|n| run(&format!("r{n}"))).collect();
    let mut writer =
        TableWriter::new(Vec::new(), Table::Events, FileFormat::Parquet, CsvText::Exact).expect("a writer");
    let mut chunk = EventChunk::new(writer.encoder());
    for n in 0..N {
        let message = format!("\u{e9} {n}");
        let (record, run, step) = varied(&runs, n, &message);
        chunk.push(&EventRow { step, byte_offset: 10 * n as u64, ..row(run, &record, n + 1) });
    }
    writer.write_chunk(chunk).expect("a Vec takes everything");
    let (bytes, _) = writer.finish().expect("a Vec takes everything");
    assert_eq!(group_rows(&bytes), [N]);
    let read = ParquetReader::new(Cursor::new(bytes)).finish().expect("a Parquet file");
    let check = |name: &str, expected: &dyn Fn(usize) -> String| {
        assert!(texts(&read, name).into_iter().eq((0..N).map(expected)), "{name}");
    };
    check("run_id", &|n| format!("r{}", n / 100));
    check("level", &|n| (if n % 3 == 0 { "error" } else { "info" }).to_owned());
    check("logger", &|n| ["", "crawlee", "crawlee", "caf\u{fffd}"][n / 2 % 4].to_owned());
    check("message", &|n| format!("\u{e9} {n}"));
    check("payload", &|n| (if n % 4 == 1 { "{\"n\":1}" } else { "-" }).to_owned());
    check("step", &|n| (if n < 50 { "boot" } else { "-" }).to_owned());
    check("member", &|_| "-".to_owned());
    let instants = read.column("ts").expect("ts").datetime().expect("instants").physical().clone();
    assert!(instants.iter().eq((0..N).map(stamp)));
    let offsets = read.column("byte_offset").expect("byte_offset").i64().expect("numbers").clone();
    assert!(offsets.iter().eq((0..).map(|n| Some(10 * n)).take(N)));
    let seqs = read.column("step_seq").expect("step_seq").i64().expect("numbers").clone();
    assert_eq!(seqs.iter().flatten().collect::<Vec<i64>>(), [7; 50]);
}

#[test]
fn a_block_of_another_table_is_refused() {
    let encoder = Encoder::new(Table::Runs, FileFormat::Csv, CsvText::Exact).expect("an encoder");
    let block = encoder.encode(tables::frame(&report(), Table::Runs).expect("rows fit")).expect("a block");
    let mut writer =
        TableWriter::new(Vec::new(), Table::Steps, FileFormat::Csv, CsvText::Exact).expect("a writer");
    assert!(matches!(writer.write_block(block), Err(Error::Schema { table: Table::Steps, .. })));
}

#[test]
fn frames_of_a_report_are_cut() {
    let mut report = report();
    let step = report.steps[0].clone();
    report.steps = vec![step; tables::FRAME_ROWS + 1];
    let heights: Vec<usize> =
        tables::frames(&report, Table::Steps).map(|frame| frame.expect("rows fit").height()).collect();
    assert_eq!(heights, [tables::FRAME_ROWS, 1]);
    assert_eq!(tables::frames(&report, Table::Events).count(), 1);
}

#[test]
fn a_frame_of_another_table_is_refused() {
    for &format in FileFormat::ALL {
        let mut writer = TableWriter::new(Vec::new(), Table::Runs, format, CsvText::Exact).expect("a writer");
        let frame = tables::frame(&report(), Table::Steps).expect("rows fit");
        let refused = writer.write(frame).and_then(|()| writer.finish().map(drop));
        assert!(matches!(refused, Err(Error::Schema { table: Table::Runs, .. })), "{format}: {refused:?}");
    }
}

/// A disk with room for so many bytes.
struct Disk {
    free: usize,
}

impl Write for Disk {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.free == 0 {
            return Err(io::ErrorKind::StorageFull.into());
        }
        let n = bytes.len().min(self.free);
        self.free -= n;
        Ok(n)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_full_disk_is_told_as_one() {
    for &format in FileFormat::ALL {
        let frame = events(100, 1, 40);
        let write = |free| -> Result<(), Error> {
            let mut writer = TableWriter::new(Disk { free }, Table::Events, format, CsvText::Exact)?;
            writer.write(frame.clone())?;
            writer.finish().map(drop)
        };
        let size = {
            let mut writer =
                TableWriter::new(Vec::new(), Table::Events, format, CsvText::Exact).expect("a writer");
            writer.write(frame.clone()).expect("a Vec takes everything");
            writer.finish().expect("a Vec takes everything").0.len()
        };
        write(size).expect("just enough room");
        for free in [0, 1, 3, 4, 5, 100, size / 2, size - 9, size - 4, size - 1] {
            let error = write(free).expect_err("no room");
            assert_eq!(error.io_kind(), Some(io::ErrorKind::StorageFull), "{format} {free}: {error}");
        }
    }
}
