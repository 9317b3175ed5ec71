//! Arguments of the commands that tell about the program, the tables, and how something was read.

use std::path::PathBuf;

use clap::Args;
use clap_complete::Shell;
use logmill_analyze::Layout;
use logmill_frame::Table;

use super::NoteArgs;
use super::values::{self, FromFormat};

/// `logmill formats`
#[derive(Debug, Args)]
pub struct FormatsArgs {
    /// One JSON object per format instead of Markdown
    #[arg(long)]
    pub json: bool,
}

/// `logmill schema`
#[derive(Debug, Args)]
pub struct SchemaArgs {
    /// The table; all of them without it
    #[arg(value_name = "TABLE", value_parser = values::table())]
    pub table: Option<Table>,
    /// JSON instead of Markdown
    #[arg(long)]
    pub json: bool,
}

/// `logmill explain`
#[derive(Debug, Args)]
pub struct ExplainArgs {
    /// A code of the table `issues`, or a line of a log
    ///
    /// `FILE:LINE`, or `FILE:LINE:COLUMN` where several events stand on one line. Without it, every code.
    #[arg(value_name = "CODE|FILE:LINE")]
    pub what: Option<String>,
    /// Format of the file, instead of recognising it by its content
    #[arg(long, value_name = "FORMAT", default_value = "auto", value_parser = values::format(), help_heading = "Input")]
    pub from: FromFormat,
    /// How paths name runs and groups, e.g. `{group}/{run_id}.log`
    #[arg(long, value_name = "PATTERN", help_heading = "Input")]
    pub layout: Option<Layout>,
    /// Mask secrets and e-mail addresses in every output
    #[arg(long, help_heading = "Output")]
    pub redact: bool,
    /// One JSON object per code, or for the line
    #[arg(long, help_heading = "Output")]
    pub json: bool,
    #[command(flatten)]
    pub notes: NoteArgs,
}

/// `logmill completions`
#[derive(Debug, Args)]
pub struct CompletionsArgs {
    /// The shell: bash, elvish, fish, powershell, zsh
    #[arg(value_name = "SHELL")]
    pub shell: Shell,
}

/// `logmill man`
#[derive(Debug, Args)]
pub struct ManArgs {
    /// Folder for one page per command
    ///
    /// Without it the main page is printed. Pages that are there are replaced.
    #[arg(value_name = "DIR")]
    pub folder: Option<PathBuf>,
}
