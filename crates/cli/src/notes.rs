//! What is said on standard error about inputs: which are no logs, and what could not be read as expected.

use std::collections::BTreeMap;
use std::path::Path;

use logmill_analyze::model::IssueRow;
use logmill_analyze::{Input, Report};
use logmill_parse::{Code, Severity};

use crate::terminal::{self, Paint, count, counted, input_name, safe};
use crate::{excerpt, nearest};

/// Issues that `--verbose` shows; the table has them all.
const MAX_SHOWN: usize = 100;
/// Inputs named in one line.
const MAX_PLACES: usize = 3;
/// Columns where nobody says how wide the terminal is.
const WIDTH: usize = 100;

/// Issues that are about an input as a whole, because it is no log or cannot be read.
#[must_use]
pub fn is_about_the_input(issue: &IssueRow) -> bool {
    is_unread(issue) || matches!(issue.code, "unknown-format" | "error-body")
}

/// Whether the issue says that bytes of an input could not be read.
#[must_use]
pub fn is_unread(issue: &IssueRow) -> bool {
    const CODES: [Code; 7] = [
        Code::UnreadableInput,
        Code::TruncatedArchive,
        Code::CorruptArchive,
        Code::DecompressionLimit,
        Code::NestedTooDeep,
        Code::EncryptedMember,
        Code::UnsupportedCompression,
    ];
    CODES.iter().any(|code| code.as_str() == issue.code)
}

/// Whether the issue spoils the exit code where its input was named. An error answer was read as what it is.
#[must_use]
pub fn is_fatal(issue: &IssueRow) -> bool {
    issue.code != "error-body"
}

/// About an input that was named: what is wrong with it, its first line, and what may help.
#[must_use]
pub fn of_named(issue: &IssueRow, input: Option<&dyn Input>, paint: Paint) -> String {
    let word = if is_fatal(issue) { paint.red("error") } else { paint.yellow("warning") };
    let mut lines = vec![format!("{word}: {}: {}", place(issue), safe(&issue.message))];
    if issue.code == "unknown-format" {
        let first = IssueRow { line: Some(1), byte_offset: Some(0), ..issue.clone() };
        lines.extend(excerpt::of(&first, input, width(), paint).into_iter().skip(1));
    }
    lines.extend(help(issue).map(|help| format!("  {} help: {help}", paint.dim("="))));
    lines.join("\n")
}

fn help(issue: &IssueRow) -> Option<String> {
    match issue.code {
        "unknown-format" => Some("if it is one of them all the same, name it with --from".to_owned()),
        "error-body" => Some("this is what the API said instead of a log: download it again".to_owned()),
        _ => neighbour(Path::new(&issue.source)).map(|name| format!("there is `{}` beside it", safe(&name))),
    }
}

/// The file or folder whose name is most like that of one that is not there.
fn neighbour(path: &Path) -> Option<String> {
    if path.exists() {
        return None;
    }
    let name = path.file_name()?.to_str()?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let entries = std::fs::read_dir(folder.unwrap_or(Path::new("."))).ok()?;
    let mut names: Vec<String> =
        entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).take(10_000).collect();
    names.sort();
    let nearest = nearest::nearest(name, names.iter().map(String::as_str))?;
    Some(
        folder
            .map_or_else(|| nearest.to_owned(), |folder| folder.join(nearest).to_string_lossy().into_owned()),
    )
}

/// One line for each kind of thing found by walking that is no log.
#[must_use]
pub fn of_found(issues: &[&IssueRow], paint: Paint) -> Vec<String> {
    let of = |is_meant: &dyn Fn(&IssueRow) -> bool| -> Vec<&IssueRow> {
        let mut of: Vec<&IssueRow> = issues.iter().copied().filter(|issue| is_meant(issue)).collect();
        of.dedup_by(|a, b| (&a.source, &a.member) == (&b.source, &b.member));
        of
    };
    let line = |is_meant: &dyn Fn(&IssueRow) -> bool, one: &str, several: &str, word: String| {
        let of = of(is_meant);
        (!of.is_empty()).then(|| {
            let what = if of.len() == 1 { one } else { several };
            format!("{word}: {} {what}: {}", count(of.len() as u64), places(&of))
        })
    };
    [
        line(
            &|issue| issue.code == Code::UnreadableInput.as_str(),
            "file could not be read",
            "files could not be read",
            paint.yellow("warning"),
        ),
        line(
            &|issue| is_unread(issue) && issue.code != Code::UnreadableInput.as_str(),
            "file could not be unpacked whole",
            "files could not be unpacked whole",
            paint.yellow("warning"),
        ),
        line(
            &|issue| issue.code == "error-body",
            "file is an API's error answer, saved instead of a log",
            "files are an API's error answers, saved instead of logs",
            paint.yellow("warning"),
        ),
        line(
            &|issue| issue.code == "unknown-format",
            "file is no log",
            "files are no logs",
            paint.dim("note"),
        ),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// The input an issue is about.
fn place(issue: &IssueRow) -> String {
    input_name(&issue.source, issue.member.as_deref())
}

/// The first few inputs; why a single one could not be read.
fn places(issues: &[&IssueRow]) -> String {
    if let [issue] = issues {
        return format!("{}: {}", place(issue), safe(&issue.message));
    }
    let mut places: Vec<String> = issues.iter().take(MAX_PLACES).map(|issue| place(issue)).collect();
    if issues.len() > MAX_PLACES {
        places.push(format!("and {} more (table `issues`)", count((issues.len() - MAX_PLACES) as u64)));
    }
    places.join(", ")
}

/// Issues one by one, each with its place and the line that stands there.
#[must_use]
pub fn one_by_one(report: &Report, inputs: &[&dyn Input], paint: Paint) -> Vec<String> {
    let by_name: BTreeMap<(&str, Option<&str>), &dyn Input> =
        inputs.iter().map(|input| ((input.source(), input.member()), *input)).collect();
    let width = width();
    let one = |issue: &IssueRow| {
        let word = format!("{}[{}]", issue.severity.as_str(), issue.code);
        let word = match issue.severity {
            Severity::Error => paint.red(&word),
            Severity::Warning => paint.yellow(&word),
            Severity::Info => paint.dim(&word),
        };
        let input = by_name.get(&(issue.source.as_str(), issue.member.as_deref())).copied();
        let lines = excerpt::of(issue, input, width, paint).join("\n");
        format!("{word}: {}\n{lines}\n", safe(&issue.message))
    };
    let mut lines: Vec<String> = report.issues.iter().take(MAX_SHOWN).map(one).collect();
    if report.issues.len() > MAX_SHOWN {
        let rest = counted((report.issues.len() - MAX_SHOWN) as u64, "more issue", "more issues");
        lines.push(format!(
            "… {rest}: `logmill convert PATHS --table issues -o issues.csv` writes them all\n"
        ));
    }
    lines
}

/// How much of the logs could not be read as expected: the number of issues by code. Nothing is said
/// of what merely is worth knowing.
#[must_use]
pub fn in_one_line(report: &Report) -> Option<String> {
    let mut by_code: BTreeMap<(Severity, &str), u64> = BTreeMap::new();
    let matters = |issue: &&IssueRow| issue.severity != Severity::Info && !is_about_the_input(issue);
    for issue in report.issues.iter().filter(matters) {
        *by_code.entry((issue.severity, issue.code)).or_default() += 1;
    }
    let total = by_code.values().sum();
    let codes: Vec<String> = by_code.iter().map(|((_, code), n)| format!("{} {code}", count(*n))).collect();
    (total > 0).then(|| format!("{}: {}", counted(total, "issue", "issues"), codes.join(", ")))
}

fn width() -> usize {
    terminal::width_of_stderr().unwrap_or(WIDTH)
}
