//! From records to runs, steps, error groups, rates and durations.
//!
//! [`Engine::survey`] reads inputs on all cores and assembles their runs from the marks the
//! formats leave; [`Survey::report`] makes the rows of the tables; [`Engine::events`] reads the
//! inputs once more and hands on every event. This crate knows no platform and opens no file:
//! whoever has bytes implements [`Input`].
//!
//! ```
//! use logmill_analyze::{Buckets, Bytes, Engine, Input, Options, Selection};
//!
//! let log = Bytes::new("my-actor/aB3dE6gH9jK2mN5pQ.log", "2026-01-31T10:00:00.000Z INFO  Hello\n");
//! let inputs: Vec<&dyn Input> = vec![&log];
//! let engine = Engine::new(Options::default())?;
//! let survey = engine.survey(&inputs);
//! let report = survey.report(&Selection::default(), Buckets::default())?;
//! for run in &report.runs {
//!     println!("{} {} {}", run.group, run.run_id, run.status);
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod assemble;
pub mod cluster;
mod derived;
mod document;
pub mod durations;
mod events;
mod group;
mod identity;
mod input;
pub mod mask;
mod metrics;
pub mod model;
mod name;
mod phases;
mod pipeline;
pub mod rates;
mod read;
mod redact;
mod reopen;
mod report;
mod shard;
mod survey;
#[cfg(test)]
mod testing;
mod trace;
mod turns;
mod volume;

pub use assemble::SplitRuns;
pub use events::{EventPlan, EventsError, Unread};
pub use identity::{Layout, LayoutError};
pub use input::{Bytes, Content, Input, ReadAt, ReadError};
pub use metrics::Metrics;
pub use model::Report;
pub use pipeline::{Detail, Engine, EngineError, Options};
pub use rates::Bucket;
pub use redact::Redactor;
pub use report::{Buckets, Selection};
pub use survey::{Place, Survey};
pub use trace::{Seen, Trace};
pub use volume::Volume;

/// The README's examples, compiled and run like those of this crate.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct Readme;
