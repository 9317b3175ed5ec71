//! What a text without a level looks like: the shapes that continue an event.
//!
//! The texts have no ANSI in them and no blanks at the end; all tests look at few bytes first.

use memchr::memchr;

/// `at …` of a stack frame whose indentation is lost: it names a place.
pub(super) fn is_frame(text: &[u8]) -> bool {
    let Some(rest) = text.strip_prefix(b"at ") else { return false };
    let is_line_number = |at: usize| matches!(rest.get(at + 1), Some(b'0'..=b'9'));
    memchr(b'(', rest).is_some() || memchr::memchr_iter(b':', rest).any(is_line_number)
}

/// The head of a Python traceback.
pub(super) fn is_traceback(text: &[u8]) -> bool {
    text.starts_with(b"Traceback (most recent call last)")
}

/// What the interpreter writes above the traceback of an exception that ends no program: one of a thread,
/// or one it could only ignore.
pub(super) fn is_traceback_title(text: &[u8]) -> bool {
    text.starts_with(b"Exception in thread ") || text.starts_with(b"Exception ignored in")
}

/// `File "…", line n` of a traceback.
pub(super) fn is_python_file(text: &[u8]) -> bool {
    text.starts_with(b"File \"") && memchr::memmem::find(text, b"\", line ").is_some()
}

/// What stands between two chained tracebacks.
pub(super) fn is_chain(text: &[u8]) -> bool {
    text.starts_with(b"During handling of the above exception, another")
        || text.starts_with(b"The above exception was the direct cause of")
}

/// `module.XError: message` or `KeyboardInterrupt`: the line that closes a traceback.
pub(super) fn is_python_error(text: &[u8]) -> bool {
    let len =
        text.iter().take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.')).count();
    let starts_like_name = matches!(text.first(), Some(b'A'..=b'Z' | b'a'..=b'z' | b'_'));
    starts_like_name && matches!(text.get(len), None | Some(b':'))
}

/// `path:line` alone: how Node begins the report of an uncaught exception.
pub(super) fn is_node_place(text: &[u8]) -> bool {
    if !matches!(text.last(), Some(b'0'..=b'9')) {
        return false;
    }
    let is_path = match text.first() {
        Some(b'n') => text.starts_with(b"node:"),
        Some(b'f') => text.starts_with(b"file://"),
        Some(b'i') => text.starts_with(b"internal/"),
        Some(b'u') => text.starts_with(b"undefined:"),
        Some(b'/') => true,
        Some(b'A'..=b'Z') => matches!(text.get(1..3), Some(b":\\" | b":/")),
        _ => false,
    };
    let path = text.trim_ascii_end();
    let digits = path.iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
    is_path
        && path.get(..path.len() - digits).is_some_and(|path| path.ends_with(b":"))
        && memchr(b' ', path).is_none()
}

/// Blanks and carets only.
pub(super) fn is_caret(text: &[u8]) -> bool {
    let text = text.trim_ascii();
    !text.is_empty() && text.iter().all(|byte| *byte == b'^')
}

/// What closes Node's report: the brace of an error's properties, a hint, the version.
pub(super) fn is_node_trailer(text: &[u8]) -> bool {
    text == b"}" || text.starts_with(b"Node.js v") || text.starts_with(b"(Use `node --trace-")
}

/// `=== logs ===` of a Playwright error.
pub(super) fn is_playwright_head(text: &[u8]) -> bool {
    is_rule(text) && text.ends_with(b"====") && memchr::memmem::find(text, b"= logs =").is_some()
}

/// A line of equals signs, which closes Playwright's block.
pub(super) fn is_rule(text: &[u8]) -> bool {
    text.starts_with(b"====")
}

/// What Playwright says below its block.
pub(super) fn is_playwright_note(text: &[u8]) -> bool {
    text.starts_with(b"Note: use DEBUG=pw:api")
}

/// A row of a box table: U+2500 to U+257F.
pub(super) fn is_box(text: &[u8]) -> bool {
    matches!(text, [0xe2, 0x94 | 0x95, ..])
}

/// The last row of a box table.
pub(super) fn is_box_end(text: &[u8]) -> bool {
    text.starts_with("└".as_bytes())
}

/// `key: value` or `key:`.
pub(super) fn is_key_value(text: &[u8]) -> bool {
    let len = text.iter().take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_').count();
    len > 0 && text.get(len) == Some(&b':') && matches!(text.get(len + 1), None | Some(b' '))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(shape: fn(&[u8]) -> bool, yes: &[&str], no: &[&str]) {
        for text in yes {
            assert!(shape(text.as_bytes()), "{text}");
        }
        for text in no {
            assert!(!shape(text.as_bytes()), "{text}");
        }
    }

    #[test]
    fn shapes() {
        check(
            is_frame,
            &["at a (b.js:1:2)", "at file:///a.js:1:2 {\"id\":1}", "at x (<anonymous>)"],
            &["at home", "attic (1)"],
        );
        check(
            is_python_error,
            &["ValueError: x", "a.b.CancelledError", "KeyboardInterrupt"],
            &["Done with it", "", "1: x", "x y: z"],
        );
        check(
            is_node_place,
            &["node:internal/process/esm_loader:97", "file:///a/b.js:74", "/usr/src/a.js:1", "C:\\a.js:7"],
            &["http://localhost:80", "/a b.js:1", "/a/1", "n:1"],
        );
        check(is_caret, &["   ^", "^", "  ^^^^"], &["", " ", " ^ x"]);
        check(
            is_playwright_head,
            &["=========================== logs ==========================="],
            &["=========", "=== logs"],
        );
        check(is_box, &["┌───┐", "│ a │ 1 │", "└─┘", "╔═╗"], &["│".get(..0).unwrap_or_default(), "é", "–"]);
        check(is_key_value, &["statusCode: 429", "stack:"], &["a b: c", ": x", "http://x"]);
        check(is_python_file, &["File \"a.py\", line 1, in b"], &["File \"a.py\"", "File a"]);
    }
}
