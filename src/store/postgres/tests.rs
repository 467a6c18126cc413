//! What only this store promises; the rest is in `conformance`.

#[expect(dead_code, reason = "shared with the tests of the program, which use the rest")]
#[path = "../../../tests/support/postgres.rs"]
mod server;

mod exchange;
mod house;
mod kills;
mod opening;
mod plans;
mod replicas;

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use jiff::Timestamp;

use self::server::{Database, Server};
use super::{Address, Place, PostgresStore};
use crate::clock::{ManualClock, SharedClock};
use crate::contact::{ContactUpdate, Mobile, OnMissing, PlannedUpdate, Target, Who};
use crate::event::SourceName;
use crate::store::conformance::{Backend, keeps_every_promise, roomy};
use crate::store::{Dedupe, Error, NewEvent, NewState, NewUpdate, Request, Store, StoreSettings};
use crate::telemetry::metrics::Metrics;
use crate::units::ByteSize;

/// A store in tables of its own, beside those of all other tests.
pub(super) struct InADatabase {
    pub(super) store: Arc<PostgresStore>,
    pub(super) clock: Arc<ManualClock>,
    settings: StoreSettings,
    place: Place,
}

/// Whether there is no PostgreSQL here; where there has to be one, that is no way out.
fn is_left_out() -> bool {
    Server::shared().is_none()
}

/// The server of this process.
fn server() -> &'static Server {
    Server::shared().expect("PostgreSQL is installed")
}

/// The database that all tests share, each with a schema of its own. No test here pulls the plug.
fn database() -> &'static Database<'static> {
    static SHARED: OnceLock<Database<'static>> = OnceLock::new();
    SHARED.get_or_init(|| {
        let database = server().database();
        database.execute("ALTER SYSTEM SET fsync = off");
        database.execute("SELECT pg_reload_conf()");
        database
    })
}

/// Room for one more store.
fn place() -> Place {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    let url = format!("{}?schema=test_{number}", database().url());
    Place { connections: 5, ..Place::new(url.parse::<Address>().unwrap()) }
}

fn clock() -> Arc<ManualClock> {
    ManualClock::at(Timestamp::from_second(1_800_000_000).unwrap())
}

async fn open(
    place: &Place,
    settings: &StoreSettings,
    clock: &Arc<ManualClock>,
) -> Result<Arc<PostgresStore>, Error> {
    let metrics = Arc::new(Metrics::new().unwrap());
    let clock = Arc::clone(clock) as SharedClock;
    PostgresStore::open(place, settings, clock, metrics).await
}

/// Runs SQL beside the stores, in their tables.
fn execute(place: &Place, sql: &str) -> String {
    let schema = &place.address.schema;
    database()
        .execute(&format!("SET search_path = {schema}; SET client_min_messages = error; {sql}"))
}

/// Waits until SQL beside the stores gives this.
async fn until(place: &Place, sql: &str, wanted: &str) {
    let begun = std::time::Instant::now();
    loop {
        let found = execute(place, sql);
        if found == wanted {
            return;
        }
        assert!(begun.elapsed() < Duration::from_secs(30), "{sql}: {found}, not {wanted}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

fn mobile(contact: u16) -> Mobile {
    Mobile::try_from(format!("1202555{contact:05}")).unwrap()
}

/// An event with one update of contact number `contact` that sets the name.
fn event(contact: u16, name: &str) -> NewEvent {
    let target = Target { who: Who::Mobile(mobile(contact)), on_missing: OnMissing::Dead };
    let update = ContactUpdate { name: Some(name.to_owned()), ..ContactUpdate::default() };
    let state = NewState::Waiting(Box::new(PlannedUpdate::new(target, update)));
    NewEvent {
        source: SourceName::try_from("crm").unwrap(),
        item: 0,
        dedupe: None,
        event_type: None,
        occurred_at: None,
        trace: None,
        control: false,
        updates: vec![NewUpdate { rule: "lead".into(), item: 0, state }],
    }
}

/// The same with an id of its sender.
fn keyed(contact: u16, name: &str) -> NewEvent {
    let dedupe = Dedupe { id: name.to_owned(), window: Duration::from_hours(1) };
    NewEvent { dedupe: Some(dedupe), ..event(contact, name) }
}

fn request() -> Request {
    Request { method: "POST".to_owned(), body: b"{}".to_vec().into(), ..Request::default() }
}

impl Backend for InADatabase {
    type Store = PostgresStore;

    fn is_left_out() -> bool {
        is_left_out()
    }

    async fn with(settings: StoreSettings) -> Self {
        let (place, clock) = (place(), clock());
        let store = open(&place, &settings, &clock).await.unwrap();
        Self { store, clock, settings, place }
    }

    async fn reopened(self) -> Self {
        self.store.close().await;
        let store = open(&self.place, &self.settings, &self.clock).await.unwrap();
        Self { store, ..self }
    }

    fn store(&self) -> &Arc<Self::Store> {
        &self.store
    }

    fn clock(&self) -> &ManualClock {
        &self.clock
    }

    /// The disk is the server's: nobody here can see how much of it is free.
    fn without_room() -> Vec<StoreSettings> {
        vec![StoreSettings { max_size: ByteSize(1), ..roomy() }]
    }

    /// What the server says at a commit for which its disk has no room.
    async fn fill_the_disk(&self) {
        execute(
            &self.place,
            "CREATE FUNCTION is_full() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
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
        execute(&self.place, "DROP FUNCTION is_full CASCADE");
    }
}

mod promises {
    use super::{InADatabase, keeps_every_promise};

    keeps_every_promise!(InADatabase);
}
