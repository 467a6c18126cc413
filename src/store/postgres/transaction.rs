//! One transaction: statements in a row, or several on their way at once.
//!
//! Statements have no name on the server, so that a pooler may give each transaction another connection.

use std::time::Duration;

use futures_util::{TryFutureExt, future};
use tokio_postgres::Row;
use tokio_postgres::types::{ToSql, Type};

use super::failure::{failed, is_in_the_way};
use super::pool::{Held, Pool, scattered};
use crate::store::Error;

/// How long a transaction may take, the answer included: then the connection is given up.
const LONGEST: Duration = Duration::from_secs(15);

/// The same for one that reads whole tables.
const LONGEST_OF_ALL: Duration = Duration::from_mins(10);

/// What begins one that reads whole tables: it may take its time, and an index is no way through all of a table. All of
/// it sees one moment.
pub(super) const LONG: &str = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY; \
    SET LOCAL statement_timeout = '10min'; SET LOCAL enable_seqscan = on";

/// How long to wait for the end of one that failed.
const LEAVE: Duration = Duration::from_secs(2);

/// How often a transaction is begun that is in another's way.
const TRIES: u32 = 5;

/// A value for a statement, with its type.
pub(super) type Param<'a> = (&'a (dyn ToSql + Sync), Type);

/// What can be given to a statement.
pub(super) trait Typed: ToSql + Sync {
    /// Its type in PostgreSQL.
    const TYPE: Type;
}

macro_rules! typed {
    ($($rust:ty: $type:ident,)+) => {$(
        impl Typed for $rust {
            const TYPE: Type = Type::$type;
        }
    )+};
}

typed! {
    i64: INT8, i32: INT4, i16: INT2, bool: BOOL, &str: TEXT, String: TEXT, &[u8]: BYTEA, Vec<u8>: BYTEA,
    Vec<i64>: INT8_ARRAY, Vec<Option<i64>>: INT8_ARRAY, Vec<i32>: INT4_ARRAY, Vec<Option<i32>>: INT4_ARRAY,
    Vec<i16>: INT2_ARRAY, Vec<bool>: BOOL_ARRAY, Vec<&str>: TEXT_ARRAY, Vec<Option<&str>>: TEXT_ARRAY,
    Vec<&[u8]>: BYTEA_ARRAY, Vec<Vec<u8>>: BYTEA_ARRAY, Vec<Option<Vec<u8>>>: BYTEA_ARRAY,
    Vec<Option<&[u8]>>: BYTEA_ARRAY, &[i64]: INT8_ARRAY,
}

impl<T: Typed> Typed for Option<T> {
    const TYPE: Type = T::TYPE;
}

/// A value with its type.
pub(super) fn typed<T: Typed>(value: &T) -> Param<'_> {
    (value, T::TYPE)
}

/// The values of a statement, in order.
macro_rules! params {
    ($($value:expr),* $(,)?) => { &[$($crate::store::postgres::transaction::typed(&$value)),*] };
}

pub(super) use params;

/// What went wrong within a transaction.
#[derive(Debug)]
pub(super) enum Fault {
    /// Another one was in the way, or something has changed under it: it may be begun again.
    InTheWay(Error),
    /// Anything else.
    Error(Error),
}

impl From<tokio_postgres::Error> for Fault {
    fn from(error: tokio_postgres::Error) -> Self {
        let in_the_way = is_in_the_way(&error);
        let error = failed(&error);
        if in_the_way { Self::InTheWay(error) } else { Self::Error(error) }
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Self::Error(error)
    }
}

impl Fault {
    /// Something has changed between a look and a lock.
    pub(super) fn changed() -> Self {
        Self::InTheWay(Error::Away("others keep changing the same lanes".to_owned()))
    }

    pub(super) fn into_error(self) -> Error {
        match self {
            Self::InTheWay(error) | Self::Error(error) => error,
        }
    }
}

/// A transaction: what is done in it is done when it is committed, or not at all.
pub(super) struct Transaction<'a> {
    held: Held<'a>,
}

impl Transaction<'_> {
    /// The rows of a statement.
    pub(super) async fn query(&self, sql: &str, params: &[Param<'_>]) -> Result<Vec<Row>, Fault> {
        Ok(self.held.client.query_typed(sql, params).await?)
    }

    /// The one row of a statement, if it has one.
    pub(super) async fn query_opt(
        &self,
        sql: &str,
        params: &[Param<'_>],
    ) -> Result<Option<Row>, Fault> {
        Ok(self.query(sql, params).await?.into_iter().next())
    }

    /// How many rows a statement changed.
    pub(super) async fn execute(&self, sql: &str, params: &[Param<'_>]) -> Result<u64, Fault> {
        Ok(self.held.client.execute_typed(sql, params).await?)
    }

    /// Statements without values.
    pub(super) async fn batch(&self, sql: &str) -> Result<(), Fault> {
        Ok(self.held.client.batch_execute(sql).await?)
    }

    /// Begins it and does what `act` says: its first statements are on their way before the server has answered.
    pub(super) async fn run<T>(
        &self,
        act: impl Future<Output = Result<T, Fault>>,
    ) -> Result<T, Fault> {
        self.run_for(LONGEST, act).await
    }

    /// The same for what reads whole tables.
    pub(super) async fn run_long<T>(
        &self,
        act: impl Future<Output = Result<T, Fault>>,
    ) -> Result<T, Fault> {
        self.run_for(LONGEST_OF_ALL, act).await
    }

    /// The same, for no longer than this.
    pub(super) async fn run_for<T>(
        &self,
        longest: Duration,
        act: impl Future<Output = Result<T, Fault>>,
    ) -> Result<T, Fault> {
        let begun = self.held.client.batch_execute(&self.held.pool.begin).map_err(Fault::from);
        match tokio::time::timeout(longest, future::join(begun, act)).await {
            Ok((Err(fault), _)) => Err(fault),
            Ok((Ok(()), done)) => done,
            Err(_) => Err(Fault::Error(Error::Away("PostgreSQL does not answer".to_owned()))),
        }
    }

    async fn commit(self) -> Result<(), Fault> {
        let committed = self.held.client.batch_execute("COMMIT");
        match tokio::time::timeout(LONGEST, committed).await {
            Ok(committed) => committed?,
            Err(_) => return Err(Error::Away("PostgreSQL does not answer".to_owned()).into()),
        }
        self.held.give_back();
        Ok(())
    }

    /// A connection that does not answer is closed, which ends its transaction too.
    async fn roll_back(self) {
        let rolled_back = self.held.client.batch_execute("ROLLBACK");
        if matches!(tokio::time::timeout(LEAVE, rolled_back).await, Ok(Ok(()))) {
            self.held.give_back();
        }
    }
}

impl Pool {
    /// A transaction on a connection that nobody else has.
    pub(super) async fn begin(&self) -> Result<Transaction<'_>, Error> {
        Ok(Transaction { held: self.get().await? })
    }
}

/// How often a transaction was begun.
#[derive(Default)]
pub(super) struct Tries(u32);

impl Tries {
    /// Ends a transaction: what was done in it once it is committed, nothing where it is to be begun again.
    pub(super) async fn end<T>(
        &mut self,
        transaction: Transaction<'_>,
        done: Result<T, Fault>,
    ) -> Result<Option<T>, Error> {
        let fault = match done {
            Ok(done) => match transaction.commit().await {
                Ok(()) => return Ok(Some(done)),
                Err(fault) => fault,
            },
            Err(fault) => {
                transaction.roll_back().await;
                fault
            }
        };
        self.0 += 1;
        match fault {
            Fault::InTheWay(_) if self.0 < TRIES => {
                tokio::time::sleep(scattered(Duration::from_millis(10) * self.0)).await;
                Ok(None)
            }
            fault => Err(fault.into_error()),
        }
    }
}

/// One transaction on a pool: what is done in it, all or nothing. It is begun again where another is in the way, so
/// whatever is said may be done more than once.
macro_rules! transacted {
    ($pool:expr, |$transaction:ident| $act:expr) => {
        $crate::store::postgres::transaction::transacted!(@run $pool, |$transaction| $act)
    };
    // What reads whole tables may take long.
    (long $pool:expr, |$transaction:ident| $act:expr) => {
        $crate::store::postgres::transaction::transacted!(@run_long $pool, |$transaction| {
            $transaction.batch($crate::store::postgres::transaction::LONG).await?;
            $act
        })
    };
    (@$run:ident $pool:expr, |$transaction:ident| $act:expr) => {
        async {
            let mut tries = $crate::store::postgres::transaction::Tries::default();
            loop {
                let begun = $pool.begin().await?;
                let $transaction = &begun;
                let done = begun.$run(Box::pin(async { $act })).await;
                if let Some(done) = tries.end(begun, done).await? {
                    break Ok::<_, $crate::store::Error>(done);
                }
            }
        }
        .await
    };
}

pub(super) use transacted;
