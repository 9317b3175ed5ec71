//! How a run says itself that it ends: exit codes, uncaught exceptions, status messages.

use std::borrow::Cow;

use memchr::memmem;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::event::{Body, Event, Style};
use super::meaning::{Meaning, Said};
use super::platform::verdict;
use crate::mark::{Mark, Outcome, Revocation};
use crate::record::Batch;
use crate::vocabulary::{Class, Status};

/// An uncaught exception. A program that goes on to log was not ended by it.
pub(super) fn crash(out: &mut Batch<'_>) -> Class {
    out.mark(Mark::Outcome(Outcome {
        status: Status::Failed,
        reason: Cow::Borrowed("crash"),
        failure_class: None,
        weight: 2,
        revoked_by: Revocation::Level,
    }));
    Class::Crash
}

/// A traceback that Python itself prints, at column 0: whoever logs one of his own indents it.
pub(super) fn is_uncaught(event: &Event<'_>) -> bool {
    event.body == Body::Traceback
        && matches!(event.style, Style::Bare | Style::Python)
        && !event.level.is_error()
        && event.message.decode().lines().any(|line| line.starts_with("Traceback (most recent call last)"))
}

/// `Actor failed with an exception` of the Python SDK.
pub(super) fn actor_failed<'a>(said: Said<'_, 'a>, out: &mut Batch<'a>) -> Option<Class> {
    let rest = said.line.strip_prefix(b"Actor failed with an exception")?;
    if !matches!(rest, b"" | b"." | b":") {
        return None;
    }
    out.mark(verdict(Status::Failed, "actor_failed_with_exception"));
    Some(Class::Crash)
}

/// `The function passed to Apify.main() threw an exception:` of the JavaScript SDK before 3.
pub(super) fn main_threw<'a>(said: Said<'_, 'a>, out: &mut Batch<'a>) -> Option<Class> {
    let rest = said.line.strip_prefix(b"The function passed to ")?;
    memmem::find(rest, b".main() threw an exception")?;
    out.mark(verdict(Status::Failed, "main_threw"));
    Some(Class::Crash)
}

/// The payload of `Exiting Actor`.
#[derive(Deserialize)]
struct Exit<'j> {
    #[serde(borrow)]
    exit_code: Option<&'j RawValue>,
}

/// `Exiting Actor ({"exit_code": N})`: the only end mark a run has, and only in Python.
pub(super) fn exiting<'a>(said: Said<'_, 'a>, out: &mut Batch<'a>) -> Option<Class> {
    let rest = said.line.strip_prefix(b"Exiting ")?;
    let rest = rest.strip_prefix(b"Actor").or_else(|| rest.strip_prefix(b"actor"))?;
    if !matches!(rest, b"" | b"." | b"...") {
        return None;
    }
    out.mark(Mark::Progress);
    if let Some(code) = exit_code(said) {
        let status = if code == 0 { Status::Succeeded } else { Status::Failed };
        let reason = match code {
            0 => Cow::Borrowed("exit_code_0"),
            code => Cow::Owned(format!("exit_code_{code}")),
        };
        out.mark(verdict(status, reason));
    }
    Some(Class::Plain)
}

fn exit_code(said: Said<'_, '_>) -> Option<i32> {
    let document = said.event.payload?.decode();
    let exit: Exit<'_> = serde_json::from_str(&document).ok()?;
    exit.exit_code?.get().parse().ok()
}

/// `[Status message]: …` and `[Terminal status message]: …`.
pub(super) fn status_message<'a>(said: Said<'_, 'a>, out: &mut Batch<'a>) -> Option<Class> {
    if said.line.starts_with(b"[Status message]:") {
        return Some(Class::Status);
    }
    if !said.line.starts_with(b"[Terminal status message]:") {
        return None;
    }
    if said.event.level.is_error() {
        out.mark(verdict(Status::Failed, "terminal_status_message"));
    }
    Some(Class::Status)
}

/// `Status: SUCCEEDED, Message: …` of a relayed run: the platform's own word, which decides over
/// whatever the relayed lines say.
pub(super) fn relayed_status<'a>(said: Said<'_, 'a>, out: &mut Batch<'a>) -> Meaning {
    let rest = said.line.strip_prefix(b"Status:").unwrap_or(said.line).trim_ascii_start();
    let word = rest.split(|byte| matches!(byte, b',' | b' ')).next().unwrap_or_default();
    let status = match word {
        b"SUCCEEDED" => Some(Status::Succeeded),
        b"FAILED" => Some(Status::Failed),
        b"TIMED-OUT" | b"TIMING-OUT" => Some(Status::TimedOut),
        b"ABORTED" | b"ABORTING" => Some(Status::Aborted),
        _ => None,
    };
    if let Some(status) = status {
        out.mark(Mark::Outcome(Outcome {
            status,
            reason: Cow::Borrowed("relayed_status"),
            failure_class: None,
            weight: 5,
            revoked_by: Revocation::Never,
        }));
    }
    Meaning::run(Class::Status)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::apify_log::testing::{bare, check, event, javascript, python};
    use crate::vocabulary::Level;

    #[track_caller]
    fn check_status(line: &str, marks: &[&str]) {
        check(event(Style::RelayedStatus, Level::None, "", line), Class::Status, marks);
    }

    #[test]
    fn exit_codes() {
        let exit = |line, payload| python(Level::Info, "apify", line).with(payload);
        let (good, bad) = ("succeeded exit_code_0 1 never", "failed exit_code_91 2 never");
        check(exit("Exiting Actor", r#"{"exit_code": 0}"#), Class::Plain, &["progress", good]);
        check(exit("Exiting Actor", r#"{"exit_code": 91}"#), Class::Plain, &["progress", bad]);
        check(
            exit("Exiting actor", r#"{"exit_code": 91, "message": "x"}"#),
            Class::Plain,
            &["progress", bad],
        );
        check(exit("Exiting Actor", r#"{"exit_code": "91"}"#), Class::Plain, &["progress"]);
        check(exit("Exiting Actor", r#"{"exit_code": 1e400}"#), Class::Plain, &["progress"]);
        check(event(Style::Stdlib, Level::Info, "apify", "Exiting actor"), Class::Plain, &["progress"]);
        check(exit("Exiting Actor for good", r#"{"exit_code": 1}"#), Class::Plain, &[]);
    }

    #[test]
    fn exceptions_nobody_caught() {
        let line = "Actor failed with an exception";
        let marks = ["failed actor_failed_with_exception 2 never"];
        check(python(Level::Error, "apify", line), Class::Crash, &marks);
        check(event(Style::Stdlib, Level::Error, "apify", line), Class::Crash, &marks);
        check(python(Level::Error, "apify", "Actor failed with an exceptional result"), Class::Plain, &[]);
        let line = "The function passed to Apify.main() threw an exception:";
        check(javascript(Level::Error, "", line), Class::Crash, &["failed main_threw 2 never"]);
        let line = "The function passed to Apify.main() threw an exception: (error details: statusCode=429)";
        check(event(Style::Colon, Level::Error, "", line), Class::Crash, &["failed main_threw 2 never"]);
        let crash = ["failed crash 2 level"];
        check(bare("file:///usr/src/app/a.js:74").of_lines(Body::NodeCrash, "…"), Class::Crash, &crash);
        let head = "Traceback (most recent call last):";
        check(bare(head).of_lines(Body::Traceback, head), Class::Crash, &crash);
        let flush = "Item 3\nTraceback (most recent call last):\n  File \"a.py\", line 1\nKeyError: 'x'";
        let indented = "Item 3\n      Traceback (most recent call last):\n        File \"a.py\", line 1";
        for event in [bare("Item 3"), python(Level::Info, "apify", "Item 3")] {
            check(event.of_lines(Body::Traceback, flush), Class::Crash, &crash);
            check(event.of_lines(Body::Traceback, indented), Class::Plain, &[]);
        }
        for style in [Style::Python, Style::Stdlib] {
            let event = event(style, Level::Error, "x", "Coroutine timed out.");
            check(event.of_lines(Body::Traceback, flush), Class::Plain, &[]);
        }
    }

    #[test]
    fn status_messages() {
        check(javascript(Level::Info, "", "[Status message]: Starting with 65 URLs"), Class::Status, &[]);
        check(python(Level::Info, "apify", "[Status message]: Going on"), Class::Status, &[]);
        check(javascript(Level::Error, "", "[Status message]: Odd, but going on"), Class::Status, &[]);
        let line = "[Terminal status message]: No input";
        check(javascript(Level::Info, "", line), Class::Status, &[]);
        check(javascript(Level::Error, "", line), Class::Status, &["failed terminal_status_message 2 never"]);
        check(javascript(Level::Info, "", "[POST] Starting the post scrape."), Class::Plain, &[]);
    }

    #[test]
    fn relayed_statuses() {
        let end = |status: &str| vec![format!("{status} relayed_status 5 never")];
        for (word, expect) in [
            ("SUCCEEDED", end("succeeded")),
            ("FAILED", end("failed")),
            ("TIMED-OUT", end("timed_out")),
            ("TIMING-OUT", end("timed_out")),
            ("ABORTED", end("aborted")),
            ("ABORTING", end("aborted")),
            ("RUNNING", Vec::new()),
            ("READY", Vec::new()),
        ] {
            let marks: Vec<&str> = expect.iter().map(String::as_str).collect();
            check_status(&format!("Status: {word}, Message: Finished!"), &marks);
            check_status(&format!("Status: {word}, Message:"), &marks);
        }
    }
}
