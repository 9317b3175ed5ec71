//! `--redact`: none of the secrets in a dump full of them stands in any output, in any spelling.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use serde_json::{Value, json};

use crate::support::{DEMO, Folder, Said, finish, logmill, run, well};

/// Secrets of every kind; made up.
const SECRETS: [&str; 16] = [
    "apify_api_Zk3mQ8rT1vW6xY0bC5dE9fG2hJ4kL7nP1q",
    "ghp_Rt5Yu8Io1Pa4Sd7Fg0Hj3Kl6Zx9Cv2Bn5Mq8",
    "github_pat_11QWERTY0aSdFgHjKlZxCv_BnMqWeRtYuIoPaSdFgHjKlZxCvBnMqWeRtYu",
    "AKIAQ7W3E5R9T1Y2U4I6",
    "xoxb-731059284716-kQpWzRtYuIoAsDfG",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJzZW50aW5lbCJ9.Qm9ndXNTaWduYXR1cmVPZlNlbnRpbmVs",
    "correct-horse-battery",
    "Tr0ub4dor&3x",
    "sentinel.person@mail.example.org",
    "0f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c",
    "c2VudGluZWw6aHVzaGh1c2g0Mg==",
    "hushhush42",
    "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQDsentinelKEY01",
    "vQ7xW2cR9tY4bN6mK1jH8gF3dS5aP0oL2iU7yT4e",
    "s3ss10nc00k1eV4lue",
    "per cent slash/and@at",
];

/// Secrets with the spellings in which they would still be there.
static SPELLINGS: LazyLock<Vec<(&str, String)>> = LazyLock::new(|| {
    SECRETS.iter().flat_map(|secret| spellings(secret).map(move |text| (*secret, text))).collect()
});

fn spellings(secret: &str) -> impl Iterator<Item = String> {
    let json = serde_json::to_string(secret).expect("a string");
    let percent = secret.bytes().map(|byte| {
        if byte.is_ascii_alphanumeric() { char::from(byte).to_string() } else { format!("%{byte:02X}") }
    });
    let (first, second) = secret.split_at(secret.len() / 2);
    let texts = [
        secret.to_owned(),
        json.trim_matches('"').to_owned(),
        secret.replace('/', "\\/"),
        percent.collect(),
        first.to_owned(),
        second.to_owned(),
    ];
    texts
        .into_iter()
        .chain((0..3).map(|lead| base64_middle(secret.as_bytes(), lead)))
        .filter(|text| text.len() >= 5)
}

/// The part of a text's base64 that does not depend on what stands around it, `lead` bytes into a group of three.
fn base64_middle(text: &[u8], lead: usize) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let whole = text.get((3 - lead) % 3..).unwrap_or_default();
    let digit = |bits: u32| char::from(DIGITS[(bits & 63) as usize]);
    whole
        .chunks_exact(3)
        .flat_map(|three| {
            let bits = three.iter().fold(0, |bits, byte| bits << 8 | u32::from(*byte));
            [digit(bits >> 18), digit(bits >> 12), digit(bits >> 6), digit(bits)]
        })
        .collect()
}

#[track_caller]
fn tells_nothing(what: &str, bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    for (secret, spelling) in SPELLINGS.iter() {
        if let Some(at) = text.find(spelling) {
            let before: Vec<char> = text[..at].chars().rev().take(80).collect();
            let context: String = before.into_iter().rev().chain(text[at..].chars().take(80)).collect();
            panic!("{what}: {secret} in …{}…", context.escape_debug());
        }
    }
}

#[track_caller]
fn said_nothing(args: &[&str], said: &Said) {
    tells_nothing(&format!("standard output of {args:?}"), said.out.as_bytes());
    tells_nothing(&format!("standard error of {args:?}"), said.err.as_bytes());
}

/// A dump with secrets wherever there can be any.
fn dump() -> Folder {
    let folder = Folder::new();
    let [apify, ghp, pat, aws, slack, jwt, horse, troubador, mail, key, basic, hush, pem, bare, cookie, odd] =
        SECRETS;
    let odd_in_url = "per%20cent%20slash%2Fand%40at";
    let lines = [
        "ACTOR: Pulling Docker image of build bU1ldAbCdEfGh2345 from registry.".to_owned(),
        "ACTOR: Creating Docker container.".to_owned(),
        "ACTOR: Starting Docker container.".to_owned(),
        format!("INFO  token is {apify}, keep it"),
        format!("INFO  git clone https://x-access-token:{ghp}@github.com/a/b.git"),
        format!("WARN  pat {pat} and {aws} and {slack}"),
        format!("ERROR Login failed for {mail} with password={troubador} (session {jwt})"),
        format!(
            "ERROR Request failed {{\"headers\":{{\"Authorization\":\"Bearer {jwt}\",\"X-Auth-Key\":\"{key}\",\"Cookie\":\"sid={cookie}; a=b\"}},\"url\":\"https:\\/\\/bob:{hush}@example.com\\/x\"}}"
        ),
        format!(
            "ERROR nested {{\"body\":\"{{\\\"password\\\":\\\"{horse}\\\",\\\"mail\\\":\\\"sentinel.person\\u0040mail.example.org\\\"}}\"}}"
        ),
        format!("ERROR Authorization: Basic {basic}"),
        format!(
            "WARN  PuppeteerCrawler: Reclaiming failed request back to the list or queue. Navigation to https://bob:{hush}@example.com/?token={apify} failed {{\"id\":\"reqA\",\"url\":\"https://example.com/?api_key={hush}&sig={key}\",\"retryCount\":1}}"
        ),
        format!(
            "ERROR PuppeteerCrawler: Request failed and reached maximum retries. Error: got {bare} for {mail} {{\"id\":\"reqA\",\"url\":\"https://example.com/?api_key={hush}&sig={key}\",\"retryCount\":3}}"
        ),
        format!("ERROR {}password={troubador}", "long words ".repeat(27)),
        format!("ERROR -----BEGIN PRIVATE KEY-----\n{pem}\nAbCdsentinelKEY02==\n-----END PRIVATE KEY-----"),
        format!("INFO  {pem}"),
        format!(
            "INFO  next=https%3A%2F%2Fexample.com%2F%3Fpassword%3D{odd_in_url}%26x%3D1 \"secret\":\"{odd}\""
        ),
        format!("INFO  Status message: uploaded for {mail}"),
        format!("ERROR Uncaught error: cannot reach https://bob:{hush}@example.com for {mail}"),
    ];
    let stamped = |(n, line): (usize, &String)| format!("2026-03-01T10:00:{n:02}.000Z {line}\n");
    let mut log = lines.iter().enumerate().map(stamped).collect::<Vec<_>>().concat().into_bytes();
    log.extend_from_slice(b"2026-03-01T10:01:00.000Z ERROR token=hush");
    log.extend_from_slice(b"\xff\xfehush42 password=");
    log.extend_from_slice(horse.as_bytes());
    log.extend_from_slice(
        format!("\n2026-03-01T10:01:01.000Z INFO  \u{1b}[31mpassword={troubador}\u{1b}[0m\n").as_bytes(),
    );
    folder.write(&format!("dumps/{mail}/token={apify}/aB3dE6gH9jK2mN5pQ.log"), log);
    let secrets = format!("{mail} token={apify} password={troubador}");
    let page = json!({"data": [{
        "executionId": format!("exec-{apify}"), "startedAt": "2026-03-01T10:00:00Z", "stoppedAt": "2026-03-01T10:00:05Z",
        "status": "failed", "error": {"message": secrets},
        "results": [
            {"blockId": "1", "connectorId": format!("c {mail}"), "action": format!("POST https://a:{hush}@b.example"),
             "startedAt": "2026-03-01T10:00:00Z", "stoppedAt": "2026-03-01T10:00:05Z",
             "error": {"message": secrets}, "data": {"token": apify, "password": 12_345_678, "mails": [mail]}},
            {"blockId": true, "token": apify},
        ],
    }]});
    folder.write(&format!("dumps/{mail}/6ea3a38278ee86e89ce41f7e/page-0000.json"), page.to_string());
    let build = json!({"success": true, "result": {"lines": [
        [1_767_000_000_000_i64, format!("Cloning https://{ghp}:x-oauth-basic@github.com/a/b")],
        [1_767_000_001_000_i64, format!("CLOUDFLARE_API_TOKEN={bare} wrangler deploy --api-key {hush}")],
        [1_767_000_002_000_i64, format!("Error: {secrets} Basic {basic}")],
        ["bad", format!("token={apify}")],
    ]}});
    folder.write("dumps/worker/7d2e4d4c-8e24-4bfa-a4de-0c1a2b3c4d5e/page-0001.json", build.to_string());
    let schedule = json!({"data": [
        {"createdAt": "2026-03-01T10:00:00.000Z", "message": format!("Schedule invoked for {mail}"), "level": "INFO"},
        {"createdAt": "2026-03-01T10:00:01.000Z", "message": format!("Cannot start actor: token={apify}"), "level": "ERROR"},
    ]});
    folder.write("dumps/schedule.json", schedule.to_string());
    folder.write(
        "dumps/error.log",
        json!({"error": {"type": "token-invalid", "message": format!("password={troubador} of {mail}")}})
            .to_string(),
    );
    folder.write("dumps/notes.txt", format!("password: {troubador}\n{mail}\n"));
    folder.write(&format!("dumps/{mail}.json"), format!("{{\"password\":\"{horse}\""));
    folder
}

#[test]
fn no_secret_in_any_output() {
    let folder = dump();
    let dumps = folder.arg("dumps");
    // Not masked, they are there: the test looks at what it means to look at.
    let plain = well(["convert", &dumps, "-o", "-"]).out;
    for secret in &SECRETS[..11] {
        assert!(plain.contains(secret) || plain.contains(&secret.replace('@', "%40")), "{secret}");
    }
    let tables = ["runs", "steps", "errors", "requests", "durations", "rates"];
    let mut commands: Vec<Vec<&str>> =
        vec![vec!["report"], vec!["report", "--json"], vec!["detect"], vec!["detect", "--json"]];
    commands.extend(tables.iter().flat_map(|table| [vec![*table], vec![*table, "--json"]]));
    for kind in ["csv", "ndjson", "parquet"] {
        commands.push(
            vec!["convert", "-o", "-", "--to", kind].into_iter().filter(|_| kind != "parquet").collect(),
        );
    }
    for args in commands.iter().filter(|args| !args.is_empty()) {
        let args: Vec<&str> = args.iter().copied().chain(["--redact", &dumps]).collect();
        let said = run(&args);
        assert!(matches!(said.code, Some(0 | 1)), "{said:?}");
        assert!(!said.out.is_empty() || args[0] == "durations", "{args:?}");
        said_nothing(&args, &said);
    }
    let rows = well(["runs", &dumps, "--json", "--redact"]).rows();
    for row in &rows {
        let id = row["run_id"].as_str().expect("an id");
        let said = well(["show", id, &dumps, "--redact", "--context", "3"]);
        said_nothing(&["show", id], &said);
    }
    said_nothing(&["show"], &run(["show", "no-such-run", &dumps, "--redact"]));
    let raw_id = format!("exec-{}", SECRETS[0]);
    said_nothing(&["show"], &well(["show", &raw_id, &dumps, "--redact"]));
    let log = folder.arg(&format!("dumps/{}/token={}/aB3dE6gH9jK2mN5pQ.log", SECRETS[8], SECRETS[0]));
    for line in [4, 7, 8, 11, 16, 20] {
        for json in [&[][..], &["--json"]] {
            let place = format!("{log}:{line}");
            said_nothing(&["explain", &place], &run(["explain", &place, "--redact"].iter().chain(json)));
        }
    }
    said_nothing(&["--verbose"], &run(["runs", &dumps, &log, "--redact", "--verbose"]));
    said_nothing(&["notes"], &run(["runs", &folder.arg("dumps/notes.txt"), "--redact"]));
    // Messages about outputs and inputs that are not there.
    let nowhere = folder.arg(&format!("no/{}/x.csv", SECRETS[8]));
    said_nothing(&["convert"], &run(["convert", &dumps, "-o", &nowhere, "--redact"]));
    said_nothing(&["runs"], &run(["runs", &nowhere, "--redact"]));
}

#[test]
fn no_secret_in_any_file() {
    let folder = dump();
    let dumps = folder.arg("dumps");
    let kinds = ["--to", "csv", "--to", "ndjson", "--to", "parquet"];
    let page = folder.arg("page.html");
    for (name, args) in [
        ("report", &["report", "--html", &page][..]),
        ("convert", &["convert", "--table", "all"]),
        ("safe", &["convert", "--csv-safe", "--table", "events"]),
    ] {
        let out = folder.arg(&format!("{}/{name}", SECRETS[8]));
        let args: Vec<&str> = args
            .iter()
            .copied()
            .chain(kinds)
            .chain(["--redact", "--group", SECRETS[8], "--group", "worker", "--group", "schedule"])
            .chain([dumps.as_str(), "-o", &out])
            .collect();
        let said = well(&args);
        said_nothing(&args, &said);
        for (file, bytes) in folder.files(&format!("{}/{name}", SECRETS[8])) {
            tells_nothing(&format!("{name}/{file}"), &bytes);
            if file.ends_with(".parquet") {
                tells_nothing(
                    &format!("{name}/{file} as pyarrow reads it"),
                    &read_parquet(Path::new(&out), &file),
                );
            }
        }
    }
    tells_nothing("the page", &fs::read(&page).expect("a page"));
}

/// The contents of a Parquet file as another reader sees them; nothing where there is none.
fn read_parquet(folder: &Path, file: &str) -> Vec<u8> {
    let script =
        "import sys, pyarrow.parquet as p\nfor row in p.read_table(sys.argv[1]).to_pylist(): print(row)";
    let path = folder.join(file);
    let output = std::process::Command::new("python3").args(["-c", script]).arg(path).output();
    output.map(|output| output.stdout).unwrap_or_default()
}

/// What is masked is what the table says without masking, and the same everywhere and every time.
#[test]
fn pseudonyms_are_stable() {
    let folder = dump();
    let dumps = folder.arg("dumps");
    let events = |args: &[&str]| well(["convert", &dumps, "-o", "-"].iter().chain(args)).rows();
    let (plain, masked) = (events(&[]), events(&["--redact"]));
    assert_eq!(plain.len(), masked.len());
    assert_eq!(masked, events(&["--redact", "--threads", "1"]));
    // printf %s apify_api_Zk3mQ8rT1vW6xY0bC5dE9fG2hJ4kL7nP1q | sha256sum | cut -c1-8
    let expect = "<secret:134a7637>";
    let mut columns = BTreeSet::new();
    for row in &masked {
        for (column, value) in row.as_object().expect("a row") {
            if value.as_str().is_some_and(|text| text.contains(expect)) {
                columns.insert(column.as_str());
            }
        }
    }
    for column in ["message", "source", "run_id"] {
        assert!(columns.contains(column), "{column} in {columns:?}");
    }
    for row in &masked {
        let payload = row["payload"].as_str();
        let is_json = |text: &str| serde_json::from_str::<Value>(text).is_ok();
        let before =
            plain.iter().find(|before| before["line"] == row["line"] && before["member"] == row["member"]);
        if before.and_then(|before| before["payload"].as_str()).is_some_and(is_json) {
            assert!(payload.is_some_and(is_json), "{payload:?}");
        }
    }
    let keyed =
        finish(logmill().env("LOGMILL_REDACT_KEY", "k").args(["convert", &dumps, "-o", "-", "--redact"]));
    assert!(!keyed.out.contains(expect) && keyed.out.contains("<secret:"), "another key, other pseudonyms");
    tells_nothing("keyed", keyed.out.as_bytes());
    // The manifest says what was done.
    let out = folder.arg("out");
    well(["report", &dumps, "-o", &out, "--redact"]);
    let manifest: Value =
        serde_json::from_slice(&fs::read(folder.at("out/manifest.json")).expect("a manifest")).expect("JSON");
    assert_eq!(manifest["options"]["redact"], "true", "{manifest}");
}

/// Events that differ in a secret only are one group; nothing else about groups changes.
#[test]
fn groups_of_masked_messages() {
    let folder = Folder::new();
    let line = |n: usize, text: &str| format!("2026-03-01T10:00:{n:02}.000Z ERROR {text}\n");
    let log: String = [
        "Login with password=sesame failed",
        "Login with password=opensaysme failed",
        "Login of jane@example.com failed",
        "Login of joe@example.org failed",
        "Item 17 is lost",
        "Item 18 is lost",
    ]
    .iter()
    .enumerate()
    .map(|(n, text)| line(n, text))
    .collect();
    let log = folder.write("aB3dE6gH9jK2mN5pQ.log", log);
    let templates = |args: &[&str]| -> BTreeSet<(String, u64)> {
        let rows = well(["errors", &log, "--json"].iter().chain(args)).rows();
        let row = |row: &Value| {
            (row["template"].as_str().unwrap_or_default().to_owned(), row["n_events"].as_u64().unwrap_or(0))
        };
        rows.iter().map(row).collect()
    };
    let masked =
        [("Item <n> is lost", 2), ("Login of <email> failed", 2), ("Login with password=<secret> failed", 2)];
    assert_eq!(templates(&["--redact"]), masked.map(|(text, n)| (text.to_owned(), n)).into());
    let plain = templates(&[]);
    assert!(
        plain.contains(&("Item <n> is lost".to_owned(), 2))
            && plain.contains(&("Login of <email> failed".to_owned(), 2)),
        "{plain:?}"
    );
}

/// The demo holds addresses, and no other secrets: nothing else in it changes.
#[test]
fn what_is_no_secret_stays() {
    for args in [
        &["convert", DEMO, "-o", "-"][..],
        &["report", DEMO],
        &["errors", DEMO, "--json"],
        &["steps", DEMO, "--json"],
    ] {
        let (plain, masked) = (well(args).out, well(args.iter().chain(&["--redact"])).out);
        assert_eq!(plain.matches("@example.com").count(), masked.matches("<email:").count(), "{args:?}");
        for (plain, masked) in plain.lines().zip(masked.lines()) {
            let kept: Vec<&str> = masked.split("<email:").collect();
            let rest = kept.iter().skip(1).map(|part| &part[9..]);
            assert!(
                plain.starts_with(kept[0]) && rest.clone().all(|part| plain.contains(part)),
                "{args:?}\n{plain}\n{masked}"
            );
            assert!(!masked.contains("<secret:") && !masked.contains("<key:"), "{args:?}\n{masked}");
        }
    }
}
