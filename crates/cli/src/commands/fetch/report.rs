//! What is said while and after fetching.

use std::fmt::Write as _;
use std::io::{self, IsTerminal, Write};
use std::sync::{Mutex, PoisonError};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use logmill_fetch::{Event, Observer, Summary, Target, Transfer};

use crate::args::fetch::HowArgs;
use crate::progress::{Audience, Quiet};
use crate::terminal::{Paint, count, counted, safe, size};

/// Pictures of the progress per second.
const PICTURES_HZ: u8 = 10;

/// How much is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Voice {
    Quiet,
    Summary,
    Progress,
    Verbose,
}

/// Says on standard error what goes on, and prints a followed log.
pub struct Reporter {
    voice: Voice,
    paint: Paint,
    follows: bool,
    state: Mutex<State>,
}

struct State {
    n_targets: usize,
    n_done: usize,
    n_bytes: u64,
    bar: ProgressBar,
    /// The line of a followed log that has no end yet, for terminals.
    line: Vec<u8>,
}

impl Reporter {
    pub fn new(how: &HowArgs) -> Self {
        let audience = Audience::unless(if how.voice.quiet { Quiet::Yes } else { Quiet::No });
        let voice = match (how.voice.quiet, how.voice.verbose, audience) {
            (true, ..) => Voice::Quiet,
            (_, true, _) => Voice::Verbose,
            (_, _, Audience::Terminal) => Voice::Progress,
            (_, _, Audience::Nobody) => Voice::Summary,
        };
        let state = State { n_targets: 0, n_done: 0, n_bytes: 0, bar: bar(voice), line: Vec::new() };
        Self { voice, paint: Paint::for_stderr(how.voice.color), follows: false, state: Mutex::new(state) }
    }

    /// What is about to be fetched. One followed log is printed; of several the lines would mix.
    pub fn expect(&mut self, targets: &[Target]) {
        self.follows = matches!(targets, [Target::Log(log)] if log.transfer == Transfer::Follow);
        self.state.get_mut().unwrap_or_else(PoisonError::into_inner).n_targets = targets.len();
    }

    /// Says what came of it.
    pub fn conclude(&self, summary: &Summary, how: &HowArgs, n_targets: usize) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.bar.finish_and_clear();
        if self.follows {
            show(&std::mem::take(&mut state.line));
        }
        let mut out = String::new();
        if !summary.missing.is_empty() {
            let head = format!(
                "error: missing {} of {}:",
                summary.missing.len(),
                counted(n_targets as u64, "target", "targets")
            );
            let _ = writeln!(out, "{}", self.paint.red(&head));
            for missing in &summary.missing {
                let _ = writeln!(out, "  {}: {}", safe(&missing.target), safe(&missing.reason));
            }
        }
        if self.voice != Voice::Quiet {
            let folder = safe(&how.output.to_string_lossy()).into_owned();
            let _ = write!(
                out,
                "stored {} ({})",
                counted(summary.n_files, "file", "files"),
                size(summary.n_bytes)
            );
            let _ = write!(out, " of {} in {folder}", counted(summary.n_fetched, "target", "targets"));
            if summary.n_kept > 0 {
                let _ = write!(out, "; {} there already", count(summary.n_kept));
            }
            let next = if summary.missing.is_empty() {
                format!("logmill report {folder}")
            } else {
                "the same command again asks for what is missing".to_owned()
            };
            let _ = writeln!(out, "; next: {next}");
        }
        say(&out);
    }
}

impl Observer for Reporter {
    fn on(&self, event: Event<'_>) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        match event {
            Event::Received { n_bytes, .. } => state.n_bytes += n_bytes,
            Event::Finished(_) | Event::Kept(_) | Event::Failed { .. } => state.n_done += 1,
            Event::Followed { bytes, .. } if self.follows => {
                let bar = state.bar.clone();
                bar.suspend(|| print(&mut state.line, bytes));
                return;
            }
            _ => {}
        }
        match self.voice {
            Voice::Verbose => say(&line(event)),
            Voice::Progress => draw(&state, event),
            Voice::Quiet | Voice::Summary => {}
        }
    }
}

/// One line for whoever wants to know everything.
fn line(event: Event<'_>) -> String {
    let text = match event {
        Event::Started(target) => format!("{target}: asking"),
        Event::Retrying { target, reason, wait } => {
            format!("{target}: {reason}; asking again in {} ms", wait.as_millis())
        }
        Event::Stored(place) => format!("stored {place}"),
        Event::Kept(target) => format!("{target}: there already"),
        Event::Finished(target) => format!("{target}: complete"),
        Event::Failed { target, reason } => format!("{target}: {reason}"),
        Event::Received { .. } | Event::Followed { .. } => return String::new(),
    };
    format!("{}\n", safe(&text))
}

/// The line that shows how far it is; hidden unless progress is shown.
fn bar(voice: Voice) -> ProgressBar {
    let target = match voice {
        Voice::Progress => ProgressDrawTarget::stderr_with_hz(PICTURES_HZ),
        _ => ProgressDrawTarget::hidden(),
    };
    let style = ProgressStyle::with_template("{bar:20} {pos}/{len}  {wide_msg}")
        .unwrap_or_else(|_| ProgressStyle::default_spinner());
    ProgressBar::with_draw_target(Some(0), target).with_style(style)
}

fn draw(state: &State, event: Event<'_>) {
    let what = match event {
        Event::Started(what) | Event::Kept(what) | Event::Finished(what) | Event::Stored(what) => what,
        Event::Received { target, .. }
        | Event::Retrying { target, .. }
        | Event::Failed { target, .. }
        | Event::Followed { target, .. } => target,
    };
    state.bar.set_length(state.n_targets as u64);
    state.bar.set_position(state.n_done as u64);
    state.bar.set_message(format!("{}  {}", size(state.n_bytes), safe(what)));
}

/// Where standard error is closed, nobody is left to tell.
fn say(text: &str) {
    let _ = io::stderr().write_all(text.as_bytes());
}

/// Prints bytes of a followed log: as they are where a program reads them, whole lines made safe where
/// a person does.
fn print(line: &mut Vec<u8>, bytes: &[u8]) {
    if !io::stdout().is_terminal() {
        let mut out = io::stdout().lock();
        // Whoever reads may stop reading; the file is written all the same.
        let _ = out.write_all(bytes).and_then(|()| out.flush());
        return;
    }
    line.extend_from_slice(bytes);
    let end = line.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    let whole: Vec<u8> = line.drain(..end).collect();
    show(&whole);
}

fn show(bytes: &[u8]) {
    let mut out = io::stdout().lock();
    for line in String::from_utf8_lossy(bytes).lines() {
        let _ = writeln!(out, "{}", safe(line));
    }
    let _ = out.flush();
}
