//! Where the next build of a file begins.

use super::marks::Mark;

/// What a line is compared by when a replay has to be told from a new build.
pub(super) type Identity<'a> = (i64, &'a [u8]);

/// Reads the lines of a file in order and says where a build starts.
///
/// A build starts at a second `Initializing build environment` or, behind an end line, at
/// `Cloning repository...`; not where the dashboard replays a line it has shown before.
#[derive(Debug, Default)]
pub(super) struct Splitter<'a> {
    initialized: Option<Identity<'a>>,
    cloned: Option<Identity<'a>>,
    ended: bool,
}

impl<'a> Splitter<'a> {
    /// Whether the build before ends at this line. `identity` is missing where the line has no stamp;
    /// `first` is the line above, where that is the build's first.
    ///
    /// Lines without a mark need not be shown.
    pub(super) fn starts(
        &mut self,
        mark: Option<Mark>,
        identity: Option<Identity<'a>>,
        line: &'a [u8],
        first: Option<&[u8]>,
    ) -> bool {
        // With stamps, a replay is the same line again; without, only the first line twice is.
        let replays = |known| if identity.is_some() { known == identity } else { first == Some(line) };
        let starts = match mark {
            Some(Mark::InitStart) => {
                let known = self.initialized.is_some() || self.cloned.is_some() || self.ended;
                known && !replays(self.initialized)
            }
            Some(Mark::CloneStart) => self.ended && !replays(self.cloned),
            _ => false,
        };
        if starts {
            *self = Self::default();
        }
        self.remember(mark, identity, line);
        starts
    }

    fn remember(&mut self, mark: Option<Mark>, identity: Option<Identity<'a>>, line: &'a [u8]) {
        let unstamped = (i64::MIN, line);
        match mark {
            Some(Mark::InitStart) => self.initialized = Some(identity.unwrap_or(unstamped)),
            Some(Mark::CloneStart) => self.cloned = Some(identity.unwrap_or(unstamped)),
            Some(mark) if mark.is_end() => self.ended = true,
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(lines: &[(Option<i64>, &str)], expect: &[usize]) {
        let mut splitter = Splitter::default();
        let (mut starts, mut begin) = (Vec::new(), 0);
        for (index, &(clock, text)) in lines.iter().enumerate() {
            let line = text.as_bytes();
            let first = if index == begin + 1 { Some(lines[begin].1.as_bytes()) } else { None };
            let mark = super::super::marks::mark(line);
            if splitter.starts(mark, clock.map(|clock| (clock, line)), line, first) {
                starts.push(index);
                begin = index;
            }
        }
        assert_eq!(starts, expect, "{lines:?}");
    }

    #[test]
    fn replays_are_no_builds() {
        let init = "Initializing build environment...";
        let clone = "Cloning repository...";
        check(&[(Some(1), init), (Some(1), init), (Some(2), clone)], &[]);
        check(&[(Some(1), init), (Some(2), clone), (Some(1), init), (Some(2), clone)], &[]);
        check(&[(Some(1), init), (Some(2), clone), (Some(3), init)], &[2]);
        check(&[(None, init), (None, init)], &[]);
        check(&[(None, init), (None, clone), (None, init)], &[2]);
    }

    #[test]
    fn a_clone_behind_an_end_line_is_a_build() {
        let clone = "Cloning repository...";
        check(&[(Some(1), clone), (Some(2), "Failed: root directory not found"), (Some(3), clone)], &[2]);
        check(&[(Some(1), clone), (Some(2), "Failed: root directory not found"), (Some(1), clone)], &[]);
        check(&[(Some(1), clone), (Some(2), clone)], &[]);
    }
}
