//! Brings logs from the platforms' endpoints to disk, as the server sent them.
//!
//! This crate owns requests and files: which URL is asked for with which headers, how often, how long and
//! how much; where the bytes go; and a note beside them that says what was asked and what is missing. It
//! looks into answers only for what leads to the next request (cursors, pages, ids, whether a run is over)
//! and for what an error answer says. What a log means is for the other crates, of which it knows none.
//!
//! It leaves to its caller: arguments, environment, standard streams and exit codes.
//!
//! What must hold, whatever a server does:
//!
//! - A secret is sent to one origin, in a header, and stands nowhere else (`secret.rs`).
//! - Every wait, body, list and chain of redirects has a bound (`policy.rs`).
//! - A file under its final name is whole; what is missing is said, and asked for again next time
//!   (`store.rs`, `note.rs`).

mod answer;
mod clock;
mod error;
mod id;
mod note;
mod observe;
mod origin;
mod pace;
mod platform;
mod policy;
mod pool;
mod request;
mod retry;
mod secret;
mod session;
mod store;
mod transport;

pub use error::Error;
pub use id::{AccountId, ActorId, BuildUuid, IdError, LogId, ScheduleId, UserId, WorkerName, WorkflowId};
pub use note::{MARKER, Note, Page};
pub use observe::{Event, Observer, Silent};
pub use origin::Origin;
pub use platform::alloy::{Executions, MAX_LIMIT, Order};
pub use platform::apify::{Form, Log, Runs, RunsOf, Schedule, Transfer};
pub use platform::cloudflare::{Build, Builds};
pub use platform::{Listing, Platform, Target};
pub use policy::{Policy, Timeouts};
pub use pool::{Missing, Summary};
pub use request::Request;
pub use secret::{Credentials, Secret, SecretError};
pub use session::{Options, ProxyChoice, Roots, Session};
pub use store::{Refresh, Store};
