//! From paths on the command line to inputs: files, walked folders, globs, standard input, and what
//! compressed files and archives among them hold.
//!
//! What a file is, its content decides. Files that are called as texts are called are not opened for that
//! alone, though: that one is packed shows when it is read, and then all are looked into and read anew.

use std::collections::BTreeSet;
use std::fs::{self, File, Metadata};
use std::io::{self, Read, Seek, Write};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use logmill_analyze::{Content, Input, ReadAt};
use logmill_archive::{Fault, Kind, Member};
use logmill_frame::Manifest;
use logmill_frame::manifest::MANIFEST;
use walkdir::WalkDir;

use crate::positioned::{self, FileId};
use crate::progress::{Counted, Meter, Tally};
pub use unpack::Bounds;
use unpack::OnDisk;

mod spread;
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
    /// Where its name is taken to say that it is not packed.
    trust: Option<Trust>,
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
    /// A file that has been found and not yet been looked at.
    Found,
    File(Option<FileId>),
    /// What can be read only once: standard input, a pipe, a device.
    Stream(Option<FileId>),
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
            Place::Found | Place::Stream(_) | Place::Copy(_) | Place::Broken(_) => None,
        }
    }

    /// Whether an input that is called as texts are has turned out to be packed while the inputs were read.
    #[must_use]
    pub fn is_misnamed(&self) -> bool {
        self.trust.as_ref().is_some_and(Trust::is_broken)
    }

    /// Ends the watch on what its name says: it has been read and was not packed. Should it be so from now on, it
    /// has changed, which is said of it alone.
    pub fn settle(&mut self) {
        self.trust = None;
    }

    /// The file it is, to be opened when it is read, or the copy of it that is open already.
    fn on_disk(&self) -> Option<OnDisk> {
        match &self.place {
            Place::File(id) => Some(OnDisk::Path(Arc::clone(&self.path), *id)),
            Place::Copy(file) => Some(OnDisk::Copy(Arc::clone(file))),
            _ => None,
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
            Place::File(_) => match &self.trust {
                Some(trust) => trust.open(&self.path),
                None => random(File::open(&self.path)?),
            },
            Place::Copy(file) => random(file.try_clone()?),
            Place::Member(member) => member.open().map(unpack::content).map_err(unpack::with_code),
            Place::Empty => Ok(Content::Random(Box::new(Vec::new()))),
            Place::Fault(fault) => Err(unpack::with_code(fault.clone().into())),
            Place::Broken(why) => Err(io::Error::other(why.clone())),
            Place::Found | Place::Stream(_) => Err(io::Error::other("expected a file, found a stream")),
        }
    }
}

/// What files are taken for that are called as texts are called, until one turns out to be packed.
#[derive(Debug, Clone, Default)]
struct Trust {
    is_broken: Arc<AtomicBool>,
}

/// Endings of texts: such files are hardly ever packed.
const TEXTS: [&str; 6] = ["log", "txt", "json", "jsonl", "ndjson", "out"];

impl Trust {
    fn open(&self, path: &Path) -> io::Result<Content> {
        if self.is_broken() {
            return Err(misnamed());
        }
        let file = File::open(path)?;
        let size = file.metadata()?.len();
        let file = RandomFile { file, size };
        Ok(Content::Random(Box::new(Trusted { file, trust: self.clone() })))
    }

    fn is_broken(&self) -> bool {
        self.is_broken.load(Ordering::Relaxed)
    }
}

/// Nobody sees this error: everything is read again.
fn misnamed() -> io::Error {
    io::Error::other("expected a file that is what its name says, found a compressed one")
}

/// A file that is not expected to be packed; whether it is shows in the first bytes that are read.
struct Trusted {
    file: RandomFile,
    trust: Trust,
}

impl ReadAt for Trusted {
    fn size(&self) -> u64 {
        self.file.size
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.file.read_at(offset, buffer)?;
        if offset == 0 && logmill_archive::kind(buffer.get(..n).unwrap_or_default()) != Kind::Plain {
            self.trust.is_broken.store(true, Ordering::Relaxed);
            return Err(misnamed());
        }
        Ok(n)
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

/// How inputs are collected.
#[derive(Debug, Clone, Copy)]
pub struct Collecting<'c> {
    /// How much may come out of compressed files.
    pub bounds: Bounds,
    /// More threads are not used.
    pub threads: Option<NonZeroUsize>,
    /// Shows how far it is.
    pub meter: &'c Arc<Meter>,
}

/// The inputs that `paths` stand for, each once, in the order of their names; what compressed files
/// and archives hold stands in their places, but for those that are called as texts are: whether there
/// is one shows when they have been read ([`Source::is_misnamed`]).
#[must_use]
pub fn collect(paths: &[PathBuf], how: Collecting<'_>) -> Vec<Source> {
    let mut sources = Vec::new();
    for path in paths {
        add(path, &mut sources);
    }
    look_at_found(&mut sources, how.threads);
    // Names in which bytes were replaced may be equal; the order of folders is nobody's.
    sources.sort_by(|a, b| (&a.name, a.origin, &a.path).cmp(&(&b.name, b.origin, &b.path)));
    let mut seen = BTreeSet::new();
    sources.retain(|source| seen.insert(source.identity()));
    copy_streams(&mut sources, how);
    let trust = Trust::default();
    for source in &mut sources {
        source.trust = source.is_called_text().then(|| trust.clone());
    }
    unpack::unpack(sources, how)
}

/// The inputs, whatever they are called, with what the packed ones among them hold in their places.
#[must_use]
pub fn look_into_all(sources: Vec<Source>, how: Collecting<'_>) -> Vec<Source> {
    unpack::unpack(sources.into_iter().map(|source| Source { trust: None, ..source }).collect(), how)
}

/// Looks at the files that were found, but not into them.
fn look_at_found(sources: &mut [Source], threads: Option<NonZeroUsize>) {
    let look = |source: &Source| matches!(source.place, Place::Found).then(|| fs::metadata(&source.path));
    let metadata = spread::map(sources, spread::threads(threads, sources.len()), look);
    for (source, metadata) in sources.iter_mut().zip(metadata) {
        if let Some(metadata) = metadata {
            source.see(metadata);
        }
    }
}

/// Copies what can be read only once: standard input, pipes, devices.
fn copy_streams(sources: &mut [Source], how: Collecting<'_>) {
    let is_stream = |source: &&mut Source| matches!(source.place, Place::Stream(_));
    let mut streams: Vec<&mut Source> = sources.iter_mut().filter(is_stream).collect();
    let _copying = how.meter.begin("copying", 0, streams.len() as u64);
    for source in &mut streams {
        source.copy(how.bounds, &how.meter.tally());
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
            Place::File(Some(id)) | Place::Stream(Some(id)) => Identity::File(*id),
            Place::File(None) | Place::Stream(None) => {
                Identity::Path(fs::canonicalize(&self.path).unwrap_or_else(|_| self.path.to_path_buf()))
            }
            _ => Identity::Path(PathBuf::from(&self.name)),
        }
    }

    /// Whether it is a file whose name says that it is a text.
    fn is_called_text(&self) -> bool {
        let ending = self.path.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
        matches!(self.place, Place::File(_)) && TEXTS.contains(&ending)
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
        sources.push(Source::new(path, Origin::Named, Place::Stream(None)));
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
        Ok(it) => sources.push(file(path, Ok(it), origin)),
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

/// The files below a folder, in no order. Hidden ones and the outputs of this program are left out; links
/// are followed, but not in circles.
fn walk(folder: &Path, sources: &mut Vec<Source>) {
    let is_visible =
        |entry: &walkdir::DirEntry| entry.depth() == 0 || !is_hidden(entry.file_name().as_encoded_bytes());
    let mut own = OwnOutputs::default();
    for entry in WalkDir::new(folder).follow_links(true).into_iter().filter_entry(is_visible) {
        match entry {
            Ok(entry) if entry.file_type().is_dir() => {}
            Ok(entry) if own.contains(entry.path()) => {}
            Ok(entry) => sources.push(Source::new(entry.path(), Origin::Found, Place::Found)),
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

/// A file, or something else that has a name.
fn file(path: &Path, metadata: io::Result<Metadata>, origin: Origin) -> Source {
    let mut source = Source::new(path, origin, Place::Found);
    source.see(metadata);
    source
}

fn broken(path: &Path, why: &str, origin: Origin) -> Source {
    Source::new(path, origin, Place::Broken(why.to_owned()))
}

impl Source {
    fn new(path: &Path, origin: Origin, place: Place) -> Self {
        Self {
            path: Arc::from(path),
            name: name_of(path),
            member: None,
            bytes: 0,
            origin,
            place,
            trust: None,
        }
    }

    /// Takes in what the operating system says of a file that has been found. A pipe or a device is read only
    /// where it was named: one that is met on the way may never have an end.
    fn see(&mut self, metadata: io::Result<Metadata>) {
        self.place = match metadata {
            Ok(it) if it.is_file() => {
                self.bytes = it.len();
                Place::File(positioned::file_id(&it))
            }
            Ok(it) if self.origin == Origin::Named => Place::Stream(positioned::file_id(&it)),
            Ok(_) => Place::Broken(
                "expected a file, found a pipe, a socket or a device, which is read only if it is named"
                    .to_owned(),
            ),
            Err(error) => Place::Broken(error.to_string()),
        };
    }
}

/// The path as given, with `/`; bytes that are not UTF-8 are replaced.
fn name_of(path: &Path) -> String {
    let name = path.to_string_lossy();
    if cfg!(windows) { name.replace('\\', "/") } else { name.into_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::progress::Audience;

    /// The inputs in a folder.
    fn collected(folder: &Path) -> Vec<Source> {
        let meter = Arc::new(Meter::new(Audience::Nobody));
        collect(
            &[folder.to_path_buf()],
            Collecting { bounds: Bounds::default(), threads: None, meter: &meter },
        )
    }

    /// The first bytes of an input, at most four.
    fn mark(source: &Source) -> io::Result<Vec<u8>> {
        let Content::Random(content) = source.open()? else { unreachable!("a file can be read anywhere") };
        let mut mark = vec![0; 4];
        let n = content.read_full(0, &mut mark)?;
        mark.truncate(n);
        Ok(mark)
    }

    const GZIP: &[u8] = b"\x1f\x8b\x08\0";

    #[test]
    fn a_name_is_trusted_until_bytes_say_otherwise() {
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join("a.log"), "text").expect("a file");
        fs::write(folder.path().join("b.log"), GZIP).expect("a file");
        let sources = collected(folder.path());
        assert_eq!(mark(&sources[0]).expect("text"), b"text");
        assert!(!sources[0].is_misnamed());
        assert!(mark(&sources[1]).is_err(), "what is packed is not read as text");
        assert!(sources.iter().all(Source::is_misnamed), "all are to be read anew");
    }

    #[test]
    fn a_file_that_is_replaced_once_all_were_read_costs_no_other() {
        let folder = tempfile::tempdir().expect("a folder");
        for name in ["a.log", "b.log"] {
            fs::write(folder.path().join(name), "text").expect("a file");
        }
        let mut sources = collected(folder.path());
        sources.iter_mut().for_each(Source::settle);
        fs::write(folder.path().join("a.log"), GZIP).expect("a file");
        assert_eq!(mark(&sources[0]).expect("whatever is there"), GZIP);
        assert_eq!(mark(&sources[1]).expect("text"), b"text");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn names_that_look_alike_are_in_the_order_of_their_bytes() {
        use std::os::unix::ffi::OsStrExt;
        let names: Vec<[u8; 5]> = (0x80..0xa0).map(|byte| [byte, b'.', b'l', b'o', b'g']).collect();
        let folder = tempfile::tempdir().expect("a folder");
        for name in names.iter().rev() {
            fs::write(folder.path().join(std::ffi::OsStr::from_bytes(name)), "text").expect("a file");
        }
        let found = collected(folder.path());
        let found: Vec<&[u8]> =
            found.iter().filter_map(|it| it.path.file_name()).map(OsStrExt::as_bytes).collect();
        assert_eq!(found, names);
    }
}
