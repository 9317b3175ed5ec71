//! Text with those escapes undone that would hide a secret from the rules: `\/` and `\u0040` of JSON, at any
//! depth. Quotes, backslashes and control characters stay escaped, for they tell where values end.

use std::borrow::Cow;

use memchr::memchr;

/// The text the rules look at.
pub(super) struct View<'t> {
    pub bytes: Cow<'t, [u8]>,
    /// Where each byte of it starts in the text; empty where nothing was undone.
    starts: Vec<usize>,
}

impl<'t> View<'t> {
    pub(super) fn new(text: &'t [u8]) -> Self {
        let mut view = Self { bytes: Cow::Borrowed(text), starts: Vec::new() };
        if memchr(b'\\', text).is_some() && (0..text.len()).any(|at| escape(text, at).is_some()) {
            view.undo(text);
        }
        view
    }

    fn undo(&mut self, text: &[u8]) {
        let mut bytes = Vec::with_capacity(text.len());
        let mut at = 0;
        while let Some(byte) = text.get(at) {
            let (byte, len) = escape(text, at).unwrap_or((*byte, 1));
            bytes.push(byte);
            self.starts.push(at);
            at += len;
        }
        self.starts.push(text.len());
        self.bytes = Cow::Owned(bytes);
    }

    /// Where the byte stands in the text.
    pub(super) fn place(&self, at: usize) -> usize {
        if self.starts.is_empty() { at } else { self.starts.get(at).copied().unwrap_or(at) }
    }
}

/// The character that the escape at this place stands for, and the escape's length.
fn escape(text: &[u8], at: usize) -> Option<(u8, usize)> {
    let rest = text.get(at..)?;
    if rest.first() != Some(&b'\\') {
        return None;
    }
    let slashes = rest.iter().take(16).take_while(|byte| **byte == b'\\').count();
    match rest.get(slashes)? {
        b'/' => Some((b'/', slashes + 1)),
        b'u' => {
            let digits = rest.get(slashes + 1..slashes + 5)?;
            let code = u8::from_str_radix(std::str::from_utf8(digits.strip_prefix(b"00")?).ok()?, 16).ok()?;
            let is_plain = code.is_ascii_graphic() && !matches!(code, b'"' | b'\'' | b'`' | b'\\');
            is_plain.then_some((code, slashes + 5))
        }
        _ => None,
    }
}
