//! What a file holds: its members, those of archives and compressed files one level inside included.

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::sync::Arc;

use crate::decode::Decoder;
use crate::fault::{Fault, FaultKind};
use crate::kind::{HEAD_BYTES, Kind, kind};
use crate::member::{Base, Filled, Layer, Member, Walk, fill, over, read_some};
use crate::shelf::OnShelf;
use crate::store::{Pinned, Place, ReadAt, Span, read_full};
use crate::zip::Method;
use crate::{tar, zip};

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

impl Listing<'_> {
    /// Lists a tar archive, whose members are at `depth`.
    fn tar(&mut self, packing: Packing, depth: u32) -> io::Result<()> {
        let is_packed = !packing.layers.is_empty();
        let Some(span) = self.span(&packing)? else { return self.walk_tar(packing, depth) };
        if is_packed {
            self.left = self.left.saturating_sub(span.len);
        }
        let outer = packing.name;
        let mut bytes = SpanForward { store: span.open()?, at: 0, cut: span.cut.clone() };
        let n_before = self.contents.members.len();
        let result = tar::each(&mut bytes, |entry, bytes| {
            let name = join(outer.as_deref(), &entry.name);
            if !(self.keep)(&name) {
                return Ok(());
            }
            if !self.has_room() {
                return Err(io::ErrorKind::StorageFull.into());
            }
            if let Some(fault) = entry.fault {
                self.refuse(Some(name), fault);
                return Ok(());
            }
            let part = span.part(bytes.at, entry.len, "the member");
            let len = part.len;
            self.layer(Packing::new(Some(name), Base::Span(part), len), depth)
        });
        let is_told = self.contents.members.iter().skip(n_before).any(is_cut);
        self.listed(result, is_told)
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

    /// Lists a tar archive that can only be read forward.
    fn walk_tar(&mut self, packing: Packing, depth: u32) -> io::Result<()> {
        if matches!(packing.base, Base::Walk(..)) {
            self.refuse(packing.name, too_large());
            return Ok(());
        }
        let outer = packing.name.clone();
        let mut archive = packing.member();
        for layer in &mut archive.layers {
            if let Layer::Limit(limit) = layer {
                *limit = self.left;
            }
        }
        let walk = Arc::new(Walk::new(archive));
        let mut bytes = StreamForward { reader: walk.archive.reader()?, at: 0 };
        let mut cut_at = u64::MAX;
        let result = tar::each(&mut bytes, |entry, bytes| {
            let name = join(outer.as_deref(), &entry.name);
            if !(self.keep)(&name) {
                return Ok(());
            }
            if !self.has_room() {
                return Err(io::ErrorKind::StorageFull.into());
            }
            if let Some(fault) = entry.fault {
                self.refuse(Some(name), fault);
                return Ok(());
            }
            cut_at = bytes.at.saturating_add(entry.len);
            let base = Base::Walk(Arc::clone(&walk), bytes.at, entry.len);
            let mut head = [0; HEAD_BYTES];
            let len = HEAD_BYTES.min(usize::try_from(entry.len).unwrap_or(HEAD_BYTES));
            let head = head.get_mut(..len).unwrap_or_default();
            let n = tar::Forward::read(bytes, head).unwrap_or(0);
            self.walked(Packing::new(Some(name), base, entry.len), head.get(..n).unwrap_or_default(), depth);
            Ok(())
        });
        self.left = self.left.saturating_sub(bytes.at);
        self.listed(result, bytes.at < cut_at && cut_at != u64::MAX)
    }

    /// Takes in a member of an archive that can only be read forward, whose first bytes are known.
    fn walked(&mut self, mut packing: Packing, head: &[u8], depth: u32) {
        match kind(head) {
            Kind::Plain => {}
            _ if depth > MAX_DEPTH => return self.refuse(packing.name, too_deep()),
            Kind::Packed(codec) => {
                packing.layers.push(Layer::Decode(codec));
                packing.layers.push(Layer::Limit(self.limits.member_bytes.min(self.left)));
            }
            Kind::Tar | Kind::Zip => return self.refuse(packing.name, too_large()),
        }
        self.push(packing);
    }
}

fn too_large() -> Fault {
    Fault::limit(
        "expected an archive in a compressed archive to fit into memory, found a larger one; unpack the outer one first",
    )
}

/// Whether opening the member will meet the end of what there is of its archive.
fn is_cut(member: &Member) -> bool {
    matches!(&member.base, Base::Span(span) if span.cut.is_some())
}

/// A span read forward.
struct SpanForward<S> {
    store: S,
    at: u64,
    cut: Option<Fault>,
}

impl<S: ReadAt> SpanForward<S> {
    fn cut(&self) -> io::Result<()> {
        self.cut.clone().map_or(Ok(()), |fault| Err(fault.into()))
    }
}

impl<S: ReadAt> tar::Forward for SpanForward<S> {
    fn at(&self) -> u64 {
        self.at
    }

    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = read_full(&self.store, self.at, buffer)?;
        self.at += n as u64;
        if n < buffer.len() {
            self.cut()?;
        }
        Ok(n)
    }

    fn skip(&mut self, len: u64) -> io::Result<()> {
        let left = self.store.size().saturating_sub(self.at);
        self.at += len.min(left);
        if len > left {
            self.cut()?;
            let missing = len - left;
            return Err(Fault::truncated(format!(
                "expected {missing} more bytes of a tar archive, found the end"
            ))
            .into());
        }
        Ok(())
    }
}

/// A stream read forward.
struct StreamForward {
    reader: Box<dyn Read + Send>,
    at: u64,
}

impl tar::Forward for StreamForward {
    fn at(&self) -> u64 {
        self.at
    }

    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut filled = 0;
        while let Some(space) = buffer.get_mut(filled..).filter(|space| !space.is_empty()) {
            match self.reader.read(space) {
                Ok(0) => break,
                Ok(n) => filled += n,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        self.at += filled as u64;
        Ok(filled)
    }

    fn skip(&mut self, len: u64) -> io::Result<()> {
        let skipped = io::copy(&mut (&mut self.reader).take(len), &mut io::sink())?;
        self.at += skipped;
        if skipped < len {
            let missing = len - skipped;
            return Err(Fault::truncated(format!(
                "expected {missing} more bytes of a tar archive, found the end"
            ))
            .into());
        }
        Ok(())
    }
}

impl Listing<'_> {
    /// Lists a zip archive, whose members are at `depth`.
    fn zip(&mut self, packing: Packing, depth: u32) -> io::Result<()> {
        let Some(span) = self.span(&packing)? else {
            self.refuse(packing.name, too_large());
            return Ok(());
        };
        if !packing.layers.is_empty() {
            self.left = self.left.saturating_sub(span.len);
        }
        let store = span.open()?;
        let mut archive = Zip { outer: packing.name, span, depth, used: BTreeMap::new(), is_told: false };
        let before = (self.contents.members.len(), self.left, self.shelf_left);
        let result = zip::each(&store, |entry| self.zip_member(&mut archive, &store, entry));
        let Err(error) = result else { return Ok(()) };
        let Some(fault) = Fault::of(&error).cloned() else { return self.listed(Err(error), false) };
        // Without a directory the members are found one behind the other.
        self.contents.members.truncate(before.0);
        (self.left, self.shelf_left) = (before.1, before.2);
        self.scan_zip(&mut archive, &store)?;
        let fault = archive.span.cut.clone().unwrap_or(fault);
        self.listed(Err(fault.into()), archive.is_told)
    }

    /// Takes in an entry of a zip archive's directory.
    fn zip_member(&mut self, archive: &mut Zip, store: &dyn ReadAt, entry: zip::Entry) -> io::Result<()> {
        let name = join(archive.outer.as_deref(), &entry.name);
        if !(self.keep)(&name) {
            return Ok(());
        }
        if !self.has_room() {
            return Err(io::ErrorKind::StorageFull.into());
        }
        let mut header = [0; zip::LOCAL_BYTES];
        let n = read_full(store, entry.header, &mut header)?;
        let Some(len) = zip::local_len(header.get(..n).unwrap_or_default()) else {
            let at = entry.header;
            self.refuse(
                Some(name),
                Fault::corrupt(format!("expected a zip member at byte {at} of the archive")),
            );
            return Ok(());
        };
        let start = entry.header.saturating_add(len);
        if !archive.claim(entry.header, start.saturating_add(entry.packed)) {
            let at = entry.header;
            let what = format!(
                "expected members one behind the other, found one at byte {at} that overlaps another"
            );
            self.refuse(Some(name), Fault::corrupt(what));
            return Ok(());
        }
        self.zip_entry(name, archive, entry, start)
    }

    /// Takes in a member of a zip archive whose first byte is known.
    fn zip_entry(&mut self, name: String, archive: &Zip, entry: zip::Entry, start: u64) -> io::Result<()> {
        let codec = match entry.method {
            Method::Refused(fault) => {
                self.refuse(Some(name), fault);
                return Ok(());
            }
            Method::Stored => None,
            Method::Packed(codec) => Some(codec),
        };
        let allowed = self.limits.member_bytes.min(self.left);
        self.left = self.left.saturating_sub(entry.size);
        let part = archive.span.part(start, entry.packed, "the member");
        let mut packing = Packing::new(Some(name), Base::Span(part), entry.packed);
        packing.size_hint = entry.size;
        packing.layers.extend(codec.map(Layer::Decode));
        if codec.is_some() || entry.size <= CHECKED_BYTES {
            packing.layers.push(Layer::Check { size: entry.size, crc: entry.crc });
        }
        if codec.is_some() {
            packing.layers.push(Layer::Limit(allowed));
        }
        self.layer(packing, archive.depth)
    }

    /// Lists a zip archive without a directory by its local headers.
    fn scan_zip(&mut self, archive: &mut Zip, store: &dyn ReadAt) -> io::Result<()> {
        let mut at = if four_bytes(store)? == *b"PK\x07\x08" { 4 } else { 0 };
        while let Some(mut local) = zip::local(store, at)? {
            let known = if local.is_open { self.measure(archive, &mut local)? } else { true };
            let end = local.start.saturating_add(local.entry.packed);
            let name = join(archive.outer.as_deref(), &local.entry.name);
            if local.is_file && (self.keep)(&name) {
                if !self.has_room() {
                    return Ok(());
                }
                archive.is_told |= !known || end > archive.span.len;
                if known {
                    self.zip_entry(name, archive, local.entry, local.start)?;
                } else {
                    self.endless(name, archive, &local);
                }
            }
            if !known {
                return Ok(());
            }
            at = end.saturating_add(local.descriptor);
        }
        Ok(())
    }

    /// Takes in the last member of a zip archive that is cut off, whose length is not known.
    fn endless(&mut self, name: String, archive: &Zip, local: &zip::Local) {
        let codec = match &local.entry.method {
            Method::Packed(codec) => *codec,
            Method::Refused(fault) => return self.refuse(Some(name), fault.clone()),
            Method::Stored => {
                let what = "expected the member's length in a zip directory, found the end";
                return self.refuse(Some(name), Fault::truncated(what));
            }
        };
        let rest = archive.rest(local.start);
        let mut packing = Packing::new(Some(name), Base::Span(rest.clone()), rest.len);
        packing.layers = vec![Layer::Decode(codec), Layer::Limit(self.limits.member_bytes.min(self.left))];
        self.push(packing);
    }

    /// Finds out how long a member is whose header does not say, by unpacking it. Whether it has an end.
    fn measure(&self, archive: &Zip, local: &mut zip::Local) -> io::Result<bool> {
        let Method::Packed(codec) = local.entry.method else { return Ok(false) };
        let mut decoder = Decoder::new(codec, Box::new(archive.rest(local.start).reader()?));
        match digest(&mut decoder, self.limits.member_bytes.min(self.left)) {
            Ok(found) => (local.entry.size, local.entry.crc) = found,
            Err(error) if Fault::of(&error).is_some() => return Ok(false),
            Err(error) => return Err(error),
        }
        local.entry.packed = decoder.used();
        let mut behind = [0; 24];
        let store = archive.span.open()?;
        let n = read_full(&store, local.start.saturating_add(local.entry.packed), &mut behind)?;
        let behind = behind.get(..n).unwrap_or_default();
        local.descriptor = zip::descriptor_len(behind, local.entry.packed, local.entry.size).unwrap_or(0);
        Ok(true)
    }
}

fn four_bytes(store: &dyn ReadAt) -> io::Result<[u8; 4]> {
    let mut bytes = [0; 4];
    read_full(store, 0, &mut bytes)?;
    Ok(bytes)
}

/// Size and checksum of all that comes out of a reader.
fn digest(reader: &mut dyn Read, allowed: u64) -> io::Result<(u64, u32)> {
    let (mut size, mut crc) = (0_u64, crc32fast::Hasher::new());
    let mut block = vec![0; 64 << 10];
    loop {
        match reader.read(&mut block)? {
            0 => return Ok((size, crc.finalize())),
            n => {
                size += n as u64;
                crc.update(block.get(..n).unwrap_or_default());
            }
        }
        if size > allowed {
            return Err(over(allowed).into());
        }
    }
}

/// A zip archive that is being listed.
struct Zip {
    outer: Option<String>,
    span: Span,
    depth: u32,
    /// Stretches that members have claimed, by their starts.
    used: BTreeMap<u64, u64>,
    /// Whether a member has told that the archive is cut off.
    is_told: bool,
}

impl Zip {
    /// All bytes from `start` on.
    fn rest(&self, start: u64) -> Span {
        self.span.part(start, self.span.len.saturating_sub(start), "the archive")
    }

    /// Whether no other member has claimed a byte of this stretch.
    fn claim(&mut self, start: u64, end: u64) -> bool {
        let before = self.used.range(..=start).next_back().is_none_or(|(_, end)| *end <= start);
        let behind = self.used.range(start..).next().is_none_or(|(next, _)| end <= *next);
        if before && behind {
            self.used.insert(start, end);
        }
        before && behind
    }
}
