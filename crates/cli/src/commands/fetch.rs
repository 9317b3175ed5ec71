//! `logmill fetch`: arguments to targets, targets to files, and what is said about it.

mod report;
mod token;

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::str::FromStr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::Context;
use chrono::Utc;
use logmill_fetch::{
    Build, Builds, Credentials, Executions, Form, Listing, Log, Options, Platform, Policy, Refresh, Roots,
    Runs, RunsOf, Schedule, Session, Store, Summary, Target, Transfer,
};

use super::print;
use crate::args::fetch::{BuildArgs, Endpoint, ExecutionArgs, FetchArgs, HowArgs, RunLogArgs, ScheduleArgs};
use crate::failure::{Done, Failure};
use crate::terminal::safe;
use crate::when::When;
use report::Reporter;

/// The largest file of ids, and of authorities.
const MAX_FILE_BYTES: u64 = 16 << 20;

/// What is to be fetched.
enum Wanted {
    /// These.
    Targets(Vec<Target>),
    /// What a list names.
    Listed(Listing),
}

/// Fetches.
///
/// # Errors
///
/// If the arguments do not go together, or the system refuses. What the platforms refuse is no error
/// here, but a [`Done`] with something missing.
pub fn run(args: &FetchArgs) -> Result<Done, Failure> {
    match &args.endpoint {
        Endpoint::ApifyLog(args) => {
            let wanted = logs(args)?;
            // Whoever knows the id of a run may read its log.
            let needs = match &wanted {
                Wanted::Targets(_) if !args.record => token::Needs::Nothing,
                _ => token::Needs::Token,
            };
            fetch(wanted, &args.how, token::apify(&args.how, needs)?)
        }
        Endpoint::ApifySchedule(args) => {
            fetch(schedules(args)?, &args.how, token::apify(&args.how, token::Needs::Token)?)
        }
        Endpoint::CloudflareBuild(args) => fetch(builds(args)?, &args.how, token::cloudflare(&args.how)?),
        Endpoint::AlloyExecution(args) => fetch(executions(args)?, &args.how, token::alloy(&args.how)?),
    }
}

fn logs(args: &RunLogArgs) -> Result<Wanted, Failure> {
    let ids = ids(&args.ids, &args.how)?;
    let form = if args.raw { Form::Raw } else { Form::Plain };
    let of = args.actor.clone().map(RunsOf::Actor).or_else(|| args.task.clone().map(RunsOf::Task));
    if ids.is_empty() && args.how.ids_file.is_none() {
        let of = of.ok_or_else(|| nothing_to_fetch("ids of runs, --actor or --task"))?;
        if args.follow {
            return Err(Failure::Usage("--follow needs the ids of the runs to wait for".to_owned()));
        }
        return Ok(Wanted::Listed(Listing::Runs(Runs { of, since: since(args.since)?, form })));
    }
    no_since(args.since)?;
    let transfer = if args.follow { Transfer::Follow } else { Transfer::Snapshot };
    let actor = args.actor.clone().or_else(|| args.task.clone());
    let log = |id| Target::Log(Log { id, actor: actor.clone(), form, transfer, has_record: args.record });
    Ok(Wanted::Targets(ids.into_iter().map(log).collect()))
}

fn schedules(args: &ScheduleArgs) -> Result<Wanted, Failure> {
    let ids = ids(&args.ids, &args.how)?;
    if ids.is_empty() && args.how.ids_file.is_none() {
        return Err(nothing_to_fetch("ids of schedules"));
    }
    Ok(Wanted::Targets(ids.into_iter().map(|id| Target::Schedule(Schedule { id })).collect()))
}

fn builds(args: &BuildArgs) -> Result<Wanted, Failure> {
    let ids = ids(&args.ids, &args.how)?;
    let account = args.account.clone();
    if ids.is_empty() && args.how.ids_file.is_none() {
        let worker = args.worker.clone().ok_or_else(|| nothing_to_fetch("uuids of builds, or --worker"))?;
        return Ok(Wanted::Listed(Listing::Builds(Builds { account, worker, since: since(args.since)? })));
    }
    no_since(args.since)?;
    let build = |uuid| {
        let (account, worker) = (account.clone(), args.worker.clone());
        Target::Build(Build { account, worker, uuid, has_record: args.record })
    };
    Ok(Wanted::Targets(ids.into_iter().map(build).collect()))
}

fn executions(args: &ExecutionArgs) -> Result<Wanted, Failure> {
    let ids = ids(&args.ids, &args.how)?;
    if ids.is_empty() && args.how.ids_file.is_none() {
        return Err(nothing_to_fetch("--workflow, or --ids"));
    }
    let of = |workflow| {
        let (user, order) = (args.user.clone(), args.order.into());
        Target::Executions(Executions { workflow, user, order, limit: args.limit })
    };
    Ok(Wanted::Targets(ids.into_iter().map(of).collect()))
}

fn nothing_to_fetch(expected: &str) -> Failure {
    Failure::Usage(format!("expected {expected}, found nothing to fetch"))
}

fn no_since(since: Option<When>) -> Result<(), Failure> {
    match since {
        Some(_) => Err(Failure::Usage("--since chooses from a list; it does not go with ids".to_owned())),
        None => Ok(()),
    }
}

fn since(when: Option<When>) -> Result<Option<SystemTime>, Failure> {
    let Some(when) = when else { return Ok(None) };
    let micros = when.resolve(Utc::now(), chrono_tz::UTC).and_then(|micros| u64::try_from(micros).ok());
    let micros = micros.ok_or_else(|| Failure::Usage("expected a time after 1970 for --since".to_owned()))?;
    Ok(Some(UNIX_EPOCH + Duration::from_micros(micros)))
}

/// The ids of the command line and of the file, each once, in their order.
fn ids<I: FromStr<Err = logmill_fetch::IdError> + Clone + Ord>(
    given: &[I],
    how: &HowArgs,
) -> Result<Vec<I>, Failure> {
    let mut ids = given.to_vec();
    if let Some(path) = &how.ids_file {
        if path == Path::new("-") && how.token_file.as_deref() == Some(path) {
            return Err(Failure::Usage("expected ids or the token on standard input, found both".to_owned()));
        }
        let text = String::from_utf8_lossy(&read(path)?).into_owned();
        for (index, line) in text.lines().map(str::trim).enumerate() {
            if !line.is_empty() && !line.starts_with('#') {
                let place = || format!("{}:{}", safe(&path.to_string_lossy()), index + 1);
                let id = line.parse().map_err(|error| Failure::Usage(format!("{}: {error}", place())))?;
                ids.push(id);
            }
        }
    }
    let mut seen = BTreeSet::new();
    ids.retain(|id| seen.insert(id.clone()));
    Ok(ids)
}

/// A small file, or standard input.
fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    let context = || format!("cannot read {}", path.display());
    let mut bytes = Vec::new();
    let limit = MAX_FILE_BYTES + 1;
    if path == Path::new("-") {
        io::stdin().lock().take(limit).read_to_end(&mut bytes).with_context(context)?;
    } else {
        let file = File::open(path).with_context(context)?;
        file.take(limit).read_to_end(&mut bytes).with_context(context)?;
    }
    if bytes.len() as u64 > MAX_FILE_BYTES {
        return Err(Failure::Usage(format!(
            "expected at most {MAX_FILE_BYTES} bytes in {}, found more",
            path.display()
        )));
    }
    Ok(bytes)
}

fn options(how: &HowArgs, credentials: Credentials) -> Result<Options, Failure> {
    let roots = match &how.ca_file {
        Some(path) => Roots::Pem(read(path)?),
        None => Roots::Web,
    };
    Ok(Options {
        origin: how.base_url.clone(),
        credentials,
        policy: Policy { max_attempts: how.attempts, ..Policy::default() },
        roots,
        interval: how.rate.map(|rate| Duration::from_secs_f64(1.0 / rate)),
        jobs: how.jobs,
        ..Options::default()
    })
}

fn fetch(wanted: Wanted, how: &HowArgs, credentials: Credentials) -> Result<Done, Failure> {
    if how.dry_run {
        return print(&plan(&wanted, how, &credentials));
    }
    let platform = match &wanted {
        Wanted::Targets(targets) => match targets.first() {
            Some(target) => target.platform(),
            None => return Ok(Done::Well),
        },
        Wanted::Listed(listing) => listing.platform(),
    };
    let options = options(how, credentials)?;
    let session = Session::new(platform, &options).map_err(|error| Failure::Usage(error.to_string()))?;
    let mut reporter = Reporter::new(how);
    let targets = match wanted {
        Wanted::Targets(targets) => targets,
        Wanted::Listed(listing) => match session.list(&listing, &reporter) {
            Ok(targets) => targets,
            Err(missing) => {
                reporter.conclude(&Summary { missing: vec![missing], ..Summary::default() }, how, 1);
                return Ok(Done::Missing);
            }
        },
    };
    reporter.expect(&targets);
    let store = Store::new(&how.output, if how.refresh { Refresh::All } else { Refresh::Missing });
    let summary = session.fetch(&targets, &store, &reporter).map_err(|error| {
        Failure::System(anyhow::Error::new(error).context("cannot store what would be fetched"))
    })?;
    reporter.conclude(&summary, how, targets.len());
    Ok(if summary.missing.is_empty() { Done::Well } else { Done::Missing })
}

/// What would be asked.
fn plan(wanted: &Wanted, how: &HowArgs, credentials: &Credentials) -> String {
    let mut out = String::new();
    let mut add = |platform: Platform, request: &logmill_fetch::Request, to: &str| {
        let origin = how.base_url.clone().unwrap_or_else(|| platform.origin());
        let _ = writeln!(out, "GET {}", request.url(&origin));
        for (name, value) in request.headers() {
            let _ = writeln!(out, "    {name}: {value}");
        }
        for header in credentials.shown() {
            let _ = writeln!(out, "    {header}");
        }
        let _ = writeln!(out, "    → {to}");
    };
    match wanted {
        Wanted::Listed(listing) => {
            add(listing.platform(), &listing.plan(), "a list, and then the object and the log of each entry");
        }
        Wanted::Targets(targets) => {
            for target in targets {
                for (request, place) in target.plan() {
                    add(target.platform(), &request, &safe(&how.output.join(place).to_string_lossy()));
                }
            }
        }
    }
    out
}
