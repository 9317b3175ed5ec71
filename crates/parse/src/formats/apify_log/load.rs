//! What crawlers say about their load: states of their pools, overload.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::figures::{Metrics, decimal, number};
use super::meaning::Said;
use crate::record::Batch;
use crate::vocabulary::Class;

/// State of a pool: how much it does at once, how loaded the system is.
#[derive(Deserialize)]
struct Pool<'j> {
    #[serde(borrow, rename = "currentConcurrency")]
    current: Option<&'j RawValue>,
    #[serde(borrow, rename = "desiredConcurrency")]
    desired: Option<&'j RawValue>,
    #[serde(borrow, rename = "systemStatus")]
    system: Option<&'j RawValue>,
}

/// Loads of a system. Each is taken apart on its own, so that one odd value costs only itself.
#[derive(Deserialize)]
struct System<'j> {
    #[serde(borrow, rename = "memInfo")]
    memory: Option<&'j RawValue>,
    #[serde(borrow, rename = "cpuInfo")]
    cpu: Option<&'j RawValue>,
    #[serde(borrow, rename = "eventLoopInfo")]
    event_loop: Option<&'j RawValue>,
    #[serde(borrow, rename = "clientInfo")]
    client: Option<&'j RawValue>,
}

#[derive(Deserialize)]
struct Load<'j> {
    #[serde(borrow, rename = "actualRatio")]
    ratio: Option<&'j RawValue>,
}

/// `<Crawler>:AutoscaledPool: state {…}`
pub(super) fn pool<'a>(said: Said<'_, 'a>, out: &mut Batch<'a>) -> Option<Class> {
    let logger = said.event.logger;
    let is_pool = logger.ends_with(b"AutoscaledPool") || logger.ends_with(b"ConcurrencySystem");
    let line = said.line.strip_prefix(b"AutoscaledPool ").or_else(|| is_pool.then_some(said.line))?;
    let rest = line.strip_prefix(b"state")?.trim_ascii_start();
    if !(rest.is_empty() || rest.starts_with(b"{")) {
        return None;
    }
    if let Some(mut metrics) = Metrics::wanted(said.crawler(), out)
        && let Some(payload) = said.event.payload
        && let Ok(pool) = serde_json::from_str::<Pool<'_>>(&payload.decode())
    {
        pool_metrics(&pool, &mut metrics);
    }
    Some(Class::Statistics)
}

fn pool_metrics(pool: &Pool<'_>, metrics: &mut Metrics<'_, '_>) {
    metrics.add("current_concurrency", pool.current.and_then(number), "count");
    metrics.add("desired_concurrency", pool.desired.and_then(number), "count");
    let Some(Ok(system)) = pool.system.map(|system| serde_json::from_str::<System<'_>>(system.get())) else {
        return;
    };
    let loads = [
        ("mem_ratio", system.memory),
        ("cpu_ratio", system.cpu),
        ("event_loop_ratio", system.event_loop),
        ("client_ratio", system.client),
    ];
    for (name, load) in loads {
        let load = load.and_then(|load| serde_json::from_str::<Load<'_>>(load.get()).ok());
        metrics.add(name, load.and_then(|load| load.ratio).and_then(number), "ratio");
    }
}

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
    if let Some(mut metrics) = Metrics::wanted(said.crawler(), out) {
        let text = std::str::from_utf8(said.line).unwrap_or_default();
        for (name, value) in text.split("; ").take(NAMES.len()).filter_map(|part| part.split_once(" = ")) {
            if let Some((_, metric, unit)) = NAMES.iter().find(|(key, ..)| *key == name) {
                metrics.add(metric, decimal(value.trim()), unit);
            }
        }
    }
    Some(Class::Statistics)
}

/// `Memory is critically overloaded. Using 976 MB of 1024 MB (95%). …`
pub(super) fn overload<'a>(said: Said<'_, 'a>, out: &mut Batch<'a>) -> Option<Class> {
    let rest = said.line.strip_prefix(b"Memory is critically overloaded")?;
    if let Some(mut metrics) = Metrics::wanted(said.crawler(), out)
        && let Some((used, limit)) = sizes(rest)
    {
        metrics.add("memory_used_bytes", Some(used), "bytes");
        metrics.add("memory_limit_bytes", Some(limit), "bytes");
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::apify_log::event::Style;
    use crate::formats::apify_log::testing::{check, check_all, event, javascript, python};
    use crate::vocabulary::Level;

    #[test]
    fn the_pool_of_python() {
        let line = "current_concurrency = 0; desired_concurrency = 2; cpu = 0; mem = 0.25; event_loop = 0.0; client_info = 0.0";
        let event = python(Level::Info, "crawlee._autoscaling.autoscaled_pool", line);
        check(event, Class::Statistics, &[]);
        let marks = [
            "current_concurrency[crawlee._autoscaling.autoscaled_pool] = 0 count",
            "desired_concurrency[crawlee._autoscaling.autoscaled_pool] = 2 count",
            "cpu_ratio[crawlee._autoscaling.autoscaled_pool] = 0 ratio",
            "mem_ratio[crawlee._autoscaling.autoscaled_pool] = 0.25 ratio",
            "event_loop_ratio[crawlee._autoscaling.autoscaled_pool] = 0 ratio",
            "client_ratio[crawlee._autoscaling.autoscaled_pool] = 0 ratio",
        ];
        check_all(event, Class::Statistics, &marks);
        check(python(Level::Info, "x", "current_concurrency is low"), Class::Plain, &[]);
    }

    #[test]
    fn memory() {
        let line = "Memory is critically overloaded. Using 976 MB of 1024 MB (95%). Consider increasing available memory.";
        let event = javascript(Level::Warn, "PlaywrightCrawler:AutoscaledPool:Snapshotter", line);
        check(event, Class::Overload, &[]);
        let marks = [
            "memory_used_bytes[PlaywrightCrawler] = 1023410176 bytes",
            "memory_limit_bytes[PlaywrightCrawler] = 1073741824 bytes",
        ];
        check_all(event, Class::Overload, &marks);
        let line = "Memory is critically overloaded. Using 5.25 GB of 3.5 GB (150%).";
        let event = python(Level::Warn, "crawlee._autoscaling.snapshotter", line);
        let marks = [
            "memory_used_bytes[crawlee._autoscaling.snapshotter] = 5637144576 bytes",
            "memory_limit_bytes[crawlee._autoscaling.snapshotter] = 3758096384 bytes",
        ];
        check_all(event, Class::Overload, &marks);
        for line in
            ["Memory is critically overloaded.", "Memory is critically overloaded. Using x MB of 2 MB (1%)."]
        {
            check_all(javascript(Level::Warn, "", line), Class::Overload, &[]);
        }
        check(javascript(Level::Error, "Snapshotter", "Memory snapshot failed."), Class::Plain, &[]);
    }

    #[test]
    fn pool_states() {
        let payload = r#"{"currentConcurrency":1,"desiredConcurrency":3,"systemStatus":{"isSystemIdle":true,"memInfo":{"isOverloaded":false,"limitRatio":0.2,"actualRatio":0.125},"eventLoopInfo":{"actualRatio":null},"cpuInfo":{"isOverloaded":true,"actualRatio":0.5},"clientInfo":7}}"#;
        let marks = [
            "current_concurrency[PuppeteerCrawler] = 1 count",
            "desired_concurrency[PuppeteerCrawler] = 3 count",
            "mem_ratio[PuppeteerCrawler] = 0.125 ratio",
            "cpu_ratio[PuppeteerCrawler] = 0.5 ratio",
        ];
        for logger in ["PuppeteerCrawler:AutoscaledPool", "PuppeteerCrawler:ConcurrencySystem"] {
            check_all(javascript(Level::Info, logger, "state").with(payload), Class::Statistics, &marks);
        }
        check(event(Style::Colon, Level::Info, "AutoscaledPool", "state"), Class::Statistics, &[]);
        check(event(Style::Colon, Level::Info, "", "AutoscaledPool state"), Class::Statistics, &[]);
        let cut = "state {\"currentConcurrency\":1,\"desi";
        check(javascript(Level::Info, "C:AutoscaledPool", cut), Class::Statistics, &[]);
        check(javascript(Level::Info, "Shop", "state").with(payload), Class::Plain, &[]);
        check(javascript(Level::Info, "C:AutoscaledPool", "state of the art"), Class::Plain, &[]);
    }
}
