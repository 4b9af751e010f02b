//! Counted verdicts added up for people: in all, refused, by code. It knows no store but the rows that come from it.

use std::collections::BTreeMap;

use latchkey_rules::code::Code;
use latchkey_rules::time::Millis;

use crate::store::activity::ActivityRow;
use crate::web::format::number;

/// Counts of a stretch of time.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Counts {
    pub total: String,
    pub allowed: String,
    pub refused: String,
    pub codes: Vec<CodeCount>,
}

/// How often one code was the verdict.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct CodeCount {
    pub code: &'static str,
    pub group: &'static str,
    pub title: &'static str,
    pub count: String,
}

impl Counts {
    /// What was counted from `from` on.
    pub(super) fn since(rows: &[ActivityRow], from: Millis) -> Self {
        let mut by_code: BTreeMap<i16, (Code, i64)> = BTreeMap::new();
        for row in rows.iter().filter(|row| row.hour >= from && row.count > 0) {
            by_code.entry(row.code.number()).or_insert((row.code, 0)).1 += row.count;
        }
        let total: i64 = by_code.values().map(|(_, count)| count).sum();
        let allowed: i64 = by_code
            .values()
            .filter(|(code, _)| code.is_allow())
            .map(|(_, count)| count)
            .sum();
        let mut counted: Vec<(Code, i64)> = by_code.into_values().collect();
        counted.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        let codes = counted.into_iter().map(|(code, count)| CodeCount {
            code: code.as_str(),
            group: code.outcome_group().word(),
            title: code.title(),
            count: number(count),
        });
        Self {
            total: number(total),
            allowed: number(allowed),
            refused: number(total - allowed),
            codes: codes.collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(hour: i64, code: Code, count: i64) -> ActivityRow {
        ActivityRow {
            secret_number: 1,
            hour: Millis(hour),
            secret_last4: "Qm2x".to_owned(),
            product_slug: Some("tiles".to_owned()),
            code,
            count,
        }
    }

    #[test]
    fn what_lies_before_is_left_out_and_the_rest_adds_up() {
        let rows = [
            row(0, Code::Valid, 100),
            row(10, Code::Valid, 3),
            row(20, Code::Valid, 4),
            row(20, Code::ProductNotAssigned, 9),
        ];
        let counts = Counts::since(&rows, Millis(10));
        assert_eq!(
            (
                counts.total.as_str(),
                counts.allowed.as_str(),
                counts.refused.as_str()
            ),
            ("16", "7", "9")
        );
        let codes: Vec<_> = counts
            .codes
            .iter()
            .map(|one| (one.code, one.count.as_str()))
            .collect();
        assert_eq!(codes, [("PRODUCT_NOT_ASSIGNED", "9"), ("VALID", "7")]);
    }

    #[test]
    fn nothing_is_nought() {
        let counts = Counts::since(&[], Millis(0));
        assert_eq!((counts.total.as_str(), counts.codes.len()), ("0", 0));
    }
}
