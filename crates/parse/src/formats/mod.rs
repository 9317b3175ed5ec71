//! The formats, one file each. Everything particular to a platform lives here.

pub mod alloy_execution;
pub mod apify_log;
pub mod apify_schedule;
pub mod cloudflare_build;
