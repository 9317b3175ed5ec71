//! The place of the optional side door: downloading logs. Nothing is offered yet.
//!
//! logmill works offline, on files that are there already. This crate will hold what gets them
//! there: the documented log endpoints of each platform, over HTTP, the bytes stored exactly as
//! the server sent them. It will know nothing of the other crates, and the command line will
//! link it only when built with its feature `fetch`, so that a default build holds no network
//! code.
//!
//! Until then it exports nothing, nothing depends on it, and `logmill` has no such command.
