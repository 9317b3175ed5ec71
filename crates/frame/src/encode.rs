//! From data frames, and events as they were gathered, to bytes, on any thread.

use polars::prelude::PolarsResult;
use polars_arrow::array::Array;

use crate::columns::check;
use crate::error::Error;
use crate::events::EventColumns;
use crate::gather::Filled;
use crate::parquet::{Compressor, RowGroup};
use crate::row_groups::RowGroups;
use crate::schema::Table;
use crate::{DataFrame, csv, ndjson};

/// Kinds of files a table is written to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FileFormat {
    /// Apache Parquet.
    Parquet,
    /// Comma-separated values.
    Csv,
    /// One JSON object per line.
    Ndjson,
}

impl FileFormat {
    /// Every kind, the default first.
    pub const ALL: &'static [Self] = &[Self::Parquet, Self::Csv, Self::Ndjson];

    /// Its name, which is also the suffix of its files.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Parquet => "parquet",
            Self::Csv => "csv",
            Self::Ndjson => "ndjson",
        }
    }

    /// The kind called `name`; `jsonl` is another name for NDJSON. Letter case does not matter.
    #[must_use]
    pub fn from_word(name: &str) -> Option<Self> {
        let name = name.to_ascii_lowercase();
        if name == "jsonl" {
            return Some(Self::Ndjson);
        }
        Self::ALL.iter().copied().find(|format| format.as_str() == name)
    }

    /// The kind the suffix of `path` names.
    #[must_use]
    pub fn from_path(path: &std::path::Path) -> Option<Self> {
        Self::from_word(path.extension()?.to_str()?)
    }
}

impl std::fmt::Display for FileFormat {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.as_str())
    }
}

/// How text is written to CSV.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CsvText {
    /// As it is.
    #[default]
    Exact,
    /// With a `'` before text that starts with `=`, `+`, `-`, `@`, a tab or a carriage return, which a
    /// spreadsheet would take for a formula.
    Safe,
}

/// Turns frames of one table, or events, into blocks of one kind of file. This takes nearly all of the time of writing,
/// needs no sink, and may run on many threads at once; [`TableWriter::write_block`] then takes the blocks in order.
///
/// [`TableWriter::write_block`]: crate::TableWriter::write_block
#[derive(Clone)]
pub struct Encoder {
    table: Table,
    way: Way,
}

#[derive(Clone)]
enum Way {
    Parquet(Compressor),
    Csv(CsvText),
    Ndjson,
}

/// Rows as they will stand in the file.
pub struct Block {
    pub(crate) table: Table,
    pub(crate) n_rows: usize,
    pub(crate) body: Body,
}

pub(crate) enum Body {
    Bytes(Vec<u8>),
    RowGroups(Vec<RowGroup>),
}

impl Encoder {
    /// An encoder for `table`; `text` matters to CSV only.
    ///
    /// # Errors
    /// Only for a schema that polars refuses, which is an error in the program.
    pub fn new(table: Table, format: FileFormat, text: CsvText) -> Result<Self, Error> {
        let way = match format {
            FileFormat::Parquet => Way::Parquet(Compressor::new(table).map_err(Error::polars(table))?),
            FileFormat::Csv => Way::Csv(text),
            FileFormat::Ndjson => Way::Ndjson,
        };
        Ok(Self { table, way })
    }

    /// The table it encodes.
    #[must_use]
    pub const fn table(&self) -> Table {
        self.table
    }

    /// The kind of file it encodes for.
    #[must_use]
    pub const fn format(&self) -> FileFormat {
        match self.way {
            Way::Parquet(_) => FileFormat::Parquet,
            Way::Csv(_) => FileFormat::Csv,
            Way::Ndjson => FileFormat::Ndjson,
        }
    }

    /// Encodes a frame of any size. For Parquet, hand over about a row group at a time (see
    /// [`row_groups`](crate::row_groups)): larger frames are cut, smaller ones make small row groups.
    ///
    /// # Errors
    /// [`Error::Schema`] where the frame is not of this table.
    pub fn encode(&self, frame: DataFrame) -> Result<Block, Error> {
        check(self.table, &frame)?;
        let n_rows = frame.height();
        let body = match &self.way {
            Way::Parquet(compressor) => Body::RowGroups(self.row_groups(compressor, frame)?),
            Way::Csv(text) => Body::Bytes(csv::encode(self.table, &frame, *text)?),
            Way::Ndjson => Body::Bytes(ndjson::encode(self.table, &frame)?),
        };
        Ok(Block { table: self.table, n_rows, body })
    }

    /// Encodes events as they were gathered; for Parquet without making a data frame of them.
    pub(crate) fn encode_events(&self, columns: EventColumns) -> Result<Block, Error> {
        let Way::Parquet(compressor) = &self.way else { return self.encode(columns.into_frame()?) };
        let n_rows = columns.n_rows();
        let compress = || {
            let arrays: PolarsResult<Vec<Box<dyn Array>>> =
                columns.filled().into_iter().map(Filled::array).collect();
            compressor.compress(n_rows, arrays?)
        };
        let group = compress().map_err(Error::polars(self.table))?;
        Ok(Block { table: self.table, n_rows, body: Body::RowGroups(vec![group]) })
    }

    fn row_groups(&self, compressor: &Compressor, frame: DataFrame) -> Result<Vec<RowGroup>, Error> {
        let cut_and_compress = || {
            let mut groups = RowGroups::default();
            let mut frames = groups.push(frame)?;
            frames.extend(groups.finish());
            let mut compressed = Vec::new();
            for frame in frames {
                compressed.push(compressor.compress_frame(&frame)?);
            }
            Ok(compressed)
        };
        cut_and_compress().map_err(Error::polars(self.table))
    }
}
