//! Apify logs: runs of several kinds of programs, builds, and the order they come in.

mod build;
mod crawl;
mod log;
mod run;

use std::io::{self, Write};
use std::path::PathBuf;

use crate::put::{Iso, put};
use crate::rng::Rng;
use crate::truth::{Templates, Truth, TruthRun, TruthStatus};
use crate::words::ACTORS;
use crate::{Amount, Plan};

pub use build::{BuildEnding, BuildSpec, write_build};
pub use run::{Ending, Program, RunSpec, write_run};

/// Bytes of an ordinary run, about.
const USUAL_BYTES: u64 = 48 * 1024;

/// Runs one after the other in a single stream. Two neighbours never pull the same build, so
/// that each start group begins a run and not a segment.
pub fn stream(plan: &Plan, stem: &str, out: &mut dyn Write) -> io::Result<Truth> {
    let (mut truth, mut templates) = (Truth { n_files: 1, ..Truth::default() }, Templates::default());
    let (mut buffer, mut clock) = (Vec::with_capacity(1 << 20), plan.start_ms);
    let mut ordinal = 0;
    while plan.wants(ordinal, truth.n_bytes) {
        let mut rng = Rng::new(plan.seed, ordinal);
        let spec = RunSpec::draw(&mut rng, plan.left(truth.n_bytes), clock);
        ordinal += 1;
        let run_id = if ordinal == 1 { stem.to_owned() } else { format!("{stem}#{ordinal}") };
        let (runs, end) = write_run(&spec, rng, "", run_id, &mut buffer, &mut templates);
        clock = end + Rng::new(plan.seed ^ 0xc10c, ordinal).range(2_000, 600_000);
        truth.n_bytes += size(&buffer);
        truth.n_lines += runs.iter().filter_map(|run| run.n_lines).sum::<u64>();
        truth.add_runs(plan, runs);
        out.write_all(&buffer)?;
        buffer.clear();
    }
    truth.error_templates = templates.list();
    Ok(truth)
}

/// `apify/<actor>/<runId>.log`: every actor with its own program, one build log in twenty.
pub fn files(plan: &Plan, sink: &mut super::Sink<'_>, truth: &mut Truth) -> io::Result<()> {
    let mut templates = Templates::default();
    let mut clocks = [plan.start_ms; 6];
    let mut ordinal = 0;
    let before = truth.n_bytes;
    while plan.wants(ordinal, truth.n_bytes - before) {
        let mut rng = Rng::new(plan.seed, ordinal);
        let actor = rng.index(ACTORS.len());
        let (group, clock) = (ACTORS[actor], clocks[actor]);
        let run_id = rng.apify_id().to_string();
        let mut buffer = Vec::new();
        let (mut runs, end) = if rng.chance(50) {
            let spec = BuildSpec::draw(&mut rng, clock);
            let (build, end) = write_build(&spec, rng, group, run_id.clone(), &mut buffer, &mut templates);
            (vec![build], end)
        } else {
            let mut spec = RunSpec::draw(&mut rng, plan.left(truth.n_bytes - before), clock);
            spec.program = Program::of_actor(actor);
            write_run(&spec, rng, group, run_id.clone(), &mut buffer, &mut templates)
        };
        ordinal += 1;
        clocks[actor] = end + Rng::new(plan.seed ^ 0xc10c, ordinal).range(600_000, 7_200_000);
        let path = PathBuf::from(format!("apify/{group}/{run_id}.log"));
        truth.add_file(&path, &buffer, &mut runs, sink)?;
    }
    truth.error_templates.extend(templates.list());
    Ok(())
}

/// Bytes a run may take: long-tailed, and no more than the dump still wants.
fn budget(rng: &mut Rng, left: Option<u64>) -> u64 {
    let drawn = match rng.weighted(&[30, 50, 15, 5]) {
        0 => rng.range(4 * 1024, 16 * 1024),
        1 => rng.range(USUAL_BYTES / 3, USUAL_BYTES * 2),
        2 => rng.range(USUAL_BYTES * 2, USUAL_BYTES * 5),
        _ => rng.range(USUAL_BYTES * 5, USUAL_BYTES * 16),
    };
    drawn.min(left.unwrap_or(u64::MAX))
}

/// An API run object that ends a little after its log, and what it changes in the truth.
pub fn run_object(run: &mut TruthRun, actor: &str) -> Vec<u8> {
    let ms = |us: Option<i64>| u64::try_from(us.unwrap_or(0) / 1000).unwrap_or(0);
    let started = ms(run.started_at_us).saturating_sub(180);
    let stopped = ms(run.stopped_at_us) + 640;
    let mut out = Vec::new();
    put!(&mut out, "{\n  \"data\": {\n    \"id\": \"", run.run_id, "\",\n    \"actId\": \"", actor, "\",\n");
    put!(&mut out, "    \"status\": \"", word(run.status), "\",\n");
    put!(
        &mut out,
        "    \"startedAt\": \"",
        Iso(started),
        "\",\n    \"finishedAt\": \"",
        Iso(stopped),
        "\",\n"
    );
    let build = run.build_id.as_deref().unwrap_or("");
    put!(&mut out, "    \"buildId\": \"", build, "\",\n    \"buildNumber\": \"1.4.27\",\n");
    put!(&mut out, "    \"options\": { \"memoryMbytes\": 1024, \"timeoutSecs\": 3600 },\n");
    put!(&mut out, "    \"meta\": { \"origin\": \"SCHEDULER\" }\n  }\n}\n");
    run.bounds(Some(started), Some(stopped));
    out
}

const fn word(status: TruthStatus) -> &'static str {
    match status {
        TruthStatus::Failed => "FAILED",
        TruthStatus::Aborted => "ABORTED",
        TruthStatus::TimedOut => "TIMED-OUT",
        TruthStatus::Running => "RUNNING",
        TruthStatus::Succeeded | TruthStatus::Unknown => "SUCCEEDED",
    }
}

fn size(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}

impl Plan {
    /// Whether more is to be written after `n_runs` runs and `n_bytes` bytes.
    pub(crate) fn wants(&self, n_runs: u64, n_bytes: u64) -> bool {
        match self.amount {
            Amount::Bytes(bytes) => n_bytes < bytes,
            Amount::Runs(runs) => n_runs < runs,
        }
    }

    /// Bytes still to be written, where the plan counts bytes.
    pub(crate) fn left(&self, n_bytes: u64) -> Option<u64> {
        match self.amount {
            Amount::Bytes(bytes) => Some(bytes.saturating_sub(n_bytes)),
            Amount::Runs(_) => None,
        }
    }
}
