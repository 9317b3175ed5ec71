//! Records and marks, in windows, into a batch that is used again and again.

use logmill_bench::{read, rung};

fn main() {
    rung(
        "records",
        |corpus| {
            let found = read::records(corpus);
            assert_eq!(found.bytes, corpus.n_bytes(), "every byte of {} is accounted for", corpus.id());
            assert!(found.n > 0, "{} has events", corpus.id());
        },
        |corpus, ()| read::records(corpus),
    );
}
