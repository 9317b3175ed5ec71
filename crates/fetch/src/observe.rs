//! What a caller is told while work goes on.

use std::time::Duration;

/// Something that happened.
#[derive(Debug, Clone, Copy)]
pub enum Event<'a> {
    /// A target is begun.
    Started(&'a str),
    /// Bytes of a body have arrived.
    Received {
        /// What is being fetched.
        target: &'a str,
        /// How many.
        n_bytes: u64,
    },
    /// Bytes of a followed log that were not seen before.
    Followed {
        /// What is being followed.
        target: &'a str,
        /// The bytes.
        bytes: &'a [u8],
    },
    /// A request went wrong and will be made again.
    Retrying {
        /// What is being fetched.
        target: &'a str,
        /// What went wrong.
        reason: &'a str,
        /// After how long.
        wait: Duration,
    },
    /// A file has its final name.
    Stored(&'a str),
    /// All of a target was there already.
    Kept(&'a str),
    /// A target is done.
    Finished(&'a str),
    /// A target could not be fetched, or not all of it.
    Failed {
        /// What.
        target: &'a str,
        /// Why.
        reason: &'a str,
    },
}

/// Who is told.
pub trait Observer: Sync {
    /// Something happened; called from any thread.
    fn on(&self, event: Event<'_>);
}

/// Nobody.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Observer for Silent {
    fn on(&self, _: Event<'_>) {}
}
