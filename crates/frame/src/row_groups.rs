//! Row groups: frames joined and cut so that none is too small to compress well or too large to hold.

use polars::prelude::{DataFrame, DataType};
use polars_arrow::array::Utf8ViewArray;

/// Most rows of a row group.
pub const MAX_ROWS: usize = 128 << 10;
/// Most bytes of a row group's columns in memory; a single row may be larger.
pub const MAX_BYTES: usize = 64 << 20;

/// Joins small frames and cuts large ones.
#[derive(Debug, Default)]
pub struct RowGroups {
    pending: Option<DataFrame>,
    /// Bytes of `pending`.
    bytes: usize,
}

impl RowGroups {
    /// Takes a frame in and returns the row groups that are full, in order.
    ///
    /// # Errors
    /// Where the frame is of another table than those before it.
    pub fn push(&mut self, frame: DataFrame) -> Result<Vec<DataFrame>, polars::error::PolarsError> {
        self.bytes += n_bytes(&frame);
        let mut pending = match self.pending.take() {
            Some(mut pending) => {
                pending.vstack_mut_owned(frame)?;
                pending
            }
            None => frame,
        };
        let mut full = Vec::new();
        while pending.height() >= MAX_ROWS || (self.bytes >= MAX_BYTES && pending.height() > 1) {
            let (group, rest) = cut(&pending, self.bytes);
            self.bytes = n_bytes(&rest);
            full.push(group);
            pending = rest;
        }
        self.pending = (pending.height() > 0).then_some(pending);
        Ok(full)
    }

    /// What is left, which is less than a full row group.
    pub fn finish(self) -> Option<DataFrame> {
        self.pending.map(whole)
    }
}

/// The longest head of `frame`, a frame of `bytes` bytes, that keeps the limits, and the rest.
fn cut(frame: &DataFrame, bytes: usize) -> (DataFrame, DataFrame) {
    let row_bytes = bytes / frame.height().max(1) + 1;
    let mut rows = MAX_ROWS.min(MAX_BYTES / row_bytes).min(frame.height()).max(1);
    // The estimate is off where rows differ in size.
    while rows > 1 && n_bytes(&frame.slice(0, rows)) > MAX_BYTES {
        rows = rows.div_ceil(2);
    }
    let rest = frame.slice(i64::try_from(rows).unwrap_or(i64::MAX), frame.height());
    (whole(frame.slice(0, rows)), rest)
}

/// One chunk per column: a row group is written per chunk, and chunks that do not align make polars panic.
fn whole(mut frame: DataFrame) -> DataFrame {
    frame.rechunk_mut();
    frame
}

/// Bytes the values of `frame` take, without what its buffers hold besides.
fn n_bytes(frame: &DataFrame) -> usize {
    let rows = frame.height();
    let column_bytes = |column: &polars::prelude::Column| match column.dtype() {
        DataType::String => {
            let texts =
                column.str().map(|texts| texts.downcast_iter().map(Utf8ViewArray::total_bytes_len).sum());
            16 * rows + texts.unwrap_or(0)
        }
        DataType::Boolean => rows / 8,
        _ => 8 * rows,
    };
    frame.columns().iter().map(column_bytes).sum()
}
