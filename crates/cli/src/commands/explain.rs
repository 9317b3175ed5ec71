//! `logmill explain`: what a code of the table `issues` means, or how one line of an input was read.

mod line;
mod marks;
mod shown;

use logmill_parse::Code;
use serde_json::json;

use super::print;
use crate::args::ExplainArgs;
use crate::failure::{Done, Failure};
use crate::nearest;

/// Explains what it is asked about.
///
/// # Errors
///
/// If it is neither a code nor a line of a file, or standard output is closed.
pub fn run(args: &ExplainArgs) -> Result<Done, Failure> {
    match &args.what {
        None => print(&codes(Code::ALL, args)),
        Some(what) => match (Code::from_id(what), Spot::read(what)) {
            (Some(code), _) => print(&codes(&[code], args)),
            (None, Some(spot)) => line::run(&spot, args),
            (None, None) => Err(Failure::Usage(neither(what))),
        },
    }
}

/// A place in a file.
#[derive(Debug, PartialEq, Eq)]
struct Spot {
    path: String,
    /// From 1.
    line: u64,
    /// From 1, in bytes; the whole line without it.
    column: Option<u64>,
}

impl Spot {
    /// `FILE:LINE` or `FILE:LINE:COLUMN`. The name of the file may hold colons.
    fn read(text: &str) -> Option<Self> {
        let number = |digits: &str| digits.parse::<u64>().ok().filter(|number| *number > 0);
        let (rest, last) = text.rsplit_once(':')?;
        let last = number(last)?;
        let before = rest.rsplit_once(':').and_then(|(path, line)| Some((path, number(line)?)));
        match before.filter(|(path, _)| !path.is_empty()) {
            Some((path, line)) => Some(Self { path: path.to_owned(), line, column: Some(last) }),
            None if rest.is_empty() => None,
            None => Some(Self { path: rest.to_owned(), line: last, column: None }),
        }
    }
}

fn neither(what: &str) -> String {
    let found = what.escape_debug();
    if std::path::Path::new(what).exists() {
        return format!("expected a line of {found}, as in `logmill explain {found}:1`");
    }
    let tip = nearest::tip(what, Code::ALL.iter().map(|code| code.as_str()));
    format!("expected a code of `logmill explain`, or FILE:LINE, found `{found}`{tip}")
}

fn codes(codes: &[Code], args: &ExplainArgs) -> String {
    if args.json {
        let object = |code: &Code| {
            let object = json!({
                "code": code.as_str(), "severity": code.severity().as_str(), "title": code.title(),
                "explanation": code.explanation(),
            });
            format!("{object}\n")
        };
        return codes.iter().map(object).collect();
    }
    let text = |code: &Code| {
        format!(
            "{} ({}): {}\n    {}\n",
            code.as_str(),
            code.severity().as_str(),
            code.title(),
            code.explanation()
        )
    };
    codes.iter().map(text).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places() {
        let spot = |path: &str, line, column| Some(Spot { path: path.to_owned(), line, column });
        assert_eq!(Spot::read("a.log:12"), spot("a.log", 12, None));
        assert_eq!(Spot::read("a.log:12:3"), spot("a.log", 12, Some(3)));
        assert_eq!(Spot::read("C:\\a.log:12"), spot("C:\\a.log", 12, None));
        assert_eq!(Spot::read("at:10:a.log:12"), spot("at:10:a.log", 12, None));
        for text in ["a.log", "a.log:", "a.log:0", "a.log:x", ":3", "truncated-log", ""] {
            assert_eq!(Spot::read(text), None, "{text}");
        }
    }
}
