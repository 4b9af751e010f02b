//! How many files the process may have open: each connection takes one, and what a shell or a service manager allows at first
//! is far fewer than the system does.

use rustix::process::{Resource, getrlimit, setrlimit};

/// Files besides connections: the database's, logs, journals, assets.
const OTHERS: u64 = 200;

/// Asks for as many open files as may be asked for, and says when that is too few for so many connections.
pub(super) fn raise(connections: u64) {
    let mut limit = getrlimit(Resource::Nofile);
    if limit.current != limit.maximum {
        limit.current = limit.maximum;
        if let Err(error) = setrlimit(Resource::Nofile, limit) {
            tracing::warn!(%error, "the number of open files cannot be raised");
            limit = getrlimit(Resource::Nofile);
        }
    }
    let needed = connections.saturating_add(OTHERS);
    if let Some(allowed) = limit.current.filter(|allowed| *allowed < needed) {
        tracing::warn!(
            allowed,
            needed,
            "fewer files may be open than limits.connections asks for: raise the process's limit (LimitNOFILE in systemd, \
             ulimit -n in a shell) or lower the setting"
        );
    }
}
