//! The three listeners: senders, machines, operators. Each is a server of its own; together they have a thread, and
//! the workers of each run on runtimes of their own, so that a request stays on one core from its first byte to its answer.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::{Server, ServerHandle};
use actix_web::{App, HttpServer, web};
use tokio::sync::oneshot;

use super::hooks::Hooks;
use super::tls::Tls;
use super::{Addresses, StartError, open_files};
use crate::admin::senders::Senders;
use crate::admin::{self, api, auth::Guard, observe};
use crate::settings::ServerSettings;
use crate::telemetry::metrics::Metrics;
use crate::webhook::{Guests, Intake};

/// What the listeners serve.
pub(super) struct Served {
    pub(super) settings: ServerSettings,
    /// How long the head of a request may take to arrive.
    pub(super) request_timeout: Duration,
    pub(super) intake: Arc<Intake>,
    pub(super) tls: Option<Arc<Tls>>,
    pub(super) metrics: Arc<Metrics>,
    pub(super) senders: Arc<dyn Senders>,
    pub(super) state: web::Data<admin::State>,
    /// Without one nobody may ask the admin API: it is off.
    pub(super) guard: Option<web::Data<Guard>>,
}

/// The three listeners, running.
pub(super) struct Listeners {
    pub(super) addresses: Addresses,
    hooks: ServerHandle,
    metrics: ServerHandle,
    admin: Option<ServerHandle>,
    ended: oneshot::Receiver<()>,
}

/// The servers, bound and not yet running.
struct Bound {
    addresses: Addresses,
    hooks: Server,
    metrics: Server,
    admin: Option<Server>,
}

impl Listeners {
    /// Binds all three, or none.
    pub(super) async fn start(served: Served) -> Result<Self, StartError> {
        let (tell, told) = oneshot::channel();
        let (end, ended) = oneshot::channel();
        let serve = move || {
            actix_web::rt::System::new().block_on(async move {
                let bound = match served.bind() {
                    Ok(bound) => bound,
                    Err(error) => return tell.send(Err(error)).unwrap_or_default(),
                };
                let Bound { addresses, hooks, metrics, admin } = bound;
                let admin_handle = admin.as_ref().map(Server::handle);
                let handles = (hooks.handle(), metrics.handle(), admin_handle);
                if tell.send(Ok((addresses, handles))).is_err() {
                    return;
                }
                let admin = async {
                    match admin {
                        Some(admin) => admin.await,
                        None => Ok(()),
                    }
                };
                let (hooks, metrics, admin) = tokio::join!(hooks, metrics, admin);
                for ended in [hooks, metrics, admin] {
                    if let Err(error) = ended {
                        tracing::error!(%error, "a listener ended");
                    }
                }
                // Nobody may be left who waits for the end.
                end.send(()).unwrap_or_default();
            });
        };
        std::thread::Builder::new()
            .name("listeners".to_owned())
            .spawn(serve)
            .map_err(StartError::Thread)?;
        let (addresses, (hooks, metrics, admin)) =
            told.await.unwrap_or(Err(StartError::ListenersEnded))?;
        Ok(Self { addresses, hooks, metrics, admin, ended })
    }

    /// Takes no further webhooks; returns when those in hand are answered.
    pub(super) async fn stop_hooks(&self) {
        self.hooks.stop(true).await;
    }

    /// Stops the listeners for machines and operators; returns when all three have ended.
    pub(super) async fn stop_others(self) {
        if let Some(admin) = &self.admin {
            admin.stop(true).await;
        }
        self.metrics.stop(true).await;
        // Whether it is told or its thread is gone, it has ended.
        self.ended.await.unwrap_or_default();
    }
}

impl Served {
    fn bind(self) -> Result<Bound, StartError> {
        let Self { settings, request_timeout, intake, tls, metrics, senders, state, guard } = self;
        let most = open_files::room_for(settings.max_connections);
        let hooks = Hooks {
            settings: settings.clone(),
            patience: request_timeout,
            guests: Guests::new(most, metrics),
            most,
            tls,
            intake,
        };
        let (hooks, hooks_address) =
            hooks.bind().map_err(|error| refused("server.hooks", settings.hooks, error))?;

        let shown = web::Data::clone(&state);
        let metrics = HttpServer::new(move || App::new().configure(observe::routes(&shown)))
            .workers(1)
            .shutdown_timeout(1)
            .disable_signals()
            .bind(settings.metrics)
            .map_err(|error| refused("server.metrics", settings.metrics, error))?;

        let admin = match guard {
            None => None,
            Some(guard) => {
                let routes = move || App::new().configure(api::routes(&state, &senders, &guard));
                let admin = HttpServer::new(routes)
                    .workers(1)
                    .shutdown_timeout(1)
                    .disable_signals()
                    .bind(settings.admin)
                    .map_err(|error| refused("server.admin", settings.admin, error))?;
                Some(admin)
            }
        };

        let first = |addresses: Vec<SocketAddr>, asked: SocketAddr| {
            addresses.first().copied().unwrap_or(asked)
        };
        let addresses = Addresses {
            hooks: hooks_address,
            metrics: first(metrics.addrs(), settings.metrics),
            admin: admin.as_ref().map(|admin| first(admin.addrs(), settings.admin)),
        };
        Ok(Bound { addresses, hooks, metrics: metrics.run(), admin: admin.map(HttpServer::run) })
    }
}

fn refused(setting: &'static str, address: SocketAddr, error: std::io::Error) -> StartError {
    let variable = format!("BRIDGE_{}", setting.to_uppercase().replace('.', "__"));
    StartError::Listen { setting, address, error, variable }
}
