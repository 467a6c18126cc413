//! What events have set, for sources that guard against older ones.

use super::*;
use crate::contact::{ContactId, Field, Mark};
use crate::event::UpdateId;
use crate::store::Marked;
use crate::store::letters::{Change, Changed};
use crate::store::settings::Retention;
use crate::units::Span;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn mark(field: Field, is_there: bool, second: i64) -> Mark {
    Mark { field, is_there, at: at(second) }
}

/// An update of an event that happened at this second, lent.
async fn happened(store: &impl Store, from: &str, contact: u16, second: i64) -> Lent {
    let event = NewEvent {
        source: source(from),
        occurred_at: Some(at(second)),
        ..event(vec![update(contact, "a")])
    };
    super::store(store, vec![event]).await;
    claim_one(store).await.lent
}

/// Its delivery leaves these marks.
async fn marks(store: &impl Store, lent: Lent, marks: Vec<Mark>) {
    record(store, lent, End::Marking(marks)).await;
}

pub(crate) async fn of_each_field_the_newest_mark_is_kept_over_a_restart(backend: impl Backend) {
    let store = &**backend.store();
    let lead = || Field::Tag("lead".to_owned());
    let newer = happened(store, "crm", 1, 20).await;
    marks(store, newer, vec![mark(Field::Name, true, 20), mark(lead(), false, 20)]).await;
    let older = happened(store, "crm", 1, 10).await;

    let later =
        vec![mark(Field::Name, true, 10), mark(Field::Optin, true, 10), mark(lead(), true, 10)];
    marks(store, older, later).await;

    let backend = backend.reopened().await;
    let Marked { occurred_at, mut marks } = backend.store().marked(older.update).await.unwrap();
    marks.sort_by_key(|mark| mark.field.to_string());
    assert_eq!(occurred_at, Some(at(10)));
    assert_eq!(
        marks,
        [mark(Field::Name, true, 20), mark(Field::Optin, true, 10), mark(lead(), false, 20)]
    );
    assert_eq!(backend.store().numbers().await.unwrap().delivered, 2);
}

pub(crate) async fn marks_are_those_of_one_contact_and_one_source(backend: impl Backend) {
    let store = &**backend.store();
    let ann = happened(store, "crm", 1, 20).await;
    marks(store, ann, vec![mark(Field::Name, true, 20)]).await;
    let others = [happened(store, "crm", 2, 20).await, happened(store, "shop", 1, 20).await];

    assert_eq!(store.marked(ann.update).await.unwrap().marks.len(), 1);
    for other in others {
        assert_eq!(store.marked(other.update).await.unwrap().marks, []);
    }
    let nobody = UpdateId { event: EventId(9_999), place: 0 };
    assert_eq!(store.marked(nobody).await.unwrap(), Marked::default());
}

pub(crate) async fn who_is_no_longer_lent_leaves_no_marks(backend: impl Backend) {
    let store = &**backend.store();
    let lent = happened(store, "crm", 1, 20).await;
    record(store, lent, End::Delivered).await;

    let late = vec![(lent, End::Marking(vec![mark(Field::Name, true, 20)]))];
    assert!(!store.record(late, AfterDead::Continue).await.unwrap());

    assert_eq!(store.marked(lent.update).await.unwrap().marks, []);
}

pub(crate) async fn a_mark_is_kept_for_a_month<B: Backend>(_: B) {
    let year = Span(Duration::from_hours(365 * 24));
    let retention = Retention { delivered: year, ..Retention::default() };
    let backend = B::with(StoreSettings { retention, ..roomy() }).await;
    let store = &**backend.store();
    let old = happened(store, "crm", 1, 1).await;
    marks(store, old, vec![mark(Field::Name, true, 1)]).await;

    for (days, kept) in [(29, 1), (2, 0)] {
        backend.clock().advance(Duration::from_hours(24 * days));
        let other = happened(store, "crm", 2, 2).await;
        marks(store, other, vec![mark(Field::Name, true, 2)]).await;
        assert_eq!(store.marked(old.update).await.unwrap().marks.len(), kept);
    }
}

pub(crate) async fn what_is_known_of_a_contact_is_forgotten_where_nothing_waits_for_it(
    backend: impl Backend,
) {
    let store = &**backend.store();
    let who = Who::Mobile(Mobile::try_from("120255500001".to_owned()).unwrap());
    let forget = async || {
        let forget = vec![Change::Forget(who.clone())];
        store.change(forget, EventId(i64::MAX >> 16)).await.unwrap()
    };
    let id = ContactId::try_from("65f0c0ffee0123456789abcd".to_owned()).unwrap();
    let (key, home) = (store.lane_of(&who), store.lane_of(&Who::Id(id)));
    let first = happened(store, "crm", 1, 10).await;
    assert_eq!(store.join(vec![first], home).await.unwrap(), Joined::First);
    marks(store, first, vec![mark(Field::Name, true, 10)]).await;
    let second = happened(store, "crm", 1, 20).await;
    assert_eq!(store.marked(second.update).await.unwrap().marks.len(), 1);

    assert_eq!(forget().await, [Changed::StandsOtherwise], "something is lent");
    record(store, second, End::Delivered).await;
    assert_eq!(forget().await, [Changed::Done]);

    super::store(store, vec![event(vec![update(1, "c")])]).await;
    let run = claim_runs(store, Wanted { runs: 1, merging: false }).await.remove(0);
    assert_eq!(run.lane, key, "nobody knows whom the key means");
    assert_eq!(store.marked(run.updates[0].lent.update).await.unwrap().marks, []);
}
