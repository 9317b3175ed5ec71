//! What is known of a line, in words for people and as JSON.

use std::fmt::Write as _;

use chrono::DateTime;
use logmill_analyze::{Report, Trace};
use logmill_parse::{Code, Micros, Shape};
use serde_json::{Value, json};

use super::Spot;
use super::line::{Event, Home};
use crate::args::ExplainArgs;
use crate::terminal::{Paint, count, counted, rfc3339, safe, safe_json, shortened};

/// Events of one line that are described to people; JSON has them all.
const MAX_EVENTS: usize = 5;
/// Characters of a text.
const MAX_TEXT_CHARS: usize = 160;

/// A line of a file that is no log: what the file is.
pub fn no_log(spot: &Spot, report: &Report, args: &ExplainArgs) -> String {
    let label = report.files.first().map_or("unknown", |file| file.format.as_str());
    let issues: Vec<(Code, String)> = report
        .issues
        .iter()
        .filter_map(|issue| Some((Code::from_id(issue.code)?, issue.message.clone())))
        .collect();
    if args.json {
        let object = json!({
            "source": spot.path, "line": spot.line, "text": null, "byte_offset": null, "format": label,
            "shape": null, "claims": [], "events": [], "issues": issues_json(&issues),
        });
        return format!("{}\n", safe_json(&object.to_string()));
    }
    let mut out = String::new();
    field("file", &format!("{label}: no line of it was read as a log"), &mut out);
    of_issues(&issues, &mut out);
    out
}

/// What is known of a line, for people.
pub fn text(spot: &Spot, trace: &Trace, events: &[Event], paint: Paint) -> String {
    let mut out = String::new();
    let _ = writeln!(out, "{}", paint.bold(&format!("{}:{}", safe(&spot.path), spot.line)));
    let text = String::from_utf8_lossy(trace.text.as_deref().unwrap_or_default());
    quote(spot.line, &text, paint, &mut out);
    field("format", &why(trace), &mut out);
    for event in events.iter().take(MAX_EVENTS) {
        if events.len() > 1 {
            out.push('\n');
        }
        of_event(spot, event, trace, paint, &mut out);
    }
    if events.len() > MAX_EVENTS {
        let rest = counted((events.len() - MAX_EVENTS) as u64, "more event", "more events");
        let _ = writeln!(out, "\n  … {rest} on this line; FILE:LINE:COLUMN chooses one");
    }
    if events.is_empty() {
        field("event", no_event(trace), &mut out);
    }
    of_issues(&trace.issues, &mut out);
    out
}

/// The format, and by what it was recognised.
fn why(trace: &Trace) -> String {
    let score = trace.claims.iter().find(|(id, _)| *id == trace.format).map(|(_, score)| score);
    let how = match trace.shape {
        Shape::Windows => "as lines",
        Shape::Sequence => "as lines, from start to end",
        Shape::Document => "as one document",
    };
    let Some(score) = score else { return format!("{}, named by --from; read {how}", trace.format) };
    let others: Vec<String> = trace
        .claims
        .iter()
        .filter(|(id, _)| *id != trace.format)
        .map(|(id, score)| format!("{id} {score}"))
        .collect();
    let others = if others.is_empty() {
        "no other format claims it".to_owned()
    } else {
        format!("others: {}", others.join(", "))
    };
    format!("{}, by the file's first 64 KiB (score {score} of 100; {others}); read {how}", trace.format)
}

/// Why a line may belong to no event.
fn no_event(trace: &Trace) -> &'static str {
    let text = trace.text.as_deref().unwrap_or_default();
    let is_out = |(code, _): &&(Code, String)| {
        matches!(
            code,
            Code::DuplicateRecord
                | Code::ReplayedLines
                | Code::OverlappingPage
                | Code::TextAfterEnd
                | Code::InvalidJson
                | Code::UnexpectedShape
                | Code::LineTooLong
        )
    };
    if text.trim_ascii().is_empty() {
        "none: the line is blank"
    } else if trace.issues.iter().any(|issue| is_out(&issue)) {
        "none: the line was left out, see the issue"
    } else if trace.shape == Shape::Document {
        "none: punctuation or a field that is no event"
    } else {
        "none: the line repeats another, or holds nothing but what the format passes over"
    }
}

fn of_event(spot: &Spot, event: &Event, trace: &Trace, paint: Paint, out: &mut String) {
    let lines = if event.line == event.last_line {
        format!("line {}", event.line)
    } else {
        format!("lines {}–{}", event.line, event.last_line)
    };
    let place = format!("{lines}, {} bytes from byte {}", count(event.n_bytes), count(event.byte_offset));
    if event.line < spot.line && trace.shape != Shape::Document {
        field("event", &format!("{place}; this line was joined to"), out);
        quote(event.line, &event.first_line, paint, out);
    } else {
        field("event", &place, out);
    }
    let ts = match (event.ts, event.clock) {
        (Some(ts), _) => rfc3339(ts),
        (None, Some(clock)) => format!("none; the time of day {} without a date", of_day(clock)),
        (None, None) => "none".to_owned(),
    };
    field("ts", &ts, out);
    field("level", event.level, out);
    field("class", event.class, out);
    if !event.logger.is_empty() {
        field("logger", &quotable(&event.logger), out);
    }
    field("message", &quotable(&event.message), out);
    if let Some(payload) = &event.payload {
        field("payload", &quotable(payload), out);
    }
    if !event.flags.is_empty() {
        field("odd", &event.flags.join(", "), out);
    }
    if let Some(run_id) = &event.relayed {
        field("relayed", &format!("from the log of {}", safe(run_id)), out);
    }
    for mark in &event.marks {
        field("mark", &safe(mark), out);
    }
    match &event.home {
        Some(home) => of_home(home, out),
        None => field("run", "none: the event repeats one that is counted elsewhere", out),
    }
}

fn of_home(home: &Home, out: &mut String) {
    let kind = home.kind.unwrap_or("run");
    let run =
        format!("{} {kind} {} of {}, {}", home.platform, safe(&home.run_id), safe(&home.group), home.status);
    field("run", &run, out);
    let seq = format!("event {} of {}", count(home.seq), count(home.n_events));
    match &home.step {
        Some((step_seq, name)) => {
            field("step", &format!("{step_seq}, {}; {seq} of the run", safe(name)), out);
        }
        None => field("step", &format!("none; {seq} of the run"), out),
    }
}

fn of_issues(issues: &[(Code, String)], out: &mut String) {
    for (code, message) in issues {
        field("issue", &format!("{} ({}): {}", code.as_str(), code.severity().as_str(), safe(message)), out);
    }
    if issues.is_empty() {
        field("issues", "none", out);
    }
}

fn field(name: &str, value: &str, out: &mut String) {
    let _ = writeln!(out, "  {name:<8} {value}");
}

fn quote(line: u64, text: &str, paint: Paint, out: &mut String) {
    let _ = writeln!(out, "  {} {}", paint.dim(&format!("{line:>6} |")), quotable(text));
}

fn quotable(text: &str) -> String {
    shortened(&safe(text), MAX_TEXT_CHARS)
}

fn of_day(clock: Micros) -> String {
    DateTime::from_timestamp_micros(clock).map_or_else(String::new, |at| at.format("%H:%M:%S%.f").to_string())
}

/// What is known of a line, as one JSON object.
pub fn json(spot: &Spot, trace: &Trace, events: &[Event]) -> String {
    let claims: Vec<Value> =
        trace.claims.iter().map(|(id, score)| json!({"format": id, "score": score})).collect();
    let object = json!({
        "source": spot.path,
        "line": spot.line,
        "text": trace.text.as_deref().map(String::from_utf8_lossy),
        "byte_offset": trace.byte_offset,
        "format": trace.format,
        "shape": match trace.shape {
            Shape::Windows => "windows",
            Shape::Sequence => "sequence",
            Shape::Document => "document",
        },
        "claims": claims,
        "events": events.iter().map(event_json).collect::<Vec<Value>>(),
        "issues": issues_json(&trace.issues),
    });
    format!("{}\n", safe_json(&object.to_string()))
}

fn event_json(event: &Event) -> Value {
    let home = event.home.as_ref();
    json!({
        "line": event.line,
        "last_line": event.last_line,
        "byte_offset": event.byte_offset,
        "n_bytes": event.n_bytes,
        "ts": event.ts.map(rfc3339),
        "level": event.level,
        "class": event.class,
        "logger": event.logger,
        "message": event.message,
        "payload": event.payload,
        "flags": event.flags,
        "relayed": event.relayed,
        "marks": event.marks,
        "platform": home.map(|home| home.platform),
        "kind": home.and_then(|home| home.kind),
        "group": home.map(|home| &home.group),
        "run_id": home.map(|home| &home.run_id),
        "status": home.map(|home| home.status),
        "seq": home.map(|home| home.seq),
        "step_seq": home.and_then(|home| home.step.as_ref()).map(|step| step.0),
        "step": home.and_then(|home| home.step.as_ref()).map(|step| &step.1),
    })
}

fn issues_json(issues: &[(Code, String)]) -> Vec<Value> {
    let object = |(code, message): &(Code, String)| json!({"code": code.as_str(), "severity": code.severity().as_str(), "message": message});
    issues.iter().map(object).collect()
}
