"""pyarrow, DuckDB and polars open every Parquet file; CSV and NDJSON say the same; the manifest is right.

    python3 crates/cli/tests/independent/readers.py LOGMILL_BINARY [FOLDER]

Needs: pip install pyarrow duckdb polars. Without FOLDER the demo; an empty input is always looked at, too.
Also compares the files that 1, 2 and 8 threads write. Exit code 1 on any difference.
"""

import datetime
import hashlib
import json
import os
import re

import duckdb
import polars
import pyarrow.parquet

from common import Report, arguments, demo, logmill, temporary

KINDS = ["parquet", "csv", "ndjson"]
ARROW = {"string": ("string", "large_string", "string_view"), "int64": ("int64",), "float64": ("double",),
         "bool": ("bool",), "timestamp[us, UTC]": ("timestamp[us, tz=UTC]",)}
DUCK = {"string": "VARCHAR", "int64": "BIGINT", "float64": "DOUBLE", "bool": "BOOLEAN",
        "timestamp[us, UTC]": "TIMESTAMP WITH TIME ZONE"}
POLARS = {"string": "String", "int64": "Int64", "float64": "Float64", "bool": "Boolean",
          "timestamp[us, UTC]": "Datetime(time_unit='us', time_zone='UTC')"}
CSV_FIELD = re.compile(r'(?:"((?:[^"]|"")*)"|([^",\n\r]*))(,|\r?\n|\Z)')


def csv_rows(text):
    """Rows of a CSV in which nothing is null and `""` is an empty string."""
    row, at = [], 0
    while at < len(text):
        field = CSV_FIELD.match(text, at)
        if field is None:
            raise ValueError(f"no CSV field at character {at}: {text[at:at + 60]!r}")
        quoted, bare, end = field.groups()
        row.append(quoted.replace('""', '"') if quoted is not None else (bare or None))
        at = field.end()
        if end != ",":
            yield row
            row = []


def of_text(kind, text):
    """A value as CSV and NDJSON write it, to what Parquet holds."""
    if text is None or kind == "string":
        return text
    if kind == "int64":
        return int(text)
    if kind == "float64":
        return float(text)
    if kind == "bool":
        return {"true": True, "false": False}[text] if isinstance(text, str) else text
    if not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", text):
        raise ValueError(f"no stamp: {text!r}")
    at = datetime.datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ")
    return (at - datetime.datetime(1970, 1, 1)) // datetime.timedelta(microseconds=1)


def parquet_columns(table):
    """Values by column; instants as microseconds, so that nothing depends on a time zone."""
    columns = []
    for column in table.columns:
        stamp = str(column.type).startswith("timestamp")
        columns.append(column.cast("int64").to_pylist() if stamp else column.to_pylist())
    return columns


def check_table(report, folder, schema, manifest):
    name, documented = schema["table"], schema["columns"]
    path = os.path.join(folder, f"{name}.parquet")
    arrow = pyarrow.parquet.read_table(path)
    names, kinds = [c["name"] for c in documented], [c["type"] for c in documented]
    report.same(f"{name}: names, pyarrow", arrow.column_names, names)
    for column, kind in zip(documented, kinds):
        found = str(arrow.schema.field(column["name"]).type)
        report.same(f"{name}.{column['name']}: {kind}, pyarrow", found in ARROW[kind], True)
    duck = duckdb.execute(f"describe select * from '{path}'").fetchall()
    report.same(f"{name}: names and types, duckdb", [tuple(row[:2]) for row in duck],
                [(n, DUCK[k]) for n, k in zip(names, kinds)])
    frame = polars.read_parquet(path)
    report.same(f"{name}: names and types, polars", [(n, str(t)) for n, t in frame.schema.items()],
                [(n, POLARS[k]) for n, k in zip(names, kinds)])
    counts = [arrow.num_rows, duckdb.execute(f"select count(*) from '{path}'").fetchone()[0], frame.height]
    report.same(f"{name}: rows by pyarrow, duckdb, polars", counts, [manifest[f"{name}.parquet"]["rows"]] * 3)

    columns = parquet_columns(arrow)
    for column, values in zip(documented, columns):
        what = f"{name}.{column['name']}"
        if not column["nullable"]:
            report.same(f"{what}: never null", values.count(None), 0)
        if "values" in column:
            report.same(f"{what}: documented values", sorted(set(values) - {None} - set(column["values"])), [])
    rows = list(zip(*columns)) if columns else []
    ndjson_rows = check_ndjson(report, folder, name, names, kinds, rows)
    csv_count = check_csv(report, folder, name, names, kinds, rows)
    print(f"  {name:<10} {len(names):>3} columns   rows: schema/manifest {manifest[f'{name}.parquet']['rows']:>7}  pyarrow"
          f" {counts[0]:>7}  duckdb {counts[1]:>7}  polars {counts[2]:>7}  csv {csv_count:>7}  ndjson {ndjson_rows:>7}")


def check_ndjson(report, folder, name, names, kinds, rows):
    with open(os.path.join(folder, f"{name}.ndjson"), encoding="utf-8", newline="") as file:
        lines = file.read().split("\n")
    report.same(f"{name}.ndjson: ends with a newline, or is empty", lines.pop(), "")
    report.same(f"{name}.ndjson: rows", len(lines), len(rows))
    for at, (line, row) in enumerate(zip(lines, rows)):
        found = json.loads(line)
        values = tuple(of_text(kind, found[n]) for n, kind in zip(names, kinds))
        if list(found) != names or values != row:
            report.same(f"{name}.ndjson: line {at + 1}", (list(found), values), (names, row))
            break
    report.same(f"{name}.ndjson: values of {len(rows)} rows looked at", True, True)
    return len(lines)


def check_csv(report, folder, name, names, kinds, rows):
    with open(os.path.join(folder, f"{name}.csv"), encoding="utf-8", newline="") as file:
        found = csv_rows(file.read())
    report.same(f"{name}.csv: head", next(found), names)
    count = 0
    for count, (values, row) in enumerate(zip(found, rows), 1):
        typed = tuple(of_text(kind, value) for kind, value in zip(kinds, values))
        if len(values) != len(names) or typed != row:
            report.same(f"{name}.csv: row {count}", typed, row)
            break
    report.same(f"{name}.csv: rows", count + sum(1 for _ in found), len(rows))
    return count


def check_manifest(report, folder):
    with open(os.path.join(folder, "manifest.json"), encoding="utf-8") as file:
        manifest = json.load(file)
    files = {entry["file"]: entry for entry in manifest["outputs" if "outputs" in manifest else "files"]}
    report.same("the folder holds what the manifest names", sorted(os.listdir(folder)), sorted([*files, "manifest.json"]))
    for name, entry in files.items():
        with open(os.path.join(folder, name), "rb") as file:
            content = file.read()
        report.same(f"{name}: bytes", entry["bytes"], len(content))
        report.same(f"{name}: sha256", entry["sha256"], hashlib.sha256(content).hexdigest())
    for entry in manifest["inputs"]:
        report.same(f"{entry['source']}: bytes", entry["bytes"], os.path.getsize(entry["source"]))
    print(f"  manifest: {len(files)} files and {len(manifest['inputs'])} inputs, sizes and checksums compared")
    return files


def convert(binary, paths, threads):
    out = os.path.join(temporary(), "tables")
    kinds = [argument for kind in KINDS for argument in ("--to", kind)]
    logmill(binary, "convert", *paths, "-o", out, "--table", "all", "--threads", str(threads), *kinds)
    return out


def check(report, binary, what, paths):
    print(f"\n{what}")
    folder = convert(binary, paths, 2)
    files = check_manifest(report, folder)
    for schema in json.loads(logmill(binary, "schema", "--json")):
        check_table(report, folder, schema, files)
    for threads in (1, 8):
        other = convert(binary, paths, threads)
        for name in sorted(os.listdir(folder)):
            if name.endswith((".csv", ".ndjson")):
                pair = [open(os.path.join(f, name), "rb").read() for f in (folder, other)]
                report.same(f"{name}: 2 and {threads} threads", pair[0] == pair[1], True)
            elif name.endswith(".parquet"):
                pair = [pyarrow.parquet.read_table(os.path.join(f, name)) for f in (folder, other)]
                report.same(f"{name}: 2 and {threads} threads", pair[0].equals(pair[1]), True)
    print("  the same with 1, 2 and 8 threads: compared")


def main():
    binary, folder = arguments(demo())
    report = Report()
    check(report, binary, folder, [folder])
    empty = os.path.join(temporary(), "empty.log")
    open(empty, "wb").close()
    check(report, binary, "an empty file", [empty])
    report.finish()


if __name__ == "__main__":
    main()
