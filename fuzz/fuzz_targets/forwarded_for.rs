//! F-4, on whatever bytes the fuzzer thinks of.

#![no_main]

#[path = "../checks/forwarded_for.rs"]
mod forwarded_for;

libfuzzer_sys::fuzz_target!(|data: &[u8]| forwarded_for::check(data));
