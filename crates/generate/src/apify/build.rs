//! Builds of Apify actors: cloning, Docker's classic builder or `BuildKit`, pushing.

use super::log::{Log, event, more};
use crate::rng::Rng;
use crate::truth::{Templates, TruthClass, TruthLevel, TruthRun, TruthStatus, TruthStep};

/// How a build ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BuildEnding {
    /// `ACTOR: Build finished.`
    Finished,
    /// The input schema is missing: an event of class failure; the platform's lines have no level.
    SchemaError,
}

/// A build to be written.
#[derive(Debug, Clone, Copy)]
pub struct BuildSpec {
    /// Its end.
    pub ending: BuildEnding,
    /// Whether `BuildKit` builds.
    pub build_kit: bool,
    /// First instant, in milliseconds since 1970.
    pub start_ms: u64,
}

impl BuildSpec {
    /// A build drawn at random.
    pub fn draw(rng: &mut Rng, start_ms: u64) -> Self {
        let ending = if rng.chance(200) { BuildEnding::SchemaError } else { BuildEnding::Finished };
        Self { ending, build_kit: rng.chance(500), start_ms }
    }
}

/// Appends the log of one build to `out`. Returns what is true of it and the instant of its last line.
pub fn write_build(
    spec: &BuildSpec,
    rng: Rng,
    group: &str,
    run_id: String,
    out: &mut Vec<u8>,
    templates: &mut Templates,
) -> (TruthRun, u64) {
    let mut truth = TruthRun::new("apify", "build", group, run_id);
    truth.n_platform = Some(0);
    let mut log = Log::new(out, rng, spec.start_ms, truth, templates);
    let clone = log.platform(&["Cloning https://github.com/example-org/", group]);
    let job = log.rng.apify_id();
    event!(log, None, Plain, "Cloning into '/tmp/apify-job-", job, "'...");
    log.wait(1_400);
    let prepare = log.platform(&["Selected directory: ."]);
    if spec.ending == BuildEnding::SchemaError {
        log.now += 3;
        event!(
            log,
            None,
            Failure,
            "ACTOR: ERROR: Schema property \"input\": File \".actor/.actor/input_schema.json\" does not exist!"
        );
        log.template(
            "ERROR: Schema property {}: File {} does not exist!",
            TruthLevel::None,
            TruthClass::Failure,
        );
        log.truth.status = TruthStatus::Failed;
        let end = log.now;
        log.truth.steps =
            vec![TruthStep::phase("clone", clone, prepare, 0), TruthStep::phase("prepare", prepare, end, 0)];
        return log.finish();
    }
    log.platform(&["Found input schema referenced from .actor/actor.json"]);
    log.platform(&["Extracting Actor documentation from README.md"]);
    log.wait(80);
    let build = log.platform(&["Building container image (cache enabled)."]);
    log.wait(150);
    let mut docker = Vec::new();
    if spec.build_kit {
        build_kit(&mut log, &mut docker);
    } else {
        classic(&mut log, &mut docker);
    }
    log.wait(400);
    let push = log.platform(&["Pushing container image to repository."]);
    log.wait(1_800);
    let end = log.platform(&["Build finished."]);
    if !spec.build_kit
        && let Some(last) = docker.last_mut()
    {
        last.1 = push;
    }
    log.truth.status = TruthStatus::Succeeded;
    log.truth.steps = vec![
        TruthStep::phase("clone", clone, prepare, 0),
        TruthStep::phase("prepare", prepare, build, 0),
        TruthStep::phase("build", build, push, 0),
    ];
    let parts = docker.into_iter().map(|(from, to, name)| TruthStep::phase(&name, from, to, 1));
    log.truth.steps.extend(parts);
    log.truth.steps.push(TruthStep::phase("push", push, end, 0));
    log.finish()
}

/// Docker's own steps: start, stop, name.
type Parts = Vec<(u64, u64, String)>;

/// Instructions of the Dockerfile.
const INSTRUCTIONS: [&str; 5] = [
    "FROM apify/actor-node:22",
    "COPY package*.json ./",
    "RUN npm --quiet set progress=false  && npm install --omit=dev --omit=optional  && node --version",
    "COPY . ./",
    "CMD npm start --silent",
];

fn classic(log: &mut Log<'_>, parts: &mut Parts) {
    for (index, instruction) in INSTRUCTIONS.iter().enumerate() {
        event!(log, None, Plain, "Step ", index + 1, "/5 : ", instruction);
        if let Some(before) = parts.last_mut() {
            before.1 = log.now;
        }
        parts.push((log.now, log.now, (*instruction).to_owned()));
        log.wait(300);
        let image = log.rng.token::<12>(crate::rng::HEX);
        if instruction.starts_with("RUN") {
            more!(log, " ---> Running in ", image);
            log.wait(6_000);
            let packages = log.rng.range(40, 600);
            event!(
                log,
                None,
                Plain,
                "npm warn deprecated inflight@1.0.6: This module is not supported, and leaks memory."
            );
            event!(
                log,
                None,
                Plain,
                "added ",
                packages,
                " packages, and audited ",
                packages + 1,
                " packages in 6s"
            );
            event!(log, None, Plain, "v22.21.1");
            event!(log, None, Plain, "Removing intermediate container ", image);
        } else if log.rng.chance(500) {
            more!(log, " ---> Using cache");
        }
        let layer = log.rng.token::<12>(crate::rng::HEX);
        more!(log, " ---> ", layer);
    }
    let image = log.rng.token::<12>(crate::rng::HEX);
    event!(log, None, Plain, "Successfully built ", image);
}

fn build_kit(log: &mut Log<'_>, parts: &mut Parts) {
    event!(log, None, Plain, "#1 [internal] load build definition from Dockerfile");
    let from = log.now;
    log.wait(40);
    event!(log, None, Plain, "#1 DONE 0.0s");
    parts.push((from, log.now, "[internal] load build definition from Dockerfile".to_owned()));
    for (index, instruction) in INSTRUCTIONS[..4].iter().enumerate() {
        let number = index + 5;
        let name = format!("[{}/4] {instruction}", index + 1);
        event!(log, None, Plain, "#", number, " ", name);
        let from = log.now;
        if index == 1 && log.rng.chance(500) {
            event!(log, None, Plain, "#", number, " CACHED");
        } else {
            if instruction.starts_with("RUN") {
                log.wait(5_000);
                event!(
                    log,
                    None,
                    Plain,
                    "#",
                    number,
                    " 4.812 added ",
                    log.rng.range(40, 600),
                    " packages in 5s"
                );
            }
            log.wait(300);
            let seconds = crate::put::Thousandths((log.now - from) / 100 * 100);
            event!(log, None, Plain, "#", number, " DONE ", seconds, "s");
        }
        parts.push((from, log.now, name));
    }
}

impl Log<'_> {
    /// A line of the platform; returns its instant.
    fn platform(&mut self, parts: &[&str]) -> u64 {
        event!(self, None, Platform, "ACTOR: ", parts.concat());
        self.now
    }
}
