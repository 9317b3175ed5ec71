//! The schema, told a second time by hand: whoever changes it changes this list, knowingly.

use logmill_frame::{Dtype, Table};

const KEY: &str = "platform kind group run_id";

#[track_caller]
fn check(table: Table, columns: &str) {
    let names: Vec<&str> = table.columns().iter().map(|column| column.name).collect();
    let expect: Vec<&str> = columns.split_whitespace().collect();
    assert_eq!(names, expect, "{table}");
}

#[test]
fn names_and_their_order() {
    check(
        Table::Runs,
        &format!(
            "{KEY} source started_at stopped_at duration_ms tail_gap_ms status status_reason failure_class n_lines \
             n_events n_errors n_warnings n_retries error_rate n_steps n_failed_steps requests_finished \
             requests_failed request_retries first_error build_id tool_version branch commit complete \
             incomplete_reason"
        ),
    );
    check(
        Table::Steps,
        &format!(
            "{KEY} seq parent_seq depth step_kind name connector_id started_at stopped_at duration_ms gap_before_ms \
             share status status_code error"
        ),
    );
    check(
        Table::Events,
        &format!(
            "{KEY} seq ts level class logger message payload step_seq step source member line byte_offset n_lines \
             n_bytes lossy"
        ),
    );
    check(
        Table::Errors,
        &format!(
            "{KEY} group_id template level class failure_class n_events n_runs first_seen last_seen example \
             example_source example_line"
        ),
    );
    check(Table::Requests, &format!("{KEY} url request_id attempts outcome last_error first_seen last_seen"));
    check(
        Table::Rates,
        "platform kind group bucket_start n_runs n_succeeded n_failed n_timed_out n_aborted n_unknown \
         run_failure_rate run_failure_rate_low run_failure_rate_high n_events n_errors error_rate n_requests \
         request_failure_rate n_steps step_failure_rate p50_ms p95_ms",
    );
    check(
        Table::Durations,
        "platform kind group step outcome n n_incomplete min_ms p50_ms p90_ms p95_ms p99_ms max_ms mean_ms total_ms",
    );
    check(Table::Metrics, &format!("{KEY} ts name value unit label"));
    check(Table::Issues, "code severity source member line byte_offset message raw_prefix");
    check(
        Table::Files,
        "platform source member format bytes n_lines n_events bytes_record bytes_continuation bytes_structure \
         bytes_duplicate bytes_rejected min_ts max_ts complete incomplete_reason",
    );
    assert_eq!(Table::ALL.len(), 10);
    assert_eq!(Table::of_report().count(), 9);
}

#[test]
fn types_follow_from_names() {
    for &table in Table::ALL {
        for column in table.columns() {
            let name = column.name;
            let expect = match name {
                _ if name.ends_with("_at") || name.ends_with("_seen") || name.ends_with("_ts") => {
                    Dtype::Instant
                }
                "ts" | "bucket_start" => Dtype::Instant,
                "complete" | "lossy" => Dtype::Bool,
                "share" | "value" | "mean_ms" => Dtype::Float,
                _ if name.contains("_rate") => Dtype::Float,
                _ if name.ends_with("_ms") || name.starts_with("n_") || name.starts_with("bytes") => {
                    Dtype::Int
                }
                "n" | "seq" | "parent_seq" | "step_seq" | "depth" | "line" | "byte_offset"
                | "status_code" | "attempts" | "example_line" | "requests_finished" | "requests_failed"
                | "request_retries" => Dtype::Int,
                _ => Dtype::Str,
            };
            assert_eq!(column.dtype, expect, "{table}.{name}");
            assert_eq!(name.ends_with("_ms"), column.unit == "ms", "{table}.{name}: {}", column.unit);
        }
    }
}

#[test]
fn texts_are_complete() {
    for &table in Table::ALL {
        assert!(!table.row().is_empty() && !table.order().is_empty());
        for column in table.columns() {
            let texts = [column.meaning, column.null_means.unwrap_or("never")];
            assert!(
                texts.iter().all(|text| !text.is_empty() && !text.contains('|')),
                "{table}.{}",
                column.name
            );
        }
    }
}

#[test]
fn words() {
    for &table in Table::ALL {
        assert_eq!(Table::from_word(table.as_str()), Some(table));
    }
    assert_eq!(Table::from_word("Runs"), None);
}
