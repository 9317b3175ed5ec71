//! Outputs on disks that are full, broken, closed or not what they seem: a message that names the path, exit
//! code 3, nothing under a final name, no debris.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::{FileTypeExt, PermissionsExt, symlink};
use std::path::Path;
use std::process::Command;

use crate::faults::{is_root, names, skip, with_log, works};
use crate::support::{DEMO, Folder, SHORT_LOG, Said, finish, root, run, well};

const LOGMILL: &str = env!("CARGO_BIN_EXE_logmill");

/// Runs the program by way of another one.
#[track_caller]
fn by<A: AsRef<OsStr>>(program: &str, with: &[&str], args: impl IntoIterator<Item = A>) -> Said {
    finish(Command::new(program).args(with).arg(LOGMILL).args(args).current_dir(root()))
}

#[track_caller]
fn fails(said: &Said, path: &str, why: &str) {
    assert_eq!(said.code, Some(3), "{said:?}");
    let message = said.err.lines().last().unwrap_or_default();
    assert!(message.starts_with("error: ") && message.contains(path) && message.contains(why), "{said:?}");
    assert_eq!(message.matches(why).count(), 1, "said once: {message}");
}

#[test]
fn a_full_disk() {
    if !works("unshare", &["-m", "sh", "-c", "mount -t tmpfs -o size=64k none /mnt"]) {
        return skip("mounting a small file system needs more rights");
    }
    let (folder, log) = with_log();
    let disk = folder.arg("disk");
    fs::create_dir(&disk).expect("a folder");
    // What is on the disk afterwards is printed, for it goes with the namespace.
    let script = "mount -t tmpfs -o size=256k none \"$0\"; \"$@\"; code=$?; ls -A \"$0\"; exit $code";
    let on_disk = |args: &[&str]| by("unshare", &["-m", "sh", "-c", script, &disk], args);
    for kind in ["csv", "ndjson", "parquet"] {
        let file = format!("{disk}/events.{kind}");
        let said = on_disk(&["convert", &log, "-o", &file]);
        if kind == "parquet" && said.code == Some(0) {
            continue;
        }
        fails(&said, &file, "No space left on device");
        assert_eq!(said.out, "", "{kind}");
    }
    let said = on_disk(&["convert", &log, "--table", "all", "--to", "csv", "-o", &format!("{disk}/new/out")]);
    fails(&said, "new/out/events.csv", "No space left on device");
    assert_eq!(said.out, "", "the folders are gone, too");
}

#[test]
fn a_limit_of_the_size_of_files() {
    if !works("prlimit", &["--fsize=100000", "true"]) {
        return skip("there is no prlimit here");
    }
    let (folder, log) = with_log();
    fs::create_dir(folder.at("out")).expect("a folder");
    let file = folder.arg("out/events.csv");
    fails(&by("prlimit", &["--fsize=100000"], ["convert", &log, "-o", &file]), &file, "File too large");
    let out = folder.arg("out/set");
    let args = ["convert", &log, "--table", "all", "--to", "csv", "-o", &out];
    fails(&by("prlimit", &["--fsize=100000"], args), "set/events.csv", "File too large");
    assert!(names(&folder.at("out")).is_empty(), "{:?}", names(&folder.at("out")));
}

/// Errors that no real disk gives on demand, at each of the places where one may come.
#[test]
fn a_broken_disk() {
    if !works("strace", &["-e", "trace=none", "true"]) {
        return skip("strace does not work here");
    }
    let folder = Folder::new();
    let log = folder.write("dump/aB3dE6gH9jK2mN5pQ.log", SHORT_LOG);
    let out = folder.at("out");
    let injected = |fault: &str, args: &[&str]| {
        by("strace", &["-f", "-o", "/dev/null", "-e", &format!("inject={fault}")], args)
    };
    fs::create_dir(&out).expect("a folder");
    let file = folder.arg("out/runs.csv");
    for fault in ["fsync:error=EIO:when=1", "renameat,renameat2,link,linkat:error=EIO:when=1"] {
        let said = injected(fault, &["convert", &log, "--table", "runs", "-o", &file]);
        fails(&said, &file, "Input/output error");
        assert!(names(&out).is_empty(), "{fault}: {:?}", names(&out));
    }
    // A set that is there stays as it is, wherever its successor fails.
    let set = folder.arg("set");
    let tables = ["--table", "runs", "--table", "steps", "--to", "csv"];
    let earlier: Vec<&str> = ["convert", DEMO, "-o", &set].into_iter().chain(tables).collect();
    well(&earlier);
    let before = folder.files("set");
    let mut failed = 0;
    for call in ["fsync", "rename", "renameat", "renameat2"] {
        for n in 1..=4 {
            let fault = format!("{call}:error=EIO:when={n}");
            let later: Vec<&str> =
                ["convert", &log, "-o", &set, "--overwrite"].into_iter().chain(tables).collect();
            let said = injected(&fault, &later);
            if said.code == Some(0) {
                well(earlier.iter().chain(&["--overwrite"]));
            } else {
                failed += 1;
                fails(&said, "set", "Input/output error");
            }
            assert!(folder.files("set") == before, "{fault}: {:?}", names(Path::new(&set)));
        }
    }
    assert!(failed >= 9, "{failed}: three files and a folder synchronised, three set aside, three renamed");
}

#[test]
fn a_folder_that_may_not_be_written_to() {
    let folder = Folder::new();
    let log = folder.write("dump/aB3dE6gH9jK2mN5pQ.log", SHORT_LOG);
    let out = folder.at("out");
    fs::create_dir(&out).expect("a folder");
    let mode = |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("ours");
    mode(folder.path(), 0o755);
    mode(&out, 0o555);
    let nobody = ["--reuid=65534", "--regid=65534", "--clear-groups"];
    let as_nobody: Vec<&str> = nobody.into_iter().chain([LOGMILL, "formats"]).collect();
    if is_root() && !works("setpriv", &as_nobody) {
        return skip("another user cannot run the program");
    }
    let run = |args: &[&str]| if is_root() { by("setpriv", &nobody, args) } else { run(args) };
    let file = folder.arg("out/runs.csv");
    fails(&run(&["convert", &log, "--table", "runs", "-o", &file]), &file, "Permission denied");
    fails(&run(&["report", &log, "-o", &folder.arg("out")]), "out/runs.parquet", "Permission denied");
    fails(&run(&["report", &log, "-o", &folder.arg("out/new")]), "out/new", "Permission denied");
    assert!(names(&out).is_empty(), "{:?}", names(&out));
    mode(&out, 0o755);
}

#[test]
fn an_output_that_is_an_input() {
    let folder = Folder::new();
    let text = format!(
        "{}\n",
        serde_json::json!({"data": [{"createdAt": "2026-03-01T10:00:00.000Z", "message": "Schedule invoked", "level": "INFO"}]})
    );
    let log = folder.write("dump/log.ndjson", &text);
    fs::hard_link(&log, folder.at("hard.ndjson")).expect("a link");
    symlink(&log, folder.at("soft.ndjson")).expect("a link");
    symlink(folder.at("dump"), folder.at("also")).expect("a link");
    for name in
        ["dump/log.ndjson", "hard.ndjson", "soft.ndjson", "also/log.ndjson", "dump/../dump/log.ndjson"]
    {
        for input in [&log, &folder.arg("dump")] {
            let output = folder.arg(name);
            let said = run(["convert", input, "--table", "runs", "-o", &output, "--overwrite"]);
            fails(&said, &output, "is an input");
        }
    }
    assert_eq!(fs::read_to_string(&log).expect("it is still there"), text);
    // Another file of the same size is none.
    let same = folder.write("same.ndjson", text.replace("10:00", "11:00"));
    well(["convert", &log, "--table", "runs", "-o", &same, "--overwrite"]);
    // A table of an earlier run, named as an input, is not written over either.
    let out = folder.arg("out");
    well(["convert", &log, "--table", "runs", "--to", "ndjson", "-o", &out]);
    let table = folder.arg("out/runs.ndjson");
    let before = folder.files("out");
    let said = run(["convert", &table, "--table", "runs", "--to", "ndjson", "-o", &out, "--overwrite"]);
    fails(&said, &table, "is an input");
    assert_eq!(folder.files("out"), before);
}

/// The outputs of the last run are no inputs of the next.
#[test]
fn a_folder_of_tables_among_the_inputs() {
    let folder = Folder::new();
    folder.write("dump/my-actor/aB3dE6gH9jK2mN5pQ.log", SHORT_LOG);
    let (dump, out) = (folder.arg("dump"), folder.arg("dump/out"));
    let report = ["report", &dump, "-o", &out, "--to", "csv", "--to", "ndjson"];
    well(report);
    let first = folder.files("dump/out");
    well(report.into_iter().chain(["--overwrite"]));
    assert!(folder.files("dump/out") == first, "the second report says what the first one said");
    // Files among the logs are written again as well, and not read.
    let (table, page) = (folder.arg("dump/events.csv"), folder.arg("dump/report.html"));
    let convert = ["convert", &dump, "-o", &table];
    well(convert);
    let first = fs::read(&table).expect("a table");
    well(convert.into_iter().chain(["--overwrite"]));
    assert!(fs::read(&table).expect("a table") == first, "the second table is the first one");
    well(["report", &dump, "--html", &page]);
    well(["report", &dump, "--html", &page, "--overwrite"]);
    for file in [&table, &page] {
        fs::remove_file(file).expect("a file");
    }
    // What a killed run left behind is none either.
    folder.write("dump/.logmill-aB3dE6gH9jK2.tmp", SHORT_LOG);
    assert_eq!(well(["detect", &dump, "--json"]).rows().len(), 1);
}

#[test]
fn targets_that_are_no_files() {
    let folder = Folder::new();
    let log = folder.write("dump/aB3dE6gH9jK2mN5pQ.log", SHORT_LOG);
    if !works("mkfifo", &[&folder.arg("pipe.csv")]) {
        return skip("there is no mkfifo here");
    }
    symlink("/dev/null", folder.at("null.csv")).expect("a link");
    symlink(folder.at("dump"), folder.at("folder.csv")).expect("a link");
    for overwrite in [&[][..], &["--overwrite"]] {
        let convert = |name: &str| {
            let path = folder.arg(name);
            (
                run(["convert", &log, "--table", "runs", "-o", &path]
                    .into_iter()
                    .chain(overwrite.iter().copied())),
                path,
            )
        };
        for name in ["pipe.csv", "null.csv"] {
            let (said, path) = convert(name);
            fails(&said, &path, "is not a regular file; `-o -` writes to standard output");
        }
        let (said, path) = convert(&format!("{}.csv", "x".repeat(300)));
        fails(&said, &path, "File name too long");
        let (said, path) = convert("dump/aB3dE6gH9jK2mN5pQ.log/runs.csv");
        fails(&said, &path, "Not a directory");
        let (said, path) = convert("no/such/runs.csv");
        fails(&said, &path, "does not exist");
    }
    assert!(fs::metadata("/dev/null").expect("it is still there").file_type().is_char_device());
    fails(&run(["report", &log, "-o", "/dev/null"]), "/dev/null", "is not a folder");
    fails(&run(["report", &log, "-o", &folder.arg("pipe.csv")]), "pipe.csv", "is not a folder");
    // A folder whose name looks like a file's is a folder.
    well(["convert", &log, "--table", "runs", "--to", "csv", "-o", &folder.arg("folder.csv")]);
    assert!(folder.at("dump/manifest.json").exists());
}

#[test]
fn links_stay_links() {
    let folder = Folder::new();
    let log = folder.write("dump/aB3dE6gH9jK2mN5pQ.log", SHORT_LOG);
    folder.write("elsewhere/runs.csv", "old");
    symlink("elsewhere/runs.csv", folder.at("runs.csv")).expect("a link");
    symlink("elsewhere/none.csv", folder.at("none.csv")).expect("a link");
    let convert = |name: &str| {
        let path = folder.arg(name);
        run(["convert", &log, "--table", "runs", "-o", &path, "--overwrite"])
    };
    assert_eq!(convert("runs.csv").code, Some(0));
    assert!(folder.at("runs.csv").is_symlink());
    assert_ne!(fs::read(folder.at("elsewhere/runs.csv")).expect("a table"), b"old");
    assert_eq!(names(&folder.at("elsewhere")), ["runs.csv"]);
    // A link to nothing is replaced by the table.
    let said = convert("none.csv");
    assert_eq!(said.code, Some(0), "{said:?}");
    assert!(!names(folder.path()).iter().any(|name| name.starts_with('.')));
}

/// Whoever closes a stream wants nothing on it; what is written elsewhere is written.
#[test]
fn closed_streams() {
    let folder = Folder::new();
    let log = folder.write("dump/aB3dE6gH9jK2mN5pQ.log", SHORT_LOG);
    let file = folder.arg("runs.csv");
    for (closed, args) in [
        (">&-", &["convert", &log, "--table", "runs", "-o", "-"][..]),
        (">&-", &["report", &log]),
        ("2>&-", &["report", &log, "-o", &folder.arg("out")]),
        ("<&- >&- 2>&-", &["convert", &log, "--table", "runs", "-o", &file]),
    ] {
        let said = by("sh", &["-c", &format!("exec \"$0\" \"$@\" {closed}")], args);
        assert_eq!(said.code, Some(0), "{closed} {args:?} {said:?}");
        assert_eq!(said.err, "", "{closed} {args:?}");
    }
    well(["convert", &log, "--table", "runs", "-o", &folder.arg("open.csv")]);
    let read = |name| fs::read(folder.at(name)).expect("a table");
    assert_eq!(read("runs.csv"), read("open.csv"), "nothing was printed into the file");
    if cfg!(target_os = "linux") {
        let args = ["report", &log, "-o", &folder.arg("two")];
        assert_eq!(by("sh", &["-c", "exec \"$0\" \"$@\" 2>/dev/full"], args).code, Some(3));
        assert!(folder.at("two/manifest.json").exists(), "the tables are there all the same");
    }
}
