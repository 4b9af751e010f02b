//! The journal's entries: each one framed, so that one that was cut off or spoilt is known as such.
//!
//! A frame is the length of its content and the CRC-32 of it, each four bytes with the lowest first, then the content by
//! postcard's wire format: a busy gate writes a hundred thousand counts a second, for which text would be too dear.

use std::io;

use latchkey_rules::code::Code;
use latchkey_rules::time::Millis;
use serde::{Deserialize, Serialize, Serializer};

use crate::gate::meter::Batch;
use crate::gate::meter::tally::{Count, Subject};
use crate::store::replica::RowId;

/// Length and checksum.
const HEAD: usize = 8;

/// An entry of the journal. Its counts are written straight from those that are held, and read as rows.
#[derive(Serialize, Deserialize)]
pub(super) enum Entry<R> {
    Counted(R),
    /// These counts, of the ones above, were given this number.
    Sent(Written<R>),
    /// The batch of that number is written, or put aside.
    Settled(i64, i64),
}

/// A batch as it stands in a file.
#[derive(Serialize, Deserialize)]
pub(super) struct Written<R> {
    node: String,
    epoch: i64,
    seq: i64,
    at: i64,
    rows: R,
}

/// Account, key, secret number, product (0 for none), outcome, the last one's instant, times, units.
pub(super) type Row = (i64, i64, u16, i64, i16, i64, i64, i64);

/// Counts that are written as rows.
pub(super) struct Rows<'a>(pub(super) &'a [Count]);

impl Serialize for Rows<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(row_of))
    }
}

/// Adds an entry's frame to `bytes`.
pub(super) fn frame(bytes: &mut Vec<u8>, entry: &Entry<Rows<'_>>) -> io::Result<()> {
    let start = bytes.len();
    bytes.extend([0; HEAD]);
    postcard::to_io(entry, &mut *bytes).map_err(io::Error::other)?;
    let (_, framed) = bytes.split_at_mut(start);
    let (head, content) = framed.split_at_mut(HEAD);
    let len = u32::try_from(content.len()).map_err(io::Error::other)?;
    let (len_at, sum_at) = head.split_at_mut(HEAD / 2);
    len_at.copy_from_slice(&len.to_le_bytes());
    sum_at.copy_from_slice(&crc32fast::hash(content).to_le_bytes());
    Ok(())
}

/// What stands next in a journal.
pub(super) enum Next<'a> {
    /// This entry, and the bytes behind it.
    Entry(Entry<Vec<Row>>, &'a [u8]),
    /// Nothing, or an entry that was cut off.
    End,
    /// Something that is no entry.
    Spoilt,
}

pub(super) fn next(bytes: &[u8]) -> Next<'_> {
    let Some((len, rest)) = bytes.split_first_chunk() else {
        return Next::End;
    };
    let Some((sum, rest)) = rest.split_first_chunk() else {
        return Next::End;
    };
    let len = usize::try_from(u32::from_le_bytes(*len)).unwrap_or(usize::MAX);
    let Some((content, rest)) = rest.split_at_checked(len) else {
        return Next::End;
    };
    if crc32fast::hash(content) != u32::from_le_bytes(*sum) {
        return Next::Spoilt;
    }
    match postcard::from_bytes(content) {
        Ok(entry) => Next::Entry(entry, rest),
        Err(_other) => Next::Spoilt,
    }
}

fn row_of(count: &Count) -> Row {
    let subject = &count.subject;
    let (account, key) = (subject.account_row.number(), subject.key_row.number());
    let (product, outcome) = (subject.product_row.number(), subject.code.number());
    (
        account,
        key,
        subject.secret_number,
        product,
        outcome,
        count.last.0,
        count.times,
        count.units,
    )
}

pub(super) fn count_of(row: Row) -> Count {
    let (account, key, secret_number, product, outcome, last, times, units) = row;
    Count {
        subject: Subject {
            account_row: RowId::from_number(account),
            key_row: RowId::from_number(key),
            secret_number,
            product_row: RowId::from_number(product),
            // A number of a newer version stands for something that was not let through.
            code: Code::from_number(outcome).unwrap_or(Code::Unavailable),
        },
        last: Millis(last),
        times,
        units,
    }
}

pub(super) fn written_of(batch: &Batch) -> Written<Rows<'_>> {
    Written {
        node: batch.node.clone(),
        epoch: batch.epoch,
        seq: batch.seq,
        at: batch.at.0,
        rows: Rows(&batch.rows),
    }
}

pub(super) fn batch_of(written: Written<Vec<Row>>) -> Batch {
    Batch {
        // They are not written down: a kill forgets who called in the last seconds, never how often.
        callers: Vec::new(),
        exposures: Vec::new(),
        node: written.node,
        epoch: written.epoch,
        seq: written.seq,
        at: Millis(written.at),
        rows: written.rows.into_iter().map(count_of).collect(),
    }
}
