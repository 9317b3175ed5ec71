//! Payloads in all their places, and what is none.

use super::*;

/// Message, payload, and whether it is closed, of the text of an event.
#[track_caller]
fn check(raw: &str, message: &str, payload: Option<&str>, extent: Closed) {
    let split = if raw.contains('\n') { split_lines(raw.as_bytes()) } else { split_line(raw.as_bytes()) };
    assert_eq!(split.message.decode(), message, "{raw}");
    assert_eq!(split.payload.map(|text| text.decode().into_owned()).as_deref(), payload, "{raw}");
    assert_eq!(split.extent, extent, "{raw}");
    let first = Text::plain(split.first_line).decode().into_owned();
    assert_eq!(first, message.lines().next().unwrap_or_default().trim_end(), "{raw}");
}

#[test]
fn at_the_end_of_a_line() {
    let yes = |raw, message, payload| check(raw, message, Some(payload), Closed::Yes);
    yes(r#"x {"a":1}"#, "x", r#"{"a":1}"#);
    yes(r#"x {"a":{"b":"} {"}}  "#, "x", r#"{"a":{"b":"} {"}}"#);
    yes(r#"x ({"a": 1, "b": "c"})"#, "x", r#"{"a": 1, "b": "c"}"#);
    yes(r#"{"a":1}"#, "", r#"{"a":1}"#);
    yes(r#"x {"b":2} y {"a":1}"#, r#"x {"b":2} y"#, r#"{"a":1}"#);
    yes(r#"{"} {"} {"} {"} {"} x {"a":"\""}"#, r#"{"} {"} {"} {"} {"} x"#, r#"{"a":"\""}"#);
    yes("x \u{1b}[90m{\"a\":1}\u{1b}[39m", "x", r#"{"a":1}"#);
    yes("x \u{1b}[90m({\"a\": 1})\u{1b}[0m", "x", r#"{"a": 1}"#);
    yes("x {}", "x", "{}");
}

#[test]
fn none() {
    for raw in [
        "x",
        "Input: { test: 123 }",
        "proxy_settings = {'url': 'x'}",
        "Scrapy 2.11.0 started (bot: titlebot)",
        r#"x {"a":1} y"#,
        r#"x{"a":1}"#,
        r#"x {"a":1})"#,
        "x {",
        r#"x {"a":1..2-"#,
        r#"x {"a":b."#,
        "}",
    ] {
        check(raw, raw, None, Closed::Yes);
    }
}

#[test]
fn unclosed() {
    for raw in [
        r#"x {"a":1."#,
        r#"x {"a":-"#,
        r#"x {"a":1e"#,
        r#"x {"a":1,"b"#,
        r#"x ({"a": 1"#,
        r#"x ({"a":1}"#,
        r#"x {"a":{"b":1}"#,
        r#"x {""#,
    ] {
        check(raw, raw, None, Closed::No);
    }
}

const S: &str = "2025-01-01T00:00:00.000Z ";

#[test]
fn on_other_lines() {
    check(&format!("x\n{S} {{\"id\":1}}"), "x", Some("{\"id\":1}"), Closed::Yes);
    check(&format!("x\n{S}\n{S} {{\"id\":1}}"), "x", Some("{\"id\":1}"), Closed::Yes);
    check(
        &format!("x\n{S}    at a (b:1) {{\"id\":1}}"),
        "x\n    at a (b:1)",
        Some("{\"id\":1}"),
        Closed::Yes,
    );
    check(
        &format!("x {{\"id\":1}}\n{S}  Error: y\n{S}    at z"),
        "x\n  Error: y\n    at z",
        Some("{\"id\":1}"),
        Closed::Yes,
    );
    check(
        "x {\"a\":1,\n \"b\":{\"c\":2},\n\"d\":3}",
        "x",
        Some("{\"a\":1,\n \"b\":{\"c\":2},\n\"d\":3}"),
        Closed::Yes,
    );
    check("x ({\"a\":1,\n \"b\":2})", "x", Some("{\"a\":1,\n \"b\":2}"), Closed::Yes);
    check(&format!("x {{\"a\":1,\n{S} \"b\":2"), "x {\"a\":1,\n \"b\":2", None, Closed::No);
    check(&format!("x\n{S}  y"), "x\n  y", None, Closed::Yes);
}

#[test]
fn hostile_lines_take_linear_time() {
    for pattern in ["{", " {\"", " {\"a\":", "\"{", " {} ", "}", "{\"a\":\"\\\"\" ", " {\"a\":{} "] {
        let raw = pattern.repeat((1 << 20) / pattern.len());
        for raw in [raw.clone(), raw.clone() + "}", raw.clone() + "\n}", raw.replace(' ', "\n")] {
            let _ = if raw.contains('\n') { split_lines(raw.as_bytes()) } else { split_line(raw.as_bytes()) };
        }
    }
}

#[test]
fn what_may_be_statistics_is_not_left() {
    for raw in [r#"x: {"a":1}"#, r#"x:{"a":1}"#, r#"x: ({"a":1})"#, r#"x:({"a":1})"#, "x: {a}"] {
        assert!(!is_closed(raw.as_bytes()), "{raw}");
    }
    for raw in [r#"x: y {"a":1}"#, r#"x: y {"a":{}}"#, r#"x: y ({"a":1})"#, r#"{"a":1}"#] {
        assert!(is_closed(raw.as_bytes()), "{raw}");
    }
}

#[test]
fn what_is_surely_closed_is_closed() {
    let is_left = |raw: &str| raw.find('{').is_none_or(|brace| is_surely_closed(raw.as_bytes(), brace));
    let sure = [
        "x",
        "x {}",
        r#"x {"a":"b"}"#,
        r#"x {"a":"b","c":[1.5,true]}"#,
        r#"x {"a":""}"#,
        "a{5}",
        r#"({"a":1})"#,
    ];
    for raw in sure {
        assert!(is_left(raw), "{raw}");
    }
    let unsure = [r#"x {"a":"b"#, r#"x {"a":"}"#, r#"x {"a":"b\"}"#, r#"x ({"a":1}"#, r#"x {"a":{}}"#];
    for raw in unsure {
        assert!(!is_left(raw), "{raw}");
    }
    // All there is of so many pieces.
    let pieces = ["{", "}", "[", "]", "\"", ",", ":", "\\", "a", " ", "1", "\"a\":"];
    for (head, tail) in [("x {", "}"), ("x ({", "})"), ("x ({", "}")] {
        for number in 0..pieces.len().pow(5) {
            let piece = |at: u32| {
                pieces.get(number / pieces.len().pow(at) % pieces.len()).copied().unwrap_or_default()
            };
            let raw: String = [head].into_iter().chain((0..5).map(piece)).chain([tail]).collect();
            if is_left(&raw) {
                assert_eq!(split_line(raw.as_bytes()).extent, Closed::Yes, "{raw}");
            }
        }
    }
}
