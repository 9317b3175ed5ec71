//! `--quarantine`: the raw bytes of what could not be read, with an index of where they stood.
//!
//! ```text
//! DIR/index.ndjson     one line per piece: where it stood, why it is here, where it is now
//! DIR/000001.raw …     the pieces of one input, one behind the other
//! ```
//!
//! An input that is no log is kept whole, and so is one with more issues of a kind than are listed. All of it is
//! bounded: what is longer is cut, which `n_bytes` and `kept_bytes` show.

use std::fs;
use std::io::{self, Read, Write};
use std::path::Path;

use anyhow::{Context, Error};
use logmill_analyze::{Content, Input, Place};
use logmill_frame::{Existing, PendingFile};
use logmill_parse::Code;
use serde_json::json;

use crate::failure::Failure;
use crate::session::Session;

/// The list of what is there.
const INDEX: &str = "index.ndjson";
/// Bytes kept of one piece, of one input that is kept whole, and in all.
const MAX_PIECE: u64 = 1 << 20;
const MAX_INPUT: u64 = 64 << 20;
const MAX_TOTAL: u64 = 1 << 30;

/// Whether the folder may be used: it is not there, is empty, or holds an earlier quarantine.
///
/// # Errors
///
/// If it holds anything else, or lies in a folder that is read, where the next run would take it for logs.
pub fn check(folder: &Path, inputs: &[std::path::PathBuf]) -> Result<(), Failure> {
    let full = |path: &Path| std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    if let Some(input) = inputs.iter().find(|input| input.is_dir() && full(folder).starts_with(full(input))) {
        return Err(Failure::Usage(format!(
            "expected a folder for --quarantine outside of the inputs, found {} in {}",
            folder.display(),
            input.display()
        )));
    }
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(Error::new(error).context(cannot(folder)).into()),
    };
    let other = entries.filter_map(Result::ok).map(|entry| entry.file_name()).find(|name| !is_own(name));
    match other {
        Some(name) => Err(Failure::System(Error::msg(format!(
            "{}: expected a folder that is empty or holds an earlier quarantine, found {}",
            folder.display(),
            name.display()
        )))),
        None => Ok(()),
    }
}

fn cannot(path: &Path) -> String {
    format!("cannot write the quarantine {}", path.display())
}

fn is_own(name: &std::ffi::OsStr) -> bool {
    let name = name.to_string_lossy();
    let is_number = |stem: &str| stem.len() == 6 && stem.bytes().all(|byte| byte.is_ascii_digit());
    name == INDEX || name.starts_with(".logmill-") || name.strip_suffix(".raw").is_some_and(is_number)
}

/// Writes what could not be read. Says how many pieces there are.
///
/// # Errors
///
/// If the system refuses. An input that cannot be read again is left out.
pub fn write(session: &Session, folder: &Path) -> Result<usize, Failure> {
    fs::create_dir_all(folder).with_context(|| cannot(folder))?;
    // Without its index, what is there is no quarantine.
    for entry in fs::read_dir(folder).with_context(|| cannot(folder))?.filter_map(Result::ok) {
        if is_own(&entry.file_name()) && !entry.file_name().to_string_lossy().starts_with('.') {
            fs::remove_file(entry.path()).with_context(|| cannot(&entry.path()))?;
        }
    }
    let places = session.survey.places();
    let inputs = session.inputs();
    let (mut index, mut n_files, mut total, mut n) = (String::new(), 0_u32, 0_u64, 0_usize);
    for pieces in places.chunk_by(|a, b| a.input == b.input) {
        let Some(input) = pieces.first().and_then(|piece| inputs.get(piece.input)) else { continue };
        let name = format!("{:06}.raw", n_files + 1);
        let mut bytes = Vec::new();
        for (piece, range) in ranges(pieces) {
            let Ok(raw) = read(*input, range, MAX_TOTAL.saturating_sub(total)) else { continue };
            let kept = session.redactor().map_or(raw.as_slice().into(), |redactor| redactor.bytes(&raw));
            let row = json!({
                "source": session.masked(input.source()),
                "member": input.member().map(|member| session.masked(member)),
                "code": piece.code.as_str(),
                "line": piece.line.map(|line| line + 1),
                "byte_offset": range.0,
                "n_bytes": if range.1 == u64::MAX { None } else { Some(range.1) },
                "file": name,
                "file_offset": bytes.len(),
                "kept_bytes": kept.len(),
            });
            total += kept.len() as u64;
            bytes.extend_from_slice(&kept);
            index.push_str(&row.to_string());
            index.push('\n');
            n += 1;
        }
        if !bytes.is_empty() {
            put(&folder.join(&name), &bytes)?;
            n_files += 1;
        }
    }
    put(&folder.join(INDEX), index.as_bytes())?;
    Ok(n)
}

fn put(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let context = || cannot(path);
    let mut file = PendingFile::create(path, Existing::Replace).with_context(context)?;
    file.write_all(bytes).with_context(context)?;
    file.commit().with_context(context)?;
    Ok(())
}

/// What is kept of one input: offset and length of each piece; the whole where more is wrong than is listed.
fn ranges(pieces: &[Place]) -> Vec<(&Place, (u64, u64))> {
    let is_whole = |piece: &&Place| {
        matches!(
            piece.code,
            Code::UnknownFormat | Code::ErrorBody | Code::TooManyIssues | Code::DocumentTooLarge
        )
    };
    if let Some(whole) = pieces.iter().find(is_whole) {
        return vec![(whole, (0, u64::MAX))];
    }
    let with_bytes = pieces.iter().filter(|piece| piece.n_bytes > 0);
    let mut spans: Vec<(&Place, (u64, u64))> =
        with_bytes.map(|piece| (piece, (piece.offset.unwrap_or(0), piece.n_bytes))).collect();
    spans.sort_by_key(|(piece, range)| (range.0, range.1, piece.code));
    spans
}

/// The bytes of a range, as far as they are kept.
fn read(input: &dyn Input, (offset, len): (u64, u64), room: u64) -> io::Result<Vec<u8>> {
    let most = if len == u64::MAX { MAX_INPUT } else { len.min(MAX_PIECE) }.min(room);
    let mut bytes = Vec::new();
    match input.open()? {
        Content::Random(content) => {
            let left = content.size().saturating_sub(offset).min(most);
            bytes.resize(usize::try_from(left).unwrap_or(0), 0);
            let n = content.read_full(offset, &mut bytes)?;
            bytes.truncate(n);
        }
        Content::Stream(mut stream) => {
            io::copy(&mut stream.by_ref().take(offset), &mut io::sink())?;
            stream.take(most).read_to_end(&mut bytes)?;
        }
    }
    Ok(bytes)
}
