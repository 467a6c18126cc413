//! What the program weighs while it is abused, and afterwards: a process of its own, as the system counts it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use chatflow_bridge::chatflow::mock::{MockChatflow, MockOptions};
use futures_util::future::join_all;
use tokio::net::TcpSocket;

use super::*;
use crate::harness::{Child, KEY};

/// What is open at once, at most.
const CONNECTIONS: usize = 300;
const SETTINGS: &[(&str, &str)] = &[
    ("BRIDGE_SERVER__MAX_CONNECTIONS", "300"),
    ("BRIDGE_SERVER__MAX_BUFFERED", "4MiB"),
    ("BRIDGE_SERVER__REQUEST_TIMEOUT", "20s"),
    ("SECRET", "a-good-secret"),
];
const SIGNED: &str = "verify: { preset: github, secret: env:SECRET }\nevent: { id: none }\n\
    rules: [{ name: a, contact: { mobile: $.mobile }, update: { name: $.name } }]\n\
    tests: [{ name: a, body: {}, expect: ignored }]\n";

/// How many KiB more than in quiet it may be under any flood: what so many connections can hold of their heads and so
/// many bodies while they are put together, and what the allocator has not given back of the flood before. The bodies
/// alone that are sent would be 90 MB.
const MOST: u64 = 48 << 10;
/// How many KiB more it may rest at after floods that have been there before.
const KEPT: u64 = 8 << 10;

/// Something that is sent over many connections at once.
struct Flood {
    name: &'static str,
    wires: usize,
    said: Vec<u8>,
    /// What each sender does then.
    then: Then,
}

#[derive(Clone, Copy)]
enum Then {
    /// Nothing.
    Waits,
    /// Hears what there is to hear, until the other end hangs up or so many answers have come.
    Hears(usize),
    /// Says the same again, until it is not taken any more; never reads.
    GoesOn,
}

fn floods() -> [Flood; 6] {
    let flood = |name, wires, said: String, then| Flood { name, wires, said: said.into(), then };
    let body = "x".repeat(900_000);
    let slow =
        format!("POST /hooks/crm HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n{body}");
    let unsigned = request("POST /hooks/git", "");
    let huge = format!("POST /hooks/crm HTTP/1.1\r\nHost: a\r\nX: {body}");
    [
        flood("idle connections", 2 * CONNECTIONS, String::new(), Then::Waits),
        flood("requests without a signature", 50, unsigned.repeat(100), Then::Hears(100)),
        flood("huge heads", 200, huge, Then::Hears(1)),
        flood(
            "heads that do not end",
            280,
            "POST /hooks/crm HTTP/1.1\r\nX: ".to_owned() + &"x".repeat(30_000),
            Then::Waits,
        ),
        flood("bodies that do not end", 100, slow, Then::Waits),
        flood(
            "answers that nobody reads",
            100,
            request("GET /hooks/nobody", "").repeat(500),
            Then::GoesOn,
        ),
    ]
}

impl Flood {
    /// One sender's connection, once it has done its part.
    async fn wire(&self, address: SocketAddr) -> Wire {
        let socket = TcpSocket::new_v4().unwrap();
        if matches!(self.then, Then::GoesOn) {
            socket.set_recv_buffer_size(4096).unwrap();
        }
        let mut wire = Wire(socket.connect(address).await.unwrap());
        // Whoever does not take it any more has hung up, or leaves it where it is.
        let saying = Duration::from_millis(200);
        let taken = tokio::time::timeout(saying, wire.say(&self.said)).await;
        match self.then {
            Then::Waits => {}
            Then::Hears(answers) => hear(&mut wire, answers).await,
            Then::GoesOn => {
                let mut more = taken == Ok(true);
                while more {
                    more = tokio::time::timeout(saying, wire.say(&self.said)).await == Ok(true);
                }
            }
        }
        wire
    }
}

async fn hear(wire: &mut Wire, answers: usize) {
    let hear = async {
        let (mut heard, mut piece) = (0, vec![0; 65_536]);
        while heard < answers {
            let Ok(count @ 1..) = wire.0.read(&mut piece).await else { return };
            heard += String::from_utf8_lossy(&piece[..count]).matches("HTTP/1.1 ").count();
        }
    };
    tokio::time::timeout(PATIENCE, hear).await.expect("it is answered or hung up on");
}

/// The most that a process weighs while this is there, in KiB.
struct Scales {
    most: Arc<AtomicU64>,
    over: Arc<AtomicBool>,
}

impl Scales {
    fn under(id: u32) -> Self {
        let (most, over) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
        let scales = Self { most: Arc::clone(&most), over: Arc::clone(&over) };
        std::thread::spawn(move || {
            while !over.load(Ordering::Relaxed) {
                most.fetch_max(resident(id), Ordering::Relaxed);
                std::thread::park_timeout(Duration::from_millis(5));
            }
        });
        scales
    }
}

impl Drop for Scales {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
    }
}

/// Resident memory in KiB; none once the process is gone.
fn resident(id: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{id}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.map_or(0, |line| line.trim().trim_end_matches(" kB").parse().unwrap())
}

/// Honest senders, each on a connection of its own.
async fn honest_senders_are_answered_by(child: &Child, round: &str) {
    let client = client();
    for number in 0..5 {
        let event = lead(&format!("{round}-{number}"), "12025550143", number);
        let url = format!("http://{}/hooks/crm", child.hooks);
        let sent = client.post(url).header("connection", "close").json(&event).send().await;
        assert_eq!(sent.unwrap().status(), 200, "{round}");
    }
}

/// Waits until nobody is connected any more.
async fn until_all_are_gone(child: &Child) {
    let (begun, client) = (Instant::now(), client());
    loop {
        let page = client.get(format!("http://{}/metrics", child.metrics)).send().await.unwrap();
        let page = page.text().await.unwrap();
        if page.contains("\nchatflow_bridge_intake_connections 0\n") {
            return;
        }
        assert!(begun.elapsed() < PATIENCE, "connections are left over");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[actix_web::test]
async fn memory_stays_within_its_limits_under_every_flood_and_does_not_grow_with_the_next() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("mappings")).unwrap();
    std::fs::write(folder.path().join("mappings/crm.yaml"), CRM).unwrap();
    std::fs::write(folder.path().join("mappings/git.yaml"), SIGNED).unwrap();
    // The key is refused: nothing but intake is weighed.
    let refusing = MockOptions { api_key: Some(format!("not-{KEY}")), ..MockOptions::default() };
    let chatflow = MockChatflow::start(refusing).unwrap();
    let child = Child::serve_with(folder.path(), &chatflow.base_url(), SETTINGS);
    let address: SocketAddr = child.hooks.parse().unwrap();
    honest_senders_are_answered_by(&child, "quiet").await;
    until_all_are_gone(&child).await;
    let quiet = resident(child.id());
    assert!(quiet > 1 << 10, "it is weighed");

    let mut rested = Vec::new();
    for round in 0..2 {
        for flood in floods() {
            let scales = Scales::under(child.id());
            let wires = join_all((0..flood.wires).map(|_| flood.wire(address))).await;
            honest_senders_are_answered_by(&child, &format!("{} {round}", flood.name)).await;
            let most = scales.most.load(Ordering::Relaxed);
            assert!(most <= quiet + MOST, "{}: {most} KiB, {quiet} in quiet", flood.name);
            drop(wires);
            until_all_are_gone(&child).await;
        }
        rested.push(resident(child.id()));
    }

    assert!(rested[1] <= rested[0] + KEPT, "{rested:?} KiB after each round, {quiet} in quiet");
}
