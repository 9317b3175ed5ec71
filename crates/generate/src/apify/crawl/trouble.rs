//! Retries and failures, in the words of each generation.

use super::super::log::{Log, event, more};
use super::{Crawl, Generation, Request, more_open, python_logger};
use crate::put::put;
use crate::truth::{TruthClass, TruthLevel};
use crate::words::{FRAMES, OLD_FRAMES, THROWN, TIMEOUTS, TRANSPORT};

impl Crawl {
    pub(super) fn retry(&mut self, log: &mut Log<'_>, request: &Request) {
        match self.generation {
            Generation::Crawlee3 => self.retry_crawlee3(log, request),
            Generation::Sdk2 => self.retry_sdk2(log, request),
            Generation::Python => self.retry_python(log, request),
        }
    }

    /// The three places a payload stands in, and Playwright's call log before two of them.
    fn retry_crawlee3(&mut self, log: &mut Log<'_>, request: &Request) {
        let shape =
            if self.mute { 0 } else { log.rng.weighted(&[3, 5, 4, if self.browser { 8 } else { 0 }]) };
        let (message, template) = match shape {
            0 => log.rng.pick(TIMEOUTS),
            1 => log.rng.pick(TRANSPORT),
            2 => log.rng.pick(THROWN),
            _ => (
                "page.waitForSelector: Timeout 30000ms exceeded.",
                "Reclaiming failed request back to the list or queue. page.waitForSelector: Timeout {}ms exceeded.",
            ),
        };
        log.open(TruthLevel::Warn, TruthClass::Retry);
        log.template(template, TruthLevel::Warn, TruthClass::Retry);
        put!(
            log.out,
            "WARN  ",
            self.crawler,
            ": Reclaiming failed request back to the list or queue. ",
            message
        );
        match shape {
            0 => log.out.push(b' '),
            1 => {
                log.close();
                more_open(log, " ");
            }
            2 => {
                log.close();
                more_open(log, "    ");
                put!(log.out, log.rng.pick(FRAMES), " ");
            }
            _ => {
                log.close();
                call_log(log);
                if log.rng.chance(300) {
                    log.blank_inside();
                    more_open(log, " ");
                } else {
                    more_open(log, "    ");
                    put!(log.out, log.rng.pick(FRAMES), " ");
                }
            }
        }
        retry_payload(log.out, request);
        log.close();
    }

    fn retry_sdk2(&mut self, log: &mut Log<'_>, request: &Request) {
        event!(
            log,
            Error,
            Retry,
            "ERROR ",
            self.crawler,
            ": handleRequestFunction failed, reclaiming failed request back to the list or queue {\"url\":\"",
            request,
            "\",\"retryCount\":",
            request.retries,
            ",\"id\":\"",
            request.id,
            "\"}"
        );
        log.template(
            "handleRequestFunction failed, reclaiming failed request back to the list or queue",
            TruthLevel::Error,
            TruthClass::Retry,
        );
        exception(log);
    }

    fn retry_python(&mut self, log: &mut Log<'_>, request: &Request) {
        let logger = python_logger(self.crawler);
        if self.browser {
            event!(
                log,
                Warn,
                Retry,
                "[",
                logger,
                "] WARN  Retrying request to ",
                request,
                " due to: Page.goto: Timeout 30000ms exceeded."
            );
            more!(log, "Call log:");
            more!(log, "  - navigating to \"", request, "\", waiting until \"load\"");
            log.blank_inside();
            more!(
                log,
                "File \"/usr/local/lib/python3.13/site-packages/playwright/_impl/_connection.py\", line 132, in _inner_send,     result = next(iter(done)).result()"
            );
            log.template(
                "Retrying request to {} due to: Page.goto: Timeout {}ms exceeded.",
                TruthLevel::Warn,
                TruthClass::Retry,
            );
        } else {
            event!(
                log,
                Warn,
                Retry,
                "[",
                logger,
                "] WARN  Retrying request to ",
                request,
                " due to: Request blocked: status code 429. File \"/usr/src/app/src/main.py\", line 48, in handler,     raise SessionError(message)"
            );
            log.template(
                "Retrying request to {} due to: Request blocked: status code {}.",
                TruthLevel::Warn,
                TruthClass::Retry,
            );
        }
    }

    pub(super) fn give_up(&mut self, log: &mut Log<'_>, request: &Request) {
        let template = match self.generation {
            Generation::Crawlee3 => {
                log.open(TruthLevel::Error, TruthClass::Failure);
                put!(
                    log.out,
                    "ERROR ",
                    self.crawler,
                    ": Request failed and reached maximum retries. Request blocked - received 403 status code."
                );
                if self.mute {
                    log.out.push(b' ');
                } else {
                    log.close();
                    more!(log, "    ", log.rng.pick(FRAMES));
                    more_open(
                        log,
                        "    at async wrap (/usr/src/app/node_modules/@apify/timeout/cjs/index.cjs:54:21) ",
                    );
                }
                failure_payload(log.out, request);
                log.close();
                "Request failed and reached maximum retries. Request blocked - received {} status code."
            }
            Generation::Sdk2 => {
                log.open(TruthLevel::Error, TruthClass::Failure);
                put!(log.out, "ERROR ", self.crawler, ": Request failed and reached maximum retries ");
                failure_payload(log.out, request);
                log.close();
                exception(log);
                "Request failed and reached maximum retries"
            }
            Generation::Python => {
                event!(
                    log,
                    Error,
                    Failure,
                    "[",
                    python_logger(self.crawler),
                    "] ERROR Request to ",
                    request,
                    " failed and reached maximum retries"
                );
                more!(log, "      Traceback (most recent call last):");
                more!(
                    log,
                    "        File \"/usr/local/lib/python3.13/site-packages/crawlee/crawlers/_basic/_context_pipeline.py\", line 68, in __call__"
                );
                more!(log, "          await final_context_consumer(crawling_context)");
                more!(log, "        File \"/usr/src/app/src/main.py\", line 48, in handler");
                more!(log, "          raise SessionError(message)");
                more!(log, "      crawlee.errors.SessionError: Request blocked: status code 429");
                "Request to {} failed and reached maximum retries"
            }
        };
        log.template(template, TruthLevel::Error, TruthClass::Failure);
    }
}

fn call_log(log: &mut Log<'_>) {
    more!(log, "=========================== logs ===========================");
    more!(log, "waiting for locator('.search-results > li') to be visible");
    more!(log, "============================================================");
}

/// What the older SDK prints below an error.
fn exception(log: &mut Log<'_>) {
    let message = log.rng.pick(&[
        "TimeoutError: waiting for function failed: timeout 15000ms exceeded",
        "Error: Page didn't load properly with login, retrying...",
        "Error: net::ERR_TUNNEL_CONNECTION_FAILED at https://shop.example.com/en/",
    ]);
    more!(log, "  ", message);
    for frame in OLD_FRAMES {
        more!(log, "      ", frame);
    }
}

fn retry_payload(out: &mut Vec<u8>, request: &Request) {
    put!(out, "{\"id\":\"", request.id, "\",\"url\":\"", request, "\",\"retryCount\":", request.retries, "}");
}

fn failure_payload(out: &mut Vec<u8>, request: &Request) {
    put!(
        out,
        "{\"id\":\"",
        request.id,
        "\",\"url\":\"",
        request,
        "\",\"method\":\"GET\",\"uniqueKey\":\"",
        request,
        "\"}"
    );
}
