//! Data frames, and arrays that were gathered without one, as Parquet: zstd, statistics, one row group for each.
//!
//! polars' own writer encodes on its own threads and hands pages straight to the sink; here the two are apart, so
//! that pages can be made on the thread that has the frame and written by the one that has the file.

use std::borrow::Cow;
use std::io::Write;
use std::sync::Arc;

use polars::prelude::{ArrowField, ArrowSchema, Column, CompatLevel, DataFrame, PolarsResult};
use polars_arrow::array::Array;
use polars_arrow::datatypes::ArrowDataType;
use polars_parquet::parquet::CowBuffer;
use polars_parquet::parquet::compression::{self, Compression};
use polars_parquet::parquet::page::CompressedDictPage;
use polars_parquet::write::{
    CompressedDataPage, CompressedPage, CompressionOptions, DynIter, DynStreamingIterator, Encoding,
    FileWriter, Page, SchemaDescriptor, StatisticsOptions, Version, WriteOptions, ZstdLevel,
    array_to_columns, fallible_streaming_iterator, to_parquet_schema,
};

use crate::columns::data_type;
use crate::schema::{self, Dtype, Table};

/// Level of compression: the lowest.
const ZSTD_LEVEL: i32 = 1;
/// Longest text kept as a column's least or greatest value.
const STATISTICS_BYTES: u64 = 64;

/// A row group, encoded and compressed.
pub(crate) struct RowGroup {
    n_rows: u64,
    columns: Vec<Vec<CompressedPage>>,
}

/// Makes row groups, on the thread that calls.
#[derive(Clone)]
pub(crate) struct Compressor {
    schema: Arc<SchemaDescriptor>,
    ways: Arc<[Way]>,
}

/// How the values of a column are written.
#[derive(Clone, Copy)]
struct Way {
    encoding: Encoding,
    options: WriteOptions,
}

impl Compressor {
    pub(crate) fn new(table: Table) -> PolarsResult<Self> {
        let ways: PolarsResult<Vec<Way>> = table.columns().iter().map(|column| way(table, column)).collect();
        Ok(Self { schema: Arc::new(to_parquet_schema(&arrow_schema(table))?), ways: ways?.into() })
    }

    /// All of `frame` as one row group.
    pub(crate) fn compress_frame(&self, frame: &DataFrame) -> PolarsResult<RowGroup> {
        let arrays: PolarsResult<Vec<Box<dyn Array>>> = frame.columns().iter().map(array).collect();
        self.compress(frame.height(), arrays?)
    }

    /// Columns of so many values as one row group. Where an array is a dictionary, that is the column's.
    pub(crate) fn compress(&self, n_rows: usize, arrays: Vec<Box<dyn Array>>) -> PolarsResult<RowGroup> {
        let mut zstd = Zstd::default();
        let mut columns = Vec::with_capacity(arrays.len());
        for ((array, kind), Way { encoding, options }) in
            arrays.into_iter().zip(self.schema.fields()).zip(self.ways.iter())
        {
            // A column that is not nested makes exactly one column of pages.
            for pages in array_to_columns(array, kind.clone(), *options, &[*encoding])? {
                columns.push(pages.map(|page| zstd.compress(&page?)).collect::<PolarsResult<_>>()?);
            }
        }
        Ok(RowGroup { n_rows: n_rows as u64, columns })
    }
}

fn array(column: &Column) -> PolarsResult<Box<dyn Array>> {
    let field = column.field().to_arrow(CompatLevel::newest());
    column.as_materialized_series().rechunk().to_arrow_with_field(0, Cow::Owned(field), true)
}

/// Compresses pages by way of one buffer: polars leaves to each page the room that it might have taken.
#[derive(Default)]
struct Zstd {
    buffer: Vec<u8>,
}

impl Zstd {
    fn compress(&mut self, page: &Page) -> PolarsResult<CompressedPage> {
        Ok(match page {
            Page::Data(page) => CompressedPage::Data(CompressedDataPage::new(
                page.header().clone(),
                self.bytes(page.buffer())?,
                Compression::Zstd,
                page.buffer().len(),
                page.descriptor.clone(),
                page.num_rows().unwrap_or_else(|| page.num_values()),
            )),
            Page::Dict(page) => CompressedPage::Dict(CompressedDictPage::new(
                self.bytes(&page.buffer)?,
                Compression::Zstd,
                page.buffer.len(),
                page.num_values,
                page.is_sorted,
            )),
        })
    }

    fn bytes(&mut self, page: &[u8]) -> PolarsResult<CowBuffer> {
        self.buffer.clear();
        compression::compress(zstd()?, page, &mut self.buffer)?;
        Ok(CowBuffer::Owned(self.buffer.clone()))
    }
}

/// A Parquet file being written to `sink`.
pub(crate) struct ParquetFile<W: Write>(FileWriter<W>);

impl<W: Write> ParquetFile<W> {
    pub(crate) fn new(sink: W, table: Table) -> PolarsResult<Self> {
        FileWriter::try_new(sink, arrow_schema(table), options()?).map(Self)
    }

    pub(crate) fn write(&mut self, group: &RowGroup) -> PolarsResult<()> {
        let columns = group.columns.iter().map(|pages| {
            let pages = pages.iter().map(PolarsResult::Ok);
            Ok(DynStreamingIterator::new(fallible_streaming_iterator::convert(pages)))
        });
        self.0.write(group.n_rows, DynIter::new(columns))
    }

    pub(crate) fn finish(mut self) -> PolarsResult<()> {
        self.0.end(None).map(drop)
    }
}

/// The types readers that know Arrow restore. Text is declared as Arrow's oldest text type, which all of them know;
/// the bytes in the file are the same for all.
fn arrow_schema(table: Table) -> ArrowSchema {
    table.columns().iter().map(field).collect()
}

fn field(column: &schema::Column) -> ArrowField {
    let dtype = match column.dtype {
        Dtype::Str => ArrowDataType::Utf8,
        other => data_type(other).to_arrow(CompatLevel::newest()),
    };
    ArrowField::new(column.name.into(), dtype, true)
}

/// Numbers of events, which grow from row to row, are written as differences. Their messages and payloads, which
/// seldom repeat, stand as they are: zstd makes less of what a dictionary leaves, and nobody asks for the least of
/// them. Everything else is a dictionary where values repeat (polars falls back to plain where they do not).
fn way(table: Table, column: &schema::Column) -> PolarsResult<Way> {
    let is_event = table == Table::Events;
    let is_body = is_event && matches!(column.name, "message" | "payload");
    let encoding = match column.dtype {
        Dtype::Bool => Encoding::Plain,
        Dtype::Str if is_body => Encoding::Plain,
        Dtype::Int | Dtype::Instant if is_event => Encoding::DeltaBinaryPacked,
        _ => Encoding::RleDictionary,
    };
    let mut options = options()?;
    options.statistics.min_value = !is_body;
    options.statistics.max_value = !is_body;
    Ok(Way { encoding, options })
}

fn options() -> PolarsResult<WriteOptions> {
    let statistics = StatisticsOptions {
        binary_statistics_truncate_length: Some(STATISTICS_BYTES),
        ..StatisticsOptions::default()
    };
    Ok(WriteOptions { statistics, version: Version::V1, compression: zstd()?, data_page_size: None })
}

fn zstd() -> PolarsResult<CompressionOptions> {
    Ok(CompressionOptions::Zstd(Some(ZstdLevel::try_new(ZSTD_LEVEL)?)))
}
