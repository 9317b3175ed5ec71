//! The words every format and every table share: platform, kind, level, class, status.
//!
//! Owns the closed lists and their spelling. Which log line means which word is
//! decided in `formats/`, never here.

/// Declares an enum whose variants have one fixed lower-case spelling each.
macro_rules! words {
    ($(#[$meta:meta])* $name:ident { $($(#[$vmeta:meta])* $variant:ident = $text:literal,)+ }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $($(#[$vmeta])* $variant,)+ }

        impl $name {
            /// Every value, in declaration order.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The spelling used in tables and on the command line.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)+ }
            }

            /// The value spelt `text`, if there is one.
            #[must_use]
            pub fn from_word(text: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|value| value.as_str() == text)
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.as_str())
            }
        }
    };
}

words! {
    /// How serious the source says an event is, most serious first.
    Level {
        /// Python's `CRITICAL`.
        Critical = "critical",
        /// `ERROR`, and tool lines that announce an error.
        Error = "error",
        /// `SFAIL` / `SOFT_FAIL` of the Apify logger.
        SoftFail = "soft_fail",
        /// `WARN` / `WARNING`.
        Warn = "warn",
        /// `INFO`.
        Info = "info",
        /// `PERF` of the Apify logger.
        Perf = "perf",
        /// `DEBUG`.
        Debug = "debug",
        /// The line carries no level (`print`, `console.log`, platform lines).
        None = "none",
    }
}

impl Level {
    /// Whether the level itself says that something went wrong.
    #[must_use]
    pub const fn is_error(self) -> bool {
        matches!(self, Self::Critical | Self::Error | Self::SoftFail)
    }
}

words! {
    /// What an event says, whatever its level.
    Class {
        /// A line of the platform itself (`ACTOR: …`, `Cloning repository…`).
        Platform = "platform",
        /// A request or call that failed and will be tried again.
        Retry = "retry",
        /// Something that was given up for good.
        Failure = "failure",
        /// The program ended on an uncaught exception.
        Crash = "crash",
        /// Memory, CPU or client overload reported by a crawler.
        Overload = "overload",
        /// Crawler statistics and pool states.
        Statistics = "statistics",
        /// A status message of the program.
        Status = "status",
        /// Anything else.
        Plain = "plain",
    }
}

words! {
    /// What kind of run it is.
    Kind {
        /// An Apify Actor run.
        Run = "run",
        /// An Apify or Cloudflare build.
        Build = "build",
        /// One firing of an Apify schedule.
        Invocation = "invocation",
        /// One execution of an Alloy workflow.
        Execution = "execution",
    }
}

words! {
    /// How a run ended, as far as the log or the metadata beside it says.
    Status {
        /// It ended well.
        Succeeded = "succeeded",
        /// It ended badly.
        Failed = "failed",
        /// Somebody or something stopped it.
        Aborted = "aborted",
        /// The platform stopped it at its time limit.
        TimedOut = "timed_out",
        /// The platform decided not to run it.
        Skipped = "skipped",
        /// It had not ended when the log was saved.
        Running = "running",
        /// The log does not say; never a guess.
        Unknown = "unknown",
    }
}

words! {
    /// How a step is delimited.
    StepKind {
        /// A phase delimited by the platform's marks.
        Phase = "phase",
        /// A step the source itself delimits.
        Step = "step",
        /// One container incarnation of a run that was restarted.
        Segment = "segment",
        /// A part of a phase (a Docker instruction, a cache upload).
        Substep = "substep",
    }
}

words! {
    /// The platform a log comes from.
    Platform {
        /// Apify.
        Apify = "apify",
        /// Cloudflare Workers Builds and Pages.
        Cloudflare = "cloudflare",
        /// Alloy Embedded.
        Alloy = "alloy",
    }
}
