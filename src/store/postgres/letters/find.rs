//! Updates by what is said of them, a page at a time.

use std::collections::{HashMap, HashSet};

use super::super::browse::raw_update;
use super::super::core::Core;
use super::super::lanes::sorted;
use super::super::queries;
use super::super::transaction::{Fault, Transaction, params, transacted};
use crate::store::form::cipher::Cipher;
use crate::store::form::cursor::{Place, most};
use crate::store::form::row::RawUpdate;
use crate::store::form::search::{Asked, LOOKED_AT, Lists, Part};
use crate::store::form::state::State;
use crate::store::letters::{Found, Search};
use crate::store::{Error, Page};

/// One list; all but the first are of a source.
enum List {
    All,
    OfSource(i64),
    Waiting(i64),
    InFlight(i64),
    Finished(State, i64),
}

impl Core {
    /// Finds updates.
    pub(in super::super) async fn find(
        &self,
        wanted: &Search,
        page: &Page,
    ) -> Result<Found, Error> {
        let lane = wanted.contact.as_ref().map(|who| self.keys.lane(who));
        transacted!(self.pool, |transaction| {
            let lanes = match lane {
                Some(lane) => transaction.families(&[lane]).await?.remove(&lane),
                None => None,
            };
            let now = transaction.now(self.manual()).await?;
            let asked = Asked::new(wanted, lanes, now, page)?;
            if let Some(event) = wanted.event {
                let rows = transaction.query(queries::UPDATES_OF_EVENT, params![event.0]).await?;
                let rows = rows.iter().map(|row| raw_update(&self.cipher, row));
                return Ok(asked.of_event(rows.collect())?);
            }
            let source = match &wanted.source {
                None => None,
                Some(source) => match transaction.name_id(source).await? {
                    None => return Ok(Found { rows: Vec::new(), next: None }),
                    known => known,
                },
            };
            let mut parts = Vec::new();
            for list in lists(transaction, wanted, source).await? {
                // The next page may begin within the rows that one look gives.
                let at_once = most(page).saturating_add(1).clamp(64, LOOKED_AT);
                parts.push(list.part(transaction, &self.cipher, &asked, at_once).await?);
            }
            Ok(asked.joined(parts))
        })
    }
}

/// The lists of a search. The indexes begin with the source, and there are few.
async fn lists(
    transaction: &Transaction<'_>,
    wanted: &Search,
    source: Option<i64>,
) -> Result<Vec<List>, Fault> {
    let lists = Lists::of(&wanted.states)?;
    let sources = match (source, &lists) {
        (Some(source), _) => vec![source],
        (None, Lists::All) => return Ok(vec![List::All]),
        (None, _) => transaction.sources().await?,
    };
    let of = |source: i64| match &lists {
        Lists::Finished(states) => {
            states.iter().map(|state| List::Finished(*state, source)).collect()
        }
        Lists::InFlight => vec![List::InFlight(source)],
        Lists::Waiting => vec![List::Waiting(source)],
        Lists::All => vec![List::OfSource(source)],
    };
    Ok(sources.into_iter().flat_map(of).collect())
}

impl List {
    async fn part<'a>(
        &self,
        transaction: &Transaction<'_>,
        cipher: &Cipher,
        asked: &'a Asked<'a>,
        at_once: i64,
    ) -> Result<Part<'a>, Fault> {
        let (mut part, mut before) = (asked.part(), asked.before);
        loop {
            let rows = self.rows(transaction, cipher, before, at_once).await?;
            let is_last = i64::try_from(rows.len()).is_ok_and(|count| count < at_once);
            let mut rows = rows.into_iter();
            while let Some(row) = rows.next() {
                let finished_at = match self {
                    Self::Finished(..) => row.finished_at.unwrap_or(0),
                    _ => 0,
                };
                before = Place { finished_at, id: row.number };
                if !part.take(row)? {
                    if is_last && rows.next().is_none() {
                        part.ended();
                    }
                    return Ok(part);
                }
            }
            if is_last {
                return Ok(part);
            }
        }
    }

    async fn rows(
        &self,
        transaction: &Transaction<'_>,
        cipher: &Cipher,
        Place { finished_at, id }: Place,
        most: i64,
    ) -> Result<Vec<RawUpdate>, Fault> {
        let rows = match *self {
            Self::All => transaction.query(queries::UPDATES, params![id, most]).await?,
            Self::OfSource(source) => {
                transaction.query(queries::UPDATES_OF_SOURCE, params![id, most, source]).await?
            }
            Self::Waiting(source) => {
                transaction.query(queries::UPDATES_WAITING, params![id, most, source]).await?
            }
            Self::InFlight(source) => {
                transaction.query(queries::UPDATES_IN_FLIGHT, params![id, most, source]).await?
            }
            Self::Finished(state, source) => {
                let state = state as i16;
                let of = params![id, most, source, finished_at, state];
                transaction.query(queries::UPDATES_FINISHED, of).await?
            }
        };
        Ok(rows.iter().map(|row| raw_update(cipher, row)).collect())
    }
}

impl Transaction<'_> {
    /// For each of these lanes those in which updates of the same contact wait or have waited: itself, the ones it has
    /// joined, and those that have joined the last of them.
    pub(super) async fn families(&self, of: &[i64]) -> Result<HashMap<i64, Vec<i64>>, Fault> {
        let ways = self.query(queries::WAYS, params![of]).await?;
        let ways: HashMap<i64, Vec<i64>> = ways
            .into_iter()
            .map(|row| {
                let steps = (1..4).filter_map(|at| row.get::<_, Option<i64>>(at));
                (row.get(0), std::iter::once(row.get(0)).chain(steps).collect())
            })
            .collect();
        let homes = sorted(ways.values().filter_map(|way| way.last().copied()));
        let mut joined: HashMap<i64, HashSet<i64>> = HashMap::new();
        for row in self.query(queries::KEYS_OF, params![homes]).await? {
            joined.entry(row.get(0)).or_default().insert(row.get(1));
        }
        let family = |(lane, way): (i64, Vec<i64>)| {
            let keys = way.last().and_then(|home| joined.get(home)).into_iter().flatten().copied();
            (lane, sorted(way.into_iter().chain(keys.collect::<Vec<_>>())))
        };
        Ok(ways.into_iter().map(family).collect())
    }
}
