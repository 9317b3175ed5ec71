//! Problems of one stretch or input: listed up to a number of each code, counted beyond it.

use std::collections::BTreeMap;

use logmill_parse::Code;

/// Issues of one code that one input lists; the rest is only counted.
const MAX_ISSUES_PER_CODE: u64 = 100;

/// Issues of one stretch or input, at most a fixed number of each code.
#[derive(Debug, Default)]
pub struct IssueLog {
    /// The listed ones.
    pub listed: Vec<ListedIssue>,
    /// How many of each code there were in all.
    pub counts: BTreeMap<Code, u64>,
}

/// A listed issue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedIssue {
    /// Code.
    pub code: Code,
    /// Lines before it.
    pub line: Option<u64>,
    /// Byte.
    pub offset: Option<u64>,
    /// Message.
    pub message: String,
    /// What stands there.
    pub raw_prefix: String,
    /// Bytes it concerns; 0 where it is a single place or the input as a whole.
    pub n_bytes: u64,
}

impl IssueLog {
    /// Lists or counts an issue.
    pub fn push(&mut self, issue: ListedIssue) {
        let count = self.counts.entry(issue.code).or_insert(0);
        *count += 1;
        if *count <= listed_of(issue.code) {
            self.listed.push(issue);
        }
    }

    /// An issue about the input as a whole.
    pub fn push_whole(&mut self, code: Code, message: impl Into<String>) {
        self.push(ListedIssue {
            code,
            line: None,
            offset: None,
            message: message.into(),
            raw_prefix: String::new(),
            n_bytes: 0,
        });
    }

    /// Forgets the issues of one code.
    pub fn withdraw(&mut self, code: Code) {
        self.counts.remove(&code);
        self.listed.retain(|issue| issue.code != code);
    }

    /// Adds the issues of a later stretch, `lines` further down.
    pub fn append(&mut self, other: Self, lines: u64) {
        let mut unlisted = other.counts;
        for mut issue in other.listed {
            if let Some(count) = unlisted.get_mut(&issue.code) {
                *count -= 1;
            }
            issue.line = issue.line.map(|line| line + lines);
            self.push(issue);
        }
        for (code, count) in unlisted {
            *self.counts.entry(code).or_insert(0) += count;
        }
    }

    /// The listed issues, and one more for each code of which some are not listed.
    #[must_use]
    pub fn rows(&self) -> Vec<ListedIssue> {
        let unlisted = self
            .counts
            .iter()
            .filter(|(code, count)| **code != Code::DuplicateRecord && **count > MAX_ISSUES_PER_CODE);
        let note = |(code, count): (&Code, &u64)| ListedIssue {
            code: Code::TooManyIssues,
            line: None,
            offset: None,
            message: format!("{} more issues of code {}", count - MAX_ISSUES_PER_CODE, code.as_str()),
            raw_prefix: String::new(),
            n_bytes: 0,
        };
        self.listed.iter().cloned().chain(unlisted.map(note)).collect()
    }
}

/// Issues of a code that one input lists. Formats tell of doubled records once per window, and
/// one note about an input says it all.
const fn listed_of(code: Code) -> u64 {
    match code {
        Code::DuplicateRecord => 1,
        _ => MAX_ISSUES_PER_CODE,
    }
}
