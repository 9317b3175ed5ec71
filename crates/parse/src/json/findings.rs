//! Problems of a document, gathered in whatever order they are met and reported in the order they stand.

use std::borrow::Cow;

use super::ledger::Ledger;
use super::reader::Fault;
use crate::issue::{Code, Issue};
use crate::limits::MAX_ISSUES;
use crate::record::{Amount, Batch, Span};

/// What becomes of the bytes a problem concerns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// They belong to something that was read.
    Kept,
    /// Nothing was made of them.
    Rejected,
}

#[derive(Debug)]
struct Finding {
    span: Span,
    code: Code,
    message: Cow<'static, str>,
    fate: Fate,
}

/// Problems of one document.
#[derive(Debug, Default)]
pub struct Findings {
    list: Vec<Finding>,
    /// Rejected findings before this one have been claimed.
    claimed: usize,
    /// Issues already in the batch when this document began.
    listed: usize,
}

impl Findings {
    /// Adds a problem.
    pub fn push<T: Into<Cow<'static, str>>>(&mut self, code: Code, span: Span, fate: Fate, message: T) {
        self.list.push(Finding { span, code, message: message.into(), fate });
    }

    /// Rejects `span`, in which strict reading met `fault`. The message counts from the start of `span`,
    /// so that it does not depend on where a window begins.
    pub fn reject(&mut self, document: &[u8], span: Span, fault: Fault) {
        let found = match document.get(fault.at) {
            None => "the end".to_owned(),
            Some(byte) => format!("`{}`", byte.escape_ascii()),
        };
        let message = match fault.at.checked_sub(span.start) {
            None | Some(0) => format!("expected {}, found {found}", fault.expected),
            Some(within) => format!("expected {}, found {found} {within} bytes in", fault.expected),
        };
        self.push(Code::InvalidJson, span, Fate::Rejected, message);
    }

    /// How many there are, for [`Findings::forget`].
    #[must_use]
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Where the one added last ends.
    #[must_use]
    pub fn last_end(&self) -> Option<usize> {
        self.list.last().map(|finding| finding.span.end)
    }

    /// Takes back what was added since there were `len`.
    pub fn forget(&mut self, len: usize) {
        self.list.truncate(len);
    }

    /// Puts them in the order they stand. To be called before any [`Findings::claim_before`].
    pub fn sort(&mut self) {
        self.list.sort_by_key(|finding| (finding.span.start, finding.span.end));
    }

    /// Claims the rejected bytes that stand before byte `at`.
    pub fn claim_before(&mut self, at: usize, ledger: &mut Ledger<'_>, rejected: &mut Amount) {
        while let Some(finding) = self.list.get(self.claimed).filter(|finding| finding.span.start < at) {
            if finding.fate == Fate::Rejected && !finding.span.is_empty() {
                ledger.claim(finding.span, rejected);
            }
            self.claimed += 1;
        }
    }

    /// Passes over the rejected bytes before byte `at`: something around them has been claimed whole.
    pub fn pass(&mut self, at: usize) {
        while self.list.get(self.claimed).is_some_and(|finding| finding.span.start < at) {
            self.claimed += 1;
        }
    }

    /// Reports them all and forgets them.
    pub fn report(&mut self, lines: &mut Ledger<'_>, out: &mut Batch<'_>) {
        for finding in self.list.drain(..) {
            self.listed += 1;
            let (code, message) = match self.listed.cmp(&MAX_ISSUES) {
                std::cmp::Ordering::Less => (finding.code, finding.message),
                std::cmp::Ordering::Equal => {
                    (Code::TooManyIssues, Cow::Borrowed("further ones are not listed"))
                }
                std::cmp::Ordering::Greater => continue,
            };
            let Span { start, end } = finding.span;
            out.issues.push(Issue { code, start, end, line: lines.line(start), message });
        }
        self.claimed = 0;
    }
}
