//! How often parsing asks for memory: never for a line of text, and a known number of times for other things.
//!
//! Every input is read twice into the same batch, and the second time counts. One test function does it
//! all, since the counter counts for the whole program.

use std::alloc::System;

use logmill_generate::{Amount, FormatId, Plan, stream};
use logmill_parse::{Batch, Carry, Delivery, End, Format, Wants, Window, format};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static COUNTER: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// What most logs consist of: lines of every logger, with and without data, with stacks below them.
const LINES: &str = "\
2026-01-31T10:00:00.000Z INFO  CheerioCrawler: Scraped 20 items {\"url\":\"https://example.com/a\",\"n\":[1,2.5e3,null]}
2026-01-31T10:00:00.001Z WARN  PlaywrightCrawler: Reclaiming failed request back to the list or queue. Timeout
2026-01-31T10:00:00.002Z     at async f (/usr/src/app/main.js:1:2) {\"id\":\"x\\u00e9\",\"retryCount\":1}
2026-01-31T10:00:00.003Z INFO: BasicCrawler: an older logger
2026-01-31T10:00:00.004Z [apify.storages] INFO  Pushed item ({\"price\": 12.5})
2026-01-31T10:00:00.005Z INFO:httpx:HTTP Request: GET https://example.com \"HTTP/1.1 200 OK\"
2026-01-31T10:00:00.006Z 2026-01-31 10:00:00,006 [scrapy.core.engine] DEBUG: Crawled (200)
2026-01-31T10:00:00.007Z ERROR Something failed in größter Not
2026-01-31T10:00:00.008Z   Error: no such thing
2026-01-31T10:00:00.009Z       at f (/usr/src/app/main.js:1:2)
2026-01-31T10:00:00.010Z Fetched page 7
2026-01-31T10:00:00.011Z
2026-01-31T10:00:00.012Z ACTOR: Pulling container image of build Lk9gFI5VEYFJid7nQ from registry.
2026-01-31T10:00:00.013Z ACTOR: Creating container.
2026-01-31T10:00:00.014Z ACTOR: Starting container.
2026-01-31T10:00:00.015Z [Status message]: Scraped 5 of 7
";

/// Allocations that a thousand records of a generated dump take, at most, by format. Those of Apify are for
/// statistics, facts and verdicts, whose texts are put together; those of JSON mostly for marks of runs and steps.
const PER_THOUSAND: [(&str, usize); 4] =
    [("apify-log", 12), ("apify-schedule", 1100), ("cloudflare-build", 45), ("alloy-execution", 2520)];

#[test]
fn records_cost_no_memory_beyond_the_batch() {
    let apify = format::by_id("apify-log").expect("in the registry");
    let (records, allocations) = measured(apify, LINES.repeat(500).as_bytes(), Wants::Runs);
    assert_eq!(records, 12 * 500, "events of the lines above, counted by hand");
    assert_eq!(allocations, 0, "for {records} records of text");

    let mut found = Vec::new();
    for (id, most) in PER_THOUSAND {
        let plan = Plan::new(FormatId::from_id(id).expect("a format"), 7, Amount::Bytes(1 << 20));
        let mut bytes = Vec::new();
        stream(&plan, "dump", &mut bytes).expect("memory takes everything");
        let (records, allocations) =
            measured(format::by_id(id).expect("in the registry"), &bytes, Wants::Runs);
        found.push((id, (allocations * 1000).div_ceil(records), most));
    }
    let is_kept = found.iter().all(|(_, allocations, most)| allocations <= most);
    assert!(is_kept, "format, allocations per thousand records, at most: {found:?}");
}

/// Records, and allocations of the second reading.
fn measured(format: &dyn Format, bytes: &[u8], wants: Wants) -> (usize, usize) {
    let batch = read(format, bytes, Batch::new(wants)).recycle();
    let region = Region::new(COUNTER);
    let batch = read(format, bytes, batch);
    let change = region.change();
    (batch.records.len(), change.allocations + change.reallocations)
}

fn read<'a>(format: &dyn Format, bytes: &'a [u8], mut batch: Batch<'a>) -> Batch<'a> {
    let window = Window { bytes, offset: 0, end: End::Input };
    let consumed = format.parse(window, &mut Carry::default(), &mut batch, Delivery::AtEnd);
    assert_eq!(consumed, bytes.len());
    batch
}
