//! A store copied into another, of the same kind or the other: all of it or nothing, held against the ledger.
//!
//! `tables` says what is copied; each store reads and writes rows of cells in its own way. Nobody may use either
//! store meanwhile. What is encrypted is decrypted on its way, and encrypted for the other.

pub(in crate::store) mod tables;

use std::path::Path;

use self::tables::{TABLES, Table};
use super::Error;
use super::form::cipher::Cipher;
use super::letters::Balance;
use super::postgres::{self, CopySource as PostgresSource};
use super::settings::{StorePlace, StoreSettings};
use super::sqlite::{self, CopySource as SqliteSource};

/// A value on its way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::store) enum Cell {
    Null,
    Number(i64),
    Text(String),
    Bytes(Vec<u8>),
}

/// A row on its way.
pub(in crate::store) type Cells = Vec<Cell>;

/// What stands in no table of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::store) struct Meta {
    /// The key of the store's hashes.
    pub(in crate::store) hash_key: [u8; 32],
    /// Since when an operator has paused delivery.
    pub(in crate::store) halted: Option<i64>,
    /// The secrets that senders gave, by the names they are kept under.
    pub(in crate::store) secrets: Vec<(String, String)>,
    /// The youngest event that ever was.
    pub(in crate::store) last_event: i64,
    /// The largest number of what may have gone out together.
    pub(in crate::store) last_together: i64,
}

/// How far a copy has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Copied {
    /// The table that is being copied.
    pub table: &'static str,
    /// Rows that were copied, of all tables.
    pub rows: u64,
    /// All rows.
    pub of: u64,
}

/// Where a copy comes from.
pub(in crate::store) enum Source {
    Sqlite(SqliteSource),
    Postgres(Box<PostgresSource>),
}

impl Source {
    async fn open(settings: &StoreSettings) -> Result<Self, Error> {
        let cipher = Cipher::read(settings.encryption_key_file.as_deref())?;
        Ok(match place(settings)? {
            StorePlace::Sqlite(path) => Self::Sqlite(SqliteSource::open(&path, &cipher)?),
            StorePlace::Postgres(address) => {
                let source = PostgresSource::open(&settings.postgres(*address), cipher).await?;
                Self::Postgres(Box::new(source))
            }
        })
    }

    pub(in crate::store) async fn meta(&self) -> Result<Meta, Error> {
        match self {
            Self::Sqlite(source) => source.meta(),
            Self::Postgres(source) => source.meta().await,
        }
    }

    async fn count(&self, table: &Table) -> Result<u64, Error> {
        match self {
            Self::Sqlite(source) => source.count(table),
            Self::Postgres(source) => source.count(table).await,
        }
    }

    async fn rows(&self, table: &Table, after: Option<&Cells>) -> Result<Vec<Cells>, Error> {
        match self {
            Self::Sqlite(source) => source.rows(table, after),
            Self::Postgres(source) => source.rows(table, after).await,
        }
    }

    async fn balances(&self) -> Result<Vec<Balance>, Error> {
        match self {
            Self::Sqlite(source) => source.balances(),
            Self::Postgres(source) => source.balances().await,
        }
    }
}

/// Where a copy goes to.
pub(in crate::store) trait Target {
    /// Takes rows of a table.
    async fn write(&mut self, table: &Table, rows: Vec<Cells>) -> Result<(), Error>;

    /// Takes the rest; the ledger of what is there then.
    async fn finish(&mut self, meta: Meta) -> Result<Vec<Balance>, Error>;
}

fn place(settings: &StoreSettings) -> Result<StorePlace, Error> {
    settings.place().map_err(|error| Error::Failed(format!("`{}`: {error}", settings.url)))
}

/// Copies the store that `from` names into the one that `to` names, which is made and must not be there. `told` is
/// called as it goes on.
///
/// # Errors
///
/// [`Error::Held`] names who uses one of them. After any error there is nothing at `to`.
pub async fn copy(
    from: &StoreSettings,
    to: &StoreSettings,
    mut told: impl FnMut(Copied) + Send,
) -> Result<Copied, Error> {
    let target = place(to)?;
    if let StorePlace::Sqlite(path) = &target {
        refuse_a_file(path)?;
    }
    let source = Source::open(from).await?;
    let cipher = Cipher::read(to.encryption_key_file.as_deref())?;
    match target {
        StorePlace::Sqlite(path) => {
            let mut target = sqlite::CopyTarget::make(&path, &cipher)?;
            let copied = all(&source, &mut target, &mut told).await?;
            target.publish()?;
            Ok(copied)
        }
        StorePlace::Postgres(address) => {
            let place = to.postgres(*address);
            postgres::copy_into(&place, cipher, async |target| {
                all(&source, target, &mut told).await
            })
            .await
        }
    }
}

fn refuse_a_file(path: &Path) -> Result<(), Error> {
    if path.exists() {
        let path = path.display();
        return Err(Error::Failed(format!(
            "`{path}` is there already: a store is copied to where none is, so name another file, or move this one away"
        )));
    }
    Ok(())
}

async fn all(
    source: &Source,
    target: &mut impl Target,
    told: &mut (impl FnMut(Copied) + Send),
) -> Result<Copied, Error> {
    let mut copied = Copied { table: "", rows: 0, of: 0 };
    for table in TABLES {
        copied.of += source.count(table).await?;
    }
    for table in TABLES {
        copied.table = table.name;
        let mut after: Option<Cells> = None;
        loop {
            let rows = source.rows(table, after.as_ref()).await?;
            let Some(last) = rows.last() else { break };
            after = Some(last.iter().take(table.key).cloned().collect());
            let count = rows.len();
            target.write(table, rows).await?;
            copied.rows += count as u64;
            told(copied);
            if count < table.at_once() {
                break;
            }
        }
    }
    let (was, is) = (source.balances().await?, target.finish(source.meta().await?).await?);
    if was != is {
        return Err(Error::Failed(
            "the ledger of the copy is not that of the store: nothing was kept of it".to_owned(),
        ));
    }
    Ok(copied)
}
