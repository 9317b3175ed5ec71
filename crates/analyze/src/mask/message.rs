//! Which lines of a message say what happened, and which frame says where.

use std::sync::LazyLock;

use memchr::memchr;
use memchr::memmem::{self, Finder};

/// Stands behind the path of a Python frame. Made once, as those below: that takes longer than looking.
static PYTHON_LINE: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("\", line "));
/// What stands in the paths of libraries and runtimes.
static FOREIGN: LazyLock<[Finder<'static>; 5]> =
    LazyLock::new(|| ["node_modules", "-packages/", "/lib/python", "/.venv/", "(internal/"].map(Finder::new));

/// What of a message enters its template.
#[derive(Debug, Clone, Copy)]
pub(super) struct Parts<'a> {
    /// First line that says something; empty for a piece of a stack trace.
    pub head: &'a str,
    /// The line below that gives the reason.
    pub reason: Option<&'a str>,
    /// The innermost frame in code of the program's own.
    pub frame: Option<Frame<'a>>,
}

/// A stack frame, without its position in the file.
#[derive(Debug, Clone, Copy)]
pub(super) struct Frame<'a> {
    pub function: &'a str,
    /// Base name; empty where none stands.
    pub file: &'a str,
}

/// What a line that reads like a stack frame is.
#[derive(Debug, Clone, Copy)]
enum Call<'a> {
    /// In code of the program's own.
    Own(Frame<'a>),
    /// In a library or the runtime.
    Foreign,
}

impl<'a> Call<'a> {
    const fn own(self) -> Option<Frame<'a>> {
        match self {
            Self::Own(frame) => Some(frame),
            Self::Foreign => None,
        }
    }
}

/// `message := line*`, each of them one of: blank, JavaScript or Python frame, Playwright log,
/// traceback, code excerpt, location, trailer (all dropped), head, reason, further text (dropped).
pub(super) fn parts(message: &str) -> Parts<'_> {
    if memchr(b'\n', message.as_bytes()).is_none() {
        return Parts { head: message.trim(), reason: None, frame: None };
    }
    let mut reader = Reader::default();
    for line in message.split('\n') {
        reader.take(line);
    }
    let Reader { mut head, mut reason, exception, frame, python_frame, .. } = reader;
    if exception.is_some() {
        if head.is_none() {
            head = exception;
        } else {
            reason = exception;
        }
    }
    if head.is_some_and(starts_with_location) {
        reason = None;
    }
    let frame = frame.or(python_frame);
    let fallback = || if frame.is_some() { "" } else { first_line(message) };
    Parts { head: head.unwrap_or_else(fallback), reason, frame }
}

fn first_line(message: &str) -> &str {
    message.trim_start().split('\n').next().unwrap_or_default().trim_end()
}

/// What has been seen while walking down the lines of a message.
#[derive(Debug, Default)]
struct Reader<'a> {
    head: Option<&'a str>,
    reason: Option<&'a str>,
    /// Last line of the last traceback.
    exception: Option<&'a str>,
    /// First JavaScript frame of the program's own.
    frame: Option<Frame<'a>>,
    /// Last Python frame of the program's own: tracebacks end at the innermost.
    python_frame: Option<Frame<'a>>,
    block: Block,
    /// Whether the line above became the head or the reason.
    kept: Kept,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Block {
    #[default]
    None,
    /// Between two rules of equal signs.
    RuledLog,
    /// Below `Call log:`, until a blank line.
    CallLog,
    /// Below a traceback's first line, which is indented by so many bytes.
    Traceback(usize),
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Kept {
    #[default]
    No,
    Head,
    Reason,
}

impl<'a> Reader<'a> {
    fn take(&mut self, line: &'a str) {
        let text = line.trim();
        let above = std::mem::take(&mut self.kept);
        if text.is_empty() {
            if self.block == Block::CallLog {
                self.block = Block::None;
            }
        } else if let Some(call) = javascript_frame(text) {
            self.frame = self.frame.or(call.own());
        } else if let Block::Traceback(indent) = self.block {
            self.take_traceback(line, text, indent);
        } else if let Some(call) = python_frame(text) {
            self.python_frame = call.own().or(self.python_frame);
        } else if text.starts_with("=====") {
            self.block = if self.block == Block::RuledLog { Block::None } else { Block::RuledLog };
        } else if text.starts_with("Traceback (most recent call last)") {
            self.block = Block::Traceback(indentation(line));
        } else if text == "Call log:" {
            self.block = Block::CallLog;
        } else if self.block == Block::None {
            self.take_text(text, above);
        }
    }

    /// `traceback := (deeper line)* exception`; frames are among the deeper lines.
    fn take_traceback(&mut self, line: &str, text: &'a str, indent: usize) {
        if let Some(call) = python_frame(text) {
            self.python_frame = call.own().or(self.python_frame);
        } else if indentation(line) <= indent {
            self.block = Block::None;
            self.exception = Some(text);
        }
    }

    fn take_text(&mut self, text: &'a str, above: Kept) {
        if is_caret(text) {
            // The line above was a piece of source code, not a message.
            match above {
                Kept::Head => self.head = None,
                Kept::Reason => self.reason = None,
                Kept::No => {}
            }
        } else if is_noise(text) {
        } else if self.head.is_none() {
            self.head = Some(text);
            self.kept = Kept::Head;
        } else if self.reason.is_none() {
            self.reason = Some(text);
            self.kept = Kept::Reason;
        }
    }
}

fn indentation(line: &str) -> usize {
    line.bytes().take_while(|byte| matches!(byte, b' ' | b'\t')).count()
}

/// A line of `^`, `~` and blanks that points at the line above.
fn is_caret(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b'^' | b'~' | b' ' | b'-')) && text.contains(['^', '~'])
}

/// Lines without a message of their own.
fn is_noise(text: &str) -> bool {
    let bytes = text.as_bytes();
    !bytes.iter().any(|byte| byte.is_ascii_alphanumeric() || *byte >= 0x80)
        || is_excerpt(text)
        || is_location(bytes)
        || is_tool_alone(bytes)
        || (bytes.first() == Some(&b'"') && memmem::find(bytes, b"\":").is_some())
        || text.starts_with("Node.js v")
        || text.starts_with("During handling of the above exception")
        || text.starts_with("The above exception was the direct cause")
}

/// A source line shown by a tool: `[">"] number ("|" | "│") …`, or what hangs below it.
fn is_excerpt(text: &str) -> bool {
    let rest = text.strip_prefix('>').unwrap_or(text).trim_start();
    let rest = rest.trim_start_matches(|c: char| c.is_ascii_digit()).trim_start();
    rest.starts_with(['|', '│', '╵', '╷', '╭', '╰', '┌', '└', '├'])
}

/// `path [":" number [":" number]] [":"]` and nothing else.
fn is_location(bytes: &[u8]) -> bool {
    let no_blank = !bytes.contains(&b' ');
    no_blank && (bytes.contains(&b'/') || bytes.starts_with(b"node:")) && !is_url(bytes) && bytes.len() > 1
}

fn is_url(bytes: &[u8]) -> bool {
    bytes.starts_with(b"http://") || bytes.starts_with(b"https://")
}

/// `npm error` with nothing behind it.
fn is_tool_alone(bytes: &[u8]) -> bool {
    matches!(bytes, b"npm error" | b"npm ERR!" | b"npm warn" | b"npm WARN")
}

/// Compilers put the place first (`src/a.ts(1,2): …`, `src/a.ts:1:2: …`) and details below.
fn starts_with_location(head: &str) -> bool {
    let word = head.split(' ').next().unwrap_or_default();
    let Some(place) = word.strip_suffix(':').or_else(|| word.strip_suffix(" -")).or(Some(word)) else {
        return false;
    };
    let digit_at_end = place.strip_suffix(')').unwrap_or(place).ends_with(|c: char| c.is_ascii_digit());
    digit_at_end && place.contains('.') && place.contains(['(', ':']) && !is_url(place.as_bytes())
}

/// `"at " ["async "] (function " (" place ")" | place)`.
fn javascript_frame(text: &str) -> Option<Call<'_>> {
    let rest = text.strip_prefix("at ")?;
    let rest = rest.strip_prefix("async ").unwrap_or(rest);
    if !rest.ends_with(')') {
        let place = rest.trim_end();
        return (ends_in_position(place) && !place.contains(' ')).then(|| frame("<anonymous>", place));
    }
    let (function, place) = rest.strip_suffix(')')?.rsplit_once(" (")?;
    let function = function.split_once(" [as ").map_or(function, |(name, _)| name);
    Some(frame(function.strip_prefix("new ").unwrap_or(function), place))
}

fn ends_in_position(place: &str) -> bool {
    place.bytes().last().is_some_and(|byte| byte.is_ascii_digit()) && place.contains(':')
}

/// `"File \"" path "\", line " number [", in " function]`.
fn python_frame(text: &str) -> Option<Call<'_>> {
    let text = text.strip_prefix("File \"")?;
    let (path, rest) = text.split_at_checked(PYTHON_LINE.find(text.as_bytes())?)?;
    let function = rest.split_once(", in ").map_or("<module>", |(_, function)| function);
    let function = function.split([',', ' ']).next().unwrap_or(function);
    Some(frame(function, path))
}

/// The frame, unless the place is a library's, the runtime's or none.
fn frame<'a>(function: &'a str, place: &'a str) -> Call<'a> {
    let (path, _) = place.split_once('?').unwrap_or((place, ""));
    let path = without_position(path);
    if is_foreign(path) {
        return Call::Foreign;
    }
    let file = path.rsplit(['/', '\\']).next().unwrap_or(path);
    Call::Own(Frame { function, file })
}

/// Without `":" line [":" column]`.
fn without_position(path: &str) -> &str {
    let mut path = path;
    for _ in 0..2 {
        if let Some((before, digits)) = path.rsplit_once(':')
            && digits.bytes().all(|byte| byte.is_ascii_digit())
        {
            path = before;
        }
    }
    path
}

fn is_foreign(path: &str) -> bool {
    let bytes = path.as_bytes();
    let has_folder = bytes.iter().any(|byte| matches!(byte, b'/' | b'\\'));
    !(has_folder || bytes.contains(&b'.'))
        || bytes.starts_with(b"node:")
        || bytes.starts_with(b"internal/")
        || bytes.starts_with(b"<")
        || FOREIGN.iter().any(|part| part.find(bytes).is_some())
}
