//! What signals do: the program ends with 128 + the signal's number, says so, and leaves no temporary file.
//!
//! A signal that whoever started the program has told it to ignore (`nohup`, background jobs of a script) stays
//! ignored. A second signal ends the program at once. Windows ends it without asking; what that leaves behind is
//! removed by the next run with the same output.

#[cfg(unix)]
pub use unix::install;

/// Signals are not looked at on this system.
#[cfg(not(unix))]
pub fn install() {}

#[cfg(unix)]
mod unix {
    use std::io::{self, Write};
    use std::sync::Arc;
    use std::sync::atomic::AtomicBool;

    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGXFSZ};
    use signal_hook::flag;
    use signal_hook::iterator::Signals;

    /// Signals that end the program, with their names.
    const ENDING: [(i32, &str); 3] = [(SIGINT, "SIGINT"), (SIGTERM, "SIGTERM"), (SIGHUP, "SIGHUP")];

    /// Installs what signals do. Where the system refuses, they do what they always do.
    pub fn install() {
        // A file beyond the size limit becomes an error of the write, which is told like any other.
        let _ = flag::register(SIGXFSZ, Arc::new(AtomicBool::new(false)));
        let ignored = ignored();
        let handled = || ENDING.iter().filter(|(signal, _)| ignored & bit(*signal) == 0);
        let told_before = Arc::new(AtomicBool::new(false));
        for (signal, _) in handled() {
            let _ = flag::register_conditional_shutdown(*signal, 128 + signal, Arc::clone(&told_before));
            let _ = flag::register(*signal, Arc::clone(&told_before));
        }
        if let Ok(signals) = Signals::new(handled().map(|(signal, _)| signal)) {
            let _ = std::thread::Builder::new().name("signals".to_owned()).spawn(|| wait(signals));
        }
    }

    fn wait(mut signals: Signals) {
        let Some(signal) = signals.forever().next() else { return };
        let removed = logmill_frame::abandon();
        let name = ENDING.iter().find(|(known, _)| *known == signal).map_or("a signal", |(_, name)| name);
        let outputs = if removed > 0 { "; unfinished outputs were removed" } else { "" };
        let _ = writeln!(io::stderr(), "error: interrupted by {name}{outputs}");
        std::process::exit(128 + signal);
    }

    /// The signals ignored from the start, as bits. Only Linux says so without unsafe code; elsewhere it is
    /// `SIGHUP` that people ignore on purpose, and so that one is left alone.
    fn ignored() -> u64 {
        if !cfg!(target_os = "linux") {
            return bit(SIGHUP);
        }
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
        mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0)
    }

    const fn bit(signal: i32) -> u64 {
        1 << (signal - 1)
    }
}
