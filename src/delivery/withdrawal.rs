//! Withdrawal first: consent that is taken back is not held up by another field that the API refuses.

use std::time::Duration;

use super::attempt::Attempts;
use super::ended::Ended;
use super::outbound::Unanswered;
use super::outcome::{Found, Operation, Outcome};
use crate::contact::{ContactId, ContactUpdate, DeadReason};
use crate::store::{Claim, End};

/// The withdrawal of an update that says more; nothing where it takes nothing back, or says nothing else.
fn alone(update: &ContactUpdate) -> Option<ContactUpdate> {
    let alone = ContactUpdate {
        optin: update.optin.filter(|optin| !optin),
        incoming_blocked: update.incoming_blocked.filter(|blocked| *blocked),
        ..ContactUpdate::default()
    };
    (!alone.is_empty() && alone != *update).then_some(alone)
}

impl Attempts {
    /// Where an update was refused for good, sends the withdrawal in it alone. The update stays refused, so that a
    /// person sees to the rest; it is tried again where one cannot tell what became of the withdrawal.
    pub(super) async fn withdraw(
        &self,
        part: &[Claim],
        id: &ContactId,
        latest: Duration,
        mut ended: Ended,
    ) -> Ended {
        // Of several in one request the one that is refused is yet to be found.
        let ([claim], [End::Dead(DeadReason::Refused | DeadReason::Forbidden, trouble)]) =
            (part, &mut *ended.ends)
        else {
            return ended;
        };
        let Some(alone) = alone(&claim.planned.update) else { return ended };
        let failure = match self.update(id, &alone, latest).await {
            Ok(()) => {
                trouble
                    .words
                    .push_str("; the withdrawal of consent in it was sent alone and taken");
                return ended;
            }
            Err(Unanswered::NotSent) => return Ended::not_sent(part),
            Err(Unanswered::Failed(failure)) => failure,
        };
        match self.judge(part, Operation::Update, Found::LookedUp, &failure).await {
            None => Ended::not_sent(part),
            Some(Outcome::Dead(_) | Outcome::Missing | Outcome::LookAgain) => {
                trouble
                    .words
                    .push_str("; the withdrawal of consent in it was sent alone and refused too");
                ended
            }
            Some(outcome) => self.follow(part, Operation::Update, outcome, &failure),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_takes_consent_back_goes_alone() {
        let (yes, no) = (Some(true), Some(false));
        let update = |optin, incoming_blocked, name: Option<&str>| ContactUpdate {
            name: name.map(str::to_owned),
            optin,
            incoming_blocked,
            ..ContactUpdate::default()
        };
        for (whole, expected) in [
            (update(no, None, Some("Ann")), Some(update(no, None, None))),
            (update(no, yes, Some("Ann")), Some(update(no, yes, None))),
            (update(None, yes, Some("Ann")), Some(update(None, yes, None))),
            (update(yes, yes, None), Some(update(None, yes, None))),
            (update(no, no, None), Some(update(no, None, None))),
            (update(no, None, None), None),
            (update(yes, no, Some("Ann")), None),
            (update(None, None, Some("Ann")), None),
            (ContactUpdate::default(), None),
        ] {
            assert_eq!(alone(&whole), expected, "{whole:?}");
        }
    }
}
