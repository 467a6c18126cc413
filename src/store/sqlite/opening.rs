//! The writer's connection and memory: made ready at start, and again after an error that leaves them in doubt.

use std::sync::Arc;

use rusqlite::{Connection, TransactionBehavior};

use super::connection::{self, StoreFile, failed};
use super::lanes::reclaim;
use super::memory::Memory;
use super::room::Room;
use super::schema;
use super::steady::{Now, Steady};
use crate::clock::SharedClock;
use crate::store::Error;
use crate::store::form::cipher::Cipher;

/// What a start makes ready.
pub(super) struct Opened {
    pub(super) connection: Connection,
    pub(super) memory: Memory,
    pub(super) steady: Arc<Steady>,
    /// The last fence that was given.
    pub(super) fence: i64,
    /// The key of the store's hashes.
    pub(super) key: [u8; 32],
}

/// Opens the file, or makes it. On a full disk the room goes that the last process kept back.
pub(super) fn open(
    file: &StoreFile,
    max_pages: u64,
    clock: &SharedClock,
    room: &mut Room,
) -> Result<Opened, Error> {
    match try_open(file, max_pages, clock) {
        Err(Error::Full(_)) if room.give_way() => try_open(file, max_pages, clock),
        opened => opened,
    }
}

fn try_open(file: &StoreFile, max_pages: u64, clock: &SharedClock) -> Result<Opened, Error> {
    let mut connection = connection::writing(file, max_pages)?;
    prepare(&mut connection, &file.cipher)?;
    let steady = Arc::new(Steady::of(Arc::clone(clock), &connection)?);
    let now = steady.now().steady;
    let (fence, key) = start(&mut connection, now)?;
    let memory = Memory::load(&connection, now)?;
    Ok(Opened { connection, memory, steady, fence, key })
}

/// Brings the store to this release's schema, and sees that the keys are there that it needs.
pub(super) fn prepare(connection: &mut Connection, cipher: &Cipher) -> Result<(), Error> {
    schema::migrate(connection, schema::STEPS)?;
    schema::check_keys(connection, cipher)?;
    schema::note_key(connection, cipher)
}

/// Counts this start, and has everything that was lent go back.
pub(super) fn start(connection: &mut Connection, now: i64) -> Result<(i64, [u8; 32]), Error> {
    let transaction = connection
        .transaction_with_behavior(TransactionBehavior::Immediate)
        .map_err(|error| failed(&error))?;
    let key = schema::hash_key(&transaction)?;
    // Eight million starts of a million million transactions each: no fence is ever given twice.
    let starts = schema::number(&transaction, "starts")?.unwrap_or(0) + 1;
    schema::set(&transaction, "starts", starts)?;
    reclaim(&transaction, None, now).map_err(|error| failed(&error))?;
    transaction.commit().map_err(|error| failed(&error))?;
    Ok((starts << 40, key))
}

/// The connection and the memory: opened and loaded again where they were thrown away.
pub(super) fn ready<'a>(
    (connection, memory): (&'a mut Option<Connection>, &'a mut Option<Memory>),
    (path, max_pages): (&StoreFile, u64),
    fence: i64,
    Now { steady: now, .. }: Now,
) -> Result<(&'a mut Connection, &'a mut Memory), Error> {
    let connection = match connection {
        Some(connection) => connection,
        closed => closed.insert(connection::writing(path, max_pages)?),
    };
    let memory = match memory {
        Some(memory) => memory,
        forgotten => {
            // A commit that failed may have reached the disk all the same: what it lent is in nobody's hands.
            reclaim(connection, Some(fence), now).map_err(|error| failed(&error))?;
            forgotten.insert(Memory::load(connection, now)?)
        }
    };
    Ok((connection, memory))
}
