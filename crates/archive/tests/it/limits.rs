//! Files that would take more than there is.

use logmill_archive::{FaultKind, Limits};

use crate::support::*;

const NARROW: Limits =
    Limits { total_bytes: 100_000, member_bytes: 40_000, members: 5, shelf_bytes: 1 << 20 };

#[test]
fn a_member_ends_at_its_limit() {
    let bytes = text(1, 60_000);
    for (name, pack) in CODECS {
        let (members, faults) = broken(pack(&bytes), NARROW);
        assert!(members[0].1 == bytes[..40_000] && faults == [FaultKind::Limit], "{name}: {faults:?}");
        assert_eq!(broken(pack(&bytes[..40_000]), NARROW).1, [], "{name} of just as many");
    }
    let (members, faults) = broken(zip(&[Zipped::deflated("a.log", &bytes)]), NARROW);
    assert!(members[0].1 == bytes[..40_000] && faults == [FaultKind::Limit], "zip: {faults:?}");
}

#[test]
fn all_members_end_at_theirs() {
    let bytes = text(1, 35_000);
    let members: [(&str, &[u8]); 4] = [("a", &bytes), ("b", &bytes), ("c", &bytes), ("d", &bytes)];
    let zipped: Vec<Zipped<'_>> = members.iter().map(|(name, bytes)| Zipped::deflated(name, bytes)).collect();
    let (read, faults) = broken(zip(&zipped), NARROW);
    let lens: Vec<usize> = read.iter().map(|(_, bytes)| bytes.len()).collect();
    assert_eq!((lens, faults), (vec![35_000, 35_000, 30_000, 0], vec![FaultKind::Limit, FaultKind::Limit]));
    let (read, faults) = broken(gzip(&tar(&members)), NARROW);
    let lens: Vec<usize> = read.iter().map(|(_, bytes)| bytes.len()).collect();
    // Two members of 35,840 bytes with their headers; the rest of 100,000.
    assert_eq!((lens, faults), (vec![35_000, 35_000, 100_000 - 2 * 35_840 - 512], vec![FaultKind::Limit]));
}

#[test]
fn members_are_counted() {
    let members: Vec<(String, Vec<u8>)> = (0..7).map(|n| (format!("{n}.log"), text(n, 10))).collect();
    let members: Vec<(&str, &[u8])> =
        members.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice())).collect();
    let (read, faults) = broken(tar(&members), NARROW);
    assert_eq!((read.len(), faults), (5, vec![FaultKind::Limit]));
}

/// The directory names the same bytes over and over again.
#[test]
fn members_that_overlap_are_refused() {
    let bytes = text(1, 5000);
    let member = Zipped::deflated("a", &bytes);
    let archive = zip(std::slice::from_ref(&member));
    let body = archive[..archive.len() - 22 - member.entry(0).len()].to_vec();
    let directory: Vec<u8> = ["a", "b", "c"]
        .iter()
        .flat_map(|name| Zipped { name, ..Zipped::deflated("", &bytes) }.entry(0))
        .collect();
    let (read, faults) = broken(zip_end(body, &directory, 3), WIDE);
    assert!(read[0].1 == bytes && read[1].1.is_empty() && read[2].1.is_empty());
    assert_eq!(faults, [FaultKind::Corrupt, FaultKind::Corrupt]);
}

#[test]
fn sizes_that_are_huge() {
    let bytes = text(1, 5000);
    for size in ["77777777777", "\u{0}"] {
        let mut archive = tar_header("a.log", size, b'0');
        if size.len() == 1 {
            archive[124..136].copy_from_slice(&[0x80, 0, 0, 0, 0x7f, 255, 255, 255, 255, 255, 255, 255]);
            seal(&mut archive);
        }
        archive.extend(&bytes);
        let (members, faults) = broken(archive.clone(), WIDE);
        assert!(members[0].1 == bytes && faults == [FaultKind::Truncated], "{faults:?}");
        let (members, faults) = broken(gzip(&archive), WIDE);
        assert!(members[0].1 == bytes && faults == [FaultKind::Truncated], "{faults:?}");
        // A name of that length is no name.
        archive[156] = b'L';
        seal(&mut archive[..512]);
        assert_eq!(broken(archive, WIDE), (Vec::new(), vec![FaultKind::Truncated]));
    }
}

/// With hardly any memory the archive is walked, and what comes out is the same.
#[test]
fn compressed_tars_without_memory() {
    let bytes: Vec<Vec<u8>> = (0..40).map(|n| text(n, 3000 + n * 517)).collect();
    let names: Vec<String> = (0..40).map(|n| format!("dump/{n}.log")).collect();
    let inner = gzip(&bytes[0]);
    let mut members: Vec<(&str, &[u8])> =
        names.iter().zip(&bytes).map(|(name, bytes)| (name.as_str(), bytes.as_slice())).collect();
    members.insert(7, ("inner.log.gz", &inner));
    let archive = tar(&members);
    let expected = whole(archive.clone());
    let narrow = Limits { shelf_bytes: 100, ..WIDE };
    for (name, pack) in CODECS {
        let contents = contents(pack(&archive), narrow);
        assert_eq!(contents.fault, None);
        // Backwards, and all open at once.
        let opened: Vec<_> =
            contents.members.iter().rev().map(|member| (member.name.clone(), read(member).0)).collect();
        assert!(opened.into_iter().rev().eq(expected.iter().cloned()), "{name}");
        let packed = pack(&archive);
        let cut = packed[..packed.len() / 2].to_vec();
        let (walked, walked_faults) = broken(cut.clone(), narrow);
        let (kept, kept_faults) = broken(cut, WIDE);
        assert!(walked == kept, "{name}");
        assert_eq!(
            (walked_faults, kept_faults),
            (vec![FaultKind::Truncated], vec![FaultKind::Truncated]),
            "{name}"
        );
    }
}

/// More than is handed out in one piece: kept, or read as a stream, in pieces of any size.
#[test]
fn large_members() {
    let bytes = text(1, 1 << 20).repeat(17);
    let packed = zstd(&bytes);
    for shelf_bytes in [0, 1000, 64 << 20] {
        let contents = contents(packed.clone(), Limits { shelf_bytes, ..WIDE });
        for _ in 0..2 {
            let (read, fault) = read(&contents.members[0]);
            assert!(read == bytes && fault.is_none(), "{fault:?}");
        }
    }
    let cut = packed[..packed.len() - 10].to_vec();
    for shelf_bytes in [0, 1000, 64 << 20] {
        let contents = contents(cut.clone(), Limits { shelf_bytes, ..WIDE });
        for _ in 0..2 {
            let (read, fault) = read(&contents.members[0]);
            assert!(bytes.starts_with(&read) && read.len() >= 16 << 20, "{}", read.len());
            assert_eq!(fault.map(|fault| fault.kind), Some(FaultKind::Truncated));
        }
    }
}
