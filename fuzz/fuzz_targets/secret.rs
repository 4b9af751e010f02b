//! F-1, on whatever bytes the fuzzer thinks of.

#![no_main]

#[path = "../checks/secret.rs"]
mod secret;

libfuzzer_sys::fuzz_target!(|data: &[u8]| secret::check(data));
