//! Events out of windows: limits, lines without stamps, copies, damaged bytes, and any division of the input.

use super::*;
use crate::formats::apify_log::cut;
use crate::record::{Account, Wants};

/// What a reading gives, independent of its division: one text per event and one per issue.
#[derive(Debug, Default, PartialEq)]
struct Reading {
    events: Vec<String>,
    issues: Vec<String>,
    account: Account,
    lines: u64,
}

impl Reading {
    fn add(&mut self, offset: usize, out: &Batch<'_>) {
        for record in &out.records {
            let run = record.stream.checked_sub(1).and_then(|index| out.streams.get(index as usize));
            self.events.push(format!(
                "{}..{} {}+{} {:?} {:?} {} [{}] {:?} {:?} {:?} {:?}",
                offset + record.span.start,
                offset + record.span.end,
                self.lines + u64::from(record.line),
                record.n_lines,
                record.ts,
                record.until,
                record.level,
                String::from_utf8_lossy(record.logger),
                record.message.decode(),
                record.payload.map(|payload| payload.decode().into_owned()),
                record.flags,
                run.map(|run| String::from_utf8_lossy(run.run_id)),
            ));
        }
        // Copies are reported once for each window.
        for issue in out.issues.iter().filter(|issue| issue.code.as_str() != "duplicate-record") {
            let (code, start, line) =
                (issue.code.as_str(), offset + issue.start, self.lines + u64::from(issue.line));
            self.issues.push(format!("{code} {start} {line}"));
        }
        self.account.merge(&out.account);
        self.lines += out.account.total().lines;
    }
}

fn whole(bytes: &[u8]) -> Reading {
    windows(bytes, bytes.len())
}

/// In windows of `size` bytes that grow where nothing is consumed.
fn windows(bytes: &[u8], size: usize) -> Reading {
    let (mut reading, mut offset, mut len, mut carry) = (Reading::default(), 0, size, Carry::default());
    while let Some(rest) = bytes.get(offset..).filter(|rest| !rest.is_empty()) {
        let part = rest.get(..len).unwrap_or(rest);
        let end = if part.len() == rest.len() { End::Input } else { End::More };
        let mut out = Batch::new(Wants::Everything);
        let consumed = read(Window { bytes: part, offset: offset as u64, end }, &mut carry, &mut out);
        assert_eq!(out.account.total().bytes, consumed as u64);
        reading.add(offset, &out);
        len = if consumed == 0 { len * 2 } else { size };
        offset += consumed;
    }
    reading
}

/// In pieces of `size` bytes and more that know nothing of each other.
fn pieces(bytes: &[u8], size: usize) -> Reading {
    let (mut reading, mut offset) = (Reading::default(), 0);
    while let Some(rest) = bytes.get(offset..).filter(|rest| !rest.is_empty()) {
        let cut = if size < rest.len() { cut::cut(rest, size) } else { None };
        let end = if cut.is_some() { End::Cut } else { End::Input };
        let part = rest.get(..cut.unwrap_or(rest.len())).unwrap_or_default();
        let mut out = Batch::new(Wants::Everything);
        let consumed =
            read(Window { bytes: part, offset: offset as u64, end }, &mut Carry::default(), &mut out);
        assert_eq!(consumed, part.len());
        reading.add(offset, &out);
        offset += consumed;
    }
    reading
}

#[track_caller]
fn same_in_any_division(bytes: &[u8]) -> Reading {
    let expect = whole(bytes);
    let lines =
        memchr::memchr_iter(b'\n', bytes).count() + usize::from(!bytes.ends_with(b"\n") && !bytes.is_empty());
    assert_eq!(expect.account.total().bytes, bytes.len() as u64);
    assert_eq!(expect.account.total().lines, lines as u64);
    for size in [64, 1000] {
        assert_eq!(windows(bytes, size), expect, "in windows of {size}");
        assert_eq!(pieces(bytes, size), expect, "in pieces of {size}");
    }
    expect
}

const S: &str = "2025-01-01T00:00:00.000Z";

/// Lines of every event, and the issues as code and line from 1.
#[track_caller]
fn check(text: &str, n_lines: &[u32], issues: &[(&str, u64)], rejected: u64) {
    let reading = same_in_any_division(text.as_bytes());
    let found: Vec<u32> = reading
        .events
        .iter()
        .filter_map(|event| event.split('+').nth(1)?.split(' ').next()?.parse().ok())
        .collect();
    assert_eq!(found, n_lines, "{:#?}", reading.events);
    let found: Vec<(String, u64)> = reading
        .issues
        .iter()
        .filter_map(|issue| {
            let mut words = issue.split(' ');
            Some((words.next()?.to_owned(), words.nth(1)?.parse::<u64>().ok()? + 1))
        })
        .collect();
    let expect: Vec<(String, u64)> = issues.iter().map(|(code, line)| ((*code).to_owned(), *line)).collect();
    assert_eq!(found, expect, "{text}");
    assert_eq!(reading.account.rejected.lines, rejected, "{text}");
}

#[test]
fn blank_lines() {
    check(&format!("\n{S}\n{S} x\n{S} \n{S}\n{S}   y\n{S}\n\n{S} z\n{S}\n"), &[4, 1], &[], 0);
}

#[test]
fn lines_without_a_stamp() {
    check(
        &format!("{S} x\n y\nINFO  z\n{S} w\n"),
        &[3, 1],
        &[("unstamped-line", 2), ("unstamped-line", 3)],
        0,
    );
    check(&format!("x\n{S} y\nz\n"), &[1, 2], &[("unstamped-line", 1), ("unstamped-line", 3)], 0);
    check(&format!("x\n{S}   y\n{S} z\n"), &[2, 1], &[("unstamped-line", 1)], 0);
    check("x\ny\n  z\nINFO  w\n", &[1, 2, 1], &[], 0);
}

#[test]
fn text_after_the_end() {
    check(
        &format!("{S} ACTOR: Build finished.\na\n\nb\n{S} x\ny\n"),
        &[1, 2],
        &[("text-after-end", 2), ("unstamped-line", 6)],
        2,
    );
    check(&format!("{S} ACTOR: ERROR: x\n{S}\n  a\n"), &[1], &[("text-after-end", 3)], 1);
    check("ACTOR: Build finished.\na\n", &[1, 1], &[], 0);
}

#[test]
fn relays() {
    let relay = |id: &str, text: &str| format!("{S} [apify.a runId:{id}] -> {S} {text}\n");
    let text = relay("A1", "ERROR x") + &relay("A1", "    at y (z:1)") + &relay("B2", "    at y (z:1)");
    check(&text, &[2, 1], &[], 0);
    check(&(relay("A1", "x") + &relay("B2", "") + &relay("A1", "  y")), &[1, 1], &[], 0);
    let copy = relay("A1", "[a] INFO  x") + &relay("B2", "[a] INFO  x ({\"message\": \"x\"})");
    check(&copy, &[1, 1], &[], 0);
}

#[test]
fn copies() {
    let line = |text: &str| format!("{S} [a] INFO  {text}\n");
    let text = line("x") + &line("x ({\"message\": \"x\"})") + &line("x ({\"message\": \"x\"})") + &line("y");
    let reading = same_in_any_division(text.as_bytes());
    assert_eq!((reading.events.len(), reading.account.duplicate.lines), (3, 1));
    let reading = same_in_any_division((line("x") + "\n" + &line("x ({\"message\": \"x\"})")).as_bytes());
    assert_eq!(
        (reading.events.len(), reading.account.duplicate.lines, reading.account.structure.lines),
        (1, 1, 1)
    );
    let text = format!("{S} [a] INFO  Enabled:\n{S}  x\n").repeat(2)
        + &format!("{S}  ({{\"message\": \"Enabled:\\n x\"}})\n");
    let reading = same_in_any_division(text.as_bytes());
    assert_eq!((reading.events.len(), reading.account.duplicate.lines), (1, 3));
}

#[test]
fn undecided_crashes() {
    check(&format!("{S} /a/b.js:1\n{S} throw x;\n{S} ^\n{S} y\n"), &[4], &[], 0);
    check(&format!("{S} /a/b.js:1\n{S} throw x;\n{S} y\n"), &[1, 1, 1], &[], 0);
    check(&format!("{S} /a/b.js:1\n{S} throw x;"), &[1, 1], &[], 0);
}

#[test]
fn damaged_bytes() {
    let mut bytes = format!("\u{feff}{S} x\r\n{S}   y\0\rz\r\n{S} ").into_bytes();
    bytes.extend_from_slice(b"\xff\xc3\n");
    bytes.extend_from_slice(format!("{S} é").as_bytes());
    let reading = same_in_any_division(&bytes);
    assert_eq!(reading.events.len(), 3);
    assert!(reading.events.iter().any(|event| event.contains(r#""x\n  y\0\rz""#)), "{reading:?}");
    assert_eq!(reading.issues, ["invalid-utf8 64 2"]);
    assert_eq!(reading.account.structure.bytes, 3);
}

#[test]
fn overlong_lines() {
    let long = "é".repeat(MAX_LINE_BYTES);
    let text = format!("{S} INFO  x\n{S} y{long}\n  z\n{S} w\n");
    let expect = whole(text.as_bytes());
    assert_eq!(expect.events.len(), 4, "the line is cut off from both its neighbours");
    assert_eq!(expect.issues, [format!("line-too-long {} 1", S.len() + 9)]);
    assert_eq!(expect.account.total().bytes, text.len() as u64);
    assert_eq!(expect.account.total().lines, 4);
    for size in [1000, MAX_LINE_BYTES, MAX_LINE_BYTES + 100] {
        assert_eq!(windows(text.as_bytes(), size), expect, "in windows of {size}");
    }
    let open = format!("{S} {}", "x".repeat(MAX_LINE_BYTES + 5));
    assert_eq!(windows(open.as_bytes(), 1 << 20), whole(open.as_bytes()));
    assert_eq!(whole(open.as_bytes()).account.total().lines, 1);
}

#[test]
fn long_events() {
    let text = format!("{S} x\n") + &format!("{S}  y\n").repeat(25_000);
    let expect = whole(text.as_bytes());
    assert_eq!((expect.events.len(), expect.issues.len()), (3, 2));
    assert_eq!(windows(text.as_bytes(), 1 << 16), expect);
    let text = format!("{S} x\n{S} ACTOR: Build finished.\n") + &"z\n".repeat(20_000) + "\n";
    let expect = whole(text.as_bytes());
    assert_eq!(windows(text.as_bytes(), 1 << 12), expect);
    assert_eq!(expect.account.total().lines, 20_003);
    let text = format!("{S} x\n") + &"\n".repeat(20_000) + &format!("{S}  y\n");
    let expect = whole(text.as_bytes());
    assert_eq!((expect.events.len(), expect.account.structure.lines), (2, 20_000));
    assert_eq!(windows(text.as_bytes(), 1 << 12), expect);
}

#[test]
fn every_relayed_run_is_told_apart() {
    let lines: Vec<String> = (0..5000).map(|id| format!("{S} [apify.a runId:R{id}] -> {S} x\n")).collect();
    let text = lines.concat();
    let reading = whole(text.as_bytes());
    assert_eq!(reading.issues.len(), 0);
    assert_eq!(reading.events.iter().filter(|event| event.ends_with("None")).count(), 0);
}

/// Until which millisecond of a second each event was being written.
#[track_caller]
fn check_until(lines: &[(u32, &str)], expect: &[u32]) {
    let stamped = lines.iter().map(|(ms, text)| format!("2025-03-01T10:00:00.{ms:03}Z {text}\n"));
    let text = stamped.collect::<Vec<_>>().concat();
    let mut out = Batch::new(Wants::Runs);
    read(Window { bytes: text.as_bytes(), offset: 0, end: End::Input }, &mut Carry::default(), &mut out);
    let ms =
        |until: Option<i64>| until.and_then(|until| u32::try_from(until.rem_euclid(1_000_000) / 1000).ok());
    let found: Vec<u32> = out.records.iter().filter_map(|record| ms(record.until)).collect();
    assert_eq!(found, expect, "{text}");
}

#[test]
fn the_last_stamp_of_an_event() {
    check_until(&[(1, "INFO  a"), (2, "  b"), (3, ""), (4, "INFO  c")], &[3, 4]);
    check_until(&[(5, "a"), (2, "  b"), (7, "c"), (6, "")], &[5, 7]);
    check_until(&[(1, "[a] INFO  b"), (2, "[a] INFO  b ({\"message\": \"b\"})"), (3, ""), (9, "x")], &[3, 9]);
    // A blank line of the log is none of a child's.
    check_until(&[(1, "[apify.a runId:B1] -> 2025-03-01T10:00:00.000Z x"), (2, "")], &[0]);
}
