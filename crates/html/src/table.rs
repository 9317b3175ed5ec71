//! Tables that can be sorted: what a cell shows, and what its column sorts by.

use crate::figures::{NONE, count, duration, percent};
use crate::markup::{Key, Lines, Markup, Own, put, shortened};
use crate::outcome::{Outcome, Share};

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Column {
    /// Text, sorted by its characters.
    Text(&'static str),
    /// Figures, on the right.
    Figure(&'static str),
    /// A drawing; sorted by the figure it shows.
    Drawing(&'static str),
}

/// A table that is being filled, row by row.
pub struct Table {
    body: Markup,
    head: Markup,
    label: &'static str,
    n_rows: usize,
}

impl Table {
    /// An empty table.
    pub fn new(label: &'static str, columns: &[Column]) -> Self {
        let mut head = Markup::default();
        for column in columns {
            match column {
                Column::Text(name) => put!(&mut head, "<th scope=\"col\">{}</th>", name),
                Column::Figure(name) => put!(&mut head, "<th scope=\"col\" class=\"n\">{}</th>", name),
                Column::Drawing(name) => put!(&mut head, "<th scope=\"col\" class=\"d\">{}</th>", name),
            }
        }
        Self { body: Markup::default(), head, label, n_rows: 0 }
    }

    /// Adds a row.
    pub fn row(&mut self, fill: impl FnOnce(&mut Row<'_>)) {
        put!(&mut self.body, "<tr>");
        fill(&mut Row { out: &mut self.body });
        put!(&mut self.body, "</tr>\n");
        self.n_rows += 1;
    }

    /// The table, in a box of its own that scrolls where it is too wide.
    pub fn finish(self, out: &mut Markup) {
        if self.n_rows == 0 {
            return;
        }
        put!(
            out,
            "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"{}\"><table><thead><tr>{}</tr></thead><tbody>\n{}</tbody></table></div>\n",
            self.label,
            self.head,
            self.body
        );
        if self.n_rows > MAX_PRINTED {
            put!(
                out,
                "<p class=\"more paper\">Printed: the first {} of {} rows.</p>\n",
                MAX_PRINTED,
                self.n_rows
            );
        }
    }
}

/// A row that is being filled, cell by cell.
pub struct Row<'a> {
    out: &'a mut Markup,
}

/// Rows that are printed; the style sheet says the same.
const MAX_PRINTED: usize = 25;
/// Characters of a name that stands on one line.
const MAX_WHOLE: usize = 26;
/// Characters of a text cell.
const MAX_TEXT: usize = 120;

impl Row<'_> {
    /// Text from outside.
    pub fn text(&mut self, text: &str) {
        let class = if text.chars().nth(MAX_WHOLE).is_some() { " class=\"long\"" } else { "" };
        put!(self.out, "<td{}>{}</td>", Own(class), shortened(text, MAX_TEXT));
    }

    /// What something is called: a group, an id, a path. It is not cut; a short one is not broken either.
    pub fn name(&mut self, text: &str) {
        let class = if text.chars().nth(MAX_WHOLE).is_none() { "w" } else { "name" };
        put!(self.out, "<td class=\"{}\">{}</td>", Own(class), text);
    }

    /// A few words that stand on one line.
    pub fn words(&mut self, text: &str) {
        put!(self.out, "<td class=\"w\">{}</td>", shortened(text, MAX_TEXT));
    }

    /// Text from outside that may have several lines.
    pub fn long(&mut self, text: &str) {
        put!(self.out, "<td class=\"long\">{}</td>", Lines(&shortened(text, 2 * MAX_TEXT)));
    }

    /// A figure: what it is sorted by, and what it looks like.
    pub fn figure(&mut self, key: f64, shown: &str) {
        if format!("{key}") == shown {
            put!(self.out, "<td class=\"n\">{}</td>", shown);
        } else {
            put!(self.out, "<td class=\"n\" data-v=\"{}\">{}</td>", Key(key), shown);
        }
    }

    /// No figure.
    pub fn none(&mut self) {
        put!(self.out, "<td class=\"n\" data-v=\"\">{}</td>", NONE);
    }

    /// A number of things.
    pub fn count(&mut self, n: u64) {
        self.figure(n as f64, &count(n));
    }

    /// A number that may be missing.
    pub fn maybe(&mut self, value: Option<f64>, shown: impl FnOnce(f64) -> String) {
        match value {
            Some(value) => self.figure(value, &shown(value)),
            None => self.none(),
        }
    }

    /// A share as a percentage, which may be missing. The script reads what is shown.
    pub fn percent(&mut self, share: Option<f64>) {
        match share {
            Some(share) if percent(share).starts_with(|c: char| c.is_ascii_digit()) => {
                put!(self.out, "<td class=\"n\">{}</td>", percent(share));
            }
            Some(share) => self.figure(share * 100.0, &percent(share)),
            None => self.none(),
        }
    }

    /// A duration that may be missing.
    pub fn duration(&mut self, ms: Option<i64>) {
        match ms {
            Some(ms) => self.figure(ms as f64, &duration(ms)),
            None => self.none(),
        }
    }

    /// How it ended.
    pub fn outcome(&mut self, outcome: Outcome, word: &str) {
        put!(self.out, "<td><span class=\"pill {}\">{}</span></td>", outcome.class(), word);
    }

    /// A share as its figure, and as a drawing with its interval, which is the next cell.
    pub fn share(&mut self, share: Option<Share>) {
        let Some(share) = share else {
            self.none();
            put!(self.out, "<td class=\"d\" data-v=\"\"></td>");
            return;
        };
        self.percent(Some(share.value));
        let mut drawing = Markup::default();
        crate::chart::whisker(share, &mut drawing);
        self.drawing(share.value, &drawing);
    }

    /// A drawing, and what it is sorted by.
    pub fn drawing(&mut self, key: f64, drawing: &Markup) {
        put!(self.out, "<td class=\"d\" data-v=\"{}\">{}</td>", Key(key), drawing);
    }
}

/// Says how many rows are not shown, and where they are.
pub fn more(
    total: usize,
    shown: usize,
    what: (&'static str, &'static str),
    command: &'static str,
    out: &mut Markup,
) {
    let rest = total.saturating_sub(shown);
    if rest > 0 {
        put!(
            out,
            "<p class=\"more\">and {}\u{a0}more {}: <code>logmill {} PATHS</code></p>\n",
            count(rest as u64),
            Own(if rest == 1 { what.0 } else { what.1 }),
            Own(command)
        );
    }
}
