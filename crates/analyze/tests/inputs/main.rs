//! Inputs as they come: large, streamed, compressed, repeated, failing, changing.

mod division;
mod dumps;
mod faults;
mod folders;
mod second_pass;
mod support;
