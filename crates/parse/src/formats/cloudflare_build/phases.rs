//! From the platform's marks to the phases of a build.

use std::borrow::Cow;

use super::marks::Mark;
use crate::mark::{Mark as Annotation, StepEnd, StepStart};
use crate::record::Batch;
use crate::vocabulary::{Status, StepKind};

/// The phases, in the only order they come in. Any of them may be missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Phase {
    Init,
    Clone,
    Prepare,
    ToolInstall,
    Install,
    Build,
    Deploy,
    CacheUpload,
}

impl Phase {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Init => "init",
            Self::Clone => "clone",
            Self::Prepare => "prepare",
            Self::ToolInstall => "tool_install",
            Self::Install => "install",
            Self::Build => "build",
            Self::Deploy => "deploy",
            Self::CacheUpload => "cache_upload",
        }
    }

    /// Whether the phase may start a second time after it ended: commands may, the platform's own work does not.
    const fn repeats(self) -> bool {
        matches!(self, Self::ToolInstall | Self::Install | Self::Build | Self::Deploy | Self::CacheUpload)
    }
}

/// Which clock the init phase is told by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum InitClock {
    /// The marker lines.
    Lines,
    /// The platform's `events[]`, reported elsewhere.
    Events,
}

/// The phases of one build, as far as its lines have been read.
#[derive(Debug)]
pub(super) struct Phases {
    init: InitClock,
    open: Option<Phase>,
    reached: Option<Phase>,
    /// Line at which the open phase started.
    since: usize,
    /// Cache uploads that have not ended.
    uploads: u32,
    upload_depth: u8,
    /// Whether the build was seen from its first lines on.
    pub(super) began: bool,
    /// Whether anything shows that it is a Pages build.
    pub(super) pages: bool,
    /// Whether a Pages build command has ended.
    finished: bool,
}

impl Phases {
    pub(super) const fn new(init: InitClock) -> Self {
        Self {
            init,
            open: None,
            reached: None,
            since: 0,
            uploads: 0,
            upload_depth: 0,
            began: false,
            pages: false,
            finished: false,
        }
    }

    /// The phase that is open.
    pub(super) const fn open(&self) -> Option<Phase> {
        self.open
    }

    /// Where the lines of the phase that is open start: those of an excerpt without any phase mark
    /// are all of one phase.
    pub(super) fn open_since(&self) -> Option<usize> {
        if self.reached.is_none() { Some(0) } else { self.open.map(|_| self.since) }
    }

    /// Whether `Finished` would end a build command of Pages.
    pub(super) fn awaits_finished(&self) -> bool {
        self.pages && self.open == Some(Phase::Build)
    }

    /// Takes the mark of line `at`; what follows from it is attached to the record pushed next.
    pub(super) fn take(&mut self, mark: Mark, at: usize, out: &mut Batch<'_>) {
        self.pages |= mark.is_pages();
        match mark {
            Mark::InitStart => {
                self.began = true;
                self.start(Phase::Init, at, out);
            }
            Mark::CloneStart => {
                self.began = true;
                self.start(Phase::Clone, at, out);
            }
            Mark::InitEnd => self.end(Phase::Init, out),
            Mark::CloneEnd => self.end(Phase::Clone, out),
            Mark::Prepare | Mark::Tools => self.start(Phase::Prepare, at, out),
            Mark::Configuration => {
                let phase = if self.finished { Phase::Deploy } else { Phase::Prepare };
                self.start(phase, at, out);
            }
            Mark::ToolInstall => self.start(Phase::ToolInstall, at, out),
            Mark::Install => self.start(Phase::Install, at, out),
            Mark::Build | Mark::PagesBuild => self.start(Phase::Build, at, out),
            Mark::BuildEnd => self.end(Phase::Build, out),
            Mark::Finished if self.awaits_finished() => {
                self.finished = true;
                self.end(Phase::Build, out);
            }
            Mark::Deploy => self.start(Phase::Deploy, at, out),
            Mark::PagesDeploy if self.open != Some(Phase::Build) => self.start(Phase::Deploy, at, out),
            Mark::DeployEnd => self.end(Phase::Deploy, out),
            Mark::Upload => self.upload(at, out),
            Mark::Uploaded => self.uploaded(Status::Succeeded, out),
            Mark::UploadFailed => self.uploaded(Status::Failed, out),
            _ => {}
        }
    }

    fn start(&mut self, phase: Phase, at: usize, out: &mut Batch<'_>) {
        let is_new = self.reached.is_none_or(|reached| phase > reached);
        let is_again = self.reached == Some(phase) && self.open.is_none() && phase.repeats();
        if !is_new && !is_again {
            return;
        }
        self.open = Some(phase);
        self.reached = Some(phase);
        self.since = at;
        self.uploads = 0;
        if self.is_told(phase) {
            out.mark(step_start(phase, StepKind::Phase, 0));
        }
    }

    /// A further page may begin inside a phase: its end counts there, too.
    fn end(&mut self, phase: Phase, out: &mut Batch<'_>) {
        if self.open == Some(phase) || self.reached.is_none() {
            self.open = None;
            self.reached = self.reached.or(Some(phase));
            if self.is_told(phase) {
                out.mark(Annotation::StepEnd(step_end(0, Status::Succeeded)));
            }
        }
    }

    fn upload(&mut self, at: usize, out: &mut Batch<'_>) {
        if self.uploads == 0 {
            if self.open == Some(Phase::Deploy) {
                self.upload_depth = 1;
                out.mark(step_start(Phase::CacheUpload, StepKind::Substep, 1));
            } else {
                self.upload_depth = 0;
                self.start(Phase::CacheUpload, at, out);
            }
        }
        self.uploads += 1;
    }

    fn uploaded(&mut self, status: Status, out: &mut Batch<'_>) {
        self.uploads = match self.uploads {
            0 => return,
            uploads => uploads - 1,
        };
        if self.uploads > 0 {
            return;
        }
        out.mark(Annotation::StepEnd(step_end(self.upload_depth, status)));
        if self.open == Some(Phase::CacheUpload) {
            self.open = None;
        }
    }

    /// How the open phase ends where the build does.
    pub(super) fn closing(
        &self,
        status: Status,
        error: Option<Cow<'static, str>>,
    ) -> Option<StepEnd<'static>> {
        let phase = self.open?;
        self.is_told(phase).then(|| StepEnd { error, ..step_end(0, status) })
    }

    fn is_told(&self, phase: Phase) -> bool {
        phase != Phase::Init || self.init == InitClock::Lines
    }
}

fn step_start(phase: Phase, kind: StepKind, depth: u8) -> Annotation<'static> {
    Annotation::StepStart(StepStart { name: Cow::Borrowed(phase.name()), kind, depth, key: None })
}

fn step_end(depth: u8, status: Status) -> StepEnd<'static> {
    StepEnd { depth, key: None, status, error: None }
}
