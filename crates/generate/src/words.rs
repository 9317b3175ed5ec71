//! Names and phrases the dumps are made of. All invented; domains are reserved ones.

/// A site that is crawled.
#[derive(Debug, Clone, Copy)]
pub struct Site {
    /// Scheme and host.
    pub origin: &'static str,
    /// Path up to the number of an item.
    pub item: &'static str,
    /// What follows the number.
    pub tail: &'static str,
    /// What an item is called in log lines.
    pub noun: &'static str,
}

/// Sites.
pub const SITES: &[Site] = &[
    Site {
        origin: "https://shop.example.com",
        item: "/en/product/",
        tail: ".html?ref=listing",
        noun: "product",
    },
    Site { origin: "https://www.example.org", item: "/jobs/view/", tail: "", noun: "job" },
    Site {
        origin: "https://homes.example.net",
        item: "/listing/",
        tail: "/details?utm_source=feed",
        noun: "listing",
    },
    Site { origin: "https://news.example.com", item: "/2025/article-", tail: ".html", noun: "article" },
    Site {
        origin: "https://social.example.org",
        item: "/graphql/query/?query_hash=69cba40317&variables=%7B%22id%22%3A%22",
        tail: "%22%2C%22first%22%3A12%7D",
        noun: "post",
    },
    Site {
        origin: "https://reviews.example.net",
        item: "/restaurant/osteria-r",
        tail: "/reviews",
        noun: "review",
    },
];

/// Titles of items.
pub const TITLES: &[&str] = &[
    "Oak dining table, 180 × 90 cm",
    "Senior data engineer (m/f/d)",
    "Three-room flat with balcony – quiet courtyard",
    "How the harbour froze over",
    "Café au lait set, 6 pieces",
    "Wireless headphones XR-200",
    "Über den Dächern: Penthouse",
    "Trattoria da Nonna • 4.6 stars",
    "Running shoes size 42",
    "Weekend in Łódź",
];

/// What scripts print without a level.
pub const PRINTS: &[&str] = &[
    "Opening search page",
    "Cookie banner closed",
    "Waiting for results to load...",
    "Got page, extracting rows",
    "Using cached session",
    "Scrolling to the end of the list",
    "No more pages",
    "Saved batch to dataset",
];

/// Retry messages whose payload stands on the same line (timeouts).
pub const TIMEOUTS: &[(&str, &str)] = &[
    (
        "requestHandler timed out after 60 seconds.",
        "Reclaiming failed request back to the list or queue. requestHandler timed out after {} seconds.",
    ),
    (
        "request timed out after 30 seconds.",
        "Reclaiming failed request back to the list or queue. request timed out after {} seconds.",
    ),
    (
        "Navigation timed out after 60 seconds.",
        "Reclaiming failed request back to the list or queue. Navigation timed out after {} seconds.",
    ),
];

/// Retry messages whose payload stands on the next line (transport errors).
pub const TRANSPORT: &[(&str, &str)] = &[
    (
        "The proxy server rejected the request with status code 590 (UPSTREAM502)",
        "Reclaiming failed request back to the list or queue. The proxy server rejected the request with status code {} (UPSTREAM502)",
    ),
    (
        "Client network socket disconnected before secure TLS connection was established",
        "Reclaiming failed request back to the list or queue. Client network socket disconnected before secure TLS connection was established",
    ),
    ("Protocol error", "Reclaiming failed request back to the list or queue. Protocol error"),
    (
        "Request blocked, retrying it again with different session",
        "Reclaiming failed request back to the list or queue. Request blocked, retrying it again with different session",
    ),
    (
        "Request blocked - received 403 status code.",
        "Reclaiming failed request back to the list or queue. Request blocked - received {} status code.",
    ),
    (
        "The HTTP/2 stream has been early terminated",
        "Reclaiming failed request back to the list or queue. The HTTP/{} stream has been early terminated",
    ),
];

/// Retry messages whose payload is glued to a stack frame (errors of the handler).
pub const THROWN: &[(&str, &str)] = &[
    (
        "Detected a session error, rotating session...",
        "Reclaiming failed request back to the list or queue. Detected a session error, rotating session...",
    ),
    (
        "Cannot read properties of null (reading 'textContent')",
        "Reclaiming failed request back to the list or queue. Cannot read properties of null (reading {})",
    ),
    (
        "Price element not found on page, will retry",
        "Reclaiming failed request back to the list or queue. Price element not found on page, will retry",
    ),
    (
        "Login wall • please sign in",
        "Reclaiming failed request back to the list or queue. Login wall • please sign in",
    ),
];

/// Stack frames of crawlee 3.
pub const FRAMES: &[&str] = &[
    "at handleDetail (file:///usr/src/app/dist/src/routes.js:277:15)",
    "at file:///usr/src/app/dist/src/routes/feed.js:15:15",
    "at CheerioCrawler.requestHandler (/usr/src/app/src/main.js:35:18)",
    "at extractRows (file:///home/myuser/src/extract.js:88:27)",
    "at async wrap (/usr/src/app/node_modules/@apify/timeout/cjs/index.cjs:54:21)",
];

/// Stack frames of the older SDK.
pub const OLD_FRAMES: &[&str] = &[
    "at PuppeteerCrawler.handlePageFunction (/home/myuser/src/main.js:363:23)",
    "at async PuppeteerCrawler._handleRequestFunction (/home/myuser/node_modules/apify/build/crawlers/browser_crawler.js:324:13)",
    "at async PuppeteerCrawler._runTaskFunction (/home/myuser/node_modules/apify/build/crawlers/basic_crawler.js:423:13)",
    "at async AutoscaledPool._maybeRunTask (/home/myuser/node_modules/apify/build/autoscaling/autoscaled_pool.js:388:13)",
];

/// Actors (folders) of an Apify account.
pub const ACTORS: &[&str] = &[
    "product-catalog-scraper",
    "job-board-monitor",
    "listing-watch",
    "restaurant-reviews",
    "news-digest",
    "social-posts",
];
