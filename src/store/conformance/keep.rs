//! What is remembered, counted and shown.

use super::*;
use crate::contact::{DeadReason, HeldReason, SkippedReason};
use crate::store::{Error, EventFilter, Page, UpdateFilter};

fn held(rule: &str) -> NewUpdate {
    let detail = "a text is expected, an object was found".to_owned();
    let state = NewState::Held { reason: HeldReason::Type, detail };
    NewUpdate { rule: rule.into(), item: 0, state }
}

fn skipped() -> NewUpdate {
    NewUpdate { rule: "lead".into(), item: 0, state: NewState::Skipped(SkippedReason::NoContact) }
}

/// One of everything: an event of each outcome and an update in each state; also two that wait.
async fn one_of_everything(to: &impl Store) {
    let control = NewEvent { control: true, ..event(vec![]) };
    store(to, vec![event(vec![]), control]).await;
    store(to, vec![keyed("evt_1")]).await;
    to.append(request(), vec![keyed("evt_1")]).await.unwrap();
    record(to, claim_one(to).await.lent, End::Delivered).await;
    store(to, vec![event(vec![update(2, "dead"), held("lead"), skipped()])]).await;
    let dead = End::Dead(DeadReason::Refused, trouble());
    record(to, claim_one(to).await.lent, dead).await;
    store(to, vec![event(vec![update(3, "lent"), update(3, "next")])]).await;
    claim_one(to).await;
    store(to, vec![NewEvent { source: source("shop"), ..event(vec![update(4, "ready")]) }]).await;
}

pub(crate) async fn the_ledger_balances_over_a_restart(backend: impl Backend) {
    one_of_everything(&**backend.store()).await;

    let before = backend.store().numbers().await.unwrap();

    assert_balance(&before);
    let counted = Numbers {
        ready: 1,
        scheduled: 1,
        in_flight: 1,
        held: 1,
        delivered: 1,
        skipped: 1,
        dead: 1,
        events_received: 7,
        events_duplicate: 1,
        events_control: 1,
        events_ignored: 1,
        events_taken: 4,
        updates_planned: 7,
        size_bytes: before.size_bytes,
        ..Numbers::default()
    };
    assert_eq!(before, counted);
    assert!(before.size_bytes > 0);

    let backend = backend.reopened().await;

    let after = backend.store().numbers().await.unwrap();
    assert_eq!((after.ready, after.in_flight), (2, 0), "what was lent is due again");
    assert_balance(&after);
    assert_eq!(after.updates_planned, 7);
}

pub(crate) async fn numbers_tell_ready_from_scheduled(backend: impl Backend) {
    store(&**backend.store(), vec![event(vec![update(1, "a"), update(2, "b")])]).await;
    let claims = claim(&**backend.store(), 1).await;
    record(&**backend.store(), claims[0].lent, again(60 * SECOND)).await;
    backend.clock().advance(30 * SECOND);

    let numbers = backend.store().numbers().await.unwrap();

    assert_eq!((numbers.ready, numbers.scheduled, numbers.in_flight), (1, 1, 0));
    assert_eq!(numbers.oldest_ready_seconds, 30);
    backend.clock().advance(30 * SECOND);
    let numbers = backend.store().numbers().await.unwrap();
    assert_eq!((numbers.ready, numbers.scheduled), (2, 0));
}

pub(crate) async fn events_are_listed_youngest_first_a_page_at_a_time(backend: impl Backend) {
    let mut ids = Vec::new();
    for n in 0..7 {
        let name = source(if n % 3 == 0 { "shop" } else { "crm" });
        ids.extend(
            store(&**backend.store(), vec![NewEvent { source: name, ..event(vec![]) }]).await,
        );
    }
    ids.reverse();

    for (of, expected) in [
        (None, ids.clone()),
        (Some("shop"), vec![ids[0], ids[3], ids[6]]),
        (Some("crm"), vec![ids[1], ids[2], ids[4], ids[5]]),
        (Some("nobody"), vec![]),
    ] {
        let filter = EventFilter { source: of.map(source) };
        let mut listed = Vec::new();
        let mut before = None;
        loop {
            let rows = backend.store().events(&filter, Page { most: 2, before }).await.unwrap();
            let Some(last) = rows.last() else { break };
            assert!(rows.len() <= 2);
            before = Some(last.cursor.clone());
            listed.extend(rows.into_iter().map(|row| row.event_id));
        }
        assert_eq!(listed, expected, "{of:?}");
    }
}

pub(crate) async fn updates_are_listed_by_state_and_source_a_page_at_a_time(backend: impl Backend) {
    one_of_everything(&**backend.store()).await;
    for n in 10..13 {
        let shop =
            NewEvent { source: source("shop"), ..event(vec![update(n, "gone"), held("other")]) };
        store(&**backend.store(), vec![shop]).await;
        backend.clock().advance(SECOND);
    }
    let states =
        ["waiting", "in_flight", "held", "delivered", "skipped", "dead", "discarded"].map(Some);

    let mut counts = Vec::new();
    for state in states.into_iter().chain([None]) {
        for of in [None, Some("crm"), Some("shop")] {
            let filter = UpdateFilter { state: state.map(str::to_owned), source: of.map(source) };
            let mut listed = Vec::new();
            let mut before = None;
            loop {
                let page = Page { most: 2, before };
                let rows = backend.store().updates(&filter, page).await.unwrap();
                let Some(last) = rows.last() else { break };
                assert!(rows.len() <= 2);
                before = Some(last.cursor.clone());
                listed.extend(rows);
            }
            assert!(listed.iter().all(|row| state.is_none_or(|state| row.state == state)));
            assert!(listed.iter().all(|row| of.is_none_or(|of| row.source.as_str() == of)));
            assert!(listed.windows(2).all(|pair| pair[0].event_id >= pair[1].event_id));
            counts.push((state.unwrap_or("all"), of.unwrap_or("all"), listed.len()));
        }
    }

    let expected = [
        ("waiting", [5, 1, 4]),
        ("in_flight", [1, 1, 0]),
        ("held", [4, 1, 3]),
        ("delivered", [1, 1, 0]),
        ("skipped", [1, 1, 0]),
        ("dead", [1, 1, 0]),
        ("discarded", [0, 0, 0]),
        ("all", [13, 6, 7]),
    ];
    let expected: Vec<_> = expected
        .into_iter()
        .flat_map(|(state, counts)| {
            ["all", "crm", "shop"].into_iter().zip(counts).map(move |(of, n)| (state, of, n))
        })
        .collect();
    assert_eq!(counts, expected);
}

pub(crate) async fn an_event_is_shown_with_its_request_and_its_updates(backend: impl Backend) {
    let body: Vec<u8> = br#"{"a": "a long text of much the same"}"#.repeat(50);
    let sent = Request { body: body.into(), ..request() };
    let second = NewEvent { item: 1, ..event(vec![update(1, "a"), held("other")]) };
    let receipts = backend.store().append(sent.clone(), vec![event(vec![]), second]).await.unwrap();
    let Receipt::Stored(id) = receipts[1] else { panic!("{receipts:?}") };

    let shown = backend.store().event(id).await.unwrap().unwrap();

    assert_eq!((shown.event.event_id, shown.item, shown.event.outcome), (id, 1, "taken"));
    assert_eq!((shown.event.event_type.as_deref(), shown.event.updates), (Some("order"), 2));
    assert_eq!(shown.request, sent);
    let rows: Vec<_> = shown.updates.iter().map(|row| (row.update.as_str(), row.state)).collect();
    let (first, other) = (format!("{id}/lead/0"), format!("{id}/other/0"));
    assert_eq!(rows, [(first.as_str(), "waiting"), (other.as_str(), "held")]);
    assert!(backend.store().event(EventId(id.0 + 1)).await.unwrap().is_none());
}

pub(crate) async fn what_went_wrong_is_shown_with_the_update(backend: impl Backend) {
    let both = vec![event(vec![update(1, "a"), held("other")])];
    let id = store(&**backend.store(), both).await[0];
    for words in ["first", "second"] {
        let trouble = Trouble { status: Some(500), words: words.to_owned() };
        let end = End::Again { after: Duration::ZERO, trouble, may_have_landed: false };
        record(&**backend.store(), claim_one(&**backend.store()).await.lent, end).await;
    }
    let dead = End::Dead(DeadReason::GaveUp, Trouble { status: None, words: "last".to_owned() });
    backend.clock().advance(SECOND);

    let shown = backend.store().event(id).await.unwrap().unwrap().updates;

    assert_eq!((shown[0].status, shown[0].detail.as_deref()), (Some(500), Some("second")));
    assert_eq!((shown[0].attempts, shown[0].finished_at), (2, None));
    assert_eq!((shown[1].reason.as_deref(), shown[1].finished_at), (Some("type"), None));
    assert!(shown[1].detail.as_deref().unwrap().starts_with("a text is expected"));
    record(&**backend.store(), claim_one(&**backend.store()).await.lent, dead).await;
    let shown = backend.store().event(id).await.unwrap().unwrap().updates.remove(0);
    assert_eq!((shown.state, shown.reason.as_deref()), ("dead", Some("gave_up")));
    assert_eq!((shown.status, shown.detail.as_deref(), shown.attempts), (None, Some("last"), 3));
    assert_eq!(shown.finished_at, Some(shown.received_at + SECOND));
}

fn files(files: &[(&str, &str)]) -> Vec<(String, String)> {
    files.iter().map(|&(name, text)| (name.to_owned(), text.to_owned())).collect()
}

pub(crate) async fn the_mapping_files_kept_last_are_there_after_a_restart(backend: impl Backend) {
    assert_eq!(backend.store().kept_mappings().await.unwrap(), []);
    for kept in [
        files(&[("b.yaml", "rules: []\n"), ("a.yaml", "# ünïcode\n")]),
        files(&[("b.yaml", "other\n"), ("c.yaml", "")]),
    ] {
        backend.store().keep_mappings(kept).await.unwrap();
    }

    let backend = backend.reopened().await;

    let kept = backend.store().kept_mappings().await.unwrap();
    assert_eq!(kept, files(&[("b.yaml", "other\n"), ("c.yaml", "")]));
}

pub(crate) async fn mapping_files_are_replaced_as_a_whole_or_not_at_all(backend: impl Backend) {
    let first = files(&[("a.yaml", "rules: []\n")]);
    backend.store().keep_mappings(first.clone()).await.unwrap();

    backend.fill_the_disk().await;
    let large = files(&[("a.yaml", "new"), ("b.yaml", &"# long\n".repeat(100_000))]);
    assert!(matches!(backend.store().keep_mappings(large.clone()).await, Err(Error::Full(_))));
    assert_eq!(backend.store().kept_mappings().await.unwrap(), first);
    backend.mend_the_disk().await;
    backend.store().keep_mappings(large.clone()).await.unwrap();

    assert_eq!(backend.store().kept_mappings().await.unwrap(), large);
    store(&**backend.store(), vec![keyed("evt_1")]).await;
}

pub(crate) async fn the_first_secret_of_a_sender_is_kept_and_no_other(backend: impl Backend) {
    let (asana, other) = (source("asana"), source("other"));
    let store = backend.store();
    assert_eq!(store.adopted_secret(&asana).await.unwrap(), None);

    assert_eq!(store.adopt_secret(&asana, "first").await.unwrap(), "first");
    assert_eq!(store.adopt_secret(&asana, "second").await.unwrap(), "first");
    assert_eq!(store.adopt_secret(&other, "second").await.unwrap(), "second");

    let backend = backend.reopened().await;
    let store = backend.store();
    assert_eq!(store.adopted_secret(&asana).await.unwrap().as_deref(), Some("first"));
    assert_eq!(store.adopt_secret(&asana, "third").await.unwrap(), "first");
}

pub(crate) async fn a_secret_that_is_forgotten_leaves_its_place_to_the_next(backend: impl Backend) {
    let (asana, other) = (source("asana"), source("other"));
    let store = backend.store();
    store.adopt_secret(&asana, "first").await.unwrap();
    store.adopt_secret(&other, "second").await.unwrap();

    assert!(store.forget_secret(&asana).await.unwrap());
    assert!(!store.forget_secret(&asana).await.unwrap());

    assert_eq!(store.adopted_secret(&asana).await.unwrap(), None);
    assert_eq!(store.adopt_secret(&asana, "third").await.unwrap(), "third");
    assert_eq!(store.adopted_secret(&other).await.unwrap().as_deref(), Some("second"));
}

pub(crate) async fn a_store_that_is_closed_says_so(backend: impl Backend) {
    store(&**backend.store(), vec![event(vec![update(1, "a")])]).await;
    let lent = claim_one(&**backend.store()).await.lent;
    let waiting = backend.store().claim(ONE);
    tokio::pin!(waiting);
    assert!(poll!(waiting.as_mut()).is_pending());

    backend.store().close().await;

    assert!(matches!(waiting.await, Err(Error::Closed)));
    assert!(matches!(backend.store().append(request(), vec![]).await, Err(Error::Closed)));
    assert!(matches!(
        backend.store().record(vec![(lent, End::Delivered)], AfterDead::Continue).await,
        Err(Error::Closed)
    ));
    assert!(matches!(backend.store().claim(ONE).await, Err(Error::Closed)));
    assert!(matches!(backend.store().numbers().await, Err(Error::Closed)));
    assert!(matches!(backend.store().check_writable().await, Err(Error::Closed)));
    assert!(matches!(backend.store().keep_mappings(vec![]).await, Err(Error::Closed)));
    assert!(matches!(backend.store().kept_mappings().await, Err(Error::Closed)));
}
