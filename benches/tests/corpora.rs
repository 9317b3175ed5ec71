//! That the corpora are what the figures say they are.

use std::collections::BTreeSet;

use logmill_analyze::{Buckets, EventsError, Input, Selection, Survey};
use logmill_bench::input::{Held, OnDisk, borrowed, engine};
use logmill_bench::{Corpus, Size, corpora, read};
use logmill_parse::format;

#[test]
fn every_format_is_measured() {
    let measured: BTreeSet<&str> =
        corpora(Size::Tried).iter().map(|corpus| corpus.format.about().id).collect();
    let all: BTreeSet<&str> = format::ALL.iter().map(|format| format.about().id).collect();
    assert_eq!(measured, all);
}

#[test]
fn names_are_told_apart() {
    let corpora = corpora(Size::Tried);
    let ids: BTreeSet<String> = corpora.iter().map(Corpus::id).collect();
    assert_eq!(ids.len(), corpora.len(), "{ids:?}");
}

#[test]
fn lines_and_records_leave_no_byte_out() {
    for corpus in corpora(Size::Tried) {
        assert_eq!(read::lines(&corpus).bytes, corpus.n_bytes(), "{}", corpus.id());
        assert_eq!(read::records(&corpus).bytes, corpus.n_bytes(), "{}", corpus.id());
    }
}

#[test]
fn the_engine_finds_the_records_in_memory_and_on_disk() {
    for corpus in corpora(Size::Tried) {
        let (held, disk) = (Held::all(&corpus), OnDisk::new(&corpus));
        check_engine(&corpus, &borrowed(&held));
        check_engine(&corpus, &borrowed(disk.files()));
    }
}

/// Only records of pages that overlap may be missing, and their bytes are in the account.
#[track_caller]
fn check_engine(corpus: &Corpus, inputs: &[&dyn Input]) {
    let survey = engine().survey(inputs);
    let report = survey.report(&Selection::default(), Buckets::default()).expect("buckets by day");
    let n_events: u64 = report.files.iter().map(|file| file.n_events).sum();
    let n_records = read::records(corpus).n;
    assert!(n_events > 0, "{}", corpus.id());
    if report.files.iter().all(|file| file.bytes_duplicate == 0) {
        assert_eq!(n_events, n_records, "{}", corpus.id());
    } else {
        assert!(n_events < n_records, "{}: {n_events} events of {n_records} records", corpus.id());
    }
    assert_eq!(n_rows(&survey, inputs), Ok(n_events), "the second pass over {}", corpus.id());
}

/// Rows of the table of events, without making it.
fn n_rows(survey: &Survey, inputs: &[&dyn Input]) -> Result<u64, String> {
    let selection = Selection::default();
    let plan = survey.event_plan(&selection);
    let mut n_rows = 0;
    let take = |rows: u64| {
        n_rows += rows;
        Ok::<(), EventsError>(())
    };
    let result = engine().events(&plan, inputs, || 0, |rows, _| *rows += 1, |rows| rows, take);
    result.map(|()| n_rows).map_err(|error| error.to_string())
}
