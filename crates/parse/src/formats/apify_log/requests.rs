//! Requests that were tried again or given up, in the words of all generations of the SDKs.
//!
//! Where a request is stated as data (`{"id":…,"url":…,"retryCount":n}`, in any order, any of them
//! missing or of another type), that is taken; else the URL in the text.

use std::borrow::Cow;

use memchr::{memchr, memmem};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::meaning::Said;
use crate::mark::{Fate, Mark, Request};
use crate::record::Batch;
use crate::text::unescape;
use crate::vocabulary::{Class, Level};

const RECLAIMED: &[u8] = b"eclaiming failed request back to the list or queue";

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
    if said.line.starts_with(b"An exception occurred during handling of failed request") {
        return Some(Class::Failure);
    }
    memmem::find(said.line, RECLAIMED)?;
    Some(retried(said, None, out))
}

/// `Encountered "<error>", rotating session and retrying...` of crawlee for Python.
pub(super) fn session_rotated<'a>(said: Said<'_, 'a>, out: &mut Batch<'a>) -> Option<Class> {
    let rest = said.line.strip_prefix(b"Encountered ")?;
    memmem::find(rest, b", rotating session and retrying")?;
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
    out.mark(Mark::Request(request(said, Some(url), Fate::Lost)));
    Some(Class::Failure)
}

/// `Request failed and reached maximum retries` of crawlee and all SDKs for JavaScript.
fn javascript_loss<'a>(said: Said<'_, 'a>, out: &mut Batch<'a>) -> Option<Class> {
    said.line.strip_prefix(b"Request failed and reached maximum retries")?;
    out.mark(Mark::Request(request(said, None, Fate::Lost)));
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

fn retried<'a>(said: Said<'_, 'a>, url: Option<&[u8]>, out: &mut Batch<'a>) -> Class {
    out.mark(Mark::Request(request(said, url, Fate::Retried)));
    Class::Retry
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
