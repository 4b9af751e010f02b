//! One of the replica's shards: an index of four bytes a secret over records in chunks.
//!
//! It must not know keys: a shard holds secrets, and who chains them to keys is the applier.

use hashbrown::HashTable;

use super::record::{Beside, Record};

/// Records of one chunk. A chunk is never moved, so a growing replica copies nothing but its index.
const CHUNK: usize = 1024;

/// A part of all secrets, chosen by the digest.
#[derive(Default)]
pub(super) struct Shard {
    index: HashTable<u32>,
    records: Vec<Vec<Record>>,
    beside: Vec<Vec<Beside>>,
    free: Vec<u32>,
    used: u32,
}

/// SHA-256 has mixed the digest well enough: its own first bytes are the hash.
fn hash(digest: &[u8; 32]) -> u64 {
    digest
        .first_chunk::<8>()
        .map_or(0, |start| u64::from_le_bytes(*start))
}

fn place(slot: u32) -> (usize, usize) {
    let slot = usize::try_from(slot).unwrap_or(usize::MAX);
    (slot / CHUNK, slot % CHUNK)
}

impl Shard {
    pub(super) fn find(&self, digest: &[u8; 32]) -> Option<u32> {
        let same = |slot: &u32| self.record(*slot).is_some_and(|record| record.is(digest));
        self.index.find(hash(digest), same).copied()
    }

    /// The slot that the index knows for a digest that hashes alike: almost always this one's, and found without a look
    /// at a record.
    pub(super) fn guess(&self, digest: &[u8; 32]) -> Option<u32> {
        self.index.find(hash(digest), |_slot| true).copied()
    }

    pub(super) fn record(&self, slot: u32) -> Option<&Record> {
        let (chunk, place) = place(slot);
        self.records.get(chunk)?.get(place)
    }

    pub(super) fn beside(&self, slot: u32) -> Option<&Beside> {
        let (chunk, place) = place(slot);
        self.beside.get(chunk)?.get(place)
    }

    /// Every secret that was not taken out, and those that were until their slot is given away.
    pub(super) fn all(&self) -> impl Iterator<Item = (&Record, &Beside)> {
        self.records
            .iter()
            .flatten()
            .zip(self.beside.iter().flatten())
    }

    pub(super) fn beside_mut(&mut self, slot: u32) -> Option<&mut Beside> {
        let (chunk, place) = place(slot);
        self.beside.get_mut(chunk)?.get_mut(place)
    }

    /// Writes the secret, over the record with the same digest if there is one.
    pub(super) fn put(&mut self, record: Record, beside: Beside) -> u32 {
        if let Some(slot) = self.find(&record.digest) {
            self.write(slot, record, beside);
            return slot;
        }
        let digest = record.digest;
        let slot = self.free.pop().unwrap_or(self.used);
        self.write(slot, record, beside);
        let records = &self.records;
        let hash_of = |slot: &u32| {
            let (chunk, place) = place(*slot);
            let record = records.get(chunk).and_then(|chunk| chunk.get(place));
            record.map_or(0, |record| hash(&record.digest))
        };
        self.index.insert_unique(hash(&digest), slot, hash_of);
        slot
    }

    fn write(&mut self, slot: u32, record: Record, beside: Beside) {
        let (chunk, place) = place(slot);
        if slot == self.used {
            self.used += 1;
            if chunk == self.records.len() {
                self.records.push(Vec::with_capacity(CHUNK));
                self.beside.push(Vec::with_capacity(CHUNK));
            }
            if let (Some(records), Some(besides)) =
                (self.records.get_mut(chunk), self.beside.get_mut(chunk))
            {
                records.push(record);
                besides.push(beside);
            }
            return;
        }
        if let Some(old) = self
            .records
            .get_mut(chunk)
            .and_then(|chunk| chunk.get_mut(place))
        {
            *old = record;
        }
        if let Some(old) = self.beside_mut(slot) {
            *old = beside;
        }
    }

    /// Takes the secret out; its slot is given to the next one.
    pub(super) fn remove(&mut self, slot: u32) {
        let Some(digest) = self.record(slot).map(|record| record.digest) else {
            return;
        };
        if let Ok(entry) = self.index.find_entry(hash(&digest), |other| *other == slot) {
            entry.remove();
            self.free.push(slot);
        }
    }

    /// What it takes of memory.
    pub(super) fn bytes(&self) -> usize {
        // A chunk is made at its full size.
        let chunk = CHUNK * (size_of::<Record>() + size_of::<Beside>());
        let free = self.free.capacity() * size_of::<u32>();
        self.records.len() * chunk + self.index.allocation_size() + free
    }

    pub(super) fn len(&self) -> usize {
        self.index.len()
    }
}
