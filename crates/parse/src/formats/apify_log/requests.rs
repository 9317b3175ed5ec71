//! Requests that were tried again or given up, in the words of all generations of the SDKs.
//!
//! Where a request is stated as data (`{"id":…,"url":…,"retryCount":n}`, in any order, any of them
//! missing or of another type), that is taken; else the URL in the text.

use std::borrow::Cow;
use std::sync::LazyLock;

use memchr::memchr;
use memchr::memmem::{self, Finder};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::meaning::Said;
use crate::mark::{Fate, Mark, Request};
use crate::record::{Batch, Wants};
use crate::text::unescape;
use crate::vocabulary::{Class, Level};

/// What all generations say in JavaScript; `list or queue` follows, unless the line was cut.
const RECLAIMED: &[u8] = b"eclaiming failed request back to the";
/// Looks for [`RECLAIMED`] in every warning and error; made once, since that takes longer than looking.
static RECLAIMING: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(RECLAIMED));

/// Lines that begin with `R`.
pub(super) fn letter_r<'a>(said: Said<'_, 'a>, out: &mut Batch<'a>) -> Option<Class> {
    match said.line.get(2) {
        Some(b'c') if said.line.get(1..)?.starts_with(RECLAIMED) => Some(retried(said, None, out)),
        Some(b't') => python_retry(said, out).or_else(|| api_retry(said)),
        Some(b'q') => javascript_loss(said, out).or_else(|| python_loss(said, out)),
        _ => None,
    }
}

/// A line of the SDKs before 3: `handleRequestFunction failed, reclaiming failed request back …`, at
/// level `ERROR`.
pub(super) fn reclaimed<'a>(said: Said<'_, 'a>, out: &mut Batch<'a>) -> Option<Class> {
    if !(said.event.level.is_error() || said.event.level == Level::Warn) {
        return None;
    }
    RECLAIMING.find(said.line)?;
    Some(retried(said, None, out))
}

/// `Encountered "<error>", rotating session and retrying...` of crawlee for Python. Where the error takes
/// several lines, the line ends inside the quotes.
pub(super) fn session_rotated<'a>(said: Said<'_, 'a>, out: &mut Batch<'a>) -> Option<Class> {
    let rest = said.line.strip_prefix(b"Encountered ")?;
    let error = rest.strip_prefix(b"\"");
    let is_cut = said.event.level == Level::Warn && error.is_some_and(|error| memchr(b'"', error).is_none());
    if !is_cut {
        memmem::find(rest, b", rotating session and retrying")?;
    }
    Some(retried(said, None, out))
}

/// `Retrying request to <url> due to: <error>` of crawlee for Python.
fn python_retry<'a>(said: Said<'_, 'a>, out: &mut Batch<'a>) -> Option<Class> {
    let rest = said.line.strip_prefix(b"Retrying request to ")?;
    let url = rest.get(..memmem::find(rest, b" due to").unwrap_or(rest.len()))?;
    Some(retried(said, Some(url), out))
}

/// `Request to <url> failed and reached maximum retries` of crawlee for Python.
fn python_loss<'a>(said: Said<'_, 'a>, out: &mut Batch<'a>) -> Option<Class> {
    let rest = said.line.strip_prefix(b"Request to ")?;
    let url = rest.get(..memmem::find(rest, b" failed and reached maximum retries")?)?;
    mark(said, Some(url), Fate::Lost, out);
    Some(Class::Failure)
}

/// `Request failed and reached maximum retries` of crawlee and all SDKs for JavaScript.
fn javascript_loss<'a>(said: Said<'_, 'a>, out: &mut Batch<'a>) -> Option<Class> {
    said.line.strip_prefix(b"Request failed and reached maximum retries")?;
    mark(said, None, Fate::Lost, out);
    Some(Class::Failure)
}

/// `Retry failed 5 times and will be repeated in 20089ms`: a call of the API, not a request of a crawl.
fn api_retry(said: Said<'_, '_>) -> Option<Class> {
    let rest = said.line.strip_prefix(b"Retry failed ")?;
    memmem::find(rest, b" times and will be repeated in ").map(|_| Class::Retry)
}

/// `API request failed 4 times. Max attempts: 9.`: a call of the API, not a request of a crawl.
pub(super) fn api_call(said: Said<'_, '_>) -> Option<Class> {
    let rest = said.line.strip_prefix(b"API request failed ")?;
    memmem::find(rest, b" times. Max attempts: ").map(|_| Class::Retry)
}

/// `An exception occurred during handling of failed request. …`: the crawl is given up.
pub(super) fn terminated(said: Said<'_, '_>) -> Option<Class> {
    said.line
        .starts_with(b"An exception occurred during handling of failed request")
        .then_some(Class::Failure)
}

fn retried<'a>(said: Said<'_, 'a>, url: Option<&[u8]>, out: &mut Batch<'a>) -> Class {
    mark(said, url, Fate::Retried, out);
    Class::Retry
}

/// Attaches what became of a request, if somebody wants to know.
fn mark<'a>(said: Said<'_, 'a>, url: Option<&[u8]>, fate: Fate, out: &mut Batch<'a>) {
    if out.wants >= Wants::Requests {
        out.mark(Mark::Request(request(said, url, fate)));
    }
}

fn request<'a>(said: Said<'_, 'a>, url: Option<&[u8]>, fate: Fate) -> Request<'a> {
    let mut request = match said.event.payload.map(|payload| payload.decode()) {
        None => Request { url: None, id: None, retry_count: None, fate },
        Some(Cow::Borrowed(document)) => stated(document, fate),
        Some(Cow::Owned(document)) => owned(stated(&document, fate)),
    };
    if let Some(url) = url.map(<[u8]>::trim_ascii).filter(|url| !url.is_empty()) {
        request.url.get_or_insert_with(|| said.text(url));
    }
    request
}

/// The data of a request; whatever its values are, they are looked at one by one.
#[derive(Deserialize)]
struct Stated<'j> {
    #[serde(borrow)]
    id: Option<&'j RawValue>,
    #[serde(borrow)]
    url: Option<&'j RawValue>,
    #[serde(borrow, rename = "retryCount", alias = "retry_count")]
    retry_count: Option<&'j RawValue>,
}

fn stated(document: &str, fate: Fate) -> Request<'_> {
    let Ok(stated) = serde_json::from_str::<Stated<'_>>(document) else {
        return Request { url: None, id: None, retry_count: None, fate };
    };
    Request {
        url: stated.url.and_then(string),
        id: stated.id.and_then(|id| string(id).or_else(|| number(id))),
        retry_count: stated.retry_count.and_then(|count| count.get().parse().ok()),
        fate,
    }
}

/// A string that is not empty.
fn string(value: &RawValue) -> Option<Cow<'_, str>> {
    let inside = value.get().strip_prefix('"')?.strip_suffix('"')?;
    match memchr(b'\\', inside.as_bytes()) {
        _ if inside.is_empty() => None,
        None => Some(Cow::Borrowed(inside)),
        Some(_) => Some(unescape(inside.as_bytes())),
    }
}

/// A whole number as it is written.
fn number(value: &RawValue) -> Option<Cow<'_, str>> {
    let text = value.get();
    text.bytes().all(|byte| byte.is_ascii_digit()).then_some(Cow::Borrowed(text))
}

fn owned(request: Request<'_>) -> Request<'static> {
    let own = |text: Cow<'_, str>| Cow::Owned(text.into_owned());
    Request {
        url: request.url.map(own),
        id: request.id.map(own),
        retry_count: request.retry_count,
        fate: request.fate,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::apify_log::event::{Body, Style};
    use crate::formats::apify_log::testing::{check, event, javascript, python};

    const OLD: &str = "handleRequestFunction failed, reclaiming failed request back to the list or queue";
    const LOST: &str = "Request failed and reached maximum retries";

    #[test]
    fn retries_of_every_generation() {
        let payload = r#"{"url":"https://example.com/a?b=1","retryCount":2,"id":"aqUO7a2kPDddZXb"}"#;
        let marks = ["retried aqUO7a2kPDddZXb https://example.com/a?b=1 2"];
        check(event(Style::Colon, Level::Error, "BasicCrawler", OLD).with(payload), Class::Retry, &marks);
        check(javascript(Level::Error, "PuppeteerCrawler", OLD).with(payload), Class::Retry, &marks);
        let new = "Reclaiming failed request back to the list or queue. request timed out after 30 seconds.";
        check(javascript(Level::Warn, "CheerioCrawler", new).with(payload), Class::Retry, &marks);
        check(event(Style::Json, Level::Warn, "CheerioCrawler", new).with(payload), Class::Retry, &marks);
        let line = "Retrying request to https://example.com/a due to: Page.goto: Timeout 30000ms exceeded.";
        check(python(Level::Warn, "crawlee", line), Class::Retry, &["retried - https://example.com/a -"]);
        for line in [
            "Encountered \"blocked: 403\", rotating session and retrying...",
            "Encountered a session error, rotating session and retrying",
        ] {
            check(python(Level::Warn, "crawlee", line), Class::Retry, &["retried - - -"]);
        }
        let head = "Encountered \"Page.goto: net::ERR_ABORTED";
        check(python(Level::Warn, "crawlee", head), Class::Retry, &["retried - - -"]);
        check(python(Level::Info, "crawlee", head), Class::Plain, &[]);
        check(python(Level::Warn, "crawlee", "Encountered \"odd\" input"), Class::Plain, &[]);
        let cut = "handleRequestFunction failed, reclaiming failed request back to the";
        check(javascript(Level::Error, "PuppeteerCrawler", cut), Class::Retry, &["retried - - -"]);
    }

    #[test]
    fn losses_of_every_generation() {
        let payload =
            r#"{"id":"a1","url":"https://example.com/","method":"GET","uniqueKey":"https://example.com"}"#;
        let marks = ["lost a1 https://example.com/ -"];
        check(event(Style::Colon, Level::Error, "BasicCrawler", LOST).with(payload), Class::Failure, &marks);
        check(javascript(Level::Error, "PuppeteerCrawler", LOST).with(payload), Class::Failure, &marks);
        let line = "Request failed and reached maximum retries. page.goto: Timeout 30000ms exceeded.";
        check(javascript(Level::Error, "PlaywrightCrawler", line).with(payload), Class::Failure, &marks);
        let line = "Request to https://example.com/a failed and reached maximum retries";
        let event = python(Level::Error, "crawlee", line).of_lines(Body::Traceback, "…");
        check(event, Class::Failure, &["lost - https://example.com/a -"]);
        let line = "An exception occurred during handling of failed request. This places the crawler into an unknown state.";
        check(javascript(Level::Error, "BasicCrawler", line), Class::Failure, &[]);
    }

    #[track_caller]
    fn check_payload(payload: &str, mark: &str) {
        let new = "Reclaiming failed request back to the list or queue. Login";
        check(javascript(Level::Warn, "CheerioCrawler", new).with(payload), Class::Retry, &[mark]);
    }

    #[test]
    fn payloads_of_all_kinds() {
        check_payload(r#"{"url":"https://example.com/","retryCount":1}"#, "retried - https://example.com/ 1");
        check_payload(r#"{"id":28147622,"retryCount":3}"#, "retried 28147622 - 3");
        check_payload(r#"{"id":null,"url":"","retryCount":"1"}"#, "retried - - -");
        check_payload(r#"{"id":{"a":1},"url":["x"],"retryCount":-1}"#, "retried - - -");
        check_payload(r#"{"id":1.5,"retryCount":99999999999}"#, "retried - - -");
        check_payload(
            r#"{"url":"https:\/\/example.com\/\u00e9\ud800"}"#,
            "retried - https://example.com/é\u{fffd} -",
        );
        check_payload("\u{1b}[90m{\"id\":\"a\",\"retryCount\":1}\u{1b}[39m", "retried a - 1");
        check_payload(r#"{"id":"a","id":"b"}"#, "retried - - -");
        check_payload("{", "retried - - -");
        let deep = format!(r#"{{"a":{}{},"id":"x"}}"#, "[".repeat(200_000), "]".repeat(200_000));
        check_payload(&deep, "retried x - -");
        let deep = format!(r#"{{"id":{}{}}}"#, "[".repeat(200_000), "]".repeat(200_000));
        check_payload(&deep, "retried - - -");
    }

    #[test]
    fn calls_of_the_api_are_no_requests_of_a_crawl() {
        let line = "Retry failed 5 times and will be repeated in 20089ms";
        check(event(Style::Colon, Level::Warn, "", line).with(r#"{"url":"http://x"}"#), Class::Retry, &[]);
        check(
            javascript(Level::Warn, "ApifyClient", "API request failed 4 times. Max attempts: 9."),
            Class::Retry,
            &[],
        );
    }

    #[test]
    fn lines_that_only_look_like_it() {
        for line in [
            "Request to https://example.com/a went well",
            "Requests from the queue",
            "Results Limit 40",
            "Retrying",
            "R",
            "Encountered an odd page",
            "Error while retrieving calendar",
        ] {
            check(javascript(Level::Error, "", line).with(r#"{"id":1}"#), Class::Plain, &[]);
        }
        check(javascript(Level::Info, "", &format!("Seen: {OLD}")), Class::Plain, &[]);
    }
}
