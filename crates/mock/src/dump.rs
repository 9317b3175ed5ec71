//! A world made of dumps on disk.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::world::{Build, Run, World};

impl World {
    /// Serves what lies below `root` in the layout of fetched dumps. What is no log is left out; objects
    /// and records that are not there are made up.
    ///
    /// # Panics
    ///
    /// If a folder cannot be read.
    #[must_use]
    pub fn of_dumps(root: &Path, token: &str, account: &str) -> Self {
        let mut world = Self { token: token.to_owned(), account: account.to_owned(), ..Self::default() };
        for actor in entries(&root.join("apify")) {
            world.runs.extend(entries(&actor).iter().filter_map(|file| run(&name(&actor), file)));
        }
        for file in entries(&root.join("apify-schedules")) {
            world.schedules.insert(stem(&file), fs::read(&file).expect("a file"));
        }
        for (index, worker) in entries(&root.join("cloudflare")).iter().enumerate() {
            let tag = format!("{:032x}", index + 1);
            world.scripts.push((name(worker), tag.clone()));
            world.builds.extend(entries(worker).iter().filter(|it| it.is_dir()).map(|it| build(&tag, it)));
        }
        for workflow in entries(&root.join("alloy")) {
            let executions = entries(&workflow).iter().flat_map(|file| executions(file)).collect();
            world.workflows.insert(name(&workflow), executions);
        }
        world
    }
}

/// What is in a folder, sorted.
fn entries(folder: &Path) -> Vec<PathBuf> {
    let found = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut paths: Vec<PathBuf> = found.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    paths
}

fn name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

fn stem(path: &Path) -> String {
    path.file_stem().unwrap_or_default().to_string_lossy().into_owned()
}

/// A log with its object; nothing for other files and for error answers saved as logs.
fn run(actor: &str, file: &Path) -> Option<Run> {
    let log = fs::read(file)
        .ok()
        .filter(|log| file.extension().is_some_and(|it| it == "log") && !log.starts_with(b"{"))?;
    let started_at = String::from_utf8_lossy(log.get(..24).unwrap_or_default()).into_owned();
    let known =
        fs::read(file.with_extension("json")).ok().and_then(|it| serde_json::from_slice::<Value>(&it).ok());
    let object = known.and_then(|it| it.get("data").cloned()).unwrap_or_else(|| {
        json!({"id": stem(file), "actId": "aCt0r", "status": "SUCCEEDED", "startedAt": started_at, "buildId": "b"})
    });
    Some(Run { id: stem(file), actor: actor.to_owned(), object, log })
}

fn build(tag: &str, folder: &Path) -> Build {
    let pages = entries(folder).iter().map(|page| fs::read(page).expect("a page")).collect();
    let record = json!({"build_uuid": name(folder), "status": "stopped", "build_outcome": "success"});
    Build { uuid: name(folder), tag: tag.to_owned(), record, pages }
}

fn executions(file: &Path) -> Vec<Value> {
    let page: Value = serde_json::from_slice(&fs::read(file).expect("a page")).expect("JSON");
    page["data"].as_array().cloned().unwrap_or_default()
}
