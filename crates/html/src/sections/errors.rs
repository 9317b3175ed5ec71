//! What went wrong most often, as it stands in the logs, and the requests that were given up.

use logmill_analyze::model::{ErrorGroup, Request, RequestOutcome};
use logmill_parse::Class;

use crate::figures::{count, counted};
use crate::markup::{Lines, Markup, put, shortened};
use crate::table::{Column, Table, more};
use crate::view::View;

/// Error groups that are shown, and how many of them are open.
const MAX_GROUPS: usize = 25;
const MAX_OPEN: usize = 3;
/// Requests that are shown.
const MAX_REQUESTS: usize = 20;
/// Characters of a template.
const MAX_TEMPLATE: usize = 180;

/// Error groups, each with an example.
pub fn section(view: &View<'_>, out: &mut Markup) {
    let groups: Vec<&ErrorGroup> = view.report.errors.iter().filter(|group| is_bad(group)).collect();
    if !groups.is_empty() {
        put!(
            out,
            "<p class=\"note\">Messages with the same text once what varies is masked, most frequent first: {}. What was retried is in class <code>retry</code>; warnings stand in the table <code>errors</code> only.</p>\n",
            counted(groups.len() as u64, ("group", "groups"))
        );
    }
    for (index, group) in groups.iter().take(MAX_GROUPS).enumerate() {
        card(view, group, if index < MAX_OPEN { " open=\"open\"" } else { "" }, out);
    }
    more(groups.len(), MAX_GROUPS, ("error group", "error groups"), "errors", out);
    requests(view, out);
}

/// Errors, and what was retried because of one.
fn is_bad(group: &ErrorGroup) -> bool {
    group.level.is_error() || matches!(group.class, Class::Failure | Class::Crash | Class::Retry)
}

fn card(view: &View<'_>, group: &ErrorGroup, open: &'static str, out: &mut Markup) {
    let class = match group.class {
        Class::Failure | Class::Crash => "ko",
        Class::Retry => "to",
        _ => "ab",
    };
    put!(
        out,
        "<details class=\"error\"{}><summary><b>{}×</b> in {} <span class=\"pill {}\">{}</span> {}</summary>\n<pre tabindex=\"0\">{}</pre>\n<dl>",
        crate::markup::Own(open),
        count(group.n_events),
        counted(group.n_runs, ("run", "runs")),
        class,
        group.class.as_str(),
        shortened(&group.template, MAX_TEMPLATE),
        Lines(&group.example)
    );
    put!(out, "<dt>stands in</dt><dd><code>{}:{}</code></dd>", group.example_source, group.example_line);
    put!(out, "<dt>run</dt><dd><code>{}</code>", group.run_id);
    if let Some(of) = &group.group {
        put!(out, " of {}", of);
    }
    put!(
        out,
        "</dd><dt>seen</dt><dd>{} to {}</dd>",
        view.clock.second_or_none(group.first_seen),
        view.clock.second_or_none(group.last_seen)
    );
    if let Some(failure) = &group.failure_class {
        put!(out, "<dt>its runs ended with</dt><dd>{}</dd>", failure);
    }
    put!(
        out,
        "<dt>level</dt><dd>{}</dd><dt>group id</dt><dd><code>{}</code></dd></dl></details>\n",
        group.level.as_str(),
        group.group_id
    );
}

fn requests(view: &View<'_>, out: &mut Markup) {
    let requests = &view.report.requests;
    let mut lost: Vec<&Request> =
        requests.iter().filter(|request| request.outcome == RequestOutcome::Lost).collect();
    if lost.is_empty() {
        return;
    }
    lost.sort_by_key(|request| std::cmp::Reverse(request.attempts));
    put!(out, "<h3>Requests given up</h3>\n");
    let columns = [
        Column::Text("Request"),
        Column::Figure("Attempts"),
        Column::Text("Last error"),
        Column::Text("Group"),
        Column::Text("Run"),
        Column::Text("Last seen"),
    ];
    let mut table = Table::new("Requests given up", &columns);
    for request in lost.iter().take(MAX_REQUESTS) {
        let run = view.report.runs.get(request.run);
        table.row(|row| {
            let what = request.url.as_deref().or(request.request_id.as_deref()).unwrap_or_default();
            row.name(&shortened(what, MAX_TEMPLATE));
            row.count(request.attempts);
            row.text(&request.last_error);
            row.name(run.map_or("", |run| run.group.as_str()));
            row.name(run.map_or("", |run| run.run_id.as_str()));
            row.words(&view.clock.second_or_none(request.last_seen));
        });
    }
    table.finish(out);
    more(lost.len(), MAX_REQUESTS, ("request", "requests"), "requests", out);
}
