//! What the benches have in common: one group per rung, one bench per corpus, bytes per second.

use std::env;
use std::hint::black_box;
use std::time::Duration;

use criterion::{BenchmarkId, Criterion, SamplingMode, Throughput};

use crate::corpus::{Corpus, Size, corpora};

/// Measures `work` over every corpus. `prepare` runs outside the timer, and only for corpora that were asked for.
pub fn rung<P, R>(name: &str, prepare: impl Fn(&Corpus) -> P, work: impl Fn(&Corpus, &P) -> R) {
    let mut criterion = criterion();
    let mut group = criterion.benchmark_group(name);
    group.sampling_mode(SamplingMode::Flat);
    for corpus in &corpora(size()) {
        let mut prepared = None;
        group.throughput(Throughput::Bytes(corpus.n_bytes()));
        group.bench_function(BenchmarkId::from_parameter(corpus.id()), |bencher| {
            let prepared = prepared.get_or_insert_with(|| prepare(corpus));
            bencher.iter(|| black_box(work(corpus, prepared)));
        });
    }
    group.finish();
    criterion.final_summary();
}

/// How every bench is measured, unless the command line says otherwise.
#[must_use]
pub fn criterion() -> Criterion {
    Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2))
        .configure_from_args()
}

/// `cargo bench` passes `--bench`; under `cargo test` every bench runs once, to see that it works.
#[must_use]
pub fn size() -> Size {
    let given = |flag: &str| env::args().any(|argument| argument == flag);
    if given("--bench") && !given("--test") { Size::Measured } else { Size::Tried }
}
