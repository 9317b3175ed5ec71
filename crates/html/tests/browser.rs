//! The page in a real browser: it runs its own script and nothing else, asks nobody for anything, and its tables
//! can be sorted. Skipped where there is no Chromium.

#![expect(clippy::disallowed_methods, reason = "a browser opens files")]

mod support;

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use logmill_html::{Page, page};
use logmill_parse::Status;
use support::{HOUR, START, completed, run, step, with_everywhere};

const BROWSERS: &[&str] = &["chromium", "chromium-browser", "google-chrome"];

/// A browser, if there is one.
fn browser() -> Option<&'static str> {
    let is_there = |name: &&&str| {
        Command::new(name)
            .arg("--version")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|it| it.success())
    };
    BROWSERS.iter().find(is_there).copied()
}

/// A folder that is gone when the test ends.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("logmill-html-{}-{name}", std::process::id()));
        fs::create_dir_all(&path).expect("a folder");
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// What the browser made of a page: the document once its script has run, its console, its network log.
struct Opened {
    document: String,
    console: String,
    network: String,
}

fn open(browser: &str, html: &str, folder: &Path) -> Opened {
    let (file, network) = (folder.join("page.html"), folder.join("net.json"));
    fs::write(&file, html).expect("a file");
    let output = Command::new(browser)
        .args([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-dev-shm-usage",
        ])
        .args([
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--enable-logging=stderr",
        ])
        .arg(format!("--user-data-dir={}", folder.join("profile").display()))
        .arg(format!("--log-net-log={}", network.display()))
        .args(["--virtual-time-budget=2000", "--dump-dom"])
        // Whatever the browser itself would like to ask, it finds no host.
        .args(["--host-resolver-rules=MAP * ~NOTFOUND", "--disable-domain-reliability"])
        .arg(format!("file://{}", file.display()))
        .output()
        .expect("a browser runs");
    Opened {
        document: String::from_utf8_lossy(&output.stdout).into_owned(),
        console: String::from_utf8_lossy(&output.stderr)
            .lines()
            .filter(|line| line.contains("CONSOLE"))
            .collect::<Vec<_>>()
            .join("\n"),
        network: fs::read_to_string(network).unwrap_or_default(),
    }
}

#[test]
fn a_browser_shows_the_page_and_asks_nobody() {
    let Some(browser) = browser() else { return eprint_skip() };
    let folder = Folder::new("shown");
    let hostile =
        "\"><script>document.title='taken'</script><img src=https://example.com/x onerror=alert(1)>";
    let opened = open(browser, &page(&with_everywhere(hostile), &Page::titled(hostile)), &folder.0);
    assert_eq!(opened.console, "", "nothing is refused and nothing fails");
    assert!(
        opened.document.contains("<th scope=\"col\"><button type=\"button\">Group</button></th>"),
        "the script has run"
    );
    assert!(!opened.document.contains("<img") && !opened.document.contains("<title>taken"));
    assert!(opened.network.contains("constants"), "expected a network log");
    // A browser asks its maker this and that, whatever it shows; the page names one host only.
    assert!(!opened.network.contains("//example.com"), "the page asked for something");
}

/// What the policy is for: were something not escaped, it would still not run.
#[test]
fn the_policy_stops_what_is_not_the_pages_own() {
    let Some(browser) = browser() else { return eprint_skip() };
    let folder = Folder::new("policy");
    let html = page(&with_everywhere("x"), &Page::titled("x"));
    let injected = "<script>document.title='taken'</script><p onclick=\"x()\" style=\"color:red\">p</p><img src=\"https://example.com/x\"/>";
    let html = html.replacen("<main id=\"main\">", &format!("<main id=\"main\">{injected}"), 1);
    let opened = open(browser, &html, &folder.0);
    assert!(opened.document.contains("<title>x</title>"));
    for directive in ["script-src", "style-src", "img-src"] {
        assert!(opened.console.contains(directive), "{directive}: {}", opened.console);
    }
    assert!(!opened.network.contains("\"url\":\"https://example.com"), "the picture was not asked for");
}

/// The SHA-256 of a text in base64, by way of Python, which knows nothing of this crate.
fn hash(text: &str) -> String {
    let program = "import base64,hashlib,sys;print(base64.b64encode(hashlib.sha256(sys.stdin.buffer.read()).digest()).decode())";
    let python =
        Command::new("python3").args(["-c", program]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
    let mut python = python.expect("Python runs");
    python.stdin.take().expect("a pipe").write_all(text.as_bytes()).expect("Python reads");
    String::from_utf8(python.wait_with_output().expect("Python ends").stdout).expect("text").trim().to_owned()
}

/// A click on a head sorts by it, a second one the other way round; what has no figure stays last.
#[test]
fn tables_can_be_sorted() {
    let has_python = Command::new("python3").arg("--version").stdout(Stdio::null()).status().is_ok();
    let Some(browser) = browser().filter(|_| has_python) else { return eprint_skip() };
    let folder = Folder::new("sorted");
    let runs = [(300, "slow"), (7, "fast"), (20, "usual")];
    let mut runs: Vec<_> = runs.map(|(ms, id)| run(id, id, Status::Succeeded, START + HOUR, ms)).into();
    runs.push(logmill_analyze::model::Run {
        duration_ms: None,
        ..run("none", "none", Status::Succeeded, START, 1)
    });
    let report = completed(logmill_analyze::Report {
        runs,
        steps: vec![step(0, 1, "work", 0, 300)],
        ..Default::default()
    });
    let html = page(&report, &Page::titled("x"));
    // Heads are clicked one after the other; the page's title tells the order of the rows after each.
    let clicks = "
document.title = ['', 'Duration', 'Duration', 'Group'].map(function (head) {
  var table = document.querySelector('[aria-label=Runs]');
  table.querySelectorAll('th button').forEach(function (b) { if (b.textContent === head) { b.click(); } });
  return Array.from(table.querySelectorAll('td:first-child')).map(function (cell) { return cell.textContent; }).join(' ')
    + Array.from(table.querySelectorAll('[aria-sort]')).map(function (head) { return ' ' + head.ariaSort; }).join('');
}).join(', ');
";
    // The policy knows the script by its hash, so a page with another script needs another policy.
    let script =
        html.split("<script>").nth(1).and_then(|rest| rest.split("</script>").next()).expect("a script");
    let with_clicks = format!("{script}{clicks}");
    let html = html.replace(script, &with_clicks);
    let before = "script-src &#39;";
    let from = html.find(before).expect("a policy") + before.len();
    let to = from + html[from..].find("&#39;").expect("a hash ends");
    let html = format!("{}sha256-{}{}", &html[..from], hash(&with_clicks), &html[to..]);
    let opened = open(browser, &html, &folder.0);
    assert_eq!(opened.console, "");
    let title = opened.document.split("<title>").nth(1).and_then(|rest| rest.split("</title>").next());
    let orders = [
        "slow fast usual none",
        "slow usual fast none descending",
        "fast usual slow none ascending",
        "fast none slow usual ascending",
    ];
    assert_eq!(title, Some(orders.join(", ").as_str()));
}

#[expect(clippy::disallowed_macros, reason = "a test says why it did nothing")]
fn eprint_skip() {
    eprintln!("skipped: there is no Chromium (or no Python) here");
}
