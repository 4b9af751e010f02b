//! Which copy of a counter a thread writes to, so that threads do not wait for each other's cache lines.
//!
//! It must not know what is counted.

use std::sync::atomic::{AtomicUsize, Ordering};

/// How many copies there are: as many as a large machine has cores.
pub(super) const STRIPES: usize = 16;

static NEXT: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    static OWN: usize = NEXT.fetch_add(1, Ordering::Relaxed) % STRIPES;
}

/// This thread's copy, below [`STRIPES`].
pub(super) fn own() -> usize {
    OWN.with(|own| *own)
}
