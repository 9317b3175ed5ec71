//! A ladder of benches over named corpora: lines, records, tallies, columns, file.
//!
//! Every rung does what the one below it does and one thing more, on the same bytes and on one
//! thread, so that a loss of speed has an address. This package is never a dependency.
//!
//! - [`corpus`]: the bytes, for every format of the registry.
//! - [`read`]: how the lower rungs go through them.
//! - [`input`]: how the upper rungs hand them to the engine.
//! - `peers`: what other libraries make of the same bytes (a feature).
//! - [`mod@rung`]: what the benches have in common.

pub mod corpus;
pub mod input;
#[cfg(feature = "peers")]
pub mod peers;
pub mod read;
pub mod rung;

pub use corpus::{Corpus, File, Size, corpora};
pub use rung::rung;
