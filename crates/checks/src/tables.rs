//! Text on its way to a file and back: CSV by another crate's reader, NDJSON by `serde_json`.

use logmill_analyze::model::{IssueRow, Report};
use logmill_frame::{CsvText, FileFormat, Table, TableWriter, tables};
use logmill_parse::Severity;

/// The texts of a few rows, divided by a byte that no UTF-8 has.
pub fn check(bytes: &[u8]) {
    let texts: Vec<String> =
        bytes.split(|byte| *byte == 0xff).map(|text| String::from_utf8_lossy(text).into_owned()).collect();
    let report = Report { issues: texts.iter().map(|text| row(text)).collect(), ..Report::default() };

    let bytes = written(&report, FileFormat::Csv);
    let mut reader = csv::ReaderBuilder::new().from_reader(bytes.as_slice());
    let column =
        reader.headers().expect("names").iter().position(|name| name == "message").expect("messages");
    let found: Vec<String> = reader
        .records()
        .map(|record| record.expect("CSV").get(column).expect("a message").to_owned())
        .collect();
    assert_eq!(found, texts, "through CSV");

    let bytes = written(&report, FileFormat::Ndjson);
    let lines = String::from_utf8(bytes).expect("UTF-8");
    let message = |line: &str| -> String {
        let row: serde_json::Value = serde_json::from_str(line).expect("JSON");
        row["message"].as_str().expect("a message").to_owned()
    };
    let found: Vec<String> = lines.lines().map(message).collect();
    assert_eq!(found, texts, "through NDJSON");
}

fn row(text: &str) -> IssueRow {
    IssueRow {
        code: "unknown-format",
        severity: Severity::Info,
        source: text.to_owned(),
        member: Some(text.to_owned()),
        line: None,
        byte_offset: None,
        message: text.to_owned(),
        raw_prefix: text.to_owned(),
    }
}

fn written(report: &Report, format: FileFormat) -> Vec<u8> {
    let mut writer = TableWriter::new(Vec::new(), Table::Issues, format, CsvText::Exact).expect("the schema");
    for frame in tables::frames(report, Table::Issues) {
        writer.write(frame.expect("a frame of the schema")).expect("memory takes everything");
    }
    writer.finish().expect("memory takes everything").0
}
