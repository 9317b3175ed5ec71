//! Whether a line goes on with the event above it: the list of continuation shapes.

use super::head::{Head, head};
use super::line::Line;

/// What has to be remembered of the event above.
#[derive(Debug, Clone)]
pub struct Above {
    /// Run id of its stream.
    pub run_id: String,
    /// Whether its first line is stamped.
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

    fn first(&self) -> &str {
        self.texts.first().map_or("", |text| text.trim_end())
    }

    /// Whether it is a line of the platform.
    pub fn is_platform(&self) -> bool {
        is_platform(self.first())
    }

    /// Whether it ends a log, so that un-stamped text behind it is not its continuation.
    pub fn is_end(&self) -> bool {
        let text = self.first();
        text == "ACTOR: Build finished."
            || text.starts_with("ACTOR: ERROR")
            || (text.contains("ctor run has reached the timeout of"))
            || (self.head.level == "info"
                && self.head.message.to_ascii_lowercase().starts_with("exiting actor"))
    }

    /// Whether a non-blank line goes on with this event.
    pub fn takes(&self, line: &Line) -> bool {
        let relayed = !line.run_id.is_empty();
        if relayed && (line.status || line.run_id != self.run_id) {
            return false;
        }
        let text = line.text.as_str();
        if is_platform(text) || head(text).level != "none" || head(text).json {
            return false;
        }
        if self.is_platform() {
            return self.stamped && !line.stamped && !relayed;
        }
        if self.stamped && !line.stamped && !relayed {
            return true;
        }
        text.starts_with([' ', '\t'])
            || is_frame(text)
            || self.takes_traceback(text)
            || self.takes_node_crash(text)
            || self.takes_playwright(text)
            || self.takes_table(text)
            || self.takes_scrapy(text)
            || self.takes_cause(text)
            || (text.starts_with("- ") && self.first().contains("Failed to launch browser"))
    }

    fn takes_traceback(&self, text: &str) -> bool {
        if text.starts_with("Traceback (most recent call last):") || is_file_line(text) || is_carets(text) {
            return true;
        }
        let opened =
            self.texts.iter().rposition(|line| line.starts_with("Traceback (most recent call last):"));
        let closed = opened.is_some_and(|at| self.texts.iter().skip(at + 1).any(|line| is_error_line(line)));
        opened.is_some() && !closed && is_error_line(text)
    }

    fn takes_node_crash(&self, text: &str) -> bool {
        if !is_source_path(self.first()) {
            return false;
        }
        let said: Vec<&String> = self.texts.iter().filter(|line| !line.trim().is_empty()).collect();
        let caret = said.iter().position(|line| is_carets(line.trim_start()));
        match caret {
            None => said.len() == 1 || is_carets(text),
            Some(at) => {
                (said.len() == at + 1 && is_error_line(text))
                    || (said.len() > at + 1 && (text.trim_end() == "}" || text.starts_with("Node.js v")))
            }
        }
    }

    fn takes_playwright(&self, text: &str) -> bool {
        if is_logs_rule(text) || text.trim_end() == "Call log:" {
            return true;
        }
        let opened = self.texts.iter().rposition(|line| is_logs_rule(line.trim_start()));
        let in_logs =
            opened.is_some_and(|at| !self.texts.iter().skip(at + 1).any(|line| is_rule(line.trim())));
        let in_calls = self.texts.iter().any(|line| line.trim() == "Call log:");
        in_logs || (in_calls && text.starts_with("- "))
    }

    fn takes_table(&self, text: &str) -> bool {
        self.head.message.trim_end().ends_with("request statistics:")
            && text.starts_with(['┌', '│', '├', '└'])
    }

    fn takes_scrapy(&self, text: &str) -> bool {
        self.head.message.starts_with("Enabled ")
            && (text.starts_with("[] (") || text.starts_with("['scrapy") || text.starts_with("[]"))
    }

    fn takes_cause(&self, text: &str) -> bool {
        let retry = self.head.message.starts_with("API request failed");
        let caused = self.texts.iter().any(|line| line.starts_with("Cause:"));
        retry && (text.starts_with("Cause:") || (caused && is_key_value(text)))
    }
}

/// A line of the platform, or of the local runtime that stands in for it.
pub fn is_platform(text: &str) -> bool {
    text.starts_with("ACTOR: ") || text.trim_end() == "ACTOR:" || text.starts_with("[actor-runtime] ")
}

fn is_frame(text: &str) -> bool {
    let place = text.trim_end().trim_end_matches(|c: char| c == ')' || c == ':' || c.is_ascii_digit());
    text.starts_with("at ") && (place.len() + 3 < text.trim_end().len() || text.contains("(<anonymous>)"))
}

fn is_file_line(text: &str) -> bool {
    text.starts_with("File \"") && text.contains("\", line ")
}

fn is_carets(text: &str) -> bool {
    !text.trim().is_empty() && text.trim().chars().all(|c| "^~".contains(c))
}

/// `XError: message`, `some.module.XError`, `Error [CODE]: message`.
fn is_error_line(text: &str) -> bool {
    let name: String = text.chars().take_while(|c| c.is_ascii_alphanumeric() || "._$".contains(*c)).collect();
    let rest = text.get(name.len()..).unwrap_or_default().trim_end();
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && (rest.is_empty() || rest.starts_with(':') || rest.starts_with(" [") || rest == " {")
}

/// `file:///…:12`, `node:…:12`, `/…:12`.
fn is_source_path(text: &str) -> bool {
    let rooted = text.starts_with("file://") || text.starts_with("node:") || text.starts_with('/');
    let digits = text.bytes().rev().take_while(u8::is_ascii_digit).count();
    rooted && digits > 0 && text.as_bytes().get(text.len() - digits - 1) == Some(&b':')
}

fn is_logs_rule(text: &str) -> bool {
    let text = text.trim_end();
    text.starts_with("====") && text.ends_with("====") && text.contains(" logs ")
}

fn is_rule(text: &str) -> bool {
    text.len() >= 4 && text.chars().all(|c| c == '=')
}

fn is_key_value(text: &str) -> bool {
    text.split_once(':')
        .is_some_and(|(key, _)| !key.is_empty() && key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_'))
}
