//! What stands before the replicas in a cluster: a Service, which sends each connection to one of those that are ready.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use crate::harness::{Child, client};

/// How often readiness is asked for.
const LOOKS: Duration = Duration::from_millis(100);

/// Where a replica listens.
#[derive(Clone, PartialEq, Eq)]
struct Place {
    hooks: String,
    metrics: String,
}

#[derive(Default)]
struct Endpoints {
    all: Vec<Place>,
    ready: Vec<String>,
    turn: usize,
}

/// A Service: one address, and behind it the replicas that are ready.
pub(crate) struct Service {
    /// Where senders post.
    pub(crate) address: String,
    endpoints: Arc<Mutex<Endpoints>>,
    // Ends with the test.
    _tasks: JoinSet<()>,
}

impl Service {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let endpoints = Arc::new(Mutex::new(Endpoints::default()));
        let mut tasks = JoinSet::new();
        tasks.spawn(forward(listener, Arc::clone(&endpoints)));
        tasks.spawn(look(Arc::clone(&endpoints)));
        Self { address, endpoints, _tasks: tasks }
    }

    /// One more replica: it gets connections as long as it is ready.
    pub(crate) fn add(&self, child: &Child) {
        let place = Place { hooks: child.hooks.clone(), metrics: child.metrics.clone() };
        self.endpoints.lock().unwrap().all.push(place);
    }

    /// A replica is gone.
    pub(crate) fn remove(&self, hooks: &str) {
        let mut endpoints = self.endpoints.lock().unwrap();
        endpoints.all.retain(|place| place.hooks != hooks);
        endpoints.ready.retain(|ready| ready != hooks);
    }

    /// Returns when so many are ready.
    pub(crate) async fn has_ready(&self, count: usize) {
        while self.endpoints.lock().unwrap().ready.len() != count {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

async fn look(endpoints: Arc<Mutex<Endpoints>>) {
    let http = client();
    loop {
        let all = endpoints.lock().unwrap().all.clone();
        for place in all {
            let answer = http.get(format!("http://{}/readyz", place.metrics)).send().await;
            let is_ready = answer.is_ok_and(|answer| answer.status() == 200);
            let mut endpoints = endpoints.lock().unwrap();
            endpoints.ready.retain(|ready| *ready != place.hooks);
            if is_ready && endpoints.all.contains(&place) {
                endpoints.ready.push(place.hooks);
            }
        }
        tokio::time::sleep(LOOKS).await;
    }
}

async fn forward(listener: TcpListener, endpoints: Arc<Mutex<Endpoints>>) {
    let mut open = JoinSet::new();
    loop {
        let (mut sender, _) = listener.accept().await.unwrap();
        while open.try_join_next().is_some() {}
        let to = {
            let mut endpoints = endpoints.lock().unwrap();
            endpoints.turn += 1;
            let turn = endpoints.turn;
            let ready = &endpoints.ready;
            (!ready.is_empty()).then(|| ready[turn % ready.len()].clone())
        };
        // Nobody is ready: the connection is dropped, as a Service without endpoints does.
        let Some(to) = to else { continue };
        open.spawn(async move {
            let Ok(mut replica) = TcpStream::connect(to).await else { return };
            drop(tokio::io::copy_bidirectional(&mut sender, &mut replica).await);
        });
    }
}
