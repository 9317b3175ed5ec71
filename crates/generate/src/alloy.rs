//! Alloy executions: workflows, their steps, and errors at every place one may stand.

use std::io::{self, Write};
use std::path::PathBuf;

use crate::put::{Iso, put};
use crate::rng::{ALPHANUMERIC, Rng};
use crate::truth::{Templates, Truth, TruthClass, TruthLevel, TruthRun, TruthStatus, TruthStep};
use crate::{Plan, Sink};

/// The API hands out at most so many executions per page.
const PAGE: usize = 30;

/// A workflow.
#[derive(Debug, Clone)]
pub struct Workflow {
    /// Its id.
    pub id: String,
    connectors: Vec<String>,
    every_ms: u64,
    /// Of a thousand steps, so many fail.
    pub trouble: u64,
}

/// Where an execution says that something failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    None,
    /// `error` of the execution, as text, object or bool.
    Execution,
    /// `error` of a result.
    Result,
    /// `error` of an item.
    Item,
    /// `error` inside an item's `json`.
    ItemJson,
    /// Status code of an item, as a number.
    Code,
    /// Status code of an item, as text.
    CodeText,
}

impl Workflow {
    /// A workflow drawn at random.
    pub fn draw(rng: &mut Rng) -> Self {
        let n_connectors = rng.range(2, 5);
        Self {
            id: rng.token::<24>(crate::rng::HEX).to_string(),
            connectors: (0..n_connectors).map(|_| rng.uuid().to_string()).collect(),
            every_ms: rng.pick(&[60_000, 600_000, 3_600_000, 14_400_000]),
            trouble: rng.pick(&[5, 20, 60, 150]),
        }
    }

    /// A workflow that runs at this pace.
    pub fn every(mut self, every_ms: u64) -> Self {
        self.every_ms = every_ms;
        self
    }

    /// Appends one execution as JSON. Returns what is true of it.
    ///
    /// Status: `failed` where `error` of the execution is truthy or its last step failed; `running`
    /// where it is not finished and has no stop; `unknown` where it stopped and is not finished; else `succeeded`.
    fn execution(
        &self,
        start_ms: u64,
        rng: &mut Rng,
        templates: &mut Templates,
        out: &mut Vec<u8>,
    ) -> TruthRun {
        let id = rng.token::<21>(ALPHANUMERIC).to_string();
        let mut run = TruthRun::new("alloy", "execution", &self.id, id);
        let number = templates.next_run();
        let running = rng.chance(6);
        let stopped_short = !running && rng.chance(4);
        put!(out, "{\"executionId\":\"", run.run_id, "\",\"startedAt\":\"", Iso(start_ms), "\",");
        let (mut now, mut results, mut inputs) = (start_ms, Vec::new(), Vec::new());
        let mut fault = Fault::None;
        for connector in &self.connectors {
            fault = self.fault(rng);
            let from = now + if connector == &self.connectors[0] { 0 } else { rng.about(60) };
            let to = from + 8 + rng.about(240);
            let comma = if results.is_empty() { "" } else { "," };
            put!(&mut results, comma);
            let template = result(connector, from, to, fault, rng, &mut results);
            put!(
                &mut inputs,
                comma,
                "{\"connectorId\":\"",
                connector,
                "\",\"data\":{\"apiVersion\":\"legacy\",\"email\":\"user",
                rng.range(1, 9_999),
                "@example.com\"}}"
            );
            now = to;
            let failed = !matches!(fault, Fault::None | Fault::Execution);
            let (level, class) = if failed {
                (TruthLevel::Error, TruthClass::Failure)
            } else {
                (TruthLevel::Info, TruthClass::Plain)
            };
            run.count(level, class);
            if failed {
                templates.count(number, template, level, class);
            }
            let status = if failed { TruthStatus::Failed } else { TruthStatus::Succeeded };
            run.steps.push(TruthStep::timed(connector.clone(), Some(from), Some(to), Some(status), 0));
            let stops = fault == Fault::Execution || (failed && rng.chance(700));
            if stops || (running && rng.chance(400)) {
                break;
            }
        }
        let stop = (!running).then(|| now + rng.about(70));
        if let Some(stop) = stop {
            put!(out, "\"stoppedAt\":\"", Iso(stop), "\",");
        }
        put!(out, "\"finished\":", !running && !stopped_short, ",\"results\":[");
        out.extend_from_slice(&results);
        put!(out, "],\"inputs\":[");
        out.extend_from_slice(&inputs);
        out.push(b']');
        let top = fault == Fault::Execution && !running;
        if top {
            let (json, message) = rng.pick(EXECUTION_ERRORS);
            put!(out, ",\"error\":", json);
            run.count(TruthLevel::Error, TruthClass::Failure);
            templates.count(number, message, TruthLevel::Error, TruthClass::Failure);
        } else if rng.chance(50) {
            put!(out, ",\"error\":", rng.pick(&["null", "false"]));
        }
        out.push(b'}');
        let last_failed = run.steps.last().is_some_and(|step| step.status == Some(TruthStatus::Failed));
        run.status = match () {
            () if top || last_failed => TruthStatus::Failed,
            () if running => TruthStatus::Running,
            () if stopped_short => TruthStatus::Unknown,
            () => TruthStatus::Succeeded,
        };
        run.bounds(Some(start_ms), stop);
        run
    }

    fn fault(&self, rng: &mut Rng) -> Fault {
        if !rng.chance(self.trouble) {
            return Fault::None;
        }
        rng.pick(&[
            Fault::Execution,
            Fault::Result,
            Fault::Item,
            Fault::ItemJson,
            Fault::Code,
            Fault::CodeText,
        ])
    }

    /// The last `n` executions as pages, newest first; now and then a page repeats the end of
    /// the one before it, as happens when executions arrive during the download.
    pub fn pages(
        &self,
        start_ms: u64,
        n: u64,
        rng: &mut Rng,
        templates: &mut Templates,
    ) -> Vec<(Vec<u8>, Vec<TruthRun>)> {
        let mut executions = Vec::new();
        let mut at = start_ms;
        for _ in 0..n {
            let mut json = Vec::new();
            let run = self.execution(at, rng, templates, &mut json);
            executions.push((json, run));
            at += 1_000 + rng.about(self.every_ms);
        }
        executions.reverse();
        let (mut pages, mut first) = (Vec::new(), 0);
        while first < executions.len() {
            let repeated = if first > 0 && rng.chance(400) { rng.index(3).min(first) } else { 0 };
            let end = (first - repeated + PAGE).min(executions.len());
            let mut bytes = b"{\"data\":[".to_vec();
            for (index, (json, _)) in executions[first - repeated..end].iter().enumerate() {
                put!(&mut bytes, if index > 0 { "," } else { "" });
                bytes.extend_from_slice(json);
            }
            put!(&mut bytes, "]}");
            pages.push((bytes, executions[first..end].iter().map(|(_, run)| run.clone()).collect()));
            first = end;
        }
        pages
    }
}

/// Errors of a whole execution, and their messages.
const EXECUTION_ERRORS: &[(&str, &str)] = &[
    ("\"Workflow execution timed out\"", "Workflow execution timed out"),
    (
        "{\"name\":\"NodeApiError\",\"message\":\"The resource you are requesting could not be found\",\"httpCode\":\"404\"}",
        "The resource you are requesting could not be found",
    ),
    ("true", "true"),
];

/// One result. Key order differs from result to result, as it does in the real thing.
fn result(
    connector: &str,
    from: u64,
    to: u64,
    fault: Fault,
    rng: &mut Rng,
    out: &mut Vec<u8>,
) -> &'static str {
    let stop_behind = rng.chance(500);
    put!(out, "{\"startedAt\":\"", Iso(from), "\",");
    if !stop_behind {
        put!(out, "\"stoppedAt\":\"", Iso(to), "\",");
    }
    put!(out, "\"data\":[[");
    let n_items = rng.pick(&[1_u64, 1, 1, 1, 2, 3]);
    let mut template = "";
    for index in 0..n_items {
        put!(out, if index > 0 { "," } else { "" });
        template = item(if index + 1 == n_items { fault } else { Fault::None }, rng, out);
    }
    put!(out, "]]");
    if fault == Fault::Result {
        put!(
            out,
            ",\"error\":{\"name\":\"NodeApiError\",\"message\":\"Bad request - please check your parameters\",\"description\":\"email is not valid\",\"httpCode\":\"400\"}"
        );
        template = "Bad request - please check your parameters";
    }
    if stop_behind {
        put!(out, ",\"stoppedAt\":\"", Iso(to), "\"");
    }
    put!(out, ",\"connectorId\":\"", connector, "\"}");
    template
}

/// One item; its fields stand inside `json` or beside it.
fn item(fault: Fault, rng: &mut Rng, out: &mut Vec<u8>) -> &'static str {
    let id = rng.uuid();
    let profile = rng.token::<26>(ALPHANUMERIC);
    match fault {
        Fault::Item => {
            put!(
                out,
                "{\"json\":{},\"error\":{\"message\":\"Rate limit exceeded, retry later\",\"httpCode\":429},\"id\":\"",
                id,
                "\"}"
            );
            "Rate limit exceeded, retry later"
        }
        Fault::ItemJson => {
            put!(
                out,
                "{\"json\":{\"error\":\"Contact could not be created: duplicate e-mail\"},\"id\":\"",
                id,
                "\"}"
            );
            "Contact could not be created: duplicate e-mail"
        }
        Fault::Code => {
            put!(
                out,
                "{\"json\":null,\"message\":\"Internal error of the app\",\"statusCode\":500,\"id\":\"",
                id,
                "\"}"
            );
            "{}"
        }
        Fault::CodeText => {
            put!(
                out,
                "{\"json\":null,\"message\":\"Not allowed\",\"statusCode\":\"403\",\"id\":\"",
                id,
                "\"}"
            );
            "{}"
        }
        _ if rng.chance(400) => {
            put!(out, "{\"json\":{},\"id\":\"", id, "\"}");
            ""
        }
        _ => {
            put!(
                out,
                "{\"json\":null,\"profileId\":{\"type\":\"profile\",\"id\":\"",
                profile,
                "\",\"attributes\":{\"email\":\"user",
                rng.range(1, 9_999),
                "@example.com\",\"phone_number\":\"+1555010",
                rng.range(1000, 9999),
                "\",\"external_id\":null},\"links\":{\"self\":\"https://api.example.com/api/profiles/",
                profile,
                "/\"}},\"statusCode\":",
                rng.pick(&[200_u64, 201, 202]),
                ",\"id\":\"",
                id,
                "\"}"
            );
            ""
        }
    }
}

/// One execution per line (NDJSON), in time order.
pub fn stream(plan: &Plan, stem: &str, out: &mut dyn Write) -> io::Result<Truth> {
    let (mut truth, mut templates) = (Truth { n_files: 1, ..Truth::default() }, Templates::default());
    let mut rng = Rng::new(plan.seed, 0);
    let workflow = Workflow { id: stem.to_owned(), ..Workflow::draw(&mut rng).every(60_000) };
    let (mut at, mut line, mut n) = (plan.start_ms, Vec::new(), 0);
    while plan.wants(n, truth.n_bytes) {
        let mut run = workflow.execution(at, &mut rng, &mut templates, &mut line);
        run.group = String::new();
        line.push(b'\n');
        at += 1_000 + rng.about(workflow.every_ms);
        n += 1;
        truth.n_lines += 1;
        truth.n_bytes += u64::try_from(line.len()).unwrap_or(u64::MAX);
        truth.add_runs(plan, [run]);
        out.write_all(&line)?;
        line.clear();
    }
    truth.error_templates = templates.list();
    Ok(truth)
}

/// `alloy/<workflowId>/page-0000.json`.
pub fn files(plan: &Plan, sink: &mut Sink<'_>, truth: &mut Truth) -> io::Result<()> {
    let (mut templates, before) = (Templates::default(), truth.n_bytes);
    let (mut ordinal, mut n_runs) = (0, 0);
    while plan.wants(n_runs, truth.n_bytes - before) {
        let mut rng = Rng::new(plan.seed, ordinal);
        ordinal += 1;
        let workflow = Workflow::draw(&mut rng);
        let wanted = plan.left(truth.n_bytes - before).map_or(u64::MAX, |bytes| bytes / 1500 + 1);
        let n = rng.range(20, 400).min(wanted);
        n_runs += n;
        let pages = workflow.pages(plan.start_ms, n, &mut rng, &mut templates);
        write_pages(&workflow.id, pages, sink, truth)?;
    }
    truth.error_templates.extend(templates.list());
    Ok(())
}

/// Hands the pages of one workflow to the sink.
pub fn write_pages(
    id: &str,
    pages: Vec<(Vec<u8>, Vec<TruthRun>)>,
    sink: &mut Sink<'_>,
    truth: &mut Truth,
) -> io::Result<()> {
    for (number, (bytes, mut runs)) in pages.into_iter().enumerate() {
        let path = PathBuf::from(format!("alloy/{id}/page-{number:04}.json"));
        truth.add_file(&path, &bytes, &mut runs, sink)?;
    }
    Ok(())
}
