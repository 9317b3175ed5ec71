//! The official client gets from the mock what we get: the same bytes.

use std::fmt::Write as _;
use std::process::Command;

use logmill_fetch::{Form, Log, Schedule, Target};
use serde_json::Value;

use crate::support::*;

/// What the client is asked to print: two logs, the schedule's log, and the ids of the actor's runs.
const SCRIPT: &str = r#"
import json, sys
from apify_client import ApifyClient
url, token, run, schedule = sys.argv[1:]
client = ApifyClient(token=token, api_url=url)
items = client.actor("janedoe/shop").runs().list(desc=True).items
print(json.dumps({
    "plain": client.log(run).get_as_bytes(raw=False).hex(),
    "raw": client.log(run).get_as_bytes(raw=True).hex(),
    "missing": client.log("n0Such").get(),
    "schedule": client.schedule(schedule).get_log(),
    "runs": [it["id"] if isinstance(it, dict) else it.id for it in items],
}, default=lambda it: it.model_dump(mode="json", by_alias=True)))
"#;

/// A Python with the client, or nothing.
fn python() -> Option<String> {
    let candidates = [std::env::var("LOGMILL_PYTHON").unwrap_or_default(), "python3".to_owned()];
    candidates.into_iter().filter(|it| !it.is_empty()).find(|python| {
        let found = Command::new(python).args(["-c", "import apify_client"]).output();
        found.is_ok_and(|output| output.status.success())
    })
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[test]
#[expect(clippy::disallowed_macros, reason = "a skipped test says so")]
fn the_official_client_reads_the_same_bytes() {
    let Some(python) = python() else {
        eprintln!(
            "skipped: no Python with apify-client (pip install apify-client; LOGMILL_PYTHON names a Python)"
        );
        return;
    };
    let (scene, _) = Scene::in_world(world());
    let output = Command::new(python)
        .args(["-c", SCRIPT, &scene.server.url(), TOKEN, RUN, SCHEDULE])
        .output()
        .expect("Python runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let theirs: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    scene.well(&[log(RUN), Target::Schedule(Schedule { id: SCHEDULE.parse().expect("an id") })]);
    assert_eq!(theirs["plain"], hex(&scene.read(&format!("apify/_/{RUN}.log"))));
    scene.well(&[Target::Log(Log { form: Form::Raw, ..plain(RUN) })]);
    assert_eq!(theirs["raw"], hex(&scene.read(&format!("apify/_/{RUN}.log"))));
    assert_eq!(theirs["missing"], Value::Null);
    assert_eq!(theirs["runs"], serde_json::json!([RUN]));
    let ours: Value =
        serde_json::from_slice(&scene.read(&format!("apify-schedules/{SCHEDULE}.json"))).expect("JSON");
    // The client parses instants; the message and the number of entries are what can be compared.
    let theirs = theirs["schedule"].as_array().expect("a list");
    assert_eq!(theirs.len(), ours["data"].as_array().expect("a list").len());
    assert_eq!(theirs[0]["message"], ours["data"][0]["message"]);
}

/// What curl gets with a documented request, or nothing where there is no curl.
#[expect(clippy::disallowed_macros, reason = "a skipped test says so")]
fn curl(url: &str, headers: &[&str]) -> Option<Vec<u8>> {
    let mut command = Command::new("curl");
    command.args([
        "--silent",
        "--fail",
        "--noproxy",
        "*",
        url,
        "-H",
        &format!("Authorization: Bearer {TOKEN}"),
    ]);
    for header in headers {
        command.args(["-H", header]);
    }
    let Ok(output) = command.output() else {
        eprintln!("skipped: no curl");
        return None;
    };
    assert!(output.status.success(), "{output:?}");
    Some(output.stdout)
}

/// There is no client for these endpoints; their documentation shows how to ask with curl.
#[test]
fn curl_reads_the_same_bytes() {
    let (scene, _) = Scene::in_world(world());
    let base = scene.server.url();
    let url = format!("{base}/client/v4/accounts/{ACCOUNT}/builds/builds/{BUILD}/logs");
    let Some(first) = curl(&url, &[]) else { return };
    let second = curl(&format!("{url}?cursor=WzAs2%2B%2F%3D%3D"), &[]);
    let url = format!("{base}/workflows/{WORKFLOW}/logs?page=0&limit=3&order=desc");
    let page = curl(&url, &["x-api-version: 2025-09"]);
    scene.well(&[Target::Build(build())]);
    scene.well(&[Target::Executions(executions(3))]);
    assert_eq!(scene.read(&format!("cloudflare/shop/{BUILD}/page-0001.json")), first);
    assert_eq!(Some(scene.read(&format!("cloudflare/shop/{BUILD}/page-0002.json"))), second);
    assert_eq!(Some(scene.read(&format!("alloy/{WORKFLOW}/page-0000.json"))), page);
}
