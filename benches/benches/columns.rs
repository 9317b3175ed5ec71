//! The table of events: records read a second time, with run and step, into columns.

use logmill_analyze::{Engine, EventsError, Selection, Survey};
use logmill_bench::input::{Held, borrowed, engine};
use logmill_bench::{Corpus, rung};
use logmill_frame::EventColumns;

/// What has been found out before the second pass.
struct Surveyed {
    engine: Engine,
    inputs: Vec<Held>,
    survey: Survey,
    selection: Selection,
}

fn main() {
    rung("columns", prepare, |_, surveyed| fill(surveyed));
}

fn prepare(corpus: &Corpus) -> Surveyed {
    let (engine, inputs) = (engine(), Held::all(corpus));
    let survey = engine.survey(&borrowed(&inputs));
    let surveyed = Surveyed { engine, inputs, survey, selection: Selection::default() };
    assert!(fill(&surveyed) > 0, "{} has events", corpus.id());
    surveyed
}

/// Makes the columns and says how many rows they have.
fn fill(surveyed: &Surveyed) -> usize {
    let plan = surveyed.survey.event_plan(&surveyed.selection);
    let mut n_rows = 0;
    let result: Result<(), EventsError> = surveyed.engine.events(
        &plan,
        &borrowed(&surveyed.inputs),
        EventColumns::new,
        EventColumns::push,
        |columns| columns.into_frame().expect("columns of the schema"),
        |frame| {
            n_rows += frame.height();
            Ok(())
        },
    );
    result.expect("inputs that do not change");
    n_rows
}
