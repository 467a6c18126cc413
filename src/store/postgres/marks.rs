//! What events have set of contacts, and when those happened.

use jiff::Timestamp;

use super::core::Core;
use super::statements;
use super::transaction::{params, transacted};
use crate::contact::{Field, Mark};
use crate::event::UpdateId;
use crate::store::form::state::number;
use crate::store::{Error, Marked};

impl Core {
    /// When the event of an update happened, and what is marked of its contact.
    pub(super) async fn marked(&self, update: UpdateId) -> Result<Marked, Error> {
        let id = number(update);
        let instant = |at: i64| Timestamp::from_millisecond(at).unwrap_or_default();
        self.is_open()?;
        transacted!(self.pool, |transaction| {
            let of = transaction.query_opt(statements::MARKED, params![id]).await?;
            let Some(of) = of else { return Ok(Marked::default()) };
            let (lane, source): (i64, i64) = (of.get(0), of.get(1));
            let occurred_at: Option<i64> = of.get(2);
            let marks = transaction.query(statements::MARKS, params![lane, source]).await?;
            let mark = |row: &tokio_postgres::Row| {
                let field = std::str::from_utf8(row.get(0)).ok().and_then(Field::parse)?;
                Some(Mark { field, is_there: row.get(1), at: instant(row.get(2)) })
            };
            let marks = marks.iter().filter_map(mark).collect();
            Ok(Marked { occurred_at: occurred_at.map(instant), marks })
        })
    }
}
