//! Answers, and the ways in which they come or do not come.

use std::fmt::Write as _;
use std::io::{self, Write};
use std::thread;
use std::time::Duration;

/// How an answer is delivered.
#[derive(Debug, Clone)]
pub enum Way {
    /// With its length in the head.
    Whole,
    /// In chunks, with a pause before each.
    Chunks(Vec<(Duration, Vec<u8>)>),
    /// With the length of the whole in the head; the connection ends after so many bytes.
    Short(usize),
    /// Like `Short`, but the connection is reset.
    Reset(usize),
    /// In chunks that never end.
    Endless,
    /// One byte of the body after each pause, without end.
    Drip(Duration),
    /// One byte of the head after each pause, without end.
    DripHead(Duration),
    /// Never: the connection stays open and silent for this long.
    Silent(Duration),
    /// These bytes instead of an answer.
    Raw(Vec<u8>),
}

/// An answer.
#[derive(Debug, Clone)]
pub struct Reply {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    way: Way,
}

impl Reply {
    /// 200 with a body.
    #[must_use]
    pub fn ok(body: impl Into<Vec<u8>>) -> Self {
        Self::status(200, body)
    }

    /// Any status with a body.
    #[must_use]
    pub fn status(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self { status, headers: Vec::new(), body: body.into(), way: Way::Whole }
    }

    /// A redirect.
    #[must_use]
    pub fn redirect(to: &str) -> Self {
        Self::status(302, "").header("location", to)
    }

    /// With a header.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Delivered in another way.
    #[must_use]
    pub fn by(mut self, way: Way) -> Self {
        self.way = way;
        self
    }

    /// Whether the connection is to be reset rather than closed.
    pub(crate) fn resets(&self) -> bool {
        matches!(self.way, Way::Reset(_))
    }

    fn head(&self, length: &str) -> Vec<u8> {
        let mut head = format!("HTTP/1.1 {} Scripted\r\nconnection: close\r\n{length}\r\n", self.status);
        for (name, value) in &self.headers {
            let _ = write!(head, "{name}: {value}\r\n");
        }
        head.push_str("\r\n");
        head.into_bytes()
    }

    /// Writes the answer until it is done or nobody listens any more.
    pub(crate) fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        let declared = format!("content-length: {}", self.body.len());
        match &self.way {
            Way::Whole => {
                out.write_all(&self.head(&declared))?;
                out.write_all(&self.body)?;
            }
            Way::Chunks(chunks) => {
                out.write_all(&self.head("transfer-encoding: chunked"))?;
                out.flush()?;
                for (pause, bytes) in chunks {
                    thread::sleep(*pause);
                    chunk(out, bytes)?;
                }
                out.write_all(b"0\r\n\r\n")?;
            }
            Way::Short(len) | Way::Reset(len) => {
                out.write_all(&self.head(&declared))?;
                out.write_all(self.body.get(..*len).unwrap_or_default())?;
            }
            Way::Endless => {
                out.write_all(&self.head("transfer-encoding: chunked"))?;
                let bytes = vec![b'x'; 64 << 10];
                loop {
                    chunk(out, &bytes)?;
                }
            }
            Way::Drip(pause) => {
                out.write_all(&self.head("transfer-encoding: chunked"))?;
                loop {
                    chunk(out, b"x")?;
                    thread::sleep(*pause);
                }
            }
            Way::DripHead(pause) => {
                out.write_all(b"HTTP/1.1 200 OK\r\nx-slow: ")?;
                loop {
                    out.write_all(b"x")?;
                    out.flush()?;
                    thread::sleep(*pause);
                }
            }
            Way::Silent(time) => thread::sleep(*time),
            Way::Raw(bytes) => out.write_all(bytes)?,
        }
        out.flush()
    }
}

fn chunk(out: &mut dyn Write, bytes: &[u8]) -> io::Result<()> {
    write!(out, "{:x}\r\n", bytes.len())?;
    out.write_all(bytes)?;
    out.write_all(b"\r\n")?;
    out.flush()
}
