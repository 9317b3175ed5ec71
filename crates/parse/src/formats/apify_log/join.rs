//! Whether a text belongs to the event above it, told by its shape.
//!
//! Owns the state of the event above: which traceback, crash report, table or list is open in it.
//! Stamps, relays, blank lines and limits are left to [`super::read`]; a text that comes here is not
//! blank and has no level.

use memchr::memmem;

use super::event::{Body, Style};
use super::shape::{
    is_box, is_box_end, is_caret, is_chain, is_frame, is_key_value, is_node_place, is_node_trailer,
    is_playwright_head, is_playwright_note, is_python_error, is_python_file, is_rule, is_traceback,
    is_traceback_title,
};
use crate::vocabulary::Level;

/// What becomes of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It belongs to the event above.
    Joins,
    /// It starts an event.
    Starts,
    /// The line below it decides, and is not there yet.
    Open,
}

/// What the line below looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Below {
    /// Nothing but carets.
    Caret,
    /// Anything else, or there is none.
    Other,
    /// It is not there yet.
    Unread,
}

/// What is open in an event.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shapes {
    style: Style,
    /// Whether a traceback at column 0 below it is its own.
    tracebacks: Tracebacks,
    /// What the further lines are.
    pub body: Body,
    node: Node,
    traceback: Traceback,
    list: List,
    /// Whether the event begins with an indented line: the rest of one that is not there.
    is_fragment: bool,
    /// Whether the event has one line so far.
    is_alone: bool,
    /// Whether one of its lines asks to check what follows.
    asks: bool,
}

/// ```text
/// report := place source caret { blank } error { frame } [ "}" ] { blank } [ "Node.js v…" ]
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Node {
    Absent,
    Place,
    Source,
    Caret,
    Error,
}

/// Whose a traceback is that begins at column 0 below an event. A logger's warning or error takes one, and
/// so does whatever Python's plain formatter wrote, which does not indent the exception it was given; a
/// traceback takes the one it is chained to. Below all else the interpreter itself speaks, and the line
/// above it, written by then, has no part in that.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tracebacks {
    Own,
    Foreign,
}

/// A traceback at column 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Traceback {
    Absent,
    /// The last line is its head or indented: the line that says what happened may follow.
    Inside,
    Outside,
    Closed,
}

/// What takes lines at column 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum List {
    Absent,
    /// A statistics header or a row of its table.
    Table,
    /// Playwright's block between `=== logs ===` and `====`.
    Logs,
    /// Behind such a block.
    LogsClosed,
    /// Below `Call log:`.
    Calls,
    /// Below `Cause:` of the API client.
    Cause,
}

impl Shapes {
    /// An event of this style and level that begins with `text`.
    pub(super) fn begin(style: Style, level: Level, text: &[u8]) -> Self {
        let mut shapes = Self {
            style,
            tracebacks: match (style, level) {
                (Style::Stdlib, _) => Tracebacks::Own,
                _ if level.is_error() || level == Level::Warn => Tracebacks::Own,
                _ => Tracebacks::Foreign,
            },
            body: Body::Text,
            node: Node::Absent,
            traceback: Traceback::Absent,
            list: List::Absent,
            is_fragment: false,
            is_alone: true,
            asks: false,
        };
        if style == Style::Bare {
            shapes.begin_bare(text);
        } else if text.last() == Some(&b':') && text.ends_with(b"statistics:") {
            shapes.list = List::Table;
        }
        shapes
    }

    /// Whether nothing is open in an event that has just begun: what comes below is told apart by its own shape.
    pub(super) fn is_closed(&self) -> bool {
        self.body == Body::Text && self.node == Node::Absent && self.list == List::Absent && !self.is_fragment
    }

    fn begin_bare(&mut self, text: &[u8]) {
        match text.first() {
            Some(b' ' | b'\t') => {
                self.is_fragment = true;
                self.tracebacks = Tracebacks::Own;
                self.indented(text.trim_ascii_start());
            }
            Some(b'T') if is_traceback(text) => self.open_traceback(),
            Some(b'E') if is_traceback_title(text) => self.tracebacks = Tracebacks::Own,
            Some(b'=') if is_playwright_head(text) => self.list = List::Logs,
            Some(b'C') if text == b"Call log:" => self.list = List::Calls,
            _ if is_node_place(text) => self.node = Node::Place,
            _ => {}
        }
    }

    fn open_traceback(&mut self) {
        self.traceback = Traceback::Inside;
        self.body = Body::Traceback;
    }

    /// Whether `text` joins, and if so what it opens or closes. `first` is the first line of the message
    /// and `last` the line above, both as they stand in the input.
    pub(super) fn judge(
        &mut self,
        text: &[u8],
        first: &[u8],
        last: &[u8],
        below: impl FnOnce() -> Below,
    ) -> Verdict {
        if self.style == Style::Platform {
            return Verdict::Starts;
        }
        let was_alone = std::mem::take(&mut self.is_alone);
        self.asks |= last.last() == Some(&b':') && last.ends_with(b"lease check the following:");
        if let Some(b' ' | b'\t') = text.first() {
            self.indented(text.trim_ascii_start());
            return Verdict::Joins;
        }
        let traceback = self.traceback;
        if traceback == Traceback::Inside {
            self.traceback = Traceback::Outside;
        }
        match self.node(text, below) {
            Verdict::Starts if traceback == Traceback::Inside && self.closes_traceback(text) => {
                Verdict::Joins
            }
            Verdict::Starts if was_alone && is_scrapy_list(self.style, text, first) => Verdict::Joins,
            Verdict::Starts if self.flush(text, first) => Verdict::Joins,
            verdict => verdict,
        }
    }

    /// A line was put below that does not fit: a table takes no more rows.
    pub(super) fn interrupt(&mut self) {
        if self.list == List::Table {
            self.list = List::Absent;
        }
    }

    /// An indented line, its blanks taken off.
    fn indented(&mut self, text: &[u8]) {
        match (self.node, text.first()) {
            (Node::Place, _) => self.node = Node::Source,
            (Node::Source, Some(b'^')) if is_caret(text) => self.carets(),
            (Node::Absent, Some(b'^')) if self.is_fragment && text == b"^" => self.carets(),
            (_, Some(b'T')) if self.body == Body::Text && is_traceback(text) => self.body = Body::Traceback,
            _ => {}
        }
        if self.traceback == Traceback::Outside {
            self.traceback = Traceback::Inside;
        }
        if self.list == List::Table {
            self.list = List::Absent;
        }
    }

    fn carets(&mut self) {
        self.node = Node::Caret;
        self.body = Body::NodeCrash;
    }

    /// A line at column 0 as part of Node's report.
    fn node(&mut self, text: &[u8], below: impl FnOnce() -> Below) -> Verdict {
        match self.node {
            Node::Place => match below() {
                Below::Caret => self.node = Node::Source,
                Below::Other => {
                    // The source line stands directly below the place or nowhere.
                    self.node = Node::Absent;
                    return Verdict::Starts;
                }
                Below::Unread => return Verdict::Open,
            },
            Node::Source if is_caret(text) => self.carets(),
            Node::Caret if !self.is_fragment || is_python_error(text) => self.node = Node::Error,
            Node::Error if is_node_trailer(text) => {
                if text.starts_with(b"Node.js") {
                    self.node = Node::Absent;
                }
            }
            Node::Absent | Node::Source | Node::Caret | Node::Error => return Verdict::Starts,
        }
        Verdict::Joins
    }

    /// The line that says which exception a traceback at column 0 is about.
    fn closes_traceback(&mut self, text: &[u8]) -> bool {
        let closes = self.list != List::Logs && is_python_error(text);
        if closes {
            self.traceback = Traceback::Closed;
            self.interrupt();
        }
        closes
    }

    /// Whether a line at column 0 joins.
    fn flush(&mut self, text: &[u8], first: &[u8]) -> bool {
        if self.list == List::Logs {
            if is_rule(text) && !is_playwright_head(text) {
                self.list = List::LogsClosed;
            }
            return true;
        }
        let open = if self.list == List::Table { List::Absent } else { self.list };
        let list = match text.first() {
            Some(b'a') if is_frame(text) => open,
            Some(b'F') if is_python_file(text) => open,
            Some(b'T') if is_traceback(text) => {
                let is_own = self.tracebacks == Tracebacks::Own || self.traceback != Traceback::Absent;
                self.open_traceback();
                if !is_own {
                    return false;
                }
                open
            }
            Some(b'T' | b'D') if self.traceback != Traceback::Absent && is_chain(text) => open,
            Some(b'=') if is_playwright_head(text) => List::Logs,
            Some(b'N') if self.list == List::LogsClosed && is_playwright_note(text) => open,
            Some(b'C') if text == b"Call log:" => List::Calls,
            Some(b'C')
                if text.starts_with(b"Cause:") && memmem::find(first, b"API request failed").is_some() =>
            {
                List::Cause
            }
            Some(b'-') if text.starts_with(b"- ") && (self.asks || self.list == List::Calls) => open,
            Some(0xe2) if self.list == List::Table && is_box(text) => {
                self.body = Body::Table;
                if is_box_end(text) { List::Absent } else { List::Table }
            }
            Some(_) if self.list == List::Cause && is_key_value(text) => List::Cause,
            _ => return false,
        };
        self.list = list;
        true
    }
}

/// `[]` and `['scrapy…` below `Enabled …:` of Scrapy.
fn is_scrapy_list(style: Style, text: &[u8], first: &[u8]) -> bool {
    matches!(style, Style::Python | Style::Stdlib)
        && matches!(text, [b'[', b']' | b'\'', ..])
        && first.starts_with(b"Enabled ")
}

#[cfg(test)]
#[path = "join_tests.rs"]
mod tests;
