//! Runs, steps, counts and error groups: records, and what `logmill-analyze` makes of them.

use logmill_analyze::Engine;
use logmill_bench::input::{Held, borrowed, engine};
use logmill_bench::rung;

fn main() {
    rung(
        "tallies",
        |corpus| (engine(), Held::all(corpus)),
        |_, (engine, inputs): &(Engine, Vec<Held>)| engine.survey(&borrowed(inputs)),
    );
}
