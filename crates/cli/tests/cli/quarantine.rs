//! What could not be read is kept as it stood, is counted, and may decide the exit code.

use std::fs;

use serde_json::{Value, json};

use crate::support::{Folder, SHORT_LOG, run, well};

/// A build of which two lines cannot be read, something that is no log, and a good log.
fn dump() -> Folder {
    let folder = Folder::new();
    let build = json!({"success": true, "result": {"lines": [
        [1_767_000_000_000_i64, "Initializing build environment..."],
        {"token": "apify_api_Zk3mQ8rT1vW6xY0bC5dE9fG2hJ4kL7nP1q"},
        [1_767_000_001_000_i64, "Cloning repository..."],
        17,
    ]}});
    folder.write("dumps/worker/7d2e4d4c-8e24-4bfa-a4de-0c1a2b3c4d5e.json", build.to_string());
    folder.write("dumps/notes.txt", "password=hunter2\nno log\n");
    folder.write("dumps/my-actor/aB3dE6gH9jK2mN5pQ.log", SHORT_LOG);
    folder
}

fn index(folder: &Folder, name: &str) -> Vec<Value> {
    let text = fs::read_to_string(folder.at(name).join("index.ndjson")).expect("an index");
    text.lines().map(|line| serde_json::from_str(line).expect("a row")).collect()
}

#[test]
fn raw_bytes_are_kept() {
    let folder = dump();
    let (dumps, kept) = (folder.arg("dumps"), folder.arg("kept"));
    let said = well(["report", &dumps, "--quarantine", &kept]);
    assert!(said.err.contains("kept 3 pieces that could not be read in "), "{}", said.err);
    let rows = index(&folder, "kept");
    assert_eq!(rows.len(), 3, "{rows:#?}");
    let mut found = Vec::new();
    for row in &rows {
        let number = |name: &str| usize::try_from(row[name].as_u64().expect("a number")).expect("small");
        let source = fs::read(row["source"].as_str().expect("a path")).expect("an input");
        let piece = fs::read(folder.at("kept").join(row["file"].as_str().expect("a name"))).expect("a piece");
        let (at, from, len) = (number("byte_offset"), number("file_offset"), number("kept_bytes"));
        assert_eq!(piece[from..from + len], source[at..at + len], "{row}");
        found.push((
            row["code"].as_str().expect("a code"),
            String::from_utf8_lossy(&piece[from..from + len]).into_owned(),
        ));
    }
    found.sort();
    let expect = [
        ("unexpected-shape", "17"),
        ("unexpected-shape", "{\"token\":\"apify_api_Zk3mQ8rT1vW6xY0bC5dE9fG2hJ4kL7nP1q\"}"),
        ("unknown-format", "password=hunter2\nno log\n"),
    ];
    assert_eq!(found, expect.map(|(code, text)| (code, text.to_owned())));
    for row in &rows {
        well(["explain", row["code"].as_str().expect("a code")]);
    }
    // Again, with less that is wrong: nothing of the earlier one stays.
    fs::remove_file(folder.at("dumps/notes.txt")).expect("a file");
    let first = folder.files("kept").len();
    well(["report", &dumps, "--quarantine", &kept]);
    assert_eq!((index(&folder, "kept").len(), folder.files("kept").len()), (2, first - 1));
}

#[test]
fn masked_like_everything_else() {
    let folder = dump();
    well(["runs", &folder.arg("dumps"), "--redact", "--quarantine", &folder.arg("kept")]);
    for (name, bytes) in folder.files("kept") {
        let text = String::from_utf8(bytes).expect("UTF-8");
        assert!(!text.contains("Zk3mQ8rT1v") && !text.contains("hunter2"), "{name}: {text}");
    }
}

#[test]
fn folders_that_are_not_for_it() {
    let folder = dump();
    let dumps = folder.arg("dumps");
    folder.write("other/mine.txt", "mine");
    let said = run(["runs", &dumps, "--quarantine", &folder.arg("other")]);
    assert_eq!(said.code, Some(3), "{said:?}");
    assert!(said.err.contains("mine.txt"), "{}", said.err);
    let said = run(["runs", &dumps, "--quarantine", &folder.arg("dumps/kept")]);
    assert_eq!(said.code, Some(2), "{said:?}");
    assert!(!folder.at("dumps/kept").exists());
}

#[test]
fn too_many_bad_lines() {
    let folder = dump();
    let dumps = folder.arg("dumps");
    let out = folder.arg("out");
    // Two elements of the build and the two lines that are no log; of four elements and eight lines.
    for (most, code) in [("4", 0), ("3", 1), ("0", 1), ("100%", 0), ("34%", 0), ("33%", 1), ("0%", 1)] {
        let said = run(["report", &dumps, "--max-bad", most, "-o", &out, "--overwrite", "--quiet"]);
        assert_eq!(said.code, Some(code), "{most} {said:?}");
        assert!(folder.at("out/manifest.json").exists(), "{most}: written all the same");
        assert_eq!(
            said.err.contains("4 of 12 lines or records were rejected, more than --max-bad allows"),
            code == 1,
            "{said:?}"
        );
        fs::remove_dir_all(&out).expect("a set");
    }
    for wrong in ["many", "-1", "101%", "1.5", "%"] {
        let most = format!("--max-bad={wrong}");
        assert_eq!(run(["report", &dumps, &most]).code, Some(2), "{wrong}");
    }
}
