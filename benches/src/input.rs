//! How the upper rungs hand a corpus to the engine: in memory, or as files on disk.

use std::fs;
use std::io;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use logmill_analyze::{Content, Engine, Input, Options, ReadAt};
use tempfile::TempDir;

use crate::corpus::Corpus;

/// An engine with one thread: what the rungs below it are measured on.
///
/// # Panics
/// Where the system refuses a thread.
#[must_use]
pub fn engine() -> Engine {
    let options = Options { threads: Some(NonZeroUsize::MIN), ..Options::default() };
    Engine::new(options).expect("a thread")
}

/// The inputs as the engine wants them.
#[must_use]
pub fn borrowed<I: Input>(inputs: &[I]) -> Vec<&dyn Input> {
    inputs.iter().map(|input| input as &dyn Input).collect()
}

/// A file that is in memory, and stays there when it is opened.
pub struct Held {
    source: String,
    bytes: Arc<[u8]>,
}

impl Held {
    /// The files of a corpus.
    #[must_use]
    pub fn all(corpus: &Corpus) -> Vec<Self> {
        let held =
            |file: &crate::File| Self { source: file.source.clone(), bytes: file.bytes.as_slice().into() };
        corpus.files.iter().map(held).collect()
    }
}

impl Input for Held {
    fn source(&self) -> &str {
        &self.source
    }

    fn size_hint(&self) -> u64 {
        self.bytes.len() as u64
    }

    fn open(&self) -> io::Result<Content> {
        Ok(Content::Random(Box::new(Shared(Arc::clone(&self.bytes)))))
    }
}

struct Shared(Arc<[u8]>);

impl ReadAt for Shared {
    fn size(&self) -> u64 {
        self.0.len() as u64
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let rest = usize::try_from(offset).ok().and_then(|at| self.0.get(at..)).unwrap_or_default();
        let n = rest.len().min(buffer.len());
        if let (Some(to), Some(from)) = (buffer.get_mut(..n), rest.get(..n)) {
            to.copy_from_slice(from);
        }
        Ok(n)
    }
}

/// The files of a corpus in a folder that goes when this is dropped.
pub struct OnDisk {
    folder: TempDir,
    files: Vec<DiskFile>,
}

impl OnDisk {
    /// Writes them.
    ///
    /// # Panics
    /// Where the disk refuses.
    #[must_use]
    pub fn new(corpus: &Corpus) -> Self {
        let folder = TempDir::new().expect("a folder for temporary files");
        let write = |file: &crate::File| {
            let path = folder.path().join("corpus").join(&file.source);
            fs::create_dir_all(path.parent().unwrap_or(&path)).expect("a folder below it");
            fs::write(&path, &file.bytes).expect("room for a corpus");
            DiskFile { source: file.source.clone(), path, size: file.bytes.len() as u64 }
        };
        let files = corpus.files.iter().map(write).collect();
        Self { folder, files }
    }

    /// The files.
    #[must_use]
    pub fn files(&self) -> &[DiskFile] {
        &self.files
    }

    /// A place beside them for an output.
    #[must_use]
    pub fn output(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

/// A file on disk.
pub struct DiskFile {
    source: String,
    path: PathBuf,
    size: u64,
}

impl DiskFile {
    /// The file of this path.
    ///
    /// # Errors
    /// Whatever the operating system says.
    pub fn of(path: PathBuf) -> io::Result<Self> {
        let size = fs::metadata(&path)?.len();
        Ok(Self { source: path.to_string_lossy().into_owned(), path, size })
    }
}

impl Input for DiskFile {
    fn source(&self) -> &str {
        &self.source
    }

    fn size_hint(&self) -> u64 {
        self.size
    }

    fn open(&self) -> io::Result<Content> {
        Ok(Content::Random(Box::new(Opened::new(&self.path)?)))
    }
}

struct Opened {
    file: fs::File,
    size: u64,
}

impl Opened {
    fn new(path: &Path) -> io::Result<Self> {
        let file = fs::File::open(path)?;
        let size = file.metadata()?.len();
        Ok(Self { file, size })
    }
}

impl ReadAt for Opened {
    fn size(&self) -> u64 {
        self.size
    }

    #[cfg(unix)]
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        std::os::unix::fs::FileExt::read_at(&self.file, buffer, offset)
    }

    #[cfg(windows)]
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        std::os::windows::fs::FileExt::seek_read(&self.file, buffer, offset)
    }
}
