//! Files and folders that are there whole or not at all.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::Path;

use crate::common::report;
use logmill_frame::manifest::{File, Input, MANIFEST};
use logmill_frame::{CsvText, Error, Existing, FileFormat, Manifest, OutputSet, PendingFile, Table, tables};

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder)
        .expect("a folder")
        .map(|entry| entry.expect("an entry").file_name().into_string().expect("UTF-8"))
        .collect();
    names.sort();
    names
}

fn write(path: &Path, existing: Existing, text: &str) -> Result<(), Error> {
    let mut file = PendingFile::create(path, existing)?;
    file.write_all(text.as_bytes()).expect("room");
    file.commit().map(drop)
}

#[test]
fn a_file_appears_when_it_is_complete() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a.csv");
    let mut file = PendingFile::create(&path, Existing::Refuse).expect("a folder to write to");
    file.write_all(b"abc").expect("room");
    assert!(!path.exists());
    let written = file.commit().expect("room");
    assert_eq!(fs::read(&path).expect("a file"), b"abc");
    assert_eq!(names(folder.path()), ["a.csv"]);
    assert_eq!(written.bytes, 3);
    // printf abc | sha256sum
    assert_eq!(written.sha256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

#[test]
fn a_dropped_file_leaves_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a.csv");
    let mut file = PendingFile::create(&path, Existing::Replace).expect("a folder to write to");
    file.write_all(&vec![b'x'; 1 << 20]).expect("room");
    drop(file);
    assert!(names(folder.path()).is_empty());
}

#[test]
fn an_existing_file_is_refused_or_replaced() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a.csv");
    fs::write(&path, "old").expect("room");
    for existing in [Existing::Refuse, Existing::ReplaceOwn] {
        assert!(matches!(write(&path, existing, "new"), Err(Error::Exists(found)) if found == path));
        assert_eq!(fs::read(&path).expect("a file"), b"old");
    }
    write(&path, Existing::Replace, "new").expect("room");
    assert_eq!(fs::read(&path).expect("a file"), b"new");
    assert_eq!(names(folder.path()), ["a.csv"]);
}

#[test]
fn a_file_made_meanwhile_is_not_lost() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a.csv");
    let file = PendingFile::create(&path, Existing::Refuse).expect("nothing there yet");
    fs::write(&path, "somebody else's").expect("room");
    assert!(matches!(file.commit(), Err(Error::Exists(_))));
    assert_eq!(fs::read(&path).expect("a file"), b"somebody else's");
    assert_eq!(names(folder.path()), ["a.csv"]);
}

#[test]
fn only_regular_files_are_replaced() {
    let folder = tempfile::tempdir().expect("a folder");
    assert!(matches!(write(folder.path(), Existing::Replace, ""), Err(Error::NotAFile(_))));
    if cfg!(unix) {
        assert!(matches!(write(Path::new("/dev/null"), Existing::Replace, ""), Err(Error::NotAFile(_))));
    }
    let missing = folder.path().join("no/such/folder.csv");
    let error = write(&missing, Existing::Refuse, "").expect_err("no folder");
    assert_eq!(error.io_kind(), Some(std::io::ErrorKind::NotFound));
}

#[cfg(unix)]
#[test]
fn a_link_stays_a_link() {
    let folder = tempfile::tempdir().expect("a folder");
    let (file, link) = (folder.path().join("file"), folder.path().join("link"));
    fs::write(&file, "old").expect("room");
    std::os::unix::fs::symlink(&file, &link).expect("a link");
    write(&link, Existing::Replace, "new").expect("room");
    assert!(link.is_symlink());
    assert_eq!(fs::read(&file).expect("a file"), b"new");
}

#[cfg(unix)]
#[test]
fn files_are_readable_like_any_other() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().expect("a folder");
    let mode = |path: &Path| fs::metadata(path).expect("a file").permissions().mode();
    let (ours, plain) = (folder.path().join("ours"), folder.path().join("plain"));
    write(&ours, Existing::Refuse, "").expect("room");
    fs::write(&plain, "").expect("room");
    assert_eq!(mode(&ours), mode(&plain));
}

fn manifest() -> Manifest {
    let inputs = vec![Input { source: "dump/a.log".into(), member: None, bytes: 10 }];
    Manifest::new("1.2.3", inputs, BTreeMap::from([("bucket".into(), "day".into())]))
}

fn write_set(folder: &Path, existing: Existing, tables: &[Table]) -> Result<Manifest, Error> {
    let mut set = OutputSet::create(folder, existing)?;
    for &table in tables {
        let mut writer = set.writer(table, FileFormat::Csv, CsvText::Exact)?;
        writer.write(tables::frame(&report(), table)?)?;
        set.add(writer)?;
    }
    set.commit(manifest())
}

#[test]
fn a_set_and_its_manifest() {
    let parent = tempfile::tempdir().expect("a folder");
    let folder = parent.path().join("new/out");
    let manifest = write_set(&folder, Existing::Refuse, &[Table::Runs, Table::Issues]).expect("room");
    assert_eq!(names(&folder), ["issues.csv", MANIFEST, "runs.csv"]);
    let bytes = fs::read(folder.join(MANIFEST)).expect("a manifest");
    assert_eq!(Manifest::read(&bytes), Some(manifest.clone()));
    assert!(
        bytes
            .starts_with(b"{\n  \"tool\": {\n    \"name\": \"logmill\",\n    \"version\": \"1.2.3\"\n  },\n")
    );
    let File { file, table, rows, bytes, .. } = &manifest.files[1];
    assert_eq!((file.as_str(), table.as_str(), *rows), ("issues.csv", "issues", 2));
    assert_eq!(*bytes, fs::metadata(folder.join("issues.csv")).expect("a file").len());
}

#[test]
fn the_same_set_twice_is_the_same_bytes() {
    let parent = tempfile::tempdir().expect("a folder");
    let (one, two) = (parent.path().join("1"), parent.path().join("2"));
    let tables: Vec<Table> = Table::of_report().collect();
    write_set(&one, Existing::Refuse, &tables).expect("room");
    write_set(&two, Existing::Refuse, &tables).expect("room");
    for name in names(&one) {
        assert_eq!(
            fs::read(one.join(&name)).expect("a file"),
            fs::read(two.join(&name)).expect("a file"),
            "{name}"
        );
    }
}

#[test]
fn a_set_is_replaced_as_a_whole() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    write_set(folder, Existing::Refuse, &[Table::Runs, Table::Steps]).expect("room");
    fs::write(folder.join("notes.txt"), "mine").expect("room");
    assert!(matches!(write_set(folder, Existing::Refuse, &[Table::Files]), Err(Error::Exists(_))));
    assert_eq!(names(folder), [MANIFEST, "notes.txt", "runs.csv", "steps.csv"]);
    write_set(folder, Existing::ReplaceOwn, &[Table::Runs, Table::Files]).expect("room");
    assert_eq!(names(folder), ["files.csv", MANIFEST, "notes.txt", "runs.csv"]);
}

#[test]
fn a_file_that_is_not_of_the_set_is_kept() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    write_set(folder, Existing::Refuse, &[Table::Runs]).expect("room");
    fs::write(folder.join("steps.csv"), "mine").expect("room");
    assert!(matches!(write_set(folder, Existing::ReplaceOwn, &[Table::Steps]), Err(Error::Exists(_))));
    assert_eq!(names(folder), [MANIFEST, "runs.csv", "steps.csv"]);
    write_set(folder, Existing::Replace, &[Table::Steps]).expect("room");
    assert_eq!(names(folder), [MANIFEST, "steps.csv"]);
}

#[test]
fn a_manifest_of_somebody_else_is_kept() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join(MANIFEST), "{\"name\":\"web app\"}").expect("room");
    for existing in [Existing::Refuse, Existing::ReplaceOwn] {
        assert!(matches!(write_set(folder.path(), existing, &[Table::Runs]), Err(Error::Exists(_))));
    }
    assert_eq!(names(folder.path()), [MANIFEST]);
}

#[test]
fn a_manifest_cannot_name_files_elsewhere() {
    let parent = tempfile::tempdir().expect("a folder");
    let folder = parent.path().join("out");
    write_set(&folder, Existing::Refuse, &[Table::Runs]).expect("room");
    let mut forged = manifest();
    for file in ["../victim", "notes.txt", "runs.csv/../../victim"] {
        forged.files.push(File {
            file: file.into(),
            table: "runs".into(),
            rows: 0,
            bytes: 0,
            sha256: String::new(),
        });
    }
    fs::write(folder.join(MANIFEST), forged.to_json()).expect("room");
    fs::write(parent.path().join("victim"), "").expect("room");
    fs::write(folder.join("notes.txt"), "").expect("room");
    write_set(&folder, Existing::Replace, &[Table::Runs]).expect("room");
    assert!(parent.path().join("victim").exists());
    assert_eq!(names(&folder), [MANIFEST, "notes.txt", "runs.csv"]);
}

#[test]
fn an_abandoned_set_leaves_no_table() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut set = OutputSet::create(folder.path(), Existing::Refuse).expect("a folder");
    let writer = set.writer(Table::Runs, FileFormat::Parquet, CsvText::Exact).expect("a file");
    set.add(writer).expect("room");
    drop(set);
    assert!(names(folder.path()).is_empty());
}
