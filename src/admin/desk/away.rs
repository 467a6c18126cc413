//! Put away, and forgotten.

use super::asked::{ChangeAsked, STATES};
use super::chosen::Doable;
use super::outcome::{Done, Outcome};
use super::replay::note_change;
use super::{Desk, Refused};
use crate::contact::Who;
use crate::event::EventId;
use crate::store::letters::{Change, Changed, Search};
use crate::store::{Page, UpdateRow};

const DISCARD: Doable = Doable {
    states: &["dead", "held"],
    done: "discarded",
    instead: "what waits is going to be sent, the rest has come to its end",
};

/// What still waits is found too: who wants something forgotten is told what is not.
const PURGE: Doable =
    Doable { states: STATES, done: "purged", instead: "it has to come to its end first" };

impl Desk {
    /// Puts held and dead updates away: nobody is to look at them again.
    pub async fn discard(&self, asked: &ChangeAsked, by: &str) -> Result<Done, Refused> {
        let _turn = self.turn.lock().await;
        let meant = self.meant(asked, &DISCARD).await?;
        let mut told = meant.nothing;
        let (fit, unfit): (Vec<_>, Vec<_>) =
            meant.rows.into_iter().partition(|row| DISCARD.states.contains(&row.state));
        let note = "only what is dead or held can be discarded";
        told.extend(unfit.iter().map(|row| Outcome::stays(row, note)));
        let discards = fit.iter().map(|row| Change::Discard(row.id)).collect();
        let outcomes = fit.iter().map(|row| Outcome {
            reason: row.reason.clone(),
            ..Outcome::becomes(row, "discarded")
        });
        let outcomes: Vec<_> = outcomes.collect();
        told.extend(self.do_all("discard", outcomes, discards, asked, by).await?);
        Ok(Done::of(asked.dry_run, told, meant.next))
    }

    /// Forgets events, with all that is kept of them, of which everything has come to an end. An update stands for
    /// its whole event. Asked for a contact, nothing is lost of others: an event stays of which another contact's
    /// update is not done with; and at the end of it, where nothing waits for the contact, what is known of it goes too.
    pub async fn purge(&self, asked: &ChangeAsked, by: &str) -> Result<Done, Refused> {
        let _turn = self.turn.lock().await;
        let meant = self.meant(asked, &PURGE).await?;
        let mut events: Vec<EventId> = meant.rows.iter().map(|row| row.event_id).collect();
        events.extend(&meant.events);
        events.sort_unstable();
        events.dedup();
        let mut told = meant.nothing;
        let contact = match &asked.filter {
            Some(filter) => filter.wanted()?.contact,
            None => None,
        };
        if let Some(contact) = &contact {
            let shared = self.shared(&events, contact).await?;
            events.retain(|event| !shared.contains(event));
            told.extend(shared.iter().map(|event| forgotten(*event).moved_on(OF_OTHERS)));
        }
        let mut outcomes: Vec<_> = events.iter().copied().map(forgotten).collect();
        if asked.dry_run {
            for (outcome, event) in outcomes.iter_mut().zip(&events) {
                let rows = super::chosen::of_event(&*self.store, *event).await?;
                if rows.iter().any(|row| matches!(row.state, "waiting" | "in_flight")) {
                    *outcome = outcome.clone().moved_on(STILL_WAITS);
                }
            }
        }
        let purges = events.iter().map(|event| Change::Purge(*event)).collect();
        told.extend(self.do_all("purge", outcomes, purges, asked, by).await?);
        if let (Some(who), None, false) = (contact, &meant.next, asked.dry_run) {
            // Where something waits it stays for now, as has been told of the event.
            self.store.change(vec![Change::Forget(who)], ANY).await?;
        }
        Ok(Done::of(asked.dry_run, told, meant.next))
    }

    /// Those of the events that have an update of another contact which somebody still has to see to. Of an update that
    /// is held nobody knows whose it is.
    async fn shared(&self, events: &[EventId], who: &Who) -> Result<Vec<EventId>, Refused> {
        let mut shared = Vec::new();
        for event in events {
            let all = super::chosen::of_event(&*self.store, *event).await?;
            let of_contact =
                Search { event: Some(*event), contact: Some(who.clone()), ..Search::default() };
            let page = Page { most: usize::MAX, before: None };
            let own = self.store.find(&of_contact, page).await?.rows;
            let is_open =
                |row: &&UpdateRow| matches!(row.state, "waiting" | "in_flight" | "held" | "dead");
            let is_own = |row: &UpdateRow| own.iter().any(|own| own.id == row.id);
            if all.iter().filter(is_open).any(|row| !is_own(row)) {
                shared.push(*event);
            }
        }
        Ok(shared)
    }

    async fn do_all(
        &self,
        action: &'static str,
        outcomes: Vec<Outcome>,
        changes: Vec<Change>,
        asked: &ChangeAsked,
        by: &str,
    ) -> Result<Vec<Outcome>, Refused> {
        if asked.dry_run || changes.is_empty() {
            return Ok(outcomes);
        }
        let made = self.store.change(changes, ANY).await?;
        let told = outcomes.into_iter().zip(made).map(|(outcome, changed)| match changed {
            Changed::Done => {
                note_change(action, &outcome, by);
                outcome
            }
            Changed::StandsOtherwise | Changed::SomethingCame => outcome.moved_on(STILL_WAITS),
        });
        Ok(told.collect())
    }
}

fn forgotten(event: EventId) -> Outcome {
    Outcome {
        update: event.to_string(),
        becomes: Some("forgotten".to_owned()),
        changed: true,
        ..Outcome::default()
    }
}

/// No event is younger.
const ANY: EventId = EventId(i64::MAX >> 16);

const OF_OTHERS: &str = "another contact's update of it waits, is held or dead: see to that one, or purge the event by its id";

const STILL_WAITS: &str = "not all of it has come to an end, or it stands otherwise by now";
