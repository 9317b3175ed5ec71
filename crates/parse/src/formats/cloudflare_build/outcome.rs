//! How a build ended, and why.

use super::marks::Mark;
use super::model::{Form, Line, Writing};
use super::needle::AnyOf;
use super::phases::Phase;
use crate::vocabulary::Status;

/// What the platform's last words mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Verdict {
    pub(super) status: Status,
    pub(super) failure_class: Option<&'static str>,
}

/// Words of a `Failed: ` line and the class of failure they mean.
const CLASSES: &[(&[u8], &str)] = &[
    (b"error occurred while installing tools or dependencies", "tools_or_dependencies"),
    (b"error occurred while running build command", BUILD_COMMAND),
    (b"error occurred while running deploy command", "deploy_command"),
    (b"error occurred while updating repository submodules", "submodules"),
    (b"build command exited with code", BUILD_COMMAND),
    (b"Error while executing user command", BUILD_COMMAND),
    (b"build token selected for this build has been deleted or rolled", "build_token"),
    (b"root directory not found", "root_directory"),
    (b"build output directory not found", "output_directory"),
    (b"generating Pages Functions failed", "functions_bundle"),
    (b"an internal error occurred", "internal"),
];

const BUILD_COMMAND: &str = "build_command";

/// The verdict of an end line. Pages calls a failed install a failed build command.
pub(super) fn verdict(mark: Mark, line: &[u8], open: Option<Phase>, pages: bool) -> Verdict {
    let (status, failure_class) = match mark {
        Mark::InitTimeout => (Status::TimedOut, Some("init_timeout")),
        Mark::Internal => (Status::Failed, Some("internal")),
        Mark::Failed => (Status::Failed, class(line)),
        _ => (Status::Succeeded, None),
    };
    let in_install = pages && open == Some(Phase::Install);
    let failure_class = match failure_class {
        Some(BUILD_COMMAND) if in_install => Some("tools_or_dependencies"),
        class => class,
    };
    Verdict { status, failure_class }
}

fn class(line: &[u8]) -> Option<&'static str> {
    CLASSES.iter().find(|(words, _)| memchr::memmem::find(line, words).is_some()).map(|&(_, class)| class)
}

/// Longest cause that is kept, in characters.
const MAX_CAUSE_CHARS: usize = 300;

/// Kinds of cause, the most telling first: what names the trouble comes before a bare exit code.
const CAUSES: &[fn(&str) -> Option<&str>] = &[
    api_code,
    npm_code,
    pnpm_code,
    typescript_code,
    not_found,
    block,
    block_of_blocks,
    npm_exit_code,
    lifecycle,
    exit_code,
];

/// One of these stands in the bytes of every cause, unless escapes or colours break it up.
const WORDS: [&[u8]; 6] =
    [b"code", b"ERR_PNPM_", b"error TS", b"not found", "✘ [ERROR]".as_bytes(), b"ELIFECYCLE"];

/// The first line of the most telling kind among `lines`, which are those of the phase that failed
/// and stand in `window`.
pub(super) fn cause(lines: &[Line<'_>], writing: Writing, window: &[u8]) -> Option<String> {
    let (first, last) = lines.first().zip(lines.last())?;
    let stretch = window.get(first.span.start..last.span.end).unwrap_or_default();
    let mut words = AnyOf::new(stretch, first.span.start, WORDS);
    let mut best: Option<(usize, String)> = None;
    for line in lines {
        if !words.stands_in(line) && line.form == Form::Literal {
            continue;
        }
        let text = writing.decode(line);
        let rank = best.as_ref().map_or(CAUSES.len(), |(rank, _)| *rank);
        let mut kinds = CAUSES.iter().take(rank).enumerate();
        let found = kinds.find_map(|(rank, kind)| Some((rank, text.lines().find_map(kind)?)));
        if let Some((rank, cause)) = found {
            best = Some((rank, cause.chars().take(MAX_CAUSE_CHARS).collect()));
        }
    }
    best.map(|(_, cause)| cause)
}

/// `[code: 10042]` of the Cloudflare API.
fn api_code(line: &str) -> Option<&str> {
    let from = line.rfind("[code: ")?;
    let code = line.get(from..)?;
    let code = code.get(..=code.find(']')?)?;
    code.trim_start_matches("[code: ")
        .trim_end_matches(']')
        .chars()
        .all(|c| c.is_ascii_digit())
        .then_some(code)
}

/// `npm error code ERESOLVE`.
fn npm_code(line: &str) -> Option<&str> {
    let code = npm_code_word(line)?;
    (!code.starts_with(|c: char| c.is_ascii_digit()) && code != "ELIFECYCLE").then(|| line.trim())
}

/// `npm error code 127`: the exit code of a script.
fn npm_exit_code(line: &str) -> Option<&str> {
    npm_code_word(line).map(|_| line.trim())
}

fn npm_code_word(line: &str) -> Option<&str> {
    let line = line.trim();
    let code = line.strip_prefix("npm error code ").or_else(|| line.strip_prefix("npm ERR! code "))?;
    code.split_whitespace().next()
}

/// `ERR_PNPM_OUTDATED_LOCKFILE`.
fn pnpm_code(line: &str) -> Option<&str> {
    let code = line.get(line.find("ERR_PNPM_")?..)?;
    let end = code.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(code.len());
    code.get(..end)
}

/// `error TS2322`.
fn typescript_code(line: &str) -> Option<&str> {
    let code = line.get(line.find("error TS")?..)?;
    let digits = code.bytes().skip("error TS".len()).take_while(u8::is_ascii_digit).count();
    if digits == 0 { None } else { code.get(.."error TS".len() + digits) }
}

/// `sh: 1: open-next: not found`, `bash: hugo: command not found`.
fn not_found(line: &str) -> Option<&str> {
    let line = line.trim();
    (line.contains("command not found") || line.ends_with(": not found")).then_some(line)
}

/// The first `✘ [ERROR] …` that says what went wrong.
fn block(line: &str) -> Option<&str> {
    block_of_blocks(line).filter(|line| !line.ends_with(" error:") && !line.ends_with(" errors:"))
}

/// `✘ [ERROR] Build failed with 1 error:`, which others follow.
fn block_of_blocks(line: &str) -> Option<&str> {
    let line = line.trim();
    line.starts_with("✘ [ERROR]").then_some(line)
}

fn lifecycle(line: &str) -> Option<&str> {
    let line = line.trim();
    line.contains("ELIFECYCLE").then_some(line)
}

/// `script "deploy" exited with code 1`.
fn exit_code(line: &str) -> Option<&str> {
    let code = line.get(line.find("exited with code ")?..)?;
    let digits = code.bytes().skip("exited with code ".len()).take_while(u8::is_ascii_digit).count();
    if digits == 0 { None } else { code.get(.."exited with code ".len() + digits) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_class(line: &str, open: Option<Phase>, pages: bool, expect: Option<&str>) {
        assert_eq!(verdict(Mark::Failed, line.as_bytes(), open, pages).failure_class, expect, "{line}");
    }

    #[test]
    fn classes() {
        let build = "Failed: error occurred while running build command";
        check_class(build, Some(Phase::Build), false, Some("build_command"));
        check_class(build, Some(Phase::Install), true, Some("tools_or_dependencies"));
        check_class(build, Some(Phase::Install), false, Some("build_command"));
        check_class("Failed: root directory not found", None, false, Some("root_directory"));
        check_class("Failed: build output directory not found", None, true, Some("output_directory"));
        check_class("Failed: something new", None, false, None);
        let timeout = verdict(Mark::InitTimeout, b"", None, false);
        assert_eq!((timeout.status, timeout.failure_class), (Status::TimedOut, Some("init_timeout")));
    }

    #[track_caller]
    fn check_kind(line: &str, expect: Option<&str>) {
        assert_eq!(CAUSES.iter().find_map(|kind| kind(line)), expect, "{line}");
        let is_found = WORDS.iter().any(|word| memchr::memmem::find(line.as_bytes(), word).is_some());
        assert!(is_found || expect.is_none(), "{line}");
    }

    #[test]
    fn causes() {
        check_kind("  Authentication error [code: 10000]", Some("[code: 10000]"));
        check_kind("npm error code ERESOLVE", Some("npm error code ERESOLVE"));
        check_kind("npm error code 127", Some("npm error code 127"));
        check_kind(" ERR_PNPM_OUTDATED_LOCKFILE  Cannot install", Some("ERR_PNPM_OUTDATED_LOCKFILE"));
        check_kind("src/a.ts(1,2): error TS2322: Type", Some("error TS2322"));
        check_kind("sh: 1: open-next: not found", Some("sh: 1: open-next: not found"));
        check_kind("error: script \"deploy\" exited with code 1", Some("exited with code 1"));
        check_kind("  ✘ [ERROR] Expected \"}\"", Some("✘ [ERROR] Expected \"}\""));
        check_kind("[code: none]", None);
        check_kind("fatal: No url found for submodule path 'x'", None);
    }
}
