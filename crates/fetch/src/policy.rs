//! Every bound there is, in one place.

use std::time::Duration;

/// How long what may take.
#[derive(Debug, Clone, Copy)]
pub struct Timeouts {
    /// Looking up the host's address.
    pub resolve: Duration,
    /// Connecting, TLS included.
    pub connect: Duration,
    /// Sending the request.
    pub send: Duration,
    /// Waiting for the head of the answer.
    pub head: Duration,
    /// Receiving the body. A followed log has no such bound: its run may take days.
    pub body: Duration,
    /// Silence while receiving.
    pub idle: Duration,
    /// Silence while following a log.
    pub follow_idle: Duration,
    /// Following one log, over all connections.
    pub follow: Duration,
}

/// The bounds of all requests.
#[derive(Debug, Clone, Copy)]
pub struct Policy {
    /// How long what may take.
    pub timeouts: Timeouts,
    /// The largest body that is taken.
    pub max_body_bytes: u64,
    /// The most pages of one build or workflow, or of one list.
    pub max_pages: u32,
    /// The most redirects inside the origin.
    pub max_redirects: u32,
    /// How often a request is made before it counts as failed.
    pub max_attempts: u32,
    /// The wait before the second attempt; doubled each time.
    pub backoff: Duration,
    /// The longest wait between attempts that we choose.
    pub max_backoff: Duration,
    /// The longest wait that a server may ask for.
    pub max_retry_after: Duration,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            timeouts: Timeouts {
                resolve: Duration::from_secs(15),
                connect: Duration::from_secs(30),
                send: Duration::from_secs(30),
                head: Duration::from_mins(1),
                body: Duration::from_mins(5),
                idle: Duration::from_mins(1),
                follow_idle: Duration::from_mins(5),
                follow: Duration::from_hours(24),
            },
            // An Apify log has up to 10,485,760 characters of up to four bytes.
            max_body_bytes: 64 << 20,
            max_pages: 10_000,
            max_redirects: 5,
            max_attempts: 5,
            backoff: Duration::from_millis(500),
            max_backoff: Duration::from_secs(30),
            max_retry_after: Duration::from_mins(2),
        }
    }
}
