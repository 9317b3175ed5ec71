//! Stamps that step back are told once for a run, with the first of them.

use logmill_analyze::{Buckets, Bytes, Engine, Input, Options, Selection};

#[test]
fn one_issue_for_all_steps_back_of_a_run() {
    let log = "2026-09-21T14:13:20.000Z\tCloning repository...\n\
        2026-09-21T14:13:20.900Z\tb\n\
        2026-09-21T14:13:20.800Z\tc\n\
        2026-09-21T14:13:21.900Z\td\n\
        2026-09-21T14:13:21.100Z\te\n\
        2026-09-21T14:13:22.000Z\tFailed: root directory not found\n";
    let input = Bytes::new("shop/build.log", log);
    let inputs: [&dyn Input; 1] = [&input];
    let engine = Engine::new(Options::default()).expect("threads");
    let survey = engine.survey(&inputs, &|_| {});
    let report = survey.report(&Selection::default(), Buckets::default()).expect("buckets");
    let found: Vec<_> = report.issues.iter().map(|it| (it.code, it.line, it.message.as_str())).collect();
    let message = "2 stamps of run build are earlier than the one before";
    assert_eq!(found, [("backward-clock", Some(3), message)]);
}
