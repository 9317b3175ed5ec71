//! Builders of single columns, and the check that columns make up a table.

use logmill_parse::Micros;
use polars::prelude::{
    BooleanChunkedBuilder, ChunkedBuilder, Column, DataFrame, DataType, Float64Type, IntoColumn, PlSmallStr,
    PrimitiveChunkedBuilder, StringChunked, TimeUnit, TimeZone,
};
use polars_arrow::array::{MutableBinaryViewArray, Utf8ViewArray};

use crate::error::Error;
use crate::gather::Numbers;
use crate::schema::{Dtype, Table};

/// A text column: short values stand in the row, the others in shared buffers.
#[derive(Default)]
pub(crate) struct Texts(MutableBinaryViewArray<str>);

impl Texts {
    pub(crate) fn push(&mut self, value: Option<&str>) {
        match value {
            Some(value) => self.0.push_value(value),
            None => self.0.push_null(),
        }
    }

    pub(crate) fn finish(self, name: &str) -> Column {
        StringChunked::with_chunk(PlSmallStr::from_str(name), Utf8ViewArray::from(self.0)).into_column()
    }
}

/// A text column whose neighbours are mostly equal; each stretch is stored once.
#[derive(Default)]
pub(crate) struct Repeats {
    done: MutableBinaryViewArray<str>,
    text: String,
    state: Repeat,
    n: usize,
}

/// What is being repeated.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
enum Repeat {
    #[default]
    Null,
    Text,
}

impl Repeats {
    pub(crate) fn push(&mut self, value: Option<&str>) {
        let same = match (self.state, value) {
            (Repeat::Null, None) => true,
            (Repeat::Text, Some(value)) => self.text == value,
            _ => false,
        };
        if !same {
            self.flush();
            self.text.clear();
            self.text.push_str(value.unwrap_or_default());
            self.state = if value.is_some() { Repeat::Text } else { Repeat::Null };
        }
        self.n += 1;
    }

    fn flush(&mut self) {
        let n = std::mem::take(&mut self.n);
        match self.state {
            _ if n == 0 => {}
            Repeat::Null => self.done.extend_null(n),
            Repeat::Text => self.done.extend_constant(n, Some(self.text.as_str())),
        }
    }

    pub(crate) fn finish(mut self, name: &str) -> Column {
        self.flush();
        Texts(self.done).finish(name)
    }
}

/// A value on its way into a column.
#[derive(Clone, Copy)]
pub(crate) enum Cell<'a> {
    Text(Option<&'a str>),
    Int(Option<i64>),
    Float(Option<f64>),
    Bool(bool),
    Instant(Option<Micros>),
}

/// A builder for a column of any type.
pub(crate) enum Builder {
    Text(Repeats),
    Int(Numbers),
    Float(Box<PrimitiveChunkedBuilder<Float64Type>>),
    Bool(Box<BooleanChunkedBuilder>),
    Instant(Numbers),
}

impl Builder {
    pub(crate) fn new(dtype: Dtype) -> Self {
        match dtype {
            Dtype::Str => Self::Text(Repeats::default()),
            Dtype::Int => Self::Int(Numbers::default()),
            Dtype::Float => Self::Float(Box::new(PrimitiveChunkedBuilder::new(PlSmallStr::EMPTY, 0))),
            Dtype::Bool => Self::Bool(Box::new(BooleanChunkedBuilder::new(PlSmallStr::EMPTY, 0))),
            Dtype::Instant => Self::Instant(Numbers::default()),
        }
    }

    /// Takes `cell` in, if it is of the column's type.
    #[must_use]
    pub(crate) fn push(&mut self, cell: Cell<'_>) -> bool {
        match (self, cell) {
            (Self::Text(texts), Cell::Text(value)) => texts.push(value),
            (Self::Int(ints), Cell::Int(value)) => ints.push(value),
            // A number that is none would read differently from every kind of file.
            (Self::Float(floats), Cell::Float(value)) => {
                floats.append_option(value.filter(|v| v.is_finite()));
            }
            (Self::Bool(bools), Cell::Bool(value)) => bools.append_value(value),
            (Self::Instant(instants), Cell::Instant(value)) => instants.push(value),
            _ => return false,
        }
        true
    }

    pub(crate) fn finish(self, name: &str) -> Column {
        match self {
            Self::Text(texts) => texts.finish(name),
            Self::Int(ints) => ints.column(name.into()),
            Self::Float(floats) => floats.finish().with_name(PlSmallStr::from_str(name)).into_column(),
            Self::Bool(bools) => bools.finish().with_name(PlSmallStr::from_str(name)).into_column(),
            Self::Instant(instants) => instants.instants(name.into()),
        }
    }
}

/// The polars type of a column.
pub(crate) fn data_type(dtype: Dtype) -> DataType {
    match dtype {
        Dtype::Str => DataType::String,
        Dtype::Int => DataType::Int64,
        Dtype::Float => DataType::Float64,
        Dtype::Bool => DataType::Boolean,
        Dtype::Instant => DataType::Datetime(TimeUnit::Microseconds, Some(TimeZone::UTC)),
    }
}

/// The data frame of `table` that consists of `columns`.
///
/// # Errors
/// [`Error::Schema`] where they are not the table's, [`Error::Polars`] where they differ in length.
pub(crate) fn assemble(table: Table, height: usize, columns: Vec<Column>) -> Result<DataFrame, Error> {
    let frame = DataFrame::new(height, columns).map_err(Error::polars(table))?;
    check(table, &frame)?;
    Ok(frame)
}

/// Whether `frame` has the columns of `table`, by name, type and order.
pub(crate) fn check(table: Table, frame: &DataFrame) -> Result<(), Error> {
    let schema_error = |expected: String, found: String| Err(Error::Schema { table, expected, found });
    if frame.width() != table.columns().len() {
        return schema_error(format!("{} columns", table.columns().len()), frame.width().to_string());
    }
    for (column, expected) in frame.columns().iter().zip(table.columns()) {
        if column.name().as_str() != expected.name || *column.dtype() != data_type(expected.dtype) {
            return schema_error(
                format!("{} {}", expected.name, data_type(expected.dtype)),
                format!("{} {}", column.name(), column.dtype()),
            );
        }
    }
    Ok(())
}
