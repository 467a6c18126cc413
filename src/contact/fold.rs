//! Several updates of one contact as one: what may be sent in a single request, and what may not.
//!
//! # Promises
//!
//! - The law: for every contact `c`, applying what [`fold`] made of `a` and `b` to `c` leaves what applying `a` and
//!   then `b` does.
//! - What somebody may listen to is never folded away: a change of consent, a tag that comes and goes.

use super::{AttributeChange, ContactUpdate, PlannedUpdate, TagChange, Who};

/// The most updates that one request carries.
pub const MOST_FOLDED: u32 = 100;

/// One update that does what `earlier` and then `later` do; nothing where the two have to stay apart: a change of
/// consent, a new mobile number, a tag that is added and removed, tags replaced after they were changed.
pub fn fold(earlier: &ContactUpdate, later: &ContactUpdate) -> Option<ContactUpdate> {
    let consent = earlier.is_withdrawal()
        || later.is_withdrawal()
        || changes(earlier.optin, later.optin)
        || changes(earlier.incoming_blocked, later.incoming_blocked);
    let rekeys = later.mobile.is_some() && later.mobile != earlier.mobile;
    if consent || rekeys {
        return None;
    }
    let mut attributes = earlier.attributes.clone();
    attributes.extend(later.attributes.iter().map(|(name, change)| (name.clone(), change.clone())));
    Some(ContactUpdate {
        name: later.name.clone().or_else(|| earlier.name.clone()),
        mobile: earlier.mobile.clone(),
        optin: earlier.optin,
        incoming_blocked: earlier.incoming_blocked,
        tags: fold_tags(&earlier.tags, &later.tags)?,
        attributes,
    })
}

fn changes(earlier: Option<bool>, later: Option<bool>) -> bool {
    later.is_some() && earlier != later
}

fn fold_tags(earlier: &TagChange, later: &TagChange) -> Option<TagChange> {
    if let Some(tags) = &later.replace {
        let replaces_nothing = earlier.is_empty() || earlier.replace.as_ref() == Some(tags);
        return replaces_nothing.then(|| later.clone());
    }
    let any = |some: &[String], of: &[String]| some.iter().any(|tag| of.contains(tag));
    let there = earlier.replace.as_deref().unwrap_or(&earlier.add);
    if any(&later.remove, there) || any(&later.add, &earlier.remove) {
        return None;
    }
    let both =
        |earlier: &[String], later: &[String]| earlier.iter().chain(later).cloned().collect();
    let add = both(&earlier.add, &later.add);
    let remove = both(&earlier.remove, &later.remove);
    Some(TagChange::of(earlier.replace.clone(), add, remove))
}

impl PlannedUpdate {
    /// The keys by which the contact is known afterwards and was not named by: a new mobile number, another value of
    /// the attribute by which it is found, or by which other rules find contacts.
    pub fn new_keys(&self) -> impl Iterator<Item = Who> + '_ {
        let who = &self.target.who;
        let mobile = self.update.mobile.iter().map(|mobile| Who::Mobile(mobile.clone()));
        let values = self.changed_keys().filter_map(|(name, new)| match new {
            AttributeChange::Set(value) => {
                Some(Who::Attribute { name: name.clone(), value: value.clone() })
            }
            AttributeChange::Remove => None,
        });
        mobile.chain(values).filter(move |key| key != who)
    }

    /// Whether the contact is not known by the same keys afterwards.
    pub fn is_rekeying(&self) -> bool {
        let loses_a_key = self.changed_keys().any(|(_, new)| *new == AttributeChange::Remove);
        loses_a_key || self.new_keys().next().is_some()
    }

    /// The changes to attributes by which contacts are found.
    fn changed_keys(&self) -> impl Iterator<Item = (&String, &AttributeChange)> {
        let own = match &self.target.who {
            Who::Attribute { name, .. } => Some(name),
            Who::Id(_) | Who::Mobile(_) => None,
        };
        let names = own.into_iter().chain(&self.keys);
        names.filter_map(|name| self.update.attributes.get_key_value(name))
    }
}

/// Updates on their way into one request.
#[derive(Debug, Clone)]
pub struct Fold {
    planned: PlannedUpdate,
    count: u32,
    /// Nothing more joins: it goes alone.
    alone: bool,
}

impl Fold {
    /// Begins with the first.
    pub fn of(first: &PlannedUpdate) -> Self {
        Self { planned: first.clone(), count: 1, alone: first.is_rekeying() }
    }

    /// Takes the next one in, unless it has to go in a request of its own.
    pub fn take(&mut self, next: &PlannedUpdate) -> bool {
        if self.alone
            || self.count >= MOST_FOLDED
            || next.target != self.planned.target
            || next.is_rekeying()
        {
            return false;
        }
        let Some(update) = fold(&self.planned.update, &next.update) else { return false };
        self.planned.update = update;
        self.count += 1;
        true
    }

    /// All of them as one.
    pub fn into_planned(self) -> PlannedUpdate {
        self.planned
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::collection::vec;
    use proptest::prelude::*;
    use proptest::sample::{select, subsequence};

    use super::*;
    use crate::contact::model::Model;
    use crate::contact::{ContactId, Mobile, OnMissing, Target};

    const TAGS: [&str; 4] = ["lead", "gold", "Gold", "vip"];

    fn some_tags() -> impl Strategy<Value = Vec<String>> {
        subsequence(TAGS.to_vec(), 0..=3)
            .prop_map(|tags| tags.into_iter().map(str::to_owned).collect())
    }

    fn some_attributes() -> impl Strategy<Value = BTreeMap<String, String>> {
        proptest::collection::btree_map(select(vec!["city", "City", "plan"]), "[a-c]", 0..3)
            .prop_map(|map| map.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
    }

    prop_compose! {
        fn any_contact()(
            name in "[A-C]", mobile in select(vec!["12025550143", "12025550144"]),
            optin: bool, blocked: bool, tags in some_tags(), attributes in some_attributes(),
        ) -> Model {
            Model {
                name: Some(name),
                mobile: Some(mobile.to_owned()),
                optin: Some(optin),
                incoming_blocked: Some(blocked),
                tags: tags.into_iter().collect(),
                attributes,
            }
        }
    }

    prop_compose! {
        fn any_update()(
            name in proptest::option::of("[A-C]"),
            mobile in proptest::option::weighted(0.1, select(vec!["12025550143", "12025550144"])),
            optin in proptest::option::weighted(0.3, any::<bool>()),
            incoming_blocked in proptest::option::weighted(0.2, any::<bool>()),
            replace in proptest::option::weighted(0.2, some_tags()),
            add in some_tags(), remove in some_tags(),
            set in some_attributes(), removed in some_attributes(),
        ) -> ContactUpdate {
            let set = set.into_iter().map(|(name, value)| (name, AttributeChange::Set(value)));
            let removed = removed.into_keys().map(|name| (name, AttributeChange::Remove));
            ContactUpdate {
                name,
                mobile: mobile.map(|mobile| Mobile::try_from(mobile.to_owned()).unwrap()),
                optin,
                incoming_blocked,
                tags: TagChange::of(replace, add, remove),
                attributes: set.chain(removed).collect(),
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        #[test]
        fn two_folded_leave_what_one_after_the_other_does(
            contact in any_contact(), earlier in any_update(), later in any_update(),
        ) {
            if let Some(folded) = fold(&earlier, &later) {
                let apart = contact.clone().after(&earlier).after(&later);
                prop_assert_eq!(contact.after(&folded), apart);
            }
        }

        #[test]
        fn a_row_folded_as_far_as_it_goes_leaves_what_its_updates_do_in_order(
            contact in any_contact(), row in vec(any_update(), 1..8),
        ) {
            let planned = |update: &ContactUpdate| {
                PlannedUpdate::new(target("65f0c0ffee0123456789abcd"), update.clone())
            };
            let mut folded = Fold::of(&planned(&row[0]));
            let taken = 1 + row[1..].iter().take_while(|next| folded.take(&planned(next))).count();
            let apart = row[..taken].iter().fold(contact.clone(), Model::after);
            prop_assert_eq!(contact.after(&folded.into_planned().update), apart);
        }
    }

    fn target(id: &str) -> Target {
        let id = ContactId::try_from(id.to_owned()).unwrap();
        Target { who: Who::Id(id), on_missing: OnMissing::Dead }
    }

    fn update(json: serde_json::Value) -> ContactUpdate {
        serde_json::from_value(json).unwrap()
    }

    #[test]
    fn what_may_be_folded_and_what_stays_apart() {
        use serde_json::json;
        for (earlier, later, folded) in [
            (json!({"name": "A"}), json!({"name": "B"}), Some(json!({"name": "B"}))),
            (
                json!({"attributes": {"city": {"set": "Pune"}}}),
                json!({"attributes": {"city": "remove", "plan": {"set": "x"}}}),
                Some(json!({"attributes": {"city": "remove", "plan": {"set": "x"}}})),
            ),
            (
                json!({"tags": {"add": ["a"]}}),
                json!({"tags": {"add": ["a", "b"], "remove": ["c"]}}),
                Some(json!({"tags": {"add": ["a", "b"], "remove": ["c"]}})),
            ),
            (
                json!({"tags": {"replace": ["a"]}}),
                json!({"tags": {"add": ["b"]}}),
                Some(json!({"tags": {"replace": ["a", "b"]}})),
            ),
            (
                json!({"optin": true}),
                json!({"name": "A"}),
                Some(json!({"optin": true, "name": "A"})),
            ),
            (json!({"optin": true}), json!({"optin": true}), Some(json!({"optin": true}))),
            (json!({"name": "A"}), json!({"optin": true}), None),
            (json!({"optin": true}), json!({"optin": false}), None),
            (json!({"optin": false}), json!({"optin": false}), None),
            (json!({"optin": false}), json!({"name": "A"}), None),
            (json!({}), json!({"incoming_blocked": false}), None),
            (json!({}), json!({"incoming_blocked": true}), None),
            (json!({"tags": {"add": ["a"]}}), json!({"tags": {"remove": ["a"]}}), None),
            (json!({"tags": {"remove": ["a"]}}), json!({"tags": {"add": ["a"]}}), None),
            (json!({"tags": {"add": ["a"]}}), json!({"tags": {"replace": ["a"]}}), None),
            (json!({"tags": {"replace": ["a"]}}), json!({"tags": {"remove": ["a"]}}), None),
            (json!({"tags": {"replace": ["a"]}}), json!({"tags": {"replace": ["b"]}}), None),
            (json!({"name": "A"}), json!({"mobile": "12025550143"}), None),
        ] {
            let expected = folded.map(update);
            assert_eq!(
                fold(&update(earlier.clone()), &update(later.clone())),
                expected,
                "{earlier} {later}"
            );
        }
    }

    #[test]
    fn only_updates_for_the_same_target_are_folded() {
        let planned = |id, on_missing| {
            let target = Target { on_missing, ..target(id) };
            PlannedUpdate::new(target, update(serde_json::json!({"name": "A"})))
        };
        let (one, other) = ("65f0c0ffee0123456789abcd", "65f0c0ffee0123456789abce");
        let mut fold = Fold::of(&planned(one, OnMissing::Dead));

        assert!(!fold.take(&planned(other, OnMissing::Dead)));
        assert!(!fold.take(&planned(one, OnMissing::Skip)));
        assert!(fold.take(&planned(one, OnMissing::Dead)));
    }

    #[test]
    fn an_update_that_changes_the_key_goes_alone() {
        use serde_json::json;
        let email = json!({"attribute": {"name": "email", "value": "a@example.com"}});
        for (who, change, rekeys) in [
            (json!({"mobile": "12025550143"}), json!({"mobile": "12025550143"}), false),
            (json!({"mobile": "12025550143"}), json!({"mobile": "12025550144"}), true),
            (json!({"id": "65f0c0ffee0123456789abcd"}), json!({"mobile": "12025550144"}), true),
            (email.clone(), json!({"attributes": {"email": {"set": "a@example.com"}}}), false),
            (email.clone(), json!({"attributes": {"email": {"set": "b@example.com"}}}), true),
            (email.clone(), json!({"attributes": {"email": "remove"}}), true),
            (email.clone(), json!({"attributes": {"plan": "remove"}}), false),
            // Other rules find contacts by it.
            (email.clone(), json!({"attributes": {"city": "remove"}}), true),
            (email, json!({"attributes": {"city": {"set": "Pune"}}}), true),
        ] {
            let target =
                Target { who: serde_json::from_value(who).unwrap(), on_missing: OnMissing::Dead };
            let mut rekeying = PlannedUpdate::new(target.clone(), update(change.clone()));
            let other = PlannedUpdate::new(target, update(json!({"name": "A"})));
            rekeying.note_keys(&["city".to_owned()].into());

            assert_eq!(rekeying.is_rekeying(), rekeys, "{change}");
            assert_eq!(Fold::of(&rekeying).take(&other), !rekeys, "{change}");
            assert_eq!(Fold::of(&other).take(&rekeying), !rekeys && change.get("mobile").is_none());
        }
    }

    #[test]
    fn no_request_carries_more_than_a_hundred() {
        let target = target("65f0c0ffee0123456789abcd");
        let planned = PlannedUpdate::new(target, update(serde_json::json!({"name": "A"})));
        let mut fold = Fold::of(&planned);

        assert_eq!((0..200).filter(|_| fold.take(&planned)).count(), 99);
    }
}
