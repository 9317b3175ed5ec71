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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::apify_log::testing::{bare, check};
    use crate::record::Evidence;

    #[track_caller]
    fn check_line(line: &str, evidence: Evidence, class: Class, marks: &[&str]) {
        assert_eq!(check(bare(line), class, marks).evidence, evidence, "{line}");
    }

    #[test]
    fn classic_steps() {
        let build = |line, mark| check_line(line, Evidence::BUILD, Class::Plain, &[mark]);
        build("Step 1/4 : FROM apify/actor-node", "start 1 - FROM apify/actor-node");
        build("Step 12/14 : COPY . ./", "start 1 - COPY . ./");
        for line in [
            "Step 1 : x",
            "Step 1/4",
            "Step 1/4 : ",
            "Step one/4 : x",
            "Steps 1/4 : x",
            "Successfully built 1f",
        ] {
            check_line(line, Evidence::NONE, Class::Plain, &[]);
        }
        let line = "The command '/bin/sh -c npm ci' returned a non-zero code: 1";
        check_line(line, Evidence::NONE, Class::Failure, &[&format!("end 1 - failed {line}")]);
        check_line("The command 'x' returned", Evidence::NONE, Class::Plain, &[]);
    }

    #[test]
    fn build_kit_steps() {
        let build = |line, mark| check_line(line, Evidence::BUILD, Class::Plain, &[mark]);
        let other = |line, mark| check_line(line, Evidence::NONE, Class::Plain, &[mark]);
        build(
            "#1 [internal] load build definition from Dockerfile",
            "start 1 #1 [internal] load build definition from Dockerfile",
        );
        build("#11 [2/4] COPY . ./", "start 1 #11 [2/4] COPY . ./");
        build("#7 [linux/amd64 builder 1/7] RUN npm ci", "start 1 #7 [linux/amd64 builder 1/7] RUN npm ci");
        build(
            "#3 [auth] library/node:pull token for registry-1.docker.io",
            "start 1 #3 [auth] library/node:pull token for registry-1.docker.io",
        );
        other("#11 exporting to image", "start 1 #11 exporting to image");
        other("#13 exporting cache to Amazon S3", "start 1 #13 exporting cache to Amazon S3");
        other("#11 CACHED", "end 1 #11 succeeded -");
        other("#12 DONE 0.0s", "end 1 #12 succeeded -");
        other("#12 CANCELED", "end 1 #12 aborted -");
        check_line(
            "#12 ERROR: process \"npm ci\" did not complete successfully: exit code: 1",
            Evidence::NONE,
            Class::Failure,
            &["end 1 #12 failed process \"npm ci\" did not complete successfully: exit code: 1"],
        );
    }

    #[test]
    fn lines_that_are_no_steps() {
        for line in [
            "#11 ...",
            "#11 0.123 added 40 packages",
            "#11 transferring context: 2B done",
            "#11 0.9s",
            "#1",
            "#",
            "# Heading",
            "#1 [done] 3 items",
            "#1 fan",
            "#1 DONE with it",
            "#12345678 [1/2] x",
            "#1 [1/2]x",
            "#1 [1/",
            "#4 exporting layers 0.2s done",
        ] {
            check_line(line, Evidence::NONE, Class::Plain, &[]);
        }
    }
}
