//! The store's refusals, as pages put them. It adds no words of its own.

use super::Error;
use crate::store;

impl From<store::Error> for Error {
    fn from(error: store::Error) -> Self {
        match error {
            store::Error::NotFound => Self::NotFound,
            store::Error::Forbidden => Self::Forbidden,
            store::Error::Conflict(conflict) => Self::Conflict(conflict.to_string()),
            store::Error::Unavailable(why) => Self::Unavailable(why),
            store::Error::Database(why) => Self::Internal(why),
        }
    }
}
