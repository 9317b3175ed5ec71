//! Files below one folder. What has its final name is whole.
//!
//! A body is written to a hidden file beside its place, synced, and renamed. One process at a time
//! stores what one platform answers.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use crate::error::{Error, Fault};
use crate::note::Note;
use crate::transport::Sink;

/// The largest note that is read; one about ten thousand pages has less than 8 MB.
const MAX_NOTE_BYTES: u64 = 64 << 20;

/// Whether what is there is asked for again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Refresh {
    /// Only what is missing, incomplete, or was not over.
    #[default]
    Missing,
    /// Everything.
    All,
}

/// A folder of dumps.
#[derive(Debug)]
pub struct Store {
    root: PathBuf,
    refresh: Refresh,
}

/// Held while a process stores what a platform answers.
#[derive(Debug)]
pub(crate) struct Lock {
    _file: File,
}

impl Store {
    /// The store in a folder, which is made when something is stored.
    #[must_use]
    pub fn new(root: &Path, refresh: Refresh) -> Self {
        Self { root: root.to_owned(), refresh }
    }

    /// Whether what is there is asked for again.
    #[must_use]
    pub fn refresh(&self) -> Refresh {
        self.refresh
    }

    /// Keeps other processes from storing what the platform with this folder answers.
    pub(crate) fn lock(&self, folder: &str) -> Result<Lock, Error> {
        let folder = self.root.join(folder);
        let failed = |source| Error::Store { path: folder.clone(), source };
        fs::create_dir_all(&folder).map_err(failed)?;
        let path = folder.join(".fetch.lock");
        let file = OpenOptions::new().create(true).truncate(false).write(true).open(path).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => Ok(Lock { _file: file }),
            Err(fs::TryLockError::WouldBlock) => Err(Error::Busy(folder)),
            Err(fs::TryLockError::Error(error)) => Err(failed(error)),
        }
    }

    /// Begins a file; `place` is made of checked ids and fixed text, with `/`.
    pub(crate) fn begin(&self, place: &str) -> Result<Pending, Error> {
        let path = self.root.join(place);
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let part = path.with_file_name(format!(".{name}.part"));
        let made = || {
            if let Some(folder) = path.parent() {
                fs::create_dir_all(folder)?;
            }
            match fs::remove_file(&part) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
            OpenOptions::new().write(true).create_new(true).open(&part)
        };
        match made() {
            Ok(file) => Ok(Pending { file, part, path, is_done: false }),
            Err(source) => Err(Error::Store { path, source }),
        }
    }

    /// Stores bytes that are at hand.
    pub(crate) fn put(&self, place: &str, bytes: &[u8]) -> Result<(), Error> {
        let mut pending = self.begin(place)?;
        pending.write(bytes)?;
        pending.commit()
    }

    /// The size of a file; `None` if there is none.
    pub(crate) fn size(&self, place: &str) -> Option<u64> {
        fs::metadata(self.root.join(place)).ok().filter(fs::Metadata::is_file).map(|it| it.len())
    }

    /// A file of at most `max_bytes`; `None` if there is none, or if it is larger.
    pub(crate) fn read(&self, place: &str, max_bytes: u64) -> Option<Vec<u8>> {
        let mut bytes = Vec::new();
        let file = File::open(self.root.join(place)).ok()?;
        file.take(max_bytes.saturating_add(1)).read_to_end(&mut bytes).ok()?;
        (bytes.len() as u64 <= max_bytes).then_some(bytes)
    }

    /// A note that was stored.
    pub(crate) fn note(&self, place: &str) -> Option<Note> {
        Note::read(&self.read(place, MAX_NOTE_BYTES)?)
    }

    /// Whether the files of a note are there, in the size they had. `folder` ends in `/`.
    pub(crate) fn holds(&self, folder: &str, note: &Note) -> bool {
        note.pages.iter().all(|page| {
            let is_name = !page.file.contains(['/', '\\']) && !page.file.starts_with('.');
            is_name && self.size(&format!("{folder}{}", page.file)) == Some(page.bytes)
        })
    }
}

/// A file that does not have its name yet; it is removed unless it gets it.
pub(crate) struct Pending {
    file: File,
    part: PathBuf,
    path: PathBuf,
    is_done: bool,
}

impl Pending {
    fn failed(&self, source: io::Error) -> Error {
        Error::Store { path: self.path.clone(), source }
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.file.write_all(bytes).map_err(|error| self.failed(error))
    }

    /// Gives the file its name.
    pub fn commit(mut self) -> Result<(), Error> {
        self.file.sync_all().map_err(|error| self.failed(error))?;
        fs::rename(&self.part, &self.path).map_err(|error| self.failed(error))?;
        self.is_done = true;
        Ok(())
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        if !self.is_done {
            // A part that stays is hidden, and replaced by the next attempt.
            let _ = fs::remove_file(&self.part);
        }
    }
}

impl Sink for Pending {
    fn restart(&mut self) -> Result<(), Fault> {
        use std::io::Seek;
        self.file.set_len(0).and_then(|()| self.file.rewind()).map_err(|error| self.failed(error))?;
        Ok(())
    }

    fn take(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        Ok(self.write(bytes)?)
    }
}
