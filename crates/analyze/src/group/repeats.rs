//! Which records of which part of a log stand in another part already.
//!
//! Parts are compared by the fingerprints of their records ([`crate::read::fingerprints`]), so that
//! neither line ends nor colours nor compression make two of one. Of two copies the more complete one
//! stays, whichever comes first; of two parts that overlap the later one gives way.
//!
//! All of it takes time in proportion to the records: places where a part might stand are found by
//! its first records, and only a bounded number of them is looked at.

use std::collections::BTreeMap;

use logmill_parse::overlap;

/// What becomes of a part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// All of it counts.
    Kept,
    /// Its first so many records stand in earlier parts.
    Head(usize),
    /// All of it stands in other parts.
    Repeated,
}

/// Places that are looked at for one part.
const MAX_PLACES: usize = 64;
/// Records at the start of a part that may be fragments: a log that is cut anywhere begins inside of
/// an event, whose lines may become several.
const MAX_FRAGMENTS: usize = 8;
/// Records that must agree behind fragments.
const MIN_BEHIND_FRAGMENTS: usize = 3;
/// Records without a stamp that must agree: one of them says too little.
const MIN_UNSTAMPED: usize = 8;

/// What becomes of each of these parts, whose records' fingerprints are given in order.
#[must_use]
pub fn fates(parts: &[&[u64]]) -> Vec<Fate> {
    let mut fates = contained(parts);
    let mut firsts: BTreeMap<u64, Vec<usize>> =
        parts.iter().filter_map(|part| Some((*part.first()?, Vec::new()))).collect();
    let mut seen: Vec<u64> = Vec::new();
    for (part, fate) in parts.iter().zip(&mut fates) {
        if *fate == Fate::Repeated || part.is_empty() {
            continue;
        }
        let skipped = if seen.is_empty() { 0 } else { head(&seen, part, &firsts) };
        *fate = match skipped {
            0 => Fate::Kept,
            n if n == part.len() => Fate::Repeated,
            n => Fate::Head(n),
        };
        for print in part.iter().skip(skipped) {
            if let Some(places) = firsts.get_mut(print).filter(|places| places.len() < MAX_PLACES) {
                places.push(seen.len());
            }
            seen.push(*print);
        }
    }
    fates
}

/// The order in which these parts follow each other, as indices: the one they are given in, but a part
/// that ends with the records another one begins with stands before it.
#[must_use]
pub fn order(parts: &[&[u64]]) -> Vec<usize> {
    let all: Vec<usize> = (0..parts.len()).collect();
    let before: Vec<Option<usize>> = places(parts, &all)
        .iter()
        .zip(parts)
        .map(|(places, part)| {
            places.iter().find(|place| ends_with_start(parts, place, part)).map(|it| it.part)
        })
        .collect();
    let mut order = Vec::new();
    let mut is_placed = vec![false; parts.len()];
    for index in all {
        // From the part back to the first of those that stand before it; a circle ends where it began.
        let mut chain = Vec::new();
        let mut next = Some(index);
        while let Some(index) = next
            && let Some(placed) = is_placed.get_mut(index).filter(|placed| !**placed)
        {
            *placed = true;
            chain.push(index);
            next = before.get(index).copied().flatten();
        }
        order.extend(chain.into_iter().rev());
    }
    order
}

/// Whether the other part ends with the records that this one begins with, and begins with others.
fn ends_with_start(parts: &[&[u64]], place: &Place, part: &[u64]) -> bool {
    let end = parts.get(place.part).and_then(|other| other.get(place.at..)).unwrap_or_default();
    let is_overlap = place.fragments == 0 && place.at > 0 && end.len() < part.len();
    is_overlap && end.len() >= MIN_BEHIND_FRAGMENTS && is_evidence(end) && part.starts_with(end)
}

/// How many records of `part` stand in what has been seen, given where its first one does.
fn head(seen: &[u64], part: &[u64], firsts: &BTreeMap<u64, Vec<usize>>) -> usize {
    let places = part.first().and_then(|first| firsts.get(first)).into_iter().flatten();
    let is_inside = |place: &usize| seen.get(*place..).is_some_and(|rest| rest.starts_with(part));
    if is_evidence(part) && places.into_iter().any(is_inside) {
        return part.len();
    }
    let tail = seen.get(seen.len().saturating_sub(part.len())..).unwrap_or_default();
    for fragments in 0..=MAX_FRAGMENTS.min(part.len() - 1) {
        let rest = part.get(fragments..).unwrap_or_default();
        let n = overlap::repeated(tail, rest).end;
        let agreeing = rest.get(..n).unwrap_or_default();
        if is_evidence(agreeing) && (fragments == 0 || n >= MIN_BEHIND_FRAGMENTS) {
            return fragments + n;
        }
        // The last record seen may be cut: its stamp is the same, its text is not.
        let Some((last, tail)) = tail.split_last() else { continue };
        let n = overlap::repeated(tail, rest).end;
        let agreeing = rest.get(..n).unwrap_or_default();
        if n >= MIN_BEHIND_FRAGMENTS
            && is_evidence(agreeing)
            && rest.get(n).is_some_and(|next| is_same_stamp(*next, *last))
        {
            return fragments + n + 1;
        }
    }
    0
}

/// Says of each part whether it stands in one other.
fn contained(parts: &[&[u64]]) -> Vec<Fate> {
    let mut fates = vec![Fate::Kept; parts.len()];
    let mut order: Vec<usize> = (0..parts.len()).collect();
    // The shorter ones give way, and of equal ones the later.
    order.sort_by_key(|index| (parts.get(*index).map(|part| part.len()), std::cmp::Reverse(*index)));
    let places = places(parts, &leave_out_copies(parts, &mut fates));
    for index in order {
        let Some(part) = parts.get(index).filter(|part| !part.is_empty()) else { continue };
        let stands_in = |place: &Place| {
            let stays = fates.get(place.part) == Some(&Fate::Kept);
            let other = parts.get(place.part).and_then(|other| other.get(place.at..)).unwrap_or_default();
            stays && is_within(part.get(place.fragments..).unwrap_or_default(), other, place)
        };
        if places.get(index).is_some_and(|places| places.iter().any(stands_in))
            && let Some(fate) = fates.get_mut(index)
        {
            *fate = Fate::Repeated;
        }
    }
    fates
}

/// A place where a part might stand.
struct Place {
    /// The other part.
    part: usize,
    /// Record of the other part.
    at: usize,
    /// Records of the part in front of the one that stands there.
    fragments: usize,
}

/// Leaves out whole copies, and returns the parts that are none.
fn leave_out_copies(parts: &[&[u64]], fates: &mut [Fate]) -> Vec<usize> {
    let mut known: BTreeMap<&[u64], usize> = BTreeMap::new();
    let mut others = Vec::new();
    for (index, part) in parts.iter().enumerate().filter(|(_, part)| !part.is_empty()) {
        if is_evidence(part) && known.contains_key(part) {
            if let Some(fate) = fates.get_mut(index) {
                *fate = Fate::Repeated;
            }
        } else {
            known.insert(part, index);
            others.push(index);
        }
    }
    others
}

/// Where the first records of each part stand in other parts.
fn places(parts: &[&[u64]], others: &[usize]) -> Vec<Vec<Place>> {
    let mut places: Vec<Vec<Place>> = parts.iter().map(|_| Vec::new()).collect();
    let mut firsts: BTreeMap<u64, Vec<(usize, usize)>> = BTreeMap::new();
    for index in others {
        let Some(part) = parts.get(*index) else { continue };
        for (fragments, print) in part.iter().enumerate().take(MAX_FRAGMENTS + 1) {
            let starts = firsts.entry(*print).or_default();
            if starts.last().is_none_or(|(last, _)| last != index) {
                starts.push((*index, fragments));
            }
        }
    }
    for other in others {
        let Some(part) = parts.get(*other) else { continue };
        for (at, print) in part.iter().enumerate() {
            let Some(starts) = firsts.get_mut(print) else { continue };
            starts.retain(|(index, fragments)| {
                let Some(found) = places.get_mut(*index) else { return false };
                if index != other {
                    found.push(Place { part: *other, at, fragments: *fragments });
                }
                found.len() < MAX_PLACES
            });
        }
    }
    places
}

/// Whether `part`, without its fragments, stands at the start of `other`. Its last record may be cut.
fn is_within(part: &[u64], other: &[u64], place: &Place) -> bool {
    let agreeing = part.iter().zip(other).take_while(|(a, b)| a == b).count();
    if place.fragments > 0 && (agreeing < MIN_BEHIND_FRAGMENTS || place.at == 0) {
        return false;
    }
    let is_cut = || match (part.get(agreeing..), other.get(agreeing)) {
        (Some([last]), Some(whole)) => is_same_stamp(*last, *whole),
        _ => false,
    };
    is_evidence(part.get(..agreeing).unwrap_or_default()) && (agreeing == part.len() || is_cut())
}

/// Whether so many records in a row can be no accident.
fn is_evidence(prints: &[u64]) -> bool {
    prints.len() >= MIN_UNSTAMPED || prints.iter().any(|print| stamp_of(*print) != 0)
}

fn is_same_stamp(a: u64, b: u64) -> bool {
    stamp_of(a) != 0 && stamp_of(a) == stamp_of(b)
}

const fn stamp_of(print: u64) -> u64 {
    print >> 32
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Fingerprints of records: the stamp, and which message it is.
    fn prints(records: &[(u64, u64)]) -> Vec<u64> {
        records.iter().map(|(stamp, message)| stamp << 32 | message).collect()
    }

    fn stamped(stamps: std::ops::Range<u64>) -> Vec<u64> {
        stamps.map(|stamp| stamp << 32 | stamp).collect()
    }

    #[track_caller]
    fn check(parts: &[Vec<u64>], expect: &[Fate]) {
        let parts: Vec<&[u64]> = parts.iter().map(Vec::as_slice).collect();
        assert_eq!(fates(&parts), expect);
    }

    #[test]
    fn copies_and_pieces() {
        use Fate::{Head, Kept, Repeated};
        check(&[stamped(1..9), stamped(1..9)], &[Kept, Repeated]);
        check(&[stamped(1..9), stamped(4..9)], &[Kept, Repeated]);
        // The more complete copy stays, even if it comes later.
        check(&[stamped(4..9), stamped(1..9)], &[Repeated, Kept]);
        check(&[stamped(4..6), stamped(1..9), stamped(1..3)], &[Repeated, Kept, Repeated]);
        check(&[stamped(1..6), stamped(4..9)], &[Kept, Head(2)]);
        check(&[stamped(1..6), stamped(6..9)], &[Kept, Kept]);
        // Over the border between two earlier parts.
        check(&[stamped(1..4), stamped(4..7), stamped(3..6)], &[Kept, Kept, Repeated]);
        check(&[Vec::new(), stamped(1..2)], &[Kept, Kept]);
    }

    #[test]
    fn parts_in_the_wrong_order() {
        let order_of = |parts: &[Vec<u64>]| order(&parts.iter().map(Vec::as_slice).collect::<Vec<_>>());
        assert_eq!(order_of(&[stamped(1..9), stamped(5..20), stamped(15..30)]), [0, 1, 2]);
        assert_eq!(order_of(&[stamped(15..30), stamped(5..20), stamped(1..9)]), [2, 1, 0]);
        assert_eq!(order_of(&[stamped(5..20), stamped(30..40), stamped(1..9)]), [2, 0, 1]);
        // Copies and pieces say nothing about the order, nor do circles.
        assert_eq!(order_of(&[stamped(1..9), stamped(1..9), stamped(3..9)]), [0, 1, 2]);
        let circle = [
            [stamped(1..5), stamped(20..25)].concat(),
            [stamped(20..25), stamped(10..15)].concat(),
            [stamped(10..15), stamped(1..5)].concat(),
        ];
        let mut found = order_of(&circle);
        found.sort_unstable();
        assert_eq!(found, [0, 1, 2]);
    }

    #[test]
    fn cut_records() {
        use Fate::{Head, Kept, Repeated};
        let whole = stamped(1..9);
        // A tail that begins inside of a record, and a head that ends inside of one.
        let tail = [prints(&[(0, 77)]), stamped(4..9)].concat();
        check(&[whole.clone(), tail], &[Kept, Repeated]);
        let first = [stamped(1..5), prints(&[(5, 77)])].concat();
        check(&[first.clone(), whole], &[Repeated, Kept]);
        // Two that overlap in such a record: it counts once.
        check(&[first.clone(), stamped(2..9)], &[Kept, Head(4)]);
        // Another event of another instant is no cut record.
        let other = [stamped(1..5), prints(&[(6, 77)])].concat();
        check(&[other, stamped(1..9)], &[Kept, Kept]);
    }

    #[test]
    fn little_is_no_evidence() {
        use Fate::{Kept, Repeated};
        let plain = |n: u64| prints(&(0..n).map(|message| (0, message)).collect::<Vec<_>>());
        check(&[plain(3), plain(3)], &[Kept, Kept]);
        check(&[plain(8), plain(8)], &[Kept, Repeated]);
    }

    #[test]
    fn many_alike() {
        use Fate::{Kept, Repeated};
        let mut expect = vec![Repeated; 3000];
        expect[0] = Kept;
        let parts: Vec<Vec<u64>> = (0..3000).map(|_| vec![1 << 32 | 1; 50]).collect();
        check(&parts, &expect);
    }
}
