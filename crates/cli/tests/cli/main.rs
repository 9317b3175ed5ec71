//! The program as people run it: the built binary, files on disk, pipes and exit codes.

#[cfg(unix)]
mod archives;
mod bench;
mod contributing;
mod convert;
mod exit_codes;
mod explain;
#[cfg(unix)]
mod faults;
mod generated_docs;
mod help;
mod hostile;
mod independent;
#[cfg(unix)]
mod inputs;
mod json;
#[cfg(unix)]
mod network;
mod on_a_terminal;
#[cfg(unix)]
mod outputs;
mod quarantine;
mod redaction;
mod report;
mod shells;
#[cfg(unix)]
mod signals;
mod support;
mod tables;
mod terminal;
