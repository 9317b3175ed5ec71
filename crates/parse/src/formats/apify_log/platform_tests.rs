use super::*;
use crate::formats::apify_log::testing::{check, platform};

#[track_caller]
fn check_run(line: &str, marks: &[&str]) {
    assert_eq!(check(platform(line), Class::Platform, marks).evidence, Evidence::RUN, "{line}");
}

#[track_caller]
fn check_build(line: &str, marks: &[&str]) {
    assert_eq!(check(platform(line), Class::Platform, marks).evidence, Evidence::BUILD, "{line}");
}

#[test]
fn every_wording_of_the_start_of_a_container() {
    check_run("Pulling Docker image from repository.", &["open 0 pull -"]);
    let id = "Ab3dEf6hIj9kLm2nO";
    for rest in [
        "Docker image of build ID from repository.",
        "Docker image of build ID from registry.",
        "container image of build ID from registry.",
        "container image of build ID from registry",
    ] {
        let line = format!("Pulling {}", rest.replace("ID", id));
        check_run(&line, &["open 0 pull Ab3dEf6hIj9kLm2nO", "BuildId Ab3dEf6hIj9kLm2nO"]);
    }
    check_run("Pulling Docker image of build.", &["open 0 pull -"]);
    check_run("Pulling Docker image of build {MY_ID} from repository.", &["open 0 pull -"]);
    for line in ["Creating Docker container", "Creating Docker container.", "Creating container."] {
        check_run(line, &["open 1 create -"]);
    }
    for line in [
        "Starting Docker container",
        "Starting Docker container.",
        "Starting container.",
        "starting CONTAINER",
    ] {
        check_run(line, &["open 2 boot - lifecycle"]);
    }
    check_run("ACTOR: Creating container.", &["open 1 create -"]);
    check_run("Running under \"LIMITED_PERMISSIONS\" permission level.", &[]);
}

#[test]
fn every_wording_of_a_build() {
    check_build("Cloning https://github.com/example-org/shop", &["start 0 - clone"]);
    for line in [
        "Selected directory: .",
        "Found input schema referenced from .actor/actor.json",
        "Extracting actor documentation from README.md",
        "Extracting Actor documentation from README.md",
        "Extracting input schema from INPUT_SCHEMA.json",
    ] {
        check_build(line, &["start 0 - prepare"]);
    }
    check_build(
        "[actor-runtime] Building \"/home/dev/shop\" from a Docker context of 14 files",
        &["start 0 - build"],
    );
    check_build("[actor-runtime] Using Dockerfile \"Dockerfile\"", &[]);
    check_build("[actor-runtime] Using the input schema from \".actor/input_schema.json\"", &[]);
    for line in
        ["Building Docker image", "Building Docker image.", "Building container image (cache enabled)."]
    {
        check_build(line, &["start 0 - build"]);
    }
    for line in ["Pushing Docker image to repository.", "Pushing container image to repository."] {
        check_build(line, &["start 0 - push"]);
    }
    check_build("Build finished.", &["end 0 - succeeded -", "succeeded build_finished 1 never"]);
}

#[test]
fn errors_of_the_platform() {
    let schema = "ERROR: Schema property \"input\": File \".actor/in.json\" does not exist!";
    let message = "end 0 - failed Schema property \"input\": File \".actor/in.json\" does not exist!";
    let meaning = check(platform(schema), Class::Failure, &[message, "failed platform_error 2 never"]);
    assert_eq!(meaning.evidence, Evidence::BUILD);
    let meaning =
        check(platform("ERROR: No host is free."), Class::Failure, &["failed platform_error 2 never"]);
    assert_eq!(meaning.evidence, Evidence::NONE);
    check(
        platform("[actor-runtime] Cannot start run: no image"),
        Class::Failure,
        &["failed platform_error 2 never"],
    );
}

#[test]
fn a_timeout_is_no_abort() {
    for line in [
        "The actor run has reached the timeout of 300 seconds, aborting it. You can increase the timeout in run options.",
        "The Actor run has reached the timeout of 10 seconds, aborting it. You can increase the timeout in run options.",
    ] {
        check_run(line, &["timed_out timeout_line 4 platform"]);
    }
    check_run("Aborting the Actor run on request of the user.", &["aborted abort_line 3 never"]);
}

#[test]
fn unknown_lines_go_by_keywords() {
    let plain = |line: &str| check(platform(line), Class::Platform, &[]);
    plain("Notifying Actor process about imminent migration to another host.");
    plain("Sending Docker container SIGTERM signal.");
    plain("Pulling strings.");
    plain("...");
    plain("");
    plain("Memory of the container is 1024 MB.");
    check(
        platform("Container was killed, out of memory."),
        Class::Platform,
        &["failed out_of_memory 2 level"],
    );
    check(
        platform("Container stopped with exit code 137."),
        Class::Platform,
        &["failed exit_code_137 2 never"],
    );
    check(platform("Container stopped, exit code: 0"), Class::Platform, &["succeeded exit_code_0 1 never"]);
    plain("Container stopped with exit code 99999999999999999999.");
    plain(&format!("{}abort", "x".repeat(600)));
}
