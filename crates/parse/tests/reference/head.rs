//! Level, logger and message of a text: the styles of all generations of loggers.

use serde_json::Value;

use super::line::logger_stamp;

/// What the anchored position of a text says.
#[derive(Debug, Clone, Default)]
pub struct Head {
    /// Level, as the tables spell it.
    pub level: &'static str,
    /// Logger prefix.
    pub logger: String,
    /// What stands behind them.
    pub message: String,
    /// The logger's own stamp, which counts only where the platform's is missing.
    pub stamp: Option<i64>,
    /// Whether the line is a JSON object of the logger.
    pub json: bool,
    /// Whether it is written as Python's own formatter or Scrapy's does.
    pub stdlib: bool,
}

const WORDS: [(&str, &str); 9] = [
    ("CRITICAL", "critical"),
    ("ERROR", "error"),
    ("SOFT_FAIL", "soft_fail"),
    ("SFAIL", "soft_fail"),
    ("WARNING", "warn"),
    ("WARN", "warn"),
    ("INFO", "info"),
    ("PERF", "perf"),
    ("DEBUG", "debug"),
];

impl Head {
    /// Whether a logger wrote the line.
    pub fn is_anchored(&self) -> bool {
        self.level != "none" || self.json
    }
}

/// The head of a text.
pub fn head(text: &str) -> Head {
    let (text, blanks) = text.split_at(text.trim_end().len());
    let mut head = dated(text);
    if !head.json {
        head.message.push_str(blanks);
    }
    head
}

fn dated(text: &str) -> Head {
    let Some((stamp, rest)) = logger_stamp(text) else { return undated(text) };
    let found = undated(rest);
    // Only the JavaScript logger's form of a stamp is one where no level follows.
    if found.is_anchored() || text.get(19..20) == Some(".") {
        Head { stamp: Some(stamp), ..found }
    } else {
        Head { level: "none", message: text.to_owned(), ..Head::default() }
    }
}

fn undated(text: &str) -> Head {
    let found = json(text)
        .or_else(|| python(text))
        .or_else(|| colon(text))
        .or_else(|| padded(text))
        .or_else(|| stdlib(text));
    found.unwrap_or_else(|| Head { level: "none", message: text.to_owned(), ..Head::default() })
}

/// `{"time":…,"level":"INFO","msg":"Prefix: message", …}`; time and level may be absent.
fn json(text: &str) -> Option<Head> {
    let value: Value = text.starts_with('{').then(|| serde_json::from_str(text).ok())??;
    let msg = value.get("msg")?.as_str()?;
    let word = value.get("level").and_then(Value::as_str).unwrap_or_default();
    let level = WORDS.iter().find(|(name, _)| *name == word).map_or("none", |(_, level)| level);
    let (logger, message) = prefix(msg);
    let time = value.get("time").and_then(Value::as_str);
    let stamp = time.and_then(logmill_parse::time::rfc3339);
    Some(Head { level, logger, message, json: true, stamp, stdlib: false })
}

/// `[logger.name] LEVEL message`, or Scrapy's `[logger.name] LEVEL: message`.
fn python(text: &str) -> Option<Head> {
    let (logger, rest) = text.strip_prefix('[')?.split_once("] ")?;
    if logger.is_empty() || logger.contains(']') {
        return None;
    }
    WORDS.iter().find_map(|(word, level)| {
        let behind = rest.strip_prefix(word)?;
        let padding = if word.len() == 4 { "  " } else { " " };
        let message = match behind.strip_prefix(':') {
            _ if behind.is_empty() => "",
            Some("") => "",
            Some(behind) => behind.strip_prefix(' ')?,
            None => behind.strip_prefix(padding).or_else(|| behind.strip_prefix(' '))?,
        };
        let stdlib = behind.starts_with(':');
        Some(Head {
            level,
            logger: logger.to_owned(),
            message: message.to_owned(),
            stdlib,
            ..Head::default()
        })
    })
}

/// `INFO: Prefix: message`.
fn colon(text: &str) -> Option<Head> {
    let old = |word: &str| !matches!(word, "WARN" | "SFAIL");
    WORDS.iter().filter(|(word, _)| old(word)).find_map(|(word, level)| {
        let (logger, message) = prefix(text.strip_prefix(word)?.strip_prefix(": ")?);
        Some(Head { level, logger, message, ..Head::default() })
    })
}

/// `INFO  Prefix: message`: the word padded to five, a blank, and something.
fn padded(text: &str) -> Option<Head> {
    WORDS.iter().filter(|(word, _)| *word != "SOFT_FAIL").find_map(|(word, level)| {
        let rest = text.strip_prefix(&format!("{word:5} "))?;
        let (logger, message) = prefix(rest);
        Some(Head { level, logger, message, ..Head::default() })
    })
}

/// `INFO:logger:message`.
fn stdlib(text: &str) -> Option<Head> {
    WORDS.iter().find_map(|(word, level)| {
        let (logger, message) = text.strip_prefix(word)?.strip_prefix(':')?.split_once(':')?;
        let plain =
            !logger.is_empty() && logger.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c));
        plain.then(|| Head {
            level,
            logger: logger.to_owned(),
            message: message.to_owned(),
            stdlib: true,
            ..Head::default()
        })
    })
}

/// `Name(:Name)*: `, one parenthesised argument list allowed, no blank outside it, no `//` behind it,
/// not ending in `Error` or `Exception`.
fn prefix(text: &str) -> (String, String) {
    let none = (String::new(), text.to_owned());
    let mut lists = 0;
    let mut inside = false;
    for (at, c) in text.char_indices() {
        match c {
            '(' if !inside && lists == 0 => (inside, lists) = (true, 1),
            ')' if inside => inside = false,
            _ if inside => {}
            ':' if text.get(at..at + 2) == Some(": ") => {
                let (name, rest) = (&text[..at], &text[at + 2..]);
                let whole = name
                    .split(':')
                    .all(|part| part.starts_with(|c: char| c.is_ascii_alphabetic() || "_$".contains(c)));
                let error = name.ends_with("Error") || name.ends_with("Exception");
                return if whole && !error && !rest.starts_with("//") && !rest.trim().is_empty() {
                    (name.to_owned(), rest.to_owned())
                } else {
                    none
                };
            }
            ':' => {}
            c if c.is_ascii_alphanumeric() || "_$-".contains(c) => {}
            _ => return none,
        }
    }
    none
}
