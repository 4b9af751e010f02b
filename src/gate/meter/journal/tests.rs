//! What a journal says after a stop at any point.

use proptest::prelude::*;

use latchkey_rules::time::Millis;

use super::*;

fn counts(numbers: &[(i64, i64)]) -> Vec<Count> {
    numbers
        .iter()
        .map(|(key, times)| count_of((1, *key, 1, 0, 23, 3_600_000, *times, 2 * times)))
        .collect()
}

fn batch(seq: i64, numbers: &[(i64, i64)]) -> Batch {
    Batch {
        callers: Vec::new(),
        node: "node".to_owned(),
        exposures: Vec::new(),
        epoch: 6,
        seq,
        at: Millis(9),
        rows: counts(numbers),
    }
}

fn all(pending: &Pending) -> Vec<Count> {
    pending.all().to_vec()
}

fn reopened(folder: &Path) -> Left {
    Journal::open(folder, 1).1
}

#[test]
fn what_waits_is_there_after_a_kill() {
    let dir = tempfile::tempdir().unwrap();
    {
        let (mut journal, left) = Journal::open(dir.path(), 1);
        assert!(left.pending.is_empty() && left.in_flight.is_none());
        journal.counted(&counts(&[(1, 5), (2, 7)])).unwrap();
        journal.counted(&counts(&[(1, 1), (3, 1)])).unwrap();
        journal.sent(&batch(1, &[(1, 6)])).unwrap();
    }
    let left = reopened(dir.path());
    assert_eq!(all(&left.pending), counts(&[(2, 7), (3, 1)]));
    assert_eq!(left.in_flight.unwrap(), batch(1, &[(1, 6)]));
    {
        let (mut journal, _) = Journal::open(dir.path(), 1);
        journal.settled(&batch(1, &[])).unwrap();
    }
    assert!(reopened(dir.path()).in_flight.is_none());
}

#[test]
fn a_journal_written_anew_says_the_same() {
    let dir = tempfile::tempdir().unwrap();
    let (mut journal, mut left) = Journal::open(dir.path(), 1);
    journal.counted(&counts(&[(1, 5), (2, 7)])).unwrap();
    left.pending.add(counts(&[(2, 7)]), 9);
    journal
        .rewrite(&left.pending, Some(&batch(1, &[(1, 5)])))
        .unwrap();
    journal.counted(&counts(&[(4, 1)])).unwrap();
    drop(journal);
    let left = reopened(dir.path());
    assert_eq!(all(&left.pending), counts(&[(2, 7), (4, 1)]));
    assert_eq!(left.in_flight.unwrap().rows, counts(&[(1, 5)]));
}

#[test]
fn a_second_gate_on_the_folder_touches_nothing_of_the_first() {
    let dir = tempfile::tempdir().unwrap();
    let (mut first, _) = Journal::open(dir.path(), 1);
    first.counted(&counts(&[(1, 5)])).unwrap();
    let (mut second, left) = Journal::open(dir.path(), 2);
    assert!(left.pending.is_empty());
    second.counted(&counts(&[(2, 1)])).unwrap();
    second.clear().unwrap();
    drop((first, second));
    assert_eq!(all(&reopened(dir.path()).pending), counts(&[(1, 5)]));
}

#[test]
fn nothing_waits_in_a_cleared_journal() {
    let dir = tempfile::tempdir().unwrap();
    let (mut journal, _) = Journal::open(dir.path(), 1);
    journal.counted(&counts(&[(1, 5)])).unwrap();
    journal.clear().unwrap();
    journal.clear().unwrap();
    assert!(!dir.path().join("journal").exists());
}

#[test]
fn an_entry_that_no_one_can_read_is_put_aside_and_the_rest_kept() {
    let dir = tempfile::tempdir().unwrap();
    let (mut journal, _) = Journal::open(dir.path(), 1);
    journal.counted(&counts(&[(1, 5)])).unwrap();
    drop(journal);
    let path = dir.path().join("journal");
    let mut bytes = fs::read(&path).unwrap();
    let first = bytes.clone();
    let junk = [3, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3];
    // Spoilt in its content, in its checksum, and a whole frame that holds no entry of ours.
    let mut content = first.clone();
    *content.last_mut().unwrap() ^= 1;
    let mut sum = first.clone();
    sum[4] ^= 1;
    let mut foreign = first.clone();
    foreign.splice(..8, [1, 0, 0, 0]);
    foreign.truncate(4);
    foreign.extend(crc32fast::hash(&[9]).to_le_bytes());
    foreign.push(9);
    for spoilt in [junk.to_vec(), content, sum, foreign] {
        bytes.truncate(first.len());
        bytes.extend(&spoilt);
        bytes.extend(&first);
        fs::write(&path, &bytes).unwrap();
        let (journal, left) = Journal::open(dir.path(), 1);
        assert_eq!(all(&left.pending), counts(&[(1, 5)]));
        let aside = dir.path().join("journal.unreadable");
        assert_eq!(fs::read(&aside).unwrap(), bytes);
        fs::remove_file(aside).unwrap();
        assert!(journal.wants_rewriting());
    }
}

proptest! {
    #[test]
    fn a_journal_cut_off_anywhere_holds_all_whole_entries(cut in 0_usize..150) {
        let dir = tempfile::tempdir().unwrap();
        let (mut journal, _) = Journal::open(dir.path(), 1);
        for key in 1..=5 {
            journal.counted(&counts(&[(key, 1)])).unwrap();
        }
        drop(journal);
        let path = dir.path().join("journal");
        let bytes = fs::read(&path).unwrap();
        let cut = cut.min(bytes.len());
        fs::write(&path, &bytes[..cut]).unwrap();
        let whole = cut / (bytes.len() / 5);
        let (mut journal, left) = Journal::open(dir.path(), 1);
        prop_assert_eq!(left.pending.len(), whole);
        // And it goes on from there.
        if journal.wants_rewriting() {
            journal.rewrite(&left.pending, None).unwrap();
        }
        journal.counted(&counts(&[(9, 1)])).unwrap();
        drop(journal);
        prop_assert_eq!(reopened(dir.path()).pending.len(), whole + 1);
    }
}
