//! The bounds that keep memory finite on any input. Each is reported as an issue when hit.

/// Bytes of one physical line that are kept; the rest of the line is rejected.
pub const MAX_LINE_BYTES: usize = 1 << 20;
/// Bytes of one event.
pub const MAX_EVENT_BYTES: usize = 1 << 20;
/// Physical lines of one event.
pub const MAX_EVENT_LINES: u32 = 10_000;
/// Bytes of the head of an input that a format may look at to recognise it.
pub const HEAD_BYTES: usize = 64 << 10;
/// Problems of one document that are listed. Beyond that, bytes are still accounted for, but an
/// array of a million wrong elements does not become a million issues.
pub const MAX_ISSUES: usize = 10_000;
