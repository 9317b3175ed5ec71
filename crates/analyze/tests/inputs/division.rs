//! Large JSON documents are read in parts; what is found does not tell.

use std::num::NonZeroUsize;

use logmill_analyze::model::EventRow;
use logmill_analyze::{Buckets, Engine, EventsError, Input, Options, Redactor, Report, Selection};

use crate::support::{Access, Counted, events, read};

/// How elements stand in their array.
#[derive(Debug, Clone, Copy)]
enum Layout {
    /// All on one line.
    Minified,
    /// One on each line.
    Lines,
    /// Behind a comma that begins the line.
    CommaFirst,
    /// As `jq` writes them.
    Indented,
}

const LAYOUTS: [Layout; 4] = [Layout::Minified, Layout::Lines, Layout::CommaFirst, Layout::Indented];

impl Layout {
    fn array(self, elements: &[String]) -> String {
        match self {
            Self::Minified => format!("[{}]", elements.join(",")),
            Self::Lines => format!("[\n{}\n]\n", elements.join(",\n")),
            Self::CommaFirst => format!("[{}\n]", elements.join("\n,")),
            Self::Indented => {
                let indented = elements.iter().map(|element| indented(element));
                format!("[\n  {}\n]\n", indented.collect::<Vec<_>>().join(",\n  "))
            }
        }
    }
}

/// Breaks a line behind every brace, bracket and comma that stands outside of strings.
fn indented(element: &str) -> String {
    let (mut text, mut is_string) = (String::new(), false);
    for character in element.chars() {
        is_string ^= character == '"';
        if !is_string && matches!(character, '}' | ']') {
            text.push_str("\n    ");
        }
        text.push(character);
        if !is_string && matches!(character, '{' | '[' | ',') {
            text.push_str("\n    ");
        }
    }
    text
}

fn clock(second: usize) -> String {
    format!("2025-03-01T{:02}:{:02}:{:02}.000Z", 10 + second / 3600, second / 60 % 60, second % 60)
}

/// Executions with results that begin as the executions do, every seventh without results, every fifth failed.
fn executions(n: usize) -> Vec<String> {
    let execution = |index: usize| {
        let (from, to) = (clock(3 * (n - index)), clock(3 * (n - index) + 2));
        let result = |step: usize| {
            let data = if index.is_multiple_of(5) && step == 1 {
                r#"[[{"json":null,"error":{"message":"Gone ],{[ away"},"statusCode":410}]]"#
            } else {
                r#"[[{"json":{"executionId":"x","results":[1,{"startedAt":2},{"startedAt":3}]}}]]"#
            };
            format!(
                r#"{{"startedAt":"{from}","connectorId":"step {step} é","stoppedAt":"{to}","data":{data}}}"#
            )
        };
        let results: Vec<String> = (0..if index % 7 == 3 { 0 } else { 2 }).map(result).collect();
        format!(
            r#"{{"startedAt":"{from}","executionId":"e{index:04}","stoppedAt":"{to}","finished":true,"results":[{}]}}"#,
            results.join(",")
        )
    };
    (0..n).map(execution).collect()
}

/// Builds in pages of four lines, three pages each, the middle one overlapping the first.
fn pages(builds: usize) -> Vec<String> {
    let page = |build: usize, from: usize| {
        let start = 1_762_000_000_000 + build * 100_000;
        let line = |n: usize| {
            let text = match n {
                0 => "Initializing build environment...".to_owned(),
                1 => "Success: Finished initializing build environment".to_owned(),
                8 if build.is_multiple_of(3) => {
                    "Failed: error occurred while running build command".to_owned()
                }
                _ => format!(r#"line {n} of build {build}: \"result\" ],{{[ é"#),
            };
            format!(r#"[{},"{text}"]"#, start + n * 1000)
        };
        let lines: Vec<String> = (from..from + 4).map(line).collect();
        format!(r#"{{"success":true,"result":{{"truncated":false,"lines":[{}]}}}}"#, lines.join(","))
    };
    (0..builds).flat_map(|build| [0, 2, 5].map(|from| page(build, from))).collect()
}

fn options(window_bytes: usize) -> Options {
    Options { threads: NonZeroUsize::new(3), window_bytes, ..Options::default() }
}

/// Holds that a document tells the same whole and in parts, and says what it tells.
#[track_caller]
fn same(name: &str, document: &str) -> (Report, Vec<String>) {
    let told = |window_bytes, access| {
        let input = Counted::new(name, document, access);
        let found = read(&[&input], options(window_bytes));
        assert!(found.unread.is_empty(), "{:?}", found.unread);
        (found.report, found.events)
    };
    let whole = told(1 << 30, Access::Random);
    for access in [Access::Random, Access::Stream] {
        for window_bytes in [1, 700, 3000, 20_000] {
            let (report, events) = told(window_bytes, access);
            let how = format!("{access:?}, parts of {window_bytes}");
            assert_eq!(report.files, whole.0.files, "{how}");
            assert_eq!(report.issues, whole.0.issues, "{how}");
            assert_eq!(report.runs, whole.0.runs, "{how}");
            assert_eq!(report.steps, whole.0.steps, "{how}");
            assert_eq!(report.errors, whole.0.errors, "{how}");
            assert_eq!(events, whole.1, "{how}");
        }
    }
    whole
}

#[test]
fn pages_of_executions() {
    for layout in LAYOUTS {
        let array = layout.array(&executions(100));
        for document in [format!("{{\"next\":null,\"data\":{array},\"total\":100}}"), array] {
            let (report, events) = same("wf/page.json", &document);
            // 14 of them have no results (3, 10, …, 94), and of the 20 that end in 0 or 5 three are among those.
            let failed = report.runs.iter().filter(|run| run.status.as_str() == "failed").count();
            assert_eq!((report.runs.len(), report.steps.len(), events.len(), failed), (100, 172, 172, 17));
        }
    }
}

#[test]
fn arrays_of_pages() {
    for layout in LAYOUTS {
        let (report, events) = same("worker/pages.json", &layout.array(&pages(40)));
        let failed = report.runs.iter().filter(|run| run.status.as_str() == "failed").count();
        // Nine lines each, since of the twelve two are told twice and one is left out.
        assert_eq!((report.runs.len(), failed), (40, 14), "{layout:?}");
        assert_eq!(report.files.first().map(|file| file.n_events), Some(events.len() as u64));
    }
    // An array that ends in the last part, and answers behind it.
    let array = Layout::Minified.array(&pages(12));
    same("worker/more.json", &format!("{array},{},{array}", pages(14)[39]));
    same("worker/tail.json", &format!("{array},{}", pages(14)[40]));
}

#[test]
fn an_execution_that_stands_in_two_parts_counts_once() {
    let mut elements = executions(60);
    let early = elements[2].replace("\"finished\":true", "\"finished\":false");
    elements.push(elements[5].clone());
    elements.push(early);
    let (report, _) = same("wf/page.json", &Layout::Minified.array(&elements));
    assert_eq!(report.runs.len(), 60);
    let issues: u64 = report.issues.iter().filter(|issue| issue.code == "overlapping-page").count() as u64;
    assert_eq!(issues, 2);
}

#[test]
fn pages_that_repeat_the_end_of_the_one_before() {
    let executions = executions(90);
    let page = |at: usize| executions[at..(at + 12).min(90)].to_vec();
    let elements: Vec<String> = (0..90).step_by(10).flat_map(page).collect();
    for layout in LAYOUTS {
        let (report, _) = same("wf/pages.json", &layout.array(&elements));
        let repeated = report.issues.iter().filter(|issue| issue.code == "overlapping-page").count();
        assert_eq!((report.runs.len(), repeated), (90, 16));
    }
}

#[test]
fn lines_between_pages_belong_to_no_page() {
    // What a page repeats of the page before counts once; what stands between two pages is no page.
    let elements: Vec<String> = (0..30_u64)
        .flat_map(|build| {
            let start = 1_762_000_000_000 + build * 100_000;
            let last = start + 3000;
            let page = format!(r#"{{"success":true,"result":{{"lines":[[{start},"Initializing build environment..."],[{last},"line"]]}}}}"#);
            [page, format!(r#"{{"ts":{last},"line":"line"}}"#)]
        })
        .collect();
    for layout in LAYOUTS {
        let (report, events) = same("worker/pages.json", &layout.array(&elements));
        // Only behind the last page is there an end that makes a page of what is left.
        assert_eq!((report.runs.len(), events.len()), (30, 89));
    }
}

#[test]
fn arrays_of_pages_of_which_each_has_a_line_are_read_line_by_line() {
    // Only then is the second one damaged: it would end on the line below.
    let array = Layout::Minified.array(&pages(300));
    assert!(array.len() > logmill_parse::limits::HEAD_BYTES);
    let damaged = r#"[{"success":true,"result":{"lines":[[1770000000000,"a"]"#;
    let (report, _) =
        same("worker/lines.json", &format!("{array}\n{damaged}\n,[1770000001000,\"b\"]]}}}}]\n{array}\n"));
    assert!(report.issues.iter().any(|issue| issue.code == "invalid-json"), "{:?}", report.issues);
}

#[test]
fn damage_costs_the_same() {
    let sound = Layout::Indented.array(&executions(40));
    let at = |part: usize| sound.len() * part / 7;
    for part in [1, 3, 6] {
        let (before, behind) = (&sound[..at(part)], &sound[at(part)..]);
        same("wf/cut.json", before);
        same("wf/hole.json", &format!("{before}{}", &behind[behind.len().min(37)..]));
        for damage in ["\"", "]", "}", "{\"startedAt\":", "},\n  {\n    \"startedAt\":1", "],["] {
            same("wf/damaged.json", &format!("{before}{damage}{behind}"));
        }
    }
    let sound = Layout::Lines.array(&pages(12));
    for part in [1, 3, 6] {
        let at = sound.len() * part / 7;
        for damage in ["\"", "]", "}", "\n{", "],["] {
            same("worker/damaged.json", &format!("{}{damage}{}", &sound[..at], &sound[at..]));
        }
    }
}

#[test]
fn a_damaged_envelope_costs_the_same() {
    // How it ends is told from where it begins, which the last part does not have.
    let array = Layout::Minified.array(&executions(40));
    for end in ["", ",", ",\"total\":}", ",\"total\" 40}", ",40}", "]", "}]", "},{\"data\":[]}"] {
        let (report, _) = same("wf/page.json", &format!("{{\"data\":{array}{end}"));
        assert_eq!((report.runs.len(), report.issues.is_empty()), (40, false), "{end}");
    }
}

#[test]
fn as_many_problems_are_listed() {
    // No part has as many.
    let mut elements = executions(80);
    for at in [60, 20] {
        elements.splice(at..at, vec!["1".to_owned(); 6000]);
    }
    let (report, _) = same("wf/page.json", &Layout::Minified.array(&elements));
    // Of a document 9,999 are told, and that there are more; of those an input lists 100, and how many it does not.
    let of = |code| report.issues.iter().filter(|issue| issue.code == code).collect::<Vec<_>>();
    assert_eq!((report.runs.len(), of("unexpected-shape").len(), of("too-many-issues").len()), (80, 100, 2));
    let notes: Vec<&str> = of("too-many-issues").into_iter().map(|issue| &*issue.message).collect();
    assert_eq!(notes, ["9899 more issues of code unexpected-shape", "further ones are not listed"]);
}

#[test]
fn what_only_looks_like_an_element_divides_nothing() {
    // Whatever is guessed stands in a string, or deeper.
    let inner = r#"{"executionId":"no","results":[]},{"executionId":"no","results":[]}"#;
    let text = inner.replace('"', "\\\"");
    let mut elements = Vec::new();
    for n in 0..30 {
        elements.push(format!(
            r#"{{"executionId":"e{n}","finished":true,"inputs":[{inner},{inner}],"note":"x,{text}","results":[]}}"#
        ));
    }
    let (report, _) = same("wf/page.json", &Layout::Minified.array(&elements));
    assert_eq!(report.runs.len(), 30);
}

#[test]
fn parts_that_are_read_together_are_read_again_together() {
    // All of them, since the last run is the first one once more; in shares of a MiB.
    let text = "x".repeat(1000);
    let execution = |n: usize| format!(r#"{{"executionId":"e{n}","results":[{{"data":"{text}"}}]}}"#);
    let mut elements: Vec<String> = (0..4000).map(execution).collect();
    elements.push(execution(0));
    let document = Layout::Minified.array(&elements);
    let input = Counted::new("wf/page.json", &*document, Access::Random);
    let inputs: [&dyn Input; 1] = [&input];
    let engine = Engine::new(options(20_000)).expect("threads");
    let survey = engine.survey(&inputs);
    input.asked.take_bytes();
    let (found, unread) = events(&engine, &survey, &inputs);
    assert_eq!((found.len(), unread.len()), (4000, 0));
    assert!(input.asked.take_bytes() < document.len() as u64 + 100_000);
}

/// How many bytes are read again for the events of one run, of a document of how many, and how many events it has.
fn cost_of_one_run(name: &str, document: &str) -> (u64, usize) {
    let input = Counted::new(name, document, Access::Random);
    let inputs: [&dyn Input; 1] = [&input];
    let engine = Engine::new(options(6000)).expect("threads");
    let survey = engine.survey(&inputs);
    let all = survey.report(&Selection::default(), Buckets::default()).expect("buckets").runs;
    let run = &all[all.len() / 2].run_id;
    let selection = Selection { runs: vec![run.clone()], ..Selection::default() };
    input.asked.take_bytes();
    let mut seen = 0;
    let push = |n: &mut usize, row: &EventRow<'_>| *n += usize::from(row.run.run_id == *run);
    let take = |n: usize| {
        seen += n;
        Ok::<(), EventsError>(())
    };
    let plan = survey.event_plan(&selection);
    engine.events(&plan, &inputs, || 0, push, |n| n, take).expect("unchanged inputs");
    (input.asked.take_bytes(), seen)
}

#[test]
fn of_a_divided_document_one_run_costs_its_part() {
    for layout in [Layout::Minified, Layout::Lines, Layout::Indented] {
        let page = format!("{{\"data\":{}}}", layout.array(&executions(200)));
        let (bytes, events) = cost_of_one_run("wf/page.json", &page);
        assert_eq!(events, 2, "{layout:?}");
        assert!(bytes < 16_000, "{layout:?}: {bytes} of {}", page.len());
        let array = layout.array(&pages(60));
        let (bytes, events) = cost_of_one_run("worker/pages.json", &array);
        assert_eq!(events, 9, "{layout:?}");
        assert!(bytes < 16_000, "{layout:?}: {bytes} of {}", array.len());
    }
}

#[test]
fn what_a_problem_shows_is_masked_as_in_the_whole() {
    // A key that nothing closes reaches over what stands behind it, and over the place where the document is divided.
    let execution = |n: usize| {
        let key = r"-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASC";
        format!(
            r#"{{"executionId":"e{n}","startedAt":"bad{n}","note":"{key}","results":[{{"connectorId":"c"}}]}}"#
        )
    };
    let document = Layout::Minified.array(&(0..40).map(execution).collect::<Vec<_>>());
    let shown = |window_bytes| -> Vec<String> {
        let input = Counted::new("wf/page.json", document.as_str(), Access::Random);
        let options = Options { redactor: Some(Redactor::default()), ..options(window_bytes) };
        let issues = read(&[&input], options).report.issues;
        issues.into_iter().map(|issue| issue.raw_prefix).collect()
    };
    let whole = shown(1 << 30);
    assert_eq!(whole.first().map(String::as_str), Some(r#"\"bad0\""#));
    assert!(whole.iter().skip(1).any(|prefix| prefix.contains("<key:")), "{whole:?}");
    assert_eq!(shown(300), whole);
}
