//! The same plan again.

use super::asked::ChangeAsked;
use super::chosen::Doable;
use super::late::Late;
use super::outcome::{Done, Outcome, differences, requests};
use super::{Desk, Refused};
use crate::contact::SkippedReason;
use crate::store::UpdateRow;
use crate::store::letters::{Change, Changed, Letter};

const DOABLE: Doable = Doable {
    states: &["dead"],
    done: "replayed",
    instead: "what is held needs a mended rule and `remap`, what was skipped as superseded is named one by one",
};

/// How often what has come for a contact meanwhile is looked at.
const LOOKS: usize = 3;

/// Why an update cannot be replayed, where it cannot.
fn unfit(row: &UpdateRow) -> Option<&'static str> {
    match row.state {
        "dead" => None,
        "skipped" if row.reason.as_deref() == Some(SkippedReason::Superseded.as_str()) => None,
        "held" => Some("it was never planned: mend its rule and `remap` it"),
        "waiting" | "in_flight" => Some("it waits already"),
        "delivered" => Some("it was delivered; `remap --again` maps and sends it once more"),
        _ => Some("only what is dead, or was skipped as superseded, can be replayed"),
    }
}

impl Desk {
    /// Has dead updates wait again, at the place they had, without what later events have set since.
    pub async fn replay(&self, asked: &ChangeAsked, by: &str) -> Result<Done, Refused> {
        let _turn = self.turn.lock().await;
        let meant = self.meant(asked, &DOABLE).await?;
        let mut told = meant.nothing;
        let (fit, unfits): (Vec<_>, Vec<_>) =
            meant.rows.into_iter().partition(|row| unfit(row).is_none());
        told.extend(unfits.iter().map(|row| Outcome::stays(row, unfit(row).unwrap_or_default())));
        let mut letters = self.store.letters(fit.iter().map(|row| row.id).collect()).await?;
        // In order of receipt, as they are going to wait.
        letters.sort_unstable_by_key(|letter| letter.row.id);
        for look in 1..=LOOKS {
            let (outcomes, again) = self.replay_once(letters, asked, by, look == LOOKS).await?;
            told.extend(outcomes);
            letters = again;
            if letters.is_empty() {
                break;
            }
        }
        Ok(Done::of(asked.dry_run, told, meant.next))
    }

    /// Replays once; gives those for whose contact something has come meanwhile.
    async fn replay_once(
        &self,
        letters: Vec<Letter>,
        asked: &ChangeAsked,
        by: &str,
        is_last: bool,
    ) -> Result<(Vec<Outcome>, Vec<Letter>), Refused> {
        let mut told = Vec::new();
        let (mut late, mut whose) = (Vec::new(), Vec::new());
        for letter in letters {
            if let Some(planned) = &letter.planned {
                late.push(Late { update: letter.row.id, planned: planned.clone() });
                whose.push(letter);
            } else {
                let note = "its plan cannot be read by this release: `remap` makes it anew";
                told.push(Outcome::stays(&letter.row, note));
            }
        }
        let (left, upto) = self.left_of(&late, asked.overwrite).await?;
        let mut outcomes = Vec::with_capacity(left.len());
        for ((late, left), letter) in late.iter().zip(&left).zip(&whose) {
            let (state, reason) = left.becomes();
            let mut outcome = Outcome {
                reason: reason.map(str::to_owned),
                left_out: left.left_out.clone(),
                ..Outcome::becomes(&letter.row, state)
            };
            if asked.dry_run
                && let Some(sent) = left.sent(&late.planned)
            {
                outcome.requests = requests(sent, &self.chatflow);
                outcome.differs =
                    differences(letter.part.as_ref().or(letter.planned.as_ref()), sent);
            }
            outcomes.push(outcome);
        }
        if asked.dry_run {
            told.extend(outcomes);
            return Ok((told, Vec::new()));
        }
        let changes = late
            .iter()
            .zip(left)
            .map(|(late, left)| Change::Replay { update: late.update, sends: left.sends });
        let made = self.store.change(changes.collect(), upto).await?;
        let mut again = Vec::new();
        for ((outcome, made), letter) in outcomes.into_iter().zip(made).zip(whose) {
            told.push(match made {
                Changed::Done => {
                    note_change("replay", &outcome, by);
                    outcome
                }
                Changed::StandsOtherwise => outcome.moved_on("it stands otherwise by now"),
                Changed::SomethingCame if is_last => {
                    outcome.moved_on("events come for its contact all the time: try again")
                }
                Changed::SomethingCame => {
                    again.push(letter);
                    continue;
                }
            });
        }
        Ok((told, again))
    }
}

/// One line in the log for each change.
pub(super) fn note_change(action: &'static str, outcome: &Outcome, by: &str) {
    tracing::info!(
        action,
        update = outcome.update,
        was = outcome.was,
        becomes = outcome.becomes,
        by,
        "an operator changed an update"
    );
}
