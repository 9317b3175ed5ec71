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
    let begins_named = match &scope.boundary {
        Some(Boundary::Run(head)) => head.id != RunId::File,
        _ => false,
    };
    begins_named && scope.stream.is_none()
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
