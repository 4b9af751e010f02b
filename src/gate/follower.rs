//! Follows the change log: a thread of its own, on a connection of its own, that keeps the replica up to date.
//!
//! It must not know HTTP or verdicts. When the database is away it tries again with every tick; that nothing is heard
//! is for [`Contact`] to say.

use std::panic::resume_unwind;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, SyncSender};
use std::thread;
use std::time::Duration;

use latchkey_rules::product::CatalogueError;
use latchkey_rules::time::Millis;

use crate::clock::Clock;
use crate::store::changes::{self, ChangeKind, ChangeRow, Changes, Epoch};
use crate::store::nodes::{Ack, Followed};
use crate::store::replica::{self as snapshot, ReplicaKey, RowId};
use crate::store::revocations::Standing;
use crate::store::{self, Db, Reader};

use super::contact::{Contact, Next};
use super::progress::Progress;
use super::replica::apply::Applier;
use super::revocations::Revocations;

/// Between two looks at the log.
const TICK: Duration = Duration::from_millis(100);
/// The same after one that failed.
const REST: Duration = Duration::from_secs(1);
/// Between two comparisons with the whole database.
const CHECK: Duration = Duration::from_mins(1);
/// Rows of one page, of the log and of accounts.
const PAGE: i64 = 10_000;
/// Keys of one page, with what hangs on them: few enough to stay in a processor's cache until they are in the replica.
const KEYS_PAGE: i64 = 1_000;

/// Why a look at the log failed.
#[derive(Debug, thiserror::Error)]
pub enum FollowError {
    /// The database did not answer, or refused.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// The products contradict each other.
    #[error("the products cannot be served: {0}")]
    Catalogue(#[from] CatalogueError),
}

/// What the follower counts.
#[derive(Default)]
pub(crate) struct FollowerCounts {
    pub(crate) looks: AtomicU64,
    pub(crate) failures: AtomicU64,
    pub(crate) reloads: AtomicU64,
    pub(crate) drifts: AtomicU64,
}

/// Who is told of what was applied.
pub(crate) struct Told {
    pub(crate) progress: Arc<Progress>,
    pub(crate) revocations: Revocations,
}

/// The state between two looks.
pub(crate) struct Follower {
    db: Db,
    clock: Clock,
    contact: Arc<Contact>,
    counts: Arc<FollowerCounts>,
    told: Told,
    applier: Applier,
    reader: Option<Reader>,
    /// The log that the cursor belongs to.
    epoch: Option<Epoch>,
    cursor: i64,
    /// Where the last load of everything ended, and when.
    loaded: (i64, Millis),
    /// Ends that were applied and are not told yet.
    acks: Vec<Ack>,
    /// How the keys stand that changed, likewise.
    standings: Vec<Standing>,
    data_version: Option<i64>,
    checked: Duration,
    failing: bool,
}

impl Follower {
    /// Loads the whole replica; the caller waits for it, since there is nothing to serve before.
    pub(crate) fn load(
        db: Db,
        clock: Clock,
        contact: Arc<Contact>,
        counts: Arc<FollowerCounts>,
        told: Told,
    ) -> Result<Self, FollowError> {
        let mut follower = Self {
            db,
            clock,
            contact,
            counts,
            told,
            applier: Applier::new(),
            reader: None,
            epoch: None,
            cursor: 0,
            loaded: (0, Millis(0)),
            acks: Vec::new(),
            standings: Vec::new(),
            data_version: None,
            checked: Duration::ZERO,
            failing: false,
        };
        follower.contact.pass();
        let began = follower.clock.monotonic();
        follower.look()?;
        follower.contact.seen(began);
        Ok(follower)
    }

    pub(crate) fn applier(&self) -> &Applier {
        &self.applier
    }

    /// Follows until the gate stops.
    pub(crate) fn run(mut self) {
        while let Next::Look(look) = self.contact.next(if self.failing { REST } else { TICK }) {
            self.contact.pass();
            let began = self.clock.monotonic();
            match self.look() {
                Ok(()) => {
                    self.contact.seen(began);
                    if self.failing {
                        tracing::info!("the change log is followed again");
                    }
                    self.failing = false;
                }
                Err(error) => self.failed(&error),
            }
            self.counts.looks.fetch_add(1, Ordering::Relaxed);
            self.contact.over(look);
        }
    }

    fn failed(&mut self, error: &FollowError) {
        self.counts.failures.fetch_add(1, Ordering::Relaxed);
        // The next look begins with a connection of its own; whatever this one held is gone.
        self.reader = None;
        self.data_version = None;
        if !self.failing {
            tracing::warn!(%error, "the change log cannot be followed; known keys are served from memory");
        }
        self.failing = true;
    }

    /// One look at the log: nothing, some rows, or everything anew.
    fn look(&mut self) -> Result<(), FollowError> {
        let mut reader = match self.reader.take() {
            Some(reader) => reader,
            None => self.db.own_reader()?,
        };
        let version = changes::data_version(&mut reader)?;
        let due = self.clock.monotonic().saturating_sub(self.checked) >= CHECK;
        if due || version.is_none() || version != self.data_version || self.epoch.is_none() {
            self.catch_up(&mut reader, due)?;
            self.tell();
            self.data_version = version;
        }
        self.reader = Some(reader);
        Ok(())
    }

    fn tell(&mut self) {
        let Some(epoch) = self.epoch else { return };
        let (loaded, loaded_at) = self.loaded;
        let followed = Followed {
            epoch,
            loaded,
            loaded_at,
            applied: self.cursor,
        };
        self.told.progress.followed(followed, &mut self.acks);
        self.acks.clear();
        self.told.revocations.add(self.standings.drain(..));
    }

    fn catch_up(&mut self, reader: &mut Reader, check: bool) -> Result<(), FollowError> {
        let epoch = changes::epoch(reader)?;
        let head = changes::head(reader)?;
        if self.epoch != Some(epoch) || head < self.cursor {
            return self.reload(reader);
        }
        if head > self.cursor && !self.follow(reader)? {
            return self.reload(reader);
        }
        if check && !self.agrees(reader)? {
            self.counts.drifts.fetch_add(1, Ordering::Relaxed);
            tracing::warn!("the replica differs from the database and is loaded anew");
            return self.reload(reader);
        }
        Ok(())
    }

    /// Applies what the log holds after the cursor; false when part of it is no longer there.
    fn follow(&mut self, reader: &mut Reader) -> Result<bool, FollowError> {
        loop {
            let rows = match changes::after(reader, self.cursor, PAGE)? {
                Changes::Gap => return Ok(false),
                Changes::Rows(rows) => rows,
            };
            let Some(last) = rows.last().map(|row| row.id) else {
                return Ok(true);
            };
            let full = i64::try_from(rows.len()).is_ok_and(|rows| rows >= PAGE);
            self.apply(reader, &rows)?;
            self.cursor = last;
            if !full {
                return Ok(true);
            }
        }
    }

    fn apply(&mut self, reader: &mut Reader, rows: &[ChangeRow]) -> Result<(), FollowError> {
        let of = |kind: ChangeKind| {
            let rows = rows.iter().filter(move |row| row.kind == kind);
            let mut rows: Vec<_> = rows.map(|row| row.ref_row).collect();
            rows.sort_unstable();
            rows.dedup();
            rows
        };
        if !of(ChangeKind::Product).is_empty() {
            self.applier.set_products(&snapshot::products(reader)?)?;
        }
        if !of(ChangeKind::Plan).is_empty() {
            self.applier.set_plans(&snapshot::plans(reader)?);
        }
        for some in of(ChangeKind::Account).chunks(500) {
            self.applier
                .put_accounts(&snapshot::accounts_by_rows(reader, some)?);
        }
        let place = rows.last().map_or(self.cursor, |row| row.id);
        for some in of(ChangeKind::Key).chunks(500) {
            let keys = snapshot::keys_by_rows(reader, some)?;
            for gone in some
                .iter()
                .filter(|row| !keys.iter().any(|key| key.row == **row))
            {
                self.applier.remove_key(*gone);
            }
            self.put_keys(reader, &keys)?;
            let now = self.clock.now();
            let ended = keys.iter().filter(|key| key.has_ended(now));
            self.acks.extend(ended.map(|key| Ack {
                key: key.row,
                generation: key.generation,
                at: now,
            }));
            self.remember(&keys, place);
        }
        Ok(())
    }

    /// Keeps how changed keys stand for the log of revocations; a key that was made is no revocation.
    fn remember(&mut self, keys: &[ReplicaKey], place: i64) {
        let Some(epoch) = self.epoch else { return };
        let now = self.clock.now();
        let changed = keys.iter().filter(|key| key.generation > 1);
        self.standings
            .extend(changed.map(|key| Standing::of(key, now, epoch, place)));
    }

    /// Brings the log of revocations up to what was loaded: with what changed while no gate of this data folder ran, or, where
    /// the change log cannot say, with every key that something was taken from.
    fn catch_up_revocations(
        &mut self,
        reader: &mut Reader,
        restricted: Vec<Standing>,
    ) -> Result<(), FollowError> {
        let known = self
            .epoch
            .and_then(|epoch| self.told.revocations.place_in(epoch));
        let Some(mut place) = known.filter(|_| self.counts.reloads.load(Ordering::Relaxed) == 0)
        else {
            self.standings = restricted;
            return Ok(());
        };
        while place < self.cursor {
            let Changes::Rows(rows) = changes::after(reader, place, PAGE)? else {
                self.standings = restricted;
                return Ok(());
            };
            let Some(last) = rows.last().map(|row| row.id) else {
                return Ok(());
            };
            let keys = rows.iter().filter(|row| row.kind == ChangeKind::Key);
            let mut keys: Vec<RowId> = keys.map(|row| row.ref_row).collect();
            keys.sort_unstable();
            keys.dedup();
            for some in keys.chunks(500) {
                let keys = snapshot::keys_by_rows(reader, some)?;
                self.remember(&keys, last);
            }
            place = last;
        }
        Ok(())
    }

    fn put_keys(&mut self, reader: &mut Reader, keys: &[ReplicaKey]) -> Result<(), FollowError> {
        let mut strangers: Vec<_> = keys
            .iter()
            .map(|key| key.account_row)
            .filter(|row| !self.applier.knows_account(*row))
            .collect();
        strangers.dedup();
        if !strangers.is_empty() {
            self.applier
                .put_accounts(&snapshot::accounts_by_rows(reader, &strangers)?);
        }
        self.applier.put_keys(keys);
        Ok(())
    }

    /// Everything anew, in one snapshot, over what is there: keys that are known stay served meanwhile.
    fn reload(&mut self, reader: &mut Reader) -> Result<(), FollowError> {
        // Should it fail half way, the next look begins it again.
        self.epoch = None;
        let applier = &mut self.applier;
        applier.begin_load();
        let now = self.clock.now();
        let mut beside = self.db.own_reader()?;
        let (loaded, products) = reader
            .snapshot(|reader| beside.snapshot(|beside| load_all(reader, beside, applier, now)))?;
        products?;
        applier.finish_load();
        self.cursor = loaded.head;
        self.loaded = (loaded.head, self.clock.now());
        self.epoch = Some(loaded.epoch);
        self.checked = self.clock.monotonic();
        self.catch_up_revocations(reader, loaded.restricted)?;
        self.counts.reloads.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    /// Whether replica and database hold the same keys in the same generations.
    fn agrees(&mut self, reader: &mut Reader) -> Result<bool, FollowError> {
        self.applier.tidy();
        // The log goes on meanwhile; what was written between must be followed before the two can be compared.
        for _ in 0..5 {
            let (head, sums) = reader
                .snapshot(|reader| Ok((changes::head(reader)?, changes::checksum(reader)?)))?;
            if head == self.cursor {
                self.checked = self.clock.monotonic();
                return Ok(sums == self.applier.tally());
            }
            if !self.follow(reader)? {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

struct Loaded {
    epoch: Epoch,
    head: i64,
    /// Keys that something was taken from.
    restricted: Vec<Standing>,
}

/// Reads all tables into the replica. Products that contradict each other are told apart from a database that fails.
///
/// `beside` sees the database as it is a moment later; what changed meanwhile stands behind `head` in the log and is read again.
fn load_all(
    reader: &mut Reader,
    beside: &mut Reader,
    applier: &mut Applier,
    now: Millis,
) -> store::Result<(Loaded, Result<(), CatalogueError>)> {
    let mut loaded = Loaded {
        epoch: changes::epoch(reader)?,
        head: changes::head(reader)?,
        restricted: Vec::new(),
    };
    let products = applier.set_products(&snapshot::products(reader)?);
    applier.set_plans(&snapshot::plans(reader)?);
    load_accounts(reader, applier)?;
    each_page_of_keys([reader, beside], |keys| {
        applier.put_keys(&keys);
        let standings = keys
            .iter()
            .filter(|key| key.generation > 1)
            .map(|key| Standing::of(key, now, loaded.epoch, loaded.head));
        loaded
            .restricted
            .extend(standings.filter(Standing::restricts));
    })?;
    Ok((loaded, products))
}

/// Each reader takes its part of the rows on a thread of its own, so that pages come out of the database while those before
/// go into the replica.
fn each_page_of_keys(
    readers: [&mut Reader; 2],
    mut take: impl FnMut(Vec<ReplicaKey>),
) -> store::Result<()> {
    let [one, other] = readers;
    let last = snapshot::last_key(one)?;
    let middle = RowId::from_number(last.number() / 2);
    thread::scope(|scope| {
        let (ready, pages) = mpsc::sync_channel(1);
        let also_ready = ready.clone();
        let readings = [
            scope.spawn(move || read_keys(one, RowId::NONE, middle, &ready)),
            scope.spawn(move || read_keys(other, middle, last, &also_ready)),
        ];
        pages.into_iter().for_each(&mut take);
        readings
            .into_iter()
            .try_for_each(|reading| reading.join().unwrap_or_else(|panic| resume_unwind(panic)))
    })
}

/// The keys after a row, up to another.
fn read_keys(
    reader: &mut Reader,
    mut after: RowId,
    until: RowId,
    ready: &SyncSender<Vec<ReplicaKey>>,
) -> store::Result<()> {
    while after < until {
        let mut keys = snapshot::keys_page(reader, after, KEYS_PAGE)?;
        let Some(last) = keys.last().map(|key| key.row) else {
            return Ok(());
        };
        keys.retain(|key| key.row <= until);
        if ready.send(keys).is_err() {
            // Whoever takes them has panicked, which the thread that waits for this one will tell.
            return Ok(());
        }
        after = last;
    }
    Ok(())
}

fn load_accounts(reader: &mut Reader, applier: &mut Applier) -> store::Result<()> {
    let mut after = RowId::NONE;
    loop {
        let accounts = snapshot::accounts_page(reader, after, PAGE)?;
        let Some(last) = accounts.last().map(|account| account.row) else {
            return Ok(());
        };
        applier.put_accounts(&accounts);
        after = last;
    }
}
