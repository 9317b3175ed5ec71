//! The corpora: for every format of the registry, what there is of it.
//!
//! - `stream`: one generated file, as when many logs were put one after the other.
//! - `files`: generated, as a download leaves them.
//! - `page`: four times as much in one JSON document, of formats that have such: all runs in one page.
//! - `demo`: what `testdata/demo` has of it.
//! - `testdata`: `testdata/<id>`, for a format that the generator does not know.

use std::fs;
use std::path::{Path, PathBuf};

use logmill_generate::{Amount, Detail, FormatId, Plan};
use logmill_parse::detect::{Verdict, detect};
use logmill_parse::{Extent, Format, Head, Shape, encoding, format, limits};

/// Some logs of one format.
pub struct Corpus {
    /// Its name among those of the format.
    pub name: &'static str,
    /// The format of all of its files.
    pub format: &'static dyn Format,
    /// The files, in the order of their paths.
    pub files: Vec<File>,
}

/// A log.
pub struct File {
    /// Its path, as the engine is told.
    pub source: String,
    /// All of it.
    pub bytes: Vec<u8>,
    /// How it is read.
    pub shape: Shape,
}

/// How much is generated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Size {
    /// Enough for windows, threads and caches to show: 6 MiB for each generated corpus.
    Measured,
    /// Just enough to see that it works: 48 KiB.
    Tried,
}

impl Size {
    const fn bytes(self) -> u64 {
        match self {
            Self::Measured => 6 << 20,
            Self::Tried => 48 << 10,
        }
    }
}

/// The seed of everything generated here; another one makes figures that cannot be compared.
const SEED: u64 = 20_251_121;

/// Every corpus, by format in the order of the registry. The same for ever, as far as it is generated.
///
/// # Panics
/// Where the repository lacks its testdata, or a format does not recognise what was generated for it.
#[must_use]
pub fn corpora(size: Size) -> Vec<Corpus> {
    let mut demo = logs_below(&testdata().join("demo"));
    let mut corpora = Vec::new();
    for format in format::ALL.iter().copied() {
        let id = format.about().id;
        match FormatId::from_id(id) {
            Some(generated) => {
                corpora.push(stream(format, generated, size));
                corpora.push(files(format, generated, size));
                corpora.extend(page(format, generated, size));
            }
            None => corpora.extend(corpus("testdata", format, &mut logs_below(&testdata().join(id)))),
        }
        corpora.extend(corpus("demo", format, &mut demo));
    }
    corpora
}

impl Corpus {
    /// Format and name: `apify-log/stream`.
    #[must_use]
    pub fn id(&self) -> String {
        format!("{}/{}", self.format.about().id, self.name)
    }

    /// Size of all files.
    #[must_use]
    pub fn n_bytes(&self) -> u64 {
        self.files.iter().map(|file| file.bytes.len() as u64).sum()
    }
}

/// A file with the format it was recognised as.
type Log = (&'static dyn Format, File);

/// What `logs` has of a format, taken out of it.
fn corpus(name: &'static str, format: &'static dyn Format, logs: &mut Vec<Log>) -> Option<Corpus> {
    let of_format = |(found, _): &mut Log| found.about().id == format.about().id;
    let files: Vec<File> = logs.extract_if(.., of_format).map(|(_, file)| file).collect();
    if files.is_empty() { None } else { Some(Corpus { name, format, files }) }
}

fn stream(format: &'static dyn Format, generated: FormatId, size: Size) -> Corpus {
    let plan = plan(generated, size);
    let mut bytes = Vec::new();
    logmill_generate::stream(&plan, "stream", &mut bytes).expect("memory takes everything");
    let mut log = vec![recognised("stream.log".to_owned(), bytes).expect("a generated log is a log")];
    corpus("stream", format, &mut log).expect("a generated log is of its format")
}

/// What one page would hold if pages had no bound, which is how people join them.
fn page(format: &'static dyn Format, generated: FormatId, size: Size) -> Option<Corpus> {
    let (open, close, runs): (_, _, fn(&str) -> Option<&str>) = match generated {
        FormatId::CloudflareBuild => (r#"{"result":{"lines":["#, r#"]},"success":true}"#, tuples),
        FormatId::AlloyExecution => (r#"{"data":["#, "]}", |execution| Some(execution)),
        FormatId::ApifyLog | FormatId::ApifySchedule => return None,
    };
    let plan = Plan { amount: Amount::Bytes(4 * size.bytes()), ..plan(generated, size) };
    let mut lines = Vec::new();
    logmill_generate::stream(&plan, "page", &mut lines).expect("memory takes everything");
    let lines = String::from_utf8(lines).expect("generated JSON is UTF-8");
    let runs: Vec<&str> = lines.lines().filter_map(runs).collect();
    let bytes = [open, &runs.join(","), close].concat().into_bytes();
    corpus("page", format, &mut vec![recognised("page.json".to_owned(), bytes)?])
}

/// What stands in the brackets of a build's `lines`.
fn tuples(build: &str) -> Option<&str> {
    let (_, tuples) = build.split_once(r#""lines":["#)?;
    tuples.get(..=tuples.rfind("]]")?)
}

fn files(format: &'static dyn Format, generated: FormatId, size: Size) -> Corpus {
    let mut logs = Vec::new();
    let mut sink = |path: &Path, bytes: &[u8]| {
        logs.extend(recognised(slashed(path), bytes.to_vec()));
        Ok(())
    };
    logmill_generate::files(&plan(generated, size), &mut sink).expect("memory takes everything");
    corpus("files", format, &mut logs).expect("a generated dump has logs of its format")
}

const fn plan(format: FormatId, size: Size) -> Plan {
    Plan { detail: Detail::Totals, ..Plan::new(format, SEED, Amount::Bytes(size.bytes())) }
}

fn testdata() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../testdata")
}

/// All logs below a folder, in the order of their paths. What is something else is left out.
fn logs_below(folder: &Path) -> Vec<Log> {
    let mut paths = Vec::new();
    collect(folder, &mut paths);
    paths.sort();
    let log = |path: &PathBuf| {
        let source = path.strip_prefix(folder).unwrap_or(path);
        recognised(slashed(source), fs::read(path).expect("a readable file"))
    };
    paths.iter().filter_map(log).collect()
}

fn collect(folder: &Path, paths: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder of testdata") {
        let path = entry.expect("a readable folder").path();
        if path.is_dir() {
            collect(&path, paths);
        } else if !path.to_string_lossy().ends_with(".expect.json") {
            paths.push(path);
        }
    }
}

fn slashed(path: &Path) -> String {
    let parts: Vec<_> = path.iter().map(|part| part.to_string_lossy()).collect();
    parts.join("/")
}

/// The file, if it is a log that is read as it stands (UTF-16 is not).
fn recognised(source: String, bytes: Vec<u8>) -> Option<Log> {
    if encoding::utf16(&bytes).is_some() {
        return None;
    }
    let text = bytes.get(encoding::bom_len(&bytes)..).unwrap_or_default();
    let head = match text.get(..limits::HEAD_BYTES) {
        Some(bytes) if bytes.len() < text.len() => Head { bytes, extent: Extent::Part },
        _ => Head { bytes: text, extent: Extent::Whole },
    };
    match detect(head) {
        Verdict::Log { format, shape } => Some((format, File { source, bytes, shape })),
        _ => None,
    }
}
