//! A world to fetch from, and a folder to fetch into.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use logmill_fetch::{
    Build, Credentials, Error, Event, Executions, Form, Log, Missing, Note, Observer, Options, Order,
    Platform, Policy, ProxyChoice, Refresh, Secret, Session, Store, Summary, Target, Timeouts, Transfer,
};
use logmill_mock::{Reply, Run, Seen, Server, World, pages};
use serde_json::{Value, json};
use tempfile::TempDir;

/// A token that must not be seen anywhere.
pub const TOKEN: &str = "SENTINEL-7f3a9c-token";

pub const RUN: &str = "aB3dE6gH9jK2mN5pQ";
pub const APIFY_BUILD: &str = "bU1ldAbCdEfGh2345";
pub const SCHEDULE: &str = "sC3dE6gH9jK2mN5pQ";
pub const ACCOUNT: &str = "0123456789abcdef0123456789abcdef";
pub const TAG: &str = "fedcba9876543210fedcba9876543210";
pub const BUILD: &str = "4f6c1f2e-8a53-4b0e-9d53-2a1f0c9f7e11";
pub const WORKFLOW: &str = "wf-1_A";

/// Colours, bytes that are no UTF-8, and no line end at the end.
pub const LOG: &[u8] =
    b"2026-03-01T10:00:00.000Z ACTOR: Starting container.\n2026-03-01T10:00:01.000Z \x1b[32mINFO\x1b[39m h\xc3\xa9llo \xff\r\nend";

/// The same as the platform cleans it.
pub const PLAIN_LOG: &[u8] =
    b"2026-03-01T10:00:00.000Z ACTOR: Starting container.\n2026-03-01T10:00:01.000Z INFO h\xc3\xa9llo \xff\r\nend";

pub fn run_object(id: &str, started_at: &str, status: &str) -> Value {
    json!({"id": id, "actId": "aCt0r", "status": status, "startedAt": started_at, "buildId": "b", "exitCode": 0,
        "meta": {"origin": "API"}, "usageTotalUsd": 0.1, "defaultKeyValueStoreId": "k", "defaultDatasetId": "d",
        "defaultRequestQueueId": "q"})
}

pub fn execution(n: usize) -> Value {
    json!({"executionId": format!("exec{n:017}"), "startedAt": "2026-03-01T10:00:00.000Z",
        "stoppedAt": "2026-03-01T10:00:01.000Z", "finished": true, "results": [], "inputs": []})
}

/// One of each.
pub fn world() -> World {
    let lines: Vec<(i64, &str)> = vec![
        (1_767_225_600_000, "Initializing build environment..."),
        (1_767_225_601_000, "Success: Finished initializing build environment"),
        (1_767_225_602_000, "Cloning repository..."),
        (1_767_225_603_000, "Executing user build command: npm run build"),
        (1_767_225_604_000, "Success! Build completed."),
    ];
    let record = json!({"build_uuid": BUILD, "status": "stopped", "build_outcome": "success",
        "created_on": "2026-01-01T00:00:00Z"});
    World {
        token: TOKEN.to_owned(),
        runs: vec![
            Run {
                id: RUN.to_owned(),
                actor: "janedoe~shop".to_owned(),
                object: run_object(RUN, "2026-03-01T10:00:00.000Z", "SUCCEEDED"),
                log: LOG.to_vec(),
            },
            Run {
                id: APIFY_BUILD.to_owned(),
                actor: "janedoe~shop".to_owned(),
                object: json!({"id": APIFY_BUILD, "actId": "aCt0r", "status": "SUCCEEDED", "buildNumber": "0.0.1"}),
                log: b"2026-03-01T09:00:00.000Z ACTOR: Build finished.\n".to_vec(),
            },
        ],
        schedules: BTreeMap::from([(
            SCHEDULE.to_owned(),
            br#"{"data":[{"message":"Schedule invoked","level":"INFO","createdAt":"2026-03-26T12:28:00.370Z"}]}"#.to_vec(),
        )]),
        account: ACCOUNT.to_owned(),
        scripts: vec![("other".to_owned(), "0".repeat(32)), ("shop".to_owned(), TAG.to_owned())],
        builds: vec![logmill_mock::Build {
            uuid: BUILD.to_owned(),
            tag: TAG.to_owned(),
            record,
            pages: pages(&lines, 2),
        }],
        workflows: BTreeMap::from([(WORKFLOW.to_owned(), (0..7).rev().map(execution).collect())]),
    }
}

/// Bounds that no good server meets, however busy the machine is.
pub fn policy() -> Policy {
    Policy {
        timeouts: Timeouts {
            resolve: Duration::from_secs(20),
            connect: Duration::from_secs(20),
            send: Duration::from_secs(20),
            head: Duration::from_secs(20),
            body: Duration::from_secs(20),
            idle: Duration::from_secs(20),
            follow_idle: Duration::from_secs(20),
            follow: Duration::from_mins(1),
        },
        max_body_bytes: 1 << 20,
        max_pages: 40,
        max_redirects: 3,
        max_attempts: 3,
        backoff: Duration::from_millis(10),
        max_backoff: Duration::from_millis(50),
        max_retry_after: Duration::from_secs(2),
    }
}

/// Bounds that a slow server meets soon.
pub fn hasty() -> Policy {
    let timeouts = Timeouts {
        head: Duration::from_millis(400),
        body: Duration::from_millis(600),
        idle: Duration::from_millis(500),
        follow_idle: Duration::from_millis(300),
        ..policy().timeouts
    };
    Policy { timeouts, ..policy() }
}

/// A server, a folder, and what was told.
pub struct Scene {
    pub server: Server,
    pub folder: TempDir,
    pub told: Told,
    pub options: Options,
    pub refresh: Refresh,
}

impl Scene {
    /// In front of any server.
    pub fn at(server: Server) -> Self {
        let options = Options {
            origin: Some(server.url().parse().expect("an origin")),
            credentials: Credentials::Bearer(Secret::new(TOKEN).expect("a token")),
            policy: policy(),
            proxy: ProxyChoice::Direct,
            interval: Some(Duration::ZERO),
            ..Options::default()
        };
        let folder = tempfile::tempdir().expect("a folder");
        Self { server, folder, told: Told::default(), options, refresh: Refresh::Missing }
    }

    /// In front of a server that answers by itself.
    pub fn scripted(handler: impl Fn(&Seen) -> Reply + Send + Sync + 'static) -> Self {
        Self::at(Server::start(handler))
    }

    /// In front of the platforms.
    pub fn in_world(world: World) -> (Self, Arc<Mutex<World>>) {
        let shared = Arc::new(Mutex::new(world));
        let world = Arc::clone(&shared);
        let answer = move |seen: &Seen| world.lock().unwrap_or_else(PoisonError::into_inner).answer(seen);
        (Self::scripted(answer), shared)
    }

    pub fn session(&self, platform: Platform) -> Session {
        Session::new(platform, &self.options).expect("a session")
    }

    pub fn try_fetch(&self, targets: &[Target]) -> Result<Summary, Error> {
        let platform = targets.first().expect("a target").platform();
        let store = Store::new(self.folder.path(), self.refresh);
        self.session(platform).fetch(targets, &store, &self.told)
    }

    pub fn fetch(&self, targets: &[Target]) -> Summary {
        self.try_fetch(targets).expect("a folder that can be written to")
    }

    /// Fetches and expects that nothing is missing.
    #[track_caller]
    pub fn well(&self, targets: &[Target]) -> Summary {
        let summary = self.fetch(targets);
        assert_eq!(summary.missing, [], "{:?}", self.told.all());
        summary
    }

    /// Fetches one target and returns why it failed.
    #[track_caller]
    pub fn reason(&self, target: Target) -> String {
        let summary = self.fetch(&[target]);
        let [Missing { reason, .. }] = summary.missing.as_slice() else { panic!("{summary:?}") };
        reason.clone()
    }

    pub fn read(&self, place: &str) -> Vec<u8> {
        fs::read(self.folder.path().join(place)).unwrap_or_else(|error| panic!("{place}: {error}"))
    }

    pub fn note(&self, place: &str) -> Note {
        serde_json::from_slice(&self.read(place)).expect("a note")
    }

    /// All files but locks, hidden ones included, with `/`.
    pub fn files(&self) -> Vec<String> {
        let mut files = Vec::new();
        walk(self.folder.path(), "", &mut files);
        files.retain(|file| !file.ends_with(".fetch.lock"));
        files.sort();
        files
    }

    /// Whether the token stands in any file or in anything that was told.
    pub fn leaks(&self) -> bool {
        let in_files = self.files().iter().any(|file| contains(&self.read(file), TOKEN.as_bytes()));
        in_files || self.told.all().iter().any(|told| told.contains(TOKEN))
    }
}

pub fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

fn walk(folder: &Path, prefix: &str, files: &mut Vec<String>) {
    for entry in fs::read_dir(folder).expect("a folder").flatten() {
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        if entry.path().is_dir() {
            walk(&entry.path(), &format!("{name}/"), files);
        } else {
            files.push(name);
        }
    }
}

/// Remembers what it was told.
#[derive(Default)]
pub struct Told(Mutex<(Vec<String>, Vec<u8>)>);

impl Told {
    pub fn all(&self) -> Vec<String> {
        self.0.lock().expect("nobody panicked").0.clone()
    }

    /// What was shown of a followed log.
    pub fn followed(&self) -> Vec<u8> {
        self.0.lock().expect("nobody panicked").1.clone()
    }

    pub fn n_retries(&self) -> usize {
        self.all().iter().filter(|told| told.starts_with("Retrying")).count()
    }
}

impl Observer for Told {
    fn on(&self, event: Event<'_>) {
        let mut told = self.0.lock().expect("nobody panicked");
        match event {
            Event::Followed { bytes, .. } => told.1.extend_from_slice(bytes),
            Event::Received { .. } => {}
            event => told.0.push(format!("{event:?}")),
        }
    }
}

pub fn log(id: &str) -> Target {
    Target::Log(plain(id))
}

pub fn plain(id: &str) -> Log {
    let id = id.parse().expect("an id");
    Log { id, actor: None, form: Form::Plain, transfer: Transfer::Snapshot, has_record: false }
}

pub fn build() -> Build {
    let (account, uuid) = (ACCOUNT.parse().expect("an account"), BUILD.parse().expect("a uuid"));
    Build { account, worker: Some("shop".parse().expect("a worker")), uuid, has_record: false }
}

pub fn executions(limit: u8) -> Executions {
    Executions { workflow: WORKFLOW.parse().expect("a workflow"), user: None, order: Order::Desc, limit }
}
