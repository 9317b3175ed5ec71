//! One request over the network, once.
//!
//! Everything that protects the token and the disk from a server stands here: encryption, redirects,
//! timeouts, sizes, encodings. Whether to try again is decided above.

use std::io::{self, Read};

use ureq::http::{HeaderValue, Response, Uri, header};
use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, parse_pem};
use ureq::{Agent, Body, Proxy, Timeout};

use crate::answer;
use crate::error::{Error, Fault};
use crate::origin::Origin;
use crate::policy::Policy;
use crate::request::{BodyPace, Request};
use crate::retry;
use crate::secret::Credentials;
use crate::session::{Options, ProxyChoice, Roots};

const USER_AGENT: &str = concat!("logmill/", env!("CARGO_PKG_VERSION"));

/// Bytes read at a time.
const CHUNK_BYTES: usize = 64 << 10;

/// The largest head of an answer.
const MAX_HEAD_BYTES: usize = 64 << 10;

/// What takes too long where a log that is followed says nothing.
pub(crate) const QUIET: &str = "waiting for more of the log";

/// Where a body goes.
pub(crate) trait Sink {
    /// A body begins: what an earlier attempt left is forgotten.
    fn restart(&mut self) -> Result<(), Fault>;
    /// The next bytes of it.
    fn take(&mut self, bytes: &[u8]) -> Result<(), Fault>;
}

/// What is known of an answer besides its body.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Received {
    pub status: u16,
    pub n_bytes: u64,
}

/// A way to one origin.
pub(crate) struct Transport {
    agent: Agent,
    origin: Origin,
    credentials: Credentials,
    policy: Policy,
}

impl Transport {
    pub fn new(origin: Origin, options: &Options) -> Result<Self, Error> {
        let times = options.policy.timeouts;
        let roots = match &options.roots {
            Roots::Web => RootCerts::WebPki,
            Roots::Pem(pem) => RootCerts::new_with_certs(&certificates(pem)?),
        };
        let config = Agent::config_builder()
            .https_only(origin.is_encrypted())
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .user_agent(USER_AGENT)
            .accept_encoding("identity")
            .proxy(proxy(&origin, &options.proxy)?)
            .tls_config(TlsConfig::builder().root_certs(roots).build())
            .max_response_header_size(MAX_HEAD_BYTES)
            .timeout_resolve(Some(times.resolve))
            .timeout_connect(Some(times.connect))
            .timeout_send_request(Some(times.send))
            .timeout_recv_response(Some(times.head))
            .timeout_recv_body(Some(times.body))
            .timeout_per_read(Some(times.idle))
            .build();
        let credentials = options.credentials.clone();
        Ok(Self { agent: Agent::new_with_config(config), origin, credentials, policy: options.policy })
    }

    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// Asks once and hands the body of a good answer to `sink`; `on_bytes` is told how many came.
    pub fn get(
        &self,
        request: &Request,
        sink: &mut dyn Sink,
        on_bytes: &mut dyn FnMut(u64),
    ) -> Result<Received, Fault> {
        let response = self.follow_redirects(request)?;
        let status = response.status().as_u16();
        if status != 200 {
            return Err(refusal(response));
        }
        check_encoding(&response)?;
        check_type(&response)?;
        sink.restart()?;
        // The library sees to it that a body is as long as the head says, and that chunks end.
        let n_bytes = self.body(response, request.pace, sink, on_bytes)?;
        Ok(Received { status, n_bytes })
    }

    /// The answer, after redirects inside the origin.
    fn follow_redirects(&self, request: &Request) -> Result<Response<Body>, Fault> {
        let mut url = request.url(&self.origin);
        for _ in 0..=self.policy.max_redirects {
            let response = self.send(&url, request)?;
            if !matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308) {
                return Ok(response);
            }
            url = self.redirected(&response)?;
        }
        Err(Fault::Redirect(format!(
            "expected an answer, found more than {} redirects",
            self.policy.max_redirects
        )))
    }

    fn send(&self, url: &str, request: &Request) -> Result<Response<Body>, Fault> {
        let mut call = self.agent.get(url);
        for (name, value) in request.headers() {
            call = call.header(*name, *value);
        }
        for (name, value) in self.credentials.headers() {
            call = call.header(name, value);
        }
        let config = call.config();
        let call = match request.pace {
            BodyPace::AtOnce => config.build(),
            BodyPace::Live => config
                .timeout_recv_body(None)
                .timeout_per_read(Some(self.policy.timeouts.follow_idle))
                .build(),
        };
        call.call().map_err(|error| self.fault(error))
    }

    /// Where a redirect leads; only inside the origin.
    fn redirected(&self, response: &Response<Body>) -> Result<String, Fault> {
        let target =
            response.headers().get(header::LOCATION).and_then(|it| it.to_str().ok()).unwrap_or_default();
        let absolute = if target.starts_with("//") {
            format!("{}:{target}", if self.origin.is_encrypted() { "https" } else { "http" })
        } else if target.starts_with('/') {
            format!("{}{target}", self.origin)
        } else {
            target.to_owned()
        };
        let uri: Option<Uri> = absolute.parse().ok();
        match uri.as_ref().and_then(Origin::of) {
            Some(origin) if origin == self.origin => {
                let path = uri.as_ref().and_then(Uri::path_and_query).map_or("/", |it| it.as_str());
                Ok(format!("{origin}{path}"))
            }
            Some(origin) => Err(Fault::Redirect(format!(
                "expected an answer or a redirect inside {}, found one to {origin}; nothing is sent there",
                self.origin
            ))),
            None => Err(Fault::Redirect("expected an answer, found a redirect to nowhere".to_owned())),
        }
    }

    fn body(
        &self,
        response: Response<Body>,
        pace: BodyPace,
        sink: &mut dyn Sink,
        on_bytes: &mut dyn FnMut(u64),
    ) -> Result<u64, Fault> {
        let mut reader = response.into_body().into_reader();
        let mut chunk = vec![0; CHUNK_BYTES];
        let mut n_bytes = 0;
        loop {
            let len = match reader.read(&mut chunk) {
                Ok(0) => return Ok(n_bytes),
                Ok(len) => len,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(live(self.fault(error.into()), pace)),
            };
            n_bytes += len as u64;
            if n_bytes > self.policy.max_body_bytes {
                return Err(Fault::TooLarge { max_bytes: self.policy.max_body_bytes });
            }
            sink.take(chunk.get(..len).unwrap_or_default())?;
            on_bytes(len as u64);
        }
    }

    /// What the library's error means for us.
    fn fault(&self, error: ureq::Error) -> Fault {
        match error {
            ureq::Error::Timeout(timeout) => Fault::Timeout(phase(timeout)),
            ureq::Error::Rustls(error) => Fault::Tls(error.to_string()),
            ureq::Error::Tls(error) => Fault::Tls(error.to_owned()),
            ureq::Error::Io(error) => broken(&error),
            ureq::Error::HostNotFound => {
                Fault::Unreachable(format!("expected an address of {}, found none", self.origin))
            }
            ureq::Error::ConnectionFailed | ureq::Error::InvalidProxyUrl => {
                Fault::Unreachable(format!("cannot connect to {}", self.origin))
            }
            ureq::Error::ConnectProxyFailed(status) => {
                Fault::Unreachable(format!("the proxy refused the connection: {status}"))
            }
            ureq::Error::LargeResponseHeader(..) => {
                Fault::Unexpected(format!("expected a head of at most {MAX_HEAD_BYTES} bytes, found more"))
            }
            ureq::Error::Protocol(error) => {
                Fault::Broken(format!("expected an HTTP answer, found a malformed one: {error}"))
            }
            error => Fault::Unexpected(error.to_string()),
        }
    }
}

/// What an answer other than 200 says.
fn refusal(response: Response<Body>) -> Fault {
    let status = response.status().as_u16();
    let retry_after = response
        .headers()
        .get(header::RETRY_AFTER)
        .and_then(|value| value.to_str().ok())
        .and_then(retry::after);
    let mut body = Vec::new();
    // An error answer that is cut says less, and is still an error answer.
    let _ = response.into_body().into_reader().take(answer::MAX_BYTES).read_to_end(&mut body);
    Fault::Status { status, said: answer::said(&body), retry_after }
}

/// Silence while following is no fault of the server.
fn live(fault: Fault, pace: BodyPace) -> Fault {
    match (fault, pace) {
        (Fault::Timeout(_), BodyPace::Live) => Fault::Timeout(QUIET),
        (fault, _) => fault,
    }
}

fn broken(error: &io::Error) -> Fault {
    match error.kind() {
        // How rustls hands its errors through a stream.
        io::ErrorKind::InvalidData => Fault::Tls(error.to_string()),
        io::ErrorKind::ConnectionRefused
        | io::ErrorKind::HostUnreachable
        | io::ErrorKind::NetworkUnreachable
        | io::ErrorKind::AddrNotAvailable => Fault::Unreachable(format!("cannot connect: {error}")),
        io::ErrorKind::UnexpectedEof => {
            Fault::Broken("expected the rest of the answer, found that the connection had ended".to_owned())
        }
        _ => Fault::Broken(format!("the connection broke: {error}")),
    }
}

fn phase(timeout: Timeout) -> &'static str {
    match timeout {
        Timeout::Resolve => "looking up the host",
        Timeout::Connect => "connecting",
        Timeout::SendRequest | Timeout::SendBody | Timeout::PerWrite => "sending the request",
        Timeout::RecvResponse => "waiting for the answer",
        Timeout::RecvBody => "receiving the answer, which came too slowly",
        Timeout::PerRead => "waiting for the next bytes of the answer",
        _ => "asking",
    }
}

/// Compressed bodies are not asked for. One that comes all the same is not unpacked (it could be of
/// any size), nor stored as if it were the log.
fn check_encoding(response: &Response<Body>) -> Result<(), Fault> {
    match response.headers().get(header::CONTENT_ENCODING).map(HeaderValue::as_bytes) {
        None | Some(b"" | b"identity") => Ok(()),
        Some(encoding) => {
            let shown: String = String::from_utf8_lossy(encoding).chars().take(40).collect();
            Err(Fault::Encoded(shown))
        }
    }
}

/// No endpoint answers with HTML; proxies and login pages do.
fn check_type(response: &Response<Body>) -> Result<(), Fault> {
    let kind =
        response.headers().get(header::CONTENT_TYPE).and_then(|it| it.to_str().ok()).unwrap_or_default();
    if kind.trim_start().to_ascii_lowercase().starts_with("text/html") {
        return Err(Fault::Unexpected(
            "expected data, found a page for people (a proxy or a login?)".to_owned(),
        ));
    }
    Ok(())
}

fn certificates(pem: &[u8]) -> Result<Vec<Certificate<'static>>, Error> {
    let mut found = Vec::new();
    for item in parse_pem(pem) {
        match item {
            Ok(PemItem::Certificate(certificate)) => found.push(certificate),
            Ok(_) => {}
            Err(_) => return Err(Error::Roots("a block that cannot be read".to_owned())),
        }
    }
    if found.is_empty() { Err(Error::Roots("none".to_owned())) } else { Ok(found) }
}

/// The proxy for an origin. This machine is never reached through one.
fn proxy(origin: &Origin, choice: &ProxyChoice) -> Result<Option<Proxy>, Error> {
    const NAMES: [&str; 6] =
        ["ALL_PROXY", "all_proxy", "HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"];
    let refused =
        |name: &str| Error::Proxy(format!("expected the URL of a proxy in {name}, found something else"));
    match choice {
        ProxyChoice::Direct => Ok(None),
        ProxyChoice::Url(url) => Proxy::new(url).map(Some).map_err(|_| refused("the options")),
        ProxyChoice::Environment if origin.is_loopback() => Ok(None),
        ProxyChoice::Environment => {
            let set = NAMES.iter().find(|name| std::env::var_os(name).is_some_and(|value| !value.is_empty()));
            match (Proxy::try_from_env(), set) {
                // Going around a proxy that somebody asked for would be worse than not going.
                (None, Some(name)) => Err(refused(name)),
                (proxy, _) => Ok(proxy),
            }
        }
    }
}

/// A body in memory.
#[derive(Default)]
pub(crate) struct Memory(pub Vec<u8>);

impl Sink for Memory {
    fn restart(&mut self) -> Result<(), Fault> {
        self.0.clear();
        Ok(())
    }

    fn take(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        self.0.extend_from_slice(bytes);
        Ok(())
    }
}
