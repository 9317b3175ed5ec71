//! From newline to newline: the floor.

use logmill_bench::{read, rung};

fn main() {
    rung(
        "lines",
        |corpus| assert_eq!(read::lines(corpus).bytes, corpus.n_bytes()),
        |corpus, ()| read::lines(corpus),
    );
}
