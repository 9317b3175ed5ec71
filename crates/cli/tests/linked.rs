//! What the program links as it is built by default: nothing that speaks to a network.
//!
//! `Cargo.lock` also lists what some feature of some dependency might need, so cargo is asked
//! what it would really build.

use std::collections::BTreeSet;
use std::process::Command;

/// Crates that speak HTTP or TLS.
///
/// `tokio`, `mio` and `socket2` are not among them: polars brings them whatever its features are, and
/// alone they speak neither.
const NETWORK: &[&str] = &[
    "attohttpc",
    "aws-lc-rs",
    "boring",
    "curl",
    "curl-sys",
    "h2",
    "h3",
    "http",
    "http-body",
    "httparse",
    "hyper",
    "hyper-rustls",
    "hyper-tls",
    "hyper-util",
    "isahc",
    "minreq",
    "native-tls",
    "object_store",
    "openssl",
    "openssl-sys",
    "quinn",
    "reqwest",
    "ring",
    "rustls",
    "rustls-webpki",
    "schannel",
    "security-framework",
    "surf",
    "tokio-native-tls",
    "tokio-rustls",
    "tungstenite",
    "ureq",
    "webpki-roots",
];

/// The packages that a default build of the program links on this platform.
fn linked() -> BTreeSet<String> {
    linked_with(&[])
}

/// The packages that a build with these features links.
fn linked_with(features: &[&str]) -> BTreeSet<String> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let tree =
        ["tree", "--package", "logmill", "--edges", "normal", "--prefix", "none", "--locked", "--offline"];
    let output = Command::new(cargo)
        .args(tree)
        .args(["--features", &features.join(",")])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo tree runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let lines = String::from_utf8(output.stdout).expect("cargo tree prints text");
    lines.lines().filter_map(|line| line.split_whitespace().next()).map(str::to_owned).collect()
}

#[test]
fn nothing_speaks_to_a_network() {
    let linked = linked();
    for expected in ["logmill", "logmill-parse", "logmill-analyze", "logmill-frame", "polars", "rayon"] {
        assert!(linked.contains(expected), "expected {expected} among {linked:?}");
    }
    let network: Vec<&&str> = NETWORK.iter().filter(|name| linked.contains(**name)).collect();
    assert!(network.is_empty(), "{network:?}");
    assert!(!linked.contains("logmill-fetch"), "the feature `fetch` is not on by default");
}

/// With the feature one HTTP client and one TLS library come, and nothing else that is like them.
#[test]
fn fetch_brings_one_client() {
    let (with, without) = (linked_with(&["fetch"]), linked());
    let network: Vec<&str> = NETWORK.iter().copied().filter(|name| with.contains(*name)).collect();
    let expect = ["http", "httparse", "ring", "rustls", "rustls-webpki", "ureq", "webpki-roots"];
    assert_eq!(network, expect);
    assert!(with.contains("logmill-fetch") && with.is_superset(&without));
    assert!(!with.contains("logmill-mock"), "the mock is for tests alone");
}

/// polars is used eagerly: its lazy half links an HTTP client and doubles the build.
#[test]
fn polars_is_eager() {
    let linked = linked();
    let lazy: Vec<&str> = ["polars-lazy", "polars-plan", "polars-expr", "polars-mem-engine", "polars-stream"]
        .into_iter()
        .filter(|name| linked.contains(*name))
        .collect();
    assert!(lazy.is_empty(), "{lazy:?}");
}
