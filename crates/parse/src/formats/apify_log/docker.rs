//! Docker's own steps inside a build.
//!
//! The classic builder says `Step 2/4 : COPY . ./` and goes on to the next; `BuildKit` numbers its
//! steps, lets them interleave (`#11 [2/4] COPY . ./`), and says how each ended (`#11 DONE 0.3s`).

use std::borrow::Cow;

use memchr::memmem;

use super::meaning::{Meaning, Said};
use crate::mark::{Mark, StepEnd, StepStart};
use crate::record::Batch;
use crate::vocabulary::{Class, Status, StepKind};

/// `"Step" n "/" m ":" instruction`
pub(super) fn classic<'a>(said: Said<'_, 'a>, out: &mut Batch<'a>) -> Meaning {
    let Some(instruction) = instruction(said.line) else { return Meaning::of(Class::Plain) };
    let name = said.text(instruction);
    out.mark(Mark::StepStart(StepStart { name, kind: StepKind::Substep, depth: 1, key: None }));
    Meaning::build(Class::Plain)
}

fn instruction(line: &[u8]) -> Option<&[u8]> {
    let rest = after_digits(line.strip_prefix(b"Step ")?)?;
    let rest = after_digits(rest.strip_prefix(b"/")?)?;
    rest.strip_prefix(b" : ").map(<[u8]>::trim_ascii).filter(|text| !text.is_empty())
}

/// `The command '/bin/sh -c …' returned a non-zero code: 1`
pub(super) fn classic_error<'a>(said: Said<'_, 'a>, out: &mut Batch<'a>) -> Meaning {
    let is_error = said.line.starts_with(b"The command '")
        && memmem::rfind(said.line, b"' returned a non-zero code: ").is_some();
    if !is_error {
        return Meaning::of(Class::Plain);
    }
    let error = Some(said.text(said.line));
    out.mark(Mark::StepEnd(StepEnd { depth: 1, key: None, status: Status::Failed, error }));
    Meaning::of(Class::Failure)
}

/// ```text
/// line  := "#" n " " ( start | end | output )
/// start := "[" ["stage "] i "/" k "] " … | "[internal] " … | "[auth] " … | "exporting to " … | …
/// end   := "DONE" [seconds] | "CACHED" | "CANCELED" | "ERROR" [":" text]
/// ```
/// A step that was suspended repeats its start line when it goes on.
pub(super) fn build_kit<'a>(said: Said<'_, 'a>, out: &mut Batch<'a>) -> Meaning {
    let Some((key, rest)) = key(said.line) else { return Meaning::of(Class::Plain) };
    if is_start(rest) {
        let (name, key) = (said.text(rest), Some(said.text(key)));
        out.mark(Mark::StepStart(StepStart { name, kind: StepKind::Substep, depth: 1, key }));
        return if rest.starts_with(b"[") { Meaning::build(Class::Plain) } else { Meaning::of(Class::Plain) };
    }
    let Some((status, error)) = end(rest) else { return Meaning::of(Class::Plain) };
    let class = if status == Status::Failed { Class::Failure } else { Class::Plain };
    let error: Option<Cow<'a, str>> = error.map(|text| said.text(text));
    out.mark(Mark::StepEnd(StepEnd { depth: 1, key: Some(said.text(key)), status, error }));
    Meaning::of(class)
}

/// The number of a step with its `#`, and what is said about it.
fn key(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let rest = after_digits(line.strip_prefix(b"#")?)?;
    let key = line.get(..line.len() - rest.len())?;
    Some((key, rest.strip_prefix(b" ")?))
}

fn is_start(rest: &[u8]) -> bool {
    const HEADS: [&[u8]; 6] = [
        b"exporting to ",
        b"exporting cache",
        b"importing cache manifest",
        b"resolve image config for ",
        b"preparing build cache",
        b"preparing layers for inline cache",
    ];
    match rest.strip_prefix(b"[") {
        Some(bracket) => bracket.iter().position(|&byte| byte == b']').is_some_and(|end| {
            let inside = bracket.get(..end).unwrap_or_default();
            bracket.get(end + 1) == Some(&b' ') && is_vertex(inside)
        }),
        None => HEADS.iter().any(|head| rest.starts_with(head)),
    }
}

/// `internal`, `auth`, or `i/k` behind the names of a platform and a stage.
fn is_vertex(inside: &[u8]) -> bool {
    if matches!(inside, b"internal" | b"auth") || inside.starts_with(b"context ") {
        return true;
    }
    let last = inside.rsplit(|&byte| byte == b' ').next().unwrap_or_default();
    let rest = after_digits(last).and_then(|rest| rest.strip_prefix(b"/")).and_then(after_digits);
    rest.is_some_and(<[u8]>::is_empty)
}

fn end(rest: &[u8]) -> Option<(Status, Option<&[u8]>)> {
    let (word, tail) = match rest.iter().position(|&byte| matches!(byte, b' ' | b':')) {
        Some(at) => rest.split_at(at),
        None => (rest, b"".as_slice()),
    };
    match word {
        b"DONE" if tail.is_empty() || tail.ends_with(b"s") => Some((Status::Succeeded, None)),
        b"CACHED" if tail.is_empty() => Some((Status::Succeeded, None)),
        b"CANCELED" if tail.is_empty() => Some((Status::Aborted, None)),
        b"ERROR" if tail.is_empty() => Some((Status::Failed, None)),
        b"ERROR" => Some((Status::Failed, Some(tail.strip_prefix(b":")?.trim_ascii()))),
        _ => None,
    }
}

/// What stands behind one to six digits.
fn after_digits(text: &[u8]) -> Option<&[u8]> {
    let digits = text.iter().take(7).take_while(|byte| byte.is_ascii_digit()).count();
    if (1..=6).contains(&digits) { text.get(digits..) } else { None }
}
