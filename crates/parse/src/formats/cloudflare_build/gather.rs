//! Pages become builds: overlaps go, builds are told apart, and each is reported once it is complete.

use std::borrow::Cow;

use memchr::memmem;

use super::build::{self, Beginning, Build, Rest};
use super::element;
use super::marks;
use super::model::{self, Joint, Line, Origin, Writing};
use super::pages::{self, Page, Seen};
use super::split::Splitter;
use crate::issue::{Code, Issue};
use crate::record::{Batch, Delivery, Span};
use crate::text::Codec;

/// How messages are written in JSON.
const WRITING: Writing = Writing {
    single: Codec::JsonString,
    several: Codec::JsonString,
    joined: Codec::Joined(element::join),
    origin: Origin::Element,
};

/// The lines of the build being read, and of the pages they came from.
///
/// Lines are let go with their build, so a file of many builds needs no more memory for them than one.
#[derive(Debug)]
pub(super) struct Gather<'a, 'p> {
    bytes: &'a [u8],
    delivery: Delivery<'p>,
    lines: Vec<Line<'a>>,
    pages: Vec<Page>,
    /// Lines of the page being read that may start or end a build.
    candidates: Vec<usize>,
    seen: Seen,
    splitter: Splitter<'a>,
    clocks: Option<Clocks>,
}

/// Whether a page may state the platform's clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Clocks {
    Some,
    None,
}

impl<'a, 'p> Gather<'a, 'p> {
    pub(super) fn new(bytes: &'a [u8], delivery: Delivery<'p>) -> Self {
        Self {
            bytes,
            delivery,
            lines: Vec::new(),
            pages: Vec::new(),
            candidates: Vec::new(),
            seen: Seen::default(),
            splitter: Splitter::default(),
            clocks: None,
        }
    }

    /// How many lines are waiting for the end of their build.
    pub(super) fn len(&self) -> usize {
        self.lines.len()
    }

    /// Takes in a line of the page being read.
    #[inline]
    pub(super) fn push(&mut self, line: Line<'a>) {
        // Escapes may hide what a line starts with.
        if let Some(b'I' | b'C' | b'S' | b'F' | b'B' | b'A' | 0xE2 | b'\\') = line.message.first() {
            self.candidates.push(self.lines.len());
        }
        self.lines.push(line);
    }

    /// Whether nothing has been read, or all of it has been reported.
    pub(super) fn is_empty(&self) -> bool {
        self.lines.is_empty() && self.pages.is_empty()
    }

    /// Reports the build above the line taken in last, if that starts another one: waiting for the end of its
    /// page would take memory for all builds of it. To be called behind every line, and only in a page that no
    /// lines of another one stand before.
    #[inline]
    pub(super) fn report_ended(&mut self, out: &mut Batch<'a>) {
        if !self.candidates.is_empty() && self.clocks() == Clocks::None {
            self.report_above(out);
        }
    }

    fn report_above(&mut self, out: &mut Batch<'a>) {
        if let Some(&start) = self.starts(0, 0).first() {
            self.report(0, start, out);
            self.let_go(start);
        }
    }

    /// The clock of a page belongs to its first build and may stand behind its lines.
    fn clocks(&mut self) -> Clocks {
        let bytes = self.bytes;
        *self.clocks.get_or_insert_with(|| match memmem::find(bytes, b"\"events\"") {
            Some(_) => Clocks::Some,
            None => Clocks::None,
        })
    }

    /// Takes in what was said around the lines since `page.first_line`, leaves out those that
    /// earlier pages hold, and reports the builds that ended.
    pub(super) fn end_page(&mut self, mut page: Page, out: &mut Batch<'a>) {
        let dropped = self.drop_repeated(page.first_line, out);
        if let Some(line) = self.lines.get_mut(page.first_line) {
            line.joint = Joint::Closed;
        }
        page.end_line = self.lines.len();
        self.pages.push(page);
        let mut starts = self.starts(page.first_line, dropped);
        let mut gone = 0;
        starts.push(self.lines.len());
        let last = starts.len() - 1;
        for &start in starts.iter().take(last) {
            self.report(gone, start, out);
            gone = start;
        }
        self.let_go(gone);
    }

    /// Reports the build that nothing follows.
    pub(super) fn finish(mut self, out: &mut Batch<'a>) {
        let covered = self.pages.last().map_or(0, |last| last.end_line);
        if covered < self.lines.len() {
            self.end_page(Page::at(covered), out);
        }
        let end = self.lines.len();
        self.report(0, end, out);
    }

    fn drop_repeated(&mut self, first: usize, out: &mut Batch<'a>) -> usize {
        let repeated = self.seen.repeated(&self.lines, first);
        let mut span: Option<(Span, u32)> = None;
        for line in self.lines.drain(first..first + repeated) {
            out.account.duplicate.add(line.span.len(), line.n_lines);
            let (begin, number) =
                span.map_or((line.span.start, line.number), |(span, number)| (span.start, number));
            span = Some((Span { start: begin, end: line.span.end }, number));
        }
        if let Some((Span { start, end }, line)) = span {
            let message = Cow::Owned(format!("expected new lines, found {repeated} of the pages before"));
            out.issues.push(Issue { code: Code::OverlappingPage, start, end, line, message });
        }
        repeated
    }

    /// The lines of the last page at which a build starts.
    fn starts(&mut self, first: usize, dropped: usize) -> Vec<usize> {
        let mut starts = Vec::new();
        let mut scratch = Vec::new();
        let mut begin = 0;
        for candidate in self.candidates.drain(..) {
            let Some(index) = candidate.checked_sub(dropped).filter(|&index| index >= first) else {
                continue;
            };
            let Some(line) = self.lines.get(index) else { continue };
            let mark = marks::mark(model::head(line, Codec::JsonString, &mut scratch));
            let identity = line.clock.map(|clock| (clock, line.message));
            let above =
                if index == begin + 1 { self.lines.get(begin).map(|line| line.message) } else { None };
            if self.splitter.starts(mark, identity, line.message, above) {
                starts.push(index);
                begin = index;
            }
        }
        starts
    }

    fn report(&mut self, start: usize, end: usize, out: &mut Batch<'a>) {
        let Some(lines) = self.lines.get(start..end) else { return };
        // A page without lines in front of the next build still says how this one goes on.
        let upto = self.pages.partition_point(|page| page.first_line < end || page.end_line <= end);
        let from = self.pages.partition_point(|page| start > 0 && page.end_line <= start);
        let mine = self.pages.get_mut(from..upto).unwrap_or_default();
        let init = pages::take_event(mine, lines, out);
        // A page that goes on behind the build says nothing about its end.
        let is_cut = mine.last().is_some_and(|page| page.truncated && page.end_line <= end);
        let rest = if is_cut { pages::missing(lines, out) } else { Rest::Given };
        let build =
            Build { bytes: self.bytes, lines, writing: WRITING, beginning: Beginning::Here, init, rest };
        build::report(&build, out);
        self.delivery.offer(out);
    }

    fn let_go(&mut self, lines: usize) {
        if lines == 0 {
            return;
        }
        self.lines.drain(..lines);
        self.seen.let_go(lines);
        self.pages.retain(|page| page.end_line > lines);
        for page in &mut self.pages {
            page.first_line = page.first_line.saturating_sub(lines);
            page.end_line -= lines;
        }
    }
}
