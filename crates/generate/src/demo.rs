//! The demo: ten days of a small shop's automation, in every format, with a few stray files.

use std::io;
use std::path::{Path, PathBuf};

use crate::alloy::{self, Workflow};
use crate::apify::{self, BuildEnding, Ending, Program, RunSpec};
use crate::cloudflare::{self, BuildSpec, Outcome};
use crate::rng::Rng;
use crate::schedule::Schedule;
use crate::truth::{Templates, Truth};
use crate::words::ACTORS;

/// The demo's seed.
const SEED: u64 = 20_251_103;
/// Monday, 3 November 2025, 06:00 UTC.
const START_MS: u64 = 1_762_149_600_000;
const HOUR_MS: u64 = 3_600_000;
const DAY_MS: u64 = 24 * HOUR_MS;

/// The files of the demo and the truth about them.
#[derive(Debug, Clone, PartialEq)]
pub struct Demo {
    /// Path relative to the demo's folder, and content, in order of path.
    pub files: Vec<(PathBuf, Vec<u8>)>,
    /// What is true of them; the stray files make no run.
    pub truth: Truth,
}

/// The demo. Always the same.
#[must_use]
pub fn demo() -> Demo {
    let (mut files, mut truth, mut templates) = (Vec::new(), Truth::default(), Templates::default());
    let mut sink = |path: &Path, bytes: &[u8]| {
        files.push((path.to_path_buf(), bytes.to_vec()));
        Ok(())
    };
    let written = write(&mut sink, &mut truth, &mut templates);
    debug_assert!(written.is_ok(), "the sink never fails");
    truth.error_templates = templates.list();
    files.sort();
    Demo { files, truth }
}

fn write(sink: &mut crate::Sink<'_>, truth: &mut Truth, templates: &mut Templates) -> io::Result<()> {
    for (index, actor) in DEMO_ACTORS.iter().enumerate() {
        actor.write(u64::try_from(index).unwrap_or(0), sink, truth, templates)?;
    }
    actor_build(sink, truth, templates)?;
    schedule(sink, truth, templates)?;
    builds(sink, truth, templates)?;
    workflows(sink, truth, templates)?;
    for (path, text) in STRAY {
        truth.add_file(Path::new(path), text.as_bytes(), &mut Vec::new(), sink)?;
    }
    Ok(())
}

/// An actor of the demo: hour of the day, and how its runs end, one a day.
struct Actor {
    name: &'static str,
    program: Program,
    hour: u64,
    bytes: (u64, u64),
    endings: &'static [Ending],
}

const DEMO_ACTORS: [Actor; 4] = {
    use Ending::{Abort, Crash, Cut, Hopeless, Migrated, Normal, TimeLimit, Torn};
    [
        Actor {
            name: ACTORS[0],
            program: Program::Cheerio,
            hour: 0,
            bytes: (3_000, 9_000),
            endings: &[Normal, Normal, Normal, Crash, Normal, Normal, Crash, TimeLimit, Normal, Normal],
        },
        Actor {
            name: ACTORS[1],
            program: Program::PythonCrawlee,
            hour: 2,
            bytes: (3_000, 6_000),
            endings: &[Normal, Normal, Crash, Normal, Normal, Migrated, Normal],
        },
        Actor {
            name: ACTORS[2],
            program: Program::Playwright,
            hour: 5,
            bytes: (4_000, 8_000),
            endings: &[Normal, Migrated, Normal, Torn, Normal, Abort, Normal, Hopeless],
        },
        Actor {
            name: ACTORS[5],
            program: Program::Caller,
            hour: 9,
            bytes: (3_000, 5_000),
            endings: &[Normal, Normal, Cut, Normal],
        },
    ]
};

impl Actor {
    fn write(
        &self,
        index: u64,
        sink: &mut crate::Sink<'_>,
        truth: &mut Truth,
        templates: &mut Templates,
    ) -> io::Result<()> {
        for (day, &ending) in (0_u64..).zip(self.endings) {
            let mut rng = Rng::new(SEED, index * 100 + day);
            let run_id = rng.apify_id().to_string();
            let spec = RunSpec {
                program: self.program,
                ending,
                bytes: rng.range(self.bytes.0, self.bytes.1),
                start_ms: START_MS + day * DAY_MS * 10 / 9 + self.hour * HOUR_MS + rng.range(100, 900),
            };
            let mut bytes = Vec::new();
            let (mut runs, _) =
                apify::write_run(&spec, rng, self.name, run_id.clone(), &mut bytes, templates);
            let folder = format!("apify/{}", self.name);
            if index == 0 && day == 1 {
                let object = apify::run_object(&mut runs[0], "moJRLRc85AitArpNN");
                let path = format!("{folder}/{run_id}.json");
                truth.add_file(Path::new(&path), &object, &mut Vec::new(), sink)?;
            }
            truth.add_file(Path::new(&format!("{folder}/{run_id}.log")), &bytes, &mut runs, sink)?;
        }
        Ok(())
    }
}

fn actor_build(sink: &mut crate::Sink<'_>, truth: &mut Truth, templates: &mut Templates) -> io::Result<()> {
    let mut rng = Rng::new(SEED, 1000);
    let run_id = rng.apify_id().to_string();
    let spec =
        apify::BuildSpec { ending: BuildEnding::Finished, build_kit: false, start_ms: START_MS - HOUR_MS };
    let mut bytes = Vec::new();
    let (build, _) = apify::write_build(&spec, rng, ACTORS[0], run_id.clone(), &mut bytes, templates);
    let path = format!("apify/{}/{run_id}.log", ACTORS[0]);
    truth.add_file(Path::new(&path), &bytes, &mut vec![build], sink)
}

fn schedule(sink: &mut crate::Sink<'_>, truth: &mut Truth, templates: &mut Templates) -> io::Result<()> {
    let mut rng = Rng::new(SEED, 2000);
    let mut schedule = Schedule::draw(&mut rng, START_MS);
    (schedule.every_ms, schedule.trouble) = (3 * HOUR_MS, 90);
    let (bytes, mut runs) = schedule.document(80, &mut rng, templates);
    let path = format!("apify-schedules/{}.json", schedule.id);
    truth.add_file(Path::new(&path), &bytes, &mut runs, sink)
}

fn builds(sink: &mut crate::Sink<'_>, truth: &mut Truth, templates: &mut Templates) -> io::Result<()> {
    use Outcome::{
        Bundler, Cut, InitTimeout, LockFile, NoEntryPoint, Resolution, RootDirectory, Success, TypeErrors,
    };
    let outcomes = [
        [Success, TypeErrors, Success, Success, NoEntryPoint, Success, InitTimeout],
        [Success, LockFile, RootDirectory, Success, Resolution, Bundler, Cut],
    ];
    for (worker, outcomes) in (0_u64..).zip(outcomes) {
        for (number, outcome) in (0_u64..).zip(outcomes) {
            let mut rng = Rng::new(SEED, 3000 + worker * 100 + number);
            let spec = BuildSpec {
                outcome,
                n_lines: rng.range(8, 90),
                page: 60,
                start_ms: START_MS + (number * 35 + worker * 11) * HOUR_MS + rng.range(0, HOUR_MS),
            };
            let name = cloudflare::WORKERS[usize::from(worker > 0)];
            cloudflare::write_build(&spec, name, rng, templates, sink, truth)?;
        }
    }
    Ok(())
}

fn workflows(sink: &mut crate::Sink<'_>, truth: &mut Truth, templates: &mut Templates) -> io::Result<()> {
    for (index, n, every_ms) in [(0, 34, 6 * HOUR_MS), (1, 12, 18 * HOUR_MS)] {
        let mut rng = Rng::new(SEED, 4000 + index);
        let mut workflow = Workflow::draw(&mut rng).every(every_ms);
        workflow.trouble = 60;
        let pages = workflow.pages(START_MS, n, &mut rng, templates);
        alloy::write_pages(&workflow.id, pages, sink, truth)?;
    }
    Ok(())
}

/// Files that lie about in every folder of downloads: an answer that is an error, a page that is
/// no log, a note.
const STRAY: &[(&str, &str)] = &[
    (
        "apify/job-board-monitor/Qm4tY8sLw2Vb6ZxKd.log",
        "{\n  \"error\": {\n    \"type\": \"record-not-found\",\n    \"message\": \"Actor run was not found\"\n  }\n}\n",
    ),
    (
        "cloudflare/docs-site/maintenance.html",
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head><title>502 Bad Gateway</title></head>\n<body><h1>502 Bad Gateway</h1></body>\n</html>\n",
    ),
    (
        "README.txt",
        "Logs of ten days in November 2025, as the platforms' APIs handed them out.\nEverything in here is made up by logmill's generator; no such shop exists.\n",
    ),
];
