//! `logmill bench`: how fast this machine reads these logs, stage by stage.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{self, BufWriter, Write as _};
use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;
use logmill_analyze::model::EventRow;
use logmill_analyze::{Buckets, Detail, Engine, EventsError, Input, Options, Report, Selection, Survey};
use logmill_frame::{CsvText, EventChunk, FileFormat, Table, TableWriter};
use logmill_generate::{Amount, FormatId, Plan};
use serde::Serialize;

use super::print;
use crate::args::BenchArgs;
use crate::args::Generated;
use crate::failure::{Done, Failure};
use crate::inputs::{self, Bounds, Collecting};
use crate::progress::{Audience, Meter};
use crate::terminal::{Paint, count, counted, size};

/// The seed of generated dumps: the same bytes on every machine.
const SEED: u64 = 1;
/// A stage is repeated at least this long, however few repetitions were asked for.
const MIN_TIME: Duration = Duration::from_millis(300);
/// And no more often than this.
const MAX_REPEATS: usize = 1000;

/// Measures and prints.
///
/// # Errors
///
/// If an input cannot be read, or a dump cannot be generated.
pub fn run(args: &BenchArgs) -> Result<Done, Failure> {
    let folder = tempfile::TempDir::new().context("cannot make a folder for generated dumps")?;
    let mut paths = args.paths.clone();
    if let Some(words) = &args.generate {
        let generated = Generated::of(words).map_err(Failure::Usage)?;
        for format in &generated.formats {
            generate(*format, generated.bytes / generated.formats.len() as u64, folder.path())?;
        }
        paths.push(folder.path().to_owned());
    }
    let nobody = Arc::new(Meter::new(Audience::Nobody));
    let how = Collecting { bounds: Bounds::default(), threads: args.threads, meter: &nobody };
    let sources = inputs::look_into_all(inputs::collect(&paths, how), how);
    let bench = Bench::new(args)?;
    let list: Vec<&dyn Input> = sources.iter().map(|source| source as &dyn Input).collect();
    let cold = bench.cold(&list)?;
    let formats = bench.formats(&list)?;
    if formats.is_empty() {
        return Err(Failure::Usage("expected at least one log to measure, found none".to_owned()));
    }
    let formats: Vec<OfFormat> =
        formats.iter().map(|(format, members)| bench.measure(format, members)).collect::<Result<_, _>>()?;
    let result = Measured { threads: bench.threads, cold_read: cold, formats };
    if args.json {
        let json = serde_json::to_string(&result).context("cannot write JSON")?;
        print(&format!("{json}\n"))
    } else {
        print(&text(&result, Paint::for_stdout(args.notes.color)))
    }
}

/// Writes a seeded dump of one format below `folder`.
fn generate(format: FormatId, bytes: u64, folder: &Path) -> Result<(), Failure> {
    let plan =
        Plan { detail: logmill_generate::Detail::Totals, ..Plan::new(format, SEED, Amount::Bytes(bytes)) };
    let mut write = |path: &Path, bytes: &[u8]| {
        let path = folder.join(path);
        std::fs::create_dir_all(path.parent().unwrap_or(folder))?;
        let mut file = BufWriter::new(std::fs::File::create(path)?);
        file.write_all(bytes)?;
        file.flush()
    };
    logmill_generate::files(&plan, &mut write).context("cannot write a generated dump")?;
    Ok(())
}

/// The engines that are measured.
struct Bench {
    alone: Engine,
    all: Engine,
    threads: usize,
    runs: usize,
}

/// What was measured, as `--json` prints it.
#[derive(Debug, Serialize)]
struct Measured {
    threads: usize,
    /// Reading every byte for the first time, in seconds: from disk, unless the system still had it in memory.
    cold_read: Seconds,
    formats: Vec<OfFormat>,
}

#[derive(Debug, Serialize)]
struct OfFormat {
    format: String,
    files: usize,
    bytes: u64,
    lines: u64,
    events: u64,
    stages: Vec<Timed>,
}

/// One stage, on one thread and on all of them.
#[derive(Debug, Serialize)]
struct Timed {
    stage: &'static str,
    one_thread: Seconds,
    all_threads: Seconds,
}

/// Id of a format, and the logs of it.
type OfId<'i> = (String, Vec<&'i dyn Input>);
/// Name of a stage, and what it does.
type Work<'a> = (&'static str, &'a dyn Fn(&Engine) -> anyhow::Result<()>);

/// What a stage goes through.
#[derive(Debug, Clone, Copy)]
struct Per {
    bytes: u64,
    lines: u64,
    events: u64,
}

/// Wall times of the repetitions, and what follows for the fastest.
#[derive(Debug, Serialize)]
struct Seconds {
    repeats: usize,
    min_s: f64,
    median_s: f64,
    max_s: f64,
    gb_per_s: f64,
    lines_per_s: f64,
    events_per_s: f64,
}

impl Bench {
    fn new(args: &BenchArgs) -> Result<Self, Failure> {
        let engine = |threads| {
            let options = Options { threads, detail: Detail::Runs, ..Options::default() };
            Engine::new(options).context("cannot start threads")
        };
        let cores = std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
        let threads = args.threads.unwrap_or(cores);
        Ok(Self {
            alone: engine(Some(NonZeroUsize::MIN))?,
            all: engine(Some(threads))?,
            threads: threads.get(),
            runs: args.repeat.get(),
        })
    }

    /// The first read of everything.
    fn cold(&self, list: &[&dyn Input]) -> Result<Seconds, Failure> {
        let start = Instant::now();
        let volume = self.all.volume(list).context("cannot read the inputs")?;
        let per = Per { bytes: volume.bytes, lines: volume.newlines, events: 0 };
        Ok(Seconds::of(vec![start.elapsed()], per))
    }

    /// The logs among the inputs, by format.
    fn formats<'i>(&self, list: &[&'i dyn Input]) -> Result<Vec<OfId<'i>>, Failure> {
        let report = report(&self.all.survey(list))?;
        let of: BTreeMap<(&str, Option<&str>), &str> = report
            .files
            .iter()
            .map(|file| ((file.source.as_str(), file.member.as_deref()), file.format.as_str()))
            .collect();
        let members = |id: &str| -> Vec<&'i dyn Input> {
            let is_of = |input: &&&dyn Input| of.get(&(input.source(), input.member())) == Some(&id);
            list.iter().filter(is_of).copied().collect()
        };
        let ids = logmill_parse::format::ALL.iter().map(|format| format.about().id.to_owned());
        Ok(ids.map(|id| (id.clone(), members(&id))).filter(|(_, members)| !members.is_empty()).collect())
    }

    fn measure(&self, format: &str, members: &[&dyn Input]) -> Result<OfFormat, Failure> {
        let volume = self.all.volume(members).context("cannot read the inputs")?;
        let survey = self.all.survey(members);
        let events = report(&survey)?.files.iter().map(|file| file.n_events).sum();
        let per = Per { bytes: volume.bytes, lines: volume.newlines, events };
        let read = |engine: &Engine| engine.volume(members).map(drop).context("cannot read the inputs");
        let analyse = |engine: &Engine| report(&engine.survey(members)).map(drop);
        let again = |engine: &Engine| parse_again(engine, &survey, members);
        let write = |engine: &Engine| write_events(engine, &survey, members);
        let works: [Work<'_>; 4] =
            [("read", &read), ("report", &analyse), ("events", &again), ("parquet", &write)];
        let stage = |(stage, work): Work<'_>| {
            let timed = |engine| self.repeat(per, || work(engine));
            Ok(Timed { stage, one_thread: timed(&self.alone)?, all_threads: timed(&self.all)? })
        };
        Ok(OfFormat {
            format: format.to_owned(),
            files: members.len(),
            bytes: volume.bytes,
            lines: volume.newlines,
            events,
            stages: works.into_iter().map(stage).collect::<anyhow::Result<_>>()?,
        })
    }

    fn repeat(&self, per: Per, work: impl Fn() -> anyhow::Result<()>) -> anyhow::Result<Seconds> {
        let mut times: Vec<Duration> = Vec::new();
        let is_short =
            |times: &[Duration]| times.iter().sum::<Duration>() < MIN_TIME && times.len() < MAX_REPEATS;
        while times.len() < self.runs || is_short(&times) {
            let start = Instant::now();
            work()?;
            times.push(start.elapsed());
        }
        Ok(Seconds::of(times, per))
    }
}

fn report(survey: &Survey) -> anyhow::Result<Report> {
    Ok(survey.report(&Selection::default(), Buckets::default())?)
}

/// The second pass alone: every record again, with its run and step.
fn parse_again(engine: &Engine, survey: &Survey, members: &[&dyn Input]) -> anyhow::Result<()> {
    let select = Selection::default();
    let push = |n: &mut u64, row: &EventRow<'_>| *n += row.record.span.len() as u64;
    let take = |_: u64| Ok::<(), EventsError>(());
    Ok(engine.events(&survey.event_plan(&select), members, || 0, push, |n| n, take)?)
}

/// The second pass and the table of events as Parquet, thrown away instead of written.
fn write_events(engine: &Engine, survey: &Survey, members: &[&dyn Input]) -> anyhow::Result<()> {
    let select = Selection::default();
    let mut writer = TableWriter::new(io::sink(), Table::Events, FileFormat::Parquet, CsvText::Exact)?;
    let encoder = writer.encoder().clone();
    let seal = |mut chunk: EventChunk| {
        chunk.seal();
        chunk
    };
    let take = |chunk| writer.write_chunk(chunk).map_err(anyhow::Error::from);
    engine.events(
        &survey.event_plan(&select),
        members,
        || EventChunk::new(&encoder),
        EventChunk::push,
        seal,
        take,
    )?;
    writer.finish()?;
    Ok(())
}

impl Seconds {
    fn of(mut times: Vec<Duration>, per: Per) -> Self {
        times.sort_unstable();
        let seconds = |at: usize| times.get(at).map_or(0.0, Duration::as_secs_f64);
        let min_s = seconds(0);
        let per_s = |n: u64| if min_s > 0.0 { n as f64 / min_s } else { 0.0 };
        Self {
            repeats: times.len(),
            min_s,
            median_s: seconds(times.len() / 2),
            max_s: seconds(times.len().saturating_sub(1)),
            gb_per_s: per_s(per.bytes) / 1e9,
            lines_per_s: per_s(per.lines),
            events_per_s: per_s(per.events),
        }
    }

    /// Gigabytes of input and events in a second, and the spread.
    fn columns(&self) -> String {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a positive number of events"
        )]
        let events = count(self.events_per_s as u64);
        format!(" {:>8.3} GB/s {events:>12} {:>6.0} %", self.gb_per_s, self.spread())
    }

    /// How far the median lies above the fastest, in per cent.
    fn spread(&self) -> f64 {
        if self.min_s > 0.0 { (self.median_s / self.min_s - 1.0) * 100.0 } else { 0.0 }
    }
}

fn text(measured: &Measured, paint: Paint) -> String {
    let threads = measured.threads;
    let mut out = String::new();
    for format in &measured.formats {
        let files = counted(format.files as u64, "file", "files");
        let events = counted(format.events, "event", "events");
        // An entry of a JSON document is no line.
        let lines =
            if format.lines > format.events { count(format.lines) + " lines, " } else { String::new() };
        let title = format!("{}: {files}, {}, {lines}{events}", format.format, size(format.bytes));
        let _ = writeln!(out, "{}", paint.bold(&title));
        let columns = |threads: &str| format!(" {threads:>13} {:>12} {:>8}", "events/s", "spread");
        let all = columns(&counted(threads as u64, "thread", "threads"));
        let _ = writeln!(out, "{}", paint.dim(&format!("{:<8}{}{all}", "stage", columns("1 thread"))));
        for stage in &format.stages {
            let both = [&stage.one_thread, &stage.all_threads].map(Seconds::columns);
            let _ = writeln!(out, "{:<8}{}", stage.stage, both.concat());
        }
        out.push('\n');
    }
    let cold = &measured.cold_read;
    let warm: f64 = measured
        .formats
        .iter()
        .filter_map(|format| format.stages.first())
        .map(|it| it.all_threads.min_s)
        .sum();
    let _ = writeln!(
        out,
        "first read of everything: {:.3} s ({:.3} GB/s), warm: {warm:.3} s{}",
        cold.min_s,
        cold.gb_per_s,
        if cold.min_s > 0.1 && cold.min_s > 2.0 * warm {
            "; the disk, not logmill, decides on a first run"
        } else {
            ""
        }
    );
    let _ = writeln!(out, "GB/s of input by the fastest run; spread: how far the median lies above it");
    let _ = writeln!(
        out,
        "read: newlines counted; report: runs, errors, rates; events: every event again; parquet: as a table"
    );
    out
}
