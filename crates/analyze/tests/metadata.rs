//! What lies beside a log: the record of a build and the object of a run fill in what no log says.

use logmill_analyze::model::Run;
use logmill_analyze::{Buckets, Bytes, Engine, Input, Options, Report, Selection};
use logmill_parse::{Micros, Status};

const UUID: &str = "6f1c2b3a-0d4e-4f50-8a61-7b82c93da4e5";

/// 2026-09-29T10:00:00Z.
const TEN: Micros = 1_790_676_000_000_000;

#[track_caller]
fn read(files: &[(&str, &str)]) -> Report {
    let inputs: Vec<Bytes> = files.iter().map(|&(name, text)| Bytes::new(name, text)).collect();
    let inputs: Vec<&dyn Input> = inputs.iter().map(|input| input as &dyn Input).collect();
    let engine = Engine::new(Options::default()).expect("threads");
    let survey = engine.survey(&inputs);
    let report = survey.report(&Selection::default(), Buckets::default()).expect("buckets");
    assert_eq!(report.runs.len(), 1, "{:?}", report.runs);
    report
}

/// Status, reason and failure class.
fn end(run: &Run) -> (Status, &str, Option<&str>) {
    (run.status, run.status_reason.as_str(), run.failure_class.as_deref())
}

/// A step: place, depth, name, duration, gap before.
type Row<'a> = (u32, u8, &'a str, Option<i64>, Option<i64>);

fn steps(report: &Report) -> Vec<Row<'_>> {
    let rows = report.steps.iter();
    rows.map(|it| (it.seq, it.depth, &*it.name, it.duration_ms, it.gap_before_ms)).collect()
}

const BUILD_LOG: &str = "2026-09-29T10:00:07.000Z\tInitializing build environment...\n\
    2026-09-29T10:00:09.000Z\tSuccess: Finished initializing build environment\n\
    2026-09-29T10:00:09.500Z\tExecuting user deploy command: npx wrangler deploy\n\
    2026-09-29T10:00:12.000Z\t✘ [ERROR] Could not resolve \"./x\"\n\
    2026-09-29T10:00:12.500Z\tFailed: error occurred while running deploy command\n";

fn build_record(outcome: &str) -> String {
    format!(
        r#"{{"success":true,"errors":[],"messages":[],"result":{{"build_uuid":"{UUID}","status":"stopped",
        "build_outcome":{outcome},"created_on":"2026-09-29T10:00:00Z","initializing_on":"2026-09-29T10:00:06.500Z",
        "running_on":"2026-09-29T10:00:09Z","stopped_on":"2026-09-29T10:00:13Z",
        "build_trigger_metadata":{{"branch":"main","commit_hash":"0123abcd"}}}}}}"#
    )
}

#[test]
fn a_build_record_in_the_folder_of_the_build() {
    let log = format!("shop/{UUID}/log.txt");
    let report = read(&[(&log, BUILD_LOG), (&format!("shop/{UUID}/build.json"), &build_record("\"fail\""))]);
    let run = &report.runs[0];
    assert_eq!((run.run_id.as_str(), run.group.as_str()), (UUID, "shop"));
    let reason = "metadata: fail; log: ✘ [ERROR] Could not resolve \"./x\"";
    assert_eq!(end(run), (Status::Failed, reason, Some("deploy_command")));
    assert_eq!((run.started_at, run.stopped_at), (Some(TEN + 6_500_000), Some(TEN + 13_000_000)));
    assert_eq!((run.duration_ms, run.tail_gap_ms), (Some(6500), Some(500)));
    assert_eq!((run.branch.as_deref(), run.commit.as_deref()), (Some("main"), Some("0123abcd")));
    // Waiting comes first and lies outside the run: 500 + 2000 + 500 + 3000 + 500 is its duration.
    assert_eq!(
        steps(&report),
        [
            (1, 1, "queue", Some(6500), None),
            (2, 0, "init", Some(2000), Some(500)),
            (3, 0, "deploy", Some(3000), Some(500)),
        ]
    );
    assert_eq!(report.steps[0].share, None);
}

#[test]
fn a_build_record_beside_the_log() {
    let record = format!("shop/{UUID}.json");
    for log in ["log", "txt", "log.json", "logs.1.json"] {
        let log = (format!("shop/{UUID}.{log}"), BUILD_LOG);
        let report = read(&[(&log.0, log.1), (&record, &build_record("\"success\""))]);
        let run = &report.runs[0];
        // The record decides, and a class of failures is none of a success.
        assert_eq!(end(run), (Status::Succeeded, "metadata: success", None), "{}", log.0);
        assert_eq!((run.run_id.as_str(), run.duration_ms), (UUID, Some(6500)));
    }
}

#[test]
fn a_record_without_a_verdict_leaves_the_logs() {
    let (log, record) = (format!("shop/{UUID}.log"), format!("shop/{UUID}.json"));
    let report = read(&[(&log, BUILD_LOG), (&record, &build_record("null"))]);
    let run = &report.runs[0];
    assert_eq!(end(run), (Status::Failed, "✘ [ERROR] Could not resolve \"./x\"", Some("deploy_command")));
    assert_eq!(run.duration_ms, Some(6500));
}

#[test]
fn times_of_another_clock_are_not_taken() {
    let (log, record) = (format!("shop/{UUID}.log"), format!("shop/{UUID}.json"));
    for month in ["08", "11"] {
        let other = build_record("\"fail\"").replace("2026-09", &format!("2026-{month}"));
        let report = read(&[(&log, BUILD_LOG), (&record, &other)]);
        let run = &report.runs[0];
        assert_eq!((run.status, run.branch.as_deref()), (Status::Failed, Some("main")));
        assert_eq!((run.started_at, run.duration_ms), (Some(TEN + 7_000_000), Some(5500)));
        assert_eq!(steps(&report).first(), Some(&(1, 0, "init", Some(2000), Some(0))));
    }
}

#[test]
fn a_run_is_not_shorter_than_its_log() {
    // Initialising has no time of its own here: it began before the build was running.
    let record =
        build_record("\"fail\"").replace("\"2026-09-29T10:00:06.500Z\"", "null").replace("00:13Z", "00:12Z");
    let report = read(&[(&format!("shop/{UUID}.log"), BUILD_LOG), (&format!("shop/{UUID}.json"), &record)]);
    let run = &report.runs[0];
    assert_eq!(
        (run.started_at, run.duration_ms, run.tail_gap_ms),
        (Some(TEN + 7_000_000), Some(5500), Some(0))
    );
    assert_eq!(steps(&report)[0], (1, 1, "queue", Some(7000), None));
}

#[test]
fn the_object_of_an_apify_run() {
    let log = "2026-09-29T10:00:05.000Z ACTOR: Pulling Docker image of build Zz9yX8wV7uT6sR5qP from registry.\n\
        2026-09-29T10:00:06.000Z ACTOR: Creating Docker container.\n\
        2026-09-29T10:00:06.500Z ACTOR: Starting Docker container.\n\
        2026-09-29T10:00:08.000Z INFO  working\n";
    let object = r#"{"data":{"id":"aB3dE6gH9jK2mN5pQ","actId":"Yy8xW7vU6tS5rQ4pN","status":"ABORTED",
        "startedAt":"2026-09-29T10:00:04.000Z","finishedAt":"2026-09-29T10:00:12.000Z",
        "buildId":"Zz9yX8wV7uT6sR5qP","defaultDatasetId":"Xx7wV6uT5sR4qP3nM"}}"#;
    let report = read(&[("shop/aB3dE6gH9jK2mN5pQ.log", log), ("shop/aB3dE6gH9jK2mN5pQ.json", object)]);
    let run = &report.runs[0];
    assert_eq!(end(run), (Status::Aborted, "metadata: ABORTED", None));
    assert_eq!(
        (run.started_at, run.duration_ms, run.tail_gap_ms),
        (Some(TEN + 4_000_000), Some(8000), Some(4000))
    );
    assert_eq!(run.build_id.as_deref(), Some("Zz9yX8wV7uT6sR5qP"));
    assert!(report.steps.iter().all(|step| step.name != "queue"));
}
