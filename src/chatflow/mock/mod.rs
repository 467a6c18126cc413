//! The API as its reference says, for tests, demos and benchmarks; it fails when told to.
//!
//! `answer` routes a request to `book`, which keeps the contacts by the reference's rules (`change` reads what a
//! request says, `search` finds); `fault` decides which requests go wrong and how; `seen` remembers the requests;
//! `server` is the HTTP around them; `wire` narrows the forms that are understood.
//!
//! # What it is strict about
//!
//! What the reference leaves open, nobody may rely on: a PUT with `tags` beside `tagsToAdd` or `tagsToRemove`, or with
//! one tag in both lists, is refused with 400, as is a mobile that another contact has. Where `known_tags` or
//! `known_attributes` are told, a request that names any other is refused whole. A search by name, mobile or
//! attribute finds what *contains* the text (unless [`Search::Exact`]), so that who takes the first hit goes wrong.
//! Both error envelopes are used: `success`/`error` for 401 and 429, `status`/`message` for the rest.
//!
//! # From outside
//!
//! The same listener has a second door, without a key, for tests that run the mock in a process of its own:
//!
//! | request | |
//! | --- | --- |
//! | `GET /_mock/requests` | the requests seen, as an array of [`SeenRequest`]; `?after=N` only those with `at` above N |
//! | `GET /_mock/contacts` | every contact, as the API shows it |
//! | `POST /_mock/contacts` | a [`Seed`], answered with the contact |
//! | `POST /_mock/faults` | an array of [`Fault`]s, in place of those before; `[]` ends them |
//! | `POST /_mock/key` | `{"key": "…"}`: the only key that is taken from now on; `{"key": null}` takes any |

mod answer;
mod book;
mod change;
mod contact;
mod fault;
mod search;
mod seen;
mod server;
mod wire;

#[cfg(test)]
mod tests;

pub use contact::{MockContact, Seed};
pub use fault::{Fault, FaultAnswer, Faults};
pub use search::Search;
pub use seen::SeenRequest;
pub use wire::{Misread, Understands};

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use actix_web::dev::ServerHandle;

use crate::contact::ContactId;
use book::Book;
use seen::Seen;

/// How the mock behaves.
#[derive(Debug, Clone)]
pub struct MockOptions {
    /// Where it listens; port 0 picks one.
    pub addr: SocketAddr,
    /// The one key that is taken; without it any is, though one has to be shown.
    pub api_key: Option<String>,
    /// The tags that exist in Settings; without it any may be used.
    pub known_tags: Option<Vec<String>>,
    /// The attributes that exist in Settings; without it any may be used.
    pub known_attributes: Option<Vec<String>>,
    /// How long every answer takes.
    pub delay: Duration,
    /// Whether requests are remembered (the last 200,000); a benchmark does without.
    pub record: bool,
    /// Whether a PUT to an id that is not known makes the contact, for benchmarks: every id exists.
    pub create_unknown: bool,
    /// How a search compares.
    pub search: Search,
    /// The only wire forms that are understood; without it all that the reference allows are.
    pub understands: Option<Understands>,
    /// Threads that serve.
    pub workers: usize,
}

impl Default for MockOptions {
    fn default() -> Self {
        Self {
            addr: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            api_key: None,
            known_tags: None,
            known_attributes: None,
            delay: Duration::ZERO,
            record: true,
            create_unknown: false,
            search: Search::Containing,
            understands: None,
            workers: 1,
        }
    }
}

/// What the handle and the server share.
struct Shared {
    book: Mutex<Book>,
    key: Mutex<Option<String>>,
    faults: Faults,
    seen: Seen,
    served: AtomicU64,
    /// Requests that are to take effect though nobody may wait for them any more.
    landing: AtomicU64,
    delay: Duration,
}

impl Shared {
    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set_key(&self, key: Option<String>) {
        *self.key.lock().unwrap_or_else(PoisonError::into_inner) = key;
    }

    fn takes_key(&self, shown: &str) -> bool {
        let key = self.key.lock().unwrap_or_else(PoisonError::into_inner);
        key.as_deref().map_or(!shown.is_empty(), |key| key == shown)
    }
}

/// A mock that runs, on threads of its own, until it is stopped or dropped.
pub struct MockChatflow {
    shared: Arc<Shared>,
    address: SocketAddr,
    server: ServerHandle,
}

impl MockChatflow {
    /// Starts a mock; it listens when this returns.
    pub fn start(options: MockOptions) -> io::Result<Self> {
        let shared = Arc::new(Shared {
            book: Mutex::new(Book::new(&options)),
            key: Mutex::new(options.api_key),
            faults: Faults::default(),
            seen: Seen::new(options.record),
            served: AtomicU64::new(0),
            landing: AtomicU64::new(0),
            delay: options.delay,
        });
        let (address, server) = server::start(Arc::clone(&shared), options.addr, options.workers)?;
        Ok(Self { shared, address, server })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The setting `chatflow.base_url` for it.
    pub fn base_url(&self) -> String {
        format!("http://{}/api/v1", self.address)
    }

    /// Every contact, in the order they were made.
    pub fn contacts(&self) -> Vec<MockContact> {
        self.shared.book().contacts().cloned().collect()
    }

    /// The contact with this id.
    pub fn contact(&self, id: &ContactId) -> Option<MockContact> {
        self.shared.book().contact(id.as_str()).cloned()
    }

    /// The contact with this number, dialing code included.
    pub fn contact_by_mobile(&self, mobile: &str) -> Option<MockContact> {
        let book = self.shared.book();
        book.contacts().find(|contact| contact.numbers().any(|number| number == mobile)).cloned()
    }

    /// Adds a contact as it is, without asking whether its tags or its number may be.
    pub fn add_contact(&self, seed: Seed) -> ContactId {
        self.shared.book().seed(seed).id.clone()
    }

    /// The requests seen so far, in the order they came.
    pub fn requests(&self) -> Vec<SeenRequest> {
        self.shared.seen.all()
    }

    /// Forgets the requests seen so far.
    pub fn forget_requests(&self) {
        self.shared.seen.forget();
    }

    /// How many requests were answered, remembered or not.
    pub fn served(&self) -> u64 {
        self.shared.served.load(Ordering::Relaxed)
    }

    /// How many requests are yet to take effect, whether their senders wait for it or not
    /// ([`Fault::landing_after`]).
    pub fn landing(&self) -> u64 {
        self.shared.landing.load(Ordering::SeqCst)
    }

    /// Waits until the requests seen are enough, and gives them; nothing if they are not within `timeout`. It looks
    /// whenever a request came and whenever one was answered.
    pub async fn wait_for(
        &self,
        enough: impl Fn(&[SeenRequest]) -> bool,
        timeout: Duration,
    ) -> Option<Vec<SeenRequest>> {
        tokio::time::timeout(timeout, self.shared.seen.until(enough)).await.ok()
    }

    /// What goes wrong, to be added to.
    pub fn faults(&self) -> &Faults {
        &self.shared.faults
    }

    /// The only key that is taken from now on; any if there is none.
    pub fn set_key(&self, key: Option<&str>) {
        self.shared.set_key(key.map(str::to_owned));
    }

    /// Stops it; connections are cut.
    pub async fn stop(self) {
        self.server.stop(false).await;
    }
}

impl Drop for MockChatflow {
    fn drop(&mut self) {
        // The command is on its way when `stop` returns; nobody has to wait for the end.
        drop(self.server.stop(false));
    }
}
