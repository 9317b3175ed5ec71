//! Masking of the rows of the tables. Every field that holds text is named here: a new one does not compile
//! until it is.

use std::borrow::Cow;
use std::sync::Arc;

use logmill_parse::text::Text;

use super::Redactor;
use crate::model::{
    Duration, ErrorGroup, EventRow, FileRow, IssueRow, Measure, Metric, Rate, Report, Request, Run, Step,
};

impl Redactor {
    /// Masks every text of a report.
    pub fn report(&self, report: &mut Report) {
        let Report { runs, steps, errors, requests, rates, durations, metrics, issues, files } = report;
        runs.iter_mut().for_each(|row| self.run(row));
        steps.iter_mut().for_each(|row| self.step(row));
        errors.iter_mut().for_each(|row| self.error(row));
        requests.iter_mut().for_each(|row| self.request(row));
        rates.iter_mut().for_each(|Rate { group, .. }| self.mask(group));
        durations.iter_mut().for_each(|Duration { group, step, .. }| {
            self.mask(group);
            self.option(step);
        });
        metrics.iter_mut().for_each(|row| self.metric(row));
        issues.iter_mut().for_each(|row| self.issue(row));
        files.iter_mut().for_each(|FileRow { source, member, .. }| {
            self.mask(source);
            self.option(member);
        });
    }

    /// Masks the texts of a run.
    pub fn run(&self, run: &mut Run) {
        let Run { group, run_id, source, status_reason, failure_class, first_error, .. } = run;
        [group, run_id, source, status_reason].into_iter().for_each(|text| self.mask(text));
        let Run { build_id, tool_version, branch, commit, incomplete_reason, .. } = run;
        [failure_class, first_error, build_id, tool_version, branch, commit, incomplete_reason]
            .into_iter()
            .for_each(|text| self.option(text));
    }

    fn step(&self, step: &mut Step) {
        let Step { name, connector_id, error, .. } = step;
        self.mask(name);
        self.option(connector_id);
        self.option(error);
    }

    fn error(&self, group: &mut ErrorGroup) {
        let ErrorGroup { group, run_id, template, failure_class, example, example_source, .. } = group;
        [run_id, template, example, example_source].into_iter().for_each(|text| self.mask(text));
        self.option(group);
        self.option(failure_class);
    }

    fn request(&self, request: &mut Request) {
        let Request { url, request_id, last_error, .. } = request;
        self.option(url);
        self.option(request_id);
        self.shared(last_error);
    }

    fn metric(&self, metric: &mut Metric) {
        let Measure { name, unit, label } = &*metric.what;
        if let (Cow::Borrowed(_), Cow::Borrowed(_)) = (self.text(name), self.text(label)) {
            return;
        }
        let (name, label) = (self.text(name).into_owned(), self.text(label).into_owned());
        metric.what = Arc::new(Measure { name, unit, label });
    }

    fn issue(&self, issue: &mut IssueRow) {
        let IssueRow { source, member, message, raw_prefix, .. } = issue;
        [source, message, raw_prefix].into_iter().for_each(|text| self.mask(text));
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
