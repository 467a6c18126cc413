//! Senders that give each event once, and count what they are answered.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
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
    stop: Arc<AtomicBool>,
}

impl Load {
    /// So many senders post to `address`, each about a contact of its own; every other one opens a connection for
    /// each event.
    pub(super) fn begin(address: &str, senders: usize) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let mut all = JoinSet::new();
        for number in 0..senders {
            let url = format!("http://{address}/hooks/crm");
            all.spawn(send(url, contact(number), number % 2 == 0, Arc::clone(&stop)));
        }
        Self { senders: all, stop }
    }

    /// They stop; what each has seen.
    pub(super) async fn end(self) -> Vec<Sent> {
        self.stop.store(true, Ordering::SeqCst);
        self.senders.join_all().await
    }
}

async fn send(url: String, contact: Seed, keeps: bool, stop: Arc<AtomicBool>) -> Sent {
    let http = client();
    let (id, mobile) = (contact.id.unwrap(), contact.mobile);
    let mut sent = Sent { path: format!("/contacts/{}", id.as_str()), ..Sent::default() };
    let mut last = Instant::now();
    for step in 1.. {
        if stop.load(Ordering::SeqCst) {
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
