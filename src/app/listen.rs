//! The sockets, bound before anything is loaded, so that a taken address is known at once.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};

use crate::config::Listen;

/// Connections that wait to be taken, as far as the system allows as many.
const WAITING: i32 = 4_096;

/// A bound listener.
pub(super) enum Bound {
    Tcp(TcpListener, SocketAddr),
    Unix(UnixListener, PathBuf),
}

impl Bound {
    pub(super) fn bind(listen: &Listen) -> io::Result<Self> {
        match listen {
            Listen::Tcp(address) => {
                let listener = TcpListener::bind(address)?;
                // The standard library lets 128 wait; many clients come at once after a restart.
                rustix::net::listen(&listener, WAITING)?;
                let address = listener.local_addr()?;
                Ok(Self::Tcp(listener, address))
            }
            Listen::Unix(path) => {
                remove_stale(path)?;
                Ok(Self::Unix(UnixListener::bind(path)?, path.clone()))
            }
        }
    }

    /// Where it is bound: the port that was given when the configuration named none.
    pub(super) fn listen(&self) -> Listen {
        match self {
            Self::Tcp(_, address) => Listen::Tcp(*address),
            Self::Unix(_, path) => Listen::Unix(path.clone()),
        }
    }
}

/// A socket file that nobody answers on was left behind by a process that was killed.
fn remove_stale(path: &Path) -> io::Result<()> {
    match UnixStream::connect(path) {
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
            std::fs::remove_file(path)
        }
        _ => Ok(()),
    }
}
