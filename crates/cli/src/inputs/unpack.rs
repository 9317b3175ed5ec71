//! Compressed files and archives among the inputs: what they hold takes their place.
//!
//! What archives are is known to `logmill-archive`; here their bytes come from files, and what it
//! finds becomes inputs of the engine.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;

use logmill_analyze::{Content, ReadError};
use logmill_archive::{Codec, Contents, Fault, FaultKind, Kind, Limits, Member, Opened};
use logmill_frame::manifest::MANIFEST;
use logmill_parse::Code;

use super::{Collecting, Origin, Place, Source, is_hidden, own_names, spread};
use crate::positioned::{self, FileId};
use crate::progress::Tally;

/// Memory for decompressed bytes that are needed more than once, compressed again.
const SHELF_BYTES: u64 = 256 << 20;
/// Members of one file.
const MAX_MEMBERS: usize = 1 << 20;

/// How much may come out of compressed files.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// Decompressed bytes of one file of the inputs.
    pub total_bytes: u64,
    /// Decompressed bytes of one member.
    pub member_bytes: u64,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { total_bytes: 64 << 30, member_bytes: 16 << 30 }
    }
}

/// Puts what compressed files and archives hold in their places. Into files whose names are trusted nobody
/// looks.
pub fn unpack(sources: Vec<Source>, how: Collecting<'_>) -> Vec<Source> {
    let Collecting { bounds, threads, meter } = how;
    let kinds = spread::map(&sources, spread::threads(threads, sources.len()), |source| {
        if source.trust.is_some() { Kind::Plain } else { look(source) }
    });
    let packed: Vec<usize> =
        (0..).zip(&kinds).filter(|(_, kind)| **kind != Kind::Plain).map(|it| it.0).collect();
    if packed.is_empty() {
        return sources;
    }
    let shares = shares(&sources, &packed, &kinds);
    let bytes = packed.iter().filter_map(|index| sources.get(*index)).map(|source| source.bytes).sum();
    let unpacking = meter.begin("unpacking", bytes, packed.len() as u64);
    let tally = meter.tally();
    let held = spread::map(&packed, spread::cores(threads), |index| {
        let limits = Limits {
            total_bytes: bounds.total_bytes,
            member_bytes: bounds.member_bytes.min(bounds.total_bytes),
            members: MAX_MEMBERS,
            shelf_bytes: shares.get(index).copied().unwrap_or(0),
        };
        sources.get(*index).and_then(|source| list(source, limits, &tally))
    });
    drop(unpacking);
    let mut held: BTreeMap<usize, Contents> =
        packed.into_iter().zip(held).filter_map(|(index, contents)| Some((index, contents?))).collect();
    let mut all = Vec::new();
    for (index, source) in sources.into_iter().enumerate() {
        match held.remove(&index) {
            Some(contents) => replace(source, contents, &mut all),
            None => all.push(source),
        }
    }
    all
}

/// What a source is. What cannot be opened says so when it is read.
fn look(source: &Source) -> Kind {
    let bytes = source.on_disk().and_then(|file| logmill_archive::Place::open(&file).ok());
    bytes.and_then(|bytes| logmill_archive::look(bytes.as_ref()).ok()).unwrap_or(Kind::Plain)
}

/// Memory for each source that is packed: the largest first, whatever the order of reading, so
/// that it is the same in every run.
fn shares(sources: &[Source], packed: &[usize], kinds: &[Kind]) -> BTreeMap<usize, u64> {
    let size = |index: &usize| sources.get(*index).map_or(0, |source| source.bytes);
    let mut by_size = packed.to_vec();
    by_size.sort_by_key(|index| (std::cmp::Reverse(size(index)), *index));
    let mut left = SHELF_BYTES;
    let mut share = |index: usize| {
        // The quick compression there is weaker than that of most files, and much weaker than some.
        let factor = match kinds.get(index) {
            Some(Kind::Packed(Codec::Xz | Codec::Bzip2)) => 6,
            _ => 3,
        };
        let wanted = size(&index).saturating_mul(factor) / 2 + (1 << 16);
        let share = wanted.min(left);
        left -= share;
        (index, share)
    };
    by_size.into_iter().map(&mut share).collect()
}

/// What a source holds. One that cannot be read stays what it is, and says so when it is opened.
fn list(source: &Source, limits: Limits, tally: &Tally) -> Option<Contents> {
    tally.add_file();
    let file = Counted { place: source.on_disk()?, tally: tally.clone() };
    let mut contents = logmill_archive::list(Arc::new(file), limits, &is_wanted).ok()?;
    leave_out_own_outputs(&mut contents.members);
    // In the order in which they would be found in a folder; where each has to be walked to, it is
    // better to meet them as they come.
    if contents.members.iter().all(Member::is_anywhere) {
        contents.members.sort_by(|a, b| a.name.cmp(&b.name));
    }
    Some(contents)
}

/// Hidden members are passed over as hidden files are, and so is what macOS adds to archives.
fn is_wanted(path: &str) -> bool {
    path.split('/')
        .all(|part| matches!(part, "." | "..") || (!is_hidden(part.as_bytes()) && part != "__MACOSX"))
}

/// Leaves out tables that this program has written, told by the manifest beside them.
fn leave_out_own_outputs(members: &mut Vec<Member>) {
    let mut own: BTreeSet<(String, String)> = BTreeSet::new();
    for member in members.iter() {
        let Some((folder, MANIFEST)) = member.name.as_deref().map(split) else { continue };
        let Ok(opened) = member.open() else { continue };
        own.extend(own_names(&content(opened)).into_iter().map(|name| (folder.to_owned(), name)));
    }
    members.retain(|member| {
        let path = member.name.as_deref().map(split);
        path.is_none_or(|(folder, name)| !own.contains(&(folder.to_owned(), name.to_owned())))
    });
}

fn split(path: &str) -> (&str, &str) {
    path.rsplit_once('/').unwrap_or(("", path))
}

/// Puts the members of a source where it stood.
fn replace(source: Source, contents: Contents, all: &mut Vec<Source>) {
    let Contents { members, fault } = contents;
    if members.is_empty() && fault.is_none() {
        all.push(Source { place: Place::Empty, bytes: 0, ..source });
        return;
    }
    let inside = match source.origin {
        Origin::Named | Origin::InNamed => Origin::InNamed,
        Origin::Found | Origin::InFound => Origin::InFound,
    };
    for member in members {
        // What a compressed file holds stands for the file.
        let origin = if member.name.is_some() { inside } else { source.origin };
        all.push(Source {
            path: Arc::clone(&source.path),
            name: source.name.clone(),
            member: member.name.clone(),
            bytes: member.size_hint,
            origin,
            place: Place::Member(Box::new(member)),
            trust: None,
        });
    }
    if let Some(fault) = fault {
        all.push(Source { place: Place::Fault(fault), bytes: 0, origin: inside, ..source });
    }
}

/// The opened bytes of a member, for the engine.
pub fn content(opened: Opened) -> Content {
    match opened {
        Opened::Random(bytes) => Content::Random(Box::new(Random(bytes))),
        Opened::Stream(stream) => Content::Stream(Box::new(Stream(stream))),
    }
}

struct Random(Box<dyn logmill_archive::ReadAt>);

impl logmill_analyze::ReadAt for Random {
    fn size(&self) -> u64 {
        self.0.size()
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read_at(offset, buffer).map_err(with_code)
    }
}

struct Stream(Box<dyn Read + Send>);

impl Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer).map_err(with_code)
    }
}

/// The error as the engine knows it.
pub fn with_code(error: io::Error) -> io::Error {
    match Fault::of(&error) {
        Some(fault) => ReadError::new(code(fault.kind), fault.message.clone()).into(),
        None => error,
    }
}

const fn code(kind: FaultKind) -> Code {
    match kind {
        FaultKind::Truncated => Code::TruncatedArchive,
        FaultKind::Corrupt => Code::CorruptArchive,
        FaultKind::Limit => Code::DecompressionLimit,
        FaultKind::TooDeep => Code::NestedTooDeep,
        FaultKind::Encrypted => Code::EncryptedMember,
        FaultKind::Unsupported => Code::UnsupportedCompression,
    }
}

/// A file that holds an archive: on disk, opened whenever it is read, or a copy that is open already.
#[derive(Debug, Clone)]
pub enum OnDisk {
    /// By its path.
    Path(Arc<Path>, Option<FileId>),
    /// A copy without a name.
    Copy(Arc<File>),
}

impl logmill_archive::Place for OnDisk {
    fn open(&self) -> io::Result<Arc<dyn logmill_archive::ReadAt>> {
        let (file, id) = match self {
            Self::Path(path, id) => (Arc::new(File::open(path)?), *id),
            Self::Copy(file) => (Arc::clone(file), None),
        };
        let metadata = file.metadata()?;
        if id.is_some() && positioned::file_id(&metadata) != id {
            let message = "expected the file that was there before, found another one under its name";
            return Err(ReadError::new(Code::ChangedInput, message).into());
        }
        let size = metadata.len();
        Ok(Arc::new(Positioned { file, size }))
    }
}

struct Positioned {
    file: Arc<File>,
    size: u64,
}

impl logmill_archive::ReadAt for Positioned {
    fn size(&self) -> u64 {
        self.size
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        positioned::read_at(&self.file, buffer, offset)
    }
}

/// A file whose bytes are counted while it is being unpacked.
#[derive(Debug)]
struct Counted {
    place: OnDisk,
    tally: Tally,
}

impl logmill_archive::Place for Counted {
    fn open(&self) -> io::Result<Arc<dyn logmill_archive::ReadAt>> {
        Ok(Arc::new(CountedAt { bytes: self.place.open()?, tally: self.tally.clone() }))
    }
}

struct CountedAt {
    bytes: Arc<dyn logmill_archive::ReadAt>,
    tally: Tally,
}

impl logmill_archive::ReadAt for CountedAt {
    fn size(&self) -> u64 {
        self.bytes.size()
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.bytes.read_at(offset, buffer)?;
        self.tally.add(n as u64);
        Ok(n)
    }
}
