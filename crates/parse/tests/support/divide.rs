//! Reading an input in parts: in windows one after the other, and in pieces that know nothing of each other.

use std::path::Path;

use logmill_parse::{Account, Batch, Carry, Code, Delivery, End, Format, Shape, Wants, Window, format};

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
        let consumed = format.parse(window, &mut carry, &mut batch);
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
        let consumed = format.parse(window, &mut Carry::default(), &mut batch);
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
    let consumed = format.parse_document(window, &mut batch, Delivery::InParts(&mut take));
    assert_eq!(consumed, bytes.len(), "everything is consumed at the end of the input");
    reading.add_part(bytes, 0, &batch);
    reading
}

/// The registry's format for a folder of testdata.
pub fn format_of(folder: &Path) -> Option<&'static dyn Format> {
    format::by_id(&folder.file_name()?.to_string_lossy())
}

/// Codes that may be reported once per window instead of once per file: the reader of files folds them.
pub const FOLDED: &[Code] = &[Code::DuplicateRecord, Code::TooManyIssues];
