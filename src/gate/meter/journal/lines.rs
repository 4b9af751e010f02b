//! The journal's lines: JSON, one to a line, so that a person can read what waits.

use std::io;

use latchkey_rules::code::Code;
use latchkey_rules::time::Millis;
use serde::{Deserialize, Serialize};

use crate::gate::meter::Batch;
use crate::gate::meter::tally::{Count, Subject};
use crate::store::replica::RowId;

/// A line of the journal.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum Line {
    Counted(Vec<Row>),
    /// These counts, of the ones above, were given this number.
    Sent(Written),
    /// The batch of that number is written, or put aside.
    Settled(i64, i64),
}

/// A batch as it stands in a file.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Written {
    pub(super) node: String,
    pub(super) epoch: i64,
    pub(super) seq: i64,
    pub(super) at: i64,
    pub(super) rows: Vec<Row>,
}

/// Account, key, secret number, product (0 for none), outcome, hour, times.
pub(super) type Row = (i64, i64, u16, i64, i16, i64, i64);

pub(super) fn line(entry: &Line) -> io::Result<Vec<u8>> {
    let mut bytes = serde_json::to_vec(entry)?;
    bytes.push(b'\n');
    Ok(bytes)
}

pub(super) fn row_of(count: &Count) -> Row {
    let subject = &count.subject;
    let (account, key) = (subject.account_row.number(), subject.key_row.number());
    let (product, outcome) = (subject.product_row.number(), subject.code.number());
    (
        account,
        key,
        subject.secret_number,
        product,
        outcome,
        count.hour.0,
        count.times,
    )
}

pub(super) fn count_of(row: Row) -> Count {
    let (account, key, secret_number, product, outcome, hour, times) = row;
    Count {
        subject: Subject {
            account_row: RowId::from_number(account),
            key_row: RowId::from_number(key),
            secret_number,
            product_row: RowId::from_number(product),
            // A number of a newer version stands for something that was not let through.
            code: Code::from_number(outcome).unwrap_or(Code::Unavailable),
        },
        hour: Millis(hour),
        times,
    }
}

pub(super) fn written_of(batch: &Batch) -> Written {
    Written {
        node: batch.node.clone(),
        epoch: batch.epoch,
        seq: batch.seq,
        at: batch.at.0,
        rows: batch.rows.iter().map(row_of).collect(),
    }
}

pub(super) fn batch_of(written: Written) -> Batch {
    Batch {
        node: written.node,
        epoch: written.epoch,
        seq: written.seq,
        at: Millis(written.at),
        rows: written.rows.into_iter().map(count_of).collect(),
    }
}
