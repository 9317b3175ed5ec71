#!/usr/bin/env python3
"""Fills corpus/ from ../testdata: each input as it is, and behind a byte that chooses each format; packed for `archives`."""
import bz2, gzip, io, lzma, pathlib, tarfile, zipfile

root = pathlib.Path(__file__).resolve().parent
inputs = sorted(p for p in (root / "../testdata").rglob("*")
                if p.is_file() and not p.name.endswith((".expect.json", ".md")) and p.stat().st_size <= 16384)


def archive(kind, name, data):
    packed = io.BytesIO()
    if kind in (0, 1):
        with tarfile.open(fileobj=packed, mode="w" if kind else "w:gz") as tar:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    elif kind in (2, 3):
        method = zipfile.ZIP_STORED if kind == 2 else zipfile.ZIP_DEFLATED
        with zipfile.ZipFile(packed, "w", method) as zip:
            zip.writestr(name, data)
    else:
        packed.write([gzip.compress, bz2.compress, lzma.compress][kind - 4](data))
    return packed.getvalue()


for target in sorted(p.stem for p in (root / "fuzz_targets").glob("*.rs")):
    folder = root / "corpus" / target
    folder.mkdir(parents=True, exist_ok=True)
    for number, path in enumerate(inputs):
        data = path.read_bytes()
        if target in ("formats", "utf16"):
            data = bytes([number % 64]) + data
        if target == "archives":
            data = b"\0" + archive(number % 7, path.name, data[:2000])
        (folder / f"seed-{number:04}").write_bytes(data)
