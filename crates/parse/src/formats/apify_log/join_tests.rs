//! Texts below each other: which of them join.

use super::*;
use crate::formats::apify_log::levels::{Anchor, anchor};

/// Reads `lines` as the texts of one log, blank ones left out, and expects the number of lines of each event
/// and what is open in the last one.
#[track_caller]
fn check(lines: &[&str], expect: &[usize], body: Body) {
    let mut events: Vec<(Vec<&str>, Shapes)> = Vec::new();
    for (index, line) in lines.iter().enumerate() {
        let Anchor { style, level, .. } = anchor(line.as_bytes());
        let below = || match lines.get(index + 1) {
            Some(below) if is_caret(below.as_bytes()) => Below::Caret,
            _ => Below::Other,
        };
        if style == Style::Bare
            && let Some((texts, shapes)) = events.last_mut()
            && let (Some(first), Some(last)) = (texts.first(), texts.last())
        {
            let first = &first.as_bytes()[anchor(first.as_bytes()).message..];
            if shapes.judge(line.as_bytes(), first, last.as_bytes(), below) == Verdict::Joins {
                texts.push(line);
                continue;
            }
        }
        events.push((vec![line], Shapes::begin(style, level, line.as_bytes())));
    }
    let found: Vec<usize> = events.iter().map(|(texts, _)| texts.len()).collect();
    assert_eq!(
        (found.as_slice(), events.last().map(|(_, shapes)| shapes.body)),
        (expect, Some(body)),
        "{lines:#?}"
    );
}

#[test]
fn indented_lines_and_frames() {
    check(&["x", "  y", "\tz", "at f (a.js:1:2)", "at home"], &[4, 1], Body::Text);
    check(&["ACTOR: x", " ---> y", "  z"], &[1, 2], Body::Text);
    check(&["ERROR x", "  Error: y", "      at z", "INFO  w"], &[3, 1], Body::Text);
    check(&["npm WARN tar", " ENOENT: x", "npm ", "ERR!"], &[2, 1, 1], Body::Text);
}

#[test]
fn tracebacks() {
    let trace = ["Traceback (most recent call last):", "  File \"a.py\", line 1, in f", "    g()", "    ^^^"];
    check(&[&["ERROR:a:x"], &trace[..], &["ValueError: y"]].concat(), &[6], Body::Traceback);
    check(&[&["ERROR:a:x"], &trace[..], &["a.b.Cancelled", "Result: 1"]].concat(), &[6, 1], Body::Text);
    let chain = "During handling of the above exception, another exception occurred:";
    check(
        &[&["x"], &trace[..], &["KeyError: 1", chain], &trace[..], &["ValueError: y"]].concat(),
        &[1, 11],
        Body::Traceback,
    );
    for above in ["WARN  x", "[a] ERROR x", "INFO:a:x", "Exception in thread Thread-1 (f):"] {
        check(&[&[above], &trace[..], &["KeyError: 1", "z"]].concat(), &[6, 1], Body::Text);
    }
    for above in ["INFO  x", "[a] INFO  x", "[a] DEBUG x", "Item 3", "Exception in general:"] {
        check(&[&[above], &trace[..], &["KeyError: 1"]].concat(), &[1, 5], Body::Traceback);
    }
    check(&[&["  g()"], &trace[..], &["KeyError: 1"]].concat(), &[6], Body::Traceback);
    check(&["x", chain], &[1, 1], Body::Text);
    check(
        &["[a] ERROR x", "      Traceback (most recent call last):", "      E: y", "Done: 1"],
        &[3, 1],
        Body::Text,
    );
    check(&["[a] WARN  Retrying", "File \"a.py\", line 1, in f,     code"], &[2], Body::Text);
    check(&[&["ACTOR: x"], &trace[..]].concat(), &[1, 4], Body::Traceback);
}

#[test]
fn node_crashes() {
    // A line between place and source that joins for another reason: no report.
    check(&["/a.js:3", "File \"x.py\", line 3, in f", "w", "  ^"], &[2, 2], Body::Text);
    let crash = |source: &'static str, caret: &'static str| {
        vec![
            "x",
            "file:///a/b.js:74",
            source,
            caret,
            "FileNotFoundError: y",
            "    at z",
            "}",
            "Node.js v20.1.0",
            "w",
        ]
    };
    check(&crash("            throw e;", "   ^")[..8], &[1, 7], Body::NodeCrash);
    check(&crash("throw e;", "^"), &[1, 7, 1], Body::Text);
    check(&["/a/b.js:7", "no source", "x"], &[1, 1, 1], Body::Text);
    check(&["     throw e;", "       ^"], &[2], Body::NodeCrash);
    check(&["node:internal/x:97", "    y(", "     ^", "E: z", "w"], &[4, 1], Body::Text);
}

#[test]
fn playwright_blocks() {
    let head = "=========================== logs ===========================";
    let rule = "============================================================";
    check(
        &["WARN  x", head, "waiting for y", rule, "    at z", "Note: use DEBUG=pw:api y", "w"],
        &[6, 1],
        Body::Text,
    );
    check(&["x", rule, "y"], &[1, 1, 1], Body::Text);
    check(&["[a] WARN  x", "Call log:", "  - navigating", "- waiting", "y"], &[4, 1], Body::Text);
}

#[test]
fn tables() {
    let table = ["┌──┬──┐", "│ a │ 1 │", "└──┴──┘"];
    check(&[&["[a] INFO  Final request statistics:"], &table[..]].concat(), &[4], Body::Table);
    check(
        &[&["[a] INFO  Current request statistics:"], &table[..], &table[..1]].concat(),
        &[4, 1],
        Body::Text,
    );
    check(&[&["x"], &table[..1]].concat(), &[1, 1], Body::Text);
}

#[test]
fn lists() {
    check(&["ERROR Failed. Please check the following:", "- a", "- b", "- c"], &[4], Body::Text);
    check(&["ERROR Failed.", "- a"], &[1, 1], Body::Text);
    check(&["[a] INFO  Enabled extensions:", "['scrapy.x',", " 'scrapy.y'] ({})"], &[3], Body::Text);
    check(&["[a] INFO  Enabled item pipelines:", "[] ({})", "[] ({})"], &[2, 1], Body::Text);
    check(&["[a] INFO  Disabled:", "[] ({})"], &[1, 1], Body::Text);
    check(
        &[
            "WARN  ApifyClient: API request failed 4 times.",
            "Cause:ApifyApiError: x",
            "statusCode: 429",
            "y z",
        ],
        &[3, 1],
        Body::Text,
    );
    check(&["WARN  x", "Cause: y"], &[1, 1], Body::Text);
}
