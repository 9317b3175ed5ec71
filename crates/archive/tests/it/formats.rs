//! What whole files hold.

use logmill_archive::{FaultKind, Kind, kind};

use crate::support::*;

#[test]
fn compressed_files_hold_their_bytes() {
    let bytes = text(1, 300_000);
    for (name, pack) in CODECS {
        assert!(matches!(kind(&pack(&bytes)), Kind::Packed(codec) if codec.name() == name));
        assert!(whole(pack(&bytes)) == [(None, bytes.clone())], "{name}");
        assert!(whole(pack(b"")) == [(None, Vec::new())], "{name} of nothing");
    }
}

#[test]
fn streams_in_a_row_are_one() {
    let (one, two) = (text(1, 100_000), text(2, 50_000));
    for (name, pack) in CODECS {
        let packed = [pack(&one), pack(b""), pack(&two)].concat();
        assert!(whole(packed) == [(None, [one.clone(), two.clone()].concat())], "{name}");
    }
}

#[test]
fn zeros_behind_the_end_are_padding() {
    let bytes = text(1, 5000);
    for (name, pack) in CODECS {
        for zeros in [1, 4, 511, 200_000] {
            let packed = [pack(&bytes), vec![0; zeros]].concat();
            assert!(whole(packed) == [(None, bytes.clone())], "{name} and {zeros} zeros");
        }
        let packed = [pack(&bytes), vec![0; 8], pack(&bytes)].concat();
        assert!(whole(packed) == [(None, [bytes.clone(), bytes.clone()].concat())], "{name} behind zeros");
    }
}

#[test]
fn anything_else_behind_the_end_is_a_fault() {
    let bytes = text(1, 5000);
    for (name, pack) in CODECS {
        for tail in [&b"x"[..], b"\0\0\0\0garbage", b"2025-01-01 more text\n"] {
            let (members, faults) = broken([pack(&bytes), tail.to_vec()].concat(), WIDE);
            assert!(members == [(None, bytes.clone())], "{name}");
            assert_eq!(faults, [FaultKind::Corrupt], "{name} and {tail:?}");
        }
    }
}

#[test]
fn zstd_frames_without_data_are_passed_over() {
    let bytes = text(1, 5000);
    let skipped = b"\x53\x2a\x4d\x18\x05\0\0\0hello".to_vec();
    let packed = [skipped.clone(), zstd(&bytes), skipped.clone(), zstd(&bytes), skipped].concat();
    assert!(whole(packed) == [(None, [bytes.clone(), bytes].concat())]);
}

#[test]
fn tar_members() {
    let (a, b) = (text(1, 700), text(2, 1024));
    let archive = tar(&[("dump/a.log", &a), ("dump/empty.log", b""), ("../b.log", &b)]);
    let expected = [
        (Some("dump/a.log".to_owned()), a),
        (Some("dump/empty.log".to_owned()), Vec::new()),
        (Some("../b.log".to_owned()), b),
    ];
    assert!(whole(archive.clone()) == expected);
    for (name, pack) in CODECS {
        assert!(whole(pack(&archive)) == expected, "tar in {name}");
    }
}

#[test]
fn tar_names_that_are_long() {
    let (long, body) = (format!("{}/a.log", "folder".repeat(40)), text(1, 100));
    let mut gnu = tar_header("././@LongLink", &format!("{:011o}", long.len() + 1), b'L');
    gnu.extend(format!("{long}\0").as_bytes());
    gnu.resize(1024, 0);
    gnu.extend(tar(&[(&long[..99], &body)]));
    assert!(whole(gnu) == [(Some(long.clone()), body.clone())]);

    let record = format!(" path={long}\n");
    let record = format!("{}{record}", record.len() + 3);
    let mut pax = tar_header("PaxHeaders/a", &format!("{:011o}", record.len()), b'x');
    pax.extend(record.as_bytes());
    pax.resize(1024, 0);
    pax.extend(tar(&[(&long[..99], &body)]));
    assert!(whole(pax) == [(Some(long), body)]);
}

/// Before POSIX there was no magic word, and some summed the bytes up as signed.
#[test]
fn tar_from_before_posix() {
    let body = text(1, 100);
    let mut archive = tar(&[("logs/", b""), ("logs/a.log", &body)]);
    for at in [0, 512] {
        archive[at + 257..at + 265].fill(0);
        archive[at + 156] = 0;
        seal(&mut archive[at..at + 512]);
    }
    assert!(whole(archive) == [(Some("logs/a.log".to_owned()), body.clone())]);

    let mut signed = tar(&[("a\u{e4}.log", &body)]);
    signed[148..156].fill(b' ');
    let sum: i32 = signed[..512].iter().map(|byte| i32::from(byte.cast_signed())).sum();
    signed[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    assert!(whole(signed) == [(Some("a\u{e4}.log".to_owned()), body)]);
}

#[test]
fn tar_members_that_are_no_files() {
    let body = text(1, 100);
    let mut archive = Vec::new();
    for (kind, name) in (b'1'..=b'6').zip(["hard", "soft", "char", "block", "folder", "pipe"]) {
        archive.extend(tar_header(name, "00000000000", kind));
    }
    archive.extend(tar(&[("a.log", &body)]));
    assert!(whole(archive) == [(Some("a.log".to_owned()), body)]);
}

#[test]
fn tar_sparse_files_are_refused() {
    let body = text(1, 512);
    let mut archive = tar_header("sparse.log", "00000001000", b'S');
    archive[482] = 1;
    seal(&mut archive);
    archive.extend([0; 512]);
    archive.extend(text(2, 512));
    archive.extend(tar(&[("a.log", &body)]));
    let (members, faults) = broken(archive, WIDE);
    assert!(members == [(Some("sparse.log".to_owned()), Vec::new()), (Some("a.log".to_owned()), body)]);
    assert_eq!(faults, [FaultKind::Unsupported]);
}

/// `tar -A`, or `cat` of two archives.
#[test]
fn tar_behind_tar() {
    let body = text(1, 100);
    let archive = [tar(&[("a.log", &body)]), vec![0; 4096], tar(&[("b.log", &body)])].concat();
    let names: Vec<_> = whole(archive).into_iter().filter_map(|(name, _)| name).collect();
    assert_eq!(names, ["a.log", "b.log"]);
}

#[test]
fn zip_members() {
    let (a, b) = (text(1, 70_000), text(2, 1000));
    let packed = |name, bytes, method, packed| Zipped { name, bytes, method, packed, flags: 0 };
    let archive = zip(&[
        Zipped::stored("dump/a.log", &a),
        Zipped::deflated("dump/b.log", &b),
        packed("z.log", &a, 93, zstd(&a)),
        packed("bz.log", &a, 12, bzip2(&a)),
        packed("xz.log", &b, 95, xz(&b)),
        Zipped { flags: 8, ..Zipped::deflated("open.log", &a) },
        Zipped::stored("folder/", b""),
        Zipped::stored("dump/b.log", &b),
    ]);
    let named = |name: &str, bytes: &Vec<u8>| (Some(name.to_owned()), bytes.clone());
    let expected = [
        named("dump/a.log", &a),
        named("dump/b.log", &b),
        named("z.log", &a),
        named("bz.log", &a),
        named("xz.log", &b),
        named("open.log", &a),
        named("dump/b.log", &b),
    ];
    assert!(whole(archive.clone()) == expected);
    // Bytes before the archive are not counted in its offsets, and padding may follow.
    assert!(whole(gzip(&archive)) == expected);
}

#[test]
fn zip_with_a_comment_that_looks_like_an_end() {
    let a = text(1, 100);
    let mut archive = zip(&[Zipped::stored("a.log", &a)]);
    let end = archive.len() - 2;
    let comment = b"PK\x05\x06 and more of the same, PK\x05\x06";
    archive[end..].copy_from_slice(&(comment.len() as u16).to_le_bytes());
    archive.extend(comment);
    assert!(whole(archive) == [(Some("a.log".to_owned()), a)]);
}

#[test]
fn zip_members_that_are_not_read() {
    let a = text(1, 100);
    let archive = zip(&[
        Zipped { flags: 1, ..Zipped::deflated("secret.log", &a) },
        Zipped { method: 98, ..Zipped::stored("ppmd.log", &a) },
        Zipped::stored("a.log", &a),
    ]);
    let (members, faults) = broken(archive, WIDE);
    assert_eq!(faults, [FaultKind::Encrypted, FaultKind::Unsupported]);
    assert!(members[2] == (Some("a.log".to_owned()), a));
}

#[test]
fn zip_members_that_lie() {
    let (a, b) = (text(1, 100), text(2, 100));
    let mut short = zip(&[Zipped { bytes: &a[..50], packed: deflate(&a), ..Zipped::deflated("a.log", &a) }]);
    let (members, faults) = broken(short.clone(), WIDE);
    assert!(members[0].1 == a[..50] && faults == [FaultKind::Corrupt], "{faults:?}");
    short.truncate(0);
    let long = zip(&[Zipped { bytes: &a, packed: deflate(&a[..50]), ..Zipped::deflated("a.log", &a) }]);
    let (members, faults) = broken(long, WIDE);
    assert!(members[0].1 == a[..50] && faults == [FaultKind::Truncated], "{faults:?}");
    let other = zip(&[Zipped { packed: b.clone(), ..Zipped::stored("a.log", &a) }]);
    assert_eq!(broken(other, WIDE).1, [FaultKind::Corrupt]);
}

#[test]
fn one_level_of_nesting() {
    let log = text(1, 3000);
    let named = |name: &str| (Some(name.to_owned()), log.clone());
    let zipped = zip(&[Zipped::deflated("log", &log)]);
    let tarred = tar(&[("log", &log)]);
    let packed = gzip(&log);
    let members: [(&str, &[u8]); 4] =
        [("a.zip", &zipped), ("b.tar", &tarred), ("c.gz", &packed), ("d.tar.xz", &xz(&tarred))];
    let expected = [named("a.zip/log"), named("b.tar/log"), named("c.gz"), named("d.tar.xz/log")];
    assert!(whole(tar(&members)) == expected);
    assert!(whole(zstd(&tar(&members))) == expected);
    let all: Vec<Zipped<'_>> = members.iter().map(|(name, bytes)| Zipped::deflated(name, bytes)).collect();
    assert!(whole(zip(&all)) == expected);
    assert!(whole(gzip(&gzip(&log))) == [(None, log.clone())]);
}

#[test]
fn deeper_nesting_is_refused() {
    let log = text(1, 3000);
    let gz = gzip(&log);
    let inner = tar(&[("deep.gz", &gz), ("log", &log)]);
    let (members, faults) = broken(tar(&[("inner.tar", &inner), ("log", &log)]), WIDE);
    assert_eq!(faults, [FaultKind::TooDeep]);
    let expected = [("inner.tar/deep.gz", &Vec::new()), ("inner.tar/log", &log), ("log", &log)];
    assert!(members.iter().map(|(name, bytes)| (name.as_deref().unwrap_or(""), bytes)).eq(expected));
    assert_eq!(broken(gzip(&gzip(&gz)), WIDE).1, [FaultKind::TooDeep]);
}
