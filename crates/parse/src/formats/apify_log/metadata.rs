//! Documents beside a log: what Apify's API says about a run or build, and its error answers.

use std::borrow::Cow;

use memchr::memmem;
use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::encoding::bom_len;
use crate::format::Metadata;
use crate::json::member;
use crate::time::{Micros, rfc3339};
use crate::vocabulary::{Kind, Status};

/// Most of what is kept of an error's message.
const MAX_MESSAGE_CHARS: usize = 500;

/// How the API wraps its answers.
#[derive(Deserialize)]
struct Answer<'a> {
    #[serde(borrow)]
    data: Object<'a>,
}

/// A run or a build object.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Object<'a> {
    id: Cow<'a, str>,
    act_id: Cow<'a, str>,
    status: Cow<'a, str>,
    status_message: Option<Cow<'a, str>>,
    started_at: Option<Cow<'a, str>>,
    finished_at: Option<Cow<'a, str>>,
    build_id: Option<Cow<'a, str>>,
    build_number: Option<Cow<'a, str>>,
    exit_code: Option<i64>,
    default_dataset_id: Option<IgnoredAny>,
    container_url: Option<IgnoredAny>,
}

/// What a run or build object says.
pub(super) fn metadata(document: &[u8]) -> Option<Metadata> {
    let document = document.get(bom_len(document)..)?;
    memmem::find(document, b"\"actId\"")?;
    let answer = serde_json::from_slice(document).map(|Answer { data }| data);
    let object = answer.or_else(|_| serde_json::from_slice::<Object<'_>>(document)).ok()?;
    let (status, word) = status(&object.status)?;
    let is_run =
        object.build_id.is_some() || object.default_dataset_id.is_some() || object.container_url.is_some();
    let is_build = !is_run && object.build_number.is_some();
    let started_at = instant(object.started_at.as_deref());
    if started_at.is_none() && !is_run && !is_build || object.act_id.is_empty() {
        return None;
    }
    Some(Metadata {
        run_id: Some(object.id.into_owned()),
        group: None,
        kind: Some(if is_build { Kind::Build } else { Kind::Run }),
        status: Some(status),
        status_reason: Some(reason(word, object.exit_code, object.status_message.as_deref())),
        created_at: None,
        started_at,
        stopped_at: instant(object.finished_at.as_deref()),
        build_id: object.build_id.map(Cow::into_owned),
        branch: None,
        commit: None,
    })
}

/// The platform's word for a status, and ours.
fn status(word: &str) -> Option<(Status, &'static str)> {
    Some(match word {
        "READY" => (Status::Running, "READY"),
        "RUNNING" => (Status::Running, "RUNNING"),
        "SUCCEEDED" => (Status::Succeeded, "SUCCEEDED"),
        "FAILED" => (Status::Failed, "FAILED"),
        "TIMING-OUT" => (Status::TimedOut, "TIMING-OUT"),
        "TIMED-OUT" => (Status::TimedOut, "TIMED-OUT"),
        "ABORTING" => (Status::Aborted, "ABORTING"),
        "ABORTED" => (Status::Aborted, "ABORTED"),
        _ => return None,
    })
}

/// The platform's word, with exit code and message where they are not those of a success.
fn reason(word: &'static str, exit_code: Option<i64>, message: Option<&str>) -> Cow<'static, str> {
    let exit_code = exit_code.filter(|code| *code != 0);
    let message = message.map(str::trim).filter(|message| !message.is_empty() && word != "SUCCEEDED");
    match (exit_code, message) {
        (None, None) => Cow::Borrowed(word),
        (Some(code), None) => Cow::Owned(format!("{word}, exit code {code}")),
        (None, Some(message)) => Cow::Owned(format!("{word}: {message}")),
        (Some(code), Some(message)) => Cow::Owned(format!("{word}, exit code {code}: {message}")),
    }
}

fn instant(text: Option<&str>) -> Option<Micros> {
    text.and_then(rfc3339)
}

#[derive(Deserialize)]
struct ErrorBody<'a> {
    #[serde(borrow)]
    error: ErrorFields<'a>,
}

#[derive(Deserialize)]
struct ErrorFields<'a> {
    #[serde(rename = "type")]
    kind: Cow<'a, str>,
    message: Cow<'a, str>,
}

/// `{"error":{"type":…,"message":…}}`
pub(super) fn error_body(document: &[u8]) -> Option<String> {
    let document = document.get(bom_len(document)..)?;
    memmem::find(document, b"\"error\"")?;
    member(document, b"error").filter(|at| document.get(*at) == Some(&b'{'))?;
    let ErrorBody { error } = serde_json::from_slice(document).ok()?;
    let message: String = error.message.chars().take(MAX_MESSAGE_CHARS).collect();
    Some(format!("{}: {message}", error.kind))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs() {
        let run = r#"{"data":{"id":"R1","actId":"A1","status":"TIMED-OUT","startedAt":"1970-01-01T00:00:01.000Z",
            "finishedAt":"1970-01-01T00:00:03.500Z","buildId":"B1","exitCode":null,"stats":{"x":1}}}"#;
        let found = metadata(run.as_bytes()).expect("a run object");
        assert_eq!(
            (found.run_id.as_deref(), found.build_id.as_deref(), found.group),
            (Some("R1"), Some("B1"), None)
        );
        assert_eq!((found.status, found.kind), (Some(Status::TimedOut), Some(Kind::Run)));
        assert_eq!((found.started_at, found.stopped_at), (Some(1_000_000), Some(3_500_000)));
        assert_eq!(found.status_reason.as_deref(), Some("TIMED-OUT"));
    }

    #[test]
    fn builds_and_reasons() {
        let build = br#"{"id":"B1","actId":"A1","status":"FAILED","buildNumber":"0.0.1","exitCode":2,"startedAt":null}"#;
        let found = metadata(build).expect("a build object");
        assert_eq!(
            (found.kind, found.status_reason.as_deref()),
            (Some(Kind::Build), Some("FAILED, exit code 2"))
        );
        assert_eq!(reason("FAILED", Some(91), Some(" oops ")), "FAILED, exit code 91: oops");
        assert_eq!(reason("SUCCEEDED", Some(0), Some("done")), "SUCCEEDED");
    }

    #[test]
    fn other_documents() {
        for document in [
            r#"{"id":"R1","status":"SUCCEEDED"}"#,
            r#"{"data":[{"message":"Schedule invoked","level":"INFO","createdAt":"x"}]}"#,
            r#"{"id":"R1","actId":"A1","status":"success","buildId":"B1"}"#,
            "[]",
            "2025-01-01T00:00:00.000Z x",
        ] {
            assert_eq!(metadata(document.as_bytes()), None, "{document}");
        }
    }

    #[test]
    fn error_bodies() {
        let body = br#"{"error":{"type":"record-not-found","message":"Log was not found"}}"#;
        assert_eq!(error_body(body).as_deref(), Some("record-not-found: Log was not found"));
        assert_eq!(error_body(br#"{"error":"x"}"#), None);
        assert_eq!(error_body(b"x"), None);
    }
}
