//! Lines of the platform itself: `ACTOR: …`, and `[actor-runtime] …` of the local runtime.
//!
//! Owns the phases of runs and builds and what the platform says about their end. Wordings have
//! changed over the years, so anchors are prefixes without regard to case; a line that fits none
//! is read by its keywords and else kept as it is.

use std::borrow::Cow;

use memchr::memmem;

use super::meaning::{Meaning, Said};
use crate::mark::{Fact, Lifecycle, Mark, Opening, Outcome, Revocation, StepEnd, StepStart};
use crate::record::{Batch, Evidence};
use crate::vocabulary::{Class, Status, StepKind};

/// What follows the start of a container.
static LIFECYCLE: Lifecycle = Lifecycle {
    init: "init",
    work: "work",
    shutdown: "shutdown",
    ready_metric: "system_info_ms",
    // A cached image takes a few hundred milliseconds to check, a missing one seconds to load.
    fetch: ("pull", 500),
};

/// Bytes of a line that keywords are looked for in.
const KEYWORD_BYTES: usize = 512;

/// ```text
/// run   := "Pulling" ("Docker"|"container") "image" ["of build" ID] …
///        | "Creating" … | "Starting" … | "Running under" …
/// build := "Cloning" … | preparation … | "Building" … | "Pushing" … | "Build finished"
/// error := "ERROR" …
/// ```
pub(super) fn interpret<'a>(said: Said<'_, 'a>, out: &mut Batch<'a>) -> Meaning {
    let said = Said { line: without_speaker(said.line), ..said };
    let line = said.line;
    match line.first().map(u8::to_ascii_lowercase) {
        Some(b'p') if is(line, b"Pulling ") => pull(said, out),
        Some(b'p') if is(line, b"Pushing ") => phase("push", out),
        Some(b'c') if is(line, b"Creating") => open(1, "create", None, out),
        Some(b's') if is(line, b"Starting") => open(2, "boot", None, out),
        Some(b'r') if is(line, b"Running under") => Meaning::run(Class::Platform),
        Some(b'c') if is(line, b"Cloning ") => phase("clone", out),
        Some(b'b') if is(line, b"Building ") => phase("build", out),
        Some(b'b') if is(line, b"Build finished") => build_finished(out),
        Some(b's' | b'f' | b'e') if is_preparation(line) => phase("prepare", out),
        // The local runtime says so behind its `Building …`.
        Some(b'u') if is(line, b"Using Dockerfile") || is(line, b"Using the input schema") => {
            Meaning::build(Class::Platform)
        }
        Some(b'e') if is(line, b"ERROR") => error(said, out),
        Some(b'c') if is(line, b"Cannot start run") => error(said, out),
        _ => by_keyword(said, out),
    }
}

fn without_speaker(line: &[u8]) -> &[u8] {
    let rest = line.strip_prefix(b"ACTOR:").or_else(|| line.strip_prefix(b"[actor-runtime]"));
    rest.unwrap_or(line).trim_ascii_start()
}

/// Whether `line` starts with `prefix`, upper and lower case aside.
fn is(line: &[u8], prefix: &[u8]) -> bool {
    line.get(..prefix.len()).is_some_and(|head| head.eq_ignore_ascii_case(prefix))
}

/// The lines between the clone of the sources and the build of the image.
fn is_preparation(line: &[u8]) -> bool {
    const HEADS: [&[u8]; 3] = [b"Selected directory", b"Found ", b"Extracting "];
    HEADS.iter().any(|head| is(line, head))
}

fn open<'a>(rank: u8, name: &'static str, build: Option<Cow<'a, str>>, out: &mut Batch<'a>) -> Meaning {
    let lifecycle = (rank == 2).then_some(&LIFECYCLE);
    out.mark(Mark::Opening(Opening { rank, name, fingerprint: build, lifecycle }));
    Meaning::run(Class::Platform)
}

fn pull<'a>(said: Said<'_, 'a>, out: &mut Batch<'a>) -> Meaning {
    let rest = said.line.get(b"Pulling ".len()..).unwrap_or_default();
    if !is(rest, b"Docker image") && !is(rest, b"container image") {
        return by_keyword(said, out);
    }
    let build = build_id(said.line).map(|id| said.text(id));
    let meaning = open(0, "pull", build.clone(), out);
    if let Some(build) = build {
        out.mark(Mark::Fact(Fact::BuildId, build));
    }
    meaning
}

/// The word behind `of build`, if it is made of letters and digits.
fn build_id(line: &[u8]) -> Option<&[u8]> {
    const BEFORE: &[u8] = b" of build ";
    let rest = line.get(memmem::find(line, BEFORE)? + BEFORE.len()..)?;
    let len = rest.iter().take_while(|byte| byte.is_ascii_alphanumeric()).count();
    let ends = matches!(rest.get(len), None | Some(b' ' | b'.' | b','));
    rest.get(..len).filter(|id| ends && !id.is_empty())
}

fn phase(name: &'static str, out: &mut Batch<'_>) -> Meaning {
    let name = Cow::Borrowed(name);
    out.mark(Mark::StepStart(StepStart { name, kind: StepKind::Phase, depth: 0, key: None }));
    Meaning::build(Class::Platform)
}

fn build_finished(out: &mut Batch<'_>) -> Meaning {
    out.mark(Mark::StepEnd(StepEnd { depth: 0, key: None, status: Status::Succeeded, error: None }));
    out.mark(verdict(Status::Succeeded, "build_finished"));
    Meaning::build(Class::Platform)
}

/// The weight of a verdict goes by its status, so that an abort is not taken for the failure it causes.
pub(super) fn verdict<'a>(status: Status, reason: impl Into<Cow<'a, str>>) -> Mark<'a> {
    Mark::Outcome(Outcome {
        status,
        reason: reason.into(),
        failure_class: None,
        weight: match status {
            Status::TimedOut => 4,
            Status::Aborted => 3,
            Status::Failed => 2,
            _ => 1,
        },
        revoked_by: if status == Status::TimedOut { Revocation::Platform } else { Revocation::Never },
    })
}

/// The platform's own error. It ends the open phase of a build; a run goes on to its end.
fn error<'a>(said: Said<'_, 'a>, out: &mut Batch<'a>) -> Meaning {
    let text = Keywords::of(said.line);
    let is_build =
        text.has_any(&[b"schema", b"dockerfile", b"docker build", b"build failed", b"clone", b"cloning"]);
    if is_build {
        let message = said.line.get(b"ERROR".len()..).unwrap_or_default();
        let message = message.strip_prefix(b":").unwrap_or(message).trim_ascii_start();
        let error = Some(said.text(message));
        out.mark(Mark::StepEnd(StepEnd { depth: 0, key: None, status: Status::Failed, error }));
    }
    let (status, reason) = text.end().unwrap_or((Status::Failed, Cow::Borrowed("platform_error")));
    out.mark(verdict(status, reason));
    let evidence = if is_build { Evidence::BUILD } else { Evidence::NONE };
    Meaning { class: Class::Failure, evidence }
}

/// A line that fits no known wording. It says how the run ended if its words leave no doubt.
fn by_keyword<'a>(said: Said<'_, 'a>, out: &mut Batch<'a>) -> Meaning {
    let text = Keywords::of(said.line);
    if let Some((status, reason)) = text.end() {
        out.mark(verdict(status, reason));
    } else if text.has(b"memory") && text.has_any(&[b"out of", b"exceed", b"kill"]) {
        let mut mark = verdict(Status::Failed, "out_of_memory");
        if let Mark::Outcome(outcome) = &mut mark {
            outcome.revoked_by = Revocation::Level;
        }
        out.mark(mark);
    }
    let evidence = if text.has(b"actor run") { Evidence::RUN } else { Evidence::NONE };
    Meaning { class: Class::Platform, evidence }
}

/// The head of a line in lower case.
struct Keywords {
    text: [u8; KEYWORD_BYTES],
}

impl Keywords {
    fn of(line: &[u8]) -> Self {
        let mut text = [0; KEYWORD_BYTES];
        for (to, from) in text.iter_mut().zip(line) {
            *to = from.to_ascii_lowercase();
        }
        Self { text }
    }

    fn has(&self, word: &[u8]) -> bool {
        memmem::find(&self.text, word).is_some()
    }

    fn has_any(&self, words: &[&[u8]]) -> bool {
        words.iter().any(|word| self.has(word))
    }

    /// How the run ended. A timeout line also says that the run is aborted.
    fn end(&self) -> Option<(Status, Cow<'static, str>)> {
        if self.has_any(&[b"reached the timeout", b"timed out"]) || self.has(b"timeout") && self.has(b"abort")
        {
            return Some((Status::TimedOut, Cow::Borrowed("timeout_line")));
        }
        if self.has(b"abort") {
            return Some((Status::Aborted, Cow::Borrowed("abort_line")));
        }
        let code = self.number_after(b"exit code")?;
        let status = if code == 0 { Status::Succeeded } else { Status::Failed };
        Some((status, Cow::Owned(format!("exit_code_{code}"))))
    }

    /// The number behind `words`, blanks, `:` and `=` aside.
    fn number_after(&self, words: &[u8]) -> Option<u32> {
        let rest = self.text.get(memmem::find(&self.text, words)? + words.len()..)?;
        let digits = rest.iter().skip_while(|byte| matches!(byte, b' ' | b':' | b'='));
        let digits: Vec<u8> = digits.take_while(|byte| byte.is_ascii_digit()).take(11).copied().collect();
        std::str::from_utf8(&digits).ok()?.parse().ok()
    }
}

#[cfg(test)]
#[path = "platform_tests.rs"]
mod tests;
