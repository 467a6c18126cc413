//! Where a page of a list begins and how long it is.

use crate::store::{Error, Page};

/// No page is longer.
pub(in crate::store) const MOST: usize = 1000;

/// After which row a page begins: its id, and when it ended where the list is in that order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::store) struct Place {
    pub(in crate::store) finished_at: i64,
    pub(in crate::store) id: i64,
}

const TOP: Place = Place { finished_at: i64::MAX, id: i64::MAX };

/// Where the page begins.
pub(in crate::store) fn place(page: &Page) -> Result<Place, Error> {
    let Some(cursor) = &page.before else { return Ok(TOP) };
    let (finished_at, id) = cursor.split_once('.').unwrap_or(("0", cursor));
    match (finished_at.parse(), id.parse()) {
        (Ok(finished_at), Ok(id)) => Ok(Place { finished_at, id }),
        _ => Err(Error::Failed("`before` is not the `cursor` of a row of this list".to_owned())),
    }
}

/// How many rows it has at most.
pub(in crate::store) fn most(page: &Page) -> i64 {
    i64::try_from(page.most.min(MOST)).unwrap_or(0)
}
