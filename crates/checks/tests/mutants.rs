//! Every check over the inputs of `testdata/`, the crash inputs that a fuzzer has found, and seeded
//! mutants of both.

#![expect(clippy::disallowed_methods, reason = "tests read files and share the work among threads")]

#[path = "../../parse/tests/support/random.rs"]
mod random;

use std::fs;
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};

use logmill_checks::{ALL, Check};
use random::Random;

/// Mutants of each input for each check.
const ROUNDS: usize = 3;
/// Bytes of an input that are used: enough for windows, few enough for the time there is.
const BYTES: usize = 3 << 10;

fn inputs() -> Vec<(PathBuf, Vec<u8>)> {
    let mut paths = Vec::new();
    collect(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata"), &mut paths);
    paths.sort();
    paths.into_iter().map(|path| (path.clone(), fs::read(&path).expect("a readable file"))).collect()
}

fn collect(folder: &Path, paths: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder of testdata") {
        let path = entry.expect("a readable folder").path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if path.is_dir() {
            collect(&path, paths);
        } else if !name.ends_with(".expect.json") && path.extension() != Some("md".as_ref()) {
            paths.push(path);
        }
    }
}

#[test]
fn every_check_holds_for_inputs_and_mutants() {
    let inputs = inputs();
    assert!(inputs.len() > 100, "testdata is there");
    let failed: Vec<String> = std::thread::scope(|scope| {
        let run = |check| {
            let inputs = &inputs;
            scope.spawn(move || failures(check, inputs))
        };
        let threads: Vec<_> = ALL.iter().map(run).collect();
        threads.into_iter().flat_map(|thread| thread.join().expect("panics are caught")).collect()
    });
    assert!(failed.is_empty(), "{} fail, see the messages above:\n{}", failed.len(), failed.join("\n"));
}

fn failures(check: &Check, inputs: &[(PathBuf, Vec<u8>)]) -> Vec<String> {
    let mut failed = Vec::new();
    for (path, bytes) in inputs {
        let bytes = bytes.get(..BYTES).unwrap_or(bytes);
        let mut random = Random(0x9e37_79b9_7f4a_7c15 ^ bytes.len() as u64);
        for round in 0..=ROUNDS {
            let mut mutant = [&[random.byte()], bytes].concat();
            for _ in 0..round {
                mutate(&mut mutant, &mut random);
            }
            if catch_unwind(|| (check.run)(&mutant)).is_err() {
                failed.push(format!("{} over {} in round {round}", check.name, path.display()));
            }
        }
    }
    failed
}

/// Bytes that mean something to some grammar.
const TELLING: &[u8] = b"\n\r\0\"\\{}[],: \t\x1b\xff";

fn mutate(bytes: &mut Vec<u8>, random: &mut Random) {
    let at = random.below(bytes.len().max(1));
    let end = (at + 1 + random.below(200)).min(bytes.len());
    match random.below(5) {
        0 => bytes.truncate(at),
        1 => bytes.insert(at, random.byte()),
        2 => bytes.insert(at, TELLING[random.below(TELLING.len())]),
        3 => drop(bytes.drain(at.min(end)..end)),
        _ => {
            let chunk = bytes[at.min(end)..end].to_vec();
            let to = random.below(bytes.len() + 1);
            bytes.splice(to..to, chunk);
        }
    }
}
