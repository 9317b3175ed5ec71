//! Figures and facts that tools print about themselves.

use std::borrow::Cow;

use crate::mark::{Fact, Mark, Metric};
use crate::record::{Batch, Wants};

/// What a line without a platform mark may tell, by its first characters.
pub(super) fn tell(line: &[u8], out: &mut Batch<'_>) {
    match line.first() {
        Some(b' ' | b'*' | 0xE2) => facts(line, out),
        Some(_) if out.wants == Wants::Everything && may_figure(line) => {
            if let Ok(text) = std::str::from_utf8(line) {
                figures(text, out);
            }
        }
        _ => {}
    }
}

/// Whether [`figures`] might know the line: nearly all lines are told by their first bytes.
fn may_figure(line: &[u8]) -> bool {
    match line.first() {
        Some(b'a') => line.starts_with(b"added "),
        Some(b'f') => line.starts_with(b"found "),
        Some(b'T') => line.starts_with(b"Total "),
        Some(b'W') => line.starts_with(b"Worker "),
        Some(b'U') => line.starts_with(b"Uploaded "),
        Some(b'D') => line.starts_with(b"Deployed "),
        Some(b'C') => line.starts_with(b"Current "),
        Some(b'0'..=b'9') => {
            let digits = line.iter().take_while(|byte| byte.is_ascii_digit() || **byte == b',').count();
            line.get(digits) == Some(&b' ')
        }
        _ => false,
    }
}

/// ` ⛅️ wrangler 4.100.0` is the version of the deploying tool; ` * branch <commit> -> FETCH_HEAD` the commit.
fn facts(line: &[u8], out: &mut Batch<'_>) {
    let trimmed = line.trim_ascii();
    if trimmed.starts_with("⛅".as_bytes()) {
        let text = String::from_utf8_lossy(trimmed);
        if let Some((_, version)) = text.split_once("wrangler ") {
            let version = version.split_whitespace().next().unwrap_or_default();
            out.mark(Mark::Fact(Fact::ToolVersion, Cow::Owned(format!("wrangler {version}"))));
        }
    } else if let Some(rest) = trimmed.strip_prefix(b"* branch ")
        && trimmed.ends_with(b"-> FETCH_HEAD")
        && let Some(commit) = rest.trim_ascii_start().split(u8::is_ascii_whitespace).next()
        && commit.len() == 40
        && commit.iter().all(u8::is_ascii_hexdigit)
    {
        out.mark(Mark::Fact(Fact::Commit, Cow::Owned(String::from_utf8_lossy(commit).into_owned())));
    }
}

/// Whether the line is the banner of the deploying tool, which belongs to no warning above it.
pub(super) fn is_banner(line: &[u8]) -> bool {
    matches!(line.first(), Some(b' ' | 0xE2)) && line.trim_ascii_start().starts_with("⛅".as_bytes())
}

/// The tools of `Detected the following tools from environment: npm@10.9.2, nodejs@22.16.0`.
pub(super) fn tools(text: &str, out: &mut Batch<'_>) {
    let Some((_, list)) = text.split_once(": ") else { return };
    for tool in list.split(',').map(str::trim).filter(|tool| !tool.is_empty()) {
        push(out, "tool_detected", 1.0, "count", tool);
    }
}

/// `Success: Dependencies restored from build cache.` is a cache hit.
pub(super) fn restored(line: &[u8], out: &mut Batch<'_>) {
    let what = if line.starts_with(b"Success: Dep") { "dependencies" } else { "build output" };
    push(out, "cache_restored", 1.0, "count", what);
}

/// ```text
/// "added " n " packages" | n " packages installed" | "found " n " vulnerabilities"
/// n [severity " severity"] " vulnerabilities" | "Total Upload: " size " / gzip: " size
/// "Worker Startup Time: " duration | "Uploaded " name " (" duration ")"
/// "Deployed " name " triggers (" duration ")" | "Current Version ID: " uuid
/// ```
fn figures(text: &str, out: &mut Batch<'_>) {
    if let Some(rest) = text.strip_prefix("added ") {
        if let Some((n, rest)) = number(rest)
            && rest.starts_with(" package")
        {
            push(out, "packages_added", n, "count", "");
        }
    } else if let Some(rest) = text.strip_prefix("found ") {
        vulnerabilities(rest, out);
    } else if text.starts_with(|c: char| c.is_ascii_digit()) {
        vulnerabilities(text, out);
        if let Some((n, rest)) = number(text)
            && rest.starts_with(" packages installed")
        {
            push(out, "packages_added", n, "count", "");
        }
    } else if let Some(rest) = text.strip_prefix("Total Upload: ") {
        let (total, gzip) = rest.split_once(" / gzip: ").unwrap_or((rest, ""));
        push_some(out, "upload_size", size_bytes(total), "bytes", "");
        push_some(out, "upload_gzip_size", size_bytes(gzip), "bytes", "");
    } else if let Some(rest) = text.strip_prefix("Worker Startup Time: ") {
        push_some(out, "worker_startup", duration_ms(rest), "ms", "");
    } else if let Some(rest) = text.strip_prefix("Uploaded ") {
        timed(rest, "worker_upload", "", out);
    } else if let Some(rest) = text.strip_prefix("Deployed ") {
        timed(rest, "triggers_deploy", " triggers", out);
    } else if let Some(version) = text.strip_prefix("Current Version ID: ") {
        push(out, "worker_version", 1.0, "count", version.trim());
    }
}

fn vulnerabilities(text: &str, out: &mut Batch<'_>) {
    let Some((n, rest)) = number(text) else { return };
    let rest = rest.strip_prefix(' ').unwrap_or_default();
    let (label, rest) = rest.split_once(" severity ").unwrap_or(("", rest));
    if rest.starts_with("vulnerabilit") && !label.contains(' ') {
        push(out, "vulnerabilities", n, "count", label);
    }
}

/// `NAME (2.92 sec)`, with `suffix` behind the name.
fn timed(text: &str, name: &'static str, suffix: &str, out: &mut Batch<'_>) {
    let Some((label, duration)) = text.trim_end().strip_suffix(')').and_then(|text| text.rsplit_once(" ("))
    else {
        return;
    };
    let Some(label) = label.strip_suffix(suffix) else { return };
    if !label.contains(' ') {
        push_some(out, name, duration_ms(duration), "ms", label);
    }
}

/// `… 4260 modules transformed.`, wherever it stands in the text.
pub(super) fn modules(text: &str, out: &mut Batch<'_>) {
    let Some((before, _)) = text.split_once(" modules transformed") else { return };
    let len = before.bytes().rev().take_while(|byte| byte.is_ascii_digit() || *byte == b',').count();
    let digits = before.get(before.len() - len..);
    if let Some((n, _)) = digits.and_then(number) {
        push(out, "modules_transformed", n, "count", "");
    }
}

/// `✓ built in 1m 2.5s`, wherever it stands in the text.
pub(super) fn built_in(text: &str, out: &mut Batch<'_>) {
    if let Some((_, rest)) = text.split_once("built in ") {
        push_some(out, "bundle", duration_ms(rest), "ms", "");
    }
}

fn push_some(out: &mut Batch<'_>, name: &'static str, value: Option<f64>, unit: &'static str, label: &str) {
    if let Some(value) = value {
        push(out, name, value, unit, label);
    }
}

fn push(out: &mut Batch<'_>, name: &'static str, value: f64, unit: &'static str, label: &str) {
    let label = Cow::Owned(label.to_owned());
    out.mark(Mark::Metric(Metric { name: Cow::Borrowed(name), value, unit, label }));
}

/// A number at the start of `text`, commas between its digits allowed, and what follows.
fn number(text: &str) -> Option<(f64, &str)> {
    let len = text.bytes().take_while(|byte| byte.is_ascii_digit() || matches!(byte, b',' | b'.')).count();
    let (digits, rest) = text.split_at_checked(len)?;
    let value: f64 = digits.replace(',', "").parse().ok()?;
    value.is_finite().then_some((value, rest))
}

/// `3695.21 KiB`.
fn size_bytes(text: &str) -> Option<f64> {
    let (value, unit) = number(text.trim())?;
    let factor = match unit.trim() {
        "B" => 1.0,
        "KiB" => 1024.0,
        "MiB" => 1024.0 * 1024.0,
        "GiB" => 1024.0 * 1024.0 * 1024.0,
        _ => return None,
    };
    Some((value * factor).round())
}

/// `194ms`, `2.92 sec`, `1m 2s`: the sum of all parts, in milliseconds.
fn duration_ms(text: &str) -> Option<f64> {
    let mut total = None;
    let mut rest = text.trim_start();
    while let Some((value, behind)) = number(rest) {
        let behind = behind.trim_start();
        let len = behind.bytes().take_while(u8::is_ascii_alphabetic).count();
        let (unit, behind) = behind.split_at_checked(len)?;
        let factor = match unit {
            "ms" => 1.0,
            "s" | "sec" | "secs" | "seconds" => 1000.0,
            "m" | "min" => 60_000.0,
            "h" => 3_600_000.0,
            _ => break,
        };
        total = Some(total.unwrap_or(0.0) + value * factor);
        rest = behind.trim_start();
    }
    // Parts of a microsecond are rounding errors of the sum.
    total.map(|total: f64| (total * 1000.0).round() / 1000.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(line: &str, expect: &[(&str, f64, &str, &str)]) {
        let mut out = Batch::new(Wants::Everything);
        tell(line.as_bytes(), &mut out);
        modules(line, &mut out);
        built_in(line, &mut out);
        let found: Vec<_> = out
            .marks
            .iter()
            .map(|marked| match &marked.mark {
                Mark::Metric(m) => (m.name.to_string(), m.value, m.unit, m.label.to_string()),
                Mark::Fact(fact, text) => (format!("{fact:?}"), 0.0, "", text.to_string()),
                other => panic!("unexpected {other:?}"),
            })
            .collect();
        let expect: Vec<_> = expect.iter().map(|&(n, v, u, l)| (n.to_owned(), v, u, l.to_owned())).collect();
        assert_eq!(found, expect, "{line}");
    }

    #[test]
    fn figures_are_read() {
        check(
            "added 1,346 packages, and audited 347 packages in 6s",
            &[("packages_added", 1346.0, "count", "")],
        );
        check("307 packages installed [864.00ms]", &[("packages_added", 307.0, "count", "")]);
        check("found 0 vulnerabilities", &[("vulnerabilities", 0.0, "count", "")]);
        check("5 vulnerabilities (3 low, 2 moderate)", &[("vulnerabilities", 5.0, "count", "")]);
        check("8 moderate severity vulnerabilities", &[("vulnerabilities", 8.0, "count", "moderate")]);
        check(
            "Total Upload: 17424.03 KiB / gzip: 0.5 KiB",
            &[("upload_size", 17_842_207.0, "bytes", ""), ("upload_gzip_size", 512.0, "bytes", "")],
        );
        check("Worker Startup Time: 9 ms", &[("worker_startup", 9.0, "ms", "")]);
        check("Uploaded shop (2.92 sec)", &[("worker_upload", 2920.0, "ms", "shop")]);
        check("Uploaded 1 of 1 asset", &[]);
        check("Deployed shop triggers (0.76 sec)", &[("triggers_deploy", 760.0, "ms", "shop")]);
        check("Current Version ID: 77bb", &[("worker_version", 1.0, "count", "77bb")]);
        check("transforming...✓ 36 modules transformed.", &[("modules_transformed", 36.0, "count", "")]);
        check("✓2 modules transformed", &[("modules_transformed", 2.0, "count", "")]);
        check("✓ built in 1m 2.5s", &[("bundle", 62_500.0, "ms", "")]);
        check("✓ built in 4.07s", &[("bundle", 4070.0, "ms", "")]);
        check("✓ built in 194ms", &[("bundle", 194.0, "ms", "")]);
        check("⛅️ wrangler 3.1.0", &[("ToolVersion", 0.0, "", "wrangler 3.1.0")]);
        check(" ⛅️ wrangler 4.100.0", &[("ToolVersion", 0.0, "", "wrangler 4.100.0")]);
        check("1e400 packages installed", &[]);
    }

    #[test]
    fn the_fetched_commit_is_a_fact() {
        let commit = "c0dd0f8bfc1da3677bf18c7c8a316f3fff6b101d";
        check(&format!(" * branch            {commit} -> FETCH_HEAD"), &[("Commit", 0.0, "", commit)]);
        check("* branch main -> FETCH_HEAD", &[]);
    }
}
