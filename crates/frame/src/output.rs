//! Outputs that are there whole or not at all.
//!
//! A file is written under a temporary name beside its target, flushed and synchronised, and only then renamed.
//! A set of tables is renamed file by file at its very end, its manifest last.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use tempfile::NamedTempFile;

use crate::encode::{CsvText, FileFormat};
use crate::error::Error;
use crate::manifest::{self, MANIFEST, Manifest};
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

/// Beginning of temporary names.
const PREFIX: &str = ".logmill-";
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
    file: NamedTempFile,
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
    /// A file that will be `target`. Folders on the way to it must exist.
    ///
    /// # Errors
    /// [`Error::Exists`] where the target may not be replaced, [`Error::NotAFile`] where it is no file,
    /// [`Error::Io`] where its folder cannot be written to.
    pub fn create(target: &Path, existing: Existing) -> Result<Self, Error> {
        let target = replaceable(target, existing)?;
        let folder = folder_of(&target);
        let mut builder = tempfile::Builder::new();
        builder.prefix(PREFIX);
        // Temporary files are private by default; this one will be an ordinary file.
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
        let file = builder.tempfile_in(folder).map_err(Error::io("create a file in", folder))?;
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
        let written = sealed.publish()?;
        sync_folder(&folder)?;
        Ok(written)
    }

    fn seal(self) -> Result<Sealed, Error> {
        let Self { target, existing, file } = self;
        let hashed =
            file.into_inner().map_err(io::IntoInnerError::into_error).map_err(Error::io("write", &target))?;
        let Hashed { file, digest, bytes } = hashed;
        file.as_file().sync_all().map_err(Error::io("write", &target))?;
        let written = Written { bytes, sha256: hex(&digest.finalize()) };
        Ok(Sealed { target, existing, file, written })
    }
}

impl Sealed {
    fn publish(self) -> Result<Written, Error> {
        let Self { target, existing, file, written } = self;
        let renamed = match existing {
            Existing::Refuse => file.persist_noclobber(&target),
            Existing::ReplaceOwn | Existing::Replace => file.persist(&target),
        };
        match renamed {
            Ok(_) => Ok(written),
            Err(refused) if refused.error.kind() == io::ErrorKind::AlreadyExists => {
                Err(Error::Exists(target))
            }
            Err(refused) => Err(Error::io("rename a file to", &target)(refused.error)),
        }
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
    file: NamedTempFile,
    digest: Sha256,
    bytes: u64,
}

impl Write for Hashed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let n = self.file.write(bytes)?;
        self.digest.update(bytes.get(..n).unwrap_or(bytes));
        self.bytes += n as u64;
        Ok(n)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// A folder of tables that appears as a whole.
///
/// Every table is written to a temporary file first. [`commit`](Self::commit) takes the manifest of an earlier
/// set away, renames the files, removes those of the earlier set that this one does not have, and writes the
/// new manifest: at no time does a manifest stand beside files it does not describe.
pub struct OutputSet {
    folder: PathBuf,
    existing: Existing,
    /// The set that is there already.
    earlier: Option<Manifest>,
    sealed: Vec<Sealed>,
    files: Vec<manifest::File>,
}

impl OutputSet {
    /// A set in `folder`, which is made if there is none.
    ///
    /// # Errors
    /// [`Error::Exists`] where a manifest is there that may not be replaced, [`Error::Io`] where the folder
    /// cannot be made or read.
    pub fn create(folder: &Path, existing: Existing) -> Result<Self, Error> {
        fs::create_dir_all(folder).map_err(Error::io("create the folder", folder))?;
        let manifest = folder.join(MANIFEST);
        let earlier = match fs::read(&manifest) {
            Ok(bytes) => Some(Manifest::read(&bytes)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(Error::io("read", &manifest)(error)),
        };
        match (earlier, existing) {
            (Some(_), Existing::Refuse) | (Some(None), Existing::ReplaceOwn) => Err(Error::Exists(manifest)),
            (earlier, _) => Ok(Self {
                folder: folder.to_owned(),
                existing,
                earlier: earlier.flatten(),
                sealed: Vec::new(),
                files: Vec::new(),
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
        let file = PendingFile::create(&self.folder.join(&name), self.policy(&name))?;
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
    /// [`Error::Io`] where the system refuses; the folder then has no manifest.
    pub fn commit(self, mut manifest: Manifest) -> Result<Manifest, Error> {
        let Self { folder, existing, earlier, sealed, files } = self;
        manifest.files = files;
        let path = folder.join(MANIFEST);
        // Written before anything is renamed, so that a full disk shows while all is as it was.
        let mut last =
            PendingFile::create(&path, if earlier.is_some() { Existing::Replace } else { existing })?;
        last.write_all(manifest.to_json().as_bytes()).map_err(Error::io("write", &path))?;
        let last = last.seal()?;
        remove_if_there(&path)?;
        sync_folder(&folder)?;
        for file in sealed {
            file.publish()?;
        }
        if let Some(earlier) = earlier {
            remove_stale(&folder, &earlier, &manifest)?;
        }
        sync_folder(&folder)?;
        last.publish()?;
        sync_folder(&folder)?;
        Ok(manifest)
    }
}

/// Removes the files of an earlier set that the new one does not have.
fn remove_stale(folder: &Path, earlier: &Manifest, manifest: &Manifest) -> Result<(), Error> {
    for name in earlier.own_files() {
        if manifest.files.iter().all(|file| file.file != name) {
            remove_if_there(&folder.join(name))?;
        }
    }
    Ok(())
}

fn remove_if_there(path: &Path) -> Result<(), Error> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(Error::io("remove", path)(error)),
        _ => Ok(()),
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

fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// Makes renames in `folder` last. Only Unix can synchronise a folder.
fn sync_folder(folder: &Path) -> Result<(), Error> {
    if cfg!(unix) {
        File::open(folder).and_then(|folder| folder.sync_all()).map_err(Error::io("write", folder))?;
    }
    Ok(())
}

fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |value: u8| DIGITS.get(usize::from(value)).copied().map_or('?', char::from);
    bytes.iter().flat_map(|&byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}
