//! Whether what the database holds can be what Latchkey wrote: its own structure, and each text by the rules that it was
//! written by. A damage that leaves another sensible text is not seen.
//!
//! It must not mend anything.

use std::collections::HashSet;
use std::fmt::Display;

use diesel::dsl::max;
use diesel::sql_types::Text;
use diesel::{ExpressionMethods, QueryDsl, QueryableByName, RunQueryDsl, sql_query};
use latchkey_rules::domain::DomainPattern;
use latchkey_rules::email::Email;
use latchkey_rules::ip_range::IpRange;
use latchkey_rules::name::{DisplayName, KeyName};
use latchkey_rules::product::Catalogue;
use latchkey_rules::secret::HashKind;
use latchkey_rules::slug::Slug;
use latchkey_rules::time::{DAY_MS, Millis};

use super::columns::{key_id as read_key_id, lines};
use super::error::Result;
use super::replica::{self, RowId};
use super::schema::{accounts, keys, secrets, users};
use super::{DatabaseUrl, Reader, damage};

/// Rows of one page.
const PAGE: i64 = 10_000;
/// Problems that are told; after so many the rest is not looked for.
const TOLD: usize = 50;
/// 2020-01-01: nothing was written before.
const EARLIEST: Millis = Millis(1_577_836_800_000);

/// What was looked at, and what is wrong.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Checked {
    /// Keys that were read, the deleted ones too.
    pub keys: u64,
    /// What is wrong, a sentence each.
    pub problems: Vec<String>,
}

impl Checked {
    fn found(&mut self, problem: impl Display) {
        if self.problems.len() < TOLD {
            self.problems.push(problem.to_string());
        }
    }

    fn is_full(&self) -> bool {
        self.problems.len() >= TOLD
    }
}

/// The structure of a SQLite file, which need not even open for it; nothing where there is nothing wrong.
///
/// # Errors
/// When the database cannot be reached.
pub fn structure(url: &DatabaseUrl) -> Result<Option<String>> {
    damage(url)
}

/// Reads everything that decides over requests and people, and holds it against the rules.
///
/// # Errors
/// When the database does not answer.
pub fn check(reader: &mut Reader) -> Result<Checked> {
    let mut checked = Checked::default();
    references(reader, &mut checked)?;
    check_accounts(reader, &mut checked)?;
    check_people(reader, &mut checked)?;
    let products = replica::products(reader)?;
    let facts = products.into_iter().map(|product| product.facts);
    if let Err(error) = Catalogue::build(facts.collect()) {
        checked.found(format_args!("The products contradict each other: {error}"));
    }
    check_keys(reader, &mut checked)?;
    check_secrets(reader, &mut checked)?;
    // What the gate itself would make of it.
    let mut after = RowId::NONE;
    while !checked.is_full() {
        match replica::keys_page(reader, after, PAGE) {
            Ok(page) => match page.last() {
                Some(last) => after = last.row,
                None => break,
            },
            Err(error) => {
                checked.found(format_args!("The gate cannot read the keys: {error}."));
                break;
            }
        }
    }
    Ok(checked)
}

/// Rows that name another which is not there. PostgreSQL lets none be.
fn references(reader: &mut Reader, checked: &mut Checked) -> Result<()> {
    #[derive(QueryableByName)]
    struct Broken {
        #[diesel(sql_type = Text)]
        table: String,
        #[diesel(sql_type = Text)]
        parent: String,
    }
    if !reader.is_file() {
        return Ok(());
    }
    let broken: Vec<Broken> = sql_query("PRAGMA foreign_key_check").load(&mut reader.conn)?;
    let told: HashSet<(String, String)> = broken
        .into_iter()
        .map(|row| (row.table, row.parent))
        .collect();
    for (table, parent) in told {
        checked.found(format_args!(
            "A row of {table} names one of {parent} that is not there."
        ));
    }
    Ok(())
}

fn check_accounts(reader: &mut Reader, checked: &mut Checked) -> Result<()> {
    let rows: Vec<(String, String, String, i64)> = accounts::table
        .select((
            accounts::slug,
            accounts::name,
            accounts::name_key,
            accounts::created_at,
        ))
        .load(&mut reader.conn)?;
    let now = reader.now();
    for (slug, name, name_key, created_at) in rows {
        let about = format!("account {slug:?}");
        if Slug::parse(&slug).is_err() {
            checked.found(format_args!("The short name of {about} is none."));
        }
        let is_name = DisplayName::parse(&name)
            .is_ok_and(|read| read.as_str() == name && read.folded() == name_key);
        if !is_name {
            checked.found(format_args!(
                "The name of {about} is none, or not the one it is found by."
            ));
        }
        instant(checked, created_at, now, &about);
    }
    Ok(())
}

fn check_people(reader: &mut Reader, checked: &mut Checked) -> Result<()> {
    let rows: Vec<(i64, String, String)> = users::table
        .select((users::id, users::email, users::email_key))
        .load(&mut reader.conn)?;
    for (row, email, key) in rows {
        let is_one = Email::parse(&email).is_ok_and(|read| read.folded() == key);
        if !is_one {
            checked.found(format_args!(
                "The mail address of person {row} is none, or not the one they are found by."
            ));
        }
    }
    Ok(())
}

type KeyTexts = (
    i64,
    Vec<u8>,
    String,
    String,
    String,
    String,
    i64,
    Option<i64>,
);

fn check_keys(reader: &mut Reader, checked: &mut Checked) -> Result<()> {
    let now = reader.now();
    let mut after = 0;
    while !checked.is_full() {
        let rows: Vec<KeyTexts> = keys::table
            .filter(keys::id.gt(after))
            .order(keys::id.asc())
            .limit(PAGE)
            .select((
                keys::id,
                keys::key_id,
                keys::name,
                keys::name_key,
                keys::domains,
                keys::ips,
                keys::created_at,
                keys::deleted_at,
            ))
            .load(&mut reader.conn)?;
        let Some(last) = rows.last() else {
            return Ok(());
        };
        after = last.0;
        for row in rows {
            checked.keys += 1;
            key(checked, row, now)?;
        }
    }
    Ok(())
}

fn key(checked: &mut Checked, row: KeyTexts, now: Millis) -> Result<()> {
    let (_, id, name, name_key, domains, ips, created_at, _) = row;
    let about = read_key_id(&id)?.to_string();
    let is_name =
        KeyName::parse(&name).is_ok_and(|read| read.as_str() == name && read.folded() == name_key);
    if !is_name {
        checked.found(format_args!(
            "The name of {about} is none, or not the one it is found by."
        ));
    }
    for entry in lines(&domains) {
        let is_one =
            DomainPattern::parse(&entry).is_ok_and(|read| read.pattern.to_string() == entry);
        if !is_one {
            checked.found(format_args!("An allowed domain of {about} is none."));
        }
    }
    for entry in lines(&ips) {
        let is_one = IpRange::parse(&entry).is_ok_and(|read| read.to_string() == entry);
        if !is_one {
            checked.found(format_args!(
                "An allowed range of addresses of {about} is none."
            ));
        }
    }
    instant(checked, created_at, now, &about);
    Ok(())
}

type SecretTexts = (i64, i16, String, String, String, i64, Option<i64>);

fn check_secrets(reader: &mut Reader, checked: &mut Checked) -> Result<()> {
    let now = reader.now();
    let end: Option<i64> = secrets::table
        .select(max(secrets::key_row))
        .first(&mut reader.conn)?;
    let (mut after, mut live) = (0, (0, 0));
    while !checked.is_full() && end.is_some_and(|end| after < end) {
        // A key's secrets stand together: a page ends with a whole key.
        let rows: Vec<SecretTexts> = secrets::table
            .filter(secrets::key_row.gt(after))
            .filter(secrets::key_row.le(after + PAGE))
            .order((secrets::key_row.asc(), secrets::number.asc()))
            .select((
                secrets::key_row,
                secrets::number,
                secrets::hash_kind,
                secrets::prefix,
                secrets::last4,
                secrets::created_at,
                secrets::retires_at,
            ))
            .load(&mut reader.conn)?;
        for (row, number, hash, prefix, last4, created_at, retires_at) in rows {
            let about = format!("secret {number} of the key in row {row}");
            let is_text =
                |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric());
            let is_whole =
                HashKind::from_word(&hash).is_some() && is_text(&prefix) && is_text(&last4);
            if !is_whole {
                checked.found(format_args!("The shown parts of {about} are none."));
            }
            instant(checked, created_at, now, &about);
            if row != live.0 {
                live = (row, 0);
            }
            live.1 += i32::from(retires_at.is_none_or(|at| at > now.0));
            if live.1 == 3 {
                checked.found(format_args!(
                    "The key in row {row} has more than two secrets that work."
                ));
            }
        }
        after += PAGE;
    }
    Ok(())
}

fn instant(checked: &mut Checked, at: i64, now: Millis, about: &str) {
    if at < EARLIEST.0 || at > now.plus_ms(DAY_MS).0 {
        checked.found(format_args!("The time at which {about} was made is none."));
    }
}
