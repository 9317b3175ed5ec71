//! What secrets look like, and what they are called: the lists behind the rules of `scan.rs`.

/// What follows a prefix in a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tail {
    /// At least so many letters, digits, `_` and `-`.
    Word(usize),
    /// The same, and dots.
    Dotted(usize),
    /// Exactly so many capitals and digits.
    Capitals(usize),
}

/// Prefixes of tokens, as their makers document them for scanners of secrets.
pub(super) const PREFIXES: &[(&[u8], Tail)] = &[
    (b"apify_api_", Tail::Word(10)),
    (b"apify_proxy_", Tail::Word(10)),
    (b"apify_ui_", Tail::Word(10)),
    (b"github_pat_", Tail::Word(20)),
    (b"ghp_", Tail::Word(20)),
    (b"gho_", Tail::Word(20)),
    (b"ghu_", Tail::Word(20)),
    (b"ghs_", Tail::Word(20)),
    (b"ghr_", Tail::Word(20)),
    (b"glpat-", Tail::Word(16)),
    (b"cfut_", Tail::Word(20)),
    (b"cfat_", Tail::Word(20)),
    (b"cfk_", Tail::Word(20)),
    (b"v1.0-", Tail::Word(100)),
    (b"xoxa-", Tail::Word(10)),
    (b"xoxb-", Tail::Word(10)),
    (b"xoxc-", Tail::Word(10)),
    (b"xoxd-", Tail::Word(10)),
    (b"xoxe-", Tail::Word(10)),
    (b"xoxe.xox", Tail::Word(10)),
    (b"xoxp-", Tail::Word(10)),
    (b"xoxr-", Tail::Word(10)),
    (b"xoxs-", Tail::Word(10)),
    (b"xapp-", Tail::Word(10)),
    (b"sk-", Tail::Word(20)),
    (b"sk_live_", Tail::Word(10)),
    (b"sk_test_", Tail::Word(10)),
    (b"rk_live_", Tail::Word(10)),
    (b"rk_test_", Tail::Word(10)),
    (b"whsec_", Tail::Word(16)),
    (b"npm_", Tail::Word(30)),
    (b"pypi-", Tail::Word(40)),
    (b"hf_", Tail::Word(30)),
    (b"dop_v1_", Tail::Word(30)),
    (b"shpat_", Tail::Word(20)),
    (b"dckr_pat_", Tail::Word(16)),
    (b"lin_api_", Tail::Word(20)),
    (b"AIza", Tail::Word(30)),
    (b"GOCSPX-", Tail::Word(16)),
    (b"ya29.", Tail::Dotted(20)),
    (b"SG.", Tail::Dotted(30)),
    (b"AKIA", Tail::Capitals(16)),
    (b"ASIA", Tail::Capitals(16)),
    (b"AROA", Tail::Capitals(16)),
    (b"AIDA", Tail::Capitals(16)),
    (b"AGPA", Tail::Capitals(16)),
];

/// What a name says about its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Name {
    /// Any value is secret.
    Password,
    /// A value that looks like one is secret.
    Token,
    /// Secret where the value is quoted: `tokens` are counted as well.
    Plural,
    /// A scheme and credentials.
    Authorization,
    /// Everything up to the end of the line.
    Cookie,
}

/// Ends of names in small letters, without `_`, `-` and the like.
const NAMES: &[(&[u8], Name)] = &[
    (b"password", Name::Password),
    (b"passwd", Name::Password),
    (b"passphrase", Name::Password),
    (b"passcode", Name::Password),
    (b"pwd", Name::Password),
    (b"secret", Name::Password),
    (b"secretkey", Name::Password),
    (b"accesskey", Name::Password),
    (b"accountkey", Name::Password),
    (b"privatekey", Name::Password),
    (b"signingkey", Name::Password),
    (b"encryptionkey", Name::Password),
    (b"token", Name::Token),
    (b"apikey", Name::Token),
    (b"apitoken", Name::Token),
    (b"authkey", Name::Token),
    (b"servicekey", Name::Token),
    (b"auth", Name::Token),
    (b"jwt", Name::Token),
    (b"credential", Name::Token),
    (b"credentials", Name::Token),
    (b"signature", Name::Token),
    (b"hmac", Name::Token),
    (b"passwords", Name::Plural),
    (b"secrets", Name::Plural),
    (b"tokens", Name::Plural),
    (b"apikeys", Name::Plural),
    (b"authorization", Name::Authorization),
    (b"cookie", Name::Cookie),
    (b"cookies", Name::Cookie),
];

/// Names that are too short to be looked for at the end of others.
const WHOLE_NAMES: &[(&[u8], Name)] = &[(b"sig", Name::Token), (b"pass", Name::Password)];

/// What the name says; letter case and separators do not matter.
pub(super) fn classify(name: &[u8]) -> Option<Name> {
    if !name.last()?.is_ascii_alphanumeric() {
        return None;
    }
    let plain: Vec<u8> =
        name.iter().filter(|byte| byte.is_ascii_alphanumeric()).map(u8::to_ascii_lowercase).collect();
    let whole = WHOLE_NAMES.iter().find(|(known, _)| plain == *known);
    let end = || NAMES.iter().find(|(end, _)| plain.ends_with(end));
    whole.or_else(end).map(|(_, name)| *name)
}

/// Values that are none.
const LITERALS: [&str; 17] = [
    "null",
    "undefined",
    "none",
    "nil",
    "true",
    "false",
    "n/a",
    "yes",
    "no",
    "redacted",
    "hidden",
    "masked",
    "string",
    "object",
    "function",
    "required",
    "optional",
];

/// Words that follow `password:` in sentences.
const PROSE: [&str; 26] = [
    "invalid",
    "missing",
    "incorrect",
    "wrong",
    "is",
    "was",
    "not",
    "must",
    "cannot",
    "the",
    "a",
    "an",
    "user",
    "expected",
    "please",
    "should",
    "has",
    "for",
    "and",
    "too",
    "may",
    "does",
    "expired",
    "empty",
    "found",
    "set",
];

fn is_word(value: &[u8], words: &[&str]) -> bool {
    words.iter().any(|word| value.eq_ignore_ascii_case(word.as_bytes()))
}

/// Whether the value stands for no value, or for one that is elsewhere.
pub(super) fn is_placeholder(value: &[u8]) -> bool {
    let bare = value.iter().all(|byte| matches!(byte, b'*' | b'.' | b'x' | b'X' | b'-' | b'_' | b'?' | b'#'));
    bare || is_word(value, &LITERALS)
        || value.starts_with(b"${")
        || value.starts_with(b"{{")
        || value.starts_with(b"[REDACTED")
        || value.starts_with(b"[redacted")
        || value.starts_with(b"process.env")
        || value.starts_with(b"os.environ")
}

/// Whether the value behind a colon is the next word of a sentence.
pub(super) fn is_prose(value: &[u8]) -> bool {
    is_word(value, &PROSE)
}

/// Whether the value is no word of any language.
pub(super) fn looks_random(value: &[u8]) -> bool {
    let has = |class: fn(&u8) -> bool| value.iter().any(class);
    let mixed = has(u8::is_ascii_uppercase) && has(u8::is_ascii_lowercase);
    value.len() >= 6 && has(u8::is_ascii_digit) || value.len() >= 20 && mixed
}

/// Whether a word of 40 characters is a token rather than a hash or a name.
pub(super) fn is_mixed(word: &[u8]) -> bool {
    let n = |class: fn(&u8) -> bool| word.iter().copied().filter(class).count();
    n(u8::is_ascii_uppercase) >= 4 && n(u8::is_ascii_lowercase) >= 4 && n(u8::is_ascii_digit) >= 2
}
