//! One transaction: statements in a row, or several on their way at once.
//!
//! Statements have no name on the server, so that a pooler may give each transaction another connection.

use std::time::Duration;

use bytes::BytesMut;
use futures_util::{TryFutureExt, future};
use tokio_postgres::Row;
use tokio_postgres::types::{IsNull, ToSql, Type, to_sql_checked};

use super::failure::{failed, is_in_the_way};
use super::pool::{Held, Pool, scattered};
use crate::store::Error;

/// How long a transaction may take, the answer included: then the connection is given up.
const LONGEST: Duration = Duration::from_secs(15);

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

/// Bytes that are shared with others.
#[derive(Debug)]
pub(super) struct Shared<'a>(pub(super) &'a [u8]);

impl ToSql for Shared<'_> {
    fn to_sql(
        &self,
        of: &Type,
        out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        self.0.to_sql(of, out)
    }

    fn accepts(of: &Type) -> bool {
        *of == Type::BYTEA
    }

    to_sql_checked!();
}

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

    fn into_error(self) -> Error {
        match self {
            Self::InTheWay(error) | Self::Error(error) => error,
        }
    }
}

/// A transaction that has begun.
pub(super) struct Transaction<'a> {
    held: &'a Held<'a>,
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
}

impl Pool {
    /// One transaction: what `act` does, all or nothing. It is begun again where another is in the way, so `act` may
    /// be called more than once.
    pub(super) async fn transaction<T>(
        &self,
        act: impl AsyncFn(&Transaction<'_>) -> Result<T, Fault>,
    ) -> Result<T, Error> {
        let mut tries = 1;
        loop {
            let tried = tokio::time::timeout(LONGEST, self.attempt(&act)).await;
            match tried {
                Ok(Ok(done)) => return Ok(done),
                Ok(Err(Fault::InTheWay(_))) if tries < TRIES => {}
                Ok(Err(fault)) => return Err(fault.into_error()),
                Err(_) => return Err(Error::Away("PostgreSQL does not answer".to_owned())),
            }
            tokio::time::sleep(scattered(Duration::from_millis(10) * tries)).await;
            tries += 1;
        }
    }

    async fn attempt<T>(
        &self,
        act: &impl AsyncFn(&Transaction<'_>) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        let held = self.get().await?;
        let transaction = Transaction { held: &held };
        // The first statements are on their way before the server has answered that it has begun.
        let begun = held.client.batch_execute(&self.begin).map_err(Fault::from);
        let done = match future::join(begun, act(&transaction)).await {
            (Err(fault), _) => Err(fault),
            (Ok(()), done) => done,
        };
        match done {
            Ok(done) => {
                held.client.batch_execute("COMMIT").await?;
                held.give_back();
                Ok(done)
            }
            Err(fault) => {
                if held.client.batch_execute("ROLLBACK").await.is_ok() {
                    held.give_back();
                }
                Err(fault)
            }
        }
    }
}
