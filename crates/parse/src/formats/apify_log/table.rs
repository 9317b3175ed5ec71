//! The box tables in which the Python crawlers print their figures.
//!
//! A box may be cut off at any row; a value longer than the box ends in `...` and says nothing.

use memchr::memchr;

use super::figures::{Figures, decimal, duration_ms};
use crate::record::Wants;

/// Rows of a box that are read.
const MAX_ROWS: usize = 64;

/// The figures that lines of a message state; those that only become metrics, where these are wanted.
///
/// ```text
/// row := "│" name "│" value "│"
/// ```
pub(super) fn figures<'t>(lines: impl Iterator<Item = &'t [u8]>, wants: Wants) -> Figures<'t> {
    let mut figures = Figures::default();
    let is_wanted = |line: &&[u8]| wants == Wants::Everything || is_about_the_crawl(line);
    let lines = lines.take(MAX_ROWS).filter(is_wanted).filter_map(|line| std::str::from_utf8(line).ok());
    for (name, value) in lines.filter_map(row) {
        set(&mut figures, name, value);
    }
    figures
}

/// Whether a row may state what is told of a crawl, metrics aside. No bar and no blank holds the byte that is
/// looked for.
fn is_about_the_crawl(line: &[u8]) -> bool {
    let name = memchr(b'r', line).and_then(|at| line.get(at..)).unwrap_or_default();
    name.starts_with(b"requests_f") || name.starts_with(b"retry_histogram")
}

fn row(line: &str) -> Option<(&str, &str)> {
    let mut cells = line.trim().strip_prefix('│')?.strip_suffix('│')?.split('│');
    let row = (cells.next()?.trim(), cells.next()?.trim());
    cells.next().is_none().then_some(row)
}

fn set<'t>(figures: &mut Figures<'t>, name: &str, value: &'t str) {
    match name {
        "requests_finished" => figures.finished = value.parse().ok(),
        "requests_failed" => figures.failed = value.parse().ok(),
        "requests_total" => figures.total = value.parse().ok(),
        "retry_histogram" => figures.histogram = Some(value),
        "request_avg_finished_duration" => figures.average_finished_ms = duration_ms(value),
        "request_avg_failed_duration" => figures.average_failed_ms = duration_ms(value),
        "requests_finished_per_minute" => figures.finished_per_minute = decimal(value),
        "requests_failed_per_minute" => figures.failed_per_minute = decimal(value),
        "request_total_duration" => figures.total_duration_ms = duration_ms(value),
        "crawler_runtime" => figures.runtime_ms = duration_ms(value),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::apify_log::event::{Body, Event};
    use crate::formats::apify_log::testing::{check, check_all, python};
    use crate::vocabulary::{Class, Level};

    fn table<'a>(head: &'a str, message: &'a str) -> Event<'a> {
        python(Level::Info, "crawlee.crawlers._playwright", head).of_lines(Body::Table, message)
    }

    const SECONDS: &str = "Final request statistics:
┌───────────────────────────────┬────────────┐
│ requests_finished             │ 4          │
│ requests_failed               │ 1          │
│ retry_histogram               │ [3, 1, 1]  │
│ request_avg_failed_duration   │ None       │
│ request_avg_finished_duration │ 0.25       │
│ requests_finished_per_minute  │ 151        │
│ requests_failed_per_minute    │ 0          │
│ request_total_duration        │ 0.5        │
│ requests_total                │ 5          │
│ crawler_runtime               │ 60.125     │
└───────────────────────────────┴────────────┘";

    #[test]
    fn bare_seconds() {
        let event = table("Final request statistics:", SECONDS);
        check(event, Class::Statistics, &["progress", "final 4 1 2 3 5"]);
        let label = "crawlee.crawlers._playwright";
        let metric = |name, value, unit| format!("{name}[{label}] = {value} {unit}");
        let mut marks = vec!["progress".to_owned(), "final 4 1 2 3 5".to_owned()];
        marks.extend([
            metric("requests_finished", "4", "requests"),
            metric("requests_failed", "1", "requests"),
            metric("requests_total", "5", "requests"),
            metric("request_avg_finished_ms", "250", "ms"),
            metric("requests_finished_per_minute", "151", "1/min"),
            metric("requests_failed_per_minute", "0", "1/min"),
            metric("request_total_duration_ms", "500", "ms"),
            metric("crawler_runtime_ms", "60125", "ms"),
            "retry_histogram[0] = 3 requests".to_owned(),
            "retry_histogram[1] = 1 requests".to_owned(),
            "retry_histogram[2] = 1 requests".to_owned(),
        ]);
        let marks: Vec<&str> = marks.iter().map(String::as_str).collect();
        check_all(event, Class::Statistics, &marks);
    }

    #[test]
    fn units() {
        let figures = figures(
            "│ request_avg_failed_duration │ None │\n│ request_avg_finished_duration │ 1.5s │\n│ request_total_duration │ 2min 3.5s │\n│ crawler_runtime │ 42.5ms │"
                .lines()
                .map(str::as_bytes),
            Wants::Everything,
        );
        assert_eq!(figures.average_failed_ms, None);
        assert_eq!(figures.average_finished_ms, Some(1500.0));
        assert_eq!(figures.total_duration_ms, Some(123_500.0));
        assert_eq!(figures.runtime_ms, Some(42.5));
    }

    #[test]
    fn cut_boxes() {
        let head = "Current request statistics:";
        check(table(head, head), Class::Statistics, &["stats - - - - -"]);
        let cut = "Current request statistics:\n┌───┬───┐\n│ requests_finished │ 7 │\n│ requests_failed │ 1";
        check(table(head, cut), Class::Statistics, &["stats 7 - - - -"]);
        let cut =
            "Current request statistics:\n│ requests_finished │ 7 │\n│ retry_histogram │ [1, 2, 3, ... │";
        check(table(head, cut), Class::Statistics, &["stats 7 - - - -"]);
        let event = python(Level::Info, "BeautifulSoupCrawler", "Final request statistics:");
        check(event, Class::Statistics, &["progress", "final - - - - -"]);
    }

    #[test]
    fn rows() {
        assert_eq!(row("│ a │ b │"), Some(("a", "b")));
        assert_eq!(row("│ a │ │"), Some(("a", "")));
        for line in ["", "│", "││", "│ a │", "│ a │ b", "a │ b │", "│ a │ b │ c │", "┌───┬───┐"]
        {
            assert_eq!(row(line), None, "{line}");
        }
    }
}
