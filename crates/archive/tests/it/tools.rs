//! Archives made by programs that nobody here wrote; skipped where they are absent.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::support::*;

/// Runs a shell command in a folder; `None`, with a message, where a program is missing.
fn run(folder: &Path, needs: &[&str], script: &str) -> Option<()> {
    for program in needs {
        let found = Command::new("sh").arg("-c").arg(format!("command -v {program}")).output().ok()?;
        if !found.status.success() {
            eprintln!("skipped: {program} is not there");
            return None;
        }
    }
    let output = Command::new("sh").arg("-c").arg(script).current_dir(folder).output().ok()?;
    assert!(output.status.success(), "{script}: {}", String::from_utf8_lossy(&output.stderr));
    Some(())
}

/// Two files in a folder; what is expected of an archive of them.
fn dump(folder: &Path) -> Vec<(Option<String>, Vec<u8>)> {
    let files = [
        ("dump/a.log", text(1, 90_000)),
        ("dump/sub/b.log", text(2, 10)),
        ("dump/sub/empty.log", Vec::new()),
    ];
    fs::create_dir_all(folder.join("dump/sub")).expect("a folder");
    for (name, bytes) in &files {
        fs::write(folder.join(name), bytes).expect("a file");
    }
    files.into_iter().map(|(name, bytes)| (Some(name.to_owned()), bytes)).collect()
}

#[track_caller]
fn check(needs: &[&str], script: &str) {
    let folder = tempfile::tempdir().expect("a folder");
    let expected = dump(folder.path());
    if run(folder.path(), needs, script).is_some() {
        let mut members = whole(fs::read(folder.path().join("out")).expect("the archive"));
        members.sort();
        assert!(members == expected, "{script}: {:?}", members.iter().map(|it| &it.0).collect::<Vec<_>>());
    }
}

#[test]
fn tar_of_gnu() {
    for format in ["v7", "oldgnu", "gnu", "ustar", "pax"] {
        check(&["tar"], &format!("tar --format={format} -cf out dump"));
    }
    check(&["tar", "gzip"], "tar -czf out dump");
    check(&["tar", "bzip2"], "tar -cjf out dump");
    check(&["tar", "xz"], "tar -cJf out dump");
    check(&["tar", "zstd"], "tar -cf - dump | zstd -q -19 > out");
    check(&["tar", "gzip"], "tar -cf - dump | gzip -c | gzip -c > out");
}

#[test]
fn zip_of_info_zip() {
    check(&["zip"], "zip -qr out.zip dump && mv out.zip out");
    check(&["zip"], "zip -qr0 out.zip dump && mv out.zip out");
    check(&["zip"], "zip -qr -fz out.zip dump && mv out.zip out");
    check(&["zip"], "zip -qr - dump | cat > out");
    check(&["zip"], "zip -qr -Z bzip2 out.zip dump && mv out.zip out");
}

#[test]
fn archives_of_python() {
    let zip = |method: &str| {
        format!(
            "python3 -c \"import zipfile,os
with zipfile.ZipFile('out','w',zipfile.{method}) as z:
  for r,_,n in os.walk('dump'):
    for f in n: z.write(os.path.join(r,f))\""
        )
    };
    for method in ["ZIP_STORED", "ZIP_DEFLATED", "ZIP_BZIP2"] {
        check(&["python3"], &zip(method));
    }
    for mode in ["w", "w:gz", "w:bz2", "w:xz"] {
        check(
            &["python3"],
            &format!(
                "python3 -c \"import tarfile; t=tarfile.open('out','{mode}'); t.add('dump'); t.close()\""
            ),
        );
    }
    // Through a pipe the sizes stand behind the members.
    let piped = "python3 -c \"import zipfile,sys,os
class P:
  def write(s,b): return sys.stdout.buffer.write(b)
  def flush(s): pass
with zipfile.ZipFile(P(),'w',zipfile.ZIP_DEFLATED) as z:
  for r,_,n in os.walk('dump'):
    for f in n: z.write(os.path.join(r,f))\" > out";
    check(&["python3"], piped);
}

#[test]
fn compressed_by_other_programs() {
    let bytes = text(3, 200_000);
    for (program, script) in [
        ("gzip", "gzip -9c in > out"),
        ("gzip", "(gzip -c in; head -c 1000 /dev/zero) > out"),
        ("gzip", "(head -c 7 in | gzip -c; tail -c +8 in | gzip -c) > out"),
        ("bzip2", "(head -c 7 in | bzip2 -c; tail -c +8 in | bzip2 -c) > out"),
        (
            "xz",
            "(head -c 7 in | xz -c; head -c 8 /dev/zero; tail -c +8 in | xz -9 --block-size=10000 -c) > out",
        ),
        ("xz", "xz -c --check=sha256 --x86 --lzma2 in > out"),
        ("zstd", "(head -c 7 in | zstd -qc; tail -c +8 in | zstd -q --long=27 -c) > out"),
        ("zstd", "zstd -q --format=gzip -c in > out || gzip -c in > out"),
    ] {
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join("in"), &bytes).expect("a file");
        if run(folder.path(), &[program], script).is_some() {
            let out = fs::read(folder.path().join("out")).expect("a file");
            assert!(whole(out) == [(None, bytes.clone())], "{script}");
        }
    }
}
