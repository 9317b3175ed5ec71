//! Tokens, and how they are kept from being seen.
//!
//! A [`Secret`] has no way to be printed: its `Debug` is a constant, it has no `Display`, and only the
//! transport may look inside. What servers say is searched for secrets before anybody sees it.

use std::fmt;

/// What stands where a secret was.
const REDACTED: &str = "[redacted]";

/// Shorter than any platform's token: with fewer characters a search would hide ordinary words.
const MIN_SCRUBBED_CHARS: usize = 6;

/// The longest token taken; the known ones have less than 100 characters.
const MAX_CHARS: usize = 4096;

/// A token or key.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

/// Why a text cannot be a secret. Does not hold the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SecretError {
    /// Nothing, or only blanks.
    #[error("expected a token, found nothing")]
    Empty,
    /// Characters that cannot stand in a header, or blanks.
    #[error("expected a token of visible ASCII characters, found others in it")]
    Characters,
    /// Longer than any token.
    #[error("expected a token, found more than {MAX_CHARS} characters")]
    TooLong,
}

impl Secret {
    /// Takes a token; blanks and line ends around it are cut off.
    ///
    /// # Errors
    ///
    /// If the text cannot stand in a header.
    pub fn new(text: &str) -> Result<Self, SecretError> {
        let text = text.trim();
        if text.is_empty() {
            return Err(SecretError::Empty);
        }
        if text.len() > MAX_CHARS {
            return Err(SecretError::TooLong);
        }
        if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(SecretError::Characters);
        }
        Ok(Self(text.to_owned()))
    }

    /// The token itself, for a header and for nothing else.
    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(REDACTED)
    }
}

/// How a request says who asks.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Credentials {
    /// It does not.
    #[default]
    None,
    /// `Authorization: Bearer …`
    Bearer(Secret),
    /// Cloudflare's `X-Auth-Email` and `X-Auth-Key`.
    EmailAndKey {
        /// The account's e-mail address.
        email: Secret,
        /// Its global key.
        key: Secret,
    },
}

impl Credentials {
    /// The headers, secrets included.
    pub(crate) fn headers(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::None => Vec::new(),
            Self::Bearer(token) => vec![("authorization", format!("Bearer {}", token.reveal()))],
            Self::EmailAndKey { email, key } => {
                vec![("x-auth-email", email.reveal().to_owned()), ("x-auth-key", key.reveal().to_owned())]
            }
        }
    }

    /// The headers as they may be shown.
    #[must_use]
    pub fn shown(&self) -> Vec<String> {
        match self {
            Self::None => Vec::new(),
            Self::Bearer(_) => vec![format!("authorization: Bearer {REDACTED}")],
            Self::EmailAndKey { .. } => {
                vec![format!("x-auth-email: {REDACTED}"), format!("x-auth-key: {REDACTED}")]
            }
        }
    }

    /// `text` without the secrets, should a server have repeated them.
    #[must_use]
    pub(crate) fn scrub(&self, text: &str) -> String {
        let secrets: Vec<&Secret> = match self {
            Self::None => Vec::new(),
            Self::Bearer(token) => vec![token],
            Self::EmailAndKey { email, key } => vec![email, key],
        };
        let long = secrets.into_iter().map(Secret::reveal).filter(|it| it.len() >= MIN_SCRUBBED_CHARS);
        long.fold(text.to_owned(), |text, secret| text.replace(secret, REDACTED))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_prints_a_secret() {
        let secret = Secret::new(" s3cret-token-1\n").expect("a token");
        let pair = Credentials::EmailAndKey { email: secret.clone(), key: secret.clone() };
        for shown in
            [format!("{secret:?}"), format!("{pair:?}"), format!("{pair:#?}"), pair.shown().join("\n")]
        {
            assert!(!shown.contains("s3cret"), "{shown}");
        }
        assert_eq!(Credentials::Bearer(secret).scrub("bad token s3cret-token-1!"), "bad token [redacted]!");
    }

    #[test]
    fn what_cannot_be_a_secret() {
        assert_eq!(Secret::new(" \n"), Err(SecretError::Empty));
        assert_eq!(Secret::new("a\nb"), Err(SecretError::Characters));
        assert_eq!(Secret::new("naïve"), Err(SecretError::Characters));
        assert_eq!(Secret::new(&"x".repeat(MAX_CHARS + 1)), Err(SecretError::TooLong));
    }
}
