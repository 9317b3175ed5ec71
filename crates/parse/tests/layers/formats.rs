//! A format is known to itself and to the registry, and to nobody else.

use logmill_parse::format::ALL;

use crate::source::{Source, words};
use crate::{SOURCES, none};

/// The module of each format: its id in `snake_case`.
fn modules() -> Vec<String> {
    ALL.iter().map(|format| format.about().id.replace('-', "_")).collect()
}

/// The format a source belongs to, if it belongs to one.
fn home<'m>(source: &Source, modules: &'m [String]) -> Option<&'m String> {
    let inner = source.path.strip_prefix("crates/parse/src/formats/")?;
    modules
        .iter()
        .find(|module| inner.strip_prefix(module.as_str()).is_some_and(|rest| rest.starts_with(['.', '/'])))
}

#[test]
fn formats_are_named_by_the_registry_alone() {
    let modules = modules();
    let mut breaches = Vec::new();
    for source in SOURCES.iter() {
        // The generator writes logs and must not know what reads them.
        let is_registry =
            ["crates/parse/src/format.rs", "crates/parse/src/formats/mod.rs"].contains(&source.path.as_str());
        if is_registry || source.path.starts_with("crates/generate/") {
            continue;
        }
        let own = home(source, &modules);
        for module in modules.iter().filter(|module| Some(*module) != own) {
            if source.says(&[module]) {
                breaches.push(format!(
                    "{}: `{module}`: a fifth format must cost one line in the registry",
                    source.path
                ));
            }
        }
    }
    for module in &modules {
        assert!(SOURCES.iter().any(|source| home(source, &modules) == Some(module)), "no source of {module}");
    }
    none(&breaches);
}

/// Formats leave marks; what assembles them sees no difference between platforms.
#[test]
fn analysis_knows_no_platform() {
    let mut breaches = Vec::new();
    for source in SOURCES.iter() {
        let is_above = ["crates/analyze/", "crates/frame/", "crates/cli/"]
            .iter()
            .any(|above| source.path.starts_with(above));
        for platform in ["Apify", "Cloudflare", "Alloy"] {
            if is_above && source.says(&["Platform", "::", platform]) {
                breaches.push(format!("{}: `Platform::{platform}`", source.path));
            }
        }
    }
    none(&breaches);
}

#[track_caller]
fn check(text: &str, expect: &[&str]) {
    assert_eq!(words(text), expect, "{text}");
}

#[test]
fn words_are_code_alone() {
    check("use std::fs; // fs", &["use", "std", "::", "fs", ";"]);
    check("a /* fs /* fs */ fs */ b", &["a", "b"]);
    check(
        r#"f("fs \" fs", 'f', '\'', b"fs", 'a: loop)"#,
        &["f", "(", ",", ",", ",", ",", "'", "a", ":", "loop", ")"],
    );
    check("r\"fs\\\" r#\"fs \" fs\"# br\"fs\" radius", &["radius"]);
    check("for<'a> &'a str", &["for", "<", "'", "a", ">", "&", "'", "a", "str"]);
    check("\"unclosed fs", &[]);
}
