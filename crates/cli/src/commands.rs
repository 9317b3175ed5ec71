//! The commands, one function each.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, IsTerminal, Write};
use std::path::Path;

use anyhow::Context;
use chrono::{DateTime, SecondsFormat};
use logmill_analyze::{Detail, Report, Selection};
use logmill_frame::{FileFormat, Manifest, Table};
use logmill_parse::Micros;

use crate::args::{Command, ConvertArgs, DemoArgs, InputArgs, ReportArgs, TableArgs, Tables, TimeArgs};
use crate::failure::{Done, Failure};
use crate::session::{Ending, Session, any_time, selection};
use crate::terminal::{Paint, count, counted, for_stdout, safe, safe_json};
use crate::{charts, rows, summary, write};

mod about;
mod bench;
mod detect;
mod explain;
#[cfg(feature = "fetch")]
mod fetch;
mod page;
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
        Command::Bench(args) => bench::run(&args),
        Command::Formats(args) => print(&about::formats(&args)),
        Command::Schema(args) => print(&about::schema(&args)),
        Command::Explain(args) => explain::run(&args),
        Command::Demo(args) => demo(&args),
        #[cfg(feature = "fetch")]
        Command::Fetch(args) => fetch::run(&args),
        Command::Completions(args) => print(&about::completions(args.shell)?),
        Command::Man(args) => about::man(args.folder.as_deref()),
    }
}

/// What to do next, for somebody at a terminal who has typed the name of the program and nothing else.
///
/// # Errors
///
/// If standard output is closed.
pub fn welcome() -> Result<Done, Failure> {
    print(WELCOME)
}

const WELCOME: &str = "\
logmill mills downloaded logs of automation platforms into tables.

  logmill demo demo            writes a small example dump
  logmill report demo          sums it up
  logmill report FOLDER        sums up your own logs, wherever they are
  logmill -h                   shows what else there is
";

/// Prints to standard output.
fn print(text: &str) -> Result<Done, Failure> {
    let mut out = io::stdout().lock();
    out.write_all(for_stdout(text).as_bytes())
        .and_then(|()| out.flush())
        .context("cannot write to standard output")?;
    Ok(Done::Well)
}

fn report(args: &ReportArgs) -> Result<Done, Failure> {
    if let Some(folder) = &args.output {
        write::check_folder(folder, &args.write)?;
        let is_table = FileFormat::from_path(folder).is_some() && !write::is_folder(folder);
        if is_table || write::looks_like_a_file(folder) {
            return Err(Failure::Usage(format!(
                "expected a folder for the tables, found {}; --html FILE writes the report as a page, `logmill convert -o FILE` one table",
                folder.display()
            )));
        }
    }
    if let Some(path) = &args.html {
        page::check(path, args)?;
    }
    let is_written = args.output.is_some() || args.html.is_some();
    let detail = if is_written { Detail::Everything } else { Detail::Runs };
    let session = Session::open(&args.input, &args.notes, detail)?;
    let select = selection(&args.select, args.time.time_zone);
    let report = session.report(&select, &args.time)?;
    let mut end = Ending::next("`logmill report PATHS -o DIR` writes these tables as Parquet, CSV or NDJSON");
    if let Some(folder) = &args.output {
        let job = write::Job {
            session: &session,
            report: &report,
            select: &select,
            level: None,
            text: write::csv_text(&args.write),
        };
        let tables: Vec<Table> = Table::of_report().collect();
        let (manifest, unread) = write::write_set(
            job,
            folder,
            &tables,
            &args.write,
            options_of(&args.input, &args.time, &select),
        )?;
        end = Ending { unread, ..wrote_set(&manifest, folder) };
    }
    if let Some(path) = &args.html {
        let said = page::write(&session, &report, &select, (path, args))?;
        let next = "open the page in a browser; it loads nothing from elsewhere".to_owned();
        let said = end.said.map_or_else(|| said.clone(), |before| format!("{before}\n{said}"));
        end = Ending { said: Some(said), next: Some(next), ..end };
    }
    if args.json {
        print(&safe_json(&summary::json(&report)))?;
    } else {
        print(&summary::text(&report, Paint::for_stdout(args.notes.color)))?;
    }
    let done = session.conclude(&report, &args.notes, &end.asked(&select));
    leave(session, report);
    done
}

/// Leaves the memory of what has been read to the operating system, which takes it back at once when the
/// process ends: giving back the parts of tens of thousands of runs one by one takes longer than their report.
/// Nothing in them waits for that: outputs have their names by now, and copies of streams have none.
fn leave(session: Session, report: Report) {
    std::mem::forget((session, report));
}

/// What is said of a folder of tables.
fn wrote_set(manifest: &Manifest, folder: &Path) -> Ending {
    let files = counted(manifest.files.len() as u64, "file", "files");
    let tables: BTreeSet<&str> = manifest.files.iter().map(|file| file.table.as_str()).collect();
    let tables = counted(tables.len() as u64, "table", "tables");
    Ending {
        said: Some(format!(
            "wrote {tables} ({files}) and manifest.json to {}",
            safe(&folder.display().to_string())
        )),
        next: Some("`logmill schema` says what every column means".to_owned()),
        ..Ending::default()
    }
}

/// The options that decide what stands in the tables, for the manifest.
fn options_of(input: &InputArgs, time: &TimeArgs, select: &Selection) -> BTreeMap<String, String> {
    let mut options = BTreeMap::from([
        ("from".to_owned(), format!("{:?}", input.from)),
        ("bucket".to_owned(), time.bucket.to_string()),
        ("time-zone".to_owned(), time.time_zone.name().to_owned()),
        ("split-runs".to_owned(), format!("{:?}", input.split_runs).to_lowercase()),
    ]);
    options.extend(given(select));
    options
}

/// The options that choose runs, as far as they were given.
fn given(select: &Selection) -> BTreeMap<String, String> {
    let instant = |ts: Option<Micros>| {
        let at = ts.and_then(DateTime::from_timestamp_micros);
        at.map_or_else(String::new, |at| at.to_rfc3339_opts(SecondsFormat::AutoSi, true))
    };
    let statuses: Vec<&str> = select.statuses.iter().map(|status| status.as_str()).collect();
    let given = [
        ("since", instant(select.since)),
        ("until", instant(select.until)),
        ("group", select.groups.join(",")),
        ("status", statuses.join(",")),
    ];
    let given = given.into_iter().filter(|(_, value)| !value.is_empty());
    given.map(|(name, value)| (name.to_owned(), value)).collect()
}

fn convert(args: &ConvertArgs) -> Result<Done, Failure> {
    let tables = chosen(&args.table);
    let target = target(args, &tables)?;
    let detail = detail_of(&tables);
    let session = Session::open(&args.input, &args.notes, detail)?;
    let select = selection(&args.select, args.time.time_zone);
    let report = session.report(&select, &args.time)?;
    let job = write::Job {
        session: &session,
        report: &report,
        select: &select,
        level: args.level,
        text: write::csv_text(&args.write),
    };
    let end = match target {
        Target::File(table, format) => {
            let (rows, unread) = write::write_file(job, &args.output, table, format, &args.write)?;
            let rows = counted(rows, "row", "rows");
            let path = safe(&args.output.to_string_lossy()).into_owned();
            Ending {
                said: (path != "-").then(|| format!("wrote {rows} of {table} to {path}")),
                next: (path != "-").then(|| format!("`logmill schema {table}` says what every column means")),
                unread,
                ..Ending::default()
            }
        }
        Target::Folder => {
            let (manifest, unread) = {
                let mut options = options_of(&args.input, &args.time, &select);
                options.extend(args.level.map(|level| ("level".to_owned(), level.as_str().to_owned())));
                write::write_set(job, &args.output, &tables, &args.write, options)?
            };
            Ending { unread, ..wrote_set(&manifest, &args.output) }
        }
    };
    let done = session.conclude(&report, &args.notes, &end.asked(&select));
    leave(session, report);
    done
}

/// What `convert` writes to.
enum Target {
    /// One file with one table, or standard output.
    File(Table, FileFormat),
    /// A folder.
    Folder,
}

/// What `-o`, `--table` and `--to` ask for together; refused before anything is read where that is
/// nothing, or where something is in the way.
fn target(args: &ConvertArgs, tables: &[Table]) -> Result<Target, Failure> {
    let by_suffix = FileFormat::from_path(&args.output);
    let is_stdout = args.output == Path::new("-");
    let is_file = is_stdout || (by_suffix.is_some() && !write::is_folder(&args.output));
    if !is_file {
        write::check_folder(&args.output, &args.write)?;
        if write::looks_like_a_file(&args.output) {
            return Err(Failure::Usage(format!(
                "expected a folder, or a file whose name ends in .parquet, .csv or .ndjson, found {}; with / at its end it is a folder",
                args.output.display()
            )));
        }
        return Ok(Target::Folder);
    }
    let [table] = tables else {
        return Err(Failure::Usage(format!(
            "expected one --table for the file {}, found {}; give a folder for several",
            args.output.display(),
            tables.len()
        )));
    };
    let format = match (by_suffix, args.write.to.as_slice()) {
        (Some(suffix), []) => suffix,
        (Some(suffix), [to]) if suffix == *to => suffix,
        (None, [to]) => *to,
        (None, []) => FileFormat::Ndjson,
        (_, to) => {
            let to: Vec<&str> = to.iter().map(|format| format.as_str()).collect();
            return Err(Failure::Usage(format!(
                "{} does not go with --to {}; give one of them, or a folder",
                args.output.display(),
                to.join(" --to ")
            )));
        }
    };
    if !is_stdout {
        write::check_file(&args.output, &args.write)?;
    } else if format == FileFormat::Parquet && io::stdout().is_terminal() {
        return Err(Failure::Usage("Parquet is not for terminals; give -o FILE or a pipe".to_owned()));
    }
    Ok(Target::File(*table, format))
}

fn chosen(tables: &[Tables]) -> Vec<Table> {
    let wanted = |table: &Table| {
        tables.iter().any(|chosen| matches!(chosen, Tables::All) || *chosen == Tables::One(*table))
    };
    Table::ALL.iter().copied().filter(wanted).collect()
}

/// What the survey must be good for.
fn detail_of(tables: &[Table]) -> Detail {
    if tables.contains(&Table::Metrics) {
        Detail::Everything
    } else if tables.contains(&Table::Requests) {
        Detail::Requests
    } else if tables.iter().any(|table| *table != Table::Events) {
        Detail::Runs
    } else {
        Detail::Events
    }
}

fn table(table: Table, args: &TableArgs) -> Result<Done, Failure> {
    if args.level.is_some() && table != Table::Errors {
        return Err(Failure::Usage(format!(
            "--level chooses error groups (`logmill errors`) and events (`logmill convert`), not {table}"
        )));
    }
    rows::check_sort(table, args)?;
    let session = Session::open(&args.input, &args.notes, detail_of(&[table]))?;
    let select = selection(&args.select, args.time.time_zone);
    let mut report = session.report(&select, &args.time)?;
    if let Some(level) = args.level {
        report.errors.retain(|group| group.level <= level);
    }
    let (shown, total) = rows::print(&report, table, args)?;
    if table == Table::Durations && !args.json && io::stdout().is_terminal() {
        let durations: Vec<i64> = report.runs.iter().filter_map(|run| run.duration_ms).collect();
        print(&charts::histogram("Runs by duration", &durations, Paint::for_stdout(args.notes.color)))?;
    }
    let end = Ending {
        said: (shown < total)
            .then(|| format!("{} of {} rows; --limit 0 shows all", count(shown as u64), count(total as u64))),
        next: (shown > 0).then(|| next_of(table).to_owned()),
        ..Ending::default()
    };
    session.conclude(&report, &args.notes, &end.asked(&select))
}

/// What helps whoever has seen a table.
const fn next_of(table: Table) -> &'static str {
    match table {
        Table::Runs => "`logmill show RUN_ID PATHS` shows the steps and errors of one run",
        Table::Errors => "`logmill show RUN_ID PATHS` shows errors with what stands around them",
        Table::Durations => "`logmill runs PATHS --sort duration_ms` lists the runs behind the figures",
        Table::Rates => "`logmill runs PATHS --status failed` lists the runs that failed",
        Table::Steps | Table::Requests => "`logmill convert PATHS -o events.parquet` writes every event",
        _ => "`logmill schema` says what every column means",
    }
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
    let folder = safe(&folder.to_string_lossy()).into_owned();
    let _ = writeln!(io::stderr(), "wrote {} files to {folder}; next: logmill report {folder}", files.len());
    Ok(Done::Well)
}

/// Every run.
#[must_use]
pub fn everything() -> (Selection, TimeArgs) {
    (Selection::default(), any_time())
}
