//! What is deleted, and what never is.

use super::*;
use crate::contact::{DeadReason, HeldReason, SkippedReason};
use crate::store::letters::{Change, Changed};
use crate::store::settings::Retention;
use crate::store::{EventFilter, Page};
use crate::units::Span;

const DAY: Duration = Duration::from_hours(24);
const WEEK: Duration = Duration::from_hours(7 * 24);

fn held() -> NewUpdate {
    let state = NewState::Held { reason: HeldReason::Type, detail: "no text".to_owned() };
    NewUpdate { rule: "lead".into(), item: 0, state }
}

fn skipped() -> NewUpdate {
    NewUpdate { rule: "lead".into(), item: 0, state: NewState::Skipped(SkippedReason::NoContact) }
}

fn control() -> NewEvent {
    NewEvent { control: true, ..event(vec![]) }
}

/// Stores one event of its own request.
async fn one(backend: &impl Backend, new: NewEvent) -> EventId {
    store(&**backend.store(), vec![new]).await.remove(0)
}

/// An event whose updates, one for each of these contacts, have been delivered.
async fn delivered(backend: &impl Backend, contacts: &[u16]) -> EventId {
    let id = one(backend, event(contacts.iter().map(|n| update(*n, "done")).collect())).await;
    for _ in contacts {
        let claim = claim_one(&**backend.store()).await;
        assert_eq!(claim.lent.update.event, id);
        record(&**backend.store(), claim.lent, End::Delivered).await;
    }
    id
}

async fn dead(backend: &impl Backend, new: NewEvent) -> EventId {
    let id = one(backend, new).await;
    let claim = claim_one(&**backend.store()).await;
    record(&**backend.store(), claim.lent, End::Dead(DeadReason::Refused, trouble())).await;
    id
}

/// The events that are there, oldest first.
async fn there(backend: &impl Backend) -> Vec<EventId> {
    let page = Page { most: 1000, before: None };
    let rows = backend.store().events(&EventFilter::default(), page).await.unwrap();
    let mut ids: Vec<_> = rows.into_iter().map(|row| row.event_id).collect();
    ids.reverse();
    ids
}

/// Waits until these are the events that are there; the balance holds all along.
async fn until_there_are(backend: &impl Backend, wanted: &[EventId]) {
    let begun = std::time::Instant::now();
    loop {
        assert_balance(&backend.store().numbers().await.unwrap());
        let audit = backend.store().audit().await.unwrap();
        assert!(audit.iter().all(|balance| balance.off() == 0), "{audit:?}");
        let there = there(backend).await;
        if there == wanted {
            return;
        }
        assert!(begun.elapsed() < Duration::from_secs(20), "{there:?} are there, not {wanted:?}");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

/// Has the store look for what has come of age: when the second of two new events without effect has gone, a whole
/// pass is over.
async fn after_a_pass(backend: &impl Backend, wanted: &[EventId]) {
    backend.clock().advance(Duration::from_mins(1));
    until_there_are(backend, wanted).await;
}

pub(crate) async fn what_has_come_to_an_end_goes_when_its_time_has_come(backend: impl Backend) {
    let stays = one(&backend, event(vec![held()])).await;
    let died = dead(&backend, event(vec![update(1, "dead")])).await;
    delivered(&backend, &[2, 3]).await;
    one(&backend, event(vec![skipped()])).await;
    one(&backend, event(vec![])).await;
    one(&backend, control()).await;
    backend.clock().advance(DAY);
    let younger = delivered(&backend, &[2]).await;
    let ignored = one(&backend, event(vec![])).await;
    let waits = one(&backend, event(vec![update(4, "waits")])).await;

    backend.clock().advance(6 * DAY);
    after_a_pass(&backend, &[stays, died, younger, ignored, waits]).await;

    let numbers = backend.store().numbers().await.unwrap();
    assert_eq!((numbers.delivered, numbers.skipped, numbers.dead, numbers.held), (3, 1, 1, 1));
    assert_eq!((numbers.events_ignored, numbers.events_control, numbers.expired), (2, 1, 0));

    backend.clock().advance(52 * WEEK);
    after_a_pass(&backend, &[stays, died, waits]).await;

    let claimed = claim_one(&**backend.store()).await;
    assert_eq!(name(&claimed), "waits", "what waits is never deleted, however long it waits");
}

pub(crate) async fn an_event_goes_as_a_whole_or_not_at_all(backend: impl Backend) {
    let both = one(&backend, event(vec![update(1, "done"), update(2, "slow"), skipped()])).await;
    let claims = claim(&**backend.store(), 2).await;
    record(&**backend.store(), claims[0].lent, End::Delivered).await;
    record(&**backend.store(), claims[1].lent, again(2 * WEEK)).await;

    backend.clock().advance(WEEK);
    after_a_pass(&backend, &[both]).await;
    let kept = backend.store().event(both).await.unwrap().unwrap();
    assert_eq!(kept.updates.len(), 3);
    backend.clock().advance(WEEK);
    let slow = claim_one(&**backend.store()).await;
    record(&**backend.store(), slow.lent, End::Delivered).await;
    after_a_pass(&backend, &[both]).await;

    backend.clock().advance(WEEK);
    after_a_pass(&backend, &[]).await;

    assert!(backend.store().event(both).await.unwrap().is_none());
}

pub(crate) async fn a_request_stays_as_long_as_one_of_its_events(backend: impl Backend) {
    let new = vec![event(vec![]), event(vec![held()]), event(vec![]), event(vec![skipped()])];
    let ids = store(&**backend.store(), new).await;

    backend.clock().advance(WEEK);
    after_a_pass(&backend, &ids[1..2]).await;

    let kept = backend.store().event(ids[1]).await.unwrap().unwrap();
    assert_eq!(kept.request, request());
}

pub(crate) async fn dead_letters_go_only_where_that_is_set_and_count_as_expired<B: Backend>(_: B) {
    let retention = Retention { dead: Some(Span(2 * WEEK)), ..Retention::default() };
    let backend = B::with(StoreSettings { retention, ..roomy() }).await;
    let held = one(&backend, event(vec![held()])).await;
    let died = dead(&backend, event(vec![update(1, "dead"), skipped()])).await;

    backend.clock().advance(WEEK);
    after_a_pass(&backend, &[held, died]).await;
    backend.clock().advance(WEEK);
    after_a_pass(&backend, &[]).await;

    let numbers = backend.store().numbers().await.unwrap();
    assert_eq!((numbers.held, numbers.dead, numbers.expired, numbers.skipped), (0, 0, 2, 1));
}

pub(crate) async fn a_repeat_is_known_when_the_first_has_been_deleted<B: Backend>(_: B) {
    let retention = Retention { ignored: Span(30 * SECOND), ..Retention::default() };
    let backend = B::with(StoreSettings { retention, ..roomy() }).await;
    let first = one(&backend, NewEvent { updates: vec![], ..keyed("evt_1") }).await;
    after_a_pass(&backend, &[]).await;

    let repeat = Receipt::Duplicate { first, differs: false, idle: false };
    assert_eq!(backend.store().append(request(), vec![keyed("evt_1")]).await.unwrap(), [repeat]);
    let backend = backend.reopened().await;
    assert_eq!(backend.store().append(request(), vec![keyed("evt_1")]).await.unwrap(), [repeat]);

    backend.clock().advance(WINDOW);
    let again = one(&backend, keyed("evt_1")).await;
    assert!(again > first, "an id is never given twice: {first:?}, {again:?}");
}

pub(crate) async fn past_four_fifths_of_its_size_history_goes_before_its_time<B: Backend>(_: B) {
    let size = 4 << 20;
    let backend = B::with(StoreSettings { max_size: ByteSize(size), ..roomy() }).await;
    // Does not get smaller when compressed.
    let body: Vec<u8> = {
        let mut state = 7_u64;
        let next = |_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            state.to_be_bytes()[0]
        };
        (0..32 << 10).map(next).collect()
    };
    let large = Request { body: body.into(), ..request() };
    let waits = one(&backend, event(vec![update(1, "waits")])).await;
    let held = one(&backend, event(vec![held()])).await;

    for n in 0..400 {
        let receipts = backend.store().append(large.clone(), vec![event(vec![])]).await;
        receipts.unwrap_or_else(|error| panic!("{n}: {error}"));
    }

    let numbers = backend.store().numbers().await.unwrap();
    assert!(numbers.size_bytes < size, "{numbers:?}");
    assert_eq!(numbers.events_ignored, 400);
    assert_balance(&numbers);
    let there = there(&backend).await;
    assert_eq!(there[..2], [waits, held]);
    assert!(there.len() > 50, "no more than has to goes: {}", there.len());
}

pub(crate) async fn what_is_purged_is_forgotten_with_all_that_came_with_it(backend: impl Backend) {
    let other = delivered(&backend, &[2]).await;
    let both = delivered(&backend, &[1, 2]).await;
    let died = dead(&backend, event(vec![update(1, "dead"), skipped()])).await;
    let waits = one(&backend, event(vec![update(1, "waits")])).await;
    let purges = [both, died, waits].map(Change::Purge).to_vec();

    let changed = backend.store().change(purges, EventId(i64::MAX >> 16)).await.unwrap();

    assert_eq!(changed, [Changed::Done, Changed::Done, Changed::StandsOtherwise]);
    assert_eq!(there(&backend).await, [other, waits]);
    for gone in [both, died] {
        assert!(backend.store().event(gone).await.unwrap().is_none());
    }
    let numbers = backend.store().numbers().await.unwrap();
    assert_eq!((numbers.delivered, numbers.dead, numbers.expired), (3, 0, 1));
    assert_balance(&numbers);
    let audit = backend.store().audit().await.unwrap();
    assert!(audit.iter().all(|balance| balance.off() == 0), "{audit:?}");
}
