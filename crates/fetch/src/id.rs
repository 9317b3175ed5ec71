//! Ids that came from outside, checked before they become part of a URL or of a path.
//!
//! Every kind has its own type, so that no unchecked text and no id of another kind can get there. All
//! of them are made of letters, digits and a few marks that mean nothing in URLs and paths; `.` and
//! `..` are not among them, nor is anything that begins with a dot or a dash.

use std::fmt;
use std::str::FromStr;

/// An id that is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected {expected}, found `{found}`")]
pub struct IdError {
    expected: &'static str,
    found: String,
}

/// Most that is shown of a wrong id.
const MAX_SHOWN_CHARS: usize = 60;

/// Declares a kind of id: what it is, what is expected, and the test it must pass.
macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident, $expected:literal, $test:expr;)+) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
        pub struct $name(String);

        impl $name {
            /// The id.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                let test: fn(&str) -> bool = $test;
                if test(text) {
                    return Ok(Self(text.to_owned()));
                }
                let found = text.chars().take(MAX_SHOWN_CHARS).flat_map(char::escape_debug).collect();
                Err(IdError { expected: $expected, found })
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    )+};
}

ids! {
    /// Id of an Apify run or build.
    LogId, "the id of a run or build (letters and digits)", |text| is_plain(text, "", 64);
    /// Id of an Apify schedule, or `user~name`.
    ScheduleId, "the id of a schedule, or user~name", |text| is_plain(text, "~-_.", 128);
    /// Id of an Apify actor or task, or `user~name`.
    ActorId, "the id of an actor or task, or user~name", |text| is_plain(text, "~-_.", 128);
    /// Id of a Cloudflare account.
    AccountId, "an account id (32 hexadecimal digits)", |text| is_hex(text, 32);
    /// Uuid of a Cloudflare build.
    BuildUuid, "the uuid of a build", is_uuid;
    /// Name of a Cloudflare worker.
    WorkerName, "the name of a worker", |text| is_plain(text, "-_", 255);
    /// Id of an Alloy workflow.
    WorkflowId, "the id of a workflow (letters, digits, - and _)", |text| is_plain(text, "-_", 128);
    /// Id of an Alloy user.
    UserId, "the id of a user (letters, digits, - and _)", |text| is_plain(text, "-_", 128);
    /// Tag of a Cloudflare worker, as the list of scripts gives it.
    Tag, "the tag of a worker (32 hexadecimal digits)", |text| is_hex(text, 32);
}

/// Letters, digits and `marks`, beginning with a letter or digit.
fn is_plain(text: &str, marks: &str, max_bytes: usize) -> bool {
    let is_allowed = |c: char| c.is_ascii_alphanumeric() || marks.contains(c);
    let starts_well =
        text.starts_with(|c: char| c.is_ascii_alphanumeric() || (c == '_' && marks.contains('_')));
    starts_well && text.len() <= max_bytes && text.chars().all(is_allowed)
}

fn is_hex(text: &str, len: usize) -> bool {
    text.len() == len && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// `8-4-4-4-12` hexadecimal digits.
fn is_uuid(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let lens = [8, 4, 4, 4, 12];
    parts.len() == lens.len() && parts.iter().zip(lens).all(|(part, len)| is_hex(part, len))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_that_are_taken() {
        assert!("aB3dE6gH9jK2mN5pQ".parse::<LogId>().is_ok());
        assert!("janedoe~my-actor".parse::<ActorId>().is_ok());
        assert!("_".parse::<WorkerName>().is_ok());
        assert!("4f6c1f2e-8a53-4b0e-9d53-2a1f0c9f7e11".parse::<BuildUuid>().is_ok());
        assert!("0123456789abcdef0123456789ABCDEF".parse::<AccountId>().is_ok());
    }

    #[test]
    fn ids_that_would_lead_elsewhere() {
        for text in [
            "",
            ".",
            "..",
            "../x",
            "a/b",
            "a\\b",
            "a%2fb",
            "a?b",
            "a#b",
            "a b",
            "a\nb",
            "-rf",
            ".ssh",
            "a\0b",
            "C:x",
            "é",
            "a&stream=1",
            "a@evil.example",
            "a:80",
        ] {
            assert!(text.parse::<LogId>().is_err(), "{text:?}");
            assert!(text.parse::<ActorId>().is_err(), "{text:?}");
            assert!(text.parse::<WorkflowId>().is_err(), "{text:?}");
            assert!(text.parse::<WorkerName>().is_err(), "{text:?}");
            assert!(text.parse::<BuildUuid>().is_err(), "{text:?}");
        }
        assert!("x".repeat(65).parse::<LogId>().is_err());
    }

    #[test]
    fn what_is_shown_of_a_wrong_id() {
        let error = "a\x1b[31m/".parse::<LogId>().expect_err("no id");
        assert_eq!(
            error.to_string(),
            "expected the id of a run or build (letters and digits), found `a\\u{1b}[31m/`"
        );
    }
}
