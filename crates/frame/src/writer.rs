//! Tables on their way into a sink.

use std::io::Write;

use polars::prelude::PolarsError;

use crate::encode::{Block, Body, CsvText, Encoder, FileFormat};
use crate::error::Error;
use crate::events::{EventChunk, Parts};
use crate::parquet::ParquetFile;
use crate::row_groups::RowGroups;
use crate::schema::Table;
use crate::tap::Tap;
use crate::{DataFrame, csv};

/// Writes the frames of one table to one sink.
///
/// Either hand frames to [`write`](Self::write), or encode them elsewhere with a copy of the
/// [`encoder`](Self::encoder) and hand the blocks to [`write_block`](Self::write_block), in order.
/// `write` holds back small frames until they fill a row group.
pub struct TableWriter<W: Write> {
    encoder: Encoder,
    tap: Tap<W>,
    file: File<W>,
    n_rows: u64,
}

enum File<W: Write> {
    Parquet { file: Box<ParquetFile<Tap<W>>>, pending: RowGroups },
    Text,
}

impl<W: Write> TableWriter<W> {
    /// A writer of `table` as `format` to `sink`; `text` matters to CSV only, whose line of names is written here.
    /// The sink should be buffered: a Parquet file consists of many small pieces.
    ///
    /// # Errors
    /// [`Error::Sink`] where the sink refuses.
    pub fn new(sink: W, table: Table, format: FileFormat, text: CsvText) -> Result<Self, Error> {
        let encoder = Encoder::new(table, format, text)?;
        let mut tap = Tap::new(sink);
        let file = match format {
            FileFormat::Parquet => {
                let file =
                    ParquetFile::new(tap.handle(), table).map_err(|error| refused(&tap, table, error))?;
                File::Parquet { file: Box::new(file), pending: RowGroups::default() }
            }
            FileFormat::Csv => {
                tap.write_all(&csv::header(table)).map_err(|error| sink_error(&tap, table, error))?;
                File::Text
            }
            FileFormat::Ndjson => File::Text,
        };
        Ok(Self { encoder, tap, file, n_rows: 0 })
    }

    /// An encoder of blocks for this writer.
    #[must_use]
    pub const fn encoder(&self) -> &Encoder {
        &self.encoder
    }

    /// Rows taken so far.
    #[must_use]
    pub const fn n_rows(&self) -> u64 {
        self.n_rows
    }

    /// Writes a frame, or keeps it until there is enough for a row group.
    ///
    /// # Errors
    /// [`Error::Sink`] where the sink refuses, [`Error::Schema`] where the frame is not of this table.
    pub fn write(&mut self, frame: DataFrame) -> Result<(), Error> {
        let frames = match &mut self.file {
            File::Parquet { pending, .. } => {
                pending.push(frame).map_err(Error::polars(self.encoder.table()))?
            }
            File::Text => vec![frame],
        };
        frames.into_iter().try_for_each(|frame| self.encode_and_append(frame))
    }

    /// Writes a block that [`Encoder::encode`] made, after what [`write`](Self::write) still held back.
    ///
    /// # Errors
    /// [`Error::Sink`] where the sink refuses, [`Error::Schema`] where the block is of another table or kind of file.
    pub fn write_block(&mut self, block: Block) -> Result<(), Error> {
        self.write_pending()?;
        self.append(block)
    }

    /// Writes the events of a chunk. Small chunks are held back until they fill a row group.
    ///
    /// # Errors
    /// What went wrong while the chunk was filled, and as [`write_block`](Self::write_block).
    pub fn write_chunk(&mut self, chunk: EventChunk) -> Result<(), Error> {
        let Parts { blocks, rest } = chunk.into_parts()?;
        blocks.into_iter().try_for_each(|block| self.write_block(block))?;
        rest.map_or(Ok(()), |frame| self.write(frame))
    }

    fn write_pending(&mut self) -> Result<(), Error> {
        match &mut self.file {
            File::Parquet { pending, .. } => match std::mem::take(pending).finish() {
                Some(frame) => self.encode_and_append(frame),
                None => Ok(()),
            },
            File::Text => Ok(()),
        }
    }

    fn encode_and_append(&mut self, frame: DataFrame) -> Result<(), Error> {
        let block = self.encoder.encode(frame)?;
        self.append(block)
    }

    fn append(&mut self, block: Block) -> Result<(), Error> {
        let table = self.encoder.table();
        if block.table != table {
            return Err(Error::Schema { table, expected: table.to_string(), found: block.table.to_string() });
        }
        match (&mut self.file, block.body) {
            (File::Parquet { file, .. }, Body::RowGroups(groups)) => {
                let written = groups.iter().try_for_each(|group| file.write(group));
                written.map_err(|error| refused(&self.tap, table, error))?;
            }
            (File::Text, Body::Bytes(bytes)) => {
                self.tap.write_all(&bytes).map_err(|error| sink_error(&self.tap, table, error))?;
            }
            _ => {
                let (expected, found) =
                    (self.encoder.format().to_string(), "a block of another kind of file".to_owned());
                return Err(Error::Schema { table, expected, found });
            }
        }
        self.n_rows += block.n_rows as u64;
        Ok(())
    }

    /// Writes what is still held back and what closes the file, flushes the sink and returns it with
    /// the number of rows.
    ///
    /// # Errors
    /// [`Error::Sink`] where the sink refuses.
    pub fn finish(mut self) -> Result<(W, u64), Error> {
        let table = self.encoder.table();
        self.write_pending()?;
        if let File::Parquet { file, .. } = self.file {
            file.finish().map_err(|error| refused(&self.tap, table, error))?;
        }
        self.tap.flush().map_err(|error| sink_error(&self.tap, table, error))?;
        let sink = self
            .tap
            .into_sink()
            .ok_or_else(|| Error::sink(table)(std::io::Error::other("the sink is still in use")))?;
        Ok((sink, self.n_rows))
    }
}

/// The sink's own error where there is one behind `error`.
fn refused<W: Write>(tap: &Tap<W>, table: Table, error: PolarsError) -> Error {
    match tap.take_error() {
        Some(source) => Error::Sink { table, source },
        None => Error::Polars { table, source: error },
    }
}

fn sink_error<W: Write>(tap: &Tap<W>, table: Table, error: std::io::Error) -> Error {
    Error::Sink { table, source: tap.take_error().unwrap_or(error) }
}
