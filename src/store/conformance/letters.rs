//! What operators may ask.

use super::{
    Backend, Duration, EventId, NewState, NewUpdate, SECOND, again, assert_balance, claim_one,
    event, lends_nothing, name, record, source, store, trouble, update,
};
use crate::contact::{
    ContactUpdate, DeadReason, Field, HeldReason, PlannedUpdate, SkippedReason, Who,
};
use crate::event::UpdateId;
use crate::store::letters::{Change, Changed, Letters, Remapped, Search, Sends};
use crate::store::{End, Page, Store, UpdateRow};

fn first_of(event: EventId) -> UpdateId {
    UpdateId { event, place: 0 }
}

fn planned(update: &NewUpdate) -> PlannedUpdate {
    match &update.state {
        NewState::Waiting(planned) => (**planned).clone(),
        NewState::Held { .. } | NewState::Skipped(_) => panic!("{update:?}"),
    }
}

fn who(contact: u16) -> Who {
    planned(&update(contact, "")).target.who
}

/// An update of a contact that sets what `change` says.
fn setting(contact: u16, change: impl FnOnce(&mut ContactUpdate)) -> NewUpdate {
    let mut planned = planned(&update(contact, "x"));
    planned.update = ContactUpdate::default();
    change(&mut planned.update);
    NewUpdate { state: NewState::Waiting(Box::new(planned)), ..update(contact, "x") }
}

fn held(rule: &str) -> NewUpdate {
    let state = NewState::Held { reason: HeldReason::Phone, detail: "no number".to_owned() };
    NewUpdate { rule: rule.into(), item: 0, state }
}

async fn end_one(of: &impl Store, end: End) -> UpdateId {
    let claim = claim_one(of).await;
    record(of, claim.lent, end).await;
    claim.lent.update
}

async fn dies(of: &impl Store) -> UpdateId {
    end_one(of, End::Dead(DeadReason::Refused, trouble())).await
}

async fn change(of: &impl Letters, change: Change, upto: EventId) -> Changed {
    of.change(vec![change], upto).await.unwrap().remove(0)
}

async fn replay(of: &impl Letters, update: UpdateId, sends: Sends) -> Changed {
    change(of, Change::Replay { update, sends }, EventId(i64::MAX >> 16)).await
}

async fn all(of: &impl Letters, wanted: Search) -> Vec<UpdateRow> {
    let (mut rows, mut before) = (Vec::new(), None);
    loop {
        let found = of.find(&wanted, Page { most: 2, before }).await.unwrap();
        rows.extend(found.rows);
        before = found.next;
        if before.is_none() {
            return rows;
        }
    }
}

async fn state(of: &impl Letters, id: UpdateId) -> (&'static str, Option<String>) {
    let letter = of.letters(vec![id]).await.unwrap().remove(0);
    (letter.row.state, letter.row.reason)
}

pub(crate) async fn a_replayed_update_waits_before_all_that_came_later(backend: impl Backend) {
    let bridge = &**backend.store();
    store(bridge, vec![event(vec![update(1, "first")])]).await;
    let dead = dies(bridge).await;
    store(bridge, vec![event(vec![update(1, "second")]), event(vec![update(1, "third")])]).await;
    let second = claim_one(bridge).await;

    assert_eq!(replay(bridge, dead, Sends::Whole).await, Changed::Done);

    // The lane is busy: it waits, and it is the next.
    lends_nothing(bridge).await;
    record(bridge, second.lent, End::Delivered).await;
    let claim = claim_one(bridge).await;
    assert_eq!((name(&claim), claim.attempt, claim.failing_for), ("first", 1, None));
    record(bridge, claim.lent, End::Delivered).await;
    assert_eq!(name(&claim_one(bridge).await), "third");
    assert_balance(&bridge.numbers().await.unwrap());
}

pub(crate) async fn a_replayed_update_of_a_lane_that_is_free_is_due_at_once(backend: impl Backend) {
    let bridge = &**backend.store();
    store(bridge, vec![event(vec![update(1, "first")])]).await;
    let dead = dies(bridge).await;

    assert_eq!(replay(bridge, dead, Sends::Whole).await, Changed::Done);
    store(bridge, vec![event(vec![update(1, "second")])]).await;

    let backend = backend.reopened().await;
    let bridge = &**backend.store();
    assert_eq!(name(&claim_one(bridge).await), "first");
    lends_nothing(bridge).await;
    assert_eq!(replay(bridge, dead, Sends::Whole).await, Changed::StandsOtherwise);
    let numbers = bridge.numbers().await.unwrap();
    assert_eq!((numbers.dead, numbers.in_flight), (0, 1));
    assert_balance(&numbers);
}

pub(crate) async fn what_is_left_out_is_not_sent_and_the_plan_stays(backend: impl Backend) {
    let bridge = &**backend.store();
    store(bridge, vec![event(vec![update(1, "whole")])]).await;
    let dead = dies(bridge).await;
    let whole = planned(&update(1, "whole"));
    let part = planned(&setting(1, |change| change.optin = Some(false)));

    replay(bridge, dead, Sends::Part(Box::new(part.clone()))).await;
    let letter = bridge.letters(vec![dead]).await.unwrap().remove(0);
    assert_eq!((letter.planned, letter.part), (Some(whole.clone()), Some(part.clone())));
    let claim = claim_one(bridge).await;
    assert_eq!(claim.planned, part);

    record(bridge, claim.lent, End::Dead(DeadReason::Refused, trouble())).await;
    replay(bridge, dead, Sends::Whole).await;
    assert_eq!(claim_one(bridge).await.planned, whole);
    assert_eq!(bridge.letters(vec![dead]).await.unwrap()[0].part, None);
}

pub(crate) async fn of_which_nothing_is_left_it_is_skipped_and_can_come_back(
    backend: impl Backend,
) {
    let bridge = &**backend.store();
    store(bridge, vec![event(vec![update(1, "old")])]).await;
    let dead = dies(bridge).await;

    assert_eq!(replay(bridge, dead, Sends::Nothing).await, Changed::Done);
    let superseded = Some(SkippedReason::Superseded.to_string());
    assert_eq!(state(bridge, dead).await, ("skipped", superseded));
    lends_nothing(bridge).await;
    assert_balance(&bridge.numbers().await.unwrap());

    assert_eq!(replay(bridge, dead, Sends::Whole).await, Changed::Done);
    assert_eq!(name(&claim_one(bridge).await), "old");
    assert_balance(&bridge.numbers().await.unwrap());
}

pub(crate) async fn only_what_is_dead_is_replayed_and_only_what_waits_for_somebody_discarded(
    backend: impl Backend,
) {
    let bridge = &**backend.store();
    let updates = vec![update(1, "waits"), held("other"), update(2, "delivered")];
    let event = store(bridge, vec![event(updates)]).await[0];
    let [waits, held, delivered] = [0, 1, 2].map(|place| UpdateId { event, place });
    end_one(bridge, again(SECOND)).await;
    end_one(bridge, End::Delivered).await;

    for id in [waits, held, delivered, first_of(EventId(99))] {
        assert_eq!(replay(bridge, id, Sends::Whole).await, Changed::StandsOtherwise, "{id}");
    }
    for (id, changed) in [
        (waits, Changed::StandsOtherwise),
        (held, Changed::Done),
        (held, Changed::StandsOtherwise),
        (delivered, Changed::StandsOtherwise),
    ] {
        assert_eq!(change(bridge, Change::Discard(id), event).await, changed, "{id}");
    }
    assert_eq!(state(bridge, held).await, ("discarded", Some("phone".to_owned())));
    let numbers = bridge.numbers().await.unwrap();
    assert_eq!((numbers.held, numbers.discarded), (0, 1));
    assert_balance(&numbers);
}

pub(crate) async fn what_came_for_the_contact_meanwhile_stops_a_replay(backend: impl Backend) {
    let bridge = &**backend.store();
    let old = store(bridge, vec![event(vec![update(1, "a")]), event(vec![update(2, "b")])]).await;
    let (a, b) = (first_of(old[0]), first_of(old[1]));
    dies(bridge).await;
    dies(bridge).await;
    let later = bridge.later(vec![(a, who(1)), (b, who(2))]).await.unwrap();
    assert_eq!(later.upto, old[1]);
    store(bridge, vec![event(vec![update(1, "c")])]).await;

    let again = |update| Change::Replay { update, sends: Sends::Whole };
    let changed = bridge.change(vec![again(a), again(b)], later.upto).await.unwrap();

    assert_eq!(changed, [Changed::SomethingCame, Changed::Done]);
    assert_eq!(state(bridge, a).await.0, "dead");
    assert_balance(&bridge.numbers().await.unwrap());
}

pub(crate) async fn later_is_what_was_delivered_or_waits_and_for_consent_whatever_was_planned(
    backend: impl Backend,
) {
    let bridge = &**backend.store();
    let everything = |contact| {
        setting(contact, |change| {
            change.name = Some("old".to_owned());
            change.optin = Some(true);
            change.mobile = Some("12025550143".to_owned().try_into().unwrap());
        })
    };
    for _ in 0..2 {
        store(bridge, vec![event(vec![everything(1)]), event(vec![everything(2)])]).await;
    }
    let mut dead = Vec::new();
    for _ in 0..4 {
        dead.push(dies(bridge).await);
    }
    dead.sort_unstable();
    store(bridge, vec![event(vec![update(1, "delivered")])]).await;
    end_one(bridge, End::Delivered).await;
    let withdraws = setting(2, |change| {
        change.optin = Some(false);
        change.name = Some("refused".to_owned());
    });
    store(bridge, vec![event(vec![withdraws])]).await;
    dies(bridge).await;
    store(
        bridge,
        vec![event(vec![setting(1, |change| {
            change.mobile = Some("12025550144".to_owned().try_into().unwrap());
        })])],
    )
    .await;

    let asked = dead.iter().zip([1, 2, 1, 2]).map(|(id, contact)| (*id, who(contact)));
    let later = bridge.later(asked.collect()).await.unwrap();

    let out: Vec<_> =
        later.since.iter().map(|since| since.left_of(&planned(&everything(1)).update).1).collect();
    let of_the_first = vec![Field::Name, Field::Mobile];
    let of_the_other = vec![Field::Optin];
    assert_eq!(out, [of_the_first.clone(), of_the_other.clone(), of_the_first, of_the_other]);
}

pub(crate) async fn an_event_is_mapped_again_in_part_and_what_was_delivered_stays(
    backend: impl Backend,
) {
    let bridge = &**backend.store();
    let rule = |rule: &str, update: NewUpdate| NewUpdate { rule: rule.into(), ..update };
    let first = vec![
        rule("gone", held("gone")),
        rule("sent", update(1, "sent")),
        rule("mended", held("mended")),
    ];
    let event = store(bridge, vec![event(first)]).await[0];
    end_one(bridge, End::Delivered).await;
    let at = |place| UpdateId { event, place };
    let whole = |update| Remapped { update, sends: Sends::Whole };
    let part = planned(&setting(3, |change| change.optin = Some(false)));
    let updates = vec![
        whole(rule("sent", update(9, "not again"))),
        whole(rule("mended", update(2, "mended"))),
        Remapped {
            update: rule("new", update(3, "new")),
            sends: Sends::Part(Box::new(part.clone())),
        },
        Remapped { update: rule("late", update(4, "late")), sends: Sends::Nothing },
    ];

    let remap = Change::Remap { event, gone: vec![at(2)], updates };
    assert_eq!(change(bridge, remap.clone(), event).await, Changed::Done);

    let stored = bridge.event(event).await.unwrap().unwrap();
    let shown: Vec<_> = stored.updates.iter().map(|row| (&*row.rule, row.state)).collect();
    let wanted = [
        ("gone", "held"),
        ("sent", "delivered"),
        ("mended", "waiting"),
        ("new", "waiting"),
        ("late", "skipped"),
    ];
    assert_eq!((shown.as_slice(), stored.event.updates), (wanted.as_slice(), 5));
    let letters = bridge.letters(vec![at(3), at(4)]).await.unwrap();
    assert_eq!(letters[0].part, Some(part));
    assert_eq!(letters[1].planned, Some(planned(&update(4, "late"))));
    assert_balance(&bridge.numbers().await.unwrap());
    // It waits by now.
    assert_eq!(change(bridge, remap, event).await, Changed::StandsOtherwise);
}

pub(crate) async fn updates_are_found_by_all_that_is_said_of_them(backend: impl Backend) {
    let bridge = &**backend.store();
    let rule = |rule: &str, update: NewUpdate| NewUpdate { rule: rule.into(), ..update };
    let mut shop = event(vec![rule("order", update(1, "x")), rule("order", held("order"))]);
    shop.source = source("shop");
    let old = store(bridge, vec![event(vec![update(1, "a"), held("lead")])]).await[0];
    end_one(bridge, End::Delivered).await;
    backend.clock().advance(Duration::from_hours(10));
    let young = store(bridge, vec![shop, event(vec![rule("lead", update(2, "b"))])]).await[0];
    dies(bridge).await;
    dies(bridge).await;

    let states = |words: &[&str]| words.iter().map(|&word| word.to_owned()).collect();
    let any = Search::default;
    for (wanted, found) in [
        (any(), 5),
        (Search { states: states(&["dead"]), ..any() }, 2),
        (Search { states: states(&["dead", "held"]), ..any() }, 4),
        (Search { states: states(&["delivered", "waiting"]), ..any() }, 1),
        (Search { states: states(&["waiting"]), ..any() }, 0),
        (Search { source: Some(source("shop")), ..any() }, 2),
        (Search { source: Some(source("other")), ..any() }, 0),
        (Search { rule: Some("order".to_owned()), ..any() }, 2),
        (Search { reason: Some("phone".to_owned()), ..any() }, 2),
        (Search { status: Some(503), ..any() }, 2),
        (Search { status: Some(400), ..any() }, 0),
        (Search { event: Some(old), ..any() }, 2),
        (Search { event: Some(young), states: states(&["dead"]), ..any() }, 1),
        (Search { contact: Some(who(1)), ..any() }, 2),
        (Search { contact: Some(who(1)), states: states(&["dead"]), ..any() }, 1),
        (Search { within: Some(Duration::from_hours(1)), ..any() }, 3),
        (Search { within: Some(SECOND), states: states(&["held", "dead"]), ..any() }, 3),
    ] {
        let rows = all(bridge, wanted.clone()).await;
        assert_eq!(rows.len(), found, "{wanted:?}: {rows:?}");
    }
}

pub(crate) async fn a_pause_of_an_operator_is_there_after_a_restart(backend: impl Backend) {
    let bridge = backend.store();
    assert_eq!(bridge.halted().await.unwrap(), None);
    bridge.halt(true).await.unwrap();
    let since = bridge.halted().await.unwrap();
    backend.clock().advance(SECOND);
    bridge.halt(true).await.unwrap();

    let backend = backend.reopened().await;
    let bridge = backend.store();
    assert_eq!(bridge.halted().await.unwrap(), since);
    assert!(since.is_some());
    bridge.halt(false).await.unwrap();
    assert_eq!(bridge.halted().await.unwrap(), None);
}

pub(crate) async fn an_audit_counts_the_rows_and_finds_them_as_they_were_counted(
    backend: impl Backend,
) {
    let bridge = &**backend.store();
    store(bridge, vec![event(vec![update(1, "a"), held("lead")]), event(vec![])]).await;
    store(bridge, vec![event(vec![update(1, "b")])]).await;
    dies(bridge).await;

    let balances = bridge.audit().await.unwrap();

    assert!(balances.iter().all(|balance| balance.off() == 0), "{balances:?}");
    let counted = |what| balances.iter().find(|balance| balance.what == what).unwrap().counted;
    let counts = ["received", "taken", "ignored", "planned", "open", "held", "dead"].map(counted);
    assert_eq!(counts, [3, 2, 1, 3, 1, 1, 1]);
}
