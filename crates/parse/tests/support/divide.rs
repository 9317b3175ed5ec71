//! Reading an input in parts: in windows one after the other, and in pieces that know nothing of each other.

use std::collections::BTreeSet;
use std::path::Path;

use logmill_parse::mark::{Mark, RunId};
use logmill_parse::{
    Account, Batch, Carry, Code, Delivery, Depth, End, Format, Seam, Shape, Wants, Window, format,
};

use crate::support::Reading;

/// Reads the input from start to end in windows of `size` bytes that grow where nothing can be consumed.
pub fn windows(format: &dyn Format, bytes: &[u8], shape: Option<Shape>, size: usize) -> Reading {
    let mut reading = Reading::default();
    let (mut offset, mut len, mut carry) = (0, size, Carry::default());
    while offset < bytes.len() {
        let end = bytes.len().min(offset + len);
        let kind = if end == bytes.len() { End::Input } else { End::More };
        let window = Window { bytes: &bytes[offset..end], offset: offset as u64, end: kind };
        let mut batch = Batch::new(Wants::Everything);
        let consumed = format.parse(window, &mut carry, &mut batch, Delivery::AtEnd);
        assert!(consumed <= end - offset, "no more is consumed than there is");
        assert!(
            kind == End::More || consumed == end - offset,
            "everything is consumed at the end of the input"
        );
        reading.add(bytes, offset, consumed, shape, &batch);
        len = if consumed == 0 { len * 2 } else { size };
        offset += consumed;
    }
    reading
}

/// Reads the input in pieces of at least `size` bytes that know nothing of each other.
pub fn pieces(format: &dyn Format, bytes: &[u8], shape: Option<Shape>, size: usize) -> Reading {
    let mut reading = Reading::default();
    let mut offset = 0;
    while offset < bytes.len() {
        let rest = &bytes[offset..];
        let cut = if size < rest.len() { format.cut(rest, size) } else { None };
        let end = match cut {
            Some(cut) => {
                assert!((size..rest.len()).contains(&cut), "a cut lies at or behind the nominal one");
                End::Cut
            }
            None => End::Input,
        };
        let piece = &rest[..cut.unwrap_or(rest.len())];
        let mut batch = Batch::new(Wants::Everything);
        let window = Window { bytes: piece, offset: offset as u64, end };
        let consumed = format.parse(window, &mut Carry::default(), &mut batch, Delivery::AtEnd);
        assert_eq!(consumed, piece.len(), "everything is consumed before a cut");
        reading.add(bytes, offset, consumed, shape, &batch);
        offset += consumed;
    }
    reading
}

/// Reads the input as one document whose records are handed over before its end.
pub fn parts(format: &dyn Format, bytes: &[u8]) -> Reading {
    let mut reading = Reading::default();
    let mut batch = Batch::new(Wants::Everything);
    let window = Window { bytes, offset: 0, end: End::Input };
    let mut take = |part: &Batch<'_>| {
        assert!(part.issues.is_empty() && part.account == Account::default(), "they stay behind");
        reading.add_part(bytes, 0, part);
    };
    let consumed = format.parse(window, &mut Carry::default(), &mut batch, Delivery::InParts(&mut take));
    assert_eq!(consumed, bytes.len(), "everything is consumed at the end of the input");
    reading.add_part(bytes, 0, &batch);
    reading
}

/// Reads a document in parts of about `size` bytes that know nothing of each other; `None` if it cannot be divided
/// so: a part does not end as the next one supposes, or two of them state the same run.
pub fn divided(format: &dyn Format, bytes: &[u8], size: usize) -> Option<Reading> {
    let mut reading = Reading::default();
    let mut ids = BTreeSet::new();
    let (mut start, mut carry) = (0, Carry::default());
    let seams = format.seams(bytes, size);
    assert!(seams.is_sorted_by(|a, b| a.at < b.at), "{seams:?}");
    assert!(seams.iter().all(|seam| seam.at < bytes.len()), "{seams:?}");
    let last = Seam { at: bytes.len(), carry: Carry::default() };
    for seam in seams.into_iter().chain([last]) {
        assert!(start < seam.at || seam == last, "{seam:?}");
        let part = &bytes[start..seam.at];
        let end = if seam == last { End::Input } else { End::Seam };
        let window = Window { bytes: part, offset: start as u64, end };
        let mut batch = Batch::new(Wants::Everything);
        let consumed = format.parse(window, &mut carry, &mut batch, Delivery::AtEnd);
        assert_eq!(consumed, part.len(), "everything is consumed");
        if carry != seam.carry && (seam != last || carry.depth != Depth::Outside) {
            return None;
        }
        let mut new: BTreeSet<String> = batch.marks.iter().filter_map(|mark| stated(&mark.mark)).collect();
        if !new.is_disjoint(&ids) {
            return None;
        }
        ids.append(&mut new);
        reading.add_part(bytes, start, &batch);
        start = seam.at;
    }
    Some(reading)
}

fn stated(mark: &Mark<'_>) -> Option<String> {
    match mark {
        Mark::Run(head) => match &head.id {
            RunId::Stated(id) => Some(id.to_string()),
            RunId::Within(_) | RunId::File => None,
        },
        _ => None,
    }
}

/// The registry's format for a folder of testdata.
pub fn format_of(folder: &Path) -> Option<&'static dyn Format> {
    format::by_id(&folder.file_name()?.to_string_lossy())
}

/// Codes that may be reported once per window instead of once per file: the reader of files folds them.
pub const FOLDED: &[Code] = &[Code::DuplicateRecord, Code::TooManyIssues];
