//! Tokens: where they come from, and that they are seen nowhere.

use std::fs;
use std::io::Write;
use std::process::Stdio;
use std::time::{Duration, Instant};

use logmill_mock::{Authority, Reply, Server, Way};

use crate::support::*;

/// Whether the token stands in it.
fn has(bytes: &[u8]) -> bool {
    bytes.windows(TOKEN.len()).any(|window| window == TOKEN.as_bytes())
}

#[track_caller]
fn is_clean(place: &Place, said: &Said) {
    assert!(!has(said.out.as_bytes()) && !has(said.err.as_bytes()), "{said:?}");
    for (name, bytes) in place.files(".") {
        assert!(!has(&bytes), "{name}");
    }
}

/// While it runs, and afterwards, with everything said that can be said.
#[cfg(target_os = "linux")]
#[test]
fn a_token_is_seen_nowhere() {
    let place = Place::new();
    let other = Server::start(|_| Reply::ok("stolen"));
    let target = format!("{}/x", other.url());
    let server = Server::start(move |seen| match seen.path.as_str() {
        "/v2/logs/away" => Reply::redirect(&target),
        // Servers that repeat what they were sent.
        "/v2/logs/echo" => {
            let said = String::from_utf8_lossy(&seen.raw).escape_debug().to_string();
            Reply::status(400, format!("{{\"error\":{{\"type\":\"t\",\"message\":{said:?}}}}}"))
        }
        "/v2/logs/busy" => Reply::status(503, format!("{{\"message\":\"{TOKEN}\"}}")),
        _ => Reply::ok("").by(Way::Chunks(vec![(Duration::from_millis(700), b"a log".to_vec())])),
    });
    let args = format!(
        "fetch apify-log slow away echo busy --verbose --attempts 2 --jobs 4 --base-url {}",
        server.url()
    );
    let child =
        place.logmill(&args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
    let (end, mut looks) = (Instant::now() + Duration::from_millis(600), 0);
    while Instant::now() < end {
        let line = fs::read(format!("/proc/{}/cmdline", child.id())).expect("it runs");
        assert!(!has(&line));
        looks += usize::from(line.windows(9).any(|window| window == b"apify-log"));
        std::thread::sleep(Duration::from_millis(50));
    }
    assert!(looks > 0);
    let said: Said = child.wait_with_output().expect("it ends").into();
    assert_eq!(said.code, Some(4), "{said:?}");
    assert!(said.err.contains("[redacted]") && said.err.contains("apify-log slow: complete"), "{}", said.err);
    is_clean(&place, &said);
    assert_eq!(other.seen().len(), 0);
    assert!(server.seen().iter().all(|seen| seen.header("authorization") == format!("Bearer {TOKEN}")));
    assert!(server.seen().iter().all(|seen| !seen.target().contains(TOKEN)));
}

#[test]
fn a_token_from_a_file_or_standard_input() {
    let (place, server) = (Place::new(), serve(demo()));
    let id = &demo().runs[0].id;
    place.write("token", &format!("{TOKEN}\n"));
    let args = |token: &str| {
        format!("fetch apify-log {id} --refresh --token-file {token} --base-url {}", server.url())
    };
    let of_file = || finish(&mut place.without_token(&args("token")));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = |mode| {
            fs::set_permissions(place.path().join("token"), fs::Permissions::from_mode(mode)).expect("set");
        };
        for open in [0o644, 0o640, 0o604, 0o660] {
            mode(open);
            let said = of_file();
            assert_eq!(said.code, Some(2));
            assert!(said.err.contains(&format!("found mode {open:04o}; chmod 600 token")), "{}", said.err);
        }
        mode(0o600);
    }
    let said = of_file();
    assert_eq!(said.code, Some(0), "{said:?}");
    let mut command = place.without_token(&args("-"));
    let mut child = command.stdin(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
    child.stdin.take().expect("a pipe").write_all(TOKEN.as_bytes()).expect("read");
    let said: Said = child.wait_with_output().expect("it ends").into();
    assert_eq!(said.code, Some(0), "{said:?}");
    // The file goes before the environment.
    let said = finish(place.without_token(&args("token")).env("APIFY_TOKEN", "another-token"));
    assert_eq!(said.code, Some(0), "{said:?}");
    place.write("token", "two words");
    let said = of_file();
    assert_eq!((said.code, said.err.contains("words")), (Some(2), false), "{said:?}");
}

#[test]
fn without_a_token() {
    let (place, server) = (Place::new(), serve(demo()));
    let how = format!("--base-url {}", server.url());
    for (args, expect) in [
        (format!("fetch apify-schedule s1 {how}"), "APIFY_TOKEN"),
        (format!("fetch apify-log --actor a {how}"), "APIFY_TOKEN"),
        (format!("fetch cloudflare-build --account {ACCOUNT} --worker w {how}"), "CLOUDFLARE_API_TOKEN"),
        (format!("fetch alloy-execution --workflow w {how}"), "ALLOY_API_KEY"),
    ] {
        let said = finish(&mut place.without_token(&args));
        assert_eq!(said.code, Some(2), "{said:?}");
        assert!(said.err.contains(&format!("expected a token in {expect}")), "{}", said.err);
    }
    assert_eq!(server.seen().len(), 0);
    // Whoever knows the id of a run may ask for its log; this server wants a token all the same.
    let said = finish(&mut place.without_token(&format!("fetch apify-log R1 R2 --jobs 1 {how}")));
    assert_eq!(said.code, Some(4));
    assert!(said.err.contains("answered 401 (user-or-token-not-found"), "{}", said.err);
    assert_eq!((server.seen().len(), server.seen()[0].header("authorization")), (1, ""));
}

#[test]
fn key_and_email() {
    let (place, server) = (Place::new(), serve(demo()));
    let mut command = place.without_token(&format!(
        "fetch cloudflare-build --account {ACCOUNT} --worker docs-site --base-url {}",
        server.url()
    ));
    let said = finish(command.env("CLOUDFLARE_EMAIL", "me@example.com").env("CLOUDFLARE_API_KEY", TOKEN));
    assert_eq!(said.code, Some(0), "{said:?}");
    assert_eq!(server.seen()[0].header("x-auth-key"), TOKEN);
    is_clean(&place, &said);
}

/// The platform's own address, through a proxy of the environment that answers in its place.
#[test]
fn through_a_proxy() {
    let (place, world, authority) = (Place::new(), demo(), Authority::new());
    let id = world.runs[0].id.clone();
    let proxy = Server::start_proxy(&authority.server("api.apify.com"), move |seen| world.answer(seen));
    place.write("ca.pem", &authority.pem());
    let args = format!("fetch apify-log {id} --ca-file ca.pem");
    let said = finish(place.logmill(&args).env("HTTPS_PROXY", proxy.url()));
    assert_eq!(said.code, Some(0), "{said:?}");
    let seen = proxy.seen();
    assert_eq!((seen[0].method.as_str(), seen[0].path.as_str()), ("CONNECT", "api.apify.com:443"));
    assert!(!has(&seen[0].raw) && seen[1].header("authorization").ends_with(TOKEN));
    is_clean(&place, &said);
    // Without the file nobody vouches for it; a proxy that is none is not gone around.
    let said =
        finish(place.logmill(&format!("fetch apify-log {id} --refresh")).env("HTTPS_PROXY", proxy.url()));
    assert_eq!(said.code, Some(4));
    assert!(said.err.contains("found a TLS error"), "{}", said.err);
    let said = finish(place.logmill(&args).env("HTTPS_PROXY", "::nonsense::"));
    assert_eq!(said.code, Some(2), "{said:?}");
    assert!(said.err.contains("expected the URL of a proxy in HTTPS_PROXY"), "{}", said.err);
}
