//! Files that end anywhere, and files with a wrong bit.

use logmill_archive::FaultKind;

use crate::support::*;

/// Every cut of the file gives a prefix of every member and one fault, which is that it is cut.
#[track_caller]
fn check_cuts(what: &str, file: &[u8], from: usize) {
    let expected = whole(file);
    for len in from..file.len() {
        let (members, faults) = broken(&file[..len], WIDE);
        assert_eq!(faults, [FaultKind::Truncated], "{what} cut at {len} of {}", file.len());
        assert!(members.len() <= expected.len(), "{what} cut at {len}");
        for (n, ((name, bytes), (whole_name, whole))) in members.iter().zip(&expected).enumerate() {
            assert_eq!(name, whole_name, "{what} cut at {len}");
            let is_last = n + 1 == members.len();
            assert!(
                if is_last { whole.starts_with(bytes) } else { whole == bytes },
                "{what} cut at {len}: {n}"
            );
        }
    }
}

#[test]
fn compressed_files_cut_anywhere() {
    let bytes = text(1, 700);
    for (name, pack) in CODECS {
        // Shorter ones are not known for what they are.
        check_cuts(name, &pack(&bytes), 6);
    }
}

/// All that the compressed bytes hold comes out, up to what the decoder cannot yet tell.
#[test]
fn cuts_lose_little() {
    let bytes = text(1, 400_000);
    for (name, pack) in CODECS {
        let file = pack(&bytes);
        let (members, _) = broken(&file[..file.len() / 2], WIDE);
        let least = if matches!(name, "gzip" | "xz") { 150_000 } else { 0 };
        assert!(members[0].1.len() >= least, "{name}: {}", members[0].1.len());
    }
}

#[test]
fn tars_cut_anywhere() {
    let (a, b) = (text(1, 600), text(2, 100));
    let archive = tar(&[("a.log", &a), ("b.log", &b)]);
    // From the first header on; one block of zeros is end enough.
    let expected = archive.len() - 1024;
    check_cuts("tar", &archive[..expected + 512], 512);
    for (name, pack) in CODECS {
        let file = pack(&archive);
        for len in 6..file.len() {
            let (members, faults) = broken(&file[..len], WIDE);
            // Behind the archive's own end nothing is missing but the stream's.
            let is_short = faults == [FaultKind::Truncated];
            assert!(is_short || (faults.is_empty() && members.len() == 2), "{name} cut at {len}: {faults:?}");
        }
    }
}

#[test]
fn zips_cut_anywhere() {
    let (a, b) = (text(1, 600), text(2, 100));
    let members = [
        Zipped::deflated("a.log", &a),
        Zipped::stored("b.log", &b),
        Zipped { flags: 8, ..Zipped::deflated("c.log", &a) },
    ];
    check_cuts("zip", &zip(&members), 4);
}

/// A wrong bit anywhere: nothing panics, nothing is endless, and what is noticed is noticed once
/// in each member.
#[test]
fn wrong_bits() {
    let (a, b) = (text(1, 600), text(2, 100));
    let archive = tar(&[("a.log", &a), ("b.log", &b)]);
    let zipped = zip(&[Zipped::deflated("a.log", &a), Zipped::stored("b.log", &b)]);
    let mut files: Vec<Vec<u8>> = CODECS.iter().map(|(_, pack)| pack(&text(1, 500))).collect();
    files.extend(CODECS.iter().map(|(_, pack)| pack(&archive)));
    files.extend([archive, zipped]);
    let mut noticed = 0;
    for file in &files {
        for at in 0..file.len() {
            let mut damaged = file.clone();
            damaged[at] ^= 1 << (at % 8);
            let (members, faults) = broken(damaged, WIDE);
            assert!(faults.len() <= members.len() + 1, "bit of byte {at}: {faults:?}");
            noticed += usize::from(!faults.is_empty());
        }
    }
    let total: usize = files.iter().map(Vec::len).sum();
    assert!(noticed * 2 > total, "{noticed} of {total}");
}

/// What comes out of a stream whose checksum is wrong is all there, and said to be damaged.
#[test]
fn wrong_checksums() {
    let bytes = text(1, 2000);
    let mut file = gzip(&bytes);
    let at = file.len() - 6;
    file[at] ^= 1;
    let (members, faults) = broken(file, WIDE);
    assert!(members[0].1 == bytes);
    assert_eq!(faults, [FaultKind::Corrupt]);
    let mut archive = zip(&[Zipped::stored("a.log", &bytes), Zipped::stored("b.log", &bytes)]);
    archive[50] ^= 1;
    let (members, faults) = broken(archive, WIDE);
    assert!(members[0].1.len() == 2000 && members[1].1 == bytes);
    assert_eq!(faults, [FaultKind::Corrupt]);
}

/// Any bytes at all.
#[test]
fn noise() {
    let mut state = 1_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    let starts: [&[u8]; 6] = [
        b"\x1f\x8b\x08\0",
        b"\x28\xb5\x2f\xfd",
        b"BZh91AY&SY",
        b"\xfd7zXZ\0\0\x04",
        b"PK\x03\x04",
        b"PK\x05\x06",
    ];
    for round in 0..3000 {
        let len = (next() % 600) as usize;
        let mut bytes = starts[round % starts.len()].to_vec();
        bytes.extend((0..len).map(|_| next() as u8));
        broken(bytes, WIDE);
    }
}
