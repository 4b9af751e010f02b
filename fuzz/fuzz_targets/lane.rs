//! T-46, on whatever bytes the fuzzer thinks of.

#![no_main]

#[path = "../../tests/gate/ask.rs"]
#[expect(
    dead_code,
    reason = "the gate's own suite needs more of it than this target"
)]
mod ask;
#[path = "../checks/lane.rs"]
mod lane;
#[path = "../../tests/gate/world.rs"]
#[expect(
    dead_code,
    reason = "the gate's own suite needs more of it than this target"
)]
mod world;

thread_local! {
    /// One for all inputs; it lives as long as the process.
    static RIG: &'static lane::Rig = Box::leak(Box::new(lane::Rig::new()));
}

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    RIG.with(|rig| rig.check(data));
});
