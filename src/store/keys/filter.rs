//! Which of an account's keys are meant, as a query.

use diesel::sql_types::{BigInt, Nullable};
use diesel::{
    BoolExpressionMethods, Connection, EscapeExpressionMethods, ExpressionMethods, QueryDsl,
    TextExpressionMethods,
};
use latchkey_rules::environment::Environment;
use latchkey_rules::key_id::KeyId;
use latchkey_rules::kind::KeyKind;
use latchkey_rules::name::folded;
use latchkey_rules::status::{EXPIRING_MS, Status};
use latchkey_rules::time::{DAY_MS, Millis};

use super::load::KeyRow;
use crate::store::columns::contains;
use crate::store::db::Any;
use crate::store::schema::{key_products, keys, products, secrets, users};
use crate::store::scope::AccountScope;

/// Without a use for so long a key counts as unused.
pub const UNUSED_MS: i64 = 90 * DAY_MS;

diesel::define_sql_function! {
    /// The first of both that is not null.
    fn coalesce(value: Nullable<BigInt>, otherwise: BigInt) -> BigInt;
}

/// Which of the account's keys, in which order.
#[derive(Clone, Debug, Default)]
pub struct KeyFilter {
    /// Those whose name holds this, whose key ID, label or responsible person this is, or one of whose secrets ends so.
    pub search: Option<String>,
    /// Those of this environment.
    pub environment: Option<Environment>,
    /// Those of this kind.
    pub kind: Option<KeyKind>,
    /// Those that stand so.
    pub status: Option<Status>,
    /// Those that nobody used for [`UNUSED_MS`], though they are that old.
    pub unused: bool,
    /// Those that are good for the product with this slug.
    pub product: Option<String>,
    /// In which order.
    pub order: KeyOrder,
    /// After this key: the last of the page before.
    pub after: Option<KeyId>,
    /// How many; 0 is as many as a page has at most.
    pub limit: usize,
}

/// The order of a list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum KeyOrder {
    /// By name.
    #[default]
    Name,
    /// The newest first.
    Newest,
    /// The one that was used last first, those that never were at the end.
    LastUsed,
}

/// The keys that are meant.
pub(super) type Wanted = keys::BoxedQuery<'static, <Any as Connection>::Backend>;

/// The account's keys that are not deleted and that the filter takes, at this instant.
pub(super) fn wanted(scope: &AccountScope, filter: &KeyFilter, now: Millis) -> Wanted {
    let mut wanted = keys::table
        .filter(keys::account_id.eq(scope.account))
        .filter(keys::deleted_at.is_null())
        .into_boxed();
    if let Some(text) = &filter.search {
        wanted = searched(wanted, text.trim());
    }
    if let Some(environment) = filter.environment {
        wanted = wanted.filter(keys::environment.eq(environment.word()));
    }
    if let Some(kind) = filter.kind {
        wanted = wanted.filter(keys::kind.eq(kind.word()));
    }
    if let Some(status) = filter.status {
        wanted = standing(wanted, status, now);
    }
    if filter.unused {
        let since = now.plus_ms(-UNUSED_MS).0;
        wanted = wanted
            .filter(keys::created_at.lt(since))
            .filter(coalesce(keys::last_used_at, 0).lt(since));
    }
    if let Some(slug) = &filter.product {
        let good_for = key_products::table
            .inner_join(products::table)
            .filter(products::slug.eq(slug.clone()))
            .select(key_products::key_row);
        wanted = wanted.filter(keys::id.eq_any(good_for));
    }
    wanted
}

fn searched(wanted: Wanted, text: &str) -> Wanted {
    if let Ok(id) = KeyId::parse(text) {
        return wanted.filter(keys::key_id.eq(id.as_bytes().to_vec()));
    }
    let by_name = keys::name_key.like(contains(&folded(text))).escape('\\');
    let label = contains(&format!("\n{}\n", text.to_lowercase()));
    let by_label = keys::labels.like(label).escape('\\');
    let people = users::table
        .filter(users::email_key.eq(text.to_lowercase()))
        .select(users::id);
    let by_person = coalesce(keys::responsible_user_id, 0)
        .eq_any(people)
        .or(keys::responsible_name.eq(text.to_owned()));
    let ending = secrets::table
        .filter(secrets::last4.eq(text.to_owned()))
        .select(secrets::key_row);
    let by_ending = keys::id.eq_any(ending);
    wanted.filter(by_name.or(by_label).or(by_person).or(by_ending))
}

/// As [`Status::of`] says of one key, of each.
fn standing(wanted: Wanted, status: Status, now: Millis) -> Wanted {
    let now_ms = now.0;
    let soon = now.plus_ms(EXPIRING_MS).0;
    let for_ever = i64::MAX;
    let is_disabled = keys::disabled_at.is_not_null();
    let is_paused = keys::paused_at
        .is_not_null()
        .and(coalesce(keys::paused_until, for_ever).gt(now_ms));
    let wanted = match status {
        Status::Deleted => return wanted.filter(keys::deleted_at.is_not_null()),
        Status::Disabled => return wanted.filter(is_disabled),
        _ => wanted.filter(diesel::dsl::not(is_disabled)),
    };
    let wanted = match status {
        Status::Paused => return wanted.filter(is_paused),
        _ => wanted.filter(diesel::dsl::not(is_paused)),
    };
    let expires_at = coalesce(keys::expires_at, for_ever);
    let wanted = match status {
        Status::Expired => return wanted.filter(expires_at.le(now_ms)),
        _ => wanted.filter(expires_at.gt(now_ms)),
    };
    let rotating = secrets::table
        .filter(secrets::retires_at.gt(now_ms))
        .select(secrets::key_row);
    let wanted = match status {
        Status::Rotating => return wanted.filter(keys::id.eq_any(rotating)),
        _ => wanted.filter(keys::id.ne_all(rotating)),
    };
    match status {
        Status::Expiring => wanted.filter(expires_at.le(soon)),
        _ => wanted.filter(expires_at.gt(soon)),
    }
}

pub(super) fn ordered(wanted: Wanted, order: KeyOrder) -> Wanted {
    match order {
        KeyOrder::Name => wanted.order((keys::name_key.asc(), keys::id.asc())),
        KeyOrder::Newest => wanted.order((keys::created_at.desc(), keys::id.desc())),
        KeyOrder::LastUsed => {
            wanted.order((coalesce(keys::last_used_at, 0).desc(), keys::id.desc()))
        }
    }
}

/// What comes after this key.
pub(super) fn beyond(wanted: Wanted, order: KeyOrder, last: &KeyRow) -> Wanted {
    match order {
        KeyOrder::Name => wanted.filter(
            keys::name_key.gt(last.name_key.clone()).or(keys::name_key
                .eq(last.name_key.clone())
                .and(keys::id.gt(last.id))),
        ),
        KeyOrder::Newest => wanted.filter(
            keys::created_at.lt(last.created_at).or(keys::created_at
                .eq(last.created_at)
                .and(keys::id.lt(last.id))),
        ),
        KeyOrder::LastUsed => {
            let (used, at) = (
                coalesce(keys::last_used_at, 0),
                last.last_used_at.unwrap_or(0),
            );
            wanted.filter(used.lt(at).or(used.eq(at).and(keys::id.lt(last.id))))
        }
    }
}
