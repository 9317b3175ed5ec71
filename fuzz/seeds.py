#!/usr/bin/env python3
"""Fills corpus/ from ../testdata: each input as it is, and behind a byte that chooses each format."""
import pathlib

root = pathlib.Path(__file__).resolve().parent
inputs = sorted(p for p in (root / "../testdata").rglob("*")
                if p.is_file() and not p.name.endswith((".expect.json", ".md")) and p.stat().st_size <= 16384)
for target in sorted(p.stem for p in (root / "fuzz_targets").glob("*.rs")):
    folder = root / "corpus" / target
    folder.mkdir(parents=True, exist_ok=True)
    for number, path in enumerate(inputs):
        data = path.read_bytes()
        if target in ("formats", "utf16"):
            data = bytes([number % 64]) + data
        (folder / f"seed-{number:04}").write_bytes(data)
