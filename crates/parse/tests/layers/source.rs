//! Rust sources as words: enough of a lexer to tell code from comments, strings and tests.

use std::fs;
use std::path::{Path, PathBuf};

/// One source file.
pub struct Source {
    /// Path in the repository, with `/`.
    pub path: String,
    /// Identifiers, numbers and single characters of punctuation, in order; `::` is one word.
    pub words: Vec<String>,
}

impl Source {
    /// Whether `words` stand in a row somewhere. `::` and `!` are words of their own.
    pub fn says(&self, words: &[&str]) -> bool {
        self.words.windows(words.len()).any(|window| window.iter().eq(words))
    }
}

/// All sources under `folder`, a path in the repository; tests inside of them are left out.
pub fn sources(root: &Path, folder: &str) -> Vec<Source> {
    let (mut found, mut tests) = (Vec::new(), Vec::new());
    for path in files(&root.join(folder)) {
        let text = fs::read_to_string(&path).expect("a source is text");
        let mut words = words(&text);
        leave_out_tests(&mut words, &path, &mut tests);
        found.push((path, words));
    }
    found.retain(|(path, _)| {
        !tests.iter().any(|test| path.starts_with(test) || *path == test.with_extension("rs"))
    });
    found.into_iter().map(|(path, words)| Source { path: name(root, &path), words }).collect()
}

/// The path of a file in the repository, with `/` whatever the operating system.
fn name(root: &Path, path: &Path) -> String {
    let inside = path.strip_prefix(root).unwrap_or(path);
    inside.iter().map(|part| part.to_string_lossy()).collect::<Vec<_>>().join("/")
}

/// Every `.rs` file under a folder, in the order of the paths.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(files(&path));
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// The words of a source, without comments and without what stands between quotes.
pub fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let len = if let Some(len) = passed_over(rest) {
            len
        } else if first.is_alphanumeric() || first == '_' {
            let len = rest.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(rest.len());
            words.push(rest[..len].to_owned());
            len
        } else {
            let len = if rest.starts_with("::") { 2 } else { first.len_utf8() };
            words.push(rest[..len].to_owned());
            len
        };
        rest = &rest[len..];
    }
    words
}

/// Length of the blank, comment or literal that `text` begins with.
fn passed_over(text: &str) -> Option<usize> {
    if text.starts_with(char::is_whitespace) {
        return Some(text.len() - text.trim_start().len());
    }
    if text.starts_with("//") {
        return Some(text.find('\n').unwrap_or(text.len()));
    }
    if text.starts_with("/*") {
        return Some(block_comment(text));
    }
    let prefix = ["br", "cr", "r", "b", "c", ""]
        .into_iter()
        .find(|prefix| text.strip_prefix(prefix).is_some_and(|rest| rest.starts_with(['"', '#', '\''])))?;
    let body = &text[prefix.len()..];
    let hashes = body.len() - body.trim_start_matches('#').len();
    match body[hashes..].chars().next() {
        Some('"') if prefix.ends_with('r') => {
            let end = format!("\"{}", "#".repeat(hashes));
            let close = body[hashes + 1..].find(&end).unwrap_or(body.len() - hashes - 1);
            Some((prefix.len() + hashes + 1 + close + end.len()).min(text.len()))
        }
        Some('"') if hashes == 0 => Some(prefix.len() + quoted(body, '"')),
        Some('\'') if hashes == 0 && !is_lifetime(body) => Some(prefix.len() + quoted(body, '\'')),
        _ => None,
    }
}

/// Block comments nest.
fn block_comment(text: &str) -> usize {
    let (mut at, mut depth) = (0, 0_usize);
    while at < text.len() {
        let rest = &text.as_bytes()[at..];
        if rest.starts_with(b"/*") {
            (at, depth) = (at + 2, depth + 1);
        } else if rest.starts_with(b"*/") {
            (at, depth) = (at + 2, depth - 1);
            if depth == 0 {
                return at;
            }
        } else {
            at += 1;
        }
    }
    text.len()
}

/// Length of a literal with backslash escapes, its quotes included.
fn quoted(text: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            c if c == quote => return at + c.len_utf8(),
            _ => {}
        }
    }
    text.len()
}

/// `'a` of `&'a str`, but not `'a'`.
fn is_lifetime(text: &str) -> bool {
    let mut chars = text.chars().skip(1);
    chars.next().is_some_and(|c| c.is_alphabetic() || c == '_') && chars.next() != Some('\'')
}

/// Takes `#[cfg(test)]` items out of `words`; of a module in another file its path goes to `tests`.
fn leave_out_tests(words: &mut Vec<String>, path: &Path, tests: &mut Vec<PathBuf>) {
    const ATTRIBUTE: [&str; 7] = ["#", "[", "cfg", "(", "test", ")", "]"];
    while let Some(start) = words.windows(ATTRIBUTE.len()).position(|window| window.iter().eq(ATTRIBUTE)) {
        let item = &words[start..];
        let opens = item.iter().position(|word| word == "{").unwrap_or(item.len());
        let ends = item.iter().position(|word| word == ";").unwrap_or(item.len());
        let len = if ends < opens { ends + 1 } else { opens + block(&item[opens..]) };
        if ends < opens
            && let Some(module) = item.iter().position(|word| word == "mod").and_then(|at| item.get(at + 1))
        {
            tests.push(folder_of_modules(path).join(module));
        }
        words.drain(start..(start + len).min(start + item.len()));
    }
}

/// Words of a block in braces.
fn block(words: &[String]) -> usize {
    let mut depth = 0_usize;
    for (at, word) in words.iter().enumerate() {
        match word.as_str() {
            "{" => depth += 1,
            "}" if depth == 1 => return at + 1,
            "}" => depth -= 1,
            _ => {}
        }
    }
    words.len()
}

/// Where the modules stand that a file declares.
fn folder_of_modules(path: &Path) -> PathBuf {
    let is_root =
        path.file_name().is_some_and(|name| ["lib.rs", "main.rs", "mod.rs"].iter().any(|root| name == *root));
    if is_root { path.with_file_name("") } else { path.with_extension("") }
}
