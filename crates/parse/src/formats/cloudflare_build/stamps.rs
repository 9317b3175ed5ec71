//! How the lines of a text log are stamped, and where their messages start.

use super::model::{Origin, Writing};
use crate::text::Codec;
use crate::time::{self, Micros, StampReader};

/// What stands in front of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// `2026-07-08T02:59:50.337Z`.
    Instant,
    /// `14:45:31.236`: the viewer's time of day, without a date or zone.
    TimeOfDay,
}

/// A stamp at the start of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stamp {
    pub(super) kind: Kind,
    /// The instant, or microseconds since midnight.
    pub(super) clock: Micros,
    /// Its length with the blanks before it.
    pub(super) len: usize,
}

/// Blanks that a paste may put before a stamp.
const MAX_LEAD: usize = 8;

/// The stamp of a line, after blanks: an instant, or `HH:MM:SS["."1*9digit]` before a blank or the line's end.
pub(super) fn stamp(line: &[u8], reader: &mut StampReader) -> Option<Stamp> {
    let lead = line.iter().take(MAX_LEAD).take_while(|&&byte| byte == b' ').count();
    let rest = line.get(lead..)?;
    if !rest.first()?.is_ascii_digit() {
        return None;
    }
    if rest.get(2) == Some(&b':') {
        return time_of_day(rest).map(|(clock, len)| Stamp { kind: Kind::TimeOfDay, clock, len: lead + len });
    }
    reader.read(rest).map(|stamp| Stamp { kind: Kind::Instant, clock: stamp.ts, len: lead + stamp.len })
}

/// A time of day, and a separator behind it.
fn time_of_day(bytes: &[u8]) -> Option<(Micros, usize)> {
    let stamp = time::time_of_day(bytes)?;
    matches!(bytes.get(stamp.len), None | Some(b' ' | b'\t')).then_some((stamp.ts, stamp.len))
}

/// Where messages stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Layout {
    /// There are no stamps: every line is a message.
    Bare,
    /// Behind the stamp and a TAB, or as many blanks, or nothing.
    Behind(usize),
    /// In the second column of a table.
    Table,
    /// On the line below the stamp.
    Below,
}

/// How the lines of one build are stamped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Dialect {
    pub(super) kind: Kind,
    pub(super) layout: Layout,
}

/// What was counted over the lines of one build, for one kind of stamp.
#[derive(Debug, Clone, Copy, Default)]
struct Tally {
    stamped: usize,
    /// Lines with a message behind the stamp.
    spoken: usize,
    tabled: usize,
    /// Fewest blanks behind a stamp where no TAB stands.
    blanks: Option<usize>,
}

impl Tally {
    fn add(&mut self, rest: &[u8]) {
        self.stamped += 1;
        if rest.trim_ascii().is_empty() || rest.trim_ascii() == b"|" {
            return;
        }
        self.spoken += 1;
        self.tabled += usize::from(rest.starts_with(b" | "));
        if rest.first() != Some(&b'\t') {
            let blanks = rest.iter().take_while(|&&byte| byte == b' ').count();
            self.blanks = Some(self.blanks.map_or(blanks, |fewest| fewest.min(blanks)));
        }
    }

    fn layout(&self, unstamped: usize) -> Layout {
        match self {
            Self { spoken: 0, .. } if unstamped > 0 => Layout::Below,
            Self { spoken, tabled, .. } if spoken == tabled && *spoken > 0 => Layout::Table,
            Self { blanks, .. } => Layout::Behind(blanks.unwrap_or(0).min(MAX_BLANKS)),
        }
    }
}

/// Most blanks that separate a message from its stamp; more belong to the message.
const MAX_BLANKS: usize = 4;

/// Looks at the lines of one build and says how they are stamped.
///
/// Times of day count only where no instants stand, and not where the platform's own lines
/// have none: then they are a tool's clock.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Survey {
    instants: Tally,
    times: Tally,
    unstamped: usize,
    bare_marks: usize,
}

impl Survey {
    /// Counts a stamped line; `rest` is what follows the stamp.
    pub(super) fn stamped(&mut self, kind: Kind, rest: &[u8]) {
        match kind {
            Kind::Instant => self.instants.add(rest),
            Kind::TimeOfDay => self.times.add(rest),
        }
    }

    /// Counts a line without a stamp that is not blank.
    pub(super) fn bare(&mut self, is_mark: IsMark) {
        self.unstamped += 1;
        self.bare_marks += usize::from(is_mark == IsMark::Yes);
    }

    pub(super) fn dialect(&self) -> Dialect {
        if self.instants.stamped > 0 {
            return Dialect { kind: Kind::Instant, layout: self.instants.layout(self.unstamped) };
        }
        let is_a_tools_clock = self.times.spoken > 0 && self.bare_marks > 0;
        let layout = if self.times.stamped == 0 || is_a_tools_clock {
            Layout::Bare
        } else {
            self.times.layout(self.unstamped)
        };
        Dialect { kind: Kind::TimeOfDay, layout }
    }
}

/// Whether a line is the platform's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum IsMark {
    Yes,
    No,
}

impl Dialect {
    /// The stamp of a line, if it is one by this dialect.
    pub(super) fn stamp(self, line: &[u8], reader: &mut StampReader) -> Option<Stamp> {
        if self.layout == Layout::Bare {
            return None;
        }
        stamp(line, reader).filter(|stamp| stamp.kind == self.kind)
    }

    /// How many bytes of `rest`, which follows a stamp, stand before the message.
    pub(super) fn separator_len(self, rest: &[u8]) -> usize {
        separator_len(rest, self.layout)
    }

    /// How the messages are written.
    pub(super) fn writing(self) -> Writing {
        let head = self.head();
        let (several, joined) = match self.layout {
            Layout::Below => (Codec::Lines(no_head), Codec::Joined(join_below)),
            _ => (Codec::Lines(head), Codec::Lines(head)),
        };
        Writing { single: Codec::Plain, several, joined, origin: Origin::Message }
    }

    /// The function that measures what stands before the message of one line.
    fn head(self) -> fn(&[u8]) -> usize {
        use Kind::{Instant, TimeOfDay};
        match (self.kind, self.layout) {
            (_, Layout::Bare | Layout::Below) => no_head,
            (Instant, Layout::Table) => table_head::<true>,
            (TimeOfDay, Layout::Table) => table_head::<false>,
            (Instant, Layout::Behind(0)) => head::<true, 0>,
            (Instant, Layout::Behind(1)) => head::<true, 1>,
            (Instant, Layout::Behind(2)) => head::<true, 2>,
            (Instant, Layout::Behind(3)) => head::<true, 3>,
            (Instant, Layout::Behind(_)) => head::<true, 4>,
            (TimeOfDay, Layout::Behind(0)) => head::<false, 0>,
            (TimeOfDay, Layout::Behind(1)) => head::<false, 1>,
            (TimeOfDay, Layout::Behind(2)) => head::<false, 2>,
            (TimeOfDay, Layout::Behind(3)) => head::<false, 3>,
            (TimeOfDay, Layout::Behind(_)) => head::<false, 4>,
        }
    }
}

fn separator_len(rest: &[u8], layout: Layout) -> usize {
    match layout {
        Layout::Behind(_) if rest.first() == Some(&b'\t') => 1,
        Layout::Behind(blanks) => rest.iter().take(blanks).take_while(|&&byte| byte == b' ').count(),
        Layout::Table if rest.starts_with(b" | ") => 3,
        Layout::Table if rest == b" |" => 2,
        Layout::Table | Layout::Below | Layout::Bare => 0,
    }
}

fn no_head(_line: &[u8]) -> usize {
    0
}

fn head<const INSTANT: bool, const BLANKS: usize>(line: &[u8]) -> usize {
    head_len::<INSTANT>(line, Layout::Behind(BLANKS))
}

fn table_head<const INSTANT: bool>(line: &[u8]) -> usize {
    head_len::<INSTANT>(line, Layout::Table)
}

fn head_len<const INSTANT: bool>(line: &[u8], layout: Layout) -> usize {
    let kind = if INSTANT { Kind::Instant } else { Kind::TimeOfDay };
    match stamp(line, &mut StampReader::new()) {
        Some(stamp) if stamp.kind == kind => {
            stamp.len + separator_len(line.get(stamp.len..).unwrap_or_default(), layout)
        }
        _ => 0,
    }
}

/// The messages of a paste that has every stamp on a line of its own. `raw` starts at a message.
fn join_below(raw: &[u8], joined: &mut String) {
    joined.reserve(raw.len());
    let mut reader = StampReader::new();
    let mut silent = false;
    for (index, line) in raw.split(|&byte| byte == b'\n').enumerate() {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let is_stamp = index > 0
            && stamp(line, &mut reader)
                .is_some_and(|s| line.get(s.len..).is_some_and(|rest| rest.trim_ascii().is_empty()));
        if is_stamp && !silent {
            silent = true;
            continue;
        }
        if index > 0 {
            joined.push('\n');
        }
        if !is_stamp {
            joined.push_str(&String::from_utf8_lossy(line));
            silent = false;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(line: &str, expect: Option<(Kind, i64, usize)>) {
        let found = stamp(line.as_bytes(), &mut StampReader::new());
        assert_eq!(found.map(|s| (s.kind, s.clock, s.len)), expect, "{line}");
    }

    #[test]
    fn stamps() {
        check("2023-11-14T22:13:20.5Z\tx", Some((Kind::Instant, 1_700_000_000_500_000, 22)));
        check("  2023-11-14T22:13:20Zx", Some((Kind::Instant, 1_700_000_000_000_000, 22)));
        check("00:00:01.236\tx", Some((Kind::TimeOfDay, 1_236_000, 12)));
        check("00:01:00  x", Some((Kind::TimeOfDay, 60_000_000, 8)));
        check("00:01:00", Some((Kind::TimeOfDay, 60_000_000, 8)));
        check("00:01:00x", None);
        check("24:01:00 x", None);
        check("00:01:00. x", None);
        check("\t00:01:00 x", None);
        check("", None);
    }

    #[track_caller]
    fn check_layout(rests: &[&str], unstamped: usize, expect: Layout) {
        let mut survey = Survey::default();
        for rest in rests {
            survey.stamped(Kind::Instant, rest.as_bytes());
        }
        for _ in 0..unstamped {
            survey.bare(IsMark::No);
        }
        assert_eq!(survey.dialect(), Dialect { kind: Kind::Instant, layout: expect });
    }

    #[test]
    fn layouts() {
        check_layout(&["\tx", "", "\t  y"], 0, Layout::Behind(0));
        check_layout(&["    x", "      y", ""], 0, Layout::Behind(4));
        check_layout(&["x", "  y"], 0, Layout::Behind(0));
        check_layout(&[" | x", " | y", " |  "], 0, Layout::Table);
        check_layout(&[" | x", " y"], 0, Layout::Behind(1));
        check_layout(&["", ""], 2, Layout::Below);
    }

    #[test]
    fn a_tools_clock_is_no_stamp() {
        let mut survey = Survey::default();
        survey.bare(IsMark::Yes);
        survey.stamped(Kind::TimeOfDay, b" [build] output");
        assert_eq!(survey.dialect().layout, Layout::Bare);
    }

    #[test]
    fn stamps_below_messages_are_left_out() {
        let mut joined = String::from("x");
        join_below(b"a\n00:00:01\nb\r\n00:00:02\n00:00:03\n c", &mut joined);
        assert_eq!(joined, "xa\nb\n\n c");
    }
}
