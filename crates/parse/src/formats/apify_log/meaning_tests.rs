use super::*;
use crate::formats::apify_log::testing::{bare, check, event, javascript, platform, python};
use crate::vocabulary::Level;

#[test]
fn programs_say_when_they_are_ready() {
    let info = r#"{"apifyVersion":"3.2.6","apifyClientVersion":"2.9.4","crawleeVersion":"3.12.1"}"#;
    let marks = ["ready", "ToolVersion crawlee 3.12.1"];
    check(javascript(Level::Info, "", "System info").with(info), Class::Plain, &marks);
    let info = r#"{"apifyVersion":"0.21.3","apifyClientVersion":"0.6.0","osType":"Linux"}"#;
    let marks = ["ready", "ToolVersion apify 0.21.3"];
    check(event(Style::Colon, Level::Info, "", "System info").with(info), Class::Plain, &marks);
    let cut = "System info {\"apifyVersion\":\"0.21.3\",\"apifyClientVersion\":\"0.6.0\",\"no";
    check(javascript(Level::Info, "", cut), Class::Plain, &marks);
    check(javascript(Level::Info, "", "System info {\"apifyVersion\":\"0.2"), Class::Plain, &["ready"]);
    let info = r#"{"apify_sdk_version": "2.7.0", "crawlee_version": "0.6.11", "os": "linux"}"#;
    let marks = ["ready", "ToolVersion crawlee 0.6.11"];
    check(python(Level::Info, "apify", "System info").with(info), Class::Plain, &marks);
    check(python(Level::Info, "apify", "Initializing Actor").with(info), Class::Plain, &marks);
    let info = r#"{"apify_sdk_version": "1.4.0", "apify_client_version": "1.6.0"}"#;
    let marks = ["ready", "ToolVersion apify 1.4.0"];
    check(python(Level::Info, "apify", "System info").with(info), Class::Plain, &marks);
    for line in ["Initializing Actor...", "Initializing actor...", "Initializing Actor"] {
        check(python(Level::Info, "apify", line), Class::Plain, &["ready"]);
    }
    check(event(Style::Stdlib, Level::Info, "apify", "System info"), Class::Plain, &["ready"]);
    for line in ["System information", "System info is missing", "Initializing", "Initializing Actors"] {
        check(javascript(Level::Info, "", line), Class::Plain, &[]);
    }
    check(bare("System info"), Class::Plain, &[]);
}

#[test]
fn crawls_begin() {
    for line in ["Starting the crawler.", "Starting the crawl"] {
        check(javascript(Level::Info, "CheerioCrawler", line), Class::Plain, &["crawl"]);
        check(javascript(Level::Info, "", line), Class::Plain, &[]);
        check(python(Level::Info, "apify", line), Class::Plain, &[]);
    }
    for line in
        ["Starting the crawl.", "Starting the crawl of https://example.com", "Starting the crawler now"]
    {
        check(javascript(Level::Info, "CheerioCrawler", line), Class::Plain, &[]);
    }
}

#[test]
fn evidence() {
    let of = |event| interpret(&event, &mut Batch::new(crate::record::Wants::Runs)).evidence;
    assert_eq!(of(bare("Hello")), Evidence::NONE);
    assert_eq!(of(javascript(Level::Info, "", "Hello")), Evidence::RUN);
    assert_eq!(of(python(Level::Info, "x", "Hello")), Evidence::RUN);
    assert_eq!(of(platform("Hello")), Evidence::NONE);
    assert_eq!(of(event(Style::RelayedStatus, Level::None, "", "Status: RUNNING, Message:")), Evidence::RUN);
}

#[test]
fn colours_are_looked_through() {
    let line = "\u{1b}[39m Starting the crawler.\u{1b}[90m";
    check(javascript(Level::Info, "CheerioCrawler", line), Class::Plain, &["crawl"]);
    let line = "\u{1b}[36mPulling container image of build Ab3dEf6hIj9kLm2nO from registry.";
    let marks = ["open 0 pull Ab3dEf6hIj9kLm2nO", "BuildId Ab3dEf6hIj9kLm2nO"];
    check(platform(line), Class::Platform, &marks);
}

#[test]
fn escapes_of_json_are_looked_through() {
    let line = r#"Encountered \"blocked\", rotating session and retrying...\nCall log:"#;
    check(event(Style::Json, Level::Warn, "C", line), Class::Retry, &["retried - - -"]);
    let line = r"\nSystem info";
    check(event(Style::Json, Level::Info, "C", line), Class::Plain, &[]);
}

#[test]
fn any_first_byte_is_plain_by_default() {
    for byte in 0..=255_u8 {
        for rest in ["", "x", ": request", " x y z"] {
            let line = [&[byte], rest.as_bytes()].concat();
            for style in [Style::Platform, Style::Padded, Style::Python, Style::Json, Style::Bare] {
                let event = Event { first_line: &line, ..event(style, Level::Error, "", "") };
                let mut out = Batch::new(crate::record::Wants::Everything);
                let expect = if style == Style::Platform { Class::Platform } else { Class::Plain };
                assert_eq!(interpret(&event, &mut out).class, expect, "{style:?} {line:?}");
                assert_eq!(out.marks, [], "{style:?} {line:?}");
            }
        }
    }
}

#[test]
fn what_marks_hold_is_borrowed() {
    let line = "Retrying request to https://example.com/a due to: x";
    let mut out = Batch::new(crate::record::Wants::Requests);
    interpret(&python(Level::Warn, "crawlee", line), &mut out);
    let url = out.marks.first().and_then(|marked| match &marked.mark {
        Mark::Request(request) => request.url.clone(),
        _ => None,
    });
    assert!(matches!(url, Some(Cow::Borrowed("https://example.com/a"))), "{url:?}");
}
