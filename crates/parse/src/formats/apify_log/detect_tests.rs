//! What is an Apify log, and what only looks like one.

use super::*;

#[track_caller]
fn check(text: &str, expect: Option<(u8, Shape)>) {
    let found = detect(Head { bytes: text.as_bytes(), extent: Extent::Whole });
    assert_eq!(found.map(|found| (found.score, found.shape)), expect, "{text}");
}

const S: &str = "2025-01-01T00:00:00.000Z";

#[test]
fn platform_logs() {
    let windows = |score| Some((score, Shape::Windows));
    check(&format!("{S} ACTOR: Creating container.\n{S}\n{S} x\n"), windows(95));
    check(&format!("{S} INFO  x\n"), windows(90));
    check(&format!("{S} [apify] INFO  x\n"), windows(90));
    check(&format!("{S} {{\"level\":\"INFO\",\"msg\":\"x\"}}\n"), windows(90));
    check(&format!("{S} INFO: x\n"), windows(80));
    check(&format!("{S} x\n{S} y\n"), windows(50));
    check(&format!("ACTOR: Pulling x\n{S} ACTOR: Creating container.\n"), windows(95));
    check(&format!("{S} \x1b[32mINFO\x1b[39m  x\n"), windows(90));
    check("12:00:01 ACTOR: x\n12:00:02 INFO  y\n", windows(95));
    check("(timestamp) ACTOR: Building Docker image.\n", windows(95));
}

#[test]
fn a_few_lines_of_the_platform_are_certain() {
    let windows = |score| Some((score, Shape::Windows));
    let other = "not stamped\n".repeat(20);
    let lines = |text: &str, n: usize| format!("{S} {text}\n").repeat(n);
    check(&format!("{}{other}", lines("ACTOR: Creating container.", 8)), windows(CERTAIN));
    check(&format!("{}{other}", lines("ACTOR: Creating container.", 7)), Some((85, Shape::Windows)));
    check(&format!("{}{other}", lines("INFO  CheerioCrawler: Starting.", 8)), windows(CERTAIN));
    // Anybody may pad a level.
    check(&format!("{}{other}", lines("INFO  Starting.", 8)), Some((60, Shape::Windows)));
    check(&lines("INFO  Starting.", 9), windows(90));
    let build = lines("Cloning repository...", 1) + &lines("INFO  CheerioCrawler: Starting.", 20);
    check(&build, None);
}

#[test]
fn local_logs() {
    let local = |score| Some((score, Shape::Sequence));
    check("INFO  System info {\"apifyVersion\":\"3.0.0\"}\nx\n", local(80));
    check("[crawlee.crawlers._x] INFO  x\n", local(80));
    check("INFO  a\nWARN  b\nc\n", local(60));
    check("{\"level\":\"INFO\",\"msg\":\"a\"}\n{\"level\":\"WARNING\",\"msg\":\"b\"}\n", local(60));
    check("INFO  a\n", None);
}

#[test]
fn others() {
    for text in [
        "",
        "\n\n",
        "<!DOCTYPE html>\n",
        "{\"data\":[]}",
        "[{\"message\":\"Schedule invoked\",\"level\":\"INFO\",\"createdAt\":\"x\"}]",
        "[]",
        "[[1,\"x\"]]",
        "some prose\nabout nothing\n",
        "2025-01-01T00:00:00.000Z\tInitializing build environment...\n2025-01-01T00:00:01.000Z\tx\n",
        "2025-01-01T00:00:00.000Z Initializing build environment...\n2025-01-01T00:00:01.000Z Success\n",
        "2025-01-01T00:00:00.123456Z Cloning repository...\n2025-01-01T00:00:00.123456Z x\n",
        "2025-01-01T00:00:00.123456Z INFO  x\n2025-01-01T00:00:00.123456Z y\n",
        "2020-07-12T17:09:16.740+02:00 | INFO Launching\n2020-07-12T17:09:16.740+02:00 | x\n",
        "2025-01-01 00:00:00 INFO starting\n2025-01-01 00:00:00 INFO done\n",
        "INFO: pip says\nx\ny\nz\n",
    ] {
        check(text, None);
    }
}
