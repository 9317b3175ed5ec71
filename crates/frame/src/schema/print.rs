//! The schema as Markdown and as JSON.

use std::fmt::Write;

use serde::Serialize;

use super::{Column, Table};

/// The documentation of a table: a heading, what a row is, the order of rows, one line per column.
#[must_use]
pub fn markdown(table: Table) -> String {
    let mut out = format!(
        "## {table}\n\nOne row per {}. Ordered by {}.\n\n| column | type | unit | meaning | null |\n|---|---|---|---|---|\n",
        table.row(),
        table.order()
    );
    for column in table.columns() {
        let Column { name, dtype, unit, meaning, null_means, .. } = column;
        let (dtype, values, null) = (dtype.as_str(), values(column), null_means.unwrap_or("never"));
        // Writing to a String cannot fail.
        let _ = writeln!(out, "| `{name}` | {dtype} | {unit} | {meaning}{values} | {null} |");
    }
    out
}

/// The values a column is limited to, to follow its meaning.
fn values(column: &Column) -> String {
    let words = column.values.words();
    if words.is_empty() { String::new() } else { format!(": `{}`", words.join("`, `")) }
}

#[derive(Serialize)]
struct TableJson {
    table: &'static str,
    row: &'static str,
    order: &'static str,
    columns: Vec<ColumnJson>,
}

#[derive(Serialize)]
struct ColumnJson {
    name: &'static str,
    #[serde(rename = "type")]
    dtype: &'static str,
    #[serde(skip_serializing_if = "str::is_empty")]
    unit: &'static str,
    meaning: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    values: Vec<&'static str>,
    nullable: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    null_means: Option<&'static str>,
}

/// The schema of `tables` as one JSON array, indented, with a newline at the end.
#[must_use]
pub fn json(tables: &[Table]) -> String {
    let tables: Vec<TableJson> = tables.iter().map(|&table| describe(table)).collect();
    // Strings and booleans only: nothing in there can fail to serialise.
    let mut out = serde_json::to_string_pretty(&tables).unwrap_or_default();
    out.push('\n');
    out
}

fn describe(table: Table) -> TableJson {
    let columns = table.columns().iter().map(|column| ColumnJson {
        name: column.name,
        dtype: column.dtype.as_str(),
        unit: column.unit,
        meaning: column.meaning,
        values: column.values.words(),
        nullable: column.null_means.is_some(),
        null_means: column.null_means,
    });
    TableJson { table: table.as_str(), row: table.row(), order: table.order(), columns: columns.collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markdown_has_a_line_per_column() {
        for &table in Table::ALL {
            let text = markdown(table);
            let rows: Vec<&str> = text.lines().filter(|line| line.starts_with("| `")).collect();
            assert_eq!(rows.len(), table.columns().len(), "{table}");
            for row in rows {
                assert_eq!(row.matches('|').count(), 6, "{row}");
            }
        }
        assert!(markdown(Table::Runs).contains("`succeeded`, `failed`, `aborted`"));
    }

    #[test]
    fn json_is_json() {
        let value: serde_json::Value = serde_json::from_str(&json(Table::ALL)).expect("valid JSON");
        assert_eq!(value[2]["table"], "events");
        assert_eq!(value[2]["columns"][5]["name"], "ts");
        assert_eq!(value[2]["columns"][5]["type"], "timestamp[us, UTC]");
        assert_eq!(value[2]["columns"][5]["nullable"], true);
    }
}
