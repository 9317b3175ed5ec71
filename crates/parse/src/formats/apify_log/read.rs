//! From a window to its events: lines, blank lines, limits, and what must wait for the next window.
//!
//! Every decision is made from the lines of an event, the line that ends it and, for copies, the
//! event before it. A window that ends earlier returns to where these begin.

use memchr::memchr;

use super::above::{Above, Snapshot};
use super::colour::is_blank;
use super::copies::may_be_copy;
use super::event::Style;
use super::finish::{Finish, Next};
use super::join::{Below, Shapes, Verdict};
use super::json_line;
use super::levels::{Anchor, anchor, informative};
use super::line::{Line, Stamping, trim_end};
use super::report::{long_event, long_line, unstamped_line};
use super::rows::{Again, Ordinary, Row};
use super::shape::is_caret;
use super::view::{Scratch, View};
use crate::encoding::bom_len;
use crate::format::{Carry, End, LineState, Window};
use crate::limits::MAX_LINE_BYTES;
use crate::record::{Batch, Flags, Span, Wants};
use crate::time::StampReader;

/// Reads a window and says how many of its bytes were consumed.
pub(super) fn read<'a>(window: Window<'a>, carry: &mut Carry, out: &mut Batch<'a>) -> usize {
    let bom = if window.offset == 0 { bom_len(window.bytes) } else { 0 };
    out.account.structure.add(bom, 0);
    let mut reader = Reader {
        bytes: window.bytes,
        end: window.end,
        at: bom,
        line: 0,
        stamps: StampReader::new(),
        scratch: Scratch::default(),
        above: None,
        row: None,
        finish: Finish::new(window, bom),
        out,
    };
    if carry.line == LineState::Overlong {
        carry.line = LineState::Start;
        reader.reject_rest(carry);
    }
    while reader.step(carry) {}
    reader.close(bom)
}

struct Reader<'a, 'b> {
    bytes: &'a [u8],
    end: End,
    at: usize,
    line: u32,
    stamps: StampReader,
    scratch: Scratch,
    /// The event being put together.
    above: Option<Above<'a>>,
    /// Or, instead of it, a row of events of one line each, the last of which may still grow.
    row: Option<Row<'a>>,
    finish: Finish<'a>,
    out: &'b mut Batch<'a>,
}

impl<'a> Reader<'a, '_> {
    /// Reads the next line. Says whether to go on.
    fn step(&mut self, carry: &mut Carry) -> bool {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        if rest.is_empty() {
            return false;
        }
        let newline = memchr(b'\n', rest);
        let len = newline.unwrap_or(rest.len());
        if len > MAX_LINE_BYTES {
            self.overlong(rest, carry);
            return true;
        }
        let next = match (newline, self.end) {
            (Some(newline), _) => self.at + newline + 1,
            (None, End::More) => return false,
            (None, End::Cut | End::Seam | End::Input) => self.bytes.len(),
        };
        let line = rest.get(..len).unwrap_or_default();
        if self.take_usual(line, next).is_none() {
            let line = Line::read(line, &mut self.stamps);
            if self.place(&line, next) == Placed::Waiting {
                return false;
            }
        }
        self.at = next;
        self.line += 1;
        true
    }

    /// Puts a line of the most usual kind into a row: with a stamp of the common length, at level `INFO`, ordinary.
    /// It does the same as [`Reader::place`], on the shortest way.
    #[inline]
    fn take_usual(&mut self, line: &'a [u8], next: usize) -> Option<()> {
        if !self.takes_rows(next) {
            return None;
        }
        let bytes = trim_end(line);
        let (head, text) = bytes.split_at_checked(25)?;
        let (anchor, ts) = (informative(text)?, self.stamps.read_common(head)?);
        if head.last() != Some(&b' ') || self.row.as_ref().is_some_and(|row| row.may_be_copied(bytes)) {
            return None;
        }
        let ordinary = Ordinary::of(ts, &anchor, text.get(anchor.message..)?)?;
        self.finish_above(Next::Line(Stamping::Stamped));
        if self.finish.has_original_before(self.at) && may_be_copy(bytes) {
            return None;
        }
        let base = self.at + 25;
        self.add_to_row(
            ordinary,
            Span { start: base + anchor.logger.start, end: base + anchor.logger.end },
            next,
        );
        Some(())
    }

    /// Whether a line that ends at `next` may be told together with others.
    fn takes_rows(&self, next: usize) -> bool {
        self.out.wants == Wants::Counts && !self.finish.has_colour && next <= self.finish.valid_to
    }

    fn add_to_row(&mut self, ordinary: Ordinary<'a>, logger: Span, next: usize) {
        let span = Span { start: self.at, end: next };
        if !self.row.as_mut().is_some_and(|row| row.add(&ordinary, span)) {
            self.finish_row();
            let logger = self.finish.slice(logger.start, logger.end);
            self.row = Some(Row::begin(ordinary, logger, span, self.line));
        }
    }

    /// Decides where a line belongs and puts it there.
    #[inline]
    fn place(&mut self, line: &Line<'a>, next: usize) -> Placed {
        let text = line.text();
        if text.is_empty() || (self.finish.has_colour && is_blank(text)) {
            self.blank(line, next);
            return Placed::Done;
        }
        if !self.finish.has_colour {
            return self.place_text(line, &View::Plain(text), next);
        }
        let mut scratch = std::mem::take(&mut self.scratch);
        let placed = self.place_text(line, &scratch.view(text), next);
        self.scratch = scratch;
        placed
    }

    #[inline]
    fn place_text(&mut self, line: &Line<'a>, view: &View<'_>, next: usize) -> Placed {
        if line.stamping == Stamping::Unstamped {
            self.reopen();
            if self.above.as_ref().is_some_and(|above| above.stamping == Stamping::Stamped) {
                self.unstamped(line, view, next);
                return Placed::Done;
            }
        }
        let head = Self::head(self.at, line, view);
        match self.judge(line, view, head.0.style, next) {
            Verdict::Open => return Placed::Waiting,
            Verdict::Joins => self.join(line, view, next),
            Verdict::Starts => self.begin(line, view, head, next),
        }
        Placed::Done
    }

    /// Style, level, logger and message of the text of a line that starts at `at`, at their places in the window.
    fn head(at: usize, line: &Line<'a>, view: &View<'_>) -> (Anchor, Span) {
        let base = at + line.text_at;
        let text = view.bytes();
        let mut head = (anchor(text), Span::default());
        if text.first() == Some(&b'{')
            && let Some(found) = json_line::read(line.text())
        {
            head = found;
        } else if line.relay.is_some() && line.ts.is_none() && text.starts_with(b"Status:") {
            head.0.style = Style::RelayedStatus;
        }
        let at = |position: usize| base + view.origin(position);
        let Anchor { logger, message, .. } = head.0;
        if logger.is_empty() {
            head.0.logger = Span { start: base, end: base };
        } else {
            head.0.logger = Span { start: at(logger.start), end: base + view.origin_end(logger.end) };
        }
        head.0.message = at(message);
        head.1 = Span { start: base + head.1.start, end: base + head.1.end };
        head
    }

    #[inline]
    fn judge(&mut self, line: &Line<'a>, view: &View<'_>, style: Style, next: usize) -> Verdict {
        if style != Style::Bare {
            return Verdict::Starts;
        }
        self.judge_bare(line, view, next)
    }

    fn judge_bare(&mut self, line: &Line<'a>, view: &View<'_>, next: usize) -> Verdict {
        if let Some(row) = &self.row {
            if line.relay.is_some() {
                return Verdict::Starts;
            }
            let (mut shapes, message) = row.open();
            let (bytes, end) = (self.bytes, self.end);
            let verdict = shapes.judge(view.bytes(), message, message, || below(bytes, next, end));
            if verdict == Verdict::Starts {
                return verdict;
            }
            self.reopen();
        }
        let Some(above) = &mut self.above else { return Verdict::Starts };
        if above.rejected.lines > 0 {
            return Verdict::Starts;
        }
        if line.relay.is_some() && line.run_id() != above.run_id() {
            return Verdict::Starts;
        }
        let (bytes, end) = (self.bytes, self.end);
        let first = bytes.get(above.anchor.message..above.first_end).unwrap_or_default();
        let last = above.last;
        above.shapes.judge(view.bytes(), first, last, || below(bytes, next, end))
    }

    /// Begins an event with a line.
    #[inline]
    fn begin(&mut self, line: &Line<'a>, view: &View<'_>, head: (Anchor, Span), next: usize) {
        if self.row.as_ref().is_some_and(|row| row.may_be_copied(line.bytes)) {
            self.reopen();
        }
        self.finish_above(Next::Line(line.stamping));
        if let Some(ordinary) = self.ordinary(line, &head.0, next) {
            return self.add_to_row(ordinary, head.0.logger, next);
        }
        self.finish_row();
        self.open(line, view, head, next);
    }

    /// What a line is as an event of its own, if it is an ordinary one.
    #[inline]
    fn ordinary(&self, line: &Line<'a>, anchor: &Anchor, next: usize) -> Option<Ordinary<'a>> {
        let is_copy = || self.finish.has_original_before(self.at) && may_be_copy(line.bytes);
        if !self.takes_rows(next) || line.relay.is_some() || is_copy() {
            return None;
        }
        Ordinary::of(line.ts?, anchor, line.bytes.get(anchor.message - self.at..)?)
    }

    /// Begins an event with a line that others may join.
    fn open(&mut self, line: &Line<'a>, view: &View<'_>, head: (Anchor, Span), next: usize) {
        let before = Snapshot::of(self.out, self.at, self.line);
        let message = match head.0.style {
            Style::Bare | Style::Platform | Style::RelayedStatus => view.bytes(),
            _ => line.bytes.get(head.0.message - self.at..).unwrap_or_default(),
        };
        let shapes = Shapes::begin(head.0.style, head.0.level, message);
        self.above = Some(Above::begin(before, next, line, head, shapes));
    }

    /// Takes the last line of the row out again, if there is one: more may join it. What it may then repeat has to
    /// be known, too.
    fn reopen(&mut self) {
        let Some(row) = self.row.take() else { return };
        let (original, last) = row.close_before_last(self.out);
        if let Some(original) = original {
            self.open_again(original);
            self.finish_above(Next::Line(Stamping::Stamped));
        }
        self.open_again(last);
    }

    fn open_again(&mut self, again: Again) {
        let here = (self.at, self.line);
        let bytes = self.finish.slice(again.at, again.end);
        let line = Line::read(bytes.strip_suffix(b"\n").unwrap_or(bytes), &mut self.stamps);
        let view = View::Plain(line.text());
        (self.at, self.line) = (again.at, again.line);
        self.open(&line, &view, Self::head(again.at, &line, &view), again.end);
        (self.at, self.line) = here;
    }

    fn finish_row(&mut self) {
        if let Some(row) = self.row.take() {
            row.close(self.out);
        }
    }

    /// Adds a line to the event above, or begins another if that is full.
    fn join(&mut self, line: &Line<'a>, view: &View<'_>, next: usize) {
        let Some(above) = &mut self.above else { return };
        if above.is_full(next) {
            above.flags = above.flags.with(Flags::TRUNCATED);
            long_event(self.out, above);
            let head = Self::head(self.at, line, view);
            self.begin(line, view, head, next);
        } else {
            above.join(self.at, next, line);
        }
    }

    /// A line without a stamp below an event that has one.
    fn unstamped(&mut self, line: &Line<'a>, view: &View<'_>, next: usize) {
        if let Some(above) = &mut self.above
            && (above.rejected.lines > 0 || above.is_end())
        {
            if above.rejected.lines == 0 {
                above.rejected_at.start = self.at;
                above.rejected_line = self.line;
            }
            above.rejected_at.end = next;
            above.rejected.add(next - self.at, 1);
            self.close_if_followed_too_far(next);
            return;
        }
        let is_new = self.above.as_ref().is_some_and(|above| above.is_full(next));
        if !is_new {
            unstamped_line(self.out, self.at, next, self.line);
            let verdict = self.judge(line, view, Style::Bare, next);
            if let (Some(above), Verdict::Starts | Verdict::Open) = (&mut self.above, verdict) {
                above.shapes.interrupt();
            }
        }
        self.join(line, view, next);
    }

    fn blank(&mut self, line: &Line<'a>, next: usize) {
        self.reopen();
        if let Some(above) = &self.above
            && line.relay.is_some()
            && line.run_id() != above.run_id()
        {
            self.finish_above(Next::Line(line.stamping));
        }
        match &mut self.above {
            Some(above) => {
                above.blank(next - self.at, line);
                self.close_if_followed_too_far(next);
            }
            None => self.out.account.structure.add(next - self.at, 1),
        }
    }

    /// What follows an event must be held back with it; that has a limit.
    fn close_if_followed_too_far(&mut self, next: usize) {
        if self.above.as_ref().is_some_and(|above| above.is_followed_too_far(next)) {
            self.finish_above(Next::Line(Stamping::Unstamped));
            self.finish.forget();
        }
    }

    /// A line that is too long: an event of its own, and the rest of the line is nobody's. The line
    /// is counted where it ends.
    fn overlong(&mut self, rest: &'a [u8], carry: &mut Carry) {
        let kept = rest.get(..character_boundary(rest, MAX_LINE_BYTES)).unwrap_or_default();
        let line = Line::read(kept, &mut self.stamps);
        let mut scratch = std::mem::take(&mut self.scratch);
        let view = if self.finish.has_colour { scratch.view(line.text()) } else { View::Plain(line.text()) };
        let head = Self::head(self.at, &line, &view);
        self.reopen();
        self.finish_above(Next::Line(line.stamping));
        self.open(&line, &view, head, self.at + kept.len());
        self.scratch = scratch;
        if let Some(above) = &mut self.above {
            above.flags = above.flags.with(Flags::TRUNCATED);
            above.n_lines = 0;
            long_line(self.out, above);
        }
        self.finish_above(Next::Line(Stamping::Unstamped));
        self.finish.forget();
        self.at += kept.len();
        self.reject_rest(carry);
    }

    /// Rejects the rest of a line; if its end is not there yet, the next window does so.
    fn reject_rest(&mut self, carry: &mut Carry) {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let newline = memchr(b'\n', rest);
        let len = newline.map_or(rest.len(), |newline| newline + 1);
        let is_over = newline.is_some() || self.end != End::More;
        self.out.account.rejected.add(len, u32::from(is_over));
        self.at += len;
        self.line += u32::from(newline.is_some());
        if !is_over {
            carry.line = LineState::Overlong;
        }
    }

    fn finish_above(&mut self, next: Next) {
        if let Some(above) = &self.above {
            self.finish.event(above, next, self.out);
            self.above = None;
        }
    }

    /// Reports the last event, or returns to where what is not finished begins.
    fn close(mut self, bom: usize) -> usize {
        if self.end == End::More {
            self.reopen();
            if let Some(above) = self.above.take() {
                let original = self.finish.original_of(&above);
                if let Some(original) = original {
                    self.out.account = original.account;
                }
                let before = original.map_or(above.before, |original| original.before);
                before.restore(self.out);
                self.at = before.at;
            }
            if self.at == bom {
                self.out.account.structure.bytes -= bom as u64;
                return 0;
            }
            return self.at;
        }
        let next = if self.end == End::Input { Next::End } else { Next::Cut };
        self.finish_above(next);
        self.finish_row();
        self.at
    }
}

/// Whether a line was put somewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Placed {
    Done,
    /// More must be read first.
    Waiting,
}

/// What the line at `start` looks like.
fn below(bytes: &[u8], start: usize, end: End) -> Below {
    let rest = bytes.get(start..).unwrap_or_default();
    let line = match (memchr(b'\n', rest), end) {
        (Some(newline), _) => rest.get(..newline).unwrap_or_default(),
        (None, End::More) if rest.len() <= MAX_LINE_BYTES => return Below::Unread,
        (None, _) => rest,
    };
    let line = Line::read(line, &mut StampReader::new());
    if is_caret(line.text()) { Below::Caret } else { Below::Other }
}

/// The last place at or before `at` where a character of UTF-8 starts.
fn character_boundary(bytes: &[u8], at: usize) -> usize {
    let is_inside = |at: usize| bytes.get(at).is_some_and(|byte| byte & 0xc0 == 0x80);
    (at.saturating_sub(3)..=at).rev().find(|at| !is_inside(*at)).unwrap_or(at)
}

#[cfg(test)]
#[path = "read_tests.rs"]
mod tests;
