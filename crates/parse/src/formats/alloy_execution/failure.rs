//! Whether a step failed, and what it says about that.
//!
//! No failed execution is public, so every place is read where the product's relatives put errors:
//! an `error` beside a result's `data`, in an item, or in an item's `json`; a `statusCode` or `httpCode` of
//! 400 or more in an item, in its `json`, or beside the `data`. What counts as an item is told by position:
//! the outermost object, however many arrays are around it.

use crate::json::{Reader, Tokens, Visit, is_truthy, offset_of, text, whole_number};
use crate::record::Span;
use crate::text::Text;

/// Why a step failed.
#[derive(Debug, Clone, Copy)]
pub struct Failure<'a> {
    /// The error's message, or the source's own words nearest to one.
    pub text: Text<'a>,
    /// Its HTTP status, where stated.
    pub code: Option<i64>,
}

/// Where one item, or the result around it, says something about failing: bytes of values.
#[derive(Debug, Clone, Copy, Default)]
pub struct Clues {
    /// A truthy `error`.
    error: Option<usize>,
    /// A `statusCode` or `httpCode`: its number, and where key and value start.
    code: Option<(i64, usize, usize)>,
    /// A `message`.
    message: Option<usize>,
}

impl Clues {
    /// Takes in one member: its key and where its value starts.
    pub fn member(&mut self, document: &[u8], key: &[u8], value_at: usize) {
        match key {
            b"error" if is_truthy(document, value_at) => self.error = self.error.or(Some(value_at)),
            b"statusCode" | b"httpCode" => {
                let number = whole_number(document, value_at);
                let key_at = offset_of(document, key).map_or(value_at, |at| at.saturating_sub(1));
                let known = self.code.map_or(0, |(known, ..)| known);
                self.code = number.filter(|n| *n > known).map(|n| (n, key_at, value_at)).or(self.code);
            }
            b"message" => self.message = self.message.or(Some(value_at)),
            _ => {}
        }
    }

    fn has_failed(&self) -> bool {
        self.error.is_some() || self.code.is_some_and(|(code, ..)| code >= 400)
    }

    /// The HTTP status, where stated.
    pub fn code(&self) -> Option<i64> {
        self.code.map(|(code, ..)| code)
    }

    /// The failure, if it is one. Rare, so it may read the values once more.
    pub fn failure<'a>(&self, document: &'a [u8]) -> Option<Failure<'a>> {
        if !self.has_failed() {
            return None;
        }
        if let Some(at) = self.error {
            let failure = describe(document, at);
            return Some(Failure { code: failure.code.or(self.code()), ..failure });
        }
        let said = self.message.and_then(|at| non_empty_string(document, at));
        let code_text = self.code.map(|(_, key_at, value_at)| {
            let end = Reader::new(document, value_at).skip().map_or(value_at, |span| span.end);
            Text::plain(document.get(key_at..end).unwrap_or_default())
        });
        Some(Failure { text: said.or(code_text).unwrap_or(Text::EMPTY), code: self.code() })
    }
}

/// What an error value says: a string is the message; an object holds it under a name, with a code
/// beside it; anything else stands for itself.
pub fn describe(document: &[u8], at: usize) -> Failure<'_> {
    let span = Reader::new(document, at).skip().unwrap_or(Span { start: at, end: at });
    let mut failure = Failure { text: text(document, span), code: None };
    if document.get(at) != Some(&b'{') {
        return failure;
    }
    let members =
        Tokens::new(document.get(at..span.end).unwrap_or_default()).filter(|token| token.depth == 1);
    let mut best = usize::MAX;
    for token in members {
        let key = token.key.unwrap_or_default();
        let value_at = at + token.at;
        let rank =
            [b"message".as_slice(), b"description", b"error", b"name"].iter().position(|name| *name == key);
        if let Some(rank) = rank.filter(|rank| *rank < best)
            && let Some(said) = non_empty_string(document, value_at)
        {
            (best, failure.text) = (rank, said);
        }
        if matches!(key, b"httpCode" | b"statusCode" | b"status" | b"code") && failure.code.is_none() {
            failure.code = whole_number(document, value_at).filter(|code| (100..600).contains(code));
        }
    }
    failure
}

fn non_empty_string(document: &[u8], at: usize) -> Option<Text<'_>> {
    if document.get(at) != Some(&b'"') {
        return None;
    }
    let inside = Reader::new(document, at).string().ok()?;
    (!inside.is_empty()).then_some(Text::json_string(inside))
}

/// Watches the `data` of a result go by.
#[derive(Debug)]
pub struct ItemScan<'a> {
    document: &'a [u8],
    /// Containers around the members of the item that is open.
    item_depth: usize,
    /// Whether the last key of the item was `json`.
    parent: Parent,
    item: Clues,
    /// The first item that failed, else the last that has a code.
    verdict: Clues,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Parent {
    Json,
    Other,
}

impl<'a> ItemScan<'a> {
    pub fn new(document: &'a [u8]) -> Self {
        let (item, verdict) = (Clues::default(), Clues::default());
        Self { document, item_depth: 0, parent: Parent::Other, item, verdict }
    }

    fn close_item(&mut self) {
        let item = std::mem::take(&mut self.item);
        if !self.verdict.has_failed() && (item.has_failed() || item.code.is_some()) {
            self.verdict = item;
        }
    }

    /// The clues that decide, once all of `data` has gone by.
    pub fn finish(mut self) -> Clues {
        self.close_item();
        self.verdict
    }
}

impl Visit for ItemScan<'_> {
    fn outermost_object(&mut self, depth: usize) {
        self.close_item();
        self.item_depth = depth;
        self.parent = Parent::Other;
    }

    #[inline]
    fn key(&mut self, key: &[u8], objects: usize, depth: usize, value_at: usize) {
        if objects == 1 {
            self.parent = if key == b"json" { Parent::Json } else { Parent::Other };
            self.item.member(self.document, key, value_at);
        } else if objects == 2 && depth == self.item_depth + 1 && self.parent == Parent::Json {
            self.item.member(self.document, key, value_at);
        }
    }
}
