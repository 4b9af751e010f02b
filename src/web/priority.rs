//! Who comes first where the processor is not enough for all: a gateway that waits for a verdict, then a person who waits for
//! a page, then the work that a password makes.
//!
//! It must not know what the threads do.

use rustix::process::setpriority_process;
use rustix::thread::gettid;

/// How much a thread stands back (nice(2)).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StandsBack {
    /// Threads that serve pages.
    Pages,
    /// Threads that hash passwords.
    Passwords,
}

impl StandsBack {
    const fn nice(self) -> i32 {
        match self {
            Self::Pages => 5,
            Self::Passwords => 10,
        }
    }
}

/// Has the calling thread stand back. Where the system does not let it, it works as everybody does.
pub fn stand_back(how: StandsBack) {
    if let Err(error) = setpriority_process(Some(gettid()), how.nice()) {
        tracing::debug!(%error, ?how, "a thread has everybody's priority");
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use rustix::process::getpriority_process;

    use super::*;

    #[test]
    fn a_thread_stands_back_and_no_other() {
        let before = getpriority_process(Some(gettid())).unwrap();
        for how in [StandsBack::Pages, StandsBack::Passwords] {
            let own = thread::spawn(move || {
                stand_back(how);
                getpriority_process(Some(gettid())).unwrap()
            });
            assert_eq!(own.join().unwrap(), how.nice().max(before));
        }
        assert_eq!(getpriority_process(Some(gettid())).unwrap(), before);
    }
}
