//! Lines of text in which crawlers state their load.

use super::figures::{decimal, metric};
use super::meaning::Said;
use crate::mark::Mark;
use crate::record::{Batch, Wants};
use crate::vocabulary::Class;

/// `current_concurrency = 0; desired_concurrency = 2; cpu = 0.0; mem = 0.0; …` of Python's pool.
pub(super) fn python_pool<'a>(said: Said<'_, 'a>, out: &mut Batch<'a>) -> Option<Class> {
    const NAMES: [(&str, &str, &str); 6] = [
        ("current_concurrency", "current_concurrency", "count"),
        ("desired_concurrency", "desired_concurrency", "count"),
        ("cpu", "cpu_ratio", "ratio"),
        ("mem", "mem_ratio", "ratio"),
        ("event_loop", "event_loop_ratio", "ratio"),
        ("client_info", "client_ratio", "ratio"),
    ];
    if !said.line.starts_with(b"current_concurrency = ") {
        return None;
    }
    out.mark(Mark::Progress);
    if out.wants == Wants::Everything {
        let crawler = said.crawler();
        let text = std::str::from_utf8(said.line).unwrap_or_default();
        for (name, value) in text.split("; ").take(NAMES.len()).filter_map(|part| part.split_once(" = ")) {
            if let Some((_, metric_name, unit)) = NAMES.iter().find(|(key, ..)| *key == name) {
                metric(metric_name, decimal(value.trim()), unit, &crawler, out);
            }
        }
    }
    Some(Class::Statistics)
}

/// `Memory is critically overloaded. Using 976 MB of 1024 MB (95%). …`
pub(super) fn overload<'a>(said: Said<'_, 'a>, out: &mut Batch<'a>) -> Option<Class> {
    let rest = said.line.strip_prefix(b"Memory is critically overloaded")?;
    if out.wants == Wants::Everything
        && let Some((used, limit)) = sizes(rest)
    {
        let crawler = said.crawler();
        metric("memory_used_bytes", Some(used), "bytes", &crawler, out);
        metric("memory_limit_bytes", Some(limit), "bytes", &crawler, out);
    }
    Some(Class::Overload)
}

/// `. Using <size> of <size> (…` → both sizes in bytes.
fn sizes(rest: &[u8]) -> Option<(f64, f64)> {
    let text = std::str::from_utf8(rest).ok()?;
    let (_, text) = text.split_once("Using ")?;
    let (used, text) = text.split_once(" of ")?;
    let limit = text.split_once(" (").map_or(text, |(limit, _)| limit);
    Some((bytes(used)?, bytes(limit.trim_end_matches('.'))?))
}

/// A size with its unit; the crawlers of both languages divide by 1024.
fn bytes(text: &str) -> Option<f64> {
    let (number, unit) = text.trim().split_once(' ')?;
    let exponent = match unit {
        "B" | "Bytes" => 0,
        "KB" => 1,
        "MB" => 2,
        "GB" => 3,
        "TB" => 4,
        _ => return None,
    };
    Some(decimal(number)? * 1024_f64.powi(exponent))
}
