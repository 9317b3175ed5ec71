//! The program as people run it: the built binary, files on disk, pipes and exit codes.

mod convert;
mod exit_codes;
mod explain;
mod generated_docs;
mod help;
mod report;
mod support;
mod tables;
mod terminal;
