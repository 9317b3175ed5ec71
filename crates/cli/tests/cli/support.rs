//! Runs the program and looks at what it did.

use std::ffi::OsStr;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;

/// The root of the repository.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The program, run at the root of the repository, so that paths read as they do in the README.
pub fn logmill() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_logmill"));
    command.current_dir(root()).stdin(Stdio::null()).env_remove("NO_COLOR").env("TERM", "xterm");
    command
}

/// What one run of the program said.
#[derive(Debug)]
pub struct Said {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

impl Said {
    /// The rows of what was printed as JSON, one object per line.
    #[track_caller]
    pub fn rows(&self) -> Vec<Value> {
        self.out.lines().map(|line| serde_json::from_str(line).expect("a line of JSON")).collect()
    }
}

/// Runs a command to its end.
#[track_caller]
pub fn finish(command: &mut Command) -> Said {
    let output = command.output().expect("the program starts");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
    Said { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
}

/// Runs the program with the arguments.
#[track_caller]
pub fn run<A: AsRef<OsStr>>(args: impl IntoIterator<Item = A>) -> Said {
    finish(logmill().args(args))
}

/// Runs the program and expects that it exits with 0.
#[track_caller]
pub fn well<A: AsRef<OsStr>>(args: impl IntoIterator<Item = A>) -> Said {
    let said = run(args);
    assert_eq!(said.code, Some(0), "{said:?}");
    said
}

/// Runs the program with bytes on its standard input.
#[track_caller]
pub fn piped<A: AsRef<OsStr>>(input: &[u8], args: impl IntoIterator<Item = A>) -> Said {
    let mut child = logmill()
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let mut stdin = child.stdin.take().expect("a pipe");
    stdin.write_all(input).expect("all of it is read before anything is written");
    drop(stdin);
    let output = child.wait_with_output().expect("the program ends");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
    Said { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
}

/// A folder that is gone after the test.
pub struct Folder(TempDir);

impl Folder {
    pub fn new() -> Self {
        Self(tempfile::tempdir().expect("a folder"))
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }

    /// A path in it.
    pub fn at(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// A path in it, as an argument.
    pub fn arg(&self, name: &str) -> String {
        self.at(name).to_str().expect("UTF-8").to_owned()
    }

    /// Writes a file, with the folders on the way to it.
    pub fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> String {
        let path = self.at(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder is made");
        fs::write(&path, bytes).expect("a file is written");
        self.arg(name)
    }

    /// Names and contents of the files in a folder of it.
    pub fn files(&self, name: &str) -> Vec<(String, Vec<u8>)> {
        let mut files: Vec<_> = fs::read_dir(self.at(name))
            .expect("a folder")
            .map(|entry| {
                let path = entry.expect("an entry").path();
                let name = path.file_name().expect("a name").to_str().expect("UTF-8").to_owned();
                (name, fs::read(&path).expect("a file"))
            })
            .collect();
        files.sort();
        files
    }
}

/// The demo as it stands in the repository.
pub const DEMO: &str = "testdata/demo";

/// A short Apify run that ended well.
pub const SHORT_LOG: &str = "\
2026-03-01T10:00:00.000Z ACTOR: Pulling Docker image of build bU1ldAbCdEfGh2345 from registry.
2026-03-01T10:00:00.500Z ACTOR: Creating Docker container.
2026-03-01T10:00:01.000Z ACTOR: Starting Docker container.
2026-03-01T10:00:02.000Z INFO  Hello from the actor
2026-03-01T10:00:03.000Z ERROR Could not save the item 17
2026-03-01T10:00:04.000Z INFO  The status message
";
