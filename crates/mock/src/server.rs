//! A server on this machine: one thread that accepts, one for each connection.

use std::collections::BTreeMap;
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use rustls::{ServerConfig, ServerConnection, StreamOwned};

use crate::authority;
use crate::reply::Reply;

/// The largest head of a request.
const MAX_HEAD_BYTES: usize = 64 << 10;

/// A request as it came.
#[derive(Debug, Clone, Default)]
pub struct Seen {
    /// `GET`
    pub method: String,
    /// The path, without the query.
    pub path: String,
    /// The parameters, decoded.
    pub query: BTreeMap<String, String>,
    /// The headers, names in lower case.
    pub headers: BTreeMap<String, String>,
    /// Everything, byte by byte.
    pub raw: Vec<u8>,
}

impl Seen {
    /// A header, or nothing.
    #[must_use]
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }

    /// A parameter, or nothing.
    #[must_use]
    pub fn param(&self, name: &str) -> &str {
        self.query.get(name).map_or("", String::as_str)
    }

    /// Path and parameters, the latter in order of their names.
    #[must_use]
    pub fn target(&self) -> String {
        let query: Vec<String> = self.query.iter().map(|(name, value)| format!("{name}={value}")).collect();
        if query.is_empty() { self.path.clone() } else { format!("{}?{}", self.path, query.join("&")) }
    }
}

type Handler = dyn Fn(&Seen) -> Reply + Send + Sync;

/// A running server; it stops when dropped.
pub struct Server {
    address: SocketAddr,
    scheme: &'static str,
    seen: Arc<Mutex<Vec<Seen>>>,
    is_over: Arc<AtomicBool>,
}

impl Server {
    /// Without encryption.
    ///
    /// # Panics
    ///
    /// If no port is free.
    #[must_use]
    pub fn start(handler: impl Fn(&Seen) -> Reply + Send + Sync + 'static) -> Self {
        Self::run(None, Arc::new(handler))
    }

    /// With TLS.
    ///
    /// # Panics
    ///
    /// If no port is free, or the certificate is not usable.
    #[must_use]
    pub fn start_tls(
        certificate: &authority::Server,
        handler: impl Fn(&Seen) -> Reply + Send + Sync + 'static,
    ) -> Self {
        Self::run(Some(certificate.config()), Arc::new(handler))
    }

    /// A proxy that opens every tunnel to itself: what comes through it is answered with TLS.
    ///
    /// # Panics
    ///
    /// If no port is free, or the certificate is not usable.
    #[must_use]
    pub fn start_proxy(
        certificate: &authority::Server,
        handler: impl Fn(&Seen) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let mut server = Self::run(Some(certificate.config()), Arc::new(handler));
        server.scheme = "http";
        server
    }

    fn run(tls: Option<Arc<ServerConfig>>, handler: Arc<Handler>) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let address = listener.local_addr().expect("an address");
        let scheme = if tls.is_some() { "https" } else { "http" };
        let server = Self { address, scheme, seen: Arc::default(), is_over: Arc::default() };
        let (seen, is_over) = (Arc::clone(&server.seen), Arc::clone(&server.is_over));
        thread::spawn(move || {
            for stream in listener.incoming() {
                if is_over.load(Ordering::Relaxed) {
                    return;
                }
                let Ok(stream) = stream else { continue };
                let (tls, seen, handler) = (tls.clone(), Arc::clone(&seen), Arc::clone(&handler));
                thread::spawn(move || {
                    // Whatever a client does, it is the client's test that must notice.
                    let _ = serve(stream, tls, &seen, &*handler);
                });
            }
        });
        server
    }

    /// `http://127.0.0.1:port`
    #[must_use]
    pub fn url(&self) -> String {
        format!("{}://{}", self.scheme, self.address)
    }

    /// The port.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// What it was asked so far.
    #[must_use]
    pub fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Paths and parameters of what it was asked so far.
    #[must_use]
    pub fn targets(&self) -> Vec<String> {
        self.seen().iter().map(Seen::target).collect()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
        // Wakes the thread that accepts.
        let _ = TcpStream::connect(self.address);
    }
}

fn serve(
    mut stream: TcpStream,
    tls: Option<Arc<ServerConfig>>,
    seen: &Mutex<Vec<Seen>>,
    handler: &Handler,
) -> io::Result<()> {
    stream.set_read_timeout(Some(Duration::from_secs(20)))?;
    stream.set_write_timeout(Some(Duration::from_secs(20)))?;
    stream.set_nodelay(true)?;
    let Some(config) = tls else {
        let reply = answer(&mut stream, seen, handler)?;
        return finish(stream, &reply);
    };
    let mut first = [0];
    stream.peek(&mut first)?;
    if first == *b"C" {
        // A proxy is asked in the clear for a tunnel.
        let connect = request(&mut stream)?;
        stream.read_exact(&mut first)?;
        seen.lock().unwrap_or_else(PoisonError::into_inner).push(connect);
        stream.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n")?;
    }
    let connection = ServerConnection::new(config).map_err(io::Error::other)?;
    let mut stream = StreamOwned::new(connection, stream);
    answer(&mut stream, seen, handler)?;
    stream.conn.send_close_notify();
    stream.flush()
}

fn answer<S: Read + Write>(stream: &mut S, seen: &Mutex<Vec<Seen>>, handler: &Handler) -> io::Result<Reply> {
    let request = request(stream)?;
    seen.lock().unwrap_or_else(PoisonError::into_inner).push(request.clone());
    let reply = handler(&request);
    reply.write(stream)?;
    Ok(reply)
}

/// Closing with unread bytes resets a connection; so the one byte that was left of the request matters.
fn finish(mut stream: TcpStream, reply: &Reply) -> io::Result<()> {
    if reply.resets() {
        return Ok(());
    }
    let mut rest = [0; 16];
    stream.set_nonblocking(true)?;
    let _ = stream.read(&mut rest);
    stream.shutdown(Shutdown::Write)
}

/// Reads the head of a request, all but its last byte: see [`finish`].
fn request<S: Read>(stream: &mut S) -> io::Result<Seen> {
    let mut raw = Vec::new();
    let mut byte = [0];
    while !raw.ends_with(b"\r\n\r") {
        if stream.read(&mut byte)? == 0 || raw.len() > MAX_HEAD_BYTES {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        raw.extend_from_slice(&byte);
    }
    Ok(parse(raw))
}

fn parse(raw: Vec<u8>) -> Seen {
    let text = String::from_utf8_lossy(&raw).into_owned();
    let mut lines = text.lines();
    let mut first = lines.next().unwrap_or_default().split(' ');
    let method = first.next().unwrap_or_default().to_owned();
    let target = first.next().unwrap_or_default();
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let pair = |pair: &str| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (decoded(name), decoded(value))
    };
    let header =
        |line: &str| line.split_once(':').map(|(name, value)| (name.to_lowercase(), value.trim().to_owned()));
    Seen {
        method,
        path: path.to_owned(),
        query: query.split('&').filter(|it| !it.is_empty()).map(pair).collect(),
        headers: lines.filter_map(header).collect(),
        raw,
    }
}

/// Without percent notation.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((first, behind)) = rest.split_first() {
        let hex = behind.get(..2).and_then(|it| std::str::from_utf8(it).ok());
        let escaped = hex.filter(|_| *first == b'%').and_then(|hex| u8::from_str_radix(hex, 16).ok());
        bytes.push(escaped.unwrap_or(*first));
        rest = if escaped.is_some() { behind.get(2..).unwrap_or_default() } else { behind };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
