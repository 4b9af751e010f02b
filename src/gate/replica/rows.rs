//! Where the secrets of a key stand, by the key's row: pages of 64 rows, about five bytes a key.
//!
//! Only the applier reads it; no decision does.

use hashbrown::HashMap;

use super::record::NONE;

const PAGE: i64 = 64;

/// From a key's row to the place of its first secret, with a mark for the sweep after a full load.
#[derive(Default)]
pub(super) struct Rows {
    pages: HashMap<i64, Box<Page>>,
}

struct Page {
    heads: [u32; 64],
    /// A bit for each row that the load under way has seen.
    seen: u64,
}

fn split(row: i64) -> (i64, usize) {
    (
        row.div_euclid(PAGE),
        usize::try_from(row.rem_euclid(PAGE)).unwrap_or(0),
    )
}

impl Rows {
    pub(super) fn get(&self, row: i64) -> Option<u32> {
        let (page, place) = split(row);
        let head = *self.pages.get(&page)?.heads.get(place)?;
        (head != NONE).then_some(head)
    }

    /// Sets or, with [`NONE`], forgets the row's first secret.
    pub(super) fn set(&mut self, row: i64, head: u32) {
        let (page, place) = split(row);
        let entry = self.pages.entry(page).or_insert_with(|| {
            Box::new(Page {
                heads: [NONE; 64],
                seen: 0,
            })
        });
        let Some(old) = entry.heads.get_mut(place) else {
            return;
        };
        *old = head;
        entry.seen |= 1 << place;
        if head == NONE && entry.heads.iter().all(|head| *head == NONE) {
            self.pages.remove(&page);
        }
    }

    /// Begins a load: nothing is seen yet.
    pub(super) fn forget_seen(&mut self) {
        for page in self.pages.values_mut() {
            page.seen = 0;
        }
    }

    /// The rows that no [`Rows::set`] has touched since [`Rows::forget_seen`].
    pub(super) fn unseen(&self) -> Vec<i64> {
        let mut unseen = Vec::new();
        for (number, page) in &self.pages {
            let rows = (number * PAGE..).zip(page.heads);
            for (place, (row, head)) in rows.enumerate() {
                if head != NONE && page.seen & (1 << place) == 0 {
                    unseen.push(row);
                }
            }
        }
        unseen
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_come_back_go_and_are_swept() {
        let mut rows = Rows::default();
        for row in [1, 63, 64, 65, 1 << 40] {
            rows.set(row, 7);
        }
        assert_eq!((rows.get(64), rows.get(66)), (Some(7), None));
        rows.set(64, NONE);
        rows.set(64, NONE);
        assert_eq!(rows.get(64), None);
        rows.forget_seen();
        rows.set(63, 9);
        let mut unseen = rows.unseen();
        unseen.sort_unstable();
        assert_eq!(unseen, [1, 65, 1 << 40]);
    }
}
