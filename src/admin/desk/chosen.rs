//! The updates that are meant.

use std::collections::BTreeMap;

use super::asked::{ChangeAsked, Chosen, Filter, InvalidAsked, STATES};
use super::outcome::Outcome;
use super::{Desk, Refused};
use crate::event::{EventId, Named};
use crate::store::letters::{Letters, Search};
use crate::store::{Error, Page, UpdateRow};

/// The updates that are meant, and where the next call goes on.
#[derive(Debug, Default)]
pub(super) struct Meant {
    pub(super) rows: Vec<UpdateRow>,
    pub(super) next: Option<String>,
    /// Names that name nothing.
    pub(super) nothing: Vec<Outcome>,
    /// Events that were named as a whole.
    pub(super) events: Vec<EventId>,
}

/// What of the updates that are found something can be done with.
pub(super) struct Doable {
    /// The states of those that can be found by a filter; the first are meant where none is said.
    pub(super) states: &'static [&'static str],
    /// The word for what is done.
    pub(super) done: &'static str,
    /// What can be done with others.
    pub(super) instead: &'static str,
}

/// All updates of an event.
pub(super) async fn of_event(store: &dyn Letters, event: EventId) -> Result<Vec<UpdateRow>, Error> {
    let wanted = Search { event: Some(event), ..Search::default() };
    Ok(store.find(&wanted, Page { most: usize::MAX, before: None }).await?.rows)
}

impl Desk {
    pub(super) async fn meant(
        &self,
        asked: &ChangeAsked,
        doable: &Doable,
    ) -> Result<Meant, Refused> {
        match asked.chosen()? {
            Chosen::Filter(filter) => self.found(filter, doable).await,
            Chosen::Names(names) => self.named(names).await,
        }
    }

    async fn found(&self, filter: &Filter, doable: &Doable) -> Result<Meant, Refused> {
        let mut wanted = filter.wanted()?;
        if wanted.states.is_empty() && doable.states != STATES {
            wanted.states = doable.states.iter().map(|&state| state.to_owned()).collect();
        }
        if let Some(state) = wanted.states.iter().find(|s| !doable.states.contains(&s.as_str())) {
            let (state, done, instead) = (state.clone(), doable.done, doable.instead);
            return Err(InvalidAsked::NotThat { state, done, instead }.into());
        }
        let found = self.store.find(&wanted, filter.page()).await?;
        Ok(Meant { rows: found.rows, next: found.next, ..Meant::default() })
    }

    async fn named(&self, names: &[Named]) -> Result<Meant, Refused> {
        let mut meant = Meant::default();
        let mut events: BTreeMap<EventId, Vec<&Named>> = BTreeMap::new();
        for name in names {
            events.entry(name.event()).or_default().push(name);
        }
        for (event, names) in events {
            let rows = of_event(&*self.store, event).await?;
            for name in &names {
                let is_there = match name {
                    Named::Event(_) => !rows.is_empty() || self.store.event(event).await?.is_some(),
                    Named::Update(name) => {
                        rows.iter().any(|row| row.rule == name.rule && row.item == name.item)
                    }
                };
                if !is_there {
                    meant.nothing.push(Outcome::nothing(name));
                } else if matches!(name, Named::Event(_)) {
                    meant.events.push(event);
                }
            }
            let is_named = |row: &UpdateRow| {
                names.iter().any(|name| match name {
                    Named::Event(_) => true,
                    Named::Update(name) => row.rule == name.rule && row.item == name.item,
                })
            };
            meant.rows.extend(rows.into_iter().filter(is_named));
        }
        Ok(meant)
    }
}
