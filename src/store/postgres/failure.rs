//! What PostgreSQL's errors mean. Its own words are kept where they name no value; never a password.

use std::error::Error as _;
use std::fmt::Write as _;

use tokio_postgres::error::SqlState;

use crate::store::Error;

/// States after which the same transaction may well succeed: two of them were in each other's way.
const IN_THE_WAY: &[SqlState] =
    &[SqlState::T_R_SERIALIZATION_FAILURE, SqlState::T_R_DEADLOCK_DETECTED];

/// States that say there is no room.
const NO_ROOM: &[SqlState] = &[SqlState::DISK_FULL, SqlState::OUT_OF_MEMORY];

/// States that say the server is too busy for more.
const TOO_MUCH: &[SqlState] =
    &[SqlState::TOO_MANY_CONNECTIONS, SqlState::LOCK_NOT_AVAILABLE, SqlState::QUERY_CANCELED];

/// Whether the transaction is worth trying again at once.
pub(super) fn is_in_the_way(error: &tokio_postgres::Error) -> bool {
    error.code().is_some_and(|code| IN_THE_WAY.contains(code))
}

/// What an error of the database means.
pub(super) fn failed(error: &tokio_postgres::Error) -> Error {
    let Some(said) = error.as_db_error() else {
        return Error::Away(without_answer(error));
    };
    let code = said.code();
    let words = format!("{} ({})", said.message(), code.code());
    if NO_ROOM.contains(code) {
        return Error::Full(format!("PostgreSQL has no room: {words}"));
    }
    if TOO_MUCH.contains(code) {
        return Error::Away(format!("PostgreSQL does not keep up: {words}"));
    }
    // Class 08 is connections, 57P the server going down or coming up, 28 who one is; 3D000 is no such database.
    let is_away =
        ["08", "57P", "28", "3D000", "25006"].iter().any(|class| code.code().starts_with(class));
    if is_away {
        return Error::Away(format!("PostgreSQL does not serve: {words}"));
    }
    // The message of an error in a value shows the value.
    if code.code().starts_with("22") || code.code().starts_with("23") {
        let table = said.table().map(|table| format!(" in `{table}`")).unwrap_or_default();
        return Error::Failed(format!("PostgreSQL refuses a value{table} ({})", code.code()));
    }
    Error::Failed(format!("PostgreSQL: {words}"))
}

/// The words of an error that the server did not say.
fn without_answer(error: &tokio_postgres::Error) -> String {
    let mut words = format!("PostgreSQL cannot be reached: {error}");
    let mut cause = error.source();
    while let Some(because) = cause {
        // Writing to a text does not fail.
        write!(words, ": {because}").unwrap_or_default();
        cause = because.source();
    }
    words
}
