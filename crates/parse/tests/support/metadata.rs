//! What a file beside a log says, in the notation of `testdata/README.md`.

use logmill_parse::Metadata;

use crate::support::describe::{Words, stamp};

/// What metadata says, by the names of its fields, in their order.
pub fn describe(metadata: &Metadata) -> String {
    let Metadata { run_id, group, kind, status, status_reason, .. } = metadata;
    let Metadata { created_at, started_at, stopped_at, build_id, branch, commit, .. } = metadata;
    Words::new(run_id.clone().unwrap_or_else(|| "?".to_owned()))
        .with("group", group.as_ref())
        .with("kind", kind.as_ref())
        .with("status", status.as_ref())
        .with("reason", status_reason.as_ref())
        .with("created", created_at.map(stamp))
        .with("started", started_at.map(stamp))
        .with("stopped", stopped_at.map(stamp))
        .with("build", build_id.as_ref())
        .with("branch", branch.as_ref())
        .with("commit", commit.as_ref())
        .0
}
