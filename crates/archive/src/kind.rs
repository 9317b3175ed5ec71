//! What bytes are, told by how they begin.

use crate::tar;

/// Bytes that are enough to tell every kind.
pub const HEAD_BYTES: usize = 512;

/// What bytes are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Neither compressed nor an archive.
    Plain,
    /// One compressed stream, or several in a row.
    Packed(Codec),
    /// A zip archive.
    Zip,
    /// A tar archive.
    Tar,
}

/// How bytes are compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Codec {
    /// RFC 1952.
    Gzip,
    /// RFC 8878.
    Zstd,
    /// bzip2.
    Bzip2,
    /// The .xz format.
    Xz,
    /// RFC 1951, as it stands in zip archives.
    Deflate,
    /// Its variant with a window of 64 KiB, zip only.
    Deflate64,
}

impl Codec {
    /// Its name, for people.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
            Self::Bzip2 => "bzip2",
            Self::Xz => "xz",
            Self::Deflate => "deflate",
            Self::Deflate64 => "deflate64",
        }
    }

    /// Whether a stream of it begins here.
    #[must_use]
    pub fn begins(self, bytes: &[u8]) -> bool {
        match self {
            Self::Gzip => bytes.starts_with(b"\x1f\x8b\x08"),
            Self::Zstd => bytes.starts_with(b"\x28\xb5\x2f\xfd") || is_skippable(bytes),
            Self::Bzip2 => {
                bytes.starts_with(b"BZh") && bytes.get(3).is_some_and(|level| (b'1'..=b'9').contains(level))
            }
            Self::Xz => bytes.starts_with(b"\xfd7zXZ\0"),
            // These have nothing to know them by.
            Self::Deflate | Self::Deflate64 => false,
        }
    }
}

/// A zstd frame that holds no data: `184D2A50` to `184D2A5F`, the last byte first.
fn is_skippable(bytes: &[u8]) -> bool {
    bytes.first().is_some_and(|byte| byte & 0xf0 == 0x50) && bytes.get(1..4) == Some(b"\x2a\x4d\x18")
}

/// What bytes are that begin with `head`, of which [`HEAD_BYTES`] are enough.
#[must_use]
pub fn kind(head: &[u8]) -> Kind {
    let codec = [Codec::Gzip, Codec::Zstd, Codec::Bzip2, Codec::Xz].into_iter().find(|it| it.begins(head));
    if let Some(codec) = codec {
        // Four bytes of text may happen to be `BZh1`; what follows them in a stream may not.
        let is_text = codec == Codec::Bzip2 && !matches!(head.get(4..), Some(rest) if bzip2_block(rest));
        return if is_text { Kind::Plain } else { Kind::Packed(codec) };
    }
    if [b"PK\x03\x04", b"PK\x05\x06"].iter().any(|start| head.starts_with(*start))
        || head.starts_with(b"PK\x07\x08PK\x03\x04")
    {
        return Kind::Zip;
    }
    if tar::begins(head) { Kind::Tar } else { Kind::Plain }
}

/// The start of a block or of the end of a bzip2 stream, as far as it is there.
fn bzip2_block(bytes: &[u8]) -> bool {
    [b"\x31\x41\x59\x26\x53\x59", b"\x17\x72\x45\x38\x50\x90"]
        .iter()
        .any(|magic| bytes.iter().zip(magic.iter()).all(|(byte, expected)| byte == expected))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(head: &[u8], expected: Kind) {
        assert_eq!(kind(head), expected);
    }

    #[test]
    fn kinds_are_told_by_the_first_bytes() {
        check(b"", Kind::Plain);
        check(b"2025-01-01T00:00:00.000Z BZh9", Kind::Plain);
        check(b"\x1f\x8b\x08\0", Kind::Packed(Codec::Gzip));
        check(b"\x28\xb5\x2f\xfd", Kind::Packed(Codec::Zstd));
        check(b"\x5e\x2a\x4d\x18", Kind::Packed(Codec::Zstd));
        check(b"BZh91AY&SY", Kind::Packed(Codec::Bzip2));
        check(b"BZh9 is no stream", Kind::Plain);
        check(b"\xfd7zXZ\0", Kind::Packed(Codec::Xz));
        check(b"PK\x03\x04", Kind::Zip);
        check(b"PK\x05\x06", Kind::Zip);
        check(b"PK is text", Kind::Plain);
    }
}
