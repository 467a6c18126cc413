//! Honest senders while the listener is abused: `cargo bench --bench ratios -- abuse`, or `make abuse`.
//!
//! The attacker is a process of its own on the same two cores, so that what it costs to attack is in the figures too.

mod attacks;

use std::collections::BTreeMap;
use std::io::Read;
use std::net::{Ipv4Addr, SocketAddr};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use hmac::{Hmac, KeyInit, Mac};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpSocket;

use crate::process::{self, Bridge, Ended};
use attacks::ATTACKS;

/// The word by which the benchmark calls itself as the attacker.
pub(crate) const WORD: &str = "attack";

/// How long each attack goes on.
const TIME: Duration = Duration::from_secs(12);
/// Honest senders at once; each has a connection of its own for each event, and waits a little between two.
const SENDERS: u64 = 4;
const PAUSE: Duration = Duration::from_millis(20);
/// How the answer begins that takes an event.
const TAKEN: &str = "HTTP/1.1 200";
/// An honest sender gives up after so long.
const PATIENCE: Duration = Duration::from_secs(10);

/// The attacker itself: which attack, on whom.
pub(crate) fn attack(arguments: &[String]) {
    let [name, address] = arguments else { return };
    attacks::run(name, address.parse().unwrap(), TIME);
}

/// What honest senders met.
struct Met {
    sent: usize,
    answered: usize,
    p99: Duration,
    /// Why the others were not, and how often.
    unanswered: BTreeMap<String, usize>,
}

/// Prints the table: all of it, or the attacks whose names have one of these words.
pub(crate) fn print(words: &[String]) {
    let is_wanted = |attack: &&attacks::Attack| {
        words.is_empty() || words.iter().any(|word| attack.name.contains(word.as_str()))
    };
    println!(
        "| what | connections | s | honest requests answered | p99 | resident before, most, after (MiB) |\n| --- | --- | --- | --- | --- | --- |"
    );
    let folder = folder();
    let (_api, url) = process::refusing();
    let bridge = Bridge::start_in(folder.path(), &url, 16, &[("SECRET", attacks::SECRET)]);
    // What a process takes up once and for all is not the attackers' doing.
    meanwhile(&bridge, None);
    for attack in std::iter::once(None).chain(ATTACKS.iter().filter(is_wanted).map(Some)) {
        let before = bridge.resident();
        let begun = Instant::now();
        let (met, most, connections) = meanwhile(&bridge, attack.map(|attack| attack.name));
        let took = begun.elapsed().as_secs();
        std::thread::park_timeout(Duration::from_secs(3));
        let after = bridge.resident();
        let what = attack.map_or("nothing", |attack| attack.name);
        println!(
            "| {what} | {connections} | {took} | {} of {} | {:.1} ms | {before:.0}, {most:.0}, {after:.0} |",
            met.answered,
            met.sent,
            met.p99.as_secs_f64() * 1e3
        );
        for (why, count) in met.unanswered {
            eprintln!("  {what}: {count} not answered: {why}");
        }
    }
}

/// Two sources: one whose sender signs, and one that anybody may flood.
fn folder() -> tempfile::TempDir {
    let folder = process::folder();
    let write = |name: &str, text: &str| {
        std::fs::write(folder.path().join("mappings").join(name), text).unwrap();
    };
    let rules = "event: { id: none }\nrules: [{ name: lead, contact: { id: $.contact }, update: { name: $.person.name } }]\n";
    write("git.yaml", &format!("verify: {{ preset: github, secret: env:SECRET }}\n{rules}"));
    write("flood.yaml", &format!("verify: none\nper_minute: 600\n{rules}"));
    folder
}

/// Honest senders at work while somebody attacks; what they met, the most memory, and the attacker's connections.
fn meanwhile(bridge: &Bridge, attack: Option<&str>) -> (Met, f64, u64) {
    let attacker = attack.map(|name| {
        let process = Command::new(std::env::current_exe().unwrap())
            .args([WORD, name, &bridge.hooks.to_string()])
            .stdout(Stdio::piped())
            .spawn();
        Ended(process.unwrap())
    });
    let done = Arc::new(AtomicBool::new(false));
    let (watching, id) = (Arc::clone(&done), bridge.id());
    let watch = std::thread::spawn(move || {
        let mut most = 0.0_f64;
        while !watching.load(Ordering::Relaxed) {
            most = most.max(process::resident(id));
            std::thread::park_timeout(Duration::from_millis(200));
        }
        most
    });
    let met = honest(bridge.hooks);
    done.store(true, Ordering::Relaxed);
    let connections = attacker.map_or(0, |mut attacker| {
        let mut text = String::new();
        attacker.0.stdout.take().unwrap().read_to_string(&mut text).unwrap();
        text.trim().parse().unwrap_or_default()
    });
    (met, watch.join().unwrap(), connections)
}

fn honest(address: SocketAddr) -> Met {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let local = tokio::task::LocalSet::new();
    let until = Instant::now() + TIME;
    let met = local.block_on(&runtime, async {
        let senders: Vec<_> = (0..SENDERS)
            .map(|sender| {
                tokio::task::spawn_local(async move {
                    let (mut sent, mut times) = (0, Vec::new());
                    let mut unanswered = Vec::new();
                    while Instant::now() < until {
                        let begun = Instant::now();
                        let event = event(sender << 32 | sent);
                        sent += 1;
                        let post = tokio::time::timeout(PATIENCE, post(address, &event));
                        match post.await {
                            Ok(Ok(status)) if status == TAKEN => times.push(begun.elapsed()),
                            Ok(Ok(status)) => unanswered.push(status),
                            Ok(Err(error)) => unanswered.push(error.to_string()),
                            Err(_) => unanswered.push("not in time".to_owned()),
                        }
                        tokio::time::sleep(PAUSE).await;
                    }
                    (sent, times, unanswered)
                })
            })
            .collect();
        let (mut sent, mut times, mut unanswered) = (0, Vec::new(), BTreeMap::new());
        for sender in senders {
            let (own, took, whys) = sender.await.unwrap();
            sent += own;
            times.extend(took);
            for why in whys {
                *unanswered.entry(why).or_default() += 1;
            }
        }
        (sent, times, unanswered)
    });
    let (sent, mut times, unanswered) = met;
    times.sort_unstable();
    let p99 = times.get(times.len() * 99 / 100).copied().unwrap_or_default();
    Met { sent: usize::try_from(sent).unwrap(), answered: times.len(), p99, unanswered }
}

/// A signed event on a connection of its own; how the answer begins.
async fn post(address: SocketAddr, event: &str) -> std::io::Result<String> {
    // A port is bound first: one that is only picked would have to be free on every address of the machine.
    let socket = TcpSocket::new_v4()?;
    socket.bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))?;
    let mut line = socket.connect(address).await?;
    let request = attacks::signed(event);
    line.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    line.read_to_end(&mut answer).await?;
    Ok(String::from_utf8_lossy(answer.get(..TAKEN.len()).unwrap_or(&answer)).into_owned())
}

fn event(number: u64) -> String {
    format!(r#"{{"contact":"{number:024x}","person":{{"name":"Asha Rao"}}}}"#)
}

/// How GitHub signs.
fn signature(body: &str) -> String {
    let mut mac =
        <Hmac<sha2::Sha256> as KeyInit>::new_from_slice(attacks::SECRET.as_bytes()).unwrap();
    mac.update(body.as_bytes());
    hex::encode(mac.finalize().into_bytes())
}
