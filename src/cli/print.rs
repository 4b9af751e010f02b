//! What a command prints: what was asked for on standard output, everything else on standard error.
//!
//! Must not know which command speaks.

use std::fmt::Display;
use std::io::{self, IsTerminal, Write};

use super::{Failed, Outcome};

/// A line on standard output. Whoever reads only the first lines may close it.
pub(super) fn say(line: impl Display) -> Outcome {
    match writeln!(io::stdout(), "{line}") {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Failed::because(error)),
        _ => Ok(()),
    }
}

/// Whether a person reads what goes to standard error.
pub(super) fn is_read_by_a_person() -> bool {
    io::stderr().is_terminal()
}

/// A line on standard error.
#[expect(
    clippy::print_stderr,
    reason = "a command's words to whoever started it; a server's go to its log"
)]
pub(super) fn complain(line: impl Display) {
    eprintln!("{line}");
}
