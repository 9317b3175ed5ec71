//! Runs: what a program prints from the pull of its image to its end.

use super::budget;
use super::crawl::{Crawl, Generation};
use super::log::{Log, Wording, event, more};
use crate::put::put;
use crate::rng::Rng;
use crate::truth::{Templates, TruthClass, TruthLevel, TruthRun, TruthStatus};
use crate::words::{FRAMES, OLD_FRAMES, PRINTS};

/// What kind of program runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Program {
    /// crawlee 3 without a browser.
    Cheerio,
    /// crawlee 3 with a browser.
    Playwright,
    /// The SDK of 2022.
    Puppeteer,
    /// crawlee for Python.
    PythonCrawlee,
    /// Python with the standard logger.
    PythonPlain,
    /// Node without any SDK: no end mark.
    NodePlain,
    /// Python that calls another actor and prints its log.
    Caller,
}

impl Program {
    /// The program of the n-th actor.
    pub const fn of_actor(index: usize) -> Self {
        match index {
            0 => Self::Cheerio,
            1 => Self::PythonCrawlee,
            2 => Self::Playwright,
            3 => Self::Puppeteer,
            4 => Self::NodePlain,
            _ => Self::Caller,
        }
    }

    const fn crawler(self) -> (Generation, &'static str) {
        match self {
            Self::Playwright => (Generation::Crawlee3, "PlaywrightCrawler"),
            Self::Puppeteer => (Generation::Sdk2, "PuppeteerCrawler"),
            Self::PythonCrawlee => (Generation::Python, "PlaywrightCrawler"),
            _ => (Generation::Crawlee3, "CheerioCrawler"),
        }
    }

    /// Bytes of log per request, about.
    const fn request_bytes(self) -> u64 {
        match self {
            Self::Puppeteer => 210,
            Self::Playwright => 240,
            _ => 190,
        }
    }
}

/// How a run ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// As it should.
    Normal,
    /// The log just stops.
    Cut,
    /// The platform's time limit.
    TimeLimit,
    /// The platform is told to stop it.
    Abort,
    /// An uncaught exception.
    Crash,
    /// Moved to another host half-way, then as it should.
    Migrated,
    /// As it should, though every request failed.
    Hopeless,
    /// The download broke off inside a line.
    Torn,
}

/// A run to be written.
#[derive(Debug, Clone, Copy)]
pub struct RunSpec {
    /// The program.
    pub program: Program,
    /// Its end.
    pub ending: Ending,
    /// Size of the log in bytes, about.
    pub bytes: u64,
    /// First instant, in milliseconds since 1970.
    pub start_ms: u64,
}

impl RunSpec {
    /// A run drawn at random.
    pub fn draw(rng: &mut Rng, left: Option<u64>, start_ms: u64) -> Self {
        use Ending as E;
        use Program as P;
        let programs = [
            P::Cheerio,
            P::Playwright,
            P::Puppeteer,
            P::PythonCrawlee,
            P::PythonPlain,
            P::NodePlain,
            P::Caller,
        ];
        let endings = [E::Normal, E::Migrated, E::Crash, E::TimeLimit, E::Abort, E::Cut, E::Hopeless];
        Self {
            program: programs[rng.weighted(&[36, 20, 10, 18, 4, 7, 5])],
            ending: endings[rng.weighted(&[70, 6, 8, 5, 3, 5, 1])],
            bytes: budget(rng, left),
            start_ms,
        }
    }
}

/// Appends the log of one run to `out`. Returns what is true of it (and of the children it
/// relays, behind it) and the instant of its last line.
pub fn write_run(
    spec: &RunSpec,
    mut rng: Rng,
    group: &str,
    run_id: String,
    out: &mut Vec<u8>,
    templates: &mut Templates,
) -> (Vec<TruthRun>, u64) {
    let mut truth = TruthRun::new("apify", "run", group, run_id);
    truth.n_platform = Some(0);
    let build = rng.apify_id().to_string();
    truth.build_id = Some(build.clone());
    let mut log = Log::new(out, rng, spec.start_ms, truth, templates);
    log.budget = spec.bytes;
    let wording = match spec.program {
        Program::Puppeteer => Wording::DockerRepository,
        Program::PythonPlain => Wording::DockerRegistry,
        _ => Wording::Container,
    };
    log.start_container(wording, &build);
    let mut runs = Vec::new();
    match spec.program {
        Program::PythonPlain => python_plain(&mut log, spec.ending),
        Program::NodePlain => node_plain(&mut log, spec.ending),
        Program::Caller => runs.push(caller(&mut log)),
        program => crawls(&mut log, program, spec.ending, (wording, &build)),
    }
    let (truth, end) = log.finish();
    runs.insert(0, truth);
    (runs, end)
}

/// A run of one or several crawls.
fn crawls(log: &mut Log<'_>, program: Program, ending: Ending, container: (Wording, &str)) {
    let (generation, crawler) = program.crawler();
    greet(log, program);
    let total = (log.budget.saturating_sub(1500) / program.request_bytes()).max(1);
    let whole = matches!(ending, Ending::Normal | Ending::Hopeless);
    let n_crawls =
        if whole && generation == Generation::Crawlee3 && total > 20 { log.rng.range(1, 3) } else { 1 };
    for _ in 1..n_crawls {
        one_crawl(log, generation, crawler, total / n_crawls);
    }
    let last = (total / n_crawls).max(1);
    let mut crawl =
        Crawl::new(generation, crawler, if ending == Ending::Hopeless { last.min(4) } else { last }, log);
    if ending == Ending::Hopeless {
        crawl = crawl.hopeless();
    }
    crawl.start(log);
    match ending {
        Ending::Normal | Ending::Hopeless => {
            let hopeless = ending == Ending::Hopeless;
            crawl.end(log);
            good_bye(log, generation);
            log.truth.status = TruthStatus::Succeeded;
            let none = hopeless && log.truth.requests_finished == Some(0) && generation != Generation::Python;
            log.truth.status_reason = none.then_some("all_requests_failed");
        }
        Ending::Migrated => {
            crawl.work(log, 55);
            event!(log, Info, Plain, prefix(generation), "Persisting state before the move to another host");
            log.now += log.rng.range(2_000, 20_000);
            log.start_container(container.0, container.1);
            greet(log, program);
            crawl.start(log);
            crawl.end(log);
            good_bye(log, generation);
            log.truth.status = TruthStatus::Succeeded;
        }
        _ => {
            crawl.work(log, 70);
            crawl.abandon(log);
            broken_end(log, ending, generation);
        }
    }
}

fn one_crawl(log: &mut Log<'_>, generation: Generation, crawler: &'static str, total: u64) {
    let mut crawl = Crawl::new(generation, crawler, total.max(1), log);
    crawl.start(log);
    crawl.end(log);
    event!(log, Info, Status, "INFO  [Status message]: Direct URL scraper finished");
    log.now += log.rng.range(20, 400);
}

/// First output of a program.
fn greet(log: &mut Log<'_>, program: Program) {
    match program {
        Program::PythonCrawlee | Program::Caller => {
            if log.rng.chance(300) {
                event!(
                    log,
                    None,
                    Plain,
                    "Actor is running on the Apify platform, `disable_browser_sandbox` was changed to True."
                );
                log.now += log.rng.range(40, 400);
            }
            event!(
                log,
                Info,
                Plain,
                "[apify] INFO  Initializing Actor ({\"apify_sdk_version\": \"3.1.0\", \"apify_client_version\": \"2.3.0\", \"crawlee_version\": \"1.2.1\", \"python_version\": \"3.13.9\", \"os\": \"linux\"})"
            );
        }
        Program::Puppeteer => event!(
            log,
            Info,
            Plain,
            "INFO  System info {\"apifyVersion\":\"2.3.2\",\"apifyClientVersion\":\"2.6.2\",\"osType\":\"Linux\",\"nodeVersion\":\"v16.19.0\"}"
        ),
        _ => {
            if program == Program::Playwright {
                banner(log);
            }
            event!(
                log,
                Info,
                Plain,
                "INFO  System info {\"apifyVersion\":\"3.5.2\",\"apifyClientVersion\":\"2.20.0\",\"crawleeVersion\":\"3.15.3\",\"osType\":\"Linux\",\"nodeVersion\":\"v22.21.1\"}"
            );
        }
    }
    log.ready();
    log.wait(600);
    if !matches!(program, Program::PythonCrawlee | Program::Caller) && log.rng.chance(400) {
        let limit = log.rng.range(40, 5_000);
        event!(log, Info, Plain, "INFO  Results limit ", limit, ", proxy groups [ 'RESIDENTIAL' ]");
    }
    if log.rng.chance(80) {
        let python = matches!(program, Program::PythonCrawlee | Program::Caller);
        let level = if python { "[apify] WARN  " } else { "WARN  " };
        event!(log, Warn, Plain, level, "Input field \"maxItems\" is deprecated, use \"limit\" instead");
        log.template("Input field {} is deprecated, use {} instead", TruthLevel::Warn, TruthClass::Plain);
    }
    log.wait(500);
}

/// A browser image starts a virtual screen and npm before the program.
fn banner(log: &mut Log<'_>) {
    event!(
        log,
        None,
        Plain,
        "Will run command: xvfb-run -a -s \"-ac -screen 0 1920x1080x24+32 -nolisten tcp\" /bin/sh -c npm start"
    );
    log.now += log.rng.range(150, 400);
    log.blank();
    event!(log, None, Plain, "> listing-watch@1.4.0 start");
    event!(log, None, Plain, "> node src/main.js");
    log.blank();
    log.now += log.rng.range(500, 2_000);
}

/// What stands before the message of a line with level INFO.
fn prefix(generation: Generation) -> &'static str {
    match generation {
        Generation::Python => "[apify] INFO  ",
        _ => "INFO  ",
    }
}

fn good_bye(log: &mut Log<'_>, generation: Generation) {
    if generation == Generation::Python {
        log.wait(80);
        event!(log, Info, Plain, "[apify] INFO  Exiting Actor ({\"exit_code\": 0})");
        log.progress();
        return;
    }
    log.wait(30);
    match log.rng.below(3) {
        0 => event!(log, None, Plain, "Crawl finished. Results are in the default dataset."),
        1 => event!(log, Info, Status, "INFO  [Status message]: Scraper finished"),
        _ => {}
    }
}

/// The end of a run whose crawl did not come to its own.
fn broken_end(log: &mut Log<'_>, ending: Ending, generation: Generation) {
    event!(log, None, Plain, log.rng.pick(PRINTS));
    log.wait(900);
    match ending {
        Ending::TimeLimit => {
            let limit = (log.rng.range(5, 60)) * 60;
            event!(
                log,
                None,
                Platform,
                "ACTOR: The Actor run has reached the timeout of ",
                limit,
                " seconds, aborting it. You can increase the timeout in run options."
            );
            log.truth.status = TruthStatus::TimedOut;
        }
        Ending::Abort => {
            event!(log, None, Platform, "ACTOR: Aborting the Actor run on request of the user.");
            log.truth.status = TruthStatus::Aborted;
        }
        Ending::Crash => {
            match generation {
                Generation::Crawlee3 => node_crash(log),
                Generation::Sdk2 => main_threw(log),
                Generation::Python => python_crash(log),
            }
            log.truth.status = TruthStatus::Failed;
        }
        Ending::Torn => {
            log.torn(
                "INFO  PlaywrightCrawler: Scraped listing {\"url\":\"https://homes.example.net/listing/4711/det",
            );
            log.truth.status_reason = Some("no_end_marker");
        }
        _ => log.truth.status_reason = Some("no_end_marker"),
    }
}

/// Node's uncaught exception: no level anywhere, one event.
fn node_crash(log: &mut Log<'_>) {
    log.still();
    event!(log, None, Crash, "file:///usr/src/app/dist/src/store.js:74");
    more!(log, "            throw new FileNotFoundError(`Session file not found at ${sessionPath}.`);");
    more!(log, "                  ^");
    log.blank_inside();
    more!(log, "FileNotFoundError: Session file not found at /home/myuser/.cache/session.json.");
    for frame in &FRAMES[..3] {
        more!(log, "    ", frame);
    }
    log.blank_inside();
    more!(log, "Node.js v22.21.1");
    log.template("FileNotFoundError: Session file not found at {}.", TruthLevel::None, TruthClass::Crash);
}

fn main_threw(log: &mut Log<'_>) {
    log.still();
    event!(log, Error, Crash, "ERROR The function passed to Apify.main() threw an exception:");
    more!(log, "  ApifyApiError: You have exceeded the rate limit of 60 requests per second");
    for frame in OLD_FRAMES {
        more!(log, "      ", frame);
    }
    log.template(
        "The function passed to Apify.main() threw an exception:",
        TruthLevel::Error,
        TruthClass::Crash,
    );
}

fn python_crash(log: &mut Log<'_>) {
    event!(log, Error, Crash, "[apify] ERROR Actor failed with an exception");
    more!(log, "      Traceback (most recent call last):");
    more!(log, "        File \"/usr/src/app/src/main.py\", line 170, in main");
    more!(log, "          await crawler.run(start_urls)");
    more!(log, "      RuntimeError: Storage is not reachable");
    log.template("Actor failed with an exception", TruthLevel::Error, TruthClass::Crash);
    log.wait(40);
    event!(log, Info, Plain, "[apify] INFO  Exiting Actor ({\"exit_code\": 91})");
    log.progress();
}

/// Python with `logging.basicConfig`: `LEVEL:logger:message`.
fn python_plain(log: &mut Log<'_>, ending: Ending) {
    event!(log, Info, Plain, "INFO:apify:Initializing actor...");
    log.ready();
    let n_lines = (log.budget.saturating_sub(600) / 135).max(1);
    for _ in 0..n_lines {
        log.wait(350);
        let key = log.rng.range(1, 999_999);
        if log.rng.chance(20) {
            event!(log, Warn, Plain, "WARNING:shop:Item ", key, " has no price, skipping");
            log.template("Item {} has no price, skipping", TruthLevel::Warn, TruthClass::Plain);
        } else {
            event!(
                log,
                Info,
                Plain,
                "INFO:httpx:HTTP Request: GET https://shop.example.com/api/items/",
                key,
                "?fields=all \"HTTP/1.1 200 OK\""
            );
        }
    }
    if ending == Ending::Crash {
        event!(log, Error, Crash, "ERROR:apify:Actor failed with an exception");
        more!(log, "Traceback (most recent call last):");
        more!(log, "  File \"/usr/src/app/src/main.py\", line 170, in main");
        more!(log, "    total = Decimal(row['price'])");
        more!(log, "            ^^^^^^^^^^^^^^^^^^^^^");
        more!(log, "KeyError: 'price'");
        log.template("Actor failed with an exception", TruthLevel::Error, TruthClass::Crash);
        log.truth.status = TruthStatus::Failed;
        event!(log, Info, Plain, "INFO:apify:Exiting actor");
        log.progress();
    } else {
        log.truth.status_reason = Some("no_end_marker");
        log.wait(30);
        event!(log, Info, Plain, "INFO:httpx:Connection pool closed");
    }
}

/// A script that prints: nothing says how it ended.
fn node_plain(log: &mut Log<'_>, ending: Ending) {
    event!(log, None, Plain, "Starting digest of 12 feeds");
    let n_lines = (log.budget.saturating_sub(400) / 90).max(1);
    for line in 0..n_lines {
        log.wait(500);
        match log.rng.below(4) {
            0 => event!(log, None, Plain, log.rng.pick(PRINTS)),
            1 => {
                event!(log, None, Plain, "Feed ", line, ": read ", log.rng.range(2, 80), " entries");
                more!(
                    log,
                    "    newest: https://news.example.com/2025/article-",
                    log.rng.range(1, 99_999),
                    ".html"
                );
            }
            _ => event!(
                log,
                None,
                Plain,
                "Fetched https://news.example.com/2025/article-",
                log.rng.range(1, 99_999),
                ".html in ",
                log.rng.range(40, 900),
                " ms"
            ),
        }
    }
    log.wait(500);
    if ending == Ending::Crash {
        node_crash(log);
        log.truth.status = TruthStatus::Failed;
    } else {
        event!(log, None, Plain, "Digest written, ", n_lines, " entries");
        log.truth.status_reason = Some("no_end_marker");
    }
}

/// Prints a child's lines as they arrive: `[apify.<actor> runId:<id>] -> <inner line>`.
fn caller(log: &mut Log<'_>) -> TruthRun {
    let mut child = TruthRun::new("apify", "run", &log.truth.group, log.rng.apify_id().to_string());
    child.n_platform = Some(0);
    let build = log.rng.apify_id().to_string();
    child.build_id = Some(build.clone());
    greet(log, Program::Caller);
    event!(log, Info, Plain, "[apify] INFO  Calling actor product-details");
    log.wait(900);
    let run_id = child.run_id.clone();
    let mut text = Vec::new();
    let rng = Rng::new(log.rng.word(), 1);
    let mut templates = Templates::default();
    let mut inner = Log::new(&mut text, rng, log.now + 700, child, &mut templates);
    inner.keep_instants();
    inner.start_container(Wording::Container, &build);
    greet(&mut inner, Program::Cheerio);
    let total = (log.budget / 330).max(2);
    let mut crawl = Crawl::new(Generation::Crawlee3, "CheerioCrawler", total, &mut inner).single_lines();
    crawl.start(&mut inner);
    crawl.end(&mut inner);
    let instants = inner.instants();
    let (mut truth, _) = inner.finish();
    log.absorb(&templates);
    let mut head = Vec::new();
    put!(&mut head, " [apify.product-details runId:", run_id, "] -> ");
    status_line(log, &head, "Status: RUNNING, Message: Starting", &mut truth);
    for (line, instant) in text.split_inclusive(|&byte| byte == b'\n').zip(instants) {
        let lag = log.rng.range(200, 1_900);
        log.relay(instant + lag, &head, line);
    }
    log.now += log.rng.range(200, 2_000);
    status_line(log, &head, "Status: SUCCEEDED, Message: Finished! All requests were handled.", &mut truth);
    truth.status = TruthStatus::Succeeded;
    log.wait(200);
    event!(log, Info, Plain, "[apify] INFO  Called actor finished, ", total, " items in its dataset");
    event!(log, Info, Plain, "[apify] INFO  Exiting Actor ({\"exit_code\": 0})");
    log.progress();
    log.truth.status = TruthStatus::Succeeded;
    truth
}

/// A status of the child: an event of the child without an instant of its own.
fn status_line(log: &mut Log<'_>, head: &[u8], text: &str, child: &mut TruthRun) {
    child.count(TruthLevel::None, TruthClass::Status);
    *child.n_lines.get_or_insert(0) += 1;
    let mut line = text.as_bytes().to_vec();
    line.push(b'\n');
    let at = log.now;
    log.relay(at, head, &line);
}
