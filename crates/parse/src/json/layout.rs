//! Whether a window holds documents or lines, and where its lines are.

use memchr::memchr_iter;

use crate::format::{Carry, Depth, End, Window};
use crate::record::Span;

/// Bytes of a mark that may stand before a document.
const BOM_BYTES: u64 = 3;

/// How the values of a window stand in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// As they like: one may take several lines, and several may share one.
    Documents,
    /// Each on one line.
    Lines,
}

impl Layout {
    /// A window with anything before or behind it is one of lines, unless it is a part of a document. Of one that is
    /// all there is, `is_lines` tells.
    pub fn of(window: Window<'_>, carry: Carry, is_lines: impl FnOnce() -> bool) -> Self {
        let is_part = window.end == End::Seam || carry.depth != Depth::Outside;
        let is_all = window.end == End::Input && window.offset <= BOM_BYTES;
        if is_part || (is_all && !is_lines()) { Self::Documents } else { Self::Lines }
    }
}

/// The lines of `bytes` from `at` on, each with its newline.
pub fn lines(bytes: &[u8], at: usize) -> impl Iterator<Item = Span> {
    let newlines = memchr_iter(b'\n', bytes.get(at..).unwrap_or_default());
    let ends = newlines.map(move |newline| at + newline + 1).chain([bytes.len()]);
    ends.scan(at, |start, end| Some(Span { start: std::mem::replace(start, end), end }))
        .filter(|line| line.start < line.end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_hold_every_byte_once() {
        let of = |text: &str, at| {
            lines(text.as_bytes(), at).map(|line| (line.start, line.end)).collect::<Vec<_>>()
        };
        assert_eq!(of("{}\n\n[1]\n", 0), [(0, 3), (3, 4), (4, 8)]);
        assert_eq!(of("\u{feff}{}\n[1]", 3), [(3, 6), (6, 9)]);
        assert_eq!((of("", 0), of("{}", 2), of("{}", 5)), (vec![], vec![], vec![]));
    }

    #[test]
    fn only_of_all_there_is_the_bytes_tell() {
        let of = |offset, end, depth, is_lines: Option<bool>| {
            let window = Window { bytes: b"", offset, end };
            let told = || is_lines.expect("nobody asks");
            Layout::of(window, Carry { depth, ..Carry::default() }, told)
        };
        for offset in [0, 3] {
            assert_eq!(of(offset, End::Input, Depth::Outside, Some(true)), Layout::Lines);
            assert_eq!(of(offset, End::Input, Depth::Outside, Some(false)), Layout::Documents);
        }
        for (offset, end) in [(4, End::Input), (0, End::More), (0, End::Cut), (9, End::Cut)] {
            assert_eq!(of(offset, end, Depth::Outside, None), Layout::Lines, "{offset} {end:?}");
        }
        for (offset, end, depth) in [(0, End::Seam, Depth::Outside), (9, End::Input, Depth::Member)] {
            assert_eq!(of(offset, end, depth, None), Layout::Documents, "{offset} {end:?}");
        }
    }
}
