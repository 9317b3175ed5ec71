"""Reads the raw files of a dump by itself, as plainly as possible, and compares with `logmill report`.

    python3 crates/cli/tests/independent/from_raw.py LOGMILL_BINARY [FOLDER]

Standard library only. Without FOLDER the demo. Compared run by run: ids, groups, first and last
instant, duration, number of lines, retries, errors, the durations of the phases and steps, and of
schedules the invocations and failures. Written from the platforms' documentation: stamped text
lines of Apify, pages of `[milliseconds, message]` of Cloudflare, executions of Alloy, entries of
Apify schedules. Files in other shapes (pastes, text downloads) are left out. Exit code 1 on any difference.
"""

import csv
import datetime
import json
import os
import re
import sys

from common import Report, arguments, demo, logmill, show, temporary

csv.field_size_limit(sys.maxsize)
EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
STAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
RELAYED = re.compile(r"\[apify\.(\S+) runId:(\w+)\] -> (.*)", re.S)


def ms(stamp):
    """Milliseconds since 1970 of an RFC 3339 stamp in UTC."""
    at = datetime.datetime.fromisoformat(stamp.replace("Z", "+00:00"))
    return (at - EPOCH) // datetime.timedelta(milliseconds=1)


class Run:
    """What is found in the raw files about one run; None stands for what is not looked for."""

    def __init__(self, group, run_id):
        self.group, self.run_id = group, run_id
        self.start = self.stop = None
        self.n_lines = self.n_retries = self.n_errors = None
        self.status = None
        self.steps = {}

    def sees(self, at):
        self.start = at if self.start is None else min(self.start, at)
        self.stop = at if self.stop is None else max(self.stop, at)

    def facts(self):
        """Name and value of everything that was looked for."""
        duration = None if self.start is None or self.stop is None else self.stop - self.start
        facts = {"group": self.group, "started_at": self.start, "stopped_at": self.stop, "duration_ms": duration}
        optional = {"n_lines": self.n_lines, "n_retries": self.n_retries, "n_errors": self.n_errors, "status": self.status}
        facts.update({name: value for name, value in optional.items() if value is not None})
        facts.update({f"step {name}": durations for name, durations in self.steps.items()})
        return facts


# --- Apify run and build logs -------------------------------------------------------------------

RETRY = re.compile(r"[Rr]eclaiming failed request back|^Retrying request to |rotating session and retrying"
                   r"|^Retry failed \d+ times and will be repeated")
LEVEL = re.compile(r"(?:\[[\w.]+\] )?(CRITICAL|ERROR|SFAIL|WARN |INFO |DEBUG|PERF ) ?(.*)", re.S)
COLON_LEVEL = re.compile(r"(ERROR|SOFT_FAIL|WARNING|INFO|DEBUG|PERF): (.*)", re.S)
INSIDE = re.compile(r'File "|\s|Node\.js v|[\w.]*Error: |\{"id')


def apify_log(path, runs):
    group, stem = os.path.basename(os.path.dirname(path)), os.path.splitext(os.path.basename(path))[0]
    with open(path, encoding="utf-8", errors="replace", newline="") as file:
        lines = file.read().removesuffix("\n").split("\n")
    texts = [line[25:] for line in lines if STAMP.match(line) and line[24:25] in ("", " ")]
    if not STAMP.match(lines[0]) or not any(re.match("ACTOR: |INFO:", text) or LEVEL.match(text) or COLON_LEVEL.match(text)
                                            or text.startswith("[apify") for text in texts):
        return False
    own = runs.setdefault(("apify", stem), Run(group, stem))
    read_stream(own, lines, runs)
    return True


def read_stream(own, lines, runs):
    """Lines of one run, among them those of its children, who may have children themselves."""
    texts, children = [], {}
    for line in lines:
        if not STAMP.match(line):
            texts.append((None, line))
            continue
        at, text = ms(line[:24]), line[25:]
        relayed = RELAYED.match(text)
        if relayed:
            name, run_id, inner = relayed.groups()
            children.setdefault(run_id, (name, []))[1].append(inner)
        else:
            texts.append((at, text))
    read_apify(own, texts)
    for run_id, (name, inner) in children.items():
        # A log of its own is better than the copy in its parent's.
        if ("apify", run_id) not in runs:
            child = runs[("apify", run_id)] = Run(name, run_id)
            read_stream(child, inner, runs)


def read_apify(run, lines):
    run.start = run.stop = None
    run.n_lines = run.n_retries = run.n_errors = 0
    run.steps = {"pull": [], "create": [], "boot": []}
    phase, since, has_ended, above = None, None, False, ""
    for index, (at, text) in enumerate(lines):
        if at is not None:
            run.sees(at)
        elif has_ended and not text.startswith("Status: "):
            continue  # what a tool printed below the log it had fetched
        has_ended = has_ended or text.startswith("ACTOR: Build finished")
        # Loggers that are set up twice print every record twice, the copy with its text as an extra.
        copy = re.match(r'(.*?) \(\{.*"message": "(.*)"\}\)$', text)
        if copy and above.startswith(copy.group(1)) and copy.group(2) in above:
            continue
        above = text
        if text.strip():
            run.n_lines += 1
        else:
            # A blank line counts where what comes next belongs to the event above it.
            run.n_lines += bool(INSIDE.match(next((t for _, t in lines[index + 1:] if t.strip()), "")))
        level = LEVEL.match(text) or COLON_LEVEL.match(text)
        said = re.sub(r"^[\w$]+: ", "", level.group(2)) if level else text
        if level and RETRY.search(said):
            run.n_retries += 1
        elif level and level.group(1) in ("CRITICAL", "ERROR", "SFAIL", "SOFT_FAIL"):
            run.n_errors += 1
        elif text.startswith("ACTOR: ERROR") or re.fullmatch(r"\s+\^\s*", text):
            run.n_errors += 1  # a crash of Node points with a caret at the place
        for name, head in (("pull", "ACTOR: Pulling"), ("create", "ACTOR: Creating"), ("boot", "ACTOR: Starting")):
            if text.startswith(head):
                if phase:
                    run.steps[phase].append(at - since)
                phase, since = name, at
        if phase == "boot" and at is not None and text.strip() and not text.startswith("ACTOR: "):
            run.steps["boot"].append(at - since)
            phase = None
    if phase:
        run.steps[phase].append(run.stop - since)


# --- Apify schedules ----------------------------------------------------------------------------

def apify_schedule(path, entries, runs):
    schedule = os.path.splitext(os.path.basename(path))[0]
    invocation = None
    for entry in sorted(entries, key=lambda entry: entry["createdAt"]):
        at = ms(entry["createdAt"])
        invoked = entry["message"] == "Schedule invoked"
        if invoked or invocation is None or at - invocation.start > 10_000:
            run_id = name = f"{schedule}@{entry['createdAt']}"
            number = 1
            while ("apify", run_id) in runs:
                number += 1
                run_id = f"{name}#{number}"
            invocation = runs[("apify", run_id)] = Run(schedule, run_id)
            invocation.status, invocation.n_errors = "succeeded", 0
        invocation.sees(at)
        if entry["level"] == "ERROR":
            invocation.status = "failed"
            invocation.n_errors += 1


# --- Cloudflare Workers Builds ------------------------------------------------------------------

STARTS = [
    ("init", r"Initializing build environment"),
    ("clone", r"Cloning repository\.\.\."),
    ("prepare", r"Restoring from (dependencies|build output) cache|No (build output|dependencies) detected to cache|"
                r"Detected the following tools from environment:|Found a \.tool-versions file"),
    ("tool_install", r"Installing (nodejs|python|bun|pnpm|yarn|go|ruby|hugo)\S* \d"),
    ("install", r"Installing project dependencies:"),
    ("build", r"Executing user build command:"),
    ("deploy", r"Executing user deploy command:"),
    ("cache_upload", r"Uploading to (dependency|build output) cache"),
]
ENDS = {
    "init": r"Success: Finished initializing build environment",
    "build": r"Success: Build command completed",
    "deploy": r"Success: Deploy command completed",
    "cache_upload": r"Success: .* uploaded to build cache\.|Failed to upload dependencies to build cache\. Skipping\.",
}
LAST = r"✨ Success! Build completed\.$|Failed: |Build failed to initialize and was timed out|An internal error occurred"
ERRORS = r"✘ \[ERROR\]|npm error|npm ERR!|\s?ERR_PNPM_|.*error TS\d|error:|\s?ELIFECYCLE|" \
         r"Failed: |Build failed to initialize|An internal error occurred"


def natural(path):
    return [int(part) if part.isdigit() else part for part in re.split(r"(\d+)", path)]


def cloudflare_build(folder, pages, runs):
    run_id = os.path.basename(folder)
    group = os.path.basename(os.path.dirname(folder))
    if not re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", run_id):
        run_id, group = os.path.splitext(os.path.basename(pages[0]))[0], run_id
    run = runs[("cloudflare", run_id)] = Run(group, run_id)
    lines, events = [], []
    for path in sorted(pages, key=natural):
        with open(path, encoding="utf-8") as file:
            result = json.load(file)["result"]
        page = [tuple(line) for line in result["lines"]]
        events += result.get("events", [])
        # What the end of the lines so far and the start of the page have in common stands there once.
        common = next((n for n in range(min(len(lines), len(page)), 0, -1) if lines[-n:] == page[:n]), 0)
        lines += page[common:]
    read_build(run, lines, events)


def read_build(run, lines, events):
    found, phase, since, previous_tool = [], None, None, False
    run.n_errors = 0
    for at, text in lines:
        run.sees(at)
        npm = re.match(r"npm (error|ERR!)", text) is not None
        if re.match(ERRORS, text) and not (npm and previous_tool):
            run.n_errors += 1
        previous_tool = npm
        name = next((name for name, mark in STARTS if re.match(mark, text)), None)
        if name == "cache_upload" and phase == "deploy":
            name = None
        if name and name != phase or (name in ("tool_install",) and name == phase):
            if phase:
                found.append((phase, at - since))
            phase, since = name, at
        elif phase and (re.match(ENDS.get(phase, r"(?!)"), text) or re.match(LAST, text)):
            found.append((phase, at - since))
            phase = None
    if phase:
        found.append((phase, run.stop - since))
    for event in events:
        begin, end = ms(event["started_on"]), ms(event["ended_on"])
        if event["type"] == "initializing" and run.start - 60_000 <= begin and end <= run.stop + 60_000:
            found = [("init", end - begin) if name == "init" else (name, took) for name, took in found]
    run.steps = {name: [took for n, took in found if n == name] for name, _ in STARTS}


# --- Alloy executions ---------------------------------------------------------------------------

def alloy_page(path, executions, runs):
    group = os.path.basename(os.path.dirname(path))
    for execution in executions:
        key = ("alloy", execution["executionId"])
        if key in runs:
            continue
        run = runs[key] = Run(group, execution["executionId"])
        run.start = ms(execution["startedAt"]) if execution.get("startedAt") else None
        run.stop = ms(execution["stoppedAt"]) if execution.get("stoppedAt") else None
        results = execution.get("results") or []
        run.n_errors = sum(map(has_failed, results)) + bool(execution.get("error"))
        steps = [result for result in results if result.get("startedAt") and result.get("stoppedAt")]
        run.steps = {"*": [ms(step["stoppedAt"]) - ms(step["startedAt"]) for step in steps]}


def has_failed(result):
    if result.get("error"):
        return True
    items = [item for items in result.get("data") or [] for item in items or [] if isinstance(item, dict)]
    for item in items:
        inner = item.get("json") if isinstance(item.get("json"), dict) else {}
        codes = [item.get(key) for key in ("statusCode", "httpCode")]
        if item.get("error") or inner.get("error") or any(str(code).isdigit() and int(code) >= 400 for code in codes):
            return True
    return False


# --- The dump -----------------------------------------------------------------------------------

def is_tuple(line):
    """Whether it is `[milliseconds, message]`."""
    return isinstance(line, list) and len(line) == 2 and isinstance(line[0], int) and isinstance(line[1], str) \
        and line[0] > 1e11


def read_folder(folder):
    runs, builds, metadata, left_out = {}, {}, {}, []
    for path in sorted(os.path.join(at, name) for at, _, names in os.walk(folder) for name in names):
        if path.endswith(".log"):
            if not apify_log(path, runs):
                left_out.append(path)
            continue
        try:
            with open(path, encoding="utf-8") as file:
                body = json.load(file)
        except ValueError:
            left_out.append(path)
            continue
        data = body.get("data") if isinstance(body, dict) else None
        result = body.get("result") if isinstance(body, dict) else None
        if isinstance(data, dict) and "startedAt" in data:
            metadata[data["id"]] = data
        elif isinstance(result, dict) and all(map(is_tuple, result.get("lines") or [None])):
            builds.setdefault(os.path.dirname(path), []).append(path)
        elif isinstance(data, list) and data and "executionId" in data[0]:
            alloy_page(path, data, runs)
        elif isinstance(data, list) and data and "createdAt" in data[0]:
            apify_schedule(path, data, runs)
        else:
            left_out.append(path)
    for at, pages in builds.items():
        cloudflare_build(at, pages, runs)
    for run_id, data in metadata.items():
        run = runs.get(("apify", run_id))
        if run:
            run.start, run.stop = ms(data["startedAt"]), ms(data["finishedAt"])
            run.status = data["status"].lower().replace("-", "_")
    return runs, left_out


def read_tables(binary, folder):
    out = os.path.join(temporary(), "report")
    logmill(binary, "report", folder, "-o", out, "--to", "csv", "--quiet")
    tables = []
    for table in ("runs", "steps"):
        with open(os.path.join(out, f"{table}.csv"), encoding="utf-8", newline="") as file:
            tables.append(list(csv.DictReader(file)))
    return tables


def of_tables(run, steps, name):
    """What logmill says where the raw reading says `name`."""
    if name.startswith("step "):
        wanted = name.removeprefix("step ")
        named = [step for step in steps if wanted in ("*", step["name"]) and step["duration_ms"] != ""]
        if run["platform"] != "apify":
            named = [step for step in named if step["depth"] == "0"]
        return [int(step["duration_ms"]) for step in named]
    value = run[name]
    if name in ("started_at", "stopped_at"):
        return ms(value) if value else None
    return value if name in ("group", "status") else (int(value) if value else None)


def main():
    binary, folder = arguments(demo())
    report = Report()
    raw, left_out = read_folder(folder)
    run_rows, step_rows = read_tables(binary, folder)
    left = {path.replace(os.sep, "/") for path in left_out}
    ours = {(row["platform"], row["run_id"]): row for row in run_rows if row["source"] not in left}
    steps = {}
    for step in step_rows:
        steps.setdefault((step["platform"], step["run_id"]), []).append(step)
    print(f"{folder}: {len(raw)} runs read from the raw files, {len(ours)} by logmill; left out: {len(left)} files")
    for path in sorted(left)[:10]:
        print(f"  left out: {path}")
    report.same("run ids that only one has", sorted(set(ours) - set(raw))[:5], sorted(set(raw) - set(ours))[:5])

    totals, is_large = {}, len(raw) > 400
    if not is_large:
        print(f"\n{'platform':<11}{'run':<46}{'duration ms':>12}{'raw':>12}{'lines':>7}{'raw':>5}"
              f"{'errors':>7}{'raw':>4}{'retries':>8}{'raw':>4}  steps")
    for key in sorted(set(raw) & set(ours)):
        run, row = raw[key], ours[key]
        facts = {name: (of_tables(row, steps.get(key, []), name), value) for name, value in run.facts().items()}
        equal = all([report.same(f"{key[1]}: {name}", *pair) for name, pair in facts.items()])
        for name, pair in facts.items():
            if name not in ("group", "status", "started_at", "stopped_at"):
                total = totals.setdefault((key[0], row["kind"], name), [0, 0, 0])
                sums = [sum(value) if isinstance(value, list) else (value or 0) for value in pair]
                count = len(pair[1]) if isinstance(pair[1], list) else 1
                total[:] = [total[0] + count, total[1] + sums[0], total[2] + sums[1]]
        if not is_large:
            pairs = [facts.get(name, ("", "")) for name in ("duration_ms", "n_lines", "n_errors", "n_retries")]
            cells = [show(value) for pair in pairs for value in pair]
            took = sum(len(pair[1]) for name, pair in facts.items() if name.startswith("step "))
            print(f"{key[0]:<11}{key[1][:45]:<46}{cells[0]:>12}{cells[1]:>12}{cells[2]:>7}{cells[3]:>5}"
                  f"{cells[4]:>7}{cells[5]:>4}{cells[6]:>8}{cells[7]:>4}  {took:>3} {'=' if equal else 'DIFFERS'}")
    print(f"\n{'sums':<48}{'values':>8}{'logmill':>16}{'raw files':>16}")
    for (platform, kind, name), (count, left_sum, right_sum) in sorted(totals.items()):
        mark = "=" if left_sum == right_sum else "DIFFERS"
        print(f"{platform + ' ' + (kind or '?'):<22}{name:<26}{count:>8}{left_sum:>16}{right_sum:>16}  {mark}")
    statuses = [sum(1 for run in raw.values() if run.status == s and "@" in run.run_id) for s in ("succeeded", "failed")]
    counted = [sum(1 for row in ours.values() if row["status"] == s and row["kind"] == "invocation") for s in ("succeeded", "failed")]
    report.same("invocations that succeeded and failed", counted, statuses, quiet=False)
    report.finish()


if __name__ == "__main__":
    main()
