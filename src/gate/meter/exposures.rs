//! Server secrets that are sent in a URL or without encryption, counted at the moment of the decision. They are few: one
//! table serves all threads. It must not know where that goes.

use std::collections::HashMap;
use std::mem;
use std::sync::{Mutex, PoisonError};

use latchkey_rules::time::Millis;

use crate::store::exposures::{Exposure, ExposureCount};
use crate::store::replica::RowId;

/// Secrets and ways that are kept apart between two takings; more are left out, and seen again soon.
const AT_MOST: usize = 4_096;

/// Which key, by which of its secrets, and how.
type Place = (RowId, u16, Exposure);

/// What was seen since it was last taken.
#[derive(Default)]
pub(super) struct Exposures {
    seen: Mutex<HashMap<Place, (i64, Millis)>>,
}

impl Exposures {
    /// Notes that a secret was sent that way.
    pub(super) fn note(&self, key: RowId, secret_number: u16, way: Exposure, now: Millis) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let place = (key, secret_number, way);
        let has_room = seen.len() < AT_MOST;
        if let Some((times, last_at)) = seen.get_mut(&place) {
            *times += 1;
            *last_at = now.max(*last_at);
        } else if has_room {
            seen.insert(place, (1, now));
        }
    }

    /// Takes all of it out.
    pub(super) fn take(&self) -> Vec<ExposureCount> {
        let seen = mem::take(&mut *self.seen.lock().unwrap_or_else(PoisonError::into_inner));
        let count = |((key, number, way), (times, last_at))| ExposureCount {
            key,
            secret_number: i16::try_from(number).unwrap_or(i16::MAX),
            way,
            times,
            last_at,
        };
        seen.into_iter().map(count).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_seen_again_is_added_up_and_there_is_an_end_to_it() {
        let exposures = Exposures::default();
        let key = RowId::from_number(7);
        exposures.note(key, 1, Exposure::Url, Millis(5));
        exposures.note(key, 1, Exposure::Url, Millis(4));
        let taken = exposures.take();
        assert_eq!(taken.len(), 1);
        assert_eq!((taken[0].times, taken[0].last_at), (2, Millis(5)));
        for row in 0..10_000 {
            exposures.note(RowId::from_number(row), 1, Exposure::PlainHttp, Millis(1));
        }
        assert_eq!(
            (exposures.take().len(), exposures.take().len()),
            (AT_MOST, 0)
        );
    }
}
