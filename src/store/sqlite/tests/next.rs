//! The release before, put back: a store that the next release has brought up by a step that only adds is worked on
//! by this one, with every promise.

use super::super::schema::{STEPS, Step, migrate};
use super::*;

/// A store with a schema that this release does not know.
struct BroughtUp(InATempDir);

impl Backend for BroughtUp {
    type Store = SqliteStore;

    async fn with(settings: StoreSettings) -> Self {
        let made = InATempDir::with(settings).await;
        made.store.close().await;
        bring_up(&made.path());
        Self(made.reopened().await)
    }

    async fn reopened(self) -> Self {
        Self(self.0.reopened().await)
    }

    fn store(&self) -> &Arc<SqliteStore> {
        self.0.store()
    }

    fn clock(&self) -> &ManualClock {
        self.0.clock()
    }

    async fn fill_the_disk(&self) {
        self.0.fill_the_disk().await;
    }

    async fn mend_the_disk(&self) {
        self.0.mend_the_disk().await;
    }
}

/// The schema of the next release.
fn next() -> i64 {
    STEPS.last().unwrap().schema + 1
}

/// What the next release does to it: a column more in each table, a table and an index.
fn bring_up(path: &Path) {
    let mut connection = Connection::open(path).unwrap();
    let mut sql = vec![
        "CREATE TABLE added(id INTEGER PRIMARY KEY, text TEXT) STRICT".to_owned(),
        "ALTER TABLE upd ADD COLUMN added TEXT".to_owned(),
        "CREATE INDEX added_to_upd ON upd(added) WHERE added IS NOT NULL".to_owned(),
    ];
    {
        let tables = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT IN ('upd', 'sqlite_stat1')";
        let mut tables = connection.prepare(tables).unwrap();
        let names = tables.query_map([], |row| row.get::<_, String>(0)).unwrap();
        sql.extend(
            names.map(|name| format!("ALTER TABLE {} ADD COLUMN added TEXT", name.unwrap())),
        );
    }
    let sql = sql.join("; ");
    let known = STEPS.iter().map(|step| Step { ..*step });
    let readable_from = STEPS.last().unwrap().readable_from;
    let steps: Vec<_> =
        known.chain([Step { schema: next(), readable_from, sql: sql.leak() }]).collect();
    migrate(&mut connection, &steps).unwrap();
    connection.execute("UPDATE upd SET added = 'by the next'", []).unwrap();
}

mod promises {
    use super::{BroughtUp, keeps_every_promise};

    keeps_every_promise!(BroughtUp);
}

#[tokio::test]
async fn what_the_next_release_has_added_stays_and_the_store_is_whole() {
    let backend = InATempDir::fresh().await;
    backend.store.append(request(b"{}"), vec![new_event(&["12025550143"])]).await.unwrap();
    backend.store.close().await;
    bring_up(&backend.path());

    let backend = backend.reopened().await;
    backend.store.append(request(b"{}"), vec![new_event(&["12025550144"])]).await.unwrap();
    for _ in 0..2 {
        let lent = claim(&*backend.store, 1).await[0].lent;
        assert!(
            backend.store.record(vec![(lent, End::Delivered)], AfterDead::Continue).await.unwrap()
        );
    }
    backend.store.close().await;

    let found = check(&backend.path(), None, Depth::Whole).unwrap();
    assert!(found.iter().all(|finding| finding.problems.is_empty()), "{found:?}");
    let connection = Connection::open(backend.path()).unwrap();
    assert_eq!(schema::number(&connection, "schema").unwrap(), Some(next()));
    let mut added = connection.prepare("SELECT added FROM upd ORDER BY id").unwrap();
    let added: Vec<Option<String>> =
        added.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    assert_eq!(added, [Some("by the next".to_owned()), None]);
}
