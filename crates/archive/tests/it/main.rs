//! Compressed files and archives, whole and broken, made here and by other programs.

#![expect(clippy::cast_possible_truncation, reason = "archives made here are small")]

mod cuts;
mod formats;
mod limits;
mod support;
mod tools;
