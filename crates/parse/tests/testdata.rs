//! Every input of `testdata/` against the expectation beside it.
//!
//! `LOGMILL_ACCEPT=1` rewrites the expectations, `LOGMILL_ACCEPT=apify-log/` those whose path holds that;
//! whoever does that checks every value against the input.

#![expect(clippy::disallowed_methods, reason = "tests read files, and write expectations when told to")]

#[path = "support/metadata.rs"]
mod metadata;
mod support;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

use chrono::DateTime;
use logmill_parse::detect::{Verdict, detect};
use logmill_parse::{
    Account, Amount, Batch, Carry, Delivery, End, Extent, Format, Head, Shape, Wants, Window, encoding,
    format,
};
use serde_json::{Map, Value, json};
use support::{Input, Reading, describe};

#[test]
fn every_input_reads_as_expected() {
    let mut wrong = Vec::new();
    for format in format::ALL {
        let folder = support::testdata().join(format.about().id);
        for input in support::inputs(&folder) {
            if let Err(difference) = compare(*format, &input) {
                wrong.push(format!("{}\n{difference}", input.path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{} inputs differ:\n\n{}", wrong.len(), wrong.join("\n\n"));
}

fn expectation_path(input: &Path) -> PathBuf {
    input.with_extension("expect.json")
}

fn compare(format: &dyn Format, input: &Input) -> Result<(), String> {
    let path = expectation_path(&input.path);
    let text = fs::read_to_string(&path).unwrap_or_default();
    let mut expected: Value = serde_json::from_str(&text).unwrap_or_else(|_| json!({}));
    let why = expected.get("why").and_then(Value::as_str).unwrap_or_default().to_owned();
    let actual = describe_input(format, input, &why);
    let accepted =
        env::var("LOGMILL_ACCEPT").is_ok_and(|part| part == "1" || path.to_string_lossy().contains(&part));
    if accepted {
        fs::write(&path, render(&actual)).expect("a writable expectation");
        return Ok(());
    }
    if text.is_empty() {
        return Err(format!("there is no {}", path.display()));
    }
    if why.is_empty() {
        return Err("the expectation does not say `why`".to_owned());
    }
    normalise(&mut expected);
    difference(&expected, &actual)
}

/// What detection makes of the input, unless it is a log of the format in whose folder it lies.
fn foreign_verdict(format: &dyn Format, input: &Input) -> Option<String> {
    let head = support::head(&input.bytes);
    let whole = Head { bytes: &input.bytes[encoding::bom_len(&input.bytes)..], extent: Extent::Whole };
    let verdict = match detect(head) {
        Verdict::Unknown(_) => detect(whole),
        verdict => verdict,
    };
    match verdict {
        Verdict::Log { format: found, .. } if found.about().id == format.about().id => None,
        Verdict::Log { format: found, .. } => Some(format!("log: {}", found.about().id)),
        Verdict::Empty => Some("empty".to_owned()),
        Verdict::ErrorBody(text) => Some(format!("error-body: {text}")),
        Verdict::Metadata(metadata) => Some(format!("metadata: {}", metadata::describe(&metadata))),
        Verdict::OwnOutput => Some("own-output".to_owned()),
        Verdict::Unknown(hint) => Some(format!("unknown: {hint}")),
    }
}

/// The whole reading as the JSON of an expectation, defaults left out.
fn describe_input(format: &dyn Format, input: &Input, why: &str) -> Value {
    if let Some(verdict) = foreign_verdict(format, input) {
        return json!({"why": why, "verdict": verdict});
    }
    let shape = support::shape(format, &input.bytes);
    let reading = support::whole(format, &input.bytes, shape);
    let streams = streams(format, input);
    let mut out = Map::new();
    out.insert("why".to_owned(), json!(why));
    out.insert("shape".to_owned(), json!(shape.map(shape_name)));
    out.insert("account".to_owned(), account(&reading.account));
    out.insert(
        "issues".to_owned(),
        reading.issues.iter().map(|(code, line, ..)| json!([code, line])).collect(),
    );
    out.insert("events".to_owned(), events(&reading, &streams));
    out.insert("streams".to_owned(), json!(streams));
    drop_defaults(&mut out);
    Value::Object(out)
}

const fn shape_name(shape: Shape) -> &'static str {
    match shape {
        Shape::Windows => "windows",
        Shape::Sequence => "sequence",
        Shape::Document => "document",
    }
}

fn streams(format: &dyn Format, input: &Input) -> Vec<String> {
    let mut batch = Batch::new(Wants::Everything);
    let window = Window { bytes: &input.bytes, offset: 0, end: End::Input };
    format.parse(window, &mut Carry::default(), &mut batch, Delivery::AtEnd);
    batch.streams.iter().map(|stream| String::from_utf8_lossy(stream.run_id).into_owned()).collect()
}

fn account(account: &Account) -> Value {
    let Account { record, continuation, structure, duplicate, rejected } = account;
    let amount = |amount: &Amount| json!([amount.bytes, amount.lines]);
    let mut out = Map::new();
    for (name, part) in [
        ("record", record),
        ("continuation", continuation),
        ("structure", structure),
        ("duplicate", duplicate),
        ("rejected", rejected),
    ] {
        if *part != Amount::default() {
            out.insert(name.to_owned(), amount(part));
        }
    }
    Value::Object(out)
}

fn events(reading: &Reading, streams: &[String]) -> Value {
    let mut events: Vec<Value> = reading
        .events
        .iter()
        .map(|event| {
            let describe::Fields { ts, level, class, logger, message, payload, flags } = &event.fields;
            let stream = streams.iter().position(|id| *id == event.stream).map_or(0, |index| index + 1);
            let mut out = Map::new();
            let mut put = |name: &str, value: Value| out.insert(name.to_owned(), value);
            put("line", json!(event.line));
            put("n_lines", json!(event.n_lines));
            put("ts", json!(ts));
            put("level", json!(level));
            put("class", json!(class));
            put("logger", json!(logger));
            put("message", json!(message));
            put("payload", json!(payload));
            put("stream", json!(stream));
            put("flags", json!(flags));
            put("marks", json!(event.marks));
            drop_defaults(&mut out);
            Value::Object(out)
        })
        .collect();
    if !reading.end_marks.is_empty() {
        events.push(json!({"end": true, "marks": reading.end_marks}));
    }
    Value::Array(events)
}

/// Values an expectation may leave out.
fn drop_defaults(object: &mut Map<String, Value>) {
    object.retain(|name, value| match (name.as_str(), &*value) {
        ("n_lines", value) => *value != json!(1),
        ("level", value) => *value != json!("none"),
        ("class", value) => *value != json!("plain"),
        ("logger", value) => *value != json!(""),
        ("stream", value) => *value != json!(0),
        ("ts" | "payload", Value::Null) => false,
        ("flags" | "marks" | "streams" | "issues", Value::Array(list)) => !list.is_empty(),
        ("record" | "continuation" | "structure" | "duplicate" | "rejected", value) => {
            *value != json!([0, 0])
        }
        _ => true,
    });
}

/// A hand-written expectation in the form [`describe_input`] gives.
fn normalise(expected: &mut Value) {
    let Some(object) = expected.as_object_mut() else { return };
    drop_defaults(object);
    if let Some(account) = object.get_mut("account").and_then(Value::as_object_mut) {
        drop_defaults(account);
    }
    let events = object.get_mut("events").and_then(Value::as_array_mut);
    for event in events.into_iter().flatten().filter_map(Value::as_object_mut) {
        drop_defaults(event);
        if let Some(ts) = event.get_mut("ts")
            && let Some(instant) = ts.as_str().and_then(|text| DateTime::parse_from_rfc3339(text).ok())
        {
            *ts = json!(describe::stamp(instant.timestamp_micros()));
        }
    }
}

fn difference(expected: &Value, actual: &Value) -> Result<(), String> {
    let mut report = String::new();
    for name in ["verdict", "shape", "account", "issues", "streams"] {
        note(&mut report, name, &expected[name], &actual[name]);
    }
    let list = |value: &Value| value["events"].as_array().cloned().unwrap_or_default();
    let (expected, actual) = (list(expected), list(actual));
    for index in 0..expected.len().max(actual.len()) {
        let at = |list: &[Value]| list.get(index).cloned().unwrap_or_default();
        note(&mut report, &format!("events[{index}]"), &at(&expected), &at(&actual));
    }
    if report.is_empty() { Ok(()) } else { Err(report) }
}

fn note(report: &mut String, name: &str, expected: &Value, actual: &Value) {
    if expected != actual {
        writeln!(report, "  {name}\n    expected {expected}\n    found    {actual}")
            .expect("writing to a string");
    }
}

/// One line per field and per event, in the order a reader wants them.
fn render(actual: &Value) -> String {
    let mut out = String::from("{\n");
    for name in ["why", "shape", "account", "issues", "streams"] {
        if let Some(value) = actual.get(name) {
            writeln!(out, "  {name:?}: {value},").expect("writing to a string");
        }
    }
    let events: Vec<String> = actual["events"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|event| format!("\n    {}", render_event(event)))
        .collect();
    write!(out, "  \"events\": [{}\n  ]\n}}\n", events.join(",")).expect("writing to a string");
    out
}

fn render_event(event: &Value) -> String {
    let names = [
        "end", "line", "n_lines", "ts", "level", "class", "logger", "message", "payload", "stream", "flags",
        "marks",
    ];
    let fields: Vec<String> =
        names.iter().filter_map(|name| event.get(*name).map(|value| format!("{name:?}: {value}"))).collect();
    format!("{{{}}}", fields.join(", "))
}
