//! Blocks the dashboard shows twice.

use std::collections::BTreeMap;

use super::model::Line;

/// Earlier lines of one instant that are tried as the start of a replay.
const MAX_CANDIDATES: usize = 64;

/// Finds replays: a block that repeats earlier lines, stamps included, and jumps the clock back,
/// or the very first line twice.
///
/// Equal neighbours elsewhere are real lines.
#[derive(Debug, Default)]
pub(super) struct Replays {
    /// First line of each instant among the first `indexed` lines. Filled when the clock first jumps back:
    /// in most logs it never does.
    by_clock: BTreeMap<i64, usize>,
    indexed: usize,
}

impl Replays {
    /// How many lines from `at` on are a replay of lines before it.
    pub(super) fn len(&mut self, lines: &[Line<'_>], at: usize) -> usize {
        let (Some(line), Some(before)) = (lines.get(at), at.checked_sub(1).and_then(|at| lines.get(at)))
        else {
            return 0;
        };
        if at == 1 && same(line, before) && !is_blank(line) {
            return 1;
        }
        match (line.clock, before.clock) {
            (Some(clock), Some(last)) if clock < last => self.block(lines, at, clock),
            _ => 0,
        }
    }

    /// Length of the longest block at `at` that stands at an earlier line of the same instant.
    fn block(&mut self, lines: &[Line<'_>], at: usize, clock: i64) -> usize {
        self.index(lines, at);
        let Some(&first) = self.by_clock.get(&clock) else { return 0 };
        let Some(earlier) = lines.get(first..at) else { return 0 };
        let candidates =
            earlier.iter().take_while(|line| line.clock == Some(clock)).take(MAX_CANDIDATES).count();
        (first..first + candidates).map(|from| common(lines, from, at)).max().unwrap_or(0)
    }

    fn index(&mut self, lines: &[Line<'_>], at: usize) {
        for index in self.indexed..at {
            if let Some(clock) = lines.get(index).and_then(|line| line.clock) {
                self.by_clock.entry(clock).or_insert(index);
            }
        }
        self.indexed = self.indexed.max(at);
    }
}

/// How many lines from `at` on equal those from `from` on, the blocks not overlapping;
/// none if all of them are blank.
fn common(lines: &[Line<'_>], from: usize, at: usize) -> usize {
    let (Some(earlier), Some(later)) = (lines.get(from..at), lines.get(at..)) else { return 0 };
    let len = earlier.iter().zip(later).take_while(|(a, b)| same(a, b)).count();
    let speaks = later.iter().take(len).any(|line| !is_blank(line));
    if speaks { len } else { 0 }
}

fn same(a: &Line<'_>, b: &Line<'_>) -> bool {
    a.clock == b.clock && a.message == b.message
}

fn is_blank(line: &Line<'_>) -> bool {
    line.message.trim_ascii().is_empty()
}

#[cfg(test)]
mod tests {
    use super::super::model::{Dated, Form, Joint};
    use super::*;
    use crate::record::{Flags, Span};

    fn line(clock: i64, text: &str) -> Line<'_> {
        Line {
            span: Span::default(),
            number: 0,
            n_lines: 1,
            clock: Some(clock),
            dated: Dated::Yes,
            message: text.as_bytes(),
            form: Form::Literal,
            joint: Joint::Open,
            flags: Flags::NONE,
        }
    }

    #[track_caller]
    fn check(lines: &[(i64, &str)], expect: &[usize]) {
        let lines: Vec<Line<'_>> = lines.iter().map(|&(clock, text)| line(clock, text)).collect();
        let mut replays = Replays::default();
        let (mut dropped, mut at) = (Vec::new(), 0);
        while at < lines.len() {
            let len = replays.len(&lines, at);
            dropped.extend(at..at + len);
            at += len.max(1);
        }
        assert_eq!(dropped, expect);
    }

    #[test]
    fn blocks_and_first_lines() {
        check(&[(1, "a"), (1, "a"), (1, "a")], &[1]);
        check(&[(1, "a"), (2, "b"), (2, "b")], &[]);
        check(&[(1, ""), (1, ""), (2, "x")], &[]);
        check(&[(1, "a"), (2, "b"), (1, "a"), (2, "b"), (3, "c")], &[2, 3]);
        check(&[(1, "a"), (2, "b"), (3, "c"), (2, "b"), (3, "c"), (4, "d")], &[3, 4]);
        check(&[(1, "a"), (2, "b"), (1, "x"), (2, "b")], &[]);
        check(&[(1, ""), (1, "a"), (2, "b"), (1, ""), (1, "a"), (2, "b")], &[3, 4, 5]);
        check(&[(1, "a"), (1, "a"), (2, "b"), (1, "a"), (2, "b"), (3, "c")], &[1, 3, 4]);
        check(&[(1, ""), (2, "b"), (1, ""), (3, "c")], &[]);
    }

    #[test]
    fn one_block_may_be_shown_three_times() {
        check(&[(1, "a"), (2, "b"), (1, "a"), (2, "b"), (1, "a"), (2, "b")], &[2, 3, 4, 5]);
    }
}
