//! The two lengths of help: `-h` is one screen and begins with examples; `--help` has every option, and
//! ends with them.

use std::ffi::OsString;

use clap::builder::{StyledStr, Styles};
use clap::{Command, CommandFactory};

use super::Cli;

/// How much help says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Length {
    /// What most people want most of the time.
    Short,
    /// Everything.
    Full,
}

impl Length {
    /// The length that the words of a command line ask for, should it come to help.
    #[must_use]
    pub fn asked_for(args: &[OsString]) -> Self {
        let mut words = args.iter().skip(1).take_while(|word| *word != "--").peekable();
        let is_short = match words.peek() {
            None => true,
            Some(first) if *first == "help" => false,
            Some(_) => words.any(|word| word == "-h"),
        };
        if is_short { Self::Short } else { Self::Full }
    }
}

/// Options that short help names; `--help` has the others.
const COMMON: [&str; 32] = [
    "paths",
    "run_id",
    "what",
    "folder",
    "output",
    "to",
    "table",
    "html",
    "overwrite",
    "json",
    "since",
    "until",
    "group",
    "status",
    "level",
    "limit",
    "sort",
    "context",
    "bucket",
    "quiet",
    "verbose",
    "shell",
    "ids",
    "actor",
    "task",
    "account",
    "worker",
    "user",
    "follow",
    "record",
    "dry_run",
    "token_file",
];

/// Commands that short help leaves out.
const RARE: [&str; 2] = ["completions", "man"];

/// The command line without colours, for completions and manual pages.
#[must_use]
pub fn definition() -> Command {
    let command = Cli::command().styles(Styles::plain());
    command.mut_subcommands(|command| command.styles(Styles::plain()))
}

const HEADING: &str = "Examples:";

/// The command line.
#[must_use]
pub fn command(length: Length) -> Command {
    let styles = Styles::styled();
    let command = Cli::command().styles(styles.clone());
    match length {
        Length::Full => {
            let command = command.mut_subcommands(|command| {
                let command = command.mut_subcommands(|nested| examples_last(nested, &styles));
                examples_last(command, &styles)
            });
            examples_last(command, &styles)
        }
        Length::Short => {
            let command = command.mut_subcommands(|command| short(command, "logmill", &styles));
            let root = command.mut_subcommands(|command| {
                let is_rare = RARE.contains(&command.get_name());
                command.hide(is_rare)
            });
            let heading = styles.get_header();
            let template = format!(
                "{{about-with-newline}}\n{{before-help}}{{usage-heading}} {{usage}}\n\n{heading}Commands:{heading:#}\n{{subcommands}}{{after-help}}"
            );
            examples_first(root, &styles)
                .disable_help_subcommand(true)
                .after_help("`logmill COMMAND -h` says more about a command, `--help` everything.")
                .help_template(template)
        }
    }
}

fn examples_last(command: Command, styles: &Styles) -> Command {
    match examples(&command, styles) {
        Some(examples) => command.after_help(examples),
        None => command,
    }
}

fn examples_first(command: Command, styles: &Styles) -> Command {
    match examples(&command, styles) {
        Some(examples) => command.before_help(examples),
        None => command,
    }
}

/// The examples of a command, which its definition states behind its help.
fn examples(command: &Command, styles: &Styles) -> Option<StyledStr> {
    let text = command.get_after_help()?.to_string();
    let heading = styles.get_header();
    Some(text.replacen(HEADING, &format!("{heading}{HEADING}{heading:#}"), 1).into())
}

/// Options that all tables share, but that show in few of them.
fn matters_elsewhere(command: &str, option: &str) -> bool {
    match option {
        "level" => !matches!(command, "errors" | "convert"),
        "bucket" => !matches!(command, "rates" | "report" | "convert"),
        _ => false,
    }
}

/// One line per common option, examples before them.
fn short(command: Command, above: &str, styles: &Styles) -> Command {
    let name = command.get_name().to_owned();
    let path = format!("{above} {name}");
    let command = command.mut_subcommands(|nested| short(nested, &path, styles));
    let command = command.mut_args(|arg| {
        let id = arg.get_id().as_str();
        let is_rare = !COMMON.contains(&id) || matters_elsewhere(&name, id);
        let arg = arg.hide_short_help(is_rare).help_heading(None::<&str>);
        // Its line says what values there are; lists of them are for --help.
        if arg.get_action().takes_values() {
            arg.hide_possible_values(true).hide_default_value(true)
        } else {
            arg
        }
    });
    examples_first(command, styles)
        .after_help(format!("`{path} --help` has every option."))
        .help_template("{about-with-newline}\n{before-help}{usage-heading} {usage}\n\n{all-args}{after-help}")
}
