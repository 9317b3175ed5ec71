//! From records to runs, steps, error groups, rates and durations.
pub mod model;
