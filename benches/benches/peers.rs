//! Other libraries beside ours, on the same bytes, one thread each.

use criterion::{BenchmarkId, Throughput};
use logmill_bench::peers::peers;
use logmill_bench::{corpora, rung};

fn main() {
    let mut criterion = rung::criterion();
    for corpus in
        corpora(rung::size()).iter().filter(|corpus| matches!(corpus.name, "stream" | "files" | "page"))
    {
        let peers = peers(corpus.format.about().id);
        let facts: Vec<_> = peers.iter().map(|peer| (peer.read)(corpus)).collect();
        let ours = facts.first().copied().expect("ours is the first");
        for (peer, facts) in peers.iter().zip(&facts) {
            assert!(ours.agree(*facts), "{}: {} found {facts:?}, ours {ours:?}", corpus.id(), peer.name);
        }
        let mut group = criterion.benchmark_group(format!("peers/{}", corpus.id()));
        group.throughput(Throughput::Bytes(corpus.n_bytes()));
        for peer in &peers {
            let bench = BenchmarkId::from_parameter(peer.name);
            group.bench_function(bench, |bencher| bencher.iter(|| (peer.read)(corpus)));
        }
        group.finish();
    }
    criterion.final_summary();
}
