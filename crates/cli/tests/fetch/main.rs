//! `logmill fetch` as people run it: the built binary against servers of this machine.
//!
//! Needs the feature: `cargo test --workspace --features logmill/fetch --test fetch`.

mod secrets;
mod support;
mod transcripts;

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::process::Stdio;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use logmill_mock::{Reply, Server, Way};
use serde_json::Value;
use support::*;

/// Fetches everything that the demo has into `dumps`.
fn fetch_all(place: &Place, server: &Server) {
    let world = demo();
    let how = format!("--rate 1000 --base-url {}", server.url());
    for actor in ["job-board-monitor", "listing-watch", "product-catalog-scraper", "social-posts"] {
        let ids: Vec<&str> =
            world.runs.iter().filter(|run| run.actor == actor).map(|run| run.id.as_str()).collect();
        place.well(&format!("fetch apify-log {} --actor {actor} --raw {how}", ids.join(" ")));
    }
    // This one has its object beside it.
    let one = "qztXsZH0pKmjP9d68 --actor product-catalog-scraper --record --refresh";
    place.well(&format!("fetch apify-log {one} --raw {how}"));
    let schedules: Vec<&str> = world.schedules.keys().map(String::as_str).collect();
    place.well(&format!("fetch apify-schedule {} {how}", schedules.join(" ")));
    for (worker, tag) in &world.scripts {
        let uuids: Vec<&str> =
            world.builds.iter().filter(|it| it.tag == *tag).map(|it| it.uuid.as_str()).collect();
        let uuids = uuids.join(" ");
        place.well(&format!("fetch cloudflare-build {uuids} --worker {worker} --account {ACCOUNT} {how}"));
    }
    for workflow in world.workflows.keys() {
        place.well(&format!("fetch alloy-execution --workflow {workflow} {how}"));
    }
}

/// What can be said of runs wherever their logs came from.
fn runs(place: &Place, folder: &str) -> BTreeMap<String, String> {
    let keys = [
        "platform",
        "kind",
        "group",
        "status",
        "started_at",
        "duration_ms",
        "n_events",
        "n_errors",
        "n_steps",
    ];
    let rows = place.rows(&format!("runs {folder} --json"));
    let of = |row: &Value| keys.iter().map(|key| row[key].to_string()).collect::<Vec<_>>().join(" ");
    rows.iter().map(|row| (row["run_id"].to_string(), of(row))).collect()
}

/// From the endpoints to the report in one go: the same runs as from the files that the server reads.
#[test]
fn what_is_fetched_is_what_is_reported() {
    let (place, server) = (Place::new(), serve(demo()));
    fetch_all(&place, &server);
    let original = root().join("testdata/demo");
    let (fetched, expected) = (runs(&place, "dumps"), runs(&place, &original.to_string_lossy()));
    assert!(expected.len() > 150, "{}", expected.len());
    assert_eq!(fetched, expected);
    // Notes are known for what they are: nothing is odd about the folder but what is odd in the logs.
    let issues = place.rows("detect dumps --json");
    let notes: Vec<_> =
        issues.iter().filter(|row| row["source"].to_string().contains("fetch.json")).collect();
    assert!(notes.len() > 40 && notes.iter().all(|row| row["format"] == "own-output"), "{notes:?}");
}

/// Raw logs come byte by byte.
#[test]
fn bytes_are_those_of_the_server() {
    let (place, server) = (Place::new(), serve(demo()));
    let world = demo();
    let run = &world.runs[0];
    place.well(&format!("fetch apify-log {} --raw --base-url {}", run.id, server.url()));
    assert_eq!(fs::read(place.path().join(format!("dumps/apify/_/{}.log", run.id))).expect("a log"), run.log);
}

#[test]
fn what_is_missing_is_listed() {
    let (place, server) = (Place::new(), serve(demo()));
    let id = &demo().runs[0].id;
    let said = place.run(&format!("fetch apify-log {id} n0such1 n0such2 --base-url {}", server.url()));
    assert_eq!(said.code, Some(4));
    assert_eq!(said.out, "");
    let lines: Vec<&str> = said.err.lines().collect();
    let reason = "the server answered 404 (record-not-found: Actor run or build was not found)";
    assert_eq!(
        lines[..3],
        [
            "error: missing 2 of 3 targets:",
            &format!("  apify-log n0such1: {reason}"),
            &format!("  apify-log n0such2: {reason}")
        ]
    );
    assert!(lines[3].starts_with("stored 1 file ("), "{}", lines[3]);
    // What is there is not asked for again.
    let before = server.seen().len();
    assert_eq!(place.run(&format!("fetch apify-log {id} n0such1 --base-url {}", server.url())).code, Some(4));
    assert_eq!(server.seen().len(), before + 1);
}

#[test]
fn lists_of_runs_and_builds() {
    let (place, server) = (Place::new(), serve(demo()));
    let how = format!("--rate 1000 --base-url {}", server.url());
    let said =
        place.well(&format!("fetch apify-log --actor listing-watch --since 2025-11-05T00:00:00Z {how}"));
    assert!(said.err.contains(" of 6 targets in dumps"), "{}", said.err);
    let said = place.well(&format!("fetch cloudflare-build --account {ACCOUNT} --worker docs-site {how}"));
    assert!(said.err.contains(" of 7 targets in dumps"), "{}", said.err);
    let said = place.well(&format!("fetch cloudflare-build --account {ACCOUNT} --worker docs-site {how}"));
    assert!(said.err.contains("stored 0 files (0 B) of 0 targets in dumps; 7 there already"), "{}", said.err);
    let said = place.run(&format!("fetch cloudflare-build --account {ACCOUNT} --worker nobody {how}"));
    assert_eq!(said.code, Some(4));
    assert!(
        said.err.contains("builds of nobody: expected a worker named nobody in the account"),
        "{}",
        said.err
    );
    let groups: Vec<Value> = place.rows("runs dumps --json").iter().map(|row| row["group"].clone()).collect();
    assert!(groups.iter().all(|group| group == "listing-watch" || group == "docs-site"), "{groups:?}");
}

#[test]
fn a_dry_run_asks_nothing() {
    let (place, server) = (Place::new(), serve(demo()));
    let said = place.well(&format!(
        "fetch alloy-execution --workflow w1 --user u1 --limit 5 --order asc --dry-run --base-url {}",
        server.url()
    ));
    let expect = "GET URL/workflows/w1/logs?userId=u1&page=0&limit=5&order=asc\n    x-api-version: 2025-09\n    \
                  authorization: Bearer [redacted]\n    → dumps/alloy/w1/page-0000.json\n";
    assert_eq!(said.out.replace(&server.url(), "URL"), expect);
    let said = place.well("fetch apify-log R1 --actor a --record --raw --dry-run");
    assert!(said.out.starts_with("GET https://api.apify.com/v2/actor-runs/R1\n"), "{}", said.out);
    assert!(said.out.contains("GET https://api.apify.com/v2/logs/R1?raw=1\n"), "{}", said.out);
    let said = place.well(&format!("fetch cloudflare-build --account {ACCOUNT} --worker w --dry-run"));
    let scripts = format!("GET https://api.cloudflare.com/client/v4/accounts/{ACCOUNT}/workers/scripts\n");
    assert!(said.out.starts_with(&scripts), "{}", said.out);
    assert_eq!(server.seen().len(), 0);
    assert_eq!(place.files("."), []);
}

#[test]
fn command_lines_that_make_no_sense() {
    let place = Place::new();
    for (args, expect) in [
        ("fetch", "Usage:"),
        ("fetch apify-log", "expected ids of runs, --actor or --task, found nothing to fetch"),
        ("fetch apify-log ../../etc/passwd", "expected the id of a run or build"),
        ("fetch apify-log R1 --since 7d", "--since chooses from a list"),
        ("fetch apify-log --actor a --follow", "--follow needs the ids"),
        ("fetch apify-log R1 --actor ..", "expected the id of an actor"),
        ("fetch apify-log R1 --base-url http://api.example.com", "found http to another machine"),
        ("fetch apify-log R1 --base-url https://u:p@api.example.com", "found one with a user in it"),
        ("fetch apify-log R1 --rate 0", "requests per second"),
        ("fetch cloudflare-build 4f6c1f2e-8a53-4b0e-9d53-2a1f0c9f7e11", "--account"),
        ("fetch cloudflare-build --account 1 --worker w", "expected an account id (32 hexadecimal digits)"),
        ("fetch alloy-execution --workflow w --limit 31", "31 is not in 1..=30"),
        ("fetch alloy-execution", "expected --workflow, or --ids"),
        ("fetch apify-log --ids - --token-file -", "found both"),
    ] {
        let said = place.run(args);
        assert_eq!(said.code, Some(2), "{args}: {said:?}");
        assert!(said.err.contains(expect), "{args}: {}", said.err);
    }
    assert_eq!(place.files("."), []);
}

/// `-h` of each endpoint is one screen that begins with examples; `--help` ends with them.
#[test]
fn help_of_every_endpoint() {
    let place = Place::new();
    for endpoint in ["apify-log", "apify-schedule", "cloudflare-build", "alloy-execution"] {
        let said = finish(place.logmill(&format!("fetch {endpoint} -h")).env("COLUMNS", "80"));
        let lines: Vec<&str> = said.out.lines().collect();
        assert!(lines.len() <= 30, "{}", said.out);
        assert!(lines.iter().all(|line| line.chars().count() <= 80), "{}", said.out);
        assert_eq!(lines.get(2), Some(&"Examples:"), "{}", said.out);
        let full = place.well(&format!("fetch {endpoint} --help")).out;
        assert!(full.contains("--base-url") && full.trim_end().ends_with("--token-file."), "{full}");
    }
}

#[test]
fn ids_from_files_and_standard_input() {
    let (place, server) = (Place::new(), serve(demo()));
    let ids: Vec<String> = demo().runs.iter().take(3).map(|run| run.id.clone()).collect();
    place.write("ids.txt", &format!("# three\n{}\n\n  {}\r\n{}\n", ids[0], ids[1], ids[0]));
    let how = format!("--base-url {}", server.url());
    let said = place.well(&format!("fetch apify-log {} --ids ids.txt {how}", ids[2]));
    assert!(said.err.contains(" of 3 targets"), "{}", said.err);
    let mut command = place.logmill(&format!("fetch apify-log --ids - {how}"));
    let mut child = command.stdin(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program starts");
    child.stdin.take().expect("a pipe").write_all(ids[1].as_bytes()).expect("read");
    let said: Said = child.wait_with_output().expect("it ends").into();
    assert!(said.err.contains("; 1 there already"), "{}", said.err);
    place.write("bad.txt", "R1\n../x\n");
    let said = place.run(&format!("fetch apify-log --ids bad.txt {how}"));
    assert_eq!(said.code, Some(2));
    assert!(said.err.contains("bad.txt:2: expected the id of a run or build"), "{}", said.err);
}

#[test]
fn a_followed_log_is_printed_as_it_comes() {
    let place = Place::new();
    let server = Server::start(|_| {
        let pause = Duration::from_millis(50);
        Reply::ok("").by(Way::Chunks(vec![(pause, b"one\n".to_vec()), (pause, b"two".to_vec())]))
    });
    let said = place.well(&format!("fetch apify-log R1 --follow --base-url {}", server.url()));
    assert_eq!(said.out, "one\ntwo");
    assert_eq!(place.files("dumps/apify/_")[1], ("dumps/apify/_/R1.log".to_owned(), b"one\ntwo".to_vec()));
    assert_eq!(server.targets(), ["/v2/logs/R1?stream=1"]);
}

/// Killed in the middle of the third page; the next run goes on with it.
#[cfg(unix)]
#[test]
fn a_killed_fetch_goes_on() {
    let (place, world) = (Place::new(), demo());
    let build = world.builds.iter().find(|build| build.pages.len() == 3).expect("three pages").clone();
    let answers = world.clone();
    let count = AtomicUsize::new(0);
    let slow = Server::start(move |seen| match count.fetch_add(1, Ordering::SeqCst) {
        0 | 1 => answers.answer(seen),
        _ => Reply::ok("").by(Way::Drip(Duration::from_millis(20))),
    });
    let args = |server: &Server| {
        format!(
            "fetch cloudflare-build {} --account {ACCOUNT} --rate 1000 --base-url {}",
            build.uuid,
            server.url()
        )
    };
    let mut child = place.logmill(&args(&slow)).stderr(Stdio::null()).spawn().expect("the program starts");
    let end = Instant::now() + Duration::from_secs(20);
    while slow.seen().len() < 3 && Instant::now() < end {
        std::thread::sleep(Duration::from_millis(10));
    }
    std::thread::sleep(Duration::from_millis(100));
    child.kill().expect("it can be killed");
    child.wait().expect("it ends");
    let folder = format!("dumps/cloudflare/_/{}", build.uuid);
    let visible = |place: &Place| -> Vec<String> {
        let files = place.files(&folder).into_iter().map(|(name, _)| name);
        files
            .map(|name| name.rsplit('/').next().unwrap_or_default().to_owned())
            .filter(|it| !it.starts_with('.'))
            .collect()
    };
    assert_eq!(visible(&place), ["fetch.json", "page-0001.json", "page-0002.json"]);
    let whole = serve(world);
    place.well(&args(&whole));
    assert_eq!(whole.seen().len(), 1);
    assert_eq!(visible(&place), ["fetch.json", "page-0001.json", "page-0002.json", "page-0003.json"]);
    for (index, page) in build.pages.iter().enumerate() {
        let stored = fs::read(place.path().join(format!("{folder}/page-{:04}.json", index + 1)));
        assert_eq!(&stored.expect("a page"), page);
    }
}
