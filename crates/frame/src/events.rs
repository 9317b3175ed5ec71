//! The table of events, filled one event at a time.

use logmill_analyze::model::EventRow;
use logmill_parse::{Class, Flags, Kind, Level, Platform};
use polars::prelude::{Column, DataFrame, PolarsResult};

use crate::columns::assemble;
use crate::encode::{Block, Encoder, FileFormat};
use crate::error::Error;
use crate::gather::{Bodies, Filled, Numbers, Terms, Words};
use crate::row_groups::MAX_ROWS;
use crate::schema::Table;
use crate::tables::saturated;

/// Bytes per row of all columns but the texts themselves: numbers, keys of texts that repeat, ends of the others.
const ROW_BYTES: usize = 7 * 8 + 10 * 4 + 2 * 8 + 1;

/// Rows a chunk has room for from the start.
const ROOM_ROWS: usize = 96 << 10;
/// Bytes of messages, and of payloads, a chunk has room for from the start.
const ROOM_BYTES: usize = 8 << 20;

/// The columns of the table of events while they grow.
///
/// What repeats (the run, the step and the input, level and logger) is stored once; a key says where.
#[derive(Default)]
pub struct EventColumns {
    n_rows: usize,
    platform: Words,
    kind: Words,
    group: Terms,
    run_id: Terms,
    seq: Numbers,
    ts: Numbers,
    level: Words,
    class: Words,
    logger: Terms,
    message: Bodies,
    payload: Bodies,
    step_seq: Numbers,
    step: Terms,
    source: Terms,
    member: Terms,
    line: Numbers,
    byte_offset: Numbers,
    n_lines: Numbers,
    n_bytes: Numbers,
    lossy: Vec<bool>,
}

impl EventColumns {
    /// No events yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// No events yet, with room for most blocks: columns that grow are copied, and what they leave is cold.
    fn with_room() -> Self {
        const N: usize = ROOM_ROWS;
        Self {
            n_rows: 0,
            platform: Words::with_room(N),
            kind: Words::with_room(N),
            group: Terms::with_room(N),
            run_id: Terms::with_room(N),
            seq: Numbers::with_room(N),
            ts: Numbers::with_room(N),
            level: Words::with_room(N),
            class: Words::with_room(N),
            logger: Terms::with_room(N),
            message: Bodies::with_room(N, ROOM_BYTES),
            payload: Bodies::with_room(N, ROOM_BYTES),
            step_seq: Numbers::with_room(N),
            step: Terms::with_room(N),
            source: Terms::with_room(N),
            member: Terms::with_room(N),
            line: Numbers::with_room(N),
            byte_offset: Numbers::with_room(N),
            n_lines: Numbers::with_room(N),
            n_bytes: Numbers::with_room(N),
            lossy: Vec::with_capacity(N),
        }
    }

    /// Events pushed so far.
    #[must_use]
    pub const fn n_rows(&self) -> usize {
        self.n_rows
    }

    /// Memory the columns take, roughly.
    #[must_use]
    pub const fn n_bytes(&self) -> usize {
        self.message.n_bytes() + self.payload.n_bytes() + self.terms_bytes() + self.n_rows * ROW_BYTES
    }

    /// Texts that repeat are short and few, but for loggers, paths and ids that somebody made up.
    const fn terms_bytes(&self) -> usize {
        self.group.text_bytes()
            + self.run_id.text_bytes()
            + self.logger.text_bytes()
            + self.step.text_bytes()
            + self.source.text_bytes()
            + self.member.text_bytes()
    }

    /// Appends one event; its text is decoded here.
    pub fn push(&mut self, row: &EventRow<'_>) {
        let EventRow { run, record, .. } = *row;
        self.n_rows += 1;
        self.platform.push(Some(run.platform as u8));
        self.kind.push(run.kind.map(|kind| kind as u8));
        self.group.push(Some(&run.group));
        self.run_id.push(Some(&run.run_id));
        self.seq.push(Some(saturated(row.seq)));
        self.ts.push(record.ts);
        self.level.push(Some(record.level as u8));
        self.class.push(Some(record.class as u8));
        self.logger.push_plain(record.logger);
        self.message.push(Some(record.message));
        self.payload.push(record.payload);
        self.step_seq.push(row.step.map(|(seq, _)| seq.into()));
        self.step.push(row.step.map(|(_, name)| name));
        self.source.push(Some(row.source));
        self.member.push(row.member);
        self.line.push(Some(saturated(row.line)));
        self.byte_offset.push(Some(saturated(row.byte_offset)));
        self.n_lines.push(Some(record.n_lines.into()));
        self.n_bytes.push(Some(saturated(record.span.len() as u64)));
        self.lossy.push(record.flags.has(Flags::LOSSY));
    }

    /// The columns in the order of the table.
    pub(crate) fn filled(self) -> Vec<Filled> {
        vec![
            Filled::Terms(self.platform.spelt(Platform::ALL.iter().map(|it| it.as_str()))),
            Filled::Terms(self.kind.spelt(Kind::ALL.iter().map(|it| it.as_str()))),
            Filled::Terms(self.group),
            Filled::Terms(self.run_id),
            Filled::Numbers(self.seq),
            Filled::Instants(self.ts),
            Filled::Terms(self.level.spelt(Level::ALL.iter().map(|it| it.as_str()))),
            Filled::Terms(self.class.spelt(Class::ALL.iter().map(|it| it.as_str()))),
            Filled::Terms(self.logger),
            Filled::Bodies(self.message),
            Filled::Bodies(self.payload),
            Filled::Numbers(self.step_seq),
            Filled::Terms(self.step),
            Filled::Terms(self.source),
            Filled::Terms(self.member),
            Filled::Numbers(self.line),
            Filled::Numbers(self.byte_offset),
            Filled::Numbers(self.n_lines),
            Filled::Numbers(self.n_bytes),
            Filled::Flags(self.lossy),
        ]
    }

    /// The data frame of all events pushed.
    ///
    /// # Errors
    /// Only where columns and schema disagree, which is an error in the program.
    pub fn into_frame(self) -> Result<DataFrame, Error> {
        let n_rows = self.n_rows;
        let columns: PolarsResult<Vec<Column>> = Table::Events
            .columns()
            .iter()
            .zip(self.filled())
            .map(|(it, filled)| filled.column(it.name))
            .collect();
        assemble(Table::Events, n_rows, columns.map_err(Error::polars(Table::Events))?)
    }
}

/// Rows of a block made while a chunk is being filled.
pub const BLOCK_ROWS: usize = MAX_ROWS;
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
        Self { encoder: encoder.clone(), columns: EventColumns::with_room(), parts: Ok(Parts::default()) }
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
            if self.encoder.format() == FileFormat::Parquet && n_rows < SMALL_ROWS {
                parts.add_rest(columns.into_frame()?, &self.encoder)
            } else {
                parts.add_block(columns, &self.encoder)
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
    fn add_block(&mut self, columns: EventColumns, encoder: &Encoder) -> Result<(), Error> {
        if let Some(rest) = self.rest.take() {
            self.blocks.push(encoder.encode(rest)?);
        }
        self.blocks.push(encoder.encode_events(columns)?);
        Ok(())
    }

    fn add_rest(&mut self, frame: DataFrame, encoder: &Encoder) -> Result<(), Error> {
        if let Some(rest) = self.rest.replace(frame) {
            self.blocks.push(encoder.encode(rest)?);
        }
        Ok(())
    }
}
