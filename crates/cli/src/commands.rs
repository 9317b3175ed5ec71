//! The commands, one function each.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::Path;

use anyhow::Context;
use logmill_analyze::Selection;
use logmill_frame::{FileFormat, Table, schema};
use logmill_parse::{Code, Wants, format};

use crate::args::{Command, ConvertArgs, DemoArgs, ExplainArgs, ReportArgs, SchemaArgs, TableArgs, Tables};
use crate::failure::{Done, Failure};
use crate::session::{Session, any_time, selection};
use crate::terminal::Paint;
use crate::{rows, summary, write};

mod detect;
mod show;

/// Does what the command line says.
///
/// # Errors
///
/// If it cannot be done.
pub fn run(command: Command) -> Result<Done, Failure> {
    match command {
        Command::Report(args) => report(&args),
        Command::Convert(args) => convert(&args),
        Command::Detect(args) => detect::run(&args),
        Command::Runs(args) => table(Table::Runs, &args),
        Command::Steps(args) => table(Table::Steps, &args),
        Command::Errors(args) => table(Table::Errors, &args),
        Command::Requests(args) => table(Table::Requests, &args),
        Command::Durations(args) => table(Table::Durations, &args),
        Command::Rates(args) => table(Table::Rates, &args),
        Command::Show(args) => show::run(&args),
        Command::Formats => print(&formats()),
        Command::Schema(args) => print(&schema_text(&args)),
        Command::Explain(args) => print(&explain(&args)),
        Command::Demo(args) => demo(&args),
    }
}

/// Prints to standard output.
fn print(text: &str) -> Result<Done, Failure> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).context("cannot write to standard output")?;
    Ok(Done::Well)
}

fn report(args: &ReportArgs) -> Result<Done, Failure> {
    let wants = if args.output.is_some() { Wants::Everything } else { Wants::Runs };
    let session = Session::open(&args.input, wants)?;
    let select = selection(&args.select, args.time.time_zone);
    let report = session.report(&select, &args.time)?;
    let mut next =
        "next: `logmill report PATHS -o DIR` writes these tables as Parquet, CSV or NDJSON".to_owned();
    if let Some(folder) = &args.output {
        let job = write::Job {
            session: &session,
            report: &report,
            select: &select,
            level: None,
            text: write::csv_text(&args.write),
        };
        let tables: Vec<Table> = Table::of_report().collect();
        let manifest = write::write_set(job, folder, &tables, &args.write, options_of(args))?;
        next = format!("wrote {} tables and manifest.json to {}", manifest.files.len(), folder.display());
    }
    if args.json {
        print(&summary::json(&report))?;
    } else {
        print(&summary::text(&report, Paint::for_stdout(args.notes.color)))?;
    }
    session.conclude(&report, &args.notes, &next)
}

/// The options that decide what stands in the tables, for the manifest.
fn options_of(args: &ReportArgs) -> BTreeMap<String, String> {
    let mut options = BTreeMap::from([
        ("from".to_owned(), format!("{:?}", args.input.from)),
        ("bucket".to_owned(), args.time.bucket.to_string()),
        ("time-zone".to_owned(), args.time.time_zone.name().to_owned()),
        ("split-runs".to_owned(), format!("{:?}", args.input.split_runs).to_lowercase()),
    ]);
    if !args.select.group.is_empty() {
        options.insert("group".to_owned(), args.select.group.join(","));
    }
    options
}

fn convert(args: &ConvertArgs) -> Result<Done, Failure> {
    let tables = chosen(&args.table);
    let by_suffix = FileFormat::from_path(&args.output);
    let is_stdout = args.output == Path::new("-");
    let is_file = is_stdout || (by_suffix.is_some() && !args.output.is_dir());
    if is_file && tables.len() != 1 {
        return Err(Failure::Usage(format!(
            "expected one --table for the file {}, found {}; give a folder for several",
            args.output.display(),
            tables.len()
        )));
    }
    let format = match (is_file, by_suffix, args.write.to.as_slice()) {
        (false, ..) => None,
        (true, Some(suffix), []) => Some(suffix),
        (true, Some(suffix), [to]) if suffix == *to => Some(suffix),
        (true, None, [to]) => Some(*to),
        (true, None, []) => Some(FileFormat::Ndjson),
        (true, _, to) => {
            let to: Vec<&str> = to.iter().map(|format| format.as_str()).collect();
            return Err(Failure::Usage(format!(
                "{} does not go with --to {}",
                args.output.display(),
                to.join(" --to ")
            )));
        }
    };
    let wants = if tables.contains(&Table::Metrics) { Wants::Everything } else { Wants::Runs };
    let session = Session::open(&args.input, wants)?;
    let select = selection(&args.select, args.time.time_zone);
    let report = session.report(&select, &args.time)?;
    let job = write::Job {
        session: &session,
        report: &report,
        select: &select,
        level: args.level,
        text: write::csv_text(&args.write),
    };
    let next = if let (Some(format), [table]) = (format, tables.as_slice()) {
        let rows = write::write_file(job, &args.output, *table, format, &args.write)?;
        format!("wrote {rows} rows of {table} to {}", args.output.display())
    } else {
        let manifest = write::write_set(job, &args.output, &tables, &args.write, BTreeMap::new())?;
        format!("wrote {} tables and manifest.json to {}", manifest.files.len(), args.output.display())
    };
    session.conclude(&report, &args.notes, &next)
}

fn chosen(tables: &[Tables]) -> Vec<Table> {
    let wanted = |table: &Table| {
        tables.iter().any(|chosen| matches!(chosen, Tables::All) || *chosen == Tables::One(*table))
    };
    Table::ALL.iter().copied().filter(wanted).collect()
}

fn table(table: Table, args: &TableArgs) -> Result<Done, Failure> {
    let session = Session::open(&args.input, Wants::Runs)?;
    let select = selection(&args.select, args.time.time_zone);
    let mut report = session.report(&select, &args.time)?;
    if let Some(level) = args.level {
        report.errors.retain(|group| group.level <= level);
    }
    let (shown, total) = rows::print(&report, table, args)?;
    let next =
        if shown < total { format!("{shown} of {total} rows; --limit 0 shows all") } else { String::new() };
    session.conclude(&report, &args.notes, &next)
}

fn formats() -> String {
    use std::fmt::Write;
    let mut out = String::new();
    for format in format::ALL {
        let about = format.about();
        let _ = writeln!(out, "{}: {}", about.id, about.title);
        let _ = writeln!(out, "    from {}", about.endpoint);
        for shape in about.shapes {
            let _ = writeln!(out, "    - {shape}");
        }
    }
    out
}

fn schema_text(args: &SchemaArgs) -> String {
    let tables = args.table.map_or_else(|| Table::ALL.to_vec(), |table| vec![table]);
    if args.json {
        return schema::json(&tables);
    }
    tables.into_iter().map(schema::markdown).collect::<Vec<_>>().join("\n")
}

fn explain(args: &ExplainArgs) -> String {
    let codes = args.code.map_or_else(|| Code::ALL.to_vec(), |code| vec![code]);
    let text = |code: Code| {
        format!(
            "{} ({}): {}\n    {}\n",
            code.as_str(),
            code.severity().as_str(),
            code.title(),
            code.explanation()
        )
    };
    codes.into_iter().map(text).collect()
}

fn demo(args: &DemoArgs) -> Result<Done, Failure> {
    let folder = &args.folder;
    let is_free = match std::fs::read_dir(folder) {
        Ok(mut entries) => entries.next().is_none(),
        Err(_) => !folder.exists(),
    };
    if !is_free {
        return Err(Failure::System(anyhow::anyhow!(
            "{} exists and is not an empty folder",
            folder.display()
        )));
    }
    let files = logmill_generate::demo().files;
    for (path, bytes) in &files {
        let target = folder.join(path);
        let context = || format!("cannot write {}", target.display());
        if let Some(parent) = target.parent() {
            std::fs::create_dir_all(parent).with_context(context)?;
        }
        std::fs::write(&target, bytes).with_context(context)?;
    }
    eprintln!("wrote {} files; next: logmill report {}", files.len(), folder.display());
    Ok(Done::Well)
}

/// Every run.
#[must_use]
pub fn everything() -> (Selection, crate::args::TimeArgs) {
    (Selection::default(), any_time())
}
