//! From the bytes of a page to executions and results.
//!
//! Reading is strict and goes over every byte once. Where it stops, the element is taken apart again
//! by brackets alone, so that a damaged result costs itself and not its execution.

use std::borrow::Cow;

use super::failure::{Clues, Failure, ItemScan, describe};
use crate::format::{Depth, End};
use crate::issue::Code;
use crate::json::{
    Collect, Completeness, Elements, Fate, Fault, Findings, Instant, Reader, Tail, Tokens, ValueKind,
    balanced_end, close_envelope, collect_array, collect_elements, element_end, instant, is_truthy,
    members_end, reject_line, reject_object, skip_blanks, text, trimmed,
};
use crate::overlap::quick_print;
use crate::record::Span;
use crate::text::Text;
use crate::time::{Micros, StampReader};

/// A name, decoded while its bytes are near: once all of a large page has been read, they are not.
#[derive(Debug)]
pub struct Name<'a> {
    /// As it stands.
    pub raw: &'a [u8],
    pub text: Cow<'a, str>,
}

/// One execution as the source states it.
#[derive(Debug, Default)]
pub struct Execution<'a> {
    pub span: Span,
    pub id: Option<Name<'a>>,
    /// A fingerprint of the id: comparing ids themselves would fetch them from all over the page again.
    pub id_print: u64,
    /// `startedAt` as it stands: names an execution that has no id.
    pub started_text: Option<Text<'a>>,
    pub started_at: Option<Micros>,
    pub stopped_at: Option<Micros>,
    pub finished: Option<bool>,
    /// A truthy top-level error: its value.
    pub error: Option<(Span, Failure<'a>)>,
    /// Its results: from here up to the next execution's.
    pub first_result: usize,
    pub n_results: usize,
    pub completeness: Option<Completeness>,
}

/// One result of an execution: a step.
#[derive(Debug, Default)]
pub struct StepResult<'a> {
    pub span: Span,
    pub connector: Option<Name<'a>>,
    pub started_at: Option<Micros>,
    pub stopped_at: Option<Micros>,
    pub data: Option<&'a [u8]>,
    pub code: Option<i64>,
    pub failure: Option<Failure<'a>>,
}

/// Whether the executions of a page are UTF-8.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purity {
    Utf8,
    Mixed,
}

/// What has been read of one page.
#[derive(Debug)]
pub struct Page<'a> {
    document: &'a [u8],
    pub executions: Vec<Execution<'a>>,
    pub results: Vec<StepResult<'a>>,
    pub findings: Findings,
    pub purity: Purity,
    /// How deep in the document the bytes end that have been read.
    pub depth: Depth,
    /// What stands behind the bytes.
    end: End,
    stamps: StampReader,
}

impl<'a> Page<'a> {
    pub fn new(end: End) -> Self {
        Self {
            document: b"",
            depth: Depth::Outside,
            end,
            executions: Vec::new(),
            results: Vec::new(),
            findings: Findings::default(),
            purity: Purity::Utf8,
            stamps: StampReader::new(),
        }
    }

    /// Reads the value at byte `at` of `document` and says where it ends. Whatever it is, it is consumed.
    ///
    /// ```text
    /// value := page | "[" execution* "]" | execution
    /// page  := "{" … "data" ":" ("[" execution* "]" | execution) … "}"
    /// ```
    pub fn value(&mut self, document: &'a [u8], at: usize) -> usize {
        match document.get(at) {
            Some(b'[') => {
                let (end, tail) = collect_array(self, document, at);
                self.is_divided(tail, Depth::Array);
                end
            }
            Some(b'{') => match outline(document, at) {
                Outline::Page(data) if document.get(data) == Some(&b'[') => {
                    let (end, tail) = collect_array(self, document, data);
                    if self.is_divided(tail, Depth::Member) {
                        return end;
                    }
                    close_envelope(&mut self.findings, document, at, end)
                }
                Outline::Page(data) => {
                    let end = self.object(document, data);
                    close_envelope(&mut self.findings, document, at, end)
                }
                Outline::Execution => self.object(document, at),
                Outline::Other => reject_object::<Self>(&mut self.findings, document, at),
            },
            _ => reject_line(&mut self.findings, document, at),
        }
    }

    /// Reads on in the array that a document is divided in, and says where the value ends that it is or is in.
    pub fn further(&mut self, document: &'a [u8], depth: Depth) -> usize {
        let (end, tail) = collect_elements(self, document, 0);
        if self.is_divided(tail, depth) || depth != Depth::Member {
            return end;
        }
        // How a damaged envelope ends is told from where it begins, which is not in these bytes.
        members_end(document, end).unwrap_or_else(|_| {
            self.depth = Depth::Unknown;
            document.len()
        })
    }

    /// Whether the document is divided at the end of the bytes: then the array goes on behind them.
    fn is_divided(&mut self, tail: Tail, depth: Depth) -> bool {
        let is_divided = tail == Tail::Comma && self.end == End::Seam;
        if is_divided {
            self.depth = depth;
        }
        is_divided
    }

    fn unexpected(&mut self, span: Span, message: &'static str) {
        self.findings.push(Code::UnexpectedShape, span, Fate::Rejected, message);
    }

    fn invalid(&mut self, start: usize, end: usize, fault: Fault) {
        self.findings.reject(self.document, trimmed(self.document, start, end), fault);
    }

    fn execution(&mut self, reader: &mut Reader<'a>, execution: &mut Execution<'a>) -> Result<(), Fault> {
        let mut members = reader.object()?;
        while let Some(key) = members.key(reader)? {
            if key == b"results" && reader.peek() == Some(b'[') {
                let mut elements = reader.array()?;
                while elements.element(reader)? {
                    self.result(reader)?;
                }
            } else {
                self.execution_member(key, reader, execution)?;
            }
        }
        Ok(())
    }

    /// Any member but an array of results.
    fn execution_member(
        &mut self,
        key: &[u8],
        reader: &mut Reader<'a>,
        execution: &mut Execution<'a>,
    ) -> Result<(), Fault> {
        match key {
            b"executionId" => execution.id = self.name(reader)?.or(execution.id.take()),
            b"id" => {
                let id = self.name(reader)?;
                execution.id = execution.id.take().or(id);
            }
            b"startedAt" => {
                reader.peek();
                let start = reader.at();
                execution.started_at = self.instant(reader)?;
                let span = Span { start, end: reader.at() };
                execution.started_text = Some(text(self.document, span)).filter(|text| text.raw != b"null");
            }
            b"stoppedAt" => execution.stopped_at = self.instant(reader)?,
            b"finished" => execution.finished = truth(reader.skip().map(|span| reader.slice(span))?),
            b"error" => {
                let span = reader.skip()?;
                let is_error = is_truthy(self.document, span.start);
                execution.error = is_error.then(|| (span, describe(self.document, span.start)));
            }
            b"results" => {
                let span = reader.skip()?;
                if reader.slice(span) != b"null" {
                    self.unexpected(span, "expected an array of results");
                }
            }
            _ => {
                reader.skip()?;
            }
        }
        Ok(())
    }

    /// `"{" ("startedAt" | "stoppedAt" | "connectorId" | "data" | "error" | …)* "}"`, in any order.
    fn result(&mut self, reader: &mut Reader<'a>) -> Result<(), Fault> {
        reader.peek();
        let start = reader.at();
        if reader.peek() != Some(b'{') {
            let span = reader.skip()?;
            self.unexpected(span, "expected a result, found no object");
            return Ok(());
        }
        let mut result = StepResult::default();
        let mut own = Clues::default();
        let mut items = Clues::default();
        let mut members = reader.object()?;
        while let Some(key) = members.key(reader)? {
            match key {
                b"startedAt" => result.started_at = self.instant(reader)?,
                b"stoppedAt" => result.stopped_at = self.instant(reader)?,
                b"connectorId" => result.connector = self.name(reader)?,
                b"data" => {
                    let mut watch = ItemScan::new(self.document);
                    let span = reader.walk(&mut watch)?;
                    result.data = Some(reader.slice(span)).filter(|data| *data != b"null");
                    items = watch.finish();
                }
                _ => {
                    let span = reader.skip()?;
                    own.member(self.document, key, span.start);
                }
            }
        }
        result.failure = own.failure(self.document).or_else(|| items.failure(self.document));
        result.code = result.failure.and_then(|failure| failure.code).or(own.code()).or(items.code());
        result.span = Span { start, end: reader.at() };
        self.results.push(result);
        Ok(())
    }

    /// A string, or a number as it stands; null and containers name nothing.
    fn name(&self, reader: &mut Reader<'a>) -> Result<Option<Name<'a>>, Fault> {
        let span = reader.skip()?;
        let named = matches!(self.document.get(span.start), Some(b'"' | b'-' | b'0'..=b'9'));
        let text = named.then(|| text(self.document, span)).filter(|text| !text.raw.is_empty());
        Ok(text.map(|text| Name { raw: text.raw, text: text.decode() }))
    }

    fn instant(&mut self, reader: &mut Reader<'a>) -> Result<Option<Micros>, Fault> {
        let found = instant(reader, &mut self.stamps)?;
        if let Instant::Unreadable(span) = found {
            self.findings.push(Code::BadTimestamp, span, Fate::Kept, "expected an RFC 3339 instant");
        }
        Ok(found.micros())
    }

    /// Reads what can be read of a damaged or cut execution: every member whose value is sound, and every
    /// result that is.
    fn salvage(&mut self, span: Span, fault: Fault, execution: &mut Execution<'a>) {
        let whole = self.document;
        self.document = whole.get(..span.end).unwrap_or(whole);
        let n_findings = self.findings.len();
        let mut at = span.start + 1;
        while let Some(member) = next_member(self.document, at) {
            at = member.end;
            let mut reader = Reader::new(self.document, member.value_at);
            if member.key == b"results" && self.document.get(member.value_at) == Some(&b'[') {
                self.salvage_results(member.value_at);
                continue;
            }
            let n_findings = self.findings.len();
            let outcome = self.execution_member(member.key, &mut reader, execution);
            let fault = match outcome {
                Ok(()) if reader.at() == member.end => continue,
                Ok(()) => Fault { at: reader.at(), expected: "`,` or `}`" },
                Err(fault) => fault,
            };
            self.findings.forget(n_findings);
            self.invalid(member.value_at, member.end, fault);
        }
        if self.findings.len() == n_findings {
            // The damage lies between the members: say so, though all of them were read.
            let place = Span { start: fault.at.min(span.end), end: fault.at.min(span.end) };
            self.findings.reject(self.document, place, fault);
        }
        self.document = whole;
    }

    fn salvage_results(&mut self, at: usize) {
        for element in Elements::new(self.document, at) {
            let (n_results, n_findings) = (self.results.len(), self.findings.len());
            let mut reader = Reader::new(self.document, element.span.start);
            let fault = match self.result(&mut reader) {
                Ok(()) if reader.at() == element.span.end => continue,
                Ok(()) => Fault { at: reader.at(), expected: "`,` or `]`" },
                Err(fault) => fault,
            };
            self.results.truncate(n_results);
            self.findings.forget(n_findings);
            self.invalid(element.span.start, element.span.end, fault);
        }
    }
}

impl<'a> Collect<'a> for Page<'a> {
    const EXPECTED: &'static str = "expected an execution, found something else";

    /// The execution whose opening brace is at `at`: strictly, else by its members.
    fn object(&mut self, document: &'a [u8], at: usize) -> usize {
        self.document = document;
        let (n_results, n_findings) = (self.results.len(), self.findings.len());
        let mut execution = Execution { first_result: n_results, ..Execution::default() };
        let mut reader = Reader::new(self.document, at);
        let mut completeness = Completeness::Whole;
        let end = match self.execution(&mut reader, &mut execution) {
            Ok(()) => reader.at(),
            Err(fault) => {
                self.results.truncate(n_results);
                self.findings.forget(n_findings);
                execution = Execution { first_result: n_results, ..Execution::default() };
                let end = balanced_end(self.document, at);
                if end.is_none() {
                    completeness = Completeness::Cut;
                }
                let end = end.unwrap_or(self.document.len());
                self.salvage(Span { start: at, end }, fault, &mut execution);
                end
            }
        };
        execution.span = trimmed(self.document, at, end);
        // Right behind the reading its bytes are still near.
        if self.document.get(at..end).is_some_and(|bytes| simdutf8::basic::from_utf8(bytes).is_err()) {
            self.purity = Purity::Mixed;
        }
        execution.n_results = self.results.len() - n_results;
        execution.completeness = Some(completeness);
        execution.id_print = execution.id.as_ref().map_or(0, |id| quick_print(id.raw));
        if execution.id.is_some() || execution.n_results > 0 || execution.started_text.is_some() {
            self.executions.push(execution);
        } else if self.findings.len() == n_findings {
            self.unexpected(execution.span, Self::EXPECTED);
        }
        end
    }

    fn findings(&mut self) -> &mut Findings {
        &mut self.findings
    }
}

/// What the object at `at` is, told by the first telling key.
pub enum Outline {
    /// A page; where its data starts.
    Page(usize),
    Execution,
    Other,
}

pub fn outline(document: &[u8], at: usize) -> Outline {
    let members = Tokens::new(document.get(at..).unwrap_or_default());
    for token in members.take_while(|token| token.depth > 0 || token.at == 0).filter(|token| token.depth == 1)
    {
        match (token.key.unwrap_or_default(), token.kind) {
            (b"data", ValueKind::Array | ValueKind::Object) => return Outline::Page(at + token.at),
            (b"executionId" | b"results" | b"startedAt" | b"stoppedAt" | b"finished", _) => {
                return Outline::Execution;
            }
            (b"data", _) => return Outline::Other,
            _ => {}
        }
    }
    Outline::Other
}

/// A member of an object that may be damaged.
struct Member<'a> {
    key: &'a [u8],
    value_at: usize,
    end: usize,
}

/// The first member from `at` on that has a key and a value; `None` at the end of the object.
fn next_member(document: &[u8], at: usize) -> Option<Member<'_>> {
    let mut at = at;
    loop {
        at = skip_blanks(document, at);
        match document.get(at)? {
            b'}' | b']' => return None,
            b'"' => {
                let mut reader = Reader::new(document, at);
                let key = reader.string();
                if let (Ok(key), true) = (key, reader.eat(b':')) {
                    reader.peek();
                    let value_at = reader.at();
                    let end = element_end(document, value_at).unwrap_or(document.len());
                    return Some(Member { key, value_at, end: trimmed(document, value_at, end).end });
                }
                at = balanced_end(document, at)?;
            }
            b',' => at += 1,
            _ => at = balanced_end(document, at)?,
        }
    }
}

fn truth(raw: &[u8]) -> Option<bool> {
    match raw {
        b"true" | b"\"true\"" => Some(true),
        b"false" | b"\"false\"" => Some(false),
        _ => None,
    }
}
