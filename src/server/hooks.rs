//! The listener that faces the senders: a server of HTTP/1 behind a [`Gate`], with TLS where it is asked for.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use actix_http::HttpService;
use actix_service::{IntoServiceFactory, ServiceFactoryExt, fn_service, map_config};
use actix_web::App;
use actix_web::dev::{AppConfig, Extensions, Server};
use actix_web::rt::net::TcpStream;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::timeout;

use super::tls::Tls;
use crate::settings::ServerSettings;
use crate::webhook::{End, Gate, Guests, Intake, route};

/// How long an idle connection of a sender is kept, and how long it may take to begin the next request.
const KEEP_ALIVE: Duration = Duration::from_secs(5);
/// How long a connection has to end once we have said that it does.
const GOODBYE: Duration = Duration::from_secs(1);
/// How long TLS has to be agreed on.
const HANDSHAKE: Duration = Duration::from_secs(5);
/// Connections that the system holds until we take them.
const BACKLOG: u32 = 4096;
/// What the system holds of answers that a sender does not read: answers are short.
const SEND_BUFFER: usize = 64 << 10;
/// What the system holds of requests that are sent ahead of their turn.
const RECEIVE_BUFFER: usize = 256 << 10;
/// Connections beyond the most, by those that were sent away and are not gone yet.
const LEAVING: usize = 1024;

/// What the listener serves.
pub(super) struct Hooks {
    pub(super) settings: ServerSettings,
    /// How long a request may take to arrive, and its answer to be read.
    pub(super) patience: Duration,
    pub(super) guests: Arc<Guests>,
    pub(super) most: usize,
    pub(super) tls: Option<Arc<Tls>>,
    pub(super) intake: Arc<Intake>,
}

/// A connection, in the clear or in TLS.
trait Stream: AsyncRead + AsyncWrite + Unpin {}
impl<S: AsyncRead + AsyncWrite + Unpin> Stream for S {}

type Connection = Gate<Box<dyn Stream>>;

impl Hooks {
    /// Binds the listener; it takes connections once the server is awaited.
    pub(super) fn bind(self) -> std::io::Result<(Server, SocketAddr)> {
        let Self { settings, patience, guests, most, tls, intake } = self;
        let listener = listener(settings.hooks)?;
        let address = listener.local_addr()?;
        let workers = std::thread::available_parallelism().map_or(2, usize::from);
        let builder = Server::build()
            .workers(workers)
            .max_concurrent_connections(most + LEAVING)
            .shutdown_timeout(settings.shutdown_grace.0.as_secs())
            .disable_signals();
        let draining = builder.graceful_shutdown_signal();
        let routes = route::configure(intake);
        let factory = move || {
            let (guests, tls) = (Arc::clone(&guests), tls.clone());
            let (signal, idle) = (draining.clone(), draining.clone());
            let app = App::new().configure(routes.clone()).into_factory();
            let http = HttpService::<Connection, _, _>::build()
                .graceful_shutdown_signal(move || {
                    let signal = signal.clone();
                    async move { signal.notified().await }
                })
                .keep_alive(KEEP_ALIVE)
                .client_request_timeout(patience)
                .client_disconnect_timeout(GOODBYE)
                .on_connect_ext(|gate: &Connection, data: &mut Extensions| {
                    data.insert(Arc::clone(gate.line()));
                })
                .h1(map_config(app, |()| AppConfig::default()));
            fn_service(move |stream: TcpStream| {
                let (guests, tls, idle) = (Arc::clone(&guests), tls.clone(), idle.clone());
                async move {
                    tokio::select! {
                        greeted = greet(stream, &guests, tls.as_deref(), patience) => greeted,
                        () = idle.notified() => Err(Gone),
                    }
                }
            })
            .and_then(http.map_err(|_| Gone))
        };
        let server = builder.listen("hooks", listener, factory)?.run();
        Ok((server, address))
    }
}

fn listener(address: SocketAddr) -> std::io::Result<std::net::TcpListener> {
    let socket = socket2::Socket::new(
        socket2::Domain::for_address(address),
        socket2::Type::STREAM,
        Some(socket2::Protocol::TCP),
    )?;
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    // Each connection has them from its listener; without them the system would give each some MiB.
    socket.set_send_buffer_size(SEND_BUFFER)?;
    socket.set_recv_buffer_size(RECEIVE_BUFFER)?;
    socket.bind(&address.into())?;
    socket.listen(i32::try_from(BACKLOG).unwrap_or(i32::MAX))?;
    Ok(socket.into())
}

/// The connection is of no use, and closed.
#[derive(Debug)]
struct Gone;

/// Lets a connection in. Until its first byte it costs nothing but its place.
async fn greet(
    stream: TcpStream,
    guests: &Arc<Guests>,
    tls: Option<&Tls>,
    patience: Duration,
) -> Result<(Connection, Option<SocketAddr>), Gone> {
    let guest = guests.admit().ok_or(Gone)?;
    let peer = stream.peer_addr().map_err(|_| Gone)?;
    let line = Arc::clone(guest.line());
    let first_byte = async {
        match timeout(patience, stream.readable()).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(Gone),
            Err(_) => {
                guest.ends(End::Silent);
                Err(Gone)
            }
        }
    };
    tokio::select! {
        begun = first_byte => begun?,
        () = line.is_to_close() => return Err(Gone),
    }
    let stream: Box<dyn Stream> = match tls.map(Tls::acceptor) {
        None => Box::new(stream),
        Some(acceptor) => {
            let agreed = tokio::select! {
                agreed = timeout(HANDSHAKE, acceptor.accept(stream)) => agreed,
                () = line.is_to_close() => return Err(Gone),
            };
            if let Ok(Ok(agreed)) = agreed {
                Box::new(agreed)
            } else {
                guest.ends(End::Handshake);
                return Err(Gone);
            }
        }
    };
    Ok((Gate::new(stream, guest, patience), Some(peer)))
}
