//! Servers for tests of `logmill-fetch`: real sockets on this machine, scripted answers.
//!
//! [`Server`] accepts connections, remembers what it was asked, and answers as it is told: well, slowly,
//! wrongly, or not at all. [`World`] answers like the documented endpoints of the platforms, errors
//! included. [`Authority`] makes the certificates for servers with TLS, good ones and bad ones.
//!
//! No other crate may depend on this one, except for its tests.

mod authority;
mod dump;
mod reply;
mod server;
mod world;

pub use authority::{Authority, Server as ServerCertificate};
pub use reply::{Reply, Way};
pub use server::{Seen, Server};
pub use world::{Build, Run, World, pages};
