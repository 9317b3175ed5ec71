//! Blanks and ANSI sequences at the ends of texts.

use memchr::memrchr;

use super::line::trim_end;
use crate::text::{escape_len, leading_ansi_len};

const ESC: u8 = 0x1b;

/// `text` without blanks, line breaks aside, and ANSI at its end.
#[inline]
pub(super) fn trim_coloured(text: &[u8]) -> &[u8] {
    let rest = trim_end(text);
    if matches!(rest.last(), Some(b'm' | b'K' | b'G' | b'J')) { trim_colours(rest) } else { rest }
}

fn trim_colours(text: &[u8]) -> &[u8] {
    let mut rest = text;
    loop {
        let shorter = trim_end(without_colour(rest));
        if shorter.len() == rest.len() {
            return rest;
        }
        rest = shorter;
    }
}

/// `text` without the ANSI sequence at its end, if there is one of the usual length.
pub(super) fn without_colour(text: &[u8]) -> &[u8] {
    const MAX_SEQUENCE: usize = 24;
    if !matches!(text.last(), Some(b'm' | b'K' | b'G' | b'J')) {
        return text;
    }
    let from = text.len().saturating_sub(MAX_SEQUENCE);
    let Some(at) = memrchr(ESC, text.get(from..).unwrap_or_default()).map(|at| from + at) else {
        return text;
    };
    if at + escape_len(text.get(at..).unwrap_or_default()) == text.len() {
        text.get(..at).unwrap_or_default()
    } else {
        text
    }
}

/// Whether a text holds nothing but blanks and ANSI.
pub(super) fn is_blank(text: &[u8]) -> bool {
    let mut rest = text;
    loop {
        rest = match rest {
            [] => return true,
            [b' ' | b'\t' | b'\r', after @ ..] => after,
            [ESC, ..] => rest.get(leading_ansi_len(rest)..).unwrap_or_default(),
            _ => return false,
        }
    }
}
