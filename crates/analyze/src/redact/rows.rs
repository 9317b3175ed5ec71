//! Masking of the rows of the tables: here is every field that can hold text of a log or of a path.

use std::borrow::Cow;
use std::sync::Arc;

use logmill_parse::text::Text;

use super::Redactor;
use crate::model::{
    Duration, ErrorGroup, EventRow, FileRow, IssueRow, Measure, Name, Report, Request, Run, Step,
};

impl Redactor {
    /// Masks every text of a report.
    pub fn report(&self, report: &mut Report) {
        let Report { runs, steps, errors, requests, rates, durations, metrics, issues, files } = report;
        for row in runs {
            self.run(row);
        }
        for row in steps {
            self.step(row);
        }
        for row in errors {
            self.error(row);
        }
        for row in requests {
            self.request(row);
        }
        for row in rates {
            self.mask(&mut row.group);
        }
        for Duration { group, step, .. } in durations {
            self.mask(group);
            self.option(step);
        }
        metrics.rename(|measure| self.measure(measure));
        for row in issues {
            self.issue(row);
        }
        for FileRow { source, member, .. } in files {
            self.mask(source);
            self.option(member);
        }
    }

    /// Masks the texts of a run.
    pub fn run(&self, run: &mut Run) {
        let Run { group, run_id, source, status_reason, failure_class, first_error, .. } = run;
        for text in [group, run_id, source, status_reason] {
            self.mask(text);
        }
        self.option(failure_class);
        self.option(first_error);
        let Run { build_id, tool_version, branch, commit, incomplete_reason, .. } = run;
        for text in [build_id, tool_version, branch, commit, incomplete_reason] {
            self.option(text);
        }
    }

    fn step(&self, step: &mut Step) {
        let Step { name, connector_id, error, .. } = step;
        if let Cow::Owned(masked) = self.text(name) {
            *name = Name::Shared(masked.into());
        }
        if let Some(connector_id) = connector_id {
            self.shared(connector_id);
        }
        self.option(error);
    }

    fn error(&self, group: &mut ErrorGroup) {
        let ErrorGroup { group, run_id, template, failure_class, example, example_source, .. } = group;
        for text in [run_id, template, example, example_source] {
            self.mask(text);
        }
        self.option(group);
        self.option(failure_class);
    }

    fn request(&self, request: &mut Request) {
        let Request { url, request_id, last_error, .. } = request;
        for text in [url, request_id].into_iter().flatten() {
            self.shared(text);
        }
        self.shared(last_error);
    }

    /// The measure with its texts masked, if there is anything to mask.
    fn measure(&self, measure: &Measure) -> Option<Measure> {
        let (name, label) = (self.text(&measure.name), self.text(&measure.label));
        if let (Cow::Borrowed(_), Cow::Borrowed(_)) = (&name, &label) {
            return None;
        }
        Some(Measure { name: name.into_owned(), unit: measure.unit, label: label.into_owned() })
    }

    fn issue(&self, issue: &mut IssueRow) {
        let IssueRow { source, member, message, raw_prefix, .. } = issue;
        for text in [source, message, raw_prefix] {
            self.mask(text);
        }
        self.option(member);
    }

    fn option(&self, text: &mut Option<String>) {
        if let Some(text) = text {
            self.mask(text);
        }
    }

    fn shared(&self, text: &mut Arc<str>) {
        if let Cow::Owned(masked) = self.text(text) {
            *text = Arc::from(masked);
        }
    }

    /// Hands on the event with its texts masked. Its run has been masked before.
    pub fn event(&self, row: &EventRow<'_>, push: &mut dyn FnMut(&EventRow<'_>)) {
        let message = self.text_of(row.record.message);
        let payload = row.record.payload.map(|payload| self.text_of(payload));
        let logger = self.bytes(row.record.logger);
        let step = row.step.map(|(seq, name)| (seq, self.text(name)));
        let source = self.text(row.source);
        let member = row.member.map(|member| self.text(member));
        let record = logmill_parse::Record {
            message: message.as_ref().map_or(row.record.message, |text| Text::plain(text.as_bytes())),
            payload: match (&payload, row.record.payload) {
                (Some(Some(masked)), _) => Some(Text::plain(masked.as_bytes())),
                (_, as_it_is) => as_it_is,
            },
            logger: &logger,
            ..*row.record
        };
        push(&EventRow {
            record: &record,
            step: step.as_ref().map(|(seq, name)| (*seq, &**name)),
            source: &source,
            member: member.as_deref(),
            ..*row
        });
    }

    /// The masked text, if there is anything to mask.
    fn text_of(&self, text: Text<'_>) -> Option<String> {
        let decoded = text.decode();
        match self.text(&decoded) {
            Cow::Borrowed(_) => None,
            Cow::Owned(masked) => Some(masked),
        }
    }
}
