//! Whether a line goes on with the event above it: the list of continuation shapes.

use super::head::{Head, head};
use super::line::Line;

/// What has to be remembered of the event above.
#[derive(Debug, Clone)]
pub struct Above {
    /// Run id of its stream.
    pub run_id: String,
    /// Whether any of its lines is stamped.
    pub stamped: bool,
    /// Its head.
    pub head: Head,
    /// Texts of its lines so far, blank ones included.
    pub texts: Vec<String>,
}

impl Above {
    /// An event that starts at `line`.
    pub fn new(line: &Line) -> Self {
        Self {
            run_id: line.run_id.clone(),
            stamped: line.stamped,
            head: head(&line.text),
            texts: vec![line.text.clone()],
        }
    }

    /// Adds a line.
    pub fn add(&mut self, line: &Line) {
        self.stamped |= line.stamped;
        self.texts.push(line.text.clone());
    }

    fn first(&self) -> &str {
        self.texts.first().map_or("", |text| text.trim_end())
    }

    /// The lines that are not blank, without blanks at their ends.
    fn said(&self) -> Vec<&str> {
        self.texts.iter().map(|text| text.trim_end()).filter(|text| !text.is_empty()).collect()
    }

    /// Whether it is a line of the platform.
    pub fn is_platform(&self) -> bool {
        is_platform(self.first())
    }

    /// Whether it ends a log, so that un-stamped text behind it is not its continuation.
    pub fn is_end(&self) -> bool {
        let text = self.first();
        let ends = text.starts_with("ACTOR: Build finished") || text.starts_with("ACTOR: ERROR");
        ends && self.stamped && self.texts.len() == 1
    }

    /// Whether a non-blank line goes on with this event; blank lines between do not matter.
    /// `below` is the text of the line below it.
    pub fn takes(&self, line: &Line, below: &str) -> bool {
        if self.stamped && !line.stamped {
            return true;
        }
        let relayed = !line.run_id.is_empty();
        if relayed && (line.status || line.run_id != self.run_id) {
            return false;
        }
        let text = line.text.trim_end();
        if is_platform(text) || head(text).is_anchored() || self.is_platform() {
            return false;
        }
        text.starts_with([' ', '\t'])
            || self.takes_node_crash(text, below)
            || self.takes_playwright(text)
            || is_frame(text)
            || self.takes_traceback(text)
            || self.takes_table(text)
            || self.takes_scrapy(text)
            || self.takes_cause(text)
            || self.takes_hint(text)
    }

    /// Whether a traceback at column 0 is one of this event: what Python itself prints is an event of its own.
    fn owns_tracebacks(&self) -> bool {
        let first = self.first();
        let plain = !self.head.is_anchored();
        ["warn", "error", "critical", "soft_fail"].contains(&self.head.level)
            || self.head.stdlib
            || self.said().iter().any(|line| is_traceback(line))
            || (plain && first.starts_with([' ', '\t']))
            || (plain
                && ["Exception in thread ", "Exception ignored in"].iter().any(|s| first.starts_with(s)))
    }

    fn takes_traceback(&self, text: &str) -> bool {
        if is_file_line(text) || (is_traceback(text) && self.owns_tracebacks()) {
            return true;
        }
        if is_traceback(text) {
            return false;
        }
        let said = self.said();
        // What Node reports an error to be is no head, whatever it looks like.
        let error = self.reported_error();
        let opens = |at: &usize| Some(*at) != error && said.get(*at).is_some_and(|line| is_traceback(line));
        let Some(opened) = (0..said.len()).rev().find(opens) else { return false };
        let is_inside = |line: &str| line.starts_with([' ', '\t']) || is_traceback(line);
        let closed = said.windows(2).skip(opened).any(|pair| is_inside(pair[0]) && is_error_line(pair[1]));
        let inside = said.last().is_some_and(|line| is_inside(line));
        is_chain(text) || (!closed && inside && is_error_line(text))
    }

    /// `place source caret [blank] error frames [}] [blank] [Node.js v…]`. A source line at column 0 is one
    /// only where a caret stands below it. Where the log begins inside of a report, a lone caret tells.
    fn takes_node_crash(&self, text: &str, below: &str) -> bool {
        let said = self.said();
        let reports = is_source_path(self.first());
        let Some(caret) = self.caret() else {
            let awaits_caret =
                said.len() == 2 || said.get(1).is_some_and(|line| line.starts_with([' ', '\t']));
            return reports
                && if said.len() == 1 { is_carets(below) } else { awaits_caret && is_carets(text) };
        };
        match self.reported_error() {
            None => reports || is_error_line(text),
            Some(error) => {
                let ended = said.iter().skip(caret.max(error)).any(|line| line.starts_with("Node.js v"));
                !ended
                    && (text == "}"
                        || text.starts_with("Node.js v")
                        || text.starts_with("(Use `node --trace-"))
            }
        }
    }

    /// Where the caret of a report stands: below place and source line, or alone where those are missing.
    fn caret(&self) -> Option<usize> {
        let said = self.said();
        let is_indented = |line: &str| line.starts_with([' ', '\t']);
        if is_source_path(self.first()) {
            let caret = said.iter().skip(2).position(|line| is_carets(line)).map(|at| at + 2)?;
            (caret == 2 || said.get(1).is_some_and(|line| is_indented(line))).then_some(caret)
        } else if is_indented(self.first()) {
            said.iter().position(|line| is_indented(line) && line.trim() == "^")
        } else {
            None
        }
    }

    /// Where the line stands that says which error a report is about.
    fn reported_error(&self) -> Option<usize> {
        let caret = self.caret()?;
        let reports = is_source_path(self.first());
        let is_error = |line: &str| !line.starts_with([' ', '\t']) && (reports || is_error_line(line));
        self.said().iter().skip(caret + 1).position(|line| is_error(line)).map(|at| at + caret + 1)
    }

    fn takes_playwright(&self, text: &str) -> bool {
        // A head opens a block, a plain line of equals signs closes it.
        let (mut in_logs, mut in_calls, mut was_closed) = (false, false, false);
        let error = self.reported_error();
        for (at, line) in self.said().into_iter().enumerate() {
            if Some(at) == error {
                continue;
            }
            match (in_logs, line.starts_with("====")) {
                (true, true) if !is_logs_rule(line) => (in_logs, was_closed) = (false, true),
                (false, true) if is_logs_rule(line) => (in_logs, in_calls, was_closed) = (true, false, false),
                (false, false) if line == "Call log:" => (in_calls, was_closed) = (true, false),
                _ => {}
            }
        }
        let is_note = was_closed && text.starts_with("Note: use DEBUG=pw:api");
        in_logs
            || is_note
            || is_logs_rule(text)
            || text == "Call log:"
            || (in_calls && text.starts_with("- "))
    }

    /// Rows of a table, from its header to its last row.
    fn takes_table(&self, text: &str) -> bool {
        let rows = self.said().iter().skip(1).all(|line| is_row(line) && !line.starts_with('└'));
        self.head.is_anchored()
            && self.head.message.trim_end().ends_with("statistics:")
            && rows
            && is_row(text)
    }

    /// The list below Scrapy's `Enabled …` line.
    fn takes_scrapy(&self, text: &str) -> bool {
        self.head.message.trim_end().starts_with("Enabled ")
            && self.said().len() == 1
            && (text.starts_with("[]") || text.starts_with("['"))
    }

    fn takes_cause(&self, text: &str) -> bool {
        let retry = self.first().contains("API request failed");
        let caused = self.texts.iter().any(|line| line.starts_with("Cause:"));
        retry && (text.starts_with("Cause:") || (caused && is_key_value(text)))
    }

    /// The hints below `Failed to launch browser. Please check the following:`.
    fn takes_hint(&self, text: &str) -> bool {
        let last = self.said().last().copied().unwrap_or_default();
        let asks = |line: &&str| line.ends_with("lease check the following:");
        text.starts_with("- ") && (asks(&last) || self.said().iter().any(asks))
    }
}

/// A line of the platform, or of the local runtime that stands in for it.
pub fn is_platform(text: &str) -> bool {
    text.starts_with("ACTOR:") || text.starts_with("[actor-runtime] ")
}

/// A frame that lost its indentation: it names a place.
fn is_frame(text: &str) -> bool {
    let numbered =
        text.match_indices(':').any(|(at, _)| text[at + 1..].starts_with(|c: char| c.is_ascii_digit()));
    text.starts_with("at ") && (numbered || text.contains('('))
}

fn is_traceback(text: &str) -> bool {
    text.starts_with("Traceback (most recent call last)")
}

/// What Python prints between the tracebacks of chained exceptions.
fn is_chain(text: &str) -> bool {
    text.starts_with("During handling of the above exception, another")
        || text.starts_with("The above exception was the direct cause of")
}

fn is_row(text: &str) -> bool {
    text.starts_with(|c| ('\u{2500}'..='\u{257f}').contains(&c))
}

fn is_file_line(text: &str) -> bool {
    text.starts_with("File \"") && text.contains("\", line ")
}

fn is_carets(text: &str) -> bool {
    !text.trim().is_empty() && text.trim().chars().all(|c| c == '^')
}

/// `XError: message`, `some.module.XError`.
fn is_error_line(text: &str) -> bool {
    let name: String = text.chars().take_while(|c| c.is_ascii_alphanumeric() || "._".contains(*c)).collect();
    let rest = text.get(name.len()..).unwrap_or_default();
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && (rest.is_empty() || rest.starts_with(':'))
}

/// `file:///…:12`, `node:…:12`, `/…:12`.
fn is_source_path(text: &str) -> bool {
    let roots = ["file://", "node:", "internal/", "/", "undefined:"];
    let rooted = roots.iter().any(|root| text.starts_with(root));
    let digits = text.bytes().rev().take_while(u8::is_ascii_digit).count();
    let numbered = digits > 0 && text[..text.len() - digits].ends_with(':');
    rooted && numbered && !text.contains(' ')
}

fn is_logs_rule(text: &str) -> bool {
    let text = text.trim_end();
    text.starts_with("====") && text.ends_with("====") && text.contains(" logs ")
}

/// `key: value`, or `key:` alone.
fn is_key_value(text: &str) -> bool {
    let Some((key, value)) = text.split_once(':') else { return false };
    let is_word = !key.is_empty() && key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    is_word && (value.is_empty() || value.starts_with(' '))
}
