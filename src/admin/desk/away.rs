//! Put away, and forgotten.

use super::asked::{ChangeAsked, STATES};
use super::chosen::Doable;
use super::outcome::{Done, Outcome};
use super::replay::note_change;
use super::{Desk, Refused};
use crate::event::EventId;
use crate::store::letters::{Change, Changed};

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
    /// its whole event.
    pub async fn purge(&self, asked: &ChangeAsked, by: &str) -> Result<Done, Refused> {
        let _turn = self.turn.lock().await;
        let meant = self.meant(asked, &PURGE).await?;
        let mut events: Vec<EventId> = meant.rows.iter().map(|row| row.event_id).collect();
        events.extend(&meant.events);
        events.sort_unstable();
        events.dedup();
        let outcomes = events.iter().map(|event| Outcome {
            update: event.to_string(),
            becomes: Some("forgotten".to_owned()),
            changed: true,
            ..Outcome::default()
        });
        let mut outcomes: Vec<_> = outcomes.collect();
        if asked.dry_run {
            for (outcome, event) in outcomes.iter_mut().zip(&events) {
                let rows = super::chosen::of_event(&*self.store, *event).await?;
                if rows.iter().any(|row| matches!(row.state, "waiting" | "in_flight")) {
                    *outcome = outcome.clone().moved_on(STILL_WAITS);
                }
            }
        }
        let purges = events.iter().map(|event| Change::Purge(*event)).collect();
        let mut told = meant.nothing;
        told.extend(self.do_all("purge", outcomes, purges, asked, by).await?);
        Ok(Done::of(asked.dry_run, told, meant.next))
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
        let made = self.store.change(changes, EventId(i64::MAX >> 16)).await?;
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

const STILL_WAITS: &str = "not all of it has come to an end, or it stands otherwise by now";
