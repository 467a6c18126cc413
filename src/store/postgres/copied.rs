//! The database as one end of a copy.

use std::sync::Arc;
use std::time::Duration;

use tokio_postgres::Row;
use tokio_postgres::types::{ToSql, Type};

use super::address::Place;
use super::ledger::column;
use super::letters::balances;
use super::pool::Pool;
use super::rows::{EVENT_BYTES, UPDATE_BYTES};
use super::sealing::{SEALED, named_opened, named_sealed, opened, sealed};
use super::transaction::{Transaction, Tries, params, transacted};
use super::{key_file, queries, schema, statements};
use crate::store::Error;
use crate::store::copy::tables::{Kind, Table};
use crate::store::copy::{Cell, Cells, Copied, Meta, Target};
use crate::store::form::cipher::Cipher;
use crate::store::form::kept::UNREADABLE;
use crate::store::form::ledger::What;
use crate::store::letters::Balance;

/// How long a copy may take.
const LONGEST: Duration = Duration::from_hours(48);

/// What begins the transaction of a copy: it takes its time.
const PATIENT: &str = "SET LOCAL statement_timeout = 0; \
    SET LOCAL idle_in_transaction_session_timeout = '10min'";

/// The kind under which a secret is sealed.
const SECRET: &str = "secret";

/// A store that is copied; no bridge may run on it.
pub(in crate::store) struct CopySource {
    pool: Pool,
    cipher: Arc<Cipher>,
}

impl CopySource {
    /// Opens the store, brings it to this release's schema, and has what was lent go back.
    pub(in crate::store) async fn open(place: &Place, cipher: Arc<Cipher>) -> Result<Self, Error> {
        let pool = Pool::new(place)?;
        let schema = &place.address.schema;
        if !schema::is_there(&pool, schema).await? {
            return Err(Error::Failed(format!(
                "there is no store in the schema `{schema}` of this database"
            )));
        }
        schema::migrate(&pool, schema, schema::STEPS).await?;
        nobody_runs(&pool).await?;
        key_file::check(&pool, &cipher).await?;
        transacted!(pool, |transaction| {
            let now = transaction.now(None).await?;
            let lent = transaction.query(queries::LENT_LANES, &[]).await?;
            let lent: Vec<i64> = lent.into_iter().map(|row| row.get(0)).collect();
            transaction.execute(statements::TAKE_BACK, params![lent]).await?;
            let on: Vec<_> = lent.into_iter().map(|lane| (lane, now)).collect();
            transaction.go_on(&on).await?;
            transaction.execute(queries::FORGET_HOLDERS, &[]).await
        })?;
        Ok(Self { pool, cipher })
    }

    pub(in crate::store) async fn meta(&self) -> Result<Meta, Error> {
        let hash_key = schema::hash_key(&self.pool).await?;
        let (halted, kept, last_event, last_together) = transacted!(self.pool, |transaction| {
            let last_event = transaction.query_opt(queries::LAST_NUMBER, &[]).await?;
            let last_together = transaction.query_opt(queries::LAST_TOGETHER, &[]).await?;
            let number = |row: Option<Row>| row.and_then(|row| row.get::<_, Option<i64>>(0));
            Ok((
                schema::number(transaction, "halted").await?,
                transaction.query(queries::SECRETS, &[]).await?,
                number(last_event).unwrap_or(0),
                number(last_together).unwrap_or(0),
            ))
        })?;
        let secret = |row: Row| {
            let name: String = row.get(0);
            let secret = named_opened(&self.cipher, SECRET, &name, row.get(1));
            let secret = secret.and_then(|secret| String::from_utf8(secret).ok());
            Ok((name, secret.ok_or_else(unreadable)?))
        };
        let secrets = kept.into_iter().map(secret).collect::<Result<_, Error>>()?;
        Ok(Meta { hash_key, halted, secrets, last_event, last_together })
    }

    pub(in crate::store) async fn count(&self, table: &Table) -> Result<u64, Error> {
        let sql = format!("SELECT count(*) FROM {}", from(table));
        let count =
            transacted!(long self.pool, |transaction| transaction.query_opt(&sql, &[]).await)?;
        Ok(count.map_or(0, |row| row.get::<_, i64>(0).cast_unsigned()))
    }

    pub(in crate::store) async fn rows(
        &self,
        table: &Table,
        after: Option<&Cells>,
    ) -> Result<Vec<Cells>, Error> {
        let (columns, key, from) = (table.names(), table.key_names(), from(table));
        let keys = table.columns.iter().take(table.key);
        let marks: Vec<_> = (1..)
            .zip(keys.clone())
            .map(|(n, (_, kind))| format!("${n}::{}", sql_type(*kind)))
            .collect();
        let place =
            after.map_or(String::new(), |_| format!("WHERE ({key}) > ({})", marks.join(", ")));
        let order = match table.name {
            "mapping" => "name COLLATE \"C\"".to_owned(),
            _ => key.clone(),
        };
        let place = if table.name == "mapping" {
            place.replace("(name)", "(name COLLATE \"C\")")
        } else {
            place
        };
        let limit = table.at_once();
        let sql = format!("SELECT {columns} FROM {from} {place} ORDER BY {order} LIMIT {limit}");
        let values: Vec<_> = after
            .into_iter()
            .flatten()
            .zip(keys)
            .map(|(cell, (_, kind))| one(cell, *kind))
            .collect();
        let rows = transacted!(self.pool, |transaction| {
            let params: Vec<_> = values
                .iter()
                .map(|(value, of)| (&**value as &(dyn ToSql + Sync), of.clone()))
                .collect();
            transaction.query(&sql, &params).await
        })?;
        rows.iter().map(|row| self.cells(table, row)).collect()
    }

    fn cells(&self, table: &Table, row: &Row) -> Result<Cells, Error> {
        let number = |at: usize| row.get::<_, Option<i64>>(at).map_or(Cell::Null, Cell::Number);
        let mut cells = Cells::with_capacity(table.columns.len());
        for (at, (_, kind)) in table.columns.iter().enumerate() {
            let cell = match kind {
                Kind::Number => number(at),
                Kind::Integer => row
                    .get::<_, Option<i32>>(at)
                    .map_or(Cell::Null, |number| Cell::Number(number.into())),
                Kind::Small => Cell::Number(row.get::<_, i16>(at).into()),
                Kind::Flag => Cell::Number(row.get::<_, bool>(at).into()),
                Kind::Encoding => Cell::Number((row.get::<_, i16>(at) & !SEALED).into()),
                Kind::Text => row.get::<_, Option<String>>(at).map_or(Cell::Null, Cell::Text),
                Kind::Foreign => {
                    row.get::<_, Option<Vec<u8>>>(at).map_or(Cell::Null, |text| text_of(&text))
                }
                Kind::Bytes => row.get::<_, Option<Vec<u8>>>(at).map_or(Cell::Null, Cell::Bytes),
                Kind::Sealed(what) => match row.get::<_, Option<Vec<u8>>>(at) {
                    Some(kept) => Cell::Bytes(self.opened(what, row, kept)?),
                    None => Cell::Null,
                },
                Kind::SealedText(what) => text_of(&self.opened(what, row, row.get(at))?),
                Kind::Body => {
                    let is_sealed = row.get::<_, i16>(at.saturating_sub(2)) & SEALED != 0;
                    let body = row.get(at);
                    Cell::Bytes(if is_sealed { self.opened("body", row, body)? } else { body })
                }
            };
            cells.push(cell);
        }
        Ok(cells)
    }

    fn opened(&self, what: &str, row: &Row, kept: Vec<u8>) -> Result<Vec<u8>, Error> {
        let opened = match row.try_get::<_, i64>(0) {
            Ok(id) => opened(&self.cipher, what, id, kept),
            Err(_) => named_opened(&self.cipher, what, row.get(0), kept),
        };
        opened.ok_or_else(unreadable)
    }

    pub(in crate::store) async fn balances(&self) -> Result<Vec<Balance>, Error> {
        transacted!(long self.pool, |transaction| balances(transaction).await)
    }
}

fn unreadable() -> Error {
    Error::Failed(UNREADABLE.to_owned())
}

fn text_of(bytes: &[u8]) -> Cell {
    Cell::Text(String::from_utf8_lossy(bytes).into_owned())
}

fn from(table: &Table) -> &'static str {
    match table.name {
        // Bytes are counted anew.
        "ledger" => {
            "(SELECT source, what, sum(n)::bigint AS n FROM ledger WHERE what <> 13 \
             GROUP BY source, what) ledger"
        }
        name => name,
    }
}

/// Finds that no bridge runs on the store.
pub(super) async fn nobody_runs(pool: &Pool) -> Result<(), Error> {
    let holders = transacted!(pool, |transaction| transaction.query(queries::HOLDERS, &[]).await)?;
    if holders.is_empty() {
        return Ok(());
    }
    let names: Vec<String> = holders.into_iter().map(|row| row.get(0)).collect();
    Err(Error::Held(format!("process {}: stop it first", names.join(", process "))))
}

/// The type of a column.
const fn sql_type(kind: Kind) -> &'static str {
    match kind {
        Kind::Number => "bigint",
        Kind::Integer => "integer",
        Kind::Small | Kind::Encoding => "smallint",
        Kind::Flag => "boolean",
        Kind::Text => "text",
        Kind::Foreign | Kind::Bytes | Kind::Sealed(_) | Kind::SealedText(_) | Kind::Body => "bytea",
    }
}

type Value = (Box<dyn ToSql + Sync + Send>, Type);

/// A value of a key.
fn one(cell: &Cell, kind: Kind) -> Value {
    match (cell, kind) {
        (Cell::Number(number), Kind::Integer) => {
            (Box::new(i32::try_from(*number).unwrap_or(0)), Type::INT4)
        }
        (Cell::Number(number), Kind::Small) => {
            (Box::new(i16::try_from(*number).unwrap_or(0)), Type::INT2)
        }
        (Cell::Number(number), _) => (Box::new(*number), Type::INT8),
        (Cell::Text(text), Kind::Foreign) => (Box::new(text.as_bytes().to_vec()), Type::BYTEA),
        (Cell::Text(text), _) => (Box::new(text.clone()), Type::TEXT),
        (Cell::Bytes(bytes), _) => (Box::new(bytes.clone()), Type::BYTEA),
        (Cell::Null, _) => (Box::new(None::<i64>), Type::INT8),
    }
}

/// Copies into the store at `place`, in which there must be nothing, all in one transaction.
pub(in crate::store) async fn copy_into(
    place: &Place,
    cipher: Arc<Cipher>,
    copy: impl AsyncFnOnce(&mut CopyTarget<'_>) -> Result<Copied, Error>,
) -> Result<Copied, Error> {
    let pool = Pool::new(place)?;
    schema::migrate(&pool, &place.address.schema, schema::STEPS).await?;
    nobody_runs(&pool).await?;
    let there =
        transacted!(pool, |transaction| transaction.query_opt(queries::IS_USED, &[]).await)?;
    if there.is_some_and(|row| row.get(0)) {
        let schema = &place.address.schema;
        return Err(Error::Failed(format!(
            "there is something in the schema `{schema}` already: a store is copied to where none is, so name another (`?schema=…`), or drop this one"
        )));
    }
    key_file::check(&pool, &cipher).await?;
    let begun = pool.begin().await?;
    let done = begun.run_for(LONGEST, async {
        begun.batch(PATIENT).await?;
        let mut target = CopyTarget { transaction: &begun, cipher };
        Ok(copy(&mut target).await?)
    });
    let done = done.await;
    let copied = Tries::default().end(begun, done).await?;
    copied.ok_or_else(|| Error::Away("somebody else uses the database: try again".to_owned()))
}

/// A transaction into which a store is copied.
pub(in crate::store) struct CopyTarget<'a> {
    transaction: &'a Transaction<'a>,
    cipher: Arc<Cipher>,
}

impl Target for CopyTarget<'_> {
    async fn write(&mut self, table: &Table, mut rows: Vec<Cells>) -> Result<(), Error> {
        for row in &mut rows {
            self.seal(table, row)?;
        }
        let mut values: Vec<Value> = Vec::with_capacity(table.columns.len());
        let mut columns: Vec<_> = rows.into_iter().map(Cells::into_iter).collect();
        for (_, kind) in table.columns {
            let cells = columns.iter_mut().map(|row| row.next().unwrap_or(Cell::Null));
            values.push(array(cells.collect(), *kind));
        }
        let params: Vec<_> = values
            .iter()
            .map(|(value, of)| (&**value as &(dyn ToSql + Sync), of.clone()))
            .collect();
        let written = self.transaction.execute(&insert(table), &params).await;
        written.map(|_| ()).map_err(super::transaction::Fault::into_error)
    }

    async fn finish(&mut self, meta: Meta) -> Result<Vec<Balance>, Error> {
        let mut secrets = Vec::with_capacity(meta.secrets.len());
        for (name, secret) in meta.secrets {
            let secret = named_sealed(&self.cipher, SECRET, &name, secret.into_bytes())?;
            secrets.push((name, secret));
        }
        let write = async {
            let to = self.transaction;
            let key = &meta.hash_key[..];
            to.execute(queries::SET_BYTES, params!["hash_key", key]).await?;
            if let Some(since) = meta.halted {
                to.execute(statements::SET_NUMBER, params!["halted", since]).await?;
            }
            for (name, secret) in secrets {
                to.execute(queries::SET_BYTES, params![name, secret]).await?;
            }
            to.query(queries::GO_ON_FROM, params![meta.last_event, meta.last_together]).await?;
            let what = column(What::Bytes);
            to.execute(queries::COUNT_BYTES, params![what]).await?;
            balances(to).await
        };
        write.await.map_err(super::transaction::Fault::into_error)
    }
}

impl CopyTarget<'_> {
    /// Seals what is sealed, for its row.
    fn seal(&self, table: &Table, row: &mut Cells) -> Result<(), Error> {
        let key = row.first().cloned().unwrap_or(Cell::Null);
        for (cell, (_, kind)) in row.iter_mut().zip(table.columns) {
            let what = match kind {
                Kind::Sealed(what) | Kind::SealedText(what) => what,
                Kind::Body => "body",
                Kind::Encoding => {
                    if let Cell::Number(encoding) = cell
                        && self.cipher.seals()
                    {
                        *encoding |= i64::from(SEALED);
                    }
                    continue;
                }
                _ => continue,
            };
            let plain = match std::mem::replace(cell, Cell::Null) {
                Cell::Bytes(plain) => plain,
                Cell::Text(text) => text.into_bytes(),
                Cell::Null | Cell::Number(_) => continue,
            };
            *cell = Cell::Bytes(match &key {
                Cell::Number(id) => sealed(&self.cipher, what, *id, plain)?,
                Cell::Text(name) => named_sealed(&self.cipher, what, name, plain)?,
                Cell::Bytes(_) | Cell::Null => plain,
            });
        }
        Ok(())
    }
}

/// The statement that takes rows of a table as arrays of its columns.
fn insert(table: &Table) -> String {
    let arrays: Vec<_> = (1..)
        .zip(table.columns)
        .map(|(n, (_, kind))| format!("${n}::{}[]", sql_type(*kind)))
        .collect();
    let (arrays, names) = (arrays.join(", "), table.names());
    match table.name {
        "name" => format!(
            "INSERT INTO name({names}) OVERRIDING SYSTEM VALUE SELECT * FROM unnest({arrays})"
        ),
        "ledger" => format!(
            "INSERT INTO ledger({names}, shard) SELECT w.*, 0 FROM unnest({arrays}) AS w({names})"
        ),
        // Its request and its updates are there already.
        "event" => format!(
            "INSERT INTO event({names}, size) SELECT w.*, {EVENT_BYTES} \
             + coalesce((SELECT octet_length(head) + octet_length(request.body) FROM request \
             WHERE request.id = w.id), 0) + coalesce((SELECT sum({UPDATE_BYTES} \
             + coalesce(octet_length(plan.body), 0) + coalesce(octet_length(plan.original), 0) \
             + coalesce(octet_length(detail.text), 0)) FROM upd \
             LEFT JOIN plan ON plan.update_id = upd.id LEFT JOIN detail ON detail.update_id = upd.id \
             WHERE upd.id BETWEEN w.id << 16 AND (w.id << 16 | 65535)), 0) \
             FROM unnest({arrays}) AS w({names})"
        ),
        name => format!("INSERT INTO {name}({names}) SELECT * FROM unnest({arrays})"),
    }
}

/// The values of a column.
fn array(cells: Vec<Cell>, kind: Kind) -> Value {
    let numbers = |cells: Vec<Cell>| {
        cells.into_iter().map(|cell| match cell {
            Cell::Number(number) => Some(number),
            _ => None,
        })
    };
    match kind {
        Kind::Number => (Box::new(numbers(cells).collect::<Vec<_>>()), Type::INT8_ARRAY),
        Kind::Integer => {
            let small = |number: i64| i32::try_from(number).unwrap_or(i32::MAX);
            let all: Vec<Option<i32>> = numbers(cells).map(|number| number.map(small)).collect();
            (Box::new(all), Type::INT4_ARRAY)
        }
        Kind::Small | Kind::Encoding => {
            let small = |number: i64| i16::try_from(number).unwrap_or(i16::MAX);
            let all: Vec<Option<i16>> = numbers(cells).map(|number| number.map(small)).collect();
            (Box::new(all), Type::INT2_ARRAY)
        }
        Kind::Flag => {
            let all: Vec<bool> = numbers(cells).map(|number| number == Some(1)).collect();
            (Box::new(all), Type::BOOL_ARRAY)
        }
        Kind::Text => {
            let text = |cell| match cell {
                Cell::Text(text) => Some(text),
                _ => None,
            };
            (Box::new(cells.into_iter().map(text).collect::<Vec<_>>()), Type::TEXT_ARRAY)
        }
        Kind::Foreign | Kind::Bytes | Kind::Sealed(_) | Kind::SealedText(_) | Kind::Body => {
            let bytes = |cell| match cell {
                Cell::Bytes(bytes) => Some(bytes),
                Cell::Text(text) => Some(text.into_bytes()),
                Cell::Null | Cell::Number(_) => None,
            };
            (Box::new(cells.into_iter().map(bytes).collect::<Vec<_>>()), Type::BYTEA_ARRAY)
        }
    }
}
