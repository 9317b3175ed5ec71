//! Which files of a folder that is named like an id are parts of one run, and which are runs.
//!
//! A folder named by an id holds the pages of that run, or copies of its log. But ids of actors look
//! like ids of runs, and a folder per actor holds the logs of many runs. What tells them apart is
//! how the files are called, whether they repeat each other, and where they begin.

use std::collections::BTreeMap;

use super::log::Begins;
use super::repeats::Fate;
use crate::identity::{self, NamedBy, Origin, PathIdentity};

/// The run that a part belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// Index of the run's first part; `None` where the part adds nothing to any run.
    pub first: Option<usize>,
    /// What names it.
    pub path: PathIdentity,
}

/// Words that files are called by which hold part of a log.
const PARTS: &[&str] = &["page", "part", "chunk", "piece", "log", "logs", "lines", "segment", "tail", "head"];

/// A part of a log, as far as it matters here.
pub struct Candidate<'c> {
    /// Its path.
    pub source: &'c str,
    /// Whether other parts repeat it.
    pub fate: Fate,
    /// How it begins.
    pub begins: Begins,
}

/// The runs that these parts, in the order in which they follow each other, belong to.
pub fn targets(parts: &[Candidate<'_>], path: &PathIdentity) -> Vec<Target> {
    let kept = parts.iter().filter(|part| part.fate != Fate::Repeated).count();
    let may_hold_runs = path.origin == Origin::Id && path.named_by == NamedBy::Folder && kept > 1;
    let separate = if may_hold_runs { separate(parts, path) } else { vec![false; parts.len()] };
    let mut first_of_folder = None;
    let mut previous: BTreeMap<String, Target> = BTreeMap::new();
    let mut targets = Vec::new();
    for (index, (part, is_separate)) in parts.iter().zip(separate).enumerate() {
        let of_folder = |first: Option<usize>| Target { first, path: path.clone() };
        let target = if part.fate == Fate::Repeated {
            of_folder(None)
        } else if is_separate {
            let target = Target { first: Some(index), path: own_identity(part.source, path) };
            previous.insert(pattern(part.source), target.clone());
            target
        } else if may_hold_runs && let Some(before) = previous.get(&pattern(part.source)) {
            // The rest of a numbered series after one that began a run.
            before.clone()
        } else {
            of_folder(Some(*first_of_folder.get_or_insert(index)))
        };
        targets.push(target);
    }
    targets
}

/// Which parts are no further part of the folder's run.
fn separate(parts: &[Candidate<'_>], path: &PathIdentity) -> Vec<bool> {
    let mut series: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    for part in parts.iter().filter(|part| part.fate != Fate::Repeated) {
        let (n, n_begin) = series.entry(pattern(part.source)).or_default();
        *n += 1;
        *n_begin += usize::from(part.begins == Begins::Run);
    }
    let is_separate = |part: &Candidate<'_>| {
        let pattern = pattern(part.source);
        if part.fate != Fate::Kept || PARTS.contains(&pattern.as_str()) {
            return false;
        }
        let begins = part.begins == Begins::Run;
        match series.get(&pattern) {
            // A series of numbered files: pages, unless several of them begin a run.
            Some((n, n_begin)) if *n > 1 => *n_begin > 1 && begins,
            // A uuid is a build's own; an actor's id has the same form as a run's.
            _ => begins || !identity::is_uuid(path.run_id.as_bytes()),
        }
    };
    parts.iter().map(is_separate).collect()
}

/// A file of its own is named by its stem, in the group of its folder.
fn own_identity(source: &str, path: &PathIdentity) -> PathIdentity {
    PathIdentity {
        run_id: stem(source).to_owned(),
        origin: Origin::Stem,
        named_by: NamedBy::File,
        group: path.run_id.clone(),
        folder: path.folder.clone(),
    }
}

fn stem(source: &str) -> &str {
    identity::stem(source.rsplit('/').next().unwrap_or(source))
}

/// What the names of a series of files have in common: the stem's letters in front of its digits.
fn pattern(source: &str) -> String {
    let stem = stem(source).to_lowercase();
    let words: Vec<&str> = stem.split(|c: char| !c.is_alphabetic()).filter(|word| !word.is_empty()).collect();
    words.join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    const ACTOR: &str = "aB3dE6gH9jK2mN5pQ";
    const BUILD: &str = "010de706-67f8-4f99-89ef-0d2c5c5b10d1";

    #[track_caller]
    fn check(folder: &str, files: &[(&str, Fate, Begins)], expect: &[&str]) {
        let paths: Vec<String> = files.iter().map(|(name, ..)| format!("dump/{folder}/{name}")).collect();
        let candidate = |(path, (_, fate, begins)): (&'static str, &(&str, Fate, Begins))| Candidate {
            source: path,
            fate: *fate,
            begins: *begins,
        };
        let parts: Vec<Candidate<'_>> =
            paths.iter().map(|path| &*path.clone().leak()).zip(files).map(candidate).collect();
        let path = identity::of_path(paths[0].as_str());
        let targets = targets(&parts, &path);
        let found: Vec<&str> = targets.iter().map(|target| target.path.run_id.as_str()).collect();
        assert_eq!(found, expect, "{files:?}");
    }

    #[test]
    fn pages_and_runs() {
        use Begins::{Anywhere, Run};
        use Fate::{Head, Kept, Repeated};
        let pages = [("page-0001.json", Kept, Run), ("page-0002.json", Kept, Anywhere)];
        check(BUILD, &pages, &[BUILD, BUILD]);
        check(ACTOR, &[("page-1.log", Kept, Run), ("page-2.log", Kept, Run)], &[ACTOR, ACTOR]);
        check(ACTOR, &[("1.log", Kept, Run), ("2.log", Kept, Anywhere)], &[ACTOR, ACTOR]);
        check(ACTOR, &[("1.log", Kept, Run), ("2.log", Kept, Run)], &["1", "2"]);
        let series = [("1.log", Kept, Run), ("2.log", Kept, Anywhere), ("3.log", Kept, Run)];
        check(ACTOR, &series, &["1", "1", "3"]);
        check(ACTOR, &[("monday.log", Kept, Run), ("tuesday.log", Kept, Run)], &["monday", "tuesday"]);
        check(ACTOR, &[("jan.log", Kept, Anywhere), ("feb.log", Kept, Anywhere)], &["jan", "feb"]);
        check(BUILD, &[("first.json", Kept, Run), ("rest.json", Kept, Anywhere)], &["first", BUILD]);
        // One that overlaps another belongs to it, and so does a copy.
        check(ACTOR, &[("a.log", Kept, Run), ("b.log", Repeated, Run)], &[ACTOR, ACTOR]);
        check(ACTOR, &[("page-1.log", Kept, Run), ("b.log", Head(3), Anywhere)], &[ACTOR, ACTOR]);
    }
}
