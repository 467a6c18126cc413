//! Tests of what goes wrong around a store: clocks that are set, a file that is damaged or taken away.

use jiff::SignedDuration;

use rusqlite::Connection;

use super::tests::{InATempDir, new_event, request};
use super::*;
use crate::store::conformance::{Backend, claim, roomy};
use crate::store::settings::{Retention, StoreSettings};
use crate::store::{EventFilter, Letters, Page, Trouble};
use crate::units::Span;

const HOUR: SignedDuration = SignedDuration::from_hours(1);

async fn stored(store: &SqliteStore, mobiles: &[&str]) {
    store.append(request(b"{}"), vec![new_event(mobiles)]).await.unwrap();
}

async fn claim_one(store: &SqliteStore) -> Lent {
    let claims = claim(store, 1).await;
    assert_eq!(claims.len(), 1);
    claims[0].lent
}

async fn put_off(store: &SqliteStore, after: Duration) {
    let lent = claim_one(store).await;
    let end = End::Again { after, trouble: Trouble::default(), may_have_landed: false };
    assert!(store.record(vec![(lent, end)], AfterDead::Continue).await.unwrap());
}

/// Nothing is due: a claim still waits when the store has answered somebody who came later.
async fn lends_nothing(store: &SqliteStore) {
    let claim = store.claim(Wanted { runs: 1, merging: false });
    tokio::pin!(claim);
    assert!(futures_util::poll!(claim.as_mut()).is_pending());
    store.check_writable().await.unwrap();
    assert!(futures_util::poll!(claim.as_mut()).is_pending(), "nothing should be due");
}

#[tokio::test]
async fn what_is_due_is_not_changed_by_a_clock_that_is_set() {
    for by in [HOUR, -HOUR] {
        let backend = InATempDir::fresh().await;
        stored(&backend.store, &["12025550143"]).await;
        put_off(&backend.store, Duration::from_mins(1)).await;
        stored(&backend.store, &["12025550144"]).await;

        backend.clock.set(by);

        // What was ready is ready, what was put off is not, and is a minute later.
        claim_one(&backend.store).await;
        lends_nothing(&backend.store).await;
        stored(&backend.store, &["12025550145"]).await;
        claim_one(&backend.store).await;
        backend.clock.advance(Duration::from_mins(1));
        claim_one(&backend.store).await;
        lends_nothing(&backend.store).await;
    }
}

#[tokio::test]
async fn a_clock_that_was_set_back_holds_nothing_up_after_a_restart() {
    let backend = InATempDir::fresh().await;
    stored(&backend.store, &["12025550143"]).await;
    put_off(&backend.store, Duration::from_mins(1)).await;
    stored(&backend.store, &["12025550144"]).await;
    backend.clock.set(-HOUR);
    stored(&backend.store, &["12025550145"]).await;
    // The store looks at the clocks once a minute.
    backend.clock.advance(Duration::from_mins(1));
    let noted = async || {
        let ahead = |connection: &Connection| schema::number(connection, "ahead").unwrap();
        backend.on_the_writer(ahead).await.unwrap_or(0)
    };
    while noted().await == 0 {
        tokio::task::yield_now().await;
    }

    let backend = backend.reopened().await;

    for _ in 0..3 {
        claim_one(&backend.store).await;
    }
}

#[tokio::test]
async fn a_clock_that_was_set_back_while_nothing_ran_holds_nothing_up() {
    let backend = InATempDir::fresh().await;
    stored(&backend.store, &["12025550143"]).await;
    backend.store.close().await;

    backend.clock.set(-HOUR);

    let backend = backend.reopened().await;
    claim_one(&backend.store).await;
}

#[tokio::test]
async fn a_clock_that_is_set_forward_makes_nothing_old() {
    let retention = Retention { ignored: Span(Duration::from_secs(30)), ..Retention::default() };
    let backend = InATempDir::with(StoreSettings { retention, ..roomy() }).await;
    stored(&backend.store, &["12025550143"]).await;
    let lent = claim_one(&backend.store).await;
    assert!(backend.store.record(vec![(lent, End::Delivered)], AfterDead::Continue).await.unwrap());
    stored(&backend.store, &[]).await;

    backend.clock.set(HOUR * 24 * 365);
    backend.clock.advance(Duration::from_mins(1));

    // The oldest goes first: once the younger one has gone by its own age, the other has been looked at.
    let there = async || {
        let page = Page { most: 10, before: None };
        backend.store.events(&EventFilter::default(), page).await.unwrap()
    };
    while there().await.len() > 1 {
        tokio::task::yield_now().await;
    }
    assert_eq!(there().await.len(), 1, "what was delivered a minute ago is kept");
    assert_eq!(there().await[0].event_id, lent.update.event);
}

#[tokio::test]
async fn a_store_that_fails_again_and_again_gives_up_and_says_so() {
    let backend = InATempDir::fresh().await;
    stored(&backend.store, &["12025550143"]).await;
    let lost = backend.store.lost();
    tokio::pin!(lost);
    assert!(futures_util::poll!(lost.as_mut()).is_pending());

    // Where the file was is a folder, and the connection is in doubt.
    backend
        .on_the_writer(|connection| connection.execute_batch("PRAGMA query_only = 1").unwrap())
        .await;
    std::fs::rename(backend.path(), backend.folder.path().join("away")).unwrap();
    std::fs::create_dir(backend.path()).unwrap();

    let begun = std::time::Instant::now();
    let asking = async {
        loop {
            backend.store.check_writable().await.unwrap_err();
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::select! {
        () = &mut lost => {}
        () = asking => {}
    }
    assert!(begun.elapsed() >= 2 * strikes::APART, "failures one after the other at once are one");
    let closed = backend.store.check_writable().await;
    assert!(matches!(closed, Err(Error::Closed)), "{closed:?}");
}

/// Fills pages in the middle of a table's leaves with rubbish: those on which rows of the plan with these bytes stand.
fn damage(path: &Path, marker: &str) {
    let mut bytes = std::fs::read(path).unwrap();
    let pages: Vec<_> = (1..bytes.len() / 4096)
        .filter(|page| {
            let page = &bytes[page * 4096..(page + 1) * 4096];
            page.windows(marker.len()).any(|window| window == marker.as_bytes())
        })
        .collect();
    assert!(!pages.is_empty(), "the page is found");
    for page in pages {
        bytes[page * 4096..(page + 1) * 4096].fill(0xA5);
    }
    std::fs::write(path, bytes).unwrap();
}

#[tokio::test]
async fn of_a_damaged_store_all_is_recovered_that_can_be_read() {
    let backend = InATempDir::fresh().await;
    for n in 0..400 {
        stored(&backend.store, &[&format!("1202555{n:04}")]).await;
    }
    for _ in 0..100 {
        let lent = claim_one(&backend.store).await;
        backend.store.record(vec![(lent, End::Delivered)], AfterDead::Continue).await.unwrap();
    }
    backend.store.close().await;
    let path = backend.path();
    let sound = check(&path, None, Depth::Whole).unwrap();
    assert!(sound.iter().all(|finding| finding.problems.is_empty()), "{sound:?}");

    damage(&path, "\"12025550200\"");

    let found = check(&path, None, Depth::Quick).unwrap();
    assert!(found.iter().any(|finding| !finding.problems.is_empty()), "{found:?}");
    let recovered = recover(&path, None, 1_800_000_000_000, |_| ()).unwrap();

    assert!(recovered.damaged.is_file());
    let plans = recovered.tables.iter().find(|table| table.table == "plan").unwrap();
    assert!(plans.gaps == 1 && (300..400).contains(&plans.rows), "{recovered:?}");
    let updates = recovered.tables.iter().find(|table| table.table == "upd").unwrap();
    assert_eq!((updates.rows, updates.gaps), (400, 0), "{recovered:?}");
    let [(_, held)] = recovered.mended[..] else { panic!("{recovered:?}") };
    assert!(held <= 400 - plans.rows, "what was delivered needs no plan: {recovered:?}");
    let whole = check(&path, None, Depth::Whole).unwrap();
    assert!(whole.iter().all(|finding| finding.problems.is_empty()), "{whole:?}");

    let backend = backend.reopened().await;
    let numbers = backend.store.numbers().await.unwrap();
    assert_eq!(numbers.imbalance(), 0);
    assert_eq!((numbers.delivered, numbers.held), (100, held));
    assert_eq!(numbers.ready, 300 - held);
    let audit = backend.store.audit().await.unwrap();
    assert!(audit.iter().all(|balance| balance.off() == 0), "{audit:?}");
}

#[tokio::test]
async fn a_store_whose_head_is_gone_is_refused_with_what_to_do() {
    let backend = InATempDir::fresh().await;
    stored(&backend.store, &["12025550143"]).await;
    backend.store.close().await;
    let mut bytes = std::fs::read(backend.path()).unwrap();
    bytes[..4096].fill(0);
    std::fs::write(backend.path(), bytes).unwrap();

    let error = recover(&backend.path(), None, 0, |_| ()).unwrap_err().to_string();

    assert!(error.contains("restore a backup"), "{error}");
    assert!(!backend.folder.path().join("bridge.db.recovered").exists());
}
