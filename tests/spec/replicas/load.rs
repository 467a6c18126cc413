//! Senders that give each event once, and count what they are answered.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use chatflow_bridge::chatflow::mock::Seed;
use chatflow_bridge::contact::ContactId;
use tokio::task::JoinSet;

use crate::harness::{client, lead};

/// How long a sender rests between two events.
const REST: Duration = Duration::from_millis(4);

/// The contact of a sender.
pub(super) fn contact(sender: usize) -> Seed {
    let id = ContactId::try_from(format!("65f0beef{sender:016x}")).unwrap();
    Seed::with_mobile(&format!("1202555{sender:04}")).with_id(id)
}

/// What a sender has seen.
#[derive(Debug, Default, Clone)]
pub(super) struct Sent {
    /// Where its contact is.
    pub(super) path: String,
    /// The steps that were answered 2xx, in order.
    pub(super) taken: Vec<usize>,
    /// What else was answered, or happened to the connection.
    pub(super) refused: Vec<String>,
    /// The longest time between two answers 2xx.
    pub(super) gap: Duration,
}

/// Senders at work.
pub(super) struct Load {
    senders: JoinSet<Sent>,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    stop: AtomicBool,
    /// How many events were answered 2xx.
    taken: AtomicUsize,
}

impl Load {
    /// So many senders post to `address`, each about a contact of its own; every other one opens a connection for
    /// each event.
    pub(super) fn begin(address: &str, senders: usize) -> Self {
        let shared = Arc::new(Shared::default());
        let mut all = JoinSet::new();
        for number in 0..senders {
            let url = format!("http://{address}/hooks/crm");
            all.spawn(send(url, contact(number), number % 2 == 0, Arc::clone(&shared)));
        }
        Self { senders: all, shared }
    }

    /// Returns when so many events more were answered 2xx.
    pub(super) async fn takes(&self, more: usize) {
        let enough = self.shared.taken.load(Ordering::SeqCst) + more;
        while self.shared.taken.load(Ordering::SeqCst) < enough {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    /// They stop; what each has seen.
    pub(super) async fn end(self) -> Vec<Sent> {
        self.shared.stop.store(true, Ordering::SeqCst);
        self.senders.join_all().await
    }
}

async fn send(url: String, contact: Seed, keeps: bool, shared: Arc<Shared>) -> Sent {
    let http = client();
    let (id, mobile) = (contact.id.unwrap(), contact.mobile);
    let mut sent = Sent { path: format!("/contacts/{}", id.as_str()), ..Sent::default() };
    let mut last = Instant::now();
    for step in 1.. {
        if shared.stop.load(Ordering::SeqCst) {
            break;
        }
        let body = lead(&format!("{mobile}-{step}"), &mobile, step).to_string();
        let mut request = http.post(&url).header("content-type", "application/json").body(body);
        if !keeps {
            request = request.header("connection", "close");
        }
        match request.send().await {
            Ok(answer) if answer.status() == 200 => {
                sent.taken.push(step);
                shared.taken.fetch_add(1, Ordering::SeqCst);
                sent.gap = sent.gap.max(last.elapsed());
                last = Instant::now();
            }
            Ok(answer) => sent.refused.push(answer.status().to_string()),
            Err(error) => sent.refused.push(format!("{:#}", anyhow::Error::from(error))),
        }
        tokio::time::sleep(REST).await;
    }
    sent
}
