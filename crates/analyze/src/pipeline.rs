//! The one place where work is spread over threads.
//!
//! Everything below is a plain loop over a slice. Results come back in the order of the work,
//! so that nothing downstream depends on the number of threads.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::io;
use std::num::NonZeroUsize;
use std::sync::Arc;

use logmill_parse::{Format, Wants};
use rayon::prelude::*;

use crate::assemble::SplitRuns;
use crate::events::{EventPlan, EventsError, Share, Unread};
use crate::group::read_group;
use crate::identity::{self, Layout, Origin, PathIdentity};
use crate::input::Input;
use crate::model::EventRow;
use crate::redact::Redactor;
use crate::reopen::Cursors;
use crate::survey::Survey;
use crate::turns::Turns;
use crate::volume::{self, Volume};

/// Groups of inputs for each thread that are read while those before them are joined to the survey.
const GROUPS_PER_THREAD: usize = 512;

/// Which tables a survey is good for. Less takes less memory and time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Detail {
    /// The events; and of the report runs without their first errors, steps, issues and files.
    Events,
    /// All but requests and metrics.
    Runs,
    /// All but metrics.
    Requests,
    /// All.
    Everything,
}

impl Detail {
    /// What the formats are asked for.
    pub(crate) const fn wants(self) -> Wants {
        match self {
            Self::Events | Self::Runs => Wants::Runs,
            Self::Requests => Wants::Requests,
            Self::Everything => Wants::Everything,
        }
    }
}

/// How inputs are read.
#[derive(Clone)]
pub struct Options {
    /// Threads; all cores when `None`.
    pub threads: Option<NonZeroUsize>,
    /// Bytes of a window of text.
    pub window_bytes: usize,
    /// The format of every input; recognised by content when `None`.
    pub from: Option<&'static dyn Format>,
    /// How paths name runs and groups. Where it is `None` or does not fit, the last part of a path that looks
    /// like an id is the run's, and the folder above that part is the group.
    pub layout: Option<Layout>,
    /// Whether a further start in one input begins another run.
    pub split: SplitRuns,
    /// Which tables the survey is to be good for.
    pub detail: Detail,
    /// Masks secrets in everything that is handed out.
    pub redactor: Option<Redactor>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            threads: None,
            window_bytes: 1 << 20,
            from: None,
            layout: None,
            split: SplitRuns::Auto,
            detail: Detail::Everything,
            redactor: None,
        }
    }
}

impl std::fmt::Debug for Options {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Options")
            .field("threads", &self.threads)
            .field("window_bytes", &self.window_bytes)
            .field("from", &self.from.map(|format| format.about().id))
            .field("layout", &self.layout)
            .field("split", &self.split)
            .field("detail", &self.detail)
            .field("redactor", &self.redactor)
            .finish()
    }
}

/// Threads and options.
#[derive(Debug)]
pub struct Engine {
    pool: Arc<rayon::ThreadPool>,
    options: Options,
}

/// The threads of an engine, for what is left to do when all has been read.
#[derive(Debug, Clone)]
pub struct Threads(Arc<rayon::ThreadPool>);

impl Threads {
    /// Both results, worked out side by side.
    pub fn both<A: Send, B: Send>(
        &self,
        one: impl FnOnce() -> A + Send,
        other: impl FnOnce() -> B + Send,
    ) -> (A, B) {
        self.0.install(|| rayon::join(one, other))
    }
}

/// The threads could not be started.
#[derive(Debug)]
pub struct EngineError(rayon::ThreadPoolBuildError);

impl std::fmt::Display for EngineError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "cannot start threads: {}", self.0)
    }
}

impl std::error::Error for EngineError {}

impl Engine {
    /// Starts the threads.
    ///
    /// # Errors
    ///
    /// If the operating system refuses a thread.
    pub fn new(options: Options) -> Result<Self, EngineError> {
        let threads = options.threads.map_or(0, NonZeroUsize::get);
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().map_err(EngineError)?;
        Ok(Self { pool: Arc::new(pool), options })
    }

    /// How inputs are read.
    #[must_use]
    pub const fn options(&self) -> &Options {
        &self.options
    }

    /// How many threads there are.
    #[must_use]
    pub(crate) fn threads(&self) -> usize {
        self.pool.current_num_threads()
    }

    /// Reads every byte of the inputs and counts the newlines: the floor under everything else.
    ///
    /// # Errors
    ///
    /// The first thing that the operating system refuses.
    pub fn volume(&self, inputs: &[&dyn Input]) -> io::Result<Volume> {
        let volumes = self.pool.install(|| {
            map(inputs.to_vec(), |input| volume::of(input, |stretches, read| map(stretches, read)))
        });
        volumes.into_iter().try_fold(Volume::default(), |sum, volume| Ok(sum.plus(volume?)))
    }

    /// Reads all inputs and assembles their runs. Whoever wants to know how far it is counts what leaves the
    /// inputs.
    #[must_use]
    pub fn survey(&self, inputs: &[&dyn Input]) -> Survey {
        let groups = groups(inputs, &self.options);
        let mut survey = Survey::new(inputs, &self.options, Threads(Arc::clone(&self.pool)));
        let read = |group: &GroupOfInputs| read_group(inputs, &group.members, &group.path, &self.options);
        let add = |result| {
            survey.add(result);
            Ok(())
        };
        let done: Result<(), Infallible> =
            self.pool.install(|| in_order(&groups, GROUPS_PER_THREAD, read, add));
        let Ok(()) = done;
        survey.finish();
        survey
    }

    /// Reads the events of the selected runs, in the order of the table. Each share of the work
    /// fills a chunk of its own, made by `new`, filled by `push` and closed by `close`; `take`
    /// gets what `close` made of them, in order.
    ///
    /// # Errors
    ///
    /// The first error of `take`; at the end, if some inputs could not be read again, those.
    pub fn events<C: Send, B: Send, E: Send + From<EventsError>>(
        &self,
        plan: &EventPlan<'_>,
        inputs: &[&dyn Input],
        new: impl Fn() -> C + Sync,
        push: impl Fn(&mut C, &EventRow<'_>) + Sync,
        close: impl Fn(C) -> B + Sync,
        mut take: impl FnMut(B) -> Result<(), E> + Send,
    ) -> Result<(), E> {
        let cursors = Cursors::default();
        let work = |share: &Share| {
            let mut chunk = new();
            let unread = plan.read(share, inputs, &cursors, &self.options, &mut |row| push(&mut chunk, row));
            (close(chunk), unread)
        };
        let mut unread = Vec::new();
        self.in_order(plan.shares(), work, |(chunk, mut missed): (B, Vec<Unread>)| {
            unread.append(&mut missed);
            take(chunk)
        })?;
        Ok(EventsError::of(unread)?)
    }

    /// Runs `work` on each item by all threads, and hands the results to `take` in order.
    /// Never more than a few results wait.
    ///
    /// # Errors
    ///
    /// The first error that `take` returns.
    pub(crate) fn in_order<T: Send + Sync, R: Send, E: Send>(
        &self,
        items: &[T],
        work: impl Fn(&T) -> R + Sync,
        take: impl FnMut(R) -> Result<(), E> + Send,
    ) -> Result<(), E> {
        let turns = Turns::new(items, self.threads() * ITEMS_PER_THREAD, take);
        self.pool.broadcast(|_| turns.run(&work));
        turns.finish()
    }
}

/// Items of [`Engine::in_order`] that each thread may have begun before the first of them is handed on.
const ITEMS_PER_THREAD: usize = 2;

/// Runs `work` on each item by all threads of the pool at hand, and hands the results to `take` in order. It may
/// be called by work that is spread over the same pool: a thread without an item does other work of the pool. At
/// most twice `per_thread` results for each thread wait; the fewer, the more often threads run out of items.
///
/// # Errors
///
/// The first error that `take` returns.
pub fn in_order<T: Sync, R: Send, E: Send>(
    items: &[T],
    per_thread: usize,
    work: impl Fn(&T) -> R + Sync,
    mut take: impl FnMut(R) -> Result<(), E> + Send,
) -> Result<(), E> {
    let at_once = rayon::current_num_threads().max(1) * per_thread.max(1);
    let mut ready: Vec<R> = Vec::new();
    for chunk in items.chunks(at_once) {
        // While this chunk is being worked on, the results of the one before are taken.
        let before = std::mem::take(&mut ready);
        let (results, taken) = rayon::join(
            || chunk.par_iter().with_max_len(1).map(&work).collect::<Vec<R>>(),
            || before.into_iter().try_for_each(&mut take),
        );
        taken?;
        ready = results;
    }
    ready.into_iter().try_for_each(&mut take)
}

/// `work` on each item, by all threads of the pool at hand; the results in the order of the items.
pub fn map<T: Send, R: Send>(items: Vec<T>, work: impl Fn(T) -> R + Sync + Send) -> Vec<R> {
    match items.len() {
        0 | 1 => items.into_iter().map(work).collect(),
        _ => items.into_par_iter().map(work).collect(),
    }
}

/// As [`map`], if there is a result of each item; as soon as one is missing, no further item is begun.
pub fn map_all<T: Send, R: Send>(
    items: Vec<T>,
    work: impl Fn(T) -> Option<R> + Sync + Send,
) -> Option<Vec<R>> {
    items.into_par_iter().with_max_len(1).map(work).collect()
}

/// Inputs whose paths name the same run.
struct GroupOfInputs {
    path: PathIdentity,
    members: Vec<usize>,
    bytes: u64,
}

/// The groups, largest first, so that no thread is left with a large one at the end.
fn groups(inputs: &[&dyn Input], options: &Options) -> Vec<GroupOfInputs> {
    let mut by_id: BTreeMap<String, usize> = BTreeMap::new();
    let mut groups: Vec<GroupOfInputs> = Vec::new();
    for (index, input) in inputs.iter().enumerate() {
        let path = identify(*input, options);
        let bytes = input.size_hint();
        let known = if path.origin == Origin::Id { by_id.get(&path.run_id).copied() } else { None };
        if let Some(group) = known.and_then(|known| groups.get_mut(known)) {
            group.members.push(index);
            group.bytes += bytes;
            continue;
        }
        if path.origin == Origin::Id {
            by_id.insert(path.run_id.clone(), groups.len());
        }
        groups.push(GroupOfInputs { path, members: vec![index], bytes });
    }
    groups.sort_by_cached_key(|group| std::cmp::Reverse(group.bytes));
    groups
}

fn identify(input: &dyn Input, options: &Options) -> PathIdentity {
    let path = input.member().unwrap_or_else(|| input.source());
    let laid_out = options.layout.as_ref().and_then(|layout| layout.identify(path));
    laid_out.unwrap_or_else(|| identity::of_path(path))
}
