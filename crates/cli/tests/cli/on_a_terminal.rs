//! What is there for people at a terminal, and absent everywhere else. `script` makes the terminal.

use std::process::{Command, Stdio};

use crate::support::{DEMO, Folder, SHORT_LOG, finish, logmill, root, well};

/// What a shell command prints on a terminal of 80 columns, `$logmill` being the program. `None` where
/// there is no `script`.
fn on_terminal(shell: &str, environment: &[(&str, &str)]) -> Option<String> {
    let is_there = Command::new("script").arg("--version").stdout(Stdio::null()).status();
    if !cfg!(target_os = "linux") || !is_there.is_ok_and(|status| status.success()) {
        eprintln!("skipped: there is no `script` to make a terminal with");
        return None;
    }
    let mut command = Command::new("script");
    command
        .args(["-qec", &format!("stty cols 80 rows 40; {shell}"), "/dev/null"])
        .current_dir(root())
        .stdin(Stdio::null())
        .env("logmill", env!("CARGO_BIN_EXE_logmill"))
        .env("TERM", "xterm")
        .env("LC_ALL", "C.UTF-8")
        .env_remove("NO_COLOR");
    command.envs(environment.iter().copied());
    Some(finish(&mut command).out.replace('\r', ""))
}

/// Without escape sequences.
fn plain(text: &str) -> String {
    let mut parts = text.split('\x1b');
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let end = part.find(|c: char| c.is_ascii_alphabetic()).map_or(part.len(), |end| end + 1);
        out.push_str(&part[end..]);
    }
    out
}

#[test]
fn the_name_alone_is_answered_with_what_to_do() {
    let Some(said) = on_terminal("$logmill; echo code=$?", &[]) else { return };
    assert!(said.contains("logmill demo demo") && said.contains("logmill -h"), "{said}");
    assert!(said.ends_with("code=0\n"), "{said}");
}

#[test]
fn every_command_ends_with_a_next_step() {
    for (args, next) in [
        ("report testdata/demo", "next: `logmill report PATHS -o DIR`"),
        ("detect testdata/demo", "next: `logmill report PATHS`"),
        ("runs testdata/demo", "next: `logmill show RUN_ID PATHS`"),
        ("show ESVU4 testdata/demo", "next: `logmill errors PATHS`"),
    ] {
        let Some(said) = on_terminal(&format!("$logmill {args}"), &[]) else { return };
        let last = plain(said.lines().last().unwrap_or_default());
        assert!(last.starts_with(next), "{args}: {last}");
        // Beside a pipe for standard output, too: it is said on standard error.
        let Some(said) = on_terminal(&format!("$logmill {args} >/dev/null"), &[]) else { return };
        assert!(plain(&said).contains(next), "{args}: {said}");
        let Some(said) = on_terminal(&format!("$logmill {args} --quiet >/dev/null"), &[]) else { return };
        assert_eq!(said, "", "{args}");
    }
}

#[test]
fn nothing_of_it_reaches_pipes() {
    for args in [
        &["report", DEMO][..],
        &["detect", DEMO],
        &["runs", DEMO],
        &["steps", DEMO],
        &["errors", DEMO],
        &["requests", DEMO],
        &["durations", DEMO],
        &["rates", DEMO],
        &["show", "ESVU4", DEMO],
        &["explain"],
        &["formats"],
        &["schema"],
        &["--help"],
        &["-h"],
    ] {
        let said = finish(logmill().env("LC_ALL", "C.UTF-8").args(args));
        assert_eq!(said.code, Some(0), "{said:?}");
        for text in [&said.out, &said.err] {
            assert!(!text.contains('\x1b') && !text.contains("next: "), "{args:?}: {text}");
        }
    }
}

#[test]
fn colours_as_asked_for() {
    let has_colour = |args: &str, environment: &[(&str, &str)]| {
        on_terminal(&format!("$logmill {args} 2>/dev/null"), environment).map(|said| said.contains('\x1b'))
    };
    for (args, environment, expect) in [
        ("report testdata/demo", &[][..], true),
        ("report testdata/demo", &[("NO_COLOR", "1")], false),
        ("report testdata/demo", &[("NO_COLOR", "")], true),
        ("report testdata/demo", &[("TERM", "dumb")], false),
        ("report testdata/demo --color never", &[], false),
        ("report testdata/demo --color always", &[("NO_COLOR", "1")], true),
        ("runs testdata/demo", &[], true),
        ("runs testdata/demo", &[("NO_COLOR", "1")], false),
    ] {
        let Some(found) = has_colour(args, environment) else { return };
        assert_eq!(found, expect, "{args} {environment:?}");
    }
    let forced = finish(logmill().env("CLICOLOR_FORCE", "1").args(["runs", DEMO, "--limit", "1"]));
    assert!(!forced.out.contains('\x1b'), "tab-separated rows are data: {}", forced.out);
    let forced = finish(logmill().env("CLICOLOR_FORCE", "1").args(["report", DEMO]));
    assert!(forced.out.contains('\x1b'), "{}", forced.out);
    let never = finish(logmill().env("CLICOLOR_FORCE", "1").args(["report", DEMO, "--color", "never"]));
    assert!(!never.out.contains('\x1b'), "{}", never.out);
}

/// Tables fit: no line of a terminal of 80 columns is longer.
#[test]
fn tables_fit_the_terminal() {
    for args in ["runs", "steps", "errors", "requests", "durations", "rates"] {
        let Some(said) = on_terminal(&format!("$logmill {args} testdata/demo 2>/dev/null"), &[]) else {
            return;
        };
        let said = plain(&said);
        let wide: Vec<&str> = said.lines().filter(|line| line.chars().count() > 80).collect();
        assert!(wide.is_empty(), "{args}: {wide:#?}");
        assert!(said.lines().count() > 2, "{args}: {said}");
        if args == "runs" {
            assert!(said.contains(" succeeded"), "a run's status is among what fits: {said}");
        }
    }
    // A terminal that does not say how wide it is.
    let unknown = "stty cols 0 rows 0; $logmill runs testdata/demo 2>/dev/null";
    let Some(said) = on_terminal(unknown, &[]) else { return };
    let said = plain(&said);
    assert!(said.contains(" succeeded"), "{said}");
    assert!(said.lines().all(|line| line.chars().count() <= 80), "{said}");
}

/// A job that takes longer than half a second says how far it has come, on standard error only, and
/// clears the line before it prints. The log comes through a pipe that pauses.
#[test]
fn long_jobs_say_how_far_they_are() {
    let folder = Folder::new();
    folder.write("head.log", SHORT_LOG);
    let pipe = folder.arg("aB3dE6gH9jK2mN5pQ.log");
    let slowly = |rest: &str| {
        let head = folder.arg("head.log");
        format!(
            "mkfifo {pipe}; (cat {head}; sleep 1; cat {head}) > {pipe} & $logmill report {pipe} {rest}; rm {pipe}"
        )
    };
    let Some(said) = on_terminal(&slowly("> /dev/null"), &[]) else { return };
    assert!(said.contains("copying  ") && said.contains("1 of 1 file"), "{said:?}");
    let shown = said.rfind("copying  ").expect("progress");
    let cleared = said[shown..].find("\x1b[2K").expect("the line is cleared");
    assert!(said[shown..][cleared..].contains("next: "), "{said:?}");
    for silent in ["2>/dev/null", "--quiet"] {
        let said = on_terminal(&slowly(silent), &[]).expect("a terminal");
        assert!(!said.contains("copying"), "{silent}: {said:?}");
    }
    let dumb = on_terminal(&slowly("> /dev/null"), &[("TERM", "dumb")]).expect("a terminal");
    assert!(!dumb.contains("copying") && !dumb.contains('\x1b'), "{dumb:?}");
}

/// Quick jobs show no progress at all.
#[test]
fn quick_jobs_show_no_progress() {
    let folder = Folder::new();
    let log = folder.write("aB3dE6gH9jK2mN5pQ.log", SHORT_LOG);
    assert_eq!(well(["runs", &log]).err, "");
    let Some(said) = on_terminal(&format!("$logmill runs {log} >/dev/null"), &[]) else { return };
    assert!(!said.contains("reading"), "{said:?}");
}

/// Charts are ASCII where the terminal knows nothing else.
#[test]
fn charts_in_ascii() {
    for (environment, is_ascii) in [
        (&[][..], false),
        (&[("TERM", "dumb")], true),
        (&[("LC_ALL", "C")], true),
        (&[("LC_ALL", ""), ("LANG", "en_US.ISO-8859-1"), ("LC_CTYPE", "")], true),
        (&[("LC_ALL", ""), ("LANG", "C"), ("LC_CTYPE", "en_US.utf8")], false),
    ] {
        for args in ["report testdata/demo", "show ESVU4 testdata/demo", "runs testdata/demo"] {
            let Some(said) = on_terminal(&format!("$logmill {args}"), environment) else { return };
            assert_eq!(said.is_ascii(), is_ascii, "{args} {environment:?}: {said}");
        }
    }
}

/// Durations have a histogram, which counts every run that has a duration.
#[test]
fn durations_are_drawn() {
    let Some(said) = on_terminal("$logmill durations testdata/demo 2>/dev/null", &[]) else { return };
    let said = plain(&said);
    let (_, bars) = said.split_once("\nRuns by duration\n").expect("a histogram");
    let counted: usize =
        bars.lines().filter_map(|line| line.split_whitespace().last()?.parse::<usize>().ok()).sum();
    let rows = well(["runs", DEMO, "--json"]).rows();
    assert_eq!(counted, rows.iter().filter(|row| row["duration_ms"].is_i64()).count(), "{said}");
    assert!(!well(["durations", DEMO]).out.contains("Runs by duration"));
}
