//! Stamps that step back are told once for a run, with the first of them.

use logmill_analyze::{Buckets, Bytes, Engine, Input, Options, Selection};

#[test]
fn one_issue_for_all_steps_back_of_a_run() {
    let log = "2026-09-21T14:13:20.000Z\tCloning repository...\n\
        2026-09-21T14:13:20.900Z\tb\n\
        2026-09-21T14:13:20.800Z\tc\n\
        2026-09-21T14:13:21.900Z\td\n\
        2026-09-21T14:13:21.100Z\te\n\
        2026-09-21T14:13:22.000Z\tFailed: root directory not found\n";
    let input = Bytes::new("shop/build.log", log);
    let inputs: [&dyn Input; 1] = [&input];
    let engine = Engine::new(Options::default()).expect("threads");
    let survey = engine.survey(&inputs);
    let report = survey.report(&Selection::default(), Buckets::default()).expect("buckets");
    let found: Vec<_> = report.issues.iter().map(|it| (it.code, it.line, it.message.as_str())).collect();
    let message = "2 stamps of run build are earlier than the one before";
    assert_eq!(found, [("backward-clock", Some(3), message)]);
}

/// Pastes keep the time of day and lose the date: durations are known, instants are not.
#[track_caller]
fn check_paste(log: &str, duration_ms: i64, steps: &[(&str, i64)]) {
    let input = Bytes::new("pastes/build.log", log);
    let inputs: Vec<&dyn Input> = vec![&input];
    let engine = Engine::new(Options::default()).expect("threads");
    let report = engine.survey(&inputs).report(&Selection::default(), Buckets::default()).expect("buckets");
    let run = report.runs.first().expect("a run");
    assert_eq!((run.started_at, run.stopped_at), (None, None));
    assert_eq!(run.duration_ms, Some(duration_ms));
    let found: Vec<(&str, i64)> =
        report.steps.iter().filter_map(|step| Some((&*step.name, step.duration_ms?))).collect();
    assert_eq!(found, steps);
    assert!(report.steps.iter().all(|step| step.started_at.is_none() && step.stopped_at.is_none()));
    let sum: i64 = report.steps.iter().filter_map(|step| Some(step.duration_ms? + step.gap_before_ms?)).sum();
    assert_eq!(Some(sum), run.duration_ms.zip(run.tail_gap_ms).map(|(run, tail)| run - tail));
}

#[test]
fn times_of_day_give_durations_across_midnight() {
    check_paste(
        "23:59:50.000\tInitializing build environment...\n\
         23:59:58.500\tSuccess: Finished initializing build environment\n\
         23:59:59.000\tCloning repository...\n\
         00:00:02.250\tExecuting user build command: npm run build\n\
         00:00:10.250\tFailed: error occurred while running build command\n",
        20_250,
        &[("init", 8500), ("clone", 3250), ("build", 8000)],
    );
    check_paste(
        "13:59:59.000 ACTOR: Pulling container image of build aB3dE6gH9jK2mN5pQ from registry.\n\
         14:00:00.500 ACTOR: Creating container.\n\
         14:00:00.600 ACTOR: Starting container.\n\
         14:00:02.600 INFO  System info {\"crawleeVersion\":\"3.15.1\"}\n\
         14:00:05.600 INFO  CheerioCrawler: Starting the crawler.\n",
        6600,
        &[("pull", 1500), ("create", 100), ("boot", 2000), ("work", 3000)],
    );
}
