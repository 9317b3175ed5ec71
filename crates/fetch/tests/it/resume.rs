//! What was interrupted goes on; what is there stays.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use logmill_fetch::{Build, Error, Log, Order, Refresh, Target};
use logmill_mock::{Reply, Seen, pages};
use serde_json::{Value, json};

use crate::support::*;

/// The world, which breaks at the request number `at` (from 0) and recovers when told.
fn breaking(at: usize) -> (Scene, Arc<AtomicUsize>) {
    let (world, count) = (world(), Arc::new(AtomicUsize::new(0)));
    let left = Arc::new(AtomicUsize::new(at));
    let allowed = Arc::clone(&left);
    let scene = Scene::scripted(move |seen: &Seen| {
        if count.fetch_add(1, Ordering::SeqCst) >= allowed.load(Ordering::SeqCst) {
            return Reply::status(403, "");
        }
        world.answer(seen)
    });
    (scene, left)
}

#[test]
fn logs_that_are_there_stay() {
    let (mut scene, world) = Scene::in_world(world());
    scene.well(&[log(RUN), log(APIFY_BUILD)]);
    assert_eq!(scene.server.seen().len(), 2);
    assert_eq!(scene.well(&[log(RUN), log(APIFY_BUILD)]).n_kept, 2);
    assert_eq!(scene.server.seen().len(), 2);
    // A file of another size, or without its note, is not what was fetched.
    fs::write(scene.folder.path().join(format!("apify/_/{RUN}.log")), "cut").expect("written");
    fs::remove_file(scene.folder.path().join(format!("apify/_/{APIFY_BUILD}.fetch.json"))).expect("removed");
    assert_eq!(scene.well(&[log(RUN), log(APIFY_BUILD)]).n_fetched, 2);
    assert_eq!(scene.read(&format!("apify/_/{RUN}.log")), PLAIN_LOG);
    scene.refresh = Refresh::All;
    world.lock().expect("a world").runs[0].log.extend_from_slice(b"!");
    scene.well(&[log(RUN)]);
    assert_eq!(scene.read(&format!("apify/_/{RUN}.log")), [PLAIN_LOG, b"!"].concat());
}

#[test]
fn a_run_that_was_not_over_is_asked_for_again() {
    let (scene, world) = Scene::in_world(world());
    world.lock().expect("a world").runs[0].object["status"] = json!("RUNNING");
    let target = || Target::Log(Log { has_record: true, ..plain(RUN) });
    scene.well(&[target()]);
    world.lock().expect("a world").runs[0].object["status"] = json!("FAILED");
    world.lock().expect("a world").runs[0].log.extend_from_slice(b"\nmore");
    assert_eq!(scene.well(&[target()]).n_fetched, 1);
    assert!(scene.read(&format!("apify/_/{RUN}.log")).ends_with(b"\nmore"));
    assert_eq!(scene.well(&[target()]).n_kept, 1);
}

#[test]
fn builds_go_on_where_they_stopped() {
    let (scene, left) = breaking(2);
    assert_eq!(scene.reason(Target::Build(build())), "the server answered 403");
    let folder = format!("cloudflare/shop/{BUILD}");
    assert_eq!(
        scene.files(),
        [
            format!("{folder}/fetch.json"),
            format!("{folder}/page-0001.json"),
            format!("{folder}/page-0002.json")
        ]
    );
    let note = scene.note(&format!("{folder}/fetch.json"));
    assert!(!note.complete);
    left.store(usize::MAX, Ordering::SeqCst);
    assert_eq!(scene.well(&[Target::Build(build())]).n_files, 1);
    let path = format!("/client/v4/accounts/{ACCOUNT}/builds/builds/{BUILD}/logs");
    assert_eq!(scene.server.targets()[3..], [format!("{path}?cursor=WzAs4+/==")]);
    assert_eq!(scene.note(&format!("{folder}/fetch.json")).pages.len(), 3);
    assert_eq!(scene.well(&[Target::Build(build())]).n_kept, 1);
    assert_eq!(scene.server.seen().len(), 4);
}

#[test]
fn a_build_that_was_not_over_grows() {
    let (scene, world) = Scene::in_world(world());
    world.lock().expect("a world").builds[0].record["status"] = json!("running");
    let target = || Target::Build(Build { has_record: true, ..build() });
    scene.well(&[target()]);
    {
        let mut world = world.lock().expect("a world");
        let lines: Vec<(i64, &str)> = (0..7).map(|n| (1_767_225_600_000 + n, "line")).collect();
        world.builds[0].pages = pages(&lines, 2);
        world.builds[0].record["status"] = json!("stopped");
    }
    // The record, the page that was the last one, and a new one.
    assert_eq!(scene.well(&[target()]).n_files, 3);
    let folder = format!("cloudflare/shop/{BUILD}");
    for (index, page) in world.lock().expect("a world").builds[0].pages.iter().enumerate().skip(2) {
        assert_eq!(&scene.read(&format!("{folder}/page-{:04}.json", index + 1)), page);
    }
    assert_eq!(scene.well(&[target()]).n_kept, 1);
}

/// Ids on all stored pages of the workflow, sorted, each as often as it is there.
fn stored(scene: &Scene) -> Vec<String> {
    let mut ids = Vec::new();
    for file in scene.files().iter().filter(|file| file.contains("/page-")) {
        let page: Value = serde_json::from_slice(&scene.read(file)).expect("JSON");
        for it in page["data"].as_array().expect("a list") {
            ids.push(it["executionId"].as_str().expect("an id").to_owned());
        }
    }
    ids.sort();
    ids
}

fn ids(n: usize) -> Vec<String> {
    (0..n).map(|n| execution(n)["executionId"].as_str().expect("an id").to_owned()).collect()
}

#[test]
fn new_executions_are_added() {
    let (scene, world) = Scene::in_world(world());
    scene.well(&[Target::Executions(executions(3))]);
    assert_eq!(scene.well(&[Target::Executions(executions(3))]).n_kept, 1);
    // The first page held nothing new, so no other was asked for.
    assert_eq!(scene.server.seen().len(), 5);
    let add = |n| {
        let mut world = world.lock().expect("a world");
        world.workflows.get_mut(WORKFLOW).expect("executions").insert(0, execution(n));
    };
    (7..11).for_each(add);
    // Two pages with four new ones and two old ones, and a third with old ones, which is not stored.
    assert_eq!(scene.well(&[Target::Executions(executions(3))]).n_files, 2);
    assert_eq!(scene.server.seen().len(), 8);
    let mut stored = stored(&scene);
    stored.dedup();
    assert_eq!(stored, ids(11));
}

#[test]
fn executions_that_were_running_are_news_when_they_end() {
    let (scene, world) = Scene::in_world(world());
    let set = |stopped_at: Value| {
        world.lock().expect("a world").workflows.get_mut(WORKFLOW).expect("executions")[1]["stoppedAt"] =
            stopped_at;
    };
    set(Value::Null);
    scene.well(&[Target::Executions(executions(30))]);
    set(json!("2026-03-01T10:00:09.000Z"));
    assert_eq!(scene.well(&[Target::Executions(executions(30))]).n_files, 1);
    assert_eq!(scene.well(&[Target::Executions(executions(30))]).n_kept, 1);
}

/// Interrupted after every possible number of requests, with executions arriving in between: in the
/// end each is there.
#[test]
fn interrupted_executions_have_no_gap() {
    for order in [Order::Desc, Order::Asc] {
        for at in 0..7 {
            let (scene, world) = Scene::in_world(world());
            let target = || Target::Executions(logmill_fetch::Executions { order, ..executions(2) });
            if at % 2 == 1 {
                scene.well(&[target()]);
            }
            let add = |n| {
                let mut world = world.lock().expect("a world");
                world.workflows.get_mut(WORKFLOW).expect("executions").insert(0, execution(n));
            };
            (7..12).for_each(add);
            let answers = Arc::clone(&world);
            let count = AtomicUsize::new(0);
            let broken = Scene::scripted(move |seen| {
                let n = count.fetch_add(1, Ordering::SeqCst);
                if n >= at { Reply::status(400, "") } else { answers.lock().expect("a world").answer(seen) }
            });
            let broken = Scene { folder: scene.folder, ..broken };
            broken.fetch(&[target()]);
            let scene = Scene { folder: broken.folder, ..scene };
            (12..18).for_each(add);
            scene.well(&[target()]);
            let mut stored = stored(&scene);
            stored.dedup();
            assert_eq!(stored, ids(18), "{order:?} {at}");
            assert_eq!(scene.well(&[target()]).n_files, 0);
        }
    }
}

#[test]
fn two_at_a_time_do_not_mix() {
    let (scene, _) = Scene::in_world(world());
    scene.well(&[log(RUN)]);
    let lock = fs::File::open(scene.folder.path().join("apify/.fetch.lock")).expect("a lock");
    lock.try_lock().expect("free");
    assert!(matches!(scene.try_fetch(&[log(RUN)]), Err(Error::Busy(_))));
    scene.well(&[Target::Build(build())]);
    drop(lock);
    scene.well(&[log(RUN)]);
}

/// What a killed process leaves is hidden, and goes with the next fetch.
#[test]
fn leftovers_are_replaced() {
    let (scene, _) = Scene::in_world(world());
    let part = scene.folder.path().join(format!("apify/_/.{RUN}.log.part"));
    fs::create_dir_all(part.parent().expect("a folder")).expect("made");
    fs::write(&part, "left over, and longer than the log that comes: ".repeat(99)).expect("written");
    scene.well(&[log(RUN)]);
    assert_eq!(scene.read(&format!("apify/_/{RUN}.log")), PLAIN_LOG);
    assert!(!part.exists());
}
