//! Where requests go: scheme, host and port, and nothing else.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use ureq::http::Uri;

use crate::error::Error;

/// Scheme, host and port of a platform's endpoints. Never holds user, password, path or query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    scheme: Scheme,
    /// Lower case; an IPv6 address stands in brackets.
    host: String,
    port: u16,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scheme {
    Http,
    Https,
}

impl Scheme {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }

    const fn port(self) -> u16 {
        match self {
            Self::Http => 80,
            Self::Https => 443,
        }
    }
}

impl Origin {
    /// A platform's own.
    pub(crate) fn https(host: &str) -> Self {
        Self { scheme: Scheme::Https, host: host.to_owned(), port: 443 }
    }

    /// The origin of any absolute URL; `None` if it has none.
    pub(crate) fn of(uri: &Uri) -> Option<Self> {
        let scheme = match uri.scheme_str()? {
            "https" => Scheme::Https,
            "http" => Scheme::Http,
            _ => return None,
        };
        let host = uri.host()?.to_ascii_lowercase();
        Some(Self { scheme, host, port: uri.port_u16().unwrap_or(scheme.port()) })
    }

    /// Whether it is this machine, told by the name alone.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        let bare = self.host.trim_start_matches('[').trim_end_matches(']');
        self.host == "localhost"
            || bare.parse::<Ipv4Addr>().is_ok_and(|ip| ip.is_loopback())
            || bare.parse::<Ipv6Addr>().is_ok_and(|ip| ip.is_loopback())
    }

    /// Whether what is sent there can be read on the way.
    #[must_use]
    pub fn is_encrypted(&self) -> bool {
        self.scheme == Scheme::Https
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.scheme.as_str(), self.host)?;
        if self.port == self.scheme.port() { Ok(()) } else { write!(f, ":{}", self.port) }
    }
}

impl FromStr for Origin {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let refuse = |why: &str| {
            Err(Error::Origin(format!("expected a URL such as https://api.example.com, found {why}")))
        };
        let Ok(uri) = text.parse::<Uri>() else { return refuse("something else") };
        if uri.authority().is_some_and(|it| it.as_str().contains('@')) {
            return refuse("one with a user in it");
        }
        if !matches!(uri.path(), "" | "/") || uri.query().is_some() {
            return refuse("one with a path; the documented path stays");
        }
        let Some(origin) = Self::of(&uri) else { return refuse("something else") };
        if !origin.is_encrypted() && !origin.is_loopback() {
            return refuse("http to another machine, which would show the token to everybody on the way");
        }
        Ok(origin)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expect: Option<&str>) {
        assert_eq!(text.parse::<Origin>().ok().map(|it| it.to_string()).as_deref(), expect, "{text}");
    }

    #[test]
    fn origins() {
        check("https://API.example.com", Some("https://api.example.com"));
        check("https://api.example.com:443/", Some("https://api.example.com"));
        check("http://127.0.0.1:8080", Some("http://127.0.0.1:8080"));
        check("http://[::1]:8080", Some("http://[::1]:8080"));
        check("http://localhost", Some("http://localhost"));
    }

    #[test]
    fn origins_refused() {
        for text in [
            "",
            "api.example.com",
            "ftp://x",
            "http://api.example.com",
            "http://127.0.0.1.example.com",
            "http://localhost.example.com",
            "https://user:pw@api.example.com",
            "https://api.example.com/v2",
            "https://api.example.com?x=1",
            "http://0.0.0.0:80",
            "http://10.0.0.1",
        ] {
            check(text, None);
        }
    }
}
