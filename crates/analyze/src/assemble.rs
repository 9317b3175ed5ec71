//! From shards to runs: which scopes make up a run, and where another begins.
//!
//! Everything here follows from marks; which line of which platform means what is decided in
//! `logmill-parse`. Drafts are finished (ids made unique, metadata applied) in [`crate::survey`].

mod builder;
mod crawls;
mod draft;

use std::collections::BTreeMap;

use logmill_parse::About;
use logmill_parse::mark::{Missing, Opening, RunHead, RunId};

use self::builder::Builder;
pub use self::draft::{DraftOrigin, Drafts, Extent, MessageDraft, RunDraft, renumbered};
use crate::identity::{Origin, PathIdentity};
use crate::shard::{Boundary, Scope, Shard, Texts};

/// Whether a further start in one input begins another run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SplitRuns {
    /// In an input whose path names one run it begins a segment; elsewhere it begins a run,
    /// unless it restarts the same thing and nothing says that the run before it had ended.
    #[default]
    Auto,
    /// Always another run.
    Always,
    /// Always a segment.
    Never,
}

/// Joins the scopes of one group of inputs to runs.
#[derive(Debug)]
pub struct Assembler {
    about: &'static About,
    split: SplitRuns,
    path: PathIdentity,
    own: Option<Builder>,
    relayed: BTreeMap<String, Builder>,
    /// Runs begun with the file's own id.
    own_runs: usize,
    /// Whether the next run of the source continues the one before (a further page of it).
    continues: bool,
    finished: Drafts,
    /// Messages that several shards say.
    texts: Texts,
}

/// Assembles the runs of a shard where that takes nothing from other shards: each of its scopes is a run that the
/// source names. Until they are handed to [`Assembler::append`], lines, records and numbers are the shard's own.
pub fn named_runs(about: &'static About, path: &PathIdentity, input: usize, shard: &mut Shard) {
    if !shard.scopes.iter().all(is_named) {
        return;
    }
    let own = |len: usize| (0..).take(len).collect();
    let numbers = Numbers { templates: own(shard.templates.len()), measures: own(shard.measures.len()) };
    let mut assembler = Assembler::new(about, path.clone(), SplitRuns::Never);
    for scope in std::mem::take(&mut shard.scopes) {
        assembler.add(scope, Place { input, lines: 0, record: 0 }, &numbers);
    }
    shard.runs = assembler.finish();
}

fn is_named(scope: &Scope) -> bool {
    let is_own = scope.stream.is_none();
    is_own && matches!(&scope.boundary, Some(Boundary::Run(head)) if head.id != RunId::File)
}

/// The group's numbers of what a shard counts on its own.
#[derive(Debug)]
pub struct Numbers {
    /// Of its templates.
    pub templates: Vec<u32>,
    /// Of its measures.
    pub measures: Vec<u32>,
}

/// Where a shard stands.
#[derive(Debug, Clone, Copy)]
pub struct Place {
    /// Index of the input.
    pub input: usize,
    /// Lines of the input before the shard.
    pub lines: u64,
    /// Events of the input before the shard.
    pub record: u64,
}

impl Assembler {
    /// An assembler for the inputs that `path` identifies.
    #[must_use]
    pub fn new(about: &'static About, path: PathIdentity, split: SplitRuns) -> Self {
        Self {
            about,
            split,
            path,
            own: None,
            relayed: BTreeMap::new(),
            own_runs: 0,
            continues: false,
            finished: Vec::new(),
            texts: Texts::default(),
        }
    }

    /// Says that the next scope comes from a further part of the same log.
    pub fn next_part(&mut self) {
        self.continues = self.own.is_some();
        if let Some(own) = &mut self.own {
            own.next_part();
        }
    }

    /// Adds the next scope.
    pub fn add(&mut self, mut scope: Scope, place: Place, numbers: &Numbers) {
        for used in scope.messages.values_mut() {
            used.example = self.texts.share(&used.example);
        }
        let builder = match &scope.stream {
            Some(key) => {
                let builder = self
                    .relayed
                    .entry(key.run_id.clone())
                    .or_insert_with(|| Builder::relayed(key.run_id.clone(), key.name.clone()));
                if let Some(Boundary::Opening(opening)) = &scope.boundary {
                    builder.open_or_restart(opening, &scope);
                }
                builder
            }
            None => self.own_builder(&scope),
        };
        builder.append(scope, place, numbers);
    }

    /// Adds runs that have been assembled by themselves, of a shard that stands at `place`.
    pub fn append(&mut self, runs: Drafts, place: Place, numbers: &Numbers) {
        if runs.is_empty() {
            return;
        }
        self.finish_own();
        for mut run in runs {
            run.settle(place, numbers);
            for (_, message) in &mut run.messages {
                message.example = self.texts.share(&message.example);
            }
            self.finished.push(run);
        }
    }

    /// Says that the log of the run at hand is not all there.
    pub fn incomplete(&mut self, reason: &'static str) {
        if let Some(own) = &mut self.own {
            own.lacks(Missing::Middle, reason);
        } else if let Some(last) = self.finished.last_mut() {
            last.incomplete.get_or_insert(reason);
        }
    }

    /// The runs, in the order in which they began.
    #[must_use]
    pub fn finish(mut self) -> Drafts {
        self.finish_own();
        for (_, builder) in std::mem::take(&mut self.relayed) {
            self.finished.push(Box::new(builder.finish(self.about)));
        }
        self.finished
    }

    fn own_builder(&mut self, scope: &Scope) -> &mut Builder {
        match &scope.boundary {
            Some(Boundary::Run(head)) if !(self.continues && head.id == RunId::File) => {
                self.finish_own();
                self.own = Some(self.build(Some(head)));
            }
            Some(Boundary::Opening(opening)) => {
                if self.own.as_ref().is_some_and(|own| self.begins_run(own, opening, scope)) {
                    self.finish_own();
                }
                self.current().open_or_restart(opening, scope);
            }
            _ => {}
        }
        self.continues = false;
        self.current()
    }

    /// The run at hand; the next one of the file where there is none.
    fn current(&mut self) -> &mut Builder {
        let own = match self.own.take() {
            Some(own) => own,
            None => self.build(None),
        };
        self.own.insert(own)
    }

    fn build(&mut self, head: Option<&RunHead<'static>>) -> Builder {
        if head.is_none_or(|head| head.id == RunId::File) {
            self.own_runs += 1;
        }
        Builder::own(&self.path, head, self.own_runs)
    }

    fn finish_own(&mut self) {
        if let Some(own) = self.own.take() {
            self.finished.push(Box::new(own.finish(self.about)));
        }
    }

    /// Whether an opening begins another run than the one being built.
    fn begins_run(&self, own: &Builder, opening: &Opening<'_>, scope: &Scope) -> bool {
        if !own.is_restart(opening) {
            return false;
        }
        match self.split {
            SplitRuns::Always => true,
            SplitRuns::Never => false,
            SplitRuns::Auto => self.path.origin == Origin::Stem && !own.goes_on(opening, scope.tally.span),
        }
    }
}

#[cfg(test)]
mod tests {
    use logmill_parse::mark::{Bounds, Mark, Metric};
    use logmill_parse::record::{Evidence, Flags};
    use logmill_parse::{Batch, Class, Codec, Kind, Level, Record, Span, Text, Wants, format};

    use super::*;
    use crate::identity;
    use crate::pipeline::Options;
    use crate::shard::Collector;

    const PLACE: Place = Place { input: 3, lines: 100, record: 1000 };

    /// Two lines a run, the second of which is stamped earlier, and says and measures something else.
    fn shard(ids: [RunId<'static>; 2]) -> Shard {
        let mut batch = Batch::new(Wants::Everything);
        for (id, line) in ids.into_iter().zip([0, 2]) {
            batch.mark(Mark::Run(Box::new(RunHead { kind: Kind::Execution, id, bounds: Bounds::Records })));
            for (line, name) in [(line, "first"), (line + 1, "second")] {
                batch.mark(Mark::Metric(Metric {
                    name: name.into(),
                    value: f64::from(line),
                    unit: "count",
                    label: "".into(),
                }));
                batch.records.push(error(line, name.as_bytes()));
            }
        }
        let mut collector = Collector::new(5000, &Options::default());
        collector.add(&batch, b"1\n2\n3\n4\n", 8, 0);
        collector.finish()
    }

    fn error(line: u32, message: &'static [u8]) -> Record<'static> {
        let start = 2 * line as usize;
        Record {
            span: Span { start, end: start + 2 },
            line,
            n_lines: 1,
            n_events: 1,
            ts: Some(1000 - i64::from(line)),
            until: None,
            clock: None,
            level: Level::Error,
            class: Class::Failure,
            logger: b"",
            message: Text { raw: message, codec: Codec::Plain },
            payload: None,
            stream: 0,
            flags: Flags::NONE,
            evidence: Evidence::NONE,
        }
    }

    fn stated(id: &'static str) -> RunId<'static> {
        RunId::Stated(id.into())
    }

    /// The runs of shards that follow each other, each prepared by `prepare`.
    fn assembled(shards: Vec<Shard>, prepare: impl Fn(&mut Shard, &'static About, &PathIdentity)) -> Drafts {
        let about = format::ALL.first().expect("a format").about();
        let path = identity::of_path("group/log.json");
        let mut assembler = Assembler::new(about, path.clone(), SplitRuns::Never);
        for mut shard in shards {
            prepare(&mut shard, about, &path);
            // What is first in the shard is not so in the group.
            let numbers = Numbers { templates: vec![7, 2], measures: vec![4, 1] };
            for scope in std::mem::take(&mut shard.scopes) {
                assembler.add(scope, PLACE, &numbers);
            }
            assembler.append(std::mem::take(&mut shard.runs), PLACE, &numbers);
        }
        assembler.finish()
    }

    #[test]
    fn runs_assembled_by_themselves_are_those_assembled_in_place() {
        let shards = || vec![shard([RunId::File, stated("a")]), shard([stated("b"), stated("c")])];
        let in_place = assembled(shards(), |_, _, _| {});
        let apart = assembled(shards(), |shard, about, path| {
            named_runs(about, path, PLACE.input, shard);
            assert_eq!(shard.runs.len() + shard.scopes.len(), 2, "all or none");
        });
        assert_eq!(format!("{apart:#?}"), format!("{in_place:#?}"));
        let ids: Vec<&str> = apart.iter().map(|run| run.run_id.as_str()).collect();
        assert_eq!(ids, ["log", "a", "b", "c"]);
        let last = apart.last().expect("a run");
        assert_eq!(last.extents.first().map(|extent| (extent.lines, extent.record)), Some((102, 1002)));
        assert_eq!(last.backward.map(|(n, (input, first))| (n, input, first.line)), Some((1, 3, 103)));
        let messages: Vec<_> = last.messages.iter().map(|(index, said)| (*index, said.place)).collect();
        assert_eq!(messages, [(2, (3, 103)), (7, (3, 102))]);
    }
}
