//! `Cargo.toml` and `Cargo.lock`, as far as the rules need them.
//!
//! Not a TOML reader: it knows the plain way these files are written, and [`Manifest::read`]
//! refuses what it does not know.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// A package's manifest.
pub struct Manifest {
    /// Folder in the repository, with `/`.
    pub folder: String,
    /// Name of the package.
    pub name: String,
    /// `[dependencies]`, with those of single targets and of build scripts.
    pub dependencies: Vec<Dependency>,
    /// `[dev-dependencies]`.
    pub dev_dependencies: Vec<Dependency>,
    /// Lines of each section, comments and blanks left out.
    pub sections: BTreeMap<String, Vec<String>>,
}

/// One line of a list of dependencies.
pub struct Dependency {
    /// Its name.
    pub name: String,
    /// What stands behind the name.
    pub value: String,
}

impl Manifest {
    /// Reads `folder/Cargo.toml`.
    pub fn read(root: &Path, folder: &str) -> Self {
        let text = fs::read_to_string(root.join(folder).join("Cargo.toml")).expect("a manifest");
        let sections = sections(&text);
        let name =
            sections["[package]"].iter().find_map(|line| line.strip_prefix("name = ")).expect("a name");
        let (mut dependencies, mut dev_dependencies) = (Vec::new(), Vec::new());
        for (section, lines) in &sections {
            let inner = section.trim_matches(['[', ']']);
            assert!(
                !inner.contains("dependencies."),
                "{folder}: expected one line per dependency, found {section}"
            );
            let list = match inner.rsplit('.').next() {
                Some("dependencies" | "build-dependencies") => &mut dependencies,
                Some("dev-dependencies") => &mut dev_dependencies,
                _ => continue,
            };
            list.extend(lines.iter().map(|line| Dependency::read(line)));
        }
        let name = name.trim_matches('"').to_owned();
        Self { folder: folder.to_owned(), name, dependencies, dev_dependencies, sections }
    }
}

impl Dependency {
    fn read(line: &str) -> Self {
        let at = line.find(['.', ' ', '=']).unwrap_or(line.len());
        let (name, value) = line.split_at(at);
        assert!(!value.contains("package"), "expected a dependency under its own name, found {line}");
        Self { name: name.to_owned(), value: value.to_owned() }
    }
}

/// The lines of each section by its header.
pub fn sections(text: &str) -> BTreeMap<String, Vec<String>> {
    let mut sections: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut current = String::new();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
        if line.starts_with('[') {
            line.clone_into(&mut current);
        } else {
            sections.entry(current.clone()).or_default().push(line.to_owned());
        }
    }
    sections
}

/// The packages of `Cargo.lock` and what each may need on some platform with some feature.
pub fn locked(root: &Path) -> BTreeMap<String, BTreeSet<String>> {
    let text = fs::read_to_string(root.join("Cargo.lock")).expect("a lock file");
    let mut packages: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut name = "";
    for line in text.lines() {
        if let Some(found) = line.strip_prefix("name = ") {
            name = found.trim_matches('"');
            packages.entry(name.to_owned()).or_default();
        } else if let Some(needed) = line.strip_prefix(" \"") {
            // Version and source behind the name tell two versions apart; here they count as one.
            let needed = needed.split(['"', ' ']).next().unwrap_or_default();
            packages.entry(name.to_owned()).or_default().insert(needed.to_owned());
        }
    }
    packages
}

/// All packages that `from` leads to.
pub fn reachable(packages: &BTreeMap<String, BTreeSet<String>>, from: &str) -> BTreeSet<String> {
    let mut seen = BTreeSet::new();
    let mut next = vec![from.to_owned()];
    while let Some(name) = next.pop() {
        if let Some(needed) = packages.get(&name)
            && seen.insert(name)
        {
            next.extend(needed.iter().cloned());
        }
    }
    seen
}
