//! Data frames as NDJSON: one object per line, keys in the order of the schema, null where there is no value.

use polars::prelude::{BooleanChunked, DataFrame, Float64Chunked, Int64Chunked, PolarsResult, StringChunked};
use serde::Serialize;

use crate::error::Error;
use crate::instant::InstantText;
use crate::schema::{Column, Dtype, Table};

/// The rows of `frame`.
pub(crate) fn encode(table: Table, frame: &DataFrame) -> Result<Vec<u8>, Error> {
    let mut frame = frame.clone();
    frame.rechunk_mut();
    let fields: PolarsResult<Vec<Field<'_>>> = frame
        .columns()
        .iter()
        .zip(table.columns())
        .enumerate()
        .map(|(place, (column, it))| {
            Ok(Field { key: key(place, it), values: Values::new(column, it.dtype)? })
        })
        .collect();
    let mut fields = fields.map_err(Error::polars(table))?;
    let mut out = Vec::new();
    for row in 0..frame.height() {
        for field in &mut fields {
            out.extend_from_slice(&field.key);
            field.values.write(row, &mut out);
        }
        out.extend_from_slice(b"}\n");
    }
    Ok(out)
}

struct Field<'a> {
    /// `{"name":` for the first one, else `,"name":`; names need no escapes.
    key: Vec<u8>,
    values: Values<'a>,
}

fn key(place: usize, column: &Column) -> Vec<u8> {
    let before = if place == 0 { '{' } else { ',' };
    format!("{before}\"{}\":", column.name).into_bytes()
}

enum Values<'a> {
    Text(&'a StringChunked),
    Int(&'a Int64Chunked),
    Float(&'a Float64Chunked),
    Bool(&'a BooleanChunked),
    Instant(&'a Int64Chunked, InstantText),
}

impl<'a> Values<'a> {
    fn new(column: &'a polars::prelude::Column, dtype: Dtype) -> PolarsResult<Self> {
        Ok(match dtype {
            Dtype::Str => Self::Text(column.str()?),
            Dtype::Int => Self::Int(column.i64()?),
            Dtype::Float => Self::Float(column.f64()?),
            Dtype::Bool => Self::Bool(column.bool()?),
            Dtype::Instant => Self::Instant(column.datetime()?.physical(), InstantText::default()),
        })
    }

    fn write(&mut self, row: usize, out: &mut Vec<u8>) {
        match self {
            Self::Text(values) => json(&values.get(row), out),
            Self::Int(values) => json(&values.get(row), out),
            Self::Float(values) => json(&values.get(row), out),
            Self::Bool(values) => json(&values.get(row), out),
            Self::Instant(values, instant) => json(&values.get(row).and_then(|ts| instant.write(ts)), out),
        }
    }
}

fn json(value: &impl Serialize, out: &mut Vec<u8>) {
    // Neither the types above nor a Vec can fail.
    let _ = serde_json::to_writer(out, value);
}
