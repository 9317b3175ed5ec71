//! Who may use whom, and what which layer must not do.
//!
//! The rules are the tables below. They are checked on manifests and sources, so that a breach
//! shows without building the large dependencies; what clippy can check stands in each crate's
//! `clippy.toml` as well. What the finished program links is a test of the crate `logmill`.

#![expect(clippy::disallowed_methods, reason = "the rules are checked on files of the repository")]

mod formats;
mod manifest;
mod source;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use manifest::{Manifest, locked, reachable};
use source::{Source, sources};

/// A crate and the crates of this workspace it may depend on.
struct Layer {
    folder: &'static str,
    name: &'static str,
    uses: &'static [&'static str],
}

/// parse ← analyze ← frame, html ← cli; fetch ← cli; archive ← cli; generate depends on none and is used by cli and by
/// tests; mock depends on none and is used by tests; checks is used by its own tests and by the fuzz targets.
const LAYERS: &[Layer] = &[
    Layer { folder: "crates/parse", name: "logmill-parse", uses: &[] },
    Layer { folder: "crates/analyze", name: "logmill-analyze", uses: &["logmill-parse"] },
    Layer { folder: "crates/frame", name: "logmill-frame", uses: &["logmill-parse", "logmill-analyze"] },
    Layer { folder: "crates/archive", name: "logmill-archive", uses: &[] },
    Layer { folder: "crates/html", name: "logmill-html", uses: &["logmill-parse", "logmill-analyze"] },
    Layer { folder: "crates/generate", name: "logmill-generate", uses: &[] },
    Layer { folder: "crates/fetch", name: "logmill-fetch", uses: &[] },
    Layer { folder: "crates/mock", name: "logmill-mock", uses: &[] },
    Layer {
        folder: "crates/checks",
        name: "logmill-checks",
        uses: &["logmill-parse", "logmill-analyze", "logmill-archive", "logmill-frame"],
    },
    Layer {
        folder: "crates/cli",
        name: "logmill",
        uses: &[
            "logmill-parse",
            "logmill-analyze",
            "logmill-frame",
            "logmill-archive",
            "logmill-html",
            "logmill-generate",
            "logmill-fetch",
        ],
    },
];

/// The benches may use every crate, and no crate may use them.
const BENCHES: &str = "benches";

/// Libraries that belong to some layers only, and why.
const LIBRARIES: &[(&[&str], &[&str], &str)] = &[
    (&["nom"], &["crates/parse"], "grammars are the formats'"),
    (&["rayon"], &["crates/analyze"], "the only crate that spreads work over threads"),
    (&["polars", "polars-arrow", "polars-parquet"], &["crates/frame"], "the only crate that says polars"),
    (&["tempfile"], &["crates/frame", "crates/cli"], "files are written by frame, or by the cli"),
    (
        &["sha2"],
        &["crates/analyze", "crates/frame", "crates/html", "crates/cli"],
        "checksums of outputs, hashes of a page's parts, pseudonyms of secrets",
    ),
    (&["anyhow", "clap", "comfy-table", "glob", "walkdir"], &["crates/cli"], "the command line"),
    (
        &["flate2", "zstd", "bzip2", "lzma-rust2", "deflate64", "crc32fast"],
        &["crates/archive"],
        "compressed bytes are read in one place",
    ),
    (
        &["ureq", "reqwest", "rustls", "native-tls"],
        &["crates/fetch", "crates/mock"],
        "the only crate that may use the network, and the servers of its tests",
    ),
];

/// All that the parsing core is made of.
const PARSE_USES: &[&str] = &["chrono", "memchr", "nom", "serde", "serde_json", "simdutf8"];

/// Words that only some sources may say. A path ending in `/` is a folder.
const WORDS: &[(&[&str], &[&str], &str)] = &[
    (&["unsafe"], &[], "there is no unsafe code"),
    (&["rayon"], &["crates/analyze/src/pipeline.rs"], "parallelism stands in one file"),
    (
        &["std", "::", "thread"],
        &["crates/cli/src/", "crates/fetch/src/clock.rs", "crates/fetch/src/pool.rs", "crates/mock/src/"],
        "parallelism stands in one file",
    ),
    (
        &["fs"],
        &[
            "crates/cli/src/",
            "crates/frame/src/output.rs",
            "crates/frame/src/pending.rs",
            "crates/fetch/src/store.rs",
            "crates/mock/src/dump.rs",
        ],
        "inputs are the cli's, outputs are output.rs's and store.rs's",
    ),
    (
        &["File", "::", "open"],
        &[
            "crates/cli/src/",
            "crates/frame/src/output.rs",
            "crates/frame/src/pending.rs",
            "crates/fetch/src/store.rs",
        ],
        "inputs are the cli's",
    ),
    (&["File", "::", "create"], &["crates/cli/src/"], "outputs are atomic"),
    (&["std", "::", "net"], &["crates/fetch/src/", "crates/mock/src/"], "the network is fetch's"),
    (&["stdin"], &["crates/cli/src/"], "the terminal is the cli's"),
    (&["stdout"], &["crates/cli/src/"], "the terminal is the cli's"),
    (&["stderr"], &["crates/cli/src/"], "the terminal is the cli's"),
    (&["print", "!"], &["crates/cli/src/"], "only the cli prints"),
    (&["println", "!"], &["crates/cli/src/"], "only the cli prints"),
    (&["eprint", "!"], &["crates/cli/src/"], "only the cli prints"),
    (&["eprintln", "!"], &["crates/cli/src/"], "only the cli prints"),
    (&["dbg", "!"], &[], "what is printed is meant to be"),
    (&["process", "::", "exit"], &["crates/cli/src/"], "only the cli exits"),
    (
        &["SystemTime", "::", "now"],
        &["crates/cli/src/", "crates/fetch/src/clock.rs"],
        "no clock below the cli, but for waits and notes",
    ),
    (
        &["Instant", "::", "now"],
        &["crates/cli/src/", "crates/fetch/src/clock.rs"],
        "no clock below the cli, but for waits and notes",
    ),
    (&["Utc", "::", "now"], &["crates/cli/src/"], "no clock below the cli"),
    (&["Local", "::", "now"], &["crates/cli/src/"], "no clock below the cli"),
    (&["HashMap"], &["crates/cli/src/"], "hash order must not reach an output"),
    (&["HashSet"], &["crates/cli/src/"], "hash order must not reach an output"),
    (&["#", "[", "allow"], &[], "#[expect(…, reason = …)] goes stale loudly"),
    (&["#", "!", "[", "allow"], &[], "#![expect(…, reason = …)] goes stale loudly"),
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn manifests() -> Vec<Manifest> {
    let root = root();
    LAYERS
        .iter()
        .map(|layer| layer.folder)
        .chain([BENCHES])
        .map(|folder| Manifest::read(&root, folder))
        .collect()
}

/// The sources of all crates, without their tests.
static SOURCES: LazyLock<Vec<Source>> = LazyLock::new(|| {
    let root = root();
    LAYERS.iter().flat_map(|layer| sources(&root, &format!("{}/src", layer.folder))).collect()
});

/// Fails with every breach there is, one per line.
#[track_caller]
fn none(breaches: &[String]) {
    assert!(breaches.is_empty(), "\n{}", breaches.join("\n"));
}

#[test]
fn every_crate_is_a_layer() {
    let mut found: Vec<String> = fs::read_dir(root().join("crates"))
        .expect("a folder of crates")
        .flatten()
        .map(|entry| format!("crates/{}", entry.file_name().to_string_lossy()))
        .collect();
    found.sort();
    let mut known: Vec<&str> = LAYERS.iter().map(|layer| layer.folder).collect();
    known.sort_unstable();
    assert_eq!(found, known);
    for (layer, manifest) in LAYERS.iter().zip(manifests()) {
        assert_eq!(manifest.name, layer.name);
    }
}

#[test]
fn crates_use_only_the_layers_below() {
    let mut breaches = Vec::new();
    for (layer, manifest) in LAYERS.iter().zip(manifests()) {
        for used in manifest.dependencies.iter().filter(|used| used.name.starts_with("logmill")) {
            if !layer.uses.contains(&used.name.as_str()) {
                breaches.push(format!("{} uses {}", layer.name, used.name));
            }
        }
        // Tests may read generated dumps besides, and those of what uses the network talk to servers of their own.
        for used in manifest.dev_dependencies.iter().filter(|used| used.name.starts_with("logmill")) {
            let is_for_tests = ["logmill-generate", "logmill-mock"].contains(&used.name.as_str());
            if !layer.uses.contains(&used.name.as_str()) && !is_for_tests {
                breaches.push(format!("tests of {} use {}", layer.name, used.name));
            }
        }
    }
    none(&breaches);
}

#[test]
fn libraries_stay_in_their_layers() {
    let mut breaches = Vec::new();
    for manifest in manifests().iter().filter(|manifest| manifest.folder != BENCHES) {
        for (libraries, homes, reason) in LIBRARIES {
            for used in manifest.dependencies.iter().filter(|used| libraries.contains(&used.name.as_str())) {
                if !homes.contains(&manifest.folder.as_str()) {
                    breaches.push(format!("{} uses {}: {reason}", manifest.name, used.name));
                }
            }
        }
        for used in &manifest.dependencies {
            if manifest.name == "logmill-parse" && !PARSE_USES.contains(&used.name.as_str()) {
                breaches.push(format!("logmill-parse uses {}: the core stays small", used.name));
            }
        }
    }
    none(&breaches);
}

/// What builds and tests the core must be quick to build.
#[test]
fn core_and_analysis_do_without_polars() {
    let packages = locked(&root());
    assert!(packages.contains_key("polars"), "expected a lock file that holds polars");
    for name in [
        "logmill-parse",
        "logmill-analyze",
        "logmill-archive",
        "logmill-html",
        "logmill-generate",
        "logmill-fetch",
        "logmill-mock",
    ] {
        let reached = reachable(&packages, name);
        assert!(reached.contains(name));
        let polars: Vec<&String> = reached.iter().filter(|name| name.starts_with("polars")).collect();
        assert!(polars.is_empty(), "{name} leads to {polars:?}");
    }
}

#[test]
fn dependencies_enter_in_the_workspace() {
    let mut breaches = Vec::new();
    for manifest in manifests() {
        for used in manifest.dependencies.iter().chain(&manifest.dev_dependencies) {
            let value = used.value.replace(' ', "");
            if !value.starts_with(".workspace=true") && !value.contains("workspace=true") {
                breaches.push(format!("{}: {}{}", manifest.folder, used.name, used.value));
            }
        }
    }
    none(&breaches);
}

/// A comment stands above every group of entries that no blank line parts.
#[test]
fn dependencies_say_what_they_are_for() {
    let text = fs::read_to_string(root().join("Cargo.toml")).expect("the workspace's manifest");
    let list = text
        .split("[workspace.dependencies]")
        .nth(1)
        .and_then(|list| list.split("\n[").next())
        .expect("a list");
    let (mut explained, mut n, mut breaches) = (false, 0, Vec::new());
    for line in list.lines().map(str::trim) {
        match line.chars().next() {
            None => explained = false,
            Some('#') => explained = true,
            Some(_) if line.contains("path = ") => {}
            Some(_) => {
                n += 1;
                if !explained {
                    breaches.push(line.to_owned());
                }
            }
        }
    }
    assert!(n > 10, "expected a list of dependencies, found {n}");
    none(&breaches);
}

#[test]
fn lints_hold_everywhere() {
    let text = fs::read_to_string(root().join("Cargo.toml")).expect("the workspace's manifest");
    let workspace = manifest::sections(&text);
    let says = |section: &str, line: &str| {
        assert!(workspace[section].iter().any(|found| found == line), "expected {line} in {section}");
    };
    says("[workspace.lints.rust]", "unsafe_code = \"forbid\"");
    says("[workspace.lints.rust]", "missing_docs = \"warn\"");
    says("[workspace.lints.clippy]", "pedantic = { level = \"warn\", priority = -1 }");
    says("[profile.release]", "overflow-checks = true");
    for manifest in manifests() {
        assert_eq!(manifest.sections["[lints]"], ["workspace = true"], "{}", manifest.folder);
    }
}

#[test]
fn layers_keep_to_their_words() {
    let mut breaches = Vec::new();
    for source in SOURCES.iter() {
        for (words, homes, reason) in WORDS {
            let at_home = homes
                .iter()
                .any(|home| source.path == *home || (home.ends_with('/') && source.path.starts_with(home)));
            if !at_home && source.says(words) {
                breaches.push(format!("{}: `{}`: {reason}", source.path, words.concat()));
            }
        }
    }
    none(&breaches);
}

/// An exception for a file that no longer needs it is a hole, and a reader of sources that finds
/// nothing finds no breach.
#[test]
fn exceptions_are_needed() {
    for (words, homes, _) in WORDS {
        for home in homes.iter().filter(|home| !home.ends_with('/')) {
            let says = SOURCES.iter().any(|source| source.path == *home && source.says(words));
            assert!(says, "{home} does not say `{}`", words.concat());
        }
    }
}
