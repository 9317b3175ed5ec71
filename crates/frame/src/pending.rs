//! Temporary files: a later run knows them by name, other runs by a lock that they are in use.
//!
//! Owns their names, the list of those that are there now, and what becomes of them when the program is told to
//! stop ([`abandon`]) or was killed ([`sweep`]). What they are for is [`crate::output`]'s.
//!
//! ```text
//! name := ".logmill-" twelve letters and digits ( ".tmp" | ".manifest.tmp" )
//! ```

use std::collections::BTreeSet;
use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tempfile::TempPath;

const PREFIX: &str = ".logmill-";
const RANDOM_CHARS: usize = 12;
/// Another run may take a file for a stale one between its creation and its lock.
const MAX_TRIES: usize = 16;

/// What a temporary file holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Content {
    /// Anything.
    Data,
    /// A manifest: it tells which files of an interrupted set are there.
    Manifest,
}

impl Content {
    const fn suffix(self) -> &'static str {
        match self {
            Self::Data => ".tmp",
            Self::Manifest => ".manifest.tmp",
        }
    }
}

/// What is there and must go if the program stops now.
#[derive(Debug)]
struct Pending {
    files: BTreeSet<PathBuf>,
    folders: Vec<PathBuf>,
}

static PENDING: Mutex<Pending> = Mutex::new(Pending { files: BTreeSet::new(), folders: Vec::new() });

/// Held while files get their names: a set appears as a whole or not at all.
static PUBLISHING: Mutex<()> = Mutex::new(());

fn pending() -> MutexGuard<'static, Pending> {
    PENDING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Until it is dropped, [`abandon`] waits.
pub(crate) fn publishing() -> MutexGuard<'static, ()> {
    PUBLISHING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Removes every temporary file of this process, and every folder made for outputs that never came. From then
/// on no output can be made or get its name: whoever tries waits for the end of the program.
///
/// Waits for files that are getting their names at this moment. Returns how many files were removed.
#[must_use]
pub fn abandon() -> usize {
    let publishing = publishing();
    let pending = pending();
    let removed = pending.files.iter().filter(|path| fs::remove_file(path).is_ok()).count();
    for folder in &pending.folders {
        // Only empty folders go.
        let _ = fs::remove_dir(folder);
    }
    std::mem::forget((publishing, pending));
    removed
}

/// A file under a temporary name, gone when dropped.
#[derive(Debug)]
pub(crate) struct Temporary {
    path: Option<TempPath>,
    /// Open, so that the lock stays.
    file: Option<File>,
}

impl Temporary {
    /// An empty file in `folder`.
    pub(crate) fn create(folder: &Path, content: Content) -> io::Result<Self> {
        let open = |path: &Path| File::options().write(true).create_new(true).open(path);
        for _ in 0..MAX_TRIES {
            let this = Self::make(folder, content, |path| open(path).map(Some))?;
            let is_locked = this.file.as_ref().is_some_and(|file| match file.try_lock() {
                Err(TryLockError::WouldBlock) => false,
                // Some file systems have no locks; nobody can take this file for a stale one there.
                Ok(()) | Err(TryLockError::Error(_)) => true,
            });
            if is_locked && this.path.as_ref().is_some_and(|path| path.exists()) {
                return Ok(this);
            }
        }
        Err(io::Error::other("another program keeps removing temporary files"))
    }

    /// `target` under a temporary name in its folder.
    pub(crate) fn set_aside(target: &Path, content: Content) -> io::Result<Self> {
        // A file that cannot be opened can be renamed all the same.
        let file = File::open(target).ok();
        if let Some(file) = &file {
            let _ = file.try_lock();
        }
        let mut file = Some(file);
        Self::make(folder_of(target), content, |path| {
            if path.exists() {
                return Err(io::ErrorKind::AlreadyExists.into());
            }
            fs::rename(target, path).map(|()| file.take().flatten())
        })
    }

    /// A name of its own, known to [`abandon`] before anybody can stop the program.
    fn make(
        folder: &Path,
        content: Content,
        mut make: impl FnMut(&Path) -> io::Result<Option<File>>,
    ) -> io::Result<Self> {
        let temporary = tempfile::Builder::new()
            .prefix(PREFIX)
            .suffix(content.suffix())
            .rand_bytes(RANDOM_CHARS)
            .make_in(folder, |path| {
                let mut pending = pending();
                let file = make(path)?;
                pending.files.insert(path.to_owned());
                Ok(file)
            })?;
        let (file, path) = temporary.into_parts();
        Ok(Self { path: Some(path), file })
    }

    /// The open file, where it could be opened.
    pub(crate) fn file(&mut self) -> io::Result<&mut File> {
        self.file.as_mut().ok_or_else(|| io::Error::other("the temporary file is not open"))
    }

    /// Renames it to `target`, in the place of what is there.
    pub(crate) fn replace(self, target: &Path) -> io::Result<()> {
        self.rename(|path| path.persist(target))
    }

    /// Renames it to `target`, unless something is there.
    pub(crate) fn add(self, target: &Path) -> io::Result<()> {
        self.rename(|path| path.persist_noclobber(target))
    }

    /// Renames it to `target` again. Where that fails the file stays as it is, for it is not ours to remove.
    pub(crate) fn put_back(mut self, target: &Path) {
        let Some(path) = self.path.take() else { return };
        let name = path.to_path_buf();
        let mut pending = pending();
        if let Err(refused) = path.persist(target) {
            let _ = refused.path.keep();
        }
        pending.files.remove(&name);
    }

    fn rename(
        mut self,
        rename: impl FnOnce(TempPath) -> Result<(), tempfile::PathPersistError>,
    ) -> io::Result<()> {
        let Some(path) = self.path.take() else { return Ok(()) };
        let name = path.to_path_buf();
        let mut pending = pending();
        let renamed = rename(path).map_err(|refused| refused.error);
        pending.files.remove(&name);
        renamed
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        if let Some(path) = self.path.take() {
            let name = path.to_path_buf();
            // Removed first and forgotten then: in between both may try, and that does no harm.
            drop(path);
            pending().files.remove(&name);
        }
    }
}

/// Folders made on the way to an output; those that are still empty go when this is dropped.
#[derive(Debug, Default)]
pub(crate) struct MadeFolders {
    /// The innermost first.
    folders: Vec<PathBuf>,
}

impl MadeFolders {
    /// Makes `folder` and those above it, as far as they are missing.
    pub(crate) fn make(folder: &Path) -> io::Result<Self> {
        let is_missing = |folder: &&Path| !folder.as_os_str().is_empty() && !folder.exists();
        let missing: Vec<PathBuf> = folder.ancestors().take_while(is_missing).map(Path::to_owned).collect();
        let mut pending = pending();
        fs::create_dir_all(folder)?;
        pending.folders.extend(missing.iter().cloned());
        Ok(Self { folders: missing })
    }

    /// They are in use now.
    pub(crate) fn keep(mut self) {
        self.forget();
    }

    fn forget(&mut self) -> Vec<PathBuf> {
        let folders = std::mem::take(&mut self.folders);
        pending().folders.retain(|folder| !folders.contains(folder));
        folders
    }
}

impl Drop for MadeFolders {
    fn drop(&mut self) {
        for folder in self.forget() {
            let _ = fs::remove_dir(folder);
        }
    }
}

/// Removes the temporary files in `folder` that hold such contents and whose runs were killed. Returns what the
/// manifests among them say.
pub(crate) fn sweep(folder: &Path, contents: &[Content]) -> Vec<Vec<u8>> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let stale = entries.filter_map(Result::ok).filter_map(|entry| {
        let content = content_of(entry.file_name().to_str()?).filter(|content| contents.contains(content))?;
        // Neither a link nor a folder nor a pipe is one of ours.
        entry.file_type().ok().filter(fs::FileType::is_file)?;
        Some((entry.path(), content))
    });
    stale.filter_map(|(path, content)| remove_stale(&path, content)).collect()
}

/// Removes one file unless its run lives; what it says, if it is a manifest.
fn remove_stale(path: &Path, content: Content) -> Option<Vec<u8>> {
    let file = File::open(path).ok()?;
    file.try_lock().ok()?;
    let manifest = if content == Content::Manifest { fs::read(path).ok() } else { None };
    let _ = fs::remove_file(path);
    manifest
}

/// What a file of this name holds; `None` if it is no temporary file of ours.
fn content_of(name: &str) -> Option<Content> {
    let rest = name.strip_prefix(PREFIX)?;
    let (random, suffix) = rest.split_at_checked(RANDOM_CHARS)?;
    let content =
        [Content::Data, Content::Manifest].into_iter().find(|content| content.suffix() == suffix)?;
    random.bytes().all(|byte| byte.is_ascii_alphanumeric()).then_some(content)
}

/// The folder a file stands in.
pub(crate) fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_ours() {
        assert_eq!(content_of(".logmill-aB3dE6gH9jK2.tmp"), Some(Content::Data));
        assert_eq!(content_of(".logmill-aB3dE6gH9jK2.manifest.tmp"), Some(Content::Manifest));
        for name in [".logmill-notes.tmp", ".logmill-aB3dE6gH9jK2", ".logmill-aB3dE6gH9jK-.tmp", "a.tmp", ""]
        {
            assert_eq!(content_of(name), None, "{name}");
        }
    }

    #[test]
    fn only_the_dead_are_swept() {
        let folder = tempfile::tempdir().expect("a folder");
        let living = Temporary::create(folder.path(), Content::Data).expect("room");
        let (dead, manifest, other) =
            (".logmill-aB3dE6gH9jK2.tmp", ".logmill-aB3dE6gH9jK2.manifest.tmp", ".logmill-mine.tmp");
        for name in [dead, manifest, other] {
            fs::write(folder.path().join(name), name).expect("room");
        }
        assert_eq!(sweep(folder.path(), &[Content::Data, Content::Manifest]), [manifest.as_bytes()]);
        assert!(living.path.as_ref().is_some_and(|path| path.exists()));
        assert!(folder.path().join(other).exists());
        assert!(!folder.path().join(dead).exists() && !folder.path().join(manifest).exists());
        drop(living);
        assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 1);
    }
}
