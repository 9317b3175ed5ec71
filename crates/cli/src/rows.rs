//! One table on the terminal: sorted, cut, and laid out for people; as TSV when piped; as JSON
//! when asked for.

use std::cmp::Ordering;
use std::io::{self, BufWriter, IsTerminal, Write};

use anyhow::Context;
use comfy_table::{Attribute, Cell, CellAlignment, ContentArrangement, presets};
use logmill_analyze::Report;
use logmill_frame::schema::{Column, Dtype};
use logmill_frame::{CsvText, FileFormat, Table, TableWriter, tables};
use serde_json::{Map, Value};

use crate::args::TableArgs;
use crate::failure::Failure;
use crate::nearest;
use crate::terminal::{self, Paint, safe, shortened};

/// Rows shown on a terminal where nothing else is asked for.
const DEFAULT_LIMIT: usize = 20;
/// Characters of a text cell on a terminal.
const MAX_CELL_CHARS: usize = 72;

/// A row of a table.
pub type Row = Map<String, Value>;

/// Prints a table of the report. Says how many rows there are and how many were shown.
///
/// # Errors
///
/// If a column does not exist or standard output is closed.
pub fn print(report: &Report, table: Table, args: &TableArgs) -> Result<(usize, usize), Failure> {
    let mut rows = rows(report, table)?;
    if let Some(sort) = &args.sort {
        sort_by(&mut rows, table, sort)?;
    }
    let is_terminal = io::stdout().is_terminal();
    let limit = match args.limit {
        Some(0) => usize::MAX,
        Some(limit) => limit,
        None if is_terminal && !args.json => DEFAULT_LIMIT,
        None => usize::MAX,
    };
    let total = rows.len();
    rows.truncate(limit);
    let mut out = BufWriter::new(io::stdout().lock());
    let printed = if args.json {
        json(&rows, &mut out)
    } else if is_terminal {
        for_people(&rows, table, Paint::for_stdout(args.notes.color), &mut out)
    } else {
        tsv(&rows, table, &mut out)
    };
    printed.and_then(|()| out.flush()).context("cannot write to standard output")?;
    Ok((rows.len(), total))
}

/// Prints all rows of a table as JSON, one object per line.
///
/// # Errors
///
/// If standard output is closed.
pub fn print_json(report: &Report, table: Table) -> Result<(), Failure> {
    let mut out = BufWriter::new(io::stdout().lock());
    let rows = rows(report, table)?;
    Ok(json(&rows, &mut out).and_then(|()| out.flush()).context("cannot write to standard output")?)
}

/// The rows of a table as JSON objects, with the schema's names in the schema's order.
///
/// # Errors
///
/// If they cannot be made.
pub fn rows(report: &Report, table: Table) -> Result<Vec<Row>, Failure> {
    let context = || format!("cannot make the table {table}");
    let mut writer =
        TableWriter::new(Vec::new(), table, FileFormat::Ndjson, CsvText::Exact).with_context(context)?;
    for frame in tables::frames(report, table) {
        writer.write(frame.with_context(context)?).with_context(context)?;
    }
    let (bytes, _) = writer.finish().with_context(context)?;
    let parse = |line: &[u8]| serde_json::from_slice(line).with_context(context);
    let lines = bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    Ok(lines.map(parse).collect::<Result<_, _>>()?)
}

/// Whether the table has the column that `--sort` names; asked before anything is read.
///
/// # Errors
///
/// If it has not.
pub fn check_sort(table: Table, args: &TableArgs) -> Result<(), Failure> {
    args.sort.as_ref().map_or(Ok(()), |sort| sort_by(&mut [], table, sort))
}

/// Sorts by a column, largest first; smallest first with a `-` before its name. Null is last.
fn sort_by(rows: &mut [Row], table: Table, sort: &str) -> Result<(), Failure> {
    let (name, ascending) = sort.strip_prefix('-').map_or((sort, false), |name| (name, true));
    if !table.columns().iter().any(|column| column.name == name) {
        let names: Vec<&str> = table.columns().iter().map(|column| column.name).collect();
        return Err(Failure::Usage(format!(
            "expected a column of {table} to sort by, found `{}`{}\n  [columns: {}]",
            name.escape_debug(),
            nearest::tip(name, names.iter().copied()),
            names.join(", ")
        )));
    }
    rows.sort_by(|a, b| {
        let (a, b) = (a.get(name).unwrap_or(&Value::Null), b.get(name).unwrap_or(&Value::Null));
        match (a.is_null(), b.is_null()) {
            (true, true) => Ordering::Equal,
            (true, false) => Ordering::Greater,
            (false, true) => Ordering::Less,
            (false, false) if ascending => compare(a, b),
            (false, false) => compare(b, a),
        }
    });
    Ok(())
}

fn compare(a: &Value, b: &Value) -> Ordering {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => match (a.as_i64(), b.as_i64()) {
            (Some(a), Some(b)) => a.cmp(&b),
            _ => a.as_f64().partial_cmp(&b.as_f64()).unwrap_or(Ordering::Equal),
        },
        (Value::String(a), Value::String(b)) => a.cmp(b),
        (Value::Bool(a), Value::Bool(b)) => a.cmp(b),
        _ => Ordering::Equal,
    }
}

fn json(rows: &[Row], out: &mut dyn Write) -> io::Result<()> {
    for row in rows {
        writeln!(out, "{}", terminal::safe_json(&serde_json::to_string(row)?))?;
    }
    Ok(())
}

/// Every column, tab-separated, with a header. Tabs, line ends and whatever else a terminal acts
/// upon are escaped, and so is the backslash.
fn tsv(rows: &[Row], table: Table, out: &mut dyn Write) -> io::Result<()> {
    let names: Vec<&str> = table.columns().iter().map(|column| column.name).collect();
    writeln!(out, "{}", names.join("\t"))?;
    for row in rows {
        let cells: Vec<String> =
            names.iter().map(|name| tsv_cell(row.get(*name).unwrap_or(&Value::Null))).collect();
        writeln!(out, "{}", cells.join("\t"))?;
    }
    Ok(())
}

fn tsv_cell(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => {
            let text = text.replace('\\', "\\\\").replace('\t', "\\t");
            safe(&text.replace('\n', "\\n").replace('\r', "\\r")).into_owned()
        }
        other => other.to_string(),
    }
}

/// The columns that matter most, laid out for the width of the terminal. Nothing is wrapped: an id
/// that stands on two lines cannot be copied.
fn for_people(rows: &[Row], table: Table, paint: Paint, out: &mut dyn Write) -> io::Result<()> {
    if rows.is_empty() {
        return writeln!(out, "{}", paint.dim("no rows"));
    }
    let columns: Vec<&Column> = shown(table)
        .iter()
        .filter_map(|name| table.columns().iter().find(|column| column.name == *name))
        .collect();
    let mut grid = comfy_table::Table::new();
    grid.load_preset(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    let cells: Vec<Vec<String>> = rows
        .iter()
        .map(|row| {
            let cell = |column: &&Column| cell(column, row.get(column.name).unwrap_or(&Value::Null));
            columns.iter().map(cell).collect()
        })
        .collect();
    let widths = widths(&columns, &cells, terminal::width_of_stdout().unwrap_or(usize::MAX));
    let shown = || columns.iter().zip(&widths);
    grid.set_header(shown().map(|(column, width)| {
        let cell = Cell::new(shortened(column.name, *width)).set_alignment(alignment(column));
        if paint.is_on() { cell.add_attribute(Attribute::Dim) } else { cell }
    }));
    for row in &cells {
        grid.add_row(shown().zip(row).map(|((column, width), text)| {
            Cell::new(shortened(text, *width)).set_alignment(alignment(column))
        }));
    }
    let text = grid.to_string();
    terminal::for_stdout(&text).lines().try_for_each(|line| writeln!(out, "{}", line.trim_end()))
}

/// Characters that a text keeps, however narrow the terminal is, and that a group and an id keep: few enough for the
/// status of a run on 80 columns, enough for an id to be found by.
const MIN_TEXT_CHARS: usize = 16;
const MIN_GROUP_CHARS: usize = 12;
const MIN_ID_CHARS: usize = 19;
/// Blanks around a cell.
const PADDING: usize = 2;

/// Widths of the first columns, as many as fit. Texts give way, the widest first; numbers and
/// instants are whole or not there.
fn widths(columns: &[&Column], cells: &[Vec<String>], room: usize) -> Vec<usize> {
    let natural = |(index, column): (usize, &&Column)| {
        let cells = cells.iter().filter_map(|row| row.get(index)).map(|cell| cell.chars().count());
        cells.chain([column.name.len()]).max().unwrap_or(0)
    };
    let mut widths: Vec<usize> = columns.iter().enumerate().map(natural).collect();
    let least = |index: usize, width: usize| match columns.get(index) {
        Some(column) if column.name == "run_id" => width.min(MIN_ID_CHARS),
        Some(column) if column.name == "group" => width.min(MIN_GROUP_CHARS),
        Some(column) if column.dtype == Dtype::Str => width.min(MIN_TEXT_CHARS),
        _ => width,
    };
    let needed = |widths: &[usize]| -> usize {
        widths.iter().enumerate().map(|(index, width)| least(index, *width) + PADDING).sum()
    };
    while widths.len() > 1 && needed(&widths) > room {
        widths.pop();
    }
    let total = |widths: &[usize]| widths.iter().map(|width| width + PADDING).sum::<usize>();
    while total(&widths) > room {
        let spare = |(index, width): &(usize, &mut usize)| **width > least(*index, **width);
        let widest = widths.iter_mut().enumerate().filter(spare).max_by_key(|(_, width)| **width);
        let Some((_, width)) = widest else { break };
        *width -= 1;
    }
    widths
}

fn alignment(column: &Column) -> CellAlignment {
    match column.dtype {
        Dtype::Int | Dtype::Float => CellAlignment::Right,
        Dtype::Str | Dtype::Bool | Dtype::Instant => CellAlignment::Left,
    }
}

fn cell(column: &Column, value: &Value) -> String {
    match value {
        Value::Null => "–".to_owned(),
        Value::String(text) if column.dtype == Dtype::Instant => {
            text.get(..19).unwrap_or(text).replace('T', " ")
        }
        Value::String(text) => shortened(&safe(text), MAX_CELL_CHARS),
        Value::Number(number) if column.name.ends_with("_ms") => {
            #[expect(
                clippy::cast_possible_truncation,
                reason = "milliseconds of a mean, shown to the hundredth of a second"
            )]
            let ms = number.as_i64().unwrap_or_else(|| number.as_f64().unwrap_or(0.0).round() as i64);
            terminal::duration(ms)
        }
        Value::Number(number) if column.name.contains("rate") || column.name == "share" => {
            terminal::percent(number.as_f64().unwrap_or(0.0))
        }
        other => other.to_string(),
    }
}

/// The columns shown to people, the last ones only where there is room; `--json` and the files have all.
fn shown(table: Table) -> &'static [&'static str] {
    match table {
        Table::Runs => &[
            "group",
            "run_id",
            "started_at",
            "duration_ms",
            "status",
            "status_reason",
            "n_errors",
            "n_retries",
            "kind",
        ],
        Table::Steps => &["group", "run_id", "name", "duration_ms", "status", "share", "error", "started_at"],
        Table::Errors => {
            &["n_events", "n_runs", "class", "level", "group", "template", "example_source", "example_line"]
        }
        Table::Requests => &["group", "run_id", "outcome", "attempts", "url", "request_id", "last_error"],
        Table::Rates => &[
            "group",
            "kind",
            "bucket_start",
            "n_runs",
            "n_failed",
            "run_failure_rate",
            "error_rate",
            "request_failure_rate",
            "p50_ms",
            "p95_ms",
        ],
        Table::Durations => &[
            "group", "kind", "step", "outcome", "n", "p50_ms", "p90_ms", "p95_ms", "p99_ms", "max_ms",
            "total_ms",
        ],
        Table::Metrics => &["group", "run_id", "ts", "name", "label", "value", "unit"],
        Table::Issues => &["code", "severity", "source", "line", "message"],
        Table::Files => &[
            "source",
            "format",
            "bytes",
            "n_lines",
            "n_events",
            "min_ts",
            "max_ts",
            "complete",
            "incomplete_reason",
        ],
        Table::Events => &["group", "run_id", "seq", "ts", "level", "class", "message"],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shown_column_exists() {
        for table in Table::ALL {
            for name in shown(*table) {
                assert!(table.columns().iter().any(|column| column.name == *name), "{table}.{name}");
            }
        }
    }

    #[test]
    fn tables_fit_the_terminal() {
        let columns: Vec<&Column> = Table::Runs
            .columns()
            .iter()
            .filter(|column| ["group", "run_id", "started_at", "n_errors"].contains(&column.name))
            .collect();
        let row = ["g".repeat(40), "r".repeat(17), "2025-11-03 08:00:00".to_owned(), "3".to_owned()];
        let fit = |room| widths(&columns, &[row.to_vec()], room);
        assert_eq!(fit(usize::MAX), [40, 17, 19, 8]);
        assert_eq!(fit(40 + 17 + 19 + 8 + 8), [40, 17, 19, 8]);
        assert_eq!(fit(80), [28, 17, 19, 8], "the widest text gives way");
        assert_eq!(fit(64), [12, 17, 19, 8]);
        assert_eq!(fit(63), [21, 17, 19], "no room for the last column");
        assert_eq!(fit(1), [12]);
    }

    #[test]
    fn null_sorts_last_either_way() {
        let row = |n: Value| Map::from_iter([("duration_ms".to_owned(), n)]);
        let mut rows = vec![row(Value::Null), row(1.into()), row(10.into()), row(9.into())];
        sort_by(&mut rows, Table::Runs, "duration_ms").expect("a column");
        let order: Vec<_> = rows.iter().map(|row| row["duration_ms"].as_i64()).collect();
        assert_eq!(order, [Some(10), Some(9), Some(1), None]);
        sort_by(&mut rows, Table::Runs, "-duration_ms").expect("a column");
        let order: Vec<_> = rows.iter().map(|row| row["duration_ms"].as_i64()).collect();
        assert_eq!(order, [Some(1), Some(9), Some(10), None]);
        assert!(sort_by(&mut rows, Table::Runs, "nonsense").is_err());
    }
}
