//! Backups and restores.

use super::args::{BackupArgs, RestoreArgs};
use super::print::say;
use super::{BY, Failed, Outcome};
use crate::app;
use crate::app::backup::{self, Restored};
use crate::clock::Clock;
use crate::config::Config;

pub(super) fn backup(config: &Config, args: &BackupArgs, clock: Clock) -> Outcome {
    if args.to.exists() {
        let there = format!(
            "{} is there already. Name a file that is not.",
            args.to.display()
        );
        return Err(Failed::Because(there));
    }
    let db = app::open_database(config, clock, false)?;
    backup::backup(config, &db, &args.to, args.encrypt).map_err(Failed::because)?;
    let to = args.to.display();
    if args.encrypt {
        return say(format_args!(
            "The database was copied to {to}, encrypted with the master key: without that file it cannot be restored."
        ));
    }
    say(format_args!("The database was copied to {to}."))
}

pub(super) fn restore(config: &Config, args: &RestoreArgs, clock: &Clock) -> Outcome {
    let restored = backup::restore(config, clock, &args.from, &args.revocations, BY);
    let restored = restored.map_err(Failed::because)?;
    say(told(&restored))
}

fn told(restored: &Restored) -> String {
    let mut lines = vec!["The backup is in place. Everybody has to sign in again.".to_owned()];
    lines.push(match (restored.has_log, restored.settled.ended.len()) {
        (false, _) => "There was no log of revocations: what was ended after the backup was made works again. Name the logs of the gates' data folders with --revocations, or end it anew.".to_owned(),
        (true, 0) => "Nothing had been ended since it was made.".to_owned(),
        (true, 1) => "1 key of it was ended or restricted after it was made, and is so again.".to_owned(),
        (true, count) => {
            format!("{count} keys of it were ended or restricted after it was made, and are so again.")
        }
    });
    if let Some(kept) = &restored.kept {
        lines.push(format!(
            "The database that stood there is {} now.",
            kept.display()
        ));
    }
    lines.join("\n")
}
