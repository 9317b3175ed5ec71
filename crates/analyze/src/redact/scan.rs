//! Finds secrets in text, in one pass: by what they look like, and by what stands before them.
//!
//! ```text
//! token    := PREFIX word | jwt | forty mixed letters and digits | "Bearer" token | "Basic" base64
//! named    := NAME ( "=" | ":" | "%3D" | ">" ) value | "--" NAME " " value        quoted at any depth, or not
//! url      := "://" user ":" secret "@" host
//! email    := local ( "@" | "%40" ) domain
//! key      := "-----BEGIN … PRIVATE KEY-----" secret "-----END"
//! ```
//!
//! What looks back does so over a bounded number of bytes, what looks ahead consumes what it saw: time is linear.

use memchr::{memchr, memmem};

use super::view::View;
use super::words::{self, Name, PREFIXES, Tail};
use super::{Kind, pseudonym_len};

/// Bytes of a name or of the local part of an address that are looked back over.
const MAX_BACK: usize = 96;
/// Bytes of what may be a value, a header or an authority. What is longer and has a secret's name is a secret.
const MAX_AHEAD: usize = 1024;
/// Characters of a full line of a key.
const MIN_KEY_LINE: usize = 60;
const MAX_KEY_LINE: usize = 76;
/// Blanks between a name and its value.
const MAX_BLANKS: usize = 4;

/// Where a secret stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Secret {
    pub start: usize,
    pub end: usize,
    pub kind: Kind,
    /// The backslashes before the quotes that its pseudonym needs: it is a bare value of JSON.
    pub quote: Option<usize>,
}

/// The secrets of the text, in order, none inside another.
pub(super) fn find(text: &[u8]) -> Vec<Secret> {
    let view = View::new(text);
    let mut scan = Scan { bytes: &view.bytes, at: 0, free: 0, found: Vec::new() };
    scan.key_line(0);
    while scan.at < scan.bytes.len() {
        scan.step();
    }
    let mut found = scan.found;
    for secret in &mut found {
        secret.start = view.place(secret.start);
        secret.end = view.place(secret.end);
    }
    found
}

struct Scan<'v> {
    bytes: &'v [u8],
    at: usize,
    /// What stands before is settled.
    free: usize,
    found: Vec<Secret>,
}

/// How a name and its value are joined.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Joint {
    /// By `=`, or by `:` with the name in quotes.
    Close,
    /// By `=` in the query of a URL, where `&` ends a value.
    Query,
    /// By `:` behind a bare name, as in sentences.
    Loose,
}

const fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-') || byte >= 0x80
}

const fn is_quote(byte: u8) -> bool {
    matches!(byte, b'"' | b'\'' | b'`')
}

impl<'v> Scan<'v> {
    fn byte(&self, at: usize) -> u8 {
        self.bytes.get(at).copied().unwrap_or(b' ')
    }

    fn from(&self, at: usize) -> &'v [u8] {
        self.bytes.get(at..).unwrap_or_default()
    }

    fn slice(&self, start: usize, end: usize) -> &'v [u8] {
        self.bytes.get(start..end.min(self.bytes.len())).unwrap_or_default()
    }

    /// Where the run of such bytes that starts at `at` ends, if it is not longer than `most`.
    fn run_at_most(&self, at: usize, most: usize, takes: impl Fn(u8) -> bool) -> usize {
        at + self.from(at).iter().take(most).take_while(|byte| takes(**byte)).count()
    }

    /// Where the run of such bytes that starts at `at` ends.
    fn run(&self, at: usize, takes: impl Fn(u8) -> bool) -> usize {
        at + self.from(at).iter().take_while(|byte| takes(**byte)).count()
    }

    /// Where the run of such bytes that ends at `at` starts; at most so far back.
    fn run_back(&self, at: usize, takes: impl Fn(u8) -> bool) -> usize {
        let floor = at.saturating_sub(MAX_BACK).max(self.free.min(at));
        at - self.slice(floor, at).iter().rev().take_while(|byte| takes(**byte)).count()
    }

    /// Adds a secret and goes on behind it.
    fn add(&mut self, start: usize, end: usize, kind: Kind) {
        self.add_quoted(start, end, kind, None);
    }

    fn add_quoted(&mut self, start: usize, end: usize, kind: Kind, quote: Option<usize>) {
        let start = start.max(self.free);
        if start < end {
            self.found.push(Secret { start, end, kind, quote });
            self.free = end;
        }
        self.at = self.at.max(end);
    }

    fn step(&mut self) {
        let at = self.at;
        match self.byte(at) {
            b'<' => match pseudonym_len(self.from(at)) {
                Some(len) => {
                    self.at = at + len;
                    self.free = self.at;
                }
                None => self.at += 1,
            },
            b'=' => self.equals(at, 1),
            b':' => self.colon(at, 1),
            b'>' => self.element(at),
            b'@' => self.email(at, 1),
            b'%' => self.percent(at),
            b'\n' | b' ' | b'\t' => {
                self.at = at + 1;
                self.key_line(at + 1);
            }
            byte if is_word(byte) => self.word(at),
            _ => self.at += 1,
        }
        // Whatever was looked at, something was.
        self.at = self.at.max(at + 1);
    }

    fn percent(&mut self, at: usize) {
        match self.slice(at + 1, at + 3) {
            b"40" => self.email(at, 3),
            b"3D" | b"3d" => self.equals(at, 3),
            b"3A" | b"3a" => self.colon(at, 3),
            _ => self.at += 1,
        }
    }

    /// A word as long as a line of a key: a block that was printed line by line.
    fn key_line(&mut self, start: usize) {
        let end = self.run_at_most(start, MAX_KEY_LINE + 1, |byte| {
            byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=')
        });
        let line = self.slice(start, end);
        if (MIN_KEY_LINE..=MAX_KEY_LINE).contains(&line.len())
            && self.byte(end).is_ascii_whitespace()
            && words::is_mixed(line)
        {
            self.add(start, end, Kind::Key);
        }
    }

    fn word(&mut self, start: usize) {
        let end = self.run(start, is_word);
        let word = self.slice(start, end);
        self.at = end;
        if word.starts_with(b"-----BEGIN") {
            return self.private_key(end);
        }
        if word.starts_with(b"--")
            && let Some(name) = words::classify(word)
            && self.byte(end) == b' '
        {
            return self.value(end, name, Joint::Close, None);
        }
        if word.len() >= 5 {
            self.scheme(word, end);
        }
        if self.at == end && word.len() >= 3 {
            self.tokens(start, end);
        }
    }

    /// Tokens that start with the word or at one of the marks inside it.
    fn tokens(&mut self, start: usize, end: usize) {
        let word = self.slice(start, end);
        let is_forty = word.len() == 40 && words::is_mixed(word);
        if is_forty && !matches!(self.byte(end), b'/' | b'.') {
            return self.add(start, end, Kind::Secret);
        }
        // `\nghp_…`: the letter belongs to the escape before it.
        let escaped = usize::from(start > 0 && self.byte(start - 1) == b'\\');
        let marks = word.iter().enumerate().filter(|(_, byte)| !byte.is_ascii_alphanumeric());
        let starts: Vec<usize> = [0, escaped].into_iter().chain(marks.map(|(at, _)| at + 1)).collect();
        for offset in starts {
            if word.len() - offset.min(word.len()) < 4 {
                continue;
            }
            if let Some(token_end) = self.token_at(start + offset, end) {
                return self.add(start + offset, token_end, Kind::Secret);
            }
        }
    }

    /// Where the token that starts here ends; `word_end` is where its first word does.
    fn token_at(&self, at: usize, word_end: usize) -> Option<usize> {
        let rest = self.from(at);
        if rest.starts_with(b"eyJ") {
            return self.jwt(at, word_end);
        }
        let (prefix, tail) = PREFIXES.iter().find(|(prefix, _)| rest.starts_with(prefix))?;
        let from = at + prefix.len();
        let (end, least) = match tail {
            Tail::Word(least) if from <= word_end => (word_end, *least),
            Tail::Word(least) => (self.run(from, is_word), *least),
            Tail::Dotted(least) => (self.run(from, |byte| is_word(byte) || byte == b'.'), *least),
            Tail::Capitals(n) => {
                let end = from + n;
                let is_exact = !is_word(self.byte(end))
                    && end <= self.bytes.len()
                    && self
                        .slice(from, end)
                        .iter()
                        .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
                return is_exact.then_some(end);
            }
        };
        // What reaches the end of the text may have been cut there.
        let is_long = end - from >= least || (end == self.bytes.len() && end - from >= 4);
        is_long.then_some(end)
    }

    fn jwt(&self, at: usize, word_end: usize) -> Option<usize> {
        let mut end = word_end;
        let head = end - at;
        let mut parts = 1;
        while parts < 5 && self.byte(end) == b'.' && is_word(self.byte(end + 1)) {
            end = self.run(end + 1, is_word);
            parts += 1;
        }
        let is_cut = end == self.bytes.len() && head >= 10;
        (head >= 10 && parts >= 2 || is_cut).then_some(end)
    }

    /// `Bearer` and `Basic` with what follows them.
    fn scheme(&mut self, word: &[u8], end: usize) {
        let is_bearer = word.eq_ignore_ascii_case(b"bearer");
        if !is_bearer && !word.eq_ignore_ascii_case(b"basic") {
            return;
        }
        let start = self.run_at_most(end, MAX_BLANKS, |byte| matches!(byte, b' ' | b'+'));
        let stop = self.run(start, |byte| is_word(byte) || matches!(byte, b'.' | b'~' | b'+' | b'/' | b'='));
        let value = self.slice(start, stop);
        let is_secret = if is_bearer { words::looks_random(value) } else { is_basic(value) };
        if start > end && is_secret {
            self.add(start, stop, Kind::Secret);
        }
    }

    fn private_key(&mut self, at: usize) {
        let line = self.slice(at, at + MAX_BACK);
        let Some(head) = memmem::find(line, b"PRIVATE KEY-----") else { return };
        if memchr(b'\n', line.get(..head).unwrap_or_default()).is_some() {
            return;
        }
        let start = at + head + b"PRIVATE KEY-----".len();
        let end = memmem::find(self.from(start), b"-----END").map_or(self.bytes.len(), |len| start + len);
        if self.slice(start, end).iter().any(u8::is_ascii_alphanumeric)
            && pseudonym_len(self.from(start)).is_none()
        {
            self.add(start, end, Kind::Key);
        }
        self.at = end;
    }

    fn equals(&mut self, at: usize, len: usize) {
        let before = if at == 0 { b' ' } else { self.byte(at - 1) };
        let after = self.byte(at + len);
        self.at = at + len;
        if matches!(before, b'=' | b'!' | b'<' | b'>') || (len == 1 && after == b'=') {
            return;
        }
        if after == b'>' {
            // An arrow of Ruby or PHP joins quoted values; that of a function joins code.
            let start = self.run(at + 2, |byte| byte == b' ');
            if is_quote(self.byte(self.run(start, |byte| byte == b'\\'))) {
                self.named(at, at + 2, Joint::Close);
            }
            return;
        }
        self.named(at, at + len, Joint::Close);
    }

    fn colon(&mut self, at: usize, len: usize) {
        let is_double = self.byte(at + len) == b':' || (at > 0 && self.byte(at - 1) == b':');
        self.at = at + len;
        if self.from(at).starts_with(b"://") {
            self.userinfo(at + 3);
        } else if self.byte(at + len) == b'=' {
            self.at = at + len + 1;
            self.named(at, at + len + 1, Joint::Close);
        } else if !is_double {
            self.named(at, at + len, Joint::Loose);
        }
    }

    /// `<password>secret</password>`
    fn element(&mut self, at: usize) {
        self.at = at + 1;
        let start = self.run_back(at, |byte| is_word(byte) || matches!(byte, b':' | b'.'));
        let is_opening = start > 0 && self.byte(start - 1) == b'<';
        if is_opening && words::classify(self.slice(start, at)).is_some() {
            let end = self.run(at + 1, |byte| !matches!(byte, b'<' | b'\n'));
            let value = self.slice(at + 1, end);
            // With its end only: a mask like `<secret>` in a template opens nothing.
            if self.from(end).starts_with(b"</") && !value.is_empty() {
                self.add(at + 1, end, Kind::Secret);
            }
        }
    }

    /// The value behind `after`, if what stands before `before` is the name of a secret.
    fn named(&mut self, before: usize, after: usize, joint: Joint) {
        let blanks = self.run_back(before, |byte| byte == b' ');
        let quotes = self.run_back(blanks, |byte| is_quote(byte) || matches!(byte, b'\\' | b']' | b'['));
        let start = self.run_back(quotes, |byte| is_word(byte) && byte < 0x80 || byte == b'.');
        let Some(name) = words::classify(self.slice(start, quotes)) else { return };
        let between = self.slice(quotes, blanks);
        let depth = memchr::memchr_iter(b'\\', between).count();
        let in_quotes = between.iter().any(|byte| is_quote(*byte));
        let in_query = start > 0 && matches!(self.byte(start - 1), b'?' | b'&');
        let joint = match joint {
            _ if in_quotes => Joint::Close,
            Joint::Close if in_query => Joint::Query,
            joint => joint,
        };
        let json = (in_quotes && self.byte(before) == b':').then_some(depth);
        self.value(after, name, joint, json);
    }

    /// The value that starts here or behind a few blanks. `json` is the number of backslashes before the
    /// quotes of its name, if that is a key of JSON.
    fn value(&mut self, at: usize, name: Name, joint: Joint, json: Option<usize>) {
        let blank = |byte| matches!(byte, b' ' | b'\t');
        let mut at = self.run_at_most(at, MAX_BLANKS, blank);
        let is_list = self.byte(at) == b'[' && (json.is_some() || is_quote(self.byte(at + 1)));
        if is_list {
            at = self.run(at + 1, |byte| byte.is_ascii_whitespace());
        }
        loop {
            let slashes = self.run_at_most(at, 16, |byte| byte == b'\\');
            if is_quote(self.byte(slashes)) {
                let end = self.quoted(at, slashes, name);
                let next = self.run(end, |byte| byte.is_ascii_whitespace() || byte == b',');
                if is_list && next > end && matches!(self.byte(next), b'"' | b'\\' | b'\'') {
                    at = next;
                    continue;
                }
                self.at = self.at.max(end);
            } else if name != Name::Plural && !is_list {
                self.bare(at, name, joint, json);
            }
            return;
        }
    }

    /// A value in quotes; where what follows them starts.
    fn quoted(&mut self, start: usize, quote: usize, name: Name) -> usize {
        let depth = quote - start;
        let content = quote + 1;
        let close = self.closing(content, self.byte(quote), depth);
        let end = close.saturating_sub(depth).max(content);
        let (from, value) = match name {
            Name::Authorization => self.behind_scheme(content, end),
            _ => (content, self.slice(content, end)),
        };
        if !value.is_empty() && !words::is_placeholder(value) && !is_pseudonym(value) {
            self.add(from, end, Kind::Secret);
        }
        close + usize::from(close < self.bytes.len() && is_quote(self.byte(close)))
    }

    /// The quote that closes what a quote with so many backslashes has opened; else the end of the line.
    fn closing(&self, from: usize, quote: u8, depth: usize) -> usize {
        let mut slashes = 0;
        for (offset, byte) in self.from(from).iter().enumerate() {
            match byte {
                b'\\' => slashes += 1,
                b'\n' => return from + offset,
                byte if *byte == quote && slashes <= depth => return from + offset,
                _ => slashes = 0,
            }
        }
        self.bytes.len()
    }

    /// The credentials of an `Authorization` header behind their scheme.
    fn behind_scheme(&self, start: usize, end: usize) -> (usize, &'v [u8]) {
        let value = self.slice(start, end);
        let from = match memchr(b' ', value) {
            Some(blank)
                if value.get(..blank).is_some_and(|word| word.iter().all(u8::is_ascii_alphabetic)) =>
            {
                start + blank + 1
            }
            _ => start,
        };
        (from, self.slice(from, end))
    }

    /// A value without quotes.
    fn bare(&mut self, at: usize, name: Name, joint: Joint, json: Option<usize>) {
        let (start, end) = match name {
            Name::Authorization => self.credentials(at),
            Name::Cookie => (at, self.run(at, |byte| !matches!(byte, b'\n' | b'\r' | b'"' | b'\''))),
            _ => (at, self.bare_end(at, name, joint, json)),
        };
        let value = self.slice(start, end);
        if value.is_empty() || words::is_placeholder(value) || is_pseudonym(value) {
            return;
        }
        let is_value = match (name, joint) {
            _ if value.len() >= MAX_AHEAD => true,
            (Name::Password | Name::Cookie, Joint::Loose) => !words::is_prose(value),
            (Name::Token, Joint::Loose) => words::looks_random(value),
            (Name::Authorization, _) => words::looks_random(value) || value.contains(&b'='),
            _ => !value.starts_with(b"/") || name == Name::Token,
        };
        if is_value && !(json.is_some() && matches!(value.first(), Some(b'{' | b'['))) {
            self.add_quoted(start, end, Kind::Secret, json);
        }
    }

    /// Where a bare value ends. A token ends where its own alphabet does, a password where a blank is.
    fn bare_end(&self, at: usize, name: Name, joint: Joint, json: Option<usize>) -> usize {
        if let Some(end) = self.token_at(at, self.run(at, is_word)) {
            return end;
        }
        let is_wide = name == Name::Password && json.is_none();
        let ends = |byte: u8| match byte {
            b'&' => !is_wide || joint == Joint::Query,
            b'\\' | b'<' => true,
            b',' | b';' | b')' | b']' | b'}' | b'>' | b'|' => !is_wide,
            byte => byte.is_ascii_whitespace() || is_quote(byte),
        };
        let end = self.run(at, |byte| !ends(byte));
        let closing = |byte: &&u8| matches!(byte, b',' | b';' | b')' | b']' | b'}' | b'>' | b'.');
        end - self.slice(at, end).iter().rev().take_while(closing).count()
    }

    /// The credentials of a header: one word behind a scheme that has one, else the rest of the line.
    fn credentials(&self, at: usize) -> (usize, usize) {
        let line = self.run_at_most(at, 2 * MAX_AHEAD, |byte| !matches!(byte, b'\n' | b'\r'));
        let (start, rest) = self.behind_scheme(at, line);
        let scheme = self.slice(at, start);
        let one_word =
            [&b"bearer "[..], b"basic ", b"token "].iter().any(|one| scheme.eq_ignore_ascii_case(one));
        let len = if one_word || scheme.is_empty() {
            rest.iter()
                .take_while(|byte| !matches!(byte, b' ' | b',' | b';' | b'"' | b'\'' | b'}' | b'\\'))
                .count()
        } else {
            rest.len()
        };
        (start, start + len)
    }

    /// The password of a URL, or a user that stands for one.
    fn userinfo(&mut self, start: usize) {
        self.at = start;
        let is_end =
            |byte: u8| byte.is_ascii_whitespace() || is_quote(byte) || matches!(byte, b'<' | b'>' | b'\\');
        let run = self.slice(start, self.run_at_most(start, MAX_AHEAD, |byte| !is_end(byte)));
        let authority = run.iter().take_while(|byte| !matches!(byte, b'/' | b'?' | b'#')).count();
        let colon = run.get(..authority).and_then(|authority| memchr(b':', authority));
        let at_sign = |part: &[u8]| part.iter().rposition(|byte| *byte == b'@');
        let mut host = run.get(..authority).and_then(at_sign);
        if host.is_none()
            && let Some(colon) = colon
            && run
                .get(colon + 1..authority)
                .is_some_and(|port| port.iter().any(|byte| !byte.is_ascii_digit()))
        {
            // A password with a slash in it.
            host = at_sign(run);
        }
        let Some(host) = host else { return };
        let user = run.get(..colon.filter(|colon| *colon < host).unwrap_or(host)).unwrap_or_default();
        if user.len() < host {
            self.tokens(start, start + user.iter().take_while(|byte| is_word(**byte)).count());
            if !is_pseudonym(self.from(start + user.len() + 1)) {
                self.add(start + user.len() + 1, start + host, Kind::Secret);
            }
        } else if user.len() >= 16 {
            self.add(start, start + host, Kind::Secret);
        }
        self.at = start + host + 1;
    }

    fn email(&mut self, at: usize, len: usize) {
        self.at = at + len;
        let start = self.run_back(at, |byte| is_word(byte) || matches!(byte, b'.' | b'%' | b'+'));
        // A run that goes on beyond what is looked at is no address; nor is the letter of an escape part of one.
        let is_escape = start > 0 && self.byte(start - 1) == b'\\' && self.byte(start).is_ascii_alphabetic();
        let start = start + usize::from(is_escape);
        let local = self.slice(start, at);
        let end = self.run(at + len, |byte| is_word(byte) && byte != b'_' || byte == b'.');
        let domain = self.slice(at + len, end);
        let trailing = domain.iter().rev().take_while(|byte| matches!(byte, b'.' | b'-')).count();
        let domain = domain.get(..domain.len() - trailing).unwrap_or_default();
        if !local.is_empty() && local != b"git" && is_domain(domain) {
            self.add(start, at + len + domain.len(), Kind::Email);
        }
    }
}

/// Whether the name is that of a host that takes mail, rather than a version or the size of an icon.
fn is_domain(domain: &[u8]) -> bool {
    let mut labels = domain.split(|byte| *byte == b'.');
    let (Some(first), Some(last)) = (labels.next(), labels.next_back()) else { return false };
    let is_icon =
        first.len() <= 2 && first.last() == Some(&b'x') && first.first().is_some_and(u8::is_ascii_digit);
    let is_version = first.iter().all(u8::is_ascii_digit);
    !first.is_empty()
        && !is_icon
        && !is_version
        && last.len() >= 2
        && last.iter().all(|byte| byte.is_ascii_alphabetic() || *byte >= 0x80)
        && labels.all(|label| !label.is_empty())
}

/// Whether the value has been masked already, or is a template's word for one.
fn is_pseudonym(value: &[u8]) -> bool {
    if pseudonym_len(value).is_some() {
        return true;
    }
    let inner = value.strip_prefix(b"<").and_then(|rest| rest.split(|byte| *byte == b'>').next());
    inner.is_some_and(|word| !word.is_empty() && word.iter().all(u8::is_ascii_lowercase))
}

/// Whether the text is a name and a password in base64.
fn is_basic(text: &[u8]) -> bool {
    let digit = |byte: u8| match byte {
        b'A'..=b'Z' => Some(byte - b'A'),
        b'a'..=b'z' => Some(byte - b'a' + 26),
        b'0'..=b'9' => Some(byte - b'0' + 52),
        b'+' | b'-' => Some(62),
        b'/' | b'_' => Some(63),
        _ => None,
    };
    let mut bits = 0_u32;
    let mut n = 0;
    let mut has_colon = false;
    for value in text.iter().copied().filter(|byte| *byte != b'=').map(digit) {
        let Some(value) = value else { return false };
        bits = (bits << 6 | u32::from(value)) & 0xFFFF;
        n += 6;
        if n >= 8 {
            n -= 8;
            let byte = (bits >> n & 0xFF) as u8;
            if byte < b' ' || byte == 0x7F {
                return false;
            }
            has_colon |= byte == b':';
        }
    }
    has_colon && text.len() >= 6
}
