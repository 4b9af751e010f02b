//! What the limits say to a request that is granted but for them: those of plan, product and key, and of a browser key's caller.
//!
//! It must not know what is said of it.

use latchkey_rules::kind::KeyKind;
use latchkey_rules::limit::{Bounds, Fits, Limits, Taking};
use latchkey_rules::product::ProductIx;
use latchkey_rules::time::Millis;

use super::{Ask, Judge, Moment};
use crate::gate::limiter::addresses::Addresses;
use crate::gate::limiter::{At, Demand};
use crate::gate::replica::{Facts, Known};
use crate::store::replica::RowId;

/// What the limits said to a request.
#[derive(Clone, Copy, Debug)]
pub struct JudgedLimits {
    /// The bounds that hold for this key and product: of plan, product and key the lower ones.
    pub bounds: Bounds,
    /// What each of them says.
    pub limits: Limits,
    /// When.
    pub now: Millis,
}

impl Judge {
    /// Asks the limits, which give what the request costs if all of them have it.
    pub(super) fn limits(
        &self,
        ask: &Ask<'_>,
        known: &Known<'_>,
        product: ProductIx,
        facts: &Facts,
        moment: Moment,
    ) -> JudgedLimits {
        let of_product = Bounds {
            per_second: facts.product_rate(product),
            ..Bounds::default()
        };
        let bounds = known
            .plan
            .bounds
            .within(known.policy.bounds)
            .within(of_product);
        let demand = Demand {
            key_row: known.key_row(),
            product_row: facts.product_row(product).unwrap_or(RowId::NONE),
            account_row: known.account.row,
            bounds,
            cost: ask.cost,
        };
        let at = At {
            micros: moment.micros,
            now: moment.due,
        };
        let judged = JudgedLimits {
            bounds,
            limits: Limits::default(),
            now: moment.now,
        };
        match &self.addresses {
            Some(addresses) if known.policy.kind == KeyKind::Browser => {
                self.by_address(addresses, ask, &demand, at, judged)
            }
            _ => JudgedLimits {
                limits: self.limiter.ask(&demand, at, !ask.counted),
                ..judged
            },
        }
    }

    /// The same for a browser key where each address has a bucket too: both give, or neither does. Of that and the key's own
    /// bucket the answer tells the one that has less.
    fn by_address(
        &self,
        addresses: &Addresses,
        ask: &Ask<'_>,
        demand: &Demand,
        at: At,
        judged: JudgedLimits,
    ) -> JudgedLimits {
        let address = ask.asked.caller.address.get();
        let place = address.and_then(|address| addresses.place(demand.key_row, address));
        let Some(place) = place else {
            // Whoever's address nobody knows is held to the other limits alone.
            let limits = self.limiter.ask(demand, at, !ask.counted);
            return JudgedLimits { limits, ..judged };
        };
        let room = place.look(ask.cost, at.micros);
        let passes = room.fits == Fits::Now;
        let limits = if passes {
            self.limiter.ask(demand, at, !ask.counted)
        } else {
            let nothing = Demand { cost: 0, ..*demand };
            self.limiter.ask(&nothing, at, true)
        };
        let is_taken = limits.taking() == Taking::Taken;
        let room = if passes && !is_taken {
            place.look(0, at.micros)
        } else {
            room
        };
        if passes && is_taken && ask.counted {
            place.take(ask.cost, at.micros);
        }
        let binds = limits.minute.is_none_or(|minute| {
            minute.fits == Fits::Now && (!passes || room.remaining < minute.remaining)
        });
        if !binds {
            return JudgedLimits { limits, ..judged };
        }
        let (minute, rate) = (Some(room), addresses.rate());
        JudgedLimits {
            limits: Limits { minute, ..limits },
            bounds: Bounds {
                per_minute: Some(rate.per_minute()),
                burst: Some(rate.per_minute()),
                ..judged.bounds
            },
            ..judged
        }
    }
}
