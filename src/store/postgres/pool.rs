//! Connections: made when they are needed, at most so many at once, thrown away after an error.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{Semaphore, SemaphorePermit};
use tokio_postgres::{Client, Config, Connection, Socket};
use tokio_util::task::TaskTracker;

use super::address::Place;
use super::failure::failed;
use super::tls::{Secured, Tls};
use crate::store::Error;

/// How long a new connection may take.
const CONNECT: Duration = Duration::from_secs(3);

/// How long to wait for one that others have.
const TURN: Duration = Duration::from_secs(5);

/// How long after a failure nothing is tried: it doubles up to the longest, and is scattered by half.
const FIRST_REST: Duration = Duration::from_millis(100);
const LONGEST_REST: Duration = Duration::from_secs(2);

/// Makes connections.
pub(super) struct Connector {
    config: Config,
    tls: Tls,
    password_file: Option<PathBuf>,
    tasks: TaskTracker,
}

impl Connector {
    pub(super) fn new(place: &Place) -> Result<Self, Error> {
        let Place { address, password_file, ca_file, .. } = place;
        let mut config = address.config.clone();
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(CONNECT);
        }
        config.keepalives_idle(Duration::from_secs(30));
        Ok(Self {
            config,
            tls: Tls::new(address.trust, ca_file.as_deref())?,
            password_file: password_file.clone(),
            tasks: TaskTracker::new(),
        })
    }

    /// A new connection, with the password as it is in its file now. Whoever takes it drives the second part.
    pub(super) async fn connect(&self) -> Result<(Client, Connection<Socket, Secured>), Error> {
        let mut config = self.config.clone();
        if let Some(path) = &self.password_file {
            let password = tokio::fs::read(path).await.map_err(|error| {
                Error::Away(format!("`store.password_file` `{}`: {error}", path.display()))
            })?;
            config.password(password.trim_ascii_end());
        }
        let connecting = config.connect(self.tls.clone());
        let limit = CONNECT + Duration::from_secs(2);
        match tokio::time::timeout(limit, connecting).await {
            Ok(connected) => connected.map_err(|error| failed(&error)),
            Err(_) => Err(Error::Away("PostgreSQL does not answer".to_owned())),
        }
    }

    /// The same, driven.
    async fn client(&self) -> Result<Client, Error> {
        let (client, connection) = self.connect().await?;
        self.tasks.spawn(async move {
            // Whoever uses the connection is told by what it asked.
            drop(connection.await);
        });
        Ok(client)
    }
}

/// When to try again after failures.
#[derive(Default)]
struct Rest {
    until: Option<Instant>,
    last: Option<(Duration, Error)>,
}

/// Connections for all who ask.
pub(super) struct Pool {
    pub(super) connector: Connector,
    places: Semaphore,
    idle: Mutex<Vec<Client>>,
    rest: Mutex<Rest>,
    /// What begins each transaction.
    pub(super) begin: String,
}

impl Pool {
    pub(super) fn new(place: &Place) -> Result<Self, Error> {
        Ok(Self {
            connector: Connector::new(place)?,
            places: Semaphore::new(place.connections.max(1)),
            idle: Mutex::default(),
            rest: Mutex::default(),
            begin: begin(&place.address.schema),
        })
    }

    /// A connection that nobody else has.
    pub(super) async fn get(&self) -> Result<Held<'_>, Error> {
        let place = match tokio::time::timeout(TURN, self.places.acquire()).await {
            Ok(place) => place.map_err(|_| Error::Closed)?,
            Err(_) => return Err(Error::Busy),
        };
        loop {
            let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
            match idle {
                Some(client) if client.is_closed() => {}
                Some(client) => return Ok(Held { client, pool: self, _place: place }),
                None => break,
            }
        }
        self.may_try()?;
        let made = self.connector.client().await;
        let mut rest = self.rest.lock().unwrap_or_else(PoisonError::into_inner);
        match made {
            Ok(client) => {
                *rest = Rest::default();
                Ok(Held { client, pool: self, _place: place })
            }
            Err(error) => {
                let last = rest.last.take().map(|(time, _)| time);
                let time = last.map_or(FIRST_REST, |last| (last * 2).min(LONGEST_REST));
                rest.until = Some(Instant::now() + scattered(time));
                rest.last = Some((time, error.clone()));
                Err(error)
            }
        }
    }

    /// Shortly after a failure everybody is told the same, and the server has its rest.
    fn may_try(&self) -> Result<(), Error> {
        let rest = self.rest.lock().unwrap_or_else(PoisonError::into_inner);
        match (&rest.until, &rest.last) {
            (Some(until), Some((_, error))) if Instant::now() < *until => Err(error.clone()),
            _ => Ok(()),
        }
    }

    /// Nothing more is given; what is idle is closed.
    pub(super) fn close(&self) {
        self.places.close();
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

/// A connection in somebody's hands. Dropped, it is closed: nobody knows what was left on it.
pub(super) struct Held<'a> {
    pub(super) client: Client,
    pub(super) pool: &'a Pool,
    _place: SemaphorePermit<'a>,
}

impl Held<'_> {
    /// Gives it to the next: nothing is left on it.
    pub(super) fn give_back(self) {
        if !self.client.is_closed() && !self.pool.places.is_closed() {
            self.pool.idle.lock().unwrap_or_else(PoisonError::into_inner).push(self.client);
        }
    }
}

/// Half of a time, and up to as much again: so that not all come back at once.
pub(super) fn scattered(time: Duration) -> Duration {
    let mut byte = [0];
    // Without chance they come back together, which is no error.
    getrandom::fill(&mut byte).unwrap_or_default();
    time / 2 + time * u32::from(byte[0]) / 512
}

/// What begins a transaction: all that it needs is set in it and ends with it, so that a pooler may give the next one
/// another connection.
///
/// - On an empty table the planner takes sequential scans, and a scan where there is no other way is so dear to it
///   that it would compile the statement first.
/// - A process that is stopped in a transaction holds locks: the server ends it before others give up.
fn begin(schema: &str) -> String {
    let mut begin = "BEGIN".to_owned();
    for (name, value) in [
        ("search_path", schema),
        ("enable_seqscan", "off"),
        ("jit", "off"),
        ("synchronous_commit", "on"),
        ("statement_timeout", "10s"),
        ("lock_timeout", "8s"),
        ("idle_in_transaction_session_timeout", "5s"),
    ] {
        // Writing to a text does not fail.
        write!(begin, "; SET LOCAL {name} = '{value}'").unwrap_or_default();
    }
    begin
}
