//! A bridge on free ports, a mock Chatflow, a clock to move.

mod answer;
mod child;
mod collector;
mod disk;
mod said;
mod samples;
pub(crate) mod walk;

pub(crate) use answer::Answer;
pub(crate) use child::{Child, program, serving, to_serve};
pub(crate) use collector::{Collector, Span};
pub(crate) use disk::Disk;
pub(crate) use said::Said;
pub(crate) use samples::{CRM, lead};

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use chatflow_bridge::chatflow::mock::{MockChatflow, MockOptions, SeenRequest};
use chatflow_bridge::clock::{Clock as _, ManualClock, SystemClock};
use chatflow_bridge::mapping::Set;
use chatflow_bridge::server::{Bridge as Running, Mappings, Parts, StartError};
use chatflow_bridge::settings::reload::Offered;
use chatflow_bridge::settings::{Secrets, Sources, load};
use chatflow_bridge::store::Numbers;
use chatflow_bridge::webhook::check_door;
use jiff::Timestamp;
use serde_json::Value;

/// How long a test waits for what must happen.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);
/// The API key that the mock takes.
pub(crate) const KEY: &str = "test-key";

/// A running bridge with all that belongs to it.
pub(crate) struct Bridge {
    running: Running,
    pub(crate) chatflow: MockChatflow,
    pub(crate) clock: Arc<ManualClock>,
    made: Made,
    http: reqwest::Client,
}

/// Where the listeners of a bridge are.
pub(crate) struct Addresses {
    pub(crate) hooks: SocketAddr,
    pub(crate) metrics: SocketAddr,
    pub(crate) admin: SocketAddr,
}

/// What a bridge is made of, so that it can be made again.
struct Made {
    folder: tempfile::TempDir,
    mappings: Vec<(String, String)>,
    variables: Vec<(String, String)>,
    settings: Vec<(&'static str, String)>,
    /// Whether the mappings are files that the bridge follows.
    follows: bool,
}

/// A bridge to be.
pub(crate) struct Builder {
    made: Made,
    mock: MockOptions,
    /// The first moment of its clock.
    begins: Timestamp,
}

impl Bridge {
    /// A bridge with the mapping of the tests' CRM.
    pub(crate) async fn start() -> Self {
        Self::with_mapping("crm", CRM).start().await
    }

    /// A bridge to be, with this mapping.
    pub(crate) fn with_mapping(source: &str, text: &str) -> Builder {
        let made = Made {
            folder: tempfile::tempdir().unwrap(),
            mappings: Vec::new(),
            variables: Vec::new(),
            settings: Vec::new(),
            follows: false,
        };
        let mock = MockOptions { api_key: Some(KEY.to_owned()), ..MockOptions::default() };
        let begins = "2026-11-23T12:00:00Z".parse().unwrap();
        Builder { made, mock, begins }.and_mapping(source, text)
    }

    /// Posts a JSON document to a source.
    pub(crate) async fn post(&self, source: &str, document: &Value) -> Answer {
        self.send(source, &[("content-type", "application/json")], document.to_string()).await
    }

    /// Posts bytes with headers to a source.
    pub(crate) async fn send(
        &self,
        source: &str,
        headers: &[(&str, &str)],
        body: impl Into<reqwest::Body>,
    ) -> Answer {
        let mut request = self.http.post(self.hook(source)).body(body);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        Answer::of(request.send().await.unwrap()).await
    }

    /// The address of a source.
    pub(crate) fn hook(&self, source: &str) -> String {
        format!("http://{}/hooks/{source}", self.running.addresses().hooks)
    }

    /// The HTTP client of the tests.
    pub(crate) fn http(&self) -> &reqwest::Client {
        &self.http
    }

    /// The folder of the store.
    pub(crate) fn folder(&self) -> &Path {
        self.made.folder.path()
    }

    /// The folder of the mappings, where the bridge follows one.
    pub(crate) fn mappings(&self) -> std::path::PathBuf {
        self.folder().join("mappings")
    }

    /// The mappings in force, to be replaced without a folder.
    pub(crate) fn live(&self) -> &Arc<chatflow_bridge::settings::reload::Live> {
        self.running.mappings()
    }

    /// The token of the admin API.
    pub(crate) fn admin_token(&self) -> String {
        self.running.admin_token().unwrap().expose().to_owned()
    }

    /// The addresses of the listeners.
    pub(crate) fn addresses(&self) -> Addresses {
        let addresses = self.running.addresses();
        let admin = addresses.admin.expect("the admin API is on");
        Addresses { hooks: addresses.hooks, metrics: addresses.metrics, admin }
    }

    /// What the admin API gives for a path.
    pub(crate) async fn admin(&self, path: &str) -> Answer {
        let url = format!("http://{}{path}", self.addresses().admin);
        let request = self.http.get(url).bearer_auth(self.admin_token());
        Answer::of(request.send().await.unwrap()).await
    }

    /// What the admin API answers to a change.
    pub(crate) async fn change(&self, path: &str, body: &Value) -> Answer {
        let url = format!("http://{}{path}", self.addresses().admin);
        let request = self.http.post(url).bearer_auth(self.admin_token());
        Answer::of(request.json(body).send().await.unwrap()).await
    }

    /// What the listener for machines gives for a path.
    pub(crate) async fn observe(&self, path: &str) -> Answer {
        let url = format!("http://{}{path}", self.running.addresses().metrics);
        Answer::of(self.http.get(url).send().await.unwrap()).await
    }

    /// The value of one series of the metrics page, 0 where there is none.
    pub(crate) async fn metric(&self, series: &str) -> f64 {
        let page = self.observe("/metrics").await.text;
        let series = format!("chatflow_bridge_{series} ");
        page.lines()
            .find_map(|line| line.strip_prefix(&series))
            .map_or(0.0, |value| value.trim().parse().unwrap())
    }

    /// The updates in a state, youngest first.
    pub(crate) async fn updates(&self, state: &str) -> Vec<Value> {
        let answer = self.admin(&format!("/api/updates?state={state}")).await;
        answer.json()["updates"].as_array().unwrap().clone()
    }

    /// What there is in the store.
    pub(crate) async fn numbers(&self) -> Numbers {
        self.running.store().numbers().await.unwrap()
    }

    /// The rules of the updates that were stored for an event.
    pub(crate) async fn stored_rules(&self, id: &str) -> Vec<String> {
        let event = self.running.store().event(id.parse().unwrap()).await.unwrap().unwrap();
        event.updates.into_iter().map(|row| row.rule).collect()
    }

    /// Waits until nothing is due and nothing is in flight.
    pub(crate) async fn drain(&self) {
        self.until(|numbers| numbers.ready == 0 && numbers.in_flight == 0).await;
    }

    /// Waits until the store's numbers are as wanted.
    pub(crate) async fn until(&self, wanted: impl Fn(&Numbers) -> bool) {
        let begun = std::time::Instant::now();
        loop {
            let numbers = self.numbers().await;
            if wanted(&numbers) {
                return;
            }
            assert!(begun.elapsed() < PATIENCE, "it did not come to pass: {numbers:?}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Waits until a series has this value.
    pub(crate) async fn until_metric(&self, series: &str, value: f64) {
        let begun = std::time::Instant::now();
        while (self.metric(series).await - value).abs() > f64::EPSILON {
            assert!(begun.elapsed() < PATIENCE, "{series} did not become {value}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Moves the clock until delivery is not paused any more.
    pub(crate) async fn resumed(&self) {
        let begun = std::time::Instant::now();
        while self.metric("paused{reason=\"unauthorized\"}").await > 0.0 {
            assert!(begun.elapsed() < PATIENCE, "delivery did not resume");
            self.clock.advance(Duration::from_mins(1));
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// The PUTs that the API saw, in order.
    pub(crate) fn puts(&self) -> Vec<SeenRequest> {
        self.chatflow.requests().into_iter().filter(|request| request.method == "PUT").collect()
    }

    /// Stops the bridge and starts it again on the same store, against the same API.
    pub(crate) async fn restart(self) -> Self {
        self.restart_after(|_| {}).await
    }

    /// The same; `meanwhile` is done to the bridge's folder while it does not run.
    pub(crate) async fn restart_after(self, meanwhile: impl FnOnce(&Path)) -> Self {
        let Self { running, chatflow, clock, made, http } = self;
        running.stop().await;
        meanwhile(made.folder.path());
        let running = launch(&made, &chatflow, &clock).await.unwrap();
        Self { running, chatflow, clock, made, http }
    }

    /// The same with another mapping for a source.
    pub(crate) async fn restart_with(mut self, source: &str, text: &str) -> Self {
        let file = format!("{source}.yaml");
        self.made.mappings.retain(|(name, _)| *name != file);
        self.made.mappings.push((file, text.to_owned()));
        self.restart().await
    }

    /// Ends the test, and gives what is done once the bridge has stopped, while its folder is still there.
    pub(crate) async fn end_and<T>(self, then: impl FnOnce() -> T) -> T {
        let Self { running, chatflow, made, .. } = self;
        tokio::time::timeout(PATIENCE, running.stop()).await.expect("it stops");
        chatflow.stop().await;
        let given = then();
        drop(made);
        given
    }

    /// Ends the test: the balance holds, and the bridge stops in time.
    pub(crate) async fn end(self) {
        drop(self.end_and_keep().await);
    }

    /// The same; what it leaves on disk stays for as long as what this gives.
    pub(crate) async fn end_and_keep(self) -> tempfile::TempDir {
        let numbers = self.numbers().await;
        assert_eq!(numbers.imbalance(), 0, "{numbers:?}");
        tokio::time::timeout(PATIENCE, self.running.stop()).await.expect("it stops");
        self.chatflow.stop().await;
        self.made.folder
    }
}

impl Builder {
    /// One mapping more.
    pub(crate) fn and_mapping(mut self, source: &str, text: &str) -> Self {
        self.made.mappings.push((format!("{source}.yaml"), text.to_owned()));
        self
    }

    /// With the mappings as files in a folder that the bridge follows.
    pub(crate) fn following_a_folder(mut self) -> Self {
        let folder = self.made.folder.path().join("mappings");
        std::fs::create_dir(&folder).unwrap();
        for (name, text) in &self.made.mappings {
            std::fs::write(folder.join(name), text).unwrap();
        }
        self.made.follows = true;
        self
    }

    /// On a copy of the store in this file, and with the mappings that it kept: their folder is empty.
    pub(crate) fn on_the_store(self, file: &Path) -> Self {
        std::fs::copy(file, store(self.made.folder.path())).unwrap();
        for (name, _) in &self.made.mappings {
            std::fs::remove_file(self.made.folder.path().join("mappings").join(name)).unwrap();
        }
        self
    }

    /// With an environment variable that mappings can take a secret from.
    pub(crate) fn with_variable(mut self, name: &str, value: &str) -> Self {
        self.made.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    /// With a setting.
    pub(crate) fn with_setting(mut self, key: &'static str, value: &str) -> Self {
        self.made.settings.push((key, value.to_owned()));
        self
    }

    /// With a mock that knows these tags only.
    pub(crate) fn knowing_tags(mut self, tags: &[&str]) -> Self {
        self.mock.known_tags = Some(tags.iter().map(|&tag| tag.to_owned()).collect());
        self
    }

    /// Has its clock begin with this moment, for what it leaves to programs that have the machine's clock.
    pub(crate) fn beginning_now(mut self) -> Self {
        self.begins = SystemClock.now();
        self
    }

    /// Starts it.
    pub(crate) async fn start(self) -> Bridge {
        self.try_start().await.unwrap_or_else(|error| panic!("it starts: {error}"))
    }

    /// Starts it, or says why not.
    pub(crate) async fn try_start(self) -> Result<Bridge, StartError> {
        let chatflow = MockChatflow::start(self.mock).unwrap();
        let clock = ManualClock::at(self.begins);
        let running = launch(&self.made, &chatflow, &clock).await?;
        let http = client();
        Ok(Bridge { running, chatflow, clock, made: self.made, http })
    }
}

async fn launch(
    made: &Made,
    chatflow: &MockChatflow,
    clock: &Arc<ManualClock>,
) -> Result<Running, StartError> {
    let here = "127.0.0.1:0".to_owned();
    let mut settings = vec![
        ("server.hooks", here.clone()),
        ("server.metrics", here.clone()),
        ("server.admin", here),
        ("server.drain_delay", "0".to_owned()),
        ("chatflow.base_url", chatflow.base_url()),
        ("chatflow.api_key", KEY.to_owned()),
        ("store.url", format!("sqlite:{}", store(made.folder.path()).display())),
        ("store.min_free", "0".to_owned()),
    ];
    let folder = made.folder.path().join("mappings");
    if made.follows {
        settings.push(("mappings.dir", folder.display().to_string()));
    }
    settings.extend(made.settings.iter().cloned());
    let flags = settings.into_iter().map(|(key, value)| (key, value, "test")).collect();
    let (settings, _) = load(&Sources { flags, ..Sources::default() }).unwrap();
    let mappings = if made.follows {
        Mappings::Folder(Offered::read(&folder))
    } else {
        let read = Set::read_with(made.mappings.clone(), &check_door);
        let set = read.set.unwrap_or_else(|| panic!("the mapping is right: {:?}", read.reports));
        Mappings::Set(Arc::new(set))
    };
    Running::start(Parts {
        settings,
        mappings,
        secrets: Arc::new(Secrets::new(made.variables.clone())),
        clock: Arc::<ManualClock>::clone(clock),
    })
    .await
}

/// A client that goes nowhere but where it is sent.
pub(crate) fn client() -> reqwest::Client {
    chatflow_bridge::chatflow::install_tls();
    reqwest::Client::builder().no_proxy().timeout(PATIENCE).build().unwrap()
}

/// The store's file in a test's folder.
pub(crate) fn store(folder: &Path) -> std::path::PathBuf {
    folder.join("bridge.db")
}
