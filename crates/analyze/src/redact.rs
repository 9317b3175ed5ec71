//! Masking of secrets by stable pseudonyms, on bytes, text and whole reports.
//!
//! Owns what counts as a secret (`redact/scan.rs`, `redact/words.rs`) and what stands in its place. The same
//! secret has the same pseudonym wherever it stands and whenever it is masked: eight hex digits of its SHA-256,
//! or of its HMAC where a key is given. Without a key, whoever guesses a secret can confirm the guess.
//!
//! ```text
//! pseudonym := "<" ( "secret" | "email" | "key" ) ":" eight hex digits ">"
//! ```
//!
//! Masking is done before messages become templates, so that error groups are those of the masked messages:
//! events that differ in a secret only are in one group, and no group is split.

mod rows;
mod scan;
mod view;
mod words;

use std::borrow::Cow;
use std::sync::Arc;

use sha2::{Digest, Sha256};

/// What is masked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// A token, a password, a signature.
    Secret,
    /// An e-mail address.
    Email,
    /// The inside of a private key.
    Key,
}

impl Kind {
    const ALL: [Self; 3] = [Self::Secret, Self::Email, Self::Key];

    const fn as_str(self) -> &'static str {
        match self {
            Self::Secret => "secret",
            Self::Email => "email",
            Self::Key => "key",
        }
    }
}

/// Hex digits of a pseudonym.
const DIGITS: usize = 8;
/// Length of the longest pseudonym.
const MAX_PSEUDONYM: usize = DIGITS + 9;
/// Bytes before and behind a place that are looked at to judge it.
const CONTEXT: usize = 4096;

/// Masks secrets.
#[derive(Clone, Default)]
pub struct Redactor {
    key: Option<Arc<[u8]>>,
}

impl std::fmt::Debug for Redactor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Redactor").field("is_keyed", &self.key.is_some()).finish()
    }
}

impl Redactor {
    /// Pseudonyms that only holders of the key can make; that anybody can make when it is empty.
    #[must_use]
    pub fn new(key: &[u8]) -> Self {
        Self { key: (!key.is_empty()).then(|| Arc::from(key)) }
    }

    /// The bytes with every secret masked.
    #[must_use]
    pub fn bytes<'t>(&self, bytes: &'t [u8]) -> Cow<'t, [u8]> {
        self.between(bytes, 0, bytes.len())
    }

    /// The text with every secret masked.
    #[must_use]
    pub fn text<'t>(&self, text: &'t str) -> Cow<'t, str> {
        match self.bytes(text.as_bytes()) {
            Cow::Borrowed(_) => Cow::Borrowed(text),
            Cow::Owned(bytes) => Cow::Owned(
                String::from_utf8(bytes)
                    .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned()),
            ),
        }
    }

    /// Masks every secret in the text.
    pub fn mask(&self, text: &mut String) {
        if let Cow::Owned(masked) = self.text(text) {
            *text = masked;
        }
    }

    /// The masked bytes from `start` to `end`. What stands around them is looked at, but left out: a secret
    /// that reaches over one of the ends is masked whole.
    #[must_use]
    pub fn between<'t>(&self, bytes: &'t [u8], start: usize, end: usize) -> Cow<'t, [u8]> {
        let end = end.min(bytes.len());
        let secrets = scan::find(bytes);
        let mut at = start;
        let mut masked = Vec::new();
        for secret in secrets.iter().filter(|secret| secret.end > start && secret.start < end) {
            masked.extend_from_slice(bytes.get(at..secret.start).unwrap_or_default());
            let value = bytes.get(secret.start..secret.end).unwrap_or_default();
            let quote: Vec<u8> = secret
                .quote
                .map_or_else(Vec::new, |depth| std::iter::repeat_n(b'\\', depth).chain([b'"']).collect());
            masked.extend_from_slice(&quote);
            masked.extend_from_slice(self.pseudonym(secret.kind, value).as_bytes());
            masked.extend_from_slice(&quote);
            at = secret.end;
        }
        let rest = bytes.get(at..end).unwrap_or_default();
        if at == start && masked.is_empty() {
            return Cow::Borrowed(rest);
        }
        masked.extend_from_slice(rest);
        Cow::Owned(masked)
    }

    /// At most `most` masked bytes of what stands from `start` to `end`, judged by the lines around it. No
    /// pseudonym is cut.
    #[must_use]
    pub(crate) fn prefix(&self, bytes: &[u8], start: usize, end: usize, most: usize) -> Vec<u8> {
        let floor = start.saturating_sub(CONTEXT);
        let before = bytes.get(floor..start).unwrap_or_default();
        let is_whole = floor == 0;
        let first_line = memchr::memchr(b'\n', before).filter(|_| !is_whole).map_or(0, |newline| newline + 1);
        let from = floor + first_line;
        let context = bytes.get(from..bytes.len().min(start + CONTEXT)).unwrap_or_default();
        let masked = self.between(context, start - from, end - from);
        let mut prefix = masked.get(..most.min(masked.len())).unwrap_or_default();
        let tail = prefix.len().saturating_sub(MAX_PSEUDONYM);
        if let Some(open) = prefix.get(tail..).and_then(|tail| memchr::memrchr(b'<', tail))
            && pseudonym_len(masked.get(tail + open..).unwrap_or_default()).is_some()
            && pseudonym_len(prefix.get(tail + open..).unwrap_or_default()).is_none()
        {
            prefix = prefix.get(..tail + open).unwrap_or_default();
        }
        prefix.to_vec()
    }

    fn pseudonym(&self, kind: Kind, value: &[u8]) -> String {
        let value = canonical(kind, value);
        let digest = match &self.key {
            Some(key) => hmac(key, &value),
            None => Sha256::digest(&value).into(),
        };
        let digits =
            digest.iter().take(DIGITS / 2).fold(0_u32, |digits, byte| digits << 8 | u32::from(*byte));
        format!("<{}:{digits:08x}>", kind.as_str())
    }
}

/// HMAC of RFC 2104 with SHA-256.
fn hmac(key: &[u8], value: &[u8]) -> [u8; 32] {
    const BLOCK: usize = 64;
    let mut block = [0_u8; BLOCK];
    let hashed: [u8; 32];
    let key = if key.len() > BLOCK {
        hashed = Sha256::digest(key).into();
        &hashed[..]
    } else {
        key
    };
    for (to, from) in block.iter_mut().zip(key) {
        *to = *from;
    }
    let inner = Sha256::new().chain_update(block.map(|byte| byte ^ 0x36)).chain_update(value).finalize();
    Sha256::new().chain_update(block.map(|byte| byte ^ 0x5C)).chain_update(inner).finalize().into()
}

/// The same bytes for the same secret, however it is spelt: escapes of JSON and of URLs are undone; letter case
/// does not matter in addresses, nor line ends in keys.
fn canonical(kind: Kind, value: &[u8]) -> Vec<u8> {
    let mut value = value.to_vec();
    for _ in 0..4 {
        if !value.contains(&b'\\') {
            break;
        }
        value = logmill_parse::text::unescape(&value).into_owned().into_bytes();
    }
    if value.contains(&b'%') {
        value = percent_decoded(&value);
    }
    match kind {
        Kind::Secret => {}
        Kind::Email => value.make_ascii_lowercase(),
        Kind::Key => value.retain(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=')),
    }
    value
}

fn percent_decoded(value: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(value.len());
    let mut rest = value;
    while let Some((byte, after)) = rest.split_first() {
        let code = (*byte == b'%').then(|| after.get(..2)).flatten();
        let code = code.and_then(|hex| u8::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok());
        out.push(code.unwrap_or(*byte));
        rest = if code.is_some() { after.get(2..).unwrap_or_default() } else { after };
    }
    out
}

/// Length of the pseudonym that the bytes start with.
fn pseudonym_len(bytes: &[u8]) -> Option<usize> {
    let rest = bytes.strip_prefix(b"<")?;
    let kind = Kind::ALL.into_iter().map(Kind::as_str).find(|kind| rest.starts_with(kind.as_bytes()))?;
    let digits = rest.get(kind.len()..)?.strip_prefix(b":")?;
    let is_hex = digits.get(..DIGITS)?.iter().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    (is_hex && digits.get(DIGITS) == Some(&b'>')).then_some(kind.len() + DIGITS + 3)
}

/// The text with the digits of its pseudonyms left out, so that it is the same for every secret.
#[must_use]
pub fn without_digits(text: &str) -> Cow<'_, str> {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('<') {
        let (before, tail) = rest.split_at(at);
        out.push_str(before);
        let len = pseudonym_len(tail.as_bytes());
        let (kept, skipped) = len.map_or((1, 1), |len| (len - DIGITS - 2, len));
        out.push_str(tail.get(..kept).unwrap_or_default());
        if len.is_some() {
            out.push('>');
        }
        rest = tail.get(skipped..).unwrap_or_default();
    }
    if out.is_empty() {
        return Cow::Borrowed(text);
    }
    out.push_str(rest);
    Cow::Owned(out)
}

#[cfg(test)]
mod tests;
