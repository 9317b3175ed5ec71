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

    fn takes_traceback(&self, text: &str) -> bool {
        if is_traceback(text) || is_file_line(text) {
            return true;
        }
        let said = self.said();
        let Some(opened) = said.iter().rposition(|line| is_traceback(line)) else { return false };
        let closed = said.iter().skip(opened + 1).any(|line| is_error_line(line));
        let inside = said.last().is_some_and(|line| line.starts_with([' ', '\t']) || is_traceback(line));
        is_chain(text) || (!closed && inside && is_error_line(text))
    }

    /// `place source caret [blank] error frames [}] [blank] [Node.js v…]`. A source line at column 0 is one
    /// only where a caret stands below it. Where the log begins inside of a report, a lone caret tells.
    fn takes_node_crash(&self, text: &str, below: &str) -> bool {
        let said = self.said();
        let reports = is_source_path(self.first());
        let is_tail = self.first().starts_with([' ', '\t']);
        let is_caret = |line: &&str| {
            if is_tail { line.starts_with([' ', '\t']) && line.trim() == "^" } else { is_carets(line) }
        };
        if !reports && !is_tail {
            return false;
        }
        // The place and the source line stand above the caret.
        let from = if reports { 2 } else { 0 };
        let Some(caret) = said.iter().skip(from).position(is_caret).map(|at| at + from) else {
            return reports && if said.len() == 1 { is_carets(below) } else { is_carets(text) };
        };
        let behind = said.iter().skip(caret + 1).filter(|line| !line.starts_with([' ', '\t']));
        let flush: Vec<&&str> = behind.skip_while(|line| is_tail && !is_error_line(line)).collect();
        if flush.is_empty() {
            return reports || is_error_line(text);
        }
        let ended = flush.iter().any(|line| line.starts_with("Node.js v"));
        !ended && (text == "}" || text.starts_with("Node.js v") || text.starts_with("(Use `node --trace-"))
    }

    fn takes_playwright(&self, text: &str) -> bool {
        // A head opens a block, a plain line of equals signs closes it.
        let (mut in_logs, mut in_calls, mut was_closed) = (false, false, false);
        for line in self.said() {
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
        self.head.message.starts_with("Enabled ")
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
    text.starts_with(['┌', '│', '├', '└'])
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

fn is_key_value(text: &str) -> bool {
    text.split_once(':')
        .is_some_and(|(key, _)| !key.is_empty() && key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_'))
}
