//! Peers that no mock of the API would be: their answers are bytes, plain or over TLS.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::*;
use crate::chatflow::{Failure, install_tls};

const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/tls");

/// A peer that reads the head of each request, says its bytes and hangs up.
struct Peer {
    address: SocketAddr,
    requests: Arc<AtomicUsize>,
}

fn hold_talk(mut stream: impl Read + Write, answer: &[u8]) -> std::io::Result<()> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        if stream.read(&mut byte)? == 0 {
            return Ok(());
        }
        head.push(byte[0]);
    }
    stream.write_all(answer)?;
    stream.flush()
}

fn peer(answer: Vec<u8>, tls: Option<Arc<rustls::ServerConfig>>) -> Peer {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let requests = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&requests);
    let (ready, listening) = mpsc::channel();
    thread::spawn(move || {
        ready.send(()).unwrap();
        for stream in listener.incoming() {
            let stream: TcpStream = stream.unwrap();
            counted.fetch_add(1, Ordering::SeqCst);
            // A client that refuses the certificate, or has read enough, breaks the talk off.
            drop(match &tls {
                None => hold_talk(stream, &answer),
                Some(config) => {
                    let session = rustls::ServerConnection::new(Arc::clone(config)).unwrap();
                    hold_talk(rustls::StreamOwned::new(session, stream), &answer)
                }
            });
        }
    });
    listening.recv().unwrap();
    Peer { address, requests }
}

async fn probed(answer: &[u8]) -> (Result<(), Failure>, usize) {
    let peer = peer(answer.to_vec(), None);
    let settings = settings(&format!("http://{}", peer.address));
    let probed = client_with(&settings, &Arc::new(Metrics::new().unwrap())).probe().await;
    (probed, peer.requests.load(Ordering::SeqCst))
}

fn answered(status: u16, words: &str, retry_after: Option<u64>) -> Failure {
    let retry_after = retry_after.map(Duration::from_secs);
    Failure::Answered { status, words: words.to_owned(), retry_after }
}

#[tokio::test]
async fn odd_answers_are_told_apart_and_asked_for_once() {
    let broken = |why: &str| Failure::Broken(why.to_owned());
    let endless = [
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n".as_slice(),
        &b"1000\r\n"
            .iter()
            .chain(&[b' '; 0x1000])
            .chain(b"\r\n")
            .copied()
            .collect::<Vec<_>>()
            .repeat(300),
    ]
    .concat();
    for (answer, failure) in [
        (
            b"HTTP/1.1 302 Found\r\nlocation: https://elsewhere.example/?key=1\r\ncontent-length: 0\r\n\r\n".as_slice(),
            answered(302, "without a word", None),
        ),
        (
            b"HTTP/1.1 503 Busy\r\ndate: Tue, 24 Nov 2026 10:00:00 GMT\r\nretry-after: Tue, 24 Nov 2026 10:00:45 GMT\r\ncontent-length: 6\r\n\r\n<html>",
            answered(503, "a body that is not JSON", Some(45)),
        ),
        (b"HTTP/1.1 400 No\r\ncontent-length: 90\r\n\r\n{\"err", answered(400, "without a word", None)),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 90\r\n\r\n{\"status", broken("it ended too early")),
        (&endless, broken("it is larger than 1 MiB")),
        (b"HTTP/1.1 200 OK\r\nconte", Failure::Reset),
        (b"SSH-2.0-OpenSSH_9.9\r\n\r\n", Failure::Reset),
        (b"", Failure::Reset),
    ] {
        let shown = String::from_utf8_lossy(answer.get(..40.min(answer.len())).unwrap()).into_owned();
        assert_eq!(probed(answer).await, (Err(failure), 1), "{shown}");
    }
}

#[tokio::test]
async fn an_answer_needs_no_length() {
    assert_eq!(probed(b"HTTP/1.1 200 OK\r\n\r\n{\"data\": 1}").await, (Ok(()), 1));
}

/// The fixtures are a CA that no system knows and a certificate by it for `localhost`; the CA's key is thrown away.
#[tokio::test]
async fn the_ca_file_is_trusted_beside_the_systems_certificates() {
    install_tls();
    let certificate = CertificateDer::from_pem_file(format!("{FIXTURES}/server.pem")).unwrap();
    let key = PrivateKeyDer::from_pem_file(format!("{FIXTURES}/server.key")).unwrap();
    let config = rustls::ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap();
    let peer = peer(
        b"HTTP/1.1 200 OK\r\ncontent-length: 11\r\n\r\n{\"data\": 1}".to_vec(),
        Some(Arc::new(config)),
    );
    let stranger = settings(&format!("https://localhost:{}", peer.address.port()));
    let trusting =
        ChatflowSettings { ca_file: Some(format!("{FIXTURES}/ca.pem").into()), ..stranger.clone() };
    let probe = async |settings: &ChatflowSettings| {
        client_with(settings, &Arc::new(Metrics::new().unwrap())).probe().await
    };

    let refused = probe(&stranger).await;

    let Err(Failure::NotConnected(why)) = refused else { panic!("{refused:?}") };
    assert!(why.contains("TLS failed: invalid peer certificate: UnknownIssuer"), "{why}");
    assert_eq!(probe(&trusting).await, Ok(()));
}
