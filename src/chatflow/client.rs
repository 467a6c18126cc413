//! One method an endpoint.

use std::collections::HashSet;
use std::error::Error as _;
use std::path::PathBuf;
use std::sync::{Arc, LazyLock};
use std::{fmt, io};

use arc_swap::ArcSwap;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use reqwest::{Method, RequestBuilder, Url};

use super::contact::Contact;
use super::failure::Failure;
use super::request::{self, NewContact};
use super::response::{self, Said};
use super::settings::{BaseUrl, ChatflowSettings, OnDuplicatePlace, WireSettings};
use super::tally::{Operation, Tally};
use super::{spelling, tls};
use crate::contact::{ContactId, ContactUpdate, Mobile};
use crate::secret::Secret;
use crate::telemetry::metrics::Metrics;

/// As many contacts as a page of a search has; the API gives no more.
const PAGE: usize = 25;

/// As many pages of a search as are read: a search that finds more is not the one that was meant.
const MOST_PAGES: usize = 40;

/// A URL that lends its query to be written in.
#[expect(clippy::expect_used, reason = "a constant URL, used by every search")]
static NOWHERE: LazyLock<Url> =
    LazyLock::new(|| Url::parse("http://localhost").expect("a constant URL"));

/// Why no client can be made of the settings, or no key of a text.
#[derive(Debug, thiserror::Error)]
pub enum Unusable {
    /// The certificates cannot be read.
    #[error("`chatflow.ca_file` `{path}` cannot be used: {reason}", path = path.display())]
    CaFile {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The proxy is no URL.
    #[error("`chatflow.proxy` is no URL: expected one such as `http://proxy.example:3128`")]
    Proxy,
    /// The key cannot stand in a header.
    #[error(
        "the API key is empty or has characters that no key has; copy it again from Settings → API & Webhooks"
    )]
    Key,
    /// TLS could not be set up.
    #[error("TLS could not be set up")]
    Tls(#[source] reqwest::Error),
}

/// The API. Clones share connections and key.
#[derive(Clone)]
pub struct Client(Arc<Shared>);

struct Shared {
    http: reqwest::Client,
    base: BaseUrl,
    authorization: ArcSwap<HeaderValue>,
    wire: WireSettings,
    tally: Tally,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Client").field(&self.0.base).finish()
    }
}

impl Client {
    /// A client with this key that keeps up to so many idle connections. `api_key` and `api_key_file` of the
    /// settings are not read here: whoever makes the client knows which of them counts.
    pub fn new(
        settings: &ChatflowSettings,
        key: &Secret,
        connections: usize,
        metrics: Arc<Metrics>,
    ) -> Result<Self, Unusable> {
        Ok(Self(Arc::new(Shared {
            authorization: ArcSwap::from_pointee(authorization(key)?),
            http: tls::http_client(settings, connections)?,
            base: settings.base_url.clone(),
            wire: settings.wire,
            tally: Tally::new(metrics),
        })))
    }

    /// The same with other wire forms and a key of its own from now on.
    #[must_use]
    pub fn saying(&self, wire: WireSettings) -> Self {
        Self(Arc::new(Shared {
            http: self.0.http.clone(),
            base: self.0.base.clone(),
            authorization: ArcSwap::new(self.0.authorization.load_full()),
            wire,
            tally: self.0.tally.clone(),
        }))
    }

    /// Uses another key from the next request on; on an error the old one stays.
    pub fn set_key(&self, key: &Secret) -> Result<(), Unusable> {
        self.0.authorization.store(Arc::new(authorization(key)?));
        Ok(())
    }

    /// `PUT /contacts/{id}`: changes a contact and gives it as it is afterwards, as far as the answer shows it.
    pub async fn update(&self, id: &ContactId, update: &ContactUpdate) -> Result<Contact, Failure> {
        let body = request::update(update, self.0.wire)?;
        let request = self.with_body(Method::PUT, &format!("/contacts/{}", id.as_str()), body);
        self.ask(Operation::Update, request, |said| said.updated(id)).await
    }

    /// `GET /contacts/{id}`.
    pub async fn contact(&self, id: &ContactId) -> Result<Contact, Failure> {
        let request = self.request(Method::GET, &format!("/contacts/{}", id.as_str()));
        self.ask(Operation::Find, request, |said| said.contact(id)).await
    }

    /// `GET /contacts/`: every contact with exactly this number. Only where there is none, the number's other
    /// spelling in messaging (Mexico, Argentina, Brazil) is asked for.
    pub async fn find_by_mobile(&self, mobile: &Mobile) -> Result<Vec<Contact>, Failure> {
        let found = self.with_mobile(mobile.as_str()).await?;
        match spelling::other(mobile) {
            Some(spelled) if found.is_empty() => self.with_mobile(&spelled).await,
            _ => Ok(found),
        }
    }

    async fn with_mobile(&self, digits: &str) -> Result<Vec<Contact>, Failure> {
        self.search(&[("mobile", digits)], |contact| contact.has_mobile(digits)).await
    }

    /// `GET /contacts/`: every contact whose attribute has exactly this value.
    pub async fn find_by_attribute(
        &self,
        name: &str,
        value: &str,
    ) -> Result<Vec<Contact>, Failure> {
        let filters = [("attributes[0][name]", name), ("attributes[0][value]", value)];
        self.search(&filters, |contact| contact.attribute(name) == Some(value)).await
    }

    /// All pages of a search, without what was not meant and without repeats.
    async fn search(
        &self,
        filters: &[(&str, &str)],
        is_meant: impl Fn(&Contact) -> bool,
    ) -> Result<Vec<Contact>, Failure> {
        let mut seen = HashSet::new();
        let mut found = Vec::new();
        for page in 1..=MOST_PAGES {
            let contacts = self.page(filters, page).await?;
            let (count, before) = (contacts.len(), seen.len());
            for contact in contacts {
                if seen.insert(contact.id.as_str().to_ascii_lowercase()) && is_meant(&contact) {
                    found.push(contact);
                }
            }
            // A page without anything new is one that does not heed `page`.
            if count < PAGE || seen.len() == before {
                return Ok(found);
            }
        }
        let words = format!("the search finds more than {} contacts", PAGE * MOST_PAGES);
        Err(Failure::Unclear { status: 200, words })
    }

    async fn page(&self, filters: &[(&str, &str)], page: usize) -> Result<Vec<Contact>, Failure> {
        let request = self.request(Method::GET, &search_path(filters, page));
        self.ask(Operation::Find, request, |said| said.contacts("contacts")).await
    }

    /// `POST /contacts` with `onDuplicate=skip`: the contacts that were made; none if there was one already.
    pub async fn create(&self, new: &NewContact) -> Result<Vec<Contact>, Failure> {
        let body = request::create(new, self.0.wire)?;
        let request = self.with_body(Method::POST, create_path(self.0.wire), body);
        self.ask(Operation::Create, request, |said| said.contacts("createdContacts")).await
    }

    /// A harmless request that shows whether the API answers and takes the key.
    pub async fn probe(&self) -> Result<(), Failure> {
        let request = self.request(Method::GET, "/contacts/?limit=1");
        self.ask(Operation::Find, request, |_| Ok(())).await
    }

    /// `GET /settings/tags`: the tags that exist; nothing where the answer does not tell.
    pub async fn tags(&self) -> Result<Option<Vec<String>>, Failure> {
        let request = self.request(Method::GET, "/settings/tags");
        self.ask(Operation::Find, request, |said| Ok(said.tags())).await
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let authorization = HeaderValue::clone(&self.0.authorization.load());
        let url = format!("{}{path}", self.0.base);
        self.0.http.request(method, url).header(AUTHORIZATION, authorization)
    }

    fn with_body(&self, method: Method, path: &str, body: Vec<u8>) -> RequestBuilder {
        let json = HeaderValue::from_static("application/json");
        self.request(method, path).header(CONTENT_TYPE, json).body(body)
    }

    /// Sends, reads, counts.
    async fn ask<T>(
        &self,
        operation: Operation,
        request: RequestBuilder,
        read: impl FnOnce(&Said) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let call = self.0.tally.begin(operation);
        let answered = async {
            let answer = request.send().await.map_err(|error| self.unsent(&error))?;
            call.answered(answer.status().as_u16());
            read(&response::read(answer).await?)
        }
        .await;
        call.ended(answered.as_ref().err());
        answered
    }

    /// Why no answer began. The errors' own texts hold the URL, and so the number that was looked up: never shown.
    fn unsent(&self, error: &reqwest::Error) -> Failure {
        let host = self.0.base.host();
        if error.is_connect() || error.is_builder() {
            Failure::NotConnected(format!("`{host}`: {}", why_not_connected(error)))
        } else if error.is_timeout() {
            Failure::TimedOut
        } else {
            Failure::Reset
        }
    }
}

/// The header that shows the key.
fn authorization(key: &Secret) -> Result<HeaderValue, Unusable> {
    if key.is_blank() {
        return Err(Unusable::Key);
    }
    let mut value = HeaderValue::from_str(&format!("Bearer {}", key.expose().trim()))
        .map_err(|_| Unusable::Key)?;
    value.set_sensitive(true);
    Ok(value)
}

/// The path of one page of a search.
pub(super) fn search_path(filters: &[(&str, &str)], page: usize) -> String {
    // The oldest first, so that a contact made meanwhile moves no other to a page already read.
    let paging = [("order", "1"), ("limit", &PAGE.to_string()), ("page", &page.to_string())];
    with_query("/contacts/", &[filters, &paging].concat())
}

/// The path at which contacts are created.
pub(super) const fn create_path(wire: WireSettings) -> &'static str {
    match wire.on_duplicate {
        OnDuplicatePlace::Query => "/contacts?onDuplicate=skip",
        OnDuplicatePlace::Body => "/contacts",
    }
}

/// The path with a query, encoded as forms are.
fn with_query(path: &str, pairs: &[(&str, &str)]) -> String {
    let mut url = NOWHERE.clone();
    url.query_pairs_mut().extend_pairs(pairs);
    format!("{path}?{}", url.query().unwrap_or_default())
}

fn why_not_connected(error: &reqwest::Error) -> String {
    if error.is_dns() {
        return "the name could not be resolved".to_owned();
    }
    let mut cause = error.source();
    let mut kind = None;
    while let Some(error) = cause {
        if let Some(error) = error.downcast_ref::<rustls::Error>() {
            return format!("TLS failed: {error}");
        }
        cause = match error.downcast_ref::<io::Error>() {
            // An I/O error that wraps another one is not among the sources of its own.
            Some(error) => {
                kind = Some(error.kind());
                error.get_ref().map(|inner| inner as &dyn std::error::Error)
            }
            None => error.source(),
        };
    }
    match kind {
        Some(kind) => kind.to_string(),
        None if error.is_timeout() => "no connection in time".to_owned(),
        None => "no connection could be made".to_owned(),
    }
}
