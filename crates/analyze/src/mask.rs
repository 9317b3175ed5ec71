//! From an error message to its template: what varies between occurrences is masked.
//!
//! Owns which parts of a message are kept (`mask/message.rs`) and how one line of it is masked
//! (`mask/line.rs`); `mask/recent.rs` remembers templates. Grouping by template is the caller's, merging near-identical templates is
//! [`crate::cluster`]'s.
//!
//! ```text
//! template    := line [ " | " reason ] [ " at " function " (" file ")" ]       at most 300 characters
//! <n> number  <dur> 30s  <size> 3.5 MB  <time> date, clock  <hex> <uuid> <id>  <q> quoted  <path>  <email>  <json>  <html>
//! https://host<path>     scheme and host stay, so a group shows whose fault it is while that is one host's
//! ```
//!
//! A path is masked whole: the same failure in two files is one group. The file's base name is
//! kept only in the frame, where it says which code failed. A code is a name, not a quantity:
//! `code 137`, `status 403`, `403 Forbidden`, `TS2322` stay.

mod line;
mod message;
mod recent;

pub use recent::mask_again;

/// Characters of a template, the frame included.
pub const TEMPLATE_CHARS: usize = 300;

/// Characters of the frame; the message before it keeps the rest.
const FRAME_CHARS: usize = 90;

/// Replaces the contents of `template` by the template of `message`.
///
/// Time is linear in the message, whatever it holds; nothing is allocated but what the template
/// needs beyond its capacity.
pub fn mask(message: &str, template: &mut String) {
    template.clear();
    let parts = message::parts(message);
    let room = if parts.frame.is_some() { TEMPLATE_CHARS - FRAME_CHARS } else { TEMPLATE_CHARS };
    line::mask(parts.head, room, template);
    if let Some(reason) = parts.reason {
        template.push_str(" | ");
        line::mask(reason, room, template);
    }
    truncate_chars(template, room);
    if let Some(frame) = parts.frame {
        template.push_str(if template.is_empty() { "at " } else { " at " });
        line::mask(frame.function, TEMPLATE_CHARS, template);
        if !frame.file.is_empty() {
            template.push_str(" (");
            line::mask(frame.file, TEMPLATE_CHARS, template);
            template.push(')');
        }
        truncate_chars(template, TEMPLATE_CHARS);
    }
}

/// What happened, in one line: the line that says so, and the reason below it where it only announces one.
/// The first line of a crash report names a place in the source.
///
/// ```text
/// headline := line [ ": " reason ]
/// ```
#[must_use]
pub fn headline(message: &str) -> String {
    let parts = message::parts(message);
    let head =
        if parts.head.is_empty() { message.trim_start().lines().next().unwrap_or("") } else { parts.head };
    match parts.reason {
        Some(reason) => format!("{}: {reason}", head.trim_end().trim_end_matches([':', '.'])),
        None => head.trim_end().to_owned(),
    }
}

fn truncate_chars(text: &mut String, chars: usize) {
    if text.len() > chars
        && let Some((end, _)) = text.char_indices().nth(chars)
    {
        text.truncate(end);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(message: &str, expect: &str) {
        let mut template = String::from("left over");
        mask(message, &mut template);
        assert_eq!(template, expect, "{message}");
    }

    #[test]
    fn headlines() {
        let check = |message: &str, expect: &str| assert_eq!(headline(message), expect, "{message}");
        check("", "");
        check("Item 7 is lost", "Item 7 is lost");
        check(
            "file:///a/b.js:74\n    throw new E(`x`);\n          ^\n\nE: no such file\n    at f (b.js:1:2)",
            "E: no such file",
        );
        check(
            "Traceback (most recent call last):\n  File \"a.py\", line 1, in f\n    g()\nKeyError: 'x'",
            "KeyError: 'x'",
        );
        check(
            "Actor failed with an exception\nTraceback (most recent call last):\n  File \"a.py\", line 1, in f\n    g()\nKeyError: 'x'",
            "Actor failed with an exception: KeyError: 'x'",
        );
        check(
            "The function passed to Apify.main() threw an exception:\n  Error: spawn ps\n      at f (a.js:1:2)",
            "The function passed to Apify.main() threw an exception: Error: spawn ps",
        );
        check("    at f (a.js:1:2)\n    at g (a.js:3:4)", "at f (a.js:1:2)");
    }

    #[test]
    fn words_stay() {
        check("", "");
        check("Request blocked, retrying it again", "Request blocked, retrying it again");
        check("Login • Beispiel – größer", "Login • Beispiel – größer");
        check("PlaywrightCrawler handleRequestFunction", "PlaywrightCrawler handleRequestFunction");
        check("FileNotFoundError HttpClientStatusCodeError", "FileNotFoundError HttpClientStatusCodeError");
        check("  two \t blanks  ", "two blanks");
        check("read/write and/or text/html N/A", "read/write and/or text/html N/A");
        check("net::ERR_TUNNEL_CONNECTION_FAILED", "net::ERR_TUNNEL_CONNECTION_FAILED");
    }

    #[test]
    fn numbers_and_durations() {
        check("Timeout 30000ms exceeded.", "Timeout <dur> exceeded.");
        check("after 1.5s, 2min or 1h2m3s", "after <dur>, <dur> or <dur>");
        check("timed out after 60 seconds.", "timed out after <n> seconds.");
        check("Using 976 MB of 1024 MB (95%).", "Using <size> of <size> (<n>%).");
        check("of 32768MB, 12 bytes or 3 kBq", "of <size>, <size> or <n> kBq");
        check("v20.18.1 glob@7.2.3: errno=-104 3rd", "v<n> glob@<n>: errno=-104 <n>rd");
        check("worker12 in chunk-7 at -3.5", "worker<n> in chunk-<n> at <n>");
        check("10.0.91.212:8010", "<n>:<n>");
        check("1,234,567 rows", "<n> rows");
        check("16 of 20 [2/4]", "<n> of <n> [<n>/<n>]");
    }

    #[test]
    fn codes_are_names() {
        check("Request failed with status code 403", "Request failed with status code 403");
        check("received 429 status code.", "received 429 status code.");
        check("500: Internal Server Error, 404 Not Found", "500: Internal Server Error, 404 Not Found");
        check("exited with code: 127", "exited with code: 127");
        check("failed [code: 10013] statusCode=429", "failed [code: 10013] statusCode=429");
        check("error TS2322 (UPSTREAM502)", "error TS2322 (UPSTREAM502)");
        check("code 123456789", "code <n>");
        check("code is 12", "code is <n>");
        check("a list of 404 items", "a list of <n> items");
    }

    #[test]
    fn times() {
        check("at 2025-01-31T23:59:59.123Z x", "at <time> x");
        check("2025-01-31 23:59:59,5 x", "<time>,<n> x");
        check("on 2025-01-31 only", "on <time> only");
        check("[07:05:40] go 07:05:40.123", "[<time>] go <time>");
    }

    #[test]
    fn ids() {
        check("actor 9wQpRzT4Kbd2vYx8M ended", "actor <id> ended");
        check("request fHcWqLmz7305kDr.", "request <id>.");
        check("id kUyRvBqWLmZeXtNpa", "id <id>");
        check("execution q7KdW_2mZs9Lx-4RbTyUn", "execution <id>");
        check("run 5d0f7a31-9c24-4be8-8f16-a0b1c2d3e4f5", "run <uuid>");
        check("run-5d0f7a31-9c24-4be8-8f16-a0b1c2d3e4f5.", "run-<uuid>.");
        check("commit 1a2b3c4 at 0x7f90a1b2c3d4", "commit <hex> at <hex>");
        check("sha256:e3b0c44298fc1c149afbf4c8996fb924", "sha<n>:<hex>");
        check("deadbeef facade", "deadbeef facade");
        check("token k3j5h2k4j5z", "token <id>");
        check(&format!("x {} y", "a".repeat(100)), "x <id> y");
    }

    #[test]
    fn urls_down_to_host() {
        check("at https://www.example.com/a/b?c=d#e.", "at https://www.example.com<path>.");
        check("at https://www.example.com, then", "at https://www.example.com<path>, then");
        check("(http://user:pw@proxy.example.com:8000)", "(http://proxy.example.com<path>)");
        check("(see https://en.example.org/wiki/A_(b))", "(see https://en.example.org<path>)");
        check("http://172.31.57.222:8010/v2/x", "http://<n><path>");
        check("url=https://a.example.com/x?y=[1],2 next", "url=https://a.example.com<path> next");
        check("file:///usr/src/app/main.js:3:4 x", "<path> x");
        check("mail jo.doe+x@example.com!", "mail <email>!");
    }

    #[test]
    fn paths() {
        check("open /opt/buildhome/repo/package.json", "open <path>");
        check("in ./src/a.ts, ../b.js and src/c.tsx:3:14.", "in <path>, <path> and <path>.");
        check("src/index.ts(20,3): error TS2322: no", "<path>(<n>): error TS2322: no");
        check("src/index.ts(20,113): error TS2322: no", "<path>(<n>): error TS2322: no");
        check(r"open C:\Users\jo\x.txt now", "open <path> now");
        check("functions/api/[[path]].ts:2:3 x", "<path> x");
        check("app/(shop)/page.tsx x", "<path> x");
        check("API (/accounts/0a1b/scripts/shop/versions) failed", "API (<path>) failed");
        check("@acme/vite@4.2.1", "@acme/vite@<n>");
        check("HTTP/1.1 200 OK", "HTTP/<n> 200 OK");
    }

    #[test]
    fn quotes() {
        check(r#"Missing script: "build""#, "Missing script: <q>");
        check("can't read 'it's' or `a b`", "can't read <q> or <q>");
        check("Page didn't load, users' data isn't here", "Page didn't load, users' data isn't here");
        check("‘node’ and “a b” didn’t", "<q> and <q> didn’t");
        check("a 5\" screen \"open", "a <n>\" screen \"open");
        check(r#"say "a \" b" x"#, "say <q> x");
        check("host='x', port=443", "host=<q>, port=<n>");
        check("''", "<q>");
    }

    #[test]
    fn payloads() {
        check(r#"failed {"a":{"b":"}"}} after"#, "failed <json> after");
        check("failed {'a': 1, 'b': [2]} after", "failed <json> after");
        check("failed { url: 'x', n: 3 } after", "failed <json> after");
        check(r#"failed: [{"code":5409,"message":"x"}, 3] after"#, "failed: <json> after");
        check("histogram [1,2,30] [7]", "histogram <json> [<n>]");
        check(r#"cut {"a":"b"#, "cut <json>");
        check("[Status message]: {curly} [object Object]", "[Status message]: {curly} [object Object]");
        check("got <!DOCTYPE html><p>1", "got <html>");
    }

    #[test]
    fn javascript_traces_keep_the_top_application_frame() {
        check(
            "handleRequestFunction failed, reclaiming failed request back to the list or queue\n  \
             Error: Page didn't load, going on...\n      \
             at Object.wait (/home/u/node_modules/apify/build/x.js:1:2)\n      \
             at async ShopCrawler.handlePage [as run] (/home/u/src/main.js:363:23)\n      \
             at async other (/home/u/src/routes.js:3:3)",
            "handleRequestFunction failed, reclaiming failed request back to the list or queue | \
             Error: Page didn't load, going on... at ShopCrawler.handlePage (main.js)",
        );
        check("x\n    at file:///app/dist/a.js:1:2", "x at <anonymous> (a.js)");
        check("x\n    at listOnTimeout (node:internal/timers:559:17)", "x");
        check("x\n    at Promise.all (index 0)\n    at internal/timers.js:5:1", "x");
        check("x\nat least one", "x | at least one");
        check("    at g (/app/src/b.js:1:2)\n    at h (/app/src/c.js:1:2)", "at g (b.js)");
    }

    #[test]
    fn playwright_logs_are_dropped() {
        check(
            "page.goto: Timeout 30000ms exceeded.\n=========================== logs ===\n\
             waiting for navigation until \"load\"\n============\n    at go (/home/u/src/main.js:35:18)",
            "page.goto: Timeout <dur> exceeded. at go (main.js)",
        );
        check(
            "Retrying request to https://a.example.com/x due to: Page.goto: Timeout 30000ms exceeded.\nCall log:\n  \
             - navigating to \"https://a.example.com/x\"\n\nFile \"/usr/lib/python3.13/site-packages/p/_c.py\", line 132, in _send,     r = 1",
            "Retrying request to https://a.example.com<path> due to: Page.goto: Timeout <dur> exceeded.",
        );
    }

    #[test]
    fn python_tracebacks_keep_exception_and_last_application_frame() {
        check(
            "Actor failed with an exception\nTraceback (most recent call last):\n  \
             File \"/usr/src/app/src/main.py\", line 170, in main\n    x = y.get('t')\n        ^^^\n  \
             File \"/usr/lib/python3.12/site-packages/k/z.py\", line 1, in inner\n    pass\n\
             AttributeError: 'function' object has no attribute 'get'",
            "Actor failed with an exception | AttributeError: <q> object has no attribute <q> at main (main.py)",
        );
        check(
            "Timed out.\n      Traceback (most recent call last):\n        File \"/app/.venv/lib/x.py\", line 62, in run\n          \
             return f()\n                 ^^^\n      TimeoutError\n\n      During handling of the above exception, another exception occurred:\n\n      \
             Traceback (most recent call last):\n        File \"/app/src/s.py\", line 6, in go\n      ValueError: bad 7",
            "Timed out. | ValueError: bad <n> at go (s.py)",
        );
        check(
            "Traceback (most recent call last):\n  File \"<stdin>\", line 1, in <module>\nKeyError: 'a'",
            "KeyError: <q>",
        );
    }

    #[test]
    fn node_crashes_show_their_error() {
        check(
            "file:///home/u/dist/pkg.js:74\n            throw new FileNotFoundError(`no ${x}`);\n                  ^\n\n\
             FileNotFoundError: Version information not found at /home/u/.cache/v.json.\n    at f (file:///home/u/dist/pkg.js:74:1)\n\nNode.js v20.1.0",
            "FileNotFoundError: Version information not found at <path>. at f (pkg.js)",
        );
        check("node:internal/process/esm_loader:97\n    x(\n     ^\n\nTimeoutError: y", "TimeoutError: y");
        check("/usr/src/app/main.js:3:4\n\n", "<path>");
    }

    #[test]
    fn tool_errors_keep_two_lines() {
        check(
            "npm error code ERESOLVE\nnpm error ERESOLVE could not resolve\nnpm error\nnpm error While resolving: a@1.2.3",
            "npm error code ERESOLVE | npm error ERESOLVE could not resolve",
        );
        check(
            "✘ [ERROR] Build failed with 1 error:\n\n  ✘ [ERROR] Could not resolve \"../x.js\"\n\n    functions/a.ts:2:3:\n      2 │ import x",
            "✘ [ERROR] Build failed with <n> error: | ✘ [ERROR] Could not resolve <q>",
        );
        check(
            "src/a.ts(1,2): error TS2322: Type 'A' is not 'B'.\n  Types of property 'x' are incompatible.",
            "<path>(<n>): error TS2322: Type <q> is not <q>.",
        );
        check(
            "Error: Turbopack build failed with 1 errors:\n./app/page.tsx:3:1\nParsing failed\n",
            "Error: Turbopack build failed with <n> errors: | Parsing failed",
        );
    }

    #[test]
    fn templates_are_capped_and_keep_their_frame() {
        let long = format!("{}\n    at f (/app/a.js:1:1)", "wörd ".repeat(500));
        let mut template = String::new();
        mask(&long, &mut template);
        assert!(template.ends_with(" at f (a.js)"), "{template}");
        assert!(template.chars().count() <= TEMPLATE_CHARS);
        mask(&"ž".repeat(50).as_str().split("").collect::<Vec<_>>().join(" ").repeat(9), &mut template);
        assert_eq!(template.chars().count(), TEMPLATE_CHARS);
    }

    #[test]
    fn any_mixture_is_masked_and_letters_never_doubled() {
        let pieces = [
            "word",
            "Err",
            " ",
            " ",
            "12",
            "1.5",
            "MB",
            " MB",
            "s",
            "://",
            "http",
            "/",
            "a/b",
            ".",
            ":",
            "@",
            "x.y",
            "-",
            "_",
            "\"",
            "'",
            "`",
            "{",
            "}",
            "[",
            "]",
            "(",
            ")",
            "\n",
            "    at f (",
            "aB3dE6gH9jK2mN5pQ",
            "0x1f",
            "2025-01-31",
            "T10:00:00Z",
            "é",
            "“",
            "”",
            "✘",
            ",",
            "=",
            "<",
            "code",
            "File \"",
            "\", line ",
            "Traceback (most recent call last):\n",
            "=====",
            "^",
            "\\",
            "\u{a0}",
        ];
        // A fixed xorshift: the same mixtures every time.
        let mut state = 0x2545_f491_4f6c_dd1d_u64;
        let mut template = String::new();
        for _ in 0..50_000 {
            let mut message = String::new();
            for _ in 0..12 {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                message.push_str(pieces[usize::try_from(state % pieces.len() as u64).unwrap_or(0)]);
            }
            mask(&message, &mut template);
            assert!(template.chars().count() <= TEMPLATE_CHARS, "{message:?}");
            let count = |text: &str| text.matches("Err").count();
            assert!(count(&template) <= count(&message), "{message:?} gave {template:?}");
        }
    }

    #[test]
    fn hostile_input_takes_linear_time() {
        let seeds = [
            "a",
            "1",
            "\"",
            "'",
            "`",
            "{",
            "[",
            "(",
            "<",
            "/",
            ":",
            "=",
            "\n",
            " ",
            "'a",
            "\"a ",
            "{\"",
            "[{",
            "{a:",
            "a://",
            "://",
            "@",
            "a@b.",
            "-1",
            "1.",
            "1:",
            "0x",
            "at \n",
            "at (\n",
            "File \"\n",
            "=====\n",
            "^\n",
            "\\",
            "‘",
            "“",
            "\u{a0}",
            "é",
            "a'b'",
            "Traceback (most recent call last):\n",
            "Call log:\n- a\n",
            "1,",
            "[1,",
            "{ {",
            "/(",
            "a/[",
            "<!doctype html",
            "12-",
            "http://a",
            "code 1 ",
            "1-2-3-",
            "deadbee1-",
            "aB3",
            "{'\\",
            "'\\",
        ];
        // About 55 MiB: a quadratic step on one of them alone takes minutes, which whoever waits for the tests notices.
        let mut template = String::new();
        for seed in seeds {
            for tail in ["", "\n    at f (a.js:1:1)", "\"", "}"] {
                let text = format!("{}{tail}", seed.repeat((1 << 18) / seed.len()));
                mask(&text, &mut template);
                assert!(template.chars().count() <= TEMPLATE_CHARS);
            }
        }
    }
}
