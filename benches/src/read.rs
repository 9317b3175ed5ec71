//! How the lower rungs go through a corpus: line by line, and window by window into a reused batch.

use logmill_parse::{Batch, Carry, Delivery, End, Shape, Wants, Window, encoding};

use crate::corpus::{Corpus, File};

/// The window the program reads text in.
const WINDOW_BYTES: usize = 1 << 20;

/// What a pass over a corpus came upon; a bench that skips work shows here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Found {
    /// Lines or events.
    pub n: u64,
    /// The bytes that belong to them, or to anything else that is accounted for.
    pub bytes: u64,
}

/// Goes from newline to newline. Nothing that reads lines can be faster.
#[must_use]
pub fn lines(corpus: &Corpus) -> Found {
    let mut found = Found::default();
    for file in &corpus.files {
        let mut start = 0;
        for newline in memchr::memchr_iter(b'\n', &file.bytes) {
            found.n += 1;
            found.bytes += (newline + 1 - start) as u64;
            start = newline + 1;
        }
        let rest = file.bytes.len() - start;
        found.n += u64::from(rest > 0);
        found.bytes += rest as u64;
    }
    found
}

/// Reads all records, with all marks.
#[must_use]
pub fn records(corpus: &Corpus) -> Found {
    let mut found = Found::default();
    batches(corpus, &mut |batch| {
        found.n += batch.records.len() as u64;
        found.bytes += batch.account.total().bytes;
    });
    found.bytes += corpus.files.iter().map(|file| encoding::bom_len(&file.bytes) as u64).sum::<u64>();
    found
}

/// Reads all records, with all marks, and shows them batch by batch.
pub fn batches(corpus: &Corpus, take: &mut dyn FnMut(&Batch<'_>)) {
    let mut batch = Batch::new(Wants::Everything);
    for file in &corpus.files {
        batch = read(corpus, file, batch, take);
    }
}

/// Reads one file, and returns the batch for the next one.
fn read(
    corpus: &Corpus,
    file: &File,
    batch: Batch<'static>,
    take: &mut dyn FnMut(&Batch<'_>),
) -> Batch<'static> {
    let mut batch = batch;
    if file.shape == Shape::Document {
        let bytes = file.bytes.get(encoding::bom_len(&file.bytes)..).unwrap_or_default();
        let offset = (file.bytes.len() - bytes.len()) as u64;
        let mut out = batch.recycle();
        let window = Window { bytes, offset, end: End::Input };
        corpus.format.parse(window, &mut Carry::default(), &mut out, Delivery::InParts(take));
        take(&out);
        return out.recycle();
    }
    let mut carry = Carry::default();
    let mut start = encoding::bom_len(&file.bytes);
    let mut capacity = WINDOW_BYTES;
    loop {
        let rest = file.bytes.get(start..).unwrap_or_default();
        let (bytes, end) = match rest.get(..capacity) {
            Some(bytes) if bytes.len() < rest.len() => (bytes, End::More),
            _ => (rest, End::Input),
        };
        let mut out = batch.recycle();
        let window = Window { bytes, offset: start as u64, end };
        let consumed = corpus.format.parse(window, &mut carry, &mut out, Delivery::AtEnd);
        take(&out);
        batch = out.recycle();
        if end == End::Input {
            return batch;
        }
        start += consumed;
        if consumed == 0 {
            capacity = capacity.saturating_mul(2);
        }
    }
}
