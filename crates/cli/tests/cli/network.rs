//! The program asks the system for no socket: every network call of a whole job is traced, and there is none.

use std::fs;
use std::process::Command;

use crate::faults::{skip, works};
use crate::support::{DEMO, Folder, finish, root};

/// How a process speaks to others. A pair of sockets within the process, by which a signal wakes a thread, is none.
const CALLS: &str = "trace=socket,connect,bind,listen,accept,accept4,sendto,sendmsg,sendmmsg";

/// Runs `command` below strace and returns its network calls.
#[track_caller]
fn network_calls(folder: &Folder, command: &[&str]) -> String {
    let trace = folder.arg("trace");
    let with = ["-f", "-qq", "-e", CALLS, "-e", "signal=none", "-o", &trace];
    let said = finish(Command::new("strace").args(with).args(command).current_dir(root()));
    assert_eq!(said.code, Some(0), "{said:?}");
    fs::read_to_string(trace).expect("a trace")
}

#[test]
fn no_network_call_is_made() {
    if !works("strace", &["-e", "trace=none", "true"]) {
        return skip("strace does not work here");
    }
    let folder = Folder::new();
    let logmill = env!("CARGO_BIN_EXE_logmill");
    for args in [
        &["report", DEMO, "-o", &folder.arg("out"), "--html", &folder.arg("page.html")][..],
        &["convert", DEMO, "-o", &folder.arg("events.parquet")],
        &["show", "imH1", DEMO],
        &["bench", DEMO, "--repeat", "1"],
    ] {
        let calls = network_calls(&folder, &[&[logmill], args].concat());
        let calls: Vec<&str> = calls.lines().filter(|line| line.contains('(')).collect();
        assert!(calls.is_empty(), "{args:?}: {calls:?}");
    }
    // The trace would have shown one.
    let python = "import socket; socket.socket(socket.AF_INET, socket.SOCK_DGRAM)";
    if works("python3", &["-c", python]) {
        assert!(network_calls(&folder, &["python3", "-c", python]).contains("AF_INET"));
    }
}
