//! A sender of many webhooks: connections that are kept, each in a closed loop.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// What came of a run.
pub(crate) struct Outcome {
    /// Answers of 200 in a second.
    pub(crate) rate: f64,
    /// Answers of anything else.
    pub(crate) refused: u64,
    /// The time that 99 of 100 answers took at most.
    pub(crate) p99: Duration,
}

/// Posts to a path for some time over so many connections; `body` makes the nth body.
pub(crate) fn post(
    address: SocketAddr,
    path: &'static str,
    connections: usize,
    time: Duration,
    body: fn(u64) -> String,
) -> Outcome {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let number = Arc::new(AtomicU64::new(0));
    let begun = Instant::now();
    let (mut times, mut refused) = (Vec::new(), 0);
    runtime.block_on(async {
        let local = tokio::task::LocalSet::new();
        let senders: Vec<_> = (0..connections)
            .map(|_| {
                local.spawn_local(sender(address, path, Arc::clone(&number), begun + time, body))
            })
            .collect();
        local.await;
        for sender in senders {
            let (own, wrong) = sender.await.unwrap();
            times.extend(own);
            refused += wrong;
        }
    });
    let elapsed = begun.elapsed();
    times.sort_unstable();
    let p99 = times.get(times.len() * 99 / 100).copied().unwrap_or_default();
    #[expect(clippy::cast_precision_loss, reason = "a count of answers")]
    let rate = times.len() as f64 / elapsed.as_secs_f64();
    Outcome { rate, refused, p99 }
}

async fn sender(
    address: SocketAddr,
    path: &'static str,
    number: Arc<AtomicU64>,
    until: Instant,
    body: fn(u64) -> String,
) -> (Vec<Duration>, u64) {
    let mut line = TcpStream::connect(address).await.unwrap();
    line.set_nodelay(true).unwrap();
    let (mut times, mut refused) = (Vec::new(), 0);
    let mut answer = Vec::with_capacity(1024);
    while Instant::now() < until {
        let body = body(number.fetch_add(1, Ordering::Relaxed));
        let request = format!(
            "POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        let begun = Instant::now();
        line.write_all(request.as_bytes()).await.unwrap();
        if read(&mut line, &mut answer).await { times.push(begun.elapsed()) } else { refused += 1 }
    }
    (times, refused)
}

/// Reads one answer; whether it is 200.
async fn read(line: &mut TcpStream, answer: &mut Vec<u8>) -> bool {
    answer.clear();
    loop {
        assert!(line.read_buf(answer).await.unwrap() > 0, "the connection was closed");
        let Some(head) = answer.windows(4).position(|four| four == b"\r\n\r\n") else { continue };
        let text = String::from_utf8_lossy(&answer[..head]).to_ascii_lowercase();
        let length: usize = text
            .lines()
            .find_map(|line| line.strip_prefix("content-length: "))
            .map_or(0, |length| length.trim().parse().unwrap());
        if answer.len() >= head + 4 + length {
            return text.starts_with("http/1.1 200");
        }
    }
}
