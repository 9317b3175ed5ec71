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

/// A number that equal bytes share and others hardly ever, eight bytes at a time: for comparisons within one
/// run of the program, several times as fast as [`fingerprint`].
#[must_use]
pub fn quick_print(bytes: &[u8]) -> u64 {
    const ODD: u64 = 0x9e37_79b9_7f4a_7c15;
    let mix = |hash: u64, word: u64| {
        let product = u128::from(hash ^ word) * u128::from(ODD);
        #[expect(clippy::cast_possible_truncation, reason = "both halves are used")]
        let halves = (product as u64, (product >> 64) as u64);
        // The sum moves with the place, so that two words cannot change places.
        halves.0 ^ halves.1.wrapping_add(hash)
    };
    let (words, rest) = bytes.as_chunks::<8>();
    let seed = (bytes.len() as u64).wrapping_mul(ODD);
    let hash = words.iter().fold(seed, |hash, word| mix(hash, u64::from_le_bytes(*word)));
    let last = rest.iter().fold(0, |word, byte| word << 8 | u64::from(*byte));
    mix(hash, last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(seen: &[u64], next: &[u64], expect: usize) {
        assert_eq!(repeated(seen, next), 0..expect, "{seen:?} {next:?}");
    }

    #[test]
    fn quick_prints_differ_where_bytes_do() {
        let texts = (0..40).flat_map(|len| {
            let zeros = vec![0_u8; len];
            let flipped = (0..len * 8).map(move |bit| {
                let mut bytes = vec![0_u8; len];
                bytes[bit / 8] |= 1 << (bit % 8);
                bytes
            });
            std::iter::once(zeros).chain(flipped)
        });
        let prints: Vec<u64> = texts.map(|bytes| quick_print(&bytes)).collect();
        let distinct: std::collections::BTreeSet<u64> = prints.iter().copied().collect();
        assert_eq!(distinct.len(), prints.len());
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
