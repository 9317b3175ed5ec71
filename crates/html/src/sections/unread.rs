//! What is missing or could not be read as expected.

use std::collections::BTreeMap;

use logmill_analyze::model::{FileRow, Run};
use logmill_parse::{Code, Severity};

use crate::figures::{count, counted};
use crate::markup::{Markup, put};
use crate::table::{Column, Table, more};
use crate::view::{View, species_name};

/// Rows of the tables.
const MAX_ROWS: usize = 30;

/// Incomplete runs and inputs, and issues by their codes.
pub fn section(view: &View<'_>, out: &mut Markup) {
    runs(view, out);
    files(view, out);
    issues(view, out);
}

fn runs(view: &View<'_>, out: &mut Markup) {
    let rows: Vec<&Run> = view.report.runs.iter().filter(|run| !run.complete).collect();
    if rows.is_empty() {
        return;
    }
    let mut reasons: BTreeMap<&str, u64> = BTreeMap::new();
    for run in &rows {
        *reasons.entry(run.incomplete_reason.as_deref().unwrap_or("unknown")).or_default() += 1;
    }
    let reasons: Vec<String> = reasons.iter().map(|(reason, n)| format!("{} {reason}", count(*n))).collect();
    put!(
        out,
        "<h3>Incomplete runs</h3>\n<p class=\"note\">{}: {}. They are in no percentile.</p>\n",
        counted(rows.len() as u64, ("run is incomplete", "runs are incomplete")),
        reasons.join(", ")
    );
    let columns = [
        Column::Text("Group"),
        Column::Text("Runs of"),
        Column::Text("Run"),
        Column::Text("Why"),
        Column::Text("Source"),
    ];
    let mut table = Table::new("Incomplete runs", &columns);
    for run in rows.iter().take(MAX_ROWS) {
        table.row(|row| {
            row.name(&run.group);
            row.words(&species_name(run.platform, run.kind));
            row.name(&run.run_id);
            row.text(run.incomplete_reason.as_deref().unwrap_or_default());
            row.name(&run.source);
        });
    }
    table.finish(out);
    more(rows.len(), MAX_ROWS, ("run", "runs"), "runs", out);
}

fn files(view: &View<'_>, out: &mut Markup) {
    let rows: Vec<&FileRow> =
        view.report.files.iter().filter(|file| !file.complete || file.bytes_rejected > 0).collect();
    if rows.is_empty() {
        return;
    }
    put!(out, "<h3>Inputs that are incomplete or hold bytes that could not be read</h3>\n");
    let columns = [
        Column::Text("Input"),
        Column::Text("Format"),
        Column::Figure("Size"),
        Column::Figure("Not read"),
        Column::Text("Why incomplete"),
    ];
    let mut table = Table::new("Incomplete inputs", &columns);
    for file in rows.iter().take(MAX_ROWS) {
        table.row(|row| {
            row.name(&place(&file.source, file.member.as_deref(), None));
            row.text(&file.format);
            row.figure(file.bytes as f64, &crate::figures::size(file.bytes as f64));
            row.figure(file.bytes_rejected as f64, &crate::figures::size(file.bytes_rejected as f64));
            row.text(file.incomplete_reason.as_deref().unwrap_or_default());
        });
    }
    table.finish(out);
    more(rows.len(), MAX_ROWS, ("input", "inputs"), "detect", out);
}

fn place(source: &str, member: Option<&str>, line: Option<u64>) -> String {
    let mut place = source.to_owned();
    if let Some(member) = member {
        place = format!("{place}/{member}");
    }
    line.map_or(place.clone(), |line| format!("{place}:{line}"))
}

fn issues(view: &View<'_>, out: &mut Markup) {
    let mut by_code: BTreeMap<(Severity, &str), (u64, String, &str)> = BTreeMap::new();
    for issue in &view.report.issues {
        let first = || (0, place(&issue.source, issue.member.as_deref(), issue.line), issue.message.as_str());
        by_code.entry((issue.severity, issue.code)).or_insert_with(first).0 += 1;
    }
    if by_code.is_empty() {
        return;
    }
    put!(
        out,
        "<h3>Issues</h3>\n<p class=\"note\"><code>logmill explain CODE</code> says more of each.</p>\n"
    );
    let columns = [
        Column::Text("Code"),
        Column::Text("Severity"),
        Column::Figure("Times"),
        Column::Text("What it is"),
        Column::Text("First at"),
        Column::Text("First message"),
    ];
    let mut table = Table::new("Issues by code", &columns);
    for ((severity, code), (n, first, message)) in &by_code {
        table.row(|row| {
            row.name(code);
            row.text(severity.as_str());
            row.count(*n);
            row.long(Code::from_id(code).map_or("", Code::title));
            row.name(first);
            row.long(message);
        });
    }
    table.finish(out);
}
