//! The table of events, filled one event at a time.

use logmill_analyze::model::EventRow;
use logmill_parse::{Flags, Kind, Text};
use polars::prelude::DataFrame;

use crate::columns::{Bools, Holes, Ints, Repeats, Texts, assemble};
use crate::encode::{Block, Encoder, FileFormat};
use crate::error::Error;
use crate::schema::Table;
use crate::tables::saturated;

/// Bytes of the columns of fixed width, and of the views of text columns, per row.
const ROW_BYTES: usize = 5 * 8 + 2 * 9 + 11 * 16 + 1;

/// The columns of the table of events while they grow.
///
/// What describes the run, the step and the input is stored once per stretch of equal neighbours, so
/// push events in the order they stand in.
#[derive(Default)]
pub struct EventColumns {
    n_rows: usize,
    text_bytes: usize,
    platform: Repeats,
    kind: Repeats,
    group: Repeats,
    run_id: Repeats,
    seq: Ints,
    ts: Holes,
    level: Texts,
    class: Texts,
    logger: Texts,
    message: Texts,
    payload: Texts,
    step_seq: Holes,
    step: Repeats,
    source: Repeats,
    member: Repeats,
    line: Ints,
    byte_offset: Ints,
    n_lines: Ints,
    n_bytes: Ints,
    lossy: Bools,
}

impl EventColumns {
    /// No events yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Events pushed so far.
    #[must_use]
    pub const fn n_rows(&self) -> usize {
        self.n_rows
    }

    /// Memory the columns take, roughly.
    #[must_use]
    pub const fn n_bytes(&self) -> usize {
        self.text_bytes + self.n_rows * ROW_BYTES
    }

    /// Appends one event; its text is decoded here.
    pub fn push(&mut self, row: &EventRow<'_>) {
        let EventRow { run, record, .. } = *row;
        self.n_rows += 1;
        self.platform.push(Some(run.platform.as_str()));
        self.kind.push(run.kind.map(Kind::as_str));
        self.group.push(Some(&run.group));
        self.run_id.push(Some(&run.run_id));
        self.seq.push(saturated(row.seq));
        self.ts.push(record.ts);
        self.level.push(Some(record.level.as_str()));
        self.class.push(Some(record.class.as_str()));
        self.text_bytes += decode(Some(Text::plain(record.logger)), &mut self.logger);
        self.text_bytes += decode(Some(record.message), &mut self.message);
        self.text_bytes += decode(record.payload, &mut self.payload);
        self.step_seq.push(row.step.map(|(seq, _)| seq.into()));
        self.step.push(row.step.map(|(_, name)| name));
        self.source.push(Some(row.source));
        self.member.push(row.member);
        self.line.push(saturated(row.line));
        self.byte_offset.push(saturated(row.byte_offset));
        self.n_lines.push(record.n_lines.into());
        self.n_bytes.push(saturated(record.span.len() as u64));
        self.lossy.push(record.flags.has(Flags::LOSSY));
    }

    /// The data frame of all events pushed.
    ///
    /// # Errors
    /// Only where columns and schema disagree, which is an error in the program.
    pub fn into_frame(self) -> Result<DataFrame, Error> {
        let columns = vec![
            self.platform.finish("platform"),
            self.kind.finish("kind"),
            self.group.finish("group"),
            self.run_id.finish("run_id"),
            self.seq.finish("seq"),
            self.ts.finish_instants("ts"),
            self.level.finish("level"),
            self.class.finish("class"),
            self.logger.finish("logger"),
            self.message.finish("message"),
            self.payload.finish("payload"),
            self.step_seq.finish("step_seq"),
            self.step.finish("step"),
            self.source.finish("source"),
            self.member.finish("member"),
            self.line.finish("line"),
            self.byte_offset.finish("byte_offset"),
            self.n_lines.finish("n_lines"),
            self.n_bytes.finish("n_bytes"),
            self.lossy.finish("lossy"),
        ];
        assemble(Table::Events, self.n_rows, columns)
    }
}

/// Rows of a block made while a chunk is being filled.
pub const BLOCK_ROWS: usize = 64 << 10;
/// Bytes of columns at which a block is made even of fewer rows.
pub const BLOCK_BYTES: usize = 32 << 20;
/// Fewer rows than these are left as a frame, to be joined with those of the next chunk.
const SMALL_ROWS: usize = 16 << 10;

/// A stretch of events, encoded while it is being filled, by the thread that fills it.
///
/// [`TableWriter::write_chunk`](crate::TableWriter::write_chunk) takes chunks in order. Memory is bounded by
/// [`BLOCK_BYTES`] and what the encoded blocks take.
pub struct EventChunk {
    encoder: Encoder,
    columns: EventColumns,
    parts: Result<Parts, Error>,
}

/// What a chunk consists of, in order.
#[derive(Default)]
pub(crate) struct Parts {
    pub(crate) blocks: Vec<Block>,
    /// Too few rows for a block of their own.
    pub(crate) rest: Option<DataFrame>,
}

impl EventChunk {
    /// No events yet; `encoder` is the one of the writer that will take the chunk.
    #[must_use]
    pub fn new(encoder: &Encoder) -> Self {
        Self { encoder: encoder.clone(), columns: EventColumns::new(), parts: Ok(Parts::default()) }
    }

    /// Appends one event. What goes wrong is told when the chunk is written.
    pub fn push(&mut self, row: &EventRow<'_>) {
        self.columns.push(row);
        if self.columns.n_rows() >= BLOCK_ROWS || self.columns.n_bytes() >= BLOCK_BYTES {
            self.flush();
        }
    }

    /// Encodes what has been pushed, unless it is too little for Parquet; call it on the thread that filled the
    /// chunk. A chunk that was not sealed is sealed by the writer.
    pub fn seal(&mut self) {
        if self.columns.n_rows() > 0 {
            self.flush();
        }
    }

    fn flush(&mut self) {
        let columns = std::mem::take(&mut self.columns);
        let n_rows = columns.n_rows();
        let Ok(parts) = &mut self.parts else { return };
        let flush = || {
            let frame = columns.into_frame()?;
            if self.encoder.format() == FileFormat::Parquet && n_rows < SMALL_ROWS {
                parts.add_rest(frame, &self.encoder)
            } else {
                parts.add_block(frame, &self.encoder)
            }
        };
        if let Err(error) = flush() {
            self.parts = Err(error);
        }
    }

    pub(crate) fn into_parts(mut self) -> Result<Parts, Error> {
        self.seal();
        self.parts
    }
}

impl Parts {
    fn add_block(&mut self, frame: DataFrame, encoder: &Encoder) -> Result<(), Error> {
        if let Some(rest) = self.rest.take() {
            self.blocks.push(encoder.encode(rest)?);
        }
        self.blocks.push(encoder.encode(frame)?);
        Ok(())
    }

    fn add_rest(&mut self, frame: DataFrame, encoder: &Encoder) -> Result<(), Error> {
        if let Some(rest) = self.rest.replace(frame) {
            self.blocks.push(encoder.encode(rest)?);
        }
        Ok(())
    }
}

/// Decodes `text` into `column` and returns its length. Nearly all text stands in the input as it is and is
/// copied once, from the window into the column.
fn decode(text: Option<Text<'_>>, column: &mut Texts) -> usize {
    let decoded = text.as_ref().map(Text::decode);
    column.push(decoded.as_deref());
    decoded.map_or(0, |text| text.len())
}
