"""Runs the SQL and Python of documentation pages over tables and compares what comes out with what stands there.

    recipes.py [--accept] OUT PAGE...

OUT is the folder `out` of the recipes. Behind every block of SQL or Python stands a block of text with its result;
--accept writes it. Exit code 77: DuckDB or polars is not installed.
"""
import contextlib
import io
import os
import pathlib
import re
import sys

try:
    import duckdb
    import polars  # noqa: F401
except ImportError as error:
    print(error)
    sys.exit(77)

BLOCK = re.compile(r"```(sql|python)\n(.*?)```\n(?:\n```text\n(.*?)```\n)?", re.S)


def sql(text):
    connection = duckdb.connect()
    connection.execute("set timezone = 'UTC'")
    cursor = connection.execute(text)
    names = [column[0] for column in cursor.description]
    rows = [names] + [["" if value is None else str(value) for value in row] for row in cursor.fetchall()]
    widths = [max(len(row[index]) for row in rows) for index in range(len(names))]
    line = lambda row: "  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip()
    return "".join(line(row).replace("\n", "⏎") + "\n" for row in rows)


def python(text):
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        exec(text, {})  # the page's own code
    return out.getvalue()


def main():
    words = sys.argv[1:]
    accept = "--accept" in words
    out, *pages = [word for word in words if word != "--accept"]
    os.chdir(pathlib.Path(out).parent)
    wrong = run = 0
    for page in map(pathlib.Path, pages):
        def check(found):
            nonlocal wrong, run
            language, code, expected = found.groups()
            result = sql(code) if language == "sql" else python(code)
            run += 1
            if result != expected and not accept:
                wrong += 1
                print(f"{page}:\n{code}\nexpected\n{expected}\nfound\n{result}")
            return f"```{language}\n{code}```\n\n```text\n{result}```\n"
        text = page.read_text()
        checked = BLOCK.sub(check, text)
        if accept:
            page.write_text(checked)
    print(f"{run} recipes, {wrong} differ")
    sys.exit(1 if wrong or not run else 0)


main()
