//! Reading a JSON document into shards: in parts side by side where it can be divided, else as one.
//!
//! Where a large array may be divided is guessed by its format. Every part is read as if the guess before it was
//! right, and the document counts as divided only if each part ends as the next one supposes, which makes all
//! guesses right: the first part begins with the document. Else it is read once more, as one. So are parts that
//! state the same run.
//!
//! Owns whether parts count as the document. Where it may be divided its format says; how its bytes come into
//! memory, and what becomes of its shards, is left to [`crate::group`].

use logmill_parse::mark::{RunHead, RunId};
use logmill_parse::overlap::quick_print;
use logmill_parse::{Batch, Carry, Code, Delivery, Depth, End, Format, Mark, Window, limits};

use crate::pipeline::{self, Options};
use crate::read::{Prints, fingerprints, with_buffers};
use crate::shard::{Boundary, Collector, Scope, Shard};

/// Largest JSON document, in bytes.
pub const MAX_DOCUMENT_BYTES: u64 = 1 << 30;

/// A document, or a part of one.
#[derive(Debug, Clone, Copy)]
pub struct Document<'a> {
    /// Its bytes, without a byte order mark.
    pub bytes: &'a [u8],
    /// Offset of its first byte.
    pub start: u64,
}

/// A document's shard, and what its records look like.
#[derive(Debug, Default)]
pub struct DocumentShard {
    /// The shard.
    pub shard: Shard,
    /// Fingerprint of every record; none where the source states the ids of its runs, which
    /// then tell repetitions apart.
    pub prints: Vec<u64>,
}

/// Reads a document as one, leaving out its first `skipped` records.
#[must_use]
pub fn read_whole(
    format: &'static dyn Format,
    document: Document<'_>,
    options: &Options,
    skipped: usize,
    prints: Prints,
) -> DocumentShard {
    with_buffers(options.detail.wants(), |_, batch| {
        let mut batch = batch.recycle();
        let window = Window { bytes: document.bytes, offset: document.start, end: End::Input };
        let mut collector = Collector::new(document.start, options);
        // Records that are compared with those of other documents are needed all at once.
        let delivery = match prints {
            Prints::Unwanted if skipped == 0 => Delivery::InParts(&mut |part| collector.add_part(part)),
            Prints::Wanted | Prints::Unwanted => Delivery::AtEnd,
        };
        let consumed = format.parse(window, &mut Carry::default(), &mut batch, delivery);
        collector.add(&batch, document.bytes, consumed.min(document.bytes.len()), skipped);
        if skipped > 0 {
            collector.issue_at_end(
                Code::OverlappingPage,
                &format!("{skipped} records stand in an earlier page already"),
            );
        }
        let prints = match prints {
            Prints::Wanted if !states_ids(&batch) => fingerprints(&batch),
            Prints::Wanted | Prints::Unwanted => Vec::new(),
        };
        (DocumentShard { shard: collector.finish(), prints }, batch.recycle())
    })
}

fn states_ids(batch: &Batch<'_>) -> bool {
    batch.marks.iter().any(|marked| match &marked.mark {
        Mark::Run(head) => head.id != RunId::File,
        _ => false,
    })
}

/// A part of a document.
#[derive(Debug)]
pub struct Part {
    /// What was carried to it.
    pub carry: Carry,
    /// Its length.
    pub bytes: u64,
    /// Its shard.
    pub shard: Shard,
    /// Fingerprints of the ids of runs that it states.
    ids: Vec<u64>,
    /// Whether it begins with events of a run that begins before it.
    goes_on: bool,
}

/// Reads a document in parts, by all threads, of which each does `finish` with its shard; `None` if it has to be
/// read as one.
#[must_use]
pub fn read_in_parts(
    format: &'static dyn Format,
    document: Document<'_>,
    options: &Options,
    finish: impl Fn(&mut Shard) + Sync,
) -> Option<Vec<Part>> {
    let stretches = divide(format, document, options.window_bytes);
    if stretches.len() < 2 {
        return None;
    }
    let read = |stretch| read_part(format, stretch, options, &finish);
    let parts = pipeline::map_all(stretches.clone(), read)?;
    let parts =
        pipeline::map_all(joined(&stretches, parts), |(stretch, part)| part.or_else(|| read(stretch)))?;
    (are_apart(&parts) && !are_too_bad(&parts)).then_some(parts)
}

/// A stretch of a document between two seams.
#[derive(Debug, Clone, Copy)]
struct Stretch<'a> {
    /// All of the document.
    document: Document<'a>,
    /// Its first byte in the document.
    from: usize,
    /// Its length.
    len: usize,
    carry: Carry,
    /// What is carried on from it, unless the document ends with it.
    behind: Option<Carry>,
}

impl<'a> Stretch<'a> {
    fn bytes(self) -> &'a [u8] {
        self.document.bytes.get(self.from..self.from + self.len).unwrap_or_default()
    }

    /// This one and the next one.
    const fn with(self, next: Self) -> Self {
        Self { len: self.len + next.len, behind: next.behind, ..self }
    }
}

/// The stretches of a document, of about so many bytes.
fn divide<'a>(format: &dyn Format, document: Document<'a>, bytes: usize) -> Vec<Stretch<'a>> {
    let mut stretches = Vec::new();
    let (mut start, mut carry) = (0, Carry::default());
    let mut add = |from: usize, to: usize, carry, behind| {
        stretches.push(Stretch { document, from, len: to - from, carry, behind });
    };
    let seams = if document.bytes.len() > bytes { format.seams(document.bytes, bytes) } else { Vec::new() };
    for seam in seams.into_iter().filter(|seam| seam.at < document.bytes.len()) {
        if seam.at > start {
            add(start, seam.at, carry, Some(seam.carry));
            (start, carry) = (seam.at, seam.carry);
        }
    }
    add(start, document.bytes.len(), carry, None);
    stretches
}

/// Reads a part; `None` if it does not end as the next one supposes.
fn read_part(
    format: &'static dyn Format,
    stretch: Stretch<'_>,
    options: &Options,
    finish: impl Fn(&mut Shard),
) -> Option<Part> {
    let Stretch { document, from, carry, behind, .. } = stretch;
    let (bytes, start) = (stretch.bytes(), document.start + from as u64);
    with_buffers(options.detail.wants(), |_, batch| {
        let mut batch = batch.recycle();
        let mut collector = Collector::new(start, options);
        let end = if behind.is_some() { End::Seam } else { End::Input };
        let window = Window { bytes, offset: start, end };
        let mut ends = carry;
        let delivery = Delivery::InParts(&mut |part| collector.add_part(part));
        let consumed = format.parse(window, &mut ends, &mut batch, delivery);
        let is_right = match behind {
            Some(behind) => consumed == bytes.len() && ends == behind,
            None => ends.depth == Depth::Outside,
        };
        // What stands before a problem tells secrets, whichever part it is in.
        let end = from + consumed.min(bytes.len());
        collector.add_within(&batch, document.bytes, from..end, 0);
        let mut shard = collector.finish();
        let ids = shard.scopes.iter().filter_map(stated_id).collect();
        let begins_run = |scope: &Scope| matches!(scope.boundary, Some(Boundary::Run(_)));
        let goes_on = shard.scopes.first().is_some_and(|first| !begins_run(first));
        if is_right {
            finish(&mut shard);
        }
        let part = Part { carry, bytes: bytes.len() as u64, shard, ids, goes_on };
        (is_right.then_some(part), batch.recycle())
    })
}

/// A fingerprint of the id of the run that the scope begins, if it is stated.
fn stated_id(scope: &Scope) -> Option<u64> {
    match &scope.boundary {
        Some(Boundary::Run(RunHead { id: RunId::Stated(id), .. })) => Some(quick_print(id.as_bytes())),
        _ => None,
    }
}

/// The parts, and in place of those that state the same run one that is still to be read: of copies of a run in a
/// document, its format chooses. They stand close together where a page repeats the end of the one before.
fn joined<'a>(stretches: &[Stretch<'a>], parts: Vec<Part>) -> Vec<(Stretch<'a>, Option<Part>)> {
    let last_alike = last_alike(&parts);
    let mut joined: Vec<(Stretch<'a>, Option<Part>)> = Vec::with_capacity(parts.len());
    let mut last = 0;
    for (index, ((part, stretch), alike)) in parts.into_iter().zip(stretches).zip(last_alike).enumerate() {
        match joined.last_mut().filter(|_| index > 0 && index <= last) {
            Some((together, read)) => {
                *read = None;
                *together = together.with(*stretch);
            }
            None => joined.push((*stretch, Some(part))),
        }
        last = last.max(alike);
    }
    joined
}

/// For each part the last one that states a run which it states.
fn last_alike(parts: &[Part]) -> Vec<usize> {
    let mut ids: Vec<(u64, usize)> = Vec::new();
    for (index, part) in parts.iter().enumerate() {
        ids.extend(part.ids.iter().map(|id| (*id, index)));
    }
    ids.sort_unstable();
    let mut last: Vec<usize> = (0..parts.len()).collect();
    for alike in ids.chunk_by(|(one, _), (other, _)| one == other) {
        if let ([(_, from), ..], [.., (_, to)]) = (alike, alike)
            && let Some(last) = last.get_mut(*from)
        {
            *last = (*last).max(*to);
        }
    }
    last
}

/// Whether no run that has been assembled by itself goes on in the next part.
fn are_apart(parts: &[Part]) -> bool {
    let goes_on = |pair: &[Part]| match pair {
        [before, part] => part.goes_on && !before.shard.runs.is_empty(),
        _ => false,
    };
    !parts.windows(2).any(goes_on)
}

/// Whether there are as many problems as are listed of one document. Parts list as many each, so that which ones
/// are left out would depend on where it was divided.
fn are_too_bad(parts: &[Part]) -> bool {
    let issues: u64 = parts.iter().flat_map(|part| part.shard.issues.counts.values()).sum();
    issues >= limits::MAX_ISSUES as u64
}

/// A part of a divided document, and what has been found before it.
#[derive(Debug, Clone, Copy)]
pub struct PartPlace {
    /// First byte.
    pub offset: u64,
    /// Lines before it.
    pub lines: u64,
    /// Records before it.
    pub record: u64,
    /// What is carried to it.
    pub carry: Carry,
}

#[cfg(test)]
mod tests {
    use logmill_parse::mark::Bounds;
    use logmill_parse::{Kind, Wants, format};

    use super::*;
    use crate::{assemble, identity};

    /// A shard of one run that has been assembled by itself.
    fn assembled() -> Shard {
        let mut batch = Batch::new(Wants::Everything);
        let id = RunId::Stated("a".into());
        batch.mark(Mark::Run(Box::new(RunHead { kind: Kind::Execution, id, bounds: Bounds::Records })));
        let mut collector = Collector::new(0, &Options::default());
        collector.add(&batch, b"", 0, 0);
        let mut shard = collector.finish();
        let about = format::ALL.first().expect("a format").about();
        assemble::named_runs(about, &identity::of_path("group/page.json"), 0, &mut shard);
        assert_eq!(shard.runs.len(), 1);
        shard
    }

    #[test]
    fn a_run_that_has_been_assembled_does_not_go_on() {
        let part =
            |shard, goes_on| Part { carry: Carry::default(), bytes: 0, shard, ids: Vec::new(), goes_on };
        assert!(are_apart(&[part(assembled(), false), part(assembled(), false)]));
        assert!(!are_apart(&[part(assembled(), false), part(Shard::default(), true)]));
        assert!(
            are_apart(&[part(Shard::default(), false), part(Shard::default(), true)]),
            "it is still open"
        );
    }
}
