//! Apify schedule logs: firings, their errors, firings that are doubled or left out.

use std::io::{self, Write};
use std::path::PathBuf;

use crate::put::{Iso, Json, put};
use crate::rng::Rng;
use crate::truth::{Templates, Truth, TruthClass, TruthLevel, TruthRun, TruthStatus};
use crate::{Plan, Sink};

/// A schedule log may hold 1000 invocations.
const MOST_INVOCATIONS: u64 = 1000;

/// A schedule.
#[derive(Debug, Clone)]
pub struct Schedule {
    /// Its id.
    pub id: String,
    /// First firing, in milliseconds since 1970.
    pub start_ms: u64,
    /// From one firing to the next.
    pub every_ms: u64,
    /// Of a thousand firings, so many meet an error.
    pub trouble: u64,
    task: String,
    slashes: bool,
}

/// One entry of the log.
struct Entry {
    at_ms: u64,
    level: &'static str,
    message: Vec<u8>,
}

impl Schedule {
    /// A schedule drawn at random.
    pub fn draw(rng: &mut Rng, start_ms: u64) -> Self {
        Self {
            id: rng.apify_id().to_string(),
            start_ms,
            every_ms: rng.pick(&[600_000, 3_600_000, 10_800_000, 86_400_000]),
            trouble: rng.pick(&[0, 10, 30, 120]),
            task: rng.apify_id().to_string(),
            slashes: rng.chance(200),
        }
    }

    /// The `n`-th firing: its entries and the invocations they make. An error within ten seconds of
    /// its firing belongs to it, a later one is an invocation of its own; a doubled firing has no error.
    fn fire(
        &self,
        n: u64,
        rng: &mut Rng,
        templates: &mut Templates,
        entries: &mut Vec<Entry>,
    ) -> Vec<TruthRun> {
        let at_ms = self.start_ms + n * self.every_ms + rng.range(90, 900);
        if rng.chance(8) {
            return Vec::new();
        }
        let invoked = |at_ms| Entry { at_ms, level: "INFO", message: b"Schedule invoked".to_vec() };
        entries.push(invoked(at_ms));
        let mut runs = vec![self.invocation(at_ms, "", &[(at_ms, TruthLevel::Info)], templates)];
        if rng.chance(self.trouble) {
            let late = rng.chance(60);
            let error_ms = at_ms + if late { rng.range(12_000, 40_000) } else { rng.range(15, 2_500) };
            entries.push(Entry { at_ms: error_ms, level: "ERROR", message: self.error() });
            if late {
                runs.push(self.invocation(error_ms, "", &[(error_ms, TruthLevel::Error)], templates));
            } else {
                let both = [(at_ms, TruthLevel::Info), (error_ms, TruthLevel::Error)];
                runs[0] = self.invocation(at_ms, "", &both, templates);
            }
        } else if rng.chance(12) {
            let again = if rng.chance(500) { at_ms } else { at_ms + rng.range(20, 400) };
            entries.push(invoked(again));
            let suffix = if again == at_ms { "#2" } else { "" };
            runs.push(self.invocation(again, suffix, &[(again, TruthLevel::Info)], templates));
        }
        runs
    }

    /// The documentation's example holds literal backslashes before its quotes; both are drawn.
    fn error(&self) -> Vec<u8> {
        let quote = if self.slashes { "\\\"" } else { "\"" };
        let mut message = Vec::new();
        put!(
            &mut message,
            "Cannot start Actor task ",
            quote,
            self.task,
            quote,
            ": Provided input must be object, got "
        );
        put!(&mut message, quote, "string", quote, " instead.");
        message
    }

    fn invocation(
        &self,
        at_ms: u64,
        suffix: &str,
        entries: &[(u64, TruthLevel)],
        templates: &mut Templates,
    ) -> TruthRun {
        let run_id = format!("{}@{}{suffix}", self.id, Iso(at_ms));
        let mut run = TruthRun::new("apify", "invocation", &self.id, run_id);
        run.status = TruthStatus::Succeeded;
        let number = templates.next_run();
        for &(_, level) in entries {
            let class = if level == TruthLevel::Error { TruthClass::Failure } else { TruthClass::Platform };
            run.count(level, class);
            if level == TruthLevel::Error {
                run.status = TruthStatus::Failed;
                templates.count(
                    number,
                    "Cannot start Actor task {}: Provided input must be object, got {} instead.",
                    level,
                    class,
                );
            }
        }
        run.bounds(Some(at_ms), entries.last().map(|&(at_ms, _)| at_ms));
        run
    }

    /// The whole log as one document, oldest or newest first, and its invocations in time order.
    pub fn document(
        &self,
        n_firings: u64,
        rng: &mut Rng,
        templates: &mut Templates,
    ) -> (Vec<u8>, Vec<TruthRun>) {
        let (mut entries, mut runs) = (Vec::new(), Vec::new());
        for n in 0..n_firings {
            runs.extend(self.fire(n, rng, templates, &mut entries));
        }
        if rng.chance(500) {
            entries.reverse();
        }
        let mut out = b"{\"data\":[".to_vec();
        for (index, entry) in entries.iter().enumerate() {
            put!(&mut out, if index > 0 { "," } else { "" });
            entry.put_json(&mut out);
        }
        put!(&mut out, "]}");
        (out, runs)
    }
}

impl Entry {
    fn put_json(&self, out: &mut Vec<u8>) {
        put!(
            out,
            "{\"message\":\"",
            Json(&self.message),
            "\",\"level\":\"",
            self.level,
            "\",\"createdAt\":\"",
            Iso(self.at_ms),
            "\"}"
        );
    }
}

/// One schedule, one entry per line (NDJSON). Its id is the stem.
pub fn stream(plan: &Plan, stem: &str, out: &mut dyn Write) -> io::Result<Truth> {
    let (mut truth, mut templates) = (Truth { n_files: 1, ..Truth::default() }, Templates::default());
    let mut rng = Rng::new(plan.seed, 0);
    let schedule = Schedule {
        id: stem.to_owned(),
        every_ms: 60_000,
        trouble: 40,
        ..Schedule::draw(&mut rng, plan.start_ms)
    };
    let (mut entries, mut line, mut n) = (Vec::new(), Vec::new(), 0);
    while plan.wants(n, truth.n_bytes) {
        truth.add_runs(plan, schedule.fire(n, &mut rng, &mut templates, &mut entries));
        n += 1;
        for entry in entries.drain(..) {
            entry.put_json(&mut line);
            line.push(b'\n');
            truth.n_lines += 1;
        }
        truth.n_bytes += u64::try_from(line.len()).unwrap_or(u64::MAX);
        out.write_all(&line)?;
        line.clear();
    }
    truth.error_templates = templates.list();
    Ok(truth)
}

/// `apify-schedules/<id>.json`.
pub fn files(plan: &Plan, sink: &mut Sink<'_>, truth: &mut Truth) -> io::Result<()> {
    let (mut templates, before) = (Templates::default(), truth.n_bytes);
    let (mut ordinal, mut n_runs) = (0, 0);
    while plan.wants(n_runs, truth.n_bytes - before) {
        let mut rng = Rng::new(plan.seed, ordinal);
        ordinal += 1;
        let schedule = Schedule::draw(&mut rng, plan.start_ms);
        let n_firings = plan
            .left(truth.n_bytes - before)
            .map_or(MOST_INVOCATIONS, |bytes| bytes / 90 + 1)
            .min(rng.range(100, MOST_INVOCATIONS * 9 / 10));
        let (bytes, mut runs) = schedule.document(n_firings, &mut rng, &mut templates);
        n_runs += u64::try_from(runs.len()).unwrap_or(u64::MAX).max(1);
        let path = PathBuf::from(format!("apify-schedules/{}.json", schedule.id));
        truth.add_file(&path, &bytes, &mut runs, sink)?;
    }
    truth.error_templates.extend(templates.list());
    Ok(())
}
