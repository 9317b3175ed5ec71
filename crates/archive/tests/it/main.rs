//! Compressed files and archives, whole and broken, made here and by other programs.

#![expect(clippy::cast_possible_truncation, reason = "archives made here are small")]
#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_macros,
    reason = "other programs work on files, or are not there"
)]

mod cuts;
mod formats;
mod limits;
mod support;
mod tools;
