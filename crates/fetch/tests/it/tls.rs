//! Encrypted connections: to whom it may concern, and to nobody else.

use logmill_fetch::{Missing, ProxyChoice, Roots, Target};
use logmill_mock::{Authority, Reply, Server, ServerCertificate};

use crate::support::*;

/// A scene behind TLS, where `authority` may vouch for servers.
fn scene(authority: &Authority, certificate: &ServerCertificate) -> Scene {
    let world = world();
    let mut scene = Scene::at(Server::start_tls(certificate, move |seen| world.answer(seen)));
    scene.options.roots = Roots::Pem(authority.pem().into_bytes());
    scene
}

#[test]
fn a_known_authority() {
    let authority = Authority::new();
    let scene = scene(&authority, &authority.server("127.0.0.1"));
    scene.well(&[log(RUN)]);
    assert_eq!(scene.read(&format!("apify/_/{RUN}.log")), PLAIN_LOG);
    // Other targets over TLS, on connections of their own.
    scene.well(&[Target::Build(build())]);
}

/// Refused at once, with nothing sent.
#[track_caller]
fn refused(scene: &Scene, expect: &str) {
    let summary = scene.fetch(&[log(RUN)]);
    let [Missing { reason, .. }] = summary.missing.as_slice() else { panic!("{summary:?}") };
    assert!(reason.contains("found a TLS error") && reason.contains(expect), "{reason}");
    assert_eq!((scene.server.seen().len(), scene.told.n_retries()), (0, 0));
    assert_eq!(scene.files(), Vec::<String>::new());
}

#[test]
fn certificates_that_are_refused() {
    let authority = Authority::new();
    refused(&scene(&authority, &authority.server("127.0.0.2")), "not valid for");
    refused(&scene(&authority, &authority.server("api.apify.com")), "not valid for");
    refused(&scene(&authority, &authority.expired("127.0.0.1")), "expired");
    refused(&scene(&authority, &Authority::self_signed("127.0.0.1")), "");
    refused(&scene(&authority, &Authority::new().server("127.0.0.1")), "");
    // Without a file of authorities those of the web count, and they do not know ours.
    let mut unknown = scene(&authority, &authority.server("127.0.0.1"));
    unknown.options.roots = Roots::Web;
    refused(&unknown, "UnknownIssuer");
}

#[test]
fn from_https_down_to_http() {
    let authority = Authority::new();
    let plain = Server::start(|_| Reply::ok("stolen"));
    let target = format!("{}/x", plain.url());
    let server = Server::start_tls(&authority.server("127.0.0.1"), move |_| Reply::redirect(&target));
    let mut scene = Scene::at(server);
    scene.options.roots = Roots::Pem(authority.pem().into_bytes());
    let reason = scene.reason(log(RUN));
    assert!(reason.contains("found one to http://127.0.0.1"), "{reason}");
    assert_eq!(plain.seen().len(), 0);
}

#[test]
fn a_file_of_authorities_that_is_none() {
    let scene = Scene::scripted(|_| Reply::ok(""));
    for pem in ["", "no PEM", "-----BEGIN CERTIFICATE-----\n!!\n-----END CERTIFICATE-----\n"] {
        let mut options = scene.options.clone();
        options.roots = Roots::Pem(pem.as_bytes().to_vec());
        let error =
            logmill_fetch::Session::new(logmill_fetch::Platform::Apify, &options).err().expect("refused");
        assert!(error.to_string().starts_with("expected PEM certificates"), "{error}");
    }
}

/// The platform's own host, reached through a proxy that answers in its place.
#[test]
fn a_proxy_sees_no_token() {
    let authority = Authority::new();
    let world = world();
    let proxy = Server::start_proxy(&authority.server("api.apify.com"), move |seen| world.answer(seen));
    let mut scene = Scene::scripted(|_| Reply::status(500, ""));
    scene.options.origin = None;
    scene.options.roots = Roots::Pem(authority.pem().into_bytes());
    scene.options.proxy = ProxyChoice::Url(proxy.url());
    scene.well(&[log(RUN)]);
    let seen = proxy.seen();
    assert_eq!((seen[0].method.as_str(), seen[0].path.as_str()), ("CONNECT", "api.apify.com:443"));
    assert!(!contains(&seen[0].raw, TOKEN.as_bytes()));
    assert_eq!(seen[1].header("authorization"), format!("Bearer {TOKEN}"));
    assert_eq!(seen[1].header("host"), "api.apify.com");
}
