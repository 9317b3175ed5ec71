//! Archives made by hand, and members read to their ends.

use std::io::{self, Read as _, Write};
use std::sync::Arc;

use logmill_archive::{Contents, Fault, FaultKind, Limits, Member, Opened, Place, ReadAt, list};

/// Limits that no honest test meets.
pub const WIDE: Limits =
    Limits { total_bytes: 1 << 32, member_bytes: 1 << 32, members: 10_000, shelf_bytes: 64 << 20 };

/// Bytes that are there.
#[derive(Debug, Clone)]
pub struct Memory(pub Arc<Vec<u8>>);

impl Place for Memory {
    fn open(&self) -> io::Result<Arc<dyn ReadAt>> {
        Ok(Arc::clone(&self.0) as Arc<dyn ReadAt>)
    }
}

/// What the bytes hold, all members wanted.
#[track_caller]
pub fn contents(bytes: impl Into<Vec<u8>>, limits: Limits) -> Contents {
    list(Arc::new(Memory(Arc::new(bytes.into()))), limits, &|_| true).expect("memory can be read")
}

/// The bytes of a member, and what is wrong with it.
#[track_caller]
pub fn read(member: &Member) -> (Vec<u8>, Option<Fault>) {
    let fault = |error: io::Error| Fault::of(&error).cloned().expect("a fault");
    match member.open() {
        Ok(Opened::Random(bytes)) => {
            let mut all = vec![0; usize::try_from(bytes.size()).expect("a size")];
            let mut at = 0;
            while at < all.len() {
                let len = (at + 1000).min(all.len());
                let n = bytes.read_at(at as u64, &mut all[at..len]).expect("bytes at any place");
                assert!(n > 0, "expected more than {at} of {} bytes", bytes.size());
                at += n;
            }
            (all, None)
        }
        Ok(Opened::Stream(mut stream)) => {
            let mut all = Vec::new();
            let error = stream.read_to_end(&mut all).err();
            // Whoever asks again gets the same answer.
            if let Some(error) = &error {
                let again = stream.read(&mut [0]).expect_err("the error stays");
                assert_eq!(again.to_string(), error.to_string());
            }
            (all, error.map(fault))
        }
        Err(error) => (Vec::new(), Some(fault(error))),
    }
}

/// A member's name and its bytes.
pub type Read = (Option<String>, Vec<u8>);

/// Names and bytes of all members; all of them whole.
#[track_caller]
pub fn whole(bytes: impl Into<Vec<u8>>) -> Vec<Read> {
    let contents = contents(bytes, WIDE);
    assert_eq!(contents.fault, None);
    let read = |member: &Member| {
        let (bytes, fault) = read(member);
        assert_eq!(fault, None, "{:?}", member.name);
        (member.name.clone(), bytes)
    };
    contents.members.iter().map(read).collect()
}

/// Kinds of all faults that reading everything meets, and what the members gave.
#[track_caller]
pub fn broken(bytes: impl Into<Vec<u8>>, limits: Limits) -> (Vec<Read>, Vec<FaultKind>) {
    let contents = contents(bytes, limits);
    let mut faults: Vec<FaultKind> = contents.fault.iter().map(|fault| fault.kind).collect();
    let mut members = Vec::new();
    for member in &contents.members {
        let (bytes, fault) = read(member);
        faults.extend(fault.map(|fault| fault.kind));
        members.push((member.name.clone(), bytes));
    }
    (members, faults)
}

/// Lines that no two files share and that compress as logs do.
pub fn text(seed: usize, bytes: usize) -> Vec<u8> {
    let mut text = Vec::new();
    for line in 0.. {
        if text.len() >= bytes {
            break;
        }
        let number = (line * 7919 + seed * 104_729) % 1_000_003;
        writeln!(
            text,
            "2025-01-01T00:00:{:02}.{:03}Z INFO request {number} of {seed} done",
            line % 60,
            line % 1000
        )
        .expect("memory");
    }
    text.truncate(bytes);
    text
}

pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).expect("memory");
    encoder.finish().expect("memory")
}

pub fn deflate(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).expect("memory");
    encoder.finish().expect("memory")
}

pub fn zstd(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = zstd::stream::Encoder::new(Vec::new(), 3).expect("an encoder");
    encoder.include_checksum(true).expect("a checksum");
    encoder.write_all(bytes).expect("memory");
    encoder.finish().expect("memory")
}

pub fn bzip2(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::default());
    encoder.write_all(bytes).expect("memory");
    encoder.finish().expect("memory")
}

pub fn xz(bytes: &[u8]) -> Vec<u8> {
    let options = lzma_rust2::XzOptions::with_preset(1);
    let mut encoder = lzma_rust2::XzWriter::new(Vec::new(), options).expect("an encoder");
    encoder.write_all(bytes).expect("memory");
    encoder.finish().expect("memory")
}

/// A codec by its name.
pub type Pack = (&'static str, fn(&[u8]) -> Vec<u8>);

/// Every codec that files are compressed with.
pub const CODECS: [Pack; 4] = [("gzip", gzip), ("zstd", zstd), ("bzip2", bzip2), ("xz", xz)];

/// The header of a tar member.
pub fn tar_header(name: &str, size: &str, kind: u8) -> Vec<u8> {
    let mut header = vec![0; 512];
    header[..name.len()].copy_from_slice(name.as_bytes());
    header[100..108].copy_from_slice(b"0000644\0");
    header[124..124 + size.len()].copy_from_slice(size.as_bytes());
    header[156] = kind;
    header[257..265].copy_from_slice(b"ustar\x0000");
    seal(&mut header);
    header
}

/// Puts the right checksum into a header.
pub fn seal(header: &mut [u8]) {
    header[148..156].fill(b' ');
    let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
}

/// A member of a tar archive, padded.
pub fn tar_member(name: &str, bytes: &[u8]) -> Vec<u8> {
    let mut member = tar_header(name, &format!("{:011o}", bytes.len()), b'0');
    member.extend_from_slice(bytes);
    member.resize(member.len().next_multiple_of(512), 0);
    member
}

/// A tar archive with its end.
pub fn tar(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut archive: Vec<u8> = members.iter().flat_map(|(name, bytes)| tar_member(name, bytes)).collect();
    archive.resize(archive.len() + 1024, 0);
    archive
}

/// A member of a zip archive that is to be written.
pub struct Zipped<'a> {
    pub name: &'a str,
    pub bytes: &'a [u8],
    pub method: u16,
    pub packed: Vec<u8>,
    pub flags: u16,
}

impl<'a> Zipped<'a> {
    pub fn stored(name: &'a str, bytes: &'a [u8]) -> Self {
        Self { name, bytes, method: 0, packed: bytes.to_vec(), flags: 0 }
    }

    pub fn deflated(name: &'a str, bytes: &'a [u8]) -> Self {
        Self { name, bytes, method: 8, packed: deflate(bytes), flags: 0 }
    }

    fn local(&self) -> Vec<u8> {
        let sizes = [crc32fast::hash(self.bytes), len(&self.packed), len(self.bytes)];
        let open = self.flags & 8 != 0;
        let mut header = b"PK\x03\x04\x14\0".to_vec();
        header.extend([self.flags, self.method, 0, 0].iter().flat_map(|it| it.to_le_bytes()));
        header.extend(sizes.iter().flat_map(|it| if open { [0; 4] } else { it.to_le_bytes() }));
        header.extend([self.name.len() as u16, 0].iter().flat_map(|it| it.to_le_bytes()));
        header.extend(self.name.as_bytes());
        header.extend(&self.packed);
        if open {
            header.extend(b"PK\x07\x08");
            header.extend(sizes.iter().flat_map(|it| it.to_le_bytes()));
        }
        header
    }

    /// Its entry in the directory, of a header that stands at `offset`.
    pub fn entry(&self, offset: usize) -> Vec<u8> {
        let mut entry = b"PK\x01\x02\x14\x03\x14\0".to_vec();
        entry.extend([self.flags, self.method, 0, 0].iter().flat_map(|it| it.to_le_bytes()));
        let sizes = [crc32fast::hash(self.bytes), len(&self.packed), len(self.bytes)];
        entry.extend(sizes.iter().flat_map(|it| it.to_le_bytes()));
        entry.extend([self.name.len() as u16, 0, 0, 0, 0].iter().flat_map(|it| it.to_le_bytes()));
        entry.extend([0o100_644_u32 << 16, offset as u32].iter().flat_map(|it| it.to_le_bytes()));
        entry.extend(self.name.as_bytes());
        entry
    }
}

fn len(bytes: &[u8]) -> u32 {
    u32::try_from(bytes.len()).expect("a small file")
}

/// A zip archive with its directory.
pub fn zip(members: &[Zipped<'_>]) -> Vec<u8> {
    let (mut archive, mut directory) = (Vec::new(), Vec::new());
    for member in members {
        directory.extend(member.entry(archive.len()));
        archive.extend(member.local());
    }
    zip_end(archive, &directory, members.len())
}

/// Members, their directory and the end record.
pub fn zip_end(mut archive: Vec<u8>, directory: &[u8], n: usize) -> Vec<u8> {
    let start = archive.len();
    archive.extend(directory);
    archive.extend(b"PK\x05\x06\0\0\0\0");
    archive.extend([n as u16, n as u16].iter().flat_map(|it| it.to_le_bytes()));
    archive.extend([len(directory), start as u32].iter().flat_map(|it| it.to_le_bytes()));
    archive.extend([0, 0]);
    archive
}
