#!/usr/bin/env python3
"""How time and memory of logmill grow with the size of the input, of one document, the number of files and threads.

    benches/peers/scaling.py [--dump DIR] [--largest 8G] [--runs N]

Dumps are those of peers.py and lie in the same folder; the 8 GiB are the 1 GiB eight times over, each copy with years
of its own, so that no two runs are the same.
"""
import argparse
import json
import pathlib
import shutil

import peers

SIZES = ["64K", "1M", "16M", "256M", "1G", "8G"]
UNITS = {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30}


def bytes_of(size):
    return int(size[:-1]) * UNITS[size[-1]]


def dump(size, folder):
    target = folder / f"apify-{size}.log"
    if size != "8G":
        return peers.generate("apify-log", size, target)
    source = peers.generate("apify-log", "1G", folder / "apify-1G.log")
    if not target.exists():
        part = target.with_suffix(".part")
        with open(part, "wb") as out:
            for copy in range(8):
                with open(source, "rb") as lines:
                    for line in lines:
                        # 2025 and 2026 become 2025+2n and 2026+2n.
                        if line[:2] == b"20" and line[4:5] == b"-":
                            line = b"%d%s" % (int(line[:4]) + 2 * copy, line[4:])
                        out.write(line)
        part.rename(target)
    return target


def document(form, folder):
    """All pages of a dump in one JSON document: an array of answers, or one page of all executions."""
    source = peers.generate(form, "256M", folder / f"{form.split('-')[0]}-256M")
    target = folder / f"{form.split('-')[0]}-256M-one.json"
    if target.exists():
        return target
    part = target.with_suffix(".part")
    pages = (line for path in sorted(source.rglob("*.json")) for line in path.read_text().splitlines() if line.strip())
    executions = (json.dumps(one, ensure_ascii=False, separators=(",", ":")) for page in pages for one in json.loads(page)["data"])
    opening, elements, closing = ('{"data":[', executions, "]}") if form.startswith("alloy") else ("[", pages, "]")
    with open(part, "w") as out:
        separator = opening
        for element in elements:
            out.write(separator + element)
            separator = ","
        out.write(closing)
    part.rename(target)
    return target


def best(command, runs):
    measured = [peers.run(command)[:2] for _ in range(runs)]
    return min(wall for wall, _ in measured), max(memory for _, memory in measured)


def row(name, path, size, runs, scratch):
    cells = []
    for threads in ("1", "2"):
        wall, memory = best([peers.LOGMILL, "report", str(path), "--json", "--quiet", "--threads", threads], runs)
        cells += [f"{wall:.2f}", f"{size / wall / 1e9:.2f}", f"{memory:.0f}"]
    out = str(scratch / "scaling.parquet")
    wall, memory = best([peers.LOGMILL, "convert", str(path), "-o", out, "--overwrite", "--quiet"], runs)
    print("| " + " | ".join([name, *cells, f"{wall:.2f}", f"{memory:.0f}"]) + " |", flush=True)


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--dump", type=pathlib.Path, default=peers.ROOT / "target/peers")
    arguments.add_argument("--largest", default="8G", choices=SIZES)
    arguments.add_argument("--runs", type=int, default=3)
    options = arguments.parse_args()
    options.dump.mkdir(parents=True, exist_ok=True)
    print("| input | report, 1 thread: s | GB/s | MB peak | 2 threads: s | GB/s | MB peak | convert, 2 threads: s | MB peak |")
    print("|---|--:|--:|--:|--:|--:|--:|--:|--:|")
    for size in SIZES[: SIZES.index(options.largest) + 1]:
        path = dump(size, options.dump)
        row(size, path, path.stat().st_size, options.runs if size != "8G" else 1, options.dump)
    whole = dump("256M", options.dump)
    for count in (1, 100, 5_000, 50_000):
        folder = peers.split(whole, options.dump / f"apify-256M-{count}-files", count)
        row(f"256M in {count:,} files", folder, whole.stat().st_size, options.runs, options.dump)
        shutil.rmtree(folder)
    for form in ("cloudflare-build", "alloy-execution"):
        path = document(form, options.dump)
        row(f"{form} in one document", path, path.stat().st_size, options.runs, options.dump)


if __name__ == "__main__":
    main()
