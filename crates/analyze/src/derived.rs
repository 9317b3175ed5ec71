//! Metrics that no log states but that follow from runs and steps: what starts cost, how much
//! of an execution lies outside its steps, how regularly a schedule fires.

use std::collections::BTreeMap;
use std::sync::Arc;

use logmill_parse::time::duration_ms;
use logmill_parse::{Kind, Micros, Platform, StepKind};

use crate::model::{Measure, Metric, Run, RunIndex, Step};
use crate::phases::Startup;

/// A firing this many times later than usual is taken as late rather than as the next but one.
const TOLERANCE: f64 = 0.25;
/// Firings that are needed before a period is inferred from them.
const MIN_FIRINGS: usize = 4;

/// The metrics of a run's starts.
pub fn startup(run: RunIndex, startups: &[Startup]) -> Vec<Metric> {
    let mut metrics = Vec::new();
    for start in startups {
        let mut push = |name: &str, ms: i64, label: &str| {
            metrics.push(metric(run, Some(start.at), name, ms, "ms", label));
        };
        if let Some((name, ms, how)) = start.fetch_ms {
            push(&format!("{name}_ms"), ms, how);
        }
        if let Some(ms) = start.first_output_ms {
            push("first_output_ms", ms, "");
        }
        if let Some((name, ms)) = start.ready_ms {
            push(name, ms, "");
        }
    }
    metrics
}

/// The part of a run that lies in none of the steps its source delimits: the orchestration.
pub fn overhead(index: RunIndex, run: &Run, steps: &[Step]) -> Option<Metric> {
    let (start, stop) = (run.started_at?, run.stopped_at?);
    let mut spans: Vec<(Micros, Micros)> = steps
        .iter()
        .filter(|step| step.step_kind == StepKind::Step)
        .filter_map(|step| Some((step.started_at?.max(start), step.stopped_at?.min(stop))))
        .filter(|(from, to)| from <= to)
        .collect();
    if spans.is_empty() {
        return None;
    }
    spans.sort_unstable();
    let (mut covered_ms, mut reached) = (0, start);
    for (from, to) in spans {
        covered_ms += duration_ms(from.max(reached).min(to), to).max(0);
        reached = reached.max(to);
    }
    Some(metric(index, run.stopped_at, "overhead_ms", duration_ms(start, stop) - covered_ms, "ms", ""))
}

/// How regularly each group of invocations fires: the interval to the firing before, firings at
/// the same instant, and firings that are missing where a period can be inferred.
///
/// The period is the median interval of the group, if at least half of all intervals lie within
/// a quarter of it.
pub fn regularity(runs: &[Run]) -> Vec<Metric> {
    let mut groups: BTreeMap<(Platform, &str), Vec<(Micros, RunIndex)>> = BTreeMap::new();
    for (index, run) in runs.iter().enumerate() {
        if let (Some(Kind::Invocation), Some(at)) = (run.kind, run.started_at) {
            groups.entry((run.platform, &run.group)).or_default().push((at, index));
        }
    }
    groups.into_values().flat_map(|firings| intervals(&firings)).collect()
}

/// The metrics of one group's firings, which come in the order of their instants.
fn intervals(firings: &[(Micros, RunIndex)]) -> Vec<Metric> {
    let pairs = || firings.iter().zip(firings.iter().skip(1));
    let mut apart: Vec<i64> = pairs().map(|(a, b)| duration_ms(a.0, b.0)).filter(|ms| *ms > 0).collect();
    let period = period_ms(&mut apart);
    let mut metrics = Vec::new();
    for ((before, _), (at, run)) in pairs() {
        let ms = duration_ms(*before, *at);
        metrics.push(metric(*run, Some(*at), "interval_ms", ms, "ms", ""));
        if ms == 0 {
            metrics.push(metric(*run, Some(*at), "doubled_firings", 1, "count", ""));
        }
        let missing = period.map_or(0, |period| (ms + period / 2) / period - 1);
        if missing > 0 {
            metrics.push(metric(*run, Some(*at), "missing_firings", missing, "count", ""));
        }
    }
    metrics
}

fn period_ms(apart: &mut [i64]) -> Option<i64> {
    if apart.len() + 1 < MIN_FIRINGS {
        return None;
    }
    apart.sort_unstable();
    let median = *apart.get(apart.len() / 2)?;
    let near = |ms: &&i64| (**ms - median).abs() as f64 <= median as f64 * TOLERANCE;
    (apart.iter().filter(near).count() * 2 >= apart.len()).then_some(median)
}

fn metric(
    run: RunIndex,
    ts: Option<Micros>,
    name: &str,
    value: i64,
    unit: &'static str,
    label: &str,
) -> Metric {
    let what = Arc::new(Measure { name: name.to_owned(), unit, label: label.to_owned() });
    Metric { run, ts, value: value as f64, what }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(minutes: &[i64], expect: &[(&str, f64)]) {
        let firings: Vec<(Micros, RunIndex)> =
            minutes.iter().enumerate().map(|(index, at)| (at * 60_000_000, index)).collect();
        let metrics = intervals(&firings);
        let found: Vec<(&str, f64)> = metrics
            .iter()
            .filter(|m| m.what.name != "interval_ms")
            .map(|m| (m.what.name.as_str(), m.value))
            .collect();
        assert_eq!(found, expect, "{minutes:?}");
    }

    #[test]
    fn overhead_of_the_documentation_s_execution() {
        // Alloy's documented answer: 614 ms in all, steps of 54 and 390 ms.
        let at = |ms: i64| Some(ms * 1000);
        let mut run = crate::testing::run(logmill_parse::Status::Succeeded, Some(614));
        (run.started_at, run.stopped_at) = (at(42_233), at(42_847));
        let step = |from: i64, to: i64| {
            let mut step = crate::testing::step(0, "step", logmill_parse::Status::Succeeded, Some(to - from));
            step.step_kind = StepKind::Step;
            (step.started_at, step.stopped_at) = (at(from), at(to));
            step
        };
        let sequential = overhead(0, &run, &[step(42_233, 42_287), step(42_391, 42_781)]);
        assert_eq!(sequential.map(|metric| metric.value), Some(170.0));
        // What two steps cover at the same time counts once.
        let overlapping = overhead(0, &run, &[step(42_391, 42_781), step(42_233, 42_400)]);
        assert_eq!(overlapping.map(|metric| metric.value), Some(66.0));
        assert_eq!(overhead(0, &run, &[]), None);
    }

    #[test]
    fn missing_and_doubled_firings() {
        check(&[0, 10, 20, 30, 40], &[]);
        check(&[0, 10, 20, 50, 60, 70], &[("missing_firings", 2.0)]);
        check(&[0, 10, 10, 20, 30, 40], &[("doubled_firings", 1.0)]);
        // Too few, or without a period: nothing is missing.
        check(&[0, 10, 40], &[]);
        check(&[0, 1, 5, 30, 200, 1000], &[]);
    }
}
