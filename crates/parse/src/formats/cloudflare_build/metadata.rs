//! What lies beside a log: build records, and error answers saved by mistake.

use std::borrow::Cow;

use memchr::memmem;
use serde_json::Value;

use super::pages;
use crate::format::Metadata;
use crate::json::member;
use crate::vocabulary::{Kind, Status};

/// What a build record says, in its envelope or bare.
///
/// ```text
/// metadata = {"result": record | "[" 1*record "]"} | record
/// ```
///
/// A list of one build describes that build. One of several describes no single log: it is recognised
/// and says nothing.
pub(super) fn build_record(document: &[u8]) -> Option<Metadata> {
    memmem::find(document, b"build_uuid")?;
    let value: Value = serde_json::from_slice(document).ok()?;
    let content = value.get("result").unwrap_or(&value);
    match content.as_array().map(Vec::as_slice) {
        None => of_record(content),
        Some([record]) => of_record(record),
        Some(records) => {
            let are_records = !records.is_empty() && records.iter().all(|it| of_record(it).is_some());
            are_records.then(Metadata::default)
        }
    }
}

fn of_record(record: &Value) -> Option<Metadata> {
    let text = |key| text(record, key);
    let run_id = text("build_uuid")?;
    ["status", "build_outcome", "created_on"].iter().find(|&&key| record.get(key).is_some())?;
    let instant = |key| record.get(key).and_then(pages::instant);
    let (status, status_reason) = status(text("status").as_deref(), text("build_outcome").as_deref());
    let trigger = record.get("build_trigger_metadata");
    let of_trigger = |key| trigger.and_then(|trigger| self::text(trigger, key));
    Some(Metadata {
        run_id: Some(run_id),
        group: worker(record),
        kind: Some(Kind::Build),
        status,
        status_reason: status_reason.map(Cow::Owned),
        created_at: instant("created_on"),
        started_at: instant("initializing_on").or_else(|| instant("running_on")),
        stopped_at: instant("stopped_on"),
        build_id: None,
        branch: of_trigger("branch"),
        commit: of_trigger("commit_hash"),
    })
}

/// The name of the worker, under the keys clients give it.
fn worker(record: &Value) -> Option<String> {
    let objects = [Some(record), record.get("trigger"), record.get("build_trigger_metadata")];
    objects.into_iter().flatten().find_map(|object| {
        ["script_name", "worker_name", "external_script_name"].iter().find_map(|key| text(object, key))
    })
}

/// Text of a field that is neither missing, null nor empty.
fn text(object: &Value, key: &str) -> Option<String> {
    let text = object.get(key)?.as_str()?.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

/// The verdict is `build_outcome`; without one, `status` says whether there will be any.
fn status(status: Option<&str>, outcome: Option<&str>) -> (Option<Status>, Option<String>) {
    let word = outcome.or(status).map(str::to_ascii_lowercase);
    let verdict = match word.as_deref() {
        Some("success") => Some(Status::Succeeded),
        Some("fail" | "failed" | "failure" | "terminated") => Some(Status::Failed),
        Some("cancelled" | "canceled") => Some(Status::Aborted),
        Some("skipped") => Some(Status::Skipped),
        Some("queued" | "initializing" | "running") => Some(Status::Running),
        _ => None,
    };
    (verdict, word.filter(|_| verdict.is_some()))
}

/// What an answer with `success: false` says.
pub(super) fn error_text(document: &[u8]) -> Option<String> {
    memmem::find(document, b"\"success\"")?;
    // Nearly all answers are no errors, and most of those that are read here hold a log.
    member(document, b"success").filter(|at| document.get(*at) == Some(&b'f'))?;
    let value: Value = serde_json::from_slice(document).ok()?;
    let errors = value.get("errors")?.as_array()?;
    if value.get("success")?.as_bool()? {
        return None;
    }
    let said: Vec<String> = errors.iter().map(error).collect();
    Some(if said.is_empty() {
        "the request was refused without a reason".to_owned()
    } else {
        said.join("; ")
    })
}

/// `12000 Not found`.
fn error(error: &Value) -> String {
    let code = error.get("code").map(ToString::to_string).unwrap_or_default();
    let message = error.get("message").and_then(Value::as_str).unwrap_or_default();
    format!("{code} {message}").trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_status(record: &str, expect: Option<Status>) {
        let json = format!(r#"{{"build_uuid":"b","created_on":null,{record}}}"#);
        assert_eq!(build_record(json.as_bytes()).map(|m| m.status), Some(expect), "{record}");
    }

    #[test]
    fn verdicts() {
        check_status(r#""status":"queued""#, Some(Status::Running));
        check_status(r#""status":"running","build_outcome":null"#, Some(Status::Running));
        check_status(r#""status":"running","build_outcome":"""#, Some(Status::Running));
        check_status(r#""status":"stopped","build_outcome":"success""#, Some(Status::Succeeded));
        check_status(r#""status":"STOPPED","build_outcome":" Success ""#, Some(Status::Succeeded));
        check_status(r#""status":"stopped","build_outcome":"fail""#, Some(Status::Failed));
        check_status(r#""status":"stopped","build_outcome":"terminated""#, Some(Status::Failed));
        check_status(r#""status":"stopped","build_outcome":"cancelled""#, Some(Status::Aborted));
        check_status(r#""status":"stopped","build_outcome":"skipped""#, Some(Status::Skipped));
        check_status(r#""status":"stopped""#, None);
    }

    #[test]
    fn a_record_in_its_envelope() {
        let json = br#"{"success":true,"errors":[],"result":{"build_uuid":"b1","status":"stopped",
            "build_outcome":"fail","created_on":"2026-09-29T10:00:00Z","initializing_on":"2026-09-29T10:00:05Z",
            "running_on":"2026-09-29T10:00:10Z","stopped_on":"2026-09-29T10:02:10Z",
            "trigger":{"script_name":"shop"},"build_trigger_metadata":{"branch":"main","commit_hash":"abc"}}}"#;
        let found = build_record(json).expect("a build record");
        // 2026-09-29T10:00:00Z is 1_790_676_000 (date -u -d).
        assert_eq!(found.created_at, Some(1_790_676_000_000_000));
        assert_eq!(found.started_at, Some(1_790_676_005_000_000));
        assert_eq!(found.stopped_at, Some(1_790_676_130_000_000));
        assert_eq!(found.group.as_deref(), Some("shop"));
        assert_eq!((found.branch.as_deref(), found.commit.as_deref()), (Some("main"), Some("abc")));
        assert_eq!(found.status_reason.as_deref(), Some("fail"));
    }

    #[test]
    fn lists_of_records() {
        let one = br#"{"success":true,"result":[{"build_uuid":"b1","status":"stopped"}]}"#;
        assert_eq!(build_record(one).and_then(|found| found.run_id).as_deref(), Some("b1"));
        let two =
            br#"{"result":[{"build_uuid":"b1","status":"stopped"},{"build_uuid":"b2","status":"queued"}]}"#;
        assert_eq!(build_record(two), Some(Metadata::default()));
    }

    #[test]
    fn other_answers_are_no_record() {
        assert_eq!(
            build_record(br#"{"result":[{"build_uuid":"b1","status":"stopped"},{"worker":"x"}]}"#),
            None
        );
        assert_eq!(build_record(br#"{"result":[],"build_uuid":1}"#), None);
        assert_eq!(build_record(br#"{"result":{"trigger_uuid":"t","created_on":null}}"#), None);
        assert_eq!(build_record(b"build_uuid"), None);
    }

    #[test]
    fn error_answers() {
        let json = br#"{"errors":[{"code":12000,"message":"Not found"}],"messages":[],"result":null,"success":false}"#;
        assert_eq!(error_text(json).as_deref(), Some("12000 Not found"));
        let lies =
            br#"{"errors":[{"code":12000,"message":"Not found"}],"result":{"lines":[]},"success":true}"#;
        assert_eq!(error_text(lies), None);
    }
}
