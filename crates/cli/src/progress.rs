//! How far reading has come: one line on a terminal, and nothing anywhere else.
//!
//! Bytes are counted where they leave the inputs, so that the engine need not know; what a job reads
//! twice is counted twice, and the line never says more than all.

use std::io::{self, IsTerminal, Read};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use logmill_analyze::{Content, Input, ReadAt};

use crate::inputs::Source;
use crate::terminal::{count, counted, for_stderr, size};

/// Jobs that are done sooner show nothing.
const QUICK: Duration = Duration::from_millis(500);
/// Time between two looks.
const PACE: Duration = Duration::from_millis(100);
/// Before that, how long it will take is a guess.
const SURE: Duration = Duration::from_secs(2);
/// Characters of the bar.
const BAR: usize = 20;

/// Who may look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Audience {
    /// Whoever sits at the terminal that standard error is.
    Terminal,
    /// Nobody.
    Nobody,
}

impl Audience {
    /// Nobody where standard error is no terminal, or one that cannot move its cursor.
    #[must_use]
    pub fn unless(quiet: Quiet) -> Self {
        let is_dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        let is_shown = quiet == Quiet::No && !is_dumb && io::stderr().is_terminal();
        if is_shown { Self::Terminal } else { Self::Nobody }
    }
}

/// Whether `--quiet` was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quiet {
    /// It was.
    Yes,
    /// It was not.
    No,
}

/// What has been read of the job at hand.
#[derive(Debug)]
pub struct Meter {
    bytes: AtomicU64,
    files: AtomicU64,
    /// Number of the job, from 1.
    job: AtomicU64,
    stage: Mutex<Option<Stage>>,
    audience: Audience,
}

/// A job.
#[derive(Debug)]
struct Stage {
    what: &'static str,
    began: Instant,
    looked: Instant,
    bytes: u64,
    files: u64,
    bar: ProgressBar,
}

impl Meter {
    /// Nothing read, no job.
    #[must_use]
    pub fn new(audience: Audience) -> Self {
        let zero = || AtomicU64::new(0);
        Self { bytes: zero(), files: zero(), job: zero(), stage: Mutex::new(None), audience }
    }

    /// Begins a job that will read so many bytes and files; `what` says what is done. The job ends
    /// when what this returns goes.
    pub fn begin(&self, what: &'static str, bytes: u64, files: u64) -> Running<'_> {
        if self.audience == Audience::Terminal
            && let Ok(mut stage) = self.stage.lock()
        {
            let now = Instant::now();
            self.bytes.store(0, Ordering::Relaxed);
            self.files.store(0, Ordering::Relaxed);
            self.job.fetch_add(1, Ordering::Relaxed);
            *stage = Some(Stage { what, began: now, looked: now, bytes, files, bar: ProgressBar::hidden() });
        }
        Running { meter: self }
    }

    fn read(&self, bytes: u64) {
        let bytes = self.bytes.fetch_add(bytes, Ordering::Relaxed) + bytes;
        // Whoever finds another thread looking need not look.
        let Ok(mut stage) = self.stage.try_lock() else { return };
        let Some(stage) = stage.as_mut() else { return };
        let now = Instant::now();
        let elapsed = now - stage.began;
        if elapsed < QUICK || now - stage.looked < PACE {
            return;
        }
        stage.looked = now;
        if stage.bar.is_hidden() {
            stage.bar.set_style(
                ProgressStyle::with_template("{wide_msg}").unwrap_or_else(|_| ProgressStyle::default_bar()),
            );
            stage.bar.set_draw_target(ProgressDrawTarget::stderr());
        }
        let files = self.files.load(Ordering::Relaxed);
        let done = Done { bytes, of_bytes: stage.bytes, files, of_files: stage.files };
        stage.bar.set_message(for_stderr(&line(stage.what, done, elapsed)).into_owned());
        stage.bar.tick();
    }

    /// Counts bytes of the job at hand, if somebody looks: threads would wait for each other to count.
    #[must_use]
    pub fn tally(self: &Arc<Self>) -> Tally {
        let is_watched = self.audience == Audience::Terminal;
        Tally { meter: is_watched.then(|| Arc::clone(self)), job: self.job.load(Ordering::Relaxed) }
    }

    fn end(&self) {
        if let Ok(mut stage) = self.stage.lock()
            && let Some(stage) = stage.take()
        {
            stage.bar.finish_and_clear();
        }
    }
}

/// Counts bytes of one job; once that is over, no more.
#[derive(Debug, Clone)]
pub struct Tally {
    /// None where nobody looks.
    meter: Option<Arc<Meter>>,
    job: u64,
}

impl Tally {
    /// So many bytes have been read.
    pub fn add(&self, bytes: u64) {
        if let Some(meter) = &self.meter
            && meter.job.load(Ordering::Relaxed) == self.job
        {
            meter.read(bytes);
        }
    }

    /// A file has been opened.
    pub fn add_file(&self) {
        if let Some(meter) = &self.meter {
            meter.files.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// A job that goes on; its line is gone when this is.
#[derive(Debug)]
#[must_use]
pub struct Running<'m> {
    meter: &'m Meter,
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.meter.end();
    }
}

/// What is done of what.
#[derive(Debug, Clone, Copy)]
struct Done {
    bytes: u64,
    of_bytes: u64,
    files: u64,
    of_files: u64,
}

fn line(what: &str, done: Done, elapsed: Duration) -> String {
    let Done { bytes, of_bytes, files, of_files } = done;
    let files = format!("{} of {}", count(files.min(of_files)), counted(of_files, "file", "files"));
    // Of a pipe nobody knows how much there is.
    if of_bytes == 0 {
        return format!("{what}  {}, {files}", size(bytes));
    }
    let bytes = bytes.min(of_bytes);
    let part = |of: u64| u128::from(bytes) * u128::from(of) / u128::from(of_bytes);
    let full = usize::try_from(part(BAR as u64)).unwrap_or(BAR);
    let bar = format!("{}{}", "█".repeat(full), "░".repeat(BAR.saturating_sub(full)));
    let left = left(elapsed, bytes, of_bytes).map_or_else(String::new, |left| format!(", {left} left"));
    format!("{what} {bar} {} %  {} of {}, {files}{left}", part(100), size(bytes), size(of_bytes))
}

/// How long the rest takes, at the mean pace so far, as coarsely as that is known.
fn left(elapsed: Duration, bytes: u64, of_bytes: u64) -> Option<String> {
    if elapsed < SURE || bytes == 0 || bytes >= of_bytes {
        return None;
    }
    let rest_ms = elapsed.as_millis() * u128::from(of_bytes - bytes) / u128::from(bytes);
    let seconds = u64::try_from(rest_ms.div_ceil(1000)).ok()?;
    let step = match seconds {
        0..20 => 1,
        20..120 => 5,
        120..1200 => 30,
        _ => 300,
    };
    let seconds = seconds.div_ceil(step) * step;
    Some(match seconds {
        0..120 => format!("about {seconds} s"),
        120..7200 if seconds.is_multiple_of(60) => format!("about {} min", seconds / 60),
        120..7200 => format!("about {}½ min", seconds / 60),
        _ => format!("about {} h {:02} min", seconds / 3600, seconds / 60 % 60),
    })
}

/// An input whose bytes are counted as they are read.
#[derive(Debug)]
pub struct Metered {
    /// The input.
    pub source: Source,
    meter: Arc<Meter>,
    /// The last job it was opened for.
    job: AtomicU64,
}

impl Metered {
    /// Counts the bytes of an input.
    #[must_use]
    pub fn new(source: Source, meter: &Arc<Meter>) -> Self {
        Self { source, meter: Arc::clone(meter), job: AtomicU64::new(0) }
    }
}

impl Input for Metered {
    fn source(&self) -> &str {
        self.source.source()
    }

    fn member(&self) -> Option<&str> {
        self.source.member()
    }

    fn size_hint(&self) -> u64 {
        self.source.size_hint()
    }

    fn open(&self) -> io::Result<Content> {
        let tally = self.meter.tally();
        if self.job.swap(tally.job, Ordering::Relaxed) != tally.job {
            tally.add_file();
        }
        Ok(match self.source.open()? {
            Content::Random(content) => Content::Random(Box::new(CountedAt { content, tally })),
            Content::Stream(stream) => Content::Stream(Box::new(Counted::new(stream, tally))),
        })
    }
}

struct CountedAt {
    content: Box<dyn ReadAt>,
    tally: Tally,
}

impl ReadAt for CountedAt {
    fn size(&self) -> u64 {
        self.content.size()
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.content.read_at(offset, buffer)?;
        self.tally.add(n as u64);
        Ok(n)
    }
}

/// A stream whose bytes are counted as they are read.
#[derive(Debug)]
pub struct Counted<R> {
    stream: R,
    tally: Tally,
}

impl<R> Counted<R> {
    /// Counts the bytes of a stream.
    #[must_use]
    pub const fn new(stream: R, tally: Tally) -> Self {
        Self { stream, tally }
    }
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.stream.read(buffer)?;
        self.tally.add(n as u64);
        Ok(n)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_say_what_is_done() {
        let done = Done { bytes: 512 << 20, of_bytes: 1 << 30, files: 3, of_files: 7 };
        let at = |seconds, done| line("reading", done, Duration::from_secs(seconds));
        assert_eq!(at(1, done), "reading ██████████░░░░░░░░░░ 50 %  512.0 MiB of 1.0 GiB, 3 of 7 files");
        assert_eq!(
            at(9, done),
            "reading ██████████░░░░░░░░░░ 50 %  512.0 MiB of 1.0 GiB, 3 of 7 files, about 9 s left"
        );
        let over = Done { bytes: 3 << 30, files: 9, ..done };
        assert_eq!(at(9, over), "reading ████████████████████ 100 %  1.0 GiB of 1.0 GiB, 7 of 7 files");
        let pipe = Done { bytes: 1024, of_bytes: 0, files: 1, of_files: 1 };
        assert_eq!(at(9, pipe), "reading  1.0 KiB, 1 of 1 file");
    }

    /// At an even pace the time that is left only ever gets shorter, by small steps.
    #[test]
    fn the_time_left_does_not_jump() {
        let seconds = |text: &str| -> u64 {
            let number: String = text.chars().filter(char::is_ascii_digit).collect();
            let half = if text.contains('½') { 30 } else { 0 };
            let number: u64 = number.parse().expect("a number");
            if text.ends_with("min") { number * 60 + half } else { number }
        };
        let mut before = u64::MAX;
        for elapsed in 2..300 {
            let now = left(Duration::from_secs(elapsed), elapsed * 1000, 300_000).expect("a time");
            let now = seconds(&now);
            assert!(now <= before, "{now} after {before}");
            assert!(before == u64::MAX || before - now <= 30, "{now} after {before}");
            assert!(now >= 300 - elapsed, "{now} is too soon at {elapsed}");
            before = now;
        }
        assert_eq!(left(Duration::from_secs(1), 1, 2), None, "too early to say");
        assert_eq!(left(Duration::from_secs(9), 0, 2), None);
        assert_eq!(left(Duration::from_secs(9), 2, 2), None);
        assert_eq!(left(Duration::from_secs(100), 1, 101).as_deref(), Some("about 2 h 50 min"));
    }
}
