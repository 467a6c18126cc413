//! Sealing everything with the first key of the key file: after a new key was put first, or where encryption is new.
//!
//! A pass over every table that holds something sealed, some rows a transaction; what is sealed with the first key
//! already is left alone, so that a pass that was broken off goes on quickly. What stood there before goes with the
//! next vacuum of its table.

use std::sync::Arc;

use tokio_postgres::Row;

use super::address::Place;
use super::key_file::{self, SEALED_WITH};
use super::pool::Pool;
use super::sealing::{SEALED, aad, sealed};
use super::transaction::{Fault, Transaction, params, transacted};
use super::{copied, queries, schema};
use crate::store::Error;
use crate::store::form::cipher::Cipher;
use crate::store::rekey::Progress;

/// Rows in one transaction: bodies may be large.
const ROWS: i64 = 100;

/// A table in which something is sealed, by the number of its rows.
struct Table {
    /// The statements that read a piece, and that write what is sealed anew.
    read: &'static str,
    write: &'static str,
    kind: &'static str,
    count: &'static str,
}

/// Requests come by themselves: a body's first byte does not say whether it is sealed.
const TABLES: &[Table] = &[
    Table {
        read: queries::PLANS_TO_SEAL,
        write: queries::SEAL_PLANS,
        kind: "plan",
        count: queries::COUNT_PLANS,
    },
    Table {
        read: queries::DETAILS_TO_SEAL,
        write: queries::SEAL_DETAILS,
        kind: "text",
        count: queries::COUNT_DETAILS,
    },
    Table {
        read: queries::ATTEMPTS_TO_SEAL,
        write: queries::SEAL_ATTEMPTS,
        kind: "text",
        count: queries::COUNT_ATTEMPTS,
    },
];

/// A pass.
struct Pass {
    pool: Pool,
    cipher: Arc<Cipher>,
    done: Progress,
    unopened: u64,
}

/// Seals everything in the store at `place` with the first key of `cipher`; no bridge may run on it. `told` is called
/// after every transaction; what it interrupts goes on with the next call.
///
/// # Errors
///
/// [`Error::Held`] names the bridges that run; [`Error::Failed`] says which key is missing, or that some values cannot
/// be opened: they stay as they are.
pub(in crate::store) async fn rekey(
    place: &Place,
    cipher: Arc<Cipher>,
    mut told: impl FnMut(Progress),
) -> Result<Progress, Error> {
    let pool = Pool::new(place)?;
    schema::migrate(&pool, &place.address.schema, schema::STEPS).await?;
    copied::nobody_runs(&pool).await?;
    key_file::check(&pool, &cipher).await?;
    let done = Progress { looked_at: 0, of: 0, sealed: 0 };
    let mut pass = Pass { pool, cipher, done, unopened: 0 };
    for count in TABLES.iter().map(|table| table.count).chain([queries::COUNT_REQUESTS]) {
        let rows =
            transacted!(long pass.pool, |transaction| transaction.query_opt(count, &[]).await)?;
        pass.done.of += rows.map_or(0, |row| row.get::<_, i64>(0).cast_unsigned());
    }
    pass.small().await?;
    pass.requests(&mut told).await?;
    for table in TABLES {
        pass.table(table, &mut told).await?;
    }
    if pass.unopened > 0 {
        let unopened = pass.unopened;
        return Err(Error::Failed(format!(
            "{unopened} values cannot be decrypted and stay as they are: they are damaged"
        )));
    }
    let current = pass.cipher.current().unwrap_or_default();
    let only = current.as_bytes();
    transacted!(pass.pool, |transaction| {
        transaction.execute(queries::SET_BYTES, params![SEALED_WITH, only]).await
    })?;
    Ok(pass.done)
}

impl Pass {
    /// A value sealed with the first key; nothing where it is already, or cannot be opened.
    fn resealed(&mut self, aad: &[u8], kept: &[u8]) -> Result<Option<Vec<u8>>, Error> {
        if self.cipher.is_current(kept) {
            return Ok(None);
        }
        let Ok(opened) = self.cipher.open(aad, kept) else {
            self.unopened += 1;
            return Ok(None);
        };
        let plain = opened.unwrap_or_else(|| kept.to_vec());
        let sealed = self.cipher.seal(aad, &plain);
        sealed.map_err(|_| Error::Failed("a value could not be encrypted".to_owned()))
    }

    /// The mapping files and the secrets: few enough for one transaction.
    async fn small(&mut self) -> Result<(), Error> {
        for (kind, read, write) in [
            ("mapping", queries::KEPT_MAPPINGS, queries::SEAL_MAPPING),
            ("secret", queries::SECRETS, queries::SET_BYTES),
        ] {
            let rows = transacted!(self.pool, |transaction| transaction.query(read, &[]).await)?;
            for row in rows {
                let (name, kept): (String, Vec<u8>) = (row.get(0), row.get(1));
                let Some(new) = self.resealed(&aad(kind, name.as_bytes()), &kept)? else {
                    continue;
                };
                transacted!(self.pool, |transaction| {
                    transaction.execute(write, params![name, new]).await
                })?;
            }
        }
        Ok(())
    }

    async fn requests(&mut self, told: &mut impl FnMut(Progress)) -> Result<(), Error> {
        let mut after = i64::MIN;
        loop {
            let rows = transacted!(self.pool, |transaction| {
                transaction.query(queries::REQUESTS_TO_SEAL, params![after, ROWS]).await
            })?;
            let Some(last) = rows.last() else { return Ok(()) };
            after = last.get(0);
            let (mut ids, mut heads, mut encodings, mut bodies) =
                (Vec::new(), Vec::new(), Vec::new(), Vec::new());
            for row in &rows {
                let (id, encoding): (i64, i16) = (row.get(0), row.get(2));
                let (head, body): (Vec<u8>, Vec<u8>) = (row.get(1), row.get(3));
                let new_head = self.resealed(&aad("head", &id.to_be_bytes()), &head)?;
                let new_body = if encoding & SEALED == 0 {
                    Some(sealed(&self.cipher, "body", id, body.clone())?)
                } else {
                    self.resealed(&aad("body", &id.to_be_bytes()), &body)?
                };
                if new_head.is_some() || new_body.is_some() {
                    ids.push(id);
                    heads.push(new_head.unwrap_or(head));
                    // What could not be opened stays as it is, sealed.
                    encodings.push(encoding | SEALED);
                    bodies.push(new_body.unwrap_or(body));
                }
            }
            let sealed = ids.len() as u64;
            let all = params![ids, heads, encodings, bodies];
            transacted!(self.pool, |transaction| {
                transaction.execute(queries::SEAL_REQUESTS, all).await
            })?;
            self.tell(rows.len(), sealed, told);
        }
    }

    async fn table(&mut self, table: &Table, told: &mut impl FnMut(Progress)) -> Result<(), Error> {
        let (mut after, mut number) = (i64::MIN, i32::MIN);
        loop {
            let rows = transacted!(self.pool, |transaction| {
                piece(transaction, table, after, number).await
            })?;
            let Some(last) = rows.last() else { return Ok(()) };
            (after, number) = (last.get(0), last.get(1));
            let (mut ids, mut numbers, mut values, mut originals) =
                (Vec::new(), Vec::new(), Vec::new(), Vec::new());
            for row in &rows {
                let (id, n): (i64, i32) = (row.get(0), row.get(1));
                let (value, original): (Vec<u8>, Option<Vec<u8>>) = (row.get(2), row.get(3));
                let aad = aad(table.kind, &id.to_be_bytes());
                let new = self.resealed(&aad, &value)?;
                let new_original = match &original {
                    Some(original) => self.resealed(&aad, original)?,
                    None => None,
                };
                if new.is_some() || new_original.is_some() {
                    ids.push(id);
                    numbers.push(n);
                    values.push(new.unwrap_or(value));
                    originals.push(new_original.or(original));
                }
            }
            let sealed = ids.len() as u64;
            let all = params![ids, numbers, values, originals];
            transacted!(self.pool, |transaction| transaction.execute(table.write, all).await)?;
            self.tell(rows.len(), sealed, told);
        }
    }

    fn tell(&mut self, rows: usize, sealed: u64, told: &mut impl FnMut(Progress)) {
        self.done.looked_at += rows as u64;
        self.done.sealed += sealed;
        told(self.done);
    }
}

async fn piece(
    transaction: &Transaction<'_>,
    table: &Table,
    after: i64,
    number: i32,
) -> Result<Vec<Row>, Fault> {
    transaction.query(table.read, params![after, number, ROWS]).await
}
