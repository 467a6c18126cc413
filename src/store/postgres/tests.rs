//! What only this store promises; the rest is in `conformance`.

#[path = "../../../tests/support/postgres.rs"]
mod server;

use std::sync::Arc;

use jiff::Timestamp;

use self::server::{Database, Server};
use super::{Address, Place, PostgresStore};
use crate::clock::{ManualClock, SharedClock};
use crate::store::conformance::{Backend, keeps_every_promise};
use crate::store::{Error, Store, StoreSettings};
use crate::telemetry::metrics::Metrics;

/// A store in a database of its own, which goes with it.
pub(super) struct InADatabase {
    pub(super) store: Arc<PostgresStore>,
    pub(super) clock: Arc<ManualClock>,
    settings: StoreSettings,
    pub(super) database: Database<'static>,
}

/// The server of this process.
fn server() -> &'static Server {
    Server::shared().expect("PostgreSQL is installed")
}

pub(super) fn place(database: &Database<'_>) -> Place {
    let address: Address = database.url().parse().unwrap();
    Place { connections: 6, ..Place::new(address) }
}

pub(super) async fn open(
    database: &Database<'_>,
    settings: &StoreSettings,
    clock: &Arc<ManualClock>,
) -> Result<Arc<PostgresStore>, Error> {
    let metrics = Arc::new(Metrics::new().unwrap());
    let clock = Arc::clone(clock) as SharedClock;
    PostgresStore::open(&place(database), settings, clock, metrics).await
}

impl Backend for InADatabase {
    type Store = PostgresStore;

    async fn with(settings: StoreSettings) -> Self {
        let database = server().database();
        let clock = ManualClock::at(Timestamp::from_second(1_800_000_000).unwrap());
        let store = open(&database, &settings, &clock).await.unwrap();
        Self { store, clock, settings, database }
    }

    async fn reopened(self) -> Self {
        self.store.close().await;
        let store = open(&self.database, &self.settings, &self.clock).await.unwrap();
        Self { store, ..self }
    }

    fn store(&self) -> &Arc<Self::Store> {
        &self.store
    }

    fn clock(&self) -> &ManualClock {
        &self.clock
    }

    /// What a disk without room says, at the commit.
    async fn fill_the_disk(&self) {
        self.database.execute(
            "SET search_path = chatflow_bridge;
             CREATE FUNCTION is_full() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
             IF length(to_jsonb(NEW)::text) > 8192
             THEN RAISE 'could not extend file: No space left on device' USING ERRCODE = 'disk_full';
             END IF; RETURN NEW; END $$;
             CREATE CONSTRAINT TRIGGER full_request AFTER INSERT ON request
             DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION is_full();
             CREATE CONSTRAINT TRIGGER full_mapping AFTER INSERT ON mapping
             DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION is_full();",
        );
    }

    async fn mend_the_disk(&self) {
        self.database.execute("DROP FUNCTION chatflow_bridge.is_full CASCADE");
    }
}

mod promises {
    use super::{InADatabase, keeps_every_promise};

    keeps_every_promise!(InADatabase);
}
