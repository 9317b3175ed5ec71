//! From paths on the command line to inputs: files, walked folders, globs, standard input.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Seek, Write};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use logmill_analyze::{Content, Input, ReadAt};
use logmill_frame::Manifest;
use logmill_frame::manifest::MANIFEST;
use walkdir::WalkDir;

use crate::positioned;

/// An input of the command line.
#[derive(Debug)]
pub struct Source {
    /// The path as given, with `/`; `-` for standard input.
    name: String,
    /// Size in bytes, where known.
    bytes: u64,
    /// Whether it was named, rather than found in a folder or by a pattern.
    pub is_named: bool,
    place: Place,
}

#[derive(Debug)]
enum Place {
    File(PathBuf),
    /// Standard input, or a copy of it once it has been read.
    Stdin(Mutex<Option<File>>),
    /// Something that cannot be opened, and why.
    Broken(String),
}

impl Source {
    /// The file it is, if it is one.
    #[must_use]
    pub fn path(&self) -> Option<&Path> {
        match &self.place {
            Place::File(path) => Some(path),
            Place::Stdin(_) | Place::Broken(_) => None,
        }
    }
}

impl Input for Source {
    fn source(&self) -> &str {
        &self.name
    }

    fn size_hint(&self) -> u64 {
        self.bytes
    }

    fn open(&self) -> io::Result<Content> {
        match &self.place {
            Place::File(path) => open_file(path),
            Place::Stdin(copy) => {
                let mut copy = copy.lock().map_err(|_| io::Error::other("standard input is gone"))?;
                let file = match copy.take() {
                    Some(file) => file,
                    None => spool(&mut io::stdin().lock())?,
                };
                *copy = Some(file.try_clone()?);
                random(file)
            }
            Place::Broken(why) => Err(io::Error::other(why.clone())),
        }
    }
}

fn open_file(path: &Path) -> io::Result<Content> {
    let file = File::open(path)?;
    if file.metadata()?.is_file() { random(file) } else { Ok(Content::Stream(Box::new(file))) }
}

fn random(file: File) -> io::Result<Content> {
    let size = file.metadata()?.len();
    Ok(Content::Random(Box::new(RandomFile { file, size })))
}

/// A copy of a stream in a file without a name, which can be read at any place and more than once.
fn spool(stream: &mut dyn io::Read) -> io::Result<File> {
    let mut copy = tempfile::tempfile()?;
    io::copy(stream, &mut copy)?;
    copy.flush()?;
    copy.rewind()?;
    Ok(copy)
}

struct RandomFile {
    file: File,
    size: u64,
}

impl ReadAt for RandomFile {
    fn size(&self) -> u64 {
        self.size
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        positioned::read_at(&self.file, buffer, offset)
    }
}

/// The inputs that `paths` stand for, each once, in the order of their names.
#[must_use]
pub fn collect(paths: &[PathBuf]) -> Vec<Source> {
    let mut sources = Vec::new();
    for path in paths {
        add(path, &mut sources);
    }
    sources.sort_by(|a, b| (&a.name, !a.is_named).cmp(&(&b.name, !b.is_named)));
    let mut seen = BTreeSet::new();
    sources.retain(|source| seen.insert(identity(source)));
    sources
}

/// What makes two names the same input.
fn identity(source: &Source) -> PathBuf {
    match &source.place {
        Place::File(path) => fs::canonicalize(path).unwrap_or_else(|_| path.clone()),
        Place::Stdin(_) | Place::Broken(_) => PathBuf::from(&source.name),
    }
}

fn add(path: &Path, sources: &mut Vec<Source>) {
    if path == Path::new("-") {
        let place = Place::Stdin(Mutex::new(None));
        sources.push(Source { name: "-".to_owned(), bytes: 0, is_named: true, place });
        return;
    }
    match fs::metadata(path) {
        Ok(it) if it.is_dir() => walk(path, sources),
        Ok(it) => sources.push(file(path, it.len(), true)),
        Err(error) => match matches(path) {
            Some(found) => {
                for path in found {
                    match fs::metadata(&path) {
                        Ok(it) if it.is_dir() => walk(&path, sources),
                        Ok(it) => sources.push(file(&path, it.len(), false)),
                        Err(error) => sources.push(broken(&path, &error.to_string(), false)),
                    }
                }
            }
            None => sources.push(broken(path, &error.to_string(), true)),
        },
    }
}

/// What a pattern stands for; `None` if the path is no pattern or nothing fits.
fn matches(path: &Path) -> Option<Vec<PathBuf>> {
    let pattern = path.to_str().filter(|text| text.contains(['*', '?', '[']))?;
    let found: Vec<PathBuf> = glob::glob(pattern).ok()?.filter_map(Result::ok).collect();
    (!found.is_empty()).then_some(found)
}

/// The files below a folder. Hidden ones and the outputs of this program are left out; links
/// are followed, but not in circles.
fn walk(folder: &Path, sources: &mut Vec<Source>) {
    let is_visible = |entry: &walkdir::DirEntry| entry.depth() == 0 || !is_hidden(entry.file_name());
    let mut own = OwnOutputs::default();
    for entry in
        WalkDir::new(folder).follow_links(true).sort_by_file_name().into_iter().filter_entry(is_visible)
    {
        match entry {
            Ok(entry) if entry.file_type().is_dir() => {}
            Ok(entry) if own.contains(entry.path()) => {}
            Ok(entry) => {
                let bytes = entry.metadata().map_or(0, |it| it.len());
                sources.push(file(entry.path(), bytes, false));
            }
            Err(error) if error.loop_ancestor().is_some() => {}
            Err(error) => {
                let path = error.path().unwrap_or(folder).to_owned();
                let why = error.io_error().map_or_else(|| error.to_string(), ToString::to_string);
                sources.push(broken(&path, &why, false));
            }
        }
    }
}

fn is_hidden(name: &std::ffi::OsStr) -> bool {
    name.as_encoded_bytes().first() == Some(&b'.')
}

/// Tables that an earlier run of this program has written, told by the manifest beside them.
#[derive(Default)]
struct OwnOutputs {
    folder: PathBuf,
    names: BTreeSet<String>,
}

impl OwnOutputs {
    fn contains(&mut self, path: &Path) -> bool {
        let folder = path.parent().unwrap_or(Path::new(""));
        if folder != self.folder {
            folder.clone_into(&mut self.folder);
            let manifest = fs::read(folder.join(MANIFEST)).ok().and_then(|bytes| Manifest::read(&bytes));
            self.names = manifest
                .map(|manifest| {
                    manifest.files.into_iter().map(|file| file.file).chain([MANIFEST.to_owned()]).collect()
                })
                .unwrap_or_default();
        }
        path.file_name().and_then(|name| name.to_str()).is_some_and(|name| self.names.contains(name))
    }
}

fn file(path: &Path, bytes: u64, is_named: bool) -> Source {
    Source { name: name_of(path), bytes, is_named, place: Place::File(path.to_owned()) }
}

fn broken(path: &Path, why: &str, is_named: bool) -> Source {
    Source { name: name_of(path), bytes: 0, is_named, place: Place::Broken(why.to_owned()) }
}

/// The path as given, with `/`; bytes that are not UTF-8 are replaced.
fn name_of(path: &Path) -> String {
    let name = path.to_string_lossy();
    if cfg!(windows) { name.replace('\\', "/") } else { name.into_owned() }
}
