//! What an error answer says, in the form each platform gives it.

use serde_json::Value;

/// Most of an error answer that is read.
pub(crate) const MAX_BYTES: u64 = 64 << 10;

/// Most of a message that is shown.
const MAX_CHARS: usize = 500;

/// The platform's own words.
///
/// ```text
/// answer = {"error": {"type": t, "message": m}}      Apify
///        | {"errors": [{"code": c, "message": m}]}   Cloudflare
///        | {"message": m} | {"error": m}             Alloy
/// ```
pub(crate) fn said(body: &[u8]) -> Option<String> {
    let body = body.trim_ascii();
    if body.first() == Some(&b'<') {
        return Some("with an HTML page".to_owned());
    }
    let value: Value = serde_json::from_slice(body).ok()?;
    let text = apify(&value).or_else(|| cloudflare(&value)).or_else(|| alloy(&value))?;
    Some(text.chars().take(MAX_CHARS).collect())
}

fn apify(value: &Value) -> Option<String> {
    let error = value.get("error")?;
    let message = error.get("message")?.as_str()?;
    Some(
        error
            .get("type")
            .and_then(Value::as_str)
            .map_or_else(|| message.to_owned(), |kind| format!("{kind}: {message}")),
    )
}

/// What `errors` of Cloudflare's envelope says.
pub(crate) fn cloudflare(value: &Value) -> Option<String> {
    let errors = value.get("errors")?.as_array()?;
    let one = |error: &Value| {
        let message = error.get("message").and_then(Value::as_str).unwrap_or("no message");
        error.get("code").map_or_else(|| message.to_owned(), |code| format!("{code}: {message}"))
    };
    let all: Vec<String> = errors.iter().map(one).collect();
    (!all.is_empty()).then(|| all.join("; "))
}

fn alloy(value: &Value) -> Option<String> {
    let text = value.get("message").or_else(|| value.get("error"))?;
    Some(text.as_str().map_or_else(|| text.to_string(), str::to_owned))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(body: &str, expect: Option<&str>) {
        assert_eq!(said(body.as_bytes()).as_deref(), expect, "{body}");
    }

    #[test]
    fn words_of_each_platform() {
        check(
            r#"{"error":{"type":"record-not-found","message":"Run was not found"}}"#,
            Some("record-not-found: Run was not found"),
        );
        check(
            r#"{"success":false,"errors":[{"code":12000,"message":"Not found"}],"result":null}"#,
            Some("12000: Not found"),
        );
        check(r#"{"message":"Unauthorized"}"#, Some("Unauthorized"));
        check("<!DOCTYPE html><html></html>", Some("with an HTML page"));
        check("plain", None);
        check("", None);
    }
}
