//! What only this store promises; the rest is in `conformance`.

mod next;
mod plans;

use std::path::PathBuf;

use jiff::Timestamp;
use rusqlite::Connection;
use tempfile::TempDir;

use super::*;
use crate::clock::ManualClock;
use crate::store::conformance::{Backend, ONE, claim, keeps_every_promise, roomy};
use crate::store::sqlite::connection::writing;

/// A store in a folder of its own, which goes with it.
pub(super) struct InATempDir {
    pub(super) store: Arc<SqliteStore>,
    pub(super) clock: Arc<ManualClock>,
    settings: StoreSettings,
    pub(super) folder: TempDir,
}

fn open(path: &Path, settings: &StoreSettings, clock: &Arc<ManualClock>) -> Arc<SqliteStore> {
    try_open(path, settings, clock).unwrap()
}

fn try_open(
    path: &Path,
    settings: &StoreSettings,
    clock: &Arc<ManualClock>,
) -> Result<Arc<SqliteStore>, Error> {
    let metrics = Arc::new(Metrics::new().unwrap());
    SqliteStore::open(path, settings, Arc::clone(clock) as SharedClock, metrics)
}

impl Backend for InATempDir {
    type Store = SqliteStore;

    async fn with(settings: StoreSettings) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = ManualClock::at(Timestamp::from_second(1_800_000_000).unwrap());
        let store = open(&folder.path().join("bridge.db"), &settings, &clock);
        let backend = Self { store, clock, settings, folder };
        backend.without_waiting_for_the_disk().await;
        backend
    }

    async fn reopened(self) -> Self {
        self.store.close().await;
        let store = open(&self.path(), &self.settings, &self.clock);
        let backend = Self { store, ..self };
        backend.without_waiting_for_the_disk().await;
        backend
    }

    fn store(&self) -> &Arc<SqliteStore> {
        &self.store
    }

    fn clock(&self) -> &ManualClock {
        &self.clock
    }

    async fn fill_the_disk(&self) {
        self.on_the_writer(|connection| {
            connection.execute_batch("PRAGMA max_page_count = 1").unwrap();
        })
        .await;
    }

    async fn mend_the_disk(&self) {
        self.on_the_writer(|connection| {
            connection.execute_batch("PRAGMA max_page_count = 1000000").unwrap();
        })
        .await;
    }
}

impl InATempDir {
    pub(super) fn path(&self) -> PathBuf {
        self.folder.path().join("bridge.db")
    }

    /// No test here pulls the plug, and a commit a step adds up.
    async fn without_waiting_for_the_disk(&self) {
        self.on_the_writer(|connection| {
            connection.execute_batch("PRAGMA synchronous = OFF").unwrap();
        })
        .await;
    }

    pub(super) async fn on_the_writer<T: Send + 'static>(
        &self,
        ask: impl FnOnce(&Connection) -> T + Send + 'static,
    ) -> T {
        let (reply, answer) = oneshot::channel();
        let hook = move |writer: &mut Writer| {
            drop(reply.send(ask(writer.connection.as_ref().unwrap())));
        };
        self.store.queue.rarely(Box::new(hook)).unwrap();
        answer.await.unwrap()
    }
}

mod promises {
    use super::{InATempDir, keeps_every_promise};

    keeps_every_promise!(InATempDir);
}

pub(super) fn request(body: &[u8]) -> Request {
    Request { method: "POST".to_owned(), body: body.to_vec().into(), ..Request::default() }
}

pub(super) fn new_event(mobiles: &[&str]) -> NewEvent {
    let update = |mobile: &&str| {
        let planned = serde_json::json!({"target": {"who": {"mobile": mobile}}, "update": {}});
        crate::store::NewUpdate {
            rule: "lead".into(),
            item: 0,
            state: crate::store::NewState::Waiting(serde_json::from_value(planned).unwrap()),
        }
    };
    NewEvent {
        source: SourceName::try_from("crm").unwrap(),
        item: 0,
        dedupe: None,
        event_type: None,
        occurred_at: None,
        trace: None,
        control: false,
        updates: mobiles.iter().map(update).collect(),
    }
}

#[tokio::test]
async fn what_was_answered_is_there_after_a_crash() {
    let backend = InATempDir::fresh().await;
    let events = vec![new_event(&["12025550143", "12025550144", "12025550143"])];
    backend.store.append(request(b"{}"), events).await.unwrap();
    let claims = claim(&*backend.store, 9).await;
    assert!(
        backend
            .store
            .record(vec![(claims[1].lent, End::Delivered)], AfterDead::Continue)
            .await
            .unwrap()
    );
    let crashed = backend.folder.path().join("crashed");
    std::fs::create_dir(&crashed).unwrap();

    // By another process: closing a descriptor of the file in this one would drop SQLite's locks.
    let files = ["bridge.db", "bridge.db-wal"].map(|file| backend.folder.path().join(file));
    let copied = std::process::Command::new("cp").args(&files).arg(&crashed).status().unwrap();

    assert!(copied.success());
    let store = open(&crashed.join("bridge.db"), &backend.settings, &backend.clock);
    let again = claim(&*store, 9).await;
    assert_eq!(again.len(), 1);
    assert_eq!((again[0].lent.update, again[0].attempt), (claims[0].lent.update, 2));
    let numbers = store.numbers().await.unwrap();
    assert_eq!((numbers.delivered, numbers.in_flight, numbers.scheduled), (1, 1, 1));
}

#[tokio::test]
async fn what_a_doubtful_commit_has_lent_is_lent_again() {
    let backend = InATempDir::fresh().await;
    backend.store.append(request(b"{}"), vec![new_event(&["12025550143"])]).await.unwrap();
    let lent = claim(&*backend.store, 1).await[0].lent;
    assert!(
        backend
            .store
            .record(vec![(lent, End::GivenBack { after: Duration::ZERO })], AfterDead::Continue)
            .await
            .unwrap()
    );
    // The next transaction (the record was one) fails, and what it has lent is on the disk all the same.
    let fence = lent.fence.0 + 2;
    backend
        .on_the_writer(move |connection| {
            let sql = "UPDATE upd SET due_at = NULL, lease = ?1, attempts = 1";
            connection.execute(sql, [fence]).unwrap();
            connection.execute_batch("PRAGMA query_only = 1").unwrap();
        })
        .await;
    backend.store.check_writable().await.unwrap_err();

    let claims = claim(&*backend.store, 1).await;

    assert_eq!((claims[0].lent.update, claims[0].attempt), (lent.update, 1));
}

#[tokio::test]
async fn a_second_process_is_told_who_holds_the_store() {
    let backend = InATempDir::fresh().await;

    let second = try_open(&backend.path(), &backend.settings, &backend.clock);

    let me = format!("process {} on host ", std::process::id());
    assert!(matches!(&second, Err(Error::Held(owner)) if owner.contains(&me)));
    backend.store.close().await;
    open(&backend.path(), &backend.settings, &backend.clock);
}

#[tokio::test]
async fn a_store_that_cannot_be_opened_says_which_and_why() {
    let folder = tempfile::tempdir().unwrap();
    let clock = ManualClock::at(Timestamp::UNIX_EPOCH);
    let text = folder.path().join("notes.txt");
    std::fs::write(&text, "not a database, but longer than a header of one: ".repeat(20)).unwrap();
    let foreign = folder.path().join("foreign.db");
    Connection::open(&foreign).unwrap().execute_batch("CREATE TABLE bookmarks(url)").unwrap();

    for (path, why) in [
        (folder.path().join("none").join("bridge.db"), "there is no folder"),
        (folder.path().to_owned(), "is a folder"),
        (text, "not an SQLite database"),
        (foreign, "another program"),
    ] {
        let error = try_open(&path, &roomy(), &clock).err().unwrap().to_string();
        assert!(error.contains(why), "{error}");
        assert!(error.contains(path.to_str().unwrap()), "{error}");
    }
}

#[tokio::test]
async fn a_newer_store_is_opened_only_as_far_back_as_it_says() {
    for (readable_from, opens) in [(1, true), (99, false)] {
        let backend = InATempDir::fresh().await;
        backend.store.close().await;
        let connection = Connection::open(backend.path()).unwrap();
        schema::set(&connection, "schema", 99).unwrap();
        schema::set(&connection, "readable_from", readable_from).unwrap();
        drop(connection);

        let opened = try_open(&backend.path(), &backend.settings, &backend.clock);

        match opened {
            Ok(_) => assert!(opens),
            Err(error) => {
                assert!(matches!(error, Error::Newer { found: 99, .. }), "{error}");
                assert!(!opens);
            }
        }
    }
}

#[tokio::test]
async fn an_update_of_a_newer_release_is_held_and_frees_its_lane() {
    let backend = InATempDir::fresh().await;
    let both = vec![new_event(&["12025550143", "12025550143"])];
    backend.store.append(request(b"{}"), both).await.unwrap();
    backend
        .on_the_writer(|connection| {
            connection.execute("UPDATE plan SET form = 2 WHERE update_id & 65535 = 0", []).unwrap();
        })
        .await;

    let claims = claim(&*backend.store, 9).await;

    assert_eq!(claims[0].lent.update.place, 1);
    let held = UpdateFilter { state: Some("held".to_owned()), source: None };
    let rows = backend.store.updates(&held, Page { most: 9, before: None }).await.unwrap();
    assert_eq!((rows[0].reason.as_deref(), rows[0].attempts), (Some("version"), 0));
    assert!(rows[0].detail.as_deref().unwrap().contains("form 2"));
}

#[tokio::test]
async fn the_body_of_a_request_is_kept_once() {
    let backend = InATempDir::fresh().await;
    let events = (0..3).map(|_| new_event(&["12025550143"])).collect();

    let receipts = backend.store.append(request(b"[1,2,3]"), events).await.unwrap();

    let bodies: i64 = backend
        .on_the_writer(|connection| {
            connection.query_row("SELECT count(*) FROM request", [], |row| row.get(0)).unwrap()
        })
        .await;
    assert_eq!(bodies, 1);
    for receipt in receipts {
        let Receipt::Stored(id) = receipt else { panic!("{receipt:?}") };
        let event = backend.store.event(id).await.unwrap().unwrap();
        assert_eq!(&*event.request.body, b"[1,2,3]");
    }
}

#[tokio::test]
async fn after_an_error_that_leaves_it_in_doubt_the_file_is_opened_again() {
    let backend = InATempDir::fresh().await;
    backend
        .on_the_writer(|connection| connection.execute_batch("PRAGMA query_only = 1").unwrap())
        .await;

    let failed = backend.store.append(request(b"{}"), vec![new_event(&["12025550143"])]).await;

    assert!(matches!(failed, Err(Error::Failed(_))), "{failed:?}");
    backend.store.check_writable().await.unwrap();
    let stored = backend.store.append(request(b"{}"), vec![new_event(&["12025550143"])]).await;
    assert!(matches!(stored.as_deref(), Ok([Receipt::Stored(_)])), "{stored:?}");
}

#[tokio::test]
async fn when_the_writer_dies_nobody_waits_for_it() {
    let backend = InATempDir::fresh().await;
    let waiting = backend.store.claim(ONE);
    tokio::pin!(waiting);
    assert!(futures_util::poll!(waiting.as_mut()).is_pending());

    backend.store.queue.rarely(Box::new(|_| panic!("a test has the writer die"))).unwrap();

    assert!(matches!(waiting.await, Err(Error::Closed)));
    let refused = backend.store.append(request(b"{}"), vec![new_event(&[])]).await;
    assert!(matches!(refused, Err(Error::Closed)), "{refused:?}");
}

#[tokio::test]
async fn keys_leave_memory_for_their_table() {
    let backend = InATempDir::fresh().await;
    let keyed = |n: u32| NewEvent {
        dedupe: Some(crate::store::Dedupe { id: n.to_string(), window: Duration::from_mins(1) }),
        ..new_event(&[])
    };

    for n in 0..400 {
        backend.store.append(request(b"{}"), vec![keyed(n)]).await.unwrap();
    }

    let (moved, last): (i64, i64) = backend
        .on_the_writer(|connection| {
            let last = connection.query_row(statements::LAST_EVENT, [], |row| row.get(0)).unwrap();
            (schema::number(connection, "moved").unwrap().unwrap(), last)
        })
        .await;
    assert!(last - moved < 200, "{moved} of {last}");
}

#[test]
fn more_than_the_queue_takes_is_refused() {
    let queue = Queue::default();
    let keys = Keys::new(&[0; 32]);
    let mut refused = None;

    for n in 0..10_000 {
        let prepared = Prepared::new(&keys, request(b"{}"), Vec::new()).unwrap();
        let (reply, _) = oneshot::channel();
        if let Err(error) = queue.append(AppendOp { incoming: Incoming::Request(prepared), reply })
        {
            refused = Some((n, error));
            break;
        }
    }

    assert!(matches!(refused, Some((8192, Error::Busy))), "{refused:?}");
}
