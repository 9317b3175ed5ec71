//! The members of tar archives, which can be read anywhere or only forward.

use std::io::{self, Read};
use std::sync::Arc;

use super::{Listing, MAX_DEPTH, Packing, join, too_deep, too_large};
use crate::fault::Fault;
use crate::kind::{HEAD_BYTES, Kind, kind};
use crate::member::{Base, Layer, Member, Walk};
use crate::store::{ReadAt, read_full};
use crate::tar;

impl Listing<'_> {
    /// Lists a tar archive, whose members are at `depth`.
    pub(super) fn tar(&mut self, packing: Packing, depth: u32) -> io::Result<()> {
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
            if !self.wants(&name)? {
                return Ok(());
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
            if !self.wants(&name)? {
                return Ok(());
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
            return Err(missing(len - left));
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
            return Err(missing(len - skipped));
        }
        Ok(())
    }
}

/// The error of an archive that ends too soon.
fn missing(n_bytes: u64) -> io::Error {
    Fault::truncated(format!("expected {n_bytes} more bytes of a tar archive, found the end")).into()
}
