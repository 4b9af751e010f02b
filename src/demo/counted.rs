//! Brings the past's counts into the store, by the same call as the gate's.

use std::collections::HashMap;

use latchkey_rules::key_id::KeyId;
use latchkey_rules::time::{DAY_MS, Millis};

use super::drawn::Drawn;
use super::history::{Counted, DAYS, Life};
use crate::store::activity::{MeterBatch, MeterRow, flush};
use crate::store::replica::{self, RowId};
use crate::store::{Change, Result};

/// More keys than the demo has.
const ALL: i64 = 1_000;

/// Where the counts belong.
struct Rows {
    keys: HashMap<KeyId, (RowId, RowId)>,
    products: HashMap<String, RowId>,
}

/// Writes thirty days of every key that is not deleted yet. A batch's instant is the last use of its key.
pub(super) fn write(change: &mut Change<'_>, drawn: &[Drawn], now: Millis) -> Result<()> {
    let rows = Rows {
        keys: replica::keys_page(change, RowId::NONE, ALL)?
            .into_iter()
            .map(|key| (key.key_id, (key.account_row, key.row)))
            .collect(),
        products: replica::products(change)?
            .into_iter()
            .map(|product| (product.facts.slug.to_string(), product.row))
            .collect(),
    };
    for (place, key) in (0_u32..).zip(drawn) {
        let life = Life {
            shape: &key.shape,
            past: &key.past,
            place: u64::from(place),
        };
        let counts = life.counts(now);
        let at = life.last_use(&counts, now);
        let batch = MeterBatch {
            node: "demo".to_owned(),
            epoch: 0,
            seq: i64::from(place),
            at: at.unwrap_or_else(|| now.plus_ms(-DAYS * DAY_MS)),
            rows: counts
                .iter()
                .filter_map(|c| rows.of(key.key_id, c))
                .collect(),
        };
        flush(change, &batch)?;
    }
    Ok(())
}

impl Rows {
    fn of(&self, key_id: KeyId, counted: &Counted) -> Option<MeterRow> {
        let (account, key) = *self.keys.get(&key_id)?;
        let product = counted.product.and_then(|slug| self.products.get(slug));
        Some(MeterRow {
            account,
            key,
            secret_number: counted.secret_number,
            product: product.copied(),
            code: counted.code,
            hour: counted.hour,
            count: i64::try_from(counted.count).unwrap_or(i64::MAX),
        })
    }
}
