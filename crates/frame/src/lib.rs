//! Tables: their schema, their columns as polars data frames, and the files they are written to.
//!
//! Rows come from `logmill-analyze`: a [`Report`](logmill_analyze::model::Report) for every table but the
//! events, and one [`EventRow`](logmill_analyze::model::EventRow) after the other for those. This is the only
//! crate that says polars; callers pass [`DataFrame`]s on without looking inside.
//!
//! ```
//! use logmill_analyze::model::Report;
//! use logmill_frame::{CsvText, FileFormat, Table, TableWriter, tables};
//!
//! # fn main() -> Result<(), logmill_frame::Error> {
//! let report = Report::default();
//! let mut writer = TableWriter::new(Vec::new(), Table::Errors, FileFormat::Csv, CsvText::Exact)?;
//! for frame in tables::frames(&report, Table::Errors) {
//!     writer.write(frame?)?;
//! }
//! let (bytes, n_rows) = writer.finish()?;
//! assert_eq!(n_rows, 0);
//! assert!(bytes.starts_with(b"platform,kind,group,run_id,group_id,template,"));
//! # Ok(())
//! # }
//! ```
//!
//! - [`schema`]: what the tables consist of; everything else derives from it.
//! - [`tables`] and [`events`]: from rows to data frames, and from events to what Parquet takes without one.
//! - [`writer`] and [`encode`]: from those to Parquet, CSV and NDJSON. [`Encoder::encode`] is the part that
//!   takes time and may run on any thread; [`TableWriter::write_block`] is the part that must run in order.
//! - [`output`] and [`manifest`]: files that are there whole or not at all.

mod columns;
mod csv;
pub mod encode;
mod error;
pub mod events;
mod gather;
mod instant;
pub mod manifest;
mod ndjson;
pub mod output;
mod parquet;
mod pending;
pub mod row_groups;
pub mod schema;
pub mod tables;
mod tap;
pub mod writer;

pub use encode::{Block, CsvText, Encoder, FileFormat};
pub use error::Error;
pub use events::{EventChunk, EventColumns};
pub use manifest::Manifest;
pub use output::{Existing, OutputSet, PendingFile};
pub use pending::abandon;
pub use polars::prelude::DataFrame;
pub use schema::{Column, Dtype, Table, Values};
pub use writer::TableWriter;

/// The examples of the page on the library crates, compiled and run like those of this crate.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/libraries.md")]
struct Libraries;
