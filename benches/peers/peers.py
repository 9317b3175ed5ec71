#!/usr/bin/env python3
"""Runs logmill and other tools on the same files, checks that their counts agree, and prints ratios.

    benches/peers/install.sh                        what is needed, from the public registries
    benches/peers/peers.py [--dump DIR] [--runs N] [--size 1G] [--only TEXT]

Dumps are generated once into DIR (seeded: the same bytes everywhere). Each round runs every tool once, so that a
busy moment hits all alike; the table shows the fastest run of each, its peak memory, and its time as a multiple of
logmill's. A tool that is not installed is left out and named.

The extraction asked of line-oriented tools: stamp, level and logger of every line of an Apify log, then lines by
level. logmill does more in its time: it joins lines to events, runs, phases, error groups and rates.
"""
import argparse
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
LOGMILL = os.environ.get("LOGMILL", str(ROOT / "target/release/logmill"))
LINE = r"^(\S+Z) (?:(\[[^\]]+\]) )?(CRITICAL|ERROR|WARN|INFO|DEBUG|PERF)\b *(.*)"
NAMED = r"^(?P<ts>\S+Z) (?:(?P<logger>\[[^\]]+\]) )?(?P<level>CRITICAL|ERROR|WARN|INFO|DEBUG|PERF)\b"
LEVELS = ["CRITICAL", "DEBUG", "ERROR", "INFO", "PERF", "WARN"]


def run(command):
    """Wall time in seconds, peak memory in MB (0 where GNU time is not installed), standard output."""
    # The peak of a child is at least that of who started it, hence a small program in between.
    measure = ["/usr/bin/time", "--quiet", "-f", "peak %M"] if os.path.exists("/usr/bin/time") else []
    start = time.monotonic()
    done = subprocess.run(measure + command, stdin=subprocess.DEVNULL, capture_output=True, env={**os.environ, "LC_ALL": "C"})
    wall = time.monotonic() - start
    err = done.stderr.decode(errors="replace")
    if done.returncode != 0:
        raise RuntimeError(f"{command[0]}: {err[-300:]}")
    peak = re.search(r"peak (\d+)\s*$", err)
    return wall, int(peak.group(1)) / 1024 if peak else 0, done.stdout.decode(errors="replace")


class Tool:
    """A command, how it is found, and what its output says."""

    def __init__(self, work, name, command, answer, needs, version, share=1.0):
        self.work, self.name, self.command, self.answer = work, name, command, answer
        self.needs, self.version_command, self.share = needs, version, share
        self.walls, self.memory, self.said, self.failed = [], 0.0, None, False

    def missing(self):
        if self.needs.startswith("py:"):
            return subprocess.run([sys.executable, "-c", f"import {self.needs[3:]}"],
                                  capture_output=True).returncode != 0
        return shutil.which(self.needs) is None

    def version(self):
        if self.needs.startswith("py:"):
            code = f"import importlib.metadata as m; print(m.version('{self.needs[3:]}'))"
            return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip()
        out = subprocess.run(self.version_command, capture_output=True, text=True, shell=True)
        found = re.search(r"\d+(\.\d+)+", out.stdout + out.stderr)
        return found.group(0) if found else "?"

    def once(self):
        try:
            wall, memory, out = run(self.command)
        except (RuntimeError, OSError) as error:
            print(f"{self.name} failed: {error}", file=sys.stderr)
            self.failed = True
            return
        self.walls.append(wall / self.share)
        self.memory = max(self.memory, memory)
        self.said = self.answer(out)


def python(code):
    return [sys.executable, "-c", code]


def level_counts(out):
    """A level and behind it a number, in any layout, to a dict."""
    found = {level: 0 for level in LEVELS}
    for level, count in re.findall(rf"\b({'|'.join(LEVELS)})\b[^0-9A-Za-z]*(?:_?count=)?(\d+)", out, re.IGNORECASE):
        found[level.upper()] = int(count)
    return found


def number(out):
    return int(re.findall(r"\d+", out)[-1])


def nothing(_):
    return None


def apify(files, scratch):
    """Tools over one large Apify text."""
    log, head = str(files["apify"]), str(files["apify-head"])
    share = files["apify-head"].stat().st_size / files["apify"].stat().st_size
    pattern = LINE.replace("'", "''")
    lines = f"read_csv('{log}', columns={{'l':'VARCHAR'}}, delim=chr(1), quote='', escape='', header=false, auto_detect=false, max_line_size=16777216)"
    duck = f"select regexp_extract(l, '{pattern}', ['ts','logger','level','message']) as e from {lines}"
    count = f"select e.level, count(*) from ({duck}) where e.level <> '' group by 1"
    copy = f"copy (select e.ts::timestamptz as ts, e.level, e.logger, e.message from ({duck}) where e.level <> '') to '{scratch}/duck.parquet' (format parquet, compression zstd)"
    escaped = pattern.replace("\\", "\\\\")
    house = (f"select level, count() from (select arrayElement(extractGroups(line, '{escaped}'), 1) as ts,"
             f" arrayElement(extractGroups(line, '{escaped}'), 3) as level from file('{log}', LineAsString))"
             " where level <> '' group by level")
    polars = (f"import polars as pl; d=pl.read_csv('{log}',has_header=False,separator='\\x01',quote_char=None,new_columns=['l'],schema={{'l':pl.String}},truncate_ragged_lines=True)"
              f".select(e=pl.col('l').str.extract_groups(r'{LINE}')).unnest('e'); print(d.group_by('3').len().drop_nulls().rows())")
    write = (f"import polars as pl,time,sys; d=pl.read_parquet('{scratch}/events.parquet'); t=time.monotonic();"
             f" d.write_parquet('{scratch}/polars.parquet',compression='zstd'); print(time.monotonic()-t)")
    duckdb = "import duckdb; c=duckdb.connect(); print('\\n'.join(map(str,c.sql(%r).fetchall())))"
    awk = ("{ l = $2; if (l ~ /^\\[/) { for (i = 2; i <= NF; i++) if ($i ~ /\\]$/) { l = $(i+1); break } } n[l]++ } "
           "END { for (l in n) print l, n[l] }")
    report = "apify: report"
    yield Tool(report, "logmill report", [LOGMILL, "report", log, "--json", "--quiet"], nothing, LOGMILL, f"{LOGMILL} --version")
    yield Tool(report, "logmill report -o", [LOGMILL, "report", log, "-o", f"{scratch}/tables", "--overwrite", "--json", "--quiet"], nothing, LOGMILL, f"{LOGMILL} --version")
    yield Tool(report, "wc -l", ["wc", "-l", log], nothing, "wc", "wc --version")
    yield Tool(report, "grep -c ERROR", ["grep", "-c", "ERROR", log], nothing, "grep", "grep --version")
    yield Tool(report, "grep -cE (the line's pattern)", ["grep", "-cE", r"^[^ ]+Z (\[[^]]+\] )?(CRITICAL|ERROR|WARN|INFO|DEBUG|PERF)\b", log], nothing, "grep", "grep --version")
    yield Tool(report, "DuckDB, count by level", python(duckdb % count), level_counts, "py:duckdb", "")
    yield Tool(report, "ClickHouse (chdb), count by level", python(f"import chdb; print(chdb.query({house!r}, 'TSV'))"), level_counts, "py:chdb", "")
    yield Tool(report, "polars, count by level", python(polars), level_counts, "py:polars", "")
    yield Tool(report, "mawk, count by second word (64 MiB, scaled)", ["mawk", awk, head], nothing, "mawk", "mawk -W version", share)
    yield Tool(report, "Miller, count by second word (64 MiB, scaled)", ["mlr", "--inidx", "--ifs", " ", "--onidx", "count-distinct", "-f", "2", head], nothing, "mlr", "mlr --version", share)
    yield Tool(report, "jq, count by level (64 MiB, scaled)", ["jq", "-nR", f"reduce (inputs | capture({json.dumps(NAMED.replace('?P<', '?<'))}) | .level) as $l ({{}}; .[$l] += 1)", head], level_counts, "jq", "jq --version", share)
    yield Tool(report, "lnav, count by level (64 MiB, scaled)", ["lnav", "-n", "-I", str(HERE / "lnav"), "-c", ";select word, count(*) from apify_line group by 1", "-c", ":write-csv-to -", head], level_counts, "lnav", "lnav --version", share)
    yield Tool(report, "angle-grinder, count by level (64 MiB, scaled)", ["agrind", "-f", head, f'* | parse regex "{NAMED}" | count by level'], level_counts, "agrind", "agrind --version", share)
    yield Tool(report, "Kelora, count by level (64 MiB, scaled)", ["kelora", "-f", f"regex:{NAMED}.*", "-f", "line", "-q", "-e", 'if e.has("level") { track_freq("level", e.level) }', "--metrics", head], level_counts, "kelora", "kelora --version", share)
    table = "apify: events to zstd Parquet"
    yield Tool(table, "logmill convert", [LOGMILL, "convert", log, "-o", f"{scratch}/events.parquet", "--overwrite", "--quiet"], nothing, LOGMILL, f"{LOGMILL} --version")
    yield Tool(table, "DuckDB COPY (ts, level, logger, message)", python(duckdb % copy), nothing, "py:duckdb", "")
    tool = Tool(table, "polars, only writing that frame", python(write), float, "py:polars", "")
    yield tool


def cloudflare(files, scratch):
    """Tools over Cloudflare pages, one JSON document a file."""
    folder = files["cloudflare"]
    pages = f"{folder}/**/*.json"
    work = "cloudflare: pages"
    yield Tool(work, "logmill report", [LOGMILL, "report", str(folder), "--json", "--quiet"], nothing, LOGMILL, f"{LOGMILL} --version")
    duck = f"select sum(len(result.lines)) from read_json('{pages}', columns={{'result':'STRUCT(lines JSON[])'}}, maximum_object_size=268435456)"
    yield Tool(work, "DuckDB, count lines", python(f"import duckdb; print(duckdb.sql({duck!r}).fetchall()[0][0])"), number, "py:duckdb", "")
    yield Tool(work, "jq, count lines", ["sh", "-c", f"find {folder} -name 'page-*.json' -print0 | xargs -0 cat | jq -n '[inputs | .result.lines | length] | add'"], number, "jq", "jq --version")
    code = f"import json,glob; print(sum(len(json.load(open(f))['result']['lines']) for f in glob.glob('{folder}/**/page-*.json', recursive=True)))"
    yield Tool(work, "Python json, count lines", python(code), number, "python3", "python3 --version")


def alloy(files, scratch):
    """Tools over Alloy pages of executions."""
    folder = files["alloy"]
    work = "alloy: pages"
    yield Tool(work, "logmill report", [LOGMILL, "report", str(folder), "--json", "--quiet"], nothing, LOGMILL, f"{LOGMILL} --version")
    duck = f"select sum(len(data)) from read_json('{folder}/**/*.json', columns={{'data':'JSON[]'}}, maximum_object_size=268435456)"
    yield Tool(work, "DuckDB, count executions", python(f"import duckdb; print(duckdb.sql({duck!r}).fetchall()[0][0])"), number, "py:duckdb", "")
    yield Tool(work, "jq, count executions", ["sh", "-c", f"find {folder} -name '*.json' -print0 | xargs -0 cat | jq -n '[inputs | .data | length] | add'"], number, "jq", "jq --version")
    code = f"import json,glob; print(sum(len(json.load(open(f))['data']) for f in glob.glob('{folder}/**/*.json', recursive=True)))"
    yield Tool(work, "Python json, count executions", python(code), number, "python3", "python3 --version")


def many(files, scratch):
    """The large text again, as 20,000 files."""
    work = "apify: the same bytes in 20,000 files"
    yield Tool(work, "logmill report", [LOGMILL, "report", str(files["many"]), "--json", "--quiet"], nothing, LOGMILL, f"{LOGMILL} --version")
    yield Tool(work, "logmill report of the one file", [LOGMILL, "report", str(files["apify"]), "--json", "--quiet"], nothing, LOGMILL, f"{LOGMILL} --version")
    yield Tool(work, "grep -rc ERROR", ["grep", "-rch", "ERROR", str(files["many"])], nothing, "grep", "grep --version")


def generate(kind, size, target):
    """A seeded dump, unless it is there."""
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run(["cargo", "run", "--quiet", "--release", "-p", "logmill-generate", "--example", "write_dump", "--",
                        kind, size, str(target)], cwd=ROOT, check=True)
    return target


def split(log, folder, count):
    """The lines of `log` as `count` files in `folder`, cut at line ends."""
    if not folder.exists():
        part = folder.with_suffix(".part")
        shutil.rmtree(part, ignore_errors=True)
        size = log.stat().st_size
        with open(log, "rb") as source:
            for number in range(count):
                directory = part / f"{number // 1000:02}"
                directory.mkdir(parents=True, exist_ok=True)
                bytes_ = source.read(size // count) + source.readline() if number < count - 1 else source.read()
                (directory / f"part-{number:05}.log").write_bytes(bytes_)
        part.rename(folder)
    return folder


def corpora(folder, size):
    small = "256M" if size == "1G" else size
    files = {"apify": generate("apify-log", size, folder / f"apify-{size}.log")}
    head = folder / f"apify-{size}-head.log"
    if not head.exists():
        with open(files["apify"], "rb") as source:
            head.write_bytes(source.read(64 << 20) + source.readline())
    files["apify-head"] = head
    files["many"] = split(files["apify"], folder / f"apify-{size}-files", 20_000)
    files["cloudflare"] = generate("cloudflare-build", small, folder / f"cloudflare-{small}")
    files["alloy"] = generate("alloy-execution", small, folder / f"alloy-{small}")
    return files


def table(work, tools):
    ours = min(tools[0].walls)
    print(f"\n### {work}\n\n| tool | version | seconds | × logmill | peak MB |\n|---|---|--:|--:|--:|")
    for tool in tools:
        if tool.walls:
            best = tool.said if tool.answer is float else min(tool.walls)
            print(f"| {tool.name} | {tool.version()} | {best:.2f} | {best / ours:.2f} | {tool.memory:.0f} |")
    for share in sorted({tool.share for tool in tools}):
        said = [tool.said for tool in tools if tool.share == share and tool.said is not None and tool.answer is not float]
        if any(one != said[0] for one in said):
            sys.exit(f"{work}: counts differ: {said}")
        if len(said) > 1:
            print(f"\n{len(said)} tools agree: {json.dumps(said[0])}")


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--dump", type=pathlib.Path, default=ROOT / "target/peers")
    arguments.add_argument("--size", default="1G")
    arguments.add_argument("--runs", type=int, default=3)
    arguments.add_argument("--only", default="")
    options = arguments.parse_args()
    files = corpora(options.dump, options.size)
    scratch = options.dump / "out"
    scratch.mkdir(exist_ok=True)
    works = {}
    for source in (apify, cloudflare, alloy, many):
        for tool in source(files, scratch):
            if options.only in tool.work:
                works.setdefault(tool.work, []).append(tool)
    absent = sorted({tool.name for tools in works.values() for tool in tools if tool.missing()})
    for work, tools in works.items():
        tools = [tool for tool in tools if not tool.missing()]
        for round_ in range(options.runs):
            for tool in tools:
                if not tool.failed and (round_ == 0 or max(tool.walls) < 30):
                    tool.once()
        table(work, tools)
    if absent:
        print(f"\nnot installed: {', '.join(absent)}")


if __name__ == "__main__":
    main()
