//! `logmill bench`: figures are there, and they are of what was read.

use serde_json::Value;

use crate::support::{run, well};

#[test]
fn every_format_and_stage_is_measured() {
    let out = well(["bench", "testdata/demo", "--repeat", "1", "--threads", "2", "--json"]);
    let measured: Value = serde_json::from_str(&out.out).expect("JSON");
    let formats = measured["formats"].as_array().expect("formats");
    let ids: Vec<&str> = formats.iter().filter_map(|format| format["format"].as_str()).collect();
    assert_eq!(ids, ["apify-log", "apify-schedule", "cloudflare-build", "alloy-execution"]);
    for format in formats {
        let stages = format["stages"].as_array().expect("stages");
        let names: Vec<&str> = stages.iter().filter_map(|stage| stage["stage"].as_str()).collect();
        assert_eq!(names, ["read", "report", "events", "parquet"]);
        assert!(format["events"].as_u64() > Some(0), "{format}");
        for seconds in stages.iter().flat_map(|stage| [&stage["one_thread"], &stage["all_threads"]]) {
            let (least, most) = (seconds["min_s"].as_f64(), seconds["max_s"].as_f64());
            assert!(least > Some(0.0) && least <= most, "{seconds}");
        }
    }
}

#[test]
fn generated_dumps_have_the_size_that_was_asked_for() {
    let out = well(["bench", "--generate", "200K", "alloy-execution", "--repeat", "1", "--json"]);
    let measured: Value = serde_json::from_str(&out.out).expect("JSON");
    let bytes = measured["formats"][0]["bytes"].as_u64().expect("bytes");
    assert!((200 << 10..600 << 10).contains(&bytes), "{bytes} bytes");
}

#[test]
fn nothing_to_measure_is_a_usage_error() {
    for words in
        [&["bench"][..], &["bench", "--generate", "big", "all"], &["bench", "--generate", "1M", "none"]]
    {
        assert_eq!(run(words).code, Some(2), "{words:?}");
    }
}
