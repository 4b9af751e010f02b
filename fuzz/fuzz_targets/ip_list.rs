//! F-5, on whatever bytes the fuzzer thinks of.

#![no_main]

#[path = "../checks/ip_list.rs"]
mod ip_list;

libfuzzer_sys::fuzz_target!(|data: &[u8]| ip_list::check(data));
