//! The transcripts of `docs/fetch.md` are true. `LOGMILL_ACCEPT=1` rewrites them.

use std::env;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;

use crate::support::*;

/// The address that stands in the page for that of the server.
const SHOWN: &str = "http://127.0.0.1:8080";

/// Runs one line as a shell does and returns what it prints.
fn said(place: &Place, line: &str, url: &str) -> String {
    let bin = Path::new(env!("CARGO_BIN_EXE_logmill")).parent().expect("a folder");
    let path = format!("{}:{}", bin.display(), env::var("PATH").unwrap_or_default());
    // What the program knows of the environment is what `logmill` sets.
    let model = place.logmill("");
    let mut shell = Command::new("sh");
    shell.args(["-c", &format!("{} 2>&1", line.replace(SHOWN, url))]).current_dir(place.path());
    for (name, value) in model.get_envs() {
        match value {
            Some(value) => shell.env(name, value),
            None => shell.env_remove(name),
        };
    }
    let output = shell.env("PATH", path).output().expect("a shell");
    let text = String::from_utf8(output.stdout).expect("UTF-8").replace(url, SHOWN);
    let code = output.status.code().unwrap_or(-1);
    let code = if code == 0 { String::new() } else { format!("[exit code {code}]\n") };
    format!("{}{code}", without_times(&text))
}

/// The time of a fetch is another each time.
fn without_times(text: &str) -> String {
    const KEY: &str = "\"fetched_at\": \"";
    let mut parts = text.split(KEY);
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| {
        let rest = part.split_once('"').map_or("", |(_, rest)| rest);
        format!("{text}{KEY}2026-01-31T10:00:00Z\"{rest}")
    })
}

/// The page with every `$ line` followed by what it prints now.
fn rewritten(page: &str, place: &Place, url: &str) -> String {
    let mut out = String::new();
    let mut is_transcript = false;
    for line in page.lines() {
        let is_fence = line.starts_with("```");
        if is_fence {
            is_transcript = line == "```console";
        }
        if is_fence || !is_transcript {
            out.push_str(line);
            out.push('\n');
        } else if let Some(command) = line.strip_prefix("$ ") {
            let _ = write!(out, "{line}\n{}", said(place, command, url));
        }
    }
    out
}

#[cfg(unix)]
#[test]
fn transcripts() {
    let (place, server) = (Place::new(), serve(demo()));
    let path = root().join("docs/fetch.md");
    let page = fs::read_to_string(&path).expect("the page");
    let now = rewritten(&page, &place, &server.url());
    if env::var_os("LOGMILL_ACCEPT").is_some() {
        fs::write(&path, &now).expect("it can be written");
        return;
    }
    assert!(page == now, "docs/fetch.md is not what the program says; LOGMILL_ACCEPT=1 rewrites it");
}
