//! Completions and manual pages: made from the definitions of the help, and accepted by what reads them.

use std::process::{Command, Output};

use crate::help::commands;
use crate::support::{Folder, well};

/// Runs another program. `None`, and a word about it, where it is not installed.
fn tool(name: &str, args: &[&str]) -> Option<Output> {
    let output = Command::new(name).args(args).env("LC_ALL", "C.UTF-8").output().ok();
    if output.is_none() {
        eprintln!("skipped: there is no `{name}` here");
    }
    output
}

/// The long options of a command, as its help lists them.
fn options(command: &str) -> Vec<String> {
    let help = well([command, "--help"]).out;
    let lines = help.lines().filter(|line| line.trim_start().starts_with('-'));
    let words = lines.filter_map(|line| line.split_whitespace().find(|word| word.starts_with("--")));
    words.map(str::to_owned).collect()
}

#[test]
fn completions_name_every_command_and_option() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = well(["completions", shell]).out;
        for command in commands() {
            assert!(script.contains(&command), "{shell} {command}");
            let options = options(&command);
            assert!(!options.is_empty(), "{command}");
            for option in options {
                // fish names long options without their hyphens.
                let option = if shell == "fish" { format!("-l {}", &option[2..]) } else { option };
                assert!(script.contains(&option), "{shell} {command} {option}");
            }
        }
    }
}

#[test]
fn shells_accept_their_completions() {
    let folder = Folder::new();
    for shell in ["bash", "zsh", "fish"] {
        let script = folder.write(&format!("completions.{shell}"), well(["completions", shell]).out);
        let Some(output) = tool(shell, &["-n", &script]) else { continue };
        assert!(output.status.success() && output.stderr.is_empty(), "{shell}: {output:?}");
    }
}

/// What bash offers for a word that is not finished.
#[test]
fn bash_completes_commands_options_and_values() {
    let folder = Folder::new();
    let script = folder.write("completions.bash", well(["completions", "bash"]).out);
    let offered = |words: &str, current: &str, previous: &str| -> Option<String> {
        let n = words.split_whitespace().count() - usize::from(!words.ends_with(' '));
        let program = format!(
            "source {script}; COMP_WORDS=({words} {}); COMP_CWORD={n}; \
             _logmill logmill '{current}' '{previous}'; echo \"${{COMPREPLY[@]}}\"",
            if words.ends_with(' ') { "''" } else { "" }
        );
        let output = tool("bash", &["-c", &program])?;
        Some(String::from_utf8(output.stdout).expect("UTF-8").trim().to_owned())
    };
    let Some(commands) = offered("logmill re", "re", "logmill") else { return };
    assert_eq!(commands, "report requests");
    assert_eq!(offered("logmill runs --lim", "--lim", "runs").as_deref(), Some("--limit"));
    let statuses = "succeeded failed aborted timed_out skipped running unknown";
    assert_eq!(offered("logmill runs --status ", "", "--status").as_deref(), Some(statuses));
}

#[test]
fn an_unknown_shell_is_answered_with_those_there_are() {
    let said = crate::support::run(["completions", "bsh"]);
    assert_eq!(said.code, Some(2));
    assert!(said.err.contains("'bash'"), "{}", said.err);
}

#[test]
fn there_is_a_manual_page_for_every_command() {
    let folder = Folder::new();
    let said = well(["man", &folder.arg("man1")]);
    let names: Vec<String> = folder.files("man1").into_iter().map(|(name, _)| name).collect();
    let mut expect: Vec<String> = commands()
        .iter()
        .map(|command| format!("logmill-{command}.1"))
        .chain(["logmill.1".to_owned()])
        .collect();
    expect.sort();
    assert_eq!(names, expect);
    assert!(said.err.contains(&format!("wrote {} pages", names.len())), "{}", said.err);
    let page = |name: &str| std::fs::read_to_string(folder.at(&format!("man1/{name}.1"))).expect("a page");
    assert_eq!(well(["man"]).out, page("logmill"));
    assert!(page("logmill").contains(".SH EXIT STATUS\n"));
    for command in commands() {
        let page = page(&format!("logmill-{command}"));
        assert!(page.contains(".SH EXAMPLES\n"), "{command}");
        assert!(!page.contains('\x1b'), "{command}");
        for option in options(&command) {
            assert!(page.contains(&option.replace('-', "\\-")), "{command} {option}\n{page}");
        }
    }
}

#[test]
fn manual_pages_are_well_formed() {
    let folder = Folder::new();
    well(["man", &folder.arg("man1")]);
    for (name, _) in folder.files("man1") {
        let path = folder.arg(&format!("man1/{name}"));
        if let Some(output) = tool("mandoc", &["-T", "lint", "-W", "error", &path]) {
            assert!(output.status.success() && output.stdout.is_empty(), "{output:?}");
        }
        // Where pages are left out of an installation, `man` is a stub that says so.
        if let Some(output) = tool("man", &["--warnings=all", "-l", &path])
            && output.status.success()
            && output.stdout.starts_with(b"logmill")
        {
            assert!(output.stderr.is_empty(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
            assert!(String::from_utf8_lossy(&output.stdout).contains("EXAMPLES"), "{name}");
        }
    }
}
