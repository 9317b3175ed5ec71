//! Alloy Embedded workflow logs: JSON executions with steps.
//!
//! Read here: a page `{"data":[…]}`, a bare array of executions, one execution (alone or under `data`), and lines
//! of any of these. An event is one result of an execution (a step, at its stop) or a top-level error; everything
//! else of the document, `inputs` included, is structure. Of executions that a page repeats, the most complete
//! copy is read; across lines, pages and files that is left to `logmill-analyze`, by the stated id.
//!
//! `read` turns bytes into executions, `failure` decides what failed, `emit` makes records of it; `seams` guesses
//! where a large page may be divided.

mod emit;
mod failure;
mod read;
mod seams;

use memchr::memrchr;

use crate::encoding::bom_len;
use crate::format::{
    About, CERTAIN, Carry, Depth, End, Extent, Format, Head, LineState, Match, Metadata, Seam, Shape, Window,
};
use crate::json::{Layout, Ledger, Reader, Token, Tokens, ValueKind, is_lines, lines, skip_blanks, text};
use crate::limits::HEAD_BYTES;
use crate::record::{Batch, Delivery};
use crate::vocabulary::{Kind, Platform};

/// The format.
#[derive(Debug)]
pub struct AlloyExecution;

static ABOUT: About = About {
    id: "alloy-execution",
    platform: Platform::Alloy,
    kind: Some(Kind::Execution),
    title: "Alloy Embedded workflow executions (JSON)",
    shapes: &[
        "a page of executions, {\"data\":[…]}",
        "a bare array of executions",
        "one execution, alone or under \"data\"",
        "lines of any of these (NDJSON)",
    ],
    endpoint: "GET https://production.runalloy.com/workflows/{workflowId}/logs",
    limit_chars: None,
    no_opening: None,
};

impl Format for AlloyExecution {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn detect(&self, head: Head<'_>) -> Option<Match> {
        let score = score(head.bytes)?;
        let shape = if are_lines(head) { Shape::Windows } else { Shape::Document };
        Some(Match { score, shape })
    }

    fn cut(&self, bytes: &[u8], from: usize) -> Option<usize> {
        let before = from.checked_sub(1)?;
        let newline = memchr::memchr(b'\n', bytes.get(before..)?)?;
        Some(from + newline).filter(|cut| *cut < bytes.len())
    }

    fn parse<'a>(
        &self,
        window: Window<'a>,
        carry: &mut Carry,
        out: &mut Batch<'a>,
        delivery: Delivery<'_>,
    ) -> usize {
        let bytes = window.bytes;
        let consumed = match window.end {
            End::More => memrchr(b'\n', bytes).map_or(0, |newline| newline + 1),
            End::Cut | End::Seam | End::Input => bytes.len(),
        };
        let mut reading = Reading::new(window, carry.line, delivery);
        let start =
            if carry.depth == Depth::Outside { bom(window) } else { reading.further(carry.depth, out) };
        let all = bytes.get(bom(window)..).unwrap_or_default();
        match Layout::of(window, *carry, || are_lines(head(all))) {
            Layout::Documents => reading.values(bytes, start, out),
            Layout::Lines => {
                for line in lines(bytes.get(..consumed).unwrap_or_default(), start) {
                    reading.values(bytes.get(..line.end).unwrap_or_default(), line.start, out);
                }
            }
        }
        let line = reading.ledger.close(consumed, &mut out.account);
        *carry = Carry { line, depth: reading.page.depth, ..*carry };
        consumed
    }

    fn seams(&self, document: &[u8], bytes: usize) -> Vec<Seam> {
        seams::guess(document, bytes)
    }

    fn metadata(&self, _document: &[u8]) -> Option<Metadata> {
        None
    }

    /// Alloy answers `{"message":…}`, perhaps with a code beside it. Only an object that holds nothing else
    /// is taken for one, because a message alone is in many logs.
    fn error_body(&self, document: &[u8]) -> Option<String> {
        let mut reader = Reader::new(document, bom_len(document));
        let mut members = reader.object().ok()?;
        let mut message = None;
        while let Some(key) = members.key(&mut reader).ok()? {
            match (key, reader.peek()) {
                (b"message", Some(b'"')) => {
                    message = Some(text(document, reader.skip().ok()?).decode().into_owned());
                }
                (b"statusCode" | b"status" | b"code", Some(b'0'..=b'9')) | (b"error", Some(b'"')) => {
                    reader.skip().ok()?;
                }
                _ => return None,
            }
        }
        message.filter(|_| reader.peek().is_none())
    }
}

fn bom(window: Window<'_>) -> usize {
    if window.offset == 0 { bom_len(window.bytes) } else { 0 }
}

/// Whether a head is one of lines: the first value ends on its line and another line follows, or it is one
/// execution whose line reaches beyond the head.
fn are_lines(head: Head<'_>) -> bool {
    let rest = head.bytes.trim_ascii_start();
    let is_cut_line = head.extent == Extent::Part && memchr::memchr(b'\n', rest).is_none();
    let is_one = || !Tokens::new(rest).any(|token| token.depth == 1 && token.key == Some(b"data"));
    is_lines(rest) || (is_cut_line && rest.starts_with(b"{") && is_one())
}

/// The head that tells detection how an input is to be read.
fn head(bytes: &[u8]) -> Head<'_> {
    let extent = if bytes.len() <= HEAD_BYTES { Extent::Whole } else { Extent::Part };
    Head { bytes: bytes.get(..HEAD_BYTES).unwrap_or(bytes), extent }
}

/// How sure the keys of the first execution make it. `executionId` is Alloy's own word; results with connectors
/// are nearly as telling. `finished` and `startedAt` alone are not: relatives of the product have them too.
fn score(head: &[u8]) -> Option<u8> {
    let mut depth = None;
    let (mut is_execution, mut has_results, mut has_connector) = (false, false, false);
    for token in Tokens::new(head) {
        if depth.is_none() {
            depth = member_depth(&token);
        }
        let Some(depth) = depth else { continue };
        let key = token.key.unwrap_or_default();
        is_execution |= token.depth == depth && key == b"executionId";
        has_results |= token.depth == depth && key == b"results" && token.kind == ValueKind::Array;
        has_connector |= token.depth == depth + 2 && key == b"connectorId";
        if is_execution && has_results {
            break;
        }
    }
    match (is_execution, has_results && has_connector) {
        (true, _) if has_results => Some(CERTAIN),
        (true, _) => Some(90),
        (false, true) => Some(80),
        _ => None,
    }
}

/// How deep the members of an execution stand, once one of them is seen: 1 alone, 2 in an array or under
/// `data`, 3 in an array under `data`.
fn member_depth(token: &Token<'_>) -> Option<usize> {
    let telling = matches!(
        token.key?,
        b"executionId" | b"startedAt" | b"stoppedAt" | b"finished" | b"results" | b"inputs" | b"error"
    );
    (telling && (1..=3).contains(&token.depth)).then_some(token.depth)
}

/// A window being read.
struct Reading<'a, 'p> {
    window: &'a [u8],
    delivery: Delivery<'p>,
    page: read::Page<'a>,
    ledger: Ledger<'a>,
    lines: Ledger<'a>,
}

impl<'a, 'p> Reading<'a, 'p> {
    fn new(window: Window<'a>, line: LineState, delivery: Delivery<'p>) -> Self {
        let ledger = Ledger::new(window.bytes, line);
        let page = read::Page::new(window.end);
        Self { window: window.bytes, delivery, page, lines: ledger.clone(), ledger }
    }

    /// Reads on in the array that the document is divided in, and says where its value ends.
    fn further(&mut self, depth: Depth, out: &mut Batch<'a>) -> usize {
        let end = self.page.further(self.window, depth);
        self.emit(out);
        end
    }

    /// Reads all values of `document` from `at` on.
    fn values(&mut self, document: &'a [u8], at: usize, out: &mut Batch<'a>) {
        let mut at = skip_blanks(document, at);
        while at < document.len() {
            let end = self.page.value(document, at);
            self.emit(out);
            at = skip_blanks(document, end.max(at + 1));
        }
    }

    fn emit(&mut self, out: &mut Batch<'a>) {
        emit::emit(&mut self.page, self.window, &mut self.ledger, &mut self.delivery, out);
        self.page.findings.report(&mut self.lines, out);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::issue::Code;
    use crate::mark::Mark;
    use crate::record::Wants;

    fn read(bytes: &[u8]) -> Batch<'_> {
        let mut out = Batch::new(Wants::Everything);
        let window = Window { bytes, offset: 0, end: End::Input };
        assert_eq!(
            AlloyExecution.parse(window, &mut Carry::default(), &mut out, Delivery::AtEnd),
            bytes.len()
        );
        assert_eq!(out.account.total().bytes, bytes.len() as u64);
        out
    }

    #[test]
    fn depth_costs_no_stack() {
        let (open, close) = ("[".repeat(100_000), "]".repeat(100_000));
        let sound = format!(r#"[{{"executionId":"x","results":[{{"data":{open}{close}}}]}}]"#);
        assert_eq!(read(sound.as_bytes()).records.len(), 1);
        let objects = "{\"data\":".repeat(100_000);
        for hostile in [open.clone(), format!("[{{\"executionId\":\"x\",\"results\":{open}"), objects] {
            let out = read(hostile.as_bytes());
            assert!(out.records.is_empty() && !out.issues.is_empty());
        }
    }

    #[test]
    fn a_million_wrong_elements_are_not_a_million_issues() {
        let wrong = format!("[{}1]", "1,".repeat(50_000));
        let out = read(wrong.as_bytes());
        assert_eq!(out.issues.len(), 10_000);
        assert_eq!(out.issues.last().map(|issue| issue.code), Some(Code::TooManyIssues));
        assert_eq!(out.account.rejected.bytes, 50_001);
    }

    #[test]
    fn a_large_page_is_handed_over_in_parts() {
        let execution = |n: usize| format!(r#"{{"executionId":"{n}","results":[{{"connectorId":"c"}}]}}"#);
        let page = format!("[{}]", (0..5000).map(execution).collect::<Vec<_>>().join(","));
        let mut sizes = Vec::new();
        let mut take = |part: &Batch<'_>| sizes.push(part.records.len());
        let mut out = Batch::new(Wants::Everything);
        let window = Window { bytes: page.as_bytes(), offset: 0, end: End::Input };
        let delivery = Delivery::InParts(&mut take);
        AlloyExecution.parse(window, &mut Carry::default(), &mut out, delivery);
        assert!(sizes.len() >= 2 && out.records.len() < 2500, "{sizes:?}");
        assert_eq!(sizes.iter().sum::<usize>() + out.records.len(), 5000);
    }

    #[test]
    fn every_cut_of_a_page_is_read_up_to_the_cut() {
        let page = br#"{"data":[{"executionId":"a","results":[{"connectorId":"c","data":[[{"json":{"k":"v\n"}}]]}],"finished":true}]}"#;
        for len in 0..page.len() {
            let out = read(&page[..len]);
            assert!(out.records.len() <= 1, "{len}");
        }
    }

    #[test]
    fn an_error_answer_holds_nothing_but_a_message() {
        let body = |text: &str| AlloyExecution.error_body(text.as_bytes());
        assert_eq!(body(r#"{"message":"Not \u0061llowed"}"#).as_deref(), Some("Not allowed"));
        assert_eq!(
            body(r#"{"statusCode":404,"message":"Gone","error":"Not Found"}"#).as_deref(),
            Some("Gone")
        );
        for text in [r#"{"message":"x","level":"INFO"}"#, r#"{"message":5}"#, r#"{"error":"x"}"#, "[]", ""] {
            assert_eq!(body(text), None, "{text}");
        }
        assert_eq!(body("{\"message\":\"a\"}\n{\"message\":\"b\"}"), None);
    }

    #[test]
    fn the_documentations_sample_is_told_from_its_relatives() {
        let detect = |text: &str| {
            let head = Head { bytes: text.as_bytes(), extent: Extent::Whole };
            AlloyExecution.detect(head).map(|found| found.shape)
        };
        assert_eq!(detect(r#"{"data":[{"executionId":"x"}]}"#), Some(Shape::Document));
        assert_eq!(detect(r#"{"data":[{"results":[{"connectorId":"c"}]}]}"#), Some(Shape::Document));
        assert_eq!(detect(r#"{"data":[{"finished":true,"startedAt":"2025-01-01T00:00:00Z"}]}"#), None);
        assert_eq!(detect(r#"{"data":[{"json":{"executionId":"deeper"}}]}"#), None);
        assert_eq!(detect(r#"{"data":[{"meta":{"a":1},"executionId":"x"}]}"#), Some(Shape::Document));
    }

    #[test]
    fn runs_without_events_are_marked_too() {
        let out = read(br#"[{"executionId":"a","finished":true},{"executionId":"b","finished":false}]"#);
        let runs = out.marks.iter().filter(|marked| matches!(marked.mark, Mark::Run(_))).count();
        assert_eq!((out.records.len(), runs), (0, 2));
    }
}
