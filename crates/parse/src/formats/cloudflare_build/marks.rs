//! What a line says, told by how it starts: the platform's marks and the tools' error and
//! warning prefixes.
//!
//! Lines come here without ANSI and only with their first physical line.

use crate::vocabulary::Level;

/// A line of the platform that means something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mark {
    /// `Initializing build environment`.
    InitStart,
    /// `Success: Finished initializing build environment`.
    InitEnd,
    /// `Cloning repository...`.
    CloneStart,
    /// `Success: Finished cloning repository files` (Pages).
    CloneEnd,
    /// Anything of the *prepare* phase that may be its first line.
    Prepare,
    /// `Detected the following tools from environment: `, with the length of that head.
    Tools,
    /// `Checking for configuration in a Wrangler` (Pages): prepare, or deploy behind the build.
    Configuration,
    /// `Success: Dependencies restored` / `Success: Build output restored`.
    Restored,
    /// `Installing nodejs 22.14.0`.
    ToolInstall,
    /// `Installing project dependencies: `.
    Install,
    /// `Executing user build command: `.
    Build,
    /// `Executing user command: ` (Pages).
    PagesBuild,
    /// `Success: Build command completed`.
    BuildEnd,
    /// `Finished` (Pages).
    Finished,
    /// `Executing user deploy command: `.
    Deploy,
    /// What Pages prints first when it deploys.
    PagesDeploy,
    /// `Success: Deploy command completed`.
    DeployEnd,
    /// `Uploading to (dependency|build output) cache`.
    Upload,
    /// `Success: … uploaded to build cache.`.
    Uploaded,
    /// `Failed to upload … to build cache. Skipping.`.
    UploadFailed,
    /// `Failed to restore …`: the build goes on without its cache.
    RestoreFailed,
    /// `✨ Success! Build completed.`.
    Success,
    /// `Success: Your site was deployed!` (Pages).
    PagesSuccess,
    /// `Failed: …`.
    Failed,
    /// `Build failed to initialize and was timed out`.
    InitTimeout,
    /// `An internal error occurred. Please retry your build`.
    Internal,
    /// Another line of the platform.
    Other,
}

impl Mark {
    /// Whether it says how the build ended.
    pub(super) const fn is_end(self) -> bool {
        matches!(self, Self::Success | Self::PagesSuccess) || self.is_failure()
    }

    /// Whether it says that the build failed.
    pub(super) const fn is_failure(self) -> bool {
        matches!(self, Self::Failed | Self::InitTimeout | Self::Internal)
    }

    /// Whether only Pages prints it.
    pub(super) const fn is_pages(self) -> bool {
        matches!(self, Self::CloneEnd | Self::PagesBuild | Self::PagesDeploy | Self::PagesSuccess)
    }
}

/// Text of a mark and its meaning.
type Entry = (&'static [u8], Mark);

const A: &[Entry] = &[(b"An internal error occurred. Please retry your build", Mark::Internal)];
const B: &[Entry] = &[
    (b"Build failed to initialize and was timed out", Mark::InitTimeout),
    (b"Build environment variables:", Mark::Other),
];
const C: &[Entry] = &[
    (b"Cloning repository...", Mark::CloneStart),
    (b"Checking for configuration in a Wrangler", Mark::Configuration),
];
const D: &[Entry] = &[
    (b"Detected the following tools from environment:", Mark::Tools),
    (b"Deploying your site to Cloudflare's global network", Mark::Other),
];
const E: &[Entry] = &[
    (b"Executing user build command:", Mark::Build),
    (b"Executing user deploy command:", Mark::Deploy),
    (b"Executing user command:", Mark::PagesBuild),
];
const F: &[Entry] = &[
    (b"Failed: ", Mark::Failed),
    (b"Failed to upload dependencies to build cache", Mark::UploadFailed),
    (b"Failed to upload build output to build cache", Mark::UploadFailed),
    (b"Failed to restore depend", Mark::RestoreFailed),
    (b"Failed to restore build output", Mark::RestoreFailed),
    (b"Failed building Pages Functions.", Mark::Other),
    (b"Found a .tool-versions file", Mark::Prepare),
    (b"Found Functions directory", Mark::PagesDeploy),
    (b"Found _worker.js in output directory", Mark::PagesDeploy),
    (b"Found \\_worker.js in output directory", Mark::PagesDeploy),
    (b"Found wrangler.", Mark::Other),
];
const I: &[Entry] = &[
    (b"Initializing build environment", Mark::InitStart),
    (b"Installing project dependencies:", Mark::Install),
];
const N: &[Entry] = &[
    (b"No build output detected to cache", Mark::Prepare),
    (b"No dependencies detected to cache", Mark::Prepare),
    (b"No build command specified", Mark::Other),
    (b"No wrangler.toml file found", Mark::Other),
    (b"No Wrangler configuration file found", Mark::Other),
    (b"Note: No functions dir at /functions found", Mark::Other),
];
const R: &[Entry] = &[
    (b"Restoring from dependencies cache", Mark::Prepare),
    (b"Restoring from build output cache", Mark::Prepare),
];
const S: &[Entry] = &[
    (b"Success: Finished initializing build environment", Mark::InitEnd),
    (b"Success: Finished cloning repository files", Mark::CloneEnd),
    (b"Success: Dependencies restored", Mark::Restored),
    (b"Success: Build output restored", Mark::Restored),
    (b"Success: Build command completed", Mark::BuildEnd),
    (b"Success: Deploy command completed", Mark::DeployEnd),
    (b"Success: Dependencies uploaded to build cache", Mark::Uploaded),
    (b"Success: Build output uploaded to build cache", Mark::Uploaded),
    (b"Success: Your site was deployed!", Mark::PagesSuccess),
    (b"Success: Assets published!", Mark::Other),
    (b"Successfully read ", Mark::Other),
    (b"Skipping build output cache", Mark::Other),
];
const U: &[Entry] = &[
    (b"Uploading to dependency cache", Mark::Upload),
    (b"Uploading to build output cache", Mark::Upload),
    (b"Using v2 root directory strategy", Mark::Other),
];
const V: &[Entry] = &[(b"Validating asset output directory", Mark::PagesDeploy)];

/// The line that says that a Workers build went well; nothing shorter or longer does.
pub(super) const SUCCESS: &[u8] = "✨ Success! Build completed.".as_bytes();

/// What the platform says with a line, if it is the platform's.
///
/// ```text
/// mark = one of the texts above, at the first byte
///      | "Finished"                                   the whole line
///      | "✨ Success! Build completed."               the whole line, blanks behind it aside
///      | "Installing " tool " " digit                 tool one of TOOLS
/// ```
pub(super) fn mark(line: &[u8]) -> Option<Mark> {
    let table = match line.first()? {
        b'S' => S,
        b'I' => return installing(line).or_else(|| find(I, line)),
        b'F' if line.trim_ascii_end() == b"Finished" => return Some(Mark::Finished),
        b'F' => F,
        b'E' => E,
        b'C' => C,
        b'R' => R,
        b'N' => N,
        b'D' => D,
        b'U' => U,
        b'V' => V,
        b'A' => A,
        b'B' => B,
        0xE2 => return (line.trim_ascii_end() == SUCCESS).then_some(Mark::Success),
        _ => return None,
    };
    find(table, line)
}

/// No mark is shorter than four bytes, and four bytes are compared at once.
fn find(table: &[Entry], line: &[u8]) -> Option<Mark> {
    let first = line.first_chunk::<4>()?;
    table
        .iter()
        .find(|(text, _)| text.first_chunk::<4>() == Some(first) && line.starts_with(text))
        .map(|&(_, mark)| mark)
}

/// Tools the platform installs itself, as it spells them.
const TOOLS: &[&[u8]] = &[
    b"nodejs",
    b"node",
    b"python",
    b"bun",
    b"pnpm",
    b"yarn",
    b"npm",
    b"go",
    b"golang",
    b"ruby",
    b"hugo",
    b"php",
    b"elixir",
    b"erlang",
    b"swift",
    b"uv",
    b"poetry",
    b"pipenv",
    b"bundler",
    b"zola",
    b"jekyll",
    b"java",
    b"deno",
    b"dotnet",
    b"rust",
    b"embedded-postgres",
    b"gatsby",
];

fn installing(line: &[u8]) -> Option<Mark> {
    let rest = line.strip_prefix(b"Installing ")?;
    let (tool, version) = rest.split_at(memchr::memchr(b' ', rest)?);
    let version = version.strip_prefix(b" ")?;
    let number = version.strip_prefix(b"v").unwrap_or(version);
    let is_version = number.first().is_some_and(u8::is_ascii_digit);
    (is_version && TOOLS.contains(&tool)).then_some(Mark::ToolInstall)
}

/// What a mark, a prefix or a figure may start with.
const KNOWN_STARTS: &[u8] = b"ABCDEFINRSTUVWaefnw0123456789 \t(*[\xE2";

/// For every byte, whether nothing that is known starts with it: a table, since nobody can foresee which way a
/// branch over first bytes goes.
static DULL: [bool; 256] = {
    let mut dull = [true; 256];
    let mut starts = KNOWN_STARTS;
    while let [start, rest @ ..] = starts {
        dull[*start as usize] = false;
        starts = rest;
    }
    dull
};

/// Whether nothing that is known starts like this line: no mark, no prefix, no figure.
#[inline]
pub(super) fn is_dull(line: &[u8]) -> bool {
    line.first().is_none_or(|first| DULL.get(usize::from(*first)) == Some(&true))
}

/// How a tool's line announces trouble.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Prefix {
    /// None.
    No,
    /// `✘ [ERROR]`, `▲ [WARNING]`: a block whose further lines are indented, blank lines between them.
    Block(Level),
    /// `npm error` / `npm ERR!`: every line of the error carries it.
    NpmError,
    /// ` ERR_PNPM_…`, ` ELIFECYCLE`: starts an event though it is indented itself.
    Pnpm,
    /// Any other; indented lines right below belong to it.
    Plain(Level),
}

impl Prefix {
    /// The level it means.
    pub(super) const fn level(self) -> Level {
        match self {
            Self::No => Level::Info,
            Self::Block(level) | Self::Plain(level) => level,
            Self::NpmError | Self::Pnpm => Level::Error,
        }
    }
}

/// The prefix of a tool's line. `error TS1234` may stand anywhere and is looked for elsewhere.
pub(super) fn prefix(line: &[u8]) -> Prefix {
    let text = match line.first() {
        Some(b' ' | b'\t') => line.trim_ascii_start(),
        Some(_) => line,
        None => return Prefix::No,
    };
    match text.first() {
        Some(b'n') => npm(text),
        Some(b'e') if text.starts_with(b"error:") => Prefix::Plain(Level::Error),
        Some(b'e') if text.starts_with(b"error TS") => Prefix::Plain(Level::Error),
        Some(b'w') if text.starts_with(b"warning ") => Prefix::Plain(Level::Warn),
        Some(b'(') if text.starts_with(b"(!)") => Prefix::Plain(Level::Warn),
        Some(b'E' | b'[') if is_pnpm(text) => Prefix::Pnpm,
        Some(0xE2) if text.starts_with("✘ [ERROR]".as_bytes()) => Prefix::Block(Level::Error),
        Some(0xE2) if text.starts_with("▲ [WARNING]".as_bytes()) => Prefix::Block(Level::Warn),
        _ => Prefix::No,
    }
}

fn npm(text: &[u8]) -> Prefix {
    let Some(rest) = text.strip_prefix(b"npm ") else { return Prefix::No };
    if rest.starts_with(b"error") || rest.starts_with(b"ERR!") {
        Prefix::NpmError
    } else if rest.starts_with(b"warn") || rest.starts_with(b"WARN") {
        Prefix::Plain(Level::Warn)
    } else {
        Prefix::No
    }
}

fn is_pnpm(text: &[u8]) -> bool {
    text.starts_with(b"ERR_PNPM_") || text.starts_with(b"[ERR_PNPM_") || text.starts_with(b"ELIFECYCLE")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(line: &str, expect: Option<Mark>) {
        assert_eq!(mark(line.as_bytes()), expect, "{line}");
    }

    #[test]
    fn marks_stand_at_the_start_of_a_line() {
        check("Initializing build environment. This may take up to a few minutes", Some(Mark::InitStart));
        check(" Initializing build environment...", None);
        check("✨ Success! Build completed.", Some(Mark::Success));
        check("✨ Success! Build completed. Or so", None);
        check("✨ Success! Uploaded 67 files", None);
        check("✨ Success! Uploaded secret X", None);
        check("Success: Your site was deployed!", Some(Mark::PagesSuccess));
        check("Finished", Some(Mark::Finished));
        check("Finished in 3 s", None);
        check("Failed: error occurred while running build command", Some(Mark::Failed));
        check("Failed to compile.", None);
        check("Failed to get static paths", None);
        check("Failed building Pages Functions.", Some(Mark::Other));
        check("Failed to upload dependencies to build cache. Skipping.", Some(Mark::UploadFailed));
        check("Installing nodejs 22.14.0", Some(Mark::ToolInstall));
        check("Installing node-v18.19.0-linux-x64...", None);
        check("Installing dependencies with npm", None);
        check("Installing project dependencies: bun install", Some(Mark::Install));
        check("", None);
    }

    #[test]
    fn nothing_known_is_dull() {
        for (text, _) in [A, B, C, D, E, F, I, N, R, S, U, V].concat() {
            assert!(!is_dull(text), "{}", text.escape_ascii());
        }
        assert!(is_dull(b"") && is_dull(b"> shop@0.1.0 build") && !is_dull(SUCCESS));
    }

    #[track_caller]
    fn check_prefix(line: &str, expect: Prefix) {
        assert_eq!(prefix(line.as_bytes()), expect, "{line}");
        assert!(!is_dull(line.as_bytes()), "{line}");
    }

    #[test]
    fn prefixes_mean_levels() {
        check_prefix("✘ [ERROR] Build failed", Prefix::Block(Level::Error));
        check_prefix("  ▲ [WARNING] eval", Prefix::Block(Level::Warn));
        check_prefix("npm error code ERESOLVE", Prefix::NpmError);
        check_prefix("npm ERR! code 1", Prefix::NpmError);
        check_prefix("npm warn deprecated x", Prefix::Plain(Level::Warn));
        check_prefix(" ERR_PNPM_OUTDATED_LOCKFILE  Cannot install", Prefix::Pnpm);
        check_prefix(" ELIFECYCLE  Command failed", Prefix::Pnpm);
        check_prefix("error: lockfile had changes", Prefix::Plain(Level::Error));
        check_prefix("Error: Exit with error code: 1", Prefix::No);
        check_prefix("(!) Some chunks are larger", Prefix::Plain(Level::Warn));
        check_prefix("warning package.json: No license", Prefix::Plain(Level::Warn));
        check_prefix("    ", Prefix::No);
    }
}
