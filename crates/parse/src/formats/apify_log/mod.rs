//! Stub.

mod docker;
mod event;
mod figures;
mod load;
mod meaning;
mod outcome;
mod platform;
mod requests;
mod stats;
mod table;
#[cfg(test)]
mod testing;

use crate::format::{About, Carry, Format, Head, Match, Metadata, Window};
use crate::record::Batch;
use crate::vocabulary::Platform;

/// Stub.
#[derive(Debug)]
pub struct ApifyLog;

static ABOUT: About = About {
    id: "apify-log",
    platform: Platform::Apify,
    kind: None,
    title: "",
    shapes: &[],
    endpoint: "",
    limit_chars: None,
    no_opening: None,
};

impl Format for ApifyLog {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn detect(&self, _head: Head<'_>) -> Option<Match> {
        None
    }

    fn cut(&self, _bytes: &[u8], _from: usize) -> Option<usize> {
        None
    }

    fn parse<'a>(&self, _window: Window<'a>, _carry: &mut Carry, _out: &mut Batch<'a>) -> usize {
        0
    }

    fn metadata(&self, _document: &[u8]) -> Option<Metadata> {
        None
    }

    fn error_body(&self, _document: &[u8]) -> Option<String> {
        None
    }
}
