//! Signals end the program with a word and without debris; what a killed run leaves, the next one removes.

use std::io::Read;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::faults::{names, skip, with_log, works};
use crate::support::{Folder, Said, logmill, root, well};

fn signal(child: &Child, name: &str) {
    let sent = Command::new("kill").args([&format!("-{name}"), &child.id().to_string()]).status();
    assert!(sent.is_ok_and(|status| status.success()), "kill works");
}

/// The program with the signals at work that whoever runs the tests may have had ignored: a job in the background of a
/// script hands that on to everything it starts.
fn listening() -> Command {
    const DEFAULTS: &str = "--default-signal=INT,TERM,HUP";
    if !works("env", &[DEFAULTS, "true"]) {
        return logmill();
    }
    let mut command = Command::new("env");
    command.arg(DEFAULTS).arg(env!("CARGO_BIN_EXE_logmill")).current_dir(root()).stdin(Stdio::null());
    command
}

fn start(args: &[&str]) -> Child {
    start_as(listening().args(args))
}

fn start_as(command: &mut Command) -> Child {
    command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("the program starts")
}

fn end(mut child: Child) -> Said {
    let mut err = String::new();
    child.stderr.take().expect("a pipe").read_to_string(&mut err).expect("UTF-8");
    Said { code: child.wait().expect("it ends").code(), out: String::new(), err }
}

/// Waits until the run has a temporary file in the folder; false if it ended before.
fn is_writing(child: &mut Child, folder: &Path) -> bool {
    loop {
        if names(folder).iter().any(|name| name.starts_with(".logmill-")) {
            return true;
        }
        if child.try_wait().expect("it can be asked").is_some() {
            return false;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// A run of the program that is in the middle of writing to `out` in the folder.
fn writing(args: &[&str], out: &Path) -> Child {
    for _ in 0..10 {
        let mut child = start(args);
        if is_writing(&mut child, out) {
            return child;
        }
        let said = end(child);
        assert_eq!(said.code, Some(0), "{said:?}");
        std::fs::remove_dir_all(out).expect("what it wrote");
        std::fs::create_dir(out).expect("a folder");
    }
    panic!("expected to see a temporary file in one of ten runs");
}

#[test]
fn signals_leave_nothing_behind() {
    let (folder, log) = with_log();
    let out = folder.at("out");
    for (name, code) in [("INT", 130), ("TERM", 143), ("HUP", 129)] {
        std::fs::create_dir(&out).expect("a folder");
        let child = writing(&["convert", &log, "-o", &folder.arg("out/events.csv")], &out);
        signal(&child, name);
        let said = end(child);
        if said.code == Some(0) {
            skip("the run was faster than the signal");
        } else {
            assert_eq!(said.code, Some(code), "{said:?}");
            let expect = format!("error: interrupted by SIG{name}; unfinished outputs were removed\n");
            assert_eq!(said.err, expect);
            assert!(names(&out).is_empty(), "{:?}", names(&out));
        }
        std::fs::remove_dir_all(&out).expect("a folder");
    }
}

/// A folder that was made for a set is gone, too.
#[test]
fn an_interrupted_set_leaves_no_folder() {
    let (folder, log) = with_log();
    let out = folder.at("new/out");
    let mut child = start(&["convert", &log, "--table", "all", "-o", &folder.arg("new/out")]);
    if is_writing(&mut child, &out) {
        signal(&child, "TERM");
    }
    let said = end(child);
    if said.code == Some(0) {
        return skip("the run was faster than the signal");
    }
    assert_eq!(said.code, Some(143), "{said:?}");
    assert!(!folder.at("new").exists(), "{:?}", names(&out));
}

#[test]
fn interrupted_while_it_waits_for_input() {
    let mut child = listening()
        .args(["runs", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    // Only Linux tells when the handler is there, or that there will be none.
    let status = format!("/proc/{}/status", child.id());
    let has_interrupt = |field: &str| {
        let text = std::fs::read_to_string(&status).unwrap_or_default();
        let mask = text.lines().find_map(|line| line.strip_prefix(field)).unwrap_or("0").trim();
        u64::from_str_radix(mask, 16).unwrap_or(0) & 2 != 0
    };
    let is_undecided = || !has_interrupt("SigCgt:") && !has_interrupt("SigIgn:");
    while Path::new(&status).exists()
        && is_undecided()
        && child.try_wait().expect("it can be asked").is_none()
    {
        std::thread::sleep(Duration::from_millis(1));
    }
    if !has_interrupt("SigCgt:") {
        child.kill().expect("it can be killed");
        child.wait().expect("it ends");
        return skip("SIGINT is ignored here, or there is no /proc");
    }
    signal(&child, "INT");
    let said = end(child);
    assert_eq!((said.code, said.err.as_str()), (Some(130), "error: interrupted by SIGINT\n"));
}

/// `nohup` and background jobs of scripts tell a program to ignore a signal.
#[test]
fn what_is_ignored_stays_ignored() {
    if !cfg!(target_os = "linux") {
        return skip("only Linux says what is ignored");
    }
    let (folder, log) = with_log();
    let out = folder.at("out");
    std::fs::create_dir(&out).expect("a folder");
    let mut command = Command::new("sh");
    command.args(["-c", "trap '' HUP INT; exec \"$0\" \"$@\"", env!("CARGO_BIN_EXE_logmill")]);
    let mut child = start_as(command.args(["convert", &log, "-o", &folder.arg("out/events.csv")]));
    if is_writing(&mut child, &out) {
        signal(&child, "HUP");
        signal(&child, "INT");
    }
    let said = end(child);
    assert_eq!(said.code, Some(0), "{said:?}");
    assert_eq!(names(&out), ["events.csv"]);
}

/// The bytes a command writes to `out` when nothing disturbs it.
fn undisturbed(folder: &Folder, args: &[&str]) -> Vec<(String, Vec<u8>)> {
    well(args.iter().copied().chain(["-o", &folder.arg("undisturbed")]));
    folder.files("undisturbed")
}

/// `LOGMILL_KILLS=100 cargo test -p logmill killed_at_random` kills as often as that.
#[test]
fn killed_at_random() {
    let kills: u32 = std::env::var("LOGMILL_KILLS").ok().and_then(|text| text.parse().ok()).unwrap_or(20);
    let (folder, log) = with_log();
    let args = ["convert", &log, "--table", "all", "--to", "csv", "--to", "parquet"];
    let begun = Instant::now();
    let expect = undisturbed(&folder, &args);
    let whole = begun.elapsed();
    let out = folder.arg("out");
    let mut killed = 0;
    for n in 0..kills {
        // Every other time over a set that is there.
        let before = folder.at("out/manifest.json").exists();
        if before && n % 2 == 0 {
            std::fs::remove_dir_all(&out).expect("a set");
        }
        let mut child =
            start_as(logmill().args(args).args(["-o", &out, "--overwrite", "--quiet"]).stderr(Stdio::null()));
        std::thread::sleep(whole * n / kills);
        killed += u32::from(child.try_wait().expect("it can be asked").is_none());
        child.kill().expect("it can be killed");
        child.wait().expect("it ends");
        if folder.at("out/manifest.json").exists() {
            let files = folder.files("out");
            let visible: Vec<_> = files.into_iter().filter(|(name, _)| !name.starts_with('.')).collect();
            assert!(visible == expect, "a set with a manifest is complete");
        }
    }
    eprintln!("{killed} of {kills} runs were killed while they ran");
    if folder.at("out/manifest.json").exists() {
        std::fs::remove_dir_all(&out).expect("a set");
    }
    // Without --overwrite: what a killed run leaves is in nobody's way.
    well(args.into_iter().chain(["-o", &out]));
    assert!(folder.files("out") == expect, "{:?}", names(&folder.at("out")));
}

/// Killed just before each of the renames that make a set, one after the other.
#[test]
fn killed_between_two_renames() {
    if !works("strace", &["-e", "trace=none", "true"]) {
        return skip("strace does not work here");
    }
    let folder = Folder::new();
    let log = folder.write("dump/aB3dE6gH9jK2mN5pQ.log", crate::support::SHORT_LOG);
    let other = folder.write("other/aB3dE6gH9jK2mN5pQ.log", &crate::support::SHORT_LOG[..300]);
    let some = ["--table", "runs", "--table", "steps", "--to", "csv", "--quiet"];
    let args: Vec<&str> = ["convert", log.as_str()].into_iter().chain(some).collect();
    let earlier: Vec<&str> = ["convert", other.as_str()].into_iter().chain(some).collect();
    let expect = undisturbed(&folder, &args);
    let out = folder.arg("out");
    let mut killed = 0;
    for over_an_earlier_set in [false, true] {
        // The counters of strace are one per system call.
        for (call, n) in
            ["rename", "renameat", "renameat2"].iter().flat_map(|call| (1..=5).map(move |n| (call, n)))
        {
            let _ = std::fs::remove_dir_all(&out);
            if over_an_earlier_set {
                well(earlier.iter().copied().chain(["--to", "ndjson", "-o", &out]));
            }
            let mut strace = Command::new("strace");
            strace.args(["-f", "-o", "/dev/null", "-e", &format!("inject={call}:signal=KILL:when={n}")]);
            strace.arg(env!("CARGO_BIN_EXE_logmill")).args(&args).args(["-o", &out, "--overwrite"]);
            let said = end(start_as(strace.current_dir(root())));
            let is_complete = folder.at("out/manifest.json").exists();
            if said.code == Some(0) {
                assert!(folder.files("out") == expect, "{:?}", names(&folder.at("out")));
                continue;
            }
            killed += 1;
            let rerun = args.iter().copied().chain(["-o", &out]).chain(is_complete.then_some("--overwrite"));
            well(rerun);
            assert!(folder.files("out") == expect, "{call} {n}: {:?}", names(&folder.at("out")));
        }
    }
    // Two tables and the manifest get their names, twice; five files of the earlier set lose theirs.
    assert!(killed >= 11, "{killed}");
}

/// A run that is alive keeps its temporary files, whatever others do in the same folder.
#[test]
fn runs_in_one_folder_leave_each_other_alone() {
    let (folder, log) = with_log();
    let out = folder.at("out");
    std::fs::create_dir(&out).expect("a folder");
    let child = writing(&["convert", &log, "-o", &folder.arg("out/slow.csv")], &out);
    signal(&child, "STOP");
    let stale = ".logmill-aB3dE6gH9jK2.tmp";
    std::fs::write(out.join(stale), "left by a killed run").expect("room");
    well(["convert", &log, "--table", "runs", "-o", &folder.arg("out/quick.csv")]);
    assert!(!out.join(stale).exists());
    signal(&child, "CONT");
    let said = end(child);
    assert_eq!(said.code, Some(0), "{said:?}");
    assert_eq!(names(&out), ["quick.csv", "slow.csv"]);
}
