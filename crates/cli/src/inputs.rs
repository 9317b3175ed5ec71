//! From paths on the command line to inputs: files, walked folders, globs, standard input, and what
//! compressed files and archives among them hold.

use std::collections::BTreeSet;
use std::fs::{self, File, Metadata};
use std::io::{self, Read, Seek, Write};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use logmill_analyze::{Content, Input, ReadAt};
use logmill_archive::{Fault, Member};
use logmill_frame::Manifest;
use logmill_frame::manifest::MANIFEST;
use walkdir::WalkDir;

use crate::positioned::{self, FileId};
use crate::progress::{Counted, Meter, Tally};
pub use unpack::Bounds;
use unpack::OnDisk;

mod unpack;

/// An input of the command line.
#[derive(Debug)]
pub struct Source {
    /// The path as given.
    path: Arc<Path>,
    /// The same with `/`; `-` for standard input.
    name: String,
    /// Path in the archive it is a member of.
    member: Option<String>,
    /// Size in bytes, where known.
    bytes: u64,
    /// How it came to be an input.
    pub origin: Origin,
    place: Place,
}

/// How an input came to be one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Origin {
    /// It was named.
    Named,
    /// It was found in a folder, or by a pattern.
    Found,
    /// It was found in an archive that was named.
    InNamed,
    /// It was found in an archive that was found.
    InFound,
}

#[derive(Debug)]
enum Place {
    File(Option<FileId>),
    /// A copy of something that could be read only once.
    Copy(Arc<File>),
    Member(Box<Member>),
    /// An archive without members.
    Empty,
    /// An archive of which not all members are known, and why.
    Fault(Fault),
    /// Something that cannot be opened, and why.
    Broken(String),
}

impl Source {
    /// The file it is or is in, if it is one.
    #[must_use]
    pub fn path(&self) -> Option<&Path> {
        match &self.place {
            Place::File(_) | Place::Member(_) | Place::Empty | Place::Fault(_) => Some(&self.path),
            Place::Copy(_) | Place::Broken(_) => None,
        }
    }

    /// The file it is, to be opened when it is read, or the copy of it that is open already.
    fn on_disk(&self) -> Option<OnDisk> {
        match &self.place {
            Place::File(id) => Some(OnDisk::Path(Arc::clone(&self.path), *id)),
            Place::Copy(file) => Some(OnDisk::Copy(Arc::clone(file))),
            Place::Member(_) | Place::Empty | Place::Fault(_) | Place::Broken(_) => None,
        }
    }
}

impl Input for Source {
    fn source(&self) -> &str {
        &self.name
    }

    fn member(&self) -> Option<&str> {
        self.member.as_deref()
    }

    fn size_hint(&self) -> u64 {
        self.bytes
    }

    fn open(&self) -> io::Result<Content> {
        match &self.place {
            Place::File(_) => random(File::open(&self.path)?),
            Place::Copy(file) => random(file.try_clone()?),
            Place::Member(member) => member.open().map(unpack::content).map_err(unpack::with_code),
            Place::Empty => Ok(Content::Random(Box::new(Vec::new()))),
            Place::Fault(fault) => Err(unpack::with_code(fault.clone().into())),
            Place::Broken(why) => Err(io::Error::other(why.clone())),
        }
    }
}

fn random(file: File) -> io::Result<Content> {
    let size = file.metadata()?.len();
    Ok(Content::Random(Box::new(RandomFile { file, size })))
}

/// A copy of a stream in a file without a name, which can be read at any place and more than once.
/// A stream longer than the bound may have no end.
fn spool(stream: &mut dyn Read, bounds: Bounds) -> io::Result<File> {
    let mut copy = tempfile::tempfile()?;
    let limit = bounds.total_bytes;
    let copied = io::copy(&mut stream.take(limit.saturating_add(1)), &mut copy)?;
    if copied > limit {
        return Err(io::Error::other(format!(
            "expected at most {limit} bytes (--max-decompressed), found more"
        )));
    }
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

/// The inputs that `paths` stand for, each once, in the order of their names; what compressed files
/// and archives hold stands in their places. At most `threads` are used; `meter` shows how far it is.
#[must_use]
pub fn collect(
    paths: &[PathBuf],
    bounds: Bounds,
    threads: Option<NonZeroUsize>,
    meter: &Arc<Meter>,
) -> Vec<Source> {
    let mut sources = Vec::new();
    for path in paths {
        add(path, &mut sources);
    }
    sources.sort_by(|a, b| (&a.name, a.origin).cmp(&(&b.name, b.origin)));
    let mut seen = BTreeSet::new();
    sources.retain(|source| seen.insert(source.identity()));
    copy_streams(&mut sources, bounds, meter);
    unpack::unpack(sources, bounds, threads, meter)
}

/// Copies what can be read only once: standard input, pipes, devices.
fn copy_streams(sources: &mut [Source], bounds: Bounds, meter: &Arc<Meter>) {
    let mut streams: Vec<&mut Source> = sources.iter_mut().filter(|source| source.is_stream()).collect();
    let _copying = meter.begin("copying", 0, streams.len() as u64);
    for source in &mut streams {
        source.copy(bounds, &meter.tally());
    }
}

/// What makes two names the same input.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Identity {
    File(FileId),
    Path(PathBuf),
}

impl Source {
    fn identity(&self) -> Identity {
        match &self.place {
            Place::File(Some(id)) => Identity::File(*id),
            Place::File(None) => {
                Identity::Path(fs::canonicalize(&self.path).unwrap_or_else(|_| self.path.to_path_buf()))
            }
            _ => Identity::Path(PathBuf::from(&self.name)),
        }
    }

    fn is_stream(&self) -> bool {
        let is_file = || fs::metadata(&self.path).is_ok_and(|metadata| metadata.is_file());
        matches!(self.place, Place::File(_)) && (self.name == "-" || !is_file())
    }

    /// Copies a stream.
    fn copy(&mut self, bounds: Bounds, tally: &Tally) {
        tally.add_file();
        let copy = if self.name == "-" {
            spool(&mut Counted::new(io::stdin().lock(), tally.clone()), bounds)
        } else {
            let copy = |stream| spool(&mut Counted::new(stream, tally.clone()), bounds);
            File::open(&self.path).and_then(copy)
        };
        self.place = match copy {
            Ok(file) => Place::Copy(Arc::new(file)),
            Err(error) => Place::Broken(error.to_string()),
        };
    }
}

fn add(path: &Path, sources: &mut Vec<Source>) {
    if path == Path::new("-") {
        sources.push(Source::new(path, Origin::Named, Place::File(None)));
        return;
    }
    // A name that exists is no pattern, whatever is in it.
    let found = if fs::metadata(path).is_err() { matches(path) } else { None };
    match found {
        Some(found) => found.iter().for_each(|path| add_one(path, Origin::Found, sources)),
        None => add_one(path, Origin::Named, sources),
    }
}

fn add_one(path: &Path, origin: Origin, sources: &mut Vec<Source>) {
    match fs::metadata(path) {
        Ok(it) if it.is_dir() => walk(path, sources),
        Ok(it) => sources.push(file(path, &it, origin)),
        Err(error) if error.kind() == io::ErrorKind::NotFound && pattern_of(path).is_some() => {
            sources.push(broken(path, "expected files that match the pattern, found none", origin));
        }
        Err(error) => sources.push(broken(path, &error.to_string(), origin)),
    }
}

fn pattern_of(path: &Path) -> Option<&str> {
    path.to_str().filter(|text| text.contains(['*', '?', '[']))
}

/// What a pattern stands for; `None` if the path is no pattern or nothing fits.
fn matches(path: &Path) -> Option<Vec<PathBuf>> {
    let found: Vec<PathBuf> = glob::glob(pattern_of(path)?).ok()?.filter_map(Result::ok).collect();
    (!found.is_empty()).then_some(found)
}

/// The files below a folder. Hidden ones and the outputs of this program are left out; links
/// are followed, but not in circles.
fn walk(folder: &Path, sources: &mut Vec<Source>) {
    let is_visible =
        |entry: &walkdir::DirEntry| entry.depth() == 0 || !is_hidden(entry.file_name().as_encoded_bytes());
    let mut own = OwnOutputs::default();
    for entry in
        WalkDir::new(folder).follow_links(true).sort_by_file_name().into_iter().filter_entry(is_visible)
    {
        match entry {
            Ok(entry) if entry.file_type().is_dir() => {}
            Ok(entry) if own.contains(entry.path()) => {}
            Ok(entry) => match entry.metadata() {
                Ok(it) => sources.push(file(entry.path(), &it, Origin::Found)),
                Err(error) => sources.push(broken(entry.path(), &error.to_string(), Origin::Found)),
            },
            Err(error) if error.loop_ancestor().is_some() => {}
            Err(error) => {
                let path = error.path().unwrap_or(folder).to_owned();
                let why = error.io_error().map_or_else(|| error.to_string(), ToString::to_string);
                sources.push(broken(&path, &why, Origin::Found));
            }
        }
    }
}

fn is_hidden(name: &[u8]) -> bool {
    name.first() == Some(&b'.')
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
            let manifest = folder.join(MANIFEST);
            // Opening a pipe would wait for somebody at its other end.
            let is_file = fs::metadata(&manifest).is_ok_and(|it| it.is_file());
            let content = is_file.then(|| File::open(&manifest).and_then(random).ok()).flatten();
            self.names = content.iter().flat_map(own_names).collect();
        }
        path.file_name().and_then(|name| name.to_str()).is_some_and(|name| self.names.contains(name))
    }
}

/// A manifest of a million inputs is smaller.
const MAX_MANIFEST_BYTES: u64 = 256 << 20;

/// The names of the files of a set that this program has written, by its manifest; none if it is no manifest.
fn own_names(manifest: &Content) -> Vec<String> {
    let read = || {
        let Content::Random(content) = manifest else { return None };
        let size = Some(content.size()).filter(|size| *size <= MAX_MANIFEST_BYTES)?;
        let mut bytes = vec![0; usize::try_from(size).ok()?];
        let n = content.read_full(0, &mut bytes).ok()?;
        Manifest::read(bytes.get(..n)?)
    };
    let files = read().map(|manifest| manifest.files.into_iter().map(|file| file.file));
    files.map_or_else(Vec::new, |files| files.chain([MANIFEST.to_owned()]).collect())
}

/// A file, or something else that has a name. A pipe or a device is read only where it was named: one
/// that is met on the way may never have an end.
fn file(path: &Path, metadata: &Metadata, origin: Origin) -> Source {
    if !metadata.is_file() && origin != Origin::Named {
        return broken(
            path,
            "expected a file, found a pipe, a socket or a device, which is read only if it is named",
            origin,
        );
    }
    let place = Place::File(positioned::file_id(metadata));
    Source { bytes: metadata.len(), ..Source::new(path, origin, place) }
}

fn broken(path: &Path, why: &str, origin: Origin) -> Source {
    Source::new(path, origin, Place::Broken(why.to_owned()))
}

impl Source {
    fn new(path: &Path, origin: Origin, place: Place) -> Self {
        Self { path: Arc::from(path), name: name_of(path), member: None, bytes: 0, origin, place }
    }
}

/// The path as given, with `/`; bytes that are not UTF-8 are replaced.
fn name_of(path: &Path) -> String {
    let name = path.to_string_lossy();
    if cfg!(windows) { name.replace('\\', "/") } else { name.into_owned() }
}
