//! Writes a generated dump and the truth about it.
//!
//! `cargo run -p logmill-generate --release --example write_dump -- FORMAT SIZE OUT [SEED]`
//!
//! FORMAT is a format id, or `all` for a folder with all four. SIZE is in bytes, or with `K`, `M`, `G`.
//! OUT is a file (one stream) when its name has an extension, else a folder. The truth goes to
//! `OUT.truth.json`.

#![expect(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "the library writes nothing, this does"
)]

use std::error::Error;
use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use logmill_generate::{Amount, FormatId, Plan, Truth, files, stream};

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [format, size, out, seed @ ..] = args.as_slice() else {
        return Err("usage: write_dump FORMAT SIZE OUT [SEED]".into());
    };
    let size = bytes(size).ok_or("expected SIZE like 500000, 64K, 10M or 1G")?;
    let seed = seed.first().map_or(Ok(1), |seed| seed.parse())?;
    let out = PathBuf::from(out);
    let formats: Vec<FormatId> = match format.as_str() {
        "all" => FormatId::ALL.to_vec(),
        id => vec![FormatId::from_id(id).ok_or("expected a format id or `all`")?],
    };
    let share = size / u64::try_from(formats.len())?;
    let mut truths = Vec::new();
    for format in formats {
        let plan = Plan::new(format, seed, Amount::Bytes(share));
        truths.push((format.as_str(), write(&plan, &out)?));
    }
    let truth_path = PathBuf::from(format!("{}.truth.json", out.display()));
    let truth: serde_json::Map<_, _> = truths
        .iter()
        .map(|(id, truth)| Ok(((*id).to_owned(), serde_json::to_value(truth)?)))
        .collect::<serde_json::Result<_>>()?;
    serde_json::to_writer(BufWriter::new(File::create(truth_path)?), &truth)?;
    Ok(())
}

fn write(plan: &Plan, out: &Path) -> std::io::Result<Truth> {
    if let (Some(stem), true) = (out.file_stem(), out.extension().is_some()) {
        let mut file = BufWriter::with_capacity(1 << 20, File::create(out)?);
        let truth = stream(plan, &stem.to_string_lossy(), &mut file)?;
        file.flush()?;
        return Ok(truth);
    }
    files(plan, &mut |path, bytes| {
        let path = out.join(path);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::write(path, bytes)
    })
}

fn bytes(text: &str) -> Option<u64> {
    let (digits, unit) = match text.char_indices().last()? {
        (at, 'K' | 'k') => (&text[..at], 1 << 10),
        (at, 'M' | 'm') => (&text[..at], 1 << 20),
        (at, 'G' | 'g') => (&text[..at], 1 << 30),
        _ => (text, 1),
    };
    digits.parse::<u64>().ok()?.checked_mul(unit)
}
