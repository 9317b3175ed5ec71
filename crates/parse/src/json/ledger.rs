//! Bytes and lines of a document whose events are elements, not lines.

use memchr::memchr;

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
    bytes: &'a [u8],
    /// Newlines passed so far.
    newlines: u32,
    /// Where the next one is; the end of the bytes if there is none.
    next_newline: usize,
    /// Lines claimed or passed so far, as the number of the first line nobody has claimed.
    unclaimed: u32,
    claimed: Amount,
    /// Lines that the bytes begin in: 1 if that has been counted with the bytes before.
    n_counted: u32,
}

impl<'a> Ledger<'a> {
    /// A ledger for `bytes`, nothing claimed yet but the line that they begin in, where that has been counted.
    #[must_use]
    pub fn new(bytes: &'a [u8], line: LineState) -> Self {
        let next_newline = memchr(b'\n', bytes).unwrap_or(bytes.len());
        let n_counted = u32::from(line == LineState::Counted);
        Self { bytes, newlines: 0, next_newline, unclaimed: n_counted, claimed: Amount::default(), n_counted }
    }

    /// Lines before byte `at`, which must not go backwards.
    pub fn line(&mut self, at: usize) -> u32 {
        while self.next_newline < at.min(self.bytes.len()) {
            self.newlines = self.newlines.saturating_add(1);
            let from = self.next_newline + 1;
            let rest = self.bytes.get(from..).unwrap_or_default();
            self.next_newline = from + memchr(b'\n', rest).unwrap_or(rest.len());
        }
        self.newlines
    }

    /// Gives the bytes of `span`, and the lines it is the first to stand on, to `part` of the account.
    /// Spans must come in order and not overlap.
    pub fn claim(&mut self, span: Span, part: &mut Amount) -> Claim {
        let line = self.line(span.start);
        let last = self.line(span.end.saturating_sub(1).max(span.start));
        let n_lines = (last + 1).saturating_sub(self.unclaimed.max(line));
        self.unclaimed = self.unclaimed.max(last + 1);
        part.add(span.len(), n_lines);
        self.claimed.add(span.len(), n_lines);
        Claim { line, n_lines }
    }

    /// Gives what nobody claimed of the first `consumed` bytes to structure, and says how the line is left in
    /// which they end.
    pub fn close(mut self, consumed: usize, account: &mut Account) -> LineState {
        let open_line = consumed > 0 && self.bytes.get(consumed - 1) != Some(&b'\n');
        let newlines = self.line(consumed);
        let lines = (u64::from(newlines) + u64::from(open_line)).saturating_sub(u64::from(self.n_counted));
        account.structure.bytes += (consumed as u64).saturating_sub(self.claimed.bytes);
        account.structure.lines += lines.saturating_sub(self.claimed.lines);
        if open_line && self.unclaimed > newlines { LineState::Counted } else { LineState::Start }
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
