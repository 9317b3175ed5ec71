//! What a file holds: its members, those of archives and compressed files one level inside included.

use std::io;
use std::sync::Arc;

use crate::fault::{Fault, FaultKind};
use crate::kind::{HEAD_BYTES, Kind, kind};
use crate::member::{Base, Filled, Layer, Member, fill, read_some};
use crate::shelf::OnShelf;
use crate::store::{Pinned, Place, ReadAt, Span, read_full};

mod tars;
mod zips;

/// Archives and compressed files inside of archives are read to this level.
const MAX_DEPTH: u32 = 1;
/// A stored member up to this size is compared with its checksum when it is opened.
const CHECKED_BYTES: u64 = 16 << 20;
/// No format packs better than this; so many bytes cannot become too many to hold for a moment.
const MAX_RATIO: u64 = 1032;

/// How much may come out of one file.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Decompressed bytes of all its members.
    pub total_bytes: u64,
    /// Decompressed bytes of one member.
    pub member_bytes: u64,
    /// Members.
    pub members: usize,
    /// Bytes of memory for what would have to be decompressed again and again.
    pub shelf_bytes: u64,
}

/// What a file holds.
#[derive(Debug, Default)]
pub struct Contents {
    /// Its members, in their order.
    pub members: Vec<Member>,
    /// Why there may be more of them than are known.
    pub fault: Option<Fault>,
}

/// What the bytes of a place begin like.
///
/// # Errors
///
/// The operating system's.
pub fn look(bytes: &dyn ReadAt) -> io::Result<Kind> {
    let mut head = [0; HEAD_BYTES];
    let n = read_full(bytes, 0, &mut head)?;
    Ok(kind(head.get(..n).unwrap_or_default()))
}

/// Lists what a compressed file or an archive holds. Members whose paths `keep` refuses are left out.
///
/// # Errors
///
/// The operating system's. What is wrong with the archive is part of the contents.
pub fn list(place: Arc<dyn Place>, limits: Limits, keep: &dyn Fn(&str) -> bool) -> io::Result<Contents> {
    let place = Arc::new(Pinned::new(place)?);
    let len = place.open()?.size();
    let mut listing = Listing {
        limits,
        keep,
        left: limits.total_bytes,
        shelf_left: limits.shelf_bytes,
        contents: Contents::default(),
    };
    let span = Span { place: Arc::clone(&place) as Arc<dyn Place>, start: 0, len, cut: None };
    let result = listing.layer(Packing::new(None, Base::Span(span), len), 0);
    place.release();
    result.map(|()| listing.contents)
}

struct Listing<'a> {
    limits: Limits,
    keep: &'a dyn Fn(&str) -> bool,
    /// Decompressed bytes that may still come.
    left: u64,
    shelf_left: u64,
    contents: Contents,
}

/// Bytes that may be compressed, or an archive, or a member.
struct Packing {
    name: Option<String>,
    base: Base,
    layers: Vec<Layer>,
    size_hint: u64,
    /// Compressed bytes it is made of.
    packed: u64,
}

impl Packing {
    fn new(name: Option<String>, base: Base, packed: u64) -> Self {
        Self { name, base, layers: Vec::new(), size_hint: packed, packed }
    }

    fn member(self) -> Member {
        Member::new(self.name, self.base, self.layers, self.size_hint)
    }

    /// The first bytes, as far as there are any.
    fn head(&self) -> io::Result<Vec<u8>> {
        let member = Member::new(None, self.base.clone(), self.layers.clone(), 0);
        let (head, error) = match member.reader() {
            Ok(mut reader) => read_some(&mut reader, HEAD_BYTES as u64),
            Err(error) => (Vec::new(), Some(error)),
        };
        // Faults are the member's own affair, and show when it is read.
        match error {
            Some(error) if Fault::of(&error).is_none() => Err(error),
            _ => Ok(head),
        }
    }
}

impl Listing<'_> {
    /// Looks into something at a depth: unpacks it, lists it, or takes it for a member.
    fn layer(&mut self, mut packing: Packing, mut depth: u32) -> io::Result<()> {
        let mut is_packed = false;
        loop {
            match kind(&packing.head()?) {
                Kind::Plain => {
                    self.push(packing);
                    return Ok(());
                }
                _ if depth > MAX_DEPTH => {
                    self.refuse(packing.name, too_deep());
                    return Ok(());
                }
                Kind::Packed(_) if is_packed => {
                    depth += 1;
                    is_packed = false;
                }
                Kind::Packed(codec) => {
                    packing.layers.push(Layer::Decode(codec));
                    packing.layers.push(Layer::Limit(self.limits.member_bytes.min(self.left)));
                    is_packed = true;
                }
                Kind::Tar => return self.tar(packing, depth + 1),
                Kind::Zip => return self.zip(packing, depth + 1),
            }
        }
    }

    fn push(&mut self, packing: Packing) {
        let may_be_large = packing.packed.saturating_mul(MAX_RATIO) > CHECKED_BYTES;
        let is_packed = !packing.layers.is_empty();
        let packed = packing.packed;
        let mut member = packing.member();
        if !member.is_anywhere() {
            // Nothing is won by reading large ones first: they are best met as they come.
            member.size_hint = 0;
        }
        if is_packed && may_be_large && !matches!(member.base, Base::Walk(..)) {
            // The only member may have all there is; others share by their sizes.
            member.shelf_bytes = match member.name {
                None => self.shelf_left,
                Some(_) => packed.saturating_mul(3).min(self.shelf_left),
            };
            self.shelf_left -= member.shelf_bytes;
        }
        self.add(member);
    }

    fn refuse(&mut self, name: Option<String>, fault: Fault) {
        self.add(Member::new(name, Base::Fault(fault), Vec::new(), 0));
    }

    fn add(&mut self, member: Member) {
        self.contents.members.push(member);
    }

    /// Whether there may be one more member; if not, says so once.
    fn has_room(&mut self) -> bool {
        let has_room = self.contents.members.len() < self.limits.members;
        if !has_room {
            let limit = self.limits.members;
            self.fault(Fault::limit(format!("expected at most {limit} members, found more")));
        }
        has_room
    }

    /// Whether a member of this name is to be taken in.
    ///
    /// # Errors
    ///
    /// `StorageFull` where there is no room for more members: the listing ends.
    fn wants(&mut self, name: &str) -> io::Result<bool> {
        if !(self.keep)(name) {
            return Ok(false);
        }
        if self.has_room() { Ok(true) } else { Err(io::ErrorKind::StorageFull.into()) }
    }

    /// What the end of a listing means: an archive whose end is missing has told so where a member
    /// of it is cut off.
    fn listed(&mut self, result: io::Result<()>, is_told: bool) -> io::Result<()> {
        let Err(error) = result else { return Ok(()) };
        match Fault::of(&error) {
            Some(fault) if !is_told => {
                self.fault(fault.clone());
                Ok(())
            }
            None if error.kind() != io::ErrorKind::StorageFull => Err(error),
            _ => Ok(()),
        }
    }

    /// Notes why there may be more members.
    fn fault(&mut self, fault: Fault) {
        self.contents.fault.get_or_insert(fault);
    }

    /// The bytes of an archive as something of which any place can be read; `None` if they take too
    /// much memory.
    fn span(&mut self, packing: &Packing) -> io::Result<Option<Span>> {
        if let (Base::Span(span), []) = (&packing.base, packing.layers.as_slice()) {
            return Ok(Some(span.clone()));
        }
        if matches!(packing.base, Base::Walk(..)) {
            return Ok(None);
        }
        let mut layers = packing.layers.clone();
        // An archive may be as large as all of its members together.
        for layer in &mut layers {
            if let Layer::Limit(limit) = layer {
                *limit = self.left;
            }
        }
        let mut reader = Member::new(None, packing.base.clone(), layers, 0).reader()?;
        Ok(match fill(&[], &mut reader, self.shelf_left)? {
            Filled::TooLarge => None,
            Filled::Shelf(blocks, used) => {
                self.shelf_left -= used.min(self.shelf_left);
                let (len, cut) = (blocks.size(), blocks.fault.clone());
                Some(Span { place: Arc::new(OnShelf(Arc::new(blocks))), start: 0, len, cut })
            }
        })
    }
}

fn too_deep() -> Fault {
    Fault::new(
        FaultKind::TooDeep,
        "expected a log, found another archive or compressed file inside an archive's archive; unpack the outer one first",
    )
}

/// The path of a member of an archive that is a member itself.
fn join(outer: Option<&str>, inner: &str) -> String {
    outer.map_or_else(|| inner.to_owned(), |outer| format!("{outer}/{inner}"))
}

fn too_large() -> Fault {
    Fault::limit(
        "expected an archive in a compressed archive to fit into memory, found a larger one; unpack the outer one first",
    )
}
