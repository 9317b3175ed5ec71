//! The writer of one Apify log: every physical line gets its own ingestion stamp, and what is
//! written is counted at once.

use crate::put::{Put, Stamps};
use crate::rng::Rng;
use crate::truth::{Templates, TruthClass, TruthLevel, TruthRun, TruthStep};

/// The instants of one container incarnation, in milliseconds since 1970.
#[derive(Debug, Clone, Copy)]
struct Segment {
    first: u64,
    last: u64,
    create: Option<u64>,
    boot: Option<u64>,
    output: Option<Moment>,
    ready: Option<Moment>,
    progress: Option<Moment>,
    n_events: u64,
}

/// An event: how many the run has up to it, and its instant.
type Moment = (u64, u64);

/// One log being written.
#[derive(Debug)]
pub struct Log<'a> {
    /// The text so far.
    pub out: &'a mut Vec<u8>,
    /// Random numbers of this run.
    pub rng: Rng,
    /// The clock, in milliseconds since 1970.
    pub now: u64,
    /// What is true of the run so far.
    pub truth: TruthRun,
    /// Bytes the rest of the log may take, about.
    pub budget: u64,
    templates: &'a mut Templates,
    run: u64,
    stamps: Stamps,
    jitter: u64,
    instants: Option<Vec<u64>>,
    first: Option<u64>,
    last: u64,
    event: u64,
    segments: Vec<Segment>,
}

/// Writes one event: level, class, then the parts of its first line.
macro_rules! event {
    ($log:expr, $level:ident, $class:ident, $($part:expr),+ $(,)?) => {{
        $log.open($crate::truth::TruthLevel::$level, $crate::truth::TruthClass::$class);
        $($crate::put::Put::put(&$part, $log.out);)+
        $log.close();
    }};
}
pub(crate) use event;

/// Writes a further line of the event above.
macro_rules! more {
    ($log:expr, $($part:expr),+ $(,)?) => {{
        $log.stamp();
        $log.out.push(b' ');
        $($crate::put::Put::put(&$part, $log.out);)+
        $log.close();
    }};
}
pub(crate) use more;

impl<'a> Log<'a> {
    /// A log that begins at `start_ms`.
    pub fn new(
        out: &'a mut Vec<u8>,
        rng: Rng,
        start_ms: u64,
        truth: TruthRun,
        templates: &'a mut Templates,
    ) -> Self {
        let run = templates.next_run();
        Self {
            out,
            rng,
            now: start_ms,
            truth,
            budget: 0,
            templates,
            run,
            stamps: Stamps::new(),
            jitter: 3,
            instants: None,
            first: None,
            last: start_ms,
            event: start_ms,
            segments: Vec::new(),
        }
    }

    /// Lets about `mean_ms` pass.
    pub fn wait(&mut self, mean_ms: u64) {
        self.now += self.rng.about(mean_ms);
    }

    /// A dying process writes its last words at once: no more jitter.
    pub fn still(&mut self) {
        self.jitter = 0;
    }

    /// A stamp at the start of a line.
    pub fn stamp(&mut self) {
        self.now += self.rng.below(self.jitter + 1);
        self.first.get_or_insert(self.now);
        self.last = self.now;
        if let Some(segment) = self.segments.last_mut() {
            segment.last = self.now;
        }
        if let Some(instants) = &mut self.instants {
            instants.push(self.now);
        }
        *self.truth.n_lines.get_or_insert(0) += 1;
        self.stamps.put(self.now, self.out);
    }

    /// The stamp of the first line of an event.
    pub fn open(&mut self, level: TruthLevel, class: TruthClass) {
        self.stamp();
        self.out.push(b' ');
        self.event = self.now;
        self.truth.count(level, class);
        if let Some(segment) = self.segments.last_mut() {
            segment.n_events = self.truth.n_events;
            if class != TruthClass::Platform {
                segment.output.get_or_insert((self.truth.n_events, self.now));
            }
        }
    }

    /// The end of a line.
    pub fn close(&mut self) {
        self.out.push(b'\n');
    }

    /// A blank line that belongs to no event.
    pub fn blank(&mut self) {
        self.stamp();
        self.truth.n_blank_lines += 1;
        self.close();
    }

    /// A blank line inside an event.
    pub fn blank_inside(&mut self) {
        self.stamp();
        self.close();
    }

    /// A line that was not finished when the download broke off: the last line of the log.
    pub fn torn(&mut self, text: &str) {
        self.open(TruthLevel::Info, TruthClass::Plain);
        text.put(self.out);
        self.truth.complete = false;
    }

    /// The event above is an instance of this warning or error message.
    pub fn template(&mut self, template: &'static str, level: TruthLevel, class: TruthClass) {
        self.templates.count(self.run, template, level, class);
    }

    /// The three lines of the platform that start a container.
    pub fn start_container(&mut self, wording: Wording, build: &str) {
        let at = self.now;
        let stage = |first| Segment {
            first,
            last: first,
            create: None,
            boot: None,
            output: None,
            ready: None,
            progress: None,
            n_events: 0,
        };
        self.segments.push(stage(at));
        let (pull, from, suffix) = wording.words();
        event!(self, None, Platform, "ACTOR: Pulling ", pull, " image of build ", build, " from ", from, ".");
        let pulled = self.event;
        self.segment(|segment| segment.first = pulled);
        self.now += if self.rng.chance(600) { self.rng.range(60, 460) } else { self.rng.range(520, 14_000) };
        event!(self, None, Platform, "ACTOR: Creating ", suffix, ".");
        let created = self.event;
        self.segment(|segment| segment.create = Some(created));
        self.now += self.rng.range(25, 330);
        event!(self, None, Platform, "ACTOR: Starting ", suffix, ".");
        let started = self.event;
        self.segment(|segment| segment.boot = Some(started));
        if wording == Wording::Container && self.rng.chance(400) {
            event!(self, None, Platform, "ACTOR: Running under \"LIMITED_PERMISSIONS\" permission level.");
        }
        self.now += self.rng.range(190, 2700);
    }

    /// The event above shows that the program is ready.
    pub fn ready(&mut self) {
        let at = (self.truth.n_events, self.event);
        self.segment(|segment| {
            segment.ready.get_or_insert(at);
        });
    }

    /// A crawl begins or goes on with the event above.
    pub fn resume(&mut self) {
        self.segment(|segment| segment.progress = None);
    }

    /// The event above is a final statistic, `Finished!` or `Exiting Actor`.
    pub fn progress(&mut self) {
        let at = (self.truth.n_events, self.event);
        self.segment(|segment| segment.progress = Some(at));
    }

    /// Lines of a relayed child carry their own time; the clock of this log stands at `at_ms`.
    pub fn advance_to(&mut self, at_ms: u64) {
        self.now = self.now.max(at_ms);
    }

    /// Remembers the instant of every line from here on.
    pub fn keep_instants(&mut self) {
        self.instants = Some(Vec::new());
    }

    /// The instants remembered.
    pub fn instants(&mut self) -> Vec<u64> {
        self.instants.take().unwrap_or_default()
    }

    /// A line of a relayed child, which is none of this run's: it arrives at `at_ms`.
    pub fn relay(&mut self, at_ms: u64, head: &[u8], line: &[u8]) {
        self.advance_to(at_ms);
        self.stamps.put(self.now, self.out);
        self.out.extend_from_slice(head);
        self.out.extend_from_slice(line);
    }

    /// Takes over the message counts of a relayed child.
    pub fn absorb(&mut self, templates: &Templates) {
        self.templates.merge(templates);
    }

    fn segment(&mut self, change: impl FnOnce(&mut Segment)) {
        if let Some(segment) = self.segments.last_mut() {
            change(segment);
        }
    }

    /// What is true of the finished log.
    pub fn finish(mut self) -> (TruthRun, u64) {
        let several = self.segments.len() > 1;
        for segment in &self.segments {
            if several {
                self.truth.steps.push(TruthStep::phase("segment", segment.first, segment.last, 0));
            }
            phases(segment, u8::from(several), &mut self.truth.steps);
        }
        self.truth.bounds(self.first, Some(self.last));
        (self.truth, self.last)
    }
}

fn phases(segment: &Segment, depth: u8, steps: &mut Vec<TruthStep>) {
    let last = segment.last;
    let create = segment.create.unwrap_or(last);
    let boot = segment.boot.unwrap_or(last);
    let mut phase = |name, from, to| steps.push(TruthStep::phase(name, from, to, depth));
    phase("pull", segment.first, create);
    phase("create", create, boot);
    phase("boot", boot, segment.output.map_or(last, |(_, at)| at));
    let Some(output) = segment.output else { return };
    let work = segment.ready.unwrap_or(output);
    if work.0 > output.0 {
        phase("init", output.1, work.1);
    }
    match segment.progress {
        Some((n_events, at)) if n_events < segment.n_events => {
            phase("work", work.1, at);
            phase("shutdown", at, last);
        }
        _ => phase("work", work.1, last),
    }
}

/// How the platform worded its start lines over the years.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wording {
    /// December 2023 to March 2025.
    DockerRepository,
    /// March to August 2025.
    DockerRegistry,
    /// Since October 2025.
    Container,
}

impl Wording {
    const fn words(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::DockerRepository => ("Docker", "repository", "Docker container"),
            Self::DockerRegistry => ("Docker", "registry", "Docker container"),
            Self::Container => ("container", "registry", "container"),
        }
    }
}
