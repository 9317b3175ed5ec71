//! The whole analysis of one input: the same report and the same events for any window, and an
//! account that holds.

use std::num::NonZeroUsize;
use std::sync::LazyLock;

use logmill_analyze::model::EventRow;
use logmill_analyze::{Buckets, Bytes, Engine, EventsError, Input, Options, Selection};

/// Windows of a few lines, and one that holds everything.
static ENGINES: LazyLock<[Engine; 2]> = LazyLock::new(|| [engine(200), engine(1 << 20)]);

fn engine(window_bytes: usize) -> Engine {
    let options = Options { threads: Some(NonZeroUsize::MIN), window_bytes, ..Options::default() };
    Engine::new(options).expect("a thread")
}

/// One file whose name says nothing.
pub fn check(bytes: &[u8]) {
    let [narrow, wide] = &*ENGINES;
    let (narrow, wide) = (analyse(narrow, bytes), analyse(wide, bytes));
    for (one, other) in narrow.iter().zip(&wide) {
        assert_eq!(one, other, "windows change what is read");
    }
    assert_eq!(narrow.len(), wide.len(), "windows change how much is read");
}

/// The report and the events, as lines of text.
fn analyse(engine: &Engine, bytes: &[u8]) -> Vec<String> {
    let input = Bytes::new("input", bytes);
    let inputs: [&dyn Input; 1] = [&input];
    let survey = engine.survey(&inputs);
    let select = Selection::default();
    let report = survey.report(&select, Buckets::default()).expect("buckets of their own width fit");
    for file in &report.files {
        let parts = [
            file.bytes_record,
            file.bytes_continuation,
            file.bytes_structure,
            file.bytes_duplicate,
            file.bytes_rejected,
        ];
        assert_eq!(parts.iter().sum::<u64>(), file.bytes, "every byte is accounted for");
    }
    let mut lines: Vec<String> = format!("{report:#?}").lines().map(str::to_owned).collect();
    let push = |lines: &mut Vec<String>, row: &EventRow<'_>| lines.push(line(row));
    let take = |events: Vec<String>| -> Result<(), EventsError> {
        lines.extend(events);
        Ok(())
    };
    engine
        .events(&survey.event_plan(&select), &inputs, Vec::new, push, |lines| lines, take)
        .expect("memory can be read again");
    lines
}

fn line(row: &EventRow<'_>) -> String {
    format!(
        "{} {} {:?} {} {} {:?} {:?}",
        row.run.run_id,
        row.seq,
        row.step,
        row.line,
        row.byte_offset,
        row.record.message.decode(),
        row.record.payload.map(|payload| payload.decode()),
    )
}
