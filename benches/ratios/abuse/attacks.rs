//! What attackers do, each on many connections at once.

use std::future::Future;
use std::net::{Ipv4Addr, SocketAddr};
use std::rc::Rc;
use std::time::{Duration, Instant};

use std::cell::Cell;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

/// The secret of the source whose sender signs.
pub(super) const SECRET: &str = "a-secret-of-the-benchmark";

/// Something that is tried.
pub(super) struct Attack {
    pub(super) name: &'static str,
    /// Connections at once.
    lines: usize,
    way: Way,
}

enum Way {
    /// Connect and say this; then a byte now and then.
    Drip(&'static str),
    /// Connect, say this, end one's half, connect again.
    Half(&'static str),
    /// Say this as often as it is taken, reading the answers.
    Say(fn() -> Vec<u8>),
    /// The same, and never read.
    NeverRead(fn() -> Vec<u8>),
}

pub(super) const ATTACKS: &[Attack] = &[
    Attack {
        name: "idle connections: `max_connections` less 100",
        lines: 11_900,
        way: Way::Drip(""),
    },
    Attack { name: "as many idle connections and 7000 more", lines: 18_900, way: Way::Drip("") },
    Attack {
        name: "heads that come byte by byte",
        lines: 4000,
        way: Way::Drip("POST /hooks/git HTTP/1.1\r\nhost: a\r\nx-slow: "),
    },
    Attack {
        name: "bodies that come byte by byte",
        lines: 4000,
        way: Way::Drip("POST /hooks/flood HTTP/1.1\r\nhost: a\r\ncontent-length: 9999\r\n\r\n"),
    },
    Attack {
        name: "half a request, then half a connection",
        lines: 200,
        way: Way::Half("POST /hooks/git HTTP/1.1\r\nhost: a\r\ncontent-length: 10\r\n\r\n{"),
    },
    Attack { name: "a thousand requests sent ahead", lines: 50, way: Way::Say(ahead) },
    Attack { name: "answers that are never read", lines: 500, way: Way::NeverRead(ahead) },
    Attack { name: "huge heads", lines: 50, way: Way::Say(huge_head) },
    Attack { name: "requests in a request, strange paths", lines: 50, way: Way::Say(smuggled) },
    Attack { name: "a flood without a signature", lines: 50, way: Way::Say(unsigned) },
    Attack { name: "a flood with wrong signatures", lines: 50, way: Way::Say(missigned) },
    Attack { name: "a flood of one source over its `per_minute`", lines: 50, way: Way::Say(flood) },
    Attack { name: "bodies of 1 MiB that inflate to 1 GiB", lines: 20, way: Way::Say(bomb) },
];

/// Runs one of them, and prints how many connections it has made.
pub(super) fn run(name: &str, address: SocketAddr, time: Duration) {
    let attack = ATTACKS.iter().find(|attack| attack.name == name).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let local = tokio::task::LocalSet::new();
    let until = Instant::now() + time;
    let made = Rc::new(Cell::new(0_u64));
    local.block_on(&runtime, async {
        let lines: Vec<_> = (0..attack.lines)
            .map(|_| tokio::task::spawn_local(line(attack, address, until, Rc::clone(&made))))
            .collect();
        for line in lines {
            line.await.unwrap();
        }
    });
    println!("{}", made.get());
}

/// One connection after another, until the time is over.
async fn line(attack: &'static Attack, address: SocketAddr, until: Instant, made: Rc<Cell<u64>>) {
    let end = tokio::time::Instant::from_std(until);
    while Instant::now() < until {
        let Ok(Ok(line)) = tokio::time::timeout_at(end, connect(attack, address)).await else {
            tokio::time::sleep(Duration::from_millis(100)).await;
            continue;
        };
        made.set(made.get() + 1);
        // It ends with the connection, or with the time.
        let _ended = tokio::time::timeout_at(end, attack.way.go_on(line)).await.is_ok();
    }
}

async fn connect(attack: &Attack, address: SocketAddr) -> std::io::Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    if matches!(attack.way, Way::NeverRead(_)) {
        socket.set_recv_buffer_size(4096)?;
    }
    // An address of its own for each: the ports of one rest for a minute after it, and are not those of the next, nor
    // of honest senders.
    let place = ATTACKS.iter().position(|other| other.name == attack.name).unwrap();
    let own = Ipv4Addr::new(127, 0, 1, u8::try_from(place + 1).unwrap());
    socket.bind(SocketAddr::from((own, 0)))?;
    socket.connect(address).await
}

impl Way {
    async fn go_on(&self, mut line: TcpStream) {
        match self {
            Self::Drip(first) => {
                if line.write_all(first.as_bytes()).await.is_err() {
                    return;
                }
                let drips = !first.is_empty();
                loop {
                    if heard_the_end(&mut line, Duration::from_secs(1)).await {
                        // Whoever is hung up on waits a little before it comes again.
                        tokio::time::sleep(Duration::from_millis(500)).await;
                        return;
                    }
                    if drips && line.write_all(b"x").await.is_err() {
                        return;
                    }
                }
            }
            Self::Half(said) => {
                let said = async {
                    line.write_all(said.as_bytes()).await?;
                    line.shutdown().await?;
                    line.read_to_end(&mut Vec::new()).await
                };
                // Whatever came of it, the next one follows.
                let _answered = said.await.is_ok();
            }
            Self::Say(make) => {
                let said = make();
                let (mut reading, mut writing) = line.into_split();
                let write = async { while writing.write_all(&said).await.is_ok() {} };
                let read = async {
                    let mut piece = vec![0; 65_536];
                    while reading.read(&mut piece).await.is_ok_and(|count| count > 0) {}
                };
                race(write, read).await;
            }
            Self::NeverRead(make) => {
                let said = make();
                while line.write_all(&said).await.is_ok() {}
            }
        }
    }
}

async fn race(one: impl Future<Output = ()>, other: impl Future<Output = ()>) {
    tokio::select! {
        () = one => {}
        () = other => {}
    }
}

async fn heard_the_end(line: &mut TcpStream, within: Duration) -> bool {
    let mut piece = [0; 1024];
    match tokio::time::timeout(within, line.read(&mut piece)).await {
        Ok(read) => read.is_ok_and(|count| count == 0),
        Err(_) => false,
    }
}

/// A signed request, the last one on its connection.
pub(super) fn signed(body: &str) -> String {
    let (length, signature) = (body.len(), super::signature(body));
    format!(
        "POST /hooks/git HTTP/1.1\r\nhost: a\r\nconnection: close\r\ncontent-type: application/json\r\nx-hub-signature-256: sha256={signature}\r\ncontent-length: {length}\r\n\r\n{body}"
    )
}

fn posted(path: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let mut request =
        format!("POST {path} HTTP/1.1\r\nhost: a\r\n{headers}content-length: {length}\r\n\r\n")
            .into_bytes();
    request.extend_from_slice(body);
    request
}

fn ahead() -> Vec<u8> {
    posted("/hooks/nobody", "", b"").repeat(1000)
}

fn huge_head() -> Vec<u8> {
    posted("/hooks/git", &format!("x-huge: {}\r\n", "x".repeat(1 << 20)), b"")
}

fn smuggled() -> Vec<u8> {
    let hidden = posted("/hooks/flood", "", b"{}");
    let coded = "transfer-encoding: chunked\r\n";
    let mut said = posted("//hooks/..;/%2e%2e/api/status", "", b"");
    said.extend(posted("/hooks/flood", coded, b"0\r\n\r\n"));
    said.extend(hidden);
    said
}

fn unsigned() -> Vec<u8> {
    posted("/hooks/git", "content-type: application/json\r\n", b"")
}

fn missigned() -> Vec<u8> {
    let signature = format!("x-hub-signature-256: sha256={}\r\n", "0".repeat(64));
    posted("/hooks/git", &signature, br#"{"contact":"0"}"#)
}

fn flood() -> Vec<u8> {
    posted("/hooks/flood", "content-type: application/json\r\n", b"{}")
}

/// Zeros, packed a thousand times smaller.
fn bomb() -> Vec<u8> {
    use flate2::Compression;
    use flate2::write::GzEncoder;
    use std::io::Write;
    let mut packed = GzEncoder::new(Vec::new(), Compression::best());
    let zeros = vec![b' '; 1 << 20];
    for _ in 0..1000 {
        packed.write_all(&zeros).unwrap();
    }
    let packed = packed.finish().unwrap();
    posted("/hooks/crm", "content-type: application/json\r\ncontent-encoding: gzip\r\n", &packed)
}
