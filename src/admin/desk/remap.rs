//! Today's rules on a stored event.

use std::collections::BTreeMap;

use super::asked::{ChangeAsked, Chosen};
use super::chosen::{Doable, of_event};
use super::late::{Late, Left};
use super::outcome::{Done, Outcome, differences, requests};
use super::replay::note_change;
use super::{Desk, Refused};
use crate::contact::PlannedUpdate;
use crate::event::{EventId, UpdateId};
use crate::store::letters::{Change, Changed, Remapped, Sends};
use crate::store::{NewState, NewUpdate, UpdateRow};

const DOABLE: Doable = Doable {
    states: &["held", "dead", "skipped", "discarded", "delivered"],
    done: "mapped again",
    instead: "what waits is going to be sent as it is",
};

/// How often what has come for a contact meanwhile is looked at.
const LOOKS: usize = 3;

/// The last place an update can have within its event: a new one comes after all of it.
const LAST_PLACE: u16 = u16::MAX;

/// An event that is to be mapped again.
struct Event {
    id: EventId,
    /// The updates that are meant; nothing where the event is, as a whole.
    only: Option<Vec<UpdateId>>,
}

/// What mapping an event again comes to.
#[derive(Default)]
struct Remap {
    gone: Vec<UpdateId>,
    updates: Vec<NewUpdate>,
    /// For each of `updates`, the row it replaces.
    replaces: Vec<Option<UpdateRow>>,
    stay: Vec<Outcome>,
}

impl Desk {
    /// Maps events again with the mappings in force and replaces what is held or dead of them, or is named; what was
    /// delivered stays, unless it is asked for again.
    pub async fn remap(&self, asked: &ChangeAsked, by: &str) -> Result<Done, Refused> {
        let _turn = self.turn.lock().await;
        let asked = &by_default(asked);
        let meant = self.meant(asked, &DOABLE).await?;
        let mut told = meant.nothing;
        let mut events: BTreeMap<EventId, Option<Vec<UpdateId>>> = BTreeMap::new();
        for row in meant.rows {
            events
                .entry(row.event_id)
                .or_insert_with(|| Some(Vec::new()))
                .iter_mut()
                .for_each(|only| only.push(row.id));
        }
        events.extend(meant.events.into_iter().map(|event| (event, None)));
        for (id, only) in events {
            told.extend(self.remap_event(&Event { id, only }, asked, by).await?);
        }
        Ok(Done::of(asked.dry_run, told, meant.next))
    }

    async fn remap_event(
        &self,
        event: &Event,
        asked: &ChangeAsked,
        by: &str,
    ) -> Result<Vec<Outcome>, Refused> {
        let mut look = 1;
        loop {
            let (told, changed) = self.remap_once(event, asked, by).await?;
            match changed {
                Changed::SomethingCame if look < LOOKS => look += 1,
                Changed::Done => return Ok(told),
                Changed::SomethingCame | Changed::StandsOtherwise => {
                    let moved = |outcome: Outcome| {
                        if outcome.changed {
                            outcome.moved_on("it stands otherwise by now: try again")
                        } else {
                            outcome
                        }
                    };
                    return Ok(told.into_iter().map(moved).collect());
                }
            }
        }
    }

    async fn remap_once(
        &self,
        event: &Event,
        asked: &ChangeAsked,
        by: &str,
    ) -> Result<(Vec<Outcome>, Changed), Refused> {
        let mut rows = of_event(&*self.store, event.id).await?;
        let Some(stored) = self.store.event(event.id).await? else {
            let note = "what came in is not kept any more";
            let told = rows.iter().map(|row| Outcome::stays(row, note)).collect();
            return Ok((told, Changed::Done));
        };
        let updates = match (self.map_again)(&stored) {
            Ok(updates) => updates,
            Err(why) => {
                if let Some(only) = &event.only {
                    rows.retain(|row| only.contains(&row.id));
                }
                let mut told: Vec<_> = rows.iter().map(|row| Outcome::stays(row, &why)).collect();
                if told.is_empty() {
                    told.push(of_whole(event.id, &why));
                }
                return Ok((told, Changed::Done));
            }
        };
        let Remap { gone, updates, replaces, stay: mut told } =
            event.compared(&rows, updates, asked.again);
        if updates.is_empty() {
            if told.is_empty() {
                told.push(of_whole(event.id, "today's rules plan nothing for it"));
            }
            return Ok((told, Changed::Done));
        }
        let mut late = Vec::new();
        for (update, row) in updates.iter().zip(&replaces) {
            if let NewState::Waiting(planned) = &update.state {
                let last = UpdateId { event: event.id, place: LAST_PLACE };
                let place = row.as_ref().map_or(last, |row| row.id);
                late.push(Late { update: place, planned: (**planned).clone() });
            }
        }
        let (left, upto) = self.left_of(&late, asked.overwrite).await?;
        let mut left = left.into_iter();
        let mut remapped = Vec::with_capacity(updates.len());
        let mut outcomes = Vec::with_capacity(updates.len());
        for (update, row) in updates.into_iter().zip(&replaces) {
            let left = match &update.state {
                NewState::Waiting(_) => left.next(),
                NewState::Held { .. } | NewState::Skipped(_) => None,
            };
            let mut outcome = outcome_of(event.id, &update, row.as_ref(), left.as_ref());
            if asked.dry_run
                && let (NewState::Waiting(planned), Some(left)) = (&update.state, &left)
                && let Some(sent) = left.sent(planned)
            {
                outcome.requests = requests(sent, &self.chatflow);
                outcome.differs = differences(self.sent_before(row.as_ref()).await?.as_ref(), sent);
            }
            outcomes.push(outcome);
            remapped.push(Remapped { update, sends: left.map_or(Sends::Whole, |left| left.sends) });
        }
        let changed = if asked.dry_run {
            Changed::Done
        } else {
            let change = Change::Remap { event: event.id, gone, updates: remapped };
            let changed = self.store.change(vec![change], upto).await?.pop();
            changed.unwrap_or(Changed::StandsOtherwise)
        };
        if changed == Changed::Done && !asked.dry_run {
            for outcome in &outcomes {
                note_change("remap", outcome, by);
            }
        }
        told.extend(outcomes);
        Ok((told, changed))
    }

    /// What was sent of the update that is replaced.
    async fn sent_before(&self, row: Option<&UpdateRow>) -> Result<Option<PlannedUpdate>, Refused> {
        let Some(row) = row else { return Ok(None) };
        let letter = self.store.letters(vec![row.id]).await?.pop();
        Ok(letter.and_then(|letter| letter.part.or(letter.planned)))
    }
}

/// Where a filter names no state it is what waits for somebody that is meant.
fn by_default(asked: &ChangeAsked) -> ChangeAsked {
    let mut asked = asked.clone();
    if let Ok(Chosen::Filter(_)) = asked.chosen()
        && let Some(filter) = &mut asked.filter
        && filter.states().is_empty()
    {
        filter.state = Some("held,dead".to_owned());
    }
    asked
}

impl Event {
    /// What today's `updates` replace of the `rows` there are.
    fn compared(&self, rows: &[UpdateRow], updates: Vec<NewUpdate>, again: bool) -> Remap {
        let mut remap = Remap::default();
        let is_meant = |row: &UpdateRow| match &self.only {
            None => again || matches!(row.state, "held" | "dead"),
            Some(only) => only.contains(&row.id),
        };
        let mut updates = updates;
        for row in rows {
            let own = |update: &NewUpdate| *update.rule == *row.rule && update.item == row.item;
            let place = updates.iter().position(own);
            let Some(place) = place else {
                if is_meant(row) {
                    let note = "today's rules plan nothing for it: `discard` puts it away";
                    remap.stay.push(Outcome::stays(row, note));
                }
                continue;
            };
            let update = updates.remove(place);
            let note = match row.state {
                "waiting" | "in_flight" => Some("it is going to be sent as it is"),
                "delivered" if !again => Some("it was delivered: `--again` sends it once more"),
                _ => None,
            };
            match note {
                _ if !is_meant(row) => {}
                Some(note) => remap.stay.push(Outcome::stays(row, note)),
                None => {
                    remap.gone.push(row.id);
                    remap.updates.push(update);
                    remap.replaces.push(Some(row.clone()));
                }
            }
        }
        // Who names an update means that one alone; who names the event means all that the rules make of it.
        if self.only.is_none() {
            remap.replaces.extend(updates.iter().map(|_| None));
            remap.updates.extend(updates);
        }
        remap
    }
}

fn of_whole(event: EventId, note: &str) -> Outcome {
    Outcome { update: event.to_string(), note: Some(note.to_owned()), ..Outcome::default() }
}

fn outcome_of(
    event: EventId,
    update: &NewUpdate,
    row: Option<&UpdateRow>,
    left: Option<&Left>,
) -> Outcome {
    let (becomes, reason, note) = match (&update.state, left) {
        (NewState::Waiting(_), None) => ("waiting", None, None),
        (NewState::Waiting(_), Some(left)) => {
            let (state, reason) = left.becomes();
            (state, reason, None)
        }
        (NewState::Held { reason, detail }, _) => {
            ("held", Some(reason.as_str()), Some(detail.clone()))
        }
        (NewState::Skipped(reason), _) => ("skipped", Some(reason.as_str()), None),
    };
    Outcome {
        update: format!("{event}/{}/{}", update.rule, update.item),
        was: row.map(|row| row.state.to_owned()),
        becomes: Some(becomes.to_owned()),
        reason: reason.map(str::to_owned),
        changed: true,
        note,
        left_out: left.map(|left| left.left_out.clone()).unwrap_or_default(),
        ..Outcome::default()
    }
}
