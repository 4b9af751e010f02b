//! Brings the past's counts into the store, by the same call as the gate's.

use std::collections::HashMap;

use latchkey_rules::caller::{AddressDetail, CallerPlace, Whence, agent_family};
use latchkey_rules::key_id::KeyId;
use latchkey_rules::time::{DAY_MS, Millis};

use super::callers::{Voice, voices};
use super::drawn::Drawn;
use super::history::{Counted, Life};
use crate::store::activity::{MeterBatch, MeterRow, flush};
use crate::store::callers::CallerCount;
use crate::store::replica::{self, RowId};
use crate::store::{Change, Result};

/// How far back the demo knows who called.
const WEEK_MS: i64 = 7 * DAY_MS;

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
        let batch = MeterBatch {
            node: "demo".to_owned(),
            exposures: Vec::new(),
            epoch: 0,
            seq: i64::from(place),
            at: now,
            rows: counts
                .iter()
                .filter_map(|c| rows.of(key.key_id, c, life.last_of(c, now)))
                .collect(),
            callers: counts
                .iter()
                .filter(|c| c.hour >= now.plus_ms(-WEEK_MS).hour_start())
                .flat_map(|c| rows.callers(key, c, life.last_of(c, now)))
                .collect(),
        };
        flush(change, &batch)?;
    }
    Ok(())
}

/// Each caller's part of an hour's count, and of the older secret's the part of whoever is slowest to change it.
impl Rows {
    fn callers(&self, key: &Drawn, counted: &Counted, last_at: Millis) -> Vec<CallerCount> {
        let Some(row) = self.of(key.key_id, counted, last_at) else {
            return Vec::new();
        };
        let voices = voices(&key.shape);
        let is_older = counted.secret_number == 1 && key.past.rotated_at.is_some();
        let (mut left, last) = (row.count, voices.len().saturating_sub(1));
        let part = |(place, voice): (usize, &Voice)| {
            let is_last = place == last;
            let share = i64::try_from(voice.share).unwrap_or(0);
            let times = if is_last || is_older {
                left
            } else {
                row.count * share / 100
            };
            left -= times.min(left);
            let allowed = if row.code.is_allow() { times } else { 0 };
            let (name, value) = voice.from();
            let is_page = name == "Origin";
            let address = || value.parse().ok();
            let whence = Whence::of(
                is_page.then_some(value),
                None,
                address,
                AddressDetail::Network,
            );
            CallerCount {
                account: row.account,
                key: row.key,
                secret_number: row.secret_number,
                product: row.product,
                hour: counted.hour,
                place: CallerPlace::from(&whence),
                agent: agent_family(voice.agent),
                allowed,
                refused: times - allowed,
                last_at,
            }
        };
        // Whoever is slow with a change stands last.
        let skipped = if is_older { last } else { 0 };
        let parts = voices.iter().enumerate().skip(skipped).map(part);
        parts.filter(|one| one.allowed + one.refused > 0).collect()
    }

    fn of(&self, key_id: KeyId, counted: &Counted, last: Millis) -> Option<MeterRow> {
        let (account, key) = *self.keys.get(&key_id)?;
        let product = counted.product.and_then(|slug| self.products.get(slug));
        Some(MeterRow {
            account,
            key,
            secret_number: counted.secret_number,
            product: product.copied(),
            code: counted.code,
            last,
            count: i64::try_from(counted.count).unwrap_or(i64::MAX),
            units: if counted.code.is_allow() {
                i64::try_from(counted.count).unwrap_or(i64::MAX)
            } else {
                0
            },
        })
    }
}
