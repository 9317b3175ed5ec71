//! One request, without its secrets.

use std::fmt::Write as _;

use crate::origin::Origin;

/// What is asked for: a path, a query and headers. All platforms are asked with GET alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    path: String,
    query: Vec<(&'static str, String)>,
    headers: Vec<(&'static str, &'static str)>,
    /// How long its body may take.
    pub(crate) pace: BodyPace,
}

/// How the body of an answer comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BodyPace {
    /// As fast as the network allows.
    AtOnce,
    /// As it is written.
    Live,
}

impl Request {
    /// A request for a path, made of checked ids and fixed text.
    pub(crate) fn new(path: String) -> Self {
        Self { path, query: Vec::new(), headers: Vec::new(), pace: BodyPace::AtOnce }
    }

    /// With one more parameter.
    #[must_use]
    pub(crate) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.query.push((name, value.into()));
        self
    }

    /// With a header.
    #[must_use]
    pub(crate) fn header(mut self, name: &'static str, value: &'static str) -> Self {
        self.headers.push((name, value));
        self
    }

    /// For a body that is written while it is read.
    #[must_use]
    pub(crate) fn live(mut self) -> Self {
        self.pace = BodyPace::Live;
        self
    }

    /// The URL; holds no secret.
    #[must_use]
    pub fn url(&self, origin: &Origin) -> String {
        let mut url = format!("{origin}{}", self.path);
        for (index, (name, value)) in self.query.iter().enumerate() {
            let mark = if index == 0 { '?' } else { '&' };
            let _ = write!(url, "{mark}{name}={}", escaped(value));
        }
        url
    }

    /// The headers beside those of the credentials.
    #[must_use]
    pub fn headers(&self) -> &[(&'static str, &'static str)] {
        &self.headers
    }
}

/// A value of a query: all but unreserved characters in percent notation (RFC 3986).
fn escaped(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => out.push(char::from(byte)),
            _ => {
                let _ = write!(out, "%{byte:02X}");
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls() {
        let origin = Origin::https("api.example.com");
        let request = Request::new("/v1/x".to_owned()).with("cursor", "WzA=+/&?").with("page", "2");
        assert_eq!(request.url(&origin), "https://api.example.com/v1/x?cursor=WzA%3D%2B%2F%26%3F&page=2");
        assert_eq!(Request::new("/v1/x".to_owned()).url(&origin), "https://api.example.com/v1/x");
    }
}
