//! Reports for the tests.

use std::sync::Arc;

use logmill_analyze::durations::durations;
use logmill_analyze::model::{
    ErrorGroup, FileRow, IssueRow, Measure, Metric, Request, RequestOutcome, Run, Step,
};
use logmill_analyze::rates::rates;
use logmill_analyze::{Bucket, Report};
use logmill_parse::{Class, Kind, Level, Platform, Severity, Status, StepKind};

/// 2025-11-03T08:00:00Z.
pub const START: i64 = 1_762_156_800_000_000;
pub const HOUR: i64 = 3_600_000_000;

pub fn run(group: &str, id: &str, status: Status, started_at: i64, duration_ms: i64) -> Run {
    Run {
        platform: Platform::Apify,
        kind: Some(Kind::Run),
        group: group.to_owned(),
        run_id: id.to_owned(),
        source: format!("{group}/{id}.log"),
        started_at: Some(started_at),
        stopped_at: Some(started_at + duration_ms * 1000),
        duration_ms: Some(duration_ms),
        tail_gap_ms: Some(0),
        status,
        status_reason: "exit_code".to_owned(),
        failure_class: None,
        n_lines: 10,
        n_events: 10,
        n_errors: u64::from(status == Status::Failed),
        n_warnings: 0,
        n_retries: 0,
        n_steps: 2,
        n_failed_steps: 0,
        requests_finished: Some(9),
        requests_failed: Some(1),
        request_retries: None,
        first_error: None,
        build_id: None,
        tool_version: None,
        branch: None,
        commit: None,
        complete: true,
        incomplete_reason: None,
    }
}

pub fn step(run: usize, seq: u32, name: &str, from_ms: i64, ms: i64) -> Step {
    Step {
        run,
        seq,
        parent_seq: None,
        depth: 0,
        step_kind: StepKind::Phase,
        name: name.to_owned().into(),
        connector_id: None,
        started_at: Some(START + from_ms * 1000),
        stopped_at: Some(START + (from_ms + ms) * 1000),
        duration_ms: Some(ms),
        gap_before_ms: Some(0),
        share: None,
        status: Status::Succeeded,
        status_code: None,
        error: None,
    }
}

/// Rates and durations as the analysis makes them.
pub fn completed(report: Report) -> Report {
    let rates = rates(&report.runs, &report.steps, Bucket::Auto, chrono_tz::UTC).expect("few rows");
    let durations = durations(&report.runs, &report.steps);
    Report { rates, durations, ..report }
}

/// A report with `text` wherever text from outside can stand.
pub fn with_everywhere(text: &str) -> Report {
    let text = text.to_owned();
    let of = |status, at: i64| Run {
        status_reason: text.clone(),
        failure_class: Some(text.clone()),
        first_error: Some(text.clone()),
        source: text.clone(),
        complete: at > 0,
        incomplete_reason: Some(text.clone()),
        ..run(&text, &text, status, START + at * HOUR, 5000 + at)
    };
    let called = Step {
        connector_id: Some(text.as_str().into()),
        status: Status::Failed,
        error: Some(text.clone()),
        ..step(1, 2, &text, 2000, 900)
    };
    let what = Arc::new(Measure { name: text.clone(), unit: "ms", label: text.clone() });
    let issue = IssueRow {
        code: "truncated-log",
        severity: Severity::Warning,
        source: text.clone(),
        member: Some(text.clone()),
        line: Some(1),
        byte_offset: Some(0),
        message: text.clone(),
        raw_prefix: text.clone(),
    };
    completed(Report {
        runs: vec![of(Status::Unknown, 0), of(Status::Failed, 1), of(Status::Succeeded, 5)],
        steps: vec![step(0, 1, &text, 0, 1000), step(1, 1, &text, 0, 2000), called],
        errors: vec![error(&text, 3)],
        requests: vec![Request {
            run: 1,
            url: Some(Arc::from(text.as_str())),
            request_id: Some(Arc::from(text.as_str())),
            attempts: 3,
            outcome: RequestOutcome::Lost,
            last_error: Arc::from(text.as_str()),
            first_seen: Some(START),
            last_seen: None,
        }],
        metrics: (0..9)
            .map(|n| Metric { run: 1, ts: Some(START + n * HOUR), value: n as f64, what: Arc::clone(&what) })
            .collect(),
        issues: vec![issue],
        files: vec![file(&text)],
        ..Report::default()
    })
}

pub fn error(text: &str, n_events: u64) -> ErrorGroup {
    ErrorGroup {
        platform: Platform::Apify,
        kind: None,
        group: Some(text.to_owned()),
        run_id: text.to_owned(),
        group_id: "0123456789abcdef".to_owned(),
        template: text.to_owned(),
        level: Level::Error,
        class: Class::Crash,
        failure_class: Some(text.to_owned()),
        n_events,
        n_runs: 1,
        first_seen: Some(START),
        last_seen: Some(START + HOUR),
        example: text.to_owned(),
        example_source: text.to_owned(),
        example_line: 7,
    }
}

pub fn file(source: &str) -> FileRow {
    FileRow {
        source: source.to_owned(),
        member: Some(source.to_owned()),
        platform: Some(Platform::Apify),
        format: "apify-log".to_owned(),
        bytes: 1000,
        n_lines: 10,
        n_events: 10,
        bytes_record: 900,
        bytes_continuation: 0,
        bytes_structure: 0,
        bytes_duplicate: 0,
        bytes_rejected: 100,
        min_ts: None,
        max_ts: None,
        complete: false,
        incomplete_reason: Some(source.to_owned()),
    }
}
