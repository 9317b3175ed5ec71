//! What must hold of every page, whatever the report says.

mod reader;
mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::process::{Command, Stdio};
use std::sync::Arc;

use logmill_analyze::Report;
use logmill_analyze::model::{Measure, Metric, Run};
use logmill_html::{Page, page};
use logmill_parse::{Kind, Platform, Status};
use reader::{Element, elements};
use support::{HOUR, START, completed, error, run, step, with_everywhere};

const HOSTILE: &[&str] = &[
    "<script>alert(1)</script>",
    "</script></style></title></svg></pre></textarea>--><script>alert(1)</script>",
    "\"><img src=x onerror=alert(1)>",
    "' onmouseover='alert(1)' x='",
    "javascript:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "<svg/onload=alert(1)>",
    "]]><!--<![CDATA[",
    "&lt;script&gt;&#60;&amp;&nbsp;&",
    "{}{0}{x}%s\\",
    "nul\0bell\u{7}esc\u{1b}[31mdel\u{7f}csi\u{9b}31m\u{85}",
    "\u{202e}gpj.exe\u{2066}x\u{2069}\u{200f}\u{61c}",
    "\u{2028}\u{2029}\u{feff}\u{200b}\u{ad}\u{fffe}\u{ffff}\u{fdd0}\u{1fffe}\u{e0041}",
    "a\r\nb\tc\n\n\nd",
    "Z̸̢̛͎a̵l̶g̴o̷",
    "عربى עברית 日本語 😀👩‍👩‍👧",
    "",
];

/// The element names, attributes and links that a page may have.
#[track_caller]
fn check_harmless(html: &str) -> Vec<Element> {
    let all = elements(html);
    let allowed: BTreeSet<&str> =
        "html head meta title style body a header h1 h2 h3 p nav ul li main section div figure figcaption table thead tbody tr th td \
         span b small code pre dl dt dd details summary footer script br svg g line rect circle text defs pattern"
            .split_whitespace()
            .collect();
    let attributes: BTreeSet<&str> =
        "lang charset http-equiv content name class href id aria-label aria-labelledby aria-hidden role tabindex scope open data-v \
         width height x y x1 x2 y1 y2 cx cy r dx patternUnits patternTransform"
            .split_whitespace()
            .collect();
    let ids: Vec<&str> = all.iter().filter_map(|element| element.get("id")).collect();
    assert_eq!(ids.len(), ids.iter().collect::<BTreeSet<_>>().len(), "ids are unique");
    for element in &all {
        assert!(allowed.contains(element.name.as_str()), "{element:?}");
        for name in element.attributes.keys() {
            assert!(attributes.contains(name.as_str()), "{name} in {element:?}");
        }
        if let Some(link) = element.get("href") {
            assert!(ids.contains(&link.strip_prefix('#').expect("links stay on the page")), "{link}");
        }
        for size in ["width", "height", "x", "y", "x1", "x2", "y1", "y2", "cx", "cy", "r"] {
            let Some(value) = element.get(size) else { continue };
            let value: f64 = value.trim_end_matches('%').parse().expect("a number");
            assert!(
                value.is_finite() && (value >= 0.0 || size == "x" || size.starts_with('y')),
                "{size} in {element:?}"
            );
        }
    }
    assert_eq!(all.iter().filter(|element| element.name == "script").count(), 1);
    assert_eq!(all.iter().filter(|element| element.name == "style").count(), 1);
    let acts = |c: char| {
        c.is_control() && c != '\n' && c != '\t'
            || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    assert_eq!(html.chars().find(|c| acts(*c)), None, "nothing acts on whoever reads the page");
    all
}

#[test]
fn hostile_text_stays_text() {
    for text in HOSTILE {
        let about = Page {
            options: BTreeMap::from([((*text).to_owned(), (*text).to_owned())]),
            version: text,
            ..Page::titled(text)
        };
        let html = page(&with_everywhere(text), &about);
        let all = check_harmless(&html);
        // Text without line ends and without what is spelt out stands on the page as it is.
        if text.starts_with("</script>") || text.contains("عربى") || text.starts_with("\">") {
            assert!(all.iter().any(|element| element.name == "pre" && element.text == *text), "{text}");
            assert!(
                all.iter().any(|element| element.name == "text" && element.text.ends_with(text)),
                "{text}"
            );
        }
    }
}

#[test]
fn a_very_long_text_does_not_make_a_very_long_page() {
    let html = page(&with_everywhere(&"\u{1}".repeat(1 << 20)), &Page::titled("x"));
    check_harmless(&html);
    assert!(html.len() < 600 << 10, "{}", html.len());
}

/// A page beside the logs is passed over as one of our own.
#[test]
fn pages_are_recognised() {
    let html = page(&small(), &Page::titled("x"));
    let page = logmill_analyze::Bytes::new("report.html", html);
    let engine = logmill_analyze::Engine::new(logmill_analyze::Options::default()).expect("threads");
    let survey = engine.survey(&[&page]);
    let report = survey.report(&logmill_analyze::Selection::default(), logmill_analyze::Buckets::default());
    assert_eq!(report.expect("no rows").files[0].format, "own-output");
}

#[test]
fn nothing_makes_a_page_that_says_so() {
    let html = page(&Report::default(), &Page::titled("Empty"));
    let all = check_harmless(&html);
    let main = all.iter().find(|element| element.name == "main").expect("a main part");
    for sentence in [
        "Outcomes: there are no runs.",
        "Connectors: no step names a connector.",
        "Errors: no event is an error or a retry.",
    ] {
        assert!(main.text.contains(sentence), "{}", main.text);
    }
    assert!(!all.iter().any(|element| element.name == "table"));
}

/// Figures in full, as the page gives them to whoever reads it by program.
fn figure(all: &[Element], id: &str) -> f64 {
    let element = all.iter().find(|element| element.get("id") == Some(id)).expect("a figure");
    element.get("data-v").and_then(|value| value.parse().ok()).expect("a number")
}

fn cells<'a>(html: &'a str, label: &str) -> Vec<Vec<&'a str>> {
    let table =
        html.split(&format!("aria-label=\"{label}\"")).nth(1).and_then(|rest| rest.split("</tbody>").next());
    let body = table.and_then(|table| table.split("<tbody>").nth(1)).expect("a table");
    let row = |row: &'a str| {
        row.split("<td")
            .skip(1)
            .filter_map(|cell| cell.split_once('>'))
            .map(|(_, cell)| cell.split("</td>").next().unwrap_or(""))
            .collect()
    };
    body.split("<tr>").skip(1).map(row).collect()
}

/// One failure, one timeout, two successes and an abort in two groups over some hours.
fn small() -> Report {
    let runs = vec![
        run("alpha", "a1", Status::Succeeded, START, 1000),
        run("alpha", "a2", Status::Failed, START + HOUR, 3000),
        run("alpha", "a3", Status::Succeeded, START + 2 * HOUR, 2000),
        run("beta", "b1", Status::TimedOut, START + 3 * HOUR, 60_000),
        run("beta", "b2", Status::Aborted, START + 4 * HOUR, 50),
    ];
    let steps =
        vec![step(0, 1, "boot", 0, 400), step(0, 2, "work", 400, 600), step(2, 1, "work", 7_200_000, 2000)];
    completed(Report { runs, steps, errors: vec![error("boom <1>", 4)], ..Report::default() })
}

#[test]
fn figures_are_those_of_the_report() {
    let html = page(&small(), &Page::titled("Small"));
    let all = check_harmless(&html);
    assert!((figure(&all, "figure-runs") - 5.0).abs() < 1e-9);
    assert!(
        (figure(&all, "figure-failure-rate") - 0.5).abs() < 1e-9,
        "2 of 4: what was aborted is in neither"
    );
    assert!((figure(&all, "figure-error-rate") - 1.0 / 50.0).abs() < 1e-9);
    assert!((figure(&all, "figure-total-time") - 66_050.0).abs() < 1e-9);
    assert!((figure(&all, "figure-request-failure-rate") - 0.1).abs() < 1e-9, "5 of 50");
    // Wilson at 95 % for 2 of 4: 15.0 % to 85.0 %.
    assert!(html.contains("2 of 4; 95\u{a0}% interval 15.0\u{a0}% to 85.0\u{a0}%"));
    let groups = cells(&html, "Runs by group");
    let shown = |row: &[&str]| {
        [row[0], row[2], row[3], row[6], row[7], row[9]].map(|cell| cell.replace('\u{a0}', " "))
    };
    assert_eq!(shown(&groups[0]), ["beta", "2", "100 %", "50 ms", "1m 00s", "1m 00s"]);
    assert_eq!(shown(&groups[1]), ["alpha", "3", "33.3 %", "2.00 s", "3.00 s", "6.00 s"]);
    let steps = cells(&html, "Steps by time");
    assert_eq!(
        [steps[0][0], steps[0][3], steps[0][7]].map(|cell| cell.replace('\u{a0}', " ")),
        ["work", "2", "2.60 s"]
    );
    let runs = cells(&html, "Runs");
    assert_eq!(runs.iter().map(|row| row[2]).collect::<Vec<_>>(), ["a1", "a2", "a3", "b1", "b2"]);
}

/// Every run with a start stands in exactly one bar.
#[test]
fn bars_add_up_to_the_runs() {
    let html = page(&many(), &Page::titled("Many"));
    let mut sum = 0;
    for figure in html.split("runs by outcome, each").skip(1) {
        let figure = figure.split("</figure>").next().unwrap_or("");
        for title in figure.split("<title>").skip(1) {
            let words =
                title.split("</title>").next().and_then(|title| title.split_once(": ")).expect("a title").1;
            for part in words.split(", ") {
                let n: String = part
                    .chars()
                    .take_while(|c| c.is_ascii_digit() || *c == '\u{202f}')
                    .filter(char::is_ascii_digit)
                    .collect();
                sum += n.parse::<u64>().expect("a number of runs");
            }
        }
    }
    assert_eq!(sum, 10_000);
}

#[test]
fn the_typical_run_is_the_median_of_those_that_succeeded() {
    let html = page(&small(), &Page::titled("Small"));
    let typical = html
        .split("id=\"typical\"")
        .nth(1)
        .and_then(|rest| rest.split("</section>").next())
        .expect("typical runs");
    // Of 1 s and 2 s the nearest rank of p50 is 1 s.
    assert!(typical.contains("<code>a1</code>") && !typical.contains("<code>a3</code>"), "{typical}");
    let label = "steps of run a1: boot 400\u{a0}ms, work 600\u{a0}ms";
    assert!(typical.contains(label), "{typical}");
}

/// Ten thousand runs of forty groups over two months, of several kinds, with steps, errors and metrics.
fn many() -> Report {
    let kinds = [
        (Platform::Apify, Kind::Run),
        (Platform::Cloudflare, Kind::Build),
        (Platform::Alloy, Kind::Execution),
        (Platform::Apify, Kind::Invocation),
    ];
    let mut runs: Vec<Run> = (0..10_000_i64)
        .map(|n| {
            let status = Status::ALL[usize::try_from(n * n % 31 % 7).expect("small")];
            let (platform, kind) = kinds[usize::try_from(n % 4).expect("small")];
            let first_error = (n % 3 == 0).then(|| {
                format!(
                    "Request {n} blocked - received 403 status code at https://shop.example.com/products/{n}"
                )
            });
            let run = run(
                &format!("some-actor-{}", n % 40),
                &format!("{n:017}"),
                status,
                START + n * HOUR / 7,
                10 + n * n % 1_000_003,
            );
            Run { platform, kind: Some(kind), first_error, complete: n % 97 != 0, ..run }
        })
        .collect();
    runs.sort_by_key(|run| (run.platform, run.group.clone(), run.started_at));
    let names = ["pull", "create", "boot", "work", "shutdown"];
    let mut steps = Vec::new();
    let mut metrics = Vec::new();
    let measures: Vec<Arc<Measure>> = [
        "requests_finished_per_minute",
        "cpu_ratio",
        "mem_ratio",
        "current_concurrency",
        "lateness_ms",
        "memory_used_bytes",
        "a",
        "b",
        "c",
        "d",
        "e",
        "f",
        "g",
    ]
    .into_iter()
    .map(|name| Arc::new(Measure { name: name.to_owned(), unit: "count", label: String::new() }))
    .collect();
    for (index, run) in runs.iter().enumerate() {
        let ms = run.duration_ms.unwrap_or(0) / 5;
        let offset = (run.started_at.unwrap_or(START) - START) / 1000;
        for (seq, name) in (0_u32..).zip(names) {
            let mut one = step(index, seq + 1, name, offset + i64::from(seq) * ms, ms);
            one.connector_id = (seq == 3).then(|| format!("connector-{}", index % 60).into());
            steps.push(one);
        }
        for (n, what) in measures.iter().enumerate() {
            metrics.push(Metric {
                run: index,
                ts: run.started_at,
                value: (index * (n + 7) % 89) as f64,
                what: Arc::clone(what),
            });
        }
    }
    let errors = (0..200_u64)
        .map(|n| {
            error(
                &format!(
                    "Error number {n} of <n> happened while the page was being read {}",
                    "x ".repeat(150)
                ),
                500 - n,
            )
        })
        .collect();
    completed(Report { runs, steps, metrics: metrics.into_iter().collect(), errors, ..Report::default() })
}

#[test]
fn ten_thousand_runs_make_a_page_of_bounded_size() {
    let report = many();
    let html = page(&report, &Page::titled("Many"));
    check_harmless(&html);
    assert!(html.len() < 600 << 10, "{} bytes", html.len());
    assert!(html.contains("and 9\u{202f}900\u{a0}more runs"));
    assert_eq!(html, page(&report, &Page::titled("Many")), "the same report gives the same page");
}

#[test]
fn writing_is_the_same_as_the_page() {
    let mut sink = Vec::new();
    logmill_html::write(&small(), &Page::titled("x"), &mut sink).expect("memory");
    assert_eq!(String::from_utf8(sink).expect("text"), page(&small(), &Page::titled("x")));
}

/// Pages are well-formed XML, too, by the judgement of a reader from elsewhere; and HTML without errors.
#[test]
fn other_readers_find_no_fault() {
    let program = "
import sys, xml.etree.ElementTree as tree
text = sys.stdin.buffer.read().decode('utf-8')
tree.fromstring(text)
try:
    import html5lib
except ImportError:
    print('xml')
else:
    parser = html5lib.HTMLParser()
    parser.parse(text)
    # HTML ignores the slash of an element that is always empty; html5lib has no word for that.
    print([(error[1], error[0]) for error in parser.errors])
";
    let Ok(version) = Command::new("python3").arg("--version").output() else {
        return skip("there is no Python here");
    };
    assert!(version.status.success());
    for html in
        [page(&with_everywhere(HOSTILE[1]), &Page::titled(HOSTILE[10])), page(&small(), &Page::titled("x"))]
    {
        let mut python = Command::new("python3")
            .args(["-c", program])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("Python runs");
        python.stdin.take().expect("a pipe").write_all(html.as_bytes()).expect("Python reads");
        let output = python.wait_with_output().expect("Python ends");
        assert!(output.status.success(), "not well-formed");
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(matches!(said.trim(), "xml" | "[]"), "{said}");
    }
}

/// The big list of naughty strings, where somebody has put it: `LOGMILL_NAUGHTY_STRINGS=blns.json`.
#[test]
#[expect(clippy::disallowed_methods, reason = "the list is a file")]
fn naughty_strings_stay_text() {
    let Some(path) = std::env::var_os("LOGMILL_NAUGHTY_STRINGS") else {
        return skip("LOGMILL_NAUGHTY_STRINGS names no list");
    };
    let list = std::fs::read(path).expect("a list");
    let strings: Vec<String> = serde_json::from_slice(&list).expect("JSON strings");
    assert!(strings.len() > 100);
    for text in &strings {
        let about = Page::titled(text);
        check_harmless(&page(&with_everywhere(text), &about));
    }
}

#[expect(clippy::disallowed_macros, reason = "a test says why it did nothing")]
fn skip(why: &str) {
    eprintln!("skipped: {why}");
}
