//! Decompressed bytes kept for later reading at any place, compressed again in small blocks.

use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use zstd::bulk::{Compressor, Decompressor};

use crate::fault::Fault;
use crate::store::{Place, ReadAt};

/// Bytes of a block: little enough that reading a small member does not unpack much beside it,
/// and enough to compress well.
const BLOCK_BYTES: usize = 128 << 10;
/// How hard blocks are compressed. They are read soon, and once or twice.
const LEVEL: i32 = 1;
/// Unpacked blocks kept at hand, for readers that follow each other.
const BLOCKS_AT_HAND: usize = 8;

/// Bytes in memory, in compressed blocks.
pub struct Shelf {
    blocks: Vec<Box<[u8]>>,
    size: u64,
    at_hand: Mutex<Vec<(usize, Arc<Vec<u8>>)>>,
    /// Decoders that nobody is using.
    idle: Mutex<Vec<Decompressor<'static>>>,
    /// Why its bytes end before their end, if they do.
    pub fault: Option<Fault>,
}

impl Shelf {
    fn block(&self, index: usize) -> io::Result<Arc<Vec<u8>>> {
        let mut at_hand = self.at_hand.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(place) = at_hand.iter().position(|(known, _)| *known == index) {
            // The one that was used last stands last.
            let found = at_hand.remove(place);
            let block = Arc::clone(&found.1);
            at_hand.push(found);
            return Ok(block);
        }
        drop(at_hand);
        let block = Arc::new(self.unpack(index)?);
        let mut at_hand = self.at_hand.lock().unwrap_or_else(PoisonError::into_inner);
        if at_hand.len() >= BLOCKS_AT_HAND {
            at_hand.remove(0);
        }
        at_hand.push((index, Arc::clone(&block)));
        Ok(block)
    }

    fn unpack(&self, index: usize) -> io::Result<Vec<u8>> {
        let packed = self.blocks.get(index).map_or(&[][..], |block| block);
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut decoder = idle.map_or_else(Decompressor::new, Ok)?;
        let block = decoder.decompress(packed, BLOCK_BYTES)?;
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(decoder);
        Ok(block)
    }
}

impl ReadAt for Shelf {
    fn size(&self) -> u64 {
        self.size
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        if offset >= self.size || buffer.is_empty() {
            return Ok(0);
        }
        let index = usize::try_from(offset / BLOCK_BYTES as u64).unwrap_or(usize::MAX);
        let within = usize::try_from(offset % BLOCK_BYTES as u64).unwrap_or(usize::MAX);
        let block = self.block(index)?;
        let rest = block.get(within..).unwrap_or_default();
        let n = rest.len().min(buffer.len());
        if let (Some(to), Some(from)) = (buffer.get_mut(..n), rest.get(..n)) {
            to.copy_from_slice(from);
        }
        Ok(n)
    }
}

impl fmt::Debug for Shelf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Shelf of {} bytes in {} blocks", self.size, self.blocks.len())
    }
}

/// A shelf is always open.
#[derive(Debug, Clone)]
pub struct OnShelf(pub Arc<Shelf>);

impl Place for OnShelf {
    fn open(&self) -> io::Result<Arc<dyn ReadAt>> {
        Ok(Arc::<Shelf>::clone(&self.0))
    }
}

/// A shelf that is being filled.
pub struct Filling {
    compressor: Compressor<'static>,
    open: Vec<u8>,
    packed: Vec<u8>,
    blocks: Vec<Box<[u8]>>,
    size: u64,
    /// Bytes the blocks take, and what they may take.
    used: u64,
    allowed: u64,
}

impl Filling {
    /// A shelf whose blocks may take `allowed` bytes.
    pub fn new(allowed: u64) -> io::Result<Self> {
        let compressor = Compressor::new(LEVEL)?;
        Ok(Self {
            compressor,
            open: Vec::new(),
            packed: Vec::new(),
            blocks: Vec::new(),
            size: 0,
            used: 0,
            allowed,
        })
    }

    /// Puts bytes behind those that are there; whether they had room.
    pub fn push(&mut self, mut bytes: &[u8]) -> io::Result<bool> {
        while !bytes.is_empty() {
            let n = (BLOCK_BYTES - self.open.len()).min(bytes.len());
            let (now, later) = bytes.split_at_checked(n).unwrap_or((bytes, &[]));
            self.open.extend_from_slice(now);
            bytes = later;
            if self.open.len() == BLOCK_BYTES && !self.close()? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn close(&mut self) -> io::Result<bool> {
        // A block as long as it needs to be: what the compressor would make itself is as long as it may be.
        self.packed.resize(zstd::zstd_safe::compress_bound(BLOCK_BYTES), 0);
        let n = self.compressor.compress_to_buffer(&self.open, &mut self.packed)?;
        let block: Box<[u8]> = self.packed.get(..n).unwrap_or_default().into();
        self.size += self.open.len() as u64;
        // What a block costs beside its bytes.
        self.used += block.len() as u64 + 32;
        self.blocks.push(block);
        self.open.clear();
        Ok(self.used <= self.allowed)
    }

    /// The bytes the blocks take.
    pub const fn used(&self) -> u64 {
        self.used
    }

    /// The shelf; `None` if the last bytes had no room.
    pub fn finish(mut self, fault: Option<Fault>) -> io::Result<Option<Shelf>> {
        if !self.open.is_empty() && !self.close()? {
            return Ok(None);
        }
        self.blocks.shrink_to_fit();
        Ok(Some(Shelf {
            blocks: self.blocks,
            size: self.size,
            at_hand: Mutex::default(),
            idle: Mutex::default(),
            fault,
        }))
    }
}
