//! Servers that do not do as they should: everything is refused or has a bound.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use logmill_fetch::{Log, Target, Transfer};
use logmill_mock::{Reply, Server, Way};
use serde_json::json;

use crate::support::*;

/// Fetches a log from a server that answers like this, and expects it to fail for this reason, leaving
/// nothing behind.
#[track_caller]
fn check(reply: Reply, expect: &str, n_requests: usize) {
    check_scene(&Scene::scripted(move |_| reply.clone()), expect, n_requests);
}

/// The same with a server that is too slow.
#[track_caller]
fn check_slow(way: Way, expect: &str) {
    let mut scene = Scene::scripted(move |_| Reply::ok("").by(way.clone()));
    scene.options.policy = hasty();
    check_scene(&scene, expect, 3);
}

#[track_caller]
fn check_scene(scene: &Scene, expect: &str, n_requests: usize) {
    let reason = scene.reason(log(RUN));
    assert!(reason.contains(expect), "{reason}");
    assert_eq!(scene.files(), Vec::<String>::new());
    assert_eq!(scene.server.seen().len(), n_requests);
    assert!(!scene.leaks());
}

#[test]
fn bodies_without_end() {
    check(Reply::ok("").by(Way::Endless), "at most 1048576 bytes", 1);
}

/// To the byte.
#[test]
fn the_largest_body() {
    for (body, n_missing) in [("0123456789", 0), ("0123456789a", 1)] {
        let mut scene = Scene::scripted(move |_| Reply::ok(body));
        scene.options.policy.max_body_bytes = 10;
        assert_eq!(scene.fetch(&[log(RUN)]).missing.len(), n_missing);
    }
}

/// Chunks that end without the last one are as short as a body without its end.
#[test]
fn chunks_without_an_end() {
    let answer = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\nabcd\r\n".to_vec();
    check(Reply::ok("").by(Way::Raw(answer)), "the connection had ended", 3);
}

#[test]
fn slow_bodies() {
    check_slow(Way::Drip(Duration::from_millis(50)), "came too slowly");
}

#[test]
fn slow_heads() {
    check_slow(Way::DripHead(Duration::from_millis(50)), "waiting for the answer");
}

#[test]
fn silence() {
    check_slow(Way::Silent(Duration::from_secs(2)), "timed out while waiting for the answer");
}

#[test]
fn heads_without_end() {
    check(Reply::ok("x").header("x-long", &"y".repeat(200 << 10)), "a head of at most 65536 bytes", 1);
}

#[test]
fn short_bodies() {
    check(Reply::ok("0123456789").by(Way::Short(4)), "the connection had ended", 3);
}

#[test]
fn connections_reset() {
    check(Reply::ok("x".repeat(5000)).by(Way::Reset(1000)), "the connection", 3);
}

#[test]
fn answers_that_are_no_http() {
    check(Reply::ok("").by(Way::Raw(b"SSH-2.0-OpenSSH_9.9\r\n\r\n".to_vec())), "malformed", 3);
}

/// A small body that would become a large one. It is not unpacked.
#[test]
fn compressed_bodies() {
    let bomb = [&[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3][..], &[0; 1000]].concat();
    check(Reply::ok(bomb).header("content-encoding", "gzip"), "found content-encoding `gzip`", 1);
}

#[test]
fn wrong_successes() {
    check(Reply::status(204, ""), "the server answered 204", 1);
    check(Reply::status(206, "part"), "the server answered 206", 1);
    check(
        Reply::ok("<!doctype html><title>Sign in</title>").header("content-type", "text/html"),
        "a page for people",
        1,
    );
}

#[test]
fn refusals_in_the_words_of_the_platform() {
    let body = json!({"error": {"type": "record-not-found", "message": "Actor run or build was not found"}});
    check(
        Reply::status(404, body.to_string()),
        "the server answered 404 (record-not-found: Actor run or build was not found)",
        1,
    );
    let body = json!({"success": false, "errors": [{"code": 10000, "message": "Authentication error"}]});
    check(Reply::status(403, body.to_string()), "the server answered 403 (10000: Authentication error)", 1);
    check(Reply::status(400, "{\"message\":\"no\"}"), "the server answered 400 (no)", 1);
    check(Reply::status(418, "teapot"), "the server answered 418", 1);
}

#[test]
fn servers_in_trouble() {
    check(Reply::status(500, "oops"), "the server answered 500", 3);
    check(Reply::status(503, "<html>down</html>"), "the server answered 503 (with an HTML page)", 3);
    check(Reply::status(429, "").header("retry-after", "0"), "the server answered 429", 3);
}

/// A refused token is not tried again and again.
#[test]
fn a_refused_token_stops_everything() {
    let (mut scene, world) = Scene::in_world(world());
    world.lock().expect("a world").token = "another-one".to_owned();
    scene.options.jobs = Some(std::num::NonZeroUsize::MIN);
    let summary = scene.fetch(&[log(RUN), log(APIFY_BUILD)]);
    assert_eq!(scene.server.seen().len(), 1);
    let reasons: Vec<&str> = summary.missing.iter().map(|missing| missing.reason.as_str()).collect();
    assert!(reasons[0].starts_with("the server answered 401 (user-or-token-not-found: "), "{reasons:?}");
    assert!(reasons[1].starts_with("not asked for: apify-log aB3dE6gH9jK2mN5pQ failed"), "{reasons:?}");
}

/// Fails so often, then serves the world.
fn failing(n: usize, bad: Reply) -> (Scene, Arc<AtomicUsize>) {
    let (world, asked) = (world(), Arc::new(AtomicUsize::new(0)));
    let count = Arc::clone(&asked);
    let scene = Scene::scripted(move |seen| {
        if count.fetch_add(1, Ordering::SeqCst) < n { bad.clone() } else { world.answer(seen) }
    });
    (scene, asked)
}

#[test]
fn what_passes_is_tried_again() {
    for bad in [
        Reply::status(500, ""),
        Reply::status(502, ""),
        Reply::status(408, ""),
        Reply::ok("x".repeat(9000)).by(Way::Reset(5000)),
        Reply::ok("x".repeat(9000)).by(Way::Short(5000)),
        Reply::ok("").by(Way::Raw(Vec::new())),
    ] {
        let (scene, asked) = failing(2, bad);
        scene.well(&[log(RUN)]);
        assert_eq!(scene.read(&format!("apify/_/{RUN}.log")), PLAIN_LOG);
        assert_eq!((asked.load(Ordering::SeqCst), scene.told.n_retries()), (3, 2));
    }
}

#[test]
fn the_server_says_when_to_return() {
    let begin = Instant::now();
    let (scene, _) = failing(1, Reply::status(429, "").header("retry-after", "1"));
    scene.well(&[log(RUN)]);
    assert!(begin.elapsed() >= Duration::from_secs(1), "{:?}", begin.elapsed());
    // A date far off is cut to the bound, which is two seconds here.
    let begin = Instant::now();
    let (scene, _) =
        failing(1, Reply::status(503, "").header("retry-after", "Fri, 31 Dec 2094 23:59:59 GMT"));
    scene.well(&[log(RUN)]);
    assert!(begin.elapsed() >= Duration::from_secs(2), "{:?}", begin.elapsed());
}

#[test]
fn redirects_inside_the_origin() {
    let world = world();
    let scene = Scene::scripted(move |seen| match seen.path.as_str() {
        "/moved" => world.answer(&logmill_mock::Seen { path: format!("/v2/logs/{RUN}"), ..seen.clone() }),
        _ => Reply::redirect("/moved"),
    });
    scene.well(&[log(RUN)]);
    assert_eq!(scene.read(&format!("apify/_/{RUN}.log")), PLAIN_LOG);
    assert_eq!(scene.server.seen()[1].header("authorization"), format!("Bearer {TOKEN}"));
}

#[test]
fn redirects_to_others() {
    let other = Server::start(|_| Reply::ok("stolen"));
    let host = format!("127.0.0.1:{}", other.port());
    for target in [
        format!("http://{host}/x"),
        format!("//{host}/x"),
        format!("http://user@{host}/x"),
        format!("http://localhost:{}/x", other.port()),
        format!("https://{host}/x"),
        "ftp://127.0.0.1/x".to_owned(),
        "file:///etc/passwd".to_owned(),
        "elsewhere".to_owned(),
        String::new(),
        format!("http://127.0.0.1:1/{TOKEN}"),
    ] {
        let scene = Scene::scripted(move |_| Reply::redirect(&target));
        let reason = scene.reason(log(RUN));
        assert!(reason.contains("redirect"), "{reason}");
        assert_eq!(scene.server.seen().len(), 1, "{reason}");
        assert!(!scene.leaks());
    }
    assert_eq!(other.seen().len(), 0);
}

#[test]
fn redirects_in_a_circle() {
    let scene = Scene::scripted(|seen| Reply::redirect(if seen.path == "/a" { "/b" } else { "/a" }));
    assert_eq!(scene.reason(log(RUN)), "expected an answer, found more than 3 redirects");
    assert_eq!(scene.server.seen().len(), 4);
}

#[test]
fn cursors_in_a_circle() {
    let page = json!({"success": true, "result": {"lines": [], "cursor": "same", "truncated": true}});
    let scene = Scene::scripted(move |_| Reply::ok(page.to_string()));
    assert_eq!(
        scene.reason(Target::Build(build())),
        "expected a new cursor, found one that was followed before"
    );
    assert_eq!(scene.server.seen().len(), 2);
    let note = scene.note(&format!("cloudflare/shop/{BUILD}/fetch.json"));
    assert!(!note.complete && note.incomplete_reason.is_some());
}

#[test]
fn pages_without_end() {
    let count = AtomicUsize::new(0);
    let scene = Scene::scripted(move |_| {
        let cursor = count.fetch_add(1, Ordering::SeqCst).to_string();
        Reply::ok(
            json!({"success": true, "result": {"lines": [], "cursor": cursor, "truncated": true}})
                .to_string(),
        )
    });
    assert_eq!(scene.reason(Target::Build(build())), "expected a last page, found none among 40");
    assert_eq!(scene.server.seen().len(), 40);
}

#[test]
fn truncated_without_a_cursor() {
    let scene = Scene::scripted(|_| Reply::ok(r#"{"success":true,"result":{"lines":[],"truncated":true}}"#));
    let reason = scene.reason(Target::Build(build()));
    assert_eq!(reason, "expected a cursor, as the answer says that there is more, found none");
}

#[test]
fn no_success_with_status_200() {
    let body = json!({"success": false, "errors": [{"code": 12000, "message": format!("no {TOKEN}")}], "result": null});
    let scene = Scene::scripted(move |_| Reply::ok(body.to_string()));
    assert_eq!(scene.reason(Target::Build(build())), "the platform answered: 12000: no [redacted]");
    assert_eq!(scene.files(), Vec::<String>::new());
}

/// The documentation's own example has errors beside a success.
#[test]
fn success_with_errors_beside_it() {
    let scene = Scene::scripted(|_| Reply::ok(r#"{"success":true,"errors":[{"code":1}],"result":null}"#));
    scene.well(&[Target::Build(build())]);
}

#[test]
fn executions_without_end() {
    let count = AtomicUsize::new(0);
    let scene = Scene::scripted(move |_| {
        let n = count.fetch_add(1, Ordering::SeqCst);
        Reply::ok(json!({"data": [execution(n)]}).to_string())
    });
    assert_eq!(
        scene.reason(Target::Executions(executions(1))),
        "expected an empty page, found none among 40"
    );
    let same = Scene::scripted(|_| Reply::ok(json!({"data": [execution(1)]}).to_string()));
    let reason = same.reason(Target::Executions(executions(1)));
    assert_eq!(reason, "expected other executions on page 3, found those of the page before");
    assert_eq!(same.files().len(), 2);
}

#[test]
fn answers_of_another_shape() {
    for body in ["", "{}", "[]", "{\"data\":{}}", "not json", "{\"data\":[", "<html></html>", "\u{0}"] {
        let scene = Scene::scripted(move |_| Reply::ok(body));
        let reason = scene.reason(Target::Executions(executions(1)));
        assert!(reason.starts_with("expected a page of executions, found "), "{reason}");
        assert_eq!(scene.files(), Vec::<String>::new());
    }
    let deep = format!("{{\"data\":{}{}}}", "[".repeat(100_000), "]".repeat(100_000));
    let scene = Scene::scripted(move |_| Reply::ok(deep.clone()));
    assert!(scene.reason(Target::Executions(executions(1))).starts_with("expected a page"));
}

/// A server that repeats the token does not bring it into messages.
#[test]
fn a_server_that_repeats_the_token() {
    let scene = Scene::scripted(|seen| {
        let said = format!("bad header {}", seen.header("authorization"));
        Reply::status(400, json!({"error": {"type": "t", "message": said}}).to_string())
    });
    assert_eq!(scene.reason(log(RUN)), "the server answered 400 (t: bad header Bearer [redacted])");
    assert!(!scene.leaks());
}

#[test]
fn a_followed_log_survives_a_broken_connection() {
    let count = AtomicUsize::new(0);
    let mut scene = Scene::scripted(move |_| match count.fetch_add(1, Ordering::SeqCst) {
        0 => Reply::ok("one\ntwo\nthree\n").by(Way::Reset(7)),
        1 => Reply::ok("one\ntwo\nthree\n").by(Way::Short(10)),
        // Silence for longer than the bound is no fault.
        2 => {
            let silent = (Duration::from_millis(900), b"three\n".to_vec());
            Reply::ok("").by(Way::Chunks(vec![(Duration::ZERO, b"one\ntwo\n".to_vec()), silent]))
        }
        _ => Reply::ok("one\ntwo\nthree\n"),
    });
    scene.options.policy = hasty();
    scene.well(&[Target::Log(Log { transfer: Transfer::Follow, ..plain(RUN) })]);
    assert_eq!(scene.read(&format!("apify/_/{RUN}.log")), b"one\ntwo\nthree\n");
    assert_eq!(scene.told.followed(), b"one\ntwo\nthree\n");
}

#[test]
fn nobody_there() {
    let port = Server::start(|_| Reply::ok("")).port();
    let mut scene = Scene::scripted(|_| Reply::ok(""));
    scene.options.origin = Some(format!("http://127.0.0.1:{port}").parse().expect("an origin"));
    std::thread::sleep(Duration::from_millis(50));
    let reason = scene.reason(log(RUN));
    assert!(reason.starts_with("cannot connect"), "{reason}");
    assert_eq!(scene.told.n_retries(), 2);
}
