//! Folders that are named like ids.

use logmill_analyze::{Input, Options};

use crate::support::{Access, Counted, lines, read};

const ACTOR: &str = "aB3dE6gH9jK2mN5pQ";

/// A run's log from its start.
fn run(minute: u32) -> String {
    format!(
        "2025-03-01T10:{minute:02}:00.000Z ACTOR: Pulling container image of build x from registry.\n\
         2025-03-01T10:{minute:02}:01.000Z ACTOR: Creating container.\n\
         2025-03-01T10:{minute:02}:02.000Z ACTOR: Starting container.\n\
         2025-03-01T10:{minute:02}:03.000Z INFO  minute {minute}\n"
    )
}

/// Group, id and number of events of every run.
#[track_caller]
fn check(files: &[(&str, String)], expect: &[(&str, &str, u64)]) {
    let inputs: Vec<Counted> = files
        .iter()
        .map(|(name, text)| Counted::new(&format!("dump/{name}"), text.as_str(), Access::Random))
        .collect();
    let inputs: Vec<&dyn Input> = inputs.iter().map(|input| input as &dyn Input).collect();
    let found = read(&inputs, Options::default());
    let runs: Vec<(&str, &str, u64)> =
        found.report.runs.iter().map(|run| (run.group.as_str(), run.run_id.as_str(), run.n_events)).collect();
    assert_eq!(runs, expect);
}

#[test]
fn the_last_id_of_a_path_names_the_run() {
    let (a, b) = ("Xa3dE6gH9jK2mN5pQ", "Ya3dE6gH9jK2mN5pQ");
    let (first, second) = (format!("{ACTOR}/{a}.log"), format!("{ACTOR}/{b}.log"));
    check(&[(&first, run(0)), (&second, run(1))], &[(ACTOR, a, 4), (ACTOR, b, 4)]);
}

#[test]
fn a_folder_named_by_an_actor_holds_runs() {
    let (first, second) = (format!("{ACTOR}/monday.log"), format!("{ACTOR}/tuesday.log"));
    check(&[(&first, run(0)), (&second, run(1))], &[(ACTOR, "monday", 4), (ACTOR, "tuesday", 4)]);
    let (first, second) = (format!("{ACTOR}/1.log"), format!("{ACTOR}/2.log"));
    check(&[(&first, run(0)), (&second, run(1))], &[(ACTOR, "1", 4), (ACTOR, "2", 4)]);
}

#[test]
fn a_folder_named_by_a_run_holds_its_parts() {
    let (first, second) = (format!("{ACTOR}/page-1.log"), format!("{ACTOR}/page-2.log"));
    check(&[(&first, run(0)), (&second, lines(60..70))], &[("dump", ACTOR, 14)]);
    let (first, second) = (format!("{ACTOR}/1.log"), format!("{ACTOR}/2.log"));
    check(&[(&first, run(0)), (&second, lines(60..70))], &[("dump", ACTOR, 14)]);
    // A copy is no run of its own, whatever it is called.
    let (first, second) = (format!("{ACTOR}/console.log"), format!("{ACTOR}/saved.txt"));
    check(&[(&first, run(0)), (&second, run(0).replace('\n', "\r\n"))], &[("dump", ACTOR, 4)]);
    check(&[(&first, run(0))], &[("dump", ACTOR, 4)]);
}
