//! The four properties of every format over every input there is: the whole of `testdata/`, and the
//! collected samples where they lie beside the repository.
//!
//! 1. Spans are inside the input, in order, and the account holds every byte and line (checked on every read).
//! 2. Any cut of the input gives the same records.
//! 3. A recycled batch that has seen an input once has room for it: reading it again grows nothing.
//! 4. No input panics.

#[path = "support/divide.rs"]
mod divide;
#[path = "support/random.rs"]
mod random;
mod support;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use divide::FOLDED;
use logmill_parse::{Batch, Carry, Delivery, End, Format, Shape, Wants, Window, format};
use random::Random;
use support::{Input, Reading};

/// Sizes a reader might use, and some that cut everywhere.
const WINDOW_SIZES: [usize; 5] = [64, 100, 1000, 4096, 1 << 20];
/// Bytes of the parts of a document.
const DIVISION_SIZES: [usize; 3] = [1, 500, 10_000];

fn all_inputs() -> Vec<Input> {
    let samples: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/samples");
    [support::inputs(&support::testdata()), support::inputs(&samples)].concat()
}

/// Runs `check` on every pair of a format and an input, the formats side by side, and names the pairs that fail.
#[expect(clippy::disallowed_methods, reason = "a format a thread: the work is long")]
fn for_each_pair(check: impl Fn(&dyn Format, &Input) + Sync) {
    let inputs = all_inputs();
    let failed = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for format in format::ALL {
            let (inputs, check, failed) = (&inputs, &check, &failed);
            scope.spawn(move || {
                for input in inputs {
                    if catch_unwind(AssertUnwindSafe(|| check(*format, input))).is_err() {
                        let name = format!("{} over {}", format.about().id, input.path.display());
                        failed.lock().expect("no panic while locked").push(name);
                    }
                }
            });
        }
    });
    let failed = failed.into_inner().expect("no panic while locked");
    assert!(failed.is_empty(), "{} fail, see the messages above:\n{}", failed.len(), failed.join("\n"));
}

#[test]
fn any_cut_gives_the_same_records() {
    for_each_pair(|format, input| check_cuts(format, &input.bytes));
}

fn check_cuts(format: &dyn Format, bytes: &[u8]) {
    let shape = support::shape(format, bytes);
    let whole = support::whole(format, bytes, shape);
    if shape.is_none() || shape == Some(Shape::Document) {
        same(&whole, &divide::parts(format, bytes), "in parts");
        return check_division(format, bytes, &whole);
    }
    for size in WINDOW_SIZES {
        same(&whole, &divide::windows(format, bytes, shape, size), &format!("in windows of {size}"));
        if shape == Some(Shape::Windows) {
            same(&whole, &divide::pieces(format, bytes, shape, size), &format!("in pieces of {size}"));
        }
    }
}

/// Where a document can be divided, it is read as if it was not.
fn check_division(format: &dyn Format, bytes: &[u8], whole: &Reading) {
    for size in DIVISION_SIZES {
        if let Some(divided) = divide::divided(format, bytes, size) {
            same(whole, &divided, &format!("divided by {size}"));
        }
    }
}

#[track_caller]
fn same(whole: &Reading, divided: &Reading, how: &str) {
    for (one, other) in whole.events.iter().zip(&divided.events) {
        assert_eq!(one, other, "{how}");
    }
    assert_eq!(whole.events.len(), divided.events.len(), "events {how}");
    assert_eq!(whole.end_marks, divided.end_marks, "marks at the end {how}");
    assert_eq!(whole.account, divided.account, "account {how}");
    assert_eq!(unfolded(whole), unfolded(divided), "issues {how}");
}

fn unfolded(reading: &Reading) -> Vec<&(&'static str, u64, u64, String)> {
    let folded = |code: &str| FOLDED.iter().any(|folded| folded.as_str() == code);
    reading.issues.iter().filter(|(code, ..)| !folded(code)).collect()
}

#[test]
fn a_recycled_batch_does_not_grow() {
    for_each_pair(|format, input| {
        let batch = read_into(format, &input.bytes, Batch::new(Wants::Everything)).recycle();
        let room = capacities(&batch);
        let batch = read_into(format, &input.bytes, batch);
        assert_eq!(room, capacities(&batch));
    });
}

fn read_into<'a>(format: &dyn Format, bytes: &'a [u8], mut batch: Batch<'a>) -> Batch<'a> {
    let window = Window { bytes, offset: 0, end: End::Input };
    format.parse(window, &mut Carry::default(), &mut batch, Delivery::AtEnd);
    batch
}

fn capacities(batch: &Batch<'_>) -> [usize; 4] {
    [batch.records.capacity(), batch.marks.capacity(), batch.streams.capacity(), batch.issues.capacity()]
}

#[test]
fn mutated_inputs_do_not_panic() {
    for_each_pair(|format, input| {
        let own = input.path.parent().and_then(divide::format_of);
        let rounds = if own.is_some_and(|own| own.about().id == format.about().id) { 60 } else { 6 };
        let mut random = Random(0x9e37_79b9_7f4a_7c15 ^ input.bytes.len() as u64);
        for _ in 0..rounds {
            let mut bytes = input.bytes.clone();
            bytes.truncate(1 << 16);
            for _ in 0..=random.below(4) {
                mutate(&mut bytes, &mut random);
            }
            check_mutant(format, &bytes);
        }
    });
}

/// Reads a mutant whole and divided; [`Reading::add`] checks spans and accounts.
fn check_mutant(format: &dyn Format, bytes: &[u8]) {
    let shape = support::shape(format, bytes);
    let whole = support::whole(format, bytes, shape);
    if shape.is_none() || shape == Some(Shape::Document) {
        same(&whole, &divide::parts(format, bytes), "in parts");
        check_division(format, bytes, &whole);
    }
    if shape == Some(Shape::Windows) {
        same(&whole, &divide::windows(format, bytes, shape, 100), "in windows of 100, mutated");
        same(&whole, &divide::pieces(format, bytes, shape, 1000), "in pieces of 1000, mutated");
    }
}

/// Bytes that mean something to some grammar.
const TELLING: &[u8] = b"\n\r\0\"\\{}[],: \t\x1b\xff";

fn mutate(bytes: &mut Vec<u8>, random: &mut Random) {
    if bytes.is_empty() {
        return;
    }
    let at = random.below(bytes.len());
    let end = (at + 1 + random.below(200)).min(bytes.len());
    match random.below(6) {
        0 => bytes.truncate(at),
        1 => bytes[at] = random.byte(),
        2 => bytes[at] = TELLING[random.below(TELLING.len())],
        3 => bytes.insert(at, random.byte()),
        4 => drop(bytes.drain(at..end)),
        _ => {
            let chunk = bytes[at..end].to_vec();
            let to = random.below(bytes.len());
            bytes.splice(to..to, chunk);
        }
    }
}
