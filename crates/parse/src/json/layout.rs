//! Whether a window holds documents or lines.

use crate::format::{Carry, Depth, End, Window};

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

#[cfg(test)]
mod tests {
    use super::*;

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
