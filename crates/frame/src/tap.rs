//! A sink that keeps what it was told when it refused.
//!
//! polars owns the sink while it writes Parquet, and turns an I/O error into text. The tap stays outside: it
//! hands the sink back at the end, and the real error when there is one.

use std::io::{self, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The handle polars writes to.
pub(crate) struct Tap<W>(Arc<Mutex<State<W>>>);

struct State<W> {
    sink: W,
    error: Option<io::Error>,
}

impl<W: Write> Tap<W> {
    pub(crate) fn new(sink: W) -> Self {
        Self(Arc::new(Mutex::new(State { sink, error: None })))
    }

    pub(crate) fn handle(&self) -> Self {
        Self(Arc::clone(&self.0))
    }

    /// The error the sink gave, if it gave one.
    pub(crate) fn take_error(&self) -> Option<io::Error> {
        self.state().error.take()
    }

    /// The sink, once every other handle is gone.
    pub(crate) fn into_sink(self) -> Option<W> {
        let state = Arc::try_unwrap(self.0).ok()?.into_inner().unwrap_or_else(PoisonError::into_inner);
        Some(state.sink)
    }

    fn state(&self) -> MutexGuard<'_, State<W>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<W: Write> State<W> {
    /// Keeps the first error and passes on one of its kind.
    fn keep<T>(&mut self, result: io::Result<T>) -> io::Result<T> {
        result.map_err(|error| {
            let kind = error.kind();
            // The caller of `write` repeats an interrupted call; that is no failure.
            if kind != io::ErrorKind::Interrupted && self.error.is_none() {
                self.error = Some(error);
            }
            kind.into()
        })
    }
}

impl<W: Write> Write for Tap<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut state = self.state();
        let result = state.sink.write(bytes);
        state.keep(result)
    }

    fn flush(&mut self) -> io::Result<()> {
        let mut state = self.state();
        let result = state.sink.flush();
        state.keep(result)
    }
}
