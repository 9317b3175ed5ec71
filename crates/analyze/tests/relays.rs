//! Many relayed runs in one log are told apart wherever it is cut, in both passes.

use std::fmt::Write;

use logmill_analyze::model::EventRow;
use logmill_analyze::{Buckets, Bytes, Engine, EventsError, Input, Options, Selection};

const RUNS: usize = 6000;

#[test]
fn thousands_of_relayed_runs() {
    let mut log = String::new();
    for round in 0..2 {
        for run in 0..RUNS {
            let second = round * 30 + run % 30;
            let _ = writeln!(
                log,
                "2025-03-01T10:00:{second:02}.500Z [apify.child runId:run{run:08}] -> 2025-03-01T10:00:{second:02}.000Z INFO  hello {round}"
            );
        }
    }
    let mut found = Vec::new();
    for window_bytes in [4096, 1 << 20, 4 << 20] {
        let input = Bytes::new("actor/parent.log", log.as_str());
        let inputs: [&dyn Input; 1] = [&input];
        let engine = Engine::new(Options { window_bytes, ..Options::default() }).expect("threads");
        let survey = engine.survey(&inputs);
        let report = survey.report(&Selection::default(), Buckets::default()).expect("buckets");
        assert_eq!(report.runs.len(), RUNS, "windows of {window_bytes} bytes");
        assert!(report.runs.iter().all(|run| run.n_events == 2));
        found.push(report.runs);
        let select = Selection::default();
        let mut seqs = Vec::new();
        let take = |mut rows: Vec<u64>| {
            seqs.append(&mut rows);
            Ok::<(), EventsError>(())
        };
        let push = |rows: &mut Vec<u64>, row: &EventRow<'_>| rows.push(row.seq);
        let plan = survey.event_plan(&select);
        engine.events(&plan, &inputs, Vec::new, push, |rows| rows, take).expect("memory can be read again");
        assert_eq!(seqs, [1, 2].repeat(RUNS));
    }
    assert!(found.windows(2).all(|pair| pair.first() == pair.last()));
}
