//! Cloudflare Workers builds: phases, tools' output, every class of failure, pages with a cursor.

use std::io::{self, Write};
use std::ops::Range;
use std::path::PathBuf;

use crate::put::{Hundredths, Iso, Json, Put, put};
use crate::rng::{ALPHANUMERIC, Rng};
use crate::truth::{Templates, Truth, TruthClass, TruthLevel, TruthRun, TruthStatus, TruthStep};
use crate::{Plan, Sink};

/// Workers of an account.
pub const WORKERS: &[&str] =
    &["storefront-edge", "docs-site", "image-proxy", "newsletter-api", "checkout-worker", "status-page"];

/// How a build ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// `✨ Success! Build completed.`
    Success,
    /// The type checker finds errors.
    TypeErrors,
    /// npm cannot resolve a dependency inside the build command.
    Resolution,
    /// The bundler fails.
    Bundler,
    /// Nothing to deploy.
    NoEntryPoint,
    /// The lock file is out of date.
    LockFile,
    /// The token of the build is gone.
    Token,
    /// The root directory does not exist.
    RootDirectory,
    /// The environment does not come up.
    InitTimeout,
    /// The build runs out of memory.
    Internal,
    /// The log stops without an end line.
    Cut,
}

/// A build to be written.
#[derive(Debug, Clone, Copy)]
pub struct BuildSpec {
    /// Its end.
    pub outcome: Outcome,
    /// Lines the build tool prints, about.
    pub n_lines: u64,
    /// Tuples per page.
    pub page: usize,
    /// First instant, in milliseconds since 1970.
    pub start_ms: u64,
}

impl BuildSpec {
    /// A build drawn at random.
    pub fn draw(rng: &mut Rng, start_ms: u64) -> Self {
        use Outcome as O;
        let outcomes = [
            O::Success,
            O::TypeErrors,
            O::Resolution,
            O::Bundler,
            O::NoEntryPoint,
            O::LockFile,
            O::Token,
            O::RootDirectory,
            O::InitTimeout,
            O::Internal,
            O::Cut,
        ];
        Self {
            outcome: outcomes[rng.weighted(&[70, 6, 3, 4, 5, 3, 1, 2, 2, 2, 2])],
            n_lines: match rng.below(10) {
                0..5 => rng.range(5, 60),
                5..9 => rng.range(60, 500),
                _ => rng.range(500, 5_000),
            },
            page: rng.pick(&[100, 250, 1000]),
            start_ms,
        }
    }
}

/// One build being written.
struct Build<'a> {
    rng: Rng,
    now: u64,
    times: Vec<u64>,
    spans: Vec<Range<usize>>,
    text: Vec<u8>,
    truth: TruthRun,
    phase: Option<(&'static str, u64)>,
    init_end: Option<u64>,
    templates: &'a mut Templates,
    run: u64,
}

impl<'a> Build<'a> {
    fn new(spec: &BuildSpec, mut truth: TruthRun, rng: Rng, templates: &'a mut Templates) -> Self {
        truth.n_tuples = Some(0);
        let run = templates.next_run();
        Self {
            rng,
            now: spec.start_ms,
            times: Vec::new(),
            spans: Vec::new(),
            text: Vec::new(),
            truth,
            phase: None,
            init_end: None,
            templates,
            run,
        }
    }

    fn wait(&mut self, mean_ms: u64) {
        self.now += self.rng.about(mean_ms);
    }

    /// A tuple.
    fn tuple(&mut self, parts: &[&dyn Put]) {
        let from = self.text.len();
        for part in parts {
            part.put(&mut self.text);
        }
        self.spans.push(from..self.text.len());
        self.times.push(self.now);
        *self.truth.n_tuples.get_or_insert(0) += 1;
        self.now += u64::from(self.rng.chance(200));
    }

    fn event(&mut self, level: TruthLevel, parts: &[&dyn Put]) {
        self.truth.count(level, TruthClass::Plain);
        self.tuple(parts);
    }

    fn info(&mut self, parts: &[&dyn Put]) {
        self.event(TruthLevel::Info, parts);
    }

    /// A warning or error of a tool.
    fn trouble(&mut self, level: TruthLevel, template: &'static str, parts: &[&dyn Put]) {
        self.templates.count(self.run, template, level, TruthClass::Plain);
        self.event(level, parts);
    }

    /// Further tuples of the event above.
    fn more(&mut self, lines: &[&str]) {
        for line in lines {
            self.tuple(&[line]);
        }
    }

    /// A blank tuple: an event like any other, unless it stands inside a block.
    fn blank(&mut self) {
        self.info(&[]);
    }

    fn infos(&mut self, lines: &[&str]) {
        for line in lines {
            self.info(&[line]);
        }
    }

    /// A phase starts, and ends the one before it.
    fn start(&mut self, name: &'static str) {
        self.stop();
        self.phase = Some((name, self.now));
    }

    /// The open phase ends now.
    fn stop(&mut self) {
        if let Some((name, from)) = self.phase.take() {
            self.truth.steps.push(TruthStep::phase(name, from, self.now, 0));
        }
    }

    /// The end line of a build that failed: an event of class failure and level error.
    fn fail(&mut self, template: &'static str, failure_class: &'static str) {
        self.wait(150);
        self.stop();
        self.truth.count(TruthLevel::Error, TruthClass::Failure);
        self.templates.count(self.run, template, TruthLevel::Error, TruthClass::Failure);
        self.tuple(&[&template]);
        self.truth.status = TruthStatus::Failed;
        self.truth.failure_class = Some(failure_class);
    }

    /// Initialisation and clone. Whether the build goes on.
    fn set_up(&mut self, outcome: Outcome) -> bool {
        self.start("init");
        self.info(&[&"Initializing build environment..."]);
        if outcome == Outcome::InitTimeout {
            self.now += 343_000;
            self.fail("Build failed to initialize and was timed out", "init_timeout");
            self.truth.status = TruthStatus::TimedOut;
            return false;
        }
        self.now += 1_500 + self.rng.about(4_000);
        self.init_end = Some(self.now);
        self.stop();
        self.info(&[&"Success: Finished initializing build environment"]);
        self.now += 200 + self.rng.about(500);
        if outcome == Outcome::Token {
            self.fail("Failed: The build token selected for this build has been deleted or rolled and cannot be used for this build. Please update your build token in the Worker Builds settings and retry the build.", "build_token");
            return false;
        }
        self.start("clone");
        self.info(&[&"Cloning repository..."]);
        self.now += 800 + self.rng.about(900);
        if outcome == Outcome::RootDirectory {
            self.fail("Failed: root directory not found", "root_directory");
            return false;
        }
        true
    }

    /// Caches, tools, dependencies. Whether the build goes on.
    fn install(&mut self, outcome: Outcome) -> bool {
        self.start("prepare");
        let cached = self.rng.chance(600);
        if cached {
            self.infos(&["Restoring from dependencies cache", "Restoring from build output cache"]);
        } else {
            self.infos(&[
                "No build output detected to cache. Skipping.",
                "No dependencies detected to cache. Skipping.",
            ]);
        }
        let tool = if outcome == Outcome::LockFile { "pnpm@10.11.1" } else { "npm@10.9.2" };
        self.info(&[&"Detected the following tools from environment: ", &tool, &", nodejs@22.16.0"]);
        self.wait(500);
        if cached {
            self.info(&[&"Success: Dependencies restored from build cache."]);
            self.wait(80);
        }
        if self.rng.chance(150) {
            self.start("tool_install");
            self.info(&[&"Installing nodejs 22.21.1"]);
            self.now += 1_200 + self.rng.about(3_000);
        }
        self.start("install");
        if outcome == Outcome::LockFile {
            self.info(&[&"Installing project dependencies: pnpm install --frozen-lockfile"]);
            self.wait(900);
            self.trouble(
                TruthLevel::Error,
                "ERR_PNPM_OUTDATED_LOCKFILE  Cannot install with \"frozen-lockfile\" because pnpm-lock.yaml is not up to date with package.json",
                &[&" ERR_PNPM_OUTDATED_LOCKFILE  Cannot install with \"frozen-lockfile\" because pnpm-lock.yaml is not up to date with package.json"],
            );
            self.fail(
                "Failed: error occurred while installing tools or dependencies",
                "tools_or_dependencies",
            );
            return false;
        }
        self.info(&[&"Installing project dependencies: npm clean-install --progress=false"]);
        self.wait(2_500);
        for package in [
            "rimraf@3.0.2: Rimraf versions prior to v4 are no longer supported",
            "inflight@1.0.6: This module is not supported, and leaks memory.",
            "glob@7.2.3: Glob versions prior to v9 are no longer supported",
        ] {
            if self.rng.chance(400) {
                self.trouble(
                    TruthLevel::Warn,
                    "npm warn deprecated {}",
                    &[&"npm warn deprecated ", &package],
                );
                self.wait(60);
            }
        }
        self.wait(8_000);
        self.npm_summary("added");
        self.wait(400);
        true
    }

    fn npm_summary(&mut self, verb: &str) {
        let packages = self.rng.range(30, 900);
        self.blank();
        let (audited, seconds) = (packages + 1, self.rng.range(1, 40));
        self.info(&[
            &verb,
            &" ",
            &packages,
            &" packages, and audited ",
            &audited,
            &" packages in ",
            &seconds,
            &"s",
        ]);
        self.blank();
        self.info(&[&(packages / 6), &" packages are looking for funding"]);
        self.info(&[&"  run `npm fund` for details"]);
        self.blank();
        self.info(&[&"found 0 vulnerabilities"]);
    }

    /// The build command. Whether the build goes on.
    fn build(&mut self, spec: &BuildSpec, worker: &str) -> bool {
        self.start("build");
        self.info(&[&"Executing user build command: npm run build"]);
        self.wait(600);
        self.blank();
        self.info(&[&"> ", &worker, &"@1.0.0 build"]);
        self.info(&[&"> tsc -b && vitest run && vite build"]);
        self.blank();
        self.wait(3_000);
        if spec.outcome == Outcome::TypeErrors {
            for _ in 0..self.rng.range(1, 6) {
                let (line, column) = (self.rng.range(1, 400), self.rng.range(1, 80));
                self.trouble(
                    TruthLevel::Error,
                    "src/index.ts({},{}): error TS2322: Type '(origin: string) => string | false' is not assignable to type 'string'.",
                    &[&"src/index.ts(", &line, &",", &column, &"): error TS2322: Type '(origin: string) => string | false' is not assignable to type 'string'."],
                );
                self.more(&["  Type '(origin: string) => string | false' is not assignable to type '(origin: string) => string'.", "    Type 'string | false' is not assignable to type 'string'."]);
            }
            self.fail("Failed: error occurred while running build command", "build_command");
            return false;
        }
        self.build_output(spec.n_lines);
        match spec.outcome {
            Outcome::Resolution => {
                self.trouble(TruthLevel::Error, "npm error code ERESOLVE", &[&"npm error code ERESOLVE"]);
                self.more(&[
                    "npm error ERESOLVE could not resolve",
                    "npm error",
                    "npm error While resolving: @example/vite-plugin@4.2.1",
                    "npm error Found: vite@8.0.3",
                    "npm error node_modules/vite",
                    "npm error   dev vite@\"^8.0.3\" from the root project",
                    "npm error",
                    "npm error Fix the upstream dependency conflict, or retry",
                    "npm error this command with --force or --legacy-peer-deps",
                ]);
                self.fail("Failed: error occurred while running build command", "build_command");
            }
            Outcome::Bundler => {
                self.trouble(TruthLevel::Error, "✘ [ERROR] Expected \"}\" but found \"$\"", &[&"✘ [ERROR] Expected \"}\" but found \"$\""]);
                self.more(&["", "    src/config.ts:12:18:", "      12 │   endpoint: ${HOST},", "         ╵                   ^"]);
                self.blank();
                self.fail("Failed: error occurred while running build command", "build_command");
            }
            Outcome::Internal => self.fail("An internal error occurred. Please retry your build. If this problem persists, contact Cloudflare support.", "internal"),
            Outcome::Cut => {
                self.stop_at_last();
                self.truth.status_reason = Some("no_end_marker");
                self.truth.complete = false;
            }
            _ => {
                self.wait(200);
                self.stop();
                self.info(&[&"Success: Build command completed"]);
                return true;
            }
        }
        false
    }

    /// What the build tools print: tests, then chunks, now and then a warning.
    fn build_output(&mut self, n_lines: u64) {
        self.info(&[&"vite v7.1.4 building for production..."]);
        for line in 0..n_lines {
            self.wait(40);
            let name = self.rng.token::<8>(ALPHANUMERIC);
            if line * 3 < n_lines {
                let (tests, ms) = (self.rng.range(1, 40), self.rng.range(2, 900));
                self.info(&[&" ✓ tests/unit/", &name, &".test.ts (", &tests, &" tests) ", &ms, &"ms"]);
            } else {
                let (size, gzip) = (self.rng.range(40, 90_000), self.rng.range(10, 30_000));
                self.info(&[
                    &"dist/assets/chunk-",
                    &name,
                    &".js   ",
                    &Hundredths(size),
                    &" kB │ gzip: ",
                    &Hundredths(gzip),
                    &" kB",
                ]);
            }
        }
        if self.rng.chance(200) {
            self.blank();
            self.trouble(
                TruthLevel::Warn,
                "(!) Some chunks are larger than {} kB after minification. Consider:",
                &[&"(!) Some chunks are larger than 500 kB after minification. Consider:"],
            );
            self.info(&[&"- Using dynamic import() to code-split the application"]);
        }
        let modules = n_lines * 7 + 31;
        self.info(&[&"✓ ", &modules, &" modules transformed."]);
        let took = self.rng.range(90, 4_000);
        self.info(&[&"✓ built in ", &Hundredths(took), &"s"]);
    }

    /// The log stops: the open phase ends at the last line.
    fn stop_at_last(&mut self) {
        if let Some(&last) = self.times.last() {
            self.now = last;
        }
        self.stop();
    }

    fn deploy(&mut self, outcome: Outcome, worker: &str) {
        self.now += 60 + self.rng.about(80);
        self.start("deploy");
        self.info(&[&"Executing user deploy command: npx wrangler deploy"]);
        self.wait(2_000);
        self.blank();
        self.infos(&[" ⛅️ wrangler 4.49.0", "───────────────────"]);
        if outcome == Outcome::NoEntryPoint {
            self.trouble(
                TruthLevel::Error,
                "✘ [ERROR] Missing entry-point to Worker script or to assets directory",
                &[&"✘ [ERROR] Missing entry-point to Worker script or to assets directory"],
            );
            self.more(&["", "  If there is code to deploy, you can either:", "  - Specify an entry-point to your Worker script via the command line (ex: `npx wrangler deploy src/index.ts`)"]);
            self.blank();
            let stamp = Iso(self.now).to_string();
            self.info(&[
                &"🪵  Logs were written to \"/opt/buildhome/.config/.wrangler/logs/wrangler-",
                &&stamp[..10],
                &".log\"",
            ]);
            self.fail("Failed: error occurred while running deploy command", "deploy_command");
            return;
        }
        self.infos(&["🌀 Building list of assets...", "🌀 Starting asset upload..."]);
        self.wait(2_500);
        let (files, took) = (self.rng.range(2, 300), self.rng.range(60, 400));
        self.info(&[&"✨ Success! Uploaded ", &files, &" files (", &Hundredths(took), &" sec)"]);
        self.blank();
        let (size, gzip) = (self.rng.range(9_000, 900_000), self.rng.range(2_000, 9_000));
        self.info(&[&"Total Upload: ", &Hundredths(size), &" KiB / gzip: ", &Hundredths(gzip), &" KiB"]);
        let start_up = self.rng.range(4, 60);
        self.info(&[&"Worker Startup Time: ", &start_up, &" ms"]);
        self.wait(2_500);
        self.info(&[&"Uploaded ", &worker, &" (", &Hundredths(took * 2), &" sec)"]);
        self.info(&[&"Deployed ", &worker, &" triggers (", &Hundredths(took), &" sec)"]);
        self.info(&[&"  https://", &worker, &".example.workers.dev"]);
        let version = self.rng.uuid();
        self.info(&[&"Current Version ID: ", &version]);
        self.wait(150);
        self.stop();
        self.info(&[&"Success: Deploy command completed"]);
        self.upload();
        self.now += 50 + self.rng.about(200);
        self.info(&[&"✨ Success! Build completed."]);
        self.truth.status = TruthStatus::Succeeded;
    }

    fn upload(&mut self) {
        if self.rng.chance(600) {
            self.now += 2;
            self.start("cache_upload");
            self.info(&[&"Uploading to build output cache"]);
            self.now += 300 + self.rng.about(1_800);
            self.stop();
            self.info(&[&"Success: Build output uploaded to build cache."]);
        }
    }

    fn finish(mut self) -> Finished {
        let (first, last) = (self.times.first().copied(), self.times.last().copied());
        self.truth.bounds(first, last);
        Finished {
            times: self.times,
            spans: self.spans,
            text: self.text,
            truth: self.truth,
            init_end: self.init_end,
        }
    }
}

/// A finished build.
struct Finished {
    times: Vec<u64>,
    spans: Vec<Range<usize>>,
    text: Vec<u8>,
    truth: TruthRun,
    init_end: Option<u64>,
}

impl Finished {
    fn tuple(&self, index: usize) -> (u64, &[u8]) {
        (self.times[index], &self.text[self.spans[index].clone()])
    }

    /// Appends the answer that holds the tuples `range`. The first one tells the platform's own clock, too.
    fn page(&self, range: Range<usize>, out: &mut Vec<u8>) {
        put!(
            out,
            "{\"result\":{\"cursor\":\"",
            cursor(range.end),
            "\",\"truncated\":",
            range.end < self.times.len(),
            ",\"lines\":["
        );
        for index in range.clone() {
            let (at, message) = self.tuple(index);
            put!(out, if index > range.start { ",[" } else { "[" }, at, ",\"", Json(message), "\"]");
        }
        put!(out, "]");
        if let (Some(ended), Some(&started), 0) = (self.init_end, self.times.first(), range.start) {
            put!(
                out,
                ",\"events\":[{\"type\":\"initializing\",\"started_on\":\"",
                Iso(started),
                "\",\"ended_on\":\"",
                Iso(ended),
                "\"}]"
            );
        }
        put!(out, "},\"success\":true,\"errors\":[],\"messages\":[]}");
    }

    /// Where the pages start and end. Some repeat a few tuples of the page before; where a page
    /// does not, its first tuple differs from the last one before it, so that nothing but a
    /// repetition looks like one.
    fn pages(&self, per_page: usize, rng: &mut Rng) -> Vec<Range<usize>> {
        let n = self.times.len();
        let (mut pages, mut start) = (Vec::new(), 0_usize);
        loop {
            let mut end = (start + per_page).min(n);
            while end < n && self.times[end - 1] == self.times[end] {
                end += 1;
            }
            pages.push(start..end);
            if end >= n {
                return pages;
            }
            let mut repeated = if rng.chance(300) { rng.index(8) } else { 0 };
            while repeated > 0
                && repeated < end - start
                && self.times[end - repeated - 1] == self.times[end - repeated]
            {
                repeated += 1;
            }
            start = end - repeated.min(end - start - 1);
        }
    }
}

/// The cursor behind the first `n` tuples: base64 of `[0,n]`.
fn cursor(n: usize) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let text = format!("[0,{n}]");
    let mut out = String::new();
    for chunk in text.as_bytes().chunks(3) {
        let byte = |index: usize| usize::from(chunk.get(index).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for (index, shift) in [18, 12, 6, 0].into_iter().enumerate() {
            out.push(if index <= chunk.len() { char::from(LETTERS[bits >> shift & 63]) } else { '=' });
        }
    }
    out
}

fn build(spec: &BuildSpec, worker: &str, truth: TruthRun, rng: Rng, templates: &mut Templates) -> Finished {
    let mut build = Build::new(spec, truth, rng, templates);
    if build.set_up(spec.outcome) && build.install(spec.outcome) && build.build(spec, worker) {
        build.deploy(spec.outcome, worker);
    }
    build.finish()
}

/// One build per line, each as one whole answer.
pub fn stream(plan: &Plan, stem: &str, out: &mut dyn Write) -> io::Result<Truth> {
    let (mut truth, mut templates) = (Truth { n_files: 1, ..Truth::default() }, Templates::default());
    let (mut clock, mut ordinal, mut line) = (plan.start_ms, 0, Vec::new());
    while plan.wants(ordinal, truth.n_bytes) {
        let mut rng = Rng::new(plan.seed, ordinal);
        ordinal += 1;
        let run_id = if ordinal == 1 { stem.to_owned() } else { format!("{stem}#{ordinal}") };
        let spec = BuildSpec::draw(&mut rng, clock);
        let worker = rng.pick(WORKERS);
        let finished =
            build(&spec, worker, TruthRun::new("cloudflare", "build", "", run_id), rng, &mut templates);
        finished.page(0..finished.times.len(), &mut line);
        line.push(b'\n');
        clock = finished.times.last().copied().unwrap_or(clock) + 600_000;
        truth.n_lines += 1;
        truth.n_bytes += u64::try_from(line.len()).unwrap_or(u64::MAX);
        truth.add_runs(plan, [finished.truth]);
        out.write_all(&line)?;
        line.clear();
    }
    truth.error_templates = templates.list();
    Ok(truth)
}

/// `cloudflare/<worker>/<build_uuid>/page-0001.json`.
pub fn files(plan: &Plan, sink: &mut Sink<'_>, truth: &mut Truth) -> io::Result<()> {
    let mut templates = Templates::default();
    let (mut clock, mut ordinal, before) = (plan.start_ms, 0, truth.n_bytes);
    while plan.wants(ordinal, truth.n_bytes - before) {
        let mut rng = Rng::new(plan.seed, ordinal);
        let worker = rng.pick(WORKERS);
        let spec = BuildSpec::draw(&mut rng, clock);
        clock = write_build(&spec, worker, rng, &mut templates, sink, truth)? + 600_000;
        ordinal += 1;
    }
    truth.error_templates.extend(templates.list());
    Ok(())
}

/// Hands the pages of one build to the sink; returns the instant of its last line.
pub fn write_build(
    spec: &BuildSpec,
    worker: &str,
    mut rng: Rng,
    templates: &mut Templates,
    sink: &mut Sink<'_>,
    truth: &mut Truth,
) -> io::Result<u64> {
    let id = rng.uuid().to_string();
    let mut cuts = Rng::new(rng.word(), 0);
    let run = TruthRun::new("cloudflare", "build", worker, id.clone());
    let finished = build(spec, worker, run, rng, templates);
    let mut runs = vec![finished.truth.clone()];
    for (index, range) in finished.pages(spec.page, &mut cuts).into_iter().enumerate() {
        let mut bytes = Vec::new();
        finished.page(range, &mut bytes);
        let path = PathBuf::from(format!("cloudflare/{worker}/{id}/page-{:04}.json", index + 1));
        truth.add_file(&path, &bytes, &mut runs, sink)?;
    }
    Ok(finished.times.last().copied().unwrap_or(spec.start_ms))
}
