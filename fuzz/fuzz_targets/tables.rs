#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| logmill_checks::run("tables", bytes));
