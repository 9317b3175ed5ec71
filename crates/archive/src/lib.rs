//! Compressed files and archives, read in place.
//!
//! Owns what bytes are by how they begin ([`kind()`]), what archives hold ([`list`]), and the members'
//! decompressed bytes under limits ([`Member::open`]). Where the bytes of a file come from, which
//! members are wanted, and what is said of faults is left to the caller, who implements [`Place`]
//! and [`ReadAt`]. Nothing is opened, written or printed here, and nothing starts a thread.

mod contents;
mod decode;
mod fault;
mod kind;
mod member;
mod shelf;
mod store;
mod tar;
mod zip;

pub use contents::{Contents, Limits, list, look};
pub use fault::{Fault, FaultKind};
pub use kind::{Codec, HEAD_BYTES, Kind, kind};
pub use member::{Member, Opened};
pub use store::{Place, ReadAt};
