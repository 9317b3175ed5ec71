//! A report and events made by hand, with everything that tends to go wrong: nulls beside empty strings, quotes,
//! line breaks, separators, characters outside the BMP, the largest numbers, instants with microseconds.
use logmill_analyze::model::{
    Duration, ErrorGroup, EventRow, FileRow, IssueRow, Measure, Metric, OutcomeFilter, Rate, Report, Request,
    RequestOutcome, Run, Step,
};
use logmill_frame::{DataFrame, EventColumns};
use logmill_parse::{
    Class, Codec, Evidence, Flags, Kind, Level, Platform, Record, Severity, Span, Status, StepKind, Text,
};

/// 2023-11-14T22:13:20Z.
pub const T0: i64 = 1_700_000_000_000_000;

pub const NASTY: &str = "a \"quoted\", b;\r\nsecond\nthird\t\u{1f600} é \u{0}\\ end";

pub fn run(run_id: &str) -> Run {
    Run {
        platform: Platform::Apify,
        kind: Some(Kind::Run),
        group: "example/shop-crawler".into(),
        run_id: run_id.into(),
        source: "dump/shop-crawler/a.log".into(),
        started_at: Some(T0),
        stopped_at: Some(T0 + 1_500_001),
        duration_ms: Some(1500),
        tail_gap_ms: Some(0),
        status: Status::Failed,
        status_reason: NASTY.into(),
        failure_class: Some(String::new()),
        n_lines: 12,
        n_events: 8,
        n_errors: 1,
        n_warnings: 0,
        n_retries: 2,
        n_steps: 2,
        n_failed_steps: 1,
        requests_finished: Some(0),
        requests_failed: Some(u64::MAX),
        request_retries: None,
        first_error: Some("=HYPERLINK(\"http://example.com\")".into()),
        build_id: Some("NULL".into()),
        tool_version: Some("3.10".into()),
        branch: Some(" leading and trailing ".into()),
        commit: Some("007".into()),
        complete: false,
        incomplete_reason: Some("'".into()),
    }
}

/// A run that says as little as possible.
pub fn bare_run() -> Run {
    Run {
        kind: None,
        group: String::new(),
        started_at: None,
        stopped_at: None,
        duration_ms: None,
        tail_gap_ms: None,
        status: Status::Unknown,
        status_reason: String::new(),
        failure_class: None,
        n_events: 0,
        requests_finished: None,
        requests_failed: None,
        first_error: None,
        build_id: None,
        tool_version: None,
        branch: None,
        commit: None,
        complete: true,
        incomplete_reason: None,
        ..run("bare")
    }
}

pub fn report() -> Report {
    Report {
        runs: vec![run("r1"), bare_run()],
        steps: steps(),
        errors: errors(),
        requests: requests(),
        rates: rates(),
        durations: durations(),
        metrics: metrics().into_iter().collect(),
        issues: issues(),
        files: files(),
    }
}

fn steps() -> Vec<Step> {
    let step = Step {
        run: 0,
        seq: 1,
        parent_seq: None,
        depth: 0,
        step_kind: StepKind::Phase,
        name: "create, \"boot\"".into(),
        connector_id: None,
        started_at: Some(T0 + 1),
        stopped_at: Some(T0 + 999_999),
        duration_ms: Some(i64::MAX),
        gap_before_ms: Some(-7),
        share: Some(0.1 + 0.2),
        status: Status::TimedOut,
        status_code: None,
        error: Some(NASTY.into()),
    };
    let bare = Step {
        run: 1,
        seq: u32::MAX,
        parent_seq: Some(1),
        depth: 255,
        step_kind: StepKind::Substep,
        name: String::new().into(),
        connector_id: Some("".into()),
        started_at: None,
        stopped_at: None,
        duration_ms: None,
        gap_before_ms: None,
        share: None,
        status: Status::Succeeded,
        status_code: Some(i64::MIN),
        error: None,
    };
    vec![step, bare]
}

fn errors() -> Vec<ErrorGroup> {
    let group = ErrorGroup {
        platform: Platform::Cloudflare,
        kind: None,
        group: None,
        run_id: "r1".into(),
        group_id: "00000000000000ff".into(),
        template: "Request to <url> failed".into(),
        level: Level::SoftFail,
        class: Class::Failure,
        failure_class: None,
        n_events: 3,
        n_runs: 1,
        first_seen: Some(T0),
        last_seen: None,
        example: NASTY.into(),
        example_source: "a,b.json".into(),
        example_line: 1,
    };
    vec![group]
}

fn requests() -> Vec<Request> {
    let request = Request {
        run: 0,
        url: Some("https://example.com/?a=1,2&b=\"x\"".into()),
        request_id: None,
        attempts: 4,
        outcome: RequestOutcome::Recovered,
        last_error: "".into(),
        first_seen: Some(T0),
        last_seen: Some(T0 + 1),
    };
    vec![request.clone(), Request { url: None, request_id: Some("x".into()), run: 1, ..request }]
}

fn rates() -> Vec<Rate> {
    let rate = Rate {
        platform: Platform::Alloy,
        kind: Some(Kind::Execution),
        group: "w".into(),
        bucket_start: None,
        n_runs: 3,
        n_succeeded: 2,
        n_failed: 1,
        n_timed_out: 0,
        n_aborted: 0,
        n_unknown: 0,
        run_failure_rate: Some(1.0 / 3.0),
        run_failure_rate_low: Some(5e-324),
        run_failure_rate_high: Some(1.0),
        n_events: 0,
        n_errors: 0,
        error_rate: None,
        n_requests: 0,
        request_failure_rate: None,
        n_steps: 1,
        step_failure_rate: Some(0.0),
        p50_ms: Some(-1),
        p95_ms: None,
    };
    vec![rate]
}

fn durations() -> Vec<Duration> {
    let duration = Duration {
        platform: Platform::Apify,
        kind: Some(Kind::Build),
        group: "g".into(),
        step: None,
        outcome: OutcomeFilter::All,
        n: 2,
        n_incomplete: 1,
        min_ms: Some(1),
        p50_ms: Some(2),
        p90_ms: Some(3),
        p95_ms: Some(4),
        p99_ms: Some(5),
        max_ms: Some(6),
        mean_ms: Some(1e21),
        total_ms: Some(0),
    };
    let empty = Duration {
        step: Some(String::new()),
        outcome: OutcomeFilter::Failed,
        n: 0,
        min_ms: None,
        p50_ms: None,
        p90_ms: None,
        p95_ms: None,
        p99_ms: None,
        max_ms: None,
        mean_ms: None,
        total_ms: None,
        ..duration.clone()
    };
    vec![duration, empty]
}

fn metrics() -> Vec<Metric> {
    let metric = |name: &str, value| Metric {
        run: 0,
        ts: Some(T0 + 123_456),
        value,
        what: Measure { name: name.into(), unit: "1/min", label: String::new() }.into(),
    };
    vec![metric("rate", -0.5), metric("not a number", f64::NAN), metric("endless", f64::INFINITY)]
}

fn issues() -> Vec<IssueRow> {
    let issue = IssueRow {
        code: "invalid-utf8",
        severity: Severity::Warning,
        source: "dump/ü.log".into(),
        member: None,
        line: None,
        byte_offset: None,
        message: "expected UTF-8, found \\xff".into(),
        raw_prefix: "\\xff\\x00\"".into(),
    };
    vec![
        issue.clone(),
        IssueRow { member: Some("b.log".into()), line: Some(7), byte_offset: Some(0), ..issue },
    ]
}

fn files() -> Vec<FileRow> {
    let file = FileRow {
        source: "dump/a.log".into(),
        member: None,
        platform: None,
        format: "unknown".into(),
        bytes: 10,
        n_lines: 1,
        n_events: 0,
        bytes_record: 0,
        bytes_continuation: 0,
        bytes_structure: 0,
        bytes_duplicate: 0,
        bytes_rejected: 10,
        min_ts: None,
        max_ts: Some(T0),
        complete: false,
        incomplete_reason: Some("refused".into()),
    };
    vec![file]
}

/// A record whose message and payload are JSON strings as they stand in a file, escapes and all.
pub fn record<'a>(message: &'a [u8], payload: Option<&'a [u8]>) -> Record<'a> {
    let json = |raw| Text { raw, codec: Codec::JsonString };
    Record {
        span: Span { start: 3, end: 45 },
        line: 0,
        n_lines: 2,
        n_events: 1,
        ts: Some(T0 + 1_000),
        until: None,
        clock: None,
        level: Level::None,
        class: Class::Plain,
        logger: b"",
        message: json(message),
        payload: payload.map(json),
        stream: 0,
        flags: Flags::LOSSY,
        evidence: Evidence::NONE,
    }
}

/// Two events of `r1`, one with everything and one with nothing, and one of `bare`.
pub fn events() -> DataFrame {
    let (full, bare) = (run("r1"), bare_run());
    let first = record(br#"say \"hi\",\nbye \ud83d\ude00"#, Some(br#"{\"a\":1}"#));
    let row = EventRow {
        run: &full,
        seq: 1,
        record: &first,
        step: Some((2, "work")),
        source: "dump/a.zip",
        member: Some("a.log"),
        line: 1,
        byte_offset: 0,
    };
    let second = Record {
        ts: None,
        until: None,
        clock: None,
        level: Level::Critical,
        logger: b"\x1b[33mPlaywrightCrawler\x1b[39m",
        flags: Flags::NONE,
        n_lines: 0,
        ..record(b"", None)
    };
    let mut columns = EventColumns::new();
    columns.push(&row);
    columns.push(&EventRow {
        seq: 2,
        record: &second,
        step: None,
        member: None,
        line: 3,
        byte_offset: 45,
        ..row
    });
    columns.push(&EventRow { run: &bare, record: &second, ..row });
    assert_eq!(columns.n_rows(), 3);
    columns.into_frame().expect("the schema of events")
}
