//! The analysis finds exactly what the generator wrote: every run, every step, every count.

use std::collections::BTreeMap;
use std::path::Path;

use logmill_analyze::model::{Report, Run, Step};
use logmill_analyze::{Buckets, Bytes, Engine, Input, Options, Selection};
use logmill_generate::{Amount, FormatId, Plan, Truth, TruthRun, TruthStep};

fn analyze(files: &[(String, Vec<u8>)], options: Options) -> Report {
    let inputs: Vec<Bytes> =
        files.iter().map(|(path, bytes)| Bytes::new(path.clone(), bytes.clone())).collect();
    let inputs: Vec<&dyn Input> = inputs.iter().map(|input| input as &dyn Input).collect();
    let engine = Engine::new(options).expect("threads");
    engine.survey(&inputs).report(&Selection::default(), Buckets::default()).expect("buckets")
}

/// One line per fact about a run, so that a difference shows as a line.
fn facts_of_truth(run: &TruthRun) -> String {
    let status = word(run.status);
    let blank = run.n_blank_lines;
    let steps: Vec<String> = run.steps.iter().map(step_of_truth).collect();
    format!(
        "kind {}\nstatus {status}\nfailure_class {:?}\nstarted {:?}\nstopped {:?}\nduration {:?}\ntail {:?}\nlines {:?}\nevents {}\nerrors {}\nwarnings {}\nretries {}\nrequests {:?} {:?} {:?}\nlost {} recovered {} open {}\nbuild {:?}\ncomplete {}\n{}",
        run.kind,
        run.failure_class,
        run.started_at_us,
        run.stopped_at_us,
        run.duration_ms,
        run.tail_gap_ms,
        run.n_lines.map(|lines| lines - blank),
        run.n_events,
        run.n_errors,
        run.n_warnings,
        run.n_retries,
        run.requests_finished,
        run.requests_failed,
        run.request_retries,
        run.requests_lost,
        run.requests_recovered,
        run.requests_open,
        run.build_id,
        run.complete,
        steps.join("\n"),
    )
}

fn word(status: logmill_generate::TruthStatus) -> String {
    serde_json::to_value(status).expect("a word").as_str().expect("a word").to_owned()
}

fn step_of_truth(step: &TruthStep) -> String {
    format!(
        "step {} {} {:?} {:?} {:?} gap {:?}",
        step.depth, step.name, step.started_at_us, step.stopped_at_us, step.duration_ms, step.gap_before_ms
    )
}

fn facts_of_run(report: &Report, index: usize, run: &Run, truth: &TruthRun) -> String {
    let steps: Vec<&Step> = report.steps.iter().filter(|step| step.run == index).collect();
    let count = |outcome: &str| {
        report
            .requests
            .iter()
            .filter(|r| {
                r.run == index && r.outcome.as_str() == outcome && (r.url.is_some() || r.request_id.is_some())
            })
            .count()
    };
    let steps: Vec<String> = steps
        .iter()
        .map(|step| {
            format!(
                "step {} {} {:?} {:?} {:?} gap {:?}",
                step.depth, step.name, step.started_at, step.stopped_at, step.duration_ms, step.gap_before_ms
            )
        })
        .collect();
    format!(
        "kind {}\nstatus {}\nfailure_class {:?}\nstarted {:?}\nstopped {:?}\nduration {:?}\ntail {:?}\nlines {:?}\nevents {}\nerrors {}\nwarnings {}\nretries {}\nrequests {:?} {:?} {:?}\nlost {} recovered {} open {}\nbuild {:?}\ncomplete {}\n{}",
        run.kind.map_or("?", |kind| kind.as_str()),
        run.status,
        run.failure_class.as_deref(),
        run.started_at,
        run.stopped_at,
        run.duration_ms,
        run.tail_gap_ms,
        truth.n_lines.map(|_| run.n_lines),
        run.n_events,
        run.n_errors,
        run.n_warnings,
        run.n_retries,
        run.requests_finished,
        run.requests_failed,
        run.request_retries,
        count("lost"),
        count("recovered"),
        count("open"),
        run.build_id.as_deref(),
        run.complete,
        steps.join("\n"),
    )
}

/// Every run of the truth is there, no other is, and each agrees in every fact.
#[track_caller]
fn check(report: &Report, truth: &Truth, what: &str) {
    let found: BTreeMap<&str, usize> =
        report.runs.iter().enumerate().map(|(index, run)| (run.run_id.as_str(), index)).collect();
    assert_eq!(found.len(), report.runs.len(), "{what}: a run_id stands twice");
    let mut wrong = Vec::new();
    for expected in &truth.runs {
        let Some(index) = found.get(expected.run_id.as_str()) else {
            wrong.push(format!("{}: no such run", expected.run_id));
            continue;
        };
        let (want, have) =
            (facts_of_truth(expected), facts_of_run(report, *index, &report.runs[*index], expected));
        if want != have {
            let lines: Vec<String> = diff(&want, &have);
            wrong.push(format!("{} ({}):\n{}", expected.run_id, expected.source, lines.join("\n")));
        }
    }
    let known: Vec<&str> = truth.runs.iter().map(|run| run.run_id.as_str()).collect();
    for run in &report.runs {
        if !known.contains(&run.run_id.as_str()) {
            wrong.push(format!("{}: not in the truth", run.run_id));
        }
    }
    assert!(
        wrong.is_empty(),
        "{what}: {} of {} runs differ\n{}",
        wrong.len(),
        truth.runs.len(),
        wrong[..wrong.len().min(8)].join("\n")
    );
}

fn diff(want: &str, have: &str) -> Vec<String> {
    let (want, have): (Vec<&str>, Vec<&str>) = (want.lines().collect(), have.lines().collect());
    let mut lines = Vec::new();
    for index in 0..want.len().max(have.len()) {
        let (w, h) = (want.get(index).unwrap_or(&"–"), have.get(index).unwrap_or(&"–"));
        if w != h {
            lines.push(format!("    expected {w}\n    found    {h}"));
        }
    }
    lines.truncate(8);
    lines
}

/// Every error group belongs to a template of the truth, the longest that fits its example; and
/// each template has as many events as its groups. (The truth writes `{}` where a message varies.)
#[track_caller]
fn check_templates(report: &Report, truth: &Truth, what: &str) {
    let mut counts: Vec<u64> = vec![0; truth.error_templates.len()];
    let mut wrong = Vec::new();
    for group in &report.errors {
        let fitting = truth.error_templates.iter().enumerate().filter(|(_, template)| {
            group.class.as_str() == value(&template.class)
                && group.level.as_str() == value(&template.level)
                && fits(template.template, &group.example)
        });
        match fitting.max_by_key(|(_, template)| template.template.len()) {
            Some((index, _)) => counts[index] += group.n_events,
            None => wrong.push(format!("    no template fits {}: {}", group.template, group.example)),
        }
    }
    for (template, found) in truth.error_templates.iter().zip(counts) {
        if template.n_events != found {
            wrong.push(format!("    expected {}, found {found}: {}", template.n_events, template.template));
        }
    }
    assert!(wrong.is_empty(), "{what}: {} templates differ\n{}", wrong.len(), wrong.join("\n"));
}

fn value(word: &impl serde::Serialize) -> String {
    serde_json::to_value(word).expect("a word").as_str().expect("a word").to_owned()
}

/// Whether the pattern stands somewhere in the text, `{}` standing for anything.
fn fits(pattern: &str, text: &str) -> bool {
    let mut rest = text;
    pattern.split("{}").all(|part| match rest.find(part) {
        Some(at) => {
            rest = &rest[at + part.len()..];
            true
        }
        None => false,
    })
}

fn files(plan: &Plan) -> (Vec<(String, Vec<u8>)>, Truth) {
    let mut files = Vec::new();
    let mut sink = |path: &Path, bytes: &[u8]| {
        files.push((path.to_string_lossy().into_owned(), bytes.to_vec()));
        Ok(())
    };
    let truth = logmill_generate::files(plan, &mut sink).expect("the sink never fails");
    (files, truth)
}

#[test]
fn demo() {
    let demo = logmill_generate::demo();
    let files: Vec<(String, Vec<u8>)> =
        demo.files.iter().map(|(path, bytes)| (path.to_string_lossy().into_owned(), bytes.clone())).collect();
    check(&analyze(&files, Options::default()), &demo.truth, "demo");
}

#[track_caller]
fn check_format(format: FormatId) {
    for seed in [1, 2, 3] {
        let (files, truth) = files(&Plan::new(format, seed, Amount::Runs(120)));
        let report = analyze(&files, Options::default());
        check(&report, &truth, &format!("{} seed {seed}", format.as_str()));
        check_templates(&report, &truth, &format!("{} seed {seed}", format.as_str()));
    }
    let mut bytes = Vec::new();
    let plan = Plan::new(format, 7, Amount::Runs(150));
    let truth = logmill_generate::stream(&plan, "stream", &mut bytes).expect("memory");
    let report = analyze(&[("logs/stream.log".to_owned(), bytes)], Options::default());
    check(&report, &truth, &format!("stream of {}", format.as_str()));
}

#[test]
fn apify_logs() {
    check_format(FormatId::ApifyLog);
}

#[test]
fn apify_schedules() {
    check_format(FormatId::ApifySchedule);
}

#[test]
fn cloudflare_builds() {
    check_format(FormatId::CloudflareBuild);
}

#[test]
fn alloy_executions() {
    check_format(FormatId::AlloyExecution);
}

#[test]
fn threads_and_windows_change_nothing() {
    let (files, _) = files(&Plan::new(FormatId::ApifyLog, 11, Amount::Runs(40)));
    let mut stream = Vec::new();
    for (_, bytes) in &files {
        stream.extend_from_slice(bytes);
    }
    let mut inputs = files;
    inputs.push(("all/stream.log".to_owned(), stream));
    let reference = analyze(&inputs, Options::default());
    for (threads, window_bytes) in [(1, 64), (2, 1000), (8, 4096), (3, 65_536), (2, 4 << 20)] {
        let options =
            Options { threads: std::num::NonZeroUsize::new(threads), window_bytes, ..Options::default() };
        let report = analyze(&inputs, options);
        assert!(
            report == reference,
            "{threads} threads, windows of {window_bytes} bytes: the report differs"
        );
    }
}
