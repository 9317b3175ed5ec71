//! Inputs that fail or change while they are read: what came before is kept, what is missing is said,
//! and what was read is accounted for.

use std::fmt::Write as _;
use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use logmill_analyze::{Content, Input, Options, ReadAt, ReadError, Unread};
use logmill_parse::Code;

use crate::support::{Access, Counted, Found, lines, read};

/// What an input does from some byte on.
#[derive(Clone, Copy)]
enum Fault {
    /// Fails as a disk does.
    Disk,
    /// Fails with an error of its own code.
    Own,
    /// Ends, though it said it was longer.
    Ends,
    /// Says that it has read more than there was room for.
    Boasts,
}

struct Faulty {
    bytes: Vec<u8>,
    at: u64,
    fault: Fault,
    access: Access,
    /// Size it claims.
    claims: u64,
}

impl Faulty {
    fn new(bytes: &str, at: usize, fault: Fault, access: Access) -> Self {
        Self { bytes: bytes.into(), at: at as u64, fault, access, claims: bytes.len() as u64 }
    }

    fn opened(&self) -> FaultyBytes {
        FaultyBytes {
            bytes: self.bytes.clone(),
            at: self.at,
            fault: self.fault,
            claims: self.claims,
            place: 0,
        }
    }
}

impl Input for Faulty {
    fn source(&self) -> &'static str {
        "actor/aB3dE6gH9jK2mN5pQ.log"
    }

    fn open(&self) -> io::Result<Content> {
        Ok(match self.access {
            Access::Random => Content::Random(Box::new(self.opened())),
            Access::Stream => Content::Stream(Box::new(self.opened())),
        })
    }
}

struct FaultyBytes {
    bytes: Vec<u8>,
    at: u64,
    fault: Fault,
    claims: u64,
    place: u64,
}

impl ReadAt for FaultyBytes {
    fn size(&self) -> u64 {
        self.claims
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let len = usize::try_from(self.at.saturating_sub(offset)).unwrap_or(usize::MAX).min(buffer.len());
        match self.fault {
            _ if len > 0 => self.bytes.read_at(offset, &mut buffer[..len]),
            Fault::Disk => Err(io::Error::from_raw_os_error(5)),
            Fault::Own => Err(ReadError::new(Code::TruncatedLog, "expected more, found the end").into()),
            Fault::Ends => Ok(0),
            Fault::Boasts => Ok(self.bytes.read_at(offset, buffer)? * 3),
        }
    }
}

impl Read for FaultyBytes {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.read_at(self.place, buffer)?;
        self.place += n as u64;
        Ok(n)
    }
}

fn options(window_bytes: usize) -> Options {
    Options { window_bytes, ..Options::default() }
}

const WINDOWS: [usize; 4] = [64, 1000, 4096, 1 << 20];

/// Reads it in windows of several sizes, which changes nothing.
#[track_caller]
fn read_all(input: &dyn Input) -> Found {
    let mut found: Vec<Found> = WINDOWS.iter().map(|window| read(&[input], options(*window))).collect();
    let first = found.remove(0);
    for (window, other) in WINDOWS.iter().skip(1).zip(&found) {
        assert_eq!(first.events, other.events, "windows of {window}");
        assert!(first.report == other.report, "windows of {window}");
    }
    first
}

#[test]
fn what_stands_before_an_error_is_kept() {
    let log = lines(0..3000);
    // In the middle of line 2000 of 37 or 38 bytes each.
    let at = lines(0..1999).len() + 10;
    for access in [Access::Random, Access::Stream] {
        for (fault, code, reason) in
            [(Fault::Disk, "unreadable-input", "unreadable"), (Fault::Own, "truncated-log", "truncated-log")]
        {
            let found = read_all(&Faulty::new(&log, at, fault, access));
            let (file, run) = (&found.report.files[0], &found.report.runs[0]);
            assert_eq!((file.bytes, file.n_lines, file.complete), (at as u64, 2000, false));
            assert_eq!(file.incomplete_reason.as_deref(), Some(reason));
            assert_eq!((run.complete, run.incomplete_reason.as_deref()), (false, Some(reason)));
            let issues: Vec<_> = found.report.issues.iter().filter(|issue| issue.code == code).collect();
            assert_eq!(issues.len(), 1, "{:?}", found.report.issues);
            assert_eq!((issues[0].byte_offset, issues[0].line), (Some(at as u64), Some(2000)));
            // The second pass does not reach the error, or meets it where it was.
            assert!(found.unread.is_empty(), "{:?}", found.unread);
            assert_eq!(found.events.len() as u64, run.n_events);
            assert!(found.events[1998].contains(" step 1998"), "{}", found.events[1998]);
        }
    }
}

#[test]
fn an_error_in_the_first_bytes_leaves_nothing_but_an_issue() {
    for access in [Access::Random, Access::Stream] {
        let found = read_all(&Faulty::new(&lines(0..3000), 0, Fault::Disk, access));
        let file = &found.report.files[0];
        assert_eq!((file.bytes, file.complete, found.report.runs.len()), (0, false, 0));
        assert_eq!(found.report.issues.len(), 1);
    }
}

#[test]
fn a_document_that_ends_early_is_read_as_far_as_it_goes() {
    let mut page = String::from(r#"{"result":{"truncated":false,"lines":["#);
    for n in 0..400 {
        let _ = write!(page, "[{},\"line {n}\"],", 1_762_000_000_000_u64 + n);
    }
    let at = page.find("[1762000000300").expect("a line") + 5;
    for access in [Access::Random, Access::Stream] {
        for fault in [Fault::Disk, Fault::Own] {
            let found = read_all(&Faulty::new(&page, at, fault, access));
            let file = &found.report.files[0];
            assert_eq!((file.bytes, file.n_events, file.complete), (at as u64, 300, false));
            assert_eq!(found.events.len(), 300);
            assert!(found.unread.is_empty());
        }
    }
}

#[test]
fn an_array_that_ends_early_is_read_in_parts_as_far_as_it_goes() {
    let execution = |n: usize| {
        let stamps = format!(
            r#""startedAt":"2025-03-01T10:00:{n:02}.000Z","stoppedAt":"2025-03-01T10:01:{n:02}.000Z""#
        );
        format!(r#"{{{stamps},"executionId":"e{n}","results":[{{{stamps},"connectorId":"c","data":[]}}]}}"#)
    };
    let array = format!("[{}]", (0..40).map(execution).collect::<Vec<_>>().join(","));
    let at = array.find("\"e30\"").expect("an execution");
    for access in [Access::Random, Access::Stream] {
        for (fault, code) in [(Fault::Disk, "unreadable-input"), (Fault::Own, "truncated-log")] {
            let found = read_all(&Faulty::new(&array, at, fault, access));
            let file = &found.report.files[0];
            assert_eq!((file.bytes, file.n_events, file.complete), (at as u64, 30, false));
            assert_eq!(found.report.issues.iter().filter(|issue| issue.code == code).count(), 1);
            assert_eq!(found.events.len(), 30);
        }
    }
}

#[test]
fn an_input_that_shrinks_has_changed() {
    let log = lines(0..3000);
    let at = lines(0..1000).len();
    let found = read_all(&Faulty::new(&log, at, Fault::Ends, Access::Random));
    let (file, run) = (&found.report.files[0], &found.report.runs[0]);
    assert_eq!((file.bytes, file.n_events, run.n_events), (at as u64, 1000, 1000));
    assert_eq!((file.complete, run.incomplete_reason.as_deref()), (false, Some("changed")));
    let changed: Vec<_> = found.report.issues.iter().filter(|issue| issue.code == "changed-input").collect();
    assert_eq!((changed.len(), changed[0].byte_offset), (1, Some(at as u64)));
    assert_eq!(found.events.len(), 1000);
}

#[test]
fn an_input_that_grows_has_changed() {
    let log = lines(0..3000);
    let claims = lines(0..2000).len() as u64;
    let grows = Faulty { claims, ..Faulty::new(&log, log.len(), Fault::Ends, Access::Random) };
    let found = read_all(&grows);
    let file = &found.report.files[0];
    assert_eq!((file.bytes, file.n_events, file.complete), (claims, 2000, false));
    assert!(found.report.issues.iter().any(|issue| issue.code == "changed-input"));
    assert!(found.unread.is_empty(), "what was read can be read again");
    assert_eq!(found.events.len(), 2000);
}

#[test]
fn sizes_and_counts_that_are_lies() {
    let log = lines(0..300);
    for claims in [u64::MAX, 1 << 62, 1 << 40] {
        let lies = Faulty { claims, ..Faulty::new(&log, log.len(), Fault::Ends, Access::Random) };
        let found = read(&[&lies], options(4096));
        assert_eq!((found.report.files[0].bytes, found.events.len()), (log.len() as u64, 300));
    }
    for access in [Access::Random, Access::Stream] {
        let boasts = Faulty::new(&log, log.len() / 2, Fault::Boasts, access);
        for window in WINDOWS {
            read(&[&boasts], options(window));
        }
    }
}

/// An input that holds something else each time it is opened.
struct Replaced {
    versions: Vec<String>,
    access: Access,
    opened: AtomicUsize,
}

impl Input for Replaced {
    fn source(&self) -> &'static str {
        "actor/aB3dE6gH9jK2mN5pQ.log"
    }

    fn open(&self) -> io::Result<Content> {
        let version = self.opened.fetch_add(1, Ordering::Relaxed);
        let text = &self.versions[version.min(self.versions.len() - 1)];
        Counted::new("", text.as_str(), self.access).open()
    }
}

#[test]
fn an_input_that_is_replaced_between_the_passes_is_told_of() {
    let other = lines(0..900).replace('\n', " and more\n");
    for access in [Access::Random, Access::Stream] {
        for second in [String::new(), lines(0..100), lines(500..1000), other.clone(), "\u{0}".repeat(40_000)]
        {
            for window in WINDOWS {
                let versions = vec![lines(0..1000), second.clone()];
                let input = Replaced { versions, access, opened: AtomicUsize::new(0) };
                let found = read(&[&input], options(window));
                let changed = found.unread.iter().filter(|unread| matches!(unread, Unread::Changed { .. }));
                assert_eq!(changed.count(), 1, "{:?}", found.unread);
            }
        }
    }
}

#[test]
fn an_input_that_cannot_be_opened_again_costs_itself() {
    struct Once(Counted, AtomicU64);
    impl Input for Once {
        fn source(&self) -> &str {
            self.0.source()
        }

        fn open(&self) -> io::Result<Content> {
            if self.1.fetch_add(1, Ordering::Relaxed) > 0 {
                return Err(io::Error::from_raw_os_error(13));
            }
            self.0.open()
        }
    }
    let once = Once(Counted::new("a/once.log", lines(0..10), Access::Random), AtomicU64::new(0));
    let other = Counted::new("a/other.log", lines(0..10), Access::Random);
    let found = read(&[&once, &other], Options::default());
    assert_eq!((found.events.len(), found.unread.len()), (10, 1));
    assert!(matches!(&found.unread[0], Unread::Unreadable { source, .. } if source == "a/once.log"));
}

#[test]
fn a_single_line_without_an_end_is_searched_once() {
    let line = format!("2025-03-01T10:00:00.000Z INFO  {}", "x".repeat(6 << 20));
    let input = Counted::new("a/long.log", line.as_str(), Access::Random);
    let asked = Arc::clone(&input.asked);
    read(&[&input], options(1 << 16));
    let bytes = asked.take_bytes();
    assert!(bytes < 8 * line.len() as u64, "{bytes} of {}", line.len());
}

#[test]
fn marks_at_the_start_and_other_encodings_are_accounted_for() {
    let log = lines(0..2000);
    let marked = [b"\xef\xbb\xbf".as_slice(), log.as_bytes()].concat();
    let utf16 = |bytes_of: fn(u16) -> [u8; 2]| -> Vec<u8> {
        std::iter::once(0xfeff).chain(log.encode_utf16()).flat_map(bytes_of).collect()
    };
    for access in [Access::Random, Access::Stream] {
        for (bytes, size) in [
            (marked.clone(), log.len() + 3),
            (utf16(u16::to_le_bytes), log.len()),
            (utf16(u16::to_be_bytes), log.len()),
        ] {
            let found = read_all(&Counted::new("a/x.log", bytes, access));
            let file = &found.report.files[0];
            assert_eq!((file.bytes, file.n_lines, file.n_events), (size as u64, 2000, 2000));
            assert_eq!((found.events.len(), found.unread.len()), (2000, 0));
        }
    }
}

#[test]
fn the_last_run_of_a_large_document_that_fails_is_incomplete() {
    let execution =
        |n: usize| format!(r#"{{"executionId":"e{n}","finished":true,"results":[{{"connectorId":"c"}}]}},"#);
    let document = format!("[{}]", (0..400).map(execution).collect::<String>());
    // Right behind the comma of an execution: nothing of the next one is seen.
    let at = 1 + (0..300).map(|n| execution(n).len()).sum::<usize>();
    for access in [Access::Random, Access::Stream] {
        for (fault, reason) in
            [(Fault::Disk, "unreadable"), (Fault::Own, "truncated-log"), (Fault::Ends, "changed")]
        {
            if access == Access::Stream && matches!(fault, Fault::Ends) {
                continue;
            }
            let found = read_all(&Faulty::new(&document, at, fault, access));
            let incomplete: Vec<_> = found
                .report
                .runs
                .iter()
                .filter_map(|run| Some((&*run.run_id, run.incomplete_reason.as_deref()?)))
                .collect();
            assert_eq!(found.report.runs.len(), 300, "{access:?}");
            assert_eq!(incomplete, [("e299", reason)], "{access:?}");
        }
    }
}
