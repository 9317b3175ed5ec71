//! From records to runs, steps, error groups, rates and durations.
pub mod model;
pub mod durations;
pub mod mask;
pub mod rates;
#[cfg(test)]
mod testing;
