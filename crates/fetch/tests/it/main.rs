//! Fetching from real sockets on this machine.

mod endpoints;
mod faithful;
mod faults;
mod lists;
mod resume;
mod support;
mod tls;
