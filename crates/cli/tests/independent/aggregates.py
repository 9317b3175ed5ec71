"""Recomputes every aggregate with DuckDB from the exported `events`, `runs`, `steps` and `requests`.

    python3 crates/cli/tests/independent/aggregates.py LOGMILL_BINARY [FOLDER]

Needs: pip install duckdb. FOLDER is any folder of logs; without it the demo. Exit code 1 on any difference.
"""

import datetime
import zoneinfo

import duckdb

from common import Report, arguments, convert, demo

TABLES = ["runs", "steps", "events", "errors", "requests", "rates", "durations", "metrics", "issues", "files"]
RUN = "platform, run_id"
PLATFORMS = "['apify', 'cloudflare', 'alloy']"
KINDS = "['run', 'build', 'invocation', 'execution']"


def open_tables(folder):
    db = duckdb.connect()
    db.execute("set TimeZone = 'UTC'")
    for table in TABLES:
        # The row number is the row's place in the file: what is documented about order is checked with it.
        db.execute(
            f"create table {table} as select *, file_row_number as row"
            f" from read_parquet('{folder}/{table}.parquet', file_row_number = true)"
        )
        for name, kind, *_ in rows(db, f"describe {table}"):
            if kind == "TIMESTAMP WITH TIME ZONE":  # in UTC, without the zone: needs no pytz to be fetched
                db.execute(f"alter table {table} alter {name} type timestamp")
    return db


def rows(db, sql):
    return db.execute(sql).fetchall()


def one(db, sql):
    return db.execute(sql).fetchone()[0]


IS_RETRY = "class = 'retry'"
IS_ERROR = (
    "(class in ('failure', 'crash') or (level in ('critical', 'error', 'soft_fail') and class <> 'retry'))"
)
IS_WARNING = "(level = 'warn' and class <> 'retry')"


def compare(report, db, what, ours, independent, key, columns):
    """Two queries over the same key, row by row; prints each column's sum or count on both sides.

    A column `name:1e-12` is compared with that relative tolerance, all others exactly.
    """
    db.execute(f"create or replace temp table a as {ours}")
    db.execute(f"create or replace temp table b as {independent}")
    on = " and ".join(f"a.{k} is not distinct from b.{k}" for k in key)
    n = [one(db, f"select count(*) from {table}") for table in "ab"]
    report.same(f"{what}: rows", *n, quiet=False)
    report.same(f"{what}: keys in both", one(db, f"select count(*) from a join b on {on}"), n[0])
    for column in columns:
        name, tolerance = (column.split(":") + [None])[:2]
        differs = f"a.{name} is distinct from b.{name}"
        if tolerance:
            differs = f"""(a.{name} is null) <> (b.{name} is null)
                or abs(a.{name} - b.{name}) > {tolerance} * greatest(1e-300, abs(b.{name}))"""
        offending = rows(db, f"select {', '.join('a.' + k for k in key)}, a.{name}, b.{name}"
                             f" from a join b on {on} where {differs} order by all")
        figure = [one(db, figure_of(db, table, name)) for table in "ab"]
        if any(isinstance(f, float) for f in figure):
            # A sum of floating-point numbers depends on the order; row by row they are compared exactly.
            figure = [None if f is None else float(f"{f:.9g}") for f in figure]
        report.same(f"{what}: {name}", *figure, quiet=False)
        if offending:
            report.none(f"{what}: {name}, row by row", offending, of=n[0])


def figure_of(db, table, name):
    """The sum of a number, how many are there of anything else."""
    kind = rows(db, f"describe select {name} from {table}")[0][1]
    number = kind in ("BIGINT", "DOUBLE", "HUGEINT")
    return f"select {'sum' if number else 'count'}({name}) from {table}"


def check_runs(report, db):
    print("\nruns, recomputed from events and steps" + " " * 27 + "logmill              independent")
    counts = ["n_events", "n_errors", "n_warnings", "n_retries", "n_lines", "n_steps", "n_failed_steps"]
    independent = f"""
        select platform, run_id, coalesce(n_events, 0) n_events, coalesce(n_errors, 0) n_errors,
               coalesce(n_warnings, 0) n_warnings, coalesce(n_retries, 0) n_retries,
               coalesce(n_lines, 0)::bigint n_lines, n_errors / n_events error_rate,
               coalesce(n_steps, 0) n_steps, coalesce(n_failed_steps, 0) n_failed_steps,
               -- a paste without dates has durations and no instants: taken as stated
               coalesce((epoch_us(stopped_at) // 1000 - epoch_us(started_at) // 1000)
                 + (case when epoch_us(started_at) < 0 and epoch_us(started_at) % 1000 <> 0 then 1 else 0 end)
                 - (case when epoch_us(stopped_at) < 0 and epoch_us(stopped_at) % 1000 <> 0 then 1 else 0 end),
                 case when started_at is null and stopped_at is null then stated end)
               as duration_ms
        from (select platform, run_id, started_at, stopped_at, duration_ms stated from runs)
        left join (
            select platform, run_id, count(*) n_events,
                   count(*) filter ({IS_ERROR}) n_errors, count(*) filter ({IS_WARNING}) n_warnings,
                   count(*) filter ({IS_RETRY}) n_retries, sum(n_lines) n_lines
            from events group by all) using ({RUN})
        left join (
            select platform, run_id, count(*) n_steps, count(*) filter (status in ('failed', 'timed_out')) n_failed_steps
            from steps group by all) using ({RUN})"""
    compare(report, db, "runs", "from runs", independent, ["platform", "run_id"],
            [*counts, "error_rate", "duration_ms"])
    report.none("run_id is unique per platform",
                rows(db, f"select {RUN}, count(*) from runs group by all having count(*) > 1"), one(db, "select count(*) from runs"))
    report.none("status and n_* are never null", rows(db, """select run_id from runs where status is null
        or n_events is null or n_steps is null or complete is null"""))
    report.none("incomplete_reason stands exactly where complete is false",
                rows(db, "select run_id, complete, incomplete_reason from runs where complete = (incomplete_reason is not null)"))
    report.none("first_error is null exactly where n_errors is 0",
                rows(db, "select run_id, n_errors, first_error from runs where (n_errors = 0) <> (first_error is null)"))


def check_first_error(report, db):
    """Of a crash it is the line that says what happened, any of its lines, perhaps behind the first."""
    report.none("first_error is a line of the first error's message, the first one but for crashes", rows(db, f"""
        with said as (select platform, run_id, arg_min(message, seq) message, arg_min(class, seq) class
                      from events where {IS_ERROR} group by all),
        first as (select *, rtrim(split_part(message, chr(10), 1), ': ' || chr(13)) head from said)
        select run_id, class, first_error, message from runs join first using ({RUN})
        where case when class = 'crash' then not contains(message, trim(first_error))
                  and not (starts_with(first_error, head)
                           and contains(message, ltrim(substr(first_error, length(head) + 1), ': ')))
              else first_error is distinct from rtrim(split_part(message, chr(10), 1), chr(13)) end"""),
        one(db, "select count(*) from runs where first_error is not null"))


def check_steps(report, db):
    print("\nsteps")
    n = one(db, "select count(*) from steps")
    report.none("steps + gaps + tail gap = the run's duration", rows(db, f"""
        select run_id, any_value(r.duration_ms) duration, sum(s.duration_ms) steps, sum(gap_before_ms) gaps,
               any_value(tail_gap_ms) tail
        from runs r join steps s using ({RUN}) where depth = 0 and r.duration_ms is not null
        group by r.platform, run_id
        having sum(s.duration_ms) + sum(gap_before_ms) + any_value(tail_gap_ms) is distinct from any_value(r.duration_ms)"""),
        one(db, f"select count(*) from (select distinct {RUN} from steps join runs r using ({RUN}) where depth = 0 and r.duration_ms is not null)"))
    report.none("tail_gap_ms only where depth-0 steps stand", rows(db, f"""
        select run_id, tail_gap_ms from runs r where tail_gap_ms is not null
        and not exists (select 1 from steps s where s.platform = r.platform and s.run_id = r.run_id and depth = 0)"""))
    ms = "(epoch_us({0}) - ((epoch_us({0}) % 1000) + 1000) % 1000) // 1000"
    start, stop = ms.format("started_at"), ms.format("stopped_at")
    report.none("duration_ms = floor_ms(stop) - floor_ms(start)", rows(db, f"""
        select run_id, seq, duration_ms, {stop} - {start} from steps where duration_ms is distinct from {stop} - {start}
        and (started_at is not null or stopped_at is not null)"""), n)
    report.none("gap_before_ms = start - stop of the step before, by seq at depth 0", rows(db, f"""
        with top as (select s.platform, run_id, seq, gap_before_ms, {start.replace('started_at', 's.started_at')} as a,
             lag({stop.replace('stopped_at', 's.stopped_at')}) over w as b, row_number() over w as k,
             {start.replace('started_at', 'r.started_at')} as r0
             from steps s join runs r using ({RUN}) where depth = 0 window w as (partition by s.platform, run_id order by seq))
        select run_id, seq, gap_before_ms, a - (case when k = 1 then r0 else b end) from top
        where gap_before_ms is distinct from a - (case when k = 1 then r0 else b end)
        and (r0 is not null or a is not null)"""),
        one(db, "select count(*) from steps where depth = 0"))
    report.none("no gap_before_ms below depth 0", rows(db, "select run_id, seq from steps where depth > 0 and gap_before_ms is not null"))
    report.none("share = duration of the step / duration of the run", rows(db, f"""
        select run_id, seq, share, s.duration_ms, r.duration_ms from steps s join runs r using ({RUN})
        where share is distinct from (case when r.duration_ms <> 0 then s.duration_ms / r.duration_ms end)"""), n)
    report.none("seq of steps is 1, 2, 3 … per run", rows(db, f"""
        select {RUN} from steps group by all having min(seq) <> 1 or max(seq) <> count(*) or count(distinct seq) <> count(*)"""), n)
    report.none("parent_seq is a step one level up, null exactly at depth 0", rows(db, f"""
        select s.run_id, s.seq, s.depth, s.parent_seq, p.depth from steps s left join steps p
        on p.platform = s.platform and p.run_id = s.run_id and p.seq = s.parent_seq
        where (s.depth = 0) <> (s.parent_seq is null) or (s.depth > 0 and p.depth is distinct from s.depth - 1)"""), n)
    report.none("a run with several segments has them at depth 0, others have phases there", rows(db, f"""
        select {RUN}, count(*) filter (step_kind = 'segment' and depth = 0) n from steps group by all
        having n = 1 or (n > 1 and count(*) filter (depth = 0 and step_kind <> 'segment') > 0)"""))


def check_events(report, db):
    print("\nevents")
    n = one(db, "select count(*) from events")
    report.none("seq of events is 1, 2, 3 … per run", rows(db, f"""
        select {RUN} from events group by all having min(seq) <> 1 or max(seq) <> count(*) or count(distinct seq) <> count(*)"""), n)
    report.none("every event has its run, with kind and group the same", rows(db, f"""
        select e.run_id, e.kind, r.kind, e."group", r."group" from events e left join runs r using ({RUN})
        where r.run_id is null or e.kind is distinct from r.kind or e."group" <> r."group" """), n)
    report.none("step_seq refers to a step of the run, with its name", rows(db, f"""
        select e.run_id, e.seq, step_seq, step, s.name from events e left join steps s
        on s.platform = e.platform and s.run_id = e.run_id and s.seq = e.step_seq
        where (step_seq is null) <> (step is null) or (step_seq is not null and s.name is distinct from step)"""),
        one(db, "select count(*) from events where step_seq is not null"))
    report.none("the stamp of an event lies within its step, where the stamps never step back", rows(db, f"""
        with stepping as (select {RUN}, ts, max(ts) over (partition by {RUN} order by seq) as latest from events)
        select e.run_id, e.seq, ts, s.name, s.started_at, s.stopped_at from events e join steps s
        on s.platform = e.platform and s.run_id = e.run_id and s.seq = e.step_seq
        where not (ts >= s.started_at and (s.stopped_at is null or ts <= s.stopped_at))
        and not exists (select 1 from stepping b where b.platform = e.platform and b.run_id = e.run_id and b.ts < latest)"""))
    report.none("events of one file, line and byte offset exist once", rows(db, """
        select source, member, byte_offset, count(*) from events group by all having count(*) > 1"""), n)
    for table in ["steps", "requests", "metrics"]:
        report.none(f"every row of {table} has its run, with kind and group the same", rows(db, f"""
            select t.run_id from {table} t left join runs r using ({RUN})
            where r.run_id is null or t.kind is distinct from r.kind or t."group" <> r."group" """))


def nearest_rank(percent, column):
    """ceil(percent * n / 100), counted from 1, of the sorted list, in integers."""
    sorted_list = f"list_sort(list({column}) filter ({column} is not null))"
    return f"{sorted_list}[greatest(1, (({percent} * count({column}) + 99) // 100)::int)]"


COUNTED = "(r.complete and r.status not in ('running', 'unknown'))"


def check_durations(report, db):
    print("\ndurations" + " " * 60 + "logmill              independent")
    samples = f"""
        select r.platform, r.kind, r."group", null::varchar step, r.status,
               case when {COUNTED} then r.duration_ms end d from runs r
        union all
        select r.platform, r.kind, r."group", s.name,
               case when s.status in ('running', 'unknown') then r.status else s.status end,
               case when {COUNTED} then s.duration_ms end
        from steps s join runs r using ({RUN}) where s.depth = 0"""
    figures = ", ".join(f"{nearest_rank(p, 'd')} p{p}_ms" for p in (50, 90, 95, 99))
    independent = f"""
        with samples as ({samples}),
        keys as (select distinct platform, kind, "group", step, outcome
                 from samples, unnest(['all', 'succeeded', 'failed']) o(outcome)),
        chosen as (select k.*, d, s.platform is not null as there from keys k left join samples s
            on s.platform = k.platform and s.kind is not distinct from k.kind and s."group" = k."group"
            and s.step is not distinct from k.step
            and (outcome = 'all' or (outcome = 'succeeded' and status = 'succeeded')
                 or (outcome = 'failed' and status in ('failed', 'timed_out'))))
        select platform, kind, "group", step, outcome, count(d) n,
               count(*) filter (there and d is null) n_incomplete,
               min(d) min_ms, {figures}, max(d) max_ms, sum(d) / count(d) mean_ms, sum(d)::bigint total_ms
        from chosen group by all"""
    compare(report, db, "durations", "from durations", independent,
            ["platform", "kind", '"group"', "step", "outcome"],
            ["n", "n_incomplete", "min_ms", "p50_ms", "p90_ms", "p95_ms", "p99_ms", "max_ms", "mean_ms:1e-14", "total_ms"])


def bucket_starts(db, width, zone):
    """The instants at which buckets begin, from the one of the first run to the one of the last."""
    utc = datetime.timezone.utc
    first, last = db.execute("select min(epoch_us(started_at)), max(epoch_us(started_at)) from runs").fetchone()
    if first is None:
        return []
    epoch = datetime.datetime(1970, 1, 1, tzinfo=utc)
    first, last = (epoch + datetime.timedelta(microseconds=us) for us in (first, last))
    zone, starts = zoneinfo.ZoneInfo(zone), []
    if width == "1d":
        day = first.astimezone(zone).date()
        while day <= last.astimezone(zone).date():
            midnight = datetime.datetime.combine(day, datetime.time(), zone)
            starts.append(midnight.astimezone(utc))
            day += datetime.timedelta(days=1)
    else:
        # All zones asked for here are whole hours off, so their hours are those of UTC.
        at = first.astimezone(utc).replace(minute=0, second=0, microsecond=0)
        while at <= last:
            starts.append(at)
            at += datetime.timedelta(hours=1)
    return starts


def check_rates(report, db, width, zone, stretch):
    print(f"\nrates by {width}, {zone} {stretch}\n" + " " * 68 + "logmill              independent")
    db.execute("create or replace table starts (bucket_start timestamp)")
    starts = bucket_starts(db, width, zone)
    if starts:
        db.executemany("insert into starts values (?)", [(start.replace(tzinfo=None),) for start in starts])
    z = "1.959963984540054::double"
    independent = f"""
        with placed as (select r.*, b.bucket_start from runs r asof left join starts b on r.started_at >= b.bucket_start),
        top as (select {RUN}, count(*) k, count(*) filter (status in ('failed', 'timed_out')) bad
                from steps where depth = 0 group by all),
        cells as (select platform, kind, "group", bucket_start from (select distinct platform, kind, "group" from runs), starts
                  union select distinct platform, kind, "group", bucket_start from placed),
        counted as (
            select c.platform, c.kind, c."group", c.bucket_start, count(r.run_id) n_runs,
                count(*) filter (r.status = 'succeeded') n_succeeded, count(*) filter (r.status = 'failed') n_failed,
                count(*) filter (r.status = 'timed_out') n_timed_out,
                count(*) filter (r.status in ('aborted', 'skipped')) n_aborted,
                count(*) filter (r.status in ('running', 'unknown')) n_unknown,
                coalesce(sum(r.n_events), 0)::bigint n_events, coalesce(sum(r.n_errors), 0)::bigint n_errors,
                coalesce(sum(coalesce(requests_finished, 0) + coalesce(requests_failed, 0)), 0)::bigint n_requests,
                coalesce(sum(requests_failed), 0)::bigint bad_requests,
                coalesce(sum(k), 0)::bigint n_steps, coalesce(sum(bad), 0)::bigint bad_steps,
                list(r.duration_ms) filter ({COUNTED} and r.duration_ms is not null) d
            from cells c left join placed r on r.platform = c.platform and r.kind is not distinct from c.kind
                and r."group" = c."group" and r.bucket_start is not distinct from c.bucket_start
            left join top t on t.platform = r.platform and t.run_id = r.run_id
            group by all),
        ended as (select *, n_failed + n_timed_out as bad, n_succeeded + bad as ended,
                  case when ended > 0 then bad / ended end as p, list_sort(d) as s from counted)
        select *, p run_failure_rate,
            case when ended > 0 then greatest(0, (p + {z}*{z} / (2*ended) - {z} * sqrt(p*(1-p)/ended + {z}*{z} / (4*ended*ended))) / (1 + {z}*{z}/ended)) end run_failure_rate_low,
            case when ended > 0 then least(1, (p + {z}*{z} / (2*ended) + {z} * sqrt(p*(1-p)/ended + {z}*{z} / (4*ended*ended))) / (1 + {z}*{z}/ended)) end run_failure_rate_high,
            case when n_events > 0 then n_errors / n_events end error_rate,
            case when n_requests > 0 then bad_requests / n_requests end request_failure_rate,
            case when n_steps > 0 then bad_steps / n_steps end step_failure_rate,
            s[((50 * len(s) + 99) // 100)::int] p50_ms, s[((95 * len(s) + 99) // 100)::int] p95_ms
        from ended"""
    exact = ["n_runs", "n_succeeded", "n_failed", "n_timed_out", "n_aborted", "n_unknown", "n_events", "n_errors",
             "n_requests", "n_steps", "p50_ms", "p95_ms", "run_failure_rate", "error_rate",
             "request_failure_rate", "step_failure_rate"]
    compare(report, db, f"rates {width}", "from rates", independent, ["platform", "kind", '"group"', "bucket_start"], exact)
    # Two ways of writing the same formula differ in the last bits; at 0 and 1 they may by 1e-17.
    for end in ("low", "high"):
        report.none(f"Wilson interval, {end} end, within 1e-12", rows(db, f"""
            select a."group", a.bucket_start, a.run_failure_rate_{end}, b.run_failure_rate_{end} from a join b
            using (platform, "group", bucket_start) where a.kind is not distinct from b.kind and
            ((a.run_failure_rate_{end} is null) <> (b.run_failure_rate_{end} is null)
             or abs(a.run_failure_rate_{end} - b.run_failure_rate_{end}) > 1e-12)"""), one(db, "select count(*) from a where run_failure_rate is not null"))


def check_errors(report, db):
    print("\nerrors" + " " * 63 + "logmill              independent")
    wanted = f"({IS_ERROR} or {IS_RETRY} or {IS_WARNING})"
    report.same("events in groups: sum of n_events", one(db, "select coalesce(sum(n_events), 0)::bigint from errors"),
                one(db, f"select count(*) from events where {wanted}"), quiet=False)
    for what, ours, events in [
        ("retries", "class = 'retry'", IS_RETRY),
        ("failures and crashes", "class in ('failure', 'crash')", "class in ('failure', 'crash')"),
        ("others", "class not in ('retry', 'failure', 'crash')", f"class not in ('retry', 'failure', 'crash') and {wanted}"),
    ]:
        report.same(f"  of them {what}", one(db, f"select coalesce(sum(n_events), 0)::bigint from errors where {ours}"),
                    one(db, f"select count(*) from events where {events}"), quiet=False)
    report.same("runs: n_errors + n_warnings + n_retries",
                one(db, "select coalesce(sum(n_errors + n_warnings + n_retries), 0)::bigint from runs"),
                one(db, f"select count(*) from events where {wanted}"), quiet=False)
    by = "select platform, class, sum(n_events)::bigint n_events from errors group by all"
    compare(report, db, "errors by platform and class", by,
            f"select platform, class, count(*) n_events from events where {wanted} group by all",
            ["platform", "class"], ["n_events"])
    n = one(db, "select count(*) from errors")
    report.none("group_id is unique", rows(db, "select group_id from errors group by 1 having count(*) > 1"), n)
    report.none("the example stands in events at its place, with its class and run", rows(db, """
        select group_id, example, example_source, example_line from errors x where not exists (
            select 1 from events e where e.source = example_source and e.line = example_line and e.class = x.class
            and e.run_id = x.run_id and e.platform = x.platform
            and (e.message = example or starts_with(e.message, rtrim(example, '…'))))"""), n)
    report.none("first_seen <= last_seen, n_runs <= n_events", rows(db, """
        select group_id from errors where first_seen > last_seen or n_runs > n_events or n_runs < 1"""), n)
    report.none("first_seen and last_seen are stamps of such events", rows(db, f"""
        select group_id, first_seen, last_seen from errors x where first_seen is not null and not (
            exists (select 1 from events e where e.class = x.class and e.ts = first_seen and {wanted.replace('class', 'e.class').replace('level', 'e.level')})
            and exists (select 1 from events e where e.class = x.class and e.ts = last_seen and {wanted.replace('class', 'e.class').replace('level', 'e.level')}))"""), n)
    report.none("extremes of first and last seen are those of the events", rows(db, f"""
        select platform, class, a.f, b.f, a.l, b.l from
        (select platform, class, min(first_seen) f, max(last_seen) l from errors group by all) a join
        (select platform, class, min(ts) f, max(ts) l from events where {wanted} group by all) b using (platform, class)
        where a.f is distinct from b.f or a.l is distinct from b.l"""))


def check_requests(report, db):
    print("\nrequests")
    n = one(db, "select count(*) from requests")
    report.none("first_seen and last_seen are stamps of retries or failures of the run", rows(db, f"""
        select run_id, url, first_seen, last_seen from requests q where
        (first_seen is not null and not exists (select 1 from events e where e.platform = q.platform and e.run_id = q.run_id
            and e.ts = q.first_seen and e.class in ('retry', 'failure')))
        or (last_seen is not null and not exists (select 1 from events e where e.platform = q.platform and e.run_id = q.run_id
            and e.ts = q.last_seen and e.class in ('retry', 'failure')))"""), n)
    report.none("attempts of a run's requests <= its retries and failures", rows(db, f"""
        select q.run_id, a, n from (select {RUN}, sum(attempts) a from requests group by all) q join
        (select {RUN}, count(*) filter (class in ('retry', 'failure')) n from events group by all) e using ({RUN}) where a > n"""), n)
    report.none("lost requests of a run <= its failures", rows(db, f"""
        select q.run_id, a, n from (select {RUN}, count(*) a from requests where outcome = 'lost' group by all) q join
        (select {RUN}, count(*) filter (class = 'failure') n from events group by all) e using ({RUN}) where a > n"""))
    report.none("one row per run, request id and URL", rows(db, f"""
        select {RUN}, request_id, url, count(*) from requests group by all having count(*) > 1"""), n)


def check_files(report, db):
    print("\nfiles" + " " * 64 + "logmill              independent")
    n = one(db, "select count(*) from files")
    report.none("bytes = record + continuation + structure + duplicate + rejected", rows(db, """
        select source, bytes from files where bytes <> bytes_record + bytes_continuation + bytes_structure
        + bytes_duplicate + bytes_rejected"""), n)
    compare(report, db, "files", "select source, member, n_events from files where n_events > 0",
            "select source, member, count(*) n_events from events group by all", ["source", "member"], ["n_events"])
    compare(report, db, "bytes of events per file",
            """select f.source, f.member, bytes_record + bytes_continuation n_bytes from files f
               where n_events > 0 and format in ('apify-log')""",
            """select e.source, e.member, sum(e.n_bytes)::bigint n_bytes from events e join files f
               on f.source = e.source and f.member is not distinct from e.member where format in ('apify-log') group by all""",
            ["source", "member"], ["n_bytes"])
    report.none("min_ts and max_ts span the stamps of the events", rows(db, """
        select f.source, min_ts, a, max_ts, b from files f join
        (select source, member, min(ts) a, max(ts) b from events group by all) e
        on e.source = f.source and e.member is not distinct from f.member
        where a < min_ts or b > max_ts or (a is not null and min_ts is null)"""), n)
    report.none("an event lies within its file", rows(db, """
        select e.source, e.byte_offset, e.n_bytes, f.bytes from events e join files f
        on e.source = f.source and e.member is not distinct from f.member where byte_offset + n_bytes > f.bytes"""))
    report.none("complete exactly where no reason stands", rows(db, "select source from files where complete = (incomplete_reason is not null)"), n)
    report.none("issues lie in files", rows(db, """select i.source, i.code from issues i where not exists (select 1 from files f
        where f.source = i.source and f.member is not distinct from i.member)"""), one(db, "select count(*) from issues"))


def check_order(report, db):
    print("\norder of the rows, as `logmill schema` documents it")
    p, k = f"list_position({PLATFORMS}, t.platform)", f"coalesce(list_position({KINDS}, t.kind), 0)"
    run = "r.row"
    order = {
        "runs": f'{p}, t."group", t.started_at nulls last, t.run_id',
        "steps": f"{run}, t.seq", "events": f"{run}, t.seq",
        "errors": "t.n_events desc, t.group_id",
        "requests": f"{run}, t.first_seen nulls last, t.url nulls first, t.request_id nulls first",
        "rates": f'{p}, {k}, t."group", t.bucket_start nulls last',
        "durations": f"""{p}, {k}, t."group", t.step nulls first, list_position(['all', 'succeeded', 'failed'], t.outcome)""",
        "metrics": run,
        "issues": "t.source, t.member nulls first, t.line nulls first, t.byte_offset nulls first, t.code",
        "files": "t.source, t.member nulls first",
    }
    for table, by in order.items():
        join = f"join runs r using ({RUN})" if run in by else ""
        n = one(db, f"select count(*) from {table}")
        report.none(f"{table}: by {by}", rows(db, f"""
            select * from (select t.row, row_number() over (order by {by}, t.row) - 1 as place from {table} t {join})
            where row <> place order by row"""), n)


def narrowed(db, width, zone):
    """Options that select a stretch of which the table of rates is small enough: logmill refuses
    explicit buckets of which it would have more than 100,000 rows. The stretch lies around the
    clock change nearest to the median run, so that it has one where the dump does."""
    utc = datetime.timezone.utc
    n_groups = one(db, 'select count(distinct (platform, kind, "group")) from runs')
    days = max(3, 40_000 // max(1, n_groups) // (24 if width == "1h" else 1))
    median = one(db, "select quantile_disc(started_at, 0.5) from runs").date()
    here = zoneinfo.ZoneInfo(zone)
    noon = datetime.time(12)

    def changes(day):
        before = day - datetime.timedelta(days=1)
        return len({datetime.datetime.combine(d, noon, here).utcoffset() for d in (before, day)}) > 1

    first, last = db.execute("select min(started_at)::date, max(started_at)::date from runs").fetchone()
    all_days = [first + datetime.timedelta(days=k) for k in range((last - first).days + 1)]
    middle = min(filter(changes, all_days), key=lambda day: abs(day - median), default=median)
    half = datetime.timedelta(days=days // 2)
    stretch = [datetime.datetime.combine(day, datetime.time(), utc) for day in (middle - half, middle + half)]
    since, until = (at.strftime("%Y-%m-%dT%H:%M:%SZ") for at in stretch)
    return ["--since", since, "--until", until]


def main():
    binary, folder = arguments(demo())
    report = Report()
    whole = open_tables(convert(binary, folder))
    print(f"{folder}: " + ", ".join(f"{t} {one(whole, f'select count(*) from {t}')}" for t in TABLES))
    for check in (check_runs, check_first_error, check_steps, check_events, check_durations,
                  check_errors, check_requests, check_files, check_order):
        check(report, whole)
    for width, zone in [("1d", "UTC"), ("1h", "UTC"), ("1d", "Europe/Prague"), ("1h", "Europe/Prague")]:
        options, stretch = ["--bucket", width, "--time-zone", zone], []
        out = convert(binary, folder, *options, may_refuse=True)
        if out is None:
            stretch = narrowed(whole, width, zone)
            out = convert(binary, folder, *options, *stretch)
        check_rates(report, open_tables(out), f"{width}", zone, " ".join(stretch))
    report.finish()


if __name__ == "__main__":
    main()
