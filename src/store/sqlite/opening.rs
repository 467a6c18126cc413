//! The writer's connection and memory: made ready at start, and again after an error that leaves them in doubt.

use rusqlite::{Connection, TransactionBehavior};

use super::connection::{self, StoreFile, failed};
use super::lanes::reclaim;
use super::memory::Memory;
use super::schema;
use super::steady::Now;
use crate::store::Error;
use crate::store::form::cipher::Cipher;

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
