//! Cloudflare Workers Builds logs, and those of its older sibling Pages.
//!
//! Two readers (`json`, `text`) make `model::Line`s of whatever shape the log was saved in;
//! `build` makes records and marks of those, and does not know where they came from.
//! Source of the shapes and phrases: the Workers Builds API and published build logs.

mod build;
mod cuts;
mod detect;
mod element;
mod gather;
mod join;
mod json;
mod lines;
mod marks;
mod metadata;
mod model;
mod needle;
mod outcome;
mod pages;
mod phases;
mod replay;
mod scan;
mod split;
mod stamps;
mod stretch;
mod telemetry;
#[cfg(test)]
mod tests;
mod text;

use crate::format::{About, Carry, Depth, Format, Head, Match, Metadata, Seam, Window};
use crate::record::{Amount, Batch, Delivery};
use crate::vocabulary::{Kind, Platform};

/// The `cloudflare-build` format.
#[derive(Debug)]
pub struct CloudflareBuild;

static ABOUT: About = About {
    id: "cloudflare-build",
    platform: Platform::Cloudflare,
    kind: Some(Kind::Build),
    title: "Cloudflare Workers Builds logs",
    shapes: &[
        "JSON envelope {\"success\":…,\"result\":{\"lines\":[[timestamp, message], …]}}",
        "JSON result {\"lines\":[…]} or array of [timestamp, message] tuples",
        "several pages or builds in one file: concatenated, NDJSON or an array",
        "JSON of Pages {\"data\":[{\"ts\":…,\"line\":…}]}",
        "text download of the dashboard: instant, TAB, message",
        "pastes: blanks or a table instead of the TAB, times of day, stamps on their own lines, no stamps",
    ],
    endpoint: "GET /client/v4/accounts/{account_id}/builds/builds/{build_uuid}/logs",
    limit_chars: None,
    no_opening: None,
};

impl Format for CloudflareBuild {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn detect(&self, head: Head<'_>) -> Option<Match> {
        detect::detect(head)
    }

    /// Only between builds, because replays and phases are told over a whole one, and only in a file of one
    /// answer per line.
    fn cut(&self, bytes: &[u8], from: usize) -> Option<usize> {
        cuts::first(bytes, from)
    }

    fn parse<'a>(
        &self,
        window: Window<'a>,
        carry: &mut Carry,
        out: &mut Batch<'a>,
        delivery: Delivery<'_>,
    ) -> usize {
        let before = std::mem::take(&mut out.account);
        let n_issues = out.issues.len();
        let consumed = if carry.depth != Depth::Outside || detect::is_json(window.bytes) {
            json::parse(window, carry, out, delivery)
        } else {
            text::parse(window, carry, out)
        };
        settle(consumed, out);
        out.account.merge(&before);
        if let Some(issues) = out.issues.get_mut(n_issues..) {
            issues.sort_by_key(|issue| issue.start);
        }
        usize::try_from(consumed.bytes).unwrap_or(usize::MAX)
    }

    fn seams(&self, document: &[u8], bytes: usize) -> Vec<Seam> {
        cuts::seams(document, bytes)
    }

    fn metadata(&self, document: &[u8]) -> Option<Metadata> {
        metadata::build_record(document)
    }

    fn error_body(&self, document: &[u8]) -> Option<String> {
        metadata::error_text(document)
    }
}

/// Everything nobody laid claim to is structure.
fn settle(consumed: Amount, out: &mut Batch<'_>) {
    let claimed = out.account.total();
    out.account.structure.bytes += consumed.bytes.saturating_sub(claimed.bytes);
    out.account.structure.lines += consumed.lines.saturating_sub(claimed.lines);
}
