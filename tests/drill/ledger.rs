//! What writers were told, against what the database holds: every change that was answered is there, one that was cut off is
//! there once or not at all, and each has its one line in the audit log.

use crate::books::Books;
use crate::operator::PRODUCT;
use crate::process::Latchkey;
use crate::writers::{Life, Writer};
use std::collections::HashMap;

const KEYS: &str = "SELECT name || ' ' || CAST(generation AS TEXT) || ' ' || \
     CASE WHEN deleted_at IS NOT NULL THEN 'deleted' WHEN disabled_at IS NOT NULL THEN 'disabled' \
     ELSE 'enabled' END AS line FROM keys WHERE name LIKE 'writer-%'";
const AUDIT: &str = "SELECT target || ' ' || action || ' ' || CAST(COUNT(*) AS TEXT) AS line \
     FROM audit_events WHERE action LIKE 'key.%' GROUP BY target, action";

/// What a comparison found, in numbers.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Compared {
    /// Changes that were answered.
    pub(crate) answered: usize,
    /// Changes that were cut off by now.
    pub(crate) cut_off: usize,
    /// Of these, how many the database has.
    pub(crate) kept: usize,
    /// Changes that were answered and that the database lacks.
    pub(crate) lost: usize,
    /// Changes that nobody asked for, or that are there twice, or without their line in the audit log.
    pub(crate) doubled: usize,
}

impl Compared {
    pub(crate) fn holds(&self) -> bool {
        self.lost == 0 && self.doubled == 0
    }
}

/// Compares everything so far, and prints each difference.
pub(crate) fn compare(books: &mut Books, writers: &[Writer]) -> Compared {
    let lives = writers.iter().flat_map(|writer| &writer.lives);
    differences(books, lives, |difference| println!("{difference}"))
}

fn differences<'l>(
    books: &mut Books,
    lives: impl Iterator<Item = &'l Life>,
    mut says: impl FnMut(String),
) -> Compared {
    let mut keys: HashMap<String, Vec<(usize, String)>> = HashMap::new();
    for line in books.lines(KEYS) {
        let (name, generation, state) = three(&line);
        let row = (generation.parse().expect("a number"), state.to_owned());
        keys.entry(name.to_owned()).or_default().push(row);
    }
    let mut audit: HashMap<(String, String), usize> = HashMap::new();
    for line in books.lines(AUDIT) {
        let (target, action, count) = three(&line);
        let place = (target.to_owned(), action.to_owned());
        audit.insert(place, count.parse().expect("a number"));
    }
    let mut compared = Compared::default();
    let mut in_all = 0;
    for life in lives {
        let rows = keys.remove(&life.name).unwrap_or_default();
        in_all += one(life, &rows, &audit, &mut compared, &mut says);
    }
    for name in keys.keys() {
        compared.doubled += 1;
        says(format!("{name} is there, and nobody made it"));
    }
    let recorded: usize = audit.values().sum();
    if recorded != in_all {
        compared.doubled += recorded.abs_diff(in_all);
        says(format!(
            "{in_all} changes have {recorded} lines in the audit log"
        ));
    }
    compared
}

/// One key's life. Gives how many of its changes the database has.
fn one(
    life: &Life,
    rows: &[(usize, String)],
    audit: &HashMap<(String, String), usize>,
    compared: &mut Compared,
    says: &mut impl FnMut(String),
) -> usize {
    compared.answered += life.done;
    compared.cut_off += usize::from(life.open);
    let most = life.done + usize::from(life.open);
    let (has, state) = match rows {
        [] => (0, "absent"),
        [(generation, state)] => (*generation, state.as_str()),
        [first, ..] => {
            compared.doubled += rows.len() - 1;
            says(format!("{} is there {} times", life.name, rows.len()));
            (first.0, first.1.as_str())
        }
    };
    if has < life.done {
        compared.lost += life.done - has;
        says(format!("{life:?}, but the database has {has} changes"));
    } else if has > most {
        compared.doubled += has - most;
        says(format!("{life:?}, but the database has {has} changes"));
    } else {
        compared.kept += has - life.done;
        if state != state_after(has) {
            compared.doubled += 1;
            says(format!("{} is {state} after {has} changes", life.name));
        }
        audited(life, has, audit, compared, says);
    }
    has
}

fn audited(
    life: &Life,
    has: usize,
    audit: &HashMap<(String, String), usize>,
    compared: &mut Compared,
    says: &mut impl FnMut(String),
) {
    let Some(key_id) = &life.key_id else { return };
    for change in Life::changes(has) {
        let right = Life::changes(has).iter().filter(|c| *c == change).count();
        let place = (key_id.clone(), change.action().to_owned());
        let there = audit.get(&place).copied().unwrap_or(0);
        if there != right {
            compared.doubled += 1;
            says(format!(
                "{}: {there} lines of {} instead of {right}",
                life.name,
                change.action()
            ));
        }
    }
}

fn state_after(changes: usize) -> &'static str {
    [
        "absent", "enabled", "disabled", "enabled", "disabled", "deleted",
    ][changes]
}

/// What the gate says of a key after so many changes.
pub(crate) fn code_after(changes: usize) -> &'static str {
    match state_after(changes) {
        "enabled" => "VALID",
        "disabled" => "KEY_DISABLED",
        _ => "KEY_NOT_FOUND",
    }
}

/// Whether the gate says of each writer's key what the database says.
pub(crate) fn gate_agrees(latchkey: &Latchkey, writers: &[Writer]) {
    for life in writers.iter().filter_map(|writer| writer.lives.last()) {
        let Some(secret) = life.secret.as_deref().filter(|_| !life.open) else {
            continue;
        };
        let right = code_after(life.done);
        assert_eq!(
            latchkey.code(secret, PRODUCT),
            right,
            "after a restart: {life:?}"
        );
    }
}

fn three(line: &str) -> (&str, &str, &str) {
    let mut words = line.split(' ');
    let mut next = || words.next().expect("three words");
    (next(), next(), next())
}

#[test]
fn the_ledger_sees_what_is_lost_and_what_is_doubled() {
    use diesel::connection::SimpleConnection;
    use diesel::{Connection, SqliteConnection};
    let life = |done: usize, open: bool| Life {
        name: "writer-0-0".to_owned(),
        key_id: Some("key_a".to_owned()),
        secret: None,
        done,
        open,
    };
    let made = "INSERT INTO keys VALUES ('writer-0-0', 1, NULL, NULL);";
    let told = "INSERT INTO audit_events VALUES ('key_a', 'key.created');";
    let both = [made, told].concat();
    for (rows, lives, lost, doubled) in [
        (both.clone(), vec![life(1, false)], 0, 0),
        (both.clone(), vec![life(0, true)], 0, 0),
        (String::new(), vec![life(0, true)], 0, 0),
        (String::new(), vec![life(1, false)], 1, 0),
        (both.clone(), vec![life(2, false)], 1, 0),
        (both.clone(), vec![life(0, false)], 0, 1),
        (both.clone(), Vec::new(), 0, 2),
        (made.to_owned(), vec![life(1, false)], 0, 2),
        ([&both, told].concat(), vec![life(1, false)], 0, 2),
        ([&both, made].concat(), vec![life(1, false)], 0, 1),
    ] {
        let mut file = SqliteConnection::establish(":memory:").unwrap();
        file.batch_execute(
            "CREATE TABLE keys (name, generation, disabled_at, deleted_at);
             CREATE TABLE audit_events (target, action);",
        )
        .unwrap();
        file.batch_execute(&rows).unwrap();
        let found = differences(&mut Books::Sqlite(file), lives.iter(), |_| ());
        assert_eq!(
            (found.lost, found.doubled),
            (lost, doubled),
            "{rows} {lives:?}"
        );
    }
}
