//! The report as one HTML file that needs nothing else.
//!
//! [`page`] turns a [`Report`] into a document that opens from disk without a network: style,
//! script and drawings stand in it, and its content security policy allows nothing but those two,
//! by their hashes. Whatever comes from logs is text, never markup; characters that act instead of
//! showing are spelt out. Without the script the page is complete; with it, tables can be sorted.
//!
//! The size is bounded: figures are summed up, and of every list the first rows are shown and the
//! number of the others is told. The same report and the same [`Page`] give the same bytes. Where
//! reports come from is `logmill-analyze`'s matter, and where pages go is the caller's.
//!
//! ```
//! use logmill_analyze::{Buckets, Bytes, Engine, Input, Options, Selection};
//! use logmill_html::{Page, page};
//!
//! let log = Bytes::new("my-actor/aB3dE6gH9jK2mN5pQ.log", "2026-01-31T10:00:00.000Z ERROR Oh <b>no</b>\n");
//! let inputs: Vec<&dyn Input> = vec![&log];
//! let survey = Engine::new(Options::default())?.survey(&inputs);
//! let report = survey.report(&Selection::default(), Buckets::default())?;
//! let html = page(&report, &Page::titled("My dump"));
//! assert!(html.contains("<h1>My dump</h1>"));
//! assert!(html.contains("Oh &lt;b&gt;no&lt;/b&gt;"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod axis;
mod chart;
mod figures;
mod markup;
mod outcome;
mod policy;
mod sections;
mod table;
mod view;

use std::collections::BTreeMap;
use std::io;

use logmill_analyze::{Buckets, Report};

use crate::markup::{Markup, Own, put};
use crate::view::View;

/// What stands on a page beside the report.
#[derive(Debug, Clone)]
pub struct Page<'a> {
    /// Its heading.
    pub title: &'a str,
    /// Version of the program that makes it; none is told when empty.
    pub version: &'a str,
    /// What was asked for, by the names of the options.
    pub options: BTreeMap<String, String>,
    /// The buckets the report was made with; instants follow the clock of their zone.
    pub buckets: Buckets,
}

impl<'a> Page<'a> {
    /// A page with this heading, in UTC.
    #[must_use]
    pub fn titled(title: &'a str) -> Self {
        Self { title, version: "", options: BTreeMap::new(), buckets: Buckets::default() }
    }
}

const STYLE: &str = include_str!("style.css");
const SCRIPT: &str = include_str!("sort.js");

/// The page.
#[must_use]
pub fn page(report: &Report, about: &Page<'_>) -> String {
    let view = View::of(report, about.buckets);
    let sections = sections::all(&view);
    let mut out = Markup::default();
    head(about.title, &mut out);
    sections::banner(&view, about, &mut out);
    contents(&sections, &mut out);
    put!(&mut out, "<main id=\"main\">\n");
    for section in sections.iter().filter(|section| !section.body.is_empty()) {
        put!(
            &mut out,
            "<section id=\"{}\" aria-labelledby=\"{}-h\"><h2 id=\"{}-h\">{}</h2>\n{}</section>\n",
            section.id,
            section.id,
            section.id,
            section.title,
            section.body
        );
    }
    left_out(&sections, &mut out);
    put!(&mut out, "</main>\n");
    sections::footer(about, &mut out);
    put!(&mut out, "<script>{}</script>\n</body></html>\n", Own(SCRIPT));
    out.into_string()
}

/// Writes the page to a sink, which is flushed.
///
/// # Errors
///
/// What the sink says.
pub fn write(report: &Report, about: &Page<'_>, sink: &mut dyn io::Write) -> io::Result<()> {
    sink.write_all(page(report, about).as_bytes())?;
    sink.flush()
}

fn head(title: &str, out: &mut Markup) {
    put!(
        out,
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"/>\n<meta name=\"generator\" content=\"logmill\"/>\n<meta http-equiv=\"Content-Security-Policy\" content=\"{}\"/>\n<meta name=\"referrer\" content=\"no-referrer\"/><meta name=\"color-scheme\" content=\"light dark\"/>\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n<title>{}</title>\n<style>{}</style></head>\n<body>\n<a class=\"skip\" href=\"#main\">Skip to the figures</a>\n",
        policy::allowing(STYLE, SCRIPT),
        title,
        Own(STYLE)
    );
}

fn contents(sections: &[sections::Section], out: &mut Markup) {
    put!(out, "<nav aria-label=\"Sections\"><ul>");
    for section in sections.iter().filter(|section| !section.body.is_empty()) {
        put!(out, "<li><a href=\"#{}\">{}</a></li>", section.id, section.title);
    }
    put!(out, "</ul></nav>\n");
}

/// One sentence for each section that has nothing to show.
fn left_out(sections: &[sections::Section], out: &mut Markup) {
    if sections.iter().all(|section| !section.body.is_empty()) {
        return;
    }
    put!(
        out,
        "<section id=\"left-out\" aria-labelledby=\"left-out-h\"><h2 id=\"left-out-h\">Nothing to show</h2>\n<ul class=\"plain\">"
    );
    for section in sections.iter().filter(|section| section.body.is_empty()) {
        put!(out, "<li>{}: {}.</li>", section.title, section.why_empty);
    }
    put!(out, "</ul></section>\n");
}
