//! Commands that tell about the program: formats, tables, completions, manual pages.

use std::fmt::Write as _;
use std::fs;
use std::io::{self, Write as _};
use std::path::Path;

use anyhow::Context;
use clap_complete::Shell;
use clap_mangen::Man;
use logmill_frame::{Table, schema};
use logmill_parse::{Kind, format};
use serde_json::json;

use super::print;
use crate::args::{self, FormatsArgs, SchemaArgs};
use crate::failure::{Done, Failure};
use crate::terminal::safe;

/// The formats, as Markdown or one JSON object each.
#[must_use]
pub fn formats(args: &FormatsArgs) -> String {
    let mut out = String::new();
    for format in format::ALL {
        let about = format.about();
        if args.json {
            let object = json!({
                "id": about.id, "platform": about.platform.as_str(), "kind": about.kind.map(Kind::as_str),
                "title": about.title, "endpoint": about.endpoint, "shapes": about.shapes,
            });
            let _ = writeln!(out, "{object}");
            continue;
        }
        let _ = writeln!(out, "## {}\n\n{}, from {}\n", about.id, about.title, about.endpoint);
        for shape in about.shapes {
            let _ = writeln!(out, "- {shape}");
        }
        out.push('\n');
    }
    format!("{}\n", out.trim_end())
}

/// The tables, as Markdown or JSON.
#[must_use]
pub fn schema(args: &SchemaArgs) -> String {
    let tables = args.table.map_or_else(|| Table::ALL.to_vec(), |table| vec![table]);
    if args.json {
        return schema::json(&tables);
    }
    tables.into_iter().map(schema::markdown).collect::<Vec<_>>().join("\n")
}

/// What makes a shell complete commands, options and their values.
///
/// # Errors
///
/// If that is no text.
pub fn completions(shell: Shell) -> Result<String, Failure> {
    let mut out = Vec::new();
    clap_complete::generate(shell, &mut args::definition(), "logmill", &mut out);
    Ok(String::from_utf8(out).context("cannot make completions")?)
}

/// The main manual page to standard output, or all of them to a folder.
///
/// # Errors
///
/// If they cannot be written.
pub fn man(folder: Option<&Path>) -> Result<Done, Failure> {
    let pages = pages().context("cannot make manual pages")?;
    let Some(folder) = folder else {
        return print(pages.first().map_or("", |(_, page)| page));
    };
    let context = |path: &Path| format!("cannot write {}", path.display());
    fs::create_dir_all(folder).with_context(|| context(folder))?;
    for (name, page) in &pages {
        let path = folder.join(name);
        fs::write(&path, page).with_context(|| context(&path))?;
    }
    let shown = safe(&folder.to_string_lossy()).into_owned();
    let _ = writeln!(io::stderr(), "wrote {} pages to {shown}", pages.len());
    Ok(Done::Well)
}

/// What no single option says.
const ENDINGS: &str = "\
.SH EXIT STATUS
.TP
0
Done. Bad lines, and strange files that were found rather than named, are reported and change nothing.
.TP
1
Done, but an input that was named could not be read, or \\fB\\-\\-strict\\fR objects.
.TP
2
The command line does not make sense.
.TP
3
An output is in the way, or the system refused.
.SH ENVIRONMENT
.TP
NO_COLOR
Where it is set, nothing is coloured unless \\fB\\-\\-color always\\fR asks for it.
.TP
CLICOLOR_FORCE
Where it is set, text for people is coloured in files and pipes, too.
.TP
TERM, LC_ALL, LC_CTYPE, LANG
On dumb terminals, and where the locale is not UTF\\-8, charts are made of ASCII.
";

/// Names and texts of the pages, the main one first.
fn pages() -> io::Result<Vec<(String, String)>> {
    let mut root = args::definition().disable_help_subcommand(true);
    root.build();
    let (name, main) = page("logmill", root.clone())?;
    let (before, version) = main.split_once(".SH VERSION").unwrap_or((&main, ""));
    let mut pages = vec![(name, format!("{before}{ENDINGS}.SH VERSION{version}"))];
    for command in root.get_subcommands() {
        let name = format!("logmill-{}", command.get_name());
        let page = page(&name, command.clone().version(env!("CARGO_PKG_VERSION")))?;
        pages.push(page);
    }
    Ok(pages)
}

fn page(name: &str, command: clap::Command) -> io::Result<(String, String)> {
    let mut page = Vec::new();
    Man::new(command).title(name).render(&mut page)?;
    let page = String::from_utf8(page).map_err(io::Error::other)?;
    // What stands behind the help are examples, and they are to keep their lines.
    let page = match page.split_once(".SH EXTRA\nExamples:\n") {
        Some((before, rest)) => {
            let (examples, after) = rest.split_once(".SH").unwrap_or((rest, ""));
            let after = if after.is_empty() { String::new() } else { format!(".SH{after}") };
            format!("{before}.SH EXAMPLES\n.nf\n{}\n.fi\n{after}", examples.trim_end())
        }
        None => page,
    };
    Ok((format!("{name}.1"), page))
}
