//! The refusals since an update was last taken, and whether they are a storm. Nothing here sends or records.

use std::collections::{HashSet, VecDeque};
use std::time::Duration;

use crate::event::UpdateId;
use crate::store::Lane;

/// It is a storm when so many of the last [`RECENT`] were refused with one and the same status,
const ENOUGH: usize = 20;
const RECENT: usize = 25;

/// and those are updates of so many contacts.
const CONTACTS: usize = 10;

/// What was refused longer ago is no part of a storm of now.
pub(super) const LASTS: Duration = Duration::from_hours(1);

/// As many refusals are remembered.
const REMEMBERED: usize = 1_000;

/// An update that was refused for good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) update: UpdateId,
    /// Whom it is for.
    pub(super) contact: Lane,
    pub(super) status: u16,
    /// By the clock's monotonic time.
    pub(super) at: Duration,
}

/// Refusals without an update between them that was taken; bounded.
#[derive(Debug, Default)]
pub(super) struct Recent(VecDeque<Refusal>);

impl Recent {
    /// One more; says whether it is a storm now.
    pub(super) fn refused(&mut self, refusal: Refusal) -> bool {
        while self.0.front().is_some_and(|first| {
            self.0.len() >= REMEMBERED || refusal.at.saturating_sub(first.at) > LASTS
        }) {
            self.0.pop_front();
        }
        self.0.push_back(refusal);
        let last = || self.0.iter().rev().take(RECENT);
        let alike = || last().filter(|other| other.status == refusal.status);
        alike().count() >= ENOUGH
            && alike().map(|other| other.contact).collect::<HashSet<_>>().len() >= CONTACTS
    }

    /// The status with which one more refusal, of another contact, would be a storm.
    pub(super) fn is_near(&self) -> Option<u16> {
        let status = self.0.back()?.status;
        let alike = self.0.iter().rev().take(RECENT - 1).filter(|other| other.status == status);
        let contacts: HashSet<_> = alike.clone().map(|other| other.contact).collect();
        (alike.count() + 1 >= ENOUGH && contacts.len() + 1 >= CONTACTS).then_some(status)
    }

    /// Those that were refused with this status.
    pub(super) fn of(&self, status: u16) -> Vec<UpdateId> {
        self.0.iter().filter(|one| one.status == status).map(|one| one.update).collect()
    }

    /// Takes out those that were refused with this status.
    pub(super) fn take(&mut self, status: u16) -> Vec<UpdateId> {
        let all = std::mem::take(&mut self.0);
        all.into_iter().filter(|one| one.status == status).map(|one| one.update).collect()
    }

    /// An update was taken, or a person has said to go on: what was refused was the updates' own fault.
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::EventId;
    use proptest::prelude::*;

    fn refusal(number: i64, contact: u64, status: u16, seconds: u64) -> Refusal {
        let update = UpdateId { event: EventId(number), place: 0 };
        let contact = Lane(i64::try_from(contact).unwrap());
        Refusal { update, contact, status, at: Duration::from_secs(seconds) }
    }

    /// Contact, status and second of the nth refusal.
    type Refused = fn(u64) -> (u64, u16, u64);

    #[test]
    fn it_is_a_storm_when_nearly_all_of_many_contacts_are_refused_with_one_status() {
        let each = |n: u64| (n % 100, 400, n);
        let of_nine_contacts = |n: u64| (n % 9, 400, n);
        let every_fifth_another = |n: u64| (n, if n.is_multiple_of(5) { 422 } else { 400 }, n);
        let every_third_another = |n: u64| (n, if n.is_multiple_of(3) { 422 } else { 400 }, n);
        let one_in_four_minutes = |n: u64| (n, 400, 240 * n);
        let cases: [(&str, Refused, Option<u64>); 5] = [
            ("each", each, Some(20)),
            ("of nine contacts", of_nine_contacts, None),
            ("every fifth with another status", every_fifth_another, Some(24)),
            ("every third with another status", every_third_another, None),
            ("one in four minutes", one_in_four_minutes, None),
        ];
        for (name, refused, storm) in cases {
            let mut recent = Recent::default();
            let found = (1..=200).find(|n| {
                let (contact, status, at) = refused(*n);
                recent.refused(refusal(0, contact, status, at))
            });
            assert_eq!(found, storm, "{name}");
        }
    }

    #[test]
    fn an_update_that_was_taken_ends_what_was_before() {
        let mut recent = Recent::default();
        for n in 0..19 {
            assert!(!recent.refused(refusal(0, n, 400, 0)));
        }

        recent.clear();

        assert!((0..19).all(|n| !recent.refused(refusal(0, n, 400, 0))));
        assert!(recent.refused(refusal(0, 19, 400, 0)));
    }

    #[test]
    fn a_storm_is_near_where_one_more_would_make_it_one() {
        for (count, contacts, near) in
            [(18, 18, None), (19, 19, Some(400)), (19, 9, Some(400)), (19, 8, None)]
        {
            let mut recent = Recent::default();
            for n in 0..count {
                recent.refused(refusal(0, n % contacts, 400, 0));
            }
            assert_eq!(recent.is_near(), near, "{count} of {contacts} contacts");
            let storm = recent.refused(refusal(0, 99, 400, 0));
            assert_eq!(storm, near.is_some(), "{count} of {contacts} contacts");
        }
    }

    #[test]
    fn those_of_the_storm_are_taken_out_with_what_came_before_it() {
        let mut recent = Recent::default();
        for n in 0..40 {
            recent.refused(refusal(n, 0, if n == 7 { 422 } else { 400 }, 0));
        }

        let taken: Vec<_> = recent.take(400).into_iter().map(|update| update.event.0).collect();

        assert_eq!(taken, (0..40).filter(|n| *n != 7).collect::<Vec<_>>());
        assert_eq!(recent.take(400), []);
    }

    proptest! {
        #[test]
        fn it_is_never_a_storm_with_fewer_refusals_or_contacts_than_it_takes(
            refusals in proptest::collection::vec((0_u64..12, 0_u16..3), 0..120),
        ) {
            let mut recent = Recent::default();
            for (n, (contact, status)) in refusals.iter().enumerate() {
                let storm = recent.refused(refusal(0, *contact, *status, 0));
                let last = refusals.get(n.saturating_sub(24)..=n).unwrap_or_default();
                let alike: Vec<_> = last.iter().filter(|other| other.1 == *status).collect();
                let contacts: HashSet<_> = alike.iter().map(|other| other.0).collect();
                prop_assert_eq!(storm, alike.len() >= 20 && contacts.len() >= 10);
            }
        }
    }
}
