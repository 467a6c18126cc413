//! The file as one end of a copy.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rusqlite::types::{ToSqlOutput, Value, ValueRef};
use rusqlite::{Connection, ToSql, params_from_iter};

use super::connection::{StoreFile, failed, writing};
use super::lanes::reclaim;
use super::letters::audit;
use super::lock::LockFile;
use super::place::place_for;
use super::{offline, schema, statements};
use crate::store::Error;
use crate::store::copy::tables::{Kind, Table};
use crate::store::copy::{Cell, Cells, Meta, Target};
use crate::store::form::cipher::{Cipher, is_sealed};
use crate::store::form::kept::UNREADABLE;
use crate::store::letters::Balance;

/// What is not in a table as it is copied: the moments of lanes, and keys of which the table does not have the
/// youngest yet.
const GATHERED: &str = "
CREATE TEMP TABLE lane(id INTEGER PRIMARY KEY, due_at INTEGER);
INSERT INTO temp.lane SELECT lane, max(due_at) FROM upd WHERE state = 0 GROUP BY lane;
CREATE TEMP TABLE known(key BLOB PRIMARY KEY, event_id INTEGER, expires_at INTEGER) WITHOUT ROWID;
INSERT INTO temp.known SELECT key, max(event_id), expires_at FROM (
  SELECT key, event_id, expires_at FROM seen UNION ALL
  SELECT seen_key, id, seen_until FROM event WHERE seen_key IS NOT NULL) GROUP BY key;
";

/// A store that is copied; nobody else can open it as long as this lives.
pub(in crate::store) struct CopySource {
    connection: Connection,
    _lock: LockFile,
}

impl CopySource {
    /// Opens the store at `path`, brings it to this release's schema, and has what was lent go back.
    pub(in crate::store) fn open(path: &Path, cipher: &Arc<Cipher>) -> Result<Self, Error> {
        place_for(path)?;
        offline::is_there(path)?;
        let lock = LockFile::take(path)?;
        let mut connection = writing(&StoreFile::new(path, cipher), u64::MAX)?;
        schema::migrate(&mut connection, schema::STEPS)?;
        schema::check_keys(&connection, cipher)?;
        reclaim(&connection, None, 0).map_err(|error| failed(&error))?;
        connection.execute_batch(GATHERED).map_err(|error| failed(&error))?;
        Ok(Self { connection, _lock: lock })
    }

    pub(in crate::store) fn meta(&self) -> Result<Meta, Error> {
        let number = |sql: &str| -> Result<i64, Error> {
            let read = self.connection.query_row(sql, [], |row| row.get::<_, Option<i64>>(0));
            read.map(Option::unwrap_or_default).map_err(|error| failed(&error))
        };
        let last = number(statements::LAST_EVENT)?;
        Ok(Meta {
            hash_key: schema::hash_key(&self.connection)?,
            halted: schema::number(&self.connection, "halted")?,
            secrets: self.secrets()?,
            last_event: last.max(schema::number(&self.connection, "last_event")?.unwrap_or(0)),
            last_together: number("SELECT max(together) FROM upd")?,
        })
    }

    fn secrets(&self) -> Result<Vec<(String, String)>, Error> {
        let read = || -> rusqlite::Result<Vec<(String, String)>> {
            let mut all = self.connection.prepare(
                "SELECT name, unseal('secret', name, value) FROM meta \
                 WHERE name >= 'adopted:' AND name < 'adopted;'",
            )?;
            all.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
        };
        let secrets = read().map_err(|error| failed(&error))?;
        let sealed = secrets.iter().any(|(_, secret)| is_sealed(secret.as_bytes()));
        if sealed { Err(unreadable()) } else { Ok(secrets) }
    }

    pub(in crate::store) fn count(&self, table: &Table) -> Result<u64, Error> {
        let sql = format!("SELECT count(*) FROM {}", from(table));
        let count = self.connection.query_row(&sql, [], |row| row.get::<_, i64>(0));
        count.map(i64::cast_unsigned).map_err(|error| failed(&error))
    }

    pub(in crate::store) fn rows(
        &self,
        table: &Table,
        after: Option<&Cells>,
    ) -> Result<Vec<Cells>, Error> {
        let columns: Vec<_> = table.columns.iter().map(|column| read(table, column)).collect();
        let (columns, key) = (columns.join(", "), table.key_names());
        let (from, limit) = (from(table), table.at_once());
        let marks: Vec<_> = (1..=table.key).map(|n| format!("?{n}")).collect();
        let place =
            after.map_or(String::new(), |_| format!("WHERE ({key}) > ({})", marks.join(", ")));
        let sql = format!("SELECT {columns} FROM {from} {place} ORDER BY {key} LIMIT {limit}");
        let all = || -> rusqlite::Result<Vec<Cells>> {
            let mut statement = self.connection.prepare_cached(&sql)?;
            let mut rows = statement.query(params_from_iter(after.into_iter().flatten()))?;
            let mut all = Vec::new();
            while let Some(row) = rows.next()? {
                let cells = (0..table.columns.len()).map(|n| row.get_ref(n).map(cell));
                all.push(cells.collect::<Result<Cells, _>>()?);
            }
            Ok(all)
        };
        let all = all().map_err(|error| failed(&error))?;
        let is_readable = |row: &Cells| {
            row.iter().zip(table.columns).all(|(cell, (_, kind))| match (kind, cell) {
                (Kind::Sealed(_), Cell::Bytes(bytes)) => !is_sealed(bytes),
                (Kind::SealedText(_), Cell::Text(text)) => !is_sealed(text.as_bytes()),
                (Kind::Body, cell) => *cell != Cell::Null,
                _ => true,
            })
        };
        if all.iter().all(is_readable) { Ok(all) } else { Err(unreadable()) }
    }

    pub(in crate::store) fn balances(&self) -> Result<Vec<Balance>, Error> {
        audit(&self.connection)
    }
}

fn unreadable() -> Error {
    Error::Failed(UNREADABLE.to_owned())
}

fn from(table: &Table) -> &'static str {
    match table.name {
        "lane" => "temp.lane",
        "seen" => "temp.known",
        name => name,
    }
}

/// How a column is read.
fn read(table: &Table, (name, kind): &(&'static str, Kind)) -> String {
    let row = table.columns.first().map_or("", |(row, _)| *row);
    match kind {
        Kind::Flag => format!("coalesce({name}, 0)"),
        Kind::Sealed(what) | Kind::SealedText(what) => format!("unseal('{what}', {row}, {name})"),
        Kind::Encoding => format!("{name} & 15"),
        Kind::Body => {
            format!("CASE WHEN encoding & 16 THEN opened('body', {row}, {name}) ELSE {name} END")
        }
        _ => (*name).to_owned(),
    }
}

/// How a column is written; the first value is what its row is known by.
fn written(number: usize, kind: Kind) -> String {
    match kind {
        Kind::Sealed(what) | Kind::SealedText(what) => format!("seal('{what}', ?1, ?{number})"),
        Kind::Encoding => format!("?{number} | sealed()"),
        Kind::Body => format!("seal('body', ?1, ?{number})"),
        _ => format!("?{number}"),
    }
}

fn cell(value: ValueRef<'_>) -> Cell {
    match value {
        ValueRef::Integer(number) => Cell::Number(number),
        ValueRef::Text(text) => Cell::Text(String::from_utf8_lossy(text).into_owned()),
        ValueRef::Blob(bytes) => Cell::Bytes(bytes.to_owned()),
        ValueRef::Null | ValueRef::Real(_) => Cell::Null,
    }
}

impl ToSql for Cell {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(match self {
            Self::Null => ToSqlOutput::Owned(Value::Null),
            Self::Number(number) => ToSqlOutput::Owned(Value::Integer(*number)),
            Self::Text(text) => ToSqlOutput::Borrowed(ValueRef::Text(text.as_bytes())),
            Self::Bytes(bytes) => ToSqlOutput::Borrowed(ValueRef::Blob(bytes)),
        })
    }
}

/// A file that becomes a store when all is in it; dropped before, it goes.
pub(in crate::store) struct CopyTarget {
    connection: Option<Connection>,
    path: PathBuf,
    /// Where it is until then.
    beside: PathBuf,
}

impl CopyTarget {
    /// Makes the file, beside the place that it is for.
    pub(in crate::store) fn make(path: &Path, cipher: &Arc<Cipher>) -> Result<Self, Error> {
        place_for(path)?;
        let mut beside = path.as_os_str().to_owned();
        beside.push(".copying");
        let mut target = Self { connection: None, path: path.to_owned(), beside: beside.into() };
        // One that was broken off.
        target.forget();
        let mut connection = writing(&StoreFile::new(&target.beside, cipher), u64::MAX)?;
        schema::migrate(&mut connection, schema::STEPS)?;
        schema::note_key(&connection, cipher)?;
        target.connection = Some(connection);
        Ok(target)
    }

    /// Puts the file in its place.
    pub(in crate::store) fn publish(mut self) -> Result<(), Error> {
        let wrong = |error: std::io::Error| {
            Error::Failed(format!("`{}` cannot be made: {error}", self.path.display()))
        };
        let written = self
            .connection
            .take()
            .map(|connection| connection.query_row(statements::START_LOG_OVER, [], |_| Ok(())));
        written.unwrap_or(Ok(())).map_err(|error| failed(&error))?;
        std::fs::rename(&self.beside, &self.path).map_err(wrong)?;
        let folder = self.path.parent().filter(|folder| !folder.as_os_str().is_empty());
        let folder = std::fs::File::open(folder.unwrap_or(Path::new("."))).map_err(wrong)?;
        folder.sync_all().map_err(wrong)
    }

    fn connection(&mut self) -> Result<&mut Connection, Error> {
        self.connection.as_mut().ok_or(Error::Closed)
    }

    fn forget(&self) {
        for ending in ["", "-wal", "-shm"] {
            let mut file = self.beside.as_os_str().to_owned();
            file.push(ending);
            // It may not be there.
            drop(std::fs::remove_file(file));
        }
    }
}

impl Drop for CopyTarget {
    fn drop(&mut self) {
        self.connection = None;
        self.forget();
    }
}

impl Target for CopyTarget {
    async fn write(&mut self, table: &Table, rows: Vec<Cells>) -> Result<(), Error> {
        let values = (1..).zip(table.columns).map(|(n, (_, kind))| written(n, *kind));
        let values = values.collect::<Vec<_>>().join(", ");
        let sql = match table.name {
            // The lane comes first, and its moment: what may go next in it has it.
            "lane" => statements::PROMOTE.to_owned(),
            name => format!("INSERT INTO {name}({}) VALUES ({values})", table.names()),
        };
        let connection = self.connection()?;
        let write = |connection: &mut Connection| -> rusqlite::Result<()> {
            let transaction = connection.transaction()?;
            {
                let mut put = transaction.prepare_cached(&sql)?;
                for row in &rows {
                    put.execute(params_from_iter(row))?;
                }
            }
            transaction.commit()
        };
        write(connection).map_err(|error| failed(&error))
    }

    async fn finish(&mut self, meta: Meta) -> Result<Vec<Balance>, Error> {
        let connection = self.connection()?;
        let write = |connection: &Connection| -> rusqlite::Result<()> {
            let mut set = connection.prepare_cached(statements::SET_META)?;
            set.execute(("hash_key", meta.hash_key.as_slice()))?;
            set.execute(("last_event", meta.last_event))?;
            set.execute(("moved", meta.last_event))?;
            // Fences begin anew with each start, above all that were given.
            set.execute(("starts", (meta.last_together >> 40) + 1))?;
            if let Some(since) = meta.halted {
                set.execute(("halted", since))?;
            }
            let mut adopt = connection.prepare_cached(statements::ADOPT)?;
            for (name, secret) in &meta.secrets {
                adopt.execute((name, secret))?;
            }
            Ok(())
        };
        write(connection).map_err(|error| failed(&error))?;
        audit(connection)
    }
}
