//! `logmill fetch`: what to fetch, of whom, and how.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use logmill_fetch::{
    AccountId, ActorId, BuildUuid, LogId, MAX_LIMIT, Order, Origin, ScheduleId, UserId, WorkerName,
    WorkflowId,
};

use super::Color;
use crate::when::When;

/// `logmill fetch`
#[derive(Debug, Args)]
pub struct FetchArgs {
    #[command(subcommand)]
    pub endpoint: Endpoint,
}

/// The endpoints.
#[derive(Debug, Subcommand)]
pub enum Endpoint {
    /// Logs of Apify runs and builds, or of all runs of an actor or task
    #[command(
        after_help = "Examples:\n  logmill fetch apify-log aB3dE6gH9jK2mN5pQ\n  logmill fetch apify-log --actor janedoe~shop --since 7d\n  logmill fetch apify-log aB3dE6gH9jK2mN5pQ --follow\n\nThe token is read from APIFY_TOKEN or --token-file."
    )]
    ApifyLog(RunLogArgs),
    /// Logs of Apify schedules
    #[command(
        after_help = "Examples:\n  logmill fetch apify-schedule sC3dE6gH9jK2mN5pQ\n\nThe token is read from APIFY_TOKEN or --token-file."
    )]
    ApifySchedule(ScheduleArgs),
    /// Logs of Cloudflare builds, or of all builds of a worker
    #[command(
        after_help = "Examples:\n  logmill fetch cloudflare-build --account A UUID\n  logmill fetch cloudflare-build --account A --worker shop --since 7d\n\nThe token is read from CLOUDFLARE_API_TOKEN, or email and key from CLOUDFLARE_EMAIL\nand CLOUDFLARE_API_KEY, or the token from --token-file."
    )]
    CloudflareBuild(BuildArgs),
    /// Executions of Alloy workflows
    #[command(
        after_help = "Examples:\n  logmill fetch alloy-execution --workflow 65f1c0ffee\n  logmill fetch alloy-execution --workflow 65f1c0ffee --order asc --limit 10\n\nThe key is read from ALLOY_API_KEY or --token-file."
    )]
    AlloyExecution(ExecutionArgs),
}

/// `logmill fetch apify-log`
#[derive(Debug, Args)]
pub struct RunLogArgs {
    /// Ids of runs or builds
    #[arg(value_name = "ID")]
    pub ids: Vec<LogId>,
    /// All runs of this actor; with ids: the folder for them
    #[arg(long, value_name = "ACTOR", conflicts_with = "task")]
    pub actor: Option<ActorId>,
    /// All runs of this task; with ids: the folder for them
    #[arg(long, value_name = "TASK")]
    pub task: Option<ActorId>,
    /// Runs that started at or after, e.g. 2026-01-31, `7d`
    #[arg(long, value_name = "WHEN", allow_hyphen_values = true)]
    pub since: Option<When>,
    /// Keep the ANSI codes that the platform takes out
    #[arg(long)]
    pub raw: bool,
    /// Wait until the run ends; a single log is printed as it comes
    #[arg(long)]
    pub follow: bool,
    /// Also store the run or build object, as lists do
    #[arg(long)]
    pub record: bool,
    #[command(flatten)]
    pub how: HowArgs,
}

/// `logmill fetch apify-schedule`
#[derive(Debug, Args)]
pub struct ScheduleArgs {
    /// Ids of schedules
    #[arg(value_name = "ID")]
    pub ids: Vec<ScheduleId>,
    #[command(flatten)]
    pub how: HowArgs,
}

/// `logmill fetch cloudflare-build`
#[derive(Debug, Args)]
pub struct BuildArgs {
    /// Uuids of builds
    #[arg(value_name = "UUID")]
    pub ids: Vec<BuildUuid>,
    /// The account
    #[arg(long, value_name = "ACCOUNT")]
    pub account: AccountId,
    /// All builds of this worker; with uuids: the folder
    #[arg(long, value_name = "WORKER")]
    pub worker: Option<WorkerName>,
    /// Builds created at or after, e.g. 2026-01-31, `7d`
    #[arg(long, value_name = "WHEN", allow_hyphen_values = true)]
    pub since: Option<When>,
    /// Also store the build record, as lists do
    #[arg(long)]
    pub record: bool,
    #[command(flatten)]
    pub how: HowArgs,
}

/// `logmill fetch alloy-execution`
#[derive(Debug, Args)]
pub struct ExecutionArgs {
    /// The workflow; may be repeated
    #[arg(long = "workflow", value_name = "WORKFLOW")]
    pub ids: Vec<WorkflowId>,
    /// Executions of this user alone
    #[arg(long, value_name = "USER")]
    pub user: Option<UserId>,
    /// Which come first
    #[arg(long, value_name = "ORDER", default_value = "desc")]
    pub order: OrderWord,
    /// Executions on a page
    #[arg(long, value_name = "N", default_value_t = MAX_LIMIT, value_parser = clap::value_parser!(u8).range(1..=i64::from(MAX_LIMIT)))]
    pub limit: u8,
    #[command(flatten)]
    pub how: HowArgs,
}

/// Value of `--order`.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum OrderWord {
    /// The oldest.
    Asc,
    /// The newest.
    Desc,
}

impl From<OrderWord> for Order {
    fn from(word: OrderWord) -> Self {
        match word {
            OrderWord::Asc => Self::Asc,
            OrderWord::Desc => Self::Desc,
        }
    }
}

/// How to fetch, of whichever platform.
#[derive(Debug, Args)]
pub struct HowArgs {
    /// File with more ids, one per line; `-` for standard input
    #[arg(long = "ids", value_name = "FILE")]
    pub ids_file: Option<PathBuf>,
    /// Folder of the dumps
    #[arg(short, long, value_name = "DIR", default_value = "dumps", help_heading = "Output")]
    pub output: PathBuf,
    /// Fetch again what is there
    #[arg(long, help_heading = "Output")]
    pub refresh: bool,
    /// Print what would be asked, and ask nothing
    #[arg(long, help_heading = "Output")]
    pub dry_run: bool,
    /// File with the token (mode 0600); `-` for standard input
    #[arg(long, value_name = "FILE", help_heading = "Network")]
    pub token_file: Option<PathBuf>,
    /// Scheme, host and port to ask instead of the platform's; http only on this machine
    #[arg(long, value_name = "URL", help_heading = "Network")]
    pub base_url: Option<Origin>,
    /// PEM file of the authorities that may vouch for the host, instead of those of the web
    #[arg(long, value_name = "FILE", help_heading = "Network")]
    pub ca_file: Option<PathBuf>,
    /// Ids fetched at the same time [default: 4 for Apify, 2 for the others]
    #[arg(long, value_name = "N", help_heading = "Network")]
    pub jobs: Option<NonZeroUsize>,
    /// Most requests per second [default: 20 for Apify, 3.5 for Cloudflare, 2 for Alloy]
    #[arg(long, value_name = "N", value_parser = rate, help_heading = "Network")]
    pub rate: Option<f64>,
    /// Most attempts of one request
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=20), help_heading = "Network")]
    pub attempts: u32,
    #[command(flatten)]
    pub voice: VoiceArgs,
}

/// What is said on the way.
#[derive(Debug, Args)]
#[command(next_help_heading = "Diagnostics")]
pub struct VoiceArgs {
    /// Say nothing on standard error but errors
    #[arg(long, short, conflicts_with = "verbose")]
    pub quiet: bool,
    /// Say of each file and each attempt what became of it
    #[arg(long, short)]
    pub verbose: bool,
    /// When to use colour
    #[arg(long, value_name = "WHEN", default_value = "auto")]
    pub color: Color,
}

fn rate(text: &str) -> Result<f64, String> {
    let rate = text.parse::<f64>().ok().filter(|rate| (0.001..=1000.0).contains(rate));
    rate.ok_or_else(|| "expected a number of requests per second from 0.001 to 1000".to_owned())
}
