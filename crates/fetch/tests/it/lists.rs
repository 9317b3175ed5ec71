//! Lists of runs and builds.

use std::time::{Duration, UNIX_EPOCH};

use logmill_fetch::{Builds, Form, Listing, Runs, RunsOf, Target};
use logmill_mock::{Build, Reply, Run};
use serde_json::json;

use crate::support::*;

/// 2026-03-01T00:00:00Z (date -u -d 2026-03-01 +%s).
const MARCH_S: u64 = 1_772_323_200;

fn runs(since_s: Option<u64>) -> Listing {
    Listing::Runs(Runs {
        of: RunsOf::Actor("janedoe~shop".parse().expect("an actor")),
        since: since_s.map(|it| UNIX_EPOCH + Duration::from_secs(it)),
        form: Form::Plain,
    })
}

#[test]
fn runs_of_an_actor() {
    let mut world = world();
    for day in 1..=28 {
        let id = format!("run{day:03}AbCdEfGhIjK");
        world.runs.push(Run {
            id: id.clone(),
            actor: "janedoe~shop".to_owned(),
            object: run_object(&id, &format!("2026-02-{day:02}T10:00:00.000Z"), "SUCCEEDED"),
            log: id.into_bytes(),
        });
    }
    let (scene, _) = Scene::in_world(world);
    let session = scene.session(runs(None).platform());
    // Twenty-eight in February and the one of the world in March; its build is no run.
    assert_eq!(session.list(&runs(None), &scene.told).expect("a list").len(), 29);
    let targets = session.list(&runs(Some(MARCH_S - 2 * 86_400)), &scene.told).expect("a list");
    let names: Vec<String> = targets.iter().map(Target::name).collect();
    assert_eq!(
        names,
        [
            format!("apify-log {RUN}"),
            "apify-log run028AbCdEfGhIjK".to_owned(),
            "apify-log run027AbCdEfGhIjK".to_owned()
        ]
    );
    assert_eq!(scene.server.targets()[0], "/v2/actors/janedoe~shop/runs?desc=1&limit=1000&offset=0");
    scene.well(&targets);
    assert_eq!(scene.read("apify/janedoe~shop/run027AbCdEfGhIjK.log"), b"run027AbCdEfGhIjK");
    assert!(scene.files().contains(&format!("apify/janedoe~shop/{RUN}.json")));
    // Everything is there, and every run was over: nothing is asked again.
    let n_asked = scene.server.seen().len();
    assert_eq!(scene.well(&targets).n_kept, 3);
    assert_eq!(scene.server.seen().len(), n_asked);
}

#[test]
fn runs_of_a_task() {
    let scene = Scene::scripted(|_| Reply::ok(r#"{"data":{"items":[]}}"#));
    let listing = Listing::Runs(Runs {
        of: RunsOf::Task("t4sk".parse().expect("a task")),
        since: None,
        form: Form::Plain,
    });
    assert_eq!(scene.session(listing.platform()).list(&listing, &scene.told).expect("a list"), []);
    assert_eq!(scene.server.targets(), ["/v2/actor-tasks/t4sk/runs?desc=1&limit=1000&offset=0"]);
}

#[test]
fn lists_that_lead_elsewhere_or_nowhere() {
    let traversal = Scene::scripted(|_| Reply::ok(r#"{"data":{"items":[{"id":"../../etc/passwd"}]}}"#));
    let fault =
        traversal.session(runs(None).platform()).list(&runs(None), &traversal.told).expect_err("refused");
    assert!(fault.reason.contains("found `../../etc/passwd`"), "{fault:?}");
    let same = Scene::scripted(|_| Reply::ok(r#"{"data":{"items":[{"id":"same"}]}}"#));
    assert_eq!(same.session(runs(None).platform()).list(&runs(None), &same.told).expect("a list").len(), 1);
    assert_eq!(same.server.seen().len(), 2);
    let endless = Scene::scripted(|seen| {
        Reply::ok(json!({"data": {"items": [{"id": format!("run{}", seen.param("offset"))}]}}).to_string())
    });
    let fault = endless.session(runs(None).platform()).list(&runs(None), &endless.told).expect_err("endless");
    assert_eq!(fault.reason, "expected the end of the list of runs, found none in 40 runs");
}

fn uuid(n: usize) -> String {
    format!("00000000-0000-4000-8000-{n:012}")
}

#[test]
fn builds_of_a_worker() {
    let mut world = world();
    for n in 0..250 {
        let created_on = if n < 100 { "2026-02-01T00:00:00Z" } else { "2026-03-02T00:00:00.5Z" };
        let record = json!({"build_uuid": uuid(n), "status": "stopped", "created_on": created_on});
        let pages = world.builds[0].pages[2..].to_vec();
        world.builds.push(Build { uuid: uuid(n), tag: TAG.to_owned(), record, pages });
    }
    let (scene, _) = Scene::in_world(world);
    let listing = |since: Option<u64>, worker: &str| {
        Listing::Builds(Builds {
            account: ACCOUNT.parse().expect("an account"),
            worker: worker.parse().expect("a worker"),
            since: since.map(|it| UNIX_EPOCH + Duration::from_secs(it)),
        })
    };
    let session = scene.session(listing(None, "shop").platform());
    assert_eq!(session.list(&listing(None, "shop"), &scene.told).expect("a list").len(), 251);
    let base = format!("/client/v4/accounts/{ACCOUNT}");
    let builds = |page| format!("{base}/builds/workers/{TAG}/builds?page={page}&per_page=100");
    assert_eq!(scene.server.targets(), [format!("{base}/workers/scripts"), builds(1), builds(2), builds(3)]);
    let since = session.list(&listing(Some(MARCH_S), "shop"), &scene.told).expect("a list");
    assert_eq!(since.len(), 150);
    assert_eq!(session.list(&listing(None, "other"), &scene.told).expect("a list"), []);
    let fault = session.list(&listing(None, "nobody"), &scene.told).expect_err("no such worker");
    assert_eq!(fault.reason, "expected a worker named nobody in the account, found none");
    scene.well(&since[..2]);
    let folder = format!("cloudflare/shop/{}", uuid(100));
    assert_eq!(
        scene.files()[..3],
        [format!("{folder}/build.json"), format!("{folder}/fetch.json"), format!("{folder}/page-0001.json")]
    );
}
