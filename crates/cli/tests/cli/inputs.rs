//! What may be met among inputs: links, pipes, devices, odd names, and a great many files.

use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::process::Stdio;

use crate::archives::shell;
use crate::support::{Folder, SHORT_LOG, finish, logmill, run, well};

const ID: &str = "aB3dE6gH9jK2mN5pQ";

#[test]
fn one_file_by_several_names_counts_once() {
    let folder = Folder::new();
    let log = folder.write(&format!("dump/{ID}.log"), SHORT_LOG);
    fs::hard_link(&log, folder.at("dump/hard.log")).expect("a link");
    symlink(&log, folder.at("dump/soft.log")).expect("a link");
    symlink(folder.at("dump"), folder.at("dump/again")).expect("a link");
    symlink(folder.path(), folder.at("dump/above")).expect("a link");
    let dump = folder.arg("dump");
    let said = well(["detect", "--json", &dump, &log, &format!("{dump}/*.log"), &dump]);
    assert_eq!(said.rows().len(), 1, "{said:?}");
}

#[test]
fn pipes_are_read_where_they_are_named() {
    let folder = Folder::new();
    if !shell(folder.path(), &["mkfifo"], "mkdir dump && mkfifo dump/pipe.log") {
        return;
    }
    folder.write(&format!("dump/{ID}.log"), SHORT_LOG);
    // Found on the way, it must not be waited for.
    let said = well(["runs", "--json", &folder.arg("dump")]);
    assert_eq!(said.rows().len(), 1);
    assert!(said.err.contains("pipe.log: expected a file, found a pipe"), "{}", said.err);
    let pipe = folder.arg("dump/pipe.log");
    let child = logmill()
        .args(["convert", &pipe, "-o", &folder.arg("out.csv")])
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    fs::write(&pipe, SHORT_LOG).expect("somebody reads");
    let output = child.wait_with_output().expect("the program ends");
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(fs::read_to_string(folder.at("out.csv")).expect("a table").lines().count(), 7);
}

#[test]
fn a_pipe_called_like_a_manifest_is_not_waited_for() {
    let folder = Folder::new();
    if shell(folder.path(), &["mkfifo"], "mkdir dump && mkfifo dump/manifest.json") {
        folder.write(&format!("dump/{ID}.log"), SHORT_LOG);
        assert_eq!(well(["runs", "--json", &folder.arg("dump")]).rows().len(), 1);
    }
}

#[test]
fn a_device_without_end_is_given_up() {
    let folder = Folder::new();
    let said = run(["detect", "/dev/zero", "--max-decompressed", "3MB", "--json"]);
    assert_eq!(said.code, Some(1), "{said:?}");
    assert!(said.err.contains("expected at most 3000000 bytes"), "{}", said.err);
    let said = run(["detect", "/dev/null", "--json"]);
    assert_eq!((said.code, said.rows().len()), (Some(0), 1), "{said:?}");
    let _ = folder;
}

#[test]
fn names_that_hurt() {
    let folder = Folder::new();
    fs::create_dir(folder.at("dump")).expect("a folder");
    for name in [&b"new\nline.log"[..], b"esc\x1b[31m.log", b"invalid\xff.log", "\u{202e}gol.log".as_bytes()]
    {
        let path = folder.at("dump").join(std::ffi::OsStr::from_bytes(name));
        if fs::write(&path, SHORT_LOG).is_err() {
            eprintln!("skipped: the file system refuses {}", name.escape_ascii());
            return;
        }
    }
    let said = finish(logmill().args(["detect", "--json"]).arg(folder.at("dump")));
    assert_eq!((said.code, said.rows().len()), (Some(0), 4), "{said:?}");
    for printed in [said.out, said.err, well(["report", &folder.arg("dump")]).out] {
        assert!(!printed.contains(['\u{1b}', '\u{202e}']), "{printed:?}");
    }
    if shell(folder.path(), &["tar"], "tar -cf a.tar dump") {
        let said = well(["detect", "--json", &folder.arg("a.tar")]);
        assert_eq!(said.rows().len(), 4, "{said:?}");
        assert!(!said.out.contains(['\u{1b}', '\u{202e}']), "{said:?}");
    }
}

#[test]
fn many_files_few_handles() {
    let folder = Folder::new();
    let packed =
        shell(folder.path(), &["gzip", "prlimit"], &format!("printf '{SHORT_LOG}' | gzip -c > one.gz"));
    if !packed {
        return;
    }
    let gz = fs::read(folder.at("one.gz")).expect("a file");
    fs::create_dir(folder.at("dump")).expect("a folder");
    for n in 0..1000 {
        fs::write(folder.at(&format!("dump/{n}.log")), SHORT_LOG).expect("a file");
        fs::write(folder.at(&format!("dump/{n}.log.gz")), &gz).expect("a file");
    }
    let script = format!(
        "prlimit --nofile=64 '{}' detect --json dump > out && test $(grep -c '\"format\":\"apify-log\"' out) = 2000",
        env!("CARGO_BIN_EXE_logmill")
    );
    assert!(shell(folder.path(), &["prlimit"], &script));
}

#[test]
fn what_may_not_be_read() {
    let folder = Folder::new();
    folder.write(&format!("dump/{ID}.log"), SHORT_LOG);
    folder.write("dump/secret.log", SHORT_LOG);
    // Whoever runs the tests may be root, whom no mode stops.
    let script = format!(
        "chmod 755 . dump && chmod 000 dump/secret.log && setpriv --reuid=65534 --regid=65534 --clear-groups '{}' detect --json dump > out 2> err; echo $? > code",
        env!("CARGO_BIN_EXE_logmill")
    );
    let is_root = fs::metadata("/proc/self").is_ok_and(|it| std::os::unix::fs::MetadataExt::uid(&it) == 0);
    if !is_root || !shell(folder.path(), &["setpriv"], &script) {
        eprintln!("skipped: only root can become somebody else");
        return;
    }
    let text = |name: &str| fs::read_to_string(folder.at(name)).expect("a file");
    if text("err").contains("cannot execute") || text("code") == "126\n" {
        eprintln!("skipped: nobody else may run the program here");
        return;
    }
    assert_eq!((text("code").as_str(), text("out").lines().count()), ("0\n", 2), "{}", text("err"));
    assert!(text("err").contains("1 file could not be read: dump/secret.log: "), "{}", text("err"));
}
