//! Data frames as CSV (RFC 4180, lines end in `\n`).
//!
//! polars writes null as nothing and an empty string as `""`, quotes what needs quotes, and gives floats the
//! shortest digits that read back the same. Instants become text here first, since the frame's own type is
//! written without its zone.

use polars::prelude::{
    Column, CsvWriter, DataFrame, IntoColumn, PlSmallStr, PolarsResult, SerWriter, StringChunked,
};

use crate::columns::Texts;
use crate::encode::CsvText;
use crate::error::Error;
use crate::instant::InstantText;
use crate::schema::{Dtype, Table};

/// The line of column names.
pub(crate) fn header(table: Table) -> Vec<u8> {
    let names: Vec<&str> = table.columns().iter().map(|column| column.name).collect();
    format!("{}\n", names.join(",")).into_bytes()
}

/// The rows of `frame`, without the line of names.
pub(crate) fn encode(table: Table, frame: &DataFrame, text: CsvText) -> Result<Vec<u8>, Error> {
    let columns: PolarsResult<Vec<Column>> = frame
        .columns()
        .iter()
        .zip(table.columns())
        .map(|(column, it)| prepare(column, it.dtype, text))
        .collect();
    let prepare = || {
        let mut frame = DataFrame::new(frame.height(), columns?)?;
        let mut out = Vec::new();
        // More threads than one would be polars' own.
        CsvWriter::new(&mut out).include_header(false).n_threads(1).finish(&mut frame)?;
        Ok(out)
    };
    prepare().map_err(Error::polars(table))
}

fn prepare(column: &Column, dtype: Dtype, text: CsvText) -> PolarsResult<Column> {
    match (dtype, text) {
        (Dtype::Instant, _) => instants(column),
        (Dtype::Str, CsvText::Safe) => neutralised(column),
        _ => Ok(column.clone()),
    }
}

fn instants(column: &Column) -> PolarsResult<Column> {
    let mut instant = InstantText::default();
    let mut texts = Texts::default();
    for ts in column.datetime()?.physical().iter() {
        texts.push(ts.and_then(|ts| instant.write(ts)));
    }
    Ok(texts.finish(column.name()))
}

/// Text with a `'` before what a spreadsheet would take for a formula.
fn neutralised(column: &Column) -> PolarsResult<Column> {
    let texts = column.str()?;
    let is_formula = |text: &str| text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    if !texts.iter().flatten().any(is_formula) {
        return Ok(column.clone());
    }
    let safe: StringChunked = texts
        .iter()
        .map(|text| text.map(|text| if is_formula(text) { format!("'{text}") } else { text.to_owned() }))
        .collect();
    Ok(safe.with_name(PlSmallStr::from_str(column.name())).into_column())
}
