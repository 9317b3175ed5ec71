//! Outputs that are there whole or not at all.
//!
//! A file is written under a temporary name beside its target, flushed and synchronised, and only then renamed.
//! A set of tables is renamed file by file at its very end, its manifest last; where that fails half-way, the
//! folder is put back as it was. What a killed run has left is told from what others keep there by names, locks
//! and checksums, and removed by the next run.

use std::fs::{self, File};
use std::io::{self, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::encode::{CsvText, FileFormat};
use crate::error::Error;
use crate::manifest::{self, MANIFEST, Manifest};
use crate::pending::{self, Content, MadeFolders, Temporary, folder_of};
use crate::schema::Table;
use crate::writer::TableWriter;

/// What may happen to outputs that exist.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Existing {
    /// Nothing: an output that exists is an error.
    Refuse,
    /// A set of ours, told by its manifest, may be replaced as a whole; any other file is an error.
    ReplaceOwn,
    /// Any regular file may be replaced.
    Replace,
}

/// Parquet pages and encoded text come in pieces of very different sizes.
const BUFFER_BYTES: usize = 256 << 10;

/// A file under a temporary name. Dropped without [`commit`](Self::commit), it is gone.
pub struct PendingFile {
    target: PathBuf,
    existing: Existing,
    file: BufWriter<Hashed>,
}

/// A file that is written, synchronised and not yet renamed.
struct Sealed {
    target: PathBuf,
    existing: Existing,
    file: Temporary,
    written: Written,
}

/// What a finished file consists of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// Size.
    pub bytes: u64,
    /// SHA-256 of the bytes, in hex.
    pub sha256: String,
}

impl PendingFile {
    /// A file that will be `target`. Folders on the way to it must exist. What killed runs have left beside it
    /// is removed.
    ///
    /// # Errors
    /// [`Error::Exists`] where the target may not be replaced, [`Error::NotAFile`] where it is no file,
    /// [`Error::Io`] where its folder cannot be written to.
    pub fn create(target: &Path, existing: Existing) -> Result<Self, Error> {
        pending::sweep(folder_of(target), &[Content::Data]);
        Self::begin(target, existing, Content::Data)
    }

    fn begin(target: &Path, existing: Existing, content: Content) -> Result<Self, Error> {
        let target = replaceable(target, existing)?;
        let folder = folder_of(&target);
        let file =
            Temporary::create(folder, content).map_err(Error::io("create a temporary file in", folder))?;
        let hashed = Hashed { file, digest: Sha256::new(), bytes: 0 };
        Ok(Self { target, existing, file: BufWriter::with_capacity(BUFFER_BYTES, hashed) })
    }

    /// Where it will be.
    #[must_use]
    pub fn target(&self) -> &Path {
        &self.target
    }

    /// Gives the file its name, once all of it is on disk.
    ///
    /// # Errors
    /// [`Error::Io`] where the disk is full, [`Error::Exists`] where somebody made the target meanwhile.
    pub fn commit(self) -> Result<Written, Error> {
        let sealed = self.seal()?;
        let folder = folder_of(&sealed.target).to_owned();
        let written = sealed.written.clone();
        sealed.publish()?;
        sync_folder(&folder)?;
        Ok(written)
    }

    fn seal(self) -> Result<Sealed, Error> {
        let Self { target, existing, file } = self;
        let hashed =
            file.into_inner().map_err(io::IntoInnerError::into_error).map_err(Error::io("write", &target))?;
        let Hashed { mut file, digest, bytes } = hashed;
        file.file().and_then(|file| file.sync_all()).map_err(Error::io("write", &target))?;
        let written = Written { bytes, sha256: hex(&digest.finalize()) };
        Ok(Sealed { target, existing, file, written })
    }
}

impl Sealed {
    fn publish(self) -> Result<(), Error> {
        let Self { target, existing, file, .. } = self;
        let renamed = match existing {
            Existing::Refuse => file.add(&target),
            Existing::ReplaceOwn | Existing::Replace => file.replace(&target),
        };
        renamed.map_err(|error| {
            if error.kind() == io::ErrorKind::AlreadyExists {
                Error::Exists(target.clone())
            } else {
                Error::io("rename a file to", &target)(error)
            }
        })
    }
}

impl Write for PendingFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// A file and the checksum of what went into it.
struct Hashed {
    file: Temporary,
    digest: Sha256,
    bytes: u64,
}

impl Write for Hashed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let n = self.file.file()?.write(bytes)?;
        self.digest.update(bytes.get(..n).unwrap_or(bytes));
        self.bytes += n as u64;
        Ok(n)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.file()?.flush()
    }
}

/// A folder of tables that appears as a whole.
///
/// Every table is written to a temporary file first. [`commit`](Self::commit) sets the files of an earlier set
/// aside, its manifest first, gives the new files their names, the new manifest last, and only then removes the
/// old ones: at no time does a manifest stand beside files it does not describe. If anything fails on the way,
/// the earlier set is put back.
pub struct OutputSet {
    folder: PathBuf,
    existing: Existing,
    /// The set that is there already.
    earlier: Option<Manifest>,
    sealed: Vec<Sealed>,
    files: Vec<manifest::File>,
    /// Last, so that they are empty when they go.
    made: MadeFolders,
}

impl OutputSet {
    /// A set in `folder`, which is made if there is none. What killed runs have left there is removed, and so
    /// are the files of a set that did not become complete.
    ///
    /// # Errors
    /// [`Error::Exists`] where a manifest is there that may not be replaced, [`Error::Io`] where the folder
    /// cannot be made or read.
    pub fn create(folder: &Path, existing: Existing) -> Result<Self, Error> {
        let made = MadeFolders::make(folder).map_err(Error::io("create the folder", folder))?;
        let interrupted = pending::sweep(folder, &[Content::Data, Content::Manifest]);
        let manifest = folder.join(MANIFEST);
        let earlier = match fs::read(&manifest) {
            Ok(bytes) => Some(Manifest::read(&bytes)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(Error::io("read", &manifest)(error)),
        };
        if earlier.is_none() {
            let manifests = interrupted.iter().filter_map(|bytes| Manifest::read(bytes));
            manifests.for_each(|manifest| remove_interrupted(folder, &manifest));
        }
        match (earlier, existing) {
            (Some(_), Existing::Refuse) | (Some(None), Existing::ReplaceOwn) => Err(Error::Exists(manifest)),
            (earlier, _) => Ok(Self {
                folder: folder.to_owned(),
                existing,
                earlier: earlier.flatten(),
                sealed: Vec::new(),
                files: Vec::new(),
                made,
            }),
        }
    }

    /// A writer of `table` to the file `<table>.<format>` of the set.
    ///
    /// # Errors
    /// As [`PendingFile::create`].
    pub fn writer(
        &self,
        table: Table,
        format: FileFormat,
        text: CsvText,
    ) -> Result<TableWriter<PendingFile>, Error> {
        let name = format!("{table}.{format}");
        let file = PendingFile::begin(&self.folder.join(&name), self.policy(&name), Content::Data)?;
        TableWriter::new(file, table, format, text)
    }

    /// What may happen to a file of this name.
    fn policy(&self, name: &str) -> Existing {
        let is_own =
            self.earlier.as_ref().is_some_and(|earlier| earlier.own_files().any(|file| file == name));
        match self.existing {
            Existing::ReplaceOwn if is_own => Existing::Replace,
            Existing::Refuse | Existing::ReplaceOwn => Existing::Refuse,
            Existing::Replace => Existing::Replace,
        }
    }

    /// Closes a writer of the set and keeps its file for the end.
    ///
    /// # Errors
    /// [`Error::Sink`] or [`Error::Io`] where the disk is full.
    pub fn add(&mut self, writer: TableWriter<PendingFile>) -> Result<(), Error> {
        let (table, format) = (writer.encoder().table(), writer.encoder().format());
        let (file, rows) = writer.finish()?;
        let sealed = file.seal()?;
        let Written { bytes, sha256 } = sealed.written.clone();
        self.files.push(manifest::File {
            file: format!("{table}.{format}"),
            table: table.as_str().to_owned(),
            rows,
            bytes,
            sha256,
        });
        self.sealed.push(sealed);
        Ok(())
    }

    /// Gives every file its name and writes `manifest`, completed by the files, last. Returns it.
    ///
    /// # Errors
    /// [`Error::Io`] where the system refuses; the folder then holds what it held before.
    pub fn commit(self, mut manifest: Manifest) -> Result<Manifest, Error> {
        let Self { folder, existing, earlier, sealed, files, made } = self;
        manifest.files = files;
        let path = folder.join(MANIFEST);
        // Written before anything is renamed, so that a full disk shows while all is as it was.
        let existing = if earlier.is_some() { Existing::Replace } else { existing };
        let mut last = PendingFile::begin(&path, existing, Content::Manifest)?;
        last.write_all(manifest.to_json().as_bytes()).map_err(Error::io("write", &path))?;
        let last = last.seal()?;
        let gone = earlier.iter().flat_map(Manifest::own_files);
        let gone: Vec<PathBuf> = gone
            .filter(|name| manifest.files.iter().all(|file| file.file != *name))
            .map(|name| folder.join(name))
            .collect();
        let publishing = pending::publishing();
        Swap::default().run(&folder, &gone, sealed, last)?;
        made.keep();
        drop(publishing);
        Ok(manifest)
    }
}

/// The exchange of one set for another.
#[derive(Default)]
struct Swap {
    /// What was there before, in the order it was set aside.
    aside: Vec<(PathBuf, Temporary)>,
    /// What has got its name.
    added: Vec<PathBuf>,
}

impl Swap {
    /// Puts the new files in the place of those that are `gone` or have the same names.
    fn run(
        mut self,
        folder: &Path,
        gone: &[PathBuf],
        sealed: Vec<Sealed>,
        last: Sealed,
    ) -> Result<(), Error> {
        let done = self.exchange(folder, gone, sealed, last);
        if done.is_err() {
            self.undo();
            let _ = sync_folder(folder);
        }
        done
    }

    fn exchange(
        &mut self,
        folder: &Path,
        gone: &[PathBuf],
        sealed: Vec<Sealed>,
        last: Sealed,
    ) -> Result<(), Error> {
        // From here on the folder has no manifest.
        self.set_aside(&last, Content::Manifest)?;
        sync_folder(folder)?;
        for path in gone {
            self.keep_aside(path, Content::Data)?;
        }
        for file in &sealed {
            self.set_aside(file, Content::Data)?;
        }
        for file in sealed {
            self.publish(file)?;
        }
        sync_folder(folder)?;
        self.publish(last)?;
        sync_folder(folder)
    }

    fn set_aside(&mut self, file: &Sealed, content: Content) -> Result<(), Error> {
        if file.existing == Existing::Replace { self.keep_aside(&file.target, content) } else { Ok(()) }
    }

    fn keep_aside(&mut self, path: &Path, content: Content) -> Result<(), Error> {
        match Temporary::set_aside(path, content) {
            Ok(aside) => self.aside.push((path.to_owned(), aside)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(Error::io("rename", path)(error)),
        }
        Ok(())
    }

    fn publish(&mut self, file: Sealed) -> Result<(), Error> {
        let target = file.target.clone();
        file.publish()?;
        self.added.push(target);
        Ok(())
    }

    /// Takes the new files away and puts the old ones back, the manifest last.
    fn undo(&mut self) {
        for path in self.added.drain(..) {
            let _ = fs::remove_file(path);
        }
        while let Some((path, aside)) = self.aside.pop() {
            aside.put_back(&path);
        }
    }
}

/// Removes the files of a set that was interrupted before its manifest had its name: those that hold what the
/// manifest says they do.
fn remove_interrupted(folder: &Path, manifest: &Manifest) {
    for file in &manifest.files {
        let path = folder.join(&file.file);
        let is_own = manifest.own_files().any(|name| name == file.file);
        if is_own && fs::metadata(&path).is_ok_and(|it| it.is_file() && it.len() == file.bytes) {
            let sum = checksum(&path);
            if sum.is_ok_and(|sum| sum == file.sha256) {
                let _ = fs::remove_file(path);
            }
        }
    }
}

/// SHA-256 of a file, in hex.
fn checksum(path: &Path) -> io::Result<String> {
    let mut file = File::open(path)?;
    let mut digest = Sha256::new();
    let mut block = vec![0; BUFFER_BYTES];
    loop {
        match file.read(&mut block)? {
            0 => return Ok(hex(&digest.finalize())),
            n => digest.update(block.get(..n).unwrap_or_default()),
        }
    }
}

/// The path to rename to: `target`, or what it links to, so that a link stays a link.
fn replaceable(target: &Path, existing: Existing) -> Result<PathBuf, Error> {
    match fs::metadata(target) {
        Ok(it) if !it.is_file() => Err(Error::NotAFile(target.to_owned())),
        Ok(_) if existing != Existing::Replace => Err(Error::Exists(target.to_owned())),
        Ok(_) => fs::canonicalize(target).map_err(Error::io("read", target)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(target.to_owned()),
        Err(error) => Err(Error::io("read", target)(error)),
    }
}

/// Makes renames in `folder` last. Only Unix can synchronise a folder, and not on every file system.
fn sync_folder(folder: &Path) -> Result<(), Error> {
    if !cfg!(unix) {
        return Ok(());
    }
    match File::open(folder).and_then(|folder| folder.sync_all()) {
        Err(error) if !matches!(error.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported) => {
            Err(Error::io("write", folder)(error))
        }
        _ => Ok(()),
    }
}

fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |value: u8| DIGITS.get(usize::from(value)).copied().map_or('?', char::from);
    bytes.iter().flat_map(|&byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}
