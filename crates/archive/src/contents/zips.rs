//! The members of zip archives, by their directory or, where that is missing, one behind the other.

use std::collections::BTreeMap;
use std::io::{self, Read};

use super::{CHECKED_BYTES, Listing, Packing, join, too_large};
use crate::decode::Decoder;
use crate::fault::Fault;
use crate::member::{Base, Layer, over};
use crate::store::{ReadAt, Span, read_full};
use crate::zip::{self, Method};

impl Listing<'_> {
    /// Lists a zip archive, whose members are at `depth`.
    pub(super) fn zip(&mut self, packing: Packing, depth: u32) -> io::Result<()> {
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
        if !self.wants(&name)? {
            return Ok(());
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
