//! CONTRIBUTING.md, done word for word in a copy of the workspace: a fifth format is known everywhere.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::root;

/// What a build needs, and what the generated pages are.
const COPIED: &[&str] = &[
    ".cargo",
    "ARCHITECTURE.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "Cargo.lock",
    "Cargo.toml",
    "README.md",
    "benches",
    "crates",
    "docs",
    "rustfmt.toml",
    "testdata",
];

/// A fenced block: what stands behind its language, and its text.
struct Block {
    info: String,
    text: String,
}

fn blocks(page: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        if let Some(info) = line.strip_prefix("```") {
            let text: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
            let text = text.join("\n") + "\n";
            blocks.push(Block { info: info.to_owned(), text });
        }
    }
    blocks
}

fn copy(from: &Path, to: &Path) {
    if from.is_dir() {
        for entry in fs::read_dir(from).expect("a folder of the workspace") {
            let entry = entry.expect("a readable folder");
            copy(&entry.path(), &to.join(entry.file_name()));
        }
    } else if fs::read(to).ok() != Some(fs::read(from).expect("a readable file")) {
        // What has not changed keeps its time, so that cargo need not build it again.
        fs::create_dir_all(to.parent().expect("a folder")).expect("room for a copy");
        fs::copy(from, to).expect("room for a copy");
    }
}

/// Does what a block says, other than running it.
fn apply(workspace: &Path, block: &Block) {
    let place = block.info.split(' ').find_map(|word| word.split_once('='));
    let Some((how, path)) = place else { return };
    let path = workspace.join(path);
    let before = fs::read_to_string(&path).unwrap_or_default();
    let after = match how {
        "file" => block.text.clone(),
        _ if before.contains(&block.text) => before.clone(),
        "append" => format!("{before}{}", block.text),
        "into" => {
            let list = before.find("pub static ALL").expect("the registry");
            let end = list + before.get(list..).and_then(|rest| rest.find("];")).expect("its end");
            let (head, tail) = before.split_at(end);
            format!("{head}{}{tail}", block.text)
        }
        _ => panic!("{how} is nothing that can be done with a block"),
    };
    if after != before {
        fs::create_dir_all(path.parent().expect("a folder")).expect("room for a file");
        fs::write(&path, after).expect("a writable copy");
    }
}

fn run(workspace: &Path, command: &str) -> String {
    let output = Command::new("sh")
        .args(["-c", command])
        .current_dir(workspace)
        .env("CARGO_TARGET_DIR", target())
        .env("CARGO_NET_OFFLINE", "true")
        .env_remove("LOGMILL_ACCEPT")
        .output()
        .expect("a shell");
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&text).into_owned();
    assert!(output.status.success(), "{command}\n{text}");
    text
}

/// A target folder of its own: cargo gives a copy's files the names of the original's, so that in a shared folder the
/// program with the fifth format would take the place of the one that the other tests run. Dependencies are linked
/// into it, which spares building them again.
fn target() -> PathBuf {
    let tmp = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let target = tmp.join("fifth-target");
    if !target.exists() {
        let built = tmp.parent().expect("a target folder").join("debug");
        let script = "mkdir -p $2/debug/deps && cp -a $1/.fingerprint $1/build $2/debug/ && \
            find $1/deps \\( -name '*.rlib' -o -name '*.rmeta' -o -name '*.so' \\) -exec ln -t $2/debug/deps {} + && \
            find $2/debug -name '*logmill*' -prune -exec rm -r {} +";
        // What cannot be linked is built.
        let _ = Command::new("sh").args(["-c", script, "sh"]).args([&built, &target]).status();
    }
    target
}

#[test]
fn a_fifth_format_is_known_everywhere() {
    let workspace = Path::new(env!("CARGO_TARGET_TMPDIR")).join("fifth-format");
    for name in COPIED {
        copy(&root().join(name), &workspace.join(name));
    }
    let page = fs::read_to_string(root().join("CONTRIBUTING.md")).expect("CONTRIBUTING.md");
    let blocks = blocks(&page);
    for block in &blocks {
        apply(&workspace, block);
    }
    run(&workspace, "cargo fmt --all --check");
    let commands: Vec<&str> =
        blocks.iter().filter(|block| block.info == "sh").flat_map(|block| block.text.lines()).collect();
    assert_eq!(commands.len(), 3, "{commands:?}");
    let said: Vec<String> = commands.iter().map(|command| run(&workspace, command)).collect();
    let report = said.last().expect("a report");
    assert!(report.contains("1 file, 254 B, 7 lines → 6 events in 1 run"), "{report}");
    assert!(report.contains("no space left on the target"), "{report}");

    let logmill = "cargo run --quiet --package logmill --";
    assert!(
        run(&workspace, &format!("{logmill} formats"))
            .contains("## nightly-job\n\nLogs of nightly jobs (text)")
    );
    assert!(run(&workspace, &format!("{logmill} report --help")).contains("nightly-job"));
    assert!(run(&workspace, &format!("{logmill} schema files")).contains("`nightly-job`"));
    let steps = run(&workspace, &format!("{logmill} steps testdata/nightly-job/orders.log --json"));
    let durations: Vec<i64> = steps
        .lines()
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok()?["duration_ms"].as_i64())
        .collect();
    // From 02:00:00.25 to 02:04:00, and from there to 02:04:31.
    assert_eq!(durations, [239_750, 31_000], "{steps}");
    for page in ["docs/formats.md", "docs/tables.md"] {
        let text = fs::read_to_string(workspace.join(page)).expect("a generated page");
        assert!(text.contains("nightly-job"), "{page}");
    }
}
