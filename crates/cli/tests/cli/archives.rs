//! Compressed files and archives: the same rows as unpacked, and what is said of broken ones.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::support::{DEMO, Folder, SHORT_LOG, Said, finish, logmill, piped, root, run, well};

const ID: &str = "aB3dE6gH9jK2mN5pQ";

/// Runs a shell command; whether the programs it needs are there.
pub fn shell(folder: &Path, needs: &[&str], script: &str) -> bool {
    for program in needs {
        let found = Command::new("sh").args(["-c", &format!("command -v {program}")]).output();
        if !found.is_ok_and(|found| found.status.success()) {
            eprintln!("skipped: {program} is not there");
            return false;
        }
    }
    let output = Command::new("sh").args(["-c", script]).current_dir(folder).output().expect("a shell");
    assert!(output.status.success(), "{script}: {}", String::from_utf8_lossy(&output.stderr));
    true
}

/// Every table of some inputs, without the columns that say where rows come from.
#[track_caller]
fn tables(folder: &Folder, path: &str, out: &str) -> Vec<(String, Vec<Value>)> {
    let out_path = folder.arg(out);
    well(["convert", path, "-o", &out_path, "--table", "all", "--to", "ndjson"]);
    let mut tables = Vec::new();
    for (name, bytes) in folder.files(out) {
        if name == "manifest.json" {
            continue;
        }
        let text = String::from_utf8(bytes).expect("UTF-8");
        let without = |line: &str| {
            let mut row: Value = serde_json::from_str(line).expect("a row");
            for column in ["source", "member", "example_source"] {
                row.as_object_mut().expect("an object").remove(column);
            }
            row
        };
        tables.push((name, text.lines().map(without).collect()));
    }
    assert!(tables.len() >= 10, "{tables:?}");
    tables
}

#[track_caller]
fn rows(args: &[&str]) -> Vec<Value> {
    run(args).rows()
}

#[test]
fn archives_of_the_demo_hold_the_demo() {
    let folder = Folder::new();
    let demo = root().join(DEMO);
    let copy = format!("cp -r '{}' demo", demo.display());
    assert!(shell(folder.path(), &["cp"], &copy));
    let expected = tables(&folder, &folder.arg("demo"), "plain");
    for (n, (needs, script)) in [
        (["tar", "tar"], "tar -cf out demo"),
        (["tar", "gzip"], "tar -czf out demo"),
        (["tar", "zstd"], "tar -cf - demo | zstd -q > out"),
        (["tar", "xz"], "tar -cJf out demo"),
        (["zip", "zip"], "zip -qr out.zip demo && mv out.zip out"),
        (["gzip", "find"], "rm -r out && cp -r demo out && find out -type f -exec gzip '{}' ';'"),
        (["bzip2", "find"], "rm -r out && cp -r demo out && find out -type f -exec bzip2 '{}' ';'"),
    ]
    .into_iter()
    .enumerate()
    {
        if shell(folder.path(), &needs, script) {
            let found = tables(&folder, &folder.arg("out"), &format!("tables-{n}"));
            assert!(found == expected, "{script}");
        }
    }
}

#[test]
fn members_are_named() {
    let folder = Folder::new();
    folder.write(&format!("dump/my-actor/{ID}.log"), SHORT_LOG);
    if !shell(folder.path(), &["tar", "gzip"], "tar -czf a.tgz dump && gzip -k dump/my-actor/*.log") {
        return;
    }
    let archive = folder.arg("a.tgz");
    let files = rows(&["detect", "--json", &archive]);
    assert_eq!(files.len(), 1);
    assert_eq!(files[0]["source"], archive.as_str());
    assert_eq!(files[0]["member"], format!("dump/my-actor/{ID}.log"));
    assert_eq!(files[0]["bytes"], SHORT_LOG.len());
    let runs = rows(&["runs", "--json", &archive]);
    assert_eq!((&runs[0]["run_id"], &runs[0]["group"]), (&Value::from(ID), &Value::from("my-actor")));

    let errors = rows(&["errors", "--json", &archive]);
    let place = format!("{archive}!dump/my-actor/{ID}.log");
    assert_eq!(errors[0]["example_source"], place.as_str());
    let line = format!("{place}:{}", errors[0]["example_line"]);
    assert!(well(["explain", &line]).out.contains("Could not save the item 17"), "{line}");

    let packed = folder.arg(&format!("dump/my-actor/{ID}.log.gz"));
    let files = rows(&["detect", "--json", &packed]);
    assert_eq!((&files[0]["source"], &files[0]["member"]), (&Value::from(packed), &Value::Null));
}

/// Names say nothing: neither what is compressed, nor what is not.
#[test]
fn content_decides() {
    let folder = Folder::new();
    folder.write(&format!("dump/{ID}.log"), SHORT_LOG);
    if !shell(
        folder.path(),
        &["gzip"],
        &format!("gzip -c dump/{ID}.log > dump/{ID}.txt; mv dump/{ID}.log {ID}.gz"),
    ) {
        return;
    }
    for path in [folder.arg("dump"), folder.arg(&format!("{ID}.gz"))] {
        assert_eq!(rows(&["runs", "--json", &path])[0]["run_id"], ID);
    }
}

#[test]
fn standard_input_may_be_packed() {
    let folder = Folder::new();
    folder.write(&format!("{ID}.log"), SHORT_LOG);
    let scripts = [
        ("gzip", format!("gzip -c {ID}.log")),
        ("tar", format!("tar -cf - {ID}.log")),
        ("zip", format!("zip -q - {ID}.log | cat")),
    ];
    for (program, script) in scripts {
        if shell(folder.path(), &[program], &format!("{script} > out")) {
            let bytes = fs::read(folder.at("out")).expect("a file");
            let said = piped(&bytes, ["runs", "--json", "-"]);
            assert_eq!(said.rows().len(), 1, "{script}: {said:?}");
        }
    }
}

#[test]
fn hidden_members_and_own_outputs_are_passed_over() {
    let folder = Folder::new();
    folder.write(&format!("dump/{ID}.log"), SHORT_LOG);
    folder.write(&format!("dump/._{ID}.log"), SHORT_LOG);
    folder.write(&format!("dump/.git/{ID}.log"), SHORT_LOG);
    folder.write(&format!("dump/__MACOSX/{ID}.log"), SHORT_LOG);
    well(["report", &folder.arg("dump"), "-o", &folder.arg("dump/tables"), "--to", "csv"]);
    if !shell(folder.path(), &["tar"], "tar -cf a.tar dump") {
        return;
    }
    let files = rows(&["detect", "--json", &folder.arg("a.tar")]);
    let members: Vec<&str> = files.iter().filter_map(|file| file["member"].as_str()).collect();
    assert_eq!(members, [format!("dump/{ID}.log")]);
}

/// One issue with its place, all rows before it, and the exit code of a named input.
#[track_caller]
fn broken(said: &Said, issues: &[Value], code: &str) -> Option<u64> {
    assert_eq!(said.code, Some(1), "{said:?}");
    let of: Vec<&Value> = issues.iter().filter(|issue| issue["severity"] == "error").collect();
    assert_eq!(of.len(), 1, "{issues:?}");
    assert_eq!(of[0]["code"], code);
    of[0]["byte_offset"].as_u64()
}

#[test]
fn a_download_that_stopped_half_way() {
    let folder = Folder::new();
    let mut log = SHORT_LOG.to_owned();
    for n in 0..5000 {
        let (second, milli, number) = (5 + n / 1000, n % 1000, n * 7919);
        writeln!(log, "2026-03-01T10:00:{second:02}.{milli:03}Z INFO  item {n} of {number}").expect("memory");
    }
    folder.write(&format!("{ID}.log"), &log);
    if !shell(folder.path(), &["gzip"], &format!("gzip -c {ID}.log | head -c 20000 > cut.gz")) {
        return;
    }
    let cut = folder.arg("cut.gz");
    let said = run(["convert", &cut, "-o", &folder.arg("out"), "--table", "all", "--to", "ndjson"]);
    let of = |table: &str| -> Vec<Value> {
        let text = fs::read_to_string(folder.at(&format!("out/{table}.ndjson"))).expect("a table");
        text.lines().map(|line| serde_json::from_str(line).expect("a row")).collect()
    };
    let offset = broken(&said, &of("issues"), "truncated-archive");
    assert!(said.err.contains("behind compressed byte 20000"), "{}", said.err);
    // What gzip itself makes of it.
    let output =
        Command::new("sh").args(["-c", "gzip -dc cut.gz 2>/dev/null"]).current_dir(folder.path()).output();
    let unpacked = output.expect("gzip").stdout;
    assert!(log.as_bytes().starts_with(&unpacked));
    assert_eq!(offset, Some(unpacked.len() as u64));
    let file = &of("files")[0];
    assert_eq!((file["bytes"].as_u64(), &file["complete"]), (offset, &Value::Bool(false)));
    let run = &of("runs")[0];
    assert_eq!(
        (&run["complete"], &run["incomplete_reason"]),
        (&Value::Bool(false), &"truncated-archive".into())
    );
    let events = of("events").len() as u64;
    assert_eq!(run["n_events"].as_u64(), Some(events));
    assert!(events > 1000, "{events}");
}

#[test]
fn every_member_before_the_cut_is_there() {
    let folder = Folder::new();
    for n in 0..9 {
        folder.write(&format!("dump/aB3dE6gH9jK2mN5p{n}.log"), SHORT_LOG);
    }
    let script = "tar --sort=name -cf - dump | head -c 9000 > cut.tar; zip -qr all.zip dump; head -c 2000 all.zip > cut.zip";
    if !shell(folder.path(), &["tar", "zip"], script) {
        return;
    }
    for archive in ["cut.tar", "cut.zip"] {
        let said = run([
            "convert",
            &folder.arg(archive),
            "-o",
            &folder.arg(&format!("{archive}.csv")),
            "--table",
            "runs",
        ]);
        let issues: Vec<String> =
            said.err.lines().filter(|line| line.starts_with("error")).map(str::to_owned).collect();
        assert_eq!((said.code, issues.len()), (Some(1), 1), "{said:?}");
        let runs = fs::read_to_string(folder.at(&format!("{archive}.csv"))).expect("a table").lines().count();
        assert!((5..=9).contains(&runs), "{archive}: {runs}");
    }
}

/// 10 GiB of zeros in 320 KiB: blocks of zstd that say "128 KiB of this byte".
fn bomb() -> Vec<u8> {
    let mut bomb = b"\x28\xb5\x2f\xfd\0\x38".to_vec();
    for block in 0..81_920_u32 {
        let header = (131_072 << 3) | (1 << 1) | u32::from(block == 81_919);
        bomb.extend_from_slice(&header.to_le_bytes()[..3]);
        bomb.push(b'0');
    }
    bomb
}

#[test]
fn bombs_end_at_their_limit_with_little_memory() {
    let folder = Folder::new();
    folder.write("bombs/one.zst", bomb());
    let said = run([
        "convert",
        &folder.arg("bombs/one.zst"),
        "--max-decompressed",
        "50MB",
        "-o",
        &folder.arg("i.ndjson"),
        "--table",
        "issues",
    ]);
    assert_eq!(said.code, Some(1), "{said:?}");
    let issues = fs::read_to_string(folder.at("i.ndjson")).expect("a table");
    assert!(issues.contains("\"decompression-limit\""), "{issues}");
    assert!(said.err.contains("expected at most 50000000 decompressed bytes, found more"), "{}", said.err);
    let measure = format!(
        "python3 -c \"import resource,subprocess,sys
code = subprocess.run(sys.argv[1:], stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL).returncode
assert code == 1, code
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)\" '{}' detect --threads 2 --max-member 300MB '{}' > rss",
        env!("CARGO_BIN_EXE_logmill"),
        folder.arg("bombs/one.zst")
    );
    if shell(folder.path(), &["python3"], &measure) {
        let kib: u64 = fs::read_to_string(folder.at("rss")).expect("a number").trim().parse().expect("KiB");
        assert!(kib < 250 << 10, "{kib} KiB for 300 MB");
    }
}

#[test]
fn nesting_and_passwords() {
    let folder = Folder::new();
    folder.write(&format!("{ID}.log"), SHORT_LOG);
    let script = format!(
        "gzip -k {ID}.log; tar -cf inner.tar {ID}.log.gz; zip -q secret.zip -P pw {ID}.log; zip -q outer.zip inner.tar"
    );
    if !shell(folder.path(), &["gzip", "tar", "zip"], &script) {
        return;
    }
    for (archive, code) in [("outer.zip", "nested-too-deep"), ("secret.zip", "encrypted-member")] {
        let said = run([
            "convert",
            &folder.arg(archive),
            "-o",
            &folder.arg(&format!("{code}.ndjson")),
            "--table",
            "issues",
        ]);
        let text = fs::read_to_string(folder.at(&format!("{code}.ndjson"))).expect("a table");
        let issues: Vec<Value> =
            text.lines().map(|line| serde_json::from_str(line).expect("a row")).collect();
        broken(&said, &issues, code);
        assert!(well(["explain", code]).out.contains(code));
    }
    assert_eq!(rows(&["runs", "--json", &folder.arg("inner.tar")])[0]["run_id"], ID);
}

#[test]
fn sizes_of_limits() {
    for size in ["", "GiB", "1.5GiB", "-1", "99999999TiB"] {
        let said = finish(logmill().args(["detect", DEMO, &format!("--max-decompressed={size}")]));
        assert_eq!(said.code, Some(2), "{size}: {said:?}");
    }
    well(["detect", DEMO, "--max-decompressed", "1gb", "--max-member", "512KiB"]);
}
