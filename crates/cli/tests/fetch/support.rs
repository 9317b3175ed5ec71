//! Runs the program against servers of this machine.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use logmill_mock::{Server, World};
use serde_json::Value;
use tempfile::TempDir;

/// A token that must not be seen anywhere.
pub const TOKEN: &str = "SENTINEL-51b2e0-token";

pub const ACCOUNT: &str = "0123456789abcdef0123456789abcdef";

/// Variables that would change what is tested.
const VARIABLES: [&str; 15] = [
    "APIFY_TOKEN",
    "CLOUDFLARE_API_TOKEN",
    "CLOUDFLARE_API_KEY",
    "CLOUDFLARE_EMAIL",
    "ALLOY_API_KEY",
    "ALL_PROXY",
    "all_proxy",
    "HTTPS_PROXY",
    "https_proxy",
    "HTTP_PROXY",
    "http_proxy",
    "NO_PROXY",
    "no_proxy",
    "LOGMILL_ACCEPT",
    "RUST_LOG",
];

/// The root of the repository.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The demo of the repository, served.
pub fn demo() -> World {
    World::of_dumps(&root().join("testdata/demo"), TOKEN, ACCOUNT)
}

pub fn serve(world: World) -> Server {
    Server::start(move |seen| world.answer(seen))
}

/// What one run of the program said.
#[derive(Debug)]
pub struct Said {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

impl From<Output> for Said {
    fn from(output: Output) -> Self {
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
        Self { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
    }
}

/// A folder in which the program is run.
pub struct Place(TempDir);

impl Place {
    pub fn new() -> Self {
        Self(tempfile::tempdir().expect("a folder"))
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }

    /// The program, with tokens for all platforms.
    pub fn logmill(&self, args: &str) -> Command {
        let mut command = self.without_token(args);
        for name in ["APIFY_TOKEN", "CLOUDFLARE_API_TOKEN", "ALLOY_API_KEY"] {
            command.env(name, TOKEN);
        }
        command
    }

    /// The program, without any token.
    pub fn without_token(&self, args: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_logmill"));
        command.current_dir(self.path()).args(args.split_whitespace()).stdin(Stdio::null());
        for name in VARIABLES {
            command.env_remove(name);
        }
        command
    }

    /// Runs it to its end.
    #[track_caller]
    pub fn run(&self, args: &str) -> Said {
        finish(&mut self.logmill(args))
    }

    /// Runs it and expects that all goes well.
    #[track_caller]
    pub fn well(&self, args: &str) -> Said {
        let said = self.run(args);
        assert_eq!(said.code, Some(0), "{args}\n{said:?}");
        said
    }

    /// The rows that a command prints as JSON.
    #[track_caller]
    pub fn rows(&self, args: &str) -> Vec<Value> {
        self.well(args).out.lines().map(|line| serde_json::from_str(line).expect("a line of JSON")).collect()
    }

    /// All files below a folder, with their contents.
    pub fn files(&self, folder: &str) -> Vec<(String, Vec<u8>)> {
        let mut files = Vec::new();
        walk(&self.path().join(folder), folder, &mut files);
        files.sort();
        files
    }

    pub fn write(&self, name: &str, bytes: &str) {
        fs::write(self.path().join(name), bytes).expect("a file is written");
    }
}

#[track_caller]
pub fn finish(command: &mut Command) -> Said {
    command.output().expect("the program starts").into()
}

fn walk(folder: &Path, name: &str, files: &mut Vec<(String, Vec<u8>)>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = format!("{name}/{}", entry.file_name().to_string_lossy());
        if entry.path().is_dir() {
            walk(&entry.path(), &name, files);
        } else {
            files.push((name, fs::read(entry.path()).expect("a file")));
        }
    }
}
