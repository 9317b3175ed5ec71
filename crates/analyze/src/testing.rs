//! Runs and steps with nothing in them, for the tests of this crate.

use logmill_parse::{Kind, Platform, Status, StepKind};

use crate::model::{Run, Step};

/// A complete Apify run of group `g` that started at the epoch.
pub(crate) fn run(status: Status, duration_ms: Option<i64>) -> Run {
    Run {
        platform: Platform::Apify,
        kind: Some(Kind::Run),
        group: "g".to_owned(),
        run_id: "r".to_owned(),
        source: "r.log".to_owned(),
        started_at: Some(0),
        stopped_at: duration_ms.and_then(|ms| ms.checked_mul(1000)),
        duration_ms,
        tail_gap_ms: None,
        status,
        status_reason: String::new(),
        failure_class: None,
        n_lines: 0,
        n_events: 0,
        n_errors: 0,
        n_warnings: 0,
        n_retries: 0,
        n_steps: 0,
        n_failed_steps: 0,
        requests_finished: None,
        requests_failed: None,
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

/// A step at depth 0 of the run at `index`.
pub(crate) fn step(index: usize, name: &str, status: Status, duration_ms: Option<i64>) -> Step {
    Step {
        run: index,
        seq: 1,
        parent_seq: None,
        depth: 0,
        step_kind: StepKind::Phase,
        name: name.to_owned().into(),
        connector_id: None,
        started_at: None,
        stopped_at: None,
        duration_ms,
        gap_before_ms: None,
        share: None,
        status,
        status_code: None,
        error: None,
    }
}
