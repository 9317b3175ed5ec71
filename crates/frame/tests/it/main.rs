//! Tests of the crate as its users see it, in one program: polars takes long to link.

mod common;
mod output;
mod round_trip;
mod schema;
mod writers;
