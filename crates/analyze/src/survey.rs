//! All runs of all inputs, before they are rows: ids made unique, repetitions left out,
//! metadata applied.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use logmill_parse::overlap::quick_print;
use logmill_parse::{Class, Code, Metadata, Micros, Platform, Severity, Status, StepKind};

use crate::cluster::{self, Distinct};

use crate::assemble::{DraftOrigin, Drafts, RunDraft, renumbered};
use crate::group::{FileDraft, GroupResult};
use crate::input::Input;
use crate::phases::StepDraft;
use crate::pipeline::{Detail, Options, Threads};
use crate::redact::Redactor;
use crate::shard::{ListedIssue, MAX_TEMPLATES, Measures, OTHER, Times};

/// A message told apart by platform, class and template.
#[derive(Debug, Clone)]
pub(crate) struct MessageTemplate {
    pub(crate) platform: Platform,
    pub(crate) class: Class,
    /// Masked message; words that turned out to vary are masked, too.
    pub(crate) text: Arc<str>,
}

/// Where something could not be read as expected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Input, by index.
    pub input: usize,
    /// What it is.
    pub code: Code,
    /// Lines before it; `None` where the input as a whole is meant.
    pub line: Option<u64>,
    /// Byte, from 0.
    pub offset: Option<u64>,
    /// Bytes it concerns; 0 where it is a single place or the input as a whole.
    pub n_bytes: u64,
}

/// Everything that was read.
#[derive(Debug)]
pub struct Survey {
    /// Makes the rows of a report.
    pub(crate) threads: Threads,
    /// Which tables it is good for.
    pub(crate) detail: Detail,
    /// Bytes of the windows it was made with.
    pub(crate) window_bytes: u64,
    /// Sources and members of the inputs.
    pub(crate) names: Vec<(String, Option<String>)>,
    /// Runs; in the order of the table once the survey is finished.
    pub(crate) runs: Drafts,
    /// Inputs, by index.
    pub(crate) files: Vec<FileDraft>,
    /// Messages by template.
    pub(crate) templates: Vec<MessageTemplate>,
    /// Their numbers; by the fingerprints of their texts first, which are compared faster than those.
    known_templates: BTreeMap<(u64, Platform, Class, Arc<str>), u32>,
    /// What the values of the runs are values of.
    pub(crate) measures: Measures,
    /// First input with a message that is not told apart.
    first_other: Option<usize>,
    metadata: BTreeMap<String, Vec<Metadata>>,
    /// Masks secrets in what is handed out.
    redactor: Option<Redactor>,
}

impl Survey {
    pub(crate) fn new(inputs: &[&dyn Input], options: &Options, threads: Threads) -> Self {
        let names = inputs
            .iter()
            .map(|input| (input.source().to_owned(), input.member().map(str::to_owned)))
            .collect();
        Self {
            threads,
            detail: options.detail,
            redactor: options.redactor.clone(),
            window_bytes: options.window_bytes as u64,
            names,
            runs: Vec::new(),
            files: Vec::new(),
            templates: Vec::new(),
            known_templates: BTreeMap::new(),
            measures: Measures::default(),
            first_other: None,
            metadata: BTreeMap::new(),
        }
    }

    /// What masks secrets, if they are to be masked.
    pub(crate) const fn redactor(&self) -> Option<&Redactor> {
        self.redactor.as_ref()
    }

    /// Where issues stand that are more than information, by input.
    #[must_use]
    pub fn places(&self) -> Vec<Place> {
        let mut places: Vec<Place> = Vec::new();
        for file in &self.files {
            let is_bad = |issue: &ListedIssue| {
                issue.code == Code::TooManyIssues || issue.code.severity() != Severity::Info
            };
            places.extend(file.issues.rows().iter().filter(|issue| is_bad(issue)).map(|issue| Place {
                input: file.input,
                code: issue.code,
                line: issue.line,
                offset: issue.offset,
                n_bytes: issue.n_bytes,
            }));
        }
        places.sort_by_key(|place| (place.input, place.offset, place.code));
        places
    }

    /// How many lines or records were rejected, and of how many. Elements of JSON need not be lines: of those,
    /// errors are counted.
    #[must_use]
    pub fn rejected(&self) -> (u64, u64) {
        let of_file = |file: &FileDraft| {
            let errors = file.issues.counts.iter().filter(|(code, _)| code.severity() == Severity::Error);
            let errors: u64 = errors.map(|(_, n)| *n).sum();
            let rejected = file.account.rejected.lines.max(errors);
            (rejected, file.account.total().lines.max(file.n_events + rejected))
        };
        self.files.iter().map(of_file).fold((0, 0), |(bad, all), (n, of)| (bad + n, all + of))
    }

    /// Adds what one group came down to.
    pub(crate) fn add(&mut self, group: GroupResult) {
        let measures = self.measures.numbers(&group.measures.list);
        let mut numbers: Vec<Option<(Platform, u32)>> = vec![None; group.templates.len()];
        for mut run in group.runs {
            if let Some(values) = Arc::get_mut(&mut run.metrics) {
                values.renumber(&measures);
            }
            let platform = run.about.platform;
            run.messages = renumbered(std::mem::take(&mut run.messages), |index| {
                let number = numbers.get_mut(index as usize)?;
                let id = match *number {
                    Some((of, id)) if of == platform => id,
                    _ => {
                        let template = group.templates.get(index as usize)?;
                        self.intern(platform, template.class, &template.text)
                    }
                };
                *number = Some((platform, id));
                if self.templates.get(id as usize).is_some_and(|known| *known.text == *OTHER) {
                    self.first_other.get_or_insert(run.home);
                }
                Some(id)
            });
            self.runs.push(run);
        }
        self.files.extend(group.files);
        for (path_id, metadata) in group.metadata {
            let id = metadata.run_id.clone().unwrap_or(path_id);
            self.metadata.entry(id).or_default().push(metadata);
        }
    }

    fn intern(&mut self, platform: Platform, class: Class, text: &Arc<str>) -> u32 {
        let key = (quick_print(text.as_bytes()), platform, class, Arc::clone(text));
        if let Some(id) = self.known_templates.get(&key) {
            return *id;
        }
        if self.templates.len() >= MAX_TEMPLATES && **text != *OTHER {
            return self.intern(platform, class, &Arc::from(OTHER));
        }
        let id = u32::try_from(self.templates.len()).unwrap_or(u32::MAX);
        self.templates.push(MessageTemplate { platform, class, text: Arc::clone(text) });
        self.known_templates.insert(key, id);
        id
    }

    /// Joins templates that differ only in a word that turns out to vary.
    fn merge_templates(&mut self) {
        let old = std::mem::take(&mut self.templates);
        self.known_templates.clear();
        let distinct: Vec<Distinct<'_>> = old
            .iter()
            .map(|template| Distinct {
                platform: template.platform,
                class: template.class,
                template: &template.text,
            })
            .collect();
        let merged = cluster::merge(&distinct);
        let ids: Vec<u32> = old
            .iter()
            .zip(merged)
            .map(|(old, text)| self.intern(old.platform, old.class, &text.into()))
            .collect();
        if ids.iter().zip(0..).all(|(id, old)| *id == old) {
            return;
        }
        for run in &mut self.runs {
            let messages = std::mem::take(&mut run.messages);
            run.messages = renumbered(messages, |index| ids.get(index as usize).copied());
        }
    }

    /// Makes ids unique, leaves out repeated runs, applies metadata and sorts.
    pub(crate) fn finish(&mut self) {
        self.files.sort_by_cached_key(|file| file.input);
        self.tell_of_too_many_templates();
        // Mostly they are in order, which costs less to see than to make room for sorting them.
        if !self.runs.is_sorted_by_key(|run| run.first_place()) {
            self.runs.sort_by_cached_key(|run| run.first_place());
        }
        self.qualify_stems();
        self.leave_out_repeated();
        self.merge_templates();
        let metadata = std::mem::take(&mut self.metadata);
        for run in &mut self.runs {
            for entry in metadata.get(&run.run_id).into_iter().flatten() {
                run.apply(entry);
            }
            run.add_queue();
        }
        self.sort_for_table();
    }

    /// Puts the runs in the order of the table, each of them moved once.
    fn sort_for_table(&mut self) {
        let mut order: Vec<(TableKey<'_>, usize)> =
            self.runs.iter().enumerate().map(|(index, run)| (run.table_key(), index)).collect();
        if order.is_sorted() {
            return;
        }
        order.sort_unstable();
        let order = order.into_iter().map(|(_, index)| index).collect();
        arrange(&mut self.runs, order);
    }

    /// Notes at the first input that messages had to be counted together.
    fn tell_of_too_many_templates(&mut self) {
        let Some(home) = self.first_other else { return };
        if let Some(file) = self.files.iter_mut().find(|file| file.input == home) {
            let message = format!("expected at most {MAX_TEMPLATES} distinct error messages, found more");
            file.issues.push_whole(Code::TooManyTemplates, message);
        }
    }

    /// Runs named by their files' stems alone get the folder in front where that tells them
    /// apart, and else the whole path.
    fn qualify_stems(&mut self) {
        for depth in 1..=MAX_FOLDERS {
            let renamed = self.repeated_stems(depth);
            if renamed.is_empty() {
                return;
            }
            for (index, id) in renamed {
                if let Some(run) = self.runs.get_mut(index) {
                    run.run_id = id;
                }
            }
        }
    }

    /// Runs whose stems are not theirs alone, each with one more folder in front.
    fn repeated_stems(&self, depth: usize) -> Vec<(usize, String)> {
        let is_stem = |run: &RunDraft| run.origin == DraftOrigin::Stem;
        if !self.runs.iter().any(|run| is_stem(run)) {
            return Vec::new();
        }
        let repeated = self.namesakes().into_iter().flatten();
        let stems = repeated.filter(|index| self.runs.get(*index).is_some_and(|run| is_stem(run)));
        stems.filter_map(|index| Some((index, self.qualified(self.runs.get(index)?, depth)?))).collect()
    }

    /// Runs of one platform and id wherever there are several, each set in their order.
    fn namesakes(&self) -> Vec<Vec<usize>> {
        let prints = self.runs.iter().map(|run| quick_print(run.run_id.as_bytes()));
        let mut prints: Vec<(u64, usize)> = prints.zip(0..).collect();
        prints.sort_unstable();
        let mut sets = Vec::new();
        for alike in prints.chunk_by(|a, b| a.0 == b.0).filter(|alike| alike.len() > 1) {
            let mut by_id: BTreeMap<(Platform, &str), Vec<usize>> = BTreeMap::new();
            for (_, index) in alike {
                let Some(run) = self.runs.get(*index) else { continue };
                by_id.entry((run.about.platform, &run.run_id)).or_default().push(*index);
            }
            sets.extend(by_id.into_values().filter(|set| set.len() > 1));
        }
        sets
    }

    /// The run's id with one more folder of its path in front.
    fn qualified(&self, run: &RunDraft, depth: usize) -> Option<String> {
        let (source, member) = self.names.get(run.first_place().0)?;
        let path = member.as_ref().map_or_else(|| source.clone(), |member| format!("{source}/{member}"));
        let mut folders = path.rsplit('/').skip(1).filter(|part| !matches!(*part, "" | "."));
        let folder = folders.nth(depth - 1)?;
        Some(format!("{folder}/{}", run.run_id))
    }

    /// Of runs with the same id the best one stays: one with a log of its own before one that
    /// is relayed, one that ended before one that did not, one with more events; else the first.
    fn leave_out_repeated(&mut self) {
        let mut drop = vec![false; self.runs.len()];
        for set in self.namesakes() {
            let standing = |index: &usize| self.runs.get(*index).map(|run| run.standing());
            let best = set.iter().copied().min_by_key(standing);
            for index in set {
                if let Some(flag) = drop.get_mut(index).filter(|_| best != Some(index)) {
                    *flag = true;
                }
            }
        }
        let mut dropped = drop.into_iter();
        let gone: Drafts = self.runs.extract_if(.., |_| dropped.next().unwrap_or_default()).collect();
        for run in gone {
            self.count_as_duplicate(&run);
        }
    }

    /// Moves the bytes and lines of a run that is left out to `duplicate`, in each input it stands in.
    fn count_as_duplicate(&mut self, run: &RunDraft) {
        for extent in &run.extents {
            // `finish` has put the files in the order of the inputs.
            let at = self.files.binary_search_by_key(&extent.input, |file| file.input);
            let Some(file) = at.ok().and_then(|at| self.files.get_mut(at)) else { continue };
            let logmill_parse::Account { record, continuation, duplicate, .. } = &mut file.account;
            let (mut bytes, mut lines) = (extent.bytes, extent.n_lines);
            for from in [record, continuation] {
                let (moved_bytes, moved_lines) = (bytes.min(from.bytes), lines.min(from.lines));
                from.bytes -= moved_bytes;
                from.lines -= moved_lines;
                duplicate.bytes += moved_bytes;
                duplicate.lines += moved_lines;
                (bytes, lines) = (bytes - moved_bytes, lines - moved_lines);
            }
            file.n_events -= extent.n_events.min(file.n_events);
        }
    }

    /// What there are runs of.
    #[must_use]
    pub fn groups(&self) -> BTreeSet<&str> {
        self.runs.iter().map(|run| run.group.as_str()).collect()
    }

    /// Name of an input.
    pub(crate) fn name(&self, input: usize) -> (&str, Option<&str>) {
        self.names.get(input).map_or(("", None), |(source, member)| (source.as_str(), member.as_deref()))
    }

    /// Source and member in one: `ARCHIVE!MEMBER`.
    pub(crate) fn full_name(&self, input: usize) -> String {
        match self.name(input) {
            (source, None) => source.to_owned(),
            (source, Some(member)) => format!("{source}!{member}"),
        }
    }
}

/// Platform, group, start and id of a run: what the table is sorted by.
type TableKey<'a> = (Platform, &'a str, bool, Option<Micros>, &'a str);

/// Folders that are put in front of a stem at most.
const MAX_FOLDERS: usize = 16;

impl RunDraft {
    /// Input and byte of its first event.
    pub(crate) fn first_place(&self) -> (usize, u64) {
        self.extents.first().map_or((self.home, 0), |extent| (extent.input, extent.start))
    }

    /// Smaller is better.
    fn standing(&self) -> impl Ord {
        (
            self.origin,
            self.bounds.1.is_none(),
            matches!(self.verdict.status, Status::Running | Status::Unknown),
            self.incomplete.is_some(),
            std::cmp::Reverse(self.counts.n_events),
        )
    }

    pub(crate) fn table_key(&self) -> TableKey<'_> {
        (self.about.platform, &self.group, self.instants().0.is_none(), self.instants().0, &self.run_id)
    }

    /// Start and stop, where they are instants.
    pub(crate) fn instants(&self) -> (Option<Micros>, Option<Micros>) {
        match self.times {
            Times::Instants => self.bounds,
            Times::OfDay => (None, None),
        }
    }

    /// Metadata decides over the log. Where both tell of the same end, the log says what lay behind it.
    fn apply(&mut self, metadata: &Metadata) {
        use logmill_parse::mark::Fact;
        if let Some(status) = metadata.status {
            let word = metadata.status_reason.as_deref().unwrap_or(status.as_str());
            let cause = match status {
                Status::Failed | Status::TimedOut if status == self.verdict.status => {
                    format!("; log: {}", self.verdict.reason)
                }
                _ => {
                    self.verdict.failure_class = None;
                    String::new()
                }
            };
            self.verdict.status = status;
            self.verdict.reason = format!("metadata: {word}{cause}");
        }
        self.kind = metadata.kind.or(self.kind);
        if let Some(group) = &metadata.group {
            self.group.clone_from(group);
        }
        if self.times == Times::Instants && is_of_one_clock(self.bounds, metadata) {
            self.bounds.0 = earliest(metadata.started_at, self.bounds.0);
            self.bounds.1 = metadata.stopped_at.max(self.bounds.1);
            self.queued_at = metadata.created_at.or(self.queued_at);
        }
        for (fact, value) in [
            (Fact::BuildId, &metadata.build_id),
            (Fact::Branch, &metadata.branch),
            (Fact::Commit, &metadata.commit),
        ] {
            if let Some(value) = value {
                self.facts.insert(fact, value.clone());
            }
        }
    }

    /// The wait before the run, where metadata tells it, is its first step. It lies outside the run and
    /// so at depth 1.
    fn add_queue(&mut self) {
        let (Some(queued_at), Some(started_at)) = (self.queued_at, self.bounds.0) else { return };
        if queued_at >= started_at {
            return;
        }
        for step in &mut self.steps {
            step.parent = step.parent.map(|parent| parent + 1);
        }
        let (from, to) = ((0, Some(queued_at)), (0, Some(started_at)));
        let queue =
            StepDraft { status: Status::Succeeded, ..StepDraft::new("queue", StepKind::Phase, 1, from, to) };
        self.steps.insert(0, queue);
    }
}

/// Puts the items in an order: `order` says for each place where its item stands now.
fn arrange<T>(items: &mut [T], mut order: Vec<usize>) {
    for place in 0..items.len() {
        let Some(mut from) = order.get(place).copied() else { return };
        // The item of a place in front has been swapped with the one that was wanted there.
        while from < place
            && let Some(swapped_with) = order.get(from)
        {
            from = *swapped_with;
        }
        if let Some(slot) = order.get_mut(place) {
            *slot = from;
        }
        if from < items.len() {
            items.swap(place, from);
        }
    }
}

/// The earlier one of those that are known.
fn earliest(a: Option<Micros>, b: Option<Micros>) -> Option<Micros> {
    a.into_iter().chain(b).min()
}

/// How far the clock of metadata may be off the log's, in microseconds.
const MAX_SKEW: Micros = 60_000_000;

/// Whether the log lies within the times that metadata states, give or take a minute: metadata has been
/// seen a month off its log, and no run lasts that long.
fn is_of_one_clock((start, stop): (Option<Micros>, Option<Micros>), metadata: &Metadata) -> bool {
    let first = earliest(metadata.created_at, metadata.started_at);
    let is_early =
        stop.or(start).zip(first).is_some_and(|(stop, first)| stop < first.saturating_sub(MAX_SKEW));
    let last = metadata.stopped_at;
    let is_late = start.zip(last).is_some_and(|(start, last)| start > last.saturating_add(MAX_SKEW));
    !is_early && !is_late
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_go_where_the_order_says() {
        #[track_caller]
        fn check(order: &[usize]) {
            let mut items: Vec<usize> = (0..order.len()).collect();
            arrange(&mut items, order.to_vec());
            assert_eq!(items, order, "the item of each place is the one that stood where the order says");
        }
        check(&[]);
        check(&[0]);
        check(&[2, 0, 1]);
        check(&[1, 2, 3, 4, 0]);
        check(&[4, 3, 2, 1, 0]);
        // 7 is a primitive root of 101: a circle through all hundred places.
        let circle: Vec<usize> =
            (0..100).scan(1, |at, _| Some(std::mem::replace(at, *at * 7 % 101) - 1)).collect();
        check(&circle);
    }
}
