//! Where a file of one answer per line may be cut, and an array of answers divided.
//!
//! A further page of a build, a page that was fetched twice and a build shown again all depend on what stands
//! above them. A page that opens a build does not, if the page above that opened one shows another instant:
//! with its first line the reader lets go of all that came before. It must be sound from one end to the other: of
//! a damaged page no more than its first line may be left, or not even that.

use memchr::{memchr, memmem};

use super::element::{self, Stamp};
use super::scan::Cursor;
use crate::format::{Depth, Seam};
use crate::json::{GLANCE_BYTES, Guess, Guesses, Reader, glance, is_lines};
use crate::time::Micros;

/// What the first line of a build begins with.
const OPENING: &[u8] = b"Initializing build environment";

/// The first place at or after `from` where the file may be cut. `bytes` may begin and end anywhere.
pub(super) fn first(bytes: &[u8], from: usize) -> Option<usize> {
    let before = from.checked_sub(1)?;
    let newline = memchr(b'\n', bytes.get(before..)?)?;
    candidates(bytes, from + newline).find(|cut| cut.is_sound(bytes)).map(|cut| cut.at)
}

/// The last place where a window that begins with a line may be cut. Only of the last candidates all bytes are looked
/// at: looking at those of all pages takes as long as reading them.
pub(super) fn last(bytes: &[u8]) -> Option<usize> {
    let candidates: Vec<Candidate> = candidates(bytes, 0).collect();
    candidates.iter().rev().find(|cut| cut.is_sound(bytes)).map(|cut| cut.at)
}

/// Whether the first line is a page that opens a build.
pub(super) fn begins_with_build(bytes: &[u8]) -> bool {
    opening(line_at(bytes, 0)).is_some()
}

/// A page that opens a build below another one, before which may be cut if both are sound.
#[derive(Debug, Clone, Copy)]
struct Candidate {
    above: usize,
    at: usize,
}

impl Candidate {
    fn is_sound(self, bytes: &[u8]) -> bool {
        is_sound(line_at(bytes, self.at)) && is_sound(line_at(bytes, self.above))
    }
}

/// The candidates behind the line that starts at `from`.
fn candidates(bytes: &[u8], from: usize) -> impl Iterator<Item = Candidate> {
    let line = |at: usize| (at <= bytes.len()).then(|| (at, line_at(bytes, at)));
    let lines = std::iter::successors(line(from), move |(at, text)| line(at + text.len() + 1));
    below_others(bytes, lines.filter_map(|(at, text)| Some((at, opening(text)?))))
}

/// Of pages that open builds, those below another one which shows another instant, with no other opening between.
fn below_others(
    bytes: &[u8],
    openings: impl Iterator<Item = (usize, Micros)>,
) -> impl Iterator<Item = Candidate> {
    let words = memmem::Finder::new(OPENING);
    let mut above: Option<(usize, Micros)> = None;
    openings.filter_map(move |(at, ts)| {
        let (above, above_ts) = above.replace((at, ts))?;
        let between = bytes.get(above..at).unwrap_or_default();
        let is_cut = above_ts != ts && words.find_iter(between).count() == 1;
        is_cut.then_some(Candidate { above, at })
    })
}

/// Places before pages of the array that `document` is, about every `bytes`.
pub(super) fn seams(document: &[u8], bytes: usize) -> Vec<Seam> {
    let mut cursor = Cursor::new(document);
    if !cursor.take(b'[') || cursor.next_token() != Some(b'{') || is_lines(document) {
        return Vec::new();
    }
    let Some(guesses) = Guesses::like(document, cursor.at) else { return Vec::new() };
    let most = bytes.max(GLANCE_BYTES);
    guesses.seams(bytes, Depth::Array, |guesses| below_another(document, guesses, most))
}

/// The first of these pages that opens a build, below another one which does. Neither is looked at further than
/// `most` bytes: what looks like a page may go on to the end of the document, everywhere.
fn below_another(document: &[u8], guesses: &[Guess], most: usize) -> Option<Guess> {
    let openings = guesses.iter().filter_map(|guess| {
        let page = document.get(guess.element..).unwrap_or_default();
        Some((guess.element, opening(page.get(..GLANCE_BYTES).unwrap_or(page))?))
    });
    // Pages may be large: it is not worth looking at further ones.
    let Candidate { above, at } = below_others(document, openings).next()?;
    let is_sound = |at: usize| Reader::new(glance(document, at, most), at).skip().is_ok();
    let found = guesses.iter().find(|guess| guess.element == at);
    found.copied().filter(|_| is_sound(above) && is_sound(at))
}

/// The line that starts at `at`, without its newline.
fn line_at(bytes: &[u8], at: usize) -> &[u8] {
    let rest = bytes.get(at..).unwrap_or_default();
    rest.get(..memchr(b'\n', rest).unwrap_or(rest.len())).unwrap_or_default()
}

/// The instant of the first line of the page that `line` is, if a build opens with that.
fn opening(line: &[u8]) -> Option<Micros> {
    let mut cursor = Cursor::new(line);
    to_lines(&mut cursor, &[b"result", b""])?;
    cursor.take(b'[');
    cursor.next_token();
    let start = cursor.at;
    let first = if let Some((tuple, _)) = element::tuple(line, start) {
        tuple
    } else {
        cursor.skip().ok()?;
        element::read(line.get(start..cursor.at)?)?
    };
    match first.stamp {
        Stamp::At(ts) if first.message.raw.starts_with(OPENING) => Some(ts),
        _ => None,
    }
}

/// Whether the line is a page and no more, but for the comma that may stand between pages.
fn is_sound(line: &[u8]) -> bool {
    let mut page = Reader::new(line, 0);
    if page.skip().is_err() {
        return false;
    }
    page.eat(b',');
    page.peek().is_none()
}

/// Goes to the array of lines of the object at the cursor, looking into the envelopes named, one in another.
fn to_lines(cursor: &mut Cursor<'_>, envelopes: &[&[u8]]) -> Option<()> {
    let (envelope, inner) = envelopes.split_first()?;
    if !cursor.take(b'{') {
        return None;
    }
    while cursor.next_token() == Some(b'"') {
        let key = cursor.string().ok()?.raw;
        cursor.expect(b':', "`:`").ok()?;
        match cursor.next_token()? {
            b'[' if key == b"lines" => return Some(()),
            b'{' if key == *envelope => return to_lines(cursor, inner),
            _ => cursor.skip().ok()?,
        }
        cursor.take(b',');
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: &str = r#"{"success":true,"result":{"lines":[[1761955200000,"Initializing build environment..."],[1761955200001,"x"]]}}"#;
    const SECOND: &str = r#"{"lines":[[1761955300000,"Initializing build environment..."]],"cursor":"x"}"#;
    const PAGE: &str = r#"{"result":{"lines":[[1761955250000,"more"]]}}"#;

    #[track_caller]
    fn check(lines: &[&str], expect: &[usize]) {
        let text = lines.join("\n");
        let mut cuts: Vec<usize> = (0..=text.len()).filter_map(|from| first(text.as_bytes(), from)).collect();
        cuts.dedup();
        let line_of = |cut: &usize| text[..*cut].matches('\n').count();
        assert_eq!(cuts.iter().map(line_of).collect::<Vec<_>>(), expect, "{text}");
    }

    #[test]
    fn a_build_opens_below_another() {
        // Nothing is known of what stands above line 0: a cut needs two openings behind the nominal one.
        check(&["[]", FIRST, SECOND, FIRST], &[2, 3]);
        check(&["", FIRST, PAGE, "", SECOND], &[4]);
        check(&[FIRST, SECOND], &[]);
        assert_eq!(last([FIRST, SECOND].join("\n").as_bytes()), Some(FIRST.len() + 1));
        assert_eq!(
            last(["", FIRST, SECOND, FIRST].join("\n").as_bytes()),
            Some(FIRST.len() + SECOND.len() + 3)
        );
    }

    #[test]
    fn what_depends_on_the_lines_above_is_no_place_to_cut() {
        check(&["", FIRST, FIRST, FIRST], &[]);
        check(&["", PAGE, PAGE], &[]);
        let two = r#"{"lines":[[1761955200000,"Initializing build environment"],[1761955300000,"Initializing build environment..."]]}"#;
        check(&["", two, SECOND], &[]);
        check(&["", FIRST, r#"{"lines":[[1761955300000,"x"]],"y":"Initializing build environment"}"#], &[]);
        check(&["", FIRST, r#"{"x":{"lines":[[1761955300000,"Initializing build environment"]]}}"#], &[]);
        // What is left of a damaged page depends on the damage.
        let damaged = SECOND.replace("cursor", "cur\"sor");
        check(&["", FIRST, &damaged], &[]);
        check(&["", &damaged, FIRST], &[]);
    }

    #[test]
    fn an_array_is_divided_where_a_build_opens_below_another() {
        let places = |pages: &[&str]| -> Vec<usize> {
            let array = format!("[{}]", pages.join(","));
            let index = |seam: Seam| array[..seam.at].matches("\"lines\"").count();
            seams(array.as_bytes(), 1000).into_iter().map(index).collect()
        };
        // Places are looked for behind the first 1000 bytes, and need two pages there.
        let filler = format!(r#"{{"success":true,"x":"{}"}}"#, "x".repeat(1000));
        let second = SECOND.replacen('{', r#"{"success":true,"#, 1);
        assert_eq!(places(&[&filler, FIRST, &second, FIRST]), [1]);
        assert_eq!(places(&[&filler, FIRST, PAGE, &second]), [2]);
        assert_eq!(places(&[&filler, FIRST, FIRST]), [] as [usize; 0]);
        let damaged = second.replace("\"cursor\"", "cursor");
        assert_eq!(places(&[&filler, FIRST, &damaged, FIRST]), [] as [usize; 0]);
        assert_eq!(places(&[&filler, &damaged, FIRST]), [] as [usize; 0]);
        let two = second.replacen("[[", r#"[[1761955250000,"Initializing build environment..."],["#, 1);
        assert_eq!(places(&[&filler, &two, FIRST]), [] as [usize; 0]);
        // Of a page that goes on and on, no end is looked for.
        let long = format!(r#""y":"{}","cursor""#, "y".repeat(GLANCE_BYTES));
        assert_eq!(places(&[&filler, FIRST, &second.replace("\"cursor\"", &long)]), [] as [usize; 0]);
    }
}
