//! Bytes and lines of a document whose events are elements, not lines.

use super::newlines::Newlines;
use crate::format::LineState;
use crate::record::{Account, Amount, Span};

/// What an element takes of the document's lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Claim {
    /// Lines before the element's first line.
    pub line: u32,
    /// Lines it stands on that no element before it stands on; 0 behind a neighbour on one line.
    pub n_lines: u32,
}

/// Counts lines up to each element, in the order they stand. What no element claims is structure.
#[derive(Debug, Clone)]
pub struct Ledger<'a> {
    newlines: Newlines<'a>,
    claimed: Amount,
}

impl<'a> Ledger<'a> {
    /// A ledger for `bytes`, nothing claimed yet but the line that they begin in, where that has been counted.
    #[must_use]
    pub fn new(bytes: &'a [u8], line: LineState) -> Self {
        Self { newlines: Newlines::new(bytes, line), claimed: Amount::default() }
    }

    /// Lines before byte `at`, which must not go backwards.
    pub fn line(&mut self, at: usize) -> u32 {
        self.newlines.locate(at).line
    }

    /// Gives the bytes of `span`, and the lines it is the first to stand on, to `part` of the account. A span
    /// without bytes stands on the line of the next one. Spans must come in order and not overlap.
    pub fn claim(&mut self, span: Span, part: &mut Amount) -> Claim {
        let (line, owned) = self.newlines.amount(span.start, span.end.max(span.start + 1));
        part.add(span.len(), owned.n_lines);
        self.claimed.add(span.len(), owned.n_lines);
        Claim { line, n_lines: owned.n_lines }
    }

    /// Gives what nobody claimed of the first `consumed` bytes to structure, and says how the line is left in
    /// which they end.
    pub fn close(self, consumed: usize, account: &mut Account) -> LineState {
        let (lines, line) = self.newlines.total(consumed);
        account.structure.bytes += (consumed as u64).saturating_sub(self.claimed.bytes);
        account.structure.lines += lines.saturating_sub(self.claimed.lines);
        line
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_claimed_once() {
        let bytes = b"[\n{1},{2\n},\n\n{3}]";
        let mut account = Account::default();
        let mut ledger = Ledger::new(bytes, LineState::Start);
        let claims = [(2, 5), (6, 10), (13, 16)]
            .map(|(start, end)| ledger.claim(Span { start, end }, &mut account.record));
        ledger.close(bytes.len(), &mut account);
        let expect = [(1, 1), (1, 1), (4, 1)].map(|(line, n_lines)| Claim { line, n_lines });
        assert_eq!(claims, expect);
        assert_eq!(account.record, Amount { bytes: 10, lines: 3 });
        assert_eq!(account.structure, Amount { bytes: 7, lines: 2 });
    }

    #[test]
    fn a_line_counts_where_it_is_claimed_first() {
        let mut account = Account::default();
        let mut ledger = Ledger::new(b"{1},\n{2},", LineState::Counted);
        let claims =
            [(0, 3), (5, 8)].map(|(start, end)| ledger.claim(Span { start, end }, &mut account.record));
        assert_eq!(claims.map(|claim| (claim.line, claim.n_lines)), [(0, 0), (1, 1)]);
        assert_eq!(ledger.close(9, &mut account), LineState::Counted);
        assert_eq!(account.total(), Amount { bytes: 9, lines: 1 });
        let left = |bytes: &[u8], line| Ledger::new(bytes, line).close(bytes.len(), &mut Account::default());
        assert_eq!(left(b"[", LineState::Start), LineState::Start, "nobody has claimed it");
        assert_eq!(left(b",", LineState::Counted), LineState::Counted);
        assert_eq!(left(b",\n", LineState::Counted), LineState::Start);
    }

    #[test]
    fn a_final_newline_opens_no_line() {
        let mut account = Account::default();
        Ledger::new(b"{}\n\n", LineState::Start).close(4, &mut account);
        Ledger::new(b"", LineState::Start).close(0, &mut account);
        assert_eq!(account.total(), Amount { bytes: 4, lines: 2 });
    }
}
