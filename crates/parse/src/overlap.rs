//! Overlaps between consecutive parts of one log, told by the fingerprints of their records.

use std::ops::Range;

/// Which of the records of `next` already stand at the end of `seen` (or anywhere in it, if all
/// of them do), as a range of `next`.
///
/// Linear in the two lengths (Knuth–Morris–Pratt's prefix function).
#[must_use]
pub fn repeated(seen: &[u64], next: &[u64]) -> Range<usize> {
    let prefix = prefix_function(next);
    let mut matched = 0_usize;
    for fingerprint in seen {
        if matched == next.len() {
            return 0..matched;
        }
        while matched > 0 && next.get(matched) != Some(fingerprint) {
            matched = prefix.get(matched - 1).copied().unwrap_or(0);
        }
        if next.get(matched) == Some(fingerprint) {
            matched += 1;
        }
    }
    0..matched
}

fn prefix_function(pattern: &[u64]) -> Vec<usize> {
    let mut prefix: Vec<usize> = Vec::with_capacity(pattern.len());
    let mut matched = 0_usize;
    for (index, fingerprint) in pattern.iter().enumerate() {
        while matched > 0 && pattern.get(matched) != Some(fingerprint) {
            matched = prefix.get(matched - 1).copied().unwrap_or(0);
        }
        if index > 0 && pattern.get(matched) == Some(fingerprint) {
            matched += 1;
        }
        prefix.push(matched);
    }
    prefix
}

/// A fingerprint of some bytes that is the same on every machine and in every version (FNV-1a).
#[must_use]
pub fn fingerprint(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .fold(0xcbf2_9ce4_8422_2325, |hash, &byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(seen: &[u64], next: &[u64], expect: usize) {
        assert_eq!(repeated(seen, next), 0..expect, "{seen:?} {next:?}");
    }

    #[test]
    fn tails_and_whole_pages() {
        check(&[1, 2, 3], &[4, 5], 0);
        check(&[1, 2, 3], &[3, 4], 1);
        check(&[1, 2, 3], &[2, 3, 4], 2);
        check(&[1, 2, 3], &[1, 2, 3], 3);
        check(&[1, 2, 3, 4], &[2, 3], 2);
        check(&[1, 1, 1], &[1, 1, 2], 2);
        check(&[1, 2, 1, 2, 1], &[1, 2, 1, 3], 3);
        check(&[], &[1], 0);
        check(&[1], &[], 0);
    }
}
