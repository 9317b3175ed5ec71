//! The JSON reader: documents, pages and `[timestamp, message]` tuples.
//!
//! Finds where elements end and what they hold; a bad element costs that element. What the
//! lines mean is decided in [`super::build`].

use std::borrow::Cow;

use super::cuts;
use super::element::{self, Element};
use super::gather::Gather;
use super::model::{self, Dated, Form, Joint, Line};
use super::pages::{self, Note, Page};
use super::scan::{Broken, Cursor, Escapes, Inside};
use crate::encoding::bom_len;
use crate::format::{Carry, Depth, End, LineState, Window};
use crate::issue::{Code, Issue};
use crate::json::{Layout, LinePlace, Newlines, is_lines};
use crate::record::{Amount, Batch, Delivery, Flags, Span};

/// Reads the window as one or more JSON documents; if more follows, up to a build that may be read apart.
///
/// ```text
/// input    = *(document [","])
/// document = page | result | "[" *(tuple | entry | page) "]" | tuple | entry
/// page     = {"success": bool, "errors": […], "result": null | result | lines}
/// result   = {"lines": lines, "cursor": string, "truncated": bool, "events": […]} | {"data": lines}
/// lines    = "[" *(tuple | entry) "]"
/// tuple    = [timestamp, message]
/// entry    = {"ts": timestamp, "line": message}
/// ```
///
/// Where every document has a line of its own, none reaches beyond it.
pub(super) fn parse<'a>(
    window: Window<'a>,
    carry: &mut Carry,
    out: &mut Batch<'a>,
    delivery: Delivery<'_>,
) -> Amount {
    let end = match window.end {
        End::More => cuts::last(window.bytes).unwrap_or(0),
        End::Cut | End::Seam | End::Input => window.bytes.len(),
    };
    let bytes = window.bytes.get(..end).unwrap_or_default();
    let mut reader = Reader::new(bytes, carry.line, out, delivery);
    let text = window.bytes.get(bom_len(window.bytes)..).unwrap_or_default();
    let are_lines = || reader.newlines.find_first().is_some() && is_lines(text);
    match Layout::of(window, *carry, are_lines) {
        Layout::Documents => reader.divided(window.end, carry.depth),
        Layout::Lines => reader.lines_of_documents(),
    }
    let Reader { gather, newlines, out, depth, .. } = reader;
    gather.finish(out);
    let (lines, line) = newlines.total(bytes.len());
    *carry = Carry { line, depth, ..*carry };
    Amount { bytes: bytes.len() as u64, lines }
}

struct Reader<'a, 'o, 'p> {
    cursor: Cursor<'a>,
    valid_utf8: ValidUtf8,
    newlines: Newlines<'a>,
    gather: Gather<'a, 'p>,
    /// How the next line may be joined.
    joint: Joint,
    /// How deep in a document the bytes end.
    depth: Depth,
    /// How deep they end where they end at a seam.
    seam: Depth,
    /// What stands behind the bytes.
    end: End,
    out: &'o mut Batch<'a>,
}

impl<'a, 'o, 'p> Reader<'a, 'o, 'p> {
    fn new(bytes: &'a [u8], line: LineState, out: &'o mut Batch<'a>, delivery: Delivery<'p>) -> Self {
        Self {
            cursor: Cursor::new(bytes),
            valid_utf8: ValidUtf8::default(),
            newlines: Newlines::new(bytes, line),
            gather: Gather::new(bytes, delivery),
            joint: Joint::Open,
            depth: Depth::Outside,
            seam: Depth::Array,
            end: End::Input,
            out,
        }
    }

    /// Reads line by line.
    fn lines_of_documents(&mut self) {
        let bytes = self.cursor.bytes;
        let mut at = 0;
        for end in memchr::memchr_iter(b'\n', bytes).chain([bytes.len()]) {
            self.cursor = Cursor { bytes: bytes.get(..end).unwrap_or_default(), at };
            self.documents();
            at = end + 1;
        }
    }

    /// Reads documents, of which the first may have begun before these bytes, and the last may go on behind them.
    fn divided(&mut self, end: End, depth: Depth) {
        self.end = end;
        if depth != Depth::Outside {
            if let Err(Broken(what)) = self.elements() {
                self.resume(what);
            }
            self.cursor.take(b',');
        }
        self.documents();
    }

    fn documents(&mut self) {
        if self.cursor.at == 0 {
            self.cursor.at = bom_len(self.cursor.bytes);
        }
        while self.cursor.next_token().is_some() {
            if let Err(Broken(what)) = self.document() {
                self.resume(what);
            }
            self.cursor.take(b',');
        }
    }

    /// Rejects the rest of a broken document, up to the next line that starts another.
    fn resume(&mut self, what: &'static str) {
        let at = self.cursor.at.min(self.cursor.bytes.len());
        let rest = self.cursor.bytes.get(at..).unwrap_or_default();
        let next = memchr::memchr_iter(b'\n', rest)
            .find(|&newline| matches!(rest.get(newline + 1), Some(b'{' | b'[')))
            .map_or(self.cursor.bytes.len(), |newline| at + newline + 1);
        let found = rest.first().map_or(Cow::Borrowed("the end of the input"), |&byte| {
            Cow::Owned(format!("`{}`", byte.escape_ascii()))
        });
        let (line, amount) = self.newlines.amount(at, next);
        self.out.issues.push(Issue {
            code: Code::InvalidJson,
            start: at,
            end: next,
            line,
            message: Cow::Owned(format!("expected {what}, found {found}")),
        });
        self.out.account.rejected.add(amount.len, amount.n_lines);
        self.cursor.at = next;
        self.joint = Joint::Closed;
    }

    fn document(&mut self) -> Result<(), Broken> {
        match self.cursor.next_token() {
            Some(b'{') => self.object(),
            Some(b'[') => self.array(),
            _ => Err(Broken("a JSON array or object")),
        }
    }

    /// An array of tuples, entries or pages, or one tuple.
    fn array(&mut self) -> Result<(), Broken> {
        let start = self.cursor.at;
        let mut inner = Cursor { at: start + 1, ..self.cursor };
        match inner.next_token() {
            Some(b'[') => {
                let first_line = self.gather.len();
                let result = self.lines();
                self.end_page(Page::at(first_line));
                result
            }
            Some(b'{') => self.objects(),
            Some(b']') => self.cursor.skip(),
            _ => self.element(),
        }
    }

    fn objects(&mut self) -> Result<(), Broken> {
        self.cursor.at += 1;
        self.elements()
    }

    /// The objects of an array up to its end, or up to a seam behind a comma.
    fn elements(&mut self) -> Result<(), Broken> {
        loop {
            match self.cursor.next_token() {
                None if self.end == End::Seam => {
                    self.depth = self.seam;
                    return Ok(());
                }
                Some(b'{') => self.object()?,
                Some(b']') => {
                    self.cursor.at += 1;
                    return Ok(());
                }
                _ => self.loose_element()?,
            }
            if !self.cursor.take(b',') && self.cursor.next_token() != Some(b']') {
                return Err(Broken("`,` or `]`"));
            }
        }
    }

    /// A page, a bare result, or one `{ts, line}` entry.
    fn object(&mut self) -> Result<(), Broken> {
        let start = self.cursor.at;
        let place = self.newlines.locate(start);
        let mut page = Page::at(self.gather.len());
        let result = self.fields(&mut page, Place::Outer);
        let end = self.cursor.at;
        let entry = if page.is_entry() {
            element::read(self.cursor.bytes.get(start..end).unwrap_or_default())
        } else {
            None
        };
        if let (Ok(()), Some(entry)) = (result, entry) {
            self.push(entry, start, end);
            self.seam = Depth::Unknown;
            return Ok(());
        }
        if result.is_ok() && !page.has(Note::Log) {
            self.no_log(&page, start, end, place);
        } else {
            self.end_page(page);
        }
        result
    }

    /// An object that holds no lines: an error answer, an answer without result, or something else.
    fn no_log(&mut self, page: &Page, start: usize, end: usize, place: LinePlace) {
        let document = self.cursor.bytes.get(start..end).unwrap_or_default();
        let (code, message) = match super::metadata::error_text(document) {
            Some(text) => (Code::ErrorBody, text),
            None if page.has(Note::Other) => return,
            None => (Code::UnexpectedShape, "expected a page of log lines, found another object".to_owned()),
        };
        let (line, amount) = self.newlines.amount_from(place, start, end);
        self.out.issues.push(Issue { code, start, end, line, message: Cow::Owned(message) });
        self.out.account.rejected.add(amount.len, amount.n_lines);
        self.joint = Joint::Closed;
    }

    /// The fields of a page or of the `result` in it.
    fn fields(&mut self, page: &mut Page, place: Place) -> Result<(), Broken> {
        self.cursor.expect(b'{', "`{`")?;
        if self.cursor.take(b'}') {
            return Ok(());
        }
        loop {
            if self.cursor.next_token() != Some(b'"') {
                return Err(Broken("a key"));
            }
            let key = self.cursor.string()?.raw;
            self.cursor.expect(b':', "`:`")?;
            self.field(key, page, place)?;
            if self.cursor.take(b'}') {
                return Ok(());
            }
            self.cursor.expect(b',', "`,` or `}`")?;
        }
    }

    fn field(&mut self, key: &[u8], page: &mut Page, place: Place) -> Result<(), Broken> {
        let token = self.cursor.next_token();
        match (key, token) {
            (b"result", Some(b'{')) if place == Place::Outer => return self.fields(page, Place::Result),
            (b"lines" | b"data", Some(b'[')) => {
                page.note(Note::Log);
                self.joint = Joint::Closed;
                return self.lines();
            }
            (b"truncated", _) => {
                page.note(Note::Log);
                page.truncated = token == Some(b't');
            }
            (b"cursor", _) => page.note(Note::Log),
            (b"ts" | b"timestamp", _) => page.note(Note::Stamp),
            (b"line" | b"message", _) => page.note(Note::Message),
            (b"result", Some(b'n' | b'['))
            | (b"build_uuid" | b"trigger_uuid" | b"repo_connection_uuid", _) => page.note(Note::Other),
            (b"events", Some(b'[')) => return self.events(page),
            _ => {}
        }
        self.cursor.skip()
    }

    fn events(&mut self, page: &mut Page) -> Result<(), Broken> {
        let start = self.cursor.at;
        self.cursor.skip()?;
        let line = self.newlines.locate(start).line;
        page.event = pages::init_event(self.cursor.bytes.get(start..self.cursor.at).unwrap_or_default());
        page.event_span = (start, self.cursor.at, line);
        Ok(())
    }

    /// The array of tuples or entries that starts here.
    fn lines(&mut self) -> Result<(), Broken> {
        self.cursor.at += 1;
        if self.cursor.take(b']') {
            return Ok(());
        }
        let is_first_page = self.gather.is_empty();
        loop {
            self.cursor.next_token();
            let start = self.cursor.at;
            if let Some((tuple, end)) = element::tuple(self.cursor.bytes, start) {
                self.cursor.at = end;
                self.push(tuple, start, end);
            } else {
                self.element()?;
            }
            if is_first_page {
                self.gather.report_ended(self.out);
            }
            match self.cursor.next_token() {
                Some(b',') => self.cursor.at += 1,
                Some(b']') => {
                    self.cursor.at += 1;
                    return Ok(());
                }
                _ => return Err(Broken("`,` or `]`")),
            }
        }
    }

    /// An element outside of all pages. Whether a line of it is a page of its own depends on what stands behind:
    /// no document is divided behind one.
    fn loose_element(&mut self) -> Result<(), Broken> {
        self.seam = Depth::Unknown;
        self.element()
    }

    /// One element of whatever shape.
    fn element(&mut self) -> Result<(), Broken> {
        self.cursor.next_token();
        let start = self.cursor.at;
        self.cursor.skip()?;
        let end = self.cursor.at;
        if let Some(read) = element::read(self.cursor.bytes.get(start..end).unwrap_or_default()) {
            self.push(read, start, end);
            return Ok(());
        }
        let (line, amount) = self.newlines.amount(start, end);
        let message = Cow::Borrowed("expected [timestamp, message], found something else");
        self.out.issues.push(Issue { code: Code::UnexpectedShape, start, end, line, message });
        self.out.account.rejected.add(amount.len, amount.n_lines);
        self.joint = Joint::Closed;
        Ok(())
    }

    #[inline]
    fn push(&mut self, element: Element<'a>, start: usize, end: usize) {
        let (line, amount) = self.newlines.amount(start, end);
        let ts = match element.stamp {
            element::Stamp::At(ts) => Some(ts),
            element::Stamp::None => None,
            element::Stamp::Bad => {
                let message = Cow::Borrowed("expected an instant, found something else");
                self.out.issues.push(Issue { code: Code::BadTimestamp, start, end, line, message });
                None
            }
        };
        let Inside { raw, escapes } = element.message;
        let flags = if self.is_lossy(raw, escapes, end) {
            let message = Cow::Borrowed("expected UTF-8, found other bytes or half a surrogate pair");
            self.out.issues.push(Issue { code: Code::InvalidUtf8, start, end, line, message });
            Flags::LOSSY
        } else {
            Flags::NONE
        };
        self.gather.push(Line {
            span: Span { start, end },
            number: line,
            n_lines: amount.n_lines,
            clock: ts,
            dated: Dated::Yes,
            message: raw,
            form: form(escapes),
            joint: self.joint,
            flags,
        });
        self.joint = Joint::Open;
    }

    fn is_lossy(&mut self, raw: &[u8], escapes: Escapes, end: usize) -> bool {
        let half_pair = escapes == Escapes::Surrogates && model::json_text(raw).contains('\u{fffd}');
        half_pair || (!self.valid_utf8.covers(self.cursor.bytes, end) && std::str::from_utf8(raw).is_err())
    }

    fn end_page(&mut self, page: Page) {
        self.gather.end_page(page, self.out);
        self.joint = Joint::Closed;
    }
}

/// How much of a document is known to be UTF-8: all up to here, checked a little ahead of the reading.
#[derive(Debug, Default)]
struct ValidUtf8 {
    upto: usize,
    /// Where a byte stands that is not, once one has been found.
    broken: Option<usize>,
}

/// Bytes that are checked at once.
const CHECKED_BYTES: usize = 16 << 10;

impl ValidUtf8 {
    /// Whether the bytes before `end` are all UTF-8.
    #[inline]
    fn covers(&mut self, bytes: &[u8], end: usize) -> bool {
        end <= self.upto || self.check(bytes, end)
    }

    #[inline(never)]
    fn check(&mut self, bytes: &[u8], end: usize) -> bool {
        let end = end.min(bytes.len());
        while self.upto < end && self.broken.is_none() {
            let rest = bytes.get(self.upto..).unwrap_or_default();
            let next = rest.get(..CHECKED_BYTES.max(end - self.upto)).unwrap_or(rest);
            match simdutf8::compat::from_utf8(next) {
                Ok(_) => self.upto += next.len(),
                // A character that the block cuts is looked at again with more behind it.
                Err(error) if error.error_len().is_none() && next.len() < rest.len() => {
                    self.upto += error.valid_up_to();
                }
                Err(error) => {
                    self.upto += error.valid_up_to();
                    self.broken = Some(self.upto);
                }
            }
        }
        end <= self.upto
    }
}

/// Whose fields are being read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// A document's.
    Outer,
    /// Those of its `result`.
    Result,
}

/// A string with surrogates may hold ANSI sequences as well.
fn form(escapes: Escapes) -> Form {
    match escapes {
        Escapes::None => Form::Literal,
        Escapes::Some => Form::Escaped,
        Escapes::Ansi | Escapes::Surrogates => Form::Coloured,
    }
}
