//! F-2, on whatever bytes the fuzzer thinks of.

#![no_main]

#[path = "../checks/domain.rs"]
mod domain;

libfuzzer_sys::fuzz_target!(|data: &[u8]| domain::check(data));
