//! Apify run and build logs: plain text in which every physical line carries a stamp.
//!
//! From the bytes up: `line` takes stamps and relay prefixes off a physical line, `levels` finds who
//! speaks at which level, `shape` and `join` tell which lines continue an event, `read` puts
//! windows, blank lines and limits around that, `payload` cuts the data off a message, `finish` makes
//! the record. What an event means — its class and marks — is `meaning`'s and the modules below it.
//!
//! Local logs of the same loggers, whose lines have no stamps, are read by the same rules.

mod above;
mod colour;
mod copies;
mod cut;
mod detect;
mod docker;
mod event;
mod figures;
mod finish;
mod join;
mod json_line;
mod levels;
mod line;
mod load;
mod meaning;
mod metadata;
mod object;
mod outcome;
mod payload;
mod platform;
mod read;
mod report;
mod requests;
mod rows;
mod shape;
mod stats;
mod table;
#[cfg(test)]
mod testing;
mod view;

use crate::format::{About, Carry, Format, Head, Match, Metadata, Window};
use crate::record::{Batch, Delivery};
use crate::vocabulary::Platform;

/// The format.
#[derive(Debug)]
pub struct ApifyLog;

static ABOUT: About = About {
    id: "apify-log",
    platform: Platform::Apify,
    kind: None,
    title: "Apify run and build logs (text)",
    shapes: &[
        "the log of a run or build, with or without colours (raw=1)",
        "several logs one after the other, heads and tails of logs",
        "logs that relay those of the runs they started",
        "lines of the logger's JSON format",
        "local logs of the same loggers, without stamps",
    ],
    endpoint: "GET https://api.apify.com/v2/logs/{buildOrRunId}",
    limit_chars: Some(10_485_760),
    no_opening: Some("no_start"),
};

impl Format for ApifyLog {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn detect(&self, head: Head<'_>) -> Option<Match> {
        detect::detect(head)
    }

    fn cut(&self, bytes: &[u8], from: usize) -> Option<usize> {
        cut::cut(bytes, from)
    }

    fn parse<'a>(
        &self,
        window: Window<'a>,
        carry: &mut Carry,
        out: &mut Batch<'a>,
        _delivery: Delivery<'_>,
    ) -> usize {
        read::read(window, carry, out)
    }

    fn metadata(&self, document: &[u8]) -> Option<Metadata> {
        metadata::metadata(document)
    }

    fn error_body(&self, document: &[u8]) -> Option<String> {
        metadata::error_body(document)
    }
}
