//! Masking of one line, in one pass over its bytes.
//!
//! The line is cut into blobs (stretches without blanks, quotes, brackets, commas, `;`, `|`,
//! `=`). A blob of letters is copied, every other one is looked at once more. Whatever looks
//! ahead either consumes what it saw or remembers it, so time is linear.

use memchr::{memchr, memmem};

/// Class bits of a byte; those of a blob are their union.
const LOWER: u8 = 1;
const UPPER: u8 = 2;
const DIGIT: u8 = 4;
const SLASH: u8 = 8;
const AT: u8 = 16;
const COLON: u8 = 32;
/// Any other byte that may stand inside a blob.
const JOIN: u8 = 64;
/// A byte that ends a blob.
const END: u8 = 128;

const CLASSES: [u8; 256] = classes();

const fn classes() -> [u8; 256] {
    let mut table = [JOIN; 256];
    let mut byte = 0_u8;
    loop {
        table[byte as usize] = match byte {
            // The lead byte of most punctuation outside ASCII, typographic quotes among it.
            0..=b' '
            | 0x7F
            | 0xE2
            | b'"'
            | b'\''
            | b'`'
            | b'('
            | b')'
            | b'['
            | b']'
            | b'{'
            | b'}'
            | b'<'
            | b'>'
            | b','
            | b';'
            | b'|'
            | b'=' => END,
            b'a'..=b'z' | 0x80..=0xFF => LOWER,
            b'A'..=b'Z' => UPPER,
            b'0'..=b'9' => DIGIT,
            b'/' | b'\\' => SLASH,
            b'@' => AT,
            b':' => COLON,
            _ => JOIN,
        };
        if byte == u8::MAX {
            break;
        }
        byte += 1;
    }
    table
}

fn class(byte: u8) -> u8 {
    CLASSES.get(usize::from(byte)).copied().unwrap_or(END)
}

/// Units that make a number a duration.
const TIME_UNITS: [&[u8]; 18] = [
    b"ms",
    b"s",
    b"m",
    b"h",
    b"d",
    b"us",
    b"ns",
    b"sec",
    b"secs",
    b"second",
    b"seconds",
    b"min",
    b"mins",
    b"minute",
    b"minutes",
    b"hours",
    "μs".as_bytes(),
    "µs".as_bytes(),
];

/// Units that make a number a size.
const SIZE_UNITS: [&[u8]; 11] =
    [b"B", b"kB", b"KB", b"MB", b"GB", b"TB", b"KiB", b"MiB", b"GiB", b"bytes", b"byte"];

/// First words of the HTTP reason phrases that follow a status.
const REASONS: [&[u8]; 13] = [
    b"OK",
    b"Forbidden",
    b"Not ",
    b"Bad ",
    b"Internal ",
    b"Too ",
    b"Unauthorized",
    b"Service ",
    b"Gateway ",
    b"Request ",
    b"Proxy ",
    b"Payment ",
    b"Conflict",
];

/// Appends the masked `text` to `out`, until that holds more than `room` characters.
pub(super) fn mask(text: &str, room: usize, out: &mut String) {
    // Four bytes per character at most: past this, the cut at `room` characters is certain.
    let full = out.len() + room * 4;
    let mut scan = Scan {
        text,
        bytes: text.as_bytes(),
        at: 0,
        copied: 0,
        code_next: false,
        closers: Closers::default(),
        out,
    };
    while scan.at < scan.bytes.len() && scan.out.len() + scan.at.saturating_sub(scan.copied) < full {
        scan.step();
    }
    scan.flush(scan.at);
}

struct Scan<'a, 'o> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
    /// What stands before has been copied or replaced.
    copied: usize,
    /// Whether the last word announces a code (`status`, `exit code`).
    code_next: bool,
    closers: Closers,
    out: &'o mut String,
}

/// Where the next closing quote stands, per kind: looked for once and kept until passed.
#[derive(Default)]
struct Closers {
    double: Option<usize>,
    single: Option<usize>,
    back: Option<usize>,
    curly_double: Option<usize>,
    curly_single: Option<usize>,
}

/// A quotation that is not closed.
const NEVER: usize = usize::MAX;

impl Scan<'_, '_> {
    fn byte(&self, at: usize) -> u8 {
        self.bytes.get(at).copied().unwrap_or(0)
    }

    /// Copies what stands between the last replacement and `end`.
    fn flush(&mut self, end: usize) {
        self.out.push_str(self.text.get(self.copied..end).unwrap_or_default());
        self.copied = self.copied.max(end);
    }

    /// Puts `mask` in the place of `start..end` and goes on behind it.
    fn replace(&mut self, start: usize, end: usize, mask: &str) {
        self.flush(start);
        self.out.push_str(mask);
        self.copied = end;
        self.at = end;
    }

    fn step(&mut self) {
        let start = self.at;
        let mut flags = 0;
        let ends = |byte: &u8| {
            let class = class(*byte);
            flags |= class;
            class == END
        };
        let rest = self.bytes.get(start..).unwrap_or_default();
        let end = start + rest.iter().position(ends).unwrap_or(rest.len());
        if end > start {
            self.blob(start, end, flags);
        } else {
            self.delimiter();
        }
    }

    fn delimiter(&mut self) {
        let at = self.at;
        match self.byte(at) {
            0..=b' ' => self.blank(),
            b'"' => self.quote(at, 1, |closers| &mut closers.double, close_plain::<b'"'>),
            b'`' => self.quote(at, 1, |closers| &mut closers.back, close_plain::<b'`'>),
            b'\'' => self.quote(at, 1, |closers| &mut closers.single, close_single),
            b'{' | b'[' => self.bracket(),
            b'<' => self.less_than(),
            0xE2 => self.punctuation(),
            _ => self.at += 1,
        }
    }

    fn blank(&mut self) {
        let end = self
            .bytes
            .iter()
            .skip(self.at)
            .position(|&byte| byte > b' ')
            .map_or(self.bytes.len(), |n| self.at + n);
        if end == self.at + 1 && self.byte(self.at) == b' ' {
            self.at = end;
        } else {
            self.replace(self.at, end, " ");
        }
    }

    /// Punctuation outside ASCII: opening typographic quotes, else copied.
    fn punctuation(&mut self) {
        match (self.byte(self.at + 1), self.byte(self.at + 2)) {
            (0x80, 0x9C) => self.quote(self.at, 3, |closers| &mut closers.curly_double, close_curly::<0x9D>),
            (0x80, 0x98) => self.quote(self.at, 3, |closers| &mut closers.curly_single, close_curly::<0x99>),
            _ => self.at += 3,
        }
    }

    /// A quotation on this line becomes `<q>`; a quote mark inside a word or without its end stays.
    fn quote(
        &mut self,
        start: usize,
        len: usize,
        slot: fn(&mut Closers) -> &mut Option<usize>,
        find: fn(&[u8], usize) -> Option<usize>,
    ) {
        self.at = start + len;
        if start > 0 && self.byte(start - 1).is_ascii_alphanumeric() {
            return;
        }
        let known = slot(&mut self.closers);
        let end = match *known {
            Some(end) if end > start + len => end,
            _ => {
                let end = find(self.bytes, start + len).unwrap_or(NEVER);
                *known = Some(end);
                end
            }
        };
        if end != NEVER {
            self.code_next = false;
            self.replace(start, end, "<q>");
        }
    }

    /// `<!doctype …` and `<html …`: the rest of the line is a page.
    fn less_than(&mut self) {
        let rest = self.bytes.get(self.at + 1..).unwrap_or_default();
        let page = |head: &[u8]| rest.get(..head.len()).is_some_and(|found| found.eq_ignore_ascii_case(head));
        if page(b"!doctype") || page(b"html") {
            self.replace(self.at, self.bytes.len(), "<html>");
        } else {
            self.at += 1;
        }
    }

    fn bracket(&mut self) {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let len = match rest {
            [b'[', tail @ ..] if is_number_list(tail) => memchr(b']', rest).map_or(rest.len(), |end| end + 1),
            _ if opens_payload(rest) => payload_len(rest),
            _ => {
                self.at += 1;
                return;
            }
        };
        self.replace(self.at, self.at + len, "<json>");
    }

    fn blob(&mut self, start: usize, end: usize, flags: u8) {
        self.at = end;
        if flags & (DIGIT | SLASH | AT) == 0 && end - start < 15 {
            self.note_word(start, end);
            return;
        }
        let trimmed = start + trimmed_len(self.bytes.get(start..end).unwrap_or_default());
        let blob = self.bytes.get(start..trimmed).unwrap_or_default();
        if flags & SLASH != 0 {
            if flags & COLON != 0
                && let Some(colon) = memmem::find(blob, b"://")
                && colon > 0
            {
                self.url(start, start + colon);
                return;
            }
            if is_path(blob) {
                self.code_next = false;
                let end = path_end(self.bytes, start, end);
                self.replace(start, end, "<path>");
                return;
            }
        }
        if flags & AT != 0 && is_email(blob) {
            self.replace(start, trimmed, "<email>");
            return;
        }
        if flags & DIGIT != 0 {
            if let Some(len) = time_len(self.bytes.get(start..).unwrap_or_default(), blob.len()) {
                self.code_next = false;
                self.replace(start, start + len, "<time>");
                return;
            }
            if is_nanoid(blob) {
                self.replace(start, trimmed, "<id>");
                return;
            }
        }
        self.runs(start, trimmed);
        self.at = end;
        if self.copied == end && self.byte(end) == b' ' && self.out.ends_with("<n>") {
            self.size_unit(end);
        }
    }

    /// `<n> MB` becomes `<size>`: the same figure may come in another unit.
    fn size_unit(&mut self, blank: usize) {
        let end = run_end(self.bytes, blank + 1, self.bytes.len().min(blank + 8));
        let unit = self.bytes.get(blank + 1..end).unwrap_or_default();
        if SIZE_UNITS.contains(&unit) {
            self.out.truncate(self.out.len() - "<n>".len());
            self.out.push_str("<size>");
            self.copied = end;
            self.at = end;
        }
    }

    /// Remembers whether a word announces a code.
    fn note_word(&mut self, start: usize, end: usize) {
        let word = self.bytes.get(start..end).unwrap_or_default();
        let word = word.strip_suffix(b":").unwrap_or(word);
        self.code_next = match word.last() {
            Some(b'e') => word.ends_with(b"code") || word.ends_with(b"Code"),
            Some(b's') => word.ends_with(b"status") || word.ends_with(b"Status"),
            Some(b'P') => word == b"HTTP",
            Some(b'o') => word == b"errno",
            _ => false,
        };
    }

    /// `scheme "://" [user "@"] host [":" port] [rest]` becomes `scheme "://" host "<path>"`.
    fn url(&mut self, start: usize, colon: usize) {
        let end = url_end(self.bytes, colon + 3);
        let scheme = self.bytes.get(start..colon).unwrap_or_default();
        if scheme == b"file" || !scheme.iter().all(u8::is_ascii_alphabetic) {
            self.code_next = false;
            self.replace(start, end, "<path>");
            return;
        }
        let rest = self.bytes.get(colon + 3..end).unwrap_or_default();
        let host_len = rest.iter().position(|byte| matches!(byte, b'/' | b'?' | b'#')).unwrap_or(rest.len());
        let authority = rest.get(..host_len).unwrap_or_default();
        let user_len = memchr::memrchr(b'@', authority).map_or(0, |at| at + 1);
        let host = authority.get(user_len..).unwrap_or_default();
        let host_end = user_len + memchr(b':', host).unwrap_or(host.len());
        self.flush(colon + 3);
        self.copied = colon + 3 + user_len;
        self.runs(self.copied, colon + 3 + host_end);
        self.flush(colon + 3 + host_end);
        self.out.push_str("<path>");
        self.copied = end;
        self.at = end;
        self.code_next = false;
    }

    /// Masks a stretch run by run; runs are letters and digits, what joins them stays.
    fn runs(&mut self, start: usize, end: usize) {
        let mut at = start;
        let mut letters = false;
        let mut code = self.code_next;
        while at < end {
            let byte = self.byte(at);
            if class(byte) & (LOWER | UPPER | DIGIT) == 0 {
                at += 1;
                continue;
            }
            let run_end = run_end(self.bytes, at, end);
            if let Some(len) = uuid_len(self.bytes.get(at..end).unwrap_or_default(), run_end - at) {
                self.replace(at, at + len, "<uuid>");
                at += len;
                continue;
            }
            let shape = Shape::of(self.bytes.get(at..run_end).unwrap_or_default());
            letters |= shape.digits < shape.len;
            at = self.run(at, run_end, end, &shape, code);
            code = false;
        }
        // `code: 127` announces once; a word in between takes it back.
        self.code_next = letters && is_code_word(self.bytes.get(start..end).unwrap_or_default());
        self.at = end;
    }

    /// Masks one run and returns where to go on.
    fn run(&mut self, start: usize, end: usize, limit: usize, shape: &Shape, code: bool) -> usize {
        let run = self.bytes.get(start..end).unwrap_or_default();
        if shape.digits == 0 {
            if shape.len > 60 || shape.is_letter_id() {
                self.replace(start, end, "<id>");
            }
        } else if shape.digits == shape.len {
            return self.number(start, end, limit, code);
        } else if shape.is_hex() || is_prefixed_hex(run) {
            self.replace(start, end, "<hex>");
        } else if shape.is_id() {
            self.replace(start, end, "<id>");
        } else if is_size(run) {
            self.replace_number(start, end, "<size>");
        } else if let Some(units) = duration_len(run) {
            if units == run.len() {
                self.replace_number(start, end, "<dur>");
            } else {
                self.digit_groups(start, end);
            }
        } else if !shape.is_code(run) {
            self.digit_groups(start, end);
            if run.last().is_some_and(u8::is_ascii_digit) {
                let end = fraction_end(self.bytes, end, limit);
                self.copied = self.copied.max(end);
                return end;
            }
        }
        end
    }

    /// `digits ("." digits)*` and a unit of time; a code of up to five digits stays.
    fn number(&mut self, start: usize, end: usize, limit: usize, code: bool) -> usize {
        if (code && end - start <= 5) || self.is_status(start, end) {
            return end;
        }
        let end = fraction_end(self.bytes, end, limit);
        let unit_end = run_end(self.bytes, end, limit);
        let unit = self.bytes.get(end..unit_end).unwrap_or_default();
        if TIME_UNITS.contains(&unit) {
            self.replace_number(start, unit_end, "<dur>");
            return unit_end;
        }
        if SIZE_UNITS.contains(&unit) {
            self.replace_number(start, unit_end, "<size>");
            return unit_end;
        }
        self.replace_number(start, end, "<n>");
        end
    }

    /// A mask for a number takes its sign along, and `<n>,<n>` (thousands, places) is one number.
    fn replace_number(&mut self, start: usize, end: usize, mask: &str) {
        let signed = start > 0
            && self.byte(start - 1) == b'-'
            && start > self.copied
            && (start == 1 || class(self.byte(start - 2)) == END);
        let start = if signed { start - 1 } else { start };
        if mask == "<n>"
            && start == self.copied + 1
            && self.byte(self.copied) == b','
            && self.out.ends_with("<n>")
        {
            self.copied = end;
            self.at = end;
            return;
        }
        self.replace(start, end, mask);
    }

    /// Whether three digits are an HTTP status by what follows: `403 status code`, `404 Not Found`.
    fn is_status(&self, start: usize, end: usize) -> bool {
        if end - start != 3 || !(b'1'..=b'5').contains(&self.byte(start)) {
            return false;
        }
        let rest = self.bytes.get(end..).unwrap_or_default();
        let rest = rest.strip_prefix(b":").unwrap_or(rest);
        let Some(rest) = rest.strip_prefix(b" ") else { return false };
        rest.starts_with(b"status") || REASONS.iter().any(|reason| rest.starts_with(reason))
    }

    /// Every group of digits becomes `<n>`, the letters between them stay.
    fn digit_groups(&mut self, start: usize, end: usize) {
        let mut at = start;
        while at < end {
            let digits =
                self.bytes.iter().skip(at).take(end - at).take_while(|byte| byte.is_ascii_digit()).count();
            if digits > 0 {
                self.replace_number(at, at + digits, "<n>");
            }
            at += digits.max(1);
        }
    }
}

/// The next `Q` that is not escaped, and one further.
fn close_plain<const Q: u8>(bytes: &[u8], from: usize) -> Option<usize> {
    let mut from = from;
    loop {
        let at = from + memchr(Q, bytes.get(from..)?)?;
        if bytes.get(at.wrapping_sub(1)) != Some(&b'\\') {
            return Some(at + 1);
        }
        from = at + 1;
    }
}

/// The next `'` that no letter or digit follows: the others are apostrophes.
fn close_single(bytes: &[u8], from: usize) -> Option<usize> {
    let mut from = from;
    loop {
        let at = from + memchr(b'\'', bytes.get(from..)?)?;
        if !bytes.get(at + 1).is_some_and(u8::is_ascii_alphanumeric) {
            return Some(at + 1);
        }
        from = at + 1;
    }
}

fn close_curly<const LAST: u8>(bytes: &[u8], from: usize) -> Option<usize> {
    memmem::find(bytes.get(from..)?, &[0xE2, 0x80, LAST]).map(|at| from + at + 3)
}

/// `[1,2,30]`: digits, signs and blanks with a comma, up to the bracket.
fn is_number_list(tail: &[u8]) -> bool {
    let end = tail
        .iter()
        .position(|byte| !matches!(byte, b'0'..=b'9' | b',' | b'.' | b'-' | b' '))
        .unwrap_or(tail.len());
    tail.get(end) == Some(&b']') && tail.get(..end).is_some_and(|list| list.contains(&b','))
}

/// `{"`, `{'`, `{}`, `{` at the end, `{name:`, `["`, `[{`; blanks may stand between.
fn opens_payload(rest: &[u8]) -> bool {
    let Some((&open, tail)) = rest.split_first() else { return false };
    let blanks = tail.iter().take(64).take_while(|byte| byte.is_ascii_whitespace()).count();
    let tail = tail.get(blanks..).unwrap_or_default();
    match (open, tail.first()) {
        (b'{', None | Some(b'"' | b'\'' | b'}')) | (b'[', Some(b'"' | b'{')) => true,
        (b'{', Some(_)) => {
            let name = tail
                .iter()
                .take(64)
                .take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_')
                .count();
            name > 0 && tail.get(name) == Some(&b':')
        }
        _ => false,
    }
}

/// Up to the bracket that closes the first one, or to the end; strings may hold brackets.
fn payload_len(rest: &[u8]) -> usize {
    let mut depth = 0_usize;
    let mut quote = 0;
    let mut escaped = false;
    for (at, &byte) in rest.iter().enumerate() {
        if escaped {
            escaped = false;
        } else if quote != 0 {
            escaped = byte == b'\\';
            if byte == quote {
                quote = 0;
            }
        } else {
            match byte {
                b'"' | b'\'' => quote = byte,
                b'{' | b'[' => depth += 1,
                b'}' | b']' => depth = depth.saturating_sub(1),
                _ => {}
            }
            if depth == 0 {
                return at + 1;
            }
        }
    }
    rest.len()
}

/// Length without the punctuation of the sentence behind it.
fn trimmed_len(blob: &[u8]) -> usize {
    blob.iter().rposition(|byte| !matches!(byte, b'.' | b':' | b'!' | b'?' | b'*')).map_or(0, |at| at + 1)
}

/// Up to a blank, a quote mark or a bracket that was not opened inside; without final punctuation.
fn url_end(bytes: &[u8], from: usize) -> usize {
    let mut depth = 0_usize;
    let mut end = from;
    for &byte in bytes.iter().skip(from) {
        match byte {
            0..=b' ' | b'"' | b'`' | b'<' | b'>' | b'\'' | b'{' | b'}' => break,
            b'(' | b'[' => depth += 1,
            b')' | b']' if depth == 0 => break,
            b')' | b']' => depth -= 1,
            _ => {}
        }
        end += 1;
    }
    let url = bytes.get(from..end).unwrap_or_default();
    from + url
        .iter()
        .rposition(|byte| !matches!(byte, b'.' | b',' | b';' | b':' | b'!' | b'?'))
        .map_or(0, |at| at + 1)
}

/// Absolute, relative to a dotted folder, on a drive, of three parts, or of two with a suffix.
fn is_path(blob: &[u8]) -> bool {
    match blob {
        [b'/' | b'~', b'/' | b'a'..=b'z' | b'A'..=b'Z' | b'_' | b'.' | b'0'..=b'9' | b'@', ..]
        | [b'.', b'/' | b'\\', ..]
        | [b'.', b'.', b'/' | b'\\', ..]
        | [b'a'..=b'z' | b'A'..=b'Z', b':', b'\\' | b'/', ..] => true,
        [b'@', ..] => false,
        _ => has_folders(blob),
    }
}

fn has_folders(blob: &[u8]) -> bool {
    let is_slash = |byte: &&u8| matches!(byte, b'/' | b'\\');
    let slashes = blob.iter().filter(is_slash).count();
    let letters = blob.iter().any(u8::is_ascii_alphabetic);
    let last = blob.iter().rposition(|byte| matches!(byte, b'/' | b'\\'));
    let name = last.and_then(|at| blob.get(at + 1..)).unwrap_or_default();
    let opens_dynamic_part = name.is_empty() && slashes > 0;
    letters && (slashes > 1 || has_suffix(name) || opens_dynamic_part)
}

/// `main.js`, `main.js:12:3`: a dot and a suffix that starts with a letter.
fn has_suffix(name: &[u8]) -> bool {
    let name = name.split(|&byte| byte == b':').next().unwrap_or_default();
    memchr::memrchr(b'.', name)
        .and_then(|dot| name.get(dot + 1..))
        .is_some_and(|suffix| suffix.len() <= 5 && suffix.first().is_some_and(u8::is_ascii_alphabetic))
}

/// On over brackets that belong to the path (`[[slug]]`, `/(shop)/`), without final punctuation.
fn path_end(bytes: &[u8], start: usize, from: usize) -> usize {
    let mut depth = 0_usize;
    let mut end = from;
    while let Some(&byte) = bytes.get(end) {
        match byte {
            b'(' if bytes.get(end.wrapping_sub(1)) == Some(&b'/') => depth += 1,
            b')' if depth > 0 => depth -= 1,
            b'[' | b']' | b'=' if depth > 0 || opens_part(bytes, end, start) => {}
            _ if class(byte) != END => {}
            _ => break,
        }
        end += 1;
    }
    start + trimmed_len(bytes.get(start..end).unwrap_or_default()).max(1)
}

/// A bracket inside a path stands behind a slash, another bracket or a name that opened one.
fn opens_part(bytes: &[u8], at: usize, start: usize) -> bool {
    match bytes.get(at) {
        Some(b'[') => matches!(bytes.get(at.wrapping_sub(1)), Some(b'/' | b'[')),
        // Only a few bytes back: a dynamic part is a short name.
        Some(b']') => {
            bytes.get(start.max(at.saturating_sub(64))..at).is_some_and(|part| part.contains(&b'['))
        }
        _ => false,
    }
}

/// `local "@" label ("." label)+`, the last one of letters.
fn is_email(blob: &[u8]) -> bool {
    let Some(at) = memchr(b'@', blob) else { return false };
    let (local, domain) = (blob.get(..at).unwrap_or_default(), blob.get(at + 1..).unwrap_or_default());
    let Some(dot) = memchr::memrchr(b'.', domain) else { return false };
    let top = domain.get(dot + 1..).unwrap_or_default();
    !local.is_empty()
        && dot > 0
        && top.len() >= 2
        && top.iter().all(u8::is_ascii_alphabetic)
        && domain.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-'))
}

/// Length of a date, a date with a time (in the blob or behind one blank), or a clock with seconds.
fn time_len(rest: &[u8], blob_len: usize) -> Option<usize> {
    if matches_digits(rest, b"dddd-dd-dd") {
        let behind = rest.get(10..).unwrap_or_default();
        return match behind.first() {
            Some(b'T' | b'_') => Some(blob_len),
            Some(b' ') if matches_digits(behind, b" dd:dd") => {
                Some(11 + clock_len(behind.get(1..).unwrap_or_default()))
            }
            Some(byte) if byte.is_ascii_alphanumeric() || *byte == b'-' => None,
            _ => Some(10),
        };
    }
    let clock = clock_len(rest);
    (clock >= 7 && clock >= blob_len).then_some(clock)
}

/// `d{1,2} ":" dd [":" dd ["." d+]] ["Z"]`.
fn clock_len(rest: &[u8]) -> usize {
    let len = match () {
        () if matches_digits(rest, b"dd:dd:dd") => 8,
        () if matches_digits(rest, b"d:dd:dd") => 7,
        () if matches_digits(rest, b"dd:dd") => 5,
        () => return 0,
    };
    let fraction = rest.get(len..).unwrap_or_default();
    let digits = match fraction {
        [b'.', digits @ ..] => digits.iter().take(9).take_while(|byte| byte.is_ascii_digit()).count(),
        _ => 0,
    };
    let len = if digits > 0 { len + 1 + digits } else { len };
    if rest.get(len) == Some(&b'Z') { len + 1 } else { len }
}

/// Whether `bytes` starts like `pattern`, in which `d` is any digit.
fn matches_digits(bytes: &[u8], pattern: &[u8]) -> bool {
    bytes.len() >= pattern.len()
        && bytes
            .iter()
            .zip(pattern)
            .all(|(byte, &want)| if want == b'd' { byte.is_ascii_digit() } else { *byte == want })
}

/// Twenty-one letters, digits, `_` and `-` of every kind, with a digit inside a word.
fn is_nanoid(blob: &[u8]) -> bool {
    blob.len() == 21
        && blob.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
        && blob.iter().any(u8::is_ascii_uppercase)
        && blob.iter().any(u8::is_ascii_lowercase)
        && blob.windows(2).any(|pair| matches!(pair, [a, b] if a.is_ascii_alphabetic() && b.is_ascii_digit()))
}

fn is_code_word(blob: &[u8]) -> bool {
    blob.ends_with(b"code")
        || blob.ends_with(b"Code")
        || blob.ends_with(b"status")
        || blob.ends_with(b"Status")
}

fn run_end(bytes: &[u8], from: usize, limit: usize) -> usize {
    let run = bytes.get(from..limit).unwrap_or_default();
    from + run.iter().position(|&byte| class(byte) & (LOWER | UPPER | DIGIT) == 0).unwrap_or(run.len())
}

/// Behind `("." digits)*`, where nothing but digits stands between the dots.
fn fraction_end(bytes: &[u8], from: usize, limit: usize) -> usize {
    let mut end = from;
    while end < limit && bytes.get(end) == Some(&b'.') {
        let digits = bytes.get(end + 1..limit).unwrap_or_default();
        let len = digits.iter().take_while(|byte| byte.is_ascii_digit()).count();
        if len == 0 {
            break;
        }
        end += 1 + len;
    }
    end
}

/// Whether a run is digits and a unit of memory.
fn is_size(run: &[u8]) -> bool {
    let digits = run.iter().take_while(|byte| byte.is_ascii_digit()).count();
    digits > 0 && run.get(digits..).is_some_and(|unit| SIZE_UNITS.contains(&unit))
}

/// `8-4-4-4-12` hex digits.
fn uuid_len(rest: &[u8], first: usize) -> Option<usize> {
    if first != 8 {
        return None;
    }
    let uuid = rest.get(..36)?;
    let dashes = [8, 13, 18, 23];
    let is_uuid = uuid
        .iter()
        .enumerate()
        .all(|(at, byte)| if dashes.contains(&at) { *byte == b'-' } else { byte.is_ascii_hexdigit() });
    (is_uuid && !rest.get(36).is_some_and(u8::is_ascii_alphanumeric)).then_some(36)
}

fn is_prefixed_hex(run: &[u8]) -> bool {
    matches!(run, [b'0', b'x' | b'X', digits @ ..] if !digits.is_empty() && digits.iter().all(u8::is_ascii_hexdigit))
}

/// Length of `(digits unit)+` at the start; `None` if it does not start with a number and a unit.
fn duration_len(run: &[u8]) -> Option<usize> {
    let mut len = 0;
    loop {
        let rest = run.get(len..).unwrap_or_default();
        let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let tail = rest.get(digits..).unwrap_or_default();
        let letters = tail.iter().take_while(|byte| !byte.is_ascii_digit()).count();
        if digits == 0 || !tail.get(..letters).is_some_and(|unit| TIME_UNITS.contains(&unit)) {
            return (len > 0).then_some(len);
        }
        len += digits + letters;
    }
}

/// What a run of letters and digits consists of.
struct Shape {
    len: usize,
    digits: usize,
    digit_groups: usize,
    upper: usize,
    lower: usize,
    no_hex: usize,
    /// A lower-case letter alone between two capitals: ids have it, CamelCase has not.
    lone_lower: usize,
    /// Two or more capitals in a row.
    upper_groups: usize,
}

impl Shape {
    fn of(run: &[u8]) -> Self {
        let mut shape = Self {
            len: run.len(),
            digits: 0,
            digit_groups: 0,
            upper: 0,
            lower: 0,
            no_hex: 0,
            lone_lower: 0,
            upper_groups: 0,
        };
        let mut before = [0_u8; 2];
        for &byte in run {
            let class = class(byte);
            let [second, first] = before;
            shape.no_hex += usize::from(!byte.is_ascii_hexdigit());
            if class == DIGIT {
                shape.digits += 1;
                shape.digit_groups += usize::from(first != DIGIT);
            } else if class == UPPER {
                shape.upper += 1;
                shape.lone_lower += usize::from(first == LOWER && second == UPPER);
                shape.upper_groups += usize::from(first == UPPER && second != UPPER);
            } else {
                shape.lower += 1;
            }
            before = [first, class];
        }
        shape
    }

    const fn is_hex(&self) -> bool {
        self.no_hex == 0 && self.len >= 7 && self.digits > 0 && self.digits < self.len
    }

    /// Letters and digits: mixed case from 15 on, shorter ones and single case if digits are strewn in.
    const fn is_id(&self) -> bool {
        let mixed = self.upper > 0 && self.lower > 0;
        (mixed && self.len >= 15)
            || (self.digit_groups >= 2 && ((mixed && self.len >= 10) || self.len >= 11))
            || (self.len >= 24 && self.digits >= 2)
            || self.len > 60
    }

    /// Letters only: Apify ids of 15 and 17 have lone small letters or several pairs of capitals.
    const fn is_letter_id(&self) -> bool {
        matches!(self.len, 15 | 17 | 21)
            && self.upper > 2
            && self.lower > 2
            && (self.lone_lower > 0 || self.upper_groups > 1)
    }

    /// `TS2322`, `UPSTREAM502`: capitals and three to five digits.
    fn is_code(&self, run: &[u8]) -> bool {
        let tail = run.iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
        self.digit_groups == 1
            && tail == self.digits
            && matches!(tail, 3..=5)
            && (1..=8).contains(&self.upper)
            && self.lower == 0
    }
}
