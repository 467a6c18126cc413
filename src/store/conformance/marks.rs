//! What events have set, for sources that guard against older ones.

use super::*;
use crate::contact::{Field, Mark};
use crate::event::UpdateId;
use crate::store::Marked;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn mark(field: Field, is_there: bool, second: i64) -> Mark {
    Mark { field, is_there, at: at(second) }
}

/// An update of an event that happened at this second.
async fn happened(store: &impl Store, from: &str, contact: u16, second: i64) -> UpdateId {
    let event = NewEvent {
        source: source(from),
        occurred_at: Some(at(second)),
        ..event(vec![update(contact, "a")])
    };
    UpdateId { event: super::store(store, vec![event]).await[0], place: 0 }
}

pub(crate) async fn of_each_field_the_newest_mark_is_kept_over_a_restart(backend: impl Backend) {
    let store = backend.store();
    let newer = happened(&**store, "crm", 1, 20).await;
    let older = happened(&**store, "crm", 1, 10).await;
    let lead = || Field::Tag("lead".to_owned());
    store.mark(newer, vec![mark(Field::Name, true, 20), mark(lead(), false, 20)]).await.unwrap();

    let later =
        vec![mark(Field::Name, true, 10), mark(Field::Optin, true, 10), mark(lead(), true, 10)];
    store.mark(older, later).await.unwrap();

    let backend = backend.reopened().await;
    let Marked { occurred_at, mut marks } = backend.store().marked(older).await.unwrap();
    marks.sort_by_key(|mark| mark.field.to_string());
    assert_eq!(occurred_at, Some(at(10)));
    assert_eq!(
        marks,
        [mark(Field::Name, true, 20), mark(Field::Optin, true, 10), mark(lead(), false, 20)]
    );
}

pub(crate) async fn marks_are_those_of_one_contact_and_one_source(backend: impl Backend) {
    let store = backend.store();
    let ann = happened(&**store, "crm", 1, 20).await;
    let others = [happened(&**store, "crm", 2, 20).await, happened(&**store, "shop", 1, 20).await];

    store.mark(ann, vec![mark(Field::Name, true, 20)]).await.unwrap();

    assert_eq!(store.marked(ann).await.unwrap().marks.len(), 1);
    for other in others {
        assert_eq!(store.marked(other).await.unwrap().marks, []);
    }
    let nobody = UpdateId { event: EventId(9_999), place: 0 };
    store.mark(nobody, vec![mark(Field::Name, true, 20)]).await.unwrap();
    assert_eq!(store.marked(nobody).await.unwrap(), Marked::default());
}

pub(crate) async fn a_mark_is_kept_for_a_month(backend: impl Backend) {
    let store = backend.store();
    let old = happened(&**store, "crm", 1, 1).await;
    store.mark(old, vec![mark(Field::Name, true, 1)]).await.unwrap();

    for (days, kept) in [(29, 1), (2, 0)] {
        backend.clock().advance(Duration::from_hours(24 * days));
        let other = happened(&**store, "crm", 2, 2).await;
        store.mark(other, vec![mark(Field::Name, true, 2)]).await.unwrap();
        assert_eq!(store.marked(old).await.unwrap().marks.len(), kept);
    }
}
