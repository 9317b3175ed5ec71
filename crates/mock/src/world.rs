//! The documented endpoints, over a small made-up world.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::reply::Reply;
use crate::server::Seen;

/// Everything that can be asked for.
#[derive(Debug, Clone, Default)]
pub struct World {
    /// The one token that is accepted by all platforms.
    pub token: String,
    /// Apify runs and builds.
    pub runs: Vec<Run>,
    /// Bodies of schedule logs, by id.
    pub schedules: BTreeMap<String, Vec<u8>>,
    /// The Cloudflare account.
    pub account: String,
    /// Names and tags of its workers.
    pub scripts: Vec<(String, String)>,
    /// Its builds.
    pub builds: Vec<Build>,
    /// Executions of Alloy workflows, the newest first.
    pub workflows: BTreeMap<String, Vec<Value>>,
}

/// An Apify run or build.
#[derive(Debug, Clone)]
pub struct Run {
    /// Its id.
    pub id: String,
    /// Whose run.
    pub actor: String,
    /// Its object.
    pub object: Value,
    /// Its log, with colours.
    pub log: Vec<u8>,
}

/// A Cloudflare build.
#[derive(Debug, Clone)]
pub struct Build {
    /// Its uuid.
    pub uuid: String,
    /// The tag of its worker.
    pub tag: String,
    /// Its record.
    pub record: Value,
    /// The bodies of its pages.
    pub pages: Vec<Vec<u8>>,
}

/// The pages of a build with these lines.
#[must_use]
pub fn pages(lines: &[(i64, &str)], lines_per_page: usize) -> Vec<Vec<u8>> {
    let n_pages = lines.chunks(lines_per_page).len();
    let page = |(index, lines): (usize, &[(i64, &str)])| {
        let lines: Vec<Value> = lines.iter().map(|(ts, text)| json!([ts, text])).collect();
        let result = json!({
            "lines": lines,
            // Opaque to clients, and full of what must be escaped in a URL.
            "cursor": format!("WzAs{}+/==", (index + 1) * lines_per_page),
            "truncated": index + 1 < n_pages,
        });
        json!({"success": true, "errors": [], "messages": [], "result": result}).to_string().into_bytes()
    };
    lines.chunks(lines_per_page).enumerate().map(page).collect()
}

impl World {
    /// Answers a request as the platforms do.
    #[must_use]
    pub fn answer(&self, seen: &Seen) -> Reply {
        let parts: Vec<&str> = seen.path.split('/').skip(1).collect();
        if seen.method != "GET" {
            return Reply::status(405, "");
        }
        match parts.as_slice() {
            ["v2", rest @ ..] => self.apify(seen, rest),
            ["client", "v4", "accounts", account, rest @ ..] => self.cloudflare(seen, account, rest),
            ["workflows", id, "logs"] => self.alloy(seen, id),
            _ => Reply::status(404, "<html>no such page</html>"),
        }
    }

    fn apify(&self, seen: &Seen, parts: &[&str]) -> Reply {
        let fail = |status, kind: &str, message: &str| {
            Reply::status(status, json!({"error": {"type": kind, "message": message}}).to_string())
                .header("content-type", "application/json; charset=utf-8")
        };
        if seen.header("authorization") != format!("Bearer {}", self.token) {
            let message = "User was not found or authentication token is not valid";
            return fail(401, "user-or-token-not-found", message);
        }
        let missing = |what: &str| fail(404, "record-not-found", &format!("{what} was not found"));
        let run = |id: &str| self.runs.iter().find(|run| run.id == id);
        match parts {
            ["logs", id] => run(id).map_or_else(|| missing("Actor run or build"), |run| log(seen, &run.log)),
            ["schedules", id, "log"] => self.schedules.get(*id).map_or_else(
                || missing("Schedule"),
                |body| Reply::ok(body.clone()).header("content-type", "application/json; charset=utf-8"),
            ),
            ["actor-runs", id] => {
                object(run(id).filter(|run| !is_build(run))).unwrap_or_else(|| missing("Actor run"))
            }
            ["actor-builds", id] => {
                object(run(id).filter(|run| is_build(run))).unwrap_or_else(|| missing("Actor build"))
            }
            ["actors" | "actor-tasks", owner, "runs"] => self.runs_of(seen, owner),
            _ => fail(404, "page-not-found", "We have bad news: there is no API endpoint at this URL"),
        }
    }

    fn runs_of(&self, seen: &Seen, owner: &str) -> Reply {
        let mut runs: Vec<&Value> = self
            .runs
            .iter()
            .filter(|run| run.actor == owner && !is_build(run))
            .map(|run| &run.object)
            .collect();
        runs.sort_by_key(|run| run["startedAt"].to_string());
        if matches!(seen.param("desc"), "1" | "true") {
            runs.reverse();
        }
        let number = |name: &str, default: usize| seen.param(name).parse().unwrap_or(default);
        let (offset, limit) = (number("offset", 0), number("limit", 1000).min(1000));
        let items: Vec<&&Value> = runs.iter().skip(offset).take(limit).collect();
        let data = json!({"total": runs.len(), "offset": offset, "limit": limit, "desc": !seen.param("desc").is_empty(),
            "count": items.len(), "items": items});
        Reply::ok(json!({"data": data}).to_string()).header("content-type", "application/json; charset=utf-8")
    }

    fn cloudflare(&self, seen: &Seen, account: &str, parts: &[&str]) -> Reply {
        let fail = |status, code: u32, message: &str| {
            let errors = json!([{"code": code, "message": message}]);
            Reply::status(
                status,
                json!({"success": false, "errors": errors, "messages": [], "result": null}).to_string(),
            )
        };
        let by_token = seen.header("authorization") == format!("Bearer {}", self.token);
        let by_key = seen.header("x-auth-key") == self.token && seen.header("x-auth-email").contains('@');
        if !by_token && !by_key {
            return fail(401, 12005, "Missing or invalid token");
        }
        if account != self.account {
            return fail(404, 12000, "Account not found");
        }
        let envelope = |result: Value| {
            Reply::ok(json!({"success": true, "errors": [], "messages": [], "result": result}).to_string())
        };
        let build = |uuid: &str| self.builds.iter().find(|build| build.uuid == uuid);
        match parts {
            ["workers", "scripts"] => {
                envelope(self.scripts.iter().map(|(name, tag)| json!({"id": name, "tag": tag})).collect())
            }
            ["builds", "workers", tag, "builds"] => {
                let number = |name: &str, default: usize| seen.param(name).parse().unwrap_or(default).max(1);
                let (page, per_page) = (number("page", 1), number("per_page", 50).min(200));
                let all = self.builds.iter().filter(|build| build.tag == *tag);
                envelope(
                    all.skip((page - 1) * per_page)
                        .take(per_page)
                        .map(|build| build.record.clone())
                        .collect(),
                )
            }
            ["builds", "builds", uuid] => build(uuid)
                .map_or_else(|| fail(404, 12000, "Not found"), |build| envelope(build.record.clone())),
            ["builds", "builds", uuid, "logs"] => {
                let Some(build) = build(uuid) else { return fail(404, 12000, "Not found") };
                page_of(build, seen.param("cursor")).unwrap_or_else(|| fail(400, 12013, "Invalid query"))
            }
            _ => fail(404, 7003, "Could not route to this path"),
        }
    }

    fn alloy(&self, seen: &Seen, id: &str) -> Reply {
        let fail = |status, message: &str| Reply::status(status, json!({"message": message}).to_string());
        if seen.header("authorization").to_lowercase() != format!("bearer {}", self.token.to_lowercase()) {
            return fail(401, "Unauthorized");
        }
        if seen.header("x-api-version").is_empty() {
            return fail(400, "x-api-version header is required");
        }
        let Some(executions) = self.workflows.get(id) else { return fail(404, "Workflow not found") };
        let Ok(limit @ 1..=30) = seen.query.get("limit").map_or("10", String::as_str).parse::<usize>() else {
            return fail(422, "limit must not be greater than 30");
        };
        let page: usize = seen.param("page").parse().unwrap_or(0);
        let user = seen.param("userId");
        let mut chosen: Vec<&Value> =
            executions.iter().filter(|it| user.is_empty() || it["userId"] == user).collect();
        if seen.param("order") == "asc" {
            chosen.reverse();
        }
        let data: Vec<&Value> = chosen.into_iter().skip(page * limit).take(limit).collect();
        Reply::ok(json!({ "data": data }).to_string()).header("content-type", "application/json")
    }
}

fn is_build(run: &Run) -> bool {
    run.object.get("buildId").is_none()
}

fn object(run: Option<&Run>) -> Option<Reply> {
    let body = json!({"data": run?.object}).to_string();
    Some(Reply::ok(body).header("content-type", "application/json; charset=utf-8"))
}

/// Without `raw=1` colours are taken out.
fn log(seen: &Seen, log: &[u8]) -> Reply {
    let is_raw = matches!(seen.param("raw"), "1" | "true");
    let body = if is_raw { log.to_vec() } else { without_colours(log) };
    Reply::ok(body).header("content-type", "text/plain; charset=utf-8")
}

/// `ESC [ … m` taken out.
fn without_colours(log: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut is_code = false;
    for (index, byte) in log.iter().enumerate() {
        if *byte == 0x1b && log.get(index + 1) == Some(&b'[') {
            is_code = true;
        }
        if !is_code {
            out.push(*byte);
        }
        is_code &= *byte != b'm';
    }
    out
}

/// The page that a cursor leads to: the one after the page that gave it out.
fn page_of(build: &Build, cursor: &str) -> Option<Reply> {
    let given = |page: &Vec<u8>| -> Option<String> {
        let value: Value = serde_json::from_slice(page).ok()?;
        Some(value["result"]["cursor"].as_str()?.to_owned())
    };
    let index = if cursor.is_empty() {
        0
    } else {
        build.pages.iter().position(|page| given(page).as_deref() == Some(cursor))? + 1
    };
    Some(Reply::ok(build.pages.get(index)?.clone()).header("content-type", "application/json"))
}
