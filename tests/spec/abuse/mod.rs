//! What a listener that faces the internet has to stand: under each of these, honest senders are answered.

mod connections;
mod floods;
mod framing;
mod memory;
mod paths;
mod pipelines;
mod slow;
mod tls;

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::harness::{Bridge, Builder, CRM, PATIENCE, client, lead};

/// A bridge whose requests may take so long.
pub(super) fn bridge_with_patience(patience: &str) -> Builder {
    Bridge::with_mapping("crm", CRM).with_setting("server.request_timeout", patience)
}

/// A connection, and nothing between us and it.
pub(super) struct Wire(TcpStream);

impl Wire {
    /// A connection to the listener of senders.
    pub(super) async fn to(bridge: &Bridge) -> Self {
        Self::at(bridge.addresses().hooks).await
    }

    pub(super) async fn at(address: SocketAddr) -> Self {
        Self(TcpStream::connect(address).await.unwrap())
    }

    /// Sends these bytes; the other end may have hung up.
    pub(super) async fn say(&mut self, bytes: impl AsRef<[u8]>) -> bool {
        self.0.write_all(bytes.as_ref()).await.is_ok()
    }

    /// Ends our half of the connection.
    pub(super) async fn fall_silent(&mut self) {
        self.0.shutdown().await.unwrap();
    }

    /// Everything that comes until the other end hangs up, as it has to. A reset is an end too.
    pub(super) async fn hear_to_the_end(&mut self) -> String {
        let mut heard = Vec::new();
        let hear = async {
            let mut piece = [0; 4096];
            while let Ok(count @ 1..) = self.0.read(&mut piece).await {
                heard.extend_from_slice(&piece[..count]);
            }
        };
        tokio::time::timeout(PATIENCE, hear).await.expect("the connection is ended");
        String::from_utf8(heard).unwrap()
    }

    /// What comes until so many answers have begun.
    pub(super) async fn hear_answers(&mut self, count: usize) -> String {
        let mut heard = Vec::new();
        let hear = async {
            let mut piece = vec![0; 65_536];
            while String::from_utf8_lossy(&heard).matches("HTTP/1.1 ").count() < count {
                match self.0.read(&mut piece).await {
                    Ok(count @ 1..) => heard.extend_from_slice(&piece[..count]),
                    ended => panic!("the connection ended: {ended:?}"),
                }
            }
        };
        tokio::time::timeout(PATIENCE, hear).await.expect("the answers come");
        String::from_utf8(heard).unwrap()
    }

    /// Whether the other end has hung up by now.
    pub(super) fn is_over(&self) -> bool {
        match self.0.try_read(&mut [0]) {
            Ok(count) => count == 0,
            Err(error) => error.kind() != std::io::ErrorKind::WouldBlock,
        }
    }
}

/// The statuses of answers, in order.
pub(super) fn statuses(heard: &str) -> Vec<&str> {
    let answers = heard.split("HTTP/1.1 ").skip(1);
    answers.map(|answer| answer.split([' ', '\r']).next().unwrap()).collect()
}

/// A request with a JSON body, as it goes over the wire.
pub(super) fn request(line: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "{line} HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
    )
}

/// Honest senders, each on a connection of its own: every event is taken, and soon.
pub(super) async fn honest_senders_are_answered(bridge: &Bridge) {
    let url = bridge.hook("crm");
    let client = client();
    for number in 0..5 {
        let begun = Instant::now();
        let event = lead(&format!("honest-{begun:?}"), "12025550143", number);
        let sent = client.post(&url).header("connection", "close").json(&event).send().await;
        let status = sent.unwrap_or_else(|error| panic!("an honest sender: {error:?}")).status();

        assert_eq!(status, 200);
        assert!(begun.elapsed() < Duration::from_secs(5), "it took {:?}", begun.elapsed());
    }
}
