//! Each endpoint, end to end: what is asked, and what lies on disk afterwards.

use std::time::Duration;

use logmill_fetch::{Credentials, Form, Log, Schedule, Secret, Target, Transfer};
use logmill_mock::{Reply, Way};
use serde_json::Value;

use crate::support::*;

#[test]
fn a_log_is_stored_as_it_came() {
    let (scene, _) = Scene::in_world(world());
    let summary = scene.well(&[log(RUN)]);
    assert_eq!((summary.n_fetched, summary.n_files, summary.n_bytes), (1, 1, PLAIN_LOG.len() as u64));
    assert_eq!(scene.read(&format!("apify/_/{RUN}.log")), PLAIN_LOG);
    assert_eq!(scene.server.targets(), [format!("/v2/logs/{RUN}")]);
    let seen = scene.server.seen().remove(0);
    assert_eq!(seen.header("authorization"), format!("Bearer {TOKEN}"));
    assert_eq!(seen.header("accept-encoding"), "identity");
    assert!(seen.header("user-agent").starts_with("logmill/"));
    assert_eq!(scene.files(), [format!("apify/_/{RUN}.fetch.json"), format!("apify/_/{RUN}.log")]);
    let note = scene.note(&format!("apify/_/{RUN}.fetch.json"));
    assert!(note.complete);
    assert_eq!((note.pages[0].status, note.pages[0].bytes), (200, PLAIN_LOG.len() as u64));
    assert_eq!(note.pages[0].url, format!("{}/v2/logs/{RUN}", scene.server.url()));
    assert!(!scene.leaks());
}

#[test]
fn a_raw_log_keeps_its_colours() {
    let (scene, _) = Scene::in_world(world());
    scene.well(&[Target::Log(Log { form: Form::Raw, ..plain(RUN) })]);
    assert_eq!(scene.read(&format!("apify/_/{RUN}.log")), LOG);
    // The other form is another file: it is fetched.
    assert_eq!(scene.well(&[log(RUN)]).n_fetched, 1);
    assert_eq!(scene.read(&format!("apify/_/{RUN}.log")), PLAIN_LOG);
    assert_eq!(scene.server.targets(), [format!("/v2/logs/{RUN}?raw=1"), format!("/v2/logs/{RUN}")]);
}

#[test]
fn objects_beside_logs() {
    let (scene, _) = Scene::in_world(world());
    let with_record = |id| Target::Log(Log { has_record: true, actor: "shop".parse().ok(), ..plain(id) });
    scene.well(&[with_record(RUN), with_record(APIFY_BUILD)]);
    let run: Value = serde_json::from_slice(&scene.read(&format!("apify/shop/{RUN}.json"))).expect("JSON");
    assert_eq!(run["data"]["status"], "SUCCEEDED");
    let build: Value =
        serde_json::from_slice(&scene.read(&format!("apify/shop/{APIFY_BUILD}.json"))).expect("JSON");
    assert_eq!(build["data"]["buildNumber"], "0.0.1");
    assert_eq!(scene.note(&format!("apify/shop/{RUN}.fetch.json")).finished, Some(true));
}

#[test]
fn an_empty_log_is_a_log() {
    let scene = Scene::scripted(|_| Reply::ok("").header("content-type", "text/plain"));
    assert_eq!(scene.well(&[log(RUN)]).n_fetched, 1);
    assert_eq!(scene.read(&format!("apify/_/{RUN}.log")), b"");
    assert_eq!(scene.well(&[log(RUN)]).n_kept, 1);
}

#[test]
fn a_schedule_is_asked_for_each_time() {
    let (scene, _) = Scene::in_world(world());
    let target = Target::Schedule(Schedule { id: SCHEDULE.parse().expect("an id") });
    scene.well(std::slice::from_ref(&target));
    assert_eq!(scene.well(&[target]).n_fetched, 1);
    assert_eq!(scene.read(&format!("apify-schedules/{SCHEDULE}.json")), world().schedules[SCHEDULE]);
    assert_eq!(
        scene.server.targets(),
        [format!("/v2/schedules/{SCHEDULE}/log"), format!("/v2/schedules/{SCHEDULE}/log")]
    );
}

#[test]
fn a_build_page_by_page() {
    let (scene, _) = Scene::in_world(world());
    let summary = scene.well(&[Target::Build(build())]);
    assert_eq!(summary.n_files, 3);
    let folder = format!("cloudflare/shop/{BUILD}");
    for (index, page) in world().builds[0].pages.iter().enumerate() {
        assert_eq!(&scene.read(&format!("{folder}/page-{:04}.json", index + 1)), page);
    }
    let path = format!("/client/v4/accounts/{ACCOUNT}/builds/builds/{BUILD}/logs");
    assert_eq!(
        scene.server.targets(),
        [path.clone(), format!("{path}?cursor=WzAs2+/=="), format!("{path}?cursor=WzAs4+/==")]
    );
    let note = scene.note(&format!("{folder}/fetch.json"));
    let chain: Vec<_> = note.pages.iter().map(|page| (page.cursor.as_deref(), page.truncated)).collect();
    assert_eq!(
        chain,
        [(None, Some(true)), (Some("WzAs2+/=="), Some(true)), (Some("WzAs4+/=="), Some(false))]
    );
    assert!(note.complete);
    assert!(note.pages[1].url.ends_with("/logs?cursor=WzAs2%2B%2F%3D%3D"), "{}", note.pages[1].url);
}

#[test]
fn key_and_email_instead_of_a_token() {
    let (mut scene, _) = Scene::in_world(world());
    let (email, key) = (Secret::new("me@example.com").expect("a mail"), Secret::new(TOKEN).expect("a key"));
    scene.options.credentials = Credentials::EmailAndKey { email, key };
    scene.well(&[Target::Build(build())]);
    let seen = scene.server.seen().remove(0);
    assert_eq!((seen.header("x-auth-email"), seen.header("x-auth-key")), ("me@example.com", TOKEN));
    assert_eq!(seen.header("authorization"), "");
    assert!(!scene.leaks());
}

#[test]
fn executions_until_a_page_is_empty() {
    let (scene, _) = Scene::in_world(world());
    scene.well(&[Target::Executions(executions(3))]);
    // Seven executions: two full pages, one with one, and the empty one that is not stored.
    let path = format!("/workflows/{WORKFLOW}/logs");
    let asked: Vec<String> = (0..4).map(|page| format!("{path}?limit=3&order=desc&page={page}")).collect();
    assert_eq!(scene.server.targets(), asked);
    assert_eq!(scene.server.seen()[0].header("x-api-version"), "2025-09");
    let ids = |page: usize| -> Vec<Value> {
        let body: Value =
            serde_json::from_slice(&scene.read(&format!("alloy/{WORKFLOW}/page-{page:04}.json")))
                .expect("JSON");
        body["data"].as_array().expect("a list").iter().map(|it| it["executionId"].clone()).collect()
    };
    let expect = |ns: &[usize]| ns.iter().map(|n| execution(*n)["executionId"].clone()).collect::<Vec<_>>();
    assert_eq!((ids(0), ids(1), ids(2)), (expect(&[6, 5, 4]), expect(&[3, 2, 1]), expect(&[0])));
    assert_eq!(scene.files().len(), 4);
}

#[test]
fn a_workflow_without_executions() {
    let mut world = world();
    world.workflows.insert(WORKFLOW.to_owned(), Vec::new());
    let (scene, _) = Scene::in_world(world);
    scene.well(&[Target::Executions(executions(3))]);
    assert_eq!(scene.files(), [format!("alloy/{WORKFLOW}/fetch.json")]);
}

#[test]
fn pages_zero_and_one_may_be_the_same() {
    let world = world();
    let scene = Scene::scripted(move |seen| {
        let mut seen = seen.clone();
        let page: usize = seen.param("page").parse().expect("a number");
        seen.query.insert("page".to_owned(), page.saturating_sub(1).to_string());
        world.answer(&seen)
    });
    scene.well(&[Target::Executions(executions(3))]);
    assert_eq!(scene.files().len(), 4, "{:?}", scene.files());
}

#[test]
fn a_followed_log_comes_as_it_is_written() {
    let scene = Scene::scripted(|seen| {
        assert_eq!(seen.target(), format!("/v2/logs/{RUN}?raw=1&stream=1"));
        let pause = Duration::from_millis(60);
        let chunks =
            vec![(pause, b"one\ntw".to_vec()), (pause, b"o\xc3".to_vec()), (pause, b"\xa9\n".to_vec())];
        Reply::ok("").by(Way::Chunks(chunks))
    });
    let target = Log { form: Form::Raw, transfer: Transfer::Follow, ..plain(RUN) };
    scene.well(&[Target::Log(target)]);
    assert_eq!(scene.read(&format!("apify/_/{RUN}.log")), b"one\ntwo\xc3\xa9\n");
    assert_eq!(scene.told.followed(), b"one\ntwo\xc3\xa9\n");
    assert_eq!(scene.note(&format!("apify/_/{RUN}.fetch.json")).finished, Some(true));
}
