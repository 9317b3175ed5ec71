//! Every table, written as every kind of file and read back.

use std::io::Cursor;

use crate::common::{NASTY, events, report};
use logmill_analyze::model::Report;
use logmill_frame::{CsvText, DataFrame, Dtype, FileFormat, Table, TableWriter, tables};
use polars::prelude::{AnyValue, ParquetReader, SerReader};

fn frame(table: Table) -> DataFrame {
    match table {
        Table::Events => events(),
        _ => tables::frame(&report(), table).expect("rows fit the schema"),
    }
}

fn empty_frame(table: Table) -> DataFrame {
    tables::frame(&Report::default(), table).expect("no rows fit the schema")
}

fn write(frame: DataFrame, table: Table, format: FileFormat, text: CsvText) -> Vec<u8> {
    let height = frame.height() as u64;
    let mut writer = TableWriter::new(Vec::new(), table, format, text).expect("a Vec takes everything");
    writer.write(frame).expect("a Vec takes everything");
    let (bytes, n_rows) = writer.finish().expect("a Vec takes everything");
    assert_eq!(n_rows, height);
    bytes
}

#[test]
fn parquet() {
    for &table in Table::ALL {
        for frame in [frame(table), empty_frame(table)] {
            let bytes = write(frame.clone(), table, FileFormat::Parquet, CsvText::Exact);
            let read = ParquetReader::new(Cursor::new(bytes)).finish().expect("a Parquet file");
            assert_eq!(read.schema(), frame.schema(), "{table}");
            assert!(read.equals_missing(&frame), "{table}: {read:?} {frame:?}");
        }
    }
}

/// Fields as text; `None` where nothing stands between the separators.
fn read_csv(bytes: &[u8]) -> Vec<Vec<String>> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(bytes);
    reader
        .records()
        .map(|record| record.expect("as many fields as names").iter().map(Into::into).collect())
        .collect()
}

/// The text of a value as CSV shows it, worked out without the writer.
fn shown(value: &AnyValue<'_>) -> String {
    match value {
        AnyValue::Null => String::new(),
        AnyValue::String(text) => (*text).to_owned(),
        AnyValue::StringOwned(text) => text.to_string(),
        AnyValue::Int64(number) => number.to_string(),
        AnyValue::Float64(number) => format!("{number:?}"),
        AnyValue::Boolean(flag) => flag.to_string(),
        AnyValue::Datetime(us, ..) | AnyValue::DatetimeOwned(us, ..) => {
            chrono::DateTime::from_timestamp_micros(*us)
                .map(|at| at.format("%Y-%m-%dT%H:%M:%S%.6fZ").to_string())
                .expect("an instant")
        }
        other => panic!("no column holds {other:?}"),
    }
}

#[test]
fn csv_values() {
    for &table in Table::ALL {
        let frame = frame(table);
        let rows = read_csv(&write(frame.clone(), table, FileFormat::Csv, CsvText::Exact));
        assert_eq!(rows.len(), frame.height() + 1, "{table}");
        for (place, column) in frame.columns().iter().enumerate() {
            assert_eq!(rows[0][place], column.name().as_str());
            for (at, row) in rows[1..].iter().enumerate() {
                let value = column.get(at).expect("a row");
                if let AnyValue::Float64(number) = value {
                    assert_eq!(row[place].parse(), Ok(number), "{table}.{}", column.name());
                } else {
                    assert_eq!(row[place], shown(&value), "{table}.{}", column.name());
                }
            }
        }
    }
}

#[test]
fn csv_to_the_letter() {
    let durations = write(frame(Table::Durations), Table::Durations, FileFormat::Csv, CsvText::Exact);
    assert_eq!(
        String::from_utf8(durations).expect("UTF-8"),
        "platform,kind,group,step,outcome,n,n_incomplete,min_ms,p50_ms,p90_ms,p95_ms,p99_ms,max_ms,mean_ms,total_ms\n\
         apify,build,g,,all,2,1,1,2,3,4,5,6,1e+21,0\n\
         apify,build,g,\"\",failed,0,1,,,,,,,,\n"
    );
    let metrics = write(frame(Table::Metrics), Table::Metrics, FileFormat::Csv, CsvText::Exact);
    assert_eq!(
        String::from_utf8(metrics).expect("UTF-8"),
        "platform,kind,group,run_id,ts,name,value,unit,label\n\
         apify,run,example/shop-crawler,r1,2023-11-14T22:13:20.123456Z,rate,-0.5,1/min,\"\"\n\
         apify,run,example/shop-crawler,r1,2023-11-14T22:13:20.123456Z,not a number,,1/min,\"\"\n\
         apify,run,example/shop-crawler,r1,2023-11-14T22:13:20.123456Z,endless,,1/min,\"\"\n"
    );
    let empty = write(empty_frame(Table::Issues), Table::Issues, FileFormat::Csv, CsvText::Exact);
    assert_eq!(
        String::from_utf8(empty).expect("UTF-8"),
        "code,severity,source,member,line,byte_offset,message,raw_prefix\n"
    );
}

#[test]
fn csv_formulas_are_neutralised_on_request_only() {
    let mut report = report();
    let formulas = ["=1+1", "+1", "-1", "@x", "\tx", "\rx"];
    report.runs = formulas
        .iter()
        .chain(&["a=b", "", "'=1"])
        .map(|text| logmill_analyze::model::Run {
            first_error: Some((*text).into()),
            ..crate::common::run("r")
        })
        .collect();
    let frame = tables::frame(&report, Table::Runs).expect("rows fit the schema");
    let at = Table::Runs.columns().iter().position(|column| column.name == "first_error").expect("a column");
    let first_errors = |text| -> Vec<String> {
        let rows = read_csv(&write(frame.clone(), Table::Runs, FileFormat::Csv, text));
        rows[1..].iter().map(|row| row[at].clone()).collect()
    };
    assert_eq!(first_errors(CsvText::Exact), ["=1+1", "+1", "-1", "@x", "\tx", "\rx", "a=b", "", "'=1"]);
    assert_eq!(first_errors(CsvText::Safe), ["'=1+1", "'+1", "'-1", "'@x", "'\tx", "'\rx", "a=b", "", "'=1"]);
    let steps = write(frame_of_steps(), Table::Steps, FileFormat::Csv, CsvText::Safe);
    assert!(String::from_utf8(steps).expect("UTF-8").contains(",-7,"), "numbers stay numbers");
}

fn frame_of_steps() -> DataFrame {
    frame(Table::Steps)
}

#[test]
fn ndjson_values() {
    for &table in Table::ALL {
        let frame = frame(table);
        let bytes = write(frame.clone(), table, FileFormat::Ndjson, CsvText::Exact);
        let text = String::from_utf8(bytes).expect("UTF-8");
        assert!(text.ends_with("}\n"), "{table}");
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), frame.height(), "{table}");
        for (at, line) in lines.iter().enumerate() {
            let object: serde_json::Map<String, serde_json::Value> =
                serde_json::from_str(line).expect("an object");
            assert_eq!(object.len(), table.columns().len(), "{table}");
            for column in table.columns() {
                let value = frame.column(column.name).expect("a column").get(at).expect("a row");
                let read = &object[column.name];
                match (&value, column.dtype) {
                    (AnyValue::Null, _) => assert!(read.is_null(), "{table}.{}: {read}", column.name),
                    (AnyValue::Int64(number), _) => assert_eq!(read.as_i64(), Some(*number)),
                    (AnyValue::Float64(number), _) => assert_eq!(read.as_f64(), Some(*number)),
                    (AnyValue::Boolean(flag), _) => assert_eq!(read.as_bool(), Some(*flag)),
                    (_, Dtype::Str | Dtype::Instant) => {
                        assert_eq!(read.as_str(), Some(shown(&value).as_str()));
                    }
                    other => panic!("no column holds {other:?}"),
                }
            }
        }
    }
}

#[test]
fn ndjson_to_the_letter() {
    let issues = write(frame(Table::Issues), Table::Issues, FileFormat::Ndjson, CsvText::Exact);
    assert_eq!(
        String::from_utf8(issues).expect("UTF-8"),
        concat!(
            r#"{"code":"invalid-utf8","severity":"warning","source":"dump/ü.log","member":null,"line":null,"#,
            r#""byte_offset":null,"message":"expected UTF-8, found \\xff","raw_prefix":"\\xff\\x00\""}"#,
            "\n",
            r#"{"code":"invalid-utf8","severity":"warning","source":"dump/ü.log","member":"b.log","line":7,"#,
            r#""byte_offset":0,"message":"expected UTF-8, found \\xff","raw_prefix":"\\xff\\x00\""}"#,
            "\n",
        )
    );
    let files = write(frame(Table::Files), Table::Files, FileFormat::Ndjson, CsvText::Exact);
    assert!(String::from_utf8(files).expect("UTF-8").contains(r#""max_ts":"2023-11-14T22:13:20.000000Z","#));
    assert!(write(empty_frame(Table::Runs), Table::Runs, FileFormat::Ndjson, CsvText::Exact).is_empty());
}

#[test]
fn values_reach_their_columns() {
    let runs = frame(Table::Runs);
    let text = |name: &str, row| runs.column(name).and_then(|it| Ok(it.get(row)?.into_static())).expect(name);
    assert_eq!(text("status_reason", 0), AnyValue::String(NASTY).into_static());
    assert_eq!(text("failure_class", 0), AnyValue::String("").into_static());
    assert_eq!(text("failure_class", 1), AnyValue::Null);
    assert_eq!(text("error_rate", 0), AnyValue::Float64(0.125));
    assert_eq!(text("error_rate", 1), AnyValue::Null);
    assert_eq!(text("requests_finished", 0), AnyValue::Int64(0));
    assert_eq!(text("requests_failed", 0), AnyValue::Int64(i64::MAX));
    assert_eq!(text("kind", 1), AnyValue::Null);
    let steps = frame(Table::Steps);
    assert_eq!(steps.column("run_id").and_then(|it| it.get(1)).ok(), Some(AnyValue::String("bare")));
}

#[track_caller]
fn check_column(events: &DataFrame, name: &str, expect: [AnyValue<'_>; 3]) {
    for (row, expect) in expect.into_iter().enumerate() {
        assert_eq!(events.column(name).and_then(|it| it.get(row)).ok(), Some(expect), "{name}");
    }
}

#[test]
fn events_are_decoded() {
    let events = events();
    let (text, int, null) = (AnyValue::String, AnyValue::Int64, AnyValue::Null);
    check_column(&events, "run_id", [text("r1"), text("r1"), text("bare")]);
    check_column(&events, "kind", [text("run"), text("run"), null.clone()]);
    check_column(&events, "seq", [int(1), int(2), int(1)]);
    check_column(&events, "message", [text("say \"hi\",\nbye \u{1f600}"), text(""), text("")]);
    check_column(&events, "payload", [text("{\"a\":1}"), null.clone(), null.clone()]);
    check_column(&events, "logger", [text(""), text("PlaywrightCrawler"), text("PlaywrightCrawler")]);
    check_column(&events, "level", [text("none"), text("critical"), text("critical")]);
    check_column(&events, "step", [text("work"), null.clone(), text("work")]);
    check_column(&events, "step_seq", [int(2), null.clone(), int(2)]);
    check_column(&events, "member", [text("a.log"), null, text("a.log")]);
    check_column(&events, "byte_offset", [int(0), int(45), int(0)]);
    check_column(&events, "n_bytes", [int(42), int(42), int(42)]);
    check_column(
        &events,
        "lossy",
        [AnyValue::Boolean(true), AnyValue::Boolean(false), AnyValue::Boolean(false)],
    );
}
