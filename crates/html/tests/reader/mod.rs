//! A reader of pages that knows nothing of what writes them.

use std::collections::BTreeMap;

/// An element as it stands on the page.
#[derive(Debug)]
pub struct Element {
    pub name: String,
    pub attributes: BTreeMap<String, String>,
    /// The text in it and in what it holds, decoded.
    pub text: String,
}

impl Element {
    pub fn get(&self, name: &str) -> Option<&str> {
        self.attributes.get(name).map(String::as_str)
    }
}

/// Reads a page as strictly as XML is read, and panics at the first thing that is not as it should be.
#[track_caller]
pub fn elements(page: &str) -> Vec<Element> {
    let mut rest = page.strip_prefix("<!DOCTYPE html>").expect("a document type");
    let mut open: Vec<usize> = Vec::new();
    let mut found: Vec<Element> = Vec::new();
    while let Some(at) = rest.find('<') {
        let text = decoded(&rest[..at]);
        for element in &open {
            found[*element].text.push_str(&text);
        }
        let end = rest[at..].find('>').expect("a tag ends") + at;
        let tag = &rest[at + 1..end];
        rest = &rest[end + 1..];
        if let Some(name) = tag.strip_prefix('/') {
            let last = open.pop().expect("an open element");
            assert_eq!(found[last].name, name, "elements are closed in their order");
            continue;
        }
        let is_empty = tag.ends_with('/');
        let (name, attributes) = parts(tag.trim_end_matches('/'));
        found.push(Element { name, attributes, text: String::new() });
        if !is_empty {
            open.push(found.len() - 1);
        }
    }
    assert_eq!(open, [] as [usize; 0], "every element is closed");
    found
}

fn parts(tag: &str) -> (String, BTreeMap<String, String>) {
    let (name, mut rest) = tag.split_once(' ').unwrap_or((tag, ""));
    assert!(!name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric()), "{tag:?}");
    let mut attributes = BTreeMap::new();
    while !rest.is_empty() {
        let (key, value) = rest.split_once("=\"").expect("an attribute has a quoted value");
        assert!(key.chars().all(|c| c.is_ascii_alphanumeric() || c == '-'), "{tag:?}");
        let (value, after) = value.split_once('"').expect("a quoted value ends");
        assert!(attributes.insert(key.to_owned(), decoded(value)).is_none(), "{key} twice in {tag:?}");
        assert!(after.is_empty() || after.starts_with(' '), "{tag:?}");
        rest = after.trim_start();
    }
    (name.to_owned(), attributes)
}

fn decoded(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        out.push_str(&rest[..at]);
        let end = rest[at..].find(';').expect("a reference ends") + at;
        out.push(match &rest[at + 1..end] {
            "amp" => '&',
            "lt" => '<',
            "gt" => '>',
            "quot" => '"',
            "#39" => '\'',
            "#160" => '\u{a0}',
            other => panic!("an unknown reference: {other}"),
        });
        rest = &rest[end + 1..];
    }
    out + rest
}
